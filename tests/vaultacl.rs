//! The ACL evaluator against its judge: an evaluator so plain that it can be read beside the specification, tables written by hand that bind
//! both, and random policies in which the two must agree. `vaultacl_real` holds the same judge to real servers.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stderr,
    clippy::match_same_arms,
    dead_code,
    reason = "a test fails by panicking; the judge is written as the specification reads, and each crate uses its part of it"
)]

#[path = "vaultacl/both.rs"]
mod both;
#[path = "vaultacl/choices.rs"]
mod choices;
#[path = "vaultacl/made.rs"]
mod made;
#[path = "vaultacl/oracle.rs"]
mod oracle;
#[path = "vaultacl/oracle_template.rs"]
mod oracle_template;
#[path = "vaultacl/oracle_values.rs"]
mod oracle_values;
#[path = "vaultacl/random.rs"]
mod random;
#[path = "vaultacl/tables.rs"]
mod tables;
#[path = "vaultacl/tables_limits.rs"]
mod tables_limits;
#[path = "vaultacl/tables_template.rs"]
mod tables_template;
