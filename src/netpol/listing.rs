//! Workloads, and every connection between them and with addresses outside.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::class::{Class, ClassKey, Names, Spot, named_ports};
use super::ends::Cow;
use super::isolation::Direction;
use super::outside::intervals;
use super::portbook::{Open, PortBook};
use super::ranges::{FAMILIES, Family, Ranges};
use super::reach::{Connection, Peer, Workload};
use super::space::Space;
use super::term::Outside;
use super::truth::DIRECTIONS;
use super::world::World;
use crate::model::ids::Name;
use crate::model::kind::Kind;
use crate::model::workload::WorkloadFact;

/// Kind and name.
type Owner = (Name, Name);
/// Nodes that pods run on; none for one that is not known.
pub(super) type Nodes = BTreeSet<Option<Name>>;

/// Classes with their nodes and a direction, with what they open.
type Outsides<'a> = FxHashMap<(Vec<(*const Class, &'a Nodes)>, Direction), Vec<(Ranges, Open)>>;

/// A workload with the classes of its pods.
pub(super) struct Group<'a> {
    pub workload: Workload,
    pub space: &'a Space,
    /// Each with the nodes of this workload's pods of it: classmates elsewhere are others' neighbours.
    pub classes: Vec<(Cow<'a>, Nodes)>,
}

/// Every workload, sorted. O(pods).
pub(super) fn workloads(world: &World) -> Vec<Group<'_>> {
    let mut all: Vec<Group<'_>> = world.spaces.iter().flat_map(|space| of_space(world, space)).collect();
    all.sort_by(|a, b| a.workload.cmp(&b.workload));
    all
}

/// The workloads of one namespace. O(pods).
pub(super) fn of_space<'a>(world: &'a World, space: &'a Space) -> Vec<Group<'a>> {
    let mut found: BTreeMap<Owner, (BTreeSet<Owner>, BTreeMap<u32, Nodes>)> = BTreeMap::new();
    for (pod, class) in space.facts.pods.values().zip(&space.class_of) {
        let Some(class) = class else { continue };
        let owner = pod.owner.as_ref().and_then(|owner| owner.split_once('/'));
        let direct: (Name, Name) = owner.map_or_else(|| ("Pod".into(), pod.meta.name.clone()), |(kind, name)| (kind.into(), name.into()));
        let shown = maker(space, &direct).unwrap_or_else(|| direct.clone());
        let entry = found.entry(shown.clone()).or_default();
        if shown != direct {
            entry.0.insert(direct);
        }
        entry.1.entry(*class).or_default().insert(pod.node.clone());
    }
    let mut groups: Vec<Group<'a>> = Vec::with_capacity(found.len());
    for fact in space.facts.workloads.values() {
        let shown: (Name, Name) = (fact.kind.as_str().into(), fact.meta.name.clone());
        let made_by = maker(space, &shown);
        if !found.contains_key(&shown) && made_by.is_none() {
            groups.push(Group {
                workload: named(space, shown, BTreeSet::new()),
                space,
                classes: vec![(template(world, space, fact), Nodes::from([None]))],
            });
        }
    }
    for (shown, (aliases, classes)) in found {
        let known = |(at, nodes): (u32, Nodes)| Some((Cow::Known(space.classes.get(at as usize)?), nodes));
        let classes = classes.into_iter().filter_map(known).collect();
        groups.push(Group { workload: named(space, shown, aliases), space, classes });
    }
    groups
}

fn named(space: &Space, (kind, name): (Name, Name), aliases: BTreeSet<(Name, Name)>) -> Workload {
    Workload { namespace: space.name.clone(), name, kind, aliases: aliases.into_iter().collect() }
}

/// The Deployment of a ReplicaSet, the CronJob of a Job: told by the name, where such an object is there.
fn maker(space: &Space, (kind, name): &(Name, Name)) -> Option<(Name, Name)> {
    let maker = match kind.as_ref() {
        "ReplicaSet" => Kind::Deployment,
        "Job" => Kind::CronJob,
        _ => return None,
    };
    let (base, _) = name.rsplit_once('-')?;
    let base: Name = base.into();
    space.facts.workloads.contains_key(&(maker, base.clone())).then(|| (maker.as_str().into(), base))
}

/// A pod as a workload without pods would make it.
fn template<'a>(world: &World, space: &Space, fact: &WorkloadFact) -> Cow<'a> {
    let keys = space.keys(&world.ground);
    let key = ClassKey {
        labels: keys.project(&fact.template_labels),
        account: keys.accounts.then(|| fact.service_account.clone()),
        named: Names::Table(named_ports(&fact.containers, &world.ground)),
        host: fact.host_network,
        node: None,
        // as a pod without an address: no range is claimed to hold it
        spots: [Spot::None; 2],
    };
    Cow::Made(Arc::new(space.stranger(key, fact.meta.name.clone(), &world.ground)))
}

/// Pairs of classes judged once.
struct Judged<'a> {
    world: &'a World,
    book: PortBook,
    pairs: FxHashMap<(*const Class, *const Class), Open>,
}

impl Judged<'_> {
    fn pair(&mut self, from: &Group<'_>, to: &Group<'_>) -> Open {
        let mut open = Open::NONE;
        for (a, from_nodes) in &from.classes {
            for (b, to_nodes) in &to.classes {
                let key = (&raw const **a, &raw const **b);
                let one = if a.key.host != b.key.host {
                    self.world.ground.pair_on((a, || from_nodes.clone()), (b, || to_nodes.clone()), &mut self.book)
                } else if let Some(known) = self.pairs.get(&key) {
                    *known
                } else {
                    let one = self.world.ground.pair((from.space, a), (to.space, b), &mut self.book);
                    self.pairs.insert(key, one);
                    one
                };
                open = self.book.join(open, one);
            }
        }
        open
    }
}

/// Every connection. O(workloads² + pairs of classes × entries).
pub(super) fn connections(world: &World) -> Vec<Connection> {
    let groups = workloads(world);
    let mut judged = Judged { world, book: world.ground.ports.copy(), pairs: FxHashMap::default() };
    let mut found = Vec::new();
    for (at, from) in groups.iter().enumerate() {
        for (to_at, to) in groups.iter().enumerate().filter(|(to_at, _)| *to_at != at) {
            let open = judged.pair(from, to);
            if !open.may.is_none() {
                found.push(Connection { from: Peer::Workload(at), to: Peer::Workload(to_at), answer: judged.book.answer(open) });
            }
        }
    }
    let mut outside = Outsides::default();
    for (at, group) in groups.iter().enumerate() {
        let key: Vec<(*const Class, &Nodes)> = group.classes.iter().map(|(class, nodes)| (&raw const **class, nodes)).collect();
        for direction in DIRECTIONS {
            let ranges = outside.entry((key.clone(), direction)).or_insert_with(|| addresses(world, group, direction, &mut judged.book));
            for (ranges, open) in ranges.iter().filter(|(_, open)| !open.may.is_none()) {
                let (workload, outside) = (Peer::Workload(at), Peer::Addresses(ranges.pairs()));
                let (from, to) = if direction == Direction::Egress { (workload, outside) } else { (outside, workload) };
                found.push(Connection { from, to, answer: judged.book.answer(*open) });
            }
        }
    }
    found.sort_by(|a, b| (&a.from, &a.to, &a.answer).cmp(&(&b.from, &b.to, &b.answer)));
    found
}

/// Ranges of addresses with what pods may open to them, or be opened to by them; ranges with equal answers are joined, a family apart. That a pod's own
/// node is always let in is left out. O(ranges of the entries × entries).
fn addresses(world: &World, group: &Group<'_>, direction: Direction, book: &mut PortBook) -> Vec<(Ranges, Open)> {
    let mut by_answer: BTreeMap<Open, Vec<(Family, u128, u128)>> = BTreeMap::new();
    let held = group.classes.iter().flat_map(|(class, _)| class.held(direction, &world.ground));
    for (family, from, to) in intervals(world, held, &Ranges::all()) {
        let mut open = Open::NONE;
        let there = world.outside_at(family, from);
        for (class, nodes) in &group.classes {
            let nodes = (there.node && direction == Direction::Egress).then_some(nodes);
            for own in world.owns_at(&there, nodes) {
                let one = world.ground.class_outside(class, direction, &Outside { own, ..there }, book);
                open = book.join(open, one);
            }
        }
        by_answer.entry(open).or_default().push((family, from, to));
    }
    let ranges = by_answer.into_iter().map(|(open, list)| (Ranges::from_intervals(list), open));
    ranges.flat_map(|(ranges, open)| FAMILIES.map(|family| (ranges.only(family), open))).filter(|(ranges, _)| !ranges.is_empty()).collect()
}
