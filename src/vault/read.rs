//! One reading of a server: every part with a state of its own, because each is guarded by its own policy line.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;

use futures::StreamExt as _;
use futures::stream;

use super::client::Client;
use super::error::{VaultError, VaultErrorKind};
use super::project;
use crate::model::ids::Name;
use crate::model::source::SourceState;
use crate::model::text::clean;
use crate::model::time::Time;
use crate::model::vault::{AuthMount, Flavour, Part, VaultFacts, VaultPolicy, VaultRole, VaultServer};

/// So many requests at once.
const AT_ONCE: usize = 4;
/// Renew when less than this share of the lease is left: a third, that is at two thirds of its life.
const RENEW_BELOW: u64 = 3;

/// How one reading went: the worst that happened, for the back-off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Round {
    /// Everything that may be read was read.
    Fine,
    /// Something failed that should not.
    Troubled,
    /// The server asks for less.
    Limited,
}

/// Health and flavour. `since` of a bad state is kept while it stays as bad.
pub(super) async fn server(client: &Client, before: &VaultServer, now: Time) -> VaultServer {
    let health = client.open("sys/health", &[("standbyok", "true"), ("perfstandbyok", "true")]).await;
    match health {
        Ok((status, health)) => {
            let seal = client.open("sys/seal-status", &[]).await.ok().filter(|(status, _)| *status == 200).map(|(_, value)| value);
            let mut server = project::server(&health, seal.as_ref());
            let known = health.get("initialized").is_some() || health.get("sealed").is_some();
            server.state = match (known, server.initialized, server.sealed) {
                (false, _, _) => bad(&before.state, &format!("not Vault: HTTP {status} without Vault's fields"), now),
                (true, false, _) => bad(&before.state, "not initialised", now),
                (true, true, true) => bad(&before.state, "sealed", now),
                (true, true, false) => SourceState::Live,
            };
            server
        }
        Err(error) => VaultServer { state: bad(&before.state, &error.to_string(), now), ..before.clone() },
    }
}

/// The state of a source that can't be read now: stale when it was read before, else down.
pub(super) fn bad(before: &SourceState, why: &str, now: Time) -> SourceState {
    let why: Name = clean(why).into();
    match before {
        SourceState::Stale { since, .. } => SourceState::Stale { since: *since, why },
        SourceState::Live => SourceState::Stale { since: now, why },
        SourceState::Down { since, .. } => SourceState::Down { since: *since, why },
        _ => SourceState::Down { since: now, why },
    }
}

/// Makes every part as bad as the server is, keeping what was read.
pub(super) fn darken(facts: &mut VaultFacts, why: &str, now: Time) {
    // a refusal says more than an outage does, and outlives it
    let darker = |state: &SourceState| if matches!(state, SourceState::Denied { .. }) { state.clone() } else { bad(state, why, now) };
    facts.token = darker(&facts.token);
    facts.auth_mounts.state = darker(&facts.auth_mounts.state);
    facts.policies.state = darker(&facts.policies.state);
    facts.secret_mounts.state = darker(&facts.secret_mounts.state);
    for part in facts.kubernetes.values_mut() {
        part.state = darker(&part.state);
    }
}

/// Marks everything that needs a token as denied.
pub(super) fn deny(facts: &mut VaultFacts, why: &str) {
    let state = SourceState::Denied { why: clean(why).into() };
    facts.token = state.clone();
    facts.auth_mounts.state = state.clone();
    facts.policies.state = state.clone();
    facts.secret_mounts.state = state.clone();
    for part in facts.kubernetes.values_mut() {
        part.state = state.clone();
    }
}

/// Reads everything that needs our token into `facts`.
pub(super) async fn everything(client: &Client, facts: &mut VaultFacts, now: Time) -> Round {
    let mut round = Round::Fine;
    facts.token = token(client, &facts.token, now, &mut round).await;
    let mounts = client.get("sys/auth").await.map(|answer| project::auth_mounts(&answer));
    settle(&mut facts.auth_mounts, mounts.map(|items| (items, BTreeMap::new())), "sys/auth", "read", now, &mut round);
    let mounts = client.get("sys/mounts").await.map(|answer| project::secret_mounts(&answer));
    settle(&mut facts.secret_mounts, mounts.map(|items| (items, BTreeMap::new())), "sys/mounts", "read", now, &mut round);
    let policies = policies(client, facts.server.flavour).await;
    settle(&mut facts.policies, policies, "sys/policies/acl", "list", now, &mut round);
    if facts.auth_mounts.state == SourceState::Live {
        let mounts: Vec<Name> =
            facts.auth_mounts.items.iter().filter(|(_, mount)| is_kubernetes(mount)).map(|(path, _)| path.clone()).collect();
        facts.kubernetes.retain(|mount, _| mounts.contains(mount));
        for mount in mounts {
            let part = facts.kubernetes.entry(mount.clone()).or_default();
            settle(part, roles(client, &mount).await, &format!("auth/{mount}/role"), "list", now, &mut round);
        }
    } else {
        let state = &facts.auth_mounts.state;
        for part in facts.kubernetes.values_mut() {
            part.state = if matches!(state, SourceState::Denied { .. }) {
                state.clone()
            } else {
                bad(&part.state, "the auth mounts could not be read", now)
            };
        }
    }
    round
}

fn is_kubernetes(mount: &AuthMount) -> bool {
    mount.kind.as_ref() == "kubernetes"
}

type Rows<V> = (BTreeMap<Name, V>, BTreeMap<Name, Name>);

/// Puts what was read into its part, or the reason why it could not be.
fn settle<V: PartialEq>(
    part: &mut Part<Name, V>,
    read: Result<Rows<V>, VaultError>,
    path: &str,
    capability: &str,
    now: Time,
    round: &mut Round,
) {
    match read {
        Ok((items, unreadable)) => {
            part.state = SourceState::Live;
            // what did not change stays shared with older snapshots
            if *part.items != items {
                part.items = Arc::new(items);
            }
            if *part.unreadable != unreadable {
                part.unreadable = Arc::new(unreadable);
            }
        }
        Err(error) => {
            *round = (*round).max(severity(&error));
            part.state = match error.kind {
                VaultErrorKind::Denied => SourceState::Denied { why: line_missing(&error, path, capability).into() },
                _ => bad(&part.state, &format!("{path}: {error}"), now),
            };
        }
    }
}

/// Why a part is denied, with the policy line that would let us read it.
fn line_missing(error: &VaultError, path: &str, capability: &str) -> String {
    clean(&format!("{}; our policy lacks: path \"{path}\" {{ capabilities = [\"{capability}\"] }}", error.first))
}

const fn severity(error: &VaultError) -> Round {
    match error.kind {
        VaultErrorKind::Denied | VaultErrorKind::NotFound => Round::Fine,
        VaultErrorKind::RateLimited => Round::Limited,
        _ => Round::Troubled,
    }
}

/// Looks our own token up, and renews it when two thirds of its lease are over.
async fn token(client: &Client, before: &SourceState, now: Time, round: &mut Round) -> SourceState {
    let library = client.library();
    match vaultrs::token::lookup_self(&library).await {
        Ok(own) => {
            let due = own.ttl > 0 && own.ttl.saturating_mul(RENEW_BELOW) < own.creation_ttl;
            if own.renewable == Some(true)
                && due
                && let Err(error) = vaultrs::token::renew_self(&library, None).await
            {
                let error = VaultError::from_library(&error);
                tracing::warn!(reason = %error, "the Vault token could not be renewed");
            }
            SourceState::Live
        }
        Err(error) => {
            let error = VaultError::from_library(&error);
            *round = (*round).max(severity(&error));
            if error.kind == VaultErrorKind::Denied {
                let line = line_missing(&error, "auth/token/lookup-self", "read");
                SourceState::Denied { why: format!("the token is invalid or expired, or {line}").into() }
            } else {
                bad(before, &error.to_string(), now)
            }
        }
    }
}

/// All ACL policies: OpenBao gives them at once, Vault one by one.
async fn policies(client: &Client, flavour: Flavour) -> Result<Rows<VaultPolicy>, VaultError> {
    if flavour == Flavour::OpenBao
        && let Ok(answer) = client.list("sys/policies/detailed/acl").await
        && let Some(items) = project::detailed_policies(&answer)
    {
        return Ok((items, BTreeMap::new()));
    }
    let names = match client.list("sys/policies/acl").await {
        Ok(answer) => project::keys(&answer),
        Err(error) if error.kind == VaultErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    // root has no text
    let names = names.into_iter().filter(|name| name.as_ref() != "root").collect();
    each(names, |name| {
        let path = format!("sys/policies/acl/{name}");
        async move { (client.get(&path).await.map(|answer| project::policy(&answer)), path) }
    })
    .await
}

/// The roles of a Kubernetes auth mount.
async fn roles(client: &Client, mount: &Name) -> Result<Rows<VaultRole>, VaultError> {
    let names = match vaultrs::auth::kubernetes::role::list(&client.library(), mount).await {
        Ok(answer) => answer.keys.into_iter().map(Name::from).collect(),
        Err(error) => match VaultError::from_library(&error) {
            // an empty list is a 404
            error if error.kind == VaultErrorKind::NotFound => Vec::new(),
            error => return Err(error),
        },
    };
    each(names, |name| {
        let path = format!("auth/{mount}/role/{name}");
        async move { (client.get(&path).await.map(|answer| project::role(&answer)), path) }
    })
    .await
}

/// Reads items one by one, few at a time. A single item that is denied or odd is recorded with its reason; an outage fails the whole.
async fn each<V, F>(names: Vec<Name>, read: impl Fn(Name) -> F) -> Result<Rows<V>, VaultError>
where
    F: Future<Output = (Result<Option<V>, VaultError>, String)>,
{
    let (mut items, mut unreadable) = (BTreeMap::new(), BTreeMap::new());
    let mut answers = stream::iter(names.into_iter().map(|name| {
        let answer = read(name.clone());
        async move { (name, answer.await) }
    }))
    .buffer_unordered(AT_ONCE);
    while let Some((name, (answer, path))) = answers.next().await {
        match answer {
            Ok(Some(item)) => {
                items.insert(name, item);
            }
            Ok(None) => {
                unreadable.insert(name, "an answer without the fields we need".into());
            }
            // deleted between the list and the read
            Err(error) if error.kind == VaultErrorKind::NotFound => {}
            Err(error) if error.kind == VaultErrorKind::Denied => {
                unreadable.insert(name, line_missing(&error, &path, "read").into());
            }
            Err(error) if error.kind == VaultErrorKind::Malformed => {
                unreadable.insert(name, clean(&error.to_string()).into());
            }
            Err(error) => return Err(error),
        }
    }
    Ok((items, unreadable))
}
