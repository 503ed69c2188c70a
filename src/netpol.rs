//! Reachability: which pods are isolated, what rules let through, and who can reach whom.
//!
//! Others speak to [`reach::Reach`], in the words of [`answer`], [`ports`], [`profile`], [`target`], [`matrix`] and [`story`]; [`selector`],
//! [`isolation`] and [`openness`] answer questions of one namespace without it. Behind it, from the bottom up:
//!
//! - words: `truth` (yes, no, perhaps), `ranges`, `atoms`, `portbook` and `numbers` (sets that are compared by number), `term` (selectors);
//! - policies: `compile` makes `rules` of every kind, `survey` counts whom they mean;
//! - pods: `class` (pods that no policy tells apart), `space` (a namespace of them), `imagine` (pods that may be made), `ground` (what they are
//!   judged on);
//! - answers: `judge` (one side of one pair), `world` (pairs), `outside` and `behind` (addresses, Services), `stranger` (isolation), `listing`;
//! - the matrix: `fleet`, `goals`, `picture`, and `follow`, which keeps it up to date;
//! - reasons: `ends`, `views`, `explain`, `near`.

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
