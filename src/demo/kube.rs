//! The simulated Kubernetes API server: from a call to the code that answers it.

use std::sync::Arc;

use hyper::Method;
use serde_json::{Value, json};

use super::auth::{self, Ask, User};
use super::grants;
use super::http::{self, Call, Reply};
use super::json::Json;
use super::kinds::{self, Kind, KindId};
use super::status::{self, Refusal};
use super::world::World;
use super::{delete, discovery, exec, openapi, read, reviews, watch, write};

/// A request for objects of a known kind.
pub(crate) struct Target {
    pub(crate) id: KindId,
    pub(crate) kind: &'static Kind,
    pub(crate) namespace: String,
    /// Empty for the whole collection.
    pub(crate) name: String,
    pub(crate) subresource: String,
}

/// Version of the API this server imitates.
pub(crate) const VERSION: &str = "v1.36.2-simulated";

/// Answers one call.
pub(crate) async fn answer(world: Arc<World>, call: Call) -> Reply {
    match respond(&world, call).await {
        Ok(reply) => reply,
        Err(refusal) => http::error(&refusal),
    }
}

async fn respond(world: &Arc<World>, call: Call) -> Result<Reply, Refusal> {
    throttle(world)?;
    let user = auth::authenticate(world, &call)?;
    let parts = call.parts();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    match parts.as_slice() {
        ["version"] => return Ok(http::json(200, &version())),
        ["livez" | "readyz" | "healthz", ..] => return Ok(http::full(200, "text/plain; charset=utf-8", "ok")),
        _ => {}
    }
    match parts.as_slice() {
        ["openapi", "v3", rest @ ..] => openapi::answer(rest).ok_or_else(status::no_such_resource),
        ["api"] => Ok(discovery::core(call.header("accept"))),
        ["apis"] => Ok(discovery::groups(call.header("accept"))),
        ["api", "v1"] => Ok(discovery::resources("", "v1")),
        ["apis", group] => discovery::group(group).ok_or_else(status::no_such_resource),
        ["apis", group, version] if discovery::is_served(group, version) => Ok(discovery::resources(group, version)),
        ["api", version @ "v1", rest @ ..] => resource(world, &user, ("", version), rest, call).await,
        ["apis", group, version, rest @ ..] => resource(world, &user, (group, version), rest, call).await,
        _ => Ok(page_not_found()),
    }
}

/// What the server says under paths no API group owns.
fn page_not_found() -> Reply {
    http::full(404, "text/plain; charset=utf-8", "404 page not found\n")
}

fn version() -> Value {
    json!({
        "major": "1", "minor": "36", "emulationMajor": "1", "emulationMinor": "36", "minCompatibilityMajor": "1",
        "minCompatibilityMinor": "35", "gitVersion": VERSION, "gitCommit": "", "gitTreeState": "clean",
        "buildDate": "2026-11-01T00:00:00Z", "goVersion": "none", "compiler": "partywall demo", "platform": "simulated",
    })
}

fn throttle(world: &World) -> Result<(), Refusal> {
    let mut faults = world.faults();
    if faults.throttle == 0 {
        return Ok(());
    }
    faults.throttle -= 1;
    let mut refusal = status::refuse(429, "TooManyRequests", "Too many requests, please try again later.");
    refusal.retry_after = Some(1);
    Err(refusal)
}

async fn resource(world: &Arc<World>, user: &User, api: (&str, &str), rest: &[&str], call: Call) -> Result<Reply, Refusal> {
    let (namespace, rest) = match rest {
        // a subresource of the namespace itself, not something inside it
        ["namespaces", _, "status" | "finalize"] => ("", rest),
        ["namespaces", namespace, rest @ ..] if !rest.is_empty() => (*namespace, rest),
        rest => ("", rest),
    };
    let [plural, rest @ ..] = rest else { return Err(status::no_such_resource()) };
    let name = rest.first().copied().unwrap_or_default();
    let subresource = rest.get(1).copied().unwrap_or_default();
    let scope = if *plural == "namespaces" && api.0.is_empty() { name } else { namespace };
    let ask = Ask { verb: verb(&call, name, subresource), group: api.0, resource: plural, subresource, namespace: scope, name };
    if !auth::allowed(user, &ask) {
        return Err(auth::denial(user, &ask));
    }
    if reviews::is_review(api.0, plural) {
        return reviews::answer(world, user, api, plural, namespace, &call);
    }
    let Some((id, kind)) = kinds::by_path(api.0, api.1, plural) else {
        return if kinds::served(api.0, api.1) { Err(status::no_such_resource()) } else { Ok(page_not_found()) };
    };
    if world.faults().forbidden.contains(kind.plural) {
        return Err(auth::denial(user, &ask));
    }
    let target = Target { id, kind, namespace: namespace.to_owned(), name: name.to_owned(), subresource: subresource.to_owned() };
    dispatch(world, target, user, call).await
}

/// The verb the authoriser sees.
fn verb(call: &Call, name: &str, subresource: &str) -> &'static str {
    match (&call.method, name.is_empty()) {
        // since 1.35 opening a session needs "create", however it is opened
        _ if subresource == "exec" => "create",
        (&Method::GET, true) if call.query.on("watch") => "watch",
        (&Method::GET, true) => "list",
        (&Method::GET, false) => "get",
        (&Method::PUT, _) => "update",
        (&Method::PATCH, _) => "patch",
        (&Method::DELETE, true) => "deletecollection",
        (&Method::DELETE, false) => "delete",
        _ => "create",
    }
}

async fn dispatch(world: &Arc<World>, target: Target, user: &User, call: Call) -> Result<Reply, Refusal> {
    let sub = target.subresource.as_str();
    if !sub.is_empty() && !target.kind.subresources.contains(&sub) {
        return Err(status::no_such_resource());
    }
    match (&call.method, target.name.is_empty(), sub) {
        // what is written here would be served, and nobody would go by it
        (method, ..) if target.kind.group == grants::GROUP && method != Method::GET => Err(status::method_not_allowed()),
        (&Method::GET | &Method::POST, false, "exec") => exec::answer(world, &target, call),
        (&Method::POST, false, "token") => reviews::token_request(world, &target, &call),
        (&Method::GET, false, "log") => read::log(world, &target, &call),
        (&Method::GET, true, _) if call.query.on("watch") => watch::answer(world, &target, &call),
        (&Method::GET, true, _) => read::list(world, &target, &call).await,
        (&Method::GET, false, _) => read::get(world, &target, &call),
        (&Method::POST, true, "") => write::create(world, &target, user, &call),
        (&Method::PUT, false, _) => write::update(world, &target, user, &call),
        (&Method::PATCH, false, _) => write::patch(world, &target, user, &call),
        (&Method::DELETE, false, "") => delete::delete(world, &target, &call),
        (&Method::DELETE, true, "") => delete::delete_all(world, &target, &call),
        _ => Err(status::method_not_allowed()),
    }
}

/// The body of a request as JSON: JSON, YAML or (for reviews) protobuf.
pub(crate) fn body(call: &Call) -> Result<Value, Refusal> {
    let kind = call.header("content-type");
    if kind.contains("protobuf") || call.body.starts_with(b"k8s\0") {
        return super::protobuf::read(&call.body).ok_or_else(|| {
            let text =
                "the body of the request was in an unknown format - accepted media types include: application/json, application/yaml";
            status::refuse(415, "UnsupportedMediaType", text)
        });
    }
    if let Ok(value) = serde_json::from_slice(&call.body) {
        return Ok(value);
    }
    let yaml = kind.contains("yaml") || kind.contains("apply-patch");
    let parsed = if yaml { serde_saphyr::from_slice::<Value>(&call.body).ok() } else { None };
    parsed.filter(Value::is_object).ok_or_else(|| status::bad_request("couldn't get version/kind; json parse error: invalid body"))
}

/// Whether two texts of an object agree with the path it was sent to.
pub(crate) fn check_place(value: &Value, target: &Target) -> Result<(), Refusal> {
    let namespace = value.text("metadata/namespace");
    if target.kind.namespaced && !namespace.is_empty() && namespace != target.namespace {
        return Err(status::bad_request("the namespace of the provided object does not match the namespace sent on the request"));
    }
    let name = value.text("metadata/name");
    if !target.name.is_empty() && !name.is_empty() && name != target.name {
        return Err(status::bad_request(format!("the name of the object ({name}) does not match the name on the URL ({})", target.name)));
    }
    Ok(())
}
