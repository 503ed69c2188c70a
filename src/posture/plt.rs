//! Beside the walls: is the inventory of tenants sound, and what may we not see?

mod secrets;

use std::collections::BTreeSet;

pub use secrets::{external_secrets, vault};

use super::commons::Commons;
use super::engine::EngineConfig;
use super::finding::Subject;
use super::sight::{Source, words};
use super::vaultroles::Roles;
use super::verdict::Declared;
use super::view::{Point, list};
use crate::model::access::Answer;
use crate::model::ids::ObjectRef;
use crate::model::kind::{Kind, WATCHED};
use crate::model::snapshot::Snapshot;
use crate::model::source::{Sight, SourceState};
use crate::model::tenant::Tenants;
use crate::model::text::clean;

/// The whole cluster, as the platform checks see it.
pub struct FleetView<'a> {
    /// Everything known.
    pub snapshot: &'a Snapshot,
    /// All tenants.
    pub tenants: &'a Tenants,
    /// Vault's roles, indexed.
    pub roles: &'a Roles<'a>,
    /// The tenant rules.
    pub config: &'a EngineConfig,
    /// What bears on all tenants.
    pub commons: &'a Commons,
}

pub(super) fn cluster() -> Subject {
    Subject { kind: "Cluster", namespace: "".into(), name: "".into(), container: None }
}

/// PLT-14: every namespace belongs to exactly one tenant or to the cluster, and so does every Vault role.
pub fn inventory(view: &FleetView<'_>) -> Vec<Point> {
    if let Some(why) = Source::Objects(Kind::Namespace).blind(view.snapshot) {
        return vec![Point::new(Declared::Unknown, cluster(), format!("Namespace could not be read: {why}"))];
    }
    let tenants = view.tenants;
    let namespace = |name: &crate::model::ids::Name| ObjectRef::new(Kind::Namespace, "", name.clone());
    let mut points: Vec<Point> = Vec::new();
    for (name, claimants) in &tenants.contested {
        let message = format!("namespace {} is claimed by {} tenants: {}", clean(name), claimants.len(), clean(&list(claimants)));
        points.push(Point::new(Declared::Open, Subject::object(&namespace(name)), message).because("contested").with(
            namespace(name),
            "claimed by",
            &list(claimants),
        ));
    }
    for name in &tenants.orphans {
        let message = format!("namespace {} belongs to no tenant and not to the cluster: nothing here judges it", clean(name));
        points.push(Point::new(Declared::Partly, Subject::object(&namespace(name)), message).because("orphan"));
    }
    if Source::VaultRoles.blind(view.snapshot).is_none() {
        points.extend(vault_inventory(view));
    }
    if points.is_empty() {
        let message =
            format!("{} tenants, found by {}; every other namespace is the cluster's own", tenants.namespaces.len(), tenants.rule.words());
        points.push(Point::new(Declared::Right, cluster(), message));
    }
    points
}

/// Roles for namespaces that are no tenant's, and tenants without a role where others have one.
fn vault_inventory(view: &FleetView<'_>) -> Vec<Point> {
    let mut points = Vec::new();
    let mut served = BTreeSet::new();
    for (namespace, at) in view.roles.named_namespaces() {
        match view.tenants.of.get(namespace) {
            Some(tenant) => {
                served.insert(tenant.clone());
            }
            None if view.config.rules.is_system(namespace) => {}
            None => {
                let message = format!("Vault role {} admits namespace {}, which is no tenant's", clean(at.name), clean(namespace));
                let point = Point::new(Declared::Partly, Subject::object(&at.object()), message).because("role-without-tenant");
                points.push(point.with(at.object(), "bound_service_account_namespaces", namespace));
            }
        }
    }
    if served.is_empty() {
        return points;
    }
    for (tenant, namespaces) in &view.tenants.namespaces {
        let labels = |name| view.snapshot.namespace(name).and_then(|facts| facts.own.as_ref());
        let named = served.contains(tenant)
            || !view.roles.admitting(namespaces.iter().map(|n| (n, labels(n).map(|own| own.labels.as_ref())))).is_empty();
        if !named {
            let subject = Subject { kind: "Tenant", namespace: "".into(), name: tenant.clone(), container: None };
            points.push(
                Point::new(Declared::Partly, subject, format!("tenant {} has no Vault role, while others have", clean(tenant)))
                    .because("tenant-without-role"),
            );
        }
    }
    points
}

/// PLT-18: we may look at everything these verdicts rest on.
pub fn permissions(view: &FleetView<'_>) -> Vec<Point> {
    let mut points = Vec::new();
    for info in &WATCHED {
        let state = view.snapshot.source(info.kind);
        let refused = view.snapshot.access.answers.iter().find_map(|(question, answer)| match answer {
            Answer::No(why)
                if matches!(question.verb.as_ref(), "list" | "watch")
                    && *question.resource == *info.plural
                    && *question.group == *info.group =>
            {
                Some(why)
            }
            _ => None,
        });
        let why = match (state, refused) {
            (SourceState::Denied { .. }, _) => words(state),
            (_, Some(why)) if state.sight() == Sight::Blind => format!("denied: {}", clean(why)),
            _ => continue,
        };
        let subject = Subject { kind: info.kind.as_str(), namespace: "".into(), name: "".into(), container: None };
        points.push(Point::new(Declared::Unknown, subject, format!("we may not list {}: {why}", info.plural)).because("denied"));
    }
    points.extend(vault_parts(view));
    if points.is_empty() {
        points.push(Point::new(Declared::Right, cluster(), "nothing we asked to see was denied"));
    }
    points
}

/// Parts of Vault that we may not read, and in those that we may, single objects.
fn vault_parts(view: &FleetView<'_>) -> Vec<Point> {
    let vault = &view.snapshot.vault;
    if !vault.configured {
        return Vec::new();
    }
    let about = |part: &str, message: String| {
        let subject = Subject { kind: Kind::VaultServer.as_str(), namespace: "".into(), name: part.into(), container: None };
        Point::new(Declared::Unknown, subject, message).because("denied")
    };
    let parts = [
        ("our own token", &vault.token),
        ("auth mounts", &vault.auth_mounts.state),
        ("auth config", &vault.kubernetes_config.state),
        ("policies", &vault.policies.state),
        ("secret mounts", &vault.secret_mounts.state),
        ("entities", &vault.entities.state),
        ("groups", &vault.groups.state),
        ("namespaces", &vault.namespaces.state),
    ];
    let roles = vault.kubernetes.values().map(|part| ("roles", &part.state));
    let denied = parts.into_iter().chain(roles).filter(|(_, state)| matches!(state, SourceState::Denied { .. }));
    let mut points: Vec<Point> =
        denied.map(|(part, state)| about(part, format!("Vault does not let us read {part}: {}", words(state)))).collect();
    let single = [
        ("auth config", &vault.kubernetes_config.unreadable),
        ("policies", &vault.policies.unreadable),
        ("entities", &vault.entities.unreadable),
        ("groups", &vault.groups.unreadable),
    ];
    let roles = vault.kubernetes.values().map(|part| ("roles", &part.unreadable));
    for (part, unreadable) in single.into_iter().chain(roles) {
        if let Some((name, why)) = unreadable.iter().next() {
            let message =
                format!("Vault does not let us read {} of its {part}, {} among them: {}", unreadable.len(), clean(name), clean(why));
            points.push(about(part, message));
        }
    }
    points
}
