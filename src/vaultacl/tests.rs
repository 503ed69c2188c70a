use super::*;
use crate::model::vault::SecretMount;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn patterns(text: &str) -> Vec<(String, Vec<Capability>)> {
    policy_paths(text).unwrap().into_iter().map(|rule| (rule.pattern, rule.capabilities.into_iter().collect())).collect()
}

#[test]
fn the_common_forms_are_read() {
    use Capability::{Deny, List, Read, Update};
    let walkthrough = r#"
# Vault policy: tenant-acme can read its own secrets, nothing else.
path "secret/data/web-tenant-acme"     { capabilities = ["read"] }
path "/secret/metadata/web-tenant-acme" { capabilities = ["read", "list",] } // trailing comma, leading slash
/* a block
   comment */ path "a\x2fb" { policy = "read" capabilities = ["update"] } path "c" { "capabilities" = [ "deny", "read" ] }
name = "x"
path "d"
{
  capabilities
    = ["read"]
  allowed_parameters = { "version" = [] "*" = ["a", 1, true] }
  control_group = { factor "f" { identity { group_names = ["m"] approvals = 1 } } }
}"#;
    assert_eq!(
        patterns(walkthrough),
        [
            ("secret/data/web-tenant-acme".to_owned(), vec![Read]),
            ("secret/metadata/web-tenant-acme".to_owned(), vec![Read, List]),
            ("a/b".to_owned(), vec![Read, Update, List]),
            ("c".to_owned(), vec![Deny]),
            ("d".to_owned(), vec![Read]),
        ]
    );
    assert!(policy_paths(walkthrough).unwrap()[4].limited);
    let json = r#" {"path": {"a/*": {"capabilities": ["read"]}, "a/*": {"capabilities": ["deny"]}}}"#;
    assert_eq!(patterns(json), [("a/*".to_owned(), vec![Read]), ("a/*".to_owned(), vec![Deny])], "a repeated key is two rules");
    assert_eq!(patterns(""), []);
}

#[test]
fn what_is_not_understood_is_refused_with_its_line() {
    for (text, line, what) in [
        ("\n\npath \"a\" { capabilites = [\"read\"] }", 3, "capabilites"),
        ("path \"a\" { capabilities = [\"root\"] }", 1, "root"),
        ("path \"a\" { capabilities = <<EOF\n", 1, "heredoc"),
        ("path \"a${x}\" { }", 1, "interpolation"),
        ("path \"a+*\" { }", 1, "+*"),
        ("path { }", 1, "without a pattern"),
        ("path \"a\" { policy = read }", 1, "expected a text"),
        ("path \"a\" { capabilities = [\"read\" \"list\"] }", 1, "comma"),
        ("path \"a\" {", 1, "expected a key"),
        ("path \"a\" { expiration = \"2030-01-01T00:00:00Z\" }", 1, "expiration"),
        ("server \"a\" { }", 1, "server"),
        ("{\"path\": {\"a\": {\"capabilities\": \"read\"}}}", 0, "wrong kind"),
        ("{\"paths\": {}}", 0, "paths"),
        ("{", 1, "JSON"),
    ] {
        let error = policy_paths(text).expect_err(text);
        assert_eq!(error.line, line, "{text}: {error}");
        assert!(error.what.contains(what), "{text}: {error}");
    }
}

#[test]
fn own_paths_are_found_narrowest_first() {
    let mount = |version| SecretMount { kind: "kv".into(), version: Some(version), accessor: "".into() };
    let mounts = BTreeMap::from([("secret".into(), mount(2)), ("old".into(), mount(1)), ("secret/team".into(), mount(2))]);
    let login = Login { accessor: "acc1", namespace: "web-tenant-acme", service_account: "app" };
    let rules = policy_paths(
        r#"path "secret/data/tenants/acme/*" { capabilities = ["read"] }
        path "secret/metadata/tenants/acme/*" { capabilities = ["read", "list"] }
        path "secret/data/web-tenant-acme" { capabilities = ["read"] }
        path "secret/data/{{identity.entity.aliases.acc1.metadata.service_account_namespace}}/x" { capabilities = ["read"] }
        path "secret/data/{{identity.entity.id}}" { capabilities = ["read"] }
        path "secret/data/+/shared" { capabilities = ["read"] }
        path "secret/data/denied" { capabilities = ["read", "deny"] }
        path "secret/team/data/a" { capabilities = ["read"] }
        path "old/acme/*" { capabilities = ["read"] }
        path "secret/*" { capabilities = ["read"] }"#,
    )
    .unwrap();
    let found: Vec<_> = own_paths(&rules, &mounts, &login).into_iter().map(|own| (own.mount.to_string(), own.path, own.kind)).collect();
    let expected = [
        ("secret", "web-tenant-acme/x", PathKind::Exact),
        ("secret", "web-tenant-acme", PathKind::Exact),
        ("secret/team", "a", PathKind::Exact),
        ("secret", "tenants/acme/", PathKind::Prefix),
        ("old", "acme/", PathKind::Prefix),
        ("secret", "", PathKind::Prefix),
    ];
    assert_eq!(found, expected.map(|(mount, path, kind)| (mount.to_owned(), path.to_owned(), kind)));
}

proptest! {
    #[test]
    fn no_text_breaks_the_reader(text in "\\PC*") {
        drop(policy_paths(&text));
    }

    #[test]
    fn no_near_policy_breaks_the_reader(text in r#"(path "[a-z/*+\\{}$]{0,8}" ?\{ ?(capabilities|policy|x)? ?=? ?[\["a-z,\]{}<]{0,12} ?\}? ?){0,4}"#) {
        drop(policy_paths(&text));
    }
}
