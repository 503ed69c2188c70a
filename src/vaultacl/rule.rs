//! One `path` block of a policy.

use std::collections::BTreeSet;

/// What a rule may allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Capability {
    /// Refuses, whatever else is listed.
    Deny,
    /// `create`.
    Create,
    /// `read`.
    Read,
    /// `update`.
    Update,
    /// `delete`.
    Delete,
    /// `list`.
    List,
    /// `sudo`.
    Sudo,
    /// `patch`.
    Patch,
    /// `subscribe`, Vault only.
    Subscribe,
    /// `recover`, Vault only.
    Recover,
    /// `scan`, OpenBao only.
    Scan,
}

/// Every capability by its word.
const WORDS: [(&str, Capability); 11] = [
    ("deny", Capability::Deny),
    ("create", Capability::Create),
    ("read", Capability::Read),
    ("update", Capability::Update),
    ("delete", Capability::Delete),
    ("list", Capability::List),
    ("sudo", Capability::Sudo),
    ("patch", Capability::Patch),
    ("subscribe", Capability::Subscribe),
    ("recover", Capability::Recover),
    ("scan", Capability::Scan),
];

/// The legacy word `policy = "..."` (`spec/vault.md` 1.1).
const LEGACY: [(&str, &[Capability]); 4] = [
    ("deny", &[Capability::Deny]),
    ("read", &[Capability::Read, Capability::List]),
    ("write", &[Capability::Create, Capability::Read, Capability::Update, Capability::Delete, Capability::List]),
    ("sudo", &[Capability::Create, Capability::Read, Capability::Update, Capability::Delete, Capability::List, Capability::Sudo]),
];

/// Keys of a path block; the ones marked restrict what the rule allows.
const KEYS: [(&str, bool); 13] = [
    ("policy", false),
    ("capabilities", false),
    ("comment", false),
    ("allowed_parameters", true),
    ("denied_parameters", true),
    ("required_parameters", true),
    ("min_wrapping_ttl", true),
    ("max_wrapping_ttl", true),
    ("mfa_methods", true),
    ("control_group", true),
    ("subscribe_event_types", false),
    ("pagination_limit", true),
    ("list_scan_response_keys_filter_path", true),
];

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathRule {
    /// The pattern, without a leading slash, templates as written.
    pub pattern: String,
    /// What it allows. With [`Capability::Deny`] it allows nothing and holds nothing else.
    pub capabilities: BTreeSet<Capability>,
    /// It carries limits (parameters, wrapping, control groups): it allows at most what it says.
    pub limited: bool,
}

/// Why a policy can't be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct Unreadable {
    /// Line, from 1; 0 where there is none.
    pub line: usize,
    /// What is not understood, cleaned.
    pub what: String,
}

impl Unreadable {
    /// From a line and words that may hold foreign text.
    pub fn new(line: usize, what: &str) -> Self {
        Self { line, what: crate::model::text::clean_to(what, 160) }
    }
}

/// What a block's keys said, before it is a rule.
#[derive(Default)]
pub(super) struct Draft {
    capabilities: BTreeSet<Capability>,
    limited: bool,
}

impl Draft {
    /// Whether a key is one of a path block's; refuses others.
    pub fn key(&mut self, key: &str, line: usize) -> Result<(), Unreadable> {
        // an expiration is a date that a reader without a clock can't weigh
        let known = KEYS.iter().find(|(name, _)| *name == key).ok_or_else(|| Unreadable::new(line, &format!("unknown key \"{key}\"")))?;
        self.limited |= known.1;
        Ok(())
    }

    /// One word of `capabilities`.
    pub fn capability(&mut self, word: &str, line: usize) -> Result<(), Unreadable> {
        let known =
            WORDS.iter().find(|(name, _)| *name == word).ok_or_else(|| Unreadable::new(line, &format!("unknown capability \"{word}\"")))?;
        self.capabilities.insert(known.1);
        Ok(())
    }

    /// The word of `policy`.
    pub fn legacy(&mut self, word: &str, line: usize) -> Result<(), Unreadable> {
        let known =
            LEGACY.iter().find(|(name, _)| *name == word).ok_or_else(|| Unreadable::new(line, &format!("unknown policy \"{word}\"")))?;
        self.capabilities.extend(known.1);
        Ok(())
    }

    /// The rule.
    pub fn rule(mut self, label: &str, line: usize) -> Result<PathRule, Unreadable> {
        let pattern = label.strip_prefix('/').unwrap_or(label);
        if pattern.contains("+*") {
            return Err(Unreadable::new(line, "a pattern may not hold +*"));
        }
        if self.capabilities.contains(&Capability::Deny) {
            self.capabilities = [Capability::Deny].into();
        }
        Ok(PathRule { pattern: pattern.to_owned(), capabilities: self.capabilities, limited: self.limited })
    }
}
