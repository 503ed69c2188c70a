//! How well we see: the state of every source of facts. Nothing that rests on a source may look better than the source.

use std::fmt;

use super::ids::Name;
use super::time::Time;

/// The state of one source: one watched kind, or one part of Vault.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum SourceState {
    /// Not asked for: no server configured, or not started.
    #[default]
    Off,
    /// First contact under way.
    Connecting,
    /// Reading the initial list; so many objects so far.
    Loading(u32),
    /// Complete and followed.
    Live,
    /// Was complete; since then we may have missed changes.
    Stale {
        /// Since when.
        since: Time,
        /// Why.
        why: Name,
    },
    /// We may not look.
    Denied {
        /// Who said so, in its own words.
        why: Name,
    },
    /// The API or the path does not exist on this server.
    Absent,
    /// Could not be reached, and nothing was ever read.
    Down {
        /// Since when.
        since: Time,
        /// Why.
        why: Name,
    },
}

/// What a reader may do with facts from a source in this state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// Complete and current.
    Clear,
    /// The API is absent: there can be no such object.
    Nothing,
    /// Not to be relied on.
    Blind,
}

impl SourceState {
    /// What may be concluded from facts of this source.
    pub const fn sight(&self) -> Sight {
        match self {
            Self::Live => Sight::Clear,
            Self::Absent => Sight::Nothing,
            _ => Sight::Blind,
        }
    }

    /// One word for a status line.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Connecting => "connecting",
            Self::Loading(_) => "loading",
            Self::Live => "live",
            Self::Stale { .. } => "stale",
            Self::Denied { .. } => "denied",
            Self::Absent => "absent",
            Self::Down { .. } => "down",
        }
    }

    /// The reason, where there is one. Hostile text.
    pub const fn why(&self) -> Option<&Name> {
        match self {
            Self::Stale { why, .. } | Self::Denied { why } | Self::Down { why, .. } => Some(why),
            _ => None,
        }
    }
}

impl fmt::Display for SourceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self, self.why()) {
            (Self::Loading(n), _) => write!(f, "loading, {n} so far"),
            (_, Some(why)) => write!(f, "{}: {}", self.word(), super::text::clean(why)),
            (_, None) => f.write_str(self.word()),
        }
    }
}
