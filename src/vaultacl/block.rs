//! What a policy's blocks may say, by dialect, and the rules they become (`spec/vault.md` 1.1, 1.6).

use std::collections::BTreeMap;

use serde_json::Value;

use super::capability::{Capabilities, Capability};
use super::decode::{Decoder, Got, Node, Shape};
use super::dialect::Dialect;
use super::group::{self, Group};
use super::policy::{Limits, Policy, Refused, Rule};
use super::span;
use super::tree::{Item, Key, Val};

/// Who knows a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    All,
    /// Vault from 1.15.
    Vault115,
    /// Vault from 1.20.
    Vault120,
    OpenBao,
}

impl Who {
    const fn knows(self, dialect: Dialect) -> bool {
        match (self, dialect) {
            (Self::All, _) | (_, Dialect::Any) => true,
            (Self::Vault115, dialect) => matches!(dialect, Dialect::Vault115 | Dialect::Vault121 | Dialect::Vault20),
            (Self::Vault120, dialect) => matches!(dialect, Dialect::Vault121 | Dialect::Vault20),
            (Self::OpenBao, dialect) => dialect.is_openbao(),
        }
    }
}

/// Keys of a path block.
const KEYS: [(&str, Who); 14] = [
    ("comment", Who::All),
    ("policy", Who::All),
    ("capabilities", Who::All),
    ("allowed_parameters", Who::All),
    ("denied_parameters", Who::All),
    ("required_parameters", Who::All),
    ("min_wrapping_ttl", Who::All),
    ("max_wrapping_ttl", Who::All),
    ("mfa_methods", Who::All),
    ("control_group", Who::All),
    ("subscribe_event_types", Who::Vault115),
    ("pagination_limit", Who::OpenBao),
    ("expiration", Who::OpenBao),
    ("list_scan_response_keys_filter_path", Who::OpenBao),
];

/// Capabilities that not everyone knows.
const NEWER: [(Capability, Who); 3] =
    [(Capability::Subscribe, Who::Vault115), (Capability::Recover, Who::Vault120), (Capability::Scan, Who::OpenBao)];

use Capability::{Create, Delete, Deny, List, Read, Sudo, Update};

/// What the legacy `policy = "..."` stands for; `deny` is apart.
const LEGACY: [(&str, &[Capability]); 3] =
    [("read", &[Read, List]), ("write", &[Create, Read, Update, Delete, List]), ("sudo", &[Create, Read, Update, Delete, List, Sudo])];

/// A policy's own fields.
static HEAD: [(&str, Shape); 1] = [("name", Shape::Text)];

/// A path block's fields; `comment` is not looked at.
static BLOCK: [(&str, Shape); 12] = [
    ("policy", Shape::Text),
    ("capabilities", Shape::List(&Shape::Text)),
    ("min_wrapping_ttl", Shape::Any),
    ("max_wrapping_ttl", Shape::Any),
    ("allowed_parameters", Shape::Map(&Shape::List(&Shape::Any))),
    ("denied_parameters", Shape::Map(&Shape::List(&Shape::Any))),
    ("required_parameters", Shape::List(&Shape::Text)),
    ("mfa_methods", Shape::List(&Shape::Text)),
    ("subscribe_event_types", Shape::List(&Shape::Text)),
    ("pagination_limit", Shape::Int),
    ("expiration", Shape::Text),
    ("list_scan_response_keys_filter_path", Shape::Text),
];

/// The policy that a text's items are. O(size).
pub(super) fn policy(items: &[Item<'_>], dialect: Dialect) -> Result<Policy, Refused> {
    check_keys(items, |key| matches!(key, "name" | "path"))?;
    Decoder::new(1).decode(&Shape::Fields(&HEAD), &Node::items(items), None, false)?;
    let mut rules = Vec::with_capacity(items.len());
    for item in items {
        let Some((first, labels)) = item.keys.split_first() else { continue };
        if first.value.as_deref() == Some("path") {
            rules.push(rule(first, labels.first(), item, dialect)?);
        }
    }
    Ok(Policy { rules })
}

/// Refuses the first key that is not known.
pub(super) fn check_keys(items: &[Item<'_>], known: impl Fn(&str) -> bool) -> Result<(), Refused> {
    for item in items {
        match item.keys.first().map(|key| key.value.as_deref()) {
            Some(Some(key)) if known(key) => {}
            Some(Some(key)) => return Err(Refused::at(item.line(), &format!("invalid key {key:?}"))),
            _ => return Err(Refused::at(item.line(), "a key that can't be read")),
        }
    }
    Ok(())
}

fn rule(first: &Key<'_>, label: Option<&Key<'_>>, item: &Item<'_>, dialect: Dialect) -> Result<Rule, Refused> {
    let line = first.line;
    // a block without a label is a rule for the path `path`
    let written = label.map_or(Some("path"), |label| label.value.as_deref());
    let Some(written) = written else { return Err(Refused::at(line, "a path that can't be read")) };
    balanced(written, line)?;
    let Val::Object(items) = &item.val else { return Err(Refused::at(line, &format!("path {written:?}: expected a block in braces"))) };
    let known = |key: &str| KEYS.iter().any(|(name, who)| *name == key && who.knows(dialect));
    check_keys(items, known)?;
    let mut block = Block::decode(items, line)?;
    let group = group::decode(items, dialect)?;
    let expires = block.expires()?;
    // with templates the slash goes when they are filled in
    let pattern = written.strip_prefix('/').filter(|_| !written.contains("{{")).unwrap_or(written);
    if pattern.contains("+*") {
        return Err(Refused::at(line, &format!("path {pattern:?}: invalid use of wildcards ('+*' is forbidden)")));
    }
    let words = block.words()?;
    let capabilities = capabilities(&words, dialect).map_err(|what| Refused::at(block.line_of("capabilities"), &what))?;
    let limits = if capabilities.has(Deny) { None } else { block.limits(group, &words, capabilities)? };
    Ok(Rule { pattern: pattern.to_owned(), line, capabilities, limits, expires })
}

/// Every `{{` of a pattern has its `}}` before the next one.
fn balanced(pattern: &str, line: u32) -> Result<(), Refused> {
    let mut parts = pattern.split("{{");
    let outside = parts.next().unwrap_or_default();
    if outside.contains("}}") || parts.any(|part| part.matches("}}").count() != 1) {
        return Err(Refused::at(line, &format!("path {pattern:?}: unbalanced templating characters")));
    }
    Ok(())
}

/// A deny that comes before an unknown word hides it.
fn capabilities(words: &[String], dialect: Dialect) -> Result<Capabilities, String> {
    let mut set = Capabilities::NONE;
    for word in words {
        let known = super::capability::CAPABILITIES.iter().map(|(name, capability)| (*name, *capability)).find(|(name, _)| name == word);
        let usable = |capability: Capability| NEWER.iter().all(|(newer, who)| *newer != capability || who.knows(dialect));
        match known {
            Some((_, Deny)) => return Ok(Capabilities::of(Deny)),
            Some((_, capability)) if usable(capability) => set.insert(capability),
            _ => return Err(format!("invalid capability {word:?}")),
        }
    }
    Ok(set)
}

/// The decoded fields of a block.
struct Block<'n, 'a> {
    fields: Vec<Option<Got>>,
    items: &'n [Item<'a>],
    line: u32,
}

impl<'n, 'a> Block<'n, 'a> {
    fn decode(items: &'n [Item<'a>], line: u32) -> Result<Self, Refused> {
        let fields = match Decoder::new(line).decode(&Shape::Fields(&BLOCK), &Node::items(items), None, false)? {
            Got::Fields(fields) => fields,
            _ => Vec::new(),
        };
        Ok(Self { fields, items, line })
    }

    fn take(&mut self, name: &str) -> Option<Got> {
        let at = BLOCK.iter().position(|(field, _)| *field == name)?;
        self.fields.get_mut(at)?.take()
    }

    fn text(&mut self, name: &str) -> Option<String> {
        if let Some(Got::Text(text)) = self.take(name) { Some(text).filter(|text| !text.is_empty()) } else { None }
    }

    fn texts(&mut self, name: &str) -> Vec<String> {
        let Some(Got::List(list)) = self.take(name) else { return Vec::new() };
        list.into_iter().filter_map(|got| if let Got::Text(text) = got { Some(text) } else { None }).collect()
    }

    /// The line where a key stands first; the block's where it does not.
    fn line_of(&self, name: &str) -> u32 {
        let key = self.items.iter().find(|item| item.keys.first().is_some_and(|key| key.value.as_deref() == Some(name)));
        key.map_or(self.line, Item::line)
    }

    fn expires(&mut self) -> Result<Option<crate::model::time::Time>, Refused> {
        let line = self.line_of("expiration");
        let Some(text) = self.text("expiration") else { return Ok(None) };
        span::point(&text).map(Some).ok_or_else(|| Refused::at(line, &format!("invalid expiration time {text:?}")))
    }

    /// The words of `capabilities`, and what `policy` adds to them.
    fn words(&mut self) -> Result<Vec<String>, Refused> {
        let line = self.line_of("policy");
        let mut words = self.texts("capabilities");
        match self.text("policy").as_deref() {
            None => {}
            Some("deny") => words = vec!["deny".to_owned()],
            Some(legacy) => match LEGACY.iter().find(|(name, _)| *name == legacy) {
                Some((_, more)) => words.extend(more.iter().map(|capability| capability.word().to_owned())),
                None => return Err(Refused::at(line, &format!("invalid policy {legacy:?}"))),
            },
        }
        Ok(words)
    }

    fn limits(&mut self, group: Option<Group>, words: &[String], capabilities: Capabilities) -> Result<Option<Box<Limits>>, Refused> {
        let mut limits = Limits {
            allowed: self.parameters("allowed_parameters"),
            denied: self.parameters("denied_parameters"),
            mfa: self.texts("mfa_methods"),
            control_group: group.is_some(),
            ..Limits::default()
        };
        let (low, high) = (self.wrapping("min_wrapping_ttl")?, self.wrapping("max_wrapping_ttl")?);
        if let Some(group) = group {
            group.check(words, self.line_of("control_group"))?;
        }
        if low != 0 && high != 0 && high < low {
            return Err(Refused::at(self.line_of("max_wrapping_ttl"), "max_wrapping_ttl cannot be less than min_wrapping_ttl"));
        }
        limits.min_wrap = seconds(low, true);
        limits.max_wrap = seconds(high, false);
        limits.required = self.texts("required_parameters");
        let line = self.line_of("list_scan_response_keys_filter_path");
        limits.keys_filter = self.text("list_scan_response_keys_filter_path");
        if let Some(filter) = &limits.keys_filter {
            let judged = if capabilities.has(List) { group::keys_filter(filter) } else { Err("needs the list capability") };
            judged.map_err(|what| Refused::at(line, &format!("list_scan_response_keys_filter_path: {what}")))?;
        }
        if let Some(Got::Int(limit)) = self.take("pagination_limit") {
            limits.pagination = u64::try_from(limit).unwrap_or(0);
        }
        Ok((limits != Limits::default()).then(|| Box::new(limits)))
    }

    /// Names in lower case; an empty map limits nothing.
    fn parameters(&mut self, name: &str) -> Option<BTreeMap<String, Vec<Value>>> {
        let Some(Got::Map(map)) = self.take(name) else { return None };
        let values = |got| if let Got::List(list) = got { list.into_iter().map(Got::value).collect() } else { Vec::new() };
        let map: BTreeMap<_, _> = map.into_iter().map(|(key, got)| (key.to_lowercase(), values(got))).collect();
        Some(map).filter(|map| !map.is_empty())
    }

    fn wrapping(&mut self, name: &str) -> Result<i64, Refused> {
        let line = self.line_of(name);
        ttl(self.take(name), line, name)
    }
}

/// Nanoseconds of a duration; 0 where there is none.
pub(super) fn ttl(got: Option<Got>, line: u32, name: &str) -> Result<i64, Refused> {
    got.map_or(Some(0), |got| span::nanoseconds(&got)).ok_or_else(|| Refused::at(line, &format!("{name} is no duration")))
}

/// Whole seconds, rounded to the strict side, but never to "no limit". Less than nothing limits nothing.
fn seconds(nanoseconds: i64, up: bool) -> u64 {
    let Ok(positive) = u64::try_from(nanoseconds) else { return 0 };
    let whole = if up { positive.div_ceil(1_000_000_000) } else { positive / 1_000_000_000 };
    if positive > 0 { whole.max(1) } else { 0 }
}
