//! SEC-13: Kubernetes Secrets of others, read by RBAC.

use std::collections::BTreeSet;

use crate::model::ids::Name;
use crate::model::kind::Kind;
use crate::model::rbac::{BindingFact, RbacSubject};
use crate::model::text::clean;
use crate::posture::finding::Subject;
use crate::posture::rbac::{Crew, Holding, Right, holders, is_everybody, person, words};
use crate::posture::verdict::Declared;
use crate::posture::view::{Point, TenantView, list, shortened};

/// What reads values. (`create` of pods that mount them is another wall.)
const READS: [Right; 3] = [
    Right { verb: "get", group: "", resource: "secrets" },
    Right { verb: "list", group: "", resource: "secrets" },
    Right { verb: "watch", group: "", resource: "secrets" },
];

/// SEC-13: nobody of the tenant reads Kubernetes Secrets in another tenant's namespaces, nor in all of them.
pub fn kubernetes_secrets(view: &TenantView<'_>) -> Vec<Point> {
    let crew = Crew::of(&view.namespaces);
    let abroad: BTreeSet<&Name> = view.commons.abroad(&view.namespaces);
    let foreign = abroad.iter().filter_map(|name| Some((*name, view.snapshot.namespace(name)?)));
    // the cluster's own namespaces count too: what is kept there opens more than a tenant
    let bindings: Vec<&BindingFact> = foreign.flat_map(|(_, facts)| facts.bindings.values()).map(AsRef::as_ref).collect();
    let cluster = view.snapshot.cluster.bindings.values().map(AsRef::as_ref);
    let ours = |subject: &RbacSubject, bound_in: &str| crew.has(subject, bound_in);
    let (found, doubts) = holders(view.snapshot, bindings.into_iter().chain(cluster), &ours, &READS);
    let mut points: Vec<Point> = found.iter().map(|holding| told(view, holding)).collect();
    points.extend(doubts.iter().map(|doubt| {
        let object = doubt.binding.meta.object(doubt.binding.kind);
        let message = format!("what {} {} gives can't be said: {}", doubt.binding.kind, clean(&doubt.binding.meta.name), doubt.why);
        Point::new(Declared::Unknown, Subject::object(&object), message).because("unreadable-grant").with(
            object,
            "roleRef.name",
            &doubt.binding.role,
        )
    }));
    if points.is_empty() {
        let message = format!("no ServiceAccount, group or person of {} may read Kubernetes Secrets elsewhere", clean(view.tenant));
        points.push(Point::new(Declared::Right, view.subject(), message));
    }
    shortened(points)
}

fn told(view: &TenantView<'_>, holding: &Holding<'_>) -> Point {
    let binding = holding.binding.meta.object(holding.binding.kind);
    let said = words(&holding.rights, |resource| resource);
    let whom = person(holding.subject, &holding.binding.meta.namespace);
    let place = match holding.binding.kind {
        Kind::ClusterRoleBinding => "every namespace".to_owned(),
        _ => match view.tenants.of.get(&holding.binding.meta.namespace) {
            Some(tenant) => format!("{} of tenant {}", clean(&holding.binding.meta.namespace), clean(tenant)),
            None => format!("{} of the cluster", clean(&holding.binding.meta.namespace)),
        },
    };
    let message = format!(
        "{} {} lets {} {} in {place} by {} {}",
        holding.binding.kind,
        clean(&holding.binding.meta.name),
        clean(&whom),
        clean(&said),
        holding.role.kind,
        clean(&holding.role.meta.name)
    );
    let people = matches!(holding.subject, RbacSubject::User(_) | RbacSubject::Group(_)) && !is_system(holding.subject);
    let (declared, reason, message) = if people {
        // whose they are RBAC does not tell: an operator's hand looks the same
        (Declared::Partly, "shared-person", format!("{message}, and is bound in this tenant too"))
    } else if is_everybody(holding.subject) {
        (Declared::Open, "everybody-reads-secrets", message)
    } else {
        (Declared::Open, "reads-secrets", message)
    };
    Point::new(declared, Subject::object(&binding), message).because(reason).with(binding, "subjects", &list([whom])).with(
        holding.role.meta.object(holding.role.kind),
        "rules",
        &said,
    )
}

fn is_system(subject: &RbacSubject) -> bool {
    matches!(subject, RbacSubject::User(name) | RbacSubject::Group(name) if name.starts_with("system:"))
}
