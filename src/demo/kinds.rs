//! The kinds the simulated API server serves.

/// One kind of object: how it is addressed and what may be done with it.
#[derive(Debug)]
pub(crate) struct Kind {
    /// API group, "" for the core group.
    pub(crate) group: &'static str,
    /// API version within the group.
    pub(crate) version: &'static str,
    /// Name in paths, for example `pods`.
    pub(crate) plural: &'static str,
    /// Name in objects, for example `Pod`.
    #[expect(clippy::struct_field_names, reason = "the API calls it so")]
    pub(crate) kind: &'static str,
    /// Whether objects live in a namespace.
    pub(crate) namespaced: bool,
    /// Short names for kubectl.
    pub(crate) short: &'static [&'static str],
    /// Subresources served beside the object.
    pub(crate) subresources: &'static [&'static str],
    /// Whether the kind is a custom resource (its list items then carry their own kind).
    pub(crate) custom: bool,
}

/// Position of a kind in [`KINDS`].
pub(crate) type KindId = usize;

macro_rules! kind {
    ($group:literal $version:literal $plural:literal $kind:literal $ns:literal $short:expr, $sub:expr) => {
        kind!($group $version $plural $kind $ns $short, $sub, false)
    };
    ($group:literal $version:literal $plural:literal $kind:literal $ns:literal $short:expr, $sub:expr, $custom:literal) => {
        Kind { group: $group, version: $version, plural: $plural, kind: $kind, namespaced: $ns, short: &$short, subresources: &$sub, custom: $custom }
    };
}

/// Every kind, in the order of discovery; of a group with several versions the preferred one first.
pub(crate) static KINDS: [Kind; 32] = [
    kind!("" "v1" "configmaps" "ConfigMap" true ["cm"], []),
    kind!("" "v1" "events" "Event" true ["ev"], []),
    kind!("" "v1" "limitranges" "LimitRange" true ["limits"], []),
    kind!("" "v1" "namespaces" "Namespace" false ["ns"], ["status"]),
    kind!("" "v1" "nodes" "Node" false ["no"], ["status"]),
    kind!("" "v1" "pods" "Pod" true ["po"], ["status", "exec", "log"]),
    kind!("" "v1" "resourcequotas" "ResourceQuota" true ["quota"], ["status"]),
    kind!("" "v1" "secrets" "Secret" true [], []),
    kind!("" "v1" "serviceaccounts" "ServiceAccount" true ["sa"], ["token"]),
    kind!("" "v1" "services" "Service" true ["svc"], ["status"]),
    kind!("apps" "v1" "daemonsets" "DaemonSet" true ["ds"], ["status"]),
    kind!("apps" "v1" "deployments" "Deployment" true ["deploy"], ["status", "scale"]),
    kind!("apps" "v1" "replicasets" "ReplicaSet" true ["rs"], ["status"]),
    kind!("apps" "v1" "statefulsets" "StatefulSet" true ["sts"], ["status"]),
    kind!("batch" "v1" "cronjobs" "CronJob" true ["cj"], ["status"]),
    kind!("batch" "v1" "jobs" "Job" true [], ["status"]),
    kind!("discovery.k8s.io" "v1" "endpointslices" "EndpointSlice" true [], []),
    kind!("networking.k8s.io" "v1" "networkpolicies" "NetworkPolicy" true ["netpol"], []),
    kind!("networking.k8s.io" "v1" "ingresses" "Ingress" true ["ing"], ["status"]),
    kind!("rbac.authorization.k8s.io" "v1" "clusterrolebindings" "ClusterRoleBinding" false [], []),
    kind!("rbac.authorization.k8s.io" "v1" "clusterroles" "ClusterRole" false [], []),
    kind!("rbac.authorization.k8s.io" "v1" "rolebindings" "RoleBinding" true [], []),
    kind!("rbac.authorization.k8s.io" "v1" "roles" "Role" true [], []),
    kind!("external-secrets.io" "v1" "clusterexternalsecrets" "ClusterExternalSecret" false ["ces"], ["status"], true),
    kind!("external-secrets.io" "v1" "clustersecretstores" "ClusterSecretStore" false ["css"], ["status"], true),
    kind!("external-secrets.io" "v1" "externalsecrets" "ExternalSecret" true ["es"], ["status"], true),
    kind!("external-secrets.io" "v1" "secretstores" "SecretStore" true ["ss"], ["status"], true),
    kind!("external-secrets.io" "v1alpha1" "pushsecrets" "PushSecret" true ["ps"], ["status"], true),
    kind!("generators.external-secrets.io" "v1alpha1" "vaultdynamicsecrets" "VaultDynamicSecret" true [], ["status"], true),
    kind!("policy.networking.k8s.io" "v1alpha2" "clusternetworkpolicies" "ClusterNetworkPolicy" false ["cnp"], ["status"], true),
    kind!("policy.networking.k8s.io" "v1alpha1" "adminnetworkpolicies" "AdminNetworkPolicy" false ["anp"], ["status"], true),
    kind!("policy.networking.k8s.io" "v1alpha1" "baselineadminnetworkpolicies" "BaselineAdminNetworkPolicy" false ["banp"], ["status"], true),
];

impl Kind {
    /// `v1` or `group/version`.
    pub(crate) fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.to_owned() } else { format!("{}/{}", self.group, self.version) }
    }

    /// The name messages use: `pods` or `deployments.apps`.
    pub(crate) fn qualified(&self) -> String {
        if self.group.is_empty() { self.plural.to_owned() } else { format!("{}.{}", self.plural, self.group) }
    }

    /// The singular name of discovery.
    pub(crate) fn singular(&self) -> String {
        self.kind.to_lowercase()
    }
}

/// The kind served under this group, version and plural name.
pub(crate) fn by_path(group: &str, version: &str, plural: &str) -> Option<(KindId, &'static Kind)> {
    KINDS.iter().enumerate().find(|(_, k)| k.group == group && k.version == version && k.plural == plural)
}

/// The kind with this `kind` name.
pub(crate) fn by_name(kind: &str) -> Option<(KindId, &'static Kind)> {
    KINDS.iter().enumerate().find(|(_, k)| k.kind == kind)
}

/// The position of a plural name that is unique here. An unknown name finds nothing in any store.
pub(crate) fn id(plural: &str) -> KindId {
    KINDS.iter().position(|k| k.plural == plural).unwrap_or(usize::MAX)
}

/// Whether any kind of this group and version is served.
pub(crate) fn served(group: &str, version: &str) -> bool {
    KINDS.iter().any(|k| k.group == group && k.version == version)
}
