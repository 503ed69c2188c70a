//! Violations across the fleet, by check or by tenant, and recent refusals.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::app::doc::span;
use crate::app::docs;
use crate::app::layout::{Area, Layout};
use crate::app::list::Row;
use crate::app::role::Role;
use crate::app::symbols::letter;
use crate::app::words;
use crate::model::time::age;
use crate::posture::catalogue;
use crate::ui::Cx;
use crate::ui::frame;
use crate::ui::pen::Pen;

/// Draws the screen.
pub fn draw(cx: &Cx<'_>, layout: &Layout, at: &dyn Fn(Area) -> Rect, buf: &mut Buffer) {
    let list = at(layout.list).union(at(layout.heads)).intersection(buf.area);
    let page = cx.state.page();
    if page.list.rows.is_empty() {
        let all = list.union(at(layout.detail)).intersection(buf.area);
        return frame::centred(cx, all, buf, |width| docs::empty::empty(cx.state, width));
    }
    let list = at(layout.list);
    let by_tenant = page.order == 1;
    heads(cx, at(layout.heads), by_tenant, buf);
    for (row, (i, id)) in (0..list.height).zip(page.list.window(usize::from(list.height))) {
        match id {
            Row::Head(key) => group(cx, list, row, key, buf),
            id => item(cx, list, row, id, by_tenant, buf),
        }
        if i == page.list.at && id.selectable() {
            frame::select(cx, list, row, buf);
        }
    }
    let title = match &page.list.selected {
        Some(Row::Finding(tenant, check, ..)) => format!("{} {check}", cx.state.sayer().say(tenant)),
        Some(Row::Refusal(tenant, ..)) => format!("{} refusal", cx.state.sayer().say(tenant)),
        _ => return,
    };
    let selected = page.list.selected.clone();
    frame::pane(cx, at(layout.detail), &[span(title, Role::Title)], "", page.scroll, buf, |width| {
        selected.map(|row| docs::check::violation(cx.state, &row, width)).unwrap_or_default()
    });
}

fn heads(cx: &Cx<'_>, area: Rect, by_tenant: bool, buf: &mut Buffer) {
    let mut pen = Pen::new(cx, buf, area, 0);
    let style = cx.style(Role::Label);
    pen.put("    ", style).cell("", 2, style).put(" ", style);
    pen.cell(if by_tenant { "CHECK" } else { "TENANT" }, if by_tenant { 8 } else { 18 }, style)
        .put(" ", style)
        .put_cut("WHAT IS WRONG", style);
}

/// A group's heading.
fn group(cx: &Cx<'_>, area: Rect, row: u16, key: &str, buf: &mut Buffer) {
    let mut pen = Pen::new(cx, buf, area, row);
    pen.put(" ", Style::new());
    if key.is_empty() {
        pen.put("Refused lately", cx.style(Role::Title)).put_cut("  in the refusing authority's own words", cx.style(Role::Muted));
        return;
    }
    let by_tenant = &cx.state.view.assessment.by_tenant;
    if let Some(info) = catalogue::find(key) {
        let tenants = by_tenant.values().filter(|t| t.checks.iter().any(|r| r.check.id == info.id && r.verdict.is_violation())).count();
        pen.put(&format!("{key} "), cx.style(Role::Title)).put(info.title, cx.style(Role::Text));
        pen.put(&format!("  {}", info.severity.word()), cx.style(Role::severity(info.severity)));
        pen.put_cut(&format!("  {tenants} tenant{}", if tenants == 1 { "" } else { "s" }), cx.style(Role::Muted));
        if info.fix.is_some() {
            pen.put_cut("  f plans its fix", cx.style(Role::Muted));
        }
        return;
    }
    pen.put(&cx.state.sayer().say(key), cx.style(Role::Title));
    if let Some(tenant) = by_tenant.get(key) {
        pen.put(&format!("  {} {}", cx.sym.verdict(tenant.grade), tenant.grade.word()), cx.style(Role::of(tenant.grade)));
        pen.put_cut(&format!("  {} violations", tenant.violations().count()), cx.style(Role::Muted));
    }
}

fn item(cx: &Cx<'_>, area: Rect, row: u16, id: &Row, by_tenant: bool, buf: &mut Buffer) {
    let say = cx.state.sayer();
    let mut pen = Pen::new(cx, buf, area, row);
    pen.put("    ", Style::new());
    match id {
        Row::Finding(tenant, check, ..) => {
            let Some(assessed) = cx.state.assessed(tenant) else { return };
            let Some(result) = cx.state.result(assessed, check) else { return };
            let Some(finding) = id.finding(&result.findings) else { return };
            let role = Role::of(finding.verdict);
            pen.put(cx.sym.verdict(finding.verdict), cx.style(role)).put(letter(finding.verdict), cx.style(role)).put(" ", Style::new());
            if by_tenant {
                pen.cell(check, 8, cx.style(Role::Strong));
            } else {
                pen.cell(&say.say(tenant), 18, cx.style(Role::Strong));
            }
            pen.put(" ", Style::new()).put_cut(&docs::check::message(cx.state, finding), cx.style(Role::Text));
        }
        Row::Refusal(tenant, namespace, about, message) => {
            let refusals = cx.state.assessed(tenant).map(|t| t.refusals.as_slice()).unwrap_or_default();
            let Some(refusal) =
                refusals.iter().find(|r| r.namespace == *namespace && r.about == about.as_ref() && r.message == message.as_ref())
            else {
                return;
            };
            pen.cell_right(&age(cx.state.now.since(refusal.last)), 3, cx.style(Role::Muted)).put(" ", Style::new());
            pen.cell(&say.say(tenant), 17, cx.style(Role::Strong)).put(" ", Style::new());
            pen.put(words::authority(refusal.authority), cx.style(Role::Accent)).put(": ", cx.style(Role::Muted));
            pen.put_cut(&say.say(&refusal.message), cx.style(Role::Text));
        }
        _ => {}
    }
}
