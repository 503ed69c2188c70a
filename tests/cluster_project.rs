//! Projection of what the API server, a manifest or an attacker may send: every kind, every wrong type, no panic, nothing silently fine.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::needless_pass_by_value,
    clippy::missing_panics_doc,
    reason = "a test that can't go on says so by panicking"
)]

use partywall::cluster::project::{self, Seen};
use partywall::model::changes::{Change, Fact};
use partywall::model::event::Authority;
use partywall::model::intern::Interner;
use partywall::model::kind::{Kind, WATCHED};
use partywall::model::labels::Is;
use partywall::model::limits::amount;
use partywall::model::networkpolicy::{NetworkPolicyFact, Peer, PortMatch, Protocol};
use partywall::model::pod::{Phase, PodFact};
use partywall::model::quantity::Quantity;
use proptest::prelude::*;
use serde_json::{Value, json};

fn fact(kind: Kind, object: &Value) -> Option<Fact> {
    project::fact(kind, object.to_string().as_bytes(), &mut Interner::default())
}

fn policy(spec: Value) -> NetworkPolicyFact {
    match fact(Kind::NetworkPolicy, &json!({"metadata": {"name": "p", "namespace": "n", "generation": 3}, "spec": spec})) {
        Some(Fact::NetworkPolicy(policy)) => policy,
        other => panic!("{other:?}"),
    }
}

fn pod(object: Value) -> PodFact {
    match fact(Kind::Pod, &object) {
        Some(Fact::Pod(pod)) => pod,
        other => panic!("{other:?}"),
    }
}

#[test]
fn policy_types_are_defaulted_as_the_server_does() {
    let rule = json!([{}]);
    for (spec, ingress, egress) in [
        (json!({}), true, false),
        (json!({"policyTypes": []}), true, false),
        (json!({"policyTypes": null}), true, false),
        (json!({"egress": rule}), true, true),
        (json!({"egress": []}), true, false),
        (json!({"policyTypes": ["Egress"]}), false, true),
        (json!({"policyTypes": ["Ingress"], "egress": rule}), true, false),
        (json!({"policyTypes": ["Ingress", "Egress"]}), true, true),
        // what can't be read isolates nothing: no wall may be claimed of it
        (json!({"policyTypes": "Ingress"}), false, false),
        (json!({"policyTypes": ["ingress"]}), false, false),
    ] {
        let policy = policy(spec.clone());
        assert_eq!((policy.isolates_ingress, policy.isolates_egress), (ingress, egress), "{spec}");
        assert_eq!(policy.meta.version, 3);
    }
}

#[test]
fn an_empty_rule_means_everybody_and_a_null_one_too() {
    for rules in [json!([{}]), json!([null]), json!([{"from": []}]), json!([{"from": null, "ports": []}])] {
        let policy = policy(json!({"ingress": rules}));
        assert_eq!(policy.ingress.len(), 1, "{rules}");
        assert!(policy.ingress[0].peers.is_empty() && policy.ingress[0].ports.is_empty(), "{rules}");
    }
    assert!(policy(json!({"ingress": []})).ingress.is_empty());
}

#[test]
fn a_peer_that_cannot_be_read_is_never_everybody_nor_nobody() {
    for peer in [
        json!({}),
        json!(null),
        json!("x"),
        json!({"ipBlock": {"cidr": "10.0.0.0/8"}, "podSelector": {}}),
        json!({"ipBlock": {"cidr": "10.0.0.0/33"}}),
        json!({"ipBlock": {"cidr": 10}}),
        json!({"ipBlock": {"cidr": "10.0.0.0/8", "except": ["11.0.0.0/16"]}}),
        json!({"ipBlock": {"cidr": "10.0.0.0/8", "except": "10.1.0.0/16"}}),
        json!({"ipBlock": {"cidr": "10.0.0.0/8", "except": [null]}}),
        json!({"ipBlock": []}),
    ] {
        let policy = policy(json!({"ingress": [{"from": [peer]}]}));
        assert!(matches!(policy.ingress[0].peers[..], [Peer::Unreadable(_)]), "{peer}: {:?}", policy.ingress);
    }
    for rules in [json!("x"), json!([7]), json!([{"from": {}}])] {
        let policy = policy(json!({"ingress": rules}));
        assert!(matches!(policy.ingress[0].peers[..], [Peer::Unreadable(_)]), "{rules}");
    }
}

#[test]
fn blocks_and_selectors_are_read() {
    let policy = policy(json!({"egress": [{"to": [
        {"ipBlock": {"cidr": "10.1.2.3/8", "except": ["10.2.0.0/16"]}},
        {"namespaceSelector": {}, "podSelector": {"matchLabels": {"a": "b"}, "matchExpressions": [{"key": "k", "operator": "NotIn", "values": ["x"]}]}},
        {"podSelector": {"matchExpressions": [{"key": "k", "operator": "Sometimes"}]}},
        {"podSelector": {"matchLabels": {"a": 1}}},
        {"podSelector": {"matchExpressions": [{"key": 7, "operator": "NotIn", "values": ["x"]}]}},
        {"podSelector": 1},
    ]}]}));
    let peers = &policy.egress[0].peers;
    let Peer::Block { cidr, except } = &peers[0] else { panic!("{peers:?}") };
    assert_eq!((cidr.to_string(), except[0].to_string()), ("10.0.0.0/8".to_owned(), "10.2.0.0/16".to_owned()));
    let Peer::Pods { namespaces: Some(namespaces), pods: Some(pods) } = &peers[1] else { panic!("{peers:?}") };
    assert!(namespaces.is_everything());
    assert_eq!(pods.requirements.len(), 2);
    for peer in &peers[2..] {
        let Peer::Pods { namespaces: None, pods: Some(pods) } = peer else { panic!("{peer:?}") };
        assert!(matches!(pods.requirements[0].is, Is::Unknown(_)), "{pods:?}");
    }
}

#[test]
fn ports_are_defaulted_and_bad_ones_marked() {
    let port = |port: Value| {
        let policy = policy(json!({"ingress": [{"ports": [port]}]}));
        policy.ingress[0].ports[0].clone()
    };
    assert_eq!(port(json!({"port": 80})).protocol, Protocol::Tcp);
    assert_eq!(port(json!({"port": 80})).port, PortMatch::Range(80, 80));
    assert_eq!(port(json!({"port": 80, "endPort": 90, "protocol": "UDP"})).port, PortMatch::Range(80, 90));
    assert_eq!(port(json!({})).port, PortMatch::Any);
    assert_eq!(port(json!(null)).port, PortMatch::Any);
    assert_eq!(port(json!({"port": "http"})).port, PortMatch::Named("http".into()));
    assert_eq!(port(json!({"protocol": "DCCP"})).protocol, Protocol::Other("DCCP".into()));
    for bad in [
        json!({"port": 90, "endPort": 80}),
        json!({"endPort": 80}),
        json!({"port": "http", "endPort": 80}),
        json!({"port": 0}),
        json!({"port": 65536}),
        json!({"port": 80.5}),
        json!({"port": "80"}),
        json!({"port": []}),
        json!({"port": 80, "endPort": "90"}),
        json!({"protocol": 6}),
        json!(80),
    ] {
        assert!(matches!(port(bad.clone()).port, PortMatch::Unreadable(_)), "{bad}");
    }
}

#[test]
fn an_absurd_amount_is_marked_and_never_zero() {
    let hard = json!({"pods": "10", "cpu": "1e999999999999", "memory": "lots", "a": {}, "b": 5, "c": -1, "d": null, "e": 1e300});
    let Some(Fact::Quota(quota)) = fact(Kind::ResourceQuota, &json!({"metadata": {"name": "q"}, "spec": {"hard": hard}})) else { panic!() };
    assert_eq!(amount(&quota.hard, "pods"), Some(&Quantity::parse("10").unwrap()));
    for name in ["memory", "a", "d", "cpu", "e"] {
        assert_eq!(amount(&quota.hard, name), Some(&Quantity::UNREADABLE), "{name}");
    }
    assert_eq!(amount(&quota.hard, "b").unwrap().nanos(), Some(5_000_000_000));
    assert!(amount(&quota.hard, "c").unwrap().nanos().unwrap() < 0);
    for odd in [json!([]), json!("x"), json!(1)] {
        let Some(Fact::Quota(quota)) = fact(Kind::ResourceQuota, &json!({"metadata": {"name": "q"}, "spec": {"hard": odd}})) else {
            panic!()
        };
        assert_eq!(quota.hard[0].1, Quantity::UNREADABLE);
    }
}

#[test]
fn a_quotas_version_moves_with_its_specification_and_its_writer_but_not_with_its_use() {
    let quota = |hard: &str, used: &str, rv: &str, time: &str| {
        let object = json!({
            "metadata": {"name": "q", "resourceVersion": rv, "managedFields": [
                {"manager": "kubectl", "operation": "Apply", "time": time},
                {"manager": "kube-controller-manager", "operation": "Update", "subresource": "status", "time": "2099-01-01T00:00:00Z"},
            ]},
            "spec": {"hard": {"pods": hard}, "scopes": ["NotTerminating"], "scopeSelector": {"matchExpressions": [{"scopeName": "PriorityClass", "operator": "In", "values": ["a", "b"]}]}},
            "status": {"used": {"pods": used}},
        });
        match fact(Kind::ResourceQuota, &object) {
            Some(Fact::Quota(quota)) => quota,
            other => panic!("{other:?}"),
        }
    };
    let base = quota("10", "1", "5", "2026-01-01T00:00:00Z");
    assert_eq!(base.meta.version, quota("10", "9", "99", "2026-01-01T00:00:00Z").meta.version);
    assert_ne!(base.meta.version, quota("11", "1", "5", "2026-01-01T00:00:00Z").meta.version);
    assert_ne!(base.meta.version, quota("10", "1", "5", "2026-01-02T00:00:00Z").meta.version);
    assert_eq!(&*base.meta.changed.unwrap().manager, "kubectl");
    assert_eq!(base.scopes.iter().map(AsRef::as_ref).collect::<Vec<_>>(), ["NotTerminating", "PriorityClass In [a, b]"]);
}

#[test]
fn a_pod_is_read_whole() {
    let pod = pod(json!({
        "metadata": {"name": "web-1", "namespace": "n", "uid": "00000000-0000-0000-0000-000000000007", "labels": {"app": "web"},
            "ownerReferences": [{"kind": "Node", "name": "x"}, {"kind": "ReplicaSet", "name": "web", "controller": true}], "deletionTimestamp": "2026-01-01T00:00:00Z"},
        "spec": {
            "nodeName": "n1", "hostNetwork": true, "overhead": {"cpu": "1"},
            "containers": [{"name": "c", "image": "i", "resources": {"requests": {"memory": "1Gi", "cpu": "500m"}}, "ports": [{"containerPort": 80}, {"containerPort": 0}, {"containerPort": 53, "protocol": "UDP", "name": "dns"}]}],
            "initContainers": [{"name": "i", "restartPolicy": "Always"}, {"name": "j"}],
        },
        "status": {"phase": "Running", "podIPs": [{"ip": "10.0.0.1"}, {"ip": "not one"}, {"ip": "fd00::1"}], "conditions": [{"type": "Ready", "status": "True"}]},
    }));
    assert_eq!(pod.meta.uid.0, 7);
    assert_eq!(pod.owner.as_deref(), Some("ReplicaSet/web"));
    assert_eq!(pod.service_account.as_ref(), "default");
    assert_eq!((pod.phase, pod.host_network, pod.ready, pod.terminating, pod.overhead), (Phase::Running, true, true, true, true));
    assert_eq!(pod.ips.len(), 2);
    assert_eq!(format!("{:?}", pod.containers.iter().map(|c| c.role).collect::<Vec<_>>()), "[Main, Sidecar, Init]");
    assert_eq!(amount(&pod.containers[0].requests, "cpu"), Some(&Quantity::parse("500m").unwrap()));
    assert_eq!(pod.containers[0].ports.len(), 2);
}

#[test]
fn a_pods_version_moves_with_what_walls_rest_on_and_not_with_its_status() {
    let with = |labels: Value, spec: Value, phase: &str, rv: &str| {
        pod(json!({"metadata": {"name": "p", "resourceVersion": rv, "labels": labels}, "spec": spec, "status": {"phase": phase}}))
            .meta
            .version
    };
    let base = with(json!({"a": "b"}), json!({"nodeName": "n"}), "Pending", "1");
    assert_eq!(base, with(json!({"a": "b"}), json!({"nodeName": "n"}), "Running", "2"));
    assert_ne!(base, with(json!({"a": "c"}), json!({"nodeName": "n"}), "Pending", "1"));
    assert_ne!(base, with(json!({"a": "b"}), json!({"nodeName": "m"}), "Pending", "1"));
    assert_ne!(base, with(json!({"a": "b"}), json!({"nodeName": "n", "hostNetwork": true}), "Pending", "1"));
    assert_ne!(base, with(json!({"a": "b"}), json!({"nodeName": "n", "serviceAccountName": "x"}), "Pending", "1"));
}

#[test]
fn containers_that_cannot_be_read_still_count() {
    for containers in [json!("x"), json!([7]), json!([{"resources": []}])] {
        let pod = pod(json!({"metadata": {"name": "p"}, "spec": {"containers": containers}}));
        assert_eq!(pod.containers.len(), 1, "{containers}");
        assert_eq!(pod.containers[0].limits[0].1, Quantity::UNREADABLE, "{containers}");
    }
}

#[test]
fn workloads_tell_how_many_they_want() {
    let template = json!({"metadata": {"labels": {"a": "b"}}, "spec": {"serviceAccountName": "s", "containers": [{"name": "c"}]}});
    for (kind, spec, status, wanted, ready) in [
        (Kind::Deployment, json!({"template": template}), json!({"readyReplicas": 2}), Some(1), 2),
        (Kind::StatefulSet, json!({"template": template, "replicas": 0}), json!({}), Some(0), 0),
        (Kind::DaemonSet, json!({"template": template}), json!({"desiredNumberScheduled": 4, "numberReady": 3}), Some(4), 3),
        (Kind::Job, json!({"template": template, "suspend": true, "parallelism": 9}), json!({"ready": 1}), Some(0), 1),
        (Kind::CronJob, json!({"jobTemplate": {"spec": {"template": template}}}), json!({}), None, 0),
    ] {
        let Some(Fact::Workload(workload)) =
            fact(kind, &json!({"metadata": {"name": "w", "generation": 2}, "spec": spec, "status": status}))
        else {
            panic!("{kind}")
        };
        assert_eq!((workload.kind, workload.wanted, workload.ready, workload.meta.version), (kind, wanted, ready, 2));
        assert_eq!(workload.service_account.as_ref(), "s");
        assert_eq!(workload.template_labels.get("a").map(AsRef::as_ref), Some("b"));
        assert_eq!(workload.containers.len(), 1);
    }
}

#[test]
fn the_small_kinds_are_read() {
    let Some(Fact::Namespace(namespace)) = fact(
        Kind::Namespace,
        &json!({"metadata": {"name": "n", "resourceVersion": "12", "labels": {"a": "b"}}, "status": {"phase": "Terminating"}}),
    ) else {
        panic!()
    };
    assert_eq!((namespace.meta.version, namespace.terminating), (12, true));
    let Some(Fact::ServiceAccount(account)) =
        fact(Kind::ServiceAccount, &json!({"metadata": {"name": "s"}, "automountServiceAccountToken": false}))
    else {
        panic!()
    };
    assert_eq!(account.automount, Some(false));
    let service = json!({"metadata": {"name": "s"}, "spec": {"clusterIP": "None", "selector": {"a": "b"}, "ports": [{"port": 80, "targetPort": "http"}, {"port": 70000}]}});
    let Some(Fact::Service(service)) = fact(Kind::Service, &service) else { panic!() };
    assert_eq!((service.kind.as_ref(), service.cluster_ips.len(), service.ports.len()), ("ClusterIP", 0, 1));
    let slice = json!({"metadata": {"name": "s", "labels": {"kubernetes.io/service-name": "web"}}, "endpoints": [{}, {"conditions": {"ready": false}}, {"conditions": {"ready": true}}, 7]});
    let Some(Fact::EndpointSlice(slice)) = fact(Kind::EndpointSlice, &slice) else { panic!() };
    assert_eq!((slice.service.as_deref(), slice.ready, slice.all), (Some("web"), 2, 4));
    let node = json!({"metadata": {"name": "n"}, "status": {"addresses": [{"address": "10.0.0.1"}, {"address": "host"}], "conditions": [{"type": "Ready", "status": "Unknown"}]}});
    let Some(Fact::Node(node)) = fact(Kind::Node, &node) else { panic!() };
    assert_eq!((node.ips.len(), node.ready), (1, false));
    let limits = json!({"metadata": {"name": "l"}, "spec": {"limits": [{"type": "Container", "max": {"memory": "1Gi"}}, 7]}});
    let Some(Fact::LimitRange(limits)) = fact(Kind::LimitRange, &limits) else { panic!() };
    assert_eq!(limits.items[0].max[0].1, Quantity::parse("1Gi").unwrap());
    assert_eq!(limits.items[1].max[0].1, Quantity::UNREADABLE);
}

#[test]
fn a_service_tells_how_it_is_reached_from_outside() {
    let object = json!({"metadata": {"name": "s"}, "spec": {"type": "LoadBalancer", "clusterIPs": ["10.96.0.9", "fd00::9"], "externalIPs": ["203.0.113.7", "x"],
        "externalTrafficPolicy": "Local", "ports": [{"port": 80, "nodePort": 30080, "protocol": "UDP"}, {"port": 81, "nodePort": 0}]},
        "status": {"loadBalancer": {"ingress": [{"ip": "198.51.100.7"}, {"hostname": "lb.example.org"}, null]}}});
    let Some(Fact::Service(service)) = fact(Kind::Service, &object) else { panic!() };
    let outside: Vec<String> = service.external_ips.iter().map(ToString::to_string).collect();
    assert_eq!(outside, ["203.0.113.7", "198.51.100.7"]);
    assert_eq!(service.ports.iter().map(|port| port.node_port).collect::<Vec<_>>(), [Some(30080), None]);
    assert!(service.keeps_client && service.external_name.is_none());
    let named = json!({"metadata": {"name": "s"}, "spec": {"type": "ExternalName", "externalName": "db.example.org", "externalTrafficPolicy": "Cluster"}});
    let Some(Fact::Service(service)) = fact(Kind::Service, &named) else { panic!() };
    assert_eq!((service.external_name.as_deref(), service.keeps_client, service.external_ips.len()), (Some("db.example.org"), false, 0));
}

#[test]
fn addresses_of_a_slice_are_kept_where_no_selector_makes_them() {
    let slice = |labels: Value, endpoints: Value| match fact(
        Kind::EndpointSlice,
        &json!({"metadata": {"name": "s", "labels": labels}, "endpoints": endpoints}),
    ) {
        Some(Fact::EndpointSlice(slice)) => slice.addresses.len(),
        other => panic!("{other:?}"),
    };
    let two = json!([{"addresses": ["10.0.0.1", "host.example.org"]}, {"addresses": ["fd00::1"], "conditions": {"ready": false}}, 7, {"addresses": 7}]);
    assert_eq!(slice(json!({"kubernetes.io/service-name": "kubernetes"}), two.clone()), 2);
    assert_eq!(slice(json!({"endpointslice.kubernetes.io/managed-by": "endpointslicemirroring-controller.k8s.io"}), two.clone()), 2);
    assert_eq!(slice(json!({"endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io"}), two), 0);
    let many: Vec<Value> = (0..1000).map(|i| json!({"addresses": [format!("10.0.{}.{}", i / 250, i % 250)]})).collect();
    assert_eq!(slice(json!({}), many.into()), 256);
}

#[test]
fn a_nodes_version_moves_with_what_walls_rest_on_and_not_with_its_heartbeat() {
    let node = |labels: Value, spec: Value, rv: &str, heartbeat: &str| {
        let object = json!({"metadata": {"name": "n", "resourceVersion": rv, "labels": labels}, "spec": spec, "status": {"addresses": [{"address": "10.0.0.1"}],
            "conditions": [{"type": "Ready", "status": "True", "lastHeartbeatTime": heartbeat}]}});
        match fact(Kind::Node, &object) {
            Some(Fact::Node(node)) => node,
            other => panic!("{other:?}"),
        }
    };
    let spec = json!({"podCIDR": "10.244.0.0/24", "podCIDRs": ["10.244.0.0/24", "fd00:10::/64", "x"], "providerID": "aws:///z/i-1"});
    let base = node(json!({"a": "b"}), spec.clone(), "1", "2026-01-01T00:00:00Z");
    assert_eq!(base, node(json!({"a": "b"}), spec.clone(), "99", "2026-01-01T00:05:00Z"), "a heartbeat changes nothing");
    assert_eq!((base.pod_cidrs.len(), base.provider.as_deref(), base.ready), (2, Some("aws:///z/i-1"), true));
    assert_eq!(base.labels.get("a").map(AsRef::as_ref), Some("b"));
    assert_ne!(base.meta.version, node(json!({"a": "c"}), spec.clone(), "1", "").meta.version);
    for spec in
        [json!({}), json!({"podCIDR": "10.244.0.0/24"}), json!({"podCIDRs": ["10.244.0.0/24", "fd00:10::/64"], "providerID": "gce://x"})]
    {
        assert_ne!(base.meta.version, node(json!({"a": "b"}), spec, "1", "").meta.version);
    }
    assert_eq!(node(json!({}), json!({"podCIDR": "10.244.0.0/24"}), "1", "").pod_cidrs.len(), 1);
}

#[test]
fn a_secret_store_tells_its_role_and_no_secret() {
    let store = |provider: Value| match fact(Kind::SecretStore, &json!({"metadata": {"name": "s"}, "spec": {"provider": provider}})) {
        Some(Fact::SecretStore(store)) => store,
        other => panic!("{other:?}"),
    };
    let vault = store(
        json!({"vault": {"server": "https://v", "path": "secret", "caBundle": "x", "auth": {"namespace": "ns", "kubernetes": {"role": "acme", "serviceAccountRef": {"name": "app"}}}}}),
    );
    let provider = vault.vault.unwrap();
    assert_eq!((provider.kubernetes_mount.as_deref(), provider.role.as_deref(), provider.has_ca), (Some("kubernetes"), Some("acme"), true));
    assert_eq!((provider.service_account.as_deref(), provider.other_auth), (Some("app"), None));
    let token = store(json!({"vault": {"auth": {"tokenSecretRef": {"name": "canary-4711"}}}}));
    assert_eq!(token.vault.as_ref().unwrap().other_auth.as_deref(), Some("tokenSecretRef"));
    assert!(!format!("{token:?}").contains("canary"));
    assert_eq!(store(json!({"aws": {"auth": {"x": 1}}})).provider.as_ref(), "aws");
    assert!(store(json!("x")).vault.is_none());
}

#[test]
fn annotations_are_never_decoded() {
    for info in WATCHED {
        let (namespace, name) = info.only.unwrap_or(("n", "x"));
        let object = json!({"metadata": {"name": name, "namespace": namespace, "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "canary-4711"}},
            "reason": "FailedCreate", "message": "exceeded quota: q", "data": {"k": "canary-4711"}});
        let fact = fact(info.kind, &object);
        assert!(fact.is_some(), "{}", info.kind);
        assert!(!format!("{fact:?}").contains("canary"), "{}", info.kind);
    }
}

#[test]
fn only_refusals_become_facts_of_events() {
    let event = |reason: &str, message: &str| {
        fact(
            Kind::Event,
            &json!({"metadata": {"name": "e", "namespace": "n"}, "reason": reason, "message": message, "count": 3, "type": "Warning",
                "lastTimestamp": "2026-01-01T00:00:00Z", "involvedObject": {"kind": "Deployment", "namespace": "n", "name": "web"}}),
        )
    };
    let Some(Fact::Refusal(refusal)) =
        event("FailedCreate", "Error creating: pods \"x\" is forbidden: maximum memory usage per Container is 1Gi, but limit is 4Gi")
    else {
        panic!()
    };
    assert_eq!((refusal.authority, refusal.count, refusal.last.0), (Authority::LimitRanger, 3, 1_767_225_600_000));
    assert_eq!(refusal.about.unwrap().kind, Kind::Deployment);
    assert_eq!(event("Unhealthy", "Readiness probe failed"), None);
}

#[test]
fn hostile_text_is_kept_short_and_whole_objects_survive() {
    let big = "A".repeat(10 << 20);
    let pod =
        pod(json!({"metadata": {"name": "p\u{1b}[2J", "labels": {big.clone(): big.clone()}}, "spec": {"containers": [{"image": big}]}}));
    let kept: usize = pod.labels.iter().map(|(k, v)| k.len() + v.len()).sum::<usize>() + pod.containers[0].image.len();
    assert!(kept < 4096, "{kept}");
    let deep = format!(r#"{{"metadata":{{"name":"p"}},"spec":{}{}}}"#, "[".repeat(1 << 20), "]".repeat(1 << 20));
    assert!(project::fact(Kind::Pod, deep.as_bytes(), &mut Interner::default()).is_some());
}

#[test]
fn null_everywhere_is_harmless() {
    for info in WATCHED {
        for object in [
            json!(null),
            json!([]),
            json!({}),
            json!({"metadata": null, "spec": null, "status": null}),
            json!({"metadata": {"name": "x", "labels": null, "managedFields": null, "ownerReferences": [null]}, "spec": {"template": null, "containers": [null],
                "hard": null, "limits": [null], "provider": null, "ingress": null, "ports": [null]}, "status": {"conditions": [null], "podIPs": [null]}, "endpoints": [null]}),
        ] {
            let _ = fact(info.kind, &object);
        }
    }
}

#[test]
fn one_odd_object_does_not_stop_a_page() {
    let page = json!({"metadata": {"resourceVersion": "7", "continue": "more"}, "items": [{"metadata": {"name": "a"}}, 7, null, "x", {"metadata": {}}, {"metadata": {"name": "b"}}]});
    let mut out = Vec::new();
    let info = project::list(Kind::Namespace, page.to_string().as_bytes(), &mut Interner::default(), &mut out).unwrap();
    assert_eq!((info.resource_version.as_str(), info.more.as_str(), info.odd, out.len()), ("7", "more", 3, 2));
    let mut out = Vec::new();
    assert!(project::list(Kind::Pod, br#"{"items":null}"#, &mut Interner::default(), &mut out).is_ok());
    assert!(project::list(Kind::Pod, b"<html>", &mut Interner::default(), &mut out).is_err());
}

#[test]
fn lines_of_a_watch_are_told_apart() {
    let mut interner = Interner::default();
    let mut line = |text: &str| project::line(Kind::Namespace, text.as_bytes(), &mut interner);
    let Ok(Seen::Moved { change: Some(Change::Put(_)), resource_version }) =
        line(r#"{"object":{"metadata":{"name":"a","resourceVersion":"5"}},"type":"ADDED"}"#)
    else {
        panic!()
    };
    assert_eq!(resource_version, "5");
    assert!(matches!(
        line(r#"{"type":"DELETED","object":{"metadata":{"name":"a"}}}"#),
        Ok(Seen::Moved { change: Some(Change::Gone { .. }), .. })
    ));
    let Ok(Seen::Moved { change: None, resource_version }) = line(r#"{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"9"}}}"#)
    else {
        panic!()
    };
    assert_eq!(resource_version, "9");
    assert!(matches!(line(r#"{"type":"ERROR","object":{"code":410}}"#), Ok(Seen::Error(_))));
    assert!(matches!(line(r#"{"type":"NEW","object":{}}"#), Ok(Seen::Nothing)));
    assert!(matches!(line(r#"{"type":"ADDED"}"#), Ok(Seen::Nothing)));
    assert!(line(r#"{"type":"ADDED","object":{"#).is_err());
}

/// Objects whose fields have the right names and any types.
fn any_object() -> impl Strategy<Value = Value> {
    let names = prop::sample::select(vec![
        "metadata",
        "spec",
        "status",
        "name",
        "namespace",
        "labels",
        "managedFields",
        "ownerReferences",
        "podSelector",
        "ingress",
        "egress",
        "from",
        "to",
        "ports",
        "port",
        "endPort",
        "ipBlock",
        "cidr",
        "except",
        "policyTypes",
        "matchLabels",
        "matchExpressions",
        "key",
        "operator",
        "values",
        "hard",
        "used",
        "limits",
        "requests",
        "containers",
        "initContainers",
        "resources",
        "template",
        "provider",
        "vault",
        "auth",
        "kubernetes",
        "conditions",
        "endpoints",
        "addresses",
        "involvedObject",
        "reason",
        "message",
        "count",
        "type",
        "scopes",
        "scopeSelector",
        "items",
        "object",
        "max",
        "default",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        prop::sample::select(vec!["10.0.0.0/8", "1Gi", "exceeded quota: x", "Ingress", "In", "TCP", "Always", "x"]).prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 96, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(names.clone(), inner, 0..8)
                .prop_map(|map| Value::from(map.into_iter().map(|(k, v)| (k.to_owned(), v)).collect::<serde_json::Map<_, _>>())),
        ]
    })
}

proptest! {
    #[test]
    fn no_object_makes_a_projection_panic(object in any_object(), name in "\\PC{0,8}") {
        let mut object = object;
        if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.insert("name".to_owned(), name.into());
        }
        let text = object.to_string();
        let mut interner = Interner::default();
        for info in WATCHED {
            if let Some(fact) = project::fact(info.kind, text.as_bytes(), &mut interner) {
                prop_assert_eq!(fact.kind(), info.kind);
            }
            let _ = project::line(info.kind, text.as_bytes(), &mut interner);
            let mut out = Vec::new();
            let _ = project::list(info.kind, text.as_bytes(), &mut interner, &mut out);
        }
    }

    #[test]
    fn no_bytes_make_a_projection_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut interner = Interner::default();
        for info in WATCHED {
            let _ = project::fact(info.kind, &bytes, &mut interner);
            let _ = project::line(info.kind, &bytes, &mut interner);
        }
    }
}
