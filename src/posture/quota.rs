//! The arithmetic of quotas and limits: what is used, what still fits, which amount binds first.

use std::cmp::Ordering;

use super::assessment::QuotaRow;
use crate::model::ids::Name;
use crate::model::limits::{LimitItem, QuotaFact, amount};
use crate::model::quantity::{Format, Quantity, UNIT};
use crate::model::snapshot::NamespaceFacts;

/// The resources a container limit speaks of.
pub const RESOURCES: [&str; 2] = ["cpu", "memory"];

/// What one container gets and may ask for, of one resource, by all LimitRanges of a namespace together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Limit given to a container that names none.
    pub default: Option<Quantity>,
    /// Request given to a container that names none.
    pub request: Option<Quantity>,
    /// The smallest maximum.
    pub max: Option<Quantity>,
    /// The largest minimum.
    pub min: Option<Quantity>,
}

/// Limits of a resource for containers. Every LimitRange must be met, so the smallest maximum and the largest minimum count; a default is
/// given once, by the first that has one. (The API server does not promise an order; by name is ours.) O(LimitRanges).
pub fn limits(facts: &NamespaceFacts, resource: &str) -> Limits {
    let items = || facts.limit_ranges.values().flat_map(|range| range.items.iter()).filter(|item| item.kind.as_ref() == "Container");
    let first = |part: fn(&LimitItem) -> &[(Name, Quantity)]| items().find_map(|item| amount(part(item), resource).copied());
    // what can't be read wins either way, so that it is noticed
    let extreme = |part: fn(&LimitItem) -> &[(Name, Quantity)], keep: Ordering| {
        items().filter_map(|item| amount(part(item), resource).copied()).reduce(|a, b| match a.compare(b) {
            None => Quantity::UNREADABLE,
            Some(order) if order == keep || order == Ordering::Equal => a,
            Some(_) => b,
        })
    };
    Limits {
        default: first(|item| &item.default),
        request: first(|item| &item.default_request),
        max: extreme(|item| &item.max, Ordering::Less),
        min: extreme(|item| &item.min, Ordering::Greater),
    }
}

/// A pod with one container that names nothing: what it takes of each quota key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DefaultPod {
    cpu: Limits,
    memory: Limits,
}

impl DefaultPod {
    /// The default pod of a namespace.
    pub fn of(facts: &NamespaceFacts) -> Self {
        Self { cpu: limits(facts, "cpu"), memory: limits(facts, "memory") }
    }

    /// How much of a quota key one such pod takes; none where the key does not bind pods or no default is known.
    pub fn takes(&self, key: &str) -> Option<Quantity> {
        match key {
            "requests.cpu" | "cpu" => self.cpu.request,
            "requests.memory" | "memory" => self.memory.request,
            "limits.cpu" => self.cpu.default,
            "limits.memory" => self.memory.default,
            "pods" | "count/pods" => Some(Quantity::from_nanos(UNIT, Format::Decimal)),
            _ => None,
        }
    }
}

/// Quotas that count every pod.
pub fn unscoped(facts: &NamespaceFacts) -> impl Iterator<Item = &QuotaFact> {
    facts.quotas.values().map(AsRef::as_ref).filter(|quota| quota.scopes.is_empty())
}

/// The tightest hard limit for a resource over all quotas that count every pod; `key` in its long form. An unreadable amount wins.
pub fn hard(facts: &NamespaceFacts, key: &str) -> Option<Quantity> {
    let alias = key.strip_prefix("requests.").filter(|short| RESOURCES.contains(short));
    let amounts =
        unscoped(facts).flat_map(|quota| [Some(key), alias].into_iter().flatten().filter_map(|key| amount(&quota.hard, key).copied()));
    amounts.reduce(|a, b| match a.compare(b) {
        None => Quantity::UNREADABLE,
        Some(Ordering::Greater) => b,
        Some(_) => a,
    })
}

/// One row per quota and resource of a namespace, by quota and resource, with the binding one marked. O(rows).
pub fn rows(namespace: &Name, facts: &NamespaceFacts) -> Vec<QuotaRow> {
    let pod = DefaultPod::of(facts);
    let mut rows: Vec<QuotaRow> = facts
        .quotas
        .values()
        .flat_map(|quota| quota.hard.iter().map(|(resource, hard)| row(namespace, quota, resource, *hard, &pod)))
        .collect();
    let fewest = rows.iter().filter_map(|row| row.fits).min();
    if let Some(row) = rows.iter_mut().find(|row| row.fits.is_some() && row.fits == fewest) {
        row.binding = true;
    }
    rows
}

fn row(namespace: &Name, quota: &QuotaFact, resource: &Name, hard: Quantity, pod: &DefaultPod) -> QuotaRow {
    let used = amount(&quota.used, resource).copied();
    let left = used.and_then(|used| hard.checked_sub(used));
    let fits = if quota.scopes.is_empty() { left.zip(pod.takes(resource)).and_then(|(left, each)| left.times(each)) } else { None };
    QuotaRow {
        namespace: namespace.clone(),
        quota: quota.meta.name.clone(),
        resource: resource.clone(),
        hard,
        used,
        permille: used.and_then(|used| used.permille_of(hard)),
        fits,
        binding: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amounts(list: &[(&str, &str)]) -> Box<[(Name, Quantity)]> {
        let mut list: Vec<_> = list.iter().map(|(k, v)| (Name::from(*k), Quantity::read(v))).collect();
        list.sort();
        list.into()
    }

    fn range(name: &str, default: &[(&str, &str)], max: &[(&str, &str)]) -> crate::model::limits::LimitRangeFact {
        let item = LimitItem {
            kind: "Container".into(),
            default: amounts(default),
            default_request: amounts(&[]),
            max: amounts(max),
            min: amounts(&[]),
            ratio: amounts(&[]),
        };
        crate::model::limits::LimitRangeFact {
            meta: crate::model::meta::Meta { name: name.into(), ..Default::default() },
            items: [item].into(),
        }
    }

    #[test]
    fn of_two_limit_ranges_the_smaller_maximum_counts() {
        let mut facts = NamespaceFacts::default();
        for range in [range("a", &[("cpu", "1")], &[("cpu", "2")]), range("b", &[("cpu", "3")], &[("cpu", "1500m")])] {
            facts.limit_ranges.insert(range.meta.name.clone(), range.into());
        }
        let cpu = limits(&facts, "cpu");
        assert_eq!((cpu.default, cpu.max), (Some(Quantity::read("1")), Some(Quantity::read("1500m"))));
        facts.limit_ranges.insert("c".into(), range("c", &[], &[("cpu", "lots")]).into());
        assert_eq!(limits(&facts, "cpu").max, Some(Quantity::UNREADABLE));
    }
}
