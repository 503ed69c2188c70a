//! A buffer as plain text.

use ratatui::buffer::Buffer;

/// The symbols of a buffer, one line a row, without blanks at the ends. O(cells).
pub fn text(buf: &Buffer) -> String {
    let mut out = String::with_capacity(buf.area.area() as usize + buf.area.height as usize);
    for y in buf.area.top()..buf.area.bottom() {
        let start = out.len();
        for x in buf.area.left()..buf.area.right() {
            out.push_str(buf.cell((x, y)).map_or(" ", |cell| cell.symbol()));
        }
        let kept = out.get(start..).map_or(0, |line| line.trim_end().len());
        out.truncate(start + kept);
        out.push('\n');
    }
    out
}
