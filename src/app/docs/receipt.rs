//! Receipts: three lines a crossing, and the whole as a till receipt.

use unicode_width::UnicodeWidthStr;

use crate::app::doc::{Doc, Span, span};
use crate::app::role::Role;
use crate::app::standing;
use crate::app::state::State;
use crate::app::words;
use crate::model::event::Authority;
use crate::receipt::judge::{Trial, judge};
use crate::receipt::{Crossing, Outcome, Receipt, Step};

/// Source alive, target alive, crossing refused by whom: for every crossing, or only those that speak for a check.
pub fn three_lines(state: &State, receipt: &Receipt, check: Option<&str>, doc: &mut Doc) {
    let speaks = |c: &&Crossing| check.is_none_or(|check| c.checks.iter().any(|id| id == check));
    for crossing in receipt.crossings.iter().filter(speaks) {
        doc.hang(vec![span(format!("{} ", state.symbols().running), Role::Accent)], &state.sayer().say(&crossing.what), Role::Text);
        control(state, receipt, &crossing.source, "source alive", true, doc);
        control(state, receipt, &crossing.target, "target alive", true, doc);
        if !crossing.sober.is_empty() {
            control(state, receipt, &crossing.sober, "must fail", false, doc);
        }
        attempt(state, receipt, crossing, doc);
    }
}

/// One line for a group of control steps.
fn control(state: &State, receipt: &Receipt, steps: &[usize], label: &str, wanted: bool, doc: &mut Doc) {
    let steps: Vec<&Step> = steps.iter().filter_map(|i| receipt.steps.get(*i)).collect();
    let good = !steps.is_empty() && steps.iter().all(|s| (s.outcome == Outcome::Answered) == wanted);
    let sym = state.symbols();
    let (sign, role) = if good { (sym.yes, Role::Holds) } else { (sym.no, Role::Breached) };
    let shown = steps.iter().find(|s| (s.outcome == Outcome::Answered) != wanted).or(steps.last());
    let text = shown.map_or_else(|| "not tried".to_owned(), |step| step_words(state, step));
    let more = if steps.len() > 1 && good { format!(" (+{})", steps.len() - 1) } else { String::new() };
    doc.hang(vec![span(format!("  {sign} "), role), span(format!("{label:13}"), Role::Label)], &format!("{text}{more}"), Role::Muted);
}

fn attempt(state: &State, receipt: &Receipt, crossing: &Crossing, doc: &mut Doc) {
    let sym = state.symbols();
    let (sign, role, text) = match judge(receipt, crossing) {
        Trial::Held(held) => (sym.yes, Role::Holds, format!("refused by {}", words::authority(held.by()))),
        Trial::Crossed => (sym.no, Role::Breached, "CROSSED: it was answered".to_owned()),
        Trial::Vacuous(why) => (sym.verdict(crate::posture::verdict::Verdict::Vacuous), Role::Vacuous, format!("proves nothing: {why}")),
    };
    let last = crossing.attempts.iter().rev().find_map(|i| receipt.steps.get(*i));
    let detail = last.map(|step| format!("; {}", step_words(state, step))).unwrap_or_default();
    doc.hang(
        vec![span(format!("  {sign} "), role), span(format!("{:13}", "crossing"), Role::Label)],
        &format!("{text}{detail}"),
        Role::Text,
    );
}

fn step_words(state: &State, step: &Step) -> String {
    let say = state.sayer();
    format!("{}: {}", say.say(&step.what), answer(state, step))
}

/// What came back and how fast: `404 in 3ms`, `answered in 12ms`, `no answer in 3.0s`.
fn answer(state: &State, step: &Step) -> String {
    let code = state.sayer().say(&step.code).into_owned();
    let said = match (step.outcome, code.as_str()) {
        (Outcome::Refused { by: Authority::NetworkDrop }, _) => "no answer",
        (Outcome::Refused { by: Authority::NetworkReject }, _) => "rejected",
        (Outcome::Answered, "" | "exit 0") => "answered",
        (Outcome::Refused { .. }, "") => "refused",
        (Outcome::Failed, "") => "failed",
        (_, code) => code,
    };
    format!("{said} in {}", words::took(step.took))
}

/// A step as a line of progress or of the till receipt.
pub fn step_lines(state: &State, step: &Step, doc: &mut Doc) {
    let say = state.sayer();
    let sym = state.symbols();
    let role = match step.outcome {
        Outcome::Answered => Role::Accent,
        Outcome::Refused { .. } => Role::Strong,
        Outcome::Failed => Role::Muted,
    };
    let tail = match step.outcome {
        Outcome::Answered => String::new(),
        Outcome::Refused { by } => format!("refused by {}, ", words::authority(by)),
        Outcome::Failed if step.code.is_empty() => String::new(),
        Outcome::Failed => "failed, ".to_owned(),
    };
    let first = span(format!("{} ", sym.outcome(step.outcome)), role);
    let (what, came) = (say.say(&step.what), format!("{tail}{}", answer(state, step)));
    if what.width() + came.width() + 4 <= doc.width {
        doc.line(vec![first, span(format!("{what}: "), Role::Text), span(came, Role::Muted)]);
    } else {
        doc.hang(vec![first], &what, Role::Text);
        doc.hang(vec![span("  ", Role::Text)], &came, Role::Muted);
    }
    let silence = matches!(step.outcome, Outcome::Refused { by: Authority::NetworkDrop });
    if !step.said.is_empty() && step.outcome != Outcome::Answered && !silence {
        doc.hang(vec![span("  ", Role::Text)], &format!("“{}”", say.say(&step.said)), Role::Muted);
    }
}

/// A receipt as a shop would print it.
pub fn till(state: &State, id: &str, width: usize) -> Doc {
    let mut doc = Doc::new(width);
    let Some(receipt) = state.view.book.get(id) else { return doc };
    let say = state.sayer();
    let sym = state.symbols();
    let centre = |text: &str, role: Role| -> Vec<Span> {
        let pad = width.saturating_sub(text.width()) / 2;
        vec![span(" ".repeat(pad), Role::Text), span(text, role)]
    };
    doc.line(centre("PARTY WALL", Role::Title));
    doc.line(centre(&format!("{} wall of {}", receipt.probe.wall().title(), say.say(&receipt.tenant)), Role::Strong));
    if receipt.cluster.simulated {
        doc.line(centre("SIMULATED SERVERS", Role::Simulated));
    }
    let rule = || vec![span(sym.cut.repeat(width), Role::Border)];
    doc.line(rule());
    doc.pair("receipt", 9, &say.say(&receipt.id), Role::Text);
    doc.pair(
        "made",
        9,
        &format!("{} ({})", words::clock(receipt.created, state.now), words::ago(state.now.since(receipt.created))),
        Role::Text,
    );
    doc.pair("by", 9, &format!("{}, {} mode", say.say(&receipt.operator), say.say(&receipt.mode)), Role::Text);
    doc.pair("cluster", 9, &format!("{} {}", say.say(&receipt.cluster.context), say.say(&receipt.cluster.version)), Role::Text);
    if let Some(partner) = &receipt.partner {
        doc.pair("against", 9, &say.say(partner), Role::Text);
    }
    let standing = standing::of(state, id);
    match standing.until {
        Some(until) => {
            doc.pair("counts", 9, &format!("until {}, unless something it rests on changes", words::clock(until, state.now)), Role::Holds);
        }
        None => doc.pair("counts", 9, &format!("no: {}", say.say(&standing.why)), Role::Unproven),
    }
    doc.line(rule());
    three_lines(state, receipt, None, &mut doc);
    doc.line(rule());
    doc.line(vec![span("EVERY STEP, IN ORDER", Role::Label)]);
    for step in &receipt.steps {
        step_lines(state, step, &mut doc);
    }
    doc.line(rule());
    doc.line(vec![span(format!("RESTS ON {} OBJECTS", receipt.depends.len()), Role::Label)]);
    for dependency in receipt.depends.iter().take(24) {
        doc.hang(vec![span(format!("{} ", sym.bullet), Role::Muted)], &say.say(&dependency.object.to_string()), Role::Muted);
    }
    if receipt.depends.len() > 24 {
        doc.para(&format!("and {} more", receipt.depends.len() - 24), Role::Muted);
    }
    doc.line(rule());
    doc.para(
        "Proves these attempts, from there, at that time. It says nothing of other pods, kernel holes or the application itself.",
        Role::Muted,
    );
    doc
}
