//! Port sets by number: equal sets have equal numbers, and an operation done once is remembered, so that sets cost the same however many
//! ports somebody named.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::answer::Answer;
use super::ports::PortSet;

/// A port set's number in a [`PortBook`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(super) struct Ports(u32);

impl Ports {
    pub(super) const NONE: Self = Self(0);
    pub(super) const ALL: Self = Self(1);

    pub(super) const fn is_none(self) -> bool {
        self.0 == 0
    }
}

/// Ports open for sure, and ports that may be: an [`Answer`] by numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(super) struct Open {
    pub sure: Ports,
    pub may: Ports,
}

impl Open {
    pub(super) const NONE: Self = Self { sure: Ports::NONE, may: Ports::NONE };
    pub(super) const ALL: Self = Self { sure: Ports::ALL, may: Ports::ALL };
    pub(super) const UNKNOWN: Self = Self { sure: Ports::NONE, may: Ports::ALL };
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Op {
    Union,
    Intersect,
    Minus,
}

/// The sets and what is known of them.
#[derive(Debug)]
pub(super) struct PortBook {
    sets: Vec<Arc<PortSet>>,
    numbers: FxHashMap<Arc<PortSet>, Ports>,
    memo: FxHashMap<(Op, Ports, Ports), Ports>,
}

impl Default for PortBook {
    fn default() -> Self {
        let mut book = Self { sets: Vec::new(), numbers: FxHashMap::default(), memo: FxHashMap::default() };
        book.number(PortSet::none());
        book.number(PortSet::all());
        book
    }
}

impl PortBook {
    /// The number of a set. O(ranges).
    pub(super) fn number(&mut self, set: PortSet) -> Ports {
        if let Some(known) = self.numbers.get(&set) {
            return *known;
        }
        let number = Ports(u32::try_from(self.sets.len()).unwrap_or(u32::MAX));
        let shared = Arc::new(set);
        self.sets.push(shared.clone());
        self.numbers.insert(shared, number);
        number
    }

    /// The set of a number.
    pub(super) fn set(&self, ports: Ports) -> Arc<PortSet> {
        self.sets.get(ports.0 as usize).cloned().unwrap_or_default()
    }

    /// How many sets there are.
    pub(super) const fn len(&self) -> usize {
        self.sets.len()
    }

    /// Ports in either. O(1) once done.
    pub(super) fn union(&mut self, a: Ports, b: Ports) -> Ports {
        match (a, b) {
            _ if a == b => a,
            (Ports::NONE, other) | (other, Ports::NONE) => other,
            (Ports::ALL, _) | (_, Ports::ALL) => Ports::ALL,
            _ => self.done(Op::Union, a.min(b), a.max(b)),
        }
    }

    /// Ports in both. O(1) once done.
    pub(super) fn intersect(&mut self, a: Ports, b: Ports) -> Ports {
        match (a, b) {
            _ if a == b => a,
            (Ports::NONE, _) | (_, Ports::NONE) => Ports::NONE,
            (Ports::ALL, other) | (other, Ports::ALL) => other,
            _ => self.done(Op::Intersect, a.min(b), a.max(b)),
        }
    }

    /// Ports of the first that are not in the second. O(1) once done.
    pub(super) fn minus(&mut self, a: Ports, b: Ports) -> Ports {
        match (a, b) {
            _ if a == b => Ports::NONE,
            (Ports::NONE, _) | (_, Ports::ALL) => Ports::NONE,
            (_, Ports::NONE) => a,
            _ => self.done(Op::Minus, a, b),
        }
    }

    pub(super) fn join(&mut self, a: Open, b: Open) -> Open {
        Open { sure: self.union(a.sure, b.sure), may: self.union(a.may, b.may) }
    }

    pub(super) fn meet(&mut self, a: Open, b: Open) -> Open {
        Open { sure: self.intersect(a.sure, b.sure), may: self.intersect(a.may, b.may) }
    }

    /// The answer as others see it.
    pub(super) fn answer(&self, open: Open) -> Answer {
        Answer { sure: self.set(open.sure), may: self.set(open.may) }
    }

    /// A book with the same numbers, for a reader that may not write into this one. O(sets).
    pub(super) fn copy(&self) -> Self {
        Self { sets: self.sets.clone(), numbers: self.numbers.clone(), memo: FxHashMap::default() }
    }

    fn done(&mut self, op: Op, a: Ports, b: Ports) -> Ports {
        if let Some(known) = self.memo.get(&(op, a, b)) {
            return *known;
        }
        let (left, right) = (self.set(a), self.set(b));
        let set = match op {
            Op::Union => left.union(&right),
            Op::Intersect => left.intersect(&right),
            Op::Minus => left.minus(&right),
        };
        let number = self.number(set);
        self.memo.insert((op, a, b), number);
        number
    }
}
