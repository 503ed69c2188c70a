//! How a pod names the Secrets it takes. A variable's own value is never decoded.

use serde::Deserialize;

use super::lean::{Field, Many, Str, objects};

/// A variable; its value is not decoded.
#[derive(Deserialize, Default, Debug)]
#[serde(default, rename_all = "camelCase")]
pub struct EnvWire<'a> {
    /// `name`.
    #[serde(borrow)]
    pub name: Field<Str<'a>>,
    /// `valueFrom`.
    #[serde(borrow)]
    pub value_from: Field<ValueFromWire<'a>>,
}

/// `valueFrom`.
#[derive(Deserialize, Default, Debug)]
#[serde(default, rename_all = "camelCase")]
pub struct ValueFromWire<'a> {
    /// `secretKeyRef`.
    #[serde(borrow)]
    pub secret_key_ref: Field<KeyRefWire<'a>>,
}

/// `secretKeyRef`.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct KeyRefWire<'a> {
    /// `name`.
    #[serde(borrow)]
    pub name: Field<Str<'a>>,
    /// `key`.
    #[serde(borrow)]
    pub key: Field<Str<'a>>,
}

/// One item of `envFrom`.
#[derive(Deserialize, Default, Debug)]
#[serde(default, rename_all = "camelCase")]
pub struct EnvFromWire<'a> {
    /// `secretRef`.
    #[serde(borrow)]
    pub secret_ref: Field<KeyRefWire<'a>>,
}

/// A volume.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct VolumeWire<'a> {
    /// `secret`.
    #[serde(borrow)]
    pub secret: Field<SecretVolumeWire<'a>>,
    /// `projected`.
    #[serde(borrow)]
    pub projected: Field<ProjectedWire<'a>>,
    /// `csi`.
    #[serde(borrow)]
    pub csi: Field<CsiWire<'a>>,
}

/// A Secret as a volume, or as a part of one: the name's field differs.
#[derive(Deserialize, Default, Debug)]
#[serde(default, rename_all = "camelCase")]
pub struct SecretVolumeWire<'a> {
    /// `secretName`, of a volume.
    #[serde(borrow)]
    pub secret_name: Field<Str<'a>>,
    /// `name`, of a projected volume's source.
    #[serde(borrow)]
    pub name: Field<Str<'a>>,
    /// `items`.
    #[serde(borrow)]
    pub items: Field<Many<ItemWire<'a>>>,
}

/// A key and the file it becomes.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct ItemWire<'a> {
    /// `key`.
    #[serde(borrow)]
    pub key: Field<Str<'a>>,
    /// `path`.
    #[serde(borrow)]
    pub path: Field<Str<'a>>,
}

/// `projected`.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct ProjectedWire<'a> {
    /// `sources`.
    #[serde(borrow)]
    pub sources: Field<Many<SourceWire<'a>>>,
}

/// One source of a projected volume.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct SourceWire<'a> {
    /// `secret`.
    #[serde(borrow)]
    pub secret: Field<SecretVolumeWire<'a>>,
}

/// `csi`.
#[derive(Deserialize, Default, Debug)]
#[serde(default, rename_all = "camelCase")]
pub struct CsiWire<'a> {
    /// `driver`.
    #[serde(borrow)]
    pub driver: Field<Str<'a>>,
    /// `volumeAttributes`.
    #[serde(borrow)]
    pub volume_attributes: Field<AttributesWire<'a>>,
}

/// `volumeAttributes`, of which one is known.
#[derive(Deserialize, Default, Debug)]
#[serde(default, rename_all = "camelCase")]
pub struct AttributesWire<'a> {
    /// `secretProviderClass`.
    #[serde(borrow)]
    pub secret_provider_class: Field<Str<'a>>,
}

objects! {
    borrowed: EnvWire, ValueFromWire, KeyRefWire, EnvFromWire, VolumeWire, SecretVolumeWire, ItemWire, ProjectedWire, SourceWire, CsiWire,
        AttributesWire;
    owned:
}
