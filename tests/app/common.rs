//! A screen driven by hand.

use std::sync::Arc;

use partywall::app::effect::Effect;
use partywall::app::msg::{Key, KeyCode, Msg, View};
use partywall::app::{Settings, State, update};
use partywall::fix::guard::Mode;
use partywall::model::time::Time;
use partywall::shot::fixture::{Fleet, NOW};
use partywall::shot::text;
use partywall::ui::theme::Theme;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

pub struct Screen {
    pub state: State,
    pub now: Time,
}

impl Screen {
    pub fn new(mode: Mode, view: Arc<View>) -> Self {
        let settings = Settings { mode, theme: "dark".into(), context: "kind-tenants".into(), ..Settings::default() };
        let mut screen = Self { state: State::new(settings, (120, 40), NOW), now: NOW };
        screen.send(Msg::Data(view));
        screen
    }

    pub fn broken(mode: Mode) -> Self {
        Self::new(mode, Fleet::broken().publish())
    }

    pub fn send(&mut self, msg: Msg) -> Vec<Effect> {
        update(&mut self.state, msg, self.now)
    }

    pub fn code(&mut self, code: KeyCode) -> Vec<Effect> {
        self.send(Msg::Key(Key::plain(code)))
    }

    /// Types; a line feed is Enter, an escape is Esc.
    pub fn keys(&mut self, keys: &str) -> Vec<Effect> {
        let mut effects = Vec::new();
        for c in keys.chars() {
            effects.extend(self.code(match c {
                '\n' => KeyCode::Enter,
                '\u{1b}' => KeyCode::Esc,
                c => KeyCode::Char(c),
            }));
        }
        effects
    }

    pub fn picture(&self) -> String {
        let (w, h) = self.state.size;
        let mut buf = Buffer::empty(Rect::new(0, 0, w, h));
        partywall::ui::draw(&self.state, &Theme::load("dark").unwrap(), buf.area, &mut buf);
        text(&buf)
    }

    pub fn says(&self, what: &str) -> bool {
        self.picture().contains(what)
    }
}
