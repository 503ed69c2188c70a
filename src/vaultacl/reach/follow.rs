//! Follows snapshots: what changed decides what is worked out again, and everything else keeps its allocation.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::super::acl::Acl;
use super::super::dialect::Dialect;
use super::consumers::{self, Row};
use super::ground::Ground;
use super::logins::{Asker, Ground as Space, Roles, Ways};
use super::places::{self, Shared, Wishes};
use super::policies::{Acls, Policies};
use super::tenant::{Judged, Lists, opened, readable, tenant_reach};
use super::unseen;
use super::{Doubt, Options, Picture, Root, TenantReach, Touched};
use crate::model::ids::{Name, TenantId};
use crate::model::kind::Kind;
use crate::model::snapshot::{Dirty, NamespaceFacts, Snapshot};
use crate::model::source::Sight;
use crate::model::tenant::Tenants;
use crate::model::time::{MINUTE, Time};
use crate::model::vault::VaultFacts;

/// What consumers of a namespace ask for.
#[derive(Debug, Default, PartialEq)]
struct Asking {
    rows: Vec<Row>,
    rests_on: BTreeSet<Name>,
}

/// Everything that is remembered between two snapshots.
#[derive(Debug, Default)]
pub(super) struct Follow {
    looked: Option<Time>,
    dialect: Dialect,
    vault: Arc<VaultFacts>,
    tenants: Tenants,
    accounts_seen: bool,
    spaces: BTreeMap<Name, Space>,
    asking: BTreeMap<Name, Asking>,
    /// Namespaces of nobody's that offer ways to Vault.
    offering: BTreeSet<Name>,
    policies: Policies,
    roles: Roles,
    acls: Acls,
    doubts: BTreeSet<Doubt>,
    auth_mounts: Vec<Name>,
    /// Names that others' places bear.
    others: Vec<Name>,
    ways: BTreeMap<TenantId, Arc<Ways>>,
    /// Who names a policy.
    namers: BTreeMap<Name, BTreeSet<TenantId>>,
    firm: BTreeMap<TenantId, Vec<Root>>,
    /// Not every place could be named.
    crowded: bool,
    wishes: BTreeMap<TenantId, Wishes>,
    roots: BTreeMap<TenantId, Vec<Root>>,
    many: BTreeSet<TenantId>,
    ground: Ground,
    judged: FxHashMap<usize, (Arc<Acl>, Arc<Judged>)>,
    lists: Lists,
}

/// What has to be worked out again.
#[derive(Debug, Default)]
struct Stale {
    /// The roles, so everybody's logins.
    roles: bool,
    /// Logins of these.
    logins: BTreeSet<TenantId>,
    /// The firm places.
    firm: bool,
    /// What these ask for.
    wishes: BTreeSet<TenantId>,
    /// The answers of all, whatever they rest on.
    all: bool,
}

impl Follow {
    /// Follows a snapshot. See [`super::VaultReach::sync`].
    pub fn sync(&mut self, options: &Options, at: (&Snapshot, &Tenants, &Dirty, Time), picture: &mut Arc<Picture>) -> Touched {
        let (snapshot, tenants, dirty, now) = at;
        let dialect = options.dialect.or_else(|| Dialect::of(&snapshot.vault.server)).unwrap_or_default();
        let backwards = self.looked.is_some_and(|then| now < then);
        if self.looked.is_none() || dialect != self.dialect || backwards {
            *self = Self { dialect, policies: Policies::new(dialect), ..Self::default() };
        }
        let shared = Shared::new(&options.shared);
        let mut stale = Stale::default();
        let policies = self.follow_vault(snapshot, now, &mut stale);
        self.follow_cluster(snapshot, tenants, dirty, &mut stale);
        self.looked = Some(now);
        if stale.firm {
            (self.firm, self.crowded) = places::firm(options, &self.vault, &self.tenants, &shared);
            let parts = self.firm.values().flatten().filter_map(|root| root.path.split('/').next().filter(|part| !part.is_empty()));
            let names: BTreeSet<Name> = parts.map(Name::from).chain(self.tenants.namespaces.keys().cloned()).collect();
            let others: Vec<Name> = names.into_iter().collect();
            stale.roles |= others != self.others;
            self.others = others;
        }
        let changed = self.log_in(&stale, now);
        stale.wishes.extend(changed.iter().cloned());
        let moved = self.settle(&stale, &shared);
        let again: BTreeSet<TenantId> = if moved || stale.all { self.tenants.namespaces.keys().cloned().collect() } else { changed };
        let bad = policies || !again.is_empty();
        self.answer(&again, bad, (&shared, options, now), picture)
    }

    /// What changed of Vault. True where policies came, went or changed.
    fn follow_vault(&mut self, snapshot: &Snapshot, now: Time, stale: &mut Stale) -> bool {
        let vault = &snapshot.vault;
        let first = self.looked.is_none();
        let mut changed = BTreeSet::new();
        if first || !Arc::ptr_eq(vault, &self.vault) {
            let old = std::mem::replace(&mut self.vault, vault.clone());
            changed = self.policies.follow(&vault.policies);
            let same = |a: &VaultFacts, b: &VaultFacts| {
                a.kubernetes == b.kubernetes
                    && a.auth_mounts == b.auth_mounts
                    && a.kubernetes_config == b.kubernetes_config
                    && a.entities == b.entities
                    && a.groups == b.groups
            };
            stale.roles |= first || !same(&old, vault);
            stale.firm |= first || old.secret_mounts != vault.secret_mounts || old.namespace != vault.namespace;
            let doubts = unseen::doubts(vault);
            stale.all |= first || doubts != self.doubts || old.configured != vault.configured;
            self.doubts = doubts;
            if stale.firm {
                // where requests go is decided by the mounts
                self.asking.clear();
            }
        }
        if let Some(then) = self.looked {
            let ended = self.policies.ended(then, now);
            self.policies.renew(&ended);
            changed.extend(ended);
        }
        if stale.roles {
            self.roles = Roles::of(vault);
            self.auth_mounts = vault.auth_mounts.items.keys().chain(vault.kubernetes.keys()).cloned().collect();
            self.auth_mounts.sort();
            self.auth_mounts.dedup();
            self.judged.clear();
        }
        // a name without a policy stands for how policies are seen at all
        stale.roles |= changed.iter().any(|name| name.is_empty());
        let named = changed.iter().filter_map(|name| self.namers.get(name)).flatten();
        stale.logins.extend(named.cloned());
        !changed.is_empty()
    }

    /// What changed of the cluster.
    fn follow_cluster(&mut self, snapshot: &Snapshot, tenants: &Tenants, dirty: &Dirty, stale: &mut Stale) {
        let first = self.looked.is_none();
        let regrouped = first || *tenants != self.tenants;
        if regrouped {
            self.tenants = tenants.clone();
            self.namers.clear();
            self.ways.clear();
            self.wishes.clear();
            (stale.roles, stale.firm) = (true, true);
        }
        let seen = snapshot.sight(Kind::ServiceAccount) != Sight::Blind;
        let labels_seen = snapshot.sight(Kind::Namespace) != Sight::Blind;
        if first || seen != self.accounts_seen {
            self.accounts_seen = seen;
            stale.all = true;
        }
        let every = first || dirty.everything || self.spaces.is_empty();
        let namespaces: Vec<Name> = if every {
            snapshot.namespaces.keys().chain(self.spaces.keys()).cloned().collect::<BTreeSet<_>>().into_iter().collect()
        } else {
            dirty.namespaces.iter().cloned().collect()
        };
        for namespace in &namespaces {
            let whose = self.tenants.of.get(namespace).cloned();
            let space = snapshot.namespace(namespace).map(|facts| Space {
                labels: facts.own.as_ref().filter(|_| labels_seen).map(|own| own.labels.clone()),
                accounts: facts.service_accounts.iter().map(|(name, fact)| (name.clone(), fact.meta.uid)).collect(),
            });
            let before = self.spaces.get(namespace);
            if before == space.as_ref() {
                continue;
            }
            if before.map(|space| &space.labels) != space.as_ref().map(|space| &space.labels) {
                self.roles.forget(namespace);
            }
            match space {
                Some(space) => self.spaces.insert(namespace.clone(), space),
                None => self.spaces.remove(namespace),
            };
            stale.logins.extend(whose);
        }
        // namespaces may become tenants' because of another one
        self.ask(snapshot, &namespaces, every || regrouped || dirty.stores || stale.firm, stale);
    }

    /// What consumers of these namespaces, and of those that rest on them, ask for.
    fn ask(&mut self, snapshot: &Snapshot, namespaces: &[Name], every: bool, stale: &mut Stale) {
        let mut again: BTreeSet<Name> = namespaces.iter().cloned().collect();
        // a VaultAuth of the operator's own may be anybody's
        let ways_for_all = |name: &&Name| {
            let kinds = [Kind::VaultAuth, Kind::VaultAuthGlobal, Kind::VaultConnection];
            let has = |facts: &Arc<NamespaceFacts>| facts.consumers.keys().any(|(kind, _)| kinds.contains(kind));
            !self.tenants.of.contains_key(*name) && snapshot.namespace(name).is_some_and(has)
        };
        let offering: BTreeSet<Name> = namespaces.iter().filter(ways_for_all).cloned().collect();
        if every || !offering.is_empty() || namespaces.iter().any(|name| self.offering.contains(name)) {
            again.extend(self.tenants.of.keys().cloned());
            self.offering.retain(|name| !namespaces.contains(name));
            self.offering.extend(offering);
        }
        let resting = self.asking.iter().filter(|(_, asking)| asking.rests_on.iter().any(|on| again.contains(on)));
        let resting: Vec<Name> = resting.map(|(namespace, _)| namespace.clone()).collect();
        again.extend(resting);
        for namespace in again {
            let Some(tenant) = self.tenants.of.get(&namespace).cloned() else { continue };
            let rows = consumers::of_namespace(snapshot, &self.tenants, &namespace);
            let rests_on = rows.iter().flat_map(Row::rests_on).collect();
            let asking = Asking { rows, rests_on };
            if self.asking.get(&namespace) != Some(&asking) {
                self.asking.insert(namespace, asking);
                stale.wishes.insert(tenant);
            }
        }
    }

    /// Works logins out again; whose came out differently.
    fn log_in(&mut self, stale: &Stale, now: Time) -> BTreeSet<TenantId> {
        let everybody = stale.roles || self.ways.is_empty();
        let whose: Vec<TenantId> = if everybody {
            self.tenants.namespaces.keys().cloned().collect()
        } else {
            stale.logins.iter().filter(|tenant| self.tenants.namespaces.contains_key(*tenant)).cloned().collect()
        };
        let unknown =
            whose.iter().filter_map(|tenant| self.tenants.namespaces.get(tenant)).flatten().filter(|name| !self.roles.knows(name));
        let unknown: Vec<_> = unknown.map(|name| (name.clone(), self.spaces.get(name).and_then(|space| space.labels.clone()))).collect();
        if !unknown.is_empty() {
            self.roles.admit(&unknown);
        }
        let mut changed = BTreeSet::new();
        for tenant in whose {
            let Some(namespaces) = self.tenants.namespaces.get(&tenant) else { continue };
            let (spaces, others) = (&self.spaces, self.others.as_slice());
            let asker = Asker { tenant: &tenant, namespaces, spaces, others, tenants: self.tenants.namespaces.len() };
            let ways = self.roles.ways(&asker, &self.policies, &mut self.acls, now);
            let before = self.ways.get(&tenant);
            if before.is_some_and(|before| same_ways(before, &ways)) {
                continue;
            }
            for name in before.iter().flat_map(|before| &before.named).filter(|name| !ways.named.contains(*name)) {
                if let Some(namers) = self.namers.get_mut(name) {
                    namers.remove(&tenant);
                }
            }
            for name in &ways.named {
                match self.namers.get_mut(name) {
                    Some(namers) => _ = namers.insert(tenant.clone()),
                    None => _ = self.namers.insert(name.clone(), BTreeSet::from([tenant.clone()])),
                }
            }
            self.ways.insert(tenant.clone(), Arc::new(ways));
            changed.insert(tenant);
        }
        changed
    }

    /// Settles whose the places are; true where that changed anywhere.
    fn settle(&mut self, stale: &Stale, shared: &Shared) -> bool {
        let everybody = stale.firm || self.wishes.is_empty();
        let whose: Vec<&TenantId> = if everybody { self.tenants.namespaces.keys().collect() } else { stale.wishes.iter().collect() };
        let mut changed = everybody;
        let none = Arc::new(Ways::default());
        for tenant in whose {
            let Some(namespaces) = self.tenants.namespaces.get(tenant) else { continue };
            let ways = self.ways.get(tenant).unwrap_or(&none);
            let rows = namespaces.iter().filter_map(|namespace| self.asking.get(namespace)).flat_map(|asking| &asking.rows);
            let firm = self.firm.get(tenant).map(Vec::as_slice).unwrap_or_default();
            let wishes = Wishes {
                asked: readable(places::asked(rows), &ways.logins),
                opened: opened(&ways.logins, firm, &self.vault.secret_mounts.items),
            };
            if self.wishes.get(tenant) != Some(&wishes) {
                self.wishes.insert(tenant.clone(), wishes);
                changed = true;
            }
        }
        if !changed {
            return false;
        }
        let (roots, many) = places::settle(&self.firm, &self.wishes, shared);
        if !stale.firm && roots == self.roots && many == self.many {
            return false;
        }
        (self.roots, self.many) = (roots, many);
        self.ground = Ground::new(self.roots.iter().map(|(tenant, roots)| (tenant, roots.as_slice())));
        self.lists = Lists::default();
        self.judged.clear();
        true
    }

    /// Judges these tenants again and puts what came out differently into the picture.
    fn answer(&mut self, again: &BTreeSet<TenantId>, bad: bool, at: (&Shared, &Options, Time), picture: &mut Arc<Picture>) -> Touched {
        let (shared, options, now) = at;
        let mut touched = Touched::default();
        let mut fresh: Vec<(TenantId, Arc<TenantReach>)> = Vec::new();
        let none = Arc::new(Ways::default());
        for tenant in again {
            let ways = self.ways.get(tenant).unwrap_or(&none).clone();
            let roots = self.roots.get(tenant).cloned().unwrap_or_default();
            let mut doubts = self.doubts.clone();
            doubts.extend(ways.doubts.iter().cloned());
            doubts.extend(unseen::of_tenant(&roots, &self.vault, self.accounts_seen, self.crowded, self.many.contains(tenant)));
            let reach = if self.vault.configured {
                let judged = |acl: &Arc<Acl>| {
                    let new = || (acl.clone(), Arc::new(Judged::of(acl, &self.ground, shared, &self.auth_mounts)));
                    self.judged.entry(Arc::as_ptr(acl) as usize).or_insert_with(new).1.clone()
                };
                tenant_reach((tenant, &ways, roots, doubts), judged, &self.ground, &mut self.lists, shared)
            } else {
                TenantReach::default()
            };
            if picture.by_tenant.get(tenant).is_none_or(|before| **before != reach) {
                touched.tenants.insert(tenant.clone());
                fresh.push((tenant.clone(), Arc::new(reach)));
            }
        }
        let gone: Vec<TenantId> =
            picture.by_tenant.keys().filter(|tenant| !self.tenants.namespaces.contains_key(*tenant)).cloned().collect();
        let bad = bad || !gone.is_empty();
        let told = unseen::dialect(options, &self.vault);
        let other = bad || picture.dialect != self.dialect || picture.dialect_from != told;
        let next_expiry = self.next_expiry(now);
        if fresh.is_empty() && gone.is_empty() && !other && picture.next_expiry == next_expiry {
            return touched;
        }
        touched.tenants.extend(gone.iter().cloned());
        let picture = Arc::make_mut(picture);
        for tenant in &gone {
            picture.by_tenant.remove(tenant);
        }
        picture.by_tenant.extend(fresh);
        (picture.dialect, picture.dialect_from, picture.next_expiry) = (self.dialect, told, next_expiry);
        if bad {
            picture.bad_policies = self.bad_policies();
        }
        self.tidy();
        touched
    }

    /// Forgets what nobody holds any more.
    fn tidy(&mut self) {
        if self.judged.len() > 2 * self.tenants.namespaces.len() + 64 {
            self.judged.clear();
        }
        self.acls.sweep();
    }

    fn bad_policies(&self) -> BTreeMap<Name, super::BadPolicy> {
        let named = self.namers.iter().filter(|(_, who)| !who.is_empty()).map(|(name, _)| name);
        let mut bad: BTreeMap<Name, super::BadPolicy> = named.filter_map(|name| Some((name.clone(), self.policies.bad(name)?))).collect();
        let refused = self.policies.refused().map(|(name, bad)| (name.clone(), bad));
        bad.extend(refused);
        bad
    }

    fn next_expiry(&self, now: Time) -> Option<Time> {
        let ends = self.ways.values().flat_map(|ways| &ways.logins).filter_map(|login| login.acl.next_expiry()).min();
        let clock = self.policies.clocked().then(|| now.plus(MINUTE));
        [ends.map(|end| end.plus(1)), clock].into_iter().flatten().min()
    }
}

/// Whether nothing changed, by what logins are made of; an ACL that was made once is one allocation.
fn same_ways(a: &Ways, b: &Ways) -> bool {
    let same = |(a, b): (&Arc<super::Login>, &Arc<super::Login>)| {
        Arc::ptr_eq(&a.acl, &b.acl)
            && a.mount == b.mount
            && a.role == b.role
            && a.who == b.who
            && a.own_role == b.own_role
            && a.policies == b.policies
    };
    a.logins.len() == b.logins.len() && a.doubts == b.doubts && a.named == b.named && a.logins.iter().zip(&b.logins).all(same)
}
