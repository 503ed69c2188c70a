//! The judge on parameter values: `spec/vault.md` 1.6, last part.

use partywall::vaultacl::dialect::Dialect;
use serde_json::Value;

/// A leading and a trailing star are free; a lone star is the character.
fn globbed(pattern: &str, text: &str) -> bool {
    let (open_left, open_right) = (pattern.starts_with('*'), pattern.ends_with('*'));
    if pattern.len() < 2 || !(open_left || open_right) {
        return pattern == text;
    }
    if open_left && open_right {
        return text.contains(&pattern[1..pattern.len() - 1]);
    }
    if open_left { text.ends_with(&pattern[1..]) } else { text.starts_with(&pattern[..pattern.len() - 1]) }
}

/// The numbers of a policy never equal those of a request: the servers hold them as different types.
fn equal(policy: &Value, request: &Value) -> bool {
    match (policy, request) {
        (Value::String(pattern), Value::String(text)) => globbed(pattern, text),
        (Value::Number(_), Value::Number(_)) => false,
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal_deep(a, b)),
        (Value::Object(a), Value::Object(b)) => a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| equal_deep(a, b))),
        (a, b) => a == b,
    }
}

/// Inside of a list nothing globs.
fn equal_deep(policy: &Value, request: &Value) -> bool {
    match (policy, request) {
        (Value::String(a), Value::String(b)) => a == b,
        (a, b) => equal(a, b),
    }
}

fn listed(value: &Value, list: &[Value]) -> bool {
    list.iter().any(|entry| equal(entry, value))
}

/// Vault from 1.21: the elements of a list, or of a comma-separated string.
fn elements(value: &Value, dialect: Dialect) -> Option<Vec<Value>> {
    if !matches!(dialect, Dialect::Vault121 | Dialect::Vault20) {
        return None;
    }
    match value {
        Value::Array(parts) => Some(parts.clone()),
        Value::String(text) if text.is_empty() => Some(Vec::new()),
        Value::String(text) => Some(text.split(',').map(|part| Value::String(part.trim().to_owned())).collect()),
        _ => None,
    }
}

/// Whether `allowed_parameters` takes the value: all elements must be listed.
pub fn allowed(value: &Value, list: &[Value], dialect: Dialect) -> bool {
    list.is_empty() || listed(value, list) || elements(value, dialect).is_some_and(|parts| parts.iter().all(|part| listed(part, list)))
}

/// Whether `denied_parameters` refuses the value: one listed element is enough.
pub fn denied(value: &Value, list: &[Value], dialect: Dialect) -> bool {
    list.is_empty() || listed(value, list) || elements(value, dialect).is_some_and(|parts| parts.iter().any(|part| listed(part, list)))
}
