//! Recipes: from a violation to a plan. Pure: what is on the server now, and what its dry-run says, is filled in by the effect.

mod limits;
mod network;

use serde_json::{Value, json};

use super::plan::{FixPlan, PlanAction, PlanStep};
use crate::model::ids::{Name, ObjectRef, TenantId};
use crate::model::kind::Kind;
use crate::model::snapshot::{NamespaceFacts, Snapshot};
use crate::model::source::Sight;
use crate::model::tenant::Tenants;
use crate::model::text::clean;
use crate::posture::catalogue::find;

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct NoPlan {
    /// In words, with what to do instead.
    pub why: String,
}

impl NoPlan {
    fn because(why: impl Into<String>) -> Self {
        Self { why: why.into() }
    }
}

/// What a recipe looks at.
struct Ground<'a> {
    snapshot: &'a Snapshot,
    tenants: &'a Tenants,
    tenant: &'a TenantId,
    namespaces: Vec<(&'a Name, &'a NamespaceFacts)>,
}

/// Steps and notes.
#[derive(Default)]
struct Draft {
    steps: Vec<PlanStep>,
    notes: Vec<String>,
}

type Recipe = fn(&Ground<'_>) -> Result<Draft, NoPlan>;

/// Recipes by id, with the kinds they must see clearly: a plan made half blind could overwrite what it did not see.
const RECIPES: [(&str, Recipe, &[Kind]); 2] = [
    ("FX-NET-BASE", network::plan, &[Kind::Namespace, Kind::NetworkPolicy, Kind::Pod, Kind::Service]),
    ("FX-RES-LR", limits::plan, &[Kind::Namespace, Kind::LimitRange, Kind::ResourceQuota, Kind::Pod]),
];

/// Plans the fix of a check for a tenant. Errors where no recipe answers the check, where nothing is missing, where we can't see enough, or
/// where a fix by addition can't help.
pub fn plan(check: &str, snapshot: &Snapshot, tenants: &Tenants, tenant: &TenantId) -> Result<FixPlan, NoPlan> {
    let info = find(check).ok_or_else(|| NoPlan::because(format!("there is no check {}", clean(check))))?;
    let recipe = info.fix.and_then(|fix| RECIPES.iter().find(|(id, _, _)| *id == fix));
    let (id, draft, needs) =
        recipe.ok_or_else(|| NoPlan::because(format!("no recipe answers {check}: it needs a decision that is yours")))?;
    if let Some(kind) = needs.iter().find(|kind| snapshot.sight(**kind) == Sight::Blind) {
        return Err(NoPlan::because(format!("{kind} is {}: a plan needs to see what is there", snapshot.source(*kind))));
    }
    let own = tenants.namespaces.get(tenant).ok_or_else(|| NoPlan::because(format!("there is no tenant {}", clean(tenant))))?;
    let namespaces: Vec<_> = own.iter().filter_map(|name| Some((name, snapshot.namespace(name)?.as_ref()))).collect();
    if let Some((name, _)) = namespaces.iter().find(|(_, facts)| facts.own.as_ref().is_some_and(|own| own.terminating)) {
        return Err(NoPlan::because(format!("namespace {} is being deleted", clean(name))));
    }
    let draft = draft(&Ground { snapshot, tenants, tenant, namespaces })?;
    if draft.steps.is_empty() {
        return Err(NoPlan::because(format!("nothing is missing: {check} needs no {id} here")));
    }
    Ok(FixPlan { recipe: (*id).to_owned(), check: check.to_owned(), tenant: tenant.clone(), steps: draft.steps, notes: draft.notes })
}

/// A step that applies a manifest.
fn apply(kind: Kind, api_version: &str, namespace: &Name, name: &str, why: &str, spec: &Value) -> PlanStep {
    let manifest = json!({
        "apiVersion": api_version,
        "kind": kind.as_str(),
        "metadata": {"name": name, "namespace": namespace, "labels": {"app.kubernetes.io/managed-by": "partywall"}},
        "spec": spec,
    });
    PlanStep {
        object: ObjectRef::new(kind, namespace.clone(), name),
        action: PlanAction::Apply,
        why: why.to_owned(),
        manifest,
        live: None,
        preview: None,
        refused: None,
        owner: None,
    }
}

/// The wanted name, or the same with our prefix where an object of another meaning bears it already; none where both are taken.
fn free_name(wanted: &str, taken: impl Fn(&str) -> bool) -> Option<String> {
    [wanted.to_owned(), format!("partywall-{wanted}")].into_iter().find(|name| !taken(name))
}
