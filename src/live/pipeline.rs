//! One task that owns the store, the engine and the ledger.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::{Ask, LiveOptions, now};
use crate::app::msg::{Level, Msg, View};
use crate::model::changes::Change;
use crate::model::snapshot::Dirty;
use crate::model::store::Store;
use crate::posture::assessment::{Assessment, LapsedBy};
use crate::posture::engine::Engine;
use crate::receipt::ReceiptId;
use crate::receipt::book::Book;
use crate::receipt::ledger::Ledger;

/// After a first change, so long is waited for its companions.
const DEBOUNCE: Duration = Duration::from_millis(40);
/// Views are at least so far apart while changes keep coming.
const APART: Duration = Duration::from_millis(150);
/// And at least this many times as far as the last one took to make: at most a fifth of the time goes into views that the next one replaces.
const REST: u32 = 4;

/// Time alone makes a new view at most so often.
const SOONEST: Duration = Duration::from_secs(1);

pub(super) struct Pipeline {
    store: Store,
    engine: Engine,
    ledger: Ledger,
    book: Arc<Book>,
    view: Arc<View>,
    views: watch::Sender<Arc<View>>,
    notes: mpsc::UnboundedSender<Msg>,
    reread: watch::Sender<u64>,
    /// No view is made before.
    rest_until: Option<Instant>,
}

impl Pipeline {
    pub(super) fn new(
        options: &LiveOptions,
        views: watch::Sender<Arc<View>>,
        notes: mpsc::UnboundedSender<Msg>,
        reread: watch::Sender<u64>,
    ) -> Self {
        Self {
            store: Store::default(),
            engine: Engine::new(options.engine.clone()),
            ledger: Ledger::at(options.ledger.clone()),
            book: Arc::default(),
            view: Arc::default(),
            views,
            notes,
            reread,
            rest_until: None,
        }
    }

    pub(super) async fn run(mut self, mut changes: mpsc::Receiver<Vec<Change>>, mut asked: mpsc::UnboundedReceiver<Ask>) {
        self.open_ledger();
        let mut due: Option<Instant> = None;
        loop {
            let expiry = self.expiry();
            tokio::select! {
                biased;
                ask = asked.recv() => match ask {
                    Some(Ask::Receipt(receipt)) => {
                        self.keep(&receipt);
                        due = Some(Instant::now());
                    }
                    Some(Ask::Explain(from, to, reply)) => {
                        // whoever asked may have gone
                        let _ = reply.send(self.engine.explain(&from, &to));
                    }
                    Some(Ask::Reread) => self.reread.send_modify(|count| *count += 1),
                    None => return,
                },
                () = sleep_until(due.or(expiry)), if due.is_some() || expiry.is_some() => {
                    self.publish();
                    due = None;
                }
                batch = changes.recv() => {
                    let Some(batch) = batch else { return };
                    for change in batch {
                        self.store.apply(change);
                    }
                    if self.store.is_dirty() && due.is_none() {
                        due = Some(self.next_publication());
                    }
                }
            }
        }
    }

    fn next_publication(&self) -> Instant {
        let soon = Instant::now() + DEBOUNCE;
        self.rest_until.map_or(soon, |rested| soon.max(rested))
    }

    /// When a receipt that counts will stop counting. Never at once: a clock that jumps must not make the engine spin.
    fn expiry(&self) -> Option<Instant> {
        let at = self.view.assessment.next_expiry?;
        let wait = u64::try_from(at.since(now())).unwrap_or(0).saturating_add(1);
        Some(Instant::now() + Duration::from_millis(wait).max(SOONEST))
    }

    fn publish(&mut self) {
        let began = Instant::now();
        let (snapshot, dirty) = self.store.publish();
        let mut assessment = self.engine.evaluate(&snapshot, &dirty, &self.book, now());
        if self.record_lapses(&assessment) {
            assessment = self.engine.evaluate(&snapshot, &Dirty::default(), &self.book, now());
        }
        self.view = Arc::new(View { snapshot, assessment, book: self.book.clone() });
        self.rest_until = Some(Instant::now() + APART.max(began.elapsed() * REST));
        // nobody may be looking yet
        let _ = self.views.send(self.view.clone());
    }

    /// A receipt seen to be overtaken is recorded as such, so that an object that is changed back can't revive it.
    fn record_lapses(&mut self, assessment: &Assessment) -> bool {
        let lapsed: Vec<(ReceiptId, String)> = assessment
            .by_tenant
            .values()
            .flat_map(|tenant| &tenant.checks)
            .filter_map(|result| result.lapsed.as_ref())
            .filter_map(|lapsed| match &lapsed.by {
                LapsedBy::Moved(object, how) => Some((lapsed.receipt.clone(), format!("{object} was {}", how.word()))),
                LapsedBy::Expired(_) | LapsedBy::Recorded(_) => None,
            })
            .filter(|(id, _)| self.book.lapse_of(id).is_none())
            .collect();
        let any = !lapsed.is_empty();
        for (id, why) in lapsed {
            if let Err(error) = self.ledger.append_lapse(&id, &why, now()) {
                self.complain(format!("that a receipt stopped counting could not be recorded: {error}"));
            }
            Arc::make_mut(&mut self.book).lapse(id, why);
        }
        any
    }

    fn keep(&mut self, receipt: &Arc<crate::receipt::Receipt>) {
        if let Err(error) = self.ledger.append(receipt) {
            self.complain(format!("the receipt is shown but could not be kept: {error}"));
        }
        Arc::make_mut(&mut self.book).add(receipt.clone());
    }

    fn open_ledger(&mut self) {
        match self.ledger.load() {
            Ok(loaded) => {
                self.book = Arc::new(loaded.book);
                for problem in loaded.problems {
                    self.complain(format!("{}: {problem}", self.ledger.path().display()));
                }
            }
            Err(error) => self.complain(format!("receipts of earlier runs are not shown: {error}")),
        }
    }

    fn complain(&self, text: String) {
        let _ = self.notes.send(Msg::Note(Level::Warn, text));
    }
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
