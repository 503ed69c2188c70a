//! Reading: list, get, logs.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use serde_json::{Value, json};

use super::http::{self, Call, Reply};
use super::json::Json;
use super::kube::Target;
use super::render::{self, Form};
use super::selectors::Selection;
use super::status::{self, Refusal};
use super::store::{Key, Objects};
use super::world::World;

/// Where the next page starts.
struct Cursor {
    revision: u64,
    after: Key,
}

/// One page of a list, or all of it.
pub(crate) async fn list(world: &World, target: &Target, call: &Call) -> Result<Reply, Refusal> {
    let (drip, garbage) = {
        let faults = world.faults();
        (faults.drip, faults.garbage_in_list.contains(target.kind.plural))
    };
    if !drip.is_zero() {
        tokio::time::sleep(drip).await;
    }
    let selection = Selection::parse(call.query.get("labelSelector"), call.query.get("fieldSelector"))?;
    let limit = call.query.get("limit").parse().ok().filter(|n| *n > 0).unwrap_or(usize::MAX);
    let (objects, metadata) = page(&world.store.lock(), target, call, &selection, limit)?;
    let odd = garbage.then(|| json!({"metadata": {"name": 17, "namespace": {}, "labels": ["x"]}, "spec": "none", "status": 7}));
    let all = objects.iter().map(|o| &**o).chain(odd.as_ref());
    Ok(http::full(200, "application/json", render::list(target.kind, all, Form::of(call), &metadata)))
}

/// The objects of a page and the metadata of the list.
fn page(objects: &Objects, target: &Target, call: &Call, selection: &Selection, limit: usize) -> Result<(Vec<Arc<Value>>, Value), Refusal> {
    let token = call.query.get("continue");
    let cursor = if token.is_empty() { None } else { Some(resume(objects, target, token)?) };
    let revision = cursor.as_ref().map_or_else(|| objects.revision(), |c| c.revision);
    let mut metadata = json!({"resourceVersion": revision.to_string()});
    let mut chosen: Vec<(&Key, &Arc<Value>)> = Vec::new();
    let mut rest =
        objects.list(target.id, &target.namespace, cursor.as_ref().map(|c| &c.after)).filter(|(_, object)| selection.matches(object));
    while chosen.len() < limit
        && let Some(next) = rest.next()
    {
        chosen.push(next);
    }
    let remaining = if limit == usize::MAX { 0 } else { rest.count() };
    if let Some((last, _)) = chosen.last().filter(|_| remaining > 0) {
        metadata.put("continue", token_for(revision, last));
        // the real server cannot tell how many are left when something is filtered out
        if selection.is_everything() {
            metadata.put("remainingItemCount", remaining);
        }
    }
    Ok((chosen.into_iter().map(|(_, object)| Arc::clone(object)).collect(), metadata))
}

fn token_for(revision: u64, after: &Key) -> String {
    let start = format!("{}\u{0}{}", after.namespace, after.name);
    B64.encode(json!({"v": "meta.k8s.io/v1", "rv": revision, "start": start}).to_string())
}

fn resume(objects: &Objects, target: &Target, token: &str) -> Result<Cursor, Refusal> {
    let invalid = || status::bad_request("invalid continue token: continue key is not valid: illegal base64 data");
    let bytes = B64.decode(token).ok().ok_or_else(invalid)?;
    let value: Value = serde_json::from_slice(&bytes).ok().ok_or_else(invalid)?;
    let revision = value.at("rv").as_u64().ok_or_else(invalid)?;
    let (namespace, name) = value.text("start").split_once('\u{0}').ok_or_else(invalid)?;
    if objects.since(target.id, revision).is_err() {
        return Err(status::gone(
            "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.",
        ));
    }
    Ok(Cursor { revision, after: Key::new(target.id, namespace, name) })
}

/// One object.
pub(crate) fn get(world: &World, target: &Target, call: &Call) -> Result<Reply, Refusal> {
    let found = world.store.lock().get(&Key::new(target.id, &target.namespace, &target.name)).cloned();
    let object = found.ok_or_else(|| status::not_found(target.kind, &target.name))?;
    if target.subresource == "scale" {
        return Ok(http::json(200, &super::write::scale_of(&object)));
    }
    Ok(http::json(200, &render::one(target.kind, &object, Form::of(call), true)))
}

/// What a simulated container said.
pub(crate) fn log(world: &World, target: &Target, call: &Call) -> Result<Reply, Refusal> {
    let found = world.store.lock().get(&Key::new(target.id, &target.namespace, &target.name)).cloned();
    let pod = found.ok_or_else(|| status::not_found(target.kind, &target.name))?;
    let wanted = call.query.get("container");
    let containers = pod.items("spec/containers");
    if !wanted.is_empty() && !containers.iter().any(|c| c.text("name") == wanted) {
        return Err(status::bad_request(format!("container {wanted} is not valid for pod {}", target.name)));
    }
    let text = format!("{} is a simulated container and has nothing to say\n", target.name);
    Ok(http::full(200, "text/plain", text))
}
