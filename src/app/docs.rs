//! What detail panes and dialogs say, as lines with meanings.

pub mod check;
pub mod dialogs;
pub mod empty;
pub mod fleet;
pub mod help;
pub mod matrix;
pub mod quota;
pub mod receipt;
pub mod story;
pub mod vault;

use super::doc::{Doc, Span, span};
use super::layout::Area;
use super::list::Row;
use super::role::Role;
use super::state::{Dialog, Screen, State};
use super::update::moves;
use super::words;
use crate::model::time::Time;
use crate::posture::verdict::Verdict;

/// A line that something about the sources is not as it should be.
pub fn banner(state: &State) -> Option<(Role, String)> {
    let snapshot = &state.view.snapshot;
    let kube = words::kubernetes(snapshot);
    if kube.old {
        return Some((Role::Stale, format!("Kubernetes {}. Rows show what was seen last.", words::standing_text(&kube, state.now))));
    }
    let vault = words::vault(&snapshot.vault);
    if vault.old {
        return Some((Role::Stale, format!("Vault {}. Secret walls can't be seen.", words::standing_text(&vault, state.now))));
    }
    None
}

/// The detail of what the cursor is on.
pub fn detail(state: &State, width: usize) -> Doc {
    let selected = state.page().list.selected.as_ref();
    match (state.screen, selected) {
        (Screen::Fleet, Some(Row::Tenant(tenant))) => fleet::summary(state, tenant, width, true),
        (Screen::Tenant, Some(Row::Check(check))) => check::detail(state, check, width),
        (Screen::Matrix, Some(_)) => matrix::detail(state, width),
        (Screen::Vault, Some(Row::Tenant(tenant))) => vault::detail(state, tenant, width),
        (Screen::Quota, Some(Row::Quota(tenant, namespace, quota, resource))) => {
            quota::detail(state, tenant, namespace, quota, resource, width)
        }
        (Screen::Violations, Some(row)) => check::violation(state, row, width),
        (Screen::Receipts, Some(Row::Receipt(id))) => receipt::till(state, id, width),
        _ => Doc::new(width),
    }
}

/// The text of the open dialog.
pub fn dialog(state: &State, width: usize) -> Doc {
    match &state.dialog {
        Some(Dialog::Help { .. }) => help::help(state, width),
        Some(Dialog::Log { .. }) => dialogs::log(state, width),
        Some(Dialog::Probe { .. }) => dialogs::probe(state, width),
        Some(Dialog::Plan(plan)) => dialogs::plan(state, plan, width),
        Some(Dialog::Story(dialog)) => story::dialog(state, dialog, width),
        Some(Dialog::Ask(ask)) => vault::ask::dialog(state, ask, width),
        Some(Dialog::Quit) => dialogs::quit(state, width),
        None => Doc::new(width),
    }
}

/// Where the open dialog goes: centred, as high as its text needs.
pub fn dialog_area(state: &State, w: u16, h: u16, lines: usize) -> Area {
    let (wide, high) = match &state.dialog {
        Some(Dialog::Quit) => (52, 9),
        Some(Dialog::Help { .. }) => (if w >= 130 { 126 } else { 84 }, 60),
        Some(Dialog::Plan(plan)) if plan.typed.is_some() => (78, 40),
        _ => (104, 56),
    };
    let margin = if w >= 100 {
        8
    } else if w >= 70 {
        4
    } else {
        0
    };
    let width = wide.min(w.saturating_sub(margin));
    let most = h.saturating_sub(if h >= 30 { 6 } else { 2 }).max(h.min(3));
    let follows = matches!(&state.dialog, Some(Dialog::Probe { .. }));
    let needed = u16::try_from(lines).unwrap_or(u16::MAX).saturating_add(2);
    let height = if follows && state.busy() { needed.max(h * 3 / 5) } else { needed }.min(high).min(most);
    Area::new((w - width) / 2, (h - height) / 2, width, height)
}

/// Columns of text in a dialog's frame.
pub fn dialog_width(state: &State, w: u16, h: u16) -> usize {
    usize::from(dialog_area(state, w, h, 0).w.saturating_sub(4))
}

/// How many lines of the text that is scrolled do not fit.
pub fn overflow(state: &State) -> usize {
    let (w, h) = state.size;
    if state.dialog.is_some() {
        let lines = dialog(state, dialog_width(state, w, h)).lines.len();
        return lines.saturating_sub(usize::from(dialog_area(state, w, h, lines).inner().h));
    }
    let inner = moves::now(state, w, h).detail.inner();
    let width = usize::from(inner.w.saturating_sub(2));
    let beside = inner.w + 2 >= matrix::BESIDE;
    let lines = match state.screen {
        Screen::Matrix if beside => matrix::cell(state, usize::from(inner.w / 2)).lines.len(),
        Screen::Vault if beside => vault::beside(state, inner.w).map(|(_, doc)| doc.lines.len()).into_iter().max().unwrap_or(0),
        _ => detail(state, width).lines.len(),
    };
    lines.saturating_sub(usize::from(inner.h))
}

/// What `y` puts on the clipboard. Names are aliases while redacting.
pub fn copied(state: &State) -> Option<String> {
    if let Some(Dialog::Plan(plan)) = &state.dialog {
        let plan = plan.plan.as_ref()?.as_ref().ok()?;
        let text = super::plandiff::manifests(plan);
        return Some(if state.settings.redact { state.sayer().say(&text).into_owned() } else { text });
    }
    match &state.dialog {
        Some(Dialog::Story(dialog)) => return Some(plain(&story::dialog(state, dialog, 100))),
        Some(Dialog::Ask(ask)) => return Some(plain(&vault::ask::dialog(state, ask, 160))),
        _ => {}
    }
    match (state.screen, state.page().list.selected.as_ref()?) {
        (Screen::Matrix, _) => matrix::copied(state),
        (Screen::Vault, Row::Tenant(tenant)) => Some(plain(&vault::detail(state, tenant, 160))),
        (_, Row::Tenant(tenant)) | (Screen::Quota, Row::Quota(tenant, ..)) => Some(state.sayer().say(tenant).into_owned()),
        _ => Some(plain(&detail(state, 100))),
    }
}

/// A text without its meanings.
fn plain(doc: &Doc) -> String {
    let line = |spans: &Vec<Span>| spans.iter().map(|s| s.text.as_str()).collect::<String>().trim_end().to_owned();
    doc.lines.iter().map(line).collect::<Vec<String>>().join("\n")
}

/// The selected row in one line: what it is and why it reads as it does.
pub fn one_line(state: &State) -> Vec<Span> {
    let say = state.sayer();
    let of = |verdict: Verdict, name: &str, id: &str, text: String| {
        vec![
            span(format!("{} ", state.symbols().verdict(verdict)), Role::of(verdict)),
            span(format!("{} ", say.say(name)), Role::Strong),
            span(format!("{id} "), Role::Muted),
            span(text, Role::Text),
        ]
    };
    if state.screen == Screen::Matrix {
        return matrix::one_line(state);
    }
    if state.screen == Screen::Vault {
        return vault::one_line(state);
    }
    let Some(row) = &state.page().list.selected else { return Vec::new() };
    let tenant = row.tenant().or(state.tenant.as_ref()).and_then(|t| state.assessed(t));
    match (row, tenant) {
        (Row::Tenant(id), Some(tenant)) => {
            state.worst(tenant).map(|worst| of(worst.verdict, id, worst.check.id, check::reason(state, worst)))
        }
        (Row::Check(id), Some(tenant)) => {
            state.result(tenant, id).map(|r| of(r.verdict, &tenant.tenant, r.check.id, check::reason(state, r)))
        }
        (Row::Finding(id, check, ..), Some(tenant)) => {
            let finding = state.result(tenant, check).and_then(|r| row.finding(&r.findings));
            finding.map(|f| of(f.verdict, id, check, check::message(state, f)))
        }
        (Row::Refusal(id, _, about, message), Some(_)) => Some(vec![
            span(format!("{} ", say.say(id)), Role::Strong),
            span(format!("{} ", say.say(about)), Role::Muted),
            span(say.say(message).into_owned(), Role::Text),
        ]),
        (Row::Quota(_, namespace, quota, resource), Some(tenant)) => {
            quota::find(tenant, namespace, quota, resource).map(|row| quota::one_line(state, tenant, row))
        }
        (Row::Receipt(id), _) => {
            let standing = super::standing::of(state, id);
            let text =
                if standing.counts { "a wall relies on it".to_owned() } else { format!("counts no more: {}", say.say(&standing.why)) };
            Some(vec![span(format!("{} ", say.say(id)), Role::Strong), span(text, Role::Text)])
        }
        _ => None,
    }
    .unwrap_or_default()
}

/// When a receipt shown as counting will not any more.
pub fn next_expiry(state: &State) -> Option<Time> {
    state.view.assessment.next_expiry
}

/// Glyph and word of a verdict.
pub fn verdict(state: &State, verdict: Verdict) -> Vec<Span> {
    let role = Role::of(verdict);
    vec![span(format!("{} {}", state.symbols().verdict(verdict), verdict.word()), role)]
}
