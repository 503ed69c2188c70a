//! NET-23 and NET-24: policies that do nothing, and exceptions that another rule takes back.

use std::collections::BTreeMap;

use ipnet::IpNet;

use super::of_namespace;
use super::ports::{numbers, words as port_words};
use super::select::{namespaces, overlap, pods, selects};
use crate::model::adminpolicy::{AdminPolicyFact, TierSubject};
use crate::model::ids::{Name, ObjectRef};
use crate::model::kind::Kind;
use crate::model::labels::LabelSelector;
use crate::model::networkpolicy::{NetworkPolicyFact, Peer, PolicyRule};
use crate::model::snapshot::NamespaceFacts;
use crate::model::text::clean;
use crate::netpol::isolation::Direction;
use crate::netpol::selector::words;
use crate::posture::finding::Subject;
use crate::posture::sight::Source;
use crate::posture::verdict::Declared;
use crate::posture::view::{Point, TenantView, list};

const DIRECTIONS: [Direction; 2] = [Direction::Ingress, Direction::Egress];

/// NET-23: every policy selects somebody, every peer is somebody, and no two of a tier stand in the same place.
pub fn tidy(view: &TenantView<'_>) -> Vec<Point> {
    let mut points: Vec<Point> = Vec::new();
    let templates = view.blind(Source::Objects(Kind::Deployment)).is_none();
    for (name, facts) in &view.namespaces {
        for policy in facts.policies.values() {
            points.extend(selects_nobody(name, facts, policy, templates));
            points.extend(peers_nobody(view, name, policy));
        }
    }
    points.extend(same_place(view));
    if points.is_empty() {
        let message = format!("every policy of {} selects somebody and speaks of somebody", clean(view.tenant));
        points.push(Point::new(Declared::Right, view.subject(), message));
    }
    points
}

/// A policy that selects neither a pod nor what a template will make, and is no guard of the whole namespace.
fn selects_nobody(namespace: &Name, facts: &NamespaceFacts, policy: &NetworkPolicyFact, templates: bool) -> Option<Point> {
    let made = |labels| policy.pods.matches(labels) != Some(false);
    let guard = policy.pods.is_everything() || !templates;
    let somebody =
        facts.pods.values().any(|pod| made(&pod.labels)) || facts.workloads.values().any(|workload| made(&workload.template_labels));
    (!guard && !somebody).then(|| {
        let object = policy.meta.object(Kind::NetworkPolicy);
        let message =
            format!("{} in {} selects no pod and no template: {}", clean(&policy.meta.name), clean(namespace), clean(&words(&policy.pods)));
        Point::new(Declared::Partly, Subject::object(&object), message).because("selects-nobody").with(
            object,
            "spec.podSelector",
            &words(&policy.pods),
        )
    })
}

/// Peers of a policy that are nobody today.
fn peers_nobody(view: &TenantView<'_>, namespace: &Name, policy: &NetworkPolicyFact) -> Vec<Point> {
    let object = policy.meta.object(Kind::NetworkPolicy);
    let mut found = Vec::new();
    for direction in DIRECTIONS.into_iter().filter(|direction| policy.isolates(*direction)) {
        for (index, rule) in policy.rules(direction).iter().enumerate() {
            for peer in &rule.peers {
                let Peer::Pods { namespaces: Some(of), pods: chosen } = peer else { continue };
                if anybody(view, of, chosen.as_ref()) {
                    continue;
                }
                let peer = super::leads::peer_words(of, chosen.as_ref());
                let message =
                    format!("{} in {} speaks of {}, of which there is none", clean(&policy.meta.name), clean(namespace), clean(&peer));
                let field = format!("spec.{}[{index}]", direction.word().to_lowercase());
                found.push(Point::new(Declared::Partly, Subject::object(&object), message).because("peer-is-nobody").with(
                    object.clone(),
                    field,
                    &peer,
                ));
            }
        }
    }
    found
}

/// Whether a peer is somebody. Namespaces that are there count for a peer that takes all their pods: those come and go.
fn anybody(view: &TenantView<'_>, of: &LabelSelector, chosen: Option<&LabelSelector>) -> bool {
    let unknown = |selector: &LabelSelector| selector.requirements.iter().any(|r| matches!(r.is, crate::model::labels::Is::Unknown(_)));
    let made = |facts: &NamespaceFacts, chosen: &LabelSelector| {
        facts.pods.values().any(|pod| chosen.matches(&pod.labels) == Some(true))
            || facts.workloads.values().any(|workload| chosen.matches(&workload.template_labels) == Some(true))
    };
    unknown(of)
        || chosen.is_some_and(unknown)
        || namespaces(view.snapshot, of).any(|(_, facts)| chosen.is_none_or(|chosen| chosen.is_everything() || made(facts, chosen)))
}

/// Cluster-wide policies of one tier and priority that may be about the same pods: the API leaves their order open, and so they are read by
/// name.
fn same_place(view: &TenantView<'_>) -> Option<Point> {
    let ours = |policy: &AdminPolicyFact| {
        let of = match &policy.subject {
            TierSubject::Namespaces(of) | TierSubject::Pods { namespaces: of, .. } => of,
            TierSubject::Unreadable(_) => return true,
        };
        view.namespaces.iter().any(|(name, facts)| selects(of, name, facts) != Some(false))
    };
    let mut places: BTreeMap<(Kind, &crate::model::adminpolicy::Tier, i32), Vec<&AdminPolicyFact>> = BTreeMap::new();
    for policy in view.snapshot.cluster.admin.values().map(AsRef::as_ref).filter(|policy| ours(policy)) {
        places.entry((policy.kind, &policy.tier, policy.priority)).or_default().push(policy);
    }
    let ((_, _, priority), same) = places.into_iter().find(|(_, policies)| policies.len() > 1)?;
    let names: Vec<&Name> = same.iter().map(|policy| &policy.meta.name).collect();
    let message =
        format!("{} have the same priority {priority}: which comes first is undefined, and they are read by name", clean(&list(&names)));
    let point = Point::new(Declared::Partly, view.subject(), message).because("equal-priority");
    Some(
        same.iter()
            .take(4)
            .fold(point, |point, policy| point.with(policy.meta.object(policy.kind), "spec.priority", &priority.to_string())),
    )
}

/// One egress rule with where it stands.
struct At<'a> {
    policy: &'a NetworkPolicyFact,
    index: usize,
    rule: &'a PolicyRule,
}

impl At<'_> {
    fn object(&self) -> ObjectRef {
        self.policy.meta.object(Kind::NetworkPolicy)
    }

    fn field(&self) -> String {
        format!("spec.egress[{}]", self.index)
    }
}

/// NET-24: what one rule excepts no broader rule for the same pod takes back. A rule that opens only a part of the exception is an exception
/// to it, made on purpose, and is judged as a reach to a private range.
pub fn exceptions(view: &TenantView<'_>) -> Vec<Point> {
    view.namespaces.iter().flat_map(|(name, facts)| of_one(name, facts)).collect()
}

fn of_one(name: &Name, facts: &NamespaceFacts) -> Vec<Point> {
    let rules: Vec<At<'_>> = facts
        .policies
        .values()
        .filter(|policy| policy.isolates_egress)
        .flat_map(|policy| policy.egress.iter().enumerate().map(move |(index, rule)| At { policy, index, rule }))
        .collect();
    let excepting: Vec<(&At<'_>, &[IpNet])> =
        rules.iter().flat_map(|at| at.rule.peers.iter().filter_map(move |peer| Some((at, excepts(peer)?)))).collect();
    if excepting.is_empty() {
        let message = format!("no rule of {} makes an exception of addresses", clean(name));
        return vec![Point::new(Declared::NotApplicable, of_namespace(name), message)];
    }
    let mut points = Vec::new();
    for (at, nets) in excepting {
        for other in &rules {
            let back: Vec<&IpNet> = nets.iter().filter(|net| takes_back(other.rule, net)).collect();
            if !back.is_empty() && overlap(&at.policy.pods, &other.policy.pods) {
                points.push(taken_back(name, facts, at, other, &back));
            }
        }
    }
    if points.is_empty() {
        let message = format!("what rules of {} except no other rule takes back", clean(name));
        points.push(Point::new(Declared::Right, of_namespace(name), message));
    }
    points
}

fn excepts(peer: &Peer) -> Option<&[IpNet]> {
    match peer {
        Peer::Block { except, .. } if !except.is_empty() => Some(except),
        _ => None,
    }
}

/// Whether a rule opens the whole of a range: it names nobody, or a block that holds the range and excepts nothing of it.
fn takes_back(rule: &PolicyRule, net: &IpNet) -> bool {
    rule.peers.is_empty()
        || rule.peers.iter().any(|peer| match peer {
            Peer::Block { cidr, except } => cidr.contains(net) && !except.iter().any(|except| except.contains(net) || net.contains(except)),
            _ => false,
        })
}

fn taken_back(name: &Name, facts: &NamespaceFacts, at: &At<'_>, other: &At<'_>, back: &[&IpNet]) -> Point {
    let (first, second) = (&at.policy.meta.name, &other.policy.meta.name);
    let selected = pods(facts, Some(&at.policy.pods)).any(|pod| other.policy.pods.matches(&pod.labels) == Some(true));
    // on other ports the exception still says what it says of its own
    let same_ports = !numbers(&at.rule.ports).intersect(&numbers(&other.rule.ports)).is_empty();
    let nets = list(back.iter().map(ToString::to_string));
    let message = format!(
        "{} in {} excepts {nets}, and {} lets {} reach it after all, on {}",
        clean(first),
        clean(name),
        if first == second { format!("its rule {}", other.index) } else { clean(second) },
        if selected { "the same pods" } else { "pods that may be made" },
        clean(&port_words(&other.rule.ports)),
    );
    let declared = if selected && same_ports { Declared::Open } else { Declared::Partly };
    Point::new(declared, Subject::object(&other.object()), message)
        .because("taken-back")
        .with(at.object(), at.field(), &format!("except {nets}"))
        .with(other.object(), other.field(), &format!("opens it on {}", port_words(&other.rule.ports)))
}
