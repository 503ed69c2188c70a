//! One object of each new kind that uses every field we read, and the fact it must become: with a real server or without one.

use ipnet::IpNet;
use partywall::model::adminpolicy::{AdminPolicyFact, Tier, TierAction, TierPeer, TierRule, TierSubject};
use partywall::model::changes::Fact;
use partywall::model::ciliumpolicy::{
    CidrGroupFact, CiliumBlock, CiliumEntry, CiliumPeers, CiliumPolicyFact, CiliumPorts, CiliumRule, CiliumService, CiliumSubject,
};
use partywall::model::ids::Name;
use partywall::model::kind::Kind;
use partywall::model::labels::{Is, LabelSelector, LabelSet, Requirement};
use partywall::model::meta::Meta;
use partywall::model::networkpolicy::{PolicyPort, PortMatch, Protocol};
use serde_json::{Value, json};

/// An object, and what it must become.
pub struct Sample {
    pub kind: Kind,
    pub object: Value,
    pub fact: Fact,
}

pub fn samples() -> Vec<Sample> {
    vec![admin(), baseline(), cluster(), cilium(), cilium_clusterwide(), cidr_group()]
}

/// Takes away what differs from server to server.
pub fn without_meta(mut fact: Fact) -> Fact {
    let bare = |meta: &Meta| Meta { namespace: meta.namespace.clone(), name: meta.name.clone(), ..Meta::default() };
    match &mut fact {
        Fact::AdminPolicy(f) => f.meta = bare(&f.meta),
        Fact::CiliumPolicy(f) => f.meta = bare(&f.meta),
        Fact::CidrGroup(f) => f.meta = bare(&f.meta),
        Fact::Foreign(f) => f.meta = bare(&f.meta),
        Fact::CiliumConfig(f) => f.meta = bare(&f.meta),
        other => panic!("{other:?}"),
    }
    fact
}

fn meta(namespace: &str, name: &str) -> Meta {
    Meta { namespace: namespace.into(), name: name.into(), ..Meta::default() }
}

fn net(text: &str) -> IpNet {
    text.parse().unwrap()
}

fn names(list: &[&str]) -> Box<[Name]> {
    list.iter().map(|name| Name::from(*name)).collect()
}

/// A selector for one label.
fn label(key: &str, value: &str) -> LabelSelector {
    LabelSelector { requirements: Box::new([Requirement { key: key.into(), is: Is::In(names(&[value])) }]) }
}

fn requires(key: &str, is: Is) -> LabelSelector {
    LabelSelector { requirements: Box::new([Requirement { key: key.into(), is }]) }
}

fn port(protocol: Protocol, port: PortMatch) -> PolicyPort {
    PolicyPort { protocol, port }
}

fn range(protocol: Protocol, from: u16, to: u16) -> PolicyPort {
    port(protocol, PortMatch::Range(from, to))
}

fn named(text: &str) -> [PolicyPort; 3] {
    [Protocol::Tcp, Protocol::Udp, Protocol::Sctp].map(|protocol| port(protocol, PortMatch::Named(text.into())))
}

#[allow(clippy::unnecessary_wraps, reason = "the field it stands in may be missing")]
fn all(ports: impl IntoIterator<Item = PolicyPort>) -> Option<Box<[PolicyPort]>> {
    Some(ports.into_iter().collect())
}

fn rule(name: &str, action: TierAction, peers: Vec<TierPeer>, ports: Option<Box<[PolicyPort]>>) -> TierRule {
    TierRule { name: name.into(), action, peers: peers.into(), ports }
}

fn admin() -> Sample {
    let object = json!({
        "apiVersion": "policy.networking.k8s.io/v1alpha1", "kind": "AdminNetworkPolicy", "metadata": {"name": "sample-admin"},
        "spec": {
            "priority": 7,
            "subject": {"pods": {"namespaceSelector": {"matchLabels": {"wall": "yes"}}, "podSelector": {}}},
            "ingress": [
                {"name": "monitoring", "action": "Allow", "from": [{"namespaces": {"matchLabels": {"team": "ops"}}}],
                    "ports": [{"portNumber": {"port": 80}}, {"portRange": {"protocol": "UDP", "start": 100, "end": 200}}, {"namedPort": "http"}]},
                {"action": "Pass", "from": [{"pods": {"namespaceSelector": {"matchExpressions": [{"key": "k", "operator": "NotIn", "values": ["a"]}]},
                    "podSelector": {"matchLabels": {"app": "x"}}}}]},
                {"action": "Deny", "from": [{"namespaces": {}}]},
            ],
            "egress": [
                {"name": "out", "action": "Allow", "to": [{"nodes": {"matchExpressions": [{"key": "gw", "operator": "Exists"}]}}, {"networks": ["10.0.0.0/8", "fd00::/8"]}],
                    "ports": [{"portNumber": {"protocol": "SCTP", "port": 9}}]},
                {"action": "Allow", "to": [{"domainNames": ["*.example.org", "a.example.net"]}]},
                {"action": "Deny", "to": [{"networks": ["0.0.0.0/0"]}]},
            ],
        },
    });
    let fact = AdminPolicyFact {
        meta: meta("", "sample-admin"),
        kind: Kind::AdminNetworkPolicy,
        tier: Tier::Admin,
        priority: 7,
        subject: TierSubject::Pods { namespaces: label("wall", "yes"), pods: LabelSelector::default() },
        ingress: Box::new([
            rule(
                "monitoring",
                TierAction::Allow,
                vec![TierPeer::Namespaces(label("team", "ops"))],
                all([range(Protocol::Tcp, 80, 80), range(Protocol::Udp, 100, 200)].into_iter().chain(named("http"))),
            ),
            rule(
                "",
                TierAction::Pass,
                vec![TierPeer::Pods { namespaces: requires("k", Is::NotIn(names(&["a"]))), pods: label("app", "x") }],
                None,
            ),
            rule("", TierAction::Deny, vec![TierPeer::Namespaces(LabelSelector::default())], None),
        ]),
        egress: Box::new([
            rule(
                "out",
                TierAction::Allow,
                vec![TierPeer::Nodes(requires("gw", Is::Exists)), TierPeer::Networks(Box::new([net("10.0.0.0/8"), net("fd00::/8")]))],
                all([range(Protocol::Sctp, 9, 9)]),
            ),
            rule("", TierAction::Allow, vec![TierPeer::DomainNames(names(&["*.example.org", "a.example.net"]))], None),
            rule("", TierAction::Deny, vec![TierPeer::Networks(Box::new([net("0.0.0.0/0")]))], None),
        ]),
    };
    Sample { kind: fact.kind, object, fact: Fact::AdminPolicy(fact) }
}

fn baseline() -> Sample {
    let object = json!({
        "apiVersion": "policy.networking.k8s.io/v1alpha1", "kind": "BaselineAdminNetworkPolicy", "metadata": {"name": "default"},
        "spec": {
            "subject": {"namespaces": {"matchExpressions": [{"key": "k", "operator": "DoesNotExist"}]}},
            "ingress": [{"action": "Deny", "from": [{"namespaces": {}}]}],
            "egress": [{"action": "Allow", "to": [{"pods": {"namespaceSelector": {}, "podSelector": {}}}], "ports": [{"portNumber": {"protocol": "UDP", "port": 53}}]}],
        },
    });
    let everywhere = || LabelSelector::default();
    let fact = AdminPolicyFact {
        meta: meta("", "default"),
        kind: Kind::BaselineAdminNetworkPolicy,
        tier: Tier::Baseline,
        priority: 0,
        subject: TierSubject::Namespaces(requires("k", Is::DoesNotExist)),
        ingress: Box::new([rule("", TierAction::Deny, vec![TierPeer::Namespaces(everywhere())], None)]),
        egress: Box::new([rule(
            "",
            TierAction::Allow,
            vec![TierPeer::Pods { namespaces: everywhere(), pods: everywhere() }],
            all([range(Protocol::Udp, 53, 53)]),
        )]),
    };
    Sample { kind: fact.kind, object, fact: Fact::AdminPolicy(fact) }
}

fn cluster() -> Sample {
    let object = json!({
        "apiVersion": "policy.networking.k8s.io/v1alpha2", "kind": "ClusterNetworkPolicy", "metadata": {"name": "sample-cluster"},
        "spec": {
            "tier": "Baseline",
            "priority": 1000,
            "subject": {"namespaces": {"matchLabels": {"wall": "yes"}}},
            "ingress": [
                {"name": "some", "action": "Accept", "from": [{"pods": {"podSelector": {"matchLabels": {"app": "x"}}}}],
                    "protocols": [{"tcp": {"destinationPort": {"number": 80}}}, {"udp": {"destinationPort": {"range": {"start": 100, "end": 200}}}},
                        {"sctp": {"destinationPort": {"number": 9}}}, {"destinationNamedPort": "http"}]},
                {"action": "Pass", "from": [{"namespaces": {}}]},
            ],
            "egress": [
                {"action": "Accept", "to": [{"domainNames": ["example.org"]}]},
                {"action": "Deny", "to": [{"networks": ["192.168.0.0/16"]}, {"nodes": {}}, {"pods": {"namespaceSelector": {"matchLabels": {"a": "b"}}, "podSelector": {}}}]},
            ],
        },
    });
    let fact = AdminPolicyFact {
        meta: meta("", "sample-cluster"),
        kind: Kind::ClusterNetworkPolicy,
        tier: Tier::Baseline,
        priority: 1000,
        subject: TierSubject::Namespaces(label("wall", "yes")),
        ingress: Box::new([
            rule(
                "some",
                TierAction::Allow,
                vec![TierPeer::Pods { namespaces: LabelSelector::default(), pods: label("app", "x") }],
                all([range(Protocol::Tcp, 80, 80), range(Protocol::Udp, 100, 200), range(Protocol::Sctp, 9, 9)]
                    .into_iter()
                    .chain(named("http"))),
            ),
            rule("", TierAction::Pass, vec![TierPeer::Namespaces(LabelSelector::default())], None),
        ]),
        egress: Box::new([
            rule("", TierAction::Allow, vec![TierPeer::DomainNames(names(&["example.org"]))], None),
            rule(
                "",
                TierAction::Deny,
                vec![
                    TierPeer::Networks(Box::new([net("192.168.0.0/16")])),
                    TierPeer::Nodes(LabelSelector::default()),
                    TierPeer::Pods { namespaces: label("a", "b"), pods: LabelSelector::default() },
                ],
                None,
            ),
        ]),
    };
    Sample { kind: fact.kind, object, fact: Fact::AdminPolicy(fact) }
}

/// Releases before 0.1.2 of the same API version say `namespaces` in another way.
pub fn older_admin() -> Sample {
    let object = json!({
        "apiVersion": "policy.networking.k8s.io/v1alpha1", "kind": "AdminNetworkPolicy", "metadata": {"name": "older-admin"},
        "spec": {
            "priority": 9,
            "subject": {"namespaces": {}},
            "ingress": [
                {"action": "Allow", "from": [{"namespaces": {"namespaceSelector": {"matchLabels": {"team": "ops"}}}}]},
                {"action": "Pass", "from": [{"pods": {"namespaces": {"namespaceSelector": {}}, "podSelector": {"matchLabels": {"app": "x"}}}}]},
                {"action": "Deny", "from": [{"namespaces": {"notSameLabels": ["tenant"]}}]},
            ],
        },
    });
    let fact = AdminPolicyFact {
        meta: meta("", "older-admin"),
        kind: Kind::AdminNetworkPolicy,
        tier: Tier::Admin,
        priority: 9,
        subject: TierSubject::Namespaces(LabelSelector::default()),
        ingress: Box::new([
            rule("", TierAction::Allow, vec![TierPeer::Namespaces(label("team", "ops"))], None),
            rule("", TierAction::Pass, vec![TierPeer::Pods { namespaces: LabelSelector::default(), pods: label("app", "x") }], None),
            rule("", TierAction::Deny, vec![TierPeer::Unreadable("sameLabels and notSameLabels are not evaluated".into())], None),
        ]),
        egress: Box::default(),
    };
    Sample { kind: fact.kind, object, fact: Fact::AdminPolicy(fact) }
}

fn entry(peers: Vec<CiliumPeers>) -> CiliumEntry {
    CiliumEntry { peers: peers.into(), ports: None, icmp_only: false, requires: Box::default(), authenticated: false }
}

fn with_ports(peers: Vec<CiliumPeers>, ports: Vec<PolicyPort>, filtered: bool) -> CiliumEntry {
    CiliumEntry { ports: Some(Box::new([CiliumPorts { ports: ports.into(), filtered }])), ..entry(peers) }
}

fn empty_rule(subject: CiliumSubject) -> CiliumRule {
    CiliumRule {
        subject,
        ingress: Box::default(),
        ingress_deny: Box::default(),
        egress: Box::default(),
        egress_deny: Box::default(),
        default_deny_ingress: None,
        default_deny_egress: None,
    }
}

fn block(cidr: &str, except: &[&str]) -> CiliumBlock {
    CiliumBlock::Range { cidr: net(cidr), except: except.iter().map(|text| net(text)).collect() }
}

fn any_protocol(port_match: PortMatch) -> Vec<PolicyPort> {
    [Protocol::Tcp, Protocol::Udp, Protocol::Sctp].map(|protocol| port(protocol, port_match.clone())).into()
}

fn cilium() -> Sample {
    let object = json!({
        "apiVersion": "cilium.io/v2", "kind": "CiliumNetworkPolicy", "metadata": {"name": "sample", "namespace": "policy-samples"},
        "spec": {
            "endpointSelector": {"matchLabels": {"k8s:app": "web"}},
            "enableDefaultDeny": {"ingress": true, "egress": false},
            "ingress": [
                {},
                {"fromEndpoints": [{}, {"matchLabels": {"k8s:io.kubernetes.pod.namespace": "other"}}], "authentication": {"mode": "required"}},
                {"fromEntities": ["cluster", "kube-apiserver"], "toPorts": [{"ports": [{"port": "80", "protocol": "TCP"}, {"port": "90", "endPort": 99, "protocol": "UDP"}]}]},
                {"fromCIDR": ["10.0.0.0/8"], "toPorts": [{"ports": [{"port": "0"}]}]},
                {"fromNodes": [{"matchLabels": {"gw": "yes"}}], "toPorts": [{"ports": [{"port": "HTTP", "protocol": "ANY"}], "rules": {"http": [{"method": "GET"}]}}]},
                {"icmps": [{"fields": [{"type": 8, "family": "IPv4"}]}]},
                {"fromEndpoints": []},
            ],
            "ingressDeny": [{"fromCIDRSet": [{"cidr": "192.168.0.0/16", "except": ["192.168.1.0/24"]}, {"cidrGroupRef": "partners"}]}],
            "egress": [
                {"toServices": [{"k8sService": {"serviceName": "db", "namespace": "data"}}, {"k8sServiceSelector": {"selector": {"matchLabels": {"a": "b"}}}}]},
                {"toFQDNs": [{"matchName": "example.org"}, {"matchPattern": "*.example.net"}], "toPorts": [{"ports": [{"port": "443", "protocol": "TCP"}], "serverNames": ["example.org"]}]},
                {"toGroups": [{"aws": {"region": "x"}}]},
                {"toEntities": ["world"], "toPorts": [{"ports": [{"port": "53", "protocol": "ANY"}], "rules": {"dns": [{"matchPattern": "*"}]}}]},
            ],
            "egressDeny": [{"toEndpoints": [{"matchExpressions": [{"key": "x", "operator": "NotIn", "values": ["y"]}]}], "toPorts": [{"ports": [{"port": "22", "protocol": "SCTP"}]}]}],
        },
    });
    let spec = CiliumRule {
        subject: CiliumSubject::Endpoints(label("k8s:app", "web")),
        ingress: Box::new([
            entry(vec![]),
            CiliumEntry {
                authenticated: true,
                ..entry(vec![CiliumPeers::Endpoints(Box::new([
                    LabelSelector::default(),
                    label("k8s:io.kubernetes.pod.namespace", "other"),
                ]))])
            },
            with_ports(
                vec![CiliumPeers::Entities(names(&["cluster", "kube-apiserver"]))],
                vec![range(Protocol::Tcp, 80, 80), range(Protocol::Udp, 90, 99)],
                false,
            ),
            with_ports(vec![CiliumPeers::Blocks(Box::new([block("10.0.0.0/8", &[])]))], any_protocol(PortMatch::Any), false),
            with_ports(vec![CiliumPeers::Nodes(Box::new([label("gw", "yes")]))], any_protocol(PortMatch::Named("http".into())), true),
            CiliumEntry { icmp_only: true, ..entry(vec![]) },
            entry(vec![CiliumPeers::Endpoints(Box::default())]),
        ]),
        ingress_deny: Box::new([entry(vec![CiliumPeers::Blocks(Box::new([
            block("192.168.0.0/16", &["192.168.1.0/24"]),
            CiliumBlock::Group { name: "partners".into(), except: Box::default() },
        ]))])]),
        egress: Box::new([
            entry(vec![CiliumPeers::Services(Box::new([
                CiliumService::Named { namespace: Some("data".into()), name: "db".into() },
                CiliumService::Selected { namespace: None, selector: label("a", "b") },
            ]))]),
            with_ports(vec![CiliumPeers::Names(names(&["example.org", "*.example.net"]))], vec![range(Protocol::Tcp, 443, 443)], true),
            entry(vec![CiliumPeers::Unreadable("toGroups".into())]),
            with_ports(vec![CiliumPeers::Entities(names(&["world"]))], any_protocol(PortMatch::Range(53, 53)), true),
        ]),
        egress_deny: Box::new([with_ports(
            vec![CiliumPeers::Endpoints(Box::new([requires("x", Is::NotIn(names(&["y"])))]))],
            vec![range(Protocol::Sctp, 22, 22)],
            false,
        )]),
        default_deny_ingress: Some(true),
        default_deny_egress: Some(false),
    };
    let fact = CiliumPolicyFact { meta: meta("policy-samples", "sample"), kind: Kind::CiliumNetworkPolicy, rules: Box::new([spec]) };
    Sample { kind: fact.kind, object, fact: Fact::CiliumPolicy(fact) }
}

fn cilium_clusterwide() -> Sample {
    let object = json!({
        "apiVersion": "cilium.io/v2", "kind": "CiliumClusterwideNetworkPolicy", "metadata": {"name": "sample"},
        "spec": {"nodeSelector": {}, "ingress": [{"fromEntities": ["all"]}]},
        "specs": [
            {"endpointSelector": {"matchExpressions": [{"key": "k8s:io.kubernetes.pod.namespace", "operator": "In", "values": ["a", "b"]}]}, "egress": [{"toCIDR": ["0.0.0.0/0", "::/0"]}]},
            {"endpointSelector": {}, "egressDeny": [{"toCIDRSet": [{"cidrGroupSelector": {"matchLabels": {"a": "b"}}}]}]},
        ],
    });
    let rules = Box::new([
        CiliumRule {
            ingress: Box::new([entry(vec![CiliumPeers::Entities(names(&["all"]))])]),
            ..empty_rule(CiliumSubject::Nodes(LabelSelector::default()))
        },
        CiliumRule {
            egress: Box::new([entry(vec![CiliumPeers::Blocks(Box::new([block("0.0.0.0/0", &[]), block("::/0", &[])]))])]),
            ..empty_rule(CiliumSubject::Endpoints(requires("k8s:io.kubernetes.pod.namespace", Is::In(names(&["a", "b"])))))
        },
        CiliumRule {
            egress_deny: Box::new([entry(vec![CiliumPeers::Blocks(Box::new([CiliumBlock::Unreadable(
                "cidrGroupSelector is not evaluated".into(),
            )]))])]),
            ..empty_rule(CiliumSubject::Endpoints(LabelSelector::default()))
        },
    ]);
    let fact = CiliumPolicyFact { meta: meta("", "sample"), kind: Kind::CiliumClusterwideNetworkPolicy, rules };
    Sample { kind: fact.kind, object, fact: Fact::CiliumPolicy(fact) }
}

fn cidr_group() -> Sample {
    let object = json!({
        "apiVersion": "cilium.io/v2", "kind": "CiliumCIDRGroup", "metadata": {"name": "partners", "labels": {"a": "b"}},
        "spec": {"externalCIDRs": ["198.51.100.0/24", "2001:db8::/32"]},
    });
    let fact = CidrGroupFact {
        meta: meta("", "partners"),
        labels: std::sync::Arc::new(LabelSet::new([("a".into(), "b".into())])),
        cidrs: Box::new([net("198.51.100.0/24"), net("2001:db8::/32")]),
        unreadable: false,
    };
    Sample { kind: Kind::CiliumCIDRGroup, object, fact: Fact::CidrGroup(fact) }
}
