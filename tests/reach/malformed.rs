//! Malformed input: an error that names file and object, an end in time, and everything else still read.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use super::{err, folder, lines, partywall, pod, policy, reach};

/// For an unoptimised program on a machine with ten times as much to do as it can.
const SOON: Duration = Duration::from_secs(60);

fn two_pods() -> String {
    [pod("shop", "a", "a", "10.0.0.1"), pod("shop", "b", "b", "10.0.0.2")].concat()
}

#[test]
fn a_malformed_policy_is_named_and_opens_nothing() {
    for (rule, what) in [
        ("{ports: [{port: 90, endPort: 80}]}", "endPort"),
        ("{ports: [{port: http, endPort: 80}]}", "named port"),
        ("{from: [{}]}", "nobody"),
        ("{from: [{podSelector: {matchExpressions: [{key: app, operator: Near, values: [b]}]}}]}", "Near"),
        ("{from: [{ipBlock: {cidr: 10.0.0.0/99}}]}", "address range"),
        ("{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [11.0.0.0/8]}}]}", "not inside"),
    ] {
        let bad = policy("shop", "bad", &format!("{{podSelector: {{matchLabels: {{app: a}}}}, ingress: [{rule}]}}"));
        let root = folder(&[("pods.yaml", &two_pods()), ("net/bad.yaml", &bad)]);
        let output = partywall(root.path(), &["reach", "-f", ".", "--format", "json"]);
        assert_eq!(output.status.code(), Some(0), "{}", err(&output));
        let said = err(&output);
        assert!(said.contains("net/bad.yaml") && said.contains("NetworkPolicy shop/bad") && said.contains(what), "{rule}: {said}");
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert!(lines(&report, &["shop/b[Pod] -> shop/a[Pod]"]).is_empty(), "{rule}: open for sure: {report:#}");
        assert!(!lines(&report, &["shop/a[Pod] -> shop/b[Pod]"]).is_empty(), "{rule}: the rest is read");
    }
}

#[test]
fn attacks_end_with_an_error_and_the_rest_is_read() {
    let head = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: evil, namespace: shop}\nspec:\n";
    let mut laughs = String::from("  a0: &a0 [x,x,x,x,x,x,x,x,x]\n");
    for i in 1..30 {
        let _ = writeln!(laughs, "  a{i}: &a{i} [{}]", vec![format!("*a{}", i - 1); 9].join(","));
    }
    let block = (0..10_000).fold(String::new(), |text, i| text + &" ".repeat(i + 2) + "a:\n");
    let json = format!(
        r#"{{"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{{"name":"evil","namespace":"shop"}},"spec":{}{}}}"#,
        r#"{"a":"#.repeat(10_000) + "1",
        "}".repeat(10_000)
    );
    for (name, text) in [
        ("flow.yaml", format!("{head}  a: {}{}\n", "[".repeat(10_000), "]".repeat(10_000))),
        ("block.yaml", format!("{head}{block}")),
        ("deep.json", json),
        ("long.yaml", format!("{head}  a: {}\n", "x".repeat(10 << 20))),
        ("many.yaml", format!("{head}  a:\n{}", "  - x\n".repeat(2 << 20))),
        ("twice.yaml", format!("{head}  podSelector: {{}}\n  podSelector: {{}}\n")),
        ("laughs.yaml", format!("{head}{laughs}")),
        ("syntax.yaml", format!("{head}  a: [\n")),
    ] {
        let root = folder(&[(name, &text), ("pods.yaml", &two_pods())]);
        let began = Instant::now();
        let output = partywall(root.path(), &["reach", "-f", ".", "--format", "json"]);
        assert!(began.elapsed() < SOON, "{name} took {:?}", began.elapsed());
        let said = err(&output);
        assert_eq!(output.status.code(), Some(0), "{name}: {said}");
        assert!(said.contains(name) && said.contains("NetworkPolicy shop/evil"), "{name}: {said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["workloads"].as_array().unwrap().len(), 2, "{name}");
        let alone = folder(&[(name, &text)]);
        let output = partywall(alone.path(), &["reach", "-f", ".", "--format", "json"]);
        assert_eq!(output.status.code(), Some(3), "{name} alone: nothing could be read: {}", err(&output));
    }
}

#[test]
fn an_unreadable_document_hides_none_of_its_neighbours() {
    let files = format!("{}a: [\n---\n{}", pod("shop", "a", "a", "10.0.0.1"), pod("shop", "b", "b", "10.0.0.2"));
    let root = folder(&[("a.yaml", &files), ("b.yaml", "\u{0}\u{1}"), ("c.json", "{\"a\": ")]);
    assert_eq!(reach(root.path(), &[])["workloads"].as_array().unwrap().len(), 2);
    let said = err(&partywall(root.path(), &["reach", "-f", "."]));
    assert!(said.contains("a.yaml: document 2 (line ") && said.contains("c.json: document 1 (line 1)"), "{said}");
}

#[test]
fn nothing_hostile_reaches_the_terminal() {
    let name = "x\\e[2J\\u202e";
    let text = format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: \"{name}\", namespace: \"{name}\"}}\n---\napiVersion: v1\nkind: Pod\nmetadata: {{name: \"{name}\", labels: [a]}}\n"
    );
    let root = folder(&[("a.yaml", &text)]);
    for format in ["table", "json", "dot"] {
        let output = partywall(root.path(), &["reach", "-f", ".", "--format", format, "--explain"]);
        let all = [output.stdout, output.stderr].concat();
        let all = String::from_utf8(all).unwrap();
        assert!(all.chars().all(|c| c == '\n' || (!c.is_control() && c != '\u{202e}')), "{format}: {all:?}");
    }
}
