//! Who can reach whom, on the screen: the cursor both ways, the filter of both sides, the story of a cell, and that nothing looks better than it is.

use std::sync::Arc;

use partywall::app::docs;
use partywall::app::effect::Effect;
use partywall::app::keymap::{Layer, find, layer};
use partywall::app::matrix::shade::Shade;
use partywall::app::matrix::{self, Column};
use partywall::app::msg::{Key, KeyCode, Msg};
use partywall::app::role::Role;
use partywall::app::state::{Dialog, Screen as Which};
use partywall::fix::guard::Mode;
use partywall::model::kind::Kind;
use partywall::model::source::SourceState;
use partywall::model::time::{HOUR, SECOND};
use partywall::netpol::answer::Answer;
use partywall::netpol::matrix::{Cell, Matrix, Row};
use partywall::netpol::ports::PortSet;
use partywall::netpol::story::End;
use partywall::netpol::target::Target;
use partywall::shot::fixture::{Fleet, NOW, shaded, walls, with_matrix};
use partywall::ui::theme::Theme;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::common::Screen;

fn screen() -> Screen {
    let mut screen = Screen::new(Mode::Observe, shaded(&Fleet::new().publish()));
    screen.keys("3");
    screen
}

fn at(screen: &Screen) -> (String, String) {
    let (from, to) = matrix::cursor(&screen.state).unwrap();
    (from.to_string(), docs::matrix::name(&screen.state, &to))
}

fn on(from: &str, to: &str) -> (String, String) {
    (from.to_owned(), to.to_owned())
}

fn drawn(screen: &Screen, theme: &str) -> Buffer {
    let (w, h) = screen.state.size;
    let mut buf = Buffer::empty(Rect::new(0, 0, w, h));
    partywall::ui::draw(&screen.state, &Theme::load(theme).unwrap(), buf.area, &mut buf);
    buf
}

#[test]
fn the_cursor_goes_both_ways_and_on_to_the_targets() {
    let mut screen = screen();
    screen.keys("g0");
    let first = at(&screen);
    assert_eq!(first.0, first.1, "rows and columns are in one order");
    screen.keys("jl");
    assert_ne!(at(&screen), first);
    screen.code(KeyCode::Left);
    screen.code(KeyCode::Up);
    assert_eq!(at(&screen), first);
    screen.keys("h");
    assert_eq!(at(&screen), first, "nothing is left of the first column");
    screen.code(KeyCode::End);
    screen.keys("l");
    assert_eq!(at(&screen).1, "the internet", "the targets follow the last tenant");
    screen.keys("$l");
    assert_eq!(at(&screen).1, "Vault");
    assert!(screen.state.screen == Which::Matrix);
    screen.code(KeyCode::Home);
    assert_eq!(at(&screen), first);
}

#[test]
fn rows_are_worst_first_and_equals_by_name() {
    let mut screen = screen();
    let place = |name: &str| screen.state.view.assessment.matrix.place(name).unwrap();
    let rows: Vec<String> = screen.state.page().list.rows.iter().map(|row| row.tenant().unwrap().to_string()).collect();
    let reach: Vec<_> = rows.iter().map(|name| screen.state.across.tally.reaches(place(name))).collect();
    assert!(reach.windows(2).all(|pair| pair[0] >= pair[1]), "{rows:?}");
    assert!(rows.windows(2).zip(reach.windows(2)).all(|(names, counts)| counts[0] != counts[1] || names[0] < names[1]), "{rows:?}");
    screen.keys("s");
    assert!(screen.says("order: name"));
    assert_eq!(screen.state.across.columns.rows, screen.state.page().list.rows);
}

#[test]
fn the_filter_is_for_both_sides_or_for_one() {
    let mut screen = screen();
    screen.keys("/from:acme to:globex");
    let shape =
        |screen: &Screen| (screen.state.page().list.rows.len(), screen.state.across.columns.rows.len(), screen.state.across.targets.len());
    assert_eq!(shape(&screen), (1, 1, 0));
    screen.keys("\n\u{1b}/node-red");
    assert_eq!(shape(&screen), (4, 4, 8), "{}", screen.picture());
    screen.keys("\u{1b}/to:vault\n");
    assert_eq!(shape(&screen), (12, 0, 1));
    assert_eq!(at(&screen).1, "Vault", "the cursor goes where there is something");
    screen.keys("\u{1b}!");
    assert!(shape(&screen).0 < 12 && shape(&screen).1 == 12);
    screen.keys("\u{1b}/zzz\n");
    assert!(screen.says("rows are hidden. Esc"), "{}", screen.picture());
}

#[test]
fn a_jump_begins_at_the_tenant_and_comes_back_to_it() {
    let mut screen = Screen::new(Mode::Observe, shaded(&Fleet::new().publish()));
    screen.keys("/hooli\n3");
    assert_eq!(at(&screen).0, "hooli");
    let gap = matrix::cursor(&screen.state).unwrap();
    assert!(matrix::shade(&screen.state, &gap.0, &gap.1).is_gap(), "on what is not shut in its row");
    screen.keys("2");
    assert_eq!((screen.state.screen, screen.state.tenant.as_deref()), (Which::Tenant, Some("hooli")));
    screen.keys("3j1");
    screen.keys("\u{1b}");
    let tenant = screen.state.subject().0;
    assert!(screen.state.screen == Which::Fleet && tenant.is_some());
    screen.keys("3");
    assert_eq!(Some(at(&screen).0), tenant.map(|t| t.to_string()));
}

#[test]
fn n_walks_the_gaps_in_reading_order_and_back() {
    let mut screen = screen();
    screen.keys("g0");
    let mut seen = Vec::new();
    for _ in 0..100 {
        let before = at(&screen);
        screen.keys("n");
        if at(&screen) == before {
            break;
        }
        let (from, to) = matrix::cursor(&screen.state).unwrap();
        assert!(matrix::shade(&screen.state, &from, &to).is_gap());
        seen.push(at(&screen));
    }
    let state = &screen.state;
    let totals = state.across.tally.totals(&state.view.assessment.matrix, NOW);
    let gaps: u32 =
        [Shade::Crossed, Shade::Every, Shade::Some, Shade::Today, Shade::Undefined].map(|shade| totals[shade as usize]).iter().sum();
    assert_eq!(u32::try_from(seen.len()).unwrap(), gaps, "each once: {seen:?}");
    assert!(screen.says("no more open cells this way"));
    for expected in seen.iter().rev().skip(1) {
        screen.keys("N");
        assert_eq!(at(&screen), *expected);
    }
}

#[test]
fn v_turns_the_pair_round_and_w_gives_the_room_to_the_targets() {
    let mut screen = screen();
    screen.keys("g0l");
    let (from, to) = at(&screen);
    screen.keys("v");
    assert_eq!(at(&screen), on(&to, &from));
    screen.keys("w");
    assert!(
        screen.state.across.wide && screen.state.across.aim == Some(Target::Internet) && screen.says("METADATA"),
        "{}",
        screen.picture()
    );
    screen.keys("v");
    assert!(screen.says("only a pair of tenants"));
    screen.keys("w");
    assert_eq!(at(&screen), on(&to, &from), "the cursor is back among the tenants");
}

#[test]
fn enter_asks_why_at_once_and_the_story_fills_it() {
    let mut screen = screen();
    screen.keys("g0l");
    let (from, to) = matrix::cursor(&screen.state).unwrap();
    let effects = screen.keys("\n");
    let [Effect::Explain(End::Tenant(source), End::Tenant(destination))] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!((source, &Column::Tenant(destination.clone())), (&from, &to));
    assert!(screen.says("asking") && screen.says("why: "), "{}", screen.picture());
    let (source, destination) = (End::Tenant(source.clone()), End::Tenant(destination.clone()));
    let other = Box::new(walls::story("globex", "wayne"));
    screen.send(Msg::Story(destination.clone(), source.clone(), Some(other)));
    assert!(screen.says("asking"), "a story of another pair is not for this dialog");
    screen.send(Msg::Story(source.clone(), destination.clone(), Some(Box::new(walls::story(&from, "hooli")))));
    for words in ["OPEN", "BLOCKED", "out of the source", "into the destination", "spec.egress[0]", "nearest: ", "the port does"] {
        assert!(screen.says(words), "{words}\n{}", screen.picture());
    }
    assert!(matches!(screen.keys("y").as_slice(), [Effect::Copy(text)] if text.contains("NetworkPolicy web-tenant-hooli/n8n")));
    assert!(matches!(screen.keys("r").as_slice(), [Effect::Explain(..)]), "r asks again");
    screen.send(Msg::Story(source, destination, None));
    assert!(screen.says("one of the two is gone"), "{}", screen.picture());
    screen.keys("\u{1b}");
    assert!(screen.state.dialog.is_none() && screen.state.screen == Which::Matrix);
}

#[test]
fn the_story_that_is_open_is_asked_for_again_when_data_come() {
    let mut fleet = Fleet::new();
    let mut screen = Screen::new(Mode::Observe, shaded(&fleet.publish()));
    screen.keys("3g0l\n");
    fleet.gone(Kind::NetworkPolicy, "web-tenant-wayne", "tenant-isolation");
    let effects = screen.send(Msg::Data(shaded(&fleet.publish())));
    assert!(matches!(effects.as_slice(), [Effect::Explain(..)]), "{effects:?}");
    screen.keys("\u{1b}");
    fleet.gone(Kind::NetworkPolicy, "web-tenant-oscorp", "tenant-isolation");
    assert!(screen.send(Msg::Data(shaded(&fleet.publish()))).is_empty());
}

#[test]
fn a_tenant_with_itself_and_a_target_are_explained_as_what_they_are() {
    let mut screen = screen();
    screen.keys("g0");
    assert!(screen.keys("\n").is_empty() && screen.says("no wall stands between them"));
    screen.keys("$$");
    let effects = screen.keys("e");
    assert!(matches!(effects.as_slice(), [Effect::Explain(End::Tenant(_), End::Target(Target::Vault))]), "{effects:?}");
    assert!(matches!(screen.state.dialog, Some(Dialog::Story(_))));
    assert_eq!((layer(&screen.state), find(Key::plain(KeyCode::Char('j')), Layer::Hearing).is_some()), (Layer::Hearing, true));
}

#[test]
fn nothing_undefined_is_ever_drawn_as_proved() {
    // a receipt that held for the pair, and declarations that leave something undefined
    let view = Fleet::new().publish();
    let odd = Answer { sure: Arc::default(), may: Arc::new(PortSet::all()) };
    let tenants: Vec<_> = view.assessment.by_tenant.keys().cloned().collect();
    let cells = [
        Cell { now: odd.clone(), future: odd.clone() },
        Cell { now: Answer::default(), future: odd },
        Cell { now: Answer::default(), future: Answer::sure(PortSet::all()) },
    ];
    for cell in cells {
        let row = Arc::new(Row { base: cell, except: Vec::new(), targets: Vec::new() });
        let matrix = Matrix { tenants: tenants.clone().into(), rows: vec![row; tenants.len()], blind: None };
        let mut screen = Screen::new(Mode::Observe, with_matrix(&view, matrix));
        screen.keys("3");
        let proved = screen.state.across.tally.tried("globex", "wayne", NOW);
        assert_eq!(proved, partywall::posture::verdict::Tried::Held, "the receipt is there");
        let style = Theme::load("dark").unwrap().style(Role::HeatProved);
        let buf = drawn(&screen, "dark");
        assert!(buf.content().iter().all(|cell| Some(cell.bg) != style.bg), "{}", screen.picture());
        assert!(!screen.says("proved"), "{}", screen.picture());
    }
}

#[test]
fn proved_ends_with_its_receipt() {
    let mut screen = screen();
    let wayne = Column::Tenant("wayne".into());
    assert_eq!(matrix::shade(&screen.state, "globex", &wayne), Shade::Proved);
    assert!(screen.says("4 proved shut"), "{}", screen.picture());
    let expires = screen.state.across.tally.proof("globex", "wayne", NOW).unwrap().expires;
    assert!(screen.state.wake_at(NOW).is_some_and(|at| at <= expires));
    screen.now = expires;
    screen.send(Msg::Clock);
    assert_eq!(matrix::shade(&screen.state, "globex", &wayne), Shade::Declared);
    assert!(expires > NOW.plus(HOUR) && screen.says("2 proved shut"), "acme's own receipt is younger: {}", screen.picture());
}

#[test]
fn what_can_not_be_relied_on_is_dimmed_and_says_since_when() {
    let mut fleet = Fleet::new();
    fleet.source(Kind::NetworkPolicy, SourceState::Stale { since: NOW.plus(-12 * SECOND), why: "connection reset\u{1b}[2J".into() });
    let mut lost = Screen::new(Mode::Observe, shaded(&fleet.publish()));
    lost.keys("3");
    let mut matrix = (*lost.state.view.assessment.matrix).clone();
    matrix.blind = Some("Namespace can't be\u{1b}[2J listed".into());
    let mut blind = Screen::new(Mode::Observe, with_matrix(&Fleet::new().publish(), matrix));
    blind.keys("3");
    for (screen, why) in [(&lost, "since 10s: NetworkPolicy stale"), (&blind, "listed")] {
        assert!(screen.says("nothing may be concluded") && screen.says(why), "{}", screen.picture());
        assert!(!screen.picture().contains('\u{1b}'));
        let buf = drawn(screen, "dark");
        let theme = Theme::load("dark").unwrap();
        for role in [Role::HeatEvery, Role::HeatSome, Role::HeatToday, Role::HeatProved, Role::HeatUndefined] {
            let style = theme.style(role);
            let (x, y) = (40, 12);
            let map = buf.content().iter().enumerate().filter(|(i, _)| i % 120 > x && i / 120 > y && i / 120 < 24);
            assert!(map.clone().count() > 0 && map.into_iter().all(|(_, cell)| Some(cell.bg) != style.bg), "{role:?} {}", screen.picture());
        }
    }
}

#[test]
fn it_is_of_use_with_a_thousand_and_with_two() {
    let fleet = Fleet::new().publish();
    let many: Vec<_> = (0..1_000).map(|i| format!("t{i:04}").into()).collect();
    let mut screen = Screen::new(Mode::Observe, with_matrix(&fleet, walls::matrix(&many)));
    screen.keys("3");
    screen.keys("g0>>>");
    assert!(screen.says("of 1000") && screen.says("rows 1-") && screen.state.across.columns.offset > 0, "{}", screen.picture());
    screen.code(KeyCode::PageDown);
    assert!(screen.state.page().list.at > 10);
    screen.keys("<G");
    assert_eq!(screen.state.page().list.at, 999);
    let two: Vec<_> = ["acme", "globex"].map(Into::into).into();
    let mut screen = Screen::new(Mode::Observe, with_matrix(&fleet, walls::matrix(&two)));
    screen.keys("3");
    assert!(screen.says("declared shut") && screen.says("INTERNET") && screen.says("itself"), "{}", screen.picture());
    let mut none = Screen::new(Mode::Observe, with_matrix(&fleet, Matrix::default()));
    none.keys("3l>vn\n");
    assert!(none.says("not known yet") && none.state.dialog.is_none(), "{}", none.picture());
}

#[test]
fn hostile_names_are_cleaned_in_every_part() {
    let fleet = Fleet::new().publish();
    let names: Vec<_> = ["acme", "evil\u{1b}[2J\u{202e}日本", "globex"].map(Into::into).into();
    let mut screen = Screen::new(Mode::Observe, with_matrix(&fleet, walls::matrix(&names)));
    screen.keys("3l");
    for size in [(120, 40), (80, 24), (60, 15), (200, 60)] {
        screen.send(Msg::Resize(size.0, size.1));
        let buf = drawn(&screen, "mono");
        assert!(buf.content().iter().all(|cell| !cell.symbol().contains(['\u{1b}', '\u{202e}'])), "{size:?}");
    }
    screen.keys("\n");
    let dialog = (End::Tenant("acme".into()), End::Tenant("evil\u{1b}[2J\u{202e}日本".into()));
    screen.send(Msg::Story(dialog.0, dialog.1, Some(Box::new(walls::story("acme", "evil\u{1b}[2J\u{202e}日本")))));
    assert!(screen.says("evil") && !screen.picture().contains('\u{1b}'), "{}", screen.picture());
}

#[test]
fn a_target_that_is_not_known_is_said_to_be_so() {
    let mut screen = screen();
    screen.keys("g$$\n");
    let Some(Dialog::Story(dialog)) = &screen.state.dialog else { panic!("{}", screen.picture()) };
    let (from, to) = (dialog.from.clone(), dialog.to.clone());
    assert_eq!(to, End::Target(Target::Vault));
    screen.send(Msg::Story(from, to, None));
    assert!(screen.says("Nothing can be told: its address is not known here"), "{}", screen.picture());
}
