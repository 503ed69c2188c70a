//! Answers of the identity store to facts. What templates render (names, metadata) is kept to the letter: it decides who reaches what.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{MOST, keys, lower_texts, texts};
use crate::model::ids::Name;
use crate::model::vault::{AliasFact, EntityFact, GroupFact};

fn whole(value: &Value, key: &str) -> Name {
    value.get(key).and_then(Value::as_str).unwrap_or_default().into()
}

fn pairs(value: &Value, key: &str) -> BTreeMap<Name, Name> {
    let object = value.get(key).and_then(Value::as_object);
    object.into_iter().flatten().filter_map(|(k, v)| Some((Name::from(k.as_str()), Name::from(v.as_str()?)))).take(MOST).collect()
}

fn alias(row: &Value) -> AliasFact {
    AliasFact {
        name: whole(row, "name"),
        accessor: whole(row, "mount_accessor"),
        metadata: pairs(row, "metadata"),
        custom: pairs(row, "custom_metadata"),
    }
}

/// An entity.
pub(crate) fn entity(answer: &Value) -> Option<EntityFact> {
    let data = answer.get("data").filter(|data| data.get("id").is_some())?;
    let aliases = data.get("aliases").and_then(Value::as_array);
    Some(EntityFact {
        name: whole(data, "name"),
        policies: lower_texts(data, "policies"),
        metadata: pairs(data, "metadata"),
        disabled: data.get("disabled").and_then(Value::as_bool).unwrap_or(false),
        aliases: aliases.into_iter().flatten().take(MOST).map(alias).collect(),
        groups: texts(data, "group_ids"),
    })
}

/// A group.
pub(crate) fn group(answer: &Value) -> Option<GroupFact> {
    let data = answer.get("data").filter(|data| data.get("id").is_some())?;
    Some(GroupFact {
        name: whole(data, "name"),
        policies: lower_texts(data, "policies"),
        metadata: pairs(data, "metadata"),
        entities: texts(data, "member_entity_ids"),
        parents: texts(data, "parent_group_ids"),
        external: data.get("type").and_then(Value::as_str) == Some("external"),
    })
}

/// The entities of a list that log in through one of these mounts, by their accessors, and how many others there are. Where the list does
/// not tell of aliases, an entity counts as one of those.
pub(in crate::vault) fn entities_at(answer: &Value, accessors: &BTreeSet<Name>) -> (Vec<Name>, u32) {
    let info = answer.pointer("/data/key_info").and_then(Value::as_object);
    let told = info.is_some_and(|info| info.values().any(|row| row.get("aliases").is_some()));
    let here = |id: &Name| {
        let Some(row) = info.and_then(|info| info.get(id.as_ref())).filter(|_| told) else { return true };
        let aliases = row.get("aliases").and_then(Value::as_array);
        aliases
            .into_iter()
            .flatten()
            .any(|alias| alias.get("mount_accessor").and_then(Value::as_str).is_some_and(|a| accessors.contains(a)))
    };
    let (ours, others): (Vec<Name>, Vec<Name>) = keys(answer).into_iter().partition(here);
    (ours, u32::try_from(others.len()).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_entity_is_read_to_the_letter() {
        let answer = json!({"data": {"id": "e", "name": "web/\u{1b}[1m*", "policies": ["Default", "p"], "metadata": {"team": ""}, "disabled": true,
            "group_ids": ["g", "h"], "aliases": [{"name": "ns/app", "mount_accessor": "acc", "metadata": {"service_account_name": "app"},
            "custom_metadata": {"k": "v"}}]}});
        let fact = entity(&answer).unwrap();
        assert_eq!(fact.name.as_ref(), "web/\u{1b}[1m*");
        assert_eq!(fact.policies.iter().map(AsRef::as_ref).collect::<Vec<_>>(), ["default", "p"]);
        assert_eq!(fact.metadata["team"].as_ref(), "");
        assert!(fact.disabled && fact.groups.len() == 2);
        assert_eq!((fact.aliases[0].name.as_ref(), fact.aliases[0].accessor.as_ref()), ("ns/app", "acc"));
        assert_eq!((fact.aliases[0].metadata.len(), fact.aliases[0].custom["k"].as_ref()), (1, "v"));
        assert_eq!(entity(&json!({"data": {"id": "e", "aliases": null, "policies": null}})).unwrap(), EntityFact::default());
        assert!(entity(&json!({"data": {}})).is_none() && entity(&Value::Null).is_none());
    }

    #[test]
    fn only_who_logs_in_through_kubernetes_is_read() {
        let alias = |accessor: &str| json!([{"mount_accessor": accessor, "name": "x"}]);
        let answer = json!({"data": {"keys": ["a", "b", "c", "d"], "key_info": {
            "a": {"aliases": alias("k8s")}, "b": {"aliases": alias("userpass")}, "c": {"aliases": null}, "d": {"name": "d"}}}});
        let (ours, others) = entities_at(&answer, &BTreeSet::from(["k8s".into()]));
        assert_eq!((ours.iter().map(AsRef::as_ref).collect::<Vec<_>>(), others), (vec!["a"], 3));
        let silent = json!({"data": {"keys": ["a", "b"], "key_info": {"a": {"name": "a"}, "b": {"name": "b"}}}});
        assert_eq!(entities_at(&silent, &BTreeSet::new()).0.len(), 2);
    }
}
