//! FX-NET-BASE: allow DNS, allow the own namespace, then deny the rest. In this order: the denial comes last, so that no moment lies between
//! in which names don't resolve.

use serde_json::{Value, json};

use super::{Draft, Ground, NoPlan, apply, free_name};
use crate::model::ids::Name;
use crate::model::kind::Kind;
use crate::model::labels::{Is, LabelSelector, Requirement};
use crate::model::meta::Meta;
use crate::model::networkpolicy::{NetworkPolicyFact, Peer, PolicyPort, PolicyRule, PortMatch, Protocol};
use crate::model::snapshot::NamespaceFacts;
use crate::model::text::clean;
use crate::netpol::isolation::{Direction, isolation, under_policy};
use crate::netpol::openness::open_rules;
use crate::netpol::selector::{Coverage, NAMESPACE_NAME};
use crate::posture::view::{count, list};

const API: &str = "networking.k8s.io/v1";
const DNS_NAMESPACE: &str = "kube-system";
const DNS_PORT: u16 = 53;
const DIRECTIONS: [Direction; 2] = [Direction::Ingress, Direction::Egress];

pub(super) fn plan(ground: &Ground<'_>) -> Result<Draft, NoPlan> {
    let mut draft = Draft::default();
    for (namespace, facts) in &ground.namespaces {
        if let Some(rule) = DIRECTIONS.iter().flat_map(|direction| open_rules(facts, *direction)).next() {
            let why = format!(
                "policy {} in {} lets everybody through, and no added policy can take that back: narrow or delete it first",
                clean(&rule.policy),
                clean(namespace)
            );
            return Err(NoPlan { why });
        }
        let open = Open {
            ingress: isolation(facts, Direction::Ingress).future != Coverage::Everything,
            egress: isolation(facts, Direction::Egress).future != Coverage::Everything,
        };
        if !open.ingress && !open.egress {
            continue;
        }
        let dns = open.egress.then(|| allow_dns(&dns_ports(ground)));
        for wanted in dns.into_iter().chain([allow_same_namespace(open), default_deny(open)]) {
            draft.steps.extend(wanted.step(namespace, facts)?);
        }
        draft.notes.extend(notes(ground, namespace, facts, open));
    }
    Ok(draft)
}

/// Which directions lack a default deny. The other is left alone: a rule added there could only widen it.
#[derive(Clone, Copy)]
struct Open {
    ingress: bool,
    egress: bool,
}

impl Open {
    /// `policyTypes`.
    fn types(self) -> Vec<&'static str> {
        [(self.ingress, Direction::Ingress), (self.egress, Direction::Egress)]
            .iter()
            .filter(|(open, _)| *open)
            .map(|(_, d)| d.word())
            .collect()
    }
}

/// A policy of the base, as a fact (to see whether it is there) and as a manifest (to put it there).
struct Wanted {
    name: &'static str,
    why: &'static str,
    fact: NetworkPolicyFact,
    spec: Value,
}

impl Wanted {
    /// The step that makes it; none where a policy of this meaning is there, under whatever name.
    fn step(&self, namespace: &Name, facts: &NamespaceFacts) -> Result<Option<super::PlanStep>, NoPlan> {
        if facts.policies.values().any(|policy| same_meaning(policy, &self.fact)) {
            return Ok(None);
        }
        let taken = |name: &str| facts.policies.contains_key(name);
        let name = free_name(self.name, taken).ok_or_else(|| NoPlan {
            why: format!("{} has policies named {} and partywall-{} that mean something else", clean(namespace), self.name, self.name),
        })?;
        Ok(Some(apply(Kind::NetworkPolicy, API, namespace, &name, self.why, &self.spec)))
    }
}

fn same_meaning(a: &NetworkPolicyFact, b: &NetworkPolicyFact) -> bool {
    let parts = |p: &NetworkPolicyFact| (p.pods.clone(), p.isolates_ingress, p.isolates_egress, p.ingress.clone(), p.egress.clone());
    parts(a) == parts(b)
}

fn fact(isolates_ingress: bool, isolates_egress: bool, ingress: Vec<PolicyRule>, egress: Vec<PolicyRule>) -> NetworkPolicyFact {
    NetworkPolicyFact {
        meta: Meta::default(),
        pods: LabelSelector::default(),
        isolates_ingress,
        isolates_egress,
        ingress: ingress.into(),
        egress: egress.into(),
    }
}

fn default_deny(open: Open) -> Wanted {
    Wanted {
        name: "default-deny",
        why: "denies what no rule allows, for every pod of today and of tomorrow",
        fact: fact(open.ingress, open.egress, vec![], vec![]),
        spec: json!({"podSelector": {}, "policyTypes": open.types()}),
    }
}

fn allow_same_namespace(open: Open) -> Wanted {
    let own = |open: bool| {
        let rule =
            || PolicyRule { peers: [Peer::Pods { namespaces: None, pods: Some(LabelSelector::default()) }].into(), ports: [].into() };
        if open { vec![rule()] } else { vec![] }
    };
    let mut spec = json!({"podSelector": {}, "policyTypes": open.types()});
    if let Some(fields) = spec.as_object_mut() {
        if open.ingress {
            fields.insert("ingress".to_owned(), json!([{"from": [{"podSelector": {}}]}]));
        }
        if open.egress {
            fields.insert("egress".to_owned(), json!([{"to": [{"podSelector": {}}]}]));
        }
    }
    Wanted {
        name: "allow-same-namespace",
        why: "keeps the tenant's own pods talking to each other",
        fact: fact(open.ingress, open.egress, own(open.ingress), own(open.egress)),
        spec,
    }
}

fn allow_dns(ports: &[PortMatch]) -> Wanted {
    let is_dns = Requirement { key: NAMESPACE_NAME.into(), is: Is::In([DNS_NAMESPACE.into()].into()) };
    let peer = Peer::Pods { namespaces: Some(LabelSelector { requirements: [is_dns].into() }), pods: None };
    let both = |port: &PortMatch| [Protocol::Udp, Protocol::Tcp].map(|protocol| PolicyPort { protocol, port: port.clone() });
    let written = |port: &PortMatch| match port {
        PortMatch::Range(number, _) => json!(number),
        PortMatch::Named(name) => json!(name),
        PortMatch::Any | PortMatch::Unreadable(_) => json!(DNS_PORT),
    };
    let manifest: Vec<Value> =
        ports.iter().flat_map(|port| ["UDP", "TCP"].map(|protocol| json!({"port": written(port), "protocol": protocol}))).collect();
    Wanted {
        name: "allow-dns",
        why: "names must resolve before anything is denied",
        fact: fact(false, true, vec![], vec![PolicyRule { peers: [peer].into(), ports: ports.iter().flat_map(both).collect() }]),
        spec: json!({
            "podSelector": {},
            "policyTypes": ["Egress"],
            "egress": [{"to": [{"namespaceSelector": {"matchLabels": {NAMESPACE_NAME: DNS_NAMESPACE}}}], "ports": manifest}],
        }),
    }
}

/// Port 53, and the ports of the pods behind it where they differ: policy is enforced on the pod's port, not the Service's.
fn dns_ports(ground: &Ground<'_>) -> Vec<PortMatch> {
    let services = ground.snapshot.namespace(DNS_NAMESPACE).into_iter().flat_map(|facts| facts.services.values());
    let targets =
        services.flat_map(|service| service.ports.iter()).filter(|port| port.port == DNS_PORT).filter_map(|port| port.target.clone());
    let mut targets: Vec<Name> = targets.collect();
    targets.sort();
    targets.dedup();
    let other = targets.into_iter().filter_map(|target| match target.parse::<u16>() {
        Ok(DNS_PORT) => None,
        Ok(number) => Some(PortMatch::Range(number, number)),
        Err(_) => Some(PortMatch::Named(target)),
    });
    std::iter::once(PortMatch::Range(DNS_PORT, DNS_PORT)).chain(other).collect()
}

/// The blast radius.
fn notes(ground: &Ground<'_>, namespace: &Name, facts: &NamespaceFacts, open: Open) -> Vec<String> {
    let shown = clean(namespace);
    let selected = facts.pods.values().filter(|pod| under_policy(pod)).count();
    let mut notes = vec![
        format!("selects {} in {shown}, and every later one; connections that are open now may be cut", count(selected, "pod")),
        format!(
            "{shown} keeps its own pods{}; everything else must be allowed by name",
            if open.egress { " and DNS of kube-system" } else { "" }
        ),
    ];
    let names = |services: Vec<String>, what: &str| (!services.is_empty()).then(|| format!("{what}: {}", clean(&list(services))));
    if open.egress {
        let others = ground.snapshot.namespaces.iter().filter(|(name, _)| ground.tenants.of.get(*name) != Some(ground.tenant));
        let services = others.flat_map(|(name, facts)| facts.services.keys().map(move |service| format!("{name}/{service}")));
        let lost = services.filter(|name| !name.starts_with("kube-system/")).collect();
        notes.extend(names(
            lost,
            "Services of others that no rule of the plan allows; check that none is needed (Vault, a database, a proxy)",
        ));
    }
    if open.ingress {
        let outside = facts.services.values().filter(|service| matches!(service.kind.as_ref(), "NodePort" | "LoadBalancer"));
        notes.extend(names(
            outside.map(|service| service.meta.name.to_string()).collect(),
            "Services reached from outside today, which will be cut off",
        ));
        if !facts.services.is_empty() {
            notes.push(format!("an ingress controller that serves {shown} needs a rule of its own"));
        }
    }
    notes
}
