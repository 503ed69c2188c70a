//! Cilium's policies.

use std::sync::Arc;

use super::Compiler;
use super::tier::nodes;
use crate::model::ciliumpolicy::{
    CiliumBlock, CiliumEntry, CiliumPeers, CiliumPolicyFact, CiliumPorts, CiliumRule, CiliumService, CiliumSubject,
};
use crate::model::ids::Name;
use crate::model::kind::Kind;
use crate::model::labels::{Is, LabelSelector};
use crate::model::networkpolicy::PolicyPort;
use crate::model::service::ServiceFact;
use crate::netpol::isolation::Direction;
use crate::netpol::portbook::Ports;
use crate::netpol::ranges::Ranges;
use crate::netpol::rules::{Condition, Entry, PortTerm, Ruleset, Subject, Tier, Unit, Verdict};
use crate::netpol::selector::NAMESPACE_NAME;
use crate::netpol::term::{Entities, Field, Over, PodTerm, Term, TermId, meets};
use crate::netpol::truth::{Both, Truth};

const POD_NAMESPACE: &str = "io.kubernetes.pod.namespace";
const NAMESPACE_LABELS: &str = "io.cilium.k8s.namespace.labels.";
const ACCOUNT: &str = "io.cilium.k8s.policy.serviceaccount";
const CLUSTER: &str = "io.cilium.k8s.policy.cluster";

/// Whether a policy names Services: what it means then hangs on them.
pub(in crate::netpol) fn uses_services(policy: &CiliumPolicyFact) -> bool {
    let names = |entry: &CiliumEntry| entry.peers.iter().any(|peer| matches!(peer, CiliumPeers::Services(_)));
    policy.rules.iter().any(|rule| rule.egress.iter().chain(&rule.egress_deny).any(names))
}

/// A Cilium policy as units, one for each rule object. O(size of the policy), and O(Services) where it selects those.
pub(in crate::netpol) fn cilium(policy: &CiliumPolicyFact, with: &mut Compiler<'_>) -> Vec<Unit> {
    let many = policy.rules.len() > 1;
    let prefix = |at: usize| if many { format!("specs[{at}]") } else { "spec".to_owned() };
    policy.rules.iter().enumerate().filter_map(|(at, rule)| unit(policy, rule, prefix(at).into(), with)).collect()
}

/// The namespace that a policy is limited to.
fn home(policy: &CiliumPolicyFact) -> Option<Name> {
    (policy.kind == Kind::CiliumNetworkPolicy).then(|| policy.meta.namespace.clone())
}

fn unit(policy: &CiliumPolicyFact, rule: &CiliumRule, prefix: Arc<str>, with: &mut Compiler<'_>) -> Option<Unit> {
    let scope = home(policy);
    let mut unclear = None;
    let (term, at_most) = match &rule.subject {
        // the host firewall's: no pod
        CiliumSubject::Nodes(_) => return None,
        CiliumSubject::Unreadable(what) => {
            unclear = Some(what.clone());
            (Term::Pods(PodTerm { scope: scope.clone(), ..PodTerm::default() }), Truth::Perhaps)
        }
        CiliumSubject::Endpoints(selector) => (subject(selector, scope.as_ref()), Truth::Sure),
    };
    let term = with.terms.number(term);
    let ingress = side(policy, rule, Direction::Ingress, with);
    let egress = side(policy, rule, Direction::Egress, with);
    let object = policy.meta.object(policy.kind);
    Some(Unit { object, prefix, tier: Tier::Normal, subject: Subject { scope, term, at_most }, rules: Both { ingress, egress }, unclear })
}

/// The subject: in a namespace's own policy, another namespace that it names is dropped.
fn subject(selector: &LabelSelector, scope: Option<&Name>) -> Term {
    let read = Keys::read(selector);
    let named = |(field, is): &(Field, Is)| *field == Field::Space(NAMESPACE_NAME.into()) && matches!(is, Is::In(_));
    let needs = read.needs.into_iter().filter(|need| scope.is_none() || !named(need)).collect();
    Term::Pods(PodTerm { scope: scope.cloned(), needs, beyond: false })
}

fn side(policy: &CiliumPolicyFact, rule: &CiliumRule, direction: Direction, with: &mut Compiler<'_>) -> Arc<Ruleset> {
    let (allow, deny, said, names) = match direction {
        Direction::Ingress => (&rule.ingress, &rule.ingress_deny, rule.default_deny_ingress, ("ingress", "ingressDeny")),
        Direction::Egress => (&rule.egress, &rule.egress_deny, rule.default_deny_egress, ("egress", "egressDeny")),
    };
    let requires: Vec<&LabelSelector> = allow.iter().flat_map(|entry| &entry.requires).collect();
    let mut entries = Vec::new();
    for (list, verdict, name) in [(deny, Verdict::Deny, names.1), (allow, Verdict::Allow, names.0)] {
        for (at, one) in (0..).zip(list) {
            let requires = if verdict == Verdict::Allow { &*requires } else { &[] };
            entries.push(entry(policy, one, (verdict, (name, at)), requires, with));
        }
    }
    let isolates = said.unwrap_or(!allow.is_empty() || !deny.is_empty());
    Arc::new(Ruleset { isolates, entries: entries.into() })
}

fn entry(
    policy: &CiliumPolicyFact,
    entry: &CiliumEntry,
    (verdict, field): (Verdict, (&'static str, u32)),
    requires: &[&LabelSelector],
    with: &mut Compiler<'_>,
) -> Entry {
    let ports = ports(entry, with);
    let mut peers: Vec<TermId> = Vec::new();
    for peer in &entry.peers {
        for term in peer_terms(policy, peer, with).into_iter().filter_map(|term| require(term, requires, policy)) {
            peers.push(with.terms.number(term));
        }
    }
    if entry.peers.is_empty() && entry.ports.is_some() {
        peers.extend(require(Term::Anybody, requires, policy).map(|term| with.terms.number(term)));
    }
    let filtered = entry.ports.iter().flatten().any(|ports| ports.filtered);
    let names = entry.peers.iter().any(|peer| matches!(peer, CiliumPeers::Names(_)));
    let condition = Condition { filtered, authenticated: entry.authenticated, names };
    Entry { verdict, peers: peers.into(), ports, inside_only: false, condition, field }
}

/// `toPorts`: nothing said is every port, but for an entry about ICMP, which names none.
fn ports(entry: &CiliumEntry, with: &mut Compiler<'_>) -> PortTerm {
    let every = |ports: &CiliumPorts| ports.ports.is_empty();
    match &entry.ports {
        None if entry.icmp_only => PortTerm::default(),
        Some(list) if !list.is_empty() && !list.iter().any(every) => {
            let all: Vec<PolicyPort> = list.iter().flat_map(|ports| ports.ports.iter().cloned()).collect();
            with.port_term(Some(&all), false)
        }
        _ => PortTerm { sure: Ports::ALL, perhaps: Ports::ALL, named: Box::default() },
    }
}

fn peer_terms(policy: &CiliumPolicyFact, peer: &CiliumPeers, with: &Compiler<'_>) -> Vec<Term> {
    let scope = home(policy);
    match peer {
        CiliumPeers::Endpoints(selectors) => selectors.iter().map(|selector| endpoint(selector, scope.as_ref())).collect(),
        CiliumPeers::Entities(words) => words.iter().map(|word| entity(word).map_or(Term::Unclear, Term::Entities)).collect(),
        CiliumPeers::Blocks(blocks) => blocks.iter().flat_map(|block| addresses(block, with)).collect(),
        CiliumPeers::Nodes(selectors) => selectors.iter().flat_map(|selector| nodes(&bare(selector), with)).collect(),
        CiliumPeers::Services(services) => services.iter().flat_map(|service| service_terms(service, with)).collect(),
        CiliumPeers::Names(names) if names.is_empty() => Vec::new(),
        CiliumPeers::Names(_) => vec![Term::Names],
        CiliumPeers::Unreadable(_) => vec![Term::Unclear],
    }
}

/// A peer selector: where it says nothing of a namespace, a namespace's policy means its own, a cluster-wide one any pod.
fn endpoint(selector: &LabelSelector, scope: Option<&Name>) -> Term {
    let read = Keys::read(selector);
    let everywhere = read.names_space || read.reserved;
    let scope = if everywhere { None } else { scope.cloned() };
    // ends that are no pods have none of the labels, which some requirements ask for
    let lacking = |(field, is): &(Field, Is)| matches!(field, Field::Reserved(_)) || meets(None, is) != Truth::No;
    let beyond = everywhere && read.needs.iter().all(lacking);
    Term::Pods(PodTerm { scope, needs: read.needs.into(), beyond })
}

/// Limits a peer to pods that all of these select, too; none where nobody is left.
fn require(term: Term, requires: &[&LabelSelector], policy: &CiliumPolicyFact) -> Option<Term> {
    if requires.is_empty() {
        return Some(term);
    }
    let mut limited = match term {
        Term::Pods(term) => PodTerm { beyond: false, ..term },
        Term::Anybody => PodTerm::default(),
        Term::Entities(entities) if entities.pods => PodTerm::default(),
        Term::Unclear => return Some(Term::Unclear),
        _ => return None,
    };
    for selector in requires {
        let read = Keys::read(selector);
        limited.needs = limited.needs.into_iter().chain(read.needs).collect();
        if let (Some(home), false) = (home(policy), read.names_space || read.reserved) {
            limited.needs = limited.needs.into_iter().chain([(Field::Space(NAMESPACE_NAME.into()), Is::In([home].into()))]).collect();
        }
    }
    Some(Term::Pods(limited))
}

fn addresses(block: &CiliumBlock, with: &Compiler<'_>) -> Vec<Term> {
    let less = |except: &[ipnet::IpNet]| Ranges::new(except.iter().copied());
    match block {
        CiliumBlock::Range { cidr, except } => vec![Term::Addresses(Ranges::new([*cidr]).minus(&less(except)), Over::World)],
        CiliumBlock::Group { name, except } => {
            let Some(group) = with.snapshot.cluster.cidr_groups.get(name) else { return Vec::new() };
            let known = Term::Addresses(Ranges::new(group.cidrs.iter().copied()).minus(&less(except)), Over::World);
            if group.unreadable { vec![known, unknown_range()] } else { vec![known] }
        }
        CiliumBlock::Unreadable(_) => vec![unknown_range()],
    }
}

/// A range that can't be read may hold any address.
fn unknown_range() -> Term {
    Term::Perhaps(Box::new(Term::Addresses(Ranges::all(), Over::World)))
}

/// The pods behind Services, of any namespace where none is said; where a Service has no selector, the addresses of its endpoints.
fn service_terms(service: &CiliumService, with: &Compiler<'_>) -> Vec<Term> {
    let of = |namespace: &Option<Name>| {
        let namespace = namespace.clone();
        with.snapshot.namespaces.iter().filter(move |(name, _)| namespace.as_ref().is_none_or(|only| only == *name)).map(|(_, facts)| facts)
    };
    let found: Vec<&Arc<ServiceFact>> = match service {
        CiliumService::Named { namespace, name } => of(namespace).filter_map(|facts| facts.services.get(name)).collect(),
        CiliumService::Selected { namespace, selector } if selector.is_everything() => {
            of(namespace).flat_map(|facts| facts.services.values()).collect()
        }
        // the labels of Services are not kept: which are meant is not known
        CiliumService::Selected { .. } => return vec![Term::Unclear],
    };
    found.into_iter().flat_map(|service| one_service(service, with)).collect()
}

fn one_service(service: &ServiceFact, with: &Compiler<'_>) -> Vec<Term> {
    let namespace = service.meta.namespace.clone();
    if let Some(labels) = &service.selector {
        let needs = labels.iter().map(|(key, value)| (Field::Pod(key.clone()), Is::In([value.clone()].into()))).collect();
        return vec![Term::Pods(PodTerm { scope: Some(namespace), needs, beyond: false })];
    }
    let slices = with.snapshot.namespace(&namespace).into_iter().flat_map(|facts| facts.endpoint_slices.values());
    let own = slices.filter(|slice| slice.service.as_ref() == Some(&service.meta.name));
    vec![Term::Addresses(Ranges::of_addresses(own.flat_map(|slice| slice.addresses.iter().copied())), Over::World)]
}

/// An entity by name; none for one this program does not know.
fn entity(word: &str) -> Option<Entities> {
    let none = Entities::default();
    let cluster = Entities { pods: true, host: true, remote: true, ..none };
    Some(match word {
        "all" => Entities { world_v4: true, world_v6: true, api: true, ..cluster },
        "cluster" => cluster,
        "world" => Entities { world_v4: true, world_v6: true, ..none },
        "world-ipv4" => Entities { world_v4: true, ..none },
        "world-ipv6" => Entities { world_v6: true, ..none },
        "host" => Entities { host: true, ..none },
        "remote-node" => Entities { remote: true, ..none },
        "kube-apiserver" => Entities { api: true, ..none },
        // the proxy, health endpoints, pods that Cilium does not manage: none of ours
        "none" | "ingress" | "health" | "init" | "unmanaged" => none,
        _ => return None,
    })
}

/// A selector without the source prefixes of its keys.
fn bare(selector: &LabelSelector) -> LabelSelector {
    let mut selector = selector.clone();
    for requirement in &mut selector.requirements {
        requirement.key = split(&requirement.key).1.into();
    }
    selector
}

/// The source prefix and the key: `k8s:app`.
fn split(key: &str) -> (Option<&str>, &str) {
    key.split_once(':').map_or((None, key), |(source, key)| (Some(source), key))
}

/// A selector in Cilium's keys, read.
#[derive(Default)]
struct Keys {
    needs: Vec<(Field, Is)>,
    /// It says which namespaces.
    names_space: bool,
    /// It names a reserved identity.
    reserved: bool,
}

impl Keys {
    fn read(selector: &LabelSelector) -> Self {
        let mut read = Self::default();
        for requirement in &selector.requirements {
            let is = requirement.is.clone();
            match split(&requirement.key) {
                (Some("reserved"), word) => {
                    read.reserved = true;
                    read.needs.push((Field::Reserved(word.into()), is));
                }
                (None | Some("any" | "k8s"), key) => {
                    read.names_space |= key == POD_NAMESPACE;
                    read.needs.push((Self::field(key), if key == CLUSTER { Is::Unknown("cluster".into()) } else { is }));
                }
                // labels of other sources: no pod of Kubernetes has them
                (Some(_), _) => read.needs.push((Field::Pod(requirement.key.clone()), is)),
            }
        }
        read
    }

    fn field(key: &str) -> Field {
        if key == POD_NAMESPACE {
            Field::Space(NAMESPACE_NAME.into())
        } else if let Some(label) = key.strip_prefix(NAMESPACE_LABELS) {
            Field::Space(label.into())
        } else if key == ACCOUNT {
            Field::Account
        } else {
            Field::Pod(key.into())
        }
    }
}
