//! The terminal: entering and leaving it, keys, frames, and the loop that joins them with the data.

pub mod clipboard;
pub mod frame;
pub mod guard;
pub mod input;
pub mod run;
