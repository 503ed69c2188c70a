//! What may happen to the network's side of a fleet: for the properties.

use partywall::model::changes::{Change, Fact};
use partywall::model::ciliumpolicy::{CiliumEntry, CiliumPeers, CiliumPolicyFact, CiliumPorts, CiliumRule, CiliumSubject};
use partywall::model::kind::Kind;
use partywall::model::networkpolicy::{PolicyPort, PortMatch, Protocol};
use proptest::prelude::*;

use crate::facts::*;
use crate::written::{AdminLine, CiliumLine, ServiceLine, rules};

/// One thing that happens to policies, Services, hosts or the CNI.
#[derive(Clone, Debug)]
pub enum NetStep {
    /// A NetworkPolicy with a rule each way, in a namespace.
    Rules(String, usize, &'static str, &'static str),
    /// A cluster-wide policy with a subject and a rule each way.
    Admin(usize, &'static str, &'static str, i32),
    /// A Cilium policy, of a namespace or cluster-wide.
    Cilium(Option<String>, &'static str, bool),
    /// A policy of an engine that is not evaluated.
    Foreign(String, Kind),
    /// An object goes.
    Gone(String, Kind, &'static str),
    /// A template that may ask for the node's network.
    Template(String, bool),
    /// A Service of some form.
    Service(String, &'static str),
    /// The CNI's configuration.
    Config(Option<&'static str>, bool),
    /// A DaemonSet of the cluster.
    Agent(&'static str, bool),
    /// A pod of the cluster's own namespace.
    SystemPod(&'static str),
    /// A pod with addresses.
    Pod(String, &'static str, &'static str),
    /// A Node.
    Node(bool),
}

fn from<T: serde::de::DeserializeOwned>(text: &str) -> T {
    toml::from_str(text).unwrap()
}

pub fn changes(step: &NetStep) -> Vec<Change> {
    match step {
        NetStep::Rules(ns, n, ingress, egress) => {
            let mut policy = policy(ns, &format!("rules-{n}"), if *n == 0 { "" } else { "app=web" }, "IE");
            (policy.ingress, policy.egress) = (rules(&[(*ingress).to_owned()]), rules(&[(*egress).to_owned()]));
            policy.meta.version = (ingress.len() * 100 + egress.len()) as u64;
            vec![put(Fact::NetworkPolicy(policy))]
        }
        NetStep::Admin(n, subject, rule, priority) => {
            let line: AdminLine = from(&format!(
                "name = \"admin-{n}\"\npriority = {priority}\nsubject = \"{subject}\"\ningress = [\"{rule}\"]\negress = [\"{rule}\"]"
            ));
            let Fact::AdminPolicy(mut fact) = line.fact() else { return vec![] };
            fact.meta.version = (subject.len() * 100 + rule.len()) as u64;
            vec![put(Fact::AdminPolicy(fact))]
        }
        NetStep::Cilium(ns, entity, deny) => vec![put(cilium(ns.as_deref(), entity, *deny))],
        NetStep::Foreign(ns, kind) => vec![put(foreign(ns, *kind))],
        NetStep::Gone(ns, kind, name) => vec![gone(*kind, ns, name)],
        NetStep::Template(ns, host) => {
            let Fact::Workload(mut fact) = workload(Kind::Deployment, ns, "web") else { return vec![] };
            fact.host_network = *host;
            vec![put(Fact::Workload(fact))]
        }
        NetStep::Service(ns, form) => {
            let line: ServiceLine = from(&format!("name = \"extra\"\n{form}"));
            line.facts(ns).into_iter().map(put).collect()
        }
        NetStep::Config(mode, audit) => {
            let mode = mode.map(|mode| format!("enable_policy = \"{mode}\"\n")).unwrap_or_default();
            let line: CiliumLine = from(&format!("{mode}audit = {audit}"));
            vec![put(line.fact())]
        }
        NetStep::Agent(name, there) => {
            let fact = workload(Kind::DaemonSet, "kube-system", name);
            vec![if *there { put(fact) } else { gone(Kind::DaemonSet, "kube-system", name) }]
        }
        NetStep::SystemPod(with) => vec![put(Fact::Pod(pod("kube-system", "coredns-1", with)))],
        NetStep::Pod(ns, with, ip) => {
            let mut pod = pod(ns, "addressed", with);
            pod.ips = [ip.parse().unwrap()].into();
            vec![put(Fact::Pod(pod))]
        }
        NetStep::Node(there) => vec![if *there { put(node("aws:///a/i-1")) } else { gone(Kind::Node, "", "node") }],
    }
}

fn cilium(namespace: Option<&str>, entity: &str, deny: bool) -> Fact {
    let port = PolicyPort { protocol: Protocol::Tcp, port: PortMatch::Range(443, 443) };
    let entry = CiliumEntry {
        peers: [CiliumPeers::Entities([entity.into()].into())].into(),
        ports: Some([CiliumPorts { ports: [port].into(), filtered: false }].into()),
        icmp_only: false,
        requires: [].into(),
        authenticated: false,
    };
    let list = |wanted: bool| -> Box<[CiliumEntry]> { if wanted { [entry.clone()].into() } else { [].into() } };
    let rule = CiliumRule {
        subject: CiliumSubject::Endpoints(selector("")),
        ingress: list(!deny),
        ingress_deny: list(deny),
        egress: list(!deny),
        egress_deny: list(deny),
        default_deny_ingress: None,
        default_deny_egress: None,
    };
    let kind = if namespace.is_some() { Kind::CiliumNetworkPolicy } else { Kind::CiliumClusterwideNetworkPolicy };
    let mut meta = meta(namespace.unwrap_or(""), "cilium");
    meta.version = entity.len() as u64 + u64::from(deny);
    Fact::CiliumPolicy(CiliumPolicyFact { meta, kind, rules: [rule].into() })
}

/// Steps over these namespaces.
pub fn any_step(namespaces: &'static [&'static str]) -> impl Strategy<Value = NetStep> {
    let ns = prop::sample::select(namespaces).prop_map(str::to_owned);
    let rule = prop::sample::select(vec![
        "anybody on TCP 443",
        "own",
        "namespaces",
        "in web-tenant-globex",
        "in web-tenant-acme pods app=web on TCP 8080",
        "in kube-system pods k8s-app=kube-dns on UDP 53, TCP 53",
        "everywhere pods app=web on TCP 80",
        "10.0.0.0/8 on TCP 5432",
        "0.0.0.0/0 except 10.0.0.0/8 169.254.0.0/16",
        "unreadable",
    ]);
    let tier = prop::sample::select(vec!["deny ", "allow ", "pass ", "deny kubernetes.io/metadata.name=web-tenant-globex", "allow odd?Gt"]);
    let subject = prop::sample::select(vec!["", "kubernetes.io/metadata.name=web-tenant-acme", "team"]);
    let kind = prop::sample::select(vec![Kind::CalicoNetworkPolicy, Kind::CalicoGlobalNetworkPolicy, Kind::AuthorizationPolicy]);
    let goes = prop::sample::select(vec![
        (Kind::NetworkPolicy, "rules-0"),
        (Kind::NetworkPolicy, "default-deny"),
        (Kind::NetworkPolicy, "allow-dns"),
        (Kind::AdminNetworkPolicy, "admin-0"),
        (Kind::CiliumNetworkPolicy, "cilium"),
        (Kind::CiliumClusterwideNetworkPolicy, "cilium"),
        (Kind::CalicoNetworkPolicy, "strange"),
        (Kind::CalicoGlobalNetworkPolicy, "strange"),
        (Kind::AuthorizationPolicy, "strange"),
        (Kind::Service, "extra"),
        (Kind::Pod, "web"),
        (Kind::Pod, "coredns-1"),
        (Kind::Deployment, "web"),
        (Kind::CiliumConfig, "cilium-config"),
    ]);
    let form = prop::sample::select(vec![
        "kind = \"NodePort\"",
        "kind = \"ExternalName\"\nhost = \"whoami.web-tenant-globex.svc\"",
        "endpoints = [\"10.244.0.7\"]",
        "external = [\"203.0.113.1\"]",
    ]);
    prop_oneof![
        6 => (ns.clone(), 0..2_usize, rule.clone(), rule).prop_map(|(ns, n, i, e)| NetStep::Rules(ns, n, i, e)),
        3 => (0..2_usize, subject, tier, 0..2_i32).prop_map(|(n, s, r, p)| NetStep::Admin(n, s, r, p)),
        2 => (prop::option::of(ns.clone()), prop::sample::select(vec!["all", "cluster", "world"]), any::<bool>())
            .prop_map(|(ns, e, d)| NetStep::Cilium(ns, e, d)),
        1 => (ns.clone(), kind).prop_map(|(ns, k)| NetStep::Foreign(ns, k)),
        5 => (ns.clone(), goes).prop_map(|(ns, (kind, name))| NetStep::Gone(ns, kind, name)),
        1 => (ns.clone(), any::<bool>()).prop_map(|(ns, h)| NetStep::Template(ns, h)),
        2 => (ns.clone(), form).prop_map(|(ns, f)| NetStep::Service(ns, f)),
        1 => (prop::option::of(prop::sample::select(vec!["never", "always"])), any::<bool>()).prop_map(|(m, a)| NetStep::Config(m, a)),
        1 => (prop::sample::select(vec!["cilium", "calico-node", "kube-flannel-ds"]), any::<bool>()).prop_map(|(n, t)| NetStep::Agent(n, t)),
        1 => prop::sample::select(vec!["k8s-app=kube-dns", "app=web", ""]).prop_map(NetStep::SystemPod),
        2 => (ns, prop::sample::select(vec!["app=web", "app=db"]), prop::sample::select(vec!["10.244.0.7", "192.168.9.9", "fd00::1"]))
            .prop_map(|(ns, l, ip)| NetStep::Pod(ns, l, ip)),
        1 => any::<bool>().prop_map(NetStep::Node),
    ]
}
