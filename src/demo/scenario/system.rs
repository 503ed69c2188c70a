//! What is in the cluster besides tenants.

use serde_json::json;

use super::forge::{Forge, NODES, Workload, by_argo, by_controller, by_kubectl};
use crate::demo::controllers;
use crate::demo::grants::GIVEN;

/// Where the simulated API server says it answers.
const API_ADDRESS: &str = "10.99.0.254";

const DAY: i64 = 86_400;
const AGE: i64 = 430 * DAY;
/// Its name says cyberdyne, its label says wonka.
pub(crate) const CONTESTED: &str = "tenant-cyberdyne";

/// Nodes and system namespaces.
pub(crate) fn build(forge: &mut Forge<'_>) {
    for name in NODES {
        node(forge, name);
    }
    for name in ["default", "kube-node-lease", "kube-public", "kube-system"] {
        forge.namespace(name, &json!({}), &json!({}), by_controller(AGE));
    }
    let api = json!({
        "kind": "Service",
        "metadata": {"name": "kubernetes", "namespace": "default", "labels": {"component": "apiserver", "provider": "kubernetes"}},
        "spec": {
            "clusterIP": "10.96.0.1", "clusterIPs": ["10.96.0.1"],
            "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": 6443}],
        },
    });
    forge.add(api, by_controller(AGE));
    let behind = json!({
        "kind": "EndpointSlice",
        "metadata": {"name": "kubernetes", "namespace": "default", "labels": {"kubernetes.io/service-name": "kubernetes"}},
        "addressType": "IPv4",
        "endpoints": [{"addresses": [API_ADDRESS], "conditions": {"ready": true}}],
        "ports": [{"name": "https", "port": 6443, "protocol": "TCP"}],
    });
    forge.add(behind, by_controller(AGE));
    dns(forge);
    vault(forge);
    external_secrets(forge);
    for given in GIVEN.iter().filter(|given| given.namespace.is_empty()) {
        given.objects().into_iter().for_each(|object| forge.add(object, by_controller(AGE)));
    }
}

fn node(forge: &mut Forge<'_>, name: &str) {
    let condition = |of: &str, status: &str, reason: &str| json!({"type": of, "status": status, "reason": reason});
    let amounts = json!({"cpu": "8", "memory": "32Gi", "pods": "250", "ephemeral-storage": "200Gi"});
    let value = json!({
        "kind": "Node",
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}},
        "spec": {"providerID": format!("simulated://{name}")},
        "status": {
            "capacity": amounts, "allocatable": amounts,
            "addresses": [{"type": "InternalIP", "address": controllers::node_ip(name)}, {"type": "Hostname", "address": name}],
            "conditions": [
                condition("MemoryPressure", "False", "KubeletHasSufficientMemory"),
                condition("DiskPressure", "False", "KubeletHasNoDiskPressure"),
                condition("PIDPressure", "False", "KubeletHasSufficientPID"),
                condition("Ready", "True", "KubeletReady"),
            ],
            "nodeInfo": {
                "kubeletVersion": "v1.36.2", "containerRuntimeVersion": "containerd://2.1.4", "osImage": "Debian GNU/Linux 12 (bookworm)",
                "kernelVersion": "6.1.0-simulated", "operatingSystem": "linux", "architecture": "amd64", "machineID": "", "systemUUID": "",
                "bootID": "", "kubeProxyVersion": "",
            },
        },
    });
    forge.add(value, by_controller(AGE));
}

fn dns(forge: &mut Forge<'_>) {
    let labels = json!({"k8s-app": "kube-dns"});
    forge.account("kube-system", "coredns", by_kubectl(AGE));
    let spec = json!({
        "serviceAccountName": "coredns",
        "containers": [{
            "name": "coredns", "image": "registry.k8s.io/coredns/coredns:v1.12.4",
            "ports": [{"name": "dns", "containerPort": 53, "protocol": "UDP"}, {"name": "dns-tcp", "containerPort": 53, "protocol": "TCP"}, {"name": "metrics", "containerPort": 9153}],
            "resources": {"requests": {"cpu": "100m", "memory": "70Mi"}, "limits": {"memory": "170Mi"}},
        }],
    });
    let shape = Workload { namespace: "kube-system", name: "coredns", labels: &labels, spec, replicas: 2, running: 2, pods_ago: 40 * DAY };
    forge.deployment(&shape, by_kubectl(AGE));
    let ports = json!([{"name": "dns", "port": 53, "protocol": "UDP"}, {"name": "dns-tcp", "port": 53, "protocol": "TCP"}]);
    forge.service("kube-system", "kube-dns", &ports, &labels, Some("10.96.0.10"), by_kubectl(AGE));
    // the network of this fleet says what enforces its policies
    let agent = json!({
        "kind": "DaemonSet", "metadata": {"name": "cilium", "namespace": "kube-system", "labels": {"k8s-app": "cilium"}},
        "spec": {
            "selector": {"matchLabels": {"k8s-app": "cilium"}},
            "template": {"metadata": {"labels": {"k8s-app": "cilium"}}, "spec": {"hostNetwork": true, "containers": [{"name": "cilium-agent", "image": "quay.io/cilium/cilium:v1.18.2"}]}},
        },
        "status": {"desiredNumberScheduled": 3, "currentNumberScheduled": 3, "numberReady": 3, "numberAvailable": 3, "updatedNumberScheduled": 3, "numberMisscheduled": 0},
    });
    forge.add(agent, by_argo(AGE));
}

fn vault(forge: &mut Forge<'_>) {
    let labels = json!({"app.kubernetes.io/name": "vault"});
    forge.namespace("sys-vault", &json!({"pod-security.kubernetes.io/enforce": "baseline"}), &json!({}), by_argo(AGE));
    forge.account("sys-vault", "vault", by_argo(AGE));
    let spec = json!({
        "serviceAccountName": "vault",
        "containers": [{
            "name": "vault", "image": "quay.io/openbao/openbao:2.6.2", "ports": [{"name": "http", "containerPort": 8200}],
            "resources": {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "512Mi"}},
        }],
    });
    let shape = Workload { namespace: "sys-vault", name: "sys-vault", labels: &labels, spec, replicas: 1, running: 1, pods_ago: 20 * DAY };
    forge.deployment(&shape, by_argo(AGE));
    forge.service("sys-vault", "sys-vault", &json!([{"name": "http", "port": 8200}]), &labels, None, by_argo(AGE));
}

fn external_secrets(forge: &mut Forge<'_>) {
    let labels = json!({"app.kubernetes.io/name": "external-secrets"});
    forge.namespace("external-secrets", &json!({}), &json!({}), by_argo(AGE));
    forge.account("external-secrets", "external-secrets", by_argo(AGE));
    let spec = json!({
        "serviceAccountName": "external-secrets",
        "containers": [{
            "name": "external-secrets", "image": "ghcr.io/external-secrets/external-secrets:v2.9.0",
            "resources": {"requests": {"cpu": "50m", "memory": "128Mi"}},
        }],
    });
    let shape = Workload {
        namespace: "external-secrets",
        name: "external-secrets",
        labels: &labels,
        spec,
        replicas: 1,
        running: 1,
        pods_ago: 6 * DAY,
    };
    forge.deployment(&shape, by_argo(AGE));
}

/// Namespaces that belong to nobody, or to two.
pub(crate) fn leftovers(forge: &mut Forge<'_>) {
    let claimed = json!({"capsule.clastix.io/tenant": "wonka", "team": "automation"});
    forge.namespace(CONTESTED, &claimed, &json!({}), by_kubectl(33 * DAY));
    // looks like a tenant, but matches no rule, and something still runs in it
    forge.namespace(
        "web-tenants-archive",
        &json!({"team": "automation"}),
        &json!({"note": "kept for the audit of piedpiper"}),
        by_kubectl(390 * DAY),
    );
    let labels = json!({"app": "n8n"});
    let spec = json!({"containers": [{"name": "n8n", "image": "n8nio/n8n:0.236.3", "ports": [{"containerPort": 5678}]}]});
    let shape =
        Workload { namespace: "web-tenants-archive", name: "n8n", labels: &labels, spec, replicas: 1, running: 1, pods_ago: 200 * DAY };
    forge.deployment(&shape, by_kubectl(390 * DAY));
}
