//! The network wall: is everything denied that no rule allows, for today's pods and for tomorrow's?

use super::finding::Subject;
use super::sight::Source;
use super::verdict::Declared;
use super::view::{Point, TenantView, count, list};
use crate::model::ids::{Name, ObjectRef};
use crate::model::kind::Kind;
use crate::model::snapshot::NamespaceFacts;
use crate::model::text::clean;
use crate::netpol::isolation::{Direction, Isolation, isolation};
use crate::netpol::openness::{OpenRule, open_rules, unreadable};
use crate::netpol::selector::{Coverage, label_words, words};

/// NET-01.
pub fn egress(view: &TenantView<'_>) -> Vec<Point> {
    denied_by_default(view, Direction::Egress)
}

/// NET-02.
pub fn ingress(view: &TenantView<'_>) -> Vec<Point> {
    denied_by_default(view, Direction::Ingress)
}

fn denied_by_default(view: &TenantView<'_>, direction: Direction) -> Vec<Point> {
    let pods_unseen = view.blind(Source::Objects(Kind::Pod));
    let of_namespace = |(name, facts): &(&Name, &NamespaceFacts)| {
        let mut points: Vec<Point> = open_rules(facts, direction).iter().map(|rule| opened(name, direction, rule)).collect();
        points.extend(unreadable(facts, direction).into_iter().map(|(policy, why)| unread(name, direction, &policy, &why)));
        let base = isolated(name, facts, direction, pods_unseen.as_deref());
        // "declared right" beside a rule that lets everybody through would read as a contradiction
        if points.is_empty() || base.declared != Declared::Right {
            points.push(base);
        }
        points
    };
    view.namespaces.iter().flat_map(of_namespace).collect()
}

/// What may happen where the direction is not isolated.
const fn may(direction: Direction) -> &'static str {
    match direction {
        Direction::Egress => "may open any connection",
        Direction::Ingress => "accept any connection",
    }
}

fn isolated(namespace: &Name, facts: &NamespaceFacts, direction: Direction, pods_unseen: Option<&str>) -> Point {
    let found = isolation(facts, direction);
    let (shown, way) = (clean(namespace), direction.word().to_lowercase());
    let object = ObjectRef::new(Kind::Namespace, "", namespace.clone());
    let subject = Subject::object(&object);
    let point = |declared, message: String| Point::new(declared, subject.clone(), message);
    let said = if found.policies.is_empty() {
        point(Declared::Open, format!("no NetworkPolicy isolates {shown} for {way}: its pods {}", may(direction)))
            .because("no-policy")
            .with(object, format!("NetworkPolicy spec.policyTypes[{}]", direction.word()), "absent")
    } else if found.future == Coverage::Everything {
        let covering = covering(facts, direction);
        let pods = count(found.pods, "pod");
        let right = point(
            Declared::Right,
            format!("{} isolates every pod of {shown} for {way}: {pods} now, and any later one", clean(&list(&covering))),
        );
        facts
            .policies
            .values()
            .filter(|policy| covering.contains(&policy.meta.name))
            .fold(right, |right, policy| right.with(policy.meta.object(Kind::NetworkPolicy), "spec.podSelector", &words(&policy.pods)))
    } else if let Some(why) = pods_unseen {
        point(Declared::Unknown, format!("policies of {shown} isolate some pods for {way}, but Pod could not be read: {why}"))
            .because("pods-unseen")
    } else {
        partly(&found, &shown, &way, direction, &subject)
    };
    if found.host_network == 0 {
        return said;
    }
    let outside = format!("{} on the node's network, to which NetworkPolicy does not apply", count(found.host_network, "pod"));
    said.with(ObjectRef::new(Kind::Namespace, "", namespace.clone()), "pods spec.hostNetwork", &outside)
}

/// Some policy isolates somebody, but not everybody for ever.
fn partly(found: &Isolation, shown: &str, way: &str, direction: Direction, subject: &Subject) -> Point {
    let point = |declared, message: String| Point::new(declared, subject.clone(), message);
    let namespace = ObjectRef::new(Kind::Namespace, "", subject.name.clone());
    if !found.open.is_empty() {
        let message = format!(
            "{} of {} in {shown} {}: no policy isolates them for {way}",
            found.open.len(),
            count(found.pods, "pod"),
            may(direction)
        );
        return point(Declared::Open, message).because("open-pods").with(namespace, "pods not isolated", &list(&found.open));
    }
    if !found.undecided.is_empty() {
        let message = format!(
            "whether {} in {shown} are isolated for {way} hangs on a selector operator this program does not know",
            found.undecided.len()
        );
        return point(Declared::Unknown, message).because("unknown-operator").with(namespace, "pods undecided", &list(&found.undecided));
    }
    match &found.future {
        Coverage::Misses(witness) => {
            let labels = label_words(witness);
            let message = format!(
                "{} now in {shown} are isolated for {way}, but a pod made tomorrow with {} would not be: {} selects only some",
                count(found.pods, "pod"),
                clean(&labels),
                clean(&list(&found.policies)),
            );
            let point = point(Declared::Partly, message).because("future-pods").with(namespace, "labels of a pod that escapes", &labels);
            found.policies.iter().fold(point, |point, policy| {
                point.with(
                    ObjectRef::new(Kind::NetworkPolicy, subject.name.clone(), policy.clone()),
                    "spec.podSelector",
                    "selects only some pods",
                )
            })
        }
        Coverage::Unreadable => point(
            Declared::Unknown,
            format!("a selector operator this program does not know decides whether later pods of {shown} are isolated for {way}"),
        )
        .because("unknown-operator"),
        Coverage::TooMany | Coverage::Everything => point(
            Declared::Unknown,
            format!("the selectors in {shown} are too many to decide whether every later pod is isolated for {way}"),
        )
        .because("too-many-selectors"),
    }
}

/// The policies that make coverage complete: those that select everything, else all of them together.
fn covering(facts: &NamespaceFacts, direction: Direction) -> Vec<Name> {
    let isolating: Vec<_> = facts.policies.values().filter(|policy| policy.isolates(direction)).collect();
    let whole: Vec<Name> = isolating.iter().filter(|policy| policy.pods.is_everything()).map(|policy| policy.meta.name.clone()).collect();
    if whole.is_empty() { isolating.iter().map(|policy| policy.meta.name.clone()).collect() } else { whole }
}

fn opened(namespace: &Name, direction: Direction, rule: &OpenRule) -> Point {
    let object = ObjectRef::new(Kind::NetworkPolicy, namespace.clone(), rule.policy.clone());
    let now = !rule.pods.is_empty() || rule.future == Some(true);
    let whom = match direction {
        Direction::Egress => format!("may connect to {}", rule.to.words()),
        Direction::Ingress => format!("accept connections from {}", rule.to.words()),
    };
    let who = if rule.future == Some(true) { "every pod".to_owned() } else { count(rule.pods.len(), "pod") };
    let message = if now {
        format!("{} in {} undoes the default deny: {who} {whom}, on every port", clean(&rule.policy), clean(namespace))
    } else {
        format!(
            "{} in {} would undo the default deny for pods it selects, of which there is none now: they {whom}",
            clean(&rule.policy),
            clean(namespace)
        )
    };
    let field = format!("spec.{}[{}]", direction.word().to_lowercase(), rule.index);
    let point =
        Point::new(if now { Declared::Open } else { Declared::Partly }, Subject::object(&object), message).because("allows-everyone");
    let point = point.with(object.clone(), field, rule.to.words());
    if rule.pods.is_empty() { point } else { point.with(object, "pods selected", &list(&rule.pods)) }
}

fn unread(namespace: &Name, direction: Direction, policy: &Name, why: &str) -> Point {
    let object = ObjectRef::new(Kind::NetworkPolicy, namespace.clone(), policy.clone());
    let message =
        format!("{} in {} has a rule that can't be read, so what it allows is unknown: {}", clean(policy), clean(namespace), clean(why));
    Point::new(Declared::Unknown, Subject::object(&object), message).because("unreadable-rule").with(
        object,
        format!("spec.{}", direction.word().to_lowercase()),
        why,
    )
}
