//! Three-valued matching: selectors, ports, addresses. Written for the judge alone; shares nothing with the engine.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;
use partywall::model::containers::PortProtocol;
use partywall::model::labels::{Is, LabelSelector};
use partywall::model::networkpolicy::{PolicyPort, PortMatch, Protocol};

/// No, not known, yes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tri {
    No,
    Undefined,
    Yes,
}

pub use Tri::{No, Undefined, Yes};

impl Tri {
    pub fn of(yes: bool) -> Self {
        if yes { Yes } else { No }
    }

    pub fn and(self, other: Self) -> Self {
        self.min(other)
    }

    pub fn or(self, other: Self) -> Self {
        self.max(other)
    }
}

/// Any of them.
pub fn any(list: impl IntoIterator<Item = Tri>) -> Tri {
    list.into_iter().fold(No, Tri::or)
}

/// All of them.
pub fn all(list: impl IntoIterator<Item = Tri>) -> Tri {
    list.into_iter().fold(Yes, Tri::and)
}

/// What follows if a condition holds, and if not; where it is not known, only what both agree on.
pub fn split(condition: Tri, then: Tri, otherwise: Tri) -> Tri {
    match condition {
        Yes => then,
        No => otherwise,
        Undefined if then == otherwise => then,
        Undefined => Undefined,
    }
}

/// Labels as a plain table.
pub type Table = BTreeMap<String, String>;

/// A port of one protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct L4 {
    pub protocol: PortProtocol,
    pub port: u16,
}

/// What is known of a label: its value, that it is absent, or nothing.
pub enum Label<'a> {
    Is(Option<&'a str>),
    Hidden,
}

/// One requirement against what is known of its key.
pub fn requirement(is: &Is, label: &Label<'_>) -> Tri {
    let Label::Is(value) = label else { return Undefined };
    match is {
        Is::In(values) => Tri::of(value.is_some_and(|value| values.iter().any(|listed| &**listed == value))),
        Is::NotIn(values) => Tri::of(value.is_none_or(|value| values.iter().all(|listed| &**listed != value))),
        Is::Exists => Tri::of(value.is_some()),
        Is::DoesNotExist => Tri::of(value.is_none()),
        Is::Unknown(_) => Undefined,
    }
}

/// A selector against labels.
pub fn selected(selector: &LabelSelector, labels: &Table) -> Tri {
    all(selector.requirements.iter().map(|r| requirement(&r.is, &Label::Is(labels.get(&*r.key).map(String::as_str)))))
}

/// What a party at the far end of a connection answers to port names.
#[derive(Clone, Debug)]
pub enum Names {
    /// Not a pod: a name never matches.
    None,
    /// A pod's declared ports.
    Declared(Vec<(String, PortProtocol, u16)>),
    /// A pod of tomorrow may call any port anything.
    Anything,
}

/// One entry of a port list against a port of the destination.
pub fn port(entry: &PolicyPort, l4: L4, destination: &Names) -> Tri {
    let protocol = matches!(
        (&entry.protocol, l4.protocol),
        (Protocol::Tcp, PortProtocol::Tcp) | (Protocol::Udp, PortProtocol::Udp) | (Protocol::Sctp, PortProtocol::Sctp)
    );
    match &entry.port {
        // what could not be read may have been any protocol
        PortMatch::Unreadable(_) => Undefined,
        _ if !protocol => No,
        PortMatch::Any => Yes,
        PortMatch::Range(from, to) => Tri::of((*from..=*to).contains(&l4.port)),
        PortMatch::Named(name) => match destination {
            Names::None => No,
            Names::Declared(list) => Tri::of(list.iter().any(|(n, p, number)| **n == **name && *p == l4.protocol && *number == l4.port)),
            Names::Anything => Undefined,
        },
    }
}

/// The address of a party, as far as it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Address {
    Known(IpAddr),
    /// It will have one.
    Hidden,
    /// It has none (yet).
    None,
}

/// Whether an address lies in a range and in none of the exceptions.
pub fn block(cidr: &IpNet, except: &[IpNet], address: Address) -> Tri {
    match address {
        Address::Known(ip) => Tri::of(inside(cidr, ip) && !except.iter().any(|net| inside(net, ip))),
        Address::Hidden => Undefined,
        Address::None => No,
    }
}

/// By the bits, so that not even the arithmetic of ranges is shared.
pub fn inside(net: &IpNet, ip: IpAddr) -> bool {
    let same = |a: u128, b: u128, bits: u32, width: u32| bits == 0 || (a >> (width - bits)) == (b >> (width - bits));
    match (net.addr(), ip) {
        (IpAddr::V4(a), IpAddr::V4(b)) => same(u128::from(a.to_bits()), u128::from(b.to_bits()), u32::from(net.prefix_len()), 32),
        (IpAddr::V6(a), IpAddr::V6(b)) => same(a.to_bits(), b.to_bits(), u32::from(net.prefix_len()), 128),
        _ => false,
    }
}
