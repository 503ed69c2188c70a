//! `partywall probe`: runs probes and prints their receipts as they come.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use color_eyre::eyre::Result;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{BLIND, FOUND, USAGE, complain, print, print_json, settled, sources};
use crate::app::msg::{Msg, ProbeNews};
use crate::cli::args::{Output, ProbeArgs};
use crate::config::Config;
use crate::fix::guard::Mode;
use crate::live::Live;
use crate::live::work::Worker;
use crate::model::ids::TenantId;
use crate::posture::verdict::Tried;
use crate::probe::spec::{PROBES, ProbeId};
use crate::receipt::Receipt;
use crate::receipt::judge::judge;
use crate::report::receipt as report;

/// Runs the probes asked for. The command itself asks to try walls, so it needs no `--mode probe`; a mode chosen as observe still forbids it.
pub async fn run(config: &Config, args: &ProbeArgs) -> Result<ExitCode> {
    if config.mode == Mode::Observe && config.mode_chosen {
        return complain(&"observe mode was chosen, and observe never tries a wall: leave --mode away or set it to probe", USAGE);
    }
    let Some(probes) = probes(args) else {
        return complain(&"there is a probe for the walls net, sec and res only", USAGE);
    };
    let Some(live) = settled(config, args.timeout).await? else { return Ok(ExitCode::from(BLIND)) };
    let view = live.views.borrow().clone();
    let all = &view.assessment.by_tenant;
    if let Some(stranger) = args.tenants.iter().find(|name| !all.contains_key(name.as_str())) {
        return complain(&sources::no_such_tenant(&view, stranger), USAGE);
    }
    let tenants: Vec<TenantId> =
        all.keys().filter(|t| args.tenants.is_empty() || args.tenants.iter().any(|n| *n == ***t)).cloned().collect();
    let mut session = Session::new(&live, config.mode.max(Mode::Probe), args.output);
    for tenant in &tenants {
        for probe in &probes {
            session.probe(&live, tenant, *probe).await?;
        }
    }
    session.finish(live, &tenants).await
}

fn probes(args: &ProbeArgs) -> Option<Vec<ProbeId>> {
    if args.walls.is_empty() {
        return Some(PROBES.to_vec());
    }
    let probes: Vec<ProbeId> = PROBES.into_iter().filter(|probe| args.walls.contains(&probe.wall())).collect();
    (!probes.is_empty()).then_some(probes)
}

struct Session {
    worker: Worker,
    news: mpsc::UnboundedReceiver<Msg>,
    output: Output,
    receipts: Vec<Arc<Receipt>>,
    failed: Vec<serde_json::Value>,
    cancel: CancellationToken,
}

impl Session {
    fn new(live: &Live, mode: Mode, output: Output) -> Self {
        let (out, news) = mpsc::unbounded_channel();
        let cancel = CancellationToken::new();
        let stop = cancel.clone();
        tokio::spawn(async move {
            if tokio::signal::ctrl_c().await.is_ok() {
                stop.cancel();
            }
        });
        Self { worker: Worker::new(live, mode, out), news, output, receipts: Vec::new(), failed: Vec::new(), cancel }
    }

    async fn probe(&mut self, live: &Live, tenant: &TenantId, probe: ProbeId) -> Result<()> {
        if self.cancel.is_cancelled() {
            return Ok(());
        }
        let working = self.worker.probe(tenant, probe, self.cancel.clone());
        tokio::pin!(working);
        let result = loop {
            tokio::select! {
                result = &mut working => break result,
                Some(message) = self.news.recv() => show_progress(&message)?,
            }
        };
        clear_progress()?;
        match result {
            Ok(receipt) => {
                live.keep(receipt.clone());
                if self.output == Output::Table {
                    print(&report::text(&receipt, None))?;
                    print("\n")?;
                }
                self.receipts.push(receipt);
            }
            Err(why) => {
                complain(&format!("{} of {tenant}: {why}", probe.id()), 0)?;
                self.failed.push(serde_json::json!({"tenant": crate::model::text::clean(tenant), "probe": probe.id(), "why": crate::model::text::clean(&why)}));
            }
        }
        Ok(())
    }

    async fn finish(self, mut live: Live, tenants: &[TenantId]) -> Result<ExitCode> {
        // the verdicts printed are those of a view that knows every receipt
        let wanted = self.receipts.last().map(|receipt| receipt.id.clone());
        let known = |view: &Arc<crate::app::msg::View>| wanted.as_ref().is_none_or(|id| view.book.get(id).is_some());
        let _ = tokio::time::timeout(Duration::from_secs(5), live.views.wait_for(known)).await;
        let view = live.views.borrow().clone();
        for text in live.said() {
            complain(&text, 0)?;
        }
        let showed = |what: Tried| self.receipts.iter().any(|r| r.crossings.iter().any(|c| judge(r, c).tried() == what));
        let crossed = showed(Tried::Crossed);
        // an attempt that proved nothing did not look, whatever refused it
        let blind = !self.failed.is_empty() || showed(Tried::Vacuous);
        let walls: Vec<_> = tenants
            .iter()
            .filter_map(|tenant| view.assessment.by_tenant.get(tenant))
            .map(|t| serde_json::json!({"tenant": crate::model::text::clean(&t.tenant), "grade": t.grade, "walls": crate::report::check::walls(t)}))
            .collect();
        if self.output == Output::Json {
            let receipts: Vec<_> = self.receipts.iter().map(|receipt| report::json(receipt, None)).collect();
            print_json(
                &serde_json::json!({"schema": "partywall.probe/v1", "receipts": receipts, "failed": self.failed, "tenants": walls}),
            )?;
        } else {
            for tenant in tenants.iter().filter_map(|tenant| view.assessment.by_tenant.get(tenant)) {
                let walls: Vec<String> = tenant
                    .walls
                    .iter()
                    .filter(|(wall, _)| tenant.of_wall(**wall).next().is_some())
                    .map(|(wall, verdict)| format!("{} {}", wall.short(), verdict.word()))
                    .collect();
                print(&format!("{}: {}\n", crate::model::text::clean(&tenant.tenant), walls.join(", ")))?;
            }
            print(&format!("{}\n", report::DOES_NOT_PROVE))?;
        }
        Ok(match (crossed, blind) {
            (true, _) => ExitCode::from(FOUND),
            (false, false) => ExitCode::SUCCESS,
            (false, true) => ExitCode::from(BLIND),
        })
    }
}

/// Tells on a terminal what is being tried at the moment; pipes and files get receipts only.
fn show_progress(message: &Msg) -> Result<()> {
    let mut err = std::io::stderr().lock();
    if let (Msg::Probe(ProbeNews::Doing { what, .. }), true) = (message, err.is_terminal()) {
        write!(err, "\r\x1b[K  {}", crate::model::text::clean_to(what, 70))?;
        err.flush()?;
    }
    Ok(())
}

fn clear_progress() -> Result<()> {
    let mut err = std::io::stderr().lock();
    if err.is_terminal() {
        write!(err, "\r\x1b[K")?;
        err.flush()?;
    }
    Ok(())
}
