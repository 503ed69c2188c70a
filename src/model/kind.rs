//! The kinds partywall reads, as one table: where the API serves them, in which order they are fetched, and whether a cluster may lack them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A kind of object that can be a fact, a dependency of a receipt or evidence of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// core/v1 Namespace.
    Namespace,
    /// networking.k8s.io/v1 NetworkPolicy.
    NetworkPolicy,
    /// core/v1 ResourceQuota.
    ResourceQuota,
    /// core/v1 LimitRange.
    LimitRange,
    /// core/v1 ServiceAccount.
    ServiceAccount,
    /// core/v1 Service.
    Service,
    /// discovery.k8s.io/v1 EndpointSlice.
    EndpointSlice,
    /// core/v1 Node.
    Node,
    /// apps/v1 Deployment.
    Deployment,
    /// apps/v1 StatefulSet.
    StatefulSet,
    /// apps/v1 DaemonSet.
    DaemonSet,
    /// batch/v1 Job.
    Job,
    /// batch/v1 CronJob.
    CronJob,
    /// External Secrets' SecretStore (external-secrets.io, version by discovery).
    SecretStore,
    /// External Secrets' ClusterSecretStore.
    ClusterSecretStore,
    /// External Secrets' ExternalSecret.
    ExternalSecret,
    /// External Secrets' ClusterExternalSecret.
    ClusterExternalSecret,
    /// External Secrets' PushSecret (v1alpha1).
    PushSecret,
    /// generators.external-secrets.io VaultDynamicSecret: any method on any path.
    VaultGenerator,
    /// secrets.hashicorp.com VaultConnection.
    VaultConnection,
    /// secrets.hashicorp.com VaultAuth.
    VaultAuth,
    /// secrets.hashicorp.com VaultAuthGlobal.
    VaultAuthGlobal,
    /// secrets.hashicorp.com VaultStaticSecret.
    VaultStaticSecret,
    /// secrets.hashicorp.com VaultDynamicSecret.
    VaultDynamicSecret,
    /// secrets.hashicorp.com VaultPKISecret.
    VaultPKISecret,
    /// secrets.hashicorp.com CSISecrets.
    CSISecrets,
    /// secrets-store.csi.x-k8s.io SecretProviderClass.
    SecretProviderClass,
    /// core/v1 Secret of type `kubernetes.io/service-account-token`, metadata only.
    TokenSecret,
    /// core/v1 Secret of type `kubernetes.io/tls`, metadata only.
    TlsSecret,
    /// core/v1 Pod.
    Pod,
    /// core/v1 Event: only refusals by quota and policy are kept.
    Event,
    /// policy.networking.k8s.io v1alpha1: AdminNetworkPolicy.
    AdminNetworkPolicy,
    /// policy.networking.k8s.io v1alpha1: BaselineAdminNetworkPolicy.
    BaselineAdminNetworkPolicy,
    /// policy.networking.k8s.io v1alpha2: ClusterNetworkPolicy.
    ClusterNetworkPolicy,
    /// cilium.io v2: CiliumNetworkPolicy.
    CiliumNetworkPolicy,
    /// cilium.io v2: CiliumClusterwideNetworkPolicy.
    CiliumClusterwideNetworkPolicy,
    /// cilium.io CiliumCIDRGroup: ranges that Cilium policies name.
    CiliumCIDRGroup,
    /// crd.projectcalico.org v1: seen, not evaluated.
    CalicoNetworkPolicy,
    /// crd.projectcalico.org v1: seen, not evaluated.
    CalicoGlobalNetworkPolicy,
    /// crd.antrea.io v1beta1: seen, not evaluated.
    AntreaNetworkPolicy,
    /// crd.antrea.io v1beta1: seen, not evaluated.
    AntreaClusterNetworkPolicy,
    /// k8s.ovn.org EgressFirewall: seen, not evaluated.
    EgressFirewall,
    /// security.istio.io AuthorizationPolicy: seen, not evaluated.
    AuthorizationPolicy,
    /// rbac.authorization.k8s.io/v1 Role.
    Role,
    /// rbac.authorization.k8s.io/v1 RoleBinding.
    RoleBinding,
    /// rbac.authorization.k8s.io/v1 ClusterRole.
    ClusterRole,
    /// rbac.authorization.k8s.io/v1 ClusterRoleBinding.
    ClusterRoleBinding,
    /// core/v1 ConfigMap `cilium-config` in `kube-system`, and no other.
    CiliumConfig,
    /// A Vault or OpenBao server; no API object of the cluster.
    VaultServer,
    /// A role of a Kubernetes auth mount in Vault; namespace holds the mount.
    VaultRole,
    /// An ACL policy in Vault.
    VaultPolicy,
    /// A secret mount in Vault.
    VaultMount,
    /// An entity or group of Vault's identity store.
    VaultIdentity,
}

/// Where the API server serves a kind.
#[derive(Clone, Copy, Debug)]
pub struct KindInfo {
    /// Which kind.
    pub kind: Kind,
    /// API group; empty for core.
    pub group: &'static str,
    /// Another group that may serve the same kind, looked at where the first does not.
    pub other_group: Option<&'static str>,
    /// Version asked for; where a kind is optional and discovery does not know this version of it, the one the server prefers.
    pub version: &'static str,
    /// Resource name in paths.
    pub plural: &'static str,
    /// False for cluster-scoped kinds.
    pub namespaced: bool,
    /// True where a healthy cluster may not have the API at all.
    pub optional: bool,
    /// Only this object (namespace, name) is read of the kind.
    pub only: Option<(&'static str, &'static str)>,
    /// Only objects with this value of the field `type` are read, and of them the metadata alone. Such kinds are asked for only where the
    /// operator allows it: the permission to list them is one to read values, even though none is asked for.
    pub metadata_of_type: Option<&'static str>,
}

const fn core(kind: Kind, plural: &'static str) -> KindInfo {
    in_group(kind, "", plural)
}

const fn in_group(kind: Kind, group: &'static str, plural: &'static str) -> KindInfo {
    KindInfo {
        kind,
        group,
        other_group: None,
        version: "v1",
        plural,
        namespaced: true,
        optional: false,
        only: None,
        metadata_of_type: None,
    }
}

const fn optional_kind(kind: Kind, group: &'static str, version: &'static str, plural: &'static str) -> KindInfo {
    KindInfo { version, optional: true, ..in_group(kind, group, plural) }
}

/// Calico keeps its objects as CRDs; where an API server of its own, or newer CRDs, serve them, it is in this group.
const CALICO_API: Option<&str> = Some("projectcalico.org");

const RBAC: &str = super::rbac::GROUP;
/// External Secrets.
const ESO: &str = "external-secrets.io";
/// The Vault Secrets Operator.
const VSO: &str = "secrets.hashicorp.com";

/// Every kind that is listed and watched, in the order in which initial lists are made: what shapes the walls first, what is many last.
pub const WATCHED: [KindInfo; 48] = [
    KindInfo { namespaced: false, ..core(Kind::Namespace, "namespaces") },
    in_group(Kind::NetworkPolicy, "networking.k8s.io", "networkpolicies"),
    KindInfo {
        namespaced: false,
        ..optional_kind(Kind::AdminNetworkPolicy, "policy.networking.k8s.io", "v1alpha1", "adminnetworkpolicies")
    },
    KindInfo {
        namespaced: false,
        ..optional_kind(Kind::BaselineAdminNetworkPolicy, "policy.networking.k8s.io", "v1alpha1", "baselineadminnetworkpolicies")
    },
    KindInfo {
        namespaced: false,
        ..optional_kind(Kind::ClusterNetworkPolicy, "policy.networking.k8s.io", "v1alpha2", "clusternetworkpolicies")
    },
    optional_kind(Kind::CiliumNetworkPolicy, "cilium.io", "v2", "ciliumnetworkpolicies"),
    KindInfo {
        namespaced: false,
        ..optional_kind(Kind::CiliumClusterwideNetworkPolicy, "cilium.io", "v2", "ciliumclusterwidenetworkpolicies")
    },
    KindInfo { namespaced: false, ..optional_kind(Kind::CiliumCIDRGroup, "cilium.io", "v2", "ciliumcidrgroups") },
    KindInfo { other_group: CALICO_API, ..optional_kind(Kind::CalicoNetworkPolicy, "crd.projectcalico.org", "v1", "networkpolicies") },
    KindInfo {
        namespaced: false,
        other_group: CALICO_API,
        ..optional_kind(Kind::CalicoGlobalNetworkPolicy, "crd.projectcalico.org", "v1", "globalnetworkpolicies")
    },
    optional_kind(Kind::AntreaNetworkPolicy, "crd.antrea.io", "v1beta1", "networkpolicies"),
    KindInfo { namespaced: false, ..optional_kind(Kind::AntreaClusterNetworkPolicy, "crd.antrea.io", "v1beta1", "clusternetworkpolicies") },
    optional_kind(Kind::EgressFirewall, "k8s.ovn.org", "v1", "egressfirewalls"),
    optional_kind(Kind::AuthorizationPolicy, "security.istio.io", "v1", "authorizationpolicies"),
    in_group(Kind::Role, RBAC, "roles"),
    in_group(Kind::RoleBinding, RBAC, "rolebindings"),
    KindInfo { namespaced: false, ..in_group(Kind::ClusterRole, RBAC, "clusterroles") },
    KindInfo { namespaced: false, ..in_group(Kind::ClusterRoleBinding, RBAC, "clusterrolebindings") },
    KindInfo { only: Some(("kube-system", "cilium-config")), ..core(Kind::CiliumConfig, "configmaps") },
    core(Kind::ResourceQuota, "resourcequotas"),
    core(Kind::LimitRange, "limitranges"),
    core(Kind::Pod, "pods"),
    core(Kind::ServiceAccount, "serviceaccounts"),
    core(Kind::Service, "services"),
    in_group(Kind::EndpointSlice, "discovery.k8s.io", "endpointslices"),
    KindInfo { optional: true, ..in_group(Kind::SecretStore, ESO, "secretstores") },
    KindInfo { namespaced: false, ..optional_kind(Kind::ClusterSecretStore, ESO, "v1", "clustersecretstores") },
    optional_kind(Kind::ExternalSecret, ESO, "v1", "externalsecrets"),
    KindInfo { namespaced: false, ..optional_kind(Kind::ClusterExternalSecret, ESO, "v1", "clusterexternalsecrets") },
    optional_kind(Kind::PushSecret, ESO, "v1alpha1", "pushsecrets"),
    optional_kind(Kind::VaultGenerator, "generators.external-secrets.io", "v1alpha1", "vaultdynamicsecrets"),
    optional_kind(Kind::VaultConnection, VSO, "v1beta1", "vaultconnections"),
    optional_kind(Kind::VaultAuth, VSO, "v1beta1", "vaultauths"),
    optional_kind(Kind::VaultAuthGlobal, VSO, "v1beta1", "vaultauthglobals"),
    optional_kind(Kind::VaultStaticSecret, VSO, "v1beta1", "vaultstaticsecrets"),
    optional_kind(Kind::VaultDynamicSecret, VSO, "v1beta1", "vaultdynamicsecrets"),
    optional_kind(Kind::VaultPKISecret, VSO, "v1beta1", "vaultpkisecrets"),
    optional_kind(Kind::CSISecrets, VSO, "v1beta1", "csisecrets"),
    optional_kind(Kind::SecretProviderClass, "secrets-store.csi.x-k8s.io", "v1", "secretproviderclasses"),
    KindInfo { metadata_of_type: Some("kubernetes.io/service-account-token"), ..core(Kind::TokenSecret, "secrets") },
    KindInfo { metadata_of_type: Some("kubernetes.io/tls"), ..core(Kind::TlsSecret, "secrets") },
    in_group(Kind::Deployment, "apps", "deployments"),
    in_group(Kind::StatefulSet, "apps", "statefulsets"),
    in_group(Kind::DaemonSet, "apps", "daemonsets"),
    in_group(Kind::Job, "batch", "jobs"),
    in_group(Kind::CronJob, "batch", "cronjobs"),
    KindInfo { namespaced: false, ..core(Kind::Node, "nodes") },
    core(Kind::Event, "events"),
];

impl KindInfo {
    /// Of a kind that is read only where that is allowed explicitly: how to allow it, said of a source that is off.
    pub const fn unasked(&self) -> Option<&'static str> {
        match self.metadata_of_type {
            Some(_) => Some("not asked for: allow it with --secret-metadata"),
            None => None,
        }
    }
}

impl Kind {
    /// The kind's row in [`WATCHED`]; none for Vault's objects.
    pub fn info(self) -> Option<&'static KindInfo> {
        WATCHED.iter().find(|info| info.kind == self)
    }

    /// The kind as the API spells it; with its group where two groups share a name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Namespace => "Namespace",
            Self::NetworkPolicy => "NetworkPolicy",
            Self::ResourceQuota => "ResourceQuota",
            Self::LimitRange => "LimitRange",
            Self::ServiceAccount => "ServiceAccount",
            Self::Service => "Service",
            Self::EndpointSlice => "EndpointSlice",
            Self::Node => "Node",
            Self::Deployment => "Deployment",
            Self::StatefulSet => "StatefulSet",
            Self::DaemonSet => "DaemonSet",
            Self::Job => "Job",
            Self::CronJob => "CronJob",
            Self::SecretStore => "SecretStore",
            Self::ClusterSecretStore => "ClusterSecretStore",
            Self::ExternalSecret => "ExternalSecret",
            Self::ClusterExternalSecret => "ClusterExternalSecret",
            Self::PushSecret => "PushSecret",
            Self::VaultGenerator => "VaultDynamicSecret.generators.external-secrets.io",
            Self::VaultConnection => "VaultConnection",
            Self::VaultAuth => "VaultAuth",
            Self::VaultAuthGlobal => "VaultAuthGlobal",
            Self::VaultStaticSecret => "VaultStaticSecret",
            Self::VaultDynamicSecret => "VaultDynamicSecret",
            Self::VaultPKISecret => "VaultPKISecret",
            Self::CSISecrets => "CSISecrets",
            Self::SecretProviderClass => "SecretProviderClass",
            Self::TokenSecret => "Secret",
            Self::TlsSecret => "Secret.tls",
            Self::Pod => "Pod",
            Self::Event => "Event",
            Self::AdminNetworkPolicy => "AdminNetworkPolicy",
            Self::BaselineAdminNetworkPolicy => "BaselineAdminNetworkPolicy",
            Self::ClusterNetworkPolicy => "ClusterNetworkPolicy",
            Self::CiliumNetworkPolicy => "CiliumNetworkPolicy",
            Self::CiliumClusterwideNetworkPolicy => "CiliumClusterwideNetworkPolicy",
            Self::CiliumCIDRGroup => "CiliumCIDRGroup",
            Self::CalicoNetworkPolicy => "NetworkPolicy.crd.projectcalico.org",
            Self::CalicoGlobalNetworkPolicy => "GlobalNetworkPolicy.crd.projectcalico.org",
            Self::AntreaNetworkPolicy => "NetworkPolicy.crd.antrea.io",
            Self::AntreaClusterNetworkPolicy => "ClusterNetworkPolicy.crd.antrea.io",
            Self::EgressFirewall => "EgressFirewall",
            Self::AuthorizationPolicy => "AuthorizationPolicy",
            Self::Role => "Role",
            Self::RoleBinding => "RoleBinding",
            Self::ClusterRole => "ClusterRole",
            Self::ClusterRoleBinding => "ClusterRoleBinding",
            Self::CiliumConfig => "ConfigMap",
            Self::VaultServer => "VaultServer",
            Self::VaultRole => "VaultRole",
            Self::VaultPolicy => "VaultPolicy",
            Self::VaultMount => "VaultMount",
            Self::VaultIdentity => "VaultIdentity",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
