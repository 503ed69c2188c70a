//! The same questions to the simulated and to a real API server: the same code, reason and message.
//!
//! `words.json` holds what kube-apiserver 1.36.4 answered. With `PARTYWALL_TEST_KUBECONFIG` set, that server is asked too.

use http::Request;
use http_body_util::BodyExt as _;
use kube::Client;
use kube::client::Body;
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde::Deserialize;
use serde_json::Value;

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
    let Ok(path) = std::env::var("PARTYWALL_TEST_KUBECONFIG") else {
        println!("skipped: PARTYWALL_TEST_KUBECONFIG names no cluster to ask");
        return;
    };
    let _ = rustls::crypto::ring::default_provider().install_default();
    let kubeconfig = Kubeconfig::read_from(path).unwrap();
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
