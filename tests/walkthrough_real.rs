//! The walkthrough on real servers: what the dashboard is for, step by step, each against the thing itself.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr, reason = "tests say what they expect by panicking")]

#[path = "common/fleet.rs"]
mod fleet;
#[path = "common/testbed.rs"]
mod testbed;

use std::time::{Duration, Instant};

use fleet::{Fleet, net_of, partywall, wall_of};
use partywall::fix::guard::{Mode, WritePermit};
use partywall::model::kind::Kind;
use partywall::model::source::SourceState;
use partywall::posture::verdict::Verdict;
use partywall::posture::wall::Wall;
use partywall::probe::spec::{PROBES, ProbeId};
use testbed::{Identity, Need, Testbed};

const SECONDS_20: Duration = Duration::from_secs(20);

#[test]
fn status_lists_both_tenants_with_the_quota_figures_the_server_has() {
    let Some(bed) = Testbed::shared(Need::Node) else { return };
    let state = tempfile::tempdir().unwrap();
    let out = partywall(&bed, state.path(), &["status", "-o", "json"]);
    assert!(out.status.success(), "{}", testbed::text(&out));
    let report: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    for tenant in ["acme", "globex"] {
        let shown =
            report["tenants"].as_array().unwrap().iter().find(|t| t["tenant"] == tenant).unwrap_or_else(|| panic!("{tenant} is missing"));
        let text = bed.kubectl_ok(&["-n", &format!("web-tenant-{tenant}"), "get", "resourcequota", "tenant-quota", "-o", "json"]);
        let real: serde_json::Value = serde_json::from_str(&text).unwrap();
        let hard = real["status"]["hard"].as_object().unwrap();
        assert_eq!(shown["quota"].as_array().unwrap().len(), hard.len());
        for row in shown["quota"].as_array().unwrap() {
            let resource = row["resource"].as_str().unwrap();
            assert_eq!(row["hard"], hard[resource], "{tenant} {resource}");
            assert_eq!(row["used"], real["status"]["used"][resource], "{tenant} {resource}");
        }
    }
}

#[test]
fn a_probe_of_globex_prints_three_receipts_and_its_walls_hold() {
    let Some(bed) = Testbed::shared(Need::Node) else { return };
    let state = tempfile::tempdir().unwrap();
    let out = partywall(&bed, state.path(), &["probe", "--tenant", "globex", "-o", "json"]);
    let report: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap_or_else(|_| panic!("{}", testbed::text(&out)));
    assert_eq!(report["receipts"].as_array().unwrap().len(), 3, "{report:#}");
    let walls = &report["tenants"][0]["walls"];
    for wall in ["NET", "SEC", "RES"] {
        assert_eq!(walls[wall], "HOLDS", "{wall}: {report:#}");
    }
    assert!(out.status.success());
    // a later run reads the ledger and says the same without trying again
    let later = partywall(&bed, state.path(), &["status", "-o", "json"]);
    let later: serde_json::Value = serde_json::from_slice(&later.stdout).unwrap();
    let globex = later["tenants"].as_array().unwrap().iter().find(|t| t["tenant"] == "globex").unwrap();
    assert_eq!(globex["walls"]["NET"], "HOLDS");
    let verify = partywall(&bed, state.path(), &["receipts", "verify"]);
    assert!(verify.status.success(), "{}", testbed::text(&verify));
    // nothing secret was written anywhere
    let canaries = [bed.canary("acme"), bed.canary("globex"), bed.vault_operator_token(), bed.vault_root_token(), "eyJhbGciOi"];
    fleet::assert_absent(state.path(), &canaries);
    for text in [&out.stdout, &out.stderr] {
        let text = String::from_utf8_lossy(text);
        assert!(canaries.iter().all(|canary| !text.contains(canary)), "a secret was printed");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_policy_turns_the_cell_within_a_second_and_applied_again_it_does_not_revive_the_receipt() {
    let Some(bed) = Testbed::alone(Need::Node) else { return };
    let mut fleet = Fleet::real(&bed, Identity::Admin, Mode::Probe).await;
    fleet.probe("acme", &[ProbeId::Network]).await;
    fleet.until("acme's network wall holds", SECONDS_20, |view| net_of(view, "acme") == Verdict::Holds).await;

    let deleted = Instant::now();
    bed.kubectl_ok(&["-n", "web-tenant-acme", "delete", "networkpolicy", "default-deny", "allow-dns", "allow-same-namespace"]);
    let gone = Instant::now();
    let view = fleet.until("acme's network wall is open", SECONDS_20, |view| net_of(view, "acme") == Verdict::Breached).await;
    eprintln!("kubectl took {:?}, the cell turned {:?} after it returned", gone - deleted, gone.elapsed());
    assert!(gone.elapsed() < Duration::from_secs(1), "within one second of the deletion");
    let acme = &view.assessment.by_tenant["acme"];
    let named = acme.changed.as_ref().unwrap();
    assert_eq!(named.object.as_ref().unwrap().0.kind, Kind::NetworkPolicy, "the change names its object: {named:?}");

    bed.command_ok("restore", &[]);
    let view = fleet.until("acme is declared right again", SECONDS_20, |view| net_of(view, "acme") != Verdict::Breached).await;
    assert_eq!(net_of(&view, "acme"), Verdict::Unproven, "the old receipt must not come back");
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(net_of(&fleet.view(), "acme"), Verdict::Unproven);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_enforcement_a_probe_reads_disputed_not_holds() {
    let Some(bed) = Testbed::alone(Need::Node) else { return };
    let mut fleet = Fleet::real(&bed, Identity::Admin, Mode::Probe).await;
    bed.command_ok("enforce-stop", &[]);
    fleet.probe("globex", &[ProbeId::Network]).await;
    fleet.until("declaration and behaviour disagree", SECONDS_20, |view| net_of(view, "globex") == Verdict::Disputed).await;
    bed.command_ok("enforce-start", &[]);
    tokio::time::sleep(Duration::from_secs(2)).await;
    fleet.probe("globex", &[ProbeId::Network]).await;
    fleet.until("the wall holds again", SECONDS_20, |view| net_of(view, "globex") == Verdict::Holds).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_fix_restores_a_deleted_default_deny_its_probe_holds_and_undo_undoes_it() {
    let Some(bed) = Testbed::alone(Need::Node) else { return };
    let mut fleet = Fleet::real(&bed, Identity::Admin, Mode::Fix).await;
    bed.kubectl_ok(&["-n", "web-tenant-acme", "delete", "networkpolicy", "default-deny", "allow-dns", "allow-same-namespace"]);
    fleet.until("acme's wall is open", SECONDS_20, |view| net_of(view, "acme") == Verdict::Breached).await;
    let tenant = "acme".into();
    let plan = fleet.worker.plan(&tenant, "NET-01").await.unwrap();
    assert!(plan.applicable(), "{plan:#?}");
    assert!(WritePermit::grant(Mode::Fix, &plan, "globex").is_err(), "another tenant's name is no confirmation");
    let permit = WritePermit::grant(Mode::Fix, &plan, "acme").unwrap();
    let applied = fleet.worker.apply(plan, permit).await.unwrap();
    fleet.until("declared right", SECONDS_20, |view| net_of(view, "acme") == Verdict::Unproven).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    fleet.probe("acme", &[ProbeId::Network]).await;
    fleet.until("the wall holds", SECONDS_20, |view| net_of(view, "acme") == Verdict::Holds).await;

    let permit = WritePermit::grant(Mode::Fix, &applied.inverse, "acme").unwrap();
    fleet.worker.undo(applied.inverse.clone(), permit).await.unwrap();
    fleet.until("undone", SECONDS_20, |view| net_of(view, "acme") == Verdict::Breached).await;
    let left = bed.kubectl_ok(&["-n", "web-tenant-acme", "get", "networkpolicy", "-o", "name"]);
    assert!(left.trim().is_empty(), "undo takes away what the fix made: {left}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restarted_api_server_turns_sources_stale_with_a_reason_and_they_recover_alone() {
    let Some(bed) = Testbed::alone(Need::Servers) else { return };
    let mut fleet = Fleet::real(&bed, Identity::Admin, Mode::Observe).await;
    let restart = {
        let script = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/testbed/restart-apiserver");
        let dir = bed.dir().to_owned();
        std::thread::spawn(move || std::process::Command::new(script).env("PARTYWALL_TESTBED_DIR", dir).output().unwrap())
    };
    let stale = |state: &SourceState| matches!(state, SourceState::Stale { why, .. } | SourceState::Down { why, .. } if !why.is_empty());
    let view = fleet.until("a source says it is stale and why", SECONDS_20, |view| stale(view.snapshot.source(Kind::NetworkPolicy))).await;
    assert_eq!(net_of(&view, "acme"), Verdict::Unknown, "what may be old is not shown as if it were new");
    assert!(restart.join().unwrap().status.success());
    // what nobody asks for stays off
    let live = |view: &partywall::app::msg::View| {
        view.snapshot.sources.values().all(|s| matches!(s, SourceState::Live | SourceState::Absent | SourceState::Off))
    };
    fleet.until("everything is live again", Duration::from_secs(60), live).await;
    assert_ne!(net_of(&fleet.view(), "acme"), Verdict::Unknown);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sealed_vault_turns_the_secret_wall_unknown_with_the_reason_and_it_recovers_alone() {
    let Some(bed) = Testbed::alone(Need::Servers) else { return };
    let mut fleet = Fleet::real(&bed, Identity::Admin, Mode::Observe).await;
    assert_ne!(wall_of(&fleet.view(), "acme", Wall::Sec), Verdict::Unknown, "{:#?}", fleet.view().assessment.unknowns);
    bed.command_ok("seal", &[]);
    let view = fleet.until("SEC is not known", SECONDS_20, |view| wall_of(view, "acme", Wall::Sec) <= Verdict::Unknown).await;
    assert!(view.snapshot.vault.server.sealed);
    let findings = view.assessment.by_tenant["acme"].of_wall(Wall::Sec).flat_map(|r| &r.findings).map(|f| f.message.to_lowercase());
    assert!(findings.into_iter().any(|message| message.contains("sealed")), "the reason is said");
    bed.command_ok("unseal", &[]);
    fleet.until("SEC is seen again", Duration::from_secs(30), |view| wall_of(view, "acme", Wall::Sec) == Verdict::Unproven).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_only_list_namespaces_gets_a_screen_of_honest_unknowns() {
    let Some(bed) = Testbed::shared(Need::Servers) else { return };
    let fleet = Fleet::real(&bed, Identity::NsLister, Mode::Observe).await;
    let view = fleet.view();
    let acme = &view.assessment.by_tenant["acme"];
    assert_eq!(acme.wall(Wall::Net), Verdict::Unknown);
    assert_eq!(acme.wall(Wall::Res), Verdict::Unknown);
    assert!(matches!(view.snapshot.source(Kind::NetworkPolicy), SourceState::Denied { why } if !why.is_empty()));
    assert!(!view.assessment.unknowns.is_empty());
    let holds = view.assessment.by_tenant.values().flat_map(|t| t.walls.values()).filter(|v| **v == Verdict::Holds).count();
    assert_eq!(holds, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_prober_and_the_viewer_need_no_more_than_their_roles() {
    let Some(bed) = Testbed::shared(Need::Node) else { return };
    let mut fleet = Fleet::real(&bed, Identity::Prober, Mode::Probe).await;
    fleet.probe("globex", &PROBES).await;
    fleet.until("globex holds", SECONDS_20, |view| view.assessment.by_tenant["globex"].grade == Verdict::Holds).await;
}
