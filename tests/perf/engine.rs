//! The pure ring at fleet scale: folding facts, publishing, evaluating from nothing, and one event end to end.
//! `cargo bench --bench engine` prints medians; nothing is judged by them.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a bench that can't go on says so by panicking")]

use std::sync::Arc;

use divan::{Bencher, black_box};
use partywall::model::changes::{Change, Fact};
use partywall::model::containers::{ContainerFact, ContainerRole};
use partywall::model::ids::{Name, Uid};
use partywall::model::intern::Interner;
use partywall::model::kind::{Kind, WATCHED};
use partywall::model::labels::{LabelSelector, LabelSet};
use partywall::model::limits::{LimitItem, LimitRangeFact, QuotaFact};
use partywall::model::meta::Meta;
use partywall::model::networkpolicy::NetworkPolicyFact;
use partywall::model::pod::{NamespaceFact, Phase, PodFact};
use partywall::model::quantity::Quantity;
use partywall::model::snapshot::{Dirty, Snapshot};
use partywall::model::store::Store;
use partywall::model::time::Time;
use partywall::posture::engine::{Engine, EngineConfig, from_scratch};
use partywall::receipt::book::Book;

const NOW: Time = Time(1_800_000_000_000);

fn meta(namespace: &str, name: &str, version: u64) -> Meta {
    Meta { namespace: namespace.into(), name: name.into(), uid: Uid::parse(&format!("{namespace}/{name}")), version, ..Meta::default() }
}

fn amounts(list: &[(&str, &str)]) -> Box<[(Name, Quantity)]> {
    let mut amounts: Vec<_> = list.iter().map(|(resource, amount)| (Name::from(*resource), Quantity::read(amount))).collect();
    amounts.sort();
    amounts.into()
}

fn deny(namespace: &str, version: u64) -> Fact {
    Fact::NetworkPolicy(NetworkPolicyFact {
        meta: meta(namespace, "default-deny", version),
        pods: LabelSelector::default(),
        isolates_ingress: true,
        isolates_egress: true,
        ingress: Box::default(),
        egress: Box::default(),
    })
}

fn tenant(interner: &mut Interner, number: usize, pods: usize) -> Vec<Fact> {
    let namespace = format!("tenant-{number:05}");
    let hard =
        amounts(&[("limits.cpu", "20"), ("limits.memory", "20Gi"), ("pods", "100"), ("requests.cpu", "10"), ("requests.memory", "10Gi")]);
    let item = LimitItem {
        kind: "Container".into(),
        default: amounts(&[("cpu", "500m"), ("memory", "512Mi")]),
        default_request: amounts(&[("cpu", "50m"), ("memory", "128Mi")]),
        max: amounts(&[("cpu", "2"), ("memory", "1Gi")]),
        min: Box::default(),
        ratio: Box::default(),
    };
    let mut facts = vec![
        Fact::Namespace(NamespaceFact { meta: meta("", &namespace, 1), labels: Arc::default(), terminating: false }),
        deny(&namespace, 1),
        Fact::Quota(QuotaFact {
            meta: meta(&namespace, "quota", 1),
            status_hard: hard.clone(),
            used: hard.clone(),
            hard,
            scopes: Box::default(),
        }),
        Fact::LimitRange(LimitRangeFact { meta: meta(&namespace, "limits", 1), items: [item].into() }),
    ];
    for pod in 0..pods {
        let app = interner.name(&format!("app-{}", pod % 5));
        let container = ContainerFact {
            name: interner.name("main"),
            image: interner.name("n8nio/n8n:1"),
            role: ContainerRole::Main,
            requests: amounts(&[("cpu", "10m"), ("memory", "16Mi")]),
            limits: amounts(&[("cpu", "20m"), ("memory", "32Mi")]),
            ports: Box::default(),
        };
        facts.push(Fact::Pod(PodFact {
            meta: meta(&namespace, &format!("{app}-{pod:04}"), 1),
            labels: interner.labels(LabelSet::new([(interner_key("app"), app)])),
            containers: interner.containers(vec![container]),
            node: None,
            service_account: interner.name("default"),
            owner: None,
            ips: Box::default(),
            phase: Phase::Running,
            host_network: false,
            ready: true,
            terminating: false,
            overhead: false,
            secrets: [].into(),
            injector: None,
        }));
    }
    facts
}

fn interner_key(key: &str) -> Name {
    key.into()
}

fn facts(tenants: usize, pods: usize) -> Vec<Fact> {
    let mut interner = Interner::default();
    (0..tenants).flat_map(|number| tenant(&mut interner, number, pods)).collect()
}

fn filled(tenants: usize, pods: usize) -> Store {
    let mut store = Store::default();
    for fact in facts(tenants, pods) {
        store.apply(Change::Put(Box::new(fact)));
    }
    for info in &WATCHED {
        store.apply(Change::Listed(info.kind));
    }
    store
}

fn snapshot(tenants: usize, pods: usize) -> Arc<Snapshot> {
    filled(tenants, pods).publish().0
}

#[divan::bench(args = [(1_000, 10), (1_000, 100)])]
fn fold_a_fleet(bencher: Bencher<'_, '_>, (tenants, pods): (usize, usize)) {
    let facts = facts(tenants, pods);
    bencher.with_inputs(|| facts.clone()).bench_values(|facts| {
        let mut store = Store::default();
        for fact in facts {
            store.apply(Change::Put(Box::new(fact)));
        }
        store
    });
}

#[divan::bench(args = [(1_000, 10), (1_000, 100), (5_000, 20)])]
fn evaluate_from_nothing(bencher: Bencher<'_, '_>, (tenants, pods): (usize, usize)) {
    let snapshot = snapshot(tenants, pods);
    let config = EngineConfig::default();
    bencher.bench(|| from_scratch(&config, black_box(&snapshot), &Book::default(), NOW));
}

#[divan::bench(args = [(1_000, 10), (1_000, 100)])]
fn one_policy_event_end_to_end(bencher: Bencher<'_, '_>, (tenants, pods): (usize, usize)) {
    let mut store = filled(tenants, pods);
    let mut engine = Engine::new(EngineConfig::default());
    let (first, dirty) = store.publish();
    engine.evaluate(&first, &dirty, &Book::default(), NOW);
    let mut version = 1;
    bencher.bench_local(|| {
        version += 1;
        store.apply(Change::Put(Box::new(deny("tenant-00500", version))));
        let (snapshot, dirty) = store.publish();
        engine.evaluate(&snapshot, &dirty, &Book::default(), NOW)
    });
}

#[divan::bench]
fn nothing_changed(bencher: Bencher<'_, '_>) {
    let snapshot = snapshot(1_000, 10);
    let mut engine = Engine::new(EngineConfig::default());
    engine.evaluate(&snapshot, &Dirty::default(), &Book::default(), NOW);
    bencher.bench_local(|| engine.evaluate(&snapshot, &Dirty::default(), &Book::default(), NOW));
}

#[divan::bench]
fn deleted_and_listed_again(bencher: Bencher<'_, '_>) {
    let facts = facts(1_000, 10);
    bencher.with_inputs(|| (filled(1_000, 10), facts.clone())).bench_values(|(mut store, facts)| {
        store.apply(Change::Listing(Kind::Pod));
        for fact in facts.into_iter().filter(|fact| fact.kind() == Kind::Pod) {
            store.apply(Change::Put(Box::new(fact)));
        }
        store.apply(Change::Listed(Kind::Pod));
        store
    });
}

fn main() {
    divan::main();
}
