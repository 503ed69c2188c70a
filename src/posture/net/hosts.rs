//! NET-13: no pod on the node's own network, where no policy applies.

use super::{namespace_ref, of_namespace};
use crate::model::ids::{Name, ObjectRef};
use crate::model::kind::Kind;
use crate::model::snapshot::NamespaceFacts;
use crate::model::text::clean;
use crate::posture::sight::Source;
use crate::posture::verdict::Declared;
use crate::posture::view::{NAMES_SHOWN, Point, TenantView, count, list};

/// Kinds whose templates make pods.
const TEMPLATES: [Kind; 5] = [Kind::Deployment, Kind::StatefulSet, Kind::DaemonSet, Kind::Job, Kind::CronJob];

/// NET-13.
pub fn host_network(view: &TenantView<'_>) -> Vec<Point> {
    view.namespaces.iter().map(|(name, facts)| of_one(view, name, facts)).collect()
}

fn of_one(view: &TenantView<'_>, name: &Name, facts: &NamespaceFacts) -> Point {
    let pods =
        facts.pods.values().filter(|pod| pod.host_network && !pod.finished()).map(|pod| (pod.meta.object(Kind::Pod), "spec.hostNetwork"));
    let templates = facts.workloads.values().filter(|workload| workload.host_network).map(|workload| {
        let field = if workload.kind == Kind::CronJob {
            "spec.jobTemplate.spec.template.spec.hostNetwork"
        } else {
            "spec.template.spec.hostNetwork"
        };
        (workload.meta.object(workload.kind), field)
    });
    let found: Vec<(ObjectRef, &str)> = pods.chain(templates).collect();
    if found.is_empty() {
        let unseen = TEMPLATES.into_iter().find_map(|kind| Some((kind, view.blind(Source::Objects(kind))?)));
        if let Some((kind, why)) = unseen {
            let message =
                format!("no pod of {} is on the node's network now; what templates will make is not known: {kind} {why}", clean(name));
            return Point::new(Declared::Unknown, of_namespace(name), message).because("templates-unseen");
        }
        let message = format!("no pod and no template of {} asks for the node's network", clean(name));
        return Point::new(Declared::Right, of_namespace(name), message);
    }
    let names: Vec<String> = found.iter().map(|(object, _)| format!("{} {}", object.kind, object.name)).collect();
    let message = format!(
        "{} of {} on the node's network, where no policy applies: {}",
        count(found.len(), "object"),
        clean(name),
        clean(&list(&names))
    );
    let more = found.len().saturating_sub(NAMES_SHOWN);
    let point = Point::new(Declared::Open, of_namespace(name), message).because("host-network");
    let point = found.into_iter().take(NAMES_SHOWN).fold(point, |point, (object, field)| point.with(object, field, "true"));
    if more == 0 { point } else { point.with(namespace_ref(name), "more of them", &more.to_string()) }
}
