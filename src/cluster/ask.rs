//! Questions that persist nothing: access reviews, short-lived tokens, dry-run requests.

use futures::StreamExt;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::call::{Call, PathOf, audit_id};
use super::connect::Cluster;
use super::refusal::ApiRefusal;
use crate::fix::guard::ProbePermit;
use crate::model::access::{Answer, Question};
use crate::model::ids::Name;
use crate::model::text::clean;

/// The name under which this program applies objects: its field manager.
pub const MANAGER: &str = "partywall";
/// So many reviews are asked at once.
const REVIEWS_AT_ONCE: usize = 8;

impl Cluster {
    /// A token of a tenant's ServiceAccount, valid for `seconds` (the server gives 600 at least) and for these audiences.
    pub async fn token(
        &self,
        _permit: ProbePermit,
        namespace: &str,
        service_account: &str,
        audiences: &[String],
        seconds: u32,
    ) -> Result<SecretString, ApiRefusal> {
        let path = PathOf { group: "", version: "v1", plural: "serviceaccounts", namespace, name: service_account };
        let body = json!({
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": { "audiences": audiences, "expirationSeconds": seconds },
        });
        let answer = self.call(Call::post(format!("{path}/token"), &body).audited(audit_id("token"))).await?;
        read_token(&answer)
    }

    /// What admission says to a pod, as the operator, without creating it: the pod with its defaults, or the refusal.
    pub async fn dry_run_pod(&self, _permit: ProbePermit, namespace: &str, pod: &Value) -> Result<Value, ApiRefusal> {
        let path = PathOf { group: "", version: "v1", plural: "pods", namespace, name: "" };
        let call = Call::post(path.to_string(), pod).query("dryRun", "All").query("fieldManager", MANAGER).audited(audit_id("dryrun"));
        self.call_json(call).await
    }

    /// What we may do, by SelfSubjectAccessReviews; the answers in the order of the questions.
    pub async fn can_i(&self, questions: &[Question]) -> Vec<(Question, Answer)> {
        futures::stream::iter(questions.iter().cloned())
            .map(|question| async move {
                let answer = self.review(&question).await;
                (question, answer)
            })
            .buffered(REVIEWS_AT_ONCE)
            .collect()
            .await
    }

    async fn review(&self, question: &Question) -> Answer {
        let attributes = json!({
            "verb": &*question.verb,
            "group": &*question.group,
            "resource": &*question.resource,
            "subresource": &*question.subresource,
            "namespace": &*question.namespace,
            "name": &*question.name,
        });
        let body = json!({
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": { "resourceAttributes": attributes },
        });
        match self.call_json(Call::post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", &body)).await {
            Ok(review) => answer(&review),
            Err(refusal) => Answer::Unknown(refusal.to_string().into()),
        }
    }

    /// The name the server knows us by (SelfSubjectReview). Cleaned.
    pub async fn whoami(&self) -> Result<Name, ApiRefusal> {
        let body = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview" });
        let review = self.call_json(Call::post("/apis/authentication.k8s.io/v1/selfsubjectreviews", &body)).await?;
        let name = review.pointer("/status/userInfo/username").and_then(Value::as_str).unwrap_or_default();
        Ok(clean(name).into())
    }
}

/// The token, straight into a type that can't be formatted. What can't be read is never repeated.
fn read_token(answer: &[u8]) -> Result<SecretString, ApiRefusal> {
    #[derive(serde::Deserialize)]
    struct Granted {
        status: Status,
    }
    #[derive(serde::Deserialize)]
    struct Status {
        #[serde(deserialize_with = "secret")]
        token: SecretString,
    }
    fn secret<'de, D: serde::Deserializer<'de>>(d: D) -> Result<SecretString, D::Error> {
        <String as serde::Deserialize>::deserialize(d).map(SecretString::from)
    }
    serde_json::from_slice::<Granted>(answer)
        .map(|granted| granted.status.token)
        .map_err(|_may_quote_the_token| ApiRefusal::no_answer("Unreadable", "the server's answer to the token request can't be read"))
}

fn answer(review: &Value) -> Answer {
    let status = |key: &str| review.get("status").and_then(|status| status.get(key));
    match status("allowed").and_then(Value::as_bool) {
        Some(true) => Answer::Yes,
        Some(false) => Answer::No(clean(status("reason").and_then(Value::as_str).unwrap_or_default()).into()),
        None => Answer::Unknown("the server's answer to the access review can't be read".into()),
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn a_token_is_never_formatted() {
        let token = read_token(br#"{"status":{"token":"canary-4711"}}"#).unwrap();
        assert!(!format!("{token:?}").contains("canary"));
        assert_eq!(token.expose_secret(), "canary-4711");
        let refused = read_token(br#"{"status":{"token":["canary-4711"]}}"#).unwrap_err();
        assert!(!format!("{refused:?}{refused}").contains("canary"));
    }

    #[test]
    fn only_a_clear_yes_is_a_yes() {
        assert_eq!(answer(&json!({"status": {"allowed": true}})), Answer::Yes);
        assert_eq!(answer(&json!({"status": {"allowed": false, "reason": "no \u{1b}[1mrole"}})), Answer::No("no \u{fffd}[1mrole".into()));
        assert!(matches!(answer(&json!({"status": {"allowed": "true"}})), Answer::Unknown(_)));
        assert!(matches!(answer(&json!(null)), Answer::Unknown(_)));
    }
}
