//! Whom the peers of compiled units mean, counted by use, so that what nobody uses any more is forgotten.

use super::atoms::Atoms;
use super::ground::{Ground, Means, ranges_of};
use super::numbers::Number;
use super::profile::HostNetwork;
use super::ranges::Ranges;
use super::rules::{Condition, Entry, Ruleset, Unit, UnitId};
use super::term::{Field, Over, PodTerm, Term, TermId};
use super::truth::{Both, DIRECTIONS, Truth};

/// What a change of units does to namespaces other than their own.
#[derive(Debug, Default)]
pub(super) struct Effects {
    /// Something that every namespace looks at: it is not followed, all is looked at again.
    pub everybody: bool,
    /// Terms that now mean a namespace.
    pub gained: Vec<(u32, TermId)>,
    /// Terms that mean it no more, for nobody uses them.
    pub lost: Vec<(u32, TermId)>,
}

impl Ground {
    /// Adds a unit and works out whom its peers mean. O(entries, and for a term never seen the namespaces it may mean).
    pub(super) fn enlist(&mut self, unit: Unit, effects: &mut Effects) -> UnitId {
        self.means.resize(self.terms.len(), Means::Unused);
        self.users.resize(self.terms.len(), 0);
        for direction in DIRECTIONS {
            for entry in &unit.rules.get(direction).entries {
                self.use_entry(entry, effects);
            }
        }
        let far = Both { ingress: self.far_rules(&unit.rules.ingress), egress: self.far_rules(&unit.rules.egress) };
        if unit.subject.scope.is_none() {
            self.note_keys(unit.subject.term);
        }
        let global = unit.subject.scope.is_none();
        let id = if let Some(id) = self.free.pop() {
            if let (Some(slot), Some(slot_far)) = (self.units.get_mut(id as usize), self.far.get_mut(id as usize)) {
                (*slot, *slot_far) = (Some(unit), far);
            }
            id
        } else {
            self.units.push(Some(unit));
            self.far.push(far);
            UnitId::try_from(self.units.len() - 1).unwrap_or(UnitId::MAX)
        };
        if global {
            self.global.push(id);
        }
        id
    }

    /// Removes a unit of a namespace. O(entries).
    pub(super) fn dismiss(&mut self, id: UnitId, effects: &mut Effects) {
        let Some(unit) = self.units.get_mut(id as usize).and_then(Option::take) else { return };
        self.free.push(id);
        for entry in DIRECTIONS.into_iter().flat_map(|direction| &unit.rules.get(direction).entries) {
            for (name, _) in &entry.ports.named {
                if let Some(users) = self.port_names.get_mut(name) {
                    *users -= 1;
                    effects.everybody |= *users == 0;
                }
            }
            for peer in &entry.peers {
                let Some(users) = self.users.get_mut(peer.0 as usize) else { continue };
                *users -= 1;
                if *users > 0 {
                    continue;
                }
                match self.means.get_mut(peer.0 as usize).map(std::mem::take) {
                    Some(Means::Narrow(spaces)) => effects.lost.extend(spaces.iter().map(|space| (*space, *peer))),
                    Some(Means::Wide) if *peer != TermId::ANYBODY && *peer != TermId::UNCLEAR => effects.everybody = true,
                    _ => {}
                }
            }
        }
    }

    fn use_entry(&mut self, entry: &Entry, effects: &mut Effects) {
        for (name, _) in &entry.ports.named {
            let users = self.port_names.entry(name.clone()).or_default();
            *users += 1;
            effects.everybody |= *users == 1;
        }
        for peer in &entry.peers {
            let Some(users) = self.users.get_mut(peer.0 as usize) else { continue };
            *users += 1;
            if self.means.get(peer.0 as usize).is_some_and(|means| *means != Means::Unused) {
                continue;
            }
            let means = self.meaning(self.terms.get(*peer));
            match &means {
                Means::Wide => {
                    effects.everybody = true;
                    let is_range = matches!(ranges_of(self.terms.get(*peer)), Some((_, Some(_))));
                    if is_range {
                        self.ranges.push(*peer);
                    } else {
                        self.wide.push(*peer);
                    }
                    self.note_keys(*peer);
                }
                Means::Narrow(spaces) => effects.gained.extend(spaces.iter().map(|space| (*space, *peer))),
                Means::Unused => {}
            }
            if let Some(slot) = self.means.get_mut(peer.0 as usize) {
                *slot = means;
            }
        }
    }

    /// Cuts the addresses at the boundaries of all terms that match ends in the cluster. O(n log n) in their ranges.
    pub(super) fn cut_addresses(&mut self) {
        let of_term = |id: &TermId| ranges_of(self.terms.get(*id)).filter(|(_, over)| self.matters(*over)).map(|(ranges, _)| (*id, ranges));
        let ranges: Vec<(TermId, &Ranges)> = self.ranges.iter().filter_map(of_term).collect();
        self.atoms = Atoms::new(ranges.into_iter());
    }

    /// Whether ranges of such terms match any end in the cluster.
    fn matters(&self, over: Option<Over>) -> bool {
        let switches = self.mode.switches;
        let hosts = self.edges.host_network != HostNetwork::Ordinary;
        match over {
            Some(Over::Profile) => switches.pods || (switches.nodes && hosts),
            Some(Over::World) => switches.cilium_pods || (switches.cilium_nodes && hosts),
            None => false,
        }
    }

    fn note_keys(&mut self, id: TermId) {
        if let Term::Pods(term) = self.terms.get(id) {
            self.keys.extend(term.keys().cloned());
            self.accounts |= term.wants_account();
        }
    }

    fn meaning(&self, term: &Term) -> Means {
        let Term::Pods(term) = term else { return Means::Wide };
        if term.beyond {
            return Means::Wide;
        }
        let spaces = match self.spaces.candidates(term) {
            Some(candidates) => self.meant(term, candidates.into_iter()),
            None if term.needs.iter().all(|(field, _)| !matches!(field, Field::Space(_))) => return Means::Wide,
            None => self.meant(term, 0..u32::try_from(self.space_labels.len()).unwrap_or(u32::MAX)),
        };
        if spaces.len() > NARROW { Means::Wide } else { Means::Narrow(spaces.into()) }
    }

    fn meant(&self, term: &PodTerm, spaces: impl Iterator<Item = u32>) -> Vec<u32> {
        let meant = |space: &u32| {
            let found = self.space_labels.get(*space as usize);
            found.is_some_and(|(name, labels)| term.in_space(name, labels) != Truth::No)
        };
        spaces.filter(meant).take(NARROW + 1).collect()
    }

    /// The rules of a unit as strangers see them, numbered. O(entries).
    fn far_rules(&mut self, rules: &Ruleset) -> Number {
        let wide = |term: &TermId| self.means.get(term.0 as usize).is_some_and(|means| *means == Means::Wide);
        let entries = rules.entries.iter().filter_map(|entry| {
            let peers: Box<[TermId]> = entry.peers.iter().copied().filter(wide).collect();
            let far = Entry { peers, field: ("", 0), condition: Condition::default(), ..entry.clone() };
            (!far.peers.is_empty()).then_some(far)
        });
        let far = Ruleset { isolates: rules.isolates, entries: entries.collect() };
        self.rulesets.number(far)
    }
}

/// From so many namespaces on, a peer counts as meant for everybody: it is judged once for all pods that look alike to it.
const NARROW: usize = 8;
