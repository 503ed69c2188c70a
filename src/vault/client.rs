//! One HTTP client for Vault: no redirects (the token header would follow to another host), short timeouts, no proxy for loopback.

use std::time::Duration;

use reqwest::{Method, Url};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use vaultrs::api::EndpointMiddleware;
use vaultrs::client::{VaultClient, VaultClientSettings};

use super::error::{Errors, VaultError};
use super::options::{OptionError, VaultOptions, file_error};

/// Longest time to connect.
const CONNECT: Duration = Duration::from_secs(3);
/// Longest time for a whole request.
const TOTAL: Duration = Duration::from_secs(10);
/// Largest answer that is read when polling, in bytes: a list of 100,000 entities has 25 MB.
const LARGEST: usize = 32 * 1024 * 1024;
/// Longest time that a server may ask to be left alone.
const LONGEST_WAIT: Duration = Duration::from_secs(300);
/// Largest part of a probe's answer that is looked at for `errors`, in bytes.
const LARGEST_PROBE: usize = 64 * 1024;

/// A client for one server and one token.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: Url,
    namespace: Option<String>,
    token: Option<SecretString>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("base", &self.base.as_str()).field("token", &self.token.is_some()).finish_non_exhaustive()
    }
}

/// What a probe may know of an answer: never its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// HTTP status.
    pub status: u16,
    /// Vault's first error text, or that there is none. Cleaned.
    pub said: String,
    /// Whether the body was in Vault's own form.
    pub vaults: bool,
    /// `request_id`, where it could be read without reading data.
    pub request_id: Option<String>,
}

impl Client {
    /// A client for a server, without a token. None when no server is configured.
    pub fn new(options: &VaultOptions) -> Result<Option<Self>, OptionError> {
        let Some(base) = options.address()? else { return Ok(None) };
        // the library panics without one; whoever installed one before us keeps it
        drop(rustls::crypto::ring::default_provider().install_default());
        let mut builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT)
            .timeout(TOTAL)
            .pool_idle_timeout(Duration::from_secs(30))
            .user_agent(concat!("partywall/", env!("CARGO_PKG_VERSION")));
        if is_loopback(&base) {
            builder = builder.no_proxy();
        }
        if base.scheme() == "http" {
            // without this the certificates of the system are loaded for nothing
            builder = builder.tls_certs_only(Vec::new());
        } else if let Some(path) = &options.ca_cert {
            let pem = std::fs::read(path).map_err(|error| file_error("Vault CA file", path, &error))?;
            let broken = || file_error("Vault CA file", path, &std::io::Error::other("holds no PEM certificate"));
            let certificates = reqwest::Certificate::from_pem_bundle(&pem).ok().filter(|list| !list.is_empty()).ok_or_else(broken)?;
            builder = builder.tls_certs_only(certificates);
        }
        let http = builder.build().map_err(|error| OptionError::File {
            what: "Vault client for",
            path: base.as_str().to_owned(),
            why: VaultError::from_transport(&error).first,
        })?;
        Ok(Some(Self { http, base, namespace: options.checked_namespace()?, token: None }))
    }

    /// The same client with another token.
    #[must_use]
    pub fn with_token(&self, token: Option<SecretString>) -> Self {
        Self { token, ..self.clone() }
    }

    /// Address for display: scheme, host, port.
    pub fn address(&self) -> String {
        self.base.as_str().trim_end_matches('/').to_owned()
    }

    /// Namespace header in use.
    pub fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref()
    }

    /// Whether requests carry a token.
    pub const fn has_token(&self) -> bool {
        self.token.is_some()
    }

    /// The library's client over the same connections.
    pub fn library(&self) -> VaultClient {
        let token = self.token.as_ref().map_or("", |token| token.expose_secret()).to_owned();
        VaultClient {
            http: rustify::clients::reqwest::Client::new(self.base.as_str(), self.http.clone()),
            middle: EndpointMiddleware { token: token.clone(), version: "v1".to_owned(), wrap: None, namespace: self.namespace.clone() },
            settings: VaultClientSettings {
                address: self.base.clone(),
                ca_certs: Vec::new(),
                identity: None,
                timeout: Some(TOTAL),
                token,
                verify: true,
                version: 1,
                wrapping: false,
                namespace: self.namespace.clone(),
                proxy: None,
            },
        }
    }

    /// The URL of a path below `/v1/`. A part that is `.` or `..` would vanish silently, so it is refused.
    fn url(&self, path: &str, query: &[(&str, &str)]) -> Result<Url, VaultError> {
        if path.split('/').any(|part| matches!(part, "." | "..")) {
            return Err(VaultError::malformed("a name that can't be part of a path"));
        }
        let mut url = self.base.clone();
        if let Ok(mut parts) = url.path_segments_mut() {
            parts.clear().push("v1").extend(path.split('/'));
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(url)
    }

    fn request(&self, method: Method, url: Url) -> reqwest::RequestBuilder {
        let mut request = self.http.request(method, url).header("X-Vault-Request", "true");
        if let Some(namespace) = &self.namespace {
            request = request.header("X-Vault-Namespace", namespace);
        }
        if let Some(token) = &self.token
            && let Ok(mut value) = reqwest::header::HeaderValue::from_str(token.expose_secret())
        {
            value.set_sensitive(true);
            request = request.header("X-Vault-Token", value);
        }
        request
    }

    /// GET of a path; the whole answer as JSON.
    pub async fn get(&self, path: &str) -> Result<Value, VaultError> {
        json(self.request(Method::GET, self.url(path, &[])?)).await
    }

    /// LIST of a path; the whole answer as JSON.
    pub async fn list(&self, path: &str) -> Result<Value, VaultError> {
        json(self.request(list_method()?, self.url(path, &[])?)).await
    }

    /// POST of a JSON body to a path; the whole answer as JSON.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value, VaultError> {
        json(self.request(Method::POST, self.url(path, &[])?).json(body)).await
    }

    /// GET without token and without namespace, which `sys/health` and `sys/seal-status` demand; status and body whatever the status.
    pub async fn open(&self, path: &str, query: &[(&str, &str)]) -> Result<(u16, Value), VaultError> {
        let answer = self.http.get(self.url(path, query)?).send().await.map_err(|error| VaultError::from_transport(&error))?;
        let status = answer.status().as_u16();
        let body = capped(answer, LARGEST_PROBE).await?;
        match serde_json::from_slice::<Value>(&body) {
            Ok(value @ Value::Object(_)) => Ok((status, value)),
            _ => Err(VaultError::from_answer(status, &body)),
        }
    }

    /// GET of a path for its status alone. A successful answer's body is never read; of any other only `errors` and `request_id`.
    pub async fn knock(&self, path: &str, query: &[(&str, &str)]) -> Result<Verdict, VaultError> {
        self.knock_by(Method::GET, path, query).await
    }

    /// LIST of a path for its status alone. As [`Client::knock`].
    pub async fn knock_list(&self, path: &str) -> Result<Verdict, VaultError> {
        self.knock_by(list_method()?, path, &[]).await
    }

    async fn knock_by(&self, method: Method, path: &str, query: &[(&str, &str)]) -> Result<Verdict, VaultError> {
        let answer = self.request(method, self.url(path, query)?).send().await.map_err(|error| VaultError::from_transport(&error))?;
        let status = answer.status().as_u16();
        if answer.status().is_success() {
            return Ok(Verdict { status, said: "answered; its body was not read".to_owned(), vaults: true, request_id: None });
        }
        let body = capped(answer, LARGEST_PROBE).await?;
        let parsed = serde_json::from_slice::<Errors>(&body).ok();
        let error = VaultError::from_answer(status, &body);
        let vaults = error.kind != super::VaultErrorKind::NotVault;
        let request_id = parsed.and_then(|p| p.request_id).map(|id| crate::model::text::clean_to(&id, 64));
        Ok(Verdict { status, said: error.first, vaults, request_id })
    }
}

/// Vault's own method; proxies that know no such method can be met with `?list=true`, but those are rare.
fn list_method() -> Result<Method, VaultError> {
    Method::from_bytes(b"LIST").map_err(|_never| VaultError::malformed("LIST is no method"))
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or("").trim_matches(['[', ']']);
    host.eq_ignore_ascii_case("localhost") || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// How long the server asks to be left alone, as far as that is believed.
fn retry_after(answer: &reqwest::Response) -> Option<Duration> {
    let seconds = answer.headers().get(reqwest::header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(LONGEST_WAIT))
}

async fn json(request: reqwest::RequestBuilder) -> Result<Value, VaultError> {
    let answer = request.send().await.map_err(|error| VaultError::from_transport(&error))?;
    let status = answer.status().as_u16();
    let success = answer.status().is_success();
    let wait = retry_after(&answer);
    let body = capped(answer, LARGEST).await?;
    if !success {
        return Err(VaultError::from_answer(status, &body).retry_after(wait));
    }
    if body.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(&body).map_err(|_e| VaultError::not_vault(status, "an answer that is not JSON"))
}

async fn capped(mut answer: reqwest::Response, limit: usize) -> Result<Vec<u8>, VaultError> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| VaultError::from_transport(&error))? {
        if body.len() + chunk.len() > limit {
            return Err(VaultError::malformed("an answer too large to be read"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
