//! SEC-12: what External Secrets' controller could do to a tenant, were it taken over. It is nobody's tenant, and the same for all.

use crate::model::ids::Name;
use crate::model::kind::Kind;
use crate::model::rbac::{BindingFact, RbacSubject};
use crate::model::snapshot::NamespaceFacts;
use crate::model::text::clean;
use crate::posture::finding::Subject;
use crate::posture::rbac::{Holding, Right, Scope, holders, words};
use crate::posture::verdict::Declared;
use crate::posture::view::{Point, TenantView, shortened};

/// Rights of a controller that reach into every namespace where they are given cluster-wide.
const FAR: [Right; 4] = [
    Right { verb: "create", group: "", resource: "serviceaccounts/token" },
    Right { verb: "get", group: "", resource: "secrets" },
    Right { verb: "list", group: "", resource: "secrets" },
    Right { verb: "update", group: "", resource: "secrets" },
];

/// SEC-12: the controller may make tokens and read Secrets only where it must.
pub fn controller(view: &TenantView<'_>) -> Vec<Point> {
    let accounts = view.commons.controllers().filter(|(_, name)| is_controller(name)).filter_map(|(namespace, name)| {
        let facts = view.snapshot.namespace(namespace)?;
        Some((namespace, &facts.workloads.get(&(Kind::Deployment, name.clone()))?.service_account))
    });
    let mut points: Vec<Point> = accounts.flat_map(|(namespace, account)| of_account(view, namespace, account)).collect();
    if points.is_empty() {
        points.push(
            Point::new(Declared::NotApplicable, view.subject(), "no controller of External Secrets was found").because("no-controller"),
        );
    }
    shortened(points)
}

/// Not one of the helpers that run beside it: the webhook and the keeper of its certificates ask for no secret.
fn is_controller(name: &str) -> bool {
    !name.ends_with("-webhook") && !name.ends_with("-cert-controller")
}

fn of_account(view: &TenantView<'_>, namespace: &Name, account: &Name) -> Vec<Point> {
    let user = format!("system:serviceaccount:{namespace}:{account}");
    let is_it = |subject: &RbacSubject, bound_in: &str| match subject {
        RbacSubject::Account { namespace: of, name } => name == account && **namespace == *(if of.is_empty() { bound_in } else { of }),
        RbacSubject::User(name) => **name == *user,
        RbacSubject::Group(name) => name.strip_prefix("system:serviceaccounts:") == Some(namespace),
    };
    let own = view.namespaces.iter().flat_map(|(_, facts): &(&Name, &NamespaceFacts)| facts.bindings.values());
    let bindings = own.chain(view.snapshot.cluster.bindings.values()).map(AsRef::as_ref);
    let (found, doubts) = holders(view.snapshot, bindings, &is_it, &FAR);
    let who = format!("External Secrets (ServiceAccount {}/{})", clean(namespace), clean(account));
    let mut points: Vec<Point> = found.iter().filter_map(|holding| far(&who, holding)).collect();
    points.extend(doubts.iter().map(|doubt| {
        let object = doubt.binding.meta.object(doubt.binding.kind);
        let message = format!("what {} {} gives {who} can't be said: {}", doubt.binding.kind, clean(&doubt.binding.meta.name), doubt.why);
        Point::new(Declared::Unknown, Subject::object(&object), message).because("unreadable-grant")
    }));
    if points.is_empty() {
        let message = format!("{who} holds no right over tokens and Secrets of every namespace");
        points.push(Point::new(Declared::Right, view.subject(), message));
    }
    points
}

/// A right given for every namespace and every name.
fn far(who: &str, holding: &Holding<'_>) -> Option<Point> {
    let everywhere = is_cluster_wide(holding.binding);
    let wide: Vec<_> = holding.rights.iter().filter(|right| everywhere && right.scope == Scope::All).cloned().collect();
    if wide.is_empty() {
        return None;
    }
    let said = words(&wide, |resource| resource);
    let message = format!("{who} may {} in every namespace: whoever takes it over is every tenant", clean(&said));
    let (binding, role) = (holding.binding.meta.object(holding.binding.kind), holding.role.meta.object(holding.role.kind));
    Some(Point::new(Declared::Partly, Subject::object(&role), message).because("residual-risk").with(role, "rules", &said).with(
        binding,
        "roleRef.name",
        &holding.binding.role,
    ))
}

fn is_cluster_wide(binding: &BindingFact) -> bool {
    binding.kind == Kind::ClusterRoleBinding
}
