//! Actions and their keys, as one table: help, key bar and the test for conflicts come from it.

mod bindings;

use std::borrow::Cow;

use super::columns;
use super::derive::orders;
use super::msg::Key;
use super::state::{Dialog, Screen, State};
use crate::fix::guard::Mode;
use crate::posture::catalogue;
use Layer::{Any, Asking, Hearing, Leaving, Lists, On, Planning, Probing, Reading, Typing};

pub use bindings::BINDINGS;

/// Everything a key can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the names are the documentation: each stands in the table below with its words")]
pub enum Action {
    Down,
    Up,
    Top,
    Bottom,
    PageDown,
    PageUp,
    DetailDown,
    DetailUp,
    Enter,
    Back,
    Quit,
    Left,
    Right,
    PageLeft,
    PageRight,
    First,
    Last,
    Targets,
    TurnRound,
    Explain,
    Ask,
    Everyone,
    GoFleet,
    GoTenant,
    GoMatrix,
    GoViolations,
    GoQuota,
    GoVault,
    GoReceipts,
    NextScreen,
    PrevScreen,
    NextTenant,
    PrevTenant,
    NextFinding,
    PrevFinding,
    Filter,
    Failing,
    Sort,
    Columns,
    Probe,
    ProbeAll,
    Progress,
    Fix,
    Undo,
    Copy,
    Save,
    Freeze,
    Redact,
    Theme,
    Reread,
    Log,
    Help,
    Interrupt,
    Suspend,
    // in dialogs
    Accept,
    Close,
    Cancel,
    Renew,
    Leave,
}

/// What an action may do to the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Danger {
    /// Only looks.
    Look,
    /// Tries a wall; leaves nothing behind.
    Probe,
    /// Leads to a write, after a diff and a typed confirmation.
    Write,
}

/// Where a binding is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// On every screen.
    Any,
    /// On every screen whose cursor moves up and down only.
    Lists,
    /// On one screen.
    On(Screen),
    /// In help and messages.
    Reading,
    /// In the probe panel.
    Probing,
    /// In a plan.
    Planning,
    /// In a story.
    Hearing,
    /// In the answer about a path.
    Asking,
    /// Asked whether to leave.
    Leaving,
    /// While a text is typed: every character belongs to the text.
    Typing,
}

/// One binding.
#[derive(Debug)]
pub struct Binding {
    /// What it does.
    pub action: Action,
    /// Keys.
    pub keys: &'static [Key],
    /// Keys as help writes them.
    pub label: &'static str,
    /// One or two words for the key bar.
    pub title: &'static str,
    /// One line for help.
    pub help: &'static str,
    /// What it may do to the world.
    pub danger: Danger,
    /// Where it is in force.
    pub layer: Layer,
    /// Rank in the key bar, smaller first; 0 keeps it out.
    pub bar: u8,
}

/// The layer that has the keys.
pub fn layer(state: &State) -> Layer {
    match &state.dialog {
        Some(Dialog::Help { .. } | Dialog::Log { .. }) => Reading,
        Some(Dialog::Probe { .. }) => Probing,
        Some(Dialog::Plan(plan)) if plan.typed.is_some() => Typing,
        Some(Dialog::Plan(_)) => Planning,
        Some(Dialog::Story(_)) => Hearing,
        Some(Dialog::Ask(ask)) if ask.typing => Typing,
        Some(Dialog::Ask(_)) => Asking,
        Some(Dialog::Quit) => Leaving,
        None if state.typing => Typing,
        None => On(state.screen),
    }
}

/// Whether a binding is in force in a layer. On a screen, those of any screen are too; Ctrl-C and Ctrl-Z are in force everywhere.
pub fn in_force(binding: &Binding, layer: Layer) -> bool {
    binding.layer == layer
        || (binding.layer == Lists && matches!(layer, On(screen) if screen != Screen::Matrix))
        || (binding.layer == Any && (matches!(layer, On(_)) || matches!(binding.action, Action::Interrupt | Action::Suspend)))
}

/// Whether the key bar shows a binding now: those that only sometimes have something to do give their place to others. Help lists them all.
pub fn in_bar(state: &State, binding: &Binding) -> bool {
    let works = || enabled(state, binding.action).is_ok();
    match (binding.layer, binding.action) {
        _ if binding.bar == 0 || !in_force(binding, layer(state)) => false,
        (Any | Lists | On(_), Action::Back | Action::Undo | Action::Sort | Action::Columns) | (Asking, Action::Right) => works(),
        (Any, Action::Quit) => enabled(state, Action::Back).is_err(),
        (Any, Action::Progress) | (Probing, Action::Close) => state.run.as_ref().is_some_and(super::run::Run::running),
        _ => true,
    }
}

/// What a key asks for.
pub fn find(key: Key, layer: Layer) -> Option<Action> {
    BINDINGS.iter().find(|binding| in_force(binding, layer) && binding.keys.contains(&key)).map(|binding| binding.action)
}

/// Whether an action can be taken now, or why not.
///
/// # Errors
/// The reason in words, with what to do about it.
pub fn enabled(state: &State, action: Action) -> Result<(), Cow<'static, str>> {
    let mode = state.settings.mode;
    let no = |why: &'static str| Err(Cow::Borrowed(why));
    match action {
        Action::Probe | Action::ProbeAll if mode < Mode::Probe => no("observe mode: start with --mode probe to try walls"),
        Action::Fix | Action::Undo if mode < Mode::Fix => {
            Err(format!("{} mode: start with --mode fix to plan and apply fixes", mode.word()).into())
        }
        Action::Probe | Action::ProbeAll | Action::Fix | Action::Undo if state.busy() => {
            no("a probe or fix is running: wait, or cancel it with Ctrl-C")
        }
        Action::Probe | Action::ProbeAll | Action::Fix | Action::Undo | Action::Copy | Action::GoTenant
            if state.subject().0.is_none() && state.tenant.is_none() =>
        {
            no("no tenant selected")
        }
        Action::Probe => match state.subject().1.and_then(catalogue::find) {
            Some(check) if check.probe.is_none() => Err(format!("{} can't be tried: it is about declarations alone", check.id).into()),
            _ => Ok(()),
        },
        Action::Fix => fixable(state),
        Action::Undo => match state.subject().0.or_else(|| state.tenant.clone()) {
            Some(tenant) if state.undo.contains_key(&tenant) => Ok(()),
            _ => no("nothing to undo: no fix was applied to this tenant in this session"),
        },
        Action::Back
            if state.screen == Screen::Fleet
                && state.back.is_empty()
                && state.page().filter.value().is_empty()
                && !state.page().failing =>
        {
            no("this is the first screen: q leaves")
        }
        Action::Columns if !state.page().others && columns::hidden(state) == 0 => no("every column is on the screen"),
        Action::Sort if orders(state.screen).len() < 2 => no("this screen has one order"),
        Action::Progress if state.run.is_none() => no("no probe was run yet"),
        Action::Ask if state.dialog.is_none() && super::vault::selected(state).is_none() => no("no tenant selected"),
        Action::Left | Action::Right if matches!(&state.dialog, Some(Dialog::Ask(ask)) if !ask.everyone) => {
            no("every operation is shown; Tab asks about all tenants, one operation at a time")
        }
        Action::Accept => acceptable(state),
        _ => Ok(()),
    }
}

/// The check that `f` answers: the one the cursor is on, or the tenant's worst violation that has a fix.
pub fn check_to_fix(state: &State) -> Option<&'static catalogue::CheckInfo> {
    let (tenant, check) = state.subject();
    let explicit = if state.screen == Screen::Quota { Some("RES-04") } else { check };
    if let Some(info) = explicit.and_then(catalogue::find) {
        return Some(info);
    }
    let assessed = state.assessed(&tenant?)?;
    let fixable = assessed.checks.iter().filter(|result| result.check.fix.is_some() && result.verdict.is_violation());
    fixable.min_by_key(|result| (result.verdict, result.check.severity)).map(|result| result.check)
}

fn fixable(state: &State) -> Result<(), Cow<'static, str>> {
    let Some(check) = check_to_fix(state) else { return Err("nothing here that a fix of this release answers".into()) };
    if check.fix.is_none() {
        return Err(format!("{} has no fix in this release", check.id).into());
    }
    let violated = state
        .subject()
        .0
        .and_then(|tenant| state.assessed(&tenant))
        .and_then(|tenant| tenant.checks.iter().find(|result| result.check.id == check.id))
        .is_some_and(|result| result.verdict.is_violation());
    if violated { Ok(()) } else { Err(format!("{} is not violated: nothing to fix", check.id).into()) }
}

fn acceptable(state: &State) -> Result<(), Cow<'static, str>> {
    let Some(Dialog::Plan(dialog)) = &state.dialog else { return Ok(()) };
    match &dialog.plan {
        _ if state.settings.redact => Err("names are redacted: press Esc, then x, to see what would be written".into()),
        _ if state.settings.mode < Mode::Fix => {
            Err(format!("{} mode: start with --mode fix to apply fixes", state.settings.mode.word()).into())
        }
        None => Err("the servers have not answered yet".into()),
        Some(Err(_)) => Err("there is no plan to apply".into()),
        Some(Ok(_)) if dialog.changed.is_some() => Err("changed since: press r to plan again".into()),
        Some(Ok(plan)) if !dialog.undo && !plan.applicable() => {
            Err("not applicable: the server refuses it, or somebody else keeps the object".into())
        }
        Some(Ok(_)) => Ok(()),
    }
}
