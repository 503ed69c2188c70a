//! SEC-05 and SEC-06: what the policies of a login really open. The verdict is the evaluator's, by witness; that every rule stays within the
//! tenant's own places is the lint beside it (`spec/posture.md` 4.2, `spec/vault.md` 8).

mod told;

use std::collections::BTreeMap;

use super::makers::Makers;
use super::{no_role, reach_of, unreadable_roles};
use crate::model::ids::Name;
use crate::model::text::clean;
use crate::model::vault::{policy_ref, role_ref};
use crate::posture::finding::Subject;
use crate::posture::verdict::Declared;
use crate::posture::view::{Point, TenantView, count, list, shortened};
use crate::vaultacl::capability::{Capabilities, Capability};
use crate::vaultacl::reach::{BadPolicy, Grant, Login, PolicyFrom, TenantReach, Who};

use told::Told;

/// How a policy came into a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    /// By a role of the tenant's own.
    OwnRole,
    /// By a role that is somebody else's, or everybody's.
    OtherRole,
    /// By `default`.
    Default,
    /// By the entity or a group of it.
    Identity,
}

impl Way {
    fn of(reach: &TenantReach, grant: &Grant) -> Self {
        let Some(login) = reach.logins.get(grant.login) else { return Self::OtherRole };
        let from = login.policies.iter().filter(|(name, _)| *name == grant.origin.policy).map(|(_, from)| from).min();
        match from {
            Some(PolicyFrom::Default) => Self::Default,
            Some(PolicyFrom::Entity(_) | PolicyFrom::Group(_)) => Self::Identity,
            Some(PolicyFrom::Role) | None if login.own_role => Self::OwnRole,
            Some(PolicyFrom::Role) | None => Self::OtherRole,
        }
    }
}

/// SEC-05: the policies of the tenant's own roles open nothing but its own.
pub fn by_own_policies(view: &TenantView<'_>) -> Vec<Point> {
    judge(view, &[Way::OwnRole], |reach| {
        let own = |login: &&std::sync::Arc<Login>| login.own_role;
        let Some(login) = reach.logins.iter().find(own) else { return no_role(view) };
        let role = role_ref(&login.mount, &login.role);
        let policies = list(login.policies.iter().map(|(name, _)| name));
        let others = view.tenants.namespaces.len().saturating_sub(1);
        let message = format!(
            "what role {} grants by {} opens nothing of {}, judged as {} decides",
            clean(&login.role),
            clean(&policies),
            count(others, "other tenant"),
            clean(&view.secrets.dialect_from)
        );
        let places = list(reach.roots.iter().map(|root| format!("{}/{}", root.mount, root.path)));
        Point::new(Declared::Right, Subject::object(&role), message).with(role.clone(), "token_policies", &policies).with(
            role,
            "own places",
            if places.is_empty() { "none known" } else { &places },
        )
    })
}

/// SEC-06: no other role, no entity, no group and no default policy adds to it.
pub fn by_anything_else(view: &TenantView<'_>) -> Vec<Point> {
    judge(view, &[Way::OtherRole, Way::Default, Way::Identity], |reach| {
        if reach.logins.is_empty() {
            return no_role(view);
        }
        let mut roles: Vec<&Name> = reach.logins.iter().map(|login| &login.role).collect();
        roles.sort();
        roles.dedup();
        let message = format!(
            "its ServiceAccounts are admitted by {} ({}); neither a role that is not its own nor default, entity or group policies open anything more",
            count(roles.len(), "role"),
            clean(&list(&roles))
        );
        Point::new(Declared::Right, view.subject(), message)
    })
}

fn judge(view: &TenantView<'_>, ways: &[Way], right: impl Fn(&TenantReach) -> Point) -> Vec<Point> {
    let reach = match reach_of(view) {
        Ok(reach) => reach,
        Err(points) => return points,
    };
    let here = |grant: &Grant| ways.contains(&Way::of(reach, grant));
    let told = Told { view, reach, makers: Makers::new(view) };
    let mut points = told.crossings(&here);
    points.extend(reach.escalations.iter().filter(|grant| here(grant)).map(|grant| told.escalation(grant)));
    points.extend(told.beyond(&here));
    if ways.contains(&Way::OwnRole) {
        points.extend(unreadable_roles(view));
        points.extend(bad_policies(view, reach));
        points.extend(templates(view, reach));
    }
    points.extend(doubts(view, reach));
    if points.is_empty() {
        points.push(right(reach));
    }
    shortened(points)
}

/// What is unseen and may add reach: nothing may be called right while it lasts.
pub(super) fn doubts(view: &TenantView<'_>, reach: &TenantReach) -> Vec<Point> {
    let open = reach.doubts.iter().filter(|doubt| doubt.may_add);
    open.map(|doubt| Point::new(Declared::Unknown, view.subject(), clean(&doubt.words)).because("unseen-reach")).collect()
}

/// What the policies named by the tenant's roles lack: VLT-07 and VLT-19.
fn bad_policies(view: &TenantView<'_>, reach: &TenantReach) -> Vec<Point> {
    if view.secrets.bad_policies.is_empty() {
        return Vec::new();
    }
    let mut named: BTreeMap<&Name, Vec<String>> = BTreeMap::new();
    for at in view.own_roles() {
        for policy in &at.role.policies {
            named.entry(policy).or_default().push(format!("role {}", clean(at.name)));
        }
    }
    for (policy, from) in reach.logins.iter().flat_map(|login| &login.policies) {
        match from {
            PolicyFrom::Role | PolicyFrom::Default => {}
            PolicyFrom::Entity(name) => named.entry(policy).or_default().push(format!("entity {}", clean(name))),
            PolicyFrom::Group(name) => named.entry(policy).or_default().push(format!("group {}", clean(name))),
        }
    }
    let point = |(policy, by): (&Name, Vec<String>)| {
        let (object, shown) = (policy_ref(policy), clean(policy));
        let by = by.first().map_or("", String::as_str);
        let lower = Name::from(policy.to_lowercase());
        let bad = view.secrets.bad_policies.get(policy).or_else(|| view.secrets.bad_policies.get(&lower))?;
        let (declared, reason, message, value) = match bad {
            BadPolicy::Missing => (
                Declared::Partly,
                "VLT-07",
                format!("{by} names policy {shown}, which does not exist: whoever writes it decides what this tenant may open"),
                "absent".to_owned(),
            ),
            BadPolicy::Unseen(why) => {
                (Declared::Unknown, "unseen-policy", format!("policy {shown}, which {by} names, can't be read: {}", clean(why)), clean(why))
            }
            BadPolicy::Refused(refused) => (
                Declared::Unknown,
                "VLT-19",
                format!(
                    "policy {shown}, which {by} names, is one the server would refuse (line {}: {}): every request of a token that carries it fails once it is loaded again, and what it allows till then can't be said",
                    refused.line,
                    clean(&refused.what)
                ),
                format!("line {}: {}", refused.line, refused.what),
            ),
        };
        Some(Point::new(declared, Subject::object(&object), message).because(reason).with(object, "policy", &value))
    };
    named.into_iter().filter_map(point).collect()
}

/// The keys of an alias that the auth method itself fills in with what Kubernetes vouches for.
const VOUCHED: [&str; 3] = ["service_account_name", "service_account_namespace", "service_account_uid"];

/// Templates in rules of the tenant's own roles whose value it chooses, or that may be empty (VLT-04), and denies that fell away (VLT-08).
fn templates(view: &TenantView<'_>, reach: &TenantReach) -> Vec<Point> {
    let mut points: BTreeMap<(&Name, u32, &'static str), Point> = BTreeMap::new();
    for login in reach.logins.iter().filter(|login| login.own_role) {
        let config = view.snapshot.vault.kubernetes_config.items.get(&login.mount);
        let by_annotations = config.is_none_or(|config| config.annotations_as_metadata);
        for origin in login.acl.rules().iter().flat_map(|rule| &rule.from) {
            let Some(key) = unvouched(&origin.written, by_annotations).filter(|_| !origin.capabilities.denies()) else { continue };
            let why = if key == "service_account_secret_name" { "may be empty" } else { "whoever edits the ServiceAccount chooses" };
            let message = format!(
                "policy {} line {} `{}` builds its path on {}, which {why}",
                clean(&origin.policy),
                origin.line,
                clean(&origin.written),
                clean(key)
            );
            let object = policy_ref(&origin.policy);
            points.entry((&origin.policy, origin.line, "VLT-04")).or_insert_with(|| {
                Point::new(Declared::Partly, Subject::object(&object), message).because("VLT-04").with(
                    object,
                    line(origin.line),
                    &origin.written,
                )
            });
        }
        for dropped in login.acl.dropped().iter().filter(|dropped| dropped.origin.capabilities.has(Capability::Deny)) {
            let origin = &dropped.origin;
            let message = format!(
                "policy {} line {} `{}` is a deny that does not count: {}",
                clean(&origin.policy),
                origin.line,
                clean(&origin.written),
                clean(&dropped.why)
            );
            let object = policy_ref(&origin.policy);
            points.entry((&origin.policy, origin.line, "VLT-08")).or_insert_with(|| {
                Point::new(Declared::Partly, Subject::object(&object), message).because("VLT-08").with(
                    object,
                    line(origin.line),
                    &origin.written,
                )
            });
        }
    }
    points.into_values().collect()
}

/// The first key of alias metadata in a pattern that Kubernetes does not vouch for: one that may be empty, or, where annotations become
/// metadata, any that is not reserved.
fn unvouched(written: &str, by_annotations: bool) -> Option<&str> {
    let inside = written.split("{{").skip(1).filter_map(|rest| rest.split("}}").next()).map(str::trim);
    let keys = inside
        .filter(|template| template.starts_with("identity.entity.aliases."))
        .filter_map(|t| t.split_once(".metadata.").map(|(_, key)| key));
    keys.into_iter().find(|key| *key == "service_account_secret_name" || (by_annotations && !VOUCHED.contains(key)))
}

/// `line 4`, as a field of evidence.
fn line(line: u32) -> String {
    format!("path, line {line}")
}

/// Capabilities as a policy lists them.
fn words(capabilities: Capabilities) -> String {
    capabilities.iter().map(Capability::word).collect::<Vec<_>>().join(", ")
}

/// As whom, in words.
pub(super) fn who(who: &Who) -> String {
    match who {
        Who::Account { namespace, name } => format!("ServiceAccount {}/{}", clean(namespace), clean(name)),
        Who::Maker { namespace, name } => format!("a ServiceAccount {} made in {}", clean(name), clean(namespace)),
    }
}

/// The rule, as one points at it: `policy tenant-acme line 4 \`secret/data/web-tenant-*\``.
pub(super) fn rule(grant: &Grant) -> String {
    let origin = &grant.origin;
    let filled = if *origin.written == *grant.pattern { String::new() } else { format!(" (here `{}`)", clean(&grant.pattern)) };
    format!("policy {} line {} `{}`{filled}", clean(&origin.policy), origin.line, clean(&origin.written))
}

/// A point about a grant, with its rule, its witness and the login it takes as evidence.
pub(super) fn of_grant(reach: &TenantReach, grant: &Grant, declared: Declared, reason: &'static str, message: String) -> Point {
    let policy = policy_ref(&grant.origin.policy);
    let point = Point::new(declared, Subject::object(&policy), message)
        .because(reason)
        .with(policy.clone(), line(grant.origin.line), &grant.origin.written)
        .with(policy.clone(), "capabilities", &words(grant.origin.capabilities))
        .with(policy, "witness", &format!("{} {}", grant.operation.word(), grant.path));
    match reach.logins.get(grant.login) {
        Some(login) => point.with(role_ref(&login.mount, &login.role), "login", &who(&login.who)),
        None => point,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_kubernetes_does_not_vouch_for() {
        let path = |key: &str| format!("secret/data/{{{{ identity.entity.aliases.auth_kubernetes_1.metadata.{key} }}}}/*");
        assert_eq!(unvouched(&path("service_account_namespace"), true), None);
        assert_eq!(unvouched(&path("service_account_secret_name"), false), Some("service_account_secret_name"));
        assert_eq!(unvouched(&path("team"), true), Some("team"));
        assert_eq!(unvouched(&path("team"), false), None);
        assert_eq!(unvouched("secret/data/{{identity.entity.metadata.team}}", true), None, "an operator writes it");
        assert_eq!(unvouched("secret/data/{{", true), None);
    }
}
