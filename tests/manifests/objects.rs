//! Which facts objects in files make.

use partywall::manifests::Weight;
use partywall::model::consumer::ConsumerSpec;
use partywall::model::kind::{Kind, WATCHED};
use partywall::model::networkpolicy::{Peer, PortMatch};
use partywall::model::pod::Phase;
use partywall::model::source::{Sight, SourceState};

use super::{read, told};

const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n  labels: {app: web}\nspec:\n  containers:\n  - name: main\n    ports: [{containerPort: 80, name: http}]\n";

#[test]
fn a_pod_without_a_namespace_is_in_default_which_is_made_with_its_name() {
    let reading = read("a.yaml", POD);
    assert_eq!(told(&reading), [""; 0]);
    let facts = reading.snapshot.namespace("default").expect("the namespace");
    let pod = &facts.pods["web"];
    assert_eq!((pod.meta.namespace.as_ref(), pod.labels.get("app").map(AsRef::as_ref)), ("default", Some("web")));
    assert!(pod.ips.is_empty() && pod.phase == Phase::Unknown, "no status is no trouble");
    let own = facts.own.as_ref().expect("the Namespace itself");
    let labels: Vec<_> = own.labels.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
    assert_eq!(labels, [("kubernetes.io/metadata.name".to_owned(), "default".to_owned())]);
}

#[test]
fn a_namespace_in_a_file_keeps_its_labels_and_gains_its_name() {
    let reading =
        read("a.yaml", "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop\n  labels: {team: x, kubernetes.io/metadata.name: lie}\n");
    let own = reading.snapshot.namespace("shop").unwrap().own.clone().unwrap();
    assert_eq!(own.labels.get("team").map(AsRef::as_ref), Some("x"));
    assert_eq!(own.labels.get("kubernetes.io/metadata.name").map(AsRef::as_ref), Some("shop"));
}

#[test]
fn everything_counts_as_seen_but_events_and_roles_where_there_is_none() {
    let roles = [Kind::Role, Kind::RoleBinding, Kind::ClusterRole, Kind::ClusterRoleBinding];
    let snapshot = read("a.yaml", POD).snapshot;
    for info in &WATCHED {
        let unseen = info.kind == Kind::Event || roles.contains(&info.kind) || info.metadata_of_type.is_some();
        assert_eq!(snapshot.sight(info.kind), if unseen { Sight::Blind } else { Sight::Clear }, "{}", info.kind);
    }
    let role = "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: r, namespace: x}\nrules: []\n";
    let with_one = read("a.yaml", role).snapshot;
    assert!(roles.iter().all(|kind| with_one.sight(*kind) == Sight::Clear));
    assert!(with_one.namespace("x").unwrap().roles.contains_key("r"));
    assert_eq!(*snapshot.source(Kind::Event), SourceState::Off);
}

const SECRETS: &str = "apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: keys, namespace: x}
spec:
  secretStoreRef: {name: vault}
  data:
  - {secretKey: a, remoteRef: {key: web-tenant-globex}}
---
apiVersion: external-secrets.io/v1beta1
kind: ClusterSecretStore
metadata: {name: shared}
spec:
  provider: {vault: {server: https://v, auth: {kubernetes: {role: r}}}}
---
apiVersion: secrets.hashicorp.com/v1beta1
kind: VaultConnection
metadata: {name: conn, namespace: x}
spec: {address: https://v, skipTLSVerify: yes}
---
apiVersion: v1
kind: Secret
metadata: {name: web, namespace: x}
type: kubernetes.io/tls
data: {tls.key: Y2FuYXJ5LTQ3MTE=}
---
apiVersion: v1
kind: Secret
metadata: {name: plain, namespace: x}
stringData: {a: canary-4711}
";

#[test]
fn whoever_asks_vault_is_read_and_of_secrets_the_metadata_alone() {
    let reading = read("a.yaml", SECRETS);
    assert_eq!(told(&reading), [""; 0]);
    let facts = reading.snapshot.namespace("x").unwrap();
    let ConsumerSpec::External(external) = &facts.consumers[&(Kind::ExternalSecret, "keys".into())].spec else { panic!() };
    assert_eq!((&*external.entries[0].key, external.target.as_deref()), ("web-tenant-globex", Some("keys")));
    let ConsumerSpec::Connection(connection) = &facts.consumers[&(Kind::VaultConnection, "conn".into())].spec else { panic!() };
    assert!(connection.skip_tls, "an older word for yes");
    assert_eq!(reading.snapshot.cluster.stores["shared"].kind, Kind::ClusterSecretStore);
    assert_eq!(facts.secrets.keys().collect::<Vec<_>>(), [&(Kind::TlsSecret, "web".into())]);
    assert_eq!(reading.snapshot.sight(Kind::TlsSecret), Sight::Clear);
    assert!(!format!("{:?}", reading.snapshot).contains("canary") && !format!("{:?}", reading.snapshot).contains("Y2FuYXJ5"));
}

#[test]
fn lists_of_every_kind_are_flattened() {
    let text = r#"{"apiVersion": "v1", "items": [
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "namespace": "x"}},
        {"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "b", "namespace": "x"}}]}
    ], "kind": "List"}"#;
    let reading = read("a.json", text);
    assert_eq!(reading.snapshot.namespace("x").unwrap().pods.len(), 2, "{:?}", told(&reading));
    let typed = "apiVersion: v1\nkind: PodList\nmetadata: {resourceVersion: '1'}\nitems:\n- metadata: {name: c, namespace: x}\n- metadata: {name: d, namespace: x}\n";
    assert_eq!(read("a.yaml", typed).snapshot.namespace("x").unwrap().pods.len(), 2, "items of a typed list need no kind");
    assert_eq!(read("a.yaml", "apiVersion: v1\nkind: PodList\nitems: null\n").objects, 0);
}

#[test]
fn workloads_are_facts_and_the_unwatched_ones_are_pods() {
    let template = "spec:\n  replicas: 2\n  template:\n    metadata: {labels: {app: a}}\n    spec: {containers: [{name: c}]}\n";
    for (version, kind, watched) in [
        ("apps/v1", "Deployment", Some(Kind::Deployment)),
        ("apps/v1", "StatefulSet", Some(Kind::StatefulSet)),
        ("apps/v1", "DaemonSet", Some(Kind::DaemonSet)),
        ("batch/v1", "Job", Some(Kind::Job)),
        ("apps/v1", "ReplicaSet", None),
        ("v1", "ReplicationController", None),
    ] {
        let reading = read("a.yaml", &format!("apiVersion: {version}\nkind: {kind}\nmetadata: {{name: w}}\n{template}"));
        let facts = reading.snapshot.namespace("default").unwrap();
        let labels = match watched {
            Some(watched) => facts.workloads[&(watched, "w".into())].template_labels.clone(),
            None => {
                let pod = facts.pods.values().next().unwrap();
                assert_eq!(pod.owner.as_deref(), Some(format!("{kind}/w").as_str()));
                pod.labels.clone()
            }
        };
        assert_eq!(labels.get("app").map(AsRef::as_ref), Some("a"), "{kind}: {:?}", told(&reading));
    }
    let cron = "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: c}\nspec:\n  jobTemplate:\n    spec:\n      template:\n        metadata: {labels: {app: a}}\n";
    assert!(read("a.yaml", cron).snapshot.namespace("default").unwrap().workloads.contains_key(&(Kind::CronJob, "c".into())));
}

#[test]
fn a_workload_on_the_nodes_network_is_a_pod_that_says_so() {
    let text = "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: exporter}\nspec:\n  template:\n    metadata: {labels: {app: e}}\n    spec: {hostNetwork: true}\n";
    let reading = read("a.yaml", text);
    let facts = reading.snapshot.namespace("default").unwrap();
    let pod = facts.pods.values().next().unwrap();
    assert!(pod.host_network && facts.workloads.is_empty());
    assert_eq!(pod.owner.as_deref(), Some("DaemonSet/exporter"));
}

#[test]
fn pods_keep_their_controller() {
    let text = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: w-1\n  ownerReferences:\n  - {kind: Node, name: n}\n  - {kind: ReplicaSet, name: w, controller: true}\n";
    assert_eq!(read("a.yaml", text).snapshot.namespace("default").unwrap().pods["w-1"].owner.as_deref(), Some("ReplicaSet/w"));
}

#[test]
fn a_static_pod_stands_for_itself_and_an_owner_without_a_kind_is_a_pod() {
    let pod = |owner: &str| format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: p, ownerReferences: [{owner}]}}\n");
    let owner = |text: &str| read("a.yaml", &pod(text)).snapshot.namespace("default").unwrap().pods["p"].owner.clone();
    assert_eq!(owner("{kind: Node, name: n, controller: true}"), None);
    assert_eq!(owner("{name: w, controller: true}").as_deref(), Some("Pod/w"));
}

#[test]
fn a_pod_whose_ports_have_a_wrong_type_is_left_out_and_named() {
    let good = "apiVersion: v1\nkind: Pod\nmetadata: {name: good}\nspec: {containers: [{name: c, ports: [{name: http}]}]}\n---\n";
    for (ports, what) in [
        ("{}", ".ports is no list"),
        ("[{containerPort: []}]", ".ports[0].containerPort is no number"),
        ("[{containerPort: '80'}]", "is no number"),
    ] {
        let text =
            format!("{good}apiVersion: v1\nkind: Pod\nmetadata: {{name: bad}}\nspec: {{containers: [{{name: c, ports: {ports}}}]}}\n");
        let reading = read("a.yaml", &text);
        assert_eq!(reading.snapshot.namespace("default").unwrap().pods.keys().map(AsRef::as_ref).collect::<Vec<&str>>(), ["good"]);
        let said = told(&reading);
        assert!(said.len() == 1 && said[0].contains("bad") && said[0].contains(what), "{said:?}");
    }
}

#[test]
fn kinds_that_are_not_read_are_counted_and_not_told() {
    let text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: a}\n---\na: 1\n---\napiVersion: example.com/v1\nkind: NetworkPolicy\nmetadata: {name: a}\n";
    let reading = read("a.yaml", text);
    assert_eq!(told(&reading), [""; 0]);
    assert_eq!(reading.objects, 0);
    assert_eq!(reading.passed.values().sum::<usize>(), 4);
    assert!(reading.summary().contains("4 of kinds that are not read"), "{}", reading.summary());
}

#[test]
fn the_same_object_twice_counts_as_the_later_and_is_told() {
    let reading = read("a.yaml", &format!("{POD}---\n{}", POD.replace("app: web", "app: api")));
    assert_eq!(reading.snapshot.namespace("default").unwrap().pods["web"].labels.get("app").map(AsRef::as_ref), Some("api"));
    assert_eq!(
        told(&reading),
        ["a.yaml: document 2 (line 10): Pod default/web: stands already in a.yaml, document 1; this later one counts"]
    );
    assert!(!reading.lost());
}

/// A policy with one ingress rule.
fn policy(rule: &str) -> String {
    format!(
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: p, namespace: shop}}\nspec:\n  podSelector: {{}}\n  ingress:\n  - {rule}\n"
    )
}

#[test]
fn a_malformed_part_of_a_policy_is_told_and_kept_as_unreadable() {
    for (rule, field, what) in [
        ("ports: [{port: 90, endPort: 80}]", "spec.ingress[0].ports[0]", "endPort lies before port"),
        ("ports: [{port: http, endPort: 80}]", "spec.ingress[0].ports[0]", "endPort beside a named port"),
        ("ports: [{port: 70000}]", "spec.ingress[0].ports[0]", "no port has that number"),
        ("ports: [{protocol: ICMP}]", "spec.ingress[0].ports[0]", "ICMP"),
        ("from: [{}]", "spec.ingress[0].from[0]", "names nobody"),
        ("from: [{ipBlock: {cidr: 10.0.0.0/33}}]", "spec.ingress[0].from[0]", "no address range"),
        ("from: [{ipBlock: {cidr: 10.0.0.0/8, except: [11.0.0.0/16]}}]", "spec.ingress[0].from[0]", "not inside"),
        ("from: [{ipBlock: {cidr: 10.0.0.0/8}, podSelector: {}}]", "spec.ingress[0].from[0]", "both"),
        ("from: [{podSelector: {matchExpressions: [{key: a, operator: Near}]}}]", "spec.ingress[0].from[0].podSelector", "Near"),
        ("from: [{podSelector: {matchExpressions: [{key: a, operator: In}]}}]", "spec.ingress[0].from[0].podSelector", "need a value"),
        ("from: {}", "spec.ingress[0].from[0]", "no list"),
    ] {
        let reading = read("dir/p.yaml", &policy(rule));
        let told = told(&reading);
        assert_eq!(told.len(), 1, "{rule}: {told:?}");
        let head = format!("dir/p.yaml: document 1 (line 1): NetworkPolicy shop/p: {field}: ");
        assert!(told[0].starts_with(&head) && told[0].contains(what), "{rule}: {}", told[0]);
        assert_eq!(reading.problems[0].weight, Weight::Doubtful);
        assert_eq!(reading.snapshot.namespace("shop").unwrap().policies.len(), 1, "the policy stays");
    }
    let kept = read("p.yaml", &policy("{from: [{}], ports: [{port: 90, endPort: 80}]}")).snapshot;
    let rule = &kept.namespace("shop").unwrap().policies["p"].ingress[0];
    assert!(matches!(&rule.peers[0], Peer::Unreadable(_)) && matches!(&rule.ports[0].port, PortMatch::Unreadable(_)));
}

#[test]
fn fields_that_the_api_does_not_have_are_told() {
    for (rule, told_of) in [
        ("form: [{podSelector: {}}]", "spec.ingress[0]: there is no field \"form\""),
        ("to: [{podSelector: {}}]", "spec.ingress[0]: there is no field \"to\""),
        ("from: [{podSelector: {app: x}}]", "spec.ingress[0].from[0].podSelector: there is no field \"app\""),
        ("ports: [{port: 80, endport: 90}]", "spec.ingress[0].ports[0]: there is no field \"endport\""),
    ] {
        let told = told(&read("p.yaml", &policy(rule)));
        assert!(told.len() == 1 && told[0].contains(told_of), "{rule}: {told:?}");
    }
    let types =
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p}\nspec: {podSelector: {}, policyTypes: [ingress]}\n";
    assert!(told(&read("p.yaml", types))[0].contains("spec.policyTypes[0]: \"ingress\" is none of Ingress, Egress"));
    assert_eq!(
        told(&read("p.yaml", &policy("{from: [{namespaceSelector: {matchLabels: {a: b}}}], ports: [{port: 80, protocol: TCP}]}"))),
        [""; 0]
    );
}

#[test]
fn what_the_api_server_would_refuse_is_left_out_and_told() {
    for (text, what) in [
        ("apiVersion: v1\nkind: Pod\nmetadata: {namespace: x}\n", "metadata.name is missing"),
        ("kind: Pod\nmetadata: {name: x}\n", "no apiVersion"),
        ("apiVersion: v1\nkind: Pod\nmetadata: {name: x, labels: {on: true}}\n", "no text"),
        ("apiVersion: v1\nkind: Pod\nmetadata: {name: x, labels: [a]}\n", "no object"),
        ("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\nspec: {template: {metadata: {labels: {v: 1.5}}}}\n", "no text"),
        ("- a\n", "no object"),
        ("just words\n", "no object"),
    ] {
        let reading = read("a.yaml", text);
        let told = told(&reading);
        assert!(told.len() == 1 && told[0].contains(what), "{text}: {told:?}");
        assert!(reading.lost() && reading.objects == 0);
    }
}

#[test]
fn an_error_names_the_object_also_where_its_name_stands_behind_it() {
    let reading = read("a.yaml", "# first\n---\nspec:\n  a: 1\n  a: 2\nmetadata:\n  name: late\n  namespace: shop\nkind: NetworkPolicy\n");
    assert_eq!(told(&reading), ["a.yaml: document 1 (line 5): NetworkPolicy shop/late: key \"a\" stands twice"]);
}

#[test]
fn cluster_wide_objects_have_no_namespace() {
    let reading = read(
        "a.yaml",
        "apiVersion: v1\nkind: Node\nmetadata: {name: n, namespace: shop}\nstatus: {addresses: [{type: InternalIP, address: 10.0.0.1}]}\n",
    );
    assert_eq!(reading.snapshot.nodes["n"].ips.len(), 1);
    assert!(reading.snapshot.namespaces.is_empty());
}
