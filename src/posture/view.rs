//! What a check sees, and what it says.

use super::commons::Commons;
use super::engine::EngineConfig;
use super::finding::{Evidence, Subject};
use super::sight::Source;
use super::vaultroles::{RoleAt, Roles};
use super::verdict::Declared;
use crate::model::ids::{Name, ObjectRef, TenantId};
use crate::model::snapshot::{NamespaceFacts, Snapshot};
use crate::model::tenant::Tenants;
use crate::model::time::Time;
use crate::netpol::reach::Reach;
use crate::vaultacl::reach::Picture;

/// At most so many names are spelled out in evidence; the rest is counted.
pub const NAMES_SHOWN: usize = 12;

/// One tenant, as its checks see it.
pub struct TenantView<'a> {
    /// Everything known.
    pub snapshot: &'a Snapshot,
    /// All tenants.
    pub tenants: &'a Tenants,
    /// This one.
    pub tenant: &'a TenantId,
    /// Its namespaces with their facts, sorted.
    pub namespaces: Vec<(&'a Name, &'a NamespaceFacts)>,
    /// Vault's roles, indexed.
    pub roles: &'a Roles<'a>,
    /// Thresholds.
    pub config: &'a EngineConfig,
    /// Who can reach whom.
    pub reach: &'a Reach,
    /// What every tenant can reach in Vault.
    pub secrets: &'a Picture,
    /// What of other namespaces bears on it.
    pub commons: &'a Commons,
    /// Now.
    pub now: Time,
}

impl<'a> TenantView<'a> {
    /// A view of a tenant. O(namespaces of the tenant × log namespaces).
    pub fn new(
        snapshot: &'a Snapshot,
        tenants: &'a Tenants,
        tenant: &'a TenantId,
        roles: &'a Roles<'a>,
        (config, reach, secrets, commons): (&'a EngineConfig, &'a Reach, &'a Picture, &'a Commons),
        now: Time,
    ) -> Self {
        let own = tenants.namespaces.get(tenant).map_or(&[][..], Vec::as_slice);
        let namespaces = own.iter().filter_map(|name| Some((name, snapshot.namespace(name)?.as_ref()))).collect();
        Self { snapshot, tenants, tenant, namespaces, roles, config, reach, secrets, commons, now }
    }

    /// Why nothing may be concluded from a source now.
    pub fn blind(&self, source: Source) -> Option<String> {
        source.blind(self.snapshot)
    }

    /// The tenant itself as the subject.
    pub fn subject(&self) -> Subject {
        Subject { kind: "Tenant", namespace: "".into(), name: self.tenant.clone(), container: None }
    }

    /// The tenant's Vault roles: those that admit a ServiceAccount of its namespaces, save a role that admits by pattern and is named after
    /// another tenant. That role's openness is the other tenant's breach, not this one's.
    pub fn own_roles(&self) -> Vec<RoleAt<'a>> {
        let namespaces = self.namespaces.iter().map(|(name, facts)| (*name, facts.own.as_ref().map(|own| own.labels.as_ref())));
        let names_one = |at: &RoleAt<'_>| self.namespaces.iter().any(|(name, _)| at.role.namespaces.contains(name));
        let mine = |at: &RoleAt<'_>| names_one(at) || named_after(at.name, self.tenants).is_none_or(|tenant| tenant == self.tenant);
        self.roles.admitting(namespaces).into_iter().filter(mine).collect()
    }
}

/// Words of a role's name that are looked at: nobody's tenant is named by more, and whoever writes role names must not be able to slow us.
const ROLE_WORDS: usize = 16;

/// The tenant whose name a role carries as whole words (`tenant-acme`, `acme_n8n`), the longest if there are several.
/// O(words² × log tenants), of at most [`ROLE_WORDS`] words.
fn named_after<'t>(role: &str, tenants: &'t Tenants) -> Option<&'t TenantId> {
    let between = |c: char| !c.is_alphanumeric();
    let starts: Vec<usize> =
        std::iter::once(0).chain(role.match_indices(between).map(|(at, sep)| at + sep.len())).take(ROLE_WORDS).collect();
    let ends: Vec<usize> = role.match_indices(between).map(|(at, _)| at).chain([role.len()]).take(ROLE_WORDS).collect();
    let words = starts.iter().flat_map(|start| ends.iter().filter_map(|end| role.get(*start..*end)));
    words.filter_map(|word| tenants.namespaces.get_key_value(word)).map(|(tenant, _)| tenant).max_by_key(|tenant| tenant.len())
}

/// What a check says of one subject, by the declarations alone.
#[derive(Clone, Debug)]
pub struct Point {
    /// How good.
    pub declared: Declared,
    /// A sub-reason.
    pub reason: Option<&'static str>,
    /// About what.
    pub subject: Subject,
    /// One sentence, names cleaned.
    pub message: String,
    /// What it rests on.
    pub evidence: Vec<Evidence>,
}

impl Point {
    /// A point without sub-reason and evidence.
    pub fn new(declared: Declared, subject: Subject, message: impl Into<String>) -> Self {
        Self { declared, reason: None, subject, message: message.into(), evidence: Vec::new() }
    }

    /// With a sub-reason.
    #[must_use]
    pub fn because(mut self, reason: &'static str) -> Self {
        self.reason = Some(reason);
        self
    }

    /// With one more piece of evidence; the value is cleaned.
    #[must_use]
    pub fn with(mut self, object: ObjectRef, field: impl AsRef<str>, value: &str) -> Self {
        // mostly the only one: room for four more would be most of an assessment
        self.evidence.reserve_exact(1);
        self.evidence.push(Evidence::new(object, field, value));
        self
    }
}

/// Names as a list, the first few spelled out: `a, b and 3 more`. Not cleaned.
pub fn list<T: AsRef<str>>(names: impl IntoIterator<Item = T>) -> String {
    let all: Vec<T> = names.into_iter().collect();
    let shown: Vec<&str> = all.iter().take(NAMES_SHOWN).map(AsRef::as_ref).collect();
    let more = all.len() - shown.len();
    if more == 0 { shown.join(", ") } else { format!("{} and {more} more", shown.join(", ")) }
}

/// At most so many points of a check are told one by one: a tenant may write objects by the thousand.
const TOLD: usize = 20;

/// The worst first, and of many only a number. O(points × log points).
pub fn shortened(mut points: Vec<Point>) -> Vec<Point> {
    points.sort_by(|a, b| (a.declared, &a.subject, &a.message).cmp(&(b.declared, &b.subject, &b.message)));
    if points.len() > TOLD {
        let more = points.split_off(TOLD);
        if let Some(first) = more.first() {
            let message = format!("{} like these", count(more.len(), "more finding"));
            let rest = Point::new(first.declared, first.subject.clone(), message);
            points.push(Point { reason: first.reason, ..rest });
        }
    }
    points
}

/// `1 pod`, `2 pods`.
pub fn count(n: usize, thing: &str) -> String {
    if n == 1 { format!("1 {thing}") } else { format!("{n} {thing}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_named_after_the_tenant_whose_whole_name_it_carries() {
        let tenants = Tenants { namespaces: ["acme", "acme-east", "glob"].map(|t| (t.into(), Vec::new())).into(), ..Tenants::default() };
        let of = |role: &str| named_after(role, &tenants).map(AsRef::as_ref);
        assert_eq!(of("tenant-acme"), Some("acme"));
        assert_eq!(of("tenant-acme-east-n8n"), Some("acme-east"));
        assert_eq!(of("globex"), None);
        assert_eq!(of("n8n"), None);
        assert_eq!(of("glob"), Some("glob"));
    }
}
