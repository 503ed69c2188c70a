//! SEC-07 and SEC-18: what a login may list above its own places, and write in them.

use std::collections::BTreeMap;

use super::grants::{doubts, of_grant, rule, who};
use super::makers::{Makers, Makes};
use super::{no_role, reach_of};
use crate::model::ids::Name;
use crate::model::text::clean;
use crate::model::vault::policy_ref;
use crate::posture::finding::Subject;
use crate::posture::verdict::Declared;
use crate::posture::view::{Point, TenantView, count, shortened};
use crate::vaultacl::acl::Request;
use crate::vaultacl::capability::{Capability, Operation};
use crate::vaultacl::dialect::ListRule;
use crate::vaultacl::reach::{Grant, TenantReach, Who};

/// Rules seen once, however many logins take them; those of a ServiceAccount that exists first.
fn once<'r>(reach: &'r TenantReach, grants: &'r [Grant]) -> Vec<&'r Grant> {
    let exists = |grant: &Grant| reach.logins.get(grant.login).is_none_or(|login| login.who.exists());
    let mut seen: BTreeMap<(&Name, u32, &str), &Grant> = BTreeMap::new();
    for grant in grants {
        let key = (&grant.origin.policy, grant.origin.line, grant.origin.written.as_ref());
        let kept = seen.entry(key).or_insert(grant);
        if exists(grant) && !exists(kept) {
            *kept = grant;
        }
    }
    seen.into_values().collect()
}

/// SEC-07: nobody of the tenant may list what lies above its own places: the names of all tenants.
pub fn ancestors(view: &TenantView<'_>) -> Vec<Point> {
    let reach = match reach_of(view) {
        Ok(reach) => reach,
        Err(points) => return points,
    };
    let makers = Makers::new(view);
    let mut points: Vec<Point> = once(reach, &reach.ancestors).into_iter().map(|grant| listed(reach, &makers, grant)).collect();
    points.extend(ignored_denies(reach));
    points.extend(doubts(view, reach));
    if points.is_empty() && reach.logins.is_empty() {
        points.push(no_role(view));
    }
    if points.is_empty() {
        let message = format!("none of {} lists what lies above the tenant's own places", count(reach.logins.len(), "login"));
        points.push(Point::new(Declared::Right, view.subject(), message));
    }
    shortened(points)
}

fn listed(reach: &TenantReach, makers: &Makers<'_, '_>, grant: &Grant) -> Point {
    let login = reach.logins.get(grant.login);
    let shown = login.map_or_else(|| "a login".to_owned(), |login| who(&login.who));
    let message =
        format!("{shown} may list the names of every tenant: {} allows {} `{}`", rule(grant), grant.operation.word(), clean(&grant.path));
    let (declared, message) = match login.map(|login| &login.who) {
        Some(Who::Maker { namespace, .. }) if !matches!(makers.may(namespace), Makes::Yes(..)) => {
            (Declared::Partly, format!("{message}; there is no such ServiceAccount now"))
        }
        _ => (Declared::Open, message),
    };
    of_grant(reach, grant, declared, "lists-parent", message)
}

/// Denies of LIST that this server's dialect passes over (VLT-20).
fn ignored_denies(reach: &TenantReach) -> Vec<Point> {
    let mut points: BTreeMap<(&Name, u32), Point> = BTreeMap::new();
    for login in &reach.logins {
        if login.acl.dialect().list_rule() != ListRule::TrimmedFull {
            continue;
        }
        let denies = login.acl.rules().iter().filter(|rule| rule.capabilities.has(Capability::Deny) && rule.pattern.ends_with("/*"));
        for deny in denies {
            let path = deny.pattern.trim_end_matches('*');
            let decision = login.acl.decide(&Request::new(Operation::List, path));
            let Some(origin) = deny.from.first().filter(|_| decision.allowed) else { continue };
            let by = decision.rule.map_or_else(|| "another rule".to_owned(), |rule| format!("`{}`", clean(&rule.pattern)));
            let message = format!(
                "policy {} line {} `{}` denies, and this server lists `{}` all the same by {by}: fixed in OpenBao 2.6.0 and Vault 2.0",
                clean(&origin.policy),
                origin.line,
                clean(&origin.written),
                clean(path)
            );
            let object = policy_ref(&origin.policy);
            points.entry((&origin.policy, origin.line)).or_insert_with(|| {
                Point::new(Declared::Partly, Subject::object(&object), message).because("VLT-20").with(
                    object,
                    "witness",
                    &format!("list {path}"),
                )
            });
        }
    }
    points.into_values().collect()
}

/// SEC-18: what runs in the tenant reads its secrets and changes none.
pub fn read_only(view: &TenantView<'_>) -> Vec<Point> {
    let reach = match reach_of(view) {
        Ok(reach) => reach,
        Err(points) => return points,
    };
    let mut points: Vec<Point> = once(reach, &reach.writes).into_iter().map(|grant| writes(reach, grant)).collect();
    points.extend(doubts(view, reach));
    if points.is_empty() && reach.logins.is_empty() {
        points.push(no_role(view));
    }
    if points.is_empty() {
        points.push(Point::new(
            Declared::Right,
            view.subject(),
            "no login writes, deletes or destroys what is kept in the tenant's own places",
        ));
    }
    shortened(points)
}

fn writes(reach: &TenantReach, grant: &Grant) -> Point {
    let shown = reach.logins.get(grant.login).map_or_else(|| "a login".to_owned(), |login| who(&login.who));
    let message =
        format!("{shown} may change the tenant's own secrets: {} allows {} `{}`", rule(grant), grant.operation.word(), clean(&grant.path));
    of_grant(reach, grant, Declared::Partly, "writes", message)
}
