//! What classes of pods are judged on: compiled units, terms with the namespaces they mean, addresses, and tables of what looks the same from afar.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::atoms::Atoms;
use super::class::Names;
use super::compile::{Compiler, Terms, cilium, foreign_unit, network, tier, uses_services};
use super::numbers::{Number, Numbers};
use super::portbook::PortBook;
use super::profile::{Edges, Enforcement, Profile};
use super::ranges::Ranges;
use super::reach::Options;
use super::rules::{Ruleset, Subject, Tier, Unit, UnitId};
use super::survey::Effects;
use super::term::{Over, PodTerm, SpaceIndex, Switches, Term, TermId};
use super::truth::{Both, Truth};
use crate::model::ids::{Name, ObjectRef};
use crate::model::kind::Kind;
use crate::model::labels::LabelSet;
use crate::model::snapshot::{NamespaceFacts, Snapshot};

/// Whom a term may mean.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(super) enum Means {
    /// Not a peer of any entry.
    #[default]
    Unused,
    /// Pods of these namespaces.
    Narrow(Box<[u32]>),
    /// Anybody.
    Wide,
}

/// Rules that apply, as they look to whoever is meant by terms for everybody only.
pub(super) type FarSide = Box<[(Truth, Tier, Number)]>;

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
    /// Whom each term means.
    pub means: Vec<Means>,
    /// How many peers of entries each term is.
    pub users: Vec<u32>,
    /// Numbers of units that are gone.
    pub free: Vec<UnitId>,
    pub units: Vec<Option<Unit>>,
    /// Each unit's rules as strangers see them.
    pub far: Vec<Both<Number>>,
    /// Units about the whole cluster.
    pub global: Vec<UnitId>,
    /// Peer terms that are meant for everybody, but for ranges of addresses.
    pub wide: Vec<TermId>,
    /// Peer terms that are ranges of addresses.
    pub ranges: Vec<TermId>,
    /// Labels that terms meant for everybody look at.
    pub keys: FxHashSet<Name>,
    /// Whether any term looks at service accounts.
    pub accounts: bool,
    /// Names of ports that entries use, and how often.
    pub port_names: FxHashMap<Name, u32>,
    pub atoms: Atoms,
    /// Addresses of nodes by name.
    pub node_ips: FxHashMap<Name, Box<[IpAddr]>>,
    /// Sets of address terms that a pod of tomorrow may find itself in.
    pub pod_space: [BTreeSet<Number>; 2],
    pub rulesets: Numbers<Ruleset>,
    pub sides: Numbers<FarSide>,
    pub groups: Numbers<Group>,
    pub faces: Numbers<Face>,
    /// Some policy means what is behind Services.
    pub services: bool,
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
            users: Vec::new(),
            free: Vec::new(),
            units: Vec::new(),
            far: Vec::new(),
            global: Vec::new(),
            wide: Vec::new(),
            ranges: Vec::new(),
            keys: FxHashSet::default(),
            accounts: false,
            port_names: FxHashMap::default(),
            atoms: Atoms::default(),
            node_ips: snapshot.nodes.values().map(|node| (node.meta.name.clone(), node.ips.clone())).collect(),
            pod_space: Default::default(),
            rulesets: Numbers::default(),
            sides: Numbers::default(),
            groups: Numbers::default(),
            faces: Numbers::default(),
            services: false,
            spaces: SpaceIndex::default(),
            space_labels: Vec::new(),
        }
    }

    pub(super) fn unit(&self, id: UnitId) -> Option<&Unit> {
        self.units.get(id as usize).and_then(Option::as_ref)
    }

    /// How much is kept in tables that only grow.
    pub(super) fn size(&self) -> usize {
        [self.ports.len(), self.terms.len(), self.rulesets.len(), self.sides.len(), self.groups.len(), self.faces.len()].iter().sum()
    }

    /// Compiles the cluster-wide policies. O(their size).
    pub(super) fn compile_cluster(&mut self, snapshot: &Snapshot, effects: &mut Effects) {
        let mut with = Compiler { snapshot, terms: &mut self.terms, ports: &mut self.ports };
        let mut units: Vec<Unit> = snapshot.cluster.admin.values().map(|policy| tier(policy, &mut with)).collect();
        units.extend(snapshot.cluster.cilium.values().flat_map(|policy| cilium(policy, &mut with)));
        units.extend(snapshot.cluster.foreign.values().map(|policy| foreign_unit(policy, &mut with)));
        if self.mode.enforcement == Enforcement::Always {
            units.push(always(&mut self.terms));
        }
        for unit in units {
            self.enlist(unit, effects);
        }
        self.services = snapshot.cluster.cilium.values().any(|policy| uses_services(policy));
    }

    /// Compiles policies of a namespace that are not among `known`, forgets those that are gone; true when there were any. O(policies, and the size of
    /// those that are new).
    pub(super) fn compile_space(
        &mut self,
        snapshot: &Snapshot,
        (before, now): (&NamespaceFacts, &NamespaceFacts),
        known: &mut Known,
        effects: &mut Effects,
    ) -> bool {
        let mut fresh: Known = Known::new();
        let mut changed = false;
        let mut with = Compiler { snapshot, terms: &mut self.terms, ports: &mut self.ports };
        let mut compiled: Vec<(PolicyKey, Vec<Unit>)> = Vec::new();
        let mut keep = |key: PolicyKey, same: bool, known: &mut Known| {
            let units = known.get_mut(&key).filter(|_| same).map(std::mem::take);
            let kept = units.is_some();
            if let Some(units) = units {
                known.remove(&key);
                fresh.insert(key, units);
            }
            kept
        };
        for (name, policy) in now.policies.iter().filter(|_| self.mode.network_policy) {
            let same = before.policies.get(name).is_some_and(|old| Arc::ptr_eq(old, policy));
            let key = (Kind::NetworkPolicy, name.clone());
            if !keep(key.clone(), same, known) {
                compiled.push((key, vec![network(policy, &mut with)]));
            }
        }
        for (name, policy) in &now.cilium {
            let same = before.cilium.get(name).is_some_and(|old| Arc::ptr_eq(old, policy));
            let key = (Kind::CiliumNetworkPolicy, name.clone());
            if !keep(key.clone(), same, known) {
                self.services |= uses_services(policy);
                compiled.push((key, cilium(policy, &mut with)));
            }
        }
        for (key, policy) in &now.foreign {
            let same = before.foreign.get(key).is_some_and(|old| Arc::ptr_eq(old, policy));
            if !keep(key.clone(), same, known) {
                compiled.push((key.clone(), vec![foreign_unit(policy, &mut with)]));
            }
        }
        changed |= !compiled.is_empty() || !known.is_empty();
        // what comes goes before what goes, so that a term that both use is never without a user
        for (key, units) in compiled {
            let units = units.into_iter().map(|unit| self.enlist(unit, effects)).collect();
            fresh.insert(key, units);
        }
        for id in std::mem::replace(known, fresh).into_values().flatten() {
            self.dismiss(id, effects);
        }
        changed
    }
}

/// A policy of a namespace.
pub(super) type PolicyKey = (Kind, Name);
/// The units of each policy of a namespace.
pub(super) type Known = BTreeMap<PolicyKey, Vec<UnitId>>;

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
