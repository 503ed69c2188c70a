//! Every way in which the ServiceAccounts of a tenant, or those it could make, log in to Vault (`spec/vault.md` 1.8).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::super::binding::{self, Binding, glob};
use super::policies::{Acls, Policies, Standing};
use super::{Doubt, Login, PolicyFrom, Who};
use crate::model::ids::{Name, TenantId, Uid};
use crate::model::labels::{LabelSet, Labels};
use crate::model::source::Sight;
use crate::model::text::clean;
use crate::model::time::Time;
use crate::model::vault::{EntityFact, GroupFact, VaultFacts, VaultRole};

/// At most so many logins of one tenant are followed, and at most so many roles that admit one namespace.
pub(super) const MOST_LOGINS: usize = 512;
/// At most so many logins of all tenants.
const MOST_IN_ALL: usize = 400_000;

/// A role and what surrounds it.
#[derive(Debug)]
struct RoleAt {
    mount: Name,
    name: Name,
    role: VaultRole,
    accessor: Name,
    annotated: bool,
    /// Names that a ServiceAccount made for it could have.
    possible: Vec<Name>,
}

/// What a namespace brings along.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Ground {
    /// Labels; none where they are unseen.
    pub labels: Option<Labels>,
    /// ServiceAccounts.
    pub accounts: Vec<(Name, Uid)>,
}

/// All roles, sorted out by the namespaces they admit.
#[derive(Debug, Default)]
pub(super) struct Roles {
    vault: Arc<VaultFacts>,
    all: Vec<RoleAt>,
    literal: BTreeMap<Name, Vec<u32>>,
    wild: Vec<u32>,
    /// Entities by accessor and alias.
    entities: BTreeMap<(Name, Name), Name>,
    /// Whether entities and groups are seen.
    seen: bool,
    /// What was found to admit a namespace: the role, and whether that is certain.
    admitted: BTreeMap<Name, Arc<Admitted>>,
}

#[derive(Debug, Default)]
struct Admitted {
    roles: Vec<(u32, bool)>,
    /// There are more than are followed.
    more: bool,
}

/// Who asks for logins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asker<'a> {
    pub tenant: &'a TenantId,
    pub namespaces: &'a [Name],
    pub spaces: &'a BTreeMap<Name, Ground>,
    /// Names that others' places bear: what a ServiceAccount that is made to look like somebody else would be called.
    pub others: &'a [Name],
    /// How many tenants there are.
    pub tenants: usize,
}

/// The logins of a tenant and what can't be said of them.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Ways {
    pub logins: Vec<Arc<Login>>,
    pub doubts: BTreeSet<Doubt>,
    /// Policies that are named, whether they are there or not.
    pub named: BTreeSet<Name>,
}

impl Roles {
    /// Sorts all roles out. O(roles × log roles + entities × aliases).
    pub fn of(vault: &Arc<VaultFacts>) -> Self {
        let mut all = Self { vault: vault.clone(), ..Self::default() };
        all.seen = [vault.entities.state.sight(), vault.groups.state.sight()].iter().all(|sight| *sight != Sight::Blind);
        for (mount, part) in &vault.kubernetes {
            let accessor = vault.auth_mounts.items.get(mount).map_or_else(|| "".into(), |facts| facts.accessor.clone());
            let annotated = vault.kubernetes_config.items.get(mount).is_some_and(|config| config.annotations_as_metadata);
            for (name, role) in part.items.iter().filter(|(_, role)| binding::may_log_in(role)) {
                let number = all.all.len() as u32;
                let bound = Binding::of(role);
                if bound.is_literal() {
                    role.namespaces.iter().for_each(|namespace| all.literal.entry(namespace.clone()).or_default().push(number));
                } else {
                    all.wild.push(number);
                }
                let possible = bound.possible_accounts().cloned().collect();
                let (mount, accessor) = (mount.clone(), accessor.clone());
                all.all.push(RoleAt { mount, name: name.clone(), role: role.clone(), accessor, annotated, possible });
            }
        }
        for (id, entity) in vault.entities.items.iter() {
            for alias in &entity.aliases {
                all.entities.insert((alias.accessor.clone(), alias.name.clone()), id.clone());
            }
        }
        all
    }

    /// Forgets what admits a namespace: its labels changed.
    pub fn forget(&mut self, namespace: &str) {
        self.admitted.remove(namespace);
    }

    /// Roles that admit a namespace, for each of these that is not known yet. O(namespaces × wild roles).
    pub fn admit(&mut self, namespaces: &[(Name, Option<Labels>)]) {
        let Self { all, literal, wild, admitted, .. } = self;
        let bound: Vec<(u32, Binding<'_>)> =
            wild.iter().filter_map(|number| Some((*number, Binding::of(&all.get(*number as usize)?.role)))).collect();
        for (namespace, labels) in namespaces {
            let labels: Option<&LabelSet> = labels.as_deref();
            let mut found = Admitted::default();
            let certain = literal.get(namespace).into_iter().flatten().map(|number| (*number, true));
            let by_pattern = bound.iter().map(|(number, binding)| (*number, binding.admits_namespace(namespace, labels)));
            let by_pattern = by_pattern.filter(|(_, admits)| *admits != Some(false)).map(|(number, admits)| (number, admits.is_some()));
            for one in certain.chain(by_pattern) {
                if found.roles.len() == MOST_LOGINS {
                    found.more = true;
                    break;
                }
                found.roles.push(one);
            }
            admitted.insert(namespace.clone(), Arc::new(found));
        }
    }

    /// Whether it is known which roles admit a namespace.
    pub fn knows(&self, namespace: &str) -> bool {
        self.admitted.contains_key(namespace)
    }

    /// Every login of a tenant. O(roles that admit its namespaces × their ServiceAccounts).
    pub fn ways(&self, asker: &Asker<'_>, policies: &Policies, acls: &mut Acls, now: Time) -> Ways {
        let mut ways = Ways::default();
        let mut admitting: Vec<(bool, &RoleAt, &Name)> = Vec::new();
        for namespace in asker.namespaces {
            let Some(admitted) = self.admitted.get(namespace) else { continue };
            if admitted.more {
                ways.doubt(format!("more than {MOST_LOGINS} Vault roles admit {}: not all are followed", clean(namespace)), true);
            }
            for (number, certain) in &admitted.roles {
                let Some(role) = self.all.get(*number as usize) else { continue };
                if !certain {
                    let what = "whether its namespace selector admits";
                    let why = "can't be told: it is taken to";
                    ways.doubt(format!("role {}/{}: {what} {} {why}", clean(&role.mount), clean(&role.name), clean(namespace)), false);
                }
                admitting.push((own(role, asker), role, namespace));
            }
        }
        admitting.sort_by(|a, b| (!a.0, &a.1.mount, &a.1.name, a.2).cmp(&(!b.0, &b.1.mount, &b.1.name, b.2)));
        let most = (MOST_IN_ALL / asker.tenants.max(1)).clamp(64, MOST_LOGINS);
        for (own_role, role, namespace) in admitting {
            if ways.logins.len() >= most {
                ways.doubt(format!("more than {most} logins: not all are followed"), true);
                break;
            }
            let room = most - ways.logins.len();
            self.by_role((own_role, role, namespace, room), asker, policies, acls, &mut ways, now);
        }
        ways
    }

    fn by_role(
        &self,
        (own_role, at, namespace, room): (bool, &RoleAt, &Name, usize),
        asker: &Asker<'_>,
        policies: &Policies,
        acls: &mut Acls,
        ways: &mut Ways,
        now: Time,
    ) {
        let none = Ground::default();
        let space = asker.spaces.get(namespace).unwrap_or(&none);
        let here = space.accounts.iter().filter(|(name, _)| binding::admits_account(&at.role, name));
        let mut whos: Vec<(Who, Option<String>)> =
            here.map(|(name, uid)| (Who::Account { namespace: namespace.clone(), name: name.clone() }, Some(uid.to_string()))).collect();
        if whos.len() > room {
            whos.truncate(room);
            ways.doubt("not every ServiceAccount's login is followed: there are too many".to_owned(), true);
        }
        let names = role_policies(&at.role);
        for name in Self::makers(at, space, &names, asker, policies, ways) {
            whos.push((Who::Maker { namespace: namespace.clone(), name }, None));
        }
        let mut known: Vec<Arc<super::super::acl::Acl>> = Vec::new();
        for (who, uid) in whos {
            let (Who::Account { name, .. } | Who::Maker { name, .. }) = &who;
            let alias = binding::alias(&at.role, namespace, name, uid.as_deref(), at.annotated);
            let entity = self.entities.get(&(at.accessor.clone(), alias.name.clone())).filter(|_| !alias.name.is_empty());
            let entity: Option<(&Name, &EntityFact)> = entity.and_then(|id| self.vault.entities.items.get_key_value(id));
            if entity.is_some_and(|(_, entity)| entity.disabled) {
                continue;
            }
            let groups = entity.map(|(id, entity)| binding::groups_of(&self.vault, id, entity)).unwrap_or_default();
            let all = all_policies(&at.role, &names, entity, &groups);
            let identity = binding::identity(&at.accessor, alias, entity, &groups, self.seen);
            let counting: Vec<Name> = all.iter().map(|(name, _)| name.clone()).collect();
            let acl = acls.of(policies, &counting, &identity, now);
            // what could be made brings nothing that is not there already
            if !who.exists() && known.iter().any(|other| Arc::ptr_eq(other, &acl)) {
                continue;
            }
            known.push(acl.clone());
            ways.look(policies, &acl, &all);
            let (mount, role) = (at.mount.clone(), at.name.clone());
            ways.logins.push(Arc::new(Login { mount, role, who, policies: all, acl, own_role }));
        }
    }

    /// Names of ServiceAccounts that the owner of a namespace could make to use a role: one where the name does not matter; where a policy's
    /// templates use it, those of others' places.
    fn makers(at: &RoleAt, space: &Ground, names: &[Name], asker: &Asker<'_>, policies: &Policies, ways: &mut Ways) -> Vec<Name> {
        let there = |name: &Name| space.accounts.binary_search_by(|(other, _)| other.cmp(name)).is_ok();
        let free: Vec<&Name> = at.possible.iter().filter(|name| !there(name)).collect();
        let by_name = |template: &str| {
            template.contains("service_account_name}}")
                || template.contains("service_account_name ")
                || (at.role.alias_by_name && template.contains(".name"))
        };
        let patterns: Vec<&Name> = free.iter().copied().filter(|name| name.contains('*')).collect();
        if patterns.is_empty() || !policies.has_template(names, by_name) {
            return free.first().map(|name| (*name).clone()).into_iter().collect();
        }
        let words = "a policy's paths bear the ServiceAccount's name, and whoever may create one chooses it";
        ways.doubt(format!("role {}/{}: {words}", clean(&at.mount), clean(&at.name)), true);
        let own = |name: &Name| name == asker.tenant || asker.namespaces.contains(name);
        let fits = |name: &&Name| !there(name) && !own(name) && patterns.iter().any(|pattern| glob(pattern, name));
        // and one that is nobody's: what the role brings whatever the name
        let any = patterns.first().map(|pattern| Name::from(pattern.replace('*', "any")));
        asker.others.iter().filter(fits).take(4).cloned().chain(any.filter(|name| !there(name))).collect()
    }
}

impl Ways {
    fn doubt(&mut self, words: String, may_add: bool) {
        self.doubts.insert(Doubt { words, may_add });
    }

    /// What can't be said of a login's policies.
    fn look(&mut self, policies: &Policies, acl: &super::super::acl::Acl, all: &[(Name, PolicyFrom)]) {
        for (name, _) in all {
            self.named.insert(name.clone());
            let shown = clean(name);
            match policies.standing(name) {
                Standing::Fine | Standing::Missing => {}
                Standing::Refused => {
                    self.doubt(format!("policy {shown} can't be read: what it grants where it still counts is open"), true);
                }
                Standing::Unseen => {
                    let line = "path \"sys/policies/acl/*\" { capabilities = [\"read\"] }";
                    self.doubt(format!("policy {shown} is not seen: the operator policy lacks {line}, or it was refused"), true);
                }
            }
        }
        if let Some(why) = acl.broken() {
            self.doubt(format!("the server can't build an ACL: {}", clean(why)), false);
        }
        for dropped in acl.dropped().iter().filter(|dropped| dropped.open && !super::lint::harmless(&dropped.origin)) {
            let (policy, line) = (clean(&dropped.origin.policy), dropped.origin.line);
            let words = format!("policy {policy} line {line}, {}: {}", clean(&dropped.origin.written), dropped.why);
            self.doubt(words, !dropped.is_deny());
        }
    }
}

/// The policies of a role and `default`, in lower case as the server keeps them.
fn role_policies(role: &VaultRole) -> Vec<Name> {
    let mut names: Vec<Name> = role.policies.iter().map(lower).collect();
    if !role.no_default {
        names.push("default".into());
    }
    names
}

fn lower(name: &Name) -> Name {
    if name.chars().any(char::is_uppercase) { name.to_lowercase().into() } else { name.clone() }
}

fn all_policies(
    role: &VaultRole,
    names: &[Name],
    entity: Option<(&Name, &EntityFact)>,
    groups: &BTreeMap<&Name, &GroupFact>,
) -> Vec<(Name, PolicyFrom)> {
    let of_role = names.iter().enumerate().map(|(at, name)| {
        let from = if at == role.policies.len() { PolicyFrom::Default } else { PolicyFrom::Role };
        (name.clone(), from)
    });
    let of_entity = entity
        .into_iter()
        .flat_map(|(_, entity)| entity.policies.iter().map(|name| (lower(name), PolicyFrom::Entity(entity.name.clone()))));
    let of_groups =
        groups.values().flat_map(|group| group.policies.iter().map(|name| (lower(name), PolicyFrom::Group(group.name.clone()))));
    let mut seen = BTreeSet::new();
    of_role.chain(of_entity).chain(of_groups).filter(|(name, _)| !name.is_empty() && seen.insert(name.clone())).collect()
}

/// Whether a role is a tenant's own: it names one of its namespaces, or bears its name.
fn own(at: &RoleAt, asker: &Asker<'_>) -> bool {
    let names = asker.namespaces.iter().chain([asker.tenant]);
    asker.namespaces.iter().any(|namespace| at.role.namespaces.contains(namespace))
        || names.filter(|name| !name.is_empty()).any(|name| bears(&at.name, name))
}

/// Whether a name has another in it as a word or words of its own.
fn bears(role: &str, name: &str) -> bool {
    let apart = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
    role.match_indices(name).any(|(at, _)| {
        let before = role.get(..at).and_then(|text| text.chars().next_back());
        let after = role.get(at + name.len()..).and_then(|text| text.chars().next());
        apart(before) && apart(after)
    })
}
