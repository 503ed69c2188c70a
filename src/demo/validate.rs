//! Validation: what makes an object of a kind invalid, and which fields a kind has.

use serde_json::Value;

use super::json::Json;
use super::kinds::Kind;
use super::quantity::Quantity;
use super::status::Cause;

/// Fields by kind and place. `[]` stands for the elements of a list. Places that are not listed may hold anything.
static FIELDS: &[(&str, &str, &[&str])] = &[
    ("*", "", &["apiVersion", "kind", "metadata", "spec", "status"]),
    ("Role", "", &["apiVersion", "kind", "metadata", "rules"]),
    ("ClusterRole", "", &["apiVersion", "kind", "metadata", "rules", "aggregationRule"]),
    ("RoleBinding", "", &["apiVersion", "kind", "metadata", "roleRef", "subjects"]),
    ("ClusterRoleBinding", "", &["apiVersion", "kind", "metadata", "roleRef", "subjects"]),
    ("ConfigMap", "", &["apiVersion", "kind", "metadata", "data", "binaryData", "immutable"]),
    ("ServiceAccount", "", &["apiVersion", "kind", "metadata", "secrets", "imagePullSecrets", "automountServiceAccountToken"]),
    ("EndpointSlice", "", &["apiVersion", "kind", "metadata", "addressType", "endpoints", "ports"]),
    (
        "Event",
        "",
        &[
            "apiVersion",
            "kind",
            "metadata",
            "involvedObject",
            "reason",
            "message",
            "source",
            "firstTimestamp",
            "lastTimestamp",
            "count",
            "type",
            "eventTime",
            "series",
            "action",
            "related",
            "reportingComponent",
            "reportingInstance",
        ],
    ),
    (
        "Pod",
        "spec",
        &[
            "activeDeadlineSeconds",
            "affinity",
            "automountServiceAccountToken",
            "containers",
            "dnsConfig",
            "dnsPolicy",
            "enableServiceLinks",
            "ephemeralContainers",
            "hostAliases",
            "hostIPC",
            "hostNetwork",
            "hostPID",
            "hostUsers",
            "hostname",
            "hostnameOverride",
            "imagePullSecrets",
            "initContainers",
            "nodeName",
            "nodeSelector",
            "os",
            "overhead",
            "preemptionPolicy",
            "priority",
            "priorityClassName",
            "readinessGates",
            "resourceClaims",
            "resources",
            "restartPolicy",
            "runtimeClassName",
            "schedulerName",
            "schedulingGates",
            "securityContext",
            "serviceAccount",
            "serviceAccountName",
            "setHostnameAsFQDN",
            "shareProcessNamespace",
            "subdomain",
            "terminationGracePeriodSeconds",
            "tolerations",
            "topologySpreadConstraints",
            "volumes",
        ],
    ),
    ("Pod", "spec.containers[]", CONTAINER),
    ("Pod", "spec.initContainers[]", CONTAINER),
    ("Pod", "spec.containers[].resources", &["claims", "limits", "requests"]),
    (
        "Pod",
        "spec.containers[].securityContext",
        &[
            "allowPrivilegeEscalation",
            "appArmorProfile",
            "capabilities",
            "privileged",
            "procMount",
            "readOnlyRootFilesystem",
            "runAsGroup",
            "runAsNonRoot",
            "runAsUser",
            "seLinuxOptions",
            "seccompProfile",
            "windowsOptions",
        ],
    ),
    ("NetworkPolicy", "spec", &["egress", "ingress", "podSelector", "policyTypes"]),
    ("NetworkPolicy", "spec.ingress[]", &["from", "ports"]),
    ("NetworkPolicy", "spec.egress[]", &["to", "ports"]),
    ("NetworkPolicy", "spec.ingress[].from[]", PEER),
    ("NetworkPolicy", "spec.egress[].to[]", PEER),
    ("NetworkPolicy", "spec.ingress[].ports[]", &["endPort", "port", "protocol"]),
    ("NetworkPolicy", "spec.egress[].ports[]", &["endPort", "port", "protocol"]),
    ("ResourceQuota", "spec", &["hard", "scopeSelector", "scopes"]),
    ("LimitRange", "spec", &["limits"]),
    ("LimitRange", "spec.limits[]", &["default", "defaultRequest", "max", "maxLimitRequestRatio", "min", "type"]),
];
const CONTAINER: &[&str] = &[
    "args",
    "command",
    "env",
    "envFrom",
    "image",
    "imagePullPolicy",
    "lifecycle",
    "livenessProbe",
    "name",
    "ports",
    "readinessProbe",
    "resizePolicy",
    "resources",
    "restartPolicy",
    "restartPolicyRules",
    "securityContext",
    "startupProbe",
    "stdin",
    "stdinOnce",
    "terminationMessagePath",
    "terminationMessagePolicy",
    "tty",
    "volumeDevices",
    "volumeMounts",
    "workingDir",
];
const PEER: &[&str] = &["ipBlock", "namespaceSelector", "podSelector"];

/// The fields of an object that its kind does not have, as paths.
pub(crate) fn unknown_fields(kind: &Kind, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    if !kind.custom {
        search(kind.kind, value, "", "", &mut found);
    }
    found
}

fn search(kind: &str, value: &Value, place: &str, path: &str, found: &mut Vec<String>) {
    let known = FIELDS.iter().find(|(k, p, _)| *k == kind && *p == place);
    let known = known.or_else(|| FIELDS.iter().find(|(k, p, _)| *k == "*" && *p == place)).map(|(.., fields)| *fields);
    let join = |base: &str, key: &str| if base.is_empty() { key.to_owned() } else { format!("{base}.{key}") };
    match value {
        Value::Object(map) => {
            for (key, inner) in map {
                if known.is_some_and(|fields| !fields.contains(&key.as_str())) {
                    found.push(join(path, key));
                } else {
                    search(kind, inner, &join(place, key), &join(path, key), found);
                }
            }
        }
        Value::Array(list) => {
            for (n, inner) in list.iter().enumerate() {
                search(kind, inner, &format!("{place}[]"), &format!("{path}[{n}]"), found);
            }
        }
        _ => {}
    }
}

/// Everything that makes an object invalid.
pub(crate) fn check(kind: &Kind, name: &str, value: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    if name.is_empty() {
        causes.push(required("metadata.name", ": name or generateName is required"));
    } else if !is_dns_name(name) {
        let message = format!(
            "Invalid value: \"{name}\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
        );
        causes.push(bad("metadata.name".into(), message));
    }
    match kind.kind {
        "Pod" => pod(value, &mut causes),
        "NetworkPolicy" => network_policy(value, &mut causes),
        "LimitRange" => limit_range(value, &mut causes),
        _ => {}
    }
    causes
}

fn required(field: &str, more: &str) -> Cause {
    Cause { reason: "FieldValueRequired", field: field.to_owned(), message: format!("Required value{more}") }
}

fn bad(field: String, message: String) -> Cause {
    Cause { reason: "FieldValueInvalid", field, message }
}

fn is_dns_name(name: &str) -> bool {
    name.len() <= 253
        && name.split('.').all(|label| {
            label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
                && !label.is_empty()
                && !label.starts_with('-')
                && !label.ends_with('-')
        })
}

fn pod(value: &Value, causes: &mut Vec<Cause>) {
    let containers = value.items("spec/containers");
    if containers.is_empty() {
        causes.push(required("spec.containers", ""));
    }
    for (n, container) in containers.iter().enumerate() {
        for field in ["name", "image"] {
            if container.text(field).is_empty() {
                causes.push(required(&format!("spec.containers[{n}].{field}"), ""));
            }
        }
        for (name, request) in container.map("resources/requests").into_iter().flatten() {
            let limit = container.at("resources/limits").at(name);
            if let (Some(r), Some(l)) = (Quantity::read(request), Quantity::read(limit))
                && r.nanos() > l.nanos()
            {
                let message =
                    format!("Invalid value: \"{}\": must be less than or equal to {name} limit of {}", r.canonical(), l.canonical());
                causes.push(bad(format!("spec.containers[{n}].resources.requests"), message));
            }
        }
    }
}

fn network_policy(value: &Value, causes: &mut Vec<Cause>) {
    for (direction, peers) in [("ingress", "from"), ("egress", "to")] {
        for (r, rule) in value.at("spec").items(direction).iter().enumerate() {
            for (p, peer) in rule.items(peers).iter().enumerate().filter(|(_, p)| p.has("ipBlock")) {
                let cidr = peer.text("ipBlock/cidr");
                if cidr.parse::<ipnet::IpNet>().is_err() {
                    let message = format!("Invalid value: \"{cidr}\": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)");
                    causes.push(bad(format!("spec.{direction}[{r}].{peers}[{p}].ipBlock.cidr"), message));
                }
            }
        }
    }
}

fn limit_range(value: &Value, causes: &mut Vec<Cause>) {
    for (n, item) in value.items("spec/limits").iter().enumerate() {
        for (field, words) in [("defaultRequest", "default request value"), ("default", "default value")] {
            for (name, amount) in item.map(field).into_iter().flatten() {
                let (Some(amount), Some(max)) = (Quantity::read(amount), Quantity::read(item.at("max").at(name))) else { continue };
                if amount.nanos() > max.nanos() {
                    // the server shows the maximum as the invalid value of a default, and the request as that of a request
                    let shown = if field == "default" { max } else { amount };
                    let message = format!(
                        "Invalid value: \"{}\": {words} {} is greater than max value {}",
                        shown.canonical(),
                        amount.canonical(),
                        max.canonical()
                    );
                    causes.push(bad(format!("spec.limits[{n}].{field}[{name}]"), message));
                }
            }
        }
    }
}
