//! Which rule decides about a path, and what it grants.

use std::collections::{BTreeMap, BTreeSet};

use super::hcl::Block;

/// What a request wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Read,
    List,
    Scan,
    /// Create or update, not yet known which.
    Write,
    Create,
    Update,
    Delete,
    Patch,
}

impl Operation {
    fn capability(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::List => "list",
            Self::Scan => "scan",
            Self::Create => "create",
            Self::Write | Self::Update => "update",
            Self::Delete => "delete",
            Self::Patch => "patch",
        }
    }
}

/// The merged rules of a token.
#[derive(Debug, Default)]
pub(crate) struct Acl {
    rules: BTreeMap<String, BTreeSet<String>>,
    root: bool,
}

/// How well a rule fits a path; the larger wins.
type Rank<'a> = (usize, bool, std::cmp::Reverse<usize>, usize, &'a str);

impl Acl {
    /// The built-in root policy.
    pub(crate) fn root() -> Self {
        Self { rules: BTreeMap::new(), root: true }
    }

    /// Merges blocks: same pattern, union of capabilities, any deny denies.
    pub(crate) fn merge(blocks: impl IntoIterator<Item = Block>) -> Self {
        let mut rules: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for block in blocks {
            rules.entry(block.pattern).or_default().extend(block.capabilities);
        }
        Self { rules, root: false }
    }

    /// Whether an operation on a path is allowed. Paths of lists end in a slash.
    pub(crate) fn allows(&self, path: &str, operation: Operation) -> bool {
        self.root || self.capabilities_for(path, operation).iter().any(|c| c == operation.capability())
    }

    /// The capabilities on a path, as `sys/capabilities-self` tells them.
    pub(crate) fn capabilities(&self, path: &str) -> Vec<String> {
        if self.root {
            return vec!["root".into()];
        }
        // asked as if for a list
        let list = self.capabilities_for(path, Operation::List);
        if list.is_empty() { vec!["deny".into()] } else { list }
    }

    fn capabilities_for(&self, path: &str, operation: Operation) -> Vec<String> {
        let listing = matches!(operation, Operation::List | Operation::Scan);
        let trimmed = path.strip_suffix('/').filter(|_| listing);
        let exact = |p: &str| self.rules.get(p).filter(|_| !is_segment(p) && !p.ends_with('*'));
        let found =
            exact(path).or_else(|| trimmed.and_then(exact)).or_else(|| self.best(path)).or_else(|| trimmed.and_then(|p| self.best(p)));
        match found {
            Some(set) if set.contains("deny") => Vec::new(),
            Some(set) => set.iter().cloned().collect(),
            None => Vec::new(),
        }
    }

    /// The winner among the open rules: the longest prefix rule and all segment rules.
    fn best(&self, path: &str) -> Option<&BTreeSet<String>> {
        self.rules
            .iter()
            .filter_map(|(pattern, set)| rank(pattern, path).map(|r| (r, set)))
            .max_by(|a, b| a.0.cmp(&b.0))
            .map(|(_, set)| set)
    }
}

fn is_segment(pattern: &str) -> bool {
    pattern == "+" || pattern.starts_with("+/") || pattern.contains("/+")
}

fn rank<'a>(pattern: &'a str, path: &str) -> Option<Rank<'a>> {
    let open = pattern.strip_suffix('*');
    let stem = open.unwrap_or(pattern);
    if !is_segment(pattern) {
        let fits = open.is_some() && path.starts_with(stem);
        return fits.then_some((stem.len(), false, std::cmp::Reverse(0), stem.len(), pattern));
    }
    let wanted: Vec<&str> = stem.split('/').collect();
    let given: Vec<&str> = path.split('/').collect();
    let count = if open.is_some() { given.len() >= wanted.len() } else { given.len() == wanted.len() };
    let last = wanted.len() - 1;
    let fits = count
        && wanted
            .iter()
            .zip(&given)
            .enumerate()
            .all(|(n, (w, g))| *w == "+" || w == g || (open.is_some() && n == last && g.starts_with(w)));
    let pluses = wanted.iter().filter(|w| **w == "+").count();
    fits.then(|| (pattern.find('+').unwrap_or_default(), open.is_none(), std::cmp::Reverse(pluses), stem.len(), pattern))
}

#[cfg(test)]
mod tests {
    use super::{Acl, Operation};
    use crate::demo::vault::hcl::parse;

    #[test]
    fn the_most_specific_rule_decides() {
        let acl = Acl::merge(
            parse(
                r#"path "secret/data/acme" { capabilities = ["read"] }
                   path "secret/data/acme/*" { capabilities = ["read", "list"] }
                   path "secret/data/+/shared" { capabilities = ["deny"] }
                   path "foo/a*" { capabilities = ["read"] }
                   path "foo/+" { capabilities = ["update"] }
                   path "kv/metadata/*" { capabilities = ["list"] }
                   path "kv/metadata/private/*" { capabilities = ["deny"] }"#,
            )
            .unwrap(),
        );
        for (path, operation, expected) in [
            ("secret/data/acme", Operation::Read, true),
            ("secret/data/acme/db", Operation::Read, true),
            ("secret/data/acme/shared", Operation::Read, true),
            ("secret/data/globex/shared", Operation::Read, false),
            ("secret/data/globex", Operation::Read, false),
            ("foo/abc", Operation::Read, true),
            ("foo/abc", Operation::Update, false),
            ("foo/b", Operation::Update, true),
            ("kv/metadata/", Operation::List, true),
            ("kv/metadata/private/", Operation::List, false),
        ] {
            assert_eq!(acl.allows(path, operation), expected, "{path} {operation:?}");
        }
        assert_eq!(acl.capabilities("nowhere"), ["deny"]);
        assert!(Acl::root().allows("anything", Operation::Delete));
    }
}
