//! The receipts in memory: newest first to hand, and those that are recorded as lapsed.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{ClusterId, Receipt, ReceiptId};
use crate::model::ids::{Name, TenantId};
use crate::model::snapshot::ServerFacts;
use crate::probe::spec::ProbeId;

/// A cluster, as far as receipts tell them apart: the uid, and whether it is simulated.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    uid: Name,
    simulated: bool,
}

impl From<&ClusterId> for Place {
    fn from(cluster: &ClusterId) -> Self {
        Self { uid: cluster.uid.clone(), simulated: cluster.simulated }
    }
}

impl From<&ServerFacts> for Place {
    fn from(server: &ServerFacts) -> Self {
        Self { uid: server.cluster_uid.clone(), simulated: server.simulated }
    }
}

/// All receipts known, with the lapses on record.
#[derive(Clone, Debug, Default)]
pub struct Book {
    receipts: BTreeMap<ReceiptId, Arc<Receipt>>,
    newest: BTreeMap<(Place, TenantId, ProbeId), ReceiptId>,
    lapses: BTreeMap<ReceiptId, String>,
    revision: u64,
}

impl Book {
    /// Adds a receipt, which then is the newest of its kind: a ledger holds them in the order in which they were made, and the clock may have been
    /// put back in between. O(log n).
    pub fn add(&mut self, receipt: Arc<Receipt>) {
        self.revision += 1;
        let key = (Place::from(&receipt.cluster), receipt.tenant.clone(), receipt.probe);
        self.newest.insert(key, receipt.id.clone());
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

    /// The newest receipt of a tenant's probe on a cluster.
    pub fn newest(&self, place: impl Into<Place>, tenant: &str, probe: ProbeId) -> Option<&Arc<Receipt>> {
        let id = self.newest.get(&(place.into(), tenant.into(), probe))?;
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
    fn the_newest_is_the_one_added_last_on_its_cluster() {
        let mut book = Book::default();
        book.add(receipt("b", 2));
        book.add(receipt("a", 1));
        let here = ServerFacts::default();
        assert_eq!(book.newest(&here, "acme", ProbeId::Network).map(|r| r.id.as_ref()), Some("a"));
        assert_eq!(book.newest(&here, "acme", ProbeId::Vault), None);
        for elsewhere in [ServerFacts { cluster_uid: "x".into(), ..here.clone() }, ServerFacts { simulated: true, ..here }] {
            assert_eq!(book.newest(&elsewhere, "acme", ProbeId::Network), None);
        }
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
