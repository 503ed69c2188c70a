//! The Vault Secrets Operator's kinds.

use super::meta::{Version, Writer, meta, name, ready, words};
use super::optional;
use super::secretstore::names;
use crate::cluster::wire::lean::{Field, Str};
use crate::cluster::wire::vaultoperator::{CollectionWire, OperatorSpecWire, OperatorStatusWire, OperatorWire, PlaceWire};
use crate::model::changes::Fact;
use crate::model::consumer::{AuthSpec, Condition, ConnectionSpec, ConsumerFact, ConsumerSpec, OperatorSpec};
use crate::model::ids::Name;
use crate::model::intern::Interner;
use crate::model::kind::Kind;

/// Which conditions tell whether it works; of several the one that says no.
const TELLING: [&str; 3] = ["Ready", "SecretSynced", "Healthy"];

/// The fact of an object of `secrets.hashicorp.com`.
pub(super) fn operator(kind: Kind, wire: OperatorWire<'_>, interner: &mut Interner) -> Option<Fact> {
    let meta = meta(&wire.metadata.get()?, Version::Generation, Writer::Kept, interner)?;
    let unreadable = wire.spec.is_odd();
    let spec = wire.spec.get().unwrap_or_default();
    let ready = works(wire.status, interner);
    let spec = match kind {
        Kind::VaultConnection => ConsumerSpec::Connection(connection(&spec, interner)),
        Kind::VaultAuth | Kind::VaultAuthGlobal => ConsumerSpec::Auth(auth(spec, interner)),
        _ => ConsumerSpec::Operator(secret(kind, spec, unreadable, interner)),
    };
    Some(Fact::Consumer(ConsumerFact { meta, kind, ready, spec }))
}

fn works(status: Field<OperatorStatusWire<'_>>, interner: &mut Interner) -> Option<Condition> {
    let status = status.get()?;
    let told = ready(status.conditions, &TELLING, interner);
    told.or_else(|| {
        let valid = status.valid.as_ref().copied()?;
        Some(Condition { status: Some(valid), reason: interner.name(""), message: words(status.error.text()), since: None })
    })
}

fn connection(spec: &OperatorSpecWire<'_>, interner: &mut Interner) -> ConnectionSpec {
    let set = |field: &Field<Str<'_>>| !field.text().is_empty();
    ConnectionSpec {
        address: name(spec.address.text(), interner),
        skip_tls: spec.skip_tls_verify.as_ref() == Some(&true),
        has_ca: set(&spec.ca_cert_secret_ref) || set(&spec.ca_cert_path),
    }
}

fn auth(spec: OperatorSpecWire<'_>, interner: &mut Interner) -> AuthSpec {
    let kubernetes = spec.kubernetes.get().unwrap_or_default();
    // VaultAuthGlobal has other names for what it fills in, and lets the method say it differently
    let mut first = |fields: [&Field<Str<'_>>; 3]| {
        let said = fields.into_iter().find(|field| !field.text().is_empty());
        name(said.map_or("", Field::text), interner)
    };
    let method = first([&spec.method, &spec.default_auth_method, &Field::Absent]);
    let mount = first([&kubernetes.mount, &spec.mount, &spec.default_mount]);
    let vault_namespace = first([&kubernetes.namespace, &spec.namespace, &spec.default_vault_namespace]);
    AuthSpec {
        method,
        mount,
        vault_namespace,
        role: optional(&kubernetes.role, interner),
        service_account: optional(&kubernetes.service_account, interner),
        audiences: names(kubernetes.audiences, interner),
        allowed: names(spec.allowed_namespaces, interner),
        connection: optional(&spec.vault_connection_ref, interner),
        global: spec.vault_auth_global_ref.get().map(|place| {
            let whole = format!("{}/{}", place.namespace.text(), place.name.text());
            name(&whole, interner)
        }),
    }
}

/// A reference as the operator writes it.
fn place(field: Field<PlaceWire<'_>>, interner: &mut Interner) -> Name {
    let place = field.get().unwrap_or_default();
    match place.namespace.text() {
        "" => name(place.name.text(), interner),
        namespace => name(&format!("{namespace}/{}", place.name.text()), interner),
    }
}

fn secret(kind: Kind, spec: OperatorSpecWire<'_>, unreadable: bool, interner: &mut Interner) -> OperatorSpec {
    let issued = format!("issue/{}", spec.role.text());
    let mut unreadable = unreadable | spec.mount.is_odd() | spec.path.is_odd() | spec.role.is_odd() | spec.vault_auth_ref.is_odd();
    let (mut mount, mut path) = match kind {
        Kind::VaultPKISecret => (name(spec.mount.text(), interner), name(&issued, interner)),
        _ => (name(spec.mount.text(), interner), name(spec.path.text(), interner)),
    };
    let mut also = Vec::new();
    if kind == Kind::CSISecrets {
        unreadable |= spec.secrets.is_odd();
        let mut all = collected(spec.secrets.get().unwrap_or_default(), &mut unreadable, interner).into_iter();
        (mount, path) = all.next().unwrap_or((mount, path));
        also.extend(all);
    }
    OperatorSpec {
        auth: place(spec.vault_auth_ref, interner),
        mount,
        path,
        version: match spec.kind.text() {
            "kv-v1" => Some(1),
            "kv-v2" => Some(2),
            _ => None,
        },
        vault_namespace: name(spec.namespace.text(), interner),
        target: spec.destination.get().and_then(|destination| optional(&destination.name, interner)),
        also: also.into_boxed_slice(),
        unreadable,
    }
}

/// Mounts and paths of CSISecrets.
fn collected(wire: CollectionWire<'_>, unreadable: &mut bool, interner: &mut Interner) -> Vec<(Name, Name)> {
    let mut found = Vec::new();
    for (list, is_role) in [(wire.vault_static_secrets, false), (wire.vault_app_role_secret_ids, true)] {
        *unreadable |= list.is_odd();
        for item in list.get().unwrap_or_default().0 {
            let Field::Is(item) = item else {
                *unreadable |= item.is_odd();
                continue;
            };
            *unreadable |= item.mount.is_odd() | item.path.is_odd() | item.role.is_odd();
            let (mount, path) = if is_role {
                (format!("auth/{}", item.mount.text()), format!("role/{}/secret-id", item.role.text()))
            } else {
                (item.mount.text().to_owned(), item.path.text().to_owned())
            };
            found.push((name(&mount, interner), name(&path, interner)));
        }
    }
    found
}
