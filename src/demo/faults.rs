//! Knobs that make the simulated servers misbehave, for tests of the real client code.

use std::collections::BTreeSet;
use std::time::Duration;

/// How the simulated Vault misbehaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum VaultFault {
    /// It does not.
    #[default]
    None,
    /// Every path but the health ones answers 503 "Vault is sealed".
    Sealed,
    /// The health path answers 429, as a standby node does.
    Standby,
    /// Every path that needs a token answers 403.
    Denied,
    /// A proxy answers 502 with a page of HTML.
    Unreachable,
}

/// What goes wrong. Names in the sets are plural resource names such as `pods`.
#[derive(Clone, Debug)]
pub struct Faults {
    /// Kinds every request for which is refused with 403, whoever asks.
    pub forbidden: BTreeSet<String>,
    /// Kinds whose next resumed watch is answered with 410; each is used up by one watch.
    pub gone_on_watch: BTreeSet<String>,
    /// Kinds whose watches end in the middle of the next event line; each is used up by one event.
    pub cut_watch_line: BTreeSet<String>,
    /// Kinds whose watches stay open and fall silent, bookmarks included.
    pub stall_watch: BTreeSet<String>,
    /// Kinds whose lists carry one object of absurd types.
    pub garbage_in_list: BTreeSet<String>,
    /// So many of the next requests to the API server are answered with 429 and `Retry-After: 1`.
    pub throttle: u32,
    /// Every page of a list takes this long.
    pub drip: Duration,
    /// How often a watch that allows bookmarks gets one.
    pub bookmark_every: Duration,
    /// What is wrong with Vault.
    pub vault: VaultFault,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            forbidden: BTreeSet::new(),
            gone_on_watch: BTreeSet::new(),
            cut_watch_line: BTreeSet::new(),
            stall_watch: BTreeSet::new(),
            garbage_in_list: BTreeSet::new(),
            throttle: 0,
            drip: Duration::ZERO,
            bookmark_every: Duration::from_secs(60),
            vault: VaultFault::None,
        }
    }
}
