//! Why an answer is what it is: a pair of ends, its ports split by reason, and on each side the rule that decides or the nearest miss.

use std::net::IpAddr;

use super::answer::{Answer, Openness};
use super::isolation::Direction;
use super::ports::PortSet;
use super::target::Target;
use crate::model::ids::{Name, ObjectRef, TenantId};
use crate::model::labels::Labels;

/// One end of a connection that is asked about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// Any pod of a tenant: the story is told of the pair that is most open.
    Tenant(TenantId),
    /// Any pod of a namespace.
    Namespace(Name),
    /// A workload, as `reach` names it.
    Workload {
        /// Namespace.
        namespace: Name,
        /// Name of the owner, or of the pod where it has none.
        name: Name,
        /// Kind of the owner, or `Pod`.
        kind: Name,
    },
    /// One pod.
    Pod {
        /// Namespace.
        namespace: Name,
        /// Name.
        name: Name,
    },
    /// A pod that does not exist, with these labels.
    Imagined {
        /// Namespace.
        namespace: Name,
        /// Labels.
        labels: Labels,
    },
    /// An address; of a pod, the pod.
    Address(IpAddr),
    /// An address as the list of connections has it: what is outside, whichever pod may have it.
    Outside(IpAddr),
    /// A fixed target; only as destination.
    Target(Target),
}

/// Why, for one pair of ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Story {
    /// The source as it was judged (a pod that stands for others alike, an imagined pod with its labels, an address). Cleaned.
    pub from: String,
    /// The destination as it was judged. Cleaned.
    pub to: String,
    /// The answer for this pair.
    pub answer: Answer,
    /// The ports of all three protocols, split by reason; what is open first. Together they hold every port once.
    pub segments: Vec<Segment>,
    /// What else must be said: why something is undefined, what the profile decides, that a probe would be needed. Cleaned.
    pub notes: Vec<String>,
}

/// Ports of which the same is true for the same reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Which.
    pub ports: PortSet,
    /// Open, undefined or blocked: both sides together.
    pub openness: Openness,
    /// The source's side.
    pub egress: Side,
    /// The destination's side.
    pub ingress: Side,
}

/// One side's word.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Side {
    /// What this side alone says.
    pub openness: Openness,
    /// Rules of cluster-wide tiers that passed it on before anything decided, in order.
    pub passed: Vec<RuleRef>,
    /// Why.
    pub reason: Reason,
}

/// Why one side says what it says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// Policies do not apply to this end: in words, why.
    NotUnderPolicy(&'static str),
    /// No policy isolates it in this direction.
    NotIsolated,
    /// These rules allow it, any of them.
    Allowed(Vec<RuleRef>),
    /// This rule denies it.
    Denied(RuleRef),
    /// It is isolated by these, and no rule matches.
    Silence {
        /// Policies that isolate it.
        isolating: Vec<ObjectRef>,
        /// The rule that came nearest.
        nearest: Option<NearMiss>,
    },
    /// Nothing can be said.
    Undefined {
        /// Why. Cleaned.
        why: String,
        /// What is to blame.
        objects: Vec<ObjectRef>,
    },
}

/// A rule of a policy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleRef {
    /// The policy.
    pub object: ObjectRef,
    /// Where in it: `spec.egress[2]`.
    pub field: String,
}

/// A rule that would have allowed it, but for one thing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NearMiss {
    /// Which rule.
    pub rule: RuleRef,
    /// What did not match, in words: `the peer matches, the port does not: it allows TCP 8080`. Cleaned.
    pub what: String,
}

impl Side {
    /// The objects that this side's word rests on, without doubles: those that passed it on first, in order, then those that decide, sorted.
    pub fn objects(&self) -> Vec<ObjectRef> {
        let mut deciding = match &self.reason {
            Reason::NotUnderPolicy(_) | Reason::NotIsolated => Vec::new(),
            Reason::Allowed(rules) => rules.iter().map(|rule| rule.object.clone()).collect(),
            Reason::Denied(rule) => vec![rule.object.clone()],
            Reason::Silence { isolating, .. } => isolating.clone(),
            Reason::Undefined { objects, .. } => objects.clone(),
        };
        deciding.sort();
        let mut objects: Vec<ObjectRef> = Vec::new();
        for object in self.passed.iter().map(|rule| rule.object.clone()).chain(deciding) {
            if !objects.contains(&object) {
                objects.push(object);
            }
        }
        objects
    }
}

/// The direction that a side of a connection is judged in.
pub const fn side_of(direction: Direction, segment: &Segment) -> &Side {
    match direction {
        Direction::Ingress => &segment.ingress,
        Direction::Egress => &segment.egress,
    }
}
