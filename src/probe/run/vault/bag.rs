//! Sessions that must not outlive a probe.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::vault::session::{self, Session};

/// Longest time for revoking when a probe was ended.
pub(super) const CLEANUP: Duration = Duration::from_secs(5);

/// Sessions that must not outlive the probe. What is still in it when it is dropped is revoked in the background.
#[derive(Default)]
pub(super) struct Bag(Mutex<Vec<Session>>);

impl Bag {
    pub fn put(&self, session: Session) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(session);
    }

    pub fn len(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// The session at an index. It stays in the bag until it is revoked, in case the probe is dropped meanwhile.
    pub fn get(&self, index: usize) -> Option<Session> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(index).cloned()
    }

    pub fn remove(&self, index: usize) {
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if index < sessions.len() {
            sessions.remove(index);
        }
    }

    pub fn take(&self) -> Vec<Session> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Bag {
    fn drop(&mut self) {
        let left = self.take();
        if left.is_empty() {
            return;
        }
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                for session in left {
                    // it expires by itself within its lease; there is nobody left to tell
                    drop(tokio::time::timeout(CLEANUP, session::revoke(&session)).await);
                }
            });
        }
    }
}
