//! The Elm core: state, messages, update, and the effects asked for. Pure.

pub mod ages;
pub mod columns;
pub mod derive;
pub mod doc;
pub mod docs;
pub mod effect;
pub mod filter;
pub mod keymap;
pub mod layout;
pub mod list;
pub mod matrix;
pub mod msg;
pub mod pin;
pub mod plandiff;
pub mod redact;
pub mod role;
pub mod run;
pub mod standing;
pub mod state;
pub mod symbols;
pub mod update;
pub mod vault;
pub mod words;

pub use state::{Settings, State};
pub use update::update;
