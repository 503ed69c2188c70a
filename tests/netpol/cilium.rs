//! Cilium's policies: section 2.4, bullet by bullet.

use partywall::netpol::profile::Enforcement;
use partywall::netpol::profile::Profile::{Cilium, Spec};
use partywall::netpol::reach::Options;
use serde_json::json;

use crate::build::World;
use crate::check::{expect, expect_in, expect_with};

fn two() -> World {
    let world = World::new().ns("a team=x").ns("b team=y").pod("a/web app=web ip=10.1.0.1").pod("a/db app=db ip=10.1.0.2");
    world.pod("b/web app=web ip=10.1.0.3").pod("b/db app=db sa=robot ip=10.1.0.4 port=sql:5432")
}

fn mode(enforcement: Enforcement) -> Options {
    Options { profile: Cilium, enforcement, ..Options::default() }
}

#[test]
fn an_entry_isolates_and_an_empty_list_does_not() {
    expect(&two().cilium("a/p", "", &["ingress []"]), "b/web > a/web * yes\n a/web > b/web * yes");
    expect(&two().cilium("a/p", "", &["ingress {}"]), "b/web > a/web * no\n a/web > b/web * yes\n 8.8.8.8 > a/web * no");
    expect(&two().cilium("a/p", "", &["egress {}"]), "a/web > b/web * no\n b/web > a/web * yes\n a/web > 8.8.8.8 * no");
    expect(&two().cilium("a/p", "app=db", &["ingress {}"]), "b/web > a/web * yes\n b/web > a/db * no");
}

#[test]
fn the_empty_rule_is_the_opposite_of_network_policy() {
    let np = two().np("a/p", &json!({"podSelector": {}, "ingress": [{}]}));
    expect(&np, "b/web > a/web * yes");
    expect(&two().cilium("a/p", "", &["ingress {}"]), "b/web > a/web * no");
}

#[test]
fn a_deny_list_isolates_too() {
    expect(&two().cilium("a/p", "", &["ingress-deny ent:world"]), "b/web > a/web * no\n 8.8.8.8 > a/web * no\n a/web > b/web * yes");
}

#[test]
fn default_deny_can_be_switched_off_and_on() {
    let off = two().cilium("a/p", "", &["ingress ep:app=db", "default-deny ingress=false"]);
    expect(&off.clone(), "b/web > a/web * yes");
    expect(&off.cilium("a/q", "", &["ingress {}"]), "b/web > a/web * no\n a/db > a/web * yes");
    expect(&two().cilium("a/p", "", &["default-deny ingress=true"]), "b/web > a/web * no\n a/web > b/web * yes");
    let deny = two().cilium("a/p", "", &["ingress-deny ent:world", "default-deny ingress=false"]);
    expect(&deny, "b/web > a/web * yes\n 8.8.8.8 > a/web * no");
}

#[test]
fn the_mode_always_isolates_all_and_never_nobody() {
    let world = two().cilium("a/p", "", &["ingress ep:app=db on TCP:80"]);
    expect_with(&world, &mode(Enforcement::Default), "a/db > a/web TCP:80 yes\n a/db > a/web TCP:81 no\n a/web > b/web * yes");
    expect_with(&world, &mode(Enforcement::Always), "a/db > a/web * no\n a/web > b/web * no\n a/web > 8.8.8.8 * no");
    let both = world.clone().cilium("a/out", "", &["egress ent:all"]);
    expect_with(&both, &mode(Enforcement::Always), "a/db > a/web TCP:80 yes\n a/db > a/web TCP:81 no\n a/web > 8.8.8.8 * yes");
    let never = world.np("a/np", &json!({"podSelector": {}}));
    expect_with(&never, &mode(Enforcement::Never), "b/db > a/web * yes\n 8.8.8.8 > a/web * yes");
}

#[test]
fn deny_beats_allow_whatever_object_it_comes_from() {
    let world = two().cilium("a/p", "", &["egress ent:all", "egress-deny ep:k8s:io.kubernetes.pod.namespace=b on TCP:80"]);
    expect(&world, "a/web > b/web TCP:80 no\n a/web > b/web TCP:81 yes\n a/web > 8.8.8.8 * yes");
    let other = two().cilium("a/p", "", &["egress ent:all"]).cilium("clusterwide", "app=web", &["egress-deny ent:cluster"]);
    expect(&other, "a/web > b/web * no\n a/web > 8.8.8.8 * yes\n a/db > b/web * yes");
}

#[test]
fn deny_beats_network_policy_but_not_the_admin_tier() {
    let np = json!({"podSelector": {}, "policyTypes": ["Egress"], "egress": [{}]});
    let world = two().np("a/np", &np).cilium("a/p", "", &["egress-deny ent:cluster on TCP:80"]);
    expect(&world.clone(), "a/web > b/web TCP:80 no\n a/web > b/web TCP:81 yes");
    let admin = world.tier("CNP admin 5 p", "ns:team=x", &["egress allow ns:team=y"]);
    expect(&admin, "a/web > b/web * yes");
}

#[test]
fn cilium_sits_between_admin_and_baseline() {
    let world = two().cilium("a/p", "", &["egress ent:cluster"]).tier("BANP default", "ns:team=x", &["egress deny ns:"]);
    expect(&world.clone(), "a/web > b/web * yes\n a/web > 8.8.8.8 * no");
    expect(&world.tier("ANP p 5", "ns:team=x", &["egress deny ns:team=y on TCP:80"]), "a/web > b/web TCP:80 no\n a/web > b/web TCP:81 yes");
    let not_isolated = two().cilium("a/p", "", &["ingress {}"]).tier("BANP default", "ns:team=x", &["egress deny ns:"]);
    expect(&not_isolated, "a/web > b/web * no");
}

#[test]
fn network_policy_and_cilium_are_one_union() {
    let np = json!({"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{"ports": [{"port": 80}]}]});
    let world = two().np("a/np", &np).cilium("a/p", "", &["ingress ep:app=db on TCP:81"]);
    expect(&world, "b/db > a/web TCP:80 yes\n a/db > a/web TCP:81 yes\n b/db > a/web TCP:81 no\n a/db > a/web TCP:82 no");
    let isolated_by_np =
        two().np("a/np", &json!({"podSelector": {}})).cilium("a/p", "", &["ingress ep:app=db", "default-deny ingress=false"]);
    expect(&isolated_by_np, "a/db > a/web * yes\n b/db > a/web * no");
}

#[test]
fn no_peer_member_means_no_limit_and_an_empty_one_nobody() {
    expect(
        &two().cilium("a/p", "", &["ingress on TCP:80"]),
        "b/db > a/web TCP:80 yes\n 8.8.8.8 > a/web TCP:80 yes\n b/db > a/web TCP:81 no",
    );
    expect(&two().cilium("a/p", "", &["ingress ep[] on TCP:80"]), "b/db > a/web * no\n a/db > a/web * no");
    expect(&two().cilium("a/p", "", &["ingress ep[]"]), "a/db > a/web * no");
    expect(&two().cilium("a/p", "", &["ingress ent[]"]), "a/db > a/web * no");
    expect(&two().cilium("a/p", "", &["ingress {}"]), "a/db > a/web * no");
}

#[test]
fn a_namespaced_policy_is_about_its_namespace_only() {
    let world = two().cilium("a/p", "app=web", &["ingress {}"]);
    expect(&world, "b/db > a/web * no\n b/db > a/db * yes\n a/db > b/web * yes");
    // a foreign namespace in the selector is dropped
    let world = two().cilium("a/p", "app=web,k8s:io.kubernetes.pod.namespace=b", &["ingress {}"]);
    expect(&world, "b/db > a/web * no\n b/db > a/db * yes\n a/db > b/web * yes");
}

#[test]
fn a_namespaced_policy_and_labels_of_its_namespace() {
    let lines = ["ingress ep:"];
    let world = two().cilium("a/p", "io.cilium.k8s.namespace.labels.team=y", &lines);
    expect(&world, "b/db > a/web * yes");
    let world = two().cilium("a/p", "io.cilium.k8s.namespace.labels.team=x", &lines);
    expect(&world, "b/db > a/web * no\n a/db > a/web * yes");
}

#[test]
fn a_cluster_wide_policy_is_about_every_pod_it_selects() {
    expect(&two().cilium("p", "app=web", &["ingress {}"]), "b/db > a/web * no\n a/db > b/web * no\n b/web > a/db * yes");
    let world = two().cilium("p", "k8s:io.kubernetes.pod.namespace=b", &["ingress {}"]);
    expect(&world, "a/web > b/db * no\n b/db > a/web * yes");
    let labelled = two().cilium("p", "k8s:io.cilium.k8s.namespace.labels.team=y", &["ingress {}"]);
    expect(&labelled, "a/web > b/db * no\n b/db > a/web * yes");
}

#[test]
fn a_node_selector_is_about_no_pod() {
    expect(&two().cilium("p", "nodes:", &["ingress {}", "egress {}"]), "b/db > a/web * yes\n a/web > b/db * yes");
}

#[test]
fn endpoints_are_limited_to_the_own_namespace_unless_another_is_named() {
    let world = two().cilium("a/p", "app=web", &["ingress ep:app=db"]);
    expect(&world, "a/db > a/web * yes\n b/db > a/web * no");
    let all = two().cilium("a/p", "app=web", &["ingress ep:"]);
    expect(&all, "a/db > a/web * yes\n b/db > a/web * no\n 8.8.8.8 > a/web * no");
    for key in ["k8s:io.kubernetes.pod.namespace", "any:io.kubernetes.pod.namespace", "io.kubernetes.pod.namespace"] {
        let named = two().cilium("a/p", "app=web", &[&format!("ingress ep:app=db,{key}=b")]);
        expect(&named, "b/db > a/web * yes\n a/db > a/web * no\n b/web > a/web * no");
    }
    let exists = two().cilium("a/p", "app=web", &["ingress ep:app=db,k8s:io.kubernetes.pod.namespace"]);
    expect(&exists, "b/db > a/web * yes\n a/db > a/web * yes\n b/web > a/web * no\n 8.8.8.8 > a/web * no");
}

#[test]
fn endpoints_of_a_cluster_wide_policy_are_all_managed_pods_but_not_the_world() {
    let world = two().cilium("p", "app=web", &["ingress ep:"]);
    expect(&world, "b/db > a/web * yes\n a/db > a/web * yes\n 8.8.8.8 > a/web * no");
    let world = two().cilium("p", "app=web", &["ingress ep:io.cilium.k8s.namespace.labels.team=y"]);
    expect(&world, "b/db > a/web * yes\n a/db > a/web * no");
}

#[test]
fn label_keys_may_carry_their_source() {
    for key in ["app", "any:app", "k8s:app"] {
        let world = two().cilium("a/p", &format!("{key}=web"), &[&format!("ingress ep:{key}=db")]);
        expect(&world, "a/db > a/web * yes\n b/db > a/web * no\n b/db > a/db * yes");
    }
    let other = two().cilium("a/p", "app=web", &["ingress ep:container:app=db"]);
    expect(&other, "a/db > a/web * no");
    let not_there = two().cilium("a/p", "app=web", &["ingress ep:!container:app"]);
    expect(&not_there, "a/db > a/web * yes");
}

#[test]
fn the_service_account_is_a_label() {
    let world = two().cilium("p", "app=web", &["ingress ep:io.cilium.k8s.policy.serviceaccount=robot"]);
    expect(&world, "b/db > a/web * yes\n a/db > a/web * no");
}

/// Nodes, a pod on the network of each, and the API server on the first.
fn nodes() -> World {
    let slice = partywall::model::service::EndpointSliceFact {
        meta: crate::build::meta("default/kubernetes"),
        service: Some("kubernetes".into()),
        ready: 1,
        all: 1,
        addresses: ["192.168.0.1".parse().unwrap()].into(),
    };
    let world = two().node("n1 ip=192.168.0.1").node("n2 ip=192.168.0.2").pod("a/here app=web ip=10.1.0.9 node=n1");
    let world = world.pod("b/h1 app=db ip=192.168.0.1 node=n1 host").pod("b/h2 app=db ip=192.168.0.2 node=n2 host");
    world.fact(partywall::model::changes::Fact::EndpointSlice(slice))
}

#[test]
fn entities() {
    let rows: [(&str, &[(&str, &str)]); 9] = [
        ("host", &[("b/h1", "yes"), ("192.168.0.1", "yes"), ("b/h2", "no"), ("192.168.0.2", "no"), ("b/web", "no"), ("8.8.8.8", "no")]),
        ("remote-node", &[("b/h1", "no"), ("b/h2", "yes"), ("192.168.0.2", "yes"), ("b/web", "no"), ("8.8.8.8", "no")]),
        ("cluster", &[("b/h1", "yes"), ("b/h2", "yes"), ("192.168.0.2", "yes"), ("b/web", "yes"), ("a/db", "yes"), ("8.8.8.8", "no")]),
        (
            "world",
            &[("b/h1", "no"), ("192.168.0.2", "no"), ("b/web", "no"), ("8.8.8.8", "yes"), ("2600::1", "yes"), ("169.254.169.254", "yes")],
        ),
        ("world-ipv4", &[("8.8.8.8", "yes"), ("2600::1", "no"), ("b/web", "no")]),
        ("world-ipv6", &[("8.8.8.8", "no"), ("2600::1", "yes"), ("b/web", "no")]),
        ("kube-apiserver", &[("192.168.0.1", "yes"), ("192.168.0.2", "no"), ("b/web", "no"), ("8.8.8.8", "no")]),
        ("none", &[("b/web", "no"), ("8.8.8.8", "no"), ("b/h2", "no")]),
        ("all", &[("b/web", "yes"), ("8.8.8.8", "yes"), ("b/h2", "yes"), ("b/h1", "yes"), ("192.168.0.2", "yes")]),
    ];
    for (entity, peers) in rows {
        let world = nodes().pod("a/six app=web ip=fd00::9 node=n1").cilium("a/p", "app=web", &[&format!("egress ent:{entity}")]);
        let line = |(peer, verdict): &(&str, &str)| {
            let from = if peer.matches(':').count() > 1 { "a/six" } else { "a/here" };
            format!("{from} > {peer} * {verdict}\n")
        };
        expect_in(&world, Cilium, &peers.iter().map(line).collect::<String>());
    }
}

#[test]
fn entities_come_in_as_they_go_out() {
    let world = nodes().cilium("a/p", "app=web", &["ingress ent:remote-node on TCP:80"]);
    expect_in(&world, Cilium, "b/h2 > a/here TCP:80 yes\n b/h2 > a/here TCP:81 no\n b/web > a/here * no\n 8.8.8.8 > a/here * no");
    let world = nodes().cilium("a/p", "app=web", &["ingress ent:world"]);
    expect_in(&world, Cilium, "8.8.8.8 > a/here * yes\n b/web > a/here * no\n b/h2 > a/here * no");
}

#[test]
fn an_entity_nobody_knows_is_not_known() {
    let world = nodes().cilium("a/p", "app=web", &["egress ent:moon"]);
    expect_in(&world, Cilium, "a/here > b/web * undefined\n a/here > 8.8.8.8 * undefined");
}

#[test]
fn the_own_node_is_let_in_unless_localhost_is_under_policy() {
    let world = nodes().cilium("a/p", "app=web", &["ingress {}"]);
    expect_in(&world, Cilium, "b/h1 > a/here * yes\n 192.168.0.1 > a/here * yes\n b/h2 > a/here * no");
    let policy = world.cilium_config(|config| config.allow_localhost = Some("policy".into()));
    expect_in(&policy, Cilium, "b/h1 > a/here * no\n 192.168.0.1 > a/here * no");
}

#[test]
fn ranges_match_neither_pods_nor_nodes() {
    let world = nodes().cilium("a/p", "app=web", &["egress cidr:0.0.0.0/0"]);
    for profile in [Cilium, Spec] {
        expect_in(&world, profile, "a/here > 8.8.8.8 * yes\n a/here > 10.2.0.1 * yes\n a/here > b/web * no\n a/here > b/h2 * no");
    }
    expect_in(&world, Cilium, "a/here > 192.168.0.1 * no\n a/here > 192.168.0.2 * no");
    let one = nodes().cilium("a/p", "app=web", &["egress cidr:10.1.0.3/32", "egress cidr:192.168.0.2/32"]);
    expect_in(&one, Cilium, "a/here > b/web * no\n a/here > b/h2 * no");
}

#[test]
fn exceptions_are_per_entry() {
    let world = two().cilium("a/p", "app=web", &["egress cidr:8.0.0.0/8!8.8.0.0/16 on TCP:80", "egress cidr:8.8.8.0/24 on UDP:53"]);
    expect(&world, "a/web > 8.1.1.1 TCP:80 yes\n a/web > 8.8.8.8 TCP:80 no\n a/web > 8.8.8.8 UDP:53 yes\n a/web > 8.8.9.9 * no");
}

#[test]
fn groups_of_ranges() {
    let world = two().cilium("a/p", "app=web", &["egress group:partners"]);
    expect(&world.clone(), "a/web > 8.8.8.8 * no");
    let known = world.clone().cidr_group("partners", &["8.8.0.0/16"], false);
    expect(&known, "a/web > 8.8.8.8 * yes\n a/web > 9.9.9.9 * no\n a/web > b/web * no");
    expect(&world.cidr_group("partners", &["8.8.0.0/16"], true), "a/web > 8.8.8.8 * yes\n a/web > 9.9.9.9 * undefined");
}

#[test]
fn the_match_mode_adds_nodes() {
    let world = nodes().cilium("a/p", "app=web", &["egress cidr:192.168.0.0/16"]);
    let world = world.cilium_config(|config| config.cidr_match_mode = Some("nodes".into()));
    expect_in(&world, Cilium, "a/here > 192.168.0.2 * yes\n a/here > b/h2 * yes\n a/here > b/web * no");
}

#[test]
fn an_ip_block_is_read_as_a_range_of_cilium_in_its_profile() {
    let block = json!([{"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}]);
    let world = nodes().np("a/np", &json!({"podSelector": {}, "policyTypes": ["Egress"], "egress": block}));
    expect_in(&world, Cilium, "a/here > 8.8.8.8 * yes\n a/here > b/web * no\n a/here > b/h2 * no\n a/here > 192.168.0.1 * no");
    expect_in(&world, Spec, "a/here > 8.8.8.8 * yes\n a/here > b/web * yes\n a/here > b/h2 * yes\n a/here > 192.168.0.1 * yes");
}

#[test]
fn services_are_their_selector_or_their_endpoints() {
    let world = two().service("b/sql", Some("app=db"), &["5432"]).cilium("a/p", "app=web", &["egress svc:b/sql"]);
    expect(&world, "a/web > b/db * yes\n a/web > b/web * no\n a/web > a/db * no\n a/web > 8.8.8.8 * no");
    let own = two().service("a/sql", Some("app=db"), &["5432"]).cilium("a/p", "app=web", &["egress svc:sql"]);
    expect(&own, "a/web > a/db * yes\n a/web > b/db * no");
    let elsewhere = two().service("b/sql", Some("app=db"), &["5432"]).cilium("a/p", "app=web", &["egress svc:sql"]);
    expect(&elsewhere, "a/web > b/db * yes\n a/web > a/db * no");
    let none = two().cilium("a/p", "app=web", &["egress svc:b/none"]);
    expect(&none, "a/web > b/db * no\n a/web > 8.8.8.8 * no");
    let by_hand = two().service("b/out", None, &["443"]).endpoints("b/out", &["9.9.9.9", "10.1.0.3"]);
    let by_hand = by_hand.cilium("a/p", "app=web", &["egress svc:b/out"]);
    expect(&by_hand, "a/web > 9.9.9.9 * yes\n a/web > 8.8.8.8 * no\n a/web > b/web * no");
}

#[test]
fn names_are_addresses_nobody_knows() {
    let world = nodes().cilium("a/p", "app=web", &["egress fqdn:example.com on TCP:443"]);
    expect_in(
        &world,
        Cilium,
        "a/here > 8.8.8.8 TCP:443 undefined\n a/here > 8.8.8.8 TCP:80 no\n a/here > b/web TCP:443 no\n a/here > b/h2 TCP:443 no",
    );
}

#[test]
fn ports_of_cilium() {
    let world = two().cilium("a/p", "app=web", &["ingress ep:app=db on ANY:80 TCP:90-91"]);
    expect(
        &world,
        "a/db > a/web TCP:80,90,91 yes\n a/db > a/web UDP:80 yes\n a/db > a/web SCTP:80 yes\n a/db > a/web UDP:90 no\n a/db > a/web TCP:92 no",
    );
    let all = two().cilium("a/p", "app=web", &["ingress ep:app=db on TCP"]);
    expect(&all, "a/db > a/web TCP:* yes\n a/db > a/web UDP:* no");
    let named = two().cilium("a/p", "app=web", &["egress ep:k8s:io.kubernetes.pod.namespace=b on TCP@sql"]);
    expect(&named, "a/web > b/db TCP:5432 yes\n a/web > b/db TCP:80 no\n a/web > b/web * no");
}

#[test]
fn a_filter_of_layer_seven_is_no_denial() {
    let world = two().cilium("a/p", "app=web", &["ingress ep:app=db on TCP:80 l7"]);
    expect(&world, "a/db > a/web TCP:80 yes\n a/db > a/web TCP:81 no");
}

#[test]
fn mutual_authentication_is_a_condition_and_no_denial() {
    expect(&two().cilium("a/p", "app=web", &["ingress ep:app=db auth"]), "a/db > a/web * yes");
}

#[test]
fn icmp_is_another_matter() {
    expect(&two().cilium("a/p", "app=web", &["ingress ep:app=db icmp"]), "a/db > a/web * no\n b/db > a/web * no");
    expect(&two().cilium("a/p", "app=web", &["ingress-deny ep:app=db icmp", "ingress ent:all"]), "a/db > a/web * yes");
}

#[test]
fn requirements_of_old_limit_the_peers() {
    let world = two().pod("a/good app=db role=r").cilium("a/p", "app=web", &["ingress ep:app=db", "ingress requires:role=r"]);
    expect(&world, "a/good > a/web * yes\n a/db > a/web * no\n b/db > a/web * no");
}

#[test]
fn what_cannot_be_read_is_not_known() {
    let world = two().cilium("a/p", "app=web", &["ingress ?"]);
    expect(&world, "a/db > a/web * undefined\n 8.8.8.8 > a/web * undefined\n a/web > a/db * yes");
    let deny = two().cilium("a/p", "app=web", &["ingress ep:app=db", "ingress-deny ? on TCP:80"]);
    expect(&deny, "a/db > a/web TCP:80 undefined\n a/db > a/web TCP:81 yes\n b/db > a/web TCP:80 no");
    let range = two().cilium("a/p", "app=web", &["egress cidr?"]);
    expect(&range, "a/web > 8.8.8.8 * undefined\n a/web > b/db * no");
    let subject = two().cilium("a/p", "?", &["ingress {}"]);
    expect(&subject, "b/db > a/web * undefined\n a/web > b/db * yes");
    let anybody = two().cilium("p", "?", &["ingress {}"]);
    expect(&anybody, "b/db > a/web * undefined\n a/web > b/db * undefined");
    let operator = two().cilium("a/p", "app=web", &["ingress ep:app?near"]);
    expect(&operator, "a/db > a/web * undefined\n b/db > a/web * no");
}
