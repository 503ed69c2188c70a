//! Whom selectors of policies mean among the namespaces and pods that there are.

use crate::model::ids::Name;
use crate::model::labels::{Is, LabelSelector, LabelSet, Requirement};
use crate::model::pod::PodFact;
use crate::model::snapshot::{NamespaceFacts, Snapshot};
use crate::netpol::isolation::under_policy;
use crate::netpol::selector::NAMESPACE_NAME;

/// The labels of a namespace, with the one that every namespace carries.
fn labels_of(name: &Name, facts: &NamespaceFacts) -> LabelSet {
    let own = facts.own.iter().flat_map(|own| own.labels.iter().cloned());
    LabelSet::new(own.chain([(Name::from(NAMESPACE_NAME), name.clone())]))
}

/// Whether a selector selects a namespace; none when an unknown operator decides. O(requirements × log labels) without copying labels.
pub fn selects(selector: &LabelSelector, name: &Name, facts: &NamespaceFacts) -> Option<bool> {
    if selector.is_everything() {
        return Some(true);
    }
    // the name's own label may be missing in a manifest; a server always sets it
    match &facts.own {
        Some(own) if own.labels.get(NAMESPACE_NAME).is_some() => selector.matches(&own.labels),
        _ => selector.matches(&labels_of(name, facts)),
    }
}

/// The namespace names that a selector is limited to, where it says so by name.
fn by_name(selector: &LabelSelector) -> Option<&[Name]> {
    selector.requirements.iter().find_map(|requirement| match (requirement.key.as_ref(), &requirement.is) {
        (NAMESPACE_NAME, Is::In(names)) => Some(names.as_ref()),
        _ => None,
    })
}

/// The namespaces that a selector selects for sure. O(names) where it names them, else O(namespaces).
pub(in crate::posture) fn namespaces<'a>(
    snapshot: &'a Snapshot,
    selector: &'a LabelSelector,
) -> Box<dyn Iterator<Item = (&'a Name, &'a NamespaceFacts)> + 'a> {
    let chosen = |(name, facts): &(&'a Name, &'a NamespaceFacts)| selects(selector, name, facts) == Some(true);
    match by_name(selector) {
        Some(names) => {
            let found = names.iter().filter_map(|name| snapshot.namespaces.get_key_value(name));
            Box::new(found.map(|(name, facts)| (name, facts.as_ref())).filter(chosen))
        }
        None => Box::new(snapshot.namespaces.iter().map(|(name, facts)| (name, facts.as_ref())).filter(chosen)),
    }
}

/// The pods of a namespace to which policies apply and that a selector selects for sure; none for a selector means all.
pub(super) fn pods<'a>(facts: &'a NamespaceFacts, selector: Option<&'a LabelSelector>) -> impl Iterator<Item = &'a PodFact> {
    let chosen = move |pod: &&PodFact| selector.is_none_or(|selector| selector.matches(&pod.labels) == Some(true));
    facts.pods.values().map(AsRef::as_ref).filter(|pod| under_policy(pod)).filter(chosen)
}

/// Whether two selectors can select one and the same pod. Says yes where it can't tell: an unknown operator, or more than two requirements
/// that only together exclude each other. O(requirements²).
pub(super) fn overlap(a: &LabelSelector, b: &LabelSelector) -> bool {
    let all = || a.requirements.iter().chain(&b.requirements);
    !all().any(|x| all().any(|y| x.key == y.key && excludes(x, y)))
}

fn excludes(x: &Requirement, y: &Requirement) -> bool {
    match (&x.is, &y.is) {
        (Is::In(some), Is::In(others)) => !some.iter().any(|value| others.contains(value)),
        (Is::In(some), Is::NotIn(none)) => some.iter().all(|value| none.contains(value)),
        (Is::In(_) | Is::Exists, Is::DoesNotExist) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selector(is: Is) -> LabelSelector {
        LabelSelector { requirements: [Requirement { key: "app".into(), is }].into() }
    }

    #[test]
    fn selectors_that_exclude_each_other_share_no_pod() {
        let is = |value: &str| selector(Is::In([value.into()].into()));
        assert!(overlap(&is("a"), &is("a")) && overlap(&is("a"), &LabelSelector::default()));
        assert!(!overlap(&is("a"), &is("b")) && !overlap(&is("a"), &selector(Is::DoesNotExist)));
        assert!(
            !overlap(&selector(Is::NotIn(["a".into()].into())), &is("a")) && !overlap(&selector(Is::DoesNotExist), &selector(Is::Exists))
        );
        assert!(overlap(&selector(Is::NotIn(["a".into()].into())), &selector(Is::DoesNotExist)));
    }
}
