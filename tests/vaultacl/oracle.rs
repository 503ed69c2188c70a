//! The judge: what `spec/vault.md` 1.2 to 1.6 says, as plainly as it says it. Every rule is looked at for every question, nothing is
//! remembered, and no helper of the crate is used beyond its data types.

use std::collections::{BTreeMap, BTreeSet};

use partywall::model::time::Time;
use partywall::vaultacl::capability::{Capabilities, Capability, Operation};
use partywall::vaultacl::dialect::Dialect;
use partywall::vaultacl::policy::{PatternKind, Rule};
use serde_json::{Map, Value};

use crate::oracle_values;

/// A block whose templates are filled in, with the namespace of its policy.
#[derive(Clone, Debug)]
pub struct Block {
    pub namespace: String,
    pub rule: Rule,
}

/// Blocks of one pattern and kind together.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// For a prefix without the star; for a segment pattern with it.
    pub pattern: String,
    pub kind: Option<PatternKind>,
    pub capabilities: Capabilities,
    pub allowed: BTreeMap<String, Vec<Value>>,
    pub denied: BTreeMap<String, Vec<Value>>,
    pub required: BTreeSet<String>,
    pub min_wrap: u64,
    pub max_wrap: u64,
    pub pagination: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub allowed: bool,
    pub root_privs: bool,
    /// The winning pattern, prefixes with their star.
    pub rule: Option<(PatternKind, String)>,
}

pub struct Oracle {
    dialect: Dialect,
    rules: Vec<Known>,
}

/// 1.2: segment before prefix before exact.
fn kind_of(pattern: &str) -> PatternKind {
    if pattern == "+" || pattern.starts_with("+/") || pattern.contains("/+") {
        PatternKind::Segment
    } else if pattern.ends_with('*') {
        PatternKind::Prefix
    } else {
        PatternKind::Exact
    }
}

fn denies(capabilities: Capabilities) -> bool {
    capabilities.has(Capability::Deny)
}

/// The smallest that is not zero.
fn smallest(a: u64, b: u64) -> u64 {
    [a, b].into_iter().filter(|n| *n > 0).min().unwrap_or(0)
}

fn join(into: &mut BTreeMap<String, Vec<Value>>, more: Option<&BTreeMap<String, Vec<Value>>>) {
    for (key, values) in more.into_iter().flatten() {
        // found by asking: both servers hold the policy's keys in lower case
        let key = key.to_lowercase();
        match into.get_mut(&key) {
            None => drop(into.insert(key, values.clone())),
            Some(have) if have.is_empty() || values.is_empty() => have.clear(),
            Some(have) => have.extend(values.iter().cloned()),
        }
    }
}

impl Known {
    fn of(block: &Block) -> Self {
        let whole = format!("{}{}", block.namespace, block.rule.pattern);
        let kind = kind_of(&whole);
        let pattern = if kind == PatternKind::Prefix { whole[..whole.len() - 1].to_owned() } else { whole };
        let mut known = Self { pattern, kind: Some(kind), ..Self::default() };
        known.add(&block.rule);
        known
    }

    /// 1.5.
    fn add(&mut self, rule: &Rule) {
        if denies(self.capabilities) {
            return;
        }
        if denies(rule.capabilities) {
            let (pattern, kind) = (self.pattern.clone(), self.kind);
            *self = Self { pattern, kind, capabilities: Capabilities::of(Capability::Deny), ..Self::default() };
            return;
        }
        self.capabilities = self.capabilities.or(rule.capabilities);
        let Some(limits) = &rule.limits else { return };
        join(&mut self.allowed, limits.allowed.as_ref());
        join(&mut self.denied, limits.denied.as_ref());
        self.required.extend(limits.required.iter().cloned());
        self.min_wrap = smallest(self.min_wrap, limits.min_wrap);
        self.max_wrap = smallest(self.max_wrap, limits.max_wrap);
        self.pagination = smallest(self.pagination, limits.pagination);
    }

    fn kind(&self) -> PatternKind {
        self.kind.unwrap()
    }

    fn shown(&self) -> (PatternKind, String) {
        let star = if self.kind() == PatternKind::Prefix { "*" } else { "" };
        (self.kind(), format!("{}{star}", self.pattern))
    }

    fn open_ended(&self) -> bool {
        match self.kind() {
            PatternKind::Exact => false,
            PatternKind::Prefix => true,
            PatternKind::Segment => self.pattern.ends_with('*'),
        }
    }

    fn stem(&self) -> &str {
        if self.kind() == PatternKind::Segment { self.pattern.strip_suffix('*').unwrap_or(&self.pattern) } else { &self.pattern }
    }

    fn matches_segments(&self, path: &str) -> bool {
        let (wanted, given): (Vec<&str>, Vec<&str>) = (self.stem().split('/').collect(), path.split('/').collect());
        if given.len() < wanted.len() || (!self.open_ended() && given.len() != wanted.len()) {
            return false;
        }
        wanted.iter().enumerate().all(|(at, part)| {
            let last = at + 1 == wanted.len();
            *part == "+" || *part == given[at] || (self.open_ended() && last && given[at].starts_with(part))
        })
    }

    /// 1.3, second rule: the tiers, best last.
    fn rank(&self) -> (usize, bool, std::cmp::Reverse<usize>, usize, &str) {
        let prefix = self.kind() == PatternKind::Prefix;
        let offset = if prefix { self.pattern.len() } else { self.pattern.find('+').unwrap() };
        let pluses = if prefix { 0 } else { self.stem().split('/').filter(|part| *part == "+").count() };
        (offset, !self.open_ended(), std::cmp::Reverse(pluses), self.stem().len(), self.stem())
    }
}

impl Oracle {
    /// The blocks of all policies together.
    pub fn new(blocks: &[Block], dialect: Dialect, now: Time) -> Self {
        let mut rules: Vec<Known> = Vec::new();
        for block in blocks.iter().filter(|block| block.rule.expires.is_none_or(|end| now <= end)) {
            let known = Known::of(block);
            match rules.iter_mut().find(|have| have.kind == known.kind && have.pattern == known.pattern) {
                Some(have) => have.add(&block.rule),
                None => rules.push(known),
            }
        }
        Self { dialect, rules }
    }

    fn exact(&self, path: &str) -> Option<&Known> {
        self.rules.iter().find(|rule| rule.kind() == PatternKind::Exact && rule.pattern == path)
    }

    /// The longest prefix rule and all segment rules that match.
    fn candidates(&self, path: &str) -> Vec<&Known> {
        let prefixes = self.rules.iter().filter(|rule| rule.kind() == PatternKind::Prefix && path.starts_with(&rule.pattern));
        let longest = prefixes.max_by_key(|rule| rule.pattern.len());
        let segments = self.rules.iter().filter(|rule| rule.kind() == PatternKind::Segment && rule.matches_segments(path));
        longest.into_iter().chain(segments).collect()
    }

    fn best(&self, path: &str) -> Option<&Known> {
        self.candidates(path).into_iter().max_by(|a, b| a.rank().cmp(&b.rank()))
    }

    /// 1.4: `path` as the ACL sees it.
    fn winner_of_list(&self, path: &str, scan: bool) -> Option<&Known> {
        let trimmed = path.strip_suffix('/').unwrap_or(path);
        if let Some(rule) = self.exact(path).or_else(|| self.exact(trimmed)) {
            return Some(rule);
        }
        match self.dialect {
            Dialect::Vault113 => self.best(path),
            Dialect::OpenBao25 if scan => self.best(path),
            Dialect::Vault115 | Dialect::Vault121 | Dialect::OpenBao25 => self.best(trimmed).or_else(|| self.best(path)),
            Dialect::OpenBao26 | Dialect::Any => self.best(path).or_else(|| self.best(trimmed)),
            // the pool is for what LIST asks: a path without its slash comes from sys/capabilities
            Dialect::Vault20 if !path.ends_with('/') => self.best(path),
            Dialect::Vault20 => {
                let mut pool = self.candidates(path);
                pool.extend(self.candidates(trimmed));
                pool.sort_by(|a, b| b.rank().cmp(&a.rank()));
                let deny = pool.iter().find(|rule| denies(rule.capabilities));
                let grant = pool.iter().find(|rule| rule.capabilities.has(Capability::List));
                match (deny, grant) {
                    (Some(deny), Some(grant)) if deny.rank() > grant.rank() => Some(deny),
                    (Some(deny), None) => Some(deny),
                    (_, Some(grant)) => Some(grant),
                    (None, None) => pool.first().copied(),
                }
            }
        }
    }

    fn winner(&self, operation: Operation, path: &str) -> Option<&Known> {
        let path = path.trim_start_matches('/');
        match operation {
            Operation::List | Operation::Scan => {
                let slash = if path.ends_with('/') { path.to_owned() } else { format!("{path}/") };
                self.winner_of_list(&slash, operation == Operation::Scan)
            }
            _ => self.exact(path).or_else(|| self.best(path)),
        }
    }

    /// 1.3 to 1.6.
    pub fn decide(&self, operation: Operation, path: &str, data: Option<&Map<String, Value>>, wrap_ttl: Option<u64>) -> Verdict {
        if operation == Operation::Help {
            return Verdict { allowed: true, root_privs: false, rule: None };
        }
        let Some(rule) = self.winner(operation, path) else { return Verdict { allowed: false, root_privs: false, rule: None } };
        let needed = match operation {
            Operation::Read | Operation::Help => Capability::Read,
            Operation::List => Capability::List,
            Operation::Update => Capability::Update,
            Operation::Create => Capability::Create,
            Operation::Delete => Capability::Delete,
            Operation::Patch => Capability::Patch,
            Operation::Scan => Capability::Scan,
            Operation::Recover => Capability::Recover,
        };
        let none = Map::new();
        let data = data.unwrap_or(&none);
        let listing = matches!(operation, Operation::List | Operation::Scan);
        let allowed = rule.capabilities.has(needed)
            && !denies(rule.capabilities)
            && wrapping(rule, wrap_ttl)
            && (operation == Operation::Delete || listing || self.parameters(rule, data))
            && (!listing || pagination(rule, data));
        Verdict { allowed, root_privs: rule.capabilities.has(Capability::Sudo), rule: Some(rule.shown()) }
    }

    /// 1.6, after the wrapping.
    fn parameters(&self, rule: &Known, data: &Map<String, Value>) -> bool {
        if rule.required.iter().any(|key| !data.contains_key(&key.to_lowercase())) {
            return false;
        }
        if data.is_empty() {
            return true;
        }
        if rule.denied.contains_key("*") {
            return false;
        }
        let lower = |key: &String| key.to_lowercase();
        let denied = |(key, value): (&String, &Value)| {
            rule.denied.get(&lower(key)).is_some_and(|list| oracle_values::denied(value, list, self.dialect))
        };
        if data.iter().any(denied) {
            return false;
        }
        let all = rule.allowed.contains_key("*");
        if rule.allowed.is_empty() || (all && rule.allowed.len() == 1) {
            return true;
        }
        data.iter().all(|(key, value)| match rule.allowed.get(&lower(key)) {
            Some(list) => oracle_values::allowed(value, list, self.dialect),
            None => all,
        })
    }

    /// `sys/capabilities`: as if for LIST, but no slash is added; words by the alphabet.
    pub fn capabilities(&self, path: &str) -> Vec<&'static str> {
        let rule = self.winner_of_list(path.trim_start_matches('/'), false);
        let capabilities = rule.map_or(Capabilities::NONE, |rule| rule.capabilities);
        let words: BTreeSet<&'static str> = capabilities.iter().map(Capability::word).collect();
        if words.is_empty() || words.contains("deny") { vec!["deny"] } else { words.into_iter().collect() }
    }
}

/// A limit refuses a request that is not wrapped at all; both servers ask this of every operation.
fn wrapping(rule: &Known, ttl: Option<u64>) -> bool {
    let ttl = ttl.filter(|ttl| *ttl > 0);
    let max = rule.max_wrap == 0 || ttl.is_some_and(|ttl| ttl <= rule.max_wrap);
    let min = rule.min_wrap == 0 || ttl.is_some_and(|ttl| ttl >= rule.min_wrap);
    max && min && (rule.min_wrap == 0 || rule.max_wrap == 0 || rule.min_wrap <= rule.max_wrap)
}

/// OpenBao: fills in or caps `limit`, refuses larger ones and what is no number but `max`; a missing one only where it is required.
fn pagination(rule: &Known, data: &Map<String, Value>) -> bool {
    if rule.pagination == 0 {
        return true;
    }
    match data.get("limit") {
        None => !rule.required.iter().any(|key| key.to_lowercase() == "limit"),
        Some(Value::String(word)) if word == "max" => true,
        Some(value) => {
            let of_word = |word: &str| if word.is_empty() { Some(0) } else { word.parse().ok() };
            let number = value.as_i64().or_else(|| value.as_str().and_then(of_word));
            number.is_some_and(|number: i64| (0..=rule.pagination as i64).contains(&number))
        }
    }
}
