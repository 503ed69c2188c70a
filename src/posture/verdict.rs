//! Verdicts: what may be said of a wall, and how declaration and trial combine (DESIGN.md, vocabulary).

use serde::{Deserialize, Serialize};

/// What is said of a check or a wall. The order is that of badness, worst first: a wall is its worst check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Verdict {
    /// Statically open, or a probe crossed it.
    Breached,
    /// Declaration and behaviour disagree.
    Disputed,
    /// Partly declared.
    Degraded,
    /// The attempt failed but proves nothing.
    Vacuous,
    /// We could not look.
    Unknown,
    /// Declared right, no valid receipt.
    Unproven,
    /// Accepted by a named person until a date.
    Waived,
    /// Declared right, and a valid receipt shows it.
    Holds,
    /// Does not apply.
    #[serde(rename = "N/A")]
    NotApplicable,
}

/// Every verdict, worst first.
pub const ALL: [Verdict; 9] = [
    Verdict::Breached,
    Verdict::Disputed,
    Verdict::Degraded,
    Verdict::Vacuous,
    Verdict::Unknown,
    Verdict::Unproven,
    Verdict::Waived,
    Verdict::Holds,
    Verdict::NotApplicable,
];

impl Verdict {
    /// The word on screens and in reports.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Breached => "BREACHED",
            Self::Disputed => "DISPUTED",
            Self::Degraded => "DEGRADED",
            Self::Vacuous => "VACUOUS",
            Self::Unknown => "UNKNOWN",
            Self::Unproven => "UNPROVEN",
            Self::Waived => "WAIVED",
            Self::Holds => "HOLDS",
            Self::NotApplicable => "N/A",
        }
    }

    /// Whether this is a violation: something is wrong, not merely unproved or unseen.
    pub const fn is_violation(self) -> bool {
        matches!(self, Self::Breached | Self::Disputed | Self::Degraded)
    }
}

/// What the declarations alone say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Declared {
    /// Open.
    Open,
    /// Partly declared.
    Partly,
    /// Could not be read.
    Unknown,
    /// Declared right.
    Right,
    /// Does not apply.
    NotApplicable,
}

/// What the newest receipt says, if it still counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tried {
    /// No receipt, or none that still counts.
    No,
    /// Refused by the expected authority, with all controls.
    Held,
    /// The crossing succeeded.
    Crossed,
    /// The attempt proves nothing.
    Vacuous,
}

/// Joins declaration and trial. O(1).
///
/// A crossing always shows: against a right declaration as DISPUTED, else as BREACHED. A refusal never makes an open or unseen
/// declaration look better: somebody else's wall may have refused.
pub const fn combine(declared: Declared, tried: Tried) -> Verdict {
    match (declared, tried) {
        (Declared::Right, Tried::Held) => Verdict::Holds,
        (Declared::Right, Tried::No) => Verdict::Unproven,
        (Declared::Right, Tried::Vacuous) => Verdict::Vacuous,
        (Declared::Right, Tried::Crossed) => Verdict::Disputed,
        (Declared::Open, _) | (_, Tried::Crossed) => Verdict::Breached,
        (Declared::Partly, _) => Verdict::Degraded,
        (Declared::Unknown, _) => Verdict::Unknown,
        (Declared::NotApplicable, _) => Verdict::NotApplicable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_right_declaration_with_a_held_trial_holds() {
        for declared in [Declared::Open, Declared::Partly, Declared::Unknown, Declared::Right, Declared::NotApplicable] {
            for tried in [Tried::No, Tried::Held, Tried::Crossed, Tried::Vacuous] {
                let holds = combine(declared, tried) == Verdict::Holds;
                assert_eq!(holds, declared == Declared::Right && tried == Tried::Held, "{declared:?} {tried:?}");
            }
        }
    }

    #[test]
    fn a_crossing_is_never_hidden() {
        for declared in [Declared::Open, Declared::Partly, Declared::Unknown, Declared::Right, Declared::NotApplicable] {
            assert!(combine(declared, Tried::Crossed) <= Verdict::Disputed, "{declared:?}");
        }
    }

    #[test]
    fn the_list_is_in_order_of_badness() {
        assert!(ALL.is_sorted());
    }
}
