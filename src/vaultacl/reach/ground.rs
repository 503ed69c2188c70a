//! Everybody's places, sorted so that an ACL is held against all of them at once: places that no rule tells apart are judged as one.

use std::collections::BTreeMap;
use std::ops::Range;

use rustc_hash::FxHashMap;

use super::super::acl::Acl;
use super::super::capability::Operation;
use super::super::kv::{Action, Harm, VERSION_1, VERSION_2};
use super::Root;
use super::judge::{Found, Judge, Signature};
use super::pattern::{Hits, Shelf, hits};
use super::places::Shared;
use crate::model::ids::{Name, TenantId};

/// A set of tenants by number.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Bits(Vec<u64>);

impl Bits {
    pub fn insert(&mut self, at: u32) {
        let word = at as usize / 64;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        if let Some(word) = self.0.get_mut(word) {
            *word |= 1 << (at % 64);
        }
    }

    pub fn join(&mut self, other: &Self) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            *mine |= theirs;
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = u32> {
        (0_u32..).zip(&self.0).flat_map(|(at, word)| (0..64).filter(move |bit| word & (1 << bit) != 0).map(move |bit| at * 64 + bit))
    }

    /// The first that is not this one. O(words).
    pub fn first_but(&self, but: Option<u32>) -> Option<u32> {
        self.iter().find(|at| Some(*at) != but)
    }
}

/// A place on the ground.
#[derive(Clone, Debug)]
pub(super) struct Plot {
    pub tenant: u32,
    pub root: Root,
    shelf: u32,
}

/// The requests of one kind to one mount: `secret/data/` and what can be done there.
#[derive(Clone, Debug)]
pub(super) struct Section {
    /// With its slash.
    pub head: String,
    /// Worst first, with their places in the table.
    pub actions: Vec<Action>,
}

#[derive(Debug)]
struct Rack {
    mount: Name,
    sections: Vec<Section>,
    shelf: Shelf,
    /// Whose places lie here.
    tenants: Bits,
}

/// Everybody's places.
#[derive(Debug, Default)]
pub(super) struct Ground {
    pub tenants: Vec<TenantId>,
    pub plots: Vec<Plot>,
    of_tenant: Vec<Range<u32>>,
    racks: Vec<Rack>,
}

/// Which places of a rack.
#[derive(Clone, Debug, PartialEq)]
enum Of {
    AllBut(Vec<u32>),
    Only(Vec<u32>),
}

/// What a rule allows at certain places.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Proof {
    of: Of,
    rack: u32,
    section: u32,
    pub found: Found,
}

/// What a rule leads to, with one harm.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Hit {
    /// Number of the rule; none for the root policy.
    pub rule: Option<u32>,
    pub harm: Harm,
    pub proofs: Vec<Proof>,
    /// Whose places.
    pub tenants: Bits,
}

/// The sections of a mount by the version of its engine; 0 where that is not known: then it may be either.
pub(super) fn sections(mount: &str, version: u8) -> Vec<Section> {
    let tables: &[&[Action]] = match version {
        1 => &[&VERSION_1],
        2 => &[&VERSION_2],
        _ => &[&VERSION_2, &VERSION_1],
    };
    let mut found: Vec<Section> = Vec::new();
    let mut known: Vec<(usize, &str)> = Vec::new();
    for (table, actions) in tables.iter().enumerate() {
        for action in *actions {
            if let Some(section) = known.iter().position(|one| *one == (table, action.below)).and_then(|at| found.get_mut(at)) {
                section.actions.push(*action);
            } else {
                known.push((table, action.below));
                found.push(Section { head: format!("{mount}/{}", action.below), actions: vec![*action] });
            }
        }
    }
    found
}

/// How bad an action is among all: its place in the tables.
pub(super) fn badness(action: &Action) -> usize {
    VERSION_2.iter().chain(&VERSION_1).position(|known| known == action).unwrap_or(usize::MAX)
}

/// The request's path of a place.
pub(super) fn at(head: &str, path: &str) -> String {
    if path.is_empty() { head.trim_end_matches('/').to_owned() } else { format!("{head}{path}") }
}

impl Ground {
    /// Sorts everybody's places. `roots` are by tenant, sorted; a place below another of the same tenant is left out. O(n log n).
    pub fn new<'a>(roots: impl Iterator<Item = (&'a TenantId, &'a [Root])>) -> Self {
        let mut ground = Self::default();
        let mut racks: BTreeMap<(Name, u8, usize), u32> = BTreeMap::new();
        for (tenant, roots) in roots {
            let (number, start) = (ground.tenants.len() as u32, ground.plots.len() as u32);
            ground.tenants.push(tenant.clone());
            for root in highest(roots) {
                let depth = if root.path.is_empty() { 0 } else { root.path.split('/').count() };
                let rack = *racks.entry((root.mount.clone(), root.version, depth)).or_insert_with(|| {
                    let sections = sections(&root.mount, root.version);
                    let shelf = Shelf { depth, places: Vec::new() };
                    ground.racks.push(Rack { mount: root.mount.clone(), sections, shelf, tenants: Bits::default() });
                    ground.racks.len() as u32 - 1
                });
                if let Some(rack) = ground.racks.get_mut(rack as usize) {
                    rack.shelf.places.push((root.path.clone(), ground.plots.len() as u32));
                    rack.tenants.insert(number);
                }
                ground.plots.push(Plot { tenant: number, root: root.clone(), shelf: rack });
            }
            ground.of_tenant.push(start..ground.plots.len() as u32);
        }
        for rack in &mut ground.racks {
            rack.shelf.places.sort();
        }
        ground
    }

    /// The number of a tenant. O(log n).
    pub fn number(&self, tenant: &str) -> Option<u32> {
        self.tenants.binary_search_by(|other| other.as_ref().cmp(tenant)).ok().map(|at| at as u32)
    }

    /// Everything that an ACL allows at anybody's place, rule by rule; whether something was left out for its depth.
    /// O(rules × racks + ways in which rules tell places apart × decisions).
    pub fn judge(&self, judge: &Judge<'_>, shared: &Shared) -> (Vec<Hit>, bool) {
        if judge.acl.is_root() {
            return (self.of_root(), false);
        }
        let mut found: BTreeMap<(u32, Harm), Vec<Proof>> = BTreeMap::new();
        let mut more = false;
        for (number, rack) in (0..).zip(&self.racks) {
            let near = near(judge.acl, &rack.mount);
            if near.is_empty() {
                continue;
            }
            for (section_number, section) in (0..).zip(&rack.sections) {
                for (of, place, signature) in rack.groups(judge, section, &near) {
                    let place = at(&section.head, &place);
                    let excused = |path: &str, operation: Operation| shared.excuses(&rack.mount, &section.head, path, operation);
                    let (all, cut) = judge.place(&place, &signature, &section.actions, &excused);
                    more |= cut;
                    for one in all {
                        let proof = Proof { of: of.clone(), rack: number, section: section_number, found: one };
                        found.entry((proof.found.rule, proof.found.action.harm)).or_default().push(proof);
                    }
                }
            }
        }
        let hits = found.into_iter().map(|((rule, harm), mut proofs)| {
            proofs.sort_by_key(|proof| badness(&proof.found.action));
            let tenants = self.whose(&proofs);
            Hit { rule: Some(rule), harm, proofs, tenants }
        });
        (hits.collect(), more)
    }

    /// The root policy: everything everywhere.
    fn of_root(&self) -> Vec<Hit> {
        let mut hits: BTreeMap<Harm, Vec<Proof>> = BTreeMap::new();
        for (number, rack) in (0..).zip(&self.racks) {
            for (section_number, section) in (0..).zip(&rack.sections) {
                for action in &section.actions {
                    let proofs = hits.entry(action.harm).or_default();
                    if !proofs.iter().any(|proof| proof.rack == number) {
                        let found = Found { rule: u32::MAX, action: *action, rest: String::new(), conditions: false };
                        proofs.push(Proof { of: Of::AllBut(Vec::new()), rack: number, section: section_number, found });
                    }
                }
            }
        }
        let hit = |(harm, proofs): (Harm, Vec<Proof>)| Hit { rule: None, harm, tenants: self.whose(&proofs), proofs };
        hits.into_iter().map(hit).collect()
    }

    fn whose(&self, proofs: &[Proof]) -> Bits {
        let mut tenants = Bits::default();
        for proof in proofs {
            let Some(rack) = self.racks.get(proof.rack as usize) else { continue };
            let whose = |plot: &u32| self.plots.get(*plot as usize).map(|plot| plot.tenant);
            match &proof.of {
                Of::Only(plots) => plots.iter().filter_map(whose).for_each(|tenant| tenants.insert(tenant)),
                Of::AllBut(but) if but.is_empty() => tenants.join(&rack.tenants),
                Of::AllBut(but) => {
                    let rest = rack.shelf.places.iter().map(|(_, plot)| plot).filter(|plot| but.binary_search(plot).is_err());
                    rest.filter_map(whose).for_each(|tenant| tenants.insert(tenant));
                }
            }
        }
        tenants
    }

    /// The worst that a hit does to one tenant, with the path that proves it.
    pub fn proof<'a>(&self, hit: &'a Hit, tenant: u32) -> Option<(&'a Found, String)> {
        let plots = self.of_tenant.get(tenant as usize)?.clone();
        hit.proofs.iter().find_map(|proof| {
            let of = |number: &u32| {
                self.plots.get(*number as usize).is_some_and(|plot| plot.shelf == proof.rack)
                    && match &proof.of {
                        Of::Only(plots) => plots.binary_search(number).is_ok(),
                        Of::AllBut(but) => but.binary_search(number).is_err(),
                    }
            };
            let plot = self.plots.get(plots.clone().find(of)? as usize)?;
            let section = self.racks.get(proof.rack as usize)?.sections.get(proof.section as usize)?;
            Some((&proof.found, format!("{}{}", at(&section.head, &plot.root.path), proof.found.rest)))
        })
    }
}

impl Rack {
    /// Places that the rules do not tell apart: which, the path of one of them, and what the rules say there. Those where no rule allows anything
    /// are left out.
    fn groups(&self, judge: &Judge<'_>, section: &Section, near: &[u32]) -> Vec<(Of, String, Signature)> {
        let mut everywhere: Signature = Vec::new();
        let mut special: BTreeMap<u32, Signature> = BTreeMap::new();
        for number in near {
            let Some(rule) = judge.rule(*number) else { continue };
            match hits(&rule.pattern, rule.kind, &section.head, &self.shelf) {
                Hits::Nobody => {}
                Hits::Every(tail) => everywhere.push((*number, tail)),
                Hits::Some(places) => {
                    for (place, tail) in places {
                        special.entry(place).or_default().push((*number, tail));
                    }
                }
            }
        }
        let mut groups = Vec::new();
        let mut alike: FxHashMap<Signature, Vec<u32>> = FxHashMap::default();
        let place = |at: &u32| self.shelf.places.get(*at as usize);
        let mut but: Vec<u32> = special.keys().filter_map(place).map(|(_, plot)| *plot).collect();
        but.sort_unstable();
        for (at, own) in special {
            let signature: Signature = everywhere.iter().copied().chain(own).collect();
            if judge.may(&signature, &section.actions) {
                alike.entry(signature).or_default().push(at);
            }
        }
        if but.len() < self.shelf.places.len() && judge.may(&everywhere, &section.actions) {
            let one = self.shelf.places.iter().find(|(_, plot)| but.binary_search(plot).is_err());
            groups.extend(one.map(|(path, _)| (Of::AllBut(but), path.clone(), everywhere)));
        }
        for (signature, places) in alike {
            let mut plots: Vec<u32> = places.iter().filter_map(place).map(|(_, plot)| *plot).collect();
            plots.sort_unstable();
            let one = places.first().and_then(place).map(|(path, _)| path.clone());
            groups.extend(one.map(|path| (Of::Only(plots), path, signature)));
        }
        groups.sort_by(|a, b| a.1.cmp(&b.1));
        groups
    }
}

/// The rules that may have to do with a mount. O(rules).
pub(super) fn near(acl: &Acl, mount: &str) -> Vec<u32> {
    let touches = |pattern: &str| {
        let end = pattern.find(['+', '*']).unwrap_or(pattern.len());
        let head = pattern.get(..end).unwrap_or(pattern);
        match head.strip_prefix(mount) {
            Some(rest) => rest.is_empty() || rest.starts_with('/'),
            None => mount.starts_with(head) && end < pattern.len(),
        }
    };
    (0..).zip(acl.rules()).filter(|(_, rule)| touches(&rule.pattern)).map(|(number, _)| number).collect()
}

/// Roots that lie below no other of the same list.
pub(super) fn highest(roots: &[Root]) -> impl Iterator<Item = &Root> {
    roots.iter().filter(|root| !roots.iter().any(|other| above(other, root)))
}

fn above(other: &Root, root: &Root) -> bool {
    let below =
        |path: &str| path.is_empty() && !root.path.is_empty() || root.path.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'));
    other.mount == root.mount && below(&other.path)
}
