//! The Elm core: state, messages, update, and the effects asked for. Pure.

pub mod effect;
pub mod msg;
