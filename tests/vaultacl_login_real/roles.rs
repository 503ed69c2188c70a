//! Roles by the dozen: who is let in, and with which policies.

use std::collections::BTreeMap;

use partywall::model::ids::Name;
use partywall::model::vault::VaultRole;
use partywall::vaultacl::binding;
use serde_json::{Value, json};

use crate::choices::{Choices, bytes};
use crate::cluster::{Cluster, ok};
use crate::devvault::DevServer;

const ROLES: u64 = 70;
const NAMES: [&str; 14] = ["app", "app*", "*", "a*p", "*p", "db", "APP", "ap", "*-2", "app-2", "**", "?pp", "d*b", "a*2"];
/// After the prefix of the run; those with a star in front have none.
const PLACES: [&str; 9] = ["a", "b", "a*", "*", "*b", "A", "ab", "nowhere", "a**"];

fn selectors(cluster: &Cluster<'_>) -> Vec<String> {
    let b = cluster.namespace("b");
    vec![
        r#"{"matchLabels": {"team": "red"}}"#.to_owned(),
        "matchLabels:\n  team: blue\n".to_owned(),
        r#"{"matchLabels": {"team": "red", "env": "prod"}}"#.to_owned(),
        "matchLabels:\n  env: prod\n  team: green\n".to_owned(),
        format!(r#"{{"matchLabels": {{"kubernetes.io/metadata.name": "{b}"}}}}"#),
        r#"{"matchExpressions": [{"key": "team", "operator": "In", "values": ["red"]}]}"#.to_owned(),
        "matchExpressions:\n- key: team\n  operator: Exists\n".to_owned(),
        r#"{"matchLabels": {"team": "red"}, "matchExpressions": [{"key": "env", "operator": "DoesNotExist"}]}"#.to_owned(),
        r#"{"matchLabels": {}}"#.to_owned(),
        "{}".to_owned(),
        "nonsense: [".to_owned(),
        r#"{"unknown": 1}"#.to_owned(),
        "null".to_owned(),
        r#"{"matchlabels": {"team": "red"}}"#.to_owned(),
        r#"{"MatchLabels": {"team": "red"}}"#.to_owned(),
        "matchLabels: {team: red}\nother: thing\n".to_owned(),
        "---\nmatchLabels: {team: red}\n".to_owned(),
        "matchLabels: {team: red}\n---\nmatchLabels: {team: blue}\n".to_owned(),
        r#"{"matchLabels": null}"#.to_owned(),
        r#"{"matchLabels": {"team": null}}"#.to_owned(),
        r#"{"matchLabels": {"team": 1}}"#.to_owned(),
        r#"{"matchLabels": ["team"]}"#.to_owned(),
        r#"{"matchLabels": {"team": "red"}, "matchExpressions": []}"#.to_owned(),
        r#"{"matchLabels": {"team": ""}}"#.to_owned(),
        r#"{"matchLabels": {"Team": "red"}}"#.to_owned(),
        r#"{"matchLabels": {"team": "red"}} {"matchLabels": {"team": "blue"}}"#.to_owned(),
        "[]".to_owned(),
        "team".to_owned(),
        " ".to_owned(),
        "# only a comment\n".to_owned(),
        "matchLabels:\n  team: red\n  team: blue\n".to_owned(),
        "matchLabels: &a {team: red}\n".to_owned(),
        "matchLabels: {env: prod}\nmatchLabels: {team: red}\n".to_owned(),
        "team: red".to_owned(),
        "{team: red".to_owned(),
    ]
}

fn some(choose: &mut Choices<'_>, among: &[String], most: usize) -> Vec<String> {
    (0..choose.pick(most + 1)).map(|_| choose.of(among).clone()).collect()
}

/// What is written to the server.
fn made(choose: &mut Choices<'_>, cluster: &Cluster<'_>, selectors: &[String]) -> Value {
    let names: Vec<String> = NAMES.iter().map(|name| (*name).to_owned()).collect();
    let place = |end: &&str| if end.starts_with('*') { (*end).to_owned() } else { cluster.namespace(end) };
    let places: Vec<String> = PLACES.iter().map(place).collect();
    let mut names = some(choose, &names, 2);
    if names.is_empty() {
        names.push("app".to_owned());
    }
    let mut role = json!({
        "bound_service_account_names": names,
        "bound_service_account_namespaces": some(choose, &places, 2),
        "token_policies": some(choose, &["one", "Two", "three"].map(str::to_owned), 3),
        "token_no_default_policy": choose.once_in(3),
        "alias_name_source": choose.of(&["serviceaccount_uid", "serviceaccount_name"]),
        "token_type": choose.of(&["default", "batch", "service"]),
        "audience": "",
    });
    if choose.once_in(2) {
        role["bound_service_account_namespace_selector"] = json!(choose.of(selectors));
    }
    if choose.once_in(4) {
        role["bound_service_account_names"] = json!(names.join(","));
    }
    role
}

/// A role as the server gives it back.
pub fn read(answer: &Value) -> VaultRole {
    let data = &answer["data"];
    let texts =
        |key: &str| -> Box<[Name]> { data[key].as_array().into_iter().flatten().map(|text| Name::from(text.as_str().unwrap())).collect() };
    VaultRole {
        service_accounts: texts("bound_service_account_names"),
        namespaces: texts("bound_service_account_namespaces"),
        namespace_selector: data["bound_service_account_namespace_selector"].as_str().unwrap_or_default().into(),
        policies: texts("token_policies"),
        no_default: data["token_no_default_policy"] == true,
        alias_by_name: data["alias_name_source"] == "serviceaccount_name",
        ..VaultRole::default()
    }
}

/// The policies that a login with the role has.
fn policies(role: &VaultRole) -> Vec<String> {
    let mut all: Vec<String> = role.policies.iter().map(|name| name.to_lowercase()).collect();
    if !role.no_default {
        all.push("default".to_owned());
    }
    all.sort();
    all.dedup();
    all
}

pub fn compare(server: &DevServer, cluster: &Cluster<'_>) {
    let selectors = selectors(cluster);
    let (mut differences, mut let_in, mut kept_out, mut refused_roles) = (Vec::new(), 0, 0, 0);
    let mut open: BTreeMap<String, Vec<bool>> = BTreeMap::new();
    let random = (0..ROLES).map(|seed| made(&mut Choices::new(&bytes(seed, 100)), cluster, &selectors));
    // and every selector by itself
    let alone = selectors.iter().map(|selector| {
        json!({"bound_service_account_names": "*", "bound_service_account_namespace_selector": selector, "token_policies": [], "audience": ""})
    });
    let all: Vec<Value> = random.chain(alone).collect();
    for (seed, written) in all.iter().enumerate() {
        let path = format!("auth/by-uid/role/r{seed}");
        let (status, _) = server.request("POST", &path, Some(written));
        if status >= 300 {
            refused_roles += 1;
            continue;
        }
        let role = read(&ok(server, "GET", &path, None));
        for account in &cluster.accounts {
            let (status, answer) =
                server.request_as("", "POST", "auth/by-uid/login", Some(&json!({"role": format!("r{seed}"), "jwt": account.jwt})));
            let says_no = answer["errors"].to_string().contains("not authorized");
            assert!(
                status == 200 || status == 403 && says_no || status >= 400 && !role.namespace_selector.is_empty(),
                "{status} {answer} {written}"
            );
            let allowed = status == 200;
            (let_in, kept_out) = (let_in + usize::from(allowed), kept_out + usize::from(!allowed));
            let who = format!("{}/{}", account.namespace, account.name);
            match binding::admits(&role, &account.namespace, Some(&account.labels), account.name) {
                None => open.entry(role.namespace_selector.to_string()).or_default().push(allowed),
                Some(ours) if ours != allowed => differences.push(format!("{who} {ours}, server {status} {answer}: {role:?}")),
                Some(_) => {}
            }
            if allowed {
                let said: Vec<String> = serde_json::from_value(answer["auth"]["policies"].clone()).unwrap_or_default();
                if said != policies(&role) {
                    differences.push(format!("{who} has {said:?}: {role:?}"));
                }
                let metadata = binding::alias(&role, &account.namespace, account.name, Some(&account.uid), false).metadata;
                // the answer of a login tells the role beside what the alias holds
                let mut told: BTreeMap<Name, Name> = serde_json::from_value(answer["auth"]["metadata"].clone()).unwrap();
                told.remove("role");
                if told != metadata {
                    differences.push(format!("{who} is {told:?}, we say {metadata:?}"));
                }
            }
        }
    }
    eprintln!(
        "{} roles ({refused_roles} refused when written), {let_in} logins let in, {kept_out} kept out, {} differences; not judged: {}",
        all.len(),
        differences.len(),
        open.iter()
            .map(|(selector, said)| format!("{selector:?} {}/{}", said.iter().filter(|yes| **yes).count(), said.len()))
            .collect::<Vec<_>>()
            .join(", ")
    );
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert!(let_in > 50 && kept_out > 50, "roles let some in and keep some out");
    let blind = |(selector, said): &(&String, &Vec<bool>)| said.iter().any(|yes| *yes) && !selector.trim().is_empty();
    let judged_blind: Vec<&String> = open.iter().filter(blind).map(|(selector, _)| selector).collect();
    assert!(judged_blind.is_empty(), "the server lets somebody in by a selector that we do not judge: {judged_blind:?}");
}
