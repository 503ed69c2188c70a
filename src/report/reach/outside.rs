//! Addresses outside, cut where any policy draws a line: within a piece every address is judged alike.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use super::Range;
use crate::model::adminpolicy::{AdminPolicyFact, TierPeer};
use crate::model::ciliumpolicy::{CiliumBlock, CiliumPeers, CiliumPolicyFact};
use crate::model::networkpolicy::{NetworkPolicyFact, Peer as RulePeer};
use crate::model::snapshot::Snapshot;
use crate::netpol::reach::{Connection, Peer};

/// The pieces of the address space, by family, sorted; each family whole. IPv6 only when wanted. O(lines × log).
pub fn pieces(snapshot: &Snapshot, connections: &[Connection], ipv6: bool) -> Vec<Range> {
    let mut lines = Lines::default();
    for facts in snapshot.namespaces.values() {
        facts.policies.values().for_each(|policy| lines.policy(policy));
        facts.cilium.values().for_each(|policy| lines.cilium(policy));
    }
    snapshot.cluster.admin.values().for_each(|policy| lines.admin(policy));
    snapshot.cluster.cilium.values().for_each(|policy| lines.cilium(policy));
    snapshot.cluster.cidr_groups.values().for_each(|group| lines.nets(&group.cidrs));
    for peer in connections.iter().flat_map(|connection| [&connection.from, &connection.to]) {
        if let Peer::Addresses(ranges) = peer {
            for (from, to) in ranges {
                lines.range(*from, *to);
            }
        }
    }
    let mut pieces = families(&lines.v4, u32::MAX, |at| IpAddr::V4(Ipv4Addr::from(at)));
    if ipv6 {
        pieces.extend(families(&lines.v6, u128::MAX, |at| IpAddr::V6(Ipv6Addr::from(at))));
    }
    pieces
}

/// Pieces that touch, joined. They must be sorted and of one family each.
pub fn joined(pieces: &[Range]) -> Vec<Range> {
    let mut joined: Vec<Range> = Vec::new();
    for (from, to) in pieces {
        match joined.last_mut() {
            Some(last) if follows(last.1, *from) => last.1 = *to,
            _ => joined.push((*from, *to)),
        }
    }
    joined
}

fn follows(before: IpAddr, after: IpAddr) -> bool {
    match (before, after) {
        (IpAddr::V4(a), IpAddr::V4(b)) => u32::from(a).checked_add(1) == Some(u32::from(b)),
        (IpAddr::V6(a), IpAddr::V6(b)) => u128::from(a).checked_add(1) == Some(u128::from(b)),
        _ => false,
    }
}

fn families<T: Copy + Ord + Default + std::ops::Sub<Output = T> + From<u8>>(
    starts: &BTreeSet<T>,
    last: T,
    address: impl Fn(T) -> IpAddr,
) -> Vec<Range> {
    let zero = T::default();
    let begins: Vec<T> = std::iter::once(zero).chain(starts.iter().copied().filter(|at| *at > zero)).collect();
    let ends = begins.iter().skip(1).map(|next| *next - T::from(1)).chain(std::iter::once(last));
    begins.iter().zip(ends).map(|(from, to)| (address(*from), address(to))).collect()
}

/// Addresses at which a new piece begins.
#[derive(Default)]
struct Lines {
    v4: BTreeSet<u32>,
    v6: BTreeSet<u128>,
}

impl Lines {
    fn range(&mut self, from: IpAddr, to: IpAddr) {
        match (from, to) {
            (IpAddr::V4(from), IpAddr::V4(to)) => {
                self.v4.insert(from.into());
                self.v4.extend(u32::from(to).checked_add(1));
            }
            (IpAddr::V6(from), IpAddr::V6(to)) => {
                self.v6.insert(from.into());
                self.v6.extend(u128::from(to).checked_add(1));
            }
            _ => {}
        }
    }

    fn nets(&mut self, nets: &[IpNet]) {
        for net in nets {
            self.range(net.network(), net.broadcast());
        }
    }

    fn policy(&mut self, policy: &NetworkPolicyFact) {
        for peer in policy.ingress.iter().chain(&policy.egress).flat_map(|rule| &rule.peers) {
            if let RulePeer::Block { cidr, except } = peer {
                self.nets(std::slice::from_ref(cidr));
                self.nets(except);
            }
        }
    }

    fn admin(&mut self, policy: &AdminPolicyFact) {
        for peer in policy.ingress.iter().chain(&policy.egress).flat_map(|rule| &rule.peers) {
            if let TierPeer::Networks(nets) = peer {
                self.nets(nets);
            }
        }
    }

    fn cilium(&mut self, policy: &CiliumPolicyFact) {
        let lists = policy.rules.iter().flat_map(|rule| [&rule.ingress, &rule.ingress_deny, &rule.egress, &rule.egress_deny]);
        for peers in lists.flatten().flat_map(|entry| &entry.peers) {
            let CiliumPeers::Blocks(blocks) = peers else { continue };
            for block in blocks {
                match block {
                    CiliumBlock::Range { cidr, except } => {
                        self.nets(std::slice::from_ref(cidr));
                        self.nets(except);
                    }
                    CiliumBlock::Group { except, .. } => self.nets(except),
                    CiliumBlock::Unreadable(_) => {}
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::range_words;
    use super::*;
    use crate::netpol::answer::Answer;

    fn words(pieces: &[Range]) -> Vec<String> {
        pieces.iter().map(|range| range_words(*range)).collect()
    }

    #[test]
    fn the_space_is_cut_at_every_line_and_stays_whole() {
        let to =
            Peer::Addresses(vec![([10, 0, 0, 0].into(), [10, 255, 255, 255].into()), ([255, 0, 0, 0].into(), [255, 255, 255, 255].into())]);
        let connections = [Connection { from: Peer::Workload(0), to, answer: Answer::default() }];
        let pieces = pieces(&Snapshot::default(), &connections, true);
        assert_eq!(words(&pieces), ["0.0.0.0-9.255.255.255", "10.0.0.0/8", "11.0.0.0-254.255.255.255", "255.0.0.0/8", "::/0"]);
        assert_eq!(words(&joined(&pieces)), ["0.0.0.0/0", "::/0"]);
        assert_eq!(words(&self::pieces(&Snapshot::default(), &[], false)), ["0.0.0.0/0"]);
    }
}
