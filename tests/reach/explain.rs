//! Reasons: they split the ports of every pair, agree with the connections, and name the policies.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{folder, pod, policy, reach};

/// How often each port of a protocol stands in the segments of a pair, at the edges of all ranges.
fn is_partition(segments: &[&Value]) -> bool {
    ["TCP", "UDP", "SCTP"].iter().all(|protocol| {
        let mut ranges: Vec<(u64, u64)> = Vec::new();
        for segment in segments {
            let all = json!([[1, 65535]]);
            let ports = &segment["ports"];
            let list = if ports == "all" || ports[protocol] == "all" { &all } else { &ports[protocol] };
            ranges.extend(list.as_array().into_iter().flatten().map(|r| (r[0].as_u64().unwrap(), r[1].as_u64().unwrap())));
        }
        ranges.sort_unstable();
        let joined = ranges.windows(2).all(|pair| pair[0].1 + 1 == pair[1].0);
        joined && ranges.first().is_some_and(|r| r.0 == 1) && ranges.last().is_some_and(|r| r.1 == 65535)
    })
}

fn by_pair(list: &Value) -> BTreeMap<String, Vec<&Value>> {
    let mut pairs: BTreeMap<String, Vec<&Value>> = BTreeMap::new();
    for entry in list.as_array().unwrap() {
        pairs.entry(format!("{} -> {}", entry["src"], entry["dst"])).or_default().push(entry);
    }
    pairs
}

fn world() -> String {
    [
        pod("a", "x", "x", "10.0.0.1"),
        pod("a", "y", "y", "10.0.0.2"),
        pod("b", "z", "z", "10.0.0.3"),
        policy("a", "deny", "{podSelector: {}, policyTypes: [Ingress]}"),
        policy(
            "a",
            "web",
            "{podSelector: {matchLabels: {app: y}}, ingress: [{from: [{podSelector: {}}], ports: [{port: 80}, {port: http}]}]}",
        ),
        policy("a", "dns", "{podSelector: {matchLabels: {app: y}}, ingress: [{ports: [{port: 53, protocol: UDP}]}]}"),
        policy(
            "b",
            "out",
            "{podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 192.168.0.0/16, except: [192.168.7.0/24]}}]}]}",
        ),
    ]
    .concat()
}

#[test]
fn the_reasons_of_every_pair_split_its_ports_and_agree_with_its_connection() {
    let root = folder(&[("a.yaml", &world())]);
    for profile in ["spec", "cilium", "np-guard"] {
        let report = reach(root.path(), &["--explain", "--profile", profile]);
        let (told, open) = (by_pair(&report["explain"]), by_pair(&report["connections"]));
        let workloads: Vec<&Value> = report["workloads"].as_array().unwrap().iter().map(|w| &w["id"]).collect();
        for from in &workloads {
            for to in workloads.iter().filter(|to| *to != from) {
                let pair = format!("{from} -> {to}");
                let segments = told.get(&pair).unwrap_or_else(|| panic!("{profile}: {pair} has no reason"));
                assert!(is_partition(segments), "{profile}: {pair}: {segments:#?}");
                let allowed = segments.iter().any(|segment| segment["verdict"] == "allow");
                assert_eq!(allowed, open.contains_key(&pair), "{profile}: {pair}");
            }
        }
        for (pair, segments) in told.iter().filter(|(pair, _)| pair.contains("ips")) {
            assert!(is_partition(segments), "{profile}: {pair}: {segments:#?}");
        }
    }
}

#[test]
fn reasons_name_the_policies_of_either_side() {
    let root = folder(&[("a.yaml", &world())]);
    let report = reach(root.path(), &["--explain", "--profile", "np-guard"]);
    let told = by_pair(&report["explain"]);
    let of = |pair: &str, verdict: &str| -> Vec<Value> {
        let segments = told[pair].iter().filter(|segment| segment["verdict"] == verdict);
        segments.map(|segment| json!([segment["ports"], segment["egress"], segment["ingress"]])).collect()
    };
    let pair = r#""a/x[Pod]" -> "a/y[Pod]""#;
    assert_eq!(
        of(pair, "allow"),
        [
            json!([{"UDP": [[53, 53]]}, [], ["NetworkPolicy a/dns"]]),
            json!([{"TCP": [[80, 80], [8080, 8080]]}, [], ["NetworkPolicy a/web"]])
        ],
        "{report:#}"
    );
    assert_eq!(of(pair, "deny").len(), 1);
    assert_eq!(of(pair, "deny")[0][2], json!(["NetworkPolicy a/deny", "NetworkPolicy a/dns", "NetworkPolicy a/web"]));
    let pair = r#""b/z[Pod]" -> "a/x[Pod]""#;
    assert!(of(pair, "allow").is_empty());
    assert_eq!(of(pair, "deny")[0], json!(["all", ["NetworkPolicy b/out"], ["NetworkPolicy a/deny"]]), "both sides refuse");
}

#[test]
fn addresses_outside_are_told_by_the_lines_that_policies_draw() {
    let root = folder(&[("a.yaml", &world())]);
    let report = reach(root.path(), &["--explain", "--profile", "np-guard"]);
    let entries: Vec<&Value> =
        report["explain"].as_array().unwrap().iter().filter(|e| e["src"] == "b/z[Pod]" && e["dst"].is_object()).collect();
    let told: Vec<Value> = entries.iter().map(|e| json!([e["verdict"], e["dst"]["ips"], e["egress"]])).collect();
    assert_eq!(
        told,
        [
            json!(["deny", ["0.0.0.0-192.167.255.255", "192.168.7.0/24", "192.169.0.0-255.255.255.255"], ["NetworkPolicy b/out"]]),
            json!(["allow", ["192.168.0.0-192.168.6.255", "192.168.8.0-192.168.255.255"], ["NetworkPolicy b/out"]]),
        ]
    );
}
