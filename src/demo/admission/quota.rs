//! ResourceQuota: what is used, and whether more may be.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::demo::json::{Json, object};
use crate::demo::kinds::{self, KINDS, Kind};
use crate::demo::quantity::Quantity;
use crate::demo::store::{Key, Objects};

/// Amounts by resource name.
pub(crate) type Usage = BTreeMap<String, Quantity>;

/// Refuses an object that would exceed a quota of its namespace. The error is the message after "is forbidden: ".
/// `before` is the object's earlier state when it is an update.
pub(crate) fn check(objects: &Objects, kind: &Kind, namespace: &str, object: &Value, before: Option<&Value>) -> Result<(), String> {
    let asked = of_object(kind, object);
    let had = before.map(|b| of_object(kind, b)).unwrap_or_default();
    for (_, quota) in objects.list(kinds::id("resourcequotas"), namespace, None) {
        if !in_scope(quota, kind, object) {
            continue;
        }
        let name = quota.text("metadata/name");
        let hard = amounts(quota.at("spec/hard"));
        unspecified(name, &hard, kind, object)?;
        let used = amounts(quota.at("status/used"));
        let mut over: Vec<(&str, Quantity, Quantity, Quantity)> = Vec::new();
        for (key, limit) in &hard {
            let Some(wanted) = asked.get(key) else { continue };
            let earlier = had.get(key).map_or(0, |q| q.nanos());
            let now = used.get(key).copied().unwrap_or_else(Quantity::zero);
            let delta = wanted.nanos() - earlier;
            if delta > 0 && now.nanos() + delta > limit.nanos() {
                over.push((key, *wanted, now, *limit));
            }
        }
        if !over.is_empty() {
            let join = |pick: fn(&(&str, Quantity, Quantity, Quantity)) -> Quantity| {
                over.iter().map(|o| format!("{}={}", o.0, pick(o).canonical())).collect::<Vec<_>>().join(",")
            };
            return Err(format!(
                "exceeded quota: {name}, requested: {}, used: {}, limited: {}",
                join(|o| o.1),
                join(|o| o.2),
                join(|o| o.3)
            ));
        }
    }
    Ok(())
}

/// Brings `status` of every quota of a namespace up to date.
pub(crate) fn refresh(objects: &mut Objects, namespace: &str) {
    let quotas: Vec<(Key, Value)> =
        objects.list(kinds::id("resourcequotas"), namespace, None).map(|(k, q)| (k.clone(), (**q).clone())).collect();
    for (key, mut quota) in quotas {
        let hard = amounts(quota.at("spec/hard"));
        let mut total = Usage::new();
        for (id, kind) in KINDS.iter().enumerate().filter(|(_, k)| k.namespaced) {
            for (_, object) in objects.list(id, namespace, None).filter(|(_, o)| in_scope(&quota, kind, o)) {
                for (name, amount) in of_object(kind, object) {
                    let sum = total.get(&name).copied().unwrap_or_else(Quantity::zero).plus(amount);
                    total.insert(name, sum);
                }
            }
        }
        let mut used = Value::Object(serde_json::Map::new());
        for name in hard.keys() {
            let amount = total.get(name).copied().unwrap_or_else(Quantity::zero);
            object(&mut used).insert(name.clone(), amount.canonical().into());
        }
        let status = serde_json::json!({"hard": quota.at("spec/hard"), "used": used});
        if *quota.at("status") != status {
            quota.put("status", status);
            objects.put(key, quota);
        }
    }
}

/// The amounts of a resource list.
pub(crate) fn amounts(list: &Value) -> Usage {
    list.as_object().into_iter().flatten().filter_map(|(k, v)| Quantity::read(v).map(|q| (k.clone(), q))).collect()
}

/// What one object uses.
fn of_object(kind: &Kind, object: &Value) -> Usage {
    let mut usage = Usage::new();
    let mut add = |name: String, amount: Quantity| {
        usage.insert(name, amount);
    };
    let one = Quantity::count(1);
    if kind.kind == "Pod" {
        if matches!(object.text("status/phase"), "Succeeded" | "Failed") {
            return usage;
        }
        for (name, amount) in pod_amounts(object, "requests") {
            if matches!(name.as_str(), "cpu" | "memory" | "ephemeral-storage") {
                add(name.clone(), amount);
            }
            add(format!("requests.{name}"), amount);
        }
        for (name, amount) in pod_amounts(object, "limits") {
            add(format!("limits.{name}"), amount);
        }
    }
    add(format!("count/{}", kind.qualified()), one);
    if kind.group.is_empty() {
        add(kind.plural.to_owned(), one);
    }
    if kind.kind == "Service" {
        let kind = object.text("spec/type");
        let flag = |on: bool| Quantity::count(usize::from(on));
        add("services.nodeports".into(), flag(matches!(kind, "NodePort" | "LoadBalancer")));
        add("services.loadbalancers".into(), flag(kind == "LoadBalancer"));
    }
    usage
}

/// Requests or limits of a pod: containers together, or the largest init container, whichever is more.
pub(crate) fn pod_amounts(pod: &Value, list: &str) -> Usage {
    let mut sum = Usage::new();
    for container in pod.items("spec/containers") {
        for (name, amount) in amounts(container.at("resources").at(list)) {
            let total = sum.get(&name).copied().unwrap_or_else(Quantity::zero).plus(amount);
            sum.insert(name, total);
        }
    }
    for container in pod.items("spec/initContainers") {
        for (name, amount) in amounts(container.at("resources").at(list)) {
            let larger = sum.get(&name).filter(|q| q.nanos() >= amount.nanos()).copied().unwrap_or(amount);
            sum.insert(name, larger);
        }
    }
    sum
}

/// A quota that limits a resource demands that every container says how much of it it wants.
fn unspecified(quota: &str, hard: &Usage, kind: &Kind, pod: &Value) -> Result<(), String> {
    if kind.kind != "Pod" {
        return Ok(());
    }
    let mut missing = Vec::new();
    for key in hard.keys() {
        let (list, name) = match key.split_once('.') {
            Some((list @ ("requests" | "limits"), name)) if matches!(name, "cpu" | "memory") => (list, name),
            None if matches!(key.as_str(), "cpu" | "memory") => ("requests", key.as_str()),
            _ => continue,
        };
        let containers = pod.items("spec/containers").iter().chain(pod.items("spec/initContainers"));
        let mut without: Vec<&str> = containers.filter(|c| !c.has(&format!("resources/{list}/{name}"))).map(|c| c.text("name")).collect();
        without.sort_unstable();
        if !without.is_empty() {
            missing.push(format!("{key} for: {}", without.join(",")));
        }
    }
    if missing.is_empty() { Ok(()) } else { Err(format!("failed quota: {quota}: must specify {}", missing.join("; "))) }
}

fn in_scope(quota: &Value, kind: &Kind, object: &Value) -> bool {
    let scopes = quota.items("spec/scopes");
    if scopes.is_empty() {
        return true;
    }
    let best_effort = pod_amounts(object, "requests").is_empty() && pod_amounts(object, "limits").is_empty();
    let terminating = object.at("spec/activeDeadlineSeconds").as_i64().is_some();
    // a quota with scopes counts pods only
    kind.kind == "Pod"
        && scopes.iter().filter_map(Value::as_str).all(|scope| match scope {
            "BestEffort" => best_effort,
            "NotBestEffort" => !best_effort,
            "Terminating" => terminating,
            "NotTerminating" => !terminating,
            _ => false,
        })
}
