//! The same questions to any server that has the tenants of the walkthrough, simulated or real.

use std::time::Duration;

use partywall::cluster::exec::ExecTarget;
use partywall::cluster::watch::follow;
use partywall::cluster::{Cluster, ConnectOptions};
use partywall::fix::apply::{FixError, apply, preview, undo};
use partywall::fix::guard::{Mode, ProbePermit, WritePermit};
use partywall::fix::plan::{FixPlan, PlanAction, PlanStep};
use partywall::model::access::{Answer, Question};
use partywall::model::changes::Change;
use partywall::model::event::Authority;
use partywall::model::ids::ObjectRef;
use partywall::model::kind::{Kind, WATCHED};
use partywall::model::pod::Phase;
use partywall::model::snapshot::Snapshot;
use partywall::model::source::SourceState;
use partywall::model::store::Store;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

pub const ACME: &str = "web-tenant-acme";

pub async fn connect(kubeconfig: &std::path::Path, context: Option<&str>) -> Cluster {
    let options =
        ConnectOptions { kubeconfig: Some(kubeconfig.to_owned()), context: context.map(str::to_owned), ..ConnectOptions::default() };
    Cluster::connect(options).await.unwrap()
}

pub fn probe() -> ProbePermit {
    ProbePermit::for_mode(Mode::Probe).unwrap()
}

/// Follows until `wanted`, at most 20 s; the last snapshot.
pub async fn followed(cluster: &Cluster, wanted: impl Fn(&Snapshot) -> bool) -> Snapshot {
    let (tx, mut rx) = tokio::sync::mpsc::channel(64);
    let _handle = follow(cluster, tx);
    let mut store = Store::default();
    let end = tokio::time::Instant::now() + Duration::from_secs(20);
    loop {
        let snapshot = store.publish().0;
        if wanted(&snapshot) {
            return (*snapshot).clone();
        }
        match tokio::time::timeout_at(end, rx.recv()).await {
            Ok(Some(batch)) => batch.into_iter().for_each(|change: Change| store.apply(change)),
            _ => panic!("not seen: {:#?}", snapshot.sources),
        }
    }
}

pub fn settled(snapshot: &Snapshot) -> bool {
    let mut asked = WATCHED.iter().filter(|info| info.metadata_of_type.is_none());
    asked.all(|info| !matches!(snapshot.source(info.kind), SourceState::Off | SourceState::Connecting | SourceState::Loading(_)))
}

/// Everything is read, and acme's facts are there.
pub async fn everything_is_read(cluster: &Cluster) -> Snapshot {
    let snapshot = followed(cluster, |s| settled(s) && !s.server.version.is_empty()).await;
    for info in WATCHED {
        let state = snapshot.source(info.kind);
        let missing = info.optional && state == &SourceState::Absent || info.metadata_of_type.is_some() && state == &SourceState::Off;
        assert!(state == &SourceState::Live || missing, "{}: {state}", info.kind);
    }
    let acme = snapshot.namespace(ACME).expect("acme");
    assert!(acme.own.is_some() && !acme.policies.is_empty() && acme.quotas.len() == 1 && acme.limit_ranges.len() == 1);
    let policy = acme.policies.get("default-deny").expect("default-deny");
    assert!(policy.pods.is_everything() && policy.isolates_ingress && policy.isolates_egress && policy.ingress.is_empty());
    let quota = acme.quotas.values().next().unwrap();
    assert!(!quota.hard.is_empty() && quota.hard == quota.status_hard && quota.used.len() == quota.hard.len(), "{quota:?}");
    assert!(acme.workloads.keys().any(|(kind, _)| *kind == Kind::Deployment));
    assert!(!acme.service_accounts.is_empty() && !acme.services.is_empty());
    snapshot
}

/// Reviews, tokens, dry-runs: what a probe asks for.
pub async fn questions_are_answered(cluster: &Cluster, snapshot: &Snapshot) {
    let asked = [Question::new("create", "", "pods").subresource("exec").within(ACME), Question::new("list", "", "secrets")];
    let answers = cluster.can_i(&asked).await;
    assert_eq!(answers[0], (asked[0].clone(), Answer::Yes));
    assert!(!cluster.whoami().await.unwrap().is_empty());
    let acme = snapshot.namespace(ACME).unwrap();
    let account = acme.service_accounts.keys().find(|name| &***name != "default").unwrap();
    let token = cluster.token(probe(), ACME, account, &["vault".to_owned()], 600).await.unwrap();
    assert_eq!(token.expose_secret().split('.').count(), 3, "a JWT");
    let missing = cluster.token(probe(), ACME, "nobody-of-that-name", &[], 600).await.unwrap_err();
    assert_eq!((missing.code, missing.reason.as_str()), (404, "NotFound"));

    let pod = |memory: &str| {
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "partywall-try"}, "spec": {"containers": [{"name": "c", "image": "localhost/busybox:1",
            "resources": {"requests": {"cpu": "10m", "memory": memory}, "limits": {"cpu": "10m", "memory": memory}}}]}})
    };
    let accepted = cluster.dry_run_pod(probe(), ACME, &pod("16Mi")).await.unwrap();
    assert_eq!(accepted.pointer("/metadata/name").and_then(Value::as_str), Some("partywall-try"));
    let refused = cluster.dry_run_pod(probe(), ACME, &pod("4Gi")).await.unwrap_err();
    assert_eq!((refused.code, refused.authority), (403, Authority::LimitRanger), "{refused:?}");
    assert!(refused.to_string().contains("maximum memory usage per Container is"), "{refused}");
    let invalid = cluster
        .dry_run_pod(probe(), ACME, &json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": {}}))
        .await
        .unwrap_err();
    assert_eq!(invalid.authority, Authority::Validation, "{invalid:?}");
    let elsewhere = cluster.dry_run_pod(probe(), "no-such-namespace", &pod("16Mi")).await.unwrap_err();
    assert_eq!(elsewhere.code, 404, "{elsewhere:?}");
}

/// A command in a tenant's own container, with its exit code, and one that can't be started.
pub async fn commands_run(cluster: &Cluster, snapshot: &Snapshot, app: &str) {
    let acme = snapshot.namespace(ACME).unwrap();
    let pod = acme
        .pods
        .values()
        .find(|pod| pod.phase == Phase::Running && pod.labels.get("app").is_some_and(|label| &**label == app))
        .expect(app);
    let target = ExecTarget { namespace: ACME.into(), pod: pod.meta.name.clone(), container: pod.containers[0].name.clone() };
    let limit = Duration::from_secs(10);
    let answer = cluster.exec(probe(), &target, &["wget", "-q", "-O", "-", "http://whoami/"], limit).await.unwrap();
    assert_eq!(answer.code, Some(0), "{answer:?}");
    assert!(!answer.stdout.is_empty());
    let failed = cluster.exec(probe(), &target, &["nslookup", "nothing-of-that-name.invalid"], limit).await.unwrap();
    assert!(failed.code.is_some_and(|code| code != 0), "{failed:?}");
    let missing = cluster.exec(probe(), &target, &["no-such-program"], limit).await.unwrap_err();
    assert!(missing.answered() && missing.message.contains("no-such-program"), "{missing:?}");
    let nowhere = ExecTarget { pod: "no-such-pod".into(), ..target };
    assert_eq!(cluster.exec(probe(), &nowhere, &["true"], limit).await.unwrap_err().code, 404);
}

/// A plan that would make a policy of this name in acme.
pub fn plan(name: &str, spec: Value) -> FixPlan {
    FixPlan {
        recipe: "FX-NET-BASE".to_owned(),
        check: "NET-01".to_owned(),
        tenant: "acme".into(),
        steps: vec![PlanStep {
            action: PlanAction::Apply,
            object: ObjectRef::new(Kind::NetworkPolicy, ACME, name),
            why: "so that nobody gets in".to_owned(),
            manifest: json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": name, "namespace": ACME}, "spec": spec}),
            live: None,
            preview: None,
            refused: None,
            owner: None,
        }],
        notes: Vec::new(),
    }
}

pub fn grant(plan: &FixPlan) -> WritePermit {
    WritePermit::grant(Mode::Fix, plan, "acme").unwrap()
}

/// Preview, apply, undo; conflicts and changes in between are told.
pub async fn a_fix_goes_there_and_back(cluster: &Cluster) {
    let deny = json!({"podSelector": {}, "policyTypes": ["Ingress"]});
    let unseen = plan("partywall-test", deny.clone());
    assert!(matches!(apply(cluster, unseen.clone(), grant(&unseen)).await, Err(FixError::NotApplicable(_))), "nothing unseen is applied");
    let looked = preview(cluster, None, unseen.clone()).await;
    assert!(looked.steps[0].preview.is_none() && !looked.applicable(), "without leave nothing but reads is sent");
    let seen = preview(cluster, Some(probe()), unseen).await;
    assert_eq!((&seen.steps[0].live, &seen.steps[0].refused, &seen.steps[0].owner), (&None, &None, &None), "{seen:?}");
    assert_eq!(seen.steps[0].preview.as_ref().unwrap().pointer("/spec/policyTypes/0"), Some(&json!("Ingress")));
    let other = WritePermit::grant(Mode::Fix, &plan("another", deny.clone()), "acme").unwrap();
    assert_eq!(apply(cluster, seen.clone(), other).await, Err(FixError::NotPermitted));
    assert!(cluster.live(&seen.steps[0]).await.unwrap().is_none(), "nothing was written so far");

    let done = apply(cluster, seen.clone(), grant(&seen)).await.unwrap();
    assert!(cluster.live(&seen.steps[0]).await.unwrap().is_some());
    assert_eq!(done.inverse.steps[0].action, PlanAction::Delete);
    assert!(matches!(apply(cluster, seen.clone(), grant(&seen)).await, Err(FixError::Moved { .. })), "it is no longer as it was shown");

    // a change of an object that is there, and its way back
    let wider =
        preview(cluster, Some(probe()), plan("partywall-test", json!({"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}))).await;
    let changed = apply(cluster, wider.clone(), grant(&wider)).await.unwrap();
    assert_eq!(changed.inverse.steps[0].action, PlanAction::Apply);
    let back = undo(cluster, changed.inverse.clone(), grant(&changed.inverse)).await.unwrap();
    assert_eq!(cluster.live(&back.plan.steps[0]).await.unwrap().unwrap().pointer("/spec/policyTypes"), Some(&json!(["Ingress"])));

    let undone = undo(cluster, done.inverse.clone(), grant(&done.inverse)).await.unwrap();
    assert!(cluster.live(&seen.steps[0]).await.unwrap().is_none());
    assert_eq!(undone.inverse.steps[0].action, PlanAction::Apply);
    // again changes nothing
    undo(cluster, done.inverse.clone(), grant(&done.inverse)).await.unwrap();
    // an object made again under the name is another object
    let again = preview(cluster, Some(probe()), plan("partywall-test", deny)).await;
    let again = apply(cluster, again.clone(), grant(&again)).await.unwrap();
    let stale = undo(cluster, done.inverse.clone(), grant(&done.inverse)).await;
    assert!(matches!(&stale, Err(FixError::Moved { .. })), "{stale:?}");
    undo(cluster, again.inverse.clone(), grant(&again.inverse)).await.unwrap();

    let conflict = preview(
        cluster,
        Some(probe()),
        plan("default-deny", json!({"podSelector": {"matchLabels": {"a": "b"}}, "policyTypes": ["Ingress"]})),
    )
    .await;
    assert!(!conflict.applicable(), "{conflict:?}");
    assert!(conflict.steps[0].live.is_some() && (conflict.steps[0].refused.is_some() || conflict.steps[0].owner.is_some()));
}

/// Between our look and our deletion somebody may make the object again: the server itself must compare the uid.
pub async fn a_deletion_demands_the_uid(cluster: &Cluster) {
    let mut stranger = plan("default-deny", json!({}));
    stranger.steps[0].action = PlanAction::Delete;
    stranger.steps[0].manifest["metadata"]["uid"] = json!("00000000-0000-0000-0000-000000000000");
    let refused = cluster.delete(&grant(&stranger), &stranger, 0).await;
    assert!(matches!(&refused, Err(refusal) if refusal.code == 409), "{refused:?}");
    assert!(cluster.live(&stranger.steps[0]).await.unwrap().is_some());
}

/// A manifest that the server would not take is refused by its dry-run, in its words.
pub async fn an_invalid_manifest_is_refused(cluster: &Cluster) {
    let invalid = preview(cluster, Some(probe()), plan("partywall-test", json!({"podSelector": {}, "policyTypes": ["Sideways"]}))).await;
    assert!(invalid.steps[0].refused.is_some(), "{invalid:?}");
}
