//! What is known of a Vault or OpenBao server. No secret value, no token.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::ids::{Name, ObjectRef, fold_bytes};
use super::kind::Kind;
use super::source::SourceState;
use super::time::Time;

/// Facts about the Vault server. Every part has a state of its own, because each is guarded by its own policy line.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct VaultFacts {
    /// Whether a server is configured at all.
    pub configured: bool,
    /// Address for display: scheme, host, port.
    pub address: Name,
    /// Vault namespace header in use; empty for none.
    pub namespace: Name,
    /// `sys/health` and `sys/seal-status`.
    pub server: VaultServer,
    /// State of our own token: `auth/token/lookup-self`.
    pub token: SourceState,
    /// `sys/auth`.
    pub auth_mounts: Part<Name, AuthMount>,
    /// Roles of every Kubernetes auth mount, by mount path without slashes.
    pub kubernetes: BTreeMap<Name, Part<Name, VaultRole>>,
    /// `auth/<mount>/config` of every Kubernetes auth mount, by mount path.
    pub kubernetes_config: Part<Name, KubernetesConfig>,
    /// ACL policies by name.
    pub policies: Part<Name, VaultPolicy>,
    /// `sys/mounts`.
    pub secret_mounts: Part<Name, SecretMount>,
    /// `identity/entity/id`, by entity id: those with an alias on a Kubernetes auth mount.
    pub entities: Part<Name, EntityFact>,
    /// `identity/group/id`, by group id.
    pub groups: Part<Name, GroupFact>,
    /// `sys/namespaces`: names of child namespaces; [`SourceState::Absent`] where the server has none.
    pub namespaces: Part<Name, ()>,
    /// How many entities never logged in through a Kubernetes auth mount: they are counted, not read.
    pub entities_elsewhere: u32,
    /// Where a server has so many roles, policies or entities that a reading takes only some of each: no item of a live part was read longer
    /// ago than so many seconds. 0 when every reading takes all of them.
    pub item_age: u32,
}

/// A readable collection with the state of its reading. A denied item is in `unreadable`, with the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part<K: Ord, V> {
    /// Whether it could be read.
    pub state: SourceState,
    /// What was read last; kept while stale.
    pub items: Arc<BTreeMap<K, V>>,
    /// Items that are listed but could not be read, with the reason.
    pub unreadable: Arc<BTreeMap<K, Name>>,
}

impl<K: Ord, V> Default for Part<K, V> {
    fn default() -> Self {
        Self { state: SourceState::default(), items: Arc::default(), unreadable: Arc::default() }
    }
}

/// The server itself.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct VaultServer {
    /// Reachable or not.
    pub state: SourceState,
    /// Whose software it is.
    pub flavour: Flavour,
    /// `version`.
    pub version: Name,
    /// `cluster_id`, if told.
    pub cluster_id: Option<Name>,
    /// Initialised.
    pub initialized: bool,
    /// Sealed.
    pub sealed: bool,
    /// A standby of any kind: answers, but may be behind.
    pub standby: bool,
}

/// Whose software answers. The ACL dialects differ (`spec/vault.md` 1.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Flavour {
    /// HashiCorp Vault.
    Vault,
    /// OpenBao.
    OpenBao,
    /// Not told.
    #[default]
    Unknown,
}

/// A row of `sys/auth`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthMount {
    /// `type`.
    pub kind: Name,
    /// `accessor`.
    pub accessor: Name,
    /// `config.default_lease_ttl` in seconds; 0 when the system's applies.
    pub default_ttl: u64,
    /// `config.max_lease_ttl` in seconds; 0 when the system's applies.
    pub max_ttl: u64,
}

/// `config` of a Kubernetes auth mount. What is set is told, never what it is set to, where that is a credential.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct KubernetesConfig {
    /// `kubernetes_host`, cleaned of nothing: hostile text.
    pub host: Name,
    /// `kubernetes_ca_cert` is set.
    pub has_ca: bool,
    /// `token_reviewer_jwt_set`: a long-lived reviewer token is stored.
    pub reviewer_set: bool,
    /// `disable_local_ca_jwt`.
    pub disable_local_ca_jwt: bool,
    /// `disable_iss_validation`.
    pub disable_iss_validation: bool,
    /// `issuer`; empty when unset.
    pub issuer: Name,
    /// Vault's `use_annotations_as_alias_metadata`.
    pub annotations_as_metadata: bool,
}

/// An entity of the identity store.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct EntityFact {
    /// `name`.
    pub name: Name,
    /// `policies`.
    pub policies: Box<[Name]>,
    /// `metadata`.
    pub metadata: BTreeMap<Name, Name>,
    /// `disabled`.
    pub disabled: bool,
    /// `aliases`.
    pub aliases: Box<[AliasFact]>,
    /// `group_ids`: direct and inherited.
    pub groups: Box<[Name]>,
}

/// An alias of an entity: one login of it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct AliasFact {
    /// `name`: what the auth mount calls who logged in.
    pub name: Name,
    /// `mount_accessor`.
    pub accessor: Name,
    /// `metadata`.
    pub metadata: BTreeMap<Name, Name>,
    /// `custom_metadata`.
    pub custom: BTreeMap<Name, Name>,
}

/// A group of the identity store.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct GroupFact {
    /// `name`.
    pub name: Name,
    /// `policies`.
    pub policies: Box<[Name]>,
    /// `metadata`.
    pub metadata: BTreeMap<Name, Name>,
    /// `member_entity_ids`.
    pub entities: Box<[Name]>,
    /// `parent_group_ids`.
    pub parents: Box<[Name]>,
    /// `type` is `external`: membership follows the auth method's own groups.
    pub external: bool,
}

/// A row of `sys/mounts`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretMount {
    /// `type`.
    pub kind: Name,
    /// `options.version` of a kv mount.
    pub version: Option<u8>,
    /// `uuid` or accessor: tells a mount made again from its predecessor.
    pub accessor: Name,
}

/// A role of a Kubernetes auth mount.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct VaultRole {
    /// `bound_service_account_names`: literals, globs or `*`.
    pub service_accounts: Box<[Name]>,
    /// `bound_service_account_namespaces`.
    pub namespaces: Box<[Name]>,
    /// `bound_service_account_namespace_selector`, ORed with the list; empty when unset.
    pub namespace_selector: Name,
    /// `audience`; none when unset.
    pub audience: Option<Name>,
    /// `token_policies` (or the old `policies`).
    pub policies: Box<[Name]>,
    /// `token_ttl` in seconds; 0 when unset.
    pub ttl: u64,
    /// `token_num_uses`; 0 for no limit.
    pub uses: u64,
    /// `token_max_ttl` in seconds; 0 when unset.
    pub max_ttl: u64,
    /// `token_period` in seconds; 0 when unset.
    pub period: u64,
    /// `token_type`: `default`, `service`, `batch`; empty when not told.
    pub token_type: Name,
    /// `token_no_default_policy`.
    pub no_default: bool,
    /// `alias_name_source` is `serviceaccount_name` and not the uid.
    pub alias_by_name: bool,
    /// `token_bound_cidrs` is set.
    pub bound_cidrs: bool,
}

/// An ACL policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaultPolicy {
    /// The policy as stored: HCL or JSON. Holds rules, never secrets.
    pub text: Arc<str>,
    /// A digest of the text and of what is said beside it.
    pub digest: u64,
    /// What is said beside the text.
    pub flags: PolicyFlags,
}

/// What OpenBao says of a policy beside its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct PolicyFlags {
    /// `allow_slashes_in_identity_templates`.
    pub slashes: bool,
    /// `allow_wildcards_in_identity_templates`.
    pub wildcards: bool,
    /// `expiration`: the whole policy ends then.
    pub expires: Option<Time>,
}

impl VaultPolicy {
    /// A policy from its text. O(length).
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        let text = text.into();
        let digest = fold_bytes(7, text.as_bytes()) as u64;
        Self { text, digest, flags: PolicyFlags::default() }
    }

    /// With what is said beside the text.
    #[must_use]
    pub fn with(mut self, flags: PolicyFlags) -> Self {
        let hash = fold_bytes(u128::from(self.digest), &[u8::from(flags.slashes), u8::from(flags.wildcards)]);
        let end = flags.expires.map_or(0, |time| time.0);
        self.digest = fold_bytes(hash, &end.to_le_bytes()) as u64;
        self.flags = flags;
        self
    }
}

impl VaultRole {
    /// A digest of everything a binding says.
    pub fn digest(&self) -> u64 {
        let mut hash = 11_u128;
        let lists = [&self.service_accounts, &self.namespaces, &self.policies];
        for list in lists {
            for item in list {
                hash = fold_bytes(hash, item.as_bytes());
                hash = fold_bytes(hash, &[0]);
            }
            hash = fold_bytes(hash, &[1]);
        }
        hash = fold_bytes(hash, self.namespace_selector.as_bytes());
        hash = fold_bytes(hash, &[2]);
        hash = fold_bytes(hash, self.audience.as_deref().unwrap_or("\u{1}").as_bytes());
        hash = fold_bytes(hash, &self.ttl.to_le_bytes());
        for number in [self.uses, self.max_ttl, self.period] {
            hash = fold_bytes(hash, &number.to_le_bytes());
        }
        hash = fold_bytes(hash, self.token_type.as_bytes());
        fold_bytes(hash, &[u8::from(self.bound_cidrs), u8::from(self.no_default), u8::from(self.alias_by_name)]) as u64
    }
}

/// The reference to a Vault role.
pub fn role_ref(mount: &str, role: &str) -> ObjectRef {
    ObjectRef::new(Kind::VaultRole, mount, role)
}

/// The reference to a Vault policy.
pub fn policy_ref(name: &str) -> ObjectRef {
    ObjectRef::new(Kind::VaultPolicy, "", name)
}
