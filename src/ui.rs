//! Drawing only: the screen as a function of the state.

pub mod frame;
pub mod header;
pub mod pen;
pub mod theme;
pub mod views;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::layout::Area;
use crate::app::role::Role;
use crate::app::state::{Screen, State};
use crate::app::symbols::Symbols;
use crate::app::update::moves;
use crate::app::words::{self, Standing};
use theme::Theme;

/// What drawing needs at hand.
pub struct Cx<'a> {
    /// The state.
    pub state: &'a State,
    /// The theme.
    pub theme: &'a Theme,
    /// The symbols.
    pub sym: &'static Symbols,
    /// How Kubernetes stands, worked out once a frame.
    pub kube: Standing,
}

impl Cx<'_> {
    /// The style of a role.
    pub fn style(&self, role: Role) -> ratatui::style::Style {
        self.theme.style(role)
    }
}

/// Draws the whole screen into `area`. Pure; never draws outside it, never panics, whatever the size.
pub fn draw(state: &State, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let area = area.intersection(buf.area);
    if area.is_empty() {
        return;
    }
    let cx = Cx { state, theme, sym: state.symbols(), kube: words::kubernetes(&state.view.snapshot) };
    buf.set_style(area, theme.style(Role::Ground));
    let layout = moves::now(state, area.width, area.height);
    let at = |part: Area| Rect::new(area.x + part.x, area.y + part.y, part.w, part.h).intersection(area);
    header::header(&cx, layout.class, at(layout.header), buf);
    header::banner(&cx, at(layout.banner), buf);
    header::title(&cx, at(layout.title), buf);
    match state.screen {
        Screen::Fleet => views::fleet::draw(&cx, &layout, &at, buf),
        Screen::Tenant => views::tenant::draw(&cx, &layout, &at, buf),
        Screen::Matrix => views::matrix::draw(&cx, &layout, &at, buf),
        Screen::Quota => views::quota::draw(&cx, &layout, &at, buf),
        Screen::Violations => views::violations::draw(&cx, &layout, &at, buf),
        Screen::Vault => views::vault::draw(&cx, &layout, &at, buf),
        Screen::Receipts => views::receipts::draw(&cx, &layout, &at, buf),
    }
    header::status(&cx, at(layout.status), buf);
    header::keys(&cx, at(layout.keys), buf);
    views::dialog::draw(&cx, area, buf);
}
