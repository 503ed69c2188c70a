//! The metadata of Secrets: on request only, and never a value on the way.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use partywall::cluster::watch::follow;
use partywall::cluster::{Cluster, ConnectOptions};
use partywall::model::kind::Kind;
use partywall::model::source::SourceState;
use partywall::model::store::Store;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::fake::{Fake, Seen, event};
use super::testbed::{Identity, Need, Testbed, text};

const KINDS: [Kind; 2] = [Kind::TokenSecret, Kind::TlsSecret];
const CANARY: &str = "canary-4711-of-a-secret";

fn list(items: &[Value]) -> String {
    json!({"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": {"resourceVersion": "100"}, "items": items})
        .to_string()
}

fn allowed(options: ConnectOptions) -> ConnectOptions {
    ConnectOptions { secret_metadata: true, ..options }
}

#[tokio::test]
async fn without_leave_no_secret_is_asked_for() {
    let fake = Fake::start().await;
    let mut seen = Seen::of(&fake).await;
    seen.until_state(Kind::Event, "live").await;
    assert!(KINDS.iter().all(|kind| seen.snapshot.source(*kind) == &SourceState::Off));
    assert!(fake.with(|script| script.log.iter().all(|line| !line.contains("secrets?"))), "{:?}", fake.with(|s| s.log.clone()));
    let words = Kind::TokenSecret.info().unwrap().unasked();
    assert_eq!(words, Some("not asked for: allow it with --secret-metadata"));
}

#[tokio::test]
async fn a_server_that_sends_whole_secrets_is_not_read() {
    let fake = Fake::start().await;
    let whole = json!({"kind": "Secret", "metadata": {"name": "s", "namespace": "n"}, "data": {"token": CANARY}});
    fake.with(|script| script.objects.insert("secrets".to_owned(), vec![whole]));
    let mut seen = Seen::with(&fake, allowed).await;
    for kind in KINDS {
        seen.until_state(kind, "down").await;
        let why = seen.snapshot.source(kind).why().unwrap().clone();
        assert!(why.contains("whole Secrets"), "{why}");
    }
    assert!(seen.snapshot.namespace("n").is_none_or(|facts| facts.secrets.is_empty()));
    // and not asked again at once, for it would send them again
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(fake.count("GET /api/v1/secrets"), 2);
}

#[tokio::test]
async fn a_watch_that_sends_whole_secrets_is_ended() {
    let fake = Fake::start().await;
    fake.with(|script| script.answers.insert("list secrets".to_owned(), vec![(200, list(&[])), (200, list(&[]))]));
    let mut seen = Seen::with(&fake, allowed).await;
    for kind in KINDS {
        seen.until_state(kind, "live").await;
    }
    seen.until("both watches", |_| fake.with(|script| script.watches.get("secrets").map_or(0, Vec::len) >= 2)).await;
    let partial = json!({"kind": "PartialObjectMetadata", "metadata": {"name": "good", "namespace": "n", "resourceVersion": "101"}});
    fake.say("secrets", &event("ADDED", &partial));
    seen.until("the metadata", |s| s.namespace("n").is_some_and(|facts| facts.secrets.len() == 2)).await;
    let whole =
        json!({"kind": "Secret", "metadata": {"name": "bad", "namespace": "n", "resourceVersion": "102"}, "data": {"token": CANARY}});
    fake.say("secrets", &event("ADDED", &whole));
    for kind in KINDS {
        seen.until_state(kind, "stale").await;
    }
    assert!(seen.snapshot.namespace("n").unwrap().secrets.keys().all(|(_, name)| &**name == "good"));
}

/// A relay that keeps everything that passes.
#[derive(Clone, Default)]
struct Tape(Arc<Mutex<(Vec<u8>, Vec<u8>)>>);

impl Tape {
    async fn start(&self, upstream: u16) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let tape = self.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect(("127.0.0.1", upstream)).await else { return };
                let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
                let (there, back) = (tape.clone(), tape.clone());
                tokio::spawn(relay(from_client, to_server, move |bytes| there.0.lock().unwrap().0.extend_from_slice(bytes)));
                tokio::spawn(relay(from_server, to_client, move |bytes| back.0.lock().unwrap().1.extend_from_slice(bytes)));
            }
        });
        port
    }

    fn texts(&self) -> (String, String) {
        let tape = self.0.lock().unwrap();
        (String::from_utf8_lossy(&tape.0).into_owned(), String::from_utf8_lossy(&tape.1).into_owned())
    }
}

async fn relay(mut from: tokio::net::tcp::OwnedReadHalf, mut to: tokio::net::tcp::OwnedWriteHalf, keep: impl Fn(&[u8])) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        keep(&buffer[..length]);
        if to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}

/// `kubectl proxy`, ended with this.
struct Plain(std::process::Child, u16);

impl Plain {
    fn start(kubectl: &std::path::Path, kubeconfig: &std::path::Path) -> Self {
        use std::io::BufRead as _;
        let mut child = std::process::Command::new(kubectl)
            .args(["proxy", "--port=0", "--kubeconfig"])
            .arg(kubeconfig)
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = String::new();
        std::io::BufReader::new(child.stdout.take().unwrap()).read_line(&mut said).unwrap();
        let port = said.trim().rsplit(':').next().unwrap().parse().unwrap_or_else(|_| panic!("{said}"));
        Self(child, port)
    }
}

impl Drop for Plain {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn of_real_secrets_nothing_but_metadata_is_on_the_wire() {
    let Some(bed) = Testbed::shared(Need::Servers) else { return };
    let namespace = "secret-metadata";
    let admin = |arguments: &[&str], input: &str| bed.kubectl_as(Identity::Admin, arguments, input);
    admin(&["delete", "namespace", namespace, "--ignore-not-found"], "");
    bed.kubectl_ok(&["create", "namespace", namespace]);
    let encoded = "Y2FuYXJ5LTQ3MTEtb2YtYS1zZWNyZXQ=";
    let tls = json!({"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls", "metadata": {"name": "web", "namespace": namespace},
        "data": {"tls.crt": encoded, "tls.key": encoded}});
    let token = json!({"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/service-account-token",
        "metadata": {"name": "old", "namespace": namespace, "annotations": {"kubernetes.io/service-account.name": "robot"}}});
    let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "robot", "namespace": namespace}});
    let other =
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "opaque", "namespace": namespace}, "stringData": {"a": CANARY}});
    for object in [&account, &tls, &token, &other] {
        let made = admin(&["create", "-f", "-"], &object.to_string());
        assert!(made.status.success(), "{}", text(&made));
    }
    // the token's controller has written its value
    for _ in 0..100 {
        if bed.kubectl_ok(&["-n", namespace, "get", "secret", "old", "-o", "jsonpath={.data.token}"]).len() > 100 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }

    let plain = Plain::start(&bed.dir().join("bin/kubectl"), &bed.kubeconfig(Identity::Admin));
    let tape = Tape::default();
    let port = tape.start(plain.1).await;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("config");
    let config = format!(
        "current-context: t\ncontexts: [{{name: t, context: {{cluster: c, user: u}}}}]\nclusters: [{{name: c, cluster: {{server: 'http://127.0.0.1:{port}'}}}}]\nusers: [{{name: u, user: {{}}}}]\n"
    );
    std::fs::write(&file, config).unwrap();
    let cluster = Cluster::connect(allowed(ConnectOptions { kubeconfig: Some(file), ..ConnectOptions::default() })).await.unwrap();
    let (tx, mut rx) = tokio::sync::mpsc::channel(64);
    let _handle = follow(&cluster, tx);
    let mut store = Store::default();
    let mut steps = 0;
    let end = tokio::time::Instant::now() + Duration::from_secs(40);
    loop {
        let batch = tokio::time::timeout_at(end, rx.recv()).await.ok().flatten().unwrap_or_else(|| panic!("at step {steps}"));
        for change in batch {
            store.apply(change);
        }
        let snapshot = store.publish().0;
        let live = KINDS.iter().all(|kind| snapshot.source(*kind) == &SourceState::Live);
        let Some(facts) = snapshot.namespace(namespace).filter(|_| live) else { continue };
        let held = |kind: Kind, name: &str| facts.secrets.get(&(kind, name.into()));
        match steps {
            // the lists: of the two types, and no other
            0 if held(Kind::TlsSecret, "web").is_some() && held(Kind::TokenSecret, "old").is_some() => {
                assert_eq!(facts.secrets.len(), 2, "{:?}", facts.secrets);
                assert_eq!(held(Kind::TokenSecret, "old").unwrap().account.as_deref(), Some("robot"));
                let mut more = tls.clone();
                more["metadata"]["name"] = json!("later");
                assert!(admin(&["create", "-f", "-"], &more.to_string()).status.success());
                bed.kubectl_ok(&["-n", namespace, "label", "secret", "old", "kubernetes.io/legacy-token-last-used=2026-11-20"]);
                steps = 1;
            }
            // the watches
            1 if held(Kind::TlsSecret, "later").is_some() && held(Kind::TokenSecret, "old").is_some_and(|s| s.last_used.is_some()) => {
                bed.kubectl_ok(&["-n", namespace, "delete", "secret", "web"]);
                steps = 2;
            }
            2 if held(Kind::TlsSecret, "web").is_none() => break,
            _ => {}
        }
    }
    let (sent, received) = tape.texts();
    let requests: Vec<&str> = sent.split("\r\n\r\n").filter(|request| request.contains("/api/v1/secrets")).collect();
    assert!(requests.len() >= 4, "{requests:?}");
    for request in requests {
        let lower = request.to_lowercase();
        assert!(
            lower.contains("accept: application/json;as=partialobjectmetadata") && lower.contains("fieldselector=type%3d"),
            "{request}"
        );
    }
    assert!(received.contains("PartialObjectMetadataList") && received.contains("\"later\""), "what was sent is on the tape");
    assert!(!received.to_lowercase().contains("content-encoding: gzip"), "or it could not be searched");
    let token = bed.kubectl_ok(&["-n", namespace, "get", "secret", "old", "-o", "jsonpath={.data.token}"]);
    for value in [encoded, CANARY, token.trim(), "\"tls.key\":\"", "\"token\":\""] {
        assert!(!value.is_empty() && !received.contains(value), "{} bytes of a value came over the wire", value.len());
    }
    bed.kubectl_ok(&["delete", "namespace", namespace, "--wait=false"]);
}
