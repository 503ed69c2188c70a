//! Symbols that are drawn rather than written.

use std::fmt::Write as _;

use super::{H, W, tenths};

/// A symbol as a path.
pub enum Shape {
    /// A line of that width in tenths of a pixel.
    Stroke(u32, String),
    /// An area.
    Fill(String),
}

/// Whether a symbol is drawn as a shape.
pub fn is_shape(symbol: &str) -> bool {
    shape(symbol, 0, 0).is_some()
}

/// Points of a path: `M` to the first, `L` to the others; closed when asked.
fn path(points: &[(u32, u32)], close: bool) -> String {
    let mut out = String::new();
    for (i, (x, y)) in points.iter().enumerate() {
        let _ = write!(out, "{}{} {}", if i == 0 { "M" } else { "L" }, tenths(*x), tenths(*y));
    }
    if close {
        out.push('Z');
    }
    out
}

fn rect(x: u32, y: u32, w: u32, h: u32) -> String {
    path(&[(x, y), (x + w, y), (x + w, y + h), (x, y + h)], true)
}

fn circle(x: u32, y: u32, r: u32) -> String {
    let (d, r) = (tenths(2 * r), tenths(r));
    format!("M{} {}a{r} {r} 0 1 0 {d} 0a{r} {r} 0 1 0 -{d} 0Z", tenths(x), tenths(y))
}

/// The shape of a symbol whose cell begins at (x, y), if it is drawn.
pub fn shape(symbol: &str, x: u32, y: u32) -> Option<Shape> {
    let (mx, my) = (x + W / 2, y + H / 2);
    let (right, bottom) = (x + W, y + H);
    let thin = |points: &[(u32, u32)]| Some(Shape::Stroke(11, path(points, false)));
    let side = 66;
    let (sx, sy) = (mx - side / 2, my - side / 2);
    match symbol {
        "─" => thin(&[(x, my), (right, my)]),
        "│" => thin(&[(mx, y), (mx, bottom)]),
        "┄" => {
            Some(Shape::Stroke(11, format!("{}{}", path(&[(x + 8, my), (x + 34, my)], false), path(&[(x + 50, my), (x + 76, my)], false))))
        }
        "╭" => Some(corner((mx, bottom), (mx, my), (right, my))),
        "╮" => Some(corner((mx, bottom), (mx, my), (x, my))),
        "╰" => Some(corner((mx, y), (mx, my), (right, my))),
        "╯" => Some(corner((mx, y), (mx, my), (x, my))),
        "━" => Some(Shape::Fill(rect(x, my - 18, W, 36))),
        "╾" => Some(Shape::Fill(format!("{}{}", rect(x, my - 18, W / 2, 36), rect(x + W / 2, my - 5, W / 2, 10)))),
        "█" => Some(Shape::Fill(rect(x, y, W, H))),
        "▌" => Some(Shape::Fill(rect(x, y, W / 2, H))),
        "■" => Some(Shape::Fill(rect(sx, sy, side, side))),
        "□" => Some(Shape::Stroke(11, rect(sx + 5, sy + 5, side - 10, side - 10))),
        "◪" => Some(Shape::Fill(format!(
            "{}{}",
            rect(sx, sy, side, side),
            path(&[(sx + 11, sy + 11), (sx + side - 11, sy + 11), (sx + 11, sy + side - 11)], true)
        ))),
        "●" => Some(Shape::Fill(circle(mx - 30, my, 30))),
        "○" => Some(Shape::Stroke(11, circle(mx - 28, my, 28))),
        "◐" => Some(Shape::Fill(format!("{}{}", circle(mx - 32, my, 32), half(mx, my)))),
        "◇" => Some(Shape::Stroke(11, path(&[(mx, my - 36), (mx + 34, my), (mx, my + 36), (mx - 34, my)], true))),
        "◆" => Some(Shape::Fill(path(&[(mx, my - 40), (mx + 38, my), (mx, my + 40), (mx - 38, my)], true))),
        "✖" => Some(Shape::Stroke(
            20,
            format!("{}{}", path(&[(mx - 28, my - 28), (mx + 28, my + 28)], false), path(&[(mx + 28, my - 28), (mx - 28, my + 28)], false)),
        )),
        "✔" => Some(Shape::Stroke(18, path(&[(mx - 34, my + 2), (mx - 10, my + 28), (mx + 34, my - 30)], false))),
        "≠" => Some(Shape::Stroke(
            14,
            format!(
                "{}{}{}",
                path(&[(mx - 32, my - 14), (mx + 32, my - 14)], false),
                path(&[(mx - 32, my + 14), (mx + 32, my + 14)], false),
                path(&[(mx + 18, my - 38), (mx - 18, my + 38)], false)
            ),
        )),
        "∅" | "⊘" => {
            Some(Shape::Stroke(12, format!("{}{}", circle(mx - 28, my, 28), path(&[(mx + 28, my - 32), (mx - 28, my + 32)], false))))
        }
        "▸" => Some(Shape::Fill(path(&[(mx - 24, my - 34), (mx + 30, my), (mx - 24, my + 34)], true))),
        "◂" => Some(Shape::Fill(path(&[(mx + 24, my - 30), (mx - 28, my), (mx + 24, my + 30)], true))),
        "▾" => Some(Shape::Fill(path(&[(mx - 30, my - 18), (mx + 30, my - 18), (mx, my + 26)], true))),
        "▴" => Some(Shape::Fill(path(&[(mx - 30, my + 22), (mx + 30, my + 22), (mx, my - 24)], true))),
        "→" => Some(Shape::Stroke(
            11,
            format!(
                "{}{}",
                path(&[(x + 8, my), (right - 12, my)], false),
                path(&[(right - 34, my - 22), (right - 12, my), (right - 34, my + 22)], false)
            ),
        )),
        _ => None,
    }
}

/// The hollow half of a half-filled circle.
fn half(mx: u32, my: u32) -> String {
    format!("M{} {}a2.2 2.2 0 0 1 0 4.4Z", tenths(mx), tenths(my - 22))
}

/// A rounded corner between two edges.
fn corner(from: (u32, u32), by: (u32, u32), to: (u32, u32)) -> Shape {
    let radius = 32;
    let near = |a: u32, b: u32| match a.cmp(&b) {
        std::cmp::Ordering::Greater => b + radius,
        std::cmp::Ordering::Less => b - radius,
        std::cmp::Ordering::Equal => b,
    };
    let (p, q) = ((near(from.0, by.0), near(from.1, by.1)), (near(to.0, by.0), near(to.1, by.1)));
    Shape::Stroke(
        11,
        format!(
            "M{} {}L{} {}Q{} {} {} {}L{} {}",
            tenths(from.0),
            tenths(from.1),
            tenths(p.0),
            tenths(p.1),
            tenths(by.0),
            tenths(by.1),
            tenths(q.0),
            tenths(q.1),
            tenths(to.0),
            tenths(to.1)
        ),
    )
}
