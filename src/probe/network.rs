//! The network probe's knowledge: from which pod, at which Service, with which tool, and how a tool's words are read.

pub mod tool;

use std::net::IpAddr;

use crate::model::containers::{ContainerRole, PortProtocol};
use crate::model::ids::Name;
use crate::model::pod::{Phase, PodFact};
use crate::model::service::{ServiceFact, ServicePort};
use crate::model::snapshot::{NamespaceFacts, Snapshot};

/// An address of TEST-NET-1 that nobody may answer: who is answered there believes everything.
pub const NOBODY: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
/// At most so many pods of a tenant are tried as vantage.
const VANTAGES: usize = 3;
/// Containers put beside a workload by meshes and the like: no tools inside, or another's rules.
const SIDECARS: &[&str] =
    &["istio-proxy", "linkerd-proxy", "envoy", "kuma-sidecar", "vault-agent", "cloud-sql-proxy", "dapr", "consul-dataplane"];
/// Words in an image's name that promise tools; the earlier the better.
const TOOLED: &[&str] = &["busybox", "alpine", "n8n", "node", "debian", "ubuntu"];
/// Words in an image's name that promise none.
const BARE: &[&str] = &["distroless", "pause", "scratch", "static"];
/// Port names that speak HTTP, and ports that do when nothing is named.
const HTTP_NAMES: &[&str] = &["http", "web", "http-web", "ui", "n8n", "node-red"];
const HTTP_PORTS: &[u16] = &[80, 8080, 5678, 1880, 3000, 8000];

/// A container from which a tenant's connections are opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vantage {
    /// Namespace.
    pub namespace: Name,
    /// Pod.
    pub pod: Name,
    /// Container.
    pub container: Name,
}

/// What a connection is opened to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aim {
    /// Namespace.
    pub namespace: Name,
    /// Service.
    pub service: Name,
    /// ClusterIP.
    pub address: IpAddr,
    /// Port of the Service.
    pub port: u16,
}

impl Aim {
    /// The Service's name as a resolver wants it. The cluster's domain is taken to be the usual one.
    pub fn dns(&self) -> String {
        format!("{}.{}.svc.cluster.local", self.service, self.namespace)
    }

    /// For a step: Service, address and port.
    pub fn words(&self) -> String {
        format!("Service {}/{} ({}:{})", self.namespace, self.service, self.address, self.port)
    }
}

/// The pods of a tenant from which a probe can be run, best first. O(pods of the namespaces).
pub fn vantages(snapshot: &Snapshot, namespaces: &[Name]) -> Vec<Vantage> {
    let mut found: Vec<(usize, Vantage)> = Vec::new();
    for (namespace, facts) in present(snapshot, namespaces) {
        for pod in facts.pods.values().filter(|pod| usable(pod)) {
            let container =
                pod.containers.iter().filter(|c| c.role == ContainerRole::Main && !is_sidecar(&c.name)).min_by_key(|c| rank(&c.image));
            if let Some(container) = container {
                let vantage = Vantage { namespace: namespace.clone(), pod: pod.meta.name.clone(), container: container.name.clone() };
                found.push((rank(&container.image), vantage));
            }
        }
    }
    // the sort is stable: by namespace and name within a rank
    found.sort_by_key(|(rank, _)| *rank);
    found.into_iter().map(|(_, vantage)| vantage).take(VANTAGES).collect()
}

fn present<'a>(snapshot: &'a Snapshot, namespaces: &'a [Name]) -> impl Iterator<Item = (&'a Name, &'a NamespaceFacts)> {
    namespaces.iter().filter_map(|name| snapshot.namespace(name).map(|facts| (name, facts.as_ref())))
}

fn usable(pod: &PodFact) -> bool {
    pod.phase == Phase::Running && pod.ready && !pod.host_network && !pod.terminating
}

fn is_sidecar(name: &str) -> bool {
    SIDECARS.contains(&name)
}

fn rank(image: &str) -> usize {
    if BARE.iter().any(|word| image.contains(word)) {
        return TOOLED.len() + 1;
    }
    TOOLED.iter().position(|word| image.contains(word)).unwrap_or(TOOLED.len())
}

/// The Service of a tenant that a probe aims at: one with an address and ready endpoints, HTTP before anything else. O(Services).
pub fn aim(snapshot: &Snapshot, namespaces: &[Name]) -> Option<Aim> {
    let mut found: Vec<(bool, Aim)> = Vec::new();
    for (namespace, facts) in present(snapshot, namespaces) {
        for service in facts.services.values().filter(|service| answers(facts, service)) {
            let Some(address) = service.cluster_ips.iter().find(|ip| ip.is_ipv4()).or_else(|| service.cluster_ips.first()) else {
                continue;
            };
            let tcp = || service.ports.iter().filter(|port| port.protocol == PortProtocol::Tcp);
            let Some(port) = tcp().find(|port| speaks_http(port)).or_else(|| tcp().next()) else { continue };
            let aim = Aim { namespace: namespace.clone(), service: service.meta.name.clone(), address: *address, port: port.port };
            found.push((!speaks_http(port), aim));
        }
    }
    found.sort_by_key(|(other, _)| *other);
    found.into_iter().next().map(|(_, aim)| aim)
}

fn answers(facts: &NamespaceFacts, service: &ServiceFact) -> bool {
    facts.endpoint_slices.values().any(|slice| slice.service.as_ref() == Some(&service.meta.name) && slice.ready > 0)
}

fn speaks_http(port: &ServicePort) -> bool {
    port.name.as_ref().is_some_and(|name| HTTP_NAMES.contains(&name.as_ref())) || HTTP_PORTS.contains(&port.port)
}
