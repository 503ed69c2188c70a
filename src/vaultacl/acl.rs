//! The rules of several policies together, and what they decide (`spec/vault.md` 1.3 to 1.6).

use serde_json::Value;

use super::capability::{Capabilities, Operation};
use super::dialect::Dialect;
use super::policy::{PatternKind, Policy};
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
    rules: Vec<Merged>,
    dropped: Vec<Dropped>,
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
}

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// What it does.
    pub operation: Operation,
    /// The path without `/v1/`; for LIST and SCAN with or without the slash that the server appends.
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
}

impl Acl {
    /// The ACL of policies as a token with this identity has them. `now` decides what has expired. O(rules × log rules).
    pub fn new(_policies: &[Granted<'_>], _identity: &Identity, dialect: Dialect, _now: Time) -> Self {
        Self { dialect, ..Self::default() }
    }

    /// The ACL of the root policy.
    pub fn root(dialect: Dialect) -> Self {
        Self { dialect, root: true, ..Self::default() }
    }

    /// Decides a request. O(log rules for exact and prefix rules + segment rules × parts).
    pub fn decide(&self, _request: &Request<'_>) -> Decision<'_> {
        Decision { allowed: self.root, root_privs: self.root, rule: None, why: (!self.root).then_some(Why::NoRule) }
    }

    /// What `sys/capabilities` would answer for a path: words in the server's order; `root` for root, `deny` for nothing.
    pub fn capabilities(&self, _path: &str) -> Vec<&'static str> {
        if self.root { vec!["root"] } else { vec!["deny"] }
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
}
