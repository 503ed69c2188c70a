//! SecretProviderClass of the Secrets Store CSI driver. What is synchronised into Kubernetes is not decoded.

use serde::Deserialize;

use super::lean::{Field, Str, objects};
use super::meta::MetaWire;

/// A SecretProviderClass.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct ClassWire<'a> {
    /// `metadata`.
    #[serde(borrow)]
    pub metadata: Field<MetaWire<'a>>,
    /// `spec`.
    #[serde(borrow)]
    pub spec: Field<ClassSpecWire<'a>>,
}

/// `spec`.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct ClassSpecWire<'a> {
    /// `provider`.
    #[serde(borrow)]
    pub provider: Field<Str<'a>>,
    /// `parameters`.
    #[serde(borrow)]
    pub parameters: Field<ParametersWire<'a>>,
}

/// `parameters`: all of them texts.
#[derive(Deserialize, Default, Debug)]
#[serde(default, rename_all = "camelCase")]
pub struct ParametersWire<'a> {
    /// `roleName`.
    #[serde(borrow)]
    pub role_name: Field<Str<'a>>,
    /// `vaultAddress`.
    #[serde(borrow)]
    pub vault_address: Field<Str<'a>>,
    /// `vaultNamespace`.
    #[serde(borrow)]
    pub vault_namespace: Field<Str<'a>>,
    /// `vaultAuthMountPath`.
    #[serde(borrow)]
    pub vault_auth_mount_path: Field<Str<'a>>,
    /// `vaultKubernetesMountPath`, its older name.
    #[serde(borrow)]
    pub vault_kubernetes_mount_path: Field<Str<'a>>,
    /// `audience`.
    #[serde(borrow)]
    pub audience: Field<Str<'a>>,
    /// `vaultSkipTLSVerify`.
    #[serde(borrow, rename = "vaultSkipTLSVerify")]
    pub vault_skip_tls_verify: Field<Str<'a>>,
    /// `objects`: YAML in a text.
    #[serde(borrow)]
    pub objects: Field<Str<'a>>,
}

/// One of `objects`.
#[derive(Deserialize, Default, Debug)]
#[serde(default, rename_all = "camelCase")]
pub struct AskedWire<'a> {
    /// `secretPath`.
    #[serde(borrow)]
    pub secret_path: Field<Str<'a>>,
    /// `method`.
    #[serde(borrow)]
    pub method: Field<Str<'a>>,
}

objects! { borrowed: ClassWire, ClassSpecWire, ParametersWire, AskedWire; owned: }
