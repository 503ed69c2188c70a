//! What can't be said because a part of Vault is not seen, each with the policy line that is missing.

use std::collections::BTreeSet;

use super::super::dialect::Dialect;
use super::{Doubt, Options, Root};
use crate::model::source::{Sight, SourceState};
use crate::model::text::clean;
use crate::model::vault::{Flavour, VaultFacts};

/// Doubts that everybody shares.
pub(super) fn doubts(vault: &VaultFacts) -> BTreeSet<Doubt> {
    let mut found = BTreeSet::new();
    if !vault.configured {
        return found;
    }
    let mut part = |what: &str, state: &SourceState, line: &str, capability: &str| {
        if state.sight() == Sight::Blind {
            let missing = if matches!(state, SourceState::Denied { .. }) {
                format!("; the operator policy lacks path \"{line}\" {{ capabilities = [\"{capability}\"] }}")
            } else {
                String::new()
            };
            found.insert(Doubt { words: format!("{what}: {state}{missing}"), may_add: true });
        }
    };
    part("auth mounts", &vault.auth_mounts.state, "sys/auth", "read");
    part("policies", &vault.policies.state, "sys/policies/acl", "list");
    part("secret mounts", &vault.secret_mounts.state, "sys/mounts", "read");
    part("entities", &vault.entities.state, "identity/entity/id", "list");
    part("groups", &vault.groups.state, "identity/group/id", "list");
    for (mount, roles) in &vault.kubernetes {
        let mount = clean(mount);
        part(&format!("roles of auth mount {mount}"), &roles.state, &format!("auth/{mount}/role"), "list");
    }
    let mut items = |what: &str, count: usize, line: &str| {
        if count > 0 {
            let missing = format!("path \"{line}\" {{ capabilities = [\"read\"] }}");
            found.insert(Doubt { words: format!("{count} {what} can't be read: the operator policy may lack {missing}"), may_add: true });
        }
    };
    for (mount, roles) in &vault.kubernetes {
        let mount = clean(mount);
        items(&format!("roles of auth mount {mount}"), roles.unreadable.len(), &format!("auth/{mount}/role/*"));
    }
    items("entities", vault.entities.unreadable.len(), "identity/entity/id/*");
    items("groups", vault.groups.unreadable.len(), "identity/group/id/*");
    for (mount, _) in vault.auth_mounts.items.iter().filter(|(_, facts)| &*facts.kind == "jwt") {
        let words = format!("auth mount {} of type jwt may admit ServiceAccounts too: its roles are not followed", clean(mount));
        found.insert(Doubt { words, may_add: false });
    }
    let unread =
        vault.auth_mounts.items.iter().filter(|(mount, facts)| &*facts.kind == "kubernetes" && !vault.kubernetes.contains_key(*mount));
    for (mount, _) in unread {
        found.insert(Doubt { words: format!("roles of auth mount {}: not read yet", clean(mount)), may_add: true });
    }
    found
}

/// Doubts of one tenant.
pub(super) fn of_tenant(roots: &[Root], vault: &VaultFacts, accounts_seen: bool, crowded: bool, many: bool) -> BTreeSet<Doubt> {
    let mut found = BTreeSet::new();
    let mut doubt = |words: String, may_add: bool| _ = found.insert(Doubt { words, may_add });
    if !vault.configured {
        return found;
    }
    if !accounts_seen {
        doubt("ServiceAccounts are not seen: which of them can log in now is open".to_owned(), true);
    }
    if crowded {
        doubt("too many key-value mounts: places are looked for on some of them only".to_owned(), true);
    }
    if many {
        doubt(format!("more than {} places of its own: not all are looked at", super::places::MOST), true);
    }
    let unversioned: BTreeSet<String> = roots.iter().filter(|root| root.version == 0).map(|root| clean(&root.mount)).collect();
    for mount in unversioned {
        doubt(format!("the version of key-value mount {mount} is not known: both are considered"), true);
    }
    match vault.namespaces.state.sight() {
        Sight::Clear if !vault.namespaces.items.is_empty() => {
            let inside = roots.iter().any(|root| vault.namespaces.items.keys().any(|child| lies_in(&root.mount, child)));
            let count = vault.namespaces.items.len();
            doubt(format!("{count} child namespaces of Vault are not looked at: auth mounts and policies of their own are unseen"), inside);
        }
        Sight::Blind => {
            let state = &vault.namespaces.state;
            let line = "path \"sys/namespaces\" { capabilities = [\"list\"] }";
            doubt(format!("child namespaces of Vault: {state}; the operator policy may lack {line}"), false);
        }
        _ => {}
    }
    if !vault.namespace.trim_matches('/').is_empty() {
        let namespace = clean(vault.namespace.trim_matches('/'));
        doubt(format!("only Vault namespace {namespace} is looked at: auth mounts above it may name its paths too"), false);
    }
    found
}

fn lies_in(mount: &str, child: &str) -> bool {
    mount.strip_prefix(child.trim_matches('/')).is_some_and(|rest| rest.starts_with('/'))
}

/// Why this dialect.
pub(super) fn dialect(options: &Options, vault: &VaultFacts) -> String {
    let server = &vault.server;
    let name = match server.flavour {
        Flavour::Vault => "Vault",
        Flavour::OpenBao => "OpenBao",
        Flavour::Unknown => "the server",
    };
    let said = format!("{name} {}", clean(&server.version)).trim_end().to_owned();
    match (options.dialect, Dialect::of(server)) {
        (Some(_), Some(_)) => format!("set by configuration; the server says {said}"),
        (Some(_), None) => "set by configuration; the server did not tell".to_owned(),
        (None, Some(_)) => said,
        (None, None) => "the server did not tell its version".to_owned(),
    }
}
