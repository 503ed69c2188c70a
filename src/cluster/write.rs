//! The only writer. Every function demands the permit that was granted for this very plan.

use serde_json::{Value, json};

use super::ask::MANAGER;
use super::call::{Call, PathOf, audit_id};
use super::connect::Cluster;
use super::refusal::ApiRefusal;
use crate::fix::guard::{ProbePermit, WritePermit};
use crate::fix::plan::{FixPlan, PlanAction, PlanStep};

impl Cluster {
    /// Applies a step of a plan: server-side apply, strict validation, never taking a field from another manager by force. The object as it is
    /// afterwards.
    pub async fn apply(&self, permit: &WritePermit, plan: &FixPlan, step: usize) -> Result<Value, ApiRefusal> {
        let step = permitted(permit, plan, step, PlanAction::Apply)?;
        let call = Call::apply(path_of(step)?, &step.manifest).query("fieldManager", MANAGER).query("fieldValidation", "Strict");
        self.call_json(call.audited(audit_id("apply"))).await
    }

    /// Deletes the object of a step, if it still is the one whose uid the manifest names.
    pub async fn delete(&self, permit: &WritePermit, plan: &FixPlan, step: usize) -> Result<(), ApiRefusal> {
        let step = permitted(permit, plan, step, PlanAction::Delete)?;
        let Some(uid) = step.manifest.pointer("/metadata/uid").and_then(Value::as_str) else {
            return Err(not_permitted("a deletion must name the object's uid"));
        };
        let options = json!({ "apiVersion": "v1", "kind": "DeleteOptions", "preconditions": { "uid": uid } });
        self.call(Call::delete(path_of(step)?, &options).audited(audit_id("delete"))).await.map(drop)
    }

    /// What the server would make of a step, without doing it.
    pub async fn dry_run_apply(&self, _permit: ProbePermit, step: &PlanStep) -> Result<Value, ApiRefusal> {
        let call = Call::apply(path_of(step)?, &step.manifest)
            .query("fieldManager", MANAGER)
            .query("fieldValidation", "Strict")
            .query("dryRun", "All")
            .audited(audit_id("dryrun"));
        self.call_json(call).await
    }

    /// The object of a step as it is; none where there is none.
    pub async fn live(&self, step: &PlanStep) -> Result<Option<Value>, ApiRefusal> {
        match self.call_json(Call::get(path_of(step)?)).await {
            Ok(object) => Ok(Some(object)),
            Err(refusal) if refusal.code == 404 => Ok(None),
            Err(refusal) => Err(refusal),
        }
    }
}

fn not_permitted(why: &str) -> ApiRefusal {
    ApiRefusal::no_answer("NotPermitted", why)
}

fn permitted<'p>(permit: &WritePermit, plan: &'p FixPlan, step: usize, action: PlanAction) -> Result<&'p PlanStep, ApiRefusal> {
    if !permit.covers(plan) {
        return Err(not_permitted("the permit was granted for another plan"));
    }
    plan.steps.get(step).filter(|step| step.action == action).ok_or_else(|| not_permitted("the plan has no such step"))
}

/// Where a step's object lives. Refused when the manifest is about another object than the step says.
fn path_of(step: &PlanStep) -> Result<String, ApiRefusal> {
    let text = |pointer: &str| step.manifest.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let info = step.object.kind.info().ok_or_else(|| not_permitted("that kind is no object of the cluster"))?;
    let (group, version) = text("/apiVersion").split_once('/').unwrap_or(("", text("/apiVersion")));
    let same = group == info.group
        && !version.is_empty()
        && text("/kind") == info.kind.as_str()
        && text("/metadata/name") == &*step.object.name
        && text("/metadata/namespace") == &*step.object.namespace
        && !step.object.name.is_empty()
        && info.namespaced != step.object.namespace.is_empty();
    if !same {
        return Err(not_permitted("the manifest is about another object than the plan says"));
    }
    Ok(PathOf { group, version, plural: info.plural, namespace: &step.object.namespace, name: &step.object.name }.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ids::ObjectRef;
    use crate::model::kind::Kind;

    fn step(manifest: Value) -> PlanStep {
        PlanStep {
            action: PlanAction::Apply,
            object: ObjectRef::new(Kind::NetworkPolicy, "web-tenant-acme", "default-deny"),
            why: String::new(),
            manifest,
            live: None,
            preview: None,
            refused: None,
            owner: None,
        }
    }

    #[test]
    fn a_step_writes_only_the_object_it_names() {
        let good = json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "default-deny", "namespace": "web-tenant-acme"}});
        assert_eq!(
            path_of(&step(good.clone())).unwrap(),
            "/apis/networking.k8s.io/v1/namespaces/web-tenant-acme/networkpolicies/default-deny"
        );
        for (pointer, other) in [
            ("/metadata/namespace", "kube-system"),
            ("/metadata/name", "other"),
            ("/kind", "LimitRange"),
            ("/apiVersion", "v1"),
            ("/apiVersion", ""),
        ] {
            let mut bad = good.clone();
            *bad.pointer_mut(pointer).unwrap() = json!(other);
            assert_eq!(path_of(&step(bad)).unwrap_err().reason, "NotPermitted", "{pointer}");
        }
    }
}
