//! What sources say: facts that appeared, changed or went, and how well each source sees. The only input of the [`super::store::Store`].

use super::access::{Answer, Question};
use super::adminpolicy::AdminPolicyFact;
use super::ciliumpolicy::{CidrGroupFact, CiliumPolicyFact};
use super::consumer::{ConsumerFact, SecretMetaFact};
use super::event::RefusalFact;
use super::ids::Name;
use super::kind::Kind;
use super::limits::{LimitRangeFact, QuotaFact};
use super::meta::Meta;
use super::networkpolicy::NetworkPolicyFact;
use super::platform::{CiliumConfigFact, ForeignPolicyFact};
use super::pod::{NamespaceFact, NodeFact, PodFact, ServiceAccountFact};
use super::rbac::{BindingFact, RoleFact};
use super::secretstore::SecretStoreFact;
use super::service::{EndpointSliceFact, ServiceFact};
use super::source::SourceState;
use super::vault::VaultFacts;
use super::workload::WorkloadFact;

/// A fact of any kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// A Namespace.
    Namespace(NamespaceFact),
    /// A NetworkPolicy.
    NetworkPolicy(NetworkPolicyFact),
    /// A ResourceQuota.
    Quota(QuotaFact),
    /// A LimitRange.
    LimitRange(LimitRangeFact),
    /// A ServiceAccount.
    ServiceAccount(ServiceAccountFact),
    /// A Service.
    Service(ServiceFact),
    /// An EndpointSlice.
    EndpointSlice(EndpointSliceFact),
    /// A Node.
    Node(NodeFact),
    /// A Deployment, StatefulSet, DaemonSet, Job or CronJob.
    Workload(WorkloadFact),
    /// A SecretStore or ClusterSecretStore.
    SecretStore(SecretStoreFact),
    /// An object that asks Vault for secrets, or says how to.
    Consumer(ConsumerFact),
    /// A Kubernetes Secret, by its metadata.
    SecretMeta(SecretMetaFact),
    /// A Pod.
    Pod(PodFact),
    /// A policy of a cluster-wide tier.
    AdminPolicy(AdminPolicyFact),
    /// A Cilium policy.
    CiliumPolicy(CiliumPolicyFact),
    /// A CiliumCIDRGroup.
    CidrGroup(CidrGroupFact),
    /// A policy of an engine that is not evaluated.
    Foreign(ForeignPolicyFact),
    /// Cilium's configuration.
    CiliumConfig(CiliumConfigFact),
    /// A Role or ClusterRole.
    Role(RoleFact),
    /// A RoleBinding or ClusterRoleBinding.
    Binding(BindingFact),
    /// An Event about a refusal.
    Refusal(RefusalFact),
}

impl Fact {
    /// The fact's kind.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Namespace(_) => Kind::Namespace,
            Self::NetworkPolicy(_) => Kind::NetworkPolicy,
            Self::Quota(_) => Kind::ResourceQuota,
            Self::LimitRange(_) => Kind::LimitRange,
            Self::ServiceAccount(_) => Kind::ServiceAccount,
            Self::Service(_) => Kind::Service,
            Self::EndpointSlice(_) => Kind::EndpointSlice,
            Self::Node(_) => Kind::Node,
            Self::Workload(fact) => fact.kind,
            Self::SecretStore(fact) => fact.kind,
            Self::Consumer(fact) => fact.kind,
            Self::SecretMeta(fact) => fact.kind,
            Self::Pod(_) => Kind::Pod,
            Self::AdminPolicy(fact) => fact.kind,
            Self::CiliumPolicy(fact) => fact.kind,
            Self::CidrGroup(_) => Kind::CiliumCIDRGroup,
            Self::Foreign(fact) => fact.kind,
            Self::CiliumConfig(_) => Kind::CiliumConfig,
            Self::Role(fact) => fact.kind,
            Self::Binding(fact) => fact.kind,
            Self::Refusal(_) => Kind::Event,
        }
    }

    /// The fact's identity.
    pub const fn meta(&self) -> &Meta {
        match self {
            Self::Namespace(f) => &f.meta,
            Self::NetworkPolicy(f) => &f.meta,
            Self::Quota(f) => &f.meta,
            Self::LimitRange(f) => &f.meta,
            Self::ServiceAccount(f) => &f.meta,
            Self::Service(f) => &f.meta,
            Self::EndpointSlice(f) => &f.meta,
            Self::Node(f) => &f.meta,
            Self::Workload(f) => &f.meta,
            Self::SecretStore(f) => &f.meta,
            Self::Consumer(f) => &f.meta,
            Self::SecretMeta(f) => &f.meta,
            Self::Pod(f) => &f.meta,
            Self::AdminPolicy(f) => &f.meta,
            Self::CiliumPolicy(f) => &f.meta,
            Self::CidrGroup(f) => &f.meta,
            Self::Foreign(f) => &f.meta,
            Self::CiliumConfig(f) => &f.meta,
            Self::Role(f) => &f.meta,
            Self::Binding(f) => &f.meta,
            Self::Refusal(f) => &f.meta,
        }
    }
}

/// One thing a source says.
#[derive(Clone, Debug)]
pub enum Change {
    /// A kind's list begins (again): what is not put until [`Change::Listed`] is gone.
    Listing(Kind),
    /// An object as it is now.
    Put(Box<Fact>),
    /// An object is gone.
    Gone {
        /// Its kind.
        kind: Kind,
        /// Its namespace.
        namespace: Name,
        /// Its name.
        name: Name,
    },
    /// A kind's list is complete; sets it live.
    Listed(Kind),
    /// A kind's source changed state.
    State(Kind, SourceState),
    /// Everything known of Vault, as of one poll.
    Vault(Box<VaultFacts>),
    /// Answers to access reviews.
    Access(Vec<(Question, Answer)>),
    /// The name the API server knows us by.
    User(Name),
    /// Facts about the API server itself.
    Server(super::snapshot::ServerFacts),
}
