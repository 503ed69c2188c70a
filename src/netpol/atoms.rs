//! Addresses cut at every boundary that a rule names.

use std::collections::BTreeSet;

use super::numbers::{Number, Numbers};
use super::ranges::{FAMILIES, Family, Ranges};
use super::term::TermId;

/// Elementary intervals of addresses, each with the terms it lies in.
#[derive(Debug, Default)]
pub(super) struct Atoms {
    starts: [Vec<(u128, Number)>; 2],
    sets: Numbers<Box<[TermId]>>,
    /// There are too many ranges over one another to tell intervals apart: which pods a range matches is not known.
    pub blurred: bool,
}

/// So many terms may be noted of all intervals together.
const MOST: usize = 2_000_000;

impl Atoms {
    /// From the terms of addresses. O(n²) in the number of ranges at worst, for ranges that all overlap, up to [`MOST`]; beyond that it is given up.
    pub(super) fn new<'a>(terms: impl Iterator<Item = (TermId, &'a Ranges)>) -> Self {
        let mut atoms = Self::default();
        // number 0: in none
        atoms.sets.number(Box::default());
        let terms: Vec<_> = terms.collect();
        let mut noted = 0;
        for (place, family) in FAMILIES.into_iter().enumerate() {
            let mut turns: Vec<(u128, bool, TermId)> = Vec::new();
            for (id, ranges) in &terms {
                for (from, to) in ranges.of(family) {
                    turns.push((*from, true, *id));
                    if let Some(after) = to.checked_add(1) {
                        turns.push((after, false, *id));
                    }
                }
            }
            turns.sort_unstable();
            let mut inside: BTreeSet<TermId> = BTreeSet::new();
            let mut starts: Vec<(u128, Number)> = Vec::new();
            for turn in turns.chunk_by(|a, b| a.0 == b.0) {
                for (_, _, id) in turn.iter().filter(|(_, begins, _)| !begins) {
                    inside.remove(id);
                }
                for (_, _, id) in turn.iter().filter(|(_, begins, _)| *begins) {
                    inside.insert(*id);
                }
                noted += inside.len();
                if noted > MOST {
                    return Self { blurred: true, ..Self::default() };
                }
                let set = atoms.sets.number(inside.iter().copied().collect());
                starts.extend(turn.first().map(|(at, _, _)| (*at, set)));
            }
            if let Some(list) = atoms.starts.get_mut(place) {
                *list = starts;
            }
        }
        atoms
    }

    /// The terms' set that an address lies in. O(log n).
    pub(super) fn at(&self, family: Family, at: u128) -> Number {
        let starts = self.starts.get(family as usize).map_or(&[][..], |starts| starts);
        let before = starts.partition_point(|(start, _)| *start <= at).checked_sub(1);
        before.and_then(|i| starts.get(i)).map_or(0, |(_, set)| *set)
    }

    /// The terms of a number.
    pub(super) fn set(&self, number: Number) -> &[TermId] {
        self.sets.get(number).map_or(&[], |set| set)
    }

    /// Sets met within ranges of a family. O(n).
    pub(super) fn within(&self, family: Family, ranges: &Ranges) -> BTreeSet<Number> {
        let mut met = BTreeSet::new();
        for (from, to) in ranges.of(family) {
            met.insert(self.at(family, *from));
            let starts = self.starts.get(family as usize).into_iter().flatten();
            met.extend(starts.filter(|(start, _)| start > from && start <= to).map(|(_, set)| *set));
        }
        met
    }
}
