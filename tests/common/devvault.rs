//! A real OpenBao or Vault of a test's own: in memory, on loopback, gone with the test.
//!
//! Used with `#[path = "common/devvault.rs"] mod devvault;`. A test begins with
//!
//! ```ignore
//! let Some(server) = DevServer::openbao() else { return };
//! ```
//!
//! `PARTYWALL_TESTBED` says what happens where OpenBao is not installed: `required` panics, `off` skips without looking, unset skips and
//! says so. Vault runs only where `PARTYWALL_TEST_VAULT` names its binary.
#![allow(dead_code, reason = "each test crate uses its part of this")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::format_push_string,
    clippy::unused_self,
    reason = "a harness that can't go on says so by panicking"
)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::Value;

/// The token of every such server.
const ROOT: &str = "root";
/// How long a server may take to come up: several may be starting on two cores.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running server.
#[derive(Debug)]
pub struct DevServer {
    child: Child,
    at: SocketAddr,
    home: tempfile::TempDir,
    /// Kept open, one for everyone who asks at the same time.
    connections: Mutex<Vec<BufReader<TcpStream>>>,
}

impl DevServer {
    /// The test bed's OpenBao, started. `None` means: skipped, and said so.
    pub fn openbao() -> Option<Self> {
        let mode = std::env::var("PARTYWALL_TESTBED").unwrap_or_default();
        let found = if mode == "off" { Err("PARTYWALL_TESTBED=off".to_owned()) } else { installed("bao") };
        match found {
            Ok(binary) => Some(Self::start(&binary)),
            Err(why) if mode == "required" => panic!("PARTYWALL_TESTBED=required: {why}"),
            Err(why) => {
                skipped(&why);
                None
            }
        }
    }

    /// Vault, where `PARTYWALL_TEST_VAULT` names its binary. `None` means: skipped, and said so.
    pub fn vault() -> Option<Self> {
        let Some(binary) = std::env::var_os("PARTYWALL_TEST_VAULT").filter(|path| !path.is_empty()) else {
            skipped("PARTYWALL_TEST_VAULT names no Vault binary");
            return None;
        };
        let binary = PathBuf::from(binary);
        assert!(binary.is_file(), "PARTYWALL_TEST_VAULT: {} is no file", binary.display());
        Some(Self::start(&binary))
    }

    /// Starts a server of this binary.
    pub fn start(binary: &Path) -> Self {
        // another process may take the port between our asking and the server's: then another one
        (0..5).find_map(|_| Self::try_start(binary)).unwrap_or_else(|| panic!("{} does not start", binary.display()))
    }

    fn try_start(binary: &Path) -> Option<Self> {
        let home = tempfile::tempdir().unwrap();
        let at = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let log = std::fs::File::create(home.path().join("log")).unwrap();
        let child = Command::new(binary)
            .args(["server", "-dev", "-dev-no-store-token", "-log-level=error"])
            .arg(format!("-dev-root-token-id={ROOT}"))
            .arg(format!("-dev-listen-address={at}"))
            .env_clear()
            .env("HOME", home.path())
            .env("PATH", "/usr/bin:/bin")
            .current_dir(home.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", binary.display()));
        let mut server = Self { child, at, home, connections: Mutex::new(Vec::new()) };
        server.comes_up().then_some(server)
    }

    /// Waits until it is unsealed; false when it ended before that.
    fn comes_up(&mut self) -> bool {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if self.child.try_wait().unwrap().is_some() {
                eprintln!("{}", self.log());
                return false;
            }
            // the mount comes last: without it the server answers, but has no secrets yet
            if TcpStream::connect(self.at).is_ok() && self.request("GET", "sys/mounts", None).1.pointer("/data/secret~1").is_some() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("the server is not up after {PATIENCE:?}: {}", self.log());
    }

    /// Its address, as `VAULT_ADDR` takes it.
    pub fn addr(&self) -> String {
        format!("http://{}", self.at)
    }

    /// The root token.
    pub const fn token(&self) -> &'static str {
        ROOT
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.home.path().join("log")).unwrap_or_default()
    }

    /// Asks with the root token. `path` is what follows `/v1/`. The status is 0 where the server cut the connection without an answer; the
    /// body is null where there is none.
    pub fn request(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        self.request_as(ROOT, method, path, body)
    }

    /// Asks with another token; without one where it is empty.
    pub fn request_as(&self, token: &str, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        self.request_with(&[("X-Vault-Token", token)], method, path, body)
    }

    /// Asks with headers; those with an empty value are left out.
    pub fn request_with(&self, headers: &[(&str, &str)], method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        let body = body.map(ToString::to_string).unwrap_or_default();
        let mut message = format!("{method} /v1/{path} HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\n", self.at, body.len());
        for (name, value) in headers.iter().filter(|(_, value)| !value.is_empty()) {
            message.extend([name, ": ", value, "\r\n"]);
        }
        message += "\r\n";
        message += &body;
        let idle = self.connections.lock().unwrap().pop();
        // a kept connection may have been closed meanwhile: then once more with a new one
        let kept = idle.and_then(|mut connection| Some((exchange(&mut connection, &message)?, connection)));
        let answered = kept.or_else(|| {
            let stream = TcpStream::connect(self.at).ok()?;
            stream.set_nodelay(true).ok()?;
            stream.set_read_timeout(Some(PATIENCE)).ok()?;
            let mut connection = BufReader::new(stream);
            Some((exchange(&mut connection, &message)?, connection))
        });
        let Some((answer, connection)) = answered else { return (0, Value::Null) };
        if !answer.close {
            self.connections.lock().unwrap().push(connection);
        }
        (answer.status, serde_json::from_slice(&answer.body).unwrap_or(Value::Null))
    }
}

impl Drop for DevServer {
    fn drop(&mut self) {
        // by its id, and waited for, so that no test leaves one behind
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Answer {
    status: u16,
    close: bool,
    body: Vec<u8>,
}

/// Sends a request and reads the answer; none where the connection broke.
fn exchange(connection: &mut BufReader<TcpStream>, message: &str) -> Option<Answer> {
    connection.get_mut().write_all(message.as_bytes()).ok()?;
    let status = line(connection)?.split(' ').nth(1)?.parse().ok()?;
    let (mut length, mut chunked, mut close) = (None, false, false);
    loop {
        let header = line(connection)?.to_ascii_lowercase();
        let Some((name, value)) = header.split_once(':') else { break };
        match (name, value.trim()) {
            ("content-length", number) => length = Some(number.parse::<usize>().ok()?),
            ("transfer-encoding", how) => chunked = how == "chunked",
            ("connection", how) => close = how == "close",
            _ => {}
        }
    }
    let mut body = Vec::new();
    match (chunked, length) {
        (true, _) => loop {
            let size = usize::from_str_radix(line(connection)?.trim(), 16).ok()?;
            take(connection, size, &mut body)?;
            line(connection)?;
            if size == 0 {
                break;
            }
        },
        (false, Some(size)) => take(connection, size, &mut body)?,
        (false, None) if status == 204 || status == 304 => {}
        (false, None) => {
            connection.read_to_end(&mut body).ok()?;
            close = true;
        }
    }
    Some(Answer { status, close, body })
}

/// One line without its end; none where there is no whole line.
fn line(connection: &mut BufReader<TcpStream>) -> Option<String> {
    let mut line = String::new();
    connection.read_line(&mut line).ok()?;
    line.strip_suffix("\r\n").map(str::to_owned)
}

fn take(connection: &mut BufReader<TcpStream>, size: usize, body: &mut Vec<u8>) -> Option<()> {
    let before = body.len();
    body.resize(before + size, 0);
    connection.read_exact(&mut body[before..]).ok()
}

/// Where the test bed has one of its servers.
fn installed(name: &str) -> Result<PathBuf, String> {
    let common = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/testbed/lib/common.sh");
    let script = format!(". '{}'; find_binary {name}", common.display());
    // what `PARTYWALL_TEST_VAULT` names may be a Vault: here the bed's own is asked for
    let found = Command::new("bash").args(["-c", &script]).env_remove("PARTYWALL_TEST_VAULT").output().unwrap();
    let path = PathBuf::from(String::from_utf8_lossy(&found.stdout).trim());
    if found.status.success() && path.is_file() { Ok(path) } else { Err(format!("{name} is not installed, run tests/testbed/install")) }
}

/// Says that the running test was skipped, past the test runner's capture of output.
fn skipped(why: &str) {
    let thread = std::thread::current();
    let _ = writeln!(std::io::stderr(), "SKIPPED {}: {why}", thread.name().unwrap_or("a test"));
}
