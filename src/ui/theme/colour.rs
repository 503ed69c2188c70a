//! Colours as numbers: contrast, and what a poorer terminal shows instead.

use ratatui::style::Color;

use super::choose::Depth;

/// The sixteen ANSI colours as most terminals show them.
pub const ANSI: [(u8, u8, u8); 16] = [
    (0x1d, 0x1f, 0x21),
    (0xcc, 0x55, 0x55),
    (0x6f, 0xae, 0x5f),
    (0xd0, 0xa0, 0x40),
    (0x5f, 0x8f, 0xd0),
    (0xb0, 0x70, 0xc0),
    (0x4f, 0xb0, 0xb0),
    (0xc5, 0xc8, 0xc6),
    (0x80, 0x86, 0x8b),
    (0xff, 0x70, 0x70),
    (0x8f, 0xd8, 0x7f),
    (0xf5, 0xc8, 0x60),
    (0x80, 0xb0, 0xf0),
    (0xd8, 0x98, 0xe8),
    (0x70, 0xd8, 0xd8),
    (0xf5, 0xf5, 0xf5),
];

const NAMED: [Color; 16] = [
    Color::Black,
    Color::Red,
    Color::Green,
    Color::Yellow,
    Color::Blue,
    Color::Magenta,
    Color::Cyan,
    Color::Gray,
    Color::DarkGray,
    Color::LightRed,
    Color::LightGreen,
    Color::LightYellow,
    Color::LightBlue,
    Color::LightMagenta,
    Color::LightCyan,
    Color::White,
];

/// Red, green and blue of a colour; none for the terminal's own.
pub fn rgb(colour: Color) -> Option<(u8, u8, u8)> {
    match colour {
        Color::Reset => None,
        Color::Rgb(r, g, b) => Some((r, g, b)),
        Color::Indexed(i) => Some(indexed(i)),
        named => NAMED.iter().position(|c| *c == named).and_then(|i| ANSI.get(i)).copied(),
    }
}

/// A colour of the 256-colour table.
fn indexed(i: u8) -> (u8, u8, u8) {
    match i {
        0..16 => ANSI.get(usize::from(i)).copied().unwrap_or_default(),
        16..232 => {
            let n = i - 16;
            let level = |v: u8| if v == 0 { 0 } else { 55 + v * 40 };
            (level(n / 36), level(n / 6 % 6), level(n % 6))
        }
        232.. => {
            let v = 8 + (i - 232) * 10;
            (v, v, v)
        }
    }
}

/// The nearest colour that a terminal of that depth can show.
pub fn reduce(colour: Color, depth: Depth) -> Color {
    let Color::Rgb(r, g, b) = colour else { return colour };
    let distance = |(r2, g2, b2): (u8, u8, u8)| {
        let d = |a: u8, b: u8| i32::from(a.abs_diff(b)).pow(2);
        2 * d(r, r2) + 4 * d(g, g2) + 3 * d(b, b2)
    };
    match depth {
        Depth::True => colour,
        Depth::C256 => (16..=255).min_by_key(|i| distance(indexed(*i))).map_or(colour, Color::Indexed),
        Depth::C16 => NAMED.into_iter().min_by_key(|c| rgb(*c).map_or(i32::MAX, distance)).unwrap_or(colour),
        Depth::None => Color::Reset,
    }
}

/// Contrast of two colours, from 1 to 21 (WCAG 2).
pub fn contrast(a: (u8, u8, u8), b: (u8, u8, u8)) -> f64 {
    let (x, y) = (luminance(a), luminance(b));
    (x.max(y) + 0.05) / (x.min(y) + 0.05)
}

fn luminance((r, g, b): (u8, u8, u8)) -> f64 {
    let linear = |v: u8| {
        let v = f64::from(v) / 255.0;
        if v <= 0.039_28 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn black_on_white_is_21() {
        assert!((contrast((0, 0, 0), (255, 255, 255)) - 21.0).abs() < 0.01);
    }

    #[test]
    fn colours_come_down_to_their_like() {
        assert_eq!(reduce(Color::Rgb(255, 255, 255), Depth::C256), Color::Indexed(231));
        assert_eq!(reduce(Color::Rgb(0x60, 0x90, 0xd0), Depth::C16), Color::Blue);
        assert_eq!(reduce(Color::Red, Depth::C256), Color::Red);
    }
}
