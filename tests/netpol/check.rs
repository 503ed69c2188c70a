//! Holds the engine and the judge to the same lines.

use std::sync::Arc;

use partywall::model::containers::PortProtocol;
use partywall::model::snapshot::Snapshot;
use partywall::netpol::ports::PROTOCOLS;
use partywall::netpol::profile::{PROFILES, Profile};
use partywall::netpol::reach::{Options, Reach};
use partywall::netpol::story::End;

use crate::build::{World, labels, tenants};
use crate::oracle::Oracle;
use crate::oracle_match::{No, Tri, Undefined, Yes};

/// Ports tried for `*`.
const SAMPLE: [u16; 6] = [1, 53, 80, 81, 8080, u16::MAX];

/// `a/web` a pod, `a{app=web}` an imagined one, anything else an address.
pub fn end(text: &str) -> End {
    if let Some((namespace, rest)) = text.split_once('{') {
        return End::Imagined { namespace: namespace.into(), labels: labels(rest.trim_end_matches('}')) };
    }
    match text.split_once('/') {
        Some((namespace, name)) => End::Pod { namespace: namespace.into(), name: name.into() },
        None => End::Address(text.parse().unwrap()),
    }
}

/// An engine that has seen a snapshot.
pub fn engine(snapshot: &Snapshot, dirty: &partywall::model::snapshot::Dirty, profile: Profile) -> Reach {
    let mut reach = Reach::new(Options { profile, ..Options::default() });
    reach.sync(snapshot, &tenants(snapshot), dirty);
    reach
}

/// What the engine says of one port; none where an end is not there.
pub fn engine_says(reach: &Reach, from: &End, to: &End, protocol: PortProtocol, port: u16) -> Option<Tri> {
    let answer = reach.answer(from, to)?;
    Some(match (answer.sure.contains(protocol, port), answer.may.contains(protocol, port)) {
        (true, true) => Yes,
        (false, true) => Undefined,
        (false, false) => No,
        (true, false) => panic!("sure, and yet not maybe: {from:?} {to:?} {protocol:?} {port}"),
    })
}

fn targets(text: &str) -> Vec<(PortProtocol, u16)> {
    if text == "*" {
        return PROTOCOLS.into_iter().flat_map(|protocol| SAMPLE.map(|port| (protocol, port))).collect();
    }
    let (word, ports) = text.split_once(':').unwrap();
    let protocol = PROTOCOLS.into_iter().find(|p| p.word() == word).unwrap();
    match ports {
        "*" => SAMPLE.map(|port| (protocol, port)).to_vec(),
        list => list.split(',').map(|port| (protocol, port.parse().unwrap())).collect(),
    }
}

/// Lines `a/web > b/db TCP:80,81 yes`; ports `*` or `TCP:*`; verdicts yes, no, undefined, and `gone` for an end that is not there or has
/// no network. Empty lines count for nothing.
pub fn expect_with(world: &World, options: &Options, lines: &str) {
    let (snapshot, dirty) = world.snapshot();
    let mut reach = Reach::new(options.clone());
    reach.sync(&snapshot, &tenants(&snapshot), &dirty);
    let mut oracle = Oracle::new(&snapshot, options.profile);
    oracle.enforcement = options.enforcement;
    let mut wrong = Vec::new();
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [from, ">", to, ports, verdict] = words[..] else { panic!("not a line: {line}") };
        let expected = match verdict {
            "yes" => Some(Yes),
            "no" => Some(No),
            "undefined" => Some(Undefined),
            "gone" => None,
            other => panic!("what is {other}?"),
        };
        let (from, to) = (end(from), end(to));
        for (protocol, port) in targets(ports) {
            let mut held = |who: &str, said: Option<Tri>| {
                let right = said == expected || (expected.is_none() && said == Some(No));
                if !right {
                    wrong.push(format!("[{}] {line}: {who} says {said:?} on {} {port}", options.profile.word(), protocol.word()));
                }
            };
            held("the judge", oracle.judge(&from, &to, protocol, port));
            held("the engine", engine_says(&reach, &from, &to, protocol, port));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// In one profile.
pub fn expect_in(world: &World, profile: Profile, lines: &str) {
    expect_with(world, &Options { profile, ..Options::default() }, lines);
}

/// In every profile.
pub fn expect(world: &World, lines: &str) {
    for profile in PROFILES {
        expect_in(world, profile, lines);
    }
}

/// The newest snapshot of a world, for those who want more than lines.
pub fn seen(world: &World, profile: Profile) -> (Arc<Snapshot>, Reach) {
    let (snapshot, dirty) = world.snapshot();
    let reach = engine(&snapshot, &dirty, profile);
    (snapshot, reach)
}
