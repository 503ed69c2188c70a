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
    /// How Vault's Kubernetes auth mounts are set up.
    VaultConfig,
    /// Entities and groups of Vault's identity store.
    VaultIdentity,
    /// Child namespaces of Vault.
    VaultNamespaces,
}

/// Every source that some check or receipt rests on and that is not a kind; the server first.
pub const VAULT_SOURCES: [Source; 7] = [
    Source::Vault,
    Source::VaultRoles,
    Source::VaultPolicies,
    Source::VaultMounts,
    Source::VaultConfig,
    Source::VaultIdentity,
    Source::VaultNamespaces,
];

/// The sub-reason of a check that rests on what the operator chose not to let us ask for: see [`Source::not_asked`].
pub const NOT_ASKED: &str = "not-asked";

impl Source {
    /// As named on screens.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Objects(kind) => kind.as_str(),
            Self::Vault => "vault",
            Self::VaultRoles => "vault roles",
            Self::VaultPolicies => "vault policies",
            Self::VaultMounts => "vault mounts",
            Self::VaultConfig => "vault auth config",
            Self::VaultIdentity => "vault identity",
            Self::VaultNamespaces => "vault namespaces",
        }
    }

    /// Whether this is a source of the optional tier that is not asked for: Secrets by their metadata. That is the operator's choice and
    /// no fault of the cluster; what rests on it alone stays unknown, and does not speak for its wall.
    pub fn not_asked(self, snapshot: &Snapshot) -> bool {
        matches!(self, Self::Objects(kind) if is_optional_tier(kind) && *snapshot.source(kind) == SourceState::Off)
    }

    /// Why nothing may be concluded from this source now; none when it is seen clearly. Cleaned, with times as points in time, so that
    /// the words stay the same while the state does.
    pub fn blind(self, snapshot: &Snapshot) -> Option<String> {
        match self {
            Self::Objects(_) if self.not_asked(snapshot) => Some("not asked for: allow it with --secret-metadata".to_owned()),
            Self::Objects(kind) => blind(snapshot.source(kind)),
            Self::Vault => vault(snapshot),
            Self::VaultRoles => vault(snapshot).or_else(|| roles(snapshot)),
            Self::VaultPolicies => vault(snapshot).or_else(|| blind(&snapshot.vault.policies.state)),
            Self::VaultMounts => vault(snapshot).or_else(|| blind(&snapshot.vault.secret_mounts.state)),
            Self::VaultConfig => vault(snapshot).or_else(|| config(snapshot)),
            Self::VaultIdentity => vault(snapshot).or_else(|| identity(snapshot)),
            Self::VaultNamespaces => vault(snapshot).or_else(|| blind(&snapshot.vault.namespaces.state)),
        }
    }
}

/// Whether objects of this kind are only asked for where that is allowed explicitly.
fn is_optional_tier(kind: Kind) -> bool {
    kind.info().is_some_and(|info| info.metadata_of_type.is_some())
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

fn config(snapshot: &Snapshot) -> Option<String> {
    let config = &snapshot.vault.kubernetes_config;
    let hidden = || config.unreadable.iter().next().map(|(mount, why)| format!("config of {}: {}", clean(mount), clean(why)));
    blind(&config.state).or_else(hidden)
}

/// Entities and groups, and each one of them: any that is hidden may add to what a login gets.
fn identity(snapshot: &Snapshot) -> Option<String> {
    let vault = &snapshot.vault;
    let parts =
        [("entities", &vault.entities.state, &vault.entities.unreadable), ("groups", &vault.groups.state, &vault.groups.unreadable)];
    parts.into_iter().find_map(|(what, state, unreadable)| {
        let hidden = || unreadable.values().next().map(|why| format!("{} of them: {}", unreadable.len(), clean(why)));
        blind(state).or_else(hidden).map(|why| format!("{what} {why}"))
    })
}

fn roles(snapshot: &Snapshot) -> Option<String> {
    let vault = &snapshot.vault;
    if vault.kubernetes.is_empty() {
        return (vault.auth_mounts.state.sight() != Sight::Clear).then(|| format!("auth mounts {}", words(&vault.auth_mounts.state)));
    }
    let unseen = vault.kubernetes.iter().find(|(_, part)| part.state.sight() != Sight::Clear)?;
    Some(format!("roles of {} {}", clean(unseen.0), words(&unseen.1.state)))
}
