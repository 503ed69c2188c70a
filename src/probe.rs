//! Probes: attempts to cross a wall, always with their controls. The specification is pure; `run` has the effects.

pub mod can;
pub mod depends;
pub mod network;
pub mod resource;
pub mod run;
pub mod spec;
pub mod vault;
