//! SecretStores of External Secrets.

use super::meta::{Version, Writer, condition, meta, name};
use super::optional;
use crate::cluster::wire::secretstore::{StoreWire, VaultWire};
use crate::model::changes::Fact;
use crate::model::consumer::Condition;
use crate::model::intern::Interner;
use crate::model::kind::Kind;
use crate::model::secretstore::{SecretStoreFact, VaultProvider};

/// The mount the API fills in where none is named.
const DEFAULT_MOUNT: &str = "kubernetes";

/// The fact of a SecretStore.
pub(super) fn secret_store(kind: Kind, wire: StoreWire<'_>, interner: &mut Interner) -> Option<Fact> {
    let meta = meta(&wire.metadata.get()?, Version::Generation, Writer::Kept, interner)?;
    let provider = wire.spec.get().unwrap_or_default().provider.get().unwrap_or_default();
    Some(Fact::SecretStore(SecretStoreFact {
        meta,
        kind,
        conditions: [].into(),
        controller: "".into(),
        provider: name(provider.name.as_ref().map_or("", |text| &text.0), interner),
        vault: provider.vault.get().map(|wire| vault(wire, interner)),
        ready: wire.status.get().and_then(|status| condition(status.conditions, "Ready")).map(|status| Condition {
            status: Some(status),
            reason: "".into(),
            message: "".into(),
            since: None,
        }),
    }))
}

fn vault(wire: VaultWire<'_>, interner: &mut Interner) -> VaultProvider {
    let auth = wire.auth.get().unwrap_or_default();
    let mut provider = VaultProvider {
        server: name(wire.server.text(), interner),
        path: optional(&wire.path, interner),
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
        }
    }
    provider
}
