//! What our watcher asks about policies beyond NetworkPolicy, put to the simulated and to a real server: the same answers.

use std::collections::BTreeMap;

use http::Request;
use http_body_util::BodyExt as _;
use kube::Client;
use kube::client::Body;
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::{Value, json};

use super::testbed::{Identity, Need, Testbed};
use super::{admin, fleet};

const ALL: [&str; 8] = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
const STATUS: [&str; 3] = ["get", "patch", "update"];

/// Requests and what is to be learnt from their answers.
fn questions() -> Vec<(&'static str, Value)> {
    let group = "policy.networking.k8s.io";
    let version = |version: &str| json!({"groupVersion": format!("{group}/{version}"), "version": version});
    let resources = |list: &[(&str, &str, &str)]| {
        let of = |(plural, kind, short): &(&str, &str, &str)| {
            [
                (plural.to_string(), json!({"kind": kind, "namespaced": false, "verbs": ALL, "shortNames": [short]})),
                (format!("{plural}/status"), json!({"kind": kind, "namespaced": false, "verbs": STATUS, "shortNames": null})),
            ]
        };
        json!(list.iter().flat_map(of).collect::<BTreeMap<String, Value>>())
    };
    let empty = |version: &str, kind: &str| json!({"code": 200, "kind": format!("{kind}List"), "apiVersion": version, "items": 0});
    let nothing = json!({"code": 404, "kind": "Status", "apiVersion": "v1", "items": null});
    let config_maps = "/api/v1/namespaces/kube-system/configmaps?fieldSelector=metadata.name%3Dcilium-config";
    vec![
        (
            "/apis/policy.networking.k8s.io",
            json!({"name": group, "versions": [version("v1alpha2"), version("v1alpha1")], "preferred": "v1alpha2"}),
        ),
        ("/apis/policy.networking.k8s.io/v1alpha2", resources(&[("clusternetworkpolicies", "ClusterNetworkPolicy", "cnp")])),
        (
            "/apis/policy.networking.k8s.io/v1alpha1",
            resources(&[
                ("adminnetworkpolicies", "AdminNetworkPolicy", "anp"),
                ("baselineadminnetworkpolicies", "BaselineAdminNetworkPolicy", "banp"),
            ]),
        ),
        (
            "/apis/policy.networking.k8s.io/v1alpha2/clusternetworkpolicies?limit=500",
            empty(&format!("{group}/v1alpha2"), "ClusterNetworkPolicy"),
        ),
        (
            "/apis/policy.networking.k8s.io/v1alpha1/adminnetworkpolicies?limit=500",
            empty(&format!("{group}/v1alpha1"), "AdminNetworkPolicy"),
        ),
        (
            "/apis/policy.networking.k8s.io/v1alpha1/baselineadminnetworkpolicies?limit=500",
            empty(&format!("{group}/v1alpha1"), "BaselineAdminNetworkPolicy"),
        ),
        // the group alone is not the kind
        ("/apis/policy.networking.k8s.io/v1alpha1/clusternetworkpolicies?limit=500", nothing.clone()),
        ("/apis/policy.networking.k8s.io/v1beta1", nothing.clone()),
        ("/apis/k8s.ovn.org", nothing.clone()),
        ("/apis/k8s.ovn.org/v1/egressfirewalls?limit=500", nothing),
        (config_maps, empty("v1", "ConfigMap")),
        ("/api/v1/namespaces/nowhere/configmaps?fieldSelector=metadata.name%3Dcilium-config&limit=500", empty("v1", "ConfigMap")),
        (
            "/api/v1/namespaces/kube-system/configmaps?fieldSelector=metadata.name%3Dcilium-config&watch=true&allowWatchBookmarks=true&timeoutSeconds=1",
            json!({"code": 200, "events": 0}),
        ),
        (
            "/apis/policy.networking.k8s.io/v1alpha2/clusternetworkpolicies?watch=true&allowWatchBookmarks=true&timeoutSeconds=1",
            json!({"code": 200, "events": 0}),
        ),
    ]
}

/// What our watcher reads of an answer.
async fn learnt(client: &Client, path: &str) -> Value {
    let request = Request::builder().uri(path).header("accept", "application/json").body(Body::empty()).unwrap();
    let response = client.send(request).await.unwrap();
    let code = response.status().as_u16();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    if path.contains("watch=true") {
        let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty() && !line.windows(10).any(|w| w == b"\"BOOKMARK\""));
        return json!({"code": code, "events": lines.count()});
    }
    let body: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    match body["kind"].as_str() {
        Some("APIGroup") => json!({"name": body["name"], "versions": body["versions"], "preferred": body["preferredVersion"]["version"]}),
        Some("APIResourceList") => {
            let of = |resource: &Value| {
                let mut verbs: Vec<&str> = resource["verbs"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
                verbs.sort_unstable();
                let told = json!({"kind": resource["kind"], "namespaced": resource["namespaced"], "verbs": verbs, "shortNames": resource["shortNames"]});
                (resource["name"].as_str().unwrap().to_owned(), told)
            };
            json!(body["resources"].as_array().unwrap().iter().map(of).collect::<BTreeMap<String, Value>>())
        }
        _ => {
            // a group that nobody serves is answered with plain text
            let kind = if code == 404 { json!("Status") } else { body["kind"].clone() };
            let version = if code == 404 { json!("v1") } else { body["apiVersion"].clone() };
            json!({"code": code, "kind": kind, "apiVersion": version, "items": body["items"].as_array().map(Vec::len)})
        }
    }
}

async fn differences(client: &Client) -> Vec<String> {
    let mut found = Vec::new();
    for (path, expected) in questions() {
        let got = learnt(client, path).await;
        if got != expected {
            found.push(format!("{path}\n  expected {expected}\n  got      {got}"));
        }
    }
    let groups = learnt_groups(client).await;
    if groups.get("policy.networking.k8s.io").map(String::as_str) != Some("v1alpha2") || groups.contains_key("k8s.ovn.org") {
        found.push(format!("/apis: {groups:?}"));
    }
    found
}

/// Of `/apis`: each group's preferred version.
async fn learnt_groups(client: &Client) -> BTreeMap<String, String> {
    let request = Request::builder().uri("/apis").header("accept", "application/json").body(Body::empty()).unwrap();
    let bytes = client.send(request).await.unwrap().into_body().collect().await.unwrap().to_bytes();
    let list: Value = serde_json::from_slice(&bytes).unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    list["groups"].as_array().unwrap().iter().map(|group| (text(&group["name"]), text(&group["preferredVersion"]["version"]))).collect()
}

#[tokio::test]
async fn the_simulated_server_serves_policies_of_tiers_and_no_others() {
    let demo = fleet().await;
    let client = admin(&demo).await;
    let found = differences(&client).await;
    assert!(found.is_empty(), "{}", found.join("\n"));
    // what is not served is not discovered
    let groups = learnt_groups(&client).await;
    for absent in ["cilium.io", "crd.projectcalico.org", "projectcalico.org", "crd.antrea.io", "security.istio.io"] {
        assert!(!groups.contains_key(absent), "{absent}");
        assert_eq!(learnt(&client, &format!("/apis/{absent}")).await["code"], 404, "{absent}");
    }
}

#[tokio::test]
async fn the_real_server_answers_the_same_about_policies() {
    let Some(bed) = Testbed::alone(Need::OwnServers) else { return };
    bed.command_ok("crds", &[]);
    let _ = rustls::crypto::ring::default_provider().install_default();
    let kubeconfig = Kubeconfig::read_from(bed.kubeconfig(Identity::Admin)).unwrap();
    let mut config = kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
    config.default_retry = false;
    let found = differences(&Client::try_from(config).unwrap()).await;
    assert!(found.is_empty(), "{}", found.join("\n"));
}
