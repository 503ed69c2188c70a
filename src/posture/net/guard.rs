//! NET-14: the tenant cannot weaken its own network wall.
//!
//! Who may write policies is a matter of RBAC. Where the tenant may on purpose, a cluster-wide Deny that comes before every policy of a
//! namespace bounds whatever is written there.

use super::select::selects;
use crate::model::adminpolicy::{AdminPolicyFact, Tier, TierAction, TierPeer, TierRule, TierSubject};
use crate::model::ids::Name;
use crate::model::kind::Kind;
use crate::model::platform::foreign;
use crate::model::rbac::RbacSubject;
use crate::model::snapshot::NamespaceFacts;
use crate::model::text::clean;
use crate::netpol::isolation::Direction;
use crate::posture::finding::Subject;
use crate::posture::rbac::{Allowed, Doubt, Grant, Scope, granted, person, words};
use crate::posture::verdict::Declared;
use crate::posture::view::{Point, TenantView, count};

/// At most so many grants are told one by one: a tenant may write bindings by the thousand.
const TOLD: usize = 20;

/// The two policies that bound what a tenant writes: for egress and for ingress.
type Bounds<'a> = (&'a AdminPolicyFact, &'a AdminPolicyFact);

/// NET-14.
pub fn guard(view: &TenantView<'_>) -> Vec<Point> {
    let found = granted(view.snapshot, &view.namespaces);
    let bounds = || Some((bounded(view, Direction::Egress)?, bounded(view, Direction::Ingress)?));
    let bounds = if found.grants.is_empty() { None } else { bounds() };
    let mut points: Vec<Point> = found.doubts.iter().map(doubt).collect();
    points.extend(found.grants.iter().flat_map(|grant| [written(view, grant, bounds), lifted(grant)]).flatten());
    if points.is_empty() {
        let message = format!("no ServiceAccount, group or person of {} may write a network policy", clean(view.tenant));
        return vec![Point::new(Declared::Right, view.subject(), message)];
    }
    shortened(points)
}

/// The worst first, and of many only a number.
fn shortened(mut points: Vec<Point>) -> Vec<Point> {
    points.sort_by(|a, b| (a.declared, &a.subject, &a.message).cmp(&(b.declared, &b.subject, &b.message)));
    if points.len() > TOLD {
        let more = points.split_off(TOLD);
        if let Some(first) = more.first() {
            let message = format!("{} like these", count(more.len(), "more grant"));
            let rest = Point::new(first.declared, first.subject.clone(), message);
            points.push(Point { reason: first.reason, ..rest });
        }
    }
    points
}

fn doubt(doubt: &Doubt<'_>) -> Point {
    let object = doubt.binding.meta.object(doubt.binding.kind);
    let message = format!("what {} {} gives can't be said: {}", doubt.binding.kind, clean(&doubt.binding.meta.name), doubt.why);
    Point::new(Declared::Unknown, Subject::object(&object), message).because("unreadable-grant").with(
        object,
        "roleRef.name",
        &doubt.binding.role,
    )
}

/// What a grant lets write, if anything.
fn written(view: &TenantView<'_>, grant: &Grant<'_>, bounds: Option<Bounds<'_>>) -> Option<Point> {
    if grant.writes.is_empty() {
        return None;
    }
    let said = words(&grant.writes, Kind::as_str);
    let message = sentence(grant, &said);
    let can_be_bounded = |allowed: &Allowed<Kind>| is_bounded_by_tiers(allowed.what);
    if let Some((egress, ingress)) = bounds.filter(|_| grant.writes.iter().all(can_be_bounded)) {
        let message = format!("{message}; whatever is written, {} denies every other tenant before it is asked", clean(&egress.meta.name));
        let point = told(grant, Declared::Right, "bounded", message, &said);
        let with = |point: Point, (policy, field): (&AdminPolicyFact, &str)| {
            point.with(policy.meta.object(policy.kind), field, "denies every other tenant")
        };
        return Some([(egress, "spec.egress"), (ingress, "spec.ingress")].into_iter().fold(point, with));
    }
    let now = |allowed: &Allowed<Kind>| match &allowed.scope {
        Scope::All => true,
        Scope::Named(names) => names.iter().any(|name| exists(view, grant, allowed.what, name)),
    };
    if grant.writes.iter().any(|allowed| allowed.scope == Scope::All) {
        let people = matches!(grant.subject, RbacSubject::User(name) | RbacSubject::Group(name) if !name.starts_with("system:"));
        let reason = if people { "people-write-policies" } else { "writes-policies" };
        return Some(told(grant, Declared::Open, reason, message, &said));
    }
    if grant.writes.iter().any(now) {
        return Some(told(grant, Declared::Open, "named-policy", message, &said));
    }
    let message = format!("{message}; there is none of that name now");
    Some(told(grant, Declared::Partly, "named-policy", message, &said))
}

/// What a grant lets its subject become, if anything.
fn lifted(grant: &Grant<'_>) -> Option<Point> {
    let first = grant.lifts.first()?;
    let said = words(&grant.lifts, |resource| resource);
    let message = format!("{}: so it may get any right over policies", sentence(grant, &said));
    // to act as anybody is one step; roles must be written and bound first, which is not followed here
    let anybody = grant.lifts.iter().any(|allowed| allowed.verb == "impersonate" && allowed.scope == Scope::All);
    let declared = if anybody { Declared::Open } else { Declared::Partly };
    let reason = if anybody || first.verb == "impersonate" { "impersonates" } else { "escalates" };
    Some(told(grant, declared, reason, message, &said))
}

fn told(grant: &Grant<'_>, declared: Declared, reason: &'static str, message: String, said: &str) -> Point {
    let binding = grant.binding.meta.object(grant.binding.kind);
    Point::new(declared, Subject::object(&binding), message)
        .because(reason)
        .with(binding, "subjects", &person(grant.subject, &grant.binding.meta.namespace))
        .with(grant.role.meta.object(grant.role.kind), "rules", said)
}

fn sentence(grant: &Grant<'_>, said: &str) -> String {
    let (binding, role) = (clean(&grant.binding.meta.name), clean(&grant.role.meta.name));
    format!(
        "{} {binding} lets {} {} by {} {role}",
        grant.binding.kind,
        clean(&person(grant.subject, &grant.binding.meta.namespace)),
        clean(said),
        grant.role.kind
    )
}

/// Whether the Admin tier comes before policies of a kind: not before those of engines with tiers of their own that may allow, and whoever
/// writes cluster-wide policies may write the tier itself.
fn is_bounded_by_tiers(kind: Kind) -> bool {
    kind.info().is_some_and(|info| info.namespaced) && !foreign(kind).is_some_and(|engine| engine.may_allow)
}

/// Whether there is a policy of that kind and name where the binding holds.
fn exists(view: &TenantView<'_>, grant: &Grant<'_>, kind: Kind, name: &Name) -> bool {
    let cluster = &view.snapshot.cluster;
    let key = (kind, name.clone());
    let here = |namespace: &str| grant.binding.kind == Kind::ClusterRoleBinding || *grant.binding.meta.namespace == *namespace;
    let own = |facts: &NamespaceFacts| match kind {
        Kind::NetworkPolicy => facts.policies.contains_key(name),
        Kind::CiliumNetworkPolicy => facts.cilium.contains_key(name),
        _ => facts.foreign.contains_key(&key),
    };
    view.namespaces.iter().any(|(namespace, facts)| here(namespace) && own(facts))
        || match kind {
            Kind::CiliumClusterwideNetworkPolicy => cluster.cilium.contains_key(name),
            Kind::CiliumCIDRGroup => cluster.cidr_groups.contains_key(name),
            _ => cluster.admin.contains_key(&key) || cluster.foreign.contains_key(&key),
        }
}

type Foreign<'a> = (&'a Name, &'a NamespaceFacts);

/// The policy of the Admin tier that denies every other tenant in this direction, before anything there allows or passes one.
/// O(cluster-wide rules × other tenants' namespaces).
pub(super) fn bounded<'a>(view: &'a TenantView<'_>, direction: Direction) -> Option<&'a AdminPolicyFact> {
    if view.snapshot.cluster.admin.is_empty() {
        return None;
    }
    let mut policies: Vec<&AdminPolicyFact> =
        view.snapshot.cluster.admin.values().map(AsRef::as_ref).filter(|policy| policy.tier == Tier::Admin).collect();
    policies.sort_by_key(|policy| (policy.priority, &policy.meta.name));
    let others = view.snapshot.namespaces.iter();
    let others = others.filter(|(name, _)| view.tenants.of.get(*name).is_some_and(|tenant| tenant != view.tenant));
    let mut left: Vec<Foreign<'_>> = others.map(|(name, facts)| (name, facts.as_ref())).collect();
    for policy in policies {
        let subject = subject(view, &policy.subject);
        if subject == Some(false) {
            continue;
        }
        let rules = match direction {
            Direction::Egress => &policy.egress,
            Direction::Ingress => &policy.ingress,
        };
        for rule in rules {
            match rule.action {
                TierAction::Deny if rule.ports.is_none() && subject == Some(true) => left.retain(|one| !means_all_pods(rule, *one)),
                TierAction::Deny => {}
                _ if left.iter().any(|one| may_mean(rule, *one)) => return None,
                _ => {}
            }
        }
        if left.is_empty() {
            return Some(policy);
        }
    }
    None
}

/// Whether a policy is about every pod of the tenant; none where it is about some or can't be read.
fn subject(view: &TenantView<'_>, subject: &TierSubject) -> Option<bool> {
    let over = |selector| view.namespaces.iter().map(move |(name, facts)| selects(selector, name, facts)).collect::<Vec<_>>();
    let (chosen, whole) = match subject {
        TierSubject::Namespaces(of) => (over(of), true),
        TierSubject::Pods { namespaces, pods } => (over(namespaces), pods.is_everything()),
        TierSubject::Unreadable(_) => return None,
    };
    if chosen.iter().all(|one| *one == Some(false)) {
        Some(false)
    } else {
        (whole && chosen.iter().all(|one| *one == Some(true))).then_some(true)
    }
}

fn means_all_pods(rule: &TierRule, (name, facts): Foreign<'_>) -> bool {
    rule.peers.iter().any(|peer| match peer {
        TierPeer::Namespaces(of) => selects(of, name, facts) == Some(true),
        TierPeer::Pods { namespaces, pods } => pods.is_everything() && selects(namespaces, name, facts) == Some(true),
        TierPeer::Networks(nets) => nets.iter().any(|net| net.prefix_len() == 0),
        _ => false,
    })
}

fn may_mean(rule: &TierRule, (name, facts): Foreign<'_>) -> bool {
    rule.peers.iter().any(|peer| match peer {
        TierPeer::Namespaces(of) | TierPeer::Pods { namespaces: of, .. } => selects(of, name, facts) != Some(false),
        TierPeer::Networks(_) | TierPeer::Unreadable(_) => true,
        TierPeer::Nodes(_) | TierPeer::DomainNames(_) => false,
    })
}
