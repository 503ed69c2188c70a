//! The same questions to the simulated and to a real API server: the same code, reason and message.
//!
//! `words.json` holds what kube-apiserver 1.36.4 answered, and the table below what OpenBao 2.7.2 did. The real servers of the test bed
//! are asked too, so that neither can drift from them unnoticed.

use http::Request;
use http_body_util::BodyExt as _;
use kube::Client;
use kube::client::Body;
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde::Deserialize;
use serde_json::Value;

use super::testbed::{Identity, Need, Testbed};
use super::{admin, fleet};

/// A request as it is sent.
#[derive(Deserialize)]
struct Step {
    method: String,
    path: String,
    /// Content type, or "".
    r#type: String,
    body: String,
}

/// A request and what the real server said.
#[derive(Deserialize)]
struct Question {
    name: String,
    #[serde(flatten)]
    step: Step,
    code: u16,
    reason: Option<String>,
    message: Option<String>,
}

#[derive(Deserialize)]
struct Words {
    prepare: Vec<Step>,
    questions: Vec<Question>,
}

type Answer = (u16, Option<String>, Option<String>);

async fn ask(client: &Client, step: &Step) -> Answer {
    let mut request = Request::builder().method(step.method.as_str()).uri(&step.path).header("accept", "application/json");
    if !step.r#type.is_empty() {
        request = request.header("content-type", &step.r#type);
    }
    let response = client.send(request.body(Body::from(step.body.clone().into_bytes())).unwrap()).await.unwrap();
    let code = response.status().as_u16();
    let body: Value = serde_json::from_slice(&response.into_body().collect().await.unwrap().to_bytes()).unwrap_or_default();
    let text = |field: &str| body[field].as_str().filter(|_| body["kind"] == "Status").map(str::to_owned);
    (code, text("reason"), text("message"))
}

/// Asks everything; returns what was answered differently.
async fn differences(client: &Client) -> Vec<String> {
    let words: Words = serde_json::from_str(include_str!("words.json")).unwrap();
    for step in &words.prepare {
        let (code, _, message) = ask(client, step).await;
        assert!(code < 300 || code == 409, "{} {}: {message:?}", step.method, step.path);
    }
    let mut found = Vec::new();
    for question in &words.questions {
        let expected = (question.code, question.reason.clone(), question.message.clone());
        let got = ask(client, &question.step).await;
        if got != expected {
            found.push(format!("{}\n  expected {expected:?}\n  got      {got:?}", question.name));
        }
    }
    assert!(words.questions.len() > 50);
    found
}

#[tokio::test]
async fn the_simulated_server_speaks_like_the_real_one() {
    let demo = fleet().await;
    let found = differences(&admin(&demo).await).await;
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[tokio::test]
async fn the_real_server_still_speaks_like_that() {
    let Some(bed) = Testbed::alone(Need::Servers) else { return };
    let _ = rustls::crypto::ring::default_provider().install_default();
    let kubeconfig = Kubeconfig::read_from(bed.kubeconfig(Identity::Admin)).unwrap();
    let mut config = kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
    config.default_retry = false;
    let client = Client::try_from(config).unwrap();
    let found = differences(&client).await;
    for namespace in ["words-acme", "words-free", "words-restricted"] {
        let path = format!("/api/v1/namespaces/{namespace}");
        ask(&client, &Step { method: "DELETE".into(), path, r#type: String::new(), body: String::new() }).await;
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Whose token a question is asked with.
#[derive(Clone, Copy, Debug)]
enum Who {
    Nobody,
    Stranger,
    Tenant,
    Root,
}

const DENIED: &str = r#"{"errors":["1 error occurred:\n\t* permission denied\n\n"]}"#;
const STRANGER: &str = r#"{"errors":["permission denied"]}"#;
const ABSENT: &str = r#"{"errors":[]}"#;
const UNSUPPORTED: &str = r#"{"errors":["1 error occurred:\n\t* unsupported operation\n\n"]}"#;
const UNKNOWN_PATH: &str = r#"{"errors":["1 error occurred:\n\t* unsupported path\n\n"]}"#;
/// Method, path, who, body, code, answer ("" where it carries data).
const VAULT: &[(&str, &str, Who, &str, u16, &str)] = &[
    ("GET", "secret/data/words-acme?version=999999999", Who::Tenant, "", 404, ABSENT),
    ("GET", "secret/data/words-acme", Who::Tenant, "", 200, ""),
    ("GET", "secret/metadata/words-acme", Who::Tenant, "", 200, ""),
    ("GET", "secret/data/words-acme/child", Who::Tenant, "", 403, DENIED),
    ("GET", "secret/data/words-globex?version=999999999", Who::Tenant, "", 403, DENIED),
    ("GET", "secret/data/words-nowhere?version=999999999", Who::Tenant, "", 403, DENIED),
    ("LIST", "secret/metadata/", Who::Tenant, "", 403, DENIED),
    ("GET", "secret/metadata/?list=true", Who::Tenant, "", 403, DENIED),
    ("GET", "sys/policies/acl/words", Who::Tenant, "", 403, DENIED),
    ("GET", "sys/auth", Who::Tenant, "", 403, DENIED),
    ("POST", "secret/data/words-acme", Who::Tenant, r#"{"data":{"a":"b"}}"#, 403, DENIED),
    ("GET", "secret/data/words-acme", Who::Nobody, "", 403, STRANGER),
    ("GET", "secret/data/words-acme", Who::Stranger, "", 403, STRANGER),
    ("GET", "auth/token/lookup-self", Who::Stranger, "", 403, STRANGER),
    ("GET", "auth/token/lookup-self", Who::Tenant, "", 200, ""),
    ("POST", "sys/capabilities-self", Who::Tenant, "{}", 400, r#"{"errors":["paths must be supplied"]}"#),
    ("GET", "secret/data/words-nowhere", Who::Root, "", 404, ABSENT),
    ("LIST", "secret/metadata/words-acme", Who::Root, "", 404, ABSENT),
    ("GET", "sys/policies/acl/words-nowhere", Who::Root, "", 404, ABSENT),
    ("GET", "auth/kubernetes/role/words-nowhere", Who::Root, "", 404, ABSENT),
    ("GET", "auth/kubernetes/role", Who::Root, "", 405, UNSUPPORTED),
    ("GET", "sys/nosuch", Who::Root, "", 404, r#"{"errors":["1 error occurred:\n\t* unsupported path\n\n"]}"#),
    ("GET", "nosuch/path", Who::Root, "", 404, r#"{"errors":["no handler for route \"nosuch/path\". route entry not found."]}"#),
    ("LIST", "sys/policies/detailed/acl", Who::Tenant, "", 403, DENIED),
    ("LIST", "sys/policies/detailed/acl", Who::Root, "", 200, ""),
    ("GET", "sys/policies/detailed/acl", Who::Root, "", 405, UNSUPPORTED),
    ("LIST", "sys/namespaces", Who::Tenant, "", 403, DENIED),
    ("GET", "sys/namespaces", Who::Root, "", 405, UNSUPPORTED),
    ("LIST", "identity/entity/id", Who::Tenant, "", 403, DENIED),
    ("GET", "identity/entity/id/words-nobody", Who::Tenant, "", 403, DENIED),
    ("GET", "identity/entity/id/words-nobody", Who::Root, "", 404, ABSENT),
    ("GET", "identity/group/id/words-nobody", Who::Root, "", 404, ABSENT),
    ("GET", "identity/entity-alias/id/words-nobody", Who::Root, "", 404, ABSENT),
    ("GET", "identity/nosuch", Who::Root, "", 404, UNKNOWN_PATH),
    ("GET", "identity/entity", Who::Root, "", 405, UNSUPPORTED),
    ("POST", "identity/lookup/entity", Who::Tenant, "{}", 403, DENIED),
    ("POST", "identity/lookup/entity", Who::Root, "{}", 400, r#"{"errors":["query parameter not supplied"]}"#),
    ("POST", "identity/lookup/entity", Who::Root, r#"{"name":"words-nobody"}"#, 204, ""),
    ("POST", "sys/capabilities-accessor", Who::Tenant, "{}", 403, DENIED),
    ("POST", "sys/capabilities-accessor", Who::Root, "{}", 400, r#"{"errors":["missing accessor"]}"#),
    (
        "POST",
        "sys/capabilities-accessor",
        Who::Root,
        r#"{"accessor":"words","paths":["a"]}"#,
        400,
        r#"{"errors":["1 error occurred:\n\t* invalid accessor\n\n"]}"#,
    ),
    ("GET", "auth/kubernetes/config", Who::Tenant, "", 403, DENIED),
    ("GET", "auth/kubernetes/config", Who::Root, "", 200, ""),
    ("GET", "auth/kubernetes/nosuch", Who::Root, "", 404, UNKNOWN_PATH),
    (
        "POST",
        "auth/kubernetes/role/words",
        Who::Root,
        r#"{"bound_service_account_names":"a"}"#,
        400,
        r#"{"errors":["\"bound_service_account_namespaces\" can not be empty if \"bound_service_account_namespace_selector\" is not set"]}"#,
    ),
    (
        "POST",
        "auth/kubernetes/role/words",
        Who::Root,
        r#"{"bound_service_account_names":"a","bound_service_account_namespaces":"b,*"}"#,
        400,
        r#"{"errors":["can not mix \"*\" with values"]}"#,
    ),
    ("DELETE", "sys/health", Who::Root, "", 405, ABSENT),
    ("GET", "sys/health", Who::Nobody, "", 200, ""),
    (
        "POST",
        "auth/kubernetes/login",
        Who::Nobody,
        r#"{"role":"words-nowhere","jwt":"x"}"#,
        400,
        r#"{"errors":["invalid role name \"words-nowhere\""]}"#,
    ),
    ("POST", "auth/kubernetes/login", Who::Nobody, r#"{"role":"words-nowhere"}"#, 400, r#"{"errors":["missing jwt"]}"#),
    ("POST", "auth/kubernetes/login", Who::Nobody, r#"{"jwt":"x"}"#, 400, r#"{"errors":["missing role"]}"#),
    ("POST", "auth/token/revoke-self", Who::Tenant, "", 204, ""),
    ("GET", "secret/data/words-acme", Who::Tenant, "", 403, STRANGER),
];

async fn ask_vault(address: &str, method: &str, path: &str, token: &str, body: &str) -> (u16, String) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut request = client.request(reqwest::Method::from_bytes(method.as_bytes()).unwrap(), format!("{address}/v1/{path}"));
    if !token.is_empty() {
        request = request.header("X-Vault-Token", token);
    }
    let answer = request.body(body.to_owned()).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap().trim().to_owned())
}

/// Asks Vault everything; returns what was answered differently.
async fn vault_differences(address: &str, root: &str) -> Vec<String> {
    let policy = r#"{"policy":"path \"secret/data/words-acme\" { capabilities = [\"read\"] }\npath \"secret/metadata/words-acme\" { capabilities = [\"read\"] }"}"#;
    for (method, path, body) in [
        ("POST", "sys/auth/kubernetes", r#"{"type":"kubernetes"}"#),
        ("PUT", "sys/policies/acl/words", policy),
        ("POST", "secret/data/words-acme", r#"{"data":{"a":"b"}}"#),
        ("POST", "secret/data/words-globex", r#"{"data":{"a":"b"}}"#),
    ] {
        // whether the mount is there already is told by the questions
        ask_vault(address, method, path, root, body).await;
    }
    let (_, made) = ask_vault(address, "POST", "auth/token/create", root, r#"{"policies":["words"],"ttl":"1h"}"#).await;
    let tenant = serde_json::from_str::<Value>(&made).unwrap()["auth"]["client_token"].as_str().unwrap().to_owned();
    let mut found = Vec::new();
    for (method, path, who, body, code, expected) in VAULT {
        let token = match who {
            Who::Nobody => "",
            Who::Stranger => "s.nobody-knows-this",
            Who::Tenant => &tenant,
            Who::Root => root,
        };
        let (got, text) = ask_vault(address, method, path, token, body).await;
        if got != *code || (!expected.is_empty() && text != *expected) {
            found.push(format!("{method} {path} as {who:?}\n  expected {code} {expected}\n  got      {got} {text}"));
        }
    }
    found
}

#[tokio::test]
async fn the_simulated_vault_speaks_like_the_real_one() {
    let demo = fleet().await;
    let found = vault_differences(&demo.vault_url(), demo.vault_root_token()).await;
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[tokio::test]
async fn the_real_vault_still_speaks_like_that() {
    let Some(bed) = Testbed::alone(Need::Servers) else { return };
    let found = vault_differences(bed.vault_addr(), bed.vault_root_token()).await;
    assert!(found.is_empty(), "{}", found.join("\n"));
}
