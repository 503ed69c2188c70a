//! What an object says it is, also where the rest of it can't be read.

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

use crate::cluster::wire::lean::{Field, Key, Str};
use crate::model::kind::{Kind, KindInfo, WATCHED};
use crate::model::text::clean_to;

/// What an object says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Head {
    /// `apiVersion`.
    pub api_version: String,
    /// `kind`.
    pub kind: String,
    /// `metadata.namespace`.
    pub namespace: String,
    /// `metadata.name`.
    pub name: String,
    /// `type`, which tells Secrets apart.
    pub of_type: String,
}

/// Names are cut here when an error names an object.
const LONGEST_NAME: usize = 120;

/// Groups under which the same objects are written in files and served under another name by the API server.
const ALIASES: [(&str, &str); 1] = [("projectcalico.org", "crd.projectcalico.org")];

impl Head {
    /// From JSON, which may be cut anywhere: what stands before the cut is read. O(length).
    pub fn of(json: &[u8]) -> Self {
        let mut head = Self::default();
        // an error is the cut; what was read before it is kept
        let _ = Gather(&mut head).deserialize(&mut serde_json::Deserializer::from_slice(json));
        head
    }

    /// What is still missing, from the text of a YAML document in block style: only lines that can be nothing else count. O(length).
    #[must_use]
    pub fn completed(mut self, text: &str) -> Self {
        let (mut in_metadata, mut its_indent) = (false, None);
        for line in text.lines().filter(|line| !line.trim_start().starts_with('#')) {
            let Some((key, value)) = line.split_once(':') else { continue };
            let indent = line.len() - line.trim_start_matches(' ').len();
            if indent == 0 {
                (in_metadata, its_indent) = (key == "metadata", None);
            }
            let own = in_metadata && indent > 0 && *its_indent.get_or_insert(indent) == indent;
            let slot = match key.trim() {
                "kind" if indent == 0 => &mut self.kind,
                "name" if own => &mut self.name,
                "namespace" if own => &mut self.namespace,
                _ => continue,
            };
            if slot.is_empty() {
                value.trim().trim_matches(['"', '\'']).clone_into(slot);
            }
        }
        self
    }

    /// The group in `apiVersion`; empty for the core.
    pub fn group(&self) -> &str {
        self.api_version.split_once('/').map_or("", |(group, _)| group)
    }

    /// The kind it is read as, if it is one we read.
    pub fn known(&self) -> Option<Kind> {
        let group = ALIASES.iter().find(|(alias, _)| *alias == self.group()).map_or(self.group(), |(_, served)| served);
        let is = |kind: Kind| match kind {
            Kind::CiliumConfig => self.kind == "ConfigMap" && self.namespace == "kube-system" && self.name == "cilium-config",
            kind => kind.as_str().split('.').next() == Some(self.kind.as_str()),
        };
        let of_type = |info: &&KindInfo| info.metadata_of_type.is_none_or(|wanted| wanted == self.of_type);
        WATCHED.iter().filter(of_type).find(|info| info.group == group && is(info.kind)).map(|info| info.kind)
    }

    /// `Kind namespace/name` as far as it is known, cleaned; none where nothing is.
    pub fn words(&self) -> Option<String> {
        let place = if self.namespace.is_empty() { String::new() } else { format!("{}/", clean_to(&self.namespace, LONGEST_NAME)) };
        let name = clean_to(&self.name, LONGEST_NAME);
        match (self.kind.as_str(), name.as_str()) {
            ("", "") => None,
            (kind, "") => Some(format!("a {}", clean_to(kind, LONGEST_NAME))),
            ("", name) => Some(format!("{place}{name}")),
            (kind, name) => Some(format!("{} {place}{name}", clean_to(kind, LONGEST_NAME))),
        }
    }
}

struct Gather<'h>(&'h mut Head);

impl<'de> DeserializeSeed<'de> for Gather<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Gather<'_> {
    type Value = ();
    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let text = |field: Field<Str<'de>>| field.text().to_owned();
        while let Some(Key(key)) = map.next_key()? {
            match &*key {
                "apiVersion" => self.0.api_version = text(map.next_value()?),
                "kind" => self.0.kind = text(map.next_value()?),
                "type" => self.0.of_type = text(map.next_value()?),
                "metadata" => map.next_value_seed(GatherNames(self.0))?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

struct GatherNames<'h>(&'h mut Head);

impl<'de> DeserializeSeed<'de> for GatherNames<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for GatherNames<'_> {
    type Value = ();
    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("metadata")
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let text = |field: Field<Str<'de>>| field.text().to_owned();
        while let Some(Key(key)) = map.next_key()? {
            match &*key {
                "name" => self.0.name = text(map.next_value()?),
                "namespace" => self.0.namespace = text(map.next_value()?),
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_only_where_it_stands() {
        let text = "spec:\n  name: wrong\n  namespace: wrong\nmetadata:\n   # name: wrong\n   labels:\n     name: wrong\n   name: \"right\"\nkind: Pod\n";
        let head = Head::default().completed(text);
        assert_eq!((head.kind.as_str(), head.name.as_str(), head.namespace.as_str()), ("Pod", "right", ""));
        assert_eq!(head.words().as_deref(), Some("Pod right"));
    }

    #[test]
    fn what_stands_before_a_cut_is_read() {
        let whole = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"labels":{"name":"no"},"name":"x","namespace":"y"},"spec":{}}"#;
        let cut = |at: &str| &whole.as_bytes()[..whole.find(at).unwrap()];
        assert_eq!(Head::of(whole.as_bytes()).words().as_deref(), Some("Pod y/x"));
        assert_eq!(Head::of(cut(r#","namespace""#)).words().as_deref(), Some("Pod x"));
        assert_eq!(Head::of(cut(r#","metadata""#)).words().as_deref(), Some("a Pod"));
        assert_eq!(Head::of(b"[1").words(), None);
    }

    #[test]
    fn kinds_are_known_by_group_not_by_name_alone() {
        let known = |api_version: &str, kind: &str| Head { api_version: api_version.into(), kind: kind.into(), ..Head::default() }.known();
        assert_eq!(known("networking.k8s.io/v1", "NetworkPolicy"), Some(Kind::NetworkPolicy));
        assert_eq!(known("projectcalico.org/v3", "NetworkPolicy"), Some(Kind::CalicoNetworkPolicy));
        assert_eq!(known("crd.antrea.io/v1beta1", "ClusterNetworkPolicy"), Some(Kind::AntreaClusterNetworkPolicy));
        assert_eq!(known("policy.networking.k8s.io/v1alpha2", "ClusterNetworkPolicy"), Some(Kind::ClusterNetworkPolicy));
        assert_eq!(known("example.com/v1", "NetworkPolicy"), None);
        assert_eq!(known("v1", "ConfigMap"), None, "of all ConfigMaps one");
        let of = |head: Head| Head { api_version: "v1".into(), ..head }.known();
        let cilium = Head { kind: "ConfigMap".into(), namespace: "kube-system".into(), name: "cilium-config".into(), ..Head::default() };
        assert_eq!(of(cilium), Some(Kind::CiliumConfig));
        for (of_type, kind) in [
            ("kubernetes.io/tls", Some(Kind::TlsSecret)),
            ("kubernetes.io/service-account-token", Some(Kind::TokenSecret)),
            ("Opaque", None),
        ] {
            assert_eq!(of(Head { kind: "Secret".into(), of_type: of_type.into(), ..Head::default() }), kind, "{of_type}");
        }
        assert_eq!(known("secrets.hashicorp.com/v1beta1", "VaultDynamicSecret"), Some(Kind::VaultDynamicSecret));
        assert_eq!(known("generators.external-secrets.io/v1alpha1", "VaultDynamicSecret"), Some(Kind::VaultGenerator));
    }
}
