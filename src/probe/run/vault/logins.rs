//! Logging in as a tenant's ServiceAccount: to its own role, to others', with what must be refused; and out again.

use secrecy::{ExposeSecret, SecretString};

use super::super::ProbeError;
use super::super::hands::Hands;
use super::super::scribe::{Told, push};
use super::bag::CLEANUP;
use super::{Probe, Side, failed};
use crate::model::ids::Name;
use crate::probe::vault::{Identity, read_login};
use crate::receipt::{Outcome, Step};
use crate::vault::client::Client;
use crate::vault::session;

/// Seconds a ServiceAccount's token lives: the least the API server gives.
const TOKEN_SECONDS: u32 = 600;

impl<H: Hands> Probe<'_, '_, H> {
    /// TokenRequest and login of a side.
    pub(super) async fn enter(&mut self, side: &mut Side) -> Result<(), ProbeError> {
        let Some(jwt) = self.ask_token(&side.id, side.id.audience.as_ref()).await? else { return Ok(()) };
        let what = format!("{}: log in to its own Vault role {}", side.id.tenant, side.id.role);
        let (step, session) = self.login(what, &side.id, &jwt).await;
        side.login = Some(push(&mut self.steps, step));
        side.client = session;
        side.jwt = Some(jwt);
        Ok(())
    }

    /// A ServiceAccount's token for an audience.
    pub(super) async fn ask_token(&mut self, id: &Identity, audience: Option<&Name>) -> Result<Option<SecretString>, ProbeError> {
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
    pub(super) async fn login(&self, what: String, role: &Identity, jwt: &SecretString) -> (Step, Option<Client>) {
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

    /// Tries one side's ServiceAccount on the other's role. A session that should not exist is revoked at once.
    pub(super) async fn try_role(&mut self, from: &Side, to: &Side) -> Result<Option<usize>, ProbeError> {
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
    pub(super) async fn broken_login(&mut self, side: &Side) -> Result<Option<usize>, ProbeError> {
        let Some(jwt) = &side.jwt else { return Ok(None) };
        if self.context.cancel.is_cancelled() {
            return Err(ProbeError::Cancelled);
        }
        let broken = SecretString::from(without_signature(jwt.expose_secret()));
        let what = format!("nobody: log in to {}'s Vault role {} with a broken token", side.id.tenant, side.id.role);
        let (step, _) = self.login(what, &side.id, &broken).await;
        Ok(Some(push(&mut self.steps, step)))
    }

    /// Tries a token for an audience that nobody has with a side's own role, if that pins one: else there is nothing to try. A session that should
    /// not exist is revoked at once.
    pub(super) async fn wrong_audience(&mut self, side: &Side) -> Result<Option<usize>, ProbeError> {
        if side.jwt.is_none() || side.id.audience.is_none() {
            return Ok(None);
        }
        let audience: Name = self.nonce.as_str().into();
        let Some(jwt) = self.ask_token(&side.id, Some(&audience)).await? else { return Ok(None) };
        if self.context.cancel.is_cancelled() {
            return Err(ProbeError::Cancelled);
        }
        let before = self.bag.len();
        let what = format!("{}: log in to its own Vault role {} with a token for another audience", side.id.tenant, side.id.role);
        let (step, _) = self.login(what, &side.id, &jwt).await;
        let index = push(&mut self.steps, step);
        self.revoke_from(before).await;
        Ok(Some(index))
    }

    /// Revokes what is in the bag from an index on, and writes down what could not be revoked.
    pub(super) async fn revoke_from(&mut self, first: usize) {
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

/// The token with a signature that fits nothing.
fn without_signature(jwt: &str) -> String {
    let body = jwt.rsplit_once('.').map_or(jwt, |(body, _)| body);
    format!("{body}.{}", "A".repeat(342))
}
