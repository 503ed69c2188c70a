//! The evaluator against real servers: policies made up by the thousand are written to an OpenBao (and to a Vault, where one is named), tokens
//! are made with them, and what the server answers is compared with what we say.
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

#[path = "vaultacl_real/asks.rs"]
mod asks;
#[path = "vaultacl/choices.rs"]
mod choices;
#[path = "common/devvault.rs"]
mod devvault;
#[path = "vaultacl/made.rs"]
mod made;
#[path = "vaultacl/oracle.rs"]
mod oracle;
#[path = "vaultacl/oracle_template.rs"]
mod oracle_template;
#[path = "vaultacl/oracle_values.rs"]
mod oracle_values;
#[path = "vaultacl_real/people.rs"]
mod people;
#[path = "vaultacl_real/rows.rs"]
mod rows;
#[path = "vaultacl_real/set.rs"]
mod set;
#[path = "vaultacl_real/special.rs"]
mod special;
#[path = "vaultacl_real/stage.rs"]
mod stage;

use devvault::DevServer;
use partywall::vaultacl::dialect::Dialect;

#[test]
fn made_up_policies_decide_as_in_a_real_openbao() {
    let Some(server) = DevServer::openbao() else { return };
    stage::run(&server, Dialect::OpenBao26, true);
}

#[test]
fn made_up_policies_decide_as_in_a_real_vault() {
    let Some(server) = DevServer::vault() else { return };
    stage::run(&server, Dialect::Vault121, false);
}

#[test]
fn what_a_real_openbao_has_beside_the_text() {
    let Some(server) = DevServer::openbao() else { return };
    special::compare(&server, Dialect::OpenBao26);
}

#[test]
fn rows_written_by_hand_hold_in_a_real_openbao() {
    let Some(server) = DevServer::openbao() else { return };
    rows::compare(&server, Dialect::OpenBao26);
}

#[test]
fn rows_written_by_hand_hold_in_a_real_vault() {
    let Some(server) = DevServer::vault() else { return };
    rows::compare(&server, Dialect::Vault121);
}
