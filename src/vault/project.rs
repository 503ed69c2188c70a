//! Answers of the server to facts. Tolerant: the shapes vary with flavour and version, so everything is read from loose JSON.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::model::ids::Name;
use crate::model::text::clean_to;
use crate::model::time::Time;
use crate::model::vault::{AuthMount, Flavour, KubernetesConfig, PolicyFlags, SecretMount, VaultPolicy, VaultRole, VaultServer};

mod identity;

pub(super) use identity::entities_at;
pub(crate) use identity::{entity, group};

/// Longest name kept.
const LONGEST_NAME: usize = 256;
/// Most rows kept of any list.
const MOST: usize = 20_000;

fn text(value: &Value, key: &str) -> Option<Name> {
    value.get(key).and_then(Value::as_str).filter(|text| !text.is_empty()).map(|text| Name::from(clean_to(text, LONGEST_NAME)))
}

fn number(value: &Value, key: &str) -> u64 {
    match value.get(key) {
        Some(Value::Number(n)) => n.as_u64().unwrap_or(0),
        // older servers write durations as text
        Some(Value::String(text)) => text.trim_end_matches('s').parse().unwrap_or(0),
        _ => 0,
    }
}

/// A list of texts, or one text with commas, as old servers and hand-written calls have it.
fn texts(value: &Value, key: &str) -> Box<[Name]> {
    match value.get(key) {
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).take(MOST).map(Name::from).collect(),
        Some(Value::String(list)) => list.split(',').map(str::trim).filter(|item| !item.is_empty()).take(MOST).map(Name::from).collect(),
        _ => Box::default(),
    }
}

/// The same for names of policies: servers keep them lower-case and look them up so, whatever a role or an entity says.
fn lower_texts(value: &Value, key: &str) -> Box<[Name]> {
    texts(value, key).into_iter().map(|name| Name::from(name.to_lowercase())).collect()
}

/// The server from `sys/health` and `sys/seal-status`. The state is left for the caller to fill in.
pub(crate) fn server(health: &Value, seal: Option<&Value>) -> VaultServer {
    let flag = |key: &str| health.get(key).and_then(Value::as_bool).unwrap_or(false);
    let version = text(health, "version").or_else(|| seal.and_then(|seal| text(seal, "version"))).unwrap_or_default();
    VaultServer {
        flavour: flavour(health, seal, &version),
        version,
        cluster_id: text(health, "cluster_id").or_else(|| seal.and_then(|seal| text(seal, "cluster_id"))),
        initialized: flag("initialized"),
        sealed: flag("sealed"),
        standby: flag("standby") || flag("performance_standby"),
        ..VaultServer::default()
    }
}

/// Both products count 2.x, so only the fields that one of them lacks tell (`spec/vault.md` 2.1).
fn flavour(health: &Value, seal: Option<&Value>, version: &str) -> Flavour {
    let has = |key: &str| seal.is_some_and(|seal| seal.get(key).is_some());
    if health.get("enterprise").is_some() {
        return Flavour::Vault;
    }
    if has("commit_date") {
        return Flavour::OpenBao;
    }
    match (has("build_date"), version.split('.').next()) {
        (true, Some("2")) => Flavour::OpenBao,
        (true, _) => Flavour::Vault,
        (false, _) => Flavour::Unknown,
    }
}

/// The object that holds the rows: `data`, or the answer itself, as old servers have it.
fn rows(answer: &Value) -> impl Iterator<Item = (&String, &Value)> {
    let data = answer.get("data").filter(|data| data.is_object()).unwrap_or(answer);
    data.as_object().into_iter().flatten().filter(|(_, row)| row.get("type").is_some_and(Value::is_string)).take(MOST)
}

fn mount_name(path: &str) -> Name {
    path.trim_matches('/').into()
}

/// `sys/auth`, by path without slashes at its ends.
pub(crate) fn auth_mounts(answer: &Value) -> BTreeMap<Name, AuthMount> {
    rows(answer)
        .map(|(path, row)| {
            let mount = AuthMount {
                kind: text(row, "type").unwrap_or_default(),
                accessor: text(row, "accessor").unwrap_or_default(),
                default_ttl: row.get("config").map_or(0, |config| number(config, "default_lease_ttl")),
                max_ttl: row.get("config").map_or(0, |config| number(config, "max_lease_ttl")),
            };
            (mount_name(path), mount)
        })
        .collect()
}

/// `sys/mounts`, by path without slashes at its ends.
pub(crate) fn secret_mounts(answer: &Value) -> BTreeMap<Name, SecretMount> {
    rows(answer)
        .map(|(path, row)| {
            let kind = text(row, "type").unwrap_or_default();
            let written = row.get("options").and_then(|options| options.get("version"));
            let version = match written {
                Some(Value::String(v)) => v.parse().ok(),
                Some(Value::Number(v)) => v.as_u64().and_then(|v| u8::try_from(v).ok()),
                _ if matches!(kind.as_ref(), "kv" | "generic") => Some(1),
                _ => None,
            };
            let accessor = text(row, "uuid").or_else(|| text(row, "accessor")).unwrap_or_default();
            (mount_name(path), SecretMount { kind, version, accessor })
        })
        .collect()
}

/// The names of a LIST answer.
pub(crate) fn keys(answer: &Value) -> Vec<Name> {
    let list = answer.pointer("/data/keys").and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .filter(|key| !key.is_empty() && key.len() <= LONGEST_NAME)
        .take(MOST)
        .map(Name::from)
        .collect()
}

/// A Kubernetes auth role.
pub(crate) fn role(answer: &Value) -> Option<VaultRole> {
    let data = answer.get("data").filter(|data| data.is_object())?;
    let policies = lower_texts(data, "token_policies");
    let ttl = number(data, "token_ttl");
    Some(VaultRole {
        service_accounts: texts(data, "bound_service_account_names"),
        namespaces: texts(data, "bound_service_account_namespaces"),
        namespace_selector: text(data, "bound_service_account_namespace_selector").unwrap_or_default(),
        audience: text(data, "audience"),
        policies: if policies.is_empty() { lower_texts(data, "policies") } else { policies },
        ttl: if ttl == 0 { number(data, "ttl") } else { ttl },
        uses: number(data, "token_num_uses"),
        max_ttl: number(data, "token_max_ttl"),
        period: number(data, "token_period"),
        token_type: text(data, "token_type").unwrap_or_default(),
        no_default: data.get("token_no_default_policy").and_then(Value::as_bool).unwrap_or(false),
        alias_by_name: text(data, "alias_name_source").as_deref() == Some("serviceaccount_name"),
        bound_cidrs: data.get("token_bound_cidrs").and_then(Value::as_array).is_some_and(|list| !list.is_empty()),
    })
}

/// One ACL policy.
pub(crate) fn policy(answer: &Value) -> Option<VaultPolicy> {
    let data = answer.get("data").unwrap_or(answer);
    let text = data.get("policy").or_else(|| data.get("rules")).and_then(Value::as_str)?;
    Some(VaultPolicy::new(text).with(flags(data)))
}

/// What OpenBao says of a policy beside its text.
fn flags(row: &Value) -> PolicyFlags {
    let on = |key: &str| row.get(key).and_then(Value::as_bool).unwrap_or(false);
    PolicyFlags {
        slashes: on("allow_slashes_in_identity_templates"),
        wildcards: on("allow_wildcards_in_identity_templates"),
        expires: row.get("expiration").and_then(Value::as_str).and_then(Time::parse),
    }
}

/// The settings of a Kubernetes auth mount.
pub(crate) fn kubernetes_config(answer: &Value) -> Option<KubernetesConfig> {
    let data = answer.get("data").filter(|data| data.get("kubernetes_host").is_some())?;
    let on = |key: &str| data.get(key).and_then(Value::as_bool).unwrap_or(false);
    Some(KubernetesConfig {
        host: text(data, "kubernetes_host").unwrap_or_default(),
        has_ca: data.get("kubernetes_ca_cert").and_then(Value::as_str).is_some_and(|pem| !pem.trim().is_empty()),
        reviewer_set: on("token_reviewer_jwt_set"),
        disable_local_ca_jwt: on("disable_local_ca_jwt"),
        disable_iss_validation: on("disable_iss_validation"),
        issuer: text(data, "issuer").unwrap_or_default(),
        annotations_as_metadata: on("use_annotations_as_alias_metadata"),
    })
}

/// Names of child namespaces, without the slash at their end.
pub(super) fn namespaces(answer: &Value) -> impl Iterator<Item = Name> {
    keys(answer).into_iter().map(|name| name.trim_matches('/').into())
}

/// All ACL policies of OpenBao's detailed list; none where the answer has another shape.
pub(crate) fn detailed_policies(answer: &Value) -> Option<BTreeMap<Name, VaultPolicy>> {
    let info = answer.pointer("/data/key_info").and_then(Value::as_object)?;
    let listed = keys(answer);
    let read: BTreeMap<Name, VaultPolicy> = info
        .iter()
        .filter(|(name, _)| name.as_str() != "root")
        .take(MOST)
        .filter_map(|(name, row)| {
            let text = row.get("policy").or_else(|| row.get("raw")).and_then(Value::as_str)?;
            Some((Name::from(name.as_str()), VaultPolicy::new(text).with(flags(row))))
        })
        .collect();
    // root has no text; anything else that is missing means that this shape is not understood
    listed.iter().all(|name| name.as_ref() == "root" || read.contains_key(name)).then_some(read)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn flavours_are_told_by_the_fields_only_one_has() {
        let health = json!({"initialized": true, "sealed": false, "standby": false, "version": "2.7.2"});
        assert_eq!(server(&health, Some(&json!({"commit_date": "x"}))).flavour, Flavour::OpenBao);
        assert_eq!(server(&json!({"version": "2.0.4", "enterprise": false}), Some(&json!({"build_date": "x"}))).flavour, Flavour::Vault);
        assert_eq!(server(&json!({"version": "1.14.0"}), Some(&json!({"build_date": "x"}))).flavour, Flavour::Vault);
        assert_eq!(server(&json!({"version": "2.4.0"}), Some(&json!({"build_date": "x"}))).flavour, Flavour::OpenBao);
        assert_eq!(server(&json!({}), None).flavour, Flavour::Unknown);
    }

    #[test]
    fn a_role_bound_by_selector_only_is_read() {
        let answer = json!({"data": {"bound_service_account_names": ["app"], "bound_service_account_namespaces": null,
            "bound_service_account_namespace_selector": "{\"matchLabels\":{\"a\":\"b\"}}", "policies": "one, two", "token_ttl": 1200}});
        let role = role(&answer).unwrap();
        assert_eq!(role.namespaces.len(), 0);
        assert!(role.namespace_selector.contains("matchLabels"));
        assert_eq!(role.policies.iter().map(AsRef::as_ref).collect::<Vec<_>>(), ["one", "two"]);
        assert_eq!((role.ttl, role.audience), (1200, None));
    }

    #[test]
    fn mounts_carry_their_kv_version_and_no_slash() {
        let answer = json!({"request_id": "x", "data": {"secret/": {"type": "kv", "options": {"version": "2"}, "uuid": "u"},
            "old/": {"type": "kv", "options": null, "accessor": "a"}, "sys/": {"type": "system"}}});
        let mounts = secret_mounts(&answer);
        assert_eq!(mounts["secret"].version, Some(2));
        assert_eq!(mounts["old"].version, Some(1));
        assert_eq!(mounts["sys"].version, None);
    }

    #[test]
    fn a_detailed_list_that_is_not_understood_is_refused() {
        let good = json!({"data": {"keys": ["a", "root"], "key_info": {"a": {"policy": "path \"x\" {}"}}}});
        assert_eq!(detailed_policies(&good).unwrap().len(), 1);
        let strange = json!({"data": {"keys": ["a", "b"], "key_info": {"a": {"policy": ""}, "b": {"name": "b"}}}});
        assert!(detailed_policies(&strange).is_none());
        assert!(detailed_policies(&json!({"data": {"keys": ["a"]}})).is_none());
    }
}
