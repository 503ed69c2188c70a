//! Durations and points in time as the servers read them.

use crate::model::time::Time;

use super::decode::Got;

const SECOND: i64 = 1_000_000_000;

/// Units of a duration, in nanoseconds.
const UNITS: [(&str, u64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("\u{b5}s", 1_000),
    ("\u{3bc}s", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// Nanoseconds of a value that is a duration: seconds as a number, or a text like `90`, `2d`, `1h30m`. None where it is none.
pub(super) fn nanoseconds(got: &Got) -> Option<i64> {
    match got {
        Got::Int(seconds) => seconds.checked_mul(SECOND),
        // the fraction is cut off
        Got::Float(seconds) if seconds.abs() < 9.2e18 => (*seconds as i64).checked_mul(SECOND),
        Got::Text(text) => from_text(text),
        _ => None,
    }
}

fn from_text(text: &str) -> Option<i64> {
    if text.is_empty() {
        return Some(0);
    }
    if let Ok(seconds) = text.parse::<i64>() {
        return seconds.checked_mul(SECOND);
    }
    if let Some(days) = text.strip_suffix('d') {
        return days.parse::<i64>().ok()?.checked_mul(24 * 3600 * SECOND);
    }
    let (negative, mut rest) = match text.as_bytes().first()? {
        b'-' => (true, text.get(1..)?),
        b'+' => (false, text.get(1..)?),
        _ => (false, text),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total = 0_u64;
    while !rest.is_empty() {
        let (amount, after) = part(rest)?;
        total = total.checked_add(amount).filter(|total| *total <= 1 << 63)?;
        rest = after;
    }
    let total = i128::from(total);
    i64::try_from(if negative { total.checked_neg()? } else { total }).ok()
}

/// One number with its unit, in nanoseconds, and what follows.
fn part(text: &str) -> Option<(u64, &str)> {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let (whole, mut rest) = text.split_at_checked(digits(text))?;
    let mut fraction = "";
    if let Some(after) = rest.strip_prefix('.') {
        (fraction, rest) = after.split_at_checked(digits(after))?;
    }
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let length = rest.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(rest.len());
    let (unit, rest) = rest.split_at_checked(length)?;
    let unit = UNITS.iter().find(|(name, _)| *name == unit)?.1;
    let whole = if whole.is_empty() { 0 } else { whole.parse::<u64>().ok()? };
    let whole = whole.checked_mul(unit).filter(|whole| *whole <= 1 << 63)?;
    // at most nanoseconds count: eighteen digits are more than enough
    let kept = fraction.get(..fraction.len().min(18))?;
    let below =
        if kept.is_empty() { 0.0 } else { kept.parse::<f64>().ok()? * (unit as f64 / 10_f64.powi(i32::try_from(kept.len()).ok()?)) };
    Some((whole.checked_add(below as u64)?, rest))
}

/// A point in time: RFC 3339, or seconds since 1970. None where it is neither.
pub(super) fn point(text: &str) -> Option<Time> {
    rfc3339(text).or_else(|| Some(Time(text.parse::<i64>().ok()?.saturating_mul(1000))))
}

/// RFC 3339 as Go's library reads it: capital letters, an hour of one digit, a comma before the fraction.
fn rfc3339(text: &str) -> Option<Time> {
    let (date, clock) = text.split_once('T')?;
    let number = |text: &str, least: usize, most: usize| {
        let fits = (least..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        fits.then(|| text.parse::<i64>().ok()).flatten()
    };
    let mut parts = date.split('-');
    let (year, month, day) = (number(parts.next()?, 4, 4)?, number(parts.next()?, 2, 2)?, number(parts.next()?, 2, 2)?);
    let at = clock.find(['Z', '+', '-'])?;
    let (clock, zone) = clock.split_at_checked(at)?;
    let mut fields = clock.split(':');
    let (hour, minute) = (number(fields.next()?, 1, 2)?, number(fields.next()?, 2, 2)?);
    let seconds = fields.next()?;
    let (second, fraction) = match seconds.find(['.', ',']) {
        Some(at) => (seconds.get(..at)?, Some(seconds.get(at.checked_add(1)?..)?)),
        None => (seconds, None),
    };
    let second = number(second, 2, 2)?;
    if parts.next().is_some() || fields.next().is_some() {
        return None;
    }
    let milliseconds = match fraction {
        None => 0,
        Some(digits) if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) => {
            format!("{digits:0<3}").get(..3)?.parse::<i64>().ok()?
        }
        Some(_) => return None,
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let longest = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=longest).contains(&day) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let seconds = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset(zone)?;
    Some(Time(seconds * 1000 + milliseconds))
}

/// Seconds east of Greenwich.
fn offset(zone: &str) -> Option<i64> {
    if zone == "Z" {
        return Some(0);
    }
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = zone.get(1..)?.split_once(':')?;
    let two = |text: &str| (text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse::<i64>().ok()).flatten();
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    (hours <= 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

/// Days from 1970-01-01 to a date of the Gregorian calendar, years counted from March so that the leap day comes last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + (month * 153 + 2) / 5 + day - 1 - 719_468
}
