//! Rules that undo a default deny: they let everybody through, on every port.

use ipnet::IpNet;

use crate::model::ids::Name;
use crate::model::networkpolicy::{NetworkPolicyFact, Peer, PolicyPort, PolicyRule, PortMatch};
use crate::model::snapshot::NamespaceFacts;
use crate::netpol::isolation::{Direction, under_policy};
use crate::netpol::selector::{Coverage, covers_every_namespace, covers_everything};

/// Whom a rule lets through on every port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Everyone {
    /// No peer is named: pods and addresses of the whole world.
    Anybody,
    /// Pods of every namespace.
    EveryNamespace,
    /// Every address of a family, without exception.
    EveryAddress,
}

impl Everyone {
    /// In words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Anybody => "everybody",
            Self::EveryNamespace => "the pods of every namespace",
            Self::EveryAddress => "every address",
        }
    }
}

/// A rule that lets everybody through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenRule {
    /// The policy.
    pub policy: Name,
    /// The rule's place in its list.
    pub index: usize,
    /// Whom.
    pub to: Everyone,
    /// Existing pods it opens, by name.
    pub pods: Vec<Name>,
    /// Whether it opens any pod of tomorrow; none when that can't be decided.
    pub future: Option<bool>,
}

/// Rules of a namespace that let everybody through on every port in this direction. O(policies × (rules + pods)).
pub fn open_rules(facts: &NamespaceFacts, direction: Direction) -> Vec<OpenRule> {
    let mut found = Vec::new();
    for policy in facts.policies.values().filter(|policy| policy.isolates(direction)) {
        for (index, rule) in policy.rules(direction).iter().enumerate() {
            let Some(to) = opens(rule) else { continue };
            let selected = |policy: &NetworkPolicyFact| {
                let under = facts.pods.values().filter(|pod| under_policy(pod));
                under.filter(|pod| policy.pods.matches(&pod.labels) == Some(true)).map(|pod| pod.meta.name.clone()).collect()
            };
            let future = covers_everything(&[&policy.pods]).decided();
            found.push(OpenRule { policy: policy.meta.name.clone(), index, to, pods: selected(policy), future });
        }
    }
    found
}

/// Peers that can't be read, as (policy, what is wrong): what they allow is unknown.
pub fn unreadable(facts: &NamespaceFacts, direction: Direction) -> Vec<(Name, Name)> {
    let mut found = Vec::new();
    for policy in facts.policies.values().filter(|policy| policy.isolates(direction)) {
        for rule in policy.rules(direction) {
            let peers = rule.peers.iter().filter_map(|peer| if let Peer::Unreadable(why) = peer { Some(why) } else { None });
            let ports = rule.ports.iter().filter_map(|port| if let PortMatch::Unreadable(why) = &port.port { Some(why) } else { None });
            found.extend(peers.chain(ports).map(|why| (policy.meta.name.clone(), why.clone())));
        }
    }
    found
}

/// Whom a rule lets through on every port; none when it names somebody or some ports.
fn opens(rule: &PolicyRule) -> Option<Everyone> {
    if !(rule.ports.is_empty() || rule.ports.iter().any(every_port)) {
        return None;
    }
    if rule.peers.is_empty() {
        return Some(Everyone::Anybody);
    }
    rule.peers.iter().filter_map(everyone).chain(every_address(rule)).min()
}

/// Every port of a protocol: what is open for all of TCP or all of UDP is open.
const fn every_port(port: &PolicyPort) -> bool {
    matches!(port.port, PortMatch::Any | PortMatch::Range(0..=1, u16::MAX))
}

fn everyone(peer: &Peer) -> Option<Everyone> {
    let Peer::Pods { namespaces: Some(namespaces), pods } = peer else { return None };
    let all_pods = pods.as_ref().is_none_or(|pods| covers_everything(&[pods]) == Coverage::Everything);
    (all_pods && covers_every_namespace(&[namespaces]) == Coverage::Everything).then_some(Everyone::EveryNamespace)
}

/// Whether the rule's blocks without exceptions add up to a whole family: 0.0.0.0/1 and 128.0.0.0/1 are everything, too.
fn every_address(rule: &PolicyRule) -> Option<Everyone> {
    let whole = |peer: &Peer| match peer {
        Peer::Block { cidr, except } if except.is_empty() => Some(*cidr),
        _ => None,
    };
    let blocks: Vec<IpNet> = rule.peers.iter().filter_map(whole).collect();
    IpNet::aggregate(&blocks).iter().any(|net| net.prefix_len() == 0).then_some(Everyone::EveryAddress)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::labels::LabelSelector;
    use crate::model::networkpolicy::Protocol;

    fn block(cidr: &str) -> Peer {
        Peer::Block { cidr: cidr.parse().unwrap(), except: [].into() }
    }

    fn rule(peers: Vec<Peer>, ports: Vec<PolicyPort>) -> PolicyRule {
        PolicyRule { peers: peers.into(), ports: ports.into() }
    }

    #[test]
    fn who_is_everyone() {
        let every_namespace = || Peer::Pods { namespaces: Some(LabelSelector::default()), pods: None };
        let own = || Peer::Pods { namespaces: None, pods: Some(LabelSelector::default()) };
        let dns = || PolicyPort { protocol: Protocol::Udp, port: PortMatch::Range(53, 53) };
        let all_tcp = || PolicyPort { protocol: Protocol::Tcp, port: PortMatch::Any };
        for (name, rule, expected) in [
            ("no peer, no port", rule(vec![], vec![]), Some(Everyone::Anybody)),
            ("no peer, all of TCP", rule(vec![], vec![dns(), all_tcp()]), Some(Everyone::Anybody)),
            ("no peer, one port", rule(vec![], vec![dns()]), None),
            ("every namespace", rule(vec![own(), every_namespace()], vec![]), Some(Everyone::EveryNamespace)),
            ("every namespace, DNS only", rule(vec![every_namespace()], vec![dns()]), None),
            ("own namespace", rule(vec![own()], vec![]), None),
            ("all of IPv4", rule(vec![block("0.0.0.0/0")], vec![]), Some(Everyone::EveryAddress)),
            ("all of IPv6", rule(vec![block("::/0")], vec![]), Some(Everyone::EveryAddress)),
            ("two halves", rule(vec![block("128.0.0.0/1"), block("0.0.0.0/1")], vec![]), Some(Everyone::EveryAddress)),
            ("one half", rule(vec![block("128.0.0.0/1")], vec![]), None),
            (
                "with exception",
                rule(vec![Peer::Block { cidr: "0.0.0.0/0".parse().unwrap(), except: ["10.0.0.0/8".parse().unwrap()].into() }], vec![]),
                None,
            ),
        ] {
            assert_eq!(opens(&rule), expected, "{name}");
        }
    }
}
