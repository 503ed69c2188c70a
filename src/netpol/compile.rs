//! From policies to units: one form for all kinds.

mod cilium;
mod network;
mod tier;

use std::sync::Arc;

use rustc_hash::FxHashMap;

pub(super) use cilium::{cilium, uses_services};
pub(super) use network::network;
pub(super) use tier::{foreign_unit, tier};

use super::portbook::{PortBook, Ports};
use super::ports::{PROTOCOLS, PortSet};
use super::rules::PortTerm;
use super::term::{Term, TermId};
use crate::model::containers::PortProtocol;
use crate::model::ids::Name;
use crate::model::networkpolicy::{PolicyPort, PortMatch, Protocol};
use crate::model::snapshot::Snapshot;

/// Terms by number: equal terms have equal numbers.
#[derive(Debug)]
pub(super) struct Terms {
    list: Vec<Arc<Term>>,
    numbers: FxHashMap<Arc<Term>, TermId>,
}

impl Default for Terms {
    fn default() -> Self {
        let mut terms = Self { list: Vec::new(), numbers: FxHashMap::default() };
        terms.number(Term::Anybody);
        terms.number(Term::Unclear);
        terms
    }
}

impl Terms {
    /// The number of a term. O(size of the term).
    pub(super) fn number(&mut self, term: Term) -> TermId {
        if let Some(known) = self.numbers.get(&term) {
            return *known;
        }
        let id = TermId(u32::try_from(self.list.len()).unwrap_or(u32::MAX));
        let shared = Arc::new(term);
        self.list.push(shared.clone());
        self.numbers.insert(shared, id);
        id
    }

    pub(super) fn get(&self, id: TermId) -> &Term {
        self.list.get(id.0 as usize).map_or(&Term::Unclear, |term| term)
    }

    pub(super) const fn len(&self) -> usize {
        self.list.len()
    }
}

/// What compiling needs.
pub(super) struct Compiler<'a> {
    pub snapshot: &'a Snapshot,
    pub terms: &'a mut Terms,
    pub ports: &'a mut PortBook,
}

/// Adds what policy ports match to ranges.
struct PortSink {
    sure: Vec<(PortProtocol, u16, u16)>,
    perhaps: Vec<(PortProtocol, u16, u16)>,
    named: Vec<(Name, Option<PortProtocol>)>,
}

impl Compiler<'_> {
    /// The ports of a rule; none given: every port. `pod_protocol`: a named port takes its protocol from the pod.
    fn port_term(&mut self, ports: Option<&[PolicyPort]>, pod_protocol: bool) -> PortTerm {
        let Some(ports) = ports else { return PortTerm { sure: Ports::ALL, perhaps: Ports::ALL, named: Box::default() } };
        let mut sink = PortSink { sure: Vec::new(), perhaps: Vec::new(), named: Vec::new() };
        for port in ports {
            sink.add(port, pod_protocol);
        }
        sink.named.sort();
        sink.named.dedup();
        let sure = self.ports.number(PortSet::from_ranges(sink.sure));
        let perhaps = if sink.perhaps.is_empty() { sure } else { self.ports.number(PortSet::from_ranges(sink.perhaps)) };
        PortTerm { sure, perhaps: self.ports.union(sure, perhaps), named: sink.named.into() }
    }
}

impl PortSink {
    fn add(&mut self, port: &PolicyPort, pod_protocol: bool) {
        let protocol = match port.protocol {
            Protocol::Tcp => Some(PortProtocol::Tcp),
            Protocol::Udp => Some(PortProtocol::Udp),
            Protocol::Sctp => Some(PortProtocol::Sctp),
            Protocol::Other(_) => None,
        };
        match (&port.port, protocol) {
            (PortMatch::Named(name), _) if pod_protocol => self.named.push((name.clone(), None)),
            (PortMatch::Named(name), Some(protocol)) => self.named.push((name.clone(), Some(protocol))),
            (PortMatch::Any, Some(protocol)) => self.sure.push((protocol, 1, u16::MAX)),
            (PortMatch::Range(from, to), Some(protocol)) => self.sure.push((protocol, *from, *to)),
            // what can't be read may have been any protocol
            (PortMatch::Unreadable(_), _) => self.perhaps.extend(PROTOCOLS.map(|protocol| (protocol, 1, u16::MAX))),
            (_, None) => {}
        }
    }
}
