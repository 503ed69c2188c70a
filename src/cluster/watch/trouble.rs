//! What a failure means for a source: the state it takes, and what is to be done (`spec/kubernetes-client.md` 2.3).

use crate::cluster::refusal::ApiRefusal;
use crate::model::ids::Name;
use crate::model::source::SourceState;
use crate::model::time::Time;

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Wait, then go on from where we were.
    Retry,
    /// Read the whole list again.
    Relist,
    /// Ask again later whether we may.
    AskAgain,
    /// Look again later whether the API is there.
    LookAgain,
}

/// What a refusal calls for.
pub(super) const fn next(refusal: &ApiRefusal) -> Next {
    match refusal.code {
        403 => Next::AskAgain,
        404 | 405 => Next::LookAgain,
        410 => Next::Relist,
        _ => Next::Retry,
    }
}

/// The state a source takes after a refusal. `before` tells whether anything was ever read, and since when it has been out of sight.
pub(super) fn state(refusal: &ApiRefusal, before: &SourceState, listed: bool, now: Time) -> SourceState {
    let why: Name = match refusal.code {
        401 => format!("the server does not accept our credentials: {refusal}").into(),
        410 => "changes were missed; reading the list again".into(),
        429 => format!("the server is busy: {refusal}").into(),
        500..=599 => format!("the server is in trouble: {refusal}").into(),
        _ => refusal.to_string().into(),
    };
    match next(refusal) {
        Next::AskAgain => SourceState::Denied { why },
        Next::LookAgain => SourceState::Absent,
        Next::Retry | Next::Relist => out_of_sight(why, before, listed, now),
    }
}

/// Stale where something was read once, down otherwise; since the first failure.
pub(super) fn out_of_sight(why: Name, before: &SourceState, listed: bool, now: Time) -> SourceState {
    let since = match before {
        SourceState::Stale { since, .. } | SourceState::Down { since, .. } => *since,
        _ => now,
    };
    if listed { SourceState::Stale { since, why } } else { SourceState::Down { since, why } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_has_a_state_with_words() {
        let refusal = |code: u16| match code {
            0 => ApiRefusal::no_answer("Unreachable", "Connection refused (os error 111)"),
            code => ApiRefusal::from_answer(code, br#"{"kind":"Status","message":"its words","reason":"Its"}"#),
        };
        let now = Time(7);
        for (code, listed, word, why, then) in [
            (0, true, "stale", Some("Connection refused (os error 111)"), Next::Retry),
            (0, false, "down", Some("Connection refused (os error 111)"), Next::Retry),
            (401, true, "stale", Some("the server does not accept our credentials: its words"), Next::Retry),
            (403, true, "denied", Some("its words"), Next::AskAgain),
            (404, true, "absent", None, Next::LookAgain),
            (410, true, "stale", Some("changes were missed; reading the list again"), Next::Relist),
            (429, false, "down", Some("the server is busy: its words"), Next::Retry),
            (503, true, "stale", Some("the server is in trouble: its words"), Next::Retry),
        ] {
            let state = state(&refusal(code), &SourceState::Live, listed, now);
            assert_eq!((state.word(), state.why().map(AsRef::as_ref)), (word, why), "{code}");
            assert_eq!(next(&refusal(code)), then, "{code}");
        }
    }

    #[test]
    fn a_source_is_stale_since_the_first_failure() {
        let before = SourceState::Stale { since: Time(1), why: "x".into() };
        let after = out_of_sight("y".into(), &before, true, Time(9));
        assert_eq!(after, SourceState::Stale { since: Time(1), why: "y".into() });
    }
}
