//! From settings to a running pipeline.

use secrecy::SecretString;

use crate::cluster::connect::ConnectOptions;
use crate::config::Config;
use crate::live::LiveOptions;
use crate::posture::engine::EngineConfig;
use crate::vault::{VaultOptions, validate_address, validate_token};

/// Why the pipeline can't be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Vault's address is no address.
    #[error("{0}")]
    VaultAddress(String),
    /// The token is no token.
    #[error("the Vault token from {from} can't be used: {why}")]
    VaultToken {
        /// Where it came from.
        from: String,
        /// What is wrong with it, without quoting it.
        why: String,
    },
    /// The token file can't be read.
    #[error("the Vault token file {path} can't be read: {source}")]
    VaultTokenFile {
        /// Which file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
}

/// Options of the pipeline from settings. Reads the Vault token, and nothing else.
pub fn live_options(config: &Config) -> Result<LiveOptions, StartError> {
    Ok(LiveOptions {
        connect: ConnectOptions {
            kubeconfig: config.kubeconfig.clone(),
            context: config.context.clone(),
            page_size: config.page_size,
            ..ConnectOptions::default()
        },
        vault: vault_options(config)?,
        engine: EngineConfig {
            rules: config.tenants.clone(),
            warn_permille: config.quota_permille.0,
            full_permille: config.quota_permille.1,
            ..EngineConfig::default()
        },
        ledger: config.ledger(),
    })
}

fn vault_options(config: &Config) -> Result<VaultOptions, StartError> {
    let vault = &config.vault;
    let token = match &vault.addr {
        Some(addr) => {
            validate_address(addr).map_err(|why| StartError::VaultAddress(why.to_string()))?;
            token(config)?
        }
        None => None,
    };
    Ok(VaultOptions {
        addr: vault.addr.clone(),
        token,
        namespace: vault.namespace.clone(),
        ca_cert: vault.ca_cert.clone(),
        poll: vault.poll,
        ..VaultOptions::default()
    })
}

/// The token: from the file named, else `VAULT_TOKEN`, else `~/.vault-token`.
fn token(config: &Config) -> Result<Option<SecretString>, StartError> {
    let check = |text: String, from: String| match validate_token(&text) {
        Ok(token) => Ok(Some(token)),
        Err(why) => Err(StartError::VaultToken { from, why: why.to_string() }),
    };
    if let Some(path) = &config.vault.token_file {
        let shown = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|source| StartError::VaultTokenFile { path: shown.clone(), source })?;
        return check(text, shown);
    }
    if let Ok(text) = std::env::var("VAULT_TOKEN") {
        return check(text, "VAULT_TOKEN".to_owned());
    }
    let home = etcetera::home_dir().ok().map(|home| home.join(".vault-token"));
    match home.map(|path| (std::fs::read_to_string(&path), path)) {
        Some((Ok(text), path)) => check(text, path.display().to_string()),
        _ => Ok(None),
    }
}
