//! What holds of every set of policies.

use proptest::prelude::*;

use super::*;

fn part() -> impl Strategy<Value = &'static str> {
    prop_oneof![4 => Just("a"), 4 => Just("b"), 2 => Just("ab"), 3 => Just("+"), 1 => Just(""), 1 => Just("+a"), 1 => Just("a+")]
}

fn pattern() -> impl Strategy<Value = String> {
    (proptest::collection::vec(part(), 1..5), proptest::bool::weighted(0.4))
        .prop_map(|(parts, open)| format!("{}{}", parts.join("/"), if open { "*" } else { "" }))
        .prop_filter("the servers refuse it", |pattern| !pattern.contains("+*") && !pattern.starts_with('/'))
}

fn block() -> impl Strategy<Value = Rule> {
    let words = ["read", "list", "update read", "create", "deny", "", "sudo read list", "delete patch"];
    (pattern(), proptest::sample::select(words.to_vec())).prop_map(|(pattern, words)| rule(&pattern, words))
}

fn policies() -> impl Strategy<Value = Vec<Vec<Rule>>> {
    proptest::collection::vec(proptest::collection::vec(block(), 0..6), 1..4)
}

fn path() -> impl Strategy<Value = String> {
    proptest::collection::vec(prop_oneof![Just("a"), Just("b"), Just("ab"), Just(""), Just("c"), Just("+a")], 1..5)
        .prop_map(|parts| parts.join("/"))
}

fn every_operation() -> impl Iterator<Item = (Operation, Capability)> {
    crate::vaultacl::capability::OPERATIONS.into_iter().filter_map(|(_, operation)| Some((operation, operation.needs()?)))
}

proptest! {
    #[test]
    fn order_never_matters(policies in policies(), path in path(), dialect in proptest::sample::select(DIALECTS.to_vec())) {
        let forth = of(&policies, dialect);
        let back = of(&policies.iter().rev().map(|rules| rules.iter().rev().cloned().collect()).collect::<Vec<_>>(), dialect);
        prop_assert_eq!(forth.capabilities(&path), back.capabilities(&path));
        for (operation, _) in every_operation() {
            prop_assert_eq!(allowed(&forth, operation, &path), allowed(&back, operation, &path));
        }
    }

    #[test]
    fn one_policy_or_many(policies in policies(), path in path(), dialect in proptest::sample::select(DIALECTS.to_vec())) {
        let joined = of(&[policies.concat()], dialect);
        prop_assert_eq!(of(&policies, dialect).capabilities(&path), joined.capabilities(&path));
    }

    #[test]
    fn a_deny_of_the_exact_path_always_holds(policies in policies(), path in path(), dialect in proptest::sample::select(DIALECTS.to_vec())) {
        prop_assume!(PatternKind::of(&path) == PatternKind::Exact && !path.starts_with('/'));
        let mut with = policies;
        with.push(vec![rule(&path, "deny")]);
        let acl = of(&with, dialect);
        prop_assert_eq!(acl.capabilities(&path), vec!["deny"]);
        for (operation, _) in every_operation().filter(|(operation, _)| !matches!(operation, Operation::List | Operation::Scan)) {
            prop_assert!(!allowed(&acl, operation, &path));
        }
    }

    #[test]
    fn a_deny_added_to_a_pattern_never_adds(policies in policies(), path in path(), at in any::<prop::sample::Index>(), dialect in proptest::sample::select(DIALECTS.to_vec())) {
        let patterns: Vec<String> = policies.concat().into_iter().map(|rule| rule.pattern).collect();
        prop_assume!(!patterns.is_empty());
        let mut with = policies.clone();
        with.push(vec![rule(&patterns[at.index(patterns.len())], "deny")]);
        let (before, after) = (of(&policies, dialect), of(&with, dialect));
        for (operation, _) in every_operation() {
            prop_assert!(allowed(&before, operation, &path) || !allowed(&after, operation, &path));
        }
    }

    #[test]
    fn decisions_agree_with_capabilities(policies in policies(), path in path(), dialect in proptest::sample::select(DIALECTS.to_vec())) {
        // Without a slash at its end a LIST's rule is that of a read but for an exact rule.
        prop_assume!(!path.ends_with('/'));
        let acl = of(&policies, dialect);
        let words = acl.capabilities(&path);
        for (operation, needed) in every_operation().filter(|(operation, _)| !matches!(operation, Operation::List | Operation::Scan)) {
            prop_assert_eq!(allowed(&acl, operation, &path), words.contains(&needed.word()), "{:?} {:?}", operation, words);
        }
    }

    #[test]
    fn the_index_finds_what_a_plain_search_finds(policies in policies(), path in path()) {
        let acl = of(&policies, Dialect::Vault113);
        let path = path.trim_start_matches('/');
        let found = acl.ruling(path, Operation::Read).map(|rule| rule.pattern.as_str());
        prop_assert_eq!(found, plain(acl.rules(), path));
    }

    #[test]
    fn nothing_panics(texts in proptest::collection::vec("[a+*/{}. é]{0,12}", 0..8), path in "[a+*/ é]{0,20}", dialect in proptest::sample::select(DIALECTS.to_vec())) {
        let acl = of(&[texts.iter().map(|text| rule(text, "read list")).collect()], dialect);
        for (operation, _) in every_operation() {
            let _ = acl.decide(&Request::new(operation, &path));
        }
        let _ = acl.capabilities(&path);
    }
}

/// Section 1.3 as one reads it: every rule is tried, and the tiers are compared one by one.
fn plain<'a>(rules: &'a [Merged], path: &str) -> Option<&'a str> {
    if let Some(exact) = rules.iter().find(|rule| rule.kind == PatternKind::Exact && rule.pattern == path) {
        return Some(&exact.pattern);
    }
    let stem = |rule: &Merged| rule.pattern.strip_suffix('*').unwrap_or(&rule.pattern).to_owned();
    let longest =
        rules.iter().filter(|rule| rule.kind == PatternKind::Prefix && path.starts_with(&stem(rule))).max_by_key(|rule| rule.pattern.len());
    let segments = rules.iter().filter(|rule| rule.kind == PatternKind::Segment && segment_matches(&rule.pattern, path));
    let tiers = |rule: &&Merged| {
        let first = if rule.kind == PatternKind::Prefix { stem(rule).len() } else { rule.pattern.find('+').unwrap() };
        let pluses = if rule.kind == PatternKind::Prefix { 0 } else { stem(rule).split('/').filter(|part| *part == "+").count() };
        (first, !rule.pattern.ends_with('*'), usize::MAX - pluses, stem(rule).len(), stem(rule))
    };
    segments.chain(longest).max_by_key(tiers).map(|rule| rule.pattern.as_str())
}

fn segment_matches(pattern: &str, path: &str) -> bool {
    let (text, open) = pattern.strip_suffix('*').map_or((pattern, false), |text| (text, true));
    let (wanted, parts): (Vec<_>, Vec<_>) = (text.split('/').collect(), path.split('/').collect());
    if parts.len() < wanted.len() || (!open && parts.len() != wanted.len()) {
        return false;
    }
    (0..wanted.len())
        .all(|at| wanted[at] == "+" || wanted[at] == parts[at] || (open && at + 1 == wanted.len() && parts[at].starts_with(wanted[at])))
}
