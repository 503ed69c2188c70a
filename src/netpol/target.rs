//! The fixed targets: places that every tenant is asked about.

use ipnet::IpNet;

use super::answer::Answer;
use crate::model::ids::Name;

/// A place outside the tenants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// Public addresses.
    Internet,
    /// Addresses at which clouds hand out credentials.
    Metadata,
    /// Private ranges that are not the cluster's own.
    Private,
    /// The cluster's resolver.
    ClusterDns,
    /// The API server.
    ApiServer,
    /// Nodes, on any port.
    Nodes,
    /// Kubelets: nodes on TCP 10250 and 10255.
    Kubelet,
    /// Vault.
    Vault,
}

/// All targets, in the order of screens and reports.
pub const TARGETS: [Target; 8] = [
    Target::Internet,
    Target::Metadata,
    Target::Private,
    Target::ClusterDns,
    Target::ApiServer,
    Target::Nodes,
    Target::Kubelet,
    Target::Vault,
];

impl Target {
    /// As a column's head: at most eight characters.
    pub const fn short(self) -> &'static str {
        match self {
            Self::Internet => "INTERNET",
            Self::Metadata => "METADATA",
            Self::Private => "PRIVATE",
            Self::ClusterDns => "DNS",
            Self::ApiServer => "API",
            Self::Nodes => "NODES",
            Self::Kubelet => "KUBELET",
            Self::Vault => "VAULT",
        }
    }

    /// In words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Internet => "the internet",
            Self::Metadata => "cloud metadata addresses",
            Self::Private => "private ranges outside the cluster",
            Self::ClusterDns => "the cluster's resolver",
            Self::ApiServer => "the API server",
            Self::Nodes => "nodes",
            Self::Kubelet => "kubelets",
            Self::Vault => "Vault",
        }
    }
}

/// How much of a target is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Extent {
    /// Nothing of it.
    #[default]
    None,
    /// Some of its addresses or pods, or on some ports.
    Some,
    /// All of it, on every port.
    All,
}

/// What a tenant reaches of a target.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct TargetCell {
    /// Existing pods: ports open to any part of it.
    pub now: Answer,
    /// Pods with any labels that may be made tomorrow, existing ones included.
    pub future: Answer,
    /// How much of it, of what is open for sure to existing pods.
    pub extent: Extent,
    /// Why nothing can be said: it is not known where the target is.
    pub unknown: Option<&'static str>,
}

/// Where the targets are, as far as the cluster does not say.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Places {
    /// Vault.
    pub vault: Option<VaultPlace>,
    /// Ranges of pods, beside those that Nodes name.
    pub pod_ranges: Vec<IpNet>,
    /// Ranges of Services.
    pub service_ranges: Vec<IpNet>,
}

/// Where Vault is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VaultPlace {
    /// A Service in the cluster.
    Service {
        /// Its namespace.
        namespace: Name,
        /// Its name.
        name: Name,
        /// The port.
        port: u16,
    },
    /// Addresses outside.
    Addresses(Vec<IpNet>, u16),
    /// A name whose address is not known here.
    Host(Name, u16),
}
