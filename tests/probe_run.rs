//! Probes end to end: on the simulated servers, on the real ones where the test bed is installed, and with hands that misbehave.
#![allow(
    clippy::format_push_string,
    clippy::format_collect,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "tests say what they expect by panicking"
)]

#[path = "common/fleet.rs"]
mod fleet;
#[path = "common/testbed.rs"]
mod testbed;

use std::time::Duration;

use fleet::Fleet;
use partywall::app::msg::{Msg, ProbeNews};
use partywall::demo::{self, DemoHandle, DemoOptions, Server};
use partywall::fix::guard::Mode;
use partywall::posture::verdict::Tried;
use partywall::probe::spec::{PROBES, ProbeId};
use partywall::probe::vault::{COMPARED, disputed};
use partywall::receipt::judge::{Trial, judge, tried};
use partywall::receipt::{Outcome, Receipt};
use testbed::{Identity, Need, Testbed};
use tokio_util::sync::CancellationToken;

/// What each check of the three probes was shown to be.
fn shown(receipts: &[std::sync::Arc<Receipt>]) -> Vec<(&'static str, Option<Tried>)> {
    let of = |check| receipts.iter().find_map(|receipt| tried(receipt, check));
    let checks = ["NET-01", "NET-02", "SEC-01", "SEC-02", "SEC-05", "SEC-06", "SEC-07", "RES-01", "RES-04"];
    checks.into_iter().map(|check| (check, of(check))).collect()
}

fn steps(receipt: &Receipt) -> String {
    receipt
        .steps
        .iter()
        .enumerate()
        .map(|(i, s)| format!("{i:2} {:?} [{}] {} -> {} ({} ms)\n", s.outcome, s.code, s.what, s.said, s.took))
        .collect()
}

fn everything_held(receipts: &[std::sync::Arc<Receipt>]) {
    for receipt in receipts {
        for crossing in &receipt.crossings {
            assert!(
                matches!(judge(receipt, crossing), Trial::Held(_)),
                "{}: {:?}\n{}",
                crossing.what,
                judge(receipt, crossing),
                steps(receipt)
            );
        }
    }
    assert!(shown(receipts).iter().all(|(_, tried)| *tried == Some(Tried::Held)), "{:?}", shown(receipts));
}

/// The policies say beforehand what every answer of the Vault probe will be.
fn as_predicted(receipt: &Receipt) {
    assert_eq!(disputed(receipt), None, "{}", steps(receipt));
    let compared = receipt.steps.iter().find(|step| step.what == COMPARED).expect("answers are compared");
    assert!(compared.said.contains(" as the policies say"), "{}", compared.said);
}

/// Nothing that may be secret is in anything a probe leaves behind.
fn nothing_secret(fleet: &mut Fleet, receipts: &[std::sync::Arc<Receipt>], canaries: &[&str]) {
    let mut all = format!("{receipts:?}\n{}", serde_json::to_string(receipts).unwrap());
    all += &std::fs::read_to_string(fleet.state.path().join("receipts.jsonl")).unwrap();
    while let Ok(message) = fleet.messages.try_recv() {
        all += &format!("{message:?}");
    }
    all += &format!("{:?}", fleet.live.options().vault);
    for canary in canaries {
        assert!(!all.contains(canary), "{canary} leaked");
    }
    // JWTs begin so; so do Vault's tokens in either product's spelling
    for begin in ["eyJ", "hvs.", "\"s."] {
        assert!(!all.contains(begin), "{begin} leaked");
    }
}

async fn demo_handle() -> DemoHandle {
    demo::start(DemoOptions::default()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_walkthrough_holds_on_the_simulated_servers_and_leaks_nothing() {
    let handle = demo_handle().await;
    let mut fleet = Fleet::demo(&handle, Mode::Probe).await;
    for tenant in ["acme", "globex"] {
        let receipts = fleet.probe(tenant, &PROBES).await;
        everything_held(&receipts);
        receipts.iter().filter(|receipt| receipt.probe == ProbeId::Vault).for_each(|receipt| as_predicted(receipt));
        assert!(receipts.iter().all(|receipt| receipt.cluster.simulated));
        nothing_secret(&mut fleet, &receipts, &["CANARY", handle.vault_token(), handle.vault_root_token()]);
    }
    sessions_are_closed(&handle);
}

/// As many sessions were revoked as were opened.
fn sessions_are_closed(handle: &DemoHandle) {
    let vault: Vec<_> = handle.requests().into_iter().filter(|request| request.server == Server::Vault).collect();
    let opened = vault.iter().filter(|r| r.path.ends_with("/login") && r.status == 200).count();
    let closed = vault.iter().filter(|r| r.path.ends_with("/revoke-self") && r.status < 300).count();
    assert!(opened > 0);
    assert_eq!(opened, closed, "sessions left open");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_tenant_of_the_demo_gets_receipts_or_a_reason() {
    let handle = demo_handle().await;
    let fleet = Fleet::demo(&handle, Mode::Probe).await;
    let tenants: Vec<_> = fleet.view().assessment.by_tenant.keys().cloned().collect();
    let runs = tenants.iter().flat_map(|tenant| PROBES.map(|probe| (tenant, probe)));
    let results = futures::future::join_all(runs.map(async |(tenant, probe)| {
        let result = fleet.worker.probe(tenant, probe, CancellationToken::new()).await;
        (tenant, probe, result)
    }));
    let mut crossed = 0;
    for (tenant, probe, result) in results.await {
        match result {
            Ok(receipt) => {
                if let Some(said) = disputed(&receipt) {
                    eprintln!("{tenant}: {said}");
                }
                for crossing in &receipt.crossings {
                    let trial = judge(&receipt, crossing);
                    crossed += usize::from(trial == Trial::Crossed);
                    eprintln!("{tenant} {:?} {}: {trial:?}", crossing.checks, crossing.what);
                }
            }
            Err(why) => {
                assert!(!why.is_empty());
                eprintln!("{tenant} {}: {why}", probe.id());
            }
        }
    }
    assert!(crossed > 0, "the demo has bad tenants, and some wall must be seen open");
    sessions_are_closed(&handle);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_vault_probe_leaves_no_session_open() {
    let handle = demo_handle().await;
    let mut fleet = Fleet::demo(&handle, Mode::Probe).await;
    for after in 1..12 {
        let cancel = CancellationToken::new();
        let (worker, stop) = (fleet.worker.clone(), cancel.clone());
        let run = tokio::spawn(async move { worker.probe(&"acme".into(), ProbeId::Vault, stop).await });
        let mut done = 0;
        while done < after {
            match fleet.messages.recv().await {
                Some(Msg::Probe(ProbeNews::Did { .. })) => done += 1,
                Some(Msg::Probe(ProbeNews::Done(_) | ProbeNews::Failed { .. })) => break,
                _ => {}
            }
        }
        cancel.cancel();
        let result = run.await.unwrap();
        assert!(
            result.as_ref().is_ok_and(|r| r.crossings.len() >= 3) || result.as_ref().is_err_and(|why| why == "cancelled"),
            "{result:?}"
        );
        while fleet.messages.try_recv().is_ok() {}
        sessions_are_closed_by(&handle, 0);
    }
}

fn sessions_are_closed_by(handle: &DemoHandle, left: usize) {
    let vault: Vec<_> = handle.requests().into_iter().filter(|request| request.server == Server::Vault).collect();
    let opened = vault.iter().filter(|r| r.path.ends_with("/login") && r.status == 200).count();
    let closed = vault.iter().filter(|r| r.path.ends_with("/revoke-self") && r.status < 300).count();
    assert_eq!(opened - closed, left, "sessions left open");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_vault_probe_revokes_in_the_background() {
    let handle = demo_handle().await;
    let mut fleet = Fleet::demo(&handle, Mode::Probe).await;
    let worker = fleet.worker.clone();
    let run = tokio::spawn(async move { worker.probe(&"acme".into(), ProbeId::Vault, CancellationToken::new()).await });
    loop {
        if let Some(Msg::Probe(ProbeNews::Did { step, .. })) = fleet.messages.recv().await
            && step.what.contains("log in to its own")
            && step.outcome == Outcome::Answered
        {
            break;
        }
    }
    run.abort();
    assert!(run.await.is_err());
    tokio::time::sleep(Duration::from_secs(1)).await;
    sessions_are_closed_by(&handle, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_walkthrough_holds_on_the_real_servers_and_leaks_nothing() {
    let Some(bed) = Testbed::shared(Need::Node) else { return };
    let mut fleet = Fleet::real(&bed, Identity::Admin, Mode::Probe).await;
    for tenant in ["acme", "globex"] {
        let began = std::time::Instant::now();
        let receipts = fleet.probe(tenant, &PROBES).await;
        eprintln!("{tenant}: {:?}\n{}", began.elapsed(), receipts.iter().map(|r| steps(r)).collect::<Vec<_>>().concat());
        everything_held(&receipts);
        receipts.iter().filter(|receipt| receipt.probe == ProbeId::Vault).for_each(|receipt| as_predicted(receipt));
        let canaries = [bed.canary("acme"), bed.canary("globex"), bed.vault_operator_token(), bed.vault_root_token()];
        nothing_secret(&mut fleet, &receipts, &canaries);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_of_a_real_vault_is_foretold() {
    let Some(bed) = Testbed::shared(Need::Servers) else { return };
    let mut fleet = Fleet::real(&bed, Identity::Admin, Mode::Probe).await;
    for tenant in ["acme", "globex"] {
        let receipts = fleet.probe(tenant, &[ProbeId::Vault]).await;
        eprintln!("{tenant}:\n{}", steps(&receipts[0]));
        for check in ["SEC-01", "SEC-02", "SEC-03", "SEC-05", "SEC-06", "SEC-07"] {
            assert_eq!(tried(&receipts[0], check), Some(Tried::Held), "{check}\n{}", steps(&receipts[0]));
        }
        as_predicted(&receipts[0]);
        nothing_secret(&mut fleet, &receipts, &[bed.canary("acme"), bed.canary("globex")]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wider_policy_on_a_real_vault_is_crossed_without_reading_the_secret() {
    let Some(bed) = Testbed::alone(Need::Servers) else { return };
    let wide = serde_json::json!({"policy": "path \"secret/data/*\" { capabilities = [\"read\"] }\npath \"secret/metadata/*\" { capabilities = [\"read\"] }"});
    let (status, _) = bed.vault("PUT", "sys/policies/acl/tenant-acme", bed.vault_root_token(), Some(&wide));
    assert!(status < 300);
    let mut fleet = Fleet::real(&bed, Identity::Admin, Mode::Probe).await;
    let receipts = fleet.probe("acme", &[ProbeId::Vault]).await;
    for (check, expected) in [
        ("SEC-01", Tried::Crossed),
        ("SEC-02", Tried::Held),
        ("SEC-05", Tried::Crossed),
        ("SEC-06", Tried::Crossed),
        ("SEC-07", Tried::Held),
    ] {
        assert_eq!(tried(&receipts[0], check), Some(expected), "{check}\n{}", steps(&receipts[0]));
    }
    as_predicted(&receipts[0]);
    nothing_secret(&mut fleet, &receipts, &[bed.canary("acme"), bed.canary("globex")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wildcard_role_on_a_real_vault_is_crossed_and_the_session_revoked() {
    let Some(bed) = Testbed::alone(Need::Servers) else { return };
    let role = serde_json::json!({"bound_service_account_names": "*", "bound_service_account_namespaces": "*", "token_policies": "tenant-acme", "token_ttl": "10m", "audience": "vault"});
    let (status, _) = bed.vault("POST", "auth/kubernetes/role/tenant-acme", bed.vault_root_token(), Some(&role));
    assert!(status < 300);
    let mut fleet = Fleet::real(&bed, Identity::Admin, Mode::Probe).await;
    let receipts = fleet.probe("acme", &[ProbeId::Vault]).await;
    assert_eq!(tried(&receipts[0], "SEC-02"), Some(Tried::Crossed), "{}", steps(&receipts[0]));
    let logins = receipts[0].steps.iter().filter(|s| s.what.contains("log in") && s.outcome == Outcome::Answered).count();
    let revoked = receipts[0].steps.iter().filter(|s| s.what.contains("revoke") && s.outcome == Outcome::Answered).count();
    assert_eq!(logins, revoked, "{}", steps(&receipts[0]));
}
