//! Policies as read, and the ACLs made of them: each made once for all logins that end up with the same.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::super::acl::{Acl, Granted};
use super::super::dialect::Dialect;
use super::super::policy::Policy;
use super::super::template::{Filled, Identity, fill};
use super::BadPolicy;
use crate::model::ids::Name;
use crate::model::source::Sight;
use crate::model::text::clean;
use crate::model::time::Time;
use crate::model::vault::{Part, PolicyFlags, VaultPolicy};

/// A policy as read.
#[derive(Debug)]
struct Read {
    stored: VaultPolicy,
    /// Differs for every text that was ever read under this name.
    revision: u64,
    policy: Result<Policy, super::super::policy::Refused>,
    /// Its templates, each once, with the braces.
    templates: Vec<String>,
}

/// All policies, as a server of one dialect reads them.
#[derive(Debug, Default)]
pub(super) struct Policies {
    dialect: Dialect,
    read: BTreeMap<Name, Read>,
    unreadable: BTreeMap<Name, Name>,
    seen: bool,
    why: String,
    revisions: u64,
}

/// What a policy that a login names turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Fine,
    Refused,
    Missing,
    Unseen,
}

impl Policies {
    /// None yet, for a dialect.
    pub fn new(dialect: Dialect) -> Self {
        Self { dialect, ..Self::default() }
    }

    /// Follows what was read last. Names whose meaning changed, those that appeared and went among them. O(policies) to compare, plus the length of
    /// those that changed.
    pub fn follow(&mut self, part: &Part<Name, VaultPolicy>) -> BTreeSet<Name> {
        let mut changed = BTreeSet::new();
        let seen = part.state.sight() != Sight::Blind;
        if seen != self.seen || self.unreadable != *part.unreadable {
            // what a name that is not there means has changed
            changed.extend(self.unreadable.keys().chain(part.unreadable.keys()).cloned());
            changed.extend((seen != self.seen).then(|| Name::from("")));
            self.unreadable.clone_from(&part.unreadable);
            self.seen = seen;
        }
        self.why = part.state.to_string();
        let mut gone: Vec<Name> = Vec::new();
        for name in self.read.keys() {
            if !part.items.contains_key(name) {
                gone.push(name.clone());
            }
        }
        for name in gone {
            self.read.remove(&name);
            changed.insert(name);
        }
        for (name, stored) in part.items.iter() {
            let known = self.read.get(name).is_some_and(|read| {
                read.stored.flags == stored.flags && (Arc::ptr_eq(&read.stored.text, &stored.text) || read.stored.text == stored.text)
            });
            if !known {
                self.put(name, stored);
                changed.insert(name.clone());
            }
        }
        changed
    }

    /// Policies that count differently at `now` than at `then`: something in them ended in between.
    pub fn ended(&self, then: Time, now: Time) -> BTreeSet<Name> {
        let between = |time: &Option<Time>| time.is_some_and(|time| then <= time && time < now);
        let ends = |read: &Read| {
            let rules = read.policy.iter().flat_map(|policy| &policy.rules);
            between(&read.stored.flags.expires) || rules.map(|rule| &rule.expires).any(between)
        };
        let clocked = |read: &Read| read.templates.iter().any(|template| template.contains("time.now"));
        self.read.iter().filter(|(_, read)| ends(read) || clocked(read)).map(|(name, _)| name.clone()).collect()
    }

    /// Gives policies new revisions, so that ACLs of them are made afresh.
    pub fn renew(&mut self, names: &BTreeSet<Name>) {
        for name in names {
            if let Some(read) = self.read.get_mut(name) {
                self.revisions += 1;
                read.revision = self.revisions;
            }
        }
    }

    fn put(&mut self, name: &Name, stored: &VaultPolicy) {
        self.revisions += 1;
        let policy = super::super::read(&stored.text, self.dialect);
        let patterns = policy.iter().flat_map(|policy| &policy.rules).map(|rule| rule.pattern.as_str());
        let templates: BTreeSet<String> = patterns.filter(|pattern| pattern.contains("{{")).flat_map(templates).collect();
        let templates = templates.into_iter().collect();
        self.read.insert(name.clone(), Read { stored: stored.clone(), revision: self.revisions, policy, templates });
    }

    /// What became of a policy that is named.
    pub fn standing(&self, name: &Name) -> Standing {
        match self.read.get(name) {
            Some(read) if read.policy.is_ok() => Standing::Fine,
            Some(_) => Standing::Refused,
            None if self.unreadable.contains_key(name) || !self.seen => Standing::Unseen,
            None => Standing::Missing,
        }
    }

    /// Why it counts for nothing; none where it counts.
    pub fn bad(&self, name: &Name) -> Option<BadPolicy> {
        match self.standing(name) {
            Standing::Fine => None,
            Standing::Missing => Some(BadPolicy::Missing),
            Standing::Unseen => {
                let why = self.unreadable.get(name).map_or_else(|| self.why.clone(), |why| clean(why));
                Some(BadPolicy::Unseen(why))
            }
            Standing::Refused => self.read.get(name)?.policy.as_ref().err().map(unread),
        }
    }

    /// Policies that the server would refuse, or that are beyond our own bounds.
    pub fn refused(&self) -> impl Iterator<Item = (&Name, BadPolicy)> {
        self.read.iter().filter_map(|(name, read)| Some((name, unread(read.policy.as_ref().err()?))))
    }

    /// Whether a policy has a template that this says yes to.
    pub fn has_template(&self, names: &[Name], is: impl Fn(&str) -> bool) -> bool {
        names.iter().filter_map(|name| self.read.get(name)).flat_map(|read| &read.templates).any(|template| is(template))
    }

    /// Whether time itself is in a pattern.
    pub fn clocked(&self) -> bool {
        self.read.values().any(|read| read.templates.iter().any(|template| template.contains("time.now")))
    }
}

/// The templates of a pattern, with their braces.
fn templates(pattern: &str) -> Vec<String> {
    pattern.split("{{").skip(1).filter_map(|piece| Some(format!("{{{{{}}}}}", piece.split_once("}}")?.0))).collect()
}

/// What an ACL is made of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    policies: Vec<u64>,
    values: Vec<(u8, String)>,
}

/// ACLs by what they are made of.
#[derive(Debug, Default)]
pub(super) struct Acls {
    made: FxHashMap<Key, Arc<Acl>>,
}

impl Acls {
    /// The ACL of policies (those that count) for an identity. Made once for all that come out the same. O(templates), and where it is new
    /// O(rules × log rules).
    pub fn of(&mut self, policies: &Policies, names: &[Name], identity: &Identity, now: Time) -> Arc<Acl> {
        let read: Vec<(&Name, &Read)> =
            names.iter().filter_map(|name| policies.read.get_key_value(name)).filter(|(_, read)| read.policy.is_ok()).collect();
        let value = |read: &Read, template: &String| {
            let plain = PolicyFlags { ..read.stored.flags };
            match fill(template, identity, plain, policies.dialect, now) {
                Filled::Is(text) => (0, text),
                Filled::Gone(text) => (1, text),
                Filled::Unknown(text) => (2, text),
                Filled::Chosen(text) => (3, text),
                Filled::Refused(text) => (4, text),
            }
        };
        let values = read.iter().flat_map(|(_, read)| read.templates.iter().map(move |template| value(read, template))).collect();
        let key = Key { policies: read.iter().map(|(_, read)| read.revision).collect(), values };
        if let Some(known) = self.made.get(&key) {
            return known.clone();
        }
        let granted: Vec<Granted<'_>> = read
            .iter()
            .filter_map(|(name, read)| Some(Granted { name, policy: read.policy.as_ref().ok()?, flags: read.stored.flags, namespace: "" }))
            .collect();
        let acl = Arc::new(Acl::new(&granted, identity, policies.dialect, now));
        self.made.insert(key, acl.clone());
        acl
    }

    /// Forgets what nobody holds any more.
    pub fn sweep(&mut self) {
        self.made.retain(|_, acl| Arc::strong_count(acl) > 1);
    }
}

/// What a policy that gave no rules is: one the server would refuse, or one that we don't read.
fn unread(why: &super::super::policy::Refused) -> BadPolicy {
    if why.is_ours() { BadPolicy::Unseen(why.what.clone()) } else { BadPolicy::Refused(why.clone()) }
}
