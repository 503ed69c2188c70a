//! External Secrets' SecretStore and ClusterSecretStore. Only names of things are decoded; inline credentials do not exist in this API, and are not looked for.

use serde::Deserialize;
use serde::de::{IgnoredAny, MapAccess};

use super::lean::{Field, Key, Lean, Many, NonEmpty, Str, objects};
use super::meta::MetaWire;
use super::networkpolicy::SelectorWire;
use super::pod::ConditionWire;

/// A SecretStore or ClusterSecretStore.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct StoreWire<'a> {
    /// `metadata`.
    #[serde(borrow)]
    pub metadata: Field<MetaWire<'a>>,
    /// `spec`.
    #[serde(borrow)]
    pub spec: Field<StoreSpecWire<'a>>,
    /// `status`.
    #[serde(borrow)]
    pub status: Field<StoreStatusWire<'a>>,
}

/// `spec`.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct StoreSpecWire<'a> {
    /// `provider`.
    #[serde(borrow)]
    pub provider: Field<ProviderWire<'a>>,
    /// `conditions`, of a ClusterSecretStore.
    #[serde(borrow)]
    pub conditions: Field<Many<AdmitsWire<'a>>>,
    /// `controller`.
    #[serde(borrow)]
    pub controller: Field<Str<'a>>,
}

/// One item of `conditions`: whom it admits.
#[derive(Deserialize, Default, Debug)]
#[serde(default, rename_all = "camelCase")]
pub struct AdmitsWire<'a> {
    /// `namespaces`.
    #[serde(borrow)]
    pub namespaces: Field<Many<Str<'a>>>,
    /// `namespaceSelector`.
    #[serde(borrow)]
    pub namespace_selector: Field<SelectorWire<'a>>,
    /// `namespaceRegexes`.
    #[serde(borrow)]
    pub namespace_regexes: Field<Many<Str<'a>>>,
}

/// `status`.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct StoreStatusWire<'a> {
    /// `conditions`.
    #[serde(borrow)]
    pub conditions: Field<Many<ConditionWire<'a>>>,
}

/// `provider`: one key names it.
#[derive(Default, Debug)]
pub struct ProviderWire<'a> {
    /// The key.
    pub name: Option<Str<'a>>,
    /// `vault` or `openBao`, if that is the key: both have one shape.
    pub vault: Field<VaultWire<'a>>,
}

impl<'de: 'a, 'a> Lean<'de> for ProviderWire<'a> {
    fn object<A: MapAccess<'de>>(mut object: A) -> Result<Option<Self>, A::Error> {
        let mut provider = Self::default();
        while let Some(Key(key)) = object.next_key()? {
            if key == "vault" || key.eq_ignore_ascii_case("openbao") {
                provider.vault = object.next_value()?;
                provider.name = Some(Str(key));
            } else {
                object.next_value::<IgnoredAny>()?;
                provider.name.get_or_insert(Str(key));
            }
        }
        Ok(Some(provider))
    }
}

/// `provider.vault`.
#[derive(Deserialize, Default, Debug)]
#[serde(default, rename_all = "camelCase")]
pub struct VaultWire<'a> {
    /// `server`.
    #[serde(borrow)]
    pub server: Field<Str<'a>>,
    /// `path`.
    #[serde(borrow)]
    pub path: Field<Str<'a>>,
    /// `version`.
    #[serde(borrow)]
    pub version: Field<Str<'a>>,
    /// `namespace`.
    #[serde(borrow)]
    pub namespace: Field<Str<'a>>,
    /// `caBundle`; only whether it is set.
    #[serde(borrow)]
    pub ca_bundle: Field<Str<'a>>,
    /// `caProvider`.
    pub ca_provider: Field<NonEmpty>,
    /// `auth`.
    #[serde(borrow)]
    pub auth: Field<AuthWire<'a>>,
}

/// `auth`: one key names the method.
#[derive(Default, Debug)]
pub struct AuthWire<'a> {
    /// `kubernetes`.
    pub kubernetes: Field<KubernetesAuthWire<'a>>,
    /// Another method's key.
    pub other: Option<Str<'a>>,
}

impl<'de: 'a, 'a> Lean<'de> for AuthWire<'a> {
    fn object<A: MapAccess<'de>>(mut object: A) -> Result<Option<Self>, A::Error> {
        let mut auth = Self::default();
        while let Some(Key(key)) = object.next_key()? {
            match &*key {
                "kubernetes" => auth.kubernetes = object.next_value()?,
                // Vault's own namespace, no method
                "namespace" => drop(object.next_value::<IgnoredAny>()?),
                _ => {
                    object.next_value::<IgnoredAny>()?;
                    auth.other.get_or_insert(Str(key));
                }
            }
        }
        Ok(Some(auth))
    }
}

/// `auth.kubernetes`.
#[derive(Deserialize, Default, Debug)]
#[serde(default, rename_all = "camelCase")]
pub struct KubernetesAuthWire<'a> {
    /// `mountPath`.
    #[serde(borrow)]
    pub mount_path: Field<Str<'a>>,
    /// `role`.
    #[serde(borrow)]
    pub role: Field<Str<'a>>,
    /// `serviceAccountRef`.
    #[serde(borrow)]
    pub service_account_ref: Field<RefWire<'a>>,
    /// `secretRef`.
    pub secret_ref: Field<NonEmpty>,
}

/// A reference.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct RefWire<'a> {
    /// `name`.
    #[serde(borrow)]
    pub name: Field<Str<'a>>,
    /// `namespace`.
    #[serde(borrow)]
    pub namespace: Field<Str<'a>>,
    /// `audiences`, of a ServiceAccount.
    #[serde(borrow)]
    pub audiences: Field<Many<Str<'a>>>,
}

objects! { borrowed: StoreWire, StoreSpecWire, AdmitsWire, StoreStatusWire, VaultWire, KubernetesAuthWire, RefWire; owned: }
