//! What the control loops of a cluster would do: statuses, endpoints, events.

use serde_json::{Value, json};

use super::clock;
use super::json::Json;
use super::kinds;
use super::store::{Key, Objects};

/// Makes a pod look as it does when it runs.
pub(crate) fn running(pod: &mut Value, ip: &str, since: &str, restarts: i64) {
    let statuses: Vec<Value> = pod
        .items("spec/containers")
        .iter()
        .map(|c| {
            json!({
                "name": c.text("name"), "image": c.text("image"), "imageID": "", "ready": true, "started": true,
                "restartCount": restarts, "state": {"running": {"startedAt": since}}, "lastState": {},
                "containerID": "containerd://simulated",
            })
        })
        .collect();
    let condition = |of: &str| json!({"type": of, "status": "True", "lastProbeTime": null, "lastTransitionTime": since});
    let conditions: Vec<Value> = ["Initialized", "Ready", "ContainersReady", "PodScheduled"].into_iter().map(condition).collect();
    let host = node_ip(pod.text("spec/nodeName"));
    pod.put(
        "status",
        json!({
            "phase": "Running", "qosClass": "Burstable", "hostIP": host, "hostIPs": [{"ip": host}], "podIP": ip,
            "podIPs": [{"ip": ip}], "startTime": since, "containerStatuses": statuses,
            "conditions": conditions,
        }),
    );
}

/// The address of a node by its name.
pub(crate) fn node_ip(node: &str) -> String {
    format!("10.99.0.{}", node.bytes().next_back().map_or(2, |letter| letter.saturating_sub(b'a').saturating_add(2)))
}

/// Brings the endpoint slice of a service up to date.
pub(crate) fn endpoints(objects: &mut Objects, namespace: &str, name: &str) {
    let Some(service) = objects.get(&Key::new(kinds::id("services"), namespace, name)).cloned() else { return };
    let Some(selector) = service.map("spec/selector").filter(|s| !s.is_empty()).cloned() else { return };
    let mut first: Option<Value> = None;
    let mut list = Vec::new();
    for (_, pod) in objects.list(kinds::id("pods"), namespace, None) {
        let labels = pod.at("metadata/labels");
        if pod.text("status/podIP").is_empty() || !selector.iter().all(|(k, v)| labels.get(k) == Some(v)) {
            continue;
        }
        first.get_or_insert_with(|| (**pod).clone());
        let ready = is_ready(pod);
        list.push(json!({
            "addresses": [pod.text("status/podIP")], "nodeName": pod.text("spec/nodeName"),
            "conditions": {"ready": ready, "serving": ready, "terminating": false},
            "targetRef": {"kind": "Pod", "namespace": namespace, "name": pod.text("metadata/name"), "uid": pod.text("metadata/uid")},
        }));
    }
    let ports: Vec<Value> = service
        .items("spec/ports")
        .iter()
        .map(|port| {
            let number = target_port(port, first.as_ref());
            json!({"name": port.text("name"), "port": number, "protocol": port.text("protocol")})
        })
        .collect();
    let key = Key::new(kinds::id("endpointslices"), namespace, &format!("{name}-demo"));
    let old = objects.get(&key).cloned();
    let mut slice = old.as_deref().cloned().unwrap_or_else(|| {
        json!({
            "metadata": {
                "creationTimestamp": service.text("metadata/creationTimestamp"),
                "labels": {"kubernetes.io/service-name": name, "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io"},
                "ownerReferences": [{"apiVersion": "v1", "kind": "Service", "name": name, "uid": service.text("metadata/uid"), "controller": true}],
            },
            "addressType": "IPv4",
        })
    });
    slice.put("endpoints", list);
    slice.put("ports", ports);
    if old.as_deref() != Some(&slice) {
        objects.put(key, slice);
    }
}

/// Whether a pod is ready.
pub(crate) fn is_ready(pod: &Value) -> bool {
    pod.items("status/conditions").iter().any(|c| c.text("type") == "Ready" && c.text("status") == "True")
}

/// The port of the pods behind a service port, by number or by name.
pub(crate) fn target_port(port: &Value, pod: Option<&Value>) -> Option<u64> {
    match port.at("targetPort") {
        Value::Number(number) => number.as_u64(),
        Value::String(name) => named_port(pod?, name),
        _ => port.at("port").as_u64(),
    }
}

/// The number of a named container port.
pub(crate) fn named_port(pod: &Value, name: &str) -> Option<u64> {
    pod.items("spec/containers")
        .iter()
        .flat_map(|c| c.items("ports"))
        .find(|p| p.text("name") == name)
        .and_then(|p| p.at("containerPort").as_u64())
}

/// Brings every endpoint slice of a namespace up to date.
pub(crate) fn all_endpoints(objects: &mut Objects, namespace: &str) {
    let services: Vec<String> = objects.list(kinds::id("services"), namespace, None).map(|(k, _)| k.name.clone()).collect();
    for name in services {
        endpoints(objects, namespace, &name);
    }
}

/// Records an event about an object (`kind`, `namespace`, `name`, `uid`, `apiVersion`).
pub(crate) fn event(objects: &mut Objects, about: &Value, name: &str, reason: &str, message: &str, count: i64, ago: i64) {
    let warning = matches!(reason, "FailedCreate" | "BackOff" | "FailedScheduling" | "UpdateFailed" | "FailedMount");
    let seen = clock::ago(ago);
    let (component, controller) = match reason {
        "FailedCreate" | "SuccessfulCreate" => ("replicaset-controller", "replicaset-controller"),
        "UpdateFailed" => ("external-secrets", "external-secrets"),
        _ => ("kubelet", "kubelet"),
    };
    let value = json!({
        "metadata": {"creationTimestamp": clock::ago(ago + 60 * (count - 1).min(120))},
        "involvedObject": about, "reason": reason, "message": message, "type": if warning { "Warning" } else { "Normal" },
        "source": {"component": component}, "reportingComponent": controller, "reportingInstance": "",
        "firstTimestamp": clock::ago(ago + 60 * (count - 1).min(120)), "lastTimestamp": seen, "count": count, "eventTime": null,
    });
    objects.put(Key::new(kinds::id("events"), about.text("namespace"), name), value);
}

/// Records that something happened to an object: once more, if it did before.
pub(crate) fn happened(objects: &mut Objects, about: &Value, reason: &str, message: &str) {
    let known = objects
        .list(kinds::id("events"), about.text("namespace"), None)
        .find(|(_, e)| e.text("reason") == reason && e.text("involvedObject/name") == about.text("name"))
        .map(|(key, e)| (key.clone(), (**e).clone()));
    if let Some((key, mut event)) = known {
        event.put("count", event.at("count").as_i64().unwrap_or(1) + 1);
        event.put("lastTimestamp", clock::now());
        event.put("message", message);
        objects.put(key, event);
        return;
    }
    let uid = objects.uid();
    let name = format!("{}.{}", about.text("name"), uid.rsplit('-').next().unwrap_or_default());
    event(objects, about, &name, reason, message, 1, 0);
}

/// The reference by which events and endpoints name an object.
pub(crate) fn reference(object: &Value) -> Value {
    json!({
        "kind": object.text("kind"), "namespace": object.text("metadata/namespace"), "name": object.text("metadata/name"),
        "uid": object.text("metadata/uid"), "apiVersion": object.text("apiVersion"),
        "resourceVersion": object.text("metadata/resourceVersion"),
    })
}

/// What follows from a change of an object of this kind in a namespace.
pub(crate) fn settle(objects: &mut Objects, kind: &kinds::Kind, namespace: &str) {
    match kind.kind {
        // nothing hangs on objects outside of namespaces
        _ if namespace.is_empty() => {}
        "Pod" | "Service" => {
            all_endpoints(objects, namespace);
            super::admission::quota::refresh(objects, namespace);
        }
        "Event" | "EndpointSlice" => {}
        _ => super::admission::quota::refresh(objects, namespace),
    }
}

/// What a new object gets from the server besides defaults.
pub(crate) fn newborn(objects: &Objects, kind: &kinds::Kind, value: &mut Value) {
    match kind.kind {
        "Pod" => {
            let resources = |list: &str| {
                value.items("spec/containers").iter().any(|c| c.map(&format!("resources/{list}")).is_some_and(|m| !m.is_empty()))
            };
            let class = if resources("requests") || resources("limits") { "Burstable" } else { "BestEffort" };
            value.put("status", json!({"phase": "Pending", "qosClass": class}));
        }
        "Service" if value.text("spec/clusterIP").is_empty() && value.text("spec/type") != "ExternalName" => {
            let used = |ip: &str| objects.list(kinds::id("services"), "", None).any(|(_, s)| s.text("spec/clusterIP") == ip);
            let free = (0..u8::MAX).flat_map(|a| (1..u8::MAX).map(move |b| format!("10.96.{a}.{b}"))).rev().find(|ip| !used(ip));
            if let Some(ip) = free {
                value.put("spec/clusterIPs", json!([ip]));
                value.put("spec/clusterIP", ip);
            }
        }
        _ => {}
    }
}

/// What every new namespace gets.
pub(crate) fn furnish(objects: &mut Objects, namespace: &str) {
    objects.put(Key::new(kinds::id("serviceaccounts"), namespace, "default"), json!({}));
    let bundle = json!({"data": {"ca.crt": "simulated: there is no TLS here\n"}});
    objects.put(Key::new(kinds::id("configmaps"), namespace, "kube-root-ca.crt"), bundle);
}

/// Removes what is owned by something that is no longer there, until nothing is.
pub(crate) fn collect_orphans(objects: &mut Objects, namespace: &str) {
    loop {
        let mut gone = Vec::new();
        for plural in ["replicasets", "pods", "endpointslices", "jobs"] {
            for (key, object) in objects.list(kinds::id(plural), namespace, None) {
                let alive = |owner: &Value| {
                    let Some((id, _)) = kinds::by_name(owner.text("kind")) else { return true };
                    objects.get(&Key::new(id, namespace, owner.text("name"))).is_some()
                };
                let owners = object.items("metadata/ownerReferences");
                if !owners.is_empty() && !owners.iter().any(alive) {
                    gone.push(key.clone());
                }
            }
        }
        if gone.is_empty() {
            return;
        }
        for key in gone {
            objects.remove(&key);
        }
    }
}
