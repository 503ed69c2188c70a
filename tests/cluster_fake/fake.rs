//! A scripted API server on loopback HTTP: what a real one would only do on a bad day, at the push of a button.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use http_body_util::{BodyExt, Full, StreamBody, combinators::BoxBody};
use hyper::body::{Frame, Incoming};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use partywall::cluster::watch::{FollowHandle, follow};
use partywall::cluster::{Cluster, ConnectOptions};
use partywall::model::changes::Change;
use partywall::model::kind::Kind;
use partywall::model::snapshot::Snapshot;
use partywall::model::source::SourceState;
use partywall::model::store::Store;
use serde_json::{Value, json};
use tokio::sync::mpsc;

#[derive(Default)]
pub struct Script {
    /// `METHOD path?query` of every request.
    pub log: Vec<String>,
    /// Objects by plural.
    pub objects: BTreeMap<String, Vec<Value>>,
    /// Plurals that may not be listed.
    pub denied: BTreeSet<String>,
    /// Plurals that may not be watched.
    pub unwatchable: BTreeSet<String>,
    /// Answers given before the real one, by `list plural` or `watch plural`.
    pub answers: BTreeMap<String, Vec<(u16, String)>>,
    /// What discovery tells: by group the versions, the preferred one first, each with its plurals.
    pub groups: BTreeMap<String, Vec<(String, Vec<String>)>>,
    /// Open watches by plural.
    pub watches: BTreeMap<String, Vec<mpsc::UnboundedSender<Bytes>>>,
    /// The server accepts connections and says nothing.
    pub mute: bool,
}

#[derive(Clone)]
pub struct Fake {
    pub script: Arc<Mutex<Script>>,
    pub port: u16,
}

type Body = BoxBody<Bytes, Infallible>;

impl Fake {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let fake = Self { script: Arc::default(), port: listener.local_addr().unwrap().port() };
        let served = fake.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let fake = served.clone();
                tokio::spawn(async move {
                    let service = hyper::service::service_fn(move |request| {
                        let fake = fake.clone();
                        async move { Ok::<_, Infallible>(fake.answer(request).await) }
                    });
                    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        fake
    }

    pub fn with<T>(&self, change: impl FnOnce(&mut Script) -> T) -> T {
        change(&mut self.script.lock().unwrap())
    }

    /// From now on, the server serves these kinds of a group; nothing of it where there is no version.
    pub fn serve(&self, group: &str, versions: &[(&str, &[&str])]) {
        let versions: Vec<(String, Vec<String>)> =
            versions.iter().map(|(version, plurals)| ((*version).to_owned(), plurals.iter().map(|p| (*p).to_owned()).collect())).collect();
        self.with(
            |script| if versions.is_empty() { script.groups.remove(group) } else { script.groups.insert(group.to_owned(), versions) },
        );
    }

    /// Sends a line to every open watch of a kind.
    pub fn say(&self, plural: &str, line: &str) {
        self.with(|script| {
            for watch in script.watches.entry(plural.to_owned()).or_default() {
                let _ = watch.send(Bytes::from(format!("{line}\n")));
            }
        });
    }

    /// Ends every open watch of a kind.
    pub fn cut(&self, plural: &str) {
        self.with(|script| script.watches.remove(plural));
    }

    pub fn count(&self, start: &str) -> usize {
        self.with(|script| script.log.iter().filter(|line| line.starts_with(start)).count())
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let mute = self.with(|script| {
            script.log.push(format!("{} {}", parts.method, parts.uri));
            script.mute
        });
        if mute {
            tokio::time::sleep(Duration::from_secs(3600)).await;
        }
        let query: BTreeMap<String, String> = parts
            .uri
            .query()
            .unwrap_or_default()
            .split('&')
            .filter_map(|pair| pair.split_once('=').map(|(k, v)| (k.to_owned(), v.to_owned())))
            .collect();
        let path = parts.uri.path();
        match path {
            "/version" => return plain(200, &json!({"gitVersion": "v9.9.9", "platform": "test"})),
            "/livez" => return plain(200, &json!("ok")),
            "/api/v1/namespaces/kube-system" => return plain(200, &json!({"metadata": {"uid": "cluster-1"}})),
            "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews" => return self.review(&body),
            "/apis" => {
                let groups = self.with(|script| script.groups.clone());
                let list: Vec<Value> = groups.iter().map(|(group, versions)| group_of(group, versions)).collect();
                return plain(200, &json!({"kind": "APIGroupList", "groups": list}));
            }
            _ => {}
        }
        if let Some((group, version)) = path.strip_prefix("/apis/").and_then(|rest| rest.split_once('/')).filter(|(_, v)| !v.contains('/'))
        {
            let served = self.with(|script| script.groups.get(group)?.iter().find(|(known, _)| known == version).cloned());
            return match served {
                Some((_, plurals)) => {
                    let names: Vec<Value> = plurals.iter().map(|plural| json!({"name": plural})).collect();
                    plain(200, &json!({"kind": "APIResourceList", "resources": names}))
                }
                None => plain(404, &status(404, "NotFound", "not found")),
            };
        }
        let plural = path.rsplit('/').next().unwrap_or_default();
        let watching = query.contains_key("watch");
        let scripted = self.with(|script| {
            let key = format!("{} {plural}", if watching { "watch" } else { "list" });
            script.answers.get_mut(&key).filter(|answers| !answers.is_empty()).map(|answers| answers.remove(0))
        });
        match scripted {
            Some((code, text)) => Response::builder().status(code).body(Full::from(text).boxed()).unwrap(),
            None if watching => self.watch(plural),
            None => self.list(plural, &query),
        }
    }

    fn review(&self, body: &[u8]) -> Response<Body> {
        let review: Value = serde_json::from_slice(body).unwrap();
        let of =
            |key: &str| review.pointer(&format!("/spec/resourceAttributes/{key}")).and_then(Value::as_str).unwrap_or_default().to_owned();
        let allowed =
            self.with(|s| !s.denied.contains(&of("resource")) && (of("verb") != "watch" || !s.unwatchable.contains(&of("resource"))));
        plain(201, &json!({"status": {"allowed": allowed, "reason": if allowed { "" } else { "no role" }}}))
    }

    fn list(&self, plural: &str, query: &BTreeMap<String, String>) -> Response<Body> {
        let all = self.with(|script| script.objects.get(plural).cloned().unwrap_or_default());
        let from: usize = query.get("continue").and_then(|text| text.parse().ok()).unwrap_or(0);
        let limit: usize = query.get("limit").and_then(|text| text.parse().ok()).unwrap_or(usize::MAX);
        let page: Vec<&Value> = all.iter().skip(from).take(limit).collect();
        let more = if from + page.len() < all.len() { (from + page.len()).to_string() } else { String::new() };
        plain(200, &json!({"metadata": {"resourceVersion": "100", "continue": more}, "items": page}))
    }

    fn watch(&self, plural: &str) -> Response<Body> {
        let (tx, rx) = mpsc::unbounded_channel();
        self.with(|script| script.watches.entry(plural.to_owned()).or_default().push(tx));
        let frames = futures::stream::unfold(rx, |mut rx| async move { rx.recv().await.map(|bytes| (bytes, rx)) });
        let body = StreamBody::new(frames.map(|bytes| Ok(Frame::data(bytes))));
        Response::new(BodyExt::boxed(body))
    }
}

fn group_of(group: &str, versions: &[(String, Vec<String>)]) -> Value {
    let versions: Vec<Value> =
        versions.iter().map(|(version, _)| json!({"groupVersion": format!("{group}/{version}"), "version": version})).collect();
    json!({"name": group, "versions": versions, "preferredVersion": versions.first()})
}

pub fn status(code: u16, reason: &str, message: &str) -> Value {
    json!({"kind": "Status", "code": code, "reason": reason, "message": message})
}

fn plain(code: u16, body: &Value) -> Response<Body> {
    Response::builder().status(code).header("content-type", "application/json").body(Full::from(body.to_string()).boxed()).unwrap()
}

pub fn object(name: &str, rv: u64) -> Value {
    json!({"metadata": {"name": name, "namespace": "", "resourceVersion": rv.to_string()}})
}

pub fn event(kind: &str, object: &Value) -> String {
    json!({"type": kind, "object": object}).to_string()
}

/// Follows a server and folds what it says.
pub struct Seen {
    pub store: Store,
    pub snapshot: Arc<Snapshot>,
    pub states: Vec<(Kind, SourceState)>,
    rx: mpsc::Receiver<Vec<Change>>,
    pub handle: FollowHandle,
    pub cluster: Cluster,
    _dir: tempfile::TempDir,
}

pub async fn connect(port: u16, dir: &tempfile::TempDir, change: impl FnOnce(ConnectOptions) -> ConnectOptions) -> Cluster {
    let file = dir.path().join("config");
    let text = format!(
        "current-context: fake\ncontexts: [{{name: fake, context: {{cluster: c, user: u}}}}]\nclusters: [{{name: c, cluster: {{server: 'http://127.0.0.1:{port}'}}}}]\nusers: [{{name: u, user: {{token: canary-4711}}}}]\n"
    );
    std::fs::write(&file, text).unwrap();
    let options = ConnectOptions { kubeconfig: Some(file), ..ConnectOptions::default() };
    Cluster::connect(change(options)).await.unwrap()
}

impl Seen {
    pub async fn of(fake: &Fake) -> Self {
        Self::paged(fake, 500).await
    }

    pub async fn paged(fake: &Fake, page_size: u32) -> Self {
        Self::with(fake, |options| ConnectOptions { page_size, ..options }).await
    }

    /// Follows with other options.
    pub async fn with(fake: &Fake, change: impl FnOnce(ConnectOptions) -> ConnectOptions) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let cluster = connect(fake.port, &dir, change).await;
        let (tx, rx) = mpsc::channel(64);
        let handle = follow(&cluster, tx);
        Self { store: Store::default(), snapshot: Arc::default(), states: Vec::new(), rx, handle, cluster, _dir: dir }
    }

    /// Folds changes until the snapshot is as wanted; fails with what was seen after 20 s.
    pub async fn until(&mut self, what: &str, wanted: impl Fn(&Snapshot) -> bool) {
        let end = tokio::time::Instant::now() + Duration::from_secs(20);
        while !wanted(&self.snapshot) {
            let batch = tokio::time::timeout_at(end, self.rx.recv()).await;
            let Ok(Some(batch)) = batch else {
                panic!("not seen: {what}; sources: {:#?}; states: {:?}", self.snapshot.sources, self.states)
            };
            for change in batch {
                if let Change::State(kind, state) = &change {
                    self.states.push((*kind, state.clone()));
                }
                self.store.apply(change);
            }
            self.snapshot = self.store.publish().0;
        }
    }

    pub async fn until_state(&mut self, kind: Kind, word: &str) {
        self.until(&format!("{kind} {word}"), |snapshot| snapshot.source(kind).word() == word).await;
    }
}
