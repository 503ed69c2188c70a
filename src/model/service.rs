//! Services and EndpointSlices: what a probe aims at, and whether anything answers there.

use std::net::IpAddr;

use super::containers::PortProtocol;
use super::ids::Name;
use super::labels::Labels;
use super::meta::Meta;

/// A Service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceFact {
    /// Identity.
    pub meta: Meta,
    /// `spec.type`: ClusterIP, NodePort, LoadBalancer or ExternalName.
    pub kind: Name,
    /// `spec.clusterIPs` that are addresses; empty for a headless Service.
    pub cluster_ips: Box<[IpAddr]>,
    /// `spec.selector`; none when endpoints are kept by hand.
    pub selector: Option<Labels>,
    /// Ports.
    pub ports: Box<[ServicePort]>,
    /// `spec.externalIPs` and the addresses of `status.loadBalancer.ingress`.
    pub external_ips: Box<[IpAddr]>,
    /// `spec.externalName`.
    pub external_name: Option<Name>,
    /// `spec.externalTrafficPolicy` is `Local`: the client's address is kept.
    pub keeps_client: bool,
}

/// One port of a Service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServicePort {
    /// Name.
    pub name: Option<Name>,
    /// Port of the Service.
    pub port: u16,
    /// Port of the pod, by number or by name; none means the same number.
    pub target: Option<Name>,
    /// Protocol.
    pub protocol: PortProtocol,
    /// `nodePort`.
    pub node_port: Option<u16>,
}

/// An EndpointSlice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointSliceFact {
    /// Identity.
    pub meta: Meta,
    /// Label `kubernetes.io/service-name`.
    pub service: Option<Name>,
    /// Endpoints whose condition ready is not false.
    pub ready: u32,
    /// All endpoints.
    pub all: u32,
    /// Addresses of the endpoints, only where no selector makes them: of a Service that selects pods they are the pods' own.
    pub addresses: Box<[IpAddr]>,
}
