//! Follows a server: its health every few seconds, so that an outage and its end show fast; everything else at the configured interval, with
//! jitter, backing off while it fails.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::Instant;

use super::client::Client;
use super::now;
use super::options::VaultOptions;
use super::read::{self, Memory, Reading, Round};
use crate::model::changes::Change;
use crate::model::source::SourceState;
use crate::model::text::clean;
use crate::model::vault::VaultFacts;

/// Time between two looks at the health.
const HEALTH: Duration = Duration::from_secs(3);
/// Longest time between two readings while they fail.
const SLOWEST: Duration = Duration::from_secs(60);
/// What is said when there is no token.
const NO_TOKEN: &str = "no Vault token: set VAULT_TOKEN or put one into the token file";

/// A running poller. Dropping it ends it.
#[derive(Debug)]
pub struct Follower {
    wake: Arc<Notify>,
    task: JoinHandle<()>,
}

impl Follower {
    /// Reads everything again now.
    pub fn reread(&self) {
        self.wake.notify_one();
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Starts to follow the server of `options` on the current runtime. Every reading comes as one [`Change::Vault`]. Without a server one
/// says so and the poller ends. Must be called within a tokio runtime.
pub fn follow(options: VaultOptions, tx: mpsc::Sender<Vec<Change>>) -> Follower {
    let wake = Arc::new(Notify::new());
    let task = tokio::spawn(keep_going(options, tx, wake.clone()));
    Follower { wake, task }
}

/// Runs the poller; one that fails on an error of its own is begun again, and says meanwhile that nothing is seen.
async fn keep_going(options: VaultOptions, tx: mpsc::Sender<Vec<Change>>, wake: Arc<Notify>) {
    loop {
        // dropped with this future, the set ends the poller
        let mut task = JoinSet::new();
        task.spawn(run(options.clone(), tx.clone(), wake.clone()));
        match task.join_next().await {
            Some(Err(error)) if error.is_panic() => tracing::error!("the task that reads Vault panicked"),
            _ => return,
        }
        send(&tx, &misconfigured(&options, "what reads Vault failed on an error of its own and is begun again")).await;
        tokio::time::sleep(HEALTH).await;
    }
}

async fn run(options: VaultOptions, tx: mpsc::Sender<Vec<Change>>, wake: Arc<Notify>) {
    let client = match Client::new(&options) {
        Ok(Some(client)) => client,
        Ok(None) => {
            send(&tx, &VaultFacts::default()).await;
            return;
        }
        Err(error) => {
            send(&tx, &misconfigured(&options, &error.to_string())).await;
            return;
        }
    };
    let mut facts = VaultFacts {
        configured: true,
        address: clean(&client.address()).into(),
        namespace: clean(client.namespace().unwrap_or("")).into(),
        ..VaultFacts::default()
    };
    connecting(&mut facts);
    let mut sent = facts.clone();
    send(&tx, &facts).await;
    let mut turn = Turn { due: Instant::now(), failures: 0, whole: true, memory: Memory::default() };
    loop {
        let well = look(&client, &options, &mut facts, &mut turn).await;
        if facts != sent {
            send(&tx, &facts).await;
            sent = facts.clone();
        }
        if tx.is_closed() {
            return;
        }
        // a server that came back is read at once
        if !well {
            turn.due = Instant::now();
        }
        let pause = jittered(HEALTH).min(turn.due.saturating_duration_since(Instant::now()).max(Duration::from_millis(250)));
        let pause = if well { pause } else { jittered(HEALTH) };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = wake.notified() => {
                turn.due = Instant::now();
                turn.whole = true;
            }
        }
    }
}

/// When the next reading is due, and how the last ones went.
#[derive(Debug)]
struct Turn {
    due: Instant,
    failures: u32,
    /// The next reading takes every item.
    whole: bool,
    memory: Memory,
}

/// One look: the health, and everything else when it is due. Whether the server is well.
async fn look(client: &Client, options: &VaultOptions, facts: &mut VaultFacts, turn: &mut Turn) -> bool {
    facts.server = read::server(client, &facts.server, now()).await;
    if facts.server.state != SourceState::Live {
        let why = facts.server.state.why().map_or_else(String::new, |why| format!("Vault {why}"));
        read::darken(facts, &mut turn.memory, &why, now());
        return false;
    }
    if Instant::now() < turn.due {
        return true;
    }
    let (mut round, mut wait, mut progress) = (Round::Fine, None, false);
    match options.current_token() {
        Ok(Some(token)) => {
            let client = client.with_token(Some(token));
            let mut reading = Reading::new(&client, now(), turn.whole, options.poll);
            read::everything(&mut reading, facts, &mut turn.memory).await;
            (round, wait, progress) = (reading.round, reading.wait, reading.progress);
        }
        Ok(None) => read::deny(facts, &mut turn.memory, NO_TOKEN),
        Err(error) => read::deny(facts, &mut turn.memory, &error.to_string()),
    }
    turn.whole = false;
    turn.failures = if round == Round::Fine { 0 } else { turn.failures.saturating_add(1) };
    let pause = interval(options.poll, if progress { Round::Troubled } else { round }, if progress { 1 } else { turn.failures });
    turn.due = Instant::now() + jittered(wait.map_or(pause, |wait| wait.max(options.poll)));
    true
}

/// Time to the next reading: the configured one, doubled with every failure in a row; a server that asks for less and gives nothing is left
/// alone longest.
fn interval(poll: Duration, round: Round, failures: u32) -> Duration {
    let poll = poll.max(Duration::from_secs(1));
    match round {
        Round::Fine => poll,
        Round::Limited => SLOWEST.max(poll),
        Round::Troubled => poll.saturating_mul(2_u32.saturating_pow(failures.min(6))).min(SLOWEST.max(poll)),
    }
}

/// ±20 %, so that many dashboards do not ask at the same moment.
fn jittered(time: Duration) -> Duration {
    time.mul_f64(0.8 + 0.4 * fastrand::f64())
}

fn connecting(facts: &mut VaultFacts) {
    facts.server.state = SourceState::Connecting;
    read::states(facts).for_each(|state| *state = SourceState::Connecting);
}

fn misconfigured(options: &VaultOptions, why: &str) -> VaultFacts {
    let down = SourceState::Down { since: now(), why: clean(why).into() };
    let mut facts = VaultFacts { configured: options.addr.is_some(), ..VaultFacts::default() };
    facts.server.state = down.clone();
    read::states(&mut facts).for_each(|state| *state = down.clone());
    facts
}

async fn send(tx: &mpsc::Sender<Vec<Change>>, facts: &VaultFacts) {
    // nobody listens any more: the loop sees that by itself
    drop(tx.send(vec![Change::Vault(Box::new(facts.clone()))]).await);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readings_back_off_to_a_minute_and_come_back() {
        let poll = Duration::from_secs(15);
        assert_eq!(interval(poll, Round::Fine, 9), poll);
        assert_eq!(interval(poll, Round::Troubled, 1), Duration::from_secs(30));
        assert_eq!(interval(poll, Round::Troubled, 40), SLOWEST);
        assert_eq!(interval(Duration::from_secs(300), Round::Troubled, 3), Duration::from_secs(300), "never faster than asked for");
        for _ in 0..100 {
            let time = jittered(poll);
            assert!(time >= Duration::from_secs(12) && time <= Duration::from_secs(18), "{time:?}");
        }
    }
}
