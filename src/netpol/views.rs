//! What differs between the pods that an end stands for, and the ends in words.

use std::collections::BTreeSet;

use super::explain::{One, Telling, size, tell};
use super::isolation::Direction;
use super::portbook::{Open, PortBook};
use super::ranges::{Family, address};
use super::selector::label_words;
use super::story::{Reason, RuleRef, Segment};
use super::term::Outside;
use super::truth::Truth;
use super::world::{World, families, owns};
use crate::model::text::clean;

/// What may differ between pods that an end stands for: the family they speak over, and whether one is on the other's node.
pub(super) type View = (usize, Truth);

/// The families of addresses that an end has.
pub(super) fn has(one: &One<'_>) -> [bool; 2] {
    match one {
        One::Pod(end) => end.class.families(),
        One::Address(there) => [there.family == Family::V4, there.family == Family::V6],
    }
}

/// Every view of a pair; none where they have no family in common.
fn views(world: &World, from: &One<'_>, to: &One<'_>) -> Vec<View> {
    let owns = match (from, to) {
        (One::Pod(a), One::Pod(b)) if a.class.key.host && !b.class.key.host => owns(a.class.key.node.as_ref(), &b.nodes()),
        (One::Pod(a), One::Pod(b)) if b.class.key.host && !a.class.key.host => owns(b.class.key.node.as_ref(), &a.nodes()),
        (One::Pod(end), One::Address(there)) | (One::Address(there), One::Pod(end)) => world.owns_at(there, Some(&end.nodes())),
        _ => BTreeSet::from([Truth::No]),
    };
    let families = families(has(from), has(to));
    families.iter().flat_map(|family| owns.iter().map(|own| (*family, *own))).collect()
}

/// The answer for a pair. O(entries).
pub(super) fn pair(world: &World, from: &One<'_>, to: &One<'_>, book: &mut PortBook) -> Open {
    let ground = &world.ground;
    let mut open = Open::NONE;
    if matches!((from, to), (One::Address(_), One::Address(_))) {
        return Open::ALL;
    }
    for (_, own) in views(world, from, to) {
        let one = match (from, to) {
            (One::Pod(a), One::Pod(b)) => {
                let both = ground.sides_of(&a.class, &b.class, own, book);
                book.meet(both.egress, both.ingress)
            }
            (One::Pod(a), One::Address(there)) => ground.class_outside(&a.class, Direction::Egress, &Outside { own, ..*there }, book),
            (One::Address(there), One::Pod(b)) => ground.class_outside(&b.class, Direction::Ingress, &Outside { own, ..*there }, book),
            (One::Address(_), One::Address(_)) => Open::ALL,
        };
        open = book.join(open, one);
    }
    open
}

/// The view in which most is open: the story is told of it.
pub(super) fn best_view(world: &World, from: &One<'_>, to: &One<'_>, book: &mut PortBook) -> Option<View> {
    let mut best: Option<(View, (u32, u32))> = None;
    for view in views(world, from, to) {
        let egress = tell(world, from, to, Direction::Egress, view, book).open;
        let ingress = tell(world, to, from, Direction::Ingress, view, book).open;
        let open = book.meet(egress, ingress);
        let size = (size(&book.set(open.sure)), size(&book.set(open.may)));
        if best.is_none_or(|(_, known)| size > known) {
            best = Some((view, size));
        }
    }
    best.map(|(view, _)| view)
}

/// An end in words.
pub(super) fn words(one: &One<'_>) -> String {
    match one {
        One::Address(there) => {
            let ip = address(there.family, there.at);
            match (there.api, there.node) {
                (true, _) => format!("the API server at {ip}"),
                (false, true) => format!("node {ip}"),
                (false, false) => format!("address {ip}"),
            }
        }
        One::Pod(end) => {
            let (space, class) = (&end.space.name, &end.class);
            if class.example.is_empty() {
                return clean(&format!("a pod of {space} with {}", label_words(&class.key.labels)));
            }
            let alike = match class.count {
                0 | 1 => String::new(),
                2 => " (one more is alike)".to_owned(),
                n => format!(" ({} more are alike)", n - 1),
            };
            clean(&format!("pod {space}/{}{alike}", class.example))
        }
    }
}

/// What else must be said.
pub(super) fn notes(world: &World, ends: [&One<'_>; 2], sides: &[&Telling<'_>], segments: &[Segment]) -> Vec<String> {
    let mut notes: BTreeSet<String> = BTreeSet::new();
    let used: BTreeSet<&RuleRef> = segments
        .iter()
        .flat_map(|segment| [&segment.egress, &segment.ingress])
        .filter_map(|side| if let Reason::Allowed(rules) = &side.reason { Some(rules) } else { None })
        .flatten()
        .collect();
    for say in sides.iter().flat_map(|side| &side.says) {
        let rule = say.rule();
        if say.both != Truth::No && say.entry.condition.names {
            notes.insert(format!("{} of {} names hosts: their addresses are not known here", rule.field, rule.object));
        }
        if !used.contains(&rule) {
            continue;
        }
        if say.entry.condition.filtered {
            notes.insert(format!("{} of {} filters requests further", rule.field, rule.object));
        }
        if say.entry.condition.authenticated {
            notes.insert(format!("{} of {} asks both ends to prove who they are", rule.field, rule.object));
        }
        let by_address = |one: &super::term::TermId| super::ground::ranges_of(world.ground.terms.get(*one)).is_some();
        if ends.iter().all(|end| matches!(end, One::Pod(_))) && say.entry.peers.iter().all(by_address) {
            notes.insert(format!("{} of {} matches the pod by its address: not every CNI reads it so", rule.field, rule.object));
        }
    }
    for end in ends {
        if let One::Pod(end) = end
            && end.class.key.host
        {
            notes.insert(
                "a pod on the node's network: the API leaves open how policies treat it, and its own node always reaches its pods"
                    .to_owned(),
            );
        }
    }
    notes.into_iter().map(|note| clean(&note)).collect()
}
