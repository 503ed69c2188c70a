//! Cilium's ConfigMap. Of its data only the keys that decide about enforcement are kept.

use serde::Deserialize;

use super::lean::{Field, Str, objects};
use super::meta::MetaWire;

/// The ConfigMap `kube-system/cilium-config`.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct CiliumConfigWire<'a> {
    /// `metadata`.
    #[serde(borrow)]
    pub metadata: Field<MetaWire<'a>>,
    /// `data`.
    #[serde(borrow)]
    pub data: Field<CiliumDataWire<'a>>,
}

/// `data`: options of the agent, all of them texts.
#[derive(Deserialize, Default, Debug)]
#[serde(default, rename_all = "kebab-case")]
pub struct CiliumDataWire<'a> {
    /// `enable-policy`.
    #[serde(borrow)]
    pub enable_policy: Field<Str<'a>>,
    /// `policy-audit-mode`.
    #[serde(borrow)]
    pub policy_audit_mode: Field<Str<'a>>,
    /// `allow-localhost`.
    #[serde(borrow)]
    pub allow_localhost: Field<Str<'a>>,
    /// `policy-cidr-match-mode`.
    #[serde(borrow)]
    pub policy_cidr_match_mode: Field<Str<'a>>,
    /// `enable-k8s-networkpolicy`.
    #[serde(borrow, rename = "enable-k8s-networkpolicy")]
    pub enable_k8s_networkpolicy: Field<Str<'a>>,
    /// `enable-host-firewall`.
    #[serde(borrow)]
    pub enable_host_firewall: Field<Str<'a>>,
}

objects! { borrowed: CiliumConfigWire, CiliumDataWire; owned: }
