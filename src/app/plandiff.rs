//! A plan as lines: what each object was, and what it would be.

use super::role::Role;
use crate::fix::diff::unified;
use crate::fix::plan::{FixPlan, PlanAction, PlanStep};

/// The difference a step makes, as (line with its sign, meaning): against the server's own preview where there is one, else against the
/// manifest. Lines are cleaned.
pub fn diff(step: &PlanStep) -> Vec<(String, Role)> {
    let after = match step.action {
        PlanAction::Delete => None,
        PlanAction::Apply => Some(step.preview.as_ref().unwrap_or(&step.manifest)),
    };
    let before = match (step.action, &step.live) {
        (PlanAction::Delete, None) => Some(&step.manifest),
        (_, live) => live.as_ref(),
    };
    let text = unified(before, after);
    text.lines()
        .filter(|line| !["---", "+++", "@@ -0,0", "@@ -1"].iter().any(|start| line.starts_with(start)))
        .map(|line| (line.to_owned(), role(line)))
        .collect()
}

fn role(line: &str) -> Role {
    match line.chars().next() {
        Some('+') => Role::DiffAdd,
        Some('-') => Role::DiffDel,
        Some('@') => Role::Muted,
        _ => Role::DiffCtx,
    }
}

/// What would be done with the object, as a verb.
pub const fn verb(step: &PlanStep) -> &'static str {
    match (step.action, &step.live) {
        (PlanAction::Delete, _) => "delete",
        (PlanAction::Apply, None) => "create",
        (PlanAction::Apply, Some(_)) => "change",
    }
}

/// The manifests of a plan as one JSON or YAML stream that kubectl takes.
pub fn manifests(plan: &FixPlan) -> String {
    let texts = plan.steps.iter().map(|step| serde_json::to_string_pretty(&step.manifest).unwrap_or_default());
    texts.collect::<Vec<_>>().join("\n---\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ids::ObjectRef;
    use crate::model::kind::Kind;
    use serde_json::json;

    fn step(action: PlanAction, live: Option<serde_json::Value>) -> PlanStep {
        PlanStep {
            object: ObjectRef::new(Kind::LimitRange, "a", "b"),
            action,
            why: String::new(),
            manifest: json!({"kind": "LimitRange"}),
            live,
            preview: None,
            refused: None,
            owner: None,
        }
    }

    #[test]
    fn what_is_new_is_added_and_what_goes_is_removed() {
        let roles = |step: &PlanStep| diff(step).into_iter().map(|(_, role)| role).filter(|r| *r != Role::Muted).collect::<Vec<_>>();
        assert_eq!(roles(&step(PlanAction::Apply, None)), [Role::DiffAdd]);
        assert_eq!(roles(&step(PlanAction::Delete, None)), [Role::DiffDel]);
        assert_eq!(roles(&step(PlanAction::Apply, Some(json!({"kind": "Other"})))), [Role::DiffDel, Role::DiffAdd]);
        assert_eq!(verb(&step(PlanAction::Apply, None)), "create");
    }
}
