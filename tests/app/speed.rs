//! How long a frame takes with a large fleet: printed, and held to a generous ceiling. `cargo test --release --test app speed -- --nocapture`

use std::time::Instant;

use partywall::app::msg::{Key, KeyCode, Msg};
use partywall::app::{Settings, State, update};
use partywall::shot::fixture::{NOW, large};
use partywall::ui::theme::Theme;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

#[test]
fn a_frame_of_a_thousand_tenants() {
    let theme = Theme::load("dark").unwrap();
    let view = large(1_000);
    let mut state = State::new(Settings::default(), (200, 60), NOW);
    update(&mut state, Msg::Data(view), NOW);
    let mut buf = Buffer::empty(Rect::new(0, 0, 200, 60));
    for (screen, name) in ["1", "3", "4"].into_iter().zip(["fleet", "quota", "violations"]) {
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
