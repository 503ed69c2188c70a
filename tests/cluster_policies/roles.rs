//! The roles that are documented, and given to the test bed's viewer, cover exactly what is followed.

use partywall::model::kind::{KindInfo, WATCHED};
use serde_json::Value;

/// The rules of a ClusterRole in a text of YAML documents.
fn rules(documents: &str, role: &str) -> Vec<Value> {
    let of_role = |text: &str| {
        let object: Value = serde_saphyr::from_str(text).ok()?;
        (object["kind"] == "ClusterRole" && object["metadata"]["name"] == role).then(|| object["rules"].as_array().cloned())?
    };
    documents.split("\n---\n").find_map(of_role).unwrap_or_else(|| panic!("no ClusterRole {role}"))
}

fn has(rule: &Value, key: &str, wanted: &str) -> bool {
    rule[key].as_array().is_some_and(|list| list.iter().any(|text| text == wanted))
}

fn permits(rules: &[Value], info: &KindInfo, group: &str, verb: &str) -> bool {
    rules.iter().any(|rule| {
        let named = match info.only {
            Some((_, name)) => has(rule, "resourceNames", name),
            None => rule["resourceNames"].is_null(),
        };
        named && has(rule, "apiGroups", group) && has(rule, "resources", info.plural) && has(rule, "verbs", verb)
    })
}

#[test]
fn the_roles_cover_what_is_followed_and_no_secret() {
    let readme = include_str!("../../README.md");
    let documented = readme.split("```").find(|block| block.starts_with("yaml") && block.contains("partywall-observe"));
    let documented = documented.unwrap().trim_start_matches("yaml");
    for (what, rules) in [
        ("README", rules(documented, "partywall-observe")),
        ("the viewer", rules(include_str!("../testbed/manifests/identities.yaml"), "partywall-viewer")),
    ] {
        // the metadata of Secrets is asked for where that is allowed explicitly, and permitted apart
        for info in WATCHED.iter().filter(|info| info.metadata_of_type.is_none()) {
            for group in [Some(info.group), info.other_group].into_iter().flatten() {
                for verb in ["list", "watch"] {
                    assert!(permits(&rules, info, group, verb), "{what} does not permit to {verb} {} in {group:?}", info.plural);
                }
            }
        }
        for rule in &rules {
            assert!(!has(rule, "resources", "secrets") && !has(rule, "resources", "*") && !has(rule, "apiGroups", "*"), "{what}: {rule}");
            assert!(!has(rule, "resources", "configmaps") || has(rule, "resourceNames", "cilium-config"), "{what}: {rule}");
        }
    }
}
