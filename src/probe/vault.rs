//! The Vault probe's knowledge: as whom a tenant logs in, which path is its own, and how an answer's status is read (`spec/vault.md` 2.4).

mod aim;
mod place;
mod predict;

use std::sync::Arc;

use sha2::{Digest, Sha256};

pub use self::aim::{Aim, Manner, aims, parent, witnesses};
pub use self::place::{Kind as PlaceKind, Place, own};
pub use self::predict::{COMPARED, Compared, disputed, predict, query_data};
use crate::model::event::Authority;
use crate::model::ids::{Name, TenantId};
use crate::model::snapshot::Snapshot;
use crate::model::text::clean;
use crate::model::vault::VaultRole;
use crate::receipt::Outcome;
use crate::vaultacl::acl::Acl;
use crate::vaultacl::reach::{Login, Picture, Root, Who};

/// A version no secret has: the answer tells whether we may read, and holds no value.
pub const IMPOSSIBLE_VERSION: &str = "999999999";

/// As whom a tenant reaches Vault, and what it calls its own there.
#[derive(Clone, Debug, PartialEq)]
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
    /// Its own place, which the login can read.
    pub own: Place,
    /// What the login may do, as far as policies tell.
    pub acl: Arc<Acl>,
    /// All that the tenant calls its own.
    pub roots: Vec<Root>,
}

/// How a tenant would log in, by what is known of its reach. Of the logins of ServiceAccounts that exist and that lead to a place of its own the
/// one with the narrowest role is taken. The error says what is missing, in words. O(logins × (roots + rules)).
pub fn identity(snapshot: &Snapshot, picture: &Picture, tenant: &TenantId) -> Result<Identity, String> {
    let shown = clean(tenant);
    let Some(reach) = picture.by_tenant.get(tenant) else { return Err(format!("what {shown} can reach in Vault is not worked out yet")) };
    let existing = || reach.logins.iter().filter(|login| login.who.exists());
    let mounts = &snapshot.vault.secret_mounts.items;
    let candidate = |login: &Arc<Login>| -> Option<(Rank, Identity)> {
        let Who::Account { namespace, name } = &login.who else { return None };
        let role = snapshot.vault.kubernetes.get(&login.mount)?.items.get(&login.role)?;
        let identity = Identity {
            tenant: tenant.clone(),
            mount: login.mount.clone(),
            role: login.role.clone(),
            namespace: namespace.clone(),
            service_account: name.clone(),
            audience: role.audience.clone(),
            own: own(&login.acl, &reach.roots, mounts)?,
            acl: login.acl.clone(),
            roots: reach.roots.clone(),
        };
        let width = width(role, tenant, &login.role);
        Some((
            (!login.own_role, width, &**name == "default", login.mount.clone(), login.role.clone(), namespace.clone(), name.clone()),
            identity,
        ))
    };
    let mut candidates: Vec<(Rank, Identity)> = existing().filter_map(candidate).collect();
    candidates.sort_by(|a, b| a.0.cmp(&b.0));
    candidates.into_iter().next().map(|(_, identity)| identity).ok_or_else(|| {
        let broken = existing().find_map(|login| login.acl.broken());
        match (existing().next(), broken, reach.doubts.first()) {
            (None, _, _) => format!("no Vault role admits a ServiceAccount of {shown}"),
            (Some(_), Some(why), _) => format!("{shown}'s token would be refused everything: {}", clean(why)),
            (Some(_), None, Some(doubt)) => format!("{shown}'s own path can't be told: {}", clean(&doubt.words)),
            (Some(_), None, None) => format!("no policy of {shown}'s roles allows reading a path that can be asked for without its value"),
        }
    })
}

/// Own roles first, then narrow ones, then any ServiceAccount but `default`.
type Rank = (bool, usize, bool, Name, Name, Name, Name);

/// How much a role lets in: literal single bindings first, then those that bear the tenant's name.
fn width(role: &VaultRole, tenant: &str, name: &str) -> usize {
    let broad = role.service_accounts.iter().chain(&role.namespaces).filter(|entry| entry.contains('*')).count();
    let many = role.service_accounts.len() + role.namespaces.len();
    (broad * 100 + many) * 2 + usize::from(!name.contains(tenant))
}

/// Where to knock: a path below the mount, and whether something is known to be stored there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
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
    pub fn of(own: &Place, child: &str) -> Self {
        let path = if own.kind == PlaceKind::Exact { own.path.clone() } else { format!("{}{child}", own.path) };
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
pub fn listing(own: &Place) -> Option<String> {
    let folder = own.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let below = if folder.is_empty() { String::new() } else { format!("{folder}/") };
    match (own.kind, own.version) {
        (PlaceKind::Prefix, 2) => Some(format!("{}/metadata/{below}", own.mount)),
        (PlaceKind::Exact | PlaceKind::Prefix, _) => None,
    }
}

/// Of the names listed in a prefix' folder, the first secret that the prefix covers, as a child of the prefix.
pub fn child(own: &Place, names: &[Name]) -> Option<String> {
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
        Some(403) if said.ends_with("not authorized") || said.contains("audience") => Outcome::Refused { by: Authority::VaultRoleBinding },
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
        assert_eq!(read_login(Some(403), "invalid audience (aud) claim: audience claim does not match any expected audience"), binding);
        assert_eq!(read_login(Some(403), "permission denied"), unknown);
        assert_eq!(read_login(Some(400), "invalid role name \"x\""), Outcome::Failed);
        assert_eq!(read_login(None, "no answer"), Outcome::Failed);
    }

    #[test]
    fn doors_never_ask_for_a_value() {
        let own = |version, kind, path: &str| Place { mount: "secret".into(), version, path: path.to_owned(), kind };
        let exact = Door::of(&own(2, PlaceKind::Exact, "web-tenant-acme"), "ignored");
        assert_eq!(exact.request(), ("secret/data/web-tenant-acme".to_owned(), &[("version", IMPOSSIBLE_VERSION)][..]));
        assert_eq!(exact.metadata().as_deref(), Some("secret/metadata/web-tenant-acme"));
        let prefix = own(2, PlaceKind::Prefix, "tenants/acme/");
        assert_eq!(listing(&prefix).as_deref(), Some("secret/metadata/tenants/acme/"));
        assert_eq!(child(&prefix, &["sub/".into(), "db".into()]).as_deref(), Some("db"));
        let half = own(2, PlaceKind::Prefix, "tenants/acme-");
        assert_eq!(listing(&half).as_deref(), Some("secret/metadata/tenants/"));
        assert_eq!(child(&half, &["globex".into(), "acme-db".into()]).as_deref(), Some("db"));
        assert_eq!(listing(&own(1, PlaceKind::Prefix, "tenants/acme/")), None, "version 1 gives the value of any name that is there");
        assert!(!exact.alias().contains("acme"));
    }
}
