//! The judge: who can reach whom, straight from section 2 of the network specification. One question at a time, no index, no cache, no
//! cleverness: for every question it walks all policies.

use std::cell::Cell;
use std::net::IpAddr;

use partywall::model::adminpolicy::{AdminPolicyFact, Tier, TierAction, TierPeer, TierRule, TierSubject};
use partywall::model::containers::{ContainerRole, PortProtocol};
use partywall::model::ids::Name;
use partywall::model::kind::Kind;
use partywall::model::labels::LabelSet;
use partywall::model::networkpolicy::{Peer, PolicyRule};
use partywall::model::pod::PodFact;
use partywall::model::snapshot::Snapshot;
use partywall::netpol::isolation::Direction::{self, Egress, Ingress};
use partywall::netpol::profile::{Edges, Enforcement, HostNetwork, Profile};
use partywall::netpol::story::End;

use crate::oracle_match::{Address, L4, Names, No, Table, Tri, Undefined, Yes, all, any, block, port, selected, split};

/// What stands at one end of a connection, of one address family.
#[derive(Clone, Debug)]
pub struct Party {
    pub sort: Sort,
    /// Namespace of a pod.
    pub namespace: Name,
    pub labels: Table,
    pub namespace_labels: Table,
    pub address: Address,
    /// The node it runs on, or is.
    pub node: Option<Name>,
    pub names: Names,
    /// None for a pod that is only imagined.
    pub service_account: Option<Name>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// A pod that policies can be about.
    Pod,
    /// A node, or a pod that counts as its node.
    Node,
    /// Anything outside.
    World,
}

/// The judge of one snapshot.
pub struct Oracle<'a> {
    pub snapshot: &'a Snapshot,
    pub profile: Profile,
    pub edges: Edges,
    pub enforcement: Enforcement,
    /// Doubts are read both ways together; otherwise each is weighed alone, which leaves more undefined than is.
    pub exact: bool,
    /// While all ways of reading what cannot be read are tried: which one (a bit each), and how many were asked for so far.
    reading: Cell<Option<(u64, u32)>>,
}

impl<'a> Oracle<'a> {
    pub fn new(snapshot: &'a Snapshot, profile: Profile) -> Self {
        Self { snapshot, profile, edges: profile.edges(), enforcement: Enforcement::Default, exact: true, reading: Cell::new(None) }
    }

    /// Whether a connection is possible. None where an end is not there.
    pub fn judge(&self, from: &End, to: &End, protocol: PortProtocol, port: u16) -> Option<Tri> {
        self.judge_all(from, to, &[L4 { protocol, port }]).map(|list| list[0])
    }

    /// The same for several ports of one pair.
    pub fn judge_all(&self, from: &End, to: &End, ports: &[L4]) -> Option<Vec<Tri>> {
        let (sources, destinations) = (self.parties(from)?, self.parties(to)?);
        if matches!(from, End::Pod { .. }) && from == to {
            return Some(vec![Yes; ports.len()]);
        }
        let one = |l4: &L4| {
            let mut verdicts = Vec::new();
            for source in &sources {
                for destination in destinations.iter().filter(|destination| can_meet(source, destination)) {
                    let out = self.side(Egress, source, destination, *l4);
                    verdicts.push(out.and(self.side(Ingress, destination, source, *l4)));
                }
            }
            any(verdicts)
        };
        Some(ports.iter().map(one).collect())
    }

    /// One party for each address that an end has.
    pub fn parties(&self, end: &End) -> Option<Vec<Party>> {
        match end {
            End::Pod { namespace, name } => {
                let pod = self.snapshot.namespaces.get(namespace)?.pods.get(name)?;
                let skipped = self.edges.skips_virt_launcher && name.starts_with("virt-launcher-");
                if (pod.finished() && !self.edges.finished_count) || skipped {
                    return None;
                }
                Some(self.pod(pod))
            }
            End::Imagined { namespace, labels } => Some(vec![Party {
                sort: Sort::Pod,
                namespace: namespace.clone(),
                labels: table(labels),
                namespace_labels: self.namespace_labels(namespace),
                address: Address::Hidden,
                node: None,
                names: Names::Anything,
                service_account: None,
            }]),
            End::Address(ip) => Some(vec![self.outside(*ip)]),
            _ => None,
        }
    }

    fn pod(&self, pod: &PodFact) -> Vec<Party> {
        let as_node = pod.host_network && self.edges.host_network != HostNetwork::Ordinary;
        let mut addresses: Vec<Address> = pod.ips.iter().map(|ip| Address::Known(*ip)).collect();
        if as_node && addresses.is_empty() {
            let node = pod.node.as_ref().and_then(|node| self.snapshot.nodes.get(node));
            addresses.extend(node.iter().flat_map(|node| node.ips.iter().map(|ip| Address::Known(*ip))));
        }
        if addresses.is_empty() {
            addresses.push(Address::None);
        }
        let declared = pod.containers.iter().filter(|c| c.role != ContainerRole::Init).flat_map(|c| c.ports.iter());
        let declared = declared.filter_map(|p| Some((p.name.as_ref()?.to_string(), p.protocol, p.port))).collect();
        let party = |address| Party {
            sort: if as_node { Sort::Node } else { Sort::Pod },
            namespace: pod.meta.namespace.clone(),
            labels: table(&pod.labels),
            namespace_labels: self.namespace_labels(&pod.meta.namespace),
            address,
            node: pod.node.clone(),
            names: if as_node { Names::None } else { Names::Declared(Vec::clone(&declared)) },
            service_account: Some(pod.service_account.clone()),
        };
        addresses.into_iter().map(party).collect()
    }

    fn outside(&self, ip: IpAddr) -> Party {
        let node = self.snapshot.nodes.values().find(|node| node.ips.contains(&ip));
        Party {
            sort: if node.is_some() { Sort::Node } else { Sort::World },
            namespace: "".into(),
            labels: Table::new(),
            namespace_labels: Table::new(),
            address: Address::Known(ip),
            node: node.map(|node| node.meta.name.clone()),
            names: Names::None,
            service_account: None,
        }
    }

    /// The labels of a namespace; its own name is always among them.
    pub fn namespace_labels(&self, namespace: &str) -> Table {
        let own = self.snapshot.namespaces.get(namespace).and_then(|facts| facts.own.as_ref());
        let mut labels = own.map(|own| table(&own.labels)).unwrap_or_default();
        labels.entry("kubernetes.io/metadata.name".to_owned()).or_insert_with(|| namespace.to_owned());
        labels
    }

    /// Whether one end lets the connection through. An end that is not a pod under policy does.
    pub fn side(&self, direction: Direction, me: &Party, peer: &Party, l4: L4) -> Tri {
        if me.sort != Sort::Pod {
            return Yes;
        }
        let judged = self.foreign(direction, me, self.exactly(direction, me, peer, l4));
        // traffic from the pod's own node is always let in
        let from_own_node = if direction == Ingress && self.own_node_is_let_in() { self.same_node(me, peer) } else { No };
        split(from_own_node, Yes, judged)
    }

    /// Sure is what is so however one reads what cannot be read. Every doubt (whether a policy is about this pod, whether a rule matches)
    /// is read both ways, alone and with all others; where there are too many, each is weighed alone.
    fn exactly(&self, direction: Direction, me: &Party, peer: &Party, l4: L4) -> Tri {
        const MOST: u32 = 10;
        let read = |reading: u64| {
            self.reading.set(Some((reading, 0)));
            let verdict = self.tiers(direction, me, peer, l4);
            (verdict, self.reading.take().map_or(0, |(_, asked)| asked))
        };
        let (first, doubts) = if self.exact { read(0) } else { (No, u32::MAX) };
        if doubts > MOST {
            return self.tiers(direction, me, peer, l4);
        }
        let agreed = (1..1_u64 << doubts).all(|reading| read(reading).0 == first);
        if agreed { first } else { Undefined }
    }

    /// A doubt: as the reading that is being tried has it.
    pub fn settle(&self, doubt: Tri) -> Tri {
        match (doubt, self.reading.get()) {
            (Undefined, Some((reading, asked))) => {
                self.reading.set(Some((reading, asked + 1)));
                Tri::of(reading >> asked.min(63) & 1 == 1)
            }
            (doubt, _) => doubt,
        }
    }

    fn own_node_is_let_in(&self) -> bool {
        let config = self.snapshot.cluster.cilium_config.as_ref().and_then(|config| config.allow_localhost.as_deref());
        match self.profile {
            Profile::Spec => true,
            Profile::Cilium => config != Some("policy"),
            Profile::NpGuard => false,
        }
    }

    /// Whether the peer is the node that a pod runs on.
    pub fn same_node(&self, me: &Party, peer: &Party) -> Tri {
        match (peer.sort, &me.node, &peer.node) {
            (Sort::Node, Some(mine), Some(its)) => Tri::of(mine == its),
            (Sort::Node, ..) => Undefined,
            _ => No,
        }
    }

    /// Policies of engines that are not evaluated, in scope of this pod.
    fn foreign(&self, direction: Direction, me: &Party, judged: Tri) -> Tri {
        let near = self.snapshot.namespaces.get(&me.namespace).into_iter().flat_map(|facts| facts.foreign.keys());
        near.chain(self.snapshot.cluster.foreign.keys()).fold(judged, |judged, (kind, _)| match (kind, direction) {
            (Kind::EgressFirewall, Ingress) | (Kind::AuthorizationPolicy, Egress) => judged,
            (Kind::EgressFirewall | Kind::AuthorizationPolicy, _) => judged.min(Undefined),
            _ => Undefined,
        })
    }

    fn tiers(&self, direction: Direction, me: &Party, peer: &Party, l4: L4) -> Tri {
        let enforcement = if self.profile == Profile::Cilium { self.enforcement } else { Enforcement::Default };
        if enforcement == Enforcement::Never {
            return Yes;
        }
        let baseline = self.ordered(&Tier::Baseline, direction, me, peer, l4, Yes);
        let middle = self.middle(enforcement, direction, me, peer, l4, baseline);
        let admin = self.ordered(&Tier::Admin, direction, me, peer, l4, middle);
        let unreadable = self.snapshot.cluster.admin.values().filter(|p| matches!(p.tier, Tier::Unreadable(_)));
        let in_doubt = any(unreadable.map(|p| subject(p, me)));
        split(in_doubt, Undefined, admin)
    }

    /// A tier of cluster-wide policies: by priority, then name; the first rule that matches decides.
    fn ordered(&self, tier: &Tier, direction: Direction, me: &Party, peer: &Party, l4: L4, next: Tri) -> Tri {
        let mut policies: Vec<&AdminPolicyFact> =
            self.snapshot.cluster.admin.values().map(|policy| &**policy).filter(|policy| policy.tier == *tier).collect();
        policies.sort_by_key(|policy| (policy.priority, policy.meta.name.clone()));
        // from the last rule to the first, each with what would happen without it in hand
        policies.iter().rev().fold(next, |after, policy| {
            let about_me = self.settle(subject(policy, me));
            rules(policy, direction).iter().rev().fold(after, |after, rule| {
                let (matches, outcome) = self.tier_rule(rule, peer, if direction == Ingress { me } else { peer }, l4, next);
                split(about_me.and(self.settle(matches)), self.settle(outcome), after)
            })
        })
    }

    /// Whether a rule matches, and what follows if it does.
    fn tier_rule(&self, rule: &TierRule, peer: &Party, destination: &Party, l4: L4, next: Tri) -> (Tri, Tri) {
        let unreadable = rule.peers.iter().any(|peer| matches!(peer, TierPeer::Unreadable(_)));
        if unreadable && matches!(rule.action, TierAction::Deny | TierAction::Pass) {
            return (Yes, No);
        }
        let ports = rule.ports.as_ref().map_or(Yes, |ports| any(ports.iter().map(|p| port(p, l4, &destination.names))));
        let peers = any(rule.peers.iter().map(|candidate| self.tier_peer(candidate, peer)));
        let outcome = match rule.action {
            TierAction::Allow => Yes,
            TierAction::Deny => No,
            TierAction::Pass => next,
            TierAction::Unreadable(_) => Undefined,
        };
        (peers.and(ports), outcome)
    }

    fn tier_peer(&self, peer: &TierPeer, party: &Party) -> Tri {
        match peer {
            TierPeer::Namespaces(namespaces) if party.sort == Sort::Pod => selected(namespaces, &party.namespace_labels),
            TierPeer::Pods { namespaces, pods } if party.sort == Sort::Pod => {
                selected(namespaces, &party.namespace_labels).and(selected(pods, &party.labels))
            }
            TierPeer::Nodes(nodes) if party.sort == Sort::Node => {
                let node = party.node.as_ref().and_then(|node| self.snapshot.nodes.get(node));
                node.map_or(No, |node| selected(nodes, &table(&node.labels)))
            }
            TierPeer::Networks(list) => any(list.iter().map(|net| self.range(net, &[], party))),
            TierPeer::DomainNames(_) if party.sort == Sort::World => Undefined,
            _ => No,
        }
    }

    /// Whether a range of NetworkPolicy or of the cluster-wide tiers covers a party, as the profile reads it.
    fn range(&self, net: &ipnet::IpNet, except: &[ipnet::IpNet], party: &Party) -> Tri {
        let applies = match party.sort {
            Sort::Pod => self.edges.cidr_matches_pods || self.range_mode(Sort::Pod),
            Sort::Node => self.edges.cidr_matches_nodes || self.range_mode(Sort::Node),
            Sort::World => true,
        };
        let ignored = matches!(net, ipnet::IpNet::V6(_)) && !self.edges.ipv6;
        if applies && !ignored { block(net, except, party.address) } else { No }
    }

    /// Whether Cilium is told to match ranges against pods or nodes, too.
    pub fn range_mode(&self, sort: Sort) -> bool {
        let mode = self.snapshot.cluster.cilium_config.as_ref().and_then(|config| config.cidr_match_mode.as_deref()).unwrap_or_default();
        let wanted = if sort == Sort::Pod { "pods" } else { "nodes" };
        self.profile == Profile::Cilium && mode.split(',').any(|word| word.trim() == wanted)
    }

    /// NetworkPolicies and Cilium's policies: Cilium's denials first, then one union of what is allowed.
    fn middle(&self, enforcement: Enforcement, direction: Direction, me: &Party, peer: &Party, l4: L4, next: Tri) -> Tri {
        let (mut isolated, mut allowed) = (Tri::of(enforcement == Enforcement::Always), No);
        let ignored = self.profile == Profile::Cilium
            && self.snapshot.cluster.cilium_config.as_ref().is_some_and(|config| config.k8s_network_policy == Some(false));
        let policies = self.snapshot.namespaces.get(&me.namespace).into_iter().flat_map(|facts| facts.policies.values());
        for policy in policies.filter(|policy| policy.isolates(direction) && !ignored) {
            let selects = self.settle(selected(&policy.pods, &me.labels));
            isolated = isolated.or(selects);
            let matching =
                policy.rules(direction).iter().map(|rule| self.settle(self.rule(rule, &policy.meta.namespace, direction, me, peer, l4)));
            allowed = allowed.or(selects.and(any(matching)));
        }
        let cilium = self.cilium(direction, me, peer, l4);
        let isolated = isolated.or(cilium.isolated);
        let open = split(isolated, allowed.or(cilium.allowed), split(cilium.allowed, Yes, next));
        split(cilium.denied, No, open)
    }

    fn rule(&self, rule: &PolicyRule, namespace: &str, direction: Direction, me: &Party, peer: &Party, l4: L4) -> Tri {
        let destination = if direction == Ingress { me } else { peer };
        let peers = any(rule.peers.iter().map(|candidate| self.peer(candidate, namespace, peer)));
        let ports = any(rule.ports.iter().map(|entry| port(entry, l4, &destination.names)));
        all([if rule.peers.is_empty() { Yes } else { peers }, if rule.ports.is_empty() { Yes } else { ports }])
    }

    fn peer(&self, peer: &Peer, own: &str, party: &Party) -> Tri {
        match peer {
            Peer::Pods { namespaces, pods } if party.sort == Sort::Pod => {
                let namespace = namespaces.as_ref().map_or(Tri::of(*party.namespace == *own), |s| selected(s, &party.namespace_labels));
                namespace.and(pods.as_ref().map_or(Yes, |pods| selected(pods, &party.labels)))
            }
            Peer::Pods { .. } => No,
            Peer::Block { cidr, except } => self.range(cidr, except, party),
            Peer::Unreadable(_) => Undefined,
        }
    }
}

fn rules(policy: &AdminPolicyFact, direction: Direction) -> &[TierRule] {
    if direction == Ingress { &policy.ingress } else { &policy.egress }
}

fn subject(policy: &AdminPolicyFact, me: &Party) -> Tri {
    match &policy.subject {
        TierSubject::Namespaces(namespaces) => selected(namespaces, &me.namespace_labels),
        TierSubject::Pods { namespaces, pods } => selected(namespaces, &me.namespace_labels).and(selected(pods, &me.labels)),
        TierSubject::Unreadable(_) => Undefined,
    }
}

/// Two addresses can only meet within a family.
fn can_meet(a: &Party, b: &Party) -> bool {
    match (a.address, b.address) {
        (Address::Known(a), Address::Known(b)) => a.is_ipv4() == b.is_ipv4(),
        _ => true,
    }
}

pub fn table(labels: &LabelSet) -> Table {
    labels.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect()
}
