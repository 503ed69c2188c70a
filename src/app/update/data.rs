//! Data that arrives, and time that passes.

use std::sync::Arc;

use super::{fixing, matrix, moves, notes, vault};
use crate::app::ages;
use crate::app::effect::Effect;
use crate::app::msg::{Level, View};
use crate::app::state::{SCREENS, State};
use crate::posture::verdict::Verdict;

/// New data: shown at once, or held while frozen.
pub fn arrived(state: &mut State, view: Arc<View>, effects: &mut Vec<Effect>) {
    fixing::check_pins(state, &view);
    if state.frozen.is_some() {
        state.held = Some(view);
        return;
    }
    if same(&state.view, &view) {
        state.view = view;
        return;
    }
    state.aliases.learn(&view.assessment.tenants.namespaces);
    announce(state, &view);
    state.view = view;
    for screen in SCREENS {
        state.pages.get_mut(screen).outdated = true;
    }
    moves::reorder(state, false);
    matrix::ask_again(state, effects);
    vault::answer(state);
    state.touch();
}

/// Whether two moments are the same to the eye: not even a fact moved.
fn same(a: &View, b: &View) -> bool {
    Arc::ptr_eq(&a.snapshot, &b.snapshot) && Arc::ptr_eq(&a.assessment, &b.assessment) && Arc::ptr_eq(&a.book, &b.book)
}

/// Tells of tenants that became breached or disputed: rows are not pushed about under the cursor, so it is said in words.
fn announce(state: &mut State, view: &View) {
    let mut fell: Vec<String> = Vec::new();
    let mut fallen = 0_usize;
    for (id, tenant) in &view.assessment.by_tenant {
        let Some(before) = state.assessed(id) else { continue };
        // a wall seen for the first time has not fallen: the engine records no move for it
        let moved = tenant.changed.is_some() && tenant.changed != before.changed;
        if !moved || tenant.grade > Verdict::Disputed || before.grade <= tenant.grade {
            continue;
        }
        fallen += 1;
        if fell.len() < 2 {
            let moved = tenant.changed.as_ref().and_then(|c| c.object.as_ref());
            let why = moved.map(|(object, how)| format!(": {object} {}", how.word())).unwrap_or_default();
            fell.push(format!("{id} turned {}{why}", tenant.grade.word()));
        }
    }
    if fallen > 0 {
        let more = if fallen > fell.len() { format!(", and {} more", fallen - fell.len()) } else { String::new() };
        let text = format!("{}{more}", fell.join("; "));
        notes::add(state, Level::Error, &text);
    }
}

/// Time passed: brings rows into order when the cursor has rested, and repaints when an age reads differently.
pub fn clock(state: &mut State) {
    if state.reorder && state.now.since(state.last_key) >= moves::REST {
        moves::reorder(state, true);
    }
    ages::passed(state);
    state.touch();
}

/// Holds the screen, or lets it go on.
pub fn freeze(state: &mut State, effects: &mut Vec<Effect>) {
    if state.frozen.take().is_some() {
        if let Some(view) = state.held.take() {
            arrived(state, view, effects);
        }
    } else {
        state.frozen = Some(state.now);
    }
    state.touch();
}
