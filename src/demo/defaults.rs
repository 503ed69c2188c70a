//! What the server fills in before it stores or judges an object, and the canonical form of quantities.

use serde_json::{Value, json};

use super::json::{Json, object};
use super::kinds::Kind;
use super::quantity::Quantity;

/// A text no quantity can be read from.
#[derive(Debug)]
pub(crate) struct BadQuantity;

/// Fills in the defaults of an object of any kind.
pub(crate) fn apply(kind: &Kind, value: &mut Value) -> Result<(), BadQuantity> {
    match kind.kind {
        "Namespace" => namespace(value),
        "Pod" => pod_spec(value.slot("spec"))?,
        "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet" => workload(kind, value)?,
        "Service" => service(value),
        "NetworkPolicy" => network_policy(value),
        "ResourceQuota" => {
            canonical(value.slot("spec/hard"))?;
        }
        "LimitRange" => limit_range(value)?,
        _ => {}
    }
    Ok(())
}

/// Sets a field that is not there yet.
fn or(value: &mut Value, path: &str, default: impl Into<Value>) {
    if !value.has(path) {
        value.put(path, default);
    }
}

fn namespace(value: &mut Value) {
    let name = value.text("metadata/name").to_owned();
    object(value.slot("metadata/labels")).insert("kubernetes.io/metadata.name".into(), name.into());
    or(value, "spec/finalizers", json!(["kubernetes"]));
    or(value, "status/phase", "Active");
}

fn workload(kind: &Kind, value: &mut Value) -> Result<(), BadQuantity> {
    if kind.kind != "DaemonSet" {
        or(value, "spec/replicas", 1);
    }
    if kind.kind == "Deployment" {
        or(value, "spec/strategy", json!({"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"}}));
        or(value, "spec/revisionHistoryLimit", 10);
        or(value, "spec/progressDeadlineSeconds", 600);
    }
    pod_spec(value.slot("spec/template/spec"))
}

/// Fills in a pod spec, of a pod or of a template.
pub(crate) fn pod_spec(spec: &mut Value) -> Result<(), BadQuantity> {
    for (field, default) in [
        ("restartPolicy", json!("Always")),
        ("terminationGracePeriodSeconds", json!(30)),
        ("dnsPolicy", json!("ClusterFirst")),
        ("securityContext", json!({})),
        ("schedulerName", json!("default-scheduler")),
    ] {
        or(spec, field, default);
    }
    if let Some(account) = spec.get("serviceAccountName").cloned() {
        or(spec, "serviceAccount", account);
    }
    for list in ["containers", "initContainers"] {
        for container in spec.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            self::container(container)?;
        }
    }
    Ok(())
}

fn container(container: &mut Value) -> Result<(), BadQuantity> {
    let image = container.text("image").to_owned();
    let latest = image.ends_with(":latest") || !image.rsplit('/').next().unwrap_or_default().contains([':', '@']);
    or(container, "resources", json!({}));
    or(container, "terminationMessagePath", "/dev/termination-log");
    or(container, "terminationMessagePolicy", "File");
    or(container, "imagePullPolicy", if latest { "Always" } else { "IfNotPresent" });
    for port in container.get_mut("ports").and_then(Value::as_array_mut).into_iter().flatten() {
        or(port, "protocol", "TCP");
    }
    for list in ["resources/limits", "resources/requests"] {
        if container.has(list) {
            canonical(container.slot(list))?;
        }
    }
    // a limit without a request is a request too
    for (key, limit) in container.map("resources/limits").cloned().into_iter().flatten() {
        object(container.slot("resources/requests")).entry(key).or_insert(limit);
    }
    Ok(())
}

fn service(value: &mut Value) {
    or(value, "spec/type", "ClusterIP");
    or(value, "spec/sessionAffinity", "None");
    or(value, "spec/internalTrafficPolicy", "Cluster");
    or(value, "spec/ipFamilies", json!(["IPv4"]));
    or(value, "spec/ipFamilyPolicy", "SingleStack");
    for port in value.slot("spec/ports").as_array_mut().into_iter().flatten() {
        or(port, "protocol", "TCP");
        let number = port.at("port").clone();
        or(port, "targetPort", number);
    }
}

fn network_policy(value: &mut Value) {
    if !value.has("spec/policyTypes") {
        let types = if value.items("spec/egress").is_empty() { json!(["Ingress"]) } else { json!(["Ingress", "Egress"]) };
        value.put("spec/policyTypes", types);
    }
    or(value, "spec/podSelector", json!({}));
    for direction in ["ingress", "egress"] {
        let rules = value.slot("spec").get_mut(direction).and_then(Value::as_array_mut);
        for port in rules.into_iter().flatten().filter_map(|r| r.get_mut("ports")).filter_map(Value::as_array_mut).flatten() {
            or(port, "protocol", "TCP");
        }
    }
}

fn limit_range(value: &mut Value) -> Result<(), BadQuantity> {
    for item in value.slot("spec/limits").as_array_mut().into_iter().flatten() {
        for field in ["max", "min", "default", "defaultRequest", "maxLimitRequestRatio"] {
            if item.has(field) {
                canonical(item.slot(field))?;
            }
        }
        if item.text("type") != "Container" {
            continue;
        }
        for (from, to) in [("max", "default"), ("default", "defaultRequest"), ("min", "defaultRequest")] {
            for (key, amount) in item.map(from).cloned().into_iter().flatten() {
                object(item.slot(to)).entry(key).or_insert(amount);
            }
        }
    }
    Ok(())
}

/// Rewrites every amount of a resource list in the canonical form.
pub(crate) fn canonical(list: &mut Value) -> Result<(), BadQuantity> {
    for amount in list.as_object_mut().into_iter().flatten().map(|(_, v)| v) {
        *amount = Quantity::read(amount).ok_or(BadQuantity)?.canonical().into();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Json, apply};
    use crate::demo::kinds::by_name;
    use serde_json::json;

    #[test]
    fn only_max_written_looks_complete_afterwards() {
        let mut range = json!({"spec": {"limits": [{"type": "Container", "max": {"memory": "1024Mi"}}]}});
        apply(by_name("LimitRange").unwrap().1, &mut range).unwrap();
        assert_eq!(range["spec"]["limits"][0]["defaultRequest"]["memory"], "1Gi");
    }

    #[test]
    fn policy_types_follow_the_rules_written() {
        let kind = by_name("NetworkPolicy").unwrap().1;
        let mut policy = json!({"spec": {"podSelector": {}, "egress": [{}]}});
        apply(kind, &mut policy).unwrap();
        assert_eq!(policy.at("spec/policyTypes"), &json!(["Ingress", "Egress"]));
        let mut closed = json!({"spec": {"podSelector": {}}});
        apply(kind, &mut closed).unwrap();
        assert_eq!(closed.at("spec/policyTypes"), &json!(["Ingress"]));
    }

    #[test]
    fn a_limit_is_a_request_too() {
        let mut pod = json!({"spec": {"containers": [{"name": "a", "image": "x", "resources": {"limits": {"memory": "0.5Gi"}}}]}});
        apply(by_name("Pod").unwrap().1, &mut pod).unwrap();
        assert_eq!(pod["spec"]["containers"][0]["resources"]["requests"]["memory"], "512Mi");
        let mut bad = json!({"spec": {"containers": [{"name": "a", "resources": {"limits": {"memory": "lots"}}}]}});
        assert!(apply(by_name("Pod").unwrap().1, &mut bad).is_err());
    }
}
