//! Many roles: how much a reading asks, how soon a change shows, and what a rate limit does.

use std::time::{Duration, Instant};

use partywall::demo::{self, DemoHandle, DemoOptions, Server};
use partywall::model::source::SourceState;
use partywall::model::vault::VaultFacts;
use partywall::vault::VaultOptions;
use serde_json::json;

use super::devvault::DevServer;
use super::{LONG, Watched, all_live, options};

const TENANTS: usize = 330;

/// Requests of every reading so far: a reading begins with the token.
fn readings(demo: &DemoHandle) -> Vec<usize> {
    let mut counts = Vec::new();
    for request in demo.requests().iter().filter(|request| request.server == Server::Vault && request.user_agent.starts_with("partywall")) {
        match (request.path.as_str(), counts.last_mut()) {
            ("/v1/sys/auth", _) => counts.push(1),
            ("/v1/auth/token/lookup-self", _) => {}
            (path, Some(count)) if !path.starts_with("/v1/sys/health") && !path.starts_with("/v1/sys/seal-status") => *count += 1,
            _ => {}
        }
    }
    counts
}

async fn write_role(demo: &DemoHandle, name: &str, namespace: &str) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let body = json!({"bound_service_account_names": "app", "bound_service_account_namespaces": namespace, "token_policies": "p"});
    let url = format!("{}/v1/auth/kubernetes/role/{name}", demo.vault_url());
    let answer = client.post(url).header("X-Vault-Token", demo.vault_root_token()).body(body.to_string()).send().await.unwrap();
    assert!(answer.status().is_success());
}

fn bound(facts: &VaultFacts, role: &str, namespace: &str) -> bool {
    facts.kubernetes["kubernetes"].items.get(role).is_some_and(|role| role.namespaces.iter().any(|n| n.as_ref() == namespace))
}

#[tokio::test]
async fn a_reading_of_a_fleet_asks_little_and_nothing_gets_old() {
    let demo = demo::start(DemoOptions { tenants: TENANTS, ..DemoOptions::default() }).await.unwrap();
    let poll = Duration::from_secs(1);
    let mut watched = Watched::start(VaultOptions { poll, ..options(&demo.vault_url(), demo.vault_token()) });
    let (first, took) = watched.until("everything live", LONG, all_live).await;
    let roles = first.kubernetes["kubernetes"].items.len();
    assert!(roles > 300, "{roles} roles");
    eprintln!("{roles} roles read in {took:?}; none older than {} s", first.item_age);
    assert_eq!(first.item_age, 5, "four slices at 1.2 s each");
    // the one that has just been read comes last
    write_role(&demo, "tenant-acme", "moved").await;
    let (_, changed) = watched.until("the change", LONG, |facts| bound(facts, "tenant-acme", "moved")).await;
    assert!(changed < Duration::from_secs(6), "{changed:?}");
    write_role(&demo, "new-role", "new").await;
    let (_, new) = watched.until("the new role", LONG, |facts| bound(facts, "new-role", "new")).await;
    assert!(new < Duration::from_millis(2500), "{new:?}");
    let counts = readings(&demo);
    eprintln!("requests of each reading: {counts:?}; a change showed after {changed:?}, a new role after {new:?}");
    assert!(counts[0] > roles && counts[1..].iter().all(|count| *count <= 112), "{counts:?}");
}

#[tokio::test]
async fn a_reread_takes_all_of_a_fleet() {
    let demo = demo::start(DemoOptions { tenants: TENANTS, ..DemoOptions::default() }).await.unwrap();
    let poll = Duration::from_secs(3600);
    let mut watched = Watched::start(VaultOptions { poll, ..options(&demo.vault_url(), demo.vault_token()) });
    let (first, _) = watched.until("everything live", LONG, all_live).await;
    let all: Vec<String> = first.kubernetes["kubernetes"].items.keys().map(ToString::to_string).collect();
    for role in [&all[0], &all[all.len() / 2], &all[all.len() - 1]] {
        write_role(&demo, role, "moved").await;
    }
    watched.follower.reread();
    let seen = |facts: &VaultFacts| [&all[0], &all[all.len() / 2], &all[all.len() - 1]].iter().all(|role| bound(facts, role, "moved"));
    let (_, took) = watched.until("all three changes at once", LONG, seen).await;
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[tokio::test]
async fn a_rate_limit_is_obeyed_and_the_reading_goes_on_where_it_stopped() {
    let Some(server) = DevServer::openbao() else { return };
    server.request("POST", "sys/auth/kubernetes", Some(&json!({"type": "kubernetes"})));
    for n in 0..120 {
        let role =
            json!({"bound_service_account_names": "app", "bound_service_account_namespaces": format!("ns-{n}"), "token_policies": "p"});
        server.request("POST", &format!("auth/kubernetes/role/r{n:03}"), Some(&role));
    }
    server.request("POST", "sys/quotas/config", Some(&json!({"enable_rate_limit_response_headers": true})));
    let quota = json!({"path": "auth/kubernetes", "rate": 50, "interval": "3s"});
    let (code, said) = server.request("POST", "sys/quotas/rate-limit/words", Some(&quota));
    assert!(code < 300, "{said}");
    let poll = Duration::from_secs(1);
    let began = Instant::now();
    let mut watched = Watched::start(VaultOptions { poll, ..options(&server.addr(), "root") });
    let roles = |facts: &VaultFacts| facts.kubernetes.get("kubernetes").map(|part| (part.state.clone(), part.items.len()));
    let (cut, _) = watched.until("a part of the roles", LONG, |f| roles(f).is_some_and(|(_, n)| n > 0)).await;
    let (state, read) = roles(&cut).unwrap();
    assert!(matches!(state, SourceState::Loading(_)) && read < 60, "{state}, {read} roles: never live while roles are missing");
    assert_eq!(cut.policies.state, SourceState::Live, "what is not limited is read");
    let (whole, _) =
        watched.until("all roles", Duration::from_secs(60), |f| roles(f).is_some_and(|(state, _)| state == SourceState::Live)).await;
    assert_eq!(roles(&whole).unwrap().1, 120);
    let took = began.elapsed();
    eprintln!("120 roles under a limit of 50 in 3 s: live after {took:?}");
    assert!(took >= Duration::from_secs(3) && took < Duration::from_secs(30), "{took:?}");
}

#[tokio::test]
async fn a_server_that_is_gone_leaves_what_was_read_and_says_since_when() {
    let Some(server) = DevServer::openbao() else { return };
    server.request("POST", "sys/auth/kubernetes", Some(&json!({"type": "kubernetes"})));
    server.request(
        "POST",
        "auth/kubernetes/role/a",
        Some(&json!({"bound_service_account_names": "a", "bound_service_account_namespaces": "b"})),
    );
    server.request("POST", "identity/group", Some(&json!({"name": "team"})));
    let mut watched = Watched::start(options(&server.addr(), "root"));
    let (live, _) = watched.until("everything live", LONG, all_live).await;
    drop(server);
    let (gone, _) = watched.until("gone", LONG, |facts| matches!(facts.server.state, SourceState::Stale { .. })).await;
    for state in [&gone.groups.state, &gone.entities.state, &gone.namespaces.state, &gone.kubernetes_config.state, &gone.policies.state] {
        assert!(matches!(state, SourceState::Stale { .. }) && state.to_string().contains("unreachable"), "{state}");
    }
    assert_eq!(
        (gone.groups.items, gone.kubernetes["kubernetes"].items.clone()),
        (live.groups.items, live.kubernetes["kubernetes"].items.clone())
    );
}

/// Requests by what is read, of every reading in Vault's own audit log.
fn audited(path: &std::path::Path) -> Vec<std::collections::BTreeMap<&'static str, usize>> {
    let log = std::fs::read_to_string(path).unwrap();
    let mut readings: Vec<std::collections::BTreeMap<&'static str, usize>> = Vec::new();
    let requests =
        log.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok()).filter(|line| line["type"] == "request");
    for request in requests {
        let asked = request["request"]["path"].as_str().unwrap_or_default().to_owned();
        if asked == "auth/token/lookup-self" {
            readings.push(std::collections::BTreeMap::new());
        }
        let kinds = [("role", "/role/"), ("policy", "sys/policies/acl/"), ("entity", "identity/entity/id/")];
        let kind = kinds.iter().find(|(_, part)| asked.contains(part) && !asked.ends_with('/')).map_or("other", |(kind, _)| kind);
        if let Some(last) = readings.last_mut() {
            *last.entry(kind).or_default() += 1;
        }
    }
    readings
}

/// 1,000 roles, 1,500 policies and 1,000 entities on a real Vault, which has no list that tells all policies at once.
#[tokio::test]
async fn a_reading_of_a_real_vaults_fleet() {
    let Some(server) = DevServer::vault() else { return };
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("audit");
    let post = |path: &str, body: serde_json::Value| {
        let (code, answer) = server.request("POST", path, Some(&body));
        assert!(code < 300, "{path}: {code} {answer}");
        answer
    };
    post("sys/auth/kubernetes", json!({"type": "kubernetes"}));
    let (_, mounts) = server.request("GET", "sys/auth", None);
    let accessor = mounts["data"]["kubernetes/"]["accessor"].clone();
    for n in 0..1_500 {
        post(&format!("sys/policies/acl/p{n}"), json!({"policy": format!("path \"secret/data/t{n}/*\" {{ capabilities = [\"read\"] }}")}));
    }
    for n in 0..1_000 {
        let role = json!({"bound_service_account_names": "app", "bound_service_account_namespaces": format!("t{n}"), "token_policies": format!("p{n}")});
        post(&format!("auth/kubernetes/role/t{n}"), role);
        let entity = post("identity/entity", json!({"name": format!("t{n}")}));
        let alias = json!({"name": format!("uid-{n}"), "canonical_id": entity["data"]["id"], "mount_accessor": accessor});
        post("identity/entity-alias", alias);
    }
    post("sys/audit/file", json!({"type": "file", "options": {"file_path": log}}));
    let poll = Duration::from_secs(2);
    let mut watched = Watched::start(VaultOptions { poll, ..options(&server.addr(), "root") });
    let (live, took) = watched.until("everything live", Duration::from_secs(60), all_live).await;
    assert_eq!((live.kubernetes["kubernetes"].items.len(), live.entities.items.len()), (1_000, 1_000));
    assert!(live.policies.items.len() >= 1_500);
    eprintln!("1,000 roles, 1,500 policies, 1,000 entities: read in {took:?}; none older than {} s at a poll of 2 s", live.item_age);
    tokio::time::sleep(Duration::from_secs(9)).await;
    let readings = audited(&log);
    for reading in &readings {
        eprintln!("requests of a reading: {} in all, {reading:?}", reading.values().sum::<usize>());
    }
    // the last one may be under way
    for reading in readings.iter().skip(1).rev().skip(1) {
        assert_eq!((reading["role"], reading["policy"], reading["entity"]), (100, 100, 100));
        assert!(reading["other"] <= 16, "{reading:?}");
    }
    assert!(readings.len() > 3, "{readings:?}");
}
