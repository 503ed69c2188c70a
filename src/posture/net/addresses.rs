//! NET-07 and NET-08: cloud metadata and private ranges are out of reach.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::isolation::default_of;
use super::ports::words as port_words;
use super::select::pods;
use super::{namespace_ref, of_namespace, plain};
use crate::model::containers::PortProtocol;
use crate::model::ids::{Name, ObjectRef};
use crate::model::kind::Kind;
use crate::model::networkpolicy::Peer;
use crate::model::snapshot::NamespaceFacts;
use crate::model::text::clean;
use crate::netpol::isolation::Direction;
use crate::netpol::ports::PortSet;
use crate::netpol::selector::words;
use crate::netpol::story::{End, Reason};
use crate::posture::sight::Source;
use crate::posture::verdict::Declared;
use crate::posture::view::{NAMES_SHOWN, Point, TenantView, count, list};

/// At most so many open ranges are explained per namespace.
const EXPLAINED: usize = 3;

const fn v4(a: u8, b: u8, c: u8, d: u8, length: u8) -> IpNet {
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length))
}

const fn v6(first: [u16; 2], last: u16, length: u8) -> IpNet {
    IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::new(first[0], first[1], 0, 0, 0, 0, 0, last), length))
}

/// Addresses at which clouds hand out credentials, with the cloud whose Nodes say so in their providerID; empty where several use it.
pub(super) const METADATA: [(IpNet, &str); 6] = [
    (v4(169, 254, 169, 254, 32), ""),
    (v6([0xfd00, 0xec2], 0x254, 128), "aws"),
    (v4(169, 254, 170, 2, 32), "aws"),
    (v4(169, 254, 170, 23, 32), "aws"),
    (v4(100, 100, 100, 200, 32), "alicloud"),
    (v4(168, 63, 129, 16, 32), "azure"),
];

/// Ranges that are nobody's public addresses. The pod's own loopback is not among them: [`LOOPBACK`].
pub(super) const PRIVATE: [IpNet; 7] = [
    v4(10, 0, 0, 0, 8),
    v4(172, 16, 0, 0, 12),
    v4(192, 168, 0, 0, 16),
    v4(100, 64, 0, 0, 10),
    v4(169, 254, 0, 0, 16),
    v6([0xfc00, 0], 0, 7),
    v6([0xfe80, 0], 0, 10),
];

/// What a rule for it opens never leaves the pod: worth a word, no breach.
const LOOPBACK: [IpNet; 1] = [v4(127, 0, 0, 0, 8)];

/// Where NodeLocal DNSCache listens on every node.
pub(super) const NODE_LOCAL_DNS: IpAddr = IpAddr::V4(Ipv4Addr::new(169, 254, 20, 10));

/// What is asked of a namespace.
struct Question<'a> {
    ranges: &'a [IpNet],
    /// Named so in sentences.
    what: &'static str,
}

/// NET-07: no cloud metadata address is reachable.
pub fn metadata(view: &TenantView<'_>) -> Vec<Point> {
    let ranges = METADATA.map(|(net, _)| net);
    let mut points = judged(view, &Question { ranges: &ranges, what: "cloud metadata addresses" });
    let clouds = if view.blind(Source::Objects(Kind::Node)).is_some() { None } else { Some(cloud(view)) };
    let note = match clouds {
        None => "Nodes are not seen: whether there is a metadata service is not known".to_owned(),
        Some(None) => "no Node names a cloud: whether anybody answers there is not known".to_owned(),
        Some(Some(cloud)) => format!("the Nodes are of {}", clean(&cloud)),
    };
    for point in &mut points {
        point.message = format!("{} ({note})", point.message);
    }
    points
}

/// The cloud that the Nodes name: what stands before `://` in a providerID.
fn cloud(view: &TenantView<'_>) -> Option<String> {
    let of = |id: &Name| id.split_once("://").map(|(cloud, _)| cloud.to_owned()).filter(|cloud| !matches!(cloud.as_str(), "kind" | "k3s"));
    view.snapshot.nodes.values().find_map(|node| of(node.provider.as_ref()?))
}

/// NET-08: no private range, and none of the cluster's own ranges, is reachable by address, save what is granted by name.
pub fn private(view: &TenantView<'_>) -> Vec<Point> {
    let mut ranges = PRIVATE.to_vec();
    let outside = |net: &IpNet| !PRIVATE.iter().any(|private| private.contains(net));
    let places = &view.config.reach.places;
    let of_nodes = view.snapshot.nodes.values().flat_map(|node| {
        let own = node.ips.iter().map(|ip| IpNet::from(*ip));
        node.pod_cidrs.iter().copied().chain(own)
    });
    ranges.extend(of_nodes.chain(places.pod_ranges.iter().copied()).chain(places.service_ranges.iter().copied()).filter(outside));
    ranges.sort();
    ranges.dedup();
    let mut points = judged(view, &Question { ranges: &ranges, what: "private or cluster addresses" });
    if points.iter().all(|point| point.declared == Declared::Right) {
        points.extend(view.namespaces.iter().filter_map(|(name, _)| loopback(view, name)));
    }
    points
}

fn loopback(view: &TenantView<'_>, name: &Name) -> Option<Point> {
    let (answer, _) = view.reach.addresses(name, &LOOPBACK, false);
    let message = format!("a rule of {} covers 127.0.0.0/8 too: it never leaves the pod, but belongs among the exceptions", clean(name));
    (!answer.sure.is_empty()).then(|| Point::new(Declared::Right, of_namespace(name), message).because("loopback"))
}

fn judged(view: &TenantView<'_>, question: &Question<'_>) -> Vec<Point> {
    view.namespaces.iter().map(|(name, facts)| of_one(view, name, facts, question)).collect()
}

fn of_one(view: &TenantView<'_>, name: &Name, facts: &NamespaceFacts, question: &Question<'_>) -> Point {
    let default = default_of(view, name, facts, Direction::Egress);
    // where other kinds of policies have a say, what is open to pods and what is open to addresses may differ: the addresses are asked about
    let alone = plain(view, facts);
    if default.declared == Declared::Open && alone {
        let message = format!("{} is not isolated for egress: its pods may reach {}", clean(name), question.what);
        let mut point = Point::new(Declared::Open, of_namespace(name), message).because("not-isolated");
        point.evidence = default.evidence;
        return point;
    }
    for (future, declared) in [(false, Declared::Open), (true, Declared::Partly)] {
        let open = beyond(view, name, question, future);
        if !open.is_empty() {
            return opened(view, name, facts, question, &open, declared);
        }
    }
    if default.declared == Declared::Unknown || (default.declared != Declared::Right && alone) {
        let reason = default.reason.unwrap_or("unknown");
        let mut point = Point::new(default.declared, of_namespace(name), default.message).because(reason);
        point.evidence = default.evidence;
        return point;
    }
    let (answer, ranges) = view.reach.addresses(name, question.ranges, true);
    if !answer.undefined().is_empty() {
        return undefined(view, name, question, &ranges.into_iter().map(|(net, _)| net).collect::<Vec<_>>());
    }
    Point::new(Declared::Right, of_namespace(name), format!("no rule lets a pod of {} reach {}", clean(name), question.what))
}

/// What is open for sure and neither granted nor the node's own resolver.
fn beyond(view: &TenantView<'_>, name: &Name, question: &Question<'_>, future: bool) -> Vec<(IpNet, PortSet)> {
    let (answer, ranges) = view.reach.addresses(name, question.ranges, future);
    if answer.sure.is_empty() {
        return Vec::new();
    }
    let dns = PortSet::from_ranges([(PortProtocol::Tcp, 53, 53), (PortProtocol::Udp, 53, 53)]);
    let left = |(net, answer): (IpNet, crate::netpol::answer::Answer)| {
        let open = view.config.network.beyond(&net, &answer.sure);
        let open = if net == IpNet::from(NODE_LOCAL_DNS) { open.minus(&dns) } else { open };
        (!open.is_empty()).then_some((net, open))
    };
    ranges.into_iter().filter_map(left).collect()
}

fn opened(
    view: &TenantView<'_>,
    name: &Name,
    facts: &NamespaceFacts,
    question: &Question<'_>,
    open: &[(IpNet, PortSet)],
    declared: Declared,
) -> Point {
    let ports = open.iter().fold(PortSet::none(), |all, (_, ports)| all.union(ports));
    let ranges: Vec<String> = open.iter().map(|(net, _)| net.to_string()).collect();
    let who = if declared == Declared::Open {
        format!("pods of {} may reach", clean(name))
    } else {
        format!("no pod of {} now, but one that may be made tomorrow may reach", clean(name))
    };
    let message = format!("{who} {}: {} on {}", question.what, list(&ranges), ports.words());
    let reason = if declared == Declared::Open { "allowed" } else { "future-pods" };
    let mut point = Point::new(declared, of_namespace(name), message).because(reason);
    let mut named: Vec<(ObjectRef, String)> = Vec::new();
    for (net, _) in open.iter().take(EXPLAINED) {
        let mut guilty = guilty(facts, net);
        if guilty.is_empty() {
            guilty = explained(view, name, net.addr());
        }
        for (object, field, value) in guilty {
            if named.len() < NAMES_SHOWN && !named.contains(&(object.clone(), field.clone())) {
                point = point.with(object.clone(), &field, &value);
                named.push((object, field));
            }
        }
    }
    open.iter()
        .take(NAMES_SHOWN)
        .fold(point, |point, (net, ports)| point.with(namespace_ref(name), format!("reaches {net}"), &ports.words()))
}

/// The namespace's own rules that cover a range or a part of it, without what they except.
pub(super) fn guilty(facts: &NamespaceFacts, net: &IpNet) -> Vec<(ObjectRef, String, String)> {
    let mut found = Vec::new();
    for policy in facts.policies.values().filter(|policy| policy.isolates(Direction::Egress)) {
        for (index, rule) in policy.egress.iter().enumerate() {
            let block = rule.peers.iter().find(|peer| covers(peer, net));
            let whom = match (rule.peers.is_empty(), block) {
                (true, _) => "everybody".to_owned(),
                (false, Some(Peer::Block { cidr, except })) if except.is_empty() => format!("{cidr} without exception"),
                (false, Some(Peer::Block { cidr, except })) => format!("{cidr} except {}", list(except.iter().map(ToString::to_string))),
                _ => continue,
            };
            let now = count(pods(facts, Some(&policy.pods)).count(), "pod");
            let value = format!("{whom}, on {}; selects {} ({now} now)", port_words(&rule.ports), words(&policy.pods));
            found.push((policy.meta.object(Kind::NetworkPolicy), format!("spec.egress[{index}]"), value));
        }
    }
    found
}

/// Whether a block covers a range or a part of it that it does not except.
fn covers(peer: &Peer, net: &IpNet) -> bool {
    let meets = |a: &IpNet, b: &IpNet| a.contains(b) || b.contains(a);
    match peer {
        Peer::Block { cidr, except } => meets(cidr, net) && !except.iter().any(|except| except.contains(net)),
        _ => false,
    }
}

/// The rules of any kind that let an address through, by the engine's word.
fn explained(view: &TenantView<'_>, name: &Name, address: IpAddr) -> Vec<(ObjectRef, String, String)> {
    let Some(story) = view.reach.explain(&End::Namespace(name.clone()), &End::Address(address)) else { return Vec::new() };
    let mut found = Vec::new();
    for segment in &story.segments {
        if let Reason::Allowed(rules) = &segment.egress.reason {
            found.extend(rules.iter().map(|rule| (rule.object.clone(), rule.field.clone(), segment.ports.words())));
        }
    }
    found
}

fn undefined(view: &TenantView<'_>, name: &Name, question: &Question<'_>, ranges: &[IpNet]) -> Point {
    let first = ranges.first().map(IpNet::addr);
    let story = first.and_then(|address| view.reach.explain(&End::Namespace(name.clone()), &End::Address(address)));
    let blamed = story.iter().flat_map(|story| &story.segments).find_map(|segment| match &segment.egress.reason {
        Reason::Undefined { why, objects } => Some((why.clone(), objects.clone())),
        _ => None,
    });
    let (why, objects) = blamed.unwrap_or_else(|| ("the API leaves it open".to_owned(), Vec::new()));
    let message = format!("whether pods of {} reach {} can't be said: {why}", clean(name), question.what);
    let point = Point::new(Declared::Unknown, of_namespace(name), message).because("undefined");
    objects.into_iter().take(NAMES_SHOWN).fold(point, |point, object| point.with(object, "not evaluated", &why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ranges_are_those_of_the_catalogue() {
        let metadata: Vec<String> = METADATA.iter().map(|(net, _)| net.addr().to_string()).collect();
        assert_eq!(metadata, ["169.254.169.254", "fd00:ec2::254", "169.254.170.2", "169.254.170.23", "100.100.100.200", "168.63.129.16"]);
        let private: Vec<String> = PRIVATE.iter().map(ToString::to_string).collect();
        assert_eq!(private, ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "fc00::/7", "fe80::/10"]);
    }
}
