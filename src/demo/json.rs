//! Reading and writing JSON trees by slash-separated paths, total on any input.

use serde_json::{Map, Value};

static NULL: Value = Value::Null;

/// Look-ups that never fail: what is absent or of another type reads as empty.
pub(crate) trait Json {
    /// The value at `path` (object keys separated by `/`), or null.
    fn at(&self, path: &str) -> &Value;
    /// The text at `path`, or "".
    fn text(&self, path: &str) -> &str;
    /// The elements of the array at `path`, or none.
    fn items(&self, path: &str) -> &[Value];
    /// The object at `path`, if there is one.
    fn map(&self, path: &str) -> Option<&Map<String, Value>>;
    /// Whether the value at `path` is `true`.
    fn truth(&self, path: &str) -> bool;
    /// Whether `path` leads to anything but null.
    fn has(&self, path: &str) -> bool;
    /// Sets the value at `path`, making objects on the way.
    fn put(&mut self, path: &str, value: impl Into<Value>);
    /// Removes what is at `path` and returns it.
    fn cut(&mut self, path: &str) -> Option<Value>;
    /// The value at `path` for change, made as null where absent.
    fn slot(&mut self, path: &str) -> &mut Value;
}

#[expect(clippy::use_self, reason = "what goes in is a JSON value, whatever holds it")]
impl Json for Value {
    fn at(&self, path: &str) -> &Value {
        path.split('/').filter(|part| !part.is_empty()).fold(self, |here, part| here.get(part).unwrap_or(&NULL))
    }

    fn text(&self, path: &str) -> &str {
        self.at(path).as_str().unwrap_or_default()
    }

    fn items(&self, path: &str) -> &[Value] {
        self.at(path).as_array().map_or(&[], Vec::as_slice)
    }

    fn map(&self, path: &str) -> Option<&Map<String, Value>> {
        self.at(path).as_object()
    }

    fn truth(&self, path: &str) -> bool {
        self.at(path).as_bool().unwrap_or_default()
    }

    fn has(&self, path: &str) -> bool {
        !self.at(path).is_null()
    }

    fn put(&mut self, path: &str, value: impl Into<Value>) {
        *self.slot(path) = value.into();
    }

    fn cut(&mut self, path: &str) -> Option<Value> {
        let (parent, last) = path.rsplit_once('/').unwrap_or(("", path));
        let mut here = self;
        for part in parent.split('/').filter(|part| !part.is_empty()) {
            here = here.get_mut(part)?;
        }
        here.as_object_mut()?.shift_remove(last)
    }

    fn slot(&mut self, path: &str) -> &mut Value {
        let mut here = self;
        for part in path.split('/').filter(|part| !part.is_empty()) {
            here = member(here, part);
        }
        here
    }
}

/// The member `key` of `value`, which becomes an object if it is not one.
pub(crate) fn member<'a>(value: &'a mut Value, key: &str) -> &'a mut Value {
    object(value).entry(key).or_insert(Value::Null)
}

/// `value` as an object, replaced by an empty one if it is not.
pub(crate) fn object(value: &mut Value) -> &mut Map<String, Value> {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    match value {
        Value::Object(map) => map,
        // just made an object above
        _ => unreachable!("not an object"),
    }
}

/// `value` as an array, replaced by an empty one if it is not.
pub(crate) fn array(value: &mut Value) -> &mut Vec<Value> {
    if !value.is_array() {
        *value = Value::Array(Vec::new());
    }
    match value {
        Value::Array(list) => list,
        // just made an array above
        _ => unreachable!("not an array"),
    }
}

#[cfg(test)]
mod tests {
    use super::Json;
    use serde_json::{Value, json};

    #[test]
    fn absent_reads_as_empty_and_put_makes_the_way() {
        let mut v = json!({"a": {"b": "x"}});
        assert_eq!(v.text("a/b"), "x");
        assert_eq!(v.text("a/b/c"), "");
        assert_eq!(v.at("q/r"), &Value::Null);
        v.put("a/c/d", 1);
        assert_eq!(v, json!({"a": {"b": "x", "c": {"d": 1}}}));
        assert_eq!(v.cut("a/c"), Some(json!({"d": 1})));
        assert_eq!(v.cut("a/c"), None);
    }
}
