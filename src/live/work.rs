//! Probes and fixes as effects: they run beside the pipeline and come back as messages.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{Live, now};
use crate::app::msg::{Msg, ProbeNews, View};
use crate::cluster::Cluster;
use crate::fix::apply::{self, Applied};
use crate::fix::guard::{Mode, ProbePermit, WritePermit};
use crate::fix::plan::{FixPlan, PlanAction};
use crate::model::ids::TenantId;
use crate::model::text::clean;
use crate::posture::catalogue;
use crate::probe::depends::{depends, partner};
use crate::probe::run::{Context, run};
use crate::probe::spec::{PROBES, ProbeId};
use crate::receipt::Receipt;

/// What the workers need: cheap to clone into a task.
#[derive(Clone)]
pub struct Worker {
    mode: Mode,
    cluster: tokio::sync::watch::Receiver<Option<Arc<Cluster>>>,
    views: tokio::sync::watch::Receiver<Arc<View>>,
    vault: crate::vault::VaultOptions,
    out: mpsc::UnboundedSender<Msg>,
}

const NOT_CONNECTED: &str = "the API server is not connected: see the header for why";

impl Worker {
    /// A worker over a pipeline; messages go to `out`.
    pub fn new(live: &Live, mode: Mode, out: mpsc::UnboundedSender<Msg>) -> Self {
        Self { mode, cluster: live.cluster.clone(), views: live.views.clone(), vault: live.options().vault.clone(), out }
    }

    fn connected(&self) -> Result<Arc<Cluster>, String> {
        self.cluster.borrow().clone().ok_or_else(|| NOT_CONNECTED.to_owned())
    }

    /// Runs one probe to its receipt, telling its progress and its end.
    pub async fn probe(&self, tenant: &TenantId, probe: ProbeId, cancel: CancellationToken) -> Result<Arc<Receipt>, String> {
        let ready = ProbePermit::for_mode(self.mode)
            .ok_or_else(|| format!("{} mode does not try walls: start with --mode probe", self.mode.word()))
            .and_then(|permit| self.connected().map(|cluster| (permit, cluster)));
        let (permit, cluster) = match ready {
            Ok(ready) => ready,
            Err(why) => {
                let _ = self.out.send(Msg::Probe(ProbeNews::Failed { tenant: tenant.clone(), probe, why: why.clone() }));
                return Err(why);
            }
        };
        let view = self.views.borrow().clone();
        if view.snapshot.server.cluster_uid.is_empty() {
            let why = "which cluster this is, is not known yet, and a receipt must name it".to_owned();
            let _ = self.out.send(Msg::Probe(ProbeNews::Failed { tenant: tenant.clone(), probe, why: why.clone() }));
            return Err(why);
        }
        let context = Context {
            hands: &*cluster,
            vault: &self.vault,
            snapshot: view.snapshot.clone(),
            tenants: &view.assessment.tenants,
            secrets: view.assessment.secrets.clone(),
            permit,
            operator: view.snapshot.access.user.clone().unwrap_or_else(|| "unknown".into()),
            mode: self.mode,
            now,
            cancel,
            depends,
            partner,
        };
        let out = self.out.clone();
        let news = move |news: ProbeNews| {
            let _ = out.send(Msg::Probe(news));
        };
        run(probe, tenant, &context, news).await.map(Arc::new).map_err(|error| error.to_string())
    }

    /// Reads the live objects of a plan and asks the server's dry-run.
    pub async fn plan(&self, tenant: &TenantId, check: &str) -> Result<FixPlan, String> {
        let view = self.views.borrow().clone();
        let plan = crate::fix::recipes::plan(check, &view.snapshot, &view.assessment.tenants, tenant).map_err(|why| why.to_string())?;
        let cluster = self.connected()?;
        Ok(apply::preview(&cluster, ProbePermit::for_mode(self.mode), plan).await)
    }

    /// Applies a plan; yields what was done and the plan that undoes it.
    pub async fn apply(&self, plan: FixPlan, permit: WritePermit) -> Result<Applied, String> {
        let cluster = self.connected()?;
        apply::apply(&cluster, plan, permit).await.map_err(|error| error.to_string())
    }

    /// Takes a plan back, by its inverse.
    pub async fn undo(&self, inverse: FixPlan, permit: WritePermit) -> Result<Applied, String> {
        let cluster = self.connected()?;
        apply::undo(&cluster, inverse, permit).await.map_err(|error| error.to_string())
    }

    /// The probes that feed a check.
    pub fn probes_of(check: &str) -> Vec<ProbeId> {
        catalogue::find(check).and_then(|info| info.probe).map_or_else(|| PROBES.to_vec(), |probe| vec![probe])
    }
}

/// What was done, in words.
pub fn summary(applied: &Applied) -> String {
    let done = |action: PlanAction, word: &str| {
        let steps = applied.plan.steps.iter().filter(|step| step.action == action);
        let objects: Vec<String> = steps.map(|step| clean(&step.object.to_string())).collect();
        if objects.is_empty() { String::new() } else { format!("{word} {}", objects.join(", ")) }
    };
    let parts = [done(PlanAction::Apply, "wrote"), done(PlanAction::Delete, "deleted")];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; ")
}
