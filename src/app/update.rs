//! The only place where the state changes.

mod actions;
mod data;
mod fixing;
pub mod matrix;
pub mod moves;
pub mod notes;
mod probing;
mod vault;

use super::effect::Effect;
use super::keymap::{self, Layer};
use super::msg::{Key, KeyCode, Msg};
use super::state::{Dialog, State};
use crate::model::time::Time;

/// Takes a message in and says what is to be done about it. Never panics. O(1) for keys that move, O(rows log rows) when rows change.
pub fn update(state: &mut State, msg: Msg, now: Time) -> Vec<Effect> {
    state.now = now;
    let mut effects = Vec::new();
    match msg {
        Msg::Key(key) => key_pressed(state, key, &mut effects),
        Msg::Paste(text) => paste(state, &text),
        Msg::Resize(w, h) => {
            if state.size != (w, h) {
                state.size = (w, h);
                moves::refit(state);
                state.touch();
            }
        }
        Msg::Data(view) => data::arrived(state, view, &mut effects),
        Msg::Clock => data::clock(state),
        Msg::Probe(news) => probing::news(state, news),
        Msg::Planned(tenant, result) => fixing::planned(state, &tenant, result),
        Msg::Fixed { tenant, result, undo, inverse } => fixing::fixed(state, &tenant, result, undo, inverse),
        Msg::Note(level, text) => notes::add(state, level, &text),
        Msg::Story(from, to, story) => matrix::told(state, &from, &to, story),
        Msg::Theme(name) => {
            state.settings.theme = name;
            state.touch();
        }
    }
    effects
}

fn key_pressed(state: &mut State, key: Key, effects: &mut Vec<Effect>) {
    state.last_key = state.now;
    let layer = keymap::layer(state);
    let before = state.generation;
    notes::key(state);
    match keymap::find(key, layer) {
        Some(action) => match keymap::enabled(state, action) {
            Ok(()) => actions::act(state, action, effects),
            Err(why) => {
                let why = why.into_owned();
                notes::add(state, super::msg::Level::Warn, &why);
            }
        },
        None if layer == Layer::Typing => typed(state, key),
        None => {}
    }
    if state.generation != before {
        moves::settle(state);
    }
}

/// A key that belongs to the text being typed.
fn typed(state: &mut State, key: Key) {
    let Some(request) = request(key) else { return };
    let Some(field) = field(state) else { return };
    if field.handle(request).is_some() {
        field_changed(state);
    }
}

fn paste(state: &mut State, text: &str) {
    let Some(field) = field(state) else { return };
    let line: String = text.chars().take_while(|c| !matches!(c, '\n' | '\r')).filter(|c| !c.is_control()).take(256).collect();
    for c in line.chars() {
        field.handle(tui_input::InputRequest::InsertChar(c));
    }
    field_changed(state);
}

fn field(state: &mut State) -> Option<&mut tui_input::Input> {
    if state.dialog.is_none() {
        return if state.typing { Some(&mut state.page_mut().filter) } else { None };
    }
    match &mut state.dialog {
        Some(Dialog::Plan(plan)) => plan.typed.as_mut(),
        Some(Dialog::Ask(ask)) if ask.typing => Some(&mut ask.input),
        _ => None,
    }
}

fn field_changed(state: &mut State) {
    match &mut state.dialog {
        None => state.page_mut().outdated = true,
        Some(Dialog::Ask(ask)) => ask.refused = None,
        Some(_) => {}
    }
    state.touch();
    moves::settle(state);
}

/// What a key does in a text field.
fn request(key: Key) -> Option<tui_input::InputRequest> {
    use tui_input::InputRequest as R;
    Some(match (key.code, key.ctrl) {
        (KeyCode::Char('w'), true) => R::DeletePrevWord,
        (KeyCode::Char('u'), true) => R::DeleteFromStart,
        (KeyCode::Char('k'), true) => R::DeleteTillEnd,
        (KeyCode::Char('a'), true) | (KeyCode::Home, _) => R::GoToStart,
        (KeyCode::Char('e'), true) | (KeyCode::End, _) => R::GoToEnd,
        (KeyCode::Left, _) => R::GoToPrevChar,
        (KeyCode::Right, _) => R::GoToNextChar,
        (KeyCode::Backspace, _) => R::DeletePrevChar,
        (KeyCode::Delete, _) => R::DeleteNextChar,
        (KeyCode::Char(c), false) if !key.alt && !c.is_control() => R::InsertChar(c),
        _ => return None,
    })
}
