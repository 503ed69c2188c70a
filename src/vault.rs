//! Vault and OpenBao: configuration that is checked before it is used, a client that can't follow a token to another host, a poller that
//! turns answers into facts, and the short session of a tenant that a probe needs. No secret value is ever asked for.

pub mod client;
pub mod error;
pub mod operator;
pub mod options;
mod poll;
pub(crate) mod project;
mod read;
pub mod rights;
pub mod session;

use std::time::{SystemTime, UNIX_EPOCH};

pub use error::{VaultError, VaultErrorKind};
pub use options::{VaultOptions, validate_address, validate_token};
pub use poll::{Follower, follow};

use crate::model::time::Time;

/// The auth mounts of an answer of `sys/auth`, by path without slashes at its ends.
pub fn project_mounts(answer: &serde_json::Value) -> std::collections::BTreeMap<crate::model::ids::Name, crate::model::vault::AuthMount> {
    project::auth_mounts(answer)
}

/// The time of this machine.
pub fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
