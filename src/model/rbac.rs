//! rbac.authorization.k8s.io/v1 as facts: of a role what it lets do to the network wall and the secret wall, of a binding whom it serves.
//!
//! A role is reduced while it is read: verbs and resources that no wall rests on leave no trace. What stays answers exactly as the whole role
//! would for every verb and resource that [`concerns`] a wall.

use super::ids::Name;
use super::kind::Kind;
use super::meta::Meta;

/// The kinds whose objects decide about connections: who writes them moves the network wall.
pub const GUARDED: [Kind; 13] = [
    Kind::NetworkPolicy,
    Kind::AdminNetworkPolicy,
    Kind::BaselineAdminNetworkPolicy,
    Kind::ClusterNetworkPolicy,
    Kind::CiliumNetworkPolicy,
    Kind::CiliumClusterwideNetworkPolicy,
    Kind::CiliumCIDRGroup,
    Kind::CalicoNetworkPolicy,
    Kind::CalicoGlobalNetworkPolicy,
    Kind::AntreaNetworkPolicy,
    Kind::AntreaClusterNetworkPolicy,
    Kind::EgressFirewall,
    Kind::AuthorizationPolicy,
];

/// The kinds whose objects decide who asks Vault for what: who writes them moves the secret wall.
pub const ASKERS: [Kind; 14] = [
    Kind::SecretStore,
    Kind::ClusterSecretStore,
    Kind::ExternalSecret,
    Kind::ClusterExternalSecret,
    Kind::PushSecret,
    Kind::VaultGenerator,
    Kind::VaultConnection,
    Kind::VaultAuth,
    Kind::VaultAuthGlobal,
    Kind::VaultStaticSecret,
    Kind::VaultDynamicSecret,
    Kind::VaultPKISecret,
    Kind::CSISecrets,
    Kind::SecretProviderClass,
];

/// The group of roles and bindings.
pub const GROUP: &str = "rbac.authorization.k8s.io";
/// Verbs that change an object.
pub const WRITES: [&str; 5] = ["create", "update", "patch", "delete", "deletecollection"];
/// Verbs that show an object: asked of [`SECRETS`] only.
pub const READS: [&str; 3] = ["get", "list", "watch"];
/// Secrets, in the core group.
pub const SECRETS: &str = "secrets";
/// ServiceAccounts, in the core group: who makes one may log in as it.
pub const ACCOUNTS: &str = "serviceaccounts";
/// Tokens of ServiceAccounts, in the core group: who creates one may log in as its account. The only subresource that is kept.
pub const TOKENS: &str = "serviceaccounts/token";
/// Verbs that lift whoever has them: to give more than one has, to bind roles one has not, to act as somebody else.
pub const LIFTS: [&str; 3] = ["escalate", "bind", "impersonate"];
/// What may be given or bound beyond one's own rights.
pub const ROLES: [&str; 2] = ["roles", "clusterroles"];
/// Whom one may act as, in the core group.
pub const PERSONS: [&str; 3] = ["users", "groups", "serviceaccounts"];

/// One rule of a role: any of the verbs on any of the resources of any of the groups. `*` is any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleRule {
    /// Of [`READS`], [`WRITES`] and [`LIFTS`], or `*`.
    pub verbs: Box<[Name]>,
    /// API groups; empty text for the core.
    pub groups: Box<[Name]>,
    /// Plural names without subresource, [`TOKENS`], or `*`.
    pub resources: Box<[Name]>,
    /// Only objects of these names; empty for all.
    pub names: Box<[Name]>,
}

/// A Role or ClusterRole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleFact {
    /// Identity.
    pub meta: Meta,
    /// Which of the two.
    pub kind: Kind,
    /// Its rules as far as they matter here. Those of an aggregated ClusterRole are filled in by a controller of the cluster.
    pub rules: Box<[RoleRule]>,
    /// Made up of other ClusterRoles.
    pub aggregated: bool,
    /// A part of its rules can't be read: it may allow anything.
    pub unreadable: bool,
}

/// Whom a binding serves.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RbacSubject {
    /// A ServiceAccount; without a namespace it is of the binding's own, and nobody in a ClusterRoleBinding.
    Account {
        /// Namespace, empty where none is named.
        namespace: Name,
        /// Name.
        name: Name,
    },
    /// A user, by name; `system:serviceaccount:NAMESPACE:NAME` is a ServiceAccount.
    User(Name),
    /// A group.
    Group(Name),
}

/// A RoleBinding or ClusterRoleBinding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BindingFact {
    /// Identity.
    pub meta: Meta,
    /// Which of the two.
    pub kind: Kind,
    /// Kind of the role: [`Kind::Role`] or [`Kind::ClusterRole`]; none where the reference can't be resolved, so that nothing is granted.
    pub role_kind: Option<Kind>,
    /// Name of the role.
    pub role: Name,
    /// Whom it serves.
    pub subjects: Box<[RbacSubject]>,
    /// Its role or a subject can't be read: it may serve anybody.
    pub unreadable: bool,
}

/// Whether a wall may rest on who has a verb on a resource; `*` is any.
pub fn concerns(verb: &str, resource: &str) -> bool {
    let one_of = |kinds: &[Kind]| kinds.iter().filter_map(|kind| kind.info()).any(|info| info.plural == resource);
    let written = || {
        [SECRETS, TOKENS].contains(&resource)
            || ROLES.contains(&resource)
            || PERSONS.contains(&resource)
            || one_of(&GUARDED)
            || one_of(&ASKERS)
    };
    let lifted = |from: &[&str]| resource == "*" || from.contains(&resource);
    match verb {
        "*" => resource == "*" || written(),
        "impersonate" => lifted(&PERSONS),
        lift if LIFTS.contains(&lift) => lifted(&ROLES),
        read if READS.contains(&read) => resource == "*" || resource == SECRETS,
        write => WRITES.contains(&write) && (resource == "*" || written()),
    }
}

/// Whether a wall may rest on objects of an API group; `*` is any.
pub fn concerns_group(group: &str) -> bool {
    let of = |info: &super::kind::KindInfo| info.group == group || info.other_group == Some(group);
    ["*", "", GROUP].contains(&group) || GUARDED.iter().chain(&ASKERS).filter_map(|kind| kind.info()).any(of)
}
