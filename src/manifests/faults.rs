//! Parts of policies that can't be read: the fact keeps them, so that no wall stands on them, and here they get a name and a place.

use crate::model::adminpolicy::{AdminPolicyFact, Tier, TierAction, TierPeer, TierRule, TierSubject};
use crate::model::changes::Fact;
use crate::model::ciliumpolicy::{CiliumBlock, CiliumEntry, CiliumPeers, CiliumPolicyFact, CiliumPorts, CiliumService, CiliumSubject};
use crate::model::labels::{Is, LabelSelector};
use crate::model::networkpolicy::{NetworkPolicyFact, Peer, PolicyPort, PolicyRule, PortMatch, Protocol};

/// What is wrong in a fact, as `field: what`, in the order of its fields. Not cleaned. O(size).
pub fn faults(fact: &Fact) -> Vec<String> {
    let mut found = Faults::default();
    match fact {
        Fact::NetworkPolicy(policy) => found.network_policy(policy),
        Fact::AdminPolicy(policy) => found.admin_policy(policy),
        Fact::CiliumPolicy(policy) => found.cilium_policy(policy),
        Fact::CidrGroup(group) if group.unreadable => found.add("spec.externalCIDRs", "an entry is no address range"),
        _ => {}
    }
    found.0
}

#[derive(Default)]
struct Faults(Vec<String>);

impl Faults {
    fn add(&mut self, field: &str, what: &str) {
        self.0.push(format!("{field}: {what}"));
    }

    fn network_policy(&mut self, policy: &NetworkPolicyFact) {
        self.selector("spec.podSelector", &policy.pods);
        for (name, peers, rules) in [("ingress", "from", &policy.ingress), ("egress", "to", &policy.egress)] {
            for (i, rule) in rules.iter().enumerate() {
                self.rule(&format!("spec.{name}[{i}]"), peers, rule);
            }
        }
    }

    fn rule(&mut self, at: &str, peers: &str, rule: &PolicyRule) {
        for (i, peer) in rule.peers.iter().enumerate() {
            let at = format!("{at}.{peers}[{i}]");
            match peer {
                Peer::Pods { namespaces, pods } => {
                    if let Some(selector) = namespaces {
                        self.selector(&format!("{at}.namespaceSelector"), selector);
                    }
                    if let Some(selector) = pods {
                        self.selector(&format!("{at}.podSelector"), selector);
                    }
                }
                Peer::Block { .. } => {}
                Peer::Unreadable(why) => self.add(&at, why),
            }
        }
        self.ports(at, &rule.ports);
    }

    fn ports(&mut self, at: &str, ports: &[PolicyPort]) {
        for (i, port) in ports.iter().enumerate() {
            let at = format!("{at}.ports[{i}]");
            if let Protocol::Other(name) = &port.protocol {
                self.add(&at, &format!("no policy knows the protocol {name:?}"));
            }
            if let PortMatch::Unreadable(why) = &port.port {
                self.add(&at, why);
            }
        }
    }

    fn selector(&mut self, at: &str, selector: &LabelSelector) {
        const OPERATORS: [&str; 4] = ["In", "NotIn", "Exists", "DoesNotExist"];
        for requirement in &selector.requirements {
            let key = &requirement.key;
            match &requirement.is {
                // an operator is one word; the projection's own reasons are sentences
                Is::Unknown(what) if what.contains(' ') => self.add(at, &format!("key {key:?}: {what}")),
                Is::Unknown(what) => self.add(at, &format!("key {key:?}: operator {what:?} is none of {}", OPERATORS.join(", "))),
                Is::In(values) | Is::NotIn(values) if values.is_empty() => self.add(at, &format!("key {key:?}: In and NotIn need a value")),
                _ => {}
            }
        }
    }

    fn admin_policy(&mut self, policy: &AdminPolicyFact) {
        if let Tier::Unreadable(what) = &policy.tier {
            self.add("spec.tier", what);
        }
        match &policy.subject {
            TierSubject::Namespaces(selector) => self.selector("spec.subject.namespaces", selector),
            TierSubject::Pods { namespaces, pods } => {
                self.selector("spec.subject.pods.namespaceSelector", namespaces);
                self.selector("spec.subject.pods.podSelector", pods);
            }
            TierSubject::Unreadable(what) => self.add("spec.subject", what),
        }
        for (name, peers, rules) in [("ingress", "from", &policy.ingress), ("egress", "to", &policy.egress)] {
            for (i, rule) in rules.iter().enumerate() {
                self.tier_rule(&format!("spec.{name}[{i}]"), peers, rule);
            }
        }
    }

    fn tier_rule(&mut self, at: &str, peers: &str, rule: &TierRule) {
        if let TierAction::Unreadable(what) = &rule.action {
            self.add(&format!("{at}.action"), what);
        }
        if rule.peers.is_empty() {
            self.add(&format!("{at}.{peers}"), "a rule needs a peer");
        }
        for (i, peer) in rule.peers.iter().enumerate() {
            let at = format!("{at}.{peers}[{i}]");
            match peer {
                TierPeer::Namespaces(selector) | TierPeer::Nodes(selector) => self.selector(&at, selector),
                TierPeer::Pods { namespaces, pods } => {
                    self.selector(&at, namespaces);
                    self.selector(&at, pods);
                }
                TierPeer::Networks(_) | TierPeer::DomainNames(_) => {}
                TierPeer::Unreadable(what) => self.add(&at, what),
            }
        }
        self.ports(at, rule.ports.as_deref().unwrap_or_default());
    }

    fn cilium_policy(&mut self, policy: &CiliumPolicyFact) {
        for (i, rule) in policy.rules.iter().enumerate() {
            let at = if policy.rules.len() == 1 { "spec".to_owned() } else { format!("rule {}", i + 1) };
            match &rule.subject {
                CiliumSubject::Endpoints(selector) => self.selector(&format!("{at}.endpointSelector"), selector),
                CiliumSubject::Nodes(selector) => self.selector(&format!("{at}.nodeSelector"), selector),
                CiliumSubject::Unreadable(what) => self.add(&at, what),
            }
            let lists = [
                ("ingress", &rule.ingress),
                ("ingressDeny", &rule.ingress_deny),
                ("egress", &rule.egress),
                ("egressDeny", &rule.egress_deny),
            ];
            for (name, entries) in lists {
                for (i, entry) in entries.iter().enumerate() {
                    self.cilium_entry(&format!("{at}.{name}[{i}]"), entry);
                }
            }
        }
    }

    fn cilium_entry(&mut self, at: &str, entry: &CiliumEntry) {
        for peers in &entry.peers {
            match peers {
                CiliumPeers::Endpoints(selectors) | CiliumPeers::Nodes(selectors) => selectors.iter().for_each(|s| self.selector(at, s)),
                CiliumPeers::Blocks(blocks) => {
                    for block in blocks {
                        if let CiliumBlock::Unreadable(what) = block {
                            self.add(at, what);
                        }
                    }
                }
                CiliumPeers::Services(services) => {
                    for service in services {
                        if let CiliumService::Selected { selector, .. } = service {
                            self.selector(at, selector);
                        }
                    }
                }
                CiliumPeers::Entities(_) | CiliumPeers::Names(_) => {}
                CiliumPeers::Unreadable(what) => self.add(at, what),
            }
        }
        let ports: &[CiliumPorts] = entry.ports.as_deref().unwrap_or_default();
        for (i, ports) in ports.iter().enumerate() {
            self.ports(&format!("{at}.toPorts[{i}]"), &ports.ports);
        }
    }
}
