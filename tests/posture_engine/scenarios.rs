//! Tables of scenarios: the walkthrough's tenant acme with a few facts changed, and the verdicts expected of it.

use std::collections::BTreeMap;

use partywall::model::changes::{Change, Fact};
use partywall::model::event::Authority;
use partywall::model::ids::Name;
use partywall::model::kind::{Kind, WATCHED};
use partywall::model::pod::Phase;
use partywall::model::source::SourceState;
use partywall::model::store::Store;
use partywall::model::time::MINUTE;
use partywall::model::vault::VaultFacts;
use partywall::posture::engine::{EngineConfig, from_scratch};
use partywall::posture::wall::Wall;
use partywall::receipt::book::Book;
use serde::Deserialize;

use crate::facts::*;
use crate::grants::GrantLine;
use crate::secretlines::Secrets;
use crate::written::{AdminLine, CiliumLine, ServiceLine, WorkloadLine, granted, rules};

const NS: &str = "web-tenant-acme";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    case: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    /// Objects of acme that are taken away first: `Kind` or `Kind/name`.
    #[serde(default)]
    without: Vec<String>,
    #[serde(default)]
    policies: Vec<Policy>,
    #[serde(default)]
    pods: Vec<PodLine>,
    quota: Option<Quota>,
    limits: Option<Limits>,
    role: Option<Role>,
    store: Option<StoreLine>,
    /// Sources that do not see: kind to `denied`, `stale`, `loading`, `absent` or `off`.
    #[serde(default)]
    states: BTreeMap<String, String>,
    vault: Option<String>,
    #[serde(default)]
    refusals: Vec<RefusalLine>,
    /// More namespaces, by name.
    #[serde(default)]
    namespaces: Vec<String>,
    /// More Services of acme.
    #[serde(default)]
    services: Vec<ServiceLine>,
    /// Cluster-wide policies.
    #[serde(default)]
    admin: Vec<AdminLine>,
    /// Roles with the bindings that give them.
    #[serde(default)]
    grants: Vec<GrantLine>,
    /// Templates: of acme, or of the cluster's own namespaces.
    #[serde(default)]
    workloads: Vec<WorkloadLine>,
    /// Policies of engines that are not evaluated: kind of [`Kind::as_str`], in acme or cluster-wide.
    #[serde(default)]
    foreign: Vec<String>,
    /// Cilium's configuration.
    cilium: Option<CiliumLine>,
    /// Addresses granted to every tenant: `10.1.2.3/32 TCP 5432`.
    #[serde(default)]
    granted: Vec<String>,
    /// providerID of a Node.
    node: Option<String>,
    /// The secret wall.
    #[serde(default)]
    secrets: Secrets,
    /// The DaemonSet of the CNI is taken away.
    #[serde(default)]
    without_cni: bool,
    /// Check to `VERDICT` or `VERDICT reason`.
    expect: BTreeMap<String, String>,
    /// Wall to verdict.
    #[serde(default)]
    walls: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Policy {
    name: String,
    #[serde(default)]
    pods: String,
    types: String,
    #[serde(default)]
    ingress: Vec<String>,
    #[serde(default)]
    egress: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PodLine {
    name: String,
    #[serde(default)]
    labels: String,
    #[serde(default)]
    host_network: bool,
    #[serde(default)]
    finished: bool,
    image: Option<String>,
    account: Option<String>,
    #[serde(default)]
    ips: Vec<String>,
}

type Amounts = BTreeMap<String, String>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Quota {
    hard: Amounts,
    #[serde(default)]
    used: Amounts,
    #[serde(default)]
    scopes: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Limits {
    #[serde(default)]
    default: Amounts,
    #[serde(default)]
    request: Amounts,
    #[serde(default)]
    max: Amounts,
    #[serde(default)]
    min: Amounts,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Role {
    accounts: Vec<String>,
    namespaces: Vec<String>,
    #[serde(default)]
    selector: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StoreLine {
    account: Option<String>,
    role: Option<String>,
    server: Option<String>,
    account_namespace: Option<String>,
    other_auth: Option<String>,
    #[serde(default)]
    token_from_secret: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RefusalLine {
    authority: Authority,
    minutes: i64,
}

fn pairs(amounts: &Amounts) -> Vec<(&str, &str)> {
    amounts.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect()
}

fn kind(text: &str) -> Kind {
    WATCHED.iter().map(|info| info.kind).find(|kind| kind.as_str() == text).unwrap_or_else(|| panic!("no kind {text}"))
}

fn remove(store: &mut Store, what: &str) {
    let (wanted, name) = what.split_once('/').map_or((what, None), |(kind, name)| (kind, Some(name)));
    for fact in seed_tenant("acme") {
        let meta = fact.meta();
        if fact.kind().as_str() == wanted && name.is_none_or(|name| meta.name.as_ref() == name) {
            store.apply(gone(fact.kind(), NS, &meta.name.clone()));
        }
    }
}

fn state(word: &str) -> SourceState {
    match word {
        "denied" => SourceState::Denied { why: "forbidden".into() },
        "stale" => SourceState::Stale { since: noon(), why: "gone".into() },
        "loading" => SourceState::Loading(3),
        "absent" => SourceState::Absent,
        "off" => SourceState::Off,
        other => panic!("no state {other}"),
    }
}

fn vault(case: &Case) -> VaultFacts {
    let mut vault = seed_vault();
    if let Some(wanted) = &case.role {
        let mut acme = role("acme");
        acme.service_accounts = wanted.accounts.iter().map(|s| Name::from(s.as_str())).collect();
        acme.namespaces = wanted.namespaces.iter().map(|s| Name::from(s.as_str())).collect();
        acme.namespace_selector = wanted.selector.as_str().into();
        vault.kubernetes.insert("kubernetes".into(), live([("tenant-acme".into(), acme), ("tenant-globex".into(), role("globex"))]));
    }
    match case.vault.as_deref() {
        None => {}
        Some("off") => vault = VaultFacts::default(),
        Some("old") => vault.server.version = "2.4.0".into(),
        Some("sealed") => vault.server.sealed = true,
        Some("uninitialised") => vault.server.initialized = false,
        Some("http") => vault.address = "http://vault.example:8200".into(),
        Some("down") => vault.server.state = SourceState::Down { since: noon(), why: "connection refused".into() },
        Some("no-acme-role") => {
            vault.kubernetes.insert("kubernetes".into(), live([("tenant-globex".into(), role("globex"))]));
        }
        Some("roles-denied") => {
            vault.kubernetes.get_mut("kubernetes").unwrap().state = SourceState::Denied { why: "permission denied".into() };
        }
        Some("role-unreadable") => {
            let part = vault.kubernetes.get_mut("kubernetes").unwrap();
            part.unreadable = std::sync::Arc::new([("hidden".into(), "permission denied".into())].into());
        }
        Some(other) => panic!("no vault {other}"),
    }
    if vault.configured {
        case.secrets.vault(&mut vault);
    }
    vault
}

fn build(case: &Case) -> Store {
    let mut store = seed_store();
    case.without.iter().for_each(|what| remove(&mut store, what));
    for line in &case.policies {
        let mut policy = policy(NS, &line.name, &line.pods, &line.types);
        (policy.ingress, policy.egress) = (rules(&line.ingress), rules(&line.egress));
        store.apply(put(Fact::NetworkPolicy(policy)));
    }
    for line in &case.pods {
        let mut pod = pod(NS, &line.name, &line.labels);
        pod.host_network = line.host_network;
        pod.ips = line.ips.iter().map(|ip| ip.parse().unwrap()).collect();
        pod.phase = if line.finished { Phase::Succeeded } else { Phase::Running };
        if let Some(image) = &line.image {
            pod.containers = vec![container(image)].into();
        }
        if let Some(account) = &line.account {
            pod.service_account = account.as_str().into();
        }
        store.apply(put(Fact::Pod(pod)));
    }
    if let Some(line) = &case.quota {
        let mut quota = quota(NS, &pairs(&line.hard), &pairs(&line.used));
        quota.scopes = line.scopes.iter().map(|s| Name::from(s.as_str())).collect();
        store.apply(put(Fact::Quota(quota)));
    }
    if let Some(line) = &case.limits {
        let mut range = limit_range(NS, &pairs(&line.default), &pairs(&line.request), &pairs(&line.max));
        range.items[0].min = amounts(&pairs(&line.min));
        store.apply(put(Fact::LimitRange(range)));
    }
    if let Some(line) = &case.store {
        let mut fact = crate::facts::store(NS, line.role.as_deref().unwrap_or("tenant-acme"), line.account.as_deref());
        let vault = fact.vault.as_mut().unwrap();
        if let Some(server) = &line.server {
            vault.server = server.as_str().into();
        }
        vault.service_account_namespace = line.account_namespace.as_deref().map(Name::from);
        vault.other_auth = line.other_auth.as_deref().map(Name::from);
        vault.token_from_secret = line.token_from_secret;
        store.apply(put(Fact::SecretStore(fact)));
    }
    for line in &case.refusals {
        store.apply(put(Fact::Refusal(refusal(NS, line.authority, noon().plus(-line.minutes * MINUTE)))));
    }
    for name in &case.namespaces {
        store.apply(put(namespace(name)));
    }
    if case.without_cni {
        store.apply(gone(Kind::DaemonSet, "kube-system", "calico-node"));
    }
    for fact in network(case) {
        store.apply(put(fact));
    }
    store.apply(Change::Vault(Box::new(vault(case))));
    for (source, word) in &case.states {
        store.apply(Change::State(kind(source), state(word)));
    }
    store
}

/// What bears on the network beside policies and pods of acme.
fn network(case: &Case) -> Vec<Fact> {
    let mut facts: Vec<Fact> = case.services.iter().flat_map(|line| line.facts(NS)).collect();
    facts.extend(case.admin.iter().map(AdminLine::fact));
    facts.extend(case.grants.iter().flat_map(|line| line.facts(NS)));
    facts.extend(case.workloads.iter().map(|line| line.fact(NS)));
    facts.extend(case.foreign.iter().map(|text| foreign(NS, kind(text))));
    facts.extend(case.cilium.as_ref().map(CiliumLine::fact));
    facts.extend(case.node.as_deref().map(node));
    facts.extend(case.secrets.facts(NS));
    facts
}

/// What differs from the expectation of a case, each in a line.
fn differences(case: &Case) -> Vec<String> {
    let (snapshot, _) = build(case).publish();
    let mut config = EngineConfig::default();
    config.network.addresses = case.granted.iter().map(|text| granted(text)).collect();
    let assessment = from_scratch(&config, &snapshot, &Book::default(), noon());
    let acme = assessment.by_tenant.get("acme");
    let checks = || acme.iter().flat_map(|acme| acme.checks.iter()).chain(&assessment.platform);
    let mut found = Vec::new();
    for (id, expected) in &case.expect {
        let result = checks().find(|check| check.check.id == id).unwrap_or_else(|| panic!("{}: no {id}", case.name));
        let (verdict, reason) = expected.split_once(' ').map_or((expected.as_str(), None), |(v, r)| (v, Some(r)));
        let said: Vec<_> = result.findings.iter().map(|f| format!("{} {:?}: {}", f.verdict.word(), f.reason, f.message)).collect();
        let reasons: Vec<_> = result.findings.iter().filter(|f| f.verdict == result.verdict).map(|f| f.reason).collect();
        if result.verdict.word() != verdict || !reasons.contains(&reason) {
            found.push(format!("{id} is not {expected} but {}: {said:#?}", result.verdict.word()));
        }
        let worst = result.findings.first().map(|finding| finding.verdict);
        if worst != Some(result.verdict) {
            found.push(format!("{id}: the first finding is the worst: {said:#?}"));
        }
    }
    for (wall, expected) in &case.walls {
        let is = acme.unwrap().wall(Wall::parse(wall).unwrap()).word();
        if is != expected {
            found.push(format!("{wall} is not {expected} but {is}"));
        }
    }
    found
}

fn run(file: &str, text: &str) -> (usize, Vec<String>) {
    let table: Table = toml::from_str(text).unwrap_or_else(|error| panic!("{file}: {error}"));
    let failed = table.case.iter().flat_map(|case| differences(case).into_iter().map(|line| format!("{}: {line}", case.name)));
    (table.case.len(), failed.collect())
}

#[test]
fn tables() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/scenarios");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|e| e == "toml"));
    files.sort();
    let runs: Vec<_> = files.iter().map(|path| run(&path.display().to_string(), &std::fs::read_to_string(path).unwrap())).collect();
    let failed: Vec<&str> = runs.iter().flat_map(|(_, failed)| failed.iter().map(String::as_str)).collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    let cases: usize = runs.iter().map(|(cases, _)| cases).sum();
    assert!(cases >= 130, "only {cases} cases ran");
}
