//! Watching a kind: whole lines out of frames, batches out of lines, and going on where a watch ended.

use std::time::{Duration, Instant};

use futures::FutureExt;
use http_body_util::BodyExt;

use super::kind::{Deaf, Ended, Follower};
use super::lines::Lines;
use super::pulse::{interrupted, unless_dead, woken};
use super::trouble::{self, Next};
use crate::cluster::call::{is_metadata, not_metadata};
use crate::cluster::project::{self, Seen};
use crate::cluster::refusal::{ApiRefusal, in_words};
use crate::cluster::wire::page;
use crate::model::changes::Change;
use crate::model::source::SourceState;

/// A watch is asked to end by itself after between this and ten seconds more.
const WATCH_SECONDS: u64 = 50;
/// What is said this much after its time says that the connection is dead.
const GRACE: Duration = Duration::from_secs(5);
/// A watch begins by then.
const OPENING: Duration = Duration::from_secs(30);
/// A resumed watch that is silent for so long has not lost its place.
const FIRST_WORD: Duration = Duration::from_millis(300);
/// Who does not watch for longer than this is not live.
const UNSEEN: Duration = Duration::from_secs(2);
/// Changes are handed on at the latest when so many have come.
const BATCH: usize = 512;

impl Follower {
    /// Watches from a place on, resuming as long as that works.
    pub(super) async fn watch(&mut self, mut place: String) -> Result<Ended, Deaf> {
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
                    if wait > UNSEEN {
                        let why = "the server ends every watch at once".into();
                        self.set(trouble::out_of_sight(why, &self.state, self.listed, crate::cluster::now())).await?;
                    }
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
        let call = if self.info.metadata_of_type.is_some() { call.metadata_watch() } else { call };
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
                        tracing::debug!(kind = %self.info.kind, why = %in_words(&error), "the watch broke off");
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
            if self.info.metadata_of_type.is_some() && !page::read_line(line).is_ok_and(|line| line.object().is_none_or(is_metadata)) {
                return Some(Ended::Failed(not_metadata()));
            }
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
}

/// The Status in an ERROR line; without a code it is as if the place were lost.
fn of_status(text: &str) -> ApiRefusal {
    let code = serde_json::from_str::<serde_json::Value>(text).ok().and_then(|status| status.get("code")?.as_u64());
    let code = code.and_then(|code| u16::try_from(code).ok()).filter(|code| *code >= 400).unwrap_or(410);
    ApiRefusal::from_answer(code, text.as_bytes())
}
