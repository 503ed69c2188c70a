//! A server made ready, and sets played on it by a few at a time.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use partywall::vaultacl::dialect::Dialect;
use partywall::vaultacl::policy::Policy;
use serde_json::{Value, json};

use crate::asks::THERE;
use crate::devvault::DevServer;
use crate::people::People;
use crate::set;

pub struct Stage<'a> {
    pub server: &'a DevServer,
    pub dialect: Dialect,
    pub people: People,
    /// The root and what is below it, each with a slash at its end.
    pub namespaces: Vec<&'static str>,
    /// The policy `default` of each, as read from the server.
    pub defaults: Vec<Policy>,
}

/// What came of the sets so far.
#[derive(Default)]
pub struct Tally {
    pub policies: AtomicUsize,
    pub capabilities: AtomicUsize,
    pub requests: AtomicUsize,
    pub authorised: AtomicUsize,
    pub differences: Mutex<Vec<String>>,
}

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().map_or(otherwise, |text| text.parse().unwrap_or_else(|_| panic!("{name} is {text:?}: it must be a number")))
}

impl<'a> Stage<'a> {
    fn new(server: &'a DevServer, dialect: Dialect, namespaced: bool) -> Self {
        let namespaces: Vec<&'static str> = if namespaced { vec!["", "n1/", "n1/n2/"] } else { vec![""] };
        if namespaced {
            ok(server, "", "POST", "sys/namespaces/n1", &json!({}));
            ok(server, "n1/", "POST", "sys/namespaces/n2", &json!({}));
        }
        for namespace in &namespaces {
            ok(server, namespace, "POST", "sys/mounts/k1", &json!({"type": "kv"}));
            ok(server, namespace, "POST", "sys/mounts/k2", &json!({"type": "kv", "options": {"version": "2"}}));
            for name in THERE {
                ok(server, namespace, "POST", &format!("k1/{name}"), &json!({"z": "z"}));
                settled(server, namespace, &format!("k2/data/{name}"));
            }
        }
        let default = |namespace: &&'static str| {
            let (_, answer) = server.request_with(&headers("root", namespace), "GET", "sys/policies/acl/default", None);
            partywall::vaultacl::read(answer["data"]["policy"].as_str().unwrap(), dialect).expect("the default policy can be read")
        };
        let defaults = namespaces.iter().map(default).collect();
        Self { server, dialect, people: People::settle(server), namespaces, defaults }
    }
}

/// Version 2 is being set up for a moment after the mount was made.
fn settled(server: &DevServer, namespace: &str, path: &str) {
    let body = json!({"data": {"z": "z"}});
    let written = (0..100).any(|_| {
        let done = server.request_with(&headers("root", namespace), "POST", path, Some(&body)).0 == 200;
        if !done {
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        done
    });
    assert!(written, "{path}");
}

pub fn headers<'h>(token: &'h str, namespace: &'h str) -> [(&'static str, &'h str); 2] {
    [("X-Vault-Token", token), ("X-Vault-Namespace", namespace)]
}

/// Asks with the root token and wants it done.
pub fn ok(server: &DevServer, namespace: &str, method: &str, path: &str, body: &Value) -> Value {
    let (status, answer) = server.request_with(&headers("root", namespace), method, path, Some(body));
    assert!((200..300).contains(&status), "{namespace}{path}: {status} {answer}");
    answer
}

/// Plays `PARTYWALL_ACL_SETS` sets from `PARTYWALL_ACL_SEED` on, and wants no difference.
pub fn run(server: &DevServer, dialect: Dialect, namespaced: bool) {
    let stage = Stage::new(server, dialect, namespaced);
    let (sets, seed, hands) = (number("PARTYWALL_ACL_SETS", 1_500), number("PARTYWALL_ACL_SEED", 1), number("PARTYWALL_ACL_HANDS", 4));
    let (tally, next, begun) = (Tally::default(), AtomicU64::new(0), Instant::now());
    std::thread::scope(|scope| {
        for _ in 0..hands {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    if at >= sets || tally.differences.lock().unwrap().len() > 50 {
                        break;
                    }
                    set::play(&stage, seed + at, &tally);
                }
            });
        }
    });
    let count = |of: &AtomicUsize| of.load(Ordering::Relaxed);
    let differences = tally.differences.into_inner().unwrap();
    eprintln!(
        "{}: {sets} sets from seed {seed}, {} policies, {} capabilities, {} requests ({} authorised), {} differences in {:.1?}",
        dialect.word(),
        count(&tally.policies),
        count(&tally.capabilities),
        count(&tally.requests),
        count(&tally.authorised),
        differences.len(),
        begun.elapsed()
    );
    assert!(count(&tally.requests) == 0 || count(&tally.authorised) > 0, "nothing was ever allowed: the comparison says nothing");
    assert!(differences.is_empty(), "{}", differences.iter().take(8).cloned().collect::<Vec<_>>().join("\n----\n"));
}
