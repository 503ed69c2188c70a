//! policy.networking.k8s.io: AdminNetworkPolicy and BaselineAdminNetworkPolicy (v1alpha1) and ClusterNetworkPolicy (v1alpha2), all that any
//! release of them could say, in one set of types.

use serde::Deserialize;

use super::lean::{Field, Many, Str, Table, objects};
use super::meta::MetaWire;
use super::networkpolicy::{ExpressionWire, SelectorWire};

/// A policy of a cluster-wide tier.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct AdminPolicyWire<'a> {
    /// `metadata`.
    #[serde(borrow)]
    pub metadata: Field<MetaWire<'a>>,
    /// `spec`.
    #[serde(borrow)]
    pub spec: Field<AdminSpecWire<'a>>,
}

/// `spec`.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct AdminSpecWire<'a> {
    /// `tier`, of a ClusterNetworkPolicy.
    #[serde(borrow)]
    pub tier: Field<Str<'a>>,
    /// `priority`; a BaselineAdminNetworkPolicy has none.
    pub priority: Field<i64>,
    /// `subject`.
    #[serde(borrow)]
    pub subject: Field<AdminPeerWire<'a>>,
    /// `ingress`.
    #[serde(borrow)]
    pub ingress: Field<Many<AdminRuleWire<'a>>>,
    /// `egress`.
    #[serde(borrow)]
    pub egress: Field<Many<AdminRuleWire<'a>>>,
}

/// A rule; `from` of an ingress rule and `to` of an egress rule.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct AdminRuleWire<'a> {
    /// `name`.
    #[serde(borrow)]
    pub name: Field<Str<'a>>,
    /// `action`.
    #[serde(borrow)]
    pub action: Field<Str<'a>>,
    /// `from`.
    #[serde(borrow)]
    pub from: Field<Many<AdminPeerWire<'a>>>,
    /// `to`.
    #[serde(borrow)]
    pub to: Field<Many<AdminPeerWire<'a>>>,
    /// `ports`, of v1alpha1.
    #[serde(borrow)]
    pub ports: Field<Many<AdminPortWire<'a>>>,
    /// `protocols`, of v1alpha2.
    #[serde(borrow)]
    pub protocols: Field<Many<ProtocolWire<'a>>>,
}

/// A peer, or a subject.
#[derive(Deserialize, Default, Debug)]
#[serde(default, rename_all = "camelCase")]
pub struct AdminPeerWire<'a> {
    /// `namespaces`.
    #[serde(borrow)]
    pub namespaces: Field<NamespacesWire<'a>>,
    /// `pods`.
    #[serde(borrow)]
    pub pods: Field<PodsWire<'a>>,
    /// `nodes`.
    #[serde(borrow)]
    pub nodes: Field<SelectorWire<'a>>,
    /// `networks`.
    #[serde(borrow)]
    pub networks: Field<Many<Str<'a>>>,
    /// `domainNames`.
    #[serde(borrow)]
    pub domain_names: Field<Many<Str<'a>>>,
}

/// `namespaces`: a selector itself, or, before release 0.1.2, an object with one of three members.
#[derive(Deserialize, Default, Debug)]
#[serde(default, rename_all = "camelCase")]
pub struct NamespacesWire<'a> {
    /// `matchLabels`.
    #[serde(borrow)]
    pub match_labels: Field<Table<'a, Str<'a>>>,
    /// `matchExpressions`.
    #[serde(borrow)]
    pub match_expressions: Field<Many<ExpressionWire<'a>>>,
    /// `namespaceSelector`, of the older form.
    #[serde(borrow)]
    pub namespace_selector: Field<SelectorWire<'a>>,
    /// `sameLabels`, of the older form.
    #[serde(borrow)]
    pub same_labels: Field<Many<Str<'a>>>,
    /// `notSameLabels`, of the older form.
    #[serde(borrow)]
    pub not_same_labels: Field<Many<Str<'a>>>,
}

/// `pods`.
#[derive(Deserialize, Default, Debug)]
#[serde(default, rename_all = "camelCase")]
pub struct PodsWire<'a> {
    /// `namespaceSelector`.
    #[serde(borrow)]
    pub namespace_selector: Field<SelectorWire<'a>>,
    /// `namespaces`, in its place in the older form.
    #[serde(borrow)]
    pub namespaces: Field<NamespacesWire<'a>>,
    /// `podSelector`.
    #[serde(borrow)]
    pub pod_selector: Field<SelectorWire<'a>>,
}

/// One of `ports`.
#[derive(Deserialize, Default, Debug)]
#[serde(default, rename_all = "camelCase")]
pub struct AdminPortWire<'a> {
    /// `portNumber`.
    #[serde(borrow)]
    pub port_number: Field<PortSpanWire<'a>>,
    /// `portRange`.
    #[serde(borrow)]
    pub port_range: Field<PortSpanWire<'a>>,
    /// `namedPort`.
    #[serde(borrow)]
    pub named_port: Field<Str<'a>>,
}

/// A port or a range of ports; v1alpha1 gives its protocol with it.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct PortSpanWire<'a> {
    /// `protocol`.
    #[serde(borrow)]
    pub protocol: Field<Str<'a>>,
    /// `port`.
    pub port: Field<i64>,
    /// `start`.
    pub start: Field<i64>,
    /// `end`.
    pub end: Field<i64>,
}

/// One of `protocols`.
#[derive(Deserialize, Default, Debug)]
#[serde(default, rename_all = "camelCase")]
pub struct ProtocolWire<'a> {
    /// `tcp`.
    #[serde(borrow)]
    pub tcp: Field<TransportWire<'a>>,
    /// `udp`.
    #[serde(borrow)]
    pub udp: Field<TransportWire<'a>>,
    /// `sctp`.
    #[serde(borrow)]
    pub sctp: Field<TransportWire<'a>>,
    /// `destinationNamedPort`.
    #[serde(borrow)]
    pub destination_named_port: Field<Str<'a>>,
}

/// `tcp`, `udp` or `sctp`.
#[derive(Deserialize, Default, Debug)]
#[serde(default, rename_all = "camelCase")]
pub struct TransportWire<'a> {
    /// `destinationPort`.
    #[serde(borrow)]
    pub destination_port: Field<DestinationPortWire<'a>>,
}

/// `destinationPort`.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct DestinationPortWire<'a> {
    /// `number`.
    pub number: Field<i64>,
    /// `range`.
    #[serde(borrow)]
    pub range: Field<PortSpanWire<'a>>,
}

objects! {
    borrowed: AdminPolicyWire, AdminSpecWire, AdminRuleWire, AdminPeerWire, NamespacesWire, PodsWire, AdminPortWire, PortSpanWire,
        ProtocolWire, TransportWire, DestinationPortWire;
    owned:
}
