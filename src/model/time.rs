//! Points in time. The pure ring never asks for the time: it is handed in.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Time(pub i64);

/// One second, minute, hour and day in milliseconds.
pub const SECOND: i64 = 1_000;
/// A minute in milliseconds.
pub const MINUTE: i64 = 60 * SECOND;
/// An hour in milliseconds.
pub const HOUR: i64 = 60 * MINUTE;
/// A day in milliseconds.
pub const DAY: i64 = 24 * HOUR;

impl Time {
    /// Reads RFC 3339, as the API server writes it; none for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        text.parse::<jiff::Timestamp>().ok().map(|t| Self(t.as_millisecond()))
    }

    /// This time plus some milliseconds, held at the ends of the range.
    #[must_use]
    pub const fn plus(self, milliseconds: i64) -> Self {
        Self(self.0.saturating_add(milliseconds))
    }

    /// Milliseconds from `earlier` to this; negative when `earlier` lies in the future.
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for Time {
    /// RFC 3339 in UTC with milliseconds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(t) => write!(f, "{t:.3}"),
            Err(_) => write!(f, "{}ms", self.0),
        }
    }
}

impl Serialize for Time {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not an RFC 3339 time"))
    }
}

/// An age in coarse words, so that a screen need not be redrawn every second: `now`, `12s`, `2m`, `3h`, `4d`.
/// Seconds are shown in steps of five, so that ages under a minute change at most twelve times.
pub fn age(milliseconds: i64) -> String {
    match milliseconds {
        ..5_000 => "now".to_owned(),
        5_000..60_000 => format!("{}s", milliseconds / 5_000 * 5),
        60_000..3_600_000 => format!("{}m", milliseconds / MINUTE),
        3_600_000..86_400_000 => format!("{}h", milliseconds / HOUR),
        _ => format!("{}d", milliseconds / DAY),
    }
}

/// Milliseconds until [`age`] of the same moment reads differently: what a sleeping screen waits for.
pub fn until_age_changes(milliseconds: i64) -> i64 {
    let step = match milliseconds {
        ..60_000 => 5 * SECOND,
        60_000..3_600_000 => MINUTE,
        3_600_000..86_400_000 => HOUR,
        _ => DAY,
    };
    step - milliseconds.rem_euclid(step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_rfc3339() {
        let t = Time::parse("2026-11-21T12:00:00Z").unwrap();
        assert_eq!(t.to_string(), "2026-11-21T12:00:00.000Z");
        assert_eq!(Time::parse("2026-11-21T12:00:00.250+01:00").unwrap().since(t), -HOUR + 250);
        assert_eq!(Time::parse("yesterday"), None);
    }

    #[test]
    fn an_age_stays_the_same_until_it_is_said_to_change() {
        for ms in [0, 4_999, 5_000, 59_999, 60_000, 3_599_999, 3_600_000, 86_400_000, 200_000_000] {
            let wait = until_age_changes(ms);
            assert!(wait > 0);
            assert_eq!(age(ms), age(ms + wait - 1), "at {ms}");
            assert_ne!(age(ms), age(ms + wait), "at {ms}");
        }
    }
}
