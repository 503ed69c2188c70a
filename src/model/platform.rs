//! What enforces the network: the CNI's own configuration, and policy objects of engines whose rules this program does not evaluate.

use super::ids::Name;
use super::kind::Kind;
use super::meta::Meta;

/// A policy object of an engine that is seen but not understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignPolicyFact {
    /// Identity.
    pub meta: Meta,
    /// Which kind: [`foreign`] says of which engine and what it may do.
    pub kind: Kind,
}

/// What policies of an engine that we don't evaluate may do to an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Foreign {
    /// The engine, as people call it.
    pub engine: &'static str,
    /// They may allow what NetworkPolicy refuses: even what looks blocked is then unknown. False where they can only refuse more.
    pub may_allow: bool,
}

/// What policies of a foreign kind may do; none for kinds that this program evaluates itself.
pub const fn foreign(kind: Kind) -> Option<Foreign> {
    Some(match kind {
        Kind::CalicoNetworkPolicy | Kind::CalicoGlobalNetworkPolicy => Foreign { engine: "Calico", may_allow: true },
        Kind::AntreaNetworkPolicy | Kind::AntreaClusterNetworkPolicy => Foreign { engine: "Antrea", may_allow: true },
        Kind::EgressFirewall => Foreign { engine: "OVN-Kubernetes", may_allow: false },
        Kind::AuthorizationPolicy => Foreign { engine: "Istio", may_allow: false },
        _ => return None,
    })
}

/// What `kube-system/cilium-config` says of enforcement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CiliumConfigFact {
    /// Identity.
    pub meta: Meta,
    /// `enable-policy`: default, always or never; none where it is not said (default).
    pub enable_policy: Option<Name>,
    /// `policy-audit-mode`.
    pub audit_mode: Option<bool>,
    /// `allow-localhost`: auto, always or policy.
    pub allow_localhost: Option<Name>,
    /// `policy-cidr-match-mode`: words such as `nodes`, comma-separated.
    pub cidr_match_mode: Option<Name>,
    /// `enable-k8s-networkpolicy`: false makes Cilium ignore NetworkPolicy.
    pub k8s_network_policy: Option<bool>,
    /// `enable-host-firewall`.
    pub host_firewall: Option<bool>,
}
