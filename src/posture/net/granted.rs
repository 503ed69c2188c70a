//! What the operator says a tenant may do: data of the configuration.

use ipnet::IpNet;

use crate::model::ids::Name;
use crate::netpol::ports::PortSet;

/// Namespaces from which connections to tenants are meant to come: those of ingress controllers, of service meshes' gateways and of monitoring.
pub const ENTRY_POINTS: &[&str] =
    &["ingress-*", "traefik*", "haproxy*", "kong*", "istio-system", "istio-ingress*", "envoy-gateway-system", "monitoring"];

/// What tenants may do beyond their own walls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted {
    /// Namespaces that every tenant may accept connections from, by name or prefix (`*` at the end).
    pub entry: Vec<Name>,
    /// Addresses that every tenant may reach, with the ports: a database, a proxy.
    pub addresses: Vec<(IpNet, PortSet)>,
}

impl Default for Granted {
    fn default() -> Self {
        Self { entry: ENTRY_POINTS.iter().map(|name| Name::from(*name)).collect(), addresses: Vec::new() }
    }
}

impl Granted {
    /// Whether a namespace is a declared entry point. O(entry points).
    pub fn is_entry(&self, namespace: &str) -> bool {
        self.entry
            .iter()
            .any(|pattern| pattern.strip_suffix('*').map_or(pattern.as_ref() == namespace, |prefix| namespace.starts_with(prefix)))
    }

    /// Ports of a range that are open and not granted. O(granted).
    pub fn beyond(&self, range: &IpNet, open: &PortSet) -> PortSet {
        let granted = self.addresses.iter().filter(|(net, _)| net.contains(range));
        granted.fold(open.clone(), |left, (_, ports)| left.minus(ports))
    }
}
