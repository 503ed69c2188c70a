//! Following the cluster: list, then watch, for every kind of [`WATCHED`]; everything that is seen or can't be seen becomes a [`Change`].
//!
//! List-then-watch is done here and not by kube's watcher, because each of these needs the space between the two: lean decoding object by
//! object out of a page, one odd object that must not stall its kind, batches, states in words, a server that is noticed to be dead within
//! seconds although its connections look alive, and first lists in an order and a number that are polite.

mod backoff;
mod discover;
mod keep;
mod kind;
mod lines;
mod list;
mod pulse;
mod stream;
mod trouble;

use std::sync::Arc;

use futures::StreamExt;
use futures::stream::FuturesOrdered;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::{AbortHandle, JoinSet};

use self::discover::Discovery;
use self::kind::Follower;
use self::pulse::Pulse;
use super::connect::Cluster;
use crate::model::access::{Answer, Question};
use crate::model::changes::Change;
use crate::model::kind::{KindInfo, WATCHED};
use crate::model::source::SourceState;

/// The permissions of so many kinds are asked for at once.
const ASKED_AT_ONCE: usize = 8;

/// Where changes go: batches of at most a few hundred, or a page of a list.
pub type Changes = mpsc::Sender<Vec<Change>>;

/// Ends the following when dropped.
#[derive(Debug)]
pub struct FollowHandle {
    task: AbortHandle,
    pulse: Arc<watch::Sender<Pulse>>,
}

impl FollowHandle {
    /// Asks for every permission again and reads every list again, now. What is shown stays until the new lists are complete.
    pub fn reread(&self) {
        self.pulse.send_modify(|pulse| pulse.rereads += 1);
    }
}

impl Drop for FollowHandle {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Follows the cluster until the handle is dropped or the receiver is gone. Needs a tokio runtime. The first thing sent is a state for every
/// kind. Recovers alone from everything; whatever it can't see becomes a state with a reason.
pub fn follow(cluster: &Cluster, tx: mpsc::Sender<Vec<Change>>) -> FollowHandle {
    let pulse = Arc::new(watch::channel(Pulse::default()).0);
    let task = tokio::spawn(run(cluster.clone(), tx, pulse.clone())).abort_handle();
    FollowHandle { task, pulse }
}

async fn run(cluster: Cluster, tx: Changes, pulse: Arc<watch::Sender<Pulse>>) {
    // the metadata of Secrets is asked for only where that is allowed explicitly
    let asked = |info: &KindInfo| info.metadata_of_type.is_none() || cluster.options().secret_metadata;
    let begins = |info: &KindInfo| if asked(info) { SourceState::Connecting } else { SourceState::Off };
    let connecting = WATCHED.iter().map(|info| Change::State(info.kind, begins(info))).collect();
    if tx.send(connecting).await.is_err() {
        return;
    }
    // dropped with this future, the set ends all its tasks
    let mut tasks = JoinSet::new();
    let (beating, beaten) = (cluster.clone(), pulse.clone());
    tasks.spawn(keep::going(tx.clone(), None, move || pulse::beat(beating.clone(), beaten.clone())));
    tasks.spawn(tell_server(cluster.clone(), tx.clone(), pulse.subscribe()));
    let lists = Arc::new(Semaphore::new(cluster.options().lists_at_once.max(1)));
    let discovery = Arc::new(Discovery::new(cluster.clone(), pulse.subscribe()));
    let followed: Vec<&'static KindInfo> = WATCHED.iter().filter(|info| asked(info)).collect();
    for kinds in followed.chunks(ASKED_AT_ONCE) {
        let mut asked = FuturesOrdered::new();
        for info in kinds.iter().copied() {
            asked.push_back(ask(&cluster, info, info.group));
        }
        for info in kinds.iter().copied() {
            let mut answers = asked.next().await;
            let (cluster, changes, pulse) = (cluster.clone(), tx.clone(), pulse.clone());
            let (lists, discovery) = (lists.clone(), discovery.clone());
            let begin = move || {
                let follower = Follower::new(cluster.clone(), info, changes.clone(), pulse.clone(), lists.clone(), discovery.clone());
                follower.run(answers.take())
            };
            tasks.spawn(keep::going(tx.clone(), Some(info.kind), begin));
        }
    }
    while tasks.join_next().await.is_some() {}
}

/// The two questions a kind needs an answer to, in the group that serves it. Of a kind of which only one object is read, the questions
/// are about that object: a role may permit no more.
async fn ask(cluster: &Cluster, info: &KindInfo, group: &str) -> Vec<(Question, Answer)> {
    let question = |verb| {
        let all = Question::new(verb, group, info.plural);
        match info.only {
            Some((namespace, name)) => all.within(namespace).named(name),
            None => all,
        }
    };
    cluster.can_i(&["list", "watch"].map(question)).await
}

/// Tells who the server is, and again each time it comes back.
async fn tell_server(cluster: Cluster, tx: Changes, mut pulse: watch::Receiver<Pulse>) {
    let mut told = None;
    loop {
        let facts = cluster.server_facts().await;
        let complete = !facts.version.is_empty();
        if complete && told.as_ref() != Some(&facts) {
            told = Some(facts.clone());
            if tx.send(vec![Change::Server(facts)]).await.is_err() {
                return;
            }
        }
        pulse::woken(&mut pulse, if complete { None } else { Some(std::time::Duration::from_secs(10)) }).await;
    }
}
