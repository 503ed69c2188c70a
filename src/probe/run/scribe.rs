//! Writes down what a probe does while it does it, and tells the screen.

use std::future::Future;

use super::super::spec::ProbeId;
use crate::app::msg::ProbeNews;
use crate::cluster::ApiRefusal;
use crate::model::event::Authority;
use crate::model::ids::TenantId;
use crate::model::text::clean_to;
use crate::model::time::Time;
use crate::receipt::{Crossing, Outcome, Step};

/// Longest words kept in a step, in characters.
const WORDS: usize = 512;

/// What a probe made.
pub(super) struct Made {
    pub steps: Vec<Step>,
    pub crossings: Vec<Crossing>,
    /// The tenant on the other side in the end.
    pub partner: Option<TenantId>,
}

/// What came of one thing done, before it is a step.
pub(super) struct Told {
    pub outcome: Outcome,
    pub said: String,
    pub code: String,
    pub request_id: Option<String>,
}

impl Told {
    pub fn new(outcome: Outcome, said: impl Into<String>, code: impl std::fmt::Display) -> Self {
        Self { outcome, said: said.into(), code: code.to_string(), request_id: None }
    }

    /// An API server's refusal, by its author. An author without a name, or no answer at all, is a failure.
    pub fn refused(refusal: &ApiRefusal) -> Self {
        let outcome = match refusal.authority {
            Authority::Unknown => Outcome::Failed,
            by => Outcome::Refused { by },
        };
        let code = if refusal.code == 0 { refusal.reason.clone() } else { refusal.code.to_string() };
        Self::new(outcome, refusal.to_string(), code)
    }
}

/// Tells the screen what is done, and makes steps of it.
pub(super) struct Scribe<'a> {
    pub tenant: &'a TenantId,
    pub probe: ProbeId,
    pub now: fn() -> Time,
    pub news: &'a (dyn Fn(ProbeNews) + Send + Sync),
}

impl Scribe<'_> {
    /// Says how many steps there will be, about.
    pub fn started(&self, of: usize) {
        (self.news)(ProbeNews::Started { tenant: self.tenant.clone(), probe: self.probe, of });
    }

    /// Does something and makes a step of it. `what` and `from` carry no secret and no path of a third party.
    pub async fn step(&self, what: String, from: String, work: impl Future<Output = Told> + Send) -> Step {
        self.step_with(what, from, async { (work.await, ()) }).await.0
    }

    /// The same for work that also yields something.
    pub async fn step_with<T>(&self, what: String, from: String, work: impl Future<Output = (Told, T)> + Send) -> (Step, T) {
        let what = clean_to(&what, WORDS);
        (self.news)(ProbeNews::Doing { tenant: self.tenant.clone(), probe: self.probe, what: what.clone() });
        let at = (self.now)();
        let (told, gain) = work.await;
        let took = u64::try_from((self.now)().since(at)).unwrap_or(0);
        let step = Step {
            what,
            from: clean_to(&from, WORDS),
            outcome: told.outcome,
            said: clean_to(&told.said, WORDS),
            code: clean_to(&told.code, 64),
            request_id: told.request_id.map(|id| clean_to(&id, 64)),
            at,
            took,
        };
        (self.news)(ProbeNews::Did { tenant: self.tenant.clone(), probe: self.probe, step: step.clone() });
        (step, gain)
    }
}

/// Adds a step; its index.
pub(super) fn push(steps: &mut Vec<Step>, step: Step) -> usize {
    steps.push(step);
    steps.len() - 1
}
