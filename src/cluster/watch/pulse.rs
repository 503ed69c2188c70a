//! Whether the server is alive: a dead connection looks alive for a minute, so it is asked every few seconds beside the watches.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::cluster::call::Call;
use crate::cluster::connect::Cluster;
use crate::cluster::refusal::ApiRefusal;
use crate::model::ids::Name;

/// Between two beats of a server that answers.
const EVERY: Duration = Duration::from_secs(5);
/// Between two beats of one that does not.
const EVERY_WHEN_DEAD: Duration = Duration::from_secs(1);
/// A beat not answered by then has failed.
const PATIENCE: Duration = Duration::from_secs(3);
/// So many failed beats in a row make a dead server, unless the connection is refused outright.
const FAILED: u32 = 2;

/// What all tasks of one cluster know of each other.
#[derive(Debug, Default, Clone)]
pub(super) struct Pulse {
    /// Why the server does not answer; none while it does.
    pub(super) dead: Option<Name>,
    /// How often it stopped answering.
    pub(super) deaths: u64,
    /// How often it has come back.
    pub(super) revivals: u64,
    /// How often everything was to be read again.
    pub(super) rereads: u64,
    /// How often a task met a silent server and wants a beat now.
    pub(super) doubts: u64,
}

/// Asks the server whether it lives, for ever.
pub(super) async fn beat(cluster: Cluster, pulse: Arc<watch::Sender<Pulse>>) {
    let mut watcher = pulse.subscribe();
    let mut failed = 0_u32;
    loop {
        match cluster.call(Call::get("/livez").within(PATIENCE)).await {
            Err(refusal) if !refusal.answered() => {
                failed = failed.saturating_add(1);
                let now_dead = failed >= FAILED || refusal.reason != "Timeout";
                tell_dead(&pulse, now_dead, &refusal);
            }
            // any answer is a sign of life, a refusal too
            _ => {
                failed = 0;
                pulse.send_if_modified(|pulse| {
                    let revived = pulse.dead.take().is_some();
                    pulse.revivals += u64::from(revived);
                    revived
                });
            }
        }
        let pause = if failed > 0 { EVERY_WHEN_DEAD } else { EVERY };
        let doubts = watcher.borrow().doubts;
        let doubted = async {
            while watcher.changed().await.is_ok() {
                if watcher.borrow().doubts != doubts && failed == 0 {
                    return;
                }
            }
            std::future::pending::<()>().await;
        };
        let _ = tokio::time::timeout(pause, doubted).await;
    }
}

fn tell_dead(pulse: &watch::Sender<Pulse>, now_dead: bool, refusal: &ApiRefusal) {
    pulse.send_if_modified(|pulse| {
        let news = now_dead && pulse.dead.is_none();
        if news {
            pulse.dead = Some(refusal.to_string().into());
            pulse.deaths += 1;
        }
        news
    });
}

/// Waits until the server comes back, everything is to be read again, or the time is up.
pub(super) async fn woken(pulse: &mut watch::Receiver<Pulse>, limit: Option<Duration>) {
    let (revivals, rereads) = {
        let now = pulse.borrow_and_update();
        (now.revivals, now.rereads)
    };
    let news = async {
        while pulse.changed().await.is_ok() {
            let now = pulse.borrow();
            if now.revivals != revivals || now.rereads != rereads {
                return;
            }
        }
        std::future::pending::<()>().await;
    };
    match limit {
        Some(limit) => {
            let _ = tokio::time::timeout(limit, news).await;
        }
        None => news.await,
    }
}

/// An answer, unless the server is found dead while it is awaited.
pub(super) async fn unless_dead<T>(
    pulse: &watch::Receiver<Pulse>,
    answer: impl Future<Output = Result<T, ApiRefusal>>,
) -> Result<T, ApiRefusal> {
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
pub(super) async fn interrupted(pulse: &mut watch::Receiver<Pulse>, rereads: u64, deaths: u64) -> Option<Name> {
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
