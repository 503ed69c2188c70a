//! What the simulated Vault holds.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Ask;
use super::acl::{Acl, Operation};
use super::hcl;
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

/// A versioned secret.
#[derive(Clone, Debug)]
pub(crate) struct Secret {
    /// When it was written, and what.
    pub(crate) versions: Vec<(String, Value)>,
}

pub(crate) struct Vault {
    pub(crate) sealed: bool,
    pub(crate) policies: BTreeMap<String, String>,
    pub(crate) roles: BTreeMap<String, Role>,
    pub(crate) secrets: BTreeMap<String, Secret>,
    /// Settings of the Kubernetes auth mount.
    pub(crate) kubernetes: Value,
    tokens: BTreeMap<String, Token>,
    /// Entities by the uid of their account.
    entities: BTreeMap<String, String>,
    rng: fastrand::Rng,
}

/// Token of somebody who may read what an operator needs, and no secret.
pub(crate) const OPERATOR: &str = "s.partywall-demo-operator";
/// Token that may do everything.
pub(crate) const ROOT: &str = "s.partywall-demo-root";

const OPERATOR_POLICY: &str = r#"# reads no secret and changes nothing
path "sys/auth"                   { capabilities = ["read"] }
path "sys/mounts"                 { capabilities = ["read"] }
path "auth/kubernetes/config"     { capabilities = ["read"] }
path "auth/kubernetes/role"       { capabilities = ["list"] }
path "auth/kubernetes/role/*"     { capabilities = ["read", "list"] }
path "sys/policies/acl"           { capabilities = ["list"] }
path "sys/policies/acl/*"         { capabilities = ["read", "list"] }
path "sys/policies/detailed/acl"  { capabilities = ["list"] }
path "sys/policy"                 { capabilities = ["read", "list"] }
path "sys/policy/*"               { capabilities = ["read"] }
path "identity/*"                 { capabilities = ["read", "list"] }
path "identity/lookup/entity"     { capabilities = ["update"] }
path "sys/namespaces"             { capabilities = ["list"] }
"#;

const DEFAULT_POLICY: &str = r#"
# Allow tokens to look up their own properties
path "auth/token/lookup-self" {
    capabilities = ["read"]
}

# Allow tokens to renew themselves
path "auth/token/renew-self" {
    capabilities = ["update"]
}

# Allow tokens to revoke themselves
path "auth/token/revoke-self" {
    capabilities = ["update"]
}

# Allow a token to look up its own capabilities on a path
path "sys/capabilities-self" {
    capabilities = ["update"]
}
"#;

impl Vault {
    /// A Vault with the built-in policies and tokens and nothing else.
    pub(crate) fn new(seed: u64) -> Self {
        let mut vault = Self {
            sealed: false,
            policies: BTreeMap::new(),
            roles: BTreeMap::new(),
            secrets: BTreeMap::new(),
            kubernetes: json!({}),
            tokens: BTreeMap::new(),
            entities: BTreeMap::new(),
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

    /// What a token may do.
    pub(crate) fn acl(&self, token: &Token) -> Acl {
        if token.policies.iter().any(|p| p == "root") {
            return Acl::root();
        }
        // a policy that is not there, or cannot be read, grants nothing
        let texts = token.policies.iter().filter_map(|name| self.policies.get(name));
        Acl::merge(texts.flat_map(|text| hcl::parse(text).unwrap_or_default()))
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

    /// The entity of an account, the same at every login.
    pub(crate) fn entity_of(&mut self, uid: &str) -> String {
        if let Some(known) = self.entities.get(uid) {
            return known.clone();
        }
        let entity = self.uuid();
        self.entities.insert(uid.to_owned(), entity.clone());
        entity
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
