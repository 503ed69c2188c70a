//! The little language of the scenario tables: rules, Services, cluster-wide policies as one writes them in a line.

use partywall::model::adminpolicy::{AdminPolicyFact, Tier, TierAction, TierPeer, TierRule, TierSubject};
use partywall::model::changes::Fact;
use partywall::model::containers::PortProtocol;
use partywall::model::ids::Name;
use partywall::model::kind::{Kind, WATCHED};
use partywall::model::networkpolicy::{Peer, PolicyPort, PolicyRule, PortMatch, Protocol};
use partywall::model::platform::CiliumConfigFact;
use partywall::netpol::ports::PortSet;
use serde::Deserialize;

use crate::facts::*;

/// A rule: `PEER [or PEER]... [on PORT, PORT...]`.
///
/// A peer is `anybody`, `namespaces` (all), `own` (all pods of the own namespace), `unreadable`, `in NS` (a namespace by name), `in NS pods a=b`,
/// `everywhere pods a=b`, or a block, `10.0.0.0/8 except 10.1.0.0/16 10.2.0.0/16`. A port is `TCP 443`, `UDP`, `TCP 1-1024`, `TCP name`.
pub fn rules(list: &[String]) -> Box<[PolicyRule]> {
    list.iter().map(|text| rule(text)).collect()
}

fn rule(text: &str) -> PolicyRule {
    let (peers, ports) = text.split_once(" on ").map_or((text, None), |(peers, ports)| (peers, Some(ports)));
    let peers = if peers == "anybody" { [].into() } else { peers.split(" or ").map(peer).collect() };
    PolicyRule { peers, ports: ports.into_iter().flat_map(|ports| ports.split(", ")).map(port).collect() }
}

fn peer(text: &str) -> Peer {
    let named = |name: &str| Some(selector(&format!("kubernetes.io/metadata.name={name}")));
    if let Some(rest) = text.strip_prefix("in ") {
        let (name, pods) = rest.split_once(" pods ").map_or((rest, None), |(name, pods)| (name, Some(selector(pods))));
        return Peer::Pods { namespaces: named(name), pods };
    }
    if let Some(pods) = text.strip_prefix("everywhere pods ") {
        return Peer::Pods { namespaces: Some(selector("")), pods: Some(selector(pods)) };
    }
    match text {
        "namespaces" => Peer::Pods { namespaces: Some(selector("")), pods: None },
        "own" => Peer::Pods { namespaces: None, pods: Some(selector("")) },
        "unreadable" => Peer::Unreadable("nothing set".into()),
        block => {
            let (cidr, except) = block.split_once(" except ").unwrap_or((block, ""));
            Peer::Block { cidr: cidr.parse().unwrap(), except: except.split_whitespace().map(|net| net.parse().unwrap()).collect() }
        }
    }
}

fn port(text: &str) -> PolicyPort {
    let (protocol, number) = text.split_once(' ').map_or((text, None), |(protocol, number)| (protocol, Some(number)));
    let protocol = match protocol {
        "TCP" => Protocol::Tcp,
        "UDP" => Protocol::Udp,
        "SCTP" => Protocol::Sctp,
        other => panic!("no protocol {other}"),
    };
    let port = number.map_or(PortMatch::Any, |number| {
        let (from, to) = number.split_once('-').unwrap_or((number, number));
        match (from.parse(), to.parse()) {
            (Ok(from), Ok(to)) => PortMatch::Range(from, to),
            _ => PortMatch::Named(number.into()),
        }
    });
    PolicyPort { protocol, port }
}

/// `10.1.2.3/32 TCP 5432`.
pub fn granted(text: &str) -> (ipnet::IpNet, PortSet) {
    let parts: Vec<&str> = text.split(' ').collect();
    let protocol = if parts[1] == "TCP" { PortProtocol::Tcp } else { PortProtocol::Udp };
    let port = parts[2].parse().unwrap();
    (parts[0].parse().unwrap(), PortSet::range(protocol, port, port))
}

/// A Service beside the usual one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceLine {
    name: String,
    kind: Option<String>,
    /// `externalName`.
    host: Option<String>,
    /// Endpoints kept by hand.
    #[serde(default)]
    endpoints: Vec<String>,
    #[serde(default)]
    external: Vec<String>,
    #[serde(default)]
    keeps_client: bool,
}

impl ServiceLine {
    pub fn facts(&self, namespace: &str) -> Vec<Fact> {
        let [Fact::Service(mut fact), Fact::EndpointSlice(mut slice)] = service(namespace, &self.name) else { panic!("no Service") };
        fact.kind = self.kind.as_deref().unwrap_or("ClusterIP").into();
        fact.external_name = self.host.as_deref().map(Name::from);
        fact.external_ips = self.external.iter().map(|ip| ip.parse().unwrap()).collect();
        fact.keeps_client = self.keeps_client;
        fact.cluster_ips = [].into();
        if !self.endpoints.is_empty() {
            fact.selector = None;
            slice.addresses = self.endpoints.iter().map(|ip| ip.parse().unwrap()).collect();
        }
        vec![Fact::Service(fact), Fact::EndpointSlice(slice)]
    }
}

/// A template.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkloadLine {
    kind: String,
    namespace: Option<String>,
    name: String,
    #[serde(default)]
    host_network: bool,
    ready: Option<u32>,
}

impl WorkloadLine {
    pub fn fact(&self, own: &str) -> Fact {
        let kind = WATCHED.iter().map(|info| info.kind).find(|kind| kind.as_str() == self.kind).unwrap();
        let Fact::Workload(mut fact) = workload(kind, self.namespace.as_deref().unwrap_or(own), &self.name) else { panic!("no workload") };
        fact.host_network = self.host_network;
        fact.wanted = Some(3);
        fact.ready = self.ready.unwrap_or(3);
        Fact::Workload(fact)
    }
}

/// A cluster-wide policy: about namespaces by selector, with rules as `deny PEER`, `allow PEER`, `pass PEER`, a peer being a namespace selector.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdminLine {
    name: String,
    #[serde(default)]
    priority: i32,
    #[serde(default)]
    baseline: bool,
    #[serde(default)]
    subject: String,
    #[serde(default)]
    ingress: Vec<String>,
    #[serde(default)]
    egress: Vec<String>,
}

impl AdminLine {
    pub fn fact(&self) -> Fact {
        let rules = |list: &[String]| list.iter().map(|text| tier_rule(text)).collect();
        Fact::AdminPolicy(AdminPolicyFact {
            meta: meta("", &self.name),
            kind: if self.baseline { Kind::BaselineAdminNetworkPolicy } else { Kind::AdminNetworkPolicy },
            tier: if self.baseline { Tier::Baseline } else { Tier::Admin },
            priority: self.priority,
            subject: TierSubject::Namespaces(selector(&self.subject)),
            ingress: rules(&self.ingress),
            egress: rules(&self.egress),
        })
    }
}

fn tier_rule(text: &str) -> TierRule {
    let (action, peer) = text.split_once(' ').unwrap_or((text, ""));
    let action = match action {
        "deny" => TierAction::Deny,
        "allow" => TierAction::Allow,
        "pass" => TierAction::Pass,
        other => panic!("no action {other}"),
    };
    TierRule { name: "".into(), action, peers: [TierPeer::Namespaces(selector(peer))].into(), ports: None }
}

/// Cilium's configuration.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CiliumLine {
    enable_policy: Option<String>,
    audit: Option<bool>,
    network_policy: Option<bool>,
}

impl CiliumLine {
    pub fn fact(&self) -> Fact {
        Fact::CiliumConfig(CiliumConfigFact {
            meta: meta("kube-system", "cilium-config"),
            enable_policy: self.enable_policy.as_deref().map(Name::from),
            audit_mode: self.audit,
            allow_localhost: None,
            cidr_match_mode: None,
            k8s_network_policy: self.network_policy,
            host_firewall: None,
        })
    }
}
