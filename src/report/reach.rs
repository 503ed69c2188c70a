//! `partywall reach`: who can reach whom (schema `partywall.reach/v1`).

pub mod dot;
pub mod json;
pub mod outside;
pub mod table;
pub mod told;

use std::net::IpAddr;

use crate::netpol::ports::PortSet;
use crate::netpol::reach::{Connection, Workload};

/// Addresses of one family, from and to, both included.
pub type Range = (IpAddr, IpAddr);

/// What is printed.
#[derive(Clone, Copy, Debug)]
pub struct Picture<'a> {
    /// Every workload, sorted.
    pub workloads: &'a [Workload],
    /// Every pair with an open or undefined port, sorted.
    pub connections: &'a [Connection],
    /// The demo's servers answered.
    pub simulated: bool,
}

/// A workload's id: `namespace/name[Kind]`. Not cleaned.
pub fn id(workload: &Workload) -> String {
    format!("{}/{}[{}]", workload.namespace, workload.name, workload.kind)
}

/// A range as people write it: one address plain, exactly one block as CIDR, else from–to.
pub fn range_words((from, to): Range) -> String {
    let bits = |from: u128, to: u128, width: u32| {
        let varying = from ^ to;
        let free = 128 - varying.leading_zeros();
        let mask = if free == 0 { 0 } else { u128::MAX >> (128 - free) };
        (from & mask == 0 && to & mask == mask).then(|| width.saturating_sub(free))
    };
    let prefix = match (from, to) {
        (IpAddr::V4(a), IpAddr::V4(b)) => bits(u128::from(u32::from(a)), u128::from(u32::from(b)), 32).filter(|prefix| *prefix < 32),
        (IpAddr::V6(a), IpAddr::V6(b)) => bits(u128::from(a), u128::from(b), 128).filter(|prefix| *prefix < 128),
        _ => None,
    };
    match prefix {
        Some(prefix) => format!("{from}/{prefix}"),
        None if from == to => from.to_string(),
        None => format!("{from}-{to}"),
    }
}

/// Whether ports are open for sure, and those of which nothing can be said.
fn split(connection: &Connection) -> (Option<&PortSet>, Option<PortSet>) {
    let sure = &*connection.answer.sure;
    let undefined = connection.answer.undefined();
    ((!sure.is_empty()).then_some(sure), (!undefined.is_empty()).then_some(undefined))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(from: &str, to: &str) -> String {
        range_words((from.parse().unwrap(), to.parse().unwrap()))
    }

    #[test]
    fn ranges_are_written_as_short_as_they_are_exact() {
        assert_eq!(words("10.0.0.0", "10.255.255.255"), "10.0.0.0/8");
        assert_eq!(words("0.0.0.0", "255.255.255.255"), "0.0.0.0/0");
        assert_eq!(words("128.0.0.0", "255.255.255.255"), "128.0.0.0/1");
        assert_eq!(words("10.0.0.4", "10.0.0.5"), "10.0.0.4/31");
        assert_eq!(words("10.0.0.5", "10.0.0.6"), "10.0.0.5-10.0.0.6", "as long as a block, but none");
        assert_eq!(words("11.0.0.0", "11.0.0.9"), "11.0.0.0-11.0.0.9");
        assert_eq!(words("0.0.0.0", "9.255.255.255"), "0.0.0.0-9.255.255.255");
        assert_eq!(words("1.2.3.4", "1.2.3.4"), "1.2.3.4");
        assert_eq!(words("::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), "::/0");
        assert_eq!(words("fd00::", "fd00::ffff"), "fd00::/112");
        assert_eq!(words("::1", "::1"), "::1");
    }
}
