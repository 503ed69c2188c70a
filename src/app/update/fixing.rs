//! Fixes: plan, typed confirmation, permit, undo.

use tui_input::Input;

use super::notes;
use crate::app::effect::Effect;
use crate::app::keymap::check_to_fix;
use crate::app::msg::{Level, View};
use crate::app::pin;
use crate::app::state::{Dialog, PlanDialog, State};
use crate::fix::guard::WritePermit;
use crate::fix::plan::FixPlan;
use crate::model::ids::TenantId;
use crate::posture::catalogue;

/// Asks for the plan of the check the cursor is on.
pub fn ask(state: &mut State, effects: &mut Vec<Effect>) {
    let (Some(tenant), Some(check)) = (state.subject().0.or_else(|| state.tenant.clone()), check_to_fix(state)) else { return };
    open(state, tenant, check.id, effects);
}

fn open(state: &mut State, tenant: TenantId, check: &'static str, effects: &mut Vec<Effect>) {
    state.dialog = Some(Dialog::Plan(Box::new(PlanDialog::waiting(tenant.clone(), check))));
    state.touch();
    effects.push(Effect::Plan(tenant, check));
}

/// Asks again for the plan shown.
pub fn renew(state: &mut State, effects: &mut Vec<Effect>) {
    if let Some(Dialog::Plan(plan)) = &state.dialog {
        let (tenant, check, undo) = (plan.tenant.clone(), plan.check, plan.undo);
        if undo {
            self::undo(state);
        } else {
            open(state, tenant, check, effects);
        }
    }
}

/// Shows the inverse of the tenant's last fix.
pub fn undo(state: &mut State) {
    let Some(tenant) = state.subject().0.or_else(|| state.tenant.clone()) else { return };
    let Some(plan) = state.undo.get(&tenant).cloned() else { return };
    let check = catalogue::find(&plan.check).map_or("", |info| info.id);
    let seen = pin::pin(&newest(state).snapshot, &plan);
    let dialog = PlanDialog { plan: Some(Ok(plan)), undo: true, seen, ..PlanDialog::waiting(tenant, check) };
    state.dialog = Some(Dialog::Plan(Box::new(dialog)));
    state.touch();
}

/// The plan asked for, or why there is none. One that nobody waits for any more is dropped.
pub fn planned(state: &mut State, tenant: &TenantId, result: Result<Box<FixPlan>, String>) {
    let view = newest(state);
    if let Some(Dialog::Plan(dialog)) = &mut state.dialog
        && dialog.tenant == *tenant
        && dialog.plan.is_none()
        && result.as_ref().map_or(true, |plan| plan.check == dialog.check && plan.tenant == *tenant)
    {
        dialog.seen = result.as_ref().map(|plan| pin::pin(&view.snapshot, plan)).unwrap_or_default();
        dialog.plan = Some(result);
        state.touch();
    }
}

/// Enter: from the plan to the typed name, from the typed name to the permit.
pub fn accept(state: &mut State, effects: &mut Vec<Effect>) {
    let mode = state.settings.mode;
    let Some(Dialog::Plan(dialog)) = &mut state.dialog else { return };
    let Some(Ok(plan)) = &dialog.plan else { return };
    let Some(typed) = &dialog.typed else {
        dialog.typed = Some(Input::default());
        state.touch();
        return;
    };
    match WritePermit::grant(mode, plan, typed.value()) {
        Ok(permit) => {
            let (plan, undo, tenant) = (plan.clone(), dialog.undo, dialog.tenant.clone());
            effects.push(if undo { Effect::Undo(plan, permit) } else { Effect::Apply(plan, permit) });
            notes::add(state, Level::Info, &format!("{tenant}: {}", if undo { "undoing…" } else { "applying…" }));
            state.applying = Some(tenant);
            state.dialog = None;
        }
        Err(why) => dialog.refused = Some(why.to_string()),
    }
    state.touch();
}

/// What came of a write.
pub fn fixed(state: &mut State, tenant: &TenantId, result: Result<String, String>, undo: bool, inverse: Option<Box<FixPlan>>) {
    if state.applying.as_ref() == Some(tenant) {
        state.applying = None;
    }
    match result {
        Ok(text) => {
            if undo {
                state.undo.remove(tenant);
            }
            if let Some(inverse) = inverse {
                state.undo.insert(tenant.clone(), inverse);
            }
            let word = if undo { "undone" } else { "applied" };
            let said = if text.starts_with(word) { text } else { format!("{word}: {text}") };
            notes::add(state, Level::Info, &format!("{tenant}: {said}"));
        }
        Err(why) => {
            if let Some(inverse) = inverse {
                // part of it was written: that part can be undone
                state.undo.insert(tenant.clone(), inverse);
            }
            let word = if undo { "not undone" } else { "not applied" };
            notes::add(state, Level::Error, &format!("{tenant}: {word}: {why}"));
        }
    }
    state.touch();
}

/// Marks the plan shown as out of date when one of its objects moved. Held data counts too: a frozen screen must not hide it.
pub fn check_pins(state: &mut State, view: &View) {
    if let Some(Dialog::Plan(dialog)) = &mut state.dialog
        && dialog.changed.is_none()
        && let Some((object, how)) = pin::moved(&view.snapshot, &dialog.seen)
    {
        dialog.changed = Some(format!("{object} {how}"));
        dialog.typed = None;
        state.touch();
    }
}

/// The newest data there is, also while the screen is frozen.
fn newest(state: &State) -> std::sync::Arc<View> {
    state.held.as_ref().unwrap_or(&state.view).clone()
}

impl PlanDialog {
    /// A dialog that waits for its plan.
    pub(super) const fn waiting(tenant: TenantId, check: &'static str) -> Self {
        Self { tenant, check, plan: None, undo: false, scroll: 0, typed: None, refused: None, seen: Vec::new(), changed: None }
    }
}
