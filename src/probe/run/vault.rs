//! Runs the Vault probe (`spec/vault.md` 2.5): two tenants' own sessions, each path knocked at without a value, tokens revoked whatever happens.

mod bag;
mod knocks;
mod logins;

use secrecy::SecretString;

use self::bag::Bag;
use super::hands::Hands;
use super::scribe::{Made, Scribe, Told};
use super::{Context, ProbeError};
use crate::model::event::Authority;
use crate::model::ids::TenantId;
use crate::probe::vault::{Compared, Door, Identity, identity, read_knock};
use crate::receipt::{Crossing, Outcome, Step};
use crate::vault::client::Client;
use crate::vault::{VaultError, VaultErrorKind};

/// Steps of a whole run, about.
const STEPS: usize = 30;

/// One side as far as it got.
struct Side {
    id: Identity,
    jwt: Option<SecretString>,
    client: Option<Client>,
    door: Door,
    login: Option<usize>,
    /// Steps that show that somebody entitled is let in here.
    alive: Vec<usize>,
}

pub(super) async fn run<H: Hands>(
    context: &Context<'_, H>,
    scribe: &Scribe<'_>,
    tenant: &TenantId,
    partner: &TenantId,
) -> Result<Made, ProbeError> {
    let client = Client::new(context.vault).map_err(|error| ProbeError::Cannot(error.to_string()))?;
    let client = client.ok_or_else(|| ProbeError::Cannot("no Vault is configured".to_owned()))?;
    scribe.started(STEPS);
    let bag = Bag::default();
    let mut probe = Probe {
        context,
        scribe,
        client,
        bag: &bag,
        steps: Vec::with_capacity(STEPS),
        nonce: format!("partywall-{:08x}", fastrand::u32(..)),
        compared: Compared::default(),
    };
    let crossings = probe.whole(tenant, partner).await;
    // whatever came of it
    probe.revoke_from(0).await;
    let steps = probe.steps;
    crossings.map(|crossings| Made { steps, crossings, partner: Some(partner.clone()) })
}

struct Probe<'a, 'b, H> {
    context: &'a Context<'b, H>,
    scribe: &'a Scribe<'a>,
    client: Client,
    bag: &'a Bag,
    steps: Vec<Step>,
    /// A name that nobody has.
    nonce: String,
    compared: Compared,
}

impl<H: Hands> Probe<'_, '_, H> {
    async fn whole(&mut self, tenant: &TenantId, partner: &TenantId) -> Result<Vec<Crossing>, ProbeError> {
        self.health().await?;
        let mut t = self.side(tenant)?;
        let mut u = self.side(partner)?;
        for side in [&mut t, &mut u] {
            self.enter(side).await?;
            self.find_door(side).await?;
            let own = self.knock_own(side, "").await?;
            side.alive.extend(own);
        }
        self.exists(&mut u).await?;
        let sober = list(self.nobody(&t).await?);
        let attempts = self.cross(&t, &u).await?;
        // the same token again: what was allowed before must be allowed now, or the 403 came from something else
        let again = self.knock_own(&t, " again").await?;
        let source: Vec<usize> = [t.login].into_iter().flatten().chain(t.alive.iter().copied()).chain(again).collect();
        let (names, word) = (format!("{} reads {}'s secret", t.id.tenant, u.id.tenant), [Authority::VaultAcl]);
        let acl = |what: String, checks: &[&str], target: &[usize], attempts: Vec<usize>| Crossing {
            what,
            checks: checks.iter().map(ToString::to_string).collect(),
            expected: word.to_vec(),
            source: source.clone(),
            target: target.to_vec(),
            sober: sober.clone(),
            attempts,
        };
        let mut crossings = vec![acl(names, &["SEC-01", "SEC-05"], &u.alive, attempts.values)];
        let learns = format!("{} learns what {} keeps", t.id.tenant, u.id.tenant);
        crossings.push(acl(learns, &["SEC-05"], &u.alive, attempts.structure));
        crossings.extend(self.asked(&t, &u).await?.map(|[own, entitled, foreign]| {
            let what = format!("the server grants {} something at {}'s paths", t.id.tenant, u.id.tenant);
            Crossing { source: vec![own], ..acl(what, &["SEC-06"], &[entitled], vec![foreign]) }
        }));
        if let Some(attempt) = self.neighbours(&t).await? {
            // both sides' own paths show that there is something to be told
            let target: Vec<usize> = t.alive.iter().chain(&u.alive).copied().collect();
            crossings.push(acl(format!("{} lists the names of its neighbours", t.id.tenant), &["SEC-07"], &target, vec![attempt]));
        }
        crossings.retain(|crossing| !crossing.attempts.is_empty() || crossing.checks.iter().any(|check| check == "SEC-01"));
        crossings.extend(self.bindings(&t, &u).await?);
        self.compare().await;
        Ok(crossings)
    }

    /// The server's own word: to the tenant on its own path, to the partner on its own, and to the tenant on the partner's.
    async fn asked(&mut self, t: &Side, u: &Side) -> Result<Option<[usize; 3]>, ProbeError> {
        let own = self.own_word(t, "its own", &Self::own_door(t)).await?;
        let entitled = self.own_word(u, "its own", &Self::own_door(u)).await?;
        let doors = self.doors_of(t, u);
        let foreign = self.own_word(t, &format!("{}'s", u.id.tenant), &doors).await?;
        Ok(own.zip(entitled).zip(foreign).map(|((own, entitled), foreign)| [own, entitled, foreign]))
    }

    /// The walls of the logins: each other's roles, and tokens for somebody else.
    async fn bindings(&mut self, t: &Side, u: &Side) -> Result<Vec<Crossing>, ProbeError> {
        let foreign_role = self.try_role(t, u).await?;
        let own_role = self.try_role(u, t).await?;
        let wrong_audience = self.wrong_audience(t).await?;
        let broken = self.broken_login(t).await?;
        let binding = |what: String, check: &str, from: &Side, to: &Side, attempt: Option<usize>| Crossing {
            what,
            checks: vec![check.to_owned()],
            expected: vec![Authority::VaultRoleBinding],
            source: list(from.login),
            target: list(to.login),
            sober: list(broken),
            attempts: list(attempt),
        };
        let role = |from: &Side, to: &Side| format!("{} logs in to {}'s Vault role {}", from.id.tenant, to.id.tenant, to.id.role);
        // an identity that opens another tenant's role is not its own any more
        let mut crossings = vec![binding(role(t, u), "SEC-01", t, u, foreign_role), binding(role(u, t), "SEC-02", u, t, own_role)];
        if wrong_audience.is_some() {
            let what = format!("{} logs in to its Vault role {} with a token for another audience", t.id.tenant, t.id.role);
            crossings.push(binding(what, "SEC-03", t, t, wrong_audience));
        }
        Ok(crossings)
    }

    fn side(&self, tenant: &TenantId) -> Result<Side, ProbeError> {
        let id = identity(&self.context.snapshot, &self.context.secrets, tenant).map_err(ProbeError::Cannot)?;
        let door = Door::of(&id.own, &self.nonce);
        Ok(Side { id, jwt: None, client: None, door, login: None, alive: Vec::new() })
    }

    async fn health(&mut self) -> Result<(), ProbeError> {
        let client = self.client.clone();
        let work = async {
            match client.open("sys/health", &[("standbyok", "true"), ("perfstandbyok", "true")]).await {
                Ok((status @ 200, _)) => Told::new(Outcome::Answered, "unsealed and active", status),
                Ok((status, _)) => Told::new(Outcome::Failed, "not ready to answer", status),
                Err(error) => failed(&error),
            }
        };
        let step = self.context.unless_cancelled(self.scribe.step("Vault: health".to_owned(), "vault".to_owned(), work)).await?;
        let well = step.outcome == Outcome::Answered;
        let why = format!("Vault can't be tried: {} ({})", step.said, step.code);
        self.steps.push(step);
        if well { Ok(()) } else { Err(ProbeError::Cannot(why)) }
    }
}

fn list(step: Option<usize>) -> Vec<usize> {
    step.into_iter().collect()
}

fn knock_outcome(error: &VaultError) -> Outcome {
    error.status.map_or(Outcome::Failed, |status| read_knock(status, error.kind != VaultErrorKind::NotVault, &error.first))
}

fn failed(error: &VaultError) -> Told {
    let code = error.status.map_or_else(|| error.kind.word().to_owned(), |status| status.to_string());
    Told::new(Outcome::Failed, error.first.clone(), code)
}
