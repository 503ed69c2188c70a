//! Reachability: which pods are isolated, what rules let through, and who can reach whom.

pub mod answer;
pub mod isolation;
pub mod matrix;
pub mod openness;
pub mod ports;
pub mod profile;
pub mod reach;
pub mod selector;
pub mod story;
pub mod target;
