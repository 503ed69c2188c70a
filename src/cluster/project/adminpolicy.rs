//! AdminNetworkPolicies, BaselineAdminNetworkPolicies and ClusterNetworkPolicies, defaulted as their CRDs do. Nothing of them is dropped:
//! what can't be read, or what a newer release may mean, is marked, because the API asks to fail closed on it.

use super::meta::{Version, Writer, meta, name};
use super::networkpolicy::{self, TRANSPORTS, protocol_named, selector, unreadable_port};
use crate::cluster::wire::adminpolicy::{
    AdminPeerWire, AdminPolicyWire, AdminPortWire, AdminRuleWire, AdminSpecWire, DestinationPortWire, NamespacesWire, PodsWire,
    PortSpanWire, ProtocolWire, TransportWire,
};
use crate::cluster::wire::lean::{Field, Many, Str};
use crate::cluster::wire::networkpolicy::SelectorWire;
use crate::model::adminpolicy::{AdminPolicyFact, Tier, TierAction, TierPeer, TierRule, TierSubject};
use crate::model::changes::Fact;
use crate::model::intern::Interner;
use crate::model::kind::Kind;
use crate::model::labels::LabelSelector;
use crate::model::networkpolicy::{PolicyPort, PortMatch, Protocol};

/// Which side of the subject a rule is about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Ingress,
    Egress,
}

/// The fact of a policy of a cluster-wide tier.
pub(super) fn admin_policy(kind: Kind, wire: AdminPolicyWire<'_>, interner: &mut Interner) -> Option<Fact> {
    let meta = meta(&wire.metadata.get()?, Version::Generation, Writer::Kept, interner)?;
    let spec = wire.spec.get().unwrap_or_default();
    let priority = spec.priority.as_ref().and_then(|priority| i32::try_from(*priority).ok());
    Some(Fact::AdminPolicy(AdminPolicyFact {
        meta,
        kind,
        tier: tier(kind, &spec, priority, interner),
        priority: priority.unwrap_or_default(),
        subject: subject(spec.subject, interner),
        ingress: rules(kind, Side::Ingress, spec.ingress, interner),
        egress: rules(kind, Side::Egress, spec.egress, interner),
    }))
}

/// The tier. A policy whose priority can't be read has no known place in its tier, which is as good as no known tier.
fn tier(kind: Kind, spec: &AdminSpecWire<'_>, priority: Option<i32>, interner: &mut Interner) -> Tier {
    if kind != Kind::BaselineAdminNetworkPolicy && priority.is_none() {
        return Tier::Unreadable(interner.name("the priority is no number"));
    }
    match (kind, spec.tier.text()) {
        (Kind::AdminNetworkPolicy, _) | (_, "Admin") => Tier::Admin,
        (Kind::BaselineAdminNetworkPolicy, _) | (_, "Baseline") => Tier::Baseline,
        (_, "") => Tier::Unreadable(interner.name("no tier is named")),
        (_, other) => Tier::Unreadable(name(other, interner)),
    }
}

fn subject(field: Field<AdminPeerWire<'_>>, interner: &mut Interner) -> TierSubject {
    let wire = match field {
        Field::Is(wire) => wire,
        Field::Absent => return TierSubject::Unreadable(interner.name("there is no subject")),
        Field::Odd => return TierSubject::Unreadable(interner.name("the subject is no object")),
    };
    let read = match (wire.namespaces, wire.pods) {
        (Field::Absent, Field::Absent) => Err("the subject names nobody"),
        (field, Field::Absent) => namespaces(field, interner).map(TierSubject::Namespaces),
        (Field::Absent, field) => pods(field, interner).map(|(namespaces, pods)| TierSubject::Pods { namespaces, pods }),
        _ => Err("the subject names namespaces and pods at once"),
    };
    read.unwrap_or_else(|why| TierSubject::Unreadable(interner.name(why)))
}

fn rules(kind: Kind, side: Side, field: Field<Many<AdminRuleWire<'_>>>, interner: &mut Interner) -> Box<[TierRule]> {
    match field {
        Field::Absent => Box::default(),
        Field::Odd => Box::new([unreadable_rule("the rules are no list", interner)]),
        Field::Is(list) => list
            .0
            .into_iter()
            .map(|wire| match wire {
                Field::Is(wire) => rule(kind, side, wire, interner),
                Field::Absent | Field::Odd => unreadable_rule("the rule is no object", interner),
            })
            .collect(),
    }
}

/// A rule of which nothing is known but its place.
fn unreadable_rule(why: &str, interner: &mut Interner) -> TierRule {
    let why = interner.name(why);
    TierRule {
        name: interner.name(""),
        action: TierAction::Unreadable(why.clone()),
        peers: Box::new([TierPeer::Unreadable(why)]),
        ports: None,
    }
}

fn rule(kind: Kind, side: Side, wire: AdminRuleWire<'_>, interner: &mut Interner) -> TierRule {
    let peers = match if side == Side::Ingress { wire.from } else { wire.to } {
        Field::Absent => Vec::new(),
        Field::Odd => vec![TierPeer::Unreadable(interner.name("the peers are no list"))],
        Field::Is(list) => list.0.into_iter().flat_map(|peer| self::peers(side, peer, interner)).collect(),
    };
    let ports =
        if kind == Kind::ClusterNetworkPolicy { ports(wire.protocols, protocol, interner) } else { ports(wire.ports, port, interner) };
    TierRule {
        name: name(wire.name.text(), interner),
        action: action(kind, wire.action.text(), interner),
        peers: peers.into_boxed_slice(),
        ports,
    }
}

fn action(kind: Kind, text: &str, interner: &mut Interner) -> TierAction {
    match (kind, text) {
        (Kind::ClusterNetworkPolicy, "Accept") | (Kind::AdminNetworkPolicy | Kind::BaselineAdminNetworkPolicy, "Allow") => {
            TierAction::Allow
        }
        (_, "Deny") => TierAction::Deny,
        (Kind::ClusterNetworkPolicy | Kind::AdminNetworkPolicy, "Pass") => TierAction::Pass,
        (_, "") => TierAction::Unreadable(interner.name("no action is named")),
        (_, other) => TierAction::Unreadable(name(other, interner)),
    }
}

/// One peer as written; several where some of its ranges or names can be read and some can't.
fn peers(side: Side, field: Field<AdminPeerWire<'_>>, interner: &mut Interner) -> Vec<TierPeer> {
    read_peers(side, field, interner).unwrap_or_else(|why| vec![TierPeer::Unreadable(interner.name(why))])
}

fn read_peers(side: Side, field: Field<AdminPeerWire<'_>>, interner: &mut Interner) -> Result<Vec<TierPeer>, &'static str> {
    let Field::Is(wire) = field else { return Err("the peer is no object") };
    let inside = [!wire.namespaces.is_absent(), !wire.pods.is_absent()];
    let beyond = [!wire.nodes.is_absent(), !wire.networks.is_absent(), !wire.domain_names.is_absent()];
    match inside.iter().chain(&beyond).filter(|there| **there).count() {
        0 => return Err("the peer has no member that is known here"),
        1 if side == Side::Ingress && beyond.contains(&true) => return Err("such a peer is for egress only"),
        1 => {}
        _ => return Err("the peer has more than one member"),
    }
    let one = |peer| vec![peer];
    if inside == [true, false] {
        return namespaces(wire.namespaces, interner).map(TierPeer::Namespaces).map(one);
    }
    if inside == [false, true] {
        return pods(wire.pods, interner).map(|(namespaces, pods)| one(TierPeer::Pods { namespaces, pods }));
    }
    if let Some(nodes) = selector(wire.nodes, interner) {
        return Ok(one(TierPeer::Nodes(nodes)));
    }
    match (wire.networks, wire.domain_names) {
        (Field::Is(list), _) => Ok(networks(list, interner)),
        (_, Field::Is(list)) => Ok(domain_names(list, interner)),
        _ => Err("the addresses or names are no list"),
    }
}

fn networks(list: Many<Str<'_>>, interner: &mut Interner) -> Vec<TierPeer> {
    let mut odd = Vec::new();
    let mut ranges = Vec::new();
    for entry in list.0 {
        match networkpolicy::range(entry.text()) {
            Some(range) => ranges.push(range),
            None => odd.push(TierPeer::Unreadable(name(&format!("{:?} is no address range", entry.text()), interner))),
        }
    }
    if !ranges.is_empty() || odd.is_empty() {
        odd.push(TierPeer::Networks(ranges.into_boxed_slice()));
    }
    odd
}

fn domain_names(list: Many<Str<'_>>, interner: &mut Interner) -> Vec<TierPeer> {
    let mut odd = Vec::new();
    let mut names = Vec::new();
    for entry in list.0 {
        match entry.text() {
            "" => odd.push(TierPeer::Unreadable(interner.name("a domain name is no text"))),
            text => names.push(name(text, interner)),
        }
    }
    if !names.is_empty() || odd.is_empty() {
        odd.push(TierPeer::DomainNames(names.into_boxed_slice()));
    }
    odd
}

/// `namespaces`, in its newer or its older form. The older form's comparisons with the subject's own namespace were never taken over.
fn namespaces(field: Field<NamespacesWire<'_>>, interner: &mut Interner) -> Result<LabelSelector, &'static str> {
    let Field::Is(wire) = field else { return Err("namespaces is no object") };
    if !wire.same_labels.is_absent() || !wire.not_same_labels.is_absent() {
        return Err("sameLabels and notSameLabels are not evaluated");
    }
    let itself = SelectorWire { match_labels: wire.match_labels, match_expressions: wire.match_expressions };
    match wire.namespace_selector {
        Field::Absent => Ok(selector(Field::Is(itself), interner).unwrap_or_default()),
        older => Ok(selector(older, interner).unwrap_or_default()),
    }
}

/// `pods`: which namespaces and which pods in them. A selector that is left out selects everything: v1alpha2 says so of namespaces, and what
/// serves v1alpha1 would read it as the empty selector, if its schema let it pass.
fn pods(field: Field<PodsWire<'_>>, interner: &mut Interner) -> Result<(LabelSelector, LabelSelector), &'static str> {
    let Field::Is(wire) = field else { return Err("pods is no object") };
    let namespaces = match (wire.namespace_selector, wire.namespaces) {
        (Field::Absent, Field::Absent) => LabelSelector::default(),
        (Field::Absent, older) => namespaces(older, interner)?,
        (newer, _) => selector(newer, interner).unwrap_or_default(),
    };
    Ok((namespaces, selector(wire.pod_selector, interner).unwrap_or_default()))
}

fn ports<W>(
    field: Field<Many<W>>,
    read: fn(W, &mut Interner) -> Result<Vec<PolicyPort>, &'static str>,
    interner: &mut Interner,
) -> Option<Box<[PolicyPort]>> {
    let unreadable = |why: &str, interner: &mut Interner| vec![unreadable_port(why, interner)];
    match field {
        Field::Absent => None,
        Field::Odd => Some(unreadable("the ports are no list", interner).into_boxed_slice()),
        Field::Is(list) => {
            let read_one = |wire: Field<W>| {
                let wire = wire.get().ok_or("the port is no object");
                wire.and_then(|wire| read(wire, interner)).unwrap_or_else(|why| unreadable(why, interner))
            };
            Some(list.0.into_iter().flat_map(read_one).collect())
        }
    }
}

/// One of v1alpha1's `ports`.
fn port(wire: AdminPortWire<'_>, interner: &mut Interner) -> Result<Vec<PolicyPort>, &'static str> {
    match (wire.port_number, wire.port_range, wire.named_port) {
        (Field::Is(span), Field::Absent, Field::Absent) => {
            let protocol = named_protocol(&span.protocol, interner)?;
            Ok(vec![PolicyPort { protocol, port: range(&span.port, &span.port)? }])
        }
        (Field::Absent, Field::Is(span), Field::Absent) => {
            let protocol = named_protocol(&span.protocol, interner)?;
            Ok(vec![PolicyPort { protocol, port: range(&span.start, &span.end)? }])
        }
        (Field::Absent, Field::Absent, Field::Is(text)) if !text.0.is_empty() => Ok(named(&text, interner)),
        (Field::Absent, Field::Absent, Field::Absent) => Err("the port has no member that is known here"),
        _ => Err("the port has more than one member, or one that can't be read"),
    }
}

/// One of v1alpha2's `protocols`.
fn protocol(wire: ProtocolWire<'_>, interner: &mut Interner) -> Result<Vec<PolicyPort>, &'static str> {
    match (wire.tcp, wire.udp, wire.sctp, wire.destination_named_port) {
        (Field::Is(tcp), Field::Absent, Field::Absent, Field::Absent) => transport(Protocol::Tcp, tcp),
        (Field::Absent, Field::Is(udp), Field::Absent, Field::Absent) => transport(Protocol::Udp, udp),
        (Field::Absent, Field::Absent, Field::Is(sctp), Field::Absent) => transport(Protocol::Sctp, sctp),
        (Field::Absent, Field::Absent, Field::Absent, Field::Is(text)) if !text.0.is_empty() => Ok(named(&text, interner)),
        (Field::Absent, Field::Absent, Field::Absent, Field::Absent) => Err("the protocol has no member that is known here"),
        _ => Err("the protocol has more than one member, or one that can't be read"),
    }
}

fn transport(protocol: Protocol, wire: TransportWire<'_>) -> Result<Vec<PolicyPort>, &'static str> {
    let port = match wire.destination_port {
        Field::Absent => return Err("the protocol has no member that is known here"),
        Field::Odd => return Err("destinationPort is no object"),
        Field::Is(DestinationPortWire { number, range: Field::Absent }) => range(&number, &number)?,
        Field::Is(DestinationPortWire { number: Field::Absent, range: Field::Is(PortSpanWire { start, end, .. }) }) => range(&start, &end)?,
        Field::Is(_) => return Err("destinationPort has more than one member, or one that can't be read"),
    };
    Ok(vec![PolicyPort { protocol, port }])
}

/// A named port is of whatever protocol the pod gives it.
fn named(text: &Str<'_>, interner: &mut Interner) -> Vec<PolicyPort> {
    let port = PortMatch::Named(name(&text.0, interner));
    TRANSPORTS.map(|protocol| PolicyPort { protocol, port: port.clone() }).into()
}

fn named_protocol(field: &Field<Str<'_>>, interner: &mut Interner) -> Result<Protocol, &'static str> {
    if field.is_odd() { Err("protocol is no text") } else { Ok(protocol_named(field.text(), interner)) }
}

fn range(from: &Field<i64>, to: &Field<i64>) -> Result<PortMatch, &'static str> {
    let number = |field: &Field<i64>| field.as_ref().and_then(|port| u16::try_from(*port).ok()).filter(|port| *port > 0);
    match (number(from), number(to)) {
        (Some(from), Some(to)) if from <= to => Ok(PortMatch::Range(from, to)),
        (Some(_), Some(_)) => Err("the range of ports ends before it starts"),
        _ => Err("no port has that number"),
    }
}
