//! Who can reach whom: tenants by tenants as a heat map, and the fixed targets on their own side. Only what is on the screen is looked at.

mod heads;

use std::fmt::Write as _;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::app::doc::Doc;
use crate::app::docs;
use crate::app::layout::{Area, Layout};
use crate::app::list::Row;
use crate::app::matrix::plot::{Group, Plot};
use crate::app::matrix::shade::Shade;
use crate::app::matrix::{self, Column, Looked};
use crate::app::role::Role;
use crate::app::update::matrix::want;
use crate::model::ids::TenantId;
use crate::ui::Cx;
use crate::ui::frame;
use crate::ui::pen::Pen;

/// Draws the screen.
pub fn draw(cx: &Cx<'_>, layout: &Layout, at: &dyn Fn(Area) -> Rect, buf: &mut Buffer) {
    let list = at(layout.list);
    let page = cx.state.page();
    if page.list.rows.is_empty() || (cx.state.across.columns.rows.is_empty() && cx.state.across.targets.is_empty()) {
        let all = list.union(at(layout.heads)).union(at(layout.foot)).union(at(layout.detail)).intersection(buf.area);
        return frame::centred(cx, all, buf, |width| docs::empty::empty(cx.state, width));
    }
    let plot = placed(cx, layout);
    let blind = matrix::blind(cx.state).is_some();
    let matrix = &cx.state.view.assessment.matrix;
    let shown = cx.state.across.columns.window(plot.tenants.shown);
    let columns = shown.filter_map(|(at, row)| row.tenant().map(|tenant| Shown { at, tenant, place: matrix.place(tenant) })).collect();
    let map = Map { cx, plot, blind, columns };
    heads::draw(&map, at(layout.heads), buf);
    map.crosshair(list, buf);
    for (row, (i, id)) in (0..list.height).zip(page.list.window(usize::from(list.height))) {
        let Row::Tenant(from) = id else { continue };
        map.line(list, row, from, i == page.list.at, buf);
    }
    map.foot(at(layout.foot), buf);
    map.detail(at(layout.detail), buf);
}

/// Where the columns are. Heads are as high as the layout has them.
fn placed(cx: &Cx<'_>, layout: &Layout) -> Plot {
    matrix::plot::plot(usize::from(layout.list.w), usize::from(cx.state.size.1), want(cx.state))
}

/// Which rows and columns are on the screen, where that is not all of them.
pub fn place(cx: &Cx<'_>) -> String {
    let (w, h) = cx.state.size;
    let layout = crate::app::update::moves::now(cx.state, w, h);
    let across = &cx.state.across.columns;
    let list = &cx.state.page().list;
    let mut out = idle(cx);
    let windows = [("rows", list, usize::from(layout.list.h)), ("columns", across, placed(cx, &layout).tenants.shown)];
    for (what, list, shown) in windows.into_iter().filter(|(_, list, shown)| list.rows.len() > *shown && *shown > 0) {
        let last = (list.offset + shown).min(list.rows.len());
        let _ = write!(out, "  {what} {}-{last} of {}", list.offset + 1, list.rows.len());
    }
    out
}

/// What is counted although nothing here is known to act on it.
fn idle(cx: &Cx<'_>) -> String {
    let kinds = cx.state.view.assessment.unenforced();
    if kinds.is_empty() { String::new() } else { format!("  counts {}: nothing here is known to enforce it", kinds.join(", ")) }
}

/// What drawing a part of the map needs.
struct Map<'a> {
    cx: &'a Cx<'a>,
    plot: Plot,
    blind: bool,
    columns: Vec<Shown<'a>>,
}

/// A column of a tenant on the screen: its place in the order of columns, and in the matrix.
struct Shown<'a> {
    at: usize,
    tenant: &'a TenantId,
    place: Option<usize>,
}

fn columns(n: usize) -> u16 {
    u16::try_from(n).unwrap_or(u16::MAX)
}

/// Columns from `x` on, as wide as asked, inside an area.
fn part(area: Rect, x: usize, width: usize) -> Rect {
    let x = area.x.saturating_add(columns(x));
    Rect { x, width: columns(width), ..area }.intersection(area)
}

/// Where the cell of a row in the i-th column of a group is.
fn place_of(area: Rect, row: u16, group: Group, i: usize) -> Rect {
    let at = part(area, group.x + i * group.cell, group.cell);
    Rect { y: area.y.saturating_add(row), height: 1, ..at }.intersection(area)
}

impl Map<'_> {
    /// The ground of the row under the cursor, as far as its name and its counts go. The cells keep theirs, and the column is marked by its
    /// head: a crosshair through all cells would more than double what a move of the cursor writes.
    fn crosshair(&self, area: Rect, buf: &mut Buffer) {
        let page = self.cx.state.page();
        if let Some(row) = page.list.at.checked_sub(page.list.offset).filter(|row| *row < usize::from(area.height)) {
            frame::select(self.cx, part(area, 0, self.plot.tenants.x), columns(row), buf);
        }
    }

    fn line(&self, area: Rect, row: u16, from: &str, selected: bool, buf: &mut Buffer) {
        let (cx, plot) = (self.cx, &self.plot);
        let matrix = &cx.state.view.assessment.matrix;
        let Some(place) = matrix.place(from) else { return };
        let dim = |role: Role| cx.style(if self.blind { Role::Muted } else { role });
        let reaches = cx.state.across.tally.reaches(place);
        let mut pen = Pen::new(cx, buf, area, row);
        pen.skip(1).cell(&cx.state.sayer().say(from), plot.label, dim(if selected { Role::Title } else { Role::Strong }));
        pen.skip(1);
        if plot.reach > 0 {
            self.count(&mut pen, reaches.open, plot.reach - 1, if reaches.every > 0 { Role::Breached } else { Role::SevHigh });
            pen.skip(1);
        }
        if plot.later > 0 {
            self.count(&mut pen, reaches.later, plot.later / 2 - 1, Role::Degraded);
            pen.skip(1);
            self.count(&mut pen, reaches.undefined, plot.later / 2 - 1, Role::Vacuous);
            pen.skip(1);
        }
        let mut seen = 0;
        for (i, column) in self.columns.iter().enumerate() {
            let shade = column.place.map_or(Shade::Undefined, |to| matrix::shade_between(cx.state, (from, place), (column.tenant, to)));
            seen += u32::from(matches!(shade, Shade::Every | Shade::Some));
            let cursor = selected && !cx.state.across.on_targets() && column.at == cx.state.across.columns.at;
            let to = Column::Tenant(column.tenant.clone());
            self.cell(place_of(area, row, plot.tenants, i), (from, &to, shade), cursor, buf);
        }
        if plot.tenants.shown > 0 && plot.targets.shown > 0 {
            // more of what this row reaches lies beside the window
            let (mark, role) = if reaches.open > seen { (cx.sym.dots, Role::Breached) } else { (cx.sym.v, Role::Border) };
            Pen::new(cx, buf, part(area, plot.targets.x - 2, 1), row).put(mark, dim(role));
        }
        for (i, target) in cx.state.across.targets.iter().take(plot.targets.shown).enumerate() {
            let to = Column::Target(*target);
            let shade = matrix::shade(cx.state, from, &to);
            let cursor = selected && cx.state.across.aim == Some(*target);
            self.cell(place_of(area, row, plot.targets, i), (from, &to, shade), cursor, buf);
        }
    }

    /// A count, right-aligned; none is a dash.
    fn count(&self, pen: &mut Pen<'_>, n: u32, width: usize, role: Role) {
        let role = if self.blind {
            Role::Muted
        } else if n == 0 {
            Role::Na
        } else {
            role
        };
        let text = if n == 0 { self.cx.sym.dash.to_owned() } else { n.to_string() };
        pen.cell_right(&text, width, self.cx.style(role));
    }

    /// A cell: `at` is where it is, its gap to the next included.
    fn cell(&self, at: Rect, what: (&str, &Column, Shade), cursor: bool, buf: &mut Buffer) {
        let (from, to, shade) = what;
        let cx = self.cx;
        let role = if cursor { Role::HeatCursor } else { matrix::role(cx.state, from, to, shade, self.blind) };
        let style = cx.style(role);
        let columns = usize::from(at.width);
        let width = tile(columns);
        let mut pen = Pen::new(cx, buf, part(at, 0, width), 0);
        let mark = if cursor { cx.sym.running } else { " " };
        match columns {
            ..3 => {
                let mark = if cursor { cx.sym.binding } else { " " };
                pen.put(shade.sign(cx.sym), style).put(mark, style);
            }
            3 => {
                pen.put(mark, style).put(shade.sign(cx.sym), style).put(" ", style);
            }
            _ => {
                pen.put(mark, style).put(shade.sign(cx.sym), style);
                let text = self.words(from, to, shade, width.saturating_sub(3));
                pen.put(" ", style).cell(&text, width.saturating_sub(3), style);
            }
        }
    }

    /// What a wide cell says behind its sign: ports where they fit, else a word where it fits.
    fn words(&self, from: &str, to: &Column, shade: Shade, room: usize) -> String {
        let ports = match (shade, matrix::look(self.cx.state, from, to)) {
            (Shade::Some, Some(Looked::Tenant(cell))) => Some(cell.now.sure.words()),
            (Shade::Some, Some(Looked::Target(_, cell))) => Some(cell.now.sure.words()),
            _ => None,
        };
        let fits = |text: &String| text.len() <= room;
        let word = || Some(shade.word().to_owned()).filter(fits);
        let first = || shade.word().split(' ').next().map(str::to_owned).filter(fits);
        ports.filter(fits).or_else(word).or_else(first).unwrap_or_default()
    }

    fn foot(&self, area: Rect, buf: &mut Buffer) {
        if !area.is_empty() {
            let mut pen = Pen::new(self.cx, buf, area, 0);
            pen.put(" ", Style::new()).spans(self.cx, &docs::matrix::legend(self.cx.state, usize::from(area.width.saturating_sub(1))));
        }
    }

    /// The cell under the cursor in words; beside it its row, where there is room for both.
    fn detail(&self, area: Rect, buf: &mut Buffer) {
        if area.is_empty() {
            return;
        }
        let cx = self.cx;
        let heading = docs::matrix::heading(cx.state);
        let right = matrix::cursor(cx.state).map(|(from, to)| matrix::shade(cx.state, &from, &to).word()).unwrap_or_default();
        let scroll = cx.state.page().scroll;
        if area.width < docs::matrix::BESIDE {
            let lines = usize::from(area.height.saturating_sub(2));
            return frame::pane(cx, area, &heading, right, scroll, buf, |width| {
                let mut doc = docs::matrix::detail(cx.state, width);
                self.fill(&mut doc, lines, true);
                doc
            });
        }
        frame::frame(cx, area, &heading, right, false, buf);
        let inner = frame::inside(area);
        let left = Rect { x: inner.x + 1, width: inner.width / 2, ..inner };
        let side = Rect { x: left.right() + 2, width: inner.right().saturating_sub(left.right() + 3), ..inner };
        let mut doc = docs::matrix::cell(cx.state, usize::from(left.width));
        self.fill(&mut doc, usize::from(inner.height), false);
        frame::text(cx, left, &doc, scroll, buf);
        let mut around = docs::matrix::around(cx.state, usize::from(side.width));
        self.names(&mut around, usize::from(inner.height));
        frame::text(cx, side, &around, 0, buf);
        frame::more(cx, area, doc.lines.len(), scroll, buf);
    }
}

/// Room that is needed below a text for more of it to be worth while.
const WORTH: usize = 4;

impl Map<'_> {
    /// Names what the row reaches, where there is room below.
    fn names(&self, doc: &mut Doc, lines: usize) {
        let room = lines.saturating_sub(doc.lines.len() + 2);
        if room >= WORTH {
            let gaps = docs::matrix::gaps(self.cx.state, doc.width, room - 2);
            if !gaps.lines.is_empty() && gaps.lines.len() <= room {
                doc.blank();
                doc.lines.extend(gaps.lines);
            }
        }
    }

    /// Fills the room below a text: what the row reaches, then what the signs mean.
    fn fill(&self, doc: &mut Doc, lines: usize, with_names: bool) {
        let signs = docs::matrix::signs(self.cx.state, doc.width);
        let room = lines.saturating_sub(doc.lines.len() + 1);
        let explain = room > signs.lines.len();
        if with_names {
            self.names(doc, if explain { lines.saturating_sub(signs.lines.len() + 1) } else { lines });
        }
        if explain {
            doc.blank();
            doc.lines.extend(signs.lines);
        }
    }
}

/// Columns of a cell that are its own: wide ones leave a gap to the next.
const fn tile(cell: usize) -> usize {
    if cell > 3 { cell - 1 } else { cell }
}
