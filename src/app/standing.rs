//! Whether a receipt counts, as the screen says it.

use super::state::State;
use crate::model::time::Time;
use crate::posture::assessment::LapsedBy;

/// How a receipt stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// A wall relies on it.
    pub counts: bool,
    /// Why not, or until when.
    pub why: String,
    /// When it ends, if it counts.
    pub until: Option<Time>,
}

/// How a receipt of the book stands. O(checks of its tenant).
pub fn of(state: &State, id: &str) -> Standing {
    let no = |why: String| Standing { counts: false, why, until: None };
    let Some(receipt) = state.view.book.get(id) else { return no("not in the ledger".into()) };
    if let Some(why) = state.view.book.lapse_of(id) {
        return no(why.to_owned());
    }
    if state.now >= receipt.expires {
        return no("expired".into());
    }
    let checks = state.assessed(&receipt.tenant).map(|tenant| tenant.checks.as_slice()).unwrap_or_default();
    if checks.iter().any(|result| result.receipt.as_deref() == Some(id)) {
        return Standing { counts: true, why: String::new(), until: Some(receipt.expires) };
    }
    if let Some(lapsed) = checks.iter().filter_map(|result| result.lapsed.as_ref()).find(|lapsed| lapsed.receipt.as_ref() == id) {
        return no(lapsed_words(&lapsed.by));
    }
    if state.view.book.newest(&receipt.cluster, &receipt.tenant, receipt.probe).is_some_and(|newest| newest.id.as_ref() != id) {
        return no("a newer receipt exists".into());
    }
    no("no wall relies on it".into())
}

/// Why a receipt stopped counting, in words.
pub fn lapsed_words(by: &LapsedBy) -> String {
    match by {
        LapsedBy::Expired(_) => "expired".into(),
        LapsedBy::Moved(object, how) => format!("{object} {}", how.word()),
        LapsedBy::Recorded(why) => why.clone(),
    }
}
