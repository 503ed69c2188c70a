//! A tenant's own short session with Vault, for a probe: login, revocation. The token never leaves [`SecretString`].

use secrecy::{ExposeSecret, SecretString};

use super::client::Client;
use super::error::VaultError;
use crate::model::text::clean_to;

/// A session of a tenant.
#[derive(Clone)]
pub struct Session {
    /// The client with the tenant's token.
    pub client: Client,
    /// Names of the policies the login ended up with, cleaned.
    pub policies: Vec<String>,
    /// Lease in seconds.
    pub lease: u64,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("policies", &self.policies).field("lease", &self.lease).finish_non_exhaustive()
    }
}

/// Logs in with a ServiceAccount's token.
pub async fn login(client: &Client, mount: &str, role: &str, jwt: &SecretString) -> Result<Session, VaultError> {
    let library = client.with_token(None).library();
    let auth = vaultrs::auth::kubernetes::login(&library, mount, role, jwt.expose_secret())
        .await
        .map_err(|error| VaultError::from_library(&error))?;
    Ok(Session {
        policies: auth.policies.iter().map(|name| clean_to(name, 64)).collect(),
        lease: auth.lease_duration,
        client: client.with_token(Some(SecretString::from(auth.client_token))),
    })
}

/// Revokes a session's own token. A token whose policies do not allow that is left to expire, and the error says so.
pub async fn revoke(session: &Session) -> Result<(), VaultError> {
    vaultrs::token::revoke_self(&session.client.library()).await.map_err(|error| VaultError::from_library(&error))
}
