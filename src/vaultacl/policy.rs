//! A policy as the server reads it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::capability::Capabilities;
use crate::model::time::Time;

/// A policy: its rules in the order written.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Policy {
    /// The rules.
    pub rules: Vec<Rule>,
}

/// One `path` block.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// The pattern as written, templates unresolved; one leading slash is stripped where there are none: with templates that is done when they
    /// are filled in.
    pub pattern: String,
    /// Line of the block's key, from 1.
    pub line: u32,
    /// What it allows. With a deny it holds nothing else.
    pub capabilities: Capabilities,
    /// Limits on what it allows; none where there are none.
    pub limits: Option<Box<Limits>>,
    /// OpenBao's `expiration`: the block counts until then.
    pub expires: Option<Time>,
}

/// Limits of a rule: with them it grants at most what it grants without.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Limits {
    /// `allowed_parameters`: key to values; an empty list means any value.
    pub allowed: Option<BTreeMap<String, Vec<Value>>>,
    /// `denied_parameters`.
    pub denied: Option<BTreeMap<String, Vec<Value>>>,
    /// `required_parameters`.
    pub required: Vec<String>,
    /// `min_wrapping_ttl` in seconds; 0 for none.
    pub min_wrap: u64,
    /// `max_wrapping_ttl` in seconds; 0 for none.
    pub max_wrap: u64,
    /// OpenBao's `pagination_limit`; 0 for none.
    pub pagination: u64,
    /// OpenBao's `list_scan_response_keys_filter_path`.
    pub keys_filter: Option<String>,
    /// `mfa_methods`.
    pub mfa: Vec<String>,
    /// `control_group` is given: somebody else has to agree first.
    pub control_group: bool,
}

/// Which of the three kinds a pattern is (`spec/vault.md` 1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PatternKind {
    /// One path.
    Exact,
    /// Everything that begins so.
    Prefix,
    /// With `+` for parts.
    Segment,
}

impl PatternKind {
    /// The kind of a pattern whose templates are filled in.
    pub fn of(pattern: &str) -> Self {
        if pattern == "+" || pattern.starts_with("+/") || pattern.contains("/+") {
            Self::Segment
        } else if pattern.ends_with('*') {
            Self::Prefix
        } else {
            Self::Exact
        }
    }

    /// As a word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Prefix => "prefix",
            Self::Segment => "segment",
        }
    }
}

/// Why a server would refuse a policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{what}", place(*.line))]
pub struct Refused {
    /// Line, from 1; 0 where there is none.
    pub line: u32,
    /// What is wrong, cleaned.
    pub what: String,
}

fn place(line: u32) -> String {
    if line == 0 { String::new() } else { format!("line {line}: ") }
}

/// How the words of a refusal by a bound of our own end.
pub(super) const NOT_READ: &str = "which partywall does not read";

impl Refused {
    /// From a line and words that may hold foreign text.
    pub fn at(line: u32, what: &str) -> Self {
        Self { line, what: crate::model::text::clean_to(what, 200) }
    }

    /// Whether it is a bound of our own reader: a server may well take the policy. Whatever a policy's text can bring into the words of
    /// another refusal stands in quotes before their end.
    pub fn is_ours(&self) -> bool {
        self.what.ends_with(NOT_READ)
    }
}
