//! The cluster's resolver, and how a peer of a DNS rule stands to it.

use std::collections::BTreeSet;

use ipnet::{IpNet, Ipv4Net};

use super::addresses::NODE_LOCAL_DNS;
use super::ports::numbers;
use super::select::selects;
use crate::model::ciliumpolicy::{CiliumBlock, CiliumEntry, CiliumPeers, CiliumService};
use crate::model::containers::PortProtocol;
use crate::model::ids::Name;
use crate::model::labels::{LabelSelector, LabelSet, Requirement};
use crate::model::networkpolicy::{Peer, PolicyRule};
use crate::model::service::ServiceFact;
use crate::model::snapshot::{NamespaceFacts, Snapshot};
use crate::netpol::ports::PortSet;
use crate::netpol::selector::{Coverage, NAMESPACE_NAME, covers_every_namespace};
use crate::posture::view::TenantView;

/// Where clusters keep their resolver: namespace and Service; the first that is there counts.
const RESOLVERS: [(&str, &str); 4] = [
    ("kube-system", "kube-dns"),
    ("kube-system", "coredns"),
    ("kube-system", "rke2-coredns-rke2-coredns"),
    ("openshift-dns", "dns-default"),
];
/// Namespaces of [`RESOLVERS`].
pub const RESOLVER_NAMESPACES: [&str; 2] = ["kube-system", "openshift-dns"];
pub(super) const PORT: u16 = 53;
pub(super) const TRANSPORTS: [PortProtocol; 2] = [PortProtocol::Udp, PortProtocol::Tcp];

/// The cluster's resolver.
pub(super) struct Resolver<'a> {
    namespace: &'a Name,
    facts: &'a NamespaceFacts,
    service: &'a ServiceFact,
    /// Port 53 and the ports of the pods behind it.
    pub(super) ports: PortSet,
    /// Names of those ports.
    pub(super) names: BTreeSet<&'a str>,
}

impl<'a> Resolver<'a> {
    /// The first of [`RESOLVERS`] that is there.
    pub(super) fn of(snapshot: &'a Snapshot) -> Option<Self> {
        RESOLVERS.iter().find_map(|(namespace, name)| {
            let (namespace, facts) = snapshot.namespaces.get_key_value(*namespace)?;
            let service = facts.services.get(*name)?;
            let mut numbers = vec![PORT];
            let mut names = BTreeSet::new();
            for port in service.ports.iter().filter(|port| port.port == PORT) {
                match port.target.as_deref().map(|target| (target, target.parse::<u16>())) {
                    Some((_, Ok(number))) => numbers.push(number),
                    Some((name, Err(_))) => {
                        names.insert(name);
                    }
                    None => {}
                }
            }
            let ranges = numbers.iter().flat_map(|number| TRANSPORTS.map(|transport| (transport, *number, *number)));
            Some(Self { namespace, facts, service, ports: PortSet::from_ranges(ranges), names })
        })
    }

    /// Whether a selector of pods means the resolver's: those that are there, or those that the Service would take.
    fn selected(&self, pods: &LabelSelector) -> bool {
        let labels = self.service.selector.as_deref();
        labels.is_some_and(|labels| pods.matches(labels) == Some(true))
            || super::select::pods(self.facts, Some(pods)).any(|pod| labels.is_some_and(|wanted| carries(&pod.labels, wanted)))
    }
}

/// Whether labels carry all of the wanted ones.
fn carries(labels: &LabelSet, wanted: &LabelSet) -> bool {
    wanted.iter().all(|(key, value)| labels.get(key) == Some(value))
}

/// How a peer of a DNS rule stands to the resolver.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Aim {
    /// Exactly its pods, or its address on the node.
    Exact,
    /// All of its namespace.
    WholeNamespace,
    /// Pods labelled so in any namespace: whoever labels a pod so answers, too.
    AnyNamespace,
    /// Anywhere.
    Anywhere,
    /// Something else.
    Elsewhere,
}

/// None for peers that are none of the resolver's business: the tenant's own pods, what can't be read, what is granted.
pub(super) fn aim(view: &TenantView<'_>, rule: &PolicyRule, peer: &Peer, resolver: Option<&Resolver<'_>>) -> Option<Aim> {
    match peer {
        Peer::Block { cidr, .. } if cidr.prefix_len() == 0 => Some(Aim::Anywhere),
        Peer::Block { cidr, .. } => {
            let service = || resolver.is_some_and(|resolver| resolver.service.cluster_ips.iter().any(|ip| IpNet::from(*ip) == *cidr));
            if *cidr == IpNet::from(NODE_LOCAL_DNS) || service() {
                return Some(Aim::Exact);
            }
            let asked = numbers(&rule.ports);
            (!view.config.network.beyond(cidr, &asked).is_empty()).then_some(Aim::Anywhere)
        }
        Peer::Pods { namespaces: None, .. } | Peer::Unreadable(_) => None,
        Peer::Pods { namespaces: Some(of), pods } => {
            let every = covers_every_namespace(&[of]) == Coverage::Everything;
            let Some(resolver) = resolver else {
                let usual = RESOLVERS.iter().filter_map(|(namespace, _)| view.snapshot.namespaces.get_key_value(*namespace));
                let its = usual.clone().any(|(name, facts)| selects(of, name, facts) == Some(true));
                return Some(match pods {
                    None if every => Aim::Anywhere,
                    None if its => Aim::WholeNamespace,
                    _ => Aim::Elsewhere,
                });
            };
            let its_namespace = selects(of, resolver.namespace, resolver.facts) == Some(true);
            Some(match pods {
                None if every => Aim::Anywhere,
                None if its_namespace => Aim::WholeNamespace,
                Some(pods) if its_namespace && resolver.selected(pods) => {
                    if pods.is_everything() {
                        if every { Aim::Anywhere } else { Aim::WholeNamespace }
                    } else if every {
                        Aim::AnyNamespace
                    } else {
                        Aim::Exact
                    }
                }
                _ => Aim::Elsewhere,
            })
        }
    }
}

/// Entities that hold every address there is, or every pod.
const EVERYWHERE: [&str; 3] = ["all", "world", "cluster"];
/// Entities of the node, where the node's own cache of DNS listens.
const NODE: [&str; 2] = ["host", "remote-node"];
/// The key, without its source prefix, under which Cilium knows an endpoint's namespace.
const CILIUM_NAMESPACE: &str = "io.kubernetes.pod.namespace";

/// An egress entry of a Cilium policy as the rule of a NetworkPolicy that says the same of DNS; none where it says nothing of it.
pub(super) fn as_rule(entry: &CiliumEntry, resolver: Option<&Resolver<'_>>) -> Option<PolicyRule> {
    let ports = entry.ports.as_ref()?.iter().flat_map(|of| of.ports.iter().cloned()).collect();
    if entry.peers.is_empty() {
        return Some(PolicyRule { peers: [].into(), ports });
    }
    let peers: Box<[Peer]> = entry.peers.iter().flat_map(|peers| as_peers(peers, resolver)).collect();
    (!peers.is_empty()).then_some(PolicyRule { peers, ports })
}

fn as_peers(peers: &CiliumPeers, resolver: Option<&Resolver<'_>>) -> Vec<Peer> {
    let whole = || Peer::Block { cidr: IpNet::V4(Ipv4Net::default()), except: [].into() };
    let one = |ip| Peer::Block { cidr: IpNet::from(ip), except: [].into() };
    match peers {
        CiliumPeers::Entities(list) if list.iter().any(|entity| EVERYWHERE.contains(&entity.as_ref())) => vec![whole()],
        CiliumPeers::Entities(list) if list.iter().any(|entity| NODE.contains(&entity.as_ref())) => vec![one(NODE_LOCAL_DNS)],
        CiliumPeers::Endpoints(list) => list.iter().map(endpoints).collect(),
        CiliumPeers::Blocks(list) => {
            let range = |block: &CiliumBlock| match block {
                CiliumBlock::Range { cidr, except } => Some(Peer::Block { cidr: *cidr, except: except.clone() }),
                CiliumBlock::Group { .. } | CiliumBlock::Unreadable(_) => None,
            };
            list.iter().filter_map(range).collect()
        }
        CiliumPeers::Services(list) => {
            let its = |service: &CiliumService| {
                let CiliumService::Named { namespace, name } = service else { return None };
                let resolver =
                    resolver.filter(|resolver| *name == resolver.service.meta.name && namespace.as_ref() == Some(resolver.namespace))?;
                resolver.service.cluster_ips.first().map(|ip| one(*ip))
            };
            list.iter().filter_map(its).collect()
        }
        _ => Vec::new(),
    }
}

/// A selector of endpoints as namespaces and pods; without a namespace in it, the policy's own.
fn endpoints(selector: &LabelSelector) -> Peer {
    let bare = |key: &Name| Name::from(key.split_once(':').map_or(key.as_ref(), |(_, bare)| bare));
    let (of, pods): (Vec<Requirement>, Vec<Requirement>) = selector
        .requirements
        .iter()
        .map(|requirement| Requirement { key: bare(&requirement.key), is: requirement.is.clone() })
        .partition(|requirement| requirement.key.as_ref() == CILIUM_NAMESPACE);
    let of: Box<[Requirement]> = of.into_iter().map(|requirement| Requirement { key: NAMESPACE_NAME.into(), ..requirement }).collect();
    let pods = (!pods.is_empty()).then(|| LabelSelector { requirements: pods.into() });
    Peer::Pods { namespaces: (!of.is_empty()).then_some(LabelSelector { requirements: of }), pods }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ciliumpolicy::CiliumPorts;
    use crate::model::labels::Is;
    use crate::model::networkpolicy::{PolicyPort, PortMatch, Protocol};

    fn entry(peers: Vec<CiliumPeers>) -> CiliumEntry {
        let port = PolicyPort { protocol: Protocol::Udp, port: PortMatch::Range(53, 53) };
        CiliumEntry {
            peers: peers.into(),
            ports: Some([CiliumPorts { ports: [port].into(), filtered: true }].into()),
            icmp_only: false,
            requires: [].into(),
            authenticated: false,
        }
    }

    fn is(key: &str, value: &str) -> Requirement {
        Requirement { key: key.into(), is: Is::In([value.into()].into()) }
    }

    #[test]
    fn ciliums_ways_to_say_dns() {
        let endpoints = |requirements: Vec<Requirement>| {
            entry(vec![CiliumPeers::Endpoints([LabelSelector { requirements: requirements.into() }].into())])
        };
        let rule =
            as_rule(&endpoints(vec![is("k8s:io.kubernetes.pod.namespace", "kube-system"), is("k8s:k8s-app", "kube-dns")]), None).unwrap();
        let of = |requirement| Some(LabelSelector { requirements: [requirement].into() });
        assert_eq!(*rule.peers, [Peer::Pods { namespaces: of(is(NAMESPACE_NAME, "kube-system")), pods: of(is("k8s-app", "kube-dns")) }]);
        let own = as_rule(&endpoints(vec![is("app", "dns")]), None).unwrap();
        assert_eq!(*own.peers, [Peer::Pods { namespaces: None, pods: of(is("app", "dns")) }]);
        let whole = as_rule(&entry(vec![CiliumPeers::Entities(["world".into()].into())]), None).unwrap();
        assert!(matches!(&*whole.peers, [Peer::Block { cidr, .. }] if cidr.prefix_len() == 0));
        assert!(as_rule(&entry(vec![]), None).unwrap().peers.is_empty(), "only ports: any peer");
        assert_eq!(as_rule(&entry(vec![CiliumPeers::Names(["example.com".into()].into())]), None), None);
    }
}
