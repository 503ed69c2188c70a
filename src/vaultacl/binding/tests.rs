use super::*;
use crate::model::time::Time;
use crate::model::vault::{AliasFact, PolicyFlags};
use crate::vaultacl::dialect::Dialect;
use crate::vaultacl::template::{Filled, fill};

fn names(words: &str) -> Box<[Name]> {
    words.split_whitespace().map(Into::into).collect()
}

fn role(accounts: &str, namespaces: &str, selector: &str) -> VaultRole {
    VaultRole {
        service_accounts: names(accounts),
        namespaces: names(namespaces),
        namespace_selector: selector.into(),
        ..VaultRole::default()
    }
}

fn labels(pairs: &[(&str, &str)]) -> LabelSet {
    LabelSet::new(pairs.iter().map(|(key, value)| ((*key).into(), (*value).into())))
}

#[test]
fn globs() {
    for (pattern, text, expected) in [
        ("*", "", true),
        ("*", "x", true),
        ("a*", "abc", true),
        ("*c", "abc", true),
        ("a*c", "abc", true),
        ("a*b*c", "a-b-c", true),
        ("a*a", "a", false),
        ("**", "x", true),
        ("a**c", "abc", true),
        ("*b*", "abc", true),
        ("abc", "abc", true),
        ("abc", "abcd", false),
        ("Abc", "abc", false),
        ("", "", true),
        ("", "x", false),
    ] {
        assert_eq!(glob(pattern, text), expected, "{pattern} {text}");
    }
}

#[test]
fn bindings() {
    let acme = labels(&[("tenant", "acme")]);
    let wanted = r#"{"matchLabels":{"tenant":"acme"}}"#;
    for (accounts, namespaces, selector, asked, expected) in [
        ("app", "acme", "", ("acme", "app"), Some(true)),
        ("app", "acme", "", ("acme", "other"), Some(false)),
        ("app", "acme", "", ("acme-corp", "app"), Some(false)),
        ("*", "acme*", "", ("acme-corp", "any"), Some(true)),
        ("app-*", "*", "", ("other", "app-1"), Some(true)),
        ("* app", "* acme", "", ("other", "any"), Some(true)),
        ("acme-* x", "a *-b", "", ("c-b", "x"), Some(true)),
        ("app", "", "", ("acme", "app"), Some(false)),
        ("", "acme", "", ("acme", "app"), Some(false)),
        // Either is enough.
        ("app", "", wanted, ("acme", "app"), Some(true)),
        ("app", "other", wanted, ("acme", "app"), Some(true)),
        ("app", "acme", r#"{"matchLabels":{"tenant":"x"}}"#, ("acme", "app"), Some(true)),
        ("app", "other", r#"{"matchLabels":{"tenant":"x"}}"#, ("acme", "app"), Some(false)),
        ("app", "", "matchLabels:\n  tenant: acme\n", ("acme", "app"), Some(true)),
        ("app", "", "matchLabels:\n  tenant: acme\n  more: x\n", ("acme", "app"), Some(false)),
        ("app", "", "{}", ("acme", "app"), Some(true)),
        ("app", "", "matchLabels: {}", ("acme", "app"), Some(true)),
        // What the servers refuse, or what we can't judge.
        ("app", "", r#"{"matchExpressions":[{"key":"a","operator":"Exists"}]}"#, ("acme", "app"), None),
        ("app", "", r#"{"matchExpressions":null,"matchLabels":{"tenant":"acme"}}"#, ("acme", "app"), Some(true)),
        ("app", "", "matchExpressions: []", ("acme", "app"), None),
        // Read leniently: a mistake may admit everybody.
        ("app", "", r#"{"unknown":1}"#, ("acme", "app"), Some(true)),
        ("app", "", "tenant: other", ("acme", "app"), Some(true)),
        ("app", "", "null", ("acme", "app"), Some(true)),
        ("app", "", "# nothing\n", ("acme", "app"), Some(true)),
        ("app", "", r#"{"matchLabels":null}"#, ("acme", "app"), Some(true)),
        ("app", "", r#"{"matchlabels":{"tenant":"x"}}"#, ("acme", "app"), Some(false)),
        ("app", "", r#"{"MATCHLABELS":{"tenant":"acme"},"other":[1]}"#, ("acme", "app"), Some(true)),
        ("app", "", r#"{"matchLabels":{"tenant":null}}"#, ("acme", "app"), Some(false)),
        ("app", "", "---\nmatchLabels: {tenant: acme}\n", ("acme", "app"), Some(true)),
        ("app", "", "matchLabels: {tenant: x}\n---\nmatchLabels: {tenant: acme}\n", ("acme", "app"), Some(false)),
        ("app", "", r#"{"matchLabels":{"tenant":"x"}} {"matchLabels":{"tenant":"acme"}}"#, ("acme", "app"), Some(false)),
        ("app", "", "matchLabels:\n  tenant: x\n  tenant: acme\n", ("acme", "app"), Some(true)),
        ("app", "", "matchLabels: {a: b}\nmatchLabels: {tenant: acme}\n", ("acme", "app"), Some(true)),
        ("app", "", "matchLabels: &a {tenant: acme}\n", ("acme", "app"), Some(true)),
        ("app", "", "matchLabels: {tenant: 1}", ("acme", "app"), Some(false)),
        ("app", "", r#"{"matchLabels":{"tenant":1}}"#, ("acme", "app"), None),
        ("app", "", r#"{"matchLabels":["tenant"]}"#, ("acme", "app"), None),
        ("app", "", "[]", ("acme", "app"), None),
        ("app", "", "team", ("acme", "app"), None),
        ("app", "", " ", ("acme", "app"), None),
        ("app", "", "{{", ("acme", "app"), None),
        ("app", "acme", "{{", ("acme", "app"), Some(true)),
        ("app", "", "{{", ("acme", "other"), Some(false)),
    ] {
        let role = role(accounts, namespaces, selector);
        assert_eq!(admits(&role, asked.0, Some(&acme), asked.1), expected, "{accounts} {namespaces} {selector} {asked:?}");
    }
    assert_eq!(admits_namespace(&role("app", "", wanted), "acme", None), None, "labels unseen");
    assert_eq!(admits_namespace(&role("app", "", "{}"), "acme", None), Some(true));
    assert!(!Binding::of(&role("a", "b", wanted)).is_literal() && !Binding::of(&role("a", "b*", "")).is_literal());
    assert!(Binding::of(&role("a*", "b", "")).is_literal());
}

#[test]
fn names_that_can_be_made() {
    let role = role("app App a_b *-x -a a- a.b *", "n", "");
    assert_eq!(Binding::of(&role).possible_accounts().map(AsRef::as_ref).collect::<Vec<&str>>(), ["app", "*-x", "a.b", "*"]);
    assert!(may_log_in(&role) && !may_log_in(&VaultRole { policies: names("a Root"), ..role }));
}

#[test]
fn whom_the_server_takes_one_for() {
    let by_uid = role("app", "acme", "");
    let by_name = VaultRole { alias_by_name: true, ..by_uid.clone() };
    let accessor = Name::from("auth_kubernetes_1");
    let of = |role, uid, entity, groups: &_, seen| identity(&accessor, alias(role, "acme", "app", uid, false), entity, groups, seen);
    let filled = |identity: &Identity, field: &str| {
        fill(&format!("{{{{identity.{field}}}}}"), identity, PolicyFlags::default(), Dialect::Vault121, Time(0))
    };
    let mine = |field: &str| format!("entity.aliases.auth_kubernetes_1.{field}");
    let fresh = of(&by_uid, Some("u1"), None, &BTreeMap::new(), true);
    for (field, expected) in [
        ("name", "u1"),
        ("metadata.service_account_name", "app"),
        ("metadata.service_account_namespace", "acme"),
        ("metadata.service_account_uid", "u1"),
        ("metadata.service_account_secret_name", ""),
    ] {
        assert_eq!(filled(&fresh, &mine(field)), Filled::Is(expected.into()), "{field}");
    }
    assert!(matches!(filled(&fresh, &mine("id")), Filled::Unknown(_)));
    assert!(matches!(filled(&fresh, "entity.metadata.x"), Filled::Gone(_)));
    assert_eq!(filled(&of(&by_name, None, None, &BTreeMap::new(), true), &mine("name")), Filled::Is("acme/app".into()));
    let maker = of(&by_uid, None, None, &BTreeMap::new(), true);
    for field in ["name", "metadata.service_account_uid"] {
        assert!(matches!(filled(&maker, &mine(field)), Filled::Unknown(_)), "{field}");
    }
    let unseen = of(&by_uid, Some("u1"), None, &BTreeMap::new(), false);
    assert!(matches!(filled(&unseen, "entity.metadata.x"), Filled::Unknown(_)));
}

#[test]
fn entities_and_their_groups() {
    let alias_of = |accessor: &str, name: &str| AliasFact { accessor: accessor.into(), name: name.into(), ..AliasFact::default() };
    let entity = EntityFact {
        name: "e".into(),
        aliases: [alias_of("m1", "u1"), alias_of("m2", "bob")].into(),
        groups: names("g1"),
        ..EntityFact::default()
    };
    let group = |name: &str, members: &str, parents: &str| GroupFact {
        name: name.into(),
        entities: names(members),
        parents: names(parents),
        ..GroupFact::default()
    };
    let mut vault = VaultFacts::default();
    vault.entities.items = std::sync::Arc::new([("e1".into(), entity)].into());
    vault.groups.items = std::sync::Arc::new(
        [
            ("g1".into(), group("one", "", "g2")),
            ("g2".into(), group("two", "", "g1")),
            ("g3".into(), group("three", "e1", "")),
            ("g4".into(), group("four", "e2", "")),
        ]
        .into(),
    );
    let (id, found) = entity_of(&vault, "m1", "u1").unwrap();
    assert!(entity_of(&vault, "m2", "u1").is_none());
    let groups = groups_of(&vault, id, found);
    assert_eq!(groups.values().map(|fact| &*fact.name).collect::<Vec<_>>(), ["one", "two", "three"]);
    let identity = identity(&"m1".into(), AliasValues { name: "u1".into(), ..AliasValues::default() }, Some((id, found)), &groups, true);
    let filled = |text: &str| fill(text, &identity, PolicyFlags::default(), Dialect::Vault121, Time(0));
    assert_eq!(
        filled("{{identity.entity.aliases.m2.name}}/{{identity.groups.names.two.id}}/{{identity.entity.id}}"),
        Filled::Is("bob/g2/e1".into())
    );
}
