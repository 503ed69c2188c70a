//! API discovery, aggregated and legacy.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::http::{self, Reply};
use super::kinds::{KINDS, Kind, served};
use super::reviews::{REVIEWS, Review};

const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
/// What `kubectl get all` shows.
const ALL: [&str; 8] = ["pods", "services", "daemonsets", "deployments", "replicasets", "statefulsets", "cronjobs", "jobs"];
const VERBS: [&str; 8] = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

/// `/api`.
pub(crate) fn core(accept: &str) -> Reply {
    if wants_aggregated(accept) {
        return aggregated(true);
    }
    vary(http::json(200, &json!({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []})))
}

/// `/apis`.
pub(crate) fn groups(accept: &str) -> Reply {
    if wants_aggregated(accept) {
        return aggregated(false);
    }
    let list: Vec<Value> = versions().iter().filter(|(g, _)| !g.is_empty()).map(|(g, v)| group_json(g, v)).collect();
    vary(http::json(200, &json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": list})))
}

/// `/apis/<group>`.
pub(crate) fn group(name: &str) -> Option<Reply> {
    let (group, versions) = versions().into_iter().find(|(g, _)| !g.is_empty() && *g == name)?;
    let mut value = group_json(group, &versions);
    if let Some(map) = value.as_object_mut() {
        map.insert("kind".into(), "APIGroup".into());
        map.insert("apiVersion".into(), "v1".into());
    }
    Some(http::json(200, &value))
}

/// Whether a group version has anything in it.
pub(crate) fn is_served(group: &str, version: &str) -> bool {
    served(group, version) || REVIEWS.iter().any(|r| r.group == group && r.version == version && !r.plural.contains('/'))
}

/// `/api/v1` and `/apis/<group>/<version>`.
pub(crate) fn resources(group: &str, version: &str) -> Reply {
    let mut list = Vec::new();
    for kind in KINDS.iter().filter(|k| k.group == group && k.version == version) {
        list.push(json!({
            "name": kind.plural, "singularName": kind.singular(), "namespaced": kind.namespaced, "kind": kind.kind,
            "verbs": VERBS, "shortNames": kind.short, "categories": categories(kind),
        }));
        for sub in kind.subresources {
            list.push(json!({
                "name": format!("{}/{sub}", kind.plural), "singularName": "", "namespaced": kind.namespaced,
                "kind": sub_kind(kind, sub), "verbs": sub_verbs(sub),
            }));
        }
    }
    for review in REVIEWS.iter().filter(|r| r.group == group && r.version == version) {
        list.push(json!({
            "name": review.plural, "singularName": review.kind.to_lowercase(), "namespaced": review.namespaced,
            "kind": review.kind, "verbs": ["create"],
        }));
    }
    let group_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    let body = json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": list});
    http::json(200, &body)
}

fn wants_aggregated(accept: &str) -> bool {
    accept.contains("as=APIGroupDiscoveryList") && accept.contains("v=v2;")
}

fn vary(mut reply: Reply) -> Reply {
    http::set_header(&mut reply, "vary", "Accept");
    reply
}

/// Every group with its versions, the preferred one first.
fn versions() -> BTreeMap<&'static str, Vec<&'static str>> {
    let reviews = REVIEWS.iter().map(|r| (r.group, r.version));
    let mut groups: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (group, version) in KINDS.iter().map(|k| (k.group, k.version)).chain(reviews) {
        let versions = groups.entry(group).or_default();
        if !versions.contains(&version) {
            versions.push(version);
        }
    }
    groups
}

fn group_json(group: &str, versions: &[&str]) -> Value {
    let entry = |version: &&str| json!({"groupVersion": format!("{group}/{version}"), "version": version});
    let entries: Vec<Value> = versions.iter().map(entry).collect();
    let preferred = entries.first().cloned();
    json!({"name": group, "versions": entries, "preferredVersion": preferred})
}

fn aggregated(core: bool) -> Reply {
    let items: Vec<Value> = versions()
        .into_iter()
        .filter(|(group, _)| group.is_empty() == core)
        .map(|(group, versions)| {
            let of_version = |version: &&str| {
                let kinds = KINDS.iter().filter(|k| k.group == group && k.version == *version).map(aggregated_kind);
                let reviews =
                    REVIEWS.iter().filter(|r| r.group == group && r.version == *version && !r.plural.contains('/')).map(aggregated_review);
                let resources: Vec<Value> = kinds.chain(reviews).collect();
                json!({"version": version, "resources": resources, "freshness": "Current"})
            };
            let metadata = if core { json!({"creationTimestamp": null}) } else { json!({"name": group, "creationTimestamp": null}) };
            json!({"metadata": metadata, "versions": versions.iter().map(of_version).collect::<Vec<Value>>()})
        })
        .collect();
    let body = json!({"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items});
    vary(http::full(200, AGGREGATED, body.to_string()))
}

fn aggregated_kind(kind: &Kind) -> Value {
    let subresources: Vec<Value> = kind
        .subresources
        .iter()
        .map(|sub| {
            let response = json!({"group": "", "version": "", "kind": sub_kind(kind, sub)});
            json!({"subresource": sub, "responseKind": response, "verbs": sub_verbs(sub)})
        })
        .collect();
    let mut value = json!({
        "resource": kind.plural,
        "responseKind": {"group": kind.group, "version": kind.version, "kind": kind.kind},
        "scope": if kind.namespaced { "Namespaced" } else { "Cluster" },
        "singularResource": kind.singular(),
        "verbs": VERBS,
        "shortNames": kind.short,
        "categories": categories(kind),
    });
    if let Some(map) = value.as_object_mut().filter(|_| !subresources.is_empty()) {
        map.insert("subresources".into(), subresources.into());
    }
    value
}

fn aggregated_review(review: &Review) -> Value {
    json!({
        "resource": review.plural,
        "responseKind": {"group": review.group, "version": review.version, "kind": review.kind},
        "scope": if review.namespaced { "Namespaced" } else { "Cluster" },
        "singularResource": review.kind.to_lowercase(),
        "verbs": ["create"],
    })
}

fn categories(kind: &Kind) -> &'static [&'static str] {
    if ALL.contains(&kind.plural) { &["all"] } else { &[] }
}

fn sub_kind(kind: &Kind, sub: &str) -> &'static str {
    match sub {
        "exec" => "PodExecOptions",
        "token" => "TokenRequest",
        "scale" => "Scale",
        _ => kind.kind,
    }
}

fn sub_verbs(sub: &str) -> &'static [&'static str] {
    match sub {
        "exec" => &["create", "get"],
        "token" => &["create"],
        "log" => &["get"],
        _ => &["get", "patch", "update"],
    }
}
