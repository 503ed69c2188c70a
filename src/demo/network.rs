//! The simulated network: names, addresses, and what listens where.

use std::net::IpAddr;
use std::sync::Arc;

use serde_json::Value;

use super::controllers::{is_ready, node_ip, target_port};
use super::json::Json;
use super::kinds;
use super::packets::{End, Packet, passes};
use super::scenario::NODES;
use super::store::Objects;
use super::world::World;

/// Address of the cluster's resolver.
pub(crate) const RESOLVER: &str = "10.96.0.10";
/// Hosts outside that answer HTTP on port 80: a public one, the cloud's metadata, one of the local network.
const OUTSIDE: [(&str, &str); 3] = [
    ("203.0.113.10", "a public host\n"),
    ("169.254.169.254", "instance-id\nhostname\niam/\n"),
    ("10.200.0.10", "a host of the local network\n"),
];

/// Who answers a connection.
#[derive(Clone, Debug)]
pub(crate) enum Listener {
    Pod(Arc<Value>),
    /// A host outside, with its page.
    Outside(&'static str),
    /// Something that speaks TLS.
    Tls,
}

/// What becomes of an attempt to connect.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    Connected(Listener),
    Refused,
    /// Dropped in silence.
    Swallowed,
}

/// Where a destination leads.
enum Route {
    Pods(Vec<Arc<Value>>, u64),
    Address(IpAddr, u64),
    /// A service without endpoints: the proxy refuses.
    Nobody,
}

/// Tries to connect from a pod.
pub(crate) fn connect(world: &World, from: &Value, address: IpAddr, port: u64, protocol: &str) -> Outcome {
    let objects = world.store.lock();
    let may = |end: End<'_>, port: u64| !world.enforcing() || passes(&objects, from, end, Packet { protocol, port });
    match route(&objects, from, address, port, protocol) {
        Route::Nobody => Outcome::Refused,
        Route::Pods(pods, port) => {
            // balanced over the endpoints, always in the same way
            let Some(pod) = pods.get(usize::try_from(port).unwrap_or_default() % pods.len().max(1)) else { return Outcome::Refused };
            if !may(End::Pod(pod), port) {
                return Outcome::Swallowed;
            }
            if listens(pod, port, protocol) { Outcome::Connected(Listener::Pod(Arc::clone(pod))) } else { Outcome::Refused }
        }
        Route::Address(address, port) => {
            if !may(End::Address(address), port) {
                return Outcome::Swallowed;
            }
            outside(address, port, protocol)
        }
    }
}

fn route(objects: &Objects, from: &Value, address: IpAddr, port: u64, protocol: &str) -> Route {
    let text = address.to_string();
    if address.is_loopback() {
        let own = objects.list(kinds::id("pods"), from.text("metadata/namespace"), None);
        let itself = own.filter(|(k, _)| k.name == from.text("metadata/name")).map(|(_, p)| Arc::clone(p)).collect();
        return Route::Pods(itself, port);
    }
    let service = objects.list(kinds::id("services"), "", None).find(|(_, s)| s.text("spec/clusterIP") == text);
    if let Some((key, service)) = service {
        let wanted = |p: &&Value| p.at("port").as_u64() == Some(port) && p.text("protocol") == protocol;
        let Some(entry) = service.items("spec/ports").iter().find(wanted) else { return Route::Address(address, port) };
        let Some(selector) = service.map("spec/selector").filter(|s| !s.is_empty()) else {
            // the API server itself, on its node
            return node_ip("node-a").parse().map_or(Route::Nobody, |ip| Route::Address(ip, target_port(entry, None).unwrap_or(port)));
        };
        let chosen = |p: &Value| is_ready(p) && selector.iter().all(|(k, v)| p.at("metadata/labels").get(k) == Some(v));
        let pods: Vec<Arc<Value>> =
            objects.list(kinds::id("pods"), &key.namespace, None).filter(|(_, p)| chosen(p)).map(|(_, p)| Arc::clone(p)).collect();
        let Some(target) = pods.first().and_then(|p| target_port(entry, Some(p))) else { return Route::Nobody };
        return Route::Pods(pods, target);
    }
    let pod = objects.list(kinds::id("pods"), "", None).find(|(_, p)| p.text("status/podIP") == text && !p.truth("spec/hostNetwork"));
    pod.map_or(Route::Address(address, port), |(_, pod)| Route::Pods(vec![Arc::clone(pod)], port))
}

fn outside(address: IpAddr, port: u64, protocol: &str) -> Outcome {
    let text = address.to_string();
    if protocol != "TCP" {
        return Outcome::Swallowed;
    }
    if NODES.iter().any(|n| node_ip(n) == text) {
        return if matches!(port, 6443 | 10250) { Outcome::Connected(Listener::Tls) } else { Outcome::Refused };
    }
    match OUTSIDE.iter().find(|(ip, _)| *ip == text) {
        Some((_, page)) if port == 80 => Outcome::Connected(Listener::Outside(page)),
        Some(_) => Outcome::Refused,
        None => Outcome::Swallowed,
    }
}

fn listens(pod: &Value, port: u64, protocol: &str) -> bool {
    let declared = |p: &Value| {
        let of = p.text("protocol");
        p.at("containerPort").as_u64() == Some(port) && (if of.is_empty() { "TCP" } else { of }) == protocol
    };
    is_ready(pod) && pod.items("spec/containers").iter().any(|c| c.items("ports").iter().any(declared))
}

/// What the resolver has to say about a name.
pub(crate) enum Answer {
    Addresses(Vec<IpAddr>),
    /// NXDOMAIN.
    Unknown,
    /// Nothing comes back.
    Silence,
    /// Nobody listens there.
    Refused,
}

/// Asks a name server, as it is written.
pub(crate) fn resolve(world: &World, from: &Value, name: &str, server: IpAddr) -> Answer {
    match connect(world, from, server, 53, "UDP") {
        Outcome::Swallowed => return Answer::Silence,
        Outcome::Refused => return Answer::Refused,
        Outcome::Connected(_) => {}
    }
    let name = name.trim_end_matches('.').to_lowercase();
    let objects = world.store.lock();
    let Some(labels) = name.strip_suffix(".svc.cluster.local") else { return Answer::Unknown };
    let parts: Vec<&str> = labels.split('.').collect();
    let [service, namespace] = parts.as_slice() else { return Answer::Unknown };
    let found = objects.list(kinds::id("services"), namespace, None).find(|(k, _)| k.name == *service).map(|(_, s)| Arc::clone(s));
    let Some(found) = found else { return Answer::Unknown };
    match found.text("spec/clusterIP") {
        "None" => {
            let selector = found.map("spec/selector").cloned().unwrap_or_default();
            let fits = |p: &Value| is_ready(p) && selector.iter().all(|(k, v)| p.at("metadata/labels").get(k) == Some(v));
            let pods = objects.list(kinds::id("pods"), namespace, None).filter(|(_, p)| fits(p));
            Answer::Addresses(pods.filter_map(|(_, p)| p.text("status/podIP").parse().ok()).collect())
        }
        ip => Answer::Addresses(ip.parse().into_iter().collect()),
    }
}

/// Looks a name up as the C library of a container does, with its search list.
pub(crate) fn look_up(world: &World, from: &Value, name: &str) -> Answer {
    if let Ok(address) = name.parse() {
        return Answer::Addresses(vec![address]);
    }
    if name == "localhost" {
        return Answer::Addresses(vec![IpAddr::from([127, 0, 0, 1])]);
    }
    let Ok(resolver) = RESOLVER.parse() else { return Answer::Unknown };
    let namespace = from.text("metadata/namespace");
    let search = [
        format!("{name}.{namespace}.svc.cluster.local"),
        format!("{name}.svc.cluster.local"),
        format!("{name}.cluster.local"),
        name.to_owned(),
    ];
    let mut last = Answer::Unknown;
    for candidate in search {
        last = resolve(world, from, &candidate, resolver);
        if !matches!(last, Answer::Unknown) {
            break;
        }
    }
    last
}

/// What an HTTP server says: code, reason and body.
pub(crate) fn page(listener: &Listener, from: &Value, host: &str, path: &str) -> (u16, &'static str, String) {
    let pod = match listener {
        Listener::Outside(page) => return (200, "OK", (*page).to_owned()),
        Listener::Tls => return (400, "Bad Request", String::new()),
        Listener::Pod(pod) => pod,
    };
    let image = pod.items("spec/containers").first().map_or("", |c| c.text("image"));
    let has = |word: &str| image.contains(word);
    match path {
        _ if has("whoami") => (200, "OK", whoami(pod, from, host, path)),
        "/healthz" if has("n8n") => (200, "OK", "{\"status\":\"ok\"}".to_owned()),
        "/" if has("n8n") => (
            200,
            "OK",
            "<!DOCTYPE html>\n<html lang=\"en\"><head><title>n8n.io - Workflow Automation</title></head><body></body></html>\n".to_owned(),
        ),
        "/" if has("node-red") => {
            (200, "OK", "<!DOCTYPE html>\n<html><head><title>Node-RED</title></head><body></body></html>\n".to_owned())
        }
        "/v1/sys/health" if has("openbao") => (200, "OK", "{\"initialized\":true,\"sealed\":false,\"standby\":false}".to_owned()),
        _ if has("n8n") || has("node-red") || has("openbao") => (404, "Not Found", String::new()),
        _ => (200, "OK", "ok\n".to_owned()),
    }
}

fn whoami(pod: &Value, from: &Value, host: &str, path: &str) -> String {
    format!(
        "Hostname: {}\nIP: 127.0.0.1\nIP: ::1\nIP: {}\nRemoteAddr: {}:41234\nGET {path} HTTP/1.1\nHost: {host}\nUser-Agent: Wget\nConnection: close\n\n",
        pod.text("metadata/name"),
        pod.text("status/podIP"),
        from.text("status/podIP"),
    )
}
