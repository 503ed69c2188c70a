//! As much of OpenAPI v3 as kubectl asks for before it applies: which paths take which parameters.

use serde_json::{Value, json};

use super::http::{self, Reply};
use super::json::Json;
use super::kinds::{KINDS, Kind};

/// The root document, or that of one group version.
pub(crate) fn answer(rest: &[&str]) -> Option<Reply> {
    match rest {
        [] => Some(http::json(200, &root())),
        ["api", version] => document("", version),
        ["apis", group, version] => document(group, version),
        _ => None,
    }
}

fn root() -> Value {
    let mut paths = json!({});
    for kind in &KINDS {
        let path = if kind.group.is_empty() { format!("api/{}", kind.version) } else { format!("apis/{}/{}", kind.group, kind.version) };
        let entry = json!({"serverRelativeURL": format!("/openapi/v3/{path}?hash=DEMO")});
        super::json::object(&mut paths).insert(path, entry);
    }
    json!({"paths": paths})
}

fn document(group: &str, version: &str) -> Option<Reply> {
    let mut paths = json!({});
    let mut schemas = json!({});
    for kind in KINDS.iter().filter(|k| k.group == group && k.version == version) {
        super::json::object(&mut paths).insert(path(kind), operations(kind));
        super::json::object(&mut schemas).insert(schema_name(kind), schema(kind));
    }
    let found = paths.as_object().is_some_and(|m| !m.is_empty());
    let body = json!({
        "openapi": "3.0.0", "info": {"title": "Kubernetes", "version": super::kube::VERSION}, "paths": paths,
        "components": {"schemas": schemas},
    });
    found.then(|| http::json(200, &body))
}

fn path(kind: &Kind) -> String {
    let base = if kind.group.is_empty() { format!("/api/{}", kind.version) } else { format!("/apis/{}/{}", kind.group, kind.version) };
    let scope = if kind.namespaced { "/namespaces/{namespace}" } else { "" };
    format!("{base}{scope}/{}/{{name}}", kind.plural)
}

fn gvk(kind: &Kind) -> Value {
    json!({"group": kind.group, "version": kind.version, "kind": kind.kind})
}

fn schema_name(kind: &Kind) -> String {
    let group = if kind.group.is_empty() { "core" } else { kind.group.split('.').next().unwrap_or("core") };
    format!("io.k8s.api.{group}.{}.{}", kind.version, kind.kind)
}

fn operations(kind: &Kind) -> Value {
    let parameters: Vec<Value> = [("dryRun", "string"), ("fieldManager", "string"), ("fieldValidation", "string"), ("force", "boolean")]
        .iter()
        .map(|(name, of)| json!({"name": name, "in": "query", "schema": {"type": of, "uniqueItems": true}}))
        .collect();
    let mut value = json!({});
    for (method, action) in [("patch", "patch"), ("put", "put")] {
        value.put(
            method,
            json!({
                "x-kubernetes-action": action, "x-kubernetes-group-version-kind": gvk(kind), "parameters": parameters,
                "responses": {"200": {"description": "OK"}},
            }),
        );
    }
    value
}

/// An object whose fields may be anything: enough to know the kind, not enough to judge it.
fn schema(kind: &Kind) -> Value {
    let any = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    json!({
        "type": "object",
        "description": format!("{} as the simulated server stores it.", kind.kind),
        "properties": {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": any, "spec": any, "status": any},
        "x-kubernetes-group-version-kind": [gvk(kind)],
        "x-kubernetes-preserve-unknown-fields": true,
    })
}
