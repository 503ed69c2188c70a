//! The commands: each looks, prints and ends. The dashboard is in `term`.

mod check;
mod dashboard;
mod doctor;
mod fix;
mod manifests;
mod probe;
mod reach;
mod receipts;
mod shots;
mod sources;
mod start;
mod vault_eval;

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use clap::CommandFactory;
use color_eyre::eyre::{Result, WrapErr};

use super::args::{Cli, Command, Output};
use crate::config::Config;
use crate::live::Live;
use crate::report;

pub(crate) use start::{connect_options, live_options};

/// Exit code: findings at or above the threshold, a breach, a broken chain.
pub const FOUND: u8 = 1;
/// Exit code: wrong arguments or settings.
pub const USAGE: u8 = 2;
/// Exit code: could not look.
pub const BLIND: u8 = 3;

/// Carries out what was asked.
pub fn run(cli: Cli) -> Result<ExitCode> {
    match &cli.command {
        Some(Command::Completions { shell }) => {
            clap_complete::generate(*shell, &mut Cli::command(), "partywall", &mut std::io::stdout());
            return Ok(ExitCode::SUCCESS);
        }
        Some(Command::Man) => {
            clap_mangen::Man::new(Cli::command()).render(&mut std::io::stdout())?;
            return Ok(ExitCode::SUCCESS);
        }
        Some(Command::Screenshot(args)) => return shots::run(args),
        Some(Command::VaultEval(args)) => return vault_eval::run(args),
        _ => {}
    }
    let config = match Config::load(&cli.common) {
        Ok(config) => config,
        Err(error) => return complain(&error, USAGE),
    };
    match cli.command {
        None => dashboard::run(&config),
        Some(Command::Demo(args)) => dashboard::demo(config, &args),
        Some(Command::Receipts(args)) => receipts::run(&config, &args),
        Some(Command::Check(args)) if !args.from.files.is_empty() => check::files(&config, &args),
        Some(Command::Reach(args)) if !args.from.files.is_empty() => reach::files(&config, &args),
        Some(command) => look(&config, command),
    }
}

/// Commands that need the servers.
fn look(config: &Config, command: Command) -> Result<ExitCode> {
    let _log = crate::telemetry::start(&config.state);
    crate::cluster::connect::install_crypto();
    runtime()?.block_on(async {
        match command {
            Command::Status(args) => status(config, args.output, args.timeout).await,
            Command::Check(args) => check::live(config, &args).await,
            Command::Reach(args) => reach::live(config, &args).await,
            Command::Probe(args) => probe::run(config, &args).await,
            Command::Fix(args) => fix::run(config, &args).await,
            Command::Doctor(args) => doctor::run(config, &args).await,
            _ => Ok(ExitCode::SUCCESS),
        }
    })
}

/// Unoptimised builds need more than the usual 2 MiB for the frames of nested futures; untouched pages cost nothing.
const STACK: usize = 8 << 20;

/// The runtime of every command. One worker besides the thread that draws: the work is a few per cent of a core once the lists are read, and
/// each more worker costs memory, because the allocator gives it an arena of its own (8 MB at 1,000 tenants).
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_stack_size(STACK)
        .enable_all()
        .build()
        .wrap_err("the runtime could not be started")
}

/// Starts the pipeline and waits for what it can see. None when nothing at all could be seen: the reason has been printed.
pub(crate) async fn settled(config: &Config, seconds: u64) -> Result<Option<Live>> {
    let options = match live_options(config) {
        Ok(options) => options,
        Err(error) => {
            complain(&error, BLIND)?;
            return Ok(None);
        }
    };
    let mut live = Live::start(options);
    let complete = live.settled(Duration::from_secs(seconds)).await;
    for text in live.said() {
        complain(&text, 0)?;
    }
    let view = live.views.borrow().clone();
    if !sources::any_seen(&view) {
        complain(&sources::why_blind(&view, complete, seconds), BLIND)?;
        return Ok(None);
    }
    if !complete {
        complain(&format!("after {seconds} s some sources had not answered: {}", sources::still_out(&view)), BLIND)?;
    }
    Ok(Some(live))
}

async fn status(config: &Config, output: Output, seconds: u64) -> Result<ExitCode> {
    let Some(live) = settled(config, seconds).await? else { return Ok(ExitCode::from(BLIND)) };
    let view = live.views.borrow().clone();
    match output {
        Output::Json => print_json(&report::status::json(&view))?,
        Output::Table => print(&report::status::table(&view, crate::live::now()))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints to stdout; a reader that went away (`| head`) is no error.
pub(crate) fn print(text: &str) -> Result<()> {
    written(std::io::stdout().lock().write_all(text.as_bytes()))
}

/// What became of writing to stdout; a reader that went away is no error.
pub(crate) fn written(result: std::io::Result<()>) -> Result<()> {
    match result {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => other.wrap_err("the output could not be written"),
    }
}

pub(crate) fn print_json(value: &serde_json::Value) -> Result<()> {
    print(&crate::model::text::escape_json(&format!("{value:#}\n")))
}

/// One line of JSON.
pub(crate) fn print_line(value: &serde_json::Value) -> Result<()> {
    print(&crate::model::text::escape_json(&format!("{value}\n")))
}

/// Says what went wrong, on stderr, in one cleaned line, and yields the exit code.
pub(crate) fn complain(what: &impl std::fmt::Display, code: u8) -> Result<ExitCode> {
    let text = crate::model::text::clean_to(&what.to_string(), 2000);
    match writeln!(std::io::stderr().lock(), "partywall: {text}") {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(ExitCode::from(code)),
    }
}
