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
    let index =
        |list: &[Dependency]| list.iter().map(|d| (d.object.clone(), (d.uid, d.version))).collect::<std::collections::BTreeMap<_, _>>();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ids::Uid;
    use crate::model::kind::Kind;
    use crate::probe::spec::ProbeId;
    use crate::receipt::ClusterId;

    fn on(name: &str, uid: u128, version: u64) -> Dependency {
        Dependency { object: ObjectRef::new(Kind::NetworkPolicy, "ns", name), uid: Uid(uid), version }
    }

    fn receipt(depends: Vec<Dependency>) -> Receipt {
        Receipt {
            id: "id".into(),
            probe: ProbeId::Network,
            tenant: "acme".into(),
            partner: None,
            cluster: ClusterId { context: "here".into(), uid: "uid".into(), version: "".into(), simulated: false },
            operator: "".into(),
            mode: "probe".into(),
            steps: vec![],
            crossings: vec![],
            depends,
            created: Time(100),
            expires: Time(200),
        }
    }

    fn server() -> ServerFacts {
        ServerFacts { cluster_uid: "uid".into(), ..ServerFacts::default() }
    }

    #[test]
    fn any_difference_ends_it() {
        let made = receipt(vec![on("a", 1, 1), on("b", 2, 1)]);
        let moved = |name: &str, how| Validity::Moved(ObjectRef::new(Kind::NetworkPolicy, "ns", name), how);
        for (present, expected) in [
            (vec![on("a", 1, 1), on("b", 2, 1)], Validity::Valid),
            (vec![on("a", 1, 1)], moved("b", How::Deleted)),
            (vec![on("a", 1, 2), on("b", 2, 1)], moved("a", How::Changed)),
            (vec![on("a", 9, 1), on("b", 2, 1)], moved("a", How::Changed)),
            (vec![on("a", 1, 1), on("b", 2, 1), on("c", 3, 1)], moved("c", How::Added)),
        ] {
            assert_eq!(validity(&made, &present, &server(), Time(150)), expected);
        }
    }

    #[test]
    fn it_counts_from_its_making_until_its_expiry() {
        let made = receipt(vec![]);
        for (now, expected) in [(99, Validity::Expired), (100, Validity::Valid), (199, Validity::Valid), (200, Validity::Expired)] {
            assert_eq!(validity(&made, &[], &server(), Time(now)), expected, "at {now}");
        }
    }

    #[test]
    fn another_cluster_or_a_simulated_one_is_elsewhere() {
        let made = receipt(vec![]);
        let other = ServerFacts { cluster_uid: "other".into(), ..ServerFacts::default() };
        let simulated = ServerFacts { simulated: true, ..server() };
        for place in [other, simulated] {
            assert_eq!(validity(&made, &[], &place, Time(150)), Validity::Elsewhere);
        }
    }
}
