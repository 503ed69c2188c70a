//! From a kubeconfig to a client: off the drawing path, never interactive, every failure in words that say what to do.

mod error;
mod kubeconfig;
mod proxy;

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use kube::{Client, Config};

pub use error::ConnectError;
pub use kubeconfig::{ContextName, describe};

use super::call::Call;
use crate::model::ids::{Name, fold};
use crate::model::snapshot::ServerFacts;
use crate::model::text::clean;

/// How long a connection may take to be made. Short: a dead server must become a state, not a wait.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Credentials are read anew at most this often.
const RENEW_EVERY: Duration = Duration::from_secs(30);

/// Where to connect, and how to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectOptions {
    /// This file only; none for `KUBECONFIG`, then `~/.kube/config`, then the pod's own service account.
    pub kubeconfig: Option<PathBuf>,
    /// This context; none for the file's current one.
    pub context: Option<String>,
    /// Objects per page of a list.
    pub page_size: u32,
    /// So many kinds make their first list at the same time: more is impolite to the server.
    pub lists_at_once: usize,
    /// Whether the metadata of Secrets that hold tokens or TLS keys is asked for. Whoever may list it may read their values too, although
    /// none is asked for. Metadata holds the annotations, and in one of them `kubectl apply` leaves a copy of what it was given: it travels, and
    /// is passed over unread.
    pub secret_metadata: bool,
}

impl Default for ConnectOptions {
    fn default() -> Self {
        Self { kubeconfig: None, context: None, page_size: 500, lists_at_once: 4, secret_metadata: false }
    }
}

/// Chooses the TLS provider. To be called once, before anything else; calling it again changes nothing. Two providers in one program, or none,
/// make rustls panic at the first handshake.
pub fn install_crypto() {
    // an error means that one is installed already, which is what we want
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// A handle on one cluster. Cheap to clone; all clones share connections.
///
/// Watches and single calls share one kube client with its retries off, because building a client runs an exec credential plugin three times.
/// The watcher's back-off and the calls' deadlines are ours.
#[derive(Clone)]
pub struct Cluster {
    inner: Arc<Inner>,
}

struct Inner {
    options: ConnectOptions,
    context: Name,
    server: Name,
    client: RwLock<Client>,
    renewed: tokio::sync::Mutex<Instant>,
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster").field("context", &self.inner.context).field("server", &self.inner.server).finish_non_exhaustive()
    }
}

impl Cluster {
    /// Reads the kubeconfig, runs a credential plugin if it names one, and builds the clients. Does not contact the server: whether it answers
    /// is a state of the sources, or the answer of [`Self::reach`]. Needs a tokio runtime.
    pub async fn connect(options: ConnectOptions) -> Result<Self, ConnectError> {
        install_crypto();
        let (config, context) = kubeconfig::load(&options).await?;
        let server = Name::from(clean(&config.cluster_url.to_string()));
        let client = build(config, context.clone()).await?;
        let renewed = tokio::sync::Mutex::new(Instant::now());
        Ok(Self { inner: Arc::new(Inner { options, context, server, client: RwLock::new(client), renewed }) })
    }

    /// The context's name, cleaned.
    pub fn context(&self) -> &Name {
        &self.inner.context
    }

    /// The server's address, cleaned.
    pub fn server(&self) -> &Name {
        &self.inner.server
    }

    /// How this cluster is read.
    pub fn options(&self) -> &ConnectOptions {
        &self.inner.options
    }

    /// The client, renewed first when the certificate a plugin issued has come to its end: kube refreshes tokens, but not certificates.
    pub(crate) async fn client(&self) -> Client {
        let client = self.current();
        let ends = client.valid_until().map(|until| crate::model::time::Time(until.as_millisecond()));
        match ends {
            Some(ends) if super::now().plus(crate::model::time::MINUTE) >= ends => {
                self.renew().await;
                self.current()
            }
            _ => client,
        }
    }

    fn current(&self) -> Client {
        self.inner.client.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the credentials anew and replaces the client, at most every [`RENEW_EVERY`]. A failure leaves the old client, whose refusals tell.
    pub(crate) async fn renew(&self) {
        let mut renewed = self.inner.renewed.lock().await;
        if renewed.elapsed() < RENEW_EVERY {
            return;
        }
        *renewed = Instant::now();
        let fresh = async {
            let (config, context) = kubeconfig::load(&self.inner.options).await?;
            build(config, context).await
        };
        match fresh.await {
            Ok(client) => *self.inner.client.write().unwrap_or_else(PoisonError::into_inner) = client,
            Err(error) => tracing::warn!(%error, "credentials could not be read anew"),
        }
    }

    /// Whether the server answers: one request, with words for every way it can fail. Any answer counts, a refusal too.
    pub async fn reach(&self) -> Result<(), ConnectError> {
        match self.call(Call::get("/version")).await {
            Err(refusal) if !refusal.answered() => Err(ConnectError::Unreachable {
                server: self.inner.server.to_string(),
                context: self.inner.context.to_string(),
                why: refusal.to_string(),
            }),
            _ => Ok(()),
        }
    }

    /// Version and identity of the server, as far as it tells. The identity is the uid of `kube-system`; where that may not be read, a digest
    /// of the server's address.
    pub async fn server_facts(&self) -> ServerFacts {
        let (version, namespace) =
            tokio::join!(self.call_json(Call::get("/version")), self.call_json(Call::get("/api/v1/namespaces/kube-system")));
        let text = |value: &serde_json::Value, key: &str| value.get(key).and_then(|v| v.as_str()).map(clean).unwrap_or_default();
        let version = version.unwrap_or_default();
        // an outage is no answer: the identity must not change when it ends
        if namespace.as_ref().is_err_and(|refusal| !refusal.answered() || refusal.code >= 429) {
            return ServerFacts { context: self.inner.context.clone(), ..ServerFacts::default() };
        }
        let uid = namespace.ok().and_then(|n| n.pointer("/metadata/uid").and_then(|uid| uid.as_str()).map(clean));
        ServerFacts {
            context: self.inner.context.clone(),
            version: text(&version, "gitVersion").into(),
            cluster_uid: uid.unwrap_or_else(|| format!("address-{:032x}", fold(&self.inner.server))).into(),
            simulated: text(&version, "platform") == "simulated",
        }
    }
}

async fn build(mut config: Config, context: Name) -> Result<Client, ConnectError> {
    config.default_retry = false;
    config.connect_timeout = Some(CONNECT_TIMEOUT);
    let agent = http::HeaderValue::from_static(concat!("partywall/", env!("CARGO_PKG_VERSION")));
    config.headers.push((http::header::USER_AGENT, agent));
    // building runs an exec credential plugin, which blocks
    let built = tokio::task::spawn_blocking(move || Client::try_from(config)).await;
    match built {
        Ok(Ok(client)) => Ok(client),
        Ok(Err(error)) => Err(ConnectError::of_client(&error, &context)),
        // kube panics on a plugin's token that no header can carry
        Err(_panicked) => Err(ConnectError::Client {
            context: context.to_string(),
            why: "the credentials can't be put into a request; is there a line break in a token?".to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With two TLS providers in the tree, or none chosen, this panics.
    #[tokio::test]
    async fn a_tls_client_can_be_built_in_isolation() {
        install_crypto();
        install_crypto();
        let config = Config::new("https://127.0.0.1:1".parse().unwrap());
        assert!(build(config, "test".into()).await.is_ok());
    }

    async fn refused(user: &str) -> String {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("config");
        let text = format!(
            "current-context: a\ncontexts: [{{name: a, context: {{cluster: c, user: u}}}}]\nclusters: [{{name: c, cluster: {{server: 'https://127.0.0.1:1'}}}}]\nusers:\n- name: u\n  user: {user}\n"
        );
        std::fs::write(&file, text).unwrap();
        let options = ConnectOptions { kubeconfig: Some(file), ..ConnectOptions::default() };
        let error = Cluster::connect(options).await.unwrap_err();
        assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
        error.to_string()
    }

    #[tokio::test]
    async fn a_plugin_that_fails_is_quoted_and_its_answer_is_not() {
        let plugin = |script: &str| {
            format!(
                "{{exec: {{apiVersion: client.authentication.k8s.io/v1, interactiveMode: Always, command: sh, args: ['-c', '{script}']}}}}"
            )
        };
        let said = refused(&plugin("echo canary-4711; echo please log in >&2; exit 3")).await;
        assert!(said.contains("context \"a\": no credentials: the credential plugin ended with exit code 3: please log in"), "{said}");
        let said = refused(&plugin("echo {canary-4711")).await;
        assert!(said.contains("the credential plugin's answer can't be read"), "{said}");
        let said =
            refused("{exec: {apiVersion: client.authentication.k8s.io/v1, command: /nowhere/canary}}".replace("canary", "plugin").as_str())
                .await;
        assert!(said.contains("could not be started"), "{said}");
    }

    #[tokio::test]
    async fn a_plugin_never_gets_our_terminal() {
        let script = "if [ -t 0 ] || [ -t 2 ]; then echo terminal >&2; else cat >/dev/null; echo none >&2; fi; exit 1";
        let user = format!(
            "{{exec: {{apiVersion: client.authentication.k8s.io/v1, interactiveMode: Always, command: sh, args: ['-c', '{script}']}}}}"
        );
        let said = tokio::time::timeout(Duration::from_secs(5), refused(&user)).await.unwrap();
        assert!(said.contains("exit code 1: none"), "{said}");
    }

    #[tokio::test]
    async fn a_token_with_a_newline_is_a_clear_message() {
        let said = refused("{token: \"canary-4711\\nx\"}").await;
        assert!(said.contains("no credentials"), "{said}");
    }
}
