//! Trying every connection: one command in each pod tries all its targets at once.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use futures::future::join_all;
use partywall::cluster::Cluster;
use partywall::cluster::exec::ExecTarget;
use partywall::model::snapshot::Snapshot;
use partywall::netpol::story::End;
use tokio::process::Command;

use crate::battery::probe;
use crate::testbed::Testbed;
use crate::world::{DEAF, HOST_PORT, LISTENING, PODS, World};

/// Silence for so long is a packet that was dropped: everything is on one machine, and a handshake takes under a millisecond.
const PATIENCE: Duration = Duration::from_millis(700);
/// Silence where a connection was expected is asked again with more time, because the machine may be busy. Never the other way round.
const SECOND_PATIENCE: Duration = Duration::from_secs(4);
/// Local ports of attempts: below those the kernel gives out, and no round uses those of another, so that connection tracking never takes
/// an attempt for part of an earlier connection. (first, how many a round, rounds until they begin anew)
const LOCAL_PORTS: (u16, u16, u16) = (12_000, 200, 99);

/// What an attempt met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Met {
    /// The pod that was meant answered.
    Open,
    /// Somebody said that nobody listens: the packet got through.
    Refused,
    /// Silence.
    Timeout,
}

/// The three hosts outside, which answer HTTP.
pub const OUTSIDE: [(&str, &str); 3] = [("public", "203.0.113.10"), ("metadata", "169.254.169.254"), ("lan", "10.200.0.10")];

/// What they try of every pod.
const FROM_OUTSIDE: [&str; 4] = ["tcp/8080", "tcp/9001", "udp/5353", "sctp/7000"];

/// A connection: from (`red/a`, `node` or a host outside), to (likewise, `dns`, or a Service `svc:…`), port (`tcp/8080`).
pub type Pair = (String, String, String);
/// What every connection met.
pub type Results = BTreeMap<Pair, Met>;

/// Where a target is.
#[derive(Clone, Debug)]
struct Goal {
    name: String,
    address: IpAddr,
    port: String,
    /// Who must answer.
    answers: String,
}

/// All that can be tried.
pub struct Sweep<'a> {
    pub bed: &'a Testbed,
    pub cluster: &'a Cluster,
    pub world: &'a World,
    goals: Vec<Goal>,
    /// The ends of names, for the engine; a Service is not one.
    ends: BTreeMap<String, End>,
    /// The pods behind Services, by the Service's name here.
    pub behind: BTreeMap<(String, String), (String, String)>,
    round: AtomicU16,
}

impl<'a> Sweep<'a> {
    /// The goals, from the addresses the API server tells.
    pub fn new(bed: &'a Testbed, cluster: &'a Cluster, world: &'a World, snapshot: &Snapshot) -> Self {
        let mut sweep =
            Self { bed, cluster, world, goals: Vec::new(), ends: BTreeMap::new(), behind: BTreeMap::new(), round: AtomicU16::new(0) };
        for pod in PODS.iter().map(|pod| pod.0) {
            let address = world.address(snapshot, pod).unwrap();
            for port in LISTENING.into_iter().chain([DEAF]) {
                // SCTP's answer carries no name
                let answers = if port.starts_with("sctp") { "" } else { pod };
                sweep.goal(pod, address, port, answers);
            }
        }
        for pod in PODS.iter().map(|pod| pod.0).chain(["grey/host"]) {
            let (namespace, name) = world.place(pod);
            sweep.ends.insert(pod.into(), End::Pod { namespace: namespace.into(), name: name.into() });
        }
        sweep.goal("grey/host", world.address(snapshot, "grey/host").unwrap(), HOST_PORT, "grey/host");
        sweep.services(snapshot);
        for (name, address) in OUTSIDE {
            let address = address.parse().unwrap();
            sweep.goal(name, address, "tcp/80", "");
            sweep.goal(name, address, "tcp/81", "");
            sweep.ends.insert(name.into(), End::Address(address));
        }
        sweep
    }

    fn goal(&mut self, name: &str, address: IpAddr, port: &str, answers: &str) {
        self.goals.push(Goal { name: name.into(), address, port: port.into(), answers: answers.into() });
    }

    /// The cluster's resolver, by its pod and by its Service, and a Service of ours that leads to a port by its name.
    fn services(&mut self, snapshot: &Snapshot) {
        let system = snapshot.namespace("kube-system").unwrap();
        let pods: Vec<_> = system.pods.values().filter(|pod| pod.labels.get("k8s-app").is_some_and(|app| &**app == "kube-dns")).collect();
        let pod = pods.first().expect("a pod of the resolver");
        self.ends.insert("dns".into(), End::Pod { namespace: "kube-system".into(), name: pod.meta.name.clone() });
        let (pod, service) = (pod.ips[0], self.service_address("kube-system", "kube-dns"));
        for port in ["udp/53", "tcp/53"] {
            self.goal("dns", pod, port, "");
            self.goal("svc:dns", service, port, "");
            self.behind.insert(("svc:dns".into(), port.into()), ("dns".into(), port.into()));
        }
        let service = self.service_address(&self.world.namespace("blue"), "front");
        for (port, behind) in [("tcp/80", "tcp/8080"), ("udp/53", "udp/5353")] {
            self.goal("svc:front", service, port, if port == "tcp/80" { "blue/a" } else { "" });
            self.behind.insert(("svc:front".into(), port.into()), ("blue/a".into(), behind.into()));
        }
    }

    fn service_address(&self, namespace: &str, name: &str) -> IpAddr {
        self.bed.kubectl_ok(&["-n", namespace, "get", "service", name, "-o", "jsonpath={.spec.clusterIP}"]).parse().unwrap()
    }

    /// The ends of a pair as the engine knows them, and the port that policies see: that of the pod behind a Service.
    pub fn ends(&self, (from, to, port): &Pair) -> (End, End, String) {
        let behind = self.behind.get(&(to.clone(), port.clone()));
        let (to, port) = behind.cloned().unwrap_or_else(|| (to.clone(), port.clone()));
        (self.ends[from].clone(), self.ends[&to].clone(), port)
    }

    /// Tries everything.
    pub async fn all(&self) -> Results {
        self.round.fetch_add(1, Ordering::Relaxed);
        let pods: Vec<_> = PODS.iter().map(|pod| pod.0).chain(["grey/host"]).collect();
        let inside = join_all(pods.iter().map(|pod| {
            // a pod's connection to its own Service comes back to it from another address: the API leaves that open
            let goals = self.goals.iter().filter(|goal| !(goal.name == "svc:front" && *pod == "blue/a")).cloned().collect();
            self.tried_in_pod(pod, goals, PATIENCE)
        }));
        let wanted = |goal: &&Goal| goal.name.contains('/') && FROM_OUTSIDE.contains(&goal.port.as_str());
        let goals: Vec<_> = self.goals.iter().filter(wanted).cloned().collect();
        let outside = join_all(OUTSIDE.iter().map(|(name, address)| self.tried_outside(name, address, &goals, PATIENCE)));
        let (inside, outside) = tokio::join!(inside, outside);
        inside.into_iter().chain(outside).flatten().collect()
    }

    /// Tries again, with more time, what met silence.
    pub async fn again(&self, pairs: &BTreeSet<Pair>) -> Results {
        self.round.fetch_add(1, Ordering::Relaxed);
        let sources: BTreeSet<_> = pairs.iter().map(|pair| pair.0.as_str()).collect();
        let met = join_all(sources.into_iter().map(|from| async move {
            let wanted = |goal: &&Goal| pairs.contains(&(from.to_owned(), goal.name.clone(), goal.port.clone()));
            let goals: Vec<_> = self.goals.iter().filter(wanted).cloned().collect();
            match OUTSIDE.iter().find(|(name, _)| *name == from) {
                Some((name, address)) => self.tried_outside(name, address, &goals, SECOND_PATIENCE).await,
                None => self.tried_in_pod(from, goals, SECOND_PATIENCE).await,
            }
        }));
        met.await.into_iter().flatten().collect()
    }

    /// Waits until the canary's port is open, as the policy applied last says, and the one before it is not: who only looks for an open port
    /// would take a kernel without any rules for one that has them.
    pub async fn enforced(&self, snapshot: &Snapshot, port: u16) {
        let server = self.world.address(snapshot, "canary/server").unwrap();
        let [open, closed] = [port, port - 1].map(|port| format!("tcp/{server}/{port}/canary/server"));
        let said = self.run("canary/client", &["/tmp/wire", "until", "20", &open, &closed]).await;
        assert!(said.contains(" open "), "the policies did not get into the kernel: {said}");
    }

    /// The first local port of a source in this round; sources have different addresses.
    fn local_port(&self, goals: &[Goal]) -> String {
        let (first, each, rounds) = LOCAL_PORTS;
        assert!(goals.len() <= usize::from(each), "{} goals", goals.len());
        (first + self.round.load(Ordering::Relaxed) % rounds * each).to_string()
    }

    async fn tried_in_pod(&self, from: &str, goals: Vec<Goal>, patience: Duration) -> Vec<(Pair, Met)> {
        let (limit, base) = (patience.as_millis().to_string(), self.local_port(&goals));
        let targets: Vec<_> = goals.iter().map(target).collect();
        let mut argv = vec!["/tmp/wire", "try", &limit, &base, "-"];
        argv.extend(targets.iter().map(String::as_str));
        let said = self.run(from, &argv).await;
        read(from, &goals, &said)
    }

    async fn run(&self, pod: &str, argv: &[&str]) -> String {
        let (namespace, name) = self.world.place(pod);
        let target = ExecTarget { namespace: namespace.into(), pod: name.into(), container: "wire".into() };
        let answer = self.cluster.exec(probe(), &target, argv, Duration::from_secs(30)).await;
        let answer = answer.unwrap_or_else(|refusal| panic!("in {pod}: {refusal}"));
        format!("{}{}", answer.stdout, answer.stderr)
    }

    /// From a host outside; its namespace is the bed's.
    async fn tried_outside(&self, from: &str, address: &str, goals: &[Goal], patience: Duration) -> Vec<(Pair, Met)> {
        let output = Command::new("nsenter")
            .arg("--net=/run/netns/tbworld")
            .arg(self.bed.wire())
            .args(["try", &patience.as_millis().to_string(), &self.local_port(goals), address])
            .args(goals.iter().map(target))
            .output()
            .await
            .unwrap();
        read(from, goals, &crate::testbed::text(&output))
    }
}

fn target(goal: &Goal) -> String {
    let place = goal.port.replace('/', &format!("/{}/", goal.address));
    if goal.answers.is_empty() { place } else { format!("{place}/{}", goal.answers) }
}

fn read(from: &str, goals: &[Goal], said: &str) -> Vec<(Pair, Met)> {
    let lines: Vec<_> = said.lines().collect();
    assert_eq!(lines.len(), goals.len(), "from {from}: {said}");
    goals
        .iter()
        .zip(lines)
        .map(|(goal, line)| {
            let met = match line.split_whitespace().nth(1) {
                Some("open") => Met::Open,
                Some("refused") => Met::Refused,
                Some("timeout") => Met::Timeout,
                _ => panic!("from {from}: {line}"),
            };
            ((from.to_owned(), goal.name.clone(), goal.port.clone()), met)
        })
        .collect()
}
