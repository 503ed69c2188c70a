//! SEC-08: how the tenant's own objects come to Vault: SecretStores, generators, VaultAuths and connections, annotations.

use super::DEFAULT_MOUNT;
use crate::model::consumer::{ConsumerFact, ConsumerSpec, InjectorFact};
use crate::model::ids::{Name, ObjectRef};
use crate::model::kind::Kind;
use crate::model::secretstore::{SecretStoreFact, VaultProvider};
use crate::model::snapshot::NamespaceFacts;
use crate::model::text::clean;
use crate::posture::finding::Subject;
use crate::posture::sight::Source;
use crate::posture::vaultroles::Roles;
use crate::posture::verdict::Declared;
use crate::posture::view::{Point, TenantView, shortened};

/// Auth methods of a store that rest on a credential which is written down somewhere (ESO-04).
const STATIC: [&str; 6] = ["tokenSecretRef", "appRole", "userPass", "ldap", "cert", "tls"];

/// SEC-08: every SecretStore names the tenant's own ServiceAccount and role, over HTTPS.
pub fn stores(view: &TenantView<'_>) -> Vec<Point> {
    let of_namespace = |(namespace, facts): &(&Name, &NamespaceFacts)| {
        let stores = facts.secret_stores.values().filter_map(|store| Some((store, store.vault.as_ref()?)));
        stores.map(|(store, vault)| judge_store(view, namespace, facts, store, vault)).collect::<Vec<_>>()
    };
    let mut points: Vec<Point> = view.namespaces.iter().flat_map(of_namespace).collect();
    points.extend(view.namespaces.iter().flat_map(|(_, facts)| connections(facts)));
    if points.is_empty() {
        return vec![Point::new(Declared::NotApplicable, view.subject(), "this tenant has no SecretStore for Vault").because("no-store")];
    }
    shortened(points)
}

/// What else speaks to Vault from here without checking whom it speaks to (ESO-08). Those that check are not told.
fn connections(facts: &NamespaceFacts) -> Vec<Point> {
    let of_consumer = |consumer: &std::sync::Arc<ConsumerFact>| {
        let object = consumer.meta.object(consumer.kind);
        match &consumer.spec {
            ConsumerSpec::Connection(spec) => {
                unsafe_connection(&object, "spec.address", &spec.address, ("spec.skipTLSVerify", spec.skip_tls))
            }
            ConsumerSpec::Generator(spec) => unsafe_connection(&object, "spec.provider.server", &spec.provider.server, ("", false)),
            ConsumerSpec::ProviderClass(spec) => unsafe_connection(
                &object,
                "spec.parameters.vaultAddress",
                &spec.address,
                ("spec.parameters.vaultSkipTLSVerify", spec.skip_tls),
            ),
            _ => None,
        }
    };
    let of_injector = |object: ObjectRef, injector: &InjectorFact| {
        unsafe_connection(
            &object,
            "vault.hashicorp.com/service",
            &injector.service,
            ("vault.hashicorp.com/tls-skip-verify", injector.skip_tls),
        )
    };
    let workloads =
        facts.workloads.values().filter_map(|workload| Some((workload.meta.object(workload.kind), workload.injector.as_deref()?)));
    let lonely = facts.pods.values().filter(|pod| pod.owner.is_none() && !pod.finished());
    let pods = lonely.filter_map(|pod| Some((pod.meta.object(Kind::Pod), pod.injector.as_deref()?)));
    let injected = workloads.chain(pods).filter_map(|(object, injector)| of_injector(object, injector));
    facts.consumers.values().filter_map(of_consumer).chain(injected).collect()
}

fn unsafe_connection(object: &ObjectRef, field: &str, server: &Name, (skip_field, skips): (&str, bool)) -> Option<Point> {
    let shown = format!("{} {}/{}", object.kind, clean(&object.namespace), clean(&object.name));
    if skips {
        let message = format!("{shown} does not check which server answers it");
        return Some(Point::new(Declared::Partly, Subject::object(object), message).because("ESO-08").with(
            object.clone(),
            skip_field,
            "true",
        ));
    }
    server.starts_with("http://").then(|| {
        let message = format!("{shown} talks to Vault without TLS: secrets cross the network in the clear");
        Point::new(Declared::Partly, Subject::object(object), message).because("ESO-08").with(object.clone(), field, server)
    })
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
        if STATIC.iter().any(|name| name.eq_ignore_ascii_case(method)) {
            return say(
                Declared::Partly,
                "ESO-04",
                "auth",
                method,
                format!(
                    "{shown} logs in by {} with a credential that is written down: it lives long, and whoever has a copy is the tenant",
                    clean(method)
                ),
            );
        }
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
                "ESO-04",
                "auth.kubernetes.secretRef",
                "set",
                format!("{shown} logs in with a token kept in a Secret, which lives long and can be copied"),
            );
        }
        return say(
            Declared::Open,
            "ESO-03",
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
            "ESO-08",
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
        Some(_) => say(Declared::Open, "ESO-05", field, role, format!("{shown} uses role {}, which is not this tenant's", clean(role))),
        None => say(
            Declared::Partly,
            "missing-role",
            field,
            role,
            format!("{shown} uses role {}, which Vault does not have at {}", clean(role), clean(mount)),
        ),
    })
}
