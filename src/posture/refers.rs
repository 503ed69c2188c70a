//! What a tenant's assessment looks at beside the tenant itself, so that it is made again when that changes, and only then.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use super::assessment::TenantAssessment;
use super::net::RESOLVER_NAMESPACES;
use super::view::TenantView;
use crate::model::ids::{Name, fold, fold_bytes};
use crate::model::kind::Kind;
use crate::model::labels::LabelSelector;
use crate::model::meta::Meta;
use crate::model::networkpolicy::Peer;
use crate::model::snapshot::{Dirty, NamespaceFacts, Snapshot};

/// Other namespaces that an assessment looks at.
#[derive(Debug, Default)]
pub(super) struct Refers {
    /// Any of them may matter in any detail.
    everything: bool,
    /// Of these only the outline matters: whom selectors find there, and its Services and policies.
    outlines: BTreeSet<Name>,
    /// Of all of them the outline matters.
    every_outline: bool,
    /// Of these everything matters: findings speak of them.
    named: BTreeSet<Name>,
}

impl Refers {
    /// From the tenant's policies and its findings. Which namespaces a selector finds can only change with a Namespace, after which every
    /// tenant is judged again. O(rules + namespaces that their selectors find + evidence).
    pub(super) fn of(view: &TenantView<'_>, assessment: &TenantAssessment) -> Self {
        let mut refers = Self { outlines: RESOLVER_NAMESPACES.iter().map(|name| Name::from(*name)).collect(), ..Self::default() };
        let cluster = &view.snapshot.cluster;
        let tiers = !cluster.admin.is_empty() || !cluster.cilium.is_empty() || !cluster.foreign.is_empty();
        for (_, facts) in &view.namespaces {
            refers.add_policies(view, facts);
            // what other kinds of policies let in is asked of pods of every namespace
            refers.every_outline |= tiers || !facts.cilium.is_empty() || !facts.foreign.is_empty();
            // endpoints kept by hand may be anybody's pods
            refers.everything |= facts.services.values().any(|service| service.selector.is_none())
                && facts.endpoint_slices.values().any(|slice| !slice.addresses.is_empty());
        }
        let evidence = assessment.checks.iter().flat_map(|result| &result.findings).flat_map(|finding| &finding.evidence);
        let namespaces = evidence.map(|evidence| match evidence.object.kind {
            Kind::Namespace => &evidence.object.name,
            _ => &evidence.object.namespace,
        });
        refers.named = namespaces.filter(|name| !name.is_empty() && !assessment.namespaces.contains(name)).cloned().collect();
        refers
    }

    fn add_policies(&mut self, view: &TenantView<'_>, facts: &NamespaceFacts) {
        let rules = facts.policies.values().flat_map(|policy| policy.ingress.iter().chain(&policy.egress));
        for peer in rules.flat_map(|rule| &rule.peers) {
            let Peer::Pods { namespaces: Some(of), .. } = peer else { continue };
            self.add(view, of);
        }
    }

    fn add(&mut self, view: &TenantView<'_>, selector: &LabelSelector) {
        if selector.is_everything() {
            self.every_outline = true;
            return;
        }
        let found = super::net::selected_namespaces(view.snapshot, selector).map(|(name, _)| name);
        self.outlines.extend(found.filter(|name| view.tenants.of.get(*name) != Some(view.tenant)).cloned());
    }

    /// Whether findings speak of a namespace of that kind. O(namespaces spoken of).
    pub(super) fn names(&self, is: impl Fn(&Name) -> bool) -> bool {
        self.named.iter().any(is)
    }

    /// Whether a change elsewhere may change the assessment.
    pub(super) fn moved(&self, dirty: &Dirty, outlines: &BTreeSet<Name>) -> bool {
        (self.everything && !dirty.namespaces.is_empty())
            || (self.every_outline && !outlines.is_empty())
            || meet(&self.outlines, outlines)
            || meet(&self.named, &dirty.namespaces)
    }
}

/// Whether two sets share a name. O(smaller × log larger).
fn meet(a: &BTreeSet<Name>, b: &BTreeSet<Name>) -> bool {
    let (few, many) = if a.len() < b.len() { (a, b) } else { (b, a) };
    few.iter().any(|name| many.contains(name))
}

/// What others see of each namespace, as a digest.
#[derive(Debug, Default)]
pub(super) struct Outlines(BTreeMap<Name, u128>);

impl Outlines {
    /// Follows a snapshot; the namespaces whose outline changed. O(pods of the namespaces looked at).
    pub(super) fn follow(&mut self, snapshot: &Snapshot, dirty: &Dirty, all: bool) -> BTreeSet<Name> {
        if all {
            let before = std::mem::take(&mut self.0);
            self.0 = snapshot.namespaces.iter().map(|(name, facts)| (name.clone(), outline(facts))).collect();
            let names: BTreeSet<&Name> = before.keys().chain(self.0.keys()).collect();
            return names.into_iter().filter(|name| before.get(*name) != self.0.get(*name)).cloned().collect();
        }
        let mut changed = BTreeSet::new();
        for name in &dirty.namespaces {
            let after = snapshot.namespace(name).map(|facts| outline(facts));
            let before = match after {
                Some(digest) => self.0.insert(name.clone(), digest),
                None => self.0.remove(name),
            };
            if before != after {
                changed.insert(name.clone());
            }
        }
        changed
    }
}

/// Labels of pods and templates, each once; Services and policies by version. What a pod's restart changes is not in it.
fn outline(facts: &NamespaceFacts) -> u128 {
    let mut seen = HashSet::new();
    let mut labels = BTreeSet::new();
    for pod in facts.pods.values() {
        let under = crate::netpol::isolation::under_policy(pod);
        if seen.insert((Arc::as_ptr(&pod.labels), under)) {
            labels.insert((&pod.labels, under));
        }
    }
    let templates: BTreeSet<_> = facts.workloads.values().map(|workload| &workload.template_labels).collect();
    let mut hash = fold("outline");
    let mut add = |text: &str| hash = fold_bytes(fold_bytes(hash, text.as_bytes()), &[0]);
    for (set, under) in labels {
        add(if under { "pod" } else { "outside" });
        set.iter().for_each(|(key, value)| {
            add(key);
            add(value);
        });
    }
    for set in templates {
        add("template");
        set.iter().for_each(|(key, value)| {
            add(key);
            add(value);
        });
    }
    let metas = facts.services.values().map(|fact| &fact.meta).chain(facts.policies.values().map(|fact| &fact.meta));
    for meta in metas.chain(facts.cilium.values().map(|fact| &fact.meta)).chain(facts.foreign.values().map(|fact| &fact.meta)) {
        hash = version(hash, meta);
    }
    hash
}

fn version(hash: u128, meta: &Meta) -> u128 {
    let hash = fold_bytes(fold_bytes(hash, meta.name.as_bytes()), &[2]);
    fold_bytes(fold_bytes(hash, &meta.uid.0.to_le_bytes()), &meta.version.to_le_bytes())
}
