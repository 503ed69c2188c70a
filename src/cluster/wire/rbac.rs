//! rbac.authorization.k8s.io/v1: Role, ClusterRole, RoleBinding and ClusterRoleBinding.

use serde::Deserialize;

use super::lean::{Field, Many, NonEmpty, Str, objects};
use super::meta::MetaWire;

/// A Role or ClusterRole.
#[derive(Deserialize, Default, Debug)]
#[serde(default, rename_all = "camelCase")]
pub struct RoleWire<'a> {
    /// `metadata`.
    #[serde(borrow)]
    pub metadata: Field<MetaWire<'a>>,
    /// `rules`.
    #[serde(borrow)]
    pub rules: Field<Many<RuleWire<'a>>>,
    /// `aggregationRule`, of ClusterRoles.
    pub aggregation_rule: Field<NonEmpty>,
}

/// One rule. URLs that are no resources are not read.
#[derive(Deserialize, Default, Debug)]
#[serde(default, rename_all = "camelCase")]
pub struct RuleWire<'a> {
    /// `verbs`.
    #[serde(borrow)]
    pub verbs: Field<Many<Str<'a>>>,
    /// `apiGroups`.
    #[serde(borrow)]
    pub api_groups: Field<Many<Str<'a>>>,
    /// `resources`.
    #[serde(borrow)]
    pub resources: Field<Many<Str<'a>>>,
    /// `resourceNames`.
    #[serde(borrow)]
    pub resource_names: Field<Many<Str<'a>>>,
}

/// A RoleBinding or ClusterRoleBinding.
#[derive(Deserialize, Default, Debug)]
#[serde(default, rename_all = "camelCase")]
pub struct BindingWire<'a> {
    /// `metadata`.
    #[serde(borrow)]
    pub metadata: Field<MetaWire<'a>>,
    /// `roleRef`.
    #[serde(borrow)]
    pub role_ref: Field<RefWire<'a>>,
    /// `subjects`.
    #[serde(borrow)]
    pub subjects: Field<Many<RefWire<'a>>>,
}

/// What names a role, or a subject.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct RefWire<'a> {
    /// `kind`.
    #[serde(borrow)]
    pub kind: Field<Str<'a>>,
    /// `namespace`, of ServiceAccounts.
    #[serde(borrow)]
    pub namespace: Field<Str<'a>>,
    /// `name`.
    #[serde(borrow)]
    pub name: Field<Str<'a>>,
}

objects! { borrowed: RoleWire, RuleWire, BindingWire, RefWire; owned: }
