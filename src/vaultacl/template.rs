//! Templates in patterns: `{{identity...}}` filled in for whoever logged in (`spec/vault.md` 1.7).

use std::collections::BTreeMap;

use crate::model::ids::Name;
use crate::model::time::Time;
use crate::model::vault::PolicyFlags;

use super::dialect::Dialect;

mod duration;

/// Who logged in, as templates see it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// The entity, where it is known; with an empty id and name where it is known to be made only at the first login. None where the identity
    /// store can't be read: then nothing is said of what rests on it.
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
    /// Further metadata is whatever the ServiceAccount's annotations say: `use_annotations_as_alias_metadata` of the auth mount.
    pub annotated: bool,
    /// Metadata that is set to something we don't know.
    pub unseen: Box<[Name]>,
}

/// What templates may ask of a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupValues {
    /// Its name.
    pub name: Name,
    /// `.metadata.*`.
    pub metadata: BTreeMap<Name, Name>,
}

/// What became of a pattern. The words of all but the first say why and hold names as written: clean them before they are shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filled {
    /// The pattern with its templates filled in.
    Is(String),
    /// The block disappears: a value is missing.
    Gone(String),
    /// A value is one that the server does not take: it can't build the ACL at all, and every request of the token fails.
    Refused(String),
    /// What it becomes is not known before the first login, or rests on what we can't see.
    Unknown(String),
    /// What it becomes is chosen by whoever may annotate the ServiceAccount.
    Chosen(String),
}

/// Why a template has no value.
enum Missing {
    Gone(String),
    Refused(String),
    Unknown(String),
    Chosen(String),
}

impl Missing {
    fn gone(template: &str) -> Self {
        Self::Gone(format!("{{{{{template}}}}} has no value"))
    }

    fn unknown(template: &str) -> Self {
        Self::Unknown(format!("{{{{{template}}}}} is not known"))
    }
}

/// Fills the templates of a pattern in. Blanks inside the braces don't count; a pattern with unbalanced braces disappears, as one does of which a
/// single value is missing. O(length of the pattern × log of the identity's keys).
pub fn fill(pattern: &str, identity: &Identity, flags: PolicyFlags, dialect: Dialect, now: Time) -> Filled {
    let mut pieces = pattern.split("{{");
    let first = pieces.next().unwrap_or_default();
    let unbalanced = || Filled::Gone("unbalanced braces".to_owned());
    if first.contains("}}") {
        return unbalanced();
    }
    let mut filled = first.to_owned();
    // A value that is certainly missing takes the block away whatever one before it would become.
    let mut open = None;
    for piece in pieces {
        let mut halves = piece.split("}}");
        let (Some(template), Some(after), None) = (halves.next(), halves.next(), halves.next()) else { return unbalanced() };
        let template = template.trim();
        match value(template, identity, now).and_then(|value| taken(template, value, flags, dialect)) {
            Ok(value) => filled.push_str(&value),
            Err(Missing::Gone(why)) => return Filled::Gone(why),
            Err(Missing::Refused(why)) => return open.unwrap_or(Filled::Refused(why)),
            Err(Missing::Unknown(why)) => _ = open.get_or_insert(Filled::Unknown(why)),
            Err(Missing::Chosen(why)) => open = Some(Filled::Chosen(why)),
        }
        filled.push_str(after);
    }
    open.unwrap_or(Filled::Is(filled))
}

/// Whether the server takes a value: newer ones refuse what would act as a pattern or add a level to the path.
fn taken(template: &str, value: String, flags: PolicyFlags, dialect: Dialect) -> Result<String, Missing> {
    let wildcards = match dialect {
        Dialect::OpenBao26 => flags.wildcards,
        Dialect::Vault20 => false,
        _ => true,
    };
    let slashes = dialect != Dialect::OpenBao26 || flags.slashes;
    if !wildcards && value.contains(['*', '+']) {
        return Err(Missing::Refused(format!("the value of {{{{{template}}}}} holds `*` or `+`")));
    }
    if !slashes && value.contains('/') {
        return Err(Missing::Refused(format!("the value of {{{{{template}}}}} holds a slash")));
    }
    Ok(value)
}

fn value(template: &str, identity: &Identity, now: Time) -> Result<String, Missing> {
    if let Some(rest) = template.strip_prefix("identity.entity.aliases.") {
        return of_alias(template, rest, identity);
    }
    if let Some(rest) = template.strip_prefix("identity.entity.") {
        return of_entity(template, rest, identity);
    }
    if let Some(rest) = template.strip_prefix("identity.groups.") {
        return of_group(template, rest, identity);
    }
    match template.strip_prefix("time.") {
        Some(rest) => of_time(rest, now).ok_or_else(|| Missing::gone(template)),
        None => Err(Missing::gone(template)),
    }
}

/// A name or id: an empty one counts as not known yet, since none that exists is empty.
fn told(template: &str, value: &Name) -> Result<String, Missing> {
    if value.is_empty() { Err(Missing::unknown(template)) } else { Ok(value.to_string()) }
}

fn of_entity(template: &str, rest: &str, identity: &Identity) -> Result<String, Missing> {
    let names_one = matches!(rest, "id" | "name") || rest.starts_with("metadata.");
    let Some(entity) = identity.entity.as_ref() else {
        return Err(if names_one { Missing::unknown(template) } else { Missing::gone(template) });
    };
    match (rest, rest.strip_prefix("metadata.")) {
        ("id", _) => told(template, &entity.id),
        ("name", _) => told(template, &entity.name),
        (_, Some(key)) => entity.metadata.get(key).map(ToString::to_string).ok_or_else(|| Missing::gone(template)),
        _ => Err(Missing::gone(template)),
    }
}

fn of_alias(template: &str, rest: &str, identity: &Identity) -> Result<String, Missing> {
    let (accessor, field) = rest.split_once('.').ok_or_else(|| Missing::gone(template))?;
    let absent = || if identity.entity.is_some() { Missing::gone(template) } else { Missing::unknown(template) };
    let alias = identity.aliases.get(accessor).ok_or_else(absent)?;
    if let Some(key) = field.strip_prefix("metadata.") {
        if alias.unseen.iter().any(|unseen| &**unseen == key) {
            return Err(Missing::unknown(template));
        }
        let unset = || {
            if alias.annotated {
                Missing::Chosen(format!("{{{{{template}}}}} is an annotation of the ServiceAccount"))
            } else {
                Missing::gone(template)
            }
        };
        return alias.metadata.get(key).map(ToString::to_string).ok_or_else(unset);
    }
    match (field, field.strip_prefix("custom_metadata.")) {
        ("id", _) => told(template, &alias.id),
        ("name", _) => told(template, &alias.name),
        (_, Some(key)) => alias.custom.get(key).map(ToString::to_string).ok_or_else(absent),
        _ => Err(Missing::gone(template)),
    }
}

/// Of a group only members have values. A name with a dot in it can't be asked for: the servers cut at the first.
fn of_group(template: &str, rest: &str, identity: &Identity) -> Result<String, Missing> {
    let mut parts = rest.splitn(3, '.');
    let (Some(by), Some(which), Some(field)) = (parts.next(), parts.next(), parts.next()) else { return Err(Missing::gone(template)) };
    let found = match by {
        "ids" => identity.groups.get_key_value(which),
        "names" => identity.groups.iter().find(|(_, group)| &*group.name == which),
        _ => return Err(Missing::gone(template)),
    };
    let Some((id, group)) = found else {
        return Err(if identity.entity.is_some() { Missing::gone(template) } else { Missing::unknown(template) });
    };
    match (field, field.strip_prefix("metadata.")) {
        ("id", _) => Ok(id.to_string()),
        ("name", _) if !group.name.is_empty() => Ok(group.name.to_string()),
        (_, Some(key)) => group.metadata.get(key).map(ToString::to_string).ok_or_else(|| Missing::gone(template)),
        _ => Err(Missing::gone(template)),
    }
}

/// Seconds since 1970 of `now`, `now.plus.<duration>` or `now.minus.<duration>`.
fn of_time(rest: &str, now: Time) -> Option<String> {
    let mut parts = rest.splitn(3, '.');
    if parts.next() != Some("now") {
        return None;
    }
    let nanoseconds = match (parts.next(), parts.next()) {
        (None, None) => 0,
        (Some("plus"), Some(text)) => duration::parse(text)?,
        (Some("minus"), Some(text)) => duration::parse(text)?.checked_neg()?,
        _ => return None,
    };
    let at = i128::from(now.0).checked_mul(1_000_000)?.checked_add(i128::from(nanoseconds))?;
    Some(at.div_euclid(1_000_000_000).to_string())
}

#[cfg(test)]
mod tests;
