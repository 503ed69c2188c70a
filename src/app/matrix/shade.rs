//! What a cell of the matrix is said to be: one sign, one meaning, never better than what was seen.

use crate::app::role::Role;
use crate::app::symbols::Symbols;
use crate::netpol::answer::{Answer, Openness};
use crate::netpol::matrix::Cell;
use crate::netpol::target::{Extent, Target, TargetCell};
use crate::posture::verdict::Tried;

/// What a cell is. The order is that of alarm, worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Shade {
    /// Blocked by declaration, yet a probe crossed it.
    Crossed,
    /// Open on every port.
    Every,
    /// Open on some ports.
    Some,
    /// Blocked for today's pods; not, or not for sure, for pods that may be made tomorrow.
    Today,
    /// Nothing can be said for sure.
    Undefined,
    /// Blocked by declaration, for all pods.
    Declared,
    /// Blocked by declaration, for all pods, and refused when tried, with a receipt that counts.
    Proved,
    /// The tenant itself.
    Own,
}

/// All of them, worst first.
pub const SHADES: [Shade; 8] =
    [Shade::Crossed, Shade::Every, Shade::Some, Shade::Today, Shade::Undefined, Shade::Declared, Shade::Proved, Shade::Own];

impl Shade {
    /// What declarations say of pods of today and of tomorrow. O(1).
    fn declared(now: &Answer, future: &Answer) -> Self {
        match now.openness() {
            Openness::Open if now.sure.is_all() => Self::Every,
            Openness::Open => Self::Some,
            Openness::Undefined => Self::Undefined,
            Openness::Blocked if future.openness() == Openness::Blocked => Self::Declared,
            Openness::Blocked => Self::Today,
        }
    }

    /// A cell between two tenants. What was tried counts only where the declarations block all pods.
    pub fn of(cell: &Cell, tried: Tried) -> Self {
        match (Self::declared(&cell.now, &cell.future), tried) {
            (Self::Declared, Tried::Held) => Self::Proved,
            (Self::Declared | Self::Today, Tried::Crossed) => Self::Crossed,
            (declared, _) => declared,
        }
    }

    /// A cell of a fixed target. A receipt says nothing of these.
    pub fn of_target(cell: &TargetCell) -> Self {
        if cell.unknown.is_some() {
            return Self::Undefined;
        }
        match Self::declared(&cell.now, &cell.future) {
            Self::Every if cell.extent != Extent::All => Self::Some,
            shade => shade,
        }
    }

    /// Whether something is, or may be, open: today or tomorrow.
    pub const fn is_gap(self) -> bool {
        matches!(self, Self::Crossed | Self::Every | Self::Some | Self::Today | Self::Undefined)
    }

    /// The role it is drawn in.
    pub const fn role(self) -> Role {
        match self {
            Self::Crossed => Role::HeatCrossed,
            Self::Every => Role::HeatEvery,
            Self::Some => Role::HeatSome,
            Self::Today => Role::HeatToday,
            Self::Undefined => Role::HeatUndefined,
            Self::Declared => Role::HeatDeclared,
            Self::Proved => Role::HeatProved,
            Self::Own => Role::HeatOwn,
        }
    }

    /// The role of a target's cell: that the resolver is reached is no cause for alarm, and a place that is not known is none to look at.
    pub const fn role_at(self, target: Target, known: bool) -> Role {
        match (self, target) {
            (_, _) if !known => Role::Unknown,
            (Self::Some | Self::Today, Target::ClusterDns) => Role::HeatMeant,
            _ => self.role(),
        }
    }

    /// Its sign, one column wide.
    pub const fn sign(self, symbols: &Symbols) -> &'static str {
        let [crossed, every, some, today, undefined, declared, proved, own] = symbols.shades;
        match self {
            Self::Crossed => crossed,
            Self::Every => every,
            Self::Some => some,
            Self::Today => today,
            Self::Undefined => undefined,
            Self::Declared => declared,
            Self::Proved => proved,
            Self::Own => own,
        }
    }

    /// In a word or two, for a cell and the legend.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Crossed => "crossed",
            Self::Every => "every port",
            Self::Some => "some ports",
            Self::Today => "today only",
            Self::Undefined => "undefined",
            Self::Declared => "declared shut",
            Self::Proved => "proved shut",
            Self::Own => "itself",
        }
    }

    /// In words, for titles and help.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Crossed => "blocked by declaration, yet a probe crossed it",
            Self::Every => "open on every port",
            Self::Some => "open on some ports",
            Self::Today => "blocked for today's pods, not for every pod of tomorrow",
            Self::Undefined => "undefined: nothing can be said for sure",
            Self::Declared => "blocked by declaration, for all pods; not tried",
            Self::Proved => "blocked by declaration, and held when tried",
            Self::Own => "the tenant itself",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::symbols::symbols;
    use crate::model::containers::PortProtocol;
    use crate::netpol::ports::PortSet;
    use std::sync::Arc;

    fn answer(sure: &PortSet, may: &PortSet) -> Answer {
        Answer { sure: Arc::new(sure.clone()), may: Arc::new(may.clone()) }
    }

    fn answers() -> Vec<Answer> {
        let (none, some, all) = (PortSet::none(), PortSet::range(PortProtocol::Tcp, 80, 80), PortSet::all());
        vec![answer(&none, &none), answer(&none, &some), answer(&some, &some), answer(&some, &all), answer(&all, &all)]
    }

    #[test]
    fn proved_needs_a_held_receipt_and_nothing_open_or_undefined_today_or_tomorrow() {
        for now in answers() {
            for future in answers() {
                for tried in [Tried::No, Tried::Held, Tried::Crossed, Tried::Vacuous] {
                    let shade = Shade::of(&Cell { now: now.clone(), future: future.clone() }, tried);
                    let shut = now.may.is_empty() && future.may.is_empty();
                    assert_eq!(shade == Shade::Proved, shut && tried == Tried::Held, "{now:?} {future:?} {tried:?}");
                    assert_eq!(shade.role() == Role::HeatProved, shade == Shade::Proved);
                    assert_eq!(shade.is_gap(), !shut || tried == Tried::Crossed);
                }
            }
        }
    }

    #[test]
    fn a_crossing_shows_against_what_is_declared_shut() {
        let cell = Cell::default();
        assert_eq!(Shade::of(&cell, Tried::Crossed), Shade::Crossed);
        assert_eq!(Shade::of(&cell, Tried::Vacuous), Shade::Declared);
    }

    #[test]
    fn a_target_is_wholly_open_only_where_all_of_it_is_and_unknown_is_not_blocked() {
        let all = Answer::sure(PortSet::all());
        let open = |extent| TargetCell { now: all.clone(), future: all.clone(), extent, unknown: None };
        assert_eq!(Shade::of_target(&open(Extent::All)), Shade::Every);
        assert_eq!(Shade::of_target(&open(Extent::Some)), Shade::Some);
        assert_eq!(Shade::of_target(&TargetCell { unknown: Some("not configured"), ..TargetCell::default() }), Shade::Undefined);
        assert_eq!(Shade::of_target(&TargetCell::default()), Shade::Declared);
    }

    #[test]
    fn shades_are_told_apart_without_colour() {
        for set in [symbols(false), symbols(true)] {
            for (i, a) in SHADES.iter().enumerate() {
                for b in SHADES.iter().skip(i + 1) {
                    assert_ne!(a.sign(set), b.sign(set), "{a:?} {b:?}");
                    assert_ne!(a.role(), b.role());
                }
            }
        }
    }
}
