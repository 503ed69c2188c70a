//! Cursor, windows, screens.

use super::matrix;
use crate::app::derive;
use crate::app::layout::{Ask, Layout, layout};
use crate::app::list::Row;
use crate::app::state::{SCREENS, Screen, State};
use crate::model::ids::TenantId;
use crate::model::time::SECOND;

/// Rows are not brought into another order while the cursor moved within this time, milliseconds.
pub const REST: i64 = 2 * SECOND;

/// The layout of the screen as it is.
pub fn now(state: &State, w: u16, h: u16) -> Layout {
    let page = state.page();
    laid_out(state, w, h, page.list.rows.len())
}

fn laid_out(state: &State, w: u16, h: u16, rows: usize) -> Layout {
    let page = state.page();
    let filter = state.typing || !page.filter.value().is_empty() || page.failing;
    let across = matrix::want(state);
    layout(w, h, Ask { screen: state.screen, banner: crate::app::docs::banner(state).is_some(), filter, rows, across })
}

/// Rows the list shows.
pub fn height(state: &State) -> usize {
    usize::from(now(state, state.size.0, state.size.1).list.h)
}

/// After a change: rows anew where they are outdated, cursor inside the window.
pub fn settle(state: &mut State) {
    if state.page().outdated {
        reorder(state, true);
    } else {
        refit(state);
    }
}

/// The cursor back into the window.
pub fn refit(state: &mut State) {
    let height = height(state);
    state.page_mut().list.fit(height);
    matrix::fit(state);
}

/// Computes the rows of the screen. Unless `force`, rows keep their order while the cursor moves.
pub fn reorder(state: &mut State, force: bool) {
    matrix::refresh(state);
    super::vault::refresh(state);
    let (mut rows, all) = derive::rows(state);
    let resting = state.now.since(state.last_key) >= REST || state.last_key.0 == 0;
    let hold = !force && !resting && matches!(state.screen, Screen::Fleet | Screen::Matrix | Screen::Vault);
    if hold {
        let wanted = rows.clone();
        rows = derive::keep_order(&state.page().list.rows, rows);
        state.reorder = rows != wanted;
    } else {
        state.reorder = false;
    }
    matrix::columns(state, hold);
    let before = state.page().list.selected.clone();
    let height = usize::from(laid_out(state, state.size.0, state.size.1, rows.len()).list.h);
    let page = state.page_mut();
    page.all = all;
    page.outdated = false;
    page.list.replace(rows, height);
    if page.list.selected != before {
        page.scroll = 0;
    }
    matrix::fit(state);
}

/// Goes to a screen; remembers where from.
pub fn go(state: &mut State, screen: Screen) {
    if screen == Screen::Tenant
        && let (Some(tenant), _) = state.subject()
    {
        show_tenant(state, tenant);
    }
    if screen == state.screen {
        return;
    }
    let subject = state.subject().0.or_else(|| state.tenant.clone().filter(|_| state.screen == Screen::Tenant));
    state.back.retain(|s| *s != screen);
    if screen == Screen::Fleet {
        state.back.clear();
    } else {
        state.back.push(state.screen);
    }
    enter(state, screen);
    match (screen, subject) {
        (Screen::Matrix, Some(tenant)) => matrix::show(state, &tenant),
        (Screen::Vault, Some(tenant)) => {
            select(state, &Row::Tenant(tenant));
        }
        _ => {}
    }
}

/// Back to where we came from; false when there is nowhere.
pub fn back(state: &mut State) -> bool {
    match state.back.pop() {
        Some(screen) => {
            enter(state, screen);
            true
        }
        None if state.screen != Screen::Fleet => {
            enter(state, Screen::Fleet);
            true
        }
        None => false,
    }
}

fn enter(state: &mut State, screen: Screen) {
    let from = match state.screen {
        Screen::Tenant => state.tenant.clone(),
        Screen::Matrix | Screen::Vault => state.subject().0,
        _ => None,
    };
    state.screen = screen;
    state.typing = false;
    reorder(state, true);
    if let (Screen::Fleet, Some(tenant)) = (screen, from) {
        select(state, &Row::Tenant(tenant));
    }
    state.touch();
}

/// Pins a tenant for the Tenant screen.
pub fn show_tenant(state: &mut State, tenant: TenantId) {
    if state.tenant.as_ref() != Some(&tenant) {
        state.tenant = Some(tenant);
        let page = state.pages.get_mut(Screen::Tenant);
        page.scroll = 0;
        page.list.selected = None;
        page.list.at = 0;
        page.list.offset = 0;
        page.outdated = true;
        state.touch();
    }
}

/// Puts the cursor on the worst check of the tenant shown.
pub fn select_worst(state: &mut State) {
    let worst = state.tenant.as_ref().and_then(|t| state.assessed(t)).and_then(|t| state.worst(t)).map(|result| result.check.id);
    if let Some(check) = worst {
        select(state, &Row::Check(check));
    }
}

/// Puts the cursor on a row of the screen.
pub fn select(state: &mut State, row: &Row) -> bool {
    let height = height(state);
    let found = state.page_mut().list.select(row, height);
    if found {
        state.page_mut().scroll = 0;
        state.touch();
    }
    found
}

/// Moves the cursor.
pub fn step(state: &mut State, by: isize) {
    let height = height(state);
    if state.page_mut().list.step(by, height) {
        state.page_mut().scroll = 0;
        state.touch();
    }
}

/// To the first or last row.
pub fn edge(state: &mut State, last: bool) {
    let height = height(state);
    if state.page_mut().list.edge(last, height) {
        state.page_mut().scroll = 0;
        state.touch();
    }
}

/// The next screen, or the previous.
pub fn turn(state: &mut State, forward: bool) {
    let at = SCREENS.iter().position(|s| *s == state.screen).unwrap_or(0);
    let n = SCREENS.len();
    let to = SCREENS.get((at + if forward { 1 } else { n - 1 }) % n).copied().unwrap_or_default();
    let blind = to == Screen::Tenant && state.subject().0.is_none() && state.tenant.is_none();
    go(state, if blind { if forward { Screen::Matrix } else { Screen::Fleet } } else { to });
}

/// The next tenant in the fleet's order, or the previous.
pub fn neighbour(state: &mut State, forward: bool) {
    let order: Vec<TenantId> = state.page_of(Screen::Fleet).list.rows.iter().filter_map(Row::tenant).cloned().collect();
    let at = state.tenant.as_ref().and_then(|t| order.iter().position(|o| o == t));
    let next = match (at, forward) {
        (Some(at), true) => order.get(at + 1),
        (Some(at), false) => at.checked_sub(1).and_then(|i| order.get(i)),
        (None, _) => order.first(),
    };
    if let Some(tenant) = next.cloned() {
        show_tenant(state, tenant);
        reorder(state, true);
        select_worst(state);
    }
}

/// The next violation across tenants, or the previous.
pub fn walk(state: &mut State, forward: bool) {
    if state.screen == Screen::Violations {
        return step(state, if forward { 1 } else { -1 });
    }
    if state.screen == Screen::Matrix {
        return matrix::walk(state, forward);
    }
    let steps = derive::walk(state);
    let (tenant, check) = state.subject();
    let at = steps.iter().position(|(t, c)| Some(t) == tenant.as_ref() && check.is_none_or(|check| check == *c));
    let on = at.filter(|_| check.is_some());
    let next = match (on, at, forward) {
        (Some(i), _, true) => i + 1,
        (Some(i), _, false) => i.wrapping_sub(1),
        (None, Some(i), _) => i,
        (None, None, true) => 0,
        (None, None, false) => steps.len().wrapping_sub(1),
    };
    let Some((tenant, check)) = steps.get(next).cloned() else {
        let text = if steps.is_empty() { "no violations" } else { "no more violations this way" };
        return super::notes::add(state, crate::app::msg::Level::Info, text);
    };
    if state.screen == Screen::Tenant {
        show_tenant(state, tenant);
    } else {
        go_to(state, tenant);
    }
    reorder(state, true);
    select(state, &Row::Check(check));
    state.touch();
}

/// Opens a tenant's screen.
pub fn go_to(state: &mut State, tenant: TenantId) {
    show_tenant(state, tenant);
    if state.screen != Screen::Tenant {
        state.back.retain(|s| *s != Screen::Tenant);
        state.back.push(state.screen);
        enter(state, Screen::Tenant);
    }
}
