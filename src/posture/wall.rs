//! The walls, and what stands beside them.

use serde::{Deserialize, Serialize};

/// A wall of a tenant, or the platform beside the walls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Wall {
    /// Network.
    Net,
    /// Secrets.
    Sec,
    /// Resources.
    Res,
    /// Identity and RBAC.
    Idn,
    /// Runtime hardening.
    Run,
    /// Exposure.
    Exp,
    /// Application hardening.
    App,
    /// Is anything enforcing at all.
    Plt,
}

/// The walls of a tenant, in screen order.
pub const WALLS: [Wall; 7] = [Wall::Net, Wall::Sec, Wall::Res, Wall::Idn, Wall::Run, Wall::Exp, Wall::App];

impl Wall {
    /// Three letters.
    pub const fn short(self) -> &'static str {
        match self {
            Self::Net => "NET",
            Self::Sec => "SEC",
            Self::Res => "RES",
            Self::Idn => "IDN",
            Self::Run => "RUN",
            Self::Exp => "EXP",
            Self::App => "APP",
            Self::Plt => "PLT",
        }
    }

    /// In words.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Net => "network",
            Self::Sec => "secrets",
            Self::Res => "resources",
            Self::Idn => "identity",
            Self::Run => "runtime",
            Self::Exp => "exposure",
            Self::App => "application",
            Self::Plt => "platform",
        }
    }

    /// From the three letters, in any case.
    pub fn parse(text: &str) -> Option<Self> {
        WALLS.into_iter().chain([Self::Plt]).find(|wall| wall.short().eq_ignore_ascii_case(text))
    }
}
