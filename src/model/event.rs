//! Events that record a refusal: the only events kept.

use super::ids::{Name, ObjectRef};
use super::meta::Meta;
use super::time::Time;

/// An Event about a refusal by quota, LimitRange, Pod Security, a policy engine, Vault or a ClusterSecretStore's conditions. Hearsay: whoever
/// may create Events in a namespace may write one, so it shows what was told and proves nothing.
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

impl RefusalFact {
    /// Of a refusal by Vault, the request as the message tells it: method, and path without `/v1/`, mount first. None where the message
    /// names no URL, or was cut before its end. Hostile text. O(length).
    pub fn vault_request(&self) -> Option<(&str, &str)> {
        let (_, after) = self.message.split_once("URL: ")?;
        let (method, url) = after.split_once(' ')?;
        let (url, _) = url.split_once(char::is_whitespace)?;
        let (_, path) = url.split_once("/v1/")?;
        let path = path.split_once('?').map_or(path, |(path, _)| path);
        (!path.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase())).then_some((method, path))
    }
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
    /// The conditions of a ClusterSecretStore, applied by External Secrets.
    StoreCondition,
    /// The network: silence.
    NetworkDrop,
    /// The network: an active refusal.
    NetworkReject,
    /// Somebody we can't name.
    Unknown,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_that_vault_refused_is_read_out_of_the_message() {
        let asked = |message: &str| {
            let fact = RefusalFact {
                meta: Meta::default(),
                about: None,
                about_text: "".into(),
                reason: "".into(),
                message: message.into(),
                authority: Authority::VaultAcl,
                count: 1,
                last: Time(0),
            };
            fact.vault_request().map(|(method, path)| format!("{method} {path}"))
        };
        for (message, said) in [
            ("x\n\nURL: GET http://vault:8200/v1/secret/data/a?version=1\nCode: 403.", Some("GET secret/data/a")),
            ("URL: PUT https://v/v1/auth/kubernetes/login Code: 403", Some("PUT auth/kubernetes/login")),
            ("URL: GET http://vault:8200/v1/secret/data/cut", None),
            ("URL: GET http://vault:8200/ui/x\n", None),
            ("URL: get http://vault:8200/v1/x\n", None),
            ("URL: GET http://vault:8200/v1/\n", None),
            ("URL: ", None),
            ("no such thing", None),
        ] {
            assert_eq!(asked(message).as_deref(), said, "{message:?}");
        }
    }
}
