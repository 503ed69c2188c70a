//! Rules of a tenant's own that lead to other tenants, whatever the other side says: a wall that stands only because the neighbour's does is
//! the neighbour's.

use std::collections::BTreeSet;

use super::ports::words as port_words;
use super::select::{namespaces, pods};
use crate::model::ids::{Name, ObjectRef, TenantId};
use crate::model::kind::Kind;
use crate::model::labels::{LabelSelector, LabelSet};
use crate::model::networkpolicy::{NetworkPolicyFact, Peer, PolicyRule};
use crate::model::snapshot::NamespaceFacts;
use crate::netpol::answer::Openness;
use crate::netpol::isolation::Direction;
use crate::netpol::openness::Everyone;
use crate::netpol::selector::{Coverage, covers_every_namespace, covers_everything, words};
use crate::netpol::story::{End, side_of};
use crate::posture::view::TenantView;

/// At most so many tenants are asked about to hear whether something stands before a rule.
const ASKED: usize = 4;

/// Whom a rule leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Led {
    /// Everybody there is.
    All(Everyone),
    /// These tenants, by a selector in words.
    Some(BTreeSet<TenantId>, String),
}

/// A rule that leads to other tenants.
#[derive(Clone, Debug)]
pub(super) struct Lead {
    /// The namespace whose rule it is.
    pub namespace: Name,
    /// The policy.
    pub policy: ObjectRef,
    /// Where in it: `spec.egress[0]`.
    pub field: String,
    /// To whom, or from whom.
    pub to: Led,
    /// The ports, in words. Not cleaned.
    pub ports: String,
    /// Existing pods of the tenant that it opens. None: only pods that may be made.
    pub pods: Vec<Name>,
    /// Whether somebody is there to be reached today; of everybody, somebody always is.
    pub now: bool,
    /// Labels of a pod that it opens, in words. Not cleaned.
    pub selects: String,
}

/// Every rule of the tenant's NetworkPolicies that leads to another tenant in this direction, by namespace, policy and place. A cluster-wide
/// Deny may stand before it: [`confirmed`] asks. O(rules × namespaces that their selectors may mean).
pub(super) fn leads(view: &TenantView<'_>, direction: Direction) -> Vec<Lead> {
    let mut found = Vec::new();
    for (name, facts) in &view.namespaces {
        for policy in facts.policies.values().filter(|policy| policy.isolates(direction)) {
            for (index, rule) in policy.rules(direction).iter().enumerate() {
                if let Some((to, now)) = led(view, rule) {
                    found.push(lead(name, facts, policy, (direction, index), rule, (to, now)));
                }
            }
        }
    }
    found
}

fn lead(
    name: &Name,
    facts: &NamespaceFacts,
    policy: &NetworkPolicyFact,
    (direction, index): (Direction, usize),
    rule: &PolicyRule,
    (to, now): (Led, bool),
) -> Lead {
    Lead {
        namespace: name.clone(),
        policy: policy.meta.object(Kind::NetworkPolicy),
        field: format!("spec.{}[{index}]", direction.word().to_lowercase()),
        to,
        ports: port_words(&rule.ports),
        pods: pods(facts, Some(&policy.pods)).map(|pod| pod.meta.name.clone()).collect(),
        now,
        selects: words(&policy.pods),
    }
}

/// Whom a rule leads to, and whether somebody is there.
fn led(view: &TenantView<'_>, rule: &PolicyRule) -> Option<(Led, bool)> {
    if rule.peers.is_empty() {
        return Some((Led::All(Everyone::Anybody), true));
    }
    let whole = rule.peers.iter().filter_map(|peer| everyone(view, peer)).min();
    if let Some(whole) = whole {
        return Some((Led::All(whole), true));
    }
    let mut tenants = BTreeSet::new();
    let mut said: Vec<String> = Vec::new();
    let mut now = false;
    for peer in &rule.peers {
        let Peer::Pods { namespaces: Some(chosen), pods: of } = peer else { continue };
        let mut any = false;
        for (name, facts) in namespaces(view.snapshot, chosen) {
            let Some(tenant) = view.tenants.of.get(name).filter(|tenant| *tenant != view.tenant) else { continue };
            tenants.insert(tenant.clone());
            now = now || pods(facts, of.as_ref()).next().is_some();
            any = true;
        }
        if any {
            said.push(peer_words(chosen, of.as_ref()));
        }
    }
    (!tenants.is_empty()).then(|| (Led::Some(tenants, said.join(" or ")), now))
}

/// Whether a peer means everybody: the pods of every namespace, or every address where addresses match pods.
fn everyone(view: &TenantView<'_>, peer: &Peer) -> Option<Everyone> {
    match peer {
        Peer::Pods { namespaces: Some(chosen), pods } => {
            let all_pods = pods.as_ref().is_none_or(|pods| covers_everything(&[pods]) == Coverage::Everything);
            (all_pods && covers_every_namespace(&[chosen]) == Coverage::Everything).then_some(Everyone::EveryNamespace)
        }
        Peer::Block { cidr, except } => {
            let whole = cidr.prefix_len() == 0 && except.is_empty() && view.reach.options().profile.edges().cidr_matches_pods;
            whole.then_some(Everyone::EveryAddress)
        }
        _ => None,
    }
}

/// A peer of pods in words. Not cleaned.
pub(super) fn peer_words(namespaces: &LabelSelector, pods: Option<&LabelSelector>) -> String {
    let of = words(namespaces);
    match pods {
        None => format!("namespaces {of}"),
        Some(pods) => format!("pods {} of namespaces {of}", words(pods)),
    }
}

impl Lead {
    /// Whether it leads to a tenant.
    pub(super) fn reaches(&self, tenant: &TenantId) -> bool {
        match &self.to {
            Led::All(_) => true,
            Led::Some(tenants, _) => tenants.contains(tenant),
        }
    }

    /// Whom it leads to, in words. Not cleaned.
    pub(super) fn to_words(&self) -> &str {
        match &self.to {
            Led::All(everyone) => everyone.words(),
            Led::Some(_, words) => words,
        }
    }
}

/// What the tenant's own side says where a lead would let through, with every kind of policy heard: asked of one pod of each side, an imagined
/// one where none is there, for the first few tenants that it leads to. Undefined where those are blocked and others were not asked; none where
/// the ends can't be judged.
pub(super) fn confirmed(view: &TenantView<'_>, lead: &Lead, direction: Direction) -> Option<Openness> {
    let own = match lead.pods.first() {
        Some(pod) => End::Pod { namespace: lead.namespace.clone(), name: pod.clone() },
        None => End::Imagined { namespace: lead.namespace.clone(), labels: witness(view, lead) },
    };
    let mut led = view.tenants.namespaces.iter().filter(|(tenant, _)| *tenant != view.tenant && lead.reaches(tenant));
    let mut heard = None;
    for (tenant, names) in led.by_ref().take(ASKED) {
        heard = heard.max(side(view, &own, (tenant, names), direction));
        if heard == Some(Openness::Open) {
            return heard;
        }
    }
    if heard == Some(Openness::Blocked) && led.next().is_some() { Some(Openness::Undefined) } else { heard }
}

/// What this side says of one other tenant, at most.
fn side(view: &TenantView<'_>, own: &End, (tenant, names): (&TenantId, &[Name]), direction: Direction) -> Option<Openness> {
    let theirs = match names.iter().find(|name| view.snapshot.namespace(name).is_some_and(|facts| pods(facts, None).next().is_some())) {
        Some(name) => End::Namespace(name.clone()),
        None => End::Tenant(tenant.clone()),
    };
    let story = match direction {
        Direction::Egress => view.reach.explain(own, &theirs),
        Direction::Ingress => view.reach.explain(&theirs, own),
    }?;
    story.segments.iter().map(|segment| side_of(direction, segment).openness).max()
}

/// Labels of a pod that the lead's policy selects, as far as equalities say.
fn witness(view: &TenantView<'_>, lead: &Lead) -> std::sync::Arc<LabelSet> {
    use crate::model::labels::Is;
    let policy = view.snapshot.namespace(&lead.namespace).and_then(|facts| facts.policies.get(&lead.policy.name));
    let pairs = policy.into_iter().flat_map(|policy| policy.pods.requirements.iter()).filter_map(|requirement| match &requirement.is {
        Is::In(values) => values.first().map(|value| (requirement.key.clone(), value.clone())),
        Is::Exists => Some((requirement.key.clone(), "any".into())),
        _ => None,
    });
    std::sync::Arc::new(LabelSet::new(pairs))
}
