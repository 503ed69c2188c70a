//! Folds changes into snapshots. Pure: the same changes in the same order give the same snapshots.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::changes::{Change, Fact};
use super::ids::{Name, ObjectRef};
use super::kind::Kind;
use super::meta::Meta;
use super::snapshot::{ByName, ClusterFacts, Dirty, How, Moved, NamespaceFacts, Snapshot};
use super::source::SourceState;

/// At most so many moved objects are named per publication.
const LOG_CAP: usize = 256;

type Key = (Name, Name);

/// Holds the newest facts and what changed since the last publication.
#[derive(Debug, Default)]
pub struct Store {
    now: Snapshot,
    dirty: Dirty,
    /// Kinds being listed again, with what the list has shown so far.
    relisting: HashMap<Kind, HashSet<Key>>,
}

impl Store {
    /// Folds one change in. O(log n); copies a namespace's maps once per publication when they are still shared with a reader.
    pub fn apply(&mut self, change: Change) {
        match change {
            Change::Listing(kind) => self.listing(kind),
            Change::Put(fact) => self.put(*fact),
            Change::Gone { kind, namespace, name } => self.gone(kind, &namespace, &name),
            Change::Listed(kind) => self.listed(kind),
            Change::State(kind, state) => self.state(kind, state),
            Change::Vault(facts) => {
                if *self.now.vault != *facts {
                    self.now.vault = Arc::new(*facts);
                    self.dirty.vault = true;
                }
            }
            Change::Access(answers) => {
                let access = Arc::make_mut(&mut self.now.access);
                for (question, answer) in answers {
                    access.answers.insert(question, answer);
                }
                self.dirty.everything = true;
            }
            Change::User(user) => {
                Arc::make_mut(&mut self.now.access).user = Some(user);
                self.dirty.everything = true;
            }
            Change::Server(server) => {
                self.now.server = Arc::new(server);
                self.dirty.everything = true;
            }
        }
    }

    /// Whether anything changed since the last publication.
    pub fn is_dirty(&self) -> bool {
        !self.dirty.is_empty()
    }

    /// The snapshot as of now, and what changed since the last call. O(namespaces) only when a namespace changed.
    pub fn publish(&mut self) -> (Arc<Snapshot>, Dirty) {
        self.now.generation += 1;
        (Arc::new(self.now.clone()), std::mem::take(&mut self.dirty))
    }

    fn listing(&mut self, kind: Kind) {
        // where nothing is known nothing can be lost: the first list of a big fleet needs no second book of it
        let known = if is_clusterwide(kind) {
            !self.clusterwide(kind).is_empty()
        } else {
            self.now.namespaces.values().any(|facts| has(facts, kind))
        };
        if known {
            self.relisting.insert(kind, HashSet::new());
        } else {
            self.relisting.remove(&kind);
        }
    }

    fn state(&mut self, kind: Kind, state: SourceState) {
        let loading = |state: &SourceState| matches!(state, SourceState::Loading(_));
        let before = self.now.source(kind);
        // the count of a list under way is shown but decides nothing
        if *before != state && !(loading(&state) && loading(before)) {
            self.dirty.everything = true;
        }
        Arc::make_mut(&mut self.now.sources).insert(kind, state);
    }

    fn listed(&mut self, kind: Kind) {
        if let Some(seen) = self.relisting.remove(&kind) {
            let mut lost = Vec::new();
            for (namespace, facts) in self.now.namespaces.iter() {
                for name in names(facts, kind) {
                    if !seen.contains(&(namespace.clone(), name.clone())) {
                        lost.push((namespace.clone(), name));
                    }
                }
            }
            if is_clusterwide(kind) {
                let named = self.clusterwide(kind).into_iter().map(|name| (Name::from(""), name));
                lost.extend(named.filter(|key| !seen.contains(key)));
            }
            for (namespace, name) in lost {
                self.gone(kind, &namespace, &name);
            }
        }
        self.state(kind, SourceState::Live);
    }

    fn put(&mut self, fact: Fact) {
        let kind = fact.kind();
        if let Some(seen) = self.relisting.get_mut(&kind) {
            let meta = fact.meta();
            let namespace = if kind == Kind::Namespace { meta.name.clone() } else { kept_under(kind, &meta.namespace) };
            seen.insert((namespace, meta.name.clone()));
        }
        let (object, identity) = (fact.meta().object(kind), Identity::of(fact.meta()));
        if is_clusterwide(kind) {
            let before = self.put_clusterwide(fact);
            self.moved_clusterwide(before, object, identity);
            return;
        }
        let namespace = if kind == Kind::Namespace { fact.meta().name.clone() } else { fact.meta().namespace.clone() };
        let facts = Arc::make_mut(Arc::make_mut(&mut self.now.namespaces).entry(namespace.clone()).or_default());
        let before = match fact {
            Fact::Namespace(f) => replace_one(&mut facts.own, f, |f| &f.meta),
            Fact::NetworkPolicy(f) => replace(&mut facts.policies, f.meta.name.clone(), f, |f| &f.meta),
            Fact::Quota(f) => replace(&mut facts.quotas, f.meta.name.clone(), f, |f| &f.meta),
            Fact::LimitRange(f) => replace(&mut facts.limit_ranges, f.meta.name.clone(), f, |f| &f.meta),
            Fact::ServiceAccount(f) => replace(&mut facts.service_accounts, f.meta.name.clone(), f, |f| &f.meta),
            Fact::Service(f) => replace(&mut facts.services, f.meta.name.clone(), f, |f| &f.meta),
            Fact::EndpointSlice(f) => replace(&mut facts.endpoint_slices, f.meta.name.clone(), f, |f| &f.meta),
            Fact::SecretStore(f) => replace(&mut facts.secret_stores, f.meta.name.clone(), f, |f| &f.meta),
            Fact::Consumer(f) => replace(&mut facts.consumers, (f.kind, f.meta.name.clone()), f, |f| &f.meta),
            Fact::SecretMeta(f) => replace(&mut facts.secrets, (f.kind, f.meta.name.clone()), f, |f| &f.meta),
            Fact::Workload(f) => replace(&mut facts.workloads, (f.kind, f.meta.name.clone()), f, |f| &f.meta),
            Fact::Pod(f) => replace(&mut facts.pods, f.meta.name.clone(), f, |f| &f.meta),
            Fact::Refusal(f) => replace(&mut facts.refusals, f.meta.name.clone(), f, |f| &f.meta),
            Fact::CiliumPolicy(f) => replace(&mut facts.cilium, f.meta.name.clone(), f, |f| &f.meta),
            Fact::Foreign(f) => replace(&mut facts.foreign, (f.kind, f.meta.name.clone()), f, |f| &f.meta),
            Fact::Role(f) => replace(&mut facts.roles, f.meta.name.clone(), f, |f| &f.meta),
            Fact::Binding(f) => replace(&mut facts.bindings, f.meta.name.clone(), f, |f| &f.meta),
            Fact::Node(_) | Fact::AdminPolicy(_) | Fact::CidrGroup(_) | Fact::CiliumConfig(_) => Before::Same,
        };
        match before {
            Before::Same => {}
            Before::Nothing => self.moved(namespace, object, How::Added, identity),
            Before::Other(old) if old.uid != identity.uid || old.version != identity.version => {
                self.moved(namespace, object, How::Changed, identity);
            }
            Before::Other(_) => {
                self.dirty.namespaces.insert(namespace);
            }
        }
    }

    fn gone(&mut self, kind: Kind, namespace: &Name, name: &Name) {
        if is_clusterwide(kind) {
            if self.remove_clusterwide(kind, name) {
                let namespace = kind.info().and_then(|info| info.only).map_or("", |(namespace, _)| namespace).into();
                self.log(ObjectRef { kind, namespace, name: name.clone() }, How::Deleted, Identity::default());
                self.mark_clusterwide(kind);
            }
            return;
        }
        let namespace = if kind == Kind::Namespace { name } else { namespace };
        if !self.now.namespaces.contains_key(namespace) {
            return;
        }
        let all = Arc::make_mut(&mut self.now.namespaces);
        let Some(shared) = all.get_mut(namespace) else { return };
        let facts = Arc::make_mut(shared);
        let removed = remove(facts, kind, name);
        if facts.is_empty() {
            all.remove(namespace);
        }
        if removed {
            let object =
                ObjectRef { kind, namespace: if kind == Kind::Namespace { "".into() } else { namespace.clone() }, name: name.clone() };
            self.moved(namespace.clone(), object, How::Deleted, Identity::default());
        }
    }

    fn moved(&mut self, namespace: Name, object: ObjectRef, how: How, identity: Identity) {
        self.log(object, how, identity);
        self.dirty.namespaces.insert(namespace);
    }

    fn log(&mut self, object: ObjectRef, how: How, identity: Identity) {
        let walls_rest_on_it = !matches!(object.kind, Kind::Pod | Kind::Event | Kind::EndpointSlice | Kind::Job | Kind::Node);
        if walls_rest_on_it && self.dirty.log.len() < LOG_CAP && self.now.source(object.kind) == &SourceState::Live {
            let (manager, at) = identity.changed.unzip();
            self.dirty.log.push(Moved { object, how, manager, at });
        }
    }

    fn put_clusterwide(&mut self, fact: Fact) -> Before {
        if let Fact::Node(f) = fact {
            return replace(Arc::make_mut(&mut self.now.nodes), f.meta.name.clone(), f, |f| &f.meta);
        }
        let facts: &mut ClusterFacts = Arc::make_mut(&mut self.now.cluster);
        match fact {
            Fact::AdminPolicy(f) => replace(&mut facts.admin, (f.kind, f.meta.name.clone()), f, |f| &f.meta),
            Fact::CiliumPolicy(f) => replace(&mut facts.cilium, f.meta.name.clone(), f, |f| &f.meta),
            Fact::CidrGroup(f) => replace(&mut facts.cidr_groups, f.meta.name.clone(), f, |f| &f.meta),
            Fact::Foreign(f) => replace(&mut facts.foreign, (f.kind, f.meta.name.clone()), f, |f| &f.meta),
            Fact::Role(f) => replace(&mut facts.roles, f.meta.name.clone(), f, |f| &f.meta),
            Fact::Binding(f) => replace(&mut facts.bindings, f.meta.name.clone(), f, |f| &f.meta),
            Fact::SecretStore(f) => replace(&mut facts.stores, f.meta.name.clone(), f, |f| &f.meta),
            Fact::Consumer(f) => replace(&mut facts.consumers, (f.kind, f.meta.name.clone()), f, |f| &f.meta),
            Fact::CiliumConfig(f) => replace_one(&mut facts.cilium_config, f, |f| &f.meta),
            _ => Before::Same,
        }
    }

    fn moved_clusterwide(&mut self, before: Before, object: ObjectRef, identity: Identity) {
        let how = match before {
            Before::Same => return,
            Before::Nothing => Some(How::Added),
            Before::Other(old) if old.uid != identity.uid || old.version != identity.version => Some(How::Changed),
            Before::Other(_) => None,
        };
        self.mark_clusterwide(object.kind);
        if let Some(how) = how {
            self.log(object, how, identity);
        }
    }

    fn mark_clusterwide(&mut self, kind: Kind) {
        if matches!(kind, Kind::ClusterSecretStore | Kind::ClusterExternalSecret) {
            self.dirty.stores = true;
            return;
        }
        self.dirty.cluster = true;
        // Nodes count in more than the network
        self.dirty.everything |= kind == Kind::Node;
    }

    /// Names of the known objects of a kind that is kept beside the namespaces.
    fn clusterwide(&self, kind: Kind) -> Vec<Name> {
        let facts = &self.now.cluster;
        match kind {
            Kind::Node => keys(&self.now.nodes),
            Kind::CiliumClusterwideNetworkPolicy => keys(&facts.cilium),
            Kind::CiliumCIDRGroup => keys(&facts.cidr_groups),
            Kind::ClusterRole => keys(&facts.roles),
            Kind::ClusterRoleBinding => keys(&facts.bindings),
            Kind::ClusterSecretStore => keys(&facts.stores),
            Kind::CiliumConfig => facts.cilium_config.iter().map(|f| f.meta.name.clone()).collect(),
            kind => {
                let of_kind = |(k, name): &(Kind, Name)| (*k == kind).then(|| name.clone());
                let all = facts.admin.keys().chain(facts.foreign.keys()).chain(facts.consumers.keys());
                all.filter_map(of_kind).collect()
            }
        }
    }

    fn remove_clusterwide(&mut self, kind: Kind, name: &Name) -> bool {
        if kind == Kind::Node {
            return Arc::make_mut(&mut self.now.nodes).remove(name).is_some();
        }
        if !self.clusterwide(kind).contains(name) {
            return false;
        }
        let facts = Arc::make_mut(&mut self.now.cluster);
        match kind {
            Kind::CiliumClusterwideNetworkPolicy => facts.cilium.remove(name).is_some(),
            Kind::CiliumCIDRGroup => facts.cidr_groups.remove(name).is_some(),
            Kind::ClusterRole => facts.roles.remove(name).is_some(),
            Kind::ClusterRoleBinding => facts.bindings.remove(name).is_some(),
            Kind::ClusterSecretStore => facts.stores.remove(name).is_some(),
            Kind::CiliumConfig => facts.cilium_config.take().is_some(),
            kind => {
                let key = (kind, name.clone());
                facts.admin.remove(&key).is_some() | facts.foreign.remove(&key).is_some() | facts.consumers.remove(&key).is_some()
            }
        }
    }
}

/// Whether objects of a kind are kept beside the namespaces: cluster-scoped kinds save Namespace, and the CNI's one ConfigMap.
fn is_clusterwide(kind: Kind) -> bool {
    kind == Kind::CiliumConfig || (kind != Kind::Namespace && kind.info().is_some_and(|info| !info.namespaced))
}

/// The namespace under which an object is looked up: none for what is kept beside the namespaces.
fn kept_under(kind: Kind, namespace: &Name) -> Name {
    if is_clusterwide(kind) { "".into() } else { namespace.clone() }
}

#[derive(Default)]
struct Identity {
    uid: super::ids::Uid,
    version: u64,
    changed: Option<(Name, super::time::Time)>,
}

impl Identity {
    fn of(meta: &Meta) -> Self {
        Self { uid: meta.uid, version: meta.version, changed: meta.changed.as_ref().map(|c| (c.manager.clone(), c.at)) }
    }
}

enum Before {
    Nothing,
    Same,
    Other(Identity),
}

fn replace<K: Ord, T: PartialEq>(map: &mut BTreeMap<K, Arc<T>>, key: K, fact: T, meta: impl Fn(&T) -> &Meta) -> Before {
    match map.get_mut(&key) {
        None => {
            map.insert(key, Arc::new(fact));
            Before::Nothing
        }
        Some(old) if **old == fact => Before::Same,
        Some(old) => {
            let identity = Identity::of(meta(old));
            *old = Arc::new(fact);
            Before::Other(identity)
        }
    }
}

fn replace_one<T: PartialEq>(slot: &mut Option<Arc<T>>, fact: T, meta: impl Fn(&T) -> &Meta) -> Before {
    match slot {
        Some(old) if **old == fact => Before::Same,
        Some(old) => {
            let identity = Identity::of(meta(old));
            *slot = Some(Arc::new(fact));
            Before::Other(identity)
        }
        None => {
            *slot = Some(Arc::new(fact));
            Before::Nothing
        }
    }
}

fn keys<T>(map: &ByName<T>) -> Vec<Name> {
    map.keys().cloned().collect()
}

fn has(facts: &NamespaceFacts, kind: Kind) -> bool {
    !names(facts, kind).is_empty()
}

fn names(facts: &NamespaceFacts, kind: Kind) -> Vec<Name> {
    match kind {
        Kind::Namespace => facts.own.iter().map(|own| own.meta.name.clone()).collect(),
        Kind::NetworkPolicy => keys(&facts.policies),
        Kind::CiliumNetworkPolicy => keys(&facts.cilium),
        Kind::ResourceQuota => keys(&facts.quotas),
        Kind::LimitRange => keys(&facts.limit_ranges),
        Kind::ServiceAccount => keys(&facts.service_accounts),
        Kind::Service => keys(&facts.services),
        Kind::EndpointSlice => keys(&facts.endpoint_slices),
        Kind::SecretStore => keys(&facts.secret_stores),
        Kind::Pod => keys(&facts.pods),
        Kind::Role => keys(&facts.roles),
        Kind::RoleBinding => keys(&facts.bindings),
        Kind::Event => keys(&facts.refusals),
        kind => {
            let of_kind = |(k, name): &(Kind, Name)| (*k == kind).then(|| name.clone());
            let all = facts.workloads.keys().chain(facts.foreign.keys()).chain(facts.consumers.keys()).chain(facts.secrets.keys());
            all.filter_map(of_kind).collect()
        }
    }
}

fn remove(facts: &mut NamespaceFacts, kind: Kind, name: &Name) -> bool {
    match kind {
        Kind::Namespace => facts.own.take().is_some(),
        Kind::NetworkPolicy => facts.policies.remove(name).is_some(),
        Kind::CiliumNetworkPolicy => facts.cilium.remove(name).is_some(),
        Kind::ResourceQuota => facts.quotas.remove(name).is_some(),
        Kind::LimitRange => facts.limit_ranges.remove(name).is_some(),
        Kind::ServiceAccount => facts.service_accounts.remove(name).is_some(),
        Kind::Service => facts.services.remove(name).is_some(),
        Kind::EndpointSlice => facts.endpoint_slices.remove(name).is_some(),
        Kind::SecretStore => facts.secret_stores.remove(name).is_some(),
        Kind::Pod => facts.pods.remove(name).is_some(),
        Kind::Role => facts.roles.remove(name).is_some(),
        Kind::RoleBinding => facts.bindings.remove(name).is_some(),
        Kind::Event => facts.refusals.remove(name).is_some(),
        kind => {
            let key = (kind, name.clone());
            let gone = [facts.workloads.remove(&key).is_some(), facts.foreign.remove(&key).is_some()];
            gone.contains(&true) | facts.consumers.remove(&key).is_some() | facts.secrets.remove(&key).is_some()
        }
    }
}
