//! The posture engine over facts made by hand: the walkthrough, tables of scenarios, properties.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stderr,
    reason = "a test fails by panicking"
)]

#[path = "posture_engine/elsewhere.rs"]
mod elsewhere;
#[path = "posture_engine/facts.rs"]
mod facts;
#[path = "posture_engine/fixes.rs"]
mod fixes;
#[path = "posture_engine/grants.rs"]
mod grants;
#[path = "posture_engine/hostile.rs"]
mod hostile;
#[path = "posture_engine/naive.rs"]
mod naive;
#[path = "posture_engine/netsteps.rs"]
mod netsteps;
#[path = "posture_engine/opened.rs"]
mod opened;
#[path = "posture_engine/properties.rs"]
mod properties;
#[path = "posture_engine/rbac.rs"]
mod rbac;
#[path = "posture_engine/receipts.rs"]
mod receipts;
#[path = "posture_engine/scenarios.rs"]
mod scenarios;
#[path = "posture_engine/secretlines.rs"]
mod secretlines;
#[path = "posture_engine/secretsteps.rs"]
mod secretsteps;
#[path = "posture_engine/selectors.rs"]
mod selectors;
#[path = "posture_engine/walkthrough.rs"]
mod walkthrough;
#[path = "posture_engine/written.rs"]
mod written;
