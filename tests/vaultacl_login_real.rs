//! Who may log in, and as whom: real ServiceAccounts of the test bed's API server log in to an OpenBao of ours (and to a Vault, where one is
//! named) with roles by the dozen, and what they get is what we say.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    dead_code,
    reason = "a test fails by panicking; each crate uses its part of the judge"
)]

#[path = "vaultacl/choices.rs"]
mod choices;
#[path = "vaultacl_login_real/cluster.rs"]
mod cluster;
#[path = "common/devvault.rs"]
mod devvault;
#[path = "vaultacl_login_real/roles.rs"]
mod roles;
#[path = "vaultacl_login_real/templates.rs"]
mod templates;
#[path = "common/testbed.rs"]
mod testbed;

use cluster::Cluster;
use devvault::DevServer;
use partywall::vaultacl::dialect::Dialect;
use testbed::{Need, Testbed};

fn stage(server: Option<DevServer>, dialect: Dialect) {
    let Some(server) = server else { return };
    let Some(bed) = Testbed::shared(Need::Servers) else { return };
    let cluster = Cluster::of(&bed, dialect);
    cluster.auth(&server, "by-uid");
    cluster.auth(&server, "by-name");
    roles::compare(&server, &cluster);
    templates::compare(&server, &cluster, dialect);
}

#[test]
fn logins_to_a_real_openbao_are_those_that_we_say() {
    stage(DevServer::openbao(), Dialect::OpenBao26);
}

#[test]
fn logins_to_a_real_vault_are_those_that_we_say() {
    stage(DevServer::vault(), Dialect::Vault121);
}
