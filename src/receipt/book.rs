//! The receipts in memory: newest first to hand, and those that are recorded as lapsed.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Receipt, ReceiptId};
use crate::model::ids::TenantId;
use crate::probe::spec::ProbeId;

/// All receipts known, with the lapses on record.
#[derive(Clone, Debug, Default)]
pub struct Book {
    receipts: BTreeMap<ReceiptId, Arc<Receipt>>,
    newest: BTreeMap<(TenantId, ProbeId), ReceiptId>,
    lapses: BTreeMap<ReceiptId, String>,
    revision: u64,
}

impl Book {
    /// Adds a receipt. O(log n).
    pub fn add(&mut self, receipt: Arc<Receipt>) {
        self.revision += 1;
        let key = (receipt.tenant.clone(), receipt.probe);
        let newer = self.newest.get(&key).and_then(|id| self.receipts.get(id)).is_none_or(|old| old.created <= receipt.created);
        if newer {
            self.newest.insert(key, receipt.id.clone());
        }
        self.receipts.insert(receipt.id.clone(), receipt);
    }

    /// Records that a receipt stopped counting, for good.
    pub fn lapse(&mut self, id: ReceiptId, why: String) {
        self.revision += 1;
        self.lapses.entry(id).or_insert(why);
    }

    /// Why a receipt is on record as lapsed.
    pub fn lapse_of(&self, id: &str) -> Option<&str> {
        self.lapses.get(id).map(String::as_str)
    }

    /// The newest receipt of a tenant's probe.
    pub fn newest(&self, tenant: &str, probe: ProbeId) -> Option<&Arc<Receipt>> {
        let id = self.newest.get(&(tenant.into(), probe))?;
        self.receipts.get(id)
    }

    /// A receipt by id.
    pub fn get(&self, id: &str) -> Option<&Arc<Receipt>> {
        self.receipts.get(id)
    }

    /// All receipts, newest first.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Receipt>> {
        self.receipts.values().rev()
    }

    /// Counts changes of this book: as long as it stays the same, so does the book.
    pub const fn revision(&self) -> u64 {
        self.revision
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.receipts.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.receipts.is_empty()
    }
}
