//! The dashboard on a real API server with a big fleet, measured from outside through a pseudo-terminal: first paint, time to a complete
//! fleet, resident memory, CPU and bytes while nothing happens, and key to paint, also while pods change.
//!
//! `cargo bench --bench fleet` with a bed that has been filled before, for example
//!
//! ```sh
//! tests/testbed/up --no-node --name bench && tests/testbed/fleet 1000 10 --name bench
//! PARTYWALL_BENCH_BED=target/testbed-bench cargo bench --bench fleet
//! ```
//!
//! Without `PARTYWALL_BENCH_BED` it says so and ends: the figures need a server of their own. They are printed, never judged.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::large_stack_arrays,
    reason = "a bench that can't go on says so by panicking"
)]

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use portable_pty::{CommandBuilder, PtySize, native_pty_system};

const ROWS: u16 = 40;
const COLUMNS: u16 = 120;

/// The program in a pseudo-terminal, with a reader thread that keeps the screen and tells of every chunk written.
struct Dashboard {
    pid: u32,
    keys: Box<dyn Write + Send>,
    screen: Arc<Mutex<vt100::Parser>>,
    bytes: Arc<AtomicUsize>,
    chunks: Receiver<Instant>,
    child: Box<dyn portable_pty::Child + Send + Sync>,
    began: Instant,
    _master: Box<dyn portable_pty::MasterPty + Send>,
}

impl Dashboard {
    fn start(kubeconfig: &Path, state: &Path) -> Self {
        let pty = native_pty_system().openpty(PtySize { rows: ROWS, cols: COLUMNS, pixel_width: 0, pixel_height: 0 }).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_partywall"));
        command.args(["--kubeconfig", kubeconfig.to_str().unwrap(), "--state-dir", state.to_str().unwrap()]);
        command.env_remove("VAULT_ADDR");
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        let began = Instant::now();
        let child = pty.slave.spawn_command(command).unwrap();
        drop(pty.slave);
        let mut reader = pty.master.try_clone_reader().unwrap();
        let screen = Arc::new(Mutex::new(vt100::Parser::new(NonZeroU16::new(ROWS).unwrap(), NonZeroU16::new(COLUMNS).unwrap(), 0)));
        let bytes = Arc::new(AtomicUsize::new(0));
        let (tell, chunks) = channel();
        let (shown, count) = (screen.clone(), bytes.clone());
        std::thread::spawn(move || {
            let mut buffer = [0_u8; 65536];
            while let Ok(n) = reader.read(&mut buffer) {
                if n == 0 {
                    break;
                }
                count.fetch_add(n, Ordering::SeqCst);
                shown.lock().unwrap().process(&buffer[..n]);
                let _ = tell.send(Instant::now());
            }
        });
        Self {
            pid: child.process_id().unwrap(),
            keys: pty.master.take_writer().unwrap(),
            screen,
            bytes,
            chunks,
            child,
            began,
            _master: pty.master,
        }
    }

    fn wait(&self, what: &str, limit: Duration, seen: impl Fn(&str) -> bool) -> Duration {
        loop {
            let text = self.screen.lock().unwrap().screen().contents();
            if seen(&text) {
                return self.began.elapsed();
            }
            assert!(self.began.elapsed() < limit, "{what} not seen within {limit:?}; the screen shows:\n{text}");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Key to first byte painted, for alternating j and k.
    fn keys(&mut self, presses: usize, apart: Duration) -> Vec<Duration> {
        let mut took = Vec::new();
        for i in 0..presses {
            while self.chunks.try_recv().is_ok() {}
            let pressed = Instant::now();
            self.keys.write_all(if i / 20 % 2 == 0 { b"j" } else { b"k" }).unwrap();
            self.keys.flush().unwrap();
            if let Ok(painted) = self.chunks.recv_timeout(Duration::from_secs(5)) {
                took.push(painted - pressed);
            }
            std::thread::sleep(apart);
        }
        took.sort();
        took
    }

    fn cpu_ticks(&self) -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid)).unwrap();
        let after = stat.rsplit_once(')').unwrap().1;
        let fields: Vec<&str> = after.split_whitespace().collect();
        fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
    }

    fn memory(&self, field: &str) -> String {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid)).unwrap();
        let line = status.lines().find(|line| line.starts_with(field)).unwrap();
        let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        format!("{:.1} MiB", kib as f64 / 1024.0)
    }
}

impl Drop for Dashboard {
    fn drop(&mut self) {
        let _ = self.keys.write_all(b"q");
        std::thread::sleep(Duration::from_millis(300));
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The number before the word `tenants` in the header.
fn tenants(text: &str) -> usize {
    let before = text.split(" tenants").next().unwrap_or_default();
    before.rsplit(|c: char| !c.is_ascii_digit()).next().and_then(|n| n.parse().ok()).unwrap_or(0)
}

fn percentile(sorted: &[Duration], p: usize) -> Duration {
    sorted[(sorted.len() * p / 100).min(sorted.len() - 1)]
}

fn machine() -> String {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|l| l.strip_prefix("model name")).map_or("?", |l| l.trim_start_matches([' ', '\t', ':']));
    let cores = cpu.lines().filter(|l| l.starts_with("processor")).count();
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    format!("{cores} cores of {model}, load {}", load.split_whitespace().next().unwrap_or("?"))
}

fn main() {
    let Ok(bed) = std::env::var("PARTYWALL_BENCH_BED") else {
        println!("fleet: skipped, PARTYWALL_BENCH_BED names no bed (see the head of tests/perf/fleet.rs)");
        return;
    };
    let bed = Path::new(env!("CARGO_MANIFEST_DIR")).join(bed);
    let kubeconfig = bed.join("admin.kubeconfig");
    let count = |args: &[&str]| {
        let out = std::process::Command::new("kubectl").arg("--kubeconfig").arg(&kubeconfig).args(args).output().unwrap();
        String::from_utf8_lossy(&out.stdout).lines().count()
    };
    let namespaces = count(&["get", "ns", "-l", "partywall-testbed/fleet", "-o", "name"]);
    let pods = std::env::var("PARTYWALL_BENCH_PODS").unwrap_or_else(|_| "?".to_owned());
    let state = tempfile::tempdir().unwrap();
    println!("machine: {} (the API server runs on it too)", machine());
    println!("fleet: {namespaces} namespaces, {pods} pods, terminal {COLUMNS}x{ROWS}");

    let mut dashboard = Dashboard::start(&kubeconfig, state.path());
    let first = dashboard.wait("the first paint", Duration::from_secs(10), |text| text.contains("OBSERVE") && text.contains("help"));
    println!("first paint from exec            {:>8.1} ms", first.as_secs_f64() * 1e3);
    let complete =
        dashboard.wait("the complete fleet", Duration::from_secs(120), |text| tenants(text) >= namespaces && text.contains("kube ● live"));
    println!("complete fleet from exec         {:>8.2} s", complete.as_secs_f64());
    println!("CPU spent until then             {:>8.2} s", dashboard.cpu_ticks() as f64 / 100.0);
    println!("resident memory                  {:>12}  (peak {})", dashboard.memory("VmRSS"), dashboard.memory("VmHWM"));

    std::thread::sleep(Duration::from_secs(5));
    let (ticks, bytes) = (dashboard.cpu_ticks(), dashboard.bytes.load(Ordering::SeqCst));
    std::thread::sleep(Duration::from_secs(30));
    println!("CPU while nothing happens        {:>8.2} % of a core (30 s)", (dashboard.cpu_ticks() - ticks) as f64 / 30.0);
    println!("bytes written while idle         {:>8} in 30 s", dashboard.bytes.load(Ordering::SeqCst) - bytes);
    println!("resident memory after that       {:>12}", dashboard.memory("VmRSS"));

    let took = dashboard.keys(300, Duration::from_millis(20));
    println!(
        "key to paint, quiet              p50 {:.2} ms  p99 {:.2} ms  of {}",
        ms(percentile(&took, 50)),
        ms(percentile(&took, 99)),
        took.len()
    );
    let churn = std::process::Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/testbed/fleet"))
        .args(["--churn", "50", "--seconds", "20"])
        .env("PARTYWALL_TESTBED_DIR", &bed)
        .stdout(std::process::Stdio::null())
        .spawn();
    if let Ok(mut churn) = churn {
        std::thread::sleep(Duration::from_secs(2));
        let ticks = dashboard.cpu_ticks();
        let began = Instant::now();
        let took = dashboard.keys(300, Duration::from_millis(20));
        println!(
            "key to paint, 50 pod changes/s   p50 {:.2} ms  p99 {:.2} ms  of {}",
            ms(percentile(&took, 50)),
            ms(percentile(&took, 99)),
            took.len()
        );
        println!(
            "CPU with keys and changes        {:>8.2} % of a core",
            (dashboard.cpu_ticks() - ticks) as f64 / began.elapsed().as_secs_f64()
        );
        let _ = churn.wait();
    }
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
