//! Things that happen to the secret wall: in Vault, and in the cluster.

use std::sync::Arc;

use partywall::model::changes::{Change, Fact};
use partywall::model::consumer::{
    AuthSpec, ConsumerFact, ConsumerSpec, EntryKind, ExternalSpec, OperatorSpec, SecretEntry, SecretMetaFact, SecretUse, StoreRef, UseKind,
};
use partywall::model::event::{Authority, RefusalFact};
use partywall::model::ids::{Name, ObjectRef};
use partywall::model::kind::Kind;
use partywall::model::rbac::{BindingFact, RbacSubject, RoleFact, RoleRule};
use partywall::model::secretstore::SecretStoreFact;
use partywall::model::source::SourceState;
use partywall::model::time::MINUTE;
use partywall::model::vault::{AliasFact, EntityFact, GroupFact, VaultFacts, VaultPolicy, VaultRole};
use proptest::prelude::*;
use proptest::sample::select;

use crate::facts::*;

const NAMESPACES: [&str; 5] =
    ["web-tenant-acme", "web-tenant-globex", "web-tenant-initech", "kube-system", "vault-secrets-operator-system"];

/// Texts of policies.
const POLICIES: [&str; 8] = [
    "",
    "path \"secret/data/web-tenant-acme\" { capabilities = [\"read\"] }",
    "path \"secret/data/web-tenant-*\" { capabilities = [\"read\", \"list\"] }",
    "path \"secret/data/web-tenant-globex\" { capabilities = [\"read\", \"update\"] } path \"secret/data/web-tenant-globex/*\" { capabilities = [\"deny\"] }",
    "path \"secret/metadata/*\" { capabilities = [\"list\"] } path \"secret/metadata/web-tenant-acme/*\" { capabilities = [\"deny\"] }",
    "path \"secret/data/{{identity.entity.aliases.auth_kubernetes_1.metadata.service_account_namespace}}/*\" { capabilities = [\"read\"] }",
    "path \"sys/policies/acl/*\" { capabilities = [\"update\"] }",
    "path { not a policy",
];

/// One thing that happens.
#[derive(Clone, Debug)]
pub enum SecretStep {
    /// Vault as of a poll: policies of acme, of globex, `default`, a third; another role; identity; how well it is seen.
    Vault([usize; 4], usize, usize, usize),
    /// An ExternalSecret: where, which, what it asks, by which store, refreshed so many minutes ago.
    Asks(usize, usize, &'static str, &'static str, i64),
    NothingAsks(usize, usize),
    /// A ClusterSecretStore: its conditions, its account.
    Cluster(usize, usize),
    NoCluster,
    /// A RoleBinding here to a ServiceAccount (or everybody, or a person) of there, and a Role that reads or makes.
    Bound(usize, usize, usize, u64),
    Unbound(usize),
    Typed(usize, bool),
    Takes(usize, usize),
    Auth(usize, usize, u64),
    NoAuth(usize),
    Operator(usize, &'static str),
    Denied(usize, &'static str, i64),
    Controller(u32, &'static str),
}

fn ns(number: usize) -> &'static str {
    NAMESPACES[number % NAMESPACES.len()]
}

fn role(accounts: &str, namespaces: &str, policies: &[&str]) -> VaultRole {
    VaultRole {
        service_accounts: [accounts.into()].into(),
        namespaces: [namespaces.into()].into(),
        policies: policies.iter().map(|name| Name::from(*name)).collect(),
        ..VaultRole::default()
    }
}

fn vault(policies: [usize; 4], other: usize, identity: usize, seen: usize) -> VaultFacts {
    let mut vault = seed_vault();
    let texts = Arc::make_mut(&mut vault.policies.items);
    for (name, text) in ["tenant-acme", "tenant-globex", "default", "third"].into_iter().zip(policies) {
        match POLICIES[text % POLICIES.len()] {
            "" => _ = texts.remove(name),
            text => _ = texts.insert(name.into(), VaultPolicy::new(text)),
        }
    }
    let roles = Arc::make_mut(&mut vault.kubernetes.get_mut("kubernetes").unwrap().items);
    match other % 6 {
        0 => {}
        1 => _ = roles.insert("other".into(), role("n8n-*", "web-tenant-*", &["third"])),
        2 => _ = roles.insert("other".into(), role("maker", "web-tenant-initech", &["third", "gone"])),
        3 => _ = roles.insert("tenant-acme".into(), role("n8n-acme", "web-tenant-acme", &["third"])),
        4 => _ = roles.remove("tenant-globex"),
        _ => {
            let mut selected = role("default", "none", &["third"]);
            selected.namespace_selector = r#"{"matchLabels":{"kubernetes.io/metadata.name":"web-tenant-initech"}}"#.into();
            roles.insert("other".into(), selected);
        }
    }
    if !identity.is_multiple_of(3) {
        let alias = AliasFact {
            name: meta("web-tenant-acme", "n8n-acme").uid.to_string().into(),
            accessor: "auth_kubernetes_1".into(),
            ..AliasFact::default()
        };
        let policies = if identity % 3 == 1 { ["third".into()].into() } else { Box::default() };
        let entity =
            EntityFact { name: "e".into(), aliases: [alias].into(), groups: ["g".into()].into(), policies, ..EntityFact::default() };
        let group =
            GroupFact { name: "g".into(), policies: ["third".into()].into(), entities: ["e".into()].into(), ..GroupFact::default() };
        (vault.entities, vault.groups) = (live([("e".into(), entity)]), live([("g".into(), group)]));
    }
    let denied = || SourceState::Denied { why: "permission denied".into() };
    match seen % 12 {
        0 => vault.entities.state = denied(),
        1 => vault.policies.state = denied(),
        2 => vault.policies.unreadable = Arc::new([("tenant-acme".into(), "permission denied".into())].into()),
        3 => Arc::make_mut(&mut vault.secret_mounts.items).values_mut().for_each(|mount| mount.version = None),
        4 => vault.kubernetes_config.state = denied(),
        5 => vault.secret_mounts.state = denied(),
        _ => {}
    }
    vault
}

fn consumer(namespace: &str, name: &str, kind: Kind, version: u64, spec: ConsumerSpec) -> Change {
    let mut meta = meta(namespace, name);
    meta.version = version;
    put(Fact::Consumer(ConsumerFact { meta, kind, ready: None, spec }))
}

fn asks(key: &str, by: &str, ago: i64) -> ConsumerSpec {
    let store = match by.strip_prefix("CSS/") {
        Some(name) => StoreRef { kind: Kind::ClusterSecretStore, name: name.into(), selector: None },
        None => StoreRef { kind: Kind::SecretStore, name: by.into(), selector: None },
    };
    let entry = SecretEntry {
        how: EntryKind::Data,
        store: Some(store),
        key: key.into(),
        property: Some("key".into()),
        metadata: false,
        secret_key: Some("key".into()),
        generator: None,
    };
    ConsumerSpec::External(ExternalSpec {
        entries: [entry].into(),
        target: Some("n8n".into()),
        interval: Some(60 * MINUTE),
        refreshed: Some(noon().plus(-ago * MINUTE)),
        ..ExternalSpec::default()
    })
}

fn cluster_store(only: usize, account: usize) -> Fact {
    let mut fact: SecretStoreFact = store("", "tenant-acme", None);
    (fact.meta, fact.kind) = (meta("", "shared"), Kind::ClusterSecretStore);
    let vault = fact.vault.as_mut().unwrap();
    (vault.service_account, vault.service_account_namespace) = match account % 3 {
        0 => (None, None),
        1 => (Some("n8n-acme".into()), Some("web-tenant-acme".into())),
        _ => (Some("n8n-acme".into()), None),
    };
    fact.conditions = match only % 3 {
        0 => [].into(),
        1 => [partywall::model::consumer::NamespaceChoice { names: ["web-tenant-acme".into()].into(), ..Default::default() }].into(),
        _ => [partywall::model::consumer::NamespaceChoice { patterns: ["tenant".into()].into(), ..Default::default() }].into(),
    };
    Fact::SecretStore(fact)
}

fn bound(here: &str, there: &str, whom: usize, version: u64) -> Vec<Change> {
    let subject = match whom % 4 {
        0 => RbacSubject::Account { namespace: there.into(), name: "n8n-acme".into() },
        1 => RbacSubject::Group("system:authenticated".into()),
        2 => RbacSubject::User("jo".into()),
        _ => RbacSubject::Group(format!("system:serviceaccounts:{there}").into()),
    };
    let (verb, resource) = if version == 0 { ("get", "secrets") } else { ("create", "serviceaccounts") };
    let rule = RoleRule { verbs: [verb.into()].into(), groups: ["".into()].into(), resources: [resource.into()].into(), names: [].into() };
    let mut of_role = meta(here, "reader");
    of_role.version = version;
    let mut of_binding = meta(here, "readers");
    of_binding.version = whom as u64;
    vec![
        put(Fact::Role(RoleFact { meta: of_role, kind: Kind::Role, rules: [rule].into(), aggregated: false, unreadable: false })),
        put(Fact::Binding(BindingFact {
            meta: of_binding,
            kind: Kind::RoleBinding,
            role_kind: Some(Kind::Role),
            role: "reader".into(),
            subjects: [subject].into(),
            unreadable: false,
        })),
    ]
}

fn taker(namespace: &str, how: usize) -> Change {
    let Fact::Workload(mut fact) = workload(Kind::Deployment, namespace, "app") else { panic!("no workload") };
    let how = match how % 3 {
        0 => UseKind::Env { variable: "N8N_ENCRYPTION_KEY".into(), key: "key".into() },
        1 => UseKind::EnvFrom,
        _ => UseKind::Volume { items: [("tls.key".into(), "k".into())].into() },
    };
    fact.secrets = [SecretUse { secret: "n8n".into(), container: None, how }].into();
    put(Fact::Workload(fact))
}

fn denied(namespace: &str, path: &str, minutes: i64) -> Change {
    put(Fact::Refusal(RefusalFact {
        meta: meta(namespace, "denied"),
        about: Some(ObjectRef::new(Kind::ExternalSecret, namespace, Name::from("es-0"))),
        about_text: "ExternalSecret/es-0".into(),
        reason: "UpdateFailed".into(),
        message: format!("URL: GET https://vault:8200/v1/{path} Code: 403. Errors: * permission denied").into(),
        authority: Authority::VaultAcl,
        count: 1,
        last: noon().plus(minutes * MINUTE),
    }))
}

pub fn changes(step: &SecretStep) -> Vec<Change> {
    match step {
        SecretStep::Vault(policies, other, identity, seen) => vec![Change::Vault(Box::new(vault(*policies, *other, *identity, *seen)))],
        SecretStep::Asks(at, n, key, by, ago) => vec![consumer(ns(*at), &format!("es-{n}"), Kind::ExternalSecret, 1, asks(key, by, *ago))],
        SecretStep::NothingAsks(at, n) => vec![gone(Kind::ExternalSecret, ns(*at), &format!("es-{n}"))],
        SecretStep::Cluster(only, account) => vec![put(cluster_store(*only, *account))],
        SecretStep::NoCluster => vec![gone(Kind::ClusterSecretStore, "", "shared")],
        SecretStep::Bound(here, there, whom, version) => bound(ns(*here), ns(*there), *whom, *version),
        SecretStep::Unbound(here) => vec![gone(Kind::RoleBinding, ns(*here), "readers")],
        SecretStep::Typed(at, tls) => {
            let kind = if *tls { Kind::TlsSecret } else { Kind::TokenSecret };
            vec![put(Fact::SecretMeta(SecretMetaFact { meta: meta(ns(*at), "n8n"), kind, account: None, last_used: None }))]
        }
        SecretStep::Takes(at, how) => vec![taker(ns(*at), *how)],
        SecretStep::Auth(at, allowed, version) => {
            let allowed: Box<[Name]> = if *allowed == 0 { [].into() } else { ["*".into()].into() };
            let spec = AuthSpec { role: Some("tenant-acme".into()), allowed, ..AuthSpec::default() };
            vec![consumer(ns(*at), "default", Kind::VaultAuth, *version, ConsumerSpec::Auth(spec))]
        }
        SecretStep::NoAuth(at) => vec![gone(Kind::VaultAuth, ns(*at), "default")],
        SecretStep::Operator(at, auth) => {
            let spec = OperatorSpec {
                auth: (*auth).into(),
                mount: "secret".into(),
                path: "web-tenant-globex".into(),
                version: Some(2),
                ..OperatorSpec::default()
            };
            vec![consumer(ns(*at), "static", Kind::VaultStaticSecret, 1, ConsumerSpec::Operator(spec))]
        }
        SecretStep::Denied(at, path, minutes) => vec![denied(ns(*at), path, *minutes)],
        SecretStep::Controller(ready, account) => {
            let Fact::Workload(mut fact) = workload(Kind::Deployment, "kube-system", "external-secrets") else { panic!("no workload") };
            fact.containers = vec![container("ghcr.io/external-secrets/external-secrets:v2")].into();
            (fact.ready, fact.service_account) = (*ready, (*account).into());
            vec![put(Fact::Workload(fact))]
        }
    }
}

pub fn any_step() -> impl Strategy<Value = SecretStep> {
    let at = 0..5_usize;
    let key = select(vec!["web-tenant-acme", "web-tenant-globex", "web-tenant-initech/db", "elsewhere"]);
    let path = select(vec!["secret/data/web-tenant-acme", "secret/data/web-tenant-globex/x", "secret/data/nobody"]);
    let policies = [0..8_usize, 0..8_usize, 0..8_usize, 0..8_usize];
    prop_oneof![
        8 => (policies, 0..6_usize, 0..3_usize, 0..12_usize).prop_map(|(p, o, i, s)| SecretStep::Vault(p, o, i, s)),
        4 => (at.clone(), 0..2_usize, key, select(vec!["vault", "CSS/shared", "none"]), 0..240_i64)
            .prop_map(|(at, n, key, by, ago)| SecretStep::Asks(at, n, key, by, ago)),
        1 => (at.clone(), 0..2_usize).prop_map(|(at, n)| SecretStep::NothingAsks(at, n)),
        2 => (0..3_usize, 0..3_usize).prop_map(|(o, a)| SecretStep::Cluster(o, a)),
        1 => Just(SecretStep::NoCluster),
        3 => (at.clone(), at.clone(), 0..4_usize, 0..2_u64).prop_map(|(h, t, w, v)| SecretStep::Bound(h, t, w, v)),
        1 => at.clone().prop_map(SecretStep::Unbound),
        1 => (at.clone(), any::<bool>()).prop_map(|(at, tls)| SecretStep::Typed(at, tls)),
        2 => (at.clone(), 0..3_usize).prop_map(|(at, how)| SecretStep::Takes(at, how)),
        2 => (at.clone(), 0..2_usize, 0..3_u64).prop_map(|(at, a, v)| SecretStep::Auth(at, a, v)),
        1 => at.clone().prop_map(SecretStep::NoAuth),
        2 => (at.clone(), select(vec!["", "default", "web-tenant-acme/default"])).prop_map(|(at, auth)| SecretStep::Operator(at, auth)),
        1 => (at, path, -90..10_i64).prop_map(|(at, path, minutes)| SecretStep::Denied(at, path, minutes)),
        1 => (0..2_u32, select(vec!["a", "b"])).prop_map(|(ready, account)| SecretStep::Controller(ready, account)),
    ]
}
