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
    /// What it is doing: several things where steps wait side by side.
    pub doing: Vec<String>,
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
    /// The step under way and how many are foreseen: what is begun beyond the plan counts as foreseen.
    pub fn at(&self) -> (usize, usize) {
        let at = self.steps.len() + 1;
        (at, self.of.max(at))
    }

    /// Something begins.
    pub fn begins(&mut self, what: String) {
        if self.doing.len() < 16 {
            self.doing.push(what);
        }
    }

    /// A step is done; what is named like it is no longer under way.
    pub fn did(&mut self, step: Step) {
        if let Some(i) = self.doing.iter().position(|doing| doing.as_str() == &*step.what) {
            self.doing.remove(i);
        }
        if self.steps.len() < 1_000 {
            self.steps.push(step);
        }
    }

    /// A probe that has not begun.
    pub const fn new(probe: ProbeId) -> Self {
        Self { probe, of: 0, doing: Vec::new(), steps: Vec::new(), end: None }
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

    /// Steps done so far, of all probes.
    pub fn steps(&self) -> usize {
        self.parts.iter().map(|part| part.steps.len()).sum()
    }

    /// The probe under way and how many come before it; none when all have ended.
    pub fn current(&self) -> Option<(usize, &Part)> {
        self.parts.iter().enumerate().find(|(_, part)| part.end.is_none())
    }

    /// The part of a probe, made when it was not foreseen.
    pub fn part(&mut self, probe: ProbeId) -> Option<&mut Part> {
        if !self.parts.iter().any(|part| part.probe == probe) {
            self.parts.push(Part::new(probe));
        }
        self.parts.iter_mut().find(|part| part.probe == probe)
    }
}
