//! Questions to a picture.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::super::acl::{Acl, Request};
use super::super::capability::Operation;
use super::ground::Ground;
use super::judge::{Judge, lets};
use super::places::{Shared, whole};
use super::{Crossing, Partners, Picture, Root, Ruling, Whose, lint};
use crate::model::ids::TenantId;

impl Picture {
    /// What decides a request at a path, for every login of one tenant, or of all. Allowed first, then by tenant. O(logins + ACLs × rules).
    pub fn who(&self, path: &str, operation: Operation, tenant: Option<&str>) -> Vec<Whose> {
        let mut decided: FxHashMap<usize, (bool, bool, Option<Ruling>)> = FxHashMap::default();
        let mut found = Vec::new();
        for (id, reach) in self.by_tenant.iter().filter(|(id, _)| tenant.is_none_or(|tenant| tenant == id.as_ref())) {
            for (login, way) in reach.logins.iter().enumerate() {
                let answer = || {
                    let decision = way.acl.decide(&Request::new(operation, path));
                    let ruling = decision.rule.map(|rule| Ruling { pattern: rule.pattern.clone(), from: rule.from.clone() });
                    (lets(&decision), decision.rule.is_some_and(|rule| rule.limited), ruling)
                };
                let (allowed, limited, rule) = decided.entry(Arc::as_ptr(&way.acl) as usize).or_insert_with(answer);
                let conditions = *allowed && *limited;
                found.push(Whose { tenant: id.clone(), login, allowed: *allowed, conditions, rule: rule.clone() });
            }
        }
        found.sort_by_key(|whose| !whose.allowed);
        found
    }

    /// What a tenant can do to a certain other one, worst first, each with a witness among that one's paths. O(ACLs × rules × places).
    pub fn crossings(&self, tenant: &str, partner: &str) -> Vec<Crossing> {
        let (Some(mine), Some((id, theirs))) = (self.by_tenant.get(tenant), self.by_tenant.get_key_value(partner)) else {
            return Vec::new();
        };
        if tenant == partner {
            return Vec::new();
        }
        let shared = Shared::new(&self.shared);
        let ground = Ground::new([(id, theirs.roots.as_slice())].into_iter());
        let mut seen: Vec<&Arc<Acl>> = Vec::new();
        let mut found = Vec::new();
        for (login, way) in mine.logins.iter().enumerate() {
            if seen.iter().any(|acl| Arc::ptr_eq(acl, &way.acl)) {
                continue;
            }
            seen.push(&way.acl);
            for hit in ground.judge(&Judge::new(&way.acl), &shared).0 {
                let Some((proof, path)) = ground.proof(&hit, 0) else { continue };
                let Some(grant) = lint::grant(&way.acl, login, hit.rule, path, proof.action.operation) else { continue };
                found.push(Crossing { harm: hit.harm, action: proof.action, grant, partners: Partners::from([id.clone()]) });
            }
        }
        found.sort_by_key(|crossing| (crossing.harm, super::ground::badness(&crossing.action), crossing.grant.login));
        found
    }

    /// Whose place a path is: tenants with a root at it or above it. Mount and path below it, without `data/`. O(roots).
    pub fn owners<'a>(&'a self, mount: &'a str, path: &'a str) -> impl Iterator<Item = (&'a TenantId, &'a Root)> {
        let request = whole(mount, path);
        self.by_tenant.iter().flat_map(|(tenant, reach)| reach.roots.iter().map(move |root| (tenant, root))).filter(move |(_, root)| {
            let at = whole(&root.mount, &root.path);
            request.strip_prefix(&at).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }
}
