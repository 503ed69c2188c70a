mod laws;

use serde_json::json;

use super::*;
use crate::model::time::DAY;
use crate::vaultacl::capability::CAPABILITIES;
use crate::vaultacl::dialect::DIALECTS;
use crate::vaultacl::policy::Rule;

const NOW: Time = Time(1_000_000_000_000);

fn capabilities(words: &str) -> Capabilities {
    words.split_whitespace().map(|word| CAPABILITIES.iter().find(|(name, _)| *name == word).unwrap().1).collect()
}

/// A block; with a deny it holds nothing else, as the reader makes it.
fn rule(pattern: &str, words: &str) -> Rule {
    let mut capabilities = capabilities(words);
    if capabilities.has(Capability::Deny) {
        capabilities = Capabilities::of(Capability::Deny);
    }
    Rule { pattern: pattern.into(), line: 1, capabilities, limits: None, expires: None }
}

fn limited(pattern: &str, words: &str, limits: Limits) -> Rule {
    Rule { limits: Some(Box::new(limits)), ..rule(pattern, words) }
}

fn of(policies: &[Vec<Rule>], dialect: Dialect) -> Acl {
    let policies: Vec<(Name, Policy)> =
        policies.iter().enumerate().map(|(at, rules)| (format!("p{at}").into(), Policy { rules: rules.clone() })).collect();
    let granted: Vec<Granted<'_>> =
        policies.iter().map(|(name, policy)| Granted { name, policy, flags: PolicyFlags::default(), namespace: "" }).collect();
    Acl::new(&granted, &Identity::default(), dialect, NOW)
}

fn one(rules: &[(&str, &str)], dialect: Dialect) -> Acl {
    of(&[rules.iter().map(|(pattern, words)| rule(pattern, words)).collect()], dialect)
}

fn allowed(acl: &Acl, operation: Operation, path: &str) -> bool {
    acl.decide(&Request::new(operation, path)).allowed
}

#[test]
fn patterns_match() {
    for (pattern, path, expected) in [
        ("secret/data/acme", "secret/data/acme", true),
        ("secret/data/acme", "secret/data/acme/db", false),
        ("secret/data/acme", "/secret/data/acme", true),
        ("secret/data/acme", "///secret/data/acme", true),
        ("secret/data/acme*", "secret/data/acme-corp/db", true),
        ("secret/data/acme*", "secret/data/acme", true),
        ("secret/data/acme/*", "secret/data/acme", false),
        ("secret/data/acme/*", "secret/data/acme/", true),
        ("*", "anything/at/all", true),
        ("*", "", true),
        ("a**", "a*b", true),
        ("a**", "ab", false),
        ("", "", true),
        ("", "a", false),
        ("a/*b", "a/*b", true),
        ("a/*b", "a/xb", false),
        ("secret/data/+", "secret/data/", true),
        ("secret/data/+", "secret/data/x", true),
        ("secret/data/+", "secret/data", false),
        ("secret/data/+", "secret/data/x/y", false),
        ("+", "x", true),
        ("+", "", true),
        ("+", "x/y", false),
        ("+/x", "/x", false),
        ("+/x", "a/x", true),
        ("a/+x", "a/+x", true),
        ("a/+x", "a/yx", false),
        ("a/+x*", "a/+xyz/more", true),
        ("a/+/*", "a/b", false),
        ("a/+/*", "a/b/", true),
        ("a/+/*", "a/b/c/d", true),
        ("a/+/b*", "a/x/bc/d", true),
        ("a/+/b*", "a/x/cb", false),
        ("a/+/b", "a/x/b/", false),
        ("a/+/+", "a//", true),
        ("a+b/+/c", "a+b/x/c", true),
        ("a+b/c", "a+b/c", true),
        ("a+b/c", "axb/c", false),
    ] {
        assert_eq!(allowed(&one(&[(pattern, "read")], Dialect::Any), Operation::Read, path), expected, "{pattern} on {path}");
    }
}

/// Rules, path, what may be done there of create, read, update, delete.
type Winning<'a> = (&'a [(&'a str, &'a str)], &'a str, &'a str);

#[test]
fn the_winner_alone_decides() {
    let cases: &[Winning<'_>] = &[
        (&[("*", "read"), ("+/*", "update")], "a/b", "read"),
        (&[("foo/a*", "read"), ("foo/+", "update")], "foo/ab", "read"),
        (&[("foo/+", "read"), ("foo/*", "update")], "foo/ab", "read"),
        (&[("foo/+", "read"), ("foo/*", "update")], "foo/a/b", "update"),
        (&[("secret/data/+/shared", "deny"), ("secret/data/acme/*", "read")], "secret/data/acme/shared", "read"),
        (&[("secret/data/globex/*", "deny"), ("secret/data/*", "read")], "secret/data/globex", "read"),
        (&[("secret/data/globex/*", "deny"), ("secret/data/*", "read")], "secret/data/globex/db", ""),
        (&[("secret/*", "read"), ("secret/data/acme", "update")], "secret/data/acme", "update"),
        (&[("secret/*", "read"), ("secret/data/acme", "")], "secret/data/acme", ""),
        (&[("secret/*", "read"), ("secret/data/*", "update")], "secret/data/x", "update"),
        // Later first wildcard.
        (&[("foo/bar/+/baz", "read"), ("foo/+/bar/baz", "update")], "foo/bar/bar/baz", "read"),
        // Not open-ended.
        (&[("foo/+/bar", "read"), ("foo/+/ba*", "update")], "foo/x/bar", "read"),
        // Fewer `+`.
        (&[("foo/+/+/baz", "read"), ("foo/+/bar/baz", "update")], "foo/x/bar/baz", "update"),
        // Longer, the star not counted.
        (&[("foo/+/bar/ba*", "read"), ("foo/+/bar/b*", "update")], "foo/x/bar/baz", "read"),
        // The `+` inside a word counts as the first wildcard.
        (&[("a+b/+/c", "read"), ("a+b/+/*", "update")], "a+b/x/c", "read"),
        (&[("a+b/c/+", "read"), ("a+b/c*", "update")], "a+b/c/x", "update"),
        (&[("*", "deny"), ("+", "read")], "x", "read"),
        // All tiers equal up to the text.
        (&[("+/b/+", "read"), ("+/+/c", "update")], "a/b/c", "read"),
        (&[("+/+/c", "update"), ("+/b/+", "read")], "a/b/c", "read"),
    ];
    for (rules, path, expected) in cases {
        for dialect in DIALECTS {
            let acl = one(rules, dialect);
            for (word, operation) in
                [("create", Operation::Create), ("read", Operation::Read), ("update", Operation::Update), ("delete", Operation::Delete)]
            {
                assert_eq!(
                    allowed(&acl, operation, path),
                    expected.split(' ').any(|one| one == word),
                    "{rules:?} {word} {path} {dialect:?}"
                );
            }
        }
    }
}

#[test]
fn lists_by_dialect() {
    use Dialect::{OpenBao25, OpenBao26, Vault20, Vault113, Vault121};
    type Case = (&'static [(&'static str, &'static str)], &'static str, Operation, &'static [(Dialect, bool)]);
    let cases: &[Case] = &[
        // The published bypass.
        (
            &[("kv/metadata/*", "list"), ("kv/metadata/private/*", "deny")],
            "kv/metadata/private",
            Operation::List,
            &[(Vault113, false), (Vault121, true), (OpenBao25, true), (Vault20, false), (OpenBao26, false)],
        ),
        (
            &[("kv/metadata/*", "scan"), ("kv/metadata/private/*", "deny")],
            "kv/metadata/private",
            Operation::Scan,
            &[(OpenBao25, false), (OpenBao26, false)],
        ),
        // The operators' pair.
        (
            &[("auth/+/role", "list"), ("auth/+/role/*", "read")],
            "auth/kubernetes/role",
            Operation::List,
            &[(Vault113, false), (Vault121, true), (OpenBao25, true), (Vault20, true), (OpenBao26, false)],
        ),
        // Exact rules first, with the slash before without.
        (
            &[("a/b", "list"), ("a/*", "deny")],
            "a/b",
            Operation::List,
            &[(Vault113, true), (Vault121, true), (OpenBao25, true), (Vault20, true), (OpenBao26, true)],
        ),
        (
            &[("a/b", "list"), ("a/b/", "deny")],
            "a/b",
            Operation::List,
            &[(Vault113, false), (Vault121, false), (OpenBao25, false), (Vault20, false), (OpenBao26, false)],
        ),
        (
            &[("a/b", "deny"), ("a/*", "list")],
            "a/b/",
            Operation::List,
            &[(Vault113, false), (Vault121, false), (OpenBao25, false), (Vault20, false), (OpenBao26, false)],
        ),
        // Only the form without the slash matches.
        (
            &[("a/+", "list")],
            "a/b",
            Operation::List,
            &[(Vault113, false), (Vault121, true), (OpenBao25, true), (Vault20, true), (OpenBao26, true)],
        ),
        (&[("a/+", "scan")], "a/b", Operation::Scan, &[(OpenBao25, false), (OpenBao26, true)]),
        // Only the form with it does.
        (
            &[("a/b/*", "list")],
            "a/b",
            Operation::List,
            &[(Vault113, true), (Vault121, true), (OpenBao25, true), (Vault20, true), (OpenBao26, true)],
        ),
        // Vault 2.0 passes over what neither denies nor lists; a deny that ranks below what lists loses.
        (
            &[("a/*", "list"), ("a/b/*", "read")],
            "a/b",
            Operation::List,
            &[(Vault113, false), (Vault121, true), (Vault20, true), (OpenBao26, false)],
        ),
        (
            &[("a/*", "deny"), ("a/b/*", "list")],
            "a/b",
            Operation::List,
            &[(Vault113, true), (Vault121, false), (Vault20, true), (OpenBao26, true)],
        ),
    ];
    for (rules, path, operation, expected) in cases {
        for (dialect, expected) in *expected {
            assert_eq!(allowed(&one(rules, *dialect), *operation, path), *expected, "{rules:?} {operation:?} {path} {dialect:?}");
        }
    }
}

#[test]
fn help_always_and_root() {
    let nothing = one(&[("*", "deny")], Dialect::Any);
    assert!(allowed(&nothing, Operation::Help, "sys/raw"));
    assert!(allowed(&Acl::default(), Operation::Help, "x"));
    let root = Acl::root(Dialect::OpenBao26);
    let decision = root.decide(&Request::new(Operation::Delete, "x"));
    assert!(decision.allowed && decision.root_privs && root.capabilities("x") == ["root"]);
}

#[test]
fn root_stands_alone() {
    let (root, other, empty): (Name, Name, Policy) = ("Root".into(), "a".into(), Policy { rules: vec![rule("*", "read")] });
    let granted = |name| Granted { name, policy: &empty, flags: PolicyFlags::default(), namespace: "" };
    let alone = Acl::new(&[granted(&root)], &Identity::default(), Dialect::Vault121, NOW);
    assert!(alone.is_root());
    let both = Acl::new(&[granted(&other), granted(&root)], &Identity::default(), Dialect::Vault121, NOW);
    assert_eq!(both.broken(), Some("other policies beside root"));
    assert_eq!(both.decide(&Request::new(Operation::Read, "x")).why, Some(Why::Broken));
    assert!(!allowed(&both, Operation::Help, "x"));
    let below = Granted { namespace: "team/", ..granted(&root) };
    assert!(Acl::new(&[below], &Identity::default(), Dialect::Vault121, NOW).broken().is_some());
    assert!(Acl::new(&[below], &Identity::default(), Dialect::OpenBao26, NOW).is_root());
}

#[test]
fn words_in_the_servers_order() {
    let acl = one(&[("a", "sudo read list update delete create patch scan"), ("b", ""), ("c", "deny")], Dialect::OpenBao26);
    assert_eq!(acl.capabilities("a"), ["create", "delete", "list", "patch", "read", "scan", "sudo", "update"]);
    for path in ["b", "c", "d"] {
        assert_eq!(acl.capabilities(path), ["deny"], "{path}");
    }
    // As a LIST is decided, without a slash appended.
    let listing = one(&[("a/*", "list"), ("a/b/*", "deny"), ("c", "read")], Dialect::OpenBao25);
    assert_eq!(listing.capabilities("a/b"), ["list"]);
    assert_eq!(listing.capabilities("a/b/"), ["list"]);
    assert_eq!(listing.capabilities("c/"), ["read"]);
    // In Vault 2.0 a deny decides where nothing lists, though a read ranks higher.
    let resolved = one(&[("a/*", "deny"), ("a/b/*", "read")], Dialect::Vault20);
    assert_eq!((resolved.capabilities("a/b/"), resolved.capabilities("a/b/c")), (vec!["deny"], vec!["read"]));
    assert_eq!(listing.decide(&Request::new(Operation::Read, "c/")).why, Some(Why::NoRule));
    assert!(one(&[("a", "sudo")], Dialect::Any).decide(&Request::new(Operation::Read, "a")).root_privs);
}

#[test]
fn policies_merge() {
    let acl = of(&[vec![rule("a", "read")], vec![rule("a", "list"), rule("b", "deny")], vec![rule("b", "read")]], Dialect::Any);
    assert_eq!(acl.capabilities("a"), ["list", "read"]);
    assert_eq!(acl.capabilities("b"), ["deny"]);
    let b = acl.ruling("b", Operation::Read).unwrap();
    assert_eq!(
        b.from.iter().map(|origin| (&*origin.policy, origin.capabilities)).collect::<Vec<_>>(),
        [("p1", capabilities("deny")), ("p2", capabilities("read"))]
    );
    // One kind never merges with another.
    let kinds = of(&[vec![rule("a*", "read"), rule("a", "update"), rule("a/+", "delete")]], Dialect::Any);
    assert_eq!(kinds.rules().len(), 3);
}

#[test]
fn limits_merge() {
    let map = |text: &str| Some(serde_json::from_str(text).unwrap());
    let first = Limits {
        min_wrap: 60,
        max_wrap: 300,
        pagination: 0,
        allowed: map(r#"{"a":["x"],"B":[]}"#),
        required: vec!["r".into()],
        ..Limits::default()
    };
    let second = Limits {
        min_wrap: 30,
        max_wrap: 0,
        pagination: 5,
        allowed: map(r#"{"a":["y"],"b":["z"]}"#),
        mfa: vec!["m".into()],
        ..Limits::default()
    };
    let acl = of(&[vec![limited("p", "read", first)], vec![rule("p", "list")], vec![limited("p", "update", second)]], Dialect::Any);
    let merged = acl.ruling("p", Operation::Read).unwrap().limits.clone().unwrap();
    assert_eq!((merged.min_wrap, merged.max_wrap, merged.pagination), (30, 300, 5));
    assert_eq!(json!(merged.allowed), json!({"a": ["x", "y"], "b": []}));
    assert_eq!((merged.required, merged.mfa), (vec!["r".to_owned()], vec!["m".to_owned()]));
    // A deny takes the limits away.
    let denied = of(&[vec![limited("p", "read", Limits { min_wrap: 1, ..Limits::default() })], vec![rule("p", "deny")]], Dialect::Any);
    assert!(denied.rules()[0].limits.is_none() && !denied.rules()[0].limited);
}

#[test]
fn wrapping() {
    let with = |min_wrap, max_wrap| {
        of(&[vec![limited("p", "read delete list", Limits { min_wrap, max_wrap, ..Limits::default() })]], Dialect::Any)
    };
    for (min, max, asked, expected) in [
        (0, 0, None, true),
        (60, 0, None, false),
        (0, 60, None, false),
        (60, 0, Some(59), false),
        (60, 0, Some(60), true),
        (0, 60, Some(60), true),
        (0, 60, Some(0), false),
        (0, 60, Some(61), false),
        (90, 60, Some(70), false),
        (90, 60, Some(90), false),
    ] {
        for operation in [Operation::Read, Operation::Delete, Operation::List] {
            let request = Request { wrap_ttl: asked, ..Request::new(operation, "p") };
            assert_eq!(with(min, max).decide(&request).allowed, expected, "{min} {max} {asked:?} {operation:?}");
        }
    }
}

#[test]
fn parameters() {
    use Dialect::{OpenBao26, Vault20, Vault115, Vault121};
    // Allowed, denied, required, data, answer; on which dialects (none: all).
    type Case = (&'static str, &'static str, &'static [&'static str], &'static str, bool, &'static [Dialect]);
    let cases: &[Case] = &[
        ("{}", "{}", &[], r#"{"x":1}"#, true, &[]),
        (r#"{"a":[]}"#, "{}", &[], r#"{"a":"anything"}"#, true, &[]),
        (r#"{"a":[]}"#, "{}", &[], r#"{"A":"anything"}"#, true, &[]),
        (r#"{"A":[]}"#, "{}", &[], r#"{"a":5}"#, true, &[]),
        (r#"{"a":[]}"#, "{}", &[], r#"{"b":1}"#, false, &[]),
        (r#"{"a":[]}"#, "{}", &[], "{}", true, &[]),
        (r#"{"a":["x"]}"#, "{}", &[], r#"{"a":"x"}"#, true, &[]),
        (r#"{"a":["x"]}"#, "{}", &[], r#"{"a":"y"}"#, false, &[]),
        (r#"{"a":["x"],"*":[]}"#, "{}", &[], r#"{"b":1}"#, true, &[]),
        (r#"{"a":["x"],"*":[]}"#, "{}", &[], r#"{"a":"y","b":1}"#, false, &[]),
        (r#"{"*":["x"]}"#, "{}", &[], r#"{"a":"y"}"#, true, &[]),
        ("{}", r#"{"*":[]}"#, &[], r#"{"a":1}"#, false, &[]),
        ("{}", r#"{"*":[]}"#, &[], "{}", true, &[]),
        ("{}", r#"{"a":[]}"#, &[], r#"{"a":1}"#, false, &[]),
        ("{}", r#"{"a":["x"]}"#, &[], r#"{"A":"x"}"#, false, &[]),
        ("{}", r#"{"a":["x"]}"#, &[], r#"{"a":"y"}"#, true, &[]),
        (r#"{"a":[]}"#, r#"{"a":["x"]}"#, &[], r#"{"a":"x"}"#, false, &[]),
        ("{}", "{}", &["Ver"], r#"{"ver":1}"#, true, &[]),
        ("{}", "{}", &["ver"], r#"{"Ver":1}"#, false, &[]),
        ("{}", "{}", &["ver"], "{}", false, &[]),
        // Globs: at the ends only, and one alone is the character.
        (r#"{"a":["x*"]}"#, "{}", &[], r#"{"a":"xy"}"#, true, &[]),
        (r#"{"a":["*x"]}"#, "{}", &[], r#"{"a":"yx"}"#, true, &[]),
        (r#"{"a":["*x*"]}"#, "{}", &[], r#"{"a":"yxy"}"#, true, &[]),
        (r#"{"a":["x*y"]}"#, "{}", &[], r#"{"a":"x-y"}"#, false, &[]),
        (r#"{"a":["*"]}"#, "{}", &[], r#"{"a":"x"}"#, false, &[]),
        (r#"{"a":["*"]}"#, "{}", &[], r#"{"a":"*"}"#, true, &[]),
        (r#"{"a":["**"]}"#, "{}", &[], r#"{"a":""}"#, true, &[]),
        (r#"{"a":[""]}"#, "{}", &[], r#"{"a":""}"#, true, &[]),
        // Other values: deeply, and a number never equals one.
        (r#"{"a":[true]}"#, "{}", &[], r#"{"a":true}"#, true, &[]),
        (r#"{"a":[true]}"#, "{}", &[], r#"{"a":false}"#, false, &[]),
        (r#"{"a":[5]}"#, "{}", &[], r#"{"a":5}"#, false, &[]),
        (r#"{"a":["5"]}"#, "{}", &[], r#"{"a":5}"#, false, &[]),
        (r#"{"a":[["x","y"]]}"#, "{}", &[], r#"{"a":["x","y"]}"#, true, &[]),
        (r#"{"a":[{"b":"c"}]}"#, "{}", &[], r#"{"a":{"b":"c"}}"#, true, &[]),
        (r#"{"a":[{"b":"c"}]}"#, "{}", &[], r#"{"a":{"b":"d"}}"#, false, &[]),
        (r#"{"a":["x"]}"#, "{}", &[], r#"{"a":[]}"#, true, &[Vault121]),
        (r#"{"a":["x"]}"#, "{}", &[], r#"{"a":[]}"#, false, &[OpenBao26]),
        (r#"{"a":[["x*"]]}"#, "{}", &[], r#"{"a":["xy"]}"#, false, &[]),
        (r#"{"a":["x"]}"#, "{}", &[], r#"{"a":null}"#, false, &[]),
        // Element by element.
        (r#"{"a":["x","y"]}"#, "{}", &[], r#"{"a":["y","x"]}"#, true, &[Vault121]),
        (r#"{"a":["x","y"]}"#, "{}", &[], r#"{"a":["y","x"]}"#, false, &[OpenBao26, Vault115]),
        (r#"{"a":["x","y"]}"#, "{}", &[], r#"{"a":"y, x"}"#, true, &[Vault121]),
        (r#"{"a":["x","y"]}"#, "{}", &[], r#"{"a":"y,z"}"#, false, &[Vault121, OpenBao26]),
        (r#"{"a":["x"]}"#, "{}", &[], r#"{"a":""}"#, true, &[Vault121]),
        (r#"{"a":["x"]}"#, "{}", &[], r#"{"a":""}"#, false, &[OpenBao26]),
        ("{}", r#"{"a":["x"]}"#, &[], r#"{"a":["y","x"]}"#, false, &[Vault121]),
        ("{}", r#"{"a":["x"]}"#, &[], r#"{"a":["y","x"]}"#, true, &[OpenBao26]),
        ("{}", r#"{"a":["x"]}"#, &[], r#"{"a":"y,x"}"#, false, &[Vault121]),
        ("{}", r#"{"a":["x"]}"#, &[], r#"{"a":""}"#, true, &[Vault121]),
        // Names of policies in any letters.
        ("{}", r#"{"policies":["root"]}"#, &[], r#"{"Policies":["a","Root"]}"#, false, &[Vault20]),
        ("{}", r#"{"token_policies":["root"]}"#, &[], r#"{"token_policies":"a,ROOT"}"#, false, &[Vault20]),
        ("{}", r#"{"policies":["root"]}"#, &[], r#"{"policies":"Root"}"#, true, &[Vault121, OpenBao26]),
    ];
    for (allowed, denied, required, data, expected, dialects) in cases {
        let map = |text: &str| Some(serde_json::from_str(text).unwrap());
        let limits = Limits {
            allowed: map(allowed),
            denied: map(denied),
            required: required.iter().map(ToString::to_string).collect(),
            ..Limits::default()
        };
        let data = serde_json::from_str(data).unwrap();
        for dialect in DIALECTS.into_iter().filter(|dialect| dialects.is_empty() || dialects.contains(dialect)) {
            let acl = of(&[vec![limited("p", "create read update patch delete list recover", limits.clone())]], dialect);
            let ask = |operation| acl.decide(&Request { data: Some(&data), ..Request::new(operation, "p") });
            for operation in [Operation::Read, Operation::Update, Operation::Create, Operation::Patch, Operation::Recover] {
                assert_eq!(ask(operation).allowed, *expected, "{allowed} {denied} {required:?} {data:?} {operation:?} {dialect:?}");
            }
            assert!(ask(Operation::Delete).allowed && ask(Operation::List).allowed);
        }
    }
}

#[test]
fn pages() {
    let acl = |required: &[&str]| {
        let required = required.iter().map(ToString::to_string).collect();
        of(&[vec![limited("p/*", "list scan", Limits { pagination: 10, required, ..Limits::default() })]], Dialect::OpenBao26)
    };
    for (data, required, expected) in [
        ("{}", &[][..], true),
        ("{}", &["Limit"], false),
        (r#"{"limit":"10"}"#, &["limit"], true),
        (r#"{"limit":"11"}"#, &[], false),
        (r#"{"limit":11}"#, &[], false),
        (r#"{"limit":"max"}"#, &["limit"], true),
        (r#"{"limit":"many"}"#, &[], false),
        (r#"{"limit":"-1"}"#, &[], false),
        (r#"{"limit":"05"}"#, &[], true),
        (r#"{"limit":"0"}"#, &[], true),
        (r#"{"limit":""}"#, &[], true),
        (r#"{"limit":"5.0"}"#, &[], false),
    ] {
        let data = serde_json::from_str(data).unwrap();
        for operation in [Operation::List, Operation::Scan] {
            let request = Request { data: Some(&data), ..Request::new(operation, "p/x") };
            assert_eq!(acl(required).decide(&request).allowed, expected, "{data:?} {required:?}");
        }
    }
}

#[test]
fn time_takes_rules_away() {
    let end = |at| Rule { expires: Some(Time(at)), ..rule("a", "read") };
    let acl = |at| of(&[vec![end(at), rule("b", "read")]], Dialect::OpenBao26);
    assert!(allowed(&acl(NOW.0), Operation::Read, "a"), "at the very end it still counts");
    assert_eq!(acl(NOW.0 + DAY).next_expiry(), Some(Time(NOW.0 + DAY)));
    let gone = acl(NOW.0 - 1);
    assert!(!allowed(&gone, Operation::Read, "a") && allowed(&gone, Operation::Read, "b"));
    assert_eq!((gone.dropped().len(), gone.dropped()[0].open, gone.next_expiry()), (1, false, None));
    let (name, policy): (Name, Policy) = ("p".into(), Policy { rules: vec![rule("*", "read")] });
    let flags = PolicyFlags { expires: Some(Time(NOW.0 - 1)), ..PolicyFlags::default() };
    let whole = Acl::new(&[Granted { name: &name, policy: &policy, flags, namespace: "" }], &Identity::default(), Dialect::OpenBao26, NOW);
    assert!(whole.rules().is_empty() && whole.dropped().len() == 1);
}

#[test]
fn a_namespace_goes_in_front() {
    let (name, policy): (Name, Policy) = ("p".into(), Policy { rules: vec![rule("+", "read"), rule("*", "update")] });
    let granted = Granted { name: &name, policy: &policy, flags: PolicyFlags::default(), namespace: "team/a/" };
    let acl = Acl::new(&[granted], &Identity::default(), Dialect::OpenBao26, NOW);
    assert!(allowed(&acl, Operation::Read, "team/a/x") && allowed(&acl, Operation::Update, "team/a/x/y"));
    assert!(!allowed(&acl, Operation::Update, "team/x") && !allowed(&acl, Operation::Read, "x"));
    assert_eq!(acl.rules().iter().map(|rule| rule.pattern.as_str()).collect::<Vec<_>>(), ["team/a/*", "team/a/+"]);
}

#[test]
fn templates_that_are_open_are_told() {
    let rules = vec![
        rule("a/{{identity.entity.id}}/*", "deny"),
        rule("b/{{identity.groups.names.x.metadata.}}", "read"),
        rule("c/{{nothing}}", "read"),
        rule("d", "read"),
    ];
    let acl = of(&[rules], Dialect::Any);
    assert_eq!(acl.rules().len(), 1);
    let told: Vec<_> = acl.dropped().iter().map(|dropped| (dropped.open, dropped.is_deny())).collect();
    assert_eq!(told, [(true, true), (true, false), (false, false)]);
}

#[test]
fn one_slash_goes_after_filling() {
    let entity = super::super::template::EntityValues { metadata: [("none".into(), "".into())].into(), ..Default::default() };
    let identity = Identity { entity: Some(entity), ..Identity::default() };
    for (pattern, expected) in [
        ("{{identity.entity.metadata.none}}/x", "x"),
        ("/{{identity.entity.metadata.none}}/x", "/x"),
        ("/{{identity.entity.metadata.none}}x", "x"),
        ("/x", "/x"),
    ] {
        let (name, policy): (Name, Policy) = ("p".into(), Policy { rules: vec![rule(pattern, "read")] });
        let acl = Acl::new(
            &[Granted { name: &name, policy: &policy, flags: PolicyFlags::default(), namespace: "" }],
            &identity,
            Dialect::Any,
            NOW,
        );
        assert_eq!(acl.rules()[0].pattern, expected, "{pattern}");
    }
}

#[test]
fn a_value_that_is_refused_breaks_them_all() {
    let mut identity = Identity { entity: Some(super::super::template::EntityValues::default()), ..Identity::default() };
    identity.entity.as_mut().unwrap().metadata = [("bad".into(), "x+".into()), ("slash".into(), "a/b".into())].into();
    let of = |pattern: &str, dialect| {
        let (name, policy): (Name, Policy) = ("p".into(), Policy { rules: vec![rule("d", "read"), rule(pattern, "read")] });
        Acl::new(&[Granted { name: &name, policy: &policy, flags: PolicyFlags::default(), namespace: "" }], &identity, dialect, NOW)
    };
    for (pattern, dialect, broken) in [
        ("a/{{identity.entity.metadata.bad}}", Dialect::OpenBao26, true),
        ("a/{{identity.entity.metadata.bad}}", Dialect::Vault121, false),
        ("a/{{identity.entity.metadata.bad}}*", Dialect::Vault121, true),
        ("a/{{identity.entity.metadata.slash}}", Dialect::OpenBao26, true),
        ("a/{{identity.entity.metadata.slash}}", Dialect::Vault20, false),
        ("a/{{identity.entity.metadata.none}}", Dialect::OpenBao26, false),
    ] {
        let acl = of(pattern, dialect);
        assert_eq!(acl.broken().is_some(), broken, "{pattern} {dialect:?}");
        for operation in [Operation::Read, Operation::Help] {
            assert_eq!(allowed(&acl, operation, "d"), !broken, "{pattern} {dialect:?} {operation:?}");
        }
        assert_eq!(acl.capabilities("d") == ["deny"], broken);
    }
}

#[test]
fn hostile_policies_stay_cheap() {
    let many: Vec<Rule> = (0..100_000).map(|at| rule(&format!("a/+/x{at}/*"), "read")).collect();
    let nested: Vec<Rule> = (1..1_500).map(|length| rule(&format!("{}*", "n".repeat(length)), "read")).collect();
    let acl = of(&[many, nested], Dialect::OpenBao26);
    let long = "a/".repeat(10_000);
    for path in [long.as_str(), "a/b/x99999/y", &"n".repeat(20_000)] {
        for operation in [Operation::Read, Operation::List] {
            let _ = acl.decide(&Request::new(operation, path));
        }
    }
    assert!(allowed(&acl, Operation::Read, "a/b/x99999/y"));
    assert!(allowed(&acl, Operation::Read, &"n".repeat(3_000)));
    let plusses = one(&[(&"+/".repeat(10_000), "read")], Dialect::Any);
    assert!(allowed(&plusses, Operation::Read, &"x/".repeat(10_000)));
}
