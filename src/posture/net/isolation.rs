//! NET-01 and NET-02: is everything denied that no rule allows, for today's pods and for tomorrow's?

use super::{namespace_ref, plain, strangers};
use crate::model::ids::{Name, ObjectRef};
use crate::model::kind::Kind;
use crate::model::snapshot::NamespaceFacts;
use crate::model::text::clean;
use crate::netpol::isolation::{Direction, Isolation, isolation};
use crate::netpol::openness::{OpenRule, open_rules, unreadable};
use crate::netpol::selector::{Coverage, label_words, words};
use crate::netpol::story::{End, Reason, RuleRef, side_of};
use crate::posture::finding::Subject;
use crate::posture::sight::Source;
use crate::posture::verdict::Declared;
use crate::posture::view::{NAMES_SHOWN, Point, TenantView, count, list};

/// NET-01.
pub fn egress(view: &TenantView<'_>) -> Vec<Point> {
    denied_by_default(view, Direction::Egress)
}

/// NET-02.
pub fn ingress(view: &TenantView<'_>) -> Vec<Point> {
    denied_by_default(view, Direction::Ingress)
}

fn denied_by_default(view: &TenantView<'_>, direction: Direction) -> Vec<Point> {
    let of_namespace = |(name, facts): &(&Name, &NamespaceFacts)| {
        let mut points: Vec<Point> = open_rules(facts, direction).iter().map(|rule| opened(name, direction, rule)).collect();
        points.extend(unreadable(facts, direction).into_iter().map(|(policy, why)| unread(name, direction, &policy, &why)));
        let base = default_of(view, name, facts, direction);
        // "declared right" beside a rule that lets everybody through would read as a contradiction
        if points.is_empty() || base.declared != Declared::Right {
            points.push(base);
        }
        points
    };
    view.namespaces.iter().flat_map(of_namespace).collect()
}

/// What is true of a pod of this namespace that no rule speaks of.
pub(super) fn default_of(view: &TenantView<'_>, name: &Name, facts: &NamespaceFacts, direction: Direction) -> Point {
    let strangers = strangers(view, facts);
    if let Some((_, engine)) = strangers.first() {
        let message = format!(
            "{} of {engine} may allow what every other policy of {} refuses, and what they say is not evaluated",
            count(strangers.len(), "policy object"),
            clean(name)
        );
        let point = Point::new(Declared::Unknown, super::of_namespace(name), message).because("foreign-engine");
        return strangers.into_iter().take(NAMES_SHOWN).fold(point, |point, (object, engine)| point.with(object, "engine", engine));
    }
    isolated(view, name, facts, direction)
}

/// What may happen where the direction is not isolated.
const fn may(direction: Direction) -> &'static str {
    match direction {
        Direction::Egress => "may open any connection",
        Direction::Ingress => "accept any connection",
    }
}

fn isolated(view: &TenantView<'_>, namespace: &Name, facts: &NamespaceFacts, direction: Direction) -> Point {
    let by_engine = || view.reach.isolation(namespace, direction);
    let only_namespaced = plain(view, facts);
    let found = if only_namespaced { None } else { by_engine() }.unwrap_or_else(|| isolation(facts, direction));
    let (shown, way) = (clean(namespace), direction.word().to_lowercase());
    let object = namespace_ref(namespace);
    let subject = Subject::object(&object);
    let point = |declared, message: String| Point::new(declared, subject.clone(), message);
    let said = if let Some(rule) = overruled(view, namespace, facts, &found, direction) {
        let message = format!(
            "{} of {} in {shown} {}: {} lets them",
            found.open.len(),
            count(found.pods, "pod"),
            match direction {
                Direction::Egress => "may open connections that no NetworkPolicy allows",
                Direction::Ingress => "accept connections that no NetworkPolicy allows",
            },
            clean(&rule.object.to_string())
        );
        point(Declared::Open, message).because("overruled").with(rule.object, &rule.field, "allows it").with(
            object,
            "pods that it opens",
            &list(&found.open),
        )
    } else if found.policies.is_empty() {
        let what = if only_namespaced { "no NetworkPolicy isolates" } else { "no policy of any kind isolates" };
        point(Declared::Open, format!("{what} {shown} for {way}: its pods {}", may(direction))).because("no-policy").with(
            object,
            format!("NetworkPolicy spec.policyTypes[{}]", direction.word()),
            "absent",
        )
    } else if found.future == Coverage::Everything {
        let covering = covering(facts, &found, direction);
        let pods = count(found.pods, "pod");
        let right = point(
            Declared::Right,
            format!("{} isolates every pod of {shown} for {way}: {pods} now, and any later one", clean(&list(&covering))),
        );
        covering.iter().take(NAMES_SHOWN).fold(right, |right, name| {
            let (field, value) = facts.policies.get(name).map_or(("spec", String::new()), |own| ("spec.podSelector", words(&own.pods)));
            right.with(policy_ref(view, namespace, facts, name), field, if value.is_empty() { "covers every pod" } else { &value })
        })
    } else if let Some(why) = view.blind(Source::Objects(Kind::Pod)) {
        point(Declared::Unknown, format!("policies of {shown} isolate some pods for {way}, but Pod could not be read: {why}"))
            .because("pods-unseen")
    } else {
        partly(&found, (&shown, &way), direction, &subject, &|name| policy_ref(view, namespace, facts, name))
    };
    if found.host_network == 0 {
        return said;
    }
    let outside = format!("{} on the node's network, to which NetworkPolicy does not apply", count(found.host_network, "pod"));
    said.with(namespace_ref(namespace), "pods spec.hostNetwork", &outside)
}

/// At most so many other tenants are asked about to find the rule that overrules.
const ASKED: usize = 2;

/// The rule of another kind that opens pods which NetworkPolicies isolate; none where no NetworkPolicy would, or the rule is not found.
fn overruled(view: &TenantView<'_>, namespace: &Name, facts: &NamespaceFacts, found: &Isolation, direction: Direction) -> Option<RuleRef> {
    let pod = found.open.first()?;
    if isolation(facts, direction).open.contains(pod) {
        return None;
    }
    let own = End::Pod { namespace: namespace.clone(), name: pod.clone() };
    let others =
        view.tenants.namespaces.keys().filter(|tenant| *tenant != view.tenant).take(ASKED).map(|tenant| End::Tenant(tenant.clone()));
    let stories = others.filter_map(|other| match direction {
        Direction::Egress => view.reach.explain(&own, &other),
        Direction::Ingress => view.reach.explain(&other, &own),
    });
    let foreign = |rule: &RuleRef| rule.object.kind != Kind::NetworkPolicy;
    stories.flat_map(|story| story.segments).find_map(|segment| match &side_of(direction, &segment).reason {
        Reason::Allowed(rules) => rules.iter().find(|rule| foreign(rule)).cloned(),
        _ => None,
    })
}

/// The policy of that name that bears on a namespace, whichever kind it is.
fn policy_ref(view: &TenantView<'_>, namespace: &Name, facts: &NamespaceFacts, name: &Name) -> ObjectRef {
    let cluster = &view.snapshot.cluster;
    if facts.policies.contains_key(name) {
        return ObjectRef::new(Kind::NetworkPolicy, namespace.clone(), name.clone());
    }
    if facts.cilium.contains_key(name) {
        return ObjectRef::new(Kind::CiliumNetworkPolicy, namespace.clone(), name.clone());
    }
    let admin = cluster.admin.keys().find(|(_, admin)| admin == name).map(|(kind, _)| *kind);
    ObjectRef::new(admin.unwrap_or(Kind::CiliumClusterwideNetworkPolicy), "", name.clone())
}

/// Some policy isolates somebody, but not everybody for ever.
fn partly(
    found: &Isolation,
    (shown, way): (&str, &str),
    direction: Direction,
    subject: &Subject,
    policy: &dyn Fn(&Name) -> ObjectRef,
) -> Point {
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
            found
                .policies
                .iter()
                .take(NAMES_SHOWN)
                .fold(point, |point, name| point.with(policy(name), "spec.podSelector", "selects only some pods"))
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
fn covering(facts: &NamespaceFacts, found: &Isolation, direction: Direction) -> Vec<Name> {
    let isolating = facts.policies.values().filter(|policy| policy.isolates(direction));
    let whole: Vec<Name> = isolating.filter(|policy| policy.pods.is_everything()).map(|policy| policy.meta.name.clone()).collect();
    if whole.is_empty() { found.policies.clone() } else { whole }
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
