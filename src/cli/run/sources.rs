//! What the commands say about what could not be seen.

use crate::app::msg::View;
use crate::model::kind::Kind;
use crate::model::source::SourceState;
use crate::model::text::clean;

/// Whether anything of the cluster was seen at all.
pub fn any_seen(view: &View) -> bool {
    view.snapshot.sources.values().any(|state| matches!(state, SourceState::Live | SourceState::Stale { .. } | SourceState::Loading(_)))
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
