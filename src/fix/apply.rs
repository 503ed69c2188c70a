//! Carrying plans out: what is there, what the server would make of it, who keeps it, applying, and the way back.

use serde_json::{Value, json};

use super::guard::{ProbePermit, WritePermit};
use super::plan::{FixPlan, PlanAction, PlanStep};
use crate::cluster::{ApiRefusal, Cluster};
use crate::model::ids::ObjectRef;
use crate::model::text::clean;

/// A plan that was carried out, and the plan that takes it back.
#[derive(Clone, Debug, PartialEq)]
pub struct Applied {
    /// What was done.
    pub plan: FixPlan,
    /// What undoes it: needs a permit of its own.
    pub inverse: FixPlan,
}

/// Why a plan was not, or not wholly, carried out.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum FixError {
    /// The permit was granted for another plan.
    #[error("this plan is not the one that was confirmed")]
    NotPermitted,
    /// The plan was not looked at by the server, or it was refused, or somebody else keeps an object.
    #[error("the plan can't be applied: {0}")]
    NotApplicable(String),
    /// An object changed after the plan was shown.
    #[error("{object} changed since the plan was shown: look at it again")]
    Moved {
        /// Which.
        object: ObjectRef,
        /// Undoes the steps before it; none when there were none.
        inverse: Option<Box<FixPlan>>,
    },
    /// The server refused a step.
    #[error("{object}: {refusal}")]
    Refused {
        /// Which.
        object: ObjectRef,
        /// What it said.
        refusal: ApiRefusal,
        /// Undoes the steps before it; none when there were none.
        inverse: Option<Box<FixPlan>>,
    },
}

/// Fills in what the server knows of a plan: the objects as they are, who else keeps them, and, with leave to try, what a dry-run makes of them.
/// Without that leave nothing but reads is sent, and the plan is not applicable.
pub async fn preview(cluster: &Cluster, permit: Option<ProbePermit>, mut plan: FixPlan) -> FixPlan {
    for step in &mut plan.steps {
        step.preview = None;
        step.refused = None;
        step.owner = None;
        match cluster.live(step).await {
            Ok(live) => {
                step.owner = live.as_ref().and_then(owner);
                step.live = live.map(stripped);
            }
            Err(refusal) => {
                step.live = None;
                step.refused = Some(refusal.to_string());
                continue;
            }
        }
        if let (PlanAction::Apply, Some(permit)) = (step.action, permit) {
            match cluster.dry_run_apply(permit, step).await {
                Ok(object) => step.preview = Some(stripped(object)),
                Err(refusal) => step.refused = Some(refusal.to_string()),
            }
        }
    }
    plan
}

/// Applies a previewed plan, step by step, each only if its object still is as it was shown.
pub async fn apply(cluster: &Cluster, plan: FixPlan, permit: WritePermit) -> Result<Applied, FixError> {
    if !plan.applicable() {
        return Err(FixError::NotApplicable(obstacle(&plan)));
    }
    carry_out(cluster, plan, &permit, Found::AsShown).await
}

/// Carries an inverse plan out. The objects may have changed in the meantime; a deletion still demands the uid of the object that was made, and
/// what is gone already needs none.
pub async fn undo(cluster: &Cluster, inverse: FixPlan, permit: WritePermit) -> Result<Applied, FixError> {
    carry_out(cluster, inverse, &permit, Found::AnyHow).await
}

/// How an object must be found for a step to be done.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Found {
    AsShown,
    AnyHow,
}

async fn carry_out(cluster: &Cluster, plan: FixPlan, permit: &WritePermit, found: Found) -> Result<Applied, FixError> {
    if !permit.covers(&plan) {
        return Err(FixError::NotPermitted);
    }
    let mut inverse = Vec::new();
    for (index, step) in plan.steps.iter().enumerate() {
        let so_far = |inverse: &[PlanStep]| if inverse.is_empty() { None } else { Some(Box::new(way_back(&plan, inverse))) };
        let refused = |refusal, inverse: &[PlanStep]| FixError::Refused { object: step.object.clone(), refusal, inverse: so_far(inverse) };
        let before = cluster.live(step).await.map_err(|refusal| refused(refusal, &inverse))?;
        if found == Found::AsShown && before.clone().map(stripped) != step.live {
            return Err(FixError::Moved { object: step.object.clone(), inverse: so_far(&inverse) });
        }
        let back = match (step.action, before) {
            (PlanAction::Apply, before) => {
                let after = cluster.apply(permit, &plan, index).await.map_err(|refusal| refused(refusal, &inverse))?;
                back_from_apply(step, before, &after)
            }
            (PlanAction::Delete, Some(before)) if before.pointer(UID) != step.manifest.pointer(UID) => {
                return Err(FixError::Moved { object: step.object.clone(), inverse: so_far(&inverse) });
            }
            (PlanAction::Delete, Some(before)) => {
                cluster.delete(permit, &plan, index).await.map_err(|refusal| refused(refusal, &inverse))?;
                step_like(step, PlanAction::Apply, stripped(before))
            }
            (PlanAction::Delete, None) => continue,
        };
        inverse.push(back);
    }
    let inverse = way_back(&plan, &inverse);
    Ok(Applied { plan, inverse })
}

/// Where an object's uid stands.
const UID: &str = "/metadata/uid";

fn obstacle(plan: &FixPlan) -> String {
    let about = |step: &PlanStep| match (&step.refused, &step.owner) {
        (Some(refused), _) => Some(format!("{}: {refused}", step.object)),
        (_, Some(owner)) => Some(format!("{} is kept by {owner}", step.object)),
        _ => None,
    };
    plan.steps.iter().find_map(about).unwrap_or_else(|| "the server has not looked at it yet".to_owned())
}

/// The way back of an apply: an object that was made is deleted, one that was changed gets its former content.
fn back_from_apply(step: &PlanStep, before: Option<Value>, after: &Value) -> PlanStep {
    if let Some(before) = before {
        return step_like(step, PlanAction::Apply, stripped(before));
    }
    let uid = after.pointer(UID).cloned().unwrap_or_default();
    let mut identity = json!({ "metadata": { "name": &*step.object.name, "namespace": &*step.object.namespace, "uid": uid } });
    if let (Some(identity), Some(manifest)) = (identity.as_object_mut(), step.manifest.as_object()) {
        identity.extend(["apiVersion", "kind"].into_iter().filter_map(|key| Some((key.to_owned(), manifest.get(key)?.clone()))));
    }
    step_like(step, PlanAction::Delete, identity)
}

fn step_like(step: &PlanStep, action: PlanAction, manifest: Value) -> PlanStep {
    let why = format!("undoes: {}", step.why);
    PlanStep { action, object: step.object.clone(), why, manifest, live: None, preview: None, refused: None, owner: None }
}

fn way_back(plan: &FixPlan, inverse: &[PlanStep]) -> FixPlan {
    FixPlan {
        recipe: format!("UNDO {}", plan.recipe),
        check: plan.check.clone(),
        tenant: plan.tenant.clone(),
        steps: inverse.iter().rev().cloned().collect(),
        notes: vec![format!("takes back what {} did", plan.recipe)],
    }
}

/// What the server keeps for itself, and what says nothing about a wall.
const SERVER_KEPT: [&str; 7] =
    ["managedFields", "resourceVersion", "generation", "creationTimestamp", "uid", "selfLink", "deletionTimestamp"];

/// An object without status and without what the server keeps: what a person would have written.
fn stripped(mut object: Value) -> Value {
    if let Some(fields) = object.as_object_mut() {
        fields.remove("status");
        if let Some(metadata) = fields.get_mut("metadata").and_then(Value::as_object_mut) {
            for key in SERVER_KEPT {
                metadata.remove(key);
            }
            let emptied = metadata.get_mut("annotations").and_then(Value::as_object_mut).is_some_and(|annotations| {
                annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
                annotations.is_empty()
            });
            if emptied {
                metadata.remove("annotations");
            }
        }
    }
    object
}

/// Marks that tools leave on the objects they keep: where, key, the value if it matters, the tool.
const MARKS: [(&str, &str, Option<&str>, &str); 9] = [
    ("annotations", "meta.helm.sh/release-name", None, "Helm"),
    ("labels", "app.kubernetes.io/managed-by", Some("Helm"), "Helm"),
    ("annotations", "argocd.argoproj.io/tracking-id", None, "Argo CD"),
    ("labels", "argocd.argoproj.io/instance", None, "Argo CD"),
    ("labels", "kustomize.toolkit.fluxcd.io/name", None, "Flux"),
    ("labels", "helm.toolkit.fluxcd.io/name", None, "Flux"),
    ("labels", "capsule.clastix.io/managed-by", None, "Capsule"),
    ("labels", "hnc.x-k8s.io/inherited-from", None, "the hierarchical namespace controller"),
    ("labels", "generate.kyverno.io/policy-name", None, "Kyverno"),
];

/// Managers that are ourselves, a person at a terminal, or the server's own. A person's field we would overwrite is refused by the server as a
/// conflict, with the name.
const NO_KEEPERS: [&str; 4] = ["partywall", "kubectl", "kube-controller-manager", "kube-apiserver"];

/// Somebody else's tool that keeps this object, if it seems so.
fn owner(object: &Value) -> Option<String> {
    let mark = MARKS.iter().find(|(place, key, value, _)| {
        let found = object.get("metadata").and_then(|m| m.get(place)).and_then(|table| table.get(key)).and_then(Value::as_str);
        found.is_some_and(|found| value.is_none_or(|wanted| wanted == found))
    });
    if let Some((.., tool)) = mark {
        return Some((*tool).to_owned());
    }
    let managers = object.pointer("/metadata/managedFields").and_then(Value::as_array).into_iter().flatten();
    let names = managers.filter(|entry| entry.get("subresource").and_then(Value::as_str).is_none_or(str::is_empty));
    let name = names.filter_map(|entry| entry.get("manager").and_then(Value::as_str)).find(|name| {
        let person = NO_KEEPERS.iter().any(|known| name.strip_prefix(known).is_some_and(|rest| rest.is_empty() || rest.starts_with('-')));
        !person
    })?;
    Some(format!("the field manager {}", clean(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tools_that_keep_an_object_are_found() {
        for (object, keeper) in [
            (json!({"metadata": {"labels": {"app.kubernetes.io/managed-by": "Helm"}}}), Some("Helm")),
            (json!({"metadata": {"labels": {"app.kubernetes.io/managed-by": "me"}}}), None),
            (json!({"metadata": {"annotations": {"argocd.argoproj.io/tracking-id": "x"}}}), Some("Argo CD")),
            (json!({"metadata": {"managedFields": [{"manager": "kubectl-edit", "operation": "Update"}, {"manager": "partywall"}]}}), None),
            (json!({"metadata": {"managedFields": [{"manager": "kubectlx"}]}}), Some("the field manager kubectlx")),
            (json!({"metadata": {"managedFields": [{"manager": "x", "subresource": "status"}]}}), None),
            (json!({"metadata": {"managedFields": [{"manager": "ter\u{1b}raform"}]}}), Some("the field manager ter\u{fffd}raform")),
            (json!([]), None),
        ] {
            assert_eq!(owner(&object).as_deref(), keeper, "{object}");
        }
    }

    #[test]
    fn what_the_server_keeps_is_not_compared() {
        let object = json!({"metadata": {"name": "a", "uid": "u", "managedFields": [], "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}"}}, "spec": {}, "status": {}});
        assert_eq!(stripped(object), json!({"metadata": {"name": "a"}, "spec": {}}));
    }
}
