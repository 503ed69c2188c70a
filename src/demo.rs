//! A simulated fleet: a Kubernetes API server and a Vault on loopback HTTP, with tenants good and bad.
//!
//! Real clients talk to it: kube, kubectl, vaultrs, a Vault command line. It shares no code with the rest of the crate, so that
//! what partywall says about the fleet is judged by something else than partywall. Whatever is shown from it must say SIMULATED.

mod admission;
mod apply;
mod auth;
mod clock;
mod controllers;
mod defaults;
mod delete;
mod discovery;
mod exec;
mod faults;
mod fields;
mod grants;
mod handle;
mod http;
mod json;
mod jwt;
mod kinds;
mod kube;
mod network;
mod openapi;
mod packets;
mod patch;
mod programs;
mod protobuf;
mod quantity;
mod read;
mod render;
mod reviews;
mod scenario;
mod script;
mod selectors;
mod status;
mod store;
mod table;
mod validate;
mod vault;
mod watch;
mod workloads;
mod world;
mod write;

/// Where workloads of the simulated fleet find Vault: namespace, Service, port.
pub const VAULT_SERVICE: (&str, &str, u16) = ("sys-vault", "sys-vault", 8200);

pub use faults::{Faults, VaultFault};
pub use handle::{DemoHandle, DemoOptions, Mutator, start};
pub use world::{RequestLog, Server};
