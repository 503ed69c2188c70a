//! Who asks Vault for secrets on a tenant's behalf: objects of External Secrets, the Vault Secrets Operator and the Secrets Store CSI driver, and
//! the annotations of the agent injector (`spec/vault.md` 7). Names and references only; no value of a secret passes here.

use super::ids::Name;
use super::kind::Kind;
use super::labels::LabelSelector;
use super::meta::Meta;
use super::secretstore::VaultProvider;
use super::time::Time;

/// A condition of an object's status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// `status`: none where it is `Unknown` or anything else than `True` and `False`.
    pub status: Option<bool>,
    /// `reason`.
    pub reason: Name,
    /// `message`, cut to [`super::text::LONGEST`] characters. Hostile text.
    pub message: Name,
    /// `lastTransitionTime`.
    pub since: Option<Time>,
}

/// A choice of namespaces: any of the three admits.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct NamespaceChoice {
    /// By name.
    pub names: Box<[Name]>,
    /// By labels.
    pub selectors: Box<[LabelSelector]>,
    /// By regular expressions, not anchored.
    pub patterns: Box<[Name]>,
}

/// An object that asks Vault for something, or says how to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsumerFact {
    /// Identity.
    pub meta: Meta,
    /// Which kind.
    pub kind: Kind,
    /// Condition Ready (or the one that stands for it), if it has been set.
    pub ready: Option<Condition>,
    /// What it says.
    pub spec: ConsumerSpec,
}

/// What an object says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConsumerSpec {
    /// ExternalSecret, ClusterExternalSecret or PushSecret.
    External(ExternalSpec),
    /// A generator of External Secrets for Vault: VaultDynamicSecret.
    Generator(GeneratorSpec),
    /// VaultAuth or VaultAuthGlobal.
    Auth(AuthSpec),
    /// VaultConnection.
    Connection(ConnectionSpec),
    /// VaultStaticSecret, VaultDynamicSecret, VaultPKISecret or CSISecrets of the Vault Secrets Operator.
    Operator(OperatorSpec),
    /// SecretProviderClass.
    ProviderClass(ProviderClassSpec),
}

/// ExternalSecret, ClusterExternalSecret (its template, and where it is put) or PushSecret.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct ExternalSpec {
    /// Every place asked for or written to.
    pub entries: Box<[SecretEntry]>,
    /// Name of the Secret made (for a PushSecret: read); none where it is not told, or none is made.
    pub target: Option<Name>,
    /// Namespaces that a ClusterExternalSecret is put into; none for the other kinds.
    pub into: Option<NamespaceChoice>,
    /// `refreshInterval` in milliseconds; 0 for never again (also by `refreshPolicy`), none where it can't be read.
    pub interval: Option<i64>,
    /// `status.refreshTime`.
    pub refreshed: Option<Time>,
    /// There is more than `entries`: some can't be read, name a store of a kind we don't know, or are more than are kept.
    pub incomplete: bool,
}

/// One place that is asked for or written to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretEntry {
    /// What is done there.
    pub how: EntryKind,
    /// By which store; for a PushSecret one entry for each of its stores. None where a generator is used.
    pub store: Option<StoreRef>,
    /// `remoteRef.key`, `extract.key`, `find.path` or `match.remoteRef.remoteKey`. As written.
    pub key: Name,
    /// `property`.
    pub property: Option<Name>,
    /// `metadataPolicy: Fetch`: the metadata is read and not the value.
    pub metadata: bool,
    /// The key of the Secret that is made; none where all keys are taken over.
    pub secret_key: Option<Name>,
    /// A generator, as kind and name.
    pub generator: Option<(Name, Name)>,
}

/// What is done at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EntryKind {
    /// `data`: one value.
    Data,
    /// `dataFrom.extract`: all values of a secret.
    Extract,
    /// `dataFrom.find`: a recursive list, then reads.
    Find,
    /// A PushSecret: a write.
    Push,
    /// A generator.
    Generate,
}

/// A reference to a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreRef {
    /// SecretStore or ClusterSecretStore.
    pub kind: Kind,
    /// Name; empty where a PushSecret selects by labels.
    pub name: Name,
    /// By labels.
    pub selector: Option<LabelSelector>,
}

/// VaultDynamicSecret of External Secrets.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct GeneratorSpec {
    /// `path`: whole, mount included.
    pub path: Name,
    /// `method`: GET where it says nothing.
    pub method: Name,
    /// `provider`.
    pub provider: VaultProvider,
}

/// VaultAuth or VaultAuthGlobal.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct AuthSpec {
    /// `method`; empty when unset.
    pub method: Name,
    /// `mount`; empty when unset.
    pub mount: Name,
    /// `namespace`: Vault's, empty for none.
    pub vault_namespace: Name,
    /// `kubernetes.role`.
    pub role: Option<Name>,
    /// `kubernetes.serviceAccount`.
    pub service_account: Option<Name>,
    /// `kubernetes.audiences`.
    pub audiences: Box<[Name]>,
    /// `allowedNamespaces`: none for its own only, `*` for all.
    pub allowed: Box<[Name]>,
    /// `vaultConnectionRef` as written.
    pub connection: Option<Name>,
    /// `vaultAuthGlobalRef` as `namespace/name`, namespace empty where none is named.
    pub global: Option<Name>,
}

/// VaultConnection.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct ConnectionSpec {
    /// `address`.
    pub address: Name,
    /// `skipTLSVerify`.
    pub skip_tls: bool,
    /// `caCertSecretRef` or `caCertPath` is set.
    pub has_ca: bool,
}

/// A secret of the Vault Secrets Operator.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct OperatorSpec {
    /// `vaultAuthRef` as `name` or `namespace/name`; empty for the operator's default.
    pub auth: Name,
    /// `mount`.
    pub mount: Name,
    /// `path`; for VaultPKISecret `issue/<role>`.
    pub path: Name,
    /// Version of the key-value engine, for VaultStaticSecret.
    pub version: Option<u8>,
    /// `namespace`: Vault's, empty for none.
    pub vault_namespace: Name,
    /// `destination.name`.
    pub target: Option<Name>,
    /// Further mounts and paths, of CSISecrets.
    pub also: Box<[(Name, Name)]>,
    /// A part of it can't be read: it may ask for anything.
    pub unreadable: bool,
}

/// SecretProviderClass of a Vault or OpenBao provider.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct ProviderClassSpec {
    /// `provider`.
    pub provider: Name,
    /// `roleName`.
    pub role: Option<Name>,
    /// `vaultAddress`; empty when unset.
    pub address: Name,
    /// `vaultAuthMountPath`, or the older `vaultKubernetesMountPath`; empty when unset.
    pub mount: Name,
    /// `vaultNamespace`; empty for none.
    pub vault_namespace: Name,
    /// `audience`.
    pub audience: Option<Name>,
    /// `vaultSkipTLSVerify`.
    pub skip_tls: bool,
    /// `objects`: path and method (empty for a read) of each.
    pub objects: Box<[(Name, Name)]>,
    /// `objects` can't be read: it may ask for anything.
    pub unreadable: bool,
}

/// The annotations of the agent injector on a pod or a template (`vault.hashicorp.com/…`, `openbao.openbao.org/…`).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct InjectorFact {
    /// `role`.
    pub role: Option<Name>,
    /// `auth-path`; empty when unset (`auth/kubernetes`).
    pub auth_path: Name,
    /// `namespace`: Vault's, empty for none.
    pub vault_namespace: Name,
    /// `service`: the server; empty when unset.
    pub service: Name,
    /// Paths of `agent-inject-secret-*` and of `secret "…"` in templates.
    pub paths: Box<[Name]>,
    /// `tls-skip-verify`.
    pub skip_tls: bool,
    /// A ConfigMap or a template that can't be followed, or the token itself is handed to the pod: it may ask for more than `paths`.
    pub opaque: bool,
}

/// How a container or pod takes a Kubernetes Secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretUse {
    /// Name of the Secret.
    pub secret: Name,
    /// Container; none for a volume, which any container may mount.
    pub container: Option<Name>,
    /// How.
    pub how: UseKind,
}

/// How a Secret is taken.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UseKind {
    /// `env[].valueFrom.secretKeyRef`: variable and key.
    Env {
        /// The variable.
        variable: Name,
        /// The key.
        key: Name,
    },
    /// `envFrom[].secretRef`.
    EnvFrom,
    /// A volume, with the keys it is narrowed to; empty for all.
    Volume {
        /// Keys and the file each becomes.
        items: Box<[(Name, Name)]>,
    },
    /// A volume of the Secrets Store CSI driver: what is named is no Secret but a SecretProviderClass.
    ProviderClass,
}

/// A Kubernetes Secret by its metadata alone. Only asked for where that is allowed explicitly, and only of the two types below.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretMetaFact {
    /// Identity.
    pub meta: Meta,
    /// [`Kind::TokenSecret`] or [`Kind::TlsSecret`].
    pub kind: Kind,
    /// `kubernetes.io/service-account.name` of a token.
    pub account: Option<Name>,
    /// Label `kubernetes.io/legacy-token-last-used`, as written.
    pub last_used: Option<Name>,
}
