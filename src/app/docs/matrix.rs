//! A cell of the matrix in words, and the row it is in.

use crate::app::doc::{Doc, Span, span};
use crate::app::matrix::shade::{SHADES, Shade};
use crate::app::matrix::{self, Column, Looked};
use crate::app::role::Role;
use crate::app::state::State;
use crate::app::words;
use crate::model::time::age;
use crate::netpol::answer::{Answer, Openness};
use crate::netpol::target::{Extent, TARGETS, TargetCell};
use crate::posture::verdict::Tried;

/// From so many columns on, a pane shows the cell and its row side by side.
pub const BESIDE: u16 = 110;

/// Columns of the labels.
const LABEL: usize = 8;

/// A column's name, fit to show.
pub fn name(state: &State, to: &Column) -> String {
    match to {
        Column::Tenant(to) => state.sayer().say(to).into_owned(),
        Column::Target(target) => target.words().to_owned(),
    }
}

/// What the cursor is on, as a heading.
pub fn heading(state: &State) -> Vec<Span> {
    let Some((from, to)) = matrix::cursor(state) else { return Vec::new() };
    vec![
        span(state.sayer().say(&from).into_owned(), Role::Title),
        span(format!(" {} ", state.symbols().arrow), Role::Muted),
        span(name(state, &to), Role::Title),
    ]
}

/// The cell under the cursor in one line.
pub fn one_line(state: &State) -> Vec<Span> {
    let Some((from, to)) = matrix::cursor(state) else { return Vec::new() };
    let shade = matrix::shade(state, &from, &to);
    let mut line = sign(state, &from, &to, shade).to_vec();
    line.extend(heading(state));
    line.push(span(format!("  {}", brief(state, &from, &to, shade)), Role::Text));
    line
}

/// A cell's sign; in its colour as far as it may be relied on.
fn sign(state: &State, from: &str, to: &Column, shade: Shade) -> [Span; 2] {
    let blind = matrix::blind(state).is_some();
    [span(shade.sign(state.symbols()), matrix::role(state, from, to, shade, blind)), span(" ", Role::Text)]
}

fn brief(state: &State, from: &str, to: &Column, shade: Shade) -> String {
    match (shade, matrix::look(state, from, to)) {
        (Shade::Some, Some(Looked::Tenant(cell))) => format!("open on {}", cell.now.sure.words()),
        (Shade::Some, Some(Looked::Target(_, cell))) => format!("open on {}{}", cell.now.sure.words(), extent(cell)),
        (Shade::Undefined, Some(Looked::Target(_, TargetCell { unknown: Some(why), .. }))) => format!("unknown: {why}"),
        (Shade::Declared, Some(Looked::Target(..))) => "blocked by declaration, for all pods".to_owned(),
        _ => shade.words().to_owned(),
    }
}

/// How much of a target is open, behind its ports.
const fn extent(cell: &TargetCell) -> &'static str {
    match cell.extent {
        Extent::All => " (all of it)",
        Extent::Some => " (some of it)",
        Extent::None => "",
    }
}

/// The cell under the cursor.
pub fn cell(state: &State, width: usize) -> Doc {
    let mut doc = Doc::new(width);
    let Some((from, to)) = matrix::cursor(state) else { return doc };
    let shade = matrix::shade(state, &from, &to);
    if let Some((why, since)) = matrix::blind(state) {
        let since = since.map(|at| format!(", since {}", age(state.now.since(at)))).unwrap_or_default();
        let text = format!("nothing may be concluded{since}: {}. What follows was seen last.", state.sayer().say(&why));
        doc.hang(vec![span(format!("{} ", state.symbols().stale), Role::Stale)], &text, Role::Stale);
    }
    let idle = state.view.assessment.unenforced();
    if !idle.is_empty() {
        let text = format!("{} counted here: nothing that was recognised in this cluster enforces it (PLT-01)", idle.join(", "));
        doc.hang(vec![span(format!("{} ", state.symbols().stale), Role::Stale)], &text, Role::Stale);
    }
    doc.hang(sign(state, &from, &to, shade).to_vec(), &brief(state, &from, &to, shade), Role::Strong);
    if shade == Shade::Own {
        doc.para("No wall stands between the pods of one tenant.", Role::Muted);
        return doc;
    }
    match matrix::look(state, &from, &to) {
        Some(Looked::Tenant(cell)) => {
            times(&cell.now, &cell.future, "", &mut doc);
            tried(state, &from, &to, shade, &mut doc);
            back(state, &from, &to, &mut doc);
        }
        Some(Looked::Target(_, cell)) if cell.unknown.is_none() => times(&cell.now, &cell.future, extent(cell), &mut doc),
        _ => {}
    }
    doc
}

/// Today, tomorrow, and what is undefined.
fn times(now: &Answer, future: &Answer, extent: &str, doc: &mut Doc) {
    let said = |answer: &Answer| match answer.openness() {
        Openness::Open => (format!("open: {}", answer.sure.words()), Role::Strong),
        Openness::Undefined => ("nothing open for sure".to_owned(), Role::Text),
        Openness::Blocked => ("blocked on every port".to_owned(), Role::Text),
    };
    let (text, role) = said(now);
    doc.pair("today", LABEL, &format!("{text}{extent}"), role);
    if future == now {
        doc.pair("tomorrow", LABEL, "the same for any pod that may be made", Role::Muted);
    } else {
        let (text, role) = said(future);
        doc.pair("tomorrow", LABEL, &format!("{text}, with some pod that may be made"), role);
    }
    let undefined = if now.undefined().is_empty() { future.undefined() } else { now.undefined() };
    if !undefined.is_empty() {
        doc.pair("unknown", LABEL, &format!("{}: the API leaves it open, or a rule can't be read", undefined.words()), Role::Vacuous);
    }
}

/// What was tried for the pair.
fn tried(state: &State, from: &str, to: &Column, shade: Shade, doc: &mut Doc) {
    let Column::Tenant(to) = to else { return };
    let Some(proof) = state.across.tally.proof(from, to, state.now) else {
        return doc.pair("tried", LABEL, words::tried(Tried::No), Role::Muted);
    };
    let ago = words::ago(state.now.since(proof.made));
    let text = match (proof.tried, shade) {
        (Tried::Held, Shade::Proved) => format!("held when tried {ago}"),
        (Tried::Held, _) => format!("one pair of pods was refused {ago}; that proves nothing for the others"),
        (said, _) => format!("{} {ago}", words::tried(said)),
    };
    let role = match proof.tried {
        Tried::Held if shade == Shade::Proved => Role::Holds,
        Tried::Crossed => Role::Disputed,
        _ => Role::Text,
    };
    doc.pair("tried", LABEL, &format!("{text} ({})", state.sayer().say(&proof.receipt)), role);
}

/// The other way round.
fn back(state: &State, from: &str, to: &Column, doc: &mut Doc) {
    let Column::Tenant(to) = to else { return };
    let there = Column::Tenant(from.into());
    let shade = matrix::shade(state, to, &there);
    let mut first = vec![span(format!("{:LABEL$} ", "back"), Role::Label)];
    first.extend(sign(state, to, &there, shade));
    doc.hang(first, &brief(state, to, &there, shade), Role::Text);
}

/// The cell, and below it its row, where they are not shown side by side.
pub fn detail(state: &State, width: usize) -> Doc {
    let mut doc = cell(state, width);
    doc.blank();
    doc.lines.extend(around(state, width).lines);
    doc
}

/// The row under the cursor: whom it reaches, and the fixed targets.
pub fn around(state: &State, width: usize) -> Doc {
    let mut doc = Doc::new(width);
    let Some((from, _)) = matrix::cursor(state) else { return doc };
    let view = &state.view.assessment.matrix;
    let Some(place) = view.place(&from) else { return doc };
    let reaches = state.across.tally.reaches(place);
    let others = view.tenants.len().saturating_sub(1);
    let mut text = format!("reaches {} of {others} tenants", reaches.open);
    if reaches.later > 0 {
        text = format!("{text}, {} more with pods of tomorrow", reaches.later);
    }
    if reaches.undefined > 0 {
        text = format!("{text}, {} undefined", reaches.undefined);
    }
    text = format!("{text}; {} reach it", state.across.tally.reached(place));
    doc.hang(vec![span(format!("{} ", state.sayer().say(&from)), Role::Strong)], &text, Role::Text);
    let columns = if width >= 64 { 2 } else { 1 };
    let each = width / columns;
    for pair in TARGETS.chunks(columns) {
        let mut line = Vec::new();
        for target in pair {
            let to = Column::Target(*target);
            let shade = matrix::shade(state, &from, &to);
            line.extend(sign(state, &from, &to, shade));
            line.push(span(format!("{:9}", target.short()), Role::Label));
            let said = brief(state, &from, &to, shade);
            if columns == 1 {
                doc.hang(std::mem::take(&mut line), &said, Role::Text);
            } else {
                line.push(span(format!("{} ", crate::app::doc::fit(&said, each.saturating_sub(12))), Role::Text));
            }
        }
        if !line.is_empty() {
            doc.line(line);
        }
    }
    doc
}

/// The signs with how many pairs of tenants are of each: what is not on the screen is counted too. In shorter words where they do not fit.
pub fn legend(state: &State, width: usize) -> Vec<Span> {
    let columns = |line: &[Span]| line.iter().map(|s| s.text.chars().count()).sum::<usize>();
    let line = legend_in(state, 3, Shade::word);
    if columns(&line) <= width { line } else { legend_in(state, 2, |shade| shade.word().split(' ').next().unwrap_or_default()) }
}

fn legend_in(state: &State, gap: usize, word: impl Fn(Shade) -> &'static str) -> Vec<Span> {
    let totals = state.across.tally.totals(&state.view.assessment.matrix, state.now);
    let blind = matrix::blind(state).is_some();
    let mut line = Vec::new();
    for (shade, count) in SHADES.into_iter().zip(totals).filter(|(shade, count)| *count > 0 && *shade != Shade::Own) {
        line.push(span(shade.sign(state.symbols()), if blind { Role::Muted } else { shade.role() }));
        line.push(span(format!(" {count} {}{:gap$}", word(shade), ""), Role::Muted));
    }
    line
}

/// Signs with their meanings.
pub fn signs(state: &State, width: usize) -> Doc {
    let mut doc = Doc::new(width);
    for shade in SHADES {
        let first = vec![span(shade.sign(state.symbols()), shade.role()), span(format!("  {:14}", shade.word()), Role::Strong)];
        doc.hang(first, shade.words(), Role::Text);
    }
    doc
}

/// Which tenants the row under the cursor reaches, or may, in the order of the columns, so many at most. O(columns).
pub fn gaps(state: &State, width: usize, most: usize) -> Doc {
    let mut doc = Doc::new(width);
    let Some((from, _)) = matrix::cursor(state) else { return doc };
    let Some(place) = state.view.assessment.matrix.place(&from).filter(|place| state.across.tally.promises(*place)) else { return doc };
    let columns = state.across.columns.rows.iter().filter_map(|row| row.tenant().map(|to| Column::Tenant(to.clone())));
    let open = columns.map(|to| (matrix::shade(state, &from, &to), to)).filter(|(shade, _)| shade.is_gap());
    for (shade, to) in open.take(most) {
        if doc.lines.is_empty() {
            doc.head("not shut from here");
        }
        let mut first = sign(state, &from, &to, shade).to_vec();
        first.push(span(format!("{} ", name(state, &to)), Role::Strong));
        doc.hang(first, &brief(state, &from, &to, shade), Role::Text);
    }
    let reaches = state.across.tally.reaches(place);
    let all = usize::try_from(reaches.open + reaches.later + reaches.undefined).unwrap_or(0);
    if all > most && state.across.columns.rows.len() >= all {
        doc.para(&format!("and {} more", all - most), Role::Muted);
    }
    doc
}

/// The cell in plain words, for the clipboard.
pub fn copied(state: &State) -> Option<String> {
    let (from, to) = matrix::cursor(state)?;
    let shade = matrix::shade(state, &from, &to);
    let said = brief(state, &from, &to, shade);
    Some(format!("{} -> {}: {said}", state.sayer().say(&from), name(state, &to)))
}
