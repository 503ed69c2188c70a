//! Shares equal names, label sets and what pods of one template have in common between facts.

use std::collections::HashSet;
use std::hash::BuildHasherDefault;
use std::sync::Arc;

use rustc_hash::FxHasher;

use super::consumer::{InjectorFact, SecretUse};
use super::containers::{ContainerFact, Containers};
use super::ids::Name;
use super::labels::{LabelSet, Labels};

type Set<T> = HashSet<T, BuildHasherDefault<FxHasher>>;

/// A table of shared values. Not itself a fact: it may be dropped at any time without changing any.
#[derive(Debug, Default)]
pub struct Interner {
    names: Set<Name>,
    labels: Set<Labels>,
    containers: Set<Containers>,
    uses: Set<Arc<[SecretUse]>>,
    injectors: Set<Arc<InjectorFact>>,
    since_sweep: usize,
}

/// After so many new values, those that nobody else holds are dropped: churn of pod and ReplicaSet names must not grow the table for ever.
const SWEEP_EVERY: usize = 65_536;

impl Interner {
    /// The shared form of a text. O(length).
    pub fn name(&mut self, text: &str) -> Name {
        if let Some(known) = self.names.get(text) {
            return known.clone();
        }
        let name: Name = text.into();
        self.names.insert(name.clone());
        self.grown();
        name
    }

    /// The shared form of a label set.
    pub fn labels(&mut self, set: LabelSet) -> Labels {
        if let Some(known) = self.labels.get(&set) {
            return known.clone();
        }
        let shared = Arc::new(set);
        self.labels.insert(shared.clone());
        self.grown();
        shared
    }

    /// The shared form of a container list.
    pub fn containers(&mut self, list: Vec<ContainerFact>) -> Containers {
        if let Some(known) = self.containers.get(list.as_slice()) {
            return known.clone();
        }
        let shared: Containers = list.into();
        self.containers.insert(shared.clone());
        self.grown();
        shared
    }

    /// The shared form of the Secrets that a pod takes.
    pub fn secrets(&mut self, list: Vec<SecretUse>) -> Arc<[SecretUse]> {
        if let Some(known) = self.uses.get(list.as_slice()) {
            return known.clone();
        }
        let shared: Arc<[SecretUse]> = list.into();
        self.uses.insert(shared.clone());
        self.grown();
        shared
    }

    /// The shared form of the agent injector's annotations.
    pub fn injector(&mut self, fact: InjectorFact) -> Arc<InjectorFact> {
        if let Some(known) = self.injectors.get(&fact) {
            return known.clone();
        }
        let shared = Arc::new(fact);
        self.injectors.insert(shared.clone());
        self.grown();
        shared
    }

    fn grown(&mut self) {
        self.since_sweep += 1;
        if self.since_sweep >= SWEEP_EVERY {
            self.since_sweep = 0;
            self.labels.retain(|shared| Arc::strong_count(shared) > 1);
            self.containers.retain(|shared| Arc::strong_count(shared) > 1);
            self.uses.retain(|shared| Arc::strong_count(shared) > 1);
            self.injectors.retain(|shared| Arc::strong_count(shared) > 1);
            self.names.retain(|shared| Arc::strong_count(shared) > 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_share_one_allocation() {
        let mut interner = Interner::default();
        let (a, b) = (interner.name("web"), interner.name("web"));
        assert!(Arc::ptr_eq(&a, &b));
    }

    #[test]
    fn churn_does_not_grow_the_table() {
        let mut interner = Interner::default();
        let kept = interner.name("kept");
        for i in 0..SWEEP_EVERY * 2 {
            interner.name(&i.to_string());
        }
        assert!(interner.names.len() <= SWEEP_EVERY + 1);
        assert!(Arc::ptr_eq(&kept, &interner.name("kept")));
    }
}
