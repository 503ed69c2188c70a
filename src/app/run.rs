//! A probe run as it is shown while it goes.

use std::sync::Arc;

use crate::model::ids::TenantId;
use crate::model::time::Time;
use crate::probe::spec::ProbeId;
use crate::receipt::{Receipt, Step};

/// Probes of one tenant, one after the other.
#[derive(Clone, Debug)]
pub struct Run {
    /// The tenant.
    pub tenant: TenantId,
    /// Its probes, in order.
    pub parts: Vec<Part>,
    /// When it was asked for.
    pub started: Time,
    /// It was asked to stop.
    pub cancelled: bool,
}

/// One probe of a run.
#[derive(Clone, Debug)]
pub struct Part {
    /// Which.
    pub probe: ProbeId,
    /// Steps it will take, as far as it said.
    pub of: usize,
    /// What it is doing.
    pub doing: Option<String>,
    /// What it did.
    pub steps: Vec<Step>,
    /// How it ended.
    pub end: Option<End>,
}

/// How a probe ended.
#[derive(Clone, Debug)]
pub enum End {
    /// With a receipt.
    Receipt(Arc<Receipt>),
    /// Without: why.
    Failed(String),
}

impl Part {
    /// A probe that has not begun.
    pub const fn new(probe: ProbeId) -> Self {
        Self { probe, of: 0, doing: None, steps: Vec::new(), end: None }
    }
}

impl Run {
    /// A run asked for now.
    pub fn new(tenant: TenantId, probes: &[ProbeId], now: Time) -> Self {
        Self { tenant, parts: probes.iter().map(|probe| Part::new(*probe)).collect(), started: now, cancelled: false }
    }

    /// Whether any of it is still to come.
    pub fn running(&self) -> bool {
        self.parts.iter().any(|part| part.end.is_none())
    }

    /// Steps done and steps foreseen.
    pub fn progress(&self) -> (usize, usize) {
        let done = self.parts.iter().map(|part| part.steps.len()).sum();
        let of = self.parts.iter().map(|part| part.of.max(part.steps.len())).sum();
        (done, of)
    }

    /// The part of a probe, made when it was not foreseen.
    pub fn part(&mut self, probe: ProbeId) -> Option<&mut Part> {
        if !self.parts.iter().any(|part| part.probe == probe) {
            self.parts.push(Part::new(probe));
        }
        self.parts.iter_mut().find(|part| part.probe == probe)
    }
}
