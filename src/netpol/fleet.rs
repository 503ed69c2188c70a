//! Tenants: what each reaches of each other, kept as rows of one cell for most and exceptions.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::goals::{GoalPorts, public_cells};
use super::ground::{Ground, Means};
use super::isolation::Direction;
use super::matrix::{Cell, Row};
use super::numbers::{Number, Numbers};
use super::portbook::{Open, PortBook};
use super::space::Space;
use super::truth::DIRECTIONS;
use super::world::World;
use crate::model::ids::TenantId;
use crate::model::tenant::Tenants;

/// A cell by numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(super) struct CellPorts {
    pub now: Open,
    pub future: Open,
}

/// How a tenant looks to strangers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(super) struct Looks {
    /// Faces of its existing pods.
    now: Number,
    /// Also of those that may be made.
    future: Number,
    /// Not all that may be made was imagined.
    cut: bool,
}

/// The tenants and what lies between them.
#[derive(Debug, Default)]
pub(super) struct Fleet {
    pub tenants: Arc<[TenantId]>,
    /// Namespaces of each tenant, by place.
    pub spaces: Vec<Vec<u32>>,
    /// The tenant of each namespace.
    pub of_space: Vec<Option<u32>>,
    looks: Vec<Looks>,
    facesets: Numbers<Box<[Number]>>,
    /// Tenants that rules of each tenant name: whom it may reach, who may reach it.
    named: Vec<[BTreeSet<u32>; 2]>,
    /// The other way round.
    named_by: Vec<[BTreeSet<u32>; 2]>,
    /// Cells between tenants of which one names the other, by source.
    links: Vec<BTreeMap<u32, CellPorts>>,
    /// Answers between sets of faces.
    far: FxHashMap<(Number, Number), Open>,
}

impl Fleet {
    /// Sorts namespaces into tenants. O(namespaces).
    pub(super) fn new(world: &World, tenants: &Tenants) -> Self {
        let names: Vec<TenantId> = tenants.namespaces.keys().cloned().collect();
        let mut of_space = vec![None; world.spaces.len()];
        let mut spaces = vec![Vec::new(); names.len()];
        for ((at, list), owned) in (0_u32..).zip(tenants.namespaces.values()).zip(&mut spaces) {
            for place in list.iter().filter_map(|name| world.place.get(name)) {
                owned.push(*place);
                if let Some(slot) = of_space.get_mut(*place as usize) {
                    *slot = Some(at);
                }
            }
        }
        let many = names.len();
        Self {
            tenants: names.into(),
            spaces,
            of_space,
            looks: vec![Looks::default(); many],
            named: vec![Default::default(); many],
            named_by: vec![Default::default(); many],
            links: vec![BTreeMap::new(); many],
            ..Self::default()
        }
    }

    /// How many tenants there are.
    pub(super) const fn len(&self) -> usize {
        self.spaces.len()
    }

    /// Works out how a tenant looks and whom it names; true when it looks other than before. O(classes and entries of the tenant).
    pub(super) fn look_at(&mut self, tenant: u32, world: &World) -> bool {
        let mut now: Vec<Number> = Vec::new();
        let mut future: Vec<Number> = Vec::new();
        let mut cut = false;
        let mut host = false;
        let mut named: [BTreeSet<u32>; 2] = Default::default();
        for space in self.spaces.get(tenant as usize).into_iter().flatten().filter_map(|at| world.spaces.get(*at as usize)) {
            cut |= space.imagined_cut;
            for class in &space.classes {
                if class.count > 0 {
                    now.push(class.face);
                }
                future.push(class.face);
                host |= class.key.host;
            }
            for (direction, set) in DIRECTIONS.into_iter().zip(&mut named) {
                set.extend(self.named_tenants(space, direction, world));
            }
        }
        if host {
            // what pods that count as nodes may do hangs on where the others run
            let everybody: BTreeSet<u32> = (0..u32::try_from(self.len()).unwrap_or(u32::MAX)).collect();
            named = [everybody.clone(), everybody];
        }
        let looks = Looks { now: self.faceset(now), future: self.faceset(future), cut };
        let changed = self.looks.get(tenant as usize) != Some(&looks);
        if let Some(slot) = self.looks.get_mut(tenant as usize) {
            *slot = looks;
        }
        self.rename(tenant, &named);
        changed
    }

    fn faceset(&mut self, mut faces: Vec<Number>) -> Number {
        faces.sort_unstable();
        faces.dedup();
        self.facesets.number(faces.into())
    }

    fn named_tenants(&self, space: &Space, direction: Direction, world: &World) -> BTreeSet<u32> {
        let mut named = BTreeSet::new();
        let entries = |id: &u32| world.ground.unit(*id).map(|unit| &unit.rules.get(direction).entries);
        let global =
            space.classes.iter().flat_map(|class| class.units.iter().map(|(id, _)| *id)).filter(|id| world.ground.global.contains(id));
        let global: BTreeSet<u32> = if world.ground.global.is_empty() { BTreeSet::new() } else { global.collect() };
        for entry in space.units.iter().chain(&global).filter_map(entries).flatten() {
            for peer in &entry.peers {
                if let Some(Means::Narrow(spaces)) = world.ground.means.get(peer.0 as usize) {
                    named.extend(spaces.iter().filter_map(|at| self.of_space.get(*at as usize).copied().flatten()));
                }
            }
        }
        named
    }

    fn rename(&mut self, tenant: u32, named: &[BTreeSet<u32>; 2]) {
        let Some(slot) = self.named.get_mut(tenant as usize).filter(|slot| *slot != named) else { return };
        let before = std::mem::replace(slot, named.clone());
        for (way, (old, new)) in before.iter().zip(named).enumerate() {
            for gone in old.difference(new) {
                if let Some(set) = self.named_by.get_mut(*gone as usize).and_then(|both| both.get_mut(way)) {
                    set.remove(&tenant);
                }
            }
            for come in new.difference(old) {
                if let Some(set) = self.named_by.get_mut(*come as usize).and_then(|both| both.get_mut(way)) {
                    set.insert(tenant);
                }
            }
        }
    }

    /// Sources and destinations with which a tenant has a cell of its own: it names them or they name it.
    fn linked(&self, tenant: u32) -> [BTreeSet<u32>; 2] {
        let of =
            |list: &[[BTreeSet<u32>; 2]], way: usize| list.get(tenant as usize).and_then(|both| both.get(way)).cloned().unwrap_or_default();
        // as source: those its egress rules name, and those whose ingress rules name it
        let mut to = of(&self.named, 0);
        to.extend(of(&self.named_by, 1));
        to.insert(tenant);
        let mut from = of(&self.named, 1);
        from.extend(of(&self.named_by, 0));
        from.insert(tenant);
        [to, from]
    }

    /// The tenants that have a cell of their own for this one.
    pub(super) fn linked_from(&self, tenant: u32) -> BTreeSet<u32> {
        let [_, from] = self.linked(tenant);
        from
    }

    /// Works out the cells between a tenant and those it is linked with again; gives the rows in which one changed. `before`: the tenants that had a
    /// cell of their own for it. O(links × classes of both), each pair of classes a judgement.
    pub(super) fn relink(&mut self, tenant: u32, before: &BTreeSet<u32>, world: &mut World) -> BTreeSet<u32> {
        let [to, from] = self.linked(tenant);
        let mut changed = BTreeSet::new();
        let row: BTreeMap<u32, CellPorts> = to.into_iter().map(|other| (other, self.link(tenant, other, world))).collect();
        if let Some(slot) = self.links.get_mut(tenant as usize).filter(|slot| **slot != row) {
            *slot = row;
            changed.insert(tenant);
        }
        for other in before.difference(&from) {
            if self.links.get_mut(*other as usize).is_some_and(|row| row.remove(&tenant).is_some()) {
                changed.insert(*other);
            }
        }
        for other in from.into_iter().filter(|other| *other != tenant) {
            let cell = self.link(other, tenant, world);
            if let Some(row) = self.links.get_mut(other as usize).filter(|row| row.get(&tenant) != Some(&cell)) {
                row.insert(tenant, cell);
                changed.insert(other);
            }
        }
        changed
    }

    /// Works out all cells of linked tenants. As [`Fleet::relink`] for each, without looking for what changed.
    pub(super) fn relink_all(&mut self, world: &mut World) {
        for tenant in 0..u32::try_from(self.len()).unwrap_or(u32::MAX) {
            let [to, _] = self.linked(tenant);
            let row = to.into_iter().map(|other| (other, self.link(tenant, other, world))).collect();
            if let Some(slot) = self.links.get_mut(tenant as usize) {
                *slot = row;
            }
        }
    }

    /// The cell between two tenants, class by class. Where a tenant's pods and rules are so many that judging all pairs would take too long, what
    /// pods may be made is left undefined, and beyond that what there is, too.
    fn link(&self, from: u32, to: u32, world: &mut World) -> CellPorts {
        let mut cell = CellPorts::default();
        let mut book = std::mem::take(&mut world.ground.ports);
        let of = |tenant: u32| self.spaces.get(tenant as usize).into_iter().flatten().copied();
        for a in of(from).filter_map(|at| world.spaces.get(at as usize)) {
            for b in of(to).filter_map(|at| world.spaces.get(at as usize)) {
                link_spaces((a, b), &mut cell, &world.ground, &mut book);
            }
        }
        world.ground.ports = book;
        cell
    }

    fn far_cell(&mut self, from: Looks, to: Looks, world: &mut World) -> CellPorts {
        let now = self.far_open(from.now, to.now, world);
        let mut future = self.far_open(from.future, to.future, world);
        if from.cut || to.cut {
            future = world.ground.ports.join(future, Open::UNKNOWN);
        }
        CellPorts { now, future }
    }

    fn far_open(&mut self, from: Number, to: Number, world: &mut World) -> Open {
        if let Some(known) = self.far.get(&(from, to)) {
            return *known;
        }
        let (Some(sources), Some(targets)) = (self.facesets.get(from).cloned(), self.facesets.get(to).cloned()) else {
            return Open::UNKNOWN;
        };
        let mut open = Open::NONE;
        for source in &**sources {
            for target in &**targets {
                let one = world.far_pair(*source, *target);
                open = world.ground.ports.join(open, one);
            }
        }
        self.far.insert((from, to), open);
        open
    }

    /// Tenants by how they look.
    pub(super) fn by_looks(&self) -> BTreeMap<Looks, Vec<u32>> {
        let mut by: BTreeMap<Looks, Vec<u32>> = BTreeMap::new();
        for (at, looks) in (0..).zip(&self.looks) {
            by.entry(*looks).or_default().push(at);
        }
        by
    }

    /// The row of a tenant, by numbers: the cell of most, and the rest. O(looks + exceptions).
    pub(super) fn row(&mut self, tenant: u32, by: &BTreeMap<Looks, Vec<u32>>, world: &mut World) -> (CellPorts, Vec<(u32, CellPorts)>) {
        let own = self.looks.get(tenant as usize).copied().unwrap_or_default();
        let mut cells: Vec<(CellPorts, &Vec<u32>)> = Vec::with_capacity(by.len());
        for (looks, list) in by {
            cells.push((self.far_cell(own, *looks, world), list));
        }
        let base = most(&cells, &world.ground.ports);
        let mut except: BTreeMap<u32, CellPorts> = BTreeMap::new();
        for (cell, list) in cells.iter().filter(|(cell, _)| *cell != base) {
            except.extend(list.iter().map(|at| (*at, *cell)));
        }
        for (at, cell) in self.links.get(tenant as usize).into_iter().flatten() {
            if *cell == base {
                except.remove(at);
            } else {
                except.insert(*at, *cell);
            }
        }
        (base, except.into_iter().collect())
    }
}

/// Joins the answers between all classes of two namespaces to a cell.
fn link_spaces((a, b): (&Space, &Space), cell: &mut CellPorts, ground: &Ground, book: &mut PortBook) {
    let everything = CellPorts { now: Open::ALL, future: Open::ALL };
    let there = |space: &Space| space.classes.iter().filter(|class| class.count > 0).count();
    let entries = a.weight(ground) + b.weight(ground) + 1;
    let now = there(a).saturating_mul(there(b)).saturating_mul(entries) <= MOST_NOW;
    let future = a.classes.len().saturating_mul(b.classes.len()).saturating_mul(entries) <= MOST_FUTURE;
    if !now {
        *cell = CellPorts { now: book.join(cell.now, Open::UNKNOWN), future: book.join(cell.future, Open::UNKNOWN) };
        return;
    }
    if !future || a.imagined_cut || b.imagined_cut {
        cell.future = book.join(cell.future, Open::UNKNOWN);
    }
    for source in a.classes.iter().filter(|class| future || class.count > 0) {
        for target in b.classes.iter().filter(|class| future || class.count > 0) {
            if *cell == everything {
                return;
            }
            let open = ground.pair((a, source), (b, target), book);
            let alone = std::ptr::eq(source, target) && source.count == 1;
            if source.count > 0 && target.count > 0 && !alone {
                cell.now = book.join(cell.now, open);
            }
            cell.future = book.join(cell.future, open);
        }
    }
}

/// So many pairs of classes times entries are judged for one cell of pods that are there.
const MOST_NOW: usize = 20_000_000;
/// The same with pods that may be made.
const MOST_FUTURE: usize = 2_000_000;

/// The cell that most have; of two, the lesser by what it says, so that it does not hang on how it was come by.
fn most(cells: &[(CellPorts, &Vec<u32>)], book: &PortBook) -> CellPorts {
    let mut counts: FxHashMap<CellPorts, usize> = FxHashMap::default();
    for (cell, list) in cells {
        *counts.entry(*cell).or_default() += list.len();
    }
    let best = counts.values().max().copied().unwrap_or_default();
    let tied = counts.into_iter().filter(|(_, count)| *count == best).map(|(cell, _)| cell);
    tied.min_by_key(|cell| said(*cell, book)).unwrap_or_default()
}

/// A cell as others see it.
pub(super) fn said(cell: CellPorts, book: &PortBook) -> CellKey {
    (book.set(cell.now.sure), book.set(cell.now.may), book.set(cell.future.sure), book.set(cell.future.may))
}

type CellKey = (Arc<super::ports::PortSet>, Arc<super::ports::PortSet>, Arc<super::ports::PortSet>, Arc<super::ports::PortSet>);

/// A row as others see it.
pub(super) fn public_row((base, except): &(CellPorts, Vec<(u32, CellPorts)>), targets: &[GoalPorts], book: &PortBook) -> Row {
    let cell = |ports: CellPorts| Cell { now: book.answer(ports.now), future: book.answer(ports.future) };
    Row { base: cell(*base), except: except.iter().map(|(at, ports)| (*at, cell(*ports))).collect(), targets: public_cells(targets, book) }
}
