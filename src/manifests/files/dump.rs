//! A dump of Vault among the files: policies as text, and the answers of `vault read`, `vault list`, `vault auth list`, `vault secrets list`
//! and `vault status` with `-format=json`. What a file is, its content says; names that the content lacks, its path says (`shape`).
//!
//! Answers of other kinds are passed over unread: one of them may be a secret.

mod shape;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use self::shape::{Names, Shape};
use crate::model::ids::Name;
use crate::model::source::SourceState;
use crate::model::text::clean;
use crate::model::vault::{
    AuthMount, EntityFact, GroupFact, KubernetesConfig, Part, SecretMount, VaultFacts, VaultPolicy, VaultRole, VaultServer,
};
use crate::vault::project;
use crate::vaultacl::{self, dialect::Dialect};

/// What became of a file that was offered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Offer {
    /// It is not of Vault.
    Other,
    /// It was read.
    Taken,
    /// It was read, and this is worth saying. Not cleaned.
    Noted(String),
    /// It was read as a policy, and a server would refuse it: why. Not cleaned.
    Doubtful(String),
    /// It is of Vault, and not read: what it is.
    Passed(&'static str),
    /// It is of Vault and can't be read: why. Not cleaned.
    Bad(String),
}

/// What files tell of a Vault server.
#[derive(Debug, Default)]
pub struct Dump {
    any: bool,
    server: Option<VaultServer>,
    policies: BTreeMap<Name, VaultPolicy>,
    roles: BTreeMap<Name, BTreeMap<Name, VaultRole>>,
    configs: BTreeMap<Name, KubernetesConfig>,
    auth: Option<BTreeMap<Name, AuthMount>>,
    secrets: Option<BTreeMap<Name, SecretMount>>,
    entities: BTreeMap<Name, EntityFact>,
    groups: BTreeMap<Name, GroupFact>,
    listed: BTreeMap<Names, BTreeSet<Name>>,
}

/// Why an item is not there.
const MISSING: &str = "not among the files";

impl Dump {
    /// Takes a file's text if it is of Vault. O(length).
    pub fn offer(&mut self, file: &str, text: &str) -> Offer {
        let offer = match shape::of(file, text) {
            Shape::Other => Offer::Other,
            Shape::Passed(what) => Offer::Passed(what),
            Shape::Bad(why) => Offer::Bad(why),
            Shape::Policy { name, policy } => self.policy(&name, policy),
            Shape::Unlike => Offer::Passed("(HCL that is no Vault policy)"),
            Shape::Role { mount, name, answer } => match project::role(&answer) {
                Some(role) => {
                    let before = self.roles.entry(mount).or_default().insert(name.clone(), role);
                    again(before.is_some(), "role", &name)
                }
                None => Offer::Bad("no role".to_owned()),
            },
            Shape::Config { mount, answer } => match project::kubernetes_config(&answer) {
                Some(config) => again(self.configs.insert(mount.clone(), config).is_some(), "config of auth mount", &mount),
                None => Offer::Bad("no config of an auth mount".to_owned()),
            },
            Shape::Policies(all) => {
                self.policies.extend(all);
                Offer::Taken
            }
            Shape::Auth(answer) => again(self.auth.replace(project::auth_mounts(&answer)).is_some(), "list of auth mounts", ""),
            Shape::Secrets(answer) => again(self.secrets.replace(project::secret_mounts(&answer)).is_some(), "list of secret mounts", ""),
            Shape::Status(answer) => again(self.server.replace(project::server(&answer, Some(&answer))).is_some(), "status", ""),
            Shape::Entity(answer) => self.identity(&answer, true),
            Shape::Group(answer) => self.identity(&answer, false),
            Shape::Names(of, names) => {
                self.listed.entry(of).or_default().extend(names);
                Offer::Taken
            }
        };
        self.any |= matches!(offer, Offer::Taken | Offer::Noted(_) | Offer::Doubtful(_));
        offer
    }

    fn policy(&mut self, name: &Name, policy: VaultPolicy) -> Offer {
        if name.as_ref() == "root" {
            return Offer::Passed("(the root policy, which has no text)");
        }
        let refused = vaultacl::read(&policy.text, Dialect::Any).err();
        let before = self.policies.insert(name.clone(), policy).is_some();
        match refused {
            Some(why) => Offer::Doubtful(format!("policy {name}: a server would refuse it: {why}")),
            None => again(before, "policy", name),
        }
    }

    fn identity(&mut self, answer: &Value, entity: bool) -> Offer {
        let id: Name = answer.pointer("/data/id").and_then(Value::as_str).unwrap_or_default().into();
        let before = if entity {
            let Some(entity) = project::entity(answer) else { return Offer::Bad("no entity".to_owned()) };
            self.entities.insert(id.clone(), entity).is_some()
        } else {
            let Some(group) = project::group(answer) else { return Offer::Bad("no group".to_owned()) };
            self.groups.insert(id.clone(), group).is_some()
        };
        again(before, if entity { "entity" } else { "group" }, &id)
    }

    /// The facts, and what is missing for a whole picture, in words; none where no file was of Vault. What was not given is off, so that nothing
    /// is concluded from it; of what is named and not given the reason stands with the item.
    pub fn finish(self) -> Option<(VaultFacts, Vec<String>)> {
        if !self.any {
            return None;
        }
        let mut facts = VaultFacts { configured: true, address: "files".into(), ..VaultFacts::default() };
        facts.server = self.server.clone().unwrap_or(VaultServer { initialized: true, ..VaultServer::default() });
        facts.server.state = SourceState::Live;
        let missing = self.missing_policies();
        let given = !self.policies.is_empty() || self.listed.contains_key(&Names::Policies);
        facts.policies = part(given, self.policies, missing);
        let mut mounts: BTreeSet<Name> = self.roles.keys().cloned().collect();
        mounts.extend(self.listed.keys().filter_map(|of| if let Names::Roles(mount) = of { Some(mount.clone()) } else { None }));
        let told = self.auth.iter().flatten().filter(|(_, mount)| mount.kind.as_ref() == "kubernetes").map(|(path, _)| path);
        mounts.extend(told.cloned());
        let unread =
            mounts.iter().filter(|mount| !self.configs.contains_key(*mount)).map(|mount| (mount.clone(), MISSING.into())).collect();
        facts.kubernetes_config = part(!self.configs.is_empty(), self.configs, unread);
        for mount in mounts {
            let listed = self.listed.get(&Names::Roles(mount.clone()));
            let roles = self.roles.get(&mount).cloned().unwrap_or_default();
            let given = listed.is_some() || !roles.is_empty();
            let missing = absent(listed, &roles);
            facts.kubernetes.insert(mount, part(given, roles, missing));
        }
        facts.auth_mounts = part(self.auth.is_some(), self.auth.unwrap_or_default(), BTreeMap::new());
        facts.secret_mounts = part(self.secrets.is_some(), self.secrets.unwrap_or_default(), BTreeMap::new());
        // who else there is only a list can say
        let listed = self.listed.get(&Names::Entities);
        let missing = absent(listed, &self.entities);
        facts.entities = part(listed.is_some(), self.entities, missing);
        let listed = self.listed.get(&Names::Groups);
        let missing = absent(listed, &self.groups);
        facts.groups = part(listed.is_some(), self.groups, missing);
        let listed = self.listed.get(&Names::Namespaces);
        facts.namespaces = part(listed.is_some(), listed.into_iter().flatten().map(|name| (name.clone(), ())).collect(), BTreeMap::new());
        let notes = notes(&facts);
        Some((facts, notes))
    }

    /// Policies that somebody has or that are listed, but whose text was not given. Where there is a list, what it lacks does not exist.
    fn missing_policies(&self) -> BTreeMap<Name, Name> {
        let listed = self.listed.get(&Names::Policies);
        let mut named: BTreeSet<Name> = listed.into_iter().flatten().cloned().collect();
        if listed.is_none() {
            for role in self.roles.values().flat_map(BTreeMap::values) {
                named.extend(role.policies.iter().cloned());
                named.extend((!role.no_default).then(|| Name::from("default")));
            }
            named.extend(self.entities.values().flat_map(|entity| entity.policies.iter().cloned()));
            named.extend(self.groups.values().flat_map(|group| group.policies.iter().cloned()));
        }
        named.remove("root");
        named.into_iter().filter(|name| !self.policies.contains_key(name)).map(|name| (name, MISSING.into())).collect()
    }
}

fn again(before: bool, what: &str, name: &str) -> Offer {
    if before { Offer::Noted(format!("{what} {name} stands already in another file; this later one counts")) } else { Offer::Taken }
}

fn part<V>(given: bool, items: BTreeMap<Name, V>, unreadable: BTreeMap<Name, Name>) -> Part<Name, V> {
    let state = if given { SourceState::Live } else { SourceState::Off };
    Part { state, items: Arc::new(items), unreadable: Arc::new(unreadable) }
}

fn absent<V>(listed: Option<&BTreeSet<Name>>, given: &BTreeMap<Name, V>) -> BTreeMap<Name, Name> {
    listed.into_iter().flatten().filter(|name| !given.contains_key(*name)).map(|name| (name.clone(), MISSING.into())).collect()
}

/// What is not given, and how it is got.
fn notes(facts: &VaultFacts) -> Vec<String> {
    let off = |state: &SourceState| *state == SourceState::Off;
    let mut notes = Vec::new();
    let mut note =
        |what: &str, how: &str| notes.push(format!("the Vault files hold no {what}: what rests on it is UNKNOWN; to add it: {how}"));
    if facts.server.version.is_empty() {
        note("version of the server", "vault status -format=json");
    }
    if off(&facts.policies.state) {
        note("policies", "vault policy read NAME > NAME.hcl");
    }
    if facts.kubernetes.values().all(|roles| off(&roles.state)) {
        note("roles", "vault read -format=json auth/kubernetes/role/NAME > auth/kubernetes/role/NAME.json");
    }
    for (state, what, how) in [
        (&facts.auth_mounts.state, "auth mounts", "vault auth list -format=json"),
        (&facts.secret_mounts.state, "secret mounts", "vault secrets list -format=json"),
        (&facts.entities.state, "list of entities", "vault list -format=json identity/entity/id > identity/entity/id.json"),
        (&facts.groups.state, "list of groups", "vault list -format=json identity/group/id > identity/group/id.json"),
    ] {
        if off(state) {
            note(what, how);
        }
    }
    if !facts.policies.unreadable.is_empty() {
        let names: Vec<String> = facts.policies.unreadable.keys().take(5).map(|name| clean(name)).collect();
        let more = facts.policies.unreadable.len().saturating_sub(names.len());
        let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
        note(&format!("text of policy {}{rest}", names.join(", ")), "vault policy read NAME > NAME.hcl");
    }
    notes
}
