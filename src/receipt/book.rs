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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::Time;
    use crate::receipt::ClusterId;

    fn receipt(id: &str, created: i64) -> Arc<Receipt> {
        Arc::new(Receipt {
            id: id.into(),
            probe: ProbeId::Network,
            tenant: "acme".into(),
            partner: None,
            cluster: ClusterId { context: "".into(), uid: "".into(), version: "".into(), simulated: false },
            operator: "".into(),
            mode: "probe".into(),
            steps: vec![],
            crossings: vec![],
            depends: vec![],
            created: Time(created),
            expires: Time(created + 1),
        })
    }

    #[test]
    fn the_newest_is_by_time_and_not_by_order_of_reading() {
        let mut book = Book::default();
        book.add(receipt("b", 2));
        book.add(receipt("a", 1));
        assert_eq!(book.newest("acme", ProbeId::Network).map(|r| r.id.as_ref()), Some("b"));
        assert_eq!(book.newest("acme", ProbeId::Vault), None);
        assert_eq!(book.all().map(|r| r.id.as_ref()).collect::<Vec<_>>(), ["b", "a"]);
    }

    #[test]
    fn the_first_reason_of_a_lapse_stands_and_every_change_counts() {
        let mut book = Book::default();
        let start = book.revision();
        book.add(receipt("a", 1));
        book.lapse("a".into(), "policy deleted".to_owned());
        book.lapse("a".into(), "expired".to_owned());
        assert_eq!(book.lapse_of("a"), Some("policy deleted"));
        assert!(book.revision() > start);
    }
}
