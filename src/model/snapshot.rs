//! The cluster and Vault at one moment: immutable, shared, cheap to publish, because what did not change is not copied.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::access::Access;
use super::adminpolicy::AdminPolicyFact;
use super::ciliumpolicy::{CidrGroupFact, CiliumPolicyFact};
use super::consumer::{ConsumerFact, SecretMetaFact};
use super::event::RefusalFact;
use super::ids::Name;
use super::kind::Kind;
use super::limits::{LimitRangeFact, QuotaFact};
use super::networkpolicy::NetworkPolicyFact;
use super::platform::{CiliumConfigFact, ForeignPolicyFact};
use super::pod::{NamespaceFact, NodeFact, PodFact, ServiceAccountFact};
use super::rbac::{BindingFact, RoleFact};
use super::secretstore::SecretStoreFact;
use super::service::{EndpointSliceFact, ServiceFact};
use super::source::{Sight, SourceState};
use super::vault::VaultFacts;
use super::workload::WorkloadFact;

/// Facts by name.
pub type ByName<T> = BTreeMap<Name, Arc<T>>;

/// Everything in one namespace. Present also for a namespace whose own object we may not see.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NamespaceFacts {
    /// The Namespace object; none where it is unseen.
    pub own: Option<Arc<NamespaceFact>>,
    /// NetworkPolicies.
    pub policies: ByName<NetworkPolicyFact>,
    /// CiliumNetworkPolicies.
    pub cilium: ByName<CiliumPolicyFact>,
    /// Policies of engines that are not evaluated.
    pub foreign: BTreeMap<(Kind, Name), Arc<ForeignPolicyFact>>,
    /// ResourceQuotas.
    pub quotas: ByName<QuotaFact>,
    /// LimitRanges.
    pub limit_ranges: ByName<LimitRangeFact>,
    /// ServiceAccounts.
    pub service_accounts: ByName<ServiceAccountFact>,
    /// Services.
    pub services: ByName<ServiceFact>,
    /// EndpointSlices.
    pub endpoint_slices: ByName<EndpointSliceFact>,
    /// SecretStores.
    pub secret_stores: ByName<SecretStoreFact>,
    /// Objects that ask Vault for secrets, or say how to.
    pub consumers: BTreeMap<(Kind, Name), Arc<ConsumerFact>>,
    /// Kubernetes Secrets by their metadata, where that may be asked for.
    pub secrets: BTreeMap<(Kind, Name), Arc<SecretMetaFact>>,
    /// Roles.
    pub roles: ByName<RoleFact>,
    /// RoleBindings.
    pub bindings: ByName<BindingFact>,
    /// Deployments, StatefulSets, DaemonSets, Jobs and CronJobs.
    pub workloads: BTreeMap<(Kind, Name), Arc<WorkloadFact>>,
    /// Pods.
    pub pods: ByName<PodFact>,
    /// Events about refusals.
    pub refusals: ByName<RefusalFact>,
}

impl NamespaceFacts {
    /// Whether nothing is known here any more.
    pub fn is_empty(&self) -> bool {
        self.own.is_none()
            && self.policies.is_empty()
            && self.cilium.is_empty()
            && self.foreign.is_empty()
            && self.quotas.is_empty()
            && self.limit_ranges.is_empty()
            && self.service_accounts.is_empty()
            && self.services.is_empty()
            && self.endpoint_slices.is_empty()
            && self.secret_stores.is_empty()
            && self.consumers.is_empty()
            && self.secrets.is_empty()
            && self.roles.is_empty()
            && self.bindings.is_empty()
            && self.workloads.is_empty()
            && self.pods.is_empty()
            && self.refusals.is_empty()
    }
}

/// Policies, roles, bindings and secret stores that belong to no namespace, and the CNI's configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClusterFacts {
    /// AdminNetworkPolicies, BaselineAdminNetworkPolicies and ClusterNetworkPolicies.
    pub admin: BTreeMap<(Kind, Name), Arc<AdminPolicyFact>>,
    /// CiliumClusterwideNetworkPolicies.
    pub cilium: ByName<CiliumPolicyFact>,
    /// CiliumCIDRGroups.
    pub cidr_groups: ByName<CidrGroupFact>,
    /// Cluster-wide policies of engines that are not evaluated.
    pub foreign: BTreeMap<(Kind, Name), Arc<ForeignPolicyFact>>,
    /// ClusterRoles.
    pub roles: ByName<RoleFact>,
    /// ClusterRoleBindings.
    pub bindings: ByName<BindingFact>,
    /// ClusterSecretStores.
    pub stores: ByName<SecretStoreFact>,
    /// ClusterExternalSecrets.
    pub consumers: BTreeMap<(Kind, Name), Arc<ConsumerFact>>,
    /// `kube-system/cilium-config`.
    pub cilium_config: Option<Arc<CiliumConfigFact>>,
}

/// The API server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerFacts {
    /// Context name from the kubeconfig.
    pub context: Name,
    /// `gitVersion`.
    pub version: Name,
    /// Uid of the `kube-system` namespace: the customary identity of a cluster.
    pub cluster_uid: Name,
    /// The demo's simulated servers answer; every screen and receipt must say so.
    pub simulated: bool,
}

/// The state of every source of the cluster.
pub type Sources = BTreeMap<Kind, SourceState>;

/// A moment.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// Counts publications.
    pub generation: u64,
    /// By namespace name.
    pub namespaces: Arc<BTreeMap<Name, Arc<NamespaceFacts>>>,
    /// Nodes.
    pub nodes: Arc<ByName<NodeFact>>,
    /// Cluster-wide policies.
    pub cluster: Arc<ClusterFacts>,
    /// Vault.
    pub vault: Arc<VaultFacts>,
    /// State of every watched kind.
    pub sources: Arc<Sources>,
    /// What we may do.
    pub access: Arc<Access>,
    /// The API server.
    pub server: Arc<ServerFacts>,
}

impl Snapshot {
    /// State of a kind's source.
    pub fn source(&self, kind: Kind) -> &SourceState {
        const OFF: &SourceState = &SourceState::Off;
        self.sources.get(&kind).unwrap_or(OFF)
    }

    /// What may be concluded from facts of a kind.
    pub fn sight(&self, kind: Kind) -> Sight {
        self.source(kind).sight()
    }

    /// The facts of a namespace.
    pub fn namespace(&self, name: &str) -> Option<&Arc<NamespaceFacts>> {
        self.namespaces.get(name)
    }
}

/// What changed between two publications.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dirty {
    /// Namespaces any fact of which changed.
    pub namespaces: std::collections::BTreeSet<Name>,
    /// Something every tenant may rest on changed: a source's state, a node, access.
    pub everything: bool,
    /// A cluster-wide policy, role or binding, the CNI's configuration or a Node changed: every tenant's network answers may rest on it.
    pub cluster: bool,
    /// Something of Vault changed.
    pub vault: bool,
    /// A ClusterSecretStore or ClusterExternalSecret changed: every tenant's secrets may rest on it, and nothing of the network does.
    pub stores: bool,
    /// What moved, newest last, for "which change did it"; capped, objects only of kinds that walls rest on.
    pub log: Vec<Moved>,
}

/// One object that appeared, changed or went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// Which.
    pub object: super::ids::ObjectRef,
    /// How.
    pub how: How,
    /// Field manager, where the server told.
    pub manager: Option<Name>,
    /// The server's time of the change where it is known.
    pub at: Option<super::time::Time>,
}

/// How an object moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// Appeared.
    Added,
    /// Changed.
    Changed,
    /// Went.
    Deleted,
}

impl How {
    /// As a word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Deleted => "deleted",
        }
    }
}

impl Dirty {
    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.namespaces.is_empty() && !self.everything && !self.cluster && !self.vault && !self.stores
    }
}
