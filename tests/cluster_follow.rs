//! Following a server through everything that goes wrong with one.
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

#[path = "cluster_fake/fake.rs"]
mod fake;

use std::time::Duration;

use fake::{Fake, Seen, event, object, status};
use partywall::model::access::{Answer, Question};
use partywall::model::kind::{Kind, KindInfo, WATCHED};
use partywall::model::source::SourceState;
use serde_json::json;

/// The kinds that are asked for without leave.
fn asked() -> impl Iterator<Item = &'static KindInfo> {
    WATCHED.iter().filter(|info| info.metadata_of_type.is_none())
}

const NAMESPACES: &str = "GET /api/v1/namespaces?";

#[tokio::test]
async fn lists_come_in_pages_and_watches_go_on_from_there() {
    let fake = Fake::start().await;
    fake.with(|s| s.objects.insert("namespaces".to_owned(), (0..95).map(|i| object(&format!("n{i}"), i)).collect()));
    let mut seen = Seen::paged(&fake, 20).await;
    seen.until("all pages", |s| s.namespaces.len() == 95 && s.source(Kind::Namespace) == &SourceState::Live).await;
    assert_eq!(fake.with(|s| s.log.iter().filter(|l| l.starts_with(NAMESPACES) && l.contains("limit=20")).count()), 5);
    assert!(
        seen.states.iter().any(|(kind, state)| (*kind, state) == (Kind::Namespace, &SourceState::Loading(40))),
        "the view fills as pages arrive"
    );
    seen.until_state(Kind::Pod, "live").await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    fake.say("namespaces", &event("DELETED", &object("n7", 200)));
    fake.say("namespaces", &event("ADDED", &object("new", 201)));
    seen.until("the changes", |s| !s.namespaces.contains_key("n7") && s.namespaces.contains_key("new")).await;
    // a watch that ends goes on from the newest place, and nobody sees a gap
    seen.states.clear();
    fake.cut("namespaces");
    tokio::time::sleep(Duration::from_millis(1500)).await;
    fake.say("namespaces", &event("ADDED", &object("later", 202)));
    seen.until("later", |s| s.namespaces.contains_key("later")).await;
    assert!(fake.with(|s| s.log.iter().any(|l| l.contains("namespaces?watch=true") && l.contains("resourceVersion=201"))));
    assert_eq!(seen.states, []);
    assert_eq!((&*seen.snapshot.server.version, &*seen.snapshot.server.cluster_uid), ("v9.9.9", "cluster-1"));
}

#[tokio::test]
async fn a_lost_place_is_stale_until_the_list_is_read_again() {
    let fake = Fake::start().await;
    fake.with(|s| s.objects.insert("namespaces".to_owned(), vec![object("kept", 1), object("lost", 2)]));
    let mut seen = Seen::of(&fake).await;
    seen.until("both", |s| s.namespaces.len() == 2 && s.source(Kind::Namespace) == &SourceState::Live).await;
    for bad in [json!({"type": "ERROR", "object": status(410, "Expired", "too old resource version")}).to_string(), "{garbage".to_owned()] {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let lists = fake.with(|s| s.log.iter().filter(|l| l.starts_with(NAMESPACES) && l.contains("limit")).count());
        fake.with(|s| s.objects.insert("namespaces".to_owned(), vec![object("kept", 1)]));
        seen.states.clear();
        fake.say("namespaces", &bad);
        seen.until_state(Kind::Namespace, "stale").await;
        seen.until("live with one namespace", |s| s.namespaces.len() == 1 && s.source(Kind::Namespace) == &SourceState::Live).await;
        assert_eq!(fake.with(|s| s.log.iter().filter(|l| l.starts_with(NAMESPACES) && l.contains("limit")).count()), lists + 1, "{bad}");
    }
}

/// A proxy that lost its way says 404 to everything. Kinds that every server has are then out of sight, not gone.
#[tokio::test]
async fn a_kind_that_every_server_has_is_never_taken_for_absent() {
    let fake = Fake::start().await;
    fake.with(|s| s.objects.insert("namespaces".to_owned(), vec![object("kept", 1)]));
    let mut seen = Seen::of(&fake).await;
    seen.until("one namespace", |s| s.namespaces.len() == 1 && s.source(Kind::Namespace) == &SourceState::Live).await;
    let lost = || vec![(404, "404 page not found".into()); 3];
    fake.with(|s| s.answers.extend([("watch namespaces".to_owned(), lost()), ("list namespaces".to_owned(), lost())]));
    seen.states.clear();
    fake.cut("namespaces");
    seen.until_state(Kind::Namespace, "stale").await;
    assert!(seen.snapshot.namespaces.contains_key("kept"));
    let absent = |(kind, state): &(Kind, SourceState)| *kind == Kind::Namespace && state.word() == "absent";
    assert!(!seen.states.iter().any(absent), "{:?}", seen.states);
    seen.until_state(Kind::Namespace, "live").await;
}

#[tokio::test]
async fn what_may_not_be_listed_is_denied_with_the_reason_and_never_asked_for() {
    let fake = Fake::start().await;
    fake.with(|s| s.denied.extend(asked().filter(|i| i.kind != Kind::Namespace).map(|i| i.plural.to_owned())));
    fake.with(|s| s.objects.insert("namespaces".to_owned(), vec![object("a", 1)]));
    let mut seen = Seen::of(&fake).await;
    seen.until("every kind decided", |s| {
        s.source(Kind::Namespace) == &SourceState::Live
            && asked().filter(|i| i.kind != Kind::Namespace && !i.optional).all(|i| s.source(i.kind).word() == "denied")
    })
    .await;
    // what the server does not have is not missed for want of a permission
    seen.until_state(Kind::SecretStore, "absent").await;
    let why = seen.snapshot.source(Kind::NetworkPolicy).why().unwrap().to_string();
    assert_eq!(why, "you may not list networkpolicies in all namespaces: no role");
    assert_eq!(fake.count("GET /api/v1/pods"), 0);
    let question = Question::new("list", "networking.k8s.io", "networkpolicies");
    assert_eq!(seen.snapshot.access.answers.get(&question), Some(&Answer::No("no role".into())));
    // asked again when told to, and it recovers
    fake.with(|s| s.denied.clear());
    seen.handle.reread();
    seen.until_state(Kind::NetworkPolicy, "live").await;
}

#[tokio::test]
async fn a_permission_that_is_taken_away_is_denied_and_facts_stay() {
    let fake = Fake::start().await;
    fake.with(|s| s.objects.insert("namespaces".to_owned(), vec![object("a", 1)]));
    let mut seen = Seen::of(&fake).await;
    seen.until_state(Kind::Namespace, "live").await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let words = "namespaces is forbidden: User \"u\" cannot watch resource \"namespaces\"";
    fake.with(|s| s.answers.insert("watch namespaces".to_owned(), vec![(403, status(403, "Forbidden", words).to_string())]));
    fake.cut("namespaces");
    seen.until_state(Kind::Namespace, "denied").await;
    assert_eq!(seen.snapshot.source(Kind::Namespace).why().unwrap().as_ref(), words);
    assert_eq!(seen.snapshot.namespaces.len(), 1);
    // a server that has just started refuses before it has read its roles: asked again soon
    seen.until_state(Kind::Namespace, "live").await;
}

#[tokio::test]
async fn a_kind_that_may_be_listed_but_not_watched_is_read_again_and_again() {
    let fake = Fake::start().await;
    fake.with(|s| s.unwatchable.insert("namespaces".to_owned()));
    fake.with(|s| s.objects.insert("namespaces".to_owned(), vec![object("a", 1)]));
    let mut seen = Seen::of(&fake).await;
    seen.until_state(Kind::Namespace, "live").await;
    seen.until_state(Kind::Node, "live").await;
    assert_eq!(fake.with(|s| s.log.iter().filter(|l| l.contains("namespaces?watch")).count()), 0);
}

#[tokio::test]
async fn an_optional_api_may_appear_and_its_version_is_discovered() {
    let fake = Fake::start().await;
    let mut seen = Seen::of(&fake).await;
    seen.until_state(Kind::SecretStore, "absent").await;
    fake.with(|s| s.objects.insert("secretstores".to_owned(), vec![json!({"metadata": {"name": "s", "namespace": "n"}})]));
    fake.serve("external-secrets.io", &[("v1", &["externalsecrets"]), ("v1beta1", &["secretstores"])]);
    seen.handle.reread();
    seen.until("the store", |s| s.namespace("n").is_some_and(|n| n.secret_stores.len() == 1)).await;
    assert!(fake.count("GET /apis/external-secrets.io/v1beta1/secretstores") > 0, "v1 does not serve it");
}

/// A CRD that is installed while we run is followed, and one that is removed takes its objects with it, without a restart.
#[tokio::test]
async fn an_api_comes_and_goes_while_we_watch() {
    let fake = Fake::start().await;
    let mut seen = Seen::of(&fake).await;
    seen.until_state(Kind::EgressFirewall, "absent").await;
    let wall = || json!({"metadata": {"name": "default", "namespace": "n", "resourceVersion": "7"}});
    fake.with(|s| s.objects.insert("egressfirewalls".to_owned(), vec![wall()]));
    fake.serve("k8s.ovn.org", &[("v1", &["egressfirewalls"])]);
    seen.until("the object", |s| s.namespace("n").is_some_and(|n| n.foreign.len() == 1)).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    fake.serve("k8s.ovn.org", &[]);
    let gone = || vec![(404, "404 page not found".to_owned())];
    fake.with(|s| s.answers.extend([("watch egressfirewalls".to_owned(), gone()), ("list egressfirewalls".to_owned(), gone())]));
    fake.cut("egressfirewalls");
    seen.until_state(Kind::EgressFirewall, "absent").await;
    assert!(seen.snapshot.namespace("n").is_none(), "{:?}", seen.snapshot.namespaces);
}

/// A group may be there without the version or the resource, and Calico's own API server serves its kinds in a group of its own.
#[tokio::test]
async fn kinds_are_found_in_the_version_and_group_that_serve_them() {
    let fake = Fake::start().await;
    let named = |name: &str| vec![json!({"metadata": {"name": name}})];
    fake.serve("policy.networking.k8s.io", &[("v1alpha2", &["clusternetworkpolicies"])]);
    fake.serve("cilium.io", &[("v2", &["ciliumnetworkpolicies"]), ("v2alpha1", &["ciliumcidrgroups"])]);
    fake.serve("security.istio.io", &[("v1beta1", &["authorizationpolicies"]), ("v1", &["authorizationpolicies"])]);
    fake.serve("projectcalico.org", &[("v3", &["globalnetworkpolicies"])]);
    fake.with(|s| s.objects.insert("globalnetworkpolicies".to_owned(), named("g")));
    let mut seen = Seen::of(&fake).await;
    for (kind, word) in [
        (Kind::AdminNetworkPolicy, "absent"),
        (Kind::BaselineAdminNetworkPolicy, "absent"),
        (Kind::ClusterNetworkPolicy, "live"),
        (Kind::CiliumNetworkPolicy, "live"),
        (Kind::CiliumClusterwideNetworkPolicy, "absent"),
        (Kind::CiliumCIDRGroup, "live"),
        (Kind::AuthorizationPolicy, "live"),
        (Kind::CalicoNetworkPolicy, "absent"),
        (Kind::CalicoGlobalNetworkPolicy, "live"),
    ] {
        seen.until_state(kind, word).await;
    }
    assert!(seen.snapshot.cluster.foreign.contains_key(&(Kind::CalicoGlobalNetworkPolicy, "g".into())));
    assert!(fake.count("GET /apis/cilium.io/v2alpha1/ciliumcidrgroups?limit") > 0);
    assert!(fake.count("GET /apis/security.istio.io/v1/authorizationpolicies?limit") > 0, "the version we know best");
    let asked = Question::new("list", "projectcalico.org", "globalnetworkpolicies");
    assert_eq!(seen.snapshot.access.answers.get(&asked), Some(&Answer::Yes));
    // the CRDs, once they are there, come first; and so many kinds make few questions
    let before = fake.count("GET /apis");
    assert!(fake.with(|s| s.log.iter().filter(|l| *l == "GET /apis").count()) <= 3, "{before}");
}

/// Of all ConfigMaps one is read; a role may permit no more than that, and none at all harms nothing else.
#[tokio::test]
async fn of_all_config_maps_one_is_asked_for() {
    const ONLY: &str = "GET /api/v1/namespaces/kube-system/configmaps?fieldSelector=metadata.name%3Dcilium-config&";
    let config = |mode: &str| json!({"metadata": {"name": "cilium-config", "namespace": "kube-system", "resourceVersion": "3"}, "data": {"enable-policy": mode, "canary": "4711"}});
    let mode = |s: &partywall::model::snapshot::Snapshot| s.cluster.cilium_config.as_ref().and_then(|c| c.enable_policy.clone());
    let fake = Fake::start().await;
    let mut seen = Seen::of(&fake).await;
    seen.until_state(Kind::CiliumConfig, "live").await;
    assert!(seen.snapshot.cluster.cilium_config.is_none());
    let question = Question::new("list", "", "configmaps").within("kube-system").named("cilium-config");
    assert_eq!(seen.snapshot.access.answers.get(&question), Some(&Answer::Yes));
    tokio::time::sleep(Duration::from_millis(200)).await;
    fake.say("configmaps", &event("ADDED", &config("never")));
    seen.until("never", |s| mode(s).as_deref() == Some("never")).await;
    fake.say("configmaps", &event("MODIFIED", &config("always")));
    seen.until("always", |s| mode(s).as_deref() == Some("always")).await;
    // a list read again keeps it, and one without it takes it away
    fake.with(|s| s.objects.insert("configmaps".to_owned(), vec![config("default")]));
    seen.handle.reread();
    seen.until("default", |s| mode(s).as_deref() == Some("default")).await;
    seen.handle.reread();
    let lists = fake.count(&format!("{ONLY}limit"));
    seen.until("read again", |s| s.source(Kind::CiliumConfig) == &SourceState::Live && fake.count(&format!("{ONLY}limit")) > lists).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(seen.snapshot.cluster.cilium_config.is_some());
    fake.with(|s| s.objects.insert("configmaps".to_owned(), Vec::new()));
    seen.handle.reread();
    seen.until("gone", |s| s.cluster.cilium_config.is_none()).await;
    let others = fake.with(|s| s.log.iter().filter(|l| l.contains("configmaps") && !l.starts_with(ONLY)).cloned().collect::<Vec<_>>());
    assert_eq!(others, Vec::<String>::new());
    // refused, it is denied in words, and everything else goes on
    fake.with(|s| s.denied.insert("configmaps".to_owned()));
    seen.handle.reread();
    seen.until_state(Kind::CiliumConfig, "denied").await;
    let why = seen.snapshot.source(Kind::CiliumConfig).why().unwrap().to_string();
    assert_eq!(why, "you may not list configmaps cilium-config in kube-system: no role");
    seen.until("the rest is live", |s| asked().filter(|i| !i.optional && i.only.is_none()).all(|i| s.source(i.kind) == &SourceState::Live))
        .await;
}

#[tokio::test]
async fn a_busy_server_is_down_with_words_and_recovers() {
    let fake = Fake::start().await;
    fake.with(|s| s.answers.insert("list namespaces".to_owned(), vec![(429, status(429, "TooManyRequests", "slow down").to_string())]));
    fake.with(|s| s.answers.insert("list pods".to_owned(), vec![(200, "<html>login here</html>".to_owned())]));
    let mut seen = Seen::of(&fake).await;
    seen.until_state(Kind::Namespace, "live").await;
    seen.until_state(Kind::Pod, "live").await;
    let why = |kind: Kind| seen.states.iter().filter(|(k, _)| *k == kind).find_map(|(_, s)| s.why().cloned()).unwrap();
    assert_eq!(&*why(Kind::Namespace), "the server is busy: slow down");
    assert!(why(Kind::Pod).starts_with("the server's list can't be read"), "{}", why(Kind::Pod));
}

#[tokio::test]
async fn a_server_that_falls_silent_is_stale_within_seconds() {
    let fake = Fake::start().await;
    let mut seen = Seen::of(&fake).await;
    seen.until("all live", |s| asked().filter(|i| !i.optional).all(|i| s.source(i.kind) == &SourceState::Live)).await;
    fake.with(|s| s.mute = true);
    let began = std::time::Instant::now();
    seen.until("all stale", |s| asked().filter(|i| !i.optional).all(|i| s.source(i.kind).word() == "stale")).await;
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    fake.with(|s| s.mute = false);
    seen.until("all live again", |s| asked().filter(|i| !i.optional).all(|i| s.source(i.kind) == &SourceState::Live)).await;
}

#[tokio::test]
async fn a_dead_server_is_down_with_the_reason() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let mut seen = Seen::of(&Fake { script: std::sync::Arc::default(), port }).await;
    seen.until("all down", |s| asked().all(|i| s.source(i.kind).word() == "down")).await;
    assert!(seen.snapshot.source(Kind::Pod).why().unwrap().contains("Connection refused"));
    let said = seen.cluster.reach().await.unwrap_err().to_string();
    assert!(said.contains("Connection refused") && said.contains("context \"fake\"") && said.contains(&port.to_string()), "{said}");
}

#[tokio::test]
async fn following_sends_only_reads_and_self_reviews() {
    let fake = Fake::start().await;
    let mut seen = Seen::of(&fake).await;
    seen.until("all live", |s| asked().filter(|i| !i.optional).all(|i| s.source(i.kind) == &SourceState::Live)).await;
    let log = fake.with(|s| s.log.clone());
    assert!(log.iter().all(|l| l.starts_with("GET ") || l == "POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews"), "{log:#?}");
    assert!(log.iter().any(|l| l.contains("/api/v1/events?fieldSelector=type%21%3DNormal")));
    assert!(!log.iter().any(|l| l.contains("secrets?") || l.contains("/secrets")), "no secret is ever asked for");
    // the end of the handle is the end of the following
    drop(seen);
    tokio::time::sleep(Duration::from_millis(300)).await;
    let before = fake.with(|s| s.log.len());
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(fake.with(|s| s.log.len()), before);
}
