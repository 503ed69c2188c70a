//! Watches: initial events, changes, bookmarks, and the ways they end.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::http::{self, Call, Reply};
use super::json::Json;
use super::kinds::{Kind, KindId};
use super::kube::Target;
use super::render::{self, Form};
use super::selectors::Selection;
use super::status::{self, Refusal, gone};
use super::store::{Change, Verb};
use super::world::World;

/// A watch without a time limit of its own ends after this long.
const LONGEST: Duration = Duration::from_secs(40 * 60);

/// One open watch.
struct Watch {
    world: Arc<World>,
    id: KindId,
    kind: &'static Kind,
    namespace: String,
    selection: Selection,
    form: Form,
    bookmarks: bool,
    /// Everything up to here has been sent.
    revision: u64,
    out: mpsc::Sender<io::Result<Bytes>>,
    /// Tables carry their columns in the first event only.
    first: bool,
}

/// The watch is over: the client left, or it was told why.
struct Over;

/// Opens a watch.
pub(crate) fn answer(world: &Arc<World>, target: &Target, call: &Call) -> Result<Reply, Refusal> {
    let query = &call.query;
    let streaming = query.on("sendInitialEvents");
    if streaming && query.get("resourceVersionMatch") != "NotOlderThan" {
        let message = "Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan";
        return Err(super::write::bad_options("ListOptions", "FieldValueForbidden", "resourceVersionMatch", message));
    }
    let selection = Selection::parse(query.get("labelSelector"), query.get("fieldSelector"))?;
    let since = query.get("resourceVersion");
    let started: u64 = match since {
        "" => 0,
        text => text.parse().ok().ok_or_else(|| {
            status::bad_request(format!("Invalid value: \"{text}\": strconv.ParseUint: parsing \"{text}\": invalid syntax"))
        })?,
    };
    let (out, chunks) = mpsc::channel(64);
    let mut watch = Watch {
        world: Arc::clone(world),
        id: target.id,
        kind: target.kind,
        namespace: target.namespace.clone(),
        selection,
        form: Form::of(call),
        bookmarks: query.on("allowWatchBookmarks"),
        revision: started,
        out,
        first: true,
    };
    let mut initial = Vec::new();
    if streaming || started == 0 {
        let objects = world.store.lock();
        initial.extend(objects.list(target.id, &target.namespace, None).map(|(_, object)| Arc::clone(object)));
        watch.revision = objects.revision();
    } else if world.faults().gone_on_watch.remove(target.kind.plural) {
        watch.revision = 0;
    }
    let limit = query.get("timeoutSeconds").parse().ok().filter(|s| *s > 0).map_or(LONGEST, Duration::from_secs).min(LONGEST);
    tokio::spawn(watch.run(initial, streaming, Instant::now() + limit));
    Ok(http::stream("application/json", chunks))
}

impl Watch {
    async fn run(mut self, initial: Vec<Arc<Value>>, streaming: bool, deadline: Instant) {
        let stop = self.world.stop.clone();
        let out = self.out.clone();
        tokio::select! {
            () = stop.cancelled() => {}
            () = out.closed() => {}
            () = tokio::time::sleep_until(deadline) => {}
            _ = self.follow(initial, streaming) => {}
        }
    }

    async fn follow(&mut self, initial: Vec<Arc<Value>>, streaming: bool) -> Result<(), Over> {
        let mut news = self.world.store.subscribe();
        for object in initial {
            if self.selection.matches(&object) {
                self.send(Verb::Added, &object).await?;
            }
        }
        if streaming {
            self.bookmark(true).await?;
        }
        let mut last_bookmark = Instant::now();
        loop {
            news.mark_unchanged();
            let fresh = self.world.store.lock().since(self.id, self.revision);
            match fresh {
                Ok((revision, changes)) => {
                    for change in changes {
                        self.forward(&change).await?;
                    }
                    self.revision = revision;
                }
                Err(compacted) => return self.expired(compacted.oldest).await,
            }
            let every = self.world.faults().bookmark_every;
            tokio::select! {
                changed = news.changed() => changed.ok().ok_or(Over)?,
                () = tokio::time::sleep_until(last_bookmark + every) => {
                    last_bookmark = Instant::now();
                    if self.bookmarks {
                        self.bookmark(false).await?;
                    }
                }
            }
        }
    }

    /// Sends a change as the selectors see it: what stops matching is deleted, what starts to is added.
    async fn forward(&mut self, change: &Change) -> Result<(), Over> {
        if !self.namespace.is_empty() && change.key.namespace != self.namespace {
            return Ok(());
        }
        let now = change.verb != Verb::Deleted && self.selection.matches(&change.object);
        let before = change.before.as_deref().is_some_and(|b| self.selection.matches(b));
        match (before, now) {
            (false, false) => Ok(()),
            (false, true) => self.send(Verb::Added, &change.object).await,
            (true, true) => self.send(Verb::Modified, &change.object).await,
            (true, false) => self.send(Verb::Deleted, &change.object).await,
        }
    }

    async fn send(&mut self, verb: Verb, object: &Value) -> Result<(), Over> {
        let word = match verb {
            Verb::Added => "ADDED",
            Verb::Modified => "MODIFIED",
            Verb::Deleted => "DELETED",
        };
        let line = render::event(self.kind, word, object, self.form, std::mem::take(&mut self.first));
        self.line(line).await
    }

    async fn line(&mut self, mut text: String) -> Result<(), Over> {
        let (cut, stall) = {
            let mut faults = self.world.faults();
            (faults.cut_watch_line.remove(self.kind.plural), faults.stall_watch.contains(self.kind.plural))
        };
        if stall {
            // the connection stays open and says nothing more
            std::future::pending::<()>().await;
        }
        if cut {
            let half: String = text.chars().take(text.chars().count() / 2).collect();
            self.out.send(Ok(half.into())).await.ok().ok_or(Over)?;
            // the first half has to leave before the connection breaks
            tokio::time::sleep(Duration::from_millis(20)).await;
            let _ = self.out.send(Err(io::Error::from(io::ErrorKind::UnexpectedEof))).await;
            return Err(Over);
        }
        text.push('\n');
        self.out.send(Ok(text.into())).await.ok().ok_or(Over)
    }

    async fn bookmark(&mut self, initial_events_end: bool) -> Result<(), Over> {
        let mut metadata = json!({"resourceVersion": self.revision.to_string(), "creationTimestamp": null});
        if initial_events_end {
            metadata.put("annotations", json!({"k8s.io/initial-events-end": "true"}));
        }
        let object = match self.form {
            Form::Plain => json!({"kind": self.kind.kind, "apiVersion": self.kind.api_version(), "metadata": metadata}),
            Form::Partial => json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata}),
            Form::Table(_) => {
                json!({"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata, "columnDefinitions": null, "rows": []})
            }
        };
        self.line(json!({"type": "BOOKMARK", "object": object}).to_string()).await
    }

    async fn expired(&mut self, oldest: u64) -> Result<(), Over> {
        let refusal = gone(format!("too old resource version: {} ({oldest})", self.revision));
        self.line(json!({"type": "ERROR", "object": refusal.body}).to_string()).await
    }
}
