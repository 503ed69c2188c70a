//! What classes of pods are judged on: compiled units, terms with the namespaces they mean, addresses, and tables of what looks the same from afar.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::compile::{Compiler, Terms, cilium, foreign_unit, network, tier};
use super::portbook::PortBook;
use super::profile::{Edges, Enforcement, HostNetwork, Profile};
use super::ranges::{FAMILIES, Family, Ranges};
use super::reach::Options;
use super::rules::{Entry, Ruleset, Subject, Tier, Unit, UnitId};
use super::space::Names;
use super::term::{Over, PodTerm, SpaceIndex, Switches, Term, TermId};
use super::truth::{Both, DIRECTIONS, Truth};
use crate::model::ids::{Name, ObjectRef};
use crate::model::kind::Kind;
use crate::model::labels::LabelSet;
use crate::model::snapshot::{NamespaceFacts, Snapshot};

/// From so many namespaces on, a peer counts as meant for everybody: it is judged once for all pods that look alike to it.
const NARROW: usize = 8;

/// Whom a term may mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Means {
    /// Not a peer of any entry.
    Unused,
    /// Pods of these namespaces.
    Narrow(Box<[u32]>),
    /// Anybody.
    Wide,
}

/// Rules that apply, as they look to whoever is meant by terms for everybody only.
pub(super) type FarSide = Box<[(Truth, Tier, Number)]>;

/// A number of something that is kept once.
pub(super) type Number = u32;

/// Numbers equal values.
#[derive(Debug)]
pub(super) struct Numbers<T> {
    list: Vec<Arc<T>>,
    numbers: FxHashMap<Arc<T>, Number>,
}

impl<T> Default for Numbers<T> {
    fn default() -> Self {
        Self { list: Vec::new(), numbers: FxHashMap::default() }
    }
}

impl<T: Eq + std::hash::Hash> Numbers<T> {
    pub(super) fn number(&mut self, value: T) -> Number {
        if let Some(known) = self.numbers.get(&value) {
            return *known;
        }
        let number = Number::try_from(self.list.len()).unwrap_or(Number::MAX);
        let shared = Arc::new(value);
        self.list.push(shared.clone());
        self.numbers.insert(shared, number);
        number
    }

    pub(super) fn get(&self, number: Number) -> Option<&Arc<T>> {
        self.list.get(number as usize)
    }

    pub(super) const fn len(&self) -> usize {
        self.list.len()
    }
}

/// What an end looks like to terms meant for everybody, and what its port names mean.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub(super) struct Group {
    /// Matches of wide terms.
    pub seen: Box<[(TermId, [Truth; 3])]>,
    /// Named ports.
    pub named: Names,
    /// It counts as a node: strangers are then not judged from afar.
    pub host: bool,
    /// It has an address of the family, as far as that matters.
    pub families: [bool; 2],
}

/// An end as strangers see it: what its rules say to wide terms, and how wide terms see it. Ends with equal faces are alike to all who are not named.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(super) struct Face {
    pub sides: Both<Number>,
    pub group: Number,
}

/// Elementary intervals of addresses, each with the terms it lies in.
#[derive(Debug, Default)]
pub(super) struct Atoms {
    starts: [Vec<(u128, Number)>; 2],
    sets: Numbers<Box<[TermId]>>,
}

impl Atoms {
    /// From the terms of addresses. O(n²) in the number of ranges at worst, for ranges that all overlap.
    fn new<'a>(terms: impl Iterator<Item = (TermId, &'a Ranges)>) -> Self {
        let mut atoms = Self::default();
        // number 0: in none
        atoms.sets.number(Box::default());
        let terms: Vec<_> = terms.collect();
        for (place, family) in FAMILIES.into_iter().enumerate() {
            let mut turns: Vec<(u128, bool, TermId)> = Vec::new();
            for (id, ranges) in &terms {
                for (from, to) in ranges.of(family) {
                    turns.push((*from, true, *id));
                    if let Some(after) = to.checked_add(1) {
                        turns.push((after, false, *id));
                    }
                }
            }
            turns.sort_unstable();
            let mut inside: BTreeSet<TermId> = BTreeSet::new();
            let mut starts: Vec<(u128, Number)> = Vec::new();
            for turn in turns.chunk_by(|a, b| a.0 == b.0) {
                for (_, _, id) in turn.iter().filter(|(_, begins, _)| !begins) {
                    inside.remove(id);
                }
                for (_, _, id) in turn.iter().filter(|(_, begins, _)| *begins) {
                    inside.insert(*id);
                }
                let set = atoms.sets.number(inside.iter().copied().collect());
                starts.extend(turn.first().map(|(at, _, _)| (*at, set)));
            }
            if let Some(list) = atoms.starts.get_mut(place) {
                *list = starts;
            }
        }
        atoms
    }

    /// The terms' set that an address lies in. O(log n).
    pub(super) fn at(&self, family: Family, at: u128) -> Number {
        let starts = self.starts.get(family as usize).map_or(&[][..], |starts| starts);
        let before = starts.partition_point(|(start, _)| *start <= at).checked_sub(1);
        before.and_then(|i| starts.get(i)).map_or(0, |(_, set)| *set)
    }

    /// The terms of a number.
    pub(super) fn set(&self, number: Number) -> &[TermId] {
        self.sets.get(number).map_or(&[], |set| set)
    }

    /// Sets met within ranges of a family. O(n).
    pub(super) fn within(&self, family: Family, ranges: &Ranges) -> BTreeSet<Number> {
        let mut met = BTreeSet::new();
        for (from, to) in ranges.of(family) {
            met.insert(self.at(family, *from));
            let starts = self.starts.get(family as usize).into_iter().flatten();
            met.extend(starts.filter(|(start, _)| start > from && start <= to).map(|(_, set)| *set));
        }
        met
    }
}

/// How Cilium's own configuration bends its profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mode {
    pub enforcement: Enforcement,
    pub network_policy: bool,
    /// What comes from a pod's own node is always let in.
    pub own_node: bool,
    pub switches: Switches,
}

/// Everything that is the same for all namespaces.
#[derive(Debug)]
pub(super) struct Ground {
    pub edges: Edges,
    pub mode: Mode,
    pub ports: PortBook,
    pub terms: Terms,
    pub means: Vec<Means>,
    pub units: Vec<Option<Unit>>,
    /// Each unit's rules as strangers see them.
    pub far: Vec<Both<Number>>,
    /// Units about the whole cluster.
    pub global: Vec<UnitId>,
    /// Peer terms that are meant for everybody.
    pub wide: Vec<TermId>,
    /// Labels that terms meant for everybody look at.
    pub keys: FxHashSet<Name>,
    /// Whether any term looks at service accounts.
    pub accounts: bool,
    /// Names of ports that any entry uses.
    pub port_names: FxHashSet<Name>,
    pub atoms: Atoms,
    /// Addresses of nodes by name.
    pub node_ips: FxHashMap<Name, Box<[IpAddr]>>,
    /// Sets of address terms that a pod of tomorrow may find itself in.
    pub pod_space: [BTreeSet<Number>; 2],
    pub rulesets: Numbers<Ruleset>,
    pub sides: Numbers<FarSide>,
    pub groups: Numbers<Group>,
    pub faces: Numbers<Face>,
    pub spaces: SpaceIndex,
    pub space_labels: Vec<(Name, LabelSet)>,
}

/// What a configuration makes of the options.
pub(super) fn edges(options: &Options, snapshot: &Snapshot) -> (Edges, Mode) {
    let edges = options.profile.edges();
    let switches = Switches {
        pods: edges.cidr_matches_pods,
        nodes: edges.cidr_matches_nodes,
        cilium_pods: false,
        cilium_nodes: false,
        ipv6: edges.ipv6,
    };
    let own_node = options.profile != Profile::NpGuard;
    let mut mode = Mode { enforcement: Enforcement::Default, network_policy: true, own_node, switches };
    if options.profile != Profile::Cilium {
        return (edges, mode);
    }
    mode.enforcement = options.enforcement;
    if let Some(config) = &snapshot.cluster.cilium_config {
        match config.enable_policy.as_deref() {
            Some("always") => mode.enforcement = Enforcement::Always,
            Some("never") => mode.enforcement = Enforcement::Never,
            _ => {}
        }
        if config.audit_mode == Some(true) {
            mode.enforcement = Enforcement::Never;
        }
        mode.network_policy = config.k8s_network_policy != Some(false);
        mode.own_node = config.allow_localhost.as_deref() != Some("policy");
        let words = config.cidr_match_mode.as_deref().unwrap_or_default();
        let said = |word: &str| words.split([',', ' ']).any(|one| one == word);
        (mode.switches.cilium_nodes, mode.switches.cilium_pods) = (said("nodes"), said("pods"));
        mode.switches.nodes |= said("nodes");
        mode.switches.pods |= said("pods");
    }
    (edges, mode)
}

impl Ground {
    pub(super) fn new(options: &Options, snapshot: &Snapshot) -> Self {
        let (edges, mode) = edges(options, snapshot);
        Self {
            edges,
            mode,
            ports: PortBook::default(),
            terms: Terms::default(),
            means: vec![Means::Wide, Means::Wide],
            units: Vec::new(),
            far: Vec::new(),
            global: Vec::new(),
            wide: Vec::new(),
            keys: FxHashSet::default(),
            accounts: false,
            port_names: FxHashSet::default(),
            atoms: Atoms::default(),
            node_ips: snapshot.nodes.values().map(|node| (node.meta.name.clone(), node.ips.clone())).collect(),
            pod_space: Default::default(),
            rulesets: Numbers::default(),
            sides: Numbers::default(),
            groups: Numbers::default(),
            faces: Numbers::default(),
            spaces: SpaceIndex::default(),
            space_labels: Vec::new(),
        }
    }

    pub(super) fn unit(&self, id: UnitId) -> Option<&Unit> {
        self.units.get(id as usize).and_then(Option::as_ref)
    }

    fn add(&mut self, unit: Unit) -> UnitId {
        let id = UnitId::try_from(self.units.len()).unwrap_or(UnitId::MAX);
        if unit.subject.scope.is_none() {
            self.global.push(id);
        }
        self.units.push(Some(unit));
        id
    }

    /// Compiles the cluster-wide policies. O(their size).
    pub(super) fn compile_cluster(&mut self, snapshot: &Snapshot) {
        let mut with = Compiler { snapshot, terms: &mut self.terms, ports: &mut self.ports };
        let mut units: Vec<Unit> = snapshot.cluster.admin.values().map(|policy| tier(policy, &mut with)).collect();
        units.extend(snapshot.cluster.cilium.values().flat_map(|policy| cilium(policy, &mut with)));
        units.extend(snapshot.cluster.foreign.values().map(|policy| foreign_unit(policy, &mut with)));
        if self.mode.enforcement == Enforcement::Always {
            units.push(always(&mut self.terms));
        }
        for unit in units {
            self.add(unit);
        }
    }

    /// Compiles the policies of a namespace. O(their size).
    pub(super) fn compile_space(&mut self, snapshot: &Snapshot, facts: &NamespaceFacts) -> Vec<UnitId> {
        let mut with = Compiler { snapshot, terms: &mut self.terms, ports: &mut self.ports };
        let mut units: Vec<Unit> = Vec::with_capacity(facts.policies.len());
        if self.mode.network_policy {
            units.extend(facts.policies.values().map(|policy| network(policy, &mut with)));
        }
        units.extend(facts.cilium.values().flat_map(|policy| cilium(policy, &mut with)));
        units.extend(facts.foreign.values().map(|policy| foreign_unit(policy, &mut with)));
        units.into_iter().map(|unit| self.add(unit)).collect()
    }

    /// Works out whom the peers of all units mean. O(terms × namespaces they may mean).
    pub(super) fn survey(&mut self) {
        self.means.resize(self.terms.len(), Means::Unused);
        let units = std::mem::take(&mut self.units);
        for unit in units.iter().flatten() {
            if unit.subject.scope.is_none() {
                self.note_keys(unit.subject.term);
            }
            for direction in DIRECTIONS {
                for entry in &unit.rules.get(direction).entries {
                    self.survey_entry(entry);
                }
            }
        }
        self.far = units.iter().map(|unit| unit.as_ref().map_or_else(Both::default, |unit| self.far_of(unit))).collect();
        self.units = units;
        let terms = &self.terms;
        let ranges: Vec<(TermId, &Ranges)> = self
            .wide
            .iter()
            .filter_map(|id| ranges_of(terms.get(*id)).filter(|(_, over)| self.matters(*over)).map(|(r, _)| (*id, r)))
            .collect();
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

    fn survey_entry(&mut self, entry: &Entry) {
        for (name, _) in &entry.ports.named {
            self.port_names.insert(name.clone());
        }
        for peer in &entry.peers {
            let known = self.means.get(peer.0 as usize).is_some_and(|means| *means != Means::Unused);
            if known {
                continue;
            }
            let means = self.meaning(self.terms.get(*peer));
            if means == Means::Wide {
                self.wide.push(*peer);
                self.note_keys(*peer);
            }
            if let Some(slot) = self.means.get_mut(peer.0 as usize) {
                *slot = means;
            }
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
            None if term.needs.iter().all(|(field, _)| !matches!(field, super::term::Field::Space(_))) => return Means::Wide,
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

    fn far_of(&mut self, unit: &Unit) -> Both<Number> {
        Both { ingress: self.far_rules(&unit.rules.ingress), egress: self.far_rules(&unit.rules.egress) }
    }

    /// The rules of a unit as strangers see them, numbered. O(entries).
    fn far_rules(&mut self, rules: &Ruleset) -> Number {
        let wide = |term: &TermId| self.means.get(term.0 as usize).is_some_and(|means| *means == Means::Wide);
        let entries = rules.entries.iter().filter_map(|entry| {
            let peers: Box<[TermId]> = entry.peers.iter().copied().filter(wide).collect();
            let far = Entry { peers, field: ("", 0), condition: super::rules::Condition::default(), ..entry.clone() };
            (!far.peers.is_empty()).then_some(far)
        });
        let far = Ruleset { isolates: rules.isolates, entries: entries.collect() };
        self.rulesets.number(far)
    }
}

/// The ranges of a term of addresses, with what else they match; none there for those of nodes.
pub(super) fn ranges_of(term: &Term) -> Option<(&Ranges, Option<Over>)> {
    match term {
        Term::Addresses(ranges, over) => Some((ranges, Some(*over))),
        Term::Nodes(_, ranges) => Some((ranges, None)),
        Term::Perhaps(inner) => ranges_of(inner),
        _ => None,
    }
}

/// Cilium's mode `always`: everybody is isolated.
fn always(terms: &mut Terms) -> Unit {
    let closed = || Arc::new(Ruleset { isolates: true, entries: Box::default() });
    Unit {
        object: ObjectRef::new(Kind::CiliumConfig, "kube-system", "cilium-config"),
        prefix: "data".into(),
        tier: Tier::Normal,
        subject: Subject { scope: None, term: terms.number(Term::Pods(PodTerm::default())), at_most: Truth::Sure },
        rules: Both { ingress: closed(), egress: closed() },
        unclear: None,
    }
}
