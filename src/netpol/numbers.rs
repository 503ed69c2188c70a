//! Equal values by one number.

use std::sync::Arc;

use rustc_hash::FxHashMap;

/// A number of something that is kept once.
pub(super) type Number = u32;

/// Numbers equal values.
#[derive(Debug)]
pub(super) struct Numbers<T> {
    list: Vec<Arc<T>>,
    numbers: FxHashMap<Arc<T>, Number>,
}

impl<T> Default for Numbers<T> {
    fn default() -> Self {
        Self { list: Vec::new(), numbers: FxHashMap::default() }
    }
}

impl<T: Eq + std::hash::Hash> Numbers<T> {
    pub(super) fn number(&mut self, value: T) -> Number {
        if let Some(known) = self.numbers.get(&value) {
            return *known;
        }
        let number = Number::try_from(self.list.len()).unwrap_or(Number::MAX);
        let shared = Arc::new(value);
        self.list.push(shared.clone());
        self.numbers.insert(shared, number);
        number
    }

    pub(super) fn get(&self, number: Number) -> Option<&Arc<T>> {
        self.list.get(number as usize)
    }

    pub(super) const fn len(&self) -> usize {
        self.list.len()
    }
}
