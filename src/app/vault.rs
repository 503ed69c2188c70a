//! The Vault screen beside its rows: what is counted once for all, how a tenant stands, and what is asked about a path.

pub mod answer;
pub mod path;
pub mod tally;

use std::sync::Arc;

use super::list::Row;
use super::role::Role;
use super::state::{Screen, State};
use super::symbols::Symbols;
use super::words;
use crate::model::ids::TenantId;
use crate::model::time::Time;
use crate::posture::verdict::Verdict;
use crate::vaultacl::dialect::Dialect;
use crate::vaultacl::kv::Harm;
use crate::vaultacl::reach::{Grant, OwnCover, TenantReach};
use tally::{Count, Tally};

/// What the Vault screen keeps.
#[derive(Clone, Debug, Default)]
pub struct Walls {
    /// What was counted when the reach came.
    pub tally: Tally,
    /// The path asked about last, as typed: it is there again when the question is opened again.
    pub asked: String,
}

/// How a tenant stands in Vault by what is declared, and by what was tried where that counts. The order is that of alarm, worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stance {
    /// It could give itself more than it has.
    Escalates,
    /// It can read others' values.
    Value,
    /// It can change what others have.
    Tamper,
    /// It can learn names or metadata of what others have.
    Structure,
    /// It could do one of these with a ServiceAccount that it would have to make first.
    Made,
    /// Something that may add to its reach could not be seen.
    Unsure,
    /// Nobody else's paths are within its reach, by declaration.
    Apart,
    /// The same, and a trial showed it, with a receipt that counts.
    Proved,
    /// No role admits it: nothing is within its reach.
    Outside,
}

/// All of them, worst first.
pub const STANCES: [Stance; 9] = [
    Stance::Escalates,
    Stance::Value,
    Stance::Tamper,
    Stance::Structure,
    Stance::Made,
    Stance::Unsure,
    Stance::Apart,
    Stance::Proved,
    Stance::Outside,
];

impl Stance {
    /// By what is declared alone.
    pub fn declared(reach: &TenantReach) -> Self {
        let exists = |grant: &Grant| reach.logins.get(grant.login).is_none_or(|login| login.who.exists());
        let worst = reach.crossings.iter().filter(|crossing| exists(&crossing.grant)).map(|crossing| crossing.harm).min();
        match worst {
            _ if reach.escalations.iter().any(exists) => Self::Escalates,
            Some(Harm::Value) => Self::Value,
            Some(Harm::Tamper) => Self::Tamper,
            Some(Harm::Structure) => Self::Structure,
            // a list above its own shows the names of others' folders
            None if reach.ancestors.iter().any(exists) => Self::Structure,
            None if !(reach.crossings.is_empty() && reach.escalations.is_empty() && reach.ancestors.is_empty()) => Self::Made,
            None if reach.doubts.iter().any(|doubt| doubt.may_add) => Self::Unsure,
            None if reach.logins.is_empty() => Self::Outside,
            None => Self::Apart,
        }
    }

    /// Its sign, one column wide.
    pub const fn sign(self, symbols: &Symbols) -> &'static str {
        let [_, every, some, today, unsure, declared, proved, own] = symbols.shades;
        match self {
            Self::Escalates => symbols.over,
            Self::Value => every,
            Self::Tamper => some,
            Self::Structure => today,
            Self::Made => symbols.down,
            Self::Unsure => unsure,
            Self::Apart => declared,
            Self::Proved => proved,
            Self::Outside => own,
        }
    }

    /// The role it is drawn in. Declarations alone are never green.
    pub const fn role(self) -> Role {
        match self {
            Self::Escalates | Self::Value => Role::Breached,
            Self::Tamper => Role::SevHigh,
            Self::Structure | Self::Made => Role::Degraded,
            Self::Unsure => Role::Unknown,
            Self::Apart => Role::Unproven,
            Self::Proved => Role::Holds,
            Self::Outside => Role::Na,
        }
    }

    /// One or two words.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Escalates => "can escalate",
            Self::Value => "reads others",
            Self::Tamper => "tampers",
            Self::Structure => "sees names",
            Self::Made => "if it makes one",
            Self::Unsure => "unsure",
            Self::Apart => "declared apart",
            Self::Proved => "proved apart",
            Self::Outside => "no login",
        }
    }

    /// One word, for a narrow line.
    pub const fn short(self) -> &'static str {
        match self {
            Self::Escalates => "escalate",
            Self::Value => "read",
            Self::Tamper => "tamper",
            Self::Structure => "names",
            Self::Made => "made",
            Self::Unsure => "unsure",
            Self::Apart => "apart",
            Self::Proved => "proved",
            Self::Outside => "out",
        }
    }

    /// What it means.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Escalates => "could give itself more: policies, roles, identity or mounts are writable",
            Self::Value => "can read values of other tenants",
            Self::Tamper => "can change, delete or destroy what other tenants have",
            Self::Structure => "can learn names or metadata of what other tenants have",
            Self::Made => "could do one of these with a ServiceAccount that it would have to make first",
            Self::Unsure => "nothing found, but something that may add to it can't be seen",
            Self::Apart => "reaches nobody else's paths, by declaration alone",
            Self::Proved => "reaches nobody else's paths, and was refused when tried",
            Self::Outside => "no role admits any of its ServiceAccounts",
        }
    }

    /// Whether it is something to be mended.
    pub const fn fails(self) -> bool {
        matches!(self, Self::Escalates | Self::Value | Self::Tamper | Self::Structure | Self::Made)
    }
}

/// The harms, worst first, with their column's title, short and long.
pub const HARMS: [(Harm, [&str; 2]); 3] =
    [(Harm::Value, ["VAL", "VALUE"]), (Harm::Tamper, ["TAM", "TAMPER"]), (Harm::Structure, ["STR", "STRUCT"])];

/// How a tenant's own paths are covered, for a column and as a sentence.
pub fn cover(own: &OwnCover) -> (&'static str, Role, &'static str) {
    match own {
        OwnCover::NoRoot => ("-", Role::Na, "no place of its own is known"),
        OwnCover::NoRole => ("no role", Role::Degraded, "no role admits any of its ServiceAccounts"),
        OwnCover::Covered => ("whole", Role::Text, "it can read the path itself and what is below"),
        OwnCover::ExactOnly(_) => ("exact", Role::Degraded, "it can read the path itself, not what is below: an exact rule"),
        OwnCover::BelowOnly(_) => ("below", Role::Degraded, "it can read what is below, not the path itself: a prefix with a slash"),
        OwnCover::Nothing(_) => ("nothing", Role::Degraded, "it can't read its own path"),
    }
}

/// The tenant under the cursor.
pub fn selected(state: &State) -> Option<&TenantId> {
    match &state.page_of(Screen::Vault).list.selected {
        Some(Row::Tenant(tenant)) => Some(tenant),
        _ => None,
    }
}

/// What a tenant can reach. O(log tenants).
pub fn reach<'a>(state: &'a State, tenant: &str) -> Option<&'a Arc<TenantReach>> {
    state.view.assessment.secrets.by_tenant.get(tenant)
}

/// What was counted for a tenant. O(log tenants).
pub fn count<'a>(state: &'a State, tenant: &str) -> Option<&'a Count> {
    state.walls.tally.of(tenant)
}

/// How a tenant stands: proved only where the check of its policies holds. O(log tenants + checks).
pub fn stance(state: &State, tenant: &str) -> Stance {
    let declared = count(state, tenant).map_or(Stance::Unsure, |count| count.stance);
    let holds = || {
        let checks = state.assessed(tenant).map(|assessed| assessed.checks.as_slice()).unwrap_or_default();
        checks.iter().any(|result| result.check.id == "SEC-05" && result.verdict == Verdict::Holds)
    };
    if declared == Stance::Apart && holds() { Stance::Proved } else { declared }
}

/// Why nothing here may be relied on, and since when; none where it may.
pub fn blind(state: &State) -> Option<(String, Option<Time>)> {
    let vault = &state.view.snapshot.vault;
    let standing = words::vault(vault);
    let unread = !matches!(standing.role, Role::Live) && !vault.server.standby;
    if !(standing.old || unread) {
        return None;
    }
    let why = if standing.why.is_empty() { String::new() } else { format!(": {}", standing.why) };
    Some((format!("Vault {}{why}", standing.word), standing.since))
}

/// Whose rules apply, and what the server itself is where that differs: the rules were chosen by hand then.
pub fn dialects(state: &State) -> (Dialect, Option<Dialect>) {
    let used = state.view.assessment.secrets.dialect;
    let own = Dialect::of(&state.view.snapshot.vault.server);
    (used, own.filter(|own| *own != used))
}
