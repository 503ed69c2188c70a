//! The slow script of changes: something plausible every few seconds, the same for the same seed.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::json::Json;
use super::kinds;
use super::store::{Key, Objects};
use super::world::World;
use super::{admission, apply, clock, controllers, scenario, workloads};

/// Between two changes.
const SHORTEST: u64 = 2_500;
const LONGEST: u64 = 6_500;

/// What the script may do; each is a step that finds its own place.
#[derive(Clone, Copy)]
enum Step {
    /// A container crashes and starts again.
    Restart,
    /// One replica more or less, so that quota usage moves.
    Scale,
    /// Somebody deletes a policy at a shell.
    DropPolicy,
    /// Somebody brings it back.
    RestorePolicy,
    /// A rollout that does not fit tries again.
    RetryRollout,
    /// A secret is synchronised again.
    Sync,
}

/// The order of things; the place of each is drawn.
const STEPS: [Step; 10] = [
    Step::Restart,
    Step::Scale,
    Step::RetryRollout,
    Step::Sync,
    Step::DropPolicy,
    Step::Restart,
    Step::RestorePolicy,
    Step::Scale,
    Step::RetryRollout,
    Step::Sync,
];

/// Plays the script until the world stops.
pub(crate) async fn run(world: Arc<World>) {
    let mut player = Player { rng: fastrand::Rng::with_seed(world.seed ^ 0x0005_c21b), dropped: Vec::new() };
    for step in STEPS.iter().cycle() {
        let pause = Duration::from_millis(player.rng.u64(SHORTEST..LONGEST));
        tokio::select! {
            () = world.stop.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
        world.store.write(|objects| player.play(objects, *step));
    }
}

struct Player {
    rng: fastrand::Rng,
    /// Policies that were deleted and are to come back.
    dropped: Vec<(Key, Value)>,
}

/// Whether the script may touch a namespace: tenants', but not those of the walkthrough.
fn is_playground(namespace: &str) -> bool {
    namespace.contains("tenant-") && !scenario::is_showcase(namespace)
}

impl Player {
    fn play(&mut self, objects: &mut Objects, step: Step) {
        match step {
            Step::Restart => self.restart(objects),
            Step::Scale => self.scale(objects),
            Step::DropPolicy => self.drop_policy(objects),
            Step::RestorePolicy => self.restore_policy(objects),
            Step::RetryRollout => retry_rollout(objects),
            Step::Sync => self.sync(objects),
        }
    }

    /// One object of a kind in the playground.
    fn pick(&mut self, objects: &Objects, plural: &str, fit: impl Fn(&Value) -> bool) -> Option<(Key, Value)> {
        let list: Vec<(&Key, &Arc<Value>)> =
            objects.list(kinds::id(plural), "", None).filter(|(k, o)| is_playground(&k.namespace) && fit(o)).collect();
        let (key, object) = list.get(self.rng.usize(..list.len().max(1)))?;
        Some(((*key).clone(), (***object).clone()))
    }

    fn restart(&mut self, objects: &mut Objects) {
        let Some((key, mut pod)) = self.pick(objects, "pods", controllers::is_ready) else { return };
        let now = clock::now();
        for status in pod.slot("status/containerStatuses").as_array_mut().into_iter().flatten().take(1) {
            let count = status.at("restartCount").as_i64().unwrap_or_default();
            let since = status.text("state/running/startedAt").to_owned();
            status.put("restartCount", count + 1);
            status.put("lastState", json!({"terminated": {"exitCode": 137, "reason": "OOMKilled", "startedAt": since, "finishedAt": now}}));
            status.put("state", json!({"running": {"startedAt": now}}));
        }
        let about = controllers::reference(&pod);
        objects.put(key.clone(), pod);
        controllers::happened(objects, &about, "BackOff", "Back-off restarting failed container");
        controllers::all_endpoints(objects, &key.namespace);
    }

    fn scale(&mut self, objects: &mut Objects) {
        let small = |d: &Value| d.at("spec/replicas").as_i64().is_some_and(|n| (1..=2).contains(&n));
        let Some((key, mut deployment)) = self.pick(objects, "deployments", small) else { return };
        let replicas = deployment.at("spec/replicas").as_i64().unwrap_or(1);
        let before = deployment.clone();
        deployment.put("spec/replicas", if replicas == 1 { 2 } else { 1 });
        let manager = apply::Manager { name: "horizontal-pod-autoscaler".into(), applies: false, subresource: "scale".into() };
        apply::track(Some(&before), &mut deployment, &manager);
        objects.put(key, deployment);
    }

    fn drop_policy(&mut self, objects: &mut Objects) {
        let walls = |p: &Value| p.text("metadata/name") == "default-deny";
        let Some((key, policy)) = self.pick(objects, "networkpolicies", walls) else { return };
        objects.remove(&key);
        self.dropped.push((key, policy));
    }

    fn restore_policy(&mut self, objects: &mut Objects) {
        let Some((key, mut policy)) = self.dropped.pop() else { return };
        let home = Key::new(kinds::id("namespaces"), "", &key.namespace);
        // somebody else may have brought it back, or removed the whole tenant
        if objects.get(&key).is_some() || objects.get(&home).is_none() {
            return;
        }
        for field in ["metadata/uid", "metadata/resourceVersion", "metadata/creationTimestamp", "metadata/managedFields"] {
            policy.cut(field);
        }
        let manager = apply::Manager { name: "kubectl".into(), applies: false, subresource: String::new() };
        policy.put("apiVersion", "networking.k8s.io/v1");
        apply::track(None, &mut policy, &manager);
        objects.put(key, policy);
    }

    fn sync(&mut self, objects: &mut Objects) {
        let Some((key, mut secret)) = self.pick(objects, "externalsecrets", |_| true) else { return };
        secret.put("status/refreshTime", clock::now());
        objects.put(key, secret);
    }
}

/// Lets every replica set that lacks pods try again, and counts the refusal in its event.
fn retry_rollout(objects: &mut Objects) {
    let lacking: Vec<(Key, Value)> = objects
        .list(kinds::id("replicasets"), "", None)
        .filter(|(k, o)| is_playground(&k.namespace) && o.at("spec/replicas").as_u64() > o.at("status/replicas").as_u64())
        .map(|(k, o)| (k.clone(), (**o).clone()))
        .collect();
    for (key, set) in lacking {
        let Err(refusal) = workloads::create_pod(objects, &key.namespace, &set) else { continue };
        let message = format!("Error creating: {}", refusal.message());
        controllers::happened(objects, &controllers::reference(&set), "FailedCreate", &message);
        admission::quota::refresh(objects, &key.namespace);
    }
}

#[cfg(test)]
mod tests {
    use super::{Player, STEPS, is_playground};
    use crate::demo::faults::Faults;
    use crate::demo::json::Json;
    use crate::demo::kinds;
    use crate::demo::scenario;
    use crate::demo::world::World;
    use serde_json::Value;

    fn walls(world: &World) -> Vec<Value> {
        let objects = world.store.lock();
        let kinds = ["networkpolicies", "resourcequotas", "limitranges", "pods", "serviceaccounts"].map(kinds::id);
        kinds
            .iter()
            .flat_map(|id| objects.list(*id, "", None))
            .filter(|(k, _)| !is_playground(&k.namespace))
            .map(|(_, o)| (**o).clone())
            .collect()
    }

    fn played(seed: u64, steps: usize) -> World {
        let world = World::new(seed, Faults::default());
        scenario::build(&world, 12);
        let mut player = Player { rng: fastrand::Rng::with_seed(seed), dropped: Vec::new() };
        for step in STEPS.iter().cycle().take(steps) {
            world.store.write(|objects| player.play(objects, *step));
        }
        world
    }

    #[test]
    fn the_walkthrough_is_left_alone_and_the_rest_is_not() {
        let world = World::new(5, Faults::default());
        scenario::build(&world, 12);
        let start = world.store.lock().revision();
        let before = walls(&world);
        let mut player = Player { rng: fastrand::Rng::with_seed(5), dropped: Vec::new() };
        for step in STEPS.iter().cycle().take(300) {
            world.store.write(|objects| player.play(objects, *step));
        }
        assert!(before.len() > 20);
        assert_eq!(walls(&world), before);
        assert!(world.store.lock().revision() > start + 100, "something happens");
        assert!(player.dropped.len() <= 1, "what is dropped comes back");
    }

    #[test]
    fn the_same_seed_tells_the_same_story() {
        let names = |world: &World| -> Vec<String> {
            let objects = world.store.lock();
            let pods = objects.list(kinds::id("pods"), "", None);
            pods.map(|(k, o)| format!("{k:?} {} {}", o.text("metadata/uid"), o.text("status/podIP"))).collect()
        };
        assert_eq!(names(&played(9, 80)), names(&played(9, 80)));
        assert_ne!(names(&played(9, 80)), names(&played(10, 80)));
    }
}
