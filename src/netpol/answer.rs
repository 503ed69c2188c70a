//! An answer to "who can reach whom": what is open for sure, and what may be.

use std::sync::Arc;

use super::ports::PortSet;

/// Ports on which a connection is possible. What is in `may` and not in `sure` is undefined: the API leaves it open, a rule can't be read, or an
/// engine that is not evaluated has a say.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Answer {
    /// Open for sure. A subset of `may`.
    pub sure: Arc<PortSet>,
    /// Open for sure, or undefined.
    pub may: Arc<PortSet>,
}

/// The three answers in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Openness {
    /// No port is open, for sure.
    #[default]
    Blocked,
    /// No port is open for sure, but some may be.
    Undefined,
    /// Some port is open for sure.
    Open,
}

impl Answer {
    /// An answer without doubt.
    pub fn sure(ports: PortSet) -> Self {
        let ports = Arc::new(ports);
        Self { sure: ports.clone(), may: ports }
    }

    /// The answer in one word.
    pub fn openness(&self) -> Openness {
        match (self.sure.is_empty(), self.may.is_empty()) {
            (false, _) => Openness::Open,
            (true, false) => Openness::Undefined,
            (true, true) => Openness::Blocked,
        }
    }

    /// Ports of which nothing can be said.
    pub fn undefined(&self) -> PortSet {
        self.may.minus(&self.sure)
    }
}
