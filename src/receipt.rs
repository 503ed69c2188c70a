//! Receipts: the record of one probe, when it counts, and how the ledger chains them.

pub mod book;
pub mod judge;
pub mod ledger;
pub mod validity;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::event::Authority;
use crate::model::ids::{Name, ObjectRef, TenantId, Uid};
use crate::model::time::Time;
use crate::probe::spec::ProbeId;

/// A receipt's id: sorts by time.
pub type ReceiptId = Arc<str>;

/// The record of one probe. What it proves is never stored: [`judge::judge`] works it out from the steps, so that a verdict can't be forged
/// or outlive a change of the rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Time-sortable id.
    pub id: ReceiptId,
    /// Which probe.
    pub probe: ProbeId,
    /// The tenant whose wall was tried.
    pub tenant: TenantId,
    /// The tenant on the other side.
    pub partner: Option<TenantId>,
    /// Which cluster.
    pub cluster: ClusterId,
    /// Who ran it: the name the API server knows us by.
    pub operator: Name,
    /// Mode in force, `probe` or `fix`.
    pub mode: Name,
    /// Everything that was done, in order.
    pub steps: Vec<Step>,
    /// What was tried, and which steps speak for it.
    pub crossings: Vec<Crossing>,
    /// Every object the declarations behind it rest on.
    pub depends: Vec<Dependency>,
    /// When it was made.
    pub created: Time,
    /// When it stops counting by age.
    pub expires: Time,
}

/// Which cluster a receipt is about. A receipt of another cluster proves nothing here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterId {
    /// Context name at the time, for people.
    pub context: Name,
    /// Uid of `kube-system`.
    pub uid: Name,
    /// Server version.
    pub version: Name,
    /// The servers were simulated.
    pub simulated: bool,
}

/// One thing a probe did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What, in words: `acme: GET http://whoami.web-tenant-acme…`. Cleaned; carries no secret, token or Vault path of a third party.
    pub what: String,
    /// From where: pod and container, `api` or `vault`.
    pub from: String,
    /// What came of it.
    pub outcome: Outcome,
    /// The answer in the server's own words, cleaned, at most 512 characters.
    pub said: String,
    /// Status code, exit code or the like, as text.
    pub code: String,
    /// Vault's request id or the API server's audit id.
    pub request_id: Option<String>,
    /// When it began.
    pub at: Time,
    /// How long it took, milliseconds.
    pub took: u64,
}

/// What came of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "is")]
pub enum Outcome {
    /// It was let through: connected and answered, authorised, accepted.
    Answered,
    /// Somebody refused.
    Refused {
        /// Who, by their words or their silence.
        by: Authority,
    },
    /// Neither: an error that says nothing about a wall.
    Failed,
}

/// One attempt to cross a wall, with the steps that control it, as indices into [`Receipt::steps`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Crossing {
    /// In words.
    pub what: String,
    /// Checks it speaks for.
    pub checks: Vec<String>,
    /// Who is expected to refuse.
    pub expected: Vec<Authority>,
    /// Steps that show that the source works.
    pub source: Vec<usize>,
    /// Steps that show that the target answers somebody who is entitled.
    pub target: Vec<usize>,
    /// Steps that must fail, to show that the path is not credulous.
    pub sober: Vec<usize>,
    /// The attempts themselves.
    pub attempts: Vec<usize>,
}

/// An object that the declaration behind a receipt rests on, as it was.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Dependency {
    /// Which.
    pub object: ObjectRef,
    /// Its uid: an object made again is another object.
    pub uid: Uid,
    /// Its version, as in [`crate::model::meta::Meta::version`] or a digest.
    pub version: u64,
}
