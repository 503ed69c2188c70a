//! What commands print: JSON for programs and tables for people, from the same assessment. The same input gives the same bytes.

pub mod check;
pub mod junit;
pub mod markdown;
pub mod reach;
pub mod receipt;
pub mod sarif;
pub mod status;
pub mod table;
pub mod vault_eval;
