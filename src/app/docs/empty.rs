//! What an empty list says instead: why it is empty and what to do.

use crate::app::doc::{Doc, span};
use crate::app::role::Role;
use crate::app::state::{Screen, State};
use crate::app::words;
use crate::model::kind::Kind;
use crate::model::source::SourceState;

/// Why there are no rows.
pub fn empty(state: &State, width: usize) -> Doc {
    let mut doc = Doc::new(width);
    let page = state.page();
    if page.all > 0 {
        let what = if page.failing { "Nothing fails here" } else { "Nothing matches the filter" };
        doc.para(&format!("{what}: {} rows are hidden. Esc shows them again.", page.all), Role::Muted);
        return doc;
    }
    if state.screen == Screen::Receipts && !state.view.assessment.by_tenant.is_empty() {
        doc.para("No receipts yet.", Role::Strong);
        doc.para("A receipt is the record of an attempt to cross a wall. p on a tenant or a check makes one, in probe mode.", Role::Muted);
        return doc;
    }
    if state.screen == Screen::Violations && !state.view.assessment.by_tenant.is_empty() {
        doc.para("No violations seen.", Role::Strong);
        doc.para("What could not be looked at is UNKNOWN, and is not counted here.", Role::Muted);
        return doc;
    }
    if state.screen == Screen::Matrix && !state.view.assessment.by_tenant.is_empty() {
        doc.para("Who can reach whom is not known yet.", Role::Strong);
        if let Some((why, _)) = crate::app::matrix::blind(state) {
            doc.para(&state.sayer().say(&why), Role::Muted);
        }
        return doc;
    }
    if state.screen == Screen::Vault && !state.view.assessment.by_tenant.is_empty() {
        doc.para("What tenants reach in Vault is not known.", Role::Strong);
        if let Some((why, _)) = crate::app::vault::blind(state) {
            doc.para(&state.sayer().say(&why), Role::Muted);
        }
        return doc;
    }
    if state.screen == Screen::Quota && !state.view.assessment.by_tenant.is_empty() {
        doc.para("No ResourceQuota seen.", Role::Strong);
        return doc;
    }
    if state.screen == Screen::Tenant && !state.view.assessment.by_tenant.is_empty() {
        doc.para("This tenant is gone, or none was chosen. 1 shows all tenants.", Role::Muted);
        return doc;
    }
    unread(state, &mut doc);
    doc
}

/// Nothing was read, or there is no tenant.
fn unread(state: &State, doc: &mut Doc) {
    let snapshot = &state.view.snapshot;
    let say = state.sayer();
    let context = if snapshot.server.context.is_empty() { state.settings.context.as_str() } else { snapshot.server.context.as_ref() };
    let context = if context.is_empty() { "the cluster".to_owned() } else { say.say(context).into_owned() };
    match snapshot.source(Kind::Namespace) {
        SourceState::Off | SourceState::Connecting => {
            doc.line(vec![
                span(format!("{} ", state.symbols().waiting), Role::Waiting),
                span(format!("Connecting to {context}"), Role::Strong),
            ]);
            doc.para("Nothing has been read yet.", Role::Muted);
        }
        SourceState::Loading(n) => {
            doc.line(vec![span(format!("{} ", state.symbols().waiting), Role::Waiting), span(format!("Reading {context}"), Role::Strong)]);
            doc.para(&format!("{n} namespaces so far."), Role::Muted);
        }
        SourceState::Denied { why } => {
            doc.para(&format!("We may not list the namespaces of {context}."), Role::Strong);
            doc.para(&say.say(why), Role::Muted);
            doc.para("`partywall doctor` says which permissions are missing and what each one costs.", Role::Text);
        }
        state @ (SourceState::Down { .. } | SourceState::Stale { .. }) => {
            doc.para(&format!("No answer from {context}."), Role::Strong);
            doc.para(&say.say(&words::standing(state).why), Role::Muted);
            doc.para("It is tried again by itself; r tries now. --context chooses another cluster.", Role::Text);
        }
        SourceState::Live | SourceState::Absent => {
            doc.para("No tenants found.", Role::Strong);
            let rule = state.view.assessment.tenants.rule.words();
            doc.para(
                &format!("Rule in force: {rule}. Tenants can be listed in the configuration, or found by a label or a namespace pattern."),
                Role::Muted,
            );
        }
    }
}
