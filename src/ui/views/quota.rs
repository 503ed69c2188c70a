//! Quota of every tenant: used, hard, what binds, what fits.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_width::UnicodeWidthStr;

use crate::app::doc::span;
use crate::app::docs;
use crate::app::docs::quota::{bar, find, percent};
use crate::app::layout::{Area, Layout};
use crate::app::list::Row;
use crate::app::role::Role;
use crate::app::words;
use crate::model::kind::Kind;
use crate::ui::Cx;
use crate::ui::frame;
use crate::ui::pen::Pen;

/// Widths: tenant, quota, resource, used, hard, bar, percent, fits. 0 hides a column.
fn widths(room: usize, longest: usize) -> [usize; 8] {
    // the quota's whole name, if ten columns of bar are left beside it
    let quota = if room >= 104 { longest.clamp(12, 64).min(room.saturating_sub(84)) } else { 0 };
    let tenant = if room >= 76 { 18 } else { 13 };
    let amounts = if room >= 60 { 9 } else { 0 };
    let fits = if room >= 46 { 5 } else { 0 };
    let fixed = 1 + tenant + quota + 17 + 2 * amounts + 7 + fits + 8;
    [tenant, quota, 17, amounts, amounts, room.saturating_sub(fixed).min(32), 7, fits]
}

/// Draws the screen.
pub fn draw(cx: &Cx<'_>, layout: &Layout, at: &dyn Fn(Area) -> Rect, buf: &mut Buffer) {
    let list = at(layout.list);
    let page = cx.state.page();
    if page.list.rows.is_empty() {
        let all = list.union(at(layout.heads)).union(at(layout.detail)).intersection(buf.area);
        return frame::centred(cx, all, buf, |width| docs::empty::empty(cx.state, width));
    }
    let names = page.list.window(usize::from(list.height)).filter_map(|(_, row)| match row {
        Row::Quota(_, namespace, quota, _) => Some(cx.state.sayer().say(&format!("{namespace}/{quota}")).width()),
        _ => None,
    });
    let widths = widths(usize::from(list.width), names.max().unwrap_or(0));
    heads(cx, at(layout.heads), &widths, buf);
    let mut above: Option<(&str, &str, &str)> = None;
    for (row, (i, id)) in (0..list.height).zip(page.list.window(usize::from(list.height))) {
        if let Row::Quota(tenant, namespace, quota, resource) = id {
            let first = above != Some((tenant.as_ref(), namespace.as_ref(), quota.as_ref()));
            line(cx, list, row, (tenant, namespace, quota, resource), first, &widths, buf);
            above = Some((tenant, namespace, quota));
        }
        if i == page.list.at {
            frame::select(cx, list, row, buf);
        }
    }
    let Some(Row::Quota(tenant, namespace, quota, resource)) = &page.list.selected else { return };
    let heading = [span(cx.state.sayer().say(tenant).into_owned(), Role::Title)];
    frame::pane(cx, at(layout.detail), &heading, &cx.state.sayer().say(resource), page.scroll, buf, |width| {
        docs::quota::detail(cx.state, tenant, namespace, quota, resource, width)
    });
}

fn heads(cx: &Cx<'_>, area: Rect, widths: &[usize; 8], buf: &mut Buffer) {
    let mut pen = Pen::new(cx, buf, area, 0);
    let style = cx.style(Role::Label);
    pen.put(" ", style);
    for (title, width) in ["TENANT", "QUOTA", "RESOURCE", "USED", "HARD", "", "", "FITS"].into_iter().zip(widths).filter(|(_, w)| **w > 0) {
        if matches!(title, "USED" | "HARD" | "FITS") {
            pen.cell_right(title, *width, style);
        } else {
            pen.cell(title, *width, style);
        }
        pen.put(" ", Style::new());
    }
}

/// How a quota's rows are headed: by the tenant; without a column for the quota, by the namespace where the tenant has several, from where it
/// names the tenant.
fn shown_as<'a>(cx: &Cx<'_>, tenant: &'a str, namespace: &'a str, named: bool) -> &'a str {
    let several = cx.state.assessed(tenant).is_some_and(|t| t.quota.iter().any(|row| row.namespace.as_ref() != namespace));
    if named || !several {
        return tenant;
    }
    namespace.find(tenant).and_then(|at| namespace.get(at..)).unwrap_or(namespace)
}

fn line(cx: &Cx<'_>, area: Rect, row: u16, id: (&str, &str, &str, &str), first: bool, widths: &[usize; 8], buf: &mut Buffer) {
    let (tenant, namespace, quota, resource) = id;
    let Some(found) = cx.state.assessed(tenant).and_then(|t| find(t, namespace, quota, resource)) else { return };
    let say = cx.state.sayer();
    let source = cx.state.view.snapshot.source(Kind::ResourceQuota);
    let old = words::standing(source).old;
    let style = |role: Role| cx.style(if old { Role::Muted } else { role });
    let [w_tenant, w_quota, w_resource, w_used, w_hard, w_bar, w_percent, w_fits] = *widths;
    let mut pen = Pen::new(cx, buf, area, row);
    pen.put(" ", Style::new());
    let name = if first { say.say(shown_as(cx, tenant, namespace, w_quota > 0)) } else { "".into() };
    pen.cell(&name, w_tenant, style(Role::Strong)).put(" ", Style::new());
    if w_quota > 0 {
        let name = if first { say.say(&format!("{namespace}/{quota}")).into_owned() } else { String::new() };
        pen.cell(&name, w_quota, style(Role::Muted)).put(" ", Style::new());
    }
    pen.cell(&say.say(resource), w_resource, style(if found.binding { Role::Strong } else { Role::Text })).put(" ", Style::new());
    if w_used > 0 {
        let used = found.used.map_or_else(|| "?".to_owned(), |used| used.to_string());
        pen.cell_right(&used, w_used, style(Role::Text)).put(" ", Style::new());
        pen.cell_right(&found.hard.to_string(), w_hard, style(Role::Muted)).put(" ", Style::new());
    }
    let [filled, track] = bar(cx.sym, found.permille, w_bar);
    pen.put(&filled.text, style(filled.role)).put(&track.text, cx.style(track.role)).put(" ", Style::new());
    let over = found.permille.is_some_and(|p| p > 1000);
    let mark = if over {
        cx.sym.over
    } else if found.binding {
        cx.sym.binding
    } else {
        " "
    };
    let role = if found.binding { Role::Strong } else { Role::gauge(found.permille.unwrap_or(0)) };
    pen.cell_right(&percent(found.permille), w_percent - 1, style(role)).put(mark, style(Role::Strong)).put(" ", Style::new());
    if w_fits > 0 {
        let fits = found.fits.map_or_else(|| cx.sym.dash.to_owned(), |n| if n > 9999 { ">9999".into() } else { n.to_string() });
        pen.cell_right(&fits, w_fits, style(if found.fits == Some(0) { Role::Breached } else { Role::Muted }));
    }
}
