//! The matrix, kept up to date row by row.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::fleet::{CellPorts, Fleet, Looks, public_row};
use super::follow::Followed;
use super::goals::{GoalPorts, Goals};
use super::matrix::{Matrix, Row};
use super::reach::Touched;
use super::world::World;
use crate::model::kind::Kind;
use crate::model::snapshot::Snapshot;
use crate::model::source::Sight;
use crate::model::tenant::Tenants;

/// A row by numbers.
type RowPorts = (CellPorts, Vec<(u32, CellPorts)>);

/// The tenants, their rows, and the matrix as others see it.
#[derive(Debug, Default)]
pub(super) struct Picture {
    fleet: Fleet,
    goals: Goals,
    by_looks: BTreeMap<Looks, Vec<u32>>,
    rows: Vec<RowPorts>,
    targets: Vec<Vec<GoalPorts>>,
    pub matrix: Arc<Matrix>,
}

impl Picture {
    /// Draws it from nothing, keeping rows that come out as they were. O(tenants × (classes + links + exceptions)).
    pub(super) fn redraw(&mut self, world: &mut World, tenants: &Tenants, blind: Option<String>) -> Touched {
        let before = self.matrix.clone();
        let first = before.tenants.is_empty();
        self.fleet = Fleet::new(world, tenants);
        self.goals = Goals::new(world);
        let many = u32::try_from(self.fleet.len()).unwrap_or(u32::MAX);
        for tenant in 0..many {
            self.fleet.look_at(tenant, world);
        }
        self.fleet.relink_all(world);
        self.by_looks = self.fleet.by_looks();
        self.rows = (0..many).map(|tenant| self.fleet.row(tenant, &self.by_looks, world)).collect();
        self.targets = self.fleet.spaces.iter().map(|spaces| self.goals.of(spaces, world)).collect();
        let book = &world.ground.ports;
        let rows: Vec<Arc<Row>> =
            self.rows.iter().zip(&self.targets).map(|(row, targets)| Arc::new(public_row(row, targets, book))).collect();
        let same = before.tenants == self.fleet.tenants;
        let mut touched = Touched { all: first || !same, tenants: BTreeSet::new() };
        let mut kept = Vec::with_capacity(rows.len());
        for (at, row) in rows.into_iter().enumerate() {
            match before.rows.get(at).filter(|_| same) {
                Some(old) if **old == *row => kept.push(old.clone()),
                Some(old) => {
                    note(&mut touched, (at, old, &row), &self.fleet);
                    kept.push(row);
                }
                None => kept.push(row),
            }
        }
        self.matrix = Arc::new(Matrix { tenants: self.fleet.tenants.clone(), rows: kept, blind });
        touched
    }

    /// Draws again what changed. O(tenants of changed namespaces × (classes + links)), and O(tenants) when one of them looks other than before.
    pub(super) fn touch_up(&mut self, world: &mut World, followed: &Followed, blind: Option<String>) -> Touched {
        let of_space = |at: &u32| self.fleet.of_space.get(*at as usize).copied().flatten();
        let tenants: BTreeSet<u32> = followed.changed.iter().filter_map(of_space).collect();
        let mut stale: BTreeSet<u32> = tenants.clone();
        let linked: Vec<(u32, BTreeSet<u32>)> = tenants.iter().map(|tenant| (*tenant, self.fleet.linked_from(*tenant))).collect();
        let mut other = false;
        for tenant in &tenants {
            other |= self.fleet.look_at(*tenant, world);
        }
        for (tenant, before) in &linked {
            stale.extend(self.fleet.relink(*tenant, before, world));
        }
        let many = u32::try_from(self.fleet.len()).unwrap_or(u32::MAX);
        if other {
            self.by_looks = self.fleet.by_looks();
            stale = (0..many).collect();
        }
        let mut aimed = tenants.clone();
        if followed.targets {
            let again = Goals::new(world);
            if again.differs(&self.goals) || again.lie_in(&followed.changed) {
                self.goals = again;
                aimed = (0..many).collect();
            }
        }
        self.repaint(world, &stale, &aimed, blind)
    }

    fn repaint(&mut self, world: &mut World, stale: &BTreeSet<u32>, aimed: &BTreeSet<u32>, blind: Option<String>) -> Touched {
        let mut touched = Touched::default();
        let mut fresh: Vec<(usize, Arc<Row>)> = Vec::new();
        for tenant in stale.union(aimed) {
            let at = *tenant as usize;
            let mut changed = false;
            if stale.contains(tenant) {
                let row = self.fleet.row(*tenant, &self.by_looks, world);
                if let Some(slot) = self.rows.get_mut(at).filter(|slot| **slot != row) {
                    *slot = row;
                    changed = true;
                }
            }
            if aimed.contains(tenant) {
                let cells = self.fleet.spaces.get(at).map(|spaces| self.goals.of(spaces, world)).unwrap_or_default();
                if let Some(slot) = self.targets.get_mut(at).filter(|slot| **slot != cells) {
                    *slot = cells;
                    changed = true;
                }
            }
            if let (true, Some(row), Some(targets)) = (changed, self.rows.get(at), self.targets.get(at)) {
                let row = public_row(row, targets, &world.ground.ports);
                let old = self.matrix.rows.get(at);
                if let Some(old) = old.filter(|old| ***old != row) {
                    note(&mut touched, (at, old, &row), &self.fleet);
                    fresh.push((at, Arc::new(row)));
                }
            }
        }
        if !fresh.is_empty() || self.matrix.blind != blind {
            let matrix = Arc::make_mut(&mut self.matrix);
            matrix.blind = blind;
            for (at, row) in fresh {
                if let Some(slot) = matrix.rows.get_mut(at) {
                    *slot = row;
                }
            }
        }
        touched
    }
}

/// Notes whom a changed row touches: its tenant, and those of whom its cells changed. O(exceptions).
fn note(touched: &mut Touched, (at, old, new): (usize, &Row, &Row), fleet: &Fleet) {
    let name = |at: usize| fleet.tenants.get(at).cloned();
    touched.tenants.extend(name(at));
    if old.base != new.base {
        touched.all = true;
        return;
    }
    let places = old.except.iter().chain(&new.except).map(|(at, _)| *at as usize);
    touched.tenants.extend(places.filter(|at| old.cell(*at) != new.cell(*at)).filter_map(name));
}

/// Kinds without which nothing can be said, and those that may be absent but not unseen.
const LOOKED_AT: [(Kind, bool); 15] = [
    (Kind::Namespace, false),
    (Kind::Pod, false),
    (Kind::NetworkPolicy, false),
    (Kind::AdminNetworkPolicy, true),
    (Kind::BaselineAdminNetworkPolicy, true),
    (Kind::ClusterNetworkPolicy, true),
    (Kind::CiliumNetworkPolicy, true),
    (Kind::CiliumClusterwideNetworkPolicy, true),
    (Kind::CiliumCIDRGroup, true),
    (Kind::CalicoNetworkPolicy, true),
    (Kind::CalicoGlobalNetworkPolicy, true),
    (Kind::AntreaNetworkPolicy, true),
    (Kind::AntreaClusterNetworkPolicy, true),
    (Kind::EgressFirewall, true),
    (Kind::AuthorizationPolicy, true),
];

/// Why nothing may be concluded; none when all is seen. O(kinds).
pub(super) fn blind(snapshot: &Snapshot) -> Option<String> {
    let unseen = LOOKED_AT.iter().find(|(kind, optional)| match snapshot.sight(*kind) {
        Sight::Clear => false,
        Sight::Nothing => !optional,
        Sight::Blind => true,
    });
    unseen.map(|(kind, _)| format!("{kind} is not seen: {}", snapshot.source(*kind)))
}
