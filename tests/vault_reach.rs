//! What tenants reach in Vault: the walkthrough, roots, logins, bad input; crossings against a brute-force search over enumerated paths; following changes
//! against starting afresh.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice, reason = "a test fails by panicking")]

#[path = "vault_reach/bad.rs"]
mod bad;
#[path = "vault_reach/bed.rs"]
mod bed;
#[path = "vault_reach/brute.rs"]
mod brute;
#[path = "vault_reach/chance.rs"]
mod chance;
#[path = "vault_reach/follow.rs"]
mod follow;
#[path = "vault_reach/logins.rs"]
mod logins;
#[path = "vault_reach/roots.rs"]
mod roots;
#[path = "vault_reach/seed.rs"]
mod seed;
