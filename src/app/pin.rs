//! What a dialog was opened on, to tell when it moves underneath.

use crate::fix::plan::FixPlan;
use crate::model::ids::{ObjectRef, Uid};
use crate::model::kind::Kind;
use crate::model::meta::Meta;
use crate::model::snapshot::Snapshot;

/// An object as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    /// Which.
    pub object: ObjectRef,
    /// Uid and version; none where it was absent.
    pub was: Option<(Uid, u64)>,
}

/// Pins the objects of a plan.
pub fn pin(snapshot: &Snapshot, plan: &FixPlan) -> Vec<Pin> {
    plan.steps.iter().map(|step| Pin { object: step.object.clone(), was: identity(snapshot, &step.object) }).collect()
}

/// The first pinned object that is not as it was, and how it moved.
pub fn moved<'a>(snapshot: &Snapshot, pins: &'a [Pin]) -> Option<(&'a ObjectRef, &'static str)> {
    pins.iter().find_map(|pin| {
        let is = identity(snapshot, &pin.object);
        let how = match (pin.was, is) {
            (was, is) if was == is => return None,
            (None, _) => "appeared",
            (_, None) => "was deleted",
            _ => "changed",
        };
        Some((&pin.object, how))
    })
}

/// Uid and version of an object, as far as facts hold it.
fn identity(snapshot: &Snapshot, object: &ObjectRef) -> Option<(Uid, u64)> {
    let facts = snapshot.namespace(&object.namespace)?;
    let name = &object.name;
    let meta: &Meta = match object.kind {
        Kind::NetworkPolicy => &facts.policies.get(name)?.meta,
        Kind::ResourceQuota => &facts.quotas.get(name)?.meta,
        Kind::LimitRange => &facts.limit_ranges.get(name)?.meta,
        Kind::ServiceAccount => &facts.service_accounts.get(name)?.meta,
        Kind::SecretStore => &facts.secret_stores.get(name)?.meta,
        Kind::Service => &facts.services.get(name)?.meta,
        kind => &facts.workloads.get(&(kind, name.clone()))?.meta,
    };
    Some((meta.uid, meta.version))
}
