//! Containers of a pod or template: what quota, limits and ports need of them.

use std::sync::Arc;

use super::ids::Name;
use super::networkpolicy::Protocol;
use super::quantity::Quantity;

/// One container. Init containers and sidecars are containers too, told apart by `role`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ContainerFact {
    /// Name.
    pub name: Name,
    /// Image reference as written.
    pub image: Name,
    /// Which list it came from.
    pub role: ContainerRole,
    /// `resources.requests`, by resource name.
    pub requests: Box<[(Name, Quantity)]>,
    /// `resources.limits`, by resource name.
    pub limits: Box<[(Name, Quantity)]>,
    /// Declared ports.
    pub ports: Box<[ContainerPort]>,
}

/// Containers shared by all pods of a template.
pub type Containers = Arc<[ContainerFact]>;

/// Which list of the pod a container came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ContainerRole {
    /// `containers`.
    Main,
    /// `initContainers` that run to their end.
    Init,
    /// `initContainers` with `restartPolicy: Always`.
    Sidecar,
}

/// A declared container port.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ContainerPort {
    /// Name, if it has one.
    pub name: Option<Name>,
    /// Number.
    pub port: u16,
    /// Protocol.
    pub protocol: PortProtocol,
}

/// Protocol of a container or Service port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PortProtocol {
    /// TCP, the default.
    Tcp,
    /// UDP.
    Udp,
    /// SCTP.
    Sctp,
}

impl PortProtocol {
    /// As the API spells it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
            Self::Sctp => "SCTP",
        }
    }

    /// Whether a policy's protocol means this one.
    pub fn is(self, protocol: &Protocol) -> bool {
        matches!((self, protocol), (Self::Tcp, Protocol::Tcp) | (Self::Udp, Protocol::Udp) | (Self::Sctp, Protocol::Sctp))
    }
}
