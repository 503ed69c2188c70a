//! What is true where no rule speaks: a connection with somebody that nobody has heard of.

use std::collections::BTreeSet;

use super::class::Class;
use super::isolation::{Direction, Isolation};
use super::judge::{Named, judge};
use super::portbook::PortBook;
use super::ranges::{FAMILIES, Family, Ranges};
use super::rules::{Entry, Tier, Verdict};
use super::selector::Coverage;
use super::space::Space;
use super::term::{Field, Term, TermId, meets};
use super::truth::Truth;
use super::world::World;
use crate::model::ids::Name;

/// Somebody nobody has heard of.
#[derive(Clone, Copy)]
enum Stranger {
    /// A pod without labels in some namespace.
    Pod,
    /// Any address.
    Address(Family),
}

impl World {
    /// Whether pods of a namespace refuse strangers in one direction: every kind of policy counts, and what rules of NetworkPolicy and Cilium allow
    /// to everybody is left out, for it is asked for elsewhere. O(classes × entries + pods).
    pub(super) fn isolation(&self, namespace: &str, direction: Direction) -> Option<Isolation> {
        let space = self.space(namespace)?;
        let mut book = self.ground.ports.copy();
        let said: Vec<Truth> = space.classes.iter().map(|class| self.refuses(class, direction, &mut book)).collect();
        let mut found = Isolation {
            policies: self.closing(space, direction),
            future: Coverage::Everything,
            open: Vec::new(),
            undecided: Vec::new(),
            pods: 0,
            host_network: 0,
        };
        for (pod, at) in space.facts.pods.values().zip(&space.class_of) {
            let Some(at) = at.map(|at| at as usize) else { continue };
            let Some(class) = space.classes.get(at) else { continue };
            if class.key.host {
                found.host_network += 1;
                continue;
            }
            found.pods += 1;
            match said.get(at) {
                Some(Truth::Sure) => {}
                Some(Truth::No) => found.open.push(pod.meta.name.clone()),
                _ => found.undecided.push(pod.meta.name.clone()),
            }
        }
        let mut classes = space.classes.iter().zip(&said).filter(|(class, _)| !class.key.host);
        found.future = if let Some((class, _)) = classes.clone().find(|(_, refuses)| **refuses == Truth::No) {
            Coverage::Misses(class.key.labels.clone())
        } else if classes.any(|(_, refuses)| *refuses == Truth::Perhaps) {
            Coverage::Unreadable
        } else if space.imagined_cut {
            Coverage::TooMany
        } else {
            Coverage::Everything
        };
        Some(found)
    }

    /// Whether a class refuses every stranger.
    fn refuses(&self, class: &Class, direction: Direction, book: &mut PortBook) -> Truth {
        let has = class.families();
        let spoken = FAMILIES.into_iter().filter(|family| has == [false, false] || has.get(*family as usize) == Some(&true));
        let strangers = spoken.map(Stranger::Address).chain([Stranger::Pod]);
        let mut all = Truth::Sure;
        for stranger in strangers {
            let quiet = |entry: &Entry, tier: &Tier| *tier == Tier::Normal && entry.verdict == Verdict::Allow;
            // which tier an entry is of is known by the unit that holds it
            let silent: BTreeSet<*const Entry> = class
                .held(direction, &self.ground)
                .flat_map(|held| held.rules.entries.iter().filter(move |entry| quiet(entry, held.tier)).map(std::ptr::from_ref))
                .collect();
            let look = |entry: &Entry| {
                if silent.contains(&std::ptr::from_ref(entry)) { Truth::No } else { self.knows(entry, stranger) }
            };
            let open = judge(class.held(direction, &self.ground), look, Named::Nowhere, book);
            let refused = match (open.sure.is_none(), open.may.is_none()) {
                (_, true) => Truth::Sure,
                (true, false) => Truth::Perhaps,
                (false, false) => Truth::No,
            };
            all = all.and(refused);
        }
        all
    }

    /// Whether an entry means a stranger.
    fn knows(&self, entry: &Entry, stranger: Stranger) -> Truth {
        if entry.inside_only && !matches!(stranger, Stranger::Pod) {
            return Truth::No;
        }
        entry.peers.iter().map(|id| self.term_knows(*id, stranger)).max().unwrap_or_default()
    }

    fn term_knows(&self, id: TermId, stranger: Stranger) -> Truth {
        let sure = |yes: bool| if yes { Truth::Sure } else { Truth::No };
        let whole = |ranges: &Ranges, family: Family| Ranges::all().only(family).minus(ranges).is_empty();
        match (self.ground.terms.get(id), stranger) {
            (Term::Anybody, _) => Truth::Sure,
            (Term::Unclear | Term::Perhaps(_), _) => Truth::Perhaps,
            (Term::Pods(term), Stranger::Pod) => {
                let lacks = |(field, is): &(Field, crate::model::labels::Is)| match field {
                    Field::Space(_) => Truth::Perhaps,
                    _ => meets(None, is),
                };
                if term.scope.is_some() { Truth::No } else { term.needs.iter().map(lacks).fold(Truth::Sure, Truth::and) }
            }
            (Term::Addresses(ranges, _), Stranger::Address(family)) => sure(whole(ranges, family)),
            (Term::Addresses(ranges, _), Stranger::Pod) => {
                let pods = self.ground.mode.switches.pods;
                sure(pods && FAMILIES.into_iter().any(|family| whole(ranges, family)))
            }
            (Term::Entities(e), Stranger::Pod) => sure(e.pods),
            (Term::Entities(e), Stranger::Address(family)) => sure(if family == Family::V4 { e.world_v4 } else { e.world_v6 }),
            (Term::Names | Term::Nodes(..) | Term::Pods(_), _) => Truth::No,
        }
    }

    /// Policies that close somebody of a namespace.
    fn closing(&self, space: &Space, direction: Direction) -> Vec<Name> {
        let ids: BTreeSet<u32> =
            space.classes.iter().flat_map(|class| class.units.iter().map(|(id, _)| *id)).chain(space.units.iter().copied()).collect();
        let closes = |id: &u32| {
            let unit = self.ground.unit(*id)?;
            let rules = unit.rules.get(direction);
            let closes = rules.isolates || rules.entries.iter().any(|entry| entry.verdict == Verdict::Deny);
            closes.then(|| unit.object.name.clone())
        };
        let names: BTreeSet<Name> = ids.iter().filter_map(closes).collect();
        names.into_iter().collect()
    }
}
