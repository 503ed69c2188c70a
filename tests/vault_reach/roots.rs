//! What is whose.

use partywall::model::vault::SecretMount;
use partywall::vaultacl::reach::{Options, RootFrom, TenantReach};

use super::bed::{Bed, block, told};

fn places(reach: &TenantReach) -> Vec<String> {
    let from = |from: &RootFrom| match from {
        RootFrom::Configured => "configured".to_owned(),
        RootFrom::Consumer(by) => format!("asked for by {by}"),
        RootFrom::Policy(policy) => format!("opened by {policy}"),
        RootFrom::Named => "named".to_owned(),
    };
    reach.roots.iter().map(|root| format!("{}/{} {}", root.mount, root.path, from(&root.from))).collect()
}

fn two() -> Bed {
    Bed::new().tenant("acme", &["app"]).tenant("globex", &["app"])
}

#[test]
fn by_convention_the_names_on_every_mount() {
    assert_eq!(
        places(&two().reach("acme")),
        ["kv/acme named", "kv/web-tenant-acme named", "secret/acme named", "secret/web-tenant-acme named"]
    );
    // a mount of the tenant's name is its own as a whole, and no place of others
    let mut bed = two();
    bed.mounts.insert("tenants/acme".into(), SecretMount { kind: "kv".into(), version: Some(2), accessor: "".into() });
    bed.mounts.insert("database".into(), SecretMount { kind: "database".into(), version: None, accessor: "".into() });
    assert!(places(&bed.reach("acme")).contains(&"tenants/acme/ named".to_owned()));
    assert_eq!(bed.reach("globex").roots.len(), 4);
    let crossing = bed.policy("p", &block("tenants/+/data/db", &["read"])).role("r", &["app"], &["web-tenant-globex"], &["p"]);
    assert_eq!(told(&crossing.reach("globex")), ["value of acme: read tenants/acme/data/db by p tenants/+/data/db"]);
}

#[test]
fn configured_places_take_the_conventions_place_and_shared_ones_are_nobodys() {
    let options = Options {
        roots: vec!["secret/teams/{tenant}".to_owned(), "secret/{namespace}/own".to_owned()],
        shared: vec!["secret/shared/*".to_owned(), "secret/teams/globex".to_owned()],
        ..Options::default()
    };
    let bed = two().policy("p", &block("secret/data/*", &["read"])).role("r", &["app"], &["web-tenant-acme"], &["p"]);
    let picture = bed.picture_with(options);
    assert_eq!(places(&picture.by_tenant["acme"]), ["secret/teams/acme configured", "secret/web-tenant-acme/own configured"]);
    assert_eq!(places(&picture.by_tenant["globex"]), ["secret/web-tenant-globex/own configured"]);
    assert_eq!(told(&picture.by_tenant["acme"]), ["value of globex: read secret/data/web-tenant-globex/own by p secret/data/*"]);
}

#[test]
fn what_is_asked_for_is_ones_own_unless_it_is_anothers() {
    let bed = two()
        .policy("p", &block("secret/data/apps/*", &["read"]))
        .role("r", &["app"], &["web-tenant-globex"], &["p"])
        .asks("web-tenant-acme", &["apps/a", "x/../web-tenant-globex/db", "data/apps/b", "secret/data/apps/c"]);
    let acme = bed.reach("acme");
    let asked: Vec<String> = places(&acme).into_iter().filter(|place| place.contains("asked")).collect();
    let by = "asked for by ExternalSecret web-tenant-acme/asks";
    assert_eq!(asked, [format!("secret/apps/a {by}"), format!("secret/apps/c {by}"), format!("secret/data/apps/b {by}")]);
    // `apps` is opened to globex alone, but acme's own places lie below: then it is a crossing and no place of globex
    assert!(places(&bed.reach("globex")).iter().all(|place| !place.contains("opened")), "{:?}", places(&bed.reach("globex")));
}

#[test]
fn asking_for_what_another_reads_is_no_claim() {
    let bed = two()
        .policy("a", &block("secret/data/apps/db", &["read"]))
        .role("acme", &["app"], &["web-tenant-acme"], &["a"])
        .asks("web-tenant-acme", &["apps/db"])
        .asks("web-tenant-globex", &["apps/db"]);
    assert_eq!(told(&bed.reach("acme")), [""; 0], "globex can't read it, so it is not globex's");
    let both = bed.policy("g", &block("secret/data/apps/*", &["read"])).role("globex", &["app"], &["web-tenant-globex"], &["g"]);
    assert_eq!(told(&both.reach("globex")), ["value of acme: read secret/data/apps/db by g secret/data/apps/*"]);
}

#[test]
fn what_only_ones_own_policies_open_is_ones_own() {
    let bed = two()
        .policy("a", &block("secret/data/apps/one/*", &["read"]))
        .policy("g", &block("secret/data/apps/*", &["read"]))
        .role("acme", &["app"], &["web-tenant-acme"], &["a"])
        .role("globex", &["app"], &["web-tenant-globex"], &["g"]);
    assert!(places(&bed.reach("acme")).contains(&"secret/apps/one opened by a".to_owned()));
    assert!(places(&bed.reach("globex")).iter().all(|place| !place.contains("opened")));
    assert_eq!(told(&bed.reach("globex")).len(), 1);
    // what two open is nobody's
    let same = bed.policy("g", &block("secret/data/apps/one/*", &["read"]));
    assert_eq!(told(&same.reach("globex")), [""; 0]);
}
