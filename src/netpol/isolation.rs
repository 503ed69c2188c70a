//! Which pods of a namespace are isolated, by which policies, and whether any pod of tomorrow would be.

use crate::model::ids::Name;
use crate::model::networkpolicy::{NetworkPolicyFact, PolicyRule};
use crate::model::pod::PodFact;
use crate::model::snapshot::NamespaceFacts;
use crate::netpol::selector::{Coverage, covers_everything};

/// A direction of traffic, as seen from the pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// Towards the pod.
    Ingress,
    /// From the pod.
    Egress,
}

impl Direction {
    /// As the API spells it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ingress => "Ingress",
            Self::Egress => "Egress",
        }
    }
}

impl NetworkPolicyFact {
    /// Whether the policy isolates the pods it selects in this direction.
    pub const fn isolates(&self, direction: Direction) -> bool {
        match direction {
            Direction::Ingress => self.isolates_ingress,
            Direction::Egress => self.isolates_egress,
        }
    }

    /// Its rules in this direction; without effect where it does not isolate.
    pub fn rules(&self, direction: Direction) -> &[PolicyRule] {
        match direction {
            Direction::Ingress => &self.ingress,
            Direction::Egress => &self.egress,
        }
    }
}

/// Whether NetworkPolicy applies to a pod: it does not to pods on the node's network, and finished pods have none.
pub const fn under_policy(pod: &PodFact) -> bool {
    !pod.host_network && !pod.finished()
}

/// Isolation of one namespace in one direction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Isolation {
    /// Policies that isolate somebody in this direction, by name.
    pub policies: Vec<Name>,
    /// Whether a pod with any labels would be isolated.
    pub future: Coverage,
    /// Existing pods that no policy isolates, by name.
    pub open: Vec<Name>,
    /// Existing pods for which an unknown operator decides, by name.
    pub undecided: Vec<Name>,
    /// Existing pods under policy.
    pub pods: usize,
    /// Pods on the node's network, to which NetworkPolicy does not apply.
    pub host_network: usize,
}

/// Works out the isolation of a namespace. O(pods × policies × requirements × log labels), and O(pods) where a selector selects everything.
pub fn isolation(facts: &NamespaceFacts, direction: Direction) -> Isolation {
    let policies: Vec<_> = facts.policies.values().filter(|policy| policy.isolates(direction)).collect();
    let selectors: Vec<_> = policies.iter().map(|policy| &policy.pods).collect();
    let future = covers_everything(&selectors);
    let mut result = Isolation {
        policies: policies.iter().map(|policy| policy.meta.name.clone()).collect(),
        open: Vec::new(),
        undecided: Vec::new(),
        pods: 0,
        host_network: 0,
        future,
    };
    for pod in facts.pods.values().filter(|pod| !pod.finished()) {
        if pod.host_network {
            result.host_network += 1;
            continue;
        }
        result.pods += 1;
        if result.future == Coverage::Everything {
            continue;
        }
        let answers = selectors.iter().map(|selector| selector.matches(&pod.labels));
        match answers.fold(Some(false), or) {
            Some(true) => {}
            Some(false) => result.open.push(pod.meta.name.clone()),
            None => result.undecided.push(pod.meta.name.clone()),
        }
    }
    result
}

/// Three-valued or: a definite yes wins over an unknown.
fn or(left: Option<bool>, right: Option<bool>) -> Option<bool> {
    match (left, right) {
        (Some(true), _) | (_, Some(true)) => Some(true),
        (Some(false), Some(false)) => Some(false),
        _ => None,
    }
}
