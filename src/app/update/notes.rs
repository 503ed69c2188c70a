//! Messages to the user: the newest on the status line, all of them in the log.

use crate::app::msg::Level;
use crate::app::state::{Note, State};
use crate::model::text::clean;
use crate::model::time::{SECOND, Time};

/// How many messages are kept.
pub const KEPT: usize = 200;
/// How long a note that is no failure stays on the status line, milliseconds.
pub const SHOWN: i64 = 8 * SECOND;

/// Adds a message.
pub fn add(state: &mut State, level: Level, text: &str) {
    let text = clean(text);
    if let Some(last) = state.notes.last_mut().filter(|note| note.text == text && note.level == level) {
        last.at = state.now;
        state.read = state.notes.len() - 1;
        state.touch();
        return;
    }
    state.notes.push(Note { at: state.now, level, text });
    if state.notes.len() > KEPT {
        state.notes.remove(0);
        state.read = state.read.saturating_sub(1);
    }
    state.touch();
}

/// The note on the status line.
pub fn current(state: &State) -> Option<&Note> {
    let note = state.notes.last().filter(|_| state.read < state.notes.len())?;
    (note.level == Level::Error || state.now.since(note.at) < SHOWN).then_some(note)
}

/// When the status line changes by itself.
pub fn until(state: &State) -> Option<Time> {
    current(state).filter(|note| note.level != Level::Error).map(|note| note.at.plus(SHOWN))
}

/// A key was pressed: what was on the status line for a second has been read.
pub(super) fn key(state: &mut State) {
    if current(state).is_some_and(|note| state.now.since(note.at) > SECOND) {
        state.read = state.notes.len();
        state.touch();
    }
}
