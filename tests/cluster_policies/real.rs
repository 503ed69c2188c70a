//! The same samples through a real API server with the official CRDs: their schemas take them, fill in their defaults, and refuse what we
//! mark; and our watcher follows kinds that come and go.

use std::time::Duration;

use partywall::cluster::watch::{FollowHandle, follow};
use partywall::model::changes::{Change, Fact};
use partywall::model::kind::Kind;
use partywall::model::snapshot::Snapshot;
use partywall::model::source::SourceState;
use partywall::model::store::Store;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::battery::connect;
use super::projection::{fact, is_marked};
use super::samples::{Sample, older_admin, samples, without_meta};
use super::testbed::{Identity, Need, Session, Testbed, text};

/// What our watcher makes of a cluster, as long as it is asked.
struct Followed {
    store: Store,
    rx: mpsc::Receiver<Vec<Change>>,
    _handle: FollowHandle,
}

impl Followed {
    async fn by(bed: &Session, who: Identity) -> Self {
        let cluster = connect(&bed.kubeconfig(who), None).await;
        let (tx, rx) = mpsc::channel(64);
        let handle = follow(&cluster, tx);
        Self { store: Store::default(), rx, _handle: handle }
    }

    /// The first snapshot that is as wanted; fails with what was seen after 40 s.
    async fn until(&mut self, what: &str, wanted: impl Fn(&Snapshot) -> bool) -> Snapshot {
        let end = tokio::time::Instant::now() + Duration::from_secs(40);
        loop {
            let snapshot = self.store.publish().0;
            if wanted(&snapshot) {
                return (*snapshot).clone();
            }
            match tokio::time::timeout_at(end, self.rx.recv()).await {
                Ok(Some(batch)) => batch.into_iter().for_each(|change| self.store.apply(change)),
                _ => panic!("not seen: {what}; {:#?}", snapshot.sources),
            }
        }
    }
}

/// The fact of a policy in a snapshot.
fn held(snapshot: &Snapshot, kind: Kind, namespace: &str, name: &str) -> Option<Fact> {
    let key = (kind, name.into());
    match kind {
        Kind::AdminNetworkPolicy | Kind::BaselineAdminNetworkPolicy | Kind::ClusterNetworkPolicy => {
            snapshot.cluster.admin.get(&key).map(|fact| Fact::AdminPolicy((**fact).clone()))
        }
        Kind::CiliumNetworkPolicy => snapshot.namespace(namespace)?.cilium.get(name).map(|fact| Fact::CiliumPolicy((**fact).clone())),
        Kind::CiliumClusterwideNetworkPolicy => snapshot.cluster.cilium.get(name).map(|fact| Fact::CiliumPolicy((**fact).clone())),
        Kind::CiliumCIDRGroup => snapshot.cluster.cidr_groups.get(name).map(|fact| Fact::CidrGroup((**fact).clone())),
        _ => {
            let own = snapshot.cluster.foreign.get(&key).or_else(|| snapshot.namespace(namespace)?.foreign.get(&key));
            own.map(|fact| Fact::Foreign((**fact).clone()))
        }
    }
}

fn create(bed: &Session, object: &Value) -> Result<(), String> {
    let output = bed.kubectl_as(Identity::Admin, &["create", "--validate=ignore", "-f", "-"], &object.to_string());
    if output.status.success() { Ok(()) } else { Err(text(&output)) }
}

fn created(bed: &Session, object: &Value) {
    create(bed, object).unwrap_or_else(|why| panic!("{object}: {why}"));
}

fn place(sample: &Sample) -> (String, String) {
    let meta = sample.fact.meta();
    (meta.namespace.to_string(), meta.name.to_string())
}

#[tokio::test]
async fn samples_become_their_facts_through_the_official_schemas() {
    let Some(bed) = Testbed::alone(Need::OwnServers) else { return };
    bed.command_ok("crds", &[]);
    let mut followed = Followed::by(&bed, Identity::Viewer).await;
    let samples = samples();
    followed.until("every kind live", |s| samples.iter().all(|sample| s.source(sample.kind) == &SourceState::Live)).await;
    bed.kubectl(&["create", "namespace", "policy-samples"]);
    for sample in &samples {
        created(&bed, &sample.object);
    }
    let all_held = |s: &Snapshot| {
        samples.iter().all(|sample| {
            let (namespace, name) = place(sample);
            held(s, sample.kind, &namespace, &name).is_some()
        })
    };
    let snapshot = followed.until("every sample", all_held).await;
    for sample in &samples {
        let (namespace, name) = place(sample);
        let got = held(&snapshot, sample.kind, &namespace, &name).unwrap();
        assert!(got.meta().version > 0 && got.meta().uid.0 > 0 && got.meta().changed.is_some(), "{:?}", got.meta());
        assert_eq!(without_meta(got), sample.fact, "{}", sample.kind);
    }
    // the schema's default, and ours
    let protocol =
        bed.kubectl_ok(&["get", "adminnetworkpolicy", "sample-admin", "-o", "jsonpath={.spec.ingress[0].ports[0].portNumber.protocol}"]);
    assert_eq!(protocol, "TCP");

    refusals(&bed, &samples);

    // the same API version in its older shape
    bed.command_ok("crds", &["--older"]);
    let older = older_admin();
    // the server takes a moment to go by another schema, and until then drops what that one does not know
    let arguments = ["create", "--validate=ignore", "--dry-run=server", "-o", "json", "-f", "-"];
    let survives = || text(&bed.kubectl_as(Identity::Admin, &arguments, &older.object.to_string()));
    for _ in 0..60 {
        if survives().contains("notSameLabels") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    created(&bed, &older.object);
    // a watch that began under the other schema goes on by that one
    let mut followed = Followed::by(&bed, Identity::Viewer).await;
    let snapshot = followed.until("the older policy", |s| held(s, older.kind, "", "older-admin").is_some()).await;
    assert_eq!(without_meta(held(&snapshot, older.kind, "", "older-admin").unwrap()), older.fact);

    bed.command_ok("crds", &["--empty"]);
    followed
        .until("nothing left", |s| {
            s.cluster.admin.is_empty()
                && s.cluster.cilium.is_empty()
                && s.cluster.cidr_groups.is_empty()
                && s.namespace("policy-samples").is_none_or(|n| n.cilium.is_empty())
        })
        .await;
    bed.kubectl(&["delete", "namespace", "policy-samples", "--wait=false"]);
}

/// How many parts of an object can't be told.
fn marks(kind: Kind, object: &Value) -> usize {
    let text = format!("{:?}", fact(kind, object).unwrap());
    ["Unreadable(", "Unknown(", "unreadable: true", "Other("].iter().map(|mark| text.matches(mark).count()).sum()
}

/// What the schemas refuse is marked when it is read from a file; what they take although it means nothing is marked, too.
fn refusals(bed: &Session, samples: &[Sample]) {
    use Kind::{
        AdminNetworkPolicy as Admin, BaselineAdminNetworkPolicy as Baseline, CiliumCIDRGroup as Group, CiliumNetworkPolicy as Cilium,
        ClusterNetworkPolicy as Cluster,
    };
    let tcp = |port: Value| json!([{"tcp": {"destinationPort": port}}]);
    let spot = |kind: Kind, at: &str, value: Value| (kind, at.to_owned(), value);
    for (kind, at, value) in [
        spot(Admin, "/spec/priority", json!("first")),
        spot(Admin, "/spec/subject", json!({})),
        spot(Admin, "/spec/subject", json!({"namespaces": {}, "pods": {"namespaceSelector": {}, "podSelector": {}}})),
        spot(Admin, "/spec/ingress/0/action", json!("Accept")),
        spot(Admin, "/spec/ingress/0/from/0", json!({})),
        spot(Admin, "/spec/ingress/0/from/0", json!({"networks": ["10.0.0.0/8"]})),
        spot(Admin, "/spec/ingress/0/from/0", json!({"serviceAccounts": {}})),
        spot(Admin, "/spec/ingress/0/ports/0", json!({"portNumber": {"port": 0}})),
        spot(Admin, "/spec/ingress/0/ports/0", json!({"portNumber": {"port": 80}, "namedPort": "http"})),
        spot(Admin, "/spec/egress/0/to/1/networks/0", json!("10.0.0.0/33")),
        spot(Admin, "/spec/egress/0/to/1", json!({"networks": ["10.0.0.0/8"], "nodes": {}})),
        spot(Baseline, "/spec/ingress/0/action", json!("Pass")),
        spot(Cluster, "/spec/tier", json!("Middle")),
        spot(Cluster, "/spec/ingress/0/action", json!("Allow")),
        spot(Cluster, "/spec/ingress/0/protocols", tcp(json!({}))),
        spot(Cluster, "/spec/ingress/0/protocols", tcp(json!({"range": {"start": 9, "end": 8}}))),
        spot(Cluster, "/spec/ingress/0/protocols", tcp(json!({"number": 1, "range": {"start": 1, "end": 2}}))),
        spot(Cluster, "/spec/ingress/0/protocols", json!([{"tcp": {}}])),
        spot(Cluster, "/spec/ingress/0/protocols", json!([{"icmp": {}}])),
        spot(Cluster, "/spec/egress/1/to/0/networks/0", json!("192.168.0.0")),
        spot(Cilium, "/spec/nodeSelector", json!({})),
        spot(Cilium, "/spec/endpointSelector", json!("web")),
        spot(Cilium, "/spec/ingress/2/toPorts/0/ports/0/port", json!(80)),
        spot(Cilium, "/spec/ingress/2/toPorts/0/ports/0/protocol", json!("DCCP")),
        spot(Cilium, "/spec/ingress/3/fromCIDR/0", json!("10.0.0.0/33")),
        spot(Cilium, "/spec/ingressDeny/0/fromCIDRSet/0", json!({"cidr": "10.0.0.0/8", "cidrGroupRef": "partners"})),
        spot(Cilium, "/spec/ingressDeny/0/fromCIDRSet/0", json!({"except": ["10.0.0.0/8"]})),
        spot(Cilium, "/spec/egress/1/toFQDNs/0", json!({})),
        spot(Cilium, "/spec/enableDefaultDeny/ingress", json!("yes")),
        spot(Group, "/spec/externalCIDRs/0", json!("198.51.100.7")),
    ] {
        let broken = altered(samples, kind, &at, &value);
        let why = create(bed, &broken).expect_err(&format!("{kind} {at} = {value} was taken"));
        assert!(why.contains("invalid") || why.contains("Invalid") || why.contains("cannot unmarshal"), "{kind} {at}: {why}");
        let sound = &samples.iter().find(|sample| sample.kind == kind).unwrap().object;
        assert!(marks(kind, &broken) > marks(kind, sound), "{kind} {at} = {value}: refused there, not marked here");
    }
    // refused for what it says, though it can be read
    for (kind, at, value) in [
        spot(Admin, "/spec/priority", json!(1001)),
        spot(Admin, "/spec/ingress/1/from/0/pods", json!({"podSelector": {}})),
        spot(Cluster, "/spec/priority", json!(-1)),
        spot(Cilium, "/spec/ingress/2/fromEntities/0", json!("everyone")),
        spot(Cilium, "/spec/ingress/2/fromRequires", json!([{}])),
        spot(Admin, "/spec/egress/0/ports", json!([{"namedPort": "http"}])),
        spot(Cluster, "/spec/egress/1/protocols", json!([{"destinationNamedPort": "http"}])),
    ] {
        let broken = altered(samples, kind, &at, &value);
        assert!(create(bed, &broken).is_err(), "{kind} {at} = {value} was taken");
        assert!(fact(kind, &broken).is_some());
    }
    // taken, and yet without a meaning
    for (kind, at, value) in [
        spot(Admin, "/spec/ingress/0/ports/1/portRange", json!({"start": 9, "end": 8})),
        spot(Admin, "/spec/ingress/0/ports/0/portNumber", json!({"protocol": "ICMP", "port": 1})),
        spot(Cilium, "/spec/ingress/2/toPorts/0/ports/1", json!({"port": "90", "endPort": 80})),
        spot(Cilium, "/spec/ingress/2/toPorts/0/ports/0", json!({"port": "080"})),
        spot(Cilium, "/spec/ingress/3/fromEntities", json!(["all"])),
    ] {
        let mut odd = altered(samples, kind, &at, &value);
        odd["metadata"]["name"] = json!("odd");
        created(bed, &odd);
        let namespace = if kind == Cilium { "policy-samples" } else { "" };
        let mut arguments = vec!["delete", "-f", "-", "--wait=false"];
        if !namespace.is_empty() {
            arguments.extend(["-n", namespace]);
        }
        assert!(bed.kubectl_as(Identity::Admin, &arguments, &odd.to_string()).status.success());
        if at.ends_with("fromEntities") {
            let Some(Fact::CiliumPolicy(policy)) = fact(kind, &odd) else { panic!() };
            assert_eq!(policy.rules[0].ingress[3].peers.len(), 2, "both members are told, for the agent refuses such a policy");
        } else {
            assert!(is_marked(&fact(kind, &odd).unwrap()), "{kind} {at} = {value}");
        }
    }
}

/// A sample with one place changed, under a name of its own where the kind allows one.
fn altered(samples: &[Sample], kind: Kind, at: &str, value: &Value) -> Value {
    let mut object = samples.iter().find(|sample| sample.kind == kind).unwrap().object.clone();
    if kind != Kind::BaselineAdminNetworkPolicy {
        object["metadata"]["name"] = json!("altered");
    }
    if let Some(place) = object.pointer_mut(at) {
        *place = value.clone();
    } else {
        let (parent, key) = at.rsplit_once('/').unwrap();
        object.pointer_mut(parent).unwrap_or_else(|| panic!("no {at}"))[key] = value.clone();
    }
    object
}

#[tokio::test]
async fn of_the_config_maps_a_viewer_sees_only_ciliums() {
    let Some(bed) = Testbed::alone(Need::OwnServers) else { return };
    let mut followed = Followed::by(&bed, Identity::Viewer).await;
    followed.until("live with nothing", |s| s.source(Kind::CiliumConfig) == &SourceState::Live && s.cluster.cilium_config.is_none()).await;
    let all = bed.kubectl_as(Identity::Viewer, &["get", "configmaps", "-n", "kube-system"], "");
    assert!(!all.status.success() && text(&all).contains("Forbidden"), "{}", text(&all));
    let config = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "cilium-config", "namespace": "kube-system"}, "data": {"enable-policy": "default", "policy-audit-mode": "true"}});
    created(&bed, &config);
    let snapshot = followed.until("the configuration", |s| s.cluster.cilium_config.is_some()).await;
    let read = snapshot.cluster.cilium_config.as_ref().unwrap();
    assert_eq!((read.enable_policy.as_deref(), read.audit_mode, read.host_firewall), (Some("default"), Some(true), None));
    bed.kubectl_ok(&["delete", "configmap", "cilium-config", "-n", "kube-system"]);
    followed.until("gone", |s| s.cluster.cilium_config.is_none()).await;
    // who may not read it is told so, and reads the rest
    let mut blind = Followed::by(&bed, Identity::NsLister).await;
    let snapshot =
        blind.until("denied", |s| s.source(Kind::CiliumConfig).word() == "denied" && s.source(Kind::Namespace) == &SourceState::Live).await;
    assert!(snapshot.source(Kind::CiliumConfig).why().unwrap().starts_with("you may not list configmaps cilium-config in kube-system"));
}

/// A CRD of our own for a kind of which only the metadata is read.
fn crd(group: &str, version: &str, plural: &str, kind: &str, namespaced: bool) -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": format!("{plural}.{group}"),
            "annotations": {"api-approved.kubernetes.io": "unapproved, a test"}},
        "spec": {"group": group, "scope": if namespaced { "Namespaced" } else { "Cluster" }, "names": {"plural": plural, "singular": kind.to_lowercase(), "kind": kind},
            "versions": [{"name": version, "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}]},
    })
}

#[tokio::test]
async fn kinds_come_and_go_with_their_crds() {
    let Some(bed) = Testbed::alone(Need::OwnServers) else { return };
    let foreign = [
        (Kind::CalicoNetworkPolicy, "crd.projectcalico.org", "v1", "networkpolicies", "NetworkPolicy", true),
        // where Calico's own CRD of a kind is missing, that of its API server is taken
        (Kind::CalicoGlobalNetworkPolicy, "projectcalico.org", "v3", "globalnetworkpolicies", "GlobalNetworkPolicy", false),
        (Kind::AntreaNetworkPolicy, "crd.antrea.io", "v1beta1", "networkpolicies", "NetworkPolicy", true),
        (Kind::AntreaClusterNetworkPolicy, "crd.antrea.io", "v1beta1", "clusternetworkpolicies", "ClusterNetworkPolicy", false),
        (Kind::EgressFirewall, "k8s.ovn.org", "v1", "egressfirewalls", "EgressFirewall", true),
        // an older version than the one we know best
        (Kind::AuthorizationPolicy, "security.istio.io", "v1beta1", "authorizationpolicies", "AuthorizationPolicy", true),
    ];
    let crds: Vec<Value> =
        foreign.iter().map(|(_, group, version, plural, kind, namespaced)| crd(group, version, plural, kind, *namespaced)).collect();
    let crds = json!({"apiVersion": "v1", "kind": "List", "items": crds}).to_string();
    bed.kubectl_as(Identity::Admin, &["delete", "--ignore-not-found", "-f", "-"], &crds);
    let mut followed = Followed::by(&bed, Identity::Viewer).await;
    followed.until("all absent", |s| foreign.iter().all(|(kind, ..)| s.source(*kind) == &SourceState::Absent)).await;

    let made = bed.kubectl_as(Identity::Admin, &["create", "-f", "-"], &crds);
    assert!(made.status.success(), "{}", text(&made));
    followed.until("all live", |s| foreign.iter().all(|(kind, ..)| s.source(*kind) == &SourceState::Live)).await;
    for (_, group, version, _, kind, namespaced) in &foreign {
        let metadata = if *namespaced { json!({"name": "wall", "namespace": "default"}) } else { json!({"name": "wall"}) };
        created(
            &bed,
            &json!({"apiVersion": format!("{group}/{version}"), "kind": kind, "metadata": metadata, "spec": {"anything": ["at", "all"]}}),
        );
    }
    let is_held = |s: &Snapshot, kind: Kind| held(s, kind, "default", "wall").is_some_and(|fact| fact.kind() == kind);
    followed.until("all held", |s| foreign.iter().all(|(kind, ..)| is_held(s, *kind))).await;

    let gone = bed.kubectl_as(Identity::Admin, &["delete", "-f", "-"], &crds);
    assert!(gone.status.success(), "{}", text(&gone));
    let snapshot = followed.until("all absent again", |s| foreign.iter().all(|(kind, ..)| s.source(*kind) == &SourceState::Absent)).await;
    assert!(foreign.iter().all(|(kind, ..)| !is_held(&snapshot, *kind)), "their objects went with them");
}
