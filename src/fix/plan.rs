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

/// What is done with an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PlanAction {
    /// Server-side apply of the manifest.
    #[default]
    Apply,
    /// Deletion of the object, if it still has the uid that the manifest names.
    Delete,
}

/// One object of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanStep {
    /// What is done.
    #[serde(default)]
    pub action: PlanAction,
    /// Which object.
    pub object: ObjectRef,
    /// Why.
    pub why: String,
    /// The manifest for server-side apply; for a deletion the object's identity with its uid.
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
            if step.action == PlanAction::Delete {
                text.push_str("delete ");
            }
            text.push_str(&step.object.to_string());
            text.push_str(&step.manifest.to_string());
        }
        format!("{:032x}", fold(&text))
    }

    /// Whether the plan can be applied: every dry-run was accepted, what is to be deleted is there, and nobody else keeps an object.
    pub fn applicable(&self) -> bool {
        let ready = |step: &PlanStep| match step.action {
            PlanAction::Apply => step.preview.is_some(),
            PlanAction::Delete => step.live.is_some(),
        };
        !self.steps.is_empty() && self.steps.iter().all(|step| step.refused.is_none() && step.owner.is_none() && ready(step))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::kind::Kind;

    #[test]
    fn a_permit_for_an_apply_never_covers_a_deletion() {
        let step = |action| PlanStep {
            action,
            object: ObjectRef::new(Kind::NetworkPolicy, "a", "b"),
            why: String::new(),
            manifest: Value::Null,
            live: None,
            preview: None,
            refused: None,
            owner: None,
        };
        let plan = |action| FixPlan {
            recipe: "FX".to_owned(),
            check: "NET-01".to_owned(),
            tenant: "a".into(),
            steps: vec![step(action)],
            notes: Vec::new(),
        };
        assert_ne!(plan(PlanAction::Apply).digest(), plan(PlanAction::Delete).digest());
        let old = r#"{"object":{"kind":"NetworkPolicy","namespace":"a","name":"b"},"why":"","manifest":null,"live":null,"preview":null,"refused":null,"owner":null}"#;
        assert_eq!(serde_json::from_str::<PlanStep>(old).unwrap(), step(PlanAction::Apply));
    }
}
