//! The key/value engine, version 2.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::acl::Operation;
use super::state::{Secret, Vault};
use super::{Ask, Failure, Outcome, absent, failure, keys, unsupported_operation};
use crate::demo::clock;
use crate::demo::json::Json;

/// Everything below `secret/`.
pub(crate) fn answer(vault: &mut Vault, rest: &str, ask: &Ask<'_>) -> Result<Outcome, Failure> {
    let (area, path) = rest.split_once('/').unwrap_or((rest, ""));
    match (area, ask.operation) {
        ("data", Operation::Read) => read(vault, path, ask),
        ("data", Operation::Write | Operation::Patch) => write(vault, path, &ask.body),
        ("data" | "metadata", Operation::Delete) => {
            vault.secrets.remove(path);
            Ok(Outcome::Nothing)
        }
        ("metadata", Operation::Read) => vault.secrets.get(path).map(|s| Outcome::Data(metadata(s))).ok_or_else(absent),
        ("metadata" | "detailed-metadata", Operation::List | Operation::Scan) => keys(&names(vault, path, ask.operation)),
        ("subkeys", Operation::Read) => {
            let (created, _) = newest(vault, path)?;
            Ok(Outcome::Data(json!({"subkeys": {"value": null}, "metadata": {"created_time": created, "version": 1}})))
        }
        ("data" | "metadata", _) => Err(unsupported_operation()),
        _ => Err(absent()),
    }
}

fn newest<'a>(vault: &'a Vault, path: &str) -> Result<(&'a str, &'a Value), Failure> {
    vault.secrets.get(path).and_then(|s| s.versions.last()).map(|(created, data)| (created.as_str(), data)).ok_or_else(absent)
}

fn read(vault: &Vault, path: &str, ask: &Ask<'_>) -> Result<Outcome, Failure> {
    let secret = vault.secrets.get(path).ok_or_else(absent)?;
    let wanted = match ask.call.query.get("version") {
        "" | "0" => secret.versions.len(),
        text => text
            .parse()
            .map_err(|_odd| failure(400, format!("1 error occurred:\n\t* strconv.ParseInt: parsing \"{text}\": invalid syntax\n\n")))?,
    };
    // a version that never was is answered like a path that never was
    let (created, data) = wanted.checked_sub(1).and_then(|at| secret.versions.get(at)).ok_or_else(absent)?;
    Ok(Outcome::Data(json!({"data": data, "metadata": version(created, wanted)})))
}

fn version(created: &str, number: usize) -> Value {
    json!({"created_time": created, "custom_metadata": null, "deletion_time": "", "destroyed": false, "version": number})
}

fn write(vault: &mut Vault, path: &str, body: &Value) -> Result<Outcome, Failure> {
    if !body.at("data").is_object() {
        return Err(failure(400, "no data provided"));
    }
    let now = clock::now();
    let secret = vault.secrets.entry(path.to_owned()).or_insert_with(|| Secret { versions: Vec::new() });
    secret.versions.push((now.clone(), body.at("data").clone()));
    Ok(Outcome::Data(version(&now, secret.versions.len())))
}

fn metadata(secret: &Secret) -> Value {
    let mut versions = json!({});
    for (n, (created, _)) in secret.versions.iter().enumerate() {
        versions.put(&(n + 1).to_string(), json!({"created_time": created, "deletion_time": "", "destroyed": false}));
    }
    let at = |v: Option<&(String, Value)>| v.map(|(created, _)| created.clone()).unwrap_or_default();
    json!({
        "cas_required": false, "created_time": at(secret.versions.first()), "current_metadata_version": 0,
        "current_version": secret.versions.len(), "custom_metadata": null, "delete_version_after": "0s", "max_versions": 0,
        "metadata_cas_required": false, "oldest_version": 0, "updated_time": at(secret.versions.last()), "versions": versions,
    })
}

/// The names below a path, folders with a slash; a scan goes all the way down.
fn names(vault: &Vault, path: &str, operation: Operation) -> Vec<String> {
    let prefix = if path.is_empty() { String::new() } else { format!("{path}/") };
    let below = vault.secrets.keys().filter_map(|key| key.strip_prefix(&prefix));
    let shown = below.map(|rest| match rest.split_once('/') {
        Some((folder, _)) if operation == Operation::List => format!("{folder}/"),
        _ => rest.to_owned(),
    });
    shown.collect::<BTreeSet<_>>().into_iter().collect()
}
