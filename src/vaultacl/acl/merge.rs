//! Blocks of several policies become rules: templates filled in, what has expired left out, what has the same pattern merged.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use serde_json::Value;

use super::index::Index;
use super::{Acl, Dropped, Granted, Merged, Origin};
use crate::model::text::clean;
use crate::model::time::Time;
use crate::vaultacl::capability::{Capabilities, Capability};
use crate::vaultacl::dialect::Dialect;
use crate::vaultacl::policy::{Limits, PatternKind, Rule};
use crate::vaultacl::template::{self, Filled, Identity};

/// The ACL of policies without root.
pub(super) fn merge(policies: &[Granted<'_>], identity: &Identity, dialect: Dialect, now: Time) -> Acl {
    let mut acl = Acl { dialect, ..Acl::default() };
    let mut blocks: Vec<(String, &Rule, &Granted<'_>)> =
        Vec::with_capacity(policies.iter().map(|granted| granted.policy.rules.len()).sum());
    for granted in policies {
        for rule in &granted.policy.rules {
            match place(granted, rule, identity, dialect, now) {
                Ok(Placed::Refused(why)) => acl.broken = Some(clean(&format!("policy {}: {why}", granted.name))),
                Ok(Placed::At(pattern)) => {
                    let expires = [rule.expires, granted.flags.expires].into_iter().flatten().min();
                    acl.next_expiry = [acl.next_expiry, expires].into_iter().flatten().min();
                    blocks.push((pattern, rule, granted));
                }
                Err(dropped) => acl.dropped.push(dropped),
            }
        }
    }
    // Stable: blocks of one pattern stay in the order of the policies.
    blocks.sort_by(|(a, ..), (b, ..)| a.cmp(b));
    for (pattern, rule, granted) in blocks {
        match acl.rules.last_mut() {
            Some(last) if last.pattern == pattern => last.add(rule, granted),
            _ => {
                let mut merged = Merged {
                    kind: PatternKind::of(&pattern),
                    pattern,
                    capabilities: Capabilities::NONE,
                    limited: false,
                    limits: None,
                    from: Vec::new(),
                };
                merged.add(rule, granted);
                acl.rules.push(merged);
            }
        }
    }
    for rule in &mut acl.rules {
        rule.limited = rule.limits.is_some();
    }
    acl.index = Index::of(&acl.rules);
    acl
}

/// Where a block ends up.
enum Placed {
    At(String),
    /// Nowhere, and with it the server refuses them all.
    Refused(String),
}

/// The pattern that a block ends up with, or why it does not count.
fn place(granted: &Granted<'_>, rule: &Rule, identity: &Identity, dialect: Dialect, now: Time) -> Result<Placed, Dropped> {
    let dropped = |why: String, open: bool, chosen: bool| Dropped { origin: origin(rule, granted), why: clean(&why), open, chosen };
    let expired = |end: Option<Time>| end.filter(|end| now > *end).map(|end| dropped(format!("expired at {end}"), false, false));
    if let Some(gone) = expired(granted.flags.expires) {
        return Err(gone);
    }
    let filled = template::fill(&rule.pattern, identity, granted.flags, dialect, now);
    // the server fills templates in when it reads a policy and looks at the end of a block only then: what is expired can still break all
    let over = expired(rule.expires);
    let pattern = match (filled, over.is_some()) {
        (Filled::Is(pattern), _) => pattern,
        (Filled::Refused(why), _) => return Ok(Placed::Refused(why)),
        (Filled::Gone(why), false) => return Err(dropped(why, false, false)),
        (Filled::Unknown(why), false) => return Err(dropped(why, true, false)),
        (Filled::Chosen(why), false) => return Err(dropped(why, true, true)),
        (Filled::Gone(_) | Filled::Unknown(_) | Filled::Chosen(_), true) => String::new(),
    };
    // Where there are templates the slash at the front goes only now, as in the servers; elsewhere the reader took it.
    let stripped = pattern.strip_prefix('/').filter(|_| rule.pattern.contains("{{"));
    let pattern = stripped.unwrap_or(&pattern);
    if pattern.contains("+*") {
        return Ok(Placed::Refused("`+*` in a path".to_owned()));
    }
    if let Some(gone) = over {
        return Err(gone);
    }
    Ok(Placed::At(format!("{}{pattern}", granted.namespace)))
}

fn origin(rule: &Rule, granted: &Granted<'_>) -> Origin {
    Origin { policy: granted.name.clone(), line: rule.line, capabilities: rule.capabilities, written: rule.pattern.as_str().into() }
}

impl Merged {
    /// Merges another block of the same pattern in. A deny swallows everything, met early or late.
    fn add(&mut self, rule: &Rule, granted: &Granted<'_>) {
        self.from.push(origin(rule, granted));
        if self.capabilities.has(Capability::Deny) || rule.capabilities.has(Capability::Deny) {
            self.capabilities = Capabilities::of(Capability::Deny);
            self.limits = None;
            return;
        }
        self.capabilities = self.capabilities.or(rule.capabilities);
        match (&mut self.limits, &rule.limits) {
            (Some(mine), Some(more)) => tighten(mine, more),
            (mine @ None, Some(more)) => {
                let mut first = Box::<Limits>::default();
                tighten(&mut first, more);
                *mine = Some(first);
            }
            (_, None) => {}
        }
    }
}

fn tighten(mine: &mut Limits, more: &Limits) {
    mine.min_wrap = smaller(mine.min_wrap, more.min_wrap);
    mine.max_wrap = smaller(mine.max_wrap, more.max_wrap);
    mine.pagination = smaller(mine.pagination, more.pagination);
    join(&mut mine.allowed, more.allowed.as_ref());
    join(&mut mine.denied, more.denied.as_ref());
    unite(&mut mine.required, &more.required);
    unite(&mut mine.mfa, &more.mfa);
    mine.control_group |= more.control_group;
    if mine.keys_filter.is_none() {
        mine.keys_filter.clone_from(&more.keys_filter);
    }
}

/// The smaller of two limits of which 0 means none.
const fn smaller(a: u64, b: u64) -> u64 {
    match (a, b) {
        (0, limit) | (limit, 0) => limit,
        (a, b) => {
            if a < b {
                a
            } else {
                b
            }
        }
    }
}

fn unite(mine: &mut Vec<String>, more: &[String]) {
    let known: std::collections::BTreeSet<String> = mine.iter().cloned().collect();
    mine.extend(more.iter().filter(|one| !known.contains(*one)).cloned());
}

/// Adds values by key, keys in small letters. No values at all means any value, whoever says so.
fn join(mine: &mut Option<BTreeMap<String, Vec<Value>>>, more: Option<&BTreeMap<String, Vec<Value>>>) {
    let Some(more) = more else { return };
    let mine = mine.get_or_insert_default();
    for (key, values) in more {
        match mine.entry(key.to_lowercase()) {
            Entry::Vacant(free) => _ = free.insert(values.clone()),
            Entry::Occupied(mut there) if values.is_empty() || there.get().is_empty() => there.get_mut().clear(),
            Entry::Occupied(mut there) => there.get_mut().extend(values.iter().cloned()),
        }
    }
}
