//! The walkthrough's two tenants, from declared to proved to broken.

use partywall::model::changes::{Change, Fact};
use partywall::model::kind::Kind;
use partywall::model::snapshot::{Dirty, How};
use partywall::model::source::SourceState;
use partywall::model::store::Store;
use partywall::model::time::HOUR;
use partywall::posture::assessment::{Assessment, CheckResult, LapsedBy, TenantAssessment};
use partywall::posture::engine::{Engine, EngineConfig, from_scratch};
use partywall::posture::verdict::{Declared, Verdict};
use partywall::posture::wall::Wall;
use partywall::probe::depends::partner;
use partywall::probe::spec::{PROBES, ProbeId};
use partywall::probe::vault::COMPARED;
use partywall::receipt::book::Book;
use partywall::receipt::{Outcome, Receipt};

use crate::facts::*;
use crate::receipts::{held, receipt, step};

pub fn of<'a>(assessment: &'a Assessment, tenant: &str) -> &'a TenantAssessment {
    assessment.by_tenant.get(tenant).unwrap()
}

pub fn proved(store: &mut Store) -> (Engine, Book) {
    let mut engine = Engine::new(EngineConfig::default());
    let (snapshot, dirty) = store.publish();
    let assessment = engine.evaluate(&snapshot, &dirty, &Book::default(), noon());
    let mut book = Book::default();
    for tenant in ["acme", "globex"] {
        let other = partner(&snapshot, &assessment.tenants, tenant).unwrap();
        for probe in PROBES {
            book.add(held(&snapshot, &assessment.tenants, probe, tenant, &other, noon()));
        }
    }
    (engine, book)
}

#[test]
fn everything_is_declared_right_and_nothing_proved() {
    let (snapshot, _) = seed_store().publish();
    let assessment = from_scratch(&EngineConfig::default(), &snapshot, &Book::default(), noon());
    assert_eq!(assessment.by_tenant.len(), 2);
    for tenant in assessment.by_tenant.values() {
        for check in &tenant.checks {
            let expected = match check.check.id {
                // no NetworkPolicy here speaks of addresses, and its pods have none
                // one SecretStore of its own and nothing that asks; no operator, no encryption key by reference
                "NET-17" | "NET-24" | "SEC-09" | "SEC-10" | "SEC-12" | "SEC-20" => Declared::NotApplicable,
                // no audience, a token that may be renewed for 32 days, and a rule that ends at the secret itself: said, and no open door
                "SEC-03" | "SEC-04" | "SEC-11" => Declared::Partly,
                _ => Declared::Right,
            };
            assert_eq!(check.declared, expected, "{}: {:#?}", check.check.id, check.findings);
            assert!(!check.findings.is_empty(), "{}", check.check.id);
        }
        for wall in [Wall::Net, Wall::Sec, Wall::Res] {
            assert_eq!(tenant.wall(wall), Verdict::Unproven);
        }
        assert_eq!(tenant.wall(Wall::Idn), Verdict::NotApplicable);
        assert_eq!((tenant.grade, tenant.coverage, tenant.oldest_proof), (Verdict::Unproven, (0, 10), None));
        assert_eq!(tenant.pods, (1, 1));
        assert_eq!(tenant.violations().count(), 3);
    }
    // Calico has no audit mode
    let right = |check: &CheckResult| check.declared == Declared::Right || ["PLT-02", "PLT-10"].contains(&check.check.id);
    assert!(assessment.platform.iter().all(right), "{:#?}", assessment.platform);
    assert!(assessment.unknowns.is_empty(), "{:?}", assessment.unknowns);
}

#[test]
fn how_many_default_pods_fit() {
    let (snapshot, _) = seed_store().publish();
    let assessment = from_scratch(&EngineConfig::default(), &snapshot, &Book::default(), noon());
    let acme = of(&assessment, "acme");
    let coherent = acme.checks.iter().find(|check| check.check.id == "RES-05").unwrap().findings.first().unwrap();
    assert_eq!(coherent.reason, Some("pods-out-of-reach"));
    for part in ["20 by requests.cpu", "8 by requests.memory", "4 by limits.cpu", "4 by limits.memory", "pods=10 can't be reached"] {
        assert!(coherent.message.contains(part), "{}", coherent.message);
    }
    // one default pod runs already
    let fits: Vec<_> = acme.quota.iter().map(|row| (row.resource.as_ref(), row.fits, row.binding, row.permille)).collect();
    assert_eq!(
        fits,
        [
            ("limits.cpu", Some(3), true, Some(250)),
            ("limits.memory", Some(3), false, Some(250)),
            ("pods", Some(9), false, Some(100)),
            ("requests.cpu", Some(19), false, Some(50)),
            ("requests.memory", Some(7), false, Some(125)),
        ]
    );
}

#[test]
fn with_the_three_receipts_the_walls_hold() {
    let mut store = seed_store();
    let (mut engine, book) = proved(&mut store);
    let (snapshot, dirty) = store.publish();
    let assessment = engine.evaluate(&snapshot, &dirty, &book, noon());
    for tenant in assessment.by_tenant.values() {
        assert_eq!(tenant.grade, Verdict::Holds, "{:#?}", tenant.walls);
        assert_eq!((tenant.coverage, tenant.oldest_proof), ((10, 10), Some(noon())));
    }
    assert_eq!(assessment.next_expiry, Some(noon().plus(12 * HOUR)), "the Vault receipts go first");
    // nothing moves, but time does
    let later = engine.evaluate(&snapshot, &Dirty::default(), &book, noon().plus(12 * HOUR));
    let acme = of(&later, "acme");
    assert_eq!((acme.wall(Wall::Net), acme.wall(Wall::Sec), acme.wall(Wall::Res)), (Verdict::Holds, Verdict::Unproven, Verdict::Holds));
    let lapsed = acme.of_wall(Wall::Sec).find_map(|check| check.lapsed.clone()).unwrap();
    assert_eq!(lapsed.by, LapsedBy::Expired(noon().plus(12 * HOUR)));
}

#[test]
fn an_answer_that_the_policies_say_otherwise_is_disputed() {
    let mut store = seed_store();
    let (snapshot, _) = store.publish();
    let tenants = from_scratch(&EngineConfig::default(), &snapshot, &Book::default(), noon()).tenants;
    let mut receipt = Receipt::clone(&held(&snapshot, &tenants, ProbeId::Vault, "acme", "globex", noon()));
    let mut compared = step(Outcome::Failed, noon());
    (compared.what, compared.said) = (COMPARED.into(), "DISPUTED: path #1 was to be refused".into());
    receipt.steps.push(compared);
    let mut book = Book::default();
    book.add(receipt.into());
    let assessment = from_scratch(&EngineConfig::default(), &snapshot, &book, noon());
    let acme = of(&assessment, "acme");
    let check = acme.checks.iter().find(|check| check.check.id == "SEC-05").unwrap();
    assert_eq!((check.verdict, acme.wall(Wall::Sec)), (Verdict::Disputed, Verdict::Disputed));
    assert_eq!(check.findings.first().unwrap().message, "DISPUTED: path #1 was to be refused");
}

#[test]
fn deleting_a_policy_turns_the_wall_and_putting_it_back_does_not_bring_the_receipt_back() {
    let mut store = seed_store();
    let (mut engine, book) = proved(&mut store);
    let (snapshot, dirty) = store.publish();
    engine.evaluate(&snapshot, &dirty, &book, noon());
    for name in ["default-deny", "allow-dns", "allow-same-namespace"] {
        store.apply(gone(Kind::NetworkPolicy, "web-tenant-acme", name));
    }
    let (snapshot, dirty) = store.publish();
    let assessment = engine.evaluate(&snapshot, &dirty, &book, noon().plus(1));
    let acme = of(&assessment, "acme");
    assert_eq!(acme.wall(Wall::Net), Verdict::Breached);
    assert!(
        acme.of_wall(Wall::Net)
            .take(2)
            .all(|check| check.findings.iter().any(|f| f.reason == Some("no-policy") && f.fix == Some("FX-NET-BASE")))
    );
    let apart = acme.checks.iter().find(|check| check.check.id == "NET-03").unwrap();
    assert!(apart.findings.iter().any(|f| f.reason == Some("not-isolated") && f.fix == Some("FX-NET-BASE")), "{:#?}", apart.findings);
    let moved = acme.changed.as_ref().unwrap();
    assert_eq!((moved.from, moved.to, moved.wall), (Verdict::Holds, Verdict::Breached, Wall::Net));
    let (object, how) = moved.object.as_ref().unwrap();
    assert_eq!((object.kind, object.namespace.as_ref(), *how), (Kind::NetworkPolicy, "web-tenant-acme", How::Deleted));
    let globex = of(&assessment, "globex");
    assert_eq!(globex.wall(Wall::Net), Verdict::Unproven, "globex was tried against acme: its receipt rests on acme's policies too");
    assert_eq!(globex.wall(Wall::Res), Verdict::Holds);

    for fact in seed_tenant("acme") {
        if let Fact::NetworkPolicy(mut policy) = fact {
            policy.meta.uid.0 += 1;
            store.apply(put(Fact::NetworkPolicy(policy)));
        }
    }
    let (snapshot, dirty) = store.publish();
    let assessment = engine.evaluate(&snapshot, &dirty, &book, noon().plus(2));
    let acme = of(&assessment, "acme");
    assert_eq!(acme.wall(Wall::Net), Verdict::Unproven);
    assert!(acme.of_wall(Wall::Net).filter(|check| check.check.probe.is_some()).all(
        |check| matches!(&check.lapsed.as_ref().unwrap().by, LapsedBy::Moved(object, How::Changed) if object.kind == Kind::NetworkPolicy)
    ));
}

#[test]
fn a_crossing_against_a_right_declaration_is_disputed() {
    let mut store = seed_store();
    let (mut engine, mut book) = proved(&mut store);
    let (snapshot, dirty) = store.publish();
    let tenants = engine.evaluate(&snapshot, &dirty, &book, noon()).tenants.clone();
    book.add(receipt(&snapshot, &tenants, ProbeId::Network, "acme", "globex", Outcome::Answered, noon().plus(5)));
    let assessment = engine.evaluate(&snapshot, &Dirty::default(), &book, noon().plus(6));
    let acme = of(&assessment, "acme");
    assert_eq!(acme.wall(Wall::Net), Verdict::Disputed);
    assert_eq!(acme.changed.as_ref().unwrap().object, None, "a probe moved it, no object");
    assert_eq!(acme.coverage, (10, 10));
}

#[test]
fn a_lapse_on_record_ends_a_receipt_for_good() {
    let mut store = seed_store();
    let (mut engine, mut book) = proved(&mut store);
    let (snapshot, dirty) = store.publish();
    engine.evaluate(&snapshot, &dirty, &book, noon());
    let id = book.newest(&*snapshot.server, "acme", ProbeId::Network).unwrap().id.clone();
    book.lapse(id, "NetworkPolicy deleted".to_owned());
    let assessment = engine.evaluate(&snapshot, &Dirty::default(), &book, noon());
    let check = of(&assessment, "acme").checks.first().unwrap();
    assert_eq!(check.verdict, Verdict::Unproven);
    assert_eq!(check.lapsed.as_ref().unwrap().by, LapsedBy::Recorded("NetworkPolicy deleted".to_owned()));
}

#[test]
fn a_receipt_of_another_cluster_proves_nothing() {
    let mut store = seed_store();
    let (mut engine, book) = proved(&mut store);
    store.apply(Change::Server(partywall::model::snapshot::ServerFacts { cluster_uid: "other".into(), ..Default::default() }));
    let (snapshot, dirty) = store.publish();
    let assessment = engine.evaluate(&snapshot, &dirty, &book, noon());
    assert_eq!(of(&assessment, "acme").grade, Verdict::Unproven);
}

#[test]
fn a_newer_receipt_of_another_cluster_does_not_push_out_this_ones() {
    let mut store = seed_store();
    let (mut engine, mut book) = proved(&mut store);
    let (snapshot, dirty) = store.publish();
    let tenants = engine.evaluate(&snapshot, &dirty, &book, noon()).tenants.clone();
    let mut elsewhere = Receipt::clone(&held(&snapshot, &tenants, ProbeId::Network, "acme", "globex", noon().plus(5)));
    elsewhere.cluster.uid = "other".into();
    book.add(elsewhere.into());
    let assessment = engine.evaluate(&snapshot, &Dirty::default(), &book, noon().plus(6));
    assert_eq!(of(&assessment, "acme").wall(Wall::Net), Verdict::Holds);
}

/// A permission that we lost is no change of what it let us see.
#[test]
fn mounts_that_may_not_be_read_any_more_did_not_go() {
    let mut store = seed_store();
    let (mut engine, book) = proved(&mut store);
    let (snapshot, dirty) = store.publish();
    engine.evaluate(&snapshot, &dirty, &book, noon());
    let mut vault = seed_vault();
    vault.secret_mounts.state = SourceState::Denied { why: "no policy line".into() };
    store.apply(Change::Vault(Box::new(vault)));
    let (snapshot, dirty) = store.publish();
    let assessment = engine.evaluate(&snapshot, &dirty, &book, noon().plus(1));
    let acme = of(&assessment, "acme");
    let verdict = |id: &str| acme.checks.iter().find(|check| check.check.id == id).unwrap().verdict;
    assert_eq!((verdict("SEC-01"), verdict("SEC-02")), (Verdict::Unproven, Verdict::Unproven));
    assert_eq!(verdict("SEC-05"), Verdict::Unknown, "what a policy opens can't be said without the mounts");
    assert_eq!(acme.wall(Wall::Sec), Verdict::Unknown);
    assert!(acme.of_wall(Wall::Sec).all(|check| check.lapsed.is_none()), "nothing moved");
    store.apply(Change::Vault(Box::new(seed_vault())));
    let (snapshot, dirty) = store.publish();
    let assessment = engine.evaluate(&snapshot, &dirty, &book, noon().plus(2));
    assert_eq!(of(&assessment, "acme").wall(Wall::Sec), Verdict::Holds);
}

#[test]
fn what_was_tried_last_counts_though_the_clock_was_put_back_in_between() {
    let mut store = seed_store();
    let (mut engine, mut book) = proved(&mut store);
    let (snapshot, dirty) = store.publish();
    let tenants = engine.evaluate(&snapshot, &dirty, &book, noon()).tenants.clone();
    book.add(held(&snapshot, &tenants, ProbeId::Network, "acme", "globex", noon().plus(HOUR)));
    book.add(receipt(&snapshot, &tenants, ProbeId::Network, "acme", "globex", Outcome::Answered, noon().plus(5)));
    for later in [6, 2 * HOUR] {
        let assessment = engine.evaluate(&snapshot, &Dirty::default(), &book, noon().plus(later));
        assert_eq!(of(&assessment, "acme").wall(Wall::Net), Verdict::Disputed, "{later}");
    }
}

/// Checks that say nothing without NetworkPolicies.
const ON_POLICIES: [&str; 13] =
    ["NET-01", "NET-02", "NET-03", "NET-04", "NET-05", "NET-06", "NET-07", "NET-08", "NET-14", "NET-15", "NET-17", "NET-23", "NET-24"];

#[test]
fn what_is_not_seen_is_unknown_and_says_why_and_recovers() {
    let mut store = seed_store();
    let (mut engine, book) = proved(&mut store);
    store.apply(Change::State(Kind::NetworkPolicy, SourceState::Stale { since: noon(), why: "watch ended\u{1b}[31m".into() }));
    let (snapshot, dirty) = store.publish();
    let assessment = engine.evaluate(&snapshot, &dirty, &book, noon());
    let acme = of(&assessment, "acme");
    assert_eq!((acme.wall(Wall::Net), acme.wall(Wall::Res)), (Verdict::Unknown, Verdict::Holds));
    assert_eq!(
        acme.checks.first().unwrap().findings.first().unwrap().message,
        "NetworkPolicy: stale since 2026-11-21T12:00:00.000Z: watch ended\u{fffd}[31m"
    );
    let unknown = assessment.unknowns.first().unwrap();
    assert_eq!((unknown.source.as_str(), unknown.costs.as_slice()), ("NetworkPolicy", &ON_POLICIES[..]));
    assert_eq!(assessment.unknowns.len(), 1);
    store.apply(Change::State(Kind::NetworkPolicy, SourceState::Live));
    let (snapshot, dirty) = store.publish();
    let assessment = engine.evaluate(&snapshot, &dirty, &book, noon());
    assert_eq!(of(&assessment, "acme").grade, Verdict::Holds);
}

#[test]
fn an_untouched_tenant_keeps_its_assessment() {
    let mut store = seed_store();
    let (mut engine, book) = proved(&mut store);
    let (snapshot, dirty) = store.publish();
    let before = engine.evaluate(&snapshot, &dirty, &book, noon());
    let mut quota = quota("web-tenant-acme", &SEED_HARD, &SEED_USED);
    quota.meta.version = 2;
    store.apply(put(Fact::Quota(quota.clone())));
    let (snapshot, dirty) = store.publish();
    let after = engine.evaluate(&snapshot, &dirty, &Book::clone(&book), noon());
    let acme = of(&after, "acme");
    assert_eq!(acme.wall(Wall::Res), Verdict::Unproven);
    let moved = acme.changed.as_ref().unwrap();
    assert_eq!((moved.wall, moved.to, moved.manager.as_deref()), (Wall::Res, Verdict::Unproven, Some("kubectl")));
    // globex's own receipts involve acme as partner, so it is looked at again; a third tenant is not
    let mut lonely = Engine::new(EngineConfig::default());
    let first = lonely.evaluate(&snapshot, &Dirty::default(), &Book::default(), noon());
    quota.hard = Box::default();
    store.apply(put(Fact::Quota(quota)));
    let (snapshot, dirty) = store.publish();
    let second = lonely.evaluate(&snapshot, &dirty, &Book::default(), noon());
    let same = |tenant: &str| std::sync::Arc::ptr_eq(first.by_tenant.get(tenant).unwrap(), second.by_tenant.get(tenant).unwrap());
    assert!(same("globex") && !same("acme"));
    assert!(before.generation < after.generation);
}

#[test]
fn nothing_deleted_stays_a_tenant() {
    let mut store = seed_store();
    store.apply(put(Fact::Refusal(refusal("web-tenant-acme", partywall::model::event::Authority::ResourceQuota, noon()))));
    let mut engine = Engine::new(EngineConfig::default());
    let (snapshot, dirty) = store.publish();
    assert_eq!(engine.evaluate(&snapshot, &dirty, &Book::default(), noon()).by_tenant.len(), 2);
    store.apply(gone(Kind::Namespace, "", "web-tenant-acme"));
    let (snapshot, dirty) = store.publish();
    assert_eq!(engine.evaluate(&snapshot, &dirty, &Book::default(), noon()).by_tenant.len(), 1);
}

#[test]
fn a_clock_put_back_brings_a_receipt_back() {
    let mut store = seed_store();
    let (mut engine, book) = proved(&mut store);
    let (snapshot, dirty) = store.publish();
    let later = engine.evaluate(&snapshot, &dirty, &book, noon().plus(13 * HOUR));
    assert_eq!(of(&later, "acme").wall(Wall::Sec), Verdict::Unproven);
    let back = engine.evaluate(&snapshot, &Dirty::default(), &book, noon().plus(HOUR));
    assert_eq!(of(&back, "acme").wall(Wall::Sec), Verdict::Holds);
}

#[test]
fn a_receipt_that_cannot_be_compared_neither_counts_nor_lapses() {
    let mut store = seed_store();
    let (mut engine, book) = proved(&mut store);
    let mut vault = seed_vault();
    vault.policies.state = SourceState::Denied { why: "permission denied".into() };
    store.apply(Change::Vault(Box::new(vault)));
    let (snapshot, dirty) = store.publish();
    let assessment = engine.evaluate(&snapshot, &dirty, &book, noon());
    let check = of(&assessment, "acme").of_wall(Wall::Sec).next().unwrap();
    assert_eq!((check.verdict, check.lapsed.as_ref()), (Verdict::Unproven, None));
    let message = &check.findings.first().unwrap().message;
    assert!(message.ends_with("can't be said: vault policies: denied: permission denied"), "{message}");
    store.apply(Change::Vault(Box::new(seed_vault())));
    let (snapshot, dirty) = store.publish();
    assert_eq!(of(&engine.evaluate(&snapshot, &dirty, &book, noon()), "acme").wall(Wall::Sec), Verdict::Holds);
    // mounts that we may never read are no part of it
    let mut vault = seed_vault();
    vault.secret_mounts =
        partywall::model::vault::Part { state: SourceState::Denied { why: "permission denied".into() }, ..Default::default() };
    store.apply(Change::Vault(Box::new(vault)));
    let (snapshot, _) = store.publish();
    let tenants = from_scratch(&EngineConfig::default(), &snapshot, &book, noon()).tenants;
    let mut book = Book::default();
    book.add(held(&snapshot, &tenants, ProbeId::Vault, "acme", "globex", noon()));
    let assessment = from_scratch(&EngineConfig::default(), &snapshot, &book, noon());
    let verdict = |id: &str| of(&assessment, "acme").checks.iter().find(|check| check.check.id == id).unwrap().verdict;
    assert_eq!((verdict("SEC-01"), verdict("SEC-02"), verdict("SEC-05")), (Verdict::Holds, Verdict::Holds, Verdict::Unknown));
}
