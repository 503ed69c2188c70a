//! A plan as lines: each object as YAML would write it, against what is there.

use std::fmt::Write as _;

use serde_json::Value;
use similar::{ChangeTag, TextDiff};

use super::role::Role;
use crate::fix::plan::PlanStep;

/// How a line of a diff is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiffLine {
    /// `+`, `-` or a space.
    pub sign: char,
    /// The line, not yet cleaned.
    pub text: String,
}

impl DiffLine {
    /// Its role.
    pub const fn role(&self) -> Role {
        match self.sign {
            '+' => Role::DiffAdd,
            '-' => Role::DiffDel,
            _ => Role::DiffCtx,
        }
    }
}

/// The difference a step makes: against the server's own preview where there is one, else against the manifest. O(lines²) at worst.
pub fn diff(step: &PlanStep) -> Vec<DiffLine> {
    let before = step.live.as_ref().map(yaml).unwrap_or_default();
    let after = match (&step.preview, &step.manifest) {
        (_, Value::Null) => String::new(),
        (Some(preview), _) => yaml(preview),
        (None, manifest) => yaml(manifest),
    };
    let diff = TextDiff::from_lines(&before, &after);
    diff.iter_all_changes()
        .map(|change| DiffLine {
            sign: match change.tag() {
                ChangeTag::Insert => '+',
                ChangeTag::Delete => '-',
                ChangeTag::Equal => ' ',
            },
            text: change.value().trim_end_matches('\n').to_owned(),
        })
        .collect()
}

/// A value in the style of YAML, for people: block style, fields in the order they have. O(size).
pub fn yaml(value: &Value) -> String {
    let mut out = String::new();
    write_value(&mut out, value, 0, false);
    out
}

fn write_value(out: &mut String, value: &Value, depth: usize, in_line: bool) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (i, (key, value)) in map.iter().enumerate() {
                if !(in_line && i == 0) {
                    out.push_str(&"  ".repeat(depth));
                }
                out.push_str(key);
                out.push(':');
                nested(out, value, depth);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for item in items {
                out.push_str(&"  ".repeat(depth));
                out.push_str("- ");
                match item {
                    Value::Object(map) if !map.is_empty() => write_value(out, item, depth + 1, true),
                    item => {
                        scalar(out, item);
                        out.push('\n');
                    }
                }
            }
        }
        other => {
            scalar(out, other);
            out.push('\n');
        }
    }
}

fn nested(out: &mut String, value: &Value, depth: usize) {
    let block = match value {
        Value::Object(map) => !map.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => false,
    };
    if block && depth < 32 {
        out.push('\n');
        write_value(out, value, depth + 1, false);
    } else {
        out.push(' ');
        scalar(out, value);
        out.push('\n');
    }
}

fn scalar(out: &mut String, value: &Value) {
    match value {
        Value::String(text) if plain(text) => out.push_str(text),
        other => {
            let _ = write!(out, "{other}");
        }
    }
}

/// Whether a text can stand without quotes.
fn plain(text: &str) -> bool {
    let first = text.chars().next();
    first.is_some_and(|c| c.is_ascii_alphabetic() || c == '/')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '/' | '_'))
        && !matches!(text, "true" | "false" | "null" | "yes" | "no" | "on" | "off")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn objects_read_like_manifests() {
        let value = json!({"kind": "NetworkPolicy", "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"],
            "egress": [{"to": [{"podSelector": {}}]}, {"ports": [{"port": 53}]}]}});
        let expected = "kind: NetworkPolicy\nspec:\n  podSelector: {}\n  policyTypes:\n    - Ingress\n    - Egress\n  egress:\n    - to:\n        - podSelector: {}\n    - ports:\n        - port: 53\n";
        assert_eq!(yaml(&value), expected);
    }

    #[test]
    fn what_is_new_is_added_and_what_goes_is_removed() {
        let step = PlanStep {
            object: crate::model::ids::ObjectRef::new(crate::model::kind::Kind::LimitRange, "a", "b"),
            why: String::new(),
            manifest: Value::Null,
            live: Some(json!({"a": 1})),
            preview: None,
            refused: None,
            owner: None,
        };
        assert_eq!(diff(&step), [DiffLine { sign: '-', text: "a: 1".into() }]);
        let step = PlanStep { manifest: json!({"a": 2}), ..step };
        assert_eq!(diff(&step).iter().map(|l| l.sign).collect::<String>(), "-+");
    }
}
