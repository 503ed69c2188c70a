//! Properties: stepping through any history gives what looking at the end gives; the store folds like a naive model.

use std::collections::BTreeMap;
use std::sync::Arc;

use partywall::model::changes::{Change, Fact};
use partywall::model::event::Authority;
use partywall::model::kind::{Kind, WATCHED};
use partywall::model::source::SourceState;
use partywall::model::tenant::CAPSULE_LABEL;
use partywall::model::time::{HOUR, MINUTE, Time};
use partywall::posture::assessment::Assessment;
use partywall::posture::engine::{Engine, EngineConfig, from_scratch};
use partywall::posture::verdict::Verdict;
use partywall::probe::depends::partner;
use partywall::probe::spec::PROBES;
use partywall::receipt::Outcome;
use partywall::receipt::book::Book;
use proptest::prelude::*;

use crate::facts::*;
use crate::netsteps::{self, NetStep};
use crate::receipts::{authority, receipt};
use crate::secretsteps::{self, SecretStep};

const TENANTS: [&str; 3] = ["acme", "globex", "initech"];

/// One thing that happens.
#[derive(Clone, Debug)]
enum Event {
    Change(Step),
    /// Publish and evaluate.
    Look,
    /// Minutes pass.
    Wait(i64),
    /// A probe of a tenant, with or without success.
    Probe(usize, usize, bool),
    /// The newest receipt of a tenant's probe is recorded as lapsed.
    Lapse(usize, usize),
}

#[derive(Clone, Debug)]
enum Step {
    Policy(usize, usize, &'static str, &'static str, u64),
    Gone(usize, Kind, &'static str),
    Quota(usize, &'static str, u64),
    Range(usize, &'static str),
    Pod(usize, usize, &'static str),
    Namespace(usize, bool),
    NoNamespace(usize),
    Account(usize),
    Store(usize, bool),
    Refused(usize, i64),
    State(usize, u8),
    Vault(u8),
    Relist(usize),
    Net(NetStep),
    Secret(SecretStep),
}

fn ns(tenant: usize) -> String {
    format!("web-tenant-{}", TENANTS[tenant % TENANTS.len()])
}

fn changes(step: &Step, now: Time) -> Vec<Change> {
    match step {
        Step::Net(step) => netsteps::changes(step),
        Step::Secret(step) => secretsteps::changes(step),
        Step::Policy(t, n, pods, types, version) => {
            let mut policy = policy(&ns(*t), &format!("policy-{n}"), pods, types);
            policy.meta.version = *version;
            vec![put(Fact::NetworkPolicy(policy))]
        }
        Step::Gone(t, kind, name) => vec![gone(*kind, &ns(*t), name)],
        Step::Quota(t, cpu, version) => {
            let mut quota = quota(&ns(*t), &SEED_HARD, &[("requests.cpu", cpu), ("pods", "1")]);
            quota.meta.version = *version;
            vec![put(Fact::Quota(quota))]
        }
        Step::Range(t, max) => vec![put(Fact::LimitRange(limit_range(&ns(*t), &[("cpu", "500m")], &[("cpu", "50m")], &[("cpu", max)])))],
        Step::Pod(t, n, with) => vec![put(Fact::Pod(pod(&ns(*t), &format!("pod-{n}"), with)))],
        Step::Namespace(t, claimed) => {
            let Fact::Namespace(mut fact) = namespace(&ns(*t)) else { return vec![] };
            if *claimed {
                fact.labels = labels(&format!("{CAPSULE_LABEL}=globex"));
                fact.meta.version = 2;
            }
            vec![put(Fact::Namespace(fact))]
        }
        Step::NoNamespace(t) => vec![gone(Kind::Namespace, "", &ns(*t))],
        Step::Account(t) => vec![put(account(&ns(*t), &format!("n8n-{}", TENANTS[*t % 3])))],
        Step::Store(t, named) => vec![put(Fact::SecretStore(store(&ns(*t), "tenant-acme", named.then_some("n8n-acme"))))],
        Step::Refused(t, minutes) => vec![put(Fact::Refusal(refusal(&ns(*t), Authority::ResourceQuota, now.plus(minutes * MINUTE))))],
        Step::State(k, word) => {
            let kind = WATCHED[*k % WATCHED.len()].kind;
            let state = match word % 3 {
                0 => SourceState::Stale { since: noon(), why: "gone".into() },
                1 => SourceState::Denied { why: "forbidden".into() },
                _ => SourceState::Live,
            };
            vec![Change::State(kind, state)]
        }
        Step::Vault(word) => {
            let mut vault = seed_vault();
            match word % 4 {
                0 => vault.server.sealed = true,
                1 => vault = partywall::model::vault::VaultFacts::default(),
                2 => vault.policies = live([("tenant-acme".into(), partywall::model::vault::VaultPolicy::new("path \"*\" {}"))]),
                _ => {}
            }
            vec![Change::Vault(Box::new(vault))]
        }
        Step::Relist(k) => {
            let kind = [Kind::NetworkPolicy, Kind::ResourceQuota, Kind::Pod][*k % 3];
            let mut list = vec![Change::Listing(kind)];
            for tenant in ["acme", "globex"] {
                list.extend(seed_tenant(tenant).into_iter().filter(|fact| fact.kind() == kind).map(put));
            }
            list.push(Change::Listed(kind));
            list
        }
    }
}

fn any_step() -> impl Strategy<Value = Step> {
    let t = 0..3_usize;
    let pods = prop::sample::select(vec!["", "app=web", "app", "!app", "app!=web"]);
    let types = prop::sample::select(vec!["I", "E", "IE"]);
    let target = prop::sample::select(vec![
        (Kind::NetworkPolicy, "default-deny"),
        (Kind::NetworkPolicy, "policy-0"),
        (Kind::ResourceQuota, "tenant-quota"),
        (Kind::LimitRange, "tenant-limits"),
        (Kind::Pod, "web"),
        (Kind::Service, "whoami"),
        (Kind::ServiceAccount, "n8n-acme"),
        (Kind::SecretStore, "vault"),
        (Kind::Event, "refused"),
    ]);
    let amount = prop::sample::select(vec!["0", "500m", "800m", "1", "odd"]);
    prop_oneof![
        4 => (t.clone(), 0..2_usize, pods.clone(), types, 0..3_u64).prop_map(|(t, n, p, d, v)| Step::Policy(t, n, p, d, v)),
        4 => (t.clone(), target).prop_map(|(t, (kind, name))| Step::Gone(t, kind, name)),
        2 => (t.clone(), amount.clone(), 0..3_u64).prop_map(|(t, a, v)| Step::Quota(t, a, v)),
        1 => (t.clone(), amount).prop_map(|(t, a)| Step::Range(t, a)),
        3 => (t.clone(), 0..3_usize, prop::sample::select(vec!["app=web", "app=db", ""])).prop_map(|(t, n, l)| Step::Pod(t, n, l)),
        2 => (t.clone(), any::<bool>()).prop_map(|(t, c)| Step::Namespace(t, c)),
        1 => t.clone().prop_map(Step::NoNamespace),
        1 => t.clone().prop_map(Step::Account),
        1 => (t.clone(), any::<bool>()).prop_map(|(t, n)| Step::Store(t, n)),
        1 => (t, -90..10_i64).prop_map(|(t, m)| Step::Refused(t, m)),
        1 => (0..WATCHED.len(), any::<u8>()).prop_map(|(k, w)| Step::State(k, w)),
        1 => any::<u8>().prop_map(Step::Vault),
        1 => (0..3_usize).prop_map(Step::Relist),
        9 => netsteps::any_step(&["web-tenant-acme", "web-tenant-globex", "web-tenant-initech", "kube-system"]).prop_map(Step::Net),
        12 => secretsteps::any_step().prop_map(Step::Secret),
    ]
}

fn any_event() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => any_step().prop_map(Event::Change),
        4 => Just(Event::Look),
        1 => prop::sample::select(vec![1, 30, 61, 12 * 60, 25 * 60, -5]).prop_map(Event::Wait),
        3 => (0..3_usize, 0..3_usize, any::<bool>()).prop_map(|(t, p, held)| Event::Probe(t, p, held)),
        1 => (0..3_usize, 0..3_usize).prop_map(|(t, p)| Event::Lapse(t, p)),
    ]
}

/// Everything an assessment says, except what changed last (that is history) and the two fields that are the caller's own.
fn said(assessment: &Assessment) -> String {
    let tenants: BTreeMap<_, _> = assessment
        .by_tenant
        .iter()
        .map(|(name, tenant)| {
            let mut tenant = tenant.as_ref().clone();
            tenant.changed = None;
            (name, format!("{tenant:#?}"))
        })
        .collect();
    format!("{:#?}\n{tenants:#?}\n{:#?}\n{:#?}\n{:?}", assessment.tenants, assessment.platform, assessment.unknowns, assessment.next_expiry)
}

/// Histories in which little but the secret wall moves, with a look after nearly everything: whom one change concerns shows there.
fn any_secret_event() -> impl Strategy<Value = Vec<Event>> {
    let step = prop_oneof![
        12 => secretsteps::any_step().prop_map(Step::Secret),
        1 => (0..3_usize, any::<bool>()).prop_map(|(t, named)| Step::Store(t, named)),
        1 => (0..3_usize).prop_map(Step::Account),
        1 => (0..3_usize, any::<bool>()).prop_map(|(t, claimed)| Step::Namespace(t, claimed)),
        1 => (0..3_usize).prop_map(|t| Step::Gone(t, Kind::ServiceAccount, "n8n-acme")),
    ];
    let around = prop_oneof![
        4 => Just(Vec::new()),
        1 => prop::sample::select(vec![1, 61, 12 * 60]).prop_map(|minutes| vec![Event::Wait(minutes)]),
        1 => (0..3_usize, any::<bool>()).prop_map(|(t, held)| vec![Event::Probe(t, 1, held), Event::Look]),
    ];
    (step, around, 0..5_u8).prop_map(|(step, mut events, look)| {
        events.push(Event::Change(step));
        events.extend((look > 0).then_some(Event::Look));
        events
    })
}

/// Steps through a history; at every look what is said must be what is said from nothing.
fn agrees(events: Vec<Event>) -> Result<(), TestCaseError> {
    let config = EngineConfig::default();
    let (mut store, mut engine, mut book, mut now) = (seed_store(), Engine::new(config.clone()), Book::default(), noon());
    let (mut snapshot, dirty) = store.publish();
    let mut last = engine.evaluate(&snapshot, &dirty, &book, now);
    let mut id = 0_i64;
    for event in events.into_iter().chain([Event::Look]) {
        match event {
            Event::Change(step) => changes(&step, now).into_iter().for_each(|change| store.apply(change)),
            Event::Wait(minutes) => now = now.plus(minutes * MINUTE),
            Event::Lapse(t, p) => {
                let newest = book.newest(&*snapshot.server, TENANTS[t], PROBES[p]).map(|receipt| receipt.id.clone());
                if let Some(newest) = newest {
                    book.lapse(newest, "moved".to_owned());
                }
            }
            Event::Probe(t, p, held) => {
                let Some(other) = partner(&snapshot, &last.tenants, TENANTS[t]) else { continue };
                id += 1;
                let outcome = if held { Outcome::Refused { by: authority(PROBES[p]) } } else { Outcome::Answered };
                book.add(receipt(&snapshot, &last.tenants, PROBES[p], TENANTS[t], &other, outcome, now.plus(id)));
            }
            Event::Look => {
                let (next, dirty) = store.publish();
                snapshot = next;
                last = engine.evaluate(&snapshot, &dirty, &book, now);
                let scratch = from_scratch(&config, &snapshot, &book, now);
                prop_assert_eq!(said(&last), said(&scratch));
                check_rules(&scratch, &book)?;
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn stepping_through_a_history_agrees_with_looking_at_its_end(events in prop::collection::vec(any_event(), 1..40)) {
        agrees(events)?;
    }

    #[test]
    fn stepping_through_a_history_of_the_secret_wall_agrees_too(events in prop::collection::vec(any_secret_event(), 1..24)) {
        agrees(events.into_iter().flatten().collect())?;
    }
}

/// What must be true of any assessment.
fn check_rules(assessment: &Assessment, book: &Book) -> Result<(), TestCaseError> {
    for tenant in assessment.by_tenant.values() {
        for check in &tenant.checks {
            if check.verdict == Verdict::Holds {
                let receipt = check.receipt.as_ref().and_then(|id| book.get(id));
                prop_assert!(receipt.is_some_and(|receipt| receipt.expires > assessment.at), "{} holds without a receipt", check.check.id);
            }
            prop_assert!(check.lapsed.is_none() || check.receipt.is_none());
            prop_assert!(check.findings.is_sorted_by_key(|finding| finding.verdict), "findings worst first");
            prop_assert!(check.findings.iter().all(|f| !f.message.is_empty() && f.verdict >= check.verdict));
        }
        prop_assert_eq!(Some(tenant.grade), tenant.walls.values().copied().filter(|v| *v != Verdict::NotApplicable).min());
        prop_assert!(tenant.coverage.0 <= tenant.coverage.1);
        prop_assert!(tenant.quota.iter().filter(|row| row.binding).count() <= tenant.namespaces.len());
    }
    Ok(())
}

#[test]
fn one_change_judges_one_tenant_of_many() {
    let mut store = empty_store();
    for i in 0..300 {
        for fact in seed_tenant(&format!("t{i:03}")) {
            store.apply(put(fact));
        }
    }
    let mut engine = Engine::new(EngineConfig::default());
    let (snapshot, dirty) = store.publish();
    let first = engine.evaluate(&snapshot, &dirty, &Book::default(), noon());
    assert_eq!(first.by_tenant.len(), 300);
    store.apply(put(Fact::Pod(pod("web-tenant-t007", "new", "app=web"))));
    let (snapshot, dirty) = store.publish();
    let second = engine.evaluate(&snapshot, &dirty, &Book::default(), noon().plus(HOUR));
    let kept = first.by_tenant.iter().filter(|(name, tenant)| Arc::ptr_eq(tenant, second.by_tenant.get(*name).unwrap())).count();
    assert_eq!(kept, 299);
}
