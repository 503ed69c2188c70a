//! Label and field selectors of list requests.

use serde_json::Value;

use super::json::Json;
use super::status::{Refusal, bad_request};

/// One requirement on the labels.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Need {
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    Absent(String),
}

/// What a request selects.
#[derive(Clone, Debug, Default)]
pub(crate) struct Selection {
    labels: Vec<Need>,
    /// Field path, whether it must be equal, value.
    fields: Vec<(String, bool, String)>,
}

impl Selection {
    /// Reads both selectors of a query.
    pub(crate) fn parse(labels: &str, fields: &str) -> Result<Self, Refusal> {
        let needs: Option<Vec<Need>> = split_outside_parentheses(labels).iter().map(|part| need(part)).collect();
        let needs = needs.ok_or_else(|| bad_request(format!("unable to parse requirement: {labels}")))?;
        let wanted: Option<Vec<_>> = fields.split(',').filter(|s| !s.is_empty()).map(field).collect();
        let wanted = wanted.ok_or_else(|| bad_request(format!("invalid selector: '{fields}'; can't understand '{fields}'")))?;
        Ok(Self { labels: needs, fields: wanted })
    }

    /// Whether everything is selected.
    pub(crate) fn is_everything(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }

    /// Whether an object is selected.
    pub(crate) fn matches(&self, object: &Value) -> bool {
        let label = |key: &str| object.map("metadata/labels").and_then(|m| m.get(key)).and_then(Value::as_str);
        self.labels.iter().all(|need| match need {
            Need::In(key, values) => label(key).is_some_and(|v| values.iter().any(|x| x == v)),
            Need::NotIn(key, values) => !label(key).is_some_and(|v| values.iter().any(|x| x == v)),
            Need::Exists(key) => label(key).is_some(),
            Need::Absent(key) => label(key).is_none(),
        }) && self.fields.iter().all(|(path, equal, value)| (field_text(object, path) == *value) == *equal)
    }
}

fn field_text(object: &Value, path: &str) -> String {
    match object.at(path) {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn field(part: &str) -> Option<(String, bool, String)> {
    let (path, equal, value) = if let Some((path, value)) = part.split_once("!=") {
        (path, false, value)
    } else {
        let (path, value) = part.split_once("==").or_else(|| part.split_once('='))?;
        (path, true, value)
    };
    Some((path.trim().replace('.', "/"), equal, value.trim().to_owned()))
}

fn split_outside_parentheses(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut depth = 0_u32;
    for c in text.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if c == ',' && depth == 0 {
            parts.push(String::new());
        } else if let Some(last) = parts.last_mut() {
            last.push(c);
        }
    }
    parts.into_iter().map(|p| p.trim().to_owned()).filter(|p| !p.is_empty()).collect()
}

fn need(part: &str) -> Option<Need> {
    let set = |list: &str| -> Option<Vec<String>> {
        let inner = list.trim().strip_prefix('(')?.strip_suffix(')')?;
        Some(inner.split(',').map(|v| v.trim().to_owned()).collect())
    };
    let key = |k: &str| (!k.trim().is_empty() && !k.trim().contains(' ')).then(|| k.trim().to_owned());
    if let Some((k, list)) = part.split_once(" notin ").or_else(|| part.split_once(" notin")) {
        return Some(Need::NotIn(key(k)?, set(list)?));
    }
    if let Some((k, list)) =
        part.split_once(" in ").or_else(|| part.split_once(" in(").map(|_| part.split_once(" in").unwrap_or((part, ""))))
    {
        return Some(Need::In(key(k)?, set(list)?));
    }
    if let Some((k, v)) = part.split_once("!=") {
        return Some(Need::NotIn(key(k)?, vec![v.trim().to_owned()]));
    }
    if let Some((k, v)) = part.split_once("==").or_else(|| part.split_once('=')) {
        return Some(Need::In(key(k)?, vec![v.trim().to_owned()]));
    }
    if let Some(k) = part.strip_prefix('!') {
        return Some(Need::Absent(key(k)?));
    }
    Some(Need::Exists(key(part)?))
}

#[cfg(test)]
mod tests {
    use super::Selection;
    use serde_json::json;

    #[test]
    fn selectors_select() {
        let object = json!({"metadata": {"name": "x", "labels": {"app": "n8n", "tier": "web"}}, "spec": {"n": 1}});
        for (labels, fields, expected) in [
            ("", "", true),
            ("app=n8n", "", true),
            ("app==n8n,tier!=db", "metadata.name=x", true),
            ("app in (a,n8n),!gone", "", true),
            ("app notin (n8n)", "", false),
            ("app", "metadata.name!=x", false),
            ("missing", "", false),
            ("missing notin (a)", "spec.n=1", true),
        ] {
            assert_eq!(Selection::parse(labels, fields).unwrap().matches(&object), expected, "{labels} {fields}");
        }
        assert!(Selection::parse("a in b", "").is_err());
        assert!(Selection::parse("", "nonsense").is_err());
    }
}
