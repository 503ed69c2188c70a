//! A namespace and the classes of its pods: pods that no policy tells apart are one class.

use std::collections::BTreeSet;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::ground::{Face, FarSide, Ground, Group, Means, Number};
use super::isolation::Direction;
use super::judge::{Held, Named, NamedPort, Seen as FarSeen};
use super::profile::{Enforcement, HostNetwork};
use super::ranges::{FAMILIES, Family, number};
use super::rules::{Tier, UnitId};
use super::selector::NAMESPACE_NAME;
use super::term::{Over, Term, TermId};
use super::truth::{Both, Truth};
use crate::model::containers::{ContainerFact, ContainerRole, Containers};
use crate::model::ids::Name;
use crate::model::labels::LabelSet;
use crate::model::pod::PodFact;
use crate::model::snapshot::NamespaceFacts;

/// Where an address of a class lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(super) enum Spot {
    /// It has none of the family, or that does not matter.
    #[default]
    None,
    /// In the address terms of this set.
    At(u32),
    /// Wherever pods are: it does not exist yet.
    Floating,
    /// Somewhere: of one pod that does not exist nothing is known.
    Hidden,
}

/// What ports are called, as far as some policy asks.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Names {
    /// These.
    Table(Arc<[NamedPort]>),
    /// A pod that may be made may call any port anything.
    Any,
    /// One pod of which nothing is known.
    Hidden,
}

impl Default for Names {
    fn default() -> Self {
        Self::Table([].into())
    }
}

impl Names {
    /// As a judgement takes it.
    pub(super) fn named(&self) -> Named<'_> {
        match self {
            Self::Table(table) => Named::Table(table),
            Self::Any => Named::Any,
            Self::Hidden => Named::Hidden,
        }
    }
}

/// What tells pods of a namespace apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct ClassKey {
    /// The labels that some policy looks at.
    pub labels: LabelSet,
    /// Where some policy looks at it.
    pub account: Option<Name>,
    /// Ports whose names some policy uses.
    pub named: Names,
    /// Counts as a node: on the node's network, where the profile does not treat such pods like others.
    pub host: bool,
    /// The node, of a pod that counts as one.
    pub node: Option<Name>,
    /// By family.
    pub spots: [Spot; 2],
}

/// Pods of a namespace that no policy tells apart.
#[derive(Clone, Debug)]
pub(super) struct Class {
    pub key: ClassKey,
    /// How many there are; none of an imagined one.
    pub count: u32,
    /// One of them.
    pub example: Name,
    /// Units whose subject it is, by tier.
    pub units: Box<[(UnitId, Truth)]>,
    /// Peer terms that match it.
    pub seen: Box<[(TermId, [Truth; 3])]>,
    /// The number of its [`Face`].
    pub face: Number,
}

/// A namespace.
#[derive(Debug)]
pub(super) struct Space {
    pub name: Name,
    pub facts: Arc<NamespaceFacts>,
    /// With the label that names it.
    pub labels: LabelSet,
    /// Its own policies.
    pub units: Vec<UnitId>,
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
    pub(super) fn new(name: &Name, facts: &Arc<NamespaceFacts>, labels: LabelSet, units: Vec<UnitId>) -> Self {
        Self {
            name: name.clone(),
            facts: facts.clone(),
            labels,
            units,
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
        let own = self.units.iter().map(|id| (*id, Truth::Sure));
        let mut units: Vec<(UnitId, Truth)> = Vec::new();
        for (id, here) in own.chain(globals.iter().copied()).filter(|_| !free) {
            let Some(unit) = ground.unit(id) else { continue };
            let Term::Pods(term) = ground.terms.get(unit.subject.term) else { continue };
            let is = term.of_pod(&class.key.labels, class.key.account.as_ref()).and(here);
            let is = if matches!(unit.tier, Tier::Foreign { .. }) { is } else { is.and(unit.subject.at_most) };
            if is != Truth::No {
                units.push((id, is));
            }
        }
        if !globals.is_empty() {
            let tier = |id: UnitId| ground.unit(id).map(|unit| &unit.tier);
            units.sort_by(|a, b| tier(a.0).cmp(&tier(b.0)).then(a.0.cmp(&b.0)));
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
        let far: Box<[_]> = wide.iter().copied().filter_map(by).collect();
        let mut seen: Vec<_> = narrow.filter_map(by).chain(far.iter().copied()).collect();
        seen.sort_unstable();
        class.seen = seen.into();
        far
    }
}

impl Class {
    pub(super) fn new(key: ClassKey, example: Name) -> Self {
        Self { key, count: 0, example, units: Box::default(), seen: Box::default(), face: 0 }
    }

    /// The families of addresses it has.
    pub(super) fn families(&self) -> [bool; 2] {
        self.key.spots.map(|spot| matches!(spot, Spot::At(_) | Spot::Floating))
    }

    /// The rules that apply to it in a direction, by tier.
    pub(super) fn held<'a>(&'a self, direction: Direction, ground: &'a Ground) -> impl Iterator<Item = Held<'a>> + Clone {
        self.units.iter().filter_map(move |(id, truth)| {
            let unit = ground.unit(*id).filter(|unit| unit.tier.speaks(direction))?;
            Some(Held { truth: *truth, tier: &unit.tier, rules: unit.rules.get(direction) })
        })
    }
}

impl Ground {
    /// How a class looks to strangers, numbered.
    pub(super) fn face(&mut self, class: &Class, far: Box<FarSeen>) -> Number {
        let sides = Both { ingress: far_side(class, Direction::Ingress, self), egress: far_side(class, Direction::Egress, self) };
        let group = Group { seen: far, named: class.key.named.clone(), host: class.key.host, families: class.families() };
        let face = Face { sides, group: self.groups.number(group) };
        self.faces.number(face)
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
    account: Name,
    host: bool,
    node: Option<Name>,
    spots: [Spot; 2],
}

impl Alike {
    fn of(pod: &PodFact, spots: [Spot; 2]) -> Self {
        Self {
            labels: Arc::as_ptr(&pod.labels),
            containers: pod.containers.as_ptr(),
            account: pod.service_account.clone(),
            host: pod.host_network,
            node: pod.node.clone().filter(|_| pod.host_network),
            spots,
        }
    }
}

/// Whether a pod is looked at.
pub(super) fn counts(pod: &PodFact, ground: &Ground) -> bool {
    let finished = pod.finished() && !ground.edges.finished_count;
    let launcher = ground.edges.skips_virt_launcher && pod.meta.name.starts_with("virt-launcher-");
    !finished && !launcher
}

/// Whether policies apply to pods of a class.
pub(super) fn under_policy(key: &ClassKey, ground: &Ground) -> bool {
    ground.mode.enforcement != Enforcement::Never && !key.host
}

/// Whether a pod counts as its node.
pub(super) fn as_node(pod: &PodFact, ground: &Ground) -> bool {
    pod.host_network && ground.edges.host_network != HostNetwork::Ordinary
}

fn spots(pod: &PodFact, ground: &Ground) -> [Spot; 2] {
    let of_node = || pod.node.as_ref().filter(|_| as_node(pod, ground)).and_then(|node| ground.node_ips.get(node));
    let ips = if pod.ips.is_empty() { of_node().map_or(&[][..], |ips| ips) } else { &pod.ips };
    FAMILIES.map(|family| {
        let ip = ips.iter().find(|ip| Family::of(**ip) == family);
        ip.map_or(Spot::None, |ip| Spot::At(ground.atoms.at(family, number(*ip))))
    })
}

/// The ports of containers that answer beside one another, whose names some policy uses.
pub(super) fn named_ports(containers: &Containers, ground: &Ground) -> Arc<[NamedPort]> {
    if ground.port_names.is_empty() {
        return [].into();
    }
    let running = containers.iter().filter(|container| container.role != ContainerRole::Init);
    let ports = running.flat_map(|container| &container.ports);
    let mut named: Vec<NamedPort> = ports
        .filter_map(|port| {
            let name = port.name.as_ref().filter(|name| ground.port_names.contains(*name))?;
            Some((name.clone(), port.protocol, port.port))
        })
        .collect();
    named.sort();
    named.dedup();
    named.into()
}

fn far_side(class: &Class, direction: Direction, ground: &mut Ground) -> u32 {
    let mut side: Vec<_> = class
        .units
        .iter()
        .filter_map(|(id, truth)| {
            let far = ground.far.get(*id as usize)?;
            let unit = ground.unit(*id).filter(|unit| unit.tier.speaks(direction))?;
            Some((*truth, unit.tier.clone(), *far.get(direction)))
        })
        .collect();
    side.sort_by(|a, b| a.1.cmp(&b.1).then_with(|| (a.2, a.0).cmp(&(b.2, b.0))));
    side.dedup();
    let side: FarSide = side.into();
    ground.sides.number(side)
}

/// Whether a term matches a pod of a class whose namespace it means: without an address, over IPv4, over IPv6. What a node's own identity matches
/// hangs on the other end, too, and is not in it.
fn seen_by(term: &Term, id: TermId, key: &ClassKey, ground: &Ground) -> [Truth; 3] {
    let sure = |yes: bool| if yes { Truth::Sure } else { Truth::No };
    match term {
        // these are known without looking
        Term::Anybody | Term::Unclear | Term::Names => [Truth::No; 3],
        Term::Pods(_) if key.host => [Truth::No; 3],
        Term::Pods(term) => [term.of_pod(&key.labels, key.account.as_ref()); 3],
        Term::Entities(e) => [sure(e.pods && !key.host); 3],
        Term::Perhaps(inner) => seen_by(inner, id, key, ground).map(|truth| truth.and(Truth::Perhaps)),
        Term::Nodes(names, _) => [sure(key.host && key.node.as_ref().is_some_and(|node| names.contains(node))); 3],
        Term::Addresses(_, over) => {
            let switches = ground.mode.switches;
            let seen = match (over, key.host) {
                (Over::Profile, false) => switches.pods,
                (Over::Profile, true) => switches.nodes,
                (Over::World, false) => switches.cilium_pods,
                (Over::World, true) => switches.cilium_nodes,
            };
            if seen { by_address(id, key, ground) } else { [Truth::No; 3] }
        }
    }
}

fn by_address(id: TermId, key: &ClassKey, ground: &Ground) -> [Truth; 3] {
    let inside = |set: u32| ground.atoms.set(set).contains(&id);
    let one = |family: Family, spot: Spot| match spot {
        Spot::None => Truth::No,
        Spot::Hidden => Truth::Perhaps,
        Spot::At(_) if family == Family::V6 && !ground.edges.ipv6 => Truth::No,
        Spot::At(set) => {
            if inside(set) {
                Truth::Sure
            } else {
                Truth::No
            }
        }
        Spot::Floating => {
            let space = ground.pod_space.get(family as usize);
            let of = space.map_or(0, BTreeSet::len);
            match space.map_or(0, |sets| sets.iter().filter(|set| inside(**set)).count()) {
                0 => Truth::No,
                n if n == of => Truth::Sure,
                _ => Truth::Perhaps,
            }
        }
    };
    let [v4, v6] = key.spots;
    let none = if key.spots.contains(&Spot::Hidden) { Truth::Perhaps } else { Truth::No };
    [none, one(Family::V4, v4), one(Family::V6, v6)]
}

/// Whether a term is meant for few namespaces, this one among them.
pub(super) fn narrow_spaces(means: &Means) -> &[u32] {
    match means {
        Means::Narrow(spaces) => spaces,
        _ => &[],
    }
}
