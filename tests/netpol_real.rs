//! Who reaches whom, held against the kernel: policies on the test bed, connections tried between real pods, and every one compared with what
//! the engine says of the same API server's objects.
//!
//! Three things must agree: what was written by hand of some cases (`netpol_real/table.rs`), what the connections met, and the engine. Then come
//! policies by chance; `PARTYWALL_NETPOL_SEED` repeats a run.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stderr,
    clippy::needless_pass_by_value,
    clippy::missing_panics_doc,
    reason = "a test that can't go on says so by panicking"
)]

#[path = "cluster_fake/battery.rs"]
#[allow(dead_code, reason = "each test crate asks its part of the questions")]
mod battery;
#[path = "netpol_real/bench.rs"]
mod bench;
#[path = "netpol_real/compare.rs"]
mod compare;
#[path = "netpol_real/judge.rs"]
mod judge;
#[path = "netpol_real/random.rs"]
mod random;
#[path = "netpol_real/sweep.rs"]
mod sweep;
#[path = "netpol_real/table.rs"]
mod table;
#[path = "common/testbed.rs"]
mod testbed;
#[path = "netpol_real/world.rs"]
mod world;

use std::time::Instant;

use bench::Bench;
use fastrand::Rng;
use table::Case;
use testbed::{Identity, Need, Testbed};
use world::World;

/// Sets of policies by chance.
const ROUNDS: usize = 6;

/// The seed of this run: of the environment, or of the clock.
fn seed() -> u64 {
    let given = std::env::var("PARTYWALL_NETPOL_SEED").ok();
    given.map_or_else(|| Rng::new().u64(..), |text| text.parse().expect("PARTYWALL_NETPOL_SEED is a number"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_kernel_and_the_engine_give_the_same_answers() {
    let Some(bed) = Testbed::shared(Need::Wire) else { return };
    let began = Instant::now();
    let cluster = battery::connect(&bed.kubeconfig(Identity::Admin), None).await;
    let world = World::new();
    let razed = Razed(&bed, &world);
    world.raise(&bed);
    let mut bench = Bench::new(&bed, &cluster, &world).await;
    eprintln!("pods are up after {:?}", began.elapsed());
    bench.control().await;
    for case in table::cases() {
        bench.case(case).await;
    }
    let seed = seed();
    eprintln!("policies by chance: PARTYWALL_NETPOL_SEED={seed}");
    let mut random = Rng::with_seed(seed);
    for _ in 0..ROUNDS {
        let policies = random::policies(&mut random);
        bench.case(Case { name: "by chance", policies, rows: "" }).await;
    }
    // every policy gone, everything is open again: nothing was closed by a pod that had died
    bench.control().await;
    eprintln!("{} in {:?}", bench.tally(), began.elapsed());
    assert!(bench.wrong.is_empty(), "not everything agrees; PARTYWALL_NETPOL_SEED={seed}\n{}", bench.wrong);
    drop(razed);
    eprintln!("all in {:?}", began.elapsed());
}

/// Removes the pods, also after a failure.
struct Razed<'a>(&'a Testbed, &'a World);

impl Drop for Razed<'_> {
    fn drop(&mut self) {
        self.1.raze(self.0);
    }
}
