//! What can go wrong with a Vault request, without the answer's body: a body may hold anything, and an error gets printed.

use std::fmt;
use std::time::Duration;

use rustify::errors::ClientError as RestError;
use serde::Deserialize;
use vaultrs::error::ClientError;

use crate::model::text::clean_to;

/// The longest error text kept, in characters.
const LONGEST_ERROR: usize = 256;

/// A request that did not succeed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaultError {
    /// HTTP status, if the server answered.
    pub status: Option<u16>,
    /// The first error text of Vault's answer, or ours where it gave none. Cleaned.
    pub first: String,
    /// What it means.
    pub kind: VaultErrorKind,
    /// Vault answered without any words, as it does where there is nothing.
    pub silent: bool,
    /// How long the server asks to be left alone.
    pub retry_after: Option<Duration>,
}

/// What a failed request means (`spec/vault.md` 2.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VaultErrorKind {
    /// 403: the ACL, an invalid token, a role's binding.
    Denied,
    /// Sealed, or not initialised.
    Sealed,
    /// 404: no such thing, which also means that we may look.
    NotFound,
    /// 429: a rate limit.
    RateLimited,
    /// Nobody answered, or not in time.
    Unreachable,
    /// Something answered that isn't Vault: a proxy, a login page.
    NotVault,
    /// Vault answered something we can't use.
    Malformed,
}

impl VaultErrorKind {
    /// As a word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::Sealed => "sealed",
            Self::NotFound => "not found",
            Self::RateLimited => "rate limited",
            Self::Unreachable => "unreachable",
            Self::NotVault => "not Vault",
            Self::Malformed => "malformed answer",
        }
    }
}

/// Statuses and what they mean when the body is Vault's own.
const BY_STATUS: [(u16, VaultErrorKind); 9] = [
    (400, VaultErrorKind::Malformed),
    (403, VaultErrorKind::Denied),
    (404, VaultErrorKind::NotFound),
    (405, VaultErrorKind::NotFound),
    (412, VaultErrorKind::Malformed),
    (429, VaultErrorKind::RateLimited),
    (500, VaultErrorKind::Malformed),
    (501, VaultErrorKind::Sealed),
    (503, VaultErrorKind::Sealed),
];

/// The only part of an answer's body that is looked at when a request fails, and of a probe's answer in any case.
#[derive(Deserialize)]
pub(super) struct Errors {
    /// `errors`.
    pub errors: Option<Vec<String>>,
    /// `request_id`, which Vault gives with every success.
    pub request_id: Option<String>,
}

impl VaultError {
    /// From a status and the body's bytes; nothing of the body but the first error text is kept.
    pub fn from_answer(status: u16, body: &[u8]) -> Self {
        match serde_json::from_slice::<Errors>(body) {
            Ok(Errors { errors: Some(errors), .. }) => Self::from_errors(status, errors.first().map(String::as_str)),
            // a KV v2 answer to a deleted version is JSON without `errors`
            Ok(_) if status == 404 => Self::from_errors(status, None),
            _ => Self::other(Some(status), format!("HTTP {status}, not in Vault's words"), VaultErrorKind::NotVault),
        }
    }

    /// From a status and the first of Vault's error texts.
    pub fn from_errors(status: u16, first: Option<&str>) -> Self {
        let kind = BY_STATUS.iter().find(|(s, _)| *s == status).map_or(VaultErrorKind::Malformed, |(_, kind)| *kind);
        Self { silent: first.is_none(), ..Self::other(Some(status), first.map_or_else(|| format!("HTTP {status}"), words), kind) }
    }

    const fn other(status: Option<u16>, first: String, kind: VaultErrorKind) -> Self {
        Self { status, first, kind, silent: false, retry_after: None }
    }

    /// Nobody answered.
    pub fn unreachable(why: &str) -> Self {
        Self::other(None, clean_to(why, LONGEST_ERROR), VaultErrorKind::Unreachable)
    }

    /// An answer we can't use.
    pub fn malformed(why: &str) -> Self {
        Self::other(None, clean_to(why, LONGEST_ERROR), VaultErrorKind::Malformed)
    }

    /// Something answered that isn't Vault.
    pub fn not_vault(status: u16, why: &str) -> Self {
        Self::other(Some(status), clean_to(why, LONGEST_ERROR), VaultErrorKind::NotVault)
    }

    /// With the time for which the server asks to be left alone.
    #[must_use]
    pub fn retry_after(self, time: Option<Duration>) -> Self {
        Self { retry_after: time, ..self }
    }

    /// From the client library's error, whose text may hold a whole body and is therefore never shown.
    pub fn from_library(error: &ClientError) -> Self {
        match error {
            ClientError::APIError { code, errors } => Self::from_errors(*code, errors.first().map(String::as_str)),
            ClientError::RestClientError { source } => match source {
                RestError::ServerResponseError { code, content } => Self::from_answer(*code, content.as_deref().unwrap_or("").as_bytes()),
                RestError::RequestError { source, .. } | RestError::ResponseError { source } => {
                    Self::unreachable(&source.downcast_ref::<reqwest::Error>().map_or_else(|| "request failed".to_owned(), transport))
                }
                _ => Self::malformed("an answer that is not Vault's JSON"),
            },
            ClientError::ResponseEmptyError | ClientError::ResponseDataEmptyError => Self::malformed("an empty answer"),
            _ => Self::malformed("the request could not be made"),
        }
    }

    /// From the HTTP library's error.
    pub fn from_transport(error: &reqwest::Error) -> Self {
        Self::unreachable(&transport(error))
    }
}

/// The reason a request got no answer, without the URL, from the innermost cause.
fn transport(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return if error.is_connect() { "no connection within 3 s".to_owned() } else { "no answer within 10 s".to_owned() };
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    clean_to(&cause.to_string(), LONGEST_ERROR)
}

/// Vault folds several errors into one text of several lines; what counts is the last bullet.
fn words(text: &str) -> String {
    let bullet = text.lines().map(str::trim).rfind(|line| line.starts_with("* "));
    clean_to(bullet.and_then(|line| line.strip_prefix("* ")).unwrap_or(text).trim(), LONGEST_ERROR)
}

impl fmt::Display for VaultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.status {
            Some(status) => write!(f, "{}: {} (HTTP {status})", self.kind.word(), self.first),
            None => write!(f, "{}: {}", self.kind.word(), self.first),
        }
    }
}

impl std::error::Error for VaultError {}

#[cfg(test)]
mod tests {
    use super::*;
    use VaultErrorKind as K;

    #[test]
    fn statuses_are_read_by_the_table() {
        let cases: [(u16, &str, K, &str); 12] = [
            (403, r#"{"errors":["1 error occurred:\n\t* permission denied\n\n"]}"#, K::Denied, "permission denied"),
            (403, r#"{"errors":["namespace not authorized"]}"#, K::Denied, "namespace not authorized"),
            (403, "<html>blocked by policy</html>", K::NotVault, "HTTP 403, not in Vault's words"),
            (404, r#"{"errors":[]}"#, K::NotFound, "HTTP 404"),
            (404, r#"{"data":{"data":null,"metadata":{}}}"#, K::NotFound, "HTTP 404"),
            (404, "404 page not found", K::NotVault, "HTTP 404, not in Vault's words"),
            (503, r#"{"errors":["Vault is sealed"]}"#, K::Sealed, "Vault is sealed"),
            (503, "upstream connect error", K::NotVault, "HTTP 503, not in Vault's words"),
            (429, r#"{"errors":["rate limit quota exceeded"]}"#, K::RateLimited, "rate limit quota exceeded"),
            (400, r#"{"errors":["invalid role name \"x\""]}"#, K::Malformed, "invalid role name \"x\""),
            (500, r#"{"errors":["internal error"]}"#, K::Malformed, "internal error"),
            (405, r#"{"errors":["unsupported operation"]}"#, K::NotFound, "unsupported operation"),
        ];
        for (status, body, kind, first) in cases {
            let error = VaultError::from_answer(status, body.as_bytes());
            assert_eq!((error.kind, error.first.as_str(), error.status), (kind, first, Some(status)), "{status} {body}");
        }
    }

    #[test]
    fn a_body_never_ends_up_in_an_error() {
        let canary = r#"{"data":{"password":"CANARY"}}"#;
        for status in [200, 403, 404, 500] {
            assert!(!format!("{:?}", VaultError::from_answer(status, canary.as_bytes())).contains("CANARY"));
        }
        let library = ClientError::RestClientError { source: RestError::ServerResponseError { code: 404, content: Some(canary.into()) } };
        assert!(!format!("{:?}", VaultError::from_library(&library)).contains("CANARY"));
    }
}
