//! What a receipt proves. The only place where "held" is made, and it can't be made without the controls.

use super::{Crossing, Outcome, Receipt, Step};
use crate::model::event::Authority;
use crate::posture::verdict::Tried;

/// Proof that a wall held when tried. Its fields are private: only [`Held::shown`] makes one, from the controls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    by: Authority,
}

impl Held {
    /// From the source control, the target control, the anti-credulity control and the refusals: every control there and answered, every
    /// sobriety step refused or failed, every attempt refused by an expected authority.
    fn shown(source: &[&Step], target: &[&Step], sober: &[&Step], attempts: &[&Step], expected: &[Authority]) -> Option<Self> {
        let answered = |steps: &[&Step]| !steps.is_empty() && steps.iter().all(|step| step.outcome == Outcome::Answered);
        let refused = |steps: &[&Step]| !steps.is_empty() && steps.iter().all(|step| step.outcome != Outcome::Answered);
        if !answered(source) || !answered(target) || !refused(sober) {
            return None;
        }
        let mut by = None;
        for step in attempts {
            match step.outcome {
                Outcome::Refused { by: who } if expected.contains(&who) => by = Some(who),
                _ => return None,
            }
        }
        by.map(|by| Self { by })
    }

    /// Who refused.
    pub const fn by(&self) -> Authority {
        self.by
    }
}

/// What one crossing shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trial {
    /// The wall held.
    Held(Held),
    /// The crossing succeeded.
    Crossed,
    /// It proves nothing: why.
    Vacuous(&'static str),
}

impl Trial {
    /// For the verdict.
    pub const fn tried(&self) -> Tried {
        match self {
            Self::Held(_) => Tried::Held,
            Self::Crossed => Tried::Crossed,
            Self::Vacuous(_) => Tried::Vacuous,
        }
    }
}

/// Judges one crossing by the table of controls (`spec/posture.md` 5.3). O(steps). Steps that are referred to but absent count as failed.
pub fn judge(receipt: &Receipt, crossing: &Crossing) -> Trial {
    let find = |indices: &[usize]| -> Option<Vec<&Step>> { indices.iter().map(|i| receipt.steps.get(*i)).collect() };
    let (Some(source), Some(target), Some(sober), Some(attempts)) =
        (find(&crossing.source), find(&crossing.target), find(&crossing.sober), find(&crossing.attempts))
    else {
        return Trial::Vacuous("the receipt refers to steps it does not hold");
    };
    let any_answered = |steps: &[&Step]| steps.iter().any(|step| step.outcome == Outcome::Answered);
    let all_answered = |steps: &[&Step]| !steps.is_empty() && steps.iter().all(|step| step.outcome == Outcome::Answered);
    if any_answered(&sober) {
        return Trial::Vacuous("credulous path: what must fail was answered");
    }
    if any_answered(&attempts) {
        return Trial::Crossed;
    }
    if !all_answered(&source) {
        return Trial::Vacuous("mute source: what must work from there did not");
    }
    if !all_answered(&target) {
        return Trial::Vacuous("dead target: nobody entitled was answered there");
    }
    match Held::shown(&source, &target, &sober, &attempts, &crossing.expected) {
        Some(held) => Trial::Held(held),
        None if sober.is_empty() => Trial::Vacuous("no anti-credulity control"),
        None => Trial::Vacuous("refused by somebody else than the wall"),
    }
}

/// What a receipt says of a check: the worst of the crossings that speak for it; none when none does.
pub fn tried(receipt: &Receipt, check: &str) -> Option<Tried> {
    let rank = |tried: &Tried| match tried {
        Tried::Crossed => 0,
        Tried::Vacuous => 1,
        Tried::Held | Tried::No => 2,
    };
    receipt.crossings.iter().filter(|c| c.checks.iter().any(|id| id == check)).map(|c| judge(receipt, c).tried()).min_by_key(rank)
}
