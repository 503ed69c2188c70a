//! Where sources disagree: section 2.3, each row in each profile, and engines that are seen but not evaluated.

use partywall::model::kind::Kind;
use partywall::netpol::profile::Profile::{self, Cilium, NpGuard, Spec};
use serde_json::{Value, json};

use crate::build::World;
use crate::check::{expect, expect_in};

/// Profile by profile: what becomes of one line.
#[track_caller]
fn row(world: &World, line: &str, verdicts: [(Profile, &str); 3]) {
    for (profile, verdict) in verdicts {
        expect_in(world, profile, &format!("{line} {verdict}"));
    }
}

fn two() -> World {
    let world = World::new().ns("a team=x").ns("b team=y").node("n1 ip=192.168.0.1").node("n2 ip=192.168.0.2");
    world.pod("a/x app=x ip=10.1.0.1 node=n1").pod("b/y app=y ip=10.1.0.2 node=n2")
}

fn egress(rules: &Value) -> Value {
    json!({"podSelector": {}, "policyTypes": ["Egress"], "egress": rules})
}

#[test]
fn ip_blocks_and_pods() {
    let world = two().np("a/p", &egress(&json!([{"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}])));
    row(&world, "a/x > b/y *", [(Spec, "yes"), (NpGuard, "no"), (Cilium, "no")]);
    let config = world.cilium_config(|config| config.cidr_match_mode = Some("nodes,pods".into()));
    row(&config, "a/x > b/y *", [(Spec, "yes"), (NpGuard, "no"), (Cilium, "yes")]);
}

#[test]
fn networks_of_the_tiers_and_pods() {
    let world = two().tier("ANP p 5", "ns:team=x", &["egress deny net:10.0.0.0/8"]);
    row(&world, "a/x > b/y *", [(Spec, "no"), (NpGuard, "yes"), (Cilium, "yes")]);
}

#[test]
fn host_network_pods_as_subject() {
    let world = two().pod("a/host ip=192.168.0.1 node=n1 host").np("a/p", &egress(&json!([])));
    row(&world, "a/host > b/y *", [(Spec, "yes"), (NpGuard, "no"), (Cilium, "yes")]);
    let ingress = two().pod("a/host ip=192.168.0.1 node=n1 host").np("a/p", &json!({"podSelector": {}}));
    row(&ingress, "b/y > a/host *", [(Spec, "yes"), (NpGuard, "no"), (Cilium, "yes")]);
}

#[test]
fn host_network_pods_as_peer() {
    let world = two().pod("b/host app=y ip=192.168.0.2 node=n2 host").np("a/p", &egress(&json!([{"to": [{"namespaceSelector": {}}]}])));
    row(&world, "a/x > b/host *", [(Spec, "no"), (NpGuard, "yes"), (Cilium, "no")]);
    let block =
        two().pod("b/host ip=192.168.0.2 node=n2 host").np("a/p", &egress(&json!([{"to": [{"ipBlock": {"cidr": "192.168.0.0/16"}}]}])));
    row(&block, "a/x > b/host *", [(Spec, "yes"), (NpGuard, "no"), (Cilium, "no")]);
    let entity = two().pod("b/host ip=192.168.0.2 node=n2 host").cilium("a/p", "", &["egress ent:remote-node"]);
    expect_in(&entity, Cilium, "a/x > b/host * yes\n a/x > b/y * no");
}

#[test]
fn a_host_network_pod_without_an_address_has_its_node_s() {
    let world = two().pod("b/host node=n2 host").np("a/p", &egress(&json!([{"to": [{"ipBlock": {"cidr": "192.168.0.2/32"}}]}])));
    expect_in(&world, Spec, "a/x > b/host * yes");
}

#[test]
fn finished_pods() {
    let world = two().pod("b/done done");
    row(&world, "a/x > b/done *", [(Spec, "gone"), (NpGuard, "yes"), (Cilium, "gone")]);
}

#[test]
fn a_node_and_its_own_pods() {
    let world = two().np("a/p", &json!({"podSelector": {}}));
    for profile in [Spec, Cilium] {
        expect_in(&world, profile, "192.168.0.1 > a/x * yes\n 192.168.0.2 > a/x * no");
    }
    let localhost = world.cilium_config(|config| config.allow_localhost = Some("policy".into()));
    expect_in(&localhost, Cilium, "192.168.0.1 > a/x * no");
    expect_in(&localhost, Spec, "192.168.0.1 > a/x * yes");
}

#[test]
fn ipv6() {
    let world = two().pod("a/dual ip=10.1.0.8 ip=fd00:1::8").np("a/p", &egress(&json!([{"to": [{"ipBlock": {"cidr": "::/0"}}]}])));
    for profile in [Spec, Cilium] {
        expect_in(&world, profile, "a/dual > 2600::1 * yes\n a/dual > 8.8.8.8 * no");
    }
    // read away, the rule lets nothing through
    expect_in(&world, NpGuard, "a/dual > 8.8.8.8 * no");
}

#[test]
fn launchers_of_virtual_machines_are_skipped_by_np_guard() {
    let world = two().pod("b/virt-launcher-vm app=y");
    expect_in(&world, NpGuard, "a/x > b/virt-launcher-vm * gone\n a/x > b/y * yes");
    expect_in(&world, Spec, "a/x > b/virt-launcher-vm * yes");
}

#[test]
fn cilium_may_be_told_to_ignore_network_policies() {
    let world = two().np("a/p", &egress(&json!([]))).cilium_config(|config| config.k8s_network_policy = Some(false));
    expect_in(&world, Cilium, "a/x > b/y * yes");
    expect_in(&world, Spec, "a/x > b/y * no");
}

#[test]
fn engines_that_may_allow_make_everything_unknown() {
    for kind in [Kind::CalicoNetworkPolicy, Kind::AntreaNetworkPolicy] {
        let world = two().ns("c").pod("c/z").np("b/p", &json!({"podSelector": {}})).foreign(kind, "b/theirs");
        // neither what is open nor what is closed is sure, but only for those in reach
        expect(&world, "a/x > b/y * undefined\n b/y > a/x * undefined\n a/x > c/z * yes\n b/y > 8.8.8.8 * undefined");
    }
    for kind in [Kind::CalicoGlobalNetworkPolicy, Kind::AntreaClusterNetworkPolicy] {
        let world = two().np("b/p", &json!({"podSelector": {}})).foreign(kind, "theirs");
        expect(&world, "a/x > b/y * undefined\n b/y > a/x * undefined\n a/x > 8.8.8.8 * undefined");
    }
}

#[test]
fn engines_that_only_refuse_leave_the_closed_closed() {
    let world =
        two().np("a/p", &egress(&json!([{"to": [{"ipBlock": {"cidr": "8.8.8.0/24"}}]}]))).foreign(Kind::EgressFirewall, "a/default");
    expect(&world, "a/x > 8.8.8.8 * undefined\n a/x > 9.9.9.9 * no\n 8.8.8.8 > a/x * yes\n b/y > 8.8.8.8 * yes");
    let istio =
        two().np("b/p", &json!({"podSelector": {}, "ingress": [{"ports": [{"port": 80}]}]})).foreign(Kind::AuthorizationPolicy, "b/mesh");
    expect(&istio, "a/x > b/y TCP:80 undefined\n a/x > b/y TCP:81 no\n b/y > a/x * yes");
}
