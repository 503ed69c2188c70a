//! `[vault]`: where the server is, how it is polled, and what of it belongs to whom.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use super::file::ConfigError;
use crate::cli::args::CommonArgs;
use crate::vaultacl::dialect::{DIALECTS, Dialect};

/// Seconds between polls where none are said, and the bounds of what may be said.
const POLL: (u64, u64, u64) = (15, 1, 3600);
/// The words that stand for names in a root.
const NAMES: [&str; 2] = ["{namespace}", "{tenant}"];

/// Where Vault is, how it is polled and how it is read. The token is not here: it is read when it is needed.
#[derive(Clone, Debug, Default)]
pub struct VaultConfig {
    /// Address; none means no Vault.
    pub addr: Option<String>,
    /// Namespace header.
    pub namespace: Option<String>,
    /// CA in PEM.
    pub ca_cert: Option<PathBuf>,
    /// File that holds the token.
    pub token_file: Option<PathBuf>,
    /// Time between polls.
    pub poll: Duration,
    /// The rules to apply whatever the server says of itself; none for those of the server.
    pub dialect: Option<Dialect>,
    /// Where tenants keep their secrets: `mount/path` with `{namespace}` and `{tenant}` for the names. Empty for the convention.
    pub roots: Vec<String>,
    /// Places that all tenants may read: `mount/path`, with `+` for any one part and `*` at the end for everything that begins so.
    pub shared: Vec<String>,
}

/// `[vault]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct VaultSection {
    /// Address.
    pub addr: Option<String>,
    /// Namespace header.
    pub namespace: Option<String>,
    /// CA file.
    pub ca_cert: Option<PathBuf>,
    /// Token file.
    pub token_file: Option<PathBuf>,
    /// Seconds between polls.
    pub poll_seconds: Option<u64>,
    /// Whose rules to apply, by the word of `--vault-dialect`.
    pub dialect: Option<String>,
    /// Where tenants keep their secrets.
    pub roots: Vec<String>,
    /// Places that all tenants may read.
    pub shared: Vec<String>,
}

impl VaultSection {
    /// The settings: those of the arguments where there are any, else the file's.
    pub(super) fn settings(self, args: &CommonArgs, at: &Path) -> Result<VaultConfig, ConfigError> {
        let wrong =
            |key: &'static str, value: &str, why: String| ConfigError::Value { path: at.to_owned(), key, value: value.to_owned(), why };
        let all = |key: &'static str, list: &[String], read: fn(&str) -> Result<String, String>| {
            list.iter().map(|text| read(text).map_err(|why| wrong(key, text, why))).collect::<Result<Vec<_>, _>>()
        };
        let named = self.dialect.as_deref().map(|text| dialect(text).map_err(|why| wrong("vault.dialect", text, why))).transpose()?;
        let roots = all("vault.roots", &self.roots, root)?;
        let shared = all("vault.shared", &self.shared, shared)?;
        let (usual, least, most) = POLL;
        Ok(VaultConfig {
            addr: args.vault_addr.clone().or(self.addr).filter(|addr| !addr.trim().is_empty()),
            namespace: args.vault_namespace.clone().or(self.namespace),
            ca_cert: args.vault_ca_cert.clone().or(self.ca_cert),
            token_file: args.vault_token_file.clone().or(self.token_file),
            poll: Duration::from_secs(args.vault_poll.or(self.poll_seconds).unwrap_or(usual).clamp(least, most)),
            dialect: args.vault_dialect.or(named),
            roots: if args.vault_roots.is_empty() { roots } else { args.vault_roots.clone() },
            shared: if args.vault_shared.is_empty() { shared } else { args.vault_shared.clone() },
        })
    }
}

/// A dialect by its word.
pub(crate) fn dialect(text: &str) -> Result<Dialect, String> {
    Dialect::parse(text).ok_or_else(|| format!("none of {}", DIALECTS.map(Dialect::word).join(", ")))
}

/// A root: below a mount, and another for every tenant.
pub(crate) fn root(text: &str) -> Result<String, String> {
    let path = place(text)?;
    let bare = NAMES.iter().fold(path.to_owned(), |rest, name| rest.replace(name, ""));
    if bare == path {
        return Err(format!("the same place for every tenant: write {} where the name stands", NAMES.join(" or ")));
    }
    if bare.contains(['{', '}']) {
        return Err(format!("with braces around something else than {}", NAMES.join(" or ")));
    }
    if bare.contains(['*', '+']) {
        return Err("with a wildcard: name one place".to_owned());
    }
    Ok(path.to_owned())
}

/// A shared place: below a mount that is named.
pub(crate) fn shared(text: &str) -> Result<String, String> {
    let path = place(text)?;
    if path.contains("+*") {
        return Err("no pattern that a server would take: + and * together".to_owned());
    }
    if path.strip_suffix('*').unwrap_or(path).contains('*') {
        return Err("a pattern with * before its end, where it stands for itself".to_owned());
    }
    if path.contains(['{', '}']) {
        return Err("with braces: a shared place has no names to fill in".to_owned());
    }
    Ok(path.to_owned())
}

/// `mount/path` without slashes at its beginning. The mount is named to the letter: a wildcard there would be about every mount.
fn place(text: &str) -> Result<&str, String> {
    let path = text.trim().trim_start_matches('/');
    if path.is_empty() || path.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err("empty, or holds a blank or a control character".to_owned());
    }
    match path.split_once('/') {
        None | Some((_, "")) => Err("no mount/path".to_owned()),
        Some((mount, _)) if mount.contains(['*', '+', '{', '}']) => Err("without a mount that is named to the letter".to_owned()),
        Some(_) => Ok(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(text: &str) -> VaultSection {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn a_section_is_read_and_a_flag_wins() {
        let text = "dialect = 'vault-1.21'\nroots = ['/secret/{namespace}']\nshared = ['secret/shared/*']\npoll_seconds = 0";
        let config = section(text).settings(&CommonArgs::default(), Path::new("c.toml")).unwrap();
        assert_eq!((config.dialect, config.poll), (Some(Dialect::Vault121), Duration::from_secs(1)));
        assert_eq!((config.roots, config.shared), (vec!["secret/{namespace}".to_owned()], vec!["secret/shared/*".to_owned()]));
        let args = CommonArgs {
            vault_dialect: Some(Dialect::OpenBao26),
            vault_roots: vec!["kv/{tenant}".into()],
            vault_poll: Some(20),
            ..CommonArgs::default()
        };
        let config = section(text).settings(&args, Path::new("c.toml")).unwrap();
        assert_eq!((config.dialect, config.poll), (Some(Dialect::OpenBao26), Duration::from_secs(20)));
        assert_eq!((config.roots, config.shared), (vec!["kv/{tenant}".to_owned()], vec!["secret/shared/*".to_owned()]));
        let bare = VaultSection::default().settings(&CommonArgs::default(), Path::new("c.toml")).unwrap();
        assert_eq!((bare.dialect, bare.roots.len(), bare.shared.len(), bare.poll), (None, 0, 0, Duration::from_secs(15)));
    }

    #[test]
    fn what_would_open_too_much_is_refused_with_its_key() {
        for (text, key, why) in [
            ("dialect = 'vault'", "vault.dialect", "none of any, vault-1.13"),
            ("roots = ['secret/tenants']", "vault.roots", "the same place for every tenant"),
            ("roots = ['{namespace}']", "vault.roots", "no mount/path"),
            ("roots = ['secret/{ns}/{tenant}']", "vault.roots", "braces around something else"),
            ("roots = ['secret/{tenant}/*']", "vault.roots", "a wildcard"),
            ("shared = ['*']", "vault.shared", "no mount/path"),
            ("shared = ['+/shared']", "vault.shared", "named to the letter"),
            ("shared = ['secret/']", "vault.shared", "no mount/path"),
            ("shared = ['secret/a/+*']", "vault.shared", "+ and *"),
            ("shared = ['secret/*/b']", "vault.shared", "before its end"),
            ("shared = ['secret/{tenant}/x']", "vault.shared", "braces"),
            ("shared = [\"secret/a\\u001b\"]", "vault.shared", "a control character"),
        ] {
            let error = section(text).settings(&CommonArgs::default(), Path::new("c.toml")).unwrap_err().to_string();
            assert!(error.contains(key) && error.contains(why), "{text}: {error}");
        }
        let error = toml::from_str::<super::super::ConfigFile>("[vault]\naddr = 'x'\nrots = []").unwrap_err().to_string();
        assert!(error.contains("line 3") && error.contains("rots"), "{error}");
    }
}
