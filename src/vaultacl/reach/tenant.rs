//! One tenant's reach: what its ACLs allow at others' places, put together.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::super::acl::{Acl, Request};
use super::super::capability::{Capability, Operation};
use super::super::kv::Harm;
use super::super::policy::PatternKind;
use super::ground::{Bits, Ground, Hit, at, badness, highest, sections};
use super::judge::{Judge, lets};
use super::lint::{self, Lint};
use super::logins::Ways;
use super::places::{Place, Shared, kv_mounts};
use super::{Crossing, Doubt, Grant, Login, OwnCover, Partners, PolicyFrom, Root, RootFrom, TenantReach};
use crate::model::ids::{Name, TenantId};
use crate::model::vault::SecretMount;

/// What an ACL comes to, whoever carries it.
#[derive(Debug)]
pub(super) struct Judged {
    hits: Vec<Hit>,
    cut: bool,
    lint: Lint,
}

impl Judged {
    /// Of an ACL.
    pub fn of(acl: &Acl, ground: &Ground, shared: &Shared, auth_mounts: &[Name]) -> Self {
        let judge = Judge::new(acl);
        let (hits, cut) = ground.judge(&judge, shared);
        Self { hits, cut, lint: lint::look(&judge, auth_mounts) }
    }
}

/// Lists of tenants, each held once.
#[derive(Debug, Default)]
pub(super) struct Lists(FxHashMap<Bits, Arc<[TenantId]>>);

/// Lists kept at most: those that come and go must not grow the table for ever.
const MOST_LISTS: usize = 65_536;

impl Lists {
    fn of(&mut self, bits: Bits, ground: &Ground) -> Arc<[TenantId]> {
        if self.0.len() > MOST_LISTS {
            self.0.clear();
        }
        let new = |bits: &Bits| bits.iter().filter_map(|number| ground.tenants.get(number as usize)).cloned().collect();
        self.0.entry(bits).or_insert_with_key(new).clone()
    }
}

/// Puts a tenant's reach together. `judged` gives what an ACL comes to. O(logins + ACLs × (hits + rules × own places)).
pub(super) fn tenant_reach(
    (tenant, ways, roots, mut doubts): (&TenantId, &Ways, Vec<Root>, BTreeSet<Doubt>),
    mut judged: impl FnMut(&Arc<Acl>) -> Arc<Judged>,
    ground: &Ground,
    lists: &mut Lists,
    shared: &Shared,
) -> TenantReach {
    let own: Vec<&Root> = highest(&roots).collect();
    let number = ground.number(tenant);
    let mut reach = TenantReach { own: cover(ways, &own), ..TenantReach::default() };
    let mut seen: BTreeSet<usize> = BTreeSet::new();
    // what exists before what could be made, own roles before others: the first to allow something is the one that is told
    let mut order: Vec<usize> = (0..ways.logins.len()).collect();
    order.sort_by_key(|at| ways.logins.get(*at).map(|login| (!login.own_role, !login.who.exists(), *at)));
    for index in order {
        let Some(login) = ways.logins.get(index) else { continue };
        if !seen.insert(Arc::as_ptr(&login.acl) as usize) {
            continue;
        }
        let one = judged(&login.acl);
        if one.cut {
            let words = "rules end at more depths than are looked at: more may be reachable".to_owned();
            doubts.insert(Doubt { words, may_add: true });
        }
        crossings(&mut reach.crossings, &login.acl, index, (&one.hits, number, tenant), ground, lists);
        lints(&mut reach, &login.acl, index, &one.lint, (&own, shared));
    }
    reach.crossings.sort_by(|a, b| {
        (a.harm, badness(&a.action), a.grant.login, &a.grant.pattern).cmp(&(b.harm, badness(&b.action), b.grant.login, &b.grant.pattern))
    });
    once(&mut reach.crossings, |crossing| (&crossing.grant, Some(crossing.harm)), |a, b| a.partners == b.partners, ways);
    for list in [&mut reach.escalations, &mut reach.beyond, &mut reach.ancestors, &mut reach.writes] {
        list.sort_by(|a, b| (a.login, &a.pattern, &a.path).cmp(&(b.login, &b.pattern, &b.path)));
        once(list, |grant| (grant, None), |_, _| true, ways);
    }
    reach.logins.clone_from(&ways.logins);
    reach.roots = roots;
    reach.doubts = doubts.into_iter().collect();
    reach
}

/// What tells two grants apart: policy, line, pattern, harm, and whether it is by a role of its own.
type Sameness = (Name, u32, String, Option<Harm>, bool);

/// Keeps of what says the same of several logins only the first; one that exists hides one that could be made.
fn once<T>(list: &mut Vec<T>, key: impl Fn(&T) -> (&Grant, Option<Harm>), same: impl Fn(&T, &T) -> bool, ways: &Ways) {
    let standing = |at: usize| ways.logins.get(at).map(|login| (login.own_role, login.who.exists()));
    let mut kept: Vec<T> = Vec::new();
    let mut by_rule: BTreeMap<Sameness, Vec<usize>> = BTreeMap::new();
    for one in std::mem::take(list) {
        let (grant, harm) = key(&one);
        let (own, exists) = standing(grant.login).unwrap_or_default();
        let rule = (grant.origin.policy.clone(), grant.origin.line, grant.pattern.clone(), harm, own);
        let before = by_rule.entry(rule).or_default();
        let told = |at: &usize| {
            kept.get(*at)
                .is_some_and(|other| same(other, &one) && (!exists || standing(key(other).0.login).is_some_and(|(_, exists)| exists)))
        };
        if !before.iter().any(told) {
            before.push(kept.len());
            kept.push(one);
        }
    }
    *list = kept;
}

fn crossings(
    into: &mut Vec<Crossing>,
    acl: &Acl,
    login: usize,
    (hits, me, tenant): (&[Hit], Option<u32>, &TenantId),
    ground: &Ground,
    lists: &mut Lists,
) {
    for hit in hits {
        let Some(first) = hit.tenants.first_but(me) else { continue };
        let Some((found, path)) = ground.proof(hit, first) else { continue };
        let Some(mut grant) = lint::grant(acl, login, hit.rule, path, found.action.operation) else { continue };
        grant.conditions = found.conditions;
        let mut whose = hit.tenants.clone();
        if let Some(me) = me {
            whose.insert(me);
        }
        let partners = Partners::sharing(lists.of(whose, ground), tenant.clone());
        into.push(Crossing { harm: hit.harm, action: found.action, grant, partners });
    }
}

fn lints(reach: &mut TenantReach, acl: &Acl, login: usize, lint: &Lint, (own, shared): (&[&Root], &Shared)) {
    let grant = |rule: Option<u32>, path: String, operation| lint::grant(acl, login, rule, path, operation);
    reach.escalations.extend(lint.up.iter().filter_map(|up| grant(up.rule, up.path.clone(), up.operation)));
    if lint.grants.is_empty() {
        return;
    }
    let roots: Vec<Root> = own.iter().map(|root| (*root).clone()).collect();
    let judge = Judge::new(acl);
    for number in &lint.grants {
        let Some(rule) = judge.rule(*number).filter(|rule| !lint::within(rule, &roots, shared)) else { continue };
        let Some((path, operation)) = lint::sample(&judge, *number) else { continue };
        let sudo = rule.capabilities.has(Capability::Sudo) && !lint.up.iter().any(|up| up.rule == Some(*number));
        reach.escalations.extend(grant(Some(*number), path.clone(), operation).filter(|_| sudo));
        reach.beyond.extend(grant(Some(*number), path, operation));
    }
    reach.ancestors.extend(lint::ancestors(acl, own).into_iter().filter_map(|(rule, path, operation)| grant(Some(rule), path, operation)));
    reach.writes.extend(lint::writes(&judge, own).into_iter().filter_map(|(rule, path, operation)| grant(Some(rule), path, operation)));
}

/// How well the ServiceAccounts that exist cover a tenant's places: the best over all.
fn cover(ways: &Ways, own: &[&Root]) -> OwnCover {
    if own.is_empty() {
        return OwnCover::NoRoot;
    }
    let mut seen = BTreeSet::new();
    let mut best = OwnCover::NoRole;
    for login in ways.logins.iter().filter(|login| login.who.exists()) {
        if seen.insert(Arc::as_ptr(&login.acl) as usize) {
            let judge = Judge::new(&login.acl);
            best = own.iter().fold(best, |best, root| lint::better(best, lint::cover(&judge, root)));
        }
    }
    best
}

/// Which of the places that are asked for some login of a ServiceAccount that exists can read.
pub(super) fn readable(asked: BTreeMap<Place, (u8, String)>, logins: &[Arc<Login>]) -> Vec<(Place, u8, String, bool)> {
    let mut acls: Vec<&Arc<Acl>> = Vec::new();
    for login in logins.iter().filter(|login| login.who.exists()) {
        if !acls.iter().any(|acl| Arc::ptr_eq(acl, &login.acl)) {
            acls.push(&login.acl);
        }
    }
    let reads = |(mount, path): &Place, version: u8| {
        let heads = sections(mount, version).into_iter().filter(|section| section.actions.iter().any(|action| action.harm == Harm::Value));
        let requests: Vec<String> = heads.map(|section| at(&section.head, path)).collect();
        acls.iter().any(|acl| requests.iter().any(|request| lets(&acl.decide(&Request::new(Operation::Read, request)))))
    };
    let one = |(place, (version, by)): (Place, (u8, String))| {
        let readable = reads(&place, version);
        (place, version, by, readable)
    };
    asked.into_iter().map(one).collect()
}

/// Places that policies of a tenant's own roles open: exact paths and folders, those at or below its firm places left out.
pub(super) fn opened(logins: &[Arc<Login>], firm: &[Root], mounts: &BTreeMap<Name, SecretMount>) -> Vec<(Place, u8, Name)> {
    let mut found = BTreeSet::new();
    let mut seen = BTreeSet::new();
    for login in logins.iter().filter(|login| login.own_role && seen.insert(Arc::as_ptr(&login.acl) as usize)) {
        let of_role = |policy: &Name| login.policies.iter().any(|(name, from)| name == policy && *from == PolicyFrom::Role);
        for rule in login.acl.rules().iter().filter(|rule| rule.capabilities.has(Capability::Read) && rule.kind != PatternKind::Segment) {
            let Some(origin) = lint::origin(rule, Operation::Read).filter(|origin| of_role(&origin.policy)) else { continue };
            let path = rule.pattern.strip_suffix("/*").unwrap_or(&rule.pattern);
            if path.contains(['*', '+']) {
                continue;
            }
            for (mount, version) in kv_mounts(mounts) {
                let heads = sections(mount, version).into_iter().filter(|section| section.actions.iter().any(|a| a.harm == Harm::Value));
                for below in heads.filter_map(|section| path.strip_prefix(&section.head)).filter(|below| !below.is_empty()) {
                    let here = Root { mount: mount.clone(), version, path: below.to_owned(), from: RootFrom::Named };
                    let known = |root: &Root| {
                        root.mount == here.mount && (root.path == here.path || highest(&[root.clone(), here.clone()]).count() == 1)
                    };
                    if !firm.iter().any(known) {
                        found.insert(((mount.clone(), below.trim_end_matches('/').to_owned()), version, origin.policy.clone()));
                    }
                }
            }
        }
    }
    found.into_iter().collect()
}
