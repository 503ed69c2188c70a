//! The Vault screen: its counts, and asking what decides at a path.

use tui_input::Input;

use crate::app::state::{Answer, AskDialog, Dialog, Screen, State};
use crate::app::vault::{self, answer, path};

/// Counts what must be counted once. Only for the screen that shows it.
pub(super) fn refresh(state: &mut State) {
    if state.screen == Screen::Vault {
        state.walls.tally.refresh(&state.view.assessment.secrets);
    }
}

/// Opens the question about a path, or goes back to its field.
pub fn ask(state: &mut State) {
    if let Some(Dialog::Ask(dialog)) = &mut state.dialog {
        dialog.typing = true;
        dialog.scroll = 0;
        return state.touch();
    }
    let Some(tenant) = vault::selected(state).cloned() else { return };
    let typed = if state.walls.asked.is_empty() { suggestion(state, &tenant) } else { state.walls.asked.clone() };
    state.dialog = Some(Dialog::Ask(Box::new(AskDialog {
        tenant,
        input: Input::new(typed),
        typing: true,
        refused: None,
        asked: None,
        everyone: false,
        operation: 0,
        answer: Answer::None,
        scroll: 0,
    })));
    state.touch();
}

/// A path to begin with: the tenant's own, as the command line takes it.
fn suggestion(state: &State, tenant: &str) -> String {
    let root = vault::reach(state, tenant).and_then(|reach| reach.roots.first());
    root.map(|root| format!("{}/{}", root.mount, root.path).chars().filter(|c| !c.is_control()).take(256).collect()).unwrap_or_default()
}

/// Takes what was typed. What can't be a path stays in the field, with the reason.
pub fn take(state: &mut State) {
    let Some(Dialog::Ask(dialog)) = &mut state.dialog else { return };
    match path::read(dialog.input.value(), &state.view.snapshot.vault) {
        Ok(asked) => {
            dialog.input.value().clone_into(&mut state.walls.asked);
            dialog.asked = Some(asked);
            dialog.typing = false;
            dialog.scroll = 0;
            answer(state);
        }
        Err(why) => dialog.refused = Some(why),
    }
    state.touch();
}

/// Leaves the field: what was answered before stays, with its path.
pub fn keep(state: &mut State) {
    if let Some(Dialog::Ask(dialog)) = &mut state.dialog {
        dialog.input = Input::new(state.walls.asked.clone());
        dialog.typing = false;
        dialog.refused = None;
    }
    state.touch();
}

/// One tenant, or all of them.
pub fn everyone(state: &mut State) {
    if let Some(Dialog::Ask(dialog)) = &mut state.dialog {
        dialog.everyone = !dialog.everyone;
        dialog.scroll = 0;
    }
    answer(state);
}

/// The next operation that all tenants are asked about, or the previous.
pub fn operation(state: &mut State, forward: bool) {
    let known = answer::operations(state.view.assessment.secrets.dialect).count().max(1);
    if let Some(Dialog::Ask(dialog)) = &mut state.dialog {
        dialog.operation = (dialog.operation + if forward { 1 } else { known - 1 }) % known;
        dialog.scroll = 0;
    }
    answer(state);
}

/// Answers the question that is open, for the data that are shown. O(logins × rules of each), of one tenant or of all.
pub fn answer(state: &mut State) {
    let Some(Dialog::Ask(dialog)) = &mut state.dialog else { return };
    let Some(asked) = &mut dialog.asked else { return };
    // mounts may have come or gone since it was typed
    if let Ok(again) = path::read(&state.walls.asked, &state.view.snapshot.vault) {
        *asked = again;
    }
    let picture = &state.view.assessment.secrets;
    dialog.answer = if dialog.everyone {
        let operation = answer::operations(picture.dialect).nth(dialog.operation);
        dialog.operation = if operation.is_some() { dialog.operation } else { 0 };
        let operation = operation.or_else(|| answer::operations(picture.dialect).next());
        operation.map_or(Answer::None, |operation| Answer::Everyone(Box::new(answer::everyone(picture, asked, operation))))
    } else {
        Answer::One(answer::one(picture, &dialog.tenant, asked))
    };
    let most = crate::app::docs::overflow(state);
    if let Some(Dialog::Ask(dialog)) = &mut state.dialog {
        dialog.scroll = dialog.scroll.min(most);
    }
    state.touch();
}
