//! Columns of the fleet's table: which there are, and which of them fit. Pure, so that the key that shows the others knows whether there are any.

use super::state::{Screen, State};
use super::update::moves;
use crate::posture::catalogue::CHECKS;
use crate::posture::wall::Wall;

/// What a column shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// The tenant's name.
    Tenant,
    /// What runs there.
    Kind,
    /// A wall's verdict.
    Wall(Wall),
    /// The fullest of some resources.
    Gauge(&'static [&'static str]),
    /// How many violations.
    Violations,
    /// Checks with a receipt that counts, of those that can be tried.
    Coverage,
    /// Age of the oldest receipt that counts.
    Proved,
    /// What moved a wall last.
    Changed,
}

/// A column: its width is at least `min`, at most `max`; of those that don't fit the highest `rank` goes first.
#[derive(Debug)]
pub struct Column {
    /// Its heading.
    pub title: &'static str,
    /// What it shows.
    pub what: What,
    min: usize,
    max: usize,
    rank: u8,
}

const fn column(title: &'static str, what: What, min: usize, max: usize, rank: u8) -> Column {
    Column { title, what, min, max, rank }
}

/// Processor time.
pub const CPU: What = What::Gauge(&["requests.cpu", "limits.cpu", "cpu"]);
/// Memory.
pub const MEM: What = What::Gauge(&["requests.memory", "limits.memory", "memory"]);
/// Pods.
pub const PODS: What = What::Gauge(&["pods", "count/pods"]);

/// Every column, from left to right.
pub static COLUMNS: [Column; 16] = [
    column("TENANT", What::Tenant, 14, 24, 0),
    column("KIND", What::Kind, 8, 9, 9),
    column("NET", What::Wall(Wall::Net), 3, 4, 0),
    column("SEC", What::Wall(Wall::Sec), 3, 4, 0),
    column("RES", What::Wall(Wall::Res), 3, 4, 0),
    column("IDN", What::Wall(Wall::Idn), 3, 4, 6),
    column("RUN", What::Wall(Wall::Run), 3, 4, 6),
    column("EXP", What::Wall(Wall::Exp), 3, 4, 6),
    column("APP", What::Wall(Wall::App), 3, 4, 6),
    column("CPU", CPU, 6, 15, 4),
    column("MEM", MEM, 6, 15, 3),
    column("PODS", PODS, 6, 15, 5),
    column("VIOL", What::Violations, 4, 5, 1),
    column("COV", What::Coverage, 5, 6, 2),
    column("PROVED", What::Proved, 6, 7, 7),
    column("CHANGED", What::Changed, 11, 13, 8),
];

/// Widths of the columns, in their order; 0 hides one.
pub type Widths = [usize; 16];

impl Column {
    /// The rank; a wall that no check of this release looks at gives way first.
    fn rank(&self) -> u8 {
        match self.what {
            What::Wall(wall) if CHECKS.iter().all(|check| check.wall != wall) => 20,
            _ => self.rank,
        }
    }

    /// When it may grow: names first, then gauges, then air.
    const fn stage(&self) -> u8 {
        match self.what {
            What::Tenant => 0,
            What::Gauge(_) => 1,
            _ => 2,
        }
    }
}

fn total(widths: &Widths) -> usize {
    widths.iter().sum::<usize>() + widths.iter().filter(|w| **w > 0).count() + 1
}

/// Hides columns, the highest rank first, until the others fit.
fn narrowed(room: usize, rank: impl Fn(usize, &Column) -> u8) -> Widths {
    let mut widths = [0; 16];
    for (width, column) in widths.iter_mut().zip(&COLUMNS) {
        *width = column.min;
    }
    while total(&widths) > room {
        let shown = COLUMNS.iter().enumerate().zip(widths.iter_mut()).filter(|((_, c), w)| c.rank > 0 && **w > 0);
        match shown.max_by_key(|((i, c), _)| rank(*i, c)) {
            Some((_, width)) => *width = 0,
            None => break,
        }
    }
    widths
}

/// Widths of the columns for so much room; what is left goes to names and gauges, evenly. With `others`, columns that do not fit otherwise
/// are shown before those that do.
pub fn widths(room: usize, longest: usize, others: bool) -> Widths {
    let mut widths = narrowed(room, |_, column| column.rank());
    if others {
        let first = widths;
        let fitted = |i: usize| first.get(i).is_some_and(|w| *w > 0);
        widths = narrowed(room, |i, column| if fitted(i) { 100 + column.rank() } else { column.rank() });
    }
    for stage in [0_u8, 1, 2] {
        let mut grown = true;
        while grown {
            grown = false;
            for (i, column) in COLUMNS.iter().enumerate() {
                let spare = room.saturating_sub(total(&widths));
                let Some(width) = widths.get_mut(i) else { continue };
                let most = if i == 0 { longest.clamp(column.min, column.max) } else { column.max };
                if *width > 0 && *width < most && spare > 0 && column.stage() == stage {
                    *width += 1;
                    grown = true;
                }
            }
        }
    }
    widths
}

/// How many columns of the fleet's table are not shown.
pub fn hidden(state: &State) -> usize {
    if state.screen != Screen::Fleet || state.page().list.rows.is_empty() {
        return 0;
    }
    let layout = moves::now(state, state.size.0, state.size.1);
    if layout.heads.is_empty() {
        return 0;
    }
    widths(usize::from(layout.list.w), 0, state.page().others).iter().filter(|w| **w == 0).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_fit_and_the_three_walls_stay() {
        for (room, others) in (0..300).flat_map(|room| [(room, false), (room, true)]) {
            let widths = widths(room, 20, others);
            assert!(room < 31 || total(&widths) <= room, "{room}");
            assert!(widths[0] > 0 && widths[2] > 0 && widths[3] > 0 && widths[4] > 0);
        }
        assert!(widths(118, 20, false).iter().all(|w| *w > 0), "nothing is hidden at 118");
    }

    #[test]
    fn what_is_hidden_comes_with_the_others_and_walls_without_checks_give_way_first() {
        let at = |title: &str, others: bool| {
            let i = COLUMNS.iter().position(|c| c.title == title).unwrap();
            widths(80, 14, others)[i] > 0
        };
        for (title, others) in [("PROVED", false), ("CHANGED", false), ("COV", false), ("KIND", true), ("IDN", true), ("APP", true)] {
            assert!(at(title, others), "{title} {others}");
        }
        assert!(!at("IDN", false) && !at("KIND", false) && !at("CHANGED", true));
    }
}
