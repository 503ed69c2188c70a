//! ResourceQuota and LimitRange.

use super::ids::Name;
use super::meta::Meta;
use super::quantity::Quantity;

/// Amounts by resource name, sorted by name.
pub type Amounts = Box<[(Name, Quantity)]>;

/// Looks an amount up. O(log n) on sorted amounts.
pub fn amount<'a>(amounts: &'a [(Name, Quantity)], resource: &str) -> Option<&'a Quantity> {
    let at = amounts.binary_search_by(|(name, _)| name.as_ref().cmp(resource)).ok()?;
    amounts.get(at).map(|(_, quantity)| quantity)
}

/// A ResourceQuota.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotaFact {
    /// Identity.
    pub meta: Meta,
    /// `spec.hard`.
    pub hard: Amounts,
    /// `status.hard`: what the quota controller counts against; empty until it has looked.
    pub status_hard: Amounts,
    /// `status.used`.
    pub used: Amounts,
    /// `spec.scopes` and `spec.scopeSelector`, one readable term each; empty means every pod.
    pub scopes: Box<[Name]>,
}

/// A LimitRange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitRangeFact {
    /// Identity.
    pub meta: Meta,
    /// `spec.limits`.
    pub items: Box<[LimitItem]>,
}

/// One item of a LimitRange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitItem {
    /// `Container`, `Pod` or `PersistentVolumeClaim`.
    pub kind: Name,
    /// `default`: limits given to containers that name none.
    pub default: Amounts,
    /// `defaultRequest`.
    pub default_request: Amounts,
    /// `max`.
    pub max: Amounts,
    /// `min`.
    pub min: Amounts,
    /// `maxLimitRequestRatio`.
    pub ratio: Amounts,
}
