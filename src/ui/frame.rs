//! Frames, texts and lists: the few shapes all views are made of.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::Cx;
use super::pen::Pen;
use crate::app::doc::{Doc, Span};
use crate::app::role::Role;

/// The inside of a frame.
pub const fn inside(area: Rect) -> Rect {
    Rect {
        x: area.x.saturating_add(1),
        y: area.y.saturating_add(1),
        width: area.width.saturating_sub(2),
        height: area.height.saturating_sub(2),
    }
}

/// A frame with a title at the left and a word at the right of its upper edge.
pub fn frame(cx: &Cx<'_>, area: Rect, title: &[Span], right: &str, focus: bool, buf: &mut Buffer) {
    if area.width < 2 || area.height < 2 {
        return;
    }
    let style = cx.style(if focus { Role::BorderFocus } else { Role::Border });
    let [tl, tr, bl, br] = cx.sym.corners;
    let horizontal = cx.sym.h;
    let middle = usize::from(area.width - 2);
    for (row, left, right) in [(0, tl, tr), (area.height - 1, bl, br)] {
        let mut pen = Pen::new(cx, buf, area, row);
        pen.put(left, style);
        for _ in 0..middle {
            pen.put(horizontal, style);
        }
        pen.put(right, style);
    }
    for row in 1..area.height - 1 {
        Pen::new(cx, buf, area, row).put(cx.sym.v, style);
        let last = Rect { x: area.right() - 1, width: 1, ..area };
        Pen::new(cx, buf, last, row).put(cx.sym.v, style);
    }
    let room = Rect { x: area.x + 2, width: area.width.saturating_sub(4), height: 1, ..area }.intersection(area);
    if title.iter().any(|s| !s.text.is_empty()) {
        let mut pen = Pen::new(cx, buf, room, 0);
        pen.put(" ", style);
        pen.spans(cx, title);
        pen.put(" ", style);
    }
    let columns = unicode_width::UnicodeWidthStr::width(right) + 2;
    let taken: usize = title.iter().map(|s| unicode_width::UnicodeWidthStr::width(s.text.as_str())).sum::<usize>() + 3;
    if !right.is_empty() && usize::from(room.width) > columns + taken {
        let x = room.right() - u16::try_from(columns).unwrap_or(0);
        let at = Rect { x, width: room.right() - x, ..room };
        Pen::new(cx, buf, at, 0).put(" ", style).put(right, cx.style(Role::Muted)).put(" ", style);
    }
}

/// A text in an area, from line `scroll` on; marks at the edge say that there is more.
pub fn text(cx: &Cx<'_>, area: Rect, doc: &Doc, scroll: usize, buf: &mut Buffer) {
    let height = usize::from(area.height);
    let scroll = scroll.min(doc.lines.len().saturating_sub(height));
    for (row, line) in (0..area.height).zip(doc.lines.iter().skip(scroll)) {
        Pen::new(cx, buf, area, row).spans(cx, line);
    }
}

/// A framed text, with marks in the frame where there is more above or below.
pub fn pane(cx: &Cx<'_>, area: Rect, title: &[Span], right: &str, scroll: usize, buf: &mut Buffer, doc: impl FnOnce(usize) -> Doc) {
    if area.width < 6 || area.height < 3 {
        return;
    }
    frame(cx, area, title, right, false, buf);
    let inner = inside(area);
    let inner = Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner };
    let doc = doc(usize::from(inner.width));
    text(cx, inner, &doc, scroll, buf);
    more(cx, area, doc.lines.len(), scroll, buf);
}

/// Marks in the lower edge of a frame: how much of a text is above and below.
pub fn more(cx: &Cx<'_>, area: Rect, lines: usize, scroll: usize, buf: &mut Buffer) {
    let height = usize::from(area.height.saturating_sub(2));
    if lines <= height {
        return;
    }
    let (down, up) = if cx.state.dialog.is_some() { ("j", "k") } else { ("J", "K") };
    let below = lines - height - scroll.min(lines - height);
    let above = lines - height - below;
    let mark = match (above, below) {
        (0, below) => format!(" {} {below} more: {down} ", cx.sym.more),
        (above, 0) => format!(" {} {above} above: {up} ", cx.sym.up),
        (above, below) => format!(" {} {above} {} {below} ", cx.sym.up, cx.sym.more),
    };
    let columns = u16::try_from(unicode_width::UnicodeWidthStr::width(mark.as_str())).unwrap_or(0);
    if columns + 2 > area.width {
        return;
    }
    let x = area.right().saturating_sub(columns + 2);
    let at = Rect { x, y: area.bottom() - 1, width: area.right().saturating_sub(x + 1), height: 1 };
    Pen::new(cx, buf, at, 0).put(&mark, cx.style(Role::Muted));
}

/// Marks the selected row: its ground, and a mark in the gutter.
pub fn select(cx: &Cx<'_>, area: Rect, row: u16, buf: &mut Buffer) {
    let line = Rect { y: area.y + row, height: 1, ..area }.intersection(area);
    if line.is_empty() {
        return;
    }
    buf.set_style(line, cx.style(Role::Selection));
    Pen::new(cx, buf, line, 0).put(cx.sym.gutter, cx.style(Role::Cursor));
}

/// A text centred in an area, or at its top where it does not fit.
pub fn centred(cx: &Cx<'_>, area: Rect, buf: &mut Buffer, doc: impl FnOnce(usize) -> Doc) {
    let width = area.width.saturating_sub(4).min(64);
    let doc = doc(usize::from(width));
    let lines = u16::try_from(doc.lines.len()).unwrap_or(u16::MAX);
    let y = area.y + area.height.saturating_sub(lines) / 3;
    let x = area.x + (area.width.saturating_sub(width)) / 2;
    text(cx, Rect { x, y, width, height: area.bottom().saturating_sub(y) }, &doc, 0, buf);
}
