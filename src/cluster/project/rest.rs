//! Namespaces, ServiceAccounts, quotas, LimitRanges, Services, EndpointSlices, Nodes and Events.

use std::fmt::Write as _;

use ipnet::IpNet;

use super::meta::{Version, Writer, amounts, changed, condition, labels, meta, name, words};
use super::networkpolicy::range;
use super::pod::protocol;
use super::{kind_named, optional};
use crate::cluster::authority;
use crate::cluster::wire::lean::{Field, IntOrStr, Many};
use crate::cluster::wire::networkpolicy::ExpressionWire;
use crate::cluster::wire::rest::{
    AccountWire, EndpointWire, EventWire, LimitRangeWire, LimitWire, NamespaceWire, NodeWire, QuotaSpecWire, QuotaWire, ServicePortWire,
    ServiceWire, SliceWire,
};
use crate::model::changes::Fact;
use crate::model::event::{Authority, RefusalFact};
use crate::model::ids::{Name, ObjectRef};
use crate::model::intern::Interner;
use crate::model::kind::Kind;
use crate::model::limits::{Amounts, LimitItem, LimitRangeFact, QuotaFact};
use crate::model::pod::{NamespaceFact, NodeFact, ServiceAccountFact};
use crate::model::service::{EndpointSliceFact, ServiceFact, ServicePort};
use crate::model::text::LONGEST;
use crate::model::time::Time;

/// The fact of a Namespace.
pub(super) fn namespace(_kind: Kind, wire: NamespaceWire<'_>, interner: &mut Interner) -> Option<Fact> {
    let mut metadata = wire.metadata.get()?;
    let set = labels(std::mem::take(&mut metadata.labels), interner);
    let ending = metadata.deletion_timestamp.as_ref().is_some();
    Some(Fact::Namespace(NamespaceFact {
        meta: meta(&metadata, Version::Resource, Writer::Kept, interner)?,
        labels: interner.labels(set),
        terminating: ending || wire.status.get().is_some_and(|status| status.phase.text() == "Terminating"),
    }))
}

/// The fact of a ServiceAccount.
pub(super) fn service_account(_kind: Kind, wire: AccountWire<'_>, interner: &mut Interner) -> Option<Fact> {
    Some(Fact::ServiceAccount(ServiceAccountFact {
        meta: meta(&wire.metadata.get()?, Version::Resource, Writer::Kept, interner)?,
        automount: wire.automount_service_account_token.get(),
    }))
}

/// The fact of a ResourceQuota. Its resource version moves with every pod; its version is made of its specification and newest writer.
pub(super) fn quota(_kind: Kind, wire: QuotaWire<'_>, interner: &mut Interner) -> Option<Fact> {
    let metadata = wire.metadata.get()?;
    let (hard, scopes) = match wire.spec {
        Field::Odd => (amounts(Field::Odd, interner), Box::default()),
        spec => {
            let QuotaSpecWire { hard, scopes, scope_selector } = spec.get().unwrap_or_default();
            (amounts(hard, interner), self::scopes(scopes, scope_selector.get().unwrap_or_default().match_expressions, interner))
        }
    };
    let status = wire.status.get().unwrap_or_default();
    let at = changed(&metadata, interner).map_or(0, |changed| changed.at.0);
    let digest = format!("{hard:?}\n{scopes:?}\n{at}");
    Some(Fact::Quota(QuotaFact {
        meta: meta(&metadata, Version::Digest(&digest), Writer::Kept, interner)?,
        hard,
        status_hard: amounts(status.hard, interner),
        used: amounts(status.used, interner),
        scopes,
    }))
}

/// Scopes as readable terms. A scope that can't be read is a term too: a quota with it does not cover every pod.
fn scopes(
    plain: Field<Many<crate::cluster::wire::lean::Str<'_>>>,
    selector: Field<Many<ExpressionWire<'_>>>,
    interner: &mut Interner,
) -> Box<[Name]> {
    let mut terms = Vec::new();
    if plain.is_odd() || selector.is_odd() {
        terms.push(interner.name("(unreadable)"));
    }
    for scope in plain.get().unwrap_or_default().0 {
        terms.push(match scope.text() {
            "" => interner.name("(unreadable)"),
            text => name(text, interner),
        });
    }
    for expression in selector.get().unwrap_or_default().0 {
        let Field::Is(wire) = expression else {
            terms.push(interner.name("(unreadable)"));
            continue;
        };
        let mut term = format!("{} {}", wire.scope_name.text(), wire.operator.text());
        let values: Vec<String> = wire.values.items().map(|value| value.0.into_owned()).collect();
        if !values.is_empty() {
            let _ = write!(term, " [{}]", values.join(", "));
        }
        terms.push(name(&term, interner));
    }
    terms.into_boxed_slice()
}

/// The fact of a LimitRange. An item that can't be read stays, with amounts that can't be read.
pub(super) fn limit_range(_kind: Kind, wire: LimitRangeWire<'_>, interner: &mut Interner) -> Option<Fact> {
    let meta = meta(&wire.metadata.get()?, Version::Resource, Writer::Kept, interner)?;
    let limits = wire.spec.get().unwrap_or_default().limits;
    let items = if limits.is_odd() { vec![Field::Odd] } else { limits.get().unwrap_or_default().0 };
    Some(Fact::LimitRange(LimitRangeFact { meta, items: items.into_iter().map(|item| limit_item(item, interner)).collect() }))
}

fn limit_item(field: Field<LimitWire<'_>>, interner: &mut Interner) -> LimitItem {
    let odd = field.is_odd();
    let LimitWire { kind, default, default_request, max, min, max_limit_request_ratio } = field.get().unwrap_or_default();
    let mut read = |table| if odd { amounts(Field::Odd, interner) } else { amounts(table, interner) };
    let [default, default_request, max, min, ratio]: [Amounts; 5] =
        [default, default_request, max, min, max_limit_request_ratio].map(&mut read);
    LimitItem { kind: name(kind.text(), interner), default, default_request, max, min, ratio }
}

/// The fact of a Service.
pub(super) fn service(_kind: Kind, wire: ServiceWire<'_>, interner: &mut Interner) -> Option<Fact> {
    let meta = meta(&wire.metadata.get()?, Version::Resource, Writer::Kept, interner)?;
    let spec = wire.spec.get().unwrap_or_default();
    let listed: Vec<_> = spec.cluster_ips.items().filter_map(|ip| ip.0.parse().ok()).collect();
    let cluster_ips = if listed.is_empty() { spec.cluster_ip.text().parse().into_iter().collect() } else { listed.into_boxed_slice() };
    let selector = labels(spec.selector, interner);
    let balancer = wire.status.get().unwrap_or_default().load_balancer.get().unwrap_or_default();
    let declared = spec.external_ips.items().filter_map(|ip| ip.0.parse().ok());
    let external_ips = declared.chain(balancer.ingress.items().filter_map(|point| point.ip.text().parse().ok())).collect();
    Some(Fact::Service(ServiceFact {
        meta,
        kind: if spec.kind.text().is_empty() { interner.name("ClusterIP") } else { name(spec.kind.text(), interner) },
        cluster_ips,
        selector: if selector.is_empty() { None } else { Some(interner.labels(selector)) },
        ports: spec.ports.items().filter_map(|port| service_port(&port, interner)).collect(),
        external_ips,
        external_name: optional(&spec.external_name, interner),
        keeps_client: spec.external_traffic_policy.text() == "Local",
    }))
}

fn service_port(wire: &ServicePortWire<'_>, interner: &mut Interner) -> Option<ServicePort> {
    let number = |field: &Field<i64>| field.as_ref().and_then(|port| u16::try_from(*port).ok()).filter(|port| *port > 0);
    let target = match wire.target_port.as_ref() {
        Some(IntOrStr::Int(number)) => Some(interner.name(&number.to_string())),
        Some(IntOrStr::Str(text)) if !text.is_empty() => Some(name(text, interner)),
        _ => None,
    };
    Some(ServicePort {
        name: optional(&wire.name, interner),
        port: number(&wire.port)?,
        target,
        protocol: protocol(wire.protocol.text())?,
        node_port: number(&wire.node_port),
    })
}

/// Marks slices whose addresses are those of selected pods.
const OF_A_SELECTOR: (&str, &str) = ("endpointslice.kubernetes.io/managed-by", "endpointslice-controller.k8s.io");
/// No more addresses of a slice are kept.
const ADDRESSES: usize = 256;

/// The fact of an EndpointSlice. Its addresses are kept only where no selector makes them.
pub(super) fn endpoint_slice(_kind: Kind, wire: SliceWire<'_>, interner: &mut Interner) -> Option<Fact> {
    let metadata = wire.metadata.get()?;
    let meta = meta(&metadata, Version::Generation, Writer::Dropped, interner)?;
    let set = labels(metadata.labels, interner);
    let endpoints = wire.endpoints.get().unwrap_or_default().0;
    let not_ready = |field: &Field<EndpointWire<'_>>| {
        field
            .as_ref()
            .is_none_or(|endpoint| endpoint.conditions.as_ref().is_some_and(|conditions| conditions.ready.as_ref() == Some(&false)))
    };
    let (ready, all) = (endpoints.iter().filter(|endpoint| !not_ready(endpoint)).count() as u32, endpoints.len() as u32);
    let of_a_selector = set.get(OF_A_SELECTOR.0).is_some_and(|manager| **manager == *OF_A_SELECTOR.1);
    let addresses = endpoints.into_iter().filter_map(Field::get).flat_map(|endpoint| endpoint.addresses.items());
    Some(Fact::EndpointSlice(EndpointSliceFact {
        meta,
        service: set.get("kubernetes.io/service-name").cloned(),
        ready,
        all,
        addresses: if of_a_selector {
            Box::default()
        } else {
            addresses.filter_map(|address| address.0.parse().ok()).take(ADDRESSES).collect()
        },
    }))
}

/// The fact of a Node. Its resource version moves with every heartbeat; its version is a digest of what walls rest on.
pub(super) fn node(_kind: Kind, wire: NodeWire<'_>, interner: &mut Interner) -> Option<Fact> {
    let mut metadata = wire.metadata.get()?;
    let (spec, status) = (wire.spec.get().unwrap_or_default(), wire.status.get().unwrap_or_default());
    let labels = labels(std::mem::take(&mut metadata.labels), interner);
    let ips: Box<[std::net::IpAddr]> = status.addresses.items().filter_map(|entry| entry.address.text().parse().ok()).collect();
    let provider = optional(&spec.provider_id, interner);
    let listed: Box<[IpNet]> = spec.pod_cidrs.items().filter_map(|text| range(&text.0)).collect();
    let pod_cidrs = if listed.is_empty() { range(spec.pod_cidr.text()).into_iter().collect() } else { listed };
    let digest = format!("{ips:?}\n{labels:?}\n{provider:?}\n{pod_cidrs:?}");
    Some(Fact::Node(NodeFact {
        meta: meta(&metadata, Version::Digest(&digest), Writer::Dropped, interner)?,
        ready: condition(status.conditions, "Ready") == Some(true),
        ips,
        labels: interner.labels(labels),
        provider,
        pod_cidrs,
    }))
}

/// What is kept of a message: its beginning; of a long one about Vault what begins with the request that was refused.
fn told(message: &str, authority: Authority) -> Name {
    let of_vault = matches!(authority, Authority::VaultAcl | Authority::VaultRoleBinding);
    let request = message.find("URL: ").filter(|_| of_vault && message.len() > LONGEST).and_then(|at| message.get(at..));
    words(request.unwrap_or(message))
}

/// The fact of an Event about a refusal; none for all other Events.
pub(super) fn event(_kind: Kind, wire: EventWire<'_>, interner: &mut Interner) -> Option<Fact> {
    let (reason, message) = (wire.reason.text(), wire.message.text());
    let authority = authority::refusal(reason, message)?;
    let metadata = wire.metadata.get()?;
    let series = wire.series.get().unwrap_or_default();
    let count = [&wire.count, &series.count].into_iter().filter_map(|field| field.as_ref().copied()).max().unwrap_or(1);
    let times = [series.last_observed_time.text(), wire.last_timestamp.text(), wire.event_time.text(), metadata.creation_timestamp.text()];
    let last = times.into_iter().find_map(Time::parse).unwrap_or_default();
    let about = wire.involved_object.get().unwrap_or_default();
    let (kind, object) = (about.kind.text(), about.name.text());
    let known = kind_named(kind).filter(|_| !object.is_empty());
    Some(Fact::Refusal(RefusalFact {
        meta: meta(&metadata, Version::Resource, Writer::Dropped, interner)?,
        about: known.map(|kind| ObjectRef { kind, namespace: name(about.namespace.text(), interner), name: name(object, interner) }),
        about_text: name(&format!("{kind}/{object}"), interner),
        reason: name(reason, interner),
        message: told(message, authority),
        authority,
        count: u32::try_from(count.max(1)).unwrap_or(u32::MAX),
        last,
    }))
}
