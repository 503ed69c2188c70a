//! Policies beyond NetworkPolicy: read whole from what the official CRDs take, and marked wherever they can't be read.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::needless_pass_by_value,
    clippy::missing_panics_doc,
    clippy::too_many_lines,
    reason = "a test that can't go on says so by panicking"
)]

#[path = "cluster_fake/battery.rs"]
#[allow(dead_code, reason = "each test crate asks its part of the questions")]
mod battery;
#[path = "cluster_policies/projection.rs"]
mod projection;
#[path = "cluster_policies/rbac.rs"]
mod rbac;
#[path = "cluster_policies/real.rs"]
mod real;
#[path = "cluster_policies/roles.rs"]
mod roles;
#[path = "cluster_policies/samples.rs"]
mod samples;
#[path = "common/testbed.rs"]
mod testbed;
