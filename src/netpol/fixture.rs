//! A small cluster for tests.

use std::sync::Arc;

use super::reach::{Options, Reach, Touched};
use super::story::End;
use crate::model::changes::{Change, Fact};
use crate::model::containers::{ContainerFact, ContainerPort, ContainerRole, PortProtocol};
use crate::model::ids::{Name, Uid};
use crate::model::kind::Kind;
use crate::model::labels::{Is, LabelSelector, LabelSet, Requirement};
use crate::model::meta::Meta;
use crate::model::networkpolicy::{NetworkPolicyFact, Peer, PolicyPort, PolicyRule, PortMatch, Protocol};
use crate::model::pod::{NamespaceFact, Phase, PodFact};
use crate::model::store::Store;
use crate::model::tenant::{TenantRules, Tenants};

/// Folds facts and follows them.
pub(crate) struct Cluster {
    pub store: Store,
    pub reach: Reach,
    pub rules: TenantRules,
    pub tenants: Arc<Tenants>,
}

pub(crate) fn meta(namespace: &str, name: &str, version: u64) -> Meta {
    Meta { namespace: namespace.into(), name: name.into(), uid: Uid::parse(&format!("{namespace}/{name}")), version, ..Meta::default() }
}

pub(crate) fn labels(text: &str) -> LabelSet {
    let pairs = text.split(',').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    LabelSet::new(pairs.map(|(k, v)| (Name::from(k), Name::from(v))))
}

/// `app=web,tier in a|b,!debug,x!=y,has`.
pub(crate) fn selector(text: &str) -> LabelSelector {
    let values = |text: &str| text.split('|').map(Name::from).collect();
    let one = |text: &str| {
        let (key, is) = if let Some((key, list)) = text.split_once(" in ") {
            (key, Is::In(values(list)))
        } else if let Some((key, list)) = text.split_once("!=") {
            (key, Is::NotIn(values(list)))
        } else if let Some((key, value)) = text.split_once('=') {
            (key, Is::In([Name::from(value)].into()))
        } else if let Some(key) = text.strip_prefix('!') {
            (key, Is::DoesNotExist)
        } else if let Some(key) = text.strip_prefix('?') {
            (key, Is::Unknown("Gt".into()))
        } else {
            (text, Is::Exists)
        };
        Requirement { key: key.into(), is }
    };
    LabelSelector { requirements: text.split(',').filter(|part| !part.is_empty()).map(one).collect() }
}

pub(crate) fn pods(namespaces: Option<&str>, chosen: Option<&str>) -> Peer {
    Peer::Pods { namespaces: namespaces.map(selector), pods: chosen.map(selector) }
}

pub(crate) fn block(cidr: &str, except: &[&str]) -> Peer {
    Peer::Block { cidr: cidr.parse().unwrap(), except: except.iter().map(|e| e.parse().unwrap()).collect() }
}

pub(crate) fn tcp(from: u16, to: u16) -> PolicyPort {
    PolicyPort { protocol: Protocol::Tcp, port: PortMatch::Range(from, to) }
}

pub(crate) fn named(protocol: Protocol, name: &str) -> PolicyPort {
    PolicyPort { protocol, port: PortMatch::Named(name.into()) }
}

pub(crate) fn rule(peers: Vec<Peer>, ports: Vec<PolicyPort>) -> PolicyRule {
    PolicyRule { peers: peers.into(), ports: ports.into() }
}

pub(crate) fn policy(at: &str, chosen: &str, ingress: Option<Vec<PolicyRule>>, egress: Option<Vec<PolicyRule>>) -> NetworkPolicyFact {
    let (namespace, name) = at.split_once('/').unwrap();
    NetworkPolicyFact {
        meta: meta(namespace, name, 1),
        pods: selector(chosen),
        isolates_ingress: ingress.is_some(),
        isolates_egress: egress.is_some(),
        ingress: ingress.unwrap_or_default().into(),
        egress: egress.unwrap_or_default().into(),
    }
}

pub(crate) fn port(name: &str, number: u16, protocol: PortProtocol) -> ContainerPort {
    ContainerPort { name: Some(name.into()), port: number, protocol }
}

pub(crate) fn pod(at: &str, with: &str, ips: &[&str], ports: Vec<ContainerPort>) -> PodFact {
    let (namespace, name) = at.split_once('/').unwrap();
    let container = ContainerFact {
        name: "main".into(),
        image: "i".into(),
        role: ContainerRole::Main,
        requests: Box::default(),
        limits: Box::default(),
        ports: ports.into(),
    };
    PodFact {
        meta: meta(namespace, name, 1),
        labels: Arc::new(labels(with)),
        containers: [container].into(),
        node: None,
        service_account: "default".into(),
        owner: None,
        ips: ips.iter().map(|ip| ip.parse().unwrap()).collect(),
        phase: Phase::Running,
        host_network: false,
        ready: true,
        terminating: false,
        overhead: false,
        secrets: [].into(),
        injector: None,
    }
}

pub(crate) fn pod_end(at: &str) -> End {
    let (namespace, name) = at.split_once('/').unwrap();
    End::Pod { namespace: namespace.into(), name: name.into() }
}

impl Cluster {
    pub(crate) fn new(options: Options) -> Self {
        let rules = TenantRules { pattern: None, ..TenantRules::default() };
        let mut store = Store::default();
        for info in &crate::model::kind::WATCHED {
            store.apply(Change::Listed(info.kind));
        }
        Self { store, reach: Reach::new(options), rules, tenants: Arc::default() }
    }

    pub(crate) fn put(&mut self, fact: Fact) -> &mut Self {
        self.store.apply(Change::Put(Box::new(fact)));
        self
    }

    pub(crate) fn space(&mut self, name: &str, with: &str) -> &mut Self {
        self.put(Fact::Namespace(NamespaceFact { meta: meta("", name, 1), labels: Arc::new(labels(with)), terminating: false }))
    }

    pub(crate) fn gone(&mut self, kind: Kind, at: &str) -> &mut Self {
        let (namespace, name) = at.split_once('/').unwrap_or(("", at));
        self.store.apply(Change::Gone { kind, namespace: namespace.into(), name: name.into() });
        self
    }

    /// Follows what was put; gives whom it touched.
    pub(crate) fn sync(&mut self) -> Touched {
        let (snapshot, dirty) = self.store.publish();
        let spaces = snapshot.namespaces.iter().map(|(name, facts)| (name, facts.own.as_ref().map(|own| &*own.labels)));
        let tenants = self.rules.resolve(spaces);
        if *self.tenants != tenants {
            self.tenants = Arc::new(tenants);
        }
        self.reach.sync(&snapshot, &self.tenants, &dirty)
    }

    /// What one pod opens to another, in words: what is open for sure, and what is undefined besides.
    pub(crate) fn says(&self, from: &str, to: &str) -> String {
        self.between(&pod_end(from), &pod_end(to))
    }

    pub(crate) fn between(&self, from: &End, to: &End) -> String {
        let answer = self.reach.answer(from, to).unwrap();
        let undefined = answer.undefined();
        if undefined.is_empty() { answer.sure.words() } else { format!("{}; undefined: {}", answer.sure.words(), undefined.words()) }
    }
}
