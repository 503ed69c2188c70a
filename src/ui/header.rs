//! The lines around every screen: header, banner, title, status, keys.

use std::borrow::Cow;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_width::UnicodeWidthStr;

use super::Cx;
use super::pen::Pen;
use crate::app::columns;
use crate::app::doc::{Span, span};
use crate::app::keymap::{self, Action, BINDINGS, Layer};
use crate::app::layout::Class;
use crate::app::msg::Level;
use crate::app::role::Role;
use crate::app::state::{Dialog, Screen};
use crate::app::update::notes;
use crate::app::words::{self, Standing};
use crate::fix::guard::Mode;
use crate::model::kind::Kind;
use crate::model::source::Sight;
use crate::model::time::age;
use crate::posture::verdict::{ALL, Verdict};

/// Badges of the header, most important first.
fn badges(cx: &Cx<'_>) -> Vec<Span> {
    let state = cx.state;
    let mut out = Vec::new();
    if let Some(since) = state.frozen {
        let held = if state.held.is_some() { ", data waits" } else { "" };
        out.push(span(format!(" FROZEN {}{held} ", age(state.now.since(since))), Role::Frozen));
    }
    if state.settings.redact {
        out.push(span(" REDACTED ", Role::Redacted));
    }
    if state.simulated() {
        out.push(span(" SIMULATED ", Role::Simulated));
    }
    out
}

fn mode(cx: &Cx<'_>) -> Span {
    let mode = cx.state.settings.mode;
    let role = match mode {
        Mode::Observe => Role::ModeObserve,
        Mode::Probe => Role::ModeProbe,
        Mode::Fix => Role::ModeFix,
    };
    span(format!(" {} {} ", cx.sym.mode(mode), mode.word().to_uppercase()), role)
}

/// A source: name, sign, word, and the reason as far as it fits.
fn source(cx: &Cx<'_>, name: &str, standing: &Standing, room: usize) -> Vec<Span> {
    let sign = match standing.role {
        Role::Live => cx.sym.live,
        Role::Stale => cx.sym.stale,
        Role::Denied => cx.sym.denied,
        Role::Down => cx.sym.down,
        _ => cx.sym.waiting,
    };
    let mut word = standing.word.clone();
    if let Some(since) = standing.since {
        word = format!("{word} {}", age(cx.state.now.since(since)));
    }
    let mut out = vec![span(format!("{name} "), Role::Label), span(format!("{sign} {word}"), standing.role)];
    // a version is shown whole or not at all; a reason, as much of it as fits
    let why = cx.state.sayer().say(&standing.why);
    let colon = if standing.role == Role::Live { "" } else { ":" };
    let least = if standing.role == Role::Live { why.width() + 1 } else { 10.min(why.width() + 2) };
    if !why.is_empty() && room >= least {
        out.push(span(format!("{colon} {}", crate::app::doc::cut(&why, room - 1 - colon.len())), Role::Muted));
    }
    out
}

fn width(spans: &[Span]) -> usize {
    spans.iter().map(|s| s.text.width()).sum()
}

/// Header: one line when tiny, else two.
pub fn header(cx: &Cx<'_>, class: Class, area: Rect, buf: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    buf.set_style(area, cx.style(Role::Surface));
    if class == Class::Tiny {
        let mut spans = vec![mode(cx), span(" ", Role::Text)];
        spans.extend(grades(cx, false));
        spans.push(span(" ", Role::Text));
        spans.extend(badges(cx));
        Pen::new(cx, buf, area, 0).spans(cx, &spans);
        return;
    }
    first_line(cx, area, buf);
    second_line(cx, class, area, buf);
}

fn first_line(cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
    let state = cx.state;
    let snapshot = &state.view.snapshot;
    let server = &snapshot.server;
    let context = if server.context.is_empty() { state.settings.context.as_str() } else { server.context.as_ref() };
    let context = if context.is_empty() { "no context".into() } else { state.sayer().say(context) };
    let total = usize::from(area.width);
    let badges = badges(cx);
    // where it is narrow, the sources matter more than our own name
    let mut left = if total < 80 { Vec::new() } else { vec![span(" partywall ", Role::Title)] };
    left.push(mode(cx));
    left.push(span(format!(" {}  ", crate::app::doc::cut(&context, (total / 5).clamp(10, 32))), Role::Strong));
    let mut kube = cx.kube.clone();
    if kube.role == Role::Live {
        kube.why = server.version.to_string();
    }
    let vault = words::vault(&snapshot.vault);
    let taken = width(&left) + width(&badges) + 4 + width(&source(cx, "kube", &kube, 0)) + width(&source(cx, "vault", &vault, 0));
    let free = total.saturating_sub(taken);
    let wants = |standing: &Standing| if standing.why.is_empty() { 0 } else { standing.why.width() + 2 };
    // half of what is free each, and what one does not need goes to the other
    let for_kube = wants(&kube).min((free / 2).max(free.saturating_sub(wants(&vault))));
    left.extend(source(cx, "kube", &kube, for_kube));
    left.push(span("  ", Role::Text));
    left.extend(source(cx, "vault", &vault, free - for_kube));
    let columns = u16::try_from(width(&badges)).unwrap_or(0).min(area.width);
    let free = Rect { width: (area.width - columns).saturating_sub(u16::from(columns > 0)), ..area };
    Pen::new(cx, buf, free, 0).spans(cx, &left);
    let right = Rect { x: area.right() - columns, width: columns, ..area };
    Pen::new(cx, buf, right, 0).spans(cx, &badges);
}

/// Tenants by grade.
fn grades(cx: &Cx<'_>, in_words: bool) -> Vec<Span> {
    let by_tenant = &cx.state.view.assessment.by_tenant;
    let mut out = Vec::new();
    let mut counts = [0_usize; ALL.len()];
    for tenant in by_tenant.values() {
        if let Some(n) = counts.get_mut(tenant.grade as usize) {
            *n += 1;
        }
    }
    for (verdict, n) in ALL.into_iter().zip(counts) {
        if n == 0 {
            continue;
        }
        let word = match (in_words, verdict) {
            (true, Verdict::Holds) => " held when tried".to_owned(),
            (true, verdict) => format!(" {}", verdict.word().to_lowercase()),
            (false, _) => String::new(),
        };
        out.push(span(format!("{}{n}{word}", cx.sym.verdict(verdict)), Role::of(verdict)));
        out.push(span(if in_words { "   " } else { "  " }, Role::Text));
    }
    out
}

fn second_line(cx: &Cx<'_>, class: Class, area: Rect, buf: &mut Buffer) {
    let assessment = &cx.state.view.assessment;
    let n = assessment.by_tenant.len();
    if n == 0 {
        let read = cx.state.view.snapshot.sight(Kind::Namespace) == Sight::Clear;
        let text = if read { " no tenants" } else { " nothing read yet" };
        Pen::new(cx, buf, area, 1).put_cut(text, cx.style(Role::Muted));
        return;
    }
    let mut left = vec![span(format!(" {n} tenant{} ", if n == 1 { "" } else { "s" }), Role::Strong)];
    let rule = assessment.tenants.rule.words();
    left.push(span(if class <= Class::Narrow { "  ".to_owned() } else { format!("by {rule}   ") }, Role::Muted));
    left.extend(grades(cx, class >= Class::Huge));
    Pen::new(cx, buf, area, 1).spans(cx, &left);
    let tabs = tabs(cx, usize::from(area.width).saturating_sub(width(&left) + 2));
    let columns = u16::try_from(width(&tabs)).unwrap_or(0).min(area.width);
    let right = Rect { x: area.right() - columns, width: columns, ..area };
    Pen::new(cx, buf, right, 1).spans(cx, &tabs);
}

/// Screens with their numbers, the one shown marked; shorter where there is little room.
fn tabs(cx: &Cx<'_>, room: usize) -> Vec<Span> {
    let long: usize = crate::app::state::SCREENS.iter().map(|s| s.title().len() + 4).sum();
    let mut out = Vec::new();
    for screen in crate::app::state::SCREENS {
        let digit = screen.digit();
        let here = screen == cx.state.screen;
        let role = if here { Role::Accent } else { Role::Muted };
        if here || room >= long {
            out.push(span(format!(" {digit} "), if here { Role::Accent } else { Role::Key }));
            out.push(span(format!("{} ", screen.title()), role));
        } else if room >= 26 {
            out.push(span(format!(" {digit} "), Role::Key));
        }
    }
    if width(&out) > room { Vec::new() } else { out }
}

/// The line that something about the sources is not as it should be.
pub fn banner(cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
    let Some((role, text)) = crate::app::docs::banner(cx.state).filter(|_| !area.is_empty()) else { return };
    let text = cx.state.sayer().say(&text).into_owned();
    Pen::new(cx, buf, area, 0).put(&format!(" {} ", cx.sym.stale), cx.style(role)).put_cut(&text, cx.style(role));
}

/// The line above a list: what it shows, in which order, with which filter.
pub fn title(cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let state = cx.state;
    let page = state.page();
    let mut pen = Pen::new(cx, buf, area, 0);
    pen.put(" ", Style::new());
    match state.screen {
        Screen::Tenant => super::views::tenant::title(cx, &mut pen),
        screen => {
            let order = crate::app::derive::orders(screen).get(page.order).copied().unwrap_or_default();
            pen.put(screen.title(), cx.style(Role::Title)).put("  ", Style::new()).put(order, cx.style(Role::Muted));
        }
    }
    let filter = page.filter.value();
    match state.screen {
        Screen::Matrix => {
            pen.put(&super::views::matrix::place(cx), cx.style(Role::Muted));
        }
        Screen::Vault => {
            pen.spans(cx, &crate::app::docs::vault::rules(state));
        }
        _ => {}
    }
    if page.failing {
        pen.put("  ! only what fails", cx.style(Role::Degraded));
    }
    if state.typing || !filter.is_empty() {
        pen.put("  / ", cx.style(Role::Key));
        if state.typing {
            pen.spans(cx, &crate::app::doc::field(&state.sayer(), &page.filter));
        } else {
            pen.put(&state.sayer().say(filter), cx.style(Role::Match));
        }
        let shown = page.list.rows.iter().filter(|row| row.selectable()).count();
        pen.put_cut(&format!("  {shown} of {}", page.all), cx.style(Role::Muted));
    }
}

/// The status line: the newest note, else why the selected row reads as it does.
pub fn status(cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    buf.set_style(area, cx.style(Role::Surface));
    let state = cx.state;
    let mut pen = Pen::new(cx, buf, area, 0);
    if let Some(note) = notes::current(state) {
        let (role, sign) = match note.level {
            Level::Info => (Role::NoteInfo, cx.sym.bullet),
            Level::Warn => (Role::NoteWarn, cx.sym.over),
            Level::Error => (Role::NoteError, cx.sym.no),
        };
        pen.put(&format!(" {sign} "), cx.style(role)).put_cut(&state.sayer().say(&note.text), cx.style(role));
        return;
    }
    if let Some((run, (_, part))) = state.run.as_ref().and_then(|run| Some((run, run.current()?))) {
        let (at, of) = part.at();
        let tenant = state.sayer().say(&run.tenant);
        let wall = part.probe.wall().title();
        let text = format!(" {} probing {tenant}: {wall}, step {at} of {of}  (o shows it)", cx.sym.running);
        pen.put_cut(&text, cx.style(Role::Accent));
        return;
    }
    if let Some(tenant) = &state.applying {
        pen.put_cut(&format!(" {} applying a fix for {}", cx.sym.running, state.sayer().say(tenant)), cx.style(Role::Accent));
        return;
    }
    if let Some(text) = unseen(cx).filter(|_| state.screen == Screen::Fleet) {
        pen.put(&format!(" {} ", cx.sym.verdict(Verdict::Unknown)), cx.style(Role::Unknown)).put_cut(&text, cx.style(Role::Muted));
    } else {
        pen.put(" ", Style::new()).spans(cx, &crate::app::docs::one_line(state));
    }
}

/// What can't be looked at, in one line.
fn unseen(cx: &Cx<'_>) -> Option<String> {
    let unknowns = &cx.state.view.assessment.unknowns;
    let first = unknowns.first()?;
    let more = if unknowns.len() > 1 { format!(", and {} more that can't be read", unknowns.len() - 1) } else { String::new() };
    let text = format!("not seen: {}{more}: {}", first.source, first.why);
    Some(words::short_times(&cx.state.sayer().say(&text), cx.state.now).into_owned())
}

/// The keys that work here, as many as fit; those that don't work now are dimmed.
pub fn keys(cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    buf.set_style(area, cx.style(Role::Surface));
    let mut shown: Vec<_> = BINDINGS.iter().filter(|b| keymap::in_bar(cx.state, b)).collect();
    shown.sort_by_key(|b| b.bar);
    let mut pen = Pen::new(cx, buf, area, 0);
    pen.put(" ", Style::new());
    for binding in shown {
        let on = keymap::enabled(cx.state, binding.action).is_ok();
        let key = binding.label.split(' ').next().unwrap_or(binding.label);
        let title = key_title(cx, binding);
        if pen.left() < key.width() + title.width() + 2 {
            continue;
        }
        let (key_role, title_role) = if on { (Role::Key, Role::Text) } else { (Role::KeyOff, Role::KeyOff) };
        pen.put(key, cx.style(key_role)).put(" ", Style::new()).put(&title, cx.style(title_role)).put("  ", Style::new());
    }
}

/// What a key is called here: while typing, Enter and Esc are called by what they lead to.
fn key_title(cx: &Cx<'_>, binding: &keymap::Binding) -> Cow<'static, str> {
    let title = match (binding.layer, binding.action, &cx.state.dialog) {
        (_, Action::Columns, _) => return format!("+{} columns", columns::hidden(cx.state)).into(),
        (Layer::Probing, Action::Cancel, _) => {
            if cx.state.run.as_ref().is_some_and(crate::app::run::Run::running) {
                "cancel"
            } else {
                "close"
            }
        }
        (Layer::Typing, Action::Accept, Some(Dialog::Ask(_))) => "ask",
        (Layer::Typing, Action::Close, Some(Dialog::Ask(_))) => "leave it",
        (Layer::Typing, Action::Accept, Some(_)) => "write it",
        (Layer::Typing, Action::Close, Some(_)) => "back to the plan",
        (Layer::Typing, Action::Accept, None) => "keep the filter",
        (Layer::Typing, Action::Close, None) => "clear it",
        _ => binding.title,
    };
    title.into()
}
