//! The resource wall: caps on the namespace, bounds on every container, numbers that fit together, and pressure.

use super::finding::Subject;
use super::quota::{DefaultPod, Limits, RESOURCES, hard, limits, rows, unscoped};
use super::sight::Source;
use super::verdict::Declared;
use super::view::{Point, TenantView, list};
use crate::model::event::Authority;
use crate::model::ids::{Name, ObjectRef};
use crate::model::kind::Kind;
use crate::model::limits::amount;
use crate::model::quantity::Quantity;
use crate::model::snapshot::NamespaceFacts;
use crate::model::text::clean;

/// Keys a compute quota must hold, each with the spellings that mean the same.
const COMPUTE: [&[&str]; 5] =
    [&["requests.cpu", "cpu"], &["requests.memory", "memory"], &["limits.cpu"], &["limits.memory"], &["pods", "count/pods"]];

fn each(view: &TenantView<'_>, check: impl Fn(&Name, &NamespaceFacts) -> Vec<Point>) -> Vec<Point> {
    view.namespaces.iter().flat_map(|(name, facts)| check(name, facts)).collect()
}

fn namespace_ref(name: &Name) -> ObjectRef {
    ObjectRef::new(Kind::Namespace, "", name.clone())
}

fn at(declared: Declared, namespace: &Name, message: String) -> Point {
    Point::new(declared, Subject::object(&namespace_ref(namespace)), message)
}

/// RES-01: the compute quota is complete.
pub fn quota_complete(view: &TenantView<'_>) -> Vec<Point> {
    each(view, |namespace, facts| vec![complete(namespace, facts)])
}

fn complete(namespace: &Name, facts: &NamespaceFacts) -> Point {
    let shown = clean(namespace);
    if facts.quotas.is_empty() {
        return at(Declared::Open, namespace, format!("no ResourceQuota caps {shown}: it may take the whole node"))
            .because("no-quota")
            .with(namespace_ref(namespace), "ResourceQuota", "absent");
    }
    let found = |keys: &'static [&'static str]| {
        unscoped(facts).find_map(|quota| keys.iter().find_map(|key| Some((quota, *key, amount(&quota.hard, key)?))))
    };
    let missing: Vec<&str> = COMPUTE.iter().filter(|keys| found(keys).is_none()).filter_map(|keys| keys.first().copied()).collect();
    if let Some((quota, key, _)) = COMPUTE.iter().filter_map(|keys| found(keys)).find(|(_, _, hard)| hard.nanos().is_none()) {
        let message = format!("{} of {shown} holds an amount for {key} that can't be read", clean(&quota.meta.name));
        return at(Declared::Unknown, namespace, message).because("unreadable-amount").with(
            quota.meta.object(Kind::ResourceQuota),
            format!("spec.hard[{key}]"),
            "unreadable",
        );
    }
    if !missing.is_empty() {
        let scoped_only = unscoped(facts).next().is_none();
        let what = if scoped_only { "has only quotas that count some of its pods" } else { "has a quota that leaves out" };
        let message =
            if scoped_only { format!("{shown} {what}: nothing caps the others") } else { format!("{shown} {what} {}", list(&missing)) };
        let point = at(Declared::Partly, namespace, message).because(if scoped_only { "scoped" } else { "incomplete" });
        return facts.quotas.values().fold(point, |point, quota| {
            let absent = missing.iter().map(|key| format!("spec.hard[{key}]")).collect::<Vec<_>>().join(", ");
            point.with(quota.meta.object(Kind::ResourceQuota), absent, if quota.scopes.is_empty() { "absent" } else { "scoped" })
        });
    }
    let mut amounts = Vec::new();
    let mut point = at(Declared::Right, namespace, String::new());
    for (quota, key, hard) in COMPUTE.iter().filter_map(|keys| found(keys)) {
        amounts.push(format!("{key} {hard}"));
        point = point.with(quota.meta.object(Kind::ResourceQuota), format!("spec.hard[{key}]"), &hard.to_string());
    }
    point.message = format!("{shown} is capped at {}", amounts.join(", "));
    point
}

/// RES-04: every container is bounded and gets a sane default.
pub fn limit_range(view: &TenantView<'_>) -> Vec<Point> {
    each(view, |namespace, facts| vec![bounded(namespace, facts)])
}

fn bounded(namespace: &Name, facts: &NamespaceFacts) -> Point {
    let shown = clean(namespace);
    let of_containers = facts.limit_ranges.values().filter(|range| range.items.iter().any(|item| item.kind.as_ref() == "Container"));
    let objects: Vec<ObjectRef> = of_containers.map(|range| range.meta.object(Kind::LimitRange)).collect();
    if objects.is_empty() {
        return at(
            Declared::Open,
            namespace,
            format!("no LimitRange bounds the containers of {shown}: one of them may ask for everything the quota allows"),
        )
        .because("no-limit-range")
        .with(namespace_ref(namespace), "LimitRange", "absent");
    }
    let by_resource: Vec<(&str, Limits)> = RESOURCES.iter().map(|resource| (*resource, limits(facts, resource))).collect();
    let parts = |resource: &str, limits: &Limits| {
        [("default", limits.default), ("defaultRequest", limits.request), ("max", limits.max)]
            .map(|(part, value)| (format!("{part}.{resource}"), value))
    };
    let all: Vec<(String, Option<Quantity>)> = by_resource.iter().flat_map(|(resource, limits)| parts(resource, limits)).collect();
    let missing: Vec<&str> = all.iter().filter(|(_, value)| value.is_none()).map(|(name, _)| name.as_str()).collect();
    let unreadable: Vec<&str> =
        all.iter().filter(|(_, value)| value.is_some_and(|v| v.nanos().is_none())).map(|(name, _)| name.as_str()).collect();
    let evidence = |point: Point| {
        let text = all
            .iter()
            .map(|(name, value)| format!("{name} {}", value.map_or("absent".to_owned(), |v| v.to_string())))
            .collect::<Vec<_>>()
            .join(", ");
        objects.iter().fold(point, |point, object| point.with(object.clone(), "spec.limits[Container]", &text))
    };
    if !unreadable.is_empty() {
        let message = format!("the LimitRange of {shown} holds amounts that can't be read: {}", list(&unreadable));
        return evidence(at(Declared::Unknown, namespace, message).because("unreadable-amount"));
    }
    if !missing.is_empty() {
        let message = format!("the LimitRange of {shown} leaves out {}", list(&missing));
        return evidence(at(Declared::Partly, namespace, message).because("incomplete"));
    }
    let same = |limits: &Limits| {
        let as_max =
            |value: Option<Quantity>| value.zip(limits.max).and_then(|(v, max)| v.compare(max)).is_some_and(std::cmp::Ordering::is_eq);
        as_max(limits.default) && as_max(limits.request)
    };
    if by_resource.iter().all(|(_, limits)| same(limits)) {
        let message = format!(
            "in {shown} default, defaultRequest and max are all equal: probably only max was written, so every pod without numbers reserves the maximum"
        );
        return evidence(at(Declared::Partly, namespace, message).because("only-max"));
    }
    let show = |pick: fn(&Limits) -> Option<Quantity>| {
        by_resource.iter().filter_map(|(_, limits)| Some(pick(limits)?.to_string())).collect::<Vec<_>>().join(" / ")
    };
    let message = format!(
        "a container of {shown} gets {} (requests {}) unless it says otherwise, and never more than {}",
        show(|l| l.default),
        show(|l| l.request),
        show(|l| l.max),
    );
    evidence(at(Declared::Right, namespace, message))
}

/// RES-05: minimum, defaults, maximum and quota fit together.
pub fn coherent(view: &TenantView<'_>) -> Vec<Point> {
    each(view, |namespace, facts| {
        if facts.quotas.is_empty() || facts.limit_ranges.is_empty() {
            let message = format!("{} has no quota and LimitRange to compare", clean(namespace));
            return vec![at(Declared::NotApplicable, namespace, message)];
        }
        let mut points: Vec<Point> = RESOURCES.iter().flat_map(|resource| out_of_order(namespace, facts, resource)).collect();
        points.extend(fitting(namespace, facts, points.is_empty()));
        points
    })
}

/// Each pair of neighbours in min ≤ defaultRequest ≤ default ≤ max ≤ quota that stands the wrong way round.
fn out_of_order(namespace: &Name, facts: &NamespaceFacts, resource: &str) -> Vec<Point> {
    let found = limits(facts, resource);
    let limits_key = format!("limits.{resource}");
    let requests_key = format!("requests.{resource}");
    let (hard_limits, hard_requests) = (hard(facts, &limits_key), hard(facts, &requests_key));
    let pairs = [
        ("min", found.min, "defaultRequest", found.request),
        ("defaultRequest", found.request, "default", found.default),
        ("default", found.default, "max", found.max),
        ("max", found.max, limits_key.as_str(), hard_limits),
        ("defaultRequest", found.request, requests_key.as_str(), hard_requests),
    ];
    let compare = |(low, a, high, b): (&str, Option<Quantity>, &str, Option<Quantity>)| {
        let (a, b) = a.zip(b)?;
        let point = match a.at_most(b) {
            Some(true) => return None,
            Some(false) => {
                at(Declared::Partly, namespace, format!("in {} {low} of {resource}, {a}, is more than {high}, {b}", clean(namespace)))
                    .because("incoherent")
            }
            None => at(Declared::Unknown, namespace, format!("in {} {low} or {high} of {resource} can't be read", clean(namespace)))
                .because("unreadable-amount"),
        };
        Some(point.with(namespace_ref(namespace), format!("{low} / {high}"), &format!("{a} / {b}")))
    };
    pairs.into_iter().filter_map(compare).collect()
}

/// How many default pods an empty namespace holds by each key, and what binds first.
fn fitting(namespace: &Name, facts: &NamespaceFacts, in_order: bool) -> Option<Point> {
    let pod = DefaultPod::of(facts);
    let keys = ["requests.cpu", "requests.memory", "limits.cpu", "limits.memory", "pods", "count/pods"];
    let fits: Vec<(&str, u64)> = keys.iter().filter_map(|key| Some((*key, hard(facts, key)?.times(pod.takes(key)?)?))).collect();
    let (least, most) = fits.iter().min_by_key(|(_, n)| *n)?;
    let each = fits.iter().filter(|(key, _)| !key.ends_with("pods")).map(|(key, n)| format!("{n} by {key}")).collect::<Vec<_>>().join(", ");
    let shown = clean(namespace);
    let wanted = fits.iter().find(|(key, _)| key.ends_with("pods"));
    let point = match wanted {
        _ if *most == 0 => at(Declared::Partly, namespace, format!("not one pod with the defaults fits in {shown}: {least} is too small"))
            .because("no-default-pod-fits"),
        // what is out of order has been said; how many fit goes without saying
        _ if !in_order => return None,
        Some((key, pods)) if pods > most => {
            let message = format!(
                "the numbers of {shown} fit together; {most} default pods fit ({each}), so {key}={pods} can't be reached with them"
            );
            at(Declared::Right, namespace, message).because("pods-out-of-reach")
        }
        _ => at(Declared::Right, namespace, format!("the numbers of {shown} fit together; {most} default pods fit ({each})")),
    };
    Some(point.with(namespace_ref(namespace), "binding constraint", &format!("{least}: {most} default pods")))
}

/// Keys whose exhaustion stalls workloads; counts of other objects are often kept full on purpose.
fn stalls(key: &str) -> bool {
    key.starts_with("requests.")
        || key.starts_with("limits.")
        || matches!(key, "cpu" | "memory" | "pods" | "count/pods" | "persistentvolumeclaims")
}

/// RES-07: the quota is not about to be hit, and nothing was refused lately. How fast it fills needs samples over time, which this release
/// does not keep.
pub fn pressure(view: &TenantView<'_>) -> Vec<Point> {
    let events = view.blind(Source::Objects(Kind::Event));
    each(view, |namespace, facts| {
        let shown = clean(namespace);
        if facts.quotas.is_empty() {
            return vec![at(Declared::NotApplicable, namespace, format!("{shown} has no quota to fill"))];
        }
        let mut points = filled(view, namespace, facts);
        points.extend(refused(view, namespace, facts));
        if let Some(why) = &events {
            let message = format!("whether quota refused anything in {shown} lately is unknown: Event {why}");
            points.push(at(Declared::Unknown, namespace, message).because("events-unseen"));
        }
        if points.is_empty() {
            points.push(at(
                Declared::Right,
                namespace,
                format!("{shown} is below {} of every quota, and quota refused nothing lately", percent(view.config.warn_permille)),
            ));
        }
        points
    })
}

fn percent(permille: u32) -> String {
    if permille.is_multiple_of(10) { format!("{} %", permille / 10) } else { format!("{}.{} %", permille / 10, permille % 10) }
}

fn filled(view: &TenantView<'_>, namespace: &Name, facts: &NamespaceFacts) -> Vec<Point> {
    let judge = |row: super::assessment::QuotaRow| {
        let object = ObjectRef::new(Kind::ResourceQuota, namespace.clone(), row.quota.clone());
        let subject = Subject::object(&object);
        let (quota, resource) = (clean(&row.quota), clean(&row.resource));
        let point = match (row.used, row.permille) {
            _ if row.hard.nanos().is_some_and(|hard| hard <= 0) => return None,
            (Some(used), Some(permille)) if permille >= view.config.warn_permille => {
                let reason = if permille >= view.config.full_permille { "full" } else { "pressure" };
                let message = format!("{resource} is {} full in {}: {used} of {} ({quota})", percent(permille), clean(namespace), row.hard);
                Point::new(Declared::Partly, subject, message).because(reason).with(
                    object,
                    format!("status.used[{}]", row.resource),
                    &used.to_string(),
                )
            }
            (Some(_), Some(_)) => return None,
            (None, _) => {
                let message = format!("the quota controller has not counted {resource} of {quota} in {} yet", clean(namespace));
                Point::new(Declared::Unknown, subject, message).because("not-counted").with(
                    object,
                    format!("status.used[{}]", row.resource),
                    "absent",
                )
            }
            (Some(_), None) => Point::new(
                Declared::Unknown,
                subject,
                format!("{quota} of {} holds an amount for {resource} that can't be read", clean(namespace)),
            )
            .because("unreadable-amount"),
        };
        Some(point)
    };
    rows(namespace, facts).into_iter().filter(|row| stalls(&row.resource)).filter_map(judge).collect()
}

fn refused(view: &TenantView<'_>, namespace: &Name, facts: &NamespaceFacts) -> Option<Point> {
    let by_quota = |authority| matches!(authority, Authority::ResourceQuota | Authority::ResourceQuotaMissing);
    let recent: Vec<_> =
        facts.refusals.values().filter(|refusal| by_quota(refusal.authority) && view.config.recent(refusal.last, view.now)).collect();
    let newest = recent.iter().max_by_key(|refusal| (refusal.last, &refusal.meta.name))?;
    let times: u64 = recent.iter().map(|refusal| u64::from(refusal.count.max(1))).sum();
    let requests = if times == 1 { "request" } else { "requests" };
    let message = format!("quota refused {times} {requests} in {} lately", clean(namespace));
    let point = at(Declared::Partly, namespace, message).because("refused-lately");
    let event = newest.meta.object(Kind::Event);
    Some(point.with(event.clone(), "message", &newest.message).with(event, "last seen", &newest.last.to_string()))
}
