//! The client against the real servers of the test bed, where `PARTYWALL_TESTBED_KUBECONFIG_ADMIN` names one.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::needless_pass_by_value,
    clippy::missing_panics_doc,
    reason = "a test that can't go on says so by panicking"
)]

#[path = "cluster_fake/battery.rs"]
#[allow(dead_code, reason = "each test crate asks its part of the questions")]
mod battery;

use std::io::Write as _;

use battery::{commands_run, connect, everything_is_read, questions_are_answered};
use partywall::cluster::Cluster;

async fn real() -> Option<Cluster> {
    let Some(file) = std::env::var_os("PARTYWALL_TESTBED_KUBECONFIG_ADMIN") else {
        let _ = writeln!(std::io::stderr(), "skipped: PARTYWALL_TESTBED_KUBECONFIG_ADMIN is not set");
        return None;
    };
    Some(connect(file.as_ref(), None).await)
}

#[tokio::test]
async fn the_real_server_is_read_and_asked() {
    let Some(cluster) = real().await else { return };
    let snapshot = everything_is_read(&cluster).await;
    assert!(!snapshot.server.simulated);
    questions_are_answered(&cluster, &snapshot).await;
    if std::env::var("PARTYWALL_TESTBED_NODE").as_deref() == Ok("yes") {
        commands_run(&cluster, &snapshot, "whoami").await;
    }
}

#[tokio::test]
async fn a_fix_goes_there_and_back_on_the_real_server() {
    let Some(cluster) = real().await else { return };
    battery::a_fix_goes_there_and_back(&cluster).await;
    battery::a_deletion_demands_the_uid(&cluster).await;
    battery::an_invalid_manifest_is_refused(&cluster).await;
}
