//! The binary: parses arguments, and reports errors the way people read them.

use std::process::ExitCode;

use clap::Parser;
use partywall::cli::args::Cli;

fn main() -> color_eyre::Result<ExitCode> {
    let cli = Cli::parse();
    color_eyre::config::HookBuilder::default().display_env_section(false).install()?;
    partywall::cli::run::run(cli)
}
