//! Layers over the screen.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::doc::{Span, span};
use crate::app::docs;
use crate::app::role::Role;
use crate::app::state::Dialog;
use crate::ui::Cx;
use crate::ui::frame;

/// Draws the open dialog, if one is open.
pub fn draw(cx: &Cx<'_>, screen: Rect, buf: &mut Buffer) {
    let Some(dialog) = &cx.state.dialog else { return };
    if screen.width < 12 || screen.height < 4 {
        return;
    }
    let doc = docs::dialog(cx.state, docs::dialog_width(cx.state, screen.width, screen.height));
    let area = docs::dialog_area(cx.state, screen.width, screen.height, doc.lines.len());
    let area = Rect::new(screen.x + area.x, screen.y + area.y, area.w, area.h).intersection(screen);
    for y in area.top()..area.bottom() {
        for x in area.left()..area.right() {
            if let Some(cell) = buf.cell_mut((x, y)) {
                cell.reset();
            }
        }
    }
    buf.set_style(area, cx.style(Role::Ground));
    buf.set_style(area, cx.style(Role::Surface));
    let (title, right) = title(cx, dialog);
    frame::frame(cx, area, &title, &right, true, buf);
    let inner = frame::inside(area);
    let inner = Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner };
    let most = doc.lines.len().saturating_sub(usize::from(inner.height));
    let scroll = match dialog {
        Dialog::Help { scroll } | Dialog::Log { scroll } => *scroll,
        Dialog::Probe { scroll } if cx.state.run.as_ref().is_some_and(crate::app::run::Run::running) => scroll.unwrap_or(most),
        Dialog::Probe { scroll } => scroll.unwrap_or(0),
        Dialog::Plan(plan) => plan.scroll,
        Dialog::Story(story) => story.scroll,
        Dialog::Ask(ask) => ask.scroll,
        Dialog::Quit => 0,
    };
    frame::text(cx, inner, &doc, scroll, buf);
    frame::more(cx, area, doc.lines.len(), scroll, buf);
}

fn title(cx: &Cx<'_>, dialog: &Dialog) -> (Vec<Span>, String) {
    let say = cx.state.sayer();
    let plain = |text: &str| vec![span(text, Role::Title)];
    match dialog {
        Dialog::Help { .. } => (plain("help"), String::new()),
        Dialog::Log { .. } => (plain("messages"), cx.state.notes.len().to_string()),
        Dialog::Quit => (plain("leave?"), String::new()),
        Dialog::Probe { .. } => {
            let Some(run) = &cx.state.run else { return (plain("probe"), String::new()) };
            let (verb, right) = match run.current() {
                Some((before, _)) => ("probing", format!("wall {} of {}", before + 1, run.parts.len())),
                None => ("probed", format!("{} steps", run.steps())),
            };
            (plain(&format!("{verb} {}", say.say(&run.tenant))), right)
        }
        Dialog::Story(story) => {
            let ends = [docs::story::end(cx.state, &story.from), docs::story::end(cx.state, &story.to)];
            let asking = if story.story.is_none() { "asking" } else { "" };
            (plain(&format!("why: {}", ends.join(&format!(" {} ", cx.sym.arrow)))), asking.to_owned())
        }
        Dialog::Ask(ask) if ask.everyone => (plain("who can reach a path"), String::new()),
        Dialog::Ask(ask) => (plain(&format!("what decides at a path for {}", say.say(&ask.tenant))), String::new()),
        Dialog::Plan(plan) => {
            let verb = match (plan.undo, plan.typed.is_some()) {
                (true, true) => "confirm undo",
                (true, false) => "undo",
                (false, true) => "confirm",
                (false, false) => "fix plan",
            };
            (plain(&format!("{verb}: {} of {}", plan.check, say.say(&plan.tenant))), recipe(plan))
        }
    }
}

fn recipe(plan: &crate::app::state::PlanDialog) -> String {
    plan.plan.as_ref().and_then(|p| p.as_ref().ok()).map(|p| p.recipe.clone()).unwrap_or_default()
}
