//! The cluster as the engine sees it, and the answer for a pair of pods.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::class::{Class, Spot};
use super::ground::{Face, Ground, Group};
use super::imagine::imagine;
use super::isolation::Direction;
use super::judge::{Held, Look, Named, Seen, judge, peer_of};
use super::listing::Nodes;
use super::numbers::Number;
use super::outside::Landmarks;
use super::portbook::{Open, PortBook};
use super::ranges::{FAMILIES, Family, Ranges, address};
use super::reach::Options;
use super::rules::Entry;
use super::space::{Space, space_labels};
use super::survey::Effects;
use super::term::{Outside, SpaceIndex, TermId, matches_address};
use super::truth::{Both, Truth};
use crate::model::ids::Name;
use crate::model::pod::NodeFact;
use crate::model::snapshot::{ByName, ClusterFacts, NamespaceFacts, Snapshot};

/// Everything compiled.
#[derive(Debug)]
pub(super) struct World {
    pub ground: Ground,
    /// By name.
    pub spaces: Vec<Space>,
    /// The place of each namespace.
    pub place: FxHashMap<Name, u32>,
    /// Answers between faces.
    pub far: FxHashMap<(Number, Number), Open>,
    /// Where the fixed targets are.
    pub marks: Landmarks,
    pub spots: Spots,
    /// The cluster-wide facts that it was compiled from.
    pub seen: (Arc<ClusterFacts>, Arc<ByName<NodeFact>>),
}

impl World {
    /// From nothing. O(pods × relevant labels + policies + classes × units and terms of their namespace).
    pub(super) fn new(options: &Options, snapshot: &Snapshot) -> Self {
        let mut ground = Ground::new(options, snapshot);
        let spaces = snapshot.namespaces.iter().map(|(name, facts)| Space::new(name, facts, space_labels(name, facts)));
        let mut spaces: Vec<Space> = spaces.collect();
        ground.spaces = SpaceIndex::new(spaces.iter().map(|space| &space.labels));
        ground.space_labels = spaces.iter().map(|space| (space.name.clone(), space.labels.clone())).collect();
        let mut effects = Effects::default();
        ground.compile_cluster(snapshot, &mut effects);
        let nothing = NamespaceFacts::default();
        for space in &mut spaces {
            ground.compile_space(snapshot, (&nothing, &space.facts), &mut space.known, &mut effects);
            space.units = space.known.values().flatten().copied().collect();
        }
        ground.cut_addresses();
        for (space, term) in effects.gained {
            if let Some(space) = spaces.get_mut(space as usize) {
                space.meant_by.push(term);
            }
        }
        for space in &mut spaces {
            space.classify(&ground);
        }
        let known_ranges = pod_ranges(options, snapshot, &ground);
        let spots = Spots::new(known_ranges, spaces.iter());
        ground.pod_space = spots.sets();
        for space in &mut spaces {
            space.acquaint(&mut ground);
            imagine(space, &mut ground);
        }
        let place = (0..).zip(&spaces).map(|(at, space)| (space.name.clone(), at)).collect();
        let marks = Landmarks::new(options, snapshot);
        let seen = (snapshot.cluster.clone(), snapshot.nodes.clone());
        Self { ground, spaces, place, far: FxHashMap::default(), marks, spots, seen }
    }

    pub(super) fn space(&self, name: &str) -> Option<&Space> {
        self.place.get(name).and_then(|at| self.spaces.get(*at as usize))
    }

    pub(super) fn class(&self, (space, class): ClassAt) -> Option<(&Space, &Class)> {
        let space = self.spaces.get(space as usize)?;
        Some((space, space.classes.get(class as usize)?))
    }

    /// The answer between strangers, by their faces. O(1) once done.
    pub(super) fn far_pair(&mut self, from: Number, to: Number) -> Open {
        if let Some(known) = self.far.get(&(from, to)) {
            return *known;
        }
        let mut book = std::mem::take(&mut self.ground.ports);
        let open = far_pair(&self.ground, from, to, &mut book).unwrap_or(Open::UNKNOWN);
        self.ground.ports = book;
        self.far.insert((from, to), open);
        open
    }

    /// What is found at an address, as a pod sees it of which the node is not looked at.
    pub(super) fn outside_at(&self, family: Family, at: u128) -> Outside {
        let (node, api) = (self.marks.nodes.contains(family, at), self.marks.api.contains(family, at));
        Outside { family, at, node, api, own: Truth::No }
    }
}

/// The sets of address terms within the ranges that are said to be those of pods.
fn pod_ranges(options: &Options, snapshot: &Snapshot, ground: &Ground) -> [BTreeSet<Number>; 2] {
    let ranges = snapshot.nodes.values().flat_map(|node| node.pod_cidrs.iter()).chain(&options.places.pod_ranges);
    let ranges = Ranges::new(ranges.copied());
    FAMILIES.map(|family| ground.atoms.within(family, &ranges))
}

/// The sets of address terms that pods lie in, or may.
#[derive(Debug)]
pub(super) struct Spots {
    /// Within the ranges that are said to be theirs.
    ranges: [BTreeSet<Number>; 2],
    /// Of pods that are there, by how many classes.
    counts: [BTreeMap<Number, u32>; 2],
}

impl Spots {
    fn new<'a>(ranges: [BTreeSet<Number>; 2], spaces: impl Iterator<Item = &'a Space>) -> Self {
        let mut spots = Self { ranges, counts: Default::default() };
        for space in spaces {
            spots.add(&space.classes);
        }
        spots
    }

    fn of(classes: &[Class]) -> impl Iterator<Item = (usize, Number)> {
        let there = classes.iter().filter(|class| class.count > 0 && !class.key.host);
        let spots = there.flat_map(|class| class.key.spots.iter().enumerate());
        spots.filter_map(|(family, spot)| if let Spot::At(set) = spot { Some((family, *set)) } else { None })
    }

    /// Counts classes in.
    pub(super) fn add(&mut self, classes: &[Class]) {
        for (family, set) in Self::of(classes) {
            if let Some(counts) = self.counts.get_mut(family) {
                *counts.entry(set).or_default() += 1;
            }
        }
    }

    /// Counts classes out.
    pub(super) fn remove(&mut self, classes: &[Class]) {
        for (family, set) in Self::of(classes) {
            let Some(counts) = self.counts.get_mut(family) else { continue };
            if let Some(count) = counts.get_mut(&set) {
                *count -= 1;
                if *count == 0 {
                    counts.remove(&set);
                }
            }
        }
    }

    /// All of them, by family. O(sets).
    pub(super) fn sets(&self) -> [BTreeSet<Number>; 2] {
        let mut sets = self.ranges.clone();
        for (sets, counts) in sets.iter_mut().zip(&self.counts) {
            sets.extend(counts.keys().copied());
        }
        sets
    }
}

/// A class by its namespace's place and its own.
pub(super) type ClassAt = (u32, u32);

/// The families over which two ends may speak: 0 stands for no family, where nothing is known of one of them. None where they have none in common.
pub(super) fn families(from: [bool; 2], to: [bool; 2]) -> &'static [usize] {
    let shared = match (from, to) {
        ([false, false], [false, false]) => return &[0],
        ([false, false], other) | (other, [false, false]) => other,
        ([a4, a6], [b4, b6]) => [a4 && b4, a6 && b6],
    };
    match shared {
        [false, false] => &[],
        [true, false] => &[1],
        [false, true] => &[2],
        [true, true] => &[1, 2],
    }
}

/// One end of a pair as the other sees it.
#[derive(Clone, Copy)]
struct Side<'a> {
    seen: &'a Seen,
    named: Named<'a>,
    families: [bool; 2],
    host: bool,
}

impl Side<'_> {
    /// Whether it looks the same over both families.
    fn uniform(&self) -> bool {
        self.seen.iter().all(|(_, by)| matches!(by, [_, v4, v6] if v4 == v6))
    }
}

/// What both sides say. Over two families, the answer that holds for the pair stands for both. `own`: one of the ends counts as a node; whether as
/// that of the other. O(entries).
fn both_sides<'a>(
    ground: &Ground,
    egress: &(impl Iterator<Item = Held<'a>> + Clone),
    ingress: &(impl Iterator<Item = Held<'a>> + Clone),
    (from, to): (Side<'_>, Side<'_>),
    own: Truth,
    book: &mut PortBook,
) -> Both<Open> {
    let mut families = families(from.families, to.families);
    if families.len() > 1 && from.uniform() && to.uniform() {
        families = families.split_at(1).0;
    }
    let mut all: Option<Both<Open>> = None;
    for family in families {
        let at = |side: &Side<'_>, entry: &Entry| {
            let look = Look {
                terms: &ground.terms,
                seen: side.seen,
                family: *family,
                node: side.host.then_some(own),
                blurred: ground.atoms.blurred,
            };
            peer_of(entry, &look)
        };
        let out = judge(egress.clone(), |entry| at(&to, entry), to.named, book);
        let mut into = judge(ingress.clone(), |entry| at(&from, entry), to.named, book);
        if from.host && !to.host && ground.mode.own_node {
            into = let_in(into, own, book);
        }
        all = Some(match all {
            None => Both { egress: out, ingress: into },
            Some(before) => {
                let (before, now) = (book.meet(before.egress, before.ingress), book.meet(out, into));
                let open = book.join(before, now);
                Both { egress: open, ingress: open }
            }
        });
    }
    all.unwrap_or_default()
}

/// What comes from the pod's own node is always let in.
pub(super) fn let_in(open: Open, own: Truth, book: &mut PortBook) -> Open {
    match own {
        Truth::No => open,
        Truth::Perhaps => book.join(open, Open::UNKNOWN),
        Truth::Sure => Open::ALL,
    }
}

fn far_pair(ground: &Ground, from: Number, to: Number, book: &mut PortBook) -> Option<Open> {
    let face = |number: Number| -> Option<(&Face, &Group)> {
        let face = ground.faces.get(number)?;
        Some((face, ground.groups.get(face.group)?))
    };
    let ((source, source_group), (target, target_group)) = (face(from)?, face(to)?);
    let side = |group| -> Side<'_> {
        let Group { seen, named, host, families }: &Group = group;
        Side { seen, named: named.named(), families: *families, host: *host }
    };
    let pair = (side(source_group), side(target_group));
    let (egress, ingress) = (ground.held_far(source.sides.egress), ground.held_far(target.sides.ingress));
    let both = both_sides(ground, &egress, &ingress, pair, Truth::Perhaps, book);
    Some(book.meet(both.egress, both.ingress))
}

fn side(class: &Class) -> Side<'_> {
    Side { seen: &class.seen, named: class.key.named.named(), families: class.families(), host: class.key.host }
}

/// Whether two nodes are one.
pub(super) fn same_node(a: Option<&Name>, b: Option<&Name>) -> Truth {
    match (a, b) {
        (Some(a), Some(b)) if a == b => Truth::Sure,
        (Some(_), Some(_)) => Truth::No,
        _ => Truth::Perhaps,
    }
}

impl Ground {
    /// The answer between two classes, side by side where there is one family. O(entries of both).
    pub(super) fn sides_of(&self, from: &Class, to: &Class, own: Truth, book: &mut PortBook) -> Both<Open> {
        let (egress, ingress) = (from.held(Direction::Egress, self), to.held(Direction::Ingress, self));
        both_sides(self, &egress, &ingress, (side(from), side(to)), own, book)
    }

    /// The answer between pods of two classes: the union over them where one counts as a node. O(entries of both), and O(pods) for those.
    pub(super) fn pair(&self, (a, from): (&Space, &Class), (b, to): (&Space, &Class), book: &mut PortBook) -> Open {
        self.pair_on((from, || a.nodes_of(from)), (to, || b.nodes_of(to)), book)
    }

    /// As [`Self::pair`], of pods that run on these nodes only. O(entries of both).
    pub(super) fn pair_on(
        &self,
        (from, from_nodes): (&Class, impl Fn() -> Nodes),
        (to, to_nodes): (&Class, impl Fn() -> Nodes),
        book: &mut PortBook,
    ) -> Open {
        let owns = match (from.key.host, to.key.host) {
            (true, false) => owns(from.key.node.as_ref(), &to_nodes()),
            (false, true) => owns(to.key.node.as_ref(), &from_nodes()),
            _ => {
                let both = self.sides_of(from, to, Truth::No, book);
                return book.meet(both.egress, both.ingress);
            }
        };
        let mut open = Open::NONE;
        for own in owns {
            let both = self.sides_of(from, to, own, book);
            let one = book.meet(both.egress, both.ingress);
            open = book.join(open, one);
        }
        open
    }

    /// Whether an address outside the pods is one of an entry's peers. O(peers × log ranges).
    pub(super) fn address_of(&self, entry: &Entry, there: &Outside) -> Truth {
        // ingress rules of the cluster-wide tiers mean pods only
        if entry.inside_only {
            return Truth::No;
        }
        let one = |id: &TermId| matches_address(self.terms.get(*id), there, self.mode.switches);
        entry.peers.iter().map(one).max().unwrap_or_default()
    }

    /// What a subject may open to an address. O(entries).
    pub(super) fn outside<'a>(&self, held: impl Iterator<Item = Held<'a>> + Clone, there: &Outside, book: &mut PortBook) -> Open {
        judge(held, |entry| self.address_of(entry, there), Named::Nowhere, book)
    }

    /// What a class may open to, or be opened to by, an address; nothing where it has no address of the family. O(entries).
    pub(super) fn class_outside(&self, class: &Class, direction: Direction, there: &Outside, book: &mut PortBook) -> Open {
        let has = class.families();
        if has != [false, false] && has.get(there.family as usize) != Some(&true) {
            return Open::NONE;
        }
        let names = match direction {
            Direction::Egress => Named::Nowhere,
            Direction::Ingress => class.key.named.named(),
        };
        let open = judge(class.held(direction, self), |entry| self.address_of(entry, there), names, book);
        let from_node = direction == Direction::Ingress && there.node && self.mode.own_node;
        if from_node { let_in(open, there.own, book) } else { open }
    }

    /// Names of the nodes that have an address. O(nodes).
    pub(super) fn nodes_at(&self, there: &Outside) -> Vec<&Name> {
        let ip = address(there.family, there.at);
        let mut names: Vec<&Name> = self.node_ips.iter().filter(|(_, ips)| ips.contains(&ip)).map(|(name, _)| name).collect();
        names.sort();
        names
    }

    /// The rules of a numbered side.
    pub(super) fn held_far(&self, side: Number) -> impl Iterator<Item = Held<'_>> + Clone {
        let side = self.sides.get(side).into_iter().flat_map(|side| side.iter());
        side.filter_map(|(truth, tier, rules)| Some(Held { truth: *truth, tier, rules: self.rulesets.get(*rules)? }))
    }
}

/// Whether a node may be that of each of these pods.
pub(super) fn owns(node: Option<&Name>, of: &BTreeSet<Option<Name>>) -> BTreeSet<Truth> {
    of.iter().map(|other| same_node(node, other.as_ref())).collect()
}
