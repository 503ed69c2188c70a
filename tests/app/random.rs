//! Whatever is pressed, whatever arrives, whatever the size: no panic, and no cell outside the area.

use std::sync::{Arc, LazyLock};

use partywall::app::msg::{Key, KeyCode, Level, Msg, ProbeNews, View};
use partywall::app::{Settings, State, update};
use partywall::fix::guard::Mode;
use partywall::model::kind::Kind;
use partywall::model::source::SourceState;
use partywall::model::time::Time;
use partywall::netpol::story::End;
use partywall::probe::spec::ProbeId;
use partywall::shot::fixture::{Fleet, NOW, Said, only_namespaces, shaded, walls};
use partywall::ui::theme::Theme;
use proptest::prelude::*;
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;

static VIEWS: LazyLock<Vec<Arc<View>>> = LazyLock::new(|| {
    let mut stale = Fleet::new();
    stale.source(Kind::Pod, SourceState::Down { since: NOW, why: "日本語 \u{202e}refused".into() });
    let mut views = vec![shaded(&Fleet::broken().publish()), Fleet::new().publish(), only_namespaces(), shaded(&stale.publish())];
    views.extend([crate::vault::view(), crate::vault::hostile(), Arc::default()]);
    views
});

fn key() -> impl Strategy<Value = Msg> {
    let keys = "jkgGJK lhl qqnN/!spPofuySzxtrL?1233456667[]yé日ev0$<>waa\u{1b}".chars().collect::<Vec<_>>();
    let named = [
        KeyCode::Enter,
        KeyCode::Esc,
        KeyCode::Tab,
        KeyCode::BackTab,
        KeyCode::PageDown,
        KeyCode::PageUp,
        KeyCode::End,
        KeyCode::Backspace,
        KeyCode::Left,
    ];
    prop_oneof![
        4 => prop::sample::select(keys).prop_map(|c| Msg::Key(Key::plain(KeyCode::Char(c)))),
        2 => prop::sample::select(named.to_vec()).prop_map(|code| Msg::Key(Key::plain(code))),
    ]
}

fn other() -> impl Strategy<Value = Msg> {
    let receipt = || Fleet::new().receipt(ProbeId::Network, "acme", Said::Held, 0).unwrap();
    prop_oneof![
        (1_u16..251, 1_u16..81).prop_map(|(w, h)| Msg::Resize(w, h)),
        (0..VIEWS.len()).prop_map(|i| Msg::Data(VIEWS[i].clone())),
        Just(Msg::Clock),
        "[a-z日\u{1b} ]{0,40}".prop_map(Msg::Paste),
        "[a-z日\u{1b} ]{0,400}".prop_map(|text| Msg::Note(Level::Error, text)),
        any::<bool>().prop_map(|ok| Msg::Planned("acme".into(), if ok { Err("no\u{7}".into()) } else { Err(String::new()) })),
        (0_usize..9).prop_map(|of| Msg::Probe(ProbeNews::Started { tenant: "acme".into(), probe: ProbeId::Vault, of })),
        Just(()).prop_map(move |()| Msg::Probe(ProbeNews::Done(receipt()))),
        any::<bool>().prop_map(|told| {
            let story = told.then(|| Box::new(walls::story("acme", "so\u{1b}[2Jylent")));
            Msg::Story(End::Tenant("acme".into()), End::Tenant("soylent".into()), story)
        }),
        any::<bool>().prop_map(|undo| Msg::Fixed { tenant: "acme".into(), result: Ok("done".into()), undo, inverse: None }),
    ]
}

/// Draws into the middle of a larger buffer and looks at the rim.
fn draw(state: &State, theme: &Theme, w: u16, h: u16) {
    let mut marked = Cell::default();
    marked.set_symbol("§");
    let mut buf = Buffer::filled(Rect::new(0, 0, w + 4, h + 4), marked.clone());
    let area = Rect::new(2, 2, w, h);
    partywall::ui::draw(state, theme, area, &mut buf);
    for y in 0..h + 4 {
        for x in 0..w + 4 {
            let inside = x >= 2 && x < w + 2 && y >= 2 && y < h + 2;
            assert!(inside || buf[(x, y)] == marked, "drawn outside at {x},{y} of {w}x{h}");
            assert!(!buf[(x, y)].symbol().contains(['\u{1b}', '\u{202e}', '\u{7}']));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn never_panics(msgs in prop::collection::vec(prop_oneof![5 => key().boxed(), 2 => other().boxed()], 1..60), mode in 0..3, ascii: bool, steps in prop::collection::vec(0_i64..4_000, 60)) {
        let mode = [Mode::Observe, Mode::Probe, Mode::Fix][mode as usize];
        let theme = Theme::load("light").unwrap();
        let settings = Settings { mode, theme: "light".into(), ascii, ..Settings::default() };
        let mut state = State::new(settings, (100, 30), NOW);
        let mut now: Time = NOW;
        update(&mut state, Msg::Data(VIEWS[0].clone()), now);
        for (i, (msg, step)) in msgs.into_iter().zip(steps).enumerate() {
            now = now.plus(step);
            update(&mut state, msg, now);
            let wake = state.wake_at(now);
            prop_assert!(wake.is_none_or(|t| t > now));
            if i % 6 == 0 {
                let (w, h) = state.size;
                draw(&state, &theme, w, h);
            }
        }
        let (w, h) = state.size;
        draw(&state, &theme, w, h);
    }

    #[test]
    fn draws_at_any_size(w in 1_u16..251, h in 1_u16..81, keys in "[1-7jl36aw<>v$\n?npfL/]{0,6}") {
        let theme = Theme::load("mono").unwrap();
        let settings = Settings { mode: Mode::Fix, theme: "mono".into(), ..Settings::default() };
        let mut state = State::new(settings, (w, h), NOW);
        update(&mut state, Msg::Data(VIEWS[usize::from(w % 7)].clone()), NOW);
        for c in keys.chars() {
            let code = if c == '\n' { KeyCode::Enter } else { KeyCode::Char(c) };
            update(&mut state, Msg::Key(Key::plain(code)), NOW);
        }
        draw(&state, &theme, w, h);
        // a size that the state has not been told yet
        draw(&state, &theme, 250 - w, 81 - h);
    }
}

#[test]
fn the_smallest_sizes() {
    let theme = Theme::load("dark").unwrap();
    let mut state = State::new(Settings::default(), (1, 1), NOW);
    update(&mut state, Msg::Data(VIEWS[4].clone()), NOW);
    for (w, h) in (1..12).flat_map(|w| (1..12).map(move |h| (w, h))) {
        for key in "1234567?".chars() {
            update(&mut state, Msg::Key(Key::plain(KeyCode::Char(key))), NOW);
            draw(&state, &theme, w, h);
            update(&mut state, Msg::Key(Key::plain(KeyCode::Esc)), NOW);
        }
    }
}
