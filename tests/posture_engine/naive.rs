//! The store folds like a naive model.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use partywall::model::changes::{Change, Fact};
use partywall::model::ids::Name;
use partywall::model::kind::Kind;
use partywall::model::snapshot::{NamespaceFacts, Snapshot};
use proptest::prelude::*;

use crate::facts::*;

/// Objects by kind, namespace and name, as the naive model keeps them.
type Naive = BTreeMap<(Kind, Name, Name), Fact>;

fn key(fact: &Fact) -> (Kind, Name, Name) {
    (fact.kind(), fact.meta().namespace.clone(), fact.meta().name.clone())
}

/// The same objects, read out of a snapshot.
fn objects(snapshot: &Snapshot) -> Naive {
    fn all<K, T: Clone>(map: &BTreeMap<K, Arc<T>>, wrap: impl Fn(T) -> Fact) -> Vec<Fact> {
        map.values().map(|fact| wrap(fact.as_ref().clone())).collect()
    }
    let of = |facts: &NamespaceFacts| {
        let mut list: Vec<Fact> = facts.own.iter().map(|own| Fact::Namespace(own.as_ref().clone())).collect();
        list.extend(all(&facts.policies, Fact::NetworkPolicy));
        list.extend(all(&facts.quotas, Fact::Quota));
        list.extend(all(&facts.limit_ranges, Fact::LimitRange));
        list.extend(all(&facts.service_accounts, Fact::ServiceAccount));
        list.extend(all(&facts.services, Fact::Service));
        list.extend(all(&facts.endpoint_slices, Fact::EndpointSlice));
        list.extend(all(&facts.secret_stores, Fact::SecretStore));
        list.extend(all(&facts.pods, Fact::Pod));
        list.extend(all(&facts.refusals, Fact::Refusal));
        list
    };
    snapshot.namespaces.values().flat_map(|facts| of(facts)).map(|fact| (key(&fact), fact)).collect()
}

/// A watch as a server might send it: puts, deletions, and lists that begin anew and may be cut off by another.
#[derive(Clone, Debug)]
enum Sent {
    Put(usize, u64),
    Gone(usize),
    List(Vec<(usize, u64)>, bool),
}

fn pool() -> Vec<Fact> {
    let mut pool = seed_tenant("acme");
    pool.extend(seed_tenant("globex"));
    pool
}

fn versioned(fact: &Fact, version: u64) -> Fact {
    let mut fact = fact.clone();
    match &mut fact {
        Fact::NetworkPolicy(f) => f.meta.version = version,
        Fact::Quota(f) => f.meta.version = version,
        Fact::Pod(f) => f.meta.version = version,
        _ => {}
    }
    fact
}

fn any_sent() -> impl Strategy<Value = Sent> {
    prop_oneof![
        4 => (any::<prop::sample::Index>(), 0..3_u64).prop_map(|(i, v)| Sent::Put(i.index(1000), v)),
        2 => any::<prop::sample::Index>().prop_map(|i| Sent::Gone(i.index(1000))),
        2 => (prop::collection::vec((0..1000_usize, 0..3_u64), 0..12), any::<bool>()).prop_map(|(list, whole)| Sent::List(list, whole)),
    ]
}

proptest! {
    #[test]
    fn the_store_folds_like_a_naive_model(sent in prop::collection::vec(any_sent(), 1..40)) {
        let pool = pool();
        let (mut store, mut naive) = (empty_store(), Naive::new());
        let mut before = store.publish().0;
        for one in sent {
            match one {
                Sent::Put(i, version) => {
                    let fact = versioned(&pool[i % pool.len()], version);
                    naive.insert(key(&fact), fact.clone());
                    store.apply(put(fact));
                }
                Sent::Gone(i) => {
                    let fact = &pool[i % pool.len()];
                    naive.remove(&key(fact));
                    store.apply(gone(fact.kind(), &fact.meta().namespace.clone(), &fact.meta().name.clone()));
                }
                Sent::List(list, whole) => {
                    let kind = Kind::NetworkPolicy;
                    let of_kind: Vec<&Fact> = pool.iter().filter(|fact| fact.kind() == kind).collect();
                    store.apply(Change::Listing(kind));
                    let mut shown = BTreeSet::new();
                    for (i, version) in list {
                        let fact = versioned(of_kind[i % of_kind.len()], version);
                        shown.insert(key(&fact));
                        naive.insert(key(&fact), fact.clone());
                        store.apply(put(fact));
                    }
                    // a list that is cut off takes nothing away; the next one begins anew
                    if whole {
                        naive.retain(|key, _| key.0 != kind || shown.contains(key));
                        store.apply(Change::Listed(kind));
                    }
                }
            }
            let (snapshot, dirty) = store.publish();
            prop_assert_eq!(&objects(&snapshot), &naive);
            // what differs is dirty, and what is not dirty is shared
            let names: BTreeSet<&Name> = before.namespaces.keys().chain(snapshot.namespaces.keys()).collect();
            for name in names {
                let same = match (before.namespace(name), snapshot.namespace(name)) {
                    (Some(a), Some(b)) => Arc::ptr_eq(a, b) || a == b,
                    _ => false,
                };
                prop_assert!(same || dirty.namespaces.contains(name) || dirty.everything, "{name} changed unsaid");
            }
            prop_assert!(snapshot.namespaces.values().all(|facts| !facts.is_empty()), "an empty namespace is kept");
            before = snapshot;
        }
    }
}
