//! Pods that may be made: for each namespace the label sets that its policies can tell apart, as classes of no pod.

use std::collections::{BTreeMap, BTreeSet};

use super::class::{Class, ClassKey, Names, Spot};
use super::ground::Ground;
use super::numbers::Number;
use super::ranges::FAMILIES;
use super::rules::UnitId;
use super::selector::{Coverage, covers_everything};
use super::space::Space;
use super::term::{Field, PodTerm, Term, TermId, meets};
use super::truth::Truth;
use crate::model::ids::Name;
use crate::model::labels::{Is, LabelSelector, LabelSet, Requirement};

/// So many label sets of a namespace are tried; where policies tell more apart, only those that rules speak of.
const MOST: usize = 256;

/// What some requirement looks at in a pod.
type Key = Option<Name>;

/// A value, or absence; the key `None` stands for the service account.
type Choice = BTreeMap<Key, Option<Name>>;

/// Sets out what may be made in a namespace, as classes of no pod after those of its pods. O(label sets × units and terms of the namespace).
pub(super) fn imagine(space: &mut Space, ground: &mut Ground) {
    space.classes.retain(|class| class.count > 0);
    space.imagined_cut = false;
    let globals = space.global_units(ground);
    let wide = space.wide_terms(ground);
    let terms = terms(space, ground, &globals, &wide);
    let choices = if let Some(all) = every_choice(&terms) {
        all
    } else {
        space.imagined_cut = true;
        spoken_of(&terms)
    };
    let mut known: BTreeSet<Like> = space.classes.iter().map(Like::of).collect();
    let (named, spots) = (names(ground), spots(ground));
    for choice in choices {
        let labels = choice.iter().filter_map(|(key, value)| Some((key.clone()?, value.clone()?)));
        let account = choice.get(&None).cloned().flatten();
        let key = ClassKey { labels: LabelSet::new(labels), account, named: named.clone(), host: false, node: None, spots };
        let mut class = Class::new(key, "".into());
        let far = space.acquaint_one(&mut class, ground, &globals, &wide);
        class.face = ground.face(&class, far);
        if known.insert(Like::of(&class)) {
            space.classes.push(class);
        }
    }
}

/// What makes two classes of a namespace alike to everybody.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Like {
    face: Number,
    units: Box<[(UnitId, Truth)]>,
    seen: Box<[(TermId, [Truth; 3])]>,
    spots: [Spot; 2],
}

impl Like {
    fn of(class: &Class) -> Self {
        Self { face: class.face, units: class.units.clone(), seen: class.seen.clone(), spots: class.key.spots }
    }
}

/// What ports may be called: anything, where anybody asks.
fn names(ground: &Ground) -> Names {
    if ground.port_names.is_empty() { Names::default() } else { Names::Any }
}

/// Where a pod may find itself: wherever pods are.
fn spots(ground: &Ground) -> [Spot; 2] {
    FAMILIES.map(|family| match ground.pod_space.get(family as usize) {
        None => Spot::None,
        Some(sets) => match (sets.len(), sets.first()) {
            (0, _) | (_, None) => Spot::None,
            (1, Some(set)) => Spot::At(*set),
            _ => Spot::Floating,
        },
    })
}

/// Every term that may mean pods of the namespace: subjects and peers.
fn terms<'a>(space: &Space, ground: &'a Ground, globals: &[(UnitId, Truth)], wide: &[(TermId, Truth)]) -> Vec<&'a PodTerm> {
    let subjects = space.units.iter().copied().chain(globals.iter().map(|(id, _)| *id));
    let subjects = subjects.filter_map(|id| ground.unit(id)).map(|unit| unit.subject.term);
    let peers = space.meant_by.iter().copied().chain(wide.iter().map(|(id, _)| *id));
    let ids: BTreeSet<TermId> = subjects.chain(peers).collect();
    let of_pods = |id| if let Term::Pods(term) = ground.terms.get(id) { Some(term) } else { None };
    ids.into_iter().filter_map(of_pods).collect()
}

fn asked(term: &PodTerm) -> impl Iterator<Item = (Key, &Is)> {
    term.needs.iter().filter_map(|(field, is)| match field {
        Field::Pod(key) => Some((Some(key.clone()), is)),
        Field::Account => Some((None, is)),
        Field::Space(_) | Field::Reserved(_) => None,
    })
}

/// One value for each answer that the requirements on a key may give; none where they are too many.
fn options(key: &Key, asked: &BTreeSet<&Is>) -> Option<Vec<Option<Name>>> {
    let mut values: BTreeSet<Name> = BTreeSet::new();
    for is in asked {
        if let Is::In(list) | Is::NotIn(list) = is {
            values.extend(list.iter().cloned());
        }
        if values.len() > MOST {
            return None;
        }
    }
    let other = (0_usize..).map(|i| Name::from(if i == 0 { "other".to_owned() } else { format!("other-{i}") }));
    let other = other.into_iter().find(|name| !values.contains(name));
    // a pod always has a service account, but not every label
    let absent = key.is_some().then_some(None);
    let all = absent.into_iter().chain(other.map(Some)).chain(values.into_iter().map(Some));
    let mut told: BTreeSet<Vec<Truth>> = BTreeSet::new();
    Some(all.filter(|value| told.insert(asked.iter().map(|is| meets(value.as_ref(), is)).collect())).collect())
}

/// Every combination of values that the terms can tell apart; none where there are more than [`MOST`].
fn every_choice(terms: &[&PodTerm]) -> Option<Vec<Choice>> {
    let mut by_key: BTreeMap<Key, BTreeSet<&Is>> = BTreeMap::new();
    for (key, is) in terms.iter().flat_map(|term| asked(term)) {
        by_key.entry(key).or_default().insert(is);
    }
    let mut all = vec![Choice::new()];
    for (key, asked) in &by_key {
        let options = options(key, asked)?;
        if all.len().saturating_mul(options.len()) > MOST {
            return None;
        }
        all = all
            .into_iter()
            .flat_map(|choice| {
                options.iter().map(move |value| {
                    let mut choice = choice.clone();
                    choice.insert(key.clone(), value.clone());
                    choice
                })
            })
            .collect();
    }
    Some(all)
}

/// A pod without labels, one for each term and each pair of terms that meets them, and one that no term means.
fn spoken_of(terms: &[&PodTerm]) -> Vec<Choice> {
    let mut found: BTreeSet<Choice> = BTreeSet::from([Choice::new()]);
    let selectors: Vec<LabelSelector> = terms.iter().map(|term| selector(term)).collect();
    if let Coverage::Misses(labels) = covers_everything(&selectors.iter().collect::<Vec<_>>()) {
        found.insert(labels.iter().map(|(key, value)| (Some(key.clone()), Some(value.clone()))).collect());
    }
    for (at, term) in terms.iter().enumerate() {
        for other in terms.iter().skip(at) {
            found.extend(meet(&[term, other]));
            if found.len() >= MOST {
                return found.into_iter().collect();
            }
        }
    }
    found.into_iter().collect()
}

fn selector(term: &PodTerm) -> LabelSelector {
    let requirements = asked(term).filter_map(|(key, is)| Some(Requirement { key: key?, is: is.clone() }));
    LabelSelector { requirements: requirements.collect() }
}

/// The fewest labels that meet all requirements of some terms; none where they contradict one another.
fn meet(terms: &[&PodTerm]) -> Option<Choice> {
    let mut by_key: BTreeMap<Key, BTreeSet<&Is>> = BTreeMap::new();
    for (key, is) in terms.iter().flat_map(|term| asked(term)) {
        by_key.entry(key).or_default().insert(is);
    }
    let mut choice = Choice::new();
    for (key, asked) in &by_key {
        let met = |value: &Option<Name>| asked.iter().all(|is| meets(value.as_ref(), is) != Truth::No);
        choice.insert(key.clone(), options(key, asked)?.into_iter().find(met)?);
    }
    Some(choice)
}
