//! The pods: a dozen in four namespaces, each listening on the same ports but not declaring the same, and two that tell when policies are in
//! the kernel.

use std::net::IpAddr;
use std::process::{Command, Stdio};

use partywall::model::snapshot::Snapshot;
use serde_json::{Value, json};

use crate::testbed::{Identity, Testbed, text};

/// What every pod listens on; `wire` answers on each.
pub const LISTENING: [&str; 10] =
    ["tcp/8080", "tcp/8081", "tcp/9000", "tcp/9001", "tcp/9002", "tcp/9003", "udp/5353", "udp/5354", "sctp/7000", "sctp/7001"];
/// A port nobody listens on: who gets through is refused there.
pub const DEAF: &str = "tcp/8099";
/// What the pod on the node's network listens on.
pub const HOST_PORT: &str = "tcp/9999";
/// The canary listens on so many ports above this one: one for each set of policies of a run.
pub const CANARY: (u16, u16) = (20_000, 60);
const IMAGE: &str = "localhost/busybox:1";
/// Marks what a run made.
const MARK: &str = "partywall.invalid/netpol-run";

/// A pod's place (`namespace/name`, the namespace without the run), its labels, and its declared ports as (name, protocol, number).
pub struct Spec(pub &'static str, pub &'static [(&'static str, &'static str)], pub &'static [(&'static str, &'static str, u16)]);

/// Declared as they are.
const USUAL: &[(&str, &str, u16)] = &[("web", "TCP", 8080), ("dns", "UDP", 5353), ("peer", "TCP", 9002), ("assoc", "SCTP", 7000)];
/// `web` is another number here, and nothing else has a name.
const MOVED: &[(&str, &str, u16)] = &[("web", "TCP", 9001)];
/// `web` is UDP here, which no rule about TCP means.
const OTHER: &[(&str, &str, u16)] = &[("web", "UDP", 5354), ("dns", "UDP", 5353)];

/// Namespaces and their labels; grey has none of ours.
pub const NAMESPACES: [(&str, &[(&str, &str)]); 4] = [
    ("red", &[("team", "red"), ("env", "prod")]),
    ("blue", &[("team", "blue"), ("env", "prod")]),
    ("green", &[("team", "green"), ("env", "dev")]),
    ("grey", &[]),
];

/// The pods on the pod network.
pub const PODS: [Spec; 12] = [
    Spec("red/a", &[("app", "web"), ("tier", "front")], USUAL),
    Spec("red/b", &[("app", "db"), ("tier", "back")], USUAL),
    Spec("red/c", &[("app", "job")], USUAL),
    Spec("red/d", &[("app", "web"), ("tier", "")], MOVED),
    Spec("blue/a", &[("app", "web"), ("tier", "front")], USUAL),
    Spec("blue/b", &[("app", "db"), ("tier", "back")], MOVED),
    Spec("blue/c", &[("app", "job"), ("role", "admin")], USUAL),
    Spec("green/a", &[("app", "web")], OTHER),
    Spec("green/b", &[("app", "db"), ("tier", "back")], USUAL),
    Spec("green/c", &[("role", "admin")], &[]),
    Spec("grey/a", &[("app", "web"), ("tier", "front")], USUAL),
    // its sidecar has a port with a name
    Spec("grey/b", &[], &[]),
];

/// The pods' real places.
pub struct World {
    run: String,
}

impl World {
    /// A run of its own, so that what an earlier one left is not in the way.
    pub fn new() -> Self {
        Self { run: std::process::id().to_string() }
    }

    /// `red` as it is called in the cluster.
    pub fn namespace(&self, short: &str) -> String {
        format!("netpol-{short}-{}", self.run)
    }

    /// `red/a` as (namespace, name).
    pub fn place(&self, short: &str) -> (String, String) {
        let (namespace, name) = short.split_once('/').unwrap();
        (self.namespace(namespace), name.to_owned())
    }

    /// The address of `red/a`, as the API server tells it.
    pub fn address(&self, snapshot: &Snapshot, short: &str) -> Option<IpAddr> {
        let (namespace, name) = self.place(short);
        snapshot.namespace(&namespace)?.pods.get(name.as_str())?.ips.first().copied()
    }

    /// Every pod that `wire` runs in.
    pub fn wired() -> impl Iterator<Item = &'static str> {
        PODS.iter().map(|pod| pod.0).chain(["grey/host", "canary/server", "canary/client"])
    }

    /// Makes the namespaces and pods, and puts `wire` into them. Waits until they run; not until they listen.
    pub fn raise(&self, bed: &Testbed) {
        // what a killed run left
        bed.kubectl_ok(&["delete", "namespaces", "-l", MARK, "--wait=false"]);
        let mut spaces: Vec<Value> = NAMESPACES.iter().map(|(name, labels)| self.space(name, labels)).collect();
        spaces.push(self.space("canary", &[("role", "canary")]));
        apply(bed, &spaces).unwrap();
        let pods: Vec<Value> = self.pods();
        apply(bed, &[self.service()]).unwrap();
        let end = std::time::Instant::now() + std::time::Duration::from_secs(20);
        // a namespace takes pods once its ServiceAccount is there
        while let Err(why) = apply(bed, &pods) {
            assert!(std::time::Instant::now() < end, "{why}");
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        bed.kubectl_ok(&["wait", "--for=condition=Ready", "pod", "-A", "-l", &format!("{MARK}={},ends!=yes", self.run), "--timeout=60s"]);
        let work: Vec<_> = Self::wired().collect();
        std::thread::scope(|scope| {
            for part in work.chunks(work.len().div_ceil(4)) {
                scope.spawn(move || part.iter().for_each(|pod| self.put_wire(bed, pod)));
            }
        });
    }

    /// Removes all of it, and waits until the pods have gone: a test that follows may look at all there are.
    pub fn raze(&self, bed: &Testbed) {
        let mine = format!("{MARK}={}", self.run);
        bed.kubectl_ok(&["delete", "pods", "-A", "-l", &mine, "--timeout=60s"]);
        bed.kubectl_ok(&["delete", "namespaces", "-l", &mine, "--wait=false"]);
    }

    fn space(&self, name: &str, labels: &[(&str, &str)]) -> Value {
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace(name), "labels": self.marked(labels)}})
    }

    /// Leads to the web pod of blue, to one port by its name.
    fn service(&self) -> Value {
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"namespace": self.namespace("blue"), "name": "front"}, "spec": {
            "selector": {"app": "web"}, "ports": [{"name": "http", "port": 80, "targetPort": "web"},
            {"name": "dns", "protocol": "UDP", "port": 53, "targetPort": 5353}]}})
    }

    fn marked(&self, labels: &[(&str, &str)]) -> Value {
        let mut all: serde_json::Map<_, _> = labels.iter().map(|(key, value)| ((*key).to_owned(), json!(value))).collect();
        all.insert(MARK.to_owned(), json!(self.run));
        Value::Object(all)
    }

    fn pods(&self) -> Vec<Value> {
        let mut pods: Vec<_> = PODS.iter().map(|Spec(place, labels, ports)| self.pod(place, labels, ports, &LISTENING)).collect();
        let canary: Vec<_> = (1..=CANARY.1).map(|n| format!("tcp/{}", CANARY.0 + n)).collect();
        let canary: Vec<_> = canary.iter().map(String::as_str).collect();
        pods.push(self.pod("canary/server", &[("app", "server")], &[], &canary));
        pods.push(self.pod("canary/client", &[("app", "client")], &[], &["tcp/1"]));
        // a sidecar's ports have names too, those of a container that only prepares do not
        let second = pods.iter_mut().find(|pod| pod["metadata"]["name"] == "b" && pod["metadata"]["namespace"] == self.namespace("grey"));
        second.unwrap()["spec"]["initContainers"] = json!([
            {"name": "prepares", "image": IMAGE, "command": ["/bin/true"], "ports": [{"name": "dns", "protocol": "UDP", "containerPort": 5354}]},
            {"name": "sidecar", "image": IMAGE, "command": ["/bin/sleep", "86400"], "restartPolicy": "Always",
                "ports": [{"name": "web", "containerPort": 8081}]}]);
        // on the node's network: no policy means it, whatever its labels say
        let mut host = self.pod("grey/host", &[("app", "web"), ("tier", "front")], &[], &[HOST_PORT]);
        host["spec"]["hostNetwork"] = json!(true);
        pods.push(host);
        // ended: it has no network any more, whatever its labels say
        let mut ended = self.pod("red/ended", &[("app", "web"), ("tier", "front"), ("ends", "yes")], USUAL, &[]);
        ended["spec"]["containers"][0]["command"] = json!(["/bin/true"]);
        ended["spec"]["restartPolicy"] = json!("Never");
        pods.push(ended);
        pods
    }

    fn pod(&self, place: &str, labels: &[(&str, &str)], ports: &[(&str, &str, u16)], listening: &[&str]) -> Value {
        let (namespace, name) = self.place(place);
        let labels = self.marked(labels);
        let ports: Vec<_> =
            ports.iter().map(|(name, protocol, port)| json!({"name": name, "protocol": protocol, "containerPort": port})).collect();
        let begin = "until [ -x /tmp/wire ]; do sleep 0.1; done; exec /tmp/wire serve \"$0\" \"$@\"";
        let mut command = vec!["/bin/sh", "-c", begin, place];
        command.extend(listening);
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": namespace, "name": name, "labels": labels}, "spec": {
            "terminationGracePeriodSeconds": 1, "automountServiceAccountToken": false, "enableServiceLinks": false,
            "containers": [{"name": "wire", "image": IMAGE, "command": command, "ports": ports}]}})
    }

    fn put_wire(&self, bed: &Testbed, pod: &str) {
        let (namespace, name) = self.place(pod);
        let take = "cat >/tmp/wire.part && chmod 755 /tmp/wire.part && mv /tmp/wire.part /tmp/wire";
        let output = Command::new(bed.dir().join("bin/kubectl"))
            .arg("--kubeconfig")
            .arg(bed.kubeconfig(Identity::Admin))
            .args(["exec", "-i", "-n", &namespace, &name, "--", "/bin/sh", "-c", take])
            .stdin(Stdio::from(std::fs::File::open(bed.wire()).unwrap()))
            .output()
            .unwrap();
        assert!(output.status.success(), "wire into {pod}: {}", text(&output));
    }
}

/// Applies objects with one call, in their order.
pub fn apply(bed: &Testbed, objects: &[Value]) -> Result<(), String> {
    let list = json!({"apiVersion": "v1", "kind": "List", "items": objects}).to_string();
    let output = bed.kubectl_as(Identity::Admin, &["apply", "-f", "-"], &list);
    if output.status.success() { Ok(()) } else { Err(text(&output)) }
}
