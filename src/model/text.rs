//! Text from the cluster is hostile: it may carry escape sequences, direction overrides, line breaks or megabytes.

use unicode_width::UnicodeWidthChar;

/// The longest text of foreign origin that is kept in a fact or shown, in characters.
pub const LONGEST: usize = 512;

/// Whether a character may reach a terminal or a report as it is: no control, no direction override, no invisible format character,
/// no private-use or zero-width character that would break columns.
fn harmless(c: char) -> bool {
    !(c.is_control()
        || matches!(c,
            '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e000}'..='\u{f8ff}' | '\u{e0000}'..='\u{e0fff}' | '\u{f0000}'..='\u{10ffff}')
        || c.width().is_none_or(|w| w == 0))
}

/// Text made safe to show: every character that could act on a terminal becomes `\u{fffd}`, line breaks and tabs become a space,
/// and what is longer than [`LONGEST`] characters is cut with an ellipsis. O(length kept).
pub fn clean(text: &str) -> String {
    clean_to(text, LONGEST)
}

/// As [`clean`], with another limit.
pub fn clean_to(text: &str, longest: usize) -> String {
    let mut out = String::with_capacity(text.len().min(longest.saturating_mul(4)));
    for (count, c) in text.chars().enumerate() {
        if count >= longest {
            out.push('…');
            break;
        }
        out.push(match c {
            '\n' | '\r' | '\t' => ' ',
            c if harmless(c) => c,
            _ => '\u{fffd}',
        });
    }
    out
}

/// JSON text in which every character that could act on a terminal is written as an escape. The value stays the same: such characters stand in
/// strings only, but for line breaks, which are kept. O(length).
pub fn escape_json(json: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if c == '\n' || harmless(c) {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
    out
}

/// A name made fit for a file: only ASCII letters, digits, dot, dash and underscore survive, at most 100 of them, never a leading dot.
pub fn file_name(text: &str) -> String {
    let safe: String =
        text.chars().take(100).map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '_' }).collect();
    if safe.starts_with('.') || safe.is_empty() { format!("_{safe}") } else { safe }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_sequences_do_not_survive() {
        let cleaned = clean("a\x1b[31mred\x07\u{202e}gnp\u{200b}.\u{9b}2Jx\ny");
        assert_eq!(cleaned, "a\u{fffd}[31mred\u{fffd}\u{fffd}gnp\u{fffd}.\u{fffd}2Jx y");
    }

    #[test]
    fn json_keeps_its_value_and_loses_its_teeth() {
        let text = "a\x1b\x7f\u{9b}2J\u{202e}é\u{e0001}\n";
        let json = escape_json(&format!("{:#}", serde_json::json!({"a": [text]})));
        assert!(json.chars().all(|c| c == '\n' || harmless(c)), "{json:?}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&json).unwrap(), serde_json::json!({"a": [text]}));
    }

    #[test]
    fn length_is_capped() {
        assert_eq!(clean_to("abcdef", 3), "abc…");
        assert_eq!(clean(&"x".repeat(10_000)).chars().count(), LONGEST + 1);
    }

    #[test]
    fn wide_text_and_accents_survive() {
        assert_eq!(clean("Zürich 日本"), "Zürich 日本");
    }

    #[test]
    fn no_text_escapes_a_folder() {
        assert_eq!(file_name("../../etc/passwd"), "_.._.._etc_passwd");
        assert_eq!(file_name(""), "_");
    }
}
