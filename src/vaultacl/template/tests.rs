use super::*;
use crate::vaultacl::dialect::DIALECTS;

/// 2001-09-09T01:46:40Z.
const NOW: Time = Time(1_000_000_000_000);

fn map(pairs: &[(&str, &str)]) -> BTreeMap<Name, Name> {
    pairs.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect()
}

fn known() -> Identity {
    Identity {
        entity: Some(EntityValues {
            id: "e1".into(),
            name: "acme".into(),
            metadata: map(&[("team", "red"), ("none", ""), ("a.b", "dotted"), ("star", "x*")]),
        }),
        aliases: [(
            "auth_kubernetes_1".into(),
            AliasValues {
                id: "a1".into(),
                name: "tenant/app".into(),
                metadata: map(&[("service_account_namespace", "tenant"), ("service_account_secret_name", "")]),
                custom: map(&[("k", "v")]),
                ..AliasValues::default()
            },
        )]
        .into(),
        groups: [("g1".into(), GroupValues { name: "blue".into(), metadata: map(&[("m", "n")]) })].into(),
    }
}

fn filled(pattern: &str, identity: &Identity, dialect: Dialect) -> Option<String> {
    match fill(pattern, identity, PolicyFlags::default(), dialect, NOW) {
        Filled::Is(text) => Some(text),
        _ => None,
    }
}

#[test]
fn values_are_filled_in() {
    for (pattern, expected) in [
        ("plain/*", "plain/*"),
        ("", ""),
        ("a/{{identity.entity.id}}/b", "a/e1/b"),
        ("a/{{ identity.entity.name }}", "a/acme"),
        ("a/{{\tidentity.entity.name\n}}", "a/acme"),
        ("{{identity.entity.metadata.team}}{{identity.entity.name}}", "redacme"),
        ("a/{{identity.entity.metadata.a.b}}", "a/dotted"),
        ("a/{{identity.entity.metadata.none}}/*", "a//*"),
        ("a/{{identity.entity.aliases.auth_kubernetes_1.id}}", "a/a1"),
        ("a/{{identity.entity.aliases.auth_kubernetes_1.metadata.service_account_namespace}}*", "a/tenant*"),
        ("a/{{identity.entity.aliases.auth_kubernetes_1.metadata.service_account_secret_name}}*", "a/*"),
        ("a/{{identity.entity.aliases.auth_kubernetes_1.custom_metadata.k}}", "a/v"),
        ("a/{{identity.groups.ids.g1.name}}", "a/blue"),
        ("a/{{identity.groups.names.blue.id}}", "a/g1"),
        ("a/{{identity.groups.names.blue.metadata.m}}", "a/n"),
        ("a/{{time.now}}", "a/1000000000"),
        ("a/{{time.now.plus.1h30m}}", "a/1000005400"),
        ("a/{{time.now.plus.1.5h}}", "a/1000005400"),
        ("a/{{time.now.minus.30}}", "a/999999970"),
        ("a/{{time.now.minus.1d}}", "a/999913600"),
    ] {
        for dialect in DIALECTS {
            assert_eq!(filled(pattern, &known(), dialect).as_deref(), Some(expected), "{pattern} {dialect:?}");
        }
    }
}

#[test]
fn blocks_disappear() {
    for pattern in [
        "a/}}",
        "a/{{",
        "a/{{x}}y}}",
        "a/{{{{identity.entity.id}}}}",
        "a/{{identity.entity.id",
        "a/{{}}",
        "a/{{identity}}",
        "a/{{identity.entity.metadata}}",
        "a/{{identity.entity.metadata.absent}}",
        "a/{{identity.entity.groups.names}}",
        "a/{{identity.entity.aliases.auth_kubernetes_1}}",
        "a/{{identity.entity.aliases.auth_kubernetes_1.metadata}}",
        "a/{{identity.entity.aliases.auth_kubernetes_1.metadata.absent}}",
        "a/{{identity.entity.aliases.auth_kubernetes_1.custom_metadata.absent}}",
        "a/{{identity.entity.aliases.gone.id}}",
        "a/{{identity.groups.names.other.id}}",
        "a/{{identity.groups.ids.g1.metadata.absent}}",
        "a/{{identity.groups.ids.g1}}",
        "a/{{identity.groups.by.g1.id}}",
        "a/{{time.then}}",
        "a/{{time.now.plus}}",
        "a/{{time.now.plus.soon}}",
        "a/{{time.now.times.3s}}",
        "a/{{Identity.entity.id}}",
    ] {
        for dialect in DIALECTS {
            let got = fill(pattern, &known(), PolicyFlags::default(), dialect, NOW);
            assert!(matches!(got, Filled::Gone(_)), "{pattern} {dialect:?} {got:?}");
        }
    }
}

#[test]
fn dangerous_values_by_server() {
    use Dialect::{OpenBao25, OpenBao26, Vault20, Vault121};
    let slash = "a/{{identity.entity.aliases.auth_kubernetes_1.name}}/*";
    let star = "a/{{identity.entity.metadata.star}}/*";
    for (pattern, dialect, expected) in [
        (slash, Vault121, Some("a/tenant/app/*")),
        (slash, Vault20, Some("a/tenant/app/*")),
        (slash, OpenBao25, Some("a/tenant/app/*")),
        (slash, OpenBao26, None),
        (star, Vault121, Some("a/x*/*")),
        (star, Vault20, None),
        (star, OpenBao25, Some("a/x*/*")),
        (star, OpenBao26, None),
    ] {
        assert_eq!(filled(pattern, &known(), dialect).as_deref(), expected, "{pattern} {dialect:?}");
    }
    assert!(matches!(fill(star, &known(), PolicyFlags::default(), OpenBao26, NOW), Filled::Refused(_)));
    // The first that fails decides.
    let both = |first: &str, second: &str| fill(&format!("{first}{second}"), &known(), PolicyFlags::default(), OpenBao26, NOW);
    assert!(matches!(both("{{nothing}}", star), Filled::Gone(_)) && matches!(both(star, "{{nothing}}"), Filled::Refused(_)));
    let flags = PolicyFlags { slashes: true, wildcards: true, expires: None };
    assert_eq!(fill(slash, &known(), flags, OpenBao26, NOW), Filled::Is("a/tenant/app/*".into()));
    assert_eq!(fill(star, &known(), flags, OpenBao26, NOW), Filled::Is("a/x*/*".into()));
}

#[test]
fn before_the_first_login() {
    let unseen = Identity { entity: None, ..known() };
    let mut fresh = Identity { entity: Some(EntityValues::default()), groups: BTreeMap::new(), ..known() };
    fresh.aliases.values_mut().for_each(|alias| alias.id = "".into());
    // Pattern; open where the store is unseen; open where the entity will only be made.
    for (pattern, where_unseen, where_new) in [
        ("{{identity.entity.id}}", true, true),
        ("{{identity.entity.name}}", true, true),
        ("{{identity.entity.metadata.team}}", true, false),
        ("{{identity.entity.aliases.auth_kubernetes_1.id}}", false, true),
        ("{{identity.entity.aliases.other.name}}", true, false),
        ("{{identity.entity.aliases.auth_kubernetes_1.custom_metadata.x}}", true, false),
        ("{{identity.entity.aliases.auth_kubernetes_1.metadata.x}}", false, false),
        ("{{identity.groups.names.other.id}}", true, false),
        // One that is gone takes the block with it.
        ("{{identity.entity.id}}{{nothing}}", false, false),
    ] {
        let open = |identity| matches!(fill(pattern, identity, PolicyFlags::default(), Dialect::OpenBao26, NOW), Filled::Unknown(_));
        assert_eq!((open(&unseen), open(&fresh)), (where_unseen, where_new), "{pattern}");
    }
}

#[test]
fn annotations_are_the_tenants_choice() {
    let mut identity = known();
    identity.aliases.values_mut().for_each(|alias| alias.annotated = true);
    let of = |pattern| fill(pattern, &identity, PolicyFlags::default(), Dialect::Vault121, NOW);
    assert!(matches!(of("a/{{identity.entity.aliases.auth_kubernetes_1.metadata.team}}/*"), Filled::Chosen(_)));
    assert_eq!(of("a/{{identity.entity.aliases.auth_kubernetes_1.metadata.service_account_namespace}}/*"), Filled::Is("a/tenant/*".into()));
}

#[test]
fn durations() {
    const S: i64 = 1_000_000_000;
    for (text, expected) in [
        ("", Some(0)),
        ("5", Some(5 * S)),
        ("-5", Some(-5 * S)),
        ("2d", Some(172_800 * S)),
        ("1h2m3s", Some(3_723 * S)),
        ("1.5s", Some(S + S / 2)),
        (".5s", Some(S / 2)),
        ("1ms1us1ns", Some(1_001_001)),
        ("5x", None),
        ("h", None),
        ("1", Some(S)),
        ("1.2.3s", None),
        ("99999999999999999999", None),
        ("9999999999999h", None),
        (".s", None),
        ("1.d", None),
    ] {
        assert_eq!(duration::parse(text), expected, "{text}");
    }
}

proptest::proptest! {
    #[test]
    fn nothing_panics(pattern in "([a{}. *+/é-]|identity|entity|groups|names|time|now|plus|metadata|[0-9]){0,20}") {
        for dialect in DIALECTS {
            let _ = fill(&pattern, &known(), PolicyFlags::default(), dialect, NOW);
        }
    }

    #[test]
    fn no_duration_panics(text in "[0-9.hmsdnu+µ-]{0,24}") {
        let _ = duration::parse(&text);
    }
}
