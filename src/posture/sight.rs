//! What a check rests on, and the words for not seeing it.

use crate::model::kind::Kind;
use crate::model::snapshot::Snapshot;
use crate::model::source::{Sight, SourceState};
use crate::model::text::clean;

/// A source that a check rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// Objects of a kind.
    Objects(Kind),
    /// The Vault server: reachable and unsealed.
    Vault,
    /// Roles of Vault's Kubernetes auth mounts.
    VaultRoles,
    /// Vault's ACL policies.
    VaultPolicies,
    /// Vault's secret mounts.
    VaultMounts,
}

/// Every source that some check or receipt rests on and that is not a kind; the server first.
pub const VAULT_SOURCES: [Source; 4] = [Source::Vault, Source::VaultRoles, Source::VaultPolicies, Source::VaultMounts];

impl Source {
    /// As named on screens.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Objects(kind) => kind.as_str(),
            Self::Vault => "vault",
            Self::VaultRoles => "vault roles",
            Self::VaultPolicies => "vault policies",
            Self::VaultMounts => "vault mounts",
        }
    }

    /// Why nothing may be concluded from this source now; none when it is seen clearly. Cleaned, with times as points in time, so that
    /// the words stay the same while the state does.
    pub fn blind(self, snapshot: &Snapshot) -> Option<String> {
        match self {
            Self::Objects(kind) => blind(snapshot.source(kind)),
            Self::Vault => vault(snapshot),
            Self::VaultRoles => vault(snapshot).or_else(|| roles(snapshot)),
            Self::VaultPolicies => vault(snapshot).or_else(|| blind(&snapshot.vault.policies.state)),
            Self::VaultMounts => vault(snapshot).or_else(|| blind(&snapshot.vault.secret_mounts.state)),
        }
    }
}

/// The words for a state that conceals; none for one that shows.
fn blind(state: &SourceState) -> Option<String> {
    (state.sight() == Sight::Blind).then(|| words(state))
}

/// A state in words, with the time it began.
pub fn words(state: &SourceState) -> String {
    match state {
        SourceState::Stale { since, why } => format!("stale since {since}: {}", clean(why)),
        SourceState::Down { since, why } => format!("down since {since}: {}", clean(why)),
        SourceState::Denied { why } => format!("denied: {}", clean(why)),
        // the count moves with every page; the words must not
        SourceState::Loading(_) => "still loading".to_owned(),
        other => other.word().to_owned(),
    }
}

fn vault(snapshot: &Snapshot) -> Option<String> {
    let vault = &snapshot.vault;
    if !vault.configured {
        return Some("no Vault configured: set VAULT_ADDR".to_owned());
    }
    if vault.server.state.sight() != Sight::Clear {
        return Some(words(&vault.server.state));
    }
    if !vault.server.initialized {
        return Some("not initialised".to_owned());
    }
    vault.server.sealed.then(|| "sealed".to_owned())
}

fn roles(snapshot: &Snapshot) -> Option<String> {
    let vault = &snapshot.vault;
    if vault.kubernetes.is_empty() {
        return (vault.auth_mounts.state.sight() != Sight::Clear).then(|| format!("auth mounts {}", words(&vault.auth_mounts.state)));
    }
    let unseen = vault.kubernetes.iter().find(|(_, part)| part.state.sight() != Sight::Clear)?;
    Some(format!("roles of {} {}", clean(unseen.0), words(&unseen.1.state)))
}
