//! The reachability engine at fleet scale: from nothing, the matrix of all pairs, and events end to end through `sync`.
//! `cargo bench --bench reach` prints medians and resident memory; nothing is judged by them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "a bench that can't go on says so by panicking")]

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use divan::{Bencher, black_box};
use partywall::model::adminpolicy::{AdminPolicyFact, Tier, TierAction, TierPeer, TierRule, TierSubject};
use partywall::model::changes::{Change, Fact};
use partywall::model::containers::{ContainerFact, ContainerPort, ContainerRole, PortProtocol};
use partywall::model::ids::{Name, Uid};
use partywall::model::intern::Interner;
use partywall::model::kind::{Kind, WATCHED};
use partywall::model::labels::{Is, LabelSelector, LabelSet, Requirement};
use partywall::model::meta::Meta;
use partywall::model::networkpolicy::{NetworkPolicyFact, Peer, PolicyPort, PolicyRule, PortMatch, Protocol};
use partywall::model::pod::{NamespaceFact, NodeFact, Phase, PodFact};
use partywall::model::snapshot::{Dirty, Snapshot};
use partywall::model::store::Store;
use partywall::model::tenant::{TenantRules, Tenants};
use partywall::netpol::reach::{Options, Reach};

/// What the tenants allow.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fleet {
    /// Their own pods, the resolver, the internet; the ingress controller may come in.
    Isolated,
    /// Also everybody, on one port.
    OpenOnOnePort,
}

fn meta(namespace: &str, name: &str, version: u64) -> Meta {
    Meta { namespace: namespace.into(), name: name.into(), uid: Uid::parse(&format!("{namespace}/{name}")), version, ..Meta::default() }
}

fn labels(interner: &mut Interner, pairs: &[(&str, &str)]) -> Arc<LabelSet> {
    let pairs: Vec<(Name, Name)> = pairs.iter().map(|(k, v)| (interner.name(k), interner.name(v))).collect();
    interner.labels(LabelSet::new(pairs))
}

fn selector(pairs: &[(&str, &str)]) -> LabelSelector {
    let one = |(key, value): &(&str, &str)| Requirement { key: (*key).into(), is: Is::In([Name::from(*value)].into()) };
    LabelSelector { requirements: pairs.iter().map(one).collect() }
}

fn port(protocol: Protocol, port: u16) -> PolicyPort {
    PolicyPort { protocol, port: PortMatch::Range(port, port) }
}

fn rule(peers: Vec<Peer>, ports: Vec<PolicyPort>) -> PolicyRule {
    PolicyRule { peers: peers.into(), ports: ports.into() }
}

fn own() -> Peer {
    Peer::Pods { namespaces: None, pods: Some(LabelSelector::default()) }
}

fn space(name: &str) -> Peer {
    Peer::Pods { namespaces: Some(selector(&[("kubernetes.io/metadata.name", name)])), pods: None }
}

fn policy(namespace: &str, name: &str, pods: LabelSelector, ingress: Option<Vec<PolicyRule>>, egress: Option<Vec<PolicyRule>>) -> Fact {
    Fact::NetworkPolicy(NetworkPolicyFact {
        meta: meta(namespace, name, 1),
        pods,
        isolates_ingress: ingress.is_some(),
        isolates_egress: egress.is_some(),
        ingress: ingress.unwrap_or_default().into(),
        egress: egress.unwrap_or_default().into(),
    })
}

fn deny(namespace: &str) -> Fact {
    policy(namespace, "default-deny", LabelSelector::default(), Some(vec![]), Some(vec![]))
}

fn web(namespace: &str, number: u16) -> Fact {
    let rules = vec![rule(vec![space("ingress-nginx")], vec![port(Protocol::Tcp, number)])];
    policy(namespace, "web", selector(&[("app", "web")]), Some(rules), None)
}

fn allow(namespace: &str, fleet: Fleet) -> Fact {
    let private = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"];
    let world = Peer::Block { cidr: "0.0.0.0/0".parse().unwrap(), except: private.iter().map(|net| net.parse().unwrap()).collect() };
    let dns = Peer::Pods {
        namespaces: Some(selector(&[("kubernetes.io/metadata.name", "kube-system")])),
        pods: Some(selector(&[("k8s-app", "kube-dns")])),
    };
    let egress = vec![
        rule(vec![own()], vec![]),
        rule(vec![dns], vec![port(Protocol::Udp, 53), port(Protocol::Tcp, 53)]),
        rule(vec![world], vec![port(Protocol::Tcp, 443)]),
    ];
    let mut ingress = vec![rule(vec![own()], vec![])];
    let mut out = egress;
    if fleet == Fleet::OpenOnOnePort {
        ingress.push(rule(vec![Peer::Pods { namespaces: Some(LabelSelector::default()), pods: None }], vec![port(Protocol::Tcp, 8443)]));
        out.push(rule(vec![Peer::Pods { namespaces: Some(LabelSelector::default()), pods: None }], vec![port(Protocol::Tcp, 8443)]));
    }
    policy(namespace, "allow", LabelSelector::default(), Some(ingress), Some(out))
}

fn pod(interner: &mut Interner, (namespace, name): (&str, &str), with: &[(&str, &str)], number: usize) -> Fact {
    let container = ContainerFact {
        name: interner.name("main"),
        image: interner.name("n8nio/n8n:1"),
        role: ContainerRole::Main,
        requests: Box::default(),
        limits: Box::default(),
        ports: [ContainerPort { name: Some(interner.name("http")), port: 8080, protocol: PortProtocol::Tcp }].into(),
    };
    let ip = Ipv4Addr::new(10, 1 + u8::try_from(number >> 16).unwrap_or(0), (number >> 8) as u8, number as u8);
    Fact::Pod(PodFact {
        meta: meta(namespace, name, 1),
        labels: labels(interner, with),
        containers: interner.containers(vec![container]),
        node: Some(interner.name(&format!("node-{}", number % 100))),
        service_account: interner.name("default"),
        owner: None,
        ips: [IpAddr::V4(ip)].into(),
        phase: Phase::Running,
        host_network: false,
        ready: true,
        terminating: false,
        overhead: false,
        secrets: [].into(),
        injector: None,
    })
}

fn namespace(name: &str) -> Fact {
    Fact::Namespace(NamespaceFact { meta: meta("", name, 1), labels: Arc::default(), terminating: false })
}

fn tenant_pod(interner: &mut Interner, tenant: usize, at: usize, pods: usize) -> Fact {
    let app = ["web", "db", "worker", "cache"].get(at % 4).copied().unwrap_or("web");
    let (space, name) = (format!("tenant-{tenant:05}"), format!("{app}-{at:03}"));
    let hash = format!("{:x}", tenant * 31 + at % 4);
    pod(interner, (&space, &name), &[("app", app), ("pod-template-hash", &hash)], tenant * pods + at)
}

fn filled(tenants: usize, pods: usize, fleet: Fleet) -> Store {
    let mut interner = Interner::default();
    let mut store = Store::default();
    let mut put = |fact: Fact| store.apply(Change::Put(Box::new(fact)));
    for number in 0..100_u8 {
        put(Fact::Node(NodeFact {
            meta: meta("", &format!("node-{number}"), 1),
            ready: true,
            ips: [IpAddr::V4(Ipv4Addr::new(192, 168, 0, number))].into(),
            labels: Arc::default(),
            provider: None,
            pod_cidrs: ["10.0.0.0/12".parse().unwrap()].into(),
        }));
    }
    for name in ["default", "kube-system", "ingress-nginx"] {
        put(namespace(name));
    }
    for at in 0..2 {
        put(pod(&mut interner, ("kube-system", &format!("coredns-{at}")), &[("k8s-app", "kube-dns")], 1 << 19));
        put(pod(&mut interner, ("ingress-nginx", &format!("controller-{at}")), &[("app", "nginx")], 1 << 19));
    }
    for tenant in 0..tenants {
        let name = format!("tenant-{tenant:05}");
        put(namespace(&name));
        for fact in [deny(&name), allow(&name, fleet), web(&name, 8080)] {
            put(fact);
        }
        for at in 0..pods {
            put(tenant_pod(&mut interner, tenant, at, pods));
        }
    }
    for info in &WATCHED {
        store.apply(Change::Listed(info.kind));
    }
    store
}

fn tenants_of(snapshot: &Snapshot) -> Arc<Tenants> {
    let spaces = snapshot.namespaces.iter().map(|(name, facts)| (name, facts.own.as_ref().map(|own| &*own.labels)));
    Arc::new(TenantRules::default().resolve(spaces))
}

fn world(tenants: usize, pods: usize, fleet: Fleet) -> (Store, Arc<Snapshot>, Arc<Tenants>) {
    let mut store = filled(tenants, pods, fleet);
    let (snapshot, _) = store.publish();
    let tenants = tenants_of(&snapshot);
    (store, snapshot, tenants)
}

#[divan::bench(args = [(1_000, 20, Fleet::Isolated), (1_000, 20, Fleet::OpenOnOnePort), (5_000, 20, Fleet::Isolated)])]
fn from_nothing_with_all_pairs(bencher: Bencher<'_, '_>, (tenants, pods, fleet): (usize, usize, Fleet)) {
    let (_, snapshot, tenants) = world(tenants, pods, fleet);
    bencher.bench_local(|| {
        let mut reach = Reach::new(Options::default());
        reach.sync(black_box(&snapshot), &tenants, &Dirty::default());
        reach
    });
}

/// Classes, rules and imagined pods only: nobody is a tenant, so there is no pair.
#[divan::bench(args = [(1_000, 20, Fleet::Isolated), (1_000, 20, Fleet::OpenOnOnePort), (5_000, 20, Fleet::Isolated)])]
fn from_nothing(bencher: Bencher<'_, '_>, (tenants, pods, fleet): (usize, usize, Fleet)) {
    let (_, snapshot, _) = world(tenants, pods, fleet);
    let nobody = Arc::new(Tenants::default());
    bencher.bench_local(|| {
        let mut reach = Reach::new(Options::default());
        reach.sync(black_box(&snapshot), &nobody, &Dirty::default());
        reach
    });
}

/// The tenants are grouped anew: the picture of all pairs is drawn again on the classes that are there.
#[divan::bench(args = [(1_000, 20, Fleet::Isolated), (1_000, 20, Fleet::OpenOnOnePort), (5_000, 20, Fleet::Isolated)])]
fn all_pairs(bencher: Bencher<'_, '_>, (many, pods, fleet): (usize, usize, Fleet)) {
    let (_, snapshot, tenants) = world(many, pods, fleet);
    let mut other = (*tenants).clone();
    other.orphans.push("elsewhere".into());
    let two = [Arc::new(other), tenants.clone()];
    let mut reach = Reach::new(Options::default());
    reach.sync(&snapshot, &tenants, &Dirty::default());
    let mut turn = 0;
    bencher.bench_local(|| {
        turn += 1;
        two.get(turn % 2).map(|tenants| reach.sync(&snapshot, tenants, &Dirty::default()))
    });
}

/// Two snapshots that differ by what `changes` put one after the other, and the first again.
fn alternating(bencher: Bencher<'_, '_>, many: usize, fleet: Fleet, turns: [Vec<Change>; 2]) {
    let (mut store, snapshot, tenants) = world(many, 20, fleet);
    let mut reach = Reach::new(Options::default());
    reach.sync(&snapshot, &tenants, &Dirty::default());
    let two: Vec<(Arc<Snapshot>, Dirty)> = turns
        .into_iter()
        .map(|changes| {
            for change in changes {
                store.apply(change);
            }
            store.publish()
        })
        .collect();
    let mut turn = 0;
    bencher.bench_local(|| {
        let next = two.get(turn % 2);
        turn += 1;
        next.map(|(snapshot, dirty)| reach.sync(snapshot, &tenants, dirty))
    });
}

fn put(fact: Fact) -> Vec<Change> {
    vec![Change::Put(Box::new(fact))]
}

fn gone(kind: Kind, namespace: &str, name: &str) -> Vec<Change> {
    vec![Change::Gone { kind, namespace: namespace.into(), name: name.into() }]
}

const SPACE: &str = "tenant-00500";

#[divan::bench(args = [(1_000, Fleet::Isolated), (1_000, Fleet::OpenOnOnePort), (5_000, Fleet::Isolated)])]
fn event_a_policy_names_another_port(bencher: Bencher<'_, '_>, (many, fleet): (usize, Fleet)) {
    alternating(bencher, many, fleet, [put(web(SPACE, 9090)), put(web(SPACE, 8080))]);
}

#[divan::bench(args = [1_000, 5_000])]
fn event_a_tenant_shuts_and_opens(bencher: Bencher<'_, '_>, many: usize) {
    let fleet = Fleet::OpenOnOnePort;
    let open = gone(Kind::NetworkPolicy, SPACE, "allow");
    alternating(bencher, many, fleet, [open, put(allow(SPACE, fleet))]);
}

#[divan::bench]
fn event_a_pod_is_replaced(bencher: Bencher<'_, '_>) {
    let mut interner = Interner::default();
    let mut named = |name: &str| put(pod(&mut interner, (SPACE, name), &[("app", "web"), ("pod-template-hash", "x")], 77));
    let (mut one, mut two) = (named("web-one"), named("web-two"));
    one.extend(gone(Kind::Pod, SPACE, "web-two"));
    two.extend(gone(Kind::Pod, SPACE, "web-one"));
    alternating(bencher, 1_000, Fleet::Isolated, [one, two]);
}

#[divan::bench]
fn event_a_pod_changes_its_label(bencher: Bencher<'_, '_>) {
    let mut interner = Interner::default();
    let mut labelled = |app: &str| put(pod(&mut interner, (SPACE, "db-001"), &[("app", app)], 78));
    let turns = [labelled("web"), labelled("db")];
    alternating(bencher, 1_000, Fleet::Isolated, turns);
}

#[divan::bench]
fn event_a_cluster_wide_policy_changes(bencher: Bencher<'_, '_>) {
    let admin = |priority: i32| {
        let peers = [TierPeer::Namespaces(LabelSelector::default())].into();
        let rule = TierRule { name: "".into(), action: TierAction::Pass, peers, ports: None };
        Fact::AdminPolicy(AdminPolicyFact {
            meta: meta("", "all", u64::try_from(priority).unwrap_or(0)),
            kind: Kind::AdminNetworkPolicy,
            tier: Tier::Admin,
            priority,
            subject: TierSubject::Namespaces(LabelSelector::default()),
            ingress: [rule].into(),
            egress: Box::default(),
        })
    };
    alternating(bencher, 1_000, Fleet::Isolated, [put(admin(5)), put(admin(6))]);
}

/// Every connection between 4,000 pods without an owner.
#[divan::bench]
fn every_connection_of_4000_pods(bencher: Bencher<'_, '_>) {
    let (_, snapshot, tenants) = world(200, 20, Fleet::Isolated);
    let mut reach = Reach::new(Options::default());
    reach.sync(&snapshot, &tenants, &Dirty::default());
    bencher.bench_local(|| reach.connections());
}

/// Resident memory of this process in bytes; none where the system does not say.
fn resident() -> Option<usize> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    text.split_whitespace().nth(1)?.parse::<usize>().ok().map(|pages| pages * 4_096)
}

fn memory() {
    const COPIES: usize = 8;
    let (_, snapshot, tenants) = world(1_000, 20, Fleet::Isolated);
    let held: Vec<Reach> = (0..=COPIES)
        .map(|_| {
            let mut reach = Reach::new(Options::default());
            reach.sync(&snapshot, &tenants, &Dirty::default());
            reach
        })
        .collect();
    let before = resident();
    let more: Vec<Reach> = (0..COPIES)
        .map(|_| {
            let mut reach = Reach::new(Options::default());
            reach.sync(&snapshot, &tenants, &Dirty::default());
            reach
        })
        .collect();
    if let (Some(before), Some(after)) = (before, resident()) {
        println!("memory of one engine, 1,000 tenants x 20 pods: {} KiB", after.saturating_sub(before) / COPIES / 1_024);
    }
    drop((held, more));
}

fn main() {
    memory();
    divan::main();
}
