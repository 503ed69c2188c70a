//! Merge, strategic merge and JSON patches.

use serde_json::{Map, Value};

use super::fields::keys_of;
use super::json::{Json, object};

/// RFC 7386.
pub(crate) fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    let map = object(target);
    for (key, value) in patch {
        if value.is_null() {
            map.shift_remove(key);
        } else {
            merge(map.entry(key.clone()).or_insert(Value::Null), value);
        }
    }
}

/// The merge of Kubernetes: lists with keys are merged element by element, and directives begin with a dollar sign.
pub(crate) fn strategic(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if patch.get("$patch").and_then(Value::as_str) == Some("replace") {
        *target = Value::Object(without_directives(patch));
        return;
    }
    let map = object(target);
    for (key, value) in patch.iter().filter(|(key, _)| !key.starts_with('$')) {
        match value {
            Value::Null => {
                map.shift_remove(key);
            }
            Value::Array(list) if keys_of(key, list).is_some() => {
                let keys = keys_of(key, list).unwrap_or_default();
                merge_list(super::json::array(map.entry(key.clone()).or_insert(Value::Null)), list, keys);
            }
            other => strategic(map.entry(key.clone()).or_insert(Value::Null), other),
        }
    }
}

fn without_directives(patch: &Map<String, Value>) -> Map<String, Value> {
    patch.iter().filter(|(key, _)| !key.starts_with('$')).map(|(k, v)| (k.clone(), v.clone())).collect()
}

fn merge_list(target: &mut Vec<Value>, patch: &[Value], keys: &[&str]) {
    for item in patch {
        // one key is enough to find an element: the others have defaults
        let key = keys.first().copied().unwrap_or_default();
        let at = target.iter().position(|t| t.get(key) == item.get(key));
        match (at, item.text("$patch")) {
            (Some(at), "delete") => {
                target.remove(at);
            }
            (Some(at), _) => {
                if let Some(old) = target.get_mut(at) {
                    strategic(old, item);
                }
            }
            (None, "delete") => {}
            (None, _) => target.push(item.clone()),
        }
    }
}

/// RFC 6902. The error says which operation cannot be done.
pub(crate) fn json(target: &mut Value, patch: &Value) -> Result<(), String> {
    for step in patch.as_array().ok_or("the body is not a list of operations")? {
        let path = step.text("path");
        let missing = || format!("error in remove for path: '{path}': Unable to remove nonexistent key: missing value");
        match step.text("op") {
            "add" | "replace" => add(target, path, step.at("value").clone(), step.text("op") == "replace").ok_or_else(missing)?,
            "remove" => {
                take(target, path).ok_or_else(missing)?;
            }
            "test" if target.pointer(path) == Some(step.at("value")) => {}
            "test" => return Err(format!("testing value {path} failed")),
            "move" | "copy" => {
                let from = step.text("from");
                let value = target.pointer(from).cloned().ok_or_else(missing)?;
                if step.text("op") == "move" {
                    take(target, from);
                }
                add(target, path, value, false).ok_or_else(missing)?;
            }
            other => return Err(format!("Unexpected kind: {other}")),
        }
    }
    Ok(())
}

fn split(path: &str) -> Option<(&str, String)> {
    let (parent, last) = path.rsplit_once('/')?;
    Some((parent, last.replace("~1", "/").replace("~0", "~")))
}

fn add(target: &mut Value, path: &str, value: Value, replace: bool) -> Option<()> {
    let Some((parent, last)) = split(path) else {
        *target = value;
        return Some(());
    };
    match target.pointer_mut(parent)? {
        Value::Object(map) => {
            map.insert(last, value);
        }
        Value::Array(list) => {
            let at = if last == "-" { list.len() } else { last.parse().ok()? };
            if replace {
                *list.get_mut(at)? = value;
            } else if at <= list.len() {
                list.insert(at, value);
            } else {
                return None;
            }
        }
        _ => return None,
    }
    Some(())
}

fn take(target: &mut Value, path: &str) -> Option<Value> {
    let (parent, last) = split(path)?;
    match target.pointer_mut(parent)? {
        Value::Object(map) => map.shift_remove(&last),
        Value::Array(list) => {
            let at = last.parse().ok().filter(|at| *at < list.len())?;
            Some(list.remove(at))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn three_ways_to_patch() {
        let mut v = json!({"spec": {"containers": [{"name": "a", "image": "1"}, {"name": "b"}]}, "x": 1});
        super::strategic(
            &mut v,
            &json!({"spec": {"containers": [{"name": "a", "image": "2"}, {"name": "b", "$patch": "delete"}], "$setElementOrder/containers": []}, "x": null}),
        );
        assert_eq!(v, json!({"spec": {"containers": [{"name": "a", "image": "2"}]}}));
        super::merge(&mut v, &json!({"spec": {"containers": []}, "y": {"z": 1}}));
        assert_eq!(v, json!({"spec": {"containers": []}, "y": {"z": 1}}));
        super::json(&mut v, &json!([{"op": "add", "path": "/spec/containers/-", "value": 7}, {"op": "remove", "path": "/y/z"}])).unwrap();
        assert_eq!(v, json!({"spec": {"containers": [7]}, "y": {}}));
        assert!(super::json(&mut v, &json!([{"op": "remove", "path": "/nope"}])).is_err());
    }
}
