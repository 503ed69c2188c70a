//! A part whose items are read one by one.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::Arc;

use futures::StreamExt as _;
use futures::stream;

use super::turns::Turns;
use super::{Reading, bad, line_missing};
use crate::model::ids::Name;
use crate::model::source::SourceState;
use crate::model::text::clean;
use crate::model::vault::Part;
use crate::vault::error::{VaultError, VaultErrorKind};

/// So many requests at once.
const AT_ONCE: usize = 4;

/// What came of one item.
enum Item<V> {
    Read(V),
    Unreadable(Name),
    Gone,
}

/// Reads the next of the listed items into a part and settles its state. `path` is the list's, for messages; `read` gives the answer and
/// the path that was asked for. An item that is denied or odd is recorded with its reason. An outage makes the whole part stale.
pub(super) async fn refresh<V, F>(
    reading: &mut Reading<'_>,
    turns: &mut Turns,
    part: &mut Part<Name, V>,
    (path, listed): (&str, Vec<Name>),
    read: impl Fn(Name) -> F,
) where
    V: PartialEq + Clone,
    F: Future<Output = (Result<Option<V>, VaultError>, String)>,
{
    if reading.whole {
        *turns = Turns::default();
    }
    let wanted = turns.next(&listed);
    let mut answers = stream::iter(wanted.into_iter().map(|name| {
        let answer = read(name.clone());
        async move { (name, answer.await) }
    }))
    .buffer_unordered(AT_ONCE);
    let (mut items, mut trouble, mut denied) = (BTreeMap::new(), None, None::<(Name, Name)>);
    while let Some((name, (answer, asked))) = answers.next().await {
        let item = match answer {
            Ok(Some(value)) => Item::Read(value),
            Ok(None) => Item::Unreadable("an answer without the fields we need".into()),
            // deleted between the list and the read
            Err(error) if error.kind == VaultErrorKind::NotFound => Item::Gone,
            Err(error) if error.kind == VaultErrorKind::Denied => {
                let why = Name::from(line_missing(&error, &asked, "read"));
                // answers come in any order: the same one is named every time
                if denied.as_ref().is_none_or(|(first, _)| name < *first) {
                    denied = Some((name.clone(), why.clone()));
                }
                Item::Unreadable(why)
            }
            Err(error) if error.kind == VaultErrorKind::Malformed => Item::Unreadable(clean(&error.to_string()).into()),
            Err(error) => {
                trouble = Some(error);
                break;
            }
        };
        turns.mark(&name, reading.now);
        items.insert(name, item);
    }
    drop(answers);
    reading.progress |= trouble.as_ref().is_some_and(|error| error.kind == VaultErrorKind::RateLimited) && !items.is_empty();
    store(part, &listed, items);
    let left = turns.left(&listed);
    part.state = match trouble {
        Some(error) => {
            reading.trouble(&error);
            if error.kind != VaultErrorKind::RateLimited {
                *turns = Turns::default();
            }
            if error.kind == VaultErrorKind::RateLimited && left == 0 {
                SourceState::Live
            } else {
                unfinished(&part.state, path, &error, (listed.len() - left, listed.len()), reading)
            }
        }
        None => match denied.filter(|_| part.items.is_empty()) {
            Some((_, why)) => SourceState::Denied { why },
            None => SourceState::Live,
        },
    };
    reading.age(turns);
}

/// The state of a part of which only some items could be read.
fn unfinished(before: &SourceState, path: &str, error: &VaultError, (done, all): (usize, usize), reading: &Reading<'_>) -> SourceState {
    let first = matches!(before, SourceState::Off | SourceState::Connecting | SourceState::Loading(_));
    if error.kind == VaultErrorKind::RateLimited && first {
        return SourceState::Loading(u32::try_from(done).unwrap_or(u32::MAX));
    }
    bad(before, &format!("{path}: {error}; {done} of {all} read"), reading.now)
}

/// Puts what was read into the part; what did not change stays shared with older snapshots.
fn store<V: PartialEq + Clone>(part: &mut Part<Name, V>, listed: &[Name], answers: BTreeMap<Name, Item<V>>) {
    let there: BTreeSet<&Name> = listed.iter().collect();
    let gone = |name: &Name| !there.contains(name) || answers.get(name).is_some_and(|item| matches!(item, Item::Gone));
    if part.items.keys().any(gone) {
        Arc::make_mut(&mut part.items).retain(|name, _| !gone(name));
    }
    if part.unreadable.keys().any(gone) {
        Arc::make_mut(&mut part.unreadable).retain(|name, _| !gone(name));
    }
    for (name, item) in answers {
        match item {
            Item::Read(value) => {
                if part.unreadable.contains_key(&name) {
                    Arc::make_mut(&mut part.unreadable).remove(&name);
                }
                if part.items.get(&name) != Some(&value) {
                    Arc::make_mut(&mut part.items).insert(name, value);
                }
            }
            Item::Unreadable(why) => {
                if part.items.contains_key(&name) {
                    Arc::make_mut(&mut part.items).remove(&name);
                }
                if part.unreadable.get(&name) != Some(&why) {
                    Arc::make_mut(&mut part.unreadable).insert(name, why);
                }
            }
            Item::Gone => {}
        }
    }
}
