//! Who refused, by the words of the refusal (`spec/posture.md` 5.5.2). The same table serves API refusals and Events.

use crate::model::event::Authority;

/// One row: every word must occur in the message.
struct Fingerprint {
    /// Status code it comes with; none for any. Events carry no code and match any.
    code: Option<u16>,
    words: &'static [&'static str],
    who: Authority,
}

const fn says(words: &'static [&'static str], who: Authority) -> Fingerprint {
    Fingerprint { code: None, words, who }
}

/// In order: the first row that matches decides. What names its author comes before what only sounds like somebody.
const FINGERPRINTS: [Fingerprint; 25] = [
    says(&["admission webhook \"", "does not support dry run"], Authority::WebhookNoDryRun),
    says(&["does not support dry run"], Authority::WebhookNoDryRun),
    says(&["failed calling webhook"], Authority::WebhookBroken),
    says(&["failed to call webhook"], Authority::WebhookBroken),
    says(&["admission webhook \"", "denied the request"], Authority::Webhook),
    says(&["ValidatingAdmissionPolicy '", "denied request"], Authority::AdmissionPolicy),
    says(&["violates PodSecurity \""], Authority::PodSecurity),
    says(&["exceeded quota:"], Authority::ResourceQuota),
    says(&["failed quota:", "must specify"], Authority::ResourceQuotaMissing),
    says(&["insufficient quota to match these scopes"], Authority::ResourceQuota),
    says(&["status unknown for quota:"], Authority::ResourceQuota),
    says(&["maximum ", " usage per "], Authority::LimitRanger),
    says(&["minimum ", " usage per "], Authority::LimitRanger),
    says(&[" max limit to request ratio per "], Authority::LimitRanger),
    says(&["policy ", "denied request"], Authority::AdmissionPolicy),
    says(&["denied the request"], Authority::Webhook),
    says(&["cannot ", " resource \"", "User \""], Authority::Authorizer),
    Fingerprint { code: Some(403), words: &["cannot ", " in API group \""], who: Authority::Authorizer },
    Fingerprint { code: Some(403), words: &["cannot ", " at the cluster scope"], who: Authority::Authorizer },
    Fingerprint { code: Some(403), words: &["cannot ", " path \""], who: Authority::Authorizer },
    Fingerprint { code: Some(403), words: &["RBAC:"], who: Authority::Authorizer },
    Fingerprint { code: Some(401), words: &[], who: Authority::Authorizer },
    Fingerprint { code: Some(422), words: &[], who: Authority::Validation },
    Fingerprint { code: Some(400), words: &[], who: Authority::Validation },
    Fingerprint { code: Some(415), words: &[], who: Authority::Validation },
];

/// Who refused. `code` is the status of an API answer, none for an Event; `reason` is the Status' or the Event's. O(length of the message).
pub fn classify(code: Option<u16>, reason: &str, message: &str) -> Authority {
    let matches = |row: &&Fingerprint| {
        let code_fits = match (row.code, code) {
            (None, _) => true,
            (Some(wanted), Some(got)) => wanted == got,
            // a row that is told by its code alone says nothing about an Event
            (Some(_), None) => !row.words.is_empty(),
        };
        code_fits && in_order(message, row.words)
    };
    match FINGERPRINTS.iter().find(matches) {
        // a webhook or policy may answer with any code; `Invalid` without such words is the API's own validation
        Some(row) => row.who,
        None if reason == "Invalid" => Authority::Validation,
        None => Authority::Unknown,
    }
}

/// Whether all words occur, one after the other.
fn in_order(message: &str, words: &[&str]) -> bool {
    let mut rest = message;
    words.iter().all(|word| match rest.split_once(word) {
        Some((_, after)) => {
            rest = after;
            true
        }
        None => false,
    })
}

/// Reasons of Events that policy engines write about refusals and violations.
const ENGINE_REASONS: [&str; 5] = ["PolicyViolation", "FailedAdmission", "ConstraintViolation", "ViolatesPolicy", "PolicyError"];

/// Reasons of Events that tell of a request to Vault that failed: of External Secrets (an ExternalSecret, a PushSecret, a store), the Vault
/// Secrets Operator and the kubelet's volumes.
const ASKERS_REASONS: [&str; 12] = [
    "UpdateFailed",
    "Errored",
    "InvalidProviderConfig",
    "ValidationFailed",
    "InvalidStoreConfiguration",
    "VaultClientError",
    "VaultClientConfigError",
    "VaultStaticSecretError",
    "SecretLeaseRenewalError",
    "SecretSyncError",
    "Unrecoverable",
    "FailedMount",
];

/// Their words, in order, and who refused. Vault says `permission denied` also where it can't review a token: at a login that is no wall.
const ASKERS_WORDS: [(&[&str], Authority); 6] = [
    (&["using cluster store ", "is not allowed from namespace ", "denied by spec.condition"], Authority::StoreCondition),
    (&["/v1/auth/", "/login", "Code: 403", "service account name not authorized"], Authority::VaultRoleBinding),
    (&["/v1/auth/", "/login", "Code: 403", "namespace not authorized"], Authority::VaultRoleBinding),
    (&["/v1/auth/", "/login"], Authority::Unknown),
    (&["/v1/", "Code: 403", "permission denied"], Authority::VaultAcl),
    (&["Error making API request", "Code: 403", "permission denied"], Authority::VaultAcl),
];

/// Who refused what was asked of Vault, if an Event tells of that.
fn of_vault(reason: &str, message: &str) -> Option<Authority> {
    let (_, who) = ASKERS_WORDS.iter().find(|(words, _)| ASKERS_REASONS.contains(&reason) && in_order(message, words))?;
    Some(*who).filter(|who| *who != Authority::Unknown)
}

/// Whether an Event is about a refusal by quota, LimitRange, Pod Security, a webhook, an admission policy, a policy engine, Vault or a store's
/// conditions, and by whom. None for all other Events: they are dropped while decoding.
pub fn refusal(reason: &str, message: &str) -> Option<Authority> {
    if let Some(who) = of_vault(reason, message) {
        return Some(who);
    }
    match classify(None, reason, message) {
        Authority::Unknown | Authority::Validation if ENGINE_REASONS.contains(&reason) => Some(Authority::AdmissionPolicy),
        Authority::Unknown | Authority::Validation | Authority::Authorizer => None,
        who => Some(who),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The servers' own words (`spec/testbed.md` (a)) and their authors.
    const SAID: [(Option<u16>, &str, &str, Authority); 18] = [
        (
            Some(403),
            "Forbidden",
            "pods \"big\" is forbidden: maximum memory usage per Container is 1Gi, but limit is 4Gi",
            Authority::LimitRanger,
        ),
        (Some(403), "Forbidden", "pods \"x\" is forbidden: minimum cpu usage per Pod is 100m, but request is 10m", Authority::LimitRanger),
        (
            Some(403),
            "Forbidden",
            "pods \"x\" is forbidden: cpu max limit to request ratio per Container is 2, but provided ratio is 4.000000",
            Authority::LimitRanger,
        ),
        (
            Some(403),
            "Forbidden",
            "pods \"big\" is forbidden: exceeded quota: quota, requested: limits.memory=4Gi, used: limits.memory=0, limited: limits.memory=2Gi",
            Authority::ResourceQuota,
        ),
        (
            None,
            "FailedCreate",
            "Error creating: pods \"x\" is forbidden: exceeded quota: quota, requested: pods=1, used: pods=10, limited: pods=10",
            Authority::ResourceQuota,
        ),
        (
            Some(403),
            "Forbidden",
            "pods \"nores\" is forbidden: failed quota: quota: must specify limits.cpu for: nores; limits.memory for: nores",
            Authority::ResourceQuotaMissing,
        ),
        (
            Some(403),
            "Forbidden",
            "pods \"priv\" is forbidden: violates PodSecurity \"baseline:latest\": privileged (container \"priv\" must not set securityContext.privileged=true)",
            Authority::PodSecurity,
        ),
        (
            Some(422),
            "Invalid",
            "pods \"x\" is invalid: : ValidatingAdmissionPolicy 'no-host' with binding 'b' denied request: no host paths",
            Authority::AdmissionPolicy,
        ),
        (Some(403), "Forbidden", "admission webhook \"validate.kyverno.svc-fail\" denied the request: policy x", Authority::Webhook),
        (Some(400), "BadRequest", "admission webhook \"a.b.c\" does not support dry run", Authority::WebhookNoDryRun),
        (Some(500), "InternalError", "Internal error occurred: failed calling webhook \"a.b.c\": no endpoints", Authority::WebhookBroken),
        (
            Some(403),
            "Forbidden",
            "secrets is forbidden: User \"system:serviceaccount:a:app\" cannot list resource \"secrets\" in API group \"\" in the namespace \"b\"",
            Authority::Authorizer,
        ),
        (Some(403), "Forbidden", "forbidden: User \"u\" cannot get path \"/livez\"", Authority::Authorizer),
        (Some(401), "Unauthorized", "Unauthorized", Authority::Authorizer),
        (Some(422), "Invalid", "Pod \"x\" is invalid: spec.containers[0].image: Required value", Authority::Validation),
        (Some(403), "Forbidden", "you shall not pass", Authority::Unknown),
        (Some(500), "InternalError", "", Authority::Unknown),
        (None, "BackOff", "Back-off restarting failed container", Authority::Unknown),
    ];

    #[test]
    fn the_servers_words_name_their_author() {
        for (code, reason, message, who) in SAID {
            assert_eq!(classify(code, reason, message), who, "{message}");
        }
    }

    #[test]
    fn a_tenant_cannot_put_another_authors_words_in_a_denial_of_rbac() {
        let message = "pods is forbidden: User \"eve\" cannot create resource \"pods\" in API group \"\" in the namespace \"a\"";
        assert_eq!(classify(Some(403), "Forbidden", message), Authority::Authorizer);
    }

    #[test]
    fn only_events_about_refusals_are_kept() {
        assert_eq!(
            refusal("FailedCreate", "Error creating: pods \"x\" is forbidden: exceeded quota: q, requested: pods=1"),
            Some(Authority::ResourceQuota)
        );
        assert_eq!(refusal("PolicyViolation", "Pod a/b: [x] fail"), Some(Authority::AdmissionPolicy));
        assert_eq!(refusal("FailedScheduling", "0/1 nodes are available: 1 Insufficient memory."), None);
        assert_eq!(refusal("Unhealthy", "Readiness probe failed"), None);
        assert_eq!(refusal("", ""), None);
    }

    const DENIED: &str = "Code: 403. Errors:\n\n* 1 error occurred:\n\t* permission denied\n\n";

    #[test]
    fn what_vault_refuses_to_an_asker_is_kept() {
        let external = format!(
            "error processing spec.data[0] (key: secret/globex/db), err: cannot read secret data from Vault: Error making API request.\n\nURL: GET http://vault:8200/v1/secret/data/globex/db\n{DENIED}"
        );
        let mount = format!(
            "MountVolume.SetUp failed for volume \"s\" : rpc error: code = Unknown desc = failed to mount secrets store objects for pod a/b, err: rpc error: code = Unknown desc = error making mount request: couldn't read secret \"x\": Error making API request.\n\nURL: GET http://vault:8200/v1/secret/data/globex\n{DENIED}"
        );
        let login = "unable to log in with Kubernetes auth: Error making API request.\n\nURL: PUT http://vault:8200/v1/auth/kubernetes/login\nCode: 403. Errors:\n\n* ";
        let store = "could not get secret data from provider: using cluster store \"shared\" is not allowed from namespace \"a\": denied by spec.condition";
        for (reason, message, who) in [
            ("UpdateFailed", external.clone(), Some(Authority::VaultAcl)),
            ("VaultClientError", external.clone(), Some(Authority::VaultAcl)),
            ("FailedMount", mount, Some(Authority::VaultAcl)),
            ("UpdateFailed", format!("{login}service account name not authorized"), Some(Authority::VaultRoleBinding)),
            ("UpdateFailed", format!("{login}namespace not authorized"), Some(Authority::VaultRoleBinding)),
            ("UpdateFailed", store.to_owned(), Some(Authority::StoreCondition)),
            ("Errored", store.to_owned(), Some(Authority::StoreCondition)),
            // the token could not be reviewed: nobody's wall
            ("UpdateFailed", format!("{login}permission denied"), None),
            ("UpdateFailed", external.replace("Code: 403", "Code: 503"), None),
            ("UpdateFailed", "secrets \"x\" already exists".to_owned(), None),
            ("FailedMount", "MountVolume.SetUp failed for volume \"x\": secret \"y\" not found".to_owned(), None),
            // another's words under a reason of nobody who asks
            ("Unhealthy", external, None),
        ] {
            assert_eq!(refusal(reason, &message), who, "{reason}: {message}");
        }
    }
}
