//! A buffer as SVG: no fonts embedded, no timestamps, numbers with fixed decimals, so that equal screens are equal bytes.
//!
//! Lines, blocks and the signs of the verdicts are drawn as shapes, so that they meet and align whatever font the viewer has. Runs of
//! other text are held in their columns by `textLength`.

mod shapes;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

use crate::app::role::Role;
use crate::ui::theme::{Theme, colour};

/// Width of a cell in tenths of a pixel; tenths keep all sums exact.
const W: u32 = 84;
/// Height of a cell.
const H: u32 = 180;
/// Margin around the screen.
const M: u32 = 120;

type Rgb = (u8, u8, u8);

/// How a cell looks once the theme and the modifiers are resolved.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Look {
    fg: Rgb,
    bg: Rgb,
    bold: bool,
    underline: bool,
    italic: bool,
}

/// Tenths as a decimal number.
fn tenths(n: u32) -> String {
    format!("{}.{}", n / 10, n % 10)
}

fn hex((r, g, b): Rgb) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

/// The ground and the text colour where the theme leaves them to the terminal.
fn defaults(theme: &Theme) -> (Rgb, Rgb) {
    let ground = theme.style(Role::Ground);
    let (fg, bg) = if theme.light { ((0x20, 0x20, 0x20), (0xfc, 0xfc, 0xfa)) } else { ((0xd0, 0xd4, 0xd8), (0x14, 0x16, 0x18)) };
    (ground.fg.and_then(colour::rgb).unwrap_or(fg), ground.bg.and_then(colour::rgb).unwrap_or(bg))
}

fn look(cell: &Cell, (fg, bg): (Rgb, Rgb)) -> Look {
    let own = |c: Color, default: Rgb| colour::rgb(c).unwrap_or(default);
    let (mut front, mut back) = (own(cell.fg, fg), own(cell.bg, bg));
    if cell.modifier.contains(Modifier::REVERSED) {
        std::mem::swap(&mut front, &mut back);
    }
    if cell.modifier.contains(Modifier::DIM) {
        front = mix(front, back);
    }
    Look {
        fg: front,
        bg: back,
        bold: cell.modifier.contains(Modifier::BOLD),
        underline: cell.modifier.contains(Modifier::UNDERLINED),
        italic: cell.modifier.contains(Modifier::ITALIC),
    }
}

const fn mix((r, g, b): Rgb, (r2, g2, b2): Rgb) -> Rgb {
    const fn half(a: u8, b: u8) -> u8 {
        ((a as u16 * 3 + b as u16 * 2) / 5) as u8
    }
    (half(r, r2), half(g, g2), half(b, b2))
}

/// A stretch of cells of one row that look alike.
struct Run {
    x: u32,
    y: u32,
    cells: u32,
    text: String,
    look: Look,
}

/// The buffer as SVG. O(cells).
pub fn svg(buf: &Buffer, theme: &Theme) -> String {
    let defaults = defaults(theme);
    let (columns, rows) = (u32::from(buf.area.width), u32::from(buf.area.height));
    let (width, height) = (columns * W + 2 * M, rows * H + 2 * M);
    let mut out = String::new();
    let _ = writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w}\" height=\"{h}\" viewBox=\"0 0 {w} {h}\" role=\"img\" aria-labelledby=\"t d\">",
        w = tenths(width),
        h = tenths(height)
    );
    let _ = writeln!(out, "<title id=\"t\">partywall, {columns} by {rows} cells</title>");
    let _ = writeln!(out, "<desc id=\"d\">{}</desc>", escape(&super::text(buf)));
    out.push_str("<style>text{font-family:ui-monospace,\"DejaVu Sans Mono\",Menlo,Consolas,\"Liberation Mono\",monospace;font-size:14px;white-space:pre}.b{font-weight:bold}.i{font-style:italic}</style>\n");
    let _ = writeln!(out, "<rect width=\"{}\" height=\"{}\" rx=\"8\" fill=\"{}\"/>", tenths(width), tenths(height), hex(defaults.1));
    let runs = runs(buf, defaults);
    grounds(&mut out, &runs, defaults.1);
    drawn(&mut out, buf, defaults);
    texts(&mut out, &runs);
    out.push_str("</svg>\n");
    out
}

/// Cells of one look in a row, in runs.
fn runs(buf: &Buffer, defaults: (Rgb, Rgb)) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for (y, row) in (buf.area.top()..buf.area.bottom()).enumerate() {
        let mut fresh = true;
        for (x, column) in (buf.area.left()..buf.area.right()).enumerate() {
            let Some(cell) = buf.cell((column, row)) else { continue };
            let look = look(cell, defaults);
            let symbol = if shapes::is_shape(cell.symbol()) { " " } else { cell.symbol() };
            match runs.last_mut().filter(|run| !fresh && run.look == look) {
                Some(run) => {
                    run.cells += 1;
                    run.text.push_str(symbol);
                }
                None => runs.push(Run { x: x as u32, y: y as u32, cells: 1, text: symbol.to_owned(), look }),
            }
            fresh = false;
        }
    }
    runs
}

/// Grounds that are not the screen's own; neighbours of one colour are one rectangle, so that no seam shows.
fn grounds(out: &mut String, runs: &[Run], ground: Rgb) {
    let mut merged: Vec<(u32, u32, u32, Rgb)> = Vec::new();
    for run in runs {
        match merged.last_mut() {
            Some((x, y, cells, bg)) if *y == run.y && *bg == run.look.bg && *x + *cells == run.x => *cells += run.cells,
            _ => merged.push((run.x, run.y, run.cells, run.look.bg)),
        }
    }
    for (x, y, cells, bg) in merged.into_iter().filter(|(.., bg)| *bg != ground) {
        let (x, y) = (tenths(M + x * W), tenths(M + y * H));
        let _ = writeln!(out, "<rect x=\"{x}\" y=\"{y}\" width=\"{}\" height=\"{}\" fill=\"{}\"/>", tenths(cells * W), tenths(H), hex(bg));
    }
}

/// Lines, blocks and signs, one path a colour.
fn drawn(out: &mut String, buf: &Buffer, defaults: (Rgb, Rgb)) {
    let mut strokes: BTreeMap<(Rgb, u32), String> = BTreeMap::new();
    let mut fills: BTreeMap<Rgb, String> = BTreeMap::new();
    for (y, row) in (buf.area.top()..buf.area.bottom()).enumerate() {
        for (x, column) in (buf.area.left()..buf.area.right()).enumerate() {
            let Some(cell) = buf.cell((column, row)) else { continue };
            let fg = look(cell, defaults).fg;
            match shapes::shape(cell.symbol(), M + x as u32 * W, M + y as u32 * H) {
                Some(shapes::Shape::Stroke(width, path)) => strokes.entry((fg, width)).or_default().push_str(&path),
                Some(shapes::Shape::Fill(path)) => fills.entry(fg).or_default().push_str(&path),
                None => {}
            }
        }
    }
    for ((fg, width), path) in strokes {
        let _ = writeln!(out, "<path d=\"{path}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{}\"/>", hex(fg), tenths(width));
    }
    for (fg, path) in fills {
        let _ = writeln!(out, "<path d=\"{path}\" fill=\"{}\" fill-rule=\"evenodd\"/>", hex(fg));
    }
}

fn texts(out: &mut String, runs: &[Run]) {
    for run in runs {
        for (column, text) in words(&run.text) {
            word(out, run, run.x + column, text);
        }
    }
}

/// Stretches of text between two or more blanks, with the column each begins at: viewers collapse blanks.
fn words(text: &str) -> Vec<(u32, &str)> {
    let mut out = Vec::new();
    let mut column = 0;
    for part in text.split("  ") {
        let lead = part.len() - part.trim_start().len();
        let word = part.trim();
        if !word.is_empty() {
            out.push((column + lead as u32, word));
        }
        column += unicode_width::UnicodeWidthStr::width(part) as u32 + 2;
    }
    out
}

fn word(out: &mut String, run: &Run, column: u32, text: &str) {
    let cells = unicode_width::UnicodeWidthStr::width(text) as u32;
    let class = match (run.look.bold, run.look.italic) {
        (true, true) => " class=\"b i\"",
        (true, false) => " class=\"b\"",
        (false, true) => " class=\"i\"",
        (false, false) => "",
    };
    let underline = if run.look.underline { " text-decoration=\"underline\"" } else { "" };
    let _ = writeln!(
        out,
        "<text x=\"{}\" y=\"{}\" textLength=\"{}\" fill=\"{}\"{class}{underline}>{}</text>",
        tenths(M + column * W),
        tenths(M + run.y * H + 133),
        tenths(cells * W),
        hex(run.look.fg),
        escape(text)
    );
}

/// Text that XML takes as it is meant; what XML 1.0 does not allow becomes `?`.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push('\n'),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('?'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    #[test]
    fn text_is_escaped_and_lines_are_shapes() {
        let mut buf = Buffer::empty(Rect::new(0, 0, 8, 2));
        buf.set_string(0, 0, "<a&b>", Style::new());
        buf.set_string(0, 1, "╭──╮", Style::new());
        let svg = svg(&buf, &Theme::load("dark").unwrap());
        assert!(svg.contains(">&lt;a&amp;b&gt;</text>"));
        assert!(svg.contains("<path d="));
        assert!(!svg.contains("╭</text>") && !svg.contains("─</text>"));
    }

    #[test]
    fn equal_screens_are_equal_bytes_and_a_cell_more_is_not() {
        let theme = Theme::load("light").unwrap();
        let mut buf = Buffer::empty(Rect::new(0, 0, 20, 3));
        buf.set_string(1, 1, "held when tried", Style::new().fg(Color::Green));
        let one = svg(&buf, &theme);
        assert_eq!(one, svg(&buf, &theme));
        buf.set_string(1, 1, "H", Style::new());
        assert_ne!(one, svg(&buf, &theme));
    }

    #[test]
    fn reverse_swaps_and_dim_mixes() {
        let mut cell = Cell::default();
        cell.set_style(Style::new().add_modifier(Modifier::REVERSED));
        let look = look(&cell, ((1, 1, 1), (9, 9, 9)));
        assert_eq!((look.fg, look.bg), ((9, 9, 9), (1, 1, 1)));
    }
}
