//! SecretStores and ClusterSecretStores of External Secrets.

use super::meta::{Version, Writer, meta, name, ready};
use super::networkpolicy::selector;
use super::optional;
use crate::cluster::wire::lean::{Field, Many, Str};
use crate::cluster::wire::secretstore::{AdmitsWire, StoreWire, VaultWire};
use crate::model::changes::Fact;
use crate::model::consumer::NamespaceChoice;
use crate::model::ids::Name;
use crate::model::intern::Interner;
use crate::model::kind::Kind;
use crate::model::secretstore::{SecretStoreFact, VaultProvider};

/// The mount the API fills in where none is named.
const DEFAULT_MOUNT: &str = "kubernetes";

/// The fact of a SecretStore or ClusterSecretStore.
pub(super) fn secret_store(kind: Kind, wire: StoreWire<'_>, interner: &mut Interner) -> Option<Fact> {
    let meta = meta(&wire.metadata.get()?, Version::Generation, Writer::Kept, interner)?;
    let spec = wire.spec.get().unwrap_or_default();
    let provider = spec.provider.get().unwrap_or_default();
    Some(Fact::SecretStore(SecretStoreFact {
        meta,
        kind,
        conditions: conditions(spec.conditions, interner),
        controller: name(spec.controller.text(), interner),
        provider: name(provider.name.as_ref().map_or("", |text| &text.0), interner),
        vault: provider.vault.get().map(|wire| vault(wire, interner)),
        ready: wire.status.get().and_then(|status| ready(status.conditions, &["Ready"], interner)),
    }))
}

/// Whom a store admits. What can't be read admits nobody knows whom: it must not look like no condition at all.
fn conditions(field: Field<Many<AdmitsWire<'_>>>, interner: &mut Interner) -> Box<[NamespaceChoice]> {
    match field {
        Field::Odd => [admits(Field::Odd, interner)].into(),
        field => field.get().unwrap_or_default().0.into_iter().map(|one| admits(one, interner)).collect(),
    }
}

fn admits(field: Field<AdmitsWire<'_>>, interner: &mut Interner) -> NamespaceChoice {
    let unknown = |interner: &mut Interner| selector(Field::Odd, interner).into_iter();
    let wire = match field {
        Field::Is(wire) => wire,
        Field::Absent => return NamespaceChoice::default(),
        Field::Odd => return NamespaceChoice { selectors: unknown(interner).collect(), ..NamespaceChoice::default() },
    };
    let odd = |list: &Field<Many<Str<'_>>>| list.is_odd() || list.as_ref().is_some_and(|list| list.0.iter().any(Field::is_odd));
    let odd = odd(&wire.namespaces) || odd(&wire.namespace_regexes);
    let mut selectors: Vec<_> = selector(wire.namespace_selector, interner).into_iter().collect();
    if odd {
        selectors.extend(unknown(interner));
    }
    NamespaceChoice {
        names: names(wire.namespaces, interner),
        selectors: selectors.into_boxed_slice(),
        patterns: names(wire.namespace_regexes, interner),
    }
}

/// The readable texts of a list.
pub(super) fn names(list: Field<Many<Str<'_>>>, interner: &mut Interner) -> Box<[Name]> {
    list.items().map(|text| name(&text.0, interner)).collect()
}

/// What a provider for Vault or OpenBao says.
pub(super) fn vault(wire: VaultWire<'_>, interner: &mut Interner) -> VaultProvider {
    let auth = wire.auth.get().unwrap_or_default();
    let mut provider = VaultProvider {
        server: name(wire.server.text(), interner),
        path: optional(&wire.path, interner),
        version: if wire.version.text() == "v1" { 1 } else { 2 },
        vault_namespace: name(wire.namespace.text(), interner),
        has_ca: !wire.ca_bundle.text().is_empty() || wire.ca_provider.as_ref().is_some_and(|ca| ca.0),
        other_auth: auth.other.as_ref().map(|text| name(&text.0, interner)),
        ..VaultProvider::default()
    };
    if let Some(kubernetes) = auth.kubernetes.get() {
        provider.kubernetes_mount = optional(&kubernetes.mount_path, interner).or_else(|| Some(interner.name(DEFAULT_MOUNT)));
        provider.role = optional(&kubernetes.role, interner);
        provider.token_from_secret = kubernetes.secret_ref.as_ref().is_some();
        if let Some(account) = kubernetes.service_account_ref.get() {
            provider.service_account = optional(&account.name, interner);
            provider.service_account_namespace = optional(&account.namespace, interner);
            provider.audiences = names(account.audiences, interner);
        }
    }
    provider
}
