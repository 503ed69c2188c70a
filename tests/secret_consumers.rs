//! Who asks Vault for a tenant: read whole from what the official CRDs take, marked wherever it can't be read, and never a value of a Secret.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::needless_pass_by_value,
    clippy::missing_panics_doc,
    clippy::too_many_lines,
    clippy::print_stderr,
    reason = "a test that can't go on says so by panicking"
)]

#[path = "cluster_fake/fake.rs"]
#[allow(dead_code, reason = "each test crate asks its part of the questions")]
mod fake;
#[path = "secret_consumers/metadata.rs"]
mod metadata;
#[path = "secret_consumers/projection.rs"]
mod projection;
#[path = "secret_consumers/real.rs"]
mod real;
#[path = "secret_consumers/samples.rs"]
mod samples;
#[path = "common/testbed.rs"]
mod testbed;
