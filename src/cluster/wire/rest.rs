//! Namespaces, ServiceAccounts, quotas, LimitRanges, Services, EndpointSlices, Nodes and Events.

use serde::Deserialize;

use super::lean::{Field, IntOrStr, Many, Str, Table, objects};
use super::meta::MetaWire;
use super::networkpolicy::ExpressionWire;
use super::pod::ConditionWire;
use crate::model::quantity::Quantity;

/// A Namespace.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct NamespaceWire<'a> {
    /// `metadata`.
    #[serde(borrow)]
    pub metadata: Field<MetaWire<'a>>,
    /// `status`.
    #[serde(borrow)]
    pub status: Field<PhaseWire<'a>>,
}

/// A `status` with a phase.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct PhaseWire<'a> {
    /// `phase`.
    #[serde(borrow)]
    pub phase: Field<Str<'a>>,
}

/// A ServiceAccount. Its secrets are not decoded, not even their names.
#[derive(Deserialize, Default, Debug)]
#[serde(default, rename_all = "camelCase")]
pub struct AccountWire<'a> {
    /// `metadata`.
    #[serde(borrow)]
    pub metadata: Field<MetaWire<'a>>,
    /// `automountServiceAccountToken`.
    pub automount_service_account_token: Field<bool>,
}

/// A ResourceQuota.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct QuotaWire<'a> {
    /// `metadata`.
    #[serde(borrow)]
    pub metadata: Field<MetaWire<'a>>,
    /// `spec`.
    #[serde(borrow)]
    pub spec: Field<QuotaSpecWire<'a>>,
    /// `status`.
    #[serde(borrow)]
    pub status: Field<QuotaStatusWire<'a>>,
}

/// A quota's `spec`.
#[derive(Deserialize, Default, Debug)]
#[serde(default, rename_all = "camelCase")]
pub struct QuotaSpecWire<'a> {
    /// `hard`.
    #[serde(borrow)]
    pub hard: Field<Table<'a, Quantity>>,
    /// `scopes`.
    #[serde(borrow)]
    pub scopes: Field<Many<Str<'a>>>,
    /// `scopeSelector`.
    #[serde(borrow)]
    pub scope_selector: Field<ScopeSelectorWire<'a>>,
}

/// `scopeSelector`.
#[derive(Deserialize, Default, Debug)]
#[serde(default, rename_all = "camelCase")]
pub struct ScopeSelectorWire<'a> {
    /// `matchExpressions`.
    #[serde(borrow)]
    pub match_expressions: Field<Many<ExpressionWire<'a>>>,
}

/// A quota's `status`.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct QuotaStatusWire<'a> {
    /// `hard`.
    #[serde(borrow)]
    pub hard: Field<Table<'a, Quantity>>,
    /// `used`.
    #[serde(borrow)]
    pub used: Field<Table<'a, Quantity>>,
}

/// A LimitRange.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct LimitRangeWire<'a> {
    /// `metadata`.
    #[serde(borrow)]
    pub metadata: Field<MetaWire<'a>>,
    /// `spec`.
    #[serde(borrow)]
    pub spec: Field<LimitSpecWire<'a>>,
}

/// A LimitRange's `spec`.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct LimitSpecWire<'a> {
    /// `limits`.
    #[serde(borrow)]
    pub limits: Field<Many<LimitWire<'a>>>,
}

/// One item of a LimitRange.
#[derive(Deserialize, Default, Debug)]
#[serde(default, rename_all = "camelCase")]
pub struct LimitWire<'a> {
    /// `type`.
    #[serde(borrow, rename = "type")]
    pub kind: Field<Str<'a>>,
    /// `default`.
    #[serde(borrow)]
    pub default: Field<Table<'a, Quantity>>,
    /// `defaultRequest`.
    #[serde(borrow)]
    pub default_request: Field<Table<'a, Quantity>>,
    /// `max`.
    #[serde(borrow)]
    pub max: Field<Table<'a, Quantity>>,
    /// `min`.
    #[serde(borrow)]
    pub min: Field<Table<'a, Quantity>>,
    /// `maxLimitRequestRatio`.
    #[serde(borrow)]
    pub max_limit_request_ratio: Field<Table<'a, Quantity>>,
}

/// A Service.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct ServiceWire<'a> {
    /// `metadata`.
    #[serde(borrow)]
    pub metadata: Field<MetaWire<'a>>,
    /// `spec`.
    #[serde(borrow)]
    pub spec: Field<ServiceSpecWire<'a>>,
    /// `status`.
    #[serde(borrow)]
    pub status: Field<ServiceStatusWire<'a>>,
}

/// A Service's `spec`.
#[derive(Deserialize, Default, Debug)]
#[serde(default, rename_all = "camelCase")]
pub struct ServiceSpecWire<'a> {
    /// `type`.
    #[serde(borrow, rename = "type")]
    pub kind: Field<Str<'a>>,
    /// `clusterIP`.
    #[serde(borrow, rename = "clusterIP")]
    pub cluster_ip: Field<Str<'a>>,
    /// `clusterIPs`.
    #[serde(borrow, rename = "clusterIPs")]
    pub cluster_ips: Field<Many<Str<'a>>>,
    /// `selector`.
    #[serde(borrow)]
    pub selector: Field<Table<'a, Str<'a>>>,
    /// `ports`.
    #[serde(borrow)]
    pub ports: Field<Many<ServicePortWire<'a>>>,
    /// `externalIPs`.
    #[serde(borrow, rename = "externalIPs")]
    pub external_ips: Field<Many<Str<'a>>>,
    /// `externalName`.
    #[serde(borrow)]
    pub external_name: Field<Str<'a>>,
    /// `externalTrafficPolicy`.
    #[serde(borrow)]
    pub external_traffic_policy: Field<Str<'a>>,
}

/// A Service's `status`.
#[derive(Deserialize, Default, Debug)]
#[serde(default, rename_all = "camelCase")]
pub struct ServiceStatusWire<'a> {
    /// `loadBalancer`.
    #[serde(borrow)]
    pub load_balancer: Field<BalancerWire<'a>>,
}

/// `loadBalancer`.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct BalancerWire<'a> {
    /// `ingress`.
    #[serde(borrow)]
    pub ingress: Field<Many<BalancerPointWire<'a>>>,
}

/// One point at which a balancer takes traffic in.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct BalancerPointWire<'a> {
    /// `ip`.
    #[serde(borrow)]
    pub ip: Field<Str<'a>>,
}

/// A Service's port.
#[derive(Deserialize, Default, Debug)]
#[serde(default, rename_all = "camelCase")]
pub struct ServicePortWire<'a> {
    /// `name`.
    #[serde(borrow)]
    pub name: Field<Str<'a>>,
    /// `port`.
    pub port: Field<i64>,
    /// `targetPort`.
    #[serde(borrow)]
    pub target_port: Field<IntOrStr<'a>>,
    /// `protocol`.
    #[serde(borrow)]
    pub protocol: Field<Str<'a>>,
    /// `nodePort`.
    pub node_port: Field<i64>,
}

/// An EndpointSlice.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct SliceWire<'a> {
    /// `metadata`.
    #[serde(borrow)]
    pub metadata: Field<MetaWire<'a>>,
    /// `endpoints`.
    #[serde(borrow)]
    pub endpoints: Field<Many<EndpointWire<'a>>>,
}

/// One endpoint.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct EndpointWire<'a> {
    /// `addresses`.
    #[serde(borrow)]
    pub addresses: Field<Many<Str<'a>>>,
    /// `conditions`.
    pub conditions: Field<EndpointConditionsWire>,
}

/// An endpoint's `conditions`.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct EndpointConditionsWire {
    /// `ready`.
    pub ready: Field<bool>,
}

/// A Node.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct NodeWire<'a> {
    /// `metadata`.
    #[serde(borrow)]
    pub metadata: Field<MetaWire<'a>>,
    /// `spec`.
    #[serde(borrow)]
    pub spec: Field<NodeSpecWire<'a>>,
    /// `status`.
    #[serde(borrow)]
    pub status: Field<NodeStatusWire<'a>>,
}

/// A Node's `spec`.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct NodeSpecWire<'a> {
    /// `providerID`.
    #[serde(borrow, rename = "providerID")]
    pub provider_id: Field<Str<'a>>,
    /// `podCIDR`.
    #[serde(borrow, rename = "podCIDR")]
    pub pod_cidr: Field<Str<'a>>,
    /// `podCIDRs`.
    #[serde(borrow, rename = "podCIDRs")]
    pub pod_cidrs: Field<Many<Str<'a>>>,
}

/// A Node's `status`.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct NodeStatusWire<'a> {
    /// `conditions`.
    #[serde(borrow)]
    pub conditions: Field<Many<ConditionWire<'a>>>,
    /// `addresses`.
    #[serde(borrow)]
    pub addresses: Field<Many<AddressWire<'a>>>,
}

/// One address.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct AddressWire<'a> {
    /// `address`.
    #[serde(borrow)]
    pub address: Field<Str<'a>>,
}

/// A core/v1 Event.
#[derive(Deserialize, Default, Debug)]
#[serde(default, rename_all = "camelCase")]
pub struct EventWire<'a> {
    /// `metadata`.
    #[serde(borrow)]
    pub metadata: Field<MetaWire<'a>>,
    /// `involvedObject`.
    #[serde(borrow)]
    pub involved_object: Field<AboutWire<'a>>,
    /// `reason`.
    #[serde(borrow)]
    pub reason: Field<Str<'a>>,
    /// `message`.
    #[serde(borrow)]
    pub message: Field<Str<'a>>,
    /// `count`.
    pub count: Field<i64>,
    /// `series`.
    #[serde(borrow)]
    pub series: Field<SeriesWire<'a>>,
    /// `lastTimestamp`.
    #[serde(borrow)]
    pub last_timestamp: Field<Str<'a>>,
    /// `eventTime`.
    #[serde(borrow)]
    pub event_time: Field<Str<'a>>,
}

/// `involvedObject`.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct AboutWire<'a> {
    /// `kind`.
    #[serde(borrow)]
    pub kind: Field<Str<'a>>,
    /// `namespace`.
    #[serde(borrow)]
    pub namespace: Field<Str<'a>>,
    /// `name`.
    #[serde(borrow)]
    pub name: Field<Str<'a>>,
}

/// `series`.
#[derive(Deserialize, Default, Debug)]
#[serde(default, rename_all = "camelCase")]
pub struct SeriesWire<'a> {
    /// `count`.
    pub count: Field<i64>,
    /// `lastObservedTime`.
    #[serde(borrow)]
    pub last_observed_time: Field<Str<'a>>,
}

objects! {
    borrowed: NamespaceWire, PhaseWire, AccountWire, QuotaWire, QuotaSpecWire, ScopeSelectorWire, QuotaStatusWire, LimitRangeWire,
        LimitSpecWire, LimitWire, ServiceWire, ServiceSpecWire, ServicePortWire, ServiceStatusWire, BalancerWire, BalancerPointWire, SliceWire, EndpointWire,
        NodeWire, NodeSpecWire, NodeStatusWire, AddressWire, EventWire,
        AboutWire, SeriesWire;
    owned: EndpointConditionsWire;
}
