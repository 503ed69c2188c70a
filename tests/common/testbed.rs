//! The way of Rust tests to the test bed of `tests/testbed/`: real servers, started once, shared by every test process.
//!
//! Used with `#[path = "common/testbed.rs"] mod testbed;`. A test begins with
//!
//! ```ignore
//! let Some(bed) = Testbed::shared(Need::Node) else { return };
//! ```
//!
//! and takes [`Testbed::alone`] instead when it breaks something on purpose (deletes a policy, seals Vault, stops the enforcer):
//! no other test runs on the bed meanwhile, and the bed is put back afterwards.
//!
//! `PARTYWALL_TESTBED` says what happens where the bed can't be had: `required` panics (the node included), `off` skips without trying,
//! unset uses the bed when its binaries are installed and skips otherwise. A skip is always named on stderr and in
//! `target/testbed-skipped.txt`.
#![allow(dead_code, reason = "each test crate uses its part of this")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a harness that can't go on says so by panicking")]

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

/// Why the bed, or a part of it, can't be had.
#[derive(Debug, Clone)]
pub struct Skip(pub String);

impl fmt::Display for Skip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a test needs of the bed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// API server, controllers and Vault: objects, admission, tokens, logins.
    Servers,
    /// Running pods, DNS and enforced policies as well.
    Node,
    /// The servers are ours to restart and seal: not those of a cluster that was given.
    OwnServers,
    /// The node is ours, with an enforcer that can be stopped.
    OwnNode,
    /// The node is ours, with the hosts outside, and the program `wire` that tries connections is built.
    Wire,
}

/// Who a test acts as; each has a kubeconfig.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identity {
    /// Cluster administrator.
    Admin,
    /// Reads everything partywall reads, and nothing else.
    Viewer,
    /// May only read namespaces.
    NsLister,
    /// Viewer, and in the tenants' namespaces: create pods, exec, request tokens.
    Prober,
    /// Prober, and in the tenants' namespaces: write policies, quotas and LimitRanges.
    Fixer,
}

impl Identity {
    fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Viewer => "viewer",
            Self::NsLister => "nslister",
            Self::Prober => "prober",
            Self::Fixer => "fixer",
        }
    }
}

/// A running test bed.
#[derive(Debug)]
pub struct Testbed {
    dir: PathBuf,
    vars: BTreeMap<String, String>,
}

/// The bed for the time of one test. While a session of [`Testbed::alone`] lives there is no other.
#[derive(Debug)]
pub struct Session {
    bed: &'static Testbed,
    alone: bool,
    _lock: File,
}

impl Deref for Session {
    type Target = Testbed;

    fn deref(&self) -> &Testbed {
        self.bed
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if self.alone
            && let Err(why) = self.bed.restore()
            && !std::thread::panicking()
        {
            panic!("{why}");
        }
    }
}

impl Testbed {
    /// The bed, started when this is the first call on the machine. Fails where it can't be had; panics then if it is required.
    pub fn get() -> Result<&'static Self, Skip> {
        static BED: OnceLock<Result<Testbed, Skip>> = OnceLock::new();
        BED.get_or_init(Self::start).as_ref().map_err(Clone::clone)
    }

    /// The bed beside other tests that leave it as it is. `None` means: skipped, and said so.
    pub fn shared(need: Need) -> Option<Session> {
        let bed = Self::having(need)?;
        let lock = bed.lock_file();
        lock.lock_shared().unwrap();
        while bed.disturbed().exists() {
            // left by a test that was killed: nobody is alone now, for we hold the lock
            lock.unlock().unwrap();
            lock.lock().unwrap();
            bed.restore().unwrap();
            lock.unlock().unwrap();
            lock.lock_shared().unwrap();
        }
        Some(Session { bed, alone: false, _lock: lock })
    }

    /// The bed without other tests, as new, and put back afterwards. `None` means: skipped, and said so.
    pub fn alone(need: Need) -> Option<Session> {
        let bed = Self::having(need)?;
        let lock = bed.lock_file();
        lock.lock().unwrap();
        if bed.disturbed().exists() {
            bed.restore().unwrap();
        }
        File::create(bed.disturbed()).unwrap();
        Some(Session { bed, alone: true, _lock: lock })
    }

    fn having(need: Need) -> Option<&'static Self> {
        let had = Self::get().and_then(|bed| {
            if matches!(need, Need::Node | Need::OwnNode | Need::Wire) {
                bed.node().map_err(Skip)?;
            }
            if need == Need::Wire && !bed.wire().exists() {
                let why = Skip("wire is not built".into());
                assert!(std::env::var("PARTYWALL_TESTBED").as_deref() != Ok("required"), "PARTYWALL_TESTBED=required: {why}");
                return Err(why);
            }
            if matches!(need, Need::OwnServers | Need::OwnNode | Need::Wire) && bed.var("PARTYWALL_TESTBED_GIVEN") == "yes" {
                return Err(Skip("the cluster was given, its servers are not ours to stop".into()));
            }
            Ok(bed)
        });
        had.map_err(|why| note_skip(&why)).ok()
    }

    fn start() -> Result<Self, Skip> {
        let mode = std::env::var("PARTYWALL_TESTBED").unwrap_or_default();
        match mode.as_str() {
            "off" => return Err(Skip("PARTYWALL_TESTBED=off".into())),
            "" | "required" => {}
            other => panic!("PARTYWALL_TESTBED is {other:?}: it must be required, off or unset"),
        }
        let found = Self::start_installed(mode == "required");
        if let (Err(why), "required") = (&found, mode.as_str()) {
            panic!("PARTYWALL_TESTBED=required: {why}");
        }
        found
    }

    fn start_installed(required: bool) -> Result<Self, Skip> {
        let missing = script("install", &["--check"]);
        if !missing.status.success() {
            return Err(Skip(format!("not installed: {}", String::from_utf8_lossy(&missing.stdout).trim())));
        }
        let owner = owner().to_string();
        let mut arguments = vec!["--until-pid", owner.as_str()];
        if required {
            arguments.push("--node");
        }
        let up = script("up", &arguments);
        if !up.status.success() {
            return Err(Skip(format!("the bed did not start: {}", text(&up))));
        }
        let said = text(&up);
        let env = said.lines().rev().find_map(|line| line.split_whitespace().find(|word| word.ends_with("/env")));
        let bed = Self::read(Path::new(env.unwrap_or_else(|| panic!("`up` named no env file: {said}"))));
        if required {
            // a bed that was already up may have been started without its node
            bed.node().map_err(Skip)?;
        }
        Ok(bed)
    }

    /// Reads the `export NAME=value` lines; a shell undoes the quoting.
    fn read(env: &Path) -> Self {
        let names = std::fs::read_to_string(env).unwrap();
        let vars = names
            .lines()
            .filter_map(|line| line.strip_prefix("export ")?.split_once('=').map(|(name, _)| name.to_owned()))
            .map(|name| {
                let shell =
                    Command::new("bash").args(["-c", ". \"$1\"; printf %s \"${!2}\"", "bash"]).arg(env).arg(&name).output().unwrap();
                (name, String::from_utf8(shell.stdout).unwrap())
            })
            .collect();
        Self { dir: env.parent().unwrap().to_owned(), vars }
    }

    fn lock_file(&self) -> File {
        OpenOptions::new().create(true).append(true).open(self.dir.join("tests.lock")).unwrap()
    }

    /// The mark that a test breaks things on purpose, or did and was killed.
    fn disturbed(&self) -> PathBuf {
        self.dir.join("disturbed")
    }

    fn restore(&self) -> Result<(), String> {
        if !self.disturbed().exists() {
            return Ok(());
        }
        let restored = self.command("restore", &[]);
        if !restored.status.success() {
            return Err(format!("the bed could not be put back: {}", text(&restored)));
        }
        std::fs::remove_file(self.disturbed()).map_err(|error| error.to_string())
    }

    /// The folder of the bed: `env`, kubeconfigs, `log/`.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// A variable of the bed's `env` file.
    pub fn var(&self, name: &str) -> &str {
        self.vars.get(name).unwrap_or_else(|| panic!("the bed has no {name}"))
    }

    /// Whether there is a node that runs pods and enforces policies, or why not.
    pub fn node(&self) -> Result<(), String> {
        match self.var("PARTYWALL_TESTBED_NODE") {
            "yes" => Ok(()),
            no => Err(format!("no node: {}", no.trim_start_matches("no:"))),
        }
    }

    /// The program `wire`, where `install` has built it.
    pub fn wire(&self) -> PathBuf {
        self.dir.join("bin/wire")
    }

    /// The kubeconfig of an identity.
    pub fn kubeconfig(&self, who: Identity) -> PathBuf {
        self.dir.join(who.name()).with_extension("kubeconfig")
    }

    /// The address of Vault, without a path.
    pub fn vault_addr(&self) -> &str {
        self.var("VAULT_ADDR")
    }

    /// A token with exactly the operator policy: reads roles and policies, no secret.
    pub fn vault_operator_token(&self) -> &str {
        self.var("VAULT_TOKEN")
    }

    /// The root token.
    pub fn vault_root_token(&self) -> &str {
        self.var("PARTYWALL_TESTBED_VAULT_ROOT_TOKEN")
    }

    /// The value of a tenant's secret, which no output of partywall may ever hold.
    pub fn canary(&self, tenant: &str) -> &str {
        self.var(&format!("PARTYWALL_TESTBED_CANARY_{}", tenant.to_uppercase()))
    }

    /// Runs kubectl as administrator.
    pub fn kubectl(&self, arguments: &[&str]) -> Output {
        self.kubectl_as(Identity::Admin, arguments, "")
    }

    /// Runs kubectl as `who` with `input` on stdin.
    pub fn kubectl_as(&self, who: Identity, arguments: &[&str], input: &str) -> Output {
        let mut command = Command::new(self.dir.join("bin/kubectl"));
        command.arg("--kubeconfig").arg(self.kubeconfig(who)).args(arguments).env_remove("KUBECONFIG");
        run(&mut command, input)
    }

    /// Runs kubectl as administrator and returns its stdout; panics with its stderr when it fails.
    pub fn kubectl_ok(&self, arguments: &[&str]) -> String {
        let output = self.kubectl(arguments);
        assert!(output.status.success(), "kubectl {arguments:?}: {}", text(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Asks Vault; returns the status and the body (null when there is none). `path` is what follows `/v1/`.
    pub fn vault(&self, method: &str, path: &str, token: &str, body: Option<&serde_json::Value>) -> (u16, serde_json::Value) {
        let mut command = Command::new("curl");
        command.args(["-sS", "-m", "20", "--noproxy", "*", "-w", "\n%{http_code}", "-X", method, "-H", "@-"]);
        if let Some(body) = body {
            command.arg("--data").arg(body.to_string());
        }
        command.arg(format!("{}/v1/{path}", self.vault_addr().trim_end_matches('/')));
        // the token goes in by stdin: arguments can be read by everyone on the machine
        let header = if token.is_empty() { String::new() } else { format!("X-Vault-Token: {token}\n") };
        let output = run(&mut command, &header);
        assert!(output.status.success(), "curl: {}", text(&output));
        let answer = String::from_utf8(output.stdout).unwrap();
        let (body, status) = answer.rsplit_once('\n').unwrap();
        (status.parse().unwrap(), serde_json::from_str(body).unwrap_or(serde_json::Value::Null))
    }

    /// Runs one of the bed's commands (`seal`, `enforce-stop`, `restart-apiserver`, ...) on this bed.
    pub fn command(&self, name: &str, arguments: &[&str]) -> Output {
        run(Command::new(scripts().join(name)).args(arguments).env("PARTYWALL_TESTBED_DIR", &self.dir), "")
    }

    /// Runs one of the bed's commands; panics with what it said when it fails.
    pub fn command_ok(&self, name: &str, arguments: &[&str]) {
        let output = self.command(name, arguments);
        assert!(output.status.success(), "{name}: {}", text(&output));
    }
}

/// Everything a command printed, for messages.
pub fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)).trim().to_owned()
}

fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/testbed")
}

fn script(name: &str, arguments: &[&str]) -> Output {
    run(Command::new(scripts().join(name)).args(arguments), "")
}

fn run(command: &mut Command, input: &str) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{}: {error}", command.get_program().to_string_lossy()));
    // a program that does not read its input closes it: not our error
    let _ = child.stdin.take().map(|mut stdin| stdin.write_all(input.as_bytes()));
    child.wait_with_output().unwrap()
}

/// The process whose end is the bed's end too: cargo where it runs the tests, else this test process itself.
fn owner() -> u32 {
    let parent = std::os::unix::process::parent_id();
    let name = std::fs::read_to_string(format!("/proc/{parent}/comm")).unwrap_or_default();
    if name.starts_with("cargo") { parent } else { std::process::id() }
}

/// Says that the running test was skipped, past the test runner's capture of output, and keeps it in a file.
fn note_skip(why: &Skip) {
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a test");
    let cure = if why.0.contains("not installed") || why.0.contains("not built") { ", run tests/testbed/install" } else { "" };
    let line = format!("SKIPPED {test}: {why}{cure}\n");
    let _ = std::io::stderr().write_all(line.as_bytes());
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("testbed-skipped.txt");
    let heading = format!("# skipped by the run of process {}\n", owner());
    let earlier = std::fs::read_to_string(&path).unwrap_or_default();
    let mut file = OpenOptions::new().create(true).append(true).open(&path).unwrap();
    file.lock().unwrap();
    if !earlier.starts_with(&heading) {
        file.set_len(0).unwrap();
        file.write_all(heading.as_bytes()).unwrap();
    }
    file.write_all(line.as_bytes()).unwrap();
}
