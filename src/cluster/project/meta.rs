//! Metadata, names, labels, amounts: what all projections share.

use std::borrow::Cow;

use crate::cluster::wire::lean::{Field, Many, Str, Table};
use crate::cluster::wire::meta::MetaWire;
use crate::cluster::wire::pod::ConditionWire;
use crate::model::consumer::Condition;
use crate::model::ids::{Name, Uid, fold};
use crate::model::intern::Interner;
use crate::model::labels::LabelSet;
use crate::model::limits::Amounts;
use crate::model::meta::{Changed, Meta};
use crate::model::quantity::Quantity;
use crate::model::text::LONGEST;
use crate::model::time::Time;

/// The longest name kept whole, in bytes. The API allows 253 for names and 317 for label keys; an image reference has no limit.
const LONGEST_NAME: usize = 1024;

/// What stands for a table that can't be read.
const UNREADABLE: &str = "(unreadable)";

/// A text short enough to keep. A longer one is cut and told apart from its like by a digest. O(length).
fn short(text: &str) -> Cow<'_, str> {
    if text.len() <= LONGEST_NAME {
        return Cow::Borrowed(text);
    }
    let end = (0..=LONGEST_NAME).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
    let cut = text.get(..end).unwrap_or_default();
    Cow::Owned(format!("{cut}…{:032x}", fold(text)))
}

/// A shared name.
pub(crate) fn name(text: &str, interner: &mut Interner) -> Name {
    interner.name(&short(text))
}

/// An object's own name: not shared, because hardly ever two are equal.
pub(crate) fn own_name(text: &str) -> Name {
    short(text).as_ref().into()
}

/// A text of foreign origin, cut to [`LONGEST`] characters.
pub(crate) fn words(text: &str) -> Name {
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => text.get(..at).unwrap_or_default().into(),
        None => text.into(),
    }
}

/// What a fact's version is made of.
#[derive(Clone, Copy)]
pub(crate) enum Version<'a> {
    /// `metadata.generation`, or the resource version where the server keeps none.
    Generation,
    /// `metadata.resourceVersion`.
    Resource,
    /// A digest of what a wall may rest on.
    Digest(&'a str),
}

/// Whether the newest writer is kept.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writer {
    /// Kept.
    Kept,
    /// Not kept: kinds that are many, and whose changes are not told.
    Dropped,
}

/// Meta from its wire form; none without a name.
pub(crate) fn meta(wire: &MetaWire<'_>, version: Version<'_>, writer: Writer, interner: &mut Interner) -> Option<Meta> {
    let own = wire.name.text();
    if own.is_empty() {
        return None;
    }
    let resource = || {
        let text = wire.resource_version.text();
        text.parse().unwrap_or_else(|_odd| fold(text) as u64)
    };
    let version = match version {
        Version::Generation => match wire.generation.as_ref() {
            Some(generation) if *generation > 0 => generation.unsigned_abs(),
            _ => resource(),
        },
        Version::Resource => resource(),
        Version::Digest(text) => fold(text) as u64,
    };
    Some(Meta {
        namespace: name(wire.namespace.text(), interner),
        name: own_name(own),
        uid: Uid::parse(wire.uid.text()),
        version,
        created: Time::parse(wire.creation_timestamp.text()).unwrap_or_default(),
        changed: if writer == Writer::Kept { changed(wire, interner).map(Box::new) } else { None },
    })
}

/// The newest writer that did not only write status.
pub(crate) fn changed(wire: &MetaWire<'_>, interner: &mut Interner) -> Option<Changed> {
    let newest = wire.managed_fields.as_ref()?;
    let at = Time::parse(&newest.time.as_ref()?.0)?;
    Some(Changed { manager: name(newest.manager.as_ref().map_or("", |m| &m.0), interner), at })
}

/// Labels; a value that is no text is passed over, as no server holds one.
pub(crate) fn labels(field: Field<Table<'_, Str<'_>>>, interner: &mut Interner) -> LabelSet {
    let pairs = field.get().unwrap_or_default().0;
    let shared: Vec<(Name, Name)> =
        pairs.into_iter().filter_map(|(key, value)| value.get().map(|value| (name(&key, interner), name(&value.0, interner)))).collect();
    LabelSet::new(shared)
}

/// Amounts, sorted by name. An amount that is none reads [`Quantity::UNREADABLE`]; so does, as a whole, a table that is none.
pub(crate) fn amounts(field: Field<Table<'_, Quantity>>, interner: &mut Interner) -> Amounts {
    let table = match field {
        Field::Absent => return Amounts::default(),
        Field::Odd => return Box::new([(interner.name(UNREADABLE), Quantity::UNREADABLE)]),
        Field::Is(table) => table,
    };
    let mut amounts: Vec<(Name, Quantity)> =
        table.0.into_iter().map(|(key, amount)| (name(&key, interner), amount.get().unwrap_or(Quantity::UNREADABLE))).collect();
    amounts.sort_by(|a, b| a.0.cmp(&b.0));
    amounts.into_boxed_slice()
}

/// The status of a condition: true, false, or not said.
pub(crate) fn condition(conditions: Field<Many<ConditionWire<'_>>>, kind: &str) -> Option<bool> {
    let found = conditions.items().find(|condition| condition.kind.text() == kind)?;
    truth(found.status.text())
}

/// The condition that tells whether something works, of several types: the first that says no, else the first there is.
pub(crate) fn ready(conditions: Field<Many<ConditionWire<'_>>>, kinds: &[&str], interner: &mut Interner) -> Option<Condition> {
    let list: Vec<ConditionWire<'_>> = conditions.items().collect();
    let told = || kinds.iter().filter_map(|kind| list.iter().find(|condition| condition.kind.text() == *kind));
    let found = told().find(|condition| condition.status.text() == "False").or_else(|| told().next())?;
    Some(Condition {
        status: truth(found.status.text()),
        reason: name(found.reason.text(), interner),
        message: words(found.message.text()),
        since: Time::parse(found.last_transition_time.text()),
    })
}

fn truth(status: &str) -> Option<bool> {
    match status {
        "True" => Some(true),
        "False" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_megabytes_of_name_are_cut_but_stay_apart() {
        let (a, b) = (format!("{}a", "ü".repeat(5 << 20)), format!("{}b", "ü".repeat(5 << 20)));
        let mut interner = Interner::default();
        let (a, b) = (name(&a, &mut interner), name(&b, &mut interner));
        assert!(a.len() < 1100);
        assert_ne!(a, b);
        assert_eq!(words(&"ü".repeat(5000)).chars().count(), LONGEST);
    }
}
