//! The way of data, running: changes from the cluster and Vault are folded into snapshots, evaluated, and published as views.
//! The same pipeline feeds the dashboard and the commands that print and end.

mod pipeline;
pub mod work;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::app::msg::{Level, Msg, View};
use crate::cluster::Cluster;
use crate::cluster::connect::ConnectOptions;
use crate::model::changes::Change;
use crate::model::kind::{KindInfo, WATCHED};
use crate::model::source::SourceState;
use crate::model::time::Time;
use crate::netpol::story::{End, Story};
use crate::posture::engine::EngineConfig;
use crate::receipt::Receipt;
use crate::vault::VaultOptions;

/// The time now. The effects ring asks for it; the pure ring is told.
pub fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// What the pipeline is made from.
#[derive(Clone)]
pub struct LiveOptions {
    /// The cluster.
    pub connect: ConnectOptions,
    /// Vault.
    pub vault: VaultOptions,
    /// The engine.
    pub engine: EngineConfig,
    /// The ledger's file.
    pub ledger: PathBuf,
}

/// What the pipeline can be asked.
pub(crate) enum Ask {
    /// A probe made a receipt: keep it, and evaluate again.
    Receipt(Arc<Receipt>),
    /// Why one end reaches another, or does not.
    Explain(End, End, tokio::sync::oneshot::Sender<Option<Story>>),
    /// Read everything again.
    Reread,
}

/// The pipeline. Dropping it ends all its work.
pub struct Live {
    /// The newest view.
    pub views: watch::Receiver<Arc<View>>,
    /// The cluster, once it is connected.
    pub cluster: watch::Receiver<Option<Arc<Cluster>>>,
    /// Messages for the user from the pipeline itself.
    pub notes: mpsc::UnboundedReceiver<Msg>,
    asks: mpsc::UnboundedSender<Ask>,
    options: LiveOptions,
    tasks: Vec<JoinHandle<()>>,
}

/// A receipt is written by then, or its disk is in trouble.
const KEPT_WITHIN: std::time::Duration = std::time::Duration::from_secs(5);
/// Batches on the way from the sources to the pipeline: when full, the sources wait and the servers buffer.
const BATCHES: usize = 8;

impl Live {
    /// Starts everything. Returns at once; nothing is read or connected yet.
    pub fn start(options: LiveOptions) -> Self {
        let (changes_in, changes) = mpsc::channel(BATCHES);
        let (views_in, views) = watch::channel(Arc::default());
        let (cluster_in, cluster) = watch::channel(None);
        let (notes_in, notes) = mpsc::unbounded_channel();
        let (asks, asked) = mpsc::unbounded_channel();
        let (reread_in, reread) = watch::channel(0_u64);
        let pipeline = pipeline::Pipeline::new(&options, views_in, notes_in.clone(), reread_in);
        let tasks = vec![
            tokio::spawn(pipeline.run(changes, asked)),
            tokio::spawn(follow_cluster(options.connect.clone(), changes_in.clone(), cluster_in, notes_in, reread.clone())),
            tokio::spawn(follow_vault(options.vault.clone(), changes_in, reread)),
        ];
        Self { views, cluster, notes, asks, options, tasks }
    }

    /// Keeps a receipt: in the ledger, and in what is shown.
    pub fn keep(&self, receipt: Arc<Receipt>) {
        // the pipeline lives as long as self does
        let _ = self.asks.send(Ask::Receipt(receipt));
    }

    /// Keeps a receipt and waits until it is in the ledger and in what is shown; false when that takes too long.
    pub async fn kept(&mut self, receipt: Arc<Receipt>) -> bool {
        let id = receipt.id.clone();
        self.keep(receipt);
        let known = self.views.wait_for(|view| view.book.get(&id).is_some());
        tokio::time::timeout(KEPT_WITHIN, known).await.is_ok_and(|waited| waited.is_ok())
    }

    /// What the pipeline had to say since it was asked last.
    pub fn said(&mut self) -> Vec<String> {
        let mut said = Vec::new();
        while let Ok(message) = self.notes.try_recv() {
            if let Msg::Note(_, text) = message {
                said.push(text);
            }
        }
        said
    }

    /// Why one end reaches another, or does not, as of the newest view. None where an end is gone.
    pub fn explain(&self, from: End, to: End) -> impl Future<Output = Option<Story>> + use<> {
        let (reply, told) = tokio::sync::oneshot::channel();
        let _ = self.asks.send(Ask::Explain(from, to, reply));
        async { told.await.ok().flatten() }
    }

    /// Reads everything again.
    pub fn reread(&self) {
        let _ = self.asks.send(Ask::Reread);
    }

    /// What the pipeline was made from.
    pub const fn options(&self) -> &LiveOptions {
        &self.options
    }

    /// Waits until every source has said what it can say, or has failed. Returns false when the time ran out first.
    pub async fn settled(&mut self, limit: std::time::Duration) -> bool {
        tokio::time::timeout(limit, self.views.wait_for(|view| is_settled(view))).await.is_ok_and(|waited| waited.is_ok())
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// Whether no source is still on its way to its first answer.
pub fn is_settled(view: &View) -> bool {
    let sources = &view.snapshot.sources;
    let on_the_way = |state: &SourceState| matches!(state, SourceState::Off | SourceState::Connecting | SourceState::Loading(_));
    // what is only asked for on demand is off for good, or on its way
    let off = |info: &KindInfo, state: &SourceState| info.metadata_of_type.is_some() && *state == SourceState::Off;
    let kinds = WATCHED.iter().all(|info| sources.get(&info.kind).is_some_and(|state| !on_the_way(state) || off(info, state)));
    let vault = &view.snapshot.vault;
    kinds
        && (!vault.configured || !on_the_way(&vault.server.state))
        && view.assessment.generation == view.snapshot.generation
        && view.snapshot.generation > 0
}

async fn follow_cluster(
    options: ConnectOptions,
    changes: mpsc::Sender<Vec<Change>>,
    connected: watch::Sender<Option<Arc<Cluster>>>,
    notes: mpsc::UnboundedSender<Msg>,
    mut reread: watch::Receiver<u64>,
) {
    let mut wait = std::time::Duration::from_millis(800);
    let started = now();
    let mut said = String::new();
    let cluster = loop {
        match Cluster::connect(options.clone()).await {
            Ok(cluster) => break Arc::new(cluster),
            Err(error) => {
                let why = error.to_string();
                if said != why {
                    let _ = notes.send(Msg::Note(Level::Error, why.clone()));
                    said.clone_from(&why);
                }
                let state = SourceState::Down { since: started, why: why.as_str().into() };
                let batch = WATCHED.iter().map(|info| Change::State(info.kind, state.clone())).collect();
                if changes.send(batch).await.is_err() {
                    return;
                }
            }
        }
        // a kubeconfig may be mended or a file mounted while we wait; `r` asks at once
        tokio::select! {
            () = tokio::time::sleep(wait) => wait = (wait * 2).min(std::time::Duration::from_secs(30)),
            _ = reread.changed() => {}
        }
    };
    let _ = connected.send(Some(cluster.clone()));
    let (asked, told) = (cluster.clone(), changes.clone());
    tokio::spawn(async move {
        if let Ok(user) = asked.whoami().await {
            let _ = told.send(vec![Change::User(user)]).await;
        }
    });
    let following = crate::cluster::watch::follow(&cluster, changes);
    while reread.changed().await.is_ok() {
        following.reread();
    }
}

async fn follow_vault(options: VaultOptions, changes: mpsc::Sender<Vec<Change>>, mut reread: watch::Receiver<u64>) {
    let following = crate::vault::follow(options, changes);
    while reread.changed().await.is_ok() {
        following.reread();
    }
}
