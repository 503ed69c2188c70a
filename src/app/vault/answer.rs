//! What is answered to a path: who decides for one tenant, and who can reach it of all tenants, broken down by policy.

use std::collections::{BTreeMap, BTreeSet};

use super::path::Asked;
use crate::model::ids::{Name, TenantId};
use crate::vaultacl::acl::Origin;
use crate::vaultacl::capability::{Capability, Operation};
use crate::vaultacl::dialect::Dialect;
use crate::vaultacl::reach::{Picture, Ruling, Who, Whose};

/// The operations that are asked for, in the order shown.
const OPERATIONS: [Operation; 7] =
    [Operation::Read, Operation::List, Operation::Create, Operation::Update, Operation::Patch, Operation::Delete, Operation::Scan];

/// The operations that servers of a dialect know.
pub fn operations(dialect: Dialect) -> impl Iterator<Item = Operation> {
    OPERATIONS.into_iter().filter(move |operation| *operation != Operation::Scan || !dialect.is_vault())
}

/// The capability that an operation needs.
pub const fn needs(operation: Operation) -> Option<Capability> {
    match operation {
        Operation::Read => Some(Capability::Read),
        Operation::List => Some(Capability::List),
        Operation::Create => Some(Capability::Create),
        Operation::Update => Some(Capability::Update),
        Operation::Delete => Some(Capability::Delete),
        Operation::Patch => Some(Capability::Patch),
        Operation::Scan => Some(Capability::Scan),
        Operation::Recover => Some(Capability::Recover),
        Operation::Help => None,
    }
}

/// Why a request is decided as it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Whether it is allowed.
    pub allowed: bool,
    /// Only under conditions.
    pub conditions: bool,
    /// The rule that decides; none where none matches.
    pub rule: Option<Ruling>,
}

impl Outcome {
    fn of(whose: Whose) -> Self {
        Self { allowed: whose.allowed, conditions: whose.conditions, rule: whose.rule }
    }

    /// Why it is refused, in words.
    pub fn refusal(&self) -> &'static str {
        match &self.rule {
            None => "no rule matches",
            Some(rule) if rule.from.iter().any(|origin| origin.capabilities.has(Capability::Deny)) => "denied",
            Some(_) => "the rule that wins does not grant it",
        }
    }
}

/// Operations that are decided alike.
pub type Decided = (Vec<Operation>, Outcome);

/// What is decided for logins that are answered alike by one role.
#[derive(Clone, Debug, PartialEq)]
pub struct ByRole {
    /// Auth mount.
    pub mount: Name,
    /// Role.
    pub role: Name,
    /// As whom.
    pub who: Vec<Who>,
    /// What is decided.
    pub decided: Vec<Decided>,
}

/// What decides at a path for one tenant: each login, each operation. O(operations × logins × rules of each).
pub fn one(picture: &Picture, tenant: &str, asked: &Asked) -> Vec<ByRole> {
    let Some(reach) = picture.by_tenant.get(tenant) else { return Vec::new() };
    let mut by_login: BTreeMap<usize, Vec<Decided>> = BTreeMap::new();
    for operation in operations(picture.dialect) {
        for whose in picture.who(asked.path(operation), operation, Some(tenant)) {
            let decided = by_login.entry(whose.login).or_default();
            let outcome = Outcome::of(whose);
            match decided.iter_mut().find(|(_, known)| *known == outcome) {
                Some((operations, _)) => operations.push(operation),
                None => decided.push((vec![operation], outcome)),
            }
        }
    }
    let mut out: Vec<ByRole> = Vec::new();
    for (login, decided) in by_login {
        let Some(login) = reach.logins.get(login) else { continue };
        let alike = |known: &&mut ByRole| known.mount == login.mount && known.role == login.role && known.decided == decided;
        match out.iter_mut().find(alike) {
            Some(known) => known.who.push(login.who.clone()),
            None => out.push(ByRole { mount: login.mount.clone(), role: login.role.clone(), who: vec![login.who.clone()], decided }),
        }
    }
    out
}

/// How a tenant comes to a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Holder {
    /// With a ServiceAccount that exists.
    pub exists: bool,
    /// Without conditions.
    pub plainly: bool,
}

/// A block of a policy that lets tenants in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Door {
    /// The block.
    pub origin: Origin,
    /// Its pattern, templates filled in, of the first tenant.
    pub pattern: String,
    /// Whom it lets in.
    pub tenants: BTreeMap<TenantId, Holder>,
}

/// Who can do something at a path.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Everyone {
    /// Tenants that can.
    pub allowed: BTreeMap<TenantId, Holder>,
    /// By which block of which policy, the one that lets in most first.
    pub doors: Vec<Door>,
    /// Tenants that can't although they can log in, by the reason.
    pub refused: BTreeMap<&'static str, BTreeSet<TenantId>>,
    /// Tenants that no role admits.
    pub outside: usize,
    /// Tenants that can't as far as seen, while something that may add to their reach is not.
    pub unsure: BTreeSet<TenantId>,
}

/// Who can do something at a path, of all tenants. O(logins of all × rules of each).
pub fn everyone(picture: &Picture, asked: &Asked, operation: Operation) -> Everyone {
    let mut out = Everyone::default();
    let mut doors: BTreeMap<Origin, Door> = BTreeMap::new();
    let mut refused: BTreeMap<TenantId, &'static str> = BTreeMap::new();
    for whose in picture.who(asked.path(operation), operation, None) {
        let exists = picture.by_tenant.get(&whose.tenant).and_then(|reach| reach.logins.get(whose.login)).is_some_and(|l| l.who.exists());
        let (tenant, outcome) = (whose.tenant.clone(), Outcome::of(whose));
        if !outcome.allowed {
            refused.entry(tenant).or_insert_with(|| outcome.refusal());
            continue;
        }
        let add = |holder: &mut Holder| {
            holder.exists |= exists;
            holder.plainly |= !outcome.conditions;
        };
        add(out.allowed.entry(tenant.clone()).or_default());
        let Some(rule) = &outcome.rule else { continue };
        for origin in rule.from.iter().filter(|origin| needs(operation).is_none_or(|needed| origin.capabilities.has(needed))) {
            let door = doors.entry(origin.clone()).or_insert_with(|| Door {
                origin: origin.clone(),
                pattern: rule.pattern.clone(),
                tenants: BTreeMap::new(),
            });
            add(door.tenants.entry(tenant.clone()).or_default());
        }
    }
    for (tenant, why) in refused {
        if !out.allowed.contains_key(&tenant) {
            out.refused.entry(why).or_default().insert(tenant);
        }
    }
    for (tenant, reach) in &picture.by_tenant {
        if !out.allowed.contains_key(tenant) {
            out.outside += usize::from(reach.logins.is_empty());
            if reach.doubts.iter().any(|doubt| doubt.may_add) {
                out.unsure.insert(tenant.clone());
            }
        }
    }
    out.doors = doors.into_values().collect();
    out.doors.sort_by_key(|door| std::cmp::Reverse(door.tenants.len()));
    out
}

/// Whose a secret is: tenants with a root that holds it. O(roots of all).
pub fn owners(picture: &Picture, asked: &Asked) -> Vec<TenantId> {
    let Some((mount, path)) = &asked.secret else { return Vec::new() };
    let mut owners: Vec<TenantId> = picture.owners(mount, path).map(|(tenant, _)| tenant.clone()).collect();
    owners.dedup();
    owners
}
