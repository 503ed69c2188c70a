//! Fixes: plans with diff, owner and undo. Planning and guarding are pure; `apply` has the effects.

pub mod apply;
pub mod diff;
pub mod guard;
pub mod plan;
pub mod recipes;
