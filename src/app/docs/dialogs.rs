//! What the dialogs say.

use crate::app::doc::{Doc, span};
use crate::app::keymap::{self, Action};
use crate::app::msg::Level;
use crate::app::plandiff::{diff, verb};
use crate::app::role::Role;
use crate::app::run::{End, Part};
use crate::app::state::{PlanDialog, State};
use crate::app::words;
use crate::fix::plan::{FixPlan, PlanAction, PlanStep};
use crate::model::time::age;
use crate::posture::verdict::Tried;
use crate::receipt::Receipt;
use crate::receipt::judge::judge;

/// Messages, newest first.
pub fn log(state: &State, width: usize) -> Doc {
    let mut doc = Doc::new(width);
    if state.notes.is_empty() {
        doc.para("no messages yet", Role::Muted);
    }
    for note in state.notes.iter().rev() {
        let role = match note.level {
            Level::Info => Role::NoteInfo,
            Level::Warn => Role::NoteWarn,
            Level::Error => Role::NoteError,
        };
        doc.hang(vec![span(format!("{} ", words::clock(note.at, state.now)), Role::Muted)], &state.sayer().say(&note.text), role);
    }
    doc
}

/// A probe run by stage.
pub fn probe(state: &State, width: usize) -> Doc {
    let mut doc = Doc::new(width);
    let Some(run) = &state.run else { return doc };
    for part in &run.parts {
        doc.blank();
        stage(state, part, &mut doc);
    }
    doc.blank();
    if run.running() {
        let text = if run.cancelled {
            "cancelling: what was opened is being closed…"
        } else {
            "running; nothing is left behind. Esc cancels, Enter hides it."
        };
        doc.para(text, Role::Muted);
    } else {
        doc.para("Done. The receipts are in the ledger (7). Esc closes.", Role::Muted);
    }
    doc
}

fn stage(state: &State, part: &Part, doc: &mut Doc) {
    let sym = state.symbols();
    let begun = part.of > 0 || !part.steps.is_empty() || !part.doing.is_empty();
    let (word, role) = match (&part.end, begun) {
        (Some(End::Receipt(receipt)), _) => result(receipt),
        (Some(End::Failed(_)), _) => ("no receipt".to_owned(), Role::NoteError),
        (None, true) => {
            let (at, of) = part.at();
            (format!("step {at} of {of}"), Role::Accent)
        }
        (None, false) => ("waits".to_owned(), Role::Muted),
    };
    let title = format!("{} {}", part.probe.wall().short(), part.probe.wall().title());
    doc.line(vec![span(format!("{title:16}"), Role::Title), span(format!("{:14}", part.probe.id()), Role::Muted), span(word, role)]);
    if let Some(End::Receipt(receipt)) = &part.end {
        super::receipt::three_lines(state, receipt, None, doc);
        return;
    }
    for step in &part.steps {
        super::receipt::step_lines(state, step, doc);
    }
    for doing in part.doing.iter().filter(|_| part.end.is_none()) {
        doc.hang(vec![span(format!("{} ", sym.running), Role::Accent)], &state.sayer().say(doing), Role::Strong);
    }
    if let Some(End::Failed(why)) = &part.end {
        doc.hang(vec![span(format!("{} ", sym.no), Role::NoteError)], &state.sayer().say(why), Role::Text);
    }
}

/// What a receipt shows, in a word or two.
fn result(receipt: &Receipt) -> (String, Role) {
    let tried: Vec<Tried> = receipt.crossings.iter().map(|crossing| judge(receipt, crossing).tried()).collect();
    if tried.contains(&Tried::Crossed) {
        ("CROSSED".to_owned(), Role::Breached)
    } else if tried.is_empty() || tried.iter().any(|t| *t != Tried::Held) {
        ("proves nothing".to_owned(), Role::Vacuous)
    } else {
        ("held when tried".to_owned(), Role::Holds)
    }
}

/// A plan, and the field for its confirmation.
pub fn plan(state: &State, dialog: &PlanDialog, width: usize) -> Doc {
    let mut doc = Doc::new(width);
    let plan = match &dialog.plan {
        None => {
            doc.para("reading the live objects and asking the server for a dry-run…", Role::Muted);
            return doc;
        }
        Some(Err(why)) => {
            doc.hang(vec![span(format!("{} ", state.symbols().no), Role::NoteError)], &state.sayer().say(why), Role::Text);
            doc.blank();
            doc.para("No plan was made and nothing was written. r asks again.", Role::Muted);
            return doc;
        }
        Some(Ok(plan)) => plan,
    };
    if let Some(changed) = &dialog.changed {
        let text = format!("changed since: {}; press r to plan again", state.sayer().say(changed));
        doc.hang(vec![span(format!("{} ", state.symbols().over), Role::NoteWarn)], &text, Role::NoteWarn);
        doc.blank();
    }
    if dialog.typed.is_some() {
        confirmation(state, dialog, plan, &mut doc);
        return doc;
    }
    if dialog.undo {
        doc.para("This undoes the last fix of this session.", Role::Text);
    }
    for note in &plan.notes {
        doc.hang(vec![span(format!("{} ", state.symbols().bullet), Role::Muted)], &state.sayer().say(note), Role::Text);
    }
    for (i, step) in plan.steps.iter().enumerate() {
        doc.blank();
        one_step(state, i + 1, plan.steps.len(), step, dialog.undo, &mut doc);
    }
    doc.blank();
    match keymap::enabled(state, Action::Accept) {
        Ok(()) => doc.para("Enter goes on to the typed confirmation; nothing is written before it.", Role::Key),
        Err(why) => doc.para(&why, Role::NoteWarn),
    }
    doc
}

fn one_step(state: &State, n: usize, of: usize, step: &PlanStep, undo: bool, doc: &mut Doc) {
    let say = state.sayer();
    doc.line(vec![
        span(format!("{n}/{of} "), Role::Muted),
        span(format!("{} ", verb(step)), Role::Accent),
        span(say.say(&step.object.to_string()).into_owned(), Role::Title),
    ]);
    if !step.why.is_empty() {
        doc.para(&say.say(&step.why), Role::Muted);
    }
    if let Some(owner) = &step.owner {
        doc.para(&format!("kept by {}: change it there, not here", say.say(owner)), Role::NoteWarn);
    }
    match (&step.refused, &step.preview) {
        (Some(why), _) => doc.para(&format!("dry-run refused: {}", say.say(why)), Role::NoteError),
        (None, Some(_)) => doc.para("dry-run: the server accepts it, as below", Role::Holds),
        (None, None) if undo || step.action == PlanAction::Delete => {}
        (None, None) => doc.para("the server was not asked", Role::NoteWarn),
    }
    let lines = diff(step);
    if lines.is_empty() {
        doc.para("nothing would change", Role::Muted);
    }
    for (line, role) in lines.iter().take(400) {
        doc.line(vec![span(say.say(line).into_owned(), *role)]);
    }
}

/// What is about to be written, and the question for the tenant's name.
fn confirmation(state: &State, dialog: &PlanDialog, plan: &FixPlan, doc: &mut Doc) {
    let say = state.sayer();
    let to = if dialog.undo { "undo" } else { "apply" };
    let server = &state.view.snapshot.server;
    let context = if server.context.is_empty() { state.settings.context.as_str() } else { server.context.as_ref() };
    doc.pair("context", 8, &say.say(context), Role::Strong);
    doc.pair("recipe", 8, &format!("{} for {}", say.say(&plan.recipe), say.say(&plan.check)), Role::Text);
    for step in &plan.steps {
        doc.pair(&format!("{}s", verb(step)), 8, &say.say(&step.object.to_string()), Role::Text);
    }
    doc.blank();
    doc.para(&format!("To {to} it, type the tenant's name: {}", say.say(&plan.tenant)), Role::Strong);
    let mut line = vec![span("> ", Role::Cursor)];
    line.extend(dialog.typed.iter().flat_map(|typed| crate::app::doc::field(&say, typed)));
    doc.line(line);
    if let Some(why) = &dialog.refused {
        doc.para(&say.say(why), Role::NoteError);
    }
    doc.blank();
    doc.para("Enter writes to the server. Esc goes back to the plan.", Role::Muted);
}

/// Leaving while something runs.
pub fn quit(state: &State, width: usize) -> Doc {
    let mut doc = Doc::new(width);
    let what = match (&state.applying, &state.run) {
        (Some(tenant), _) => format!("A fix for {} is being applied.", state.sayer().say(tenant)),
        (None, Some(run)) => {
            format!("A probe of {} runs since {}.", state.sayer().say(&run.tenant), age(state.now.since(run.started)))
        }
        (None, None) => "Nothing runs any more.".to_owned(),
    };
    doc.para(&what, Role::Text);
    doc.para(
        if state.applying.is_some() {
            "Leaving does not take back what was sent."
        } else {
            "Leaving cancels it; it leaves nothing behind."
        },
        Role::Muted,
    );
    doc.blank();
    doc.line(vec![span("y", Role::Key), span(" leave   ", Role::Text), span("n", Role::Key), span(" stay", Role::Text)]);
    doc
}
