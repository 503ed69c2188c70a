//! Why there is no client, and what to do about it.

use kube::config::KubeconfigError;

use super::super::refusal::in_words;
use crate::model::text::clean;

/// Why a cluster could not be connected to. Every text says what failed, where, why, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// There is no kubeconfig.
    #[error("no kubeconfig: looked at {looked}. Name one with --kubeconfig or KUBECONFIG, or try `partywall demo`")]
    NoFile {
        /// Where it was looked for.
        looked: String,
    },
    /// The kubeconfig can't be read.
    #[error("can't read the kubeconfig {file}: {why}. Check the path and its permissions")]
    Unreadable {
        /// Which file.
        file: String,
        /// Why.
        why: String,
    },
    /// The kubeconfig is no kubeconfig. Its text is never repeated, since it may hold credentials.
    #[error("the kubeconfig {file} is malformed{at}. Mend it, or name another with --kubeconfig")]
    Malformed {
        /// Which file.
        file: String,
        /// Where in it, in words with a leading blank, or empty.
        at: String,
    },
    /// No current context, and none asked for.
    #[error("the kubeconfig {file} names no current context. Choose one with --context: {known}")]
    NoCurrentContext {
        /// Which file.
        file: String,
        /// The contexts there are.
        known: String,
    },
    /// A context that is not there.
    #[error("there is no context {name:?} in {file}. Known contexts: {known}")]
    UnknownContext {
        /// Asked for.
        name: String,
        /// Which file.
        file: String,
        /// The contexts there are.
        known: String,
    },
    /// A context whose parts are missing or make no sense.
    #[error("context {context:?} in {file} can't be used: {why}. Mend it, or choose another with --context")]
    BadContext {
        /// Which context.
        context: String,
        /// Which file.
        file: String,
        /// What is wrong.
        why: String,
    },
    /// A certificate or key that can't be read.
    #[error("context {context:?}: {what} can't be used: {why}. Check the file or data the kubeconfig {file} names for it")]
    BadCertificate {
        /// Which context.
        context: String,
        /// Which file.
        file: String,
        /// Certificate authority, client certificate or client key.
        what: &'static str,
        /// What is wrong.
        why: String,
    },
    /// Credentials could not be had: a plugin that fails, a token file that is missing.
    #[error("context {context:?}: no credentials: {why}. Log in with the tool the kubeconfig names for it, then try again")]
    Credentials {
        /// Which context.
        context: String,
        /// Why.
        why: String,
    },
    /// The client can't be built.
    #[error("context {context:?}: can't set up the connection: {why}")]
    Client {
        /// Which context.
        context: String,
        /// Why.
        why: String,
    },
    /// The server does not answer.
    #[error("{server} (context {context:?}) does not answer: {why}. Check the network, the VPN and the address in the kubeconfig")]
    Unreachable {
        /// The server's address.
        server: String,
        /// Which context.
        context: String,
        /// Why.
        why: String,
    },
}

impl ConnectError {
    /// From kube's error about a kubeconfig, with the file and context it is about.
    pub(super) fn of_kubeconfig(error: &KubeconfigError, file: &str, context: &str) -> Self {
        let (file, context) = (file.to_owned(), context.to_owned());
        let bad = |what, why: &(dyn std::error::Error + 'static)| Self::BadCertificate {
            context: context.clone(),
            file: file.clone(),
            what,
            why: in_words(why),
        };
        match error {
            KubeconfigError::FindPath => Self::NoFile { looked: file },
            KubeconfigError::ReadConfig(io, path) if io.kind() == std::io::ErrorKind::NotFound => {
                Self::NoFile { looked: clean(&path.display().to_string()) }
            }
            KubeconfigError::ReadConfig(io, path) => {
                Self::Unreadable { file: clean(&path.display().to_string()), why: clean(&io.to_string()) }
            }
            // the parser's own words quote the file
            KubeconfigError::Parse(parse) => {
                let at = parse.location().map(|at| format!(" at line {}, column {}", at.line(), at.column())).unwrap_or_default();
                Self::Malformed { file, at }
            }
            KubeconfigError::KindMismatch | KubeconfigError::ApiVersionMismatch => {
                Self::Malformed { file, at: ": its files don't agree on kind or apiVersion".to_owned() }
            }
            KubeconfigError::LoadClusterOfContext(cluster) => {
                Self::BadContext { context, file, why: clean(&format!("it refers to a cluster {cluster:?} that is not there")) }
            }
            KubeconfigError::LoadCertificateAuthority(why) => bad("the certificate authority", why),
            KubeconfigError::ParseCertificates(why) => bad("the certificate authority", why),
            KubeconfigError::LoadClientCertificate(why) => bad("the client certificate", why),
            KubeconfigError::LoadClientKey(why) => bad("the client key", why),
            other => Self::BadContext { context, file, why: in_words(other) },
        }
    }

    /// From kube's error about building a client.
    pub(super) fn of_client(error: &kube::Error, context: &str) -> Self {
        let context = context.to_owned();
        match error {
            kube::Error::Auth(auth) => Self::Credentials { context, why: plugin_words(auth) },
            kube::Error::RustlsTls(tls) => {
                Self::BadCertificate { context, file: "of this context".to_owned(), what: "its certificates", why: in_words(tls) }
            }
            kube::Error::InferKubeconfig(config) => Self::of_kubeconfig(config, "of this context", &context),
            other => Self::Client { context, why: in_words(other) },
        }
    }
}

/// What a credential plugin said on its error channel, never what it printed as its answer, and never the command's environment.
fn plugin_words(error: &kube::client::AuthError) -> String {
    match error {
        kube::client::AuthError::AuthExecRun { out, .. } => {
            let said = String::from_utf8_lossy(out.stderr.get(..out.stderr.len().min(2048)).unwrap_or_default());
            let said = said.trim();
            let code = out.status.code().map_or_else(|| "a signal".to_owned(), |code| format!("exit code {code}"));
            if said.is_empty() {
                format!("the credential plugin ended with {code}")
            } else {
                clean(&format!("the credential plugin ended with {code}: {said}"))
            }
        }
        kube::client::AuthError::AuthExecStart(io) => clean(&format!("the credential plugin could not be started: {io}")),
        kube::client::AuthError::AuthExecParse(_) => "the credential plugin's answer can't be read".to_owned(),
        other => in_words(other),
    }
}
