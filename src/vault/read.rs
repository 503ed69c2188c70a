//! One reading of a server: every part with a state of its own, because each is guarded by its own policy line.

mod items;
mod turns;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use self::items::refresh;
use self::turns::Turns;
use super::client::Client;
use super::error::{VaultError, VaultErrorKind};
use super::{operator, project};
use crate::model::ids::Name;
use crate::model::source::SourceState;
use crate::model::text::clean;
use crate::model::time::Time;
use crate::model::vault::{AuthMount, Flavour, Part, VaultFacts, VaultServer};

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

/// What is remembered from one reading to the next: when every item was read.
#[derive(Debug, Default)]
pub(super) struct Memory {
    policies: Turns,
    configs: Turns,
    roles: BTreeMap<Name, Turns>,
    entities: Turns,
    groups: Turns,
}

/// One reading under way.
#[derive(Debug)]
pub(super) struct Reading<'a> {
    client: &'a Client,
    /// When it began.
    now: Time,
    /// Every item is read, however many there are.
    whole: bool,
    /// The configured time between two readings.
    poll: Duration,
    /// How it went.
    pub(super) round: Round,
    /// How long the server asks to be left alone.
    pub(super) wait: Option<Duration>,
    /// It was cut short by a rate limit after it had read something new: what is left can be had soon.
    pub(super) progress: bool,
    age: u32,
}

impl<'a> Reading<'a> {
    /// A reading with a client that has our token.
    pub(super) const fn new(client: &'a Client, now: Time, whole: bool, poll: Duration) -> Self {
        Self { client, now, whole, poll, round: Round::Fine, wait: None, progress: false, age: 0 }
    }

    fn trouble(&mut self, error: &VaultError) {
        self.round = self.round.max(severity(error));
        self.wait = self.wait.max(error.retry_after);
    }

    fn age(&mut self, turns: &Turns) {
        self.age = self.age.max(turns.age(self.poll, self.now));
    }
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

/// The states of all parts that need our token.
pub(super) fn states(facts: &mut VaultFacts) -> impl Iterator<Item = &mut SourceState> {
    let fixed = [
        &mut facts.token,
        &mut facts.auth_mounts.state,
        &mut facts.kubernetes_config.state,
        &mut facts.policies.state,
        &mut facts.secret_mounts.state,
        &mut facts.entities.state,
        &mut facts.groups.state,
        &mut facts.namespaces.state,
    ];
    fixed.into_iter().chain(facts.kubernetes.values_mut().map(|part| &mut part.state))
}

/// Makes every part as bad as the server is, keeping what was read. What comes after is read whole.
pub(super) fn darken(facts: &mut VaultFacts, memory: &mut Memory, why: &str, now: Time) {
    *memory = Memory::default();
    // a refusal says more than an outage does, and outlives it
    for state in states(facts).filter(|state| !matches!(state, SourceState::Denied { .. })) {
        *state = bad(state, why, now);
    }
}

/// Marks everything that needs a token as denied.
pub(super) fn deny(facts: &mut VaultFacts, memory: &mut Memory, why: &str) {
    *memory = Memory::default();
    let denied = SourceState::Denied { why: clean(why).into() };
    for state in states(facts) {
        *state = denied.clone();
    }
}

/// Reads everything that needs our token into `facts`.
pub(super) async fn everything(reading: &mut Reading<'_>, facts: &mut VaultFacts, memory: &mut Memory) {
    let client = reading.client;
    facts.token = token(reading, &facts.token).await;
    let mounts = client.get("sys/auth").await.map(|answer| project::auth_mounts(&answer));
    settle(reading, &mut facts.auth_mounts, mounts, ("sys/auth", "read"));
    let mounts = client.get("sys/mounts").await.map(|answer| project::secret_mounts(&answer));
    settle(reading, &mut facts.secret_mounts, mounts, ("sys/mounts", "read"));
    policies(reading, facts, memory).await;
    if facts.auth_mounts.state == SourceState::Live {
        logins(reading, facts, memory).await;
    } else {
        unseen_logins(facts, reading.now);
    }
    groups(reading, facts, memory).await;
    namespaces(reading, facts).await;
    facts.item_age = reading.age;
}

/// What hangs on the auth mounts: the Kubernetes ones' settings and roles, and who ever logged in through them.
async fn logins(reading: &mut Reading<'_>, facts: &mut VaultFacts, memory: &mut Memory) {
    let mounts = &facts.auth_mounts.items;
    let ours = || mounts.iter().filter(|(_, mount)| is_kubernetes(mount));
    let paths: Vec<Name> = ours().map(|(path, _)| path.clone()).collect();
    let accessors: BTreeSet<Name> = ours().map(|(_, mount)| mount.accessor.clone()).collect();
    configs(reading, facts, memory, paths.clone()).await;
    facts.kubernetes.retain(|mount, _| paths.contains(mount));
    memory.roles.retain(|mount, _| paths.contains(mount));
    for mount in &paths {
        let part = facts.kubernetes.entry(mount.clone()).or_default();
        roles(reading, part, memory.roles.entry(mount.clone()).or_default(), mount).await;
    }
    entities(reading, facts, memory, &accessors).await;
}

/// Without the list of auth mounts nobody knows which roles and identities there are to look for.
fn unseen_logins(facts: &mut VaultFacts, now: Time) {
    let mounts = facts.auth_mounts.state.clone();
    let denied = matches!(mounts, SourceState::Denied { .. });
    let parts = [&mut facts.kubernetes_config.state, &mut facts.entities.state].into_iter();
    for state in parts.chain(facts.kubernetes.values_mut().map(|part| &mut part.state)) {
        *state = if denied { mounts.clone() } else { bad(state, "the auth mounts could not be read", now) };
    }
}

fn is_kubernetes(mount: &AuthMount) -> bool {
    mount.kind.as_ref() == "kubernetes"
}

/// Puts what was read into its part, or the reason why it could not be. `(path, capability)` is what was asked for.
fn settle<V: PartialEq>(
    reading: &mut Reading<'_>,
    part: &mut Part<Name, V>,
    read: Result<BTreeMap<Name, V>, VaultError>,
    (path, capability): (&str, &str),
) {
    match read {
        Ok(items) => {
            part.state = SourceState::Live;
            // what did not change stays shared with older snapshots
            if *part.items != items {
                part.items = Arc::new(items);
            }
            if !part.unreadable.is_empty() {
                part.unreadable = Arc::default();
            }
        }
        Err(error) => {
            reading.trouble(&error);
            part.state = match error.kind {
                VaultErrorKind::Denied => SourceState::Denied { why: line_missing(&error, path, capability).into() },
                _ => bad(&part.state, &format!("{path}: {error}"), reading.now),
            };
        }
    }
}

/// Settles a part whose list could not be read.
fn unlisted<V: PartialEq>(reading: &mut Reading<'_>, turns: &mut Turns, part: &mut Part<Name, V>, error: VaultError, path: &str) {
    if error.kind != VaultErrorKind::RateLimited {
        *turns = Turns::default();
    }
    settle(reading, part, Err(error), (path, "list"));
}

/// An empty list is a 404.
fn listed(answer: Result<serde_json::Value, VaultError>) -> Result<serde_json::Value, VaultError> {
    match answer {
        Err(error) if error.kind == VaultErrorKind::NotFound => Ok(serde_json::Value::Null),
        other => other,
    }
}

/// Why a part is denied, with the policy line that would let us read it.
fn line_missing(error: &VaultError, path: &str, capability: &str) -> String {
    clean(&format!("{}; our policy lacks: {}", error.first, operator::missing(path, capability)))
}

const fn severity(error: &VaultError) -> Round {
    match error.kind {
        VaultErrorKind::Denied | VaultErrorKind::NotFound => Round::Fine,
        VaultErrorKind::RateLimited => Round::Limited,
        _ => Round::Troubled,
    }
}

/// Looks our own token up, and renews it when two thirds of its lease are over.
async fn token(reading: &mut Reading<'_>, before: &SourceState) -> SourceState {
    let library = reading.client.library();
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
            reading.trouble(&error);
            if error.kind == VaultErrorKind::Denied {
                let line = line_missing(&error, "auth/token/lookup-self", "read");
                SourceState::Denied { why: format!("the token is invalid or expired, or {line}").into() }
            } else {
                bad(before, &error.to_string(), reading.now)
            }
        }
    }
}

/// All ACL policies: OpenBao gives them at once, Vault one by one.
async fn policies(reading: &mut Reading<'_>, facts: &mut VaultFacts, memory: &mut Memory) {
    let (client, part, turns) = (reading.client, &mut facts.policies, &mut memory.policies);
    if facts.server.flavour == Flavour::OpenBao
        && let Ok(answer) = client.list("sys/policies/detailed/acl").await
        && let Some(items) = project::detailed_policies(&answer)
    {
        *turns = Turns::default();
        settle(reading, part, Ok(items), ("sys/policies/detailed/acl", "list"));
        return;
    }
    let path = "sys/policies/acl";
    match listed(client.list(path).await) {
        Ok(answer) => {
            // root has no text
            let names = project::keys(&answer).into_iter().filter(|name| name.as_ref() != "root").collect();
            refresh(reading, turns, part, (path, names), |name| async move {
                let path = format!("sys/policies/acl/{name}");
                (client.get(&path).await.map(|answer| project::policy(&answer)), path)
            })
            .await;
        }
        Err(error) => unlisted(reading, turns, part, error, path),
    }
}

/// The settings of the Kubernetes auth mounts. A mount without any is in neither list.
async fn configs(reading: &mut Reading<'_>, facts: &mut VaultFacts, memory: &mut Memory, mounts: Vec<Name>) {
    let client = reading.client;
    refresh(reading, &mut memory.configs, &mut facts.kubernetes_config, ("auth/…/config", mounts), |mount| async move {
        let path = format!("auth/{mount}/config");
        (client.get(&path).await.map(|answer| project::kubernetes_config(&answer)), path)
    })
    .await;
}

/// The roles of a Kubernetes auth mount.
async fn roles(reading: &mut Reading<'_>, part: &mut Part<Name, crate::model::vault::VaultRole>, turns: &mut Turns, mount: &Name) {
    let (client, path) = (reading.client, format!("auth/{mount}/role"));
    match listed(client.list(&path).await) {
        Ok(answer) => {
            refresh(reading, turns, part, (&path, project::keys(&answer)), |name| async move {
                let path = format!("auth/{mount}/role/{name}");
                (client.get(&path).await.map(|answer| project::role(&answer)), path)
            })
            .await;
        }
        Err(error) => unlisted(reading, turns, part, error, &path),
    }
}

/// The entities that log in through one of these mounts; whoever never did has no say about tenants and is only counted.
async fn entities(reading: &mut Reading<'_>, facts: &mut VaultFacts, memory: &mut Memory, accessors: &BTreeSet<Name>) {
    let (client, path) = (reading.client, "identity/entity/id");
    match listed(client.list(path).await) {
        Ok(answer) => {
            let (ours, others) = project::entities_at(&answer, accessors);
            facts.entities_elsewhere = others;
            refresh(reading, &mut memory.entities, &mut facts.entities, (path, ours), |id| async move {
                let path = format!("identity/entity/id/{id}");
                (client.get(&path).await.map(|answer| project::entity(&answer)), path)
            })
            .await;
        }
        Err(error) => unlisted(reading, &mut memory.entities, &mut facts.entities, error, path),
    }
}

/// The groups.
async fn groups(reading: &mut Reading<'_>, facts: &mut VaultFacts, memory: &mut Memory) {
    let (client, path) = (reading.client, "identity/group/id");
    match listed(client.list(path).await) {
        Ok(answer) => {
            refresh(reading, &mut memory.groups, &mut facts.groups, (path, project::keys(&answer)), |id| async move {
                let path = format!("identity/group/id/{id}");
                (client.get(&path).await.map(|answer| project::group(&answer)), path)
            })
            .await;
        }
        Err(error) => unlisted(reading, &mut memory.groups, &mut facts.groups, error, path),
    }
}

/// Child namespaces. A server without namespaces refuses the path in words; where there are none, the 404 has no words.
async fn namespaces(reading: &mut Reading<'_>, facts: &mut VaultFacts) {
    let path = "sys/namespaces";
    match reading.client.list(path).await {
        Err(error) if error.kind == VaultErrorKind::NotFound && !error.silent => {
            facts.namespaces = Part { state: SourceState::Absent, ..Part::default() };
        }
        answer => {
            let names = listed(answer).map(|answer| project::namespaces(&answer).map(|name| (name, ())).collect());
            settle(reading, &mut facts.namespaces, names, (path, "list"));
        }
    }
}
