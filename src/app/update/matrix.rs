//! The matrix: its columns, the cursor across them, and asking why.

use super::{moves, notes};
use crate::app::derive;
use crate::app::effect::Effect;
use crate::app::list::Row;
use crate::app::matrix::plot::{Plot, Want, plot};
use crate::app::matrix::{self, Column};
use crate::app::msg::Level;
use crate::app::state::{Dialog, Screen, State, StoryDialog};
use crate::model::ids::TenantId;
use crate::netpol::story::{End, Story};

/// What is to be placed across the screen.
pub fn want(state: &State) -> Want {
    let across = &state.across;
    Want {
        tenants: across.columns.rows.len(),
        targets: across.targets.len(),
        longest: if state.settings.redact { 11 } else { across.tally.longest() },
        wide: across.wide,
    }
}

/// Where the columns are, for a list of that size and its heads.
pub fn placed(state: &State, w: u16, h: u16) -> Plot {
    let layout = moves::now(state, w, h);
    plot(usize::from(layout.list.w), usize::from(h), want(state))
}

fn here(state: &State) -> Plot {
    placed(state, state.size.0, state.size.1)
}

/// Counts what must be counted once. Only for the screen that shows it.
pub(super) fn refresh(state: &mut State) {
    if state.screen == Screen::Matrix {
        state.across.tally.refresh(&state.view.assessment, &state.view.book);
    }
}

/// Computes the columns. With `hold` they keep their order.
pub(super) fn columns(state: &mut State, hold: bool) {
    if state.screen != Screen::Matrix {
        return;
    }
    let (mut columns, targets) = derive::columns(state);
    if hold {
        let wanted = columns.clone();
        columns = derive::keep_order(&state.across.columns.rows, columns);
        state.reorder |= columns != wanted;
    }
    let width = here(state).tenants.shown;
    let across = &mut state.across;
    across.columns.replace(columns, width);
    across.targets = targets;
    across.aim = across.aim.filter(|aim| across.targets.contains(aim));
    if across.columns.rows.is_empty() {
        across.aim = across.aim.or_else(|| across.targets.first().copied());
    }
}

/// The cursor back into the window.
pub(super) fn fit(state: &mut State) {
    if state.screen == Screen::Matrix {
        let width = here(state).tenants.shown;
        state.across.columns.fit(width);
    }
}

fn moved(state: &mut State) {
    let placed = here(state);
    let hidden = if state.across.on_targets() { placed.targets.shown } else { placed.tenants.shown } == 0;
    if hidden {
        state.across.wide = state.across.on_targets();
    }
    fit(state);
    state.page_mut().scroll = 0;
    state.touch();
}

/// Moves the cursor across by so many columns; the fixed targets follow the last tenant.
pub fn step(state: &mut State, by: isize) {
    let width = here(state).tenants.shown;
    let across = &mut state.across;
    let at = across.aim.and_then(|aim| across.targets.iter().position(|target| *target == aim));
    let before = (across.columns.at, across.aim);
    match at {
        Some(at) => match at.checked_add_signed(by) {
            Some(next) => across.aim = across.targets.get(next).or(across.targets.last()).copied(),
            None if across.columns.rows.is_empty() => across.aim = across.targets.first().copied(),
            None => across.aim = None,
        },
        None => {
            if !across.columns.step(by, width) && by > 0 {
                across.aim = across.targets.first().copied();
            }
        }
    }
    if (across.columns.at, across.aim) != before {
        moved(state);
    }
}

/// Moves the cursor by a page of columns.
pub fn page(state: &mut State, forward: bool) {
    let by = isize::try_from(here(state).tenants.shown.saturating_sub(1).max(1)).unwrap_or(1);
    step(state, if forward { by } else { -by });
}

/// To the first tenant, or to the last, and from there to the last target.
pub fn edge(state: &mut State, last: bool) {
    let width = here(state).tenants.shown;
    let across = &mut state.across;
    let at_end = across.columns.at + 1 >= across.columns.rows.len();
    if last && (at_end || across.on_targets()) {
        across.aim = across.targets.last().copied();
    } else {
        across.aim = None;
        across.columns.edge(last, width);
    }
    moved(state);
}

/// Gives the room to the fixed targets, or back to the tenants; the cursor goes along.
pub fn emphasis(state: &mut State) {
    let across = &mut state.across;
    across.wide = !across.wide;
    across.aim = if across.wide { across.aim.or_else(|| across.targets.first().copied()) } else { None };
    if across.columns.rows.is_empty() {
        across.aim = across.targets.first().copied();
    }
    fit(state);
    state.touch();
}

/// The other way round: the row becomes the column and the column the row.
pub fn turn_round(state: &mut State) {
    let Some((from, Column::Tenant(to))) = matrix::cursor(state) else {
        return notes::add(state, Level::Info, "only a pair of tenants has another way round");
    };
    let there = state.page().list.rows.contains(&Row::Tenant(to.clone()));
    if !there || !put(state, &from) {
        return notes::add(state, Level::Info, "the filter hides the other way round");
    }
    moves::select(state, &Row::Tenant(to));
    moved(state);
}

/// Puts the cursor across on a tenant's column.
fn put(state: &mut State, to: &str) -> bool {
    let width = here(state).tenants.shown;
    let found = state.across.columns.select(&Row::Tenant(to.into()), width);
    if found {
        state.across.aim = None;
    }
    found
}

/// Puts the cursor on a tenant's row and on the first gap in it.
pub(super) fn show(state: &mut State, tenant: &TenantId) {
    let row = Row::Tenant(tenant.clone());
    if state.page().list.selected.as_ref() != Some(&row) && !moves::select(state, &row) {
        return;
    }
    if let Some(to) = gap_after(state, tenant, 0) {
        put(state, &to);
    }
    fit(state);
}

fn is_gap(state: &State, from: &str, to: &Row) -> Option<TenantId> {
    let Row::Tenant(to) = to else { return None };
    matrix::shade(state, from, &Column::Tenant(to.clone())).is_gap().then(|| to.clone())
}

fn gap_after(state: &State, from: &str, at: usize) -> Option<TenantId> {
    state.across.columns.rows.iter().skip(at).find_map(|to| is_gap(state, from, to))
}

fn gap_before(state: &State, from: &str, at: usize) -> Option<TenantId> {
    state.across.columns.rows.iter().take(at).rev().find_map(|to| is_gap(state, from, to))
}

/// The next cell between tenants that is not shut, in reading order, or the previous. Rows without any are passed over by their counts.
pub fn walk(state: &mut State, forward: bool) {
    let matrix = &state.view.assessment.matrix;
    let list = &state.page().list;
    let (at, across) = (list.at, &state.across);
    let (left, right) = if across.on_targets() {
        (across.columns.rows.len(), across.columns.rows.len())
    } else {
        (across.columns.at, across.columns.at + 1)
    };
    let promising = |row: &Row| match row {
        Row::Tenant(from) => matrix.place(from).filter(|place| across.tally.promises(*place)).map(|_| from.clone()),
        _ => None,
    };
    let found = if forward {
        list.rows.iter().skip(at).enumerate().find_map(|(i, row)| {
            let from = promising(row)?;
            gap_after(state, &from, if i == 0 { right } else { 0 }).map(|to| (from, to))
        })
    } else {
        list.rows.iter().take(at + 1).rev().enumerate().find_map(|(i, row)| {
            let from = promising(row)?;
            gap_before(state, &from, if i == 0 { left } else { usize::MAX }).map(|to| (from, to))
        })
    };
    let Some((from, to)) = found else {
        return notes::add(state, Level::Info, "no more open cells this way");
    };
    moves::select(state, &Row::Tenant(from));
    put(state, &to);
    moved(state);
}

/// Asks why the cell under the cursor is what it is.
pub fn explain(state: &mut State, effects: &mut Vec<Effect>) {
    let Some((from, to)) = matrix::cursor(state) else { return };
    if to == Column::Tenant(from.clone()) {
        return notes::add(state, Level::Info, "a tenant's own pods: no wall stands between them");
    }
    let (from, to) = (End::Tenant(from), to.end());
    effects.push(Effect::Explain(from.clone(), to.clone()));
    state.dialog = Some(Dialog::Story(Box::new(StoryDialog { from, to, story: None, scroll: 0 })));
    state.touch();
}

/// Asks again, for the story that is open: what was told may be old. It stays until the new one is there.
pub fn ask_again(state: &State, effects: &mut Vec<Effect>) {
    if let Some(Dialog::Story(dialog)) = &state.dialog {
        effects.push(Effect::Explain(dialog.from.clone(), dialog.to.clone()));
    }
}

/// A story that was told. One that nobody waits for is dropped.
pub fn told(state: &mut State, from: &End, to: &End, story: Option<Box<Story>>) {
    let Some(Dialog::Story(dialog)) = &mut state.dialog else { return };
    if dialog.from != *from || dialog.to != *to || dialog.story.as_ref() == Some(&story) {
        return;
    }
    dialog.story = Some(story);
    let most = crate::app::docs::overflow(state);
    if let Some(Dialog::Story(dialog)) = &mut state.dialog {
        dialog.scroll = dialog.scroll.min(most);
    }
    state.touch();
}
