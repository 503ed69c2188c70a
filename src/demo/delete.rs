//! Deleting, and what goes with what is deleted.

use std::sync::Arc;

use serde_json::{Value, json};

use super::http::{self, Call, Reply};
use super::json::Json;
use super::kinds::{self, Kind};
use super::kube::Target;
use super::render::{self, Form};
use super::selectors::Selection;
use super::status::Refusal;
use super::store::{Key, Objects};
use super::world::World;
use super::write::{existing, options};
use super::{clock, controllers};

/// DELETE of one object.
pub(crate) fn delete(world: &World, target: &Target, call: &Call) -> Result<Reply, Refusal> {
    let options = options(call, "DeleteOptions")?;
    world.store.write(|objects| {
        let before = existing(objects, target)?;
        if !options.dry {
            remove(objects, target.kind, &Key::new(target.id, &target.namespace, &target.name));
        }
        // what ends slowly in a real cluster is answered with itself
        if matches!(target.kind.kind, "Pod" | "Namespace") {
            let mut last = (*before).clone();
            last.put("metadata/deletionTimestamp", clock::now());
            if target.kind.kind == "Namespace" {
                last.put("status/phase", "Terminating");
            }
            return Ok(http::json(200, &last));
        }
        let mut details = json!({"name": target.name});
        if !target.kind.group.is_empty() {
            details.put("group", target.kind.group);
        }
        details.put("kind", target.kind.plural);
        details.put("uid", before.text("metadata/uid"));
        Ok(http::json(200, &json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details})))
    })
}

/// DELETE of a collection.
pub(crate) fn delete_all(world: &World, target: &Target, call: &Call) -> Result<Reply, Refusal> {
    let options = options(call, "DeleteOptions")?;
    let selection = Selection::parse(call.query.get("labelSelector"), call.query.get("fieldSelector"))?;
    world.store.write(|objects| {
        let found: Vec<(Key, Arc<Value>)> = objects
            .list(target.id, &target.namespace, None)
            .filter(|(_, o)| selection.matches(o))
            .map(|(k, o)| (k.clone(), Arc::clone(o)))
            .collect();
        for (key, _) in found.iter().filter(|_| !options.dry) {
            remove(objects, target.kind, key);
        }
        let metadata = json!({"resourceVersion": objects.revision().to_string()});
        let list = render::list(target.kind, found.iter().map(|(_, o)| &**o), Form::Plain, &metadata);
        Ok(http::full(200, "application/json", list))
    })
}

/// Removes an object and what hangs on it.
fn remove(objects: &mut Objects, kind: &Kind, key: &Key) {
    objects.remove(key);
    if kind.kind == "Namespace" {
        for (id, _) in kinds::KINDS.iter().enumerate().filter(|(_, k)| k.namespaced) {
            let inside: Vec<Key> = objects.list(id, &key.name, None).map(|(k, _)| k.clone()).collect();
            for key in inside {
                objects.remove(&key);
            }
        }
    } else {
        controllers::collect_orphans(objects, &key.namespace);
        controllers::settle(objects, kind, &key.namespace);
    }
}
