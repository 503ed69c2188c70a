//! NET-14: the tenant cannot weaken its own network wall.
//!
//! Who may write policies is a matter of RBAC, which this release does not read. What it does read may settle the matter all the same: a
//! cluster-wide Deny that comes before every policy of a namespace bounds whatever is written there.

use super::select::selects;
use crate::model::adminpolicy::{AdminPolicyFact, Tier, TierAction, TierPeer, TierRule, TierSubject};
use crate::model::ids::Name;
use crate::model::snapshot::NamespaceFacts;
use crate::model::text::clean;
use crate::netpol::isolation::Direction;
use crate::posture::verdict::Declared;
use crate::posture::view::{Point, TenantView};

/// The sub-reason of a check that nobody looked at in this mode: it is UNKNOWN for itself, and holds no wall back, or none would ever hold.
pub const NOT_READ: &str = "rbac-not-read";

/// NET-14.
pub fn guard(view: &TenantView<'_>) -> Vec<Point> {
    let bound = |direction| bounded(view, direction);
    let not_read = "who may write policies here (RBAC of its ServiceAccounts and people) is not read in this release";
    if let (Some(egress), Some(ingress)) = (bound(Direction::Egress), bound(Direction::Ingress)) {
        let (shown, by) = (clean(view.tenant), clean(&egress.meta.name));
        let message = format!("whatever is written in {shown}, {by} denies every other tenant before it is asked; {not_read}");
        let point = Point::new(Declared::Right, view.subject(), message).because("bounded");
        let evidence = [(egress, "spec.egress"), (ingress, "spec.ingress")];
        let with = |point: Point, (policy, field): (&AdminPolicyFact, &str)| {
            point.with(policy.meta.object(policy.kind), field, "denies every other tenant")
        };
        return vec![evidence.into_iter().fold(point, with)];
    }
    let message = format!("{not_read}, and no cluster-wide Deny bounds what a policy of {} may allow", clean(view.tenant));
    vec![Point::new(Declared::Unknown, view.subject(), message).because(NOT_READ)]
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
