//! rbac.authorization.k8s.io/v1 as facts: of a role what it lets do to network policies, of a binding whom it serves.
//!
//! A role is reduced while it is read: reading, and resources that no network wall rests on, leave no trace. What stays answers for the
//! kinds of [`GUARDED`] and the ways around them exactly as the whole role would.

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

/// The group of roles and bindings.
pub const GROUP: &str = "rbac.authorization.k8s.io";
/// Verbs that change an object.
pub const WRITES: [&str; 5] = ["create", "update", "patch", "delete", "deletecollection"];
/// Verbs that lift whoever has them: to give more than one has, to bind roles one has not, to act as somebody else.
pub const LIFTS: [&str; 3] = ["escalate", "bind", "impersonate"];
/// What may be given or bound beyond one's own rights.
pub const ROLES: [&str; 2] = ["roles", "clusterroles"];
/// Whom one may act as, in the core group.
pub const PERSONS: [&str; 3] = ["users", "groups", "serviceaccounts"];

/// One rule of a role: any of the verbs on any of the resources of any of the groups. `*` is any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleRule {
    /// Of [`WRITES`] and [`LIFTS`], or `*`.
    pub verbs: Box<[Name]>,
    /// API groups; empty text for the core.
    pub groups: Box<[Name]>,
    /// Plural names without subresource, or `*`.
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

/// Whether anything of a rule may bear on the network wall: a resource, with its subresource if it has one.
pub fn matters(resource: &str) -> bool {
    let guarded = || GUARDED.iter().filter_map(|kind| kind.info()).any(|info| info.plural == resource);
    resource == "*" || ROLES.contains(&resource) || PERSONS.contains(&resource) || guarded()
}

/// Whether objects of an API group, or of any, may bear on the network wall.
pub fn matters_group(group: &str) -> bool {
    let guarded = || GUARDED.iter().filter_map(|kind| kind.info()).any(|info| info.group == group || info.other_group == Some(group));
    ["*", "", GROUP].contains(&group) || guarded()
}
