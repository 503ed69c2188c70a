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
    /// What Cilium calls an end that is no pod: `host`, `world`.
    Reserved(Name),
}

/// Pods, by requirements that must all be met.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub(super) struct PodTerm {
    /// Only in this namespace.
    pub scope: Option<Name>,
    /// All of these.
    pub needs: Box<[(Field, Is)]>,
    /// Ends that are no pods may meet it, too: Cilium judges them by the labels they lack.
    pub beyond: bool,
}

/// Which ends a range of addresses may match besides what is outside the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Over {
    /// Pods and nodes as the profile says.
    Profile,
    /// Neither, unless Cilium is told to: its own reading.
    World,
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
    /// Nodes, by name and address.
    Nodes(Box<[Name]>, Ranges),
    /// Names whose addresses are not known: any address outside, perhaps.
    Names,
    /// Cilium's entities.
    Entities(Entities),
    /// Perhaps.
    Perhaps(Box<Self>),
}

/// An address outside the pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Outside {
    pub family: Family,
    pub at: u128,
    /// A node's.
    pub node: bool,
    /// The API server answers there.
    pub api: bool,
    /// The node is the one that the pod at the other end runs on.
    pub own: Truth,
}

/// What a range of addresses matches besides the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Switches {
    pub pods: bool,
    pub nodes: bool,
    /// The same for Cilium's own policies.
    pub cilium_pods: bool,
    pub cilium_nodes: bool,
    pub ipv6: bool,
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
            Field::Reserved(_) => Some(meets(None, is)),
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

    /// Whether an end that is no pod is meant: it has none of the labels. O(requirements).
    fn of_other(&self, node: bool, own: Truth) -> Truth {
        if !self.beyond {
            return Truth::No;
        }
        let one = |(field, is): &(Field, Is)| match (field, node) {
            (Field::Reserved(word), true) if matches!(word.as_ref(), "host" | "remote-node") => {
                let there = if word.as_ref() == "host" { own } else { own.not() };
                match there {
                    Truth::Perhaps => Truth::Perhaps,
                    there => meets((there == Truth::Sure).then(|| "".into()).as_ref(), is),
                }
            }
            (Field::Reserved(word), false) if word.as_ref() == "world" => meets(Some(&"".into()), is),
            _ => meets(None, is),
        };
        self.needs.iter().map(one).fold(Truth::Sure, Truth::and)
    }
}

/// Whether a term matches what is found at an address outside the pods. O(log ranges), O(requirements).
pub(super) fn matches_address(term: &Term, there: &Outside, switches: Switches) -> Truth {
    let sure = |yes: bool| if yes { Truth::Sure } else { Truth::No };
    match term {
        Term::Anybody => Truth::Sure,
        Term::Unclear => Truth::Perhaps,
        Term::Pods(term) => term.of_other(there.node, there.own),
        Term::Addresses(ranges, over) => {
            let nodes = if *over == Over::Profile { switches.nodes } else { switches.cilium_nodes };
            let read = there.family == Family::V4 || switches.ipv6;
            sure(read && (!there.node || nodes) && ranges.contains(there.family, there.at))
        }
        Term::Nodes(_, ranges) => sure(there.node && ranges.contains(there.family, there.at)),
        Term::Names => {
            if there.node {
                Truth::No
            } else {
                Truth::Perhaps
            }
        }
        Term::Entities(e) => {
            let world = if there.family == Family::V4 { e.world_v4 } else { e.world_v6 };
            let other = if there.node { node(*e, there.own) } else { sure(world) };
            sure(e.api && there.api).or(other)
        }
        Term::Perhaps(inner) => matches_address(inner, there, switches).and(Truth::Perhaps),
    }
}

/// Whether a term matches a pod on the node's network, beyond what its address says; none for terms that don't look at that.
pub(super) fn matches_node(term: &Term, own: Truth) -> Option<Truth> {
    match term {
        Term::Entities(e) => Some(node(*e, own)),
        Term::Pods(term) if term.beyond => Some(term.of_other(true, own)),
        Term::Perhaps(inner) => matches_node(inner, own).map(|truth| truth.and(Truth::Perhaps)),
        _ => None,
    }
}

/// Whether terms tell the pod's own node from others.
pub(super) fn tells_own_node(term: &Term) -> bool {
    match term {
        Term::Entities(e) => e.host != e.remote,
        Term::Pods(term) => term.beyond && term.needs.iter().any(|(field, _)| matches!(field, Field::Reserved(_))),
        Term::Perhaps(inner) => tells_own_node(inner),
        _ => false,
    }
}

/// A node is the pod's own, or another.
fn node(e: Entities, own: Truth) -> Truth {
    let sure = |yes: bool| if yes { Truth::Sure } else { Truth::No };
    match own {
        Truth::Sure => sure(e.host),
        Truth::No => sure(e.remote),
        Truth::Perhaps if e.host == e.remote => sure(e.host),
        Truth::Perhaps => Truth::Perhaps,
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
