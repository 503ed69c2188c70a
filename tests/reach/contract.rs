//! The shape of the report, and what it says of small worlds.

use serde_json::json;

use super::{err, folder, lines, out, partywall, pod, policy, reach};

fn shop() -> String {
    [
        pod("shop", "web", "web", "10.0.0.1"),
        pod("shop", "db", "db", "10.0.0.2"),
        policy("shop", "deny", "{podSelector: {}, policyTypes: [Ingress, Egress]}"),
        policy(
            "shop",
            "web-to-db",
            "{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress], egress: [{to: [{podSelector: {matchLabels: {app: db}}}], ports: [{port: 80}, {port: 443}, {protocol: UDP}]}]}",
        ),
        policy("shop", "db-from-web", "{podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: {matchLabels: {app: web}}}]}]}"),
    ]
    .concat()
}

#[test]
fn a_small_world_reads_as_the_contract_says() {
    let root = folder(&[("all.yaml", &shop())]);
    for profile in ["spec", "cilium", "np-guard"] {
        let report = reach(root.path(), &["--profile", profile]);
        assert_eq!(
            report,
            json!({
                "schema": "partywall.reach/v1",
                "workloads": [{"id": "shop/db[Pod]", "aliases": []}, {"id": "shop/web[Pod]", "aliases": []}],
                "connections": [{"src": "shop/web[Pod]", "dst": "shop/db[Pod]", "ports": {"TCP": [[80, 80], [443, 443]], "UDP": "all"}}],
            }),
            "{profile}"
        );
    }
}

#[test]
fn without_policies_everybody_reaches_everybody_and_itself_is_left_out() {
    let root = folder(&[("a.yaml", &[pod("a", "x", "x", "10.0.0.1"), pod("b", "y", "y", "10.0.0.2")].concat())]);
    let report = reach(root.path(), &["--profile", "np-guard"]);
    assert_eq!(lines(&report, &["a/x[Pod] -> b/y[Pod]"]), ["a/x[Pod] -> b/y[Pod] \"all\""]);
    assert!(lines(&report, &["a/x[Pod] -> a/x[Pod]"]).is_empty());
    assert_eq!(lines(&report, &["0.0.0.0/0"]).len(), 4, "to and from the world, for each: {report:#}");
}

#[test]
fn addresses_are_written_as_blocks_where_they_are_one() {
    let spec = "{podSelector: {}, policyTypes: [Ingress, Egress], egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}}, {ipBlock: {cidr: 1.2.3.4/32}}]}]}";
    let root = folder(&[("a.yaml", &[pod("a", "x", "x", "192.168.0.1"), policy("a", "p", spec)].concat())]);
    let report = reach(root.path(), &["--profile", "np-guard"]);
    assert_eq!(
        report["connections"],
        json!([{"src": "a/x[Pod]", "dst": {"ips": ["1.2.3.4", "10.0.0.0/16", "10.2.0.0-10.255.255.255"]}, "ports": "all"}])
    );
}

#[test]
fn the_profiles_part_where_the_spec_says_so() {
    let spec = "{podSelector: {matchLabels: {app: x}}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 10.0.0.0/24}}]}]}";
    let host = "apiVersion: v1\nkind: Pod\nmetadata: {name: h, namespace: a, labels: {app: x}}\nspec: {hostNetwork: true}\nstatus: {phase: Running, podIP: 172.16.0.1}\n---\n";
    let ended = pod("a", "ended", "y", "10.0.0.3").replace("Running", "Succeeded");
    let files = [pod("a", "x", "x", "10.0.0.1"), pod("a", "y", "y", "10.0.0.2"), host.to_owned(), ended, policy("a", "p", spec)].concat();
    let root = folder(&[("a.yaml", &files)]);
    let by_address = |profile| !lines(&reach(root.path(), &["--profile", profile]), &["a/x[Pod] -> a/y[Pod]"]).is_empty();
    assert!(by_address("spec"), "a range matches the address of a pod");
    assert!(!by_address("cilium") && !by_address("np-guard"), "a range matches no pod");
    let has = |profile, id| reach(root.path(), &["--profile", profile])["workloads"].as_array().unwrap().iter().any(|w| w["id"] == id);
    assert!(has("np-guard", "a/ended[Pod]") && !has("spec", "a/ended[Pod]"), "finished pods");
    assert!(
        lines(&reach(root.path(), &["--profile", "np-guard"]), &["a/h[Pod] -> a/y[Pod]"]).is_empty(),
        "like any pod, so under the policy"
    );
    assert!(
        !lines(&reach(root.path(), &["--profile", "spec"]), &["a/h[Pod] -> a/y[Pod]"]).is_empty() || !has("spec", "a/h[Pod]"),
        "under none"
    );
}

#[test]
fn workloads_without_pods_are_made_from_their_templates() {
    let one = |version: &str, kind: &str| {
        format!(
            "apiVersion: {version}\nkind: {kind}\nmetadata: {{name: w, namespace: a}}\nspec: {{template: {{metadata: {{labels: {{app: x}}}}, spec: {{containers: [{{name: c}}]}}}}}}\n---\n"
        )
    };
    let kinds = [
        ("apps/v1", "Deployment"),
        ("apps/v1", "StatefulSet"),
        ("apps/v1", "DaemonSet"),
        ("apps/v1", "ReplicaSet"),
        ("v1", "ReplicationController"),
        ("batch/v1", "Job"),
    ];
    let files: String = kinds.iter().map(|(version, kind)| one(version, kind)).collect();
    let root = folder(&[("a.yaml", &files)]);
    let report = reach(root.path(), &[]);
    let ids: Vec<&str> = report["workloads"].as_array().unwrap().iter().map(|w| w["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["a/w[DaemonSet]", "a/w[Deployment]", "a/w[Job]", "a/w[ReplicaSet]", "a/w[ReplicationController]", "a/w[StatefulSet]"]);
    assert_eq!(lines(&report, &["-> a/w[ReplicaSet]"]).iter().filter(|line| line.starts_with("a/")).count(), 5);
}

#[test]
fn pods_are_grouped_by_their_owner_and_a_deployments_replicaset_is_an_alias() {
    let owned = |name: &str| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {name}\n  namespace: a\n  ownerReferences: [{{kind: ReplicaSet, name: web-5d, controller: true}}]\n---\n"
        )
    };
    let deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: a}\n---\n";
    let root = folder(&[("pods.yaml", &[owned("web-5d-1"), owned("web-5d-2")].concat())]);
    assert_eq!(reach(root.path(), &[])["workloads"], json!([{"id": "a/web-5d[ReplicaSet]", "aliases": []}]));
    let root = folder(&[("pods.yaml", &[owned("web-5d-1"), owned("web-5d-2"), deployment.to_owned()].concat())]);
    assert_eq!(reach(root.path(), &[])["workloads"], json!([{"id": "a/web[Deployment]", "aliases": ["a/web-5d[ReplicaSet]"]}]));
}

#[test]
fn the_same_objects_give_the_same_bytes_however_they_are_filed() {
    let shop = shop();
    let documents: Vec<&str> = shop.split("---\n").filter(|text| !text.is_empty()).collect();
    let one = folder(&[("all.yaml", &shop)]);
    let backwards = documents.iter().rev().fold(String::new(), |all, text| all + text + "---\n");
    let names: Vec<String> = (0..documents.len()).map(|i| format!("{i}/x.yml")).collect();
    let files: Vec<(&str, &str)> = names.iter().map(String::as_str).zip(documents.iter().copied()).collect();
    for args in [vec!["--format", "json", "--explain"], vec!["--format", "dot"]] {
        let bytes = |root: &tempfile::TempDir| partywall(root.path(), &[vec!["reach", "-f", "."], args.clone()].concat()).stdout;
        let expected = bytes(&one);
        assert!(!expected.is_empty());
        assert_eq!(expected, bytes(&one));
        assert_eq!(expected, bytes(&folder(&[("b.yaml", &backwards)])));
        assert_eq!(expected, bytes(&folder(&files)));
    }
}

#[test]
fn lists_and_json_read_as_yaml_does() {
    let items: Vec<serde_json::Value> =
        shop().split("---\n").filter(|text| !text.is_empty()).map(|text| serde_saphyr::from_str(text).unwrap()).collect();
    let list = json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string();
    assert_eq!(reach(folder(&[("a.json", &list)]).path(), &[]), reach(folder(&[("a.yaml", &shop())]).path(), &[]));
}

#[test]
fn a_missing_namespace_object_has_its_name_as_label() {
    let spec = "{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: b}}}]}]}";
    let root = folder(&[(
        "a.yaml",
        &[pod("a", "x", "x", "10.0.0.1"), pod("b", "y", "y", "10.0.0.2"), pod("c", "z", "z", "10.0.0.3"), policy("a", "p", spec)].concat(),
    )]);
    assert_eq!(lines(&reach(root.path(), &[]), &["[Pod] -> a/x[Pod]"]), ["b/y[Pod] -> a/x[Pod] \"all\""]);
}

#[test]
fn a_table_and_a_graph_say_the_same() {
    let root = folder(&[("all.yaml", &shop())]);
    let table = out(&partywall(root.path(), &["reach", "-f", "all.yaml"]));
    assert!(table.contains("shop/web[Pod]  shop/db[Pod]  open    TCP 80, 443; all of UDP"), "{table}");
    assert!(table.contains("2 workloads, 1 open connections; every other connection is blocked\nread 5 objects in 1 file\n"), "{table}");
    let graph = out(&partywall(root.path(), &["reach", "-f", "all.yaml", "--format", "dot"]));
    assert!(graph.starts_with("digraph partywall {") && graph.contains("w1 -> w0 [label=\"TCP 80, 443; all of UDP\"];"), "{graph}");
}

#[test]
fn exit_codes_tell_nothing_to_read_from_wrong_arguments() {
    let root = folder(&[("empty/notes.txt", "x"), ("values.yaml", "a: 1\n")]);
    for (args, code, said) in [
        (vec!["reach", "-f", "nowhere"], 3, "nowhere"),
        (vec!["reach", "-f", "empty"], 3, "nothing could be read"),
        (vec!["reach", "-f", "values.yaml"], 3, "nothing could be read"),
        (vec!["reach", "-f", ".", "--profile", "calico"], 2, "np-guard"),
        (vec!["reach", "--timeout", "2"], 3, "/nonexistent/kubeconfig"),
        (vec!["reach", "-f", "-"], 3, "nothing could be read"),
    ] {
        let output = partywall(root.path(), &args);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {}", err(&output));
        assert!(err(&output).contains(said) && output.stdout.is_empty(), "{args:?}: {}", err(&output));
    }
}
