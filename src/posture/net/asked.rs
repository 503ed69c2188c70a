//! What rules of other kinds than NetworkPolicy let through on the tenant's own side: where one of them may lead to others, the engine is
//! asked.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::plain;
use super::select::selects;
use crate::model::adminpolicy::{TierAction, TierPeer, TierSubject};
use crate::model::ciliumpolicy::{CiliumEntry, CiliumPeers, CiliumPolicyFact};
use crate::model::ids::{Name, ObjectRef, TenantId};
use crate::model::labels::{Is, LabelSelector};
use crate::model::snapshot::NamespaceFacts;
use crate::model::text::clean;
use crate::netpol::answer::Openness;
use crate::netpol::isolation::{Direction, under_policy};
use crate::netpol::story::{End, Reason, side_of};
use crate::posture::finding::Subject;
use crate::posture::verdict::Declared;
use crate::posture::view::{Point, TenantView, list};

/// At most so many tenants are asked about.
const ASKED: usize = 3;
/// The key, without its source prefix, under which Cilium knows an endpoint's namespace.
const CILIUM_NAMESPACE: &str = "io.kubernetes.pod.namespace";
/// Entities that hold pods of other tenants.
const WIDE_ENTITIES: [&str; 2] = ["all", "cluster"];

/// What other kinds of policies let through on this side, by the rule.
pub(super) fn asked(view: &TenantView<'_>, direction: Direction) -> Vec<Point> {
    let mut points = Vec::new();
    for (name, facts) in &view.namespaces {
        if plain(view, facts) {
            continue;
        }
        let suspects = suspects(view, name, facts, direction);
        if suspects.is_empty() {
            continue;
        }
        let pod = facts
            .pods
            .values()
            .find(|pod| under_policy(pod))
            .map(|pod| End::Pod { namespace: (*name).clone(), name: pod.meta.name.clone() });
        let imagined = End::Imagined { namespace: (*name).clone(), labels: Arc::default() };
        let mut ends = pod.into_iter().map(|end| (end, Declared::Open)).chain([(imagined, Declared::Partly)]);
        points.extend(ends.find_map(|(end, declared)| heard(view, name, (&end, declared), &suspects, direction)));
    }
    points
}

/// What the engine says of this end's side, towards the suspects.
fn heard(
    view: &TenantView<'_>,
    name: &Name,
    (end, declared): (&End, Declared),
    suspects: &[TenantId],
    direction: Direction,
) -> Option<Point> {
    let mut guilty: BTreeMap<(ObjectRef, String), String> = BTreeMap::new();
    let mut to: BTreeSet<&TenantId> = BTreeSet::new();
    for tenant in suspects {
        let other = End::Tenant(tenant.clone());
        let story = match direction {
            Direction::Egress => view.reach.explain(end, &other),
            Direction::Ingress => view.reach.explain(&other, end),
        };
        for segment in story.iter().flat_map(|story| &story.segments) {
            let side = side_of(direction, segment);
            if let (Openness::Open, Reason::Allowed(rules)) = (side.openness, &side.reason) {
                to.insert(tenant);
                guilty.extend(rules.iter().map(|rule| ((rule.object.clone(), rule.field.clone()), segment.ports.words())));
            }
        }
    }
    let ((first, _), _) = guilty.first_key_value()?;
    let verb = if direction == Direction::Egress { "connect to" } else { "accept connections from" };
    let who = if declared == Declared::Open { "lets pods" } else { "would let a pod without labels" };
    let message = format!("{} {who} of {} {verb} {}", clean(&first.name), clean(name), clean(&list(&to)));
    let point = Point::new(declared, Subject::object(first), message).because("allows-others");
    Some(guilty.into_iter().fold(point, |point, ((object, field), ports)| point.with(object, field, &ports)))
}

/// Tenants that some rule of another kind may mean: those named, and of a rule that means many, the first few.
fn suspects(view: &TenantView<'_>, name: &Name, facts: &NamespaceFacts, direction: Direction) -> Vec<TenantId> {
    let mut named: BTreeSet<TenantId> = BTreeSet::new();
    let mut wide = false;
    let cluster = &view.snapshot.cluster;
    for policy in facts.cilium.values().chain(cluster.cilium.values()) {
        wide |= cilium(view, policy, direction, &mut named);
    }
    for policy in cluster.admin.values() {
        let about = match &policy.subject {
            TierSubject::Namespaces(of) | TierSubject::Pods { namespaces: of, .. } => selects(of, name, facts) != Some(false),
            TierSubject::Unreadable(_) => false,
        };
        let rules = if direction == Direction::Egress { &policy.egress } else { &policy.ingress };
        for rule in rules.iter().filter(|rule| about && rule.action == TierAction::Allow) {
            for peer in &rule.peers {
                match peer {
                    TierPeer::Namespaces(of) | TierPeer::Pods { namespaces: of, .. } if !of.is_everything() => {
                        let found = super::select::namespaces(view.snapshot, of).filter_map(|(name, _)| view.tenants.of.get(name));
                        named.extend(found.filter(|tenant| *tenant != view.tenant).take(ASKED).cloned());
                    }
                    TierPeer::Nodes(_) | TierPeer::DomainNames(_) | TierPeer::Unreadable(_) => {}
                    _ => wide = true,
                }
            }
        }
    }
    let others = view.tenants.namespaces.keys().filter(|tenant| wide && *tenant != view.tenant);
    let mut list: Vec<TenantId> = named.into_iter().take(ASKED).collect();
    list.extend(others.take(ASKED).cloned());
    list.dedup();
    list
}

/// Adds the tenants that a Cilium policy names; true where it means many.
fn cilium(view: &TenantView<'_>, policy: &CiliumPolicyFact, direction: Direction, named: &mut BTreeSet<TenantId>) -> bool {
    let clusterwide = policy.meta.namespace.is_empty();
    let mut wide = false;
    for rule in &policy.rules {
        let entries: &[CiliumEntry] = if direction == Direction::Egress { &rule.egress } else { &rule.ingress };
        for entry in entries {
            wide |= entry.peers.is_empty() && entry.ports.is_some();
            for peers in &entry.peers {
                match peers {
                    CiliumPeers::Entities(list) => wide |= list.iter().any(|entity| WIDE_ENTITIES.contains(&entity.as_ref())),
                    CiliumPeers::Endpoints(list) => wide |= list.iter().any(|selector| endpoints(view, selector, clusterwide, named)),
                    CiliumPeers::Services(_) => wide = true,
                    _ => {}
                }
            }
        }
    }
    wide
}

/// Adds the tenants that a selector of endpoints names by namespace; true where it is not limited to its own namespace otherwise.
fn endpoints(view: &TenantView<'_>, selector: &LabelSelector, clusterwide: bool, named: &mut BTreeSet<TenantId>) -> bool {
    let of_namespace = |key: &str| key.split_once(':').map_or(key, |(_, key)| key).starts_with("io.") && key.ends_with(CILIUM_NAMESPACE);
    let by_labels = |key: &str| key.contains("io.cilium.k8s.namespace.labels.");
    let mut limited = false;
    for requirement in &selector.requirements {
        if by_labels(&requirement.key) {
            return true;
        }
        if of_namespace(&requirement.key) {
            limited = true;
            match &requirement.is {
                Is::In(names) => {
                    let tenants = names.iter().filter_map(|name| view.tenants.of.get(name));
                    named.extend(tenants.filter(|tenant| *tenant != view.tenant).cloned());
                }
                _ => return true,
            }
        }
    }
    clusterwide && !limited
}
