//! Writing: create, update, patch, delete, each of them as a dry run too.

use std::sync::Arc;

use serde_json::{Value, json};

use super::apply::{self, Manager};
use super::auth::User;
use super::http::{self, Call, Reply};
use super::json::Json;
use super::kinds::{self, Kind};
use super::kube::{Target, body, check_place};
use super::render::{self, Form};
use super::status::{self, Cause, Refusal};
use super::store::{Key, Objects};
use super::world::World;
use super::{admission, controllers, defaults, patch as patches, validate};

/// What the query says about a write.
pub(crate) struct Options {
    pub(crate) dry: bool,
    strict: bool,
    force: bool,
    manager: String,
}

/// An object on its way into the store.
struct Draft {
    value: Value,
    /// What it replaces.
    before: Option<Arc<Value>>,
}

/// Reads the options of a write; `options_kind` is what their kind is called.
pub(crate) fn options(call: &Call, options_kind: &str) -> Result<Options, Refusal> {
    let dry = call.query.get("dryRun");
    if !matches!(dry, "" | "All") {
        let message = format!("Unsupported value: [\"{dry}\"]: supported values: \"All\"");
        return Err(bad_options(options_kind, "FieldValueNotSupported", "dryRun", &message));
    }
    let agent = call.header("user-agent").split(['/', ' ']).next().unwrap_or_default();
    let named = call.query.get("fieldManager");
    Ok(Options {
        dry: dry == "All",
        strict: call.query.get("fieldValidation") == "Strict",
        force: call.query.on("force"),
        manager: if named.is_empty() { agent } else { named }.to_owned(),
    })
}

/// 422 for a parameter of the request itself.
pub(crate) fn bad_options(kind: &str, reason: &'static str, field: &str, message: &str) -> Refusal {
    let text = format!("{kind}.meta.k8s.io \"\" is invalid: {field}: {message}");
    let causes = json!([{"reason": reason, "message": message, "field": field}]);
    status::refuse(422, "Invalid", text).with_details(json!({"group": "meta.k8s.io", "kind": kind, "causes": causes}))
}

/// POST to a collection.
pub(crate) fn create(world: &World, target: &Target, _user: &User, call: &Call) -> Result<Reply, Refusal> {
    let options = options(call, "CreateOptions")?;
    let mut value = decoded(target.kind, call)?;
    strictly(target.kind, &value, &options)?;
    check_place(&value, target)?;
    world.store.write(|objects| {
        let name = generated(objects, &mut value);
        value.cut("metadata/resourceVersion");
        value.cut("metadata/managedFields");
        if target.kind.kind != "Event" {
            value.cut("status");
        }
        let target = Target { name, ..target.copy() };
        let draft = prepare(objects, &target, value, None)?;
        let warnings = judge(objects, &target, &draft)?;
        let key = Key::new(target.id, &target.namespace, &target.name);
        if objects.get(&key).is_some() {
            return Err(status::already_exists(target.kind, &target.name));
        }
        let manager = Manager { name: options.manager.clone(), applies: false, subresource: String::new() };
        let stored = commit(objects, &target, draft, Some(&manager), options.dry);
        Ok(answer(201, &target, &stored, call, &warnings))
    })
}

/// PUT of an object.
pub(crate) fn update(world: &World, target: &Target, _user: &User, call: &Call) -> Result<Reply, Refusal> {
    let options = options(call, "UpdateOptions")?;
    if target.subresource == "scale" {
        let replicas = body(call)?.at("spec/replicas").clone();
        return scale(world, target, replicas, &options);
    }
    let value = decoded(target.kind, call)?;
    strictly(target.kind, &value, &options)?;
    check_place(&value, target)?;
    let manager = Manager { name: options.manager.clone(), applies: false, subresource: target.subresource.clone() };
    world.store.write(|objects| {
        let before = existing(objects, target)?;
        let version = value.text("metadata/resourceVersion");
        if !version.is_empty() && version != before.text("metadata/resourceVersion") {
            return Err(status::conflict(target.kind, &target.name));
        }
        let merged = with_subresource(&before, value, &target.subresource);
        let draft = prepare(objects, target, merged, Some(before))?;
        let warnings = judge(objects, target, &draft)?;
        let stored = commit(objects, target, draft, Some(&manager), options.dry);
        Ok(answer(200, target, &stored, call, &warnings))
    })
}

/// PATCH of an object in any of the four ways.
pub(crate) fn patch(world: &World, target: &Target, _user: &User, call: &Call) -> Result<Reply, Refusal> {
    let options = options(call, "PatchOptions")?;
    let way = call.header("content-type").split(';').next().unwrap_or_default().trim().to_owned();
    if way == "application/apply-patch+yaml" {
        return server_side_apply(world, target, call, &options);
    }
    let change: Value = match way.as_str() {
        "application/json-patch+json" => {
            serde_json::from_slice(&call.body).map_err(|e| status::bad_request(format!("error decoding patch: {e}")))?
        }
        "application/merge-patch+json" | "application/strategic-merge-patch+json" => body(call)?,
        _ => return Err(status::refuse(415, "UnsupportedMediaType", "415: Unsupported Media Type").with_details(json!({}))),
    };
    if target.subresource == "scale" {
        return scale(world, target, change.at("spec/replicas").clone(), &options);
    }
    let manager = Manager { name: options.manager.clone(), applies: false, subresource: target.subresource.clone() };
    world.store.write(|objects| {
        let before = existing(objects, target)?;
        let mut value = (*before).clone();
        match way.as_str() {
            "application/json-patch+json" => patches::json(&mut value, &change).map_err(|why| status::refuse(422, "Invalid", why))?,
            "application/merge-patch+json" => patches::merge(&mut value, &change),
            _ => patches::strategic(&mut value, &change),
        }
        strictly(target.kind, &value, &options)?;
        let version = change.text("metadata/resourceVersion");
        if !version.is_empty() && version != before.text("metadata/resourceVersion") {
            return Err(status::conflict(target.kind, &target.name));
        }
        let merged = with_subresource(&before, value, &target.subresource);
        let draft = prepare(objects, target, merged, Some(before))?;
        let warnings = judge(objects, target, &draft)?;
        let stored = commit(objects, target, draft, Some(&manager), options.dry);
        Ok(answer(200, target, &stored, call, &warnings))
    })
}

fn server_side_apply(world: &World, target: &Target, call: &Call, options: &Options) -> Result<Reply, Refusal> {
    if call.query.get("fieldManager").is_empty() {
        return Err(bad_options("PatchOptions", "FieldValueRequired", "fieldManager", "Required value: is required for apply patch"));
    }
    let config = body(call)?;
    check_place(&config, target)?;
    if let Some(field) = validate::unknown_fields(target.kind, &config).first() {
        let place =
            format!("{}/{}; {}, Kind={}", config.text("metadata/namespace"), target.name, target.kind.api_version(), target.kind.kind);
        let mut refusal =
            status::refuse(500, "", format!("failed to create typed patch object ({place}): .{field}: field not declared in schema"));
        refusal.body.cut("reason");
        return Err(refusal);
    }
    let manager = Manager { name: options.manager.clone(), applies: true, subresource: target.subresource.clone() };
    world.store.write(|objects| {
        let before = objects.get(&Key::new(target.id, &target.namespace, &target.name)).cloned();
        let mut value = apply::apply(before.as_deref(), &config, &manager, options.force)?;
        // the state of an applied object is never set from its configuration
        match before.as_deref().map(|b| b.at("status")).filter(|s| !s.is_null()) {
            Some(state) if target.subresource.is_empty() => value.put("status", state.clone()),
            _ => {}
        }
        let code = if before.is_some() { 200 } else { 201 };
        let draft = prepare(objects, target, value, before)?;
        let warnings = judge(objects, target, &draft)?;
        let stored = commit(objects, target, draft, None, options.dry);
        Ok(answer(code, target, &stored, call, &warnings))
    })
}

/// Scale of a workload: only the number of replicas.
fn scale(world: &World, target: &Target, replicas: Value, options: &Options) -> Result<Reply, Refusal> {
    world.store.write(|objects| {
        let before = existing(objects, target)?;
        let mut value = (*before).clone();
        value.put("spec/replicas", replicas);
        let manager = Manager { name: options.manager.clone(), applies: false, subresource: "scale".into() };
        let stored = commit(objects, target, Draft { value, before: Some(before) }, Some(&manager), options.dry);
        Ok(http::json(200, &scale_of(&stored)))
    })
}

/// The `Scale` of a workload.
pub(crate) fn scale_of(object: &Value) -> Value {
    json!({
        "kind": "Scale", "apiVersion": "autoscaling/v1",
        "metadata": {
            "name": object.text("metadata/name"), "namespace": object.text("metadata/namespace"), "uid": object.text("metadata/uid"),
            "resourceVersion": object.text("metadata/resourceVersion"), "creationTimestamp": object.text("metadata/creationTimestamp"),
        },
        "spec": {"replicas": object.at("spec/replicas")}, "status": {"replicas": object.at("status/replicas")},
    })
}

fn decoded(kind: &Kind, call: &Call) -> Result<Value, Refusal> {
    let value = body(call)?;
    let (sent_kind, sent_version) = (value.text("kind"), value.text("apiVersion"));
    if !sent_kind.is_empty() && (sent_kind != kind.kind || sent_version != kind.api_version()) {
        return Err(status::bad_request(format!(
            "{sent_kind} in version \"{sent_version}\" cannot be handled as a {}: converting ({}.{sent_kind}) to (core.{}): unknown conversion",
            kind.kind,
            sent_version.replace('/', "."),
            kind.kind
        )));
    }
    Ok(value)
}

fn undecodable(kind: &Kind, why: &str) -> Refusal {
    status::bad_request(format!("{} in version \"{}\" cannot be handled as a {}: {why}", kind.kind, kind.version, kind.kind))
}

fn strictly(kind: &Kind, value: &Value, options: &Options) -> Result<(), Refusal> {
    let unknown = if options.strict { validate::unknown_fields(kind, value) } else { Vec::new() };
    if unknown.is_empty() {
        return Ok(());
    }
    let list: Vec<String> = unknown.iter().map(|f| format!("unknown field \"{f}\"")).collect();
    Err(undecodable(kind, &format!("strict decoding error: {}", list.join(", "))))
}

/// The name of a new object, made up where only its beginning was given.
fn generated(objects: &mut Objects, value: &mut Value) -> String {
    let start = value.text("metadata/generateName").to_owned();
    if value.text("metadata/name").is_empty() && !start.is_empty() {
        let uid = objects.uid();
        value.put("metadata/name", format!("{start}{}", uid.split('-').next_back().unwrap_or_default().get(..5).unwrap_or("xxxxx")));
    }
    value.text("metadata/name").to_owned()
}

/// The object a write is about.
pub(crate) fn existing(objects: &Objects, target: &Target) -> Result<Arc<Value>, Refusal> {
    let found = objects.get(&Key::new(target.id, &target.namespace, &target.name)).cloned();
    found.ok_or_else(|| status::not_found(target.kind, &target.name))
}

/// A write of the object leaves its status alone, a write of the status everything else.
fn with_subresource(before: &Value, written: Value, subresource: &str) -> Value {
    if subresource == "status" {
        let mut value = before.clone();
        value.put("status", written.at("status").clone());
        return value;
    }
    let mut value = written;
    match before.at("status") {
        Value::Null => {
            value.cut("status");
        }
        state => value.put("status", state.clone()),
    }
    value
}

/// Defaults, identity and the mutating part of admission.
fn prepare(objects: &mut Objects, target: &Target, mut value: Value, before: Option<Arc<Value>>) -> Result<Draft, Refusal> {
    let (kind, namespace) = (target.kind, target.namespace.as_str());
    if kind.namespaced && objects.get(&Key::new(kinds::id("namespaces"), "", namespace)).is_none() {
        let (_, namespaces) = kinds::by_name("Namespace").ok_or_else(status::no_such_resource)?;
        return Err(status::not_found(namespaces, namespace));
    }
    let regex = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
    defaults::apply(kind, &mut value).ok().ok_or_else(|| undecodable(kind, regex))?;
    if before.is_none() {
        admission::mutate(objects, kind, namespace, &target.name, &mut value)?;
        controllers::newborn(objects, kind, &mut value);
    }
    let key = Key::new(target.id, namespace, &target.name);
    objects.identify(&key, &mut value, before.as_deref());
    Ok(Draft { value, before })
}

/// Validation and the judging part of admission.
fn judge(objects: &Objects, target: &Target, draft: &Draft) -> Result<Vec<String>, Refusal> {
    let causes: Vec<Cause> = validate::check(target.kind, &target.name, &draft.value);
    if !causes.is_empty() {
        return Err(status::invalid(target.kind, &target.name, &causes));
    }
    admission::validate(objects, target.kind, &target.namespace, &target.name, &draft.value, draft.before.as_deref())
}

/// Stores a draft, or in a dry run only shows what would be stored. Nothing is stored where nothing changed.
fn commit(objects: &mut Objects, target: &Target, draft: Draft, manager: Option<&Manager>, dry: bool) -> Arc<Value> {
    let Draft { mut value, before } = draft;
    if let Some(manager) = manager {
        apply::track(before.as_deref(), &mut value, manager);
    }
    let counted = !target.kind.group.is_empty() || target.kind.kind == "Pod";
    match before.as_deref() {
        None if counted => value.put("metadata/generation", 1),
        Some(old) if counted && old.at("spec") != value.at("spec") => {
            value.put("metadata/generation", old.at("metadata/generation").as_i64().unwrap_or(1) + 1);
        }
        _ => {}
    }
    let revision = before.as_deref().map(|b| b.at("metadata/resourceVersion").clone());
    if let Some(revision) = revision {
        value.put("metadata/resourceVersion", revision);
    }
    if dry {
        return Arc::new(value);
    }
    if let Some(before) = before.filter(|b| **b == value) {
        return before;
    }
    let created = !value.has("metadata/resourceVersion");
    let key = Key::new(target.id, &target.namespace, &target.name);
    let stored = objects.put(key.clone(), value);
    if created && target.kind.kind == "Namespace" {
        controllers::furnish(objects, &target.name);
    }
    controllers::settle(objects, target.kind, &target.namespace);
    // a controller may have filled in the status at once
    objects.get(&key).cloned().unwrap_or(stored)
}

fn answer(code: u16, target: &Target, object: &Value, call: &Call, warnings: &[String]) -> Reply {
    let mut reply = http::json(code, &render::one(target.kind, object, Form::of(call), true));
    for warning in warnings {
        http::set_header(&mut reply, "warning", &format!("299 - \"{}\"", warning.replace('"', "\\\"")));
    }
    reply
}

impl Target {
    fn copy(&self) -> Self {
        Self {
            id: self.id,
            kind: self.kind,
            namespace: self.namespace.clone(),
            name: self.name.clone(),
            subresource: self.subresource.clone(),
        }
    }
}
