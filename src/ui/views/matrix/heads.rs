//! The heads of the matrix's columns: side by side, by turns on two lines, or letter under letter.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr;

use super::{Map, columns, part};
use crate::app::doc::cut;
use crate::app::matrix::plot::{Group, Heads};
use crate::app::role::Role;
use crate::ui::pen::Pen;

/// Draws all heads, standing on the rows.
pub fn draw(map: &Map<'_>, area: Rect, buf: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let (cx, plot) = (map.cx, &map.plot);
    let style = cx.style(Role::Label);
    let last = area.height - 1;
    let mut pen = Pen::new(cx, buf, area, last);
    pen.skip(1).cell("FROM", plot.label, style).skip(1);
    if plot.reach > 0 {
        pen.cell_right("REACH", plot.reach - 1, style).skip(1);
    }
    if plot.later > 0 {
        pen.cell_right("LATER", plot.later / 2 - 1, style).skip(1);
        pen.cell_right("UNDEF", plot.later / 2 - 1, style).skip(1);
    }
    let state = cx.state;
    for (i, column) in map.columns.iter().enumerate() {
        let aimed = !state.across.on_targets() && column.at == state.across.columns.at;
        head(map, area, plot.tenants, i, &state.sayer().say(column.tenant), aimed, buf);
    }
    for (i, target) in state.across.targets.iter().take(plot.targets.shown).enumerate() {
        head(map, area, plot.targets, i, target.short(), state.across.aim == Some(*target), buf);
    }
}

/// One head; that of the column under the cursor stands out.
fn head(map: &Map<'_>, area: Rect, group: Group, i: usize, name: &str, aimed: bool, buf: &mut Buffer) {
    let cx = map.cx;
    let role = if aimed { Role::Title } else { Role::Muted };
    let mut style = cx.style(role);
    if aimed {
        style = style.patch(cx.style(Role::Selection));
    }
    let x = group.x + i * group.cell;
    let last = area.height - 1;
    match group.heads {
        Heads::Upright => {
            // the sign of a cell of three columns is in its middle
            let shift = usize::from(group.cell == 3);
            let letters: Vec<char> = upright(name, usize::from(area.height));
            let top = usize::from(area.height) - letters.len();
            for (line, letter) in letters.into_iter().enumerate() {
                Pen::new(cx, buf, part(area, x + shift, 1), columns(top + line)).put(letter.encode_utf8(&mut [0; 4]), style);
            }
        }
        Heads::Flat => {
            let room = group.cell.saturating_sub(1);
            Pen::new(cx, buf, part(area, x, room), last).put_cut(&indented(name, group.cell, room), style);
        }
        Heads::Staggered => {
            let line = if i.is_multiple_of(2) { last } else { last.saturating_sub(1) };
            let room = (2 * group.cell).saturating_sub(1);
            let own = part(area, x, if i + 1 == group.shown { room.min(group.cell) } else { room });
            Pen::new(cx, buf, own, line).put_cut(&indented(name, group.cell, room), style);
        }
    }
}

/// A name over the sign of its cells: wide cells have one column before it.
fn indented(name: &str, cell: usize, room: usize) -> String {
    if cell > 3 && name.width() < room { format!(" {name}") } else { cut(name, room) }
}

/// Letters of a name that stand under each other: narrow ones only, the last a sign that there is more.
fn upright(name: &str, most: usize) -> Vec<char> {
    let one = |c: char| if unicode_width::UnicodeWidthChar::width(c) == Some(1) { c } else { '?' };
    let mut letters: Vec<char> = name.chars().map(one).collect();
    if letters.len() > most {
        letters.truncate(most);
        if let Some(last) = letters.last_mut() {
            *last = '…';
        }
    }
    letters
}
