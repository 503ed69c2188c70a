//! The Vault poller against the simulated server, against strange ones, and against a real OpenBao where the test bed is installed.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "tests say what they expect by panicking"
)]

#[path = "common/devvault.rs"]
mod devvault;
#[path = "vault_follow/fleet.rs"]
mod fleet;
#[path = "vault_follow/lines.rs"]
mod lines;
#[path = "common/testbed.rs"]
mod testbed;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use partywall::demo::{self, DemoOptions, Faults, VaultFault};
use partywall::model::changes::Change;
use partywall::model::source::SourceState;
use partywall::model::vault::{Flavour, VaultFacts};
use partywall::vault::client::Client;
use partywall::vault::{Follower, VaultErrorKind, VaultOptions, follow, validate_token};
use testbed::{Need, Testbed};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{Receiver, channel};

fn options(addr: &str, token: &str) -> VaultOptions {
    VaultOptions {
        addr: Some(addr.to_owned()),
        token: validate_token(token, "the test").unwrap(),
        poll: Duration::from_secs(2),
        ..VaultOptions::default()
    }
}

struct Watched {
    changes: Receiver<Vec<Change>>,
    follower: Follower,
}

impl Watched {
    fn start(options: VaultOptions) -> Self {
        let (tx, changes) = channel(16);
        Self { changes, follower: follow(options, tx) }
    }

    /// The first facts that are as wanted, and how long they took.
    async fn until(&mut self, what: &str, limit: Duration, seen: impl Fn(&VaultFacts) -> bool) -> (VaultFacts, Duration) {
        let began = Instant::now();
        let mut last = None;
        while let Ok(Some(changes)) = tokio::time::timeout(limit.saturating_sub(began.elapsed()), self.changes.recv()).await {
            for change in changes {
                let Change::Vault(facts) = change else { panic!("not about Vault: {change:?}") };
                if seen(&facts) {
                    return (*facts, began.elapsed());
                }
                last = Some(facts);
            }
        }
        panic!("not within {limit:?}: {what}; last {last:#?}");
    }
}

const LONG: Duration = Duration::from_secs(15);

fn all_live(facts: &VaultFacts) -> bool {
    facts.server.state == SourceState::Live
        && facts.token == SourceState::Live
        && facts.auth_mounts.state == SourceState::Live
        && facts.policies.state == SourceState::Live
        && facts.secret_mounts.state == SourceState::Live
        && facts.kubernetes_config.state == SourceState::Live
        && facts.entities.state == SourceState::Live
        && facts.groups.state == SourceState::Live
        && matches!(facts.namespaces.state, SourceState::Live | SourceState::Absent)
        && !facts.kubernetes.is_empty()
        && facts.kubernetes.values().all(|part| part.state == SourceState::Live)
}

fn walkthrough(facts: &VaultFacts) {
    let (_, roles) = facts.kubernetes.iter().next().unwrap();
    let role = &roles.items["tenant-acme"];
    assert_eq!(role.namespaces.iter().map(AsRef::as_ref).collect::<Vec<_>>(), ["web-tenant-acme"]);
    assert!(facts.policies.items["tenant-acme"].text.contains("capabilities"));
    assert_eq!(facts.secret_mounts.items["secret"].version, Some(2));
    assert_eq!(facts.auth_mounts.items["kubernetes"].kind.as_ref(), "kubernetes");
    assert!(!facts.auth_mounts.items["kubernetes"].accessor.is_empty());
}

#[tokio::test]
async fn the_demos_vault_is_read_and_its_outages_show_and_end() {
    let demo = demo::start(DemoOptions::default()).await.unwrap();
    let mut watched = Watched::start(options(&demo.vault_url(), demo.vault_token()));
    let (first, _) = watched.until("something at once", Duration::from_secs(1), |_| true).await;
    assert!(first.configured && first.server.state == SourceState::Connecting);
    let (live, _) = watched.until("everything live", LONG, all_live).await;
    walkthrough(&live);
    let fault = |vault| demo.set_faults(Faults { vault, ..Faults::default() });
    fault(VaultFault::Sealed);
    let (sealed, took) = watched.until("sealed", LONG, |facts| matches!(facts.server.state, SourceState::Stale { .. })).await;
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert!(sealed.server.state.to_string().contains("sealed"), "{}", sealed.server.state);
    assert!(sealed.policies.state.to_string().contains("sealed") && sealed.policies.items == live.policies.items, "what was read is kept");
    fault(VaultFault::None);
    let (_, took) = watched.until("live again", LONG, all_live).await;
    assert!(took < Duration::from_secs(6), "{took:?}");
    fault(VaultFault::Unreachable);
    let (down, _) = watched.until("a proxy's page", LONG, |facts| matches!(facts.server.state, SourceState::Stale { .. })).await;
    assert!(down.server.state.to_string().contains("502"), "{}", down.server.state);
    fault(VaultFault::Denied);
    let (denied, _) = watched.until("denied", LONG, |facts| matches!(facts.policies.state, SourceState::Denied { .. })).await;
    let why = denied.policies.state.to_string();
    assert!(why.contains("path \"sys/policies/acl\" { capabilities = [\"list\"] }"), "{why}");
    assert_eq!(denied.server.state, SourceState::Live);
}

#[tokio::test]
async fn a_reread_does_not_wait_for_the_poll() {
    let demo = demo::start(DemoOptions::default()).await.unwrap();
    let slow = VaultOptions { poll: Duration::from_secs(3600), ..options(&demo.vault_url(), demo.vault_token()) };
    let mut watched = Watched::start(slow);
    watched.until("everything live", LONG, all_live).await;
    demo.set_faults(Faults { vault: VaultFault::Denied, ..Faults::default() });
    watched.follower.reread();
    let (_, took) = watched.until("denied", LONG, |facts| matches!(facts.policies.state, SourceState::Denied { .. })).await;
    assert!(took < Duration::from_secs(2), "{took:?}");
}

#[tokio::test]
async fn no_vault_no_token_and_a_wrong_token_have_words() {
    let (none, _) = Watched::start(VaultOptions::default()).until("one answer", LONG, |_| true).await;
    assert_eq!(none, VaultFacts::default());
    let (wrong, _) = Watched::start(options("https://vault.example/vault", ""))
        .until("down", LONG, |f| matches!(f.server.state, SourceState::Down { .. }))
        .await;
    assert!(wrong.server.state.to_string().contains("has a path"), "{}", wrong.server.state);
    let demo = demo::start(DemoOptions::default()).await.unwrap();
    let denied = |facts: &VaultFacts| matches!(facts.token, SourceState::Denied { .. });
    let (no_token, _) = Watched::start(options(&demo.vault_url(), "")).until("denied", LONG, denied).await;
    assert!(no_token.token.to_string().contains("VAULT_TOKEN"));
    assert_eq!(no_token.server.state, SourceState::Live, "the health needs no token");
    let (wrong_token, _) = Watched::start(options(&demo.vault_url(), "s.CANARY")).until("denied", LONG, denied).await;
    assert!(wrong_token.token.to_string().contains("invalid or expired"));
    assert!(!format!("{wrong_token:?}").contains("CANARY"));
}

/// A server that says the same to everybody and keeps what it was asked.
async fn parrot(answer: &'static str) -> (String, Arc<Mutex<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let heard = Arc::new(Mutex::new(String::new()));
    let keep = heard.clone();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut buffer = [0_u8; 4096];
            let read = socket.read(&mut buffer).await.unwrap_or(0);
            keep.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..read]));
            drop(socket.write_all(answer.as_bytes()).await);
        }
    });
    (address, heard)
}

#[tokio::test]
async fn a_redirect_is_not_followed_with_the_token() {
    let (other, heard) = parrot("HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}").await;
    let location: &'static str =
        format!("HTTP/1.1 307 Temporary Redirect\r\nlocation: {other}/v1/x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").leak();
    let (first, _) = parrot(location).await;
    let client = Client::new(&options(&first, "")).unwrap().unwrap().with_token(validate_token("s.CANARY", "t").unwrap());
    let error = client.get("sys/mounts").await.unwrap_err();
    assert_eq!((error.kind, error.status), (VaultErrorKind::NotVault, Some(307)));
    assert_eq!(heard.lock().unwrap().as_str(), "");
    assert!(vaultrs::token::lookup_self(&client.library()).await.is_err());
    assert_eq!(heard.lock().unwrap().as_str(), "");
    assert!(!format!("{client:?}").contains("CANARY"));
}

#[tokio::test]
async fn somebody_who_is_not_vault_and_nobody_at_all_are_told_apart() {
    let (page, _) =
        parrot("HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 15\r\nconnection: close\r\n\r\n<html>\x1b[2J</html>").await;
    let down = |facts: &VaultFacts| matches!(facts.server.state, SourceState::Down { .. });
    let (facts, _) = Watched::start(options(&page, "s.x")).until("not Vault", LONG, down).await;
    assert!(facts.server.state.to_string().contains("not Vault"), "{}", facts.server.state);
    let (other, _) = parrot("HTTP/1.1 200 OK\r\ncontent-length: 11\r\nconnection: close\r\n\r\n{\"a\": true}").await;
    let (facts, _) = Watched::start(options(&other, "s.x")).until("not Vault", LONG, down).await;
    assert!(facts.server.state.to_string().contains("not Vault"), "{}", facts.server.state);
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let (facts, _) = Watched::start(options(&format!("http://{free}"), "s.x")).until("unreachable", LONG, down).await;
    assert!(facts.server.state.to_string().contains("unreachable"), "{}", facts.server.state);
    assert!(matches!(facts.policies.state, SourceState::Down { .. }));
}

#[tokio::test]
async fn a_real_openbao_is_read() {
    let Some(bed) = Testbed::shared(Need::Servers) else { return };
    let mut watched = Watched::start(options(bed.vault_addr(), bed.vault_operator_token()));
    let (live, took) = watched.until("everything live", LONG, all_live).await;
    eprintln!("read in {took:?}");
    walkthrough(&live);
    assert_eq!(live.kubernetes["kubernetes"].items["tenant-acme"].audience.as_deref(), Some("vault"));
    assert_eq!(live.server.flavour, Flavour::OpenBao);
    assert!(live.server.version.starts_with("2."), "{}", live.server.version);
    assert!(live.server.cluster_id.is_some());
    let config = &live.kubernetes_config.items["kubernetes"];
    assert!(config.has_ca && config.reviewer_set && config.host.starts_with("https://"), "{config:?}");
    let shown = format!("{live:?}");
    for secret in [bed.canary("acme"), bed.canary("globex"), bed.vault_operator_token(), bed.vault_root_token()] {
        assert!(!shown.contains(secret));
    }
}

#[tokio::test]
async fn sealing_a_real_openbao_shows_within_seconds_and_unsealing_too() {
    let Some(bed) = Testbed::alone(Need::OwnServers) else { return };
    let mut watched = Watched::start(options(bed.vault_addr(), bed.vault_operator_token()));
    watched.until("everything live", LONG, all_live).await;
    bed.command_ok("seal", &[]);
    let (sealed, took) = watched.until("sealed", LONG, |facts| matches!(facts.server.state, SourceState::Stale { .. })).await;
    assert!(took < Duration::from_secs(5), "{took:?}");
    for state in [&sealed.policies.state, &sealed.entities.state, &sealed.groups.state, &sealed.kubernetes_config.state] {
        assert!(matches!(state, SourceState::Stale { .. }) && state.to_string().contains("sealed"), "{state}");
    }
    bed.command_ok("unseal", &[]);
    watched.until("live again", LONG, all_live).await;
}
