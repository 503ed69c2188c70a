//! The same samples through a real API server with the official CRDs, statuses written as their controllers would; and our watcher follows
//! what changes, what is of an older version, and what is not there.

use std::time::Duration;

use partywall::cluster::watch::{FollowHandle, follow};
use partywall::cluster::{Cluster, ConnectOptions};
use partywall::model::changes::{Change, Fact};
use partywall::model::consumer::ConsumerSpec;
use partywall::model::event::Authority;
use partywall::model::kind::{Kind, WATCHED};
use partywall::model::rbac::{ASKERS, READS, SECRETS, WRITES};
use partywall::model::snapshot::Snapshot;
use partywall::model::source::SourceState;
use partywall::model::store::Store;
use partywall::posture::rbac::scope;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::projection::{annotations, injected, taken, taking};
use super::samples::{NAMESPACE, Sample, WHEN, samples, without_meta};
use super::testbed::{Identity, Need, Session, Testbed, text};

/// What our watcher makes of a cluster, as long as it is asked.
struct Followed {
    store: Store,
    rx: mpsc::Receiver<Vec<Change>>,
    _handle: FollowHandle,
}

impl Followed {
    async fn by(bed: &Session, who: Identity) -> Self {
        let options = ConnectOptions { kubeconfig: Some(bed.kubeconfig(who)), ..ConnectOptions::default() };
        let cluster = Cluster::connect(options).await.unwrap();
        let (tx, rx) = mpsc::channel(64);
        let handle = follow(&cluster, tx);
        Self { store: Store::default(), rx, _handle: handle }
    }

    /// The first snapshot that is as wanted; fails with what was seen after 60 s.
    async fn until(&mut self, what: &str, wanted: impl Fn(&Snapshot) -> bool) -> Snapshot {
        let end = tokio::time::Instant::now() + Duration::from_secs(60);
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

/// The fact of a sample in a snapshot.
fn held(snapshot: &Snapshot, fact: &Fact) -> Option<Fact> {
    let (kind, meta) = (fact.kind(), fact.meta());
    let namespace = snapshot.namespace(&meta.namespace);
    let key = (kind, meta.name.clone());
    match kind {
        Kind::SecretStore => namespace?.secret_stores.get(&meta.name).map(|fact| Fact::SecretStore((**fact).clone())),
        Kind::ClusterSecretStore => snapshot.cluster.stores.get(&meta.name).map(|fact| Fact::SecretStore((**fact).clone())),
        Kind::ClusterExternalSecret => snapshot.cluster.consumers.get(&key).map(|fact| Fact::Consumer((**fact).clone())),
        _ => namespace?.consumers.get(&key).map(|fact| Fact::Consumer((**fact).clone())),
    }
}

fn apply(bed: &Session, verb: &str, object: &Value) {
    let output = bed.kubectl_as(Identity::Admin, &[verb, "--validate=ignore", "-f", "-"], &object.to_string());
    assert!(output.status.success(), "{object}: {}", text(&output));
}

/// The namespace of the samples without what an earlier test left, which may still be on its way out.
fn fresh_namespace(bed: &Session) {
    bed.kubectl(&["delete", "namespace", NAMESPACE, "--ignore-not-found"]);
    bed.kubectl_ok(&["create", "namespace", NAMESPACE]);
}

/// Writes a status as a controller does.
fn write_status(bed: &Session, sample: &Sample) {
    let Some(status) = &sample.status else { return };
    let info = sample.kind.info().unwrap();
    let resource = format!("{}.{}", info.plural, info.group);
    let patch = json!({"status": status}).to_string();
    let name = sample.fact.meta().name.to_string();
    let mut arguments = vec!["patch", &resource, &name, "--subresource=status", "--type=merge", "-p", &patch];
    if info.namespaced {
        arguments.extend(["-n", NAMESPACE]);
    }
    bed.kubectl_ok(&arguments);
}

fn event(name: &str, kind: &str, about: &str, reason: &str, message: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Event", "metadata": {"name": name, "namespace": NAMESPACE}, "type": "Warning", "reason": reason,
        "involvedObject": {"apiVersion": "external-secrets.io/v1", "kind": kind, "namespace": NAMESPACE, "name": about},
        "message": message, "firstTimestamp": WHEN, "lastTimestamp": WHEN, "count": 2, "source": {"component": "external-secrets"},
    })
}

const FOREIGN: &str = "error processing spec.data[0] (key: web-tenant-globex/db), err: cannot read secret data from Vault: Error making API request.\n\nURL: GET http://vault:8200/v1/secret/data/web-tenant-globex/db\nCode: 403. Errors:\n\n* 1 error occurred:\n\t* permission denied\n\n";

#[tokio::test]
async fn samples_become_their_facts_through_the_official_schemas() {
    let Some(bed) = Testbed::alone(Need::OwnServers) else { return };
    bed.command_ok("crds", &[]);
    bed.kubectl(&["delete", "namespace", NAMESPACE, "--ignore-not-found"]);
    let mut followed = Followed::by(&bed, Identity::Viewer).await;
    let samples = samples();
    followed.until("every kind live", |s| samples.iter().all(|sample| s.source(sample.kind) == &SourceState::Live)).await;
    bed.kubectl_ok(&["create", "namespace", NAMESPACE]);
    for sample in &samples {
        apply(&bed, "create", &sample.object);
        write_status(&bed, sample);
    }
    let as_wanted = |s: &Snapshot, sample: &Sample| held(s, &sample.fact).is_some_and(|got| without_meta(got) == sample.fact);
    let there = |s: &Snapshot, sample: &Sample| {
        // the status comes after the object
        let ready = |fact: &Fact| match fact {
            Fact::SecretStore(store) => store.ready.is_some(),
            Fact::Consumer(consumer) => consumer.ready.is_some(),
            _ => false,
        };
        held(s, &sample.fact).is_some_and(|got| ready(&got) == sample.status.is_some())
    };
    let snapshot = followed.until("every sample", |s| samples.iter().all(|sample| there(s, sample))).await;
    for sample in &samples {
        let got = held(&snapshot, &sample.fact).unwrap();
        assert!(got.meta().version > 0 && got.meta().uid.0 > 0 && got.meta().changed.is_some(), "{:?}", got.meta());
        assert!(as_wanted(&snapshot, sample), "{}: {got:#?}\nwanted {:#?}", sample.kind, sample.fact);
    }
    hostile(&bed, &mut followed).await;
    workloads(&bed, &mut followed).await;
    denials(&bed, &mut followed).await;
    changes(&bed, &mut followed, &samples).await;
    bed.command_ok("crds", &["--empty"]);
    followed
        .until("nothing left", |s| {
            let none = s.namespace(NAMESPACE).is_none_or(|n| n.consumers.is_empty() && n.secret_stores.is_empty());
            none && s.cluster.stores.is_empty() && s.cluster.consumers.is_empty()
        })
        .await;
    bed.kubectl(&["delete", "namespace", NAMESPACE, "--wait=false"]);
}

/// What the schemas take although somebody means harm.
async fn hostile(bed: &Session, followed: &mut Followed) {
    let escape = "\u{1b}]0;owned\u{7}\u{202e}";
    let data: Vec<Value> = (0..5000).map(|i| json!({"secretKey": format!("k{i}"), "remoteRef": {"key": format!("{escape}{i}")}})).collect();
    let external = json!({"apiVersion": "external-secrets.io/v1", "kind": "ExternalSecret", "metadata": {"name": "hostile", "namespace": NAMESPACE},
        "spec": {"secretStoreRef": {"name": "s"}, "data": data}});
    let objects = format!("- objectName: x\n  secretPath: \"{}\"\n", "../".repeat(2000));
    let class = json!({"apiVersion": "secrets-store.csi.x-k8s.io/v1", "kind": "SecretProviderClass", "metadata": {"name": "hostile", "namespace": NAMESPACE},
        "spec": {"provider": "vault", "parameters": {"roleName": escape, "objects": objects}}});
    apply(bed, "create", &external);
    apply(bed, "create", &class);
    let of = |s: &Snapshot, kind: Kind| s.namespace(NAMESPACE)?.consumers.get(&(kind, "hostile".into())).cloned();
    let snapshot =
        followed.until("hostile objects", |s| of(s, Kind::ExternalSecret).is_some() && of(s, Kind::SecretProviderClass).is_some()).await;
    let ConsumerSpec::External(spec) = &of(&snapshot, Kind::ExternalSecret).unwrap().spec else { panic!() };
    assert!(spec.incomplete && spec.entries.len() == 4096, "{}", spec.entries.len());
    let ConsumerSpec::ProviderClass(spec) = &of(&snapshot, Kind::SecretProviderClass).unwrap().spec else { panic!() };
    assert!(!spec.unreadable && spec.objects[0].0.len() < 1100, "a long path is cut, and stays apart from its like");
}

/// Pods and templates as the server stores them.
async fn workloads(bed: &Session, followed: &mut Followed) {
    let template = json!({"metadata": {"labels": {"app": "taking"}, "annotations": annotations()}, "spec": taking()});
    let deployment = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "taking", "namespace": NAMESPACE},
        "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "taking"}}, "template": template}});
    apply(bed, "create", &deployment);
    let of = |s: &Snapshot| {
        let facts = s.namespace(NAMESPACE)?;
        let workload = facts.workloads.get(&(Kind::Deployment, "taking".into()))?.clone();
        let pods: Vec<_> = facts.pods.values().cloned().collect();
        (pods.len() == 2).then_some((workload, pods))
    };
    let snapshot = followed.until("two pods of one template", |s| of(s).is_some()).await;
    let (workload, pods) = of(&snapshot).unwrap();
    assert_eq!((workload.secrets.as_ref(), workload.injector.as_deref()), (taken().as_slice(), Some(&injected())));
    for pod in &pods {
        assert_eq!((pod.secrets.as_ref(), pod.injector.as_deref()), (taken().as_slice(), Some(&injected())));
        assert!(std::sync::Arc::ptr_eq(&pod.secrets, &pods[0].secrets), "shared by pods of one template");
    }
    bed.kubectl_ok(&["-n", NAMESPACE, "delete", "deployment", "taking"]);
}

/// Events as the controllers write them.
async fn denials(bed: &Session, followed: &mut Followed) {
    let store = "could not get secret data from provider: using cluster store \"shared\" is not allowed from namespace \"secret-samples\": denied by spec.condition";
    apply(bed, "create", &event("foreign", "ExternalSecret", "full", "UpdateFailed", FOREIGN));
    apply(bed, "create", &event("condition", "ExternalSecret", "minimal", "UpdateFailed", store));
    apply(bed, "create", &event("other", "ExternalSecret", "minimal", "UpdateFailed", "could not update Secret"));
    apply(bed, "create", &event("last", "ExternalSecret", "minimal", "UpdateFailed", FOREIGN));
    let of = |s: &Snapshot, name: &str| s.namespace(NAMESPACE)?.refusals.get(name).cloned();
    let snapshot = followed.until("the last event", |s| of(s, "last").is_some()).await;
    let foreign = of(&snapshot, "foreign").unwrap();
    assert_eq!(foreign.vault_request(), Some(("GET", "secret/data/web-tenant-globex/db")));
    assert_eq!(
        (foreign.authority, foreign.count, foreign.last.to_string()),
        (Authority::VaultAcl, 2, "2026-11-21T12:00:00.000Z".to_owned())
    );
    assert_eq!(of(&snapshot, "condition").unwrap().authority, Authority::StoreCondition);
    assert!(of(&snapshot, "other").is_none());
}

/// What a watch tells of an object's life.
async fn changes(bed: &Session, followed: &mut Followed, samples: &[Sample]) {
    let sample = samples.iter().find(|sample| sample.kind == Kind::ExternalSecret).unwrap();
    let name = sample.fact.meta().name.to_string();
    let patch = json!({"spec": {"refreshInterval": "1m"}}).to_string();
    bed.kubectl_ok(&["patch", "externalsecret", &name, "-n", NAMESPACE, "--type=merge", "-p", &patch]);
    let interval = |s: &Snapshot| match held(s, &sample.fact) {
        Some(Fact::Consumer(fact)) => match fact.spec {
            ConsumerSpec::External(spec) => spec.interval,
            _ => None,
        },
        _ => None,
    };
    followed.until("the new interval", |s| interval(s) == Some(60_000)).await;
    bed.kubectl_ok(&["delete", "externalsecret", &name, "-n", NAMESPACE]);
    followed.until("gone", |s| held(s, &sample.fact).is_none()).await;
}

/// An installation that serves only the older version has the same fields.
#[tokio::test]
async fn where_only_the_older_version_is_served_it_is_read() {
    let Some(bed) = Testbed::alone(Need::OwnServers) else { return };
    bed.command_ok("crds", &[]);
    let plurals = ["secretstores", "clustersecretstores", "externalsecrets", "clusterexternalsecrets"];
    let kinds = [Kind::SecretStore, Kind::ClusterSecretStore, Kind::ExternalSecret, Kind::ClusterExternalSecret];
    for plural in plurals {
        let name = format!("{plural}.external-secrets.io");
        let mut crd: Value = serde_json::from_str(&bed.kubectl_ok(&["get", "crd", &name, "-o", "json"])).unwrap();
        for version in crd["spec"]["versions"].as_array_mut().unwrap() {
            version["served"] = json!(version["name"] == "v1beta1");
        }
        apply(&bed, "replace", &crd);
    }
    for _ in 0..100 {
        let served = bed.kubectl_ok(&["api-resources", "--api-group=external-secrets.io", "--no-headers"]);
        if plurals.iter().all(|plural| served.lines().any(|line| line.starts_with(plural) && line.contains("external-secrets.io/v1beta1")))
        {
            break;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    fresh_namespace(&bed);
    let older: Vec<Sample> = samples().into_iter().filter(|sample| kinds.contains(&sample.kind)).collect();
    for sample in &older {
        let mut object = sample.object.clone();
        object["apiVersion"] = json!("external-secrets.io/v1beta1");
        apply(&bed, "create", &object);
        write_status(&bed, sample);
    }
    let mut followed = Followed::by(&bed, Identity::Viewer).await;
    let snapshot = followed.until("every sample", |s| older.iter().all(|sample| held(s, &sample.fact).is_some())).await;
    for sample in &older {
        let mut wanted = sample.fact.clone();
        // the older version knows no refreshPolicy, and drops it
        if let Fact::Consumer(fact) = &mut wanted
            && &*fact.meta.name == "once"
            && let ConsumerSpec::External(spec) = &mut fact.spec
        {
            spec.interval = Some(partywall::model::time::HOUR);
        }
        let got = without_meta(held(&snapshot, &sample.fact).unwrap());
        let once = |fact: &Fact| &*fact.meta().name == "once";
        assert!(got == wanted || (once(&got) && got == sample.fact), "{}: {got:#?}\nwanted {wanted:#?}", sample.kind);
    }
    bed.command_ok("crds", &["--empty"]);
    bed.command_ok("crds", &[]);
    bed.kubectl(&["delete", "namespace", NAMESPACE, "--wait=false"]);
}

/// The operator's newest kind, of which there is no CRD to be had, comes and goes with a CRD of our own.
#[tokio::test]
async fn kinds_come_and_go_with_their_crds() {
    let Some(bed) = Testbed::alone(Need::OwnServers) else { return };
    let crd = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "csisecrets.secrets.hashicorp.com"},
        "spec": {"group": "secrets.hashicorp.com", "scope": "Namespaced", "names": {"plural": "csisecrets", "singular": "csisecrets", "kind": "CSISecrets", "listKind": "CSISecretsList"},
            "versions": [{"name": "v1beta1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}]},
    });
    bed.kubectl(&["delete", "crd", "csisecrets.secrets.hashicorp.com", "--ignore-not-found"]);
    let mut followed = Followed::by(&bed, Identity::Viewer).await;
    followed.until("absent", |s| s.source(Kind::CSISecrets) == &SourceState::Absent).await;
    apply(&bed, "create", &crd);
    followed.until("live", |s| s.source(Kind::CSISecrets) == &SourceState::Live).await;
    let object = json!({"apiVersion": "secrets.hashicorp.com/v1beta1", "kind": "CSISecrets", "metadata": {"name": "csi", "namespace": "default"},
        "spec": {"vaultAuthRef": {"name": "auth"}, "secrets": {"vaultStaticSecrets": [{"mount": "secret", "path": "a"}]}}});
    apply(&bed, "create", &object);
    let is_held = |s: &Snapshot| s.namespace("default").is_some_and(|n| n.consumers.contains_key(&(Kind::CSISecrets, "csi".into())));
    followed.until("held", is_held).await;
    bed.kubectl_ok(&["delete", "crd", "csisecrets.secrets.hashicorp.com"]);
    let snapshot = followed.until("absent again", |s| s.source(Kind::CSISecrets) == &SourceState::Absent).await;
    assert!(!is_held(&snapshot), "its objects went with it");
}

/// How much of a new cluster's roles is kept, and that nothing that matters for Secrets is lost: our answer against a reading of the whole.
#[tokio::test]
async fn of_a_clusters_own_roles_little_is_kept_and_nothing_is_lost() {
    let Some(bed) = Testbed::shared(Need::Servers) else { return };
    let list: Value = serde_json::from_str(&bed.kubectl_ok(&["get", "clusterroles", "-o", "json"])).unwrap();
    let (mut rules, mut kept, mut bytes) = (0, 0, 0);
    let all = list["items"].as_array().unwrap();
    for role in all {
        let Some(Fact::Role(fact)) = super::projection::fact(Kind::ClusterRole, role) else { panic!("{role}") };
        rules += role["rules"].as_array().map_or(0, Vec::len);
        kept += fact.rules.len();
        bytes += fact
            .rules
            .iter()
            .map(|rule| 64 + 16 * (rule.verbs.len() + rule.groups.len() + rule.resources.len() + rule.names.len()))
            .sum::<usize>();
        let mut asked: Vec<(&str, &str, &str)> = Vec::new();
        asked.extend(READS.iter().chain(&WRITES).map(|verb| (*verb, "", SECRETS)));
        asked.extend([("create", "", "serviceaccounts"), ("create", "", "serviceaccounts/token"), ("impersonate", "", "serviceaccounts")]);
        for info in ASKERS.iter().filter_map(|kind| kind.info()).chain(WATCHED.iter().filter(|info| info.group == "networking.k8s.io")) {
            asked.extend(WRITES.iter().map(|verb| (*verb, info.group, info.plural)));
        }
        for (verb, group, resource) in asked {
            let ours = scope(&fact.rules, verb, group, resource).is_some();
            assert_eq!(ours, permits(role, verb, group, resource), "{}: {verb} {resource} in {group:?}", role["metadata"]["name"]);
        }
    }
    eprintln!("{} ClusterRoles: {rules} rules, of which {kept} are kept in about {bytes} bytes", all.len());
    assert!(kept * 2 < rules, "{kept} of {rules}");
}

/// As the API server's resolver reads a rule.
fn permits(role: &Value, verb: &str, group: &str, resource: &str) -> bool {
    let rules = role["rules"].as_array().cloned().unwrap_or_default();
    rules.iter().any(|rule| {
        let has = |key: &str, wanted: &[&str]| {
            let list = rule[key].as_array().cloned().unwrap_or_default();
            list.iter().any(|text| text == "*" || wanted.iter().any(|one| text == one))
        };
        let any_of = resource.split_once('/').map(|(_, sub)| format!("*/{sub}")).unwrap_or_default();
        let nameless = verb == "create" || verb == "deletecollection";
        let named =
            rule["resourceNames"].as_array().is_none_or(|names| names.is_empty() || !nameless || names.iter().any(|name| name == ""));
        has("verbs", &[verb]) && has("apiGroups", &[group]) && has("resources", &[resource, &any_of]) && named
    })
}
