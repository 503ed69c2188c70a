//! SEC-02: whom the tenant's Vault roles admit.

use super::{is_literal, no_role, on, unreadable_roles};
use crate::model::text::clean;
use crate::posture::vaultroles::RoleAt;
use crate::posture::verdict::Declared;
use crate::posture::view::{Point, TenantView, list, shortened};
use crate::vaultacl::binding::Binding;

/// SEC-02: the tenant's Vault roles admit exactly one ServiceAccount of exactly one namespace.
pub fn one_binding(view: &TenantView<'_>) -> Vec<Point> {
    let mut points: Vec<Point> = view.own_roles().iter().map(|at| binding(view, at)).collect();
    points.extend(unreadable_roles(view));
    if points.is_empty() {
        points.push(no_role(view));
    }
    shortened(points)
}

fn binding(view: &TenantView<'_>, at: &RoleAt<'_>) -> Point {
    let role = clean(at.name);
    let (accounts, namespaces) = (&at.role.service_accounts, &at.role.namespaces);
    let selector = &at.role.namespace_selector;
    let (accounts_text, namespaces_text) = (list(accounts), list(namespaces));
    let wide = |reason, message: String| on(at, Declared::Open, message).because(reason);
    let by_pattern = !selector.is_empty() || !namespaces.iter().all(is_literal);
    let point = if by_pattern && admits_others(view, at) {
        several_tenants(view, at)
    } else if !selector.is_empty() {
        let message = format!("Vault role {role} also admits every namespace with certain labels: whoever may label a namespace may join");
        wide("namespace-selector", message).with(at.object(), "bound_service_account_namespace_selector", selector)
    } else if by_pattern {
        wide("wildcard", format!("Vault role {role} admits by pattern: {} of {}", clean(&accounts_text), clean(&namespaces_text)))
    } else if let [namespace] = namespaces.as_ref() {
        match accounts.as_ref() {
            names if !names.iter().all(is_literal) => {
                let message =
                    format!("Vault role {role} admits any ServiceAccount of {} named {}", clean(namespace), clean(&accounts_text));
                wide("VLT-12", message)
            }
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

/// Whether a role that admits by pattern or selector admits a namespace of another tenant. O(namespaces), fewer where the answer is yes.
fn admits_others(view: &TenantView<'_>, at: &RoleAt<'_>) -> bool {
    let labels = |name| view.snapshot.namespace(name).and_then(|facts| facts.own.as_ref()).map(|own| own.labels.as_ref());
    let binding = Binding::of(at.role);
    let mut others = view.tenants.of.iter().filter(|(_, tenant)| *tenant != view.tenant);
    others.any(|(name, _)| binding.admits_namespace(name, labels(name)) != Some(false))
}

/// A role for the namespaces of several tenants: it is what its policies make of it.
fn several_tenants(view: &TenantView<'_>, at: &RoleAt<'_>) -> Point {
    let role = clean(at.name);
    let whom =
        if at.role.namespace_selector.is_empty() { clean(&list(&at.role.namespaces)) } else { "namespaces by their labels".to_owned() };
    let point = if is_templated(view, at) {
        let message = format!(
            "Vault role {role} admits {whom}: several tenants share it, and only the namespace that its policies fill in keeps them apart"
        );
        on(at, Declared::Partly, message).because("VLT-06")
    } else {
        let message = format!("Vault role {role} admits {whom}: several tenants get the same policies, which no template tells apart");
        on(at, Declared::Open, message).because("VLT-05")
    };
    point.with(at.object(), "bound_service_account_namespace_selector", &at.role.namespace_selector)
}

/// Whether every rule that the role grants is filled in with the namespace of whoever logs in. No where the policies are not seen.
fn is_templated(view: &TenantView<'_>, at: &RoleAt<'_>) -> bool {
    let reach = view.secrets.by_tenant.get(view.tenant);
    let mut logins = reach.iter().flat_map(|reach| &reach.logins).filter(|login| login.mount == *at.mount && login.role == *at.name);
    let Some(login) = logins.next() else { return false };
    let of_role = |policy: &crate::model::ids::Name| at.role.policies.iter().any(|named| named.eq_ignore_ascii_case(policy));
    let rules = login.acl.rules().iter().flat_map(|rule| &rule.from);
    let mut grants = rules.filter(|origin| of_role(&origin.policy) && !origin.capabilities.denies()).peekable();
    let filled = |written: &str| written.contains("service_account_namespace");
    !login.acl.is_root() && grants.peek().is_some() && grants.all(|origin| filled(&origin.written))
}
