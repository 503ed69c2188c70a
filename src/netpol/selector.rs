//! Whether selectors, taken together, select everything: what "every pod of tomorrow" means.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::ids::Name;
use crate::model::labels::{Is, LabelSelector, LabelSet, Requirement};

/// Label that every namespace carries with its own name.
pub const NAMESPACE_NAME: &str = "kubernetes.io/metadata.name";

/// How many choices may be tried before the question is given up. Real policies need a handful; a tenant may write any.
const BUDGET: u32 = 20_000;

/// Whether a union of selectors selects every label set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Coverage {
    /// Every label set is selected.
    Everything,
    /// Not: this label set is selected by none.
    Misses(LabelSet),
    /// The answer hangs on an operator this program does not know.
    Unreadable,
    /// Too many combinations to decide.
    TooMany,
}

impl Coverage {
    /// Yes, no, or undecided.
    pub const fn decided(&self) -> Option<bool> {
        match self {
            Self::Everything => Some(true),
            Self::Misses(_) => Some(false),
            Self::Unreadable | Self::TooMany => None,
        }
    }
}

/// Decides exactly whether every label set, of today or of tomorrow, is selected by at least one of the selectors.
///
/// A label set escapes when it violates one requirement of each selector, so the search chooses one violation per selector and keeps, per
/// key, what is still possible there. Exponential at worst (the problem is that of unsatisfiable formulas), linear for the usual cases,
/// held by a budget.
pub fn covers_everything(selectors: &[&LabelSelector]) -> Coverage {
    if selectors.iter().any(|selector| selector.is_everything()) {
        return Coverage::Everything;
    }
    let mut ordered = selectors.to_vec();
    ordered.sort_by_key(|selector| selector.requirements.len());
    // first as if unknown operators matched nothing: if even then nothing escapes, they don't matter
    match escape(&ordered, true) {
        Search::None => return Coverage::Everything,
        Search::GaveUp => return Coverage::TooMany,
        Search::Found(_) => {}
    }
    match escape(&ordered, false) {
        Search::Found(labels) => Coverage::Misses(labels),
        Search::None => Coverage::Unreadable,
        Search::GaveUp => Coverage::TooMany,
    }
}

/// As [`covers_everything`], for selectors of namespaces: each carries a label with its own name.
pub fn covers_every_namespace(selectors: &[&LabelSelector]) -> Coverage {
    let named = |requirement: &&Requirement| !(requirement.key.as_ref() == NAMESPACE_NAME && requirement.is == Is::Exists);
    let reduced: Vec<LabelSelector> = selectors
        .iter()
        .map(|selector| LabelSelector { requirements: selector.requirements.iter().filter(named).cloned().collect() })
        .collect();
    covers_everything(&reduced.iter().collect::<Vec<_>>())
}

/// A selector as people write it: `{}`, `app=web`, `tier in (a,b), !debug`. Not cleaned.
pub fn words(selector: &LabelSelector) -> String {
    if selector.is_everything() {
        return "{}".to_owned();
    }
    let one = |requirement: &Requirement| {
        let key = &requirement.key;
        match &requirement.is {
            Is::In(values) if values.len() == 1 => format!("{key}={}", values.join("")),
            Is::In(values) => format!("{key} in ({})", values.join(",")),
            Is::NotIn(values) => format!("{key} notin ({})", values.join(",")),
            Is::Exists => key.to_string(),
            Is::DoesNotExist => format!("!{key}"),
            Is::Unknown(operator) => format!("{key} {operator} (unknown operator)"),
        }
    };
    selector.requirements.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// Labels as people write them: `app=web,tier=a`; `no label` for none. Not cleaned.
pub fn label_words(labels: &LabelSet) -> String {
    if labels.is_empty() {
        return "no label".to_owned();
    }
    labels.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(",")
}

/// What a label set that escapes may still hold under one key.
#[derive(Clone, Debug)]
struct Possible {
    /// The key may be absent.
    absent: bool,
    /// The key may be present.
    present: bool,
    /// If present, one of these; none for any value.
    only: Option<BTreeSet<Name>>,
    /// If present, none of these.
    not: BTreeSet<Name>,
}

impl Possible {
    const fn anything() -> Self {
        Self { absent: true, present: true, only: None, not: BTreeSet::new() }
    }

    /// Narrows to what violates a requirement; false when nothing is left. Unknown operators are violated by everything.
    fn violate(&mut self, is: &Is) -> bool {
        match is {
            Is::Unknown(_) => {}
            Is::Exists => self.present = false,
            Is::DoesNotExist => self.absent = false,
            Is::In(values) => self.not.extend(values.iter().cloned()),
            Is::NotIn(values) => {
                self.absent = false;
                let allowed = |value: &Name| self.only.as_ref().is_none_or(|only| only.contains(value));
                self.only = Some(values.iter().filter(|value| allowed(value)).cloned().collect());
            }
        }
        if self.only.as_ref().is_some_and(|only| only.is_subset(&self.not)) {
            self.present = false;
        }
        self.absent || self.present
    }

    /// A value that is still possible; none stands for absence.
    fn witness(&self) -> Option<Name> {
        if self.absent || !self.present {
            return None;
        }
        match &self.only {
            Some(only) => only.difference(&self.not).next().cloned(),
            None => (0..=self.not.len())
                .map(|i| Name::from(if i == 0 { "other".to_owned() } else { format!("other-{i}") }))
                .find(|v| !self.not.contains(v)),
        }
    }
}

enum Search {
    Found(LabelSet),
    None,
    GaveUp,
}

/// Searches a label set that none of the selectors selects.
fn escape(selectors: &[&LabelSelector], unknown_matches_nothing: bool) -> Search {
    let mut budget = BUDGET;
    let mut possible = BTreeMap::new();
    match descend(selectors, unknown_matches_nothing, &mut possible, &mut budget) {
        Some(true) => Search::Found(LabelSet::new(possible.into_iter().filter_map(|(key, p): (Name, Possible)| Some((key, p.witness()?))))),
        Some(false) => Search::None,
        None => Search::GaveUp,
    }
}

/// True with `possible` filled in; false with it as it was; none when the budget ran out.
fn descend(
    selectors: &[&LabelSelector],
    unknown_matches_nothing: bool,
    possible: &mut BTreeMap<Name, Possible>,
    budget: &mut u32,
) -> Option<bool> {
    let Some((selector, rest)) = selectors.split_first() else { return Some(true) };
    for requirement in &selector.requirements {
        *budget = budget.checked_sub(1)?;
        if matches!(requirement.is, Is::Unknown(_)) && !unknown_matches_nothing {
            continue;
        }
        let before = possible.get(&requirement.key).cloned();
        let mut narrowed = before.clone().unwrap_or_else(Possible::anything);
        if !narrowed.violate(&requirement.is) {
            continue;
        }
        possible.insert(requirement.key.clone(), narrowed);
        if descend(rest, unknown_matches_nothing, possible, budget)? {
            return Some(true);
        }
        match before {
            Some(before) => possible.insert(requirement.key.clone(), before),
            None => possible.remove(&requirement.key),
        };
    }
    Some(false)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn requirement(key: &str, is: Is) -> Requirement {
        Requirement { key: key.into(), is }
    }

    fn values(list: &[&str]) -> Box<[Name]> {
        list.iter().map(|v| Name::from(*v)).collect()
    }

    fn selector(requirements: Vec<Requirement>) -> LabelSelector {
        LabelSelector { requirements: requirements.into() }
    }

    fn covers(selectors: &[LabelSelector]) -> Coverage {
        covers_everything(&selectors.iter().collect::<Vec<_>>())
    }

    #[test]
    fn the_empty_selector_covers_and_no_selector_does_not() {
        assert_eq!(covers(&[LabelSelector::default()]), Coverage::Everything);
        assert_eq!(covers(&[]), Coverage::Misses(LabelSet::default()));
    }

    #[test]
    fn two_halves_make_a_whole() {
        let has = selector(vec![requirement("app", Is::Exists)]);
        let lacks = selector(vec![requirement("app", Is::DoesNotExist)]);
        assert_eq!(covers(&[has.clone(), lacks.clone()]), Coverage::Everything);
        assert_eq!(covers(&[has]), Coverage::Misses(LabelSet::default()));
        assert_eq!(covers(&[lacks]), Coverage::Misses(LabelSet::new([("app".into(), "other".into())])));
        let is = selector(vec![requirement("app", Is::In(values(&["a", "b"])))]);
        let is_not = selector(vec![requirement("app", Is::NotIn(values(&["a"])))]);
        assert_eq!(covers(&[is, is_not]), Coverage::Everything);
    }

    #[test]
    fn an_unknown_operator_leaves_it_open_only_where_it_decides() {
        let odd = selector(vec![requirement("app", Is::Unknown("Gt".into()))]);
        assert_eq!(covers(std::slice::from_ref(&odd)), Coverage::Unreadable);
        assert_eq!(covers(&[odd.clone(), LabelSelector::default()]), Coverage::Everything);
        let odd_and_more = selector(vec![requirement("app", Is::Unknown("Gt".into())), requirement("tier", Is::Exists)]);
        assert_eq!(covers(&[odd_and_more]).decided(), Some(false), "a pod without the label tier escapes, whatever Gt means");
    }

    #[test]
    fn a_hostile_heap_of_selectors_is_given_up() {
        let many: Vec<LabelSelector> = (0..40)
            .map(|i| selector((0..12).map(|k| requirement(&format!("k{k}"), Is::NotIn(values(&[&format!("v{i}")])))).collect()))
            .collect();
        assert_eq!(covers(&many), Coverage::TooMany);
    }

    #[test]
    fn every_namespace_has_its_name() {
        let named = selector(vec![requirement(NAMESPACE_NAME, Is::Exists)]);
        assert_eq!(covers_every_namespace(&[&named]), Coverage::Everything);
        let one = selector(vec![requirement(NAMESPACE_NAME, Is::In(values(&["a"])))]);
        assert_eq!(covers_every_namespace(&[&one]).decided(), Some(false));
    }

    fn any_requirement() -> impl Strategy<Value = Requirement> {
        let list = proptest::collection::vec(prop::sample::select(vec!["x", "y"]), 0..3);
        (prop::sample::select(vec!["a", "b", "c"]), 0..4_u8, list).prop_map(|(key, kind, list)| {
            let is = match kind {
                0 => Is::In(values(&list)),
                1 => Is::NotIn(values(&list)),
                2 => Is::Exists,
                _ => Is::DoesNotExist,
            };
            requirement(key, is)
        })
    }

    proptest! {
        #[test]
        fn agrees_with_trying_every_label_set(
            selectors in proptest::collection::vec(proptest::collection::vec(any_requirement(), 0..4).prop_map(selector), 0..6)
        ) {
            // x and y are the only values named, so absence, x, y and one other stand for all there is
            let choices = [None, Some("x"), Some("y"), Some("z")];
            let mut everything = true;
            for a in choices {
                for b in choices {
                    for c in choices {
                        let labels = LabelSet::new(
                            [("a", a), ("b", b), ("c", c)].into_iter().filter_map(|(k, v)| Some((Name::from(k), Name::from(v?)))),
                        );
                        everything &= selectors.iter().any(|s| s.matches(&labels) == Some(true));
                    }
                }
            }
            match covers(&selectors) {
                Coverage::Everything => prop_assert!(everything),
                Coverage::Misses(witness) => {
                    prop_assert!(!everything);
                    prop_assert!(selectors.iter().all(|s| s.matches(&witness) == Some(false)), "{witness:?} is selected");
                }
                other => prop_assert!(false, "{other:?}"),
            }
        }
    }
}
