//! What is counted once when a matrix comes, so that no frame looks at cells that are not on the screen.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::shade::{SHADES, Shade};
use crate::model::ids::TenantId;
use crate::model::time::Time;
use crate::netpol::matrix::{Matrix, Row};
use crate::posture::assessment::Assessment;
use crate::posture::verdict::Tried;
use crate::receipt::ReceiptId;
use crate::receipt::book::Book;

/// How many other tenants one reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Reaches {
    /// On some port, today.
    pub open: u32,
    /// On every port, today; counted in `open` too.
    pub every: u32,
    /// Only with pods that may be made tomorrow.
    pub later: u32,
    /// Perhaps: nothing can be said.
    pub undefined: u32,
}

impl Reaches {
    fn add(&mut self, shade: Shade, times: u32) {
        match shade {
            Shade::Every => {
                self.open += times;
                self.every += times;
            }
            Shade::Some => self.open += times,
            Shade::Today => self.later += times,
            Shade::Undefined => self.undefined += times,
            Shade::Crossed | Shade::Declared | Shade::Proved | Shade::Own => {}
        }
    }

    /// Whether anything is or may be open.
    pub const fn any(&self) -> bool {
        self.open + self.later + self.undefined > 0
    }
}

/// What was tried between two tenants, with a receipt that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The receipt.
    pub receipt: ReceiptId,
    /// What it shows.
    pub tried: Tried,
    /// When it was made.
    pub made: Time,
    /// When it ends.
    pub expires: Time,
}

/// What was counted.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    of: Option<Arc<Matrix>>,
    reaches: Vec<Reaches>,
    reached: Vec<u32>,
    totals: [u32; SHADES.len()],
    longest: usize,
    proofs: Proofs,
}

/// By the source, then by the destination.
type Proofs = BTreeMap<TenantId, BTreeMap<TenantId, Proof>>;

impl Tally {
    /// Counts, unless it was done for this matrix. O(exceptions) for a new matrix, O(tenants) for the receipts.
    pub fn refresh(&mut self, assessment: &Assessment, book: &Book) {
        if self.of.as_ref().is_none_or(|of| !Arc::ptr_eq(of, &assessment.matrix)) {
            self.count(&assessment.matrix);
            self.of = Some(assessment.matrix.clone());
        }
        self.proofs = proofs(assessment, book);
    }

    /// Cells by what the declarations say, row by row.
    fn count(&mut self, matrix: &Matrix) {
        let n = matrix.tenants.len();
        self.totals = [0; SHADES.len()];
        self.reaches = Vec::with_capacity(n);
        // a column is reached by every row whose base is open, but for the exceptions
        let (mut by_all, mut by_some) = (0_i64, vec![0_i64; n]);
        for (place, row) in matrix.rows.iter().enumerate().take(n) {
            let counted = self.row(place, n, row);
            self.reaches.push(counted);
            let open = |shade: Shade| i64::from(matches!(shade, Shade::Every | Shade::Some));
            let base = open(Shade::of(&row.base, Tried::No));
            by_all += base;
            if let Some(own) = by_some.get_mut(place).filter(|_| !excepted(row, place)) {
                *own -= base;
            }
            for (to, cell) in &row.except {
                let to = *to as usize;
                let is = if to == place { 0 } else { open(Shade::of(cell, Tried::No)) };
                if let Some(count) = by_some.get_mut(to) {
                    *count += is - base;
                }
            }
        }
        self.reached = by_some.into_iter().map(|some| u32::try_from(by_all + some).unwrap_or(0)).collect();
        self.longest = matrix.tenants.iter().map(|t| unicode_width::UnicodeWidthStr::width(t.as_ref())).max().unwrap_or(0);
    }

    fn row(&mut self, place: usize, n: usize, row: &Row) -> Reaches {
        let mut reaches = Reaches::default();
        let mut others = n.saturating_sub(1);
        for (_, cell) in row.except.iter().filter(|(to, _)| *to as usize != place && (*to as usize) < n) {
            others = others.saturating_sub(1);
            self.one(Shade::of(cell, Tried::No), 1, &mut reaches);
        }
        self.one(Shade::of(&row.base, Tried::No), u32::try_from(others).unwrap_or(u32::MAX), &mut reaches);
        reaches
    }

    fn one(&mut self, shade: Shade, times: u32, reaches: &mut Reaches) {
        reaches.add(shade, times);
        if let Some(total) = self.totals.get_mut(shade as usize) {
            *total += times;
        }
    }

    /// Whether the row at this place holds a cell that is not shut: by its counts, or because a probe crossed there.
    pub fn promises(&self, place: usize) -> bool {
        let from = || self.of.as_ref().and_then(|matrix| self.proofs.get(matrix.tenants.get(place)?));
        self.reaches(place).any() || from().is_some_and(|to| to.values().any(|proof| proof.tried == Tried::Crossed))
    }

    /// How many others the tenant at this place reaches.
    pub fn reaches(&self, place: usize) -> Reaches {
        self.reaches.get(place).copied().unwrap_or_default()
    }

    /// How many others reach the tenant at this place today.
    pub fn reached(&self, place: usize) -> u32 {
        self.reached.get(place).copied().unwrap_or(0)
    }

    /// Columns of the longest name.
    pub const fn longest(&self) -> usize {
        self.longest
    }

    /// The receipt that speaks for a pair, if it still counts.
    pub fn proof(&self, from: &str, to: &str, now: Time) -> Option<&Proof> {
        self.proofs.get(from)?.get(to).filter(|proof| now < proof.expires)
    }

    /// What was tried between two tenants. O(log receipts).
    pub fn tried(&self, from: &str, to: &str, now: Time) -> Tried {
        self.proof(from, to, now).map_or(Tried::No, |proof| proof.tried)
    }

    /// How many pairs of tenants are of each shade. O(receipts).
    pub fn totals(&self, matrix: &Matrix, now: Time) -> [u32; SHADES.len()] {
        let mut totals = self.totals;
        let all = self.proofs.iter().flat_map(|(from, of)| of.iter().map(move |(to, proof)| (from, to, proof)));
        for (from, to, proof) in all.filter(|(.., proof)| now < proof.expires) {
            let Some(cell) = matrix.place(from).zip(matrix.place(to)).and_then(|(from, to)| matrix.cell(from, to)) else { continue };
            let (before, after) = (Shade::of(cell, Tried::No), Shade::of(cell, proof.tried));
            if let Some(total) = totals.get_mut(before as usize) {
                *total = total.saturating_sub(1);
            }
            if let Some(total) = totals.get_mut(after as usize) {
                *total += 1;
            }
        }
        totals
    }
}

fn excepted(row: &Row, place: usize) -> bool {
    u32::try_from(place).is_ok_and(|place| row.except.binary_search_by_key(&place, |(to, _)| *to).is_ok())
}

/// The checks whose trial speaks for a pair: whether it is the tenant that tried, or its partner.
const SPEAK: [(&str, bool); 2] = [("NET-01", true), ("NET-02", false)];

/// Receipts that count, by pair. Of two that speak for one pair a crossing stands, then what proves nothing.
fn proofs(assessment: &Assessment, book: &Book) -> Proofs {
    let rank = |tried: Tried| match tried {
        Tried::Crossed => 0,
        Tried::Vacuous => 1,
        Tried::Held => 2,
        Tried::No => 3,
    };
    let mut proofs = Proofs::new();
    for (tenant, assessed) in &assessment.by_tenant {
        for (check, tries) in SPEAK {
            let Some(result) = assessed.checks.iter().find(|result| result.check.id == check) else { continue };
            let Some(receipt) = result.receipt.as_ref().and_then(|id| book.get(id)) else { continue };
            let Some(partner) = &receipt.partner else { continue };
            let (from, to) = if tries { (tenant, partner) } else { (partner, tenant) };
            let made = Proof { receipt: receipt.id.clone(), tried: result.tried, made: receipt.created, expires: receipt.expires };
            let of = proofs.entry(from.clone()).or_default();
            if of.get(to).is_none_or(|known| rank(made.tried) < rank(known.tried)) {
                of.insert(to.clone(), made);
            }
        }
    }
    proofs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netpol::answer::Answer;
    use crate::netpol::matrix::Cell;
    use crate::netpol::ports::PortSet;

    fn open() -> Cell {
        let all = Answer::sure(PortSet::all());
        Cell { now: all.clone(), future: all }
    }

    /// Counts every cell, one by one.
    fn slowly(matrix: &Matrix, from: usize) -> (u32, u32) {
        let n = matrix.tenants.len();
        let is = |from: usize, to: usize| from != to && matrix.cell(from, to).is_some_and(|c| Shade::of(c, Tried::No).is_gap());
        let count = |f: &dyn Fn(usize) -> bool| u32::try_from((0..n).filter(|i| f(*i)).count()).unwrap();
        (count(&|to| is(from, to)), count(&|other| is(other, from)))
    }

    #[test]
    fn counting_by_exceptions_is_counting_every_cell() {
        let tenants: Arc<[TenantId]> = ["a", "b", "c", "d", "e"].map(TenantId::from).into();
        let row = |base: Cell, except: &[(u32, Cell)]| Arc::new(Row { base, except: except.to_vec(), targets: Vec::new() });
        let shut = Cell::default;
        let rows = vec![
            row(open(), &[(0, shut()), (3, shut())]),
            row(open(), &[]),
            row(shut(), &[(2, open()), (4, open())]),
            row(shut(), &[]),
            row(open(), &[(1, shut()), (4, open())]),
        ];
        let matrix = Arc::new(Matrix { tenants, rows, blind: None });
        let assessment = Assessment { matrix: matrix.clone(), ..Assessment::default() };
        let mut tally = Tally::default();
        tally.refresh(&assessment, &Book::default());
        for place in 0..5 {
            assert_eq!((tally.reaches(place).open, tally.reached(place)), slowly(&matrix, place), "{place}");
        }
        let totals = tally.totals(&matrix, Time(0));
        assert_eq!(totals.iter().sum::<u32>(), 20, "every pair once, no tenant with itself");
        assert_eq!(totals[Shade::Every as usize], 3 + 4 + 1 + 3);
    }
}
