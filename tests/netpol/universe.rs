//! Tiny random universes: every kind of policy, pods of every sort, in words that can be read when a property fails.

use partywall::model::changes::Fact;
use partywall::model::kind::Kind;
use partywall::model::networkpolicy::{NetworkPolicyFact, Peer, PolicyRule};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::strategy::Union;

use crate::build::{World, meta, ports, selector};

pub const NAMESPACES: [&str; 3] = ["a", "b", "c"];
pub const PODS: usize = 6;

/// One object, as words.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    Namespace(String),
    Pod(String),
    /// Id, subject, directions, rules.
    Np(String, String, String, Vec<String>),
    /// Head, subject, rules.
    Tier(String, String, Vec<String>),
    /// Id, subject, lines.
    Cilium(String, String, Vec<String>),
    Foreign(Kind, String),
    /// allow-localhost=policy, match mode, NetworkPolicies ignored.
    Config(bool, &'static str, bool),
    Node(String),
}

/// Which items a universe may have.
#[derive(Clone, Copy, Debug)]
pub struct Allowed {
    pub tiers: bool,
    pub cilium: bool,
    /// Unknown operators, unreadable peers, engines that are not evaluated.
    pub doubt: bool,
    /// Pods of two families, on the node's network, finished.
    pub odd_pods: bool,
}

pub const EVERYTHING: Allowed = Allowed { tiers: true, cilium: true, doubt: true, odd_pods: true };

pub fn build(items: &[Item]) -> World {
    items.iter().fold(World::new(), add)
}

pub fn add(world: World, item: &Item) -> World {
    let lines = |list: &'_ [String]| list.to_vec();
    match item {
        Item::Namespace(words) => world.ns(words),
        Item::Pod(words) => world.pod(words),
        Item::Node(words) => world.node(words),
        Item::Np(id, subject, directions, rules) => world.fact(Fact::NetworkPolicy(np(id, subject, directions, rules))),
        Item::Tier(head, subject, rules) => world.tier(head, subject, &lines(rules).iter().map(String::as_str).collect::<Vec<_>>()),
        Item::Cilium(id, subject, rules) => world.cilium(id, subject, &lines(rules).iter().map(String::as_str).collect::<Vec<_>>()),
        Item::Foreign(kind, id) => world.foreign(*kind, id),
        Item::Config(localhost, mode, ignores) => world.cilium_config(|config| {
            config.allow_localhost = localhost.then(|| "policy".into());
            config.cidr_match_mode = Some((*mode).into());
            config.k8s_network_policy = Some(!ignores);
        }),
    }
}

/// A NetworkPolicy; rules `ingress pods:SEL ns:SEL both:SEL|SEL net:CIDR!EXCEPT ? on TCP:80`.
pub fn np(id: &str, subject: &str, directions: &str, lines: &[String]) -> NetworkPolicyFact {
    let peer = |word: &str| match word.split_once(':') {
        Some(("pods", text)) => Peer::Pods { namespaces: None, pods: Some(selector(text)) },
        Some(("ns", text)) => Peer::Pods { namespaces: Some(selector(text)), pods: None },
        Some(("both", text)) => {
            let (namespaces, pods) = text.split_once('|').unwrap();
            Peer::Pods { namespaces: Some(selector(namespaces)), pods: Some(selector(pods)) }
        }
        Some(("net", text)) => {
            let (cidr, except) = text.split_once('!').map_or((text, None), |(cidr, except)| (cidr, Some(except)));
            Peer::Block { cidr: cidr.parse().unwrap(), except: except.into_iter().map(|net| net.parse().unwrap()).collect() }
        }
        _ => Peer::Unreadable("nobody".into()),
    };
    let rule = |text: &str| {
        let (peers, on) = text.split_once("on ").map_or((text, ""), |(peers, on)| (peers, on));
        PolicyRule {
            peers: peers.split(' ').filter(|word| !word.is_empty()).map(peer).collect(),
            ports: on.split(' ').filter(|word| !word.is_empty()).flat_map(ports).collect(),
        }
    };
    let of = |direction: &str| lines.iter().filter_map(|line| line.strip_prefix(direction)).map(rule).collect();
    NetworkPolicyFact {
        meta: meta(id),
        pods: selector(subject),
        isolates_ingress: directions.contains('I'),
        isolates_egress: directions.contains('E'),
        ingress: of("ingress "),
        egress: of("egress "),
    }
}

fn words(list: &'static [&'static str]) -> BoxedStrategy<String> {
    select(list).prop_map(str::to_owned).boxed()
}

fn weighted(list: Vec<(u32, BoxedStrategy<String>)>) -> BoxedStrategy<String> {
    Union::new_weighted(list.into_iter().filter(|(weight, _)| *weight > 0).collect()).boxed()
}

/// On labels of pods.
fn on_pods(doubt: bool) -> BoxedStrategy<String> {
    let plain =
        words(&["", "", "", "app=x", "app=y", "app", "!app", "app!=x", "app=x+y", "tier=u", "app=x,tier=u", "app!=y,tier", "app,app!=x"]);
    weighted(vec![(20, plain), (2 * u32::from(doubt), words(&["app?near", "app=x,tier?near"]))])
}

/// On labels of namespaces.
fn on_namespaces(doubt: bool) -> BoxedStrategy<String> {
    let plain = words(&["", "", "team=x", "team=y", "!team", "team!=x", "kubernetes.io/metadata.name=b", "team,env=p"]);
    weighted(vec![(20, plain), (2 * u32::from(doubt), words(&["team?near"]))])
}

fn network() -> BoxedStrategy<String> {
    words(&[
        "0.0.0.0/0",
        "::/0",
        "8.0.0.0/8",
        "10.1.0.0/29",
        "10.1.0.1/32",
        "10.1.0.2/32",
        "192.168.0.0/16",
        "192.168.0.1/32",
        "fd00:1::/64",
        "fd00:1::2/128",
        "10.0.0.0/8",
        "2600::/16",
    ])
}

fn port_list(doubt: bool, names: bool) -> BoxedStrategy<String> {
    let numbers = words(&["TCP:80", "TCP:80-82", "UDP:81", "UDP", "TCP:81-65535", "SCTP:80", "TCP", "TCP:81 UDP:80"]);
    // the tiers name ports without a protocol, which the pod then gives
    let named = words(&["@http", "@dns", "@http UDP:80", "@http"]);
    weighted(vec![(8, numbers), (if names { 3 } else { 0 }, named), (2 * u32::from(doubt && names), words(&["ANY:?"]))])
}

/// Peers, and perhaps ports.
fn with_ports(peers: BoxedStrategy<String>, doubt: bool, names: bool) -> BoxedStrategy<String> {
    (peers, proptest::option::of(port_list(doubt, names)))
        .prop_map(|(peers, on)| match on {
            Some(on) => format!("{peers} on {on}").trim().to_owned(),
            None => peers,
        })
        .boxed()
}

fn np_rule(doubt: bool) -> BoxedStrategy<String> {
    let selectors = weighted(vec![
        (4, on_pods(doubt).prop_map(|s| format!("pods:{s}")).boxed()),
        (4, on_namespaces(doubt).prop_map(|s| format!("ns:{s}")).boxed()),
        (4, (on_namespaces(doubt), on_pods(doubt)).prop_map(|(n, p)| format!("both:{n}|{p}")).boxed()),
    ]);
    let several = proptest::collection::vec(selectors, 0..3).prop_map(|list| list.join(" ")).boxed();
    let except = prop_oneof![
        network().prop_map(|net| format!("net:{net}")),
        Just("net:0.0.0.0/0!8.8.0.0/16".to_owned()),
        Just("net:10.0.0.0/8!10.1.0.2/32".to_owned()),
        Just("net:192.168.0.0/16!192.168.0.2/32".to_owned()),
    ];
    weighted(vec![
        (12, with_ports(several, doubt, true)),
        (4, with_ports(except.boxed(), doubt, false)),
        (2 * u32::from(doubt), with_ports(words(&["?", "? ns:team=x"]), doubt, true)),
    ])
}

fn np_item(doubt: bool) -> BoxedStrategy<Item> {
    let rule = (select(&["ingress", "egress"][..]), np_rule(doubt)).prop_map(|(direction, rule)| format!("{direction} {rule}"));
    let id = (select(&NAMESPACES[..]), 0..2_u8).prop_map(|(namespace, n)| format!("{namespace}/np{n}"));
    (id, on_pods(doubt), words(&["I", "E", "IE", "IE", ""]), proptest::collection::vec(rule, 0..4))
        .prop_map(|(id, subject, directions, rules)| Item::Np(id, subject, directions, rules))
        .boxed()
}

fn tier_rule(doubt: bool) -> BoxedStrategy<String> {
    let pods = weighted(vec![
        (2, on_namespaces(doubt).prop_map(|s| format!("ns:{s}")).boxed()),
        (3, (on_namespaces(doubt), on_pods(doubt)).prop_map(|(n, p)| format!("pods:{n}|{p}")).boxed()),
    ]);
    let several = proptest::collection::vec(pods, 1..3).prop_map(|list| list.join(" ")).boxed();
    let action = || words(&["allow", "allow", "deny", "deny", "pass"]);
    let rule = |direction: &'static str, action: BoxedStrategy<String>, peers: BoxedStrategy<String>| {
        (action, peers).prop_map(move |(action, peers)| format!("{direction} {action} {peers}")).boxed()
    };
    let outside = prop_oneof![network().prop_map(|net| format!("net:{net}")), Just("nodes:rack=r1".to_owned()), Just("nodes:".to_owned())];
    let odd = 2 * u32::from(doubt);
    weighted(vec![
        (6, rule("ingress", action(), with_ports(several.clone(), false, true))),
        (6, rule("egress", action(), with_ports(several.clone(), false, true))),
        (4, rule("egress", action(), with_ports(outside.boxed(), false, false))),
        (odd, rule("egress", words(&["allow"]), with_ports(words(&["dns:example.com"]), false, false))),
        (odd, rule("egress", action(), words(&["?"]))),
        (odd, rule("ingress", words(&["allow"]), words(&["?"]))),
        (odd, rule("egress", words(&["ponder"]), with_ports(several, false, true))),
    ])
}

fn tier_item(doubt: bool) -> BoxedStrategy<Item> {
    let head = (select(&["ANP {n} {p}", "CNP admin {p} {n}", "CNP baseline {p} {n}"][..]), 0..3_u8, 0..3_u8)
        .prop_map(|(form, name, priority)| form.replace("{n}", &format!("t{name}")).replace("{p}", &priority.to_string()));
    let subject = weighted(vec![
        (8, on_namespaces(doubt).prop_map(|s| format!("ns:{s}")).boxed()),
        (8, (on_namespaces(doubt), on_pods(doubt)).prop_map(|(n, p)| format!("pods:{n}|{p}")).boxed()),
        (2 * u32::from(doubt), words(&["?"])),
    ]);
    (head, subject, proptest::collection::vec(tier_rule(doubt), 1..4))
        .prop_map(|(head, subject, rules)| Item::Tier(head, subject, rules))
        .boxed()
}

fn cilium_entry(doubt: bool) -> BoxedStrategy<String> {
    let endpoints = prop_oneof![
        on_pods(doubt).prop_map(|s| format!("ep:{s}")),
        (on_pods(doubt), select(&["a", "b", "b+c"][..]))
            .prop_map(|(s, ns)| { format!("ep:{s}{}k8s:io.kubernetes.pod.namespace={ns}", if s.is_empty() { "" } else { "," }) }),
        words(&["ep:k8s:app=x", "ep:any:tier=u", "ep[]", "ep:io.cilium.k8s.namespace.labels.team=x,k8s:io.kubernetes.pod.namespace"]),
        (on_pods(false), on_pods(false)).prop_map(|(a, b)| format!("ep:{a} ep:{b}")),
    ];
    let entities =
        words(&["ent:all", "ent:world", "ent:cluster", "ent:host", "ent:remote-node", "ent:world-ipv4", "ent:none", "ent:host,world"]);
    let ranges = prop_oneof![network().prop_map(|net| format!("cidr:{net}")), Just("cidr:0.0.0.0/0!8.8.0.0/16".to_owned())];
    weighted(vec![
        (10, with_ports(endpoints.boxed(), doubt, true)),
        (6, with_ports(entities, doubt, true)),
        (4, with_ports(ranges.boxed(), false, false)),
        (2, words(&["{}", "on TCP:80", "on UDP", "ep:app=x on TCP:80 l7", "ent:all icmp"])),
        (2 * u32::from(doubt), with_ports(words(&["?", "cidr?", "fqdn:example.com", "ent:moon"]), false, false)),
    ])
}

fn cilium_item(doubt: bool) -> BoxedStrategy<Item> {
    let line = (select(&["ingress", "egress", "ingress", "egress", "ingress-deny", "egress-deny"][..]), cilium_entry(doubt))
        .prop_map(|(list, entry)| format!("{list} {entry}"));
    let lines = (proptest::collection::vec(line, 0..4), select(&["", "", "", "ingress=false", "egress=false", "ingress=true"][..]));
    let id = weighted(vec![
        (4, (select(&NAMESPACES[..]), 0..2_u8).prop_map(|(namespace, n)| format!("{namespace}/cnp{n}")).boxed()),
        (2, words(&["ccnp0", "ccnp1"])),
    ]);
    let subject = weighted(vec![
        (12, on_pods(doubt)),
        (2, words(&["k8s:app=x", "nodes:", "io.cilium.k8s.namespace.labels.team=x"])),
        (2 * u32::from(doubt), words(&["?"])),
    ]);
    (id, subject, lines)
        .prop_map(|(id, subject, (mut lines, default_deny))| {
            if !default_deny.is_empty() {
                lines.push(format!("default-deny {default_deny}"));
            }
            Item::Cilium(id, subject, lines)
        })
        .boxed()
}

/// A pod by its number: its namespace and address follow from it, so that no two share one.
pub fn pod_item(odd: bool) -> BoxedStrategy<Item> {
    let labels = (select(&["", "app=x", "app=y"][..]), select(&["", "tier=u", "tier=v"][..]));
    let ports = select(
        &["", "port=http:80", "port=http:81", "port=http:81/UDP", "sidecar=http:82", "init=http:82", "port=dns:80 port=http:80/UDP"][..],
    );
    let address = if odd { &["one", "one", "two", "none"][..] } else { &["one"][..] };
    let mark = if odd { &["", "", "", "", "", "host", "done"][..] } else { &[""][..] };
    (0..PODS, labels, ports, select(address), select(&["n1", "n2"][..]), select(mark), any::<Index>())
        .prop_map(|(number, (app, tier), ports, address, node, mark, pick)| {
            let namespace = NAMESPACES[pick.index(NAMESPACES.len())];
            let ip = match (mark, address, node) {
                ("host", _, "n1") => "ip=192.168.0.1".to_owned(),
                ("host", ..) => "ip=192.168.0.2".to_owned(),
                (_, "one", _) => format!("ip=10.1.0.{number}"),
                (_, "two", _) => format!("ip=10.1.0.{number} ip=fd00:1::{number}"),
                _ => String::new(),
            };
            Item::Pod(format!("{namespace}/p{number} {app} {tier} {ports} {ip} node={node} {mark}"))
        })
        .boxed()
}

pub fn policy_item(allowed: Allowed) -> BoxedStrategy<Item> {
    let mut list = vec![(6, np_item(allowed.doubt))];
    if allowed.tiers {
        list.push((4, tier_item(allowed.doubt)));
    }
    if allowed.cilium {
        list.push((4, cilium_item(allowed.doubt)));
    }
    if allowed.doubt {
        let near = select(&[Kind::CalicoNetworkPolicy, Kind::AuthorizationPolicy, Kind::AntreaNetworkPolicy][..]);
        list.push((2, (near, select(&NAMESPACES[..])).prop_map(|(kind, ns)| Item::Foreign(kind, format!("{ns}/f"))).boxed()));
    }
    if allowed.cilium {
        let config = (any::<bool>(), select(&["", "nodes", "pods,nodes"][..]), proptest::bool::weighted(0.2));
        list.push((1, config.prop_map(|(localhost, mode, ignores)| Item::Config(localhost, mode, ignores)).boxed()));
    }
    Union::new_weighted(list).boxed()
}

/// Nodes and namespaces first, then pods, then policies; of two objects of one name the later wins.
pub fn universe(allowed: Allowed, pods: std::ops::Range<usize>, policies: std::ops::Range<usize>) -> BoxedStrategy<Vec<Item>> {
    let namespaces = NAMESPACES.map(|name| {
        select(&["", "team=x", "team=y", "team=x env=p"][..]).prop_map(move |labels| Item::Namespace(format!("{name} {labels}")))
    });
    let pods = proptest::collection::vec(pod_item(allowed.odd_pods), pods);
    let policies = proptest::collection::vec(policy_item(allowed), policies);
    (namespaces, pods, policies)
        .prop_map(|(namespaces, pods, policies)| {
            let nodes = ["n1 rack=r1 ip=192.168.0.1", "n2 rack=r2 ip=192.168.0.2"].map(|words| Item::Node(words.to_owned()));
            let mut seen = std::collections::BTreeSet::new();
            // a pod of one number lives in one namespace
            let pods = pods.into_iter().filter(|pod| match pod {
                Item::Pod(words) => seen.insert(words.split(['/', ' ']).nth(1).unwrap_or_default().to_owned()),
                _ => true,
            });
            nodes.into_iter().chain(namespaces).chain(pods).chain(policies).collect()
        })
        .boxed()
}

pub fn namespace_item() -> BoxedStrategy<Item> {
    (select(&NAMESPACES[..]), select(&["", "team=x", "team=y", "team=x env=p", "env=p"][..]))
        .prop_map(|(name, labels)| Item::Namespace(format!("{name} {labels}")))
        .boxed()
}
