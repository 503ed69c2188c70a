//! What the simulated Vault holds.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Ask;
use super::acl::{Acl, Operation};
use super::hcl;
use super::identity::{Alias, Entity, Identities};
use super::template::{Lets, fill};
use crate::demo::clock;

/// Which accounts a role admits, and what they get.
#[derive(Clone, Debug, Default)]
pub(crate) struct Role {
    pub(crate) names: Vec<String>,
    pub(crate) namespaces: Vec<String>,
    pub(crate) audience: String,
    pub(crate) policies: Vec<String>,
    /// Seconds a token lives.
    pub(crate) ttl: i64,
    pub(crate) max_ttl: i64,
    pub(crate) period: i64,
    pub(crate) uses: i64,
    /// JSON of a label selector, or "".
    pub(crate) selector: String,
    /// `batch` or `service`; "" for the mount's.
    pub(crate) token_type: String,
    pub(crate) cidrs: Vec<String>,
    pub(crate) no_default: bool,
    pub(crate) alias_by_name: bool,
}

/// A token and what it is for.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) id: String,
    pub(crate) accessor: String,
    pub(crate) policies: Vec<String>,
    pub(crate) display: String,
    pub(crate) path: String,
    pub(crate) metadata: Value,
    pub(crate) entity: String,
    pub(crate) created: i64,
    /// Seconds; 0 lives for ever.
    pub(crate) ttl: i64,
}

/// What is said beside a policy's text.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Flags {
    pub(crate) lets: Lets,
    /// Seconds since 1970; it ends then.
    pub(crate) expires: Option<i64>,
}

/// A versioned secret.
#[derive(Clone, Debug)]
pub(crate) struct Secret {
    /// When it was written, and what.
    pub(crate) versions: Vec<(String, Value)>,
}

pub(crate) struct Vault {
    pub(crate) sealed: bool,
    pub(crate) policies: BTreeMap<String, String>,
    /// What is said beside their texts, where something is.
    pub(crate) flags: BTreeMap<String, Flags>,
    pub(crate) roles: BTreeMap<String, Role>,
    pub(crate) secrets: BTreeMap<String, Secret>,
    /// Settings of the Kubernetes auth mount.
    pub(crate) kubernetes: Value,
    tokens: BTreeMap<String, Token>,
    pub(crate) identities: Identities,
    rng: fastrand::Rng,
}

/// Token of somebody who may read what an operator needs, and no secret.
pub(crate) const OPERATOR: &str = "s.partywall-demo-operator";
/// Token that may do everything.
pub(crate) const ROOT: &str = "s.partywall-demo-root";

/// Accessor of the Kubernetes auth mount.
pub(crate) const ACCESSOR: &str = "auth_kubernetes_8d26875b";

const OPERATOR_POLICY: &str = r#"# reads no secret and changes nothing
path "sys/auth"                   { capabilities = ["read"] }
path "sys/mounts"                 { capabilities = ["read"] }
path "auth/kubernetes/config"     { capabilities = ["read"] }
path "auth/kubernetes/role"       { capabilities = ["list"] }
path "auth/kubernetes/role/*"     { capabilities = ["read", "list"] }
path "sys/policies/acl"           { capabilities = ["list"] }
path "sys/policies/acl/*"         { capabilities = ["read", "list"] }
path "sys/policies/detailed/acl"  { capabilities = ["list"] }
path "identity/entity/id"         { capabilities = ["list"] }
path "identity/entity/id/*"       { capabilities = ["read", "list"] }
path "identity/entity-alias/id"   { capabilities = ["list"] }
path "identity/entity-alias/id/*" { capabilities = ["read", "list"] }
path "identity/group/id"          { capabilities = ["list"] }
path "identity/group/id/*"        { capabilities = ["read", "list"] }
path "identity/lookup/entity"     { capabilities = ["update"] }
path "sys/namespaces"             { capabilities = ["list"] }
path "sys/capabilities-accessor"  { capabilities = ["update"] }
path "auth/token/lookup-self"     { capabilities = ["read"] }
path "auth/token/renew-self"      { capabilities = ["update"] }
path "auth/token/revoke-self"     { capabilities = ["update"] }
"#;

/// The rules that every server ships as `default`.
const DEFAULT_POLICY: &str = r#"
# what any token may do about itself
path "auth/token/lookup-self" { capabilities = ["read"] }
path "auth/token/renew-self" { capabilities = ["update"] }
path "auth/token/revoke-self" { capabilities = ["update"] }
path "sys/capabilities-self" { capabilities = ["update"] }
path "identity/entity/id/{{identity.entity.id}}" { capabilities = ["read"] }
path "identity/entity/name/{{identity.entity.name}}" { capabilities = ["read"] }
path "sys/internal/ui/resultant-acl" { capabilities = ["read"] }
path "sys/leases/renew" { capabilities = ["update"] }
path "sys/leases/lookup" { capabilities = ["update"] }
path "cubbyhole/*" { capabilities = ["create", "read", "update", "delete", "list"] }
path "sys/wrapping/wrap" { capabilities = ["update"] }
path "sys/wrapping/lookup" { capabilities = ["update"] }
path "sys/wrapping/unwrap" { capabilities = ["update"] }
path "sys/tools/hash" { capabilities = ["update"] }
path "sys/tools/hash/*" { capabilities = ["update"] }
path "identity/oidc/provider/+/authorize" { capabilities = ["read", "update"] }
"#;

impl Vault {
    /// A Vault with the built-in policies and tokens and nothing else.
    pub(crate) fn new(seed: u64) -> Self {
        let mut vault = Self {
            sealed: false,
            policies: BTreeMap::new(),
            flags: BTreeMap::new(),
            roles: BTreeMap::new(),
            secrets: BTreeMap::new(),
            kubernetes: json!({}),
            tokens: BTreeMap::new(),
            identities: Identities::default(),
            rng: fastrand::Rng::with_seed(seed ^ 0x7661_756c_7400),
        };
        vault.policies.insert("default".into(), DEFAULT_POLICY.into());
        vault.policies.insert("operator".into(), OPERATOR_POLICY.into());
        for (id, policies) in [(ROOT, vec!["root".to_owned()]), (OPERATOR, vec!["default".to_owned(), "operator".to_owned()])] {
            let token = Token {
                id: id.into(),
                accessor: vault.word(24),
                policies,
                display: "token".into(),
                path: "auth/token/create".into(),
                metadata: Value::Null,
                entity: String::new(),
                created: clock::epoch(),
                ttl: 0,
            };
            vault.tokens.insert(token.id.clone(), token);
        }
        vault
    }

    /// The token with this text, if it is still good.
    pub(crate) fn use_token(&mut self, id: &str) -> Option<Token> {
        let token = self.tokens.get(id)?;
        if token.ttl > 0 && token.created + token.ttl <= clock::epoch() {
            self.tokens.remove(id);
            return None;
        }
        Some(token.clone())
    }

    /// Stores a token.
    pub(crate) fn keep(&mut self, token: Token) {
        self.tokens.insert(token.id.clone(), token);
    }

    /// Forgets a token.
    pub(crate) fn revoke(&mut self, id: &str) {
        self.tokens.remove(id);
    }

    /// The token with this accessor.
    pub(crate) fn by_accessor(&self, accessor: &str) -> Option<Token> {
        self.tokens.values().find(|token| token.accessor == accessor).cloned()
    }

    /// What a token may do: by its own policies, and by those of who it stands for.
    pub(crate) fn acl(&self, token: &Token) -> Acl {
        if token.policies.iter().any(|p| p == "root") {
            return Acl::root();
        }
        let entity = self.identities.entities.get_key_value(&token.entity).map(|(id, entity)| (id.as_str(), entity));
        // a disabled entity may do nothing
        if entity.is_some_and(|(_, entity)| entity.disabled) {
            return Acl::default();
        }
        let identity = self.identities.policies(&token.entity);
        let names = token.policies.iter().chain(identity.iter().filter(|name| !token.policies.contains(name)));
        let mut blocks = Vec::new();
        for name in names {
            let flags = self.flags.get(name).copied().unwrap_or_default();
            // a policy that is not there, is over or cannot be read grants nothing
            let Some(text) = self.policies.get(name).filter(|_| flags.expires.is_none_or(|end| end > clock::epoch())) else { continue };
            for mut block in hcl::parse(text).unwrap_or_default() {
                if let Some(pattern) = fill(&block.pattern, entity, &self.identities, flags.lets) {
                    block.pattern = pattern;
                    blocks.push(block);
                }
            }
        }
        Acl::merge(blocks)
    }

    /// Whether a token may do what is asked.
    pub(crate) fn allows(&self, token: &Token, path: &str, ask: &Ask<'_>) -> bool {
        let operation = match ask.operation {
            Operation::Write if self.secrets.contains_key(path.trim_start_matches("secret/data/")) => Operation::Update,
            Operation::Write => Operation::Create,
            other => other,
        };
        self.acl(token).allows(path, operation)
    }

    /// The entity of who logs in, the same at every login. Its alias keeps what the login tells of it.
    pub(crate) fn entity_of(&mut self, name: &str, metadata: BTreeMap<String, String>) -> String {
        let known = self.identities.by_alias(ACCESSOR, name).cloned();
        let id = known.clone().unwrap_or_else(|| self.uuid());
        let fresh = Alias { id: self.uuid(), name: name.to_owned(), accessor: ACCESSOR.to_owned(), ..Alias::default() };
        let entity = self.identities.entities.entry(id.clone()).or_default();
        if known.is_none() {
            *entity = Entity { name: format!("entity_{}", fresh.id.split('-').next().unwrap_or_default()), ..Entity::default() };
            entity.aliases.push(fresh);
        }
        if let Some(alias) = entity.aliases.iter_mut().find(|alias| alias.accessor == ACCESSOR && alias.name == name) {
            alias.metadata = metadata;
        }
        id
    }

    /// A random word of letters and digits.
    pub(crate) fn word(&mut self, length: usize) -> String {
        (0..length).map(|_| self.rng.alphanumeric()).collect()
    }

    /// A random UUID.
    pub(crate) fn uuid(&mut self) -> String {
        let (a, b) = (self.rng.u64(..), self.rng.u64(..));
        format!("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", a >> 32, (a >> 16) & 0xffff, a & 0xffff, b >> 48, b & 0xffff_ffff_ffff)
    }
}
