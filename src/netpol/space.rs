//! A namespace and the classes of its pods: pods that no policy tells apart are one class.

use std::collections::BTreeSet;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::class::{Class, ClassKey, Names, Spot, as_node, counts, named_ports, seen_by, spots, under_policy};
use super::ground::{Ground, Known};
use super::judge::Seen as FarSeen;
use super::rules::{Tier, UnitId};
use super::selector::NAMESPACE_NAME;
use super::term::{Term, TermId};
use super::truth::Truth;
use crate::model::containers::ContainerFact;
use crate::model::ids::Name;
use crate::model::labels::LabelSet;
use crate::model::pod::PodFact;
use crate::model::snapshot::NamespaceFacts;

/// A namespace.
#[derive(Debug)]
pub(super) struct Space {
    pub name: Name,
    pub facts: Arc<NamespaceFacts>,
    /// With the label that names it.
    pub labels: LabelSet,
    /// Its own policies' units, in the order of the policies.
    pub units: Vec<UnitId>,
    /// The same by policy.
    pub known: Known,
    /// Peer terms that mean this namespace among few.
    pub meant_by: Vec<TermId>,
    /// Existing classes, then imagined ones.
    pub classes: Vec<Class>,
    /// The class of each pod, in the order of the facts; none for pods that do not count.
    pub class_of: Vec<Option<u32>>,
    /// Some of what may be made here was not imagined: there are too many kinds of it.
    pub imagined_cut: bool,
}

/// The labels of a namespace, with the one that every namespace carries.
pub(super) fn space_labels(name: &Name, facts: &NamespaceFacts) -> LabelSet {
    let own = facts.own.iter().flat_map(|own| own.labels.iter().cloned());
    LabelSet::new([(NAMESPACE_NAME.into(), name.clone())].into_iter().chain(own))
}

impl Space {
    pub(super) fn new(name: &Name, facts: &Arc<NamespaceFacts>, labels: LabelSet) -> Self {
        Self {
            name: name.clone(),
            facts: facts.clone(),
            labels,
            units: Vec::new(),
            known: Known::new(),
            meant_by: Vec::new(),
            classes: Vec::new(),
            class_of: Vec::new(),
            imagined_cut: false,
        }
    }

    /// Labels of pods that some policy looks at here.
    pub(super) fn keys(&self, ground: &Ground) -> KeySet {
        let mut keys = KeySet { accounts: ground.accounts, keys: ground.keys.iter().cloned().collect() };
        let subjects = self.units.iter().filter_map(|id| ground.unit(*id)).map(|unit| unit.subject.term);
        for id in subjects.chain(self.meant_by.iter().copied()) {
            if let Term::Pods(term) = ground.terms.get(id) {
                keys.accounts |= term.wants_account();
                keys.keys.extend(term.keys().cloned());
            }
        }
        keys.keys.sort();
        keys.keys.dedup();
        keys
    }

    /// Sorts the pods into classes. O(pods × relevant labels).
    pub(super) fn classify(&mut self, ground: &Ground) {
        self.classes.clear();
        self.class_of.clear();
        let keys = self.keys(ground);
        let mut known: FxHashMap<ClassKey, u32> = FxHashMap::default();
        let mut alike: FxHashMap<Alike, u32> = FxHashMap::default();
        let facts = self.facts.clone();
        for pod in facts.pods.values() {
            if !counts(pod, ground) {
                self.class_of.push(None);
                continue;
            }
            let spots = spots(pod, ground);
            let shape = Alike::of(pod, spots);
            let at = if let Some(at) = alike.get(&shape) {
                *at
            } else {
                let host = as_node(pod, ground);
                let key = ClassKey {
                    labels: keys.project(&pod.labels),
                    account: keys.accounts.then(|| pod.service_account.clone()),
                    named: if host { Names::default() } else { Names::Table(named_ports(&pod.containers, ground)) },
                    host,
                    node: pod.node.clone().filter(|_| host),
                    spots,
                };
                let at = *known.entry(key.clone()).or_insert_with(|| {
                    self.classes.push(Class::new(key, pod.meta.name.clone()));
                    u32::try_from(self.classes.len() - 1).unwrap_or(u32::MAX)
                });
                alike.insert(shape, at);
                at
            };
            if let Some(class) = self.classes.get_mut(at as usize) {
                class.count += 1;
            }
            self.class_of.push(Some(at));
        }
    }

    /// Works out which units apply to each class and how it looks to others. O(classes × (own and global units and terms)).
    pub(super) fn acquaint(&mut self, ground: &mut Ground) {
        let globals = self.global_units(ground);
        let wide = self.wide_terms(ground);
        let mut classes = std::mem::take(&mut self.classes);
        for class in &mut classes {
            let far = self.acquaint_one(class, ground, &globals, &wide);
            class.face = ground.face(class, far);
        }
        self.classes = classes;
    }

    /// A class of a pod that is not among the pods. Its face stays unknown. O(own and global units and terms).
    pub(super) fn stranger(&self, key: ClassKey, example: Name, ground: &Ground) -> Class {
        let mut class = Class::new(key, example);
        self.acquaint_one(&mut class, ground, &self.global_units(ground), &self.wide_terms(ground));
        class
    }

    /// The nodes that pods of a class run on; none inside where that is not known. O(pods).
    pub(super) fn nodes_of(&self, class: &Class) -> BTreeSet<Option<Name>> {
        let at = self.classes.iter().position(|one| std::ptr::eq(one, class)).and_then(|at| u32::try_from(at).ok());
        let pods = self.facts.pods.values().zip(&self.class_of).filter(|(_, of)| at.is_some() && **of == at);
        let nodes: BTreeSet<Option<Name>> = pods.map(|(pod, _)| pod.node.clone()).collect();
        if nodes.is_empty() { BTreeSet::from([None]) } else { nodes }
    }

    /// How many entries its own policies have. O(policies).
    pub(super) fn weight(&self, ground: &Ground) -> usize {
        let of = |id: &UnitId| ground.unit(*id).map_or(0, |unit| unit.rules.ingress.entries.len() + unit.rules.egress.entries.len());
        self.units.iter().map(of).sum()
    }

    /// Cluster-wide units that may be about pods of this namespace.
    pub(super) fn global_units(&self, ground: &Ground) -> Vec<(UnitId, Truth)> {
        let about = |id: &UnitId| {
            let unit = ground.unit(*id)?;
            let here = match ground.terms.get(unit.subject.term) {
                Term::Pods(term) => term.in_space(&self.name, &self.labels),
                _ => Truth::No,
            };
            (here != Truth::No).then_some((*id, here))
        };
        ground.global.iter().filter_map(about).collect()
    }

    /// Peer terms meant for many that may mean pods of this namespace.
    pub(super) fn wide_terms(&self, ground: &Ground) -> Vec<(TermId, Truth)> {
        let means = |id: &TermId| {
            let here = match ground.terms.get(*id) {
                Term::Pods(term) => term.in_space(&self.name, &self.labels),
                _ => Truth::Sure,
            };
            (here != Truth::No).then_some((*id, here))
        };
        ground.wide.iter().filter_map(means).collect()
    }

    /// Fills in units and matches of one class, and gives those matches that everybody may see.
    pub(super) fn acquaint_one(
        &self,
        class: &mut Class,
        ground: &Ground,
        globals: &[(UnitId, Truth)],
        wide: &[(TermId, Truth)],
    ) -> Box<FarSeen> {
        let free = !under_policy(&class.key, ground);
        let own = self.units.iter().map(|id| (*id, None));
        let mut units: Vec<(UnitId, Truth)> = Vec::new();
        for (id, here) in own.chain(globals.iter().map(|(id, here)| (*id, Some(*here)))).filter(|_| !free) {
            let Some(unit) = ground.unit(id) else { continue };
            let Term::Pods(term) = ground.terms.get(unit.subject.term) else { continue };
            let here = here.unwrap_or_else(|| term.in_space(&self.name, &self.labels));
            let is = term.of_pod(&class.key.labels, class.key.account.as_ref()).and(here);
            let is = if matches!(unit.tier, Tier::Foreign { .. }) { is } else { is.and(unit.subject.at_most) };
            if is != Truth::No {
                units.push((id, is));
            }
        }
        if !globals.is_empty() {
            units.sort_by(|a, b| ground.unit(a.0).map(|unit| &unit.tier).cmp(&ground.unit(b.0).map(|unit| &unit.tier)));
        }
        class.units = units.into();
        let narrow = self.meant_by.iter().filter_map(|id| {
            let Term::Pods(term) = ground.terms.get(*id) else { return None };
            Some((*id, term.in_space(&self.name, &self.labels)))
        });
        let by = |(id, here): (TermId, Truth)| {
            let by = seen_by(ground.terms.get(id), id, &class.key, ground).map(|truth| truth.and(here));
            (by != [Truth::No; 3]).then_some((id, by))
        };
        let ranges = class.key.ranges(ground).into_iter().map(|id| (id, Truth::Sure));
        let mut far: Box<[_]> = wide.iter().copied().chain(ranges).filter_map(by).collect();
        far.sort_unstable_by_key(|(id, _)| *id);
        let mut seen: Vec<_> = narrow.filter_map(by).chain(far.iter().copied()).collect();
        seen.sort_unstable();
        class.seen = seen.into();
        far
    }
}

/// The labels that count.
#[derive(Debug, Default)]
pub(super) struct KeySet {
    pub keys: Vec<Name>,
    pub accounts: bool,
}

impl KeySet {
    /// Labels without those that no policy looks at.
    pub(super) fn project(&self, labels: &LabelSet) -> LabelSet {
        if self.keys.is_empty() {
            return LabelSet::default();
        }
        let kept = self.keys.iter().filter_map(|key| labels.get(key).map(|value| (key.clone(), value.clone())));
        LabelSet::new(kept)
    }
}

/// Pods that share these are alike without looking closer.
#[derive(PartialEq, Eq, Hash)]
struct Alike {
    labels: *const LabelSet,
    containers: *const ContainerFact,
    account: *const u8,
    node: Option<*const u8>,
    spots: [Spot; 2],
}

impl Alike {
    fn of(pod: &PodFact, spots: [Spot; 2]) -> Self {
        Self {
            labels: Arc::as_ptr(&pod.labels),
            containers: pod.containers.as_ptr(),
            account: pod.service_account.as_ptr(),
            node: pod.host_network.then(|| pod.node.as_ref().map_or(std::ptr::null(), |node| node.as_ptr())),
            spots,
        }
    }
}
