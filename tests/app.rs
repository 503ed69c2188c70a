//! The whole app without a terminal: keys and messages in, effects and pictures out.

#[path = "app/common.rs"]
mod common;
#[path = "app/fixes.rs"]
mod fixes;
#[path = "app/keys.rs"]
mod keys;
#[path = "app/random.rs"]
mod random;
#[path = "app/walk.rs"]
mod walk;
