//! The cluster as a source of facts and as a place where walls are tried and mended: the only code that talks to the API server.
//!
//! [`Cluster`] is a cheap handle. [`watch::follow`] turns watch streams into [`crate::model::changes::Change`]s. The functions that try
//! walls demand a [`crate::fix::guard::ProbePermit`], those that write a [`crate::fix::guard::WritePermit`].

pub mod ask;
pub mod authority;
pub mod call;
pub mod connect;
pub mod exec;
pub mod project;
pub mod refusal;
pub mod watch;
pub mod wire;
pub mod write;

pub use connect::{Cluster, ConnectError, ConnectOptions};
pub use refusal::ApiRefusal;

use crate::model::time::Time;

/// The time by this machine's clock.
pub(crate) fn now() -> Time {
    let elapsed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Time(i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX))
}
