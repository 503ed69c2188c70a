//! Names that bite.

use std::sync::Arc;

use partywall::model::changes::{Change, Fact};
use partywall::model::consumer::{
    AuthSpec, Condition, ConnectionSpec, ConsumerFact, ConsumerSpec, EntryKind, ExternalSpec, NamespaceChoice, SecretEntry, SecretMetaFact,
    SecretUse, StoreRef, UseKind,
};
use partywall::model::event::Authority;
use partywall::model::kind::Kind;
use partywall::model::rbac::{BindingFact, RbacSubject, RoleFact, RoleRule};
use partywall::model::source::SourceState;
use partywall::model::vault::VaultPolicy;
use partywall::posture::engine::{EngineConfig, from_scratch};
use partywall::receipt::book::Book;

use crate::facts::*;

const BITE: &str = "\u{1b}[2J\u{202e}\u{7}";

/// Whatever asks for secrets, with teeth everywhere.
fn asking(ns: &str) -> Vec<Fact> {
    let consumer = |kind, spec| {
        let ready = Condition { status: Some(false), reason: BITE.into(), message: BITE.into(), since: None };
        Fact::Consumer(ConsumerFact { meta: meta(ns, &format!("{BITE}{kind}")), kind, ready: Some(ready), spec })
    };
    let entry = |key: &str, store: &str| SecretEntry {
        how: EntryKind::Data,
        store: Some(StoreRef { kind: Kind::SecretStore, name: store.into(), selector: None }),
        key: key.into(),
        property: Some(BITE.into()),
        metadata: false,
        secret_key: Some("key".into()),
        generator: None,
    };
    let entries = [entry(&format!("web-tenant-acme/{BITE}"), BITE), entry(BITE, "none")].into();
    let external = ExternalSpec { entries, target: Some(BITE.into()), ..ExternalSpec::default() };
    let mut shared = store("", BITE, Some(BITE));
    (shared.meta, shared.kind) = (meta("", BITE), Kind::ClusterSecretStore);
    shared.conditions = [NamespaceChoice { patterns: [".*".into(), BITE.into()].into(), ..NamespaceChoice::default() }].into();
    let mut lent = shared.clone();
    (lent.meta, lent.conditions) = (meta("", "lent"), [].into());
    lent.vault.as_mut().unwrap().service_account_namespace = Some(BITE.into());
    let Fact::Workload(mut app) = workload(Kind::Deployment, ns, BITE) else { panic!("no workload") };
    let take = |how| SecretUse { secret: BITE.into(), container: None, how };
    app.secrets = [
        take(UseKind::Env { variable: "N8N_ENCRYPTION_KEY".into(), key: "key".into() }),
        take(UseKind::Volume { items: [(format!("{BITE}.key").into(), BITE.into())].into() }),
    ]
    .into();
    let mut denied = refusal(ns, Authority::VaultAcl, noon());
    denied.meta = meta(ns, "denied");
    denied.message = format!("URL: GET https://v/v1/secret/data/web-tenant-acme/{BITE} Code: 403").into();
    denied.about_text = BITE.into();
    let auth = AuthSpec { allowed: ["*".into()].into(), ..AuthSpec::default() };
    let connection = ConnectionSpec { address: format!("http://{BITE}").into(), skip_tls: false, has_ca: false };
    vec![
        consumer(Kind::ExternalSecret, ConsumerSpec::External(external)),
        consumer(Kind::VaultAuth, ConsumerSpec::Auth(auth)),
        consumer(Kind::VaultConnection, ConsumerSpec::Connection(connection)),
        Fact::SecretStore(shared),
        Fact::SecretStore(lent),
        Fact::Workload(app),
        Fact::Refusal(denied),
        Fact::SecretMeta(SecretMetaFact {
            meta: meta(ns, BITE),
            kind: Kind::TokenSecret,
            account: Some(BITE.into()),
            last_used: Some(BITE.into()),
        }),
    ]
}

/// A binding abroad, with teeth.
fn granting(ns: &str) -> Vec<Fact> {
    let rule = RoleRule {
        verbs: ["get".into()].into(),
        groups: ["".into()].into(),
        resources: ["secrets".into()].into(),
        names: [BITE.into()].into(),
    };
    let role =
        RoleFact { meta: meta("web-tenant-globex", BITE), kind: Kind::Role, rules: [rule].into(), aggregated: false, unreadable: false };
    let binding = BindingFact {
        meta: meta("web-tenant-globex", BITE),
        kind: Kind::RoleBinding,
        role_kind: Some(Kind::Role),
        role: BITE.into(),
        subjects: [RbacSubject::Account { namespace: ns.into(), name: BITE.into() }].into(),
        unreadable: false,
    };
    vec![Fact::Role(role), Fact::Binding(binding)]
}

/// Nothing a tenant can name reaches a sentence with its teeth.
#[test]
fn hostile_names_are_cleaned_everywhere() {
    let ns = format!("web-tenant-{BITE}");
    let mut store = seed_store();
    let mut half = policy(&ns, BITE, &format!("{BITE}={BITE}"), "IE");
    half.egress = [anybody()].into();
    let hard = [(format!("requests.{BITE}"), "1"), ("pods".to_owned(), "1")];
    let hard: Vec<(&str, &str)> = hard.iter().map(|(key, value)| (key.as_str(), *value)).collect();
    let mut quota = quota(&ns, &hard, &hard);
    quota.meta.name = BITE.into();
    let mut refused = refusal(&ns, Authority::ResourceQuota, noon());
    (refused.message, refused.about_text) = (BITE.into(), BITE.into());
    let mut spoiled = crate::facts::store(&ns, BITE, Some(BITE));
    spoiled.meta.name = BITE.into();
    for fact in [
        namespace(&ns),
        namespace(BITE),
        Fact::NetworkPolicy(half),
        Fact::Quota(quota),
        Fact::Refusal(refused),
        Fact::SecretStore(spoiled),
        Fact::Pod(pod(&ns, BITE, &format!("{BITE}={BITE}"))),
    ]
    .into_iter()
    .chain(asking(&ns))
    .chain(granting(&ns))
    {
        store.apply(put(fact));
    }
    store.apply(Change::State(Kind::LimitRange, SourceState::Denied { why: BITE.into() }));
    let mut vault = seed_vault();
    let mut role = role("acme");
    (role.namespaces, role.service_accounts) = ([ns.as_str().into()].into(), [BITE.into(), "a".into()].into());
    vault.kubernetes.insert(BITE.into(), live([(BITE.into(), role.clone())]));
    // at the mount that is seen: a policy with teeth, one that is refused, one that is missing
    role.policies = [BITE.into(), "broken".into(), format!("gone{BITE}").into()].into();
    let kubernetes = vault.kubernetes.get_mut("kubernetes").unwrap();
    Arc::make_mut(&mut kubernetes.items).insert(BITE.into(), role);
    kubernetes.unreadable = Arc::new([(BITE.into(), BITE.into())].into());
    let policies = Arc::make_mut(&mut vault.policies.items);
    let wide = format!(
        "path \"secret/data/{BITE}*\" {{ capabilities = [\"read\"] }}\npath \"secret/*\" {{ capabilities = [\"read\", \"list\", \"update\"] }}"
    );
    policies.insert(BITE.into(), VaultPolicy::new(wide));
    policies.insert("broken".into(), VaultPolicy::new(format!("path \"{BITE}\" {{ {BITE} = 1 }}")));
    vault.kubernetes_config.unreadable = Arc::new([(BITE.into(), BITE.into())].into());
    store.apply(Change::Vault(Box::new(vault)));
    let (snapshot, _) = store.publish();
    let assessment = from_scratch(&EngineConfig::default(), &snapshot, &Book::default(), noon());
    let checks = || assessment.by_tenant.values().flat_map(|tenant| &tenant.checks).chain(&assessment.platform);
    let findings: Vec<_> = checks().flat_map(|check| &check.findings).collect();
    assert!(findings.len() > 90);
    let mut said: Vec<&str> = findings.iter().map(|finding| finding.message.as_str()).collect();
    said.extend(findings.iter().flat_map(|finding| &finding.evidence).flat_map(|e| [e.field.as_str(), e.value.as_str()]));
    said.extend(assessment.unknowns.iter().flat_map(|unknown| [unknown.source.as_str(), unknown.why.as_str()]));
    said.extend(
        assessment
            .by_tenant
            .values()
            .flat_map(|tenant| &tenant.refusals)
            .flat_map(|refusal| [refusal.about.as_str(), refusal.message.as_str()]),
    );
    for text in said {
        assert!(!text.contains(['\u{1b}', '\u{202e}', '\u{7}']), "{text:?}");
    }
}
