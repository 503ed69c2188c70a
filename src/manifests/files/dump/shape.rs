//! What a file of a dump is. Only keys are looked at until it is known.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::model::ids::Name;
use crate::model::vault::VaultPolicy;
use crate::vault::project;
use crate::vaultacl::{self, dialect::Dialect};

/// Lists of names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Names {
    /// `sys/policies/acl`.
    Policies,
    /// `auth/<mount>/role`.
    Roles(Name),
    /// `identity/entity/id`.
    Entities,
    /// `identity/group/id`.
    Groups,
    /// `sys/namespaces`.
    Namespaces,
}

/// What a file is.
#[derive(Debug)]
pub(super) enum Shape {
    /// Not of Vault.
    Other,
    /// HCL that nobody meant as a policy.
    Unlike,
    /// Of Vault, but not read.
    Passed(&'static str),
    /// Of Vault, and not to be read: why.
    Bad(String),
    Policy {
        name: Name,
        policy: VaultPolicy,
    },
    Policies(BTreeMap<Name, VaultPolicy>),
    Role {
        mount: Name,
        name: Name,
        answer: Value,
    },
    Config {
        mount: Name,
        answer: Value,
    },
    Auth(Value),
    Secrets(Value),
    Status(Value),
    Entity(Value),
    Group(Value),
    Names(Names, Vec<Name>),
}

/// Types of mounts that only one of the two lists has.
const AUTH_TYPES: [&str; 4] = ["token", "approle", "userpass", "ns_token"];
const SECRET_TYPES: [&str; 7] = ["system", "ns_system", "cubbyhole", "ns_cubbyhole", "identity", "ns_identity", "kv"];

/// Keys of an object, each once; values are skipped unread.
struct Keys(BTreeSet<String>);

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Keys;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Keys, M::Error> {
                let mut keys = BTreeSet::new();
                while let Some((key, IgnoredAny)) = map.next_entry::<String, IgnoredAny>()? {
                    keys.insert(key);
                }
                Ok(Keys(keys))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

impl Keys {
    fn of(json: &str) -> Option<Self> {
        // of several documents in a file the first tells
        Self::deserialize(&mut serde_json::Deserializer::from_str(json)).ok()
    }

    fn has(&self, key: &str) -> bool {
        self.0.contains(key)
    }

    fn only(&self, known: &[&str]) -> bool {
        self.0.iter().all(|key| known.contains(&key.as_str()))
    }

    /// Rows of a list of mounts are named by paths.
    fn mounts(&self) -> bool {
        !self.0.is_empty() && self.0.iter().all(|key| key.ends_with('/'))
    }
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

/// What a file is, by its name and text. O(length).
pub(super) fn of(file: &str, text: &str) -> Shape {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if extension(file).eq_ignore_ascii_case("hcl") {
        return hcl(file, text);
    }
    match text.trim_start().chars().next() {
        Some('{') => object(file, text),
        Some('[') => names(file, text),
        _ => Shape::Other,
    }
}

fn hcl(file: &str, text: &str) -> Shape {
    // Terraform, Nomad and Vault's own settings are HCL too
    let meant = || {
        text.lines().map(str::trim_start).any(|line| {
            let rest = line.trim_start_matches(['"', '{', ' ']).strip_prefix("path").map(|rest| rest.trim_start_matches('"').trim_start());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['"', '{', '=', ':']) || line.starts_with("path \""))
        })
    };
    if vaultacl::read(text, Dialect::Any).is_err() && !meant() { Shape::Unlike } else { policy(file, VaultPolicy::new(text), None) }
}

fn policy(file: &str, policy: VaultPolicy, told: Option<&str>) -> Shape {
    let name = told.unwrap_or_else(|| stem(file));
    if name.is_empty() || name == "-" {
        return Shape::Bad("a policy of which neither content nor file tells the name".to_owned());
    }
    Shape::Policy { name: name.to_lowercase().into(), policy }
}

fn object(file: &str, text: &str) -> Shape {
    let Some(keys) = Keys::of(text) else { return Shape::Other };
    if keys.has("kind") || keys.has("apiVersion") {
        return Shape::Other;
    }
    if keys.has("path") && keys.only(&["path", "name"]) {
        return policy(file, VaultPolicy::new(text), None);
    }
    let whole = || serde_json::from_str::<Value>(text).unwrap_or(Value::Null);
    if keys.has("policy") && keys.only(&["policy", "name"]) {
        let answer = whole();
        let name = answer.get("name").and_then(Value::as_str).map(str::to_owned);
        return project::policy(&answer).map_or(Shape::Other, |read| policy(file, read, name.as_deref()));
    }
    if keys.has("sealed") && keys.has("version") {
        return Shape::Status(whole());
    }
    if keys.mounts() {
        return mounts(file, whole());
    }
    if !keys.has("data") || !(keys.has("request_id") || keys.has("lease_id") || keys.only(&["data"])) {
        return Shape::Other;
    }
    let data = serde_json::from_str::<Answer<'_>>(text).ok().and_then(|answer| Keys::of(answer.data?.get()));
    match data {
        Some(data) => answer(file, &data, whole),
        None => Shape::Passed("(an answer of Vault without data)"),
    }
}

fn answer(file: &str, data: &Keys, whole: impl Fn() -> Value) -> Shape {
    const BOUND: [&str; 3] =
        ["bound_service_account_names", "bound_service_account_namespaces", "bound_service_account_namespace_selector"];
    if BOUND.iter().any(|key| data.has(key)) {
        let (mount, name) = below_auth(file, "role").unwrap_or_else(|| ("kubernetes".to_owned(), stem(file).to_owned()));
        if name.is_empty() || name == "-" {
            return Shape::Bad("a role of which the file does not tell the name".to_owned());
        }
        return Shape::Role { mount: mount.into(), name: name.to_lowercase().into(), answer: whole() };
    }
    if data.has("kubernetes_host") {
        let mount = below_auth(file, "").map_or_else(|| "kubernetes".to_owned(), |(mount, _)| mount);
        return Shape::Config { mount: mount.into(), answer: whole() };
    }
    if data.has("name") && (data.has("policy") || data.has("rules")) {
        let answer = whole();
        let name = answer.pointer("/data/name").and_then(Value::as_str).map(str::to_owned);
        return project::policy(&answer)
            .map_or_else(|| Shape::Bad("a policy without text".to_owned()), |read| policy(file, read, name.as_deref()));
    }
    if data.has("keys") && data.only(&["keys", "key_info", "policies"]) {
        let answer = whole();
        return match project::detailed_policies(&answer).filter(|all| !all.is_empty()) {
            Some(all) => Shape::Policies(all),
            None => named(file, project::keys(&answer)),
        };
    }
    if data.mounts() {
        return mounts(file, whole());
    }
    if data.has("id") && data.has("aliases") {
        return Shape::Entity(whole());
    }
    if data.has("id") && data.has("member_entity_ids") {
        return Shape::Group(whole());
    }
    Shape::Passed("(an answer of Vault that is not read)")
}

fn mounts(file: &str, answer: Value) -> Shape {
    let rows = answer.get("data").filter(|data| data.is_object()).unwrap_or(&answer);
    let has = |types: &[&str]| {
        let mut kinds = rows.as_object().into_iter().flatten().filter_map(|(_, row)| row.get("type").and_then(Value::as_str));
        kinds.any(|kind| types.contains(&kind))
    };
    let named = |words: &[&str]| words.iter().any(|word| stem(file).eq_ignore_ascii_case(word));
    match (has(&AUTH_TYPES), has(&SECRET_TYPES)) {
        (true, false) => Shape::Auth(answer),
        (false, true) => Shape::Secrets(answer),
        _ if named(&["auth"]) => Shape::Auth(answer),
        _ if named(&["mounts", "secrets"]) => Shape::Secrets(answer),
        _ => Shape::Bad("a list of mounts that may be of auth or of secrets: name it auth.json or mounts.json".to_owned()),
    }
}

/// A JSON list of texts, as `vault list -format=json` prints it.
fn names(file: &str, text: &str) -> Shape {
    if which(file).is_none() {
        return Shape::Other;
    }
    let Ok(list) = serde_json::from_str::<Vec<String>>(text) else { return Shape::Other };
    named(file, list.iter().map(|name| Name::from(name.as_str())).collect())
}

fn named(file: &str, names: Vec<Name>) -> Shape {
    let Some(of) = which(file) else { return Shape::Passed("(a list of names; of what, its path does not tell)") };
    // policies and roles are kept in lower case; a namespace is listed with a slash
    let folded = |name: Name| match of {
        Names::Policies | Names::Roles(_) => Name::from(name.to_lowercase()),
        Names::Namespaces => name.trim_matches('/').into(),
        Names::Entities | Names::Groups => name,
    };
    let names = names.into_iter().map(folded).collect();
    Shape::Names(of, names)
}

/// Which list stands at a path: `.../sys/policies/acl.json`, `.../auth/<mount>/role.json` and so on.
fn which(file: &str) -> Option<Names> {
    let path = parts(file);
    let ends = |with: &[&str]| path.ends_with(&with.iter().map(|part| (*part).to_owned()).collect::<Vec<_>>());
    if ends(&["sys", "policies", "acl"]) {
        return Some(Names::Policies);
    }
    if ends(&["identity", "entity", "id"]) {
        return Some(Names::Entities);
    }
    if ends(&["identity", "group", "id"]) {
        return Some(Names::Groups);
    }
    if ends(&["sys", "namespaces"]) {
        return Some(Names::Namespaces);
    }
    let (last, before) = path.split_last()?;
    let auth = before.iter().rposition(|part| part == "auth")?;
    let mount = before.get(auth + 1..)?.join("/");
    (last == "role" && !mount.is_empty()).then(|| Names::Roles(mount.into()))
}

/// Mount and name of `.../auth/<mount>/<kind>/<name>.json`; without a kind of `.../auth/<mount>/<name>.json`.
fn below_auth(file: &str, kind: &str) -> Option<(String, String)> {
    let path = parts(file);
    let (name, before) = path.split_last()?;
    let before = if kind.is_empty() {
        before
    } else {
        let (last, before) = before.split_last()?;
        (last == kind).then_some(before)?
    };
    let auth = before.iter().rposition(|part| part == "auth")?;
    let mount = before.get(auth + 1..)?.join("/");
    (!mount.is_empty()).then(|| (mount, name.clone()))
}

/// The parts of a path, the last without its extension.
fn parts(file: &str) -> Vec<String> {
    let mut parts: Vec<String> = file.split(['/', '\\']).filter(|part| !part.is_empty() && *part != ".").map(str::to_owned).collect();
    if let Some(last) = parts.last_mut() {
        stem(file).clone_into(last);
    }
    parts
}

fn last(file: &str) -> &str {
    file.rsplit(['/', '\\']).next().unwrap_or(file)
}

fn stem(file: &str) -> &str {
    last(file).rsplit_once('.').map_or(last(file), |(stem, _)| stem)
}

fn extension(file: &str) -> &str {
    last(file).rsplit_once('.').map_or("", |(_, extension)| extension)
}
