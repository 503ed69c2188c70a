//! What `spec/vault.md` 1.1 to 1.5 says in words, as rows: policies, path, operation, what is decided. Every row was also given to a real
//! OpenBao or Vault where its dialect has one.

use partywall::vaultacl::capability::Operation::{self, Create, Delete, Help, List, Patch, Read, Scan, Update};
use partywall::vaultacl::dialect::{DIALECTS, Dialect};

use crate::both::Both;

/// The policies' shorthand: `pattern: words`, lines of one policy.
fn policy(short: &str) -> String {
    let block = |line: &str| {
        let (pattern, words) = line.rsplit_once(": ").unwrap();
        let words: Vec<String> = words.split_whitespace().filter(|word| *word != "-").map(|word| format!("{word:?}")).collect();
        format!("path \"{}\" {{ capabilities = [{}] }}\n", pattern.trim(), words.join(", "))
    };
    short.split(';').map(block).collect()
}

fn acl(policies: &[&str], dialect: Dialect) -> Both {
    let texts: Vec<String> = policies.iter().map(|short| policy(short)).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    Both::of(&texts, dialect)
}

type Row = (&'static str, &'static [&'static str], Operation, &'static str, bool);

/// Rows that every dialect decides alike.
const EVERYWHERE: &[Row] = &[
    // 1.2
    ("a prefix is a string prefix", &["secret/data/acme*: read"], Read, "secret/data/acme-corp/db", true),
    ("exact is one path", &["secret/data/acme: read"], Read, "secret/data/acme", true),
    ("exact does not cover below", &["secret/data/acme: read"], Read, "secret/data/acme/db", false),
    ("exact is not its slash", &["secret/data/acme: read"], Read, "secret/data/acme/", false),
    ("the slash is not exact", &["secret/data/acme/: read"], Read, "secret/data/acme", false),
    ("+ is one part", &["secret/data/+: read"], Read, "secret/data/acme", true),
    ("+ is not two parts", &["secret/data/+: read"], Read, "secret/data/acme/db", false),
    ("+ is an empty part", &["secret/data/+: read"], Read, "secret/data/", true),
    ("+ is a part, not its absence", &["secret/data/+: read"], Read, "secret/data", false),
    ("+ in a longer word is literal", &["a/+x: read"], Read, "a/+x", true),
    ("+ in a longer word is no wildcard", &["a/+x: read"], Read, "a/bx", false),
    ("+ behind a word makes no segment", &["a/x+: read"], Read, "a/x+", true),
    ("an open segment pattern needs its slash", &["a/+/*: read"], Read, "a/b", false),
    ("an open segment pattern takes an empty end", &["a/+/*: read"], Read, "a/b/", true),
    ("an open segment pattern takes everything after", &["a/+/*: read"], Read, "a/b/c/d", true),
    ("the last part of an open pattern is a prefix", &["a/+/b*: read"], Read, "a/x/bc/d", true),
    ("the last part of an open pattern is a prefix of its part", &["a/+/b*: read"], Read, "a/x/cb", false),
    ("a star in the middle is literal", &["a/*/b: read"], Read, "a/x/b", false),
    ("a star in the middle is a star", &["a/*/b: read"], Read, "a/*/b", true),
    ("of two stars one is literal", &["a**: read"], Read, "ab", false),
    ("of two stars one is a star", &["a**: read"], Read, "a*b", true),
    ("one leading slash of a pattern goes", &["/a: read"], Read, "a", true),
    ("the second leading slash of a pattern stays", &["//a: read"], Read, "a", false),
    ("all leading slashes of a path go", &["a: read"], Read, "///a", true),
    ("nothing is no path", &[": read"], Read, "a", false),
    // 1.3
    ("exact wins outright", &["a/b: update; a/*: read"], Read, "a/b", false),
    ("a narrow rule hides a wide grant", &["secret/*: read; secret/data/acme: update"], Read, "secret/data/acme", false),
    ("and grants its own", &["secret/*: read; secret/data/acme: update"], Update, "secret/data/acme", true),
    ("the longest prefix wins", &["a/*: read; a/b*: update"], Read, "a/bc", false),
    ("* beats +/*", &["*: read; +/*: update"], Read, "a/b", true),
    ("* beats +/*, the other way", &["*: read; +/*: update"], Update, "a/b", false),
    ("foo/a* beats foo/+", &["foo/a*: read; foo/+: update"], Read, "foo/ab", true),
    ("foo/+ beats foo/*", &["foo/+: read; foo/*: update"], Read, "foo/ab", true),
    ("a later first wildcard wins", &["foo/bar/+/baz: read; foo/+/bar/baz: deny"], Read, "foo/bar/bar/baz", true),
    ("closed beats open", &["foo/+/bar: read; foo/+/ba*: deny"], Read, "foo/x/bar", true),
    ("fewer + win", &["foo/+/bar/baz: read; foo/+/+/baz: deny"], Read, "foo/x/bar/baz", true),
    ("longer wins", &["foo/+/bar/ba*: read; foo/+/bar/b*: deny"], Read, "foo/x/bar/baz", true),
    ("the larger wins at last", &["+/b/+/d: read; +/+/c/d: deny"], Read, "a/b/c/d", true),
    ("a deny is not absolute", &["secret/data/+/shared: deny; secret/data/acme/*: read"], Read, "secret/data/acme/shared", true),
    (
        "a deny below does not cover the place itself",
        &["secret/data/globex/*: deny; secret/data/*: read"],
        Read,
        "secret/data/globex",
        true,
    ),
    ("nothing matches: refused", &["a: read"], Read, "b", false),
    ("HELP is always allowed", &["a: deny"], Help, "a", true),
    ("an empty list hides", &["a/*: read; a/b: -"], Read, "a/b", false),
    ("create is not update", &["a: create"], Update, "a", false),
    ("update is not create", &["a: update"], Create, "a", false),
    ("update is not patch", &["a: update"], Patch, "a", false),
    ("delete", &["a: delete"], Delete, "a", true),
    // 1.4, what does not depend
    ("LIST: exact with the slash", &["a/: list; a: deny"], List, "a", true),
    ("LIST: exact without the slash", &["a: list"], List, "a", true),
    ("LIST: exact without the slash beats patterns with it", &["a: deny; a/*: list; +/: list"], List, "a", false),
    ("LIST: exact with the slash beats exact without", &["a/: deny; a: list"], List, "a", false),
    ("LIST: given with its slash", &["a: list"], List, "a/", true),
    ("LIST: one slash only", &["a: list"], List, "a//", false),
    ("LIST is not READ", &["a/*: read"], List, "a/b", false),
    // 1.5
    ("capabilities of one pattern add up", &["a: read", "a: update"], Update, "a", true),
    ("a deny met after a grant", &["a: read", "a: deny"], Read, "a", false),
    ("a deny met before a grant", &["a: deny", "a: read"], Read, "a", false),
    ("a deny before a grant in one policy", &["a: deny; a: read"], Read, "a", false),
    ("a deny listed beside others", &["a: read deny update"], Update, "a", false),
    ("kinds do not merge: a prefix is not its exact twin", &["a*: deny", "a: read"], Read, "a", true),
    ("a leading slash makes no other pattern", &["/a: deny", "a: read"], Read, "a", false),
];

#[test]
fn what_every_dialect_decides_alike() {
    for dialect in DIALECTS {
        for (words, policies, operation, path, allowed) in EVERYWHERE {
            assert_eq!(acl(policies, dialect).allowed(*operation, path), *allowed, "{} in {}", words, dialect.word());
        }
    }
}

/// LIST where the dialects differ: policy, path, who allows it of full, trimmed-full, resolve, full-trimmed.
const LISTS: &[(&str, &str, &str, [bool; 4])] = &[
    ("the published bypass", "kv/metadata/*: list; kv/metadata/private/*: deny", "kv/metadata/private", [false, true, false, false]),
    (
        "a rule that neither denies nor grants list",
        "kv/metadata/*: list; kv/metadata/private/*: read",
        "kv/metadata/private",
        [false, true, true, false],
    ),
    ("the operator's pair", "auth/+/role: list; auth/+/role/*: read", "auth/kubernetes/role", [false, true, true, false]),
    ("only with the slash", "a/b/*: list", "a/b", [true, true, true, true]),
    ("only without the slash", "a/+: list", "a/b", [false, true, true, true]),
    ("+ denies without, grants with", "a/+: deny; a/+/: list", "a/b", [true, false, true, true]),
    ("+ grants without, denies with", "a/+: list; a/+/: deny", "a/b", [false, true, false, false]),
    ("a wide deny, a narrow grant", "a/*: deny; a/b/*: list", "a/b", [true, false, true, true]),
    ("a grant that outranks both", "a/+/*: deny; a/b*: list", "a/b", [true, true, true, true]),
];

#[test]
fn lists_by_dialect() {
    for (words, short, path, by_rule) in LISTS {
        for (dialect, allowed) in [
            (Dialect::Vault113, by_rule[0]),
            (Dialect::Vault115, by_rule[1]),
            (Dialect::Vault121, by_rule[1]),
            (Dialect::OpenBao25, by_rule[1]),
            (Dialect::Vault20, by_rule[2]),
            (Dialect::OpenBao26, by_rule[3]),
        ] {
            assert_eq!(acl(&[short], dialect).allowed(List, path), allowed, "{words} in {}", dialect.word());
        }
    }
}

#[test]
fn scans_follow_lists_but_in_the_old_openbao() {
    let short = "kv/metadata/*: list scan; kv/metadata/private/*: deny";
    assert!(!acl(&[short], Dialect::OpenBao25).allowed(Scan, "kv/metadata/private"), "SCAN takes the path with its slash");
    assert!(acl(&[short], Dialect::OpenBao25).allowed(List, "kv/metadata/private"));
    assert!(!acl(&[short], Dialect::OpenBao26).allowed(Scan, "kv/metadata/private"));
    let with_exact = "a: scan; a/*: deny";
    for dialect in [Dialect::OpenBao25, Dialect::OpenBao26] {
        assert!(acl(&[with_exact], dialect).allowed(Scan, "a"), "the exact rule without its slash counts for SCAN too");
    }
    let only_without = "a/+: scan";
    assert!(!acl(&[only_without], Dialect::OpenBao25).allowed(Scan, "a/b"));
    assert!(acl(&[only_without], Dialect::OpenBao26).allowed(Scan, "a/b"));
}

/// What OpenBao 2.7.2 and Vault 1.21.0 answered.
#[test]
fn capabilities_as_the_servers_word_them() {
    for dialect in [Dialect::OpenBao26, Dialect::Vault121] {
        let acl = acl(&["k1/a: update sudo read list; k1/b: deny; k1/e: -; k1/l: list; k1/x/: read; k1//y: read; k1/+/z: patch"], dialect);
        for (path, words) in [
            ("k1/a", &["list", "read", "sudo", "update"][..]),
            ("k1/a/", &["list", "read", "sudo", "update"]),
            ("k1/a//", &["deny"]),
            ("/k1/a", &["list", "read", "sudo", "update"]),
            ("//k1/a", &["list", "read", "sudo", "update"]),
            ("k1/b", &["deny"]),
            ("k1/d", &["deny"]),
            ("k1/e", &["deny"]),
            ("k1/l", &["list"]),
            ("k1/x", &["deny"]),
            ("k1/x/", &["read"]),
            ("k1//y", &["read"]),
            ("k1//z", &["patch"]),
            ("/", &["deny"]),
        ] {
            assert_eq!(acl.capabilities(path), words, "{path} in {}", dialect.word());
        }
    }
    let root = partywall::vaultacl::acl::Acl::root(Dialect::OpenBao26);
    assert_eq!(root.capabilities("any"), ["root"]);
}

#[test]
fn sudo_is_told_of_the_winning_rule_whatever_is_asked() {
    let acl = acl(&["a/*: sudo read; a/b: read; a/c: sudo"], Dialect::OpenBao26);
    for (path, operation, allowed, sudo) in [
        ("a/x", Read, true, true),
        ("a/x", Delete, false, true),
        ("a/b", Read, true, false),
        ("a/c", Read, false, true),
        ("x", Read, false, false),
    ] {
        let answer = acl.ask(operation, path, None, None);
        assert_eq!((answer.allowed, answer.root_privs), (allowed, sudo), "{operation:?} {path}");
    }
}

/// 1.1: `deny`, `read`, `write` and `sudo` of old.
#[test]
fn legacy_policies() {
    let row = |word: &str, rest: &str| format!("path \"a\" {{ policy = {word:?} {rest} }}");
    for dialect in [Dialect::OpenBao26, Dialect::Vault121, Dialect::Vault113] {
        for (word, rest, words) in [
            ("read", "", &["list", "read"][..]),
            ("write", "", &["create", "delete", "list", "read", "update"]),
            ("sudo", "", &["create", "delete", "list", "read", "sudo", "update"]),
            ("deny", "", &["deny"]),
            ("deny", "capabilities = [\"read\"]", &["deny"]),
            ("read", "capabilities = [\"patch\"]", &["list", "patch", "read"]),
            ("read", "capabilities = [\"deny\"]", &["deny"]),
        ] {
            let text = row(word, rest);
            assert_eq!(Both::of(&[&text], dialect).capabilities("a"), words, "{text}");
        }
    }
}

/// The seed's own policy: one level below is not covered, and nothing of the neighbour's is.
#[test]
fn the_seeds_policy_covers_one_path() {
    for dialect in DIALECTS {
        let narrow = acl(&["secret/data/web-tenant-acme: read"], dialect);
        assert!(narrow.allowed(Read, "secret/data/web-tenant-acme"));
        assert!(!narrow.allowed(Read, "secret/data/web-tenant-acme/db"));
        assert!(!narrow.allowed(Read, "secret/data/web-tenant-globex"));
        let wide = acl(&["secret/data/web-tenant-*: read"], dialect);
        assert!(wide.allowed(Read, "secret/data/web-tenant-globex"));
    }
}
