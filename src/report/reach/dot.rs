//! The same as a graph for graphviz: a box a workload, grouped by namespace; dashed where nothing is sure.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::table::peer_words;
use super::{Picture, split};
use crate::model::text::clean;
use crate::netpol::reach::Peer;

/// The graph as text.
pub fn graph(picture: &Picture<'_>) -> String {
    let mut out = String::from("digraph partywall {\n  rankdir=LR;\n  node [shape=box];\n");
    if picture.simulated {
        out.push_str("  label=\"SIMULATED: these servers are the demo's\";\n");
    }
    let mut last: Option<&str> = None;
    for (at, workload) in picture.workloads.iter().enumerate() {
        if last != Some(workload.namespace.as_ref()) {
            out.push_str(if last.is_some() { "  }\n" } else { "" });
            let _ = writeln!(out, "  subgraph \"cluster_{}\" {{\n    label={};", at, quoted(&workload.namespace));
            last = Some(workload.namespace.as_ref());
        }
        let _ = writeln!(out, "    w{at} [label={}];", quoted(&format!("{} [{}]", workload.name, workload.kind)));
    }
    out.push_str(if last.is_some() { "  }\n" } else { "" });
    let mut outside: BTreeMap<&Peer, usize> = BTreeMap::new();
    for peer in picture.connections.iter().flat_map(|connection| [&connection.from, &connection.to]) {
        if let Peer::Addresses(_) = peer
            && !outside.contains_key(peer)
        {
            let _ = writeln!(out, "  a{} [shape=ellipse, label={}];", outside.len(), quoted(&peer_words(picture, peer)));
            outside.insert(peer, outside.len());
        }
    }
    let node = |peer: &Peer| match peer {
        Peer::Workload(at) => format!("w{at}"),
        peer @ Peer::Addresses(_) => format!("a{}", outside.get(peer).copied().unwrap_or_default()),
    };
    for connection in picture.connections {
        let (from, to) = (node(&connection.from), node(&connection.to));
        let (sure, undefined) = split(connection);
        if let Some(ports) = sure {
            let _ = writeln!(out, "  {from} -> {to} [label={}];", quoted(&ports.words()));
        }
        if let Some(ports) = undefined {
            let _ = writeln!(out, "  {from} -> {to} [style=dashed, label={}];", quoted(&format!("undefined: {}", ports.words())));
        }
    }
    out.push_str("}\n");
    out
}

/// A string in graphviz's grammar, in which only the quote and the backslash mean something.
fn quoted(text: &str) -> String {
    format!("\"{}\"", clean(text).replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netpol::answer::Answer;
    use crate::netpol::ports::PortSet;
    use crate::netpol::reach::{Connection, Workload};

    #[test]
    fn a_name_cant_leave_its_quotes() {
        let hostile = "x\"]; w9 [label=\"\\";
        let workloads = [Workload { namespace: "a".into(), name: hostile.into(), kind: "Pod".into(), aliases: Vec::new() }];
        let all = Peer::Addresses(vec![([0, 0, 0, 0].into(), [255, 255, 255, 255].into())]);
        let connections = [Connection { from: Peer::Workload(0), to: all, answer: Answer::sure(PortSet::all()) }];
        let graph = graph(&Picture { workloads: &workloads, connections: &connections, simulated: false });
        assert!(graph.contains(r#"w0 [label="x\"]; w9 [label=\"\\ [Pod]"];"#), "{graph}");
        assert!(
            graph.contains("a0 [shape=ellipse, label=\"0.0.0.0/0\"];") && graph.contains("w0 -> a0 [label=\"every port\"];"),
            "{graph}"
        );
        assert_eq!(graph.matches('{').count(), graph.matches('}').count());
    }
}
