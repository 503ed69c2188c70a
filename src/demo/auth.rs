//! Who asks, and what they may do: a few built-in users and the service accounts.

use serde_json::Value;

use super::grants::{GIVEN, Given};
use super::http::Call;
use super::json::Json;
use super::jwt::{ISSUER, Rejected};
use super::kinds;
use super::status::{Refusal, refuse, unauthorized};
use super::store::Key;
use super::world::World;

/// Somebody who sent a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) uid: String,
    pub(crate) groups: Vec<String>,
}

/// What is asked for, in the words of an access review. Empty strings mean "any" or "none" as there.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ask<'a> {
    pub(crate) verb: &'a str,
    pub(crate) group: &'a str,
    pub(crate) resource: &'a str,
    pub(crate) subresource: &'a str,
    pub(crate) namespace: &'a str,
    pub(crate) name: &'a str,
}

/// A rule of a role: verbs, API groups, resources (`name` or `name/subresource`). `*` is any.
pub(crate) struct Rule {
    pub(crate) verbs: &'static [&'static str],
    pub(crate) groups: &'static [&'static str],
    pub(crate) resources: &'static [&'static str],
}

/// A built-in user: token, user name, group. What they may do is in [`GIVEN`].
struct Builtin {
    token: &'static str,
    name: &'static str,
    group: &'static str,
}

/// May do everything.
pub(crate) const ADMIN: &str = "demo-admin";
static BUILTINS: [Builtin; 4] = [
    Builtin { token: ADMIN, name: "demo-admin", group: "system:masters" },
    Builtin { token: "demo-viewer", name: "demo-viewer", group: "demo:viewers" },
    Builtin { token: "demo-prober", name: "demo-prober", group: "demo:probers" },
    Builtin { token: "demo-nslister", name: "demo-nslister", group: "demo:namespace-listers" },
];

/// The tokens of the built-in users.
pub(crate) fn tokens() -> impl Iterator<Item = &'static str> {
    BUILTINS.iter().map(|b| b.token)
}

/// Who a call comes from, impersonation included.
pub(crate) fn authenticate(world: &World, call: &Call) -> Result<User, Refusal> {
    let user = match call.header("authorization").strip_prefix("Bearer ") {
        // kubectl sends no token without TLS, and there is nothing to protect on this server
        None => by_token(world, ADMIN, &[]).ok().ok_or_else(unauthorized)?.0,
        Some(token) => by_token(world, token.trim(), &[ISSUER.to_owned()]).ok().ok_or_else(unauthorized)?.0,
    };
    let other = call.header("impersonate-user");
    if other.is_empty() {
        return Ok(user);
    }
    if !allowed(&user, &Ask { verb: "impersonate", resource: "users", name: other, ..Ask::default() }) {
        let text = format!(
            "users \"{other}\" is forbidden: User \"{}\" cannot impersonate resource \"users\" in API group \"\" at the cluster scope",
            user.name
        );
        return Err(refuse(403, "Forbidden", text));
    }
    let mut groups: Vec<String> =
        call.headers.get_all("impersonate-group").iter().filter_map(|v| v.to_str().ok()).map(str::to_owned).collect();
    groups.push("system:authenticated".into());
    Ok(User { name: other.to_owned(), uid: String::new(), groups })
}

/// The user a token stands for, with the audiences it is good for.
pub(crate) fn by_token(world: &World, token: &str, audiences: &[String]) -> Result<(User, Vec<String>), String> {
    if let Some(builtin) = BUILTINS.iter().find(|b| b.token == token) {
        let groups = vec![builtin.group.to_owned(), "system:authenticated".to_owned()];
        return Ok((User { name: builtin.name.to_owned(), uid: String::new(), groups }, audiences.to_vec()));
    }
    let claims = world.signer.verify(token).map_err(|why| match why {
        Rejected::Foreign => "invalid bearer token".to_owned(),
        Rejected::Signature => "[invalid bearer token, go-jose/go-jose: error in cryptographic primitive]".to_owned(),
        Rejected::Expired => "[invalid bearer token, service account token has expired]".to_owned(),
    })?;
    let carried: Vec<String> = claims.items("aud").iter().filter_map(Value::as_str).map(str::to_owned).collect();
    let fitting: Vec<String> = carried.iter().filter(|a| audiences.contains(a)).cloned().collect();
    if fitting.is_empty() {
        return Err(format!("[invalid bearer token, token audiences {carried:?} is invalid for the target audiences {audiences:?}]"));
    }
    let claim = claims.at("kubernetes.io");
    let (namespace, name) = (claim.text("namespace"), claim.text("serviceaccount/name"));
    let key = Key::new(kinds::id("serviceaccounts"), namespace, name);
    let uid = world.store.lock().get(&key).map(|sa| sa.text("metadata/uid").to_owned());
    if uid.as_deref() != Some(claim.text("serviceaccount/uid")) {
        return Err(format!("[invalid bearer token, ServiceAccount \"{name}\" not found]"));
    }
    Ok((account(namespace, name, &uid.unwrap_or_default()), fitting))
}

/// The user a service account acts as.
pub(crate) fn account(namespace: &str, name: &str, uid: &str) -> User {
    let groups =
        vec!["system:serviceaccounts".to_owned(), format!("system:serviceaccounts:{namespace}"), "system:authenticated".to_owned()];
    User { name: format!("system:serviceaccount:{namespace}:{name}"), uid: uid.to_owned(), groups }
}

/// The rules of a user for requests in a namespace, each with what gives it.
pub(crate) fn rules<'a>(user: &'a User, namespace: &'a str) -> impl Iterator<Item = (&'static Given, &'static Rule)> {
    GIVEN.iter().filter(move |given| given.serves(user, namespace)).flat_map(|given| given.rules.iter().map(move |rule| (given, rule)))
}

/// Whether a user may do something.
pub(crate) fn allowed(user: &User, ask: &Ask<'_>) -> bool {
    allowed_by(user, ask).is_some()
}

/// What lets a user do something; none where nothing does.
pub(crate) fn allowed_by(user: &User, ask: &Ask<'_>) -> Option<&'static Given> {
    let resource = if ask.subresource.is_empty() { ask.resource.to_owned() } else { format!("{}/{}", ask.resource, ask.subresource) };
    let has = |list: &[&str], wanted: &str| list.iter().any(|item| *item == "*" || *item == wanted);
    let fits = |rule: &Rule| has(rule.verbs, ask.verb) && has(rule.groups, ask.group) && has(rule.resources, &resource);
    rules(user, ask.namespace).find(|(_, rule)| fits(rule)).map(|(given, _)| given)
}

/// 403 in the authoriser's words.
pub(crate) fn denial(user: &User, ask: &Ask<'_>) -> Refusal {
    let resource = if ask.subresource.is_empty() { ask.resource.to_owned() } else { format!("{}/{}", ask.resource, ask.subresource) };
    let qualified = if ask.group.is_empty() { ask.resource.to_owned() } else { format!("{}.{}", ask.resource, ask.group) };
    let subject = if ask.name.is_empty() { qualified } else { format!("{qualified} \"{}\"", ask.name) };
    let place =
        if ask.namespace.is_empty() { "at the cluster scope".to_owned() } else { format!("in the namespace \"{}\"", ask.namespace) };
    let message = format!(
        "{subject} is forbidden: User \"{}\" cannot {} resource \"{resource}\" in API group \"{}\" {place}",
        user.name, ask.verb, ask.group
    );
    let mut details = serde_json::json!({});
    for (field, value) in [("name", ask.name), ("group", ask.group), ("kind", ask.resource)] {
        if !value.is_empty() {
            details.put(field, value);
        }
    }
    refuse(403, "Forbidden", message).with_details(details)
}
