//! Finding and reading the kubeconfig.

use std::path::{Path, PathBuf};

use kube::Config;
use kube::config::{ExecInteractiveMode, KubeConfigOptions, Kubeconfig, KubeconfigError};
use secrecy::ExposeSecret;

use super::proxy;
use super::{ConnectError, ConnectOptions};
use crate::model::ids::Name;
use crate::model::text::clean;

/// What to call the context before anything is connected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContextName {
    /// The context's name, cleaned; empty when none could be told.
    pub name: Name,
    /// Whether it was asked for or read; false for a guess.
    pub known: bool,
}

/// The name of the context that would be used: by the option, or by a look at the file's `current-context` line without parsing the file.
/// Never fails; at worst the name is empty. Reads at most the files of `KUBECONFIG`.
pub fn describe(options: &ConnectOptions) -> ContextName {
    if let Some(context) = &options.context {
        return ContextName { name: clean(context).into(), known: true };
    }
    let found = files(options).iter().filter_map(|file| std::fs::read_to_string(file).ok()).find_map(|text| current_context(&text));
    let known = found.is_some();
    ContextName { name: found.map(|name| clean(&name)).unwrap_or_default().into(), known }
}

/// The value of the top-level `current-context`, in YAML or JSON. O(length).
fn current_context(text: &str) -> Option<String> {
    let value = text
        .lines()
        .find_map(|line| line.strip_prefix("current-context:").or_else(|| line.trim_start().strip_prefix("\"current-context\":")))?;
    let value = value.split(" #").next().unwrap_or_default();
    let name = value.trim().trim_end_matches([',', '}']).trim_matches(['"', '\'']);
    if name.is_empty() { None } else { Some(name.to_owned()) }
}

/// The files that would be read, in order of precedence.
fn files(options: &ConnectOptions) -> Vec<PathBuf> {
    if let Some(file) = &options.kubeconfig {
        return vec![file.clone()];
    }
    let listed: Vec<PathBuf> = std::env::var_os("KUBECONFIG")
        .map(|value| std::env::split_paths(&value).filter(|p| !p.as_os_str().is_empty()).collect())
        .unwrap_or_default();
    if listed.is_empty() { std::env::home_dir().map(|home| home.join(".kube").join("config")).into_iter().collect() } else { listed }
}

/// Reads the configuration for the context asked for, and tells the context's name.
pub(super) async fn load(options: &ConnectOptions) -> Result<(Config, Name), ConnectError> {
    let options = options.clone();
    let read = tokio::task::spawn_blocking(move || load_blocking(&options)).await;
    read.unwrap_or_else(|_stopped| {
        Err(ConnectError::Client { context: String::new(), why: "reading the kubeconfig was stopped".to_owned() })
    })
}

fn load_blocking(options: &ConnectOptions) -> Result<(Config, Name), ConnectError> {
    let paths = files(options);
    let shown = paths.iter().map(|p| clean(&p.display().to_string())).collect::<Vec<_>>().join(", ");
    let mut kubeconfig = match read_all(&paths) {
        Ok(kubeconfig) => kubeconfig,
        Err(error) => {
            let missing = matches!(&error, KubeconfigError::ReadConfig(io, _) if io.kind() == std::io::ErrorKind::NotFound);
            let asked_for = options.kubeconfig.is_some() || options.context.is_some() || std::env::var_os("KUBECONFIG").is_some();
            return match (missing && !asked_for, Config::incluster()) {
                (true, Ok(config)) => Ok((config, "in-cluster".into())),
                _ => Err(ConnectError::of_kubeconfig(&error, &shown, options.context.as_deref().unwrap_or_default())),
            };
        }
    };
    never_interactive(&mut kubeconfig);
    let context = chosen(&kubeconfig, options, &shown)?;
    let explicit_proxy = proxy_of(&kubeconfig, &context);
    let asked = KubeConfigOptions { context: Some(context.clone()), ..KubeConfigOptions::default() };
    let config = futures::executor::block_on(Config::from_custom_kubeconfig(kubeconfig, &asked));
    let mut config = config.map_err(|error| ConnectError::of_kubeconfig(&error, &shown, &clean(&context)))?;
    // kube panics on such a token
    let token = config.auth_info.token.as_ref().map(|token| http::HeaderValue::from_str(token.expose_secret()));
    if matches!(token, Some(Err(_))) {
        let why = format!("the token in {shown} holds a line break or another character that no request can carry");
        return Err(ConnectError::Credentials { context: clean(&context), why });
    }
    if config.cluster_url.host().is_none() {
        let why = "its server is no address such as https://host:6443".to_owned();
        return Err(ConnectError::BadContext { context: clean(&context), file: shown, why });
    }
    // kube compares NO_PROXY with the proxy's address instead of the server's
    config.proxy_url = proxy::choose(&config.cluster_url, explicit_proxy.as_deref(), &proxy::Environment::read());
    Ok((config, clean(&context).into()))
}

fn read_all(paths: &[PathBuf]) -> Result<Kubeconfig, KubeconfigError> {
    let mut merged: Option<Kubeconfig> = None;
    let mut missing = None;
    for path in paths {
        match read_one(path) {
            Ok(next) => {
                merged = Some(match merged {
                    Some(before) => before.merge(next)?,
                    None => next,
                });
            }
            // as kubectl does: of several files, those that are missing are passed over
            Err(KubeconfigError::ReadConfig(io, path)) if io.kind() == std::io::ErrorKind::NotFound => {
                missing = Some(KubeconfigError::ReadConfig(io, path));
            }
            Err(error) => return Err(error),
        }
    }
    merged.map_or_else(|| Err(missing.unwrap_or(KubeconfigError::FindPath)), Ok)
}

/// Refuses what is no regular file of a sane size before reading it: a device or pipe would hang.
fn read_one(path: &Path) -> Result<Kubeconfig, KubeconfigError> {
    let about = std::fs::metadata(path).map_err(|io| KubeconfigError::ReadConfig(io, path.into()))?;
    if about.is_dir() || about.len() > 64 << 20 {
        let io = std::io::Error::other("it is a folder, or longer than 64 MiB");
        return Err(KubeconfigError::ReadConfig(io, path.into()));
    }
    Kubeconfig::read_from(path)
}

/// A plugin must not inherit our terminal: it would eat keys and paint over the screen, and its error text would be lost.
fn never_interactive(kubeconfig: &mut Kubeconfig) {
    for user in kubeconfig.auth_infos.iter_mut().filter_map(|named| named.auth_info.as_mut()) {
        if let Some(exec) = &mut user.exec {
            exec.interactive_mode = Some(ExecInteractiveMode::Never);
        }
    }
}

/// The context to use; it exists.
fn chosen(kubeconfig: &Kubeconfig, options: &ConnectOptions, file: &str) -> Result<String, ConnectError> {
    let known = || {
        let names: Vec<String> = kubeconfig.contexts.iter().take(20).map(|named| clean(&named.name)).collect();
        if names.is_empty() { "none".to_owned() } else { names.join(", ") }
    };
    let current = kubeconfig.current_context.as_ref().filter(|name| !name.is_empty());
    let Some(name) = options.context.as_ref().or(current) else {
        return Err(ConnectError::NoCurrentContext { file: file.to_owned(), known: known() });
    };
    if kubeconfig.contexts.iter().any(|named| named.name == *name) {
        Ok(name.clone())
    } else {
        Err(ConnectError::UnknownContext { name: clean(name), file: file.to_owned(), known: known() })
    }
}

fn proxy_of(kubeconfig: &Kubeconfig, context: &str) -> Option<String> {
    let context = kubeconfig.contexts.iter().find(|named| named.name == context)?.context.as_ref()?;
    let cluster = kubeconfig.clusters.iter().find(|named| named.name == context.cluster)?.cluster.as_ref()?;
    cluster.proxy_url.clone().filter(|url| !url.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(text: &str, context: Option<&str>) -> (tempfile::TempDir, ConnectOptions) {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("config");
        std::fs::write(&file, text).unwrap();
        let options = ConnectOptions { kubeconfig: Some(file), context: context.map(str::to_owned), ..ConnectOptions::default() };
        (dir, options)
    }

    const GOOD: &str = "apiVersion: v1\nkind: Config\ncurrent-context: one\ncontexts:\n- name: one\n  context: {cluster: c, user: u}\nclusters:\n- name: c\n  cluster: {server: 'https://10.0.0.1:6443'}\nusers:\n- name: u\n  user:\n    exec: {apiVersion: client.authentication.k8s.io/v1, command: aws, interactiveMode: Always}\n";

    #[test]
    fn plugins_are_never_interactive() {
        let (_dir, options) = options(GOOD, None);
        let (config, context) = load_blocking(&options).unwrap();
        assert_eq!(context.as_ref(), "one");
        assert_eq!(config.auth_info.exec.unwrap().interactive_mode, Some(ExecInteractiveMode::Never));
    }

    #[test]
    fn every_failure_says_what_and_where() {
        let secret = "users: [{name: u, user: {token: canary-4711, x: [}}]";
        for (text, context, wanted) in [
            (GOOD, Some("two"), "there is no context \"two\""),
            (secret, None, "is malformed at line"),
            ("apiVersion: v1\nkind: Config\ncontexts: []\n", None, "names no current context"),
            ("current-context: a\ncontexts: [{name: a, context: {cluster: none, user: u}}]", None, "refers to a cluster \"none\""),
            (
                "current-context: a\ncontexts: [{name: a, context: {cluster: c, user: u}}]\nclusters: [{name: c, cluster: {server: ''}}]",
                None,
                "can't be used",
            ),
            (
                "current-context: a\ncontexts: [{name: a, context: {cluster: c, user: u}}]\nclusters: [{name: c, cluster: {server: 'https://h', certificate-authority: /nowhere/ca.crt}}]",
                None,
                "the certificate authority can't be used",
            ),
            (
                "current-context: a\ncontexts: [{name: a, context: {cluster: c, user: u}}]\nclusters: [{name: c, cluster: {server: 'https://h', certificate-authority-data: '!!'}}]",
                None,
                "the certificate authority can't be used",
            ),
        ] {
            let (_dir, options) = options(text, context);
            let said = load_blocking(&options).unwrap_err().to_string();
            assert!(said.contains(wanted), "{said}");
            assert!(said.contains("config"), "{said}");
            assert!(!said.contains("canary-4711"), "the file's text must not be repeated: {said}");
        }
    }

    #[test]
    fn a_missing_file_is_named() {
        let options = ConnectOptions { kubeconfig: Some("/nowhere/kube\u{1b}[2J".into()), ..ConnectOptions::default() };
        let said = load_blocking(&options).unwrap_err().to_string();
        assert!(said.starts_with("no kubeconfig: looked at /nowhere/kube\u{fffd}[2J"), "{said}");
    }

    #[test]
    fn the_context_is_known_without_parsing() {
        for (text, name) in
            [(GOOD, "one"), ("{\n  \"current-context\": \"two\",\n}", "two"), ("current-context: 'x y' # no\n", "x y"), ("", "")]
        {
            let (_dir, options) = options(text, None);
            assert_eq!(describe(&options).name.as_ref(), name);
        }
        let (_dir, options) = options("", Some("asked"));
        assert_eq!(describe(&options), ContextName { name: "asked".into(), known: true });
    }
}
