//! The resource probe's knowledge: pods that are legal, too large, or legal one by one and too much together, made from the LimitRange and the
//! quota of a namespace. None is ever created: they are sent as server dry-runs only.

use serde_json::{Value, json};

use crate::model::event::Authority;
use crate::model::ids::Name;
use crate::model::limits::{LimitItem, LimitRangeFact, QuotaFact, amount};
use crate::model::quantity::{Format, Quantity, UNIT};
use crate::model::snapshot::NamespaceFacts;

/// What a small container asks for.
const SMALL_CPU: i128 = UNIT / 100;
const SMALL_MEMORY: i128 = 16 * MIB;
/// The walkthrough's noisy neighbour.
const LARGE_MEMORY: i128 = 4096 * MIB;
const MIB: i128 = 1024 * 1024 * UNIT;
/// A pod of more containers than this is nothing anybody would write.
const MOST_CONTAINERS: i128 = 20;
/// An image that can't be pulled: should a pod ever be created, it could not run.
const IMAGE: &str = "registry.invalid/partywall:probe";

/// The pods to send for one namespace.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Asks for little: must be accepted.
    pub small: Value,
    /// Asks for nothing: shows the defaults.
    pub bare: Value,
    /// The large pod at a legal size: must be accepted.
    pub legal: Value,
    /// Its memory, for the words.
    pub legal_memory: Quantity,
    /// One field that no server can read: must be refused, by validation.
    pub broken: Value,
    /// The large pod.
    pub large: Value,
    /// Its memory.
    pub large_memory: Quantity,
    /// Who has to refuse the large pod.
    pub large_by: Authority,
    /// The pod that is legal container by container and exceeds the quota, or why there is none.
    pub composed: Result<Composed, String>,
}

/// A pod whose containers are each legal and together too much.
#[derive(Clone, Debug)]
pub struct Composed {
    /// The pod.
    pub pod: Value,
    /// What it is, in words.
    pub words: String,
}

/// What a namespace allows, in nanos.
struct Bounds {
    /// Smallest requests of a container.
    cpu: i128,
    memory: i128,
    /// Largest limits of a container.
    cpu_max: Option<i128>,
    memory_max: Option<i128>,
    /// A ratio or a minimum of limits ties limits to requests.
    tied: bool,
    /// A pod as a whole is bounded too.
    pod_bounded: bool,
}

/// Makes the pods for a namespace. `name` must be new: it is used with a suffix for each. O(quotas + limits).
pub fn plan(facts: &NamespaceFacts, name: &str) -> Plan {
    let bounds = bounds(facts);
    let quotas: Vec<&QuotaFact> = facts.quotas.values().map(AsRef::as_ref).filter(|quota| quota.scopes.is_empty()).collect();
    let small = (bounds.cpu, bounds.memory);
    let large_memory = match bounds.memory_max {
        Some(max) if max >= LARGE_MEMORY => max.saturating_mul(4),
        _ => LARGE_MEMORY,
    };
    let room = remaining(&quotas, "limits.memory").min(if bounds.tied { remaining(&quotas, "requests.memory") } else { i128::MAX });
    // legal for the LimitRange and within what the quota has left, in whole mebibytes
    let legal_memory = bounds.memory_max.unwrap_or(bounds.memory).min(room).max(bounds.memory) / MIB * MIB;
    let legal_memory = legal_memory.max(bounds.memory);
    let one = |requests: (i128, i128), limits: (i128, i128)| vec![container(0, requests, limits)];
    let legal_request = if bounds.tied { legal_memory } else { bounds.memory };
    let mut broken = pod(&format!("{name}-broken"), &one(small, small));
    if let Some(slot) = broken.pointer_mut("/spec/containers/0/resources/limits/memory") {
        *slot = Value::from("a lot");
    }
    let mut bare = pod(&format!("{name}-bare"), &one(small, small));
    if let Some(Value::Object(container)) = bare.pointer_mut("/spec/containers/0") {
        container.remove("resources");
    }
    Plan {
        small: pod(&format!("{name}-small"), &one(small, small)),
        bare,
        legal: pod(&format!("{name}-legal"), &one((bounds.cpu, legal_request), (bounds.cpu, legal_memory))),
        legal_memory: binary(legal_memory),
        broken,
        large: pod(&format!("{name}-large"), &one((bounds.cpu, large_memory), (bounds.cpu, large_memory))),
        large_memory: binary(large_memory),
        large_by: if bounds.memory_max.is_some() || quotas.is_empty() { Authority::LimitRanger } else { Authority::ResourceQuota },
        composed: composed(&quotas, &bounds, name),
    }
}

fn bounds(facts: &NamespaceFacts) -> Bounds {
    let items = || facts.limit_ranges.values().flat_map(|range: &std::sync::Arc<LimitRangeFact>| range.items.iter());
    let containers = || items().filter(|item| item.kind.as_ref() == "Container");
    let nanos = |quantity: &Quantity| quantity.nanos();
    let least =
        |resource: &'static str| containers().filter_map(move |item| amount(&item.min, resource).and_then(nanos)).max().unwrap_or(0);
    let most = |resource: &'static str| containers().filter_map(move |item| amount(&item.max, resource).and_then(nanos)).min();
    let tied = |item: &LimitItem| !item.ratio.is_empty();
    Bounds {
        cpu: least("cpu").max(SMALL_CPU),
        memory: least("memory").max(SMALL_MEMORY),
        cpu_max: most("cpu"),
        memory_max: most("memory"),
        tied: items().any(tied),
        pod_bounded: items().any(|item| item.kind.as_ref() == "Pod" && !item.max.is_empty()),
    }
}

/// What the quotas leave of a resource, in nanos; the largest number where none counts it.
fn remaining(quotas: &[&QuotaFact], resource: &str) -> i128 {
    quotas
        .iter()
        .filter_map(|quota| {
            let hard = amount(&quota.hard, resource).or_else(|| short(resource).and_then(|short| amount(&quota.hard, short)))?.nanos()?;
            let used = amount(&quota.used, resource)
                .or_else(|| short(resource).and_then(|short| amount(&quota.used, short)))
                .and_then(|used| used.nanos());
            Some((hard - used.unwrap_or(0)).max(0))
        })
        .min()
        .unwrap_or(i128::MAX)
}

/// `cpu` and `memory` in a quota mean requests.
fn short(resource: &str) -> Option<&'static str> {
    match resource {
        "requests.cpu" => Some("cpu"),
        "requests.memory" => Some("memory"),
        _ => None,
    }
}

/// The pod that only the quota can refuse: as many containers at the LimitRange's maximum as it takes to exceed what is left.
fn composed(quotas: &[&QuotaFact], bounds: &Bounds, name: &str) -> Result<Composed, String> {
    if quotas.is_empty() {
        return Err("there is no quota that counts every pod".to_owned());
    }
    if bounds.pod_bounded {
        return Err("the LimitRange bounds pods as a whole, so it would answer before the quota".to_owned());
    }
    let mut why = "the quota counts neither cpu nor memory";
    for resource in ["limits.memory", "requests.memory", "limits.cpu", "requests.cpu"] {
        let left = remaining(quotas, resource);
        if left == i128::MAX {
            continue;
        }
        let memory = resource.ends_with("memory");
        let max = if memory { bounds.memory_max } else { bounds.cpu_max };
        let least = if memory { bounds.memory } else { bounds.cpu };
        // without a maximum one container may be as large as it takes
        let each = max.unwrap_or_else(|| left.saturating_add(if memory { 1024 * MIB } else { UNIT })).max(least);
        let count = left / each + 1;
        if count > MOST_CONTAINERS {
            why = "it would take more than 20 containers at the LimitRange's maximum";
            continue;
        }
        let requests = if resource.starts_with("requests") || bounds.tied { each } else { least };
        let (limits, requests) =
            if memory { ((bounds.cpu, each), (bounds.cpu, requests)) } else { ((each, bounds.memory), (requests, bounds.memory)) };
        let containers: Vec<Value> = (0..count).map(|index| container(index, requests, limits)).collect();
        let size = if memory { binary(each) } else { Quantity::from_nanos(each, Format::Decimal) };
        let words = format!("{count} containers of {size} each, each legal, for {resource}");
        return Ok(Composed { pod: pod(&format!("{name}-sum"), &containers), words });
    }
    Err(why.to_owned())
}

const fn binary(nanos: i128) -> Quantity {
    Quantity::from_nanos(nanos, Format::Binary)
}

fn container(index: i128, (cpu, memory): (i128, i128), (cpu_limit, memory_limit): (i128, i128)) -> Value {
    let cpu_of = |nanos| Quantity::from_nanos(nanos, Format::Decimal).to_string();
    let memory_of = |nanos| binary(nanos).to_string();
    json!({
        "name": format!("probe-{index}"),
        "image": IMAGE,
        "resources": {
            "requests": {"cpu": cpu_of(cpu), "memory": memory_of(memory)},
            "limits": {"cpu": cpu_of(cpu_limit), "memory": memory_of(memory_limit)},
        },
        "securityContext": {"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]}},
    })
}

/// A pod that meets the restricted Pod Security Standard, so that nobody answers before the wall that is tried.
fn pod(name: &str, containers: &[Value]) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app.kubernetes.io/managed-by": "partywall"}},
        "spec": {
            "automountServiceAccountToken": false,
            "restartPolicy": "Never",
            "securityContext": {"runAsNonRoot": true, "runAsUser": 65534, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": containers,
        },
    })
}

/// The defaults that an accepted pod came back with, in words. Hostile text: the server's admission may have put anything there.
pub fn defaults_seen(accepted: &Value) -> String {
    let resources = accepted.pointer("/spec/containers/0/resources");
    let part = |key: &str| {
        let map = resources.and_then(|r| r.get(key)).and_then(Value::as_object);
        let mut rows: Vec<String> =
            map.into_iter().flatten().filter_map(|(name, value)| Some(format!("{name}={}", value.as_str()?))).collect();
        rows.sort();
        rows.join(",")
    };
    let (requests, limits) = (part("requests"), part("limits"));
    let text = match (requests.is_empty(), limits.is_empty()) {
        (true, true) => "accepted without any default".to_owned(),
        _ => format!("accepted; defaults given: limits {limits}; requests {requests}"),
    };
    crate::model::text::clean_to(&text, 256)
}

/// Which namespaces a probe of a tenant tries: so many at most.
pub const MOST_NAMESPACES: usize = 8;

/// Whether a namespace has anything to try.
pub fn has_walls(facts: &NamespaceFacts) -> bool {
    !facts.quotas.is_empty() || !facts.limit_ranges.is_empty()
}

/// A name for a pod that no pod has.
pub fn pod_name(random: u32) -> Name {
    format!("partywall-probe-{random:08x}").into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::limits::Amounts;
    use crate::model::meta::Meta;
    use std::sync::Arc;

    fn amounts(pairs: &[(&str, &str)]) -> Amounts {
        let mut list: Vec<(Name, Quantity)> = pairs.iter().map(|(k, v)| (Name::from(*k), Quantity::read(v))).collect();
        list.sort();
        list.into()
    }

    fn walkthrough() -> NamespaceFacts {
        let hard =
            amounts(&[("requests.cpu", "1"), ("requests.memory", "1Gi"), ("limits.cpu", "2"), ("limits.memory", "2Gi"), ("pods", "10")]);
        let used = amounts(&[
            ("requests.cpu", "25m"),
            ("requests.memory", "16Mi"),
            ("limits.cpu", "200m"),
            ("limits.memory", "64Mi"),
            ("pods", "1"),
        ]);
        let quota = QuotaFact { meta: Meta::default(), status_hard: hard.clone(), hard, used, scopes: Box::default() };
        let item = LimitItem {
            kind: "Container".into(),
            default: amounts(&[("cpu", "500m"), ("memory", "512Mi")]),
            default_request: amounts(&[("cpu", "50m"), ("memory", "128Mi")]),
            max: amounts(&[("cpu", "2"), ("memory", "1Gi")]),
            min: Box::default(),
            ratio: Box::default(),
        };
        let range = LimitRangeFact { meta: Meta::default(), items: Box::new([item]) };
        NamespaceFacts {
            quotas: [("q".into(), Arc::new(quota))].into(),
            limit_ranges: [("l".into(), Arc::new(range))].into(),
            ..NamespaceFacts::default()
        }
    }

    fn limit(pod: &Value, index: usize, resource: &str) -> Option<Quantity> {
        pod.pointer(&format!("/spec/containers/{index}/resources/limits/{resource}")).and_then(Value::as_str).map(Quantity::read)
    }

    #[test]
    fn the_walkthroughs_pods() {
        let plan = plan(&walkthrough(), "p");
        assert_eq!((plan.large_memory.to_string().as_str(), plan.large_by), ("4Gi", Authority::LimitRanger));
        assert_eq!(plan.legal_memory.to_string(), "1Gi");
        let composed = plan.composed.unwrap();
        assert_eq!(composed.words, "2 containers of 1Gi each, each legal, for limits.memory");
        assert!(limit(&composed.pod, 1, "memory").is_some() && limit(&composed.pod, 2, "memory").is_none());
        assert_eq!(plan.bare.pointer("/spec/containers/0/resources"), None);
        assert!(limit(&plan.broken, 0, "memory").unwrap().nanos().is_none());
    }

    #[test]
    fn a_maximum_above_four_gibibytes_is_exceeded_too() {
        let mut facts = walkthrough();
        let range = Arc::make_mut(facts.limit_ranges.get_mut("l").unwrap());
        range.items[0].max = amounts(&[("memory", "8Gi")]);
        let plan = plan(&facts, "p");
        assert_eq!(plan.large_memory.to_string(), "32Gi");
        assert_eq!(plan.legal_memory.to_string(), "1984Mi", "no more than the quota has left");
    }

    #[test]
    fn without_a_limit_range_the_quota_has_to_refuse() {
        let facts = NamespaceFacts { limit_ranges: std::collections::BTreeMap::new(), ..walkthrough() };
        let plan = plan(&facts, "p");
        assert_eq!(plan.large_by, Authority::ResourceQuota);
        assert_eq!(plan.composed.unwrap().words, "1 containers of 3008Mi each, each legal, for limits.memory");
    }

    #[test]
    fn what_can_not_be_composed_says_why() {
        assert!(plan(&NamespaceFacts::default(), "p").composed.unwrap_err().contains("no quota"));
        let mut facts = walkthrough();
        let quota = Arc::make_mut(facts.quotas.get_mut("q").unwrap());
        quota.hard = amounts(&[("limits.memory", "1Ti")]);
        assert!(plan(&facts, "p").composed.unwrap_err().contains("20 containers"));
        quota_of_pods(&mut facts);
        assert!(plan(&facts, "p").composed.unwrap_err().contains("neither cpu nor memory"));
    }

    fn quota_of_pods(facts: &mut NamespaceFacts) {
        Arc::make_mut(facts.quotas.get_mut("q").unwrap()).hard = amounts(&[("pods", "10")]);
    }

    #[test]
    fn absurd_amounts_break_nothing() {
        let mut facts = walkthrough();
        let quota = Arc::make_mut(facts.quotas.get_mut("q").unwrap());
        quota.hard = amounts(&[("limits.memory", "9e999999"), ("requests.cpu", "-5")]);
        quota.used = amounts(&[("limits.memory", "-9e999999")]);
        drop(plan(&facts, "p"));
        let range = Arc::make_mut(facts.limit_ranges.get_mut("l").unwrap());
        range.items[0].max = amounts(&[("memory", "9e999999"), ("cpu", "lots")]);
        range.items[0].min = amounts(&[("memory", "9e999999")]);
        drop(plan(&facts, "p"));
    }
}
