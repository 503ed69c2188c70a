//! External Secrets' SecretStore, reduced to what its Vault provider says.

use super::ids::Name;
use super::meta::Meta;

/// A SecretStore.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretStoreFact {
    /// Identity.
    pub meta: Meta,
    /// The Vault provider; none for another provider.
    pub vault: Option<VaultProvider>,
    /// Name of the provider used.
    pub provider: Name,
    /// Condition Ready, if it has been set.
    pub ready: Option<bool>,
}

/// `spec.provider.vault`.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct VaultProvider {
    /// `server`.
    pub server: Name,
    /// `path`: the mount.
    pub path: Option<Name>,
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
    /// Whether `auth.kubernetes.secretRef` is set.
    pub token_from_secret: bool,
    /// Another auth method, by its key.
    pub other_auth: Option<Name>,
}
