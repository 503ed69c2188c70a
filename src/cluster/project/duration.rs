//! Durations as Go writes and reads them.

use crate::model::time::{HOUR, MINUTE, SECOND};

/// Units in milliseconds, the longer spelling of two that begin alike first.
const UNITS: [(&str, f64); 7] =
    [("ns", 0.000_001), ("us", 0.001), ("µs", 0.001), ("ms", 1.0), ("s", SECOND as f64), ("m", MINUTE as f64), ("h", HOUR as f64)];

/// Milliseconds of a text such as `1h30m`; none for what is no duration. O(length).
pub(super) fn go(text: &str) -> Option<i64> {
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() || rest.len() > 128 {
        return None;
    }
    let mut sum = 0.0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at_checked(end)?;
        // Rust would also read "inf" and "nan", which digits and dots can't spell
        let number: f64 = number.parse().ok()?;
        let (unit, milliseconds) = UNITS.iter().find(|(unit, _)| after.starts_with(unit))?;
        sum += number * milliseconds;
        rest = after.strip_prefix(unit)?;
    }
    Some((sign * sum) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_go_does() {
        for (text, milliseconds) in [
            ("1h0m0s", Some(HOUR)),
            ("0", Some(0)),
            ("0s", Some(0)),
            ("1.5h", Some(HOUR + 30 * MINUTE)),
            ("-10s", Some(-10 * SECOND)),
            ("2m3s4ms", Some(2 * MINUTE + 3 * SECOND + 4)),
            ("500us", Some(0)),
            ("", None),
            ("10", None),
            ("1d", None),
            ("h", None),
            ("1..5s", None),
            ("1h ", None),
        ] {
            assert_eq!(go(text), milliseconds, "{text:?}");
        }
        assert_eq!(go(&format!("{}h", "9".repeat(100))), Some(i64::MAX));
        assert_eq!(go(&"9h".repeat(1000)), None);
    }
}
