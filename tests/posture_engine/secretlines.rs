//! The secret wall in scenario tables: roles, policies, mounts, stores, what asks, what was refused.

use std::collections::BTreeMap;
use std::sync::Arc;

use partywall::model::changes::Fact;
use partywall::model::consumer::{
    AuthSpec, Condition, ConnectionSpec, ConsumerFact, ConsumerSpec, EntryKind, ExternalSpec, NamespaceChoice, OperatorSpec, SecretEntry,
    SecretMetaFact, SecretUse, StoreRef, UseKind,
};
use partywall::model::event::{Authority, RefusalFact};
use partywall::model::ids::{Name, ObjectRef};
use partywall::model::kind::Kind;
use partywall::model::secretstore::{SecretStoreFact, VaultProvider};
use partywall::model::source::SourceState;
use partywall::model::time::MINUTE;
use partywall::model::vault::{EntityFact, GroupFact, KubernetesConfig, VaultFacts, VaultPolicy, VaultRole};
use serde::Deserialize;

use crate::facts::*;

fn names(list: &[String]) -> Box<[Name]> {
    list.iter().map(|text| Name::from(text.as_str())).collect()
}

/// Everything of the secret wall that differs from the walkthrough.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct Secrets {
    /// Fields of acme's role.
    role: Option<RoleMore>,
    /// More roles.
    roles: BTreeMap<String, RoleLine>,
    /// Policies, by name; an empty text takes one away.
    policies: BTreeMap<String, String>,
    mount: Option<MountLine>,
    /// Parts of Vault that are not seen: `identity`, `mounts`, `config`, `policies`, `namespaces`, to a state.
    parts: BTreeMap<String, String>,
    /// Single policies that may not be read.
    hidden: Vec<String>,
    /// A group of acme's entity, with these policies.
    group: Vec<String>,
    /// ClusterSecretStores.
    cluster: Vec<StoreLine>,
    /// ExternalSecrets of acme.
    asks: Vec<AskLine>,
    /// ... and of globex.
    globex_asks: Vec<AskLine>,
    /// Secrets that workloads take.
    takes: Vec<TakeLine>,
    globex_takes: Vec<TakeLine>,
    /// `token NAME` or `tls NAME`: Secrets by type.
    typed: Vec<String>,
    /// What Vault refused.
    denials: Vec<DenialLine>,
    /// VaultAuths: `NAMESPACE/NAME`, with the namespaces that are allowed.
    auths: BTreeMap<String, Vec<String>>,
    /// A VaultStaticSecret of acme.
    operator: bool,
    /// VaultConnections: address, or `skip` for one that checks nothing.
    connections: Vec<String>,
    /// A Deployment of External Secrets: pods ready.
    controller: Option<u32>,
    /// The store's Ready condition.
    store_ready: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct RoleMore {
    audience: Option<String>,
    ttl: Option<u64>,
    max_ttl: u64,
    period: u64,
    by_name: bool,
    policies: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RoleLine {
    accounts: Vec<String>,
    namespaces: Vec<String>,
    policies: Vec<String>,
    #[serde(default)]
    selector: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct MountLine {
    ca: bool,
    reviewer: bool,
    local: bool,
    issuer_checked: bool,
    host: String,
    missing: bool,
}

impl Default for MountLine {
    fn default() -> Self {
        Self { ca: true, reviewer: false, local: true, issuer_checked: false, host: "https://10.96.0.1:443".into(), missing: false }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StoreLine {
    name: String,
    /// `NAMESPACE/NAME`, `NAME` of whoever uses it, or none for the controller's.
    account: Option<String>,
    #[serde(default)]
    other_auth: Option<String>,
    /// Namespaces by name; a `~` before is a regular expression, a `?` a selector.
    #[serde(default)]
    only: Vec<String>,
    #[serde(default)]
    role: Option<String>,
    #[serde(default)]
    elsewhere: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AskLine {
    name: String,
    /// `CSS/name` for a ClusterSecretStore, else a SecretStore.
    #[serde(default = "vault_store")]
    store: String,
    key: String,
    #[serde(default)]
    property: Option<String>,
    /// Secret made, and key of it.
    #[serde(default)]
    target: Option<String>,
    #[serde(default)]
    target_key: Option<String>,
    /// `data`, `extract`, `find`, `push`.
    #[serde(default)]
    how: String,
    /// `True`, or `False REASON`.
    #[serde(default)]
    ready: Option<String>,
    /// Minutes ago, and the interval in minutes.
    #[serde(default)]
    refreshed: Option<(i64, i64)>,
}

fn vault_store() -> String {
    "vault".into()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TakeLine {
    secret: String,
    /// `VARIABLE KEY` from the environment; none for everything.
    #[serde(default)]
    env: Option<String>,
    /// Keys and files of a volume; an empty list for everything.
    #[serde(default)]
    volume: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DenialLine {
    object: String,
    path: String,
    minutes: i64,
}

fn choice(only: &[String]) -> Box<[NamespaceChoice]> {
    let one = |text: &String| match text.split_at(1) {
        ("~", pattern) => NamespaceChoice { patterns: [pattern.into()].into(), ..NamespaceChoice::default() },
        ("?", labels) => NamespaceChoice { selectors: [selector(labels)].into(), ..NamespaceChoice::default() },
        _ => NamespaceChoice { names: [text.as_str().into()].into(), ..NamespaceChoice::default() },
    };
    only.iter().map(one).collect()
}

impl StoreLine {
    fn fact(&self) -> Fact {
        let (namespace, account) = match self.account.as_deref().map(|text| text.split_once('/').ok_or(text)) {
            Some(Ok((namespace, name))) => (Some(namespace.into()), Some(name.into())),
            Some(Err(name)) => (None, Some(name.into())),
            None => (None, None),
        };
        let vault = VaultProvider {
            server: "https://vault.example:8200".into(),
            path: Some("secret".into()),
            kubernetes_mount: self.other_auth.is_none().then(|| "kubernetes".into()),
            role: Some(self.role.as_deref().unwrap_or("shared").into()),
            service_account: account,
            service_account_namespace: namespace,
            other_auth: self.other_auth.as_deref().map(Name::from),
            ..VaultProvider::default()
        };
        Fact::SecretStore(SecretStoreFact {
            meta: meta("", &self.name),
            kind: Kind::ClusterSecretStore,
            conditions: choice(&self.only),
            controller: "".into(),
            vault: (!self.elsewhere).then_some(vault),
            provider: if self.elsewhere { "aws".into() } else { "vault".into() },
            ready: None,
        })
    }
}

fn condition(text: &str) -> Condition {
    let (status, reason) = text.split_once(' ').unwrap_or((text, "SecretSynced"));
    Condition {
        status: status.parse::<String>().ok().map(|word| word == "True"),
        reason: reason.into(),
        message: "said".into(),
        since: None,
    }
}

impl AskLine {
    fn fact(&self, namespace: &str) -> Fact {
        let how = match self.how.as_str() {
            "" | "data" => EntryKind::Data,
            "extract" => EntryKind::Extract,
            "find" => EntryKind::Find,
            "push" => EntryKind::Push,
            other => panic!("no way {other}"),
        };
        let store = match self.store.strip_prefix("CSS/") {
            Some(name) => StoreRef { kind: Kind::ClusterSecretStore, name: name.into(), selector: None },
            None => StoreRef { kind: Kind::SecretStore, name: self.store.as_str().into(), selector: None },
        };
        let entry = SecretEntry {
            how,
            store: Some(store),
            key: self.key.as_str().into(),
            property: self.property.as_deref().map(Name::from),
            metadata: false,
            secret_key: self.target_key.as_deref().map(Name::from),
            generator: None,
        };
        let kind = if how == EntryKind::Push { Kind::PushSecret } else { Kind::ExternalSecret };
        Fact::Consumer(ConsumerFact {
            meta: meta(namespace, &self.name),
            kind,
            ready: self.ready.as_deref().map(condition),
            spec: ConsumerSpec::External(ExternalSpec {
                entries: [entry].into(),
                target: self.target.as_deref().map(Name::from),
                into: None,
                interval: self.refreshed.map(|(_, every)| every * MINUTE),
                refreshed: self.refreshed.map(|(ago, _)| noon().plus(-ago * MINUTE)),
                ..ExternalSpec::default()
            }),
        })
    }
}

impl TakeLine {
    fn one(&self) -> SecretUse {
        let how = match (&self.env, &self.volume) {
            (Some(text), _) => {
                let (variable, key) = text.split_once(' ').unwrap();
                UseKind::Env { variable: variable.into(), key: key.into() }
            }
            (None, Some(items)) => {
                UseKind::Volume { items: items.iter().map(|(key, file)| (key.as_str().into(), file.as_str().into())).collect() }
            }
            (None, None) => UseKind::EnvFrom,
        };
        SecretUse { secret: self.secret.as_str().into(), container: Some("main".into()), how }
    }
}

fn taker(namespace: &str, takes: &[TakeLine]) -> Option<Fact> {
    let Fact::Workload(mut fact) = workload(Kind::Deployment, namespace, "app") else { panic!("no workload") };
    fact.secrets = takes.iter().map(TakeLine::one).collect();
    (!takes.is_empty()).then_some(Fact::Workload(fact))
}

fn consumer(namespace: &str, name: &str, kind: Kind, spec: ConsumerSpec) -> Fact {
    Fact::Consumer(ConsumerFact { meta: meta(namespace, name), kind, ready: None, spec })
}

impl DenialLine {
    fn fact(&self, namespace: &str) -> Fact {
        Fact::Refusal(RefusalFact {
            meta: meta(namespace, &format!("{}.denied", self.object)),
            about: Some(ObjectRef::new(Kind::ExternalSecret, namespace, Name::from(self.object.as_str()))),
            about_text: format!("ExternalSecret/{}", self.object).into(),
            reason: "UpdateFailed".into(),
            message: format!("URL: GET https://vault:8200/v1/{} Code: 403. Errors: * permission denied", self.path).into(),
            authority: Authority::VaultAcl,
            count: 7,
            last: noon().plus(-self.minutes * MINUTE),
        })
    }
}

impl Secrets {
    /// What lies in the cluster.
    pub fn facts(&self, own: &str) -> Vec<Fact> {
        let other = "web-tenant-globex";
        let mut facts: Vec<Fact> = self.cluster.iter().map(StoreLine::fact).collect();
        facts.extend(self.asks.iter().map(|line| line.fact(own)));
        facts.extend(self.globex_asks.iter().map(|line| line.fact(other)));
        facts.extend(taker(own, &self.takes));
        facts.extend(taker(other, &self.globex_takes));
        facts.extend(self.typed.iter().map(|text| {
            let (word, name) = text.split_once(' ').unwrap();
            let kind = if word == "token" { Kind::TokenSecret } else { Kind::TlsSecret };
            let account = (word == "token").then(|| "n8n-acme".into());
            Fact::SecretMeta(SecretMetaFact { meta: meta(own, name), kind, account, last_used: None })
        }));
        facts.extend(self.denials.iter().map(|line| line.fact(own)));
        for (at, allowed) in &self.auths {
            let (namespace, name) = at.split_once('/').unwrap();
            let spec = AuthSpec { method: "kubernetes".into(), role: Some("x".into()), allowed: names(allowed), ..AuthSpec::default() };
            facts.push(consumer(namespace, name, Kind::VaultAuth, ConsumerSpec::Auth(spec)));
        }
        if self.operator {
            let spec = OperatorSpec { mount: "secret".into(), path: own.into(), version: Some(2), ..OperatorSpec::default() };
            facts.push(consumer(own, "static", Kind::VaultStaticSecret, ConsumerSpec::Operator(spec)));
        }
        for (number, address) in self.connections.iter().enumerate() {
            let skip = address == "skip";
            let address = if skip { "https://vault:8200" } else { address };
            let spec = ConnectionSpec { address: address.into(), skip_tls: skip, has_ca: false };
            facts.push(consumer(own, &format!("c{number}"), Kind::VaultConnection, ConsumerSpec::Connection(spec)));
        }
        if let Some(ready) = self.controller {
            let Fact::Workload(mut fact) = workload(Kind::Deployment, "external-secrets", "external-secrets") else {
                panic!("no workload")
            };
            fact.containers = vec![container("ghcr.io/external-secrets/external-secrets:v2.9.0")].into();
            fact.service_account = "external-secrets".into();
            fact.ready = ready;
            facts.extend([namespace("external-secrets"), Fact::Workload(fact)]);
        }
        if let Some(text) = &self.store_ready {
            let mut fact = store(own, "tenant-acme", Some("n8n-acme"));
            fact.ready = Some(condition(text));
            facts.push(Fact::SecretStore(fact));
        }
        facts
    }

    /// What lies in Vault.
    pub fn vault(&self, vault: &mut VaultFacts) {
        let roles = vault.kubernetes.get_mut("kubernetes").unwrap();
        let items = Arc::make_mut(&mut roles.items);
        if let (Some(more), Some(role)) = (&self.role, items.get_mut("tenant-acme")) {
            more.apply(role);
        }
        for (name, line) in &self.roles {
            let role = VaultRole {
                service_accounts: names(&line.accounts),
                namespaces: names(&line.namespaces),
                policies: names(&line.policies),
                namespace_selector: line.selector.as_str().into(),
                audience: Some("vault".into()),
                ttl: 3600,
                ..VaultRole::default()
            };
            items.insert(name.as_str().into(), role);
        }
        let policies = Arc::make_mut(&mut vault.policies.items);
        for (name, text) in &self.policies {
            if text.is_empty() {
                policies.remove(name.as_str());
            } else {
                policies.insert(name.as_str().into(), VaultPolicy::new(text.as_str()));
            }
        }
        for name in &self.hidden {
            Arc::make_mut(&mut vault.policies.items).remove(name.as_str());
            Arc::make_mut(&mut vault.policies.unreadable).insert(name.as_str().into(), "permission denied: needs read on it".into());
        }
        if let Some(line) = &self.mount {
            let items = Arc::make_mut(&mut vault.kubernetes_config.items);
            items.clear();
            if !line.missing {
                items.insert("kubernetes".into(), line.config());
            }
        }
        if !self.group.is_empty() {
            self.identity(vault);
        }
        for (part, state) in &self.parts {
            let state = if state == "denied" { SourceState::Denied { why: "permission denied".into() } } else { SourceState::Off };
            match part.as_str() {
                "identity" => vault.entities.state = state,
                "mounts" => vault.secret_mounts.state = state,
                "config" => vault.kubernetes_config.state = state,
                "policies" => vault.policies.state = state,
                "namespaces" => vault.namespaces.state = state,
                "auth-mounts" => vault.auth_mounts.state = state,
                other => panic!("no part {other}"),
            }
        }
    }

    fn identity(&self, vault: &mut VaultFacts) {
        let uid = meta("web-tenant-acme", "n8n-acme").uid.to_string();
        let alias =
            partywall::model::vault::AliasFact { name: uid.as_str().into(), accessor: "auth_kubernetes_1".into(), ..Default::default() };
        let entity =
            EntityFact { name: "entity-acme".into(), aliases: [alias].into(), groups: ["g1".into()].into(), ..EntityFact::default() };
        let group = GroupFact { name: "team".into(), policies: names(&self.group), entities: ["e1".into()].into(), ..GroupFact::default() };
        vault.entities = live([("e1".into(), entity)]);
        vault.groups = live([("g1".into(), group)]);
    }
}

impl RoleMore {
    fn apply(&self, role: &mut VaultRole) {
        role.audience = self.audience.as_deref().map(Name::from);
        role.ttl = self.ttl.unwrap_or(3600);
        (role.max_ttl, role.period, role.alias_by_name) = (self.max_ttl, self.period, self.by_name);
        if let Some(policies) = &self.policies {
            role.policies = names(policies);
        }
    }
}

impl MountLine {
    fn config(&self) -> KubernetesConfig {
        KubernetesConfig {
            host: self.host.as_str().into(),
            has_ca: self.ca,
            reviewer_set: self.reviewer,
            disable_local_ca_jwt: !self.local,
            disable_iss_validation: !self.issuer_checked,
            issuer: "".into(),
            annotations_as_metadata: false,
        }
    }
}
