//! The Vault probe's knowledge: as whom a tenant logs in, which path is its own, and how an answer's status is read (`spec/vault.md` 2.4).

use sha2::{Digest, Sha256};

use crate::model::event::Authority;
use crate::model::ids::{Name, TenantId};
use crate::model::snapshot::Snapshot;
use crate::model::text::clean;
use crate::model::vault::{VaultFacts, VaultRole};
use crate::posture::vaultroles::glob;
use crate::receipt::Outcome;
use crate::vaultacl::dialect::Dialect;
use crate::vaultacl::{self, Login, OwnPath, PathKind, own_paths};

/// A version no secret has: the answer tells whether we may read, and holds no value.
pub const IMPOSSIBLE_VERSION: &str = "999999999";

/// As whom a tenant reaches Vault, and what it calls its own there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The tenant.
    pub tenant: TenantId,
    /// Auth mount.
    pub mount: Name,
    /// Role.
    pub role: Name,
    /// Namespace of the ServiceAccount.
    pub namespace: Name,
    /// ServiceAccount.
    pub service_account: Name,
    /// Audience that the role demands.
    pub audience: Option<Name>,
    /// Its own place.
    pub own: OwnPath,
}

/// How a tenant would log in, by the roles and policies known. The narrowest role that leads to a path of its own is taken. The error says
/// what is missing, in words. O(roles × policies).
pub fn identity(snapshot: &Snapshot, tenant: &TenantId, namespaces: &[Name]) -> Result<Identity, String> {
    let vault = &snapshot.vault;
    let mut candidates: Vec<(usize, Identity)> = Vec::new();
    let (mut admitted, mut unreadable) = (0, None);
    for (mount, roles) in &vault.kubernetes {
        for (name, role) in roles.items.iter() {
            let Some((namespace, account)) = account(snapshot, namespaces, role) else { continue };
            admitted += 1;
            let login = Login {
                accessor: vault.auth_mounts.items.get(mount).map_or("", |m| m.accessor.as_ref()),
                namespace: &namespace,
                service_account: &account,
            };
            match own(vault, role, &login) {
                Ok(Some(own)) => {
                    let identity = Identity {
                        tenant: tenant.clone(),
                        mount: mount.clone(),
                        role: name.clone(),
                        namespace,
                        service_account: account,
                        audience: role.audience.clone(),
                        own,
                    };
                    candidates.push((width(role, tenant, name), identity));
                }
                Ok(None) => {}
                Err(why) => unreadable = Some(why),
            }
        }
    }
    candidates.sort_by(|a, b| (a.0, &a.1.mount, &a.1.role).cmp(&(b.0, &b.1.mount, &b.1.role)));
    candidates.into_iter().next().map(|(_, identity)| identity).ok_or_else(|| match (admitted, unreadable) {
        (0, _) => format!("no Vault role admits a ServiceAccount of {}", clean(tenant)),
        (_, Some(why)) => format!("{}'s own path can't be told: {why}", clean(tenant)),
        (_, None) => format!("no policy of {}'s roles allows reading a path that can be asked for without its value", clean(tenant)),
    })
}

/// How much a role lets in: literal single bindings first, then those that bear the tenant's name.
fn width(role: &VaultRole, tenant: &str, name: &str) -> usize {
    let broad = role.service_accounts.iter().chain(&role.namespaces).filter(|entry| entry.contains('*')).count();
    let many = role.service_accounts.len() + role.namespaces.len();
    (broad * 100 + many) * 2 + usize::from(!name.contains(tenant))
}

/// A ServiceAccount of the tenant that a role admits; `default` last.
fn account(snapshot: &Snapshot, namespaces: &[Name], role: &VaultRole) -> Option<(Name, Name)> {
    let admits = |list: &[Name], name: &str| list.iter().any(|pattern| glob(pattern, name));
    let mut found = Vec::new();
    for namespace in namespaces.iter().filter(|namespace| admits(&role.namespaces, namespace)) {
        let Some(facts) = snapshot.namespace(namespace) else { continue };
        let accounts = facts.service_accounts.keys().filter(|account| admits(&role.service_accounts, account));
        found.extend(accounts.map(|account| (account.as_ref() == "default", namespace.clone(), account.clone())));
    }
    found.sort();
    found.into_iter().next().map(|(_, namespace, account)| (namespace, account))
}

/// The narrowest place that a role's policies open and that can be asked for without a value.
fn own(vault: &VaultFacts, role: &VaultRole, login: &Login<'_>) -> Result<Option<OwnPath>, String> {
    let dialect = Dialect::of(&vault.server).unwrap_or_default();
    let (mut rules, mut unreadable) = (Vec::new(), None);
    for name in &role.policies {
        let name: Name = name.to_lowercase().into();
        match vault.policies.items.get(&name).map(|policy| vaultacl::read(&policy.text, dialect)) {
            Some(Ok(found)) => rules.extend(found.rules),
            Some(Err(why)) => unreadable = Some(format!("policy {}: {why}", clean(&name))),
            None => {
                let why = vault.policies.unreadable.get(&name).map_or("not known", AsRef::as_ref);
                unreadable = Some(format!("policy {}: {}", clean(&name), clean(why)));
            }
        }
    }
    let place = own_paths(&rules, &vault.secret_mounts.items, login).into_iter().find(askable);
    match (place, unreadable) {
        (Some(place), _) => Ok(Some(place)),
        (None, Some(why)) => Err(why),
        (None, None) => Ok(None),
    }
}

/// Version 1 of the engine has no versions: there a single path can't be asked for without its value, but a child that does not exist can.
fn askable(own: &OwnPath) -> bool {
    own.version == 2 || own.kind == PathKind::Prefix
}

/// Where to knock: a path below the mount, and whether something is known to be stored there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Door {
    /// The mount.
    pub mount: Name,
    /// Version of the engine.
    pub version: u8,
    /// The path below the mount, without `data/`.
    pub path: String,
}

impl Door {
    /// The door of an exact path, or of a name under a prefix.
    pub fn of(own: &OwnPath, child: &str) -> Self {
        let path = if own.kind == PathKind::Exact { own.path.clone() } else { format!("{}{child}", own.path) };
        Self { mount: own.mount.clone(), version: own.version, path }
    }

    /// The request that is refused or answered without ever giving a value.
    pub fn request(&self) -> (String, &'static [(&'static str, &'static str)]) {
        if self.version == 2 {
            (format!("{}/data/{}", self.mount, self.path), &[("version", IMPOSSIBLE_VERSION)])
        } else {
            (format!("{}/{}", self.mount, self.path), &[])
        }
    }

    /// The request for what is known about a secret without its value.
    pub fn metadata(&self) -> Option<String> {
        (self.version == 2).then(|| format!("{}/metadata/{}", self.mount, self.path))
    }

    /// What a receipt calls it: no name of a secret is written down.
    pub fn alias(&self) -> String {
        let mut digest = Sha256::new();
        digest.update(self.mount.as_bytes());
        digest.update(b"\0");
        digest.update(self.path.as_bytes());
        let hex: String =
            digest.finalize().iter().take(3).flat_map(|b| [b >> 4, b & 15]).filter_map(|n| char::from_digit(u32::from(n), 16)).collect();
        format!("path #{hex}")
    }
}

/// The request that lists names under a prefix; none where nothing can be listed, and none for version 1, where a knock at a name that is there
/// would be answered with its value.
pub fn listing(own: &OwnPath) -> Option<String> {
    let folder = own.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let below = if folder.is_empty() { String::new() } else { format!("{folder}/") };
    match (own.kind, own.version) {
        (PathKind::Prefix, 2) => Some(format!("{}/metadata/{below}", own.mount)),
        (PathKind::Exact | PathKind::Prefix, _) => None,
    }
}

/// Of the names listed in a prefix' folder, the first secret that the prefix covers, as a child of the prefix.
pub fn child(own: &OwnPath, names: &[Name]) -> Option<String> {
    let begin = own.path.rsplit_once('/').map_or(own.path.as_str(), |(_, begin)| begin);
    names
        .iter()
        .filter(|name| !name.ends_with('/'))
        .find_map(|name| name.strip_prefix(begin))
        .filter(|rest| !rest.is_empty())
        .map(str::to_owned)
}

/// What an answer to a knock means.
pub fn read_knock(status: u16, vaults: bool, said: &str) -> Outcome {
    match (status, vaults) {
        (200 | 204, _) | (404 | 405, true) => Outcome::Answered,
        (403, true) if said.ends_with("permission denied") => Outcome::Refused { by: Authority::VaultAcl },
        (403, _) => Outcome::Refused { by: Authority::Unknown },
        _ => Outcome::Failed,
    }
}

/// What a refused login means.
pub fn read_login(status: Option<u16>, said: &str) -> Outcome {
    match status {
        Some(403) if said.ends_with("not authorized") => Outcome::Refused { by: Authority::VaultRoleBinding },
        Some(403) => Outcome::Refused { by: Authority::Unknown },
        _ => Outcome::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_mean_what_the_table_says() {
        let acl = Outcome::Refused { by: Authority::VaultAcl };
        let unknown = Outcome::Refused { by: Authority::Unknown };
        for (status, vaults, said, expected) in [
            (200, true, "", Outcome::Answered),
            (404, true, "HTTP 404", Outcome::Answered),
            (405, true, "unsupported operation", Outcome::Answered),
            (403, true, "permission denied", acl),
            (403, true, "something else", unknown),
            (403, false, "HTTP 403, not in Vault's words", unknown),
            (404, false, "404 page not found", Outcome::Failed),
            (400, true, "", Outcome::Failed),
            (429, true, "", Outcome::Failed),
            (500, true, "", Outcome::Failed),
            (503, true, "Vault is sealed", Outcome::Failed),
            (302, false, "", Outcome::Failed),
        ] {
            assert_eq!(read_knock(status, vaults, said), expected, "{status} {said}");
        }
        let binding = Outcome::Refused { by: Authority::VaultRoleBinding };
        assert_eq!(read_login(Some(403), "namespace not authorized"), binding);
        assert_eq!(read_login(Some(403), "service account name not authorized"), binding);
        assert_eq!(read_login(Some(403), "permission denied"), unknown);
        assert_eq!(read_login(Some(400), "invalid role name \"x\""), Outcome::Failed);
        assert_eq!(read_login(None, "no answer"), Outcome::Failed);
    }

    #[test]
    fn doors_never_ask_for_a_value() {
        let own = |version, kind, path: &str| OwnPath { mount: "secret".into(), version, path: path.to_owned(), kind, limited: false };
        let exact = Door::of(&own(2, PathKind::Exact, "web-tenant-acme"), "ignored");
        assert_eq!(exact.request(), ("secret/data/web-tenant-acme".to_owned(), &[("version", IMPOSSIBLE_VERSION)][..]));
        assert_eq!(exact.metadata().as_deref(), Some("secret/metadata/web-tenant-acme"));
        let prefix = own(2, PathKind::Prefix, "tenants/acme/");
        assert_eq!(listing(&prefix).as_deref(), Some("secret/metadata/tenants/acme/"));
        assert_eq!(child(&prefix, &["sub/".into(), "db".into()]).as_deref(), Some("db"));
        let half = own(2, PathKind::Prefix, "tenants/acme-");
        assert_eq!(listing(&half).as_deref(), Some("secret/metadata/tenants/"));
        assert_eq!(child(&half, &["globex".into(), "acme-db".into()]).as_deref(), Some("db"));
        assert_eq!(listing(&own(1, PathKind::Prefix, "tenants/acme/")), None, "version 1 gives the value of any name that is there");
        assert!(!askable(&own(1, PathKind::Exact, "x")), "version 1 has no version to ask for");
        assert!(!exact.alias().contains("acme"));
    }
}
