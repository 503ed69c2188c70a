//! The home screen: a row a tenant.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_width::UnicodeWidthStr;

use crate::app::columns::{COLUMNS, MEM, What, widths};
use crate::app::doc::span;
use crate::app::docs;
use crate::app::docs::quota::{bar, percent};
use crate::app::layout::{Area, Class, Layout};
use crate::app::list::Row;
use crate::app::role::Role;
use crate::app::symbols::letter;
use crate::app::words;
use crate::model::kind::Kind;
use crate::model::source::Sight;
use crate::model::time::age;
use crate::posture::assessment::{AppKind, QuotaRow, TenantAssessment};
use crate::posture::verdict::Verdict;
use crate::posture::wall::{WALLS, Wall};
use crate::ui::Cx;
use crate::ui::frame;
use crate::ui::pen::Pen;

/// Draws the screen.
pub fn draw(cx: &Cx<'_>, layout: &Layout, at: &dyn Fn(Area) -> Rect, buf: &mut Buffer) {
    let list = at(layout.list);
    let page = cx.state.page();
    if page.list.rows.is_empty() {
        let all = list.union(at(layout.heads)).union(at(layout.detail)).intersection(buf.area);
        return frame::centred(cx, all, buf, |width| docs::empty::empty(cx.state, width));
    }
    if layout.heads.is_empty() {
        return compact(cx, layout.class, list, buf);
    }
    let longest = page.list.window(usize::from(list.height)).filter_map(|(_, row)| row.tenant()).map(|t| t.width()).max().unwrap_or(0);
    let widths = widths(usize::from(list.width), longest, page.others);
    heads(cx, at(layout.heads), &widths, buf);
    for (row, (i, id)) in (0..list.height).zip(page.list.window(usize::from(list.height))) {
        let Row::Tenant(tenant) = id else { continue };
        if let Some(assessed) = cx.state.assessed(tenant) {
            line(cx, list, row, assessed, &widths, buf);
        }
        if i == page.list.at {
            frame::select(cx, list, row, buf);
        }
    }
    detail(cx, at(layout.detail), buf);
}

/// The selected tenant beside or below its row.
fn detail(cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
    let Some(Row::Tenant(tenant)) = &cx.state.page().list.selected else { return };
    let name = cx.state.sayer().say(tenant).into_owned();
    let place = docs::fleet::whereabouts(cx.state, tenant);
    let tall = area.height > 30;
    if area.width >= 110 && !tall {
        return beside(cx, area, tenant, &name, &place, buf);
    }
    frame::pane(cx, area, &[span(name, Role::Title)], &place, cx.state.page().scroll, buf, |width| {
        let mut doc = docs::fleet::summary(cx.state, tenant, width, !tall);
        if tall {
            doc.blank();
            doc.lines.extend(docs::fleet::side(cx.state, tenant, width).lines);
        }
        doc
    });
}

/// The summary, and beside it what is around the tenant, in one frame.
fn beside(cx: &Cx<'_>, area: Rect, tenant: &str, name: &str, kind: &str, buf: &mut Buffer) {
    frame::frame(cx, area, &[span(name, Role::Title)], kind, false, buf);
    let inner = frame::inside(area);
    let left = Rect { x: inner.x + 1, width: inner.width * 11 / 20, ..inner };
    let right = Rect { x: left.right() + 3, width: inner.right().saturating_sub(left.right() + 4), ..inner };
    let scroll = cx.state.page().scroll;
    let summary = docs::fleet::summary(cx.state, tenant, usize::from(left.width), false);
    frame::text(cx, left, &summary, scroll, buf);
    frame::text(cx, right, &docs::fleet::side(cx.state, tenant, usize::from(right.width)), 0, buf);
    frame::more(cx, area, summary.lines.len(), scroll, buf);
}

fn heads(cx: &Cx<'_>, area: Rect, widths: &[usize; 16], buf: &mut Buffer) {
    let mut pen = Pen::new(cx, buf, area, 0);
    let style = cx.style(Role::Label);
    pen.put(" ", style);
    for (column, width) in COLUMNS.iter().zip(widths).filter(|(_, w)| **w > 0) {
        let sorted = matches!(
            (cx.state.page().order, column.what),
            (1, What::Tenant) | (3, What::Violations) | (4, What::Proved) | (5, What::Changed)
        ) || (cx.state.page().order == 2 && column.what == MEM);
        let title = if sorted { format!("{}{}", column.title, cx.sym.sorted) } else { column.title.to_owned() };
        let right = matches!(column.what, What::Violations | What::Coverage | What::Proved);
        if matches!(column.what, What::Gauge(_)) && *width < 10 {
            pen.cell_right(&title, *width - 1, style).put(" ", style);
        } else if right {
            pen.cell_right(&title, *width, style);
        } else {
            pen.cell(&title, *width, style);
        }
        pen.put(" ", Style::new());
    }
}

fn line(cx: &Cx<'_>, area: Rect, row: u16, tenant: &TenantAssessment, widths: &[usize; 16], buf: &mut Buffer) {
    let old = cx.kube.old;
    let dim = |role: Role| cx.style(if old { Role::Muted } else { role });
    let mut pen = Pen::new(cx, buf, area, row);
    pen.put(" ", Style::new());
    for (column, width) in COLUMNS.iter().zip(widths).filter(|(_, w)| **w > 0) {
        let width = *width;
        match column.what {
            What::Tenant => {
                pen.cell(&cx.state.sayer().say(&tenant.tenant), width, dim(Role::Strong));
            }
            What::Kind => {
                let blind = tenant.kind == AppKind::Other && cx.state.view.snapshot.sight(Kind::Pod) == Sight::Blind;
                pen.cell(if blind { "?" } else { tenant.kind.word() }, width, dim(Role::Muted));
            }
            What::Wall(wall) => wall_cell(cx, tenant, wall, width, &mut pen),
            What::Gauge(resources) => gauge(cx, tenant, resources, width, old, &mut pen),
            What::Violations => {
                let n = tenant.violations().count();
                let blind = n == 0 && tenant.walls.values().any(|v| *v == Verdict::Unknown);
                let role = if n == 0 { Role::Na } else { Role::Text };
                let text = if blind {
                    "?".to_owned()
                } else if n == 0 {
                    cx.sym.dash.to_owned()
                } else {
                    n.to_string()
                };
                pen.cell_right(&text, width, dim(role));
            }
            What::Coverage => {
                let (with, of) = tenant.coverage;
                pen.cell_right(&format!("{with}/{of}"), width, dim(if with == of && of > 0 { Role::Holds } else { Role::Muted }));
            }
            What::Proved => {
                let text = tenant.oldest_proof.map_or_else(|| "never".to_owned(), |at| age(cx.state.now.since(at)));
                pen.cell_right(&text, width, dim(Role::Muted));
            }
            What::Changed => changed(cx, tenant, width, old, &mut pen),
        }
        pen.put(" ", Style::new());
    }
}

/// Glyph and letter of a wall; dimmed while what it rests on may be old.
fn wall_cell(cx: &Cx<'_>, tenant: &TenantAssessment, wall: Wall, width: usize, pen: &mut Pen<'_>) {
    let verdict = tenant.wall(wall);
    let old = words::wall_is_old(&cx.state.view.snapshot, wall);
    let style = if old && verdict != Verdict::NotApplicable { cx.style(Role::Muted) } else { cx.style(Role::of(verdict)) };
    let plain = cx.style(Role::Text);
    pen.put(cx.sym.verdict(verdict), style);
    pen.put(letter(verdict), style);
    pen.cell("", width.saturating_sub(2), plain);
}

/// The fullest row among some resources.
fn fullest<'a>(tenant: &'a TenantAssessment, resources: &[&str]) -> Option<&'a QuotaRow> {
    let of = |row: &&QuotaRow| resources.contains(&row.resource.as_ref());
    tenant.quota.iter().filter(of).max_by_key(|row| (row.binding, row.permille))
}

fn gauge(cx: &Cx<'_>, tenant: &TenantAssessment, resources: &[&str], width: usize, old: bool, pen: &mut Pen<'_>) {
    let Some(row) = fullest(tenant, resources) else {
        let blind = cx.state.view.snapshot.sight(Kind::ResourceQuota) == Sight::Blind;
        let text = if blind { "?" } else { cx.sym.dash };
        pen.cell_right(text, width.saturating_sub(1), cx.style(Role::Na)).put(" ", Style::new());
        return;
    };
    let style = |role: Role| cx.style(if old { Role::Muted } else { role });
    let columns = width.saturating_sub(6);
    if columns >= 4 {
        let [filled, track] = bar(cx.sym, row.permille, columns);
        pen.put(&filled.text, style(filled.role)).put(&track.text, cx.style(track.role));
    } else {
        pen.skip(columns);
    }
    let over = row.permille.is_some_and(|p| p > 1000);
    let mark = if over {
        cx.sym.over
    } else if row.binding {
        cx.sym.binding
    } else {
        " "
    };
    let role = if row.binding { Role::Strong } else { Role::gauge(row.permille.unwrap_or(0)) };
    pen.cell_right(&percent(row.permille), 5.min(width), style(role)).put(mark, style(Role::Strong));
}

/// What changed last: from, to, which wall, when; or that the row is old.
fn changed(cx: &Cx<'_>, tenant: &TenantAssessment, width: usize, old: bool, pen: &mut Pen<'_>) {
    if old {
        // the banner has the reason
        let since = cx.kube.since.map(|at| format!(" {}", age(cx.state.now.since(at)))).unwrap_or_default();
        pen.cell(&format!("{}{since}", cx.kube.word), width, cx.style(Role::Stale));
        return;
    }
    let Some(moved) = &tenant.changed else {
        pen.cell(cx.sym.dash, width, cx.style(Role::Na));
        return;
    };
    pen.put(cx.sym.verdict(moved.from), cx.style(Role::of(moved.from)));
    pen.put(cx.sym.arrow, cx.style(Role::Muted));
    pen.put(cx.sym.verdict(moved.to), cx.style(Role::of(moved.to)));
    let text = format!(" {} {}", moved.wall.short(), age(cx.state.now.since(moved.at)));
    pen.cell(&text, width.saturating_sub(3), cx.style(Role::Muted));
}

/// The list for small terminals: sign, tenant, walls with checks, the worst reason.
fn compact(cx: &Cx<'_>, size: Class, area: Rect, buf: &mut Buffer) {
    let page = cx.state.page();
    let name = if size == Class::Tiny { 12 } else { 16 }.min(usize::from(area.width / 3));
    for (row, (i, id)) in (0..area.height).zip(page.list.window(usize::from(area.height))) {
        let Row::Tenant(tenant) = id else { continue };
        if let Some(tenant) = cx.state.assessed(tenant) {
            let mut pen = Pen::new(cx, buf, area, row);
            let verdict = tenant.grade;
            let role = Role::of(verdict);
            pen.put(" ", Style::new());
            pen.put(cx.sym.verdict(verdict), cx.style(role)).put(letter(verdict), cx.style(role)).put(" ", Style::new());
            pen.cell(&cx.state.sayer().say(&tenant.tenant), name, cx.style(Role::Strong)).put(" ", Style::new());
            for wall in WALLS.into_iter().filter(|w| tenant.of_wall(*w).next().is_some()) {
                pen.put(cx.sym.verdict(tenant.wall(wall)), cx.style(Role::of(tenant.wall(wall))));
            }
            pen.put(" ", Style::new());
            if let Some(worst) = cx.state.worst(tenant) {
                let reason = docs::check::reason(cx.state, worst);
                pen.put(&format!("{} ", worst.check.id), cx.style(Role::Muted)).put_cut(&reason, cx.style(Role::Text));
            }
        }
        if i == page.list.at {
            frame::select(cx, area, row, buf);
        }
    }
}
