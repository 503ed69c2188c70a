//! The cluster as the engine sees it, and the answer for a pair of pods.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::ground::{Face, Ground, Group, Number};
use super::isolation::Direction;
use super::judge::{Held, Named, NamedPort, Seen, judge, peer_of};
use super::outside::Landmarks;
use super::portbook::{Open, PortBook};
use super::ranges::Family;
use super::reach::Options;
use super::rules::Entry;
use super::space::{Class, Space, Spot, space_labels};
use super::term::{SpaceIndex, TermId, Zone, matches_address};
use super::truth::{Both, Truth};
use crate::model::ids::Name;
use crate::model::snapshot::Snapshot;

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
}

impl World {
    /// From nothing. O(pods × relevant labels + policies + classes × units and terms of their namespace).
    pub(super) fn new(options: &Options, snapshot: &Snapshot) -> Self {
        let mut ground = Ground::new(options, snapshot);
        ground.compile_cluster(snapshot);
        let mut spaces = Vec::with_capacity(snapshot.namespaces.len());
        for (name, facts) in snapshot.namespaces.iter() {
            let units = ground.compile_space(snapshot, facts);
            spaces.push(Space::new(name, facts, space_labels(name, facts), units));
        }
        ground.spaces = SpaceIndex::new(spaces.iter().map(|space| &space.labels));
        ground.space_labels = spaces.iter().map(|space| (space.name.clone(), space.labels.clone())).collect();
        ground.survey();
        for (at, means) in (0_u32..).zip(&ground.means) {
            for space in super::space::narrow_spaces(means) {
                if let Some(space) = spaces.get_mut(*space as usize) {
                    space.meant_by.push(super::term::TermId(at));
                }
            }
        }
        for space in &mut spaces {
            space.classify(&ground);
        }
        for space in &mut spaces {
            space.acquaint(&mut ground);
        }
        let place = (0..).zip(&spaces).map(|(at, space)| (space.name.clone(), at)).collect();
        let marks = Landmarks::new(options, snapshot);
        Self { ground, spaces, place, far: FxHashMap::default(), marks }
    }

    pub(super) fn space(&self, name: &str) -> Option<&Space> {
        self.place.get(name).and_then(|at| self.spaces.get(*at as usize))
    }

    pub(super) fn class(&self, (space, class): ClassAt) -> Option<&Class> {
        self.spaces.get(space as usize).and_then(|space| space.classes.get(class as usize))
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

    /// What an address is to Cilium's rules.
    pub(super) fn zone(&self, family: Family, at: u128) -> Zone {
        let node = self.marks.nodes.contains(family, at);
        if self.marks.api.contains(family, at) {
            Zone::Api { node }
        } else if node {
            Zone::Node
        } else {
            Zone::World
        }
    }
}

/// A class by its namespace's place and its own.
pub(super) type ClassAt = (u32, u32);

/// The families over which two ends may speak: 0 stands for no family, where it does not matter or nothing is known.
pub(super) fn families(from: [bool; 2], to: [bool; 2]) -> &'static [usize] {
    let shared = match (from, to) {
        ([false, false], other) | (other, [false, false]) => other,
        ([a4, a6], [b4, b6]) => [a4 && b4, a6 && b6],
    };
    match shared {
        [false, false] => &[0],
        [true, false] => &[1],
        [false, true] => &[2],
        [true, true] => &[1, 2],
    }
}

pub(super) fn named(table: Option<&Arc<[NamedPort]>>) -> Named<'_> {
    table.map_or(Named::Any, |table| Named::Table(table))
}

/// One end of a pair as the other sees it.
#[derive(Clone, Copy)]
struct Look<'a> {
    seen: &'a Seen,
    named: Named<'a>,
    families: [bool; 2],
}

fn both_sides<'a>(
    egress: impl Iterator<Item = Held<'a>> + Clone,
    ingress: impl Iterator<Item = Held<'a>> + Clone,
    (from, to): (Look<'_>, Look<'_>),
    book: &mut PortBook,
) -> Both<Open> {
    let mut both: Option<Both<Open>> = None;
    let mut all = Open::NONE;
    let families = families(from.families, to.families);
    for family in families {
        let out = judge(egress.clone(), |entry| peer_of(entry, to.seen, *family), to.named, book);
        let into = judge(ingress.clone(), |entry| peer_of(entry, from.seen, *family), to.named, book);
        let open = book.meet(out, into);
        all = book.join(all, open);
        both = Some(both.map_or(Both { ingress: into, egress: out }, |before| Both {
            ingress: book.join(before.ingress, into),
            egress: book.join(before.egress, out),
        }));
    }
    // over two families the sides may be open apart and the pair closed: the pair's own answer is what counts
    let both = both.unwrap_or_default();
    if families.len() > 1 { Both { ingress: all, egress: all } } else { both }
}

fn far_pair(ground: &Ground, from: Number, to: Number, book: &mut PortBook) -> Option<Open> {
    let face = |number: Number| -> Option<(&Face, &Group)> {
        let face = ground.faces.get(number)?;
        Some((face, ground.groups.get(face.group)?))
    };
    let ((source, source_group), (target, target_group)) = (face(from)?, face(to)?);
    let names = named(target_group.named.as_ref());
    let from = Look { seen: &source_group.seen, named: names, families: source_group.families };
    let to = Look { seen: &target_group.seen, named: names, families: target_group.families };
    let both = both_sides(ground.held_far(source.sides.egress), ground.held_far(target.sides.ingress), (from, to), book);
    Some(book.meet(both.egress, both.ingress))
}

impl Ground {
    /// The answer between two classes, side by side where there is one family. O(entries of both).
    pub(super) fn sides_of(&self, from: &Class, to: &Class, book: &mut PortBook) -> Both<Open> {
        let look = |class: &'_ Class| class.key.spots.map(|spot| spot != Spot::None);
        let names = named(to.key.named.as_ref());
        let a = Look { seen: &from.seen, named: names, families: look(from) };
        let b = Look { seen: &to.seen, named: names, families: look(to) };
        both_sides(from.held(Direction::Egress, self), to.held(Direction::Ingress, self), (a, b), book)
    }

    /// The answer between two classes. O(entries of both).
    pub(super) fn pair(&self, from: &Class, to: &Class, book: &mut PortBook) -> Open {
        let both = self.sides_of(from, to, book);
        book.meet(both.egress, both.ingress)
    }

    /// What a subject may open to, or be opened to by, an address. O(entries).
    pub(super) fn outside<'a>(
        &self,
        held: impl Iterator<Item = Held<'a>> + Clone,
        names: Named<'_>,
        (family, at, zone): (Family, u128, Zone),
        book: &mut PortBook,
    ) -> Open {
        judge(held, |entry| self.address_of(entry, (family, at, zone)), names, book)
    }

    /// Whether an address outside the pods is one of an entry's peers. O(peers × log ranges).
    pub(super) fn address_of(&self, entry: &Entry, (family, at, zone): (Family, u128, Zone)) -> Truth {
        if entry.inside_only {
            return Truth::No;
        }
        let nodes = self.edges.cidr_matches_nodes;
        let one = |id: &TermId| matches_address(self.terms.get(*id), family, at, zone, nodes);
        entry.peers.iter().map(one).max().unwrap_or_default()
    }

    /// What a class may open to, or be opened to by, an address. O(entries).
    pub(super) fn class_outside(&self, class: &Class, direction: Direction, at: (Family, u128, Zone), book: &mut PortBook) -> Open {
        let names = match direction {
            Direction::Egress => Named::Nowhere,
            Direction::Ingress => named(class.key.named.as_ref()),
        };
        self.outside(class.held(direction, self), names, at, book)
    }

    /// The rules of a numbered side.
    pub(super) fn held_far(&self, side: Number) -> impl Iterator<Item = Held<'_>> + Clone {
        let side = self.sides.get(side).into_iter().flat_map(|side| side.iter());
        side.filter_map(|(truth, tier, rules)| Some(Held { truth: *truth, tier, rules: self.rulesets.get(*rules)? }))
    }
}
