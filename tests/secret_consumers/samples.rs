//! Objects of every kind that asks Vault, using every field we read, and bare ones; and the fact each must become, with a server or without.

use partywall::model::changes::Fact;
use partywall::model::consumer::{
    AuthSpec, Condition, ConnectionSpec, ConsumerFact, ConsumerSpec, EntryKind, ExternalSpec, GeneratorSpec, NamespaceChoice, OperatorSpec,
    ProviderClassSpec, SecretEntry, StoreRef,
};
use partywall::model::ids::Name;
use partywall::model::kind::Kind;
use partywall::model::labels::{Is, LabelSelector, Requirement};
use partywall::model::meta::Meta;
use partywall::model::secretstore::{SecretStoreFact, VaultProvider};
use partywall::model::time::{HOUR, MINUTE, Time};
use serde_json::{Value, json};

pub const NAMESPACE: &str = "secret-samples";
pub const WHEN: &str = "2026-11-21T12:00:00Z";

/// An object, the status its controller would write, and what it must become.
pub struct Sample {
    pub kind: Kind,
    pub object: Value,
    pub status: Option<Value>,
    pub fact: Fact,
}

impl Sample {
    /// The object as it stands when its controller has written its status.
    pub fn whole(&self) -> Value {
        let mut object = self.object.clone();
        if let Some(status) = &self.status {
            object["status"] = status.clone();
        }
        object
    }
}

pub fn samples() -> Vec<Sample> {
    let all = [stores(), externals(), operators(), classes()];
    all.into_iter().flatten().collect()
}

/// Takes away what differs from server to server.
pub fn without_meta(mut fact: Fact) -> Fact {
    let bare = |meta: &Meta| Meta { namespace: meta.namespace.clone(), name: meta.name.clone(), ..Meta::default() };
    match &mut fact {
        Fact::SecretStore(f) => f.meta = bare(&f.meta),
        Fact::Consumer(f) => f.meta = bare(&f.meta),
        other => panic!("{other:?}"),
    }
    fact
}

pub fn names(list: &[&str]) -> Box<[Name]> {
    list.iter().map(|name| Name::from(*name)).collect()
}

fn meta(kind: Kind, name: &str) -> Meta {
    let namespaced = kind.info().unwrap().namespaced;
    Meta { namespace: if namespaced { NAMESPACE.into() } else { "".into() }, name: name.into(), ..Meta::default() }
}

/// The name of a kind in an object.
fn plain(kind: Kind) -> &'static str {
    kind.as_str().split('.').next().unwrap()
}

fn object(kind: Kind, name: &str, spec: Value) -> Value {
    let info = kind.info().unwrap();
    let mut object =
        json!({"apiVersion": format!("{}/{}", info.group, info.version), "kind": plain(kind), "metadata": {"name": name}, "spec": spec});
    if info.namespaced {
        object["metadata"]["namespace"] = json!(NAMESPACE);
    }
    object
}

fn condition(status: &str, reason: &str, message: &str) -> Value {
    json!({"type": "Ready", "status": status, "reason": reason, "message": message, "lastTransitionTime": WHEN})
}

#[allow(clippy::unnecessary_wraps, reason = "the field it stands in may be missing")]
fn ready(status: bool, reason: &str, message: &str) -> Option<Condition> {
    Some(Condition { status: Some(status), reason: reason.into(), message: message.into(), since: Time::parse(WHEN) })
}

fn label(key: &str, value: &str) -> LabelSelector {
    LabelSelector { requirements: Box::new([Requirement { key: key.into(), is: Is::In(names(&[value])) }]) }
}

fn store_sample(kind: Kind, name: &str, spec: Value, status: Option<Value>, fact: SecretStoreFact) -> Sample {
    Sample {
        kind,
        object: object(kind, name, spec),
        status,
        fact: Fact::SecretStore(SecretStoreFact { meta: meta(kind, name), kind, ..fact }),
    }
}

fn blank_store() -> SecretStoreFact {
    SecretStoreFact {
        meta: Meta::default(),
        kind: Kind::SecretStore,
        conditions: [].into(),
        controller: "".into(),
        vault: None,
        provider: "vault".into(),
        ready: None,
    }
}

fn stores() -> Vec<Sample> {
    let full = json!({
        "controller": "team-a", "provider": {"vault": {
            "server": "https://vault.sys-vault:8200", "path": "secret", "version": "v1", "namespace": "team",
            "caProvider": {"type": "ConfigMap", "name": "ca", "key": "ca.crt"},
            "auth": {"namespace": "other", "kubernetes": {"mountPath": "kubernetes-b", "role": "acme", "serviceAccountRef": {"name": "app", "audiences": ["vault", "bao"]}}},
        }},
    });
    let provider = VaultProvider {
        server: "https://vault.sys-vault:8200".into(),
        path: Some("secret".into()),
        version: 1,
        vault_namespace: "team".into(),
        has_ca: true,
        kubernetes_mount: Some("kubernetes-b".into()),
        role: Some("acme".into()),
        service_account: Some("app".into()),
        audiences: names(&["vault", "bao"]),
        ..VaultProvider::default()
    };
    let bad = "unable to log in with Kubernetes auth: Code: 403. Errors: * namespace not authorized";
    let minimal = json!({"provider": {"vault": {"server": "http://vault:8200", "auth": {"kubernetes": {"role": "acme"}}}}});
    let bare = VaultProvider {
        server: "http://vault:8200".into(),
        kubernetes_mount: Some("kubernetes".into()),
        role: Some("acme".into()),
        ..VaultProvider::default()
    };
    let shared = json!({
        "conditions": [{"namespaces": ["web-tenant-acme"], "namespaceSelector": {"matchLabels": {"tier": "gold"}}, "namespaceRegexes": ["acme", "^web-.*$"]}, {}],
        "provider": {"vault": {"server": "https://v", "caBundle": "Y2E=", "auth": {"kubernetes": {"mountPath": "kubernetes", "role": "all", "serviceAccountRef": {"name": "eso", "namespace": "external-secrets"}, "secretRef": {"name": "token", "key": "t"}}}}},
    });
    let choice = NamespaceChoice {
        names: names(&["web-tenant-acme"]),
        selectors: Box::new([label("tier", "gold")]),
        patterns: names(&["acme", "^web-.*$"]),
    };
    let of_all = VaultProvider {
        server: "https://v".into(),
        has_ca: true,
        kubernetes_mount: Some("kubernetes".into()),
        role: Some("all".into()),
        service_account: Some("eso".into()),
        service_account_namespace: Some("external-secrets".into()),
        token_from_secret: true,
        ..VaultProvider::default()
    };
    let token = json!({"provider": {"vault": {"server": "https://v", "auth": {"tokenSecretRef": {"name": "root", "key": "token"}}}}});
    let by_token = VaultProvider { server: "https://v".into(), other_auth: Some("tokenSecretRef".into()), ..VaultProvider::default() };
    let cloud = json!({"provider": {"fake": {"data": [{"key": "a", "value": "canary-4711"}]}}});
    vec![
        store_sample(
            Kind::SecretStore,
            "full",
            full,
            Some(json!({"conditions": [condition("False", "InvalidProviderConfig", bad)]})),
            SecretStoreFact {
                controller: "team-a".into(),
                vault: Some(provider),
                ready: ready(false, "InvalidProviderConfig", bad),
                ..blank_store()
            },
        ),
        store_sample(Kind::SecretStore, "minimal", minimal, None, SecretStoreFact { vault: Some(bare), ..blank_store() }),
        store_sample(Kind::SecretStore, "static", token, None, SecretStoreFact { vault: Some(by_token), ..blank_store() }),
        store_sample(Kind::SecretStore, "elsewhere", cloud, None, SecretStoreFact { provider: "fake".into(), ..blank_store() }),
        store_sample(
            Kind::ClusterSecretStore,
            "shared",
            shared,
            Some(json!({"conditions": [condition("True", "Valid", "store validated")]})),
            SecretStoreFact {
                conditions: Box::new([choice, NamespaceChoice::default()]),
                vault: Some(of_all),
                ready: ready(true, "Valid", "store validated"),
                ..blank_store()
            },
        ),
    ]
}

fn consumer(kind: Kind, name: &str, spec: Value, status: Option<Value>, said: ConsumerSpec, ready: Option<Condition>) -> Sample {
    let fact = Fact::Consumer(ConsumerFact { meta: meta(kind, name), kind, ready, spec: said });
    Sample { kind, object: object(kind, name, spec), status, fact }
}

#[allow(clippy::unnecessary_wraps, reason = "the field it stands in may be missing")]
fn store(kind: Kind, name: &str) -> Option<StoreRef> {
    Some(StoreRef { kind, name: name.into(), selector: None })
}

fn entry(how: EntryKind, store: Option<StoreRef>, key: &str) -> SecretEntry {
    SecretEntry { how, store, key: key.into(), property: None, metadata: false, secret_key: None, generator: None }
}

fn externals() -> Vec<Sample> {
    let (own, shared) = (|| store(Kind::SecretStore, "full"), || store(Kind::ClusterSecretStore, "shared"));
    let data = json!([
        {"secretKey": "password", "remoteRef": {"key": "web-tenant-acme/db", "property": "password"}},
        {"secretKey": "owner", "remoteRef": {"key": "secret/data/web-tenant-acme", "metadataPolicy": "Fetch"}, "sourceRef": {"storeRef": {"name": "shared", "kind": "ClusterSecretStore"}}},
    ]);
    let from = json!([
        {"extract": {"key": "web-tenant-acme/all"}},
        {"find": {"path": "web-tenant-globex", "name": {"regexp": ".*"}}, "sourceRef": {"storeRef": {"name": "other"}}},
        {"find": {"name": {"regexp": "x"}}},
        {"sourceRef": {"generatorRef": {"apiVersion": "generators.external-secrets.io/v1alpha1", "kind": "VaultDynamicSecret", "name": "pki"}}},
    ]);
    let full = json!({"refreshInterval": "15m", "secretStoreRef": {"name": "full", "kind": "SecretStore"}, "target": {"name": "made"}, "data": data, "dataFrom": from});
    let entries = || {
        [
            SecretEntry {
                property: Some("password".into()),
                secret_key: Some("password".into()),
                ..entry(EntryKind::Data, own(), "web-tenant-acme/db")
            },
            SecretEntry {
                metadata: true,
                secret_key: Some("owner".into()),
                ..entry(EntryKind::Data, shared(), "secret/data/web-tenant-acme")
            },
            entry(EntryKind::Extract, own(), "web-tenant-acme/all"),
            entry(EntryKind::Find, store(Kind::SecretStore, "other"), "web-tenant-globex"),
            entry(EntryKind::Find, own(), ""),
            SecretEntry { generator: Some(("VaultDynamicSecret".into(), "pki".into())), ..entry(EntryKind::Generate, None, "") },
        ]
    };
    let synced =
        json!({"refreshTime": WHEN, "conditions": [condition("False", "SecretSyncedError", "could not get secret data from provider")]});
    let spec = || ExternalSpec {
        entries: entries().into(),
        target: Some("made".into()),
        interval: Some(15 * MINUTE),
        refreshed: Time::parse(WHEN),
        ..ExternalSpec::default()
    };
    let one = json!([{"secretKey": "a", "remoteRef": {"key": "k"}}]);
    let single = SecretEntry { secret_key: Some("a".into()), ..entry(EntryKind::Data, store(Kind::SecretStore, "s"), "k") };
    let minimal = json!({"secretStoreRef": {"name": "s"}, "data": one});
    let once = json!({"secretStoreRef": {"name": "s"}, "data": one, "refreshPolicy": "CreatedOnce", "target": {"creationPolicy": "None"}});
    let everywhere = json!({
        "externalSecretSpec": full, "externalSecretName": "copied", "namespaces": ["web-tenant-acme"],
        "namespaceSelector": {"matchLabels": {"a": "b"}}, "namespaceSelectors": [{"matchLabels": {"c": "d"}}, {}],
    });
    let into = NamespaceChoice {
        names: names(&["web-tenant-acme"]),
        selectors: Box::new([label("a", "b"), label("c", "d"), LabelSelector::default()]),
        patterns: [].into(),
    };
    let push = json!({
        "refreshInterval": "0s", "selector": {"secret": {"name": "source"}},
        "secretStoreRefs": [{"name": "full"}, {"kind": "ClusterSecretStore", "labelSelector": {"matchLabels": {"team": "a"}}}],
        "data": [{"match": {"secretKey": "k", "remoteRef": {"remoteKey": "web-tenant-globex/x", "property": "p"}}}, {"match": {"remoteRef": {"remoteKey": "y"}}}],
    });
    let labelled = || Some(StoreRef { kind: Kind::ClusterSecretStore, name: "".into(), selector: Some(label("team", "a")) });
    let pushed = |store, key: &str, property: Option<&str>, from: Option<&str>| SecretEntry {
        property: property.map(Into::into),
        secret_key: from.map(Into::into),
        ..entry(EntryKind::Push, store, key)
    };
    let pushes = [
        pushed(own(), "web-tenant-globex/x", Some("p"), Some("k")),
        pushed(labelled(), "web-tenant-globex/x", Some("p"), Some("k")),
        pushed(own(), "y", None, None),
        pushed(labelled(), "y", None, None),
    ];
    let generator = json!({"path": "pki/issue/web", "method": "POST", "parameters": {"secret": "canary-4711"}, "provider": {"server": "https://v", "auth": {"kubernetes": {"mountPath": "kubernetes", "role": "pki", "serviceAccountRef": {"name": "app"}}}}});
    let provider = VaultProvider {
        server: "https://v".into(),
        kubernetes_mount: Some("kubernetes".into()),
        role: Some("pki".into()),
        service_account: Some("app".into()),
        ..VaultProvider::default()
    };
    let external = ConsumerSpec::External;
    vec![
        consumer(
            Kind::ExternalSecret,
            "full",
            full.clone(),
            Some(synced.clone()),
            external(spec()),
            ready(false, "SecretSyncedError", "could not get secret data from provider"),
        ),
        consumer(
            Kind::ExternalSecret,
            "minimal",
            minimal,
            None,
            external(ExternalSpec {
                entries: [single.clone()].into(),
                target: Some("minimal".into()),
                interval: Some(HOUR),
                ..ExternalSpec::default()
            }),
            None,
        ),
        consumer(
            Kind::ExternalSecret,
            "once",
            once,
            None,
            external(ExternalSpec { entries: [single].into(), interval: Some(0), ..ExternalSpec::default() }),
            None,
        ),
        consumer(
            Kind::ClusterExternalSecret,
            "everywhere",
            everywhere,
            Some(json!({"conditions": [{"type": "Ready", "status": "True", "message": "m"}]})),
            external(ExternalSpec { into: Some(into), refreshed: None, ..spec() }),
            Some(Condition { status: Some(true), reason: "".into(), message: "m".into(), since: None }),
        ),
        consumer(
            Kind::PushSecret,
            "out",
            push,
            Some(json!({"refreshTime": WHEN, "conditions": [condition("False", "Errored", "set secret failed")]})),
            external(ExternalSpec {
                entries: pushes.into(),
                target: Some("source".into()),
                interval: Some(0),
                refreshed: Time::parse(WHEN),
                ..ExternalSpec::default()
            }),
            ready(false, "Errored", "set secret failed"),
        ),
        consumer(
            Kind::VaultGenerator,
            "pki",
            generator,
            None,
            ConsumerSpec::Generator(GeneratorSpec { path: "pki/issue/web".into(), method: "POST".into(), provider }),
            None,
        ),
    ]
}

fn operators() -> Vec<Sample> {
    let connection = json!({"address": "https://vault:8200", "skipTLSVerify": true, "caCertSecretRef": "ca"});
    let auth = json!({
        "method": "kubernetes", "mount": "kubernetes-b", "namespace": "team", "allowedNamespaces": ["web-tenant-acme", "*"],
        "vaultConnectionRef": "conn", "vaultAuthGlobalRef": {"name": "g", "namespace": "vso"},
        "kubernetes": {"role": "acme", "serviceAccount": "app", "audiences": ["vault"]},
    });
    let global = json!({"defaultAuthMethod": "kubernetes", "defaultMount": "kubernetes", "defaultVaultNamespace": "team", "kubernetes": {"role": "r", "mount": "special"}});
    let secret = json!({"vaultAuthRef": "vso/auth", "mount": "secret", "path": "web-tenant-acme/db", "type": "kv-v2", "namespace": "team", "version": 7, "destination": {"name": "made", "create": true}});
    let older = json!({"mount": "secret", "path": "web-tenant-acme", "type": "kv-v1", "destination": {"name": "made"}});
    let dynamic = json!({"vaultAuthRef": "auth", "mount": "db", "path": "creds/acme", "destination": {"name": "dyn"}});
    let pki = json!({"vaultAuthRef": "auth", "mount": "pki", "role": "web", "destination": {"name": "tls"}});
    let operator = ConsumerSpec::Operator;
    vec![
        consumer(
            Kind::VaultConnection,
            "conn",
            connection,
            Some(json!({"valid": true})),
            ConsumerSpec::Connection(ConnectionSpec { address: "https://vault:8200".into(), skip_tls: true, has_ca: true }),
            Some(Condition { status: Some(true), reason: "".into(), message: "".into(), since: None }),
        ),
        consumer(
            Kind::VaultAuth,
            "auth",
            auth,
            Some(json!({"valid": false, "error": "no such account"})),
            ConsumerSpec::Auth(AuthSpec {
                method: "kubernetes".into(),
                mount: "kubernetes-b".into(),
                vault_namespace: "team".into(),
                role: Some("acme".into()),
                service_account: Some("app".into()),
                audiences: names(&["vault"]),
                allowed: names(&["web-tenant-acme", "*"]),
                connection: Some("conn".into()),
                global: Some("vso/g".into()),
            }),
            Some(Condition { status: Some(false), reason: "".into(), message: "no such account".into(), since: None }),
        ),
        consumer(Kind::VaultAuth, "bare", json!({}), None, ConsumerSpec::Auth(AuthSpec::default()), None),
        consumer(
            Kind::VaultAuthGlobal,
            "global",
            global,
            None,
            ConsumerSpec::Auth(AuthSpec {
                method: "kubernetes".into(),
                mount: "special".into(),
                vault_namespace: "team".into(),
                role: Some("r".into()),
                ..AuthSpec::default()
            }),
            None,
        ),
        consumer(
            Kind::VaultStaticSecret,
            "static",
            secret,
            None,
            operator(OperatorSpec {
                auth: "vso/auth".into(),
                mount: "secret".into(),
                path: "web-tenant-acme/db".into(),
                version: Some(2),
                vault_namespace: "team".into(),
                target: Some("made".into()),
                ..OperatorSpec::default()
            }),
            None,
        ),
        consumer(
            Kind::VaultStaticSecret,
            "older",
            older,
            None,
            operator(OperatorSpec {
                mount: "secret".into(),
                path: "web-tenant-acme".into(),
                version: Some(1),
                target: Some("made".into()),
                ..OperatorSpec::default()
            }),
            None,
        ),
        consumer(
            Kind::VaultDynamicSecret,
            "dynamic",
            dynamic,
            None,
            operator(OperatorSpec {
                auth: "auth".into(),
                mount: "db".into(),
                path: "creds/acme".into(),
                target: Some("dyn".into()),
                ..OperatorSpec::default()
            }),
            None,
        ),
        consumer(
            Kind::VaultPKISecret,
            "pki",
            pki,
            None,
            operator(OperatorSpec {
                auth: "auth".into(),
                mount: "pki".into(),
                path: "issue/web".into(),
                target: Some("tls".into()),
                ..OperatorSpec::default()
            }),
            None,
        ),
    ]
}

fn classes() -> Vec<Sample> {
    let objects = "- objectName: db\n  secretPath: secret/data/web-tenant-acme/db\n  secretKey: password\n- {objectName: cert, secretPath: pki/issue/web, method: PUT, secretArgs: {common_name: a}}\n";
    let full = json!({"provider": "vault", "parameters": {
        "roleName": "acme", "vaultAddress": "https://vault:8200", "vaultNamespace": "team", "vaultAuthMountPath": "kubernetes-b",
        "audience": "vault", "vaultSkipTLSVerify": "true", "objects": objects,
    }});
    let older = json!({"provider": "openbao", "parameters": {"roleName": "acme", "vaultKubernetesMountPath": "kubernetes", "objects": "- secretPath: a/{{x}}\n  objectName: [\n"}});
    let other = json!({"provider": "azure", "parameters": {"keyvaultName": "k", "objects": "array: |\n"}});
    vec![
        consumer(
            Kind::SecretProviderClass,
            "class",
            full,
            None,
            ConsumerSpec::ProviderClass(ProviderClassSpec {
                provider: "vault".into(),
                role: Some("acme".into()),
                address: "https://vault:8200".into(),
                mount: "kubernetes-b".into(),
                vault_namespace: "team".into(),
                audience: Some("vault".into()),
                skip_tls: true,
                objects: Box::new([("secret/data/web-tenant-acme/db".into(), "".into()), ("pki/issue/web".into(), "PUT".into())]),
                unreadable: false,
            }),
            None,
        ),
        consumer(
            Kind::SecretProviderClass,
            "broken",
            older,
            None,
            ConsumerSpec::ProviderClass(ProviderClassSpec {
                provider: "openbao".into(),
                role: Some("acme".into()),
                mount: "kubernetes".into(),
                unreadable: true,
                ..ProviderClassSpec::default()
            }),
            None,
        ),
        consumer(
            Kind::SecretProviderClass,
            "other",
            other,
            None,
            ConsumerSpec::ProviderClass(ProviderClassSpec { provider: "azure".into(), ..ProviderClassSpec::default() }),
            None,
        ),
    ]
}
