//! SEC-01: as whom the tenant comes.

use super::{is_literal, no_role, on, unreadable_roles};
use crate::model::ids::Name;
use crate::model::kind::Kind;
use crate::model::snapshot::NamespaceFacts;
use crate::model::text::clean;
use crate::posture::apps::used_by;
use crate::posture::assessment::AppKind;
use crate::posture::vaultroles::{RoleAt, glob};
use crate::posture::verdict::Declared;
use crate::posture::view::{Point, TenantView, list, shortened};

/// SEC-01: the tenant reaches Vault as a ServiceAccount of its own.
pub fn own_identity(view: &TenantView<'_>) -> Vec<Point> {
    let roles = view.own_roles();
    let mut points: Vec<Point> = roles.iter().flat_map(|at| identity(view, at)).collect();
    points.extend(unreadable_roles(view));
    if points.is_empty() {
        points.push(no_role(view));
    }
    shortened(points)
}

fn identity(view: &TenantView<'_>, at: &RoleAt<'_>) -> Vec<Point> {
    let role = clean(at.name);
    let field = "bound_service_account_names";
    let names = list(&at.role.service_accounts);
    if at.role.service_accounts.iter().any(|name| glob(name, "default")) {
        let message = format!("Vault role {role} admits the default ServiceAccount, which every pod that names none runs as");
        return vec![on(at, Declared::Open, message).because("default-account").with(at.object(), field, &names)];
    }
    let mut points = Vec::new();
    for (namespace, facts) in &view.namespaces {
        if !at.role.namespaces.iter().any(|pattern| glob(pattern, namespace)) {
            continue;
        }
        points.extend(at.role.service_accounts.iter().filter(|name| is_literal(name)).map(|name| account(at, namespace, facts, name)));
    }
    if points.is_empty() {
        // bound by pattern or selector: SEC-02 judges how wide
        let message = format!("which ServiceAccount uses Vault role {role} can't be told from its binding");
        points.push(on(at, Declared::Partly, message).because("pattern").with(at.object(), field, &names));
    }
    points
}

fn account(at: &RoleAt<'_>, namespace: &Name, facts: &NamespaceFacts, name: &Name) -> Point {
    let (role, who) = (clean(at.name), format!("{}/{}", clean(namespace), clean(name)));
    let Some(account) = facts.service_accounts.get(name) else {
        let message = format!("Vault role {role} admits ServiceAccount {who}, which does not exist: whoever creates it gets the secrets");
        return on(at, Declared::Partly, message).because("missing-account").with(at.object(), "bound_service_account_names", name);
    };
    let object = account.meta.object(Kind::ServiceAccount);
    if used_by(facts, Some(name)) == AppKind::Both {
        let message = format!("n8n and Node-RED share ServiceAccount {who}, which Vault role {role} admits");
        return on(at, Declared::Partly, message).because("shared-account").with(object, "used by", AppKind::Both.word());
    }
    on(at, Declared::Right, format!("ServiceAccount {who} is this tenant's own and logs in to Vault as {role}"))
        .with(at.object(), "bound_service_account_names", name)
        .with(object, "metadata.name", name)
}
