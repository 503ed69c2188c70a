//! One set of policies after the other: applied, waited for, tried, compared.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use partywall::cluster::Cluster;
use partywall::model::source::SourceState;
use serde_json::{Value, json};

use crate::compare::verdict;
use crate::judge::Judge;
use crate::sweep::{Met, Pair, Sweep};
use crate::table::{Case, Policy};
use crate::testbed::Testbed;
use crate::world::{CANARY, NAMESPACES, PODS, World, apply};

/// What is on the cluster, and what was found so far.
pub struct Bench<'a> {
    pub judge: Judge,
    pub sweep: Sweep<'a>,
    /// (namespace, name) of what is applied now.
    applied: BTreeSet<(&'static str, String)>,
    generation: u16,
    pub compared: Counts,
    by_hand: Counts,
    pub cells: usize,
    /// What did not agree.
    pub wrong: String,
}

/// So many lines of what did not agree are shown of each case.
const SHOWN: usize = 24;

#[derive(Default)]
pub struct Counts {
    open: usize,
    closed: usize,
}

impl Counts {
    pub fn add(&mut self, open: bool) {
        if open { self.open += 1 } else { self.closed += 1 }
    }
}

impl<'a> Bench<'a> {
    pub async fn new(bed: &'a Testbed, cluster: &'a Cluster, world: &'a World) -> Self {
        let mut judge = Judge::new(cluster, world);
        judge
            .until("every pod with its address", |snapshot| {
                let live =
                    snapshot.sources.values().all(|state| matches!(state, SourceState::Live | SourceState::Absent | SourceState::Off));
                live && !snapshot.sources.is_empty() && World::wired().all(|pod| world.address(snapshot, pod).is_some())
            })
            .await;
        let sweep = Sweep::new(bed, cluster, world, &judge.snapshot);
        let (compared, by_hand) = (Counts::default(), Counts::default());
        Self { judge, sweep, applied: BTreeSet::new(), generation: 0, compared, by_hand, cells: 0, wrong: String::new() }
    }

    /// Without policies everything connects: else whatever is closed later proves nothing.
    pub async fn control(&mut self) {
        self.set(Vec::new()).await;
        let mut met = self.sweep.all().await;
        let silent = met.iter().filter(|(_, met)| **met == Met::Timeout).map(|(pair, _)| pair.clone()).collect();
        met.extend(self.sweep.again(&silent).await);
        let odd: Vec<_> = met.iter().filter(|(pair, met)| **met != expected(pair, true)).collect();
        assert!(odd.is_empty(), "void: not everything connects without any policy: {odd:?}");
        let mut wrong = String::new();
        self.compare(&met, &mut wrong);
        self.note("without policies", "", &wrong);
    }

    /// Makes these policies the only ones, and waits until kernel and watcher have them.
    async fn set(&mut self, policies: Vec<Policy>) {
        let (bed, world) = (self.sweep.bed, self.sweep.world);
        let wanted: BTreeSet<_> = policies.iter().map(|policy| (policy.0, policy.1.clone())).collect();
        for (namespace, _) in NAMESPACES {
            let gone = self.applied.difference(&wanted).filter(|policy| policy.0 == namespace);
            let names: Vec<_> = gone.map(|policy| policy.1.as_str()).collect();
            if !names.is_empty() {
                let space = world.namespace(namespace);
                bed.kubectl_ok(&[vec!["-n", &space, "delete", "networkpolicy"], names].concat());
            }
        }
        self.applied = wanted;
        let mut objects: Vec<_> = policies.iter().map(|policy| self.object(policy)).collect();
        self.generation += 1;
        assert!(self.generation <= CANARY.1, "the canary has no port left");
        let port = CANARY.0 + self.generation;
        // the last of the list, so that who has it has the others
        objects.push(canary(&world.namespace("canary"), port));
        apply(bed, &objects).unwrap_or_else(|why| panic!("{why}\n{}", json!(objects)));
        self.judge.until_generation(world, port).await;
        self.sweep.enforced(&self.judge.snapshot, port).await;
    }

    /// The policy as an object, with pods' addresses put in: `@red/a@`.
    fn object(&self, Policy(namespace, name, spec): &Policy) -> Value {
        let mut text = spec.to_string();
        for pod in PODS.iter().map(|pod| pod.0) {
            let address = self.sweep.world.address(&self.judge.snapshot, pod).unwrap();
            text = text.replace(&format!("@{pod}@"), &address.to_string());
        }
        let spec: Value = serde_json::from_str(&text).unwrap();
        policy(&self.sweep.world.namespace(namespace), name, spec)
    }

    /// Applies a case, tries everything, and compares with what was written by hand and with the engine.
    pub async fn case(&mut self, case: Case) {
        let policies =
            case.policies.iter().map(|policy| format!("  {}/{}: {}", policy.0, policy.1, policy.2)).collect::<Vec<_>>().join("\n");
        self.set(case.policies).await;
        let mut met = self.sweep.all().await;
        let rows = rows(case.rows);
        let silent: BTreeSet<Pair> = met
            .iter()
            .filter(|(pair, met)| **met == Met::Timeout && (self.says(pair) == Some(true) || rows.contains(&((*pair).clone(), true))))
            .map(|(pair, _)| pair.clone())
            .collect();
        met.extend(self.sweep.again(&silent).await);
        let mut wrong = String::new();
        for (pair, open) in &rows {
            let Some(met) = met.get(pair) else { panic!("{}: {pair:?} was not tried", case.name) };
            self.by_hand.add(*open);
            if *met != expected(pair, *open) {
                let _ = writeln!(wrong, "  by hand: {pair:?} is {met:?}, and must be {:?}", expected(pair, *open));
            }
        }
        self.compare(&met, &mut wrong);
        self.note(case.name, &policies, &wrong);
    }

    fn note(&mut self, case: &str, policies: &str, wrong: &str) {
        if !wrong.is_empty() {
            let (all, shown) = (wrong.lines().count(), wrong.lines().take(SHOWN).map(cut).collect::<Vec<_>>().join("\n"));
            let _ = writeln!(self.wrong, "{case}:\n{shown}\n  ({all} lines in all) with\n{policies}");
        }
    }

    /// What the engine says of a pair: open, closed, or neither.
    pub fn says(&self, pair: &Pair) -> Option<bool> {
        let (from, to, at) = self.sweep.ends(pair);
        verdict(&self.judge.answer(&from, &to), &at)
    }

    /// What was done, in a line.
    pub fn tally(&self) -> String {
        format!(
            "{} sets of policies: {} connections compared ({} open, {} closed), {} by hand as well ({} open, {} closed), {} cells",
            self.generation,
            self.compared.open + self.compared.closed,
            self.compared.open,
            self.compared.closed,
            self.by_hand.open + self.by_hand.closed,
            self.by_hand.open,
            self.by_hand.closed,
            self.cells
        )
    }
}

/// A line of a story can be long.
fn cut(line: &str) -> String {
    line.chars().take(400).collect()
}

fn policy(namespace: &str, name: &str, spec: Value) -> Value {
    json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": name, "namespace": namespace}, "spec": spec})
}

/// Lets the canary's client through to one port, another for every set of policies.
fn canary(namespace: &str, port: u16) -> Value {
    let rule = json!({"from": [{"podSelector": {"matchLabels": {"app": "client"}}}], "ports": [{"protocol": "TCP", "port": port}]});
    policy(
        namespace,
        "generation",
        json!({"podSelector": {"matchLabels": {"app": "server"}}, "policyTypes": ["Ingress"], "ingress": [rule]}),
    )
}

fn no_listener(port: &str) -> bool {
    matches!(port, "tcp/8099" | "tcp/81")
}

fn expected((_, _, port): &Pair, open: bool) -> Met {
    match (open, no_listener(port)) {
        (false, _) => Met::Timeout,
        (true, true) => Met::Refused,
        (true, false) => Met::Open,
    }
}

/// The rows of a case.
fn rows(text: &str) -> BTreeSet<(Pair, bool)> {
    let mut rows = BTreeSet::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let words: Vec<_> = line.split_whitespace().collect();
        let [from, ">", to, ports @ .., word] = &words[..] else { panic!("not a row: {line}") };
        let open = match *word {
            "open" => true,
            "closed" => false,
            _ => panic!("neither open nor closed: {line}"),
        };
        for port in ports {
            assert!(rows.insert((((*from).into(), (*to).into(), (*port).into()), open)), "twice: {line}");
        }
    }
    rows
}
