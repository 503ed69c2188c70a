//! Folds changes into snapshots. Pure: the same changes in the same order give the same snapshots.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::changes::{Change, Fact};
use super::ids::{Name, ObjectRef};
use super::kind::Kind;
use super::meta::Meta;
use super::snapshot::{ByName, Dirty, How, Moved, NamespaceFacts, Snapshot};
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
        let known =
            if kind == Kind::Node { !self.now.nodes.is_empty() } else { self.now.namespaces.values().any(|facts| has(facts, kind)) };
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
            if kind == Kind::Node {
                lost.extend(
                    self.now.nodes.keys().filter(|n| !seen.contains(&(Name::from(""), (*n).clone()))).map(|n| ("".into(), n.clone())),
                );
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
            let namespace = if kind == Kind::Namespace { meta.name.clone() } else { meta.namespace.clone() };
            seen.insert((namespace, meta.name.clone()));
        }
        if let Fact::Node(node) = fact {
            if self.now.nodes.get(&node.meta.name).is_none_or(|old| **old != node) {
                Arc::make_mut(&mut self.now.nodes).insert(node.meta.name.clone(), Arc::new(node));
                self.dirty.everything = true;
            }
            return;
        }
        let namespace = if kind == Kind::Namespace { fact.meta().name.clone() } else { fact.meta().namespace.clone() };
        let (object, identity) = (fact.meta().object(kind), Identity::of(fact.meta()));
        let facts = Arc::make_mut(Arc::make_mut(&mut self.now.namespaces).entry(namespace.clone()).or_default());
        let before = match fact {
            Fact::Namespace(f) => replace_own(&mut facts.own, f),
            Fact::NetworkPolicy(f) => replace(&mut facts.policies, f.meta.name.clone(), f, |f| &f.meta),
            Fact::Quota(f) => replace(&mut facts.quotas, f.meta.name.clone(), f, |f| &f.meta),
            Fact::LimitRange(f) => replace(&mut facts.limit_ranges, f.meta.name.clone(), f, |f| &f.meta),
            Fact::ServiceAccount(f) => replace(&mut facts.service_accounts, f.meta.name.clone(), f, |f| &f.meta),
            Fact::Service(f) => replace(&mut facts.services, f.meta.name.clone(), f, |f| &f.meta),
            Fact::EndpointSlice(f) => replace(&mut facts.endpoint_slices, f.meta.name.clone(), f, |f| &f.meta),
            Fact::SecretStore(f) => replace(&mut facts.secret_stores, f.meta.name.clone(), f, |f| &f.meta),
            Fact::Workload(f) => replace(&mut facts.workloads, (f.kind, f.meta.name.clone()), f, |f| &f.meta),
            Fact::Pod(f) => replace(&mut facts.pods, f.meta.name.clone(), f, |f| &f.meta),
            Fact::Refusal(f) => replace(&mut facts.refusals, f.meta.name.clone(), f, |f| &f.meta),
            Fact::Node(_) => Before::Same,
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
        if kind == Kind::Node {
            self.dirty.everything |= Arc::make_mut(&mut self.now.nodes).remove(name).is_some();
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
        let walls_rest_on_it = !matches!(object.kind, Kind::Pod | Kind::Event | Kind::EndpointSlice | Kind::Job);
        if walls_rest_on_it && self.dirty.log.len() < LOG_CAP && self.now.source(object.kind) == &SourceState::Live {
            let (manager, at) = identity.changed.unzip();
            self.dirty.log.push(Moved { object, how, manager, at });
        }
        self.dirty.namespaces.insert(namespace);
    }
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

fn replace_own(own: &mut Option<Arc<super::pod::NamespaceFact>>, fact: super::pod::NamespaceFact) -> Before {
    match own {
        Some(old) if **old == fact => Before::Same,
        Some(old) => {
            let identity = Identity::of(&old.meta);
            *own = Some(Arc::new(fact));
            Before::Other(identity)
        }
        None => {
            *own = Some(Arc::new(fact));
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
        Kind::ResourceQuota => keys(&facts.quotas),
        Kind::LimitRange => keys(&facts.limit_ranges),
        Kind::ServiceAccount => keys(&facts.service_accounts),
        Kind::Service => keys(&facts.services),
        Kind::EndpointSlice => keys(&facts.endpoint_slices),
        Kind::SecretStore => keys(&facts.secret_stores),
        Kind::Pod => keys(&facts.pods),
        Kind::Event => keys(&facts.refusals),
        kind => facts.workloads.keys().filter(|(k, _)| *k == kind).map(|(_, name)| name.clone()).collect(),
    }
}

fn remove(facts: &mut NamespaceFacts, kind: Kind, name: &Name) -> bool {
    match kind {
        Kind::Namespace => facts.own.take().is_some(),
        Kind::NetworkPolicy => facts.policies.remove(name).is_some(),
        Kind::ResourceQuota => facts.quotas.remove(name).is_some(),
        Kind::LimitRange => facts.limit_ranges.remove(name).is_some(),
        Kind::ServiceAccount => facts.service_accounts.remove(name).is_some(),
        Kind::Service => facts.services.remove(name).is_some(),
        Kind::EndpointSlice => facts.endpoint_slices.remove(name).is_some(),
        Kind::SecretStore => facts.secret_stores.remove(name).is_some(),
        Kind::Pod => facts.pods.remove(name).is_some(),
        Kind::Event => facts.refusals.remove(name).is_some(),
        kind => facts.workloads.remove(&(kind, name.clone())).is_some(),
    }
}
