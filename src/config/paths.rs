//! XDG folders.

use std::path::PathBuf;

use etcetera::{AppStrategy, AppStrategyArgs, choose_app_strategy};

fn strategy() -> Option<impl AppStrategy> {
    let args = AppStrategyArgs { top_level_domain: String::new(), author: String::new(), app_name: "partywall".to_owned() };
    choose_app_strategy(args).ok()
}

/// Where the configuration file is looked for.
pub fn config_file() -> Option<PathBuf> {
    strategy().map(|s| s.in_config_dir("config.toml"))
}

/// Where this program may write what it keeps.
pub fn state_dir() -> Option<PathBuf> {
    strategy().and_then(|s| s.state_dir().or_else(|| Some(s.data_dir())))
}
