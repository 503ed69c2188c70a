//! Wall-clock times as the two servers write them.

use jiff::{SignedDuration, Timestamp};

/// Now, as RFC 3339 with whole seconds.
pub(crate) fn now() -> String {
    text(Timestamp::now())
}

/// A moment `seconds` before now.
pub(crate) fn ago(seconds: i64) -> String {
    text(Timestamp::now().saturating_sub(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::UNIX_EPOCH))
}

/// A moment `seconds` after now.
pub(crate) fn ahead(seconds: i64) -> String {
    ago(seconds.saturating_neg())
}

/// Seconds since the epoch.
pub(crate) fn epoch() -> i64 {
    Timestamp::now().as_second()
}

/// Seconds that passed since an RFC 3339 time, if it is one.
pub(crate) fn age(text: &str) -> Option<i64> {
    text.parse::<Timestamp>().ok().map(|then| epoch().saturating_sub(then.as_second()).max(0))
}

fn text(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
