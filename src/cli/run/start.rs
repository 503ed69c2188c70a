//! From settings to a running pipeline.

use crate::cluster::connect::ConnectOptions;
use crate::config::Config;
use crate::live::LiveOptions;
use crate::netpol::reach::Options;
use crate::posture::engine::EngineConfig;
use crate::vault::options::OptionError;
use crate::vault::{VaultOptions, validate_address, validate_token};

/// How to reach the cluster.
pub fn connect_options(config: &Config) -> ConnectOptions {
    ConnectOptions {
        kubeconfig: config.kubeconfig.clone(),
        context: config.context.clone(),
        page_size: config.page_size,
        secret_metadata: config.secret_metadata,
        ..ConnectOptions::default()
    }
}

/// Options of the pipeline from settings. A Vault setting that can't be used is an error that says why.
pub fn live_options(config: &Config) -> Result<LiveOptions, OptionError> {
    Ok(LiveOptions {
        connect: connect_options(config),
        vault: vault_options(config)?,
        engine: engine_config(config),
        ledger: config.ledger(),
    })
}

/// What the verdicts hang on besides the facts.
pub fn engine_config(config: &Config) -> EngineConfig {
    EngineConfig {
        rules: config.tenants.clone(),
        warn_permille: config.quota_permille.0,
        full_permille: config.quota_permille.1,
        reach: Options { profile: config.network.profile, places: config.network.places.clone(), ..Options::default() },
        network: config.network.granted.clone(),
        secrets: crate::vaultacl::reach::Options {
            dialect: config.vault.dialect,
            roots: config.vault.roots.clone(),
            shared: config.vault.shared.clone(),
        },
        ..EngineConfig::default()
    }
}

/// The token comes from the file named, else from `VAULT_TOKEN`, else from `~/.vault-token`.
fn vault_options(config: &Config) -> Result<VaultOptions, OptionError> {
    let vault = &config.vault;
    if let Some(addr) = &vault.addr {
        validate_address(addr)?;
    }
    let named = vault.token_file.clone();
    let given = match (&named, std::env::var("VAULT_TOKEN")) {
        (None, Ok(text)) => validate_token(&text, "VAULT_TOKEN")?,
        _ => None,
    };
    let options = VaultOptions {
        addr: vault.addr.clone(),
        token: given,
        token_file: named.or_else(|| etcetera::home_dir().ok().map(|home| home.join(".vault-token"))),
        namespace: vault.namespace.clone(),
        ca_cert: vault.ca_cert.clone(),
        poll: vault.poll,
    };
    options.checked_namespace()?;
    Ok(options)
}
