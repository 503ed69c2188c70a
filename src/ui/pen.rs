//! Writes text into one row of cells, width-aware, never beyond its end.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_width::UnicodeWidthChar;

use crate::app::doc::Span;
use crate::ui::Cx;

/// A place to write in one row.
pub struct Pen<'a> {
    buf: &'a mut Buffer,
    x: u16,
    end: u16,
    y: u16,
    ascii: bool,
}

impl<'a> Pen<'a> {
    /// A pen at the left of a row of `area`.
    pub fn new(cx: &Cx<'_>, buf: &'a mut Buffer, area: Rect, row: u16) -> Self {
        let area = area.intersection(buf.area);
        let inside = row < area.height;
        let (x, end) = if inside { (area.x, area.right()) } else { (0, 0) };
        Self { buf, x, end, y: area.y.saturating_add(row), ascii: cx.sym.ascii }
    }

    /// Columns left.
    pub const fn left(&self) -> usize {
        self.end.saturating_sub(self.x) as usize
    }

    /// Where the pen is.
    pub const fn x(&self) -> u16 {
        self.x
    }

    /// Writes a text; what does not fit is cut.
    pub fn put(&mut self, text: &str, style: Style) -> &mut Self {
        self.fit(text, usize::MAX, style, false)
    }

    /// Writes a text and ends it with an ellipsis if it does not fit in what is left.
    pub fn put_cut(&mut self, text: &str, style: Style) -> &mut Self {
        let left = self.left();
        self.fit(text, left, style, false)
    }

    /// Writes a text in exactly `width` columns, cut with an ellipsis or padded.
    pub fn cell(&mut self, text: &str, width: usize, style: Style) -> &mut Self {
        self.fit(text, width, style, true)
    }

    /// Writes a text right-aligned in `width` columns.
    pub fn cell_right(&mut self, text: &str, width: usize, style: Style) -> &mut Self {
        let used = unicode_width::UnicodeWidthStr::width(text);
        self.skip(width.saturating_sub(used));
        self.fit(text, width.min(used), style, true)
    }

    /// Moves on by some columns.
    pub fn skip(&mut self, columns: usize) -> &mut Self {
        self.x = self.x.saturating_add(u16::try_from(columns).unwrap_or(u16::MAX)).min(self.end);
        self
    }

    /// Writes spans.
    pub fn spans(&mut self, cx: &Cx<'_>, spans: &[Span]) -> &mut Self {
        for (i, span) in spans.iter().enumerate() {
            let last = i + 1 == spans.len();
            let left = self.left();
            self.fit(&span.text, if last { left } else { usize::MAX }, cx.style(span.role), false);
        }
        self
    }

    fn fit(&mut self, text: &str, width: usize, style: Style, pad: bool) -> &mut Self {
        let limit = self.x.saturating_add(u16::try_from(width).unwrap_or(u16::MAX)).min(self.end);
        let bounded = width != usize::MAX;
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            let c = if self.ascii { plain(c) } else { c };
            let Some(columns) = c.width().filter(|w| *w > 0).and_then(|w| u16::try_from(w).ok()) else { continue };
            let room = limit.saturating_sub(self.x);
            let more = chars.peek().is_some();
            if columns > room || (bounded && more && columns == room && tail(&chars) > 0) {
                if bounded && room > 0 {
                    self.set(if self.ascii { '~' } else { '…' }, 1, style);
                }
                break;
            }
            self.set(c, columns, style);
        }
        if pad {
            while self.x < limit {
                self.set(' ', 1, style);
            }
        }
        self
    }

    fn set(&mut self, c: char, columns: u16, style: Style) {
        if self.x.saturating_add(columns) > self.end {
            return;
        }
        if let Some(cell) = self.buf.cell_mut((self.x, self.y)) {
            cell.set_char(c).set_style(style);
        }
        for i in 1..columns {
            if let Some(cell) = self.buf.cell_mut((self.x + i, self.y)) {
                cell.set_symbol("").set_style(style);
            }
        }
        self.x += columns;
    }
}

/// Columns that the rest of a text needs, looked at no further than to see that there are some.
fn tail(chars: &std::iter::Peekable<std::str::Chars<'_>>) -> usize {
    chars.clone().map(|c| c.width().unwrap_or(0)).find(|w| *w > 0).unwrap_or(0)
}

/// The ASCII stand-in of a character.
const fn plain(c: char) -> char {
    match c {
        '\u{20}'..='\u{7e}' => c,
        '…' => '~',
        '·' | '–' | '─' => '-',
        '→' => '>',
        '×' => 'x',
        '“' | '”' => '"',
        '↓' => 'v',
        '↑' => '^',
        _ => '?',
    }
}
