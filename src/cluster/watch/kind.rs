//! Following one kind: may we, is it there, list, watch, and again.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, watch};

use super::backoff::Backoff;
use super::discover::{Discovery, Place};
use super::pulse::{Pulse, unless_dead, woken};
use super::trouble::{self, Next};
use super::{Changes, ask};
use crate::cluster::call::NOT_METADATA;
use crate::cluster::connect::Cluster;
use crate::cluster::refusal::ApiRefusal;
use crate::model::access::{Answer, Question};
use crate::model::changes::Change;
use crate::model::ids::Name;
use crate::model::intern::Interner;
use crate::model::kind::KindInfo;
use crate::model::source::SourceState;

/// No page is smaller.
pub(super) const PAGE_SMALLEST: u32 = 20;
/// Without the permission to watch, the list is read this often.
const POLL: Duration = Duration::from_secs(15);
/// How often a missing API is looked for.
const LOOK_AGAIN: Duration = Duration::from_secs(10);

/// The receiver is gone: nobody wants to know any more.
pub(super) struct Deaf;

/// Why a watch ended.
pub(super) enum Ended {
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
    pub(super) cluster: Cluster,
    pub(super) info: &'static KindInfo,
    pub(super) tx: Changes,
    pub(super) pulse: Arc<watch::Sender<Pulse>>,
    pub(super) seen: watch::Receiver<Pulse>,
    pub(super) lists: Arc<Semaphore>,
    pub(super) interner: Interner,
    pub(super) discovery: Arc<Discovery>,
    pub(super) place: Place,
    pub(super) page: u32,
    pub(super) state: SourceState,
    pub(super) listed: bool,
    pub(super) answers: Vec<(Question, Answer)>,
    pub(super) trouble: Backoff,
    pub(super) resync: Backoff,
    pub(super) denial: Backoff,
}

impl Follower {
    pub(super) fn new(
        cluster: Cluster,
        info: &'static KindInfo,
        tx: Changes,
        pulse: Arc<watch::Sender<Pulse>>,
        lists: Arc<Semaphore>,
        discovery: Arc<Discovery>,
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
            discovery,
            place: Place { group: info.group, version: info.version.to_owned() },
            page,
            state: SourceState::Connecting,
            listed: false,
            answers: Vec::new(),
            trouble: Backoff::trouble(),
            resync: Backoff::resync(),
            denial: Backoff::denial(),
        }
    }

    /// Follows until the receiver is gone. `answers` are those to the first access review, if it was asked for already.
    pub(super) async fn run(mut self, mut answers: Option<Vec<(Question, Answer)>>) {
        loop {
            let answers = match answers.take() {
                Some(first) => first,
                None => ask(&self.cluster, self.info, self.place.group).await,
            };
            if self.once(answers).await.is_err() {
                return;
            }
        }
    }

    /// One round: presence, permission, list, watch, until something needs a new round.
    async fn once(&mut self, answers: Vec<(Question, Answer)>) -> Result<(), Deaf> {
        let dead = self.pulse.borrow().dead.clone();
        if let Some(why) = dead {
            return self.failed(&ApiRefusal::no_answer("Unreachable", &*why)).await;
        }
        let may = self.may(answers).await?;
        if self.info.optional {
            // presence before permission: whoever may not list a kind that the server does not have misses nothing
            match unless_dead(&self.seen, self.discovery.place(self.info)).await {
                Ok(Some(place)) => {
                    let elsewhere = self.place.group != place.group;
                    self.place = place;
                    if elsewhere {
                        // the answers were about another group
                        return Ok(());
                    }
                }
                Ok(None) => return self.absent().await,
                Err(refusal) if matches!(may, May::Nothing(_)) && refusal.answered() => {}
                Err(refusal) => return self.failed(&refusal).await,
            }
        }
        if let May::Nothing(why) = may {
            self.set(SourceState::Denied { why }).await?;
            let wait = self.denial.wait();
            woken(&mut self.seen, Some(wait)).await;
            return Ok(());
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
        let whereabouts = match self.info.only {
            Some((namespace, name)) => format!(" {name} in {namespace}"),
            None if self.info.namespaced => " in all namespaces".to_owned(),
            None => String::new(),
        };
        let because = if why.is_empty() { String::new() } else { format!(": {why}") };
        format!("you may not list {}{whereabouts}{because}", self.info.plural).into()
    }

    /// The API is not there: what was known of it is gone, and it is looked for again.
    async fn absent(&mut self) -> Result<(), Deaf> {
        if std::mem::take(&mut self.listed) {
            // an empty list takes away what was read of it; all in one batch, so that nobody sees a live kind without objects
            self.state = SourceState::Absent;
            let kind = self.info.kind;
            self.send(vec![Change::Listing(kind), Change::Listed(kind), Change::State(kind, SourceState::Absent)]).await?;
        }
        self.set(SourceState::Absent).await?;
        woken(&mut self.seen, Some(LOOK_AGAIN)).await;
        Ok(())
    }

    /// Shows a failure and waits as it calls for.
    pub(super) async fn failed(&mut self, refusal: &ApiRefusal) -> Result<(), Deaf> {
        let next = trouble::next(refusal);
        let now = crate::cluster::now();
        let state = match next {
            Next::LookAgain if self.info.optional => return self.absent().await,
            // every server has this kind: whoever says otherwise is a proxy that lost its way
            Next::LookAgain => trouble::out_of_sight(refusal.to_string().into(), &self.state, self.listed, now),
            _ => trouble::state(refusal, &self.state, self.listed, now),
        };
        self.set(state).await?;
        if !refusal.answered() {
            self.pulse.send_modify(|pulse| pulse.doubts += 1);
        }
        // a server that sends what must not be read is not asked often
        let rarely = next == Next::AskAgain || refusal.reason == NOT_METADATA;
        let wait = if rarely { self.denial.wait() } else { self.trouble.wait() };
        tracing::debug!(kind = %self.info.kind, code = refusal.code, reason = %refusal.reason, wait = ?wait, "out of sight");
        woken(&mut self.seen, Some(wait)).await;
        Ok(())
    }

    /// Tells a state, unless it is the one told last.
    pub(super) async fn set(&mut self, state: SourceState) -> Result<(), Deaf> {
        if self.state == state {
            return Ok(());
        }
        self.state = state.clone();
        self.send(vec![Change::State(self.info.kind, state)]).await
    }

    pub(super) async fn send(&self, changes: Vec<Change>) -> Result<(), Deaf> {
        self.tx.send(changes).await.map_err(|_gone| Deaf)
    }
}
