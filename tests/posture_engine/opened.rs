//! What a changed policy of Vault does to the walkthrough's tenants.

use partywall::model::changes::Change;
use partywall::model::kind::Kind;
use partywall::model::snapshot::How;
use partywall::model::vault::VaultPolicy;
use partywall::posture::engine::{Engine, EngineConfig};
use partywall::posture::verdict::{Declared, Verdict};
use partywall::posture::wall::Wall;
use partywall::receipt::book::Book;
use std::sync::Arc;

use crate::facts::*;
use crate::walkthrough::{of, proved};

/// The walkthrough's policy as its authors wrote it, and widened by one star.
#[test]
fn widening_the_policy_by_a_star_breaches_the_secret_wall_with_the_witness() {
    let mut store = seed_store();
    let (mut engine, book) = proved(&mut store);
    let (snapshot, dirty) = store.publish();
    let before = engine.evaluate(&snapshot, &dirty, &book, noon());
    for tenant in ["acme", "globex"] {
        let check = |id: &str| of(&before, tenant).checks.iter().find(|check| check.check.id == id).unwrap();
        assert_eq!((check("SEC-05").declared, check("SEC-05").verdict), (Declared::Right, Verdict::Holds));
        assert_eq!(of(&before, tenant).wall(Wall::Sec), Verdict::Holds);
        let tight = check("SEC-11").findings.iter().find(|finding| finding.reason == Some("VLT-18")).unwrap();
        assert_eq!(tight.verdict, Verdict::Degraded);
        assert!(tight.message.contains("itself and nothing below it"), "{}", tight.message);
    }
    let mut vault = seed_vault();
    let wide = "# written in a hurry\npath \"secret/data/web-tenant-*\" { capabilities = [\"read\"] }";
    Arc::make_mut(&mut vault.policies.items).insert("tenant-acme".into(), VaultPolicy::new(wide));
    store.apply(Change::Vault(Box::new(vault)));
    let (snapshot, dirty) = store.publish();
    let after = engine.evaluate(&snapshot, &dirty, &book, noon().plus(1));
    let acme = of(&after, "acme");
    assert_eq!(acme.wall(Wall::Sec), Verdict::Breached);
    let (object, how) = acme.changed.as_ref().unwrap().object.as_ref().unwrap();
    assert_eq!((object.kind, object.name.as_ref(), *how), (Kind::VaultPolicy, "tenant-acme", How::Changed), "which change did it");
    let crossing = acme.checks.iter().find(|check| check.check.id == "SEC-05").unwrap().findings.first().unwrap();
    assert_eq!((crossing.reason, crossing.verdict), (Some("VLT-01"), Verdict::Breached));
    for part in [
        "n8n-acme",
        "gets at globex: it may read the value",
        "policy tenant-acme line 2 `secret/data/web-tenant-*`",
        "`secret/data/web-tenant-globex`",
    ] {
        assert!(crossing.message.contains(part), "{part}: {}", crossing.message);
    }
    let witness = crossing.evidence.iter().find(|evidence| evidence.field == "witness").unwrap();
    assert_eq!((witness.object.kind, witness.value.as_str()), (Kind::VaultPolicy, "read secret/data/web-tenant-globex"));
    // what only acme's policy changed is judged again for acme, and for globex, which was tried against it
    let globex = of(&after, "globex");
    assert_eq!(globex.checks.iter().find(|check| check.check.id == "SEC-05").unwrap().declared, Declared::Right);
}

/// A poll in which one policy changed judges the tenant that carries it, and no other.
#[test]
fn one_changed_policy_judges_one_tenant() {
    let mut store = seed_store();
    let mut engine = Engine::new(EngineConfig::default());
    let (snapshot, dirty) = store.publish();
    let before = engine.evaluate(&snapshot, &dirty, &Book::default(), noon());
    let mut vault = seed_vault();
    let other = VaultPolicy::new("path \"secret/data/web-tenant-acme/*\" { capabilities = [\"read\"] }");
    Arc::make_mut(&mut vault.policies.items).insert("tenant-acme".into(), other);
    store.apply(Change::Vault(Box::new(vault)));
    let (snapshot, dirty) = store.publish();
    assert!(dirty.vault && !dirty.everything);
    let after = engine.evaluate(&snapshot, &dirty, &Book::default(), noon().plus(1));
    let same = |tenant: &str| Arc::ptr_eq(before.by_tenant.get(tenant).unwrap(), after.by_tenant.get(tenant).unwrap());
    assert!(same("globex") && !same("acme"));
}
