//! The configuration file, in TOML. Every key is also a flag and a `PARTYWALL_*` variable, except the lists of tenants.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use regex::Regex;
use serde::Deserialize;

use crate::fix::guard::Mode;
use crate::model::ids::Name;
use crate::model::tenant::TenantRules;

/// Why settings could not be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file could not be read.
    #[error("cannot read the configuration file {}: {source}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is no TOML, or holds a key nobody knows.
    #[error("the configuration file {} is wrong: {message}", path.display())]
    Malformed {
        /// Which file.
        path: PathBuf,
        /// Where and why.
        message: String,
    },
    /// A value makes no sense.
    #[error("the configuration file {}: {key} is {value:?}, which is {why}", path.display())]
    Value {
        /// Which file.
        path: PathBuf,
        /// Which key.
        key: &'static str,
        /// Its value.
        value: String,
        /// What is wrong with it.
        why: String,
    },
    /// No place to keep receipts.
    #[error("no folder for receipts and logs: HOME is not set; name one with --state-dir")]
    NoState,
}

/// The file's keys.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConfigFile {
    /// Context of the kubeconfig.
    pub context: Option<String>,
    /// `observe`, `probe` or `fix`.
    pub mode: Option<String>,
    /// Theme.
    pub theme: Option<String>,
    /// Only ASCII.
    pub ascii: Option<bool>,
    /// Aliases instead of names.
    pub redact: Option<bool>,
    /// Objects a page.
    pub page_size: Option<u32>,
    /// Whether the metadata of Secrets is asked for.
    pub secret_metadata: Option<bool>,
    /// Folder for receipts and logs.
    pub state_dir: Option<PathBuf>,
    /// `[vault]`.
    pub vault: super::vault::VaultSection,
    /// `[tenants]`.
    pub tenants: TenantSection,
    /// `[quota]`.
    pub quota: QuotaSection,
    /// `[network]`.
    pub network: super::network::NetworkSection,
}

/// `[tenants]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TenantSection {
    /// Namespaces by tenant.
    pub listed: BTreeMap<String, Vec<String>>,
    /// Label whose value names the tenant.
    pub label: Option<String>,
    /// Pattern on namespace names with a group `tenant`.
    pub pattern: Option<String>,
    /// Namespaces of the cluster itself, added to the known ones.
    pub system: Vec<String>,
}

/// `[quota]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct QuotaSection {
    /// Thousandths from which a quota is under pressure.
    pub warn_permille: Option<u32>,
    /// Thousandths from which it is about to refuse.
    pub full_permille: Option<u32>,
}

impl ConfigFile {
    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
        toml::from_str(&text).map_err(|error| ConfigError::Malformed { path: path.to_owned(), message: error.to_string() })
    }

    pub(super) fn mode(&self, path: &Path) -> Result<Option<Mode>, ConfigError> {
        let Some(text) = &self.mode else { return Ok(None) };
        let wrong = || ConfigError::Value {
            path: path.to_owned(),
            key: "mode",
            value: text.clone(),
            why: "none of observe, probe, fix".to_owned(),
        };
        Mode::parse(text).map(Some).ok_or_else(wrong)
    }

    pub(super) fn tenant_rules(&self, path: &Path) -> Result<TenantRules, ConfigError> {
        let mut rules = TenantRules::default();
        if let Some(text) = &self.tenants.pattern {
            let wrong = |why: String| ConfigError::Value { path: path.to_owned(), key: "tenants.pattern", value: text.clone(), why };
            let pattern = Regex::new(text).map_err(|error| wrong(format!("no pattern: {error}")))?;
            if !pattern.capture_names().flatten().any(|name| name == "tenant") {
                return Err(wrong("without a group (?<tenant>…)".to_owned()));
            }
            rules.pattern = Some(pattern);
        }
        rules.label = self.tenants.label.as_deref().map(Name::from);
        rules.system.extend(self.tenants.system.iter().map(|s| Name::from(s.as_str())));
        rules.listed = self
            .tenants
            .listed
            .iter()
            .map(|(tenant, namespaces)| (Name::from(tenant.as_str()), namespaces.iter().map(|n| Name::from(n.as_str())).collect()))
            .collect();
        Ok(rules)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_is_an_error_that_names_it() {
        let error = toml::from_str::<ConfigFile>("thme = 'dark'").unwrap_err().to_string();
        assert!(error.contains("thme"), "{error}");
    }

    #[test]
    fn a_pattern_without_its_group_is_refused() {
        let file: ConfigFile = toml::from_str("[tenants]\npattern = '^t-(.+)$'").unwrap();
        let error = file.tenant_rules(Path::new("c.toml")).unwrap_err().to_string();
        assert!(error.contains("tenants.pattern") && error.contains("(?<tenant>"), "{error}");
    }

    #[test]
    fn a_listed_tenant_becomes_a_rule() {
        let file: ConfigFile = toml::from_str("[tenants.listed]\nacme = ['a', 'b']").unwrap();
        let rules = file.tenant_rules(Path::new("c.toml")).unwrap();
        assert_eq!(rules.listed.get("acme").map(Vec::len), Some(2));
    }
}
