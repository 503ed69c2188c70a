//! The commands a probe may run in a tenant's container, and how their words are read. The commands are fixed: only an address, a port or a
//! name from the inventory is put in.

use std::net::IpAddr;

use crate::model::event::Authority;
use crate::model::text::clean_to;
use crate::receipt::Outcome;

/// Seconds that a connection may take. What is dropped takes longer; what is rejected answers within about 1.5 s.
pub const PATIENCE: u32 = 3;
/// Longest words kept, in characters.
const WORDS: usize = 200;

/// A program that can open a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tool {
    /// busybox' or GNU's wget under `timeout`, because busybox 1.35's own timer segfaults.
    Wget,
    /// curl.
    Curl,
    /// node, with a script of ours.
    Node,
    /// busybox' nc.
    Netcat,
}

/// In the order in which they are tried: light ones first, so that a container near its memory limit survives the probe.
pub const TOOLS: [Tool; 4] = [Tool::Wget, Tool::Curl, Tool::Node, Tool::Netcat];

/// Opens one HTTP connection and prints one line. The address and port are its last arguments.
pub const NODE_CONNECT: &str = concat!(
    r#"const h=require("http"),[a,p]=process.argv.slice(-2);let d=0;const e=(t,c)=>{if(!d){d=1;console.log("partywall "+t);process.exit(c)}};"#,
    r#"const r=h.get({host:a,port:p,path:"/",agent:false},s=>{s.destroy();e("answered "+s.statusCode,0)});"#,
    r#"r.on("error",x=>e("error "+x.code,1));setTimeout(()=>e("timeout",1),3000);"#
);
/// Resolves one name and prints one line. The name is its last argument.
pub const NODE_RESOLVE: &str = concat!(
    r#"require("dns").lookup(process.argv.slice(-1)[0],(x,a)=>{console.log("partywall "+(x?"error "+x.code:"resolved "+a));process.exit(x?1:0)});"#,
    r#"setTimeout(()=>{console.log("partywall timeout");process.exit(1)},3000);"#
);

/// What a command's end means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// It ran.
    Ran(Outcome, String),
    /// There is no such program in the container, or it can't do this: try the next.
    Missing(String),
}

const ANSWERED: Outcome = Outcome::Answered;
const DROPPED: Outcome = Outcome::Refused { by: Authority::NetworkDrop };
const REJECTED: Outcome = Outcome::Refused { by: Authority::NetworkReject };

/// Words by which the end of a connection is told, whichever tool says them. The first row that matches wins; all lower-case.
const BY_WORDS: [(&str, Outcome); 24] = [
    ("server returned error: http/", ANSWERED),
    ("partywall answered", ANSWERED),
    ("partywall error hpe_", ANSWERED),
    ("received http/0.9", ANSWERED),
    ("error response: ", ANSWERED),
    ("connection refused", REJECTED),
    ("econnrefused", REJECTED),
    ("no route to host", REJECTED),
    ("host is unreachable", REJECTED),
    ("ehostunreach", REJECTED),
    ("network is unreachable", REJECTED),
    ("network unreachable", REJECTED),
    ("enetunreach", REJECTED),
    ("operation not permitted", REJECTED),
    ("permission denied", REJECTED),
    ("eperm", REJECTED),
    ("eacces", REJECTED),
    ("connection timed out", DROPPED),
    ("operation timed out", DROPPED),
    ("download timed out", DROPPED),
    ("timed out", DROPPED),
    ("timeout was reached", DROPPED),
    ("partywall timeout", DROPPED),
    ("etimedout", DROPPED),
];

/// Words by which a missing or unfit program is told.
const MISSING: [&str; 6] = [
    "executable file not found",
    "can't execute",
    "no such file or directory",
    "applet not found",
    "failed to run command",
    "unrecognized option",
];

/// Exit codes that say more than words: (tool, code, meaning, words of ours).
const BY_CODE: [(Tool, i32, Outcome, &str); 4] = [
    // busybox' timeout ends the command by SIGTERM; GNU's says 124
    (Tool::Wget, 143, DROPPED, "no answer within 3 s"),
    (Tool::Wget, 124, DROPPED, "no answer within 3 s"),
    (Tool::Curl, 28, DROPPED, "no answer within 3 s"),
    (Tool::Curl, 1, ANSWERED, "connected; the answer is not HTTP"),
];

impl Tool {
    /// As a word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Wget => "wget",
            Self::Curl => "curl",
            Self::Node => "node",
            Self::Netcat => "nc",
        }
    }

    /// The command that opens one connection and throws away what is answered.
    pub fn connect(self, address: IpAddr, port: u16) -> Vec<String> {
        let host = if address.is_ipv6() { format!("[{address}]") } else { address.to_string() };
        let url = format!("http://{host}:{port}/");
        let (plain, port, patience) = (address.to_string(), port.to_string(), PATIENCE.to_string());
        let longer = (PATIENCE + 2).to_string();
        let parts: Vec<&str> = match self {
            Self::Wget => vec!["timeout", &patience, "wget", "-q", "-O", "/dev/null", &url],
            Self::Curl => {
                vec!["curl", "-sS", "-o", "/dev/null", "--noproxy", "*", "--connect-timeout", &patience, "--max-time", &longer, &url]
            }
            Self::Node => vec!["node", "-e", NODE_CONNECT, "--", &plain, &port],
            Self::Netcat => vec!["timeout", &longer, "nc", "-w", &patience, &plain, &port],
        };
        parts.into_iter().map(str::to_owned).collect()
    }

    /// The command that resolves one name.
    pub fn resolve(self, name: &str) -> Vec<String> {
        let parts: &[&str] = match self {
            Self::Wget | Self::Netcat => &["nslookup", name],
            Self::Curl => &["getent", "hosts", name],
            Self::Node => &["node", "-e", NODE_RESOLVE, "--", name],
        };
        parts.iter().map(|part| (*part).to_owned()).collect()
    }

    /// Reads the end of [`Self::connect`]. Anything that the tables don't know is a failure, which proves nothing.
    pub fn read(self, code: Option<i32>, stdout: &str, stderr: &str) -> Reading {
        let text = first_words(stdout, stderr);
        let lower = text.to_lowercase();
        match code {
            Some(0) => return Reading::Ran(ANSWERED, if lower.contains("partywall") { text } else { "connected and answered".to_owned() }),
            Some(126 | 127 | 139) => return Reading::Missing(text),
            _ => {}
        }
        if let Some((.., outcome, words)) = BY_CODE.iter().find(|(tool, c, ..)| *tool == self && Some(*c) == code) {
            return Reading::Ran(*outcome, if text.is_empty() { (*words).to_owned() } else { text });
        }
        if let Some((_, outcome)) = BY_WORDS.iter().find(|(words, _)| lower.contains(words)) {
            return Reading::Ran(*outcome, text);
        }
        if MISSING.iter().any(|words| lower.contains(words)) || lower.contains("usage:") {
            return Reading::Missing(text);
        }
        let ours = code.map_or_else(|| "the command ended without an exit code".to_owned(), |code| format!("exit code {code}"));
        Reading::Ran(Outcome::Failed, if text.is_empty() { ours } else { text })
    }

    /// Whether a runtime's refusal to start a command means that the program is missing.
    pub fn is_missing(refusal: &str) -> bool {
        let lower = refusal.to_lowercase();
        MISSING.iter().take(3).any(|words| lower.contains(words))
    }
}

/// Reads the end of [`Tool::resolve`]: resolved, or not. A name that does not resolve says nothing about a wall.
pub fn read_resolve(code: Option<i32>, stdout: &str, stderr: &str) -> (Outcome, String) {
    let all = format!("{stdout}\n{stderr}");
    let said = all
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .filter(|line| {
            !line.starts_with("Server:") && !line.contains("#53") && !line.ends_with(":53") && !line.contains("Non-authoritative")
        })
        .find(|line| {
            line.starts_with("Address")
                || line.contains("can't")
                || line.contains("NXDOMAIN")
                || line.contains("partywall")
                || line.contains("timed out")
        });
    let failed = all.contains("NXDOMAIN") || all.contains("SERVFAIL") || all.contains("can't resolve");
    let outcome = if code == Some(0) && !failed { ANSWERED } else { Outcome::Failed };
    let ours = if outcome == ANSWERED { "resolved" } else { "did not resolve" };
    (outcome, clean_to(said.unwrap_or(ours), WORDS))
}

fn first_words(stdout: &str, stderr: &str) -> String {
    let line = stderr.lines().chain(stdout.lines()).map(str::trim).find(|line| !line.is_empty());
    clean_to(line.unwrap_or(""), WORDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Taken from busybox 1.35 in a container, except where marked.
    #[test]
    fn real_words_are_read_by_the_tables() {
        let cases: [(Tool, Option<i32>, &str, &str, Outcome); 20] = [
            (Tool::Wget, Some(0), "", "", ANSWERED),
            (Tool::Wget, Some(143), "", "", DROPPED),
            (Tool::Wget, Some(124), "", "", DROPPED),
            (Tool::Wget, Some(1), "", "wget: can't connect to remote host (127.0.0.1): Connection refused", REJECTED),
            (Tool::Wget, Some(1), "", "wget: can't connect to remote host (10.0.0.1): No route to host", REJECTED),
            (Tool::Wget, Some(1), "", "wget: can't connect to remote host (10.0.0.1): Network is unreachable", REJECTED),
            (Tool::Wget, Some(1), "", "wget: can't connect to remote host (10.0.0.1): Operation not permitted", REJECTED),
            (Tool::Wget, Some(1), "", "wget: can't connect to remote host (10.0.0.1): Connection timed out", DROPPED),
            (Tool::Wget, Some(1), "", "wget: download timed out", DROPPED),
            (Tool::Wget, Some(1), "", "wget: server returned error: HTTP/1.1 404 Not Found", ANSWERED),
            (Tool::Wget, Some(1), "", "wget: bad address 'nope.invalid'", Outcome::Failed),
            (Tool::Wget, Some(1), "", "wget: error getting response: Connection reset by peer", Outcome::Failed),
            (Tool::Wget, None, "", "", Outcome::Failed),
            (Tool::Wget, Some(137), "", "", Outcome::Failed),
            (Tool::Curl, Some(28), "", "curl: (28) Connection timed out after 3001 milliseconds", DROPPED),
            (Tool::Curl, Some(7), "", "curl: (7) Failed to connect to 10.0.0.1 port 80: Connection refused", REJECTED),
            (Tool::Node, Some(1), "partywall timeout", "", DROPPED),
            (Tool::Node, Some(1), "partywall error ECONNREFUSED", "", REJECTED),
            (Tool::Node, Some(1), "partywall error ECONNRESET", "", Outcome::Failed),
            (Tool::Netcat, Some(1), "", "nc: timed out", DROPPED),
        ];
        for (tool, code, stdout, stderr, expected) in cases {
            match tool.read(code, stdout, stderr) {
                Reading::Ran(outcome, _) => assert_eq!(outcome, expected, "{tool:?} {code:?} {stdout} {stderr}"),
                Reading::Missing(said) => panic!("{tool:?} {code:?} {stderr}: missing, {said}"),
            }
        }
    }

    #[test]
    fn a_program_that_is_not_there_is_no_refusal() {
        for (code, stderr) in [
            (Some(127), "timeout: can't execute 'wget': No such file or directory"),
            (Some(139), ""),
            (Some(126), ""),
            (Some(1), "nc: invalid option -- 'z'\nBusyBox v1.35.0 multi-call binary.\n\nUsage: nc"),
        ] {
            let reading = Tool::Wget.read(code, "", stderr);
            let held = matches!(reading, Reading::Ran(Outcome::Refused { .. } | Outcome::Answered, _));
            assert!(!held, "{code:?} {stderr} {reading:?}");
        }
        assert!(Tool::is_missing(r#"OCI runtime exec failed: exec: "nosuchtool": executable file not found in $PATH: unknown"#));
    }

    #[test]
    fn names_that_resolve_are_told_from_those_that_do_not() {
        let busybox = "Server:\t\t10.96.0.10\nAddress:\t10.96.0.10:53\n\n** server can't find x.y.svc.cluster.local: NXDOMAIN\n";
        assert_eq!(
            read_resolve(Some(1), busybox, ""),
            (Outcome::Failed, "** server can't find x.y.svc.cluster.local: NXDOMAIN".to_owned())
        );
        let found =
            "Server:\t\t10.96.0.10\nAddress:\t10.96.0.10:53\n\n\nName:\twhoami.web-tenant-acme.svc.cluster.local\nAddress: 10.96.10.161\n";
        assert_eq!(read_resolve(Some(0), found, ""), (ANSWERED, "Address: 10.96.10.161".to_owned()));
        assert_eq!(read_resolve(Some(0), "partywall resolved 10.0.0.1", "").0, ANSWERED);
        assert_eq!(read_resolve(Some(1), "", ";; connection timed out; no servers could be reached").0, Outcome::Failed);
    }

    #[test]
    fn hostile_words_are_cleaned_and_cut() {
        let Reading::Ran(_, said) = Tool::Wget.read(Some(9), "", &format!("\u{1b}]0;x\u{7}{}", "y".repeat(5000))) else { panic!("ran") };
        assert!(!said.contains('\u{1b}') && said.chars().count() <= WORDS + 1);
    }
}
