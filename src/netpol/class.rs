//! A class of pods: what tells it apart, which units apply to it, and how it looks to others.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::ground::{Face, FarSide, Ground, Group};
use super::isolation::Direction;
use super::judge::{Held, Named, NamedPort, Seen};
use super::numbers::Number;
use super::profile::{Enforcement, HostNetwork};
use super::ranges::{FAMILIES, Family, number};
use super::rules::UnitId;
use super::term::{Over, Term, TermId};
use super::truth::{Both, Truth};
use crate::model::containers::{ContainerRole, Containers};
use crate::model::ids::Name;
use crate::model::labels::LabelSet;
use crate::model::pod::PodFact;

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

impl ClassKey {
    /// Ranges of addresses that may match it. O(terms of its intervals).
    pub(super) fn ranges(&self, ground: &Ground) -> BTreeSet<TermId> {
        let mut all = BTreeSet::new();
        for (spot, space) in self.spots.iter().zip(&ground.pod_space) {
            match spot {
                Spot::None => {}
                Spot::At(set) => all.extend(ground.atoms.set(*set)),
                Spot::Floating => all.extend(space.iter().flat_map(|set| ground.atoms.set(*set))),
                Spot::Hidden => all.extend(&ground.ranges),
            }
        }
        all
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
    pub(super) fn face(&mut self, class: &Class, far: Box<Seen>) -> Number {
        let sides = Both { ingress: far_side(class, Direction::Ingress, self), egress: far_side(class, Direction::Egress, self) };
        let group = Group { seen: far, named: class.key.named.clone(), host: class.key.host, families: class.families() };
        let face = Face { sides, group: self.groups.number(group) };
        self.faces.number(face)
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

pub(super) fn spots(pod: &PodFact, ground: &Ground) -> [Spot; 2] {
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
            let name = port.name.as_ref().filter(|name| ground.port_names.contains_key(*name))?;
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
pub(super) fn seen_by(term: &Term, id: TermId, key: &ClassKey, ground: &Ground) -> [Truth; 3] {
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
    let inside = |set: u32| ground.atoms.set(set).binary_search(&id).is_ok();
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
