//! Plans: what would be applied, why, and how it is undone.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::ids::{ObjectRef, TenantId, fold};

/// An ordered list of objects to apply for one check of one tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FixPlan {
    /// Recipe, such as `FX-NET-BASE`.
    pub recipe: String,
    /// The check it answers.
    pub check: String,
    /// The tenant.
    pub tenant: TenantId,
    /// What is applied, in this order.
    pub steps: Vec<PlanStep>,
    /// What the operator should know: blast radius, paths that will be cut, owners.
    pub notes: Vec<String>,
}

/// What is done with an object of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PlanAction {
    /// Server-side apply of the manifest.
    #[default]
    Apply,
    /// Deletion: only an undo does that, of what the plan itself had made.
    Delete,
}

/// One object of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanStep {
    /// Which object.
    pub object: ObjectRef,
    /// What is done with it.
    #[serde(default)]
    pub action: PlanAction,
    /// Why.
    pub why: String,
    /// The manifest for server-side apply; of a deletion, what was applied.
    pub manifest: Value,
    /// The object as it is on the server, without status and server-kept fields; none where there is none. Filled in by the effect.
    pub live: Option<Value>,
    /// The object as the server's dry-run says it would be. Filled in by the effect.
    pub preview: Option<Value>,
    /// The refusal of the server's dry-run, in its own words.
    pub refused: Option<String>,
    /// Somebody else's tool that keeps this object, if it seems so (Helm, Argo CD, Flux, another field manager).
    pub owner: Option<String>,
}

impl FixPlan {
    /// A digest of what would be written: a permit covers one digest only.
    pub fn digest(&self) -> String {
        let mut text = format!("{}\n{}\n{}\n", self.recipe, self.check, self.tenant);
        for step in &self.steps {
            text.push_str(match step.action {
                PlanAction::Apply => "apply ",
                PlanAction::Delete => "delete ",
            });
            text.push_str(&step.object.to_string());
            text.push_str(&step.manifest.to_string());
        }
        format!("{:032x}", fold(&text))
    }

    /// Whether the plan can be applied: every dry-run was accepted and nobody else keeps an object.
    pub fn applicable(&self) -> bool {
        let tried = |step: &PlanStep| step.preview.is_some() || step.action == PlanAction::Delete;
        !self.steps.is_empty() && self.steps.iter().all(|step| step.refused.is_none() && step.owner.is_none() && tried(step))
    }

    /// The plan that takes this one back, newest step first: what was not there is deleted, what was there is applied as it was. Needs the
    /// steps' `live` as they were before this plan was applied. O(steps).
    pub fn inverse(&self) -> Self {
        let back = |step: &PlanStep| {
            let (action, manifest, why) = match &step.live {
                None => (PlanAction::Delete, step.manifest.clone(), "it was not there before"),
                Some(live) => (PlanAction::Apply, super::diff::without_server_fields(live), "as it was before"),
            };
            PlanStep {
                object: step.object.clone(),
                action,
                why: why.to_owned(),
                manifest,
                live: step.preview.clone(),
                preview: None,
                refused: None,
                owner: None,
            }
        };
        Self {
            recipe: format!("undo {}", self.recipe),
            check: self.check.clone(),
            tenant: self.tenant.clone(),
            steps: self.steps.iter().rev().map(back).collect(),
            notes: vec![format!("takes back {} of {}", self.recipe, crate::model::text::clean(&self.tenant))],
        }
    }
}
