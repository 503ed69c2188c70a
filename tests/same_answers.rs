//! The demo's servers are held to the real ones: both are asked the same questions, and must give the same status, reason and message.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests say what they expect by panicking")]

#[path = "common/testbed.rs"]
mod testbed;

use std::time::{Duration, Instant};

use http::{Method, Request};
use partywall::demo::DemoOptions;
use serde_json::{Value, json};
use testbed::{Identity, Need, Testbed};

/// A server under question.
struct Kube(kube::Client);

/// What counts of an answer.
#[derive(Debug, PartialEq, Eq)]
struct Answer {
    status: u16,
    reason: String,
    message: String,
}

impl Kube {
    async fn at(kubeconfig: &str) -> Self {
        partywall::cluster::connect::install_crypto();
        let parsed = kube::config::Kubeconfig::from_yaml(kubeconfig).unwrap();
        let mut config = kube::Config::from_custom_kubeconfig(parsed, &kube::config::KubeConfigOptions::default()).await.unwrap();
        config.default_retry = false;
        config.proxy_url = None;
        Self(kube::Client::try_from(config).unwrap())
    }

    /// The same server, asked with a bearer token instead.
    async fn with_token(kubeconfig: &str, token: &str) -> Self {
        let parsed = kube::config::Kubeconfig::from_yaml(kubeconfig).unwrap();
        let mut config = kube::Config::from_custom_kubeconfig(parsed, &kube::config::KubeConfigOptions::default()).await.unwrap();
        config.auth_info = kube::config::AuthInfo { token: Some(token.to_owned().into()), ..Default::default() };
        config.default_retry = false;
        config.proxy_url = None;
        Self(kube::Client::try_from(config).unwrap())
    }

    async fn send(&self, question: &Question) -> (u16, Value) {
        let kind = if question.method == Method::PATCH { "application/apply-patch+yaml" } else { "application/json" };
        let request = Request::builder().method(question.method.clone()).uri(&question.path).header("content-type", kind).header("accept", "application/json");
        let body = question.body.as_ref().map(|b| b.to_string().into_bytes()).unwrap_or_default();
        let response = self.0.send(request.body(kube::client::Body::from(body)).unwrap()).await.unwrap();
        let status = response.status().as_u16();
        let bytes = tokio::time::timeout(Duration::from_secs(10), response.into_body().collect_bytes()).await.unwrap().unwrap();
        (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }

    async fn ask(&self, question: &Question) -> Answer {
        let (status, body) = self.send(question).await;
        let text = |field: &str| body[field].as_str().unwrap_or_default().to_owned();
        let (reason, message) = if body["kind"] == "Status" { (text("reason"), text("message")) } else { Default::default() };
        Answer { status, reason, message: question.same.iter().fold(message, |m, (from, to)| m.replace(from.as_str(), to)) }
    }
}

/// One question.
struct Question {
    what: &'static str,
    method: Method,
    path: String,
    body: Option<Value>,
    /// What may differ between two servers, and what it is read as.
    same: Vec<(String, &'static str)>,
}

fn question(what: &'static str, method: Method, path: impl Into<String>, body: Option<Value>) -> Question {
    Question { what, method, path: path.into(), body, same: Vec::new() }
}

const ROOM: &str = "same-answers";
const BARE: &str = "same-answers-quota-only";
const STRICT: &str = "same-answers-restricted";

fn namespace(name: &str, level: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {"pod-security.kubernetes.io/enforce": level}}})
}

fn quota() -> Value {
    json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "quota"},
           "spec": {"hard": {"requests.cpu": "1", "requests.memory": "1Gi", "limits.cpu": "2", "limits.memory": "2Gi", "pods": "10"}}})
}

fn limits() -> Value {
    json!({"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "limits"}, "spec": {"limits": [{"type": "Container",
           "max": {"cpu": "2", "memory": "1Gi"}, "min": {"memory": "4Mi"}, "default": {"cpu": "500m", "memory": "512Mi"}, "defaultRequest": {"cpu": "50m", "memory": "128Mi"}}]}})
}

fn account() -> Value {
    json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}})
}

fn pod(name: &str, container: Value) -> Value {
    let mut container = container;
    container["name"] = json!(name);
    container["image"] = json!("registry.invalid/x:1");
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"containers": [container]}})
}

fn sized(memory: &str) -> Value {
    json!({"resources": {"limits": {"cpu": "100m", "memory": memory}, "requests": {"cpu": "100m", "memory": memory}}})
}

fn dry_run(room: &str) -> String {
    format!("/api/v1/namespaces/{room}/pods?dryRun=All")
}

fn questions() -> Vec<Question> {
    let post = |what, room: &str, body| question(what, Method::POST, dry_run(room), Some(body));
    let get = |what, path: &str| question(what, Method::GET, path, None);
    let two = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "two"}, "spec": {"containers": [
        {"name": "a", "image": "registry.invalid/x:1", "resources": sized("1Gi")["resources"]}, {"name": "b", "image": "registry.invalid/x:1", "resources": sized("1Gi")["resources"]}]}});
    vec![
        post("a small pod is accepted", ROOM, pod("small", sized("64Mi"))),
        post("a pod over the maximum", ROOM, pod("big", sized("4Gi"))),
        post("a pod under the minimum", ROOM, pod("tiny", sized("1Mi"))),
        post("a pod over the maximum in both", ROOM, pod("huge", json!({"resources": {"limits": {"cpu": "8", "memory": "4Gi"}}}))),
        post("a pod legal for the LimitRange but over the quota", ROOM, two),
        post("a pod over a quota without LimitRange", BARE, pod("big", sized("4Gi"))),
        post("a pod without resources under a quota without LimitRange", BARE, pod("nores", json!({}))),
        post("a privileged pod", ROOM, pod("priv", json!({"securityContext": {"privileged": true}, "resources": sized("64Mi")["resources"]}))),
        post("an ordinary pod in a restricted namespace", STRICT, pod("plain", sized("64Mi"))),
        post("a pod without a container", ROOM, json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "none"}, "spec": {"containers": []}})),
        post("a pod with a name that is no name", ROOM, pod("No_Name", sized("64Mi"))),
        get("a pod that is not there", "/api/v1/namespaces/same-answers/pods/absent"),
        get("a kind that is not there", "/apis/example.invalid/v1/things"),
        get("a namespace that is not there", "/api/v1/namespaces/absent-namespace"),
        question("a namespace that exists already", Method::POST, "/api/v1/namespaces", Some(namespace(ROOM, "baseline"))),
        question("a policy that is not there, deleted", Method::DELETE, format!("/apis/networking.k8s.io/v1/namespaces/{ROOM}/networkpolicies/absent"), None),
        question("another manager's field, applied", Method::PATCH, format!("/api/v1/namespaces/{ROOM}/limitranges/limits?fieldManager=partywall&dryRun=All"), Some(json!({
            "apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "limits"}, "spec": {"limits": [{"type": "Container", "max": {"memory": "9Gi"}}]}}))),
        question("a token for an account that is not there", Method::POST, format!("/api/v1/namespaces/{ROOM}/serviceaccounts/absent/token"),
            Some(json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"audiences": ["vault"], "expirationSeconds": 600}}))),
        question("a token that lives too short", Method::POST, format!("/api/v1/namespaces/{ROOM}/serviceaccounts/default/token"),
            Some(json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"audiences": ["vault"], "expirationSeconds": 60}}))),
    ]
}

async fn furnish(server: &Kube) {
    let make = |path: String, body: Value| question("furniture", Method::POST, path, Some(body));
    for (room, level) in [(ROOM, "baseline"), (BARE, "baseline"), (STRICT, "restricted")] {
        server.send(&make("/api/v1/namespaces".into(), namespace(room, level))).await;
        server.send(&make(format!("/api/v1/namespaces/{room}/serviceaccounts"), account())).await;
    }
    for room in [ROOM, BARE] {
        server.send(&make(format!("/api/v1/namespaces/{room}/resourcequotas?fieldManager=kubectl"), quota())).await;
    }
    server.send(&make(format!("/api/v1/namespaces/{ROOM}/limitranges?fieldManager=kubectl"), limits())).await;
    // admission follows what was written with a little delay, and the quota controller must have counted
    let began = Instant::now();
    loop {
        let over = server.ask(&question("ready", Method::POST, dry_run(BARE), Some(pod("big", sized("4Gi"))))).await;
        let max = server.ask(&question("ready", Method::POST, dry_run(ROOM), Some(pod("big", sized("4Gi"))))).await;
        if over.message.contains("exceeded quota") && max.message.contains("maximum memory") {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{over:?} {max:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_api_servers_answer_alike() {
    let Some(bed) = Testbed::alone(Need::Servers) else { return };
    let demo = partywall::demo::start(DemoOptions { script: false, ..DemoOptions::default() }).await.unwrap();
    let real_config = std::fs::read_to_string(bed.kubeconfig(Identity::Admin)).unwrap();
    let (real, simulated) = (Kube::at(&real_config).await, Kube::at(&demo.kubeconfig_yaml()).await);
    furnish(&real).await;
    furnish(&simulated).await;
    let mut differences = Vec::new();
    for question in questions() {
        let (expected, said) = (real.ask(&question).await, simulated.ask(&question).await);
        if expected != said {
            differences.push(format!("{}\n  real:      {expected:?}\n  simulated: {said:?}", question.what));
        }
    }
    // what the LimitRange puts into a pod that asks for nothing
    let bare = question("defaults", Method::POST, dry_run(ROOM), Some(pod("bare", json!({}))));
    let (expected, said) = (real.send(&bare).await.1, simulated.send(&bare).await.1);
    let resources = |pod: &Value| pod["spec"]["containers"][0]["resources"].clone();
    assert!(resources(&expected)["limits"].is_object(), "{expected:#}");
    if resources(&expected) != resources(&said) {
        differences.push(format!("defaults\n  real: {}\n  simulated: {}", resources(&expected), resources(&said)));
    }
    for room in [ROOM, BARE, STRICT] {
        real.send(&question("clean up", Method::DELETE, format!("/api/v1/namespaces/{room}"), None)).await;
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenants_own_token_is_refused_alike() {
    let Some(bed) = Testbed::shared(Need::Servers) else { return };
    let demo = partywall::demo::start(DemoOptions { script: false, ..DemoOptions::default() }).await.unwrap();
    let configs = [std::fs::read_to_string(bed.kubeconfig(Identity::Admin)).unwrap(), demo.kubeconfig_yaml()];
    let mut answers = Vec::new();
    for config in &configs {
        let admin = Kube::at(config).await;
        let token = question("token", Method::POST, "/api/v1/namespaces/web-tenant-acme/serviceaccounts/n8n-acme/token",
            Some(json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"audiences": ["https://kubernetes.default.svc.cluster.local"], "expirationSeconds": 600}})));
        let (status, body) = admin.send(&token).await;
        assert_eq!(status, 201, "{}", body["message"]);
        let tenant = Kube::with_token(config, body["status"]["token"].as_str().unwrap()).await;
        let mut said = Vec::new();
        for path in ["/api/v1/namespaces/web-tenant-globex/secrets", "/api/v1/namespaces/web-tenant-acme/pods", "/api/v1/namespaces", "/apis/networking.k8s.io/v1/namespaces/web-tenant-globex/networkpolicies/default-deny"] {
            said.push(tenant.ask(&question("as the tenant", Method::GET, path, None)).await);
        }
        let stranger = Kube::with_token(config, "not.a.token").await;
        said.push(stranger.ask(&question("as a stranger", Method::GET, "/api/v1/namespaces", None)).await);
        answers.push(said);
    }
    assert_eq!(answers[0], answers[1], "left: real, right: simulated");
}

/// Status and the `errors` of a Vault answer.
async fn vault(addr: &str, token: Option<&str>, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut request = client.request(method.parse().unwrap(), format!("{addr}/v1/{path}"));
    if let Some(token) = token {
        request = request.header("X-Vault-Token", token);
    }
    if let Some(body) = body {
        request = request.json(&body);
    }
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let body: Value = response.json().await.unwrap_or(Value::Null);
    (status, body)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_vaults_answer_alike() {
    let Some(bed) = Testbed::shared(Need::Servers) else { return };
    partywall::cluster::connect::install_crypto();
    let demo = partywall::demo::start(DemoOptions { script: false, ..DemoOptions::default() }).await.unwrap();
    let servers = [
        (bed.vault_addr().to_owned(), bed.vault_operator_token().to_owned(), std::fs::read_to_string(bed.kubeconfig(Identity::Admin)).unwrap()),
        (demo.vault_url(), demo.vault_token().to_owned(), demo.kubeconfig_yaml()),
    ];
    let mut answers = Vec::new();
    for (addr, operator, config) in &servers {
        let admin = Kube::at(config).await;
        let mut jwts = Vec::new();
        for (tenant, audience) in [("acme", "vault"), ("globex", "vault"), ("acme", "somebody-else")] {
            let token = question("token", Method::POST, format!("/api/v1/namespaces/web-tenant-{tenant}/serviceaccounts/n8n-{tenant}/token"),
                Some(json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"audiences": [audience], "expirationSeconds": 600}})));
            jwts.push(admin.send(&token).await.1["status"]["token"].as_str().unwrap().to_owned());
        }
        let login = |role: &str, jwt: &str| Some(json!({"role": role, "jwt": jwt}));
        let (status, body) = vault(addr, None, "POST", "auth/kubernetes/login", login("tenant-acme", &jwts[0])).await;
        assert_eq!(status, 200, "{}", body["errors"]);
        let own = body["auth"]["client_token"].as_str().unwrap().to_owned();
        let asked = [
            ("its own path by a version that can't exist", Some(&own), "GET", "secret/data/web-tenant-acme?version=999999999", None),
            ("the other's path", Some(&own), "GET", "secret/data/web-tenant-globex?version=999999999", None),
            ("a path below its own, which an exact rule does not cover", Some(&own), "GET", "secret/data/web-tenant-acme/below", None),
            ("the parent, listed", Some(&own), "LIST", "secret/metadata/", None),
            ("the policies", Some(&own), "LIST", "sys/policies/acl", None),
            ("the other's role", None, "POST", "auth/kubernetes/login", login("tenant-globex", &jwts[0])),
            ("a role that is not there", None, "POST", "auth/kubernetes/login", login("nobody", &jwts[0])),
            ("the wrong audience", None, "POST", "auth/kubernetes/login", login("tenant-acme", &jwts[2])),
            ("no token at all", None, "GET", "sys/mounts", None),
            ("a token nobody gave", Some(&"s.nonsense".to_owned()), "GET", "sys/mounts", None),
            ("a role that is not there, read", Some(operator), "GET", "auth/kubernetes/role/nobody", None),
            ("a policy that is not there, read", Some(operator), "GET", "sys/policies/acl/nobody", None),
            ("a secret, by the operator", Some(operator), "GET", "secret/data/web-tenant-acme", None),
        ]
        .map(|(what, token, method, path, body)| (what, token.cloned(), method, path, body));
        let mut said = Vec::new();
        for (what, token, method, path, body) in asked {
            let (status, body) = vault(addr, token.as_deref(), method, path, body).await;
            said.push((what, status, body["errors"].clone()));
        }
        vault(addr, Some(&own), "POST", "auth/token/revoke-self", None).await;
        said.push(("after it was revoked", vault(addr, Some(&own), "GET", "secret/metadata/web-tenant-acme", None).await.0, Value::Null));
        answers.push(said);
    }
    let differences: Vec<_> = answers[0].iter().zip(&answers[1]).filter(|(real, simulated)| real != simulated).collect();
    assert!(differences.is_empty(), "(real, simulated): {differences:#?}");
}
