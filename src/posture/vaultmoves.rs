//! What of Vault changed between two polls, and which tenants that concerns beyond those whose reach came out differently.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::commons::Concerned;
use crate::model::ids::{Name, ObjectRef, TenantId};
use crate::model::snapshot::{How, Moved, Snapshot};
use crate::model::tenant::Tenants;
use crate::model::vault::{Part, VaultFacts, VaultRole, policy_ref, role_ref};
use crate::vaultacl::binding::Binding;
use crate::vaultacl::reach::Picture;

/// The policy that every token carries.
const DEFAULT: &str = "default";

/// At most so many objects are told.
const TOLD: usize = 64;

/// What changed.
#[derive(Debug, Default)]
pub(super) struct VaultMoved {
    /// The server, its mounts, or how well we see any part: everybody may rest on it.
    pub frame: bool,
    /// Some role appeared, changed or went.
    pub roles: bool,
    /// Identities changed: what a receipt was made with may have.
    pub identities: bool,
    /// Roles and policies that moved, for "which change did it"; at most [`TOLD`].
    pub log: Vec<Moved>,
    /// Tenants that changed roles admit, or that go through changed policies or name changed roles in their stores.
    pub tenants: BTreeSet<TenantId>,
}

impl VaultMoved {
    fn told(&mut self, object: ObjectRef, was: bool, is: bool) {
        let how = match (was, is) {
            (false, _) => How::Added,
            (true, true) => How::Changed,
            (true, false) => How::Deleted,
        };
        if self.log.len() < TOLD {
            self.log.push(Moved { object, how, manager: None, at: None });
        }
    }
}

/// How well a part is seen, without what it holds.
fn same_sight<K: Ord, V>(a: &Part<K, V>, b: &Part<K, V>) -> bool {
    a.state == b.state && (Arc::ptr_eq(&a.unreadable, &b.unreadable) || a.unreadable == b.unreadable)
}

fn same_frame(a: &VaultFacts, b: &VaultFacts) -> bool {
    (a.configured, &a.address, &a.namespace, &a.server, &a.token) == (b.configured, &b.address, &b.namespace, &b.server, &b.token)
        && a.auth_mounts == b.auth_mounts
        && a.kubernetes_config == b.kubernetes_config
        && a.secret_mounts == b.secret_mounts
        && a.namespaces == b.namespaces
        && same_sight(&a.policies, &b.policies)
        && same_sight(&a.entities, &b.entities)
        && same_sight(&a.groups, &b.groups)
        && a.kubernetes.len() == b.kubernetes.len()
        && a.kubernetes.iter().all(|(mount, part)| b.kubernetes.get(mount).is_some_and(|other| same_sight(part, other)))
}

/// Keys of what appeared, changed or went. O(items), nothing where the map is the same one.
fn differing<'a, V: PartialEq>(
    a: &'a Arc<BTreeMap<Name, V>>,
    b: &'a Arc<BTreeMap<Name, V>>,
) -> Vec<(&'a Name, Option<&'a V>, Option<&'a V>)> {
    if Arc::ptr_eq(a, b) {
        return Vec::new();
    }
    let gone = a.iter().filter(|(name, _)| !b.contains_key(*name)).map(|(name, old)| (name, Some(old), None));
    let rest = b.iter().map(|(name, new)| (name, a.get(name), Some(new))).filter(|(_, old, new)| old != new);
    gone.chain(rest).collect()
}

/// What changed from `before` to the snapshot's Vault. O(roles + policies) where a part is another one, with the namespaces for each changed role
/// that admits by pattern.
pub(super) fn moved(before: &VaultFacts, snapshot: &Snapshot, tenants: &Tenants) -> VaultMoved {
    let now = &snapshot.vault;
    let mut moved = VaultMoved { frame: !same_frame(before, now), ..VaultMoved::default() };
    if moved.frame {
        return moved;
    }
    let mut listed: BTreeSet<&Name> = BTreeSet::new();
    for (mount, part) in &now.kubernetes {
        let Some(old) = before.kubernetes.get(mount) else { continue };
        for (name, was, is) in differing(&old.items, &part.items) {
            moved.roles = true;
            if was.is_none() || is.is_none() {
                listed.insert(name);
            }
            moved.told(role_ref(mount, name), was.is_some(), is.is_some());
            for role in [was, is].into_iter().flatten() {
                admitted(role, snapshot, tenants, &mut moved.tenants);
            }
        }
    }
    if !listed.is_empty() {
        moved.tenants.extend(naming(&listed, snapshot, tenants));
    }
    let policies = differing(&before.policies.items, &now.policies.items);
    for (name, was, is) in &policies {
        moved.told(policy_ref(name), was.is_some(), is.is_some());
    }
    let policies: BTreeSet<&Name> = policies.into_iter().map(|(name, ..)| name).collect();
    carrying(&policies, snapshot, tenants, &mut moved.tenants);
    moved.identities = !differing(&before.entities.items, &now.entities.items).is_empty()
        || !differing(&before.groups.items, &now.groups.items).is_empty();
    moved
}

/// Tenants of whose namespaces a role admits ServiceAccounts.
fn admitted(role: &VaultRole, snapshot: &Snapshot, tenants: &Tenants, into: &mut BTreeSet<TenantId>) {
    let binding = Binding::of(role);
    if binding.is_literal() {
        into.extend(role.namespaces.iter().filter_map(|name| tenants.of.get(name)).cloned());
        return;
    }
    let labels = |name| snapshot.namespace(name).and_then(|facts| facts.own.as_ref()).map(|own| own.labels.as_ref());
    let found = tenants.of.iter().filter(|(name, _)| binding.admits_namespace(name, labels(name)) != Some(false));
    into.extend(found.map(|(_, tenant)| tenant).cloned());
}

/// Tenants whose SecretStores name a role of these: whether it is there is a matter of theirs.
fn naming<'a>(roles: &BTreeSet<&Name>, snapshot: &Snapshot, tenants: &'a Tenants) -> Vec<TenantId> {
    let names = |name: &Name| {
        let stores = snapshot.namespace(name).into_iter().flat_map(|facts| facts.secret_stores.values());
        stores.filter_map(|store| store.vault.as_ref()?.role.as_ref()).any(|role| roles.contains(role))
    };
    tenants.of.iter().filter(|(name, _)| names(name)).map(|(_, tenant): (_, &'a TenantId)| tenant.clone()).collect()
}

/// Tenants that roles admit which name one of these policies.
fn carrying(policies: &BTreeSet<&Name>, snapshot: &Snapshot, tenants: &Tenants, into: &mut BTreeSet<TenantId>) {
    if policies.is_empty() {
        return;
    }
    let named = |role: &VaultRole| role.policies.iter().any(|name| policies.iter().any(|policy| policy.eq_ignore_ascii_case(name)));
    let by_default = policies.iter().any(|policy| policy.as_ref() == DEFAULT);
    for role in snapshot.vault.kubernetes.values().flat_map(|part| part.items.values()) {
        if by_default || named(role) {
            admitted(role, snapshot, tenants, into);
        }
    }
}

/// Whom it concerns that policies turned bad or good: those that carry them, by whatever way.
pub(super) fn bad_policies(before: &Picture, after: &Picture, snapshot: &Snapshot, tenants: &Tenants, concerned: &mut Concerned) {
    if before.bad_policies == after.bad_policies {
        return;
    }
    let all = before.bad_policies.keys().chain(after.bad_policies.keys());
    let changed: BTreeSet<&Name> = all.filter(|name| before.bad_policies.get(*name) != after.bad_policies.get(*name)).collect();
    carrying(&changed, snapshot, tenants, &mut concerned.tenants);
    let carries = |reach: &crate::vaultacl::reach::TenantReach| {
        reach.logins.iter().flat_map(|login| &login.policies).any(|(name, _)| changed.contains(name))
    };
    concerned.tenants.extend(after.by_tenant.iter().filter(|(_, reach)| carries(reach)).map(|(tenant, _)| tenant.clone()));
}
