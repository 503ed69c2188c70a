//! What samples become, whole, broken and hostile, without any server.

use std::sync::Arc;

use partywall::cluster::project;
use partywall::model::changes::Fact;
use partywall::model::consumer::{
    ConsumerFact, ConsumerSpec, ExternalSpec, InjectorFact, OperatorSpec, ProviderClassSpec, SecretUse, UseKind,
};
use partywall::model::event::Authority;
use partywall::model::intern::Interner;
use partywall::model::kind::Kind;
use partywall::model::secretstore::SecretStoreFact;
use partywall::model::text::LONGEST;
use serde_json::{Value, json};

use super::samples::{names, samples, without_meta};

pub fn fact(kind: Kind, object: &Value) -> Option<Fact> {
    project::fact(kind, object.to_string().as_bytes(), &mut Interner::default())
}

fn consumer(kind: Kind, spec: Value) -> ConsumerFact {
    match fact(kind, &json!({"metadata": {"name": "c", "namespace": "n", "generation": 3}, "spec": spec})) {
        Some(Fact::Consumer(fact)) => fact,
        other => panic!("{other:?}"),
    }
}

fn external(kind: Kind, spec: Value) -> ExternalSpec {
    match consumer(kind, spec).spec {
        ConsumerSpec::External(spec) => spec,
        other => panic!("{other:?}"),
    }
}

fn operator(kind: Kind, spec: Value) -> OperatorSpec {
    match consumer(kind, spec).spec {
        ConsumerSpec::Operator(spec) => spec,
        other => panic!("{other:?}"),
    }
}

fn class(objects: &Value) -> ProviderClassSpec {
    match consumer(Kind::SecretProviderClass, json!({"provider": "vault", "parameters": {"roleName": "r", "objects": objects}})).spec {
        ConsumerSpec::ProviderClass(spec) => spec,
        other => panic!("{other:?}"),
    }
}

fn store(kind: Kind, spec: Value) -> SecretStoreFact {
    match fact(kind, &json!({"metadata": {"name": "s", "namespace": "n"}, "spec": spec})) {
        Some(Fact::SecretStore(store)) => store,
        other => panic!("{other:?}"),
    }
}

#[test]
fn samples_become_exactly_their_facts() {
    for sample in samples() {
        let got = without_meta(fact(sample.kind, &sample.whole()).unwrap());
        assert_eq!(got, sample.fact, "{}", sample.kind);
        assert!(!format!("{got:?}").contains("canary"), "{got:?}");
    }
}

/// Every place in a value, as JSON pointers.
fn places(value: &Value, at: &str, out: &mut Vec<String>) {
    out.push(at.to_owned());
    match value {
        Value::Object(map) => map.iter().for_each(|(key, inner)| places(inner, &format!("{at}/{}", key.replace('/', "~1")), out)),
        Value::Array(list) => list.iter().enumerate().for_each(|(i, inner)| places(inner, &format!("{at}/{i}"), out)),
        _ => {}
    }
}

const HOSTILE: &str = "\u{1b}]0;x\u{7}\u{202e}";

#[test]
fn nothing_in_an_object_makes_it_vanish_or_panic() {
    let deep = (0..100).fold(json!(1), |inner, _| json!([inner]));
    let odd = [json!(null), json!(7.5), json!(true), json!(HOSTILE), json!([7]), json!([null]), json!({"odd": 7}), json!(-1), deep];
    let mut tried = 0;
    for sample in samples() {
        let object = sample.whole();
        let mut all = Vec::new();
        for part in ["spec", "status"] {
            object.get(part).into_iter().for_each(|value| places(value, &format!("/{part}"), &mut all));
        }
        for place in all {
            for odd in &odd {
                let mut broken = object.clone();
                *broken.pointer_mut(&place).unwrap() = odd.clone();
                assert!(fact(sample.kind, &broken).is_some(), "{} {place} = {odd}", sample.kind);
                tried += 1;
            }
        }
    }
    assert!(tried > 2000, "{tried}");
}

/// An entry that can't be read must not look like an object that asks for nothing more.
#[test]
fn what_cannot_be_read_of_an_external_secret_is_told() {
    let good = samples().into_iter().find(|sample| sample.kind == Kind::ExternalSecret).unwrap().object;
    let mut all = Vec::new();
    for part in ["data", "dataFrom", "secretStoreRef"] {
        places(&good["spec"][part], &format!("/spec/{part}"), &mut all);
    }
    let free = ["secretKey", "property", "metadataPolicy", "regexp", "apiVersion"];
    let mut tried = 0;
    for place in all {
        // a generator's kind and name, a pattern
        let last = place.rsplit('/').next().unwrap();
        if free.contains(&last) || place.contains("generatorRef/") || place.contains("find/name") {
            continue;
        }
        for odd in [json!(7), json!(true), json!(["x"]), json!({"x": 1})] {
            let mut broken = good.clone();
            let original = std::mem::replace(broken.pointer_mut(&place).unwrap(), odd.clone());
            if std::mem::discriminant(&original) == std::mem::discriminant(&odd) {
                continue;
            }
            let Some(Fact::Consumer(fact)) = fact(Kind::ExternalSecret, &broken) else { panic!() };
            let ConsumerSpec::External(spec) = fact.spec else { panic!() };
            assert!(spec.incomplete, "{place} = {odd}: {spec:?}");
            tried += 1;
        }
    }
    assert!(tried > 50, "{tried}");
    let unknown_store =
        json!({"secretStoreRef": {"kind": "OtherStore", "name": "s"}, "data": [{"secretKey": "a", "remoteRef": {"key": "k"}}]});
    assert!(external(Kind::ExternalSecret, unknown_store).incomplete);
    assert!(!external(Kind::ExternalSecret, json!({})).incomplete);
    // keys by a pattern, of newer releases
    let by_pattern =
        json!({"secretStoreRefs": [{"name": "s"}], "dataTo": [{"match": {"regexp": ".*"}}], "selector": {"secret": {"name": "x"}}});
    assert!(external(Kind::PushSecret, by_pattern).incomplete);
}

#[test]
fn a_push_to_many_stores_stays_small_and_says_so() {
    let stores: Vec<Value> = (0..2000).map(|i| json!({"name": format!("s{i}")})).collect();
    let data: Vec<Value> = (0..2000).map(|i| json!({"match": {"remoteRef": {"remoteKey": format!("k{i}")}}})).collect();
    let spec = external(Kind::PushSecret, json!({"secretStoreRefs": stores, "data": data, "selector": {"secret": {"name": "x"}}}));
    assert!(spec.incomplete && spec.entries.len() == 4096, "{}", spec.entries.len());
}

#[test]
fn whom_a_store_admits_fails_closed() {
    let admits =
        |conditions: Value| store(Kind::ClusterSecretStore, json!({"conditions": conditions, "provider": {"vault": {}}})).conditions;
    assert!(admits(json!(null)).is_empty() && admits(json!([])).is_empty());
    for odd in
        [json!("all"), json!([7]), json!([{"namespaces": "a"}]), json!([{"namespaceRegexes": [7]}]), json!([{"namespaceSelector": 7}])]
    {
        let read = admits(odd.clone());
        assert!(read.len() == 1 && format!("{read:?}").contains("Unknown("), "{odd}: {read:?}");
    }
    assert_eq!(admits(json!([null, {}])).len(), 2, "they admit nobody, and are not the absence of conditions");
}

#[test]
fn openbaos_provider_is_vaults() {
    let provider = json!({"server": "https://bao", "auth": {"tokenSecretRef": {"name": "t", "key": "k"}}});
    for key in ["openBao", "openbao"] {
        let read = store(Kind::SecretStore, json!({"provider": {key: provider}}));
        let vault = read.vault.unwrap();
        assert_eq!(
            (&*read.provider, &*vault.server, vault.other_auth.as_deref(), vault.version),
            (key, "https://bao", Some("tokenSecretRef"), 2)
        );
    }
}

#[test]
fn what_a_provider_class_hides_is_told() {
    let bomb =
        format!("a: &a [x]\n{}\n- secretPath: *a\n", (0..20).map(|i| format!("b{i}: &b{i} [*a, *a]")).collect::<Vec<_>>().join("\n"));
    let deep = format!("- secretPath: a\n  secretArgs: {}{}", "[".repeat(5000), "]".repeat(5000));
    let long = format!("- secretPath: {}", "x".repeat(300 << 10));
    for text in [
        "- {",
        "secretPath: a",
        "- 7",
        "- objectName: only",
        "- secretPath: [a]",
        "- {secretPath: a, secretPath: b}",
        &bomb,
        &deep,
        &long,
        "text",
    ] {
        let read = class(&json!(text));
        assert!(read.unreadable && read.objects.is_empty(), "{text:.60}: {read:?}");
    }
    assert!(class(&json!(7)).unreadable && class(&json!(["- secretPath: a"])).unreadable);
    for text in ["", "[]", "# nothing"] {
        assert!(!class(&json!(text)).unreadable, "{text}");
    }
    let aliased = class(&json!("- &a {secretPath: x/y, objectName: n}\n- *a\n"));
    assert_eq!(aliased.objects.len(), 2);
    assert!(!class(&json!(null)).unreadable);
}

#[test]
fn the_operators_kinds_are_read_in_every_spelling() {
    let csi = operator(
        Kind::CSISecrets,
        json!({"vaultAuthRef": {"name": "auth", "namespace": "vso", "trustNamespace": true}, "namespace": "team", "secrets": {
            "vaultStaticSecrets": [{"mount": "secret", "path": "a", "type": "kv-v2"}, {"mount": "secret", "path": "b"}],
            "vaultAppRoleSecretIDs": [{"mount": "approle", "role": "r"}],
        }}),
    );
    assert_eq!((&*csi.auth, &*csi.mount, &*csi.path, csi.unreadable), ("vso/auth", "secret", "a", false));
    let also: Vec<(&str, &str)> = csi.also.iter().map(|(mount, path)| (&**mount, &**path)).collect();
    assert_eq!(also, [("secret", "b"), ("auth/approle", "role/r/secret-id")]);
    assert!(operator(Kind::CSISecrets, json!({"secrets": {"vaultStaticSecrets": [7]}})).unreadable);
    assert!(operator(Kind::VaultStaticSecret, json!({"mount": 7, "path": "a"})).unreadable);
    let by_name = operator(Kind::VaultStaticSecret, json!({"vaultAuthRef": {"name": "auth"}, "mount": "m", "path": "p", "type": "kv-v3"}));
    assert_eq!((&*by_name.auth, by_name.version), ("auth", None));
}

#[test]
fn of_several_conditions_the_one_that_says_no_counts() {
    let of = |conditions: Value| {
        let object = json!({"metadata": {"name": "c"}, "spec": {}, "status": {"conditions": conditions}});
        let Some(Fact::Consumer(fact)) = fact(Kind::VaultStaticSecret, &object) else { panic!() };
        fact.ready.map(|ready| (ready.status, ready.reason.to_string()))
    };
    let one = |kind: &str, status: &str| json!({"type": kind, "status": status, "reason": kind, "message": HOSTILE.repeat(5000)});
    assert_eq!(of(json!([one("SecretSynced", "False"), one("Ready", "True")])), Some((Some(false), "SecretSynced".to_owned())));
    assert_eq!(of(json!([one("Healthy", "True"), one("Ready", "Unknown")])), Some((None, "Ready".to_owned())));
    assert_eq!(of(json!([one("Other", "False")])), None);
    assert_eq!(of(json!("odd")), None);
    let object = json!({"metadata": {"name": "c"}, "spec": {}, "status": {"conditions": [one("Ready", "False")]}});
    let Some(Fact::Consumer(fact)) = fact(Kind::ExternalSecret, &object) else { panic!() };
    assert_eq!(fact.ready.unwrap().message.chars().count(), LONGEST);
}

/// A pod's spec that takes Secrets in every way.
pub fn taking() -> Value {
    json!({
        "containers": [{"name": "app", "image": "i", "envFrom": [{"secretRef": {"name": "all"}}, {"configMapRef": {"name": "no"}}], "env": [
            {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}},
            {"name": "PLAIN", "value": "canary-4711"},
        ]}],
        "initContainers": [{"name": "init", "image": "i", "env": [{"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}}]}],
        "volumes": [
            {"name": "tls", "secret": {"secretName": "web-tls", "items": [{"key": "tls.key", "path": "server.key"}]}},
            {"name": "both", "projected": {"sources": [{"secret": {"name": "part"}}, {"serviceAccountToken": {"path": "t", "audience": "vault"}}]}},
            {"name": "csi", "csi": {"driver": "secrets-store.csi.k8s.io", "readOnly": true, "volumeAttributes": {"secretProviderClass": "class"}}},
            {"name": "none", "emptyDir": {}},
        ],
    })
}

pub fn taken() -> Vec<SecretUse> {
    let env = |container: &str, variable: &str| SecretUse {
        secret: "db".into(),
        container: Some(container.into()),
        how: UseKind::Env { variable: variable.into(), key: "password".into() },
    };
    let volume = |secret: &str, how: UseKind| SecretUse { secret: secret.into(), container: None, how };
    let mut all = vec![
        SecretUse { secret: "all".into(), container: Some("app".into()), how: UseKind::EnvFrom },
        env("app", "PASSWORD"),
        env("init", "KEY"),
        volume("web-tls", UseKind::Volume { items: Box::new([("tls.key".into(), "server.key".into())]) }),
        volume("part", UseKind::Volume { items: [].into() }),
        volume("class", UseKind::ProviderClass),
    ];
    all.sort_unstable();
    all
}

pub fn annotations() -> Value {
    json!({
        "vault.hashicorp.com/agent-inject": "true", "vault.hashicorp.com/role": "acme",
        "vault.hashicorp.com/agent-inject-secret-db": "secret/data/web-tenant-acme/db",
        "vault.hashicorp.com/agent-inject-template-db": "{{- with secret \"secret/data/web-tenant-globex/db\" -}}{{ .Data.data.x }}{{- end }} canary-4711",
        "example.com/token": "canary-4711",
    })
}

pub fn injected() -> InjectorFact {
    InjectorFact {
        role: Some("acme".into()),
        paths: names(&["secret/data/web-tenant-acme/db", "secret/data/web-tenant-globex/db"]),
        ..InjectorFact::default()
    }
}

#[test]
fn pods_and_templates_tell_which_secrets_they_take() {
    let mut interner = Interner::default();
    let metadata = |name: &str| json!({"name": name, "namespace": "n", "annotations": annotations()});
    let mut read = |kind: Kind, object: Value| project::fact(kind, object.to_string().as_bytes(), &mut interner).unwrap();
    let template = json!({"metadata": {"annotations": annotations()}, "spec": taking()});
    let mut found = Vec::new();
    for pod in ["a", "b"] {
        let Fact::Pod(pod) = read(Kind::Pod, json!({"metadata": metadata(pod), "spec": taking()})) else { panic!() };
        assert!(!format!("{pod:?}").contains("canary"), "{pod:?}");
        found.push((pod.secrets, pod.injector.unwrap()));
    }
    for (kind, spec) in
        [(Kind::Deployment, json!({"template": template})), (Kind::CronJob, json!({"jobTemplate": {"spec": {"template": template}}}))]
    {
        // the workload's own annotations are not its pods'
        let Fact::Workload(workload) = read(kind, json!({"metadata": {"name": "w", "namespace": "n"}, "spec": spec})) else { panic!() };
        found.push((workload.secrets, workload.injector.unwrap()));
    }
    for (secrets, injector) in &found {
        assert_eq!((secrets.as_ref(), injector.as_ref()), (taken().as_slice(), &injected()));
        assert!(Arc::ptr_eq(secrets, &found[0].0) && Arc::ptr_eq(injector, &found[0].1), "shared by all of one template");
    }
    let Fact::Pod(plain) =
        read(Kind::Pod, json!({"metadata": {"name": "c", "annotations": {"vault.hashicorp.com/role": "x"}}, "spec": {}}))
    else {
        panic!()
    };
    assert!(plain.secrets.is_empty() && plain.injector.is_none());
}

#[test]
fn openbaos_injector_has_another_prefix() {
    let pod = |annotations: Value| match fact(Kind::Pod, &json!({"metadata": {"name": "p", "annotations": annotations}, "spec": {}})) {
        Some(Fact::Pod(pod)) => pod.injector,
        other => panic!("{other:?}"),
    };
    let bao = pod(
        json!({"openbao.openbao.org/agent-inject": "true", "openbao.openbao.org/role": "acme", "openbao.openbao.org/agent-inject-secret-x": "a/b"}),
    );
    assert_eq!(bao.unwrap().paths.as_ref(), names(&["a/b"]).as_ref());
    let both = json!({"openbao.openbao.org/agent-inject": "true", "openbao.openbao.org/role": "a", "vault.hashicorp.com/role": "b"});
    assert!(pod(both).unwrap().opaque, "two injectors, two roles");
    assert!(pod(json!({"vault.hashicorp.com/agent-inject": "true", "vault.hashicorp.com/role": 7})).unwrap().opaque);
    assert!(pod(json!(7)).is_none());
}

#[test]
fn an_event_of_a_denial_keeps_the_request_however_long_it_is() {
    let told = |message: String| {
        let event = json!({"metadata": {"name": "e", "namespace": "n"}, "involvedObject": {"kind": "ExternalSecret", "namespace": "n", "name": "x"},
            "type": "Warning", "reason": "UpdateFailed", "message": message, "count": 3, "lastTimestamp": "2026-11-21T12:00:00Z"});
        match fact(Kind::Event, &event) {
            Some(Fact::Refusal(refusal)) => refusal,
            other => panic!("{other:?}"),
        }
    };
    let tail = "URL: GET http://vault:8200/v1/secret/data/globex/db\nCode: 403. Errors:\n\n* 1 error occurred:\n\t* permission denied\n\n";
    for filler in ["", &"x".repeat(5000)] {
        let refusal = told(format!("error processing spec.data[0] (key: {filler}), err: Error making API request.\n\n{tail}"));
        assert_eq!(refusal.vault_request(), Some(("GET", "secret/data/globex/db")));
        assert_eq!((refusal.authority, refusal.count), (Authority::VaultAcl, 3));
        assert_eq!(refusal.about.as_ref().map(|about| about.kind), Some(Kind::ExternalSecret));
        assert!(refusal.message.chars().count() <= LONGEST);
    }
    // a Secret that an Event is about is none that we read
    let about =
        json!({"metadata": {"name": "e"}, "involvedObject": {"kind": "Secret", "name": "x"}, "reason": "PolicyViolation", "message": "m"});
    let Some(Fact::Refusal(refusal)) = fact(Kind::Event, &about) else { panic!() };
    assert_eq!((refusal.about.is_none(), &*refusal.about_text), (true, "Secret/x"));
}

#[test]
fn a_secrets_metadata_is_all_there_is() {
    let object = json!({"kind": "Secret", "type": "kubernetes.io/service-account-token", "data": {"token": "canary-4711"},
        "metadata": {"name": "old", "namespace": "n", "uid": "5b1b4e3c-0000-4000-8000-000000000001", "resourceVersion": "7",
            "annotations": {"kubernetes.io/service-account.name": "app", "kubectl.kubernetes.io/last-applied-configuration": "canary-4711"},
            "labels": {"kubernetes.io/legacy-token-last-used": "2026-11-20"}}});
    let Some(Fact::SecretMeta(read)) = fact(Kind::TokenSecret, &object) else { panic!() };
    assert_eq!((read.kind, read.account.as_deref(), read.last_used.as_deref()), (Kind::TokenSecret, Some("app"), Some("2026-11-20")));
    assert!(!format!("{read:?}").contains("canary"));
}
