//! Pods, ServiceAccounts, Namespaces and Nodes.

use std::net::IpAddr;
use std::sync::Arc;

use super::consumer::{InjectorFact, SecretUse};
use super::containers::Containers;
use super::ids::Name;
use super::labels::Labels;
use super::meta::Meta;

/// A Pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodFact {
    /// Identity.
    pub meta: Meta,
    /// Labels.
    pub labels: Labels,
    /// Containers, shared by pods of one template.
    pub containers: Containers,
    /// Node it is bound to.
    pub node: Option<Name>,
    /// `spec.serviceAccountName`, `default` where absent.
    pub service_account: Name,
    /// The controller that owns it, as `Kind/name`.
    pub owner: Option<Name>,
    /// `status.podIPs`.
    pub ips: Box<[IpAddr]>,
    /// `status.phase`.
    pub phase: Phase,
    /// Shares the node's network: NetworkPolicy does not apply.
    pub host_network: bool,
    /// Condition Ready is True.
    pub ready: bool,
    /// Has a deletion timestamp.
    pub terminating: bool,
    /// `spec.overhead` makes quota count more than the containers: none is kept, but the pod is marked.
    pub overhead: bool,
    /// Kubernetes Secrets that it takes, shared by pods of one template.
    pub secrets: Arc<[SecretUse]>,
    /// The agent injector's annotations, where there are any.
    pub injector: Option<Arc<InjectorFact>>,
}

/// `status.phase`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Phase {
    /// Pending.
    Pending,
    /// Running.
    Running,
    /// Succeeded.
    Succeeded,
    /// Failed.
    Failed,
    /// Unknown, or not said.
    #[default]
    Unknown,
}

impl PodFact {
    /// Whether the pod has ended: it holds no address and counts for no quota of running pods.
    pub const fn finished(&self) -> bool {
        matches!(self.phase, Phase::Succeeded | Phase::Failed)
    }
}

/// A ServiceAccount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceAccountFact {
    /// Identity.
    pub meta: Meta,
    /// `automountServiceAccountToken`.
    pub automount: Option<bool>,
}

/// A Namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamespaceFact {
    /// Identity.
    pub meta: Meta,
    /// Labels.
    pub labels: Labels,
    /// Has a deletion timestamp or phase Terminating.
    pub terminating: bool,
}

/// A Node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeFact {
    /// Identity.
    pub meta: Meta,
    /// Condition Ready is True.
    pub ready: bool,
    /// `status.addresses`, addresses only.
    pub ips: Box<[IpAddr]>,
    /// Labels: policies select Nodes by them.
    pub labels: Labels,
    /// `spec.providerID`: which cloud it is, if any.
    pub provider: Option<Name>,
    /// `spec.podCIDRs` that can be read.
    pub pod_cidrs: Box<[ipnet::IpNet]>,
}
