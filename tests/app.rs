//! The whole app without a terminal: keys and messages in, effects and pictures out.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::print_stdout, missing_docs)]

#[path = "app/common.rs"]
mod common;
#[path = "app/fixes.rs"]
mod fixes;
#[path = "app/keys.rs"]
mod keys;
#[path = "app/matrix.rs"]
mod matrix;
#[path = "app/random.rs"]
mod random;
#[path = "app/speed.rs"]
mod speed;
#[path = "app/vault.rs"]
mod vault;
#[path = "app/walk.rs"]
mod walk;
