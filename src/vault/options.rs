//! Where Vault is and who we are there. Everything is checked here, because the libraries below panic or go astray on what is wrong.

use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};

use crate::model::text::clean_to;

/// The default time between two readings.
pub const DEFAULT_POLL: Duration = Duration::from_secs(15);
/// A token file larger than this is none.
const LARGEST_TOKEN: usize = 64 * 1024;

/// How to reach Vault.
#[derive(Clone, Debug)]
pub struct VaultOptions {
    /// Address: scheme, host, port. None means that there is no Vault.
    pub addr: Option<String>,
    /// Our token. None means that only the server's health can be read, unless `token_file` names one.
    pub token: Option<SecretString>,
    /// A file that holds the token; read again before every round, because agents rotate it. Only asked when `token` is none.
    pub token_file: Option<PathBuf>,
    /// Vault namespace; none for the root.
    pub namespace: Option<String>,
    /// A PEM file with the authorities to trust instead of the system's.
    pub ca_cert: Option<PathBuf>,
    /// Time between two readings.
    pub poll: Duration,
}

impl Default for VaultOptions {
    fn default() -> Self {
        Self { addr: None, token: None, token_file: None, namespace: None, ca_cert: None, poll: DEFAULT_POLL }
    }
}

/// What is wrong with an option. Never holds the token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OptionError {
    /// The address can't be used.
    #[error("Vault address {shown}: {why}")]
    Address {
        /// The address, cleaned and without credentials.
        shown: String,
        /// What is wrong.
        why: &'static str,
    },
    /// The token can't be used.
    #[error("Vault token from {source_name}: {why}")]
    Token {
        /// Where it came from.
        source_name: String,
        /// What is wrong.
        why: &'static str,
    },
    /// A file can't be used.
    #[error("{what} {path}: {why}")]
    File {
        /// What it was to hold.
        what: &'static str,
        /// Which file, cleaned.
        path: String,
        /// What is wrong.
        why: String,
    },
    /// The namespace can't be used.
    #[error("Vault namespace: {0}")]
    Namespace(&'static str),
}

/// Checks an address: `http` or `https`, a host, nothing behind the port. A path would end up inside every request's path, credentials would
/// end up in logs.
pub fn validate_address(text: &str) -> Result<Url, OptionError> {
    let text = text.trim();
    let refuse = |why| Err(OptionError::Address { shown: shown(text), why });
    if text.is_empty() {
        return refuse("is empty");
    }
    if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return refuse("holds a blank or a control character");
    }
    let Some((scheme, _)) = text.split_once("://") else {
        return refuse("has no scheme: write https://host:8200");
    };
    if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
        return refuse("has a scheme that is neither http nor https");
    }
    let Ok(url) = Url::parse(text) else { return refuse("is not a URL such as https://host:8200") };
    if !url.username().is_empty() || url.password().is_some() {
        return refuse("holds credentials: take them out, Vault knows tokens only");
    }
    if url.host_str().is_none_or(str::is_empty) {
        return refuse("names no host");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return refuse("has a query or a fragment: only scheme, host and port belong there");
    }
    if !matches!(url.path(), "" | "/") {
        return refuse("has a path: only scheme, host and port belong there; a server behind a path can't be used");
    }
    Ok(url)
}

/// The address for a message, without what may be a password.
fn shown(text: &str) -> String {
    let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
    let (authority, tail) = rest.find(['/', '?', '#']).and_then(|at| rest.split_at_checked(at)).unwrap_or((rest, ""));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let tail = tail.split(['?', '#']).next().unwrap_or("");
    let glue = if scheme.is_empty() { "" } else { "://" };
    format!("\"{}\"", clean_to(&format!("{scheme}{glue}{host}{tail}"), 120))
}

/// Trims a token and checks that it can be sent. `source_name` names where it came from, for the message. An empty one is none.
pub fn validate_token(text: &str, source_name: &str) -> Result<Option<SecretString>, OptionError> {
    let token = text.trim();
    if token.is_empty() {
        return Ok(None);
    }
    let refuse = |why| Err(OptionError::Token { source_name: clean_to(source_name, 120), why });
    if token.contains(['\n', '\r']) {
        return refuse("has a line break inside: expected one token on one line");
    }
    if token.chars().any(char::is_whitespace) {
        return refuse("has a blank inside: expected a token and nothing else");
    }
    if !token.chars().all(|c| c.is_ascii_graphic()) {
        return refuse("holds a character that can't be sent in an HTTP header");
    }
    Ok(Some(SecretString::from(token)))
}

impl VaultOptions {
    /// The address, checked; none when no server is configured.
    pub fn address(&self) -> Result<Option<Url>, OptionError> {
        self.addr.as_deref().filter(|text| !text.trim().is_empty()).map(validate_address).transpose()
    }

    /// The token as of now: the one given, or what the file holds.
    pub fn current_token(&self) -> Result<Option<SecretString>, OptionError> {
        if let Some(token) = &self.token {
            return validate_token(token.expose_secret(), "the configuration");
        }
        let Some(path) = &self.token_file else { return Ok(None) };
        match read_capped(path) {
            Ok(text) => validate_token(&text, &path.display().to_string()),
            // ~/.vault-token need not exist
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(file_error("Vault token file", path, &error)),
        }
    }

    /// The namespace header, checked; none for the root.
    pub fn checked_namespace(&self) -> Result<Option<String>, OptionError> {
        let Some(text) = self.namespace.as_deref().map(|text| text.trim().trim_matches('/')).filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        if text.chars().all(|c| c.is_ascii_graphic()) {
            Ok(Some(text.to_owned()))
        } else {
            Err(OptionError::Namespace("holds a character that can't be sent in an HTTP header"))
        }
    }
}

pub(super) fn file_error(what: &'static str, path: &Path, error: &std::io::Error) -> OptionError {
    OptionError::File { what, path: clean_to(&path.display().to_string(), 200), why: clean_to(&error.to_string(), 120) }
}

fn read_capped(path: &Path) -> std::io::Result<String> {
    use std::io::Read as _;
    let mut text = String::new();
    std::fs::File::open(path)?.take(LARGEST_TOKEN as u64).read_to_string(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_would_go_astray_is_refused_with_the_reason() {
        for (text, why) in [
            ("https://vault.example/vault", "has a path"),
            ("https://vault.example:8200/v1/", "has a path"),
            ("vault.example:8200", "no scheme"),
            ("127.0.0.1:8200", "no scheme"),
            ("", "is empty"),
            ("ftp://vault.example", "neither http nor https"),
            ("https://user:hunter2@vault.example", "credentials"),
            ("https://vault.example?x=1", "a query"),
            ("https://vault.example\n:8200", "a control character"),
            ("https://", "is not a URL"),
            ("https://:8200", "is not a URL"),
            ("https://vault.example:99999", "is not a URL"),
        ] {
            let error = validate_address(text).expect_err(text).to_string();
            assert!(error.contains(why), "{text:?}: {error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
        for text in ["https://vault.example", "https://vault.example/", " http://127.0.0.1:8200 ", "HTTPS://[::1]:8200"] {
            assert!(validate_address(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn a_token_is_trimmed_and_checked_and_never_shown() {
        let good = validate_token("hvs.abc\n", "VAULT_TOKEN").unwrap().unwrap();
        assert_eq!(good.expose_secret(), "hvs.abc");
        assert!(validate_token(" \n", "VAULT_TOKEN").unwrap().is_none());
        for text in ["hvs.CANARY\nhvs.second", "hvs. CANARY", "hvs.CANARY\u{1b}[0m", "hvs.CANARY\u{e4}", "CANARY\0"] {
            let error = validate_token(text, "the file /x/token").expect_err(text).to_string();
            assert!(error.contains("/x/token") && !error.contains("CANARY"), "{error}");
        }
    }

    #[test]
    fn a_token_file_is_read_when_no_token_is_given() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let options = VaultOptions { token_file: Some(path.clone()), ..VaultOptions::default() };
        assert!(options.current_token().unwrap().is_none(), "a file that isn't there is no token");
        std::fs::write(&path, "s.one\n").unwrap();
        assert_eq!(options.current_token().unwrap().unwrap().expose_secret(), "s.one");
        std::fs::write(&path, "s.one\ns.two\n").unwrap();
        assert!(options.current_token().is_err());
    }
}
