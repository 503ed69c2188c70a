//! The client against the real servers of the test bed.
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

#[path = "common/testbed.rs"]
mod testbed;

use battery::{commands_run, connect, everything_is_read, questions_are_answered};
use testbed::{Identity, Need, Testbed};

#[tokio::test]
async fn the_real_server_is_read_and_asked() {
    let Some(bed) = Testbed::shared(Need::Servers) else { return };
    let cluster = connect(&bed.kubeconfig(Identity::Admin), None).await;
    let snapshot = everything_is_read(&cluster).await;
    assert!(!snapshot.server.simulated);
    questions_are_answered(&cluster, &snapshot).await;
    if bed.node().is_ok() {
        commands_run(&cluster, &snapshot, "whoami").await;
    }
}

#[tokio::test]
async fn a_fix_goes_there_and_back_on_the_real_server() {
    let Some(bed) = Testbed::alone(Need::Servers) else { return };
    let cluster = connect(&bed.kubeconfig(Identity::Admin), None).await;
    battery::a_fix_goes_there_and_back(&cluster).await;
    battery::a_deletion_demands_the_uid(&cluster).await;
    battery::an_invalid_manifest_is_refused(&cluster).await;
}
