//! The lines around every screen: header, banner, title, status, keys.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_width::UnicodeWidthStr;

use super::Cx;
use super::pen::Pen;
use crate::app::doc::{Span, span};
use crate::app::keymap::{self, Action, BINDINGS, Layer, in_force};
use crate::app::layout::Class;
use crate::app::msg::Level;
use crate::app::role::Role;
use crate::app::state::Screen;
use crate::app::update::notes;
use crate::app::words::{self, Standing};
use crate::fix::guard::Mode;
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
    if !standing.why.is_empty() && room > 8 {
        out.push(span(format!(" {}", crate::app::doc::cut(&cx.state.sayer().say(&standing.why), room)), Role::Muted));
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
    let free = total.saturating_sub(width(&badges) + 46);
    let mut left = vec![
        span(" partywall ", Role::Title),
        mode(cx),
        span(format!(" {}  ", crate::app::doc::cut(&context, (total / 5).clamp(10, 32))), Role::Strong),
    ];
    let mut kube = cx.kube.clone();
    if kube.role == Role::Live && total >= 110 {
        kube.why = server.version.to_string();
    }
    let used = width(&left);
    let room = if total < 100 { 0 } else { free.saturating_sub(used.saturating_sub(20)) / 2 };
    left.extend(source(cx, "kube", &kube, room));
    left.push(span("  ", Role::Text));
    left.extend(source(cx, "vault", &words::vault(&snapshot.vault), room));
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
        let text = if assessment.generation == 0 { " nothing read yet" } else { " no tenants" };
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
    for (i, screen) in crate::app::state::SCREENS.into_iter().enumerate() {
        let here = screen == cx.state.screen;
        let role = if here { Role::Accent } else { Role::Muted };
        if here || room >= long {
            out.push(span(format!(" {} ", i + 1), if here { Role::Accent } else { Role::Key }));
            out.push(span(format!("{} ", screen.title()), role));
        } else if room >= 26 {
            out.push(span(format!(" {} ", i + 1), Role::Key));
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
    if let Some(run) = state.run.as_ref().filter(|run| run.running()) {
        let (done, of) = run.progress();
        let text = format!(" {} probing {}: step {} of {of}  (o shows it)", cx.sym.running, state.sayer().say(&run.tenant), done + 1);
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
    Some(cx.state.sayer().say(&format!("not seen: {}{more}: {}", first.source, first.why)).into_owned())
}

/// The keys that work here, as many as fit; those that don't work now are dimmed.
pub fn keys(cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    buf.set_style(area, cx.style(Role::Surface));
    let layer = keymap::layer(cx.state);
    let mut shown: Vec<_> = BINDINGS.iter().filter(|b| b.bar > 0 && in_force(b, layer)).collect();
    shown.sort_by_key(|b| b.bar);
    let mut pen = Pen::new(cx, buf, area, 0);
    pen.put(" ", Style::new());
    for binding in shown {
        let on = keymap::enabled(cx.state, binding.action).is_ok();
        let key = binding.label.split(' ').next().unwrap_or(binding.label);
        if pen.left() < key.width() + binding.title.width() + 3 {
            break;
        }
        let (key_role, title_role) = if on { (Role::Key, Role::Text) } else { (Role::KeyOff, Role::KeyOff) };
        let title = key_title(cx, binding);
        pen.put(key, cx.style(key_role)).put(" ", Style::new()).put(title, cx.style(title_role)).put("  ", Style::new());
    }
    let hidden = super::views::fleet::hidden(cx, area.width);
    if hidden > 0 {
        let text = format!("+{hidden} columns ");
        let columns = u16::try_from(text.len()).unwrap_or(0).min(area.width);
        if pen.left() > text.len() {
            let right = Rect { x: area.right() - columns, width: columns, ..area };
            Pen::new(cx, buf, right, 0).put(&text, cx.style(Role::Muted));
        }
    }
}

/// What a key is called here: while typing, Enter and Esc are called by what they lead to.
fn key_title(cx: &Cx<'_>, binding: &keymap::Binding) -> &'static str {
    match (binding.layer, binding.action, &cx.state.dialog) {
        (Layer::Probing, Action::Cancel, _) => {
            if cx.state.run.as_ref().is_some_and(crate::app::run::Run::running) {
                "cancel"
            } else {
                "close"
            }
        }
        (Layer::Typing, Action::Accept, Some(_)) => "write it",
        (Layer::Typing, Action::Close, Some(_)) => "back to the plan",
        (Layer::Typing, Action::Accept, None) => "keep the filter",
        (Layer::Typing, Action::Close, None) => "clear it",
        _ => binding.title,
    }
}
