//! The mistakes of others (section 1) and the cases that a good suite is known to miss (end of section 3), by name.

use partywall::netpol::profile::Profile::{Cilium, NpGuard, Spec};
use serde_json::json;

use crate::build::World;
use crate::check::{expect, expect_in};

fn two() -> World {
    let world = World::new().ns("a team=x").ns("b team=y").pod("a/web app=web tier=front ip=10.1.0.1").pod("a/db app=db ip=10.1.0.2");
    world.pod("b/web app=web ip=10.1.0.3").pod("b/half tier=front ip=10.1.0.4")
}

// Section 1.

#[test]
fn host_network_pods_are_not_covered_by_policy() {
    let world = two().pod("a/host ip=192.168.0.1 host").np("a/p", &json!({"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}));
    expect_in(&world, Spec, "b/web > a/host * yes\n a/host > b/web * yes\n b/web > a/web * no");
}

#[test]
fn a_policy_with_no_rules_allows_nothing() {
    expect(&two().np("a/p", &json!({"podSelector": {}, "policyTypes": ["Ingress"]})), "b/web > a/web * no\n a/db > a/web * no");
}

#[test]
fn not_in_matches_a_pod_without_the_key() {
    let selector = json!({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["db"]}]});
    let world = two().np("b/p", &json!({"podSelector": selector}));
    expect(&world, "a/db > b/half * no\n a/db > b/web * no");
    let peer = two().np("b/p", &json!({"podSelector": {}, "ingress": [{"from": [{"podSelector": selector, "namespaceSelector": {}}]}]}));
    expect(&peer, "b/half > b/web * yes\n a/db > b/web * no\n a/web > b/web * yes");
    let tier = two().tier("ANP p 5", "pods:|app!=db", &["egress deny ns:"]);
    expect(&tier, "b/half > a/web * no\n a/db > a/web * yes");
    let cilium = two().cilium("b/p", "app!=db", &["ingress {}"]);
    expect(&cilium, "a/db > b/half * no");
}

#[test]
fn an_empty_value_does_not_match_a_pod_without_the_key() {
    let world = two().pod("b/blank app=").np("b/p", &json!({"podSelector": {"matchLabels": {"app": ""}}}));
    expect(&world, "a/db > b/half * yes\n a/db > b/blank * no\n a/db > b/web * yes");
}

#[test]
fn an_empty_ingress_list_isolates() {
    let world = two().np("a/p", &json!({"podSelector": {}, "policyTypes": ["Ingress"], "ingress": []}));
    expect(&world, "b/web > a/web * no\n a/web > b/web * yes");
    let without_types = two().np("a/p", &json!({"podSelector": {}, "ingress": []}));
    expect(&without_types, "b/web > a/web * no\n a/web > b/web * yes");
}

#[test]
fn an_empty_egress_list_isolates_where_the_type_is_named() {
    let world = two().np("a/p", &json!({"podSelector": {}, "policyTypes": ["Egress"], "egress": []}));
    expect(&world, "a/web > b/web * no\n b/web > a/web * yes");
}

#[test]
fn deny_and_pass_with_an_unknown_peer_deny_everything() {
    for action in ["deny", "pass"] {
        let world = two().tier("CNP admin 5 p", "ns:team=x", &[&format!("egress {action} ?")]);
        expect(&world, "a/web > b/web * no\n a/web > a/db * no\n a/web > 8.8.8.8 * no");
    }
}

#[test]
fn networks_of_admin_policies_match_pods() {
    let world = two().tier("ANP p 5", "ns:team=x", &["egress deny net:10.0.0.0/8"]);
    expect_in(&world, Spec, "a/web > b/web * no\n a/web > a/db * no\n a/web > 10.9.9.9 * no\n a/web > 11.0.0.1 * yes");
}

#[test]
fn a_finished_pod_does_not_lend_its_address() {
    let rule = json!([{"to": [{"podSelector": {"matchLabels": {"app": "job"}}}]}]);
    let world =
        two().pod("a/job app=job ip=10.1.0.3 done").np("a/p", &json!({"podSelector": {}, "policyTypes": ["Egress"], "egress": rule}));
    for profile in [Spec, Cilium] {
        expect_in(&world, profile, "a/web > b/web * no\n a/web > a/job * gone");
    }
}

// Section 3: cases a good suite is known to miss.

#[test]
fn several_match_labels_are_anded() {
    let both = json!({"matchLabels": {"app": "web", "tier": "front"}});
    let world = two().np("b/p", &json!({"podSelector": {}, "ingress": [{"from": [{"namespaceSelector": {}, "podSelector": both}]}]}));
    expect(&world, "a/web > b/web * yes\n b/half > b/web * no\n b/web > b/half * no");
    let subject = two().np("a/p", &json!({"podSelector": both})).np("b/p", &json!({"podSelector": both}));
    expect(&subject, "a/db > a/web * no\n a/web > b/half * yes\n a/web > b/web * yes");
}

#[test]
fn policy_types_missing_with_only_egress_rules_still_isolates_ingress() {
    let world = two().np("a/p", &json!({"podSelector": {}, "egress": [{}]}));
    expect(&world, "b/web > a/web * no\n a/web > b/web * yes");
}

#[test]
fn a_port_entry_with_only_a_protocol_means_all_its_ports() {
    let np = |ports| two().np("a/p", &json!({"podSelector": {}, "ingress": [{"ports": ports}]}));
    expect(&np(json!([{"protocol": "UDP"}])), "b/web > a/web UDP:* yes\n b/web > a/web TCP:* no\n b/web > a/web SCTP:* no");
    expect(&np(json!([{}])), "b/web > a/web TCP:* yes\n b/web > a/web UDP:* no");
    let tier = two().tier("ANP p 5", "ns:team=x", &["egress deny ns: on UDP"]);
    expect(&tier, "a/web > b/web UDP:* no\n a/web > b/web TCP:* yes");
}

#[test]
fn ranges_match_addresses_of_pods() {
    let to = json!([{"to": [{"ipBlock": {"cidr": "10.1.0.0/16", "except": ["10.1.0.4/32"]}}]}]);
    let world = two().np("a/p", &json!({"podSelector": {}, "policyTypes": ["Egress"], "egress": to}));
    expect_in(&world, Spec, "a/web > b/web * yes\n a/web > b/half * no");
    for profile in [Cilium, NpGuard] {
        expect_in(&world, profile, "a/web > b/web * no\n a/web > b/half * no");
    }
}

#[test]
fn ipv6_is_a_family_of_its_own() {
    let to = json!([{"to": [{"ipBlock": {"cidr": "fd00:1::/64", "except": ["fd00:1::4/128"]}}]}]);
    let world = World::new()
        .ns("a")
        .pod("a/x app=x ip=10.1.0.1 ip=fd00:1::1")
        .pod("a/y ip=fd00:1::2")
        .pod("a/z ip=fd00:1::4")
        .pod("a/v4 ip=10.1.0.9");
    let spec = json!({"podSelector": {"matchLabels": {"app": "x"}}, "policyTypes": ["Egress"], "egress": to});
    expect_in(
        &world.np("a/p", &spec),
        Spec,
        "a/x > a/y * yes\n a/x > a/z * no\n a/x > a/v4 * no\n a/x > fd00:1::99 * yes\n a/x > 2600::1 * no",
    );
}

#[test]
fn cluster_network_policy_v1alpha2_is_read() {
    let world = two()
        .tier("CNP admin 1 first", "pods:team=x|app=web", &["egress allow pods:team=y|tier=front on TCP:80", "egress deny ns:team=y"])
        .tier("CNP baseline 1 last", "ns:", &["ingress deny ns:team=x on UDP"]);
    expect(&world, "a/web > b/half TCP:80 yes\n a/web > b/half TCP:81 no\n a/db > b/half UDP:53 no\n a/db > b/half TCP:81 yes");
}

#[test]
fn equal_priorities_go_by_name() {
    let world =
        two().tier("CNP admin 7 b", "ns:", &["egress deny ns:"]).tier("CNP admin 7 a", "ns:", &["egress allow ns:team=y on TCP:80"]);
    expect(&world, "a/web > b/web TCP:80 yes\n a/web > b/web TCP:81 no");
}

#[test]
fn peers_that_are_nodes_or_names() {
    let world = two().node("n1 ip=192.168.0.1 role=cp").node("n2 ip=192.168.0.2");
    let world =
        world.tier("ANP p 5", "ns:team=x", &["egress allow dns:example.com", "egress deny nodes:role=cp", "egress deny net:8.0.0.0/8"]);
    expect_in(&world, Spec, "a/web > 192.168.0.1 * no\n a/web > 192.168.0.2 * yes\n a/web > 8.8.8.8 * undefined\n a/web > b/web * yes");
}

#[test]
fn a_pod_reaches_itself_and_its_node_reaches_it() {
    let world = two().node("n1 ip=192.168.0.1").pod("b/here ip=10.1.0.9 node=n1");
    let world = world.np("b/p", &json!({"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}));
    for profile in [Spec, Cilium] {
        expect_in(&world, profile, "b/here > b/here * yes\n 192.168.0.1 > b/here * yes\n a/web > b/here * no\n b/here > 192.168.0.1 * no");
    }
}

#[test]
fn an_imagined_pod_is_judged_by_its_labels() {
    let world = two().np("a/p", &json!({"podSelector": {"matchExpressions": [{"key": "app", "operator": "Exists"}]}}));
    expect(&world, "b/web > a{app=new} * no\n b/web > a{} * yes\n b{} > a{app=} * no\n a{app=x} > b{} * yes");
    // a namespace nobody wrote a policy for
    expect(&world, "a{} > b{tier=front} * yes");
}
