//! What of one namespace bears on other tenants: bindings that serve strangers, keys taken from the same place, controllers that serve
//! everybody, places in Vault and whose they are. Kept by namespace, so that a change costs what changed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::rbac::{accounts_namespace, is_everybody};
use super::sec::{KeyUse, Origin, key_uses};
use crate::model::ids::{Name, TenantId, fold, fold_bytes};
use crate::model::kind::Kind;
use crate::model::meta::Meta;
use crate::model::rbac::RbacSubject;
use crate::model::snapshot::{Dirty, NamespaceFacts, Snapshot};
use crate::model::tenant::Tenants;
use crate::vaultacl::reach::consumers::{Asked, Row, of_namespace};
use crate::vaultacl::reach::{Picture, Root, TenantReach};

/// What of a namespace bears on others.
#[derive(Debug, Default, PartialEq, Eq)]
struct Part {
    /// Namespaces whose ServiceAccounts a RoleBinding here serves, other than this.
    bound: BTreeSet<Name>,
    /// A RoleBinding here serves anybody.
    everybody: bool,
    /// Users and groups that RoleBindings here serve.
    people: BTreeSet<RbacSubject>,
    /// Keys that applications here take.
    keys: BTreeSet<KeyUse>,
    /// Roles and bindings by version, where a binding serves anybody but the ServiceAccounts here. 0 else.
    grants: u128,
    /// Deployments of External Secrets, with the ServiceAccount of each.
    controllers: BTreeSet<(Name, Name)>,
    /// There is a SecretStore.
    stores: bool,
    /// VaultAuths, VaultAuthGlobals and VaultConnections, as a digest: others may go through them. 0 for none.
    auths: u128,
    /// Something here asks Vault for secrets.
    asks: bool,
    /// Namespaces that what asks here goes through.
    through: BTreeSet<Name>,
    /// Something of the Vault Secrets Operator asks here: it may go through an object of any namespace.
    operator: bool,
}

/// Whom a change elsewhere concerns.
#[derive(Debug, Default)]
pub(super) struct Concerned {
    /// Everybody.
    pub all: bool,
    /// These tenants.
    pub tenants: BTreeSet<TenantId>,
    /// What is said of the cluster as a whole.
    pub platform: bool,
}

/// Everything that bears on others, by namespace and the other way round.
#[derive(Debug, Default)]
pub struct Commons {
    parts: BTreeMap<Name, Arc<Part>>,
    /// By namespace of the ServiceAccounts: where they are bound abroad.
    bound: BTreeMap<Name, BTreeSet<Name>>,
    everybody: BTreeSet<Name>,
    people: BTreeMap<RbacSubject, BTreeSet<Name>>,
    keys: BTreeMap<Origin, BTreeSet<Name>>,
    controllers: BTreeSet<(Name, Name)>,
    stores: BTreeSet<Name>,
    auths: BTreeSet<Name>,
    reaches: BTreeMap<TenantId, Arc<TenantReach>>,
    owners: BTreeMap<Name, BTreeMap<String, BTreeSet<TenantId>>>,
}

impl Commons {
    /// What bears on others in a snapshot, from nothing. O(everything).
    pub fn of(snapshot: &Snapshot, tenants: &Tenants, picture: &Picture) -> Self {
        let mut commons = Self::default();
        commons.follow(snapshot, tenants, &Dirty::default(), picture, true);
        commons
    }

    /// Follows a snapshot and the picture of reach; whom that concerns. O(what changed + tenants).
    pub(super) fn follow(&mut self, snapshot: &Snapshot, tenants: &Tenants, dirty: &Dirty, picture: &Picture, all: bool) -> Concerned {
        let mut concerned = Concerned::default();
        let names: Vec<Name> = if all {
            self.parts.keys().chain(snapshot.namespaces.keys()).collect::<BTreeSet<_>>().into_iter().cloned().collect()
        } else {
            dirty.namespaces.iter().cloned().collect()
        };
        let mut moved_auths = false;
        for name in &names {
            moved_auths |= self.renew(snapshot, tenants, name, &mut concerned);
        }
        if !all {
            let through = |part: &Part| (moved_auths && part.operator) || part.through.iter().any(|name| dirty.namespaces.contains(name));
            let again: Vec<Name> = self.parts.iter().filter(|(_, part)| through(part)).map(|(name, _)| name.clone()).collect();
            for name in &again {
                concerned.tenants.extend(tenants.of.get(name).cloned());
                self.renew(snapshot, tenants, name, &mut concerned);
            }
        }
        if self.follow_roots(picture) {
            let asking = self.parts.iter().filter(|(_, part)| part.asks).filter_map(|(name, _)| tenants.of.get(name));
            concerned.tenants.extend(asking.cloned());
        }
        concerned
    }

    /// One namespace anew; whether its VaultAuths moved.
    fn renew(&mut self, snapshot: &Snapshot, tenants: &Tenants, name: &Name, concerned: &mut Concerned) -> bool {
        let fresh = snapshot.namespace(name).map(|facts| part(snapshot, tenants, name, facts)).unwrap_or_default();
        let before = self.parts.get(name).cloned().unwrap_or_default();
        if *before == fresh {
            return false;
        }
        self.concern(tenants, &before, concerned);
        self.index(name, &before, false);
        self.index(name, &fresh, true);
        self.concern(tenants, &fresh, concerned);
        let to_all = |part: &Part| if part.everybody { part.grants } else { 0 };
        concerned.all |= to_all(&before) != to_all(&fresh) || before.controllers != fresh.controllers;
        concerned.platform |= before.stores != fresh.stores;
        let moved_auths = before.auths != fresh.auths;
        // those of no tenant may be used by all
        concerned.all |= moved_auths && !tenants.of.contains_key(name);
        if fresh == Part::default() {
            self.parts.remove(name);
        } else {
            self.parts.insert(name.clone(), Arc::new(fresh));
        }
        moved_auths
    }

    /// Tenants that look at a part.
    fn concern(&self, tenants: &Tenants, part: &Part, concerned: &mut Concerned) {
        let shared = part.keys.iter().filter_map(|one| self.keys.get(one.origin.as_ref()?)).flatten();
        let known = part.people.iter().filter_map(|person| self.people.get(person)).flatten();
        concerned.tenants.extend(part.bound.iter().chain(shared).chain(known).filter_map(|name| tenants.of.get(name)).cloned());
    }

    fn index(&mut self, name: &Name, part: &Part, there: bool) {
        for bound in &part.bound {
            enter(&mut self.bound, bound, name, there);
        }
        for person in &part.people {
            enter(&mut self.people, person, name, there);
        }
        for origin in part.keys.iter().filter_map(|one| one.origin.as_ref()) {
            enter(&mut self.keys, origin, name, there);
        }
        for (controller, _) in &part.controllers {
            let key = (name.clone(), controller.clone());
            if there {
                self.controllers.insert(key);
            } else {
                self.controllers.remove(&key);
            }
        }
        for (is, set) in [(part.everybody, &mut self.everybody), (part.auths != 0, &mut self.auths), (part.stores, &mut self.stores)] {
            if is && there {
                set.insert(name.clone());
            } else if is {
                set.remove(name);
            }
        }
    }

    /// Whether anybody's places changed.
    fn follow_roots(&mut self, picture: &Picture) -> bool {
        let mut changed = false;
        let gone: Vec<TenantId> = self.reaches.keys().filter(|tenant| !picture.by_tenant.contains_key(*tenant)).cloned().collect();
        for tenant in gone {
            if let Some(reach) = self.reaches.remove(&tenant) {
                changed |= !reach.roots.is_empty();
                self.own(&tenant, &reach.roots, false);
            }
        }
        for (tenant, reach) in &picture.by_tenant {
            if self.reaches.get(tenant).is_some_and(|before| Arc::ptr_eq(before, reach)) {
                continue;
            }
            let before = self.reaches.insert(tenant.clone(), reach.clone());
            let roots = before.as_ref().map_or(&[][..], |before| before.roots.as_slice());
            if roots != reach.roots.as_slice() {
                changed = true;
                self.own(tenant, roots, false);
                self.own(tenant, &reach.roots, true);
            }
        }
        changed
    }

    fn own(&mut self, tenant: &TenantId, roots: &[Root], there: bool) {
        for root in roots {
            enter(self.owners.entry(root.mount.clone()).or_default(), &root.path, tenant, there);
        }
    }

    /// The other tenants whose place a request goes to: those of the innermost place that holds it, unless it is the tenant's own too; for a
    /// search those of every place below it as well. O(depth × log places + places below).
    pub(super) fn owners(&self, asked: &Asked, tenant: &TenantId) -> Vec<TenantId> {
        let Some(places) = self.owners.get(&asked.mount) else { return Vec::new() };
        let path = asked.path.trim_matches('/');
        let ends = std::iter::once(path.len()).chain(path.rmatch_indices('/').map(|(at, _)| at));
        let holding = ends.filter_map(|end| path.get(..end)).find_map(|head| places.get(head));
        let mut found: BTreeSet<TenantId> = match holding {
            Some(owners) if !owners.contains(tenant) => owners.clone(),
            _ => BTreeSet::new(),
        };
        if asked.below {
            let stem = if path.is_empty() { String::new() } else { format!("{path}/") };
            let below = places.range(stem.clone()..).take_while(|(place, _)| place.starts_with(&stem));
            found.extend(below.filter(|(_, owners)| !owners.contains(tenant)).flat_map(|(_, owners)| owners).cloned());
        }
        found.into_iter().collect()
    }

    /// Other namespaces whose RoleBindings may serve a tenant of these ones, sorted.
    pub(super) fn abroad<'a>(&'a self, own: &[(&'a Name, &'a NamespaceFacts)]) -> BTreeSet<&'a Name> {
        let people = own.iter().filter_map(|(name, _)| self.parts.get(*name)).flat_map(|part| &part.people);
        let known = people.filter_map(|person| self.people.get(person)).flatten();
        let bound = own.iter().filter_map(|(name, _)| self.bound.get(*name)).flatten();
        bound.chain(known).chain(&self.everybody).filter(|name| !own.iter().any(|(mine, _)| mine == name)).collect()
    }

    /// Keys that a namespace's applications take.
    pub(super) fn keys_of(&self, name: &str) -> impl Iterator<Item = &KeyUse> {
        self.parts.get(name).into_iter().flat_map(|part| &part.keys)
    }

    /// Other tenants that take a key from there.
    pub(super) fn sharing<'t>(&self, origin: &Origin, tenants: &'t Tenants, tenant: &TenantId) -> Vec<&'t TenantId> {
        let takers = self.keys.get(origin).into_iter().flatten().filter_map(|name| tenants.of.get(name));
        takers.filter(|taker| *taker != tenant).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Deployments of External Secrets: namespace and name.
    pub(super) fn controllers(&self) -> impl Iterator<Item = (&Name, &Name)> {
        self.controllers.iter().map(|(namespace, name)| (namespace, name))
    }

    /// Whether a part of External Secrets runs in a namespace.
    pub(super) fn runs_controller(&self, namespace: &str) -> bool {
        self.parts.get(namespace).is_some_and(|part| !part.controllers.is_empty())
    }

    /// Whether there is a SecretStore anywhere. O(1).
    pub(super) fn any_store(&self) -> bool {
        !self.stores.is_empty()
    }

    /// Namespaces with VaultAuths of which anybody's secrets may go through.
    pub(super) fn auths(&self) -> impl Iterator<Item = &Name> {
        self.auths.iter()
    }
}

/// Puts a value into the set of a key, or takes it out; an empty set is not kept.
fn enter<K: Ord + Clone, V: Ord + Clone>(map: &mut BTreeMap<K, BTreeSet<V>>, key: &K, value: &V, there: bool) {
    if there {
        map.entry(key.clone()).or_default().insert(value.clone());
    } else if let Some(set) = map.get_mut(key) {
        set.remove(value);
        if set.is_empty() {
            map.remove(key);
        }
    }
}

fn part(snapshot: &Snapshot, tenants: &Tenants, name: &Name, facts: &NamespaceFacts) -> Part {
    let mut part = Part::default();
    for subject in facts.bindings.values().flat_map(|binding| binding.subjects.iter()) {
        if is_everybody(subject) {
            part.everybody = true;
        } else if let Some(of) = accounts_namespace(subject, name) {
            part.bound.extend((of != name.as_ref()).then(|| Name::from(of)));
        } else if !is_system(subject) {
            part.people.insert(subject.clone());
        }
    }
    part.controllers = facts
        .workloads
        .values()
        .filter(|workload| is_external_secrets(workload))
        .map(|w| (w.meta.name.clone(), w.service_account.clone()))
        .collect();
    part.stores = !facts.secret_stores.is_empty();
    if part.everybody || !part.bound.is_empty() || !part.people.is_empty() {
        let metas = facts.roles.values().map(|role| &role.meta).chain(facts.bindings.values().map(|binding| &binding.meta));
        part.grants = metas.fold(fold("grants"), version);
    }
    part.auths = auths(facts);
    let rows = if asks(snapshot, facts) { of_namespace(snapshot, tenants, name) } else { Vec::new() };
    part.asks = !rows.is_empty();
    part.operator = facts.consumers.values().any(|consumer| matches!(consumer.spec, crate::model::consumer::ConsumerSpec::Operator(_)));
    part.through = rows.iter().flat_map(Row::rests_on).collect();
    part.keys = key_uses(facts, &rows);
    part
}

fn is_system(subject: &RbacSubject) -> bool {
    matches!(subject, RbacSubject::User(name) | RbacSubject::Group(name) if name.starts_with("system:"))
}

/// Whether anything here may ask Vault for secrets.
fn asks(snapshot: &Snapshot, facts: &NamespaceFacts) -> bool {
    !facts.consumers.is_empty()
        || !snapshot.cluster.consumers.is_empty()
        || facts.workloads.values().any(|workload| workload.injector.is_some())
        || facts.pods.values().any(|pod| pod.injector.is_some())
}

fn auths(facts: &NamespaceFacts) -> u128 {
    let kinds = [Kind::VaultAuth, Kind::VaultAuthGlobal, Kind::VaultConnection];
    let metas = facts.consumers.values().filter(|consumer| kinds.contains(&consumer.kind));
    metas.fold(0, |hash, consumer| {
        let hash = if hash == 0 { fold("auths") } else { hash };
        version(fold_bytes(hash, consumer.kind.as_str().as_bytes()), &consumer.meta)
    })
}

fn version(hash: u128, meta: &Meta) -> u128 {
    let hash = fold_bytes(fold_bytes(hash, meta.name.as_bytes()), &[0]);
    fold_bytes(fold_bytes(hash, &meta.uid.0.to_le_bytes()), &meta.version.to_le_bytes())
}

/// The repository of External Secrets' image, and the value of its chart's label.
const IMAGE: &str = "external-secrets/external-secrets";
const LABEL: &str = "app.kubernetes.io/name";

/// Whether a workload is a part of External Secrets: by its image, or by the label that its chart gives.
fn is_external_secrets(workload: &crate::model::workload::WorkloadFact) -> bool {
    let by_image = workload.containers.iter().any(|container| {
        let untagged = container.image.split('@').next().unwrap_or_default();
        let repository = match untagged.rsplit_once(':') {
            Some((before, after)) if !after.contains('/') => before,
            _ => untagged,
        };
        repository == IMAGE || repository.strip_suffix(IMAGE).is_some_and(|before| before.ends_with('/'))
    });
    let by_label = workload.template_labels.get(LABEL).is_some_and(|name| name.starts_with("external-secrets"));
    workload.kind == Kind::Deployment && (by_image || by_label)
}
