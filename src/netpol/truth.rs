//! Yes, no, or perhaps: the answer of a selector that may hold something this program can't read.

use super::isolation::Direction;

/// Three-valued truth, ordered from no to yes, so that "and" is the least and "or" the greatest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(super) enum Truth {
    #[default]
    No,
    Perhaps,
    Sure,
}

impl Truth {
    pub(super) fn of(answer: Option<bool>) -> Self {
        match answer {
            Some(true) => Self::Sure,
            Some(false) => Self::No,
            None => Self::Perhaps,
        }
    }

    pub(super) fn and(self, other: Self) -> Self {
        self.min(other)
    }

    pub(super) fn or(self, other: Self) -> Self {
        self.max(other)
    }

    pub(super) const fn not(self) -> Self {
        match self {
            Self::No => Self::Sure,
            Self::Perhaps => Self::Perhaps,
            Self::Sure => Self::No,
        }
    }
}

/// A pair of values, one for each direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(super) struct Both<T> {
    pub ingress: T,
    pub egress: T,
}

impl<T> Both<T> {
    pub(super) const fn get(&self, direction: Direction) -> &T {
        match direction {
            Direction::Ingress => &self.ingress,
            Direction::Egress => &self.egress,
        }
    }
}

/// The two directions.
pub(super) const DIRECTIONS: [Direction; 2] = [Direction::Egress, Direction::Ingress];
