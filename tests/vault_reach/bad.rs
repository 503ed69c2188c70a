//! Bad input: shown as what it means, never a crash, never green by accident.

use std::time::Instant;

use partywall::model::vault::{SecretMount, VaultRole};
use partywall::vaultacl::reach::BadPolicy;

use super::bed::{Bed, block, names, told};

fn two() -> Bed {
    Bed::new().tenant("acme", &["app"]).tenant("globex", &["app"])
}

#[test]
fn an_unparsable_policy_of_a_login_is_a_doubt() {
    let bed = two().policy("p", "path \"x\" { nonsense }").role("r", &["app"], &["web-tenant-acme"], &["p"]);
    let picture = bed.picture();
    assert!(matches!(picture.bad_policies["p"], BadPolicy::Refused(_)));
    assert!(picture.by_tenant["acme"].doubts.iter().any(|doubt| doubt.may_add && doubt.words.contains("policy p")));
    assert!(picture.by_tenant["globex"].doubts.is_empty());
}

#[test]
fn a_missing_policy_is_said_and_gives_nothing() {
    let bed = two().role("r", &["app"], &["web-tenant-acme"], &["Gone"]);
    let picture = bed.picture();
    assert_eq!(picture.bad_policies["gone"], BadPolicy::Missing);
    assert!(picture.by_tenant["acme"].doubts.is_empty());
    assert_eq!(&*picture.by_tenant["acme"].logins[0].policies[0].0, "gone");
}

#[test]
fn a_mount_without_version_is_both() {
    for (pattern, path) in [("secret/data/globex", "secret/data/globex"), ("secret/globex/*", "secret/globex/~any")] {
        let mut bed = two().policy("p", &block(pattern, &["read"])).role("r", &["app"], &["web-tenant-acme"], &["p"]);
        bed.mounts.insert("secret".into(), SecretMount { kind: "kv".into(), version: None, accessor: "".into() });
        let acme = bed.reach("acme");
        assert_eq!(told(&acme), [format!("value of globex: read {path} by p {pattern}")]);
        assert!(acme.doubts.iter().any(|doubt| doubt.may_add && doubt.words.contains("version")));
    }
}

#[test]
fn escape_sequences_stay_what_they_are_and_doubts_are_clean() {
    let bed = two()
        .policy("p\u{1b}[31m", &block("secret/data/globex\\u001b[2J*", &["read"]))
        .policy("q", &block("secret/data/{{identity.entity.name}}\\u001b", &["read"]))
        .role("r", &["app"], &["web-tenant-acme"], &["p\u{1b}[31m", "q", "n\u{1b}"]);
    for doubt in bed.reach("acme").doubts {
        assert!(!doubt.words.contains('\u{1b}'), "{doubt:?}");
    }
}

#[test]
fn ten_thousand_roles_that_admit_everybody_are_bounded() {
    let mut bed = two().policy("p", &block("secret/data/acme", &["read"]));
    let roles = bed.roles.get_mut("kubernetes").unwrap();
    for number in 0..10_000 {
        let role =
            VaultRole { service_accounts: names(&["*"]), namespaces: names(&["*"]), policies: names(&["p"]), ..VaultRole::default() };
        roles.insert(format!("r{number:05}").into(), role);
    }
    let start = Instant::now();
    let acme = bed.reach("acme");
    assert!(acme.logins.len() <= 512 && acme.doubts.iter().any(|doubt| doubt.may_add && doubt.words.contains("more than")));
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}

#[test]
fn deep_and_many_rules_are_bounded() {
    let deep = format!("secret/data/globex/{}x", "+/".repeat(5_000));
    let mut text = block(&deep, &["read"]);
    for depth in 1..200 {
        text.push_str(&block(&format!("secret/data/globex/{}", vec!["+"; depth].join("/")), &["deny"]));
    }
    text.push_str(&block("secret/data/globex/*", &["read"]));
    for number in 0..5_000 {
        text.push_str(&block(&format!("secret/data/globex/k{number}"), &["read"]));
    }
    let bed = two().policy("p", &text).role("r", &["app"], &["web-tenant-acme"], &["p"]);
    let start = Instant::now();
    let acme = bed.reach("acme");
    assert!(!told(&acme).is_empty());
    assert!(acme.doubts.iter().any(|doubt| doubt.may_add && doubt.words.contains("depths")), "{:?}", acme.doubts);
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}

#[test]
fn nothing_is_said_where_no_vault_is_configured() {
    let mut bed = two();
    bed.vault.configured = false;
    assert!(bed.reach("acme").logins.is_empty() && bed.reach("acme").doubts.is_empty());
}
