//! Cluster-wide tiers, and policies of engines that are not evaluated.

use std::sync::Arc;

use super::Compiler;
use crate::model::adminpolicy::{AdminPolicyFact, Tier as FactTier, TierAction, TierPeer, TierRule, TierSubject};
use crate::model::ids::Name;
use crate::model::kind::Kind;
use crate::model::labels::LabelSelector;
use crate::model::platform::{ForeignPolicyFact, foreign};
use crate::netpol::isolation::Direction;
use crate::netpol::portbook::Ports;
use crate::netpol::ranges::Ranges;
use crate::netpol::rules::{Condition, Entry, PortTerm, Rank, Ruleset, Subject, Tier, Unit, Verdict};
use crate::netpol::term::{Over, PodTerm, Term, TermId, needs};
use crate::netpol::truth::{Both, Truth};

/// A policy of a cluster-wide tier as a unit. O(size of the policy).
pub(in crate::netpol) fn tier(policy: &AdminPolicyFact, with: &mut Compiler<'_>) -> Unit {
    let rank = Rank { priority: policy.priority, name: policy.meta.name.clone(), kind: policy.kind };
    let (tier, mut unclear) = match &policy.tier {
        FactTier::Admin => (Tier::Admin(rank), None),
        FactTier::Baseline => (Tier::Baseline(rank), None),
        FactTier::Unreadable(what) => (Tier::Foreign { may_allow: true, only: None }, Some(what.clone())),
    };
    let pods = |namespaces: &LabelSelector, pods: Option<&LabelSelector>| {
        Term::Pods(PodTerm { needs: needs(Some(namespaces), pods), ..PodTerm::default() })
    };
    let (term, at_most) = match &policy.subject {
        TierSubject::Namespaces(namespaces) => (pods(namespaces, None), Truth::Sure),
        TierSubject::Pods { namespaces, pods: chosen } => (pods(namespaces, Some(chosen)), Truth::Sure),
        TierSubject::Unreadable(what) => {
            unclear = Some(what.clone());
            (Term::Pods(PodTerm::default()), Truth::Perhaps)
        }
    };
    let subject = Subject { scope: None, term: with.terms.number(term), at_most };
    let ingress = side(&policy.ingress, Direction::Ingress, with);
    let egress = side(&policy.egress, Direction::Egress, with);
    Unit { object: policy.meta.object(policy.kind), prefix: "spec".into(), tier, subject, rules: Both { ingress, egress }, unclear }
}

fn side(rules: &[TierRule], direction: Direction, with: &mut Compiler<'_>) -> Arc<Ruleset> {
    let list = if direction == Direction::Ingress { "ingress" } else { "egress" };
    let entries = (0..).zip(rules).map(|(at, rule)| entry(rule, direction, (list, at), with)).collect();
    Arc::new(Ruleset { isolates: false, entries })
}

fn entry(rule: &TierRule, direction: Direction, field: (&'static str, u32), with: &mut Compiler<'_>) -> Entry {
    let verdict = match rule.action {
        TierAction::Allow => Verdict::Allow,
        TierAction::Deny => Verdict::Deny,
        TierAction::Pass => Verdict::Pass,
        TierAction::Unreadable(_) => Verdict::Unclear,
    };
    let inside_only = direction == Direction::Ingress;
    let unknown_peer = rule.peers.iter().any(|peer| matches!(peer, TierPeer::Unreadable(_)));
    if unknown_peer && matches!(verdict, Verdict::Deny | Verdict::Pass) {
        // the API asks to fail closed
        let ports = PortTerm { sure: Ports::ALL, perhaps: Ports::ALL, named: Box::default() };
        let condition = Condition::default();
        return Entry { verdict: Verdict::Deny, peers: [TermId::ANYBODY].into(), ports, inside_only: false, condition, field };
    }
    let peers: Vec<Term> = rule.peers.iter().flat_map(|peer| terms(peer, with)).collect();
    let peers = peers.into_iter().map(|term| with.terms.number(term)).collect();
    let ports = with.port_term(rule.ports.as_deref(), true);
    let names = rule.peers.iter().any(|peer| matches!(peer, TierPeer::DomainNames(_)));
    Entry { verdict, peers, ports, inside_only, condition: Condition { names, ..Condition::default() }, field }
}

fn terms(peer: &TierPeer, with: &Compiler<'_>) -> Vec<Term> {
    match peer {
        TierPeer::Namespaces(namespaces) => vec![Term::Pods(PodTerm { needs: needs(Some(namespaces), None), ..PodTerm::default() })],
        TierPeer::Pods { namespaces, pods } => {
            vec![Term::Pods(PodTerm { needs: needs(Some(namespaces), Some(pods)), ..PodTerm::default() })]
        }
        TierPeer::Nodes(selector) => nodes(selector, with),
        TierPeer::Networks(networks) => vec![Term::Addresses(Ranges::new(networks.iter().copied()), Over::Profile)],
        TierPeer::DomainNames(_) => vec![Term::Names],
        // of an Accept rule it matches nothing; where the action is not known either, anybody may be meant
        TierPeer::Unreadable(_) => Vec::new(),
    }
}

/// The addresses of nodes by their labels; those of which an unknown operator decides, perhaps. O(nodes).
pub(super) fn nodes(selector: &LabelSelector, with: &Compiler<'_>) -> Vec<Term> {
    let chosen = |want: Option<bool>| {
        let nodes = || with.snapshot.nodes.values().filter(move |node| selector.matches(&node.labels) == want);
        let ranges = Ranges::of_addresses(nodes().flat_map(|node| node.ips.iter().copied()));
        Term::Nodes(nodes().map(|node| node.meta.name.clone()).collect(), ranges)
    };
    vec![chosen(Some(true)), Term::Perhaps(Box::new(chosen(None)))]
}

/// A policy that is not evaluated: what it is about is unknown.
pub(in crate::netpol) fn foreign_unit(policy: &ForeignPolicyFact, with: &mut Compiler<'_>) -> Unit {
    let known = foreign(policy.kind);
    let only = match policy.kind {
        Kind::EgressFirewall => Some(Direction::Egress),
        Kind::AuthorizationPolicy => Some(Direction::Ingress),
        _ => None,
    };
    let scope: Option<Name> = (!policy.meta.namespace.is_empty()).then(|| policy.meta.namespace.clone());
    let term = with.terms.number(Term::Pods(PodTerm { scope: scope.clone(), ..PodTerm::default() }));
    Unit {
        object: policy.meta.object(policy.kind),
        prefix: "spec".into(),
        tier: Tier::Foreign { may_allow: known.is_none_or(|known| known.may_allow), only },
        subject: Subject { scope, term, at_most: Truth::Perhaps },
        rules: Both::default(),
        unclear: None,
    }
}
