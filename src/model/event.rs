//! Events that record a refusal: the only events kept.

use super::ids::{Name, ObjectRef};
use super::meta::Meta;
use super::time::Time;

/// An Event about a refusal by quota, LimitRange, Pod Security or a policy engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusalFact {
    /// Identity of the Event.
    pub meta: Meta,
    /// What it is about, if it is of a kind we know.
    pub about: Option<ObjectRef>,
    /// Kind and name of what it is about, as written.
    pub about_text: Name,
    /// `reason`, such as FailedCreate.
    pub reason: Name,
    /// `message`, cut to [`super::text::LONGEST`] characters. Hostile text.
    pub message: Name,
    /// Who refused, as far as the message tells.
    pub authority: Authority,
    /// How often.
    pub count: u32,
    /// Last seen.
    pub last: Time,
}

/// Who refuses a request, by the words of the refusal (`spec/posture.md` 5.5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Authority {
    /// RBAC or another authoriser: the request never reached admission.
    Authorizer,
    /// LimitRanger.
    LimitRanger,
    /// ResourceQuota: amounts exceeded.
    ResourceQuota,
    /// ResourceQuota: an amount is missing, which a LimitRange would have supplied.
    ResourceQuotaMissing,
    /// PodSecurity.
    PodSecurity,
    /// A ValidatingAdmissionPolicy.
    AdmissionPolicy,
    /// An admission webhook.
    Webhook,
    /// An admission webhook that can't answer a dry-run.
    WebhookNoDryRun,
    /// An admission webhook that failed.
    WebhookBroken,
    /// Schema or field validation.
    Validation,
    /// Vault's ACL.
    VaultAcl,
    /// The binding of a Vault role.
    VaultRoleBinding,
    /// The network: silence.
    NetworkDrop,
    /// The network: an active refusal.
    NetworkReject,
    /// Somebody we can't name.
    Unknown,
}
