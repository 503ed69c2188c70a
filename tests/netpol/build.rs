//! Small worlds in few words. NetworkPolicies, Pods and Namespaces go through the projection, so that a table also holds the reading of
//! manifests; the other kinds are made of facts.

use std::sync::Arc;

use partywall::cluster::project::fact;
use partywall::model::adminpolicy::{AdminPolicyFact, Tier, TierAction, TierPeer, TierRule, TierSubject};
use partywall::model::changes::{Change, Fact};
use partywall::model::ids::{Name, Uid, fold};
use partywall::model::intern::Interner;
use partywall::model::kind::{Kind, WATCHED};
use partywall::model::labels::{Is, LabelSelector, LabelSet, Requirement};
use partywall::model::meta::Meta;
use partywall::model::networkpolicy::{PolicyPort, PortMatch, Protocol};
use partywall::model::pod::NodeFact;
use partywall::model::service::EndpointSliceFact;
use partywall::model::snapshot::{Dirty, Snapshot};
use partywall::model::store::Store;
use partywall::model::tenant::Tenants;
use serde_json::{Value, json};

/// Facts, in the order in which they were told.
#[derive(Clone, Debug, Default)]
pub struct World {
    pub facts: Vec<Fact>,
}

/// A word of the form `key=value`, or a mark.
fn keyed<'a>(word: &'a str, key: &str) -> Option<&'a str> {
    word.strip_prefix(key)?.strip_prefix('=')
}

pub fn meta(id: &str) -> Meta {
    let (namespace, name) = id.split_once('/').unwrap_or(("", id));
    Meta { namespace: namespace.into(), name: name.into(), uid: Uid(fold(id)), version: 1, ..Meta::default() }
}

pub fn labels(words: &str) -> Arc<LabelSet> {
    let pairs = words.split([' ', ',']).filter(|word| !word.is_empty());
    Arc::new(LabelSet::new(pairs.map(|word| word.split_once('=').map(|(k, v)| (Name::from(k), Name::from(v))).unwrap())))
}

/// Nothing for everything, `a=b`, `a=b+c`, `a!=b`, `a`, `!a`, `a?op` for an operator nobody knows; joined by commas.
pub fn selector(text: &str) -> LabelSelector {
    let values = |text: &str| text.split('+').map(Name::from).collect::<Box<[Name]>>();
    let one = |part: &str| {
        let (key, is) = if let Some(key) = part.strip_prefix('!') {
            (key, Is::DoesNotExist)
        } else if let Some((key, list)) = part.split_once("!=") {
            (key, Is::NotIn(values(list)))
        } else if let Some((key, list)) = part.split_once('=') {
            (key, Is::In(values(list)))
        } else if let Some((key, operator)) = part.split_once('?') {
            (key, Is::Unknown(operator.into()))
        } else {
            (part, Is::Exists)
        };
        Requirement { key: key.into(), is }
    };
    LabelSelector { requirements: text.split(',').filter(|part| !part.is_empty()).map(one).collect() }
}

/// `TCP`, `TCP:80`, `TCP:80-90`, `@http` (any protocol), `TCP@http`, `TCP:?` unreadable.
pub fn ports(word: &str) -> Vec<PolicyPort> {
    let protocols = [Protocol::Tcp, Protocol::Udp, Protocol::Sctp];
    let of = |text: &str| match text {
        "TCP" => vec![Protocol::Tcp],
        "UDP" => vec![Protocol::Udp],
        "SCTP" => vec![Protocol::Sctp],
        "" | "ANY" => protocols.to_vec(),
        other => vec![Protocol::Other(other.into())],
    };
    let (protocols, port) = match word.split_once(['@', ':']) {
        Some((protocol, name)) if word.contains('@') => (of(protocol), PortMatch::Named(name.into())),
        Some((protocol, "?")) => (of(protocol), PortMatch::Unreadable("unreadable".into())),
        Some((protocol, range)) => {
            let (from, to) = range.split_once('-').unwrap_or((range, range));
            (of(protocol), PortMatch::Range(from.parse().unwrap(), to.parse().unwrap()))
        }
        None => (of(word), PortMatch::Any),
    };
    protocols.into_iter().map(|protocol| PolicyPort { protocol, port: port.clone() }).collect()
}

impl World {
    pub fn new() -> Self {
        Self::default()
    }

    /// A manifest, through the projection.
    pub fn manifest(mut self, kind: Kind, object: &Value) -> Self {
        let text = serde_json::to_vec(object).unwrap();
        self.facts.push(fact(kind, &text, &mut Interner::default()).unwrap_or_else(|| panic!("no fact: {object}")));
        self
    }

    pub fn fact(mut self, fact: Fact) -> Self {
        self.facts.push(fact);
        self
    }

    /// `a team=x`: a namespace with labels. The label with its own name is not written: it must be known.
    pub fn ns(self, words: &str) -> Self {
        let (name, labels) = words.split_once(' ').unwrap_or((words, ""));
        let labels: serde_json::Map<String, Value> = table(labels);
        self.manifest(Kind::Namespace, &json!({"metadata": {"name": name, "labels": labels}}))
    }

    /// `a/web app=web ip=10.1.0.1 node=n1 port=http:8080/UDP sidecar=log:24 init=seed:9 sa=robot owner=ReplicaSet/web host done failed`.
    pub fn pod(self, words: &str) -> Self {
        let mut words = words.split(' ').filter(|word| !word.is_empty());
        let (namespace, name) = words.next().unwrap().split_once('/').unwrap();
        let mut meta = json!({"namespace": namespace, "name": name, "labels": {}});
        let mut spec = json!({"containers": [], "initContainers": []});
        let mut status = json!({"phase": "Running", "podIPs": []});
        for word in words {
            if let Some(ip) = keyed(word, "ip") {
                status["podIPs"].as_array_mut().unwrap().push(json!({"ip": ip}));
            } else if let Some(node) = keyed(word, "node") {
                spec["nodeName"] = json!(node);
            } else if let Some(name) = keyed(word, "sa") {
                spec["serviceAccountName"] = json!(name);
            } else if let Some(port) = keyed(word, "port") {
                spec["containers"].as_array_mut().unwrap().push(json!({"name": port, "ports": [container_port(port)]}));
            } else if let Some(port) = keyed(word, "sidecar") {
                let container = json!({"name": port, "restartPolicy": "Always", "ports": [container_port(port)]});
                spec["initContainers"].as_array_mut().unwrap().push(container);
            } else if let Some(port) = keyed(word, "init") {
                spec["initContainers"].as_array_mut().unwrap().push(json!({"name": port, "ports": [container_port(port)]}));
            } else if let Some(owner) = keyed(word, "owner") {
                let (kind, name) = owner.split_once('/').unwrap();
                meta["ownerReferences"] = json!([{"kind": kind, "name": name, "controller": true}]);
            } else if let Some((key, value)) = word.split_once('=') {
                meta["labels"][key] = json!(value);
            } else {
                match word {
                    "host" => spec["hostNetwork"] = json!(true),
                    "done" => status["phase"] = json!("Succeeded"),
                    "failed" => status["phase"] = json!("Failed"),
                    other => panic!("what is {other}?"),
                }
            }
        }
        self.manifest(Kind::Pod, &json!({"metadata": meta, "spec": spec, "status": status}))
    }

    /// A NetworkPolicy by its `spec`.
    pub fn np(self, id: &str, spec: &Value) -> Self {
        let (namespace, name) = id.split_once('/').unwrap();
        self.manifest(Kind::NetworkPolicy, &json!({"metadata": {"namespace": namespace, "name": name}, "spec": spec}))
    }

    /// `n1 rack=a ip=192.168.0.1 cidr=10.1.0.0/16`, the last being the range of its pods.
    pub fn node(self, words: &str) -> Self {
        let (name, rest) = words.split_once(' ').unwrap_or((words, ""));
        let all: Vec<&str> = rest.split(' ').filter(|word| !word.is_empty()).collect();
        let of = |key: &str| all.iter().filter_map(|word| keyed(word, key)).collect::<Vec<&str>>();
        let own = all.iter().filter(|word| !word.starts_with("ip=") && !word.starts_with("cidr=")).copied().collect::<Vec<_>>();
        self.fact(Fact::Node(NodeFact {
            meta: meta(name),
            ready: true,
            ips: of("ip").iter().map(|ip| ip.parse().unwrap()).collect(),
            labels: labels(&own.join(" ")),
            provider: None,
            pod_cidrs: of("cidr").iter().map(|cidr| cidr.parse().unwrap()).collect(),
        }))
    }

    /// A policy of a cluster-wide tier. The head: `ANP web 10` or `BANP default` or `CNP admin 5` or `CNP baseline 5 name`, the subject
    /// `ns:SELECTOR` or `pods:NAMESPACES|PODS` or `?`; rules as [`tier_rule`] reads them.
    pub fn tier(self, head: &str, subject: &str, rules: &[&str]) -> Self {
        let words: Vec<&str> = head.split(' ').collect();
        let number = |at: usize| words.get(at).map_or(0, |word| word.parse().unwrap());
        let (kind, tier, name, priority) = match words[0] {
            "ANP" => (Kind::AdminNetworkPolicy, Tier::Admin, words[1], number(2)),
            "BANP" => (Kind::BaselineAdminNetworkPolicy, Tier::Baseline, words[1], 0),
            "CNP" => {
                let tier = match words[1] {
                    "admin" => Tier::Admin,
                    "baseline" => Tier::Baseline,
                    other => Tier::Unreadable(other.into()),
                };
                (Kind::ClusterNetworkPolicy, tier, *words.get(3).unwrap_or(&"cnp"), number(2))
            }
            other => panic!("what is {other}?"),
        };
        let subject = match subject.split_once(':') {
            Some(("ns", namespaces)) => TierSubject::Namespaces(selector(namespaces)),
            Some(("pods", both)) => {
                let (namespaces, pods) = both.split_once('|').unwrap();
                TierSubject::Pods { namespaces: selector(namespaces), pods: selector(pods) }
            }
            _ => TierSubject::Unreadable("no known field".into()),
        };
        let of = |direction: &str| {
            let own = rules.iter().filter_map(|rule| rule.strip_prefix(direction)).map(|rule| tier_rule(rule.trim()));
            own.collect::<Box<[TierRule]>>()
        };
        let (ingress, egress) = (of("ingress "), of("egress "));
        assert_eq!(ingress.len() + egress.len(), rules.len(), "every rule has a direction");
        self.fact(Fact::AdminPolicy(AdminPolicyFact { meta: meta(name), kind, tier, priority, subject, ingress, egress }))
    }

    /// A ClusterIP Service; ports `80`, `80:http` (by name), `80:8080/UDP`.
    pub fn service(self, id: &str, selector: Option<&str>, ports: &[&str]) -> Self {
        let port = |text: &&str| {
            let (text, protocol) = text.split_once('/').unwrap_or((text, "TCP"));
            let (port, target) = text.split_once(':').map_or((text, None), |(port, target)| (port, Some(target)));
            let mut value = json!({"name": format!("p{port}"), "port": port.parse::<u16>().unwrap(), "protocol": protocol});
            if let Some(target) = target {
                value["targetPort"] = target.parse::<u16>().map_or_else(|_| json!(target), |number| json!(number));
            }
            value
        };
        let (namespace, name) = id.split_once('/').unwrap();
        let mut spec = json!({"clusterIP": "10.96.0.10", "ports": ports.iter().map(port).collect::<Vec<_>>()});
        if let Some(selector) = selector {
            spec["selector"] = table(selector).into();
        }
        self.manifest(Kind::Service, &json!({"metadata": {"namespace": namespace, "name": name}, "spec": spec}))
    }

    /// The endpoints of a Service that are kept by hand.
    pub fn endpoints(self, service: &str, addresses: &[&str]) -> Self {
        let of = meta(service);
        self.fact(Fact::EndpointSlice(EndpointSliceFact {
            meta: meta(&format!("{service}-x")),
            service: Some(of.name),
            ready: addresses.len() as u32,
            all: addresses.len() as u32,
            addresses: addresses.iter().map(|address| address.parse().unwrap()).collect(),
        }))
    }

    /// A store in which everything is seen, and these facts are there.
    pub fn store(&self) -> Store {
        let mut store = seeing();
        for fact in &self.facts {
            store.apply(Change::Put(Box::new(fact.clone())));
        }
        store
    }

    pub fn snapshot(&self) -> (Arc<Snapshot>, Dirty) {
        self.store().publish()
    }
}

/// A store in which everything is seen and nothing is there.
pub fn seeing() -> Store {
    let mut store = Store::default();
    for info in &WATCHED {
        store.apply(Change::Listing(info.kind));
        store.apply(Change::Listed(info.kind));
    }
    store
}

/// Every namespace is its own tenant.
pub fn tenants(snapshot: &Snapshot) -> Arc<Tenants> {
    let names = || snapshot.namespaces.keys().cloned();
    Arc::new(Tenants {
        namespaces: names().map(|name| (name.clone(), vec![name])).collect(),
        of: names().map(|name| (name.clone(), name)).collect(),
        ..Tenants::default()
    })
}

fn table(words: &str) -> serde_json::Map<String, Value> {
    words.split(' ').filter_map(|word| word.split_once('=')).map(|(key, value)| (key.to_owned(), json!(value))).collect()
}

/// `http:8080`, `dns:53/UDP`, `:80` without a name.
fn container_port(text: &str) -> Value {
    let (name, rest) = text.split_once(':').unwrap();
    let (number, protocol) = rest.split_once('/').unwrap_or((rest, "TCP"));
    let mut port = json!({"containerPort": number.parse::<u16>().unwrap(), "protocol": protocol});
    if !name.is_empty() {
        port["name"] = json!(name);
    }
    port
}

/// `deny ns:SELECTOR pods:NAMESPACES|PODS nodes:SELECTOR net:CIDR,CIDR dns:NAME ? on TCP:80 @http`; actions allow, deny, pass, or
/// anything else for one that nobody knows.
pub fn tier_rule(text: &str) -> TierRule {
    let (text, on) = text.split_once(" on ").map_or((text, None), |(rule, on)| (rule, Some(on)));
    let mut words = text.split(' ');
    let action = match words.next().unwrap() {
        "allow" => TierAction::Allow,
        "deny" => TierAction::Deny,
        "pass" => TierAction::Pass,
        other => TierAction::Unreadable(other.into()),
    };
    let peer = |word: &str| match word.split_once(':') {
        Some(("ns", namespaces)) => TierPeer::Namespaces(selector(namespaces)),
        Some(("pods", both)) => {
            let (namespaces, pods) = both.split_once('|').unwrap();
            TierPeer::Pods { namespaces: selector(namespaces), pods: selector(pods) }
        }
        Some(("nodes", nodes)) => TierPeer::Nodes(selector(nodes)),
        Some(("net", list)) => TierPeer::Networks(list.split(',').map(|net| net.parse().unwrap()).collect()),
        Some(("dns", name)) => TierPeer::DomainNames([name.into()].into()),
        _ => TierPeer::Unreadable("no known field".into()),
    };
    TierRule { name: "".into(), action, peers: words.map(peer).collect(), ports: on.map(|on| on.split(' ').flat_map(ports).collect()) }
}
