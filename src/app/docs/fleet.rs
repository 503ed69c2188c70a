//! A tenant in short: what the fleet screen says beside its row.

use crate::app::doc::{Doc, Span, span};
use crate::app::role::Role;
use crate::app::state::State;
use crate::app::symbols::letter;
use crate::app::words;
use crate::model::kind::Kind;
use crate::model::time::age;
use crate::posture::assessment::TenantAssessment;
use crate::posture::verdict::Verdict;
use crate::posture::wall::WALLS;

/// The summary of a tenant; `alone` where [`side`] is not shown with it.
pub fn summary(state: &State, tenant: &str, width: usize, alone: bool) -> Doc {
    let mut doc = Doc::new(width);
    let Some(assessed) = state.assessed(tenant) else { return doc };
    grade(state, assessed, &mut doc);
    walls(state, assessed, &mut doc);
    if alone {
        doc.blank();
        usage(state, assessed, &mut doc);
        changed(state, assessed, "changed ", &mut doc);
        refused(state, assessed, &mut doc);
    }
    doc
}

fn grade(state: &State, tenant: &TenantAssessment, doc: &mut Doc) {
    let weakest: Vec<&str> = WALLS.into_iter().filter(|w| tenant.wall(*w) == tenant.grade).map(crate::posture::wall::Wall::title).collect();
    let mut line = super::verdict(state, tenant.grade);
    if tenant.grade == Verdict::Holds {
        line.push(span("  held when tried", Role::Muted));
    } else if !weakest.is_empty() {
        line.push(span(format!("  weakest: {}", weakest.join(", ")), Role::Text));
    }
    let (with, of) = tenant.coverage;
    let proof = match tenant.oldest_proof {
        Some(at) => format!("  {with} of {of} proved, oldest {}", age(state.now.since(at))),
        None => format!("  {with} of {of} proved"),
    };
    line.push(span(proof, Role::Muted));
    doc.line(line);
}

/// What runs in a tenant and where, for the edge of a frame.
pub fn whereabouts(state: &State, tenant: &str) -> String {
    let Some(assessed) = state.assessed(tenant) else { return String::new() };
    let names: Vec<String> = assessed.namespaces.iter().take(3).map(|n| state.sayer().say(n).into_owned()).collect();
    let more = if assessed.namespaces.len() > 3 { " and more" } else { "" };
    match assessed.kind {
        crate::posture::assessment::AppKind::Other => format!("in {}{more}", names.join(", ")),
        kind => format!("{} in {}{more}", kind.word(), names.join(", ")),
    }
}

/// One line a wall that has checks: its worst check and why.
fn walls(state: &State, tenant: &TenantAssessment, doc: &mut Doc) {
    let sym = state.symbols();
    for wall in WALLS {
        let verdict = tenant.wall(wall);
        let Some(worst) = tenant.of_wall(wall).min_by_key(|r| (r.verdict != verdict, r.verdict, r.check.severity)) else { continue };
        let first: Vec<Span> = vec![
            span(format!("{}{} ", sym.verdict(verdict), letter(verdict)), Role::of(verdict)),
            span(format!("{:4}", wall.short()), Role::Strong),
            span(format!("{} ", worst.check.id), Role::Muted),
        ];
        let old = words::wall_is_old(&state.view.snapshot, wall);
        doc.hang(first, &super::check::reason(state, worst), if old { Role::Muted } else { Role::Text });
    }
}

fn usage(state: &State, tenant: &TenantAssessment, doc: &mut Doc) {
    let mut binding: Vec<_> = tenant.quota.iter().filter(|row| row.binding).collect();
    if binding.is_empty() {
        binding.extend(tenant.quota.iter().max_by_key(|row| row.permille));
    }
    let Some(row) = binding.first() else {
        return doc.pair("quota", 7, &super::quota::nothing(state, Kind::ResourceQuota), Role::Muted);
    };
    let used = row.used.map_or_else(|| "?".to_owned(), |used| used.to_string());
    let fits = match row.fits {
        Some(1) => "; 1 more default pod fits".to_owned(),
        Some(n) => format!("; {n} more default pods fit"),
        None => String::new(),
    };
    let word = if row.binding { "binds" } else { "fullest" };
    let resource = state.sayer().say(&row.resource).into_owned();
    doc.pair(word, 7, &format!("{resource} {used} of {}{fits}", row.hard), Role::gauge(row.permille.unwrap_or(0)));
}

/// The change that moved a wall, in words.
pub fn changed(state: &State, tenant: &TenantAssessment, label: &str, doc: &mut Doc) {
    let Some(moved) = &tenant.changed else { return };
    let sym = state.symbols();
    let say = state.sayer();
    let mut text = format!("{} ", words::ago(state.now.since(moved.at)));
    if let Some((object, how)) = &moved.object {
        text.push_str(&say.say(&object.to_string()));
        text.push(' ');
        text.push_str(how.word());
    } else {
        text.push_str(match moved.to {
            Verdict::Holds => "by a receipt",
            Verdict::Unknown => "because we can no longer look",
            _ => "without a change of an object we follow",
        });
    }
    if let Some(manager) = &moved.manager {
        text.push_str(" by ");
        text.push_str(&say.say(manager));
    }
    let first = vec![
        span(label, Role::Label),
        span(format!("{} ", moved.wall.short()), Role::Strong),
        span(sym.verdict(moved.from), Role::of(moved.from)),
        span(sym.arrow, Role::Muted),
        span(format!("{} ", sym.verdict(moved.to)), Role::of(moved.to)),
    ];
    doc.hang(first, &text, Role::Text);
}

fn refused(state: &State, tenant: &TenantAssessment, doc: &mut Doc) {
    let Some(newest) = tenant.refusals.iter().max_by_key(|r| r.last) else { return };
    let say = state.sayer();
    let count = if newest.count > 1 { format!(" ×{}", newest.count) } else { String::new() };
    let text = format!(
        "{}{count} {} by {}: {}",
        words::ago(state.now.since(newest.last)),
        say.say(&newest.about),
        words::authority(newest.authority),
        say.say(&newest.message)
    );
    doc.pair("refused", 7, &text, Role::Muted);
}

/// The tenant's pane beside its checks on a wide screen: usage, coverage, changes, refusals.
pub fn side(state: &State, tenant: &str, width: usize) -> Doc {
    let mut doc = Doc::new(width);
    let Some(assessed) = state.assessed(tenant) else { return doc };
    if assessed.changed.is_some() {
        doc.head("last change of a wall");
        changed(state, assessed, "", &mut doc);
    }
    doc.head("quota");
    super::quota::bars(state, assessed, &mut doc);
    doc.head("what covers its pods");
    super::quota::covers(state, assessed, &mut doc);
    if !assessed.refusals.is_empty() {
        doc.head("refused lately");
        let say = state.sayer();
        for refusal in assessed.refusals.iter().rev().take(6) {
            let first = vec![span(format!("{:>4} ", age(state.now.since(refusal.last))), Role::Muted)];
            let text = format!("{} by {}: {}", say.say(&refusal.about), words::authority(refusal.authority), say.say(&refusal.message));
            doc.hang(first, &text, Role::Text);
        }
    }
    doc
}
