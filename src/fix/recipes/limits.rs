//! FX-RES-LR: a LimitRange with the walkthrough's numbers, made to fit the namespace's quota.

use serde_json::{Map, Value, json};

use super::{Draft, Ground, NoPlan, apply, free_name};
use crate::model::containers::{ContainerFact, Containers};
use crate::model::ids::Name;
use crate::model::kind::Kind;
use crate::model::limits::amount;
use crate::model::quantity::Quantity;
use crate::model::snapshot::NamespaceFacts;
use crate::model::text::clean;
use crate::posture::quota::{RESOURCES, hard, limits};
use crate::posture::view::{count, list};

/// What the walkthrough gives a container: default limit, default request, maximum.
const SEED: [(&str, &str, &str, &str); 2] = [("cpu", "500m", "50m", "2"), ("memory", "512Mi", "128Mi", "1Gi")];

pub(super) fn plan(ground: &Ground<'_>) -> Result<Draft, NoPlan> {
    let mut draft = Draft::default();
    for (namespace, facts) in &ground.namespaces {
        let found = RESOURCES.map(|resource| limits(facts, resource));
        if found.iter().all(|limits| limits.default.is_some() && limits.request.is_some() && limits.max.is_some()) {
            let nanos = |amount: Option<Quantity>| amount.and_then(Quantity::nanos);
            if found.iter().all(|limits| nanos(limits.default) == nanos(limits.max) && nanos(limits.request) == nanos(limits.max)) {
                let why = format!(
                    "the LimitRange of {} gives every container its maximum; lower its default and defaultRequest by hand",
                    clean(namespace)
                );
                return Err(NoPlan { why });
            }
            continue;
        }
        let numbers: Vec<Numbers> = SEED.iter().map(|seed| fitted(namespace, facts, *seed)).collect::<Result<_, _>>()?;
        let name = free_name("tenant-limits", |name| facts.limit_ranges.contains_key(name)).ok_or_else(|| NoPlan {
            why: format!(
                "{} has incomplete LimitRanges named tenant-limits and partywall-tenant-limits: complete one by hand",
                clean(namespace)
            ),
        })?;
        let part = |pick: fn(&Numbers) -> Quantity| {
            Value::Object(numbers.iter().map(|n| (n.resource.to_owned(), json!(pick(n).to_string()))).collect::<Map<_, _>>())
        };
        let spec = json!({"limits": [{
            "type": "Container",
            "default": part(|n| n.default),
            "defaultRequest": part(|n| n.request),
            "max": part(|n| n.max),
        }]});
        draft.steps.push(apply(Kind::LimitRange, "v1", namespace, &name, "bounds every container and supplies what it leaves out", &spec));
        draft.notes.extend(notes(namespace, facts, &numbers));
    }
    Ok(draft)
}

#[derive(Clone, Copy)]
struct Numbers {
    resource: &'static str,
    default: Quantity,
    request: Quantity,
    max: Quantity,
}

/// The seed's numbers, held within the quota and within LimitRanges that are there: min ≤ request ≤ default ≤ max ≤ quota.
fn fitted(namespace: &Name, facts: &NamespaceFacts, seed: (&'static str, &str, &str, &str)) -> Result<Numbers, NoPlan> {
    let (resource, default, request, max) = seed;
    let there = limits(facts, resource);
    let lower = |value: Quantity, bound: Option<Quantity>| match bound {
        None => Ok(value),
        Some(bound) => match value.at_most(bound) {
            Some(true) => Ok(value),
            Some(false) => Ok(bound),
            None => Err(NoPlan { why: format!("{} holds an amount of {resource} that can't be read", clean(namespace)) }),
        },
    };
    let max = lower(Quantity::read(max), hard(facts, &format!("limits.{resource}")))?;
    let max = lower(max, there.max)?;
    let default = lower(Quantity::read(default), Some(max))?;
    let request = lower(Quantity::read(request), Some(default))?;
    let request = lower(request, hard(facts, &format!("requests.{resource}")))?;
    // another LimitRange's minimum lifts what is below it
    let lifted = |value: Quantity| there.min.filter(|min| value.at_most(*min) == Some(true)).unwrap_or(value);
    let numbers = Numbers { resource, default: lifted(default), request: lifted(request), max };
    let positive = numbers.request.nanos().is_some_and(|nanos| nanos > 0);
    if positive && numbers.default.at_most(max) == Some(true) {
        return Ok(numbers);
    }
    Err(NoPlan { why: format!("the quota of {} leaves no room for a default of {resource}: correct the quota first", clean(namespace)) })
}

/// The blast radius: a LimitRange acts on pods made from now on.
fn notes(namespace: &Name, facts: &NamespaceFacts, numbers: &[Numbers]) -> Vec<String> {
    let shown = clean(namespace);
    let pods = facts.pods.values().filter(|pod| !pod.finished()).count();
    let mut notes =
        vec![format!("acts on pods made from now on: {} in {shown} keep what they have until they are made again", count(pods, "pod"))];
    let over = |containers: &Containers| containers.iter().any(|container| numbers.iter().any(|n| asks_for_more(container, n)));
    let workloads = facts.workloads.values().filter(|workload| over(&workload.containers)).map(|w| format!("{} {}", w.kind, w.meta.name));
    let loose = facts
        .pods
        .values()
        .filter(|pod| !pod.finished() && pod.owner.is_none() && over(&pod.containers))
        .map(|pod| format!("Pod {}", pod.meta.name));
    let refused: Vec<String> = workloads.chain(loose).collect();
    if !refused.is_empty() {
        notes.push(format!("asks for more than the maximum and would be refused when made again: {}", clean(&list(refused))));
    }
    notes
}

fn asks_for_more(container: &ContainerFact, numbers: &Numbers) -> bool {
    let over =
        |amounts: &[(Name, Quantity)]| amount(amounts, numbers.resource).is_some_and(|asked| asked.at_most(numbers.max) == Some(false));
    over(&container.limits) || over(&container.requests)
}
