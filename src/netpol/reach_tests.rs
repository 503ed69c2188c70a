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
    // x and y with each other, and both ways with the addresses of their family
    assert_eq!(connections.len(), 2 + 2 * 2);
}

#[test]
fn a_story_splits_ports_by_reason() {
    let mut cluster = two();
    cluster.put(Fact::NetworkPolicy(policy("b/deny", "", Some(vec![]), Some(vec![]))));
    let web = vec![rule(vec![pods(Some("team=red"), None)], vec![tcp(80, 80)])];
    cluster.put(Fact::NetworkPolicy(policy("b/web", "app=z", Some(web), None))).sync();
    let story = cluster.reach.explain(&pod_end("a/x"), &pod_end("b/z")).unwrap();
    let said: Vec<String> = story.segments.iter().map(|s| format!("{} {:?} {:?}", s.ports.words(), s.openness, s.ingress.reason)).collect();
    assert_eq!(said.len(), 2, "{said:#?}");
    assert!(said[0].starts_with("TCP 80 Open Allowed") && said[0].contains("spec.ingress[0]"), "{said:#?}");
    assert!(said[1].contains("Silence") && said[1].contains("the peer matches, the port does not: it allows TCP 80"), "{said:#?}");
    let whole = story.segments.iter().fold(crate::netpol::ports::PortSet::none(), |all, s| all.union(&s.ports));
    assert!(whole.is_all());
}

#[test]
fn fixed_targets_are_told_apart() {
    use crate::netpol::target::{Extent, Target};
    let mut cluster = two();
    let out = vec![rule(vec![block("0.0.0.0/0", &["10.0.0.0/8", "169.254.0.0/16"])], vec![tcp(443, 443)])];
    cluster.put(Fact::NetworkPolicy(policy("a/out", "", Some(vec![]), Some(out)))).sync();
    let matrix = cluster.reach.matrix();
    let row = &matrix.rows[0];
    let said = |target: Target| {
        let cell = row.target(target).unwrap();
        (cell.now.sure.words(), cell.extent)
    };
    assert_eq!(said(Target::Internet), ("TCP 443".to_owned(), Extent::Some));
    // the Azure wire server's and Alibaba's addresses are not in 169.254/16
    assert_eq!(said(Target::Metadata), ("TCP 443".to_owned(), Extent::Some));
    assert_eq!(row.target(Target::Vault).unwrap().unknown, Some("it is not said where Vault is"));
    assert_eq!(matrix.rows[1].target(Target::Private).unwrap().extent, Extent::All);
    assert_eq!(matrix.rows[1].target(Target::Kubelet).unwrap().unknown, Some("no address of a node is seen"));
}

#[test]
fn ranges_upon_ranges_are_undefined_and_never_closed() {
    let mut cluster = two();
    let except = |at: usize| format!("10.9.{}.{}/32", at / 256, at % 256);
    let rules: Vec<_> = (0..1_500).map(|at| rule(vec![block("10.0.0.0/8", &[&except(at)])], vec![tcp(80, 80)])).collect();
    cluster.put(Fact::NetworkPolicy(policy("a/heap", "", None, Some(rules)))).sync();
    assert_eq!(cluster.says("a/x", "b/z"), "no port; undefined: TCP 80");
    assert_eq!(cluster.between(&pod_end("a/x"), &End::Address("10.8.0.1".parse().unwrap())), "TCP 80", "an address is looked up");
}

#[test]
fn too_many_kinds_of_pods_leave_tomorrow_undefined() {
    let mut cluster = two();
    cluster.put(Fact::NetworkPolicy(policy("b/deny", "", Some(vec![]), Some(vec![])))).sync();
    assert!(cluster.reach.matrix().cell(0, 1).unwrap().future.may.is_empty(), "closed for today's pods and tomorrow's");
    for key in 0..12 {
        let chosen = format!("key-{key}=a");
        cluster.put(Fact::NetworkPolicy(policy(&format!("b/p{key}"), &chosen, Some(vec![]), None)));
    }
    cluster.sync();
    let matrix = cluster.reach.matrix();
    let cell = matrix.cell(0, 1).unwrap();
    assert!(cell.now.may.is_empty() && cell.future.sure.is_empty() && cell.future.may.is_all(), "{cell:?}");
}

#[test]
fn a_pod_of_tomorrow_may_escape() {
    let mut cluster = two();
    cluster.put(Fact::NetworkPolicy(policy("b/deny", "app", Some(vec![]), Some(vec![])))).sync();
    let matrix = cluster.reach.matrix();
    let cell = matrix.cell(0, 1).unwrap();
    assert!(cell.now.may.is_empty(), "every pod there carries the label");
    assert!(cell.future.sure.is_all(), "one without it is not isolated");
    let isolation = cluster.reach.isolation("b", crate::netpol::isolation::Direction::Ingress).unwrap();
    assert_eq!(isolation.future.decided(), Some(false));
    assert!(isolation.open.is_empty() && isolation.pods == 1, "{isolation:?}");
}

#[test]
fn a_name_of_a_port_may_be_given_to_any() {
    let mut cluster = two();
    let web = vec![rule(vec![], vec![named(Protocol::Tcp, "http")])];
    cluster.put(Fact::NetworkPolicy(policy("b/web", "", Some(web), None))).sync();
    let matrix = cluster.reach.matrix();
    let cell = matrix.cell(0, 1).unwrap();
    assert_eq!((cell.now.sure.words(), cell.future.sure.words()), ("TCP 8080".to_owned(), "all of TCP".to_owned()));
}

#[test]
fn thousands_of_ports_can_be_told() {
    let mut cluster = two();
    let ports = (0..20_000).map(|at| tcp(1 + at * 3, 1 + at * 3)).collect::<Vec<_>>();
    let rules = (0..60).map(|_| rule(vec![], ports.clone())).collect::<Vec<_>>();
    cluster.put(Fact::NetworkPolicy(policy("b/ports", "", Some(rules), None))).sync();
    let story = cluster.reach.explain(&pod_end("a/x"), &pod_end("b/z")).unwrap();
    let whole = story.segments.iter().fold(crate::netpol::ports::PortSet::none(), |all, s| all.union(&s.ports));
    assert!(whole.is_all() && story.segments.len() == 2);
}
