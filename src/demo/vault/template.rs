//! What a template in a pattern becomes for one token. OpenBao 2.6: a block whose template has no value, or a dangerous one, is not there.

use super::identity::{Entity, Identities};

/// Which dangerous characters a policy lets into its patterns.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Lets {
    pub(crate) slashes: bool,
    pub(crate) wildcards: bool,
}

/// The pattern with its templates filled in; none where the block is dropped.
pub(crate) fn fill(pattern: &str, entity: Option<(&str, &Entity)>, known: &Identities, lets: Lets) -> Option<String> {
    let (mut filled, mut rest) = (String::new(), pattern);
    while let Some((before, after)) = rest.split_once("{{") {
        let (inside, behind) = after.split_once("}}")?;
        let value = value(inside.trim(), entity?, known)?;
        if (value.contains('/') && !lets.slashes) || (value.contains(['*', '+']) && !lets.wildcards) {
            return None;
        }
        filled.push_str(before);
        filled.push_str(&value);
        rest = behind;
    }
    filled.push_str(rest);
    Some(filled)
}

fn value(what: &str, (id, entity): (&str, &Entity), known: &Identities) -> Option<String> {
    let full = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let parts: Vec<&str> = what.split('.').collect();
    match parts.as_slice() {
        ["identity", "entity", "id"] => full(id),
        ["identity", "entity", "name"] => full(&entity.name),
        ["identity", "entity", "metadata", ..] => entity.metadata.get(&rest(&parts, 3)).cloned(),
        ["identity", "entity", "aliases", accessor, what @ ..] => {
            let alias = entity.aliases.iter().find(|alias| alias.accessor == *accessor)?;
            match what {
                ["id"] => full(&alias.id),
                ["name"] => full(&alias.name),
                ["metadata", ..] => alias.metadata.get(&rest(&parts, 5)).cloned(),
                ["custom_metadata", ..] => alias.custom.get(&rest(&parts, 5)).cloned(),
                _ => None,
            }
        }
        ["identity", "groups", "ids", group, what] => {
            let member = known.groups_of(id);
            let mine = member.0.contains(*group) || member.1.contains(*group);
            let found = known.groups.get(*group).filter(|_| mine)?;
            match *what {
                "id" => full(group),
                "name" => full(&found.name),
                _ => None,
            }
        }
        _ => None,
    }
}

fn rest(parts: &[&str], from: usize) -> String {
    parts.iter().skip(from).copied().collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::vault::identity::Alias;

    #[test]
    fn values_come_from_the_login_and_dangerous_ones_drop_the_block() {
        let alias = Alias {
            accessor: "acc".into(),
            name: "ns/app".into(),
            metadata: [("service_account_namespace".to_owned(), "acme".to_owned()), ("empty".to_owned(), String::new())].into(),
            ..Alias::default()
        };
        let entity = Entity { name: "e".into(), aliases: vec![alias], ..Entity::default() };
        let known = Identities::default();
        let filled = |pattern: &str, lets| fill(pattern, Some(("id", &entity)), &known, lets);
        let safe = Lets::default();
        for (pattern, expected) in [
            ("plain/*", Some("plain/*")),
            ("s/{{identity.entity.aliases.acc.metadata.service_account_namespace}}/*", Some("s/acme/*")),
            ("s/{{ identity.entity.name }}", Some("s/e")),
            ("s/{{identity.entity.aliases.acc.metadata.empty}}/x", Some("s//x")),
            ("s/{{identity.entity.aliases.acc.metadata.none}}", None),
            ("s/{{identity.entity.aliases.other.name}}", None),
            ("s/{{identity.entity.aliases.acc.name}}", None),
            ("s/{{nonsense}}", None),
        ] {
            assert_eq!(filled(pattern, safe).as_deref(), expected, "{pattern}");
        }
        let let_slashes = Lets { slashes: true, wildcards: false };
        assert_eq!(filled("s/{{identity.entity.aliases.acc.name}}", let_slashes).as_deref(), Some("s/ns/app"));
        assert_eq!(fill("s/{{identity.entity.id}}", None, &known, safe), None, "a token without an entity");
    }
}
