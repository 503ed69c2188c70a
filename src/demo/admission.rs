//! Admission of objects, in the order of the real server and in its words.

mod limits;
pub(crate) mod quota;
mod security;

use serde_json::{Value, json};

use super::json::Json;
use super::kinds::{self, Kind};
use super::status::{self, Refusal};
use super::store::{Key, Objects};

/// What an object is admitted as: fills in what the mutating plugins fill in.
pub(crate) fn mutate(objects: &Objects, kind: &Kind, namespace: &str, name: &str, value: &mut Value) -> Result<(), Refusal> {
    if kind.kind != "Pod" {
        return Ok(());
    }
    limits::fill(objects, namespace, value);
    service_account(objects, kind, namespace, name, value)?;
    for (field, default) in
        [("spec/enableServiceLinks", json!(true)), ("spec/priority", json!(0)), ("spec/preemptionPolicy", json!("PreemptLowerPriority"))]
    {
        if !value.has(field) {
            value.put(field, default);
        }
    }
    if !value.has("spec/tolerations") {
        let toleration = |of: &str| json!({"key": format!("node.kubernetes.io/{of}"), "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300});
        value.put("spec/tolerations", json!([toleration("not-ready"), toleration("unreachable")]));
    }
    Ok(())
}

/// Judges an object. Returns warnings for the client. `before` is the earlier state of an update.
pub(crate) fn validate(
    objects: &Objects,
    kind: &Kind,
    namespace: &str,
    name: &str,
    value: &Value,
    before: Option<&Value>,
) -> Result<Vec<String>, Refusal> {
    let no = |why: String| status::forbidden(kind, name, &why);
    let mut warnings = Vec::new();
    if kind.kind == "Pod" && before.is_none() {
        limits::check(objects, namespace, value).map_err(no)?;
        warnings = security::check(objects, namespace, value).map_err(no)?;
    }
    quota::check(objects, kind, namespace, value, before).map_err(no)?;
    Ok(warnings)
}

fn service_account(objects: &Objects, kind: &Kind, namespace: &str, name: &str, pod: &mut Value) -> Result<(), Refusal> {
    if pod.text("spec/serviceAccountName").is_empty() {
        pod.put("spec/serviceAccountName", "default");
    }
    let account = pod.text("spec/serviceAccountName").to_owned();
    if objects.get(&Key::new(kinds::id("serviceaccounts"), namespace, &account)).is_none() {
        let why = format!("error looking up service account {namespace}/{account}: serviceaccount \"{account}\" not found");
        return Err(status::forbidden(kind, name, &why));
    }
    pod.put("spec/serviceAccount", account);
    Ok(())
}
