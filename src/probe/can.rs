//! Whether a probe can be run at all, and against whom: asked before a key is offered, so that a refusal comes with its reason.

use crate::model::access::{Access, Answer, Question};
use crate::model::ids::{Name, TenantId};
use crate::model::snapshot::Snapshot;
use crate::model::source::SourceState;
use crate::model::tenant::Tenants;
use crate::model::text::clean;
use crate::probe::network::{aim, vantages};
use crate::probe::resource::has_walls;
use crate::probe::spec::ProbeId;
use crate::probe::vault::identity;
use crate::vaultacl::reach::Picture;

/// Why a probe of a tenant can't be run, in words for the screen; `Ok` when nothing speaks against it. What we were never told about our rights
/// does not speak against it: then the server will. O(objects of the tenants).
pub fn can_probe(
    snapshot: &Snapshot,
    tenants: &Tenants,
    secrets: &Picture,
    access: &Access,
    probe: ProbeId,
    tenant: &str,
) -> Result<(), String> {
    let namespaces = tenants.namespaces.get(tenant).ok_or_else(|| format!("{} is no tenant", clean(tenant)))?;
    let shown = clean(tenant);
    match probe {
        ProbeId::Network => {
            able(snapshot, access, &shown, namespaces)?;
            let denied = "no other tenant has a ready pod to probe from and a Service with ready endpoints to aim at";
            partner(snapshot, tenants, secrets, probe, tenant, None).map(drop).ok_or_else(|| denied.to_owned())
        }
        ProbeId::Vault => {
            vault_up(snapshot)?;
            let id: TenantId = tenant.into();
            let own = identity(snapshot, secrets, &id)?;
            let question = Question::new("create", "", "serviceaccounts").subresource("token");
            allowed(access, &question, &own.namespace)?;
            let nobody = "no other tenant logs in to Vault with a path of its own, so there is nobody to try it against";
            partner(snapshot, tenants, secrets, probe, tenant, None).map(drop).ok_or_else(|| nobody.to_owned())
        }
        ProbeId::Resource => {
            let known: Vec<&Name> = namespaces.iter().filter(|name| snapshot.namespace(name).is_some()).collect();
            if !known.iter().any(|name| snapshot.namespace(name).is_some_and(|facts| has_walls(facts))) {
                return Err(format!("{shown} has neither quota nor LimitRange, so there is nothing to try"));
            }
            known.iter().try_for_each(|name| allowed(access, &Question::new("create", "", "pods"), name))
        }
    }
}

/// The other side of a probe: `preferred` where it is fit, else the next fit one round the ring of names. None where nobody is fit, and for
/// the resource probe, which needs nobody. O(tenants × their objects).
pub fn partner(
    snapshot: &Snapshot,
    tenants: &Tenants,
    secrets: &Picture,
    probe: ProbeId,
    tenant: &str,
    preferred: Option<&TenantId>,
) -> Option<TenantId> {
    partners(snapshot, tenants, secrets, probe, tenant, preferred, 1).into_iter().next()
}

/// As [`partner`], and who is next in line should the first prove dead: at most `most` of them, none twice.
pub fn partners(
    snapshot: &Snapshot,
    tenants: &Tenants,
    secrets: &Picture,
    probe: ProbeId,
    tenant: &str,
    preferred: Option<&TenantId>,
    most: usize,
) -> Vec<TenantId> {
    let fit = |other: &TenantId| {
        let namespaces = tenants.namespaces.get(other)?;
        let ok = match probe {
            ProbeId::Network => aim(snapshot, namespaces).is_some() && !vantages(snapshot, namespaces).is_empty(),
            ProbeId::Vault => identity(snapshot, secrets, other).is_ok(),
            ProbeId::Resource => false,
        };
        ok.then(|| other.clone())
    };
    let after = tenants.namespaces.keys().filter(|name| name.as_ref() > tenant);
    let before = tenants.namespaces.keys().filter(|name| name.as_ref() < tenant);
    let others = after.chain(before).filter(|other| Some(*other) != preferred);
    preferred.into_iter().filter(|other| other.as_ref() != tenant).chain(others).filter_map(fit).take(most).collect()
}

/// Whether a tenant can be both source and target of connections.
fn able(snapshot: &Snapshot, access: &Access, shown: &str, namespaces: &[Name]) -> Result<(), String> {
    let vantage = vantages(snapshot, namespaces).into_iter().next();
    let vantage = vantage.ok_or_else(|| format!("{shown} has no ready pod of its own network to probe from"))?;
    aim(snapshot, namespaces)
        .ok_or_else(|| format!("{shown} has no Service with an address and ready endpoints, so nothing shows that it is alive"))?;
    allowed(access, &Question::new("create", "", "pods").subresource("exec"), &vantage.namespace)
}

fn vault_up(snapshot: &Snapshot) -> Result<(), String> {
    let vault = &snapshot.vault;
    if !vault.configured {
        return Err("no Vault is configured".to_owned());
    }
    if vault.server.state != SourceState::Live {
        return Err(format!("Vault is {}", vault.server.state));
    }
    Ok(())
}

/// Refuses when the server said no, for the namespace or, unless it said yes there, for all of them.
fn allowed(access: &Access, question: &Question, namespace: &str) -> Result<(), String> {
    let here = question.clone().within(namespace);
    let no = |why: &Name| {
        let why = if why.is_empty() { String::new() } else { format!(": {}", clean(why)) };
        Err(format!("the API server says we may not {here}{why}"))
    };
    match (access.answers.get(&here), access.answers.get(question)) {
        (Some(Answer::No(why)), _) | (None | Some(Answer::Unknown(_)), Some(Answer::No(why))) => no(why),
        _ => Ok(()),
    }
}
