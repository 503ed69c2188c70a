//! Following one kind: may we, is it there, list, watch, and again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::FutureExt;
use http_body_util::BodyExt;
use tokio::sync::{Semaphore, watch};

use super::backoff::Backoff;
use super::lines::Lines;
use super::pulse::{Pulse, woken};
use super::trouble::{self, Next};
use super::{Changes, ask};
use crate::cluster::call::{Call, PathOf};
use crate::cluster::connect::Cluster;
use crate::cluster::project::{self, Seen};
use crate::cluster::refusal::ApiRefusal;
use crate::model::access::{Answer, Question};
use crate::model::changes::Change;
use crate::model::ids::Name;
use crate::model::intern::Interner;
use crate::model::kind::{Kind, KindInfo};
use crate::model::source::SourceState;

/// A page of a list ends by then: the server's own limit for a request is a minute.
const PAGE_DEADLINE: Duration = Duration::from_secs(60);
/// The most that is read of one page.
const PAGE_MOST: usize = 256 << 20;
/// A page beyond this makes the next ones smaller: memory must not follow the objects' size.
const PAGE_LARGE: usize = 8 << 20;
/// No page is smaller.
const PAGE_SMALLEST: u32 = 20;
/// A watch is asked to end by itself after between this and ten seconds more.
const WATCH_SECONDS: u64 = 50;
/// What is said this much after its time says that the connection is dead.
const GRACE: Duration = Duration::from_secs(5);
/// A watch begins by then.
const OPENING: Duration = Duration::from_secs(30);
/// A resumed watch that is silent for so long has not lost its place.
const FIRST_WORD: Duration = Duration::from_millis(300);
/// Changes are handed on at the latest when so many have come.
const BATCH: usize = 512;
/// Without the permission to watch, the list is read this often.
const POLL: Duration = Duration::from_secs(15);
/// How often a missing API is looked for.
const LOOK_AGAIN: Duration = Duration::from_secs(10);

/// The receiver is gone: nobody wants to know any more.
struct Deaf;

/// Why a watch ended.
enum Ended {
    /// As watches do: go on from the place reached.
    ByItself,
    /// The list must be read again.
    Relist,
    /// It failed.
    Failed(ApiRefusal),
}

/// What we may do with a kind.
enum May {
    Follow,
    ListOnly,
    Nothing(Name),
}

/// Follows one kind.
pub(super) struct Follower {
    cluster: Cluster,
    info: &'static KindInfo,
    tx: Changes,
    pulse: Arc<watch::Sender<Pulse>>,
    seen: watch::Receiver<Pulse>,
    lists: Arc<Semaphore>,
    interner: Interner,
    version: String,
    page: u32,
    state: SourceState,
    listed: bool,
    answers: Vec<(Question, Answer)>,
    trouble: Backoff,
    resync: Backoff,
    denial: Backoff,
}

impl Follower {
    pub(super) fn new(
        cluster: Cluster,
        info: &'static KindInfo,
        tx: Changes,
        pulse: Arc<watch::Sender<Pulse>>,
        lists: Arc<Semaphore>,
    ) -> Self {
        let page = cluster.options().page_size.max(PAGE_SMALLEST);
        let seen = pulse.subscribe();
        Self {
            cluster,
            info,
            tx,
            pulse,
            seen,
            lists,
            interner: Interner::default(),
            version: info.version.to_owned(),
            page,
            state: SourceState::Connecting,
            listed: false,
            answers: Vec::new(),
            trouble: Backoff::trouble(),
            resync: Backoff::resync(),
            denial: Backoff::denial(),
        }
    }

    /// Follows until the receiver is gone. `answers` are those to the first access review.
    pub(super) async fn run(mut self, answers: Vec<(Question, Answer)>) {
        let mut answers = Some(answers);
        loop {
            let answers = match answers.take() {
                Some(first) => first,
                None => ask(&self.cluster, self.info).await,
            };
            if self.once(answers).await.is_err() {
                return;
            }
        }
    }

    /// One round: permission, presence, list, watch, until something needs a new round.
    async fn once(&mut self, answers: Vec<(Question, Answer)>) -> Result<(), Deaf> {
        let dead = self.pulse.borrow().dead.clone();
        if let Some(why) = dead {
            return self.failed(&ApiRefusal::no_answer("Unreachable", &*why)).await;
        }
        let may = self.may(answers).await?;
        if let May::Nothing(why) = may {
            self.set(SourceState::Denied { why }).await?;
            let wait = self.denial.wait();
            woken(&mut self.seen, Some(wait)).await;
            return Ok(());
        }
        if self.info.optional {
            match self.discover().await {
                Ok(Some(version)) => self.version = version,
                Ok(None) => return self.absent().await,
                Err(refusal) => return self.failed(&refusal).await,
            }
        }
        let place = match self.list().await? {
            Ok(place) => place,
            Err(refusal) => return self.failed(&refusal).await,
        };
        self.denial = Backoff::lost_permission();
        self.trouble.reset();
        if matches!(may, May::ListOnly) {
            woken(&mut self.seen, Some(POLL)).await;
            return Ok(());
        }
        match self.watch(place).await? {
            Ended::Relist | Ended::ByItself => Ok(()),
            Ended::Failed(refusal) => self.failed(&refusal).await,
        }
    }

    /// What the answers permit; tells them when they are new.
    async fn may(&mut self, answers: Vec<(Question, Answer)>) -> Result<May, Deaf> {
        let of = |verb: &str| answers.iter().find(|(question, _)| &*question.verb == verb).map(|(_, answer)| answer);
        let may = match (of("list"), of("watch")) {
            (Some(Answer::No(why)), _) => May::Nothing(self.denied(why)),
            (_, Some(Answer::No(_))) => May::ListOnly,
            // a review that failed decides nothing: the list itself will tell
            _ => May::Follow,
        };
        if self.answers != answers {
            self.answers.clone_from(&answers);
            self.send(vec![Change::Access(answers)]).await?;
        }
        Ok(may)
    }

    fn denied(&self, why: &str) -> Name {
        let everywhere = if self.info.namespaced { " in all namespaces" } else { "" };
        let because = if why.is_empty() { String::new() } else { format!(": {why}") };
        format!("you may not list {}{everywhere}{because}", self.info.plural).into()
    }

    /// Where the server serves an optional kind: the version it prefers among those that have it. None when it has it nowhere.
    async fn discover(&self) -> Result<Option<String>, ApiRefusal> {
        let group = match self.cluster.call_json(Call::get(format!("/apis/{}", self.info.group))).await {
            Ok(group) => group,
            Err(refusal) if refusal.code == 404 => return Ok(None),
            Err(refusal) => return Err(refusal),
        };
        let version = |value: &serde_json::Value| value.get("version").and_then(|v| v.as_str()).map(str::to_owned);
        let preferred = group.get("preferredVersion").and_then(version);
        let others = group.get("versions").and_then(|v| v.as_array()).into_iter().flatten().filter_map(version).take(8);
        for version in preferred.into_iter().chain(others) {
            let path = format!("/apis/{}/{}", self.info.group, crate::cluster::call::encoded(&version));
            let resources = match self.cluster.call_json(Call::get(path)).await {
                Ok(resources) => resources,
                Err(refusal) if refusal.code == 404 => continue,
                Err(refusal) => return Err(refusal),
            };
            let names = resources.get("resources").and_then(|r| r.as_array()).into_iter().flatten();
            if names.filter_map(|r| r.get("name").and_then(|n| n.as_str())).any(|name| name == self.info.plural) {
                return Ok(Some(version));
            }
        }
        Ok(None)
    }

    /// The API is not there: what was known of it is gone, and it is looked for again.
    async fn absent(&mut self) -> Result<(), Deaf> {
        if std::mem::take(&mut self.listed) {
            // an empty list takes away what was read of it
            self.send(vec![Change::Listing(self.info.kind), Change::Listed(self.info.kind)]).await?;
        }
        self.set(SourceState::Absent).await?;
        woken(&mut self.seen, Some(LOOK_AGAIN)).await;
        Ok(())
    }

    /// Shows a failure and waits as it calls for.
    async fn failed(&mut self, refusal: &ApiRefusal) -> Result<(), Deaf> {
        let next = trouble::next(refusal);
        if next == Next::LookAgain {
            return self.absent().await;
        }
        let state = trouble::state(refusal, &self.state, self.listed, crate::cluster::now());
        self.set(state).await?;
        if !refusal.answered() {
            self.pulse.send_modify(|pulse| pulse.doubts += 1);
        }
        let wait = if next == Next::AskAgain { self.denial.wait() } else { self.trouble.wait() };
        tracing::debug!(kind = %self.info.kind, code = refusal.code, reason = %refusal.reason, wait = ?wait, "out of sight");
        woken(&mut self.seen, Some(wait)).await;
        Ok(())
    }

    fn path(&self) -> String {
        PathOf { group: self.info.group, version: &self.version, plural: self.info.plural, namespace: "", name: "" }.to_string()
    }

    /// The collection, without what is never of interest.
    fn collection(&self) -> Call {
        let call = Call::get(self.path());
        if self.info.kind == Kind::Event { call.query("fieldSelector", "type!=Normal") } else { call }
    }

    /// Reads the whole list; the resource version to watch from.
    async fn list(&mut self) -> Result<Result<String, ApiRefusal>, Deaf> {
        let lists = self.lists.clone();
        let _turn = lists.acquire().await;
        self.send(vec![Change::Listing(self.info.kind)]).await?;
        let (mut more, mut place, mut count) = (String::new(), String::new(), 0_u32);
        loop {
            let mut call = self.collection().query("limit", &self.page.to_string()).within(PAGE_DEADLINE).at_most(PAGE_MOST);
            if !more.is_empty() {
                call = call.query("continue", &more);
            }
            let bytes = match unless_dead(&self.seen, self.cluster.call(call)).await {
                Ok(bytes) => bytes,
                Err(refusal) => {
                    if matches!(refusal.reason.as_str(), "TooLarge" | "Timeout") {
                        self.page = (self.page / 2).max(PAGE_SMALLEST);
                    }
                    return Ok(Err(refusal));
                }
            };
            if bytes.len() > PAGE_LARGE {
                self.page = (self.page / 2).max(PAGE_SMALLEST);
            }
            let mut changes = Vec::with_capacity(self.page.min(1000) as usize + 2);
            let page = match project::list(self.info.kind, &bytes, &mut self.interner, &mut changes) {
                Ok(page) => page,
                Err(error) => {
                    tracing::error!(kind = %self.info.kind, %error, bytes = bytes.len(), "a page could not be read");
                    return Ok(Err(ApiRefusal::no_answer("Unreadable", format!("the server's list can't be read: {error}"))));
                }
            };
            drop(bytes);
            if page.odd > 0 {
                tracing::error!(kind = %self.info.kind, odd = page.odd, "items that are no objects");
            }
            count = count.saturating_add(changes.len() as u32);
            if place.is_empty() {
                place = page.resource_version;
            }
            more = page.more;
            if more.is_empty() {
                changes.push(Change::Listed(self.info.kind));
                self.send(changes).await?;
                self.listed = true;
                self.state = SourceState::Live;
                return Ok(Ok(place));
            }
            if !self.listed {
                self.state = SourceState::Loading(count);
                changes.push(Change::State(self.info.kind, SourceState::Loading(count)));
            }
            self.send(changes).await?;
        }
    }

    /// Watches from a place on, resuming as long as that works.
    async fn watch(&mut self, mut place: String) -> Result<Ended, Deaf> {
        loop {
            let began = Instant::now();
            let (rereads, deaths) = {
                let now = self.seen.borrow_and_update();
                (now.rereads, now.deaths)
            };
            match self.watch_once(&mut place, rereads, deaths).await? {
                Ended::ByItself if began.elapsed() < Duration::from_secs(1) => {
                    // a server or proxy that ends watches at once must not be asked in a spin
                    let wait = self.trouble.wait();
                    woken(&mut self.seen, Some(wait)).await;
                }
                Ended::ByItself => {}
                Ended::Relist => return Ok(Ended::Relist),
                Ended::Failed(refusal) => match trouble::next(&refusal) {
                    Next::Retry => self.failed(&refusal).await?,
                    Next::Relist => {
                        let state = trouble::state(&refusal, &self.state, self.listed, crate::cluster::now());
                        self.set(state).await?;
                        let wait = self.resync.wait();
                        woken(&mut self.seen, Some(wait)).await;
                        return Ok(Ended::Relist);
                    }
                    Next::AskAgain | Next::LookAgain => return Ok(Ended::Failed(refusal)),
                },
            }
            if self.seen.borrow().rereads != rereads {
                return Ok(Ended::Relist);
            }
        }
    }

    async fn watch_once(&mut self, place: &mut String, rereads: u64, deaths: u64) -> Result<Ended, Deaf> {
        let seconds = WATCH_SECONDS + fastrand::u64(0..10);
        let idle = Duration::from_secs(seconds) + GRACE;
        let call = self
            .collection()
            .query("watch", "true")
            .query("allowWatchBookmarks", "true")
            .query("timeoutSeconds", &seconds.to_string())
            .query("resourceVersion", place)
            .plain();
        let opened = tokio::time::timeout(OPENING, unless_dead(&self.seen, self.cluster.open(call))).await;
        let mut body = match opened {
            Ok(Ok(response)) => response.into_body(),
            Ok(Err(refusal)) => return Ok(Ended::Failed(refusal)),
            Err(_elapsed) => return Ok(Ended::Failed(ApiRefusal::no_answer("Timeout", "the watch did not begin"))),
        };
        let mut lines = Lines::default();
        loop {
            // a place that is too old is told at once: only after a moment's silence, or good news, are we live again
            let patience = if self.state == SourceState::Live { idle } else { FIRST_WORD };
            let frame = tokio::select! {
                frame = tokio::time::timeout(patience, body.frame()) => frame,
                news = interrupted(&mut self.seen, rereads, deaths) => match news {
                    None => return Ok(Ended::Relist),
                    Some(why) => return Ok(Ended::Failed(ApiRefusal::no_answer("Unreachable", &*why))),
                },
            };
            let mut changes = Vec::new();
            let mut next = match frame {
                Err(_elapsed) if self.state != SourceState::Live => {
                    self.set(SourceState::Live).await?;
                    continue;
                }
                Err(_elapsed) => return Ok(Ended::Failed(ApiRefusal::no_answer("Timeout", "nothing was heard for a minute"))),
                Ok(frame) => frame,
            };
            // whatever has arrived already goes into one batch
            let end = loop {
                match next {
                    None => break Some(Ended::ByItself),
                    // an error in mid-stream is a connection that broke: what follows it is a new one
                    Some(Err(error)) => {
                        tracing::debug!(kind = %self.info.kind, why = %crate::cluster::refusal::in_words(&error), "the watch broke off");
                        break Some(Ended::ByItself);
                    }
                    Some(Ok(frame)) => {
                        let data = frame.into_data().unwrap_or_default();
                        if let Some(end) = self.take(&data, &mut lines, &mut changes, place) {
                            break Some(end);
                        }
                    }
                }
                if changes.len() >= BATCH {
                    break None;
                }
                match body.frame().now_or_never() {
                    Some(more) => next = more,
                    None => break None,
                }
            };
            if !changes.is_empty() {
                self.trouble.reset();
                self.resync.reset();
                self.send(changes).await?;
            }
            if let Some(end) = end {
                return Ok(end);
            }
            self.set(SourceState::Live).await?;
        }
    }

    /// Takes in a frame. Some when the watch is over.
    fn take(&mut self, data: &[u8], lines: &mut Lines, changes: &mut Vec<Change>, place: &mut String) -> Option<Ended> {
        if lines.push(data).is_err() {
            return Some(Ended::Failed(ApiRefusal { code: 410, ..ApiRefusal::no_answer("Unreadable", "a line without end") }));
        }
        while let Some(line) = lines.next() {
            match project::line(self.info.kind, line, &mut self.interner) {
                Ok(Seen::Moved { change, resource_version }) => {
                    changes.extend(change);
                    if !resource_version.is_empty() {
                        *place = resource_version;
                    }
                }
                Ok(Seen::Error(status)) => return Some(Ended::Failed(of_status(&status))),
                Ok(Seen::Nothing) => {}
                Err(error) => {
                    tracing::error!(kind = %self.info.kind, %error, bytes = line.len(), "an event could not be read");
                    // the list will tell what the event would have
                    return Some(Ended::Failed(ApiRefusal {
                        code: 410,
                        ..ApiRefusal::no_answer("Unreadable", "an event could not be read")
                    }));
                }
            }
        }
        None
    }

    /// Tells a state, unless it is the one told last.
    async fn set(&mut self, state: SourceState) -> Result<(), Deaf> {
        if self.state == state {
            return Ok(());
        }
        self.state = state.clone();
        self.send(vec![Change::State(self.info.kind, state)]).await
    }

    async fn send(&self, changes: Vec<Change>) -> Result<(), Deaf> {
        self.tx.send(changes).await.map_err(|_gone| Deaf)
    }
}

/// An answer, unless the server is found dead while it is awaited.
async fn unless_dead<T>(pulse: &watch::Receiver<Pulse>, answer: impl Future<Output = Result<T, ApiRefusal>>) -> Result<T, ApiRefusal> {
    let mut pulse = pulse.clone();
    let deaths = pulse.borrow().deaths;
    let death = async {
        loop {
            if pulse.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
            let now = pulse.borrow();
            if now.deaths != deaths {
                return now.dead.clone().unwrap_or_else(|| STOPPED.into());
            }
        }
    };
    tokio::select! {
        answer = answer => answer,
        why = death => Err(ApiRefusal::no_answer("Unreachable", &*why)),
    }
}

/// Why, where nobody knows more.
const STOPPED: &str = "the server stopped answering";

/// Waits until the server is found dead anew (why) or everything is to be read again (none).
async fn interrupted(pulse: &mut watch::Receiver<Pulse>, rereads: u64, deaths: u64) -> Option<Name> {
    loop {
        {
            let now = pulse.borrow_and_update();
            if now.deaths != deaths {
                return Some(now.dead.clone().unwrap_or_else(|| STOPPED.into()));
            }
            if now.rereads != rereads {
                return None;
            }
        }
        if pulse.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// The Status in an ERROR line; without a code it is as if the place were lost.
fn of_status(text: &str) -> ApiRefusal {
    let code = serde_json::from_str::<serde_json::Value>(text).ok().and_then(|status| status.get("code")?.as_u64());
    let code = code.and_then(|code| u16::try_from(code).ok()).filter(|code| *code >= 400).unwrap_or(410);
    ApiRefusal::from_answer(code, text.as_bytes())
}
