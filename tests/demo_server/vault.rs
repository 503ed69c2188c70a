//! The simulated Vault beside a real one: the same writes, the same questions, the same facts and the same verdicts.

use std::collections::BTreeMap;

use partywall::demo::DemoHandle;
use serde_json::{Value, json};

use super::devvault::DevServer;
use super::fleet;

/// Either server.
enum Server<'a> {
    Simulated(&'a DemoHandle),
    Real(&'a DevServer),
}

impl Server<'_> {
    async fn ask(&self, token: Option<&str>, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let (address, root) = match self {
            Self::Simulated(demo) => (demo.vault_url(), demo.vault_root_token().to_owned()),
            Self::Real(server) => (server.addr(), "root".to_owned()),
        };
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut request = client
            .request(reqwest::Method::from_bytes(method.as_bytes()).unwrap(), format!("{address}/v1/{path}"))
            .header("X-Vault-Token", token.unwrap_or(&root));
        if !body.is_null() {
            request = request.body(body.to_string());
        }
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default())
    }

    async fn root(&self, method: &str, path: &str, body: Value) -> Value {
        let (code, answer) = self.ask(None, method, path, &body).await;
        assert!(code < 300, "{method} {path}: {code} {answer}");
        answer["data"].clone()
    }

    /// A token with these policies and no other.
    async fn token(&self, policies: &[&str]) -> String {
        let body = json!({"policies": policies, "no_default_policy": true, "ttl": "1h"});
        let (_, made) = self.ask(None, "POST", "auth/token/create", &body).await;
        made["auth"]["client_token"].as_str().unwrap().to_owned()
    }
}

/// What differs from server to server, from time to time and from one identity to the next.
const VARIES: [&str; 8] =
    ["modified", "version", "creation_time", "last_update_time", "merged_from_canonical_ids", "expiration", "modify_index", "name"];

/// An answer with ids replaced by what they stand for and without what varies.
fn comparable(value: &Value, ids: &BTreeMap<String, &str>) -> Value {
    match value {
        Value::String(text) => ids.get(text).map_or_else(|| text.clone(), |name| format!("<{name}>")).into(),
        Value::Array(list) => list.iter().map(|item| comparable(item, ids)).collect(),
        Value::Object(map) => map
            .iter()
            .filter(|(key, _)| !VARIES.contains(&key.as_str()))
            .map(|(key, item)| (ids.get(key).map_or_else(|| key.clone(), |name| format!("<{name}>")), comparable(item, ids)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

/// Writes one of everything and reads it again, by name of the question.
async fn read_back(server: &Server<'_>) -> BTreeMap<&'static str, Value> {
    server.ask(None, "POST", "sys/auth/kubernetes", &json!({"type": "kubernetes"})).await;
    let flagged = json!({"policy": "path \"a\" { capabilities = [\"read\"] }", "ttl": "1h", "allow_slashes_in_identity_templates": true});
    server.root("POST", "sys/policies/acl/Shapes", flagged).await;
    let role = json!({
        "bound_service_account_names": "App-*", "bound_service_account_namespace_selector": "{\"matchLabels\":{\"a\":\"b\"}}",
        "alias_name_source": "serviceaccount_name", "token_policies": "Shapes,other", "token_ttl": 600, "token_max_ttl": 1200,
        "token_num_uses": 3, "token_type": "service", "token_no_default_policy": true, "audience": "vault",
    });
    server.root("POST", "auth/kubernetes/role/Shapes", role).await;
    let accessor = server.root("GET", "sys/auth", Value::Null).await["kubernetes/"]["accessor"].as_str().unwrap().to_owned();
    let entity = json!({"name": "shapes", "policies": ["Default", "P"], "metadata": {"team": "a"}});
    let entity = server.root("POST", "identity/entity", entity).await["id"].as_str().unwrap().to_owned();
    let alias = json!({"name": "uid-1", "canonical_id": entity, "mount_accessor": accessor, "custom_metadata": {"x": "y"}});
    let alias = server.root("POST", "identity/entity-alias", alias).await["id"].as_str().unwrap().to_owned();
    let inner = json!({"name": "inner", "policies": ["P"], "member_entity_ids": [entity]});
    let inner = server.root("POST", "identity/group", inner).await["id"].as_str().unwrap().to_owned();
    let outer = json!({"name": "outer", "policies": ["Q"], "member_group_ids": [inner], "metadata": {"k": "v"}});
    let outer = server.root("POST", "identity/group", outer).await["id"].as_str().unwrap().to_owned();
    let lookup = json!({"alias_name": "uid-1", "alias_mount_accessor": accessor});
    let mut found = BTreeMap::new();
    for (question, method, path, body) in [
        ("policy", "GET", "sys/policies/acl/shapes".to_owned(), Value::Null),
        ("old policy", "GET", "sys/policy/shapes".to_owned(), Value::Null),
        ("role", "GET", "auth/kubernetes/role/shapes".to_owned(), Value::Null),
        ("entity", "GET", format!("identity/entity/id/{entity}"), Value::Null),
        ("alias", "GET", format!("identity/entity-alias/id/{alias}"), Value::Null),
        ("inner group", "GET", format!("identity/group/id/{inner}"), Value::Null),
        ("outer group", "GET", format!("identity/group/id/{outer}"), Value::Null),
        ("lookup", "POST", "identity/lookup/entity".to_owned(), lookup),
    ] {
        found.insert(question, server.root(method, &path, body).await);
    }
    let mut detailed = server.root("LIST", "sys/policies/detailed/acl", Value::Null).await;
    found.insert("detailed policy", detailed["key_info"]["shapes"].take());
    found.insert("detailed root", detailed["key_info"]["root"].take());
    for (question, path, id) in [
        ("entity row", "identity/entity/id", &entity),
        ("group row", "identity/group/id", &outer),
        ("alias row", "identity/entity-alias/id", &alias),
    ] {
        let mut list = server.root("LIST", path, Value::Null).await;
        found.insert(question, list["key_info"][id.as_str()].take());
    }
    let ids = BTreeMap::from([(accessor, "accessor"), (entity, "entity"), (alias, "alias"), (inner, "inner"), (outer, "outer")]);
    found.into_iter().map(|(question, answer)| (question, comparable(&answer, &ids))).collect()
}

#[tokio::test]
async fn what_the_poller_reads_has_the_real_shape() {
    let demo = fleet().await;
    let Some(real) = DevServer::openbao() else { return };
    let (ours, theirs) = (read_back(&Server::Simulated(&demo)).await, read_back(&Server::Real(&real)).await);
    let found: Vec<String> = theirs
        .iter()
        .filter(|(question, answer)| ours[*question] != **answer)
        .map(|(question, answer)| format!("{question}\n  ours   {}\n  theirs {answer}", ours[question]))
        .collect();
    assert!(theirs.len() == 13 && found.is_empty(), "{}", found.join("\n"));
}

/// Policies that together have every kind of pattern.
const POLICIES: [(&str, &str); 4] = [
    (
        "words-plain",
        r#"path "kv/data/acme" { capabilities = ["read"] } path "kv/data/acme/*" { capabilities = ["read", "list"] }
           path "kv/data/+/shared" { capabilities = ["deny"] } path "kv/metadata/*" { capabilities = ["list"] }
           path "kv/metadata/private/*" { capabilities = ["deny"] } path "kv/metadata/private/open/" { capabilities = ["list"] }"#,
    ),
    (
        "words-wide",
        r#"path "kv/*" { policy = "read" } path "kv/data/globex*" { capabilities = ["update", "create"] }
           path "kv/+/acme/+" { capabilities = ["patch"] } path "+/data/x" { capabilities = ["delete"] }"#,
    ),
    (
        "words-segment",
        r#"path "kv/data/+" { capabilities = ["read"] } path "kv/data/+/*" { capabilities = ["list"] }
           path "kv/data/a+b" { capabilities = ["sudo", "read"] } path "+" { capabilities = ["read"] } path "kv/+/acme/db*" { policy = "write" }"#,
    ),
    (
        "words-identity",
        r#"path "kv/data/{{identity.entity.id}}" { capabilities = ["read"] } path "kv/data/*" { capabilities = ["list"] }
           path "kv/{{identity.entity.aliases.nowhere.name}}/*" { capabilities = ["deny"] }"#,
    ),
];

const PATHS: [&str; 20] = [
    "kv/data/acme",
    "kv/data/acme/",
    "kv/data/acme/db",
    "kv/data/acme/dbx/y",
    "kv/data/acme/shared",
    "kv/data/globex",
    "kv/data/globex-2/x",
    "kv/data/globex/shared",
    "kv/data/x",
    "kv/data/",
    "kv/data",
    "kv/metadata/",
    "kv/metadata/private/",
    "kv/metadata/private",
    "kv/metadata/private/open/",
    "kv/metadata/private/open",
    "kv/data/a+b",
    "nosuch",
    "kv/other/acme/z",
    "kv/data/{{identity.entity.id}}",
];

/// For all sets of policies, what may be done at every path.
async fn verdicts(server: &Server<'_>) -> BTreeMap<String, Value> {
    for (name, text) in POLICIES {
        server.root("POST", &format!("sys/policies/acl/{name}"), json!({"policy": text})).await;
    }
    let mut found = BTreeMap::new();
    for set in 1_usize..16 {
        let names: Vec<&str> = POLICIES.iter().enumerate().filter(|(n, _)| set >> n & 1 == 1).map(|(_, (name, _))| *name).collect();
        let token = server.token(&names).await;
        let allowed = json!({"accessor": token_accessor(server, &token).await, "paths": PATHS});
        let answer = server.root("POST", "sys/capabilities-accessor", allowed).await;
        for path in PATHS {
            found.insert(format!("{} at {path}", names.join(" + ")), answer[path].clone());
        }
    }
    found
}

async fn token_accessor(server: &Server<'_>, token: &str) -> String {
    let (_, own) = server.ask(None, "POST", "auth/token/lookup", &json!({"token": token})).await;
    own["data"]["accessor"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_simulated_rules_decide_as_the_real_ones() {
    let demo = fleet().await;
    let Some(real) = DevServer::openbao() else { return };
    let (ours, theirs) = (verdicts(&Server::Simulated(&demo)).await, verdicts(&Server::Real(&real)).await);
    let found: Vec<String> = theirs
        .iter()
        .filter(|(what, verdict)| ours[*what] != **verdict)
        .map(|(what, verdict)| format!("{what}: {} and really {verdict}", ours[what]))
        .collect();
    assert!(theirs.len() == 300 && found.is_empty(), "{} of {}:\n{}", found.len(), theirs.len(), found.join("\n"));
}
