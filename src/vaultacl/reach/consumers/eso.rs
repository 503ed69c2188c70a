//! External Secrets: ExternalSecret, ClusterExternalSecret, PushSecret and the generator VaultDynamicSecret (`spec/vault.md` 7.1).

use std::collections::BTreeMap;

use super::super::super::capability::Operation;
use super::choice::chosen;
use super::paths::place;
use super::{Account, Asked, At, LoginBy, Row};
use crate::model::consumer::{ConsumerFact, ConsumerSpec, EntryKind, ExternalSpec, GeneratorSpec, SecretEntry, StoreRef};
use crate::model::ids::{Name, ObjectRef};
use crate::model::kind::Kind;
use crate::model::secretstore::{SecretStoreFact, VaultProvider};
use crate::model::text::clean;

/// The rows of a namespace's objects, and of the ClusterExternalSecrets put into it.
pub fn rows(at: &At<'_>) -> Vec<Row> {
    let mut rows = Vec::new();
    let everywhere = at.snapshot.cluster.consumers.values().map(|consumer| (consumer, put_here(at, consumer)));
    let everywhere = everywhere.filter(|(_, here)| *here != Some(false));
    let here = at.facts.consumers.values().map(|consumer| (consumer, Some(true)));
    for (consumer, admitted) in here.chain(everywhere) {
        match &consumer.spec {
            ConsumerSpec::External(spec) => external(at, consumer, spec, admitted, &mut rows),
            ConsumerSpec::Generator(spec) => rows.push(generator(at, consumer, spec)),
            _ => {}
        }
    }
    rows
}

/// Whether a ClusterExternalSecret is put into this namespace; none where that can't be told.
fn put_here(at: &At<'_>, consumer: &ConsumerFact) -> Option<bool> {
    let ConsumerSpec::External(ExternalSpec { into: Some(into), .. }) = &consumer.spec else { return Some(false) };
    let labels = at.facts.own.as_ref().map(|own| own.labels.as_ref());
    chosen(std::slice::from_ref(into), at.namespace, labels)
}

/// One row for every store of an object.
fn external(at: &At<'_>, consumer: &ConsumerFact, spec: &ExternalSpec, admitted: Option<bool>, rows: &mut Vec<Row>) {
    if spec.incomplete {
        let mut row = at.row(consumer.kind, &consumer.meta.namespace, &consumer.meta.name);
        row.admitted = admitted;
        row.doubts.push("it asks for more than can be read".to_owned());
        rows.push(row);
    }
    let mut by_store: BTreeMap<(Kind, &Name), (&StoreRef, Vec<&SecretEntry>)> = BTreeMap::new();
    for entry in &spec.entries {
        if let Some(store) = &entry.store {
            by_store.entry((store.kind, &store.name)).or_insert_with(|| (store, Vec::new())).1.push(entry);
        }
    }
    for (store, entries) in by_store.into_values() {
        let mut row = at.row(consumer.kind, &consumer.meta.namespace, &consumer.meta.name);
        row.admitted = admitted;
        if store.selector.is_some() || store.name.is_empty() {
            row.doubts.push("which stores it selects by their labels can't be told".to_owned());
            rows.push(row);
            continue;
        }
        let cluster = store.kind == Kind::ClusterSecretStore;
        let namespace: Name = if cluster { "".into() } else { at.namespace.clone() };
        row.via.push(ObjectRef { kind: store.kind, namespace, name: store.name.clone() });
        let facts = if cluster { at.snapshot.cluster.stores.get(&store.name) } else { at.facts.secret_stores.get(&store.name) };
        let Some(facts) = facts else {
            row.doubts.push(format!("{} {} is not there or not seen", store.kind, clean(&store.name)));
            rows.push(row);
            continue;
        };
        // another provider than Vault or OpenBao: not ours to follow
        let Some(vault) = &facts.vault else { continue };
        if cluster {
            admit(at, facts, &mut row);
        }
        if !facts.controller.is_empty() {
            row.doubts.push(format!("its store is for another controller: {}", clean(&facts.controller)));
        }
        provider(at, vault, store.kind, &mut row);
        for entry in entries {
            asked(at, vault, spec, entry, &mut row);
        }
        rows.push(row);
    }
}

/// Whether a ClusterSecretStore lets this namespace use it; a list without any condition admits everybody.
fn admit(at: &At<'_>, store: &SecretStoreFact, row: &mut Row) {
    if store.conditions.is_empty() {
        return;
    }
    let labels = at.facts.own.as_ref().map(|own| own.labels.as_ref());
    row.admitted = match (row.admitted, chosen(&store.conditions, at.namespace, labels)) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    };
}

/// Server and login of a provider, as used from a namespace.
fn provider(at: &At<'_>, vault: &VaultProvider, kind: Kind, row: &mut Row) {
    row.server = vault.server.clone();
    row.vault_namespace = vault.vault_namespace.trim_matches('/').into();
    row.login = match (&vault.kubernetes_mount, &vault.other_auth) {
        (Some(mount), _) => LoginBy::Kubernetes {
            mount: mount.trim_matches('/').into(),
            role: vault.role.clone().filter(|role| !role.is_empty()),
            account: account(at, vault, kind),
        },
        (None, Some(other)) => LoginBy::Other(other.clone()),
        (None, None) => LoginBy::Unknown,
    };
}

/// The identity used, by the table of `spec/vault.md` 7.1.
fn account(at: &At<'_>, vault: &VaultProvider, kind: Kind) -> Account {
    match (&vault.service_account, &vault.service_account_namespace) {
        (Some(name), Some(namespace)) if kind == Kind::ClusterSecretStore && !namespace.is_empty() => {
            Account::Named { namespace: namespace.clone(), name: name.clone() }
        }
        (Some(name), _) => Account::Named { namespace: at.namespace.clone(), name: name.clone() },
        (None, _) if vault.token_from_secret => Account::Stored,
        (None, _) => Account::Controller,
    }
}

/// What one entry asks for.
fn asked(at: &At<'_>, vault: &VaultProvider, spec: &ExternalSpec, entry: &SecretEntry, row: &mut Row) {
    let Some(prefix) = at.prefix(&vault.vault_namespace) else {
        row.doubts.push(format!("it asks in Vault namespace {}, which is not looked at", clean(&vault.vault_namespace)));
        return;
    };
    let told = vault.path.as_deref().map(|path| path.trim_matches('/')).filter(|path| !path.is_empty());
    let mut put = |request: &str, operation: Operation, below: bool| {
        let mount = told.map(|mount| format!("{prefix}{mount}"));
        let asked =
            place(&format!("{prefix}{request}"), mount.as_deref(), vault.version, operation, &at.snapshot.vault.secret_mounts.items);
        row.paths.push(Asked {
            below,
            property: entry.property.clone(),
            target: spec.target.clone(),
            target_key: entry.secret_key.clone(),
            ..asked
        });
    };
    match entry.how {
        EntryKind::Data | EntryKind::Extract if entry.metadata => put(&metadata(&entry.key, told), Operation::Read, false),
        EntryKind::Data | EntryKind::Extract => put(&data(&entry.key, told, vault.version), Operation::Read, false),
        EntryKind::Find => put(&metadata(&entry.key, told), Operation::List, true),
        EntryKind::Push => {
            let request = data(&entry.key, told, vault.version);
            put(&request, Operation::Create, false);
            put(&request, Operation::Update, false);
        }
        // the generator is an object of its own, with a row of its own
        EntryKind::Generate => {}
    }
}

/// The path of a value. With a mount told, it and then `data/` are cut from the key's beginning and put before it; without, `data` goes behind the
/// first part of a key that has no `/data/` in it.
fn data(key: &str, told: Option<&str>, version: u8) -> String {
    let section = if version == 1 { "" } else { "data/" };
    match told {
        Some(mount) => {
            let rest = match key.strip_prefix(mount).and_then(|rest| rest.strip_prefix('/')) {
                Some(rest) if version != 1 => rest.strip_prefix("data/").unwrap_or(rest),
                Some(rest) => rest,
                None => key,
            };
            format!("{mount}/{section}{rest}")
        }
        None if version == 1 || key.contains("/data/") => key.to_owned(),
        None => {
            let (mount, rest) = key.split_once('/').unwrap_or((key, ""));
            format!("{mount}/data/{rest}")
        }
    }
}

/// The path of metadata: below the mount told, or with the first `data` of the key replaced.
fn metadata(key: &str, told: Option<&str>) -> String {
    told.map_or_else(|| key.replacen("data", "metadata", 1), |mount| format!("{mount}/metadata/{key}"))
}

/// A generator: any method on any path.
fn generator(at: &At<'_>, consumer: &ConsumerFact, spec: &GeneratorSpec) -> Row {
    let mut row = at.row(consumer.kind, &consumer.meta.namespace, &consumer.meta.name);
    provider(at, &spec.provider, Kind::SecretStore, &mut row);
    match at.prefix(&spec.provider.vault_namespace) {
        Some(prefix) => {
            let operation = method(&spec.method);
            let request = format!("{prefix}{}", spec.path);
            row.paths.push(place(&request, None, 0, operation, &at.snapshot.vault.secret_mounts.items));
        }
        None => row.doubts.push("it asks in a Vault namespace that is not looked at".to_owned()),
    }
    row
}

/// The operation of an HTTP method; GET where none is written.
pub fn method(method: &str) -> Operation {
    const METHODS: [(&str, Operation); 6] = [
        ("GET", Operation::Read),
        ("LIST", Operation::List),
        ("POST", Operation::Update),
        ("PUT", Operation::Update),
        ("PATCH", Operation::Patch),
        ("DELETE", Operation::Delete),
    ];
    METHODS.iter().find(|(word, _)| word.eq_ignore_ascii_case(method)).map_or(Operation::Read, |(_, operation)| *operation)
}
