//! A Vault dump among manifests: what the files are taken for, what is missing, and what `check -f` makes of it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests say what they expect by panicking"
)]

use std::path::Path;
use std::process::{Command, Stdio};

use partywall::manifests::{Reading, files};
use partywall::model::ids::Name;
use partywall::model::source::SourceState;
use partywall::model::vault::{Flavour, VaultFacts};
use partywall::vaultacl::dialect::Dialect;
use serde_json::{Value, json};

const CANARY: &str = "s3cret-canary";

fn read(all: &[(&str, String)]) -> Reading {
    let root = on_disk(all);
    files::read(&[root.path().to_owned()])
}

fn told(reading: &Reading) -> Vec<String> {
    reading.problems.iter().map(ToString::to_string).collect()
}

/// As `vault read -format=json` prints.
fn answer(data: &Value) -> String {
    json!({"request_id": "1", "lease_id": "", "lease_duration": 0, "renewable": false, "data": data, "warnings": null}).to_string()
}

fn role(namespace: &str, policies: &[&str]) -> String {
    answer(&json!({"bound_service_account_names": ["app"], "bound_service_account_namespaces": [namespace], "token_policies": policies,
        "token_ttl": 600, "audience": "vault"}))
}

fn policy(path: &str) -> String {
    format!("path \"{path}\" {{ capabilities = [\"read\"] }}\n")
}

fn auth() -> String {
    json!({"token/": {"type": "token", "accessor": "t"}, "kubernetes/": {"type": "kubernetes", "accessor": "k8s", "config": {"max_lease_ttl": 3600}}})
        .to_string()
}

fn secrets() -> String {
    json!({"secret/": {"type": "kv", "options": {"version": "2"}}, "sys/": {"type": "system"}}).to_string()
}

/// Everything that a dump can hold, for two tenants.
fn whole() -> Vec<(&'static str, String)> {
    let keys = |keys: &[&str]| answer(&json!({"keys": keys}));
    vec![
        ("dump/policies/acme.hcl", policy("secret/data/web-tenant-acme")),
        ("dump/policies/globex.json", r#"{"path": {"secret/data/web-tenant-globex": {"capabilities": ["read"]}}}"#.to_owned()),
        (
            "dump/sys/policies/acl/Default.json",
            answer(&json!({"name": "default", "policy": "path \"auth/token/lookup-self\" { policy = \"read\" }"})),
        ),
        ("dump/auth/kubernetes/role/acme.json", role("web-tenant-acme", &["ACME"])),
        ("dump/auth/kubernetes/role/globex.json", role("web-tenant-globex", &["globex"])),
        ("dump/auth/kubernetes/role.json", keys(&["acme", "globex"])),
        ("dump/auth/kubernetes/config.json", answer(&json!({"kubernetes_host": "https://10.0.0.1", "kubernetes_ca_cert": "PEM"}))),
        ("dump/auth.json", auth()),
        ("dump/sys/mounts.json", answer(&serde_json::from_str(&secrets()).unwrap())),
        (
            "dump/status.json",
            json!({"type": "shamir", "initialized": true, "sealed": false, "version": "2.7.2", "commit_date": "x"}).to_string(),
        ),
        ("dump/identity/entity/id.json", keys(&["e1"])),
        (
            "dump/identity/entity/id/e1.json",
            answer(&json!({"id": "e1", "name": "one", "policies": ["acme"], "aliases": [{"name": "uid", "mount_accessor": "k8s"}]})),
        ),
        ("dump/identity/group/id.json", "[]".to_owned()),
        ("dump/sys/namespaces.json", keys(&[])),
    ]
}

fn names<'a, V: 'a>(items: impl IntoIterator<Item = (&'a Name, V)>) -> Vec<&'a str> {
    items.into_iter().map(|(name, _)| name.as_ref()).collect()
}

fn facts(reading: &Reading) -> &VaultFacts {
    &reading.snapshot.vault
}

#[test]
fn a_whole_dump_is_a_whole_picture() {
    let reading = read(&whole());
    assert_eq!(told(&reading), Vec::<String>::new());
    assert_eq!(reading.objects, whole().len());
    let vault = facts(&reading);
    assert!(vault.configured && vault.server.state == SourceState::Live && vault.server.initialized && !vault.server.sealed);
    assert_eq!((vault.server.flavour, Dialect::of(&vault.server)), (Flavour::OpenBao, Some(Dialect::OpenBao26)));
    assert_eq!(names(vault.policies.items.iter()), ["acme", "default", "globex"]);
    let roles = &vault.kubernetes["kubernetes"];
    assert_eq!(names(roles.items.iter()), ["acme", "globex"]);
    assert_eq!(roles.items["acme"].policies.iter().map(AsRef::as_ref).collect::<Vec<_>>(), ["acme"], "lower-case, as servers look them up");
    assert_eq!((vault.auth_mounts.items["kubernetes"].accessor.as_ref(), vault.secret_mounts.items["secret"].version), ("k8s", Some(2)));
    assert!(vault.kubernetes_config.items["kubernetes"].has_ca);
    assert_eq!(vault.entities.items["e1"].name.as_ref(), "one");
    let states = [
        &vault.policies.state,
        &roles.state,
        &vault.auth_mounts.state,
        &vault.secret_mounts.state,
        &vault.kubernetes_config.state,
        &vault.entities.state,
        &vault.groups.state,
        &vault.namespaces.state,
    ];
    assert!(states.iter().all(|state| **state == SourceState::Live), "{states:?}");
    assert!(vault.policies.unreadable.is_empty() && roles.unreadable.is_empty() && vault.groups.items.is_empty());
}

#[test]
fn what_is_missing_is_not_seen_and_is_told() {
    let reading = read(&[("acme.hcl", policy("secret/data/acme")), ("role/acme.json", role("acme", &["acme", "more"]))]);
    let vault = facts(&reading);
    assert_eq!(vault.policies.state, SourceState::Live);
    assert_eq!(names(vault.policies.unreadable.iter()), ["default", "more"], "named by a role, and not given");
    assert_eq!(names(vault.kubernetes["kubernetes"].items.iter()), ["acme"], "without a path the mount is the usual one");
    for state in [&vault.auth_mounts.state, &vault.secret_mounts.state, &vault.entities.state, &vault.groups.state, &vault.namespaces.state]
    {
        assert_eq!(*state, SourceState::Off);
    }
    let told = told(&reading);
    for what in
        ["version of the server", "auth mounts", "secret mounts", "list of entities", "list of groups", "text of policy default, more"]
    {
        assert!(told.iter().any(|line| line.contains(&format!("hold no {what}: what rests on it is UNKNOWN"))), "{what}: {told:#?}");
    }
    assert!(!reading.lost(), "nothing was lost: {told:#?}");
    // lists say what should be there
    let reading = read(&[
        ("sys/policies/acl.json", "[\"acme\", \"root\", \"default\"]".to_owned()),
        ("auth/team/k8s/role.json", answer(&json!({"keys": ["A", "b"]}))),
        ("auth/team/k8s/role/a.json", role("a", &["gone"])),
    ]);
    let vault = facts(&reading);
    assert_eq!(names(vault.policies.unreadable.iter()), ["acme", "default"], "what is not listed does not exist");
    let roles = &vault.kubernetes["team/k8s"];
    assert_eq!((names(roles.items.iter()), names(roles.unreadable.iter())), (vec!["a"], vec!["b"]));
    // a mount of which nothing was given
    let reading = read(&[("auth.json", auth())]);
    assert_eq!(facts(&reading).kubernetes["kubernetes"].state, SourceState::Off);
    // no dump at all
    let reading = read(&[("a.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: a}".to_owned())]);
    assert!(!facts(&reading).configured && told_nothing(&reading));
}

fn told_nothing(reading: &Reading) -> bool {
    reading.problems.is_empty()
}

#[test]
fn secrets_among_the_files_are_passed_over() {
    let reading = read(&[
        ("secret/data/acme.json", answer(&json!({"data": {"password": CANARY}, "metadata": {"version": 1}}))),
        ("kv/acme.json", answer(&json!({"policy": CANARY, "password": CANARY}))),
        ("token.json", json!({"request_id": "1", "data": null, "auth": {"client_token": CANARY}}).to_string()),
        ("broken.json", format!("{{\"request_id\": \"1\", \"data\": {{\"password\": \"{CANARY}\", ")),
    ]);
    let shown = format!("{:?} {:?} {:?} {:?}", told(&reading), reading.passed, reading.snapshot.vault, reading.summary());
    assert!(!shown.contains(CANARY), "{shown}");
    assert!(!facts(&reading).configured);
    assert_eq!(reading.passed.values().sum::<usize>(), 3, "{:?}", reading.passed);
}

#[test]
fn other_files_are_what_they_were() {
    let reading = read(&[
        ("main.hcl", "resource \"vault_policy\" \"x\" {\n  name = \"x\"\n}\n".to_owned()),
        ("agent.hcl", "listener \"tcp\" {\n address = \"127.0.0.1\"\n}\n".to_owned()),
        (
            "pods.json",
            json!({"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a"}}]})
                .to_string(),
        ),
        ("list.json", "[1, 2]".to_owned()),
        ("values.json", json!({"path": "x", "image": "y"}).to_string()),
    ]);
    assert!(!facts(&reading).configured);
    assert_eq!(reading.passed.get("(HCL that is no Vault policy)"), Some(&2));
    assert_eq!(reading.snapshot.namespaces.len(), 1);
}

#[test]
fn a_policy_that_a_server_would_refuse_stays_and_is_told() {
    let reading = read(&[
        ("acme.hcl", "\n\npath \"secret/data/acme\" { capabilites = [\"read\"] }".to_owned()),
        ("deep.hcl", format!("path \"a\" {{ comment = {}", "[".repeat(100_000))),
        ("twice.hcl", policy("a")),
        ("x/twice.hcl", policy("b")),
        ("root.hcl", policy("*")),
    ]);
    let vault = facts(&reading);
    assert_eq!(names(vault.policies.items.iter()), ["acme", "deep", "twice"]);
    assert!(vault.policies.items["twice"].text.contains("\"b\""));
    let told = told(&reading);
    assert!(told.iter().any(|line| line.contains("acme.hcl") && line.contains("line 3: invalid key")), "{told:#?}");
    assert!(told.iter().any(|line| line.contains("nested more than 64 deep")), "{told:#?}");
    assert!(told.iter().any(|line| line.contains("policy twice stands already")), "{told:#?}");
}

#[test]
fn hostile_names_and_texts_harm_nothing() {
    let reading = read(&[
        ("auth/\u{1b}[31m/role/\u{1b}]0;x\u{7}.json", role("\u{1b}[2J", &["\u{1b}p"])),
        ("\u{1b}.hcl", "path \"\u{1b}[31m\" { \u{1b} }".to_owned()),
        ("list.json", json!({"\u{1b}/": {"type": "\u{1b}"}}).to_string()),
        ("deep.json", format!("{{\"data\": {}", "[".repeat(50_000))),
        ("deep2.json", "{\"path\": {\"a\":".repeat(50_000)),
    ]);
    assert!(told(&reading).iter().all(|line| !line.contains('\u{1b}')), "{:?}", told(&reading));
}

fn partywall(root: &Path, args: &[&str]) -> (i32, String, String) {
    let state = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_partywall"));
    command.args(args).current_dir(root).stdin(Stdio::null());
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("PARTYWALL_") || name.starts_with("VAULT_")) {
        command.env_remove(name);
    }
    command.env("HOME", state.path()).env("XDG_CONFIG_HOME", state.path()).env("PARTYWALL_STATE_DIR", state.path());
    let output = command.env("KUBECONFIG", "/nonexistent/kubeconfig").output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap(), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn tenants() -> String {
    ["acme", "globex"]
        .map(|tenant| {
            format!(
                "apiVersion: v1\nkind: Namespace\nmetadata: {{name: web-tenant-{tenant}}}\n---\n\
                 apiVersion: v1\nkind: ServiceAccount\nmetadata: {{name: app, namespace: web-tenant-{tenant}}}\n---\n"
            )
        })
        .concat()
}

fn on_disk(files: &[(&str, String)]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = root.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    root
}

fn check(files: &[(&str, String)]) -> Value {
    let root = on_disk(files);
    let (code, out, err) = partywall(root.path(), &["check", "-f", ".", "-o", "json", "--fail-on", "never"]);
    assert_eq!(code, 0, "{err}");
    serde_json::from_str(&out).unwrap()
}

fn sec(report: &Value, tenant: &str) -> String {
    let tenant = report["tenants"].as_array().unwrap().iter().find(|row| row["tenant"] == tenant).unwrap();
    tenant["walls"]["SEC"].as_str().unwrap().to_owned()
}

#[test]
fn check_judges_the_secret_wall_by_a_dump() {
    let mut files = whole();
    files.push(("tenants.yaml", tenants()));
    let walled = check(&files);
    assert_ne!(sec(&walled, "acme"), "BREACHED", "{walled:#}");
    let vault: Vec<&Value> = walled["unknowns"].as_array().unwrap().iter().filter(|row| row.to_string().contains("vault")).collect();
    assert!(vault.is_empty(), "everything was given: {vault:#?}");
    // widened by one star
    files[0].1 = policy("secret/data/web-tenant-*");
    let open = check(&files);
    assert_eq!(sec(&open, "acme"), "BREACHED", "{open:#}");
    assert!(open.to_string().contains("secret/data/web-tenant-*"), "{open:#}");
}

#[test]
fn check_says_unknown_where_the_dump_is_silent() {
    let mut files =
        vec![("acme.hcl", policy("secret/data/web-tenant-acme")), ("auth/kubernetes/role/acme.json", role("web-tenant-acme", &["acme"]))];
    files.push(("tenants.yaml", tenants()));
    let report = check(&files);
    let unknowns = report["unknowns"].to_string();
    assert!(unknowns.contains("not among the files"), "{unknowns}");
    for tenant in ["acme", "globex"] {
        assert!(["UNKNOWN", "BREACHED", "DEGRADED"].contains(&sec(&report, tenant).as_str()), "{tenant}: {report:#}");
    }
}
