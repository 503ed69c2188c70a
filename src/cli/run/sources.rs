//! What the commands say about what could not be seen.

use crate::app::msg::View;
use crate::model::kind::{Kind, WATCHED};
use crate::model::source::SourceState;
use crate::model::text::clean;
use crate::posture::assessment::Unknown;
use crate::posture::sight::Source;

/// Whether anything of the cluster was seen at all.
pub fn any_seen(view: &View) -> bool {
    view.snapshot.sources.values().any(|state| matches!(state, SourceState::Live | SourceState::Stale { .. } | SourceState::Loading(_)))
}

/// Whether something could not be looked at. A Vault that was never configured is no such thing, nor is what the operator chose not to let
/// us ask for.
pub fn anything_unseen(view: &View) -> bool {
    let absent = |unknown: &Unknown| unknown.source == Source::Vault.name() && !view.snapshot.vault.configured;
    let not_asked = |unknown: &Unknown| {
        let mut kinds = WATCHED.iter().filter(|info| info.kind.as_str() == unknown.source);
        kinds.any(|info| Source::Objects(info.kind).not_asked(&view.snapshot))
    };
    view.assessment.unknowns.iter().any(|unknown| !absent(unknown) && !not_asked(unknown))
}

/// Why nothing was seen.
pub fn why_blind(view: &View, complete: bool, seconds: u64) -> String {
    match view.snapshot.source(Kind::Namespace) {
        state @ (SourceState::Down { .. } | SourceState::Denied { .. }) => format!("could not look at the cluster: {state}"),
        _ if !complete => format!("could not look at the cluster: no answer within {seconds} s"),
        state => format!("could not look at the cluster: namespaces are {state}"),
    }
}

/// Sources that have not answered yet.
pub fn still_out(view: &View) -> String {
    let out = |state: &SourceState| matches!(state, SourceState::Connecting | SourceState::Loading(_) | SourceState::Off);
    let names: Vec<&str> = view.snapshot.sources.iter().filter(|(_, state)| out(state)).map(|(kind, _)| kind.as_str()).collect();
    if names.is_empty() { "Vault".to_owned() } else { names.join(", ") }
}

/// A tenant that is not there, with those that are.
pub fn no_such_tenant(view: &View, name: &str) -> String {
    let known: Vec<String> = view.assessment.by_tenant.keys().take(12).map(|tenant| clean(tenant)).collect();
    let rest = view.assessment.by_tenant.len().saturating_sub(known.len());
    let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
    format!("no tenant {}; there are {}{more} (found by: {})", clean(name), known.join(", "), view.assessment.tenants.rule.words())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::changes::Change;
    use crate::model::store::Store;
    use crate::model::vault::VaultFacts;
    use crate::posture::engine::{EngineConfig, from_scratch};
    use crate::receipt::book::Book;

    /// A cluster without objects, one of whose kinds is in this state.
    fn view(state: &SourceState, vault: bool) -> View {
        let mut store = Store::default();
        for info in &WATCHED {
            store.apply(Change::Listed(info.kind));
        }
        store.apply(Change::State(Kind::NetworkPolicy, state.clone()));
        store.apply(Change::State(Kind::TokenSecret, SourceState::Off));
        store.apply(Change::Vault(Box::new(VaultFacts { configured: vault, ..VaultFacts::default() })));
        let (snapshot, _) = store.publish();
        let assessment = from_scratch(&EngineConfig::default(), &snapshot, &Book::default(), crate::model::time::Time(0));
        View { snapshot, assessment: Arc::new(assessment), book: Arc::default() }
    }

    #[test]
    fn a_denied_kind_and_a_silent_vault_are_unseen_and_no_vault_at_all_or_what_is_not_asked_for_is_not() {
        assert!(!anything_unseen(&view(&SourceState::Live, false)));
        assert!(anything_unseen(&view(&SourceState::Denied { why: "no".into() }, false)));
        assert!(anything_unseen(&view(&SourceState::Loading(1), false)));
        assert!(anything_unseen(&view(&SourceState::Live, true)));
    }
}
