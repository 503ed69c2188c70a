//! The result of an evaluation: immutable, shared with the screen, the reports and the tests.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::catalogue::CheckInfo;
use super::finding::Finding;
use super::verdict::{Declared, Tried, Verdict};
use super::wall::Wall;
use crate::model::ids::{Name, ObjectRef, TenantId};
use crate::model::quantity::Quantity;
use crate::model::snapshot::How;
use crate::model::tenant::Tenants;
use crate::model::time::Time;
use crate::netpol::matrix::Matrix;
use crate::receipt::ReceiptId;
use crate::vaultacl::reach::Picture;

/// The posture of a fleet at one moment.
#[derive(Clone, Debug, Default)]
pub struct Assessment {
    /// Generation of the snapshot it was made from.
    pub generation: u64,
    /// When it was made.
    pub at: Time,
    /// The tenants found and the rule that found them.
    pub tenants: Arc<Tenants>,
    /// By tenant.
    pub by_tenant: BTreeMap<TenantId, Arc<TenantAssessment>>,
    /// Platform checks (PLT), of the whole cluster.
    pub platform: Vec<CheckResult>,
    /// What we could not look at, once for the whole fleet.
    pub unknowns: Vec<Unknown>,
    /// Who can reach whom, by declaration.
    pub matrix: Arc<Matrix>,
    /// What every tenant can reach in Vault, by declaration.
    pub secrets: Arc<Picture>,
    /// When time alone will change this assessment (a receipt expires, a refusal is no longer recent): evaluate again then.
    pub next_expiry: Option<Time>,
}

/// One tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantAssessment {
    /// Name.
    pub tenant: TenantId,
    /// What runs there.
    pub kind: AppKind,
    /// Its namespaces, sorted.
    pub namespaces: Vec<Name>,
    /// Verdict of each wall. A wall without any check in this release is [`Verdict::NotApplicable`] with no result in `checks`.
    pub walls: BTreeMap<Wall, Verdict>,
    /// Results by check, in catalogue order.
    pub checks: Vec<CheckResult>,
    /// The weakest wall.
    pub grade: Verdict,
    /// Share of probeable checks with a valid receipt: (with, of).
    pub coverage: (u32, u32),
    /// When the oldest receipt that the grade relies on was made.
    pub oldest_proof: Option<Time>,
    /// Quota rows, one per quota and resource.
    pub quota: Vec<QuotaRow>,
    /// Which pods each policy, quota and LimitRange covers.
    pub covers: Vec<Cover>,
    /// Recent refusals from Events.
    pub refusals: Vec<Refusal>,
    /// Pods running and all pods that have not ended.
    pub pods: (u32, u32),
    /// The newest change that moved a wall of this tenant.
    pub changed: Option<WallMove>,
}

/// What a tenant runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum AppKind {
    /// n8n.
    N8n,
    /// Node-RED.
    NodeRed,
    /// Both.
    Both,
    /// Something else.
    #[default]
    Other,
}

impl AppKind {
    /// For a column.
    pub const fn word(self) -> &'static str {
        match self {
            Self::N8n => "n8n",
            Self::NodeRed => "node-red",
            Self::Both => "both",
            Self::Other => "-",
        }
    }
}

/// A check's result for one tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckResult {
    /// The check.
    pub check: &'static CheckInfo,
    /// What is said of it.
    pub verdict: Verdict,
    /// What the declarations alone say.
    pub declared: Declared,
    /// What the newest receipt that counts says.
    pub tried: Tried,
    /// The receipt that `tried` rests on.
    pub receipt: Option<ReceiptId>,
    /// Why the newest receipt does not count any more: shown instead of it.
    pub lapsed: Option<Lapsed>,
    /// Findings, worst first. For a check declared right: at least one finding that says what makes it so.
    pub findings: Vec<Finding>,
}

/// Why a receipt stopped counting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lapsed {
    /// The receipt.
    pub receipt: ReceiptId,
    /// When it was made.
    pub made: Time,
    /// What ended it.
    pub by: LapsedBy,
}

/// What ended a receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LapsedBy {
    /// Its time ran out.
    Expired(Time),
    /// An object it depended on moved.
    Moved(ObjectRef, How),
    /// Recorded as lapsed in the ledger, with the reason.
    Recorded(String),
}

/// Something we could not look at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unknown {
    /// The source, such as `NetworkPolicy` or `vault policies`.
    pub source: String,
    /// Its state and reason in words, cleaned.
    pub why: String,
    /// Checks that are UNKNOWN because of it.
    pub costs: Vec<&'static str>,
}

/// One resource of one quota.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotaRow {
    /// Namespace.
    pub namespace: Name,
    /// Quota.
    pub quota: Name,
    /// Resource, as in `requests.cpu`.
    pub resource: Name,
    /// Hard limit.
    pub hard: Quantity,
    /// Used; none until the quota controller has counted.
    pub used: Option<Quantity>,
    /// Used of hard in thousandths; none when it can't be said. A hard limit of zero counts as full.
    pub permille: Option<u32>,
    /// How many more pods with the LimitRange's defaults fit by this resource alone; none where it does not bind pods or no default is known.
    pub fits: Option<u64>,
    /// This resource is the one that stops the next default pod first.
    pub binding: bool,
}

/// Which pods an object covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cover {
    /// The policy, quota or LimitRange.
    pub object: ObjectRef,
    /// Existing pods it covers.
    pub covered: u32,
    /// Existing pods of its namespace.
    pub of: u32,
    /// Whether every future pod of its namespace is covered; none when that can't be decided.
    pub future: Option<bool>,
}

/// A recent refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// When last.
    pub last: Time,
    /// How often.
    pub count: u32,
    /// Namespace.
    pub namespace: Name,
    /// What was refused, as `Kind/name`, cleaned.
    pub about: String,
    /// Who refused.
    pub authority: crate::model::event::Authority,
    /// In whose words, cleaned.
    pub message: String,
}

/// A change that moved a wall.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WallMove {
    /// When we saw it.
    pub at: Time,
    /// Which wall.
    pub wall: Wall,
    /// From.
    pub from: Verdict,
    /// To.
    pub to: Verdict,
    /// The object that moved, if one did.
    pub object: Option<(ObjectRef, How)>,
    /// Field manager, cleaned.
    pub manager: Option<String>,
}

impl Assessment {
    /// Kinds of policies that have objects here and that nothing recognised in the cluster enforces (PLT-01): answers count them, and may be wrong
    /// for it.
    pub fn unenforced(&self) -> Vec<&'static str> {
        unenforced(&self.platform)
    }
}

/// Kinds that the platform's checks found objects of, with nothing to enforce them. O(findings).
pub(super) fn unenforced(platform: &[CheckResult]) -> Vec<&'static str> {
    let findings = platform.iter().flat_map(|result| &result.findings);
    findings.filter(|finding| finding.reason == Some(UNENFORCED)).map(|finding| finding.subject.kind).collect()
}

/// The sub-reason of PLT-01 for objects that nothing recognised enforces.
pub const UNENFORCED: &str = "unenforced-kind";

impl TenantAssessment {
    /// The verdict of a wall.
    pub fn wall(&self, wall: Wall) -> Verdict {
        self.walls.get(&wall).copied().unwrap_or(Verdict::NotApplicable)
    }

    /// Results of the checks of one wall.
    pub fn of_wall(&self, wall: Wall) -> impl Iterator<Item = &CheckResult> {
        self.checks.iter().filter(move |result| result.check.wall == wall)
    }

    /// Findings that are violations.
    pub fn violations(&self) -> impl Iterator<Item = &Finding> {
        self.checks.iter().flat_map(|result| &result.findings).filter(|finding| finding.verdict.is_violation())
    }
}
