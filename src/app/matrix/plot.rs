//! Where the matrix puts its columns, from the room and the number of tenants alone. Used by update (windows and pages) and by drawing.

/// What is to be placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Want {
    /// Columns of tenants.
    pub tenants: usize,
    /// Columns of fixed targets.
    pub targets: usize,
    /// Columns of the longest name.
    pub longest: usize,
    /// The targets have the room.
    pub wide: bool,
}

/// How the heads of a group of columns are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Heads {
    /// Side by side on one line.
    #[default]
    Flat,
    /// On two lines by turns.
    Staggered,
    /// Letter under letter.
    Upright,
}

/// A group of columns of one width.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Group {
    /// Where it begins.
    pub x: usize,
    /// Width of a column.
    pub cell: usize,
    /// How many fit.
    pub shown: usize,
    /// How their heads are written.
    pub heads: Heads,
}

impl Group {
    /// Columns it takes.
    pub const fn width(&self) -> usize {
        self.cell * self.shown
    }
}

/// Where everything goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Plot {
    /// Width of a row's name.
    pub label: usize,
    /// Width of the count of tenants reached; 0 hides it.
    pub reach: usize,
    /// Width of the counts for tomorrow and of what is undefined; 0 hides them.
    pub later: usize,
    /// Tenants as columns.
    pub tenants: Group,
    /// Fixed targets as columns.
    pub targets: Group,
    /// Lines of heads.
    pub lines: usize,
    /// A line with signs and counts below.
    pub foot: bool,
}

/// The widest cell that says more than a narrower one.
const CELL: usize = 18;
/// The widest column of a target beside tenants, and with the room for itself.
const AIM: (usize, usize) = (10, 16);

/// Places everything in so many columns. `h` is the height of the whole screen: heads are higher where it is.
pub fn plot(w: usize, h: usize, want: Want) -> Plot {
    let label = want.longest.clamp(6, 24).min((w / 5).max(8)).min(w.saturating_sub(2));
    let mut free = w.saturating_sub(label + 2);
    let reach = if free >= 40 { 6 } else { 0 };
    let crowded = 2 * (want.tenants + want.targets) + 20 > free && free < 130;
    let later = if free >= 84 && !crowded { 12 } else { 0 };
    free -= reach + later;
    let (cell, shown, aim, aims) = if want.wide { targets_first(free, want) } else { tenants_first(free, want) };
    let mut tenants = Group { x: w.min(label + 2 + reach + later), cell, shown, heads: Heads::Flat };
    let gap = if shown > 0 { 2 } else { 0 };
    let mut targets = Group { x: (tenants.x + tenants.width() + gap).min(w), cell: aim, shown: aims, heads: Heads::Flat };
    let tall = match h {
        ..9 => 1,
        9..15 => 3,
        15..22 => 5,
        22..34 => 6,
        _ => 9,
    };
    let mut lines = 0;
    for (group, longest) in [(&mut tenants, want.longest), (&mut targets, 8)] {
        if group.shown > 0 {
            group.heads = heads(group.cell, longest);
            lines = lines.max(match group.heads {
                Heads::Flat => 1,
                Heads::Staggered => 2,
                Heads::Upright => longest.min(tall),
            });
        }
    }
    Plot { label, reach, later, tenants, targets, lines: lines.min(h.saturating_sub(8)), foot: h >= 12 }
}

/// The tenants take what they need, the targets one sign each and what is left over.
fn tenants_first(free: usize, want: Want) -> (usize, usize, usize, usize) {
    let least = if want.targets == 0 { 0 } else { 2 * want.targets + 2 };
    let aims = if free >= least + 2 * want.tenants.min(4) { want.targets } else { 0 };
    let room = if aims == 0 { free } else { free - least };
    let cell = (room / want.tenants.max(1)).clamp(2, CELL);
    let shown = (room / cell).min(want.tenants);
    let spare = room - cell * shown;
    let aim = spare.checked_div(aims).map_or(0, |more| (2 + more).min(AIM.0));
    (cell, shown, aim, aims)
}

/// The targets take what they need, the tenants what is left over.
fn targets_first(free: usize, want: Want) -> (usize, usize, usize, usize) {
    let beside = if want.tenants == 0 { 0 } else { 6 };
    let room = free.saturating_sub(beside);
    let aim = (room / want.targets.max(1)).clamp(2, AIM.1);
    let aims = (room / aim).min(want.targets);
    let left = free.saturating_sub(aim * aims + 2);
    let cell = (left / want.tenants.max(1)).clamp(2, CELL);
    (cell, (left / cell).min(want.tenants), aim, aims)
}

/// Names beside each other where they fit, by turns on two lines where that shows enough of them.
const fn heads(cell: usize, longest: usize) -> Heads {
    if longest < cell {
        Heads::Flat
    } else if cell >= 4 && (longest < 2 * cell || cell >= 6) {
        Heads::Staggered
    } else {
        Heads::Upright
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_stays_inside() {
        for (w, h) in (0..250).flat_map(|w| [0, 1, 3, 7, 15, 30, 60].map(|h| (w, h))) {
            for tenants in [0, 1, 2, 12, 50, 1000] {
                for (targets, longest, wide) in [(8, 5, false), (8, 40, true), (0, 12, false), (1, 12, true), (8, 0, true)] {
                    let want = Want { tenants, targets, longest, wide };
                    let p = plot(w, h, want);
                    assert!(p.tenants.x + p.tenants.width() <= w.max(2), "{w} {want:?} {p:?}");
                    assert!(p.targets.x + p.targets.width() <= w.max(2), "{w} {want:?} {p:?}");
                    assert!(p.tenants.shown <= tenants && p.targets.shown <= targets);
                    assert!(p.lines < h.max(1) || p.lines == 0, "{h} {p:?}");
                }
            }
        }
    }

    #[test]
    fn two_tenants_have_wide_cells_and_a_thousand_narrow_ones() {
        let two = plot(120, 20, Want { tenants: 2, targets: 8, longest: 6, wide: false });
        assert_eq!((two.tenants.cell, two.tenants.shown, two.tenants.heads, two.targets.shown), (18, 2, Heads::Flat, 8));
        let many = plot(120, 20, Want { tenants: 1000, targets: 8, longest: 12, wide: false });
        assert_eq!((many.tenants.cell, many.tenants.heads, many.targets.shown), (2, Heads::Upright, 8));
        assert!(many.tenants.shown > 30, "{many:?}");
        let wide = plot(80, 20, Want { tenants: 12, targets: 8, longest: 12, wide: true });
        assert!(wide.targets.shown == 8 && wide.targets.cell >= 6 && wide.tenants.shown >= 2, "{wide:?}");
    }
}
