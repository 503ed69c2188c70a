//! What commands print: JSON for programs and tables for people, from the same assessment. The same input gives the same bytes.

pub mod check;
pub mod receipt;
pub mod status;
pub mod table;
