//! A cluster and a Vault made by hand.

use std::collections::BTreeMap;
use std::sync::Arc;

use partywall::model::consumer::{ConsumerFact, ConsumerSpec, EntryKind, ExternalSpec, SecretEntry, StoreRef};
use partywall::model::ids::{Name, Uid};
use partywall::model::kind::Kind;
use partywall::model::labels::LabelSet;
use partywall::model::meta::Meta;
use partywall::model::pod::{NamespaceFact, ServiceAccountFact};
use partywall::model::secretstore::{SecretStoreFact, VaultProvider};
use partywall::model::snapshot::{Dirty, NamespaceFacts, Snapshot};
use partywall::model::source::SourceState;
use partywall::model::tenant::{TenantRules, Tenants};
use partywall::model::time::Time;
use partywall::model::vault::{
    AuthMount, EntityFact, Flavour, GroupFact, Part, SecretMount, VaultFacts, VaultPolicy, VaultRole, VaultServer,
};
use partywall::vaultacl::reach::{Options, Picture, TenantReach, VaultReach};

pub const NOW: Time = Time(1_795_000_000_000);

/// Everything, to be changed at will.
#[derive(Clone, Debug)]
pub struct Bed {
    pub namespaces: BTreeMap<Name, NamespaceFacts>,
    pub mounts: BTreeMap<Name, SecretMount>,
    pub policies: BTreeMap<Name, VaultPolicy>,
    pub roles: BTreeMap<Name, BTreeMap<Name, VaultRole>>,
    pub entities: BTreeMap<Name, EntityFact>,
    pub groups: BTreeMap<Name, GroupFact>,
    pub vault: VaultFacts,
}

pub fn part<K: Ord, V>(items: BTreeMap<K, V>) -> Part<K, V> {
    Part { state: SourceState::Live, items: Arc::new(items), unreadable: Arc::default() }
}

pub fn meta(namespace: &str, name: &str) -> Meta {
    Meta { namespace: namespace.into(), name: name.into(), uid: Uid::parse(&format!("{namespace}/{name}")), version: 1, ..Meta::default() }
}

pub fn names(all: &[&str]) -> Box<[Name]> {
    all.iter().map(|name| Name::from(*name)).collect()
}

impl Bed {
    /// OpenBao 2.7 with `secret/` (version 2), `kv/` (version 1), an empty default policy and an auth mount.
    pub fn new() -> Self {
        let mount = |version| SecretMount { kind: "kv".into(), version: Some(version), accessor: "".into() };
        let server = VaultServer { state: SourceState::Live, flavour: Flavour::OpenBao, version: "2.7.2".into(), ..VaultServer::default() };
        let auth = AuthMount { kind: "kubernetes".into(), accessor: "acc".into(), default_ttl: 0, max_ttl: 0 };
        Self {
            namespaces: BTreeMap::new(),
            mounts: [("secret".into(), mount(2)), ("kv".into(), mount(1))].into(),
            policies: [("default".into(), VaultPolicy::new("path \"cubbyhole/*\" { capabilities = [\"read\"] }"))].into(),
            roles: [("kubernetes".into(), BTreeMap::new())].into(),
            entities: BTreeMap::new(),
            groups: BTreeMap::new(),
            vault: VaultFacts {
                configured: true,
                server,
                token: SourceState::Live,
                auth_mounts: part([("kubernetes".into(), auth)].into()),
                kubernetes_config: part(BTreeMap::new()),
                namespaces: Part { state: SourceState::Absent, ..Part::default() },
                ..VaultFacts::default()
            },
        }
    }

    /// A tenant by the default pattern: `web-tenant-<name>` with these ServiceAccounts.
    pub fn tenant(mut self, name: &str, accounts: &[&str]) -> Self {
        self.namespace(&format!("web-tenant-{name}"), accounts, &[]);
        self
    }

    pub fn namespace(&mut self, namespace: &str, accounts: &[&str], labels: &[(&str, &str)]) {
        let labels = LabelSet::new(labels.iter().map(|(k, v)| (Name::from(*k), Name::from(*v))));
        let own = NamespaceFact { meta: meta("", namespace), labels: Arc::new(labels), terminating: false };
        let account = |name: &&str| (Name::from(*name), Arc::new(ServiceAccountFact { meta: meta(namespace, name), automount: None }));
        let facts = NamespaceFacts {
            own: Some(Arc::new(own)),
            service_accounts: accounts.iter().map(account).collect(),
            ..NamespaceFacts::default()
        };
        self.namespaces.insert(namespace.into(), facts);
    }

    pub fn policy(mut self, name: &str, text: &str) -> Self {
        self.policies.insert(name.into(), VaultPolicy::new(text));
        self
    }

    pub fn role(mut self, name: &str, accounts: &[&str], namespaces: &[&str], policies: &[&str]) -> Self {
        let role = VaultRole {
            service_accounts: names(accounts),
            namespaces: names(namespaces),
            policies: names(policies),
            ..VaultRole::default()
        };
        self.roles.entry("kubernetes".into()).or_default().insert(name.into(), role);
        self
    }

    /// An ExternalSecret that asks by a SecretStore for keys below `secret`.
    pub fn asks(mut self, namespace: &str, keys: &[&str]) -> Self {
        let provider = VaultProvider {
            server: "http://vault".into(),
            path: Some("secret".into()),
            kubernetes_mount: Some("kubernetes".into()),
            role: Some("r".into()),
            service_account: Some("app".into()),
            ..VaultProvider::default()
        };
        let store = SecretStoreFact {
            meta: meta(namespace, "store"),
            kind: Kind::SecretStore,
            conditions: [].into(),
            controller: "".into(),
            vault: Some(provider),
            provider: "vault".into(),
            ready: None,
        };
        let entry = |key: &&str| SecretEntry {
            how: EntryKind::Data,
            store: Some(StoreRef { kind: Kind::SecretStore, name: "store".into(), selector: None }),
            key: (*key).into(),
            property: None,
            metadata: false,
            secret_key: None,
            generator: None,
        };
        let spec = ExternalSpec { entries: keys.iter().map(entry).collect(), ..ExternalSpec::default() };
        let fact =
            ConsumerFact { meta: meta(namespace, "asks"), kind: Kind::ExternalSecret, ready: None, spec: ConsumerSpec::External(spec) };
        let facts = self.namespaces.entry(namespace.into()).or_default();
        facts.secret_stores.insert("store".into(), Arc::new(store));
        facts.consumers.insert((Kind::ExternalSecret, "asks".into()), Arc::new(fact));
        self
    }

    pub fn snapshot(&self) -> Snapshot {
        let mut vault = self.vault.clone();
        vault.secret_mounts = Part { items: Arc::new(self.mounts.clone()), ..if_off(vault.secret_mounts) };
        vault.policies = Part { items: Arc::new(self.policies.clone()), ..if_off(vault.policies) };
        vault.kubernetes = self.roles.iter().map(|(mount, roles)| (mount.clone(), part(roles.clone()))).collect();
        vault.entities = Part { items: Arc::new(self.entities.clone()), ..if_off(vault.entities) };
        vault.groups = Part { items: Arc::new(self.groups.clone()), ..if_off(vault.groups) };
        let sources = [(Kind::ServiceAccount, SourceState::Live), (Kind::Namespace, SourceState::Live)];
        Snapshot {
            namespaces: Arc::new(self.namespaces.iter().map(|(name, facts)| (name.clone(), Arc::new(facts.clone()))).collect()),
            vault: Arc::new(vault),
            sources: Arc::new(sources.into()),
            ..Snapshot::default()
        }
    }

    pub fn tenants(&self) -> Tenants {
        let all = self.namespaces.iter().map(|(name, facts)| (name, facts.own.as_ref().map(|own| own.labels.as_ref())));
        TenantRules::default().resolve(all)
    }

    pub fn picture(&self) -> Arc<Picture> {
        self.picture_with(Options::default())
    }

    pub fn picture_with(&self, options: Options) -> Arc<Picture> {
        let mut reach = VaultReach::new(options);
        reach.sync(&self.snapshot(), &self.tenants(), &Dirty::default(), NOW);
        reach.picture()
    }

    pub fn reach(&self, tenant: &str) -> TenantReach {
        (*self.picture().by_tenant[tenant]).clone()
    }
}

/// A part that nobody said anything about is live.
fn if_off<K: Ord, V>(part: Part<K, V>) -> Part<K, V> {
    if part.state == SourceState::Off { Part { state: SourceState::Live, ..part } } else { part }
}

/// A policy of one block.
pub fn block(pattern: &str, capabilities: &[&str]) -> String {
    let list: Vec<String> = capabilities.iter().map(|capability| format!("\"{capability}\"")).collect();
    format!("path \"{pattern}\" {{\n  capabilities = [{}]\n}}\n", list.join(", "))
}

/// Crossings in short: harm, whose, path, operation, policy and line.
pub fn told(reach: &TenantReach) -> Vec<String> {
    let one = |crossing: &partywall::vaultacl::reach::Crossing| {
        let partners: Vec<&str> = crossing.partners.iter().map(AsRef::as_ref).collect();
        let grant = &crossing.grant;
        let conditions = if grant.conditions { " under conditions" } else { "" };
        let (word, policy) = (grant.operation.word(), &grant.origin.policy);
        format!("{} of {}: {word} {} by {policy} {}{conditions}", crossing.harm.word(), partners.join(","), grant.path, grant.pattern)
    };
    reach.crossings.iter().map(one).collect()
}
