//! The engine on small clusters.

use super::fixture::*;
use super::reach::Options;
use super::story::End;
use crate::model::changes::Fact;
use crate::model::containers::PortProtocol;
use crate::model::networkpolicy::Protocol;

fn two() -> Cluster {
    let mut cluster = Cluster::new(Options::default());
    cluster.space("a", "team=red").space("b", "team=blue");
    for (at, with, ip) in [("a/x", "app=x", "10.0.0.1"), ("a/y", "app=y", "10.0.0.2"), ("b/z", "app=z", "10.0.1.1")] {
        cluster.put(Fact::Pod(pod(at, with, &[ip], vec![port("http", 8080, PortProtocol::Tcp)])));
    }
    cluster
}

#[test]
fn without_policies_all_is_open() {
    let mut cluster = two();
    cluster.sync();
    assert_eq!(cluster.says("a/x", "b/z"), "every port");
    let matrix = cluster.reach.matrix();
    assert!(matrix.cell(0, 1).unwrap().now.sure.is_all());
}

#[test]
fn a_default_deny_closes_and_a_rule_opens() {
    let mut cluster = two();
    cluster.put(Fact::NetworkPolicy(policy("b/deny", "", Some(vec![]), Some(vec![])))).sync();
    assert_eq!(cluster.says("a/x", "b/z"), "no port");
    assert_eq!(cluster.says("b/z", "a/x"), "no port");
    assert_eq!(cluster.says("a/x", "a/y"), "every port");
    let web = vec![rule(vec![pods(Some("team=red"), Some("app=x"))], vec![tcp(80, 90), named(Protocol::Tcp, "http")])];
    cluster.put(Fact::NetworkPolicy(policy("b/web", "app=z", Some(web), None))).sync();
    assert_eq!(cluster.says("a/x", "b/z"), "TCP 80-90, 8080");
    assert_eq!(cluster.says("a/y", "b/z"), "no port");
    let matrix = cluster.reach.matrix();
    assert_eq!(matrix.cell(0, 1).unwrap().now.sure.words(), "TCP 80-90, 8080");
    assert_eq!(matrix.cell(1, 0).unwrap().now.may.words(), "no port");
}

#[test]
fn a_block_matches_pods_and_addresses() {
    let mut cluster = two();
    let out = vec![rule(vec![block("10.0.0.0/16", &["10.0.1.0/24"])], vec![])];
    cluster.put(Fact::NetworkPolicy(policy("a/out", "app=x", None, Some(out)))).sync();
    assert_eq!(cluster.says("a/x", "a/y"), "every port");
    assert_eq!(cluster.says("a/x", "b/z"), "no port");
    let at = |ip: &str| End::Address(ip.parse().unwrap());
    assert_eq!(cluster.between(&pod_end("a/x"), &at("10.0.7.7")), "every port");
    assert_eq!(cluster.between(&pod_end("a/x"), &at("10.0.1.77")), "no port");
    assert_eq!(cluster.between(&pod_end("a/x"), &at("8.8.8.8")), "no port");
    assert_eq!(cluster.between(&at("8.8.8.8"), &pod_end("a/x")), "every port");
}

#[test]
fn an_unknown_operator_is_undefined_only_where_it_decides() {
    let mut cluster = two();
    cluster.put(Fact::NetworkPolicy(policy("b/odd", "?app", Some(vec![rule(vec![], vec![tcp(80, 80)])]), None))).sync();
    assert_eq!(cluster.says("a/x", "b/z"), "TCP 80; undefined: TCP 1-79, 81-65535; all of UDP; all of SCTP");
    cluster.put(Fact::NetworkPolicy(policy("b/deny", "", Some(vec![]), None))).sync();
    assert_eq!(cluster.says("a/x", "b/z"), "no port; undefined: TCP 80");
}

#[test]
fn workloads_and_connections_are_listed() {
    let mut cluster = two();
    cluster.put(Fact::NetworkPolicy(policy("b/deny", "", Some(vec![]), Some(vec![])))).sync();
    let workloads = cluster.reach.workloads();
    assert_eq!(workloads.iter().map(|w| w.name.as_ref()).collect::<Vec<_>>(), ["x", "y", "z"]);
    let connections = cluster.reach.connections();
    // x and y with each other, and both ways with the addresses of two families
    assert_eq!(connections.len(), 2 + 2 * 4);
}
