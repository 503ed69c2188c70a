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

/// One object of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanStep {
    /// Which object.
    pub object: ObjectRef,
    /// Why.
    pub why: String,
    /// The manifest for server-side apply.
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
            text.push_str(&step.object.to_string());
            text.push_str(&step.manifest.to_string());
        }
        format!("{:032x}", fold(&text))
    }

    /// Whether the plan can be applied: every dry-run was accepted and nobody else keeps an object.
    pub fn applicable(&self) -> bool {
        !self.steps.is_empty() && self.steps.iter().all(|step| step.refused.is_none() && step.owner.is_none() && step.preview.is_some())
    }
}
