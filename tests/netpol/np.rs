//! NetworkPolicy v1: every row of section 2.1.

use partywall::netpol::profile::Profile::{Cilium, NpGuard, Spec};
use serde_json::{Value, json};

use crate::build::World;
use crate::check::{expect, expect_in};

/// Two namespaces with two pods each.
fn two() -> World {
    World::new().ns("a team=x").ns("b team=y").pod("a/web app=web").pod("a/db app=db tier=back").pod("b/web app=web").pod("b/db app=db")
}

/// The rule that is looked at, in a policy for ingress of `a/web`.
fn ingress(rules: &Value) -> World {
    two().np("a/p", &json!({"podSelector": {"matchLabels": {"app": "web"}}, "policyTypes": ["Ingress"], "ingress": rules}))
}

fn egress(rules: &Value) -> World {
    two().np("a/p", &json!({"podSelector": {"matchLabels": {"app": "web"}}, "policyTypes": ["Egress"], "egress": rules}))
}

#[test]
fn without_policies_everything_is_open() {
    expect(&two(), "a/web > b/db * yes\n b/db > a/web * yes\n a/web > 8.8.8.8 * yes\n 8.8.8.8 > a/web * yes");
}

#[test]
fn scope_is_the_own_namespace() {
    let world = two().np("a/p", &json!({"podSelector": {"matchLabels": {"app": "web"}}, "policyTypes": ["Ingress"]}));
    expect(&world, "b/db > a/web * no\n b/db > a/db * yes\n a/web > b/web * yes\n a/db > b/web * yes");
}

#[test]
fn an_empty_pod_selector_selects_the_whole_namespace() {
    expect(&two().np("a/p", &json!({"podSelector": {}})), "b/db > a/web * no\n b/db > a/db * no\n a/web > b/db * yes");
}

#[test]
fn a_missing_pod_selector_selects_the_whole_namespace() {
    expect(&two().np("a/p", &json!({"policyTypes": ["Ingress"]})), "b/db > a/web * no\n b/db > a/db * no\n a/web > b/db * yes");
}

#[test]
fn isolation_is_per_direction() {
    expect(&egress(&json!([])), "a/web > b/db * no\n b/db > a/web * yes\n a/web > 8.8.8.8 * no\n 8.8.8.8 > a/web * yes");
    expect(&ingress(&json!([])), "a/web > b/db * yes\n b/db > a/web * no\n a/web > 8.8.8.8 * yes\n 8.8.8.8 > a/web * no");
}

#[test]
fn what_is_allowed_is_the_union_of_all_policies() {
    let from = |app: &str| json!({"podSelector": {}, "ingress": [{"from": [{"podSelector": {"matchLabels": {"app": app}}}]}]});
    let world = two().pod("a/other app=other").np("a/p", &from("web")).np("a/q", &from("db"));
    expect(&world, "a/web > a/db * yes\n a/db > a/web * yes\n a/other > a/web * no\n b/web > a/web * no");
}

#[test]
fn a_policy_does_not_allow_in_a_direction_it_does_not_name() {
    let world = two()
        .np("a/deny", &json!({"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}))
        .np("a/p", &json!({"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{}], "egress": [{}]}));
    expect(&world, "b/web > a/web * yes\n a/web > b/web * no");
}

#[test]
fn both_ends_must_allow() {
    let open =
        |direction: &str| json!({"podSelector": {}, "policyTypes": [direction], direction.to_lowercase(): [{"ports": [{"port": 80}]}]});
    let shut = json!({"podSelector": {}, "policyTypes": ["Ingress", "Egress"]});
    expect(&two().np("a/p", &open("Egress")).np("b/p", &shut), "a/web > b/web * no");
    expect(&two().np("a/p", &shut).np("b/p", &open("Ingress")), "a/web > b/web * no");
    let world = two().np("a/p", &open("Egress")).np("b/p", &open("Ingress"));
    expect(&world, "a/web > b/web TCP:80 yes\n a/web > b/web TCP:81 no\n a/web > b/web UDP:80 no");
}

#[test]
fn policy_types_missing_means_ingress_and_egress_only_with_an_egress_rule() {
    for types in [json!(null), json!([])] {
        let spec = |extra: Value| {
            let mut spec = json!({"podSelector": {}, "policyTypes": types});
            spec.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
            two().np("a/p", &spec)
        };
        expect(&spec(json!({})), "b/web > a/web * no\n a/web > b/web * yes");
        expect(&spec(json!({"egress": []})), "b/web > a/web * no\n a/web > b/web * yes");
        expect(&spec(json!({"egress": [{}]})), "b/web > a/web * no\n a/web > b/web * yes");
        let to_none = json!({"egress": [{"to": [{"podSelector": {"matchLabels": {"app": "nobody"}}}]}]});
        expect(&spec(to_none), "b/web > a/web * no\n a/web > b/web * no");
        expect(&spec(json!({"ingress": [{}]})), "b/web > a/web * yes\n a/web > b/web * yes");
    }
}

#[test]
fn a_rule_without_anything_allows_everything() {
    expect(&ingress(&json!([{}])), "b/web > a/web * yes\n 8.8.8.8 > a/web * yes");
    expect(&egress(&json!([{}])), "a/web > b/web * yes\n a/web > 8.8.8.8 * yes");
}

#[test]
fn peers_missing_or_empty_mean_any_peer() {
    for rule in [json!({"ports": [{"port": 80}]}), json!({"from": [], "ports": [{"port": 80}]})] {
        expect(&ingress(&json!([rule])), "b/web > a/web TCP:80 yes\n 8.8.8.8 > a/web TCP:80 yes\n b/web > a/web TCP:81 no");
    }
    expect(&egress(&json!([{"to": [], "ports": [{"port": 80}]}])), "a/web > 8.8.8.8 TCP:80 yes\n a/web > b/web TCP:81 no");
}

#[test]
fn ports_missing_or_empty_mean_any_port() {
    let from = json!([{"podSelector": {}}]);
    for rule in [json!({"from": from}), json!({"from": from, "ports": []})] {
        expect(&ingress(&json!([rule])), "a/db > a/web * yes\n b/web > a/web * no");
    }
}

#[test]
fn peers_and_ports_of_a_rule_are_anded_and_rules_ored() {
    let rules = json!([
        {"from": [{"podSelector": {"matchLabels": {"app": "db"}}}], "ports": [{"port": 80}, {"protocol": "UDP", "port": 53}]},
        {"from": [{"namespaceSelector": {"matchLabels": {"team": "y"}}}, {"podSelector": {}}], "ports": [{"port": 81}]},
    ]);
    expect(
        &ingress(&rules),
        "a/db > a/web TCP:80,81 yes\n a/db > a/web UDP:53 yes\n a/db > a/web TCP:53 no\n b/db > a/web TCP:81 yes\n b/db > a/web TCP:80 no",
    );
}

#[test]
fn a_pod_selector_alone_is_about_the_own_namespace() {
    let world = ingress(&json!([{"from": [{"podSelector": {"matchLabels": {"app": "db"}}}]}]));
    expect(&world, "a/db > a/web * yes\n b/db > a/web * no\n 8.8.8.8 > a/web * no");
}

#[test]
fn a_namespace_selector_alone_is_about_all_pods_there() {
    let world = ingress(&json!([{"from": [{"namespaceSelector": {"matchLabels": {"team": "y"}}}]}]));
    expect(&world, "b/db > a/web * yes\n b/web > a/web * yes\n a/db > a/web * no");
}

#[test]
fn both_selectors_in_one_item_are_anded_in_two_items_ored() {
    let (team, app) = (json!({"matchLabels": {"team": "y"}}), json!({"matchLabels": {"app": "db"}}));
    let one = ingress(&json!([{"from": [{"namespaceSelector": team, "podSelector": app}]}]));
    expect(&one, "b/db > a/web * yes\n b/web > a/web * no\n a/db > a/web * no");
    let two = ingress(&json!([{"from": [{"namespaceSelector": team}, {"podSelector": app}]}]));
    expect(&two, "b/db > a/web * yes\n b/web > a/web * yes\n a/db > a/web * yes");
}

#[test]
fn an_empty_selector_is_everybody_and_a_missing_one_is_not() {
    let everybody = ingress(&json!([{"from": [{"namespaceSelector": {}}]}]));
    expect(&everybody, "a/db > a/web * yes\n b/db > a/web * yes\n 8.8.8.8 > a/web * no");
    let own = ingress(&json!([{"from": [{"podSelector": {}}]}]));
    expect(&own, "a/db > a/web * yes\n b/db > a/web * no");
    let null = ingress(&json!([{"from": [{"podSelector": {}, "namespaceSelector": null}]}]));
    expect(&null, "a/db > a/web * yes\n b/db > a/web * no");
    let both = ingress(&json!([{"from": [{"podSelector": {}, "namespaceSelector": {}}]}]));
    expect(&both, "a/db > a/web * yes\n b/db > a/web * yes");
}

#[test]
fn a_peer_with_nothing_set_or_too_much_set_is_not_known() {
    let odd = [json!({}), json!({"ipBlock": {"cidr": "10.0.0.0/8"}, "podSelector": {}}), json!({"ipBlock": {"cidr": "no"}})];
    for peer in odd {
        let world = ingress(&json!([{"from": [peer], "ports": [{"port": 80}]}]));
        expect(&world, "a/db > a/web TCP:80 undefined\n b/db > a/web TCP:80 undefined\n b/db > a/web TCP:81 no\n b/db > a/db * yes");
    }
}

#[test]
fn a_readable_rule_beside_an_unreadable_one_is_sure() {
    let world = ingress(&json!([{"from": [{}]}, {"from": [{"podSelector": {}}]}]));
    expect(&world, "a/db > a/web * yes\n b/db > a/web * undefined");
}

/// One expression on the pods that a policy isolates: which of the pods `none`, `v`, `w`, `empty` (no label k, k=v, k=w, k="") are isolated.
#[track_caller]
fn isolates(selector: &Value, isolated: &[&str]) {
    let world = World::new().ns("a").ns("b").pod("b/x").pod("a/none").pod("a/v k=v").pod("a/w k=w").pod("a/empty k=");
    let world = world.np("a/p", &json!({"podSelector": selector}));
    let line = |pod: &&str| format!("b/x > a/{pod} * {}\n", if isolated.contains(pod) { "no" } else { "yes" });
    expect(&world, &["none", "v", "w", "empty"].iter().map(line).collect::<String>());
}

fn expression(operator: &str, values: &Value) -> Value {
    json!({"matchExpressions": [{"key": "k", "operator": operator, "values": values}]})
}

#[test]
fn label_operators_read_as_apimachinery_reads_them() {
    isolates(&expression("In", &json!(["v", "x"])), &["v"]);
    isolates(&expression("In", &json!([""])), &["empty"]);
    isolates(&expression("NotIn", &json!(["v"])), &["none", "w", "empty"]);
    isolates(&expression("NotIn", &json!([""])), &["none", "v", "w"]);
    isolates(&expression("Exists", &json!(null)), &["v", "w", "empty"]);
    isolates(&expression("DoesNotExist", &json!([])), &["none"]);
    isolates(&json!({"matchLabels": {"k": "v"}}), &["v"]);
    isolates(&json!({"matchLabels": {"k": ""}}), &["empty"]);
    isolates(&json!({"matchLabels": {}, "matchExpressions": []}), &["none", "v", "w", "empty"]);
}

#[test]
fn labels_and_expressions_are_anded() {
    isolates(&json!({"matchLabels": {"k": "v"}, "matchExpressions": [{"key": "k", "operator": "NotIn", "values": ["w"]}]}), &["v"]);
    isolates(&json!({"matchLabels": {"k": "v"}, "matchExpressions": [{"key": "k", "operator": "DoesNotExist"}]}), &[]);
    isolates(
        &json!({"matchExpressions": [{"key": "k", "operator": "Exists"}, {"key": "k", "operator": "NotIn", "values": ["v", ""]}]}),
        &["w"],
    );
}

#[test]
fn an_unknown_operator_is_not_known_and_a_mismatch_beside_it_wins() {
    let world = two().np("a/p", &json!({"podSelector": expression("Near", &json!(["v"]))}));
    expect(&world, "b/web > a/web * undefined\n a/web > b/web * yes");
    let mut selector = expression("Near", &json!(["v"]));
    selector["matchLabels"] = json!({"app": "db"});
    expect(&two().np("a/p", &json!({"podSelector": selector})), "b/web > a/web * yes\n b/web > a/db * undefined");
}

#[test]
fn the_name_of_a_namespace_is_always_a_label_of_it() {
    let world = ingress(&json!([{"from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "b"}}}]}]));
    expect(&world, "b/db > a/web * yes\n a/db > a/web * no");
    // even of a namespace whose object was never seen
    let unseen = world.pod("c/x").np(
        "b/p",
        &json!({"podSelector": {}, "ingress": [{"from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "c"}}}]}]}),
    );
    expect(&unseen, "c/x > b/db * yes\n c/x > a/web * no\n a/db > b/db * no");
}

#[test]
fn ports_are_tcp_unless_said_and_ranges_hold_both_ends() {
    expect(&ingress(&json!([{"ports": [{"port": 80}]}])), "b/db > a/web TCP:80 yes\n b/db > a/web TCP:79,81 no\n b/db > a/web UDP:80 no");
    let range = ingress(&json!([{"ports": [{"protocol": "UDP", "port": 80, "endPort": 90}]}]));
    expect(&range, "b/db > a/web UDP:80,85,90 yes\n b/db > a/web UDP:79,91 no\n b/db > a/web TCP:85 no\n b/db > a/web SCTP:85 no");
    let one = ingress(&json!([{"ports": [{"port": 80, "endPort": 80}]}]));
    expect(&one, "b/db > a/web TCP:80 yes\n b/db > a/web TCP:79,81 no");
    let last = ingress(&json!([{"ports": [{"port": 65535}, {"port": 1, "endPort": 2}]}]));
    expect(&last, "b/db > a/web TCP:65535,1,2 yes\n b/db > a/web TCP:3,65534 no");
}

#[test]
fn an_end_port_before_its_port_is_not_known() {
    for port in [json!({"port": 90, "endPort": 80}), json!({"port": "web", "endPort": 80}), json!({"endPort": 80})] {
        expect(&ingress(&json!([{"ports": [port]}])), "b/db > a/web TCP:80 undefined\n b/db > a/db TCP:80 yes");
    }
}

#[test]
fn a_port_list_that_is_no_list_is_not_known_for_any_protocol() {
    expect(&ingress(&json!([{"ports": "80"}])), "b/db > a/web * undefined\n b/db > a/db * yes");
}

#[test]
fn named_ports_are_resolved_on_the_destination_for_both_directions() {
    let pods = |world: World| {
        world.pod("b/one app=n port=http:8080").pod("b/two app=n port=http:9090").pod("b/udp port=http:8080/UDP").pod("b/bare")
    };
    let lines = "a/web > b/one TCP:8080 yes\n a/web > b/one TCP:9090 no\n a/web > b/two TCP:9090 yes\n a/web > b/two TCP:8080 no
        a/web > b/udp TCP:8080 no\n a/web > b/udp UDP:8080 no\n a/web > b/bare * no\n a/web > 8.8.8.8 * no";
    expect(&pods(egress(&json!([{"ports": [{"port": "http"}]}]))), lines);
    let lines = "a/web > b/one TCP:8080 yes\n a/web > b/one TCP:9090 no\n a/web > b/two TCP:9090 yes\n 8.8.8.8 > b/one TCP:8080 yes
        a/web > b/udp UDP:8080 no\n a/web > b/bare * no";
    expect(&pods(two()).np("b/p", &json!({"podSelector": {}, "ingress": [{"ports": [{"port": "http"}]}]})), lines);
    let udp = pods(egress(&json!([{"ports": [{"port": "http", "protocol": "UDP"}]}])));
    expect(&udp, "a/web > b/udp UDP:8080 yes\n a/web > b/one TCP:8080 no\n a/web > b/one UDP:8080 no");
}

#[test]
fn a_source_with_the_port_name_does_not_count() {
    let world = World::new().ns("a").pod("a/src port=http:8080").pod("a/dst port=http:9090");
    let world = world.np("a/p", &json!({"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"ports": [{"port": "http"}]}]}));
    expect(&world, "a/src > a/dst TCP:9090 yes\n a/src > a/dst TCP:8080 no");
}

#[test]
fn sidecars_declare_ports_and_init_containers_do_not() {
    let world = egress(&json!([{"ports": [{"port": "p"}]}])).pod("b/side sidecar=p:70").pod("b/init init=p:70").pod("b/main port=p:70");
    expect(&world, "a/web > b/side TCP:70 yes\n a/web > b/main TCP:70 yes\n a/web > b/init TCP:70 no");
}

#[test]
fn declared_ports_are_documentation() {
    expect(&two().pod("b/one port=http:8080"), "a/web > b/one * yes");
    let world = egress(&json!([{"ports": [{"port": 99}]}])).pod("b/one port=http:8080");
    expect(&world, "a/web > b/one TCP:99 yes\n a/web > b/one TCP:8080 no");
}

#[test]
fn an_exception_cuts_only_its_own_block() {
    let one = egress(&json!([{"to": [{"ipBlock": {"cidr": "8.0.0.0/8", "except": ["8.8.0.0/16"]}}]}]));
    expect(&one, "a/web > 8.1.1.1 * yes\n a/web > 8.8.8.8 * no\n a/web > 9.1.1.1 * no");
    let again = egress(&json!([
        {"to": [{"ipBlock": {"cidr": "8.0.0.0/8", "except": ["8.8.0.0/16"]}}]},
        {"to": [{"ipBlock": {"cidr": "8.8.8.0/24"}}], "ports": [{"port": 53, "protocol": "UDP"}]},
    ]));
    expect(&again, "a/web > 8.8.8.8 UDP:53 yes\n a/web > 8.8.8.8 TCP:53 no\n a/web > 8.8.9.1 * no\n a/web > 8.1.1.1 * yes");
    let overlapping = egress(&json!([{"to": [
        {"ipBlock": {"cidr": "8.0.0.0/8", "except": ["8.8.0.0/16"]}}, {"ipBlock": {"cidr": "8.8.8.0/24"}}]}]));
    expect(&overlapping, "a/web > 8.8.8.8 * yes\n a/web > 8.8.9.1 * no");
}

#[test]
fn a_block_limits_where_traffic_comes_from() {
    let world = ingress(&json!([{"from": [{"ipBlock": {"cidr": "8.0.0.0/8", "except": ["8.8.0.0/16"]}}], "ports": [{"port": 80}]}]));
    expect(&world, "8.1.1.1 > a/web TCP:80 yes\n 8.1.1.1 > a/web TCP:81 no\n 8.8.8.8 > a/web * no\n b/db > a/web * no");
}

#[test]
fn a_block_of_one_pod_matches_that_pod_in_the_spec_profile_only() {
    let world = egress(&json!([{"to": [{"ipBlock": {"cidr": "10.1.0.7/32"}}]}])).pod("b/seven ip=10.1.0.7").pod("b/eight ip=10.1.0.8");
    expect_in(&world, Spec, "a/web > b/seven * yes\n a/web > b/eight * no\n a/web > b/db * no");
    for profile in [Cilium, NpGuard] {
        expect_in(&world, profile, "a/web > b/seven * no\n a/web > b/eight * no");
    }
    let ingress = ingress(&json!([{"from": [{"ipBlock": {"cidr": "10.1.0.0/29", "except": ["10.1.0.4/31"]}}]}]));
    let world = ingress.pod("b/seven ip=10.1.0.7").pod("b/four ip=10.1.0.4").pod("b/eight ip=10.1.0.8");
    expect_in(&world, Spec, "b/seven > a/web * yes\n b/four > a/web * no\n b/eight > a/web * no");
    expect_in(&world, Cilium, "b/seven > a/web * no");
}

#[test]
fn a_pod_cannot_block_itself() {
    let world = two().np("a/p", &json!({"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}));
    expect(&world, "a/web > a/web * yes\n a/db > a/web * no");
}

#[test]
fn traffic_from_the_own_node_is_always_let_in() {
    let world = World::new().ns("a").node("n1 ip=192.168.0.1").node("n2 ip=192.168.0.2").pod("a/x ip=10.1.0.1 node=n1");
    let world = world.np("a/p", &json!({"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}));
    for profile in [Spec, Cilium] {
        expect_in(&world, profile, "192.168.0.1 > a/x * yes\n 192.168.0.2 > a/x * no\n a/x > 192.168.0.1 * no");
    }
}

#[test]
fn host_network_pods_are_their_node_in_the_spec_profile() {
    let world = |rule: Value| {
        let world = World::new().ns("a").ns("b").node("n1 ip=192.168.0.1").node("n2 ip=192.168.0.2");
        let world =
            world.pod("a/x app=x ip=10.1.0.1 node=n2").pod("b/host app=h ip=192.168.0.1 node=n1 host").pod("b/y ip=10.1.0.2 node=n1");
        let world = world.np("b/all", &json!({"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}));
        world.np("a/p", &json!({"podSelector": {}, "policyTypes": ["Ingress", "Egress"], "ingress": [rule], "egress": [rule]}))
    };
    // policies on it have no effect, selectors don't find it
    let by_label = |key: &str| world(json!({key: [{"namespaceSelector": {}}]}));
    expect_in(&by_label("from"), Spec, "b/host > a/x * no\n b/host > 8.8.8.8 * yes\n 8.8.8.8 > b/host * yes\n b/host > b/y * yes");
    let to = by_label("to");
    expect_in(&to, Spec, "a/x > b/host * no");
    // its address does
    let block = json!([{"ipBlock": {"cidr": "192.168.0.1/32"}}]);
    expect_in(&world(json!({"from": block})), Spec, "b/host > a/x * yes");
    expect_in(&world(json!({"to": block})), Spec, "a/x > b/host * yes");
}

#[test]
fn host_network_pods_are_ordinary_to_np_guard() {
    let world = World::new().ns("a").ns("b").pod("a/x").pod("b/host app=h host").pod("b/y");
    let world = world.np("b/p", &json!({"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{"from": [{"podSelector": {}}]}]}));
    expect_in(&world, NpGuard, "a/x > b/host * no\n b/host > b/y * yes\n b/y > b/host * yes");
}

#[test]
fn finished_pods_are_left_out() {
    let world = two().pod("b/done app=db ip=10.1.0.9 done").pod("b/failed app=db failed");
    for profile in [Spec, Cilium] {
        expect_in(&world, profile, "a/web > b/done * gone\n b/done > a/web * gone\n a/web > b/failed * gone");
    }
    expect_in(&world, NpGuard, "a/web > b/done * yes\n b/done > a/web * yes");
}

#[test]
fn an_address_that_a_finished_pod_had_is_not_its_own_any_more() {
    let rule = json!([{"to": [{"podSelector": {"matchLabels": {"app": "db"}}, "namespaceSelector": {}}]}]);
    let world = egress(&rule).pod("b/done app=db ip=10.1.0.9 done").pod("b/new app=new ip=10.1.0.9");
    for profile in [Spec, Cilium] {
        expect_in(&world, profile, "a/web > b/done * gone\n a/web > b/new * no\n a/web > b/db * yes");
    }
}

#[test]
fn pods_without_an_address_are_under_policy_but_in_no_block() {
    let block = json!([{"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}, {"ipBlock": {"cidr": "::/0"}}]}]);
    expect(&egress(&block), "a/web > b/db * no\n a/web > 8.8.8.8 * yes\n a/db > b/db * yes");
    expect(&egress(&json!([{"to": [{"namespaceSelector": {}}]}])), "a/web > b/db * yes");
}

#[test]
fn families_are_separate() {
    let four = egress(&json!([{"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}]));
    let world = four.pod("a/dual app=web ip=10.1.0.1 ip=fd00:1::1").pod("b/six ip=fd00:1::6").pod("b/both ip=10.1.0.2 ip=fd00:1::2");
    expect_in(&world, Spec, "a/dual > 8.8.8.8 * yes\n a/dual > 2600::1 * no\n a/dual > b/both * yes\n a/dual > b/six * no");
    expect_in(&world, Cilium, "a/dual > 8.8.8.8 * yes\n a/dual > 2600::1 * no\n a/dual > b/both * no");
    let six = egress(&json!([{"to": [{"ipBlock": {"cidr": "::/0"}}]}]));
    expect_in(&six.pod("a/dual app=web ip=10.1.0.1 ip=fd00:1::1"), Spec, "a/dual > 8.8.8.8 * no\n a/dual > 2600::1 * yes");
}

#[test]
fn the_two_sides_must_agree_within_one_family() {
    let world = World::new().ns("a").ns("b").pod("a/x ip=10.1.0.1 ip=fd00:1::1").pod("b/y ip=10.1.0.2 ip=fd00:1::2");
    let world = world.np("a/p", &json!({"policyTypes": ["Egress"], "egress": [{"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}]}));
    expect_in(&world.clone(), Spec, "a/x > b/y * yes");
    let world = world.np("b/p", &json!({"policyTypes": ["Ingress"], "ingress": [{"from": [{"ipBlock": {"cidr": "::/0"}}]}]}));
    expect_in(&world, Spec, "a/x > b/y * no");
}

#[test]
fn sctp_isolates_for_tcp_and_is_not_tcp() {
    let world = ingress(&json!([{"ports": [{"protocol": "SCTP", "port": 80}]}]));
    expect(&world, "b/db > a/web SCTP:80 yes\n b/db > a/web TCP:80 no\n b/db > a/web UDP:80 no\n b/db > a/web SCTP:81 no");
}
