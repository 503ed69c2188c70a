//! Which pods, of today and of tomorrow, each policy, quota and LimitRange covers.

use super::assessment::Cover;
use crate::model::containers::ContainerFact;
use crate::model::ids::Name;
use crate::model::kind::Kind;
use crate::model::limits::{LimitRangeFact, QuotaFact};
use crate::model::networkpolicy::NetworkPolicyFact;
use crate::model::pod::PodFact;
use crate::model::snapshot::NamespaceFacts;
use crate::netpol::isolation::under_policy;
use crate::netpol::selector::covers_everything;

/// Covers of a namespace, by kind and name. O(objects × pods).
pub fn covers(facts: &NamespaceFacts) -> Vec<Cover> {
    let pods: Vec<&PodFact> = facts.pods.values().map(AsRef::as_ref).filter(|pod| !pod.finished()).collect();
    let policies = facts.policies.values().map(|policy| of_policy(policy, &pods));
    let quotas = facts.quotas.values().map(|quota| of_quota(quota, &pods));
    let ranges = facts.limit_ranges.values().map(|range| of_range(range, &pods));
    policies.chain(quotas).chain(ranges).collect()
}

fn counted(pods: &[&PodFact], is_covered: impl Fn(&PodFact) -> bool) -> u32 {
    u32::try_from(pods.iter().filter(|pod| is_covered(pod)).count()).unwrap_or(u32::MAX)
}

fn of_policy(policy: &NetworkPolicyFact, pods: &[&PodFact]) -> Cover {
    Cover {
        object: policy.meta.object(Kind::NetworkPolicy),
        covered: counted(pods, |pod| under_policy(pod) && policy.pods.matches(&pod.labels) == Some(true)),
        of: counted(pods, |_| true),
        future: covers_everything(&[&policy.pods]).decided(),
    }
}

fn of_quota(quota: &QuotaFact, pods: &[&PodFact]) -> Cover {
    let readable = quota.scopes.iter().all(|scope| in_scope(scope, &[]).is_some());
    Cover {
        object: quota.meta.object(Kind::ResourceQuota),
        covered: counted(pods, |pod| quota.scopes.iter().all(|scope| in_scope(scope, &pod.containers) == Some(true))),
        of: counted(pods, |_| true),
        future: readable.then_some(quota.scopes.is_empty()),
    }
}

/// Whether a pod is in a scope; none for scopes that rest on fields which are not kept.
fn in_scope(scope: &Name, containers: &[ContainerFact]) -> Option<bool> {
    let best_effort = || {
        let names_compute = |amounts: &[(Name, _)]| amounts.iter().any(|(resource, _)| matches!(resource.as_ref(), "cpu" | "memory"));
        containers.iter().all(|container| !names_compute(&container.requests) && !names_compute(&container.limits))
    };
    match scope.as_ref() {
        "BestEffort" => Some(best_effort()),
        "NotBestEffort" => Some(!best_effort()),
        _ => None,
    }
}

/// A LimitRange acts when a pod is made: pods older than it keep what they have.
fn of_range(range: &LimitRangeFact, pods: &[&PodFact]) -> Cover {
    let bounds_pods = range.items.iter().any(|item| matches!(item.kind.as_ref(), "Container" | "Pod"));
    Cover {
        object: range.meta.object(Kind::LimitRange),
        covered: counted(pods, |pod| bounds_pods && pod.meta.created >= range.meta.created),
        of: counted(pods, |_| true),
        future: Some(bounds_pods),
    }
}
