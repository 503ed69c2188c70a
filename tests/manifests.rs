//! Files become the same facts as a cluster, and nothing in a file can harm.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::single_match_else,
    reason = "tests say what they expect by panicking"
)]

#[path = "manifests/folders.rs"]
mod folders;
#[path = "manifests/hostile.rs"]
mod hostile;
#[path = "manifests/objects.rs"]
mod objects;

use partywall::manifests::{Collector, Reading};

/// What one file of this name and text makes.
pub fn read(name: &str, text: &str) -> Reading {
    let mut collector = Collector::default();
    collector.file(name, text.as_bytes());
    collector.finish()
}

/// The problems as they are told.
pub fn told(reading: &Reading) -> Vec<String> {
    reading.problems.iter().map(ToString::to_string).collect()
}
