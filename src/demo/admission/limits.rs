//! LimitRanger: defaults and bounds of single containers and pods.

use std::collections::BTreeMap;

use serde_json::Value;

use super::quota::{Usage, amounts, pod_amounts};
use crate::demo::json::{Json, object};
use crate::demo::kinds;
use crate::demo::quantity::Quantity;
use crate::demo::store::Objects;

/// The items of every LimitRange of a namespace.
fn items(objects: &Objects, namespace: &str) -> Vec<Value> {
    objects.list(kinds::id("limitranges"), namespace, None).flat_map(|(_, range)| range.items("spec/limits").to_vec()).collect()
}

/// Gives containers the default requests and limits they lack, and says so in an annotation.
pub(crate) fn fill(objects: &Objects, namespace: &str, pod: &mut Value) {
    let mut notes = Vec::new();
    for item in items(objects, namespace).iter().filter(|i| i.text("type") == "Container") {
        for (list, word) in [("containers", "container"), ("initContainers", "init container")] {
            for container in pod.slot("spec").get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
                for (from, to, what) in [("defaultRequest", "requests", "request"), ("default", "limits", "limit")] {
                    let set = fill_one(item, from, container, to);
                    if !set.is_empty() {
                        notes.push(format!("{} {what} for {word} {}", set.join(", "), container.text("name")));
                    }
                }
            }
        }
    }
    if !notes.is_empty() {
        let text = format!("LimitRanger plugin set: {}", notes.join("; "));
        object(pod.slot("metadata/annotations")).insert("kubernetes.io/limit-ranger".into(), text.into());
    }
}

fn fill_one(item: &Value, from: &str, container: &mut Value, to: &str) -> Vec<String> {
    let defaults: BTreeMap<String, Value> = item.map(from).cloned().into_iter().flatten().collect();
    let mut set = Vec::new();
    for (name, amount) in defaults {
        if !container.at("resources").at(to).has(&name) {
            object(container.slot("resources").slot(to)).insert(name.clone(), amount);
            set.push(name);
        }
    }
    set
}

/// Refuses a pod out of bounds. The error is the message after "is forbidden: ".
pub(crate) fn check(objects: &Objects, namespace: &str, pod: &Value) -> Result<(), String> {
    let mut faults: Vec<String> = Vec::new();
    for item in &items(objects, namespace) {
        match item.text("type") {
            "Container" => {
                for container in pod.items("spec/containers").iter().chain(pod.items("spec/initContainers")) {
                    let has = |list: &str| amounts(container.at("resources").at(list));
                    bounds(item, "Container", &has("requests"), &has("limits"), &mut faults);
                }
            }
            "Pod" => bounds(item, "Pod", &pod_amounts(pod, "requests"), &pod_amounts(pod, "limits"), &mut faults),
            _ => {}
        }
    }
    let mut seen = Vec::new();
    faults.retain(|f| {
        let new = !seen.contains(f);
        seen.push(f.clone());
        new
    });
    match faults.as_slice() {
        [] => Ok(()),
        [one] => Err(one.clone()),
        many => Err(format!("[{}]", many.join(", "))),
    }
}

fn bounds(item: &Value, of: &str, requests: &Usage, limits: &Usage, faults: &mut Vec<String>) {
    for (name, bound) in amounts(item.at("min")) {
        faults.extend(minimum(&name, of, bound, requests.get(&name), limits.get(&name)));
    }
    for (name, bound) in amounts(item.at("max")) {
        faults.extend(maximum(&name, of, bound, requests.get(&name), limits.get(&name)));
    }
    for (name, bound) in amounts(item.at("maxLimitRequestRatio")) {
        faults.extend(ratio(&name, of, bound, requests.get(&name), limits.get(&name)));
    }
}

fn minimum(name: &str, of: &str, bound: Quantity, request: Option<&Quantity>, limit: Option<&Quantity>) -> Option<String> {
    let start = format!("minimum {name} usage per {of} is {}", bound.canonical());
    match (request, limit) {
        (None, _) => Some(format!("{start}.  No request is specified")),
        (Some(r), _) if r.nanos() < bound.nanos() => Some(format!("{start}, but request is {}", r.canonical())),
        (_, Some(l)) if l.nanos() < bound.nanos() => Some(format!("{start}, but limit is {}", l.canonical())),
        _ => None,
    }
}

fn maximum(name: &str, of: &str, bound: Quantity, request: Option<&Quantity>, limit: Option<&Quantity>) -> Option<String> {
    let start = format!("maximum {name} usage per {of} is {}", bound.canonical());
    match (request, limit) {
        (_, None) => Some(format!("{start}.  No limit is specified")),
        (_, Some(l)) if l.nanos() > bound.nanos() => Some(format!("{start}, but limit is {}", l.canonical())),
        (Some(r), _) if r.nanos() > bound.nanos() => Some(format!("{start}, but request is {}", r.canonical())),
        _ => None,
    }
}

fn ratio(name: &str, of: &str, bound: Quantity, request: Option<&Quantity>, limit: Option<&Quantity>) -> Option<String> {
    let start = format!("{name} max limit to request ratio per {of} is {}", bound.canonical());
    let nonzero = |q: Option<&Quantity>| q.map(|q| q.nanos()).filter(|n| *n != 0);
    let Some(request) = nonzero(request) else { return Some(format!("{start}, but no request is specified or request is 0")) };
    let Some(limit) = nonzero(limit) else { return Some(format!("{start}, but no limit is specified or limit is 0")) };
    let over = limit.saturating_mul(1_000_000_000) > bound.nanos().saturating_mul(request);
    // shown with six digits, as the server prints its floating point number
    over.then(|| format!("{start}, but provided ratio is {:.6}", limit as f64 / request as f64))
}
