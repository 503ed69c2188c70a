//! What each action does.

use super::{fixing, matrix, moves, notes, probing, vault};
use crate::app::derive::orders;
use crate::app::effect::Effect;
use crate::app::keymap::Action;
use crate::app::list::Row;
use crate::app::msg::Level;
use crate::app::state::{Dialog, Screen, State};
use crate::model::time::SECOND;
use crate::probe::spec::PROBES;

/// Takes an enabled action.
pub fn act(state: &mut State, action: Action, effects: &mut Vec<Effect>) {
    match action {
        Action::Down => moves::step(state, 1),
        Action::Up => moves::step(state, -1),
        Action::Top => moves::edge(state, false),
        Action::Bottom => moves::edge(state, true),
        Action::PageDown => moves::step(state, page(state)),
        Action::PageUp => moves::step(state, -page(state)),
        Action::DetailDown => scroll(state, 3),
        Action::DetailUp => scroll(state, -3),
        Action::Enter => enter(state),
        Action::Left if matches!(state.dialog, Some(Dialog::Ask(_))) => vault::operation(state, false),
        Action::Right if matches!(state.dialog, Some(Dialog::Ask(_))) => vault::operation(state, true),
        Action::Left => matrix::step(state, -1),
        Action::Right => matrix::step(state, 1),
        Action::PageLeft => matrix::page(state, false),
        Action::PageRight => matrix::page(state, true),
        Action::First => matrix::edge(state, false),
        Action::Last => matrix::edge(state, true),
        Action::Targets => matrix::emphasis(state),
        Action::TurnRound => matrix::turn_round(state),
        Action::Explain => matrix::explain(state, effects),
        Action::Ask => vault::ask(state),
        Action::Everyone => vault::everyone(state),
        Action::Back => back(state),
        Action::Quit => {
            if !moves::back(state) {
                leave(state, effects);
            }
        }
        Action::GoFleet => moves::go(state, Screen::Fleet),
        Action::GoTenant => open_tenant(state),
        Action::GoMatrix => moves::go(state, Screen::Matrix),
        Action::GoQuota => moves::go(state, Screen::Quota),
        Action::GoVault => moves::go(state, Screen::Vault),
        Action::GoViolations => moves::go(state, Screen::Violations),
        Action::GoReceipts => moves::go(state, Screen::Receipts),
        Action::NextScreen => moves::turn(state, true),
        Action::PrevScreen => moves::turn(state, false),
        Action::NextTenant => moves::neighbour(state, true),
        Action::PrevTenant => moves::neighbour(state, false),
        Action::NextFinding => moves::walk(state, true),
        Action::PrevFinding => moves::walk(state, false),
        Action::Filter => {
            state.typing = true;
            state.touch();
        }
        Action::Failing => ask_again(state, |page| page.failing = !page.failing),
        Action::Sort => sort(state),
        Action::Columns => {
            state.page_mut().others = !state.page().others;
            state.touch();
        }
        Action::Probe => probe_one(state, effects),
        Action::ProbeAll => probe_all(state, effects),
        Action::Progress => open(state, Dialog::Probe { scroll: None }),
        Action::Fix => fixing::ask(state, effects),
        Action::Undo => fixing::undo(state),
        Action::Copy => copy(state, effects),
        Action::Save => effects.push(Effect::SaveScreen),
        Action::Freeze => super::data::freeze(state, effects),
        Action::Redact => {
            state.settings.redact = !state.settings.redact;
            state.touch();
        }
        Action::Theme => effects.push(Effect::NextTheme),
        Action::Reread => {
            effects.push(Effect::Reread);
            notes::add(state, Level::Info, "reading everything again");
        }
        Action::Log => open(state, Dialog::Log { scroll: 0 }),
        Action::Help => open(state, Dialog::Help { scroll: 0 }),
        Action::Interrupt => interrupt(state, effects),
        Action::Suspend => effects.push(Effect::Suspend),
        Action::Accept => accept(state, effects),
        Action::Close => close(state),
        Action::Cancel => cancel_or_close(state, effects),
        Action::Renew if matches!(state.dialog, Some(Dialog::Story(_))) => matrix::ask_again(state, effects),
        Action::Renew => fixing::renew(state, effects),
        Action::Leave => effects.push(Effect::Quit),
    }
}

fn page(state: &State) -> isize {
    isize::try_from(moves::height(state).saturating_sub(1).max(1)).unwrap_or(1)
}

fn open(state: &mut State, dialog: Dialog) {
    state.dialog = Some(dialog);
    state.touch();
}

fn ask_again(state: &mut State, change: impl FnOnce(&mut crate::app::state::Page)) {
    change(state.page_mut());
    moves::reorder(state, true);
    state.touch();
}

/// Scrolls what is read: a dialog's text or the detail. Clamped to its length.
fn scroll(state: &mut State, by: isize) {
    let most = crate::app::docs::overflow(state);
    let probing = state.run.as_ref().is_some_and(crate::app::run::Run::running);
    let now = match &state.dialog {
        Some(Dialog::Help { scroll } | Dialog::Log { scroll }) => *scroll,
        Some(Dialog::Probe { scroll }) => scroll.unwrap_or(if probing { most } else { 0 }),
        Some(Dialog::Plan(plan)) => plan.scroll,
        Some(Dialog::Story(story)) => story.scroll,
        Some(Dialog::Ask(ask)) => ask.scroll,
        Some(Dialog::Quit) => 0,
        None => state.page().scroll,
    };
    let next = now.min(most).saturating_add_signed(by).min(most);
    if next == now {
        return;
    }
    match &mut state.dialog {
        Some(Dialog::Help { scroll } | Dialog::Log { scroll }) => *scroll = next,
        Some(Dialog::Probe { scroll }) => *scroll = (!probing || next < most).then_some(next),
        Some(Dialog::Plan(plan)) => plan.scroll = next,
        Some(Dialog::Story(story)) => story.scroll = next,
        Some(Dialog::Ask(ask)) => ask.scroll = next,
        Some(Dialog::Quit) => {}
        None => state.page_mut().scroll = next,
    }
    state.touch();
}

fn open_tenant(state: &mut State) {
    let (tenant, check) = state.subject();
    let Some(tenant) = tenant.or_else(|| state.tenant.clone()) else { return };
    let same = state.tenant.as_ref() == Some(&tenant);
    moves::go_to(state, tenant);
    match check {
        Some(check) => {
            moves::select(state, &Row::Check(check));
        }
        None if !same => moves::select_worst(state),
        None => {}
    }
}

fn enter(state: &mut State) {
    match state.screen {
        Screen::Fleet | Screen::Quota | Screen::Violations | Screen::Vault => open_tenant(state),
        Screen::Tenant => {
            let receipt = state.subject().1.and_then(|check| {
                let tenant = state.tenant.as_ref().and_then(|t| state.assessed(t))?;
                let result = tenant.checks.iter().find(|r| r.check.id == check)?;
                result.receipt.clone().or_else(|| result.lapsed.as_ref().map(|l| l.receipt.clone()))
            });
            if let Some(id) = receipt {
                moves::go(state, Screen::Receipts);
                moves::select(state, &Row::Receipt(id));
            } else {
                notes::add(state, Level::Info, "no receipt of this check yet: p tries the wall");
            }
        }
        Screen::Matrix => {}
        Screen::Receipts => scroll(state, 3),
    }
}

fn back(state: &mut State) {
    let page = state.page();
    if !page.filter.value().is_empty() || page.failing {
        ask_again(state, |page| {
            page.filter.reset();
            page.failing = false;
        });
    } else {
        moves::back(state);
    }
}

fn leave(state: &mut State, effects: &mut Vec<Effect>) {
    if state.busy() { open(state, Dialog::Quit) } else { effects.push(Effect::Quit) }
}

fn sort(state: &mut State) {
    let names = orders(state.screen);
    ask_again(state, |page| page.order = (page.order + 1) % names.len().max(1));
    let name = names.get(state.page().order).copied().unwrap_or_default();
    notes::add(state, Level::Info, &format!("order: {name}"));
}

fn probe_one(state: &mut State, effects: &mut Vec<Effect>) {
    let (tenant, check) = state.subject();
    let check = check.or(match state.screen {
        Screen::Quota => Some("RES-01"),
        Screen::Matrix => Some("NET-01"),
        Screen::Vault => Some("SEC-05"),
        _ => None,
    });
    let Some(tenant) = tenant.or_else(|| state.tenant.clone()) else { return };
    match check.and_then(crate::posture::catalogue::find).and_then(|check| check.probe) {
        Some(probe) => probing::start(state, tenant, vec![probe], effects),
        None => probing::start(state, tenant, PROBES.to_vec(), effects),
    }
}

fn probe_all(state: &mut State, effects: &mut Vec<Effect>) {
    if let Some(tenant) = state.subject().0.or_else(|| state.tenant.clone()) {
        probing::start(state, tenant, PROBES.to_vec(), effects);
    }
}

fn copy(state: &mut State, effects: &mut Vec<Effect>) {
    if let Some(text) = crate::app::docs::copied(state) {
        effects.push(Effect::Copy(text));
    }
}

/// Ctrl-C: cancels what runs; a second one within two seconds leaves.
fn interrupt(state: &mut State, effects: &mut Vec<Effect>) {
    if state.interrupt.is_some_and(|at| state.now.since(at) < 2 * SECOND) {
        effects.push(Effect::Quit);
        return;
    }
    state.interrupt = Some(state.now);
    if state.run.as_ref().is_some_and(crate::app::run::Run::running) {
        probing::cancel(state, effects);
        notes::add(state, Level::Warn, "cancelling the probe; Ctrl-C again leaves");
    } else {
        notes::add(state, Level::Info, "nothing to cancel; Ctrl-C again leaves");
    }
}

fn accept(state: &mut State, effects: &mut Vec<Effect>) {
    match &state.dialog {
        Some(Dialog::Plan(_)) => fixing::accept(state, effects),
        Some(Dialog::Ask(_)) => vault::take(state),
        _ => {
            state.typing = false;
            state.touch();
        }
    }
}

fn close(state: &mut State) {
    match &mut state.dialog {
        Some(Dialog::Plan(plan)) if plan.typed.is_some() => {
            plan.typed = None;
            plan.refused = None;
        }
        Some(Dialog::Ask(ask)) if ask.typing && ask.asked.is_some() => vault::keep(state),
        Some(_) => state.dialog = None,
        None => {
            state.typing = false;
            ask_again(state, |page| page.filter.reset());
        }
    }
    state.touch();
}

fn cancel_or_close(state: &mut State, effects: &mut Vec<Effect>) {
    if state.run.as_ref().is_some_and(|run| run.running() && !run.cancelled) {
        probing::cancel(state, effects);
    } else {
        state.dialog = None;
    }
    state.touch();
}
