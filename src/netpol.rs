//! Reachability: which pods are isolated, what rules let through, and who can reach whom.

pub mod answer;
mod behind;
mod compile;
mod ends;
mod explain;
mod fleet;
mod goals;
mod ground;
mod imagine;
pub mod isolation;
mod judge;
mod listing;
pub mod matrix;
mod near;
pub mod openness;
mod outside;
mod portbook;
pub mod ports;
pub mod profile;
mod ranges;
pub mod reach;
mod rules;
pub mod selector;
mod space;
pub mod story;
mod stranger;
pub mod target;
mod term;
mod truth;
mod world;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod reach_tests;
