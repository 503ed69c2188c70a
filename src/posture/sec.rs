//! The secret wall: who may open which door of Vault.

use super::apps::used_by;
use super::assessment::AppKind;
use super::finding::Subject;
use super::sight::Source;
use super::vaultroles::{RoleAt, Roles};
use super::verdict::Declared;
use super::view::{Point, TenantView, list};
use crate::model::ids::Name;
use crate::model::kind::Kind;
use crate::model::secretstore::{SecretStoreFact, VaultProvider};
use crate::model::snapshot::NamespaceFacts;
use crate::model::text::clean;
use crate::model::vault::Flavour;

/// The auth mount that External Secrets uses where a store names none.
const DEFAULT_MOUNT: &str = "kubernetes";

/// Roles that can't be read may admit anybody.
fn unreadable_roles(view: &TenantView<'_>) -> Vec<Point> {
    let point = |(mount, name, why): &(&Name, &Name, &Name)| {
        let object = crate::model::vault::role_ref(mount, name);
        let message = format!("Vault role {} can't be read, so it may admit this tenant: {}", clean(name), clean(why));
        Point::new(Declared::Unknown, Subject::object(&object), message).because("unreadable-role").with(object, "read", why)
    };
    view.roles.unreadable.iter().map(point).collect()
}

fn no_role(view: &TenantView<'_>) -> Point {
    Point::new(Declared::NotApplicable, view.subject(), "no Vault role admits a ServiceAccount of this tenant").because("no-role")
}

fn on(at: &RoleAt<'_>, declared: Declared, message: String) -> Point {
    Point::new(declared, Subject::object(&at.object()), message)
}

fn is_literal(pattern: &Name) -> bool {
    !pattern.contains('*')
}

/// SEC-01: the tenant reaches Vault as a ServiceAccount of its own.
pub fn own_identity(view: &TenantView<'_>) -> Vec<Point> {
    let roles = view.own_roles();
    let mut points: Vec<Point> = roles.iter().flat_map(|at| identity(view, at)).collect();
    points.extend(unreadable_roles(view));
    if points.is_empty() {
        points.push(no_role(view));
    }
    points
}

fn identity(view: &TenantView<'_>, at: &RoleAt<'_>) -> Vec<Point> {
    let role = clean(at.name);
    let field = "bound_service_account_names";
    let names = list(&at.role.service_accounts);
    if at.role.service_accounts.iter().any(|name| super::vaultroles::glob(name, "default")) {
        let message = format!("Vault role {role} admits the default ServiceAccount, which every pod that names none runs as");
        return vec![on(at, Declared::Open, message).because("default-account").with(at.object(), field, &names)];
    }
    let mut points = Vec::new();
    for (namespace, facts) in &view.namespaces {
        if !at.role.namespaces.iter().any(|pattern| super::vaultroles::glob(pattern, namespace)) {
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

/// SEC-02: the tenant's Vault roles admit exactly one ServiceAccount of exactly one namespace.
pub fn one_binding(view: &TenantView<'_>) -> Vec<Point> {
    let mut points: Vec<Point> = view.own_roles().iter().map(|at| binding(view, at)).collect();
    points.extend(unreadable_roles(view));
    if points.is_empty() {
        points.push(no_role(view));
    }
    points
}

fn binding(view: &TenantView<'_>, at: &RoleAt<'_>) -> Point {
    let role = clean(at.name);
    let (accounts, namespaces) = (&at.role.service_accounts, &at.role.namespaces);
    let selector = &at.role.namespace_selector;
    let (accounts_text, namespaces_text) = (list(accounts), list(namespaces));
    let wide = |reason, message: String| on(at, Declared::Open, message).because(reason);
    let point = if !selector.is_empty() {
        let message = format!("Vault role {role} also admits every namespace with certain labels: whoever may label a namespace may join");
        wide("namespace-selector", message).with(at.object(), "bound_service_account_namespace_selector", selector)
    } else if !accounts.iter().chain(namespaces).all(is_literal) {
        wide("wildcard", format!("Vault role {role} admits by pattern: {} of {}", clean(&accounts_text), clean(&namespaces_text)))
    } else if let [namespace] = namespaces.as_ref() {
        match accounts.as_ref() {
            [_] if view.namespaces.iter().any(|(own, _)| *own == namespace) => {
                let message = format!("Vault role {role} admits {} of {} and nobody else", clean(&accounts_text), clean(namespace));
                on(at, Declared::Right, message)
            }
            _ => {
                wide("several-accounts", format!("Vault role {role} admits {} ServiceAccounts: {}", accounts.len(), clean(&accounts_text)))
            }
        }
    } else {
        wide("several-namespaces", format!("Vault role {role} admits {} namespaces: {}", namespaces.len(), clean(&namespaces_text)))
    };
    let audience = at.role.audience.as_deref().unwrap_or("absent");
    point
        .with(at.object(), "bound_service_account_names", &accounts_text)
        .with(at.object(), "bound_service_account_namespaces", &namespaces_text)
        .with(at.object(), "audience", audience)
}

/// SEC-08: every SecretStore names the tenant's own ServiceAccount and role, over HTTPS.
pub fn stores(view: &TenantView<'_>) -> Vec<Point> {
    let of_namespace = |(namespace, facts): &(&Name, &NamespaceFacts)| {
        let stores = facts.secret_stores.values().filter_map(|store| Some((store, store.vault.as_ref()?)));
        stores.map(|(store, vault)| judge_store(view, namespace, facts, store, vault)).collect::<Vec<_>>()
    };
    let points: Vec<Point> = view.namespaces.iter().flat_map(of_namespace).collect();
    if points.is_empty() {
        return vec![Point::new(Declared::NotApplicable, view.subject(), "this tenant has no SecretStore for Vault").because("no-store")];
    }
    points
}

/// The first thing wrong with a store, worst first.
fn judge_store(view: &TenantView<'_>, namespace: &Name, facts: &NamespaceFacts, store: &SecretStoreFact, vault: &VaultProvider) -> Point {
    let object = store.meta.object(Kind::SecretStore);
    let shown = format!("SecretStore {}/{}", clean(namespace), clean(&store.meta.name));
    let say = |declared, reason, field: &str, value: &str, message: String| {
        Point::new(declared, Subject::object(&object), message).because(reason).with(
            object.clone(),
            format!("spec.provider.vault.{field}"),
            value,
        )
    };
    if let Some(method) = &vault.other_auth {
        return say(
            Declared::Unknown,
            "other-auth",
            "auth",
            method,
            format!("{shown} logs in by {}, which this release does not judge", clean(method)),
        );
    }
    let Some(account) = &vault.service_account else {
        if vault.token_from_secret {
            return say(
                Declared::Partly,
                "token-from-secret",
                "auth.kubernetes.secretRef",
                "set",
                format!("{shown} logs in with a token kept in a Secret, which lives long and can be copied"),
            );
        }
        return say(
            Declared::Open,
            "controller-identity",
            "auth.kubernetes.serviceAccountRef",
            "absent",
            format!("{shown} names no ServiceAccount, so it logs in as External Secrets itself, as every tenant does"),
        );
    };
    if let Some(foreign) = vault.service_account_namespace.as_ref().filter(|named| *named != namespace) {
        return say(
            Declared::Partly,
            "foreign-namespace",
            "auth.kubernetes.serviceAccountRef.namespace",
            foreign,
            format!("{shown} names a ServiceAccount of {}, which a SecretStore may not use", clean(foreign)),
        );
    }
    if let Some(point) = judge_role(view, &shown, vault, &say) {
        return point;
    }
    let accounts_seen = view.blind(Source::Objects(Kind::ServiceAccount));
    if let Some(why) = accounts_seen {
        return say(
            Declared::Unknown,
            "accounts-unseen",
            "auth.kubernetes.serviceAccountRef.name",
            account,
            format!("whether the ServiceAccount of {shown} exists is unknown: ServiceAccount {why}"),
        );
    }
    if !facts.service_accounts.contains_key(account) {
        return say(
            Declared::Partly,
            "missing-account",
            "auth.kubernetes.serviceAccountRef.name",
            account,
            format!("{shown} names ServiceAccount {}, which does not exist", clean(account)),
        );
    }
    if vault.server.starts_with("http://") {
        return say(
            Declared::Partly,
            "plain-http",
            "server",
            &vault.server,
            format!("{shown} talks to Vault without TLS: secrets cross the network in the clear"),
        );
    }
    let message = format!("{shown} logs in as {} with the tenant's own role", clean(account));
    Point::new(Declared::Right, Subject::object(&object), message)
        .with(object.clone(), "spec.provider.vault.auth.kubernetes.serviceAccountRef.name", account)
        .with(object.clone(), "spec.provider.vault.auth.kubernetes.role", vault.role.as_deref().unwrap_or("absent"))
        .with(object, "spec.provider.vault.server", &vault.server)
}

fn judge_role(
    view: &TenantView<'_>,
    shown: &str,
    vault: &VaultProvider,
    say: &dyn Fn(Declared, &'static str, &str, &str, String) -> Point,
) -> Option<Point> {
    let field = "auth.kubernetes.role";
    let mount = vault.kubernetes_mount.as_deref().unwrap_or(DEFAULT_MOUNT).trim_matches('/');
    let Some(role) = &vault.role else {
        return Some(say(Declared::Partly, "no-role", field, "absent", format!("{shown} names no role")));
    };
    if let Some(why) = view.blind(Source::VaultRoles) {
        return Some(say(
            Declared::Unknown,
            "roles-unseen",
            field,
            role,
            format!("whether role {} is this tenant's own is unknown: vault roles {why}", clean(role)),
        ));
    }
    if view.own_roles().iter().any(|at| at.name == role && at.mount.as_ref() == mount) {
        return None;
    }
    Some(match Roles::find(&view.snapshot.vault, mount, role) {
        Some(_) => {
            say(Declared::Open, "foreign-role", field, role, format!("{shown} uses role {}, which is not this tenant's", clean(role)))
        }
        None => say(
            Declared::Partly,
            "missing-role",
            field,
            role,
            format!("{shown} uses role {}, which Vault does not have at {}", clean(role), clean(mount)),
        ),
    })
}

/// SEC-17: Vault answers, is unsealed, and is the one we think it is. Whether it keeps an audit log is not read in this release.
pub fn healthy(view: &TenantView<'_>) -> Vec<Point> {
    let vault = &view.snapshot.vault;
    let object = crate::model::ids::ObjectRef::new(Kind::VaultServer, "", vault.address.clone());
    let name = match vault.server.flavour {
        Flavour::OpenBao => "OpenBao",
        Flavour::Vault | Flavour::Unknown => "Vault",
    };
    let http = vault.address.starts_with("http://");
    let mut message = format!("{name} {} answers and is unsealed", clean(&vault.server.version));
    let mut reason = None;
    if vault.server.standby {
        message.push_str("; it is a standby, whose answers may be behind");
        reason = Some("standby");
    } else if http {
        message.push_str("; we speak to it without TLS");
        reason = Some("plain-http");
    }
    let mut point = Point::new(Declared::Right, Subject::object(&object), message)
        .with(object.clone(), "sealed", "false")
        .with(object.clone(), "address", &vault.address)
        .with(object, "sys/audit", "not read");
    point.reason = reason;
    vec![point]
}
