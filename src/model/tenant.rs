//! Who is a tenant: the rule that makes tenants of namespaces.

use std::collections::BTreeMap;

use regex::Regex;

use super::ids::{Name, TenantId};
use super::labels::LabelSet;

/// Label that Capsule puts on the namespaces of a Tenant.
pub const CAPSULE_LABEL: &str = "capsule.clastix.io/tenant";
/// The default namespace pattern.
pub const DEFAULT_PATTERN: &str = "^(?:web-)?tenant-(?<tenant>.+)$";
/// Namespaces that belong to the cluster, by name or prefix (`*` at the end).
pub const SYSTEM_NAMESPACES: &[&str] = &[
    "default",
    "kube-*",
    "cattle-*",
    "calico-*",
    "tigera-*",
    "cilium*",
    "istio-*",
    "linkerd*",
    "cert-manager",
    "external-secrets*",
    "vault*",
    "sys-*",
    "openbao*",
    "monitoring",
    "logging",
    "ingress-*",
    "traefik*",
    "kyverno",
    "gatekeeper-system",
    "capsule-system",
    "local-path-storage",
    "flux-system",
    "argocd",
];

/// How tenants are found, in the order of precedence of DESIGN.md.
#[derive(Clone, Debug)]
pub struct TenantRules {
    /// Tenants listed in the configuration, with their namespaces.
    pub listed: BTreeMap<TenantId, Vec<Name>>,
    /// A label whose value names the tenant.
    pub label: Option<Name>,
    /// A pattern on the namespace's name with a group `tenant`; none to use no pattern.
    pub pattern: Option<Regex>,
    /// Namespaces of the cluster itself, as in [`SYSTEM_NAMESPACES`].
    pub system: Vec<Name>,
}

/// Which rule is in force: shown in the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum RuleInForce {
    /// The configuration lists them.
    Listed,
    /// Capsule's label.
    Capsule,
    /// The configured label.
    Label,
    /// The namespace pattern.
    Pattern,
    /// Every namespace that is not a system one is its own tenant.
    #[default]
    EachNamespace,
}

impl RuleInForce {
    /// As words for the header.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Listed => "listed in config",
            Self::Capsule => "Capsule label",
            Self::Label => "label",
            Self::Pattern => "namespace pattern",
            Self::EachNamespace => "one per namespace",
        }
    }
}

/// The tenants of a fleet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tenants {
    /// The rule that found most of them.
    pub rule: RuleInForce,
    /// Namespaces by tenant, sorted.
    pub namespaces: BTreeMap<TenantId, Vec<Name>>,
    /// Tenant by namespace.
    pub of: BTreeMap<Name, TenantId>,
    /// Namespaces claimed by more than one tenant, with the claimants.
    pub contested: BTreeMap<Name, Vec<TenantId>>,
    /// Namespaces that are neither a tenant's nor the cluster's own.
    pub orphans: Vec<Name>,
}

impl Default for TenantRules {
    fn default() -> Self {
        Self {
            listed: BTreeMap::new(),
            label: None,
            pattern: Regex::new(DEFAULT_PATTERN).ok(),
            system: SYSTEM_NAMESPACES.iter().map(|s| Name::from(*s)).collect(),
        }
    }
}

impl TenantRules {
    /// Whether a namespace belongs to the cluster itself. O(patterns).
    pub fn is_system(&self, namespace: &str) -> bool {
        self.system
            .iter()
            .any(|pattern| pattern.strip_suffix('*').map_or(pattern.as_ref() == namespace, |prefix| namespace.starts_with(prefix)))
    }

    /// Sorts namespaces into tenants. Each namespace goes to the first rule that names a tenant for it; where two rules name different
    /// ones it is contested. Only where no rule names anybody is every namespace its own tenant. O(namespaces × rules).
    pub fn resolve<'a>(&self, namespaces: impl Iterator<Item = (&'a Name, Option<&'a LabelSet>)>) -> Tenants {
        let all: Vec<_> = namespaces.map(|(name, labels)| (name, self.claims(name, labels))).collect();
        let mut used: BTreeMap<RuleInForce, usize> = BTreeMap::new();
        for (_, claims) in &all {
            if let Some((rule, _)) = claims.first() {
                *used.entry(*rule).or_default() += 1;
            }
        }
        let most = used.iter().max_by(|a, b| a.1.cmp(b.1).then(b.0.cmp(a.0))).map(|(rule, _)| *rule);
        let mut tenants = Tenants { rule: most.unwrap_or_default(), ..Tenants::default() };
        for (namespace, claims) in all {
            let claimant = match claims.first() {
                Some((_, tenant)) => tenant.clone(),
                None if self.is_system(namespace) => continue,
                None if most.is_none() => namespace.clone(),
                None => {
                    tenants.orphans.push(namespace.clone());
                    continue;
                }
            };
            let mut claimants: Vec<TenantId> = claims.into_iter().map(|(_, tenant)| tenant).collect();
            claimants.sort();
            claimants.dedup();
            if claimants.len() > 1 {
                tenants.contested.insert(namespace.clone(), claimants);
            }
            tenants.namespaces.entry(claimant.clone()).or_default().push(namespace.clone());
            tenants.of.insert(namespace.clone(), claimant);
        }
        tenants
    }

    /// Who claims a namespace, by every rule, in order of precedence.
    fn claims(&self, namespace: &Name, labels: Option<&LabelSet>) -> Vec<(RuleInForce, TenantId)> {
        let mut claims: Vec<_> = self
            .listed
            .iter()
            .filter(|(_, list)| list.contains(namespace))
            .map(|(tenant, _)| (RuleInForce::Listed, tenant.clone()))
            .collect();
        let by_label = |key: &str| labels.and_then(|labels| labels.get(key)).filter(|value| !value.is_empty()).cloned();
        claims.extend(by_label(CAPSULE_LABEL).map(|tenant| (RuleInForce::Capsule, tenant)));
        claims.extend(self.label.as_ref().and_then(|key| by_label(key)).map(|tenant| (RuleInForce::Label, tenant)));
        let by_pattern = self
            .pattern
            .as_ref()
            .and_then(|p| p.captures(namespace))
            .and_then(|c| c.name("tenant").filter(|m| !m.is_empty()).map(|m| Name::from(m.as_str())));
        claims.extend(by_pattern.map(|tenant| (RuleInForce::Pattern, tenant)));
        claims
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        text.into()
    }

    fn resolve(rules: &TenantRules, namespaces: &[(&str, &[(&str, &str)])]) -> Tenants {
        let owned: Vec<(Name, LabelSet)> =
            namespaces.iter().map(|(n, labels)| (name(n), LabelSet::new(labels.iter().map(|(k, v)| (name(k), name(v)))))).collect();
        rules.resolve(owned.iter().map(|(n, l)| (n, Some(l))))
    }

    #[test]
    fn the_default_pattern_finds_the_walkthroughs_tenants() {
        let tenants =
            resolve(&TenantRules::default(), &[("web-tenant-acme", &[]), ("tenant-globex", &[]), ("kube-system", &[]), ("stray", &[])]);
        assert_eq!(tenants.rule, RuleInForce::Pattern);
        assert_eq!(tenants.of.get("web-tenant-acme"), Some(&name("acme")));
        assert_eq!(tenants.of.get("tenant-globex"), Some(&name("globex")));
        assert_eq!(tenants.orphans, [name("stray")]);
    }

    #[test]
    fn a_label_and_the_pattern_that_disagree_contest_the_namespace() {
        let tenants = resolve(&TenantRules::default(), &[("tenant-a", &[(CAPSULE_LABEL, "b")])]);
        assert_eq!(tenants.of.get("tenant-a"), Some(&name("b")), "the label goes before the pattern");
        assert_eq!(tenants.contested.get("tenant-a"), Some(&vec![name("a"), name("b")]));
    }

    #[test]
    fn without_any_rule_each_namespace_is_a_tenant_but_not_the_clusters_own() {
        let tenants = resolve(&TenantRules::default(), &[("shop", &[]), ("kube-system", &[])]);
        assert_eq!(tenants.rule, RuleInForce::EachNamespace);
        assert_eq!(tenants.namespaces.keys().map(AsRef::as_ref).collect::<Vec<_>>(), ["shop"]);
        assert!(tenants.orphans.is_empty());
    }

    #[test]
    fn a_listed_tenant_may_have_two_namespaces() {
        let rules = TenantRules { listed: [(name("acme"), vec![name("one"), name("two")])].into(), ..TenantRules::default() };
        let tenants = resolve(&rules, &[("one", &[]), ("two", &[])]);
        assert_eq!(tenants.namespaces.get("acme").map(Vec::len), Some(2));
    }
}
