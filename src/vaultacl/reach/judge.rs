//! What an ACL lets one do at and below a place, rule by rule, each with a path that proves it.

use std::collections::BTreeSet;

use super::super::acl::{Acl, Decision, Merged, Request, Why};
use super::super::capability::{Capability, Operation};
use super::super::kv::{Action, Harm};
use super::pattern::Tail;
use super::witness::{depths, fresh, rest, witnesses};

/// Rules by their number in the ACL, each with what is left of it behind a place: places with the same are ruled alike.
pub(super) type Signature = Vec<(u32, Tail)>;

/// What a rule allows somewhere at or below a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// The rule's number.
    pub rule: u32,
    /// What.
    pub action: Action,
    /// The path behind the place.
    pub rest: String,
    /// Only under conditions.
    pub conditions: bool,
}

/// Decides for one ACL.
#[derive(Debug)]
pub(super) struct Judge<'a> {
    pub acl: &'a Acl,
    fresh: String,
}

/// The capability that an operation needs.
pub(super) const fn needs(operation: Operation) -> Option<Capability> {
    Some(match operation {
        Operation::Read => Capability::Read,
        Operation::List => Capability::List,
        Operation::Update => Capability::Update,
        Operation::Create => Capability::Create,
        Operation::Delete => Capability::Delete,
        Operation::Patch => Capability::Patch,
        Operation::Scan => Capability::Scan,
        Operation::Recover => Capability::Recover,
        Operation::Help => return None,
    })
}

/// Whether a decision lets through, if only a request of a certain form: refused because of parameters or wrapping is not refused.
pub(super) fn lets(decision: &Decision<'_>) -> bool {
    decision.allowed || matches!(decision.why, Some(Why::Wrapping | Why::Parameters | Why::Pagination))
}

impl<'a> Judge<'a> {
    /// For an ACL. O(length of its rules).
    pub fn new(acl: &'a Acl) -> Self {
        Self { acl, fresh: fresh(acl) }
    }

    /// A word that no rule names.
    pub fn fresh(&self) -> &str {
        &self.fresh
    }

    /// A rule by its number.
    pub fn rule(&self, number: u32) -> Option<&'a Merged> {
        self.acl.rules().get(number as usize)
    }

    /// Whether any of these rules could allow any of these actions.
    pub fn may(&self, signature: &Signature, actions: &[Action]) -> bool {
        signature.iter().filter_map(|(number, _)| self.rule(*number)).any(|rule| actions.iter().any(|action| has(rule, action.operation)))
    }

    /// For each rule and each harm the first action that the rule allows somewhere at or below `place`, with the nearest path. `excused` says of a
    /// whole path whether it is nobody's. Also whether something was left out for its depth. O(rules × depths × actions) decisions.
    pub fn place(
        &self,
        place: &str,
        signature: &Signature,
        actions: &[Action],
        excused: &dyn Fn(&str, Operation) -> bool,
    ) -> (Vec<Found>, bool) {
        let (mut found, mut more) = (Vec::new(), false);
        let left = signature.iter().filter_map(|(number, tail)| {
            let rule = self.rule(*number)?;
            Some((rule.kind, rest(&rule.pattern, *tail)?))
        });
        let ends: BTreeSet<usize> = depths(left);
        for (number, tail) in signature {
            let Some(rule) = self.rule(*number).filter(|rule| actions.iter().any(|action| has(rule, action.operation))) else { continue };
            let (paths, cut) = witnesses(rule.kind, rest(&rule.pattern, *tail), &self.fresh, &ends);
            more |= cut;
            let whole: Vec<String> = paths.iter().map(|behind| format!("{place}{behind}")).collect();
            let mut done: Option<Harm> = None;
            for action in actions.iter().filter(|action| has(rule, action.operation)) {
                if done == Some(action.harm) {
                    continue;
                }
                let so = |path: &str| self.rules_so(path, action.operation, rule) && !excused(path, action.operation);
                let all = || whole.iter().zip(&paths);
                // a secret's name has no slash at its end: one with it proves as much, and reads worse
                let listing = matches!(action.operation, Operation::List | Operation::Scan);
                let plain = all().find(|(path, _)| (listing || !path.ends_with('/')) && so(path));
                let proof = plain.or_else(|| all().find(|(path, _)| !listing && path.ends_with('/') && so(path)));
                if let Some((_, behind)) = proof {
                    done = Some(action.harm);
                    found.push(Found { rule: *number, action: *action, rest: behind.clone(), conditions: rule.limited });
                }
            }
        }
        (found, more)
    }

    /// Whether this rule decides there, and lets through.
    pub fn rules_so(&self, path: &str, operation: Operation, rule: &Merged) -> bool {
        let decision = self.acl.decide(&Request::new(operation, path));
        lets(&decision) && decision.rule.is_some_and(|winner| std::ptr::eq(winner, rule))
    }
}

fn has(rule: &Merged, operation: Operation) -> bool {
    !rule.capabilities.denies() && needs(operation).is_some_and(|capability| rule.capabilities.has(capability))
}
