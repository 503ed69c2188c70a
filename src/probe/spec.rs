//! What to try, from where, with which controls, and what each receipt rests on.

use serde::{Deserialize, Serialize};

use crate::model::time::{DAY, HOUR};
use crate::posture::wall::Wall;

/// The probes of this release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ProbeId {
    /// Network: names resolve, own Service answers, the other tenant's Service answers its own tenant, and neither answers the other.
    #[serde(rename = "P-NET-XT")]
    Network,
    /// Vault: own path authorised by the version trick, the other's path 403, the other's role refuses the login.
    #[serde(rename = "P-SEC-VAULT")]
    Vault,
    /// Resources: a small pod is accepted by server dry-run, a 4Gi pod is refused, a pod that fits no quota is refused.
    #[serde(rename = "P-RES-LR")]
    Resource,
}

/// Every probe, in the order of the walkthrough.
pub const PROBES: [ProbeId; 3] = [ProbeId::Network, ProbeId::Vault, ProbeId::Resource];

impl ProbeId {
    /// Stable id.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Network => "P-NET-XT",
            Self::Vault => "P-SEC-VAULT",
            Self::Resource => "P-RES-LR",
        }
    }

    /// The wall it tries.
    pub const fn wall(self) -> Wall {
        match self {
            Self::Network => Wall::Net,
            Self::Vault => Wall::Sec,
            Self::Resource => Wall::Res,
        }
    }

    /// The probe of a wall.
    pub fn of(wall: Wall) -> Option<Self> {
        PROBES.into_iter().find(|probe| probe.wall() == wall)
    }

    /// How long its receipts count, milliseconds (`spec/posture.md` 5.8).
    pub const fn lifetime(self) -> i64 {
        match self {
            Self::Network => 24 * HOUR,
            Self::Vault => 12 * HOUR,
            Self::Resource => 7 * DAY,
        }
    }
}
