//! What a rule asks of a request beside its path: wrapping, parameters, pages (`spec/vault.md` 1.6).

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{Request, Why};
use crate::vaultacl::capability::Operation;
use crate::vaultacl::dialect::Dialect;
use crate::vaultacl::policy::Limits;

/// Whether a request keeps within limits, asked in the servers' order. O(parameters × values allowed).
pub(super) fn check(limits: &Limits, request: &Request<'_>, dialect: Dialect) -> Result<(), Why> {
    wrapping(limits, request.wrap_ttl)?;
    match request.operation {
        Operation::Read | Operation::Update | Operation::Create | Operation::Patch | Operation::Recover => {
            if parameters(limits, request.data, dialect) { Ok(()) } else { Err(Why::Parameters) }
        }
        Operation::List | Operation::Scan if limits.pagination > 0 => page(limits, request.data),
        Operation::List | Operation::Scan | Operation::Delete | Operation::Help => Ok(()),
    }
}

/// A limit refuses what is not wrapped at all, and it binds every operation. A time of 0 is no wrapping. Merging may leave nothing between the two.
fn wrapping(limits: &Limits, asked: Option<u64>) -> Result<(), Why> {
    let (min, max) = (limits.min_wrap, limits.max_wrap);
    let asked = asked.filter(|ttl| *ttl > 0);
    let too_long = max > 0 && asked.is_none_or(|ttl| ttl > max);
    let too_short = min > 0 && asked.is_none_or(|ttl| ttl < min);
    if too_long || too_short { Err(Why::Wrapping) } else { Ok(()) }
}

fn parameters(limits: &Limits, data: Option<&Map<String, Value>>, dialect: Dialect) -> bool {
    let given = |wanted: &String| data.is_some_and(|data| data.contains_key(&wanted.to_lowercase()));
    if !limits.required.iter().all(given) {
        return false;
    }
    let Some(data) = data.filter(|data| !data.is_empty()) else { return true };
    let lowered = in_small_letters(data, dialect);
    let data = lowered.as_ref().unwrap_or(data);
    let empty = BTreeMap::new();
    let denied = limits.denied.as_ref().unwrap_or(&empty);
    let allowed = limits.allowed.as_ref().unwrap_or(&empty);
    if denied.contains_key("*") || data.iter().any(|(key, value)| is_denied(denied, key, value, dialect)) {
        return false;
    }
    let all = allowed.contains_key("*");
    if allowed.is_empty() || (all && allowed.len() == 1) {
        return true;
    }
    data.iter().all(|(key, value)| allowed.get(&key.to_lowercase()).map_or(all, |values| is_allowed(values, value, dialect)))
}

/// Vault 2.0 (from 2.0.4) puts names of policies in small letters before it looks at them.
fn in_small_letters(data: &Map<String, Value>, dialect: Dialect) -> Option<Map<String, Value>> {
    let names_policies = |key: &str| ["policies", "token_policies"].iter().any(|name| key.eq_ignore_ascii_case(name));
    if dialect != Dialect::Vault20 || !data.keys().any(|key| names_policies(key)) {
        return None;
    }
    let lowered = |value: &Value| match value {
        Value::String(text) => Value::String(text.to_lowercase()),
        other => other.clone(),
    };
    let one = |(key, value): (&String, &Value)| {
        let value = match value {
            _ if !names_policies(key) => value.clone(),
            Value::Array(parts) => Value::Array(parts.iter().map(lowered).collect()),
            value => lowered(value),
        };
        (key.clone(), value)
    };
    Some(data.iter().map(one).collect())
}

fn is_denied(denied: &BTreeMap<String, Vec<Value>>, key: &str, value: &Value, dialect: Dialect) -> bool {
    let Some(values) = denied.get(&key.to_lowercase()) else { return false };
    values.is_empty()
        || is_one_of(value, values)
        || elements(value, dialect).is_some_and(|parts| parts.iter().any(|part| is_one_of(part, values)))
}

fn is_allowed(values: &[Value], value: &Value, dialect: Dialect) -> bool {
    values.is_empty()
        || is_one_of(value, values)
        || elements(value, dialect).is_some_and(|parts| parts.iter().all(|part| is_one_of(part, values)))
}

/// The elements of a list or of a text with commas, where the server looks at them. Of an empty text there are none.
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

fn is_one_of(value: &Value, values: &[Value]) -> bool {
    values.iter().any(|one| match (one, value) {
        (Value::String(pattern), Value::String(text)) => globbed(pattern, text),
        (Value::String(_), _) => false,
        _ => same(one, value),
    })
}

/// A `*` at the front or the end stands for any text; alone it stands for itself.
fn globbed(pattern: &str, text: &str) -> bool {
    if pattern.len() < 2 {
        return pattern == text;
    }
    let (front, rest) = pattern.strip_prefix('*').map_or((false, pattern), |rest| (true, rest));
    let (end, middle) = rest.strip_suffix('*').map_or((false, rest), |rest| (true, rest));
    match (front, end) {
        (true, true) => text.contains(middle),
        (true, false) => text.ends_with(middle),
        (false, true) => text.starts_with(middle),
        (false, false) => text == middle,
    }
}

/// Deep equality as the servers have it: a number of a request is kept as text there and so never equals one of a policy.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Null, Value::Null) => true,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::String(a), Value::String(b)) => a == b,
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b))),
        _ => false,
    }
}

/// OpenBao fills a missing `limit` in, takes `max` for the largest, and refuses a larger one and what is no number.
fn page(limits: &Limits, data: Option<&Map<String, Value>>) -> Result<(), Why> {
    let fits = match data.and_then(|data| data.get("limit")) {
        None => !limits.required.iter().any(|name| name.eq_ignore_ascii_case("limit")),
        Some(Value::String(text)) => text.is_empty() || text == "max" || text.parse::<u64>().is_ok_and(|limit| limit <= limits.pagination),
        Some(Value::Number(number)) => number.as_u64().is_some_and(|limit| limit <= limits.pagination),
        Some(_) => false,
    };
    if fits { Ok(()) } else { Err(Why::Pagination) }
}
