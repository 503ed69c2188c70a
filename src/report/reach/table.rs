//! The same for people: one line a pair.

use super::told::{Told, verdict};
use super::{Picture, id, range_words, split};
use crate::netpol::reach::Peer;
use crate::report::table::Table;

/// Ranges that are named before the rest is counted.
const RANGES: usize = 4;

/// A peer in words; cleaned when the table is printed.
pub fn peer_words(picture: &Picture<'_>, peer: &Peer) -> String {
    match peer {
        Peer::Workload(at) => picture.workloads.get(*at).map(id).unwrap_or_default(),
        Peer::Addresses(ranges) => {
            let shown: Vec<String> = ranges.iter().take(RANGES).map(|range| range_words(*range)).collect();
            let more = ranges.len().saturating_sub(shown.len());
            let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
            format!("{}{rest}", shown.join(", "))
        }
    }
}

/// The pairs with an open or undefined port, then how many there are.
pub fn connections(picture: &Picture<'_>) -> String {
    let mut table = Table::new(&["FROM", "TO", "ANSWER", "PORTS"]);
    let (mut open, mut unsure) = (0, 0);
    for connection in picture.connections {
        let mut row = |answer: &str, ports: String| {
            table.row([peer_words(picture, &connection.from), peer_words(picture, &connection.to), answer.to_owned(), ports]);
        };
        let (sure, undefined) = split(connection);
        if let Some(ports) = sure {
            open += 1;
            row("open", ports.words());
        }
        if let Some(ports) = undefined {
            unsure += 1;
            row("undefined", ports.words());
        }
    }
    let simulated = if picture.simulated { "SIMULATED: these servers are the demo's\n" } else { "" };
    let doubt = if unsure > 0 { format!(", {unsure} undefined") } else { String::new() };
    let workloads = picture.workloads.len();
    format!("{simulated}{}{workloads} workloads, {open} open connections{doubt}; every other connection is blocked\n", table.print())
}

/// The reasons, pair by pair.
pub fn explained(picture: &Picture<'_>, told: &mut dyn Iterator<Item = Told>) -> String {
    let mut table = Table::new(&["FROM", "TO", "VERDICT", "PORTS", "EGRESS", "INGRESS"]);
    let policies = |list: &[String]| if list.is_empty() { "-".to_owned() } else { list.join(", ") };
    for told in told {
        for part in &told.parts {
            table.row([
                peer_words(picture, &told.from),
                peer_words(picture, &told.to),
                verdict(part.openness).to_owned(),
                part.ports.words(),
                policies(&part.egress.1),
                policies(&part.ingress.1),
            ]);
        }
    }
    table.print()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netpol::answer::Answer;
    use crate::netpol::ports::PortSet;
    use crate::netpol::reach::{Connection, Workload};

    #[test]
    fn one_line_a_pair_and_no_name_acts_on_the_terminal() {
        let workloads =
            ["x\u{1b}[2J", "y"].map(|name| Workload { namespace: "a".into(), name: name.into(), kind: "Pod".into(), aliases: Vec::new() });
        let many = (0..6_u8).map(|i| ([10, i, 0, 0].into(), [10, i, 0, 0].into())).collect();
        let connections = [
            Connection { from: Peer::Workload(0), to: Peer::Workload(1), answer: Answer::sure(PortSet::all()) },
            Connection {
                from: Peer::Workload(1),
                to: Peer::Addresses(many),
                answer: Answer { may: PortSet::all().into(), ..Answer::default() },
            },
        ];
        let text = self::connections(&Picture { workloads: &workloads, connections: &connections, simulated: false });
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[1].split_whitespace().collect::<Vec<_>>(), ["a/x\u{fffd}[2J[Pod]", "a/y[Pod]", "open", "every", "port"]);
        assert!(lines[2].contains("10.0.0.0, 10.1.0.0, 10.2.0.0, 10.3.0.0 and 2 more") && lines[2].contains("undefined"), "{text}");
        assert_eq!(lines[3], "2 workloads, 1 open connections, 1 undefined; every other connection is blocked");
    }
}
