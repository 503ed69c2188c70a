//! The ledger: a list, and the selected receipt as a shop would print it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::app::doc::span;
use crate::app::docs;
use crate::app::layout::{Area, Layout};
use crate::app::list::Row;
use crate::app::role::Role;
use crate::app::standing;
use crate::model::time::age;
use crate::posture::verdict::Verdict;
use crate::receipt::Receipt;
use crate::receipt::judge::{Trial, judge};
use crate::ui::Cx;
use crate::ui::frame;
use crate::ui::pen::Pen;

/// Draws the screen.
pub fn draw(cx: &Cx<'_>, layout: &Layout, at: &dyn Fn(Area) -> Rect, buf: &mut Buffer) {
    let list = at(layout.list);
    let page = cx.state.page();
    if page.list.rows.is_empty() {
        return frame::centred(cx, at(layout.frame).union(at(layout.detail)).intersection(buf.area), buf, |width| {
            docs::empty::empty(cx.state, width)
        });
    }
    frame::frame(cx, at(layout.frame), &[span("ledger", Role::Title)], &format!("{}", page.all), true, buf);
    for (row, (i, id)) in (0..list.height).zip(page.list.window(usize::from(list.height))) {
        if let Row::Receipt(id) = id
            && let Some(receipt) = cx.state.view.book.get(id)
        {
            line(cx, list, row, receipt, buf);
        }
        if i == page.list.at {
            frame::select(cx, list, row, buf);
        }
    }
    let Some(Row::Receipt(id)) = &page.list.selected else { return };
    let area = at(layout.detail);
    let width = area.width.min(84);
    let area = Rect { width, ..area };
    frame::pane(cx, area, &[], "", page.scroll, buf, |width| docs::receipt::till(cx.state, id, width));
}

/// The worst of what a receipt shows.
fn outcome(receipt: &Receipt) -> (Verdict, String) {
    let mut held = 0;
    let mut vacuous = None;
    for crossing in &receipt.crossings {
        match judge(receipt, crossing) {
            Trial::Crossed => return (Verdict::Breached, "crossed".into()),
            Trial::Vacuous(why) => vacuous = Some(why),
            Trial::Held(_) => held += 1,
        }
    }
    match vacuous {
        Some(_) => (Verdict::Vacuous, "proves nothing".into()),
        None if held == 0 => (Verdict::Vacuous, "tried nothing".into()),
        None => (Verdict::Holds, format!("held {held}×")),
    }
}

fn line(cx: &Cx<'_>, area: Rect, row: u16, receipt: &Receipt, buf: &mut Buffer) {
    let standing = standing::of(cx.state, &receipt.id);
    let (verdict, word) = outcome(receipt);
    let role = if standing.counts { Role::of(verdict) } else { Role::Muted };
    let say = cx.state.sayer();
    let mut pen = Pen::new(cx, buf, area, row);
    pen.put(" ", Style::new());
    pen.put(cx.sym.verdict(verdict), cx.style(role)).put(" ", Style::new());
    pen.cell_right(&age(cx.state.now.since(receipt.created)), 3, cx.style(Role::Muted)).put(" ", Style::new());
    let tenant = usize::from(area.width).saturating_sub(28).clamp(8, 16);
    pen.cell(&say.say(&receipt.tenant), tenant, cx.style(if standing.counts { Role::Strong } else { Role::Muted })).put(" ", Style::new());
    pen.cell(receipt.probe.wall().short(), 4, cx.style(Role::Muted));
    let text = if standing.counts { word } else { format!("{word}, lapsed") };
    pen.put_cut(&text, cx.style(role));
}
