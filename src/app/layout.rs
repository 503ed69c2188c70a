//! Where everything goes, from the size alone and how many rows there are. Used by update (windows and offsets) and by drawing.

use super::matrix::plot::{Want, plot};
use super::state::Screen;

/// A rectangle of cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Area {
    /// Left.
    pub x: u16,
    /// Top.
    pub y: u16,
    /// Columns.
    pub w: u16,
    /// Rows.
    pub h: u16,
}

impl Area {
    /// From parts.
    pub const fn new(x: u16, y: u16, w: u16, h: u16) -> Self {
        Self { x, y, w, h }
    }

    /// Whether there is nothing to draw on.
    pub const fn is_empty(self) -> bool {
        self.w == 0 || self.h == 0
    }

    /// The inside of a frame.
    #[must_use]
    pub const fn inner(self) -> Self {
        Self { x: self.x.saturating_add(1), y: self.y.saturating_add(1), w: self.w.saturating_sub(2), h: self.h.saturating_sub(2) }
    }

    /// Takes rows off the top.
    #[must_use]
    pub const fn take_top(&mut self, rows: u16) -> Self {
        let rows = if rows < self.h { rows } else { self.h };
        let top = Self { h: rows, ..*self };
        self.y += rows;
        self.h -= rows;
        top
    }

    /// Takes rows off the bottom.
    #[must_use]
    pub const fn take_bottom(&mut self, rows: u16) -> Self {
        let rows = if rows < self.h { rows } else { self.h };
        self.h -= rows;
        Self { y: self.y + self.h, h: rows, ..*self }
    }

    /// Takes columns off the right.
    #[must_use]
    pub const fn take_right(&mut self, columns: u16) -> Self {
        let columns = if columns < self.w { columns } else { self.w };
        self.w -= columns;
        Self { x: self.x + self.w, w: columns, ..*self }
    }
}

/// How much room there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Under 60×12: a list of what is wrong.
    Tiny,
    /// Under 80 columns: a list.
    Narrow,
    /// 80 to 99 columns.
    Medium,
    /// 100 to 159 columns.
    Wide,
    /// 160 columns and more.
    Huge,
}

/// The size class of a terminal.
pub const fn class(w: u16, h: u16) -> Class {
    match w {
        _ if w < 60 || h < 12 => Class::Tiny,
        ..80 => Class::Narrow,
        80..100 => Class::Medium,
        100..160 => Class::Wide,
        _ => Class::Huge,
    }
}

/// Where the parts of a screen go. An empty area is not drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// How much room there is.
    pub class: Class,
    /// Context, mode, sources, grades.
    pub header: Area,
    /// A line that something is not as it should be.
    pub banner: Area,
    /// A line about the subject, or the filter.
    pub title: Area,
    /// Column headings.
    pub heads: Area,
    /// Rows.
    pub list: Area,
    /// A frame around heads and list; empty where the list has none.
    pub frame: Area,
    /// The detail's frame.
    pub detail: Area,
    /// A third pane.
    pub side: Area,
    /// A line below the rows.
    pub foot: Area,
    /// Status line.
    pub status: Area,
    /// Key bar.
    pub keys: Area,
}

/// What decides the layout beside the size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask {
    /// The screen.
    pub screen: Screen,
    /// A banner is shown.
    pub banner: bool,
    /// The filter field is shown.
    pub filter: bool,
    /// Rows there are.
    pub rows: usize,
    /// What the matrix shows across.
    pub across: Want,
}

/// Lays a screen out.
pub fn layout(w: u16, h: u16, ask: Ask) -> Layout {
    let class = class(w, h);
    let mut rest = Area::new(0, 0, w, h);
    let none = Area::default();
    let header = rest.take_top(if class == Class::Tiny { u16::from(h > 2) } else { 2 });
    let keys = rest.take_bottom(u16::from(h > 5));
    let status = rest.take_bottom(u16::from(h > 3));
    let banner = if ask.banner { rest.take_top(u16::from(h > 4)) } else { none };
    let titled = ask.screen != Screen::Fleet || ask.filter;
    let title = if titled { rest.take_top(u16::from(h > 6)) } else { none };
    let mut out =
        Layout { class, header, banner, title, heads: none, list: rest, frame: none, detail: none, side: none, foot: none, status, keys };
    match ask.screen {
        Screen::Matrix => split_matrix(&mut out, rest, h, ask),
        Screen::Vault => split_vault(&mut out, rest, h, ask),
        Screen::Tenant | Screen::Receipts => split_framed(&mut out, rest, ask),
        _ => split_table(&mut out, rest, ask),
    }
    out
}

/// A table with its detail below or beside it.
fn split_table(out: &mut Layout, mut rest: Area, ask: Ask) {
    let wanted = u16::try_from(ask.rows).unwrap_or(u16::MAX).saturating_add(1);
    match out.class {
        Class::Huge => {
            let side = (rest.w / 3).clamp(52, 76);
            out.detail = rest.take_right(side);
        }
        Class::Wide if rest.h >= 20 => {
            out.detail = rest.take_bottom((rest.h * 2 / 5).max(rest.h.saturating_sub(wanted).min(18)).min(rest.h / 2 + 2));
        }
        Class::Medium | Class::Wide if rest.h >= wanted.saturating_add(6) => {
            out.detail = rest.take_bottom(rest.h.saturating_sub(wanted).min(14));
        }
        Class::Medium if rest.h >= 26 => out.detail = rest.take_bottom(rest.h / 3),
        _ => {}
    }
    if out.class > Class::Narrow {
        out.heads = rest.take_top(1);
    }
    out.list = rest;
}

/// The matrix: heads as high as its columns need, a line of signs and counts, and the detail of the cell below or beside it.
fn split_matrix(out: &mut Layout, mut rest: Area, h: u16, ask: Ask) {
    let placed = |rest: Area| plot(usize::from(rest.w), usize::from(h), ask.across);
    let lines = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
    let wanted = lines(ask.rows).saturating_add(lines(placed(rest).lines + 1));
    let spare = rest.h.saturating_sub(wanted);
    match out.class {
        Class::Huge if spare < 16 => out.detail = rest.take_right((rest.w / 3).clamp(52, 76)),
        Class::Wide | Class::Huge if rest.h >= 24 => out.detail = rest.take_bottom(spare.max(10)),
        Class::Medium | Class::Wide if spare >= 6 => out.detail = rest.take_bottom(spare),
        Class::Medium if rest.h >= 26 => out.detail = rest.take_bottom(9),
        _ => {}
    }
    let placed = placed(rest);
    out.heads = rest.take_top(lines(placed.lines));
    // directly under the rows, so that it is read with them
    let below = rest.h.saturating_sub(lines(ask.rows));
    if placed.foot {
        let mut tail = rest.take_bottom(below.max(1));
        out.foot = tail.take_top(1);
    }
    out.list = rest;
}

/// Tenants with what they reach beside them, or below where it is narrow: chains of names are long.
fn split_vault(out: &mut Layout, mut rest: Area, h: u16, ask: Ask) {
    let rows = u16::try_from(ask.rows).unwrap_or(u16::MAX);
    // beside the table, sixty columns of text at least
    let beside = rest.w >= 116;
    match out.class {
        Class::Tiny => {
            out.list = rest;
            return;
        }
        Class::Huge => out.detail = rest.take_right(rest.w - 78),
        _ if beside => out.detail = rest.take_right(rest.w - 56),
        _ => {
            let spare = rest.h.saturating_sub(rows.saturating_add(2));
            out.detail = rest.take_bottom(spare.max(rest.h * 11 / 20));
        }
    }
    out.heads = rest.take_top(1);
    if h >= 20 {
        // directly under the rows, so that it is read with them
        let below = rest.h.saturating_sub(rows);
        let mut tail = rest.take_bottom(below.max(1));
        out.foot = tail.take_top(1);
        if beside {
            let _ = tail.take_top(1);
            out.side = tail;
        }
    }
    out.list = rest;
}

/// A framed list with a framed detail.
fn split_framed(out: &mut Layout, mut rest: Area, ask: Ask) {
    match out.class {
        Class::Tiny => {
            out.list = rest;
            return;
        }
        Class::Narrow => out.detail = rest.take_bottom(rest.h * 11 / 20),
        Class::Medium => out.detail = rest.take_right(rest.w - 38),
        Class::Wide => out.detail = rest.take_right(rest.w - 50),
        Class::Huge => {
            out.side = rest.take_right(if ask.screen == Screen::Tenant { 58 } else { 0 });
            out.detail = rest.take_right(rest.w - 54);
        }
    }
    out.frame = rest;
    out.list = rest.inner();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::state::SCREENS;

    #[test]
    fn parts_stay_inside_and_do_not_overlap() {
        for (w, h) in (0..250).step_by(7).flat_map(|w| (0..70).step_by(3).map(move |h| (w, h))) {
            for screen in SCREENS {
                for rows in [0, 5, 1000] {
                    let across = Want { tenants: rows, targets: 8, longest: 12, wide: rows == 5 };
                    let l = layout(w, h, Ask { screen, banner: rows == 5, filter: rows == 0, rows, across });
                    let body = if l.frame.is_empty() { l.list } else { l.frame };
                    let parts = [l.header, l.banner, l.title, l.heads, body, l.detail, l.side, l.foot, l.status, l.keys];
                    let mut cells = vec![false; usize::from(w) * usize::from(h)];
                    for part in parts.iter().filter(|p| !p.is_empty()) {
                        for y in part.y..part.y + part.h {
                            for x in part.x..part.x + part.w {
                                assert!(x < w && y < h, "{w}x{h} {screen:?} {part:?}");
                                let cell = &mut cells[usize::from(y) * usize::from(w) + usize::from(x)];
                                assert!(!*cell, "{w}x{h} {screen:?} overlap {part:?}");
                                *cell = true;
                            }
                        }
                    }
                }
            }
        }
    }
}
