//! External Secrets' SecretStore and ClusterSecretStore, reduced to what their Vault provider says.

use super::consumer::{Condition, NamespaceChoice};
use super::ids::Name;
use super::kind::Kind;
use super::meta::Meta;

/// A SecretStore or ClusterSecretStore.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretStoreFact {
    /// Identity.
    pub meta: Meta,
    /// Which of the two.
    pub kind: Kind,
    /// `spec.conditions` of a ClusterSecretStore: any of them admits; none at all admits every namespace.
    pub conditions: Box<[NamespaceChoice]>,
    /// `spec.controller`: another controller than the default one; empty when unset.
    pub controller: Name,
    /// The provider for Vault or OpenBao; none for another provider.
    pub vault: Option<VaultProvider>,
    /// Name of the provider used.
    pub provider: Name,
    /// Condition Ready, if it has been set.
    pub ready: Option<Condition>,
}

/// `spec.provider.vault`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaultProvider {
    /// `server`.
    pub server: Name,
    /// `path`: the mount.
    pub path: Option<Name>,
    /// `version`: of the key-value engine, 2 where it says nothing.
    pub version: u8,
    /// `namespace`: Vault's, empty for none.
    pub vault_namespace: Name,
    /// Whether `caBundle` or `caProvider` is set.
    pub has_ca: bool,
    /// `auth.kubernetes.mountPath`; none when another auth method is used.
    pub kubernetes_mount: Option<Name>,
    /// `auth.kubernetes.role`.
    pub role: Option<Name>,
    /// `auth.kubernetes.serviceAccountRef.name`.
    pub service_account: Option<Name>,
    /// `auth.kubernetes.serviceAccountRef.namespace`, which a SecretStore may not use but may carry.
    pub service_account_namespace: Option<Name>,
    /// `auth.kubernetes.serviceAccountRef.audiences`.
    pub audiences: Box<[Name]>,
    /// Whether `auth.kubernetes.secretRef` is set.
    pub token_from_secret: bool,
    /// Another auth method, by its key.
    pub other_auth: Option<Name>,
}

impl Default for VaultProvider {
    fn default() -> Self {
        Self {
            server: "".into(),
            path: None,
            version: 2,
            vault_namespace: "".into(),
            has_ca: false,
            kubernetes_mount: None,
            role: None,
            service_account: None,
            service_account_namespace: None,
            audiences: [].into(),
            token_from_secret: false,
            other_auth: None,
        }
    }
}
