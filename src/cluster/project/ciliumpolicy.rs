//! CiliumNetworkPolicies, CiliumClusterwideNetworkPolicies and CiliumCIDRGroups, read as Cilium's agent 1.20 reads them
//! (`pkg/policy/api/rule_validation.go`, `pkg/policy/utils/parserules.go`). What the agent would refuse is marked: it then follows none of
//! the policy.

use std::net::IpAddr;

use ipnet::IpNet;

use super::meta::{Version, Writer, labels, meta, name};
use super::networkpolicy::{TRANSPORTS, protocol_named, range, selector, unjudged, unreadable_port};
use super::optional;
use crate::cluster::wire::ciliumpolicy::{
    CidrGroupWire, CidrRuleWire, CiliumEntryWire, CiliumPeersWire, CiliumPolicyWire, CiliumPortWire, CiliumPortsWire, CiliumRuleWire,
    CiliumServiceWire, FqdnWire,
};
use crate::cluster::wire::lean::{Field, Many, Str};
use crate::cluster::wire::networkpolicy::SelectorWire;
use crate::model::changes::Fact;
use crate::model::ciliumpolicy::{
    CidrGroupFact, CiliumBlock, CiliumEntry, CiliumPeers, CiliumPolicyFact, CiliumPorts, CiliumRule, CiliumService, CiliumSubject,
};
use crate::model::ids::Name;
use crate::model::intern::Interner;
use crate::model::kind::Kind;
use crate::model::labels::LabelSelector;
use crate::model::networkpolicy::{PolicyPort, PortMatch};

/// What an entry's keys about peers begin with: `from` in ingress lists, `to` in egress lists.
type Prefix = &'static str;

/// The fact of a Cilium policy of either kind.
pub(super) fn cilium_policy(kind: Kind, wire: CiliumPolicyWire<'_>, interner: &mut Interner) -> Option<Fact> {
    let meta = meta(&wire.metadata.get()?, Version::Generation, Writer::Kept, interner)?;
    let mut rules = Vec::new();
    match wire.spec {
        Field::Absent => {}
        Field::Odd => rules.push(unreadable_rule("spec is no object", interner)),
        Field::Is(wire) => rules.push(rule(kind, wire, interner)),
    }
    match wire.specs {
        Field::Absent => {}
        Field::Odd => rules.push(unreadable_rule("specs is no list", interner)),
        Field::Is(list) => rules.extend(list.0.into_iter().map(|wire| match wire {
            Field::Is(wire) => rule(kind, wire, interner),
            Field::Absent | Field::Odd => unreadable_rule("a rule is no object", interner),
        })),
    }
    Some(Fact::CiliumPolicy(CiliumPolicyFact { meta, kind, rules: rules.into_boxed_slice() }))
}

/// A rule that may be about anybody and say anything.
fn unreadable_rule(why: &str, interner: &mut Interner) -> CiliumRule {
    let why = interner.name(why);
    let entry = || Box::new([unreadable_entry(why.clone())]);
    CiliumRule {
        subject: CiliumSubject::Unreadable(why.clone()),
        ingress: entry(),
        ingress_deny: Box::default(),
        egress: entry(),
        egress_deny: Box::default(),
        default_deny_ingress: None,
        default_deny_egress: None,
    }
}

fn rule(kind: Kind, wire: CiliumRuleWire<'_>, interner: &mut Interner) -> CiliumRule {
    let default_deny = match wire.enable_default_deny {
        Field::Odd => return unreadable_rule("enableDefaultDeny is no object", interner),
        field => field.get().unwrap_or_default(),
    };
    if default_deny.ingress.is_odd() || default_deny.egress.is_odd() {
        return unreadable_rule("enableDefaultDeny holds no truth value", interner);
    }
    let subject = match (selector(wire.endpoint_selector, interner), selector(wire.node_selector, interner)) {
        (Some(endpoints), None) => CiliumSubject::Endpoints(endpoints),
        (None, Some(nodes)) if kind == Kind::CiliumClusterwideNetworkPolicy => CiliumSubject::Nodes(nodes),
        (None, Some(_)) => CiliumSubject::Unreadable(interner.name("only a cluster-wide policy may have a nodeSelector")),
        (None, None) => CiliumSubject::Unreadable(interner.name("neither endpointSelector nor nodeSelector is given")),
        (Some(_), Some(_)) => CiliumSubject::Unreadable(interner.name("both endpointSelector and nodeSelector are given")),
    };
    CiliumRule {
        subject,
        ingress: entries("from", wire.ingress, interner),
        ingress_deny: entries("from", wire.ingress_deny, interner),
        egress: entries("to", wire.egress, interner),
        egress_deny: entries("to", wire.egress_deny, interner),
        default_deny_ingress: default_deny.ingress.get(),
        default_deny_egress: default_deny.egress.get(),
    }
}

fn entries(prefix: Prefix, field: Field<Many<CiliumEntryWire<'_>>>, interner: &mut Interner) -> Box<[CiliumEntry]> {
    match field {
        Field::Absent => Box::default(),
        Field::Odd => Box::new([unreadable_entry(interner.name("the entries are no list"))]),
        Field::Is(list) => list
            .0
            .into_iter()
            .map(|wire| match wire {
                Field::Is(wire) => entry(prefix, wire, interner),
                Field::Absent | Field::Odd => unreadable_entry(interner.name("the entry is no object")),
            })
            .collect(),
    }
}

fn unreadable_entry(why: Name) -> CiliumEntry {
    CiliumEntry {
        peers: Box::new([CiliumPeers::Unreadable(why)]),
        ports: None,
        icmp_only: false,
        requires: Box::default(),
        authenticated: false,
    }
}

fn entry(prefix: Prefix, wire: CiliumEntryWire<'_>, interner: &mut Interner) -> CiliumEntry {
    let mut peers = Vec::new();
    let mut requires = Vec::new();
    for (key, member) in wire.peers {
        match member {
            Field::Absent => {}
            _ if !key.starts_with(prefix) => peers.push(CiliumPeers::Unreadable(name(&key, interner))),
            Field::Odd => peers.push(CiliumPeers::Unreadable(name(&key, interner))),
            Field::Is(CiliumPeersWire::Requires(list)) => requires.extend(selectors(list, interner)),
            Field::Is(member) => peers.extend(self::peers(&key, member, interner)),
        }
    }
    if let Some(key) = wire.unknown {
        peers.push(CiliumPeers::Unreadable(name(&key, interner)));
    }
    // the agent selects nobody as soon as one such list is there and empty
    if let Some(nobody) = peers.iter().find(|member| is_empty(member)).cloned() {
        peers = vec![nobody];
    }
    let ports = ports(wire.ports, interner);
    let icmps = match wire.icmps {
        Field::Absent => false,
        Field::Odd => true,
        Field::Is(list) => !list.0.is_empty(),
    };
    if icmps && ports.is_some() {
        peers.push(CiliumPeers::Unreadable(interner.name("icmps beside toPorts, which the agent refuses")));
    }
    CiliumEntry {
        peers: peers.into_boxed_slice(),
        icmp_only: icmps && ports.is_none(),
        ports,
        requires: requires.into_boxed_slice(),
        authenticated: match wire.authentication {
            Field::Absent => false,
            Field::Odd => true,
            Field::Is(wire) => wire.mode.text() != "disabled",
        },
    }
}

fn is_empty(member: &CiliumPeers) -> bool {
    match member {
        CiliumPeers::Endpoints(list) | CiliumPeers::Nodes(list) => list.is_empty(),
        CiliumPeers::Entities(list) => list.is_empty(),
        CiliumPeers::Blocks(list) => list.is_empty(),
        CiliumPeers::Services(_) | CiliumPeers::Names(_) | CiliumPeers::Unreadable(_) => false,
    }
}

/// One member about peers; none where it is an empty list of those that the agent passes over.
fn peers(key: &str, member: CiliumPeersWire<'_>, interner: &mut Interner) -> Option<CiliumPeers> {
    let read = match member {
        CiliumPeersWire::Services(Many(list)) if list.is_empty() => return None,
        CiliumPeersWire::Names(Many(list)) if list.is_empty() => return None,
        CiliumPeersWire::Groups(Many(list)) if list.is_empty() => return None,
        CiliumPeersWire::Endpoints(list) => Some(CiliumPeers::Endpoints(selectors(list, interner))),
        CiliumPeersWire::Nodes(list) => Some(CiliumPeers::Nodes(selectors(list, interner))),
        CiliumPeersWire::Entities(list) => all(list, |entity| optional(&Field::Is(entity), interner)).map(CiliumPeers::Entities),
        CiliumPeersWire::Ranges(list) => {
            Some(CiliumPeers::Blocks(list.0.into_iter().map(|range| address_or_range(range.text(), interner)).collect()))
        }
        CiliumPeersWire::Blocks(list) => {
            Some(CiliumPeers::Blocks(list.0.into_iter().map(|rule| block(rule.get().unwrap_or_default(), interner)).collect()))
        }
        CiliumPeersWire::Services(list) => all(list, |wire| service(wire, interner)).map(CiliumPeers::Services),
        CiliumPeersWire::Names(list) => all(list, |wire| domain_name(&wire, interner)).map(CiliumPeers::Names),
        CiliumPeersWire::Groups(_) | CiliumPeersWire::Requires(_) => None,
    };
    Some(read.unwrap_or_else(|| CiliumPeers::Unreadable(name(key, interner))))
}

/// All items of a list, or nothing when one of them can't be read.
fn all<W, T>(list: Many<W>, mut read: impl FnMut(W) -> Option<T>) -> Option<Box<[T]>> {
    list.0.into_iter().map(|item| read(item.get()?)).collect()
}

/// Selectors. One that can't be read stays, as one that nobody can judge.
fn selectors(list: Many<SelectorWire<'_>>, interner: &mut Interner) -> Box<[LabelSelector]> {
    let read = |wire: Field<SelectorWire<'_>>| {
        selector(wire, interner)
            .unwrap_or_else(|| LabelSelector { requirements: Box::new([unjudged("", "the selector is no object", interner)]) })
    };
    list.0.into_iter().map(read).collect()
}

/// An entry of `fromCIDR` or `toCIDR`: a range, or one address.
fn address_or_range(text: &str, interner: &mut Interner) -> CiliumBlock {
    match range(text).or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from)) {
        Some(cidr) => CiliumBlock::Range { cidr, except: Box::default() },
        None => CiliumBlock::Unreadable(name(&format!("{text:?} is no address range"), interner)),
    }
}

/// An entry of `fromCIDRSet` or `toCIDRSet`.
fn block(wire: CidrRuleWire<'_>, interner: &mut Interner) -> CiliumBlock {
    read_block(wire, interner).unwrap_or_else(|why| CiliumBlock::Unreadable(interner.name(why)))
}

fn read_block(wire: CidrRuleWire<'_>, interner: &mut Interner) -> Result<CiliumBlock, &'static str> {
    let except: Option<Box<[IpNet]>> = match wire.except {
        Field::Odd => None,
        list => list.get().unwrap_or_default().0.into_iter().map(|entry| range(entry.text())).collect(),
    };
    let except = except.ok_or("except holds what is no address range")?;
    match (wire.cidr, wire.cidr_group_ref, wire.cidr_group_selector) {
        (Field::Is(text), Field::Absent, Field::Absent) => {
            let cidr = range(&text.0).ok_or("cidr is no address range")?;
            let inside = except.iter().all(|except| cidr.contains(except));
            if inside { Ok(CiliumBlock::Range { cidr, except }) } else { Err("except is not inside cidr") }
        }
        (Field::Absent, Field::Is(text), Field::Absent) => Ok(CiliumBlock::Group { name: name(&text.0, interner), except }),
        (Field::Absent, Field::Absent, Field::Is(_)) => Err("cidrGroupSelector is not evaluated"),
        (Field::Absent, Field::Absent, Field::Absent) => Err("neither cidr nor a group is named"),
        _ => Err("more than one of cidr and groups is named, or one that can't be read"),
    }
}

/// An entry of `toServices`. Where both members are given, the agent goes by the selector.
fn service(wire: CiliumServiceWire<'_>, interner: &mut Interner) -> Option<CiliumService> {
    match (wire.k8s_service_selector, wire.k8s_service) {
        (Field::Is(wire), _) if !wire.namespace.is_odd() => {
            Some(CiliumService::Selected { namespace: optional(&wire.namespace, interner), selector: selector(wire.selector, interner)? })
        }
        (Field::Absent, Field::Is(wire)) if !wire.namespace.is_odd() => {
            Some(CiliumService::Named { namespace: optional(&wire.namespace, interner), name: optional(&wire.service_name, interner)? })
        }
        _ => None,
    }
}

/// An entry of `toFQDNs`: its name or its pattern.
fn domain_name(wire: &FqdnWire<'_>, interner: &mut Interner) -> Option<Name> {
    match (&wire.match_name, &wire.match_pattern) {
        (text, Field::Absent) | (Field::Absent, text) => optional(text, interner),
        _ => None,
    }
}

/// `toPorts`; none where it is missing or empty: every port. Of an element without ports the agent makes nothing, so it is left out.
fn ports(field: Field<Many<CiliumPortsWire<'_>>>, interner: &mut Interner) -> Option<Box<[CiliumPorts]>> {
    let unreadable =
        |why: &str, interner: &mut Interner| CiliumPorts { ports: Box::new([unreadable_port(why, interner)]), filtered: false };
    match field {
        Field::Absent => None,
        Field::Odd => Some(Box::new([unreadable("toPorts is no list", interner)])),
        Field::Is(list) if list.0.is_empty() => None,
        Field::Is(list) => Some(
            list.0
                .into_iter()
                .map(|wire| match wire {
                    Field::Is(wire) => port_rule(wire, interner),
                    Field::Absent | Field::Odd => unreadable("an element of toPorts is no object", interner),
                })
                .filter(|element| !element.ports.is_empty())
                .collect(),
        ),
    }
}

fn port_rule(wire: CiliumPortsWire<'_>, interner: &mut Interner) -> CiliumPorts {
    let names = match &wire.server_names {
        Field::Absent => false,
        Field::Odd => true,
        Field::Is(list) => !list.0.is_empty(),
    };
    let filtered = names
        || wire.rules.is_odd()
        || wire.rules.as_ref().is_some_and(|rules| rules.0)
        || ![&wire.listener, &wire.terminating_tls, &wire.originating_tls].iter().all(|field| field.is_absent());
    let ports = match wire.ports {
        Field::Absent => Box::default(),
        Field::Odd => Box::from([unreadable_port("ports is no list", interner)]),
        Field::Is(list) => list.0.into_iter().flat_map(|wire| port(wire.get(), interner)).collect(),
    };
    CiliumPorts { ports, filtered }
}

/// One of `ports`: an entry for each protocol it is about.
fn port(wire: Option<CiliumPortWire<'_>>, interner: &mut Interner) -> Vec<PolicyPort> {
    let Some(wire) = wire else { return vec![unreadable_port("the port is no object", interner)] };
    if wire.protocol.is_odd() {
        return vec![unreadable_port("protocol is no text", interner)];
    }
    let port = match port_match(&wire, interner) {
        Ok(port) => port,
        Err(why) => return vec![unreadable_port(why, interner)],
    };
    let protocols = match wire.protocol.text() {
        "" | "ANY" => TRANSPORTS.to_vec(),
        text => vec![protocol_named(text, interner)],
    };
    protocols.into_iter().map(|protocol| PolicyPort { protocol, port: port.clone() }).collect()
}

fn port_match(wire: &CiliumPortWire<'_>, interner: &mut Interner) -> Result<PortMatch, &'static str> {
    let text = match (&wire.port, wire.protocol.text()) {
        (Field::Odd, _) => return Err("port is no text"),
        (field, "" | "ANY" | "TCP" | "UDP" | "SCTP") if field.text().is_empty() => return Err("there is no port"),
        // protocols without ports
        (field, _) if field.text().is_empty() => return Ok(PortMatch::Any),
        (field, _) => field.text(),
    };
    // 0 is as good as missing
    let end = match wire.end_port {
        Field::Odd => return Err("endPort is no number"),
        Field::Is(end) if end != 0 => Some(u16::try_from(end).map_err(|_beyond| "no port has that number")?),
        _ => None,
    };
    if text.chars().any(|c| c.is_ascii_alphabetic()) {
        // the agent compares names without regard to case
        return if end.is_none() {
            Ok(PortMatch::Named(name(&text.to_ascii_lowercase(), interner)))
        } else {
            Err("endPort beside a named port")
        };
    }
    // a leading zero would make it octal
    let number = text.parse::<u16>().ok().filter(|number| *number == 0 || !text.starts_with('0')).ok_or("no port has that number")?;
    match (number, end) {
        (0, None) => Ok(PortMatch::Any),
        (0, Some(_)) => Err("endPort beside port 0"),
        (from, None) => Ok(PortMatch::Range(from, from)),
        (from, Some(to)) if from <= to => Ok(PortMatch::Range(from, to)),
        (_, Some(_)) => Err("endPort lies before port"),
    }
}

/// The fact of a CiliumCIDRGroup. Its labels may select it, so that its version moves with them.
pub(super) fn cidr_group(_kind: Kind, wire: CidrGroupWire<'_>, interner: &mut Interner) -> Option<Fact> {
    let mut metadata = wire.metadata.get()?;
    let set = labels(std::mem::take(&mut metadata.labels), interner);
    let list: Vec<Field<Str<'_>>> = match wire.spec.get().unwrap_or_default().external_cidrs {
        Field::Is(list) => list.0,
        Field::Absent | Field::Odd => vec![Field::Odd],
    };
    let entries = list.len();
    let cidrs: Box<[IpNet]> = list.into_iter().filter_map(|entry| range(entry.text())).collect();
    Some(Fact::CidrGroup(CidrGroupFact {
        meta: meta(&metadata, Version::Resource, Writer::Kept, interner)?,
        labels: interner.labels(set),
        unreadable: cidrs.len() < entries,
        cidrs,
    }))
}
