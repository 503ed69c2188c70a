//! Tasks that must not end unseen: what they tell would go on looking live.

use std::time::Duration;

use tokio::task::JoinSet;

use super::Changes;
use crate::model::changes::Change;
use crate::model::kind::Kind;
use crate::model::source::SourceState;

/// A task that failed on an error of its own is begun again after so long.
const AGAIN: Duration = Duration::from_secs(2);
/// What is said meanwhile.
const WHY: &str = "what reads it failed on an error of its own and is begun again";

/// Runs a task until it ends as it should. Where it panics, its kind is stale, and the task is begun again.
pub(super) async fn going<F>(tx: Changes, kind: Option<Kind>, mut begin: impl FnMut() -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    loop {
        // dropped with this future, the set ends the task
        let mut task = JoinSet::new();
        task.spawn(begin());
        match task.join_next().await {
            Some(Err(error)) if error.is_panic() => tracing::error!(?kind, "a task of the watch panicked"),
            _ => return,
        }
        if let Some(kind) = kind {
            let state = SourceState::Stale { since: crate::cluster::now(), why: WHY.into() };
            if tx.send(vec![Change::State(kind, state)]).await.is_err() {
                return;
            }
        }
        tokio::time::sleep(AGAIN).await;
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn a_task_that_panics_makes_its_kind_stale_and_is_begun_again() {
        let (tx, mut rx) = mpsc::channel(8);
        let told = tx.clone();
        let mut times = 0;
        let begin = move || {
            times += 1;
            let (now, told) = (times, told.clone());
            async move {
                assert!(now > 1, "the first time");
                let _ = told.send(vec![Change::Listed(Kind::Pod)]).await;
            }
        };
        going(tx, Some(Kind::Pod), begin).await;
        let first = rx.recv().await.unwrap();
        assert!(matches!(first.as_slice(), [Change::State(Kind::Pod, SourceState::Stale { .. })]), "{first:?}");
        assert!(matches!(rx.recv().await.unwrap().as_slice(), [Change::Listed(Kind::Pod)]));
    }
}
