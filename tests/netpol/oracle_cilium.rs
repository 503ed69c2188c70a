//! The judge on Cilium's policies (section 2.4).

use partywall::model::ciliumpolicy::{CiliumBlock, CiliumEntry, CiliumPeers, CiliumPolicyFact, CiliumRule, CiliumService, CiliumSubject};
use partywall::model::labels::{Is, LabelSelector};
use partywall::netpol::isolation::Direction::{self, Ingress};

use crate::oracle::{Oracle, Party, Sort, table};
use crate::oracle_match::{Address, L4, Label, No, Tri, Undefined, Yes, all, any, block, port, requirement, selected};

const NAMESPACE: &str = "io.kubernetes.pod.namespace";
const NAMESPACE_LABELS: &str = "io.cilium.k8s.namespace.labels.";
const SERVICE_ACCOUNT: &str = "io.cilium.k8s.policy.serviceaccount";

/// What Cilium's policies say of one side of a connection.
pub struct Said {
    pub denied: Tri,
    pub isolated: Tri,
    pub allowed: Tri,
}

impl Oracle<'_> {
    pub fn cilium(&self, direction: Direction, me: &Party, peer: &Party, l4: L4) -> Said {
        let mut said = Said { denied: No, isolated: No, allowed: No };
        let own = self.snapshot.namespaces.get(&me.namespace).into_iter().flat_map(|facts| facts.cilium.values());
        for policy in own.chain(self.snapshot.cluster.cilium.values()) {
            for rule in &policy.rules {
                let (allow, deny, asked) = match direction {
                    Ingress => (&rule.ingress, &rule.ingress_deny, rule.default_deny_ingress),
                    Direction::Egress => (&rule.egress, &rule.egress_deny, rule.default_deny_egress),
                };
                let about_me = self.settle(self.about(policy, rule, me));
                let default_deny = asked.unwrap_or(!allow.is_empty() || !deny.is_empty());
                said.isolated = said.isolated.or(about_me.and(Tri::of(default_deny)));
                let matches = |entry: &CiliumEntry| about_me.and(self.settle(self.entry(entry, policy, direction, me, peer, l4)));
                // requirements of one entry limit the peers of all entries of the same endpoints
                let limits: Vec<&LabelSelector> = allow.iter().flat_map(|entry| entry.requires.iter()).collect();
                let limit = all(limits.iter().map(|selector| self.endpoint(selector, &policy.meta.namespace, me, peer)));
                said.allowed = said.allowed.or(any(allow.iter().map(matches)).and(limit));
                said.denied = said.denied.or(any(deny.iter().map(matches)));
            }
        }
        said
    }

    fn about(&self, policy: &CiliumPolicyFact, rule: &CiliumRule, me: &Party) -> Tri {
        let namespace = &policy.meta.namespace;
        let in_reach = Tri::of(namespace.is_empty() || *namespace == me.namespace);
        match &rule.subject {
            CiliumSubject::Endpoints(selector) => {
                // a namespace named by a namespaced policy is replaced by its own
                let counts = |key: &str, is: &Is| namespace.is_empty() || source(key).1 != NAMESPACE || !matches!(is, Is::In(_));
                let counted = selector.requirements.iter().filter(|r| counts(&r.key, &r.is));
                in_reach.and(all(counted.map(|r| requirement(&r.is, &self.label(&r.key, me, me)))))
            }
            CiliumSubject::Nodes(_) => No,
            CiliumSubject::Unreadable(_) => in_reach.and(Undefined),
        }
    }

    fn entry(&self, entry: &CiliumEntry, policy: &CiliumPolicyFact, direction: Direction, me: &Party, peer: &Party, l4: L4) -> Tri {
        if entry.icmp_only && entry.ports.is_none() {
            return No;
        }
        let destination = if direction == Ingress { me } else { peer };
        let ports = entry.ports.as_ref().map_or(Yes, |lists| {
            any(lists
                .iter()
                .map(|list| if list.ports.is_empty() { Yes } else { any(list.ports.iter().map(|p| port(p, l4, &destination.names))) }))
        });
        let peers = if entry.peers.is_empty() {
            Tri::of(entry.ports.is_some())
        } else {
            any(entry.peers.iter().map(|member| self.member(member, policy, me, peer)))
        };
        peers.and(ports)
    }

    fn member(&self, member: &CiliumPeers, policy: &CiliumPolicyFact, me: &Party, peer: &Party) -> Tri {
        let own = &policy.meta.namespace;
        match member {
            CiliumPeers::Endpoints(list) => any(list.iter().map(|selector| self.endpoint(selector, own, me, peer))),
            CiliumPeers::Entities(list) => any(list.iter().map(|entity| self.entity(entity, me, peer))),
            CiliumPeers::Blocks(list) => any(list.iter().map(|entry| self.cilium_block(entry, peer))),
            CiliumPeers::Nodes(list) if peer.sort == Sort::Node => {
                let node = peer.node.as_ref().and_then(|node| self.snapshot.nodes.get(node));
                node.map_or(Undefined, |node| any(list.iter().map(|selector| selected(selector, &table(&node.labels)))))
            }
            CiliumPeers::Nodes(_) => No,
            CiliumPeers::Services(list) => any(list.iter().map(|service| self.service_peer(service, peer))),
            CiliumPeers::Names(list) if peer.sort == Sort::World && !list.is_empty() => Undefined,
            CiliumPeers::Names(_) => No,
            CiliumPeers::Unreadable(_) => Undefined,
        }
    }

    /// An endpoint selector of a peer; the policy's namespace is added unless the selector names one.
    fn endpoint(&self, selector: &LabelSelector, own: &str, me: &Party, peer: &Party) -> Tri {
        let has = |wanted: &dyn Fn((&str, &str)) -> bool| selector.requirements.iter().any(|r| wanted(source(&r.key)));
        let matches = all(selector.requirements.iter().map(|r| requirement(&r.is, &self.label(&r.key, peer, me))));
        let names_namespace = has(&|(source, key)| key == NAMESPACE && matches!(source, "k8s" | "any"));
        if names_namespace || has(&|(source, _)| source == "reserved") {
            return matches;
        }
        let is_pod = peer.sort == Sort::Pod;
        matches.and(Tri::of(if own.is_empty() { is_pod } else { is_pod && *peer.namespace == *own }))
    }

    /// A label of an identity. `me` tells whether a node is the pod's own.
    fn label<'p>(&self, key: &str, party: &'p Party, me: &Party) -> Label<'p> {
        let (source, key) = source(key);
        match (source, party.sort) {
            ("reserved", sort) => match (sort, key, self.same_node(me, party)) {
                (Sort::Node, "host" | "remote-node", Undefined) => Label::Hidden,
                (Sort::Node, "host", Yes) | (Sort::Node, "remote-node", No) | (Sort::World, "world", _) => Label::Is(Some("")),
                _ => Label::Is(None),
            },
            ("k8s" | "any", Sort::Pod) => {
                if key == NAMESPACE {
                    return Label::Is(Some(&party.namespace));
                }
                if key == SERVICE_ACCOUNT {
                    return party.service_account.as_ref().map_or(Label::Hidden, |name| Label::Is(Some(name)));
                }
                match key.strip_prefix(NAMESPACE_LABELS) {
                    Some(key) => Label::Is(party.namespace_labels.get(key).map(String::as_str)),
                    None => Label::Is(party.labels.get(key).map(String::as_str)),
                }
            }
            _ => Label::Is(None),
        }
    }

    fn entity(&self, entity: &str, me: &Party, peer: &Party) -> Tri {
        let (in_cluster, outside) = (peer.sort != Sort::World, peer.sort == Sort::World);
        let node = Tri::of(peer.sort == Sort::Node);
        let own = self.same_node(me, peer);
        let v4 = matches!(peer.address, Address::Known(ip) if ip.is_ipv4());
        match entity {
            "all" => Yes,
            "none" | "ingress" | "health" | "init" | "unmanaged" => No,
            "cluster" => Tri::of(in_cluster),
            "host" => node.and(own),
            "remote-node" => node.and(match own {
                Yes => No,
                No => Yes,
                Undefined => Undefined,
            }),
            "world" => Tri::of(outside),
            "world-ipv4" => Tri::of(outside && v4),
            "world-ipv6" => Tri::of(outside && !v4),
            "kube-apiserver" => Tri::of(peer.sort != Sort::Pod && self.is_api_server(peer)),
            _ => Undefined,
        }
    }

    fn is_api_server(&self, peer: &Party) -> bool {
        let slices = self.snapshot.namespaces.get("default").into_iter().flat_map(|facts| facts.endpoint_slices.values());
        let mut own = slices.filter(|slice| slice.service.as_deref() == Some("kubernetes"));
        own.any(|slice| slice.addresses.iter().any(|ip| peer.address == Address::Known(*ip)))
    }

    /// Ranges of Cilium's own policies: only what has no identity in the cluster.
    fn cilium_block(&self, entry: &CiliumBlock, peer: &Party) -> Tri {
        if peer.sort != Sort::World && !self.range_mode(peer.sort) {
            return No;
        }
        match entry {
            CiliumBlock::Range { cidr, except } => block(cidr, except, peer.address),
            CiliumBlock::Group { name, except } => {
                let Some(group) = self.snapshot.cluster.cidr_groups.get(name) else { return No };
                let listed = any(group.cidrs.iter().map(|cidr| block(cidr, except, peer.address)));
                if group.unreadable { listed.or(Undefined) } else { listed }
            }
            CiliumBlock::Unreadable(_) => Undefined,
        }
    }

    /// A Service named without a namespace may live in any.
    fn service_peer(&self, service: &CiliumService, peer: &Party) -> Tri {
        let CiliumService::Named { namespace, name } = service else { return Undefined };
        let places = self.snapshot.namespaces.iter().filter(|(place, _)| namespace.as_ref().is_none_or(|wanted| wanted == *place));
        any(places.filter_map(|(place, facts)| facts.services.get(name).map(|service| (place, facts, service))).map(
            |(place, facts, service)| {
                let Some(labels) = &service.selector else {
                    let mut own = facts.endpoint_slices.values().filter(|slice| slice.service.as_ref() == Some(name));
                    return Tri::of(
                        peer.sort == Sort::World && own.any(|s| s.addresses.iter().any(|ip| peer.address == Address::Known(*ip))),
                    );
                };
                let carries = |key: &str, value: &str| peer.labels.get(key).is_some_and(|own| own == value);
                Tri::of(peer.sort == Sort::Pod && peer.namespace == *place && labels.iter().all(|(key, value)| carries(key, value)))
            },
        ))
    }
}

/// A key's source prefix, `any` where there is none, and the key without it.
fn source(key: &str) -> (&str, &str) {
    key.split_once(':').unwrap_or(("any", key))
}
