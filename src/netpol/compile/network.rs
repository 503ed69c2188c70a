//! NetworkPolicy.

use std::sync::Arc;

use super::Compiler;
use crate::model::kind::Kind;
use crate::model::networkpolicy::{NetworkPolicyFact, Peer, PolicyRule};
use crate::netpol::isolation::Direction;
use crate::netpol::ranges::Ranges;
use crate::netpol::rules::{Condition, Entry, Ruleset, Subject, Tier, Unit, Verdict};
use crate::netpol::term::{Over, PodTerm, Term, TermId, needs};
use crate::netpol::truth::{Both, Truth};

/// A NetworkPolicy as a unit. O(size of the policy).
pub(in crate::netpol) fn network(policy: &NetworkPolicyFact, with: &mut Compiler<'_>) -> Unit {
    let scope = policy.meta.namespace.clone();
    let term = with.terms.number(Term::Pods(PodTerm { scope: Some(scope.clone()), needs: needs(None, Some(&policy.pods)), beyond: false }));
    let mut side = |direction: Direction, list: &'static str| {
        let rules = if policy.isolates(direction) { policy.rules(direction) } else { &[] };
        let entries = (0..).zip(rules).map(|(at, rule)| entry(policy, rule, (list, at), with)).collect();
        Arc::new(Ruleset { isolates: policy.isolates(direction), entries })
    };
    let (ingress, egress) = (side(Direction::Ingress, "ingress"), side(Direction::Egress, "egress"));
    Unit {
        object: policy.meta.object(Kind::NetworkPolicy),
        prefix: "spec".into(),
        tier: Tier::Normal,
        subject: Subject { scope: Some(scope), term, at_most: Truth::Sure },
        rules: Both { ingress, egress },
        unclear: None,
    }
}

fn entry(policy: &NetworkPolicyFact, rule: &PolicyRule, field: (&'static str, u32), with: &mut Compiler<'_>) -> Entry {
    let peers = if rule.peers.is_empty() {
        [TermId::ANYBODY].into()
    } else {
        rule.peers.iter().map(|peer| with.terms.number(term(policy, peer))).collect()
    };
    let ports = with.port_term(if rule.ports.is_empty() { None } else { Some(&rule.ports) }, false);
    Entry { verdict: Verdict::Allow, peers, ports, inside_only: false, condition: Condition::default(), field }
}

fn term(policy: &NetworkPolicyFact, peer: &Peer) -> Term {
    match peer {
        Peer::Pods { namespaces, pods } => {
            let scope = if namespaces.is_none() { Some(policy.meta.namespace.clone()) } else { None };
            Term::Pods(PodTerm { scope, needs: needs(namespaces.as_ref(), pods.as_ref()), beyond: false })
        }
        Peer::Block { cidr, except } => {
            let cut = Ranges::new(except.iter().copied());
            Term::Addresses(Ranges::new([*cidr]).minus(&cut), Over::Profile)
        }
        Peer::Unreadable(_) => Term::Unclear,
    }
}
