//! The simulated Vault: from a call to the code that answers it. It imitates OpenBao.

pub(crate) mod acl;
mod auth;
mod hcl;
pub(crate) mod identity;
mod kv;
pub(crate) mod state;
mod sys;
mod template;

use std::sync::Arc;

use hyper::Method;
use serde_json::{Value, json};

use self::acl::Operation;
use self::state::{Token, Vault};
use super::faults::VaultFault;
use super::http::{self, Call, Reply};
use super::json::Json;
use super::world::World;

/// An answer that is not data: a code and the error texts.
pub(crate) struct Failure {
    code: u16,
    errors: Vec<String>,
}

/// What a successful request answers with.
pub(crate) enum Outcome {
    /// `data` of the usual envelope.
    Data(Value),
    /// `data`, repeated at the top level as old system paths do.
    Flat(Value),
    /// `auth` of the usual envelope.
    Auth(Value),
    /// A body of its own, with its code.
    Bare(u16, Value),
    /// 204.
    Nothing,
}

/// A request with its path below `/v1/`.
pub(crate) struct Ask<'a> {
    pub(crate) path: &'a str,
    pub(crate) operation: Operation,
    pub(crate) call: &'a Call,
    pub(crate) body: Value,
}

pub(crate) fn failure(code: u16, text: impl Into<String>) -> Failure {
    Failure { code, errors: vec![text.into()] }
}

/// 404 for something that is not there.
pub(crate) fn absent() -> Failure {
    Failure { code: 404, errors: Vec::new() }
}

/// 403 of the access control list.
pub(crate) fn denied() -> Failure {
    failure(403, "1 error occurred:\n\t* permission denied\n\n")
}

/// 405 for a verb a path does not take.
pub(crate) fn unsupported_operation() -> Failure {
    failure(405, "1 error occurred:\n\t* unsupported operation\n\n")
}

/// 404 for a system path nobody knows.
pub(crate) fn unsupported_path() -> Failure {
    failure(404, "1 error occurred:\n\t* unsupported path\n\n")
}

/// Answers one call.
pub(crate) async fn answer(world: Arc<World>, call: Call) -> Reply {
    let fault = world.faults().vault;
    if fault == VaultFault::Unreachable {
        let page = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n";
        return http::full(502, "text/html", page);
    }
    let Some(path) = call.path.strip_prefix("/v1/").map(|p| p.trim_start_matches('/').to_owned()) else {
        return http::json(404, &json!({"errors": []}));
    };
    match respond(&world, &call, &path, fault) {
        Ok(outcome) => written(&world, outcome),
        Err(failure) => http::json(failure.code, &json!({"errors": failure.errors})),
    }
}

fn respond(world: &World, call: &Call, path: &str, fault: VaultFault) -> Result<Outcome, Failure> {
    let body: Value = serde_json::from_slice(&call.body).unwrap_or_default();
    let operation = operation(call, path).ok_or_else(|| Failure { code: 405, errors: Vec::new() })?;
    let ask = Ask { path: path.trim_end_matches('/'), operation, call, body };
    let sealed = fault == VaultFault::Sealed || world.vault().sealed;
    match ask.path {
        "sys/health" => return sys::health(world, &ask, sealed, fault == VaultFault::Standby),
        "sys/seal-status" => return Ok(sys::seal_status(world, sealed)),
        "sys/unseal" if operation == Operation::Update => {
            // any key opens a simulated seal
            world.vault().sealed = false;
            return Ok(sys::seal_status(world, fault == VaultFault::Sealed));
        }
        _ if sealed => return Err(failure(503, "Vault is sealed")),
        "sys/leader" => return Ok(Outcome::Bare(200, json!({"ha_enabled": false}))),
        _ => {}
    }
    if let Some((mount, "login")) = ask.path.strip_prefix("auth/").and_then(|p| p.split_once('/')) {
        return auth::login(world, mount, &ask);
    }
    let mut vault = world.vault();
    let token = present_token(&mut vault, call).ok_or_else(|| failure(403, "permission denied"))?;
    let slashed = if operation == Operation::List { format!("{}/", ask.path) } else { path.to_owned() };
    // which mount a path lies in is told to anyone with a token
    let about_mounts = ask.path.starts_with("sys/internal/ui/mounts/");
    if fault == VaultFault::Denied || !(about_mounts || vault.allows(&token, &slashed, &ask)) {
        return Err(denied());
    }
    match ask.path.split_once('/').map_or((ask.path, ""), |split| split) {
        ("sys", rest) => sys::answer(&mut vault, &token, rest, &ask),
        ("auth", rest) => auth::answer(&mut vault, &token, rest, &ask),
        ("secret", rest) => kv::answer(&mut vault, rest, &ask),
        ("identity", rest) => identity::answer(&mut vault, rest, &ask),
        _ => Err(failure(404, format!("no handler for route \"{}\". route entry not found.", ask.path))),
    }
}

fn operation(call: &Call, path: &str) -> Option<Operation> {
    match call.method.as_str() {
        "LIST" => Some(Operation::List),
        "SCAN" => Some(Operation::Scan),
        "GET" if call.query.on("list") => Some(Operation::List),
        "GET" => Some(Operation::Read),
        // whether a write creates or updates is decided where the thing would be
        "POST" | "PUT" if path.starts_with("secret/") => Some(Operation::Write),
        "POST" | "PUT" => Some(Operation::Update),
        "DELETE" => Some(Operation::Delete),
        "PATCH" => Some(Operation::Patch),
        _ if call.method == Method::HEAD => None,
        _ => None,
    }
}

fn present_token(vault: &mut Vault, call: &Call) -> Option<Token> {
    let header = call.header("x-vault-token");
    let text = if header.is_empty() { call.header("authorization").strip_prefix("Bearer ").unwrap_or_default() } else { header };
    vault.use_token(text)
}

fn written(world: &World, outcome: Outcome) -> Reply {
    let request_id = world.vault().uuid();
    let envelope = |data: Value, auth: Value| {
        json!({
            "request_id": request_id, "lease_id": "", "renewable": false, "lease_duration": 0, "data": data,
            "wrap_info": null, "warnings": null, "auth": auth,
        })
    };
    match outcome {
        Outcome::Data(data) => http::json(200, &envelope(data, Value::Null)),
        Outcome::Auth(auth) => http::json(200, &envelope(Value::Null, auth)),
        Outcome::Flat(data) => {
            let mut body = data.clone();
            for (key, value) in envelope(data, Value::Null).as_object().into_iter().flatten() {
                super::json::object(&mut body).insert(key.clone(), value.clone());
            }
            http::json(200, &body)
        }
        Outcome::Bare(code, value) => http::json(code, &value),
        Outcome::Nothing => http::full(204, "application/json", ""),
    }
}

/// The keys of an answered list; an empty one is 404.
pub(crate) fn keys(list: &[String]) -> Result<Outcome, Failure> {
    if list.is_empty() { Err(absent()) } else { Ok(Outcome::Data(json!({"keys": list}))) }
}

/// The texts of a field that is a list, or a text with commas.
pub(crate) fn texts(body: &Value, field: &str) -> Option<Vec<String>> {
    match body.at(field) {
        Value::Array(list) => Some(list.iter().filter_map(Value::as_str).map(str::to_owned).collect()),
        Value::String(text) => Some(text.split(',').map(str::trim).filter(|t| !t.is_empty()).map(str::to_owned).collect()),
        _ => None,
    }
}
