//! One tenant: its walls and checks at the left, the selected check at the right.

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
use crate::posture::assessment::TenantAssessment;
use crate::posture::verdict::Verdict;
use crate::posture::wall::Wall;
use crate::ui::Cx;
use crate::ui::frame;
use crate::ui::pen::Pen;

/// The line about the tenant.
pub fn title(cx: &Cx<'_>, pen: &mut Pen<'_>) {
    let state = cx.state;
    let Some(tenant) = state.tenant.as_ref() else { return };
    let say = state.sayer();
    pen.put(&say.say(tenant), cx.style(Role::Title));
    let Some(assessed) = state.assessed(tenant) else { return };
    pen.put("  ", Style::new());
    pen.put(&format!("{} {}", cx.sym.verdict(assessed.grade), assessed.grade.word()), cx.style(Role::of(assessed.grade)));
    let (with, of) = assessed.coverage;
    let proof = assessed.oldest_proof.map_or_else(|| "never proved".to_owned(), |at| format!("oldest proof {}", age(state.now.since(at))));
    pen.put(&format!("  {with} of {of} proved, {proof}"), cx.style(Role::Muted));
    let names: Vec<String> = assessed.namespaces.iter().map(|n| say.say(n).into_owned()).collect();
    let kind = if assessed.kind.word() == "-" { String::new() } else { format!("{}, ", assessed.kind.word()) };
    pen.put_cut(&format!("  {kind}in {}", names.join(", ")), cx.style(Role::Muted));
}

/// Draws the screen.
pub fn draw(cx: &Cx<'_>, layout: &Layout, at: &dyn Fn(Area) -> Rect, buf: &mut Buffer) {
    let page = cx.state.page();
    let list = at(layout.list);
    let tenant = cx.state.tenant.as_ref().and_then(|t| cx.state.assessed(t));
    let Some(tenant) = tenant.filter(|_| !page.list.rows.is_empty()) else {
        return frame::centred(cx, list, buf, |width| docs::empty::empty(cx.state, width));
    };
    frame::frame(cx, at(layout.frame), &[span("walls", Role::Title)], "", true, buf);
    for (row, (i, id)) in (0..list.height).zip(page.list.window(usize::from(list.height))) {
        match id {
            Row::Wall(wall) => wall_line(cx, list, row, tenant, *wall, buf),
            Row::Check(check) => check_line(cx, list, row, tenant, check, buf),
            Row::Head(walls) => {
                let mut pen = Pen::new(cx, buf, list, row);
                pen.put(&format!(" {}  {walls}  ", cx.sym.verdict(Verdict::NotApplicable)), cx.style(Role::Muted));
                pen.put_cut("no checks yet", cx.style(Role::Na));
            }
            _ => {}
        }
        if i == page.list.at && id.selectable() {
            frame::select(cx, list, row, buf);
        }
    }
    let Some(Row::Check(check)) = &page.list.selected else { return };
    let info = crate::posture::catalogue::find(check);
    let heading = [span(format!("{check} "), Role::Title), span(info.map_or("", |i| i.title), Role::Text)];
    let severity = info.map_or("", |i| i.severity.word());
    frame::pane(cx, at(layout.detail), &heading, severity, page.scroll, buf, |width| docs::check::detail(cx.state, check, width));
    let id = tenant.tenant.clone();
    frame::pane(cx, at(layout.side), &[span("around it", Role::Title)], "", 0, buf, |width| docs::fleet::side(cx.state, &id, width));
}

fn wall_line(cx: &Cx<'_>, area: Rect, row: u16, tenant: &TenantAssessment, wall: Wall, buf: &mut Buffer) {
    let platform = cx.state.view.assessment.platform.iter().map(|r| r.verdict).min();
    let verdict = if wall == Wall::Plt {
        tenant.of_wall(wall).map(|r| r.verdict).chain(platform).min().unwrap_or(Verdict::NotApplicable)
    } else {
        tenant.wall(wall)
    };
    let old = words::wall_is_old(&cx.state.view.snapshot, wall);
    let role = if old && verdict != Verdict::NotApplicable { Role::Muted } else { Role::of(verdict) };
    let mut pen = Pen::new(cx, buf, area, row);
    pen.put(" ", Style::new());
    pen.put(cx.sym.verdict(verdict), cx.style(role)).put(letter(verdict), cx.style(role)).put(" ", Style::new());
    pen.put(wall.short(), cx.style(Role::Title)).put(" ", Style::new());
    let word = verdict.word();
    let room = pen.left().saturating_sub(word.len() + 1);
    // these are the same for every tenant
    let title = if wall == Wall::Plt { "whole cluster" } else { wall.title() };
    pen.cell(title, room.saturating_sub(1), cx.style(Role::Muted)).put(" ", Style::new());
    pen.put(word, cx.style(role));
}

fn check_line(cx: &Cx<'_>, area: Rect, row: u16, tenant: &TenantAssessment, check: &str, buf: &mut Buffer) {
    let Some(result) = cx.state.result(tenant, check) else { return };
    let role = Role::of(result.verdict);
    let mut pen = Pen::new(cx, buf, area, row);
    pen.put("  ", Style::new());
    pen.put(cx.sym.verdict(result.verdict), cx.style(role)).put(letter(result.verdict), cx.style(role)).put(" ", Style::new());
    pen.put(&format!("{check} "), cx.style(Role::Strong));
    pen.put_cut(result.check.title, cx.style(Role::Text));
}
