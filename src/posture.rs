//! The posture engine: checks by wall, verdicts, grade, coverage. Pure and incremental.

pub mod apps;
pub mod assessment;
pub mod catalogue;
pub mod cni;
pub mod commons;
pub mod cover;
pub mod engine;
pub mod finding;
mod moves;
pub mod net;
pub mod plt;
pub mod quota;
pub mod rbac;
mod refers;
pub mod res;
pub mod rules;
pub mod sec;
pub mod sight;
pub mod tenant;
mod vaultmoves;
pub mod vaultroles;
pub mod verdict;
pub mod view;
pub mod wall;
