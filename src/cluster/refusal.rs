//! What the API server, or the way to it, says when it does not do what was asked.

use std::error::Error;
use std::fmt;

use serde::Deserialize;

use super::authority::classify;
use crate::model::event::Authority;
use crate::model::text::clean;

/// A request that was refused, or that never got an answer. Carries no body and no credential, so that it may be shown and logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiRefusal {
    /// Status code; 0 when there was no answer.
    pub code: u16,
    /// The Status' reason, such as `Forbidden`; for a missing answer `Unreachable`, `Timeout`, `Unreadable` or `NotPermitted`.
    pub reason: String,
    /// The server's own words, cleaned and cut; for a missing answer what went wrong on the way.
    pub message: String,
    /// Who refused, by those words.
    pub authority: Authority,
}

impl fmt::Display for ApiRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.message.is_empty() { &self.reason } else { &self.message })
    }
}

impl Error for ApiRefusal {}

/// The fields of a metav1.Status that matter, whatever their type.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Status {
    #[serde(deserialize_with = "text_or_nothing")]
    reason: String,
    #[serde(deserialize_with = "text_or_nothing")]
    message: String,
    #[serde(deserialize_with = "text_or_nothing")]
    kind: String,
}

fn text_or_nothing<'de, D: serde::Deserializer<'de>>(d: D) -> Result<String, D::Error> {
    serde_json::Value::deserialize(d).map(|value| value.as_str().unwrap_or_default().to_owned())
}

impl ApiRefusal {
    /// From a status code and the body that came with it: a Status, or anything else a proxy or gateway may say.
    pub fn from_answer(code: u16, body: &[u8]) -> Self {
        let status: Status = serde_json::from_slice(body).unwrap_or_default();
        if status.kind == "Status" {
            return Self {
                code,
                authority: classify(Some(code), &status.reason, &status.message),
                reason: clean(&status.reason),
                message: clean(&status.message),
            };
        }
        let words = String::from_utf8_lossy(body.get(..body.len().min(4096)).unwrap_or_default());
        let message = clean(words.trim());
        let message = if message.is_empty() { format!("the server answered {code} without a word") } else { message };
        Self { code, reason: http_reason(code), authority: classify(Some(code), "", &message), message }
    }

    /// There was no answer: why, in words.
    pub fn no_answer(reason: &str, message: impl Into<String>) -> Self {
        Self { code: 0, reason: reason.to_owned(), message: clean(&message.into()), authority: Authority::Unknown }
    }

    /// There was no answer, because of an error on the way.
    pub fn from_error(error: &(dyn Error + 'static)) -> Self {
        if let Some(kube::Error::Api(status)) = error.downcast_ref::<kube::Error>() {
            return Self {
                code: status.code,
                authority: classify(Some(status.code), &status.reason, &status.message),
                reason: clean(&status.reason),
                message: clean(&status.message),
            };
        }
        Self::no_answer("Unreachable", in_words(error))
    }

    /// Whether the server answered at all.
    pub const fn answered(&self) -> bool {
        self.code != 0
    }
}

fn http_reason(code: u16) -> String {
    http::StatusCode::from_u16(code).ok().and_then(|c| c.canonical_reason()).unwrap_or("Unknown").replace(' ', "")
}

/// What people recognise in an error's chain, and what it means for them.
const MEANINGS: [(&str, &str); 7] = [
    ("UnknownIssuer", "the server's certificate is not signed by the certificate authority in the kubeconfig"),
    ("NotValidForName", "the server's certificate is for another name (tls-server-name in the kubeconfig may help)"),
    ("Expired", "a certificate has expired"),
    ("CertificateRequired", "the server wants a client certificate"),
    ("InvalidContentType", "the server does not speak TLS there: is it http instead of https?"),
    ("failed to lookup address", "the server's name does not resolve"),
    ("received corrupt message", "the server does not speak TLS there: is it http instead of https?"),
];

/// An error's chain in one line: what it means where that is known, then its innermost words. Debug forms of kube's errors, which may hold
/// whole bodies or a plugin's output, are never used.
pub fn in_words(error: &(dyn Error + 'static)) -> String {
    let mut innermost = error.to_string();
    let mut all = innermost.clone();
    let mut next = error.source();
    let mut depth = 0;
    while let Some(source) = next {
        innermost = source.to_string();
        all.push_str(": ");
        all.push_str(&innermost);
        next = source.source();
        depth += 1;
        if depth > 16 {
            break;
        }
    }
    match MEANINGS.iter().find(|(words, _)| all.contains(words)) {
        Some((_, meaning)) => clean(&format!("{meaning} ({innermost})")),
        None => clean(&innermost),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_keeps_the_servers_words() {
        let body = br#"{"kind":"Status","status":"Failure","message":"pods \"big\" is forbidden: maximum memory usage per Container is 1Gi, but limit is 4Gi","reason":"Forbidden","code":403}"#;
        let refusal = ApiRefusal::from_answer(403, body);
        assert_eq!(refusal.authority, Authority::LimitRanger);
        assert_eq!(refusal.to_string(), "pods \"big\" is forbidden: maximum memory usage per Container is 1Gi, but limit is 4Gi");
    }

    #[test]
    fn an_answer_that_is_no_status_is_still_words_and_harmless() {
        for (body, said) in [
            (&b"<html>\x1b[2J502"[..], "<html>\u{fffd}[2J502"),
            (b"", "the server answered 502 without a word"),
            (b"{\"message\":[1],\"kind\":7}", "{\"message\":[1],\"kind\":7}"),
            (b"\xff\xfe", "\u{fffd}\u{fffd}"),
        ] {
            assert_eq!(ApiRefusal::from_answer(502, body).to_string(), said);
        }
        let odd = ApiRefusal::from_answer(500, br#"{"kind":"Status","message":{"a":1},"reason":null}"#);
        assert_eq!((odd.code, odd.message.as_str()), (500, ""));
    }

    #[test]
    fn a_transport_error_is_told_by_its_innermost_cause() {
        let io = std::io::Error::new(std::io::ErrorKind::ConnectionRefused, "Connection refused (os error 111)");
        let outer = kube::Error::Service(Box::new(io));
        let refusal = ApiRefusal::from_error(&outer);
        assert!(!refusal.answered());
        assert_eq!(refusal.message, "Connection refused (os error 111)");
    }
}
