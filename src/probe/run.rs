//! Runs probes: the only place where walls are tried. Every request carries a permit, every wait has an end, and whatever was opened is closed
//! again, also when the probe is cancelled or its task is dropped.

pub mod hands;
mod network;
mod resource;
mod scribe;
mod vault;

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

pub use hands::Hands;
use scribe::{Made, Scribe};

use super::can;
use super::spec::ProbeId;
use crate::app::msg::ProbeNews;
use crate::fix::guard::{Mode, ProbePermit};
use crate::model::ids::{Name, TenantId};
use crate::model::snapshot::Snapshot;
use crate::model::tenant::Tenants;
use crate::model::time::Time;
use crate::receipt::ledger::new_id;
use crate::receipt::{ClusterId, Dependency, Receipt};
use crate::vault::VaultOptions;
use crate::vaultacl::reach::Picture;

/// At most so many partners are tried until one is alive.
const PARTNERS: usize = 3;
/// Longest time for a whole probe.
const LONGEST: Duration = Duration::from_secs(90);

/// What a receipt of a probe rests on, as of a snapshot: tenant, then partner.
pub type DependsFn = fn(&Snapshot, &Tenants, ProbeId, &str, Option<&str>) -> Option<Vec<Dependency>>;
/// Whom to try a tenant's walls against, if anybody is preferred.
pub type PartnerFn = fn(&Snapshot, &Tenants, &str) -> Option<TenantId>;

/// Everything a probe needs to know and to hold.
pub struct Context<'a, H> {
    /// The cluster's hands.
    pub hands: &'a H,
    /// Where Vault is. Our own token is not used by probes.
    pub vault: &'a VaultOptions,
    /// The facts as of the start.
    pub snapshot: Arc<Snapshot>,
    /// The tenants.
    pub tenants: &'a Tenants,
    /// What they can reach in Vault, by the same facts.
    pub secrets: Arc<Picture>,
    /// Leave to try walls.
    pub permit: ProbePermit,
    /// Who runs it: the name the API server knows us by.
    pub operator: Name,
    /// Mode in force.
    pub mode: Mode,
    /// The clock.
    pub now: fn() -> Time,
    /// Ends the probe.
    pub cancel: CancellationToken,
    /// What receipts rest on.
    pub depends: DependsFn,
    /// Whom to prefer as partner.
    pub partner: PartnerFn,
}

/// Why there is no receipt.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProbeError {
    /// It can't be run: why.
    #[error("{0}")]
    Cannot(String),
    /// The operator ended it.
    #[error("cancelled")]
    Cancelled,
    /// It took too long.
    #[error("the probe did not end within 90 s")]
    TimedOut,
}

/// Runs one probe of one tenant and makes its receipt. News come as the steps are done; the last is [`ProbeNews::Done`] or
/// [`ProbeNews::Failed`]. The receipt is not yet in any ledger.
pub async fn run<H: Hands>(
    probe: ProbeId,
    tenant: &TenantId,
    context: &Context<'_, H>,
    news: impl Fn(ProbeNews) + Send + Sync,
) -> Result<Receipt, ProbeError> {
    let result = tried(probe, tenant, context, &news).await;
    news(match &result {
        Ok(receipt) => ProbeNews::Done(Arc::new(receipt.clone())),
        Err(error) => ProbeNews::Failed { tenant: tenant.clone(), probe, why: error.to_string() },
    });
    result
}

async fn tried<H: Hands>(
    probe: ProbeId,
    tenant: &TenantId,
    context: &Context<'_, H>,
    news: &(dyn Fn(ProbeNews) + Send + Sync),
) -> Result<Receipt, ProbeError> {
    let (snapshot, tenants) = (&*context.snapshot, context.tenants);
    can::can_probe(snapshot, tenants, &context.secrets, &snapshot.access, probe, tenant).map_err(ProbeError::Cannot)?;
    // in line for the network probe, which alone can find out that one is dead
    let preferred = (context.partner)(snapshot, tenants, tenant);
    let partners = can::partners(snapshot, tenants, &context.secrets, probe, tenant, preferred.as_ref(), PARTNERS);
    let rests_on = |partner: Option<&str>| {
        (context.depends)(snapshot, tenants, probe, tenant, partner).ok_or_else(|| {
            ProbeError::Cannot("not everything that a receipt would rest on can be seen, so it would prove nothing".to_owned())
        })
    };
    // asked before anything is tried
    rests_on(partners.first().map(AsRef::as_ref))?;
    let created = (context.now)();
    let scribe = Scribe { tenant, probe, now: context.now, news };
    let work = async {
        match (probe, partners.first()) {
            (ProbeId::Network, Some(_)) => Box::pin(network::run(context, &scribe, tenant, &partners)).await,
            (ProbeId::Vault, Some(partner)) => Box::pin(vault::run(context, &scribe, tenant, partner)).await,
            (ProbeId::Resource, _) => Box::pin(resource::run(context, &scribe, tenant)).await,
            (_, None) => Err(ProbeError::Cannot("there is nobody to try the wall against".to_owned())),
        }
    };
    let Made { steps, crossings, partner } = tokio::time::timeout(LONGEST, Box::pin(work)).await.unwrap_or(Err(ProbeError::TimedOut))?;
    let depends = rests_on(partner.as_deref())?;
    let server = &snapshot.server;
    Ok(Receipt {
        id: new_id(created),
        probe,
        tenant: tenant.clone(),
        partner,
        cluster: ClusterId {
            context: server.context.clone(),
            uid: server.cluster_uid.clone(),
            version: server.version.clone(),
            simulated: server.simulated,
        },
        operator: context.operator.clone(),
        mode: context.mode.word().into(),
        steps,
        crossings,
        depends,
        created,
        expires: created.plus(probe.lifetime()),
    })
}

impl<H> Context<'_, H> {
    /// Waits for something unless the operator ends the probe first.
    async fn unless_cancelled<T>(&self, wait: impl Future<Output = T> + Send) -> Result<T, ProbeError> {
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(ProbeError::Cancelled),
            done = wait => Ok(done),
        }
    }

    fn namespaces(&self, tenant: &str) -> &[Name] {
        self.tenants.namespaces.get(tenant).map_or(&[], Vec::as_slice)
    }
}
