//! PLT-09 and PLT-10: does the store of secrets answer, and does what brings secrets into the cluster work?

use super::{FleetView, cluster};
use crate::model::ids::ObjectRef;
use crate::model::kind::Kind;
use crate::model::source::Sight;
use crate::model::text::clean;
use crate::posture::finding::Subject;
use crate::posture::sight::Source;
use crate::posture::verdict::Declared;
use crate::posture::view::{Point, count, shortened};

/// PLT-09: Vault answers, initialised and unsealed.
pub fn vault(view: &FleetView<'_>) -> Vec<Point> {
    let facts = &view.snapshot.vault;
    let object = ObjectRef::new(Kind::VaultServer, "", facts.address.clone());
    if facts.configured && (facts.server.sealed || !facts.server.initialized) && facts.server.state.sight() == Sight::Clear {
        let what = if facts.server.sealed { "sealed" } else { "not initialised" };
        let message = format!("Vault at {} is {what}: nobody gets a secret from it", clean(&facts.address));
        return vec![Point::new(Declared::Open, Subject::object(&object), message).because("sealed").with(object, what, "true")];
    }
    if let Some(why) = Source::Vault.blind(view.snapshot) {
        return vec![Point::new(Declared::Unknown, cluster(), format!("vault: {why}")).because("unseen")];
    }
    let message = format!("Vault {} answers and is unsealed", clean(&facts.server.version));
    vec![Point::new(Declared::Right, Subject::object(&object), message).with(object, "version", &facts.server.version)]
}

/// PLT-10: every part of External Secrets has its pods.
pub fn external_secrets(view: &FleetView<'_>) -> Vec<Point> {
    let api = Source::Objects(Kind::SecretStore);
    if view.snapshot.sight(Kind::SecretStore) == Sight::Nothing {
        let message = "this cluster does not know External Secrets";
        return vec![Point::new(Declared::NotApplicable, cluster(), message).because("no-api")];
    }
    for source in [api, Source::Objects(Kind::Deployment)] {
        if let Some(why) = source.blind(view.snapshot) {
            return vec![Point::new(Declared::Unknown, cluster(), format!("{}: {why}", source.name())).because("unseen")];
        }
    }
    let parts: Vec<Point> = view.commons.controllers().filter_map(|(namespace, name)| part(view, namespace, name)).collect();
    if !parts.is_empty() {
        return shortened(parts);
    }
    let used = !view.snapshot.cluster.stores.is_empty() || view.commons.any_store();
    let point = if used {
        let message = "there are SecretStores, and no controller of External Secrets was found that serves them";
        Point::new(Declared::Partly, cluster(), message).because("no-controller")
    } else {
        Point::new(Declared::NotApplicable, cluster(), "External Secrets is not used").because("not-used")
    };
    vec![point]
}

fn part(view: &FleetView<'_>, namespace: &crate::model::ids::Name, name: &crate::model::ids::Name) -> Option<Point> {
    let workload = view.snapshot.namespace(namespace)?.workloads.get(&(Kind::Deployment, name.clone()))?;
    let object = workload.meta.object(Kind::Deployment);
    let wanted = workload.wanted.unwrap_or(1);
    let shown = format!("Deployment {}/{}", clean(namespace), clean(name));
    let (declared, reason, message) = match (wanted, workload.ready) {
        (0, _) => (Declared::Open, Some("scaled-to-nothing"), format!("{shown} is scaled to nothing: no secret is brought or renewed")),
        (wanted, 0) => (Declared::Open, Some("not-ready"), format!("{shown} has none of {} ready", count(wanted as usize, "pod"))),
        (wanted, ready) if ready < wanted => (Declared::Partly, Some("not-ready"), format!("{shown} has {ready} of {wanted} pods ready")),
        (_, ready) => (Declared::Right, None, format!("{shown} has {} ready", count(ready as usize, "pod"))),
    };
    let mut point = Point::new(declared, Subject::object(&object), message)
        .with(object.clone(), "spec.replicas", &wanted.to_string())
        .with(object, "status.readyReplicas", &workload.ready.to_string());
    point.reason = reason;
    Some(point)
}
