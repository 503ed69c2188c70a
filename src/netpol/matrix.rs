//! Tenant by tenant: what every pod of the one can open to any pod of the other.

use std::sync::Arc;

use super::answer::Answer;
use super::target::{TARGETS, Target, TargetCell};
use crate::model::ids::TenantId;

/// One cell.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Cell {
    /// Between existing pods.
    pub now: Answer,
    /// Also counting pods with any labels that may be made tomorrow on either side. A superset of `now`.
    pub future: Answer,
}

/// What one tenant reaches.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Row {
    /// The cell of every tenant that is not in `except`.
    pub base: Cell,
    /// Cells that differ from it, by the tenant's place, sorted.
    pub except: Vec<(u32, Cell)>,
    /// The fixed targets, in the order of [`TARGETS`].
    pub targets: Vec<TargetCell>,
}

/// The whole picture, shared with the screen: a row that did not change is the same allocation as before.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Matrix {
    /// Names, sorted: the order of rows and columns.
    pub tenants: Arc<[TenantId]>,
    /// One for each tenant.
    pub rows: Vec<Arc<Row>>,
    /// Why nothing may be concluded at all (a source is not seen); cells are then as of what was seen last.
    pub blind: Option<String>,
}

impl Row {
    /// The cell of a tenant. O(log exceptions).
    pub fn cell(&self, to: usize) -> &Cell {
        let at = u32::try_from(to).ok().and_then(|to| self.except.binary_search_by_key(&to, |(place, _)| *place).ok());
        at.and_then(|at| self.except.get(at)).map_or(&self.base, |(_, cell)| cell)
    }

    /// A fixed target.
    pub fn target(&self, target: Target) -> Option<&TargetCell> {
        TARGETS.iter().position(|t| *t == target).and_then(|at| self.targets.get(at))
    }
}

impl Matrix {
    /// A tenant's place. O(log tenants).
    pub fn place(&self, tenant: &str) -> Option<usize> {
        self.tenants.binary_search_by(|t| t.as_ref().cmp(tenant)).ok()
    }

    /// What one tenant reaches of another; none for tenants that are not in it. O(log exceptions).
    pub fn cell(&self, from: usize, to: usize) -> Option<&Cell> {
        (to < self.tenants.len()).then(|| self.rows.get(from).map(|row| row.cell(to))).flatten()
    }
}
