//! Facts made by hand: the two tenants of the walkthrough, and the pieces to spoil them with.

use std::sync::Arc;

use partywall::model::changes::{Change, Fact};
use partywall::model::consumer::Condition;
use partywall::model::containers::{ContainerFact, ContainerRole, PortProtocol};
use partywall::model::event::{Authority, RefusalFact};
use partywall::model::ids::{Name, Uid, fold};
use partywall::model::kind::{Kind, WATCHED};
use partywall::model::labels::{Is, LabelSelector, LabelSet, Requirement};
use partywall::model::limits::{LimitItem, LimitRangeFact, QuotaFact};
use partywall::model::meta::{Changed, Meta};
use partywall::model::networkpolicy::{NetworkPolicyFact, Peer, PolicyPort, PolicyRule, PortMatch, Protocol};
use partywall::model::platform::ForeignPolicyFact;
use partywall::model::pod::{NamespaceFact, NodeFact, Phase, PodFact, ServiceAccountFact};
use partywall::model::quantity::Quantity;
use partywall::model::secretstore::{SecretStoreFact, VaultProvider};
use partywall::model::service::{EndpointSliceFact, ServiceFact, ServicePort};
use partywall::model::source::SourceState;
use partywall::model::store::Store;
use partywall::model::time::Time;
use partywall::model::vault::{AuthMount, Flavour, KubernetesConfig, Part, SecretMount, VaultFacts, VaultPolicy, VaultRole, VaultServer};
use partywall::model::workload::WorkloadFact;

pub fn noon() -> Time {
    Time::parse("2026-11-21T12:00:00Z").unwrap()
}

pub fn meta(namespace: &str, name: &str) -> Meta {
    let uid = Uid(fold(&format!("{namespace}/{name}")));
    let changed = Some(Box::new(Changed { manager: "kubectl".into(), at: noon().plus(-1000) }));
    Meta { namespace: namespace.into(), name: name.into(), uid, version: 1, created: noon().plus(-100_000), changed }
}

pub fn labels(text: &str) -> Arc<LabelSet> {
    let pairs = text.split(',').filter(|s| !s.is_empty()).map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (Name::from(key), Name::from(value))
    });
    Arc::new(LabelSet::new(pairs))
}

/// `` for everything, `a=b`, `a`, `!a`, `a!=b`, `a?b` for an operator nobody knows; several joined by commas.
pub fn selector(text: &str) -> LabelSelector {
    let one = |part: &str| {
        if let Some(key) = part.strip_prefix('!') {
            return Requirement { key: key.into(), is: Is::DoesNotExist };
        }
        if let Some((key, value)) = part.split_once("!=") {
            return Requirement { key: key.into(), is: Is::NotIn([value.into()].into()) };
        }
        if let Some((key, value)) = part.split_once('=') {
            return Requirement { key: key.into(), is: Is::In([value.into()].into()) };
        }
        match part.split_once('?') {
            Some((key, operator)) => Requirement { key: key.into(), is: Is::Unknown(operator.into()) },
            None => Requirement { key: part.into(), is: Is::Exists },
        }
    };
    LabelSelector { requirements: text.split(',').filter(|s| !s.is_empty()).map(one).collect() }
}

pub fn namespace(name: &str) -> Fact {
    Fact::Namespace(NamespaceFact {
        meta: meta("", name),
        labels: labels(&format!("kubernetes.io/metadata.name={name}")),
        terminating: false,
    })
}

pub fn container(image: &str) -> ContainerFact {
    ContainerFact {
        name: "main".into(),
        image: image.into(),
        role: ContainerRole::Main,
        requests: [].into(),
        limits: [].into(),
        ports: [].into(),
    }
}

pub fn pod(namespace: &str, name: &str, with: &str) -> PodFact {
    PodFact {
        meta: meta(namespace, name),
        labels: labels(with),
        containers: vec![container("n8nio/n8n:1")].into(),
        node: Some("node".into()),
        service_account: "app".into(),
        owner: None,
        ips: [].into(),
        phase: Phase::Running,
        host_network: false,
        ready: true,
        terminating: false,
        overhead: false,
        secrets: [].into(),
        injector: None,
    }
}

pub fn policy(namespace: &str, name: &str, pods: &str, directions: &str) -> NetworkPolicyFact {
    NetworkPolicyFact {
        meta: meta(namespace, name),
        pods: selector(pods),
        isolates_ingress: directions.contains('I'),
        isolates_egress: directions.contains('E'),
        ingress: [].into(),
        egress: [].into(),
    }
}

pub fn anybody() -> PolicyRule {
    PolicyRule { peers: [].into(), ports: [].into() }
}

pub fn amounts(list: &[(&str, &str)]) -> Box<[(Name, Quantity)]> {
    let mut list: Vec<_> = list.iter().map(|(key, value)| (Name::from(*key), Quantity::read(value))).collect();
    list.sort();
    list.into()
}

pub fn quota(namespace: &str, hard: &[(&str, &str)], used: &[(&str, &str)]) -> QuotaFact {
    QuotaFact {
        meta: meta(namespace, "tenant-quota"),
        hard: amounts(hard),
        status_hard: amounts(hard),
        used: amounts(used),
        scopes: [].into(),
    }
}

type Pairs<'a> = &'a [(&'a str, &'a str)];

pub fn limit_range(namespace: &str, default: Pairs<'_>, request: Pairs<'_>, max: Pairs<'_>) -> LimitRangeFact {
    let item = LimitItem {
        kind: "Container".into(),
        default: amounts(default),
        default_request: amounts(request),
        max: amounts(max),
        min: amounts(&[]),
        ratio: amounts(&[]),
    };
    LimitRangeFact { meta: meta(namespace, "tenant-limits"), items: [item].into() }
}

pub const SEED_HARD: [(&str, &str); 5] =
    [("requests.cpu", "1"), ("requests.memory", "1Gi"), ("limits.cpu", "2"), ("limits.memory", "2Gi"), ("pods", "10")];
pub const SEED_USED: [(&str, &str); 5] =
    [("requests.cpu", "50m"), ("requests.memory", "128Mi"), ("limits.cpu", "500m"), ("limits.memory", "512Mi"), ("pods", "1")];

pub fn seed_limits(namespace: &str) -> LimitRangeFact {
    limit_range(
        namespace,
        &[("cpu", "500m"), ("memory", "512Mi")],
        &[("cpu", "50m"), ("memory", "128Mi")],
        &[("cpu", "2"), ("memory", "1Gi")],
    )
}

pub fn service(namespace: &str, name: &str) -> [Fact; 2] {
    let port = ServicePort { name: None, port: 80, target: Some("8080".into()), protocol: PortProtocol::Tcp, node_port: None };
    let service = ServiceFact {
        meta: meta(namespace, name),
        kind: "ClusterIP".into(),
        cluster_ips: ["10.0.0.1".parse().unwrap()].into(),
        selector: Some(labels("app=web")),
        ports: [port].into(),
        external_ips: [].into(),
        external_name: None,
        keeps_client: false,
    };
    let slice = EndpointSliceFact {
        meta: meta(namespace, &format!("{name}-x")),
        service: Some(name.into()),
        ready: 1,
        all: 1,
        addresses: [].into(),
    };
    [Fact::Service(service), Fact::EndpointSlice(slice)]
}

pub fn account(namespace: &str, name: &str) -> Fact {
    Fact::ServiceAccount(ServiceAccountFact { meta: meta(namespace, name), automount: None })
}

pub fn store(namespace: &str, role: &str, account: Option<&str>) -> SecretStoreFact {
    let vault = VaultProvider {
        server: "https://vault.example:8200".into(),
        path: Some("secret".into()),
        kubernetes_mount: Some("kubernetes".into()),
        role: Some(role.into()),
        service_account: account.map(Name::from),
        ..VaultProvider::default()
    };
    let ready = Condition { status: Some(true), reason: "Valid".into(), message: "store validated".into(), since: None };
    SecretStoreFact {
        meta: meta(namespace, "vault"),
        kind: Kind::SecretStore,
        conditions: [].into(),
        controller: "".into(),
        vault: Some(vault),
        provider: "vault".into(),
        ready: Some(ready),
    }
}

pub fn refusal(namespace: &str, authority: Authority, last: Time) -> RefusalFact {
    RefusalFact {
        meta: meta(namespace, "refused"),
        about: None,
        about_text: "ReplicaSet/web".into(),
        reason: "FailedCreate".into(),
        message: "exceeded quota: tenant-quota".into(),
        authority,
        count: 3,
        last,
    }
}

/// A tenant of the walkthrough.
pub fn seed_tenant(tenant: &str) -> Vec<Fact> {
    let ns = format!("web-tenant-{tenant}");
    let own = Peer::Pods { namespaces: None, pods: Some(LabelSelector::default()) };
    let dns = Peer::Pods { namespaces: Some(selector("kubernetes.io/metadata.name=kube-system")), pods: None };
    let to = |peer, ports: Vec<PolicyPort>| -> Box<[PolicyRule]> { [PolicyRule { peers: [peer].into(), ports: ports.into() }].into() };
    let mut same = policy(&ns, "allow-same-namespace", "", "IE");
    (same.ingress, same.egress) = (to(own.clone(), vec![]), to(own, vec![]));
    let mut allow_dns = policy(&ns, "allow-dns", "", "E");
    let over = |protocol| PolicyPort { protocol, port: PortMatch::Range(53, 53) };
    allow_dns.egress = to(dns, vec![over(Protocol::Udp), over(Protocol::Tcp)]);
    let mut facts = vec![
        namespace(&ns),
        Fact::NetworkPolicy(policy(&ns, "default-deny", "", "IE")),
        Fact::NetworkPolicy(same),
        Fact::NetworkPolicy(allow_dns),
        Fact::Quota(quota(&ns, &SEED_HARD, &SEED_USED)),
        Fact::LimitRange(seed_limits(&ns)),
        account(&ns, "default"),
        account(&ns, &format!("n8n-{tenant}")),
        Fact::Pod(pod(&ns, "web", "app=web")),
        Fact::SecretStore(store(&ns, &format!("tenant-{tenant}"), Some(&format!("n8n-{tenant}")))),
    ];
    facts.extend(service(&ns, "whoami"));
    facts
}

pub fn role(tenant: &str) -> VaultRole {
    VaultRole {
        service_accounts: [format!("n8n-{tenant}").into()].into(),
        namespaces: [format!("web-tenant-{tenant}").into()].into(),
        policies: [format!("tenant-{tenant}").into()].into(),
        ttl: 3600,
        ..VaultRole::default()
    }
}

pub fn live<K: Ord, V>(items: impl IntoIterator<Item = (K, V)>) -> Part<K, V> {
    Part { state: SourceState::Live, items: Arc::new(items.into_iter().collect()), unreadable: Arc::default() }
}

pub fn seed_vault() -> VaultFacts {
    let tenants = ["acme", "globex"];
    let policy = |tenant: &str| VaultPolicy::new(format!("path \"secret/data/web-tenant-{tenant}\" {{ capabilities = [\"read\"] }}"));
    VaultFacts {
        configured: true,
        address: "https://vault.example:8200".into(),
        namespace: "".into(),
        server: VaultServer {
            state: SourceState::Live,
            flavour: Flavour::OpenBao,
            version: "2.7.0".into(),
            cluster_id: Some("c".into()),
            initialized: true,
            ..VaultServer::default()
        },
        token: SourceState::Live,
        auth_mounts: live([(
            "kubernetes".into(),
            AuthMount { kind: "kubernetes".into(), accessor: "auth_kubernetes_1".into(), default_ttl: 0, max_ttl: 0 },
        )]),
        kubernetes: [("kubernetes".into(), live(tenants.map(|t| (Name::from(format!("tenant-{t}")), role(t)))))].into(),
        policies: live(tenants.map(|t| (Name::from(format!("tenant-{t}")), policy(t)))),
        secret_mounts: live([("secret".into(), SecretMount { kind: "kv".into(), version: Some(2), accessor: "kv_1".into() })]),
        kubernetes_config: live([(
            "kubernetes".into(),
            KubernetesConfig {
                host: "https://10.96.0.1:443".into(),
                has_ca: true,
                disable_iss_validation: true,
                ..KubernetesConfig::default()
            },
        )]),
        entities: live([]),
        groups: live([]),
        namespaces: Part { state: SourceState::Absent, ..Part::default() },
        ..VaultFacts::default()
    }
}

/// A store in which everything is seen and nothing is there.
pub fn empty_store() -> Store {
    let mut store = Store::default();
    for info in &WATCHED {
        store.apply(Change::Listing(info.kind));
        store.apply(Change::Listed(info.kind));
    }
    store
}

/// The cluster's own namespace: its resolver, and a CNI that enforces.
pub fn seed_system() -> Vec<Fact> {
    let [Fact::Service(mut dns), Fact::EndpointSlice(slice)] = service("kube-system", "kube-dns") else { panic!("no Service") };
    let port = |protocol| ServicePort { name: None, port: 53, target: None, protocol, node_port: None };
    dns.selector = Some(labels("k8s-app=kube-dns"));
    dns.ports = [port(PortProtocol::Udp), port(PortProtocol::Tcp)].into();
    dns.cluster_ips = ["10.96.0.10".parse().unwrap()].into();
    vec![
        namespace("kube-system"),
        Fact::Service(dns),
        Fact::EndpointSlice(slice),
        Fact::Pod(pod("kube-system", "coredns-1", "k8s-app=kube-dns")),
        workload(Kind::DaemonSet, "kube-system", "calico-node"),
    ]
}

pub fn workload(kind: Kind, namespace: &str, name: &str) -> Fact {
    Fact::Workload(WorkloadFact {
        kind,
        meta: meta(namespace, name),
        template_labels: labels(&format!("app={name}")),
        containers: vec![container("image:1")].into(),
        service_account: "default".into(),
        host_network: false,
        secrets: [].into(),
        injector: None,
        wanted: Some(1),
        ready: 1,
    })
}

/// The walkthrough: acme and globex, Vault, and the cluster's own kube-system.
pub fn seed_store() -> Store {
    let mut store = empty_store();
    for fact in ["acme", "globex"].into_iter().flat_map(seed_tenant).chain(seed_system()) {
        store.apply(Change::Put(Box::new(fact)));
    }
    store.apply(Change::Vault(Box::new(seed_vault())));
    store
}

pub fn gone(kind: Kind, namespace: &str, name: &str) -> Change {
    Change::Gone { kind, namespace: namespace.into(), name: name.into() }
}

pub fn put(fact: Fact) -> Change {
    Change::Put(Box::new(fact))
}

/// A policy of an engine that is not evaluated.
pub fn foreign(own: &str, kind: Kind) -> Fact {
    let namespaced = kind.info().unwrap().namespaced;
    Fact::Foreign(ForeignPolicyFact { meta: meta(if namespaced { own } else { "" }, "strange"), kind })
}

/// A Node with a providerID.
pub fn node(provider: &str) -> Fact {
    Fact::Node(NodeFact {
        meta: meta("", "node"),
        ready: true,
        ips: ["192.168.1.10".parse().unwrap()].into(),
        labels: labels(""),
        provider: Some(provider.into()),
        pod_cidrs: ["10.244.0.0/24".parse().unwrap()].into(),
    })
}
