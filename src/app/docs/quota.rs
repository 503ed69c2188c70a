//! Quota in words: usage, what binds, what fits, what covers which pods.

use unicode_width::UnicodeWidthStr;

use crate::app::doc::{Doc, Span, span};
use crate::app::role::Role;
use crate::app::state::State;
use crate::app::symbols::Symbols;
use crate::app::words;
use crate::model::kind::Kind;
use crate::model::source::Sight;
use crate::posture::assessment::{Cover, QuotaRow, TenantAssessment};

/// A bar of that many columns: filled part and track.
pub fn bar(sym: &Symbols, permille: Option<u32>, width: usize) -> [Span; 2] {
    let Some(permille) = permille else { return [span("", Role::GaugeTrack), span(sym.track.repeat(width), Role::GaugeTrack)] };
    let halves = (permille.min(1000) as usize * width * 2).div_ceil(1000).min(width * 2);
    let mut filled = sym.full.repeat(halves / 2);
    if halves % 2 == 1 {
        filled.push_str(sym.half);
    }
    [span(filled, Role::gauge(permille)), span(sym.track.repeat(width - halves.div_ceil(2)), Role::GaugeTrack)]
}

/// `81%`, `?` where it can't be said.
pub fn percent(permille: Option<u32>) -> String {
    permille.map_or_else(|| "?".into(), |p| if p > 999_000 { ">999x".into() } else { format!("{}%", p / 10) })
}

/// A short form of a resource's name.
pub fn short(resource: &str) -> &str {
    resource.strip_prefix("requests.").unwrap_or(resource)
}

/// The bars of a tenant.
pub fn bars(state: &State, tenant: &TenantAssessment, doc: &mut Doc) {
    let sym = state.symbols();
    let say = state.sayer();
    if tenant.quota.is_empty() {
        return doc.para(&nothing(state, Kind::ResourceQuota), Role::Muted);
    }
    let old = words::standing(state.view.snapshot.source(Kind::ResourceQuota)).old;
    let dim = |role: Role| if old { Role::Muted } else { role };
    let names = tenant.quota.iter().map(|row| row.resource.width()).max().unwrap_or(0).min(18);
    let room = doc.width.saturating_sub(names + 24).clamp(6, 24);
    for row in &tenant.quota {
        let [mut filled, track] = bar(sym, row.permille, room);
        filled.role = dim(filled.role);
        let mark = if row.binding { sym.binding } else { " " };
        let name = crate::app::doc::fit(&say.say(&row.resource), names);
        doc.line(vec![
            span(format!("{name} "), dim(Role::Text)),
            filled,
            track,
            span(
                format!(" {:>5}{mark}", percent(row.permille)),
                dim(if row.binding { Role::Strong } else { Role::gauge(row.permille.unwrap_or(0)) }),
            ),
            span(format!(" {} of {}", amount(row), row.hard), Role::Muted),
        ]);
    }
}

/// One resource in one line.
pub fn one_line(state: &State, tenant: &TenantAssessment, row: &QuotaRow) -> Vec<Span> {
    let say = state.sayer();
    let fits = match row.fits {
        Some(1) => "1 more default pod fits".to_owned(),
        Some(n) => format!("{n} more default pods fit"),
        None => "how many more pods fit can't be said".to_owned(),
    };
    let binds = if row.binding { "; this is what binds" } else { "" };
    vec![
        span(format!("{} ", say.say(&tenant.tenant)), Role::Strong),
        span(format!("{} ", say.say(&row.resource)), Role::Muted),
        span(format!("{} of {} used: {fits}{binds}", amount(row), row.hard), Role::Text),
    ]
}

fn amount(row: &QuotaRow) -> String {
    row.used.map_or_else(|| "?".to_owned(), |used| used.to_string())
}

/// Which pods each object covers.
pub fn covers(state: &State, tenant: &TenantAssessment, doc: &mut Doc) {
    if tenant.covers.is_empty() {
        return doc.para(&nothing(state, Kind::NetworkPolicy), Role::Muted);
    }
    for cover in &tenant.covers {
        let whole = cover.covered == cover.of && cover.future == Some(true);
        let old = [cover.object.kind, Kind::Pod].into_iter().any(|kind| words::standing(state.view.snapshot.source(kind)).old);
        let role = match (old, whole) {
            (true, _) => Role::Muted,
            (false, true) => Role::Holds,
            (false, false) => Role::Degraded,
        };
        let sign = if whole { state.symbols().yes } else { state.symbols().verdict(crate::posture::verdict::Verdict::Degraded) };
        let object = &cover.object;
        let name = if tenant.namespaces.len() > 1 { object.to_string() } else { format!("{} {}", object.kind, object.name) };
        let text = format!("{}: {}", state.sayer().say(&name), cover_words(cover));
        doc.hang(vec![span(format!("{sign} "), role)], &text, if old { Role::Muted } else { Role::Text });
    }
}

/// That there is none, or that we can't see whether there is.
pub(super) fn nothing(state: &State, kind: Kind) -> String {
    let snapshot = &state.view.snapshot;
    match snapshot.sight(kind) {
        Sight::Blind => format!("not known: {kind} is {}", snapshot.source(kind).word()),
        _ => "none".to_owned(),
    }
}

fn cover_words(cover: &Cover) -> String {
    let future = match cover.future {
        Some(true) => "and every later one",
        Some(false) => "not every later one",
        None => "later ones can't be told",
    };
    format!("{} of {} pods, {future}", cover.covered, cover.of)
}

/// The detail of one resource of one quota.
pub fn detail(state: &State, tenant: &str, namespace: &str, quota: &str, resource: &str, width: usize) -> Doc {
    let mut doc = Doc::new(width);
    let Some(assessed) = state.assessed(tenant) else { return doc };
    let Some(row) = find(assessed, namespace, quota, resource) else { return doc };
    let say = state.sayer();
    doc.pair("quota", 8, &format!("{}/{}", say.say(namespace), say.say(quota)), Role::Text);
    doc.pair("used", 8, &format!("{} of {} {}", amount(row), row.hard, say.say(resource)), Role::gauge(row.permille.unwrap_or(0)));
    let fits = match row.fits {
        Some(0) => "no further pod with the LimitRange's defaults fits".to_owned(),
        Some(1) => "1 more pod with the LimitRange's defaults fits".to_owned(),
        Some(n) => format!("{n} more pods with the LimitRange's defaults fit"),
        None => "not known: this resource does not bind pods, or there is no default for it".to_owned(),
    };
    doc.pair("fits", 8, &fits, Role::Text);
    if row.binding {
        doc.pair("binds", 8, "this is the resource that stops the next default pod first", Role::Strong);
    }
    doc.head("all of the tenant");
    bars(state, assessed, &mut doc);
    doc.head("what covers its pods");
    covers(state, assessed, &mut doc);
    doc
}

/// A quota row by its parts.
pub fn find<'a>(tenant: &'a TenantAssessment, namespace: &str, quota: &str, resource: &str) -> Option<&'a QuotaRow> {
    tenant.quota.iter().find(|row| row.namespace.as_ref() == namespace && row.quota.as_ref() == quota && row.resource.as_ref() == resource)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::symbols::symbols;

    #[test]
    fn a_bar_is_as_wide_as_asked_whatever_the_share() {
        for ascii in [true, false] {
            for permille in [None, Some(0), Some(1), Some(499), Some(500), Some(999), Some(1000), Some(4_000_000_000)] {
                for width in 0..14 {
                    let [filled, track] = bar(symbols(ascii), permille, width);
                    assert_eq!(filled.text.width() + track.text.width(), width, "{permille:?} {width}");
                }
            }
        }
    }

    #[test]
    fn something_used_shows_and_only_full_is_full() {
        let [filled, _] = bar(symbols(false), Some(1), 10);
        assert_eq!(filled.text, "╾");
        assert_eq!(percent(Some(1234)), "123%");
        assert_eq!(percent(None), "?");
    }
}
