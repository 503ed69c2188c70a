//! Grants as one writes them in a line of a scenario table.

use partywall::model::changes::Fact;
use partywall::model::ids::Name;
use partywall::model::kind::Kind;
use partywall::model::rbac::{BindingFact, RbacSubject, RoleFact, RoleRule};
use serde::Deserialize;

use crate::facts::*;

/// A role with one rule, and the binding that gives it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GrantLine {
    /// `account NS/NAME`, `account NAME` (no namespace), `user NAME`, `group NAME`.
    to: String,
    /// Separated by blanks.
    verbs: String,
    /// `GROUP/RESOURCE`; empty group for the core.
    on: String,
    #[serde(default)]
    named: Vec<String>,
    /// ClusterRoleBinding of a ClusterRole.
    #[serde(default)]
    cluster: bool,
    /// The namespace of the RoleBinding, if it is not acme's.
    within: Option<String>,
    /// Only the binding, to a ClusterRole of this name.
    role: Option<String>,
    #[serde(default)]
    unreadable: bool,
}

impl GrantLine {
    pub fn facts(&self, own: &str) -> Vec<Fact> {
        let namespace = if self.cluster { "" } else { self.within.as_deref().unwrap_or(own) };
        let names = |text: &str| text.split(' ').map(Name::from).collect::<Box<[Name]>>();
        let (group, resource) = self.on.split_once('/').unwrap();
        let rule = RoleRule {
            verbs: names(&self.verbs),
            groups: names(group),
            resources: names(resource),
            names: self.named.iter().map(|name| Name::from(name.as_str())).collect(),
        };
        let kind = if self.cluster { Kind::ClusterRole } else { Kind::Role };
        let role = RoleFact { meta: meta(namespace, "writer"), kind, rules: [rule].into(), aggregated: false, unreadable: self.unreadable };
        let subject = match self.to.split_once(' ').unwrap() {
            ("account", whole) => {
                let (namespace, name) = whole.split_once('/').unwrap_or(("", whole));
                RbacSubject::Account { namespace: namespace.into(), name: name.into() }
            }
            ("user", name) => RbacSubject::User(name.into()),
            ("group", name) => RbacSubject::Group(name.into()),
            other => panic!("no subject {other:?}"),
        };
        let binding = BindingFact {
            meta: meta(namespace, "writers"),
            kind: if self.cluster { Kind::ClusterRoleBinding } else { Kind::RoleBinding },
            role_kind: Some(if self.role.is_some() { Kind::ClusterRole } else { kind }),
            role: self.role.as_deref().unwrap_or("writer").into(),
            subjects: [subject].into(),
            unreadable: false,
        };
        let role = self.role.is_none().then_some(Fact::Role(role));
        role.into_iter().chain([Fact::Binding(binding)]).collect()
    }
}
