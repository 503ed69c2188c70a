//! The two sets of symbols: Unicode, every one a single column wide, and ASCII.

use crate::fix::guard::Mode;
use crate::posture::verdict::Verdict;
use crate::receipt::Outcome;

/// A set of symbols. Every one is one column wide.
#[derive(Debug)]
#[allow(missing_docs, reason = "the names are the documentation: each sign stands beside its name in the tables below")]
pub struct Symbols {
    pub ascii: bool,
    pub gutter: &'static str,
    pub full: &'static str,
    pub half: &'static str,
    pub track: &'static str,
    pub binding: &'static str,
    pub over: &'static str,
    pub live: &'static str,
    pub waiting: &'static str,
    pub stale: &'static str,
    pub denied: &'static str,
    pub down: &'static str,
    pub arrow: &'static str,
    pub dots: &'static str,
    pub bullet: &'static str,
    pub sorted: &'static str,
    pub yes: &'static str,
    pub no: &'static str,
    pub running: &'static str,
    pub up: &'static str,
    pub more: &'static str,
    pub h: &'static str,
    pub v: &'static str,
    pub corners: [&'static str; 4],
    pub cut: &'static str,
    pub tee: &'static str,
    pub dash: &'static str,
    /// In the order of [`super::matrix::shade::SHADES`].
    pub(super) shades: [&'static str; 8],
    verdicts: [&'static str; 9],
    modes: [&'static str; 3],
}

const UNICODE: Symbols = Symbols {
    ascii: false,
    gutter: "▌",
    full: "━",
    half: "╾",
    track: "─",
    binding: "◂",
    over: "!",
    live: "●",
    waiting: "◌",
    stale: "◐",
    denied: "⊘",
    down: "○",
    arrow: "→",
    dots: "…",
    bullet: "·",
    sorted: "▾",
    yes: "✔",
    no: "✖",
    running: "▸",
    up: "▴",
    more: "▾",
    h: "─",
    v: "│",
    corners: ["╭", "╮", "╰", "╯"],
    cut: "┄",
    tee: "├",
    dash: "–",
    shades: ["≠", "✖", "▲", "◪", "?", "□", "■", "·"],
    verdicts: ["✖", "≠", "◪", "∅", "?", "□", "~", "■", "·"],
    modes: ["○", "◇", "◆"],
};

const ASCII: Symbols = Symbols {
    ascii: true,
    gutter: ">",
    full: "=",
    half: "-",
    track: ".",
    binding: "<",
    over: "!",
    live: "*",
    waiting: ".",
    stale: "%",
    denied: "x",
    down: "o",
    arrow: ">",
    dots: "~",
    bullet: "-",
    sorted: "v",
    yes: "+",
    no: "X",
    running: ">",
    up: "^",
    more: "v",
    h: "-",
    v: "|",
    corners: ["+", "+", "+", "+"],
    cut: "-",
    tee: "+",
    dash: "-",
    shades: ["=", "X", "/", "%", "?", "_", "#", "."],
    verdicts: ["X", "=", "%", "0", "?", "_", "~", "#", "."],
    modes: ["o", "<", "#"],
};

/// The set to use.
pub const fn symbols(ascii: bool) -> &'static Symbols {
    if ascii { &ASCII } else { &UNICODE }
}

impl Symbols {
    /// The sign of a verdict.
    pub const fn verdict(&self, verdict: Verdict) -> &'static str {
        let [breached, disputed, degraded, vacuous, unknown, unproven, waived, holds, na] = self.verdicts;
        match verdict {
            Verdict::Breached => breached,
            Verdict::Disputed => disputed,
            Verdict::Degraded => degraded,
            Verdict::Vacuous => vacuous,
            Verdict::Unknown => unknown,
            Verdict::Unproven => unproven,
            Verdict::Waived => waived,
            Verdict::Holds => holds,
            Verdict::NotApplicable => na,
        }
    }

    /// The shape of a mode.
    pub const fn mode(&self, mode: Mode) -> &'static str {
        let [observe, probe, fix] = self.modes;
        match mode {
            Mode::Observe => observe,
            Mode::Probe => probe,
            Mode::Fix => fix,
        }
    }

    /// The sign of a step's outcome, neutral as to what was hoped for.
    pub const fn outcome(&self, outcome: Outcome) -> &'static str {
        match outcome {
            Outcome::Answered => self.yes,
            Outcome::Refused { .. } => self.denied,
            Outcome::Failed => self.no,
        }
    }
}

/// The letter of a verdict, which tells it apart where neither colour nor a rich font is to be had. The unknown's sign is its letter.
pub const fn letter(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Breached => "B",
        Verdict::Disputed => "X",
        Verdict::Degraded => "D",
        Verdict::Vacuous => "V",
        Verdict::Unproven => "U",
        Verdict::Waived => "W",
        Verdict::Holds => "H",
        Verdict::Unknown | Verdict::NotApplicable => " ",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::posture::verdict::ALL;
    use unicode_width::UnicodeWidthStr;

    #[test]
    fn every_symbol_is_one_column_and_ascii_is_ascii() {
        for set in [&UNICODE, &ASCII] {
            let all = [
                set.gutter,
                set.full,
                set.half,
                set.track,
                set.binding,
                set.live,
                set.waiting,
                set.stale,
                set.denied,
                set.down,
                set.arrow,
                set.dots,
            ]
            .into_iter()
            .chain([
                set.bullet,
                set.sorted,
                set.yes,
                set.no,
                set.running,
                set.up,
                set.more,
                set.h,
                set.v,
                set.cut,
                set.tee,
                set.dash,
                set.over,
            ])
            .chain(set.corners)
            .chain(set.shades)
            .chain(set.verdicts)
            .chain(set.modes);
            for symbol in all {
                assert_eq!(symbol.width(), 1, "{symbol}");
                assert!(!set.ascii || symbol.is_ascii(), "{symbol}");
            }
        }
    }

    #[test]
    fn verdicts_are_told_apart_without_colour() {
        for set in [&UNICODE, &ASCII] {
            for (i, a) in ALL.iter().enumerate() {
                for b in ALL.iter().skip(i + 1) {
                    assert_ne!(set.verdict(*a), set.verdict(*b), "{a:?} {b:?}");
                }
            }
        }
    }
}
