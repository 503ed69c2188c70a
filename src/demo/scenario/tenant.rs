//! The objects of one tenant, from its plan.

use serde_json::{Value, json};

use super::forge::{By, Forge, Workload, by_argo, by_kubectl};
use super::plan::{App, Limits, Net, Plan, Quota};
use super::stores;
use crate::demo::admission::quota;
use crate::demo::controllers;
use crate::demo::grants::GIVEN;
use crate::demo::json::{Json, object};
use crate::demo::kinds::{self, by_name};
use crate::demo::store::Key;

const DAY: i64 = 86_400;

/// Builds everything a tenant has in Kubernetes.
pub(crate) fn build(forge: &mut Forge<'_>, plan: &Plan) {
    // some are kept by a delivery pipeline, the walkthrough's and the others by people
    let piped = plan.secrets.piped() && plan.net == Net::Good && plan.limits == Limits::Walkthrough;
    let by = if piped { by_argo(plan.days * DAY) } else { by_kubectl(plan.days * DAY) };
    for namespace in &plan.namespaces {
        let mut labels = json!({"tenant": plan.name});
        if !plan.security.is_empty() {
            for mode in ["enforce", "warn"] {
                object(&mut labels).insert(format!("pod-security.kubernetes.io/{mode}"), plan.security.into());
            }
        }
        forge.namespace(namespace, &labels, &json!({}), by);
        if plan.account() != "default" {
            forge.account(namespace, &plan.account(), by);
        }
        walls(forge, plan, namespace, by);
        for given in GIVEN.iter().filter(|given| given.namespace == namespace.as_str()) {
            given.objects().into_iter().for_each(|object| forge.add(object, by));
        }
    }
    apps(forge, plan, by);
    stores::build(forge, plan, by);
}

/// The network and resource walls of one namespace.
pub(crate) fn walls(forge: &mut Forge<'_>, plan: &Plan, namespace: &str, by: By) {
    for (name, spec) in policies(plan.net) {
        forge.add(json!({"kind": "NetworkPolicy", "metadata": {"name": name, "namespace": namespace}, "spec": spec}), by);
    }
    let quota =
        json!({"kind": "ResourceQuota", "metadata": {"name": "tenant-quota", "namespace": namespace}, "spec": {"hard": hard(plan.quota)}});
    forge.add(quota, by);
    if let Some(item) = limits(plan.limits) {
        forge.add(
            json!({"kind": "LimitRange", "metadata": {"name": "tenant-limits", "namespace": namespace}, "spec": {"limits": [item]}}),
            by,
        );
    }
}

fn policies(net: Net) -> Vec<(&'static str, Value)> {
    let deny = |types: Value, selector: Value| ("default-deny", json!({"podSelector": selector, "policyTypes": types}));
    let both = || json!(["Ingress", "Egress"]);
    let everyone = || json!([{"podSelector": {}}]);
    let same = (
        "allow-same-namespace",
        json!({"podSelector": {}, "policyTypes": both(), "ingress": [{"from": everyone()}], "egress": [{"to": everyone()}]}),
    );
    let system = json!({"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}});
    let dns = |peer: Value, ports: Value| {
        ("allow-dns", json!({"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"to": [peer], "ports": ports}]}))
    };
    let both_transports = || json!([{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]);
    let wide_dns = dns(json!({"namespaceSelector": system}), both_transports());
    let exact_dns = dns(json!({"namespaceSelector": system, "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}}}), both_transports());
    match net {
        Net::Walkthrough => vec![deny(both(), json!({})), same, wide_dns],
        Net::Good => vec![deny(both(), json!({})), same, exact_dns],
        Net::Nothing => Vec::new(),
        Net::EgressOnly => vec![
            deny(json!(["Egress"]), json!({})),
            ("allow-same-namespace", json!({"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"to": everyone()}]})),
            exact_dns,
        ],
        Net::AppOnly => of_apps_only(),
        Net::Chart => beside_good(chart()),
        Net::World => beside_good(world()),
    }
}

/// Good walls, and one policy more: policies only add to what is allowed.
fn beside_good(policy: (&'static str, Value)) -> Vec<(&'static str, Value)> {
    let mut policies = policies(Net::Good);
    policies.push(policy);
    policies
}

/// As n8n's official chart writes it with `networkPolicy.enabled`: an empty list of peers is everybody.
fn chart() -> (&'static str, Value) {
    let tcp = |port: u16| json!({"port": port, "protocol": "TCP"});
    let spec = json!({
        "podSelector": {"matchLabels": {"app": "n8n"}}, "policyTypes": ["Ingress", "Egress"],
        "ingress": [{"from": [], "ports": [tcp(5678)]}],
        "egress": [
            {"to": [], "ports": [{"port": 53, "protocol": "UDP"}, tcp(53)]},
            {"to": [], "ports": [tcp(443)]},
        ],
    });
    ("n8n", spec)
}

/// A way out to the web that forgets to except the cluster, the metadata addresses and the neighbours.
fn world() -> (&'static str, Value) {
    let spec = json!({
        "podSelector": {}, "policyTypes": ["Egress"],
        "egress": [{"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}],
    });
    ("allow-internet", spec)
}

/// The policies of a tenant whose deny names the applications it has today.
fn of_apps_only() -> Vec<(&'static str, Value)> {
    let selector = json!({"matchExpressions": [{"key": "app", "operator": "In", "values": ["n8n", "whoami"]}]});
    let mut policies = policies(Net::Good);
    for (_, spec) in &mut policies {
        spec.put("podSelector", selector.clone());
    }
    policies
}

fn hard(quota: Quota) -> Value {
    match quota {
        Quota::Walkthrough | Quota::Saturated => {
            json!({"requests.cpu": "1", "requests.memory": "1Gi", "limits.cpu": "2", "limits.memory": "2Gi", "pods": "10"})
        }
        Quota::Nearly => json!({"requests.cpu": "2", "requests.memory": "3Gi", "limits.cpu": "8", "limits.memory": "3772Mi", "pods": "20"}),
        Quota::Roomy => json!({"requests.cpu": "2", "requests.memory": "2Gi", "limits.cpu": "4", "limits.memory": "4Gi", "pods": "20"}),
        Quota::MissingKeys => json!({"requests.cpu": "1", "requests.memory": "1Gi"}),
    }
}

fn limits(limits: Limits) -> Option<Value> {
    match limits {
        Limits::Walkthrough => Some(json!({
            "type": "Container", "default": {"cpu": "500m", "memory": "512Mi"}, "defaultRequest": {"cpu": "50m", "memory": "128Mi"},
            "max": {"cpu": "2", "memory": "1Gi"},
        })),
        Limits::OnlyMax => Some(json!({"type": "Container", "max": {"cpu": "2", "memory": "1Gi"}})),
        Limits::Nothing => None,
    }
}

/// A container spec that passes the restricted level.
fn container(name: &str, image: &str, port: u16, amounts: (&str, &str, &str, &str)) -> Value {
    let (cpu, memory, cpu_limit, memory_limit) = amounts;
    json!({
        "name": name, "image": image, "ports": [{"name": "http", "containerPort": port}],
        "resources": {"requests": {"cpu": cpu, "memory": memory}, "limits": {"cpu": cpu_limit, "memory": memory_limit}},
        "securityContext": {
            "runAsNonRoot": true, "allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]},
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    })
}

fn apps(forge: &mut Forge<'_>, plan: &Plan, by: By) {
    let amounts = match plan.quota {
        Quota::Saturated => ("200m", "256Mi", "500m", "512Mi"),
        _ => ("250m", "320Mi", "1", "1Gi"),
    };
    let (name, image, port) = match plan.app {
        App::N8n => ("n8n", format!("n8nio/n8n:{}", plan.tag), 5678),
        App::NodeRed => ("node-red", format!("nodered/node-red:{}", plan.tag), 1880),
        App::Distroless => ("runner", format!("registry.example.com/stark/runner:{}-distroless", plan.tag), 8080),
        App::Nothing => return,
    };
    for (n, namespace) in plan.namespaces.iter().enumerate() {
        let labels = json!({"app": name});
        let mut main = container(name, &image, port, amounts);
        if plan.app == App::N8n {
            let host = format!("{}.example.com", plan.name);
            let flags = [("N8N_HOST", host.as_str()), ("N8N_BLOCK_ENV_ACCESS_IN_NODE", "true"), ("N8N_RUNNERS_ENABLED", "true")];
            main.put("env", Value::from_iter(flags.map(|(name, value)| json!({"name": name, "value": value}))));
        }
        let spec = json!({"serviceAccountName": plan.account(), "automountServiceAccountToken": false, "containers": [main]});
        let (replicas, running) = match (plan.quota, n) {
            (Quota::Saturated, 0) => (4, 3),
            (Quota::Nearly, 0) => (3, 3),
            _ => (1, 1),
        };
        let pods_ago = i64::from(forge.rng.u32(3_600..1_000_000)).min(plan.days * DAY);
        let shape = Workload { namespace, name, labels: &labels, spec, replicas, running, pods_ago };
        forge.deployment(&shape, by);
        forge.service(namespace, name, &json!([{"name": "http", "port": 80, "targetPort": port}]), &labels, None, by);
        if n == 0 {
            whoami(forge, plan, namespace, by);
        }
    }
}

/// The little service whose answer proves that a path is open.
fn whoami(forge: &mut Forge<'_>, plan: &Plan, namespace: &str, by: By) {
    let labels = json!({"app": "whoami"});
    let spec = json!({
        "serviceAccountName": "default", "automountServiceAccountToken": false,
        "containers": [container("whoami", "traefik/whoami:v1.11.0", 80, ("50m", "128Mi", "500m", "512Mi"))],
    });
    let shape =
        Workload { namespace, name: "whoami", labels: &labels, spec, replicas: 1, running: 1, pods_ago: (plan.days * DAY).min(50 * DAY) };
    forge.deployment(&shape, by);
    forge.service(namespace, "whoami", &json!([{"name": "http", "port": 80}]), &labels, None, by);
}

/// What the cluster had to say about the tenant lately.
pub(crate) fn events(forge: &mut Forge<'_>, plan: &Plan) {
    stores::events(forge, plan);
    if plan.quota != Quota::Saturated {
        return;
    }
    let found = forge
        .objects
        .list(kinds::id("replicasets"), plan.home(), None)
        .find(|(k, _)| k.name.starts_with("n8n-"))
        .map(|(_, o)| (**o).clone());
    let (Some(set), Some((_, pods))) = (found, by_name("Pod")) else { return };
    let name = format!("{}-{}", set.text("metadata/name"), forge.word(5));
    let mut pod = json!({"metadata": {"name": name}, "spec": set.at("spec/template/spec")});
    let _ = crate::demo::defaults::apply(pods, &mut pod);
    if let Err(why) = quota::check(forge.objects, pods, plan.home(), &pod, None) {
        forge.event(&controllers::reference(&set), "FailedCreate", &format!("Error creating: pods \"{name}\" is forbidden: {why}"), 17, 95);
    }
    let stored = forge.objects.get(&Key::new(kinds::id("deployments"), plan.home(), "n8n")).map(|d| (**d).clone());
    if let Some(mut deployment) = stored {
        deployment.put("status/unavailableReplicas", 1);
        forge.objects.put(Key::new(kinds::id("deployments"), plan.home(), "n8n"), deployment);
    }
}
