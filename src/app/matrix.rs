//! The matrix screen beside its rows: the columns, the cursor across them, and what was counted once for all.

pub mod plot;
pub mod shade;
pub mod tally;

use super::list::{List, Row};
use super::role::Role;
use super::state::{Screen, State};
use super::words;
use crate::model::ids::TenantId;
use crate::model::kind::Kind;
use crate::model::source::Sight;
use crate::model::text::clean;
use crate::model::time::Time;
use crate::netpol::matrix::Cell;
use crate::netpol::story::End;
use crate::netpol::target::{TARGETS, Target, TargetCell};
use shade::Shade;
use tally::Tally;

/// Columns, and the cursor across them.
#[derive(Clone, Debug)]
pub struct Across {
    /// Tenants as columns, with the cursor among them.
    pub columns: List,
    /// Fixed targets shown.
    pub targets: Vec<Target>,
    /// The cursor is on this target, and not among the tenants.
    pub aim: Option<Target>,
    /// The targets have the room, and the tenants what is left.
    pub wide: bool,
    /// What was counted when the matrix came.
    pub tally: Tally,
}

impl Default for Across {
    fn default() -> Self {
        Self { columns: List::default(), targets: TARGETS.to_vec(), aim: None, wide: false, tally: Tally::default() }
    }
}

impl Across {
    /// Whether the fixed targets have the cursor.
    pub const fn on_targets(&self) -> bool {
        self.aim.is_some()
    }
}

/// What a column is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Column {
    /// A tenant.
    Tenant(TenantId),
    /// A fixed target.
    Target(Target),
}

impl Column {
    /// As an end of a connection.
    pub fn end(&self) -> End {
        match self {
            Self::Tenant(tenant) => End::Tenant(tenant.clone()),
            Self::Target(target) => End::Target(*target),
        }
    }
}

/// A cell as it is looked up.
#[derive(Clone, Copy, Debug)]
pub enum Looked<'a> {
    /// Between two tenants.
    Tenant(&'a Cell),
    /// Of a target.
    Target(Target, &'a TargetCell),
}

/// The tenant and the column under the cursor.
pub fn cursor(state: &State) -> Option<(TenantId, Column)> {
    let Some(Row::Tenant(from)) = &state.page_of(Screen::Matrix).list.selected else { return None };
    if let Some(target) = state.across.aim {
        return Some((from.clone(), Column::Target(target)));
    }
    let Some(Row::Tenant(to)) = &state.across.columns.selected else { return None };
    Some((from.clone(), Column::Tenant(to.clone())))
}

/// The cell of a tenant's row in a column. O(log tenants + log exceptions).
pub fn look<'a>(state: &'a State, from: &str, to: &Column) -> Option<Looked<'a>> {
    let matrix = &state.view.assessment.matrix;
    let from = matrix.place(from)?;
    match to {
        Column::Tenant(to) => matrix.cell(from, matrix.place(to)?).map(Looked::Tenant),
        Column::Target(target) => matrix.rows.get(from)?.target(*target).map(|cell| Looked::Target(*target, cell)),
    }
}

/// What a cell is said to be; undefined where there is none. O(log tenants + log exceptions).
pub fn shade(state: &State, from: &str, to: &Column) -> Shade {
    if matches!(to, Column::Tenant(to) if to.as_ref() == from) {
        return Shade::Own;
    }
    match (look(state, from, to), to) {
        (Some(Looked::Tenant(cell)), Column::Tenant(to)) => Shade::of(cell, state.across.tally.tried(from, to, state.now)),
        (Some(Looked::Target(_, cell)), _) => Shade::of_target(cell),
        _ => Shade::Undefined,
    }
}

/// A cell between two tenants whose places are known, as drawing asks for many. O(log exceptions).
pub fn shade_between(state: &State, from: (&str, usize), to: (&str, usize)) -> Shade {
    if from.1 == to.1 {
        return Shade::Own;
    }
    let cell = state.view.assessment.matrix.cell(from.1, to.1);
    cell.map_or(Shade::Undefined, |cell| Shade::of(cell, state.across.tally.tried(from.0, to.0, state.now)))
}

/// The role a cell is drawn in: none of its own while nothing may be concluded. O(log tenants + log exceptions).
pub fn role(state: &State, from: &str, to: &Column, shade: Shade, blind: bool) -> Role {
    match (blind, to) {
        (true, _) => Role::Muted,
        (false, Column::Tenant(_)) => shade.role(),
        (false, Column::Target(target)) => {
            let known = matches!(look(state, from, to), Some(Looked::Target(_, cell)) if cell.unknown.is_none());
            shade.role_at(*target, known)
        }
    }
}

/// Why the cells may not be relied on, and since when; none where they may.
pub fn blind(state: &State) -> Option<(String, Option<Time>)> {
    let snapshot = &state.view.snapshot;
    if snapshot.sight(Kind::NetworkPolicy) == Sight::Blind {
        let standing = words::standing(snapshot.source(Kind::NetworkPolicy));
        let why = if standing.why.is_empty() { String::new() } else { format!(": {}", standing.why) };
        return Some((format!("NetworkPolicy {}{why}", standing.word), standing.since));
    }
    let why = state.view.assessment.matrix.blind.as_ref()?;
    let oldest = snapshot.sources.values().filter_map(|source| words::standing(source).since).min();
    Some((clean(why), oldest))
}
