//! Which ServiceAccounts a role of the Kubernetes auth method admits, and whom Vault takes them for (`spec/vault.md` 1.7, 1.8).

mod selector;

use std::collections::{BTreeMap, BTreeSet};

use super::template::{AliasValues, EntityValues, GroupValues, Identity};
use crate::model::ids::Name;
use crate::model::labels::{LabelSelector, LabelSet};
use crate::model::vault::{EntityFact, GroupFact, VaultFacts, VaultRole};

/// The conditions of a role, its selector read once.
#[derive(Clone, Debug)]
pub struct Binding<'a> {
    role: &'a VaultRole,
    selector: Selector,
}

#[derive(Clone, Debug)]
enum Selector {
    Unset,
    Unread,
    Labels(LabelSelector),
}

impl<'a> Binding<'a> {
    /// Of a role. O(length of the selector).
    pub fn of(role: &'a VaultRole) -> Self {
        let selector = match selector::read(&role.namespace_selector) {
            _ if role.namespace_selector.is_empty() => Selector::Unset,
            Some(labels) => Selector::Labels(labels),
            None => Selector::Unread,
        };
        Self { role, selector }
    }

    /// Whether some ServiceAccount of a namespace is admitted: by the list or by the selector, either is enough. None where the selector
    /// decides and can't be read, or the labels are not seen. O(patterns × length).
    pub fn admits_namespace(&self, namespace: &str, labels: Option<&LabelSet>) -> Option<bool> {
        if self.role.namespaces.iter().any(|pattern| glob(pattern, namespace)) {
            return Some(true);
        }
        match &self.selector {
            Selector::Unset => Some(false),
            Selector::Unread => None,
            Selector::Labels(selector) if selector.is_everything() => Some(true),
            Selector::Labels(selector) => selector.matches(labels?),
        }
    }

    /// Whether ServiceAccounts of this name are admitted, wherever they are. O(patterns × length).
    pub fn admits_account(&self, account: &str) -> bool {
        self.role.service_accounts.iter().any(|pattern| glob(pattern, account))
    }

    /// Whether a ServiceAccount is admitted. A name that is not admitted settles it.
    pub fn admits(&self, namespace: &str, labels: Option<&LabelSet>, account: &str) -> Option<bool> {
        if self.admits_account(account) { self.admits_namespace(namespace, labels) } else { Some(false) }
    }

    /// Whether only this list and no pattern or selector says which namespaces are admitted.
    pub fn is_literal(&self) -> bool {
        matches!(self.selector, Selector::Unset) && !self.role.namespaces.iter().any(|pattern| pattern.contains('*'))
    }

    /// Names and patterns of the role that a ServiceAccount could be given: what whoever may create one can log in with.
    pub fn possible_accounts(&self) -> impl Iterator<Item = &'a Name> {
        self.role.service_accounts.iter().filter(|pattern| is_possible(pattern))
    }
}

/// Whether a role admits a ServiceAccount: see [`Binding::admits`].
pub fn admits(role: &VaultRole, namespace: &str, labels: Option<&LabelSet>, account: &str) -> Option<bool> {
    Binding::of(role).admits(namespace, labels, account)
}

/// Whether a role admits some ServiceAccount of a namespace: see [`Binding::admits_namespace`].
pub fn admits_namespace(role: &VaultRole, namespace: &str, labels: Option<&LabelSet>) -> Option<bool> {
    Binding::of(role).admits_namespace(namespace, labels)
}

/// Whether a role admits ServiceAccounts of this name: see [`Binding::admits_account`].
pub fn admits_account(role: &VaultRole, account: &str) -> bool {
    role.service_accounts.iter().any(|pattern| glob(pattern, account))
}

/// Whether the server lets anybody log in with a role: auth methods may not make root tokens.
pub fn may_log_in(role: &VaultRole) -> bool {
    !role.policies.iter().any(|policy| policy.trim().eq_ignore_ascii_case("root"))
}

/// Whether the API server would take a ServiceAccount of such a name, a `*` standing for any text.
fn is_possible(pattern: &str) -> bool {
    let within = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.' | '*');
    let edge = |c: Option<char>| c.is_some_and(|c| !matches!(c, '-' | '.'));
    pattern.len() <= 253 && pattern.chars().all(within) && edge(pattern.chars().next()) && edge(pattern.chars().last())
}

/// The server's glob: `*` stands for any text; everything else for itself. O(length of both).
pub fn glob(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// What the auth method calls a ServiceAccount: its UID, or namespace and name. None where that is the UID and it is not known.
pub fn alias_name(role: &VaultRole, namespace: &str, account: &str, uid: Option<&str>) -> Option<Name> {
    if role.alias_by_name { Some(format!("{namespace}/{account}").into()) } else { uid.filter(|uid| !uid.is_empty()).map(Into::into) }
}

/// The alias of a login with a token that was asked for, as ours and those of pods are: of no Secret. `annotated` says that the auth mount takes
/// further metadata from the ServiceAccount's annotations. The id is not known before the login.
pub fn alias(role: &VaultRole, namespace: &str, account: &str, uid: Option<&str>, annotated: bool) -> AliasValues {
    let uid = uid.filter(|uid| !uid.is_empty());
    let known = [
        ("service_account_name", Some(account)),
        ("service_account_namespace", Some(namespace)),
        ("service_account_secret_name", Some("")),
        ("service_account_uid", uid),
    ];
    AliasValues {
        id: Name::from(""),
        name: alias_name(role, namespace, account, uid).unwrap_or_else(|| "".into()),
        metadata: known.iter().filter_map(|(key, value)| Some(((*key).into(), (*value)?.into()))).collect(),
        custom: BTreeMap::new(),
        annotated,
        unseen: known.iter().filter(|(_, value)| value.is_none()).map(|(key, _)| Name::from(*key)).collect(),
    }
}

/// The entity that a login is of: the one with an alias of this name on this mount. O(entities × aliases): make an index for more than a few.
pub fn entity_of<'a>(vault: &'a VaultFacts, accessor: &str, alias: &str) -> Option<(&'a Name, &'a EntityFact)> {
    vault.entities.items.iter().find(|(_, entity)| entity.aliases.iter().any(|one| &*one.accessor == accessor && &*one.name == alias))
}

/// The groups of an entity, those above them included. O(groups × log groups).
pub fn groups_of<'a>(vault: &'a VaultFacts, id: &str, entity: &EntityFact) -> BTreeMap<&'a Name, &'a GroupFact> {
    let listed: BTreeSet<&str> = entity.groups.iter().map(AsRef::as_ref).collect();
    let is_member =
        |(group, fact): &(&'a Name, &'a GroupFact)| listed.contains(group.as_ref()) || fact.entities.iter().any(|member| &**member == id);
    let mut found: BTreeMap<&Name, &GroupFact> = BTreeMap::new();
    let mut left: Vec<(&Name, &GroupFact)> = vault.groups.items.iter().filter(is_member).collect();
    while let Some((group, fact)) = left.pop() {
        if found.insert(group, fact).is_none() {
            left.extend(fact.parents.iter().filter_map(|parent| vault.groups.items.get_key_value(parent)));
        }
    }
    found
}

/// Who a login is, for templates. The alias is the login's own, whatever an earlier login left in the entity. Without an entity it is one that the
/// login makes, if the identity store was `seen`; otherwise nothing is known of it.
pub fn identity(
    accessor: &Name,
    mut alias: AliasValues,
    entity: Option<(&Name, &EntityFact)>,
    groups: &BTreeMap<&Name, &GroupFact>,
    seen: bool,
) -> Identity {
    let mut aliases = BTreeMap::new();
    let mut values = seen.then(EntityValues::default);
    if let Some((id, entity)) = entity {
        values = Some(EntityValues { id: id.clone(), name: entity.name.clone(), metadata: entity.metadata.clone() });
        for other in &entity.aliases {
            let kept = AliasValues {
                name: other.name.clone(),
                metadata: other.metadata.clone(),
                custom: other.custom.clone(),
                ..AliasValues::default()
            };
            if other.accessor == *accessor {
                alias.custom = kept.custom;
            } else {
                aliases.insert(other.accessor.clone(), kept);
            }
        }
    }
    aliases.insert(accessor.clone(), alias);
    let group =
        |(id, fact): (&&Name, &&GroupFact)| ((*id).clone(), GroupValues { name: fact.name.clone(), metadata: fact.metadata.clone() });
    Identity { entity: values, aliases, groups: groups.iter().map(group).collect() }
}

#[cfg(test)]
mod tests;
