//! Who can log in as what, and what that brings.

use partywall::model::source::SourceState;
use partywall::model::vault::{AliasFact, EntityFact, GroupFact, VaultRole};
use partywall::vaultacl::reach::{OwnCover, PolicyFrom, TenantReach, Who};

use super::bed::{Bed, block, names, part, told};

type Change = fn(&mut Bed, SourceState);

fn two() -> Bed {
    Bed::new().tenant("acme", &["default", "web"]).tenant("globex", &["web"])
}

fn ways(reach: &TenantReach) -> Vec<String> {
    let one = |login: &std::sync::Arc<partywall::vaultacl::reach::Login>| {
        let who = match &login.who {
            Who::Account { namespace, name } => format!("{namespace}/{name}"),
            Who::Maker { namespace, name } => format!("{namespace}/{name} if made"),
        };
        let policies: Vec<&str> = login.policies.iter().map(|(name, _)| name.as_ref()).collect();
        format!("{}{} as {who}: {}", if login.own_role { "own " } else { "" }, login.role, policies.join(","))
    };
    reach.logins.iter().map(one).collect()
}

#[test]
fn a_role_that_admits_everybody_is_everybodys() {
    let bed = two().policy("all", &block("secret/data/*", &["read"])).role("acme", &["web"], &["web-tenant-acme"], &["acme"]).role(
        "wide",
        &["*"],
        &["*"],
        &["all"],
    );
    let acme = bed.reach("acme");
    assert_eq!(
        ways(&acme),
        [
            "own acme as web-tenant-acme/web: acme,default",
            "wide as web-tenant-acme/default: all,default",
            "wide as web-tenant-acme/web: all,default",
        ]
    );
    assert_eq!(told(&acme), ["value of globex: read secret/data/globex by all secret/data/*"]);
    assert_eq!(told(&bed.reach("globex")), ["value of acme: read secret/data/acme by all secret/data/*"]);
}

#[test]
fn the_owner_of_a_namespace_can_make_the_name_a_role_asks_for() {
    let bed = two().policy("p", &block("secret/data/globex/*", &["read"])).role("r", &["batch"], &["web-tenant-acme"], &["p"]);
    let acme = bed.reach("acme");
    assert_eq!(ways(&acme), ["own r as web-tenant-acme/batch if made: p,default"]);
    assert_eq!(told(&acme).len(), 1);
    assert!(!acme.logins[acme.crossings[0].grant.login].who.exists());
    assert_eq!(acme.own, OwnCover::NoRole);
    assert_eq!(ways(&bed.reach("globex")), [""; 0]);
}

#[test]
fn a_path_by_the_accounts_name_is_reached_by_choosing_the_name() {
    let path = "secret/data/{{identity.entity.aliases.acc.metadata.service_account_name}}/*";
    let bed = two().policy("p", &block(path, &["read"])).role("r", &["*"], &["web-tenant-acme"], &["p"]);
    let acme = bed.reach("acme");
    assert_eq!(told(&acme)[0], "value of globex: read secret/data/globex/~any by p secret/data/globex/*");
    assert!(acme.doubts.iter().any(|doubt| doubt.may_add && doubt.words.contains("chooses it")));
}

#[test]
fn templates_are_filled_for_the_account() {
    let path = |end: &str| format!("secret/data/{{{{identity.entity.aliases.acc.metadata.service_account_namespace}}}}{end}");
    let bed = Bed::new()
        .tenant("acme", &["web"])
        .tenant("acme-corp", &["web"])
        .policy("exact", &block(&path("/*"), &["read"]))
        .policy("loose", &block(&path("*"), &["read"]));
    let fine = bed.clone().role("all", &["web"], &["*"], &["exact"]);
    assert_eq!(told(&fine.reach("acme")), [""; 0]);
    assert_eq!(fine.reach("acme").own, OwnCover::BelowOnly("secret/web-tenant-acme".to_owned()));
    assert!(fine.reach("acme").beyond.is_empty());
    // without a slash behind it, the name of one is the beginning of another's
    let loose = bed.role("all", &["web"], &["*"], &["loose"]);
    let expected = ["value of acme-corp: read secret/data/web-tenant-acme-corp by loose secret/data/web-tenant-acme*"];
    assert_eq!(told(&loose.reach("acme")), expected);
    assert_eq!(told(&loose.reach("acme-corp")), [""; 0]);
}

#[test]
fn entities_and_groups_add_what_the_role_does_not_say() {
    let mut bed = two()
        .policy("p", &block("secret/data/acme", &["read"]))
        .policy("of-entity", &block("secret/data/globex/x", &["read"]))
        .policy("of-group", &block("secret/metadata/globex/*", &["list"]))
        .role("acme", &["web"], &["web-tenant-acme"], &["p"]);
    bed.roles.get_mut("kubernetes").unwrap().get_mut("acme").unwrap().alias_by_name = true;
    let alias = AliasFact { name: "web-tenant-acme/web".into(), accessor: "acc".into(), ..AliasFact::default() };
    let entity = EntityFact { name: "e".into(), policies: names(&["of-entity"]), aliases: [alias].into(), ..EntityFact::default() };
    bed.entities.insert("id".into(), entity);
    let child = GroupFact { name: "child".into(), entities: names(&["id"]), parents: names(&["up"]), ..GroupFact::default() };
    bed.groups.insert("down".into(), child);
    bed.groups.insert("up".into(), GroupFact { name: "parent".into(), policies: names(&["OF-GROUP"]), ..GroupFact::default() });
    let acme = bed.reach("acme");
    let from: Vec<&PolicyFrom> = acme.logins[0].policies.iter().map(|(_, from)| from).collect();
    assert_eq!(from, [&PolicyFrom::Role, &PolicyFrom::Default, &PolicyFrom::Entity("e".into()), &PolicyFrom::Group("parent".into())]);
    assert_eq!(
        told(&acme),
        [
            "value of globex: read secret/data/globex/x by of-entity secret/data/globex/x",
            "structure of globex: list secret/metadata/globex/ by of-group secret/metadata/globex/*",
        ]
    );
    bed.entities.get_mut("id").unwrap().disabled = true;
    assert_eq!(ways(&bed.reach("acme")), [""; 0], "a disabled entity can't log in");
}

#[test]
fn selectors_and_globs_admit_and_what_cannot_be_told_is_taken_to() {
    let mut bed = two().policy("p", &block("secret/data/globex", &["read"]));
    bed.namespace("web-tenant-acme", &["web"], &[("team", "one")]);
    let selected = |selector: &str| VaultRole {
        service_accounts: names(&["web"]),
        namespace_selector: selector.into(),
        policies: names(&["p"]),
        ..VaultRole::default()
    };
    let with = |selector: &str| {
        let mut bed = bed.clone();
        bed.roles.get_mut("kubernetes").unwrap().insert("sel".into(), selected(selector));
        bed.reach("acme")
    };
    assert_eq!(told(&with("{\"matchLabels\":{\"team\":\"one\"}}")).len(), 1);
    assert_eq!(told(&with("{\"matchLabels\":{\"team\":\"two\"}}")).len(), 0);
    let open = with("{\"matchExpressions\":[]}");
    assert_eq!(told(&open).len(), 1);
    assert!(open.doubts.iter().any(|doubt| doubt.words.contains("selector")));
}

#[test]
fn the_servers_default_policy_is_harmless_and_another_is_not() {
    let shipped = [
        block("auth/token/lookup-self", &["read"]),
        block("identity/entity/id/{{identity.entity.id}}", &["read"]),
        block("cubbyhole/*", &["create", "read", "update", "delete", "list"]),
        block("identity/oidc/provider/+/authorize", &["read", "update"]),
        block("sys/tools/hash/*", &["update"]),
    ]
    .concat();
    let bed = two().policy("default", &shipped).role("acme", &["web"], &["web-tenant-acme"], &[]);
    let acme = bed.reach("acme");
    assert!(acme.beyond.is_empty() && acme.escalations.is_empty() && acme.doubts.is_empty(), "{acme:#?}");
    let more = bed.policy("default", &format!("{shipped}{}", block("secret/data/globex", &["read"])));
    let acme = more.reach("acme");
    assert_eq!((acme.beyond.len(), told(&acme).len()), (1, 1));
}

#[test]
fn ways_up() {
    for (pattern, capabilities, expected) in [
        ("sys/policies/acl/*", vec!["update"], true),
        ("sys/policies/acl/*", vec!["read", "list"], false),
        ("sys/policies/acl/own", vec!["create"], true),
        ("sys/policy/+", vec!["update"], true),
        ("auth/+/role/*", vec!["update"], true),
        ("auth/kubernetes/role/acme", vec!["update"], true),
        ("auth/kubernetes/config", vec!["update"], true),
        ("auth/kubernetes/login", vec!["update"], false),
        ("identity/*", vec!["update"], true),
        ("identity/entity/id/x", vec!["read"], false),
        ("identity/entity", vec!["update"], true),
        ("sys/mounts/x", vec!["update"], true),
        ("sys/raw/*", vec!["update"], true),
        ("auth/token/create", vec!["update"], false),
        ("auth/token/create", vec!["update", "sudo"], true),
        ("auth/token/create*", vec!["update", "sudo"], true),
        ("database/creds/x", vec!["read", "sudo"], true),
        ("database/creds/x", vec!["read"], false),
        ("*", vec!["update"], true),
        ("+/+/acl/*", vec!["update"], true),
    ] {
        let bed = two().policy("p", &block(pattern, &capabilities)).role("r", &["web"], &["web-tenant-acme"], &["p"]);
        let acme = bed.reach("acme");
        assert_eq!(!acme.escalations.is_empty(), expected, "{pattern} {capabilities:?}");
        assert_eq!(acme.beyond.len(), 1, "{pattern}");
        for up in &acme.escalations {
            let decision = acme.logins[up.login].acl.decide(&partywall::vaultacl::acl::Request::new(up.operation, &up.path));
            assert!(decision.allowed, "{up:?}");
        }
    }
    // a narrower deny closes the way
    let text = block("sys/*", &["update"])
        + &["policies/acl/*", "policy/*", "mounts/*", "auth/*", "raw/*", "remount"].map(|p| block(&format!("sys/{p}"), &["deny"])).concat();
    let bed = two().policy("p", &text).role("r", &["web"], &["web-tenant-acme"], &["p"]);
    assert_eq!(bed.reach("acme").escalations, []);
}

#[test]
fn what_is_not_seen_is_a_doubt_with_the_missing_line() {
    let bed = two().policy("p", &block("secret/data/acme", &["read"])).role("acme", &["web"], &["web-tenant-acme"], &["p", "gone"]);
    let denied = SourceState::Denied { why: "permission denied".into() };
    assert_eq!(bed.reach("acme").doubts, []);
    let changes: [(Change, &str); 4] = [
        (|bed, state| bed.vault.policies.state = state, "sys/policies/acl"),
        (|bed, state| bed.vault.secret_mounts.state = state, "sys/mounts"),
        (|bed, state| bed.vault.entities.state = state, "identity/entity/id"),
        (|bed, state| bed.vault.groups.state = state, "identity/group/id"),
    ];
    for (change, line) in changes {
        let mut bed = bed.clone();
        change(&mut bed, denied.clone());
        let doubts = bed.reach("acme").doubts;
        assert!(doubts.iter().any(|doubt| doubt.may_add && doubt.words.contains(&format!("path \"{line}\""))), "{line}: {doubts:?}");
    }
    let mut children = bed.clone();
    children.vault.namespaces = part([("team/".into(), ())].into());
    assert!(children.reach("acme").doubts.iter().any(|doubt| !doubt.may_add && doubt.words.contains("child namespaces")));
}
