use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;
use crate::model::consumer::{
    AuthSpec, ConsumerFact, ConsumerSpec, EntryKind, ExternalSpec, InjectorFact, NamespaceChoice, OperatorSpec, ProviderClassSpec,
    SecretEntry, StoreRef,
};
use crate::model::meta::Meta;
use crate::model::secretstore::{SecretStoreFact, VaultProvider};
use crate::model::snapshot::ClusterFacts;
use crate::model::source::SourceState;
use crate::model::vault::{Part, SecretMount, VaultFacts};
use crate::model::workload::WorkloadFact;

const HERE: &str = "web-tenant-a";

fn mounts() -> BTreeMap<Name, SecretMount> {
    let mount = |kind: &str, version| SecretMount { kind: kind.into(), version, accessor: "".into() };
    [
        ("secret".into(), mount("kv", Some(2))),
        ("kv".into(), mount("kv", Some(1))),
        ("team/kv".into(), mount("kv", Some(2))),
        ("database".into(), mount("database", None)),
    ]
    .into()
}

fn snapshot(facts: NamespaceFacts, others: Vec<(&str, NamespaceFacts)>, cluster: ClusterFacts) -> Snapshot {
    let vault = VaultFacts {
        configured: true,
        secret_mounts: Part { state: SourceState::Live, items: Arc::new(mounts()), unreadable: Arc::default() },
        ..VaultFacts::default()
    };
    let all = others.into_iter().chain([(HERE, facts)]).map(|(name, facts)| (Name::from(name), Arc::new(facts)));
    Snapshot { namespaces: Arc::new(all.collect()), vault: Arc::new(vault), cluster: Arc::new(cluster), ..Snapshot::default() }
}

fn tenants() -> Tenants {
    Tenants { of: [(HERE.into(), "a".into())].into(), namespaces: [("a".into(), vec![HERE.into()])].into(), ..Tenants::default() }
}

fn meta(namespace: &str, name: &str) -> Meta {
    Meta { namespace: namespace.into(), name: name.into(), ..Meta::default() }
}

fn consumer(namespace: &str, name: &str, kind: Kind, spec: ConsumerSpec) -> ((Kind, Name), Arc<ConsumerFact>) {
    ((kind, name.into()), Arc::new(ConsumerFact { meta: meta(namespace, name), kind, ready: None, spec }))
}

fn store(kind: Kind, conditions: Vec<NamespaceChoice>, vault: VaultProvider) -> SecretStoreFact {
    SecretStoreFact {
        meta: meta(if kind == Kind::SecretStore { HERE } else { "" }, "store"),
        kind,
        conditions: conditions.into(),
        controller: "".into(),
        vault: Some(vault),
        provider: "vault".into(),
        ready: None,
    }
}

fn provider(path: Option<&str>, version: u8) -> VaultProvider {
    VaultProvider {
        server: "https://vault".into(),
        path: path.map(Into::into),
        version,
        kubernetes_mount: Some("kubernetes".into()),
        role: Some("r".into()),
        service_account: Some("app".into()),
        ..VaultProvider::default()
    }
}

fn entry(how: EntryKind, kind: Kind, key: &str) -> SecretEntry {
    SecretEntry {
        how,
        store: Some(StoreRef { kind, name: "store".into(), selector: None }),
        key: key.into(),
        property: None,
        metadata: false,
        secret_key: None,
        generator: None,
    }
}

fn external(entries: Vec<SecretEntry>) -> ((Kind, Name), Arc<ConsumerFact>) {
    let spec = ExternalSpec { entries: entries.into(), ..ExternalSpec::default() };
    consumer(HERE, "es", Kind::ExternalSecret, ConsumerSpec::External(spec))
}

fn one(snapshot: &Snapshot) -> Row {
    let mut rows = of_namespace(snapshot, &tenants(), &HERE.into());
    assert_eq!(rows.len(), 1, "{rows:#?}");
    rows.remove(0)
}

/// The row of an ExternalSecret with one entry, by a store of its namespace.
fn asked(provider: VaultProvider, entry: SecretEntry) -> Row {
    let facts = NamespaceFacts {
        secret_stores: [("store".into(), Arc::new(store(Kind::SecretStore, vec![], provider)))].into(),
        consumers: [external(vec![entry])].into(),
        ..NamespaceFacts::default()
    };
    one(&snapshot(facts, vec![], ClusterFacts::default()))
}

fn shown(row: &Row) -> Vec<String> {
    let asked =
        |a: &Asked| format!("{} {} = {}:{}{}", a.operation.word(), a.request, a.mount, a.path, if a.below { " and below" } else { "" });
    row.paths.iter().map(asked).collect()
}

#[test]
fn keys_of_external_secrets_become_paths_as_the_controller_makes_them() {
    for (path, version, key, expected) in [
        (Some("secret"), 2, "acme", "read secret/data/acme = secret:acme"),
        (Some("secret"), 2, "secret/acme", "read secret/data/acme = secret:acme"),
        (Some("secret"), 2, "secret/data/acme", "read secret/data/acme = secret:acme"),
        // without the mount in front, `data` is a folder like any other
        (Some("secret"), 2, "data/acme", "read secret/data/data/acme = secret:data/acme"),
        (Some("secret"), 2, "a/../../globex", "read secret/globex = secret:globex"),
        (Some("secret"), 2, "a/../globex", "read secret/data/globex = secret:globex"),
        (Some("/secret/"), 2, "acme", "read secret/data/acme = secret:acme"),
        (Some("team/kv"), 2, "x/y", "read team/kv/data/x/y = team/kv:x/y"),
        (Some("kv"), 1, "acme/db", "read kv/acme/db = kv:acme/db"),
        (Some("kv"), 1, "kv/acme/db", "read kv/acme/db = kv:acme/db"),
        (None, 2, "secret/acme", "read secret/data/acme = secret:acme"),
        (None, 2, "secret/data/acme", "read secret/data/acme = secret:acme"),
        (None, 1, "kv/acme", "read kv/acme = kv:acme"),
        (None, 2, "other/acme", "read other/data/acme = other:acme"),
    ] {
        let row = asked(provider(path, version), entry(EntryKind::Data, Kind::SecretStore, key));
        assert_eq!(shown(&row), [expected], "{path:?} {version} {key}");
    }
}

#[test]
fn finds_list_metadata_fetches_read_it_and_pushes_write() {
    let find = asked(provider(Some("secret"), 2), entry(EntryKind::Find, Kind::SecretStore, "apps"));
    assert_eq!(shown(&find), ["list secret/metadata/apps = secret:apps and below"]);
    let fetch = SecretEntry { metadata: true, ..entry(EntryKind::Data, Kind::SecretStore, "apps") };
    assert_eq!(shown(&asked(provider(Some("secret"), 2), fetch)), ["read secret/metadata/apps = secret:apps"]);
    let push = asked(provider(Some("secret"), 2), entry(EntryKind::Push, Kind::SecretStore, "apps"));
    assert_eq!(shown(&push), ["update secret/data/apps = secret:apps", "create secret/data/apps = secret:apps"]);
}

#[test]
fn the_identity_is_the_tables() {
    let account = |kind: Kind, name: Option<&str>, namespace: Option<&str>, stored: bool| {
        let vault = VaultProvider {
            service_account: name.map(Into::into),
            service_account_namespace: namespace.map(Into::into),
            token_from_secret: stored,
            ..provider(Some("secret"), 2)
        };
        let mut facts =
            NamespaceFacts { consumers: [external(vec![entry(EntryKind::Data, kind, "x")])].into(), ..NamespaceFacts::default() };
        let mut cluster = ClusterFacts::default();
        let store = Arc::new(store(kind, vec![], vault));
        if kind == Kind::SecretStore {
            facts.secret_stores.insert("store".into(), store);
        } else {
            cluster.stores.insert("store".into(), store);
        }
        let LoginBy::Kubernetes { account, .. } = one(&snapshot(facts, vec![], cluster)).login else { panic!("no login") };
        account
    };
    let named = |namespace: &str| Account::Named { namespace: namespace.into(), name: "app".into() };
    assert_eq!(account(Kind::SecretStore, Some("app"), Some("elsewhere"), false), named(HERE));
    assert_eq!(account(Kind::ClusterSecretStore, Some("app"), Some("eso"), false), named("eso"));
    assert_eq!(account(Kind::ClusterSecretStore, Some("app"), None, false), named(HERE));
    assert_eq!(account(Kind::SecretStore, None, None, false), Account::Controller);
    assert_eq!(account(Kind::ClusterSecretStore, None, None, true), Account::Stored);
}

#[test]
fn a_cluster_stores_conditions_admit_or_refuse() {
    let pattern = |text: &str| NamespaceChoice { patterns: [Name::from(text)].into(), ..NamespaceChoice::default() };
    for (conditions, expected) in [
        (vec![], Some(true)),
        (vec![NamespaceChoice { names: [Name::from(HERE)].into(), ..NamespaceChoice::default() }], Some(true)),
        (vec![NamespaceChoice { names: [Name::from("other")].into(), ..NamespaceChoice::default() }], Some(false)),
        // not anchored
        (vec![pattern("tenant")], Some(true)),
        (vec![pattern("^tenant")], Some(false)),
        (vec![pattern("(")], None),
    ] {
        let facts = NamespaceFacts {
            consumers: [external(vec![entry(EntryKind::Data, Kind::ClusterSecretStore, "x")])].into(),
            ..NamespaceFacts::default()
        };
        let store = store(Kind::ClusterSecretStore, conditions.clone(), provider(Some("secret"), 2));
        let cluster = ClusterFacts { stores: [("store".into(), Arc::new(store))].into(), ..ClusterFacts::default() };
        assert_eq!(one(&snapshot(facts, vec![], cluster)).admitted, expected, "{conditions:?}");
    }
}

#[test]
fn a_cluster_external_secret_asks_for_every_namespace_it_is_put_into() {
    let spec = |name: &str| ExternalSpec {
        entries: [entry(EntryKind::Data, Kind::ClusterSecretStore, "x")].into(),
        into: Some(NamespaceChoice { names: [Name::from(name)].into(), ..NamespaceChoice::default() }),
        ..ExternalSpec::default()
    };
    let rows = |name: &str| {
        let cluster = ClusterFacts {
            stores: [("store".into(), Arc::new(store(Kind::ClusterSecretStore, vec![], provider(Some("secret"), 2))))].into(),
            consumers: [consumer("", "ces", Kind::ClusterExternalSecret, ConsumerSpec::External(spec(name)))].into(),
            ..ClusterFacts::default()
        };
        rows(&snapshot(NamespaceFacts::default(), vec![], cluster), &tenants())
    };
    assert_eq!(rows(HERE).len(), 1);
    assert_eq!(rows("other").len(), 0);
}

#[test]
fn the_operators_secrets_go_by_the_auth_they_name() {
    let secret = |auth: &str| {
        let spec =
            OperatorSpec { auth: auth.into(), mount: "secret".into(), path: "x".into(), version: Some(2), ..OperatorSpec::default() };
        consumer(HERE, "s", Kind::VaultStaticSecret, ConsumerSpec::Operator(spec))
    };
    let auth = |namespace: &str, name: &str, allowed: &[&str]| {
        let spec = AuthSpec {
            method: "kubernetes".into(),
            role: Some("r".into()),
            service_account: Some("app".into()),
            allowed: allowed.iter().map(|name| Name::from(*name)).collect(),
            ..AuthSpec::default()
        };
        consumer(namespace, name, Kind::VaultAuth, ConsumerSpec::Auth(spec))
    };
    let row = |reference: &str, others: Vec<(&str, NamespaceFacts)>| {
        let facts = NamespaceFacts { consumers: [secret(reference), auth(HERE, "own", &[])].into(), ..NamespaceFacts::default() };
        one(&snapshot(facts, others, ClusterFacts::default()))
    };
    let space = |auth| NamespaceFacts { consumers: [auth].into(), ..NamespaceFacts::default() };
    let own = row("own", vec![]);
    assert_eq!((own.admitted, shown(&own)), (Some(true), vec!["read secret/data/x = secret:x".to_owned()]));
    let LoginBy::Kubernetes { account, mount, .. } = &own.login else { panic!("{:?}", own.login) };
    assert_eq!((account, &**mount), (&Account::Named { namespace: HERE.into(), name: "app".into() }, "kubernetes"));
    let others = |allowed: &[&str]| vec![("shared", space(auth("shared", "va", allowed)))];
    assert_eq!(row("shared/va", others(&[])).admitted, Some(false));
    assert_eq!(row("shared/va", others(&["*"])).admitted, Some(true));
    assert_eq!(row("shared/va", others(&[HERE])).rests_on(), BTreeSet::from(["shared".into()]));
    // the operator's own default is everybody's, whatever it says
    let operator = || vec![("vault-secrets-operator-system", space(auth("vault-secrets-operator-system", "default", &[])))];
    assert_eq!(row("", operator()).admitted, Some(true));
    let missing = row("", vec![]);
    assert_eq!((missing.doubts.len(), missing.rests_on().len()), (1, 1));
}

#[test]
fn what_asks_for_more_than_can_be_read_is_in_doubt() {
    let spec = ExternalSpec { incomplete: true, ..ExternalSpec::default() };
    let consumers = [consumer(HERE, "es", Kind::ExternalSecret, ConsumerSpec::External(spec))].into();
    let row = one(&snapshot(NamespaceFacts { consumers, ..NamespaceFacts::default() }, vec![], ClusterFacts::default()));
    assert_eq!((row.paths.len(), row.doubts.len()), (0, 1));
}

#[test]
fn injected_pods_and_provider_classes_ask_as_written() {
    let injector = InjectorFact {
        role: Some("r".into()),
        auth_path: "auth/k8s".into(),
        paths: ["secret/acme", "secret/data/b", "database/creds/x"].iter().map(|path| Name::from(*path)).collect(),
        ..InjectorFact::default()
    };
    let workload = WorkloadFact {
        kind: Kind::Deployment,
        meta: meta(HERE, "web"),
        template_labels: Arc::default(),
        containers: Vec::new().into(),
        service_account: "web".into(),
        host_network: false,
        secrets: Arc::new([]),
        injector: Some(Arc::new(injector)),
        wanted: None,
        ready: 0,
    };
    let class =
        ProviderClassSpec { role: Some("r".into()), objects: [("kv/a".into(), "PUT".into())].into(), ..ProviderClassSpec::default() };
    let facts = NamespaceFacts {
        workloads: [((Kind::Deployment, "web".into()), Arc::new(workload))].into(),
        consumers: [consumer(HERE, "class", Kind::SecretProviderClass, ConsumerSpec::ProviderClass(class))].into(),
        ..NamespaceFacts::default()
    };
    let rows = of_namespace(&snapshot(facts, vec![], ClusterFacts::default()), &tenants(), &HERE.into());
    let (injected, class) = (&rows[0], &rows[1]);
    let LoginBy::Kubernetes { mount, account, .. } = &injected.login else { panic!("{injected:?}") };
    assert_eq!((&**mount, account), ("k8s", &Account::Named { namespace: HERE.into(), name: "web".into() }));
    let paths = shown(injected);
    assert!(paths.contains(&"read secret/data/acme = secret:acme".to_owned()), "{paths:?}");
    assert!(paths.contains(&"read secret/data/b = secret:b".to_owned()), "{paths:?}");
    assert!(paths.contains(&"read database/creds/x = database:creds/x".to_owned()), "{paths:?}");
    assert!(injected.paths.iter().any(|asked| !asked.kv));
    assert_eq!(shown(class), ["update kv/a = kv:a"]);
    assert!(matches!(&class.login, LoginBy::Kubernetes { account: Account::Pods, .. }));
}

#[test]
fn a_vault_namespace_below_ours_is_a_prefix_and_another_a_doubt() {
    let row = |theirs: &str, ours: &str| {
        let vault = VaultProvider { vault_namespace: theirs.into(), ..provider(Some("secret"), 2) };
        let facts = NamespaceFacts {
            secret_stores: [("store".into(), Arc::new(store(Kind::SecretStore, vec![], vault)))].into(),
            consumers: [external(vec![entry(EntryKind::Data, Kind::SecretStore, "x")])].into(),
            ..NamespaceFacts::default()
        };
        let mut snapshot = snapshot(facts, vec![], ClusterFacts::default());
        Arc::make_mut(&mut snapshot.vault).namespace = ours.into();
        one(&snapshot)
    };
    assert_eq!(shown(&row("team/", "")), ["read team/secret/data/x = team/secret:x"]);
    assert_eq!(shown(&row("team", "team/")), ["read secret/data/x = secret:x"]);
    assert_eq!((row("other", "team").paths.len(), row("other", "team").doubts.len()), (0, 1));
    assert_eq!((row("", "team").paths.len(), row("", "team").doubts.len()), (0, 1));
}
