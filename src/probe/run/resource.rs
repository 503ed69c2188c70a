//! Runs the resource probe: dry-runs only, in every namespace of the tenant.

use serde_json::Value;

use super::hands::Hands;
use super::scribe::{Made, Scribe, Told, push};
use super::{Context, ProbeError};
use crate::model::event::Authority;
use crate::model::ids::{Name, TenantId};
use crate::model::text::clean;
use crate::probe::resource::{MOST_NAMESPACES, Plan, defaults_seen, has_walls, plan, pod_name};
use crate::receipt::{Crossing, Outcome, Step};

/// Steps for one namespace.
const STEPS: usize = 6;
/// The check that the composed pod speaks for.
const QUOTA: &str = "RES-01";
/// The code of a step that was not done.
const NOT_TRIED: &str = "not tried";

pub(super) async fn run<H: Hands>(context: &Context<'_, H>, scribe: &Scribe<'_>, tenant: &TenantId) -> Result<Made, ProbeError> {
    let namespaces: Vec<&Name> =
        context.namespaces(tenant).iter().filter(|name| context.snapshot.namespace(name).is_some_and(|facts| has_walls(facts))).collect();
    if namespaces.len() > MOST_NAMESPACES {
        return Err(ProbeError::Cannot(format!(
            "{tenant} has more than {MOST_NAMESPACES} namespaces: a receipt for some would be read as one for all"
        )));
    }
    scribe.started(STEPS * namespaces.len());
    let mut made = Made { steps: Vec::new(), crossings: Vec::new(), partner: None };
    for namespace in namespaces {
        let Some(facts) = context.snapshot.namespace(namespace) else { continue };
        let plan = plan(facts, &pod_name(fastrand::u32(..)));
        context.unless_cancelled(one(context, scribe, tenant, namespace, &plan, &mut made)).await?;
    }
    cover_untried(&mut made);
    Ok(made)
}

/// Where the quota of one namespace was tried and that of another could not be, the latter's note becomes an attempt that proves nothing: the
/// receipt speaks for the whole tenant.
fn cover_untried(made: &mut Made) {
    let Some(tried) = made.crossings.iter().find(|crossing| crossing.checks.iter().any(|check| check == QUOTA)).cloned() else { return };
    let untried = made.steps.iter().enumerate().filter(|(_, step)| step.code == NOT_TRIED);
    made.crossings.extend(untried.map(|(index, step)| Crossing { what: step.what.clone(), attempts: vec![index], ..tried.clone() }));
}

async fn one<H: Hands>(context: &Context<'_, H>, scribe: &Scribe<'_>, tenant: &TenantId, namespace: &Name, plan: &Plan, made: &mut Made) {
    let send = |what: String, pod: &Value, defaults: bool| {
        let pod = pod.clone();
        scribe.step(format!("{tenant}: dry-run of {what} in {namespace}"), "api".to_owned(), async move {
            match context.hands.dry_run_pod(context.permit, namespace, &pod).await {
                Ok(accepted) => {
                    let said = if defaults { defaults_seen(&accepted) } else { "accepted; nothing was created".to_owned() };
                    Told::new(Outcome::Answered, said, 201)
                }
                Err(refusal) => Told::refused(&refusal),
            }
        })
    };
    let composed = async {
        match &plan.composed {
            Ok(composed) => Some(send(format!("a pod of {}", composed.words), &composed.pod, false).await),
            Err(_) => None,
        }
    };
    let (small, bare, legal, broken, large, sum) = tokio::join!(
        send("a small pod".to_owned(), &plan.small, false),
        send("a pod that asks for nothing".to_owned(), &plan.bare, true),
        send(format!("the large pod at a legal size, {}", plan.legal_memory), &plan.legal, false),
        send("a pod whose memory is \"a lot\"".to_owned(), &plan.broken, false),
        send(format!("a pod of {} memory", plan.large_memory), &plan.large, false),
        composed,
    );
    let steps = &mut made.steps;
    let small = push(steps, small);
    push(steps, bare);
    let (legal, broken, large) = (push(steps, legal), push(steps, broken), push(steps, large));
    let crossing = |what: String, check: &str, expected: Authority, attempt: usize| Crossing {
        what,
        checks: vec![check.to_owned()],
        expected: vec![expected],
        source: vec![small],
        target: vec![legal],
        sober: vec![broken],
        attempts: vec![attempt],
    };
    made.crossings.push(crossing(
        format!("{tenant} runs one container of {} in {namespace}", plan.large_memory),
        "RES-04",
        plan.large_by,
        large,
    ));
    match (&plan.composed, sum) {
        (Ok(composed), Some(sum)) => {
            let sum = push(steps, sum);
            made.crossings.push(crossing(format!("{tenant} runs {} in {namespace}", composed.words), QUOTA, Authority::ResourceQuota, sum));
        }
        (Err(why), _) => {
            let note = note(scribe, &format!("{tenant}: no pod can be composed in {namespace} that only the quota would refuse"), why);
            push(steps, note);
        }
        (Ok(_), None) => {}
    }
}

/// A step that was not done, with the reason: a receipt without it must not look complete.
fn note(scribe: &Scribe<'_>, what: &str, why: &str) -> Step {
    Step {
        what: clean(what),
        from: "api".to_owned(),
        outcome: Outcome::Failed,
        said: clean(why),
        code: NOT_TRIED.to_owned(),
        request_id: None,
        at: (scribe.now)(),
        took: 0,
    }
}
