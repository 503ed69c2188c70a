//! Makes objects the way the server would hold them: defaulted, owned by a manager, with a history.

use serde_json::{Value, json};

use crate::demo::clock;
use crate::demo::defaults;
use crate::demo::fields;
use crate::demo::json::Json;
use crate::demo::kinds::by_name;
use crate::demo::store::{Key, Objects};

/// Hands out addresses and names while a fleet is built.
pub(crate) struct Forge<'a> {
    pub(crate) objects: &'a mut Objects,
    pub(crate) rng: fastrand::Rng,
    pods: u32,
    services: u32,
}

/// Who made an object, how, and how long ago in seconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct By {
    pub(crate) manager: &'static str,
    pub(crate) operation: &'static str,
    pub(crate) ago: i64,
}

/// Made by the delivery pipeline.
pub(crate) fn by_argo(ago: i64) -> By {
    By { manager: "argocd-controller", operation: "Apply", ago }
}

/// Made by somebody at a shell.
pub(crate) fn by_kubectl(ago: i64) -> By {
    By { manager: "kubectl-client-side-apply", operation: "Update", ago }
}

/// Made by the cluster itself.
pub(crate) fn by_controller(ago: i64) -> By {
    By { manager: "kube-controller-manager", operation: "Update", ago }
}

/// Names of the simulated nodes; the n-th has the address 10.99.0.(n+2).
pub(crate) const NODES: [&str; 3] = ["node-a", "node-b", "node-c"];

impl<'a> Forge<'a> {
    pub(crate) fn new(objects: &'a mut Objects, seed: u64) -> Self {
        Self { objects, rng: fastrand::Rng::with_seed(seed), pods: 0, services: 0 }
    }

    /// Stores an object. Its `kind` and `metadata` must be there.
    pub(crate) fn add(&mut self, mut value: Value, by: By) {
        let Some((id, kind)) = by_name(value.text("kind")) else { return };
        // nothing here writes an amount that cannot be read
        let _ = defaults::apply(kind, &mut value);
        let made = clock::ago(by.ago);
        if !value.has("metadata/creationTimestamp") {
            value.put("metadata/creationTimestamp", made.as_str());
        }
        let entry = json!({
            "manager": by.manager, "operation": by.operation, "apiVersion": kind.api_version(), "time": made,
            "fieldsType": "FieldsV1", "fieldsV1": fields::whole(&value),
        });
        value.put("metadata/managedFields", json!([entry]));
        let namespace = value.text("metadata/namespace").to_owned();
        let key = Key::new(id, &namespace, value.text("metadata/name"));
        self.objects.put(key, value);
    }

    /// A namespace with what every namespace has.
    pub(crate) fn namespace(&mut self, name: &str, labels: &Value, annotations: &Value, by: By) {
        let mut metadata = json!({"name": name, "labels": labels});
        if annotations.as_object().is_some_and(|a| !a.is_empty()) {
            metadata.put("annotations", annotations.clone());
        }
        self.add(json!({"kind": "Namespace", "metadata": metadata}), by);
        self.account(name, "default", by_controller(by.ago));
        let bundle = json!({
            "kind": "ConfigMap", "metadata": {"name": "kube-root-ca.crt", "namespace": name},
            "data": {"ca.crt": "simulated: there is no TLS here\n"},
        });
        self.add(bundle, by_controller(by.ago));
    }

    pub(crate) fn account(&mut self, namespace: &str, name: &str, by: By) {
        self.add(json!({"kind": "ServiceAccount", "metadata": {"name": name, "namespace": namespace}}), by);
    }

    /// The next address of the pod network.
    pub(crate) fn pod_ip(&mut self) -> String {
        self.pods += 1;
        // .0 and .255 and the gateway stay free
        format!("10.244.{}.{}", self.pods / 250, self.pods % 250 + 4)
    }

    fn cluster_ip(&mut self) -> String {
        self.services += 1;
        format!("10.96.{}.{}", 1 + self.services / 250, self.services % 250 + 4)
    }

    /// A service with one port.
    pub(crate) fn service(&mut self, namespace: &str, name: &str, ports: &Value, selector: &Value, ip: Option<&str>, by: By) {
        let ip = ip.map_or_else(|| self.cluster_ip(), str::to_owned);
        let value = json!({
            "kind": "Service", "metadata": {"name": name, "namespace": namespace, "labels": selector},
            "spec": {"clusterIP": ip, "clusterIPs": [ip], "ports": ports, "selector": selector},
            "status": {"loadBalancer": {}},
        });
        self.add(value, by);
        crate::demo::controllers::endpoints(self.objects, namespace, name);
    }

    /// A deployment with its replica set and so many running pods.
    pub(crate) fn deployment(&mut self, shape: &Workload<'_>, by: By) {
        let Workload { namespace, name, labels, replicas, running, .. } = *shape;
        let hash = self.word(10);
        let template = json!({"metadata": {"labels": labels}, "spec": shape.spec});
        let status = |extra: Value| {
            let mut status = json!({"observedGeneration": 1, "replicas": running, "readyReplicas": running, "availableReplicas": running});
            for (key, value) in extra.as_object().into_iter().flatten() {
                status.put(key, value.clone());
            }
            status
        };
        let spec =
            |selector: &Value, template: &Value| json!({"replicas": replicas, "selector": {"matchLabels": selector}, "template": template});
        let deployment = json!({
            "kind": "Deployment",
            "metadata": {"name": name, "namespace": namespace, "labels": labels, "generation": 1},
            "spec": spec(labels, &template), "status": status(json!({"updatedReplicas": running})),
        });
        self.add(deployment, by);
        let mut hashed = labels.clone();
        hashed.put("pod-template-hash", hash.as_str());
        let mut template = template;
        template.put("metadata/labels", hashed.clone());
        let set = format!("{name}-{hash}");
        let replica_set = json!({
            "kind": "ReplicaSet",
            "metadata": {
                "name": set, "namespace": namespace, "labels": hashed, "generation": 1,
                "ownerReferences": [self.owner("Deployment", namespace, name)],
            },
            "spec": spec(&hashed, &template), "status": status(json!({"fullyLabeledReplicas": running})),
        });
        self.add(replica_set, by_controller(by.ago));
        for _ in 0..running {
            let pod = format!("{set}-{}", self.word(5));
            let owner = self.owner("ReplicaSet", namespace, &set);
            self.pod(namespace, &pod, &hashed, &shape.spec, Some(owner), shape.pods_ago);
        }
    }

    fn owner(&self, kind: &str, namespace: &str, name: &str) -> Value {
        let found = by_name(kind).and_then(|(id, k)| self.objects.get(&Key::new(id, namespace, name)).map(|o| (k, o)));
        let Some((kind, object)) = found else { return json!({}) };
        json!({
            "apiVersion": kind.api_version(), "kind": kind.kind, "name": name, "uid": object.text("metadata/uid"),
            "controller": true, "blockOwnerDeletion": true,
        })
    }

    /// A running pod.
    pub(crate) fn pod(&mut self, namespace: &str, name: &str, labels: &Value, spec: &Value, owner: Option<Value>, ago: i64) {
        let mut metadata = json!({"name": name, "namespace": namespace, "labels": labels});
        if let Some(owner) = owner {
            metadata.put("ownerReferences", json!([owner]));
        }
        let node = self.rng.usize(..NODES.len());
        let mut pod = json!({"kind": "Pod", "metadata": metadata, "spec": spec});
        pod.put("spec/nodeName", NODES.get(node).copied().unwrap_or_default());
        let ip = self.pod_ip();
        let restarts = i64::from(self.rng.u32(..4) == 0);
        crate::demo::controllers::running(&mut pod, &ip, &clock::ago(ago), restarts);
        self.add(pod, By { ago, ..by_controller(ago) });
    }

    /// A word as generated names end in.
    pub(crate) fn word(&mut self, length: usize) -> String {
        let letters = b"bcdfghjklmnpqrstvwxz2456789";
        (0..length).filter_map(|_| letters.get(self.rng.usize(..letters.len())).map(|b| char::from(*b))).collect()
    }

    /// An event about an object.
    pub(crate) fn event(&mut self, about: &Value, reason: &str, message: &str, count: i64, ago: i64) {
        let name = format!("{}.{:016x}", about.text("name"), self.rng.u64(..));
        crate::demo::controllers::event(self.objects, about, &name, reason, message, count, ago);
    }
}

/// What a deployment runs.
pub(crate) struct Workload<'a> {
    pub(crate) namespace: &'a str,
    pub(crate) name: &'a str,
    pub(crate) labels: &'a Value,
    pub(crate) spec: Value,
    pub(crate) replicas: usize,
    /// How many of them there are.
    pub(crate) running: usize,
    /// Age of the pods in seconds.
    pub(crate) pods_ago: i64,
}
