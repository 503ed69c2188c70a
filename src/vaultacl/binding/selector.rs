//! `bound_service_account_namespace_selector` as the servers read it: leniently, so that a mistake in it may admit every namespace.

use serde_json::Value;

use crate::model::labels::{Is, LabelSelector, Requirement};

/// The longest selector that is read, in bytes.
const LONGEST: usize = 64 << 10;
/// The deepest, and the most nodes.
const DEEPEST: usize = 32;
const NODES: usize = 8_192;

/// A selector in JSON or YAML; none where the servers would have refused it or where we can't tell. The servers look at the first document, ignore
/// keys they don't know and the case of those they know, take the last of repeated keys, and refuse expressions. What selects nothing in
/// particular selects everything. O(length).
pub(super) fn read(text: &str) -> Option<LabelSelector> {
    if text.trim().is_empty() || text.len() > LONGEST {
        return None;
    }
    let fields = match document(text)? {
        Value::Null => return Some(LabelSelector::default()),
        Value::Object(fields) => fields,
        _ => return None,
    };
    let mut labels = None;
    for (key, value) in fields {
        if key.eq_ignore_ascii_case("matchExpressions") && !value.is_null() {
            return None;
        }
        // of two spellings the later counts, and their order is lost here
        if key.eq_ignore_ascii_case("matchLabels") && labels.replace(value).is_some() {
            return None;
        }
    }
    let labels = match labels {
        None | Some(Value::Null) => return Some(LabelSelector::default()),
        Some(Value::Object(labels)) => labels,
        Some(_) => return None,
    };
    let strict = is_json(text);
    let requirements = labels.into_iter().map(|(key, value)| {
        let value = match value {
            Value::String(text) => text,
            Value::Null => String::new(),
            // in YAML what looks like a number or a truth value is text where text is wanted
            Value::Bool(value) if !strict => value.to_string(),
            Value::Number(value) if !strict && !value.is_f64() => value.to_string(),
            _ => return None,
        };
        Some(Requirement { key: key.into(), is: Is::In([value.into()].into()) })
    });
    Some(LabelSelector { requirements: requirements.collect::<Option<_>>()? })
}

fn is_json(text: &str) -> bool {
    text.trim_start().starts_with('{')
}

/// The first document.
fn document(text: &str) -> Option<Value> {
    if is_json(text) {
        return serde_json::Deserializer::from_str(text).into_iter().next()?.ok();
    }
    let first = text.split("\n---").next()?;
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            flow_nesting_limit: DEEPEST,
            max_depth: DEEPEST,
            max_documents: 1,
            max_events: NODES,
            max_nodes: NODES,
        },
        duplicate_keys: serde_saphyr::DuplicateKeyPolicy::LastWins,
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options::<Option<Value>>(first, options).ok().map(|value| value.unwrap_or(Value::Null))
}
