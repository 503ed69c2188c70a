//! What every kind of peer and subject comes down to: one form of selector, numbered.

use rustc_hash::FxHashMap;

use super::ranges::{Family, Ranges};
use super::selector::NAMESPACE_NAME;
use super::truth::Truth;
use crate::model::ids::Name;
use crate::model::labels::{Is, LabelSelector, LabelSet};

/// A term's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct TermId(pub u32);

impl TermId {
    /// Whoever it is.
    pub(super) const ANYBODY: Self = Self(0);
    /// What can't be read: anybody, perhaps.
    pub(super) const UNCLEAR: Self = Self(1);
}

/// What a requirement looks at.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Field {
    /// A label of the pod.
    Pod(Name),
    /// A label of its namespace.
    Space(Name),
    /// Its service account.
    Account,
}

/// Pods, by requirements that must all be met.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub(super) struct PodTerm {
    /// Only in this namespace.
    pub scope: Option<Name>,
    /// All of these.
    pub needs: Box<[(Field, Is)]>,
}

/// Which ends a range of addresses may match besides what is outside the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Over {
    /// Pods and nodes as the profile says.
    Profile,
    /// Neither: Cilium's reading.
    World,
    /// It is a list of addresses of nodes.
    Nodes,
}

/// Cilium's entities, joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub(super) struct Entities {
    pub pods: bool,
    pub host: bool,
    pub remote: bool,
    pub world_v4: bool,
    pub world_v6: bool,
    pub api: bool,
    /// Something of the cluster that is no pod of ours: the proxy, health endpoints, unmanaged pods.
    pub odd: bool,
}

/// A peer or a subject.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Term {
    /// Everybody, on any address.
    Anybody,
    /// It can't be read: anybody, perhaps.
    Unclear,
    /// Pods.
    Pods(PodTerm),
    /// Addresses.
    Addresses(Ranges, Over),
    /// Names whose addresses are not known: any address outside, perhaps.
    Names,
    /// Cilium's entities.
    Entities(Entities),
    /// All of these: a selector that Cilium limits further.
    Perhaps(Box<Term>),
}

/// Where an address is, as Cilium tells them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Zone {
    World,
    Node,
    /// A node on which, or an address at which, the API server answers.
    Api {
        node: bool,
    },
    /// A pod's.
    Pod,
}

/// What a selector asks of a pod's labels and of its namespace's.
pub(super) fn needs(namespaces: Option<&LabelSelector>, pods: Option<&LabelSelector>) -> Box<[(Field, Is)]> {
    let of = |selector: Option<&LabelSelector>, field: fn(Name) -> Field| -> Vec<(Field, Is)> {
        selector.into_iter().flat_map(|s| s.requirements.iter().map(move |r| (field(r.key.clone()), r.is.clone()))).collect()
    };
    let mut all = of(namespaces, Field::Space);
    all.extend(of(pods, Field::Pod));
    all.into()
}

/// Whether a value, or its absence, meets a requirement.
pub(super) fn meets(value: Option<&Name>, is: &Is) -> Truth {
    Truth::of(Some(match is {
        Is::In(values) => value.is_some_and(|v| values.contains(v)),
        Is::NotIn(values) => value.is_none_or(|v| !values.contains(v)),
        Is::Exists => value.is_some(),
        Is::DoesNotExist => value.is_none(),
        Is::Unknown(_) => return Truth::Perhaps,
    }))
}

impl PodTerm {
    /// Whether a namespace may hold pods that are meant. O(requirements).
    pub(super) fn in_space(&self, name: &Name, labels: &LabelSet) -> Truth {
        if self.scope.as_ref().is_some_and(|scope| scope != name) {
            return Truth::No;
        }
        let of_space = self.needs.iter().filter_map(|(field, is)| match field {
            Field::Space(key) => Some(meets(labels.get(key), is)),
            _ => None,
        });
        of_space.fold(Truth::Sure, Truth::and)
    }

    /// Whether a pod of a namespace that is meant is itself meant. O(requirements × log labels).
    pub(super) fn of_pod(&self, labels: &LabelSet, account: Option<&Name>) -> Truth {
        let of_pod = self.needs.iter().filter_map(|(field, is)| match field {
            Field::Pod(key) => Some(meets(labels.get(key), is)),
            Field::Account => Some(account.map_or(Truth::Perhaps, |account| meets(Some(account), is))),
            Field::Space(_) => None,
        });
        of_pod.fold(Truth::Sure, Truth::and)
    }

    /// The namespace it is about, where it can be only one.
    fn only_space(&self) -> Option<&Name> {
        self.scope.as_ref().or_else(|| {
            self.needs.iter().find_map(|(field, is)| match (field, is) {
                (Field::Space(key), Is::In(values)) if key.as_ref() == NAMESPACE_NAME && values.len() == 1 => values.first(),
                _ => None,
            })
        })
    }

    /// Labels of pods that it looks at.
    pub(super) fn keys(&self) -> impl Iterator<Item = &Name> {
        self.needs.iter().filter_map(|(field, _)| if let Field::Pod(key) = field { Some(key) } else { None })
    }

    /// Whether it looks at service accounts.
    pub(super) fn wants_account(&self) -> bool {
        self.needs.iter().any(|(field, _)| *field == Field::Account)
    }
}

/// What matches what is found at an address outside the pods.
pub(super) fn matches_address(term: &Term, family: Family, at: u128, zone: Zone, nodes_match: bool) -> Truth {
    let sure = |yes: bool| if yes { Truth::Sure } else { Truth::No };
    match term {
        Term::Anybody => Truth::Sure,
        Term::Unclear => Truth::Perhaps,
        Term::Pods(_) => Truth::No,
        Term::Addresses(ranges, over) => {
            let seen = match (over, zone) {
                (Over::Nodes, _) | (_, Zone::World) | (Over::World, Zone::Api { node: false }) => true,
                (Over::Profile, Zone::Api { node: false }) => true,
                (Over::Profile, Zone::Node | Zone::Api { node: true }) => nodes_match,
                (Over::World, _) | (Over::Profile, Zone::Pod) => false,
            };
            sure(seen && ranges.contains(family, at))
        }
        Term::Names => {
            if matches!(zone, Zone::World | Zone::Api { node: false }) {
                Truth::Perhaps
            } else {
                Truth::No
            }
        }
        Term::Entities(e) => match zone {
            Zone::World => sure(if family == Family::V4 { e.world_v4 } else { e.world_v6 }),
            Zone::Node => node(e),
            Zone::Api { node: true } => {
                if e.api {
                    Truth::Sure
                } else {
                    node(e)
                }
            }
            Zone::Api { node: false } => {
                let world = if family == Family::V4 { e.world_v4 } else { e.world_v6 };
                if e.api {
                    Truth::Sure
                } else if world {
                    Truth::Perhaps
                } else {
                    Truth::No
                }
            }
            Zone::Pod => sure(e.pods),
        },
        Term::Perhaps(inner) => matches_address(inner, family, at, zone, nodes_match).and(Truth::Perhaps),
    }
}

/// A node is the pod's own or another: both named is sure, one of them is not.
pub(super) fn node(e: &Entities) -> Truth {
    match (e.host, e.remote) {
        (true, true) => Truth::Sure,
        (false, false) => Truth::No,
        _ => Truth::Perhaps,
    }
}

/// Namespaces by label, so that a selector finds those it means without asking each.
#[derive(Debug, Default)]
pub(super) struct SpaceIndex {
    by_label: FxHashMap<(Name, Name), Vec<u32>>,
}

impl SpaceIndex {
    /// From the labels of namespaces, in order. O(labels).
    pub(super) fn new<'a>(spaces: impl Iterator<Item = &'a LabelSet>) -> Self {
        let mut index = Self::default();
        for (at, labels) in (0..).zip(spaces) {
            for pair in labels.iter() {
                index.by_label.entry(pair.clone()).or_default().push(at);
            }
        }
        index
    }

    /// Namespaces that a term may be about, a superset; none for any. O(values).
    pub(super) fn candidates(&self, term: &PodTerm) -> Option<Vec<u32>> {
        let found = |key: &Name, value: &Name| self.by_label.get(&(key.clone(), value.clone())).cloned().unwrap_or_default();
        if let Some(name) = term.only_space() {
            return Some(found(&NAMESPACE_NAME.into(), name));
        }
        term.needs.iter().find_map(|(field, is)| match (field, is) {
            (Field::Space(key), Is::In(values)) => {
                let mut all: Vec<u32> = values.iter().flat_map(|value| found(key, value)).collect();
                all.sort_unstable();
                all.dedup();
                Some(all)
            }
            _ => None,
        })
    }
}
