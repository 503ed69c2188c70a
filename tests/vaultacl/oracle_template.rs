//! The judge on templates: `spec/vault.md` 1.7.

use partywall::model::vault::PolicyFlags;
use partywall::vaultacl::dialect::Dialect;
use partywall::vaultacl::template::Identity;

/// What became of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Became {
    Is(String),
    /// It disappears, the others stay.
    Gone,
    /// The token is of no use any more: its ACL can't be built. Not in the specification; the servers answer so.
    Breaks,
}

/// The pattern with its values, its leading slash stripped.
pub fn fill(pattern: &str, who: &Identity, flags: PolicyFlags, dialect: Dialect) -> Became {
    let mut out = String::new();
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((inside, behind)) = after.split_once("}}") else { return Became::Gone };
        out += before;
        let Some(value) = value(inside.trim(), who) else { return Became::Gone };
        if !harmless(&value, flags, dialect) {
            return Became::Breaks;
        }
        out += &value;
        rest = behind;
    }
    out += rest;
    if !pattern.contains("{{") {
        return Became::Is(out);
    }
    if out.contains("+*") {
        return Became::Breaks;
    }
    Became::Is(out.strip_prefix('/').unwrap_or(&out).to_owned())
}

/// `/`, `*` and `+` would change what the pattern means: OpenBao cares unless told otherwise, Vault 1.21.0 does not; no Vault 2.0
/// was there to ask.
fn harmless(value: &str, flags: PolicyFlags, dialect: Dialect) -> bool {
    let wild = value.contains(['*', '+']);
    match dialect {
        Dialect::OpenBao26 => (flags.slashes || !value.contains('/')) && (flags.wildcards || !wild),
        _ => true,
    }
}

/// An id or a name that is empty counts as unresolved; metadata that is there may be empty.
fn value(asked: &str, who: &Identity) -> Option<String> {
    let full = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let parts: Vec<&str> = asked.split('.').collect();
    match parts.as_slice() {
        ["identity", "entity", "id"] => full(&who.entity.as_ref()?.id),
        ["identity", "entity", "name"] => full(&who.entity.as_ref()?.name),
        ["identity", "entity", "metadata", key @ ..] => Some(who.entity.as_ref()?.metadata.get(key.join(".").as_str())?.to_string()),
        ["identity", "entity", "aliases", accessor, what, key @ ..] => {
            let alias = who.aliases.get(*accessor)?;
            match *what {
                "id" if key.is_empty() => full(&alias.id),
                "name" if key.is_empty() => full(&alias.name),
                "metadata" if !key.is_empty() => Some(alias.metadata.get(key.join(".").as_str())?.to_string()),
                "custom_metadata" if !key.is_empty() => Some(alias.custom.get(key.join(".").as_str())?.to_string()),
                _ => None,
            }
        }
        ["identity", "groups", by, which, what, key @ ..] => {
            let found = |(id, group): &(&std::sync::Arc<str>, &partywall::vaultacl::template::GroupValues)| match *by {
                "ids" => id.as_ref() == *which,
                "names" => group.name.as_ref() == *which,
                _ => false,
            };
            let (id, group) = who.groups.iter().find(found)?;
            match *what {
                "id" if key.is_empty() => full(id),
                "name" if key.is_empty() => full(&group.name),
                "metadata" if !key.is_empty() => Some(group.metadata.get(key.join(".").as_str())?.to_string()),
                _ => None,
            }
        }
        _ => None,
    }
}
