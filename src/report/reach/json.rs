//! The contract of `spec/network.md` 3, written as it is made: a big fleet's answer is never held as one text.

use std::collections::HashMap;
use std::io::{Result, Write};

use serde_json::{Value, json};

use super::told::{Told, verdict};
use super::{Picture, Range, id, range_words, split};
use crate::model::text::escape_json;
use crate::netpol::ports::{PROTOCOLS, PortSet};
use crate::netpol::reach::Peer;

/// Writes the report, one line an entry. `undefined` and `explain` are there only when there is something, or when it was asked for.
pub fn write(out: &mut impl Write, picture: &Picture<'_>, told: Option<&mut dyn Iterator<Item = Told>>) -> Result<()> {
    let mut names = Names::of(picture);
    out.write_all(b"{\"schema\":\"partywall.reach/v1\",\n")?;
    if picture.simulated {
        out.write_all(b"\"simulated\":true,\n")?;
    }
    let workloads = picture.workloads.iter().zip(&names.ids).map(|(workload, id)| {
        let aliases = workload.aliases.iter().map(|(kind, name)| format!("{}/{name}[{kind}]", workload.namespace));
        format!("{{\"id\":{id},\"aliases\":{}}}", text(&json!(aliases.collect::<Vec<_>>())))
    });
    list(out, "workloads", workloads)?;
    let mut undefined = Vec::new();
    let open = picture.connections.iter().filter_map(|connection| {
        let (sure, unsure) = split(connection);
        let mut entry = |ports: &PortSet| {
            let (src, dst) = (names.peer(&connection.from), names.peer(&connection.to));
            format!("{{\"src\":{src},\"dst\":{dst},\"ports\":{}}}", names.ports(ports))
        };
        undefined.extend(unsure.map(|ports| entry(&ports)));
        sure.map(entry)
    });
    out.write_all(b",\n")?;
    list(out, "connections", open)?;
    if !undefined.is_empty() {
        out.write_all(b",\n")?;
        list(out, "undefined", undefined.into_iter())?;
    }
    if let Some(told) = told {
        out.write_all(b",\n")?;
        list(out, "explain", told.flat_map(|told| explained(&mut names, &told)))?;
    }
    out.write_all(b"}\n")?;
    out.flush()
}

fn explained(names: &mut Names, told: &Told) -> Vec<String> {
    let (src, dst) = (names.peer(&told.from), names.peer(&told.to));
    let mut entry = |part: &super::told::Part| {
        format!(
            "{{\"src\":{src},\"dst\":{dst},\"verdict\":\"{}\",\"ports\":{},\"egress\":{},\"ingress\":{}}}",
            verdict(part.openness),
            names.ports(&part.ports),
            text(&json!(part.egress.1)),
            text(&json!(part.ingress.1)),
        )
    };
    told.parts.iter().map(&mut entry).collect()
}

fn list(out: &mut impl Write, name: &str, entries: impl Iterator<Item = String>) -> Result<()> {
    write!(out, "\"{name}\":[")?;
    let mut first = true;
    for entry in entries {
        out.write_all(if first { b"\n" } else { b",\n" })?;
        out.write_all(entry.as_bytes())?;
        first = false;
    }
    out.write_all(b"]")
}

/// JSON on one line that can't act on a terminal.
fn text(value: &Value) -> String {
    escape_json(&value.to_string())
}

/// Texts that occur again and again.
struct Names {
    ids: Vec<String>,
    ports: HashMap<PortSet, String>,
}

impl Names {
    fn of(picture: &Picture<'_>) -> Self {
        Self { ids: picture.workloads.iter().map(|workload| text(&json!(id(workload)))).collect(), ports: HashMap::new() }
    }

    fn peer(&self, peer: &Peer) -> String {
        match peer {
            Peer::Workload(at) => self.ids.get(*at).cloned().unwrap_or_else(|| "null".to_owned()),
            Peer::Addresses(ranges) => text(&json!({"ips": ranges.iter().map(|range: &Range| range_words(*range)).collect::<Vec<_>>()})),
        }
    }

    fn ports(&mut self, ports: &PortSet) -> String {
        if let Some(known) = self.ports.get(ports) {
            return known.clone();
        }
        let text = ports_json(ports).to_string();
        self.ports.insert(ports.clone(), text.clone());
        text
    }
}

fn ports_json(ports: &PortSet) -> Value {
    if ports.is_all() {
        return json!("all");
    }
    let used = PROTOCOLS.into_iter().filter(|protocol| !ports.ranges(*protocol).is_empty());
    let ranges = |protocol| if ports.is_all_of(protocol) { json!("all") } else { json!(ports.ranges(protocol)) };
    Value::Object(used.map(|protocol| (protocol.word().to_owned(), ranges(protocol))).collect())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::told::Part;
    use super::*;
    use crate::model::containers::PortProtocol::{Tcp, Udp};
    use crate::netpol::answer::{Answer, Openness};
    use crate::netpol::reach::{Connection, Workload};

    fn workload(namespace: &str, name: &str, kind: &str) -> Workload {
        Workload { namespace: namespace.into(), name: name.into(), kind: kind.into(), aliases: Vec::new() }
    }

    fn printed(picture: &Picture<'_>, told: Option<Vec<Told>>) -> (String, Value) {
        let mut out = Vec::new();
        let mut told = told.map(Vec::into_iter);
        write(&mut out, picture, told.as_mut().map(|told| told as &mut dyn Iterator<Item = Told>)).unwrap();
        let text = String::from_utf8(out).unwrap();
        let value = serde_json::from_str(&text).unwrap();
        (text, value)
    }

    #[test]
    fn the_report_is_the_contract_to_the_letter() {
        let mut web = workload("shop", "web", "Deployment");
        web.aliases.push(("ReplicaSet".into(), "web-5d".into()));
        let workloads = [workload("shop", "db", "StatefulSet"), web];
        let ports = PortSet::from_ranges([(Tcp, 80, 80), (Tcp, 443, 443)]).union(&PortSet::all_of(Udp));
        let ranges = |list: &[(&str, &str)]| Peer::Addresses(list.iter().map(|(a, b)| (a.parse().unwrap(), b.parse().unwrap())).collect());
        let connections = [
            Connection { from: Peer::Workload(1), to: Peer::Workload(0), answer: Answer::sure(ports) },
            Connection {
                from: Peer::Workload(1),
                to: ranges(&[("10.0.0.0", "10.255.255.255"), ("11.0.0.0", "11.0.0.9"), ("1.2.3.4", "1.2.3.4")]),
                answer: Answer::sure(PortSet::all()),
            },
        ];
        let part = Part {
            openness: Openness::Open,
            ports: PortSet::range(Tcp, 80, 80),
            egress: (Openness::Open, Vec::new()),
            ingress: (Openness::Open, vec!["NetworkPolicy shop/p".to_owned()]),
        };
        let told = Told { from: Peer::Workload(1), to: Peer::Workload(0), parts: vec![part] };
        let (_, value) = printed(&Picture { workloads: &workloads, connections: &connections, simulated: false }, Some(vec![told]));
        assert_eq!(
            value,
            json!({
                "schema": "partywall.reach/v1",
                "workloads": [
                    {"id": "shop/db[StatefulSet]", "aliases": []},
                    {"id": "shop/web[Deployment]", "aliases": ["shop/web-5d[ReplicaSet]"]},
                ],
                "connections": [
                    {"src": "shop/web[Deployment]", "dst": "shop/db[StatefulSet]", "ports": {"TCP": [[80, 80], [443, 443]], "UDP": "all"}},
                    {"src": "shop/web[Deployment]", "dst": {"ips": ["10.0.0.0/8", "11.0.0.0-11.0.0.9", "1.2.3.4"]}, "ports": "all"},
                ],
                "explain": [{"src": "shop/web[Deployment]", "dst": "shop/db[StatefulSet]", "verdict": "allow", "ports": {"TCP": [[80, 80]]},
                             "egress": [], "ingress": ["NetworkPolicy shop/p"]}],
            })
        );
    }

    #[test]
    fn what_is_undefined_is_no_connection_and_is_not_hidden() {
        let workloads = [workload("a", "x", "Pod"), workload("a", "y", "Pod")];
        let answer = Answer { sure: Arc::new(PortSet::range(Tcp, 80, 80)), may: Arc::new(PortSet::range(Tcp, 80, 90)) };
        let only = Answer { sure: Arc::default(), may: Arc::new(PortSet::all()) };
        let connections = [
            Connection { from: Peer::Workload(0), to: Peer::Workload(1), answer },
            Connection { from: Peer::Workload(1), to: Peer::Workload(0), answer: only },
        ];
        let (_, value) = printed(&Picture { workloads: &workloads, connections: &connections, simulated: true }, None);
        assert_eq!(value["connections"], json!([{"src": "a/x[Pod]", "dst": "a/y[Pod]", "ports": {"TCP": [[80, 80]]}}]));
        assert_eq!(
            value["undefined"],
            json!([{"src": "a/x[Pod]", "dst": "a/y[Pod]", "ports": {"TCP": [[81, 90]]}}, {"src": "a/y[Pod]", "dst": "a/x[Pod]", "ports": "all"}])
        );
        assert_eq!(value["simulated"], true);
        assert!(value.get("explain").is_none());
    }

    #[test]
    fn hostile_names_keep_their_value_and_lose_their_teeth() {
        let workloads = [workload("a", "x\u{1b}[2J\u{202e}\"\\\n", "Pod")];
        let (text, value) = printed(&Picture { workloads: &workloads, connections: &[], simulated: false }, None);
        assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'));
        assert_eq!(value["workloads"][0]["id"], "a/x\u{1b}[2J\u{202e}\"\\\n[Pod]");
        assert_eq!(value["connections"], json!([]));
    }
}
