//! The policy reader against real servers: what they accept and refuse, and what an exact rule then allows.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::format_push_string,
    clippy::format_collect,
    reason = "tests say what they expect by panicking"
)]

#[path = "vault_reader/corpus.rs"]
mod corpus;
#[path = "common/devvault.rs"]
mod devvault;
#[path = "vault_reader/random.rs"]
mod random;

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use devvault::DevServer;
use partywall::vaultacl::capability::{Capabilities, Capability};
use partywall::vaultacl::dialect::Dialect;
use partywall::vaultacl::policy::{PatternKind, Policy};
use partywall::vaultacl::read;
use serde_json::json;

/// `PARTYWALL_READER_CASES` says how many policies are made up for each server, `PARTYWALL_READER_SEED` which.
fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).ok().and_then(|number| number.parse().ok()).unwrap_or(default)
}

#[test]
fn a_server_of_ones_own_answers() {
    let Some(server) = DevServer::openbao() else { return };
    let policy = json!({"policy": "path \"secret/data/a\" { capabilities = [\"read\"] }"});
    assert_eq!(server.request("PUT", "sys/policies/acl/a", Some(&policy)).0, 204);
    let (status, token) = server.request("POST", "auth/token/create", Some(&json!({"policies": ["a"]})));
    assert_eq!(status, 200, "{token}");
    let token = token.pointer("/auth/client_token").unwrap().as_str().unwrap();
    let (status, answer) = server.request_as(token, "POST", "sys/capabilities-self", Some(&json!({"paths": ["secret/data/a"]})));
    assert_eq!((status, answer.pointer("/data/secret~1data~1a")), (200, Some(&json!(["read"]))), "{answer}");
    assert_eq!(server.request_as("", "GET", "secret/data/a", None).0, 403);
}

/// What a server says to each text, beside what the reader says.
struct Judge {
    server: DevServer,
    dialect: Dialect,
    token: String,
    accepted: usize,
    refused: usize,
    compared: usize,
    expired: usize,
    wrong: Vec<String>,
}

impl Judge {
    fn new(server: DevServer, dialect: Dialect) -> Self {
        let create = json!({"policies": ["p"], "no_default_policy": true});
        let (status, answer) = server.request("POST", "auth/token/create", Some(&create));
        assert_eq!(status, 200, "{answer}");
        let token = answer.pointer("/auth/client_token").unwrap().as_str().unwrap().to_owned();
        Self { server, dialect, token, accepted: 0, refused: 0, compared: 0, expired: 0, wrong: Vec::new() }
    }

    fn judge(&mut self, text: &str) {
        // text that happens to be base64 would be decoded by the server: so all of it is encoded
        let body = json!({"policy": base64::engine::general_purpose::STANDARD.encode(text)});
        if text.is_empty() {
            return;
        }
        let (status, answer) = self.server.request("PUT", "sys/policies/acl/p", Some(&body));
        let ours = read(text, self.dialect);
        match (status, &ours) {
            (200 | 204, Ok(policy)) => {
                self.accepted += 1;
                self.effect(text, policy);
            }
            // without an answer: a request that the server could not survive
            (0 | 400 | 500, Err(_)) => self.refused += 1,
            // what has expired is not read any further, and the reader has no clock
            (204, Err(_)) if text.contains("expiration") => self.expired += 1,
            _ => {
                let ours = ours.map(|policy| policy.rules.len()).map_err(|why| why.to_string());
                self.wrong.push(format!("{text:?}\n  server: {status} {answer}\n  reader: {ours:?}"));
            }
        }
    }

    /// What rules for one path allow there, for nothing outranks them.
    fn effect(&mut self, text: &str, policy: &Policy) {
        let mut exact: BTreeMap<&str, Capabilities> = BTreeMap::new();
        for rule in &policy.rules {
            let pattern = rule.pattern.as_str();
            let plain = PatternKind::of(pattern) == PatternKind::Exact
                && !pattern.contains("{{")
                && !pattern.is_empty()
                && !pattern.starts_with('/')
                && pattern.trim() == pattern;
            if plain && rule.expires.is_none() && !pattern.contains(char::REPLACEMENT_CHARACTER) {
                let all = exact.entry(pattern).or_default();
                *all = all.or(rule.capabilities);
            }
        }
        if exact.is_empty() {
            return;
        }
        let paths: Vec<&str> = exact.keys().copied().collect();
        let (status, answer) = self.server.request("POST", "sys/capabilities", Some(&json!({"token": self.token, "paths": paths})));
        assert_eq!(status, 200, "{text:?}: {answer}");
        for (path, set) in exact {
            let ours: BTreeSet<&str> = if set.denies() { ["deny"].into() } else { set.iter().map(Capability::word).collect() };
            let theirs: BTreeSet<&str> = answer["data"][path].as_array().into_iter().flatten().filter_map(|word| word.as_str()).collect();
            self.compared += 1;
            if ours != theirs {
                self.wrong.push(format!("{text:?}\n  {path}: server {theirs:?}, reader {ours:?}"));
            }
        }
    }

    fn finish(self) {
        let Self { dialect, accepted, refused, compared, expired, wrong, .. } = self;
        eprintln!(
            "{}: {accepted} accepted and {refused} refused alike, {compared} paths compared, {expired} left out as expired, {} differences",
            dialect.word(),
            wrong.len()
        );
        let shown: Vec<&String> = wrong.iter().take(40).collect();
        assert!(wrong.is_empty(), "{} differences\n{shown:#?}", wrong.len());
        assert!(expired < 100, "{expired} left out as expired");
        assert!(accepted > 500 && refused > 500, "the policies are no test: {accepted} accepted, {refused} refused");
    }
}

fn compare(server: DevServer, dialect: Dialect) {
    let mut judge = Judge::new(server, dialect);
    let corpus = corpus::all();
    for text in &corpus {
        judge.judge(text);
    }
    let mut rng = fastrand::Rng::with_seed(number("PARTYWALL_READER_SEED", 5));
    for case in 0..number("PARTYWALL_READER_CASES", 4000) {
        let text = match case % 6 {
            0 | 1 => random::hcl(&mut rng),
            2 => random::json(&mut rng),
            3 => {
                let whole = random::hcl(&mut rng);
                random::damage(&mut rng, &whole)
            }
            4 => {
                let whole = random::json(&mut rng);
                random::damage(&mut rng, &whole)
            }
            _ => {
                let whole = &corpus[rng.usize(..corpus.len())];
                random::damage(&mut rng, whole)
            }
        };
        judge.judge(&text);
    }
    judge.finish();
}

#[test]
fn openbao_accepts_and_refuses_what_the_reader_does() {
    if let Some(server) = DevServer::openbao() {
        compare(server, Dialect::OpenBao26);
    }
}

#[test]
fn vault_accepts_and_refuses_what_the_reader_does() {
    if let Some(server) = DevServer::vault() {
        compare(server, Dialect::Vault121);
    }
}
