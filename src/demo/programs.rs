//! The few programs of a simulated container, with the words and exit codes of busybox 1.35.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::time::Duration;

use serde_json::Value;

use super::json::Json;
use super::network::{self, Answer, Listener, Outcome, RESOLVER};
use super::world::World;

/// What a program did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Done {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) code: i32,
    /// How long it took.
    pub(crate) after: Duration,
}

/// The image has no such program.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NotFound(pub(crate) String);

/// Nothing takes longer than this, whatever was asked for: people are waiting.
const LONGEST: Duration = Duration::from_secs(3);
const BANNER: &str = "BusyBox v1.35.0 (Debian 1:1.35.0-4+deb12u1+b1) multi-call binary.\n\nUsage: ";
const ROUTES: [&str; 3] = [
    "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT",
    "eth0\t00000000\t0100F40A\t0003\t0\t0\t0\t00000000\t0\t0\t0",
    "eth0\t0000F40A\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0",
];

/// A program: gets the world, the pod it runs in, and its arguments.
type Program = fn(&World, &Value, &[&str]) -> Done;
static PROGRAMS: &[(&str, Program)] = &[
    ("cat", cat),
    ("echo", |_, _, args| said(format!("{}\n", args.join(" ")))),
    ("false", |_, _, _| failed(1, String::new())),
    ("hostname", hostname),
    ("id", id),
    ("nc", nc),
    ("nslookup", nslookup),
    ("sleep", |_, _, args| Done { after: seconds(args.first().copied().unwrap_or_default()), ..Done::default() }),
    ("timeout", timeout),
    ("true", |_, _, _| Done::default()),
    ("wget", wget),
];
/// Images that hold one program and nothing else.
const BARE_IMAGES: [&str; 5] = ["whoami", "distroless", "coredns", "external-secrets", "pause"];

/// Runs a command line in a container of a pod.
pub(crate) fn run(world: &World, pod: &Value, image: &str, command: &[&str]) -> Result<Done, NotFound> {
    let (name, args) = command.split_first().ok_or_else(|| NotFound(String::new()))?;
    let plain = name.rsplit('/').next().unwrap_or(name);
    if BARE_IMAGES.iter().any(|bare| image.contains(bare)) {
        return Err(NotFound((*name).to_owned()));
    }
    if plain == "sh"
        && let ["-c", script] = args
    {
        return shell(world, pod, image, script);
    }
    let (plain, args) = match (plain, args) {
        ("busybox", [applet, rest @ ..]) => (*applet, rest),
        _ => (plain, args),
    };
    let program = PROGRAMS.iter().find(|(n, _)| *n == plain).ok_or_else(|| NotFound((*name).to_owned()))?.1;
    Ok(program(world, pod, args))
}

/// A shell that knows one simple command and nothing else.
fn shell(world: &World, pod: &Value, image: &str, script: &str) -> Result<Done, NotFound> {
    if script.contains(|c: char| "|&;<>()$`\\\"'*?[]#~=%{}\n".contains(c)) {
        return Ok(failed(2, "sh: this simulated shell runs one plain command only\n".to_owned()));
    }
    let words: Vec<&str> = script.split_whitespace().collect();
    match run(world, pod, image, &words) {
        Err(NotFound(name)) => Ok(failed(127, format!("sh: {name}: not found\n"))),
        done => done,
    }
}

fn said(stdout: String) -> Done {
    Done { stdout, ..Done::default() }
}

fn failed(code: i32, stderr: String) -> Done {
    Done { stderr, code, ..Done::default() }
}

/// A time as busybox reads it, no longer than anybody wants to wait.
fn seconds(text: &str) -> Duration {
    let number: f64 = text.trim_end_matches('s').parse().unwrap_or_default();
    Duration::from_secs_f64(number.max(0.0).min(LONGEST.as_secs_f64()))
}

fn timeout(world: &World, pod: &Value, args: &[&str]) -> Done {
    let rest = if let ["-s" | "-k", _, rest @ ..] = args { rest } else { args };
    let [limit, command @ ..] = rest else {
        return usage(
            "timeout [-s SIG] [-k KILL_SECS] SECS PROG ARGS\n\nRun PROG. Send SIG to it if it is not gone in SECS seconds.\nDefault SIG: TERM.If it still exists in KILL_SECS seconds, send KILL.\n\n",
        );
    };
    let Some(name) = command.first() else { return usage("timeout [-s SIG] [-k KILL_SECS] SECS PROG ARGS\n\n") };
    match run(world, pod, "", command) {
        Err(_) => failed(127, format!("timeout: can't execute '{name}': No such file or directory\n")),
        Ok(done) => {
            let limit = seconds(limit);
            // what would take as long as the limit allows never gets to speak
            if done.after >= limit && !done.after.is_zero() { Done { code: 143, after: limit, ..Done::default() } } else { done }
        }
    }
}

fn usage(text: &str) -> Done {
    failed(1, format!("{BANNER}{text}"))
}

fn cat(_: &World, pod: &Value, args: &[&str]) -> Done {
    let namespace = pod.text("metadata/namespace");
    let mut done = Done::default();
    for file in args {
        match *file {
            "/proc/net/route" => ROUTES.iter().for_each(|line| {
                let _ = writeln!(done.stdout, "{line:<127}");
            }),
            "/etc/hostname" => {
                let _ = writeln!(done.stdout, "{}", pod.text("metadata/name"));
            }
            "/etc/resolv.conf" => {
                let _ = write!(
                    done.stdout,
                    "search {namespace}.svc.cluster.local svc.cluster.local cluster.local\nnameserver {RESOLVER}\noptions ndots:5\n"
                );
            }
            other => {
                done.code = 1;
                let _ = writeln!(done.stderr, "cat: can't open '{other}': No such file or directory");
            }
        }
    }
    done
}

fn hostname(_: &World, pod: &Value, args: &[&str]) -> Done {
    let field = if args.contains(&"-i") { "status/podIP" } else { "metadata/name" };
    said(format!("{}\n", pod.text(field)))
}

fn id(_: &World, pod: &Value, _: &[&str]) -> Done {
    let image = pod.items("spec/containers").first().map_or("", |c| c.text("image"));
    let who = match image {
        i if i.contains("node-red") => "uid=1000(node-red) gid=1000(node-red) groups=1000(node-red)",
        i if i.contains("n8n") => "uid=1000(node) gid=1000(node) groups=1000(node)",
        _ => "uid=0(root) gid=0(root) groups=0(root)",
    };
    said(format!("{who}\n"))
}

fn nslookup(world: &World, pod: &Value, args: &[&str]) -> Done {
    let only_a = args.iter().any(|a| a.eq_ignore_ascii_case("-type=a"));
    let words: Vec<&str> = args.iter().copied().filter(|a| !a.starts_with('-')).collect();
    let (name, server) = match words.as_slice() {
        [name] => (*name, RESOLVER),
        [name, server, ..] => (*name, *server),
        [] => {
            return usage(
                "nslookup [-type=QUERY_TYPE] [-debug] HOST [DNS_SERVER]\n\nQuery DNS about HOST\n\nQUERY_TYPE: soa,ns,a,aaaa,cname,mx,txt,ptr,srv,any\n",
            );
        }
    };
    let Ok(address) = server.parse::<IpAddr>() else { return failed(1, format!("nslookup: bad address '{server}'\n")) };
    let full = if name.contains('.') { name.to_owned() } else { format!("{name}.{}.svc.cluster.local", pod.text("metadata/namespace")) };
    let mut stdout = format!("Server:\t\t{server}\nAddress:\t{server}:53\n\n");
    let nobody = ";; connection timed out; no servers could be reached\n\n".to_owned();
    match network::resolve(world, pod, &full, address) {
        Answer::Silence => Done { stdout: nobody, code: 1, after: LONGEST, ..Done::default() },
        Answer::Refused => {
            Done { stdout: nobody, stderr: format!("nslookup: write to '{server}': Connection refused\n"), code: 1, ..Done::default() }
        }
        Answer::Unknown => {
            // asked for both families, it says so twice
            for _ in 0..if only_a { 1 } else { 2 } {
                let _ = write!(stdout, "** server can't find {full}: NXDOMAIN\n\n");
            }
            Done { stdout, code: 1, ..Done::default() }
        }
        Answer::Addresses(list) => {
            for address in list {
                let _ = write!(stdout, "Name:\t{full}\nAddress: {address}\n");
            }
            stdout.push_str(if only_a { "\n" } else { "\n\n" });
            said(stdout)
        }
    }
}

/// The address of a host, or how the program ends without one.
fn address(world: &World, pod: &Value, program: &str, host: &str) -> Result<IpAddr, Done> {
    let bad = failed(1, format!("{program}: bad address '{host}'\n"));
    match network::look_up(world, pod, host) {
        Answer::Addresses(list) => list.first().copied().ok_or(bad),
        Answer::Silence => Err(Done { after: LONGEST, ..bad }),
        Answer::Unknown | Answer::Refused => Err(bad),
    }
}

fn nc(world: &World, pod: &Value, args: &[&str]) -> Done {
    let (wait, rest) = match args {
        ["-w", n, rest @ ..] => (Some(seconds(n)), rest),
        rest => (None, rest),
    };
    let [host, port] = rest else {
        let odd = rest.iter().find_map(|a| a.strip_prefix('-')).and_then(|a| a.chars().next());
        let start = odd.map(|c| format!("nc: invalid option -- '{c}'\n")).unwrap_or_default();
        return failed(
            1,
            format!("{start}{BANNER}nc [-iN] [-wN] [-l] [-p PORT] [-f FILE|IPADDR PORT] [-e PROG]\n\nOpen a pipe to IP:PORT or FILE\n\n"),
        );
    };
    let Ok(port) = port.parse::<u64>() else { return failed(1, format!("nc: bad port '{port}'\n")) };
    let address = match address(world, pod, "nc", host) {
        Ok(address) => address,
        Err(done) => return done,
    };
    match network::connect(world, pod, address, port, "TCP") {
        Outcome::Connected(_) => Done::default(),
        Outcome::Refused => failed(1, format!("nc: can't connect to remote host ({address}): Connection refused\n")),
        Outcome::Swallowed => Done { after: wait.unwrap_or(LONGEST), ..failed(1, "nc: timed out\n".to_owned()) },
    }
}

/// What `wget` was asked to do.
#[derive(Default)]
struct Wish<'a> {
    quiet: bool,
    to_stdout: bool,
    show_headers: bool,
    spider: bool,
    wait: Option<Duration>,
    url: Option<&'a str>,
}

fn wish<'a>(args: &[&'a str]) -> Wish<'a> {
    let mut wish = Wish::default();
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        match *arg {
            "-q" => wish.quiet = true,
            "-S" => wish.show_headers = true,
            "--spider" => wish.spider = true,
            "-O" => wish.to_stdout = rest.next() == Some(&"-"),
            "-qO-" => (wish.quiet, wish.to_stdout) = (true, true),
            "-O-" => wish.to_stdout = true,
            "-T" => wish.wait = rest.next().map(|n| seconds(n)),
            "-U" | "--header" | "-Y" | "-P" => {
                rest.next();
            }
            other if other.starts_with('-') => {}
            url => wish.url = Some(url),
        }
    }
    wish
}

fn wget(world: &World, pod: &Value, args: &[&str]) -> Done {
    let wish = wish(args);
    let Some(url) = wish.url else {
        return usage(
            "wget [-cqS] [--spider] [-O FILE] [-o LOGFILE] [--header STR]\n\t[--post-data STR | --post-file FILE] [-Y on/off]\n\t[--no-check-certificate] [-P DIR] [-U AGENT] URL...\n\nRetrieve files via HTTP or FTP\n\n",
        );
    };
    let tls = url.starts_with("https://");
    let bare = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://")).unwrap_or(url);
    let (authority, path) = bare.find('/').map_or((bare, "/"), |at| bare.split_at(at));
    let (host, port) = authority.rsplit_once(':').unwrap_or((authority, if tls { "443" } else { "80" }));
    let Ok(port) = port.parse::<u64>() else { return failed(1, format!("wget: bad port '{port}'\n")) };
    let address = match address(world, pod, "wget", host) {
        Ok(address) => address,
        Err(done) => return done,
    };
    let listener = match network::connect(world, pod, address, port, "TCP") {
        Outcome::Connected(listener) => listener,
        Outcome::Refused => return failed(1, format!("wget: can't connect to remote host ({address}): Connection refused\n")),
        Outcome::Swallowed => {
            let (after, why) = match wish.wait {
                Some(wait) => (wait, "wget: download timed out\n".to_owned()),
                None => (LONGEST, format!("wget: can't connect to remote host ({address}): Connection timed out\n")),
            };
            return Done { after, ..failed(1, why) };
        }
    };
    if tls != matches!(listener, Listener::Tls) && tls {
        return failed(
            1,
            "wget: note: TLS certificate validation not implemented\nwget: error getting response: Connection reset by peer\n".to_owned(),
        );
    }
    downloaded(&wish, network::page(&listener, pod, authority, path), (authority, address, port))
}

fn downloaded(wish: &Wish<'_>, page: (u16, &str, String), at: (&str, IpAddr, u64)) -> Done {
    let (code, reason, body) = page;
    let (authority, address, port) = at;
    let mut done = Done::default();
    if !wish.quiet {
        let _ = writeln!(done.stderr, "Connecting to {authority} ({address}:{port})");
    }
    if wish.show_headers {
        let _ = writeln!(done.stderr, "  HTTP/1.1 {code} {reason}\n  Content-Length: {}\n  ", body.len());
    }
    if code >= 400 {
        let _ = writeln!(done.stderr, "wget: server returned error: HTTP/1.1 {code} {reason}");
        done.code = 1;
        return done;
    }
    if wish.to_stdout && !wish.spider {
        if !wish.quiet {
            let bar = "*".repeat(32);
            let _ = write!(
                done.stderr,
                "writing to stdout\n-                    100% |{bar}| {:>5}  0:00:00 ETA\nwritten to stdout\n",
                body.len()
            );
        }
        done.stdout = body;
    }
    done
}
