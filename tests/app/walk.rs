//! What keys and data do.

use std::sync::Arc;

use partywall::app::effect::Effect;
use partywall::app::msg::{Key, KeyCode, Level, Msg, ProbeNews};
use partywall::app::state::{Dialog, Screen as Which};
use partywall::fix::guard::Mode;
use partywall::model::kind::{Kind, WATCHED};
use partywall::model::source::SourceState;
use partywall::model::time::{MINUTE, SECOND};
use partywall::probe::spec::{PROBES, ProbeId};
use partywall::shot::fixture::{Fleet, NOW, Said, only_namespaces};

use crate::common::Screen;

#[test]
fn it_paints_before_anything_was_read() {
    let screen = Screen::new(Mode::Observe, Arc::default());
    assert!(screen.says("Connecting to kind-tenants") && screen.says("OBSERVE") && screen.says("connecting"));
    assert_eq!(screen.state.wake_at(NOW), None, "nothing ages: it sleeps");
}

#[test]
fn worst_first_and_the_cursor_follows_its_tenant() {
    let mut fleet = Fleet::new();
    let mut screen = Screen::new(Mode::Observe, fleet.publish());
    screen.keys("/globex\n\u{1b}");
    assert_eq!(screen.state.subject().0.as_deref(), Some("globex"));
    for (kind, name) in [(Kind::NetworkPolicy, "tenant-isolation"), (Kind::LimitRange, "tenant-limits")] {
        fleet.gone(kind, "web-tenant-globex", name);
    }
    let before = screen.picture().lines().position(|l| l.contains("▌globex"));
    screen.now = NOW.plus(SECOND);
    screen.send(Msg::Data(fleet.publish()));
    assert_eq!(screen.state.subject().0.as_deref(), Some("globex"));
    assert_eq!(screen.picture().lines().position(|l| l.contains("▌globex")), before, "no row moves under the cursor");
    assert!(screen.says("globex turned BREACHED: NetworkPolicy web-tenant-globex/tenant-isolation deleted"), "{}", screen.picture());
    let wake = screen.state.wake_at(screen.now).unwrap();
    assert!(wake <= NOW.plus(2 * SECOND));
    screen.now = NOW.plus(3 * SECOND);
    screen.send(Msg::Clock);
    assert_ne!(screen.picture().lines().position(|l| l.contains("▌globex")), before, "once it rests, the order is right again");
    assert_eq!(screen.state.subject().0.as_deref(), Some("globex"));
}

#[test]
fn a_filter_narrows_as_it_is_typed_and_escape_brings_all_back() {
    let mut screen = Screen::broken(Mode::Observe);
    screen.keys("/node-red");
    assert_eq!(screen.state.page().list.rows.len(), 4);
    assert!(screen.says("4 of 12"));
    screen.keys(" -wonka");
    assert_eq!(screen.state.page().list.rows.len(), 3);
    screen.keys("\n\u{1b}");
    assert_eq!(screen.state.page().list.rows.len(), 12);
    screen.keys("!");
    assert!(screen.state.page().list.rows.len() < 12 && screen.says("only what fails"));
    screen.keys("/zzz\n");
    assert!(screen.says("Esc shows them again"));
}

#[test]
fn screens_by_number_and_back_again() {
    let mut screen = Screen::broken(Mode::Observe);
    for (key, which, word) in [
        ("3", Which::Matrix, "Matrix"),
        ("4", Which::Violations, "WHAT IS WRONG"),
        ("5", Which::Quota, "FITS"),
        ("7", Which::Receipts, "PARTY WALL"),
        ("1", Which::Fleet, "TENANT"),
    ] {
        screen.keys(key);
        assert_eq!(screen.state.screen, which);
        assert!(screen.says(word), "{}", screen.picture());
    }
    screen.keys("j\n");
    assert_eq!(screen.state.screen, Which::Tenant);
    assert!(screen.says("declared open"), "the worst check is shown: {}", screen.picture());
    screen.keys("q");
    assert_eq!(screen.state.screen, Which::Fleet);
    assert!(matches!(screen.keys("q").as_slice(), [Effect::Quit]));
}

#[test]
fn n_walks_the_violations_across_tenants() {
    let mut screen = Screen::broken(Mode::Observe);
    let mut seen = Vec::new();
    while seen.last().is_none_or(|(tenant, _): &(String, &str)| tenant == "soylent") {
        screen.keys("n");
        let (tenant, check) = screen.state.subject();
        seen.push((tenant.unwrap().to_string(), check.unwrap()));
    }
    let (next, of_the_worst) = seen.split_last().unwrap();
    assert_eq!(next.0, "acme", "the next in the fleet's order");
    let soylent = screen.state.assessed("soylent").unwrap();
    let mut all: Vec<&str> = soylent.checks.iter().filter(|result| result.verdict.is_violation()).map(|result| result.check.id).collect();
    let checks: Vec<&str> = of_the_worst.iter().map(|(_, check)| *check).collect();
    let mut sorted = checks.clone();
    sorted.sort_unstable();
    all.sort_unstable();
    assert_eq!(sorted, all, "each once");
    assert!(checks.starts_with(&["NET-01", "NET-02"]) && checks.contains(&"RES-01"), "{checks:?}");
    screen.keys("N");
    assert_eq!(screen.state.subject(), (Some("soylent".into()), checks.last().copied()));
}

#[test]
fn p_probes_what_the_cursor_is_on_and_its_steps_are_shown() {
    let mut screen = Screen::broken(Mode::Probe);
    screen.keys("j\n");
    let effects = screen.keys("p");
    assert!(
        matches!(effects.as_slice(), [Effect::Probe(t, probes)] if t.as_ref() == "acme" && probes == &[ProbeId::Network]),
        "{effects:?}"
    );
    let receipt = Fleet::new().receipt(ProbeId::Network, "acme", Said::Crossed, 0).unwrap();
    let tenant = receipt.tenant.clone();
    screen.send(Msg::Probe(ProbeNews::Started { tenant: tenant.clone(), probe: ProbeId::Network, of: 5 }));
    screen.send(Msg::Probe(ProbeNews::Doing { tenant: tenant.clone(), probe: ProbeId::Network, what: "looking around".into() }));
    assert!(screen.says("looking around") && screen.says("step 1 of 5"), "{}", screen.picture());
    screen.send(Msg::Probe(ProbeNews::Did { tenant, probe: ProbeId::Network, step: receipt.steps[0].clone() }));
    assert!(screen.says("resolve whoami"));
    assert!(screen.keys("\u{1b}").iter().any(|e| matches!(e, Effect::CancelProbe)));
    screen.send(Msg::Probe(ProbeNews::Done(receipt)));
    assert!(screen.says("CROSSED"), "{}", screen.picture());
    screen.keys("\u{1b}");
    assert!(screen.state.dialog.is_none());
    let effects = screen.keys("P");
    assert!(matches!(effects.as_slice(), [Effect::Probe(_, probes)] if probes == &PROBES));
}

#[test]
fn leaving_while_a_probe_runs_asks_first() {
    let mut screen = Screen::broken(Mode::Probe);
    screen.keys("p\n");
    assert!(screen.keys("q").is_empty());
    assert!(matches!(screen.state.dialog, Some(Dialog::Quit)) && screen.says("leave?"));
    assert!(screen.keys("n").is_empty() && screen.state.dialog.is_none());
    assert!(matches!(screen.keys("qy").as_slice(), [Effect::Quit]));
}

#[test]
fn ctrl_c_cancels_and_twice_leaves() {
    let mut screen = Screen::broken(Mode::Probe);
    screen.keys("p");
    let ctrl_c = || Msg::Key(Key::ctrl('c'));
    assert!(matches!(screen.send(ctrl_c()).as_slice(), [Effect::CancelProbe]));
    assert!(matches!(screen.send(ctrl_c()).as_slice(), [Effect::Quit]));
    screen.now = NOW.plus(MINUTE);
    assert!(!screen.send(ctrl_c()).iter().any(|e| matches!(e, Effect::Quit)), "a minute later is not twice");
    assert!(matches!(screen.send(Msg::Key(Key::ctrl('z'))).as_slice(), [Effect::Suspend]));
}

#[test]
fn frozen_data_waits_and_is_shown_when_released() {
    let mut fleet = Fleet::new();
    let mut screen = Screen::new(Mode::Observe, fleet.publish());
    screen.keys("z");
    fleet.gone(Kind::NetworkPolicy, "web-tenant-wayne", "tenant-isolation");
    screen.send(Msg::Data(fleet.publish()));
    assert!(screen.says("FROZEN now, data waits") && !screen.says("wayne turned BREACHED"));
    screen.keys("z");
    assert!(!screen.says("FROZEN") && screen.says("wayne turned BREACHED"), "{}", screen.picture());
}

#[test]
fn redacting_leaves_no_name_on_any_screen() {
    let mut screen = Screen::broken(Mode::Fix);
    screen.keys("x");
    for keys in ["1", "\n", "3", "l\n", "\u{1b}4", "5", "7", "7jjjj", "L"] {
        screen.keys(keys);
        let picture = screen.picture();
        for name in ["acme", "globex", "soylent", "initech", "stark"] {
            assert!(!picture.contains(name), "{name} after {keys}:\n{picture}");
        }
        assert!(picture.contains("REDACTED"));
    }
}

#[test]
fn a_lost_source_dims_its_rows_and_says_why() {
    let mut fleet = Fleet::new();
    fleet.source(Kind::NetworkPolicy, SourceState::Stale { since: NOW.plus(-12 * SECOND), why: "connection reset\u{1b}[2J".into() });
    let screen = Screen::new(Mode::Observe, fleet.publish());
    assert!(screen.says("stale 10s: connection reset"), "{}", screen.picture());
    assert!(!screen.picture().contains('\u{1b}'));
    let screen = Screen::new(Mode::Observe, only_namespaces());
    assert!(
        screen.says(&format!("{} denied", WATCHED.len() - 1)) && screen.says("?12") && screen.says("not seen: "),
        "{}",
        screen.picture()
    );
}

#[test]
fn nothing_is_redrawn_when_nothing_changed() {
    let view = Fleet::broken().publish();
    let mut screen = Screen::new(Mode::Observe, view.clone());
    let drawn = screen.state.generation();
    screen.send(Msg::Data(view));
    screen.send(Msg::Resize(120, 40));
    screen.code(KeyCode::F(9));
    screen.keys("k");
    assert!(!screen.state.dirty(drawn));
    screen.keys("j");
    assert!(screen.state.dirty(drawn));
}

#[test]
fn it_wakes_when_an_age_reads_differently_and_not_before() {
    let mut screen = Screen::broken(Mode::Observe);
    let wake = screen.state.wake_at(NOW).unwrap();
    let before = screen.picture();
    screen.now = wake.plus(-1);
    screen.send(Msg::Clock);
    assert_eq!(screen.picture(), before);
    screen.now = wake;
    screen.send(Msg::Clock);
    assert_ne!(screen.picture(), before);
}

#[test]
fn notes_show_and_go_and_are_kept() {
    let mut screen = Screen::broken(Mode::Observe);
    screen.send(Msg::Note(Level::Warn, "mind the \u{7}gap".into()));
    assert!(screen.says("mind the \u{fffd}gap"));
    screen.now = NOW.plus(9 * SECOND);
    screen.send(Msg::Clock);
    assert!(!screen.says("mind the"));
    screen.keys("L");
    assert!(screen.says("mind the"));
}

#[test]
fn copy_and_save_ask_the_terminal_ring() {
    let mut screen = Screen::broken(Mode::Observe);
    assert!(matches!(screen.keys("jy").as_slice(), [Effect::Copy(text)] if text == "acme"));
    assert!(matches!(screen.keys("S").as_slice(), [Effect::SaveScreen]));
    assert!(matches!(screen.keys("r").as_slice(), [Effect::Reread]));
    assert!(matches!(screen.keys("t").as_slice(), [Effect::NextTheme]));
    let copied = screen.keys("\ny");
    assert!(
        matches!(copied.as_slice(), [Effect::Copy(text)] if text.contains("BREACHED") && text.contains("tenant-isolation deleted")),
        "{copied:?}"
    );
}
