//! External Secrets' ExternalSecret, ClusterExternalSecret, PushSecret and the generator for Vault: references only. Templates, which may hold
//! literals, are not decoded.

use serde::Deserialize;

use super::lean::{Field, Many, NonEmpty, Str, objects};
use super::meta::MetaWire;
use super::networkpolicy::SelectorWire;
use super::pod::ConditionWire;
use super::secretstore::VaultWire;

/// An ExternalSecret.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct ExternalWire<'a> {
    /// `metadata`.
    #[serde(borrow)]
    pub metadata: Field<MetaWire<'a>>,
    /// `spec`.
    #[serde(borrow)]
    pub spec: Field<ExternalSpecWire<'a>>,
    /// `status`.
    #[serde(borrow)]
    pub status: Field<SyncStatusWire<'a>>,
}

/// `status` of whatever is synchronised.
#[derive(Deserialize, Default, Debug)]
#[serde(default, rename_all = "camelCase")]
pub struct SyncStatusWire<'a> {
    /// `conditions`.
    #[serde(borrow)]
    pub conditions: Field<Many<ConditionWire<'a>>>,
    /// `refreshTime`.
    #[serde(borrow)]
    pub refresh_time: Field<Str<'a>>,
}

/// `spec` of an ExternalSecret.
#[derive(Deserialize, Default, Debug)]
#[serde(default, rename_all = "camelCase")]
pub struct ExternalSpecWire<'a> {
    /// `secretStoreRef`.
    #[serde(borrow)]
    pub secret_store_ref: Field<StoreRefWire<'a>>,
    /// `data`.
    #[serde(borrow)]
    pub data: Field<Many<DataWire<'a>>>,
    /// `dataFrom`.
    #[serde(borrow)]
    pub data_from: Field<Many<DataFromWire<'a>>>,
    /// `target`.
    #[serde(borrow)]
    pub target: Field<TargetWire<'a>>,
    /// `refreshInterval`.
    #[serde(borrow)]
    pub refresh_interval: Field<Str<'a>>,
    /// `refreshPolicy`.
    #[serde(borrow)]
    pub refresh_policy: Field<Str<'a>>,
}

/// A reference to a store, or to several of a PushSecret.
#[derive(Deserialize, Default, Debug)]
#[serde(default, rename_all = "camelCase")]
pub struct StoreRefWire<'a> {
    /// `kind`.
    #[serde(borrow)]
    pub kind: Field<Str<'a>>,
    /// `name`.
    #[serde(borrow)]
    pub name: Field<Str<'a>>,
    /// `labelSelector`, of a PushSecret.
    #[serde(borrow)]
    pub label_selector: Field<SelectorWire<'a>>,
}

/// A kind and a name.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct NamedWire<'a> {
    /// `kind`.
    #[serde(borrow)]
    pub kind: Field<Str<'a>>,
    /// `name`.
    #[serde(borrow)]
    pub name: Field<Str<'a>>,
}

/// `sourceRef`.
#[derive(Deserialize, Default, Debug)]
#[serde(default, rename_all = "camelCase")]
pub struct SourceRefWire<'a> {
    /// `storeRef`.
    #[serde(borrow)]
    pub store_ref: Field<StoreRefWire<'a>>,
    /// `generatorRef`.
    #[serde(borrow)]
    pub generator_ref: Field<NamedWire<'a>>,
}

/// One item of `data`.
#[derive(Deserialize, Default, Debug)]
#[serde(default, rename_all = "camelCase")]
pub struct DataWire<'a> {
    /// `secretKey`.
    #[serde(borrow)]
    pub secret_key: Field<Str<'a>>,
    /// `remoteRef`.
    #[serde(borrow)]
    pub remote_ref: Field<RemoteWire<'a>>,
    /// `sourceRef`.
    #[serde(borrow)]
    pub source_ref: Field<SourceRefWire<'a>>,
}

/// `remoteRef` or `extract`.
#[derive(Deserialize, Default, Debug)]
#[serde(default, rename_all = "camelCase")]
pub struct RemoteWire<'a> {
    /// `key`.
    #[serde(borrow)]
    pub key: Field<Str<'a>>,
    /// `property`.
    #[serde(borrow)]
    pub property: Field<Str<'a>>,
    /// `metadataPolicy`.
    #[serde(borrow)]
    pub metadata_policy: Field<Str<'a>>,
}

/// One item of `dataFrom`.
#[derive(Deserialize, Default, Debug)]
#[serde(default, rename_all = "camelCase")]
pub struct DataFromWire<'a> {
    /// `extract`.
    #[serde(borrow)]
    pub extract: Field<RemoteWire<'a>>,
    /// `find`.
    #[serde(borrow)]
    pub find: Field<FindWire<'a>>,
    /// `sourceRef`.
    #[serde(borrow)]
    pub source_ref: Field<SourceRefWire<'a>>,
}

/// `find`.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct FindWire<'a> {
    /// `path`.
    #[serde(borrow)]
    pub path: Field<Str<'a>>,
}

/// `target`.
#[derive(Deserialize, Default, Debug)]
#[serde(default, rename_all = "camelCase")]
pub struct TargetWire<'a> {
    /// `name`.
    #[serde(borrow)]
    pub name: Field<Str<'a>>,
    /// `creationPolicy`.
    #[serde(borrow)]
    pub creation_policy: Field<Str<'a>>,
    /// `manifest`: another object than a Secret is made.
    pub manifest: Field<NonEmpty>,
}

/// A ClusterExternalSecret.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct ClusterExternalWire<'a> {
    /// `metadata`.
    #[serde(borrow)]
    pub metadata: Field<MetaWire<'a>>,
    /// `spec`.
    #[serde(borrow)]
    pub spec: Field<ClusterExternalSpecWire<'a>>,
    /// `status`.
    #[serde(borrow)]
    pub status: Field<SyncStatusWire<'a>>,
}

/// `spec` of a ClusterExternalSecret.
#[derive(Deserialize, Default, Debug)]
#[serde(default, rename_all = "camelCase")]
pub struct ClusterExternalSpecWire<'a> {
    /// `externalSecretSpec`.
    #[serde(borrow)]
    pub external_secret_spec: Field<ExternalSpecWire<'a>>,
    /// `externalSecretName`.
    #[serde(borrow)]
    pub external_secret_name: Field<Str<'a>>,
    /// `namespaceSelector`, the older of the two.
    #[serde(borrow)]
    pub namespace_selector: Field<SelectorWire<'a>>,
    /// `namespaceSelectors`.
    #[serde(borrow)]
    pub namespace_selectors: Field<Many<SelectorWire<'a>>>,
    /// `namespaces`.
    #[serde(borrow)]
    pub namespaces: Field<Many<Str<'a>>>,
}

/// A PushSecret.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct PushWire<'a> {
    /// `metadata`.
    #[serde(borrow)]
    pub metadata: Field<MetaWire<'a>>,
    /// `spec`.
    #[serde(borrow)]
    pub spec: Field<PushSpecWire<'a>>,
    /// `status`.
    #[serde(borrow)]
    pub status: Field<SyncStatusWire<'a>>,
}

/// `spec` of a PushSecret.
#[derive(Deserialize, Default, Debug)]
#[serde(default, rename_all = "camelCase")]
pub struct PushSpecWire<'a> {
    /// `secretStoreRefs`.
    #[serde(borrow)]
    pub secret_store_refs: Field<Many<StoreRefWire<'a>>>,
    /// `data`.
    #[serde(borrow)]
    pub data: Field<Many<PushDataWire<'a>>>,
    /// `dataTo`, of newer releases: keys chosen by a pattern.
    pub data_to: Field<Many<NonEmpty>>,
    /// `selector`.
    #[serde(borrow)]
    pub selector: Field<PushSelectorWire<'a>>,
    /// `refreshInterval`.
    #[serde(borrow)]
    pub refresh_interval: Field<Str<'a>>,
}

/// `selector` of a PushSecret.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct PushSelectorWire<'a> {
    /// `secret`.
    #[serde(borrow)]
    pub secret: Field<NamedWire<'a>>,
}

/// One item of a PushSecret's `data`.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct PushDataWire<'a> {
    /// `match`.
    #[serde(borrow, rename = "match")]
    pub matched: Field<MatchWire<'a>>,
}

/// `match`.
#[derive(Deserialize, Default, Debug)]
#[serde(default, rename_all = "camelCase")]
pub struct MatchWire<'a> {
    /// `secretKey`.
    #[serde(borrow)]
    pub secret_key: Field<Str<'a>>,
    /// `remoteRef`.
    #[serde(borrow)]
    pub remote_ref: Field<PushRemoteWire<'a>>,
}

/// `match.remoteRef`.
#[derive(Deserialize, Default, Debug)]
#[serde(default, rename_all = "camelCase")]
pub struct PushRemoteWire<'a> {
    /// `remoteKey`.
    #[serde(borrow)]
    pub remote_key: Field<Str<'a>>,
    /// `property`.
    #[serde(borrow)]
    pub property: Field<Str<'a>>,
}

/// The generator VaultDynamicSecret.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct GeneratorWire<'a> {
    /// `metadata`.
    #[serde(borrow)]
    pub metadata: Field<MetaWire<'a>>,
    /// `spec`.
    #[serde(borrow)]
    pub spec: Field<GeneratorSpecWire<'a>>,
}

/// `spec` of the generator. Its parameters are not decoded.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct GeneratorSpecWire<'a> {
    /// `path`.
    #[serde(borrow)]
    pub path: Field<Str<'a>>,
    /// `method`.
    #[serde(borrow)]
    pub method: Field<Str<'a>>,
    /// `provider`.
    #[serde(borrow)]
    pub provider: Field<VaultWire<'a>>,
}

objects! {
    borrowed: ExternalWire, SyncStatusWire, ExternalSpecWire, StoreRefWire, NamedWire, SourceRefWire, DataWire, RemoteWire, DataFromWire,
        FindWire, TargetWire, ClusterExternalWire, ClusterExternalSpecWire, PushWire, PushSpecWire, PushSelectorWire, PushDataWire,
        MatchWire, PushRemoteWire, GeneratorWire, GeneratorSpecWire;
    owned:
}
