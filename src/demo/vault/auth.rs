//! The token store and the Kubernetes login.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::acl::Operation;
use super::state::{Role, Token, Vault};
use super::{Ask, Failure, Outcome, absent, failure, keys, texts, unsupported_operation, unsupported_path};
use crate::demo::auth as kube_auth;
use crate::demo::clock;
use crate::demo::json::Json;
use crate::demo::kinds;
use crate::demo::packets::selects;
use crate::demo::store::Key;
use crate::demo::world::World;

/// Longest life of a token where the role does not say (32 days).
const SYSTEM_TTL: i64 = 2_764_800;

/// `auth/<mount>/login`.
pub(crate) fn login(world: &World, mount: &str, ask: &Ask<'_>) -> Result<Outcome, Failure> {
    if mount != "kubernetes" {
        return Err(failure(403, "permission denied"));
    }
    if ask.operation != Operation::Update {
        return Err(unsupported_operation());
    }
    let name = ask.body.text("role").to_lowercase();
    if name.is_empty() {
        return Err(failure(400, "missing role"));
    }
    let jwt = ask.body.text("jwt");
    if jwt.is_empty() {
        return Err(failure(400, "missing jwt"));
    }
    let role = world.vault().roles.get(&name).cloned().ok_or_else(|| failure(400, format!("invalid role name \"{name}\"")))?;
    let (namespace, account, uid) = admitted(world, &role, jwt)?;
    let mut vault = world.vault();
    let token = issue(&mut vault, &name, &role, (&namespace, &account, &uid));
    if vault.identities.entities.get(&token.entity).is_some_and(|entity| entity.disabled) {
        return Err(super::denied());
    }
    let answer = auth_json(&token, &vault.identities.policies(&token.entity), true);
    vault.keep(token);
    Ok(Outcome::Auth(answer))
}

/// Namespace, name and uid of the account a token proves, if the role admits it.
fn admitted(world: &World, role: &Role, jwt: &str) -> Result<(String, String, String), Failure> {
    // what cannot be read is refused like what is forged
    let claims = unverified(jwt).ok_or_else(|| failure(403, "permission denied"))?;
    let audiences: Vec<String> = claims.items("aud").iter().filter_map(Value::as_str).map(str::to_owned).collect();
    if !role.audience.is_empty() && !audiences.contains(&role.audience) {
        return Err(failure(403, "invalid audience (aud) claim: audience claim does not match any expected audience"));
    }
    let claim = claims.at("kubernetes.io");
    let (namespace, name) = (claim.text("namespace"), claim.text("serviceaccount/name"));
    if !role.names.iter().any(|pattern| glob(pattern, name)) {
        return Err(failure(403, "service account name not authorized"));
    }
    if !role.namespaces.iter().any(|pattern| glob(pattern, namespace)) && !selected(world, &role.selector, namespace) {
        return Err(failure(403, "namespace not authorized"));
    }
    // a role without an audience of its own takes a token of any
    match kube_auth::by_token(world, jwt, &audiences) {
        Ok((user, _)) if user.name == format!("system:serviceaccount:{namespace}:{name}") => {
            Ok((namespace.to_owned(), name.to_owned(), user.uid))
        }
        _ => Err(failure(403, "permission denied")),
    }
}

/// Whether a namespace has all labels that a selector in JSON asks for.
fn selected(world: &World, selector: &str, namespace: &str) -> bool {
    let wanted: Value = serde_json::from_str(selector).unwrap_or_default();
    let asks = wanted.map("matchLabels").is_some_and(|labels| !labels.is_empty());
    let objects = world.store.lock();
    let found = objects.get(&Key::new(kinds::id("namespaces"), "", namespace));
    asks && found.is_some_and(|namespace| selects(&wanted, namespace.at("metadata/labels")))
}

/// The claims of a token as it says them.
fn unverified(jwt: &str) -> Option<Value> {
    use base64::Engine as _;
    let mut parts = jwt.split('.');
    let (_, payload, _) = (parts.next()?, parts.next()?, parts.next()?);
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// Whether `text` fits a pattern in which `*` stands for anything.
fn glob(pattern: &str, text: &str) -> bool {
    let Some((head, tail)) = pattern.split_once('*') else { return pattern == text };
    let Some(rest) = text.strip_prefix(head) else { return false };
    rest.char_indices().map(|(at, _)| at).chain([rest.len()]).any(|at| glob(tail, rest.split_at(at).1))
}

fn issue(vault: &mut Vault, name: &str, role: &Role, account: (&str, &str, &str)) -> Token {
    let (namespace, sa, uid) = account;
    let mut policies: Vec<String> = role.policies.iter().map(|name| name.to_lowercase()).collect();
    if !role.no_default {
        policies.push("default".into());
    }
    policies.sort();
    policies.dedup();
    let told = [
        ("service_account_name", sa),
        ("service_account_namespace", namespace),
        ("service_account_secret_name", ""),
        ("service_account_uid", uid),
    ];
    let alias = if role.alias_by_name { format!("{namespace}/{sa}") } else { uid.to_owned() };
    let entity = vault.entity_of(&alias, told.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect());
    Token {
        id: format!("s.{}", vault.word(24)),
        accessor: vault.word(24),
        policies,
        display: format!("kubernetes-{namespace}-{sa}"),
        path: "auth/kubernetes/login".into(),
        metadata: json!({
            "role": name, "service_account_name": sa, "service_account_namespace": namespace,
            "service_account_secret_name": "", "service_account_uid": uid,
        }),
        entity,
        created: clock::epoch(),
        ttl: if role.ttl > 0 { role.ttl } else { SYSTEM_TTL },
    }
}

/// A token made by hand.
fn child(vault: &mut Vault, body: &Value) -> Token {
    let mut policies = texts(body, "policies").unwrap_or_default();
    if !body.truth("no_default_policy") {
        policies.push("default".into());
    }
    policies.sort();
    policies.dedup();
    Token {
        id: format!("s.{}", vault.word(24)),
        accessor: vault.word(24),
        policies,
        display: "token".into(),
        path: "auth/token/create".into(),
        metadata: Value::Null,
        entity: String::new(),
        created: clock::epoch(),
        ttl: SYSTEM_TTL,
    }
}

fn auth_json(token: &Token, identity: &BTreeSet<String>, orphan: bool) -> Value {
    let all: BTreeSet<&String> = token.policies.iter().chain(identity).collect();
    let mut value = json!({
        "client_token": token.id, "accessor": token.accessor, "policies": all, "token_policies": token.policies,
        "metadata": token.metadata, "lease_duration": token.ttl, "renewable": token.ttl > 0, "entity_id": token.entity,
        "token_type": "service", "orphan": orphan, "mfa_requirement": null, "num_uses": 0,
    });
    if !identity.is_empty() {
        value.put("identity_policies", json!(identity));
    }
    value
}

/// Everything else below `auth/`.
pub(crate) fn answer(vault: &mut Vault, token: &Token, rest: &str, ask: &Ask<'_>) -> Result<Outcome, Failure> {
    match (rest, ask.operation) {
        ("token/lookup-self", Operation::Read | Operation::Update) => Ok(Outcome::Data(lookup(token))),
        ("token/lookup", Operation::Update) => {
            let found = vault.use_token(ask.body.text("token")).ok_or_else(|| failure(403, "bad token"))?;
            Ok(Outcome::Data(lookup(&found)))
        }
        ("token/renew-self", Operation::Update) => {
            let renewed = Token { created: clock::epoch(), ..token.clone() };
            let answer = auth_json(&renewed, &vault.identities.policies(&renewed.entity), true);
            vault.keep(renewed);
            Ok(Outcome::Auth(answer))
        }
        ("token/create", Operation::Update) => {
            let child = child(vault, &ask.body);
            let answer = auth_json(&child, &BTreeSet::new(), false);
            vault.keep(child);
            Ok(Outcome::Auth(answer))
        }
        ("token/revoke-self", Operation::Update) => {
            vault.revoke(&token.id);
            Ok(Outcome::Nothing)
        }
        ("kubernetes/config", Operation::Read) if vault.kubernetes.has("kubernetes_host") => Ok(Outcome::Data(vault.kubernetes.clone())),
        ("kubernetes/config", Operation::Read) => Err(absent()),
        ("kubernetes/role", Operation::List) => keys(&vault.roles.keys().cloned().collect::<Vec<_>>()),
        _ => match rest.strip_prefix("kubernetes/role/").map(str::to_lowercase) {
            Some(name) => role(vault, &name, ask),
            None if matches!(rest, "kubernetes/config" | "kubernetes/role") || rest.starts_with("token/") => Err(unsupported_operation()),
            None => Err(unsupported_path()),
        },
    }
}

fn lookup(token: &Token) -> Value {
    let left = if token.ttl == 0 { 0 } else { token.created + token.ttl - clock::epoch() };
    json!({
        "accessor": token.accessor, "creation_time": token.created, "creation_ttl": token.ttl, "display_name": token.display,
        "entity_id": token.entity, "expire_time": if token.ttl == 0 { Value::Null } else { clock::ahead(left).into() },
        "explicit_max_ttl": 0, "id": token.id, "issue_time": clock::ago(clock::epoch() - token.created), "meta": token.metadata,
        "num_uses": 0, "orphan": true, "path": token.path, "policies": token.policies, "renewable": token.ttl > 0,
        "ttl": left, "type": "service",
    })
}

fn role(vault: &mut Vault, name: &str, ask: &Ask<'_>) -> Result<Outcome, Failure> {
    match ask.operation {
        Operation::Read => vault.roles.get(name).map(|r| Outcome::Data(role_json(r))).ok_or_else(absent),
        Operation::Delete => {
            vault.roles.remove(name);
            Ok(Outcome::Nothing)
        }
        Operation::Update => {
            let body = &ask.body;
            let mut role = vault.roles.get(name).cloned().unwrap_or_default();
            role.names = texts(body, "bound_service_account_names").unwrap_or(role.names);
            role.namespaces = texts(body, "bound_service_account_namespaces").unwrap_or(role.namespaces);
            role.policies = texts(body, "token_policies").or_else(|| texts(body, "policies")).unwrap_or(role.policies);
            role.audience = body.at("audience").as_str().map_or(role.audience, str::to_owned);
            let number = |field: &str, before: i64| body.at(field).as_i64().unwrap_or(before);
            role.ttl = number("token_ttl", number("ttl", role.ttl));
            (role.max_ttl, role.period) = (number("token_max_ttl", role.max_ttl), number("token_period", role.period));
            role.uses = number("token_num_uses", role.uses);
            role.selector = body.at("bound_service_account_namespace_selector").as_str().map_or(role.selector, str::to_owned);
            role.token_type = body.at("token_type").as_str().map_or(role.token_type, str::to_owned);
            role.cidrs = texts(body, "token_bound_cidrs").unwrap_or(role.cidrs);
            role.no_default = body.at("token_no_default_policy").as_bool().unwrap_or(role.no_default);
            role.alias_by_name = body.at("alias_name_source").as_str().map_or(role.alias_by_name, |from| from == "serviceaccount_name");
            if let Some(why) = unfit(&role) {
                return Err(failure(400, why));
            }
            vault.roles.insert(name.to_owned(), role);
            Ok(Outcome::Nothing)
        }
        _ => Err(unsupported_operation()),
    }
}

/// What the server has against a role.
fn unfit(role: &Role) -> Option<&'static str> {
    let mixed = |list: &[String]| list.len() > 1 && list.iter().any(|item| item == "*");
    match () {
        () if role.names.is_empty() => Some("\"bound_service_account_names\" can not be empty"),
        () if role.namespaces.is_empty() && role.selector.is_empty() => {
            Some("\"bound_service_account_namespaces\" can not be empty if \"bound_service_account_namespace_selector\" is not set")
        }
        () if mixed(&role.names) || mixed(&role.namespaces) => Some("can not mix \"*\" with values"),
        () => None,
    }
}

fn role_json(role: &Role) -> Value {
    let mut value = json!({"alias_name_source": if role.alias_by_name { "serviceaccount_name" } else { "serviceaccount_uid" }});
    if !role.audience.is_empty() {
        value.put("audience", role.audience.as_str());
    }
    value.put("bound_service_account_names", role.names.clone());
    value.put("bound_service_account_namespace_selector", role.selector.as_str());
    // a role bound by its selector alone has no list
    value.put("bound_service_account_namespaces", if role.namespaces.is_empty() { Value::Null } else { json!(role.namespaces) });
    value.put("token_bound_cidrs", role.cidrs.clone());
    value.put("token_explicit_max_ttl", 0);
    value.put("token_max_ttl", role.max_ttl);
    value.put("token_no_default_policy", role.no_default);
    value.put("token_num_uses", role.uses);
    value.put("token_period", role.period);
    value.put("token_policies", role.policies.clone());
    value.put("token_strictly_bind_ip", false);
    value.put("token_ttl", role.ttl);
    value.put("token_type", if role.token_type.is_empty() { "default" } else { role.token_type.as_str() });
    value
}

#[cfg(test)]
mod tests {
    #[test]
    fn globs() {
        for (pattern, text, expected) in
            [("*", "x", true), ("n8n-*", "n8n-a", true), ("a*c", "abc", true), ("a*c", "abd", false), ("x", "xy", false)]
        {
            assert_eq!(super::glob(pattern, text), expected, "{pattern} {text}");
        }
    }
}
