//! The rules of several policies together, and what they decide (`spec/vault.md` 1.3 to 1.6).

mod index;
mod limits;
mod merge;

use serde_json::Value;

use self::index::{Index, Winner};
use super::capability::{Capabilities, Capability, Operation};
use super::dialect::{Dialect, ListRule};
use super::policy::{Limits, PatternKind, Policy};
use super::template::Identity;
use crate::model::ids::Name;
use crate::model::time::Time;
use crate::model::vault::PolicyFlags;

/// A policy on its way into an ACL.
#[derive(Clone, Copy, Debug)]
pub struct Granted<'a> {
    /// Its name.
    pub name: &'a Name,
    /// What it says.
    pub policy: &'a Policy,
    /// What is said beside its text.
    pub flags: PolicyFlags,
    /// Vault namespace it is of, with a slash at its end; empty for the root.
    pub namespace: &'a str,
}

/// The merged rules of a token.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Acl {
    dialect: Dialect,
    root: bool,
    broken: Option<String>,
    rules: Vec<Merged>,
    index: Index,
    dropped: Vec<Dropped>,
    next_expiry: Option<Time>,
}

/// Rules of one pattern and kind, merged.
#[derive(Clone, Debug, PartialEq)]
pub struct Merged {
    /// The pattern with its templates filled in and its namespace in front.
    pub pattern: String,
    /// Its kind.
    pub kind: PatternKind,
    /// What it allows together.
    pub capabilities: Capabilities,
    /// It carries limits: what it allows, it allows under conditions.
    pub limited: bool,
    /// Those limits, merged.
    pub limits: Option<Box<Limits>>,
    /// The blocks that it was merged from, in the order of the policies: which policy, and on which line.
    pub from: Vec<Origin>,
}

/// A block of a policy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// The policy.
    pub policy: Name,
    /// The line of the block.
    pub line: u32,
    /// What this block alone allows.
    pub capabilities: Capabilities,
    /// The pattern as written.
    pub written: Name,
}

/// A block that does not count, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// The block.
    pub origin: Origin,
    /// Why, cleaned.
    pub why: String,
    /// Whether it may come back: what it becomes is not known, so it may grant or deny anything its pattern leaves open.
    pub open: bool,
    /// It is open because whoever logs in chooses the value.
    pub chosen: bool,
}

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// What it does.
    pub operation: Operation,
    /// The path without `/v1/`, its namespace in front; for LIST and SCAN with or without the slash that the server appends.
    pub path: &'a str,
    /// Parameters, if any: for a GET its query.
    pub data: Option<&'a serde_json::Map<String, Value>>,
    /// Seconds of the response wrapping asked for; none where none is asked for.
    pub wrap_ttl: Option<u64>,
}

impl<'a> Request<'a> {
    /// A plain request.
    pub const fn new(operation: Operation, path: &'a str) -> Self {
        Self { operation, path, data: None, wrap_ttl: None }
    }
}

/// What is decided.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision<'a> {
    /// Whether it is allowed.
    pub allowed: bool,
    /// `root_privs`: the winning rule has sudo, or the token is root.
    pub root_privs: bool,
    /// The rule that decided; none where none matched, or for root and HELP.
    pub rule: Option<&'a Merged>,
    /// Why not; none when allowed.
    pub why: Option<Why>,
}

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// No rule matches.
    NoRule,
    /// The winning rule denies.
    Denied,
    /// The winning rule lacks the capability.
    Lacks,
    /// The wrapping asked for is outside the limits.
    Wrapping,
    /// A required parameter is missing, or a given one not allowed.
    Parameters,
    /// OpenBao's `pagination_limit` is exceeded.
    Pagination,
    /// The server can't build an ACL of these policies: it answers every request with an error.
    Broken,
}

impl Why {
    /// In words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::NoRule => "no rule matches",
            Self::Denied => "the rule that wins denies",
            Self::Lacks => "the rule that wins lacks the capability",
            Self::Wrapping => "the wrapping asked for is outside the rule's limits",
            Self::Parameters => "a parameter is missing or not allowed by the rule",
            Self::Pagination => "the rule asks for a smaller page",
            Self::Broken => "the server can't build an ACL of these policies",
        }
    }
}

impl Dropped {
    /// Whether a deny is lost with it: what it was to refuse may be open.
    pub fn is_deny(&self) -> bool {
        self.origin.capabilities.has(Capability::Deny)
    }

    /// Whether what it may come back as can match a path: its text before the first template agrees with it. Without namespaces. O(length).
    pub fn may_touch(&self, path: &str) -> bool {
        let head = self.origin.written.split("{{").next().unwrap_or_default();
        self.open && (path.starts_with(head) || head.starts_with(path))
    }
}

impl Acl {
    /// The ACL of policies as a token with this identity has them. `now` decides what has expired. Of `root` together with other policies no
    /// server can build one: see [`Acl::broken`]. O(length of all rules × log rules).
    pub fn new(policies: &[Granted<'_>], identity: &Identity, dialect: Dialect, now: Time) -> Self {
        if let Some(root) = policies.iter().find(|granted| granted.name.eq_ignore_ascii_case("root")) {
            if policies.len() > 1 {
                return Self { broken: Some("other policies beside root".to_owned()), dialect, ..Self::default() };
            }
            if root.namespace.is_empty() || dialect == Dialect::OpenBao26 {
                return Self::root(dialect);
            }
            return Self { broken: Some("the root policy outside the root namespace".to_owned()), dialect, ..Self::default() };
        }
        merge::merge(policies, identity, dialect, now)
    }

    /// The ACL of the root policy.
    pub fn root(dialect: Dialect) -> Self {
        Self { dialect, root: true, ..Self::default() }
    }

    /// Decides a request. O(parts of the path × matching lengths + log rules, and for rules with `+` in it: those whose text before the first
    /// `+` fits × parts until they differ).
    pub fn decide(&self, request: &Request<'_>) -> Decision<'_> {
        if self.root {
            return Decision { allowed: true, root_privs: true, rule: None, why: None };
        }
        if self.broken.is_some() {
            return refuse(None, Why::Broken);
        }
        if request.operation == Operation::Help {
            return Decision { allowed: true, root_privs: false, rule: None, why: None };
        }
        let Some(rule) = self.winner(request.path, request.operation, true) else { return refuse(None, Why::NoRule) };
        if rule.capabilities.has(Capability::Deny) {
            return refuse(Some(rule), Why::Denied);
        }
        if !request.operation.needs().is_some_and(|needed| rule.capabilities.has(needed)) {
            return refuse(Some(rule), Why::Lacks);
        }
        let why = rule.limits.as_ref().and_then(|limits| limits::check(limits, request, self.dialect).err());
        let root_privs = rule.capabilities.has(Capability::Sudo);
        Decision { allowed: why.is_none(), root_privs, rule: Some(rule), why }
    }

    /// The rule that decides at a path, whatever it allows there. For root, for HELP and where nothing matches there is none. As [`Acl::decide`].
    pub fn ruling(&self, path: &str, operation: Operation) -> Option<&Merged> {
        if operation == Operation::Help { None } else { self.winner(path, operation, true) }
    }

    /// What `sys/capabilities` would answer for a path: words in the server's order, which is that of the alphabet; `root` for root, `deny` for
    /// nothing. The server answers as if a LIST was asked, without appending a slash. As [`Acl::decide`].
    pub fn capabilities(&self, path: &str) -> Vec<&'static str> {
        if self.root {
            return vec!["root"];
        }
        if self.broken.is_some() {
            return vec!["deny"];
        }
        let Some(rule) = self.winner(path, Operation::List, false).filter(|rule| !rule.capabilities.denies()) else { return vec!["deny"] };
        let mut words: Vec<&'static str> = rule.capabilities.iter().map(Capability::word).collect();
        words.sort_unstable();
        words
    }

    /// Why the server can't build this ACL, in words; it then answers every request of the token with an error.
    pub fn broken(&self) -> Option<&str> {
        self.broken.as_deref()
    }

    /// When one of its blocks or policies expires first.
    pub const fn next_expiry(&self) -> Option<Time> {
        self.next_expiry
    }

    /// The merged rules, sorted by pattern.
    pub fn rules(&self) -> &[Merged] {
        &self.rules
    }

    /// Blocks that do not count.
    pub fn dropped(&self) -> &[Dropped] {
        &self.dropped
    }

    /// Whose rules apply.
    pub const fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Whether it is root's.
    pub const fn is_root(&self) -> bool {
        self.root
    }

    /// The rule that wins. `append` the slash that the HTTP layer appends to a LIST or SCAN.
    fn winner(&self, path: &str, operation: Operation, append: bool) -> Option<&Merged> {
        let path = path.trim_start_matches('/');
        let listing = matches!(operation, Operation::List | Operation::Scan);
        if listing && append && !path.ends_with('/') {
            return self.wins(&format!("{path}/"), operation);
        }
        self.wins(path, operation)
    }

    fn wins(&self, path: &str, operation: Operation) -> Option<&Merged> {
        let listing = matches!(operation, Operation::List | Operation::Scan);
        if let Some(rule) = self.exact(path) {
            return Some(rule);
        }
        let Some(trimmed) = path.strip_suffix('/').filter(|_| listing) else { return self.best(path) };
        if let Some(rule) = self.exact(trimmed) {
            return Some(rule);
        }
        match (self.dialect.list_rule(), operation) {
            (ListRule::Full, _) | (ListRule::TrimmedFull, Operation::Scan) => self.best(path),
            (ListRule::TrimmedFull, _) => self.best(trimmed).or_else(|| self.best(path)),
            (ListRule::FullTrimmed, _) => self.best(path).or_else(|| self.best(trimmed)),
            (ListRule::Resolve, _) => self.resolved(path, trimmed),
        }
    }

    fn exact(&self, path: &str) -> Option<&Merged> {
        let at = self.rules.binary_search_by(|rule| rule.pattern.as_str().cmp(path)).ok()?;
        self.rules.get(at).filter(|rule| rule.kind == PatternKind::Exact)
    }

    fn best(&self, path: &str) -> Option<&Merged> {
        self.rules.get(self.index.best(&self.rules, path)?.rule)
    }

    /// Vault 2.0: of everything that matches either form, the best deny unless a rule that lists outranks it; else the best rule that
    /// lists; else the best.
    fn resolved(&self, path: &str, trimmed: &str) -> Option<&Merged> {
        let mut pool = Vec::new();
        self.index.all(&self.rules, path, &mut pool);
        self.index.all(&self.rules, trimmed, &mut pool);
        let best = |wanted: Option<Capability>| -> Option<Winner<'_>> {
            let has = |winner: &&Winner<'_>| {
                wanted.is_none_or(|capability| self.rules.get(winner.rule).is_some_and(|r| r.capabilities.has(capability)))
            };
            pool.iter().filter(has).max().copied()
        };
        let chosen = match (best(Some(Capability::Deny)), best(Some(Capability::List))) {
            (Some(deny), Some(lists)) if lists > deny => lists,
            (Some(deny), _) => deny,
            (None, Some(lists)) => lists,
            (None, None) => best(None)?,
        };
        self.rules.get(chosen.rule)
    }
}

const fn refuse(rule: Option<&Merged>, why: Why) -> Decision<'_> {
    let root_privs = match rule {
        Some(rule) => rule.capabilities.has(Capability::Sudo),
        None => false,
    };
    Decision { allowed: false, root_privs, rule, why: Some(why) }
}

#[cfg(test)]
mod tests;
