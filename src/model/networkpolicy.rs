//! networking.k8s.io/v1 NetworkPolicy as a fact: its whole meaning, defaulted as the API server defaults it.

use ipnet::IpNet;

use super::ids::Name;
use super::labels::LabelSelector;
use super::meta::Meta;

/// A NetworkPolicy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkPolicyFact {
    /// Identity.
    pub meta: Meta,
    /// The pods of its namespace it applies to.
    pub pods: LabelSelector,
    /// Whether it isolates for ingress: `policyTypes` lists it, or is absent or empty.
    pub isolates_ingress: bool,
    /// Whether it isolates for egress: `policyTypes` lists it, or is absent or empty while an egress rule is given.
    pub isolates_egress: bool,
    /// Ingress rules; without effect unless `isolates_ingress`.
    pub ingress: Box<[PolicyRule]>,
    /// Egress rules; without effect unless `isolates_egress`.
    pub egress: Box<[PolicyRule]>,
}

/// One rule: any peer AND any port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyRule {
    /// `from` or `to`; empty means everybody.
    pub peers: Box<[Peer]>,
    /// Empty means every port of every protocol.
    pub ports: Box<[PolicyPort]>,
}

/// One peer of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Peer {
    /// Pods, by selectors; no namespace selector means the policy's own namespace.
    Pods {
        /// Selects namespaces by their labels.
        namespaces: Option<LabelSelector>,
        /// Selects pods within them; none means all.
        pods: Option<LabelSelector>,
    },
    /// Addresses.
    Block {
        /// The range.
        cidr: IpNet,
        /// Ranges inside it that are left out.
        except: Box<[IpNet]>,
    },
    /// A peer that can't be read (nothing set, both kinds set, a malformed range): what is wrong. Matches nothing, and makes answers unknown.
    Unreadable(Name),
}

/// One port of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyPort {
    /// TCP unless said otherwise.
    pub protocol: Protocol,
    /// Which ports of it.
    pub port: PortMatch,
}

/// Which ports a rule's port entry covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PortMatch {
    /// Every port of the protocol.
    Any,
    /// From, to, both included.
    Range(u16, u16),
    /// A container port's name on the destination pod.
    Named(Name),
    /// A port entry that can't be read: what is wrong.
    Unreadable(Name),
}

/// Transport protocols that NetworkPolicy knows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// SCTP.
    Sctp,
    /// Something else that a file said.
    Other(Name),
}
