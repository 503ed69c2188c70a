//! NET-05 and NET-06: the exception for DNS is exact, and names resolve over both transports.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::of_namespace;
use super::ports::{names, numbers, words as port_words};
use super::resolver::{Aim, PORT, Resolver, TRANSPORTS, aim, as_rule};
use crate::model::containers::PortProtocol;
use crate::model::ids::{Name, ObjectRef};
use crate::model::kind::Kind;
use crate::model::networkpolicy::{Peer, PolicyRule};
use crate::model::snapshot::NamespaceFacts;
use crate::model::text::clean;
use crate::netpol::ports::PortSet;
use crate::netpol::selector::words;
use crate::netpol::target::Target;
use crate::posture::finding::Subject;
use crate::posture::sight::Source;
use crate::posture::verdict::Declared;
use crate::posture::view::{Point, TenantView};

/// NET-05: the exception for DNS is exact.
pub fn exception(view: &TenantView<'_>) -> Vec<Point> {
    if let Some(why) = view.blind(Source::Objects(Kind::Service)) {
        return vec![
            Point::new(Declared::Unknown, view.subject(), format!("where the resolver is can't be said: Service {why}")).because("unseen"),
        ];
    }
    let resolver = Resolver::of(view.snapshot);
    view.namespaces.iter().flat_map(|(name, facts)| judge(view, name, facts, resolver.as_ref())).collect()
}

fn judge(view: &TenantView<'_>, name: &Name, facts: &NamespaceFacts, resolver: Option<&Resolver<'_>>) -> Vec<Point> {
    let mut points = Vec::new();
    let mut reached = PortSet::none();
    let mut any = false;
    let mut unresolved: Option<Point> = None;
    for at in dns_rules(name, facts, resolver) {
        any = true;
        for aim in aims(view, &at.rule, resolver) {
            if aim == Aim::Elsewhere {
                unresolved = unresolved.or_else(|| Some(at.point(Declared::Open, "no-resolver", "matches no resolver pod: DNS will fail")));
            } else {
                reached = reached.union(&transports_of(&at.rule, resolver));
            }
            points.extend(said_of(aim, &at));
        }
        points.extend(other_ports(&at, resolver));
    }
    if !any {
        let message = if facts.policies.values().any(|policy| policy.isolates_egress) {
            format!("no rule of {} names port 53: there is no exception for DNS to judge", clean(name))
        } else {
            format!("no NetworkPolicy isolates {} for egress, so DNS needs no exception", clean(name))
        };
        return vec![Point::new(Declared::NotApplicable, of_namespace(name), message)];
    }
    if let (true, Some(point)) = (reached.is_empty(), unresolved) {
        if resolver.is_none() {
            let message = format!("{}; the resolver's Service was not found where it usually is", point.message);
            return vec![Point { declared: Declared::Unknown, reason: Some("resolver-unknown"), message, ..point }];
        }
        return vec![point];
    }
    points.extend(transport(name, &reached));
    if points.is_empty() {
        let message = format!("DNS of {} goes to the resolver's pods only, over UDP and TCP", clean(name));
        points.push(Point::new(Declared::Right, of_namespace(name), message));
    }
    points
}

/// A rule and where it stands.
struct At<'a> {
    namespace: &'a Name,
    object: ObjectRef,
    field: String,
    rule: Cow<'a, PolicyRule>,
}

/// The rules of a namespace that name DNS among their ports, of NetworkPolicies and of Cilium's.
fn dns_rules<'a>(namespace: &'a Name, facts: &'a NamespaceFacts, resolver: Option<&Resolver<'_>>) -> Vec<At<'a>> {
    let mut found = Vec::new();
    for policy in facts.policies.values().filter(|policy| policy.isolates_egress) {
        let object = policy.meta.object(Kind::NetworkPolicy);
        found.extend(policy.egress.iter().enumerate().map(|(index, rule)| At {
            namespace,
            object: object.clone(),
            field: format!("spec.egress[{index}]"),
            rule: Cow::Borrowed(rule),
        }));
    }
    for policy in facts.cilium.values() {
        let object = policy.meta.object(policy.kind);
        let entries = policy.rules.iter().flat_map(|rule| rule.egress.iter().enumerate());
        found.extend(entries.filter_map(|(index, entry)| {
            let rule = Cow::Owned(as_rule(entry, resolver)?);
            Some(At { namespace, object: object.clone(), field: format!("spec.egress[{index}]"), rule })
        }));
    }
    found.retain(|at| about_dns(&at.rule, resolver));
    found
}

impl At<'_> {
    fn point(&self, declared: Declared, reason: &'static str, what: &str) -> Point {
        let message = format!("the DNS rule of {} in {} {what}", clean(&self.object.name), clean(self.namespace));
        let peers: Vec<String> = self.rule.peers.iter().map(peer_words).collect();
        let to = if peers.is_empty() { "everybody".to_owned() } else { peers.join(" or ") };
        let value = format!("{to}, on {}", port_words(&self.rule.ports));
        Point::new(declared, Subject::object(&self.object), message).because(reason).with(self.object.clone(), &self.field, &value)
    }
}

fn peer_words(peer: &Peer) -> String {
    match peer {
        Peer::Pods { namespaces: Some(of), pods } => super::leads::peer_words(of, pods.as_ref()),
        Peer::Pods { namespaces: None, pods } => format!("own pods {}", pods.as_ref().map(words).unwrap_or_default()),
        Peer::Block { cidr, .. } => cidr.to_string(),
        Peer::Unreadable(why) => why.to_string(),
    }
}

/// Whether a rule names DNS among its ports. One for every port is no exception for DNS.
fn about_dns(rule: &PolicyRule, resolver: Option<&Resolver<'_>>) -> bool {
    let named = |name: &str| resolver.is_some_and(|resolver| resolver.names.contains(name));
    !rule.ports.is_empty()
        && (TRANSPORTS.iter().any(|transport| numbers(&rule.ports).contains(*transport, PORT)) || names(&rule.ports).any(named))
}

fn aims(view: &TenantView<'_>, rule: &PolicyRule, resolver: Option<&Resolver<'_>>) -> BTreeSet<Aim> {
    if rule.peers.is_empty() {
        return [Aim::Anywhere].into();
    }
    rule.peers.iter().filter_map(|peer| aim(view, rule, peer, resolver)).collect()
}

/// What is to be said of one aim; what is exact and what is elsewhere says itself together with the rest.
fn said_of(aim: Aim, at: &At<'_>) -> Option<Point> {
    match aim {
        Aim::Exact | Aim::Elsewhere => None,
        Aim::WholeNamespace => Some(at.point(
            Declared::Right,
            "whole-namespace",
            "opens the resolver's whole namespace on these ports; a podSelector would name its pods only",
        )),
        Aim::AnyNamespace => Some(at.point(
            Declared::Partly,
            "any-namespace",
            "takes pods labelled like the resolver in every namespace: whoever labels a pod so is asked, too",
        )),
        Aim::Anywhere => {
            Some(at.point(Declared::Open, "any-destination", "lets DNS go anywhere: data leaves in queries to a resolver of one's own"))
        }
    }
}

/// UDP and TCP ports of the rule that are the resolver's.
fn transports_of(rule: &PolicyRule, resolver: Option<&Resolver<'_>>) -> PortSet {
    let own = PortSet::from_ranges(TRANSPORTS.map(|transport| (transport, PORT, PORT)));
    let wanted = resolver.map_or(own, |resolver| resolver.ports.clone());
    let numbered = numbers(&rule.ports).intersect(&wanted);
    let named = rule.ports.iter().filter_map(|port| match &port.port {
        crate::model::networkpolicy::PortMatch::Named(name) if resolver.is_some_and(|r| r.names.contains(name.as_ref())) => {
            super::ports::protocol(&port.protocol).map(|protocol| (protocol, PORT, PORT))
        }
        _ => None,
    });
    numbered.union(&PortSet::from_ranges(named))
}

fn transport(name: &Name, reached: &PortSet) -> Option<Point> {
    let missing = TRANSPORTS.into_iter().find(|transport| reached.ranges(*transport).is_empty())?;
    let (reason, which, effect) = match missing {
        PortProtocol::Udp => ("tcp-only", "TCP but not over UDP", "most resolvers ask over UDP first"),
        _ => ("udp-only", "UDP but not over TCP", "long answers will fail"),
    };
    let message = format!("DNS of {} is allowed over {which}: {effect}", clean(name));
    Some(Point::new(Declared::Partly, of_namespace(name), message).because(reason))
}

/// Ports of a DNS rule that are none of the resolver's: what else do they open there?
fn other_ports(at: &At<'_>, resolver: Option<&Resolver<'_>>) -> Option<Point> {
    let own = PortSet::from_ranges(TRANSPORTS.map(|transport| (transport, PORT, PORT)));
    let wanted = resolver.map_or_else(|| own.clone(), |resolver| resolver.ports.union(&own));
    let numbered = numbers(&at.rule.ports).minus(&wanted);
    let named: Vec<&str> = names(&at.rule.ports).filter(|name| !resolver.is_some_and(|r| r.names.contains(name))).collect();
    if numbered.is_empty() && named.is_empty() {
        return None;
    }
    let mut said: Vec<String> = (!numbered.is_empty()).then(|| numbered.words()).into_iter().collect();
    said.extend(named.iter().map(|name| clean(name)));
    Some(at.point(Declared::Partly, "other-ports", &format!("opens more than DNS: {}", said.join(", "))))
}

/// NET-06: names resolve over both transports. A receipt would have to show it; the network probe of this release resolves names as a
/// control, with whatever transport the tool takes, and so can't.
pub fn transports(view: &TenantView<'_>) -> Vec<Point> {
    let matrix = view.reach.matrix();
    let cell = matrix.place(view.tenant).and_then(|place| matrix.rows.get(place)).and_then(|row| row.target(Target::ClusterDns));
    let open = |transport| cell.is_some_and(|cell| cell.now.sure.contains(transport, PORT));
    let point = |declared, message: &str| vec![Point::new(declared, view.subject(), message)];
    if TRANSPORTS.into_iter().all(open) {
        point(
            Declared::Right,
            "the resolver is allowed over UDP and TCP; no receipt shows both: the network probe resolves names over one transport of the tool's choice",
        )
    } else {
        point(
            Declared::NotApplicable,
            "only a receipt can show it, and the resolver is not allowed over both transports for sure: see NET-05",
        )
    }
}
