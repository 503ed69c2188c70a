//! `Status` bodies, in the server's words.

use serde_json::{Value, json};

use super::json::Json;
use super::kinds::Kind;

/// A refusal: HTTP code and the `Status` that explains it.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) code: u16,
    pub(crate) body: Value,
    /// Seconds a client should wait before it tries again.
    pub(crate) retry_after: Option<u32>,
}

/// A refusal with any reason and no details.
pub(crate) fn refuse(code: u16, reason: &str, message: impl Into<String>) -> Refusal {
    let body = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": message.into(), "reason": reason, "code": code,
    });
    Refusal { code, body, retry_after: None }
}

impl Refusal {
    /// Adds `details`, before the code as the server orders them.
    pub(crate) fn with_details(mut self, details: Value) -> Self {
        let code = self.body.cut("code");
        self.body.put("details", details);
        self.body.put("code", code.unwrap_or_default());
        self
    }

    /// The explanation.
    pub(crate) fn message(&self) -> &str {
        self.body.text("message")
    }
}

fn details(kind: &Kind, name: &str) -> Value {
    let mut details = json!({});
    if !name.is_empty() {
        details.put("name", name);
    }
    if !kind.group.is_empty() {
        details.put("group", kind.group);
    }
    details.put("kind", kind.plural);
    details
}

/// 404 for an object.
pub(crate) fn not_found(kind: &Kind, name: &str) -> Refusal {
    refuse(404, "NotFound", format!("{} \"{name}\" not found", kind.qualified())).with_details(details(kind, name))
}

/// 403 from admission.
pub(crate) fn forbidden(kind: &Kind, name: &str, why: &str) -> Refusal {
    refuse(403, "Forbidden", format!("{} \"{name}\" is forbidden: {why}", kind.qualified())).with_details(details(kind, name))
}

/// 409 for an object that exists.
pub(crate) fn already_exists(kind: &Kind, name: &str) -> Refusal {
    refuse(409, "AlreadyExists", format!("{} \"{name}\" already exists", kind.qualified())).with_details(details(kind, name))
}

/// 409 for a write based on an old revision.
pub(crate) fn conflict(kind: &Kind, name: &str) -> Refusal {
    let why = "the object has been modified; please apply your changes to the latest version and try again";
    refuse(409, "Conflict", format!("Operation cannot be fulfilled on {} \"{name}\": {why}", kind.qualified()))
        .with_details(details(kind, name))
}

/// One fault of an object that fails validation.
pub(crate) struct Cause {
    pub(crate) reason: &'static str,
    pub(crate) field: String,
    pub(crate) message: String,
}

/// 422 for an object that fails validation.
pub(crate) fn invalid(kind: &Kind, name: &str, causes: &[Cause]) -> Refusal {
    let texts: Vec<String> = causes.iter().map(|c| format!("{}: {}", c.field, c.message)).collect();
    let text = if let [one] = texts.as_slice() { one.clone() } else { format!("[{}]", texts.join(", ")) };
    let title = if kind.group.is_empty() { kind.kind.to_owned() } else { format!("{}.{}", kind.kind, kind.group) };
    let mut details = json!({});
    if !name.is_empty() {
        details.put("name", name);
    }
    if !kind.group.is_empty() {
        details.put("group", kind.group);
    }
    details.put("kind", kind.kind);
    let list: Vec<Value> = causes.iter().map(|c| json!({"reason": c.reason, "message": c.message, "field": c.field})).collect();
    details.put("causes", list);
    refuse(422, "Invalid", format!("{title} \"{name}\" is invalid: {text}")).with_details(details)
}

/// 404 for a path nothing is served under.
pub(crate) fn no_such_resource() -> Refusal {
    refuse(404, "NotFound", "the server could not find the requested resource").with_details(json!({}))
}

/// 405 for a verb a path does not take.
pub(crate) fn method_not_allowed() -> Refusal {
    refuse(405, "MethodNotAllowed", "the server does not allow this method on the requested resource").with_details(json!({}))
}

/// 401 for a token nobody knows.
pub(crate) fn unauthorized() -> Refusal {
    refuse(401, "Unauthorized", "Unauthorized")
}

/// 400 with the given words.
pub(crate) fn bad_request(message: impl Into<String>) -> Refusal {
    refuse(400, "BadRequest", message)
}

/// 410 of a list or watch that starts too far back.
pub(crate) fn gone(message: impl Into<String>) -> Refusal {
    refuse(410, "Expired", message)
}
