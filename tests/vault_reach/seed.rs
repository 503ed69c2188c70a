//! The seed walkthrough.

use partywall::vaultacl::capability::Operation;
use partywall::vaultacl::kv::Harm;
use partywall::vaultacl::reach::{OwnCover, RootFrom};

use super::bed::{Bed, block, told};

pub fn seed(acme: &str) -> Bed {
    Bed::new()
        .tenant("acme", &["default", "web"])
        .tenant("globex", &["default", "web"])
        .policy("web-tenant-acme", acme)
        .policy("web-tenant-globex", &block("secret/data/web-tenant-globex", &["read"]))
        .role("web-tenant-acme", &["web"], &["web-tenant-acme"], &["web-tenant-acme"])
        .role("web-tenant-globex", &["web"], &["web-tenant-globex"], &["web-tenant-globex"])
        .asks("web-tenant-acme", &["web-tenant-acme"])
        .asks("web-tenant-globex", &["web-tenant-globex"])
}

#[test]
fn the_seeds_policy_covers_its_path_exactly_and_nothing_of_the_other() {
    let bed = seed(&block("secret/data/web-tenant-acme", &["read"]));
    let acme = bed.reach("acme");
    assert_eq!(told(&acme), [""; 0]);
    assert_eq!(acme.own, OwnCover::ExactOnly("secret/web-tenant-acme".to_owned()));
    assert!(acme.escalations.is_empty() && acme.beyond.is_empty() && acme.ancestors.is_empty() && acme.writes.is_empty());
    assert_eq!(acme.doubts, []);
    assert_eq!(acme.logins.len(), 1);
    let root = acme.roots.iter().find(|root| root.path == "web-tenant-acme" && &*root.mount == "secret").unwrap();
    assert_eq!(root.from, RootFrom::Consumer("ExternalSecret web-tenant-acme/asks".to_owned()));
}

#[test]
fn widened_by_a_star_it_reads_the_other_with_a_witness() {
    let bed = seed(&block("secret/data/web-tenant-*", &["read"]));
    let acme = bed.reach("acme");
    assert_eq!(told(&acme), ["value of globex: read secret/data/web-tenant-globex by web-tenant-acme secret/data/web-tenant-*"]);
    assert_eq!(acme.crossings[0].grant.origin.line, 1);
    assert_eq!(acme.crossings[0].harm, Harm::Value);
    assert!(acme.logins[acme.crossings[0].grant.login].own_role);
    assert_eq!(acme.beyond.len(), 1);
    assert_eq!(acme.own, OwnCover::Covered);
    assert_eq!(told(&bed.reach("globex")), [""; 0]);
    let picture = bed.picture();
    assert_eq!(picture.crossings("acme", "globex").len(), 1);
    assert_eq!(picture.crossings("globex", "acme").len(), 0);
    let who = picture.who("secret/data/web-tenant-globex", Operation::Read, None);
    let allowed: Vec<(&str, &str)> =
        who.iter().filter(|w| w.allowed).map(|w| (&*w.tenant, &*w.rule.as_ref().unwrap().from[0].policy)).collect();
    assert_eq!(allowed, [("acme", "web-tenant-acme"), ("globex", "web-tenant-globex")]);
}

#[test]
fn a_narrower_deny_counts_and_leaves_what_it_does_not_cover() {
    let wide = block("secret/data/*", &["read"]);
    let text = format!("{wide}{}{}", block("secret/data/web-tenant-globex/*", &["deny"]), block("secret/data/globex/*", &["deny"]));
    // the denies cover what is below, not the path itself
    let acme = seed(&text).reach("acme");
    assert_eq!(told(&acme), ["value of globex: read secret/data/globex by web-tenant-acme secret/data/*"]);
    let text = format!("{text}{}{}", block("secret/data/web-tenant-globex", &["deny"]), block("secret/data/globex", &["deny"]));
    assert_eq!(told(&seed(&text).reach("acme")), [""; 0]);
    // a deny with `+` in front loses to a prefix that begins later
    let text = format!("{}{}", block("secret/data/+/shared", &["deny"]), block("secret/data/globex/*", &["read"]));
    assert_eq!(told(&seed(&text).reach("acme")).len(), 1);
}

#[test]
fn every_harm_is_told_once_with_its_worst_action() {
    let acme = seed(&block("secret/*", &["create", "read", "update", "patch", "delete", "list"])).reach("acme");
    let harms: Vec<(Harm, &str)> = acme.crossings.iter().map(|c| (c.harm, c.action.words)).collect();
    let expected = [(Harm::Value, "read the value"), (Harm::Tamper, "overwrite the value"), (Harm::Structure, "read its metadata")];
    assert_eq!(harms, expected);
    assert_eq!(acme.ancestors.len(), 1);
    assert_eq!(acme.ancestors[0].path, "secret/metadata/");
    assert_eq!(acme.writes.len(), 1);
    assert_eq!(acme.beyond.len(), 1);
}

#[test]
fn limits_are_conditions() {
    let text = "path \"secret/data/web-tenant-*\" { capabilities = [\"read\"]\n min_wrapping_ttl = \"10s\" }";
    let acme = seed(text).reach("acme");
    assert_eq!(acme.crossings.len(), 1, "{:?}", told(&acme));
    assert!(acme.crossings[0].grant.conditions);
}
