//! Policies of every kind, compiled to one form: a unit has a subject, a place among the tiers, and for each direction entries of peers,
//! ports and a verdict.

use std::sync::Arc;

use super::isolation::Direction;
use super::portbook::Ports;
use super::term::TermId;
use super::truth::{Both, Truth};
use crate::model::containers::PortProtocol;
use crate::model::ids::{Name, ObjectRef};

/// A unit's number.
pub(super) type UnitId = u32;

/// What an entry does with what it matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Verdict {
    Allow,
    Deny,
    /// The rest of the tier is skipped.
    Pass,
    /// Any of these, perhaps.
    Unclear,
}

/// The ports of an entry.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub(super) struct PortTerm {
    /// Matched for sure.
    pub sure: Ports,
    /// Matched for sure or perhaps.
    pub perhaps: Ports,
    /// Names that the destination resolves; no protocol: whichever the pod gives it.
    pub named: Box<[(Name, Option<PortProtocol>)]>,
}

/// A condition under which what an entry allows passes, which this program does not look into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(super) struct Condition {
    /// Requests are filtered further.
    pub filtered: bool,
    /// Both ends must prove who they are.
    pub authenticated: bool,
    /// Addresses of names are not known.
    pub names: bool,
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Entry {
    pub verdict: Verdict,
    /// Any of these.
    pub peers: Box<[TermId]>,
    pub ports: PortTerm,
    /// Only pods are meant: what comes from outside never matches.
    pub inside_only: bool,
    pub condition: Condition,
    /// Which list of the object it is in, and its place there.
    pub field: (&'static str, u32),
}

/// The rules of a unit in one direction.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub(super) struct Ruleset {
    /// Its subjects are closed to what no rule allows.
    pub isolates: bool,
    pub entries: Box<[Entry]>,
}

/// Where a unit stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Tier {
    /// Rules that are not understood.
    Foreign {
        may_allow: bool,
        /// Only in this direction.
        only: Option<Direction>,
    },
    /// By priority, then name.
    Admin(Rank),
    Normal,
    Baseline(Rank),
}

/// Order within a tier.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Rank {
    pub priority: i32,
    pub name: Name,
    pub kind: crate::model::kind::Kind,
}

/// Whom a unit is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Subject {
    /// Only in this namespace; none for the whole cluster.
    pub scope: Option<Name>,
    /// Which pods.
    pub term: TermId,
    /// Perhaps only, whatever the term says.
    pub at_most: Truth,
}

/// A policy, or one rule object of it.
#[derive(Clone, Debug)]
pub(super) struct Unit {
    pub object: ObjectRef,
    /// `spec`, or `specs[1]`.
    pub prefix: Arc<str>,
    pub tier: Tier,
    pub subject: Subject,
    pub rules: Both<Arc<Ruleset>>,
    /// What can't be read, in words.
    pub unclear: Option<Name>,
}

impl Tier {
    /// Whether units of it have a say in a direction.
    pub(super) fn speaks(&self, direction: Direction) -> bool {
        !matches!(self, Self::Foreign { only: Some(only), .. } if *only != direction)
    }
}

impl Entry {
    /// The field of the object.
    pub(super) fn path(&self, prefix: &str) -> String {
        format!("{prefix}.{}[{}]", self.field.0, self.field.1)
    }
}
