//! Which fields an object has, and the `fieldsV1` form in which managers own them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::json::object;

/// The way to a field: segments as `fieldsV1` writes them (`f:name`, `k:{…}`, `v:…`).
pub(crate) type Path = Vec<String>;

/// Lists whose elements are told apart by some of their fields.
const KEYED: [(&str, &[&str]); 13] = [
    ("containers", &["name"]),
    ("initContainers", &["name"]),
    ("ephemeralContainers", &["name"]),
    ("env", &["name"]),
    ("volumes", &["name"]),
    ("imagePullSecrets", &["name"]),
    ("secrets", &["name"]),
    ("conditions", &["type"]),
    ("volumeMounts", &["mountPath"]),
    ("ownerReferences", &["uid"]),
    ("ports", &["containerPort", "protocol"]),
    ("ports", &["port", "protocol"]),
    ("topologySpreadConstraints", &["topologyKey", "whenUnsatisfiable"]),
];
/// Objects that are owned as a whole.
const ATOMIC: [&str; 6] = ["selector", "podSelector", "namespaceSelector", "nodeSelector", "secretKeyRef", "configMapKeyRef"];
/// What the server itself fills in; nobody owns it.
const NOBODYS: [&str; 2] = ["apiVersion", "kind"];
/// The same of the metadata.
const NOBODYS_METADATA: [&str; 9] =
    ["name", "namespace", "uid", "creationTimestamp", "resourceVersion", "generation", "managedFields", "selfLink", "deletionTimestamp"];

/// The fields that tell the elements of this list apart, if they do.
pub(crate) fn keys_of(field: &str, list: &[Value]) -> Option<&'static [&'static str]> {
    let has = |keys: &[&str]| !list.is_empty() && list.iter().all(|item| keys.first().is_some_and(|k| item.get(k).is_some()));
    KEYED.iter().find(|(name, keys)| *name == field && has(keys)).map(|(_, keys)| *keys)
}

/// The key segment of a list element.
pub(crate) fn key_segment(keys: &[&str], item: &Value) -> String {
    let map: Map<String, Value> = keys
        .iter()
        .map(|k| {
            // the server defaults the protocol before it looks at keys
            let value = item.get(k).cloned().unwrap_or_else(|| if *k == "protocol" { "TCP".into() } else { Value::Null });
            ((*k).to_owned(), value)
        })
        .collect();
    format!("k:{}", Value::Object(map))
}

/// Every field of an object that can be owned, with its value. List elements appear themselves too, as null.
pub(crate) fn leaves(value: &Value) -> BTreeMap<Path, Value> {
    let mut found = BTreeMap::new();
    for (segments, inner) in ownable(value) {
        let field = segments.last().copied().unwrap_or_default();
        walk(inner, field, segments.iter().map(|s| format!("f:{s}")).collect(), &mut found);
    }
    found
}

/// The parts of an object that can be owned, each with the way to it.
fn ownable(value: &Value) -> Vec<(Vec<&str>, &Value)> {
    let mut parts = Vec::new();
    for (key, inner) in value.as_object().into_iter().flatten().filter(|(k, _)| !NOBODYS.contains(&k.as_str())) {
        match inner.as_object().filter(|_| key == "metadata") {
            Some(metadata) => {
                let ownable = metadata.iter().filter(|(k, _)| !NOBODYS_METADATA.contains(&k.as_str()));
                parts.extend(ownable.map(|(k, v)| (vec![key.as_str(), k.as_str()], v)));
            }
            None => parts.push((vec![key.as_str()], inner)),
        }
    }
    parts
}

/// The `fieldsV1` of somebody who owns all of an object but its status.
pub(crate) fn whole(value: &Value) -> Value {
    let mut root = Value::Object(Map::new());
    for (segments, inner) in ownable(value).into_iter().filter(|(s, _)| s.first() != Some(&"status")) {
        let field = segments.last().copied().unwrap_or_default();
        let here = segments.iter().fold(&mut root, |here, s| object(here).entry(format!("f:{s}")).or_insert(Value::Null));
        *here = shape(inner, field);
    }
    root
}

fn shape(value: &Value, field: &str) -> Value {
    let mut map = Map::new();
    match value {
        Value::Object(fields) if !ATOMIC.contains(&field) => {
            map.extend(fields.iter().map(|(key, inner)| (format!("f:{key}"), shape(inner, key))));
        }
        Value::Array(list) => {
            let keys = keys_of(field, list).unwrap_or_default();
            for item in list.iter().filter(|_| !keys.is_empty()) {
                let mut own = shape(item, "");
                object(&mut own).insert(".".into(), Value::Object(Map::new()));
                map.insert(key_segment(keys, item), own);
            }
        }
        _ => {}
    }
    Value::Object(map)
}

fn walk(value: &Value, field: &str, path: Path, found: &mut BTreeMap<Path, Value>) {
    let deeper = |segment: String| {
        let mut next = path.clone();
        next.push(segment);
        next
    };
    match value {
        Value::Object(map) if !map.is_empty() && !ATOMIC.contains(&field) => {
            for (key, inner) in map {
                walk(inner, key, deeper(format!("f:{key}")), found);
            }
        }
        Value::Array(list) if keys_of(field, list).is_some() => {
            let keys = keys_of(field, list).unwrap_or_default();
            for item in list {
                let at = deeper(key_segment(keys, item));
                // the element itself is owned beside its fields
                found.insert(at.clone(), Value::Null);
                walk(item, "", at, found);
            }
        }
        other => {
            found.insert(path, other.clone());
        }
    }
}

/// Paths as `fieldsV1`.
pub(crate) fn to_v1(paths: &BTreeSet<Path>) -> Value {
    let mut root = Value::Object(Map::new());
    for path in paths {
        let mut here = &mut root;
        for segment in path {
            here = object(here).entry(segment.clone()).or_insert_with(|| Value::Object(Map::new()));
        }
        if path.last().is_some_and(|s| s.starts_with("k:")) {
            object(here).insert(".".into(), Value::Object(Map::new()));
        }
    }
    root
}

/// `fieldsV1` as paths.
pub(crate) fn from_v1(value: &Value) -> BTreeSet<Path> {
    let mut paths = BTreeSet::new();
    collect(value, &mut Vec::new(), &mut paths);
    paths
}

fn collect(value: &Value, here: &mut Path, paths: &mut BTreeSet<Path>) {
    let Some(map) = value.as_object() else { return };
    if (map.is_empty() || map.contains_key(".")) && !here.is_empty() {
        paths.insert(here.clone());
    }
    for (segment, inner) in map.iter().filter(|(s, _)| *s != ".") {
        here.push(segment.clone());
        collect(inner, here, paths);
        here.pop();
    }
}

/// A path as messages write it: `.spec.containers[name="x"].image`.
pub(crate) fn dotted(path: &Path) -> String {
    let segment = |s: &String| {
        if let Some(name) = s.strip_prefix("f:") {
            return format!(".{name}");
        }
        let Some(Value::Object(keys)) = s.strip_prefix("k:").and_then(|k| serde_json::from_str(k).ok()) else { return format!("[{s}]") };
        let parts: Vec<String> = keys.iter().map(|(k, v)| format!("{k}={v}")).collect();
        format!("[{}]", parts.join(","))
    };
    path.iter().map(segment).collect()
}

/// Sets (or with `None` removes) the value at a path.
pub(crate) fn set(root: &mut Value, path: &[String], value: Option<Value>) {
    let Some((segment, rest)) = path.split_first() else {
        if let Some(value) = value {
            *root = value;
        }
        return;
    };
    if let Some(name) = segment.strip_prefix("f:") {
        if value.is_none() && root.get(name).is_none() {
            return;
        }
        let map = object(root);
        if rest.is_empty() && value.is_none() {
            map.shift_remove(name);
        } else {
            set(map.entry(name).or_insert(Value::Null), rest, value);
        }
        return;
    }
    let Some(Value::Object(keys)) = segment.strip_prefix("k:").and_then(|k| serde_json::from_str(k).ok()) else { return };
    if value.is_none() && !root.is_array() {
        return;
    }
    let list = super::json::array(root);
    let same = |item: &Value| keys.iter().all(|(k, v)| item.get(k) == Some(v) || (k == "protocol" && item.get(k).is_none()));
    let at = list.iter().position(same);
    match (at, value) {
        (Some(at), None) if rest.is_empty() => {
            list.remove(at);
        }
        (None, None) => {}
        (at, value) => {
            let at = at.unwrap_or_else(|| {
                list.push(Value::Object(keys.clone()));
                list.len() - 1
            });
            // the element itself carries no value of its own
            if let Some(item) = list.get_mut(at).filter(|_| !rest.is_empty()) {
                set(item, rest, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{dotted, from_v1, leaves, set, to_v1};
    use serde_json::json;
    use std::collections::BTreeSet;

    #[test]
    fn fields_go_there_and_back() {
        let object = json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x", "labels": {"app": "a"}},
            "spec": {"containers": [{"name": "c", "image": "i", "ports": [{"containerPort": 80}]}], "tolerations": []},
        });
        let found = leaves(&object);
        let paths: BTreeSet<_> = found.keys().cloned().collect();
        assert_eq!(from_v1(&to_v1(&paths)), paths);
        assert_eq!(super::whole(&object), to_v1(&paths));
        let texts: Vec<_> = paths.iter().map(dotted).collect();
        assert!(texts.contains(&".spec.containers[name=\"c\"].image".to_owned()), "{texts:?}");
        let mut copy = json!({});
        for (path, value) in found {
            set(&mut copy, &path, Some(value));
        }
        assert_eq!(copy["spec"]["containers"][0]["image"], "i");
        set(&mut copy, &["f:metadata".into(), "f:labels".into()], None);
        assert!(copy["metadata"].get("labels").is_none());
    }
}
