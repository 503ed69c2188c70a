//! Whether a receipt still counts.

use super::{Dependency, Receipt};
use crate::model::ids::ObjectRef;
use crate::model::snapshot::{How, ServerFacts};
use crate::model::time::Time;

/// Whether a receipt counts now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Validity {
    /// It counts.
    Valid,
    /// Its time ran out.
    Expired,
    /// An object it depended on appeared, changed or went.
    Moved(ObjectRef, How),
    /// It is about another cluster.
    Elsewhere,
}

/// Compares a receipt with the present. `now` holds the dependencies as they are, sorted. O(n log n).
pub fn validity(receipt: &Receipt, present: &[Dependency], server: &ServerFacts, now: Time) -> Validity {
    if receipt.cluster.uid != server.cluster_uid || receipt.cluster.simulated != server.simulated {
        return Validity::Elsewhere;
    }
    if let Some((object, how)) = first_move(&receipt.depends, present) {
        return Validity::Moved(object, how);
    }
    if now >= receipt.expires || now < receipt.created { Validity::Expired } else { Validity::Valid }
}

/// The first object, in order of kind and name, that differs between then and now.
pub fn first_move(then: &[Dependency], now: &[Dependency]) -> Option<(ObjectRef, How)> {
    let index = |list: &[Dependency]| {
        list.iter().map(|d| (d.object.clone(), (d.uid, d.version))).collect::<std::collections::BTreeMap<_, _>>()
    };
    let (then, now) = (index(then), index(now));
    for (object, was) in &then {
        match now.get(object) {
            None => return Some((object.clone(), How::Deleted)),
            Some(is) if is != was => return Some((object.clone(), How::Changed)),
            Some(_) => {}
        }
    }
    now.keys().find(|object| !then.contains_key(*object)).map(|object| (object.clone(), How::Added))
}
