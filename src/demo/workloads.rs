//! The control loop of workloads: deployments make replica sets, replica sets make pods, pods start to run.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::json::{Json, object};
use super::kinds::{self, Kind};
use super::status::Refusal;
use super::store::{Key, Objects};
use super::world::World;
use super::{admission, clock, controllers, defaults};

/// How long the loop takes to notice something.
const LAG: Duration = Duration::from_millis(250);
const WATCHED: [&str; 3] = ["pods", "replicasets", "deployments"];

/// Reconciles every namespace in which a workload changed, until the world stops.
pub(crate) async fn run(world: Arc<World>) {
    let mut news = world.store.subscribe();
    let mut seen = world.store.lock().revision();
    loop {
        tokio::select! {
            () = world.stop.cancelled() => return,
            changed = news.changed() => if changed.is_err() { return },
        }
        tokio::time::sleep(LAG).await;
        news.mark_unchanged();
        let touched = touched(&world, &mut seen);
        if touched.is_empty() {
            continue;
        }
        world.store.write(|objects| {
            for namespace in &touched {
                reconcile(objects, namespace);
            }
            // its own changes need no second look
            seen = objects.revision();
        });
    }
}

fn touched(world: &World, seen: &mut u64) -> BTreeSet<String> {
    let objects = world.store.lock();
    let mut namespaces = BTreeSet::new();
    for plural in WATCHED {
        if let Ok((_, changes)) = objects.since(kinds::id(plural), *seen) {
            namespaces.extend(changes.into_iter().map(|c| c.key.namespace));
        }
    }
    *seen = objects.revision();
    namespaces
}

fn all(objects: &Objects, plural: &str, namespace: &str) -> Vec<Value> {
    objects.list(kinds::id(plural), namespace, None).map(|(_, o)| (**o).clone()).collect()
}

fn reconcile(objects: &mut Objects, namespace: &str) {
    for deployment in all(objects, "deployments", namespace) {
        replica_set(objects, namespace, &deployment);
    }
    for set in all(objects, "replicasets", namespace) {
        pods(objects, namespace, &set);
    }
    for pod in all(objects, "pods", namespace).into_iter().filter(|p| p.text("status/podIP").is_empty()) {
        start(objects, namespace, pod);
    }
    for plural in ["replicasets", "deployments"] {
        for owner in all(objects, plural, namespace) {
            count(objects, plural, namespace, owner);
        }
    }
    controllers::all_endpoints(objects, namespace);
    admission::quota::refresh(objects, namespace);
}

fn owned_by(object: &Value, owner: &Value) -> bool {
    object.items("metadata/ownerReferences").iter().any(|r| r.text("uid") == owner.text("metadata/uid"))
}

fn owner_of(owner: &Value) -> Value {
    json!([{
        "apiVersion": owner.text("apiVersion"), "kind": owner.text("kind"), "name": owner.text("metadata/name"),
        "uid": owner.text("metadata/uid"), "controller": true, "blockOwnerDeletion": true,
    }])
}

fn letters(objects: &mut Objects, length: usize) -> String {
    let alphabet = b"bcdfghjklmnpqrstvwxz2456789";
    let uid = objects.uid();
    let pick = |b: u8| alphabet.get(usize::from(b.wrapping_mul(31)) % alphabet.len()).map_or('x', |l| char::from(*l));
    uid.bytes().filter(|b| *b != b'-').map(pick).take(length).collect()
}

/// The template of an owner without what tells replica sets apart.
fn comparable(owner: &Value) -> Value {
    let mut template = owner.at("spec/template").clone();
    template.cut("metadata/labels/pod-template-hash");
    template
}

/// Makes the replica set of a deployment, or gives it the number it should have.
fn replica_set(objects: &mut Objects, namespace: &str, deployment: &Value) {
    let template = comparable(deployment);
    let sets: Vec<Value> = all(objects, "replicasets", namespace).into_iter().filter(|s| owned_by(s, deployment)).collect();
    let current = sets.iter().position(|s| comparable(s) == template);
    for (n, mut set) in sets.into_iter().enumerate() {
        let wanted = if Some(n) == current { deployment.at("spec/replicas").clone() } else { json!(0) };
        if *set.at("spec/replicas") != wanted {
            set.put("spec/replicas", wanted);
            let key = Key::new(kinds::id("replicasets"), namespace, set.text("metadata/name"));
            objects.put(key, set);
        }
    }
    if current.is_some() {
        return;
    }
    let hash = letters(objects, 10);
    let name = format!("{}-{hash}", deployment.text("metadata/name"));
    let mut labels = deployment.at("spec/template/metadata/labels").clone();
    object(&mut labels).insert("pod-template-hash".into(), hash.into());
    let mut template = deployment.at("spec/template").clone();
    template.put("metadata/labels", labels.clone());
    let set = json!({
        "metadata": {"labels": labels, "ownerReferences": owner_of(deployment), "generation": 1},
        "spec": {"replicas": deployment.at("spec/replicas"), "selector": {"matchLabels": labels}, "template": template},
        "status": {"replicas": 0},
    });
    objects.put(Key::new(kinds::id("replicasets"), namespace, &name), set);
}

/// Creates or removes pods until a replica set has as many as it should, as far as admission lets it.
fn pods(objects: &mut Objects, namespace: &str, set: &Value) {
    let wanted = set.at("spec/replicas").as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or(1).min(100);
    let have: Vec<Key> =
        objects.list(kinds::id("pods"), namespace, None).filter(|(_, p)| owned_by(p, set)).map(|(k, _)| k.clone()).collect();
    for key in have.iter().skip(wanted) {
        objects.remove(key);
        admission::quota::refresh(objects, namespace);
    }
    for _ in have.len()..wanted {
        if let Err(refusal) = create_pod(objects, namespace, set) {
            let message = format!("Error creating: {}", refusal.message());
            controllers::happened(objects, &controllers::reference(set), "FailedCreate", &message);
            return;
        }
    }
}

/// Creates one pod of a replica set, if it is admitted.
pub(crate) fn create_pod(objects: &mut Objects, namespace: &str, set: &Value) -> Result<String, Refusal> {
    let Some((id, kind)) = kinds::by_name("Pod") else { return Ok(String::new()) };
    let name = format!("{}-{}", set.text("metadata/name"), letters(objects, 5));
    let mut pod = json!({
        "metadata": {
            "generateName": format!("{}-", set.text("metadata/name")), "labels": set.at("spec/template/metadata/labels"),
            "ownerReferences": owner_of(set), "generation": 1,
        },
        "spec": set.at("spec/template/spec"),
    });
    // the template was defaulted when it was stored
    let _ = defaults::apply(kind, &mut pod);
    admit(objects, kind, namespace, &name, &mut pod)?;
    controllers::newborn(objects, kind, &mut pod);
    objects.put(Key::new(id, namespace, &name), pod);
    admission::quota::refresh(objects, namespace);
    Ok(name)
}

fn admit(objects: &Objects, kind: &Kind, namespace: &str, name: &str, pod: &mut Value) -> Result<(), Refusal> {
    admission::mutate(objects, kind, namespace, name, pod)?;
    admission::validate(objects, kind, namespace, name, pod, None).map(|_| ())
}

/// Gives a pod a node and an address, and lets it run.
fn start(objects: &mut Objects, namespace: &str, mut pod: Value) {
    let taken: BTreeSet<String> =
        objects.list(kinds::id("pods"), "", None).map(|(_, p)| p.text("status/podIP").to_owned()).filter(|ip| !ip.is_empty()).collect();
    let free = (0..u8::MAX).rev().flat_map(|a| (4..250).map(move |b| format!("10.244.{a}.{b}"))).find(|ip| !taken.contains(ip));
    let Some(ip) = free else { return };
    if pod.text("spec/nodeName").is_empty() {
        pod.put("spec/nodeName", "node-a");
    }
    controllers::running(&mut pod, &ip, &clock::now(), 0);
    let key = Key::new(kinds::id("pods"), namespace, pod.text("metadata/name"));
    objects.put(key, pod);
}

/// Brings the numbers in the status of an owner of pods up to date.
fn count(objects: &mut Objects, plural: &str, namespace: &str, mut owner: Value) {
    let sets: Vec<Value> = if plural == "deployments" {
        all(objects, "replicasets", namespace).into_iter().filter(|s| owned_by(s, &owner)).collect()
    } else {
        vec![owner.clone()]
    };
    let pods: Vec<Value> = all(objects, "pods", namespace).into_iter().filter(|p| sets.iter().any(|s| owned_by(p, s))).collect();
    let ready = pods.iter().filter(|p| controllers::is_ready(p)).count();
    let wanted = owner.at("spec/replicas").as_u64().unwrap_or(1);
    let before = owner.clone();
    for (field, number) in [("replicas", pods.len()), ("readyReplicas", ready), ("availableReplicas", ready)] {
        owner.put(&format!("status/{field}"), number);
    }
    owner.put("status/observedGeneration", owner.at("metadata/generation").clone());
    if plural == "deployments" {
        owner.put("status/updatedReplicas", pods.len());
        match wanted.saturating_sub(ready as u64) {
            0 => {
                owner.cut("status/unavailableReplicas");
            }
            missing => owner.put("status/unavailableReplicas", missing),
        }
    }
    if owner != before {
        let key = Key::new(kinds::id(plural), namespace, owner.text("metadata/name"));
        objects.put(key, owner);
    }
}
