//! Everything the two simulated servers share.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

use super::faults::Faults;
use super::jwt::Signer;
use super::store::Store;
use super::vault::state::Vault;

/// Which of the two servers was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Server {
    /// The Kubernetes API server.
    Kubernetes,
    /// Vault.
    Vault,
}

/// One request that was answered.
#[derive(Clone, Debug)]
pub struct RequestLog {
    /// The server that answered.
    pub server: Server,
    /// HTTP method.
    pub method: String,
    /// Path with query, as sent.
    pub path: String,
    /// `Content-Type` of the request, or "".
    pub content_type: String,
    /// `User-Agent` of the request, or "".
    pub user_agent: String,
    /// Status code of the answer.
    pub status: u16,
}

/// The newest requests that are kept.
const LOG: usize = 100_000;

pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) signer: Signer,
    pub(crate) stop: CancellationToken,
    pub(crate) seed: u64,
    faults: Mutex<Faults>,
    vault: Mutex<Vault>,
    log: Mutex<VecDeque<RequestLog>>,
    /// Whether the simulated network acts on NetworkPolicies.
    enforcing: AtomicBool,
}

fn relock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl World {
    pub(crate) fn new(seed: u64, faults: Faults) -> Self {
        Self {
            store: Store::new(seed),
            signer: Signer::new(seed),
            stop: CancellationToken::new(),
            seed,
            faults: Mutex::new(faults),
            vault: Mutex::new(Vault::new(seed)),
            log: Mutex::new(VecDeque::new()),
            enforcing: AtomicBool::new(true),
        }
    }

    pub(crate) fn faults(&self) -> MutexGuard<'_, Faults> {
        relock(&self.faults)
    }

    pub(crate) fn vault(&self) -> MutexGuard<'_, Vault> {
        relock(&self.vault)
    }

    pub(crate) fn enforcing(&self) -> bool {
        self.enforcing.load(Ordering::Relaxed)
    }

    pub(crate) fn enforce(&self, on: bool) {
        self.enforcing.store(on, Ordering::Relaxed);
    }

    pub(crate) fn record(&self, entry: RequestLog) {
        let mut log = relock(&self.log);
        if log.len() >= LOG {
            log.pop_front();
        }
        log.push_back(entry);
    }

    pub(crate) fn requests(&self) -> Vec<RequestLog> {
        relock(&self.log).iter().cloned().collect()
    }
}
