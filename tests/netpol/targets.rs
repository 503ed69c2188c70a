//! Fixed targets (section 2.6), Services (2.1), ranges of addresses: what the engine answers beside pairs.

use std::net::IpAddr;

use ipnet::IpNet;
use partywall::model::containers::PortProtocol::{Tcp, Udp};
use partywall::netpol::answer::Openness::{self, Blocked, Open, Undefined};
use partywall::netpol::profile::Profile::{self, Cilium, Spec};
use partywall::netpol::reach::{Options, Reach};
use partywall::netpol::story::End;
use partywall::netpol::target::{Extent, Places, Target, TargetCell, VaultPlace};
use serde_json::{Value, json};

use crate::build::{World, tenants};
use crate::check::{end, seen};
use crate::oracle::Oracle;
use crate::oracle_match::{Tri, Yes, any};

/// One pod `a/x` in a cluster with two nodes, a resolver, and an API server on the first node.
fn cluster() -> World {
    let world =
        World::new().ns("a team=x").ns("kube-system").node("n1 ip=192.168.0.1 cidr=10.1.0.0/24").node("n2 ip=192.168.0.2 cidr=10.1.1.0/24");
    let world = world.pod("a/x app=x ip=10.1.1.5 node=n2").pod("kube-system/coredns k8s-app=kube-dns ip=10.1.0.53 node=n1 port=dns:53/UDP");
    let world = world.service("kube-system/kube-dns", Some("k8s-app=kube-dns"), &["53/UDP", "53/TCP"]);
    let world = world.service("default/kubernetes", None, &["443:6443"]);
    world.endpoints("default/kubernetes", &["192.168.0.1"])
}

fn egress(rules: &Value) -> World {
    cluster().np("a/p", &json!({"podSelector": {}, "policyTypes": ["Egress"], "egress": rules}))
}

fn to(cidr: &str, except: &[&str]) -> Value {
    json!([{"to": [{"ipBlock": {"cidr": cidr, "except": except}}]}])
}

fn places() -> Places {
    Places { vault: None, pod_ranges: Vec::new(), service_ranges: vec!["10.96.0.0/12".parse().unwrap()] }
}

/// What tenant `a` reaches of a target.
fn cell(world: &World, profile: Profile, places: Places, target: Target) -> TargetCell {
    let (snapshot, dirty) = world.snapshot();
    let mut reach = Reach::new(Options { profile, places, ..Options::default() });
    reach.sync(&snapshot, &tenants(&snapshot), &dirty);
    let matrix = reach.matrix();
    let cell = matrix.rows[matrix.place("a").unwrap()].target(target).unwrap().clone();
    if cell.unknown.is_none() {
        // the pair says what the cell says: the tenant has one pod
        let pair = reach.answer(&end("a/x"), &End::Target(target)).unwrap();
        assert_eq!(pair.openness(), cell.now.openness(), "{target:?}: pair and cell");
        assert_eq!(reach.explain(&end("a/x"), &End::Target(target)).unwrap().answer.openness(), pair.openness(), "{target:?}: story");
    }
    for ports in [&cell.now, &cell.future] {
        assert!(ports.sure.minus(&ports.may).is_empty());
    }
    assert!(cell.now.may.minus(&cell.future.may).is_empty(), "{target:?}: the future is at least as open");
    cell
}

#[track_caller]
fn reached(world: &World, profile: Profile, target: Target, openness: Openness, extent: Option<Extent>) {
    let cell = cell(world, profile, places(), target);
    assert_eq!(cell.now.openness(), openness, "{target:?} in {}: {cell:?}", profile.word());
    if let Some(extent) = extent {
        assert_eq!(cell.extent, extent, "{target:?} in {}", profile.word());
    }
}

const PLACES: [Target; 7] =
    [Target::Internet, Target::Metadata, Target::Private, Target::ClusterDns, Target::ApiServer, Target::Nodes, Target::Kubelet];

#[test]
fn without_policies_every_target_is_open_and_with_none_allowed_shut() {
    for target in PLACES {
        reached(&cluster(), Spec, target, Open, Some(Extent::All));
        reached(&egress(&json!([])), Spec, target, Blocked, Some(Extent::None));
        reached(&egress(&json!([])), Cilium, target, Blocked, Some(Extent::None));
    }
}

#[test]
fn the_internet_is_none_some_or_all() {
    let everything = json!([{"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}, {"ipBlock": {"cidr": "::/0"}}]}]);
    reached(&egress(&everything), Spec, Target::Internet, Open, Some(Extent::All));
    reached(&egress(&to("8.0.0.0/8", &[])), Spec, Target::Internet, Open, Some(Extent::Some));
    reached(&egress(&json!([{"ports": [{"port": 443}]}])), Spec, Target::Internet, Open, Some(Extent::Some));
    // what is private, of the cluster, of the carrier or of the link is not the internet
    for cidr in ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "fc00::/7", "fe80::/10"] {
        reached(&egress(&to(cidr, &[])), Spec, Target::Internet, Blocked, Some(Extent::None));
    }
    reached(&egress(&json!([{"to": [{"namespaceSelector": {}}]}])), Spec, Target::Internet, Blocked, Some(Extent::None));
}

#[test]
fn metadata_is_open_to_every_rule_for_anywhere_that_does_not_except_it() {
    reached(&egress(&to("0.0.0.0/0", &[])), Spec, Target::Metadata, Open, None);
    reached(&egress(&json!([{}])), Spec, Target::Metadata, Open, None);
    reached(&egress(&json!([{"ports": [{"port": 80}]}])), Spec, Target::Metadata, Open, None);
    reached(&egress(&to("169.254.169.254/32", &[])), Spec, Target::Metadata, Open, None);
    reached(&egress(&to("8.0.0.0/8", &[])), Spec, Target::Metadata, Blocked, Some(Extent::None));
    reached(&egress(&json!([{"to": [{"namespaceSelector": {}}]}])), Spec, Target::Metadata, Blocked, Some(Extent::None));
    let world = cluster().cilium("a/p", "", &["egress ent:cluster"]);
    reached(&world, Cilium, Target::Metadata, Blocked, None);
    let world = cluster().cilium("a/p", "", &["egress ent:world"]);
    let cell = cell(&world, Cilium, places(), Target::Metadata);
    assert_ne!(cell.now.openness(), Blocked, "the world holds the metadata addresses");
}

#[test]
fn private_ranges_are_without_those_of_the_cluster() {
    reached(&egress(&to("172.16.0.0/12", &[])), Spec, Target::Private, Open, Some(Extent::Some));
    reached(&egress(&to("10.1.0.0/24", &[])), Spec, Target::Private, Blocked, Some(Extent::None));
    reached(&egress(&to("10.96.0.0/12", &[])), Spec, Target::Private, Blocked, Some(Extent::None));
    reached(&egress(&to("8.0.0.0/8", &[])), Spec, Target::Private, Blocked, Some(Extent::None));
    let except = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"];
    reached(&egress(&to("0.0.0.0/0", &except)), Spec, Target::Private, Blocked, Some(Extent::None));
    reached(&egress(&to("0.0.0.0/0", &except[1..])), Spec, Target::Private, Open, Some(Extent::Some));
}

#[test]
fn the_resolver_is_its_pods_on_their_ports() {
    let dns = json!([{"to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}],
        "ports": [{"port": 53, "protocol": "UDP"}]}]);
    let world = egress(&dns);
    reached(&world, Spec, Target::ClusterDns, Open, None);
    let cell = cell(&world, Spec, places(), Target::ClusterDns);
    assert!(cell.now.sure.contains(Udp, 53) && !cell.now.may.contains(Tcp, 53), "{cell:?}");
    reached(&egress(&to("8.0.0.0/8", &[])), Spec, Target::ClusterDns, Blocked, None);
    // the resolver's own policy counts
    let shut = cluster().np("kube-system/p", &json!({"podSelector": {}}));
    reached(&shut, Spec, Target::ClusterDns, Blocked, None);
}

#[test]
fn the_api_server_is_no_pod() {
    reached(&egress(&json!([{"to": [{"namespaceSelector": {}}]}])), Spec, Target::ApiServer, Blocked, Some(Extent::None));
    reached(&egress(&to("192.168.0.1/32", &[])), Spec, Target::ApiServer, Open, None);
    reached(&egress(&to("192.168.0.2/32", &[])), Spec, Target::ApiServer, Blocked, None);
    reached(&egress(&to("0.0.0.0/0", &[])), Cilium, Target::ApiServer, Blocked, None);
    reached(&cluster().cilium("a/p", "", &["egress ent:kube-apiserver"]), Cilium, Target::ApiServer, Open, None);
    reached(&cluster().cilium("a/p", "", &["egress ent:world"]), Cilium, Target::ApiServer, Blocked, None);
}

#[test]
fn nodes_and_kubelets() {
    reached(&egress(&json!([{"to": [{"namespaceSelector": {}}]}])), Spec, Target::Nodes, Blocked, Some(Extent::None));
    reached(&egress(&to("192.168.0.2/32", &[])), Spec, Target::Nodes, Open, Some(Extent::Some));
    reached(&egress(&to("192.168.0.0/24", &[])), Spec, Target::Nodes, Open, Some(Extent::All));
    reached(&egress(&to("192.168.0.0/24", &[])), Cilium, Target::Nodes, Blocked, None);
    let web = json!([{"to": [{"ipBlock": {"cidr": "192.168.0.0/24"}}], "ports": [{"port": 80}]}]);
    reached(&egress(&web), Spec, Target::Nodes, Open, Some(Extent::Some));
    reached(&egress(&web), Spec, Target::Kubelet, Blocked, Some(Extent::None));
    let kubelet = json!([{"ports": [{"port": 10255}]}]);
    reached(&egress(&kubelet), Spec, Target::Kubelet, Open, Some(Extent::Some));
    let denied = cluster().tier("ANP p 5", "ns:", &["egress deny nodes:"]);
    reached(&denied, Spec, Target::Nodes, Blocked, None);
    reached(&denied, Spec, Target::Kubelet, Blocked, None);
    reached(&cluster().cilium("a/p", "", &["egress ent:remote-node"]), Cilium, Target::Nodes, Open, Some(Extent::Some));
    reached(&cluster().cilium("a/p", "", &["egress ent:host,remote-node"]), Cilium, Target::Nodes, Open, Some(Extent::All));
}

#[test]
fn vault_is_where_it_is_said_to_be() {
    let vault = |place: Option<VaultPlace>| Places { vault: place, ..places() };
    let shut = egress(&json!([]));
    assert!(cell(&cluster(), Spec, vault(None), Target::Vault).unknown.is_some(), "nobody said where it is");
    let outside = || vault(Some(VaultPlace::Addresses(vec!["203.0.113.7/32".parse().unwrap()], 8200)));
    assert_eq!(cell(&cluster(), Spec, outside(), Target::Vault).now.openness(), Open);
    assert_eq!(cell(&shut, Spec, outside(), Target::Vault).now.openness(), Blocked);
    let block = json!([{"to": [{"ipBlock": {"cidr": "203.0.113.7/32"}}], "ports": [{"port": 8200}]}]);
    assert_eq!(cell(&egress(&block), Spec, outside(), Target::Vault).now.openness(), Open);
    let other = json!([{"to": [{"ipBlock": {"cidr": "203.0.113.7/32"}}], "ports": [{"port": 443}]}]);
    assert_eq!(cell(&egress(&other), Spec, outside(), Target::Vault).now.openness(), Blocked);
    // a Service in the cluster: its pods, on their port
    let place = VaultPlace::Service { namespace: "vault".into(), name: "vault".into(), port: 8200 };
    let inside = |world: World| {
        world.ns("vault").pod("vault/vault-0 app=vault ip=10.1.0.9 port=api:8300").service("vault/vault", Some("app=vault"), &["8200:api"])
    };
    let allowed = |port: u16| json!([{"to": [{"namespaceSelector": {}}], "ports": [{"port": port}]}]);
    assert_eq!(cell(&inside(egress(&allowed(8300))), Spec, vault(Some(place.clone())), Target::Vault).now.openness(), Open);
    assert_eq!(cell(&inside(egress(&allowed(8200))), Spec, vault(Some(place.clone())), Target::Vault).now.openness(), Blocked);
    assert_eq!(cell(&inside(shut.clone()), Spec, vault(Some(place)), Target::Vault).now.openness(), Blocked);
    // a name has no address here: only what shuts everything out is known to
    let name = || vault(Some(VaultPlace::Host("vault.example".into(), 8200)));
    let unknown = cell(&egress(&to("203.0.113.0/24", &[])), Spec, name(), Target::Vault);
    assert!(unknown.unknown.is_some() || unknown.now.openness() == Undefined, "{unknown:?}");
}

/// A Service as the judge sees it: some pod of the namespace reaches some pod behind it on the target port.
fn judged(oracle: &Oracle<'_>, from: &str, to: &[(&str, u16)]) -> Tri {
    let sources = oracle.snapshot.namespaces[from].pods.keys();
    any(sources.flat_map(|source| {
        to.iter().map(move |(pod, port)| oracle.judge(&end(&format!("{from}/{source}")), &end(pod), Tcp, *port).unwrap())
    }))
}

#[test]
fn services_lead_to_the_target_port() {
    let world = World::new().ns("a").ns("b").pod("a/x").pod("b/one app=w port=http:8080").pod("b/two app=w port=http:9090");
    let world = world.service("b/web", Some("app=w"), &["80:http", "81:8081", "8080"]).service("b/none", Some("app=nobody"), &["80"]);
    let policy = |ports: Value| {
        world.clone().np(
            "a/p",
            &json!({"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"to": [{"namespaceSelector": {}}], "ports": ports}]}),
        )
    };
    let cases = [
        (json!([{"port": 80}, {"port": 81}]), [Blocked, Blocked, Blocked]),
        (json!([{"port": 9090}]), [Open, Blocked, Blocked]),
        (json!([{"port": 8081}]), [Blocked, Open, Blocked]),
        (json!([{"port": 8080}]), [Open, Blocked, Open]),
        (json!([{"port": "http"}]), [Open, Blocked, Open]),
    ];
    for (ports, expected) in cases {
        let world = policy(ports.clone());
        let (snapshot, reach) = seen(&world, Spec);
        let oracle = Oracle::new(&snapshot, Spec);
        let behind: [&[(&str, u16)]; 3] =
            [&[("b/one", 8080), ("b/two", 9090)], &[("b/one", 8081), ("b/two", 8081)], &[("b/one", 8080), ("b/two", 8080)]];
        for (targets, expected) in behind.into_iter().zip(expected) {
            assert_eq!(judged(&oracle, "a", targets) == Yes, expected == Open, "the judge on {ports}");
        }
        let said: Vec<_> = reach.service("a", "b", "web").into_iter().map(|port| (port.port, port.openness)).collect();
        let wanted: Vec<_> = [80, 81, 8080].into_iter().map(|port| (Tcp, port)).zip(expected).collect();
        assert_eq!(said, wanted, "the engine on {ports}");
        assert!(reach.service("a", "b", "none").iter().all(|port| port.openness == Blocked), "nobody is behind it");
        assert!(reach.service("a", "b", "unheard-of").is_empty());
    }
}

#[test]
fn ranges_of_addresses_are_what_single_addresses_are() {
    let rules = json!([
        {"to": [{"ipBlock": {"cidr": "8.0.0.0/8", "except": ["8.8.0.0/16"]}}], "ports": [{"port": 80}]},
        {"to": [{"ipBlock": {"cidr": "8.8.8.0/24"}}], "ports": [{"port": 53, "protocol": "UDP"}]},
    ]);
    let (snapshot, reach) = seen(&egress(&rules), Spec);
    let oracle = Oracle::new(&snapshot, Spec);
    let within: Vec<IpNet> = vec!["8.0.0.0/7".parse().unwrap(), "2600::/32".parse().unwrap()];
    let (union, ranges) = reach.addresses("a", &within, false);
    assert!(union.sure.contains(Tcp, 80) && union.sure.contains(Udp, 53) && !union.may.contains(Tcp, 53));
    let said = |ip: IpAddr, port| ranges.iter().filter(|(net, _)| net.contains(&ip)).any(|(_, answer)| answer.sure.contains(port, 80));
    for ip in ["8.0.0.1", "8.7.255.255", "8.8.0.0", "8.8.8.8", "8.8.255.255", "8.9.0.0", "8.255.255.255", "9.0.0.0"] {
        let judged = oracle.judge(&end("a/x"), &end(ip), Tcp, 80) == Some(Yes);
        assert_eq!(said(ip.parse().unwrap(), Tcp), judged, "{ip}");
    }
    assert!(ranges.iter().all(|(net, _)| within.iter().any(|outer| outer.contains(net))), "nothing beyond what was asked");
    // tomorrow's pods are under the same policy
    let (future, _) = reach.addresses("a", &within, true);
    assert_eq!(future.sure, union.sure);
}
