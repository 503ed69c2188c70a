//! Settings: defaults, then the configuration file, then `PARTYWALL_*` variables and flags. Paths follow XDG.

pub mod file;
pub mod network;
pub mod paths;
pub mod vault;

use std::path::PathBuf;

use crate::cli::args::CommonArgs;
use crate::fix::guard::Mode;
use crate::model::tenant::TenantRules;

pub use file::{ConfigError, ConfigFile};
use network::NetworkConfig;
pub use vault::VaultConfig;

/// Everything that decides how this run behaves.
#[derive(Clone, Debug)]
pub struct Config {
    /// Kubeconfig named by flag or variable; none means the usual places.
    pub kubeconfig: Option<PathBuf>,
    /// Context named by flag, variable or file.
    pub context: Option<String>,
    /// Mode in force.
    pub mode: Mode,
    /// Whether the mode was chosen by somebody, rather than being the default.
    pub mode_chosen: bool,
    /// Theme named by somebody.
    pub theme: Option<String>,
    /// Only ASCII on screen.
    pub ascii: bool,
    /// Names are replaced by aliases on screen.
    pub redact: bool,
    /// Objects a page of a list.
    pub page_size: u32,
    /// Whether the metadata of Secrets is asked for: the permission to list them is one to read values, even though none is asked for.
    pub secret_metadata: bool,
    /// Vault.
    pub vault: VaultConfig,
    /// The network wall.
    pub network: NetworkConfig,
    /// Who is a tenant.
    pub tenants: TenantRules,
    /// Quota use in thousandths from which a tenant is under pressure, and from which it is about to be refused.
    pub quota_permille: (u32, u32),
    /// Folder for what this program writes: ledger, logs, screens.
    pub state: PathBuf,
    /// The file read, if there is one.
    pub file: Option<PathBuf>,
}

impl Config {
    /// Joins flags and variables (already joined by the argument parser) with the file and the defaults.
    pub fn load(args: &CommonArgs) -> Result<Self, ConfigError> {
        let path = args.config.clone().or_else(|| paths::config_file().filter(|path| path.exists()));
        let file = path.as_deref().map(ConfigFile::read).transpose()?.unwrap_or_default();
        Self::join(args, file, path)
    }

    fn join(args: &CommonArgs, file: ConfigFile, path: Option<PathBuf>) -> Result<Self, ConfigError> {
        let at = path.clone().unwrap_or_default();
        let mode = args.mode.or(file.mode(&at)?);
        let tenants = file.tenant_rules(&at)?;
        let vault = file.vault.settings(args, &at)?;
        let network = file.network.settings(&at, vault.addr.as_deref())?;
        Ok(Self {
            network: NetworkConfig { profile: args.network_profile.unwrap_or(network.profile), ..network },
            kubeconfig: args.kubeconfig.clone(),
            context: args.context.clone().or(file.context),
            mode: mode.unwrap_or_default(),
            mode_chosen: mode.is_some(),
            theme: args.theme.clone().or(file.theme),
            ascii: args.ascii || file.ascii.unwrap_or(false),
            redact: args.redact || file.redact.unwrap_or(false),
            page_size: args.page_size.or(file.page_size).unwrap_or(500).clamp(10, 5000),
            secret_metadata: args.secret_metadata || file.secret_metadata.unwrap_or(false),
            vault,
            tenants,
            quota_permille: (file.quota.warn_permille.unwrap_or(800), file.quota.full_permille.unwrap_or(950)),
            state: args.state_dir.clone().or(file.state_dir).or_else(paths::state_dir).ok_or(ConfigError::NoState)?,
            file: path,
        })
    }

    /// The ledger of receipts. The demo keeps a ledger of its own for each run.
    pub fn ledger(&self) -> PathBuf {
        self.state.join("receipts.jsonl")
    }
}
