//! Holds the three rings apart by reading the sources (DESIGN.md, architecture). Each rule is a row; each row is shown to be able to fail.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stderr,
    reason = "a test fails by panicking"
)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// A file may have so many lines of code before its tests; beyond the second number the build fails.
const LINES: (usize, usize) = (400, 600);

/// A region of the source tree and what must not be named there.
struct Rule {
    ring: &'static str,
    /// Path prefixes under `src/` that belong to the region.
    within: &'static [&'static str],
    /// Prefixes within those that belong to another region.
    except: &'static [&'static str],
    /// What is forbidden, as it appears in code. A trailing `::` or `.` is part of it.
    forbidden: &'static [&'static str],
}

const CLOCKS: [&str; 5] = ["Instant::now", "SystemTime::now", "Timestamp::now", "Zoned::now", "Utc::now"];
const EFFECTS_OF_STD: [&str; 6] = ["std::fs", "std::net::Tcp", "std::net::Udp", "std::env", "std::process", "std::thread"];

const RULES: [Rule; 5] = [
    Rule {
        ring: "pure",
        within: &["model", "netpol", "vaultacl", "posture", "app", "fix", "probe", "receipt"],
        except: &["fix/apply", "probe/run", "receipt/ledger"],
        forbidden: &[
            "tokio",
            "kube",
            "k8s_openapi",
            "vaultrs",
            "rustify",
            "reqwest",
            "hyper",
            "crossterm",
            "ratatui",
            "rustix",
            "futures",
            "fastrand",
            "std::fs",
            "std::net::Tcp",
            "std::net::Udp",
            "std::env",
            "std::process",
            "std::thread",
            "Instant::now",
            "SystemTime::now",
            "Timestamp::now",
            "Zoned::now",
            "Utc::now",
            "crate::cluster",
            "crate::vault",
            "crate::live",
            "crate::demo",
            "crate::config",
            "crate::telemetry",
            "crate::ui",
            "crate::term",
            "crate::cli",
            "crate::shot",
            "crate::report",
            "crate::fix::apply",
            "crate::probe::run",
            "crate::receipt::ledger",
        ],
    },
    Rule {
        ring: "drawing",
        within: &["ui"],
        except: &[],
        forbidden: &[
            "tokio",
            "kube",
            "k8s_openapi",
            "vaultrs",
            "reqwest",
            "hyper",
            "crossterm",
            "rustix",
            "std::fs",
            "std::net::Tcp",
            "std::net::Udp",
            "std::env",
            "std::process",
            "std::thread",
            "Instant::now",
            "SystemTime::now",
            "Timestamp::now",
            "crate::cluster",
            "crate::vault",
            "crate::live",
            "crate::demo",
            "crate::term",
            "crate::cli",
            "crate::telemetry",
            "crate::fix::apply",
            "crate::probe::run",
            "crate::receipt::ledger",
        ],
    },
    Rule {
        ring: "effects",
        within: &["cluster", "vault", "probe/run", "fix/apply", "receipt/ledger", "live", "demo"],
        except: &["vaultacl"],
        forbidden: &["crossterm", "ratatui", "crate::ui", "crate::term", "crate::cli", "crate::shot"],
    },
    Rule {
        ring: "manifests",
        within: &["manifests"],
        except: &["manifests/files"],
        forbidden: &[
            "tokio",
            "kube",
            "vaultrs",
            "crossterm",
            "ratatui",
            "std::fs",
            "std::env",
            "std::process",
            "Instant::now",
            "SystemTime::now",
            "Timestamp::now",
            "crate::live",
            "crate::vault",
            "crate::ui",
            "crate::term",
            "crate::cli",
        ],
    },
    Rule {
        ring: "reports",
        within: &["report"],
        except: &[],
        forbidden: &["crossterm", "tokio", "kube", "vaultrs", "crate::ui", "crate::term", "crate::cluster", "crate::vault"],
    },
];

/// The region's files are `name.rs` and everything under `name/`.
fn is_within(path: &str, prefixes: &[&str]) -> bool {
    prefixes.iter().any(|prefix| path.strip_prefix(prefix).is_some_and(|rest| rest == ".rs" || rest.starts_with('/')))
}

/// Code without comments, the contents of strings, and the tests at the end. Rough, and enough: a name in code survives.
fn code(text: &str) -> String {
    let text = text.split_once("#[cfg(test)]\nmod tests").map_or(text, |(before, _)| before);
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        let mut quoted = false;
        let mut previous = ' ';
        let mut chars = line.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '"' if previous != '\\' && previous != '\'' => quoted = !quoted,
                '/' if !quoted && chars.peek() == Some(&'/') => break,
                c if !quoted => out.push(c),
                _ => {}
            }
            previous = if previous == '\\' && c == '\\' { ' ' } else { c };
        }
        out.push('\n');
    }
    out
}

/// Whether a name stands in code as itself and not as a part of another.
fn names(code: &str, wanted: &str) -> bool {
    let part_of_name = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(wanted).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let after = code[at + wanted.len()..].chars().next();
        // `crate::vault` is not `crate::vaultacl`, `kube` is not `kubernetes`; but `std::net::Tcp` is a beginning on purpose
        let begins = before.is_none_or(|c| !part_of_name(c) && (c != ':' || wanted.contains("::")));
        let ends = wanted.ends_with("Tcp") || wanted.ends_with("Udp") || after.is_none_or(|c| !part_of_name(c));
        // a bare crate name counts where it is used as a path
        let used = wanted.contains("::") || code[at + wanted.len()..].starts_with("::") || code[..at].trim_end().ends_with("use");
        begins && ends && used
    })
}

/// Paths of `use crate::{a, b::c}` spelled out, so that grouping hides nothing.
fn spelled_out(code: &str) -> String {
    let mut out = code.to_owned();
    let mut rest = code;
    while let Some((_, after)) = rest.split_once("crate::{") {
        let mut depth = 1;
        let end = after.find(|c| {
            depth += i32::from(c == '{') - i32::from(c == '}');
            depth == 0
        });
        let body = &after[..end.unwrap_or(after.len())];
        let mut level = 0;
        for part in body.split(|c| {
            level += i32::from(c == '{') - i32::from(c == '}');
            c == ',' && level == 0
        }) {
            let _ = write!(out, "\nuse crate::{};", part.trim());
        }
        rest = after;
    }
    out
}

fn offences(path: &str, text: &str) -> Vec<String> {
    let code = spelled_out(&code(text));
    let rules = RULES.iter().filter(|rule| is_within(path, rule.within) && !is_within(path, rule.except));
    rules
        .flat_map(|rule| {
            rule.forbidden
                .iter()
                .filter(|wanted| names(&code, wanted))
                .map(move |wanted| format!("{path}: the {} ring names {wanted}", rule.ring))
        })
        .collect()
}

fn sources() -> Vec<(String, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|e| e == "rs") {
                found.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    walk(&root, &mut paths);
    paths.sort();
    let relative = |path: &PathBuf| {
        path.strip_prefix(&root).unwrap().components().map(|c| c.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
    };
    paths.iter().map(|path| (relative(path), std::fs::read_to_string(path).unwrap())).collect()
}

#[test]
fn the_rings_are_held_apart() {
    let sources = sources();
    assert!(sources.len() > 40, "only {} files were read", sources.len());
    let all: Vec<String> = sources.iter().flat_map(|(path, text)| offences(path, text)).collect();
    assert!(all.is_empty(), "{}", all.join("\n"));
}

#[test]
fn files_fit_in_the_head() {
    let length = |text: &str| text.split_once("#[cfg(test)]\nmod tests").map_or(text, |(before, _)| before).lines().count();
    let mut long: Vec<(usize, String)> =
        sources().into_iter().map(|(path, text)| (length(&text), path)).filter(|(lines, _)| *lines > LINES.0).collect();
    long.sort();
    for (lines, path) in &long {
        eprintln!("{path}: {lines} lines; more than {} want to be two files", LINES.0);
    }
    assert!(long.iter().all(|(lines, _)| *lines <= LINES.1), "more than {} lines: {long:?}", LINES.1);
}

#[test]
fn no_module_hides_in_mod_rs() {
    let hidden: Vec<String> = sources().into_iter().map(|(path, _)| path).filter(|path| path.ends_with("mod.rs")).collect();
    assert!(hidden.is_empty(), "{hidden:?}");
}

#[test]
fn every_rule_can_fail() {
    for rule in &RULES {
        let path = format!("{}/sample.rs", rule.within[0]);
        for wanted in rule.forbidden {
            let used = if wanted.contains("::") { format!("fn f() {{ let _ = {wanted}(); }}") } else { format!("use {wanted}::x;") };
            assert!(!offences(&path, &used).is_empty(), "{} does not notice {used}", rule.ring);
        }
    }
    assert!(
        CLOCKS.iter().chain(&EFFECTS_OF_STD).all(|wanted| RULES[0].forbidden.contains(wanted)),
        "the pure ring knows no clock and no system"
    );
}

#[test]
fn what_is_allowed_is_not_an_offence() {
    for (path, text) in [
        ("model/a.rs", "use std::net::IpAddr;"),
        ("model/a.rs", "//! never names tokio::main\nlet kubernetes = \"kube::Client\"; // std::fs"),
        ("model/a.rs", "use crate::model::vault::VaultFacts; use crate::vaultacl::x;"),
        ("model/a.rs", "#[cfg(test)]\nmod tests { use std::fs; }"),
        ("probe/run/net.rs", "use tokio::time; use kube::Client;"),
        ("receipt/ledger.rs", "use std::fs;"),
        ("ui/fleet.rs", "use ratatui::buffer::Buffer; use crate::app::msg::Key;"),
        ("cluster/watch.rs", "use crate::model::ids::Name; use kube::Api;"),
        ("cli.rs", "use crate::ui::x; use crate::cluster::y; use crossterm::z;"),
    ] {
        assert_eq!(offences(path, text), Vec::<String>::new(), "{path}: {text}");
    }
    for (path, text) in [
        ("receipt.rs", "use crate::{model::x, ui::y};"),
        ("fix/plan.rs", "fn f() { tokio::spawn(x) }"),
        ("posture/a.rs", "let t = jiff::Timestamp::now();"),
        ("cluster/watch.rs", "use crate::{model::{a, b}, ui::y};"),
        ("model/a.rs", "let c = '\"'; use std::fs;"),
    ] {
        assert_ne!(offences(path, text), Vec::<String>::new(), "{path}: {text}");
    }
}
