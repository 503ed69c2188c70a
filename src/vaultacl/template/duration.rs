//! Durations as the servers read them: seconds, days, or units one after the other.

/// Units of a duration in nanoseconds.
const UNITS: [(&str, i64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

const SECOND: i64 = 1_000_000_000;
const DAY: i64 = 86_400 * SECOND;

/// Nanoseconds of `30`, `2d` or `1h30m`; none where it is not a duration or too long. O(length).
pub(super) fn parse(text: &str) -> Option<i64> {
    if text.is_empty() {
        return Some(0);
    }
    if let Ok(seconds) = text.parse::<i64>() {
        return seconds.checked_mul(SECOND);
    }
    if let Some(days) = text.strip_suffix('d') {
        return days.parse::<i64>().ok()?.checked_mul(DAY);
    }
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest.is_empty() {
        return None;
    }
    let mut total: i64 = 0;
    while !rest.is_empty() {
        let (amount, after) = rest.split_at_checked(rest.find(|c: char| !c.is_ascii_digit() && c != '.')?)?;
        let (unit, next) = after.split_at_checked(after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len()))?;
        let scale = UNITS.iter().find(|(name, _)| *name == unit)?.1;
        total = total.checked_add(scaled(amount, scale)?)?;
        rest = next;
    }
    total.checked_mul(sign)
}

/// `1.5` times a scale, cut off below a nanosecond.
fn scaled(amount: &str, scale: i64) -> Option<i64> {
    let (whole, fraction) = amount.split_once('.').unwrap_or((amount, ""));
    if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
        return None;
    }
    let whole = if whole.is_empty() { 0 } else { whole.parse::<i64>().ok()?.checked_mul(scale)? };
    let mut below = 0;
    let mut unit = i128::from(scale);
    let mut digits = 0_i128;
    let mut power = 1_i128;
    for digit in fraction.chars().take(18) {
        digits = digits * 10 + i128::from(digit.to_digit(10)?);
        power *= 10;
    }
    if power > 1 {
        unit *= digits;
        below = i64::try_from(unit / power).ok()?;
    }
    whole.checked_add(below)
}
