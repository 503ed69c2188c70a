//! Who asks Vault for what: every kind of consumer reduced to one row (`spec/vault.md` 7): consumer, server, auth mount, role, ServiceAccount,
//! paths. Paths are computed as the consumer's own controller computes them.

mod choice;
mod eso;
mod others;
mod paths;
mod vso;

use std::collections::BTreeSet;

use super::super::capability::Operation;
use crate::model::ids::{Name, ObjectRef, TenantId};
use crate::model::kind::Kind;
use crate::model::snapshot::{NamespaceFacts, Snapshot};
use crate::model::tenant::Tenants;

pub use choice::chosen;
pub use paths::{cleaned, is_kv, place};

/// One consumer, on behalf of one namespace, by one way to Vault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The object that asks. A ClusterExternalSecret has a row for every namespace that it is put into.
    pub consumer: ObjectRef,
    /// On whose behalf.
    pub namespace: Name,
    /// The tenant of that namespace.
    pub tenant: Option<TenantId>,
    /// What it goes through, nearest first: store, VaultAuth, VaultConnection.
    pub via: Vec<ObjectRef>,
    /// Whether what it goes through admits the namespace; none where that can't be told. A refused row asks in vain.
    pub admitted: Option<bool>,
    /// The server as written; empty where it is not told.
    pub server: Name,
    /// Vault namespace, without slashes at its ends; empty for none.
    pub vault_namespace: Name,
    /// How it logs in.
    pub login: LoginBy,
    /// What it asks for, sorted.
    pub paths: Vec<Asked>,
    /// What can't be told of it, in words that are safe to show.
    pub doubts: Vec<String>,
}

/// How a consumer logs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoginBy {
    /// With a ServiceAccount's token at a Kubernetes (or JWT) auth mount.
    Kubernetes {
        /// Auth mount, without slashes at its ends and without `auth/`.
        mount: Name,
        /// Role; none where none is named.
        role: Option<Name>,
        /// As whom.
        account: Account,
    },
    /// Otherwise: `appRole`, `tokenSecretRef` …
    Other(Name),
    /// That can't be told.
    Unknown,
}

/// Whose token is used.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Account {
    /// This ServiceAccount's.
    Named {
        /// Namespace.
        namespace: Name,
        /// Name.
        name: Name,
    },
    /// The controller's own: no reference is given.
    Controller,
    /// A token kept in a Secret.
    Stored,
    /// That of whichever pod of the namespace mounts it.
    Pods,
}

/// One thing that is asked for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Asked {
    /// The mount, without slashes at its ends; its Vault namespace in front where that is below the one looked at.
    pub mount: Name,
    /// Version of the key-value engine; 0 where it is another engine or not known.
    pub version: u8,
    /// The path below the mount, without `data/` or `metadata/`, without a slash at its end. For another engine all that is below the mount.
    pub path: String,
    /// Everything below too: a recursive search.
    pub below: bool,
    /// What is done.
    pub operation: Operation,
    /// The request's path, without `/v1/`, `..` resolved.
    pub request: String,
    /// `property`, where only one field is taken.
    pub property: Option<Name>,
    /// Secret that receives (or, for a PushSecret, gives) the value.
    pub target: Option<Name>,
    /// Its key there; none for all.
    pub target_key: Option<Name>,
    /// Whether it lies on a key-value mount as its data or metadata, so that it can be somebody's own place.
    pub kv: bool,
}

/// The rows of one namespace, sorted by consumer. Looks at ClusterSecretStores, ClusterExternalSecrets, and at the namespaces its VaultAuths are
/// in. O(objects of the namespace that ask × their entries).
pub fn of_namespace(snapshot: &Snapshot, tenants: &Tenants, namespace: &Name) -> Vec<Row> {
    let Some(facts) = snapshot.namespace(namespace) else { return Vec::new() };
    let at = At { snapshot, tenants, namespace, facts };
    let mut rows = eso::rows(&at);
    rows.extend(vso::rows(&at));
    rows.extend(others::rows(&at));
    for row in &mut rows {
        row.paths.sort();
        row.paths.dedup();
    }
    rows.sort_by(|a, b| (&a.consumer, &a.via).cmp(&(&b.consumer, &b.via)));
    rows
}

/// The rows of everybody, by namespace and consumer. O(everything that asks).
pub fn rows(snapshot: &Snapshot, tenants: &Tenants) -> Vec<Row> {
    snapshot.namespaces.keys().flat_map(|namespace| of_namespace(snapshot, tenants, namespace)).collect()
}

impl Row {
    /// Namespaces other than its own that it rests on.
    pub fn rests_on(&self) -> BTreeSet<Name> {
        self.via.iter().map(|object| &object.namespace).filter(|n| !n.is_empty() && **n != self.namespace).cloned().collect()
    }
}

/// Where a row is made.
struct At<'a> {
    snapshot: &'a Snapshot,
    tenants: &'a Tenants,
    namespace: &'a Name,
    facts: &'a NamespaceFacts,
}

impl At<'_> {
    /// A row that knows nothing yet.
    fn row(&self, kind: Kind, namespace: &Name, name: &Name) -> Row {
        Row {
            consumer: ObjectRef { kind, namespace: namespace.clone(), name: name.clone() },
            namespace: self.namespace.clone(),
            tenant: self.tenants.of.get(self.namespace).cloned(),
            via: Vec::new(),
            admitted: Some(true),
            server: "".into(),
            vault_namespace: "".into(),
            login: LoginBy::Unknown,
            paths: Vec::new(),
            doubts: Vec::new(),
        }
    }

    /// The prefix that a Vault namespace puts before paths, as seen from the namespace looked at; none where it is not below that one.
    fn prefix(&self, vault_namespace: &str) -> Option<String> {
        let (here, there) = (self.snapshot.vault.namespace.trim_matches('/'), vault_namespace.trim_matches('/'));
        if here == there || there.is_empty() {
            // no namespace named: the servers take the root; where we look at a child that is somewhere else
            return (here == there).then(String::new);
        }
        if here.is_empty() {
            return Some(format!("{there}/"));
        }
        there.strip_prefix(here)?.strip_prefix('/').map(|rest| format!("{rest}/"))
    }
}

#[cfg(test)]
mod tests;
