//! The cluster-wide tiers: section 2.2, line by line.

use partywall::netpol::profile::Profile::{Cilium, NpGuard, Spec};
use serde_json::{Value, json};

use crate::build::World;
use crate::check::{expect, expect_in};

fn three() -> World {
    let world = World::new().ns("a team=x").ns("b team=y").ns("c team=y");
    world.pod("a/web app=web ip=10.1.0.1").pod("b/web app=web ip=10.1.0.2").pod("b/db app=db ip=10.1.0.3").pod("c/web app=web ip=10.1.0.4")
}

/// A NetworkPolicy for all pods of `a`, egress.
fn np(rules: &Value) -> Value {
    json!({"podSelector": {}, "policyTypes": ["Egress"], "egress": rules})
}

#[test]
fn the_first_matching_rule_decides() {
    let world = three().tier("ANP p 5", "ns:team=x", &["egress allow pods:team=y|app=web on TCP:80", "egress deny ns:team=y"]);
    expect(&world, "a/web > b/web TCP:80 yes\n a/web > b/web TCP:81 no\n a/web > b/db * no\n a/web > 8.8.8.8 * yes\n b/db > a/web * yes");
    let other = three().tier("ANP p 5", "ns:team=x", &["egress deny ns:team=y", "egress allow pods:team=y|app=web on TCP:80"]);
    expect(&other, "a/web > b/web * no");
}

#[test]
fn a_lower_number_comes_first() {
    for (one, other, verdict) in [(1, 2, "no"), (2, 1, "yes")] {
        let world = three().tier(&format!("ANP z {one}"), "ns:team=x", &["egress deny ns:team=y"]).tier(
            &format!("ANP a {other}"),
            "ns:team=x",
            &["egress allow ns:team=y"],
        );
        expect(&world, &format!("a/web > b/web * {verdict}"));
    }
}

#[test]
fn equal_priorities_are_ordered_by_name() {
    let deny = ["egress deny ns:team=y"];
    let allow = ["egress allow ns:team=y"];
    expect(&three().tier("ANP a 5", "ns:", &deny).tier("ANP b 5", "ns:", &allow), "a/web > b/web * no");
    expect(&three().tier("ANP b 5", "ns:", &deny).tier("ANP a 5", "ns:", &allow), "a/web > b/web * yes");
    let world = three().tier("CNP admin 5 a", "ns:", &allow).tier("CNP admin 5 b", "ns:", &deny);
    expect(&world, "a/web > b/web * yes");
}

#[test]
fn admin_allow_stops_before_network_policies() {
    let world = three().tier("ANP p 5", "ns:team=x", &["egress allow ns:team=y on TCP:80"]).np("a/shut", &np(&json!([])));
    expect(&world, "a/web > b/web TCP:80 yes\n a/web > b/web TCP:81 no\n a/web > 8.8.8.8 * no");
}

#[test]
fn admin_deny_stops_before_network_policies() {
    let world = three().tier("ANP p 5", "ns:team=x", &["egress deny ns:team=y on TCP:80"]).np("a/open", &np(&json!([{}])));
    expect(&world, "a/web > b/web TCP:80 no\n a/web > b/web TCP:81 yes");
}

#[test]
fn pass_goes_to_the_network_policies_past_later_rules() {
    let world = three().tier("ANP p 5", "ns:team=x", &["egress pass pods:team=y|app=web", "egress deny ns:team=y"]);
    let world = world.tier("ANP q 6", "ns:team=x", &["egress deny ns:team=y"]);
    expect(&world.clone(), "a/web > b/web * yes\n a/web > b/db * no");
    let shut = world.clone().np("a/shut", &np(&json!([])));
    expect(&shut, "a/web > b/web * no");
    let baseline = world.tier("BANP default", "ns:team=x", &["egress deny ns:team=y"]);
    expect(&baseline, "a/web > b/web * no");
}

#[test]
fn the_baseline_is_asked_only_where_no_network_policy_isolates() {
    let baseline = || three().tier("BANP default", "ns:", &["egress deny ns:", "ingress deny ns:team=x"]);
    expect(&baseline(), "a/web > b/web * no\n b/web > c/web * no\n b/web > 8.8.8.8 * yes");
    let opened = baseline().np("a/open", &np(&json!([{"to": [{"namespaceSelector": {}}], "ports": [{"port": 80}]}])));
    expect(&opened, "a/web > b/web TCP:80 no\n b/web > a/web * no");
    let both = opened.np("b/open", &json!({"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{}]}));
    expect(&both, "a/web > b/web TCP:80 yes\n a/web > b/web TCP:81 no");
}

#[test]
fn the_baseline_allows_what_it_does_not_deny() {
    let world = three().tier("BANP default", "ns:team=x", &["egress allow pods:|app=web", "egress deny ns:team=y"]);
    expect(&world, "a/web > b/web * yes\n a/web > b/db * no\n a/web > 8.8.8.8 * yes");
}

#[test]
fn accept_on_one_end_does_not_override_the_other() {
    let world = three().tier("ANP p 5", "ns:team=x", &["egress allow ns:team=y"]);
    expect(&world.clone().np("b/shut", &json!({"podSelector": {}})), "a/web > b/web * no");
    expect(&world.tier("ANP q 1", "ns:team=y", &["ingress deny ns:team=x"]), "a/web > b/web * no\n a/web > c/web * no");
}

#[test]
fn there_is_no_implicit_isolation() {
    let world = three().tier("ANP p 5", "ns:team=x", &["egress allow ns:team=nobody", "ingress deny ns:team=nobody"]);
    expect(&world, "a/web > b/web * yes\n b/web > a/web * yes\n a/web > 8.8.8.8 * yes\n 8.8.8.8 > a/web * yes");
    expect(&three().tier("ANP p 5", "ns:team=x", &[]), "a/web > b/web * yes\n b/web > a/web * yes");
}

#[test]
fn cluster_network_policies_have_two_tiers_and_pass_in_both() {
    let world = three()
        .tier("CNP admin 5 p", "ns:team=x", &["egress pass pods:team=y|app=web", "egress deny ns:team=y"])
        .tier("CNP baseline 1 early", "ns:team=x", &["egress pass pods:kubernetes.io/metadata.name=b|app=web"])
        .tier("CNP baseline 2 late", "ns:team=x", &["egress deny ns:"]);
    expect(&world, "a/web > b/web * yes\n a/web > c/web * no\n a/web > b/db * no");
    let world = world.np("a/open", &np(&json!([{}])));
    expect(&world, "a/web > b/web * yes\n a/web > c/web * yes\n a/web > b/db * no");
}

#[test]
fn a_subject_of_namespaces_or_of_pods() {
    let deny = ["egress deny ns:"];
    expect(&three().tier("ANP p 5", "ns:team=y", &deny), "a/web > b/web * yes\n b/web > a/web * no\n c/web > a/web * no");
    expect(&three().tier("ANP p 5", "ns:", &deny), "a/web > b/web * no\n b/web > a/web * no");
    let pods = three().tier("ANP p 5", "pods:team=y|app=web", &deny);
    expect(&pods, "b/web > a/web * no\n b/db > a/web * yes\n c/web > a/web * no\n a/web > b/web * yes");
    let any = three().tier("ANP p 5", "pods:|app=web", &deny);
    expect(&any, "a/web > b/web * no\n b/db > a/web * yes");
    let all = three().tier("ANP p 5", "pods:|", &deny);
    expect(&all, "a/web > b/web * no\n b/db > a/web * no");
}

/// A pod on the network of the node `n1`, and one that is not.
fn with_host() -> World {
    let world = World::new().ns("a team=x").ns("b team=y").node("n1 ip=192.168.0.1 rack=r1").node("n2 ip=192.168.0.2 rack=r2");
    world
        .pod("a/web app=web ip=10.1.0.1 node=n2")
        .pod("b/host app=web ip=192.168.0.1 node=n1 host")
        .pod("b/web app=web ip=10.1.0.2 node=n2")
}

#[test]
fn host_network_pods_are_never_subject_nor_matched_by_selectors() {
    let world = with_host().tier("ANP p 5", "ns:", &["egress deny ns:", "egress deny pods:|", "ingress deny ns:", "ingress deny pods:|"]);
    for profile in [Spec, Cilium] {
        expect_in(&world, profile, "a/web > b/web * no\n a/web > b/host * yes\n b/host > a/web * yes\n b/host > 8.8.8.8 * yes");
    }
    expect_in(&world, NpGuard, "a/web > b/host * no\n b/host > a/web * no");
}

#[test]
fn nodes_are_matched_by_their_labels() {
    let world = with_host().tier("ANP p 5", "ns:", &["egress deny nodes:rack=r1"]);
    for profile in [Spec, Cilium] {
        expect_in(
            &world,
            profile,
            "a/web > 192.168.0.1 * no\n a/web > 192.168.0.2 * yes\n a/web > b/host * no\n a/web > 192.168.0.9 * yes",
        );
        expect_in(&world, profile, "a/web > b/web * yes\n b/host > 192.168.0.1 * yes");
    }
}

#[test]
fn networks_match_pods_of_the_cluster_too() {
    let world = three().pod("a/dual ip=10.1.0.9 ip=fd00:1::9").tier("ANP p 5", "ns:team=x", &["egress deny net:0.0.0.0/0"]);
    expect_in(&world, Spec, "a/web > b/web * no\n a/web > 8.8.8.8 * no\n a/dual > 8.8.8.8 * no\n a/dual > 2600::1 * yes");
    for profile in [Cilium, NpGuard] {
        expect_in(&world, profile, "a/web > b/web * yes\n a/web > 8.8.8.8 * no");
    }
    let passed = three().pod("a/dual ip=10.1.0.9 ip=fd00:1::9");
    let passed = passed.tier("ANP p 5", "ns:team=x", &["egress pass ns:", "egress deny net:0.0.0.0/0,::/0"]);
    expect(&passed, "a/web > b/web * yes\n a/web > 8.8.8.8 * no");
    expect_in(&passed, Spec, "a/dual > 2600::1 * no");
}

#[test]
fn one_network_of_one_pod() {
    let world = three().tier("ANP p 5", "ns:team=x", &["egress deny net:10.1.0.2/32 on TCP:80"]);
    expect_in(&world, Spec, "a/web > b/web TCP:80 no\n a/web > b/web TCP:81 yes\n a/web > b/db * yes");
}

#[test]
fn outside_traffic_never_matches_ingress_rules() {
    let world =
        three().tier("ANP p 5", "ns:", &["ingress deny ns:", "ingress deny pods:|"]).tier("BANP default", "ns:", &["ingress deny ns:"]);
    expect(&world, "8.8.8.8 > a/web * yes\n b/web > a/web * no");
}

#[test]
fn names_are_not_known_here_and_are_no_pods() {
    let world = three().tier("ANP p 5", "ns:team=x", &["egress allow dns:*.example.com on TCP:443", "egress deny net:0.0.0.0/0"]);
    expect_in(&world, Spec, "a/web > 8.8.8.8 TCP:443 undefined\n a/web > 8.8.8.8 TCP:80 no\n a/web > b/web TCP:443 no");
    let open = three().tier("ANP p 5", "ns:team=x", &["egress allow dns:*.example.com"]);
    expect(&open, "a/web > 8.8.8.8 * yes\n a/web > b/web * yes");
}

#[test]
fn ports_missing_mean_all_of_them() {
    let world = three().tier("ANP p 5", "ns:team=x", &["egress deny ns:team=y"]);
    expect(&world, "a/web > b/web * no");
    let world = three().tier("ANP p 5", "ns:team=x", &["egress deny ns:team=y on TCP:80 UDP:53-60 SCTP"]);
    let lines = "a/web > b/web TCP:80 no\n a/web > b/web TCP:53 yes\n a/web > b/web UDP:53,60 no\n a/web > b/web UDP:52,61 yes\n a/web > b/web SCTP:* no";
    expect(&world, lines);
}

#[test]
fn a_named_port_takes_its_protocol_from_the_pod() {
    let world = World::new().ns("a").ns("b").pod("a/x").pod("b/t port=dns:53/TCP").pod("b/u port=dns:53/UDP").pod("b/n port=other:53");
    let world = world.tier("ANP p 5", "ns:kubernetes.io/metadata.name=a", &["egress deny ns: on @dns"]);
    expect(
        &world,
        "a/x > b/t TCP:53 no\n a/x > b/t UDP:53 yes\n a/x > b/u UDP:53 no\n a/x > b/u TCP:53 yes\n a/x > b/n TCP:53 yes\n a/x > 8.8.8.8 TCP:53 yes",
    );
}

#[test]
fn an_unknown_peer_fails_closed() {
    let rule = |action: &str| three().tier("CNP admin 5 p", "ns:team=x", &[&format!("egress {action} ?")]);
    expect(&rule("allow").np("a/shut", &np(&json!([]))), "a/web > b/web * no\n a/web > 8.8.8.8 * no");
    expect(&rule("allow"), "a/web > b/web * yes\n a/web > 8.8.8.8 * yes");
    for action in ["deny", "pass"] {
        expect(&rule(action), "a/web > b/web * no\n a/web > 8.8.8.8 * no\n b/web > a/web * yes");
        let earlier = rule(action).tier("CNP admin 4 q", "ns:team=x", &["egress allow ns:team=y on TCP:80"]);
        expect(&earlier, "a/web > b/web TCP:80 yes\n a/web > b/web TCP:81 no");
        let ingress = three().tier("CNP admin 5 p", "ns:team=x", &[&format!("ingress {action} ?")]);
        expect(&ingress, "b/web > a/web * no\n 8.8.8.8 > a/web * no\n a/web > b/web * yes");
    }
}

#[test]
fn an_unknown_subject_may_be_anybody() {
    let world = three().tier("CNP admin 5 p", "?", &["egress deny ns:team=y"]);
    expect(&world, "a/web > b/web * undefined\n a/web > 8.8.8.8 * yes");
}

#[test]
fn an_unknown_action_may_be_any() {
    let world = three().tier("CNP admin 5 p", "ns:team=x", &["egress ponder ns:team=y on TCP:80"]);
    expect(&world.clone(), "a/web > b/web TCP:80 undefined\n a/web > b/web TCP:81 yes");
    expect(&world.np("a/shut", &np(&json!([]))), "a/web > b/web TCP:80 undefined\n a/web > b/web TCP:81 no");
}

#[test]
fn an_unknown_tier_makes_its_subjects_unknown() {
    let world = three().tier("CNP sideways 5 p", "ns:team=x", &["egress deny ns:", "egress deny net:0.0.0.0/0,::/0"]);
    expect(&world, "a/web > b/web * undefined\n b/web > c/web * yes");
}

#[test]
fn an_unknown_operator_counts_only_where_it_decides() {
    let world = three().tier("ANP p 5", "ns:team?near", &["egress deny ns:team=y"]);
    expect(&world.clone(), "a/web > b/web * undefined\n b/web > a/web * yes");
    expect(
        &world.tier("ANP q 4", "ns:team=x", &["egress allow ns:team=y on TCP:80"]),
        "a/web > b/web TCP:80 yes\n a/web > b/web TCP:81 undefined",
    );
    let peer = three().tier("ANP p 5", "ns:team=x", &["egress deny ns:team?near", "egress deny ns:team=y"]);
    expect(&peer, "a/web > b/web * no\n a/web > 8.8.8.8 * yes");
    let allow_or_allow = three().tier("ANP p 5", "ns:team=x", &["egress allow ns:team?near"]);
    expect(&allow_or_allow, "a/web > b/web * yes");
}

#[test]
fn a_pod_to_its_own_address_is_not_subject() {
    let world = three().tier("CNP admin 5 p", "ns:", &["egress deny ns:", "ingress deny ns:"]);
    expect(&world, "a/web > a/web * yes\n a/web > b/web * no");
}
