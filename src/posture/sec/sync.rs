//! SEC-11: whether what the tenant asks for arrives. Nothing here is a door: it is whether the wall is too tight, or what feeds the tenant
//! stands still.

use super::asked::{refused, whose};
use super::reach_of;
use crate::model::consumer::{Condition, ConsumerFact, ConsumerSpec, ExternalSpec};
use crate::model::ids::ObjectRef;
use crate::model::kind::Kind;
use crate::model::secretstore::SecretStoreFact;
use crate::model::snapshot::NamespaceFacts;
use crate::model::text::clean;
use crate::model::time::Time;
use crate::model::vault::policy_ref;
use crate::posture::finding::Subject;
use crate::posture::verdict::Declared;
use crate::posture::view::{Point, TenantView, count, shortened};
use crate::vaultacl::reach::OwnCover;

/// A store whose credentials live with whoever uses it can't be validated up front: no fault.
const NOT_VALIDATED: &str = "ValidationUnknown";

/// SEC-11: what the tenant asks of Vault it may read, and what is kept in step with it arrives in time.
pub fn in_step(view: &TenantView<'_>) -> Vec<Point> {
    let mut points: Vec<Point> = Vec::new();
    let mut fine = 0_usize;
    for (_, facts) in &view.namespaces {
        let stores = facts.secret_stores.values().filter(|store| store.vault.is_some()).map(|store| of_store(store));
        let consumers = facts.consumers.values().filter(|consumer| is_synced(consumer)).map(|consumer| of_consumer(consumer, view.now));
        for point in stores.chain(consumers) {
            match point {
                Some(point) => points.push(point),
                None => fine += 1,
            }
        }
    }
    points.extend(tight(view));
    points.extend(cover(view));
    if points.is_empty() && fine == 0 {
        return vec![
            Point::new(Declared::NotApplicable, view.subject(), "nothing of this tenant is kept in step with Vault")
                .because("nothing-asks"),
        ];
    }
    if points.is_empty() {
        let message = format!("{} ready and in time", count(fine, "store or secret"));
        points.push(Point::new(Declared::Right, view.subject(), message));
    }
    shortened(points)
}

/// Whether an object's status says that it is kept in step with Vault.
const fn is_synced(consumer: &ConsumerFact) -> bool {
    matches!(
        consumer.kind,
        Kind::ExternalSecret | Kind::PushSecret | Kind::VaultStaticSecret | Kind::VaultDynamicSecret | Kind::VaultPKISecret
    )
}

fn of_store(store: &SecretStoreFact) -> Option<Point> {
    let ready = store.ready.as_ref()?;
    if ready.status != Some(false) || ready.reason.as_ref() == NOT_VALIDATED {
        return None;
    }
    Some(not_ready(store.meta.object(store.kind), "store-not-ready", ready))
}

fn not_ready(object: ObjectRef, reason: &'static str, ready: &Condition) -> Point {
    let why = if ready.message.is_empty() { clean(&ready.reason) } else { format!("{}: {}", clean(&ready.reason), clean(&ready.message)) };
    let since = ready.since.map(|at| format!(" since {at}")).unwrap_or_default();
    let message = format!("{} {}/{} is not ready{since}: {why}", object.kind, clean(&object.namespace), clean(&object.name));
    Point::new(Declared::Partly, Subject::object(&object), message).because(reason).with(
        object,
        "status.conditions[Ready].reason",
        &ready.reason,
    )
}

fn of_consumer(consumer: &ConsumerFact, now: Time) -> Option<Point> {
    let object = consumer.meta.object(consumer.kind);
    if let Some(ready) = consumer.ready.as_ref().filter(|ready| ready.status != Some(true)) {
        return Some(not_ready(object, "not-synced", ready));
    }
    let ConsumerSpec::External(spec) = &consumer.spec else { return None };
    let (refreshed, interval) = (spec.refreshed?, spec.interval.filter(|interval| *interval > 0)?);
    (now >= late_from(refreshed, interval)).then(|| {
        let message = format!(
            "{} {}/{} was refreshed last at {refreshed}, though every {} s is asked for",
            object.kind,
            clean(&object.namespace),
            clean(&object.name),
            interval / 1_000
        );
        Point::new(Declared::Partly, Subject::object(&object), message).because("late").with(
            object,
            "status.refreshTime",
            &refreshed.to_string(),
        )
    })
}

/// From when on a refresh is late: after twice the interval.
const fn late_from(refreshed: Time, interval: i64) -> Time {
    refreshed.plus(interval.saturating_mul(2)).plus(1)
}

/// When time alone makes a refresh of a namespace's objects late. O(objects).
pub fn turns(facts: &NamespaceFacts) -> impl Iterator<Item = Time> {
    facts.consumers.values().filter_map(|consumer| match &consumer.spec {
        ConsumerSpec::External(ExternalSpec { refreshed: Some(at), interval: Some(interval), .. }) if *interval > 0 => {
            Some(late_from(*at, *interval))
        }
        _ => None,
    })
}

/// Denials on the tenant's own paths: its wall is too tight (ESO-07).
fn tight(view: &TenantView<'_>) -> Vec<Point> {
    let own = refused(view).into_iter().filter(|denial| whose(view, denial).is_some_and(|owners| owners.is_empty()));
    own.map(|denial| {
        let object = denial.fact.about.clone().unwrap_or_else(|| denial.fact.meta.object(Kind::Event));
        let path = denial.request.as_deref().unwrap_or_default();
        let message = format!(
            "{} is refused `{}`, which is no other tenant's: its policy is too tight, or the path is wrong; last at {}",
            clean(&denial.fact.about_text),
            clean(path),
            denial.fact.last
        );
        Point::new(Declared::Partly, Subject::object(&object), message).because("ESO-07").with(object, "message", &denial.fact.message)
    })
    .collect()
}

/// Whether the tenant can read what it calls its own (VLT-18). Said only where something of it asks Vault, or a role admits it.
fn cover(view: &TenantView<'_>) -> Option<Point> {
    let reach = reach_of(view).ok()?;
    let (path, words) = match &reach.own {
        OwnCover::NoRoot | OwnCover::Covered => return None,
        OwnCover::NoRole => {
            let asks = view.namespaces.iter().any(|(_, facts)| !facts.consumers.is_empty() || !facts.secret_stores.is_empty());
            let message = "objects of this tenant ask Vault for secrets, and no Vault role admits any of its ServiceAccounts";
            return asks.then(|| Point::new(Declared::Partly, view.subject(), message).because("VLT-18"));
        }
        OwnCover::ExactOnly(path) => (path, "itself and nothing below it: a rule that ends there covers that one secret only"),
        OwnCover::BelowOnly(path) => (path, "only what is below it, not the secret of that very name"),
        OwnCover::Nothing(path) => (path, "nowhere: no policy of its roles opens it"),
    };
    let message = format!("the tenant can read its own `{}` {words}", clean(path));
    let policies = reach.logins.iter().filter(|login| login.own_role).flat_map(|login| &login.policies).map(|(name, _)| name);
    let object = policies.min().map(|name| policy_ref(name));
    let point = Point::new(Declared::Partly, view.subject(), message).because("VLT-18");
    Some(match object {
        Some(object) => point.with(object, "own place", path),
        None => point,
    })
}
