//! The pipeline under test: on the real servers of the bed, or on the demo's.
#![allow(dead_code, reason = "each test crate uses its part of this")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a harness that can't go on says so by panicking")]

use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::Duration;

use partywall::app::msg::{Msg, View};
use partywall::cluster::connect::ConnectOptions;
use partywall::demo::DemoHandle;
use partywall::fix::guard::Mode;
use partywall::live::work::Worker;
use partywall::live::{Live, LiveOptions};
use partywall::posture::engine::EngineConfig;
use partywall::posture::verdict::Verdict;
use partywall::posture::wall::Wall;
use partywall::probe::spec::ProbeId;
use partywall::receipt::Receipt;
use partywall::vault::{VaultOptions, validate_token};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio_util::sync::CancellationToken;

use super::testbed::{Identity, Testbed};

/// A running pipeline with an empty ledger.
pub struct Fleet {
    pub live: Live,
    pub worker: Worker,
    pub messages: UnboundedReceiver<Msg>,
    pub state: tempfile::TempDir,
}

impl Fleet {
    /// On the real servers, as one of the bed's identities.
    pub async fn real(bed: &Testbed, who: Identity, mode: Mode) -> Self {
        let connect = ConnectOptions { kubeconfig: Some(bed.kubeconfig(who)), ..ConnectOptions::default() };
        let vault = VaultOptions {
            addr: Some(bed.vault_addr().to_owned()),
            token: validate_token(bed.vault_operator_token(), "the bed").unwrap(),
            poll: Duration::from_secs(5),
            ..VaultOptions::default()
        };
        Self::start(connect, vault, mode).await
    }

    /// On the demo's servers.
    pub async fn demo(handle: &DemoHandle, mode: Mode) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let kubeconfig = folder.path().join("kubeconfig");
        std::fs::write(&kubeconfig, handle.kubeconfig_yaml()).unwrap();
        let connect = ConnectOptions { kubeconfig: Some(kubeconfig), ..ConnectOptions::default() };
        let vault = VaultOptions {
            addr: Some(handle.vault_url()),
            token: validate_token(handle.vault_token(), "the demo").unwrap(),
            poll: Duration::from_secs(2),
            ..VaultOptions::default()
        };
        Self::start(connect, vault, mode).await
    }

    async fn start(connect: ConnectOptions, vault: VaultOptions, mode: Mode) -> Self {
        partywall::cluster::connect::install_crypto();
        let state = tempfile::tempdir().unwrap();
        let ledger = state.path().join("receipts.jsonl");
        let mut live = Live::start(LiveOptions { connect, vault, engine: EngineConfig::default(), ledger });
        assert!(live.settled(Duration::from_secs(30)).await, "not settled: {:?}", live.views.borrow().snapshot.sources);
        let (out, messages) = tokio::sync::mpsc::unbounded_channel();
        let worker = Worker::new(&live, mode, out);
        Self { live, worker, messages, state }
    }

    /// The newest view.
    pub fn view(&self) -> Arc<View> {
        self.live.views.borrow().clone()
    }

    /// Runs probes and keeps their receipts.
    pub async fn probe(&mut self, tenant: &str, probes: &[ProbeId]) -> Vec<Arc<Receipt>> {
        let mut receipts = Vec::new();
        for probe in probes {
            let receipt = self.worker.probe(&tenant.into(), *probe, CancellationToken::new()).await;
            let receipt = receipt.unwrap_or_else(|why| panic!("{} of {tenant}: {why}", probe.id()));
            self.live.keep(receipt.clone());
            receipts.push(receipt);
        }
        let wanted = receipts.last().unwrap().id.clone();
        self.until("the receipt is kept", Duration::from_secs(5), |view| view.book.get(&wanted).is_some()).await;
        receipts
    }

    /// Waits until a view is as wanted, and says what it was instead.
    pub async fn until(&mut self, what: &str, limit: Duration, seen: impl Fn(&View) -> bool) -> Arc<View> {
        let found = {
            let waited = tokio::time::timeout(limit, self.live.views.wait_for(|view| seen(view))).await;
            waited.ok().and_then(Result::ok).map(|view| view.clone())
        };
        if let Some(view) = found {
            return view;
        }
        let view = self.view();
        let tenants: Vec<_> = view.assessment.by_tenant.values().map(|t| (t.tenant.clone(), t.walls.clone())).collect();
        panic!(
            "not within {limit:?}: {what}; sources {:?}, tenants {tenants:?}, receipts {:#?}",
            view.snapshot.sources,
            view.book.all().next()
        );
    }
}

/// A tenant's network wall.
pub fn net_of(view: &View, tenant: &str) -> Verdict {
    wall_of(view, tenant, Wall::Net)
}

/// A tenant's wall; UNKNOWN for a tenant that is not there.
pub fn wall_of(view: &View, tenant: &str, wall: Wall) -> Verdict {
    view.assessment.by_tenant.get(tenant).map_or(Verdict::Unknown, |t| t.wall(wall))
}

/// Runs the binary as the bed's administrator with the operator's Vault token.
pub fn partywall(bed: &Testbed, state: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_partywall"))
        .args(args)
        .arg("--state-dir")
        .arg(state)
        .env("KUBECONFIG", bed.kubeconfig(Identity::Admin))
        .env("VAULT_ADDR", bed.vault_addr())
        .env("VAULT_TOKEN", bed.vault_operator_token())
        .output()
        .unwrap()
}

/// No file below a folder contains any of these texts.
pub fn assert_absent(folder: &Path, texts: &[&str]) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            assert_absent(&path, texts);
            continue;
        }
        let content = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
        for text in texts {
            assert!(!content.contains(text), "{} holds a secret", path.display());
        }
    }
}
