//! NET-19: the other forms of address that lead to a tenant's pods, or from its Services to somebody else.

use std::net::IpAddr;

use super::addresses::METADATA;
use crate::model::ids::{Name, ObjectRef, TenantId};
use crate::model::kind::Kind;
use crate::model::service::ServiceFact;
use crate::model::snapshot::NamespaceFacts;
use crate::model::text::clean;
use crate::netpol::answer::Openness;
use crate::posture::finding::Subject;
use crate::posture::sight::Source;
use crate::posture::verdict::Declared;
use crate::posture::view::{Point, TenantView, list};

/// NET-19: what a Service adds to the reach of pods. ClusterIP and headless Services add nothing: what they lead to is judged on the pods
/// behind them, after translation.
pub fn doors(view: &TenantView<'_>) -> Vec<Point> {
    let of_one = |(name, facts): &(&Name, &NamespaceFacts)| -> Vec<Point> {
        facts.services.values().filter_map(|service| door(view, name, facts, service)).collect()
    };
    let mut points: Vec<Point> = view.namespaces.iter().flat_map(of_one).collect();
    if points.is_empty() {
        if let Some(why) = view.blind(Source::Objects(Kind::EndpointSlice)) {
            let message = format!("where Services without a selector lead can't be said: EndpointSlice {why}");
            return vec![Point::new(Declared::Unknown, view.subject(), message).because("unseen")];
        }
        let message = format!("no Service of {} leads past its policies: every address form ends at its own pods", clean(view.tenant));
        points.push(Point::new(Declared::Right, view.subject(), message));
    }
    points
}

fn door(view: &TenantView<'_>, namespace: &Name, facts: &NamespaceFacts, service: &ServiceFact) -> Option<Point> {
    let object = service.meta.object(Kind::Service);
    let subject = Subject::object(&object);
    let shown = format!("Service {} of {}", clean(&service.meta.name), clean(namespace));
    let point = |declared, reason, what: &str, field: &str, value: &str| {
        Point::new(declared, subject.clone(), format!("{shown} {what}")).because(reason).with(object.clone(), field, value)
    };
    if let Some(host) = service.external_name.as_deref().filter(|_| service.kind.as_ref() == "ExternalName") {
        let (tenant, other) = tenant_of_host(view, host)?;
        let what = format!("is a name for {}, a Service of tenant {}", clean(host), clean(tenant));
        return Some(point(open_to(view, tenant), "external-name", &what, "spec.externalName", &other));
    }
    if service.selector.is_none() {
        let found = foreign_endpoints(view, facts, service);
        if !found.is_empty() {
            let what = format!("has endpoints kept by hand that are not this tenant's: {}", clean(&list(&found)));
            return Some(point(Declared::Partly, "foreign-endpoints", &what, "EndpointSlice endpoints", &list(&found)));
        }
    }
    outside(service).map(|(declared, reason, what, field, value)| point(declared, reason, what, field, &value))
}

type Outside = (Declared, &'static str, &'static str, &'static str, String);

/// Doors to the outside of the cluster.
fn outside(service: &ServiceFact) -> Option<Outside> {
    let node_ports: Vec<String> = service.ports.iter().filter_map(|port| port.node_port).map(|port| port.to_string()).collect();
    let addresses: Vec<String> = service.external_ips.iter().map(ToString::to_string).collect();
    match service.kind.as_ref() {
        "NodePort" | "LoadBalancer" if service.keeps_client => None,
        "NodePort" | "LoadBalancer" => Some((
            Declared::Unknown,
            "node-port",
            "is reached through a port of every Node: the API leaves open whether policies then see the client or the Node, which no policy keeps off",
            "spec.ports[].nodePort",
            if node_ports.is_empty() { "none yet".to_owned() } else { list(&node_ports) },
        )),
        _ if !addresses.is_empty() => Some((
            Declared::Partly,
            "external-ips",
            "claims addresses for itself: traffic of the whole cluster to them ends here",
            "spec.externalIPs",
            list(&addresses),
        )),
        _ => None,
    }
}

/// The tenant whose Service a host name of the cluster means, with its `namespace/name`.
fn tenant_of_host<'a>(view: &'a TenantView<'_>, host: &str) -> Option<(&'a TenantId, String)> {
    let mut labels = host.trim_end_matches('.').split('.');
    let (service, namespace, svc) = (labels.next()?, labels.next()?, labels.next());
    let tenant = view.tenants.of.get(namespace).filter(|tenant| *tenant != view.tenant)?;
    svc.is_none_or(|svc| svc == "svc").then(|| (tenant, format!("{namespace}/{service}")))
}

/// Open where the declarations let this tenant through to the other; else a door that only policies keep shut.
fn open_to(view: &TenantView<'_>, other: &TenantId) -> Declared {
    let matrix = view.reach.matrix();
    let cell =
        matrix.place(view.tenant).zip(matrix.place(other)).and_then(|(from, to)| matrix.cell(from, to).map(|cell| cell.now.openness()));
    if cell == Some(Openness::Open) { Declared::Open } else { Declared::Partly }
}

/// Endpoints of a Service without a selector that belong to somebody else, as `address (whose)`.
fn foreign_endpoints(view: &TenantView<'_>, facts: &NamespaceFacts, service: &ServiceFact) -> Vec<String> {
    let slices = facts.endpoint_slices.values().filter(|slice| slice.service.as_ref() == Some(&service.meta.name));
    let mut found: Vec<String> =
        slices.flat_map(|slice| slice.addresses.iter()).filter_map(|ip| Some(format!("{ip} ({})", owner(view, *ip)?))).collect();
    found.sort();
    found.dedup();
    found
}

/// Whose an address is, if it is somebody's whom this tenant should not lead to. O(pods of the fleet), asked only of Services without selector.
fn owner(view: &TenantView<'_>, ip: IpAddr) -> Option<String> {
    if METADATA.iter().any(|(net, _)| net.contains(&ip)) {
        return Some("cloud metadata".to_owned());
    }
    if view.snapshot.nodes.values().any(|node| node.ips.contains(&ip)) {
        return Some("a Node".to_owned());
    }
    let others = view.snapshot.namespaces.iter().filter(|(name, _)| view.tenants.of.get(*name).is_some_and(|tenant| tenant != view.tenant));
    for (name, facts) in others {
        let object: Option<ObjectRef> =
            facts.pods.values().find(|pod| pod.ips.contains(&ip)).map(|pod| pod.meta.object(Kind::Pod)).or_else(|| {
                facts.services.values().find(|service| service.cluster_ips.contains(&ip)).map(|service| service.meta.object(Kind::Service))
            });
        if let Some(object) = object {
            return Some(format!("{} {} of {}", object.kind, clean(&object.name), clean(name)));
        }
    }
    None
}
