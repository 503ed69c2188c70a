//! NET-05 and NET-06: the exception for DNS is exact, and names resolve over both transports.

use std::collections::BTreeSet;

use ipnet::IpNet;

use super::addresses::NODE_LOCAL_DNS;
use super::of_namespace;
use super::ports::{names, numbers, words as port_words};
use super::select::selects;
use crate::model::containers::PortProtocol;
use crate::model::ids::{Name, ObjectRef};
use crate::model::kind::Kind;
use crate::model::labels::LabelSelector;
use crate::model::networkpolicy::{NetworkPolicyFact, Peer, PolicyRule};
use crate::model::service::ServiceFact;
use crate::model::snapshot::{NamespaceFacts, Snapshot};
use crate::model::text::clean;
use crate::netpol::ports::PortSet;
use crate::netpol::selector::covers_every_namespace;
use crate::netpol::selector::{Coverage, words};
use crate::netpol::target::Target;
use crate::posture::finding::Subject;
use crate::posture::sight::Source;
use crate::posture::verdict::Declared;
use crate::posture::view::{Point, TenantView};

/// Where clusters keep their resolver: namespace and Service; the first that is there counts.
const RESOLVERS: [(&str, &str); 4] = [
    ("kube-system", "kube-dns"),
    ("kube-system", "coredns"),
    ("kube-system", "rke2-coredns-rke2-coredns"),
    ("openshift-dns", "dns-default"),
];
/// Namespaces of [`RESOLVERS`].
pub const RESOLVER_NAMESPACES: [&str; 2] = ["kube-system", "openshift-dns"];
const PORT: u16 = 53;
const TRANSPORTS: [PortProtocol; 2] = [PortProtocol::Udp, PortProtocol::Tcp];

/// The cluster's resolver.
struct Resolver<'a> {
    namespace: &'a Name,
    facts: &'a NamespaceFacts,
    service: &'a ServiceFact,
    /// Port 53 and the ports of the pods behind it.
    ports: PortSet,
    /// Names of those ports.
    names: BTreeSet<&'a str>,
}

impl<'a> Resolver<'a> {
    fn of(snapshot: &'a Snapshot) -> Option<Self> {
        RESOLVERS.iter().find_map(|(namespace, name)| {
            let (namespace, facts) = snapshot.namespaces.get_key_value(*namespace)?;
            let service = facts.services.get(*name)?;
            let mut numbers = vec![PORT];
            let mut names = BTreeSet::new();
            for port in service.ports.iter().filter(|port| port.port == PORT) {
                match port.target.as_deref().map(|target| (target, target.parse::<u16>())) {
                    Some((_, Ok(number))) => numbers.push(number),
                    Some((name, Err(_))) => {
                        names.insert(name);
                    }
                    None => {}
                }
            }
            let ranges = numbers.iter().flat_map(|number| TRANSPORTS.map(|transport| (transport, *number, *number)));
            Some(Self { namespace, facts, service, ports: PortSet::from_ranges(ranges), names })
        })
    }

    /// Whether a selector of pods means the resolver's: those that are there, or those that the Service would take.
    fn selected(&self, pods: &LabelSelector) -> bool {
        let labels = self.service.selector.as_deref();
        labels.is_some_and(|labels| pods.matches(labels) == Some(true))
            || super::select::pods(self.facts, Some(pods)).any(|pod| labels.is_some_and(|wanted| carries(&pod.labels, wanted)))
    }
}

/// Whether labels carry all of the wanted ones.
fn carries(labels: &crate::model::labels::LabelSet, wanted: &crate::model::labels::LabelSet) -> bool {
    wanted.iter().all(|(key, value)| labels.get(key) == Some(value))
}

/// How a peer of a DNS rule stands to the resolver.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Aim {
    /// Exactly its pods, or its address on the node.
    Exact,
    /// All of its namespace.
    WholeNamespace,
    /// Pods labelled so in any namespace: whoever labels a pod so answers, too.
    AnyNamespace,
    /// Anywhere.
    Anywhere,
    /// Something else.
    Elsewhere,
}

/// NET-05: the exception for DNS is exact.
pub fn exception(view: &TenantView<'_>) -> Vec<Point> {
    if let Some(why) = view.blind(Source::Objects(Kind::Service)) {
        return vec![
            Point::new(Declared::Unknown, view.subject(), format!("where the resolver is can't be said: Service {why}")).because("unseen"),
        ];
    }
    let resolver = Resolver::of(view.snapshot);
    view.namespaces.iter().flat_map(|(name, facts)| of_namespace_(view, name, facts, resolver.as_ref())).collect()
}

fn of_namespace_(view: &TenantView<'_>, name: &Name, facts: &NamespaceFacts, resolver: Option<&Resolver<'_>>) -> Vec<Point> {
    let mut points = Vec::new();
    let mut reached = PortSet::none();
    let mut any = false;
    let mut unresolved: Option<Point> = None;
    for policy in facts.policies.values().filter(|policy| policy.isolates_egress) {
        for (index, rule) in policy.egress.iter().enumerate().filter(|(_, rule)| about_dns(rule, resolver)) {
            any = true;
            let at = At { policy, index, rule, namespace: name };
            for aim in aims(view, rule, resolver) {
                if !matches!(aim, Aim::Elsewhere) {
                    reached = reached.union(&transports_of(rule, resolver));
                }
                points.extend(said_of(aim, &at));
                if aim == Aim::Elsewhere {
                    unresolved =
                        unresolved.or_else(|| Some(at.point(Declared::Open, "no-resolver", "matches no resolver pod: DNS will fail")));
                }
            }
            points.extend(other_ports(&at, resolver));
        }
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
    if points.iter().all(|point| point.declared == Declared::Right) {
        let exact = points.is_empty();
        let message = if exact {
            format!("DNS of {} goes to the resolver's pods only, over UDP and TCP", clean(name))
        } else {
            format!("DNS of {} goes to the resolver, over UDP and TCP", clean(name))
        };
        points.push(Point::new(Declared::Right, of_namespace(name), message));
    }
    points
}

/// A rule and where it stands.
struct At<'a> {
    namespace: &'a Name,
    policy: &'a NetworkPolicyFact,
    index: usize,
    rule: &'a PolicyRule,
}

impl At<'_> {
    fn object(&self) -> ObjectRef {
        self.policy.meta.object(Kind::NetworkPolicy)
    }

    fn point(&self, declared: Declared, reason: &'static str, what: &str) -> Point {
        let object = self.object();
        let message = format!("the DNS rule of {} in {} {what}", clean(&self.policy.meta.name), clean(self.namespace));
        let peers: Vec<String> = self.rule.peers.iter().map(peer_words).collect();
        let to = if peers.is_empty() { "everybody".to_owned() } else { peers.join(" or ") };
        Point::new(declared, Subject::object(&object), message).because(reason).with(
            object,
            format!("spec.egress[{}]", self.index),
            &format!("{to}, on {}", port_words(&self.rule.ports)),
        )
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

impl PartialOrd for Aim {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Aim {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (*self as u8).cmp(&(*other as u8))
    }
}

/// None for peers that are none of the resolver's business: the tenant's own pods, what can't be read, what is granted.
fn aim(view: &TenantView<'_>, rule: &PolicyRule, peer: &Peer, resolver: Option<&Resolver<'_>>) -> Option<Aim> {
    match peer {
        Peer::Block { cidr, .. } if cidr.prefix_len() == 0 => Some(Aim::Anywhere),
        Peer::Block { cidr, .. } => {
            let service = || resolver.is_some_and(|resolver| resolver.service.cluster_ips.iter().any(|ip| IpNet::from(*ip) == *cidr));
            if *cidr == IpNet::from(NODE_LOCAL_DNS) || service() {
                return Some(Aim::Exact);
            }
            let asked = numbers(&rule.ports);
            (!view.config.network.beyond(cidr, &asked).is_empty()).then_some(Aim::Anywhere)
        }
        Peer::Pods { namespaces: None, .. } | Peer::Unreadable(_) => None,
        Peer::Pods { namespaces: Some(of), pods } => {
            let every = covers_every_namespace(&[of]) == Coverage::Everything;
            let Some(resolver) = resolver else {
                let usual = RESOLVERS.iter().filter_map(|(namespace, _)| view.snapshot.namespaces.get_key_value(*namespace));
                let its = usual.clone().any(|(name, facts)| selects(of, name, facts) == Some(true));
                return Some(match pods {
                    None if every => Aim::Anywhere,
                    None if its => Aim::WholeNamespace,
                    _ => Aim::Elsewhere,
                });
            };
            let its_namespace = selects(of, resolver.namespace, resolver.facts) == Some(true);
            Some(match pods {
                None if every => Aim::Anywhere,
                None if its_namespace => Aim::WholeNamespace,
                Some(pods) if its_namespace && resolver.selected(pods) => {
                    if pods.is_everything() {
                        if every { Aim::Anywhere } else { Aim::WholeNamespace }
                    } else if every {
                        Aim::AnyNamespace
                    } else {
                        Aim::Exact
                    }
                }
                _ => Aim::Elsewhere,
            })
        }
    }
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
