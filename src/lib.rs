//! partywall: whether the walls between the tenants of a Kubernetes cluster stand, shown and proved.
//!
//! Three rings in one crate. The pure ring (`model`, `netpol`, `vaultacl`, `posture`, `fix` plans, `probe` specifications, `receipt`,
//! `app`) knows neither the network nor the clock: time is a parameter. The effects ring (`cluster`, `vault`, `probe::run`,
//! `fix::apply`, `receipt::ledger`, `live`, `demo`) talks to servers and files. The terminal ring (`ui`, `shot`, `term`, `cli`) draws
//! and reads keys. `tests/architecture.rs` holds the rings apart.

pub mod app;
pub mod cli;
pub mod cluster;
pub mod config;
pub mod demo;
pub mod fix;
pub mod live;
pub mod manifests;
pub mod model;
pub mod netpol;
pub mod posture;
pub mod probe;
pub mod receipt;
pub mod report;
pub mod shot;
pub mod telemetry;
pub mod term;
pub mod ui;
pub mod vault;
pub mod vaultacl;
