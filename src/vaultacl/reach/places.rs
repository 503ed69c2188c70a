//! Whose is a place: the roots of every tenant, and the places that are nobody's.

use std::collections::{BTreeMap, BTreeSet};

use super::super::capability::Operation;
use super::consumers::{Row, cleaned};
use super::{Options, Root, RootFrom};
use crate::model::ids::{Name, TenantId};
use crate::model::tenant::Tenants;
use crate::model::vault::{SecretMount, VaultFacts};

/// At most so many named places in all: tenants × mounts.
const MOST_NAMED: usize = 200_000;
/// At most so many places of one tenant.
pub(super) const MOST: usize = 256;

/// A place: mount and path below it, without `data/`.
pub(super) type Place = (Name, String);

/// Places that all tenants may read.
#[derive(Clone, Debug, Default)]
pub(super) struct Shared(Vec<Vec<String>>, Vec<String>);

impl Shared {
    /// From patterns as in policies, without `data/`.
    pub fn new(patterns: &[String]) -> Self {
        let written: Vec<String> = patterns.iter().map(|pattern| pattern.trim_start_matches('/').to_owned()).collect();
        Self(written.iter().map(|pattern| pattern.split('/').map(str::to_owned).collect()).collect(), written)
    }

    /// Whether a place is shared, given by mount and path in one. O(patterns × parts).
    pub fn covers(&self, path: &str) -> bool {
        self.0.iter().any(|pattern| {
            let mut parts = path.split('/');
            let last = pattern.len().saturating_sub(1);
            for (at, written) in pattern.iter().enumerate() {
                let part = parts.next();
                if let (true, Some(stem)) = (at == last, written.strip_suffix('*')) {
                    return part.is_some_and(|part| part.starts_with(stem));
                }
                if part.is_none_or(|part| written != "+" && written != part) {
                    return false;
                }
            }
            parts.next().is_none()
        })
    }

    /// Whether all that a pattern matches is shared: `mount/path` with `*` at its end or not, no `+` but those of the shared pattern itself.
    pub fn covers_all(&self, pattern: &str) -> bool {
        self.1.iter().any(|shared| match shared.strip_suffix('*') {
            _ if shared == pattern => true,
            Some(stem) if !stem.contains('+') => pattern.strip_prefix(stem).is_some(),
            _ => !pattern.contains(['*', '+']) && self.covers(pattern),
        })
    }

    /// Whether a request reads what is shared.
    pub fn excuses(&self, mount: &str, head: &str, request: &str, operation: Operation) -> bool {
        !self.0.is_empty()
            && matches!(operation, Operation::Read | Operation::List | Operation::Scan)
            && request.strip_prefix(head).is_some_and(|path| self.covers(&format!("{mount}/{path}")))
    }
}

/// Key-value mounts with their version; 0 where it is not told.
pub(super) fn kv_mounts(mounts: &BTreeMap<Name, SecretMount>) -> impl Iterator<Item = (&Name, u8)> {
    mounts.iter().filter(|(_, mount)| super::consumers::is_kv(mount)).map(|(name, mount)| (name, mount.version.unwrap_or(0)))
}

/// The places that a tenant has by the configuration, or else by the convention. Also whether there were too many to name them all.
pub(super) fn firm(options: &Options, vault: &VaultFacts, tenants: &Tenants, shared: &Shared) -> (BTreeMap<TenantId, Vec<Root>>, bool) {
    let mounts = &vault.secret_mounts.items;
    let keyed: Vec<(&Name, u8)> = kv_mounts(mounts).collect();
    let mut found: BTreeMap<TenantId, Vec<Root>> = BTreeMap::new();
    let names: BTreeMap<&str, &TenantId> = tenants
        .namespaces
        .iter()
        .flat_map(|(tenant, namespaces)| {
            namespaces.iter().map(move |namespace| (namespace.as_ref(), tenant)).chain([(tenant.as_ref(), tenant)])
        })
        .collect();
    // a mount that bears a tenant's name is that tenant's as a whole
    let bearer = |mount: &str| names.get(mount.rsplit('/').next().unwrap_or(mount)).copied();
    let common: Vec<(&Name, u8)> = keyed.iter().copied().filter(|(mount, _)| bearer(mount).is_none()).collect();
    let fits = MOST_NAMED / tenants.namespaces.len().max(1) / 2;
    for (tenant, namespaces) in &tenants.namespaces {
        let mut roots = Vec::new();
        if options.roots.is_empty() {
            let own = keyed.iter().filter(|(mount, _)| bearer(mount) == Some(tenant));
            roots.extend(own.map(|(mount, version)| root(mount, *version, "", RootFrom::Named)));
            for (mount, version) in common.iter().take(fits.max(1)) {
                let names = namespaces.iter().chain([tenant]).filter(|name| !name.is_empty());
                roots.extend(names.map(|name| root(mount, *version, &cleaned(name), RootFrom::Named)));
            }
        } else {
            for template in &options.roots {
                let by_namespace =
                    namespaces.iter().map(|namespace| template.replace("{namespace}", namespace).replace("{tenant}", tenant));
                roots.extend(by_namespace.filter_map(|path| configured(&path, mounts)));
            }
        }
        roots.retain(|root| !shared.covers(&whole(&root.mount, &root.path)));
        found.insert(tenant.clone(), tidy(roots));
    }
    (found, options.roots.is_empty() && common.len() > fits.max(1))
}

fn root(mount: &Name, version: u8, path: &str, from: RootFrom) -> Root {
    Root { mount: mount.clone(), version, path: path.to_owned(), from }
}

/// A configured place: below the longest mount that there is, else below its first part.
fn configured(path: &str, mounts: &BTreeMap<Name, SecretMount>) -> Option<Root> {
    let path = cleaned(path);
    let asked = super::consumers::place(&path, None, 0, Operation::Read, mounts);
    let below = path.strip_prefix(asked.mount.as_ref())?.trim_start_matches('/').to_owned();
    Some(Root { mount: asked.mount, version: asked.version, path: below, from: RootFrom::Configured })
}

/// Mount and path in one.
pub(super) fn whole(mount: &str, path: &str) -> String {
    if path.is_empty() { mount.to_owned() } else { format!("{mount}/{path}") }
}

/// Sorted, one of a place, the surest reason kept.
pub(super) fn tidy(mut roots: Vec<Root>) -> Vec<Root> {
    roots.sort();
    roots.dedup_by(|b, a| a.mount == b.mount && a.path == b.path);
    roots
}

/// Places and whose they are.
#[derive(Debug, Default)]
pub(super) struct Claims(BTreeMap<Place, BTreeSet<TenantId>>);

impl Claims {
    pub fn add(&mut self, mount: &Name, path: &str, tenant: &TenantId) {
        self.0.entry((mount.clone(), path.to_owned())).or_default().insert(tenant.clone());
    }

    /// Whether a place is, or lies below, one of somebody else's. O(parts × log n).
    pub fn below_others(&self, mount: &Name, path: &str, tenant: &TenantId) -> bool {
        let heads = path.match_indices('/').filter_map(|(at, _)| path.get(..at));
        heads.chain([path, ""]).any(|head| self.others(&(mount.clone(), head.to_owned()), tenant))
    }

    /// Whether one of somebody else's lies below a place. O(log n + own below).
    pub fn above_others(&self, mount: &Name, path: &str, tenant: &TenantId) -> bool {
        let start = if path.is_empty() { String::new() } else { format!("{path}/") };
        let below = self.0.range((mount.clone(), start.clone())..).take_while(|((other, at), _)| other == mount && at.starts_with(&start));
        below.filter(|((_, at), _)| at != path).any(|(_, whose)| whose.iter().any(|other| other != tenant))
    }

    /// Whether somebody else claims the very place.
    pub fn others(&self, place: &Place, tenant: &TenantId) -> bool {
        self.0.get(place).is_some_and(|whose| whose.iter().any(|other| other != tenant))
    }
}

/// What a tenant asks for and what its policies open: what may become roots of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Wishes {
    /// Asked for: the place, the version, by which object, and whether its own logins can read it.
    pub asked: Vec<(Place, u8, String, bool)>,
    /// Opened by policies of its own roles.
    pub opened: Vec<(Place, u8, Name)>,
}

/// What the rows of a tenant ask for, without whether it can be read.
pub(super) fn asked<'a>(rows: impl Iterator<Item = &'a Row>) -> BTreeMap<Place, (u8, String)> {
    let mut found = BTreeMap::new();
    for row in rows.filter(|row| row.admitted != Some(false)) {
        for asked in row.paths.iter().filter(|asked| asked.kv && !asked.path.is_empty()) {
            let by = || (asked.version, row.consumer.to_string());
            found.entry((asked.mount.clone(), asked.path.clone())).or_insert_with(by);
        }
    }
    found
}

/// Everybody's roots: the firm ones, what each asks for unless it is under another's, and what policies open to it alone. Tenants of whom not all places
/// are kept are named. O(places × parts × log places).
pub(super) fn settle(
    firm: &BTreeMap<TenantId, Vec<Root>>,
    wishes: &BTreeMap<TenantId, Wishes>,
    shared: &Shared,
) -> (BTreeMap<TenantId, Vec<Root>>, BTreeSet<TenantId>) {
    let (mut sure, mut wished) = (Claims::default(), Claims::default());
    for (tenant, roots) in firm {
        for root in roots {
            sure.add(&root.mount, &root.path, tenant);
        }
    }
    for (tenant, wish) in wishes {
        for ((mount, path), ..) in wish.asked.iter().filter(|(.., readable)| *readable) {
            wished.add(mount, path, tenant);
        }
        wish.opened.iter().for_each(|((mount, path), ..)| wished.add(mount, path, tenant));
    }
    let none = Wishes::default();
    let free = |(mount, path): &Place, tenant: &TenantId| {
        !sure.below_others(mount, path, tenant) && !sure.above_others(mount, path, tenant) && !shared.covers(&whole(mount, path))
    };
    let mut asked = Claims::default();
    let mut found: BTreeMap<TenantId, Vec<Root>> = BTreeMap::new();
    for (tenant, roots) in firm {
        let mut roots = roots.clone();
        for (place, version, by, readable) in &wishes.get(tenant).unwrap_or(&none).asked {
            // who asks for what somebody else can read, and can't read it, has no claim
            if free(place, tenant) && (*readable || !wished.others(place, tenant)) {
                asked.add(&place.0, &place.1, tenant);
                roots.push(Root { mount: place.0.clone(), version: *version, path: place.1.clone(), from: RootFrom::Consumer(by.clone()) });
            }
        }
        found.insert(tenant.clone(), roots);
    }
    let mut many = BTreeSet::new();
    for (tenant, roots) in &mut found {
        for (place, version, policy) in &wishes.get(tenant).unwrap_or(&none).opened {
            let (mount, path) = place;
            let contested = [&wished, &asked].iter().any(|claims| claims.others(place, tenant) || claims.above_others(mount, path, tenant));
            if free(place, tenant) && !contested {
                roots.push(Root { mount: mount.clone(), version: *version, path: path.clone(), from: RootFrom::Policy(policy.clone()) });
            }
        }
        *roots = tidy(std::mem::take(roots));
        if roots.len() > MOST {
            many.insert(tenant.clone());
            roots.truncate(MOST);
        }
    }
    (found, many)
}
