//! The columns kubectl shows.

use serde_json::{Value, json};

use super::clock;
use super::json::Json;
use super::kinds::Kind;
use super::render::Include;

/// A cell made from an object.
type Cell = fn(&Value) -> String;
/// Column name, whether only `-o wide` shows it, cell.
type Column = (&'static str, bool, Cell);

const NAME: Column = ("Name", false, |o| o.text("metadata/name").to_owned());
const AGE: Column = ("Age", false, |o| since(o.text("metadata/creationTimestamp")));

const READY: Column = ("Ready", false, |o| condition(o, "Ready").to_owned());
const READY_REASON: Column =
    ("Status", false, |o| o.items("status/conditions").first().map(|c| c.text("reason").to_owned()).unwrap_or_default());
/// What External Secrets shows of a store.
const STORE: &[Column] = &[NAME, AGE, READY_REASON, ("Capabilities", false, |o| o.text("status/capabilities").to_owned()), READY];

/// Columns by kind; other kinds get name and age.
static COLUMNS: &[(&str, &[Column])] = &[
    ("Namespace", &[NAME, ("Status", false, |o| o.text("status/phase").to_owned()), AGE]),
    (
        "Pod",
        &[
            NAME,
            ("Ready", false, ready),
            ("Status", false, pod_status),
            ("Restarts", false, |o| {
                o.items("status/containerStatuses").iter().filter_map(|c| c.at("restartCount").as_i64()).sum::<i64>().to_string()
            }),
            AGE,
            ("IP", true, |o| or_none(o.text("status/podIP"))),
            ("Node", true, |o| or_none(o.text("spec/nodeName"))),
            ("Nominated Node", true, |_| "<none>".into()),
            ("Readiness Gates", true, |_| "<none>".into()),
        ],
    ),
    (
        "ResourceQuota",
        &[
            NAME,
            ("Request", false, |o| usage(o, |k| !k.starts_with("limits."))),
            ("Limit", false, |o| usage(o, |k| k.starts_with("limits."))),
            AGE,
        ],
    ),
    ("NetworkPolicy", &[NAME, ("Pod-Selector", false, |o| selector(o.at("spec/podSelector"))), AGE]),
    (
        "Service",
        &[
            NAME,
            ("Type", false, |o| o.text("spec/type").to_owned()),
            ("Cluster-IP", false, |o| or_none(o.text("spec/clusterIP"))),
            ("External-IP", false, |_| "<none>".into()),
            ("Port(s)", false, |o| joined(o.items("spec/ports"), |p| format!("{}/{}", p.at("port"), p.text("protocol")))),
            AGE,
            ("Selector", true, |o| labels(o.at("spec/selector"))),
        ],
    ),
    ("LimitRange", &[NAME, ("Created At", false, |o| o.text("metadata/creationTimestamp").to_owned())]),
    ("ConfigMap", &[NAME, ("Data", false, |o| o.map("data").map_or(0, serde_json::Map::len).to_string()), AGE]),
    (
        "Node",
        &[
            NAME,
            ("Status", false, |o| if condition(o, "Ready") == "True" { "Ready".into() } else { "NotReady".into() }),
            ("Roles", false, |_| "<none>".into()),
            AGE,
            ("Version", false, |o| o.text("status/nodeInfo/kubeletVersion").to_owned()),
        ],
    ),
    (
        "Event",
        &[
            ("Last Seen", false, |o| since(o.text("lastTimestamp"))),
            ("Type", false, |o| o.text("type").to_owned()),
            ("Reason", false, |o| o.text("reason").to_owned()),
            ("Object", false, |o| format!("{}/{}", o.text("involvedObject/kind").to_lowercase(), o.text("involvedObject/name"))),
            ("Message", false, |o| o.text("message").trim().to_owned()),
        ],
    ),
    (
        "Deployment",
        &[
            NAME,
            ("Ready", false, |o| format!("{}/{}", number(o, "status/readyReplicas"), number(o, "spec/replicas"))),
            ("Up-to-date", false, |o| number(o, "status/updatedReplicas").to_string()),
            ("Available", false, |o| number(o, "status/availableReplicas").to_string()),
            AGE,
            ("Containers", true, |o| joined(o.items("spec/template/spec/containers"), |c| c.text("name").to_owned())),
            ("Images", true, |o| joined(o.items("spec/template/spec/containers"), |c| c.text("image").to_owned())),
            ("Selector", true, |o| selector(o.at("spec/selector"))),
        ],
    ),
    (
        "ReplicaSet",
        &[
            NAME,
            ("Desired", false, |o| number(o, "spec/replicas").to_string()),
            ("Current", false, |o| number(o, "status/replicas").to_string()),
            ("Ready", false, |o| number(o, "status/readyReplicas").to_string()),
            AGE,
        ],
    ),
    ("StatefulSet", &[NAME, ("Ready", false, |o| format!("{}/{}", number(o, "status/readyReplicas"), number(o, "spec/replicas"))), AGE]),
    (
        "EndpointSlice",
        &[
            NAME,
            ("AddressType", false, |o| o.text("addressType").to_owned()),
            ("Ports", false, |o| joined(o.items("ports"), |p| p.at("port").to_string())),
            ("Endpoints", false, |o| {
                joined(o.items("endpoints"), |e| joined(e.items("addresses"), |a| a.as_str().unwrap_or_default().to_owned()))
            }),
            AGE,
        ],
    ),
    (
        "Secret",
        &[
            NAME,
            ("Type", false, |o| o.text("type").to_owned()),
            ("Data", false, |o| o.map("data").map_or(0, serde_json::Map::len).to_string()),
            AGE,
        ],
    ),
    ("SecretStore", STORE),
    ("ClusterSecretStore", STORE),
    (
        "ExternalSecret",
        &[
            NAME,
            ("StoreType", false, |o| o.text("spec/secretStoreRef/kind").to_owned()),
            ("Store", false, |o| o.text("spec/secretStoreRef/name").to_owned()),
            ("Refresh Interval", false, |o| o.text("spec/refreshInterval").to_owned()),
            READY_REASON,
            READY,
        ],
    ),
    ("ClusterExternalSecret", &[NAME, ("Store", false, |o| o.text("spec/externalSecretSpec/secretStoreRef/name").to_owned()), READY]),
    ("PushSecret", &[NAME, AGE, READY_REASON]),
];

fn of(kind: &Kind) -> &'static [Column] {
    COLUMNS.iter().find(|(name, _)| *name == kind.kind).map_or(&[NAME, AGE], |(_, columns)| columns)
}

/// The column definitions of a kind.
pub(crate) fn columns(kind: &Kind) -> Value {
    let list = of(kind).iter().map(|(name, wide, _)| {
        let format = if *name == "Name" { "name" } else { "" };
        json!({"name": name, "type": "string", "format": format, "description": "", "priority": i32::from(*wide)})
    });
    Value::Array(list.collect())
}

/// The row of an object.
pub(crate) fn row(kind: &Kind, object: &Value, include: Include) -> Value {
    let cells: Vec<Value> = of(kind).iter().map(|(_, _, cell)| Value::String(cell(object))).collect();
    let carried = match include {
        Include::Nothing => Value::Null,
        Include::Metadata => json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object.at("metadata")}),
        Include::Object => object.clone(),
    };
    json!({"cells": cells, "object": carried})
}

fn number(object: &Value, path: &str) -> i64 {
    object.at(path).as_i64().unwrap_or_default()
}

fn or_none(text: &str) -> String {
    if text.is_empty() { "<none>".to_owned() } else { text.to_owned() }
}

fn joined(items: &[Value], text: impl Fn(&Value) -> String) -> String {
    or_none(&items.iter().map(text).collect::<Vec<_>>().join(","))
}

fn condition<'a>(object: &'a Value, of: &str) -> &'a str {
    object.items("status/conditions").iter().find(|c| c.text("type") == of).map_or("", |c| c.text("status"))
}

fn ready(pod: &Value) -> String {
    let statuses = pod.items("status/containerStatuses");
    format!("{}/{}", statuses.iter().filter(|c| c.truth("ready")).count(), pod.items("spec/containers").len())
}

fn pod_status(pod: &Value) -> String {
    let waiting = pod.items("status/containerStatuses").iter().map(|c| c.text("state/waiting/reason")).find(|r| !r.is_empty());
    waiting.unwrap_or_else(|| pod.text("status/phase")).to_owned()
}

fn usage(quota: &Value, wanted: fn(&str) -> bool) -> String {
    let hard = quota.map("status/hard").or_else(|| quota.map("spec/hard"));
    let mut parts: Vec<String> = hard
        .into_iter()
        .flatten()
        .filter(|(key, _)| wanted(key))
        .map(|(key, hard)| {
            let used = quota.map("status/used").and_then(|m| m.get(key)).and_then(Value::as_str).unwrap_or("0");
            format!("{key}: {used}/{}", hard.as_str().unwrap_or_default())
        })
        .collect();
    parts.sort();
    parts.join(", ")
}

fn labels(map: &Value) -> String {
    let mut parts: Vec<String> =
        map.as_object().into_iter().flatten().map(|(k, v)| format!("{k}={}", v.as_str().unwrap_or_default())).collect();
    parts.sort();
    or_none(&parts.join(","))
}

fn selector(selector: &Value) -> String {
    let mut parts: Vec<String> = Vec::new();
    if selector.map("matchLabels").is_some_and(|m| !m.is_empty()) {
        parts.push(labels(selector.at("matchLabels")));
    }
    for need in selector.items("matchExpressions") {
        let values: Vec<&str> = need.items("values").iter().filter_map(Value::as_str).collect();
        let (key, list) = (need.text("key"), values.join(","));
        parts.push(match need.text("operator") {
            "In" => format!("{key} in ({list})"),
            "NotIn" => format!("{key} notin ({list})"),
            "DoesNotExist" => format!("!{key}"),
            _ => key.to_owned(),
        });
    }
    or_none(&parts.join(","))
}

/// The time since, in the short form kubectl shows.
fn since(timestamp: &str) -> String {
    clock::age(timestamp).map_or_else(|| "<unknown>".to_owned(), short)
}

fn short(seconds: i64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    let pair = |big: i64, unit: &str, small: i64, small_unit: &str| {
        if small == 0 { format!("{big}{unit}") } else { format!("{big}{unit}{small}{small_unit}") }
    };
    match seconds {
        ..120 => format!("{seconds}s"),
        120..600 => pair(minutes, "m", seconds % 60, "s"),
        600..10_800 => format!("{minutes}m"),
        10_800..28_800 => pair(hours, "h", minutes % 60, "m"),
        28_800..172_800 => format!("{hours}h"),
        172_800..691_200 => pair(days, "d", hours % 24, "h"),
        691_200..63_072_000 => format!("{days}d"),
        _ => pair(days / 365, "y", days % 365, "d"),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn ages_read_as_in_kubectl() {
        for (seconds, text) in [
            (59, "59s"),
            (119, "119s"),
            (130, "2m10s"),
            (1_800, "30m"),
            (11_000, "3h3m"),
            (90_000, "25h"),
            (180_000, "2d2h"),
            (900_000, "10d"),
        ] {
            assert_eq!(super::short(seconds), text);
        }
    }
}
