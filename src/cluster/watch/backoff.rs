//! Waiting longer after each failure, with jitter.

use std::time::Duration;

/// Doubles from a shortest to a longest wait.
#[derive(Debug, Clone)]
pub(super) struct Backoff {
    shortest: Duration,
    longest: Duration,
    failures: u32,
}

impl Backoff {
    /// For a server in trouble.
    pub(super) const fn trouble() -> Self {
        Self { shortest: Duration::from_millis(800), longest: Duration::from_secs(30), failures: 0 }
    }

    /// For lists that must be read again because changes were missed.
    pub(super) const fn resync() -> Self {
        Self { shortest: Duration::from_millis(200), longest: Duration::from_secs(30), failures: 0 }
    }

    /// For a permission we don't have.
    pub(super) const fn denial() -> Self {
        Self { shortest: Duration::from_secs(60), longest: Duration::from_secs(300), failures: 0 }
    }

    /// For a permission we had a moment ago: a server that has just started refuses before it has read its roles.
    pub(super) const fn lost_permission() -> Self {
        Self { shortest: Duration::from_secs(2), longest: Duration::from_secs(300), failures: 0 }
    }

    /// The next wait: between half and all of the current step.
    pub(super) fn wait(&mut self) -> Duration {
        let step = self.shortest.saturating_mul(1 << self.failures.min(16)).min(self.longest);
        self.failures = self.failures.saturating_add(1);
        step.mul_f64(fastrand::f64().mul_add(0.5, 0.5))
    }

    /// It works again.
    pub(super) const fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_the_longest_and_start_over() {
        let mut backoff = Backoff::trouble();
        for step in [800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000] {
            let wait = backoff.wait().as_millis();
            assert!((step / 2..=step).contains(&wait), "{wait} of {step}");
        }
        backoff.reset();
        assert!(backoff.wait().as_millis() <= 800);
        let mut many = Backoff { failures: u32::MAX, ..Backoff::denial() };
        assert!(many.wait() <= Duration::from_secs(300));
    }
}
