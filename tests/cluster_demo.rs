//! The client against the simulated servers.
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

#[path = "cluster_fake/battery.rs"]
#[allow(dead_code, reason = "each test crate asks its part of the questions")]
mod battery;

use std::time::Duration;

use battery::{ACME, commands_run, connect, everything_is_read, followed, questions_are_answered, settled};
use partywall::cluster::{Cluster, ConnectOptions};
use partywall::demo::{self, DemoHandle, DemoOptions};
use partywall::model::kind::{Kind, WATCHED};
use partywall::model::source::SourceState;

async fn demo_as(user: &str) -> (DemoHandle, Cluster, tempfile::TempDir) {
    let demo = demo::start(DemoOptions::default()).await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("kubeconfig");
    std::fs::write(&file, demo.kubeconfig_for(user)).unwrap();
    let cluster = connect(&file, None).await;
    (demo, cluster, dir)
}

#[tokio::test]
async fn the_fleet_is_read_and_says_that_it_is_simulated() {
    let (_demo, cluster, _dir) = demo_as("demo-admin").await;
    let snapshot = everything_is_read(&cluster).await;
    assert!(snapshot.server.simulated);
    assert!(snapshot.namespaces.keys().filter(|name| name.contains("tenant")).count() >= 12);
}

#[tokio::test]
async fn a_deleted_policy_is_seen_within_a_second() {
    let (demo, cluster, _dir) = demo_as("demo-admin").await;
    let began = std::cell::Cell::new(None);
    followed(&cluster, |s| {
        if settled(s) && s.namespace(ACME).is_some_and(|acme| acme.policies.contains_key("default-deny")) && began.get().is_none() {
            demo.mutate().delete("networkpolicies", ACME, "default-deny");
            began.set(Some(std::time::Instant::now()));
        }
        began.get().is_some() && s.namespace(ACME).is_some_and(|acme| !acme.policies.contains_key("default-deny"))
    })
    .await;
    assert!(began.get().unwrap().elapsed() < Duration::from_secs(1));
}

#[tokio::test]
async fn a_probes_questions_are_answered() {
    let (_demo, cluster, _dir) = demo_as("demo-admin").await;
    let snapshot = everything_is_read(&cluster).await;
    questions_are_answered(&cluster, &snapshot).await;
    commands_run(&cluster, &snapshot, "n8n").await;
}

#[tokio::test]
async fn a_fix_goes_there_and_back() {
    let (_demo, cluster, _dir) = demo_as("demo-admin").await;
    battery::a_fix_goes_there_and_back(&cluster).await;
}

#[tokio::test]
async fn who_may_only_list_namespaces_sees_them_and_honest_denials() {
    let (_demo, cluster, _dir) = demo_as("demo-nslister").await;
    let snapshot = followed(&cluster, settled).await;
    assert_eq!(snapshot.source(Kind::Namespace), &SourceState::Live);
    assert!(snapshot.namespaces.len() > 12);
    for info in WATCHED.iter().filter(|info| info.kind != Kind::Namespace) {
        let word = snapshot.source(info.kind).word();
        // what the server does not have is not missed for want of a permission
        let missing = info.optional && word == "absent" || info.metadata_of_type.is_some() && word == "off";
        assert!(word == "denied" || missing, "{}: {word}", info.kind);
    }
    for kind in [Kind::SecretStore, Kind::ClusterNetworkPolicy, Kind::CiliumConfig] {
        assert_eq!(snapshot.source(kind).word(), "denied", "{kind}");
    }
}

/// The simulated server keeps to the form that is asked for.
#[tokio::test]
async fn the_metadata_of_secrets_is_read_where_it_is_asked_for() {
    let demo = demo::start(DemoOptions::default()).await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("kubeconfig");
    std::fs::write(&file, demo.kubeconfig_for("demo-admin")).unwrap();
    let options = ConnectOptions { kubeconfig: Some(file), secret_metadata: true, ..ConnectOptions::default() };
    let cluster = Cluster::connect(options).await.unwrap();
    let snapshot = followed(&cluster, |s| settled(s) && s.source(Kind::TlsSecret) == &SourceState::Live).await;
    assert_eq!(snapshot.source(Kind::TokenSecret), &SourceState::Live);
    for kind in [Kind::SecretStore, Kind::ClusterSecretStore, Kind::ExternalSecret, Kind::ClusterExternalSecret, Kind::PushSecret] {
        assert_eq!(snapshot.source(kind), &SourceState::Live, "{kind}");
    }
    let acme = snapshot.namespace(ACME).unwrap();
    assert!(!acme.secret_stores.is_empty() && acme.consumers.keys().any(|(kind, _)| *kind == Kind::ExternalSecret));
}

#[tokio::test]
async fn a_refusal_of_rbac_is_told_from_one_of_admission() {
    let (_demo, cluster, _dir) = demo_as("demo-nslister").await;
    let pod = serde_json::json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": {"containers": [{"name": "c", "image": "i"}]}});
    let refused = cluster.dry_run_pod(battery::probe(), ACME, &pod).await.unwrap_err();
    assert_eq!((refused.code, refused.authority), (403, partywall::model::event::Authority::Authorizer), "{refused:?}");
}
