//! The Vault Secrets Operator's kinds, in one type: where two of them share a field's name, they share its meaning.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::MapAccess;

use super::external::NamedWire;
use super::lean::{Field, Key, Lean, Many, Str, objects};
use super::meta::MetaWire;
use super::pod::ConditionWire;

/// An object of the group `secrets.hashicorp.com`.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct OperatorWire<'a> {
    /// `metadata`.
    #[serde(borrow)]
    pub metadata: Field<MetaWire<'a>>,
    /// `spec`.
    #[serde(borrow)]
    pub spec: Field<OperatorSpecWire<'a>>,
    /// `status`.
    #[serde(borrow)]
    pub status: Field<OperatorStatusWire<'a>>,
}

/// `status`.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct OperatorStatusWire<'a> {
    /// `conditions`.
    #[serde(borrow)]
    pub conditions: Field<Many<ConditionWire<'a>>>,
    /// `valid`, where there are no conditions.
    pub valid: Field<bool>,
    /// `error`, beside `valid`.
    #[serde(borrow)]
    pub error: Field<Str<'a>>,
}

/// `spec` of all of them.
#[derive(Deserialize, Default, Debug)]
#[serde(default, rename_all = "camelCase")]
pub struct OperatorSpecWire<'a> {
    /// `address`.
    #[serde(borrow)]
    pub address: Field<Str<'a>>,
    /// `skipTLSVerify`.
    #[serde(rename = "skipTLSVerify")]
    pub skip_tls_verify: Field<bool>,
    /// `caCertSecretRef`.
    #[serde(borrow)]
    pub ca_cert_secret_ref: Field<Str<'a>>,
    /// `caCertPath`.
    #[serde(borrow)]
    pub ca_cert_path: Field<Str<'a>>,
    /// `method`.
    #[serde(borrow)]
    pub method: Field<Str<'a>>,
    /// `defaultAuthMethod`, of VaultAuthGlobal.
    #[serde(borrow)]
    pub default_auth_method: Field<Str<'a>>,
    /// `mount`.
    #[serde(borrow)]
    pub mount: Field<Str<'a>>,
    /// `defaultMount`, of VaultAuthGlobal.
    #[serde(borrow)]
    pub default_mount: Field<Str<'a>>,
    /// `namespace`.
    #[serde(borrow)]
    pub namespace: Field<Str<'a>>,
    /// `defaultVaultNamespace`, of VaultAuthGlobal.
    #[serde(borrow)]
    pub default_vault_namespace: Field<Str<'a>>,
    /// `kubernetes`.
    #[serde(borrow)]
    pub kubernetes: Field<OperatorKubernetesWire<'a>>,
    /// `allowedNamespaces`.
    #[serde(borrow)]
    pub allowed_namespaces: Field<Many<Str<'a>>>,
    /// `vaultConnectionRef`.
    #[serde(borrow)]
    pub vault_connection_ref: Field<Str<'a>>,
    /// `vaultAuthGlobalRef`.
    #[serde(borrow)]
    pub vault_auth_global_ref: Field<PlaceWire<'a>>,
    /// `vaultAuthRef`.
    #[serde(borrow)]
    pub vault_auth_ref: Field<PlaceWire<'a>>,
    /// `path`.
    #[serde(borrow)]
    pub path: Field<Str<'a>>,
    /// `role`, of VaultPKISecret.
    #[serde(borrow)]
    pub role: Field<Str<'a>>,
    /// `type`.
    #[serde(borrow, rename = "type")]
    pub kind: Field<Str<'a>>,
    /// `destination`.
    #[serde(borrow)]
    pub destination: Field<NamedWire<'a>>,
    /// `secrets`, of CSISecrets.
    #[serde(borrow)]
    pub secrets: Field<CollectionWire<'a>>,
}

/// `kubernetes` of VaultAuth and VaultAuthGlobal.
#[derive(Deserialize, Default, Debug)]
#[serde(default, rename_all = "camelCase")]
pub struct OperatorKubernetesWire<'a> {
    /// `role`.
    #[serde(borrow)]
    pub role: Field<Str<'a>>,
    /// `serviceAccount`.
    #[serde(borrow)]
    pub service_account: Field<Str<'a>>,
    /// `audiences`.
    #[serde(borrow)]
    pub audiences: Field<Many<Str<'a>>>,
    /// `mount`, of VaultAuthGlobal.
    #[serde(borrow)]
    pub mount: Field<Str<'a>>,
    /// `namespace`, of VaultAuthGlobal.
    #[serde(borrow)]
    pub namespace: Field<Str<'a>>,
}

/// A reference: `name` or `namespace/name` in a text, or an object with the two.
#[derive(Default, Debug)]
pub struct PlaceWire<'a> {
    /// `namespace`.
    pub namespace: Field<Str<'a>>,
    /// `name`, or the whole text.
    pub name: Field<Str<'a>>,
}

impl<'de: 'a, 'a> Lean<'de> for PlaceWire<'a> {
    fn text(text: Cow<'de, str>) -> Option<Self> {
        Some(Self { name: Field::Is(Str(text)), namespace: Field::Absent })
    }

    fn object<A: MapAccess<'de>>(mut object: A) -> Result<Option<Self>, A::Error> {
        let mut place = Self::default();
        while let Some(Key(key)) = object.next_key()? {
            match &*key {
                "name" => place.name = object.next_value()?,
                "namespace" => place.namespace = object.next_value()?,
                _ => drop(object.next_value::<serde::de::IgnoredAny>()?),
            }
        }
        Ok(Some(place))
    }
}

/// `secrets` of CSISecrets.
#[derive(Deserialize, Default, Debug)]
#[serde(default, rename_all = "camelCase")]
pub struct CollectionWire<'a> {
    /// `vaultStaticSecrets`.
    #[serde(borrow)]
    pub vault_static_secrets: Field<Many<CollectedWire<'a>>>,
    /// `vaultAppRoleSecretIDs`.
    #[serde(borrow, rename = "vaultAppRoleSecretIDs")]
    pub vault_app_role_secret_ids: Field<Many<CollectedWire<'a>>>,
}

/// One of them.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct CollectedWire<'a> {
    /// `mount`.
    #[serde(borrow)]
    pub mount: Field<Str<'a>>,
    /// `path`.
    #[serde(borrow)]
    pub path: Field<Str<'a>>,
    /// `role`, of an AppRole.
    #[serde(borrow)]
    pub role: Field<Str<'a>>,
}

objects! {
    borrowed: OperatorWire, OperatorStatusWire, OperatorSpecWire, OperatorKubernetesWire, CollectionWire, CollectedWire;
    owned:
}
