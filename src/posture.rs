//! The posture engine: checks by wall, verdicts, grade, coverage. Pure and incremental.

pub mod assessment;
pub mod catalogue;
pub mod finding;
pub mod verdict;
pub mod wall;
