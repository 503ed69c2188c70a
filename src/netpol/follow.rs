//! Following changes: what is touched is worked out again, and no more.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::class::Class;
use super::imagine::imagine;
use super::reach::Options;
use super::space::{Space, space_labels};
use super::survey::Effects;
use super::world::World;
use crate::model::ids::Name;
use crate::model::snapshot::{Dirty, NamespaceFacts, Snapshot};

/// When tables have grown so much since all was looked at, it is looked at again: they hold what nobody uses any more.
const GROWN: usize = 100_000;

/// What was followed.
#[derive(Debug, Default)]
pub(super) struct Followed {
    /// Namespaces in which something differs that an answer may rest on, by place.
    pub changed: BTreeSet<u32>,
    /// A namespace in which fixed targets lie was looked at.
    pub targets: bool,
}

impl World {
    /// Follows what changed. None when all must be looked at again: a cluster-wide fact, the namespaces themselves or their labels, or something that
    /// every namespace looks at changed. What was done by then is not undone.
    /// O(policies and pods of dirty namespaces, and of those that changed policies newly mean or cease to mean).
    pub(super) fn follow(&mut self, options: &Options, snapshot: &Snapshot, dirty: &Dirty) -> Option<Followed> {
        let same = Arc::ptr_eq(&self.seen.0, &snapshot.cluster) && Arc::ptr_eq(&self.seen.1, &snapshot.nodes);
        if !same || self.spaces.len() != snapshot.namespaces.len() || self.size() > GROWN {
            return None;
        }
        let fresh = self.fresh(snapshot, dirty)?;
        let mut followed = Followed { targets: fresh.iter().any(|(at, _)| self.holds_targets(options, *at)), ..Followed::default() };
        let mut effects = Effects::default();
        for (at, facts) in &fresh {
            let space = self.spaces.get_mut(*at as usize)?;
            let before = std::mem::replace(&mut space.facts, facts.clone());
            if self.ground.compile_space(snapshot, (&before, facts), &mut space.known, &mut effects) {
                space.units = space.known.values().flatten().copied().collect();
                followed.changed.insert(*at);
            }
        }
        if effects.everybody {
            return None;
        }
        let mut stale: BTreeSet<u32> = fresh.into_iter().map(|(at, _)| at).collect();
        for (at, term) in effects.gained {
            self.spaces.get_mut(at as usize)?.meant_by.push(term);
            stale.insert(at);
        }
        for (at, term) in effects.lost {
            self.spaces.get_mut(at as usize)?.meant_by.retain(|one| *one != term);
            stale.insert(at);
        }
        self.reclassify(&stale, &mut followed)?;
        if followed.targets {
            self.marks = super::outside::Landmarks::new(options, snapshot);
        }
        Some(followed)
    }

    /// Namespaces of which the facts are others. None where one came, went or was relabelled. O(dirty namespaces), O(namespaces) when all are dirty.
    fn fresh(&self, snapshot: &Snapshot, dirty: &Dirty) -> Option<Vec<(u32, Arc<NamespaceFacts>)>> {
        let all: Vec<&Name> =
            if dirty.everything || dirty.cluster { snapshot.namespaces.keys().collect() } else { dirty.namespaces.iter().collect() };
        let mut fresh = Vec::new();
        for name in all {
            let (at, facts) = match (self.place.get(name), snapshot.namespaces.get(name)) {
                (Some(at), Some(facts)) => (*at, facts),
                (None, None) => continue,
                _ => return None,
            };
            let space = self.spaces.get(at as usize)?;
            if Arc::ptr_eq(&space.facts, facts) {
                continue;
            }
            let relabelled = !same(space.facts.own.as_ref(), facts.own.as_ref()) && space_labels(name, facts) != space.labels;
            let served = space.facts.services != facts.services || space.facts.endpoint_slices != facts.endpoint_slices;
            if relabelled || (self.ground.services && served) {
                return None;
            }
            fresh.push((at, facts.clone()));
        }
        Some(fresh)
    }

    /// Sorts pods into classes again. None where pods lie among address terms in which none lay before, or no longer do: what may be made then differs
    /// everywhere. O(pods and label sets of these namespaces × their units and terms).
    fn reclassify(&mut self, stale: &BTreeSet<u32>, followed: &mut Followed) -> Option<()> {
        let mut before: Vec<Vec<Class>> = Vec::with_capacity(stale.len());
        for at in stale {
            let space = self.spaces.get_mut(*at as usize)?;
            let old = std::mem::take(&mut space.classes);
            self.spots.remove(&old);
            space.classify(&self.ground);
            self.spots.add(&space.classes);
            before.push(old);
        }
        if self.spots.sets() != self.ground.pod_space {
            return None;
        }
        for (at, old) in stale.iter().zip(before) {
            let space = self.spaces.get_mut(*at as usize)?;
            space.acquaint(&mut self.ground);
            imagine(space, &mut self.ground);
            if !alike(&old, &space.classes) {
                followed.changed.insert(*at);
            }
        }
        Some(())
    }

    /// Whether fixed targets may lie in a namespace.
    fn holds_targets(&self, options: &Options, at: u32) -> bool {
        let vault = match &options.places.vault {
            Some(super::target::VaultPlace::Service { namespace, .. }) => Some(namespace),
            _ => None,
        };
        let own = |space: &Space| matches!(space.name.as_ref(), "default" | "kube-system") || Some(&space.name) == vault;
        self.spaces.get(at as usize).is_some_and(own)
    }

    /// How much is kept in tables that only grow.
    fn size(&self) -> usize {
        self.ground.size() + self.far.len() / 8
    }
}

fn same<T>(a: Option<&Arc<T>>, b: Option<&Arc<T>>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => Arc::ptr_eq(a, b),
        (None, None) => true,
        _ => false,
    }
}

/// Whether no answer between tenants can differ: the same classes, with as many pods as make a difference.
fn alike(old: &[Class], new: &[Class]) -> bool {
    let one = |(a, b): (&Class, &Class)| {
        a.count.min(2) == b.count.min(2)
            && a.face == b.face
            && a.key.host == b.key.host
            && a.units == b.units
            && a.seen == b.seen
            && a.key == b.key
    };
    let hosts = old.iter().chain(new).any(|class| class.key.host);
    !hosts && old.len() == new.len() && old.iter().zip(new).all(one)
}
