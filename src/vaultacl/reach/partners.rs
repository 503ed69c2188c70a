//! Whose paths a rule leads to: a list that many tenants share.

use std::fmt;
use std::sync::Arc;

use crate::model::ids::TenantId;

/// Tenants, sorted. A list that all tenants with the same wide rule share, each without itself: a thousand tenants that reach each other hold one
/// list and not a million names.
#[derive(Clone, Default)]
pub struct Partners {
    all: Arc<[TenantId]>,
    /// Left out, whether it is in the list or not.
    but: Option<TenantId>,
}

impl Partners {
    /// Everybody in a sorted list, but one.
    pub const fn sharing(all: Arc<[TenantId]>, but: TenantId) -> Self {
        Self { all, but: Some(but) }
    }

    /// The tenants in order.
    pub fn iter(&self) -> impl Iterator<Item = &TenantId> {
        self.all.iter().filter(|tenant| self.but.as_ref() != Some(tenant))
    }

    /// The first.
    pub fn first(&self) -> Option<&TenantId> {
        self.iter().next()
    }

    /// How many. O(log n).
    pub fn len(&self) -> usize {
        self.all.len() - usize::from(self.but.as_ref().is_some_and(|but| self.all.binary_search(but).is_ok()))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether a tenant is among them. O(log n).
    pub fn contains(&self, tenant: &str) -> bool {
        self.but.as_deref() != Some(tenant) && self.all.binary_search_by(|other| other.as_ref().cmp(tenant)).is_ok()
    }
}

impl From<Vec<TenantId>> for Partners {
    fn from(mut all: Vec<TenantId>) -> Self {
        all.sort();
        all.dedup();
        Self { all: all.into(), but: None }
    }
}

impl<const N: usize> From<[TenantId; N]> for Partners {
    fn from(all: [TenantId; N]) -> Self {
        Vec::from(all).into()
    }
}

impl FromIterator<TenantId> for Partners {
    fn from_iter<I: IntoIterator<Item = TenantId>>(all: I) -> Self {
        all.into_iter().collect::<Vec<_>>().into()
    }
}

impl PartialEq for Partners {
    fn eq(&self, other: &Self) -> bool {
        (Arc::ptr_eq(&self.all, &other.all) && self.but == other.but) || (self.len() == other.len() && self.iter().eq(other.iter()))
    }
}

impl Eq for Partners {}

impl fmt::Debug for Partners {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}
