//! 1.7: templates, and the traps they are.

use std::collections::BTreeMap;

use partywall::model::ids::Name;
use partywall::model::vault::PolicyFlags;
use partywall::vaultacl::capability::Operation::Read;
use partywall::vaultacl::dialect::Dialect::{self, OpenBao26, Vault121};
use partywall::vaultacl::template::{AliasValues, EntityValues, GroupValues, Identity};

use crate::both::Both;

fn names(pairs: &[(&str, &str)]) -> BTreeMap<Name, Name> {
    pairs.iter().map(|(key, value)| (Name::from(*key), Name::from(*value))).collect()
}

/// A ServiceAccount's login whose entity is known.
fn acme() -> Identity {
    let alias = AliasValues {
        id: "alias-1".into(),
        name: "tenant-acme/app".into(),
        metadata: names(&[
            ("service_account_name", "app"),
            ("service_account_namespace", "tenant-acme"),
            ("service_account_uid", "u-1"),
            ("service_account_secret_name", ""),
        ]),
        custom: names(&[("k", "v")]),
        ..AliasValues::default()
    };
    let entity = EntityValues { id: "entity-1".into(), name: "e".into(), metadata: names(&[("team", "a*"), ("empty", "")]) };
    let group = GroupValues { name: "g".into(), metadata: names(&[("x", "y")]) };
    Identity {
        entity: Some(entity),
        aliases: BTreeMap::from([(Name::from("acc"), alias)]),
        groups: BTreeMap::from([(Name::from("group-1"), group)]),
    }
}

fn read(pattern: &str, who: &Identity, flags: PolicyFlags, dialect: Dialect, path: &str) -> bool {
    let text = format!("path \"{pattern}\" {{ capabilities = [\"read\"] }}\npath \"control\" {{ capabilities = [\"read\"] }}");
    Both::of_person(&[&text], who, flags, dialect).allowed(Read, path)
}

const NAMESPACE: &str = "{{identity.entity.aliases.acc.metadata.service_account_namespace}}";

#[test]
fn templates_become_paths() {
    let rows: &[(&str, &str, bool)] = &[
        ("s/{{identity.entity.id}}", "s/entity-1", true),
        ("s/{{ identity.entity.name }}", "s/e", true),
        ("s/{{identity.entity.metadata.empty}}", "s/", true),
        ("s/{{identity.entity.metadata.none}}", "s/", false),
        ("s/{{identity.entity.aliases.acc.id}}", "s/alias-1", true),
        ("s/{{identity.entity.aliases.acc.custom_metadata.k}}", "s/v", true),
        ("s/{{identity.entity.aliases.other.id}}", "s/alias-1", false),
        ("s/{{identity.groups.names.g.id}}", "s/group-1", true),
        ("s/{{identity.groups.ids.group-1.name}}", "s/g", true),
        ("s/{{identity.groups.ids.group-1.metadata.x}}", "s/y", true),
        ("s/{{identity.groups.names.other.id}}", "s/group-1", false),
        ("s/{{identity.entity.aliases.acc.metadata.service_account_namespace}}/*", "s/tenant-acme/db", true),
        ("s/{{identity.entity.aliases.acc.metadata.service_account_namespace}}/*", "s/tenant-acme-corp/db", false),
        // the traps: no slash before the star; a value that may be empty
        ("s/{{identity.entity.aliases.acc.metadata.service_account_namespace}}*", "s/tenant-acme-corp/db", true),
        ("s/{{identity.entity.aliases.acc.metadata.service_account_secret_name}}*", "s/tenant-globex/db", true),
        ("s/{{identity.entity.aliases.acc.metadata.service_account_secret_name}}/*", "s//db", true),
        ("s/{{identity.foo}}", "s/", false),
        ("s/{{}}", "s/", false),
        ("/{{identity.entity.name}}", "e", true),
        ("/{{identity.entity.metadata.empty}}/+", "x", false),
    ];
    for dialect in [OpenBao26, Vault121] {
        for (pattern, path, allowed) in rows {
            assert_eq!(read(pattern, &acme(), PolicyFlags::default(), dialect, path), *allowed, "{pattern} {path} in {}", dialect.word());
            assert!(read(pattern, &acme(), PolicyFlags::default(), dialect, "control"), "the other blocks stay: {pattern}");
        }
    }
}

/// OpenBao refuses every request of such a token; Vault 1.21.0 takes the value as it is.
#[test]
fn values_that_change_what_a_pattern_means() {
    let (slash, star) = ("s/{{identity.entity.aliases.acc.name}}", "s/{{identity.entity.metadata.team}}");
    let none = PolicyFlags::default();
    for (pattern, path, flags) in
        [(slash, "s/tenant-acme/app", PolicyFlags { slashes: true, ..none }), (star, "s/abc", PolicyFlags { wildcards: true, ..none })]
    {
        assert!(!read(pattern, &acme(), none, OpenBao26, path));
        assert!(!read(pattern, &acme(), none, OpenBao26, "control"), "the token is of no use at all: {pattern}");
        assert!(read(pattern, &acme(), flags, OpenBao26, path));
        assert!(read(pattern, &acme(), flags, OpenBao26, "control"));
        assert!(read(pattern, &acme(), none, Vault121, path));
    }
}

/// Templates are filled in before the servers look at what has expired: found among 12,000 made-up sets.
#[test]
fn a_block_that_has_expired_still_breaks_its_token() {
    let text = "path \"s/{{identity.entity.metadata.team}}\" { capabilities = [\"read\"] expiration = \"2020-01-02T03:04:05Z\" }\n\
        path \"control\" { capabilities = [\"read\"] }";
    let of = |flags| Both::of_person(&[text], &acme(), flags, OpenBao26).allowed(Read, "control");
    assert!(!of(PolicyFlags::default()));
    assert!(of(PolicyFlags { wildcards: true, ..PolicyFlags::default() }));
}

/// For a deny block this is fail-open.
#[test]
fn a_deny_that_is_not_resolved_disappears() {
    let text = format!("path \"s/*\" {{ capabilities = [\"read\"] }}\npath \"s/{NAMESPACE}/*\" {{ capabilities = [\"deny\"] }}");
    let of = |who: &Identity| Both::of_person(&[&text], who, PolicyFlags::default(), OpenBao26);
    assert!(!of(&acme()).allowed(Read, "s/tenant-acme/db"));
    assert!(of(&Identity::default()).allowed(Read, "s/tenant-acme/db"));
}
