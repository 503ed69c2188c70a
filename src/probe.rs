//! Probes: attempts to cross a wall, always with their controls. The specification is pure; `run` has the effects.

pub mod depends;
pub mod spec;
