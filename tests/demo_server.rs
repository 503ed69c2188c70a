//! The simulated servers, asked by the real clients: kube, vaultrs and, where it is installed, kubectl.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests say what they expect by panicking, and what they skipped by printing"
)]

#[path = "common/devvault.rs"]
mod devvault;
#[path = "demo_server/kubectl.rs"]
mod kubectl;
#[path = "demo_server/policies.rs"]
mod policies;
#[path = "demo_server/secrets.rs"]
mod secrets;
#[path = "common/testbed.rs"]
mod testbed;
#[path = "demo_server/vault.rs"]
mod vault;
#[path = "demo_server/words.rs"]
mod words;

use std::collections::BTreeSet;
use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::core::v1::{Namespace, Pod, ResourceQuota, ServiceAccount};
use k8s_openapi::api::networking::v1::NetworkPolicy;
use kube::api::{Api, AttachParams, DeleteParams, ListParams, Patch, PatchParams, PostParams, WatchEvent, WatchParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::runtime::watcher;
use kube::{Client, Config, Error};
use partywall::demo::{self, DemoHandle, DemoOptions, Faults, Server};
use serde_json::json;
use tokio::io::AsyncReadExt as _;

const ACME: &str = "web-tenant-acme";
const GLOBEX: &str = "web-tenant-globex";

async fn fleet() -> DemoHandle {
    demo::start(DemoOptions::default()).await.unwrap()
}

async fn client(yaml: &str) -> Client {
    // one provider for the whole process; whoever is second finds it there
    let _ = rustls::crypto::ring::default_provider().install_default();
    let kubeconfig = Kubeconfig::from_yaml(yaml).unwrap();
    let mut config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
    config.default_retry = false;
    config.proxy_url = None;
    Client::try_from(config).unwrap()
}

async fn admin(demo: &DemoHandle) -> Client {
    client(&demo.kubeconfig_yaml()).await
}

fn refusal<T: std::fmt::Debug>(result: Result<T, Error>) -> (u16, String, String) {
    match result {
        Err(Error::Api(status)) => (status.code, status.reason, status.message),
        other => panic!("expected a refusal, got {other:?}"),
    }
}

fn pod(name: &str, spec: &serde_json::Value) -> Pod {
    serde_json::from_value(json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec})).unwrap()
}

fn dry() -> PostParams {
    PostParams { dry_run: true, field_manager: Some("test".into()) }
}

fn policy(types: &[&str]) -> serde_json::Value {
    json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "default-deny"},
        "spec": {"podSelector": {}, "policyTypes": types},
    })
}

#[tokio::test]
async fn pages_add_up_to_the_whole_list() {
    let demo = fleet().await;
    let pods: Api<Pod> = Api::all(admin(&demo).await);
    let whole: Vec<_> = pods.list(&ListParams::default()).await.unwrap().items.into_iter().map(|p| p.metadata.uid).collect();
    let mut paged = Vec::new();
    let mut params = ListParams::default().limit(7);
    loop {
        let page = pods.list(&params).await.unwrap();
        assert!(page.items.len() <= 7);
        paged.extend(page.items.into_iter().map(|p| p.metadata.uid));
        match page.metadata.continue_ {
            Some(token) => params = params.continue_token(&token),
            None => break,
        }
    }
    assert!(whole.len() > 20);
    assert_eq!(paged, whole);
    let chosen = pods.list(&ListParams::default().labels("app in (whoami)").fields("metadata.namespace=web-tenant-acme")).await.unwrap();
    assert_eq!(chosen.items.len(), 1);
}

#[tokio::test]
async fn the_walkthrough_tenants_are_as_told() {
    let demo = fleet().await;
    let client = admin(&demo).await;
    for tenant in ["acme", "globex"] {
        let namespace = format!("web-tenant-{tenant}");
        let quota = Api::<ResourceQuota>::namespaced(client.clone(), &namespace).get("tenant-quota").await.unwrap();
        let (hard, used) = (quota.spec.unwrap().hard.unwrap(), quota.status.unwrap().used.unwrap());
        let text = |map: &std::collections::BTreeMap<String, _>, key: &str| -> String {
            let quantity: &k8s_openapi::apimachinery::pkg::api::resource::Quantity = &map[key];
            quantity.0.clone()
        };
        let shown: Vec<String> = ["requests.cpu", "requests.memory", "limits.cpu", "limits.memory", "pods"]
            .iter()
            .map(|k| format!("{}/{}", text(&used, k), text(&hard, k)))
            .collect();
        assert_eq!(shown, ["300m/1", "448Mi/1Gi", "1500m/2", "1536Mi/2Gi", "2/10"]);
        let policies = Api::<NetworkPolicy>::namespaced(client.clone(), &namespace).list(&ListParams::default()).await.unwrap();
        let names: Vec<_> = policies.items.into_iter().filter_map(|p| p.metadata.name).collect();
        assert_eq!(names, ["allow-dns", "allow-same-namespace", "default-deny"]);
        Api::<ServiceAccount>::namespaced(client.clone(), &namespace).get(&format!("n8n-{tenant}")).await.unwrap();
    }
}

#[tokio::test]
async fn a_watch_tells_of_changes_bookmarks_and_compaction() {
    let demo = fleet().await;
    demo.set_faults(Faults { bookmark_every: Duration::from_millis(100), ..Faults::default() });
    let policies: Api<NetworkPolicy> = Api::namespaced(admin(&demo).await, ACME);
    let start = policies.list(&ListParams::default()).await.unwrap().metadata.resource_version.unwrap();
    let mut events = policies.watch(&WatchParams::default().timeout(10), &start).await.unwrap().boxed();
    demo.mutate().delete("NetworkPolicy", ACME, "default-deny");
    let mut seen = Vec::new();
    while seen.len() < 2 {
        match events.try_next().await.unwrap().unwrap() {
            WatchEvent::Deleted(p) => seen.push(p.metadata.name.unwrap()),
            WatchEvent::Bookmark(b) => seen.push(format!("bookmark {}", b.metadata.resource_version.parse::<u64>().unwrap() > 0)),
            other => panic!("{other:?}"),
        }
    }
    assert!(seen.contains(&"default-deny".to_owned()), "{seen:?}");
    // a write and the compaction after it leave the old revision behind
    demo.mutate().apply(json!({"kind": "NetworkPolicy", "metadata": {"name": "x", "namespace": ACME}, "spec": {"podSelector": {}}}));
    demo.mutate().compact();
    let mut late = policies.watch(&WatchParams::default().timeout(10), &start).await.unwrap().boxed();
    match late.try_next().await.unwrap().unwrap() {
        WatchEvent::Error(status) => assert_eq!((status.code, status.reason.as_str()), (410, "Expired")),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_watcher_survives_what_goes_wrong() {
    let demo = fleet().await;
    let spaces: Api<Namespace> = Api::all(admin(&demo).await);
    for streaming in [false, true] {
        let config = watcher::Config::default().page_size(5);
        let mut events = watcher(spaces.clone(), if streaming { watcher::Config::default().streaming_lists() } else { config }).boxed();
        let mut names = BTreeSet::new();
        loop {
            match events.try_next().await.unwrap().unwrap() {
                watcher::Event::InitApply(n) => drop(names.insert(n.metadata.name.unwrap())),
                watcher::Event::InitDone => break,
                _ => {}
            }
        }
        assert!(names.len() > 15 && names.contains(ACME), "{names:?}");
        let faults = Faults { cut_watch_line: BTreeSet::from(["namespaces".to_owned()]), ..Faults::default() };
        demo.set_faults(faults);
        demo.mutate().apply(json!({"kind": "Namespace", "metadata": {"name": "cut", "labels": {"n": streaming.to_string()}}}));
        demo.mutate().apply(json!({"kind": "Namespace", "metadata": {"name": "after", "labels": {"n": streaming.to_string()}}}));
        let mut applied = BTreeSet::new();
        tokio::time::timeout(Duration::from_secs(5), async {
            while !applied.contains("after") {
                if let Ok(watcher::Event::Apply(n) | watcher::Event::InitApply(n)) = events.next().await.unwrap() {
                    applied.insert(n.metadata.name.unwrap());
                }
            }
        })
        .await
        .expect("the watch resumes after the broken line");
        assert!(applied.contains("cut"), "{applied:?}");
    }
}

#[tokio::test]
async fn faults_are_what_they_say() {
    let demo = fleet().await;
    let client = admin(&demo).await;
    let pods: Api<Pod> = Api::all(client.clone());
    demo.set_faults(Faults { forbidden: BTreeSet::from(["pods".to_owned()]), ..Faults::default() });
    let (code, _, message) = refusal(pods.list(&ListParams::default()).await);
    assert_eq!(
        (code, message.as_str()),
        (403, "pods is forbidden: User \"demo-admin\" cannot list resource \"pods\" in API group \"\" at the cluster scope")
    );
    demo.set_faults(Faults { throttle: 1, ..Faults::default() });
    assert_eq!(refusal(pods.list(&ListParams::default()).await).0, 429);
    assert!(pods.list(&ListParams::default()).await.is_ok(), "only once");
    demo.set_faults(Faults { garbage_in_list: BTreeSet::from(["pods".to_owned()]), ..Faults::default() });
    assert!(pods.list(&ListParams::default()).await.is_err(), "the typed client chokes on it");
    let lister = self::client(&demo.kubeconfig_for("demo-nslister")).await;
    assert!(Api::<Namespace>::all(lister.clone()).list(&ListParams::default()).await.is_ok());
    let (code, _, message) = refusal(Api::<Pod>::namespaced(lister, ACME).list(&ListParams::default()).await);
    assert_eq!(code, 403);
    assert_eq!(
        message,
        "pods is forbidden: User \"demo-nslister\" cannot list resource \"pods\" in API group \"\" in the namespace \"web-tenant-acme\""
    );
    assert!(demo.requests().iter().any(|r| r.server == Server::Kubernetes && r.path.starts_with("/api/v1/pods") && r.status == 429));
}

/// What the real servers said to the same questions (kube-apiserver 1.36).
#[tokio::test]
async fn admission_answers_in_the_real_words() {
    let demo = fleet().await;
    let client = admin(&demo).await;
    let limited =
        |memory: &str| json!({"containers": [{"name": "c", "image": "x", "resources": {"limits": {"memory": memory, "cpu": "100m"}}}]});
    let bare = json!({"containers": [{"name": "nores", "image": "x"}]});
    let privileged = json!({"hostNetwork": true, "containers": [{"name": "priv", "image": "x", "securityContext": {"privileged": true}, "resources": {"limits": {"cpu": "1m", "memory": "1Mi"}}}]});
    let cases = [
        (ACME, "big", limited("4Gi"), "pods \"big\" is forbidden: maximum memory usage per Container is 1Gi, but limit is 4Gi"),
        (
            "web-tenant-stark",
            "big",
            limited("4Gi"),
            "pods \"big\" is forbidden: violates PodSecurity \"restricted:latest\": allowPrivilegeEscalation != false (container \"c\" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container \"c\" must set securityContext.capabilities.drop=[\"ALL\"]), runAsNonRoot != true (pod or container \"c\" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container \"c\" must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\")",
        ),
        (
            "web-tenant-hooli",
            "priv",
            privileged,
            "pods \"priv\" is forbidden: violates PodSecurity \"baseline:latest\": host namespaces (hostNetwork=true), privileged (container \"priv\" must not set securityContext.privileged=true)",
        ),
        (
            "plain",
            "nores",
            bare,
            "pods \"nores\" is forbidden: failed quota: quota: must specify limits.cpu for: nores; limits.memory for: nores; requests.cpu for: nores; requests.memory for: nores",
        ),
        (
            "plain",
            "big",
            limited("4Gi"),
            "pods \"big\" is forbidden: exceeded quota: quota, requested: limits.memory=4Gi,requests.memory=4Gi, used: limits.memory=0,requests.memory=0, limited: limits.memory=2Gi,requests.memory=1Gi",
        ),
        (
            ACME,
            "full",
            limited("900Mi"),
            "pods \"full\" is forbidden: exceeded quota: tenant-quota, requested: limits.memory=900Mi,requests.memory=900Mi, used: limits.memory=1536Mi,requests.memory=448Mi, limited: limits.memory=2Gi,requests.memory=1Gi",
        ),
    ];
    let space: Namespace = serde_json::from_value(json!({"metadata": {"name": "plain"}})).unwrap();
    Api::<Namespace>::all(client.clone()).create(&PostParams::default(), &space).await.unwrap();
    let hard = json!({"requests.cpu": "1", "requests.memory": "1Gi", "limits.cpu": "2", "limits.memory": "2Gi", "pods": "10"});
    let quota: ResourceQuota = serde_json::from_value(json!({"metadata": {"name": "quota"}, "spec": {"hard": hard}})).unwrap();
    Api::<ResourceQuota>::namespaced(client.clone(), "plain").create(&PostParams::default(), &quota).await.unwrap();
    for (namespace, name, spec, expected) in cases {
        let answer = Api::<Pod>::namespaced(client.clone(), namespace).create(&dry(), &pod(name, &spec)).await;
        assert_eq!(refusal(answer), (403, "Forbidden".to_owned(), expected.to_owned()), "{namespace}/{name}");
    }
    // what fits is shown with what it got, and nothing is stored or counted
    let pods: Api<Pod> = Api::namespaced(client.clone(), ACME);
    let small = pods.create(&dry(), &pod("small", &json!({"containers": [{"name": "c", "image": "x"}]}))).await.unwrap();
    let limits = small.spec.unwrap().containers[0].resources.clone().unwrap().limits.unwrap();
    assert_eq!(limits["memory"].0, "512Mi");
    assert!(pods.get_opt("small").await.unwrap().is_none());
    let (code, reason, message) = refusal(pods.create(&dry(), &pod("u", &json!({"containers": []}))).await);
    assert_eq!((code, reason.as_str(), message.as_str()), (422, "Invalid", "Pod \"u\" is invalid: spec.containers: Required value"));
}

#[tokio::test]
async fn server_side_apply_knows_owners() {
    let demo = fleet().await;
    let policies: Api<NetworkPolicy> = Api::namespaced(admin(&demo).await, "web-tenant-initech");
    let by = |manager: &str| PatchParams::apply(manager).validation_strict();
    let shown = policies.patch("default-deny", &by("one").dry_run(), &Patch::Apply(policy(&["Egress"]))).await.unwrap();
    assert_eq!(shown.metadata.generation, Some(1));
    assert!(policies.get_opt("default-deny").await.unwrap().is_none(), "a dry run stores nothing");
    let first = policies.patch("default-deny", &by("one"), &Patch::Apply(policy(&["Egress"]))).await.unwrap();
    let again = policies.patch("default-deny", &by("one"), &Patch::Apply(policy(&["Egress"]))).await.unwrap();
    assert_eq!(first.metadata.resource_version, again.metadata.resource_version, "nothing changed");
    let (code, reason, message) = refusal(policies.patch("default-deny", &by("two"), &Patch::Apply(policy(&["Ingress"]))).await);
    assert_eq!((code, reason.as_str()), (409, "Conflict"));
    assert_eq!(message, "Apply failed with 1 conflict: conflict with \"one\": .spec.policyTypes");
    policies.patch("default-deny", &by("two").force(), &Patch::Apply(policy(&["Ingress"]))).await.unwrap();
    let owners: Vec<_> =
        policies.get("default-deny").await.unwrap().metadata.managed_fields.unwrap().into_iter().filter_map(|m| m.manager).collect();
    assert_eq!(owners.len(), 2, "{owners:?}");
    policies.delete("default-deny", &DeleteParams::default()).await.unwrap();
    assert_eq!(refusal(policies.get("default-deny").await).0, 404);
}

async fn run(pods: &Api<Pod>, name: &str, command: &[&str]) -> (String, String, i32) {
    let params = AttachParams::default().stdout(true).stderr(true);
    let mut session = pods.exec(name, command.iter().copied(), &params).await.unwrap();
    let status = session.take_status().unwrap();
    let (mut out, mut err) = (session.stdout().unwrap(), session.stderr().unwrap());
    let (mut stdout, mut stderr) = (String::new(), String::new());
    let (a, b) = tokio::join!(out.read_to_string(&mut stdout), err.read_to_string(&mut stderr));
    a.unwrap();
    b.unwrap();
    let status = status.await.unwrap();
    let code = match status.status.as_deref() {
        Some("Success") => 0,
        _ => status
            .details
            .and_then(|d| d.causes)
            .and_then(|c| c.into_iter().find(|c| c.reason.as_deref() == Some("ExitCode")))
            .and_then(|c| c.message)
            .map_or(-1, |m| m.parse().unwrap()),
    };
    (stdout, stderr, code)
}

async fn pod_of(pods: &Api<Pod>, app: &str) -> String {
    pods.list(&ListParams::default().labels(&format!("app={app}"))).await.unwrap().items[0].metadata.name.clone().unwrap()
}

#[tokio::test]
async fn the_network_wall_holds_until_it_does_not() {
    let demo = fleet().await;
    let pods: Api<Pod> = Api::namespaced(admin(&demo).await, ACME);
    let n8n = pod_of(&pods, "n8n").await;
    let crossing = ["timeout", "1", "wget", "-q", "-O", "-", "http://whoami.web-tenant-globex.svc.cluster.local/"];
    let (own, _, code) = run(&pods, &n8n, &["wget", "-q", "-O", "-", "http://whoami/"]).await;
    assert!(code == 0 && own.starts_with("Hostname: whoami-"), "{own}");
    let (name, _, code) = run(&pods, &n8n, &["nslookup", "whoami.web-tenant-globex.svc.cluster.local"]).await;
    assert!(code == 0 && name.contains("Address: 10.96."), "{name}");
    assert_eq!(run(&pods, &n8n, &crossing).await, (String::new(), String::new(), 143));
    assert_eq!(run(&pods, &n8n, &["nc", "-w", "1", "192.0.2.1", "80"]).await.1, "nc: timed out\n");
    demo.mutate().enforce(false);
    let (foreign, _, code) = run(&pods, &n8n, &crossing).await;
    assert!(code == 0 && foreign.starts_with("Hostname: whoami-"), "{foreign}");
    demo.mutate().enforce(true);
    for namespace in [ACME, GLOBEX] {
        demo.mutate().delete("networkpolicies", namespace, "default-deny");
        demo.mutate().delete("networkpolicies", namespace, "allow-same-namespace");
        demo.mutate().delete("networkpolicies", namespace, "allow-dns");
    }
    assert_eq!(run(&pods, &n8n, &crossing).await.2, 0);
    let (_, _, code) = run(&pods, &pod_of(&pods, "whoami").await, &["wget", "http://x"]).await;
    assert_eq!(code, -1, "an image without programs cannot start one");
}

#[tokio::test]
async fn many_tenants_and_a_stopped_server() {
    let began = std::time::Instant::now();
    let demo = demo::start(DemoOptions { tenants: 300, ..DemoOptions::default() }).await.unwrap();
    println!("300 tenants in {:?}", began.elapsed());
    let client = admin(&demo).await;
    let spaces = Api::<Namespace>::all(client.clone()).list(&ListParams::default()).await.unwrap();
    assert!(spaces.items.len() > 300);
    demo.shutdown().await;
    assert!(Api::<Namespace>::all(client).list(&ListParams::default()).await.is_err());
}
