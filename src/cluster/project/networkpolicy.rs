//! NetworkPolicies, defaulted as the API server defaults them (`pkg/apis/networking/v1/defaults.go`).

use ipnet::IpNet;

use super::meta::{Version, Writer, meta, name};
use crate::cluster::wire::lean::{Field, IntOrStr, Many, Str};
use crate::cluster::wire::networkpolicy::{BlockWire, ExpressionWire, PeerWire, PolicyWire, PortWire, RuleWire, SelectorWire};
use crate::model::changes::Fact;
use crate::model::ids::Name;
use crate::model::intern::Interner;
use crate::model::kind::Kind;
use crate::model::labels::{Is, LabelSelector, Requirement};
use crate::model::networkpolicy::{NetworkPolicyFact, Peer, PolicyPort, PolicyRule, PortMatch, Protocol};

/// The fact of a NetworkPolicy.
pub(super) fn policy(_kind: Kind, wire: PolicyWire<'_>, interner: &mut Interner) -> Option<Fact> {
    let meta = meta(&wire.metadata.get()?, Version::Generation, Writer::Kept, interner)?;
    let spec = wire.spec.get().unwrap_or_default();
    let egress = rules(spec.egress, |rule| (rule.to, rule.ports), interner);
    let (isolates_ingress, isolates_egress) = isolates(&spec.policy_types, !egress.is_empty());
    Some(Fact::NetworkPolicy(NetworkPolicyFact {
        meta,
        pods: match spec.pod_selector {
            Field::Absent => LabelSelector::default(),
            other => selector(other, interner).unwrap_or_default(),
        },
        isolates_ingress,
        isolates_egress,
        ingress: rules(spec.ingress, |rule| (rule.from, rule.ports), interner),
        egress,
    }))
}

/// Absent or empty policy types mean ingress, and egress where an egress rule is given. A list that can't be read isolates nothing: no wall
/// may be claimed of it.
fn isolates(types: &Field<Many<Str<'_>>>, has_egress: bool) -> (bool, bool) {
    match types {
        Field::Odd => (false, false),
        Field::Is(types) if !types.0.is_empty() => {
            let lists = |wanted: &str| types.0.iter().any(|kind| kind.text() == wanted);
            (lists("Ingress"), lists("Egress"))
        }
        Field::Absent | Field::Is(_) => (true, has_egress),
    }
}

type Parts<'a> = (Field<Many<PeerWire<'a>>>, Field<Many<PortWire<'a>>>);

fn rules<'a>(field: Field<Many<RuleWire<'a>>>, parts: fn(RuleWire<'a>) -> Parts<'a>, interner: &mut Interner) -> Box<[PolicyRule]> {
    let list = match field {
        Field::Absent => return Box::default(),
        Field::Odd => return Box::new([unreadable_rule("the rules are no list", interner)]),
        Field::Is(list) => list,
    };
    let read = |rule: Field<RuleWire<'a>>| match rule {
        Field::Odd => unreadable_rule("the rule is no object", interner),
        // the server reads a null rule as an empty one: everybody, every port
        rule => {
            let (peers, ports) = parts(rule.get().unwrap_or_default());
            PolicyRule { peers: self::peers(peers, interner), ports: self::ports(ports, interner) }
        }
    };
    list.0.into_iter().map(read).collect()
}

fn unreadable_rule(why: &str, interner: &mut Interner) -> PolicyRule {
    PolicyRule { peers: Box::new([Peer::Unreadable(interner.name(why))]), ports: Box::default() }
}

fn peers(field: Field<Many<PeerWire<'_>>>, interner: &mut Interner) -> Box<[Peer]> {
    match field {
        Field::Absent => Box::default(),
        Field::Odd => Box::new([Peer::Unreadable(interner.name("the peers are no list"))]),
        Field::Is(list) => list.0.into_iter().map(|wire| peer(wire, interner)).collect(),
    }
}

fn peer(wire: Field<PeerWire<'_>>, interner: &mut Interner) -> Peer {
    let wire = match wire {
        Field::Odd => return Peer::Unreadable(interner.name("the peer is no object")),
        wire => wire.get().unwrap_or_default(),
    };
    let (namespaces, pods) = (selector(wire.namespace_selector, interner), selector(wire.pod_selector, interner));
    match (wire.ip_block, namespaces, pods) {
        (Field::Absent, None, None) => Peer::Unreadable(interner.name("the peer names nobody")),
        (Field::Absent, namespaces, pods) => Peer::Pods { namespaces, pods },
        (Field::Odd, ..) => Peer::Unreadable(interner.name("ipBlock is no object")),
        (Field::Is(block), None, None) => self::block(block, interner),
        (Field::Is(_), ..) => Peer::Unreadable(interner.name("the peer names both addresses and pods")),
    }
}

fn block(wire: BlockWire<'_>, interner: &mut Interner) -> Peer {
    let Some(cidr) = range(wire.cidr.text()) else {
        return Peer::Unreadable(name(&format!("{:?} is no address range", wire.cidr.text()), interner));
    };
    if wire.except.is_odd() {
        return Peer::Unreadable(interner.name("except is no list"));
    }
    let mut except = Vec::new();
    for entry in wire.except.get().unwrap_or_default().0 {
        match range(entry.text()) {
            Some(inside) if cidr.contains(&inside) => except.push(inside),
            Some(_) => return Peer::Unreadable(name(&format!("except {:?} is not inside {cidr}", entry.text()), interner)),
            None => return Peer::Unreadable(name(&format!("except {:?} is no address range", entry.text()), interner)),
        }
    }
    Peer::Block { cidr, except: except.into_boxed_slice() }
}

/// A range of addresses, by its network address.
pub(super) fn range(text: &str) -> Option<IpNet> {
    text.parse::<IpNet>().ok().map(|net| net.trunc())
}

fn ports(field: Field<Many<PortWire<'_>>>, interner: &mut Interner) -> Box<[PolicyPort]> {
    match field {
        Field::Absent => Box::default(),
        Field::Odd => Box::new([unreadable_port("the ports are no list", interner)]),
        Field::Is(list) => list.0.into_iter().map(|wire| port(wire, interner)).collect(),
    }
}

/// The protocols that have ports.
pub(super) const TRANSPORTS: [Protocol; 3] = [Protocol::Tcp, Protocol::Udp, Protocol::Sctp];

/// A protocol by its name; TCP where none is named.
pub(super) fn protocol_named(text: &str, interner: &mut Interner) -> Protocol {
    match text {
        "TCP" | "" => Protocol::Tcp,
        "UDP" => Protocol::Udp,
        "SCTP" => Protocol::Sctp,
        other => Protocol::Other(name(other, interner)),
    }
}

/// A port entry that can't be read.
pub(super) fn unreadable_port(why: &str, interner: &mut Interner) -> PolicyPort {
    PolicyPort { protocol: Protocol::Tcp, port: PortMatch::Unreadable(interner.name(why)) }
}

fn port(wire: Field<PortWire<'_>>, interner: &mut Interner) -> PolicyPort {
    let wire = match wire {
        Field::Odd => return unreadable_port("the port is no object", interner),
        wire => wire.get().unwrap_or_default(),
    };
    let protocol = match &wire.protocol {
        Field::Absent => Protocol::Tcp,
        Field::Odd => return unreadable_port("protocol is no text", interner),
        Field::Is(text) => protocol_named(&text.0, interner),
    };
    PolicyPort { protocol, port: port_match(&wire.port, &wire.end_port, interner) }
}

fn port_match(port: &Field<IntOrStr<'_>>, end: &Field<i64>, interner: &mut Interner) -> PortMatch {
    let number = |value: i64| u16::try_from(value).ok().filter(|port| *port > 0);
    match (port, end) {
        (_, Field::Odd) => PortMatch::Unreadable(interner.name("endPort is no number")),
        (Field::Odd, _) => PortMatch::Unreadable(interner.name("port is neither number nor name")),
        (Field::Absent, Field::Absent) => PortMatch::Any,
        (Field::Absent, Field::Is(_)) => PortMatch::Unreadable(interner.name("endPort without port")),
        (Field::Is(IntOrStr::Int(from)), end) => {
            let to = end.as_ref().copied().unwrap_or(*from);
            match (number(*from), number(to)) {
                (Some(from), Some(to)) if from <= to => PortMatch::Range(from, to),
                (Some(_), Some(_)) => PortMatch::Unreadable(interner.name("endPort lies before port")),
                _ => PortMatch::Unreadable(interner.name("no port has that number")),
            }
        }
        (Field::Is(IntOrStr::Str(_)), Field::Is(_)) => PortMatch::Unreadable(interner.name("endPort beside a named port")),
        // the server demands a letter, so that a name is never mistaken for a number
        (Field::Is(IntOrStr::Str(text)), Field::Absent) if text.chars().any(|c| c.is_ascii_alphabetic()) => {
            PortMatch::Named(name(text, interner))
        }
        (Field::Is(IntOrStr::Str(_)), Field::Absent) => PortMatch::Unreadable(interner.name("a port name needs a letter")),
    }
}

/// A label selector; none where there is none. What can't be read becomes a requirement nobody can judge.
pub(super) fn selector(field: Field<SelectorWire<'_>>, interner: &mut Interner) -> Option<LabelSelector> {
    let wire = match field {
        Field::Absent => return None,
        Field::Odd => return Some(LabelSelector { requirements: Box::new([unjudged("", "the selector is no object", interner)]) }),
        Field::Is(wire) => wire,
    };
    let mut requirements = Vec::new();
    match wire.match_labels {
        Field::Absent => {}
        Field::Odd => requirements.push(unjudged("", "matchLabels is no object", interner)),
        Field::Is(table) => {
            for (key, value) in table.0 {
                requirements.push(match value {
                    Field::Is(value) => Requirement { key: name(&key, interner), is: Is::In(Box::new([name(&value.0, interner)])) },
                    // the server reads null as an empty value
                    Field::Absent => Requirement { key: name(&key, interner), is: Is::In(Box::new([interner.name("")])) },
                    Field::Odd => unjudged(&key, "the value is no text", interner),
                });
            }
        }
    }
    match wire.match_expressions {
        Field::Absent => {}
        Field::Odd => requirements.push(unjudged("", "matchExpressions is no list", interner)),
        Field::Is(list) => requirements.extend(list.0.into_iter().map(|wire| expression(wire, interner))),
    }
    Some(LabelSelector { requirements: requirements.into_boxed_slice() })
}

/// A requirement that nobody can judge.
pub(super) fn unjudged(key: &str, why: &str, interner: &mut Interner) -> Requirement {
    Requirement { key: name(key, interner), is: Is::Unknown(interner.name(why)) }
}

fn expression(wire: Field<ExpressionWire<'_>>, interner: &mut Interner) -> Requirement {
    let Field::Is(wire) = wire else { return unjudged("", "the expression is no object", interner) };
    let key = wire.key.text().to_owned();
    if key.is_empty() {
        return unjudged("", "the expression names no key", interner);
    }
    let values: Option<Box<[Name]>> = match wire.values {
        Field::Odd => None,
        values => values.get().unwrap_or_default().0.into_iter().map(|value| value.get().map(|text| name(&text.0, interner))).collect(),
    };
    let is = match (wire.operator.text(), values) {
        ("In", Some(values)) => Is::In(values),
        ("NotIn", Some(values)) => Is::NotIn(values),
        ("In" | "NotIn", None) => Is::Unknown(interner.name("the values are no list of texts")),
        ("Exists", _) => Is::Exists,
        ("DoesNotExist", _) => Is::DoesNotExist,
        (operator, _) => Is::Unknown(name(operator, interner)),
    };
    Requirement { key: name(&key, interner), is }
}
