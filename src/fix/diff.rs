//! What a plan would change, as people read it: a line diff of YAML.

use serde_json::Value;
use similar::TextDiff;

use crate::model::text::clean_to;

/// Fields of `metadata` that the server keeps by itself.
const KEPT_BY_SERVER: [&str; 6] = ["managedFields", "resourceVersion", "uid", "creationTimestamp", "generation", "selfLink"];
/// At most so many lines of a diff are made; a manifest of ours has a few dozen.
const LONGEST: usize = 2_000;
/// At most so many characters of a line are shown.
const WIDEST: usize = 400;

/// An object without status and without what the server keeps by itself: what somebody wrote.
pub fn without_server_fields(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(fields) = object.as_object_mut() {
        fields.remove("status");
        if let Some(metadata) = fields.get_mut("metadata").and_then(Value::as_object_mut) {
            for field in KEPT_BY_SERVER {
                metadata.remove(field);
            }
        }
    }
    object
}

/// An object as YAML with its fields in alphabetical order, so that two servers' orders don't look like changes.
fn yaml(object: Option<&Value>) -> String {
    let Some(object) = object else { return String::new() };
    serde_saphyr::to_string(&sorted(&without_server_fields(object))).unwrap_or_else(|_| object.to_string())
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut pairs: Vec<_> = fields.iter().map(|(key, value)| (key.clone(), sorted(value))).collect();
            pairs.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(pairs.into_iter().collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        other => other.clone(),
    }
}

/// A unified diff from the object as it is (none: it is not there) to the object as it would be, with three lines of context; empty when
/// nothing would change. Every line is cleaned. O(lines²) at worst, over at most [`LONGEST`] lines.
pub fn unified(live: Option<&Value>, preview: Option<&Value>) -> String {
    let cut = |text: String| text.lines().take(LONGEST).map(|line| clean_to(line, WIDEST) + "\n").collect::<String>();
    let (before, after) = (cut(yaml(live)), cut(yaml(preview)));
    if before == after {
        return String::new();
    }
    let names = (if live.is_some() { "live" } else { "absent" }, if preview.is_some() { "planned" } else { "deleted" });
    TextDiff::from_lines(&before, &after).unified_diff().context_radius(3).header(names.0, names.1).to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_server_keeps_is_no_change() {
        let live =
            json!({"kind": "LimitRange", "metadata": {"name": "a", "uid": "u", "generation": 3, "managedFields": []}, "status": {"x": 1}});
        let planned = json!({"metadata": {"name": "a", "resourceVersion": "9"}, "kind": "LimitRange"});
        assert_eq!(unified(Some(&live), Some(&planned)), "");
    }

    #[test]
    fn a_new_object_is_all_additions() {
        let diff = unified(None, Some(&json!({"kind": "LimitRange", "spec": {"on": "yes"}})));
        assert_eq!(diff, "--- absent\n+++ planned\n@@ -0,0 +1,3 @@\n+kind: LimitRange\n+spec:\n+  \"on\": \"yes\"\n");
    }

    #[test]
    fn one_field_changes_one_line() {
        let of = |cpu: &str| json!({"spec": {"limits": [{"max": {"cpu": cpu}, "type": "Container"}]}});
        let diff = unified(Some(&of("2")), Some(&of("1")));
        let changed: Vec<&str> =
            diff.lines().filter(|line| line.starts_with(['+', '-']) && !line.starts_with("---") && !line.starts_with("+++")).collect();
        assert_eq!(changed.len(), 2, "{diff}");
    }

    #[test]
    fn hostile_values_do_not_reach_the_terminal() {
        let diff = unified(None, Some(&json!({"a": "x\u{1b}[2J\u{202e}y", "b\u{7}": 1})));
        assert!(!diff.contains(['\u{1b}', '\u{202e}', '\u{7}']), "{diff:?}");
    }
}
