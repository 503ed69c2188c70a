//! Sets of ports of the three protocols that policies know.

use std::fmt::Write as _;

use crate::model::containers::PortProtocol;

/// The protocols, in the order of [`PortSet`]'s ranges.
pub const PROTOCOLS: [PortProtocol; 3] = [PortProtocol::Tcp, PortProtocol::Udp, PortProtocol::Sctp];

/// The ports there are: nothing can be sent to port 0.
const EVERY: (u16, u16) = (1, u16::MAX);

type Ranges = Box<[(u16, u16)]>;

/// Ports by protocol. Ranges are sorted, disjoint, not adjacent, both ends included, so that equal sets are equal values.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct PortSet {
    ranges: [Ranges; 3],
}

const fn place(protocol: PortProtocol) -> usize {
    match protocol {
        PortProtocol::Tcp => 0,
        PortProtocol::Udp => 1,
        PortProtocol::Sctp => 2,
    }
}

impl PortSet {
    /// No port.
    pub fn none() -> Self {
        Self::default()
    }

    /// Every port of every protocol.
    pub fn all() -> Self {
        Self { ranges: [[EVERY].into(), [EVERY].into(), [EVERY].into()] }
    }

    /// Every port of one protocol.
    pub fn all_of(protocol: PortProtocol) -> Self {
        Self::range(protocol, EVERY.0, EVERY.1)
    }

    /// Ports of one protocol, both ends included; port 0 is left out, and a range that ends before it begins is empty.
    pub fn range(protocol: PortProtocol, from: u16, to: u16) -> Self {
        Self::from_ranges([(protocol, from, to)])
    }

    /// The union of ranges in any order. O(n log n).
    pub fn from_ranges(ranges: impl IntoIterator<Item = (PortProtocol, u16, u16)>) -> Self {
        let mut lists: [Vec<(u16, u16)>; 3] = Default::default();
        for (protocol, from, to) in ranges {
            let from = from.max(EVERY.0);
            if let (Some(list), true) = (lists.get_mut(place(protocol)), from <= to) {
                list.push((from, to));
            }
        }
        Self { ranges: lists.map(merged) }
    }

    /// The ranges of a protocol.
    pub fn ranges(&self, protocol: PortProtocol) -> &[(u16, u16)] {
        self.ranges.get(place(protocol)).map_or(&[], |ranges| ranges)
    }

    /// Whether no port is in it.
    pub fn is_empty(&self) -> bool {
        self.ranges.iter().all(|ranges| ranges.is_empty())
    }

    /// Whether every port of every protocol is in it.
    pub fn is_all(&self) -> bool {
        PROTOCOLS.into_iter().all(|protocol| self.is_all_of(protocol))
    }

    /// Whether every port of a protocol is in it.
    pub fn is_all_of(&self, protocol: PortProtocol) -> bool {
        self.ranges(protocol) == [EVERY]
    }

    /// Whether a port is in it. O(log ranges).
    pub fn contains(&self, protocol: PortProtocol, port: u16) -> bool {
        let ranges = self.ranges(protocol);
        let after = ranges.partition_point(|(from, _)| *from <= port);
        after.checked_sub(1).and_then(|at| ranges.get(at)).is_some_and(|(_, to)| port <= *to)
    }

    /// Ports in either. O(ranges).
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        self.zip(other, |a, b| merged(a.iter().chain(b).copied().collect()))
    }

    /// Ports in both. O(ranges).
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Self {
        self.zip(other, |a, b| {
            let (mut a, mut b) = (a.iter().copied().peekable(), b.iter().copied().peekable());
            let mut both = Vec::new();
            while let (Some((a_from, a_to)), Some((b_from, b_to))) = (a.peek().copied(), b.peek().copied()) {
                let (from, to) = (a_from.max(b_from), a_to.min(b_to));
                if from <= to {
                    both.push((from, to));
                }
                if a_to <= b_to {
                    a.next()
                } else {
                    b.next()
                };
            }
            both.into_boxed_slice()
        })
    }

    /// Ports of this one that are not in the other. O(ranges).
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        self.intersect(&other.complement())
    }

    /// Every port that is not in it. O(ranges).
    #[must_use]
    pub fn complement(&self) -> Self {
        self.zip(self, |ranges, _| {
            let mut gaps = Vec::new();
            let mut next = Some(EVERY.0);
            for (from, to) in ranges {
                if let Some(start) = next.filter(|start| start < from) {
                    gaps.push((start, from - 1));
                }
                next = to.checked_add(1);
            }
            gaps.extend(next.map(|start| (start, EVERY.1)));
            gaps.into_boxed_slice()
        })
    }

    fn zip(&self, other: &Self, join: impl Fn(&[(u16, u16)], &[(u16, u16)]) -> Ranges) -> Self {
        Self { ranges: PROTOCOLS.map(|protocol| join(self.ranges(protocol), other.ranges(protocol))) }
    }

    /// As people write it: `every port`, `no port`, `TCP 80, 8000-8010; all of UDP`. Long lists are cut and counted.
    pub fn words(&self) -> String {
        const SHOWN: usize = 6;
        if self.is_all() {
            return "every port".to_owned();
        }
        let mut said = String::new();
        for protocol in PROTOCOLS {
            let ranges = self.ranges(protocol);
            if ranges.is_empty() {
                continue;
            }
            let sep = if said.is_empty() { "" } else { "; " };
            if self.is_all_of(protocol) {
                let _ = write!(said, "{sep}all of {}", protocol.word());
                continue;
            }
            let one = |(from, to): &(u16, u16)| if from == to { from.to_string() } else { format!("{from}-{to}") };
            let list: Vec<String> = ranges.iter().take(SHOWN).map(one).collect();
            let _ = write!(said, "{sep}{} {}", protocol.word(), list.join(", "));
            if ranges.len() > SHOWN {
                let _ = write!(said, " and {} more", ranges.len() - SHOWN);
            }
        }
        if said.is_empty() { "no port".to_owned() } else { said }
    }
}

/// Sorts, joins what overlaps or touches.
fn merged(mut ranges: Vec<(u16, u16)>) -> Ranges {
    ranges.sort_unstable();
    let mut out: Vec<(u16, u16)> = Vec::with_capacity(ranges.len());
    for (from, to) in ranges {
        match out.last_mut() {
            Some(last) if u32::from(from) <= u32::from(last.1) + 1 => last.1 = last.1.max(to),
            _ => out.push((from, to)),
        }
    }
    out.into_boxed_slice()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_set() -> impl Strategy<Value = PortSet> {
        let edge = prop_oneof![0_u16..8, 65_530_u16..=65_535, any::<u16>()];
        let range = (0_usize..3, edge.clone(), edge).prop_map(|(p, a, b)| (PROTOCOLS[p], a.min(b), a.max(b)));
        proptest::collection::vec(range, 0..6).prop_map(PortSet::from_ranges)
    }

    proptest! {
        #[test]
        fn sets_of_ports_are_sets(a in any_set(), b in any_set(), ports in proptest::collection::vec(any::<u16>(), 20)) {
            let (or, and, less, not) = (a.union(&b), a.intersect(&b), a.minus(&b), a.complement());
            for port in ports.into_iter().chain([0, 1, 2, 7, 8, 65_529, 65_530, 65_535]) {
                for protocol in PROTOCOLS {
                    let (x, y) = (a.contains(protocol, port), b.contains(protocol, port));
                    prop_assert_eq!(or.contains(protocol, port), x || y);
                    prop_assert_eq!(and.contains(protocol, port), x && y);
                    prop_assert_eq!(less.contains(protocol, port), x && !y);
                    prop_assert_eq!(not.contains(protocol, port), !x && port > 0);
                }
            }
            prop_assert_eq!(not.complement(), a.clone(), "one set has one form");
            prop_assert_eq!(and.is_empty(), less == a);
        }
    }

    #[test]
    fn words_are_short() {
        assert_eq!(PortSet::all().words(), "every port");
        assert_eq!(PortSet::none().words(), "no port");
        let dns = PortSet::range(PortProtocol::Udp, 53, 53);
        let web = PortSet::from_ranges([(PortProtocol::Tcp, 8000, 8010), (PortProtocol::Tcp, 80, 80)]);
        assert_eq!(web.union(&dns).words(), "TCP 80, 8000-8010; UDP 53");
        assert_eq!(PortSet::all_of(PortProtocol::Udp).words(), "all of UDP");
    }
}
