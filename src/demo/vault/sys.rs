//! The system paths: health, mounts, policies, capabilities.

use serde_json::{Value, json};

use super::acl::Operation;
use super::state::{ACCESSOR, Flags, Token, Vault};
use super::template::Lets;
use super::{Ask, Failure, Outcome, absent, failure, hcl, unsupported_operation, unsupported_path};
use crate::demo::clock;
use crate::demo::json::Json;
use crate::demo::world::World;

/// Version of the OpenBao this server imitates.
const VERSION: &str = "2.6.2";
const CLUSTER: &str = "partywall-demo-simulated";

/// `sys/health`.
pub(crate) fn health(world: &World, ask: &Ask<'_>, sealed: bool, standby: bool) -> Result<Outcome, Failure> {
    if ask.operation != Operation::Read {
        return Err(Failure { code: 405, errors: Vec::new() });
    }
    let asked = |name: &str| ask.call.query.get(name).parse::<u16>().ok();
    let code = match (sealed, standby && !ask.call.query.on("standbyok")) {
        (true, _) => asked("sealedcode").unwrap_or(503),
        (false, true) => asked("standbycode").unwrap_or(429),
        (false, false) => asked("activecode").unwrap_or(200),
    };
    let mode = if sealed { "unknown" } else { "disabled" };
    let mut body = json!({
        "initialized": true, "sealed": sealed, "standby": sealed || standby, "replication_performance_mode": mode,
        "replication_dr_mode": mode, "server_time_utc": clock::epoch(), "version": VERSION,
    });
    if !sealed {
        body.put("cluster_name", CLUSTER);
        body.put("cluster_id", cluster_id(world.seed));
    }
    Ok(Outcome::Bare(code, body))
}

fn cluster_id(seed: u64) -> String {
    let mut rng = fastrand::Rng::with_seed(seed);
    let (a, b) = (rng.u64(..), rng.u64(..));
    format!("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", a >> 32, (a >> 16) & 0xffff, a & 0xffff, b >> 48, b & 0xffff_ffff_ffff)
}

/// `sys/seal-status`.
pub(crate) fn seal_status(world: &World, sealed: bool) -> Outcome {
    let mut body = json!({
        "type": "shamir", "initialized": true, "sealed": sealed, "t": 1, "n": 1, "progress": 0, "nonce": "",
        "recovery_seal": false, "version": VERSION, "commit_date": "2026-08-18T15:42:54Z", "migration": false,
    });
    if !sealed {
        body.put("cluster_name", CLUSTER);
        body.put("cluster_id", cluster_id(world.seed));
    }
    body.put("storage_type", "inmem");
    Outcome::Bare(200, body)
}

/// Everything else below `sys/`.
pub(crate) fn answer(vault: &mut Vault, token: &Token, rest: &str, ask: &Ask<'_>) -> Result<Outcome, Failure> {
    match (rest, ask.operation) {
        ("auth", Operation::Read) => Ok(Outcome::Flat(auth_mounts())),
        ("mounts", Operation::Read) => Ok(Outcome::Flat(mounts())),
        ("policies/detailed/acl", Operation::List) => Ok(Outcome::Data(detailed(vault))),
        ("policies/acl", Operation::List) => Ok(Outcome::Data(json!({"keys": policy_names(vault)}))),
        ("policy", Operation::Read | Operation::List) => {
            let names = policy_names(vault);
            Ok(Outcome::Flat(json!({"keys": names, "policies": names})))
        }
        ("capabilities-self", Operation::Update) => capabilities(vault, token, &ask.body),
        ("capabilities-accessor", Operation::Update) => capabilities_of(vault, &ask.body),
        ("seal", Operation::Update) => {
            vault.sealed = true;
            Ok(Outcome::Nothing)
        }
        ("namespaces", Operation::List) => Err(absent()),
        ("auth" | "mounts" | "policies/acl" | "policies/detailed/acl" | "policy" | "namespaces" | "seal", _) => {
            Err(unsupported_operation())
        }
        ("capabilities-self" | "capabilities-accessor", _) => Err(unsupported_operation()),
        _ if rest.starts_with("internal/ui/mounts/secret") => Ok(Outcome::Data(kv_mount_with_path())),
        _ => match rest.strip_prefix("policies/acl/") {
            Some(name) => policy(vault, &name.to_lowercase(), ask, "policy"),
            None => match rest.strip_prefix("policy/") {
                Some(name) => policy(vault, &name.to_lowercase(), ask, "rules"),
                None => Err(unsupported_path()),
            },
        },
    }
}

fn policy_names(vault: &Vault) -> Vec<String> {
    vault.policies.keys().cloned().chain(["root".to_owned()]).collect()
}

fn policy(vault: &mut Vault, name: &str, ask: &Ask<'_>, field: &str) -> Result<Outcome, Failure> {
    match ask.operation {
        Operation::Read => {
            let data = written(vault, name, field).ok_or_else(absent)?;
            Ok(if field == "rules" { Outcome::Flat(data) } else { Outcome::Data(data) })
        }
        Operation::Update => {
            let text = ask.body.text("policy");
            hcl::parse(text).map_err(|e| failure(400, format!("failed to parse policy: {e}")))?;
            let flags = flags(&ask.body)?;
            vault.policies.insert(name.to_owned(), text.to_owned());
            vault.flags.insert(name.to_owned(), flags);
            Ok(Outcome::Nothing)
        }
        Operation::Delete => {
            vault.policies.remove(name);
            vault.flags.remove(name);
            Ok(Outcome::Nothing)
        }
        _ => Err(unsupported_operation()),
    }
}

/// A policy as it is read; root has no text.
fn written(vault: &Vault, name: &str, field: &str) -> Option<Value> {
    let text = if name == "root" { "" } else { vault.policies.get(name)? };
    let flags = vault.flags.get(name).copied().unwrap_or_default();
    let mut data = json!({
        "allow_slashes_in_identity_templates": flags.lets.slashes, "allow_wildcards_in_identity_templates": flags.lets.wildcards,
        "cas_required": false, "name": name,
    });
    if let Some(end) = flags.expires {
        data.put("expiration", clock::ahead(end - clock::epoch()));
    }
    data.put(field, text);
    data.put("version", i32::from(name != "root"));
    Some(data)
}

/// All policies in one answer.
fn detailed(vault: &Vault) -> Value {
    let names = policy_names(vault);
    let mut info = json!({});
    for name in &names {
        crate::demo::json::object(&mut info).insert(name.clone(), written(vault, name, "policy").unwrap_or_default());
    }
    json!({"key_info": info, "keys": names})
}

/// What a write says of a policy beside its text.
fn flags(body: &Value) -> Result<Flags, Failure> {
    let seconds = |text: &str| text.trim_end_matches('s').parse::<i64>().ok();
    let ttl = body.at("ttl").as_i64().or_else(|| seconds(body.text("ttl"))).filter(|ttl| *ttl > 0);
    let end = body.text("expiration").parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_second);
    if ttl.is_some() && end.is_some() {
        return Err(failure(400, "cannot supply both 'expiration' and 'ttl' for policies"));
    }
    let lets =
        Lets { slashes: body.truth("allow_slashes_in_identity_templates"), wildcards: body.truth("allow_wildcards_in_identity_templates") };
    Ok(Flags { lets, expires: ttl.map(|ttl| clock::epoch() + ttl).or(end) })
}

fn capabilities_of(vault: &Vault, body: &Value) -> Result<Outcome, Failure> {
    let accessor = body.text("accessor");
    if accessor.is_empty() {
        return Err(failure(400, "missing accessor"));
    }
    let token = vault.by_accessor(accessor).ok_or_else(|| failure(400, "1 error occurred:\n\t* invalid accessor\n\n"))?;
    capabilities(vault, &token, body)
}

fn capabilities(vault: &Vault, token: &Token, body: &Value) -> Result<Outcome, Failure> {
    let paths = super::texts(body, "paths").filter(|p| !p.is_empty()).ok_or_else(|| failure(400, "paths must be supplied"))?;
    let acl = vault.acl(token);
    let mut data = json!({});
    for path in &paths {
        crate::demo::json::object(&mut data).insert(path.clone(), acl.capabilities(path).into());
    }
    if let [one] = paths.as_slice() {
        data.put("capabilities", acl.capabilities(one));
    }
    Ok(Outcome::Flat(data))
}

fn mount(accessor: &str, kind: &str, description: &str, uuid: &str) -> Value {
    json!({
        "accessor": accessor, "config": {"default_lease_ttl": 0, "force_no_cache": false, "max_lease_ttl": 0},
        "description": description, "external_entropy_access": false, "local": false, "options": null, "plugin_version": "",
        "running_plugin_version": "v2.6.2+builtin.bao", "running_sha256": "", "seal_wrap": false, "type": kind, "uuid": uuid,
    })
}

fn auth_mounts() -> Value {
    let mut token = mount("auth_token_b1523e86", "token", "token based credentials", "6537e2ff-37b8-9d2a-8c57-a2a55a3c0b32");
    let mut kubernetes = mount(ACCESSOR, "kubernetes", "", "5288ff8b-a639-b678-6fc3-6dd97666bcc2");
    for value in [&mut token, &mut kubernetes] {
        value.put("config/token_type", "default-service");
    }
    kubernetes.put("deprecation_status", "supported");
    json!({"kubernetes/": kubernetes, "token/": token})
}

fn kv_mount() -> Value {
    let mut value = mount("kv_73d36797", "kv", "key/value secret storage", "67436bcf-3085-fd78-0714-1f31df86b4cd");
    value.put("options", json!({"version": "2"}));
    value.put("deprecation_status", "supported");
    value
}

fn kv_mount_with_path() -> Value {
    let mut value = kv_mount();
    value.put("path", "secret/");
    value
}

fn mounts() -> Value {
    let mut cubbyhole =
        mount("cubbyhole_289b501b", "cubbyhole", "per-token private secret storage", "8a52d63f-e0cd-1909-d405-bce568fc822a");
    cubbyhole.put("local", true);
    json!({
        "cubbyhole/": cubbyhole,
        "identity/": mount("identity_cee0ea1d", "identity", "identity store", "3549c396-c651-6b7e-54af-098e2d043eb6"),
        "secret/": kv_mount(),
        "sys/": mount("system_137f4bfe", "system", "system endpoints used for control, policy and debugging", "fb8b4554-758f-126d-3021-9e0e7129385f"),
    })
}
