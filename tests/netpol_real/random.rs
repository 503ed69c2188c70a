//! Policies by chance, reproducible from a seed: everything that NetworkPolicy v1 can say, over the labels, names, ports and addresses that
//! the pods have, and some that nobody has.

use fastrand::Rng;
use serde_json::{Map, Value, json};

use crate::table::Policy;
use crate::world::{NAMESPACES, PODS};

const PORTS: [(&str, u16); 8] =
    [("TCP", 8080), ("TCP", 8081), ("TCP", 9000), ("TCP", 9002), ("UDP", 5353), ("UDP", 5354), ("SCTP", 7000), ("TCP", 80)];
const NAMED: [(&str, &str); 6] = [("TCP", "web"), ("UDP", "web"), ("UDP", "dns"), ("TCP", "peer"), ("SCTP", "assoc"), ("TCP", "nobody")];
const RANGES: [(u16, u16); 4] = [(9000, 9002), (8000, 9000), (1, 65_535), (80, 81)];
/// Blocks and exceptions inside them; a pod's address is put in by its place.
const BLOCKS: [(&str, &[&str]); 9] = [
    ("0.0.0.0/0", &[]),
    ("0.0.0.0/0", &["169.254.0.0/16", "10.0.0.0/8"]),
    ("0.0.0.0/0", &["@red/a@/32", "@blue/b@/32", "203.0.113.0/24"]),
    ("10.0.0.0/8", &["10.200.0.0/16"]),
    ("10.200.0.0/16", &["10.200.0.8/29"]),
    ("203.0.113.0/24", &[]),
    ("169.254.169.254/32", &[]),
    ("@green/a@/32", &[]),
    ("::/0", &[]),
];

const POD_LABELS: [(&str, &[&str]); 3] = [("app", &["web", "db", "job", "none"]), ("tier", &["front", "back", ""]), ("role", &["admin"])];
const SPACE_LABELS: [(&str, &[&str]); 2] = [("team", &["red", "blue", "green"]), ("env", &["prod", "dev"])];

/// So many policies by chance; the names repeat from one set to the next, so that policies are changed as well as made and deleted.
pub fn policies(random: &mut Rng) -> Vec<Policy> {
    let count = random.usize(5..14);
    let mut made: Vec<Policy> = Vec::new();
    for _ in 0..count {
        let namespace = one(random, &NAMESPACES).0;
        let name = format!("random-{}", random.u8(0..5));
        if !made.iter().any(|policy| policy.0 == namespace && policy.1 == name) {
            made.push(Policy(namespace, name, spec(random)));
        }
    }
    made
}

fn one<'a, T>(random: &mut Rng, list: &'a [T]) -> &'a T {
    &list[random.usize(..list.len())]
}

fn spec(random: &mut Rng) -> Value {
    let mut spec = Map::new();
    let chosen = if random.u8(..3) == 0 { json!({}) } else { selector(random, &POD_LABELS) };
    spec.insert("podSelector".into(), chosen);
    let types: Option<&[&str]> = *one(random, &[None, Some(&["Ingress"] as &[_]), Some(&["Egress"]), Some(&["Ingress", "Egress"])]);
    if let Some(types) = types {
        spec.insert("policyTypes".into(), json!(types));
    }
    for (direction, peers) in [("ingress", "from"), ("egress", "to")] {
        if random.u8(..4) > 0 {
            let rules: Vec<_> = (0..random.u8(..3)).map(|_| rule(random, peers)).collect();
            spec.insert(direction.into(), json!(rules));
        }
    }
    Value::Object(spec)
}

fn rule(random: &mut Rng, peers: &str) -> Value {
    let mut rule = Map::new();
    if random.u8(..6) > 0 {
        let list: Vec<_> = (0..random.u8(1..4)).map(|_| peer(random)).collect();
        rule.insert(peers.into(), json!(list));
    }
    if random.u8(..3) > 0 {
        let list: Vec<_> = (0..random.u8(1..4)).map(|_| port(random)).collect();
        rule.insert("ports".into(), json!(list));
    }
    Value::Object(rule)
}

fn peer(random: &mut Rng) -> Value {
    let either = |random: &mut Rng, table| if random.u8(..4) == 0 { json!({}) } else { selector(random, table) };
    match random.u8(..6) {
        0 => json!({"podSelector": either(random, &POD_LABELS)}),
        1 | 2 => json!({"namespaceSelector": either(random, &SPACE_LABELS)}),
        3 | 4 => json!({"namespaceSelector": either(random, &SPACE_LABELS), "podSelector": either(random, &POD_LABELS)}),
        _ => {
            let (cidr, except) = one(random, &BLOCKS);
            json!({"ipBlock": {"cidr": cidr, "except": except}})
        }
    }
}

fn port(random: &mut Rng) -> Value {
    match random.u8(..7) {
        0 => json!({"protocol": one(random, &["TCP", "UDP", "SCTP"])}),
        1 | 2 => {
            let (protocol, name) = one(random, &NAMED);
            json!({"protocol": protocol, "port": name})
        }
        3 => {
            let (from, to) = one(random, &RANGES);
            json!({"protocol": one(random, &["TCP", "UDP", "SCTP"]), "port": from, "endPort": to})
        }
        _ => {
            let (protocol, number) = one(random, &PORTS);
            if *protocol == "TCP" && random.bool() { json!({"port": number}) } else { json!({"protocol": protocol, "port": number}) }
        }
    }
}

fn selector(random: &mut Rng, table: &[(&str, &[&str])]) -> Value {
    let mut labels = Map::new();
    let mut expressions = Vec::new();
    for _ in 0..random.u8(1..3) {
        let (key, values) = one(random, table);
        match random.u8(..6) {
            0 | 1 => {
                labels.insert((*key).into(), json!(one(random, values)));
            }
            2 => expressions.push(json!({"key": key, "operator": "Exists"})),
            3 => expressions.push(json!({"key": key, "operator": "DoesNotExist"})),
            other => {
                let some: Vec<_> = (0..random.u8(1..3)).map(|_| one(random, values)).collect();
                expressions.push(json!({"key": key, "operator": if other == 4 { "In" } else { "NotIn" }, "values": some}));
            }
        }
    }
    json!({"matchLabels": labels, "matchExpressions": expressions})
}

#[test]
fn a_seed_makes_the_same_policies_again() {
    let made = |seed| policies(&mut Rng::with_seed(seed)).into_iter().map(|policy| policy.2).collect::<Vec<_>>();
    assert_eq!(made(7), made(7));
    assert_ne!(made(7), made(8));
    assert_eq!(PODS.len(), 12);
}
