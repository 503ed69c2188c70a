//! cilium.io: CiliumNetworkPolicy, CiliumClusterwideNetworkPolicy and CiliumCIDRGroup.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::{IgnoredAny, MapAccess};

use super::lean::{Field, Key, Lean, Many, NonEmpty, Str, objects};
use super::meta::MetaWire;
use super::networkpolicy::SelectorWire;

/// A policy, of either kind.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct CiliumPolicyWire<'a> {
    /// `metadata`.
    #[serde(borrow)]
    pub metadata: Field<MetaWire<'a>>,
    /// `spec`.
    #[serde(borrow)]
    pub spec: Field<CiliumRuleWire<'a>>,
    /// `specs`.
    #[serde(borrow)]
    pub specs: Field<Many<CiliumRuleWire<'a>>>,
}

/// `spec`, or one of `specs`.
#[derive(Deserialize, Default, Debug)]
#[serde(default, rename_all = "camelCase")]
pub struct CiliumRuleWire<'a> {
    /// `endpointSelector`.
    #[serde(borrow)]
    pub endpoint_selector: Field<SelectorWire<'a>>,
    /// `nodeSelector`.
    #[serde(borrow)]
    pub node_selector: Field<SelectorWire<'a>>,
    /// `ingress`.
    #[serde(borrow)]
    pub ingress: Field<Many<CiliumEntryWire<'a>>>,
    /// `ingressDeny`.
    #[serde(borrow)]
    pub ingress_deny: Field<Many<CiliumEntryWire<'a>>>,
    /// `egress`.
    #[serde(borrow)]
    pub egress: Field<Many<CiliumEntryWire<'a>>>,
    /// `egressDeny`.
    #[serde(borrow)]
    pub egress_deny: Field<Many<CiliumEntryWire<'a>>>,
    /// `enableDefaultDeny`.
    pub enable_default_deny: Field<DefaultDenyWire>,
}

/// `enableDefaultDeny`.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct DefaultDenyWire {
    /// `ingress`.
    pub ingress: Field<bool>,
    /// `egress`.
    pub egress: Field<bool>,
}

/// An entry of a rule's list. A member that is not known here is kept by its name: it may limit, or widen, what the entry means.
#[derive(Default, Debug)]
pub struct CiliumEntryWire<'a> {
    /// Members about peers, with their keys.
    pub peers: Vec<(Cow<'a, str>, Field<CiliumPeersWire<'a>>)>,
    /// `toPorts`.
    pub ports: Field<Many<CiliumPortsWire<'a>>>,
    /// `icmps`.
    pub icmps: Field<Many<NonEmpty>>,
    /// `authentication`.
    pub authentication: Field<AuthenticationWire<'a>>,
    /// Any other member's key.
    pub unknown: Option<Cow<'a, str>>,
}

/// What a member about peers holds, by what its key says after `from` or `to`.
#[derive(Debug)]
pub enum CiliumPeersWire<'a> {
    /// `Endpoints`.
    Endpoints(Many<SelectorWire<'a>>),
    /// `Entities`.
    Entities(Many<Str<'a>>),
    /// `CIDR`.
    Ranges(Many<Str<'a>>),
    /// `CIDRSet`.
    Blocks(Many<CidrRuleWire<'a>>),
    /// `Nodes`.
    Nodes(Many<SelectorWire<'a>>),
    /// `Groups`, of which nothing is read.
    Groups(Many<NonEmpty>),
    /// `Requires`.
    Requires(Many<SelectorWire<'a>>),
    /// `Services`.
    Services(Many<CiliumServiceWire<'a>>),
    /// `FQDNs`.
    Names(Many<FqdnWire<'a>>),
}

impl<'de: 'a, 'a> Lean<'de> for CiliumEntryWire<'a> {
    fn object<A: MapAccess<'de>>(mut object: A) -> Result<Option<Self>, A::Error> {
        let mut entry = Self::default();
        while let Some(Key(key)) = object.next_key()? {
            let about = key.strip_prefix("from").or_else(|| key.strip_prefix("to").filter(|rest| *rest != "Ports"));
            let peers = match about {
                Some("Endpoints") => object.next_value::<Field<_>>()?.map(CiliumPeersWire::Endpoints),
                Some("Entities") => object.next_value::<Field<_>>()?.map(CiliumPeersWire::Entities),
                Some("CIDR") => object.next_value::<Field<_>>()?.map(CiliumPeersWire::Ranges),
                Some("CIDRSet") => object.next_value::<Field<_>>()?.map(CiliumPeersWire::Blocks),
                Some("Nodes") => object.next_value::<Field<_>>()?.map(CiliumPeersWire::Nodes),
                Some("Groups") => object.next_value::<Field<_>>()?.map(CiliumPeersWire::Groups),
                Some("Requires") => object.next_value::<Field<_>>()?.map(CiliumPeersWire::Requires),
                Some("Services") => object.next_value::<Field<_>>()?.map(CiliumPeersWire::Services),
                Some("FQDNs") => object.next_value::<Field<_>>()?.map(CiliumPeersWire::Names),
                _ => {
                    match &*key {
                        "toPorts" => entry.ports = object.next_value()?,
                        "icmps" => entry.icmps = object.next_value()?,
                        "authentication" => entry.authentication = object.next_value()?,
                        _ => {
                            object.next_value::<IgnoredAny>()?;
                            entry.unknown = Some(key);
                        }
                    }
                    continue;
                }
            };
            entry.peers.push((key, peers));
        }
        Ok(Some(entry))
    }
}

/// One of `fromCIDRSet` or `toCIDRSet`.
#[derive(Deserialize, Default, Debug)]
#[serde(default, rename_all = "camelCase")]
pub struct CidrRuleWire<'a> {
    /// `cidr`.
    #[serde(borrow)]
    pub cidr: Field<Str<'a>>,
    /// `cidrGroupRef`.
    #[serde(borrow)]
    pub cidr_group_ref: Field<Str<'a>>,
    /// `cidrGroupSelector`.
    #[serde(borrow)]
    pub cidr_group_selector: Field<SelectorWire<'a>>,
    /// `except`.
    #[serde(borrow)]
    pub except: Field<Many<Str<'a>>>,
}

/// One of `toServices`.
#[derive(Deserialize, Default, Debug)]
#[serde(default, rename_all = "camelCase")]
pub struct CiliumServiceWire<'a> {
    /// `k8sService`.
    #[serde(borrow)]
    pub k8s_service: Field<ServiceNameWire<'a>>,
    /// `k8sServiceSelector`.
    #[serde(borrow)]
    pub k8s_service_selector: Field<ServiceSelectorWire<'a>>,
}

/// `k8sService`.
#[derive(Deserialize, Default, Debug)]
#[serde(default, rename_all = "camelCase")]
pub struct ServiceNameWire<'a> {
    /// `serviceName`.
    #[serde(borrow)]
    pub service_name: Field<Str<'a>>,
    /// `namespace`.
    #[serde(borrow)]
    pub namespace: Field<Str<'a>>,
}

/// `k8sServiceSelector`.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct ServiceSelectorWire<'a> {
    /// `selector`.
    #[serde(borrow)]
    pub selector: Field<SelectorWire<'a>>,
    /// `namespace`.
    #[serde(borrow)]
    pub namespace: Field<Str<'a>>,
}

/// One of `toFQDNs`.
#[derive(Deserialize, Default, Debug)]
#[serde(default, rename_all = "camelCase")]
pub struct FqdnWire<'a> {
    /// `matchName`.
    #[serde(borrow)]
    pub match_name: Field<Str<'a>>,
    /// `matchPattern`.
    #[serde(borrow)]
    pub match_pattern: Field<Str<'a>>,
}

/// `authentication`.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct AuthenticationWire<'a> {
    /// `mode`.
    #[serde(borrow)]
    pub mode: Field<Str<'a>>,
}

/// One of `toPorts`.
#[derive(Deserialize, Default, Debug)]
#[serde(default, rename_all = "camelCase")]
pub struct CiliumPortsWire<'a> {
    /// `ports`.
    #[serde(borrow)]
    pub ports: Field<Many<CiliumPortWire<'a>>>,
    /// `rules`.
    pub rules: Field<FilterWire>,
    /// `listener`.
    pub listener: Field<NonEmpty>,
    /// `serverNames`.
    #[serde(borrow)]
    pub server_names: Field<Many<Str<'a>>>,
    /// `terminatingTLS`.
    #[serde(rename = "terminatingTLS")]
    pub terminating_tls: Field<NonEmpty>,
    /// `originatingTLS`.
    #[serde(rename = "originatingTLS")]
    pub originating_tls: Field<NonEmpty>,
}

/// Whether `rules` hold any rule, of whatever protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FilterWire(pub bool);

impl<'de> Lean<'de> for FilterWire {
    fn object<A: MapAccess<'de>>(mut object: A) -> Result<Option<Self>, A::Error> {
        let mut any = false;
        while let Some((_, rules)) = object.next_entry::<IgnoredAny, Field<Many<NonEmpty>>>()? {
            any |= match rules {
                Field::Absent => false,
                Field::Is(list) => !list.0.is_empty(),
                Field::Odd => true,
            };
        }
        Ok(Some(Self(any)))
    }
}

/// One of `ports`.
#[derive(Deserialize, Default, Debug)]
#[serde(default, rename_all = "camelCase")]
pub struct CiliumPortWire<'a> {
    /// `port`: always a text.
    #[serde(borrow)]
    pub port: Field<Str<'a>>,
    /// `endPort`.
    pub end_port: Field<i64>,
    /// `protocol`.
    #[serde(borrow)]
    pub protocol: Field<Str<'a>>,
}

/// A CiliumCIDRGroup.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct CidrGroupWire<'a> {
    /// `metadata`.
    #[serde(borrow)]
    pub metadata: Field<MetaWire<'a>>,
    /// `spec`.
    #[serde(borrow)]
    pub spec: Field<CidrGroupSpecWire<'a>>,
}

/// Its `spec`.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct CidrGroupSpecWire<'a> {
    /// `externalCIDRs`.
    #[serde(borrow, rename = "externalCIDRs")]
    pub external_cidrs: Field<Many<Str<'a>>>,
}

objects! {
    borrowed: CiliumPolicyWire, CiliumRuleWire, CidrRuleWire, CiliumServiceWire, ServiceNameWire, ServiceSelectorWire, FqdnWire,
        AuthenticationWire, CiliumPortsWire, CiliumPortWire, CidrGroupWire, CidrGroupSpecWire;
    owned: DefaultDenyWire;
}
