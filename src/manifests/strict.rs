//! Fields of a NetworkPolicy that the API does not have. A server passes over them or refuses the object; either way the rule is not what its
//! writer meant: `from` in an egress rule leaves a rule that allows everybody.

use serde_json::Value;

/// What an object may hold.
enum Shape {
    /// These fields and no others.
    Object(&'static [(&'static str, &'static Self)]),
    /// A list of such.
    List(&'static Self),
    /// One of these words.
    Word(&'static [&'static str]),
    /// Anything; it is judged elsewhere.
    Any,
}

static SPEC: Shape = Shape::Object(&[
    ("podSelector", &SELECTOR),
    ("policyTypes", &Shape::List(&Shape::Word(&["Ingress", "Egress"]))),
    ("ingress", &Shape::List(&Shape::Object(&[("from", &PEERS), ("ports", &PORTS)]))),
    ("egress", &Shape::List(&Shape::Object(&[("to", &PEERS), ("ports", &PORTS)]))),
]);
static SELECTOR: Shape = Shape::Object(&[
    ("matchLabels", &Shape::Any),
    ("matchExpressions", &Shape::List(&Shape::Object(&[("key", &Shape::Any), ("operator", &Shape::Any), ("values", &Shape::Any)]))),
]);
static PEERS: Shape = Shape::List(&Shape::Object(&[
    ("podSelector", &SELECTOR),
    ("namespaceSelector", &SELECTOR),
    ("ipBlock", &Shape::Object(&[("cidr", &Shape::Any), ("except", &Shape::Any)])),
]));
static PORTS: Shape = Shape::List(&Shape::Object(&[("protocol", &Shape::Any), ("port", &Shape::Any), ("endPort", &Shape::Any)]));

/// What a NetworkPolicy's `spec` holds that the API does not know, as `field: what`. Not cleaned. O(size).
pub fn unknown(json: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    if let Ok(whole) = serde_json::from_slice::<Value>(json)
        && let Some(spec) = whole.get("spec")
    {
        walk(spec, &SPEC, "spec", &mut found);
    }
    found
}

fn walk(value: &Value, shape: &Shape, at: &str, found: &mut Vec<String>) {
    match (shape, value) {
        (Shape::Object(fields), Value::Object(object)) => {
            for (key, value) in object {
                match fields.iter().find(|(name, _)| name == key) {
                    Some((name, shape)) => walk(value, shape, &format!("{at}.{name}"), found),
                    None => found.push(format!("{at}: there is no field {key:?} here, and what it says does not count")),
                }
            }
        }
        (Shape::List(shape), Value::Array(list)) => {
            list.iter().enumerate().for_each(|(i, value)| walk(value, shape, &format!("{at}[{i}]"), found));
        }
        (Shape::Word(words), Value::String(text)) if !words.contains(&text.as_str()) => {
            found.push(format!("{at}: {text:?} is none of {}", words.join(", ")));
        }
        _ => {}
    }
}
