//! The walkthrough on the demo's servers, and what is sent in each mode: the recorded requests are the proof.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests say what they expect by panicking"
)]

#[path = "common/fleet.rs"]
mod fleet;
#[path = "common/testbed.rs"]
mod testbed;

use std::time::Duration;

use fleet::{Fleet, net_of, wall_of};
use partywall::demo::{DemoHandle, DemoOptions, RequestLog};
use partywall::fix::guard::{Mode, WritePermit};
use partywall::posture::verdict::Verdict;
use partywall::posture::wall::Wall;
use partywall::probe::spec::PROBES;

const SECONDS_20: Duration = Duration::from_secs(20);

async fn demo() -> DemoHandle {
    partywall::demo::start(DemoOptions { script: false, ..DemoOptions::default() }).await.unwrap()
}

fn is_review(request: &RequestLog) -> bool {
    request.path.contains("/selfsubject") || request.path.contains("selfsubjectreviews")
}

fn is_read(request: &RequestLog) -> bool {
    matches!(request.method.as_str(), "GET" | "LIST" | "HEAD")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn observe_sends_reads_and_self_reviews_only() {
    let handle = demo().await;
    let fleet = Fleet::demo(&handle, Mode::Observe).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let tried = fleet.worker.probe(&"acme".into(), PROBES[0], tokio_util::sync::CancellationToken::new()).await;
    assert!(tried.is_err(), "observe mode tries nothing");
    let requests = handle.requests();
    assert!(requests.len() > 20, "something was read: {}", requests.len());
    let others: Vec<_> = requests.iter().filter(|r| !is_read(r) && !is_review(r)).collect();
    assert!(others.is_empty(), "{others:#?}");
    assert!(
        requests.iter().all(|r| !r.path.contains("/exec") && !r.path.contains("/secret/data")),
        "no container entered, no secret path read"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn probe_mode_writes_nothing_that_lasts() {
    let handle = demo().await;
    let mut fleet = Fleet::demo(&handle, Mode::Probe).await;
    fleet.probe("globex", &PROBES).await;
    for wall in [Wall::Net, Wall::Sec, Wall::Res] {
        fleet.until("the wall holds", SECONDS_20, |view| wall_of(view, "globex", wall) == Verdict::Holds).await;
    }
    let harmless = |r: &RequestLog| {
        is_read(r)
            || is_review(r)
            || r.path.contains("/subjectaccessreviews")
            || r.path.contains("dryRun=All")
            || (r.method == "POST" && r.path.contains("/serviceaccounts/") && r.path.contains("/token"))
            || (r.method == "POST" && r.path.contains("/exec?"))
            || (r.method == "POST" && r.path.contains("/v1/auth/kubernetes/login"))
            || (r.method == "POST" && r.path.contains("/v1/sys/capabilities-self"))
            || (matches!(r.method.as_str(), "POST" | "PUT")
                && (r.path.contains("/v1/auth/token/revoke-self") || r.path.contains("/v1/auth/token/renew-self")))
    };
    let others: Vec<_> = handle.requests().into_iter().filter(|r| !harmless(r)).collect();
    assert!(others.is_empty(), "{others:#?}");
    // every read of a secret path carries the version that cannot exist, or asks for metadata only
    let bare: Vec<_> =
        handle.requests().into_iter().filter(|r| r.path.contains("/secret/data") && !r.path.contains("version=999999999")).collect();
    assert!(bare.is_empty(), "{bare:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_without_default_deny_is_fixed_probed_and_undone() {
    let handle = demo().await;
    let mut fleet = Fleet::demo(&handle, Mode::Fix).await;
    let view = fleet.view();
    let open =
        view.assessment.by_tenant.values().find(|t| t.wall(Wall::Net) == Verdict::Breached).expect("the scenario has an open tenant");
    let tenant = open.tenant.clone();
    let plan = fleet.worker.plan(&tenant, "NET-01").await.unwrap();
    assert!(plan.applicable(), "{plan:#?}");
    let applied = fleet.worker.apply(plan.clone(), WritePermit::grant(Mode::Fix, &plan, &tenant).unwrap()).await.unwrap();
    fleet.until("declared right", SECONDS_20, |view| net_of(view, &tenant) != Verdict::Breached).await;
    let permit = WritePermit::grant(Mode::Fix, &applied.inverse, &tenant).unwrap();
    fleet.worker.undo(applied.inverse.clone(), permit).await.unwrap();
    fleet.until("open again", SECONDS_20, |view| net_of(view, &tenant) == Verdict::Breached).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_tenant_may_write_its_own_policies_and_the_finding_names_who_gave_it() {
    let handle = demo().await;
    let view = Fleet::demo(&handle, Mode::Observe).await.view();
    let guard = |tenant: &str| view.assessment.by_tenant[tenant].checks.iter().find(|check| check.check.id == "NET-14").unwrap();
    for tenant in view.assessment.by_tenant.keys() {
        let expected = if &**tenant == "umbrella" { Verdict::Breached } else { Verdict::Unproven };
        assert_eq!(guard(tenant).verdict, expected, "{tenant}: {:#?}", guard(tenant).findings);
    }
    assert_eq!(
        guard("umbrella").findings[0].message,
        "RoleBinding n8n-self-service lets ServiceAccount web-tenant-umbrella/default create, update, patch, delete NetworkPolicy by Role n8n-self-service"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_hostile_tenant_writes_reaches_no_report_and_no_screen_as_a_control_sequence() {
    use partywall::app::msg::{Key, KeyCode, Msg};
    use partywall::app::state::{Settings, State};
    use partywall::app::update::update;
    use ratatui::buffer::Buffer;
    use ratatui::layout::Rect;

    let handle = demo().await;
    let fleet = Fleet::demo(&handle, Mode::Observe).await;
    let view = fleet.view();
    let hostile = |c: char| c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c) || ('\u{2066}'..='\u{2069}').contains(&c);
    let written = view.snapshot.namespaces.values().flat_map(|n| n.refusals.values()).any(|event| event.message.contains(hostile));
    assert!(written, "the scenario has a tenant whose events carry control sequences");

    let now = partywall::live::now();
    let reports = [
        partywall::report::check::table(&view.assessment, &[]),
        partywall::report::check::json(&view.assessment, true, &[]).to_string(),
        partywall::report::status::table(&view, now),
        partywall::report::status::json(&view).to_string(),
    ];
    for report in &reports {
        assert!(!report.contains(|c: char| hostile(c) && c != '\n'), "{report:?}");
    }

    let theme = partywall::ui::theme::Theme::load("dark").unwrap();
    let mut state = State::new(Settings::default(), (120, 40), now);
    update(&mut state, Msg::Data(view.clone()), now);
    let area = Rect::new(0, 0, 120, 40);
    for screen in "134572".chars() {
        update(&mut state, Msg::Key(Key::plain(KeyCode::Char(screen))), now);
        for _ in 0..40 {
            let mut buffer = Buffer::empty(area);
            partywall::ui::draw(&state, &theme, area, &mut buffer);
            let drawn: String = buffer.content().iter().map(ratatui::buffer::Cell::symbol).collect();
            assert!(!drawn.contains(hostile), "screen {screen}: {drawn:?}");
            update(&mut state, Msg::Key(Key::plain(KeyCode::Down)), now);
        }
    }
}
