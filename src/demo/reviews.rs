//! Access reviews, token reviews and token requests.

use serde_json::{Value, json};

use super::auth::{self, Ask, User};
use super::clock;
use super::http::{self, Call, Reply};
use super::json::Json;
use super::jwt::ISSUER;
use super::kube::{Target, body};
use super::status::{self, Cause, Refusal};
use super::store::Key;
use super::world::World;

/// A kind that is only ever created and never stored.
pub(crate) struct Review {
    pub(crate) group: &'static str,
    pub(crate) version: &'static str,
    pub(crate) plural: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) namespaced: bool,
}

const fn review(group: &'static str, plural: &'static str, kind: &'static str, namespaced: bool) -> Review {
    Review { group, version: "v1", plural, kind, namespaced }
}

/// All review kinds.
pub(crate) static REVIEWS: [Review; 6] = [
    review("authentication.k8s.io", "selfsubjectreviews", "SelfSubjectReview", false),
    review("authentication.k8s.io", "tokenreviews", "TokenReview", false),
    review("authorization.k8s.io", "localsubjectaccessreviews", "LocalSubjectAccessReview", true),
    review("authorization.k8s.io", "selfsubjectaccessreviews", "SelfSubjectAccessReview", false),
    review("authorization.k8s.io", "selfsubjectrulesreviews", "SelfSubjectRulesReview", false),
    review("authorization.k8s.io", "subjectaccessreviews", "SubjectAccessReview", false),
];

/// Whether a resource is a review.
pub(crate) fn is_review(group: &str, plural: &str) -> bool {
    REVIEWS.iter().any(|r| r.group == group && r.plural == plural)
}

/// Answers a posted review.
pub(crate) fn answer(world: &World, user: &User, api: (&str, &str), plural: &str, namespace: &str, call: &Call) -> Result<Reply, Refusal> {
    if call.method != hyper::Method::POST {
        return Err(status::method_not_allowed());
    }
    let Some(review) = REVIEWS.iter().find(|r| r.group == api.0 && r.plural == plural) else {
        return Err(status::no_such_resource());
    };
    let mut value = body(call)?;
    let outcome = match review.kind {
        "SelfSubjectReview" => json!({"userInfo": user_info(user)}),
        "TokenReview" => token_review(world, &value),
        "SelfSubjectAccessReview" => access(user, value.at("spec")),
        "SelfSubjectRulesReview" => rules(user, value.text("spec/namespace")),
        _ => {
            let groups = value.items("spec/groups").iter().filter_map(Value::as_str).map(str::to_owned).collect();
            let other = User { name: value.text("spec/user").to_owned(), uid: String::new(), groups };
            access(&other, value.at("spec"))
        }
    };
    value.put("kind", review.kind);
    value.put("apiVersion", format!("{}/{}", review.group, review.version));
    value.put("metadata/creationTimestamp", Value::Null);
    if review.namespaced {
        value.put("metadata/namespace", namespace);
    }
    value.put("status", outcome);
    Ok(http::json(201, &value))
}

fn user_info(user: &User) -> Value {
    let mut info = json!({"username": user.name});
    if !user.uid.is_empty() {
        info.put("uid", user.uid.as_str());
    }
    info.put("groups", user.groups.clone());
    info
}

fn access(user: &User, spec: &Value) -> Value {
    if spec.has("nonResourceAttributes") {
        let known = spec.text("nonResourceAttributes/verb") == "get" && user.name != "system:anonymous";
        return json!({"allowed": known});
    }
    let at = |field: &str| spec.text(&format!("resourceAttributes/{field}"));
    let ask = Ask {
        verb: at("verb"),
        group: at("group"),
        resource: at("resource"),
        subresource: at("subresource"),
        namespace: at("namespace"),
        name: at("name"),
    };
    match auth::allowed_by(user, &ask) {
        // its own authoriser lets that group do everything, and gives no reason
        Some(_) if user.groups.iter().any(|g| g == "system:masters") => json!({"allowed": true}),
        Some(given) => json!({"allowed": true, "reason": format!("RBAC: allowed by {}", given.reason())}),
        None => json!({"allowed": false}),
    }
}

fn rules(user: &User, namespace: &str) -> Value {
    let list: Vec<Value> =
        auth::rules(user, namespace).map(|(_, r)| json!({"verbs": r.verbs, "apiGroups": r.groups, "resources": r.resources})).collect();
    let paths = json!([{"verbs": ["get"], "nonResourceURLs": ["/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/openapi", "/openapi/*", "/readyz", "/version", "/version/"]}]);
    json!({"resourceRules": list, "nonResourceRules": paths, "incomplete": false})
}

fn texts(list: &[Value]) -> Vec<String> {
    list.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn token_review(world: &World, value: &Value) -> Value {
    let mut audiences = texts(value.items("spec/audiences"));
    if audiences.is_empty() {
        audiences.push(ISSUER.to_owned());
    }
    match auth::by_token(world, value.text("spec/token"), &audiences) {
        Ok((user, fitting)) => json!({"authenticated": true, "user": user_info(&user), "audiences": fitting}),
        Err(error) => json!({"user": {}, "error": error}),
    }
}

/// Makes a token for a service account.
pub(crate) fn token_request(world: &World, target: &Target, call: &Call) -> Result<Reply, Refusal> {
    let mut value = body(call)?;
    let uid = {
        let objects = world.store.lock();
        let account = objects.get(&Key::new(target.id, &target.namespace, &target.name));
        account.map(|sa| sa.text("metadata/uid").to_owned()).ok_or_else(|| status::not_found(target.kind, &target.name))?
    };
    let seconds = value.at("spec/expirationSeconds").as_i64().unwrap_or(3_600);
    if seconds < 600 {
        return Err(too_short(seconds));
    }
    let mut audiences = texts(value.items("spec/audiences"));
    if audiences.is_empty() {
        audiences.push(ISSUER.to_owned());
    }
    let id = world.store.write(super::store::Objects::uid);
    let token = world.signer.sign((&target.namespace, &target.name, &uid), &audiences, seconds, &id);
    value.put("kind", "TokenRequest");
    value.put("apiVersion", "authentication.k8s.io/v1");
    value.put("metadata", json!({"name": target.name, "namespace": target.namespace, "creationTimestamp": clock::now()}));
    let bound = value.at("spec/boundObjectRef").clone();
    value.put("spec", json!({"audiences": audiences, "expirationSeconds": seconds, "boundObjectRef": bound}));
    value.put("status", json!({"token": token, "expirationTimestamp": clock::ahead(seconds)}));
    Ok(http::json(201, &value))
}

fn too_short(seconds: i64) -> Refusal {
    let kind = super::kinds::Kind {
        group: "authentication.k8s.io",
        version: "v1",
        plural: "tokenrequests",
        kind: "TokenRequest",
        namespaced: true,
        short: &[],
        subresources: &[],
        custom: false,
    };
    let message = format!("Invalid value: {seconds}: may not specify a duration less than 10 minutes");
    status::invalid(&kind, "", &[Cause { reason: "FieldValueInvalid", field: "spec.expirationSeconds".into(), message }])
}
