//! A list with a cursor: selection by id, offset kept so that the selected row does not jump on the screen.

use std::sync::Arc;

use crate::model::ids::{Name, TenantId};
use crate::posture::finding::{Finding, Subject};
use crate::receipt::ReceiptId;

/// What a row is about. Equal rows are the same thing at another moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    /// A heading: can't be selected.
    Head(String),
    /// A tenant.
    Tenant(TenantId),
    /// A wall of the tenant shown: can't be selected.
    Wall(crate::posture::wall::Wall),
    /// A check, by id.
    Check(&'static str),
    /// A quota's resource: tenant, namespace, quota, resource.
    Quota(TenantId, Name, Name, Name),
    /// A finding: tenant, check, reason, subject, and which of those that are alike in all of it.
    Finding(TenantId, &'static str, Option<&'static str>, Arc<Subject>, usize),
    /// A refusal: tenant, namespace, what about, message.
    Refusal(TenantId, Name, Arc<str>, Arc<str>),
    /// A receipt.
    Receipt(ReceiptId),
}

impl Row {
    /// Whether the cursor may rest here.
    pub const fn selectable(&self) -> bool {
        !matches!(self, Self::Head(_) | Self::Wall(_))
    }

    /// The finding a row is about, among those of its check.
    pub fn finding<'a>(&self, findings: &'a [Finding]) -> Option<&'a Finding> {
        let Self::Finding(_, _, reason, subject, nth) = self else { return None };
        findings.iter().filter(|f| f.reason == *reason && f.subject == **subject).nth(*nth)
    }

    /// The tenant it is about, where the row itself says.
    pub const fn tenant(&self) -> Option<&TenantId> {
        match self {
            Self::Tenant(t) | Self::Quota(t, ..) | Self::Finding(t, ..) | Self::Refusal(t, ..) => Some(t),
            _ => None,
        }
    }
}

/// A list's rows, cursor and window.
#[derive(Clone, Debug, Default)]
pub struct List {
    /// Rows in order.
    pub rows: Vec<Row>,
    /// The selected row.
    pub selected: Option<Row>,
    /// Index of the first row shown.
    pub offset: usize,
    /// Index of the selected row.
    pub at: usize,
}

impl List {
    /// Takes new rows. The selected row stays selected and, where possible, on its line; if it is gone, its neighbour is. O(rows).
    pub fn replace(&mut self, rows: Vec<Row>, height: usize) {
        let line = self.at.saturating_sub(self.offset);
        let (was_top, had) = (self.offset == 0, self.selected.is_some());
        self.rows = rows;
        let found = self.selected.as_ref().and_then(|id| self.rows.iter().position(|row| row == id));
        let wanted = found.unwrap_or(if had { self.at } else { 0 });
        self.settle(wanted, true);
        self.offset = if was_top && line + 1 < height { self.offset.min(self.at) } else { self.at.saturating_sub(line) };
        self.fit(height);
    }

    /// Moves the cursor by so many selectable rows; true if it moved.
    pub fn step(&mut self, by: isize, height: usize) -> bool {
        let before = self.at;
        let forward = by >= 0;
        for _ in 0..by.unsigned_abs() {
            let next = if forward {
                self.rows.iter().enumerate().skip(self.at + 1).find(|(_, row)| row.selectable()).map(|(i, _)| i)
            } else {
                self.rows.iter().enumerate().take(self.at).rev().find(|(_, row)| row.selectable()).map(|(i, _)| i)
            };
            match next {
                Some(i) => self.at = i,
                None => break,
            }
        }
        self.settle(self.at, forward);
        if !forward && self.rows.iter().take(self.at).all(|row| !row.selectable()) {
            self.offset = 0;
        }
        self.fit(height);
        self.at != before
    }

    /// To the first or the last row.
    pub fn edge(&mut self, last: bool, height: usize) -> bool {
        let before = self.at;
        self.settle(if last { self.rows.len().saturating_sub(1) } else { 0 }, !last);
        if !last {
            self.offset = 0;
        }
        self.fit(height);
        self.at != before
    }

    /// To a row by id; false when it isn't there.
    pub fn select(&mut self, row: &Row, height: usize) -> bool {
        let Some(at) = self.rows.iter().position(|r| r == row) else { return false };
        self.settle(at, true);
        self.fit(height);
        true
    }

    /// Keeps the cursor inside a window of `height` rows.
    pub fn fit(&mut self, height: usize) {
        let height = height.max(1);
        if self.at < self.offset {
            self.offset = self.at;
        }
        if self.at >= self.offset + height {
            self.offset = self.at + 1 - height;
        }
        self.offset = self.offset.min(self.rows.len().saturating_sub(height));
    }

    /// Puts the cursor on `at` or the nearest selectable row.
    fn settle(&mut self, at: usize, forward: bool) {
        let at = at.min(self.rows.len().saturating_sub(1));
        let after = self.rows.iter().enumerate().skip(at).find(|(_, row)| row.selectable()).map(|(i, _)| i);
        let before = self.rows.iter().enumerate().take(at + 1).rev().find(|(_, row)| row.selectable()).map(|(i, _)| i);
        let chosen = if forward { after.or(before) } else { before.or(after) };
        self.at = chosen.unwrap_or(0);
        self.selected = chosen.and_then(|i| self.rows.get(i)).cloned();
    }

    /// Rows in a window.
    pub fn window(&self, height: usize) -> impl Iterator<Item = (usize, &Row)> {
        self.rows.iter().enumerate().skip(self.offset).take(height)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(names: &[&str]) -> Vec<Row> {
        names.iter().map(|n| if n.starts_with('#') { Row::Head((*n).into()) } else { Row::Tenant((*n).into()) }).collect()
    }

    #[test]
    fn selection_follows_the_thing_not_the_line() {
        let mut list = List::default();
        list.replace(rows(&["a", "b", "c"]), 10);
        list.step(1, 10);
        list.replace(rows(&["x", "y", "a", "b", "c"]), 10);
        assert_eq!(list.selected, Some(Row::Tenant("b".into())));
        list.replace(rows(&["x", "y", "a", "c"]), 10);
        assert_eq!(list.selected, Some(Row::Tenant("c".into())), "gone: its neighbour");
    }

    #[test]
    fn headings_are_stepped_over() {
        let mut list = List::default();
        list.replace(rows(&["#1", "a", "#2", "b"]), 2);
        assert_eq!(list.selected, Some(Row::Tenant("a".into())));
        assert!(list.step(1, 2));
        assert_eq!((list.at, list.offset), (3, 2));
        assert!(list.step(-1, 2));
        assert_eq!((list.at, list.offset), (1, 0), "the heading above the first row comes back");
        assert!(!list.step(-1, 2));
    }

    #[test]
    fn an_empty_list_does_not_panic() {
        let mut list = List::default();
        list.replace(Vec::new(), 0);
        assert!(!list.step(5, 0) && !list.edge(true, 0) && list.selected.is_none());
    }
}
