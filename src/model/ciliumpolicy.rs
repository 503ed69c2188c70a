//! cilium.io/v2 CiliumNetworkPolicy, CiliumClusterwideNetworkPolicy and CiliumCIDRGroup as facts: what decides about reachability of it.

use ipnet::IpNet;

use super::ids::Name;
use super::kind::Kind;
use super::labels::LabelSelector;
use super::meta::Meta;
use super::networkpolicy::PolicyPort;

/// A CiliumNetworkPolicy or a CiliumClusterwideNetworkPolicy: `spec` and `specs` together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CiliumPolicyFact {
    /// Identity; the namespace is empty for the cluster-wide kind.
    pub meta: Meta,
    /// Which of the two.
    pub kind: Kind,
    /// Its rules.
    pub rules: Box<[CiliumRule]>,
}

/// One `spec`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CiliumRule {
    /// Whom it is about.
    pub subject: CiliumSubject,
    /// `ingress`: what is allowed in. A missing and an empty list are the same.
    pub ingress: Box<[CiliumEntry]>,
    /// `ingressDeny`.
    pub ingress_deny: Box<[CiliumEntry]>,
    /// `egress`.
    pub egress: Box<[CiliumEntry]>,
    /// `egressDeny`.
    pub egress_deny: Box<[CiliumEntry]>,
    /// `enableDefaultDeny.ingress`; none: as soon as there is an entry in `ingress` or `ingressDeny`.
    pub default_deny_ingress: Option<bool>,
    /// `enableDefaultDeny.egress`.
    pub default_deny_egress: Option<bool>,
}

/// Whom a rule is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CiliumSubject {
    /// `endpointSelector`: keys as written, with their source prefix. In a CiliumNetworkPolicy limited to its namespace.
    Endpoints(LabelSelector),
    /// `nodeSelector` (cluster-wide kind only): the host firewall; no pod.
    Nodes(LabelSelector),
    /// Neither, both, or not readable: any pod in reach of the policy may be meant.
    Unreadable(Name),
}

/// One entry of a rule list. At most one of the peer members may be given (the agent refuses a policy with more); none given: no limit on the
/// peer, when there are ports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CiliumEntry {
    /// The peer members that are present. Empty: no limit (with `ports`), or nothing at all (without). Where one of endpoints, entities,
    /// ranges or nodes is present and empty, only that one: then nobody is selected.
    pub peers: Box<[CiliumPeers]>,
    /// `toPorts`; none (also where the list is empty): every port. Empty: no port, because no element names any.
    pub ports: Option<Box<[CiliumPorts]>>,
    /// `icmps` is given: with no `toPorts`, the entry is about ICMP only.
    pub icmp_only: bool,
    /// `fromRequires`/`toRequires` (gone since 1.19): a further limit on every peer, which newer servers refuse.
    pub requires: Box<[LabelSelector]>,
    /// `authentication` other than `disabled`: allowed only after mutual authentication. Counts as allowed with a condition.
    pub authenticated: bool,
}

/// One peer member of an entry. Each list that is present but empty selects nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CiliumPeers {
    /// `fromEndpoints`/`toEndpoints`: keys as written.
    Endpoints(Box<[LabelSelector]>),
    /// `fromEntities`/`toEntities`, as written.
    Entities(Box<[Name]>),
    /// `fromCIDR`/`toCIDR` and `fromCIDRSet`/`toCIDRSet`.
    Blocks(Box<[CiliumBlock]>),
    /// `fromNodes`/`toNodes`.
    Nodes(Box<[LabelSelector]>),
    /// `toServices`.
    Services(Box<[CiliumService]>),
    /// `toFQDNs`, as `matchName` or `matchPattern`.
    Names(Box<[Name]>),
    /// `fromGroups`/`toGroups`, or a member this program does not know, or one that can't be read: what.
    Unreadable(Name),
}

/// A range, or a reference to a group of ranges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CiliumBlock {
    /// `cidr` with `except`.
    Range {
        /// The range.
        cidr: IpNet,
        /// Left out.
        except: Box<[IpNet]>,
    },
    /// `cidrGroupRef`, with `except`.
    Group {
        /// Name of a CiliumCIDRGroup.
        name: Name,
        /// Left out.
        except: Box<[IpNet]>,
    },
    /// What can't be read.
    Unreadable(Name),
}

/// A Service as a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CiliumService {
    /// `k8sService`.
    Named {
        /// Namespace; none: any.
        namespace: Option<Name>,
        /// Name.
        name: Name,
    },
    /// `k8sServiceSelector`.
    Selected {
        /// Namespace; none: any.
        namespace: Option<Name>,
        /// On the Services' labels.
        selector: LabelSelector,
    },
}

/// One element of `toPorts`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CiliumPorts {
    /// `ports`, each already expanded: protocol ANY or none gives an entry per protocol, port `0` is [`super::networkpolicy::PortMatch::Any`].
    /// Never empty: of an element without ports the agent makes nothing.
    pub ports: Box<[PolicyPort]>,
    /// `rules` (http, kafka, dns, l7) are given: what passes is filtered further.
    pub filtered: bool,
}

/// A CiliumCIDRGroup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CidrGroupFact {
    /// Identity.
    pub meta: Meta,
    /// Labels, by which newer policies may select it.
    pub labels: super::labels::Labels,
    /// `spec.externalCIDRs` that can be read.
    pub cidrs: Box<[IpNet]>,
    /// An entry can't be read.
    pub unreadable: bool,
}
