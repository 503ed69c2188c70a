//! Lean types for what the API server sends: total (any field may be missing or of a wrong type), borrowed from the text, and skipping
//! while decoding whatever no fact needs. Of annotations few are decoded, of variables none: they may hold secrets.

pub mod adminpolicy;
pub mod ciliumpolicy;
pub mod external;
pub mod lean;
pub mod meta;
pub mod networkpolicy;
pub mod page;
pub mod platform;
pub mod pod;
pub mod providerclass;
pub mod rbac;
pub mod rest;
pub mod secretstore;
pub mod uses;
pub mod vaultoperator;
