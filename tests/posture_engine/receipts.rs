//! Receipts that hold, made by hand: what a probe would have recorded.

use std::sync::Arc;

use partywall::model::event::Authority;
use partywall::model::snapshot::Snapshot;
use partywall::model::tenant::Tenants;
use partywall::model::time::Time;
use partywall::probe::depends::depends;
use partywall::probe::spec::ProbeId;
use partywall::receipt::{ClusterId, Crossing, Outcome, Receipt, Step};

pub fn step(outcome: Outcome, at: Time) -> Step {
    Step { what: "try".into(), from: "api".into(), outcome, said: String::new(), code: "0".into(), request_id: None, at, took: 1 }
}

pub fn authority(probe: ProbeId) -> Authority {
    match probe {
        ProbeId::Network => Authority::NetworkDrop,
        ProbeId::Vault => Authority::VaultAcl,
        ProbeId::Resource => Authority::LimitRanger,
    }
}

fn checks(probe: ProbeId) -> &'static [&'static str] {
    match probe {
        ProbeId::Network => &["NET-01", "NET-02"],
        ProbeId::Vault => &["SEC-01", "SEC-02", "SEC-03", "SEC-05", "SEC-06", "SEC-07"],
        ProbeId::Resource => &["RES-01", "RES-04"],
    }
}

/// A receipt of this moment, with all controls; `attempt` is what came of the crossing.
pub fn receipt(
    snapshot: &Snapshot,
    tenants: &Tenants,
    probe: ProbeId,
    tenant: &str,
    partner: &str,
    attempt: Outcome,
    at: Time,
) -> Arc<Receipt> {
    let crossing = Crossing {
        what: "cross".into(),
        checks: checks(probe).iter().map(|id| (*id).to_owned()).collect(),
        expected: vec![authority(probe)],
        source: vec![0],
        target: vec![1],
        sober: vec![2],
        attempts: vec![3],
    };
    let partner = (probe != ProbeId::Resource).then(|| partner.into());
    Arc::new(Receipt {
        id: format!("{at}-{}-{tenant}", probe.id()).into(),
        probe,
        tenant: tenant.into(),
        depends: depends(snapshot, tenants, probe, tenant, partner.as_deref()).unwrap_or_default(),
        partner,
        cluster: ClusterId {
            context: "test".into(),
            uid: snapshot.server.cluster_uid.clone(),
            version: "".into(),
            simulated: snapshot.server.simulated,
        },
        operator: "tester".into(),
        mode: "probe".into(),
        steps: vec![step(Outcome::Answered, at), step(Outcome::Answered, at), step(Outcome::Failed, at), step(attempt, at)],
        crossings: vec![crossing],
        created: at,
        expires: at.plus(probe.lifetime()),
    })
}

pub fn held(snapshot: &Snapshot, tenants: &Tenants, probe: ProbeId, tenant: &str, partner: &str, at: Time) -> Arc<Receipt> {
    receipt(snapshot, tenants, probe, tenant, partner, Outcome::Refused { by: authority(probe) }, at)
}
