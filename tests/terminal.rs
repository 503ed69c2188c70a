//! The dashboard in a real pseudo-terminal: what it paints, and that the terminal is put back whatever ends it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests say what they expect by panicking"
)]

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// Leaves the alternate screen.
const LEFT: &str = "\x1b[?1049l";
/// Shows the cursor.
const CURSOR: &str = "\x1b[?25h";

fn size(n: u16) -> NonZeroU16 {
    NonZeroU16::new(n).unwrap()
}

struct Pty {
    child: Box<dyn Child + Send + Sync>,
    keys: Box<dyn Write + Send>,
    raw: Arc<Mutex<Vec<u8>>>,
    screen: Arc<Mutex<vt100::Parser>>,
    master: Box<dyn MasterPty + Send>,
    state: tempfile::TempDir,
}

impl Pty {
    fn start(program: &str, args: &[&str], rows: u16, cols: u16, env: &[(&str, &str)]) -> Self {
        let state = tempfile::tempdir().unwrap();
        let pty = native_pty_system().openpty(PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }).unwrap();
        let mut command = CommandBuilder::new(program);
        command.args(args);
        for name in ["KUBECONFIG", "VAULT_ADDR", "VAULT_TOKEN", "NO_COLOR", "COLORTERM", "LC_ALL", "TMUX"] {
            command.env_remove(name);
        }
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        command.env("PARTYWALL_STATE_DIR", state.path());
        for (name, value) in env {
            command.env(name, value);
        }
        let child = pty.slave.spawn_command(command).unwrap();
        drop(pty.slave);
        let raw = Arc::new(Mutex::new(Vec::new()));
        let screen = Arc::new(Mutex::new(vt100::Parser::new(size(rows), size(cols), 0)));
        let mut reader = pty.master.try_clone_reader().unwrap();
        let (kept, shown) = (raw.clone(), screen.clone());
        std::thread::spawn(move || {
            let mut buffer = [0_u8; 16384];
            while let Ok(n @ 1..) = reader.read(&mut buffer) {
                kept.lock().unwrap().extend_from_slice(&buffer[..n]);
                shown.lock().unwrap().process(&buffer[..n]);
            }
        });
        Self { child, keys: pty.master.take_writer().unwrap(), raw, screen, master: pty.master, state }
    }

    fn demo(rows: u16, cols: u16) -> Self {
        Self::start(env!("CARGO_BIN_EXE_partywall"), &["demo", "--still"], rows, cols, &[])
    }

    fn text(&self) -> String {
        self.screen.lock().unwrap().screen().contents()
    }

    fn raw(&self) -> String {
        String::from_utf8_lossy(&self.raw.lock().unwrap()).into_owned()
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    fn wait(&self, what: &str, seen: impl Fn(&str) -> bool) {
        let began = Instant::now();
        while !seen(&self.text()) {
            assert!(began.elapsed() < Duration::from_secs(20), "{what} is not shown:\n{}", self.text());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until nothing has been written for a while.
    fn settle(&self) {
        let (began, mut seen) = (Instant::now(), 0);
        loop {
            std::thread::sleep(Duration::from_millis(800));
            let now = self.raw().len();
            if now == seen {
                return;
            }
            assert!(began.elapsed() < Duration::from_secs(20), "it goes on writing");
            seen = now;
        }
    }

    fn pid(&self) -> i32 {
        i32::try_from(self.child.process_id().unwrap()).unwrap()
    }

    fn signal(&self, name: &str) {
        assert!(std::process::Command::new("kill").args([&format!("-{name}"), &self.pid().to_string()]).status().unwrap().success());
    }

    fn run_state(&self) -> char {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid())).unwrap();
        stat.rsplit_once(')').unwrap().1.trim_start().chars().next().unwrap()
    }

    fn ended(&mut self) -> u32 {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                std::thread::sleep(Duration::from_millis(100));
                return status.exit_code();
            }
            assert!(began.elapsed() < Duration::from_secs(10), "it does not end:\n{}", self.text());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn assert_put_back(&self) {
        let raw = self.raw();
        let left = raw.rfind(LEFT).expect("the alternate screen is left");
        assert!(raw.rfind(CURSOR).is_some_and(|shown| shown > raw.rfind("\x1b[?25l").unwrap_or(0)), "the cursor is shown");
        assert!(!raw[left..].contains("\x1b[?1049h"), "and not entered again");
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_demo_shows_its_fleet_says_simulated_and_quits() {
    let mut pty = Pty::demo(40, 120);
    pty.wait("acme", |text| text.contains("acme") && text.contains("globex") && text.contains("SIMULATED"));
    pty.press("q");
    assert_eq!(pty.ended(), 0);
    pty.assert_put_back();
}

#[test]
fn the_matrix_is_shown_and_a_cell_is_explained() {
    let mut pty = Pty::demo(40, 120);
    pty.wait("the fleet", |text| text.contains("initech"));
    pty.press("3");
    pty.wait("the matrix", |text| text.contains("REACH") && text.contains("every port"));
    pty.press("g0n\r");
    pty.wait("why", |text| text.contains("why: ") && text.contains("out of the source") && text.contains("NetworkPolicy web-tenant-"));
    pty.press("q");
    pty.wait("the matrix again", |text| text.contains("REACH") && !text.contains("why: "));
}

#[test]
fn sigterm_puts_the_terminal_back() {
    let mut pty = Pty::demo(24, 80);
    pty.wait("the fleet", |text| text.contains("globex"));
    pty.signal("TERM");
    pty.ended();
    pty.assert_put_back();
}

#[test]
fn a_hangup_ends_it_quietly() {
    let mut pty = Pty::demo(24, 80);
    pty.wait("the fleet", |text| text.contains("globex"));
    pty.settle();
    let before = pty.raw().len();
    pty.signal("HUP");
    pty.ended();
    assert_eq!(pty.raw().len(), before, "nothing is written to a terminal that is gone");
}

#[test]
fn control_z_stops_it_and_it_paints_again_when_continued() {
    let mut pty = Pty::demo(24, 80);
    pty.wait("the fleet", |text| text.contains("globex"));
    pty.press("\x1a");
    let began = Instant::now();
    while pty.run_state() != 'T' {
        assert!(began.elapsed() < Duration::from_secs(5), "it is not stopped but {}", pty.run_state());
        std::thread::sleep(Duration::from_millis(20));
    }
    // it may be stopped before the reader has taken in what it wrote last
    while !pty.raw().contains(LEFT) {
        assert!(began.elapsed() < Duration::from_secs(5), "the shell gets its screen");
        std::thread::sleep(Duration::from_millis(20));
    }
    pty.signal("CONT");
    pty.wait("the fleet again", |text| text.contains("globex"));
    pty.press("q");
    assert_eq!(pty.ended(), 0);
    pty.assert_put_back();
}

#[test]
fn a_resize_paints_the_new_size() {
    let pty = Pty::demo(24, 80);
    pty.wait("the fleet", |text| text.contains("globex"));
    pty.screen.lock().unwrap().screen_mut().set_size(size(50), size(160));
    pty.master.resize(PtySize { rows: 50, cols: 160, pixel_width: 0, pixel_height: 0 }).unwrap();
    pty.wait("columns that only a wide screen has", |text| text.lines().any(|line| line.trim_end().chars().count() > 100));
}

#[test]
fn nothing_is_written_while_nothing_happens() {
    let pty = Pty::demo(40, 120);
    pty.wait("a settled fleet", |text| text.contains("globex") && text.contains("live"));
    std::thread::sleep(Duration::from_secs(3));
    let before = pty.raw().len();
    std::thread::sleep(Duration::from_secs(4));
    assert_eq!(pty.raw().len() - before, 0, "{:?}", &pty.raw()[before..]);
}

#[test]
fn no_colour_is_written_when_no_color_is_set() {
    let pty = Pty::start(env!("CARGO_BIN_EXE_partywall"), &["demo", "--still"], 24, 80, &[("NO_COLOR", "1")]);
    pty.wait("the fleet", |text| text.contains("globex"));
    let raw = pty.raw();
    for colour in ["\x1b[38;", "\x1b[48;", "\x1b[31m", "\x1b[32m"] {
        assert!(!raw.contains(colour), "{colour:?}");
    }
}

#[test]
fn a_dead_context_still_paints_at_once_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let kubeconfig = folder.path().join("config");
    // nothing listens on port 1 of loopback
    let text = "apiVersion: v1\nkind: Config\nclusters: [{name: c, cluster: {server: 'https://127.0.0.1:1'}}]\nusers: [{name: u, user: {}}]\ncontexts: [{name: gone, context: {cluster: c, user: u}}]\ncurrent-context: gone\n";
    std::fs::write(&kubeconfig, text).unwrap();
    let began = Instant::now();
    let pty = Pty::start(env!("CARGO_BIN_EXE_partywall"), &[], 24, 80, &[("KUBECONFIG", kubeconfig.to_str().unwrap())]);
    pty.wait("the first frame", |text| text.contains("gone"));
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    pty.wait("the reason", |text| text.contains("refused") || text.contains("down"));
}

#[test]
fn a_malformed_kubeconfig_is_a_message_on_the_screen() {
    let folder = tempfile::tempdir().unwrap();
    let kubeconfig = folder.path().join("config");
    std::fs::write(&kubeconfig, "contexts: {not a list").unwrap();
    let pty = Pty::start(env!("CARGO_BIN_EXE_partywall"), &[], 24, 80, &[("KUBECONFIG", kubeconfig.to_str().unwrap())]);
    pty.wait("what is wrong", |text| text.contains("kubeconfig"));
}

/// Runs inside the pseudo-terminal of [`a_panic_puts_the_terminal_back`].
#[test]
#[ignore = "the other half of a_panic_puts_the_terminal_back"]
fn panics_in_the_terminal() {
    if std::env::var_os("PARTYWALL_PANIC_IN_PTY").is_none() {
        return;
    }
    let state = std::env::var_os("PARTYWALL_STATE_DIR").unwrap();
    partywall::term::guard::on_panic(state.into());
    let _guard = partywall::term::guard::Guard::enter().unwrap();
    panic!("on purpose, with a \x1b[31m sequence");
}

#[test]
fn a_panic_puts_the_terminal_back() {
    let program = std::env::current_exe().unwrap();
    let args = ["--ignored", "--exact", "panics_in_the_terminal", "--nocapture"];
    let mut pty = Pty::start(program.to_str().unwrap(), &args, 24, 80, &[("PARTYWALL_PANIC_IN_PTY", "1")]);
    assert_ne!(pty.ended(), 0);
    let raw = pty.raw();
    assert!(raw.contains("\x1b[?1049h"), "the terminal was taken");
    pty.assert_put_back();
    let report = std::fs::read_dir(pty.state.path()).unwrap().flatten().find(|f| f.file_name().to_string_lossy().starts_with("panic-"));
    let report = std::fs::read_to_string(report.expect("a report is kept").path()).unwrap();
    assert!(report.contains("on purpose") && !report.contains('\x1b'), "{report:?}");
}
