//! The dashboard, on a cluster or on the demo. The first frame is on the screen before anything is read or connected.

use std::io::IsTerminal;
use std::process::ExitCode;

use color_eyre::eyre::{Result, WrapErr};
use ratatui::layout::Rect;

use super::{BLIND, USAGE, complain, connect_options, live_options, print, runtime};
use crate::app::msg::{Level, Msg};
use crate::app::state::{Settings, State};
use crate::app::update::update;
use crate::cli::args::DemoArgs;
use crate::cluster::connect::ConnectOptions;
use crate::config::Config;
use crate::demo::{DemoHandle, DemoOptions};
use crate::fix::guard::Mode;
use crate::live::{Live, LiveOptions, now};
use crate::netpol::target::VaultPlace;
use crate::term::guard::{self, Guard};
use crate::term::run::{Ended, Screen, Themes};
use crate::ui::theme::choose::{Env, choose};
use crate::vault::{VaultOptions, validate_token};

/// The dashboard on the current context.
pub fn run(config: &Config) -> Result<ExitCode> {
    let context = crate::cluster::connect::describe(&connect_options(config));
    let (screen, guard) = match open(config, &context.name, false)? {
        Ok(opened) => opened,
        Err(code) => return Ok(code),
    };
    let _log = crate::telemetry::start(&config.state);
    crate::cluster::connect::install_crypto();
    let (options, trouble) = match live_options(config) {
        Ok(options) => (options, None),
        // a bad Vault setting costs the secret wall, not the screen
        Err(error) => {
            let without = Config { vault: crate::config::VaultConfig { poll: config.vault.poll, ..Default::default() }, ..config.clone() };
            (live_options(&without)?, Some(error.to_string()))
        }
    };
    let ended = runtime()?.block_on(async { show(screen, Live::start(options), config.mode, guard, trouble).await })?;
    finish(ended)
}

/// The demo: its servers run in this process, and the same client code speaks to them.
pub fn demo(mut config: Config, args: &DemoArgs) -> Result<ExitCode> {
    // nothing is at stake on simulated servers, so a newcomer can probe and fix at once
    if !config.mode_chosen {
        config.mode = Mode::Fix;
    }
    crate::cluster::connect::install_crypto();
    let runtime = runtime()?;
    let options = DemoOptions { tenants: args.tenants as usize, seed: args.seed, script: !args.still, ..DemoOptions::default() };
    if args.serve {
        return runtime.block_on(serve(&config, options));
    }
    let (screen, guard) = match open(&config, "demo", true)? {
        Ok(opened) => opened,
        Err(code) => return Ok(code),
    };
    let _log = crate::telemetry::start(&config.state);
    let folder = Scratch::new(&config)?;
    let ended = runtime.block_on(async {
        let handle = crate::demo::start(options).await.wrap_err("the demo's servers could not be started on loopback")?;
        let live = Live::start(demo_options(&config, &handle, &folder)?);
        let ended = show(screen, live, config.mode, guard, None).await;
        handle.shutdown().await;
        ended
    })?;
    finish(ended)
}

/// Serves until stopped, for kubectl and a Vault client.
async fn serve(config: &Config, options: DemoOptions) -> Result<ExitCode> {
    let handle = crate::demo::start(options).await.wrap_err("the demo's servers could not be started on loopback")?;
    let folder = Scratch::new(config)?;
    let kubeconfig = folder.write("kubeconfig", &handle.kubeconfig_yaml())?;
    print(&format!(
        "export KUBECONFIG={}\nexport VAULT_ADDR={}\nexport VAULT_TOKEN={}\n",
        quoted(&kubeconfig.display().to_string()),
        handle.vault_url(),
        handle.vault_token()
    ))?;
    std::io::Write::flush(&mut std::io::stdout())?;
    let mut term = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    let mut hup = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup())?;
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = term.recv() => {}
        _ = hup.recv() => {}
    }
    handle.shutdown().await;
    Ok(ExitCode::SUCCESS)
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// A folder that lives as long as a demo: its kubeconfig, and its ledger, since what a simulation shows must not outlive it.
struct Scratch(std::path::PathBuf);

impl Scratch {
    fn new(config: &Config) -> Result<Self> {
        sweep(&config.state);
        let path = config.state.join(format!("demo-{}", std::process::id()));
        std::fs::create_dir_all(&path).wrap_err_with(|| format!("the folder {} can't be made", path.display()))?;
        Ok(Self(path))
    }

    fn write(&self, name: &str, content: &str) -> Result<std::path::PathBuf> {
        let path = self.0.join(name);
        std::fs::write(&path, content).wrap_err_with(|| format!("{} can't be written", path.display()))?;
        Ok(path)
    }
}

/// Takes away what demos left that were killed: folders named after a process that is no more.
fn sweep(state: &std::path::Path) {
    let Ok(entries) = std::fs::read_dir(state) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let pid = name
            .to_str()
            .and_then(|name| name.strip_prefix("demo-"))
            .and_then(|pid| pid.parse().ok())
            .and_then(rustix::process::Pid::from_raw);
        if pid.is_some_and(|pid| rustix::process::test_kill_process(pid) == Err(rustix::io::Errno::SRCH)) {
            // what can't be taken away only takes room
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn demo_options(config: &Config, handle: &DemoHandle, folder: &Scratch) -> Result<LiveOptions> {
    let base =
        live_options(&Config { vault: crate::config::VaultConfig { poll: config.vault.poll, ..Default::default() }, ..config.clone() })?;
    let mut engine = base.engine;
    let (namespace, name, port) = crate::demo::VAULT_SERVICE;
    engine.reach.places.vault = Some(VaultPlace::Service { namespace: namespace.into(), name: name.into(), port });
    Ok(LiveOptions {
        connect: ConnectOptions { kubeconfig: Some(folder.write("kubeconfig", &handle.kubeconfig_yaml())?), context: None, ..base.connect },
        vault: VaultOptions {
            addr: Some(handle.vault_url()),
            token: validate_token(handle.vault_token(), "the demo").ok().flatten(),
            poll: std::time::Duration::from_secs(3),
            token_file: None,
            ..base.vault
        },
        ledger: folder.0.join("receipts.jsonl"),
        engine,
    })
}

/// Takes the terminal and paints the first frame. An exit code where there is no terminal fit for it.
fn open(config: &Config, context: &str, simulated: bool) -> Result<Result<(Screen, Guard), ExitCode>> {
    if !std::io::stdout().is_terminal() || !std::io::stdin().is_terminal() {
        return complain(&"the dashboard needs a terminal; for pipes and scripts there are status, check and probe", USAGE).map(Err);
    }
    let chosen = choose(&environment(config));
    if chosen.dumb {
        return complain(&"this terminal (TERM=dumb) can't show the dashboard; use partywall status", USAGE).map(Err);
    }
    let themes = match Themes::load(&chosen.theme, chosen.depth) {
        Ok(themes) => themes,
        Err(why) => return complain(&format!("theme {}: {why}", chosen.theme), USAGE).map(Err),
    };
    guard::on_panic(config.state.clone());
    let (width, height) = crossterm::terminal::size().wrap_err("the terminal does not tell its size")?;
    let settings =
        Settings { mode: config.mode, theme: chosen.theme, ascii: chosen.ascii, redact: config.redact, simulated, context: context.into() };
    let state = State::new(settings, (width, height), now());
    let guard = Guard::enter().wrap_err("the terminal could not be taken")?;
    let mut screen = Screen::new(state, themes, Rect::new(0, 0, width, height), config.state.join("screens"));
    screen.paint()?;
    Ok(Ok((screen, guard)))
}

/// What the choice of a theme hangs on. A variable and the file are told from a flag, because only a flag wins over `NO_COLOR`.
fn environment(config: &Config) -> Env {
    let var = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let by_flag = std::env::args().any(|argument| argument == "--theme" || argument.starts_with("--theme="));
    let (flag, config_theme) = if by_flag { (config.theme.clone(), None) } else { (None, config.theme.clone()) };
    Env {
        flag,
        var: None,
        config: config_theme,
        no_color: var("NO_COLOR").is_some(),
        term: var("TERM"),
        colorterm: var("COLORTERM"),
        colorfgbg: var("COLORFGBG"),
        locale: var("LC_ALL").or_else(|| var("LC_CTYPE")).or_else(|| var("LANG")),
        ascii: config.ascii,
    }
}

async fn show(mut screen: Screen, live: Live, mode: Mode, guard: Guard, trouble: Option<String>) -> Result<Ended> {
    if let Some(why) = trouble {
        update(screen.state_mut(), Msg::Note(Level::Error, why), now());
    }
    Ok(crate::term::run::run(screen, live, mode, guard).await?)
}

fn finish(ended: Ended) -> Result<ExitCode> {
    guard::leave();
    Ok(match ended {
        Ended::Quit => ExitCode::SUCCESS,
        Ended::Terminated => ExitCode::from(128 + 15),
        Ended::HungUp => ExitCode::from(BLIND),
        Ended::Broken => {
            return complain(
                &"stopped, because what reads the servers failed on an error of its own; a panic report is in the state folder (partywall doctor names it)",
                BLIND,
            );
        }
    })
}
