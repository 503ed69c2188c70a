//! Why one end reaches another, or does not: ports by reason, and what each side says with which rule of which object.

use crate::app::doc::{Doc, Span, span};
use crate::app::role::Role;
use crate::app::state::{State, StoryDialog};
use crate::model::ids::ObjectRef;
use crate::netpol::answer::Openness;
use crate::netpol::story::{End, NearMiss, Reason, RuleRef, Segment, Side, Story};

/// Segments that are told; the rest is counted.
const SEGMENTS: usize = 40;
/// Rules and objects that are named for one side; the rest is counted.
const NAMED: usize = 8;

/// An end, as a title says it.
pub fn end(state: &State, end: &End) -> String {
    let say = state.sayer();
    match end {
        End::Tenant(tenant) => say.say(tenant).into_owned(),
        End::Namespace(namespace) => format!("namespace {}", say.say(namespace)),
        End::Workload { namespace, name, kind } => format!("{} {}/{}", say.say(kind), say.say(namespace), say.say(name)),
        End::Pod { namespace, name } => format!("Pod {}/{}", say.say(namespace), say.say(name)),
        End::Imagined { namespace, .. } => format!("a pod of {}", say.say(namespace)),
        End::Address(address) | End::Outside(address) => address.to_string(),
        End::Target(target) => target.words().to_owned(),
    }
}

/// The dialog's text.
pub fn dialog(state: &State, dialog: &StoryDialog, width: usize) -> Doc {
    let mut doc = Doc::new(width);
    match &dialog.story {
        None => doc.para("asking…", Role::Muted),
        Some(None) => {
            let why = unknown(state, dialog).unwrap_or("one of the two is gone, or has no pods and no namespace");
            doc.para(&format!("Nothing can be told: {why}."), Role::Strong);
            doc.para("Esc closes, r asks again.", Role::Muted);
        }
        Some(Some(story)) => told(state, story, &mut doc),
    }
    doc
}

/// Why nothing can be said of a target.
fn unknown(state: &State, dialog: &StoryDialog) -> Option<&'static str> {
    let (End::Tenant(from), End::Target(target)) = (&dialog.from, &dialog.to) else { return None };
    let matrix = &state.view.assessment.matrix;
    matrix.rows.get(matrix.place(from)?)?.target(*target)?.unknown
}

fn told(state: &State, story: &Story, doc: &mut Doc) {
    let say = state.sayer();
    if state.frozen.is_some() {
        doc.para("The screen is held; this is told of now.", Role::NoteWarn);
    }
    doc.pair("from", 4, &say.say(&story.from), Role::Strong);
    doc.pair("to", 4, &say.say(&story.to), Role::Strong);
    for segment in story.segments.iter().take(SEGMENTS) {
        doc.blank();
        one_segment(state, segment, doc);
    }
    if story.segments.len() > SEGMENTS {
        doc.para(&format!("and {} more groups of ports", story.segments.len() - SEGMENTS), Role::Muted);
    }
    if !story.notes.is_empty() {
        doc.head("to be minded");
    }
    for note in &story.notes {
        doc.hang(vec![span(format!("{} ", state.symbols().bullet), Role::Muted)], &say.say(note), Role::Text);
    }
}

/// The word and the role of a side or of both together. Declarations alone are never green.
const fn word(openness: Openness) -> (&'static str, Role) {
    match openness {
        Openness::Open => ("OPEN", Role::Breached),
        Openness::Undefined => ("UNDEFINED", Role::Vacuous),
        Openness::Blocked => ("BLOCKED", Role::Unproven),
    }
}

fn one_segment(state: &State, segment: &Segment, doc: &mut Doc) {
    let (verdict, role) = word(segment.openness);
    doc.hang(vec![span(format!("{verdict:10}"), role)], &segment.ports.words(), Role::Title);
    side(state, "out of the source", &segment.egress, doc);
    side(state, "into the destination", &segment.ingress, doc);
}

fn side(state: &State, which: &str, side: &Side, doc: &mut Doc) {
    let (sign, role) = match side.openness {
        Openness::Open => (state.symbols().arrow, Role::Text),
        Openness::Undefined => ("?", Role::Vacuous),
        Openness::Blocked => (state.symbols().denied, Role::Unproven),
    };
    let mut first = vec![span(format!("  {sign} "), role), span(format!("{which}: "), Role::Label)];
    if !side.passed.is_empty() {
        let passed = std::mem::replace(&mut first, vec![span("      ", Role::Text)]);
        doc.hang(passed, "passed on by", Role::Text);
        named(side.passed.len(), side.passed.iter().map(|rule| rule_line(state, rule)), doc);
    }
    match &side.reason {
        Reason::NotUnderPolicy(why) => doc.hang(first, &format!("policies do not apply: {why}"), Role::Text),
        Reason::NotIsolated => doc.hang(first, "no policy isolates it in this direction, so everything may pass", Role::Text),
        Reason::Allowed(rules) => {
            doc.hang(first, if rules.len() == 1 { "allowed by" } else { "allowed by any of" }, Role::Text);
            named(rules.len(), rules.iter().map(|rule| rule_line(state, rule)), doc);
        }
        Reason::Denied(rule) => {
            doc.hang(first, "denied by", Role::Text);
            named(1, std::iter::once(rule_line(state, rule)), doc);
        }
        Reason::Silence { isolating, nearest } => {
            doc.hang(first, "isolated, and no rule matches; isolated by", Role::Text);
            named(isolating.len(), isolating.iter().map(|object| object_line(state, object)), doc);
            near(state, nearest.as_ref(), doc);
        }
        Reason::Undefined { why, objects } => {
            doc.hang(first, &state.sayer().say(why), Role::Text);
            named(objects.len(), objects.iter().map(|object| object_line(state, object)), doc);
        }
    }
}

/// The rule that came nearest, and what kept it from matching.
fn near(state: &State, nearest: Option<&NearMiss>, doc: &mut Doc) {
    let Some(miss) = nearest else { return };
    let text = format!("nearest: {}: {}", rule(state, &miss.rule), state.sayer().say(&miss.what));
    doc.hang(vec![span("      ", Role::Text)], &text, Role::Muted);
}

fn rule(state: &State, rule: &RuleRef) -> String {
    format!("{} {}", object(state, &rule.object), state.sayer().say(&rule.field))
}

fn object(state: &State, object: &ObjectRef) -> String {
    state.sayer().say(&object.to_string()).into_owned()
}

fn rule_line(state: &State, rule: &RuleRef) -> (String, String) {
    (object(state, &rule.object), state.sayer().say(&rule.field).into_owned())
}

fn object_line(state: &State, of: &ObjectRef) -> (String, String) {
    (object(state, of), String::new())
}

/// Objects, one a line, with the field in them.
fn named(of: usize, lines: impl Iterator<Item = (String, String)>, doc: &mut Doc) {
    for (object, field) in lines.take(NAMED) {
        let lead: Vec<Span> = vec![span("      ", Role::Text)];
        doc.hang(lead, format!("{object}  {field}").trim_end(), Role::Accent);
    }
    if of > NAMED {
        doc.para(&format!("      and {} more", of - NAMED), Role::Muted);
    }
}
