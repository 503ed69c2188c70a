//! Policies in JSON. A key that is repeated inside `path` is two rules and both count, so no map may fold them.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::rule::{Draft, PathRule, Unreadable};

/// An object as a list of pairs, repeats included.
struct Pairs(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        collect(deserializer).map(Self)
    }
}

/// An object of objects as lists of pairs.
struct Blocks(Vec<(String, Pairs)>);

impl<'de> Deserialize<'de> for Blocks {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        collect(deserializer).map(Self)
    }
}

/// The top level, values unread.
struct Document(Vec<(String, Box<serde_json::value::RawValue>)>);

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        collect(deserializer).map(Self)
    }
}

fn collect<'de, D: Deserializer<'de>, V: Deserialize<'de>>(deserializer: D) -> Result<Vec<(String, V)>, D::Error> {
    struct Collect<V>(std::marker::PhantomData<V>);
    impl<'de, V: Deserialize<'de>> Visitor<'de> for Collect<V> {
        type Value = Vec<(String, V)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
            let mut pairs = Vec::new();
            while let Some(pair) = map.next_entry()? {
                pairs.push(pair);
            }
            Ok(pairs)
        }
    }
    deserializer.deserialize_map(Collect(std::marker::PhantomData))
}

/// The rules of a policy in JSON.
pub(super) fn read(text: &str) -> Result<Vec<PathRule>, Unreadable> {
    let wrong = |error: &serde_json::Error| Unreadable::new(error.line(), "not the JSON of a policy");
    let document: Document = serde_json::from_str(text).map_err(|error| wrong(&error))?;
    let mut rules = Vec::new();
    for (key, raw) in document.0 {
        match key.as_str() {
            "name" => {}
            "path" => {
                let blocks: Blocks = serde_json::from_str(raw.get()).map_err(|error| wrong(&error))?;
                for (label, pairs) in blocks.0 {
                    rules.push(rule(&label, pairs)?);
                }
            }
            other => return Err(Unreadable::new(0, &format!("unknown key \"{other}\""))),
        }
    }
    Ok(rules)
}

fn rule(label: &str, pairs: Pairs) -> Result<PathRule, Unreadable> {
    let mut draft = Draft::default();
    for (key, value) in pairs.0 {
        draft.key(&key, 0)?;
        match (key.as_str(), value) {
            ("capabilities", Value::Array(words)) => {
                for word in words {
                    draft.capability(word.as_str().ok_or_else(|| Unreadable::new(0, "a capability that is no text"))?, 0)?;
                }
            }
            ("policy", Value::String(word)) => draft.legacy(&word, 0)?,
            ("capabilities" | "policy", _) => return Err(Unreadable::new(0, "a value of the wrong kind")),
            _ => {}
        }
    }
    draft.rule(label, 0)
}
