//! When the screen changes by itself: the nearest age on it that will read differently. Nothing ages while nothing is shown.

use super::docs;
use super::list::Row;
use super::state::{Screen, State};
use super::update::notes;
use crate::model::time::{SECOND, Time, until_age_changes};

/// Every moment whose age is on the screen.
fn shown(state: &State) -> Vec<Time> {
    let mut times = Vec::new();
    let snapshot = &state.view.snapshot;
    times.extend(state.frozen);
    times.extend(super::words::kubernetes(snapshot).since);
    times.extend(super::words::vault(&snapshot.vault).since);
    let page = state.page();
    let height = usize::from(state.size.1);
    for (_, row) in page.list.window(height) {
        match row {
            Row::Tenant(id) if state.screen == Screen::Fleet => {
                if let Some(tenant) = state.assessed(id) {
                    times.extend(tenant.oldest_proof);
                    times.extend(tenant.changed.as_ref().map(|c| c.at));
                }
            }
            Row::Receipt(id) => times.extend(state.view.book.get(id).map(|r| r.created)),
            Row::Refusal(tenant, ..) => times.extend(state.assessed(tenant).into_iter().flat_map(|t| t.refusals.iter().map(|r| r.last))),
            _ => {}
        }
    }
    if state.screen == Screen::Matrix {
        times.extend(super::matrix::blind(state).and_then(|(_, since)| since));
        if let Some((from, super::matrix::Column::Tenant(to))) = super::matrix::cursor(state) {
            times.extend(state.across.tally.proof(&from, &to, state.now).map(|proof| proof.made));
        }
    }
    if let (Screen::Vault, Some(tenant)) = (state.screen, super::vault::selected(state)) {
        times.extend(super::vault::blind(state).and_then(|(_, since)| since));
        times.extend(docs::vault::refused(state, tenant).map(|refusal| refusal.last));
    }
    if let (Screen::Tenant, Some(tenant)) = (state.screen, state.tenant.as_ref().and_then(|t| state.assessed(t))) {
        times.extend(tenant.oldest_proof);
        times.extend(tenant.changed.as_ref().map(|c| c.at));
        times.extend(tenant.checks.iter().filter_map(|r| r.lapsed.as_ref().map(|l| l.made)));
        let receipts = tenant.checks.iter().filter_map(|r| r.receipt.as_ref()).filter_map(|id| state.view.book.get(id));
        times.extend(receipts.map(|r| r.created));
    }
    times.extend(docs::check::moments(state));
    if matches!(state.dialog, Some(super::state::Dialog::Quit)) {
        times.extend(state.run.as_ref().map(|run| run.started));
    }
    times
}

impl State {
    /// When the screen must be looked at again by itself: send [`super::msg::Msg::Clock`] then. None: it can sleep.
    pub fn wake_at(&self, now: Time) -> Option<Time> {
        let ages = shown(self).into_iter().map(|t| now.plus(until_age_changes(now.since(t))));
        let reorder = self.reorder.then(|| self.last_key.plus(2 * SECOND));
        let expiry = docs::next_expiry(self).filter(|t| *t > now);
        ages.chain(reorder).chain(notes::until(self)).chain(expiry).min().map(|t| t.max(now.plus(1)))
    }
}

/// What time alone does to the state.
pub(super) fn passed(state: &mut State) {
    if state.interrupt.is_some_and(|at| state.now.since(at) >= 2 * SECOND) {
        state.interrupt = None;
    }
}
