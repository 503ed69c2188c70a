//! One check of one tenant: claim, verdict, evidence, receipt, fix.

use crate::app::doc::{Doc, span};
use crate::app::keymap::{self, Action};
use crate::app::list::Row;
use crate::app::role::Role;
use crate::app::standing::lapsed_words;
use crate::app::state::State;
use crate::app::words;
use crate::model::time::{Time, age};
use crate::posture::assessment::{CheckResult, TenantAssessment};
use crate::posture::finding::Finding;
use crate::posture::verdict::Tried;

/// Why a check reads as it does, in one line: its worst finding, or its lapse, or its title.
pub fn reason(state: &State, result: &CheckResult) -> String {
    let say = state.sayer();
    if let (Some(lapsed), false) = (&result.lapsed, result.verdict.is_violation()) {
        return format!("receipt lapsed: {}", say.say(&lapsed_words(&lapsed.by)));
    }
    match result.findings.first() {
        Some(finding) => message(state, finding),
        None => result.check.title.to_owned(),
    }
}

/// What a finding says, fit to show.
pub fn message(state: &State, finding: &Finding) -> String {
    words::short_times(&state.sayer().say(&finding.message), state.now).into_owned()
}

/// Moments in the evidence on the screen, whose ages are shown.
pub fn moments(state: &State) -> Vec<Time> {
    let selected = state.page().list.selected.as_ref();
    let (Some(tenant), Some(check)) = state.subject() else { return Vec::new() };
    if !matches!(selected, Some(Row::Check(_) | Row::Finding(..))) {
        return Vec::new();
    }
    let findings = state.assessed(&tenant).and_then(|t| state.result(t, check)).map(|r| r.findings.as_slice()).unwrap_or_default();
    findings.iter().take(40).flat_map(|f| f.evidence.iter().take(12)).filter_map(|e| Time::parse(&e.value)).collect()
}

/// The detail of a check of the tenant shown.
pub fn detail(state: &State, check: &str, width: usize) -> Doc {
    let mut doc = Doc::new(width);
    let Some(tenant) = state.tenant.as_ref().and_then(|t| state.assessed(t)) else { return doc };
    let Some(result) = state.result(tenant, check) else { return doc };
    doc.para(result.check.claim, Role::Strong);
    doc.blank();
    verdict(state, result, &mut doc);
    evidence(state, result, &mut doc);
    receipt(state, result, &mut doc);
    fix(state, tenant, result, &mut doc);
    doc
}

fn verdict(state: &State, result: &CheckResult, doc: &mut Doc) {
    let mut line = super::verdict(state, result.verdict);
    let mut said = vec![span("declared ", Role::Muted), span(words::declared(result.declared), Role::Text)];
    if result.check.probe.is_some() {
        said.push(span(", tried: ", Role::Muted));
        said.push(span(words::tried(result.tried), Role::Text));
    }
    let columns = |spans: &[crate::app::doc::Span]| spans.iter().map(|s| s.text.chars().count()).sum::<usize>();
    if columns(&line) + 2 + columns(&said) > doc.width {
        doc.line(line);
        // too narrow for both: each on its own line
        for pair in said.chunks(2) {
            let text: String = pair.iter().map(|s| s.text.trim_start_matches(", ")).collect();
            doc.para(&text, Role::Text);
        }
        return;
    }
    line.push(span("  ", Role::Text));
    line.extend(said);
    doc.line(line);
}

fn evidence(state: &State, result: &CheckResult, doc: &mut Doc) {
    doc.head("evidence");
    if result.findings.is_empty() {
        doc.para("none given", Role::Muted);
    }
    for finding in result.findings.iter().take(40) {
        one_finding(state, finding, doc);
    }
    if result.findings.len() > 40 {
        doc.para(&format!("and {} more", result.findings.len() - 40), Role::Muted);
    }
}

fn one_finding(state: &State, finding: &Finding, doc: &mut Doc) {
    let say = state.sayer();
    let sign = state.symbols().verdict(finding.verdict);
    doc.hang(vec![span(format!("{sign} "), Role::of(finding.verdict))], &message(state, finding), Role::Text);
    for evidence in finding.evidence.iter().take(12) {
        // a moment is told by its age, as everywhere on the screen
        let value = match Time::parse(&evidence.value) {
            Some(at) => words::ago(state.now.since(at)).into(),
            None => say.say(&evidence.value),
        };
        let text = format!("{}  {} = {value}", say.say(&evidence.object.to_string()), say.say(&evidence.field));
        doc.hang(vec![span("  ", Role::Text)], &text, Role::Muted);
    }
}

fn receipt(state: &State, result: &CheckResult, doc: &mut Doc) {
    let Some(probe) = result.check.probe else {
        doc.head("receipt");
        return doc.para("nothing to try: this check is about declarations alone", Role::Muted);
    };
    doc.head("receipt");
    if let Some(receipt) = result.receipt.as_ref().and_then(|id| state.view.book.get(id)) {
        let left = receipt.expires.since(state.now);
        doc.para(
            &format!(
                "made {}, counts for another {} unless something it rests on changes",
                words::ago(state.now.since(receipt.created)),
                age(left)
            ),
            Role::Muted,
        );
        return super::receipt::three_lines(state, receipt, Some(result.check.id), doc);
    }
    if let Some(lapsed) = &result.lapsed {
        let why = state.sayer().say(&lapsed_words(&lapsed.by)).into_owned();
        let sign = state.symbols().verdict(crate::posture::verdict::Verdict::Unproven);
        let text = format!("the receipt made {} counts no more: {why}", words::ago(state.now.since(lapsed.made)));
        doc.hang(vec![span(format!("{sign} "), Role::Unproven)], &text, Role::Text);
    } else {
        doc.para("no receipt", Role::Muted);
    }
    let action = match keymap::enabled(state, Action::Probe) {
        Ok(()) => format!("press p to try it ({})", probe.id()),
        Err(why) => why.into_owned(),
    };
    doc.para(&action, if keymap::enabled(state, Action::Probe).is_ok() { Role::Key } else { Role::KeyOff });
}

fn fix(state: &State, tenant: &TenantAssessment, result: &CheckResult, doc: &mut Doc) {
    let Some(recipe) = result.check.fix.filter(|_| result.verdict.is_violation()) else { return };
    doc.head("fix");
    let action = match keymap::enabled(state, Action::Fix) {
        Ok(()) => (format!("{recipe}: press f for the plan, its diff and the server's dry-run"), Role::Key),
        Err(why) => (format!("{recipe}: {why}"), Role::KeyOff),
    };
    doc.para(&action.0, action.1);
    if state.undo.contains_key(&tenant.tenant) {
        doc.para("u undoes the last fix of this session", Role::Muted);
    }
}

/// The detail of a row of the violations screen.
pub fn violation(state: &State, row: &Row, width: usize) -> Doc {
    let mut doc = Doc::new(width);
    let say = state.sayer();
    match row {
        Row::Finding(tenant, check, ..) => {
            let Some(assessed) = state.assessed(tenant) else { return doc };
            let Some(result) = state.result(assessed, check) else { return doc };
            doc.para(result.check.claim, Role::Strong);
            doc.blank();
            verdict(state, result, &mut doc);
            doc.blank();
            if let Some(finding) = row.finding(&result.findings) {
                one_finding(state, finding, &mut doc);
            }
            if result.tried == Tried::Crossed
                && let Some(receipt) = result.receipt.as_ref().and_then(|id| state.view.book.get(id))
            {
                doc.head("receipt");
                super::receipt::three_lines(state, receipt, Some(result.check.id), &mut doc);
            }
            fix(state, assessed, result, &mut doc);
        }
        Row::Refusal(tenant, namespace, about, message) => {
            let Some(assessed) = state.assessed(tenant) else { return doc };
            let same = |r: &&crate::posture::assessment::Refusal| {
                r.namespace == *namespace && r.about == about.as_ref() && r.message == message.as_ref()
            };
            let Some(refusal) = assessed.refusals.iter().find(same) else { return doc };
            doc.pair("refused", 8, &format!("{} in {}", say.say(&refusal.about), say.say(namespace)), Role::Text);
            doc.pair("by", 8, words::authority(refusal.authority), Role::Strong);
            doc.pair(
                "when",
                8,
                &format!(
                    "{}, {} time{}",
                    words::ago(state.now.since(refusal.last)),
                    refusal.count,
                    if refusal.count == 1 { "" } else { "s" }
                ),
                Role::Text,
            );
            doc.head("in its own words");
            doc.para(&say.say(&refusal.message), Role::Text);
        }
        _ => {}
    }
    doc
}
