//! Cluster-wide tiers of policy.networking.k8s.io: AdminNetworkPolicy and BaselineAdminNetworkPolicy (v1alpha1) and ClusterNetworkPolicy
//! (v1alpha2), as one fact.

use ipnet::IpNet;

use super::ids::Name;
use super::kind::Kind;
use super::labels::LabelSelector;
use super::meta::Meta;
use super::networkpolicy::PolicyPort;

/// A policy of a cluster-wide tier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdminPolicyFact {
    /// Identity.
    pub meta: Meta,
    /// Which of the three kinds.
    pub kind: Kind,
    /// Before or after the NetworkPolicies.
    pub tier: Tier,
    /// Lower comes first; equal priorities are ordered by name, and that is a finding.
    pub priority: i32,
    /// Whom it is about.
    pub subject: TierSubject,
    /// In order.
    pub ingress: Box<[TierRule]>,
    /// In order.
    pub egress: Box<[TierRule]>,
}

/// Where a cluster-wide policy stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// Before the NetworkPolicies.
    Admin,
    /// After them, for pods that none isolates.
    Baseline,
    /// A tier this program does not know: answers for its subjects are unknown.
    Unreadable(Name),
}

/// The pods that a cluster-wide policy is about. Pods on the node's network never are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TierSubject {
    /// All pods of these namespaces.
    Namespaces(LabelSelector),
    /// Some pods of some namespaces.
    Pods {
        /// Which namespaces.
        namespaces: LabelSelector,
        /// Which pods in them.
        pods: LabelSelector,
    },
    /// No field that we know, or both: any pod may be meant.
    Unreadable(Name),
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TierRule {
    /// Its name; may be empty.
    pub name: Name,
    /// What happens to what it matches.
    pub action: TierAction,
    /// `from` or `to`; any of them. The API demands at least one: none matches nothing.
    pub peers: Box<[TierPeer]>,
    /// None: every port of every protocol. An empty list, which the API refuses, matches nothing.
    pub ports: Option<Box<[PolicyPort]>>,
}

/// What a rule does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TierAction {
    /// Allow or Accept: allowed on this side, nothing later is asked.
    Allow,
    /// Denied.
    Deny,
    /// The rest of this tier is skipped.
    Pass,
    /// An action this program does not know.
    Unreadable(Name),
}

/// One peer of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TierPeer {
    /// All pods of namespaces.
    Namespaces(LabelSelector),
    /// Pods by both selectors.
    Pods {
        /// Which namespaces.
        namespaces: LabelSelector,
        /// Which pods in them.
        pods: LabelSelector,
    },
    /// Egress only: nodes by their labels, hence their addresses.
    Nodes(LabelSelector),
    /// Egress only: address ranges; they match pods, too.
    Networks(Box<[IpNet]>),
    /// Egress only, Accept only: names whose addresses only the cluster's DNS knows.
    DomainNames(Box<[Name]>),
    /// A peer with no field that we know (of a newer API) or one that can't be read. The API asks to fail closed: an Accept rule matches
    /// nothing by it, a Deny or Pass rule becomes one that denies everything.
    Unreadable(Name),
}
