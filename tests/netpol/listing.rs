//! Lists that the engine makes of its answers: workloads, connections, ranges of addresses, isolation.

use std::collections::BTreeMap;
use std::net::IpAddr;

use partywall::netpol::answer::Answer;
use partywall::netpol::isolation::Direction::{Egress, Ingress};
use partywall::netpol::profile::{Enforcement, PROFILES, Profile};
use partywall::netpol::reach::{Connection, Peer, Reach};
use partywall::netpol::selector::Coverage;
use partywall::netpol::story::End;
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use serde_json::json;

use crate::build::World;
use crate::check::{engine_says, seen};
use crate::oracle::Oracle;
use crate::oracle_match::{No, Tri, Undefined, Yes, any};
use crate::random::{PORTS, cases, engine_with, options, plain, pods};
use crate::universe::{EVERYTHING, build, universe};

const SAMPLE: [&str; 3] = ["8.8.8.8", "8.8.200.1", "10.9.0.1"];

fn holds(peer: &Peer, ip: IpAddr) -> bool {
    matches!(peer, Peer::Addresses(ranges) if ranges.iter().any(|(from, to)| from.is_ipv4() == ip.is_ipv4() && *from <= ip && ip <= *to))
}

/// Every pair with an open port is listed, once, with its answer; and no other.
fn connections_are_answers(reach: &Reach, oracle: &Oracle<'_>) -> TestCaseResult {
    let (workloads, connections) = (reach.workloads(), reach.connections());
    let at = |end: &End| match end {
        End::Pod { namespace, name } => workloads.iter().position(|w| w.namespace == *namespace && w.name == *name && &*w.kind == "Pod"),
        _ => None,
    };
    let mut listed: BTreeMap<(usize, usize), &Answer> = BTreeMap::new();
    for Connection { from, to, answer } in &connections {
        prop_assert!(!answer.may.is_empty(), "a connection without a port: {:?} > {:?}", from, to);
        if let (Peer::Workload(from), Peer::Workload(to)) = (from, to) {
            prop_assert!(from != to, "a workload to itself is left out");
            prop_assert!(listed.insert((*from, *to), answer).is_none(), "{} > {} twice", from, to);
        }
    }
    let there: Vec<End> = pods(oracle.snapshot).into_iter().filter(|pod| oracle.parties(pod).is_some()).collect();
    prop_assert_eq!(workloads.len(), there.len(), "every pod without an owner is a workload: {:?}", workloads);
    for from in &there {
        let Some(source) = at(from) else {
            prop_assert!(false, "{:?} is no workload", from);
            continue;
        };
        for to in there.iter().filter(|to| *to != from) {
            let Some(destination) = at(to) else {
                prop_assert!(false, "{:?} is no workload", to);
                continue;
            };
            let answer = reach.answer(from, to).unwrap_or_default();
            let found = listed.get(&(source, destination)).map_or_else(Answer::default, |answer| (*answer).clone());
            prop_assert_eq!(found, answer, "[{}] {:?} > {:?}", oracle.profile.word(), from, to);
        }
        for address in SAMPLE {
            let ip: IpAddr = address.parse().unwrap();
            for (outwards, other) in [(true, End::Address(ip)), (false, End::Address(ip))] {
                let (a, b) = if outwards { (from, &other) } else { (&other, from) };
                let mut own = connections.iter().filter(|c| {
                    let (pod, outside) = if outwards { (&c.from, &c.to) } else { (&c.to, &c.from) };
                    *pod == Peer::Workload(source) && holds(outside, ip)
                });
                let found = own.next().map_or_else(Answer::default, |c| c.answer.clone());
                prop_assert!(own.next().is_none(), "{} is in two pieces", ip);
                prop_assert_eq!(found, reach.answer(a, b).unwrap_or_default(), "[{}] {:?} > {:?}", oracle.profile.word(), a, b);
            }
        }
    }
    Ok(())
}

/// Ranges say of each address what the pods of the namespace reach there.
fn ranges_are_answers(reach: &Reach, oracle: &Oracle<'_>) -> TestCaseResult {
    for (namespace, facts) in oracle.snapshot.namespaces.iter() {
        let ends: Vec<End> = facts.pods.keys().map(|name| End::Pod { namespace: namespace.clone(), name: name.clone() }).collect();
        let (union, ranges) = reach.addresses(namespace, &["0.0.0.0/0".parse().unwrap()], false);
        for address in SAMPLE {
            let ip: IpAddr = address.parse().unwrap();
            let mut own = ranges.iter().filter(|(net, _)| net.contains(&ip));
            let found = own.next().map(|(_, answer)| answer.clone()).unwrap_or_default();
            prop_assert!(own.next().is_none(), "{} is in two ranges", ip);
            prop_assert!(found.may.minus(&union.may).is_empty() && found.sure.minus(&union.sure).is_empty(), "the union holds {}", ip);
            for (protocol, port) in PORTS {
                let judged = |oracle: &Oracle<'_>| any(ends.iter().filter_map(|end| oracle.judge(end, &End::Address(ip), protocol, port)));
                let said = match (found.sure.contains(protocol, port), found.may.contains(protocol, port)) {
                    (true, _) => Yes,
                    (false, true) => Undefined,
                    (false, false) => No,
                };
                let careful = said == Undefined && judged(&plain(oracle)) == Undefined;
                let wanted: Tri = judged(oracle);
                prop_assert!(
                    careful || said == wanted,
                    "[{}] {} > {} {:?} {}: {:?}, judged {:?}",
                    oracle.profile.word(),
                    namespace,
                    ip,
                    protocol,
                    port,
                    said,
                    wanted
                );
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases(8))]

    #[test]
    fn connections_and_ranges_are_what_pairs_are(
        items in universe(EVERYTHING, 2..6, 2..8),
        profile in proptest::sample::select(&PROFILES[..]),
    ) {
        let (snapshot, dirty) = build(&items).snapshot();
        let oracle = Oracle::new(&snapshot, profile);
        let reach = engine_with(&snapshot, &dirty, &options(profile, Enforcement::Default));
        connections_are_answers(&reach, &oracle)?;
        ranges_are_answers(&reach, &oracle)?;
    }
}

#[test]
fn pods_of_one_controller_are_one_workload() {
    let world =
        World::new().ns("a").ns("b").pod("a/web-1 app=web owner=StatefulSet/web").pod("a/web-2 app=web owner=StatefulSet/web").pod("b/x");
    let world = world.np("a/p", &json!({"podSelector": {}, "ingress": [{"ports": [{"port": 80}]}]}));
    let (_, reach) = seen(&world, Profile::Spec);
    let names: Vec<String> = reach.workloads().iter().map(|w| format!("{}/{}[{}]", w.namespace, w.name, w.kind)).collect();
    assert_eq!(names, ["a/web[StatefulSet]", "b/x[Pod]"]);
    let web = End::Workload { namespace: "a".into(), name: "web".into(), kind: "StatefulSet".into() };
    let x = End::Workload { namespace: "b".into(), name: "x".into(), kind: "Pod".into() };
    let said = |from: &End, to: &End, port| engine_says(&reach, from, to, partywall::model::containers::PortProtocol::Tcp, port);
    assert_eq!((said(&x, &web, 80), said(&x, &web, 81), said(&web, &x, 81)), (Some(Yes), Some(No), Some(Yes)));
    let between: Vec<_> =
        reach.connections().into_iter().filter(|c| matches!((&c.from, &c.to), (Peer::Workload(_), Peer::Workload(_)))).collect();
    assert_eq!(between.len(), 2, "one each way: {between:?}");
}

#[test]
fn ends_that_are_tenants_or_namespaces_tell_of_the_most_open_pair() {
    let world = World::new().ns("a").ns("b").pod("a/x app=x").pod("a/y app=y").pod("b/z");
    let world = world.np("a/p", &json!({"podSelector": {"matchLabels": {"app": "x"}}, "policyTypes": ["Egress"]}));
    let (_, reach) = seen(&world, Profile::Spec);
    for (a, b) in [(End::Tenant("a".into()), End::Tenant("b".into())), (End::Namespace("a".into()), End::Namespace("b".into()))] {
        assert_eq!(engine_says(&reach, &a, &b, partywall::model::containers::PortProtocol::Tcp, 80), Some(Yes));
        let story = reach.explain(&a, &b).unwrap();
        assert!(story.answer.sure.is_all(), "{story:?}");
    }
    for end in [End::Tenant("no".into()), End::Namespace("no".into()), End::Pod { namespace: "a".into(), name: "no".into() }] {
        assert_eq!(reach.answer(&end, &End::Namespace("b".into())), None);
        assert!(reach.explain(&End::Namespace("b".into()), &end).is_none());
    }
}

#[test]
fn isolation_counts_every_kind_of_policy() {
    let two = || World::new().ns("a").ns("b").pod("a/web app=web").pod("a/db app=db").pod("b/x");
    let isolation = |world: &World, namespace: &str, direction| {
        let isolation = seen(world, Profile::Spec).1.isolation(namespace, direction).unwrap();
        (isolation.future == Coverage::Everything, isolation.open.iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    let open = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(isolation(&two(), "a", Ingress), (false, open(&["db", "web"])));
    let np = two().np("a/p", &json!({"podSelector": {}, "policyTypes": ["Egress"]}));
    assert_eq!(isolation(&np, "a", Egress), (true, Vec::new()));
    assert_eq!(isolation(&np, "a", Ingress), (false, open(&["db", "web"])));
    assert_eq!(isolation(&np, "b", Egress), (false, open(&["x"])));
    let some = two().np("a/p", &json!({"podSelector": {"matchLabels": {"app": "web"}}}));
    assert_eq!(isolation(&some, "a", Ingress), (false, open(&["db"])));
    let cilium = two().cilium("a/p", "", &["ingress {}"]);
    assert_eq!(isolation(&cilium, "a", Ingress), (true, Vec::new()));
    assert_eq!(isolation(&cilium, "a", Egress), (false, open(&["db", "web"])));
    assert_eq!(isolation(&two().cilium("a/p", "", &["ingress []"]), "a", Ingress), (false, open(&["db", "web"])));
    let clusterwide = two().cilium("p", "", &["egress-deny ent:world"]);
    assert_eq!(isolation(&clusterwide, "a", Egress), (true, Vec::new()));
    assert_eq!(isolation(&clusterwide, "b", Egress), (true, Vec::new()));
    let together = two().np("a/p", &json!({"podSelector": {"matchLabels": {"app": "web"}}})).cilium("a/q", "app!=web", &["ingress {}"]);
    assert_eq!(isolation(&together, "a", Ingress), (true, Vec::new()));
    assert!(seen(&two(), Profile::Spec).1.isolation("no", Ingress).is_none());
}
