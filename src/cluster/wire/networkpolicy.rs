//! networking.k8s.io/v1 NetworkPolicy and label selectors.

use serde::Deserialize;

use super::lean::{Field, IntOrStr, Many, Str, Table, objects};
use super::meta::MetaWire;

/// A NetworkPolicy.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct PolicyWire<'a> {
    /// `metadata`.
    #[serde(borrow)]
    pub metadata: Field<MetaWire<'a>>,
    /// `spec`.
    #[serde(borrow)]
    pub spec: Field<PolicySpecWire<'a>>,
}

/// `spec`.
#[derive(Deserialize, Default, Debug)]
#[serde(default, rename_all = "camelCase")]
pub struct PolicySpecWire<'a> {
    /// `podSelector`.
    #[serde(borrow)]
    pub pod_selector: Field<SelectorWire<'a>>,
    /// `policyTypes`.
    #[serde(borrow)]
    pub policy_types: Field<Many<Str<'a>>>,
    /// `ingress`.
    #[serde(borrow)]
    pub ingress: Field<Many<RuleWire<'a>>>,
    /// `egress`.
    #[serde(borrow)]
    pub egress: Field<Many<RuleWire<'a>>>,
}

/// A rule; `from` of an ingress rule and `to` of an egress rule.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct RuleWire<'a> {
    /// `from`.
    #[serde(borrow)]
    pub from: Field<Many<PeerWire<'a>>>,
    /// `to`.
    #[serde(borrow)]
    pub to: Field<Many<PeerWire<'a>>>,
    /// `ports`.
    #[serde(borrow)]
    pub ports: Field<Many<PortWire<'a>>>,
}

/// A peer.
#[derive(Deserialize, Default, Debug)]
#[serde(default, rename_all = "camelCase")]
pub struct PeerWire<'a> {
    /// `podSelector`.
    #[serde(borrow)]
    pub pod_selector: Field<SelectorWire<'a>>,
    /// `namespaceSelector`.
    #[serde(borrow)]
    pub namespace_selector: Field<SelectorWire<'a>>,
    /// `ipBlock`.
    #[serde(borrow)]
    pub ip_block: Field<BlockWire<'a>>,
}

/// `ipBlock`.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct BlockWire<'a> {
    /// `cidr`.
    #[serde(borrow)]
    pub cidr: Field<Str<'a>>,
    /// `except`.
    #[serde(borrow)]
    pub except: Field<Many<Str<'a>>>,
}

/// A port of a rule.
#[derive(Deserialize, Default, Debug)]
#[serde(default, rename_all = "camelCase")]
pub struct PortWire<'a> {
    /// `protocol`.
    #[serde(borrow)]
    pub protocol: Field<Str<'a>>,
    /// `port`.
    #[serde(borrow)]
    pub port: Field<IntOrStr<'a>>,
    /// `endPort`.
    pub end_port: Field<i64>,
}

/// A label selector.
#[derive(Deserialize, Default, Debug)]
#[serde(default, rename_all = "camelCase")]
pub struct SelectorWire<'a> {
    /// `matchLabels`.
    #[serde(borrow)]
    pub match_labels: Field<Table<'a, Str<'a>>>,
    /// `matchExpressions`.
    #[serde(borrow)]
    pub match_expressions: Field<Many<ExpressionWire<'a>>>,
}

/// One expression of a selector, also of a quota's scope selector.
#[derive(Deserialize, Default, Debug)]
#[serde(default, rename_all = "camelCase")]
pub struct ExpressionWire<'a> {
    /// `key`.
    #[serde(borrow)]
    pub key: Field<Str<'a>>,
    /// `scopeName`, in scope selectors.
    #[serde(borrow)]
    pub scope_name: Field<Str<'a>>,
    /// `operator`.
    #[serde(borrow)]
    pub operator: Field<Str<'a>>,
    /// `values`.
    #[serde(borrow)]
    pub values: Field<Many<Str<'a>>>,
}

objects! { borrowed: PolicyWire, PolicySpecWire, RuleWire, PeerWire, BlockWire, PortWire, SelectorWire, ExpressionWire; owned: }
