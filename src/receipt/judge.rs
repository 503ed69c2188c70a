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
        None if attempts.iter().all(|step| step.outcome == Outcome::Failed) => Trial::Vacuous("nobody refused: the attempt itself failed"),
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::time::Time;
    use crate::probe::spec::ProbeId;
    use crate::receipt::ClusterId;

    const EXPECTED: Authority = Authority::ResourceQuota;
    const HELD_BACK: Outcome = Outcome::Refused { by: EXPECTED };
    const BY_RBAC: Outcome = Outcome::Refused { by: Authority::Authorizer };

    fn receipt(outcomes: &[Outcome], crossings: Vec<Crossing>) -> Receipt {
        let step = |outcome: &Outcome| Step {
            what: String::new(),
            from: String::new(),
            outcome: *outcome,
            said: String::new(),
            code: String::new(),
            request_id: None,
            at: Time(0),
            took: 0,
        };
        Receipt {
            id: "id".into(),
            probe: ProbeId::Resource,
            tenant: "acme".into(),
            partner: None,
            cluster: ClusterId { context: "".into(), uid: "".into(), version: "".into(), simulated: false },
            operator: "".into(),
            mode: "probe".into(),
            steps: outcomes.iter().map(step).collect(),
            crossings,
            depends: vec![],
            created: Time(0),
            expires: Time(1),
        }
    }

    fn crossing(source: &[usize], target: &[usize], sober: &[usize], attempts: &[usize]) -> Crossing {
        Crossing {
            what: String::new(),
            checks: vec!["RES-01".to_owned()],
            expected: vec![EXPECTED],
            source: source.to_vec(),
            target: target.to_vec(),
            sober: sober.to_vec(),
            attempts: attempts.to_vec(),
        }
    }

    /// source, target, sobriety, attempts → what it shows, row by row of the table of controls.
    #[test]
    fn the_table_of_controls() {
        use Outcome::{Answered, Failed};
        type Row = (&'static str, Outcome, Outcome, Outcome, &'static [Outcome], Tried);
        let rows: [Row; 13] = [
            ("all controls, refused by the wall", Answered, Answered, Failed, &[HELD_BACK], Tried::Held),
            ("refused by the wall every time", Answered, Answered, Failed, &[HELD_BACK, HELD_BACK], Tried::Held),
            ("refused by somebody else", Answered, Answered, Failed, &[BY_RBAC], Tried::Vacuous),
            ("once by somebody else", Answered, Answered, Failed, &[HELD_BACK, BY_RBAC], Tried::Vacuous),
            ("an error that says nothing", Answered, Answered, Failed, &[Failed], Tried::Vacuous),
            ("succeeded", Answered, Answered, Failed, &[Answered], Tried::Crossed),
            ("succeeded once of three times", Answered, Answered, Failed, &[HELD_BACK, Answered, HELD_BACK], Tried::Crossed),
            ("dead target", Answered, Failed, Failed, &[HELD_BACK], Tried::Vacuous),
            ("dead target: it refuses its own", Answered, HELD_BACK, Failed, &[HELD_BACK], Tried::Vacuous),
            ("mute source", Failed, Answered, Failed, &[HELD_BACK], Tried::Vacuous),
            ("mute source, dead target", Failed, Failed, Failed, &[HELD_BACK], Tried::Vacuous),
            ("credulous path, refused", Answered, Answered, Answered, &[HELD_BACK], Tried::Vacuous),
            ("credulous path, succeeded", Answered, Answered, Answered, &[Answered], Tried::Vacuous),
        ];
        for (name, source, target, sober, attempts, expected) in rows {
            let steps: Vec<Outcome> = [source, target, sober].into_iter().chain(attempts.iter().copied()).collect();
            let crossing = crossing(&[0], &[1], &[2], &(3..steps.len()).collect::<Vec<_>>());
            let trial = judge(&receipt(&steps, vec![]), &crossing);
            assert_eq!(trial.tried(), expected, "{name}");
            if let Trial::Vacuous(why) = trial {
                // the reason names what the row is about
                let topics = ["dead target", "mute source", "credulous path"];
                let other = if name.starts_with("an error") { "nobody refused" } else { "refused by somebody else" };
                let topic = topics.into_iter().find(|topic| name.starts_with(topic)).unwrap_or(other);
                assert!(why.starts_with(topic), "{name}: {why}");
            }
        }
    }

    #[test]
    fn a_missing_control_proves_nothing() {
        let steps = [Outcome::Answered, Outcome::Answered, Outcome::Failed, HELD_BACK];
        let receipt = receipt(&steps, vec![]);
        for (name, crossing) in [
            ("no source", crossing(&[], &[1], &[2], &[3])),
            ("no target", crossing(&[0], &[], &[2], &[3])),
            ("no sobriety", crossing(&[0], &[1], &[], &[3])),
            ("no attempt", crossing(&[0], &[1], &[2], &[])),
            ("a step that is not there", crossing(&[0], &[9], &[2], &[3])),
        ] {
            assert_eq!(judge(&receipt, &crossing).tried(), Tried::Vacuous, "{name}");
        }
        let whole = judge(&receipt, &crossing(&[0], &[1], &[2], &[3]));
        assert!(matches!(whole, Trial::Held(held) if held.by() == EXPECTED));
    }

    #[test]
    fn of_several_crossings_the_worst_speaks() {
        let steps = [Outcome::Answered, Outcome::Answered, Outcome::Failed, HELD_BACK, BY_RBAC, Outcome::Answered];
        let (held, vacuous, crossed) =
            (crossing(&[0], &[1], &[2], &[3]), crossing(&[0], &[1], &[2], &[4]), crossing(&[0], &[1], &[2], &[5]));
        let of = |list: &[&Crossing]| tried(&receipt(&steps, list.iter().map(|c| (*c).clone()).collect()), "RES-01");
        assert_eq!(of(&[&held]), Some(Tried::Held));
        assert_eq!(of(&[&held, &vacuous]), Some(Tried::Vacuous));
        assert_eq!(of(&[&held, &crossed, &vacuous]), Some(Tried::Crossed));
        assert_eq!(tried(&receipt(&steps, vec![held]), "RES-04"), None, "it speaks for the checks it names only");
    }

    fn any_outcome() -> impl Strategy<Value = Outcome> {
        prop::sample::select(vec![Outcome::Answered, Outcome::Failed, HELD_BACK, BY_RBAC])
    }

    proptest! {
        #[test]
        fn nothing_is_held_without_every_control(
            steps in prop::collection::vec(any_outcome(), 0..8),
            indices in prop::collection::vec(prop::collection::vec(0..9_usize, 0..4), 4),
        ) {
            let crossing = crossing(&indices[0], &indices[1], &indices[2], &indices[3]);
            let receipt = receipt(&steps, vec![]);
            let outcomes = |list: &[usize]| list.iter().map(|i| steps.get(*i).copied()).collect::<Vec<_>>();
            let answered = |list: &[usize]| !list.is_empty() && outcomes(list).iter().all(|o| *o == Some(Outcome::Answered));
            let sober = !indices[2].is_empty() && outcomes(&indices[2]).iter().all(|o| o.is_some_and(|o| o != Outcome::Answered));
            let refused = !indices[3].is_empty() && outcomes(&indices[3]).iter().all(|o| *o == Some(HELD_BACK));
            let all_controls = answered(&indices[0]) && answered(&indices[1]) && sober && refused;
            prop_assert_eq!(judge(&receipt, &crossing).tried() == Tried::Held, all_controls);
        }
    }
}
