//! The checks, as a table: ids are stable and come from the catalogue of checks; finer reasons are sub-reasons, never new ids.

mod checks;

use serde::Serialize;

pub use checks::CHECKS;

use super::wall::Wall;
use crate::probe::spec::ProbeId;

/// How bad a violation of a check is. The order is worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Critical.
    Critical,
    /// High.
    High,
    /// Medium.
    Medium,
    /// Low.
    Low,
    /// Information.
    Info,
}

impl Severity {
    /// As a word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
            Self::Info => "info",
        }
    }

    /// From a word.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Critical, Self::High, Self::Medium, Self::Low, Self::Info].into_iter().find(|s| s.word() == text)
    }
}

/// One check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckInfo {
    /// Stable id.
    pub id: &'static str,
    /// Its wall.
    pub wall: Wall,
    /// How bad.
    pub severity: Severity,
    /// A few words for a list.
    pub title: &'static str,
    /// The claim in one sentence.
    pub claim: &'static str,
    /// The probe whose receipt can prove it; none where nothing can be tried.
    pub probe: Option<ProbeId>,
    /// The fix that a violation can be answered with.
    pub fix: Option<&'static str>,
}

const fn check(id: &'static str, wall: Wall, severity: Severity, title: &'static str, claim: &'static str) -> CheckInfo {
    CheckInfo { id, wall, severity, title, claim, probe: None, fix: None }
}

const fn probed(info: CheckInfo, probe: ProbeId) -> CheckInfo {
    CheckInfo { probe: Some(probe), ..info }
}

const fn fixed(info: CheckInfo, fix: &'static str) -> CheckInfo {
    CheckInfo { fix: Some(fix), ..info }
}

/// A check by id.
pub fn find(id: &str) -> Option<&'static CheckInfo> {
    CHECKS.iter().find(|check| check.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_belong_to_their_wall() {
        for (i, check) in CHECKS.iter().enumerate() {
            assert!(check.id.starts_with(check.wall.short()), "{}", check.id);
            assert!(CHECKS.iter().skip(i + 1).all(|other| other.id != check.id), "{}", check.id);
        }
    }
}
