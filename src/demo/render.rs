//! In which form objects are sent: as they are, as metadata only, or as rows of a table.

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Value, json};

use super::http::Call;
use super::json::Json;
use super::kinds::Kind;
use super::table;

/// The form a client asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Plain,
    /// Metadata only.
    Partial,
    Table(Include),
}

/// What the rows of a table carry of their object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Include {
    Nothing,
    Metadata,
    Object,
}

impl Form {
    /// Reads the `Accept` header and the parameter beside it.
    pub(crate) fn of(call: &Call) -> Self {
        let accept = call.header("accept");
        if accept.contains("as=Table") {
            return Self::Table(match call.query.get("includeObject") {
                "None" => Include::Nothing,
                "Object" => Include::Object,
                _ => Include::Metadata,
            });
        }
        if accept.contains("as=PartialObjectMetadata") { Self::Partial } else { Self::Plain }
    }
}

/// An object without its kind and version, as the items of a list of a built-in kind are.
struct Bare<'a>(&'a Value);

impl Serialize for Bare<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Value::Object(map) = self.0 else { return self.0.serialize(serializer) };
        let mut out = serializer.serialize_map(None)?;
        for (key, value) in map.iter().filter(|(key, _)| !matches!(key.as_str(), "kind" | "apiVersion")) {
            out.serialize_entry(key, value)?;
        }
        out.end()
    }
}

/// One object in the form asked for.
pub(crate) fn one(kind: &Kind, object: &Value, form: Form, with_columns: bool) -> Value {
    match form {
        Form::Plain => object.clone(),
        Form::Partial => partial(object),
        Form::Table(include) => {
            let revision = object.text("metadata/resourceVersion");
            json!({
                "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": {"resourceVersion": revision},
                "columnDefinitions": if with_columns { table::columns(kind) } else { Value::Null },
                "rows": [table::row(kind, object, include)],
            })
        }
    }
}

/// The text of one watch event, without the line end.
pub(crate) fn event(kind: &Kind, verb: &str, object: &Value, form: Form, with_columns: bool) -> String {
    match form {
        Form::Plain => format!("{{\"type\":\"{verb}\",\"object\":{object}}}"),
        _ => json!({"type": verb, "object": one(kind, object, form, with_columns)}).to_string(),
    }
}

/// The body of a list. `metadata` is that of the list.
pub(crate) fn list<'a>(kind: &Kind, objects: impl Iterator<Item = &'a Value>, form: Form, metadata: &Value) -> Vec<u8> {
    match form {
        Form::Table(include) => {
            let rows: Vec<Value> = objects.map(|o| table::row(kind, o, include)).collect();
            let body = json!({
                "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata,
                "columnDefinitions": table::columns(kind), "rows": rows,
            });
            body.to_string().into_bytes()
        }
        Form::Partial => {
            let items: Vec<Value> = objects.map(partial).collect();
            let body = json!({
                "kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": metadata, "items": items,
            });
            body.to_string().into_bytes()
        }
        Form::Plain => plain(kind, objects, metadata),
    }
}

fn plain<'a>(kind: &Kind, objects: impl Iterator<Item = &'a Value>, metadata: &Value) -> Vec<u8> {
    let mut out = format!("{{\"kind\":\"{}List\",\"apiVersion\":\"{}\",\"metadata\":{metadata},\"items\":[", kind.kind, kind.api_version())
        .into_bytes();
    for (n, object) in objects.enumerate() {
        if n > 0 {
            out.push(b',');
        }
        // writing a JSON tree into memory does not fail
        let _ = if kind.custom { serde_json::to_writer(&mut out, object) } else { serde_json::to_writer(&mut out, &Bare(object)) };
    }
    out.extend(b"]}");
    out
}

fn partial(object: &Value) -> Value {
    json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object.at("metadata")})
}
