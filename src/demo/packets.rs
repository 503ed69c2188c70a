//! Whether the simulated network lets a packet pass: NetworkPolicy v1 over the stored objects.
//!
//! As in Cilium, address blocks speak of addresses outside the cluster only, never of pods.

use std::net::IpAddr;

use serde_json::Value;

use super::controllers::named_port;
use super::json::Json;
use super::kinds;
use super::store::{Key, Objects};

/// One end of a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) enum End<'a> {
    Pod(&'a Value),
    /// Anything that is no pod.
    Address(IpAddr),
}

/// What is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Packet<'a> {
    pub(crate) protocol: &'a str,
    /// The port at its destination, after any service was resolved.
    pub(crate) port: u64,
}

/// A direction: policy type, rules, peers.
const EGRESS: (&str, &str, &str) = ("Egress", "egress", "to");
const INGRESS: (&str, &str, &str) = ("Ingress", "ingress", "from");

/// Whether the policies of both ends let a packet from a pod through.
pub(crate) fn passes(objects: &Objects, from: &Value, to: End<'_>, packet: Packet<'_>) -> bool {
    let itself = matches!(to, End::Pod(pod) if pod.text("metadata/uid") == from.text("metadata/uid"));
    if itself {
        return true;
    }
    let out = admits(objects, from, to, to, packet, EGRESS);
    let into = match to {
        End::Pod(pod) => admits(objects, pod, End::Pod(from), to, packet, INGRESS),
        End::Address(_) => true,
    };
    out && into
}

/// Whether the policies that select `subject` admit traffic of a direction with `peer`. Ports are those of `destination`.
fn admits(
    objects: &Objects,
    subject: &Value,
    peer: End<'_>,
    destination: End<'_>,
    packet: Packet<'_>,
    direction: (&str, &str, &str),
) -> bool {
    if subject.truth("spec/hostNetwork") {
        return true;
    }
    let (kind, rules, peers) = direction;
    let namespace = subject.text("metadata/namespace");
    let mut isolated = false;
    for (_, policy) in objects.list(kinds::id("networkpolicies"), namespace, None) {
        let applies = policy.items("spec/policyTypes").iter().any(|t| t == kind);
        if !applies || !selects(policy.at("spec/podSelector"), subject.at("metadata/labels")) {
            continue;
        }
        isolated = true;
        let allowed = policy
            .at("spec")
            .items(rules)
            .iter()
            .any(|rule| any_peer(objects, namespace, rule.items(peers), peer) && any_port(rule.items("ports"), destination, packet));
        if allowed {
            return true;
        }
    }
    !isolated
}

fn any_peer(objects: &Objects, namespace: &str, peers: &[Value], end: End<'_>) -> bool {
    peers.is_empty() || peers.iter().any(|peer| is_peer(objects, namespace, peer, end))
}

fn is_peer(objects: &Objects, namespace: &str, peer: &Value, end: End<'_>) -> bool {
    match end {
        End::Address(address) => {
            let inside = |text: &str| text.parse::<ipnet::IpNet>().is_ok_and(|net| net.contains(&address));
            peer.has("ipBlock")
                && inside(peer.text("ipBlock/cidr"))
                && !peer.items("ipBlock/except").iter().filter_map(Value::as_str).any(inside)
        }
        End::Pod(pod) => {
            if peer.has("ipBlock") || pod.truth("spec/hostNetwork") {
                return false;
            }
            let home = pod.text("metadata/namespace");
            let in_namespace = match peer.get("namespaceSelector") {
                Some(selector) => {
                    let key = Key::new(kinds::id("namespaces"), "", home);
                    objects.get(&key).is_some_and(|n| selects(selector, n.at("metadata/labels")))
                }
                None => home == namespace,
            };
            in_namespace && peer.get("podSelector").is_none_or(|selector| selects(selector, pod.at("metadata/labels")))
        }
    }
}

fn any_port(ports: &[Value], destination: End<'_>, packet: Packet<'_>) -> bool {
    ports.is_empty()
        || ports.iter().any(|port| {
            let protocol = port.text("protocol");
            let protocol = if protocol.is_empty() { "TCP" } else { protocol };
            let number = match (port.at("port"), destination) {
                (Value::Number(n), _) => n.as_u64(),
                (Value::String(name), End::Pod(pod)) => named_port(pod, name),
                (Value::String(_), End::Address(_)) => None,
                _ => return protocol == packet.protocol,
            };
            let last = port.at("endPort").as_u64().or(number);
            let fits = number.is_some_and(|first| (first..=last.unwrap_or(first)).contains(&packet.port));
            protocol == packet.protocol && fits
        })
}

/// Whether a label selector selects labels.
pub(crate) fn selects(selector: &Value, labels: &Value) -> bool {
    let label = |key: &str| labels.get(key).and_then(Value::as_str);
    let exact = selector.map("matchLabels").into_iter().flatten().all(|(key, value)| label(key) == value.as_str());
    exact
        && selector.items("matchExpressions").iter().all(|need| {
            let value = label(need.text("key"));
            let listed = value.is_some_and(|v| need.items("values").iter().any(|x| x == v));
            match need.text("operator") {
                "In" => listed,
                "NotIn" => !listed,
                "Exists" => value.is_some(),
                "DoesNotExist" => value.is_none(),
                _ => false,
            }
        })
}

#[cfg(test)]
mod tests {
    use super::{End, Packet, passes, selects};
    use crate::demo::json::Json;
    use crate::demo::kinds;
    use crate::demo::store::{Key, Store};
    use serde_json::{Value, json};

    fn pod(namespace: &str, name: &str) -> Value {
        json!({
            "metadata": {"namespace": namespace, "name": name, "uid": format!("{namespace}/{name}"), "labels": {"app": name}},
            "spec": {"containers": [{"ports": [{"name": "http", "containerPort": 80}]}]},
        })
    }

    fn with(policies: &[(&str, Value)]) -> Store {
        let store = Store::new(1);
        store.write(|o| {
            for ns in ["a", "b"] {
                o.put(Key::new(kinds::id("namespaces"), "", ns), json!({"metadata": {"labels": {"name": ns}}}));
            }
            for (n, (ns, spec)) in policies.iter().enumerate() {
                o.put(Key::new(kinds::id("networkpolicies"), ns, &format!("p{n}")), json!({"spec": spec}));
            }
        });
        store
    }

    #[test]
    fn both_ends_must_agree() {
        let tcp = Packet { protocol: "TCP", port: 80 };
        let (x, y, other) = (pod("a", "x"), pod("b", "y"), pod("b", "z"));
        let reach = |store: &Store, from: &Value, to: &Value, packet| passes(&store.lock(), from, End::Pod(to), packet);
        assert!(reach(&with(&[]), &x, &y, tcp));
        let deny_out = ("a", json!({"podSelector": {}, "policyTypes": ["Egress"]}));
        assert!(!reach(&with(std::slice::from_ref(&deny_out)), &x, &y, tcp));
        assert!(reach(&with(std::slice::from_ref(&deny_out)), &y, &x, tcp));
        let deny_in = ("b", json!({"podSelector": {"matchLabels": {"app": "y"}}, "policyTypes": ["Ingress"]}));
        assert!(!reach(&with(std::slice::from_ref(&deny_in)), &x, &y, tcp));
        assert!(reach(&with(std::slice::from_ref(&deny_in)), &x, &other, tcp));
        let open = (
            "b",
            json!({"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{"from": [{"namespaceSelector": {"matchLabels": {"name": "a"}}}], "ports": [{"port": "http", "protocol": "TCP"}]}]}),
        );
        let both = with(&[deny_in.clone(), open]);
        assert!(reach(&both, &x, &y, tcp));
        assert!(!reach(&both, &x, &y, Packet { protocol: "UDP", port: 80 }));
        assert!(!reach(&both, &other, &y, tcp));
    }

    #[test]
    fn address_blocks_and_ranges() {
        let store = with(&[(
            "a",
            json!({"podSelector": {}, "policyTypes": ["Egress"], "egress": [
            {"to": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["169.254.0.0/16"]}}], "ports": [{"port": 80, "endPort": 90}]}]}),
        )]);
        let x = pod("a", "x");
        let go = |ip: &str, port| passes(&store.lock(), &x, End::Address(ip.parse().unwrap()), Packet { protocol: "TCP", port });
        assert!(go("203.0.113.10", 85));
        assert!(!go("203.0.113.10", 91));
        assert!(!go("169.254.169.254", 80));
        assert!(!passes(&store.lock(), &x, End::Pod(&pod("b", "y")), Packet { protocol: "TCP", port: 80 }));
    }

    #[test]
    fn selectors() {
        let labels = json!({"a": "1"});
        assert!(selects(&json!({}), &labels));
        assert!(selects(&json!({"matchExpressions": [{"key": "b", "operator": "NotIn", "values": ["x"]}]}), &labels));
        assert!(!selects(&json!({"matchExpressions": [{"key": "a", "operator": "DoesNotExist"}]}), &labels));
        assert!(labels.text("a") == "1");
    }
}
