//! The ports that a rule names, in words and as a set.

use crate::model::containers::PortProtocol;
use crate::model::networkpolicy::{PolicyPort, PortMatch, Protocol};
use crate::netpol::ports::PortSet;

/// The protocol as a set of ports knows it; none for one that only a file can say.
pub(super) const fn protocol(protocol: &Protocol) -> Option<PortProtocol> {
    match protocol {
        Protocol::Tcp => Some(PortProtocol::Tcp),
        Protocol::Udp => Some(PortProtocol::Udp),
        Protocol::Sctp => Some(PortProtocol::Sctp),
        Protocol::Other(_) => None,
    }
}

/// The ports of a rule by number; none in the list means every port. Names are left out: what they mean differs from pod to pod.
pub(super) fn numbers(ports: &[PolicyPort]) -> PortSet {
    if ports.is_empty() {
        return PortSet::all();
    }
    PortSet::from_ranges(ports.iter().filter_map(|port| {
        let protocol = protocol(&port.protocol)?;
        match port.port {
            PortMatch::Any => Some((protocol, 0, u16::MAX)),
            PortMatch::Range(from, to) => Some((protocol, from, to)),
            PortMatch::Named(_) | PortMatch::Unreadable(_) => None,
        }
    }))
}

/// The names of ports in a rule. Not cleaned.
pub(super) fn names(ports: &[PolicyPort]) -> impl Iterator<Item = &str> {
    ports.iter().filter_map(|port| if let PortMatch::Named(name) = &port.port { Some(name.as_ref()) } else { None })
}

/// A rule's ports in words: `every port`, `TCP 443; UDP 53`, `TCP 80, the port named metrics`. Not cleaned.
pub(super) fn words(ports: &[PolicyPort]) -> String {
    let numbers = numbers(ports);
    let numbers = (!numbers.is_empty()).then(|| numbers.words());
    let named: Vec<String> = names(ports).map(|name| format!("the port named {name}")).collect();
    let all: Vec<String> = numbers.into_iter().chain(named).collect();
    if all.is_empty() { "no port that can be read".to_owned() } else { all.join(", ") }
}
