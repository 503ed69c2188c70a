//! SEC-03: for whom a ServiceAccount's token is meant.

use super::{DEFAULT_MOUNT, no_role, on, unreadable_roles};
use crate::model::ids::Name;
use crate::model::kind::Kind;
use crate::model::secretstore::VaultProvider;
use crate::model::text::clean;
use crate::posture::vaultroles::RoleAt;
use crate::posture::verdict::Declared;
use crate::posture::view::{Point, TenantView, list, shortened};

/// SEC-03: the tenant's roles take tokens made for Vault only, and its stores ask for such.
pub fn audience(view: &TenantView<'_>) -> Vec<Point> {
    let mut points: Vec<Point> = view.own_roles().iter().flat_map(|at| of_role(view, at)).collect();
    points.extend(unreadable_roles(view));
    if points.is_empty() {
        points.push(no_role(view));
    }
    shortened(points)
}

fn of_role(view: &TenantView<'_>, at: &RoleAt<'_>) -> Vec<Point> {
    let role = clean(at.name);
    let Some(audience) = &at.role.audience else {
        let message = format!("Vault role {role} takes tokens made for anybody: one handed to another service opens it too");
        return vec![on(at, Declared::Partly, message).because("VLT-13").with(at.object(), "audience", "absent")];
    };
    let uses = |vault: &VaultProvider| {
        let mount = vault.kubernetes_mount.as_deref().unwrap_or(DEFAULT_MOUNT).trim_matches('/');
        vault.role.as_ref() == Some(at.name) && mount == at.mount.as_ref()
    };
    let stores = view.namespaces.iter().flat_map(|(_, facts)| facts.secret_stores.values());
    let others = stores.filter_map(|store| Some((store, store.vault.as_ref().filter(|vault| uses(vault))?)));
    let wrong = |asked: &[Name]| !asked.is_empty() && !asked.contains(audience);
    let mut points: Vec<Point> = others
        .filter(|(_, vault)| wrong(&vault.audiences))
        .map(|(store, vault)| {
            let object = store.meta.object(Kind::SecretStore);
            let asked = list(&vault.audiences);
            let message = format!(
                "SecretStore {}/{} asks for a token for {}, and Vault role {role} takes only one for {}",
                clean(&store.meta.namespace),
                clean(&store.meta.name),
                clean(&asked),
                clean(audience)
            );
            on(at, Declared::Partly, message)
                .because("audience-mismatch")
                .with(object, "spec.provider.vault.auth.kubernetes.serviceAccountRef.audiences", &asked)
                .with(at.object(), "audience", audience)
        })
        .collect();
    if points.is_empty() {
        let message = format!("Vault role {role} takes only tokens made for {}", clean(audience));
        points.push(on(at, Declared::Right, message).with(at.object(), "audience", audience));
    }
    points
}
