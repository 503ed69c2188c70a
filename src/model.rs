//! Facts and ids: what partywall keeps of a cluster and of Vault. Immutable, small, and free of any client's types.

pub mod access;
pub mod adminpolicy;
pub mod changes;
pub mod ciliumpolicy;
pub mod containers;
pub mod event;
pub mod ids;
pub mod intern;
pub mod kind;
pub mod labels;
pub mod limits;
pub mod meta;
pub mod networkpolicy;
pub mod platform;
pub mod pod;
pub mod quantity;
pub mod secretstore;
pub mod service;
pub mod snapshot;
pub mod source;
pub mod store;
pub mod tenant;
pub mod text;
pub mod time;
pub mod vault;
pub mod workload;
