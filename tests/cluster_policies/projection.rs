//! What samples become, whole and broken, without any server.

use partywall::cluster::project;
use partywall::model::adminpolicy::{AdminPolicyFact, Tier, TierAction, TierPeer, TierSubject};
use partywall::model::changes::Fact;
use partywall::model::ciliumpolicy::{CiliumBlock, CiliumEntry, CiliumPeers, CiliumPolicyFact, CiliumSubject};
use partywall::model::intern::Interner;
use partywall::model::kind::Kind;
use partywall::model::labels::LabelSelector;
use partywall::model::networkpolicy::PortMatch;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::samples::{Sample, older_admin, samples, without_meta};

pub fn fact(kind: Kind, object: &Value) -> Option<Fact> {
    project::fact(kind, object.to_string().as_bytes(), &mut Interner::default())
}

fn admin(kind: Kind, spec: Value) -> AdminPolicyFact {
    match fact(kind, &json!({"metadata": {"name": "p", "generation": 3}, "spec": spec})) {
        Some(Fact::AdminPolicy(policy)) => policy,
        other => panic!("{other:?}"),
    }
}

fn cilium(spec: Value) -> CiliumPolicyFact {
    match fact(Kind::CiliumNetworkPolicy, &json!({"metadata": {"name": "p", "namespace": "n", "generation": 3}, "spec": spec})) {
        Some(Fact::CiliumPolicy(policy)) => policy,
        other => panic!("{other:?}"),
    }
}

fn entry(entry: Value) -> CiliumEntry {
    let key = if entry.to_string().contains("\"to") && !entry.to_string().contains("\"from") { "egress" } else { "ingress" };
    let rule = &cilium(json!({"endpointSelector": {}, key: [entry]})).rules[0];
    [&rule.ingress, &rule.egress].into_iter().flatten().next().unwrap().clone()
}

#[test]
fn samples_become_exactly_their_facts() {
    for sample in samples().into_iter().chain([older_admin()]) {
        assert_eq!(without_meta(fact(sample.kind, &sample.object).unwrap()), sample.fact, "{}", sample.kind);
    }
}

/// Every place in a value, as JSON pointers.
fn places(value: &Value, at: &str, out: &mut Vec<String>) {
    out.push(at.to_owned());
    match value {
        Value::Object(map) => {
            map.iter().for_each(|(key, inner)| places(inner, &format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), out));
        }
        Value::Array(list) => list.iter().enumerate().for_each(|(i, inner)| places(inner, &format!("{at}/{i}"), out)),
        _ => {}
    }
}

/// Whether a fact says anywhere that it can't tell.
pub fn is_marked(fact: &Fact) -> bool {
    let text = format!("{fact:?}");
    ["Unreadable(", "Unknown(", "unreadable: true", "Other("].iter().any(|mark| text.contains(mark))
}

/// Fields whose value decides nothing, or is passed on as it stands.
fn is_free(place: &str, value: &Value) -> bool {
    let last = place.rsplit('/').next().unwrap_or_default();
    last == "name" && !value.is_object()
        || place.contains("/rules/") // filters are not read; that there are any is enough
        || place.contains("/fields")
        || ["rules", "authentication", "mode", "serverNames", "icmps"].contains(&last)
        || place.contains("/serverNames/")
        || place.contains("/icmps/")
}

/// No wrong type anywhere in a policy can make it look like one that was read: there is a mark, or nothing at all changed.
#[test]
fn a_wrong_type_at_any_place_is_marked() {
    let odd = [json!(7.5), json!(true), json!("\u{1b}[31m odd"), json!([7]), json!([[]]), json!({"odd": 7}), json!(-1)];
    let mut tried = 0;
    for Sample { kind, mut object, .. } in samples() {
        // without what is never evaluated
        for (list, at) in [("/spec/egress", 2), ("/specs", 1)] {
            if let Some(list) = object.pointer_mut(list).and_then(Value::as_array_mut).filter(|list| list.len() > at) {
                list.remove(at);
            }
        }
        assert!(!is_marked(&fact(kind, &object).unwrap()), "{object}");
        let mut all = Vec::new();
        for part in ["spec", "specs"] {
            if let Some(value) = object.get(part) {
                places(value, &format!("/{part}"), &mut all);
            }
        }
        for place in all {
            let original = object.pointer(&place).unwrap();
            if is_free(&place, original) {
                continue;
            }
            for odd in &odd {
                let same_type = std::mem::discriminant(odd) == std::mem::discriminant(original);
                if same_type {
                    continue;
                }
                let mut broken = object.clone();
                *broken.pointer_mut(&place).unwrap() = odd.clone();
                let got = without_meta(fact(kind, &broken).unwrap_or_else(|| panic!("{kind} {place} = {odd}: dropped")));
                tried += 1;
                assert!(is_marked(&got), "{kind} {place} = {odd}: {got:?}");
            }
        }
    }
    assert!(tried > 1000, "{tried}");
}

#[test]
fn a_tier_or_a_place_in_it_that_cannot_be_read_is_marked() {
    let subject = json!({"namespaces": {}});
    for (kind, spec, tier) in [
        (Kind::AdminNetworkPolicy, json!({"priority": 0, "subject": subject}), Some(Tier::Admin)),
        (Kind::AdminNetworkPolicy, json!({"subject": subject}), None),
        (Kind::AdminNetworkPolicy, json!({"priority": 1_i64 << 40, "subject": subject}), None),
        (Kind::BaselineAdminNetworkPolicy, json!({"subject": subject}), Some(Tier::Baseline)),
        (Kind::ClusterNetworkPolicy, json!({"tier": "Admin", "priority": 3, "subject": subject}), Some(Tier::Admin)),
        (Kind::ClusterNetworkPolicy, json!({"tier": "admin", "priority": 3, "subject": subject}), None),
        (Kind::ClusterNetworkPolicy, json!({"priority": 3, "subject": subject}), None),
    ] {
        let got = admin(kind, spec.clone());
        assert_eq!(got.meta.version, 3);
        match tier {
            Some(tier) => assert_eq!(got.tier, tier, "{spec}"),
            None => assert!(matches!(got.tier, Tier::Unreadable(_)), "{spec}: {got:?}"),
        }
    }
    // without a spec, everything is open
    let bare = fact(Kind::AdminNetworkPolicy, &json!({"metadata": {"name": "p"}})).unwrap();
    assert!(is_marked(&bare), "{bare:?}");
}

#[test]
fn peers_and_subjects_of_tiers_fail_closed() {
    let peers = |kind: Kind, side: &str, peer: Value| {
        let (rules, list) = if side == "ingress" { ("ingress", "from") } else { ("egress", "to") };
        let policy =
            admin(kind, json!({"priority": 1, "tier": "Admin", "subject": {"namespaces": {}}, rules: [{"action": "Deny", list: [peer]}]}));
        let rules = if side == "ingress" { policy.ingress } else { policy.egress };
        rules[0].peers.clone()
    };
    for (kind, side, peer) in [
        (Kind::AdminNetworkPolicy, "ingress", json!({})),
        (Kind::AdminNetworkPolicy, "ingress", json!(null)),
        (Kind::AdminNetworkPolicy, "ingress", json!({"serviceAccounts": {}})),
        (Kind::AdminNetworkPolicy, "ingress", json!({"networks": ["10.0.0.0/8"]})),
        (Kind::AdminNetworkPolicy, "ingress", json!({"nodes": {}})),
        (Kind::AdminNetworkPolicy, "egress", json!({"namespaces": {}, "networks": ["10.0.0.0/8"]})),
        (Kind::AdminNetworkPolicy, "egress", json!({"pods": []})),
        (Kind::AdminNetworkPolicy, "egress", json!({"networks": ["10.0.0.0/33"]})),
        (Kind::AdminNetworkPolicy, "egress", json!({"networks": [7]})),
        (Kind::AdminNetworkPolicy, "egress", json!({"domainNames": [null]})),
        (Kind::AdminNetworkPolicy, "egress", json!({"namespaces": {"sameLabels": ["a"]}})),
    ] {
        let got = peers(kind, side, peer.clone());
        assert!(matches!(got[..], [TierPeer::Unreadable(_)]), "{peer}: {got:?}");
    }
    // a selector that is left out is an empty one
    for pods in [json!({"podSelector": {}}), json!({"namespaceSelector": {}}), json!({})] {
        let got = peers(Kind::AdminNetworkPolicy, "egress", json!({"pods": pods}));
        let everything = |selector: &LabelSelector| selector.is_everything();
        assert!(matches!(&got[..], [TierPeer::Pods { namespaces, pods }] if everything(namespaces) && everything(pods)), "{pods}: {got:?}");
    }
    // what can be read of a list is kept beside the mark
    let mixed = peers(Kind::AdminNetworkPolicy, "egress", json!({"networks": ["10.1.2.3/8", "x"]}));
    assert!(matches!(&mixed[..], [TierPeer::Unreadable(_), TierPeer::Networks(list)] if list[0].to_string() == "10.0.0.0/8"), "{mixed:?}");
    let none = peers(Kind::AdminNetworkPolicy, "egress", json!({"networks": []}));
    assert!(matches!(&none[..], [TierPeer::Networks(list)] if list.is_empty()), "{none:?}");
    for subject in
        [json!(null), json!({}), json!({"nodes": {}}), json!({"namespaces": {}, "pods": {"namespaceSelector": {}, "podSelector": {}}})]
    {
        let policy = admin(Kind::AdminNetworkPolicy, json!({"priority": 1, "subject": subject}));
        assert!(matches!(policy.subject, TierSubject::Unreadable(_)), "{subject}");
    }
    // no peer at all matches nothing, and is no mark: the API refuses it
    let nobody = admin(Kind::AdminNetworkPolicy, json!({"priority": 1, "subject": {"namespaces": {}}, "ingress": [{"action": "Allow"}]}));
    assert!(nobody.ingress[0].peers.is_empty());
}

#[test]
fn actions_are_those_of_the_kind() {
    use Kind::{AdminNetworkPolicy as Admin, BaselineAdminNetworkPolicy as Baseline, ClusterNetworkPolicy as Cluster};
    let action = |kind: Kind, text: &str| {
        let rule = json!({"action": text, "from": [{"namespaces": {}}]});
        admin(kind, json!({"priority": 1, "tier": "Admin", "subject": {"namespaces": {}}, "ingress": [rule]})).ingress[0].action.clone()
    };
    for (kind, text, expected) in [
        (Admin, "Allow", Some(TierAction::Allow)),
        (Admin, "Deny", Some(TierAction::Deny)),
        (Admin, "Pass", Some(TierAction::Pass)),
        (Admin, "Accept", None),
        (Baseline, "Allow", Some(TierAction::Allow)),
        (Baseline, "Pass", None),
        (Cluster, "Accept", Some(TierAction::Allow)),
        (Cluster, "Pass", Some(TierAction::Pass)),
        (Cluster, "Allow", None),
        (Cluster, "", None),
    ] {
        let got = action(kind, text);
        assert_eq!(matches!(got, TierAction::Unreadable(_)), expected.is_none(), "{kind} {text}: {got:?}");
        if let Some(expected) = expected {
            assert_eq!(got, expected);
        }
    }
}

#[test]
fn ports_of_tiers_that_cannot_be_read_are_marked() {
    let ports = |kind: Kind, port: Value| {
        let key = if kind == Kind::ClusterNetworkPolicy { "protocols" } else { "ports" };
        let rule = json!({"action": "Deny", "from": [{"namespaces": {}}], key: port});
        admin(kind, json!({"priority": 1, "tier": "Admin", "subject": {"namespaces": {}}, "ingress": [rule]})).ingress[0].ports.clone()
    };
    for (kind, port) in [
        (Kind::AdminNetworkPolicy, json!({})),
        (Kind::AdminNetworkPolicy, json!({"portNumber": {"protocol": "TCP"}})),
        (Kind::AdminNetworkPolicy, json!({"portNumber": {"port": 0}})),
        (Kind::AdminNetworkPolicy, json!({"portRange": {"start": 9, "end": 8}})),
        (Kind::AdminNetworkPolicy, json!({"portNumber": {"port": 80}, "namedPort": "http"})),
        (Kind::AdminNetworkPolicy, json!({"namedPort": ""})),
        (Kind::ClusterNetworkPolicy, json!({"icmp": {}})),
        (Kind::ClusterNetworkPolicy, json!({"tcp": {}})),
        (Kind::ClusterNetworkPolicy, json!({"tcp": {"destinationPort": {}}})),
        (Kind::ClusterNetworkPolicy, json!({"tcp": {"destinationPort": {"number": 1, "range": {"start": 1, "end": 2}}}})),
        (Kind::ClusterNetworkPolicy, json!({"tcp": {"destinationPort": {"number": 1}}, "udp": {"destinationPort": {"number": 1}}})),
    ] {
        let got = ports(kind, json!([port])).unwrap();
        assert!(matches!(&got[..], [one] if matches!(one.port, PortMatch::Unreadable(_))), "{port}: {got:?}");
    }
    assert_eq!(ports(Kind::AdminNetworkPolicy, json!(null)), None);
    assert_eq!(ports(Kind::AdminNetworkPolicy, json!([])), Some(Box::default()), "matches nothing");
}

#[test]
fn cilium_subjects_are_exactly_one() {
    let subject = |spec: Value| cilium(spec).rules[0].subject.clone();
    assert!(matches!(subject(json!({"endpointSelector": {}})), CiliumSubject::Endpoints(_)));
    for spec in
        [json!({}), json!({"endpointSelector": null}), json!({"nodeSelector": {}}), json!({"endpointSelector": {}, "nodeSelector": {}})]
    {
        assert!(matches!(subject(spec.clone()), CiliumSubject::Unreadable(_)), "{spec}");
    }
}

#[test]
fn cilium_peers_say_nobody_anybody_or_that_they_cannot_be_read() {
    assert!(entry(json!({})).peers.is_empty());
    assert!(entry(json!({"fromEndpoints": null})).peers.is_empty());
    // the agent passes over these when they are empty, and selects nobody by the others
    for over in ["toServices", "toFQDNs", "toGroups"] {
        assert!(entry(json!({over: []})).peers.is_empty(), "{over}");
    }
    for nobody in ["fromEndpoints", "fromEntities", "fromCIDR", "fromCIDRSet", "fromNodes"] {
        let got = entry(json!({nobody: [], "fromGroups": [{}]}));
        assert_eq!(got.peers.len(), 1, "{nobody}: {got:?}");
        assert!(!matches!(got.peers[0], CiliumPeers::Unreadable(_)), "{nobody}: {got:?}");
    }
    for odd in [
        json!({"fromEndpoints": "x"}),
        json!({"fromEntities": [7]}),
        json!({"fromGroups": [{}]}),
        json!({"fromStars": [{}]}),
        json!({"fromEndpoints": [{}], "toServices": [{"k8sService": {"serviceName": "x"}}]}),
        json!({"toServices": [{}]}),
        json!({"toServices": [{"k8sService": {"namespace": "x"}}]}),
        json!({"toFQDNs": [{"matchName": "a", "matchPattern": "b"}]}),
        json!({"toFQDNs": [{}]}),
        json!({"fromEntities": ["all"], "icmps": [{}], "toPorts": [{"ports": [{"port": "1"}]}]}),
    ] {
        let got = entry(odd.clone());
        assert!(got.peers.iter().any(|peer| matches!(peer, CiliumPeers::Unreadable(_))), "{odd}: {got:?}");
    }
    for (block, readable) in [
        (json!({"cidr": "10.0.0.0/8"}), true),
        (json!({"cidr": "10.0.0.0/8", "except": ["11.0.0.0/16"]}), false),
        (json!({"cidr": "10.0.0.0/8", "except": [7]}), false),
        (json!({"cidr": "10.0.0.1"}), false),
        (json!({"cidrGroupRef": "g", "except": ["10.0.0.0/8"]}), true),
        (json!({"cidr": "10.0.0.0/8", "cidrGroupRef": "g"}), false),
        (json!({}), false),
        (json!(null), false),
    ] {
        let got = entry(json!({"fromCIDRSet": [block]}));
        let CiliumPeers::Blocks(blocks) = &got.peers[0] else { panic!("{got:?}") };
        assert_eq!(!matches!(blocks[0], CiliumBlock::Unreadable(_)), readable, "{block}");
    }
    let address = entry(json!({"fromCIDR": ["10.0.0.1", "fd00::1", "x"]}));
    let CiliumPeers::Blocks(blocks) = &address.peers[0] else { panic!("{address:?}") };
    assert!(matches!(&blocks[0], CiliumBlock::Range { cidr, .. } if cidr.to_string() == "10.0.0.1/32"));
    assert!(matches!(&blocks[2], CiliumBlock::Unreadable(_)));
    let required = entry(json!({"fromRequires": [{"matchLabels": {"a": "b"}}, 7]}));
    assert_eq!(required.requires.len(), 2);
}

#[test]
fn cilium_ports_are_the_agents() {
    let ports = |port: Value| entry(json!({"fromEntities": ["all"], "toPorts": [{"ports": [port]}]})).ports.unwrap()[0].ports.clone();
    for (port, expected) in [
        (json!({"port": "80"}), PortMatch::Range(80, 80)),
        (json!({"port": "80", "endPort": 0}), PortMatch::Range(80, 80)),
        (json!({"port": "80", "endPort": 90}), PortMatch::Range(80, 90)),
        (json!({"port": "0"}), PortMatch::Any),
        (json!({"port": "Web"}), PortMatch::Named("web".into())),
        (json!({"protocol": "ICMP"}), PortMatch::Any),
    ] {
        assert_eq!(ports(port.clone())[0].port, expected, "{port}");
    }
    assert_eq!(ports(json!({"port": "80"})).len(), 3);
    assert_eq!(ports(json!({"port": "80", "protocol": "UDP"})).len(), 1);
    for odd in [
        json!({"port": 80}),
        json!({}),
        json!({"protocol": "TCP"}),
        json!({"port": "010"}),
        json!({"port": "70000"}),
        json!({"port": "80", "endPort": 79}),
        json!({"port": "0", "endPort": 79}),
        json!({"port": "web", "endPort": 79}),
        json!({"port": "80", "endPort": "x"}),
        json!({"port": "80", "protocol": 6}),
        json!(null),
    ] {
        let got = ports(odd.clone());
        assert!(matches!(got[0].port, PortMatch::Unreadable(_)), "{odd}: {got:?}");
    }
    // of an element without ports the agent makes nothing; no element at all is no limit
    assert_eq!(entry(json!({"fromEntities": ["all"], "toPorts": [{}]})).ports, Some(Box::default()));
    assert_eq!(entry(json!({"fromEntities": ["all"], "toPorts": []})).ports, None);
    let filtered = |element: Value| entry(json!({"fromEntities": ["all"], "toPorts": [element]})).ports.unwrap()[0].filtered;
    for (element, expected) in [
        (json!({"ports": [{"port": "80"}], "rules": {"http": []}}), false),
        (json!({"ports": [{"port": "80"}], "rules": {}}), false),
        (json!({"ports": [{"port": "80"}], "rules": {"http": [{}]}}), true),
        (json!({"ports": [{"port": "80"}], "rules": {"kafka": 7}}), true),
        (json!({"ports": [{"port": "80"}], "serverNames": ["a"]}), true),
        (json!({"ports": [{"port": "80"}], "listener": {"name": "x"}}), true),
        (json!({"ports": [{"port": "80"}], "terminatingTLS": {}}), true),
    ] {
        assert_eq!(filtered(element.clone()), expected, "{element}");
    }
}

#[test]
fn the_configuration_of_cilium_is_read_from_its_own_config_map_only() {
    let config = |namespace: &str, name: &str, data: Value| {
        fact(Kind::CiliumConfig, &json!({"metadata": {"name": name, "namespace": namespace, "resourceVersion": "9"}, "data": data}))
    };
    let data = json!({"enable-policy": "always", "policy-audit-mode": "true", "allow-localhost": "policy", "policy-cidr-match-mode": "nodes",
        "enable-k8s-networkpolicy": "false", "enable-host-firewall": "maybe", "canary": "4711"});
    let Some(Fact::CiliumConfig(read)) = config("kube-system", "cilium-config", data) else { panic!() };
    assert_eq!((read.enable_policy.as_deref(), read.allow_localhost.as_deref()), (Some("always"), Some("policy")));
    assert_eq!(read.cidr_match_mode.as_deref(), Some("nodes"));
    assert_eq!((read.audit_mode, read.k8s_network_policy, read.host_firewall), (Some(true), Some(false), None));
    // its version moves with what is kept, and with nothing else
    let version = |data: Value| match config("kube-system", "cilium-config", data) {
        Some(Fact::CiliumConfig(config)) => config.meta.version,
        other => panic!("{other:?}"),
    };
    assert_eq!(version(json!({"enable-policy": "never", "x": "1"})), version(json!({"x": "2", "enable-policy": "never"})));
    assert_ne!(version(json!({"enable-policy": "never"})), version(json!({"enable-policy": "always"})));
    assert!(config("kube-system", "other", json!({})).is_none());
    assert!(config("web-tenant-acme", "cilium-config", json!({})).is_none());
    assert!(config("kube-system", "cilium-config", json!("x")).is_some());
}

#[test]
fn what_cannot_be_read_of_a_range_group_is_told() {
    let group = |spec: Value| match fact(Kind::CiliumCIDRGroup, &json!({"metadata": {"name": "g"}, "spec": spec})) {
        Some(Fact::CidrGroup(group)) => (group.cidrs.len(), group.unreadable),
        other => panic!("{other:?}"),
    };
    assert_eq!(group(json!({"externalCIDRs": ["10.0.0.0/8"]})), (1, false));
    assert_eq!(group(json!({"externalCIDRs": []})), (0, false));
    assert_eq!(group(json!({"externalCIDRs": ["10.0.0.0/8", "x", 7]})), (1, true));
    assert_eq!(group(json!({"externalCIDRs": "x"})), (0, true));
    assert_eq!(group(json!({})), (0, true));
}

/// Objects with the keys of these kinds and any types under them.
fn any_policy() -> impl Strategy<Value = Value> {
    let mut keys = Vec::new();
    for sample in samples() {
        let mut all = Vec::new();
        places(&sample.object, "", &mut all);
        keys.extend(all.iter().filter_map(|place| place.rsplit('/').next()).filter(|key| key.parse::<u8>().is_err()).map(str::to_owned));
    }
    keys.sort();
    keys.dedup();
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        prop::sample::select(vec!["10.0.0.0/8", "Allow", "Accept", "Admin", "TCP", "80", "0", "In", "x", "default"]).prop_map(Value::from),
    ];
    leaf.prop_recursive(8, 128, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((prop::sample::select(keys.clone()), inner), 0..6)
                .prop_map(|pairs| Value::from(pairs.into_iter().collect::<serde_json::Map<_, _>>())),
        ]
    })
}

proptest! {
    #[test]
    fn no_policy_makes_a_projection_panic_or_is_dropped(spec in any_policy(), specs in any_policy(), data in any_policy()) {
        for sample in samples() {
            let object = json!({"metadata": {"name": "p", "namespace": "n"}, "spec": spec, "specs": specs, "data": data});
            let read = fact(sample.kind, &object);
            prop_assert!(read.is_some_and(|read| read.kind() == sample.kind));
        }
        let config = json!({"metadata": {"name": "cilium-config", "namespace": "kube-system"}, "data": data});
        prop_assert!(fact(Kind::CiliumConfig, &config).is_some());
    }

    /// A sample with anything at all in one of its places is never dropped, and says what it can't tell.
    #[test]
    fn a_sample_with_anything_in_it_is_kept(which in any::<prop::sample::Index>(), place in any::<prop::sample::Index>(), anything in any_policy()) {
        let all = samples();
        let sample = &all[which.index(all.len())];
        let mut spots = Vec::new();
        places(&sample.object["spec"], "/spec", &mut spots);
        let mut broken = sample.object.clone();
        *broken.pointer_mut(&spots[place.index(spots.len())]).unwrap() = anything;
        prop_assert!(fact(sample.kind, &broken).is_some());
    }
}
