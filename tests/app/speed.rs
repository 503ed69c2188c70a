//! How long a frame takes with a large fleet and how many bytes one writes: printed, and held to a generous ceiling. `cargo test --release --test app speed -- --nocapture`

use std::time::Instant;

use partywall::app::msg::{Key, KeyCode, Msg};
use partywall::app::{Settings, State, update};
use partywall::shot::fixture::Fleet;
use partywall::shot::fixture::{NOW, large, shaded};
use partywall::term::frame::Frames;
use partywall::ui::theme::Theme;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

#[test]
fn a_frame_of_a_thousand_tenants() {
    let theme = Theme::load("dark").unwrap();
    let view = shaded(&large(1_000));
    let mut state = State::new(Settings::default(), (200, 60), NOW);
    update(&mut state, Msg::Data(view), NOW);
    let mut buf = Buffer::empty(Rect::new(0, 0, 200, 60));
    for (screen, name) in ["1", "3", "4", "5", "6"].into_iter().zip(["fleet", "matrix", "violations", "quota", "vault"]) {
        if name == "vault" {
            update(&mut state, Msg::Data(crate::vault::many(1_000)), NOW);
        }
        update(&mut state, Msg::Key(Key::plain(KeyCode::Char(screen.chars().next().unwrap()))), NOW);
        let (mut keys, mut frames) = (Vec::new(), Vec::new());
        for _ in 0..60 {
            let start = Instant::now();
            update(&mut state, Msg::Key(Key::plain(KeyCode::Down)), NOW);
            keys.push(start.elapsed());
            let start = Instant::now();
            buf.reset();
            partywall::ui::draw(&state, &theme, buf.area, &mut buf);
            frames.push(start.elapsed());
        }
        keys.sort();
        frames.sort();
        println!("{name}: key p50 {:?}, frame p50 {:?} p95 {:?}", keys[30], frames[30], frames[57]);
        // unoptimised and beside other tests; what it guards is that no frame looks at every tenant's every row
        assert!(frames[30].as_millis() < 60, "{name}: {:?}", frames[30]);
    }
}

/// What a frame costs on the wire, synchronized-update marks included. Nothing when nothing changed; a move redraws two rows and the detail.
#[test]
fn what_a_first_paint_and_a_cursor_move_write() {
    for (theme, ascii, most) in [("dark", false, 8_000), ("light", false, 8_000), ("ansi16", false, 5_000), ("mono", true, 3_000)] {
        let styles = Theme::load(theme).unwrap();
        let area = Rect::new(0, 0, 120, 40);
        let mut state = State::new(Settings { ascii, ..Settings::default() }, (area.width, area.height), NOW);
        let mut frames = Frames::new(area, true);
        let mut write =
            |state: &State| frames.draw(area, &mut Vec::new(), |area, buf| partywall::ui::draw(state, &styles, area, buf)).unwrap();
        let first = write(&state);
        println!("{theme}: first paint {first} B");
        assert!(first <= 12 * 1024, "{theme}: first paint {first} B");
        update(&mut state, Msg::Data(shaded(&Fleet::broken().publish())), NOW);
        let secrets = crate::vault::view();
        for (key, screen) in "123546".chars().zip(["fleet", "tenant", "matrix", "quota", "violations", "vault"]) {
            if screen == "vault" {
                update(&mut state, Msg::Data(secrets.clone()), NOW);
            }
            update(&mut state, Msg::Key(Key::plain(KeyCode::Char(key))), NOW);
            write(&state);
            assert_eq!(write(&state), 0, "{theme} {screen}: nothing changed");
            update(&mut state, Msg::Key(Key::plain(KeyCode::Char('g'))), NOW);
            write(&state);
            let mut moves = Vec::new();
            let ways = if screen == "matrix" { [KeyCode::Down, KeyCode::Right] } else { [KeyCode::Down; 2] };
            for way in ways.iter().cycle().take(8) {
                update(&mut state, Msg::Key(Key::plain(*way)), NOW);
                moves.push(write(&state));
            }
            moves.sort_unstable();
            println!("{theme} {screen}: cursor move p50 {} B, most {} B", moves[4], moves[7]);
            assert!(moves[7] <= most, "{theme} {screen}: cursor move {} B", moves[7]);
        }
    }
}
