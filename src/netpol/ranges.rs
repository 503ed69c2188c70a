//! Sets of addresses of both families, as sorted intervals.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Subnets, Ipv6Subnets};

/// An address family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Family {
    V4,
    V6,
}

/// Both families.
pub(super) const FAMILIES: [Family; 2] = [Family::V4, Family::V6];

impl Family {
    pub(super) const fn of(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(_) => Self::V4,
            IpAddr::V6(_) => Self::V6,
        }
    }

    const fn last(self) -> u128 {
        match self {
            Self::V4 => u32::MAX as u128,
            Self::V6 => u128::MAX,
        }
    }
}

/// An address as a number within its family.
pub(super) fn number(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(v4) => u128::from(u32::from(v4)),
        IpAddr::V6(v6) => u128::from(v6),
    }
}

/// The address of a number.
pub(super) fn address(family: Family, number: u128) -> IpAddr {
    match family {
        Family::V4 => IpAddr::V4(Ipv4Addr::from(u32::try_from(number).unwrap_or(u32::MAX))),
        Family::V6 => IpAddr::V6(Ipv6Addr::from(number)),
    }
}

type Intervals = Box<[(u128, u128)]>;

/// Intervals, both ends included, sorted, disjoint, not adjacent: equal sets are equal values.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(super) struct Ranges {
    v4: Intervals,
    v6: Intervals,
}

impl Ranges {
    /// Every address.
    pub(super) fn all() -> Self {
        Self { v4: [(0, Family::V4.last())].into(), v6: [(0, Family::V6.last())].into() }
    }

    /// The union of ranges in any order. O(n log n).
    pub(super) fn new(nets: impl IntoIterator<Item = IpNet>) -> Self {
        Self::from_intervals(nets.into_iter().map(|net| (Family::of(net.addr()), number(net.network()), number(net.broadcast()))))
    }

    /// Single addresses.
    pub(super) fn of_addresses(ips: impl IntoIterator<Item = IpAddr>) -> Self {
        Self::from_intervals(ips.into_iter().map(|ip| (Family::of(ip), number(ip), number(ip))))
    }

    /// From intervals in any order. O(n log n).
    pub(super) fn from_intervals(list: impl IntoIterator<Item = (Family, u128, u128)>) -> Self {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for (family, from, to) in list {
            match family {
                Family::V4 => v4.push((from, to)),
                Family::V6 => v6.push((from, to)),
            }
        }
        Self { v4: merged(v4), v6: merged(v6) }
    }

    pub(super) fn of(&self, family: Family) -> &[(u128, u128)] {
        match family {
            Family::V4 => &self.v4,
            Family::V6 => &self.v6,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.v4.is_empty() && self.v6.is_empty()
    }

    /// Whether an address is in it. O(log n).
    pub(super) fn contains(&self, family: Family, at: u128) -> bool {
        let list = self.of(family);
        let after = list.partition_point(|(from, _)| *from <= at);
        after.checked_sub(1).and_then(|i| list.get(i)).is_some_and(|(_, to)| at <= *to)
    }

    /// Addresses in either. O(n log n).
    pub(super) fn union(&self, other: &Self) -> Self {
        Self::from_intervals(self.each().chain(other.each()))
    }

    /// Addresses of this one that are not in the other. O(n).
    pub(super) fn minus(&self, other: &Self) -> Self {
        Self { v4: without(&self.v4, &other.v4), v6: without(&self.v6, &other.v6) }
    }

    /// Only one family of it.
    pub(super) fn only(&self, family: Family) -> Self {
        Self::from_intervals(self.each().filter(|(f, _, _)| *f == family))
    }

    pub(super) fn each(&self) -> impl Iterator<Item = (Family, u128, u128)> {
        FAMILIES.into_iter().flat_map(|family| self.of(family).iter().map(move |(from, to)| (family, *from, *to)))
    }

    /// As from–to pairs of addresses.
    pub(super) fn pairs(&self) -> Vec<(IpAddr, IpAddr)> {
        self.each().map(|(family, from, to)| (address(family, from), address(family, to))).collect()
    }

    /// As the fewest prefixes. O(n × prefix length).
    pub(super) fn nets(&self) -> Vec<IpNet> {
        let mut nets = Vec::new();
        for (from, to) in self.pairs() {
            match (from, to) {
                (IpAddr::V4(from), IpAddr::V4(to)) => nets.extend(Ipv4Subnets::new(from, to, 0).map(IpNet::V4)),
                (IpAddr::V6(from), IpAddr::V6(to)) => nets.extend(Ipv6Subnets::new(from, to, 0).map(IpNet::V6)),
                _ => {}
            }
        }
        nets
    }
}

fn merged(mut list: Vec<(u128, u128)>) -> Intervals {
    list.sort_unstable();
    let mut out: Vec<(u128, u128)> = Vec::with_capacity(list.len());
    for (from, to) in list {
        match out.last_mut() {
            Some(last) if last.1.checked_add(1).is_none_or(|next| from <= next) => last.1 = last.1.max(to),
            _ => out.push((from, to)),
        }
    }
    out.into_boxed_slice()
}

fn without(from: &[(u128, u128)], less: &[(u128, u128)]) -> Intervals {
    let mut out = Vec::new();
    for &(start, end) in from {
        let mut next = Some(start);
        let first = less.partition_point(|(_, to)| *to < start);
        for &(cut_from, cut_to) in less.iter().skip(first).take_while(|(cut_from, _)| *cut_from <= end) {
            let Some(at) = next else { break };
            if cut_from > at {
                out.push((at, cut_from - 1));
            }
            next = cut_to.checked_add(1);
        }
        if let Some(at) = next.filter(|at| *at <= end) {
            out.push((at, end));
        }
    }
    out.into_boxed_slice()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_ranges() -> impl Strategy<Value = Ranges> {
        let edge = prop_oneof![0_u128..12, Just(u128::from(u32::MAX)), Just(u128::from(u32::MAX) - 1)];
        let one = (any::<bool>(), edge.clone(), edge).prop_map(|(v4, a, b)| (if v4 { Family::V4 } else { Family::V6 }, a.min(b), a.max(b)));
        proptest::collection::vec(one, 0..5).prop_map(Ranges::from_intervals)
    }

    proptest! {
        #[test]
        fn they_are_sets(a in any_ranges(), b in any_ranges()) {
            let (or, less) = (a.union(&b), a.minus(&b));
            for family in FAMILIES {
                for at in (0..14).chain([u128::from(u32::MAX) - 1, u128::from(u32::MAX)]) {
                    let (x, y) = (a.contains(family, at), b.contains(family, at));
                    prop_assert_eq!(or.contains(family, at), x || y);
                    prop_assert_eq!(less.contains(family, at), x && !y);
                }
            }
        }
    }

    #[test]
    fn an_exception_cuts_and_nets_come_back() {
        let ten = Ranges::new(["10.0.0.0/8".parse().unwrap()]);
        let less = ten.minus(&Ranges::new(["10.128.0.0/9".parse().unwrap()]));
        assert_eq!(less.nets(), ["10.0.0.0/9".parse::<IpNet>().unwrap()]);
        assert_eq!(Ranges::all().minus(&Ranges::all()), Ranges::default());
    }
}
