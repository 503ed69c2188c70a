//! Who owns which field, and server-side apply.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::clock;
use super::fields::{self, Path};
use super::json::Json;
use super::status::{Refusal, refuse};

/// Who writes: field manager, whether it applies, and through which subresource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Manager {
    pub(crate) name: String,
    pub(crate) applies: bool,
    pub(crate) subresource: String,
}

impl Manager {
    fn of(entry: &Value) -> Self {
        Self {
            name: entry.text("manager").to_owned(),
            applies: entry.text("operation") == "Apply",
            subresource: entry.text("subresource").to_owned(),
        }
    }

    fn is(&self, entry: &Value) -> bool {
        *self == Self::of(entry)
    }
}

/// Records that a manager wrote `after` over `before`: it owns what it changed, the others lose that.
pub(crate) fn track(before: Option<&Value>, after: &mut Value, manager: &Manager) {
    let old = before.map(fields::leaves).unwrap_or_default();
    let new = fields::leaves(after);
    // only what the manager can write: the status belongs to its subresource
    let mine = |path: &Path| (path.first().is_some_and(|s| s == "f:status")) == (manager.subresource == "status");
    let changed: BTreeSet<Path> = new.iter().filter(|(p, v)| mine(p) && old.get(*p) != Some(v)).map(|(p, _)| p.clone()).collect();
    let mut entries: Vec<Value> = before.map(|b| b.items("metadata/managedFields").to_vec()).unwrap_or_default();
    let mut own = BTreeSet::new();
    entries.retain_mut(|entry| {
        let mut owned = fields::from_v1(entry.at("fieldsV1"));
        let count = owned.len();
        owned.retain(|p| new.contains_key(p));
        if manager.is(entry) {
            own = owned;
            return false;
        }
        owned.retain(|p| !changed.contains(p));
        if owned.len() != count {
            entry.put("fieldsV1", fields::to_v1(&owned));
        }
        !owned.is_empty()
    });
    let previous = own.len();
    own.extend(changed.iter().cloned());
    if !own.is_empty() {
        let unchanged = changed.is_empty() && previous == own.len();
        let time = before
            .and_then(|b| b.items("metadata/managedFields").iter().find(|e| manager.is(e)))
            .filter(|_| unchanged)
            .map(|e| e.text("time").to_owned());
        entries.push(entry(after, manager, &own, time));
    }
    after.put("metadata/managedFields", entries);
}

fn entry(object: &Value, manager: &Manager, paths: &BTreeSet<Path>, time: Option<String>) -> Value {
    let mut entry = json!({
        "manager": manager.name, "operation": if manager.applies { "Apply" } else { "Update" },
        "apiVersion": object.text("apiVersion"), "time": time.unwrap_or_else(clock::now), "fieldsType": "FieldsV1",
        "fieldsV1": fields::to_v1(paths),
    });
    if !manager.subresource.is_empty() {
        entry.put("subresource", manager.subresource.as_str());
    }
    entry
}

/// One field two managers want different values for.
struct Conflict {
    with: String,
    field: String,
}

/// What applying `config` over `live` gives, with the ownership of it.
pub(crate) fn apply(live: Option<&Value>, config: &Value, manager: &Manager, force: bool) -> Result<Value, Refusal> {
    let wanted = fields::leaves(config);
    let current = live.map(fields::leaves).unwrap_or_default();
    let mut entries: Vec<Value> = live.map(|l| l.items("metadata/managedFields").to_vec()).unwrap_or_default();
    let mut conflicts = Vec::new();
    let mut others: BTreeSet<Path> = BTreeSet::new();
    let mut previous = BTreeSet::new();
    let mut previous_time = None;
    entries.retain_mut(|entry| {
        let mut owned = fields::from_v1(entry.at("fieldsV1"));
        if manager.is(entry) {
            previous = owned;
            previous_time = Some(entry.text("time").to_owned());
            return false;
        }
        let clashing: Vec<Path> = owned.iter().filter(|p| wanted.get(*p).is_some_and(|v| current.get(*p) != Some(v))).cloned().collect();
        if force && !clashing.is_empty() {
            owned.retain(|p| !clashing.contains(p));
            entry.put("fieldsV1", fields::to_v1(&owned));
        } else {
            conflicts.extend(clashing.iter().map(|p| Conflict { with: printed(entry), field: fields::dotted(p) }));
        }
        let empty = owned.is_empty();
        others.extend(owned);
        !empty
    });
    if !conflicts.is_empty() {
        return Err(refusal(&conflicts));
    }
    let mut value = live.cloned().unwrap_or_else(|| json!({"metadata": {}}));
    for path in previous.iter().filter(|p| !wanted.contains_key(*p) && !others.contains(*p)) {
        fields::set(&mut value, path, None);
    }
    for (path, leaf) in &wanted {
        fields::set(&mut value, path, Some(leaf.clone()));
    }
    let own: BTreeSet<Path> = wanted.keys().cloned().collect();
    value.put("apiVersion", config.text("apiVersion"));
    let same = own == previous && live.is_some_and(|l| fields::leaves(l) == fields::leaves(&value));
    if !own.is_empty() {
        entries.insert(0, entry(&value, manager, &own, previous_time.filter(|_| same)));
    }
    value.put("metadata/managedFields", entries);
    Ok(value)
}

/// A manager as conflicts name it.
fn printed(entry: &Value) -> String {
    let mut text = format!("\"{}\"", entry.text("manager"));
    if entry.has("subresource") {
        text.extend([" with subresource \"", entry.text("subresource"), "\""]);
    }
    if entry.text("operation") == "Update" {
        text.extend([" using ", entry.text("apiVersion")]);
    }
    text
}

fn refusal(conflicts: &[Conflict]) -> Refusal {
    let message = if let [one] = conflicts {
        format!("Apply failed with 1 conflict: conflict with {}: {}", one.with, one.field)
    } else {
        let mut by: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for conflict in conflicts {
            by.entry(&conflict.with).or_default().push(&conflict.field);
        }
        let lines: Vec<String> = by
            .iter()
            .flat_map(|(with, paths)| std::iter::once(format!("conflicts with {with}:")).chain(paths.iter().map(|p| format!("- {p}"))))
            .collect();
        format!("Apply failed with {} conflicts: {}", conflicts.len(), lines.join("\n"))
    };
    let causes: Vec<Value> = conflicts
        .iter()
        .map(|c| json!({"reason": "FieldManagerConflict", "message": format!("conflict with {}", c.with), "field": c.field}))
        .collect();
    refuse(409, "Conflict", message).with_details(json!({"causes": causes}))
}

#[cfg(test)]
mod tests {
    use super::{Manager, apply};
    use serde_json::json;

    fn by(name: &str) -> Manager {
        Manager { name: name.into(), applies: true, subresource: String::new() }
    }

    #[test]
    fn ownership_moves_only_by_force_and_what_is_given_up_goes() {
        let deny = json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "d", "labels": {"a": "1"}}, "spec": {"podSelector": {}, "policyTypes": ["Egress"]}});
        let first = apply(None, &deny, &by("one"), false).unwrap();
        let other = json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "d"}, "spec": {"policyTypes": ["Ingress"]}});
        let refused = apply(Some(&first), &other, &by("two"), false).unwrap_err();
        assert_eq!(refused.message(), "Apply failed with 1 conflict: conflict with \"one\": .spec.policyTypes");
        let taken = apply(Some(&first), &other, &by("two"), true).unwrap();
        assert_eq!(taken["spec"]["policyTypes"], json!(["Ingress"]));
        let less =
            json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "d"}, "spec": {"podSelector": {}}});
        let after = apply(Some(&taken), &less, &by("one"), false).unwrap();
        assert!(after["metadata"].get("labels").is_none_or(|l| l.get("a").is_none()));
        assert_eq!(after["spec"]["policyTypes"], json!(["Ingress"]), "the other manager still wants it");
    }
}
