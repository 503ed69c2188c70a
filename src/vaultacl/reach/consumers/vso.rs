//! The Vault Secrets Operator: VaultStaticSecret, VaultDynamicSecret, VaultPKISecret and CSISecrets (`spec/vault.md` 7.2).

use std::sync::Arc;

use super::super::super::capability::Operation;
use super::paths::place;
use super::{Account, At, LoginBy, Row};
use crate::model::consumer::{AuthSpec, ConsumerFact, ConsumerSpec, OperatorSpec};
use crate::model::ids::{Name, ObjectRef};
use crate::model::kind::Kind;
use crate::model::text::clean;

/// The namespace that the operator's chart and documentation use.
const USUAL: &str = "vault-secrets-operator-system";
/// Name of the VaultAuth, and of the VaultConnection, that are used where none is named.
const DEFAULT: &str = "default";

/// The rows of a namespace's objects.
pub fn rows(at: &At<'_>) -> Vec<Row> {
    let secrets = at.facts.consumers.values().filter_map(|consumer| match &consumer.spec {
        ConsumerSpec::Operator(spec) => Some((consumer, spec)),
        _ => None,
    });
    secrets.map(|(consumer, spec)| secret(at, consumer, spec)).collect()
}

fn secret(at: &At<'_>, consumer: &ConsumerFact, spec: &OperatorSpec) -> Row {
    let mut row = at.row(consumer.kind, &consumer.meta.namespace, &consumer.meta.name);
    let mut vault_namespace = spec.vault_namespace.clone();
    if let Some((auth, object)) = find(at, Kind::VaultAuth, &spec.auth) {
        row.via.push(object.clone());
        if let ConsumerSpec::Auth(auth) = &auth.spec {
            let global = auth.global.as_ref().and_then(|name| find_from(at, &object.namespace, Kind::VaultAuthGlobal, name));
            row.via.extend(global.as_ref().map(|(_, object)| object.clone()));
            let global = global.as_ref().and_then(|(fact, _)| if let ConsumerSpec::Auth(spec) = &fact.spec { Some(spec) } else { None });
            row.admitted = Some(admits(at, auth, &object));
            row.login = login(at, auth, global);
            if vault_namespace.is_empty() {
                let inherited = [Some(auth), global].into_iter().flatten().map(|auth| &auth.vault_namespace).find(|name| !name.is_empty());
                vault_namespace = inherited.cloned().unwrap_or_default();
            }
            connect(at, auth, &object, &mut row);
        }
    } else {
        // named all the same: when it appears there, this row is another
        let (namespace, name) = named(at.namespace, &spec.auth);
        let namespace = namespace.or_else(|| operators(at, Kind::VaultAuth)).unwrap_or_else(|| USUAL.into());
        row.doubts.push(format!("VaultAuth {}/{} is not there or not seen", clean(&namespace), clean(&name)));
        row.via.push(ObjectRef { kind: Kind::VaultAuth, namespace, name });
    }
    row.vault_namespace = vault_namespace.trim_matches('/').into();
    ask(at, consumer.kind, spec, &mut row);
    row
}

fn ask(at: &At<'_>, kind: Kind, spec: &OperatorSpec, row: &mut Row) {
    if spec.mount.is_empty() && spec.path.is_empty() {
        row.doubts.push("what it asks for is not told in a form that is followed".to_owned());
        return;
    }
    let Some(prefix) = at.prefix(&row.vault_namespace) else {
        row.doubts.push(format!("it asks in Vault namespace {}, which is not looked at", clean(&row.vault_namespace)));
        return;
    };
    let (section, version, operation) = match (kind, spec.version) {
        (Kind::VaultStaticSecret, Some(1)) => ("", 1, Operation::Read),
        (Kind::VaultStaticSecret, _) => ("data/", 2, Operation::Read),
        (Kind::VaultPKISecret, _) => ("", 0, Operation::Update),
        _ => ("", 0, Operation::Read),
    };
    let mount = format!("{prefix}{}", spec.mount.trim_matches('/'));
    let request = format!("{mount}/{section}{}", spec.path);
    let mut asked = place(&request, Some(&mount), version, operation, &at.snapshot.vault.secret_mounts.items);
    asked.target.clone_from(&spec.target);
    row.paths.push(asked);
}

/// The login of a VaultAuth; what it leaves open its VaultAuthGlobal says. The ServiceAccount is one of the consumer's namespace.
fn login(at: &At<'_>, auth: &AuthSpec, global: Option<&AuthSpec>) -> LoginBy {
    let both = || [Some(auth), global].into_iter().flatten();
    let text = |field: fn(&AuthSpec) -> &Name| both().map(field).find(|text| !text.is_empty()).cloned();
    let method = text(|auth| &auth.method);
    if let Some(method) = method.filter(|method| !matches!(method.as_ref(), "kubernetes" | "jwt")) {
        return LoginBy::Other(method);
    }
    let mount = text(|auth| &auth.mount).unwrap_or_else(|| "kubernetes".into());
    let role = both().find_map(|auth| auth.role.clone().filter(|role| !role.is_empty()));
    let account = both().find_map(|auth| auth.service_account.clone()).map_or_else(
        || Account::Named { namespace: at.namespace.clone(), name: "default".into() },
        |name| Account::Named { namespace: at.namespace.clone(), name },
    );
    LoginBy::Kubernetes { mount: mount.trim_matches('/').trim_start_matches("auth/").into(), role, account }
}

/// Whether a VaultAuth may be used from here: its own namespace, those it lists, all with `*`; the operator's own default from everywhere.
fn admits(at: &At<'_>, auth: &AuthSpec, object: &ObjectRef) -> bool {
    object.namespace == *at.namespace
        || auth.allowed.iter().any(|name| name.as_ref() == "*" || name == at.namespace)
        || (object.name.as_ref() == DEFAULT && operators(at, Kind::VaultAuth).as_ref() == Some(&object.namespace))
}

fn connect(at: &At<'_>, auth: &AuthSpec, object: &ObjectRef, row: &mut Row) {
    let written = auth.connection.clone().unwrap_or_default();
    let Some((fact, connection)) = find_from(at, &object.namespace, Kind::VaultConnection, &written) else { return };
    row.via.push(connection);
    if let ConsumerSpec::Connection(spec) = &fact.spec {
        row.server = spec.address.clone();
    }
}

fn find<'a>(at: &At<'a>, kind: Kind, written: &str) -> Option<(&'a Arc<ConsumerFact>, ObjectRef)> {
    find_from(at, at.namespace, kind, written)
}

/// An object by `name` (of this namespace), `namespace/name`, or nothing (the operator's own default).
fn find_from<'a>(at: &At<'a>, from: &Name, kind: Kind, written: &str) -> Option<(&'a Arc<ConsumerFact>, ObjectRef)> {
    let (namespace, name) = named(from, written);
    let namespace = namespace.or_else(|| operators(at, kind))?;
    let fact = at.snapshot.namespace(&namespace)?.consumers.get(&(kind, name.clone()))?;
    Some((fact, ObjectRef { kind, namespace, name }))
}

/// Which namespace and name a reference means; no namespace where it is the operator's own.
fn named(from: &Name, written: &str) -> (Option<Name>, Name) {
    match written.split_once('/') {
        Some(("", name)) => (Some(from.clone()), name.into()),
        Some((namespace, name)) => (Some(namespace.into()), name.into()),
        None if written.is_empty() => (None, DEFAULT.into()),
        None => (Some(from.clone()), written.into()),
    }
}

/// The operator's own namespace: the usual one, else the only one outside the tenants' that has a default of this kind.
fn operators(at: &At<'_>, kind: Kind) -> Option<Name> {
    let key = (kind, Name::from(DEFAULT));
    let has = |name: &str| at.snapshot.namespace(name).is_some_and(|facts| facts.consumers.contains_key(&key));
    if has(USUAL) {
        return Some(USUAL.into());
    }
    let mut others =
        at.snapshot.namespaces.iter().filter(|(name, facts)| !at.tenants.of.contains_key(*name) && facts.consumers.contains_key(&key));
    let first = others.next().map(|(name, _)| name.clone());
    if others.next().is_some() { None } else { first }
}
