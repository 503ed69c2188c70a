//! The objects of the simulated cluster, their revisions and the history watches are fed from.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use tokio::sync::watch;

use super::clock;
use super::json::Json;
use super::kinds::{KINDS, KindId};

/// Where an object lives. The namespace of cluster-scoped objects is "".
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) kind: KindId,
    pub(crate) namespace: String,
    pub(crate) name: String,
}

impl Key {
    pub(crate) fn new(kind: KindId, namespace: &str, name: &str) -> Self {
        Self { kind, namespace: namespace.to_owned(), name: name.to_owned() }
    }
}

/// What happened to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Added,
    Modified,
    Deleted,
}

/// One entry of the history.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) revision: u64,
    pub(crate) key: Key,
    pub(crate) verb: Verb,
    pub(crate) object: Arc<Value>,
    pub(crate) before: Option<Arc<Value>>,
}

/// The requested revision is older than the history.
#[derive(Debug)]
pub(crate) struct Compacted {
    /// The oldest revision that can still be watched from.
    pub(crate) oldest: u64,
}

/// How many changes are kept for watches that resume.
const HISTORY: usize = 4_096;

/// The contents of the store, reached through [`Store::lock`] or [`Store::write`].
pub(crate) struct Objects {
    revision: u64,
    map: BTreeMap<Key, Arc<Value>>,
    history: VecDeque<Change>,
    /// Watches may resume from this revision or later.
    oldest: u64,
    seed: u64,
    born: u64,
}

/// All objects of the simulated cluster.
pub(crate) struct Store {
    objects: Mutex<Objects>,
    changed: watch::Sender<u64>,
}

impl Store {
    /// An empty store. `seed` makes the uids.
    pub(crate) fn new(seed: u64) -> Self {
        let objects = Objects { revision: 1_000, map: BTreeMap::new(), history: VecDeque::new(), oldest: 1_000, seed, born: 0 };
        Self { objects: Mutex::new(objects), changed: watch::Sender::new(1_000) }
    }

    /// The objects, for reading.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Objects> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the objects as one step and wakes the watches if anything changed.
    pub(crate) fn write<T>(&self, change: impl FnOnce(&mut Objects) -> T) -> T {
        let mut objects = self.lock();
        let result = change(&mut objects);
        let revision = objects.revision;
        drop(objects);
        self.changed.send_if_modified(|seen| std::mem::replace(seen, revision) != revision);
        result
    }

    /// Tells of every new revision.
    pub(crate) fn subscribe(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }
}

impl Objects {
    /// The newest revision.
    pub(crate) fn revision(&self) -> u64 {
        self.revision
    }

    pub(crate) fn get(&self, key: &Key) -> Option<&Arc<Value>> {
        self.map.get(key)
    }

    /// The objects of a kind in one namespace ("" for all), after the given key, in order.
    pub(crate) fn list<'a>(
        &'a self,
        kind: KindId,
        namespace: &'a str,
        after: Option<&Key>,
    ) -> impl Iterator<Item = (&'a Key, &'a Arc<Value>)> + use<'a> {
        use std::ops::Bound::{Excluded, Included, Unbounded};
        let start = after.map_or_else(|| Included(Key::new(kind, namespace, "")), |key| Excluded(key.clone()));
        self.map
            .range((start, Unbounded))
            .take_while(move |(key, _)| key.kind == kind && (namespace.is_empty() || key.namespace == namespace))
    }

    /// Stores an object as it is, giving it identity and revision. Returns what is stored.
    pub(crate) fn put(&mut self, key: Key, mut value: Value) -> Arc<Value> {
        self.revision += 1;
        let before = self.map.get(&key).cloned();
        self.identify(&key, &mut value, before.as_deref());
        value.put("metadata/resourceVersion", self.revision.to_string());
        let object = Arc::new(value);
        let verb = if before.is_some() { Verb::Modified } else { Verb::Added };
        self.map.insert(key.clone(), Arc::clone(&object));
        self.remember(Change { revision: self.revision, key, verb, object: Arc::clone(&object), before });
        object
    }

    /// Removes an object and returns its last state.
    pub(crate) fn remove(&mut self, key: &Key) -> Option<Arc<Value>> {
        let before = self.map.remove(key)?;
        self.revision += 1;
        let mut last = (*before).clone();
        last.put("metadata/resourceVersion", self.revision.to_string());
        let object = Arc::new(last);
        let change =
            Change { revision: self.revision, key: key.clone(), verb: Verb::Deleted, object: Arc::clone(&object), before: Some(before) };
        self.remember(change);
        Some(object)
    }

    /// Fills in what every stored object has, also in a dry run: kind, namespace, uid, creation time.
    pub(crate) fn identify(&mut self, key: &Key, value: &mut Value, before: Option<&Value>) {
        if let Some(kind) = KINDS.get(key.kind) {
            value.put("kind", kind.kind);
            value.put("apiVersion", kind.api_version());
            if kind.namespaced {
                value.put("metadata/namespace", key.namespace.as_str());
            }
        }
        value.put("metadata/name", key.name.as_str());
        for field in ["metadata/uid", "metadata/creationTimestamp"] {
            if let Some(old) = before.map(|b| b.at(field)).filter(|v| !v.is_null()) {
                value.put(field, old.clone());
            }
        }
        if !value.has("metadata/uid") {
            value.put("metadata/uid", self.uid());
        }
        if !value.has("metadata/creationTimestamp") {
            value.put("metadata/creationTimestamp", clock::now());
        }
    }

    /// The changes of one kind after `since`, and the revision they lead to.
    pub(crate) fn since(&self, kind: KindId, since: u64) -> Result<(u64, Vec<Change>), Compacted> {
        if since < self.oldest {
            return Err(Compacted { oldest: self.oldest });
        }
        let start = self.history.partition_point(|change| change.revision <= since);
        let changes = self.history.range(start..).filter(|change| change.key.kind == kind).cloned().collect();
        Ok((self.revision, changes))
    }

    /// Forgets the history: every older watch is answered with 410 from now on.
    pub(crate) fn compact(&mut self) {
        self.history.clear();
        self.oldest = self.revision;
    }

    /// A fresh uid that depends only on the seed and on how many were made before.
    pub(crate) fn uid(&mut self) -> String {
        self.born += 1;
        let mut rng = fastrand::Rng::with_seed(self.seed ^ self.born.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let (a, b) = (rng.u64(..), rng.u64(..));
        format!("{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}", a >> 32, (a >> 16) & 0xffff, a & 0xfff, 0x8000 | (b >> 50), b & 0xffff_ffff_ffff)
    }

    fn remember(&mut self, change: Change) {
        self.history.push_back(change);
        if self.history.len() > HISTORY
            && let Some(dropped) = self.history.pop_front()
        {
            self.oldest = dropped.revision;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Key, Store, Verb};
    use serde_json::json;

    #[test]
    fn history_tells_what_happened_until_it_is_compacted() {
        let store = Store::new(7);
        let key = Key::new(5, "ns", "a");
        let start = store.lock().revision();
        store.write(|o| o.put(key.clone(), json!({})));
        store.write(|o| o.put(key.clone(), json!({"x": 1})));
        store.write(|o| o.remove(&key));
        let verbs: Vec<_> = store.lock().since(5, start).unwrap().1.iter().map(|c| c.verb).collect();
        assert_eq!(verbs, [Verb::Added, Verb::Modified, Verb::Deleted]);
        store.write(super::Objects::compact);
        assert!(store.lock().since(5, start).is_err());
        let now = store.lock().revision();
        assert!(store.lock().since(5, now).is_ok());
    }
}
