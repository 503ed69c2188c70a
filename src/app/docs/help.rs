//! Help, from the keymap; and what the signs mean.

use crate::app::doc::{Doc, Span, fit, span};
use crate::app::keymap::{self, BINDINGS, Binding, Danger, Layer, in_force};
use crate::app::role::Role;
use crate::app::state::{Screen, State};
use crate::app::symbols::letter;
use crate::posture::verdict::{ALL, Verdict};

/// What a verdict means, in a few words.
pub const fn meaning(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Breached => "open by declaration, or a probe crossed it",
        Verdict::Disputed => "declared right, yet a probe crossed it",
        Verdict::Degraded => "partly declared",
        Verdict::Vacuous => "the attempt failed, but proves nothing",
        Verdict::Unknown => "we could not look; never counts as good",
        Verdict::Unproven => "declared right, no receipt that counts",
        Verdict::Waived => "accepted by a named person until a date",
        Verdict::Holds => "declared right, and held when tried",
        Verdict::NotApplicable => "no check of this release",
    }
}

/// Keys here, and signs.
pub fn help(state: &State, width: usize) -> Doc {
    let mut doc = Doc::new(width);
    let entries: Vec<Vec<Span>> = BINDINGS.iter().filter(|b| in_force(b, Layer::On(state.screen))).map(|b| entry(state, b)).collect();
    let wide = width >= 112;
    let columns = if wide { width / 2 } else { width };
    doc.line(vec![span(format!("KEYS ON THE {} SCREEN", state.screen.title().to_uppercase()), Role::Label)]);
    if wide {
        let half = entries.len().div_ceil(2);
        for i in 0..half {
            let mut line = pad(entries.get(i).cloned().unwrap_or_default(), columns);
            line.extend(entries.get(half + i).cloned().unwrap_or_default());
            doc.line(line);
        }
    } else {
        doc.lines.extend(entries);
    }
    doc.blank();
    doc.line(vec![span("SIGNS", Role::Label)]);
    if state.screen == Screen::Matrix {
        doc.lines.extend(super::matrix::signs(state, width).lines);
        return doc;
    }
    if state.screen == Screen::Vault {
        doc.lines.extend(super::vault::signs(state, width).lines);
        return doc;
    }
    for verdict in ALL {
        let sign = format!("{}{}", state.symbols().verdict(verdict), letter(verdict));
        doc.line(vec![
            span(format!("{sign}  "), Role::of(verdict)),
            span(format!("{:10}", verdict.word()), Role::of(verdict)),
            span(meaning(verdict), Role::Text),
        ]);
    }
    doc
}

fn entry(state: &State, binding: &Binding) -> Vec<Span> {
    let enabled = keymap::enabled(state, binding.action);
    let role = if enabled.is_ok() { Role::Key } else { Role::KeyOff };
    let mut line = vec![span(fit(binding.label, 11), role)];
    match enabled {
        Ok(()) => line.push(span(binding.help, Role::Text)),
        Err(why) => line.push(span(why.into_owned(), Role::Muted)),
    }
    match binding.danger {
        Danger::Look => {}
        Danger::Probe => line.push(span("  [tries]", Role::ModeProbe)),
        Danger::Write => line.push(span("  [writes]", Role::ModeFix)),
    }
    line
}

/// Pads or cuts spans to a width.
fn pad(spans: Vec<Span>, width: usize) -> Vec<Span> {
    let mut left = width;
    let mut out = Vec::new();
    for s in spans {
        let text = crate::app::doc::cut(&s.text, left.saturating_sub(2));
        left -= unicode_width::UnicodeWidthStr::width(text.as_str()).min(left);
        out.push(span(text, s.role));
    }
    out.push(span(" ".repeat(left), Role::Text));
    out
}
