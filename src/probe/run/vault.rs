//! Runs the Vault probe (`spec/vault.md` 2.5): two tenants' own sessions, each path knocked at without a value, tokens revoked whatever happens.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::hands::Hands;
use super::scribe::{Made, Scribe, Told, push};
use super::{Context, ProbeError};
use crate::model::event::Authority;
use crate::model::ids::{Name, TenantId};
use crate::probe::vault::{Door, Identity, child, identity, listing, read_knock, read_login};
use crate::receipt::{Crossing, Outcome, Step};
use crate::vault::client::Client;
use crate::vault::session::{self, Session};
use crate::vault::{VaultError, VaultErrorKind};

/// Steps of a whole run, about.
const STEPS: usize = 18;
/// Seconds a ServiceAccount's token lives: the least the API server gives.
const TOKEN_SECONDS: u32 = 600;
/// Longest time for revoking when a probe was ended.
const CLEANUP: Duration = Duration::from_secs(5);

/// Sessions that must not outlive the probe. What is still in it when it is dropped is revoked in the background.
#[derive(Default)]
struct Bag(Mutex<Vec<Session>>);

impl Bag {
    fn put(&self, session: Session) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(session);
    }

    fn len(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// The session at an index. It stays in the bag until it is revoked, in case the probe is dropped meanwhile.
    fn get(&self, index: usize) -> Option<Session> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(index).cloned()
    }

    fn remove(&self, index: usize) {
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if index < sessions.len() {
            sessions.remove(index);
        }
    }

    fn take(&self) -> Vec<Session> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Bag {
    fn drop(&mut self) {
        let left = self.take();
        if left.is_empty() {
            return;
        }
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                for session in left {
                    // it expires by itself within its lease; there is nobody left to tell
                    drop(tokio::time::timeout(CLEANUP, session::revoke(&session)).await);
                }
            });
        }
    }
}

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
    nonce: String,
}

impl<H: Hands> Probe<'_, '_, H> {
    async fn whole(&mut self, tenant: &TenantId, partner: &TenantId) -> Result<Vec<Crossing>, ProbeError> {
        self.health().await?;
        let mut t = self.side(tenant)?;
        let mut u = self.side(partner)?;
        for side in [&mut t, &mut u] {
            self.enter(side).await?;
            self.find_door(side).await?;
            let own = self.knock(side, side.client.clone(), &side.id.tenant, "").await?;
            side.alive.extend(own);
        }
        let source = [t.login].into_iter().flatten().chain(t.alive.iter().copied()).collect::<Vec<_>>();
        self.exists(&mut u).await?;
        let sober = self.nobody(&t).await?;
        let foreign = self.knock(&u, t.client.clone(), &t.id.tenant, "").await?;
        // the same token again: what was allowed before must be allowed now, or the 403 came from something else
        let again = self.knock(&t, t.client.clone(), &t.id.tenant, " again").await?;
        let foreign_role = self.try_role(&t, &u).await?;
        let own_role = self.try_role(&u, &t).await?;
        let broken = self.broken_login(&t).await?;
        let list = |step: Option<usize>| step.into_iter().collect::<Vec<_>>();
        let role = |from: &Side, to: &Side, check: &str, attempt: Option<usize>| Crossing {
            what: format!("{} logs in to {}'s Vault role {}", from.id.tenant, to.id.tenant, to.id.role),
            checks: vec![check.to_owned()],
            expected: vec![Authority::VaultRoleBinding],
            source: list(from.login),
            target: list(to.login),
            sober: list(broken),
            attempts: list(attempt),
        };
        Ok(vec![
            Crossing {
                what: format!("{} reads {}'s secret", t.id.tenant, u.id.tenant),
                checks: vec!["SEC-01".to_owned()],
                expected: vec![Authority::VaultAcl],
                source: source.into_iter().chain(again).collect(),
                target: u.alive.clone(),
                sober: list(sober),
                attempts: list(foreign),
            },
            // an identity that opens another tenant's role is not its own any more
            role(&t, &u, "SEC-01", foreign_role),
            role(&u, &t, "SEC-02", own_role),
        ])
    }

    fn side(&self, tenant: &TenantId) -> Result<Side, ProbeError> {
        let id = identity(&self.context.snapshot, tenant, self.context.namespaces(tenant)).map_err(ProbeError::Cannot)?;
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

    /// TokenRequest and login of a side.
    async fn enter(&mut self, side: &mut Side) -> Result<(), ProbeError> {
        let Some(jwt) = self.ask_token(&side.id, side.id.audience.as_ref()).await? else { return Ok(()) };
        let what = format!("{}: log in to its own Vault role {}", side.id.tenant, side.id.role);
        let (step, session) = self.login(what, &side.id, &jwt).await;
        side.login = Some(push(&mut self.steps, step));
        side.client = session;
        side.jwt = Some(jwt);
        Ok(())
    }

    /// A ServiceAccount's token for an audience.
    async fn ask_token(&mut self, id: &Identity, audience: Option<&Name>) -> Result<Option<SecretString>, ProbeError> {
        let Identity { tenant, namespace, service_account, .. } = id;
        let audiences: Vec<String> = audience.into_iter().map(Name::to_string).collect();
        let work = async {
            match self.context.hands.token(self.context.permit, namespace, service_account, &audiences, TOKEN_SECONDS).await {
                Ok(jwt) => (Told::new(Outcome::Answered, format!("given for {TOKEN_SECONDS} s"), 201), Some(jwt)),
                Err(refusal) => (Told::refused(&refusal), None),
            }
        };
        let what = format!("{tenant}: TokenRequest for ServiceAccount {namespace}/{service_account}");
        let (step, jwt) = self.context.unless_cancelled(self.scribe.step_with(what, "api".to_owned(), work)).await?;
        self.steps.push(step);
        Ok(jwt)
    }

    /// A login. Never abandoned half-way: a token that was made but not received could not be revoked.
    async fn login(&self, what: String, role: &Identity, jwt: &SecretString) -> (Step, Option<Client>) {
        let work = async {
            match session::login(&self.client, &role.mount, &role.role, jwt).await {
                Ok(session) => {
                    let said = format!("logged in; policies {}; lease {} s", session.policies.join(", "), session.lease);
                    let client = session.client.clone();
                    self.bag.put(session);
                    (Told::new(Outcome::Answered, said, 200), Some(client))
                }
                Err(error) => {
                    let told = Told { outcome: read_login(error.status, &error.first), ..failed(&error) };
                    (told, None)
                }
            }
        };
        self.scribe.step_with(what, "vault".to_owned(), work).await
    }

    /// Under a prefix, the name of something that is there, as far as the tenant may list; else a name that nobody has.
    async fn find_door(&mut self, side: &mut Side) -> Result<(), ProbeError> {
        let (Some(client), Some(path)) = (side.client.clone(), listing(&side.id.own)) else { return Ok(()) };
        let own = side.id.own.clone();
        let work = async move {
            match client.list(&path).await {
                Ok(answer) => {
                    let found = child(&own, &names(&answer));
                    let outcome = if found.is_some() { Outcome::Answered } else { Outcome::Failed };
                    (Told::new(outcome, if found.is_some() { "something is there" } else { "nothing is there" }, 200), found)
                }
                Err(error) => (Told { outcome: knock_outcome(&error), ..failed(&error) }, None),
            }
        };
        let what = format!("{}: list the names under its own path", side.id.tenant);
        let (step, found) = self.context.unless_cancelled(self.scribe.step_with(what, "vault".to_owned(), work)).await?;
        let outcome = step.outcome;
        let index = push(&mut self.steps, step);
        if let Some(found) = found {
            side.door = Door::of(&side.id.own, &found);
        } else if outcome == Outcome::Failed {
            // it may list, and there is nothing: a refusal there would prove nothing
            side.alive.push(index);
        }
        Ok(())
    }

    /// Knocks at a side's own path with somebody's session; the step's index. None without a session.
    async fn knock(&mut self, at: &Side, client: Option<Client>, who: &str, suffix: &str) -> Result<Option<usize>, ProbeError> {
        let Some(client) = client else { return Ok(None) };
        let owner = if at.id.tenant.as_ref() == who { "its own".to_owned() } else { format!("{}'s", at.id.tenant) };
        let what = format!("{who}: read {owner} {}{suffix}", at.door.alias());
        self.knock_as(&at.door, client, what).await.map(Some)
    }

    async fn knock_as(&mut self, door: &Door, client: Client, what: String) -> Result<usize, ProbeError> {
        let (path, query) = door.request();
        let work = async move {
            match client.knock(&path, query).await {
                Ok(verdict) => {
                    let outcome = read_knock(verdict.status, verdict.vaults, &verdict.said);
                    let said = if outcome == Outcome::Answered { "authorised; no value was asked for".to_owned() } else { verdict.said };
                    Told { request_id: verdict.request_id, ..Told::new(outcome, said, verdict.status) }
                }
                Err(error) => failed(&error),
            }
        };
        let step = self.context.unless_cancelled(self.scribe.step(what, "vault".to_owned(), work)).await?;
        Ok(push(&mut self.steps, step))
    }

    /// Shows that something is stored at a side's path, by its metadata. Where its policies hide that, the authorised knock has to do.
    async fn exists(&mut self, side: &mut Side) -> Result<(), ProbeError> {
        let (Some(client), Some(path)) = (side.client.clone(), side.door.metadata()) else { return Ok(()) };
        let work = async move {
            match client.knock(&path, &[]).await {
                Ok(verdict) if verdict.status == 200 => Told::new(Outcome::Answered, "it exists", 200),
                Ok(verdict) if verdict.status == 404 => Told::new(Outcome::Failed, "nothing is stored there", 404),
                Ok(verdict) => Told::new(read_knock(verdict.status, verdict.vaults, &verdict.said), verdict.said, verdict.status),
                Err(error) => failed(&error),
            }
        };
        let what = format!("{}: metadata of its own {}", side.id.tenant, side.door.alias());
        let step = self.context.unless_cancelled(self.scribe.step(what, "vault".to_owned(), work)).await?;
        let hidden = matches!(step.outcome, Outcome::Refused { .. });
        let index = push(&mut self.steps, step);
        if !hidden {
            side.alive.push(index);
        }
        Ok(())
    }

    /// A token that nobody was given must be refused everywhere, whatever the policies say.
    async fn nobody(&mut self, side: &Side) -> Result<Option<usize>, ProbeError> {
        let token = SecretString::from(format!("s.{}", self.nonce));
        let client = self.client.with_token(Some(token));
        let what = format!("nobody: read {}'s {} with a token that was never given", side.id.tenant, side.door.alias());
        self.knock_as(&side.door, client, what).await.map(Some)
    }

    /// Tries one side's ServiceAccount on the other's role. A session that should not exist is revoked at once.
    async fn try_role(&mut self, from: &Side, to: &Side) -> Result<Option<usize>, ProbeError> {
        let Some(own) = &from.jwt else { return Ok(None) };
        // a token for the wrong audience would be refused for that, and say nothing about the binding
        let fitting = if from.id.audience == to.id.audience { None } else { self.ask_token(&from.id, to.id.audience.as_ref()).await? };
        let jwt = fitting.as_ref().unwrap_or(own);
        if self.context.cancel.is_cancelled() {
            return Err(ProbeError::Cancelled);
        }
        let before = self.bag.len();
        let what = format!("{}: log in to {}'s Vault role {}", from.id.tenant, to.id.tenant, to.id.role);
        let (step, _) = self.login(what, &to.id, jwt).await;
        let index = push(&mut self.steps, step);
        self.revoke_from(before).await;
        Ok(Some(index))
    }

    /// A JWT with a broken signature must be refused by the role that admits the whole one.
    async fn broken_login(&mut self, side: &Side) -> Result<Option<usize>, ProbeError> {
        let Some(jwt) = &side.jwt else { return Ok(None) };
        if self.context.cancel.is_cancelled() {
            return Err(ProbeError::Cancelled);
        }
        let broken = SecretString::from(without_signature(jwt.expose_secret()));
        let what = format!("nobody: log in to {}'s Vault role {} with a broken token", side.id.tenant, side.id.role);
        let (step, _) = self.login(what, &side.id, &broken).await;
        Ok(Some(push(&mut self.steps, step)))
    }

    /// Revokes what is in the bag from an index on, and writes down what could not be revoked.
    async fn revoke_from(&mut self, first: usize) {
        while let Some(session) = self.bag.get(first) {
            let lease = session.lease;
            let work = async {
                match tokio::time::timeout(CLEANUP, session::revoke(&session)).await {
                    Ok(Ok(())) => Told::new(Outcome::Answered, "revoked", 204),
                    Ok(Err(error)) => Told { said: format!("{}; it expires within {lease} s", error.first), ..failed(&error) },
                    Err(_) => Told::new(Outcome::Failed, format!("no answer; it expires within {lease} s"), ""),
                }
            };
            let step = self.scribe.step("Vault: revoke a session of this probe".to_owned(), "vault".to_owned(), work).await;
            self.steps.push(step);
            self.bag.remove(first);
        }
    }
}

/// The names of a LIST answer, and nothing else of it.
fn names(answer: &serde_json::Value) -> Vec<Name> {
    let keys = answer.pointer("/data/keys").and_then(serde_json::Value::as_array);
    keys.into_iter().flatten().filter_map(|key| key.as_str()).map(Name::from).collect()
}

/// The token with a signature that fits nothing.
fn without_signature(jwt: &str) -> String {
    let body = jwt.rsplit_once('.').map_or(jwt, |(body, _)| body);
    format!("{body}.{}", "A".repeat(342))
}

fn knock_outcome(error: &VaultError) -> Outcome {
    error.status.map_or(Outcome::Failed, |status| read_knock(status, error.kind != VaultErrorKind::NotVault, &error.first))
}

fn failed(error: &VaultError) -> Told {
    let code = error.status.map_or_else(|| error.kind.word().to_owned(), |status| status.to_string());
    Told::new(Outcome::Failed, error.first.clone(), code)
}
