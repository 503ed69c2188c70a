//! Reachability: which pods are isolated, what rules let through, and who can reach whom.

pub mod answer;
mod atoms;
mod behind;
mod class;
mod compile;
mod ends;
mod explain;
mod fleet;
mod follow;
mod goals;
mod ground;
mod imagine;
pub mod isolation;
mod judge;
mod listing;
pub mod matrix;
mod near;
mod numbers;
pub mod openness;
mod outside;
mod picture;
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
mod survey;
pub mod target;
mod term;
mod truth;
mod views;
mod world;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod follow_tests;
#[cfg(test)]
mod reach_tests;
