//! The reachability engine against its judge: an evaluator so plain that it can be read beside the specification, tables written by hand
//! that bind both, and random universes in which the two must agree.
#![allow(
    clippy::match_same_arms,
    clippy::single_match_else,
    clippy::unused_self,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stderr,
    reason = "a test fails by panicking; the judge is written as the specification reads"
)]

#[path = "netpol/build.rs"]
mod build;
#[path = "netpol/build_cilium.rs"]
mod build_cilium;
#[path = "netpol/check.rs"]
mod check;
#[path = "netpol/cilium.rs"]
mod cilium;
#[path = "netpol/incremental.rs"]
mod incremental;
#[path = "netpol/listing.rs"]
mod listing;
#[path = "netpol/missed.rs"]
mod missed;
#[path = "netpol/np.rs"]
mod np;
#[path = "netpol/oracle.rs"]
mod oracle;
#[path = "netpol/oracle_cilium.rs"]
mod oracle_cilium;
#[path = "netpol/oracle_match.rs"]
mod oracle_match;
#[path = "netpol/profiles.rs"]
mod profiles;
#[path = "netpol/random.rs"]
mod random;
#[path = "netpol/story.rs"]
mod story;
#[path = "netpol/targets.rs"]
mod targets;
#[path = "netpol/tiers.rs"]
mod tiers;
#[path = "netpol/universe.rs"]
mod universe;
#[path = "netpol/wire.rs"]
mod wire;
