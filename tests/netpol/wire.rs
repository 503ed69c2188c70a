//! The same meaning from the manifests that people write: each kind once through the projection, judge and engine behind it.

use partywall::model::kind::Kind;
use partywall::netpol::profile::Profile::{Cilium, Spec};
use serde_json::json;

use crate::build::World;
use crate::check::{expect, expect_in};

fn two() -> World {
    let world = World::new().ns("a team=x").ns("b team=y").pod("a/web app=web ip=10.1.0.1").pod("a/db app=db ip=10.1.0.2");
    world.pod("b/web app=web ip=10.1.0.3 port=http:8080").pod("b/db app=db ip=10.1.0.4")
}

#[test]
fn admin_network_policy() {
    let spec = json!({
        "priority": 10,
        "subject": {"namespaces": {"matchLabels": {"team": "x"}}},
        "egress": [
            {"action": "Allow", "to": [{"pods": {"namespaceSelector": {"matchLabels": {"team": "y"}}, "podSelector": {"matchLabels": {"app": "web"}}}}],
             "ports": [{"namedPort": "http"}, {"portNumber": {"port": 53, "protocol": "UDP"}}, {"portRange": {"start": 90, "end": 99}}]},
            {"action": "Pass", "to": [{"namespaces": {"matchLabels": {"team": "x"}}}]},
            {"action": "Deny", "to": [{"namespaces": {}}, {"networks": ["8.0.0.0/8"]}]},
        ],
        "ingress": [{"action": "Deny", "from": [{"namespaces": {"matchExpressions": [{"key": "team", "operator": "NotIn", "values": ["x"]}]}}]}],
    });
    let world = two().manifest(Kind::AdminNetworkPolicy, &json!({"metadata": {"name": "p"}, "spec": spec}));
    expect(
        &world,
        "a/web > b/web TCP:8080,90,99 yes\n a/web > b/web UDP:53 yes\n a/web > b/web TCP:80,100 no\n a/web > b/db * no\n a/web > a/db * yes
        a/web > 8.8.8.8 * no\n a/web > 9.9.9.9 * yes\n b/web > a/web * no\n 8.8.8.8 > a/web * yes",
    );
}

#[test]
fn baseline_admin_network_policy() {
    let spec = json!({
        "subject": {"pods": {"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "web"}}}},
        "ingress": [{"action": "Allow", "from": [{"namespaces": {"matchLabels": {"team": "y"}}}]}, {"action": "Deny", "from": [{"namespaces": {}}]}],
    });
    let world = two().manifest(Kind::BaselineAdminNetworkPolicy, &json!({"metadata": {"name": "default"}, "spec": spec}));
    expect(&world.clone(), "a/db > b/web * no\n b/db > a/web * yes\n a/db > b/db * yes");
    let opened = world.np("b/p", &json!({"podSelector": {}, "ingress": [{}]}));
    expect(&opened, "a/db > b/web * yes\n a/db > a/web * no");
}

#[test]
fn cluster_network_policy() {
    let spec = json!({
        "tier": "Admin", "priority": 3,
        "subject": {"namespaces": {"matchLabels": {"team": "x"}}},
        "egress": [
            {"action": "Accept", "to": [{"namespaces": {"matchLabels": {"team": "y"}}}],
             "protocols": [{"tcp": {"destinationPort": {"number": 80}}}, {"udp": {"destinationPort": {"range": {"start": 53, "end": 54}}}}, {"destinationNamedPort": "http"}]},
            {"action": "Deny", "to": [{"networks": ["0.0.0.0/0"]}]},
        ],
    });
    let world = two().manifest(Kind::ClusterNetworkPolicy, &json!({"metadata": {"name": "p"}, "spec": spec}));
    expect(&world, "a/web > b/db TCP:80 yes\n a/web > b/db UDP:54 yes\n a/web > b/web TCP:8080 yes\n a/web > 8.8.8.8 * no");
    expect_in(&world, Spec, "a/web > b/db TCP:81 no\n a/web > a/db * no");
    expect_in(&world, Cilium, "a/web > b/db TCP:81 yes\n a/web > a/db * yes");
}

#[test]
fn a_missing_selector_of_pods_is_an_empty_one() {
    let spec = |pods| {
        json!({"priority": 1, "subject": {"namespaces": {}},
            "egress": [{"action": "Allow", "to": [{"pods": pods}]}, {"action": "Deny", "to": [{"namespaces": {}}]}]})
    };
    let world = |pods| two().manifest(Kind::AdminNetworkPolicy, &json!({"metadata": {"name": "p"}, "spec": spec(pods)}));
    expect(&world(json!({"namespaceSelector": {"matchLabels": {"team": "y"}}})), "a/web > b/db * yes\n a/web > a/db * no");
    expect(&world(json!({"podSelector": {"matchLabels": {"app": "db"}}})), "a/web > b/db * yes\n a/web > a/db * yes\n a/db > b/web * no");
}

#[test]
fn cilium_network_policy() {
    let rule = json!({
        "endpointSelector": {"matchLabels": {"app": "web"}},
        "ingress": [
            {"fromEndpoints": [{"matchLabels": {"app": "db"}}], "toPorts": [{"ports": [{"port": "80"}, {"port": "90", "endPort": 92, "protocol": "TCP"}]}]},
            {"fromEntities": ["world"], "toPorts": [{"ports": [{"port": "443", "protocol": "TCP"}]}]},
        ],
        "egress": [{"toEndpoints": [{"matchLabels": {"k8s:io.kubernetes.pod.namespace": "b"}}]}, {"toCIDRSet": [{"cidr": "8.0.0.0/8", "except": ["8.8.0.0/16"]}]}],
        "egressDeny": [{"toEndpoints": [{"matchLabels": {"app": "db", "k8s:io.kubernetes.pod.namespace": "b"}}]}],
    });
    let world = two().manifest(Kind::CiliumNetworkPolicy, &json!({"metadata": {"namespace": "a", "name": "p"}, "spec": rule}));
    expect(
        &world,
        "a/db > a/web TCP:80,90,92 yes\n a/db > a/web UDP:80 yes\n a/db > a/web UDP:91 no\n a/db > a/web TCP:443 no\n b/db > a/web * no
        9.9.9.9 > a/web TCP:443 yes\n 9.9.9.9 > a/web TCP:80 no\n a/web > b/web * yes\n a/web > b/db * no\n a/web > a/db * no
        a/web > 8.1.1.1 * yes\n a/web > 8.8.8.8 * no\n a/db > b/db * yes",
    );
}

#[test]
fn cilium_clusterwide_network_policy_with_several_specs() {
    let object = json!({"metadata": {"name": "p"}, "specs": [
        {"endpointSelector": {}, "ingress": [{"fromEntities": ["cluster"]}]},
        {"endpointSelector": {"matchLabels": {"app": "db"}}, "ingressDeny": [{"fromEndpoints": [{"matchLabels": {"app": "web"}}]}], "enableDefaultDeny": {"ingress": false}},
    ]});
    let world = two().manifest(Kind::CiliumClusterwideNetworkPolicy, &object);
    expect(&world, "a/db > b/db * yes\n a/web > b/db * no\n a/web > b/web * yes\n 8.8.8.8 > b/web * no\n a/web > 8.8.8.8 * yes");
}

#[test]
fn null_and_empty_lists_of_cilium_differ() {
    let policy = |ingress| {
        let spec = json!({"endpointSelector": {}, "ingress": ingress});
        two().manifest(Kind::CiliumNetworkPolicy, &json!({"metadata": {"namespace": "a", "name": "p"}, "spec": spec}))
    };
    expect(&policy(json!([])), "b/db > a/web * yes");
    expect(&policy(json!(null)), "b/db > a/web * yes");
    expect(&policy(json!([{}])), "b/db > a/web * no");
    expect(&policy(json!([{"fromEndpoints": []}])), "b/db > a/web * no\n a/db > a/web * no");
    expect(&policy(json!([{"fromEndpoints": [{}]}])), "b/db > a/web * no\n a/db > a/web * yes");
    expect(&policy(json!([{"fromEndpoints": [], "toPorts": [{"ports": [{"port": "80"}]}]}])), "a/db > a/web * no");
    expect(
        &policy(json!([{"toPorts": [{"ports": [{"port": "80", "protocol": "TCP"}]}]}])),
        "b/db > a/web TCP:80 yes\n b/db > a/web TCP:81 no",
    );
    expect(
        &policy(json!([{"toPorts": [{"ports": [{"port": "0", "protocol": "TCP"}]}]}])),
        "b/db > a/web TCP:* yes\n b/db > a/web UDP:* no",
    );
}

#[test]
fn cidr_groups_and_engines_that_are_only_seen() {
    let group = json!({"metadata": {"name": "partners"}, "spec": {"externalCIDRs": ["8.8.0.0/16"]}});
    let spec = json!({"endpointSelector": {}, "egress": [{"toCIDRSet": [{"cidrGroupRef": "partners"}]}]});
    let world = two().manifest(Kind::CiliumCIDRGroup, &group);
    let world = world.manifest(Kind::CiliumNetworkPolicy, &json!({"metadata": {"namespace": "a", "name": "p"}, "spec": spec}));
    expect(&world, "a/web > 8.8.8.8 * yes\n a/web > 9.9.9.9 * no");
    let calico = two().manifest(Kind::CalicoNetworkPolicy, &json!({"metadata": {"namespace": "b", "name": "p"}, "spec": {"order": 1}}));
    expect(&calico, "a/web > b/db * undefined\n a/web > a/db * yes");
}
