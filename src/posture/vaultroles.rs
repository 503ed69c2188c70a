//! Which Vault roles admit whom: the binding of the Kubernetes auth method.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::model::ids::{Name, ObjectRef};
use crate::model::labels::{Is, LabelSelector, LabelSet, Requirement};
use crate::model::vault::{VaultFacts, VaultRole, role_ref};

/// A role and where it is.
#[derive(Clone, Copy, Debug)]
pub struct RoleAt<'a> {
    /// Auth mount.
    pub mount: &'a Name,
    /// Role.
    pub name: &'a Name,
    /// What it says.
    pub role: &'a VaultRole,
}

impl RoleAt<'_> {
    /// As a reference.
    pub fn object(&self) -> ObjectRef {
        role_ref(self.mount, self.name)
    }
}

/// All roles, indexed by the namespaces they name.
#[derive(Debug, Default)]
pub struct Roles<'a> {
    /// Roles that name the namespace literally.
    literal: BTreeMap<&'a str, Vec<RoleAt<'a>>>,
    /// Roles that use a pattern or a selector, with the selector if it can be read.
    wild: Vec<(RoleAt<'a>, Option<LabelSelector>)>,
    /// Roles that are listed but can't be read: mount, name, why.
    pub unreadable: Vec<(&'a Name, &'a Name, &'a Name)>,
    /// How many roles there are.
    pub count: usize,
}

impl<'a> Roles<'a> {
    /// Indexes the roles of every Kubernetes auth mount. O(roles × log roles).
    pub fn of(vault: &'a VaultFacts) -> Self {
        let mut index = Self::default();
        for (mount, part) in &vault.kubernetes {
            index.unreadable.extend(part.unreadable.iter().map(|(name, why)| (mount, name, why)));
            for (name, role) in part.items.iter() {
                index.count += 1;
                let at = RoleAt { mount, name, role };
                if !role.namespace_selector.is_empty() || role.namespaces.iter().any(|pattern| pattern.contains('*')) {
                    index.wild.push((at, selector(&role.namespace_selector)));
                } else {
                    for namespace in &role.namespaces {
                        index.literal.entry(namespace.as_ref()).or_default().push(at);
                    }
                }
            }
        }
        index
    }

    /// Roles that admit some ServiceAccount of these namespaces, by mount and name. A selector that can't be read, or that is asked about a
    /// namespace whose labels are unseen, counts as admitting. O(namespaces × wild roles).
    pub fn admitting<'b>(&self, namespaces: impl Iterator<Item = (&'b Name, Option<&'b LabelSet>)>) -> Vec<RoleAt<'a>> {
        let mut found: BTreeMap<(&Name, &Name), RoleAt<'a>> = BTreeMap::new();
        for (namespace, labels) in namespaces {
            let literal = self.literal.get(namespace.as_ref()).into_iter().flatten();
            let by_pattern = self.wild.iter().filter(|(at, _)| at.role.namespaces.iter().any(|pattern| glob(pattern, namespace)));
            let by_selector = self.wild.iter().filter(|(at, selector)| {
                let matches = || selector.as_ref().zip(labels).and_then(|(selector, labels)| selector.matches(labels));
                !at.role.namespace_selector.is_empty() && matches() != Some(false)
            });
            for at in literal.chain(by_pattern.map(|(at, _)| at)).chain(by_selector.map(|(at, _)| at)) {
                found.insert((at.mount, at.name), *at);
            }
        }
        found.into_values().collect()
    }

    /// A role by mount and name.
    pub fn find(vault: &'a VaultFacts, mount: &str, name: &str) -> Option<RoleAt<'a>> {
        let (mount, part) = vault.kubernetes.get_key_value(mount)?;
        let (name, role) = part.items.get_key_value(name)?;
        Some(RoleAt { mount, name, role })
    }

    /// Namespaces that roles name literally.
    pub fn named_namespaces(&self) -> impl Iterator<Item = (&'a str, &RoleAt<'a>)> {
        self.literal.iter().flat_map(|(namespace, roles)| roles.iter().map(|at| (*namespace, at)))
    }
}

/// Vault's glob: `*` stands for any text; everything else for itself. O(length of both).
pub fn glob(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// `bound_service_account_namespace_selector`: a label selector in JSON or YAML; none when it can't be read.
fn selector(text: &str) -> Option<LabelSelector> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Written {
        #[serde(default)]
        match_labels: BTreeMap<String, String>,
        #[serde(default)]
        match_expressions: Vec<Expression>,
    }
    #[derive(Deserialize)]
    struct Expression {
        key: String,
        operator: String,
        #[serde(default)]
        values: Vec<String>,
    }
    if text.is_empty() {
        return None;
    }
    let written: Written = serde_saphyr::from_str(text).ok()?;
    let labels = written.match_labels.into_iter().map(|(key, value)| Requirement { key: key.into(), is: Is::In([value.into()].into()) });
    let expressions = written.match_expressions.into_iter().map(|e| {
        let values = e.values.into_iter().map(Name::from).collect();
        let is = match e.operator.as_str() {
            "In" => Is::In(values),
            "NotIn" => Is::NotIn(values),
            "Exists" => Is::Exists,
            "DoesNotExist" => Is::DoesNotExist,
            other => Is::Unknown(other.into()),
        };
        Requirement { key: e.key.into(), is }
    });
    Some(LabelSelector { requirements: labels.chain(expressions).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("*", "x", true),
            ("a*", "abc", true),
            ("*c", "abc", true),
            ("a*c", "abc", true),
            ("a*b*c", "a-b-c", true),
            ("a*a", "a", false),
            ("abc", "abc", true),
            ("abc", "abcd", false),
            ("", "", true),
            ("", "x", false),
        ] {
            assert_eq!(glob(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn selectors_in_json_and_yaml() {
        let json = selector(r#"{"matchLabels":{"tenant":"acme"}}"#).unwrap();
        let yaml = selector("matchLabels:\n  tenant: acme\n").unwrap();
        assert_eq!(json, yaml);
        let expressions = selector(r#"{"matchExpressions":[{"key":"a","operator":"Exists"}]}"#).unwrap();
        assert_eq!(expressions.matches(&LabelSet::default()), Some(false));
        assert_eq!(selector("{{"), None);
    }
}
