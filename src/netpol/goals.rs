//! What tenants reach of the fixed targets.

use std::collections::BTreeSet;

use rustc_hash::FxHashMap;

use super::class::Class;
use super::numbers::Number;
use super::outside::{Aim, Gain, extent};
use super::portbook::{Open, PortBook};
use super::space::Space;
use super::target::{Extent, TARGETS, TargetCell};
use super::term::tells_own_node;
use super::world::World;

/// The targets as they are now, and what was worked out of them.
#[derive(Debug, Default)]
pub(super) struct Goals {
    aims: Vec<Aim>,
    /// By side, target and families.
    by_side: FxHashMap<(Number, usize, [bool; 2]), Gain>,
}

/// A target's cell by numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(super) struct GoalPorts {
    now: Open,
    future: Open,
    extent: Extent,
    unknown: Option<&'static str>,
}

impl Goals {
    /// The targets of a world. O(targets).
    pub(super) fn new(world: &mut World) -> Self {
        let mut book = std::mem::take(&mut world.ground.ports);
        let aims = TARGETS.iter().map(|target| world.aim(*target, &mut book)).collect();
        world.ground.ports = book;
        Self { aims, by_side: FxHashMap::default() }
    }

    /// Whether they are elsewhere than others. O(targets).
    pub(super) fn differs(&self, other: &Self) -> bool {
        self.aims != other.aims
    }

    /// Whether pods of some of these namespaces are targets. O(targets × pods).
    pub(super) fn lie_in(&self, spaces: &BTreeSet<u32>) -> bool {
        self.aims.iter().flat_map(|aim| &aim.pods).any(|(space, _)| spaces.contains(space))
    }

    /// What a tenant reaches. O(classes × targets) once sides are known; targets that are pods cost a judgement for each class.
    pub(super) fn of(&mut self, spaces: &[u32], world: &mut World) -> Vec<GoalPorts> {
        let mut book = std::mem::take(&mut world.ground.ports);
        let cells = (0..self.aims.len()).map(|at| self.cell(at, spaces, world, &mut book)).collect();
        world.ground.ports = book;
        cells
    }

    fn cell(&mut self, at: usize, spaces: &[u32], world: &World, book: &mut PortBook) -> GoalPorts {
        let mut cell = GoalPorts { unknown: self.aims.get(at).and_then(|aim| aim.unknown), ..GoalPorts::default() };
        for space in spaces.iter().filter_map(|at| world.spaces.get(*at as usize)) {
            for class in &space.classes {
                let gain = self.gain(at, (space, class), world, book);
                if class.count > 0 {
                    cell.now = book.join(cell.now, gain.open);
                    cell.extent = cell.extent.max(extent(gain));
                }
                cell.future = book.join(cell.future, gain.open);
            }
            if space.imagined_cut {
                cell.future = book.join(cell.future, Open::UNKNOWN);
            }
        }
        cell
    }

    /// What one class reaches of a target.
    fn gain(&mut self, at: usize, (space, class): (&Space, &Class), world: &World, book: &mut PortBook) -> Gain {
        let Some(aim) = self.aims.get(at) else { return Gain::default() };
        let mut gain = Gain { open: Open::NONE, whole: true };
        if !aim.addresses.is_empty() {
            let side = world.ground.faces.get(class.face).map_or(Number::MAX, |face| face.sides.egress);
            let families = class.families();
            gain = if tells_own(world, side) {
                world.gain(&world.ground.held_far(side), aim, families, Some(&space.nodes_of(class)), book)
            } else {
                let key = (side, at, families);
                *self.by_side.entry(key).or_insert_with(|| world.gain(&world.ground.held_far(side), aim, families, None, book))
            };
        }
        for (their, target) in aim.pods.iter().filter_map(|at| world.class(*at)) {
            let open = world.ground.pair((space, class), (their, target), book);
            let open = Open { sure: book.intersect(open.sure, aim.ports), may: book.intersect(open.may, aim.ports) };
            gain.open = book.join(gain.open, open);
            gain.whole &= open.sure == aim.ports;
        }
        gain.whole &= !(aim.pods.is_empty() && aim.addresses.is_empty());
        gain
    }
}

/// Whether rules tell a pod's own node from others.
fn tells_own(world: &World, side: Number) -> bool {
    let ground = &world.ground;
    let entries = ground.held_far(side).flat_map(|held| &held.rules.entries);
    entries.flat_map(|entry| entry.peers.iter()).any(|peer| tells_own_node(ground.terms.get(*peer)))
}

/// Cells as others see them.
pub(super) fn public_cells(cells: &[GoalPorts], book: &PortBook) -> Vec<TargetCell> {
    let cell = |cell: &GoalPorts| TargetCell {
        now: book.answer(cell.now),
        future: book.answer(cell.future),
        extent: cell.extent,
        unknown: cell.unknown,
    };
    cells.iter().map(cell).collect()
}
