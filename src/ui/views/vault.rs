//! What every tenant reaches in Vault: a row a tenant, and beside it the chain that leads there. Only what is on the screen is looked at.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::app::doc::span;
use crate::app::docs;
use crate::app::layout::{Area, Layout};
use crate::app::list::Row;
use crate::app::role::Role;
use crate::app::vault;
use crate::app::vault::tally::Count;
use crate::ui::Cx;
use crate::ui::frame;
use crate::ui::pen::Pen;

/// A column behind the tenant's name: its title and width where there is little room and where there is more, and the columns of the list from
/// which on it is shown.
struct Column {
    titles: [&'static str; 2],
    widths: [usize; 2],
    from: usize,
    cell: fn(&Count, &Beside<'_>) -> (String, Role),
}

/// What a cell needs beside its counts.
struct Beside<'a> {
    cx: &'a Cx<'a>,
    cover: (&'static str, Role),
}

const fn column(titles: [&'static str; 2], widths: [usize; 2], from: usize, cell: fn(&Count, &Beside<'_>) -> (String, Role)) -> Column {
    Column { titles, widths, from, cell }
}

/// From so many columns on, titles are written out.
const ROOMY: usize = 74;

/// Every column, from left to right.
static COLUMNS: [Column; 8] = [
    column(["RO", "ROLES"], [2, 5], 48, |count, _| (short(count.roles), if count.roles == 0 { Role::Na } else { Role::Text })),
    column(["LOGIN", "LOGINS"], [5, 7], 44, |count, _| (format!("{}/{}", short(count.configured), short(count.owner)), Role::Text)),
    column(["OWN", "OWN"], [7, 7], 34, |_, beside| (beside.cover.0.to_owned(), beside.cover.1)),
    column(["VAL", "VALUE"], [3, 5], 0, |count, beside| partners(count, 0, Role::Breached, beside)),
    column(["TAM", "TAMPER"], [3, 6], 26, |count, beside| partners(count, 1, Role::SevHigh, beside)),
    column(["STR", "STRUCT"], [3, 6], 30, |count, beside| partners(count, 2, Role::Degraded, beside)),
    column(["ESC", "ESC"], [3, 3], 38, |count, beside| number(beside, count.escalations, Role::Breached)),
    column(["?", "?"], [2, 3], 20, |count, beside| number(beside, count.doubts, Role::Unknown)),
];

/// How many tenants are reached with the nth harm; quieter where that needs a ServiceAccount that does not exist.
fn partners(count: &Count, nth: usize, role: Role, beside: &Beside<'_>) -> (String, Role) {
    let made = count.made.get(nth).copied().unwrap_or(false);
    number(beside, count.partners.get(nth).copied().unwrap_or(0), if made { Role::Degraded } else { role })
}

/// A count in at most three columns.
fn short(n: usize) -> String {
    match n {
        0..1_000 => n.to_string(),
        1_000..100_000 => format!("{}k", n / 1_000),
        _ => ">9k".to_owned(),
    }
}

/// A count; none is a dash.
fn number(beside: &Beside<'_>, n: usize, role: Role) -> (String, Role) {
    if n == 0 { (beside.cx.sym.dash.to_owned(), Role::Na) } else { (short(n), role) }
}

/// Draws the screen.
pub fn draw(cx: &Cx<'_>, layout: &Layout, at: &dyn Fn(Area) -> Rect, buf: &mut Buffer) {
    let list = at(layout.list);
    let page = cx.state.page();
    if page.list.rows.is_empty() {
        let all = [layout.heads, layout.foot, layout.side, layout.detail].into_iter().fold(list, |all, part| {
            let part = at(part);
            if part.is_empty() { all } else { all.union(part) }
        });
        return frame::centred(cx, all.intersection(buf.area), buf, |width| docs::empty::empty(cx.state, width));
    }
    let blind = vault::blind(cx.state).is_some();
    heads(cx, at(layout.heads), buf);
    for (row, (i, id)) in (0..list.height).zip(page.list.window(usize::from(list.height))) {
        if let Row::Tenant(tenant) = id {
            line(cx, list, row, tenant, blind, buf);
        }
        if i == page.list.at {
            frame::select(cx, list, row, buf);
        }
    }
    let foot = at(layout.foot);
    if !foot.is_empty() {
        let mut pen = Pen::new(cx, buf, foot, 0);
        pen.put(" ", Style::new()).spans(cx, &docs::vault::legend(cx.state, usize::from(foot.width.saturating_sub(1))));
    }
    side(cx, at(layout.side), buf);
    detail(cx, at(layout.detail), buf);
}

/// Columns of a tenant's name, and the columns that fit behind it, each with its title and width.
fn shown(width: usize) -> (usize, Vec<(&'static Column, &'static str, usize)>) {
    let size = usize::from(width >= ROOMY);
    let fit = COLUMNS.iter().filter(|column| width >= column.from);
    let fit: Vec<_> = fit.filter_map(|column| Some((column, *column.titles.get(size)?, *column.widths.get(size)?))).collect();
    let taken: usize = fit.iter().map(|(.., width)| width + 1).sum();
    (width.saturating_sub(taken + 4).min(32), fit)
}

fn heads(cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
    let style = cx.style(Role::Label);
    let (name, columns) = shown(usize::from(area.width));
    let mut pen = Pen::new(cx, buf, area, 0);
    pen.skip(3).cell("TENANT", name, style).skip(1);
    for (_, title, width) in columns {
        pen.cell_right(title, width, style).skip(1);
    }
}

fn line(cx: &Cx<'_>, area: Rect, row: u16, tenant: &str, blind: bool, buf: &mut Buffer) {
    let (Some(count), Some(reach)) = (vault::count(cx.state, tenant), vault::reach(cx.state, tenant)) else { return };
    let dim = |role: Role| cx.style(if blind { Role::Muted } else { role });
    let stance = vault::stance(cx.state, tenant);
    let (name, columns) = shown(usize::from(area.width));
    let (word, role, _) = vault::cover(&reach.own);
    let beside = Beside { cx, cover: (if word == "-" { cx.sym.dash } else { word }, role) };
    let mut pen = Pen::new(cx, buf, area, row);
    pen.skip(1).put(stance.sign(cx.sym), dim(stance.role())).skip(1);
    pen.cell(&cx.state.sayer().say(tenant), name, dim(Role::Strong)).skip(1);
    for (column, _, width) in columns {
        let (text, role) = (column.cell)(count, &beside);
        pen.cell_right(&text, width, dim(role)).skip(1);
    }
}

/// What fits below the rows: policies that are not as they should be, and what the signs mean.
fn side(cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
    let area = Rect { x: area.x.saturating_add(1), width: area.width.saturating_sub(2), ..area };
    if area.is_empty() {
        return;
    }
    let width = usize::from(area.width);
    let mut doc = docs::vault::policies(cx.state, width);
    let signs = docs::vault::signs(cx.state, width);
    if doc.lines.len() + 1 + signs.lines.len() <= usize::from(area.height) {
        doc.blank();
        doc.lines.extend(signs.lines);
    }
    frame::text(cx, area, &doc, 0, buf);
}

/// The tenant under the cursor; in two texts side by side where there is room.
fn detail(cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
    let Some(tenant) = vault::selected(cx.state).filter(|_| !area.is_empty()) else { return };
    let name = [span(cx.state.sayer().say(tenant).into_owned(), Role::Title)];
    let right = vault::stance(cx.state, tenant).word();
    let scroll = cx.state.page().scroll;
    if area.width < docs::matrix::BESIDE {
        return frame::pane(cx, area, &name, right, scroll, buf, |width| docs::vault::detail(cx.state, tenant, width));
    }
    frame::frame(cx, area, &name, right, false, buf);
    let inner = frame::inside(area);
    let texts = docs::vault::beside(cx.state, inner.width);
    let lines = texts.iter().map(|(_, doc)| doc.lines.len()).max().unwrap_or(0);
    let mut x = inner.x + 1;
    for (width, doc) in &texts {
        frame::text(cx, Rect { x, width: *width, ..inner }.intersection(inner), doc, scroll, buf);
        x = x.saturating_add(*width).saturating_add(2);
    }
    frame::more(cx, area, lines, scroll, buf);
}
