//! Who of a tenant may do what: roles and bindings as the API server's resolver reads them.
//!
//! Of a tenant are its ServiceAccounts, those that may be made tomorrow among them; the groups every ServiceAccount or every caller is in;
//! and the users and groups that a RoleBinding of its namespaces names. Whoever is bound cluster-wide only is not the tenant's, nor is a
//! ServiceAccount of another namespace: an operator's hand in the tenant's namespace is not the tenant's own.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::ids::Name;
use crate::model::kind::{Kind, KindInfo};
use crate::model::rbac::{BindingFact, GROUP, GUARDED, LIFTS, PERSONS, ROLES, RbacSubject, RoleFact, RoleRule, WRITES};
use crate::model::snapshot::{NamespaceFacts, Snapshot};
use crate::model::source::Sight;

/// Groups and users that anybody of any tenant may come as.
const EVERYBODY: [&str; 3] = ["system:authenticated", "system:unauthenticated", "system:serviceaccounts"];
const ANONYMOUS: &str = "system:anonymous";
/// The group of a namespace's ServiceAccounts, and the user each acts as, begin like this.
const ACCOUNTS_OF: &str = "system:serviceaccounts:";
const ACCOUNT: &str = "system:serviceaccount:";
/// Roles that every API server makes when it starts: where one is not there, we have not seen all.
const BUILT_IN: [&str; 3] = ["cluster-admin", "admin", "edit"];

/// Which objects a rule is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// All of them.
    All,
    /// Those of these names.
    Named(BTreeSet<Name>),
}

/// What a role lets do in one way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Allowed<T> {
    /// To what: a kind of policy, or the resource of a lift.
    pub what: T,
    /// The verb.
    pub verb: &'static str,
    /// To which of them.
    pub scope: Scope,
}

/// What one binding lets one subject of the tenant do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant<'a> {
    /// The binding.
    pub binding: &'a BindingFact,
    /// The role it gives.
    pub role: &'a RoleFact,
    /// To whom.
    pub subject: &'a RbacSubject,
    /// Writing policies.
    pub writes: Vec<Allowed<Kind>>,
    /// Getting more rights: verb of [`LIFTS`] on a resource.
    pub lifts: Vec<Allowed<&'static str>>,
}

/// A binding of which can't be said what it gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubt<'a> {
    /// The binding.
    pub binding: &'a BindingFact,
    /// Why.
    pub why: &'static str,
}

/// What a tenant is given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Granted<'a> {
    /// What bears on the network wall, in the order of the bindings, the namespaces' own first.
    pub grants: Vec<Grant<'a>>,
    /// What may.
    pub doubts: Vec<Doubt<'a>>,
}

/// What the tenant of these namespaces is given. O((bindings of its namespaces + cluster-wide bindings) × their subjects × log of the
/// tenant's names + for each that serves the tenant: its role's rules × kinds × verbs).
pub fn granted<'a>(snapshot: &'a Snapshot, namespaces: &[(&'a Name, &'a NamespaceFacts)]) -> Granted<'a> {
    let served: Vec<&'static KindInfo> =
        GUARDED.into_iter().filter(|kind| snapshot.sight(*kind) != Sight::Nothing).filter_map(Kind::info).collect();
    let crew = Crew::of(namespaces);
    let mut found = Granted::default();
    for (_, facts) in namespaces {
        for binding in facts.bindings.values() {
            let role = match binding.role_kind {
                Some(Kind::Role) => facts.roles.get(&binding.role),
                Some(_) => snapshot.cluster.roles.get(&binding.role),
                None => None,
            };
            found.add(&crew, binding, role.map(AsRef::as_ref), &served);
        }
    }
    for binding in snapshot.cluster.bindings.values() {
        // a Role has a namespace, and a ClusterRoleBinding none to look in
        let role = binding.role_kind.filter(|kind| *kind == Kind::ClusterRole).and_then(|_| snapshot.cluster.roles.get(&binding.role));
        found.add(&crew, binding, role.map(AsRef::as_ref), &served);
    }
    found
}

impl<'a> Granted<'a> {
    fn add(&mut self, crew: &Crew<'_>, binding: &'a BindingFact, role: Option<&'a RoleFact>, served: &[&'static KindInfo]) {
        let (role, ours) = match serves(&|subject, bound_in| crew.has(subject, bound_in), binding, role) {
            Ok(Some(given)) => given,
            Ok(None) => return,
            Err(doubt) => {
                self.doubts.push(doubt);
                return;
            }
        };
        let cluster_wide = binding.kind == Kind::ClusterRoleBinding;
        let writes = writes(&role.rules, served, cluster_wide);
        let lifts = lifts(&role.rules, cluster_wide);
        if writes.is_empty() && lifts.is_empty() {
            return;
        }
        let grant = |subject| Grant { binding, role, subject, writes: writes.clone(), lifts: lifts.clone() };
        self.grants.extend(ours.into_iter().map(grant));
    }
}

/// The role that a binding gives, and to whom of those asked for; none where to nobody of them, or nothing.
type Given<'a> = Option<(&'a RoleFact, BTreeSet<&'a RbacSubject>)>;

fn serves<'a>(
    asked: &dyn Fn(&RbacSubject, &str) -> bool,
    binding: &'a BindingFact,
    role: Option<&'a RoleFact>,
) -> Result<Given<'a>, Doubt<'a>> {
    if binding.unreadable {
        return Err(Doubt { binding, why: "it can't be read whole" });
    }
    let ours: BTreeSet<&RbacSubject> = binding.subjects.iter().filter(|subject| asked(subject, &binding.meta.namespace)).collect();
    if ours.is_empty() {
        return Ok(None);
    }
    let Some(role) = role else {
        if binding.role_kind == Some(Kind::ClusterRole) && BUILT_IN.contains(&binding.role.as_ref()) {
            return Err(Doubt { binding, why: "its role is one of every cluster, and is not seen" });
        }
        return Ok(None);
    };
    if role.unreadable {
        return Err(Doubt { binding, why: "its role can't be read whole" });
    }
    Ok(Some((role, ours)))
}

/// A right that is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Right {
    /// The verb.
    pub verb: &'static str,
    /// API group; empty for the core.
    pub group: &'static str,
    /// Plural name, with its subresource if it has one.
    pub resource: &'static str,
}

/// What one binding lets one of those asked for do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holding<'a> {
    /// The binding.
    pub binding: &'a BindingFact,
    /// The role it gives.
    pub role: &'a RoleFact,
    /// To whom.
    pub subject: &'a RbacSubject,
    /// What, of what is looked for.
    pub rights: Vec<Allowed<&'static str>>,
}

/// Who of those asked for (a subject, and the namespace of the binding that names it, empty for a cluster-wide one) holds any of the rights
/// by these bindings. O(bindings × subjects × cost of asking + for each that serves one of them: its rules × rights).
pub fn holders<'a>(
    snapshot: &'a Snapshot,
    bindings: impl Iterator<Item = &'a BindingFact>,
    asked: &dyn Fn(&RbacSubject, &str) -> bool,
    wanted: &[Right],
) -> (Vec<Holding<'a>>, Vec<Doubt<'a>>) {
    let (mut found, mut doubts) = (Vec::new(), Vec::new());
    for binding in bindings {
        let role = match binding.role_kind {
            Some(Kind::Role) => snapshot.namespace(&binding.meta.namespace).and_then(|facts| facts.roles.get(&binding.role)),
            Some(Kind::ClusterRole) => snapshot.cluster.roles.get(&binding.role),
            _ => None,
        };
        match serves(asked, binding, role.map(AsRef::as_ref)) {
            Ok(Some((role, ours))) => {
                let allowed = |right: &Right| {
                    Some(Allowed {
                        what: right.resource,
                        verb: right.verb,
                        scope: scope(&role.rules, right.verb, right.group, right.resource)?,
                    })
                };
                let rights: Vec<_> = wanted.iter().filter_map(allowed).collect();
                if !rights.is_empty() {
                    found.extend(ours.into_iter().map(|subject| Holding { binding, role, subject, rights: rights.clone() }));
                }
            }
            Ok(None) => {}
            Err(doubt) => doubts.push(doubt),
        }
    }
    (found, doubts)
}

/// A subject, as one says it. Not cleaned.
pub fn person(subject: &RbacSubject, bound_in: &str) -> String {
    match subject {
        RbacSubject::Account { namespace, name } => {
            let namespace = if namespace.is_empty() { bound_in } else { namespace };
            format!("ServiceAccount {namespace}/{name}")
        }
        RbacSubject::User(name) => format!("User {name}"),
        RbacSubject::Group(name) => format!("Group {name}"),
    }
}

/// Whether anybody of any tenant may come as this subject.
pub fn is_everybody(subject: &RbacSubject) -> bool {
    match subject {
        RbacSubject::Group(name) => EVERYBODY.contains(&name.as_ref()),
        RbacSubject::User(name) => name.as_ref() == ANONYMOUS,
        RbacSubject::Account { .. } => false,
    }
}

/// The namespace whose ServiceAccounts a subject means, if it means any.
pub fn accounts_namespace<'a>(subject: &'a RbacSubject, bound_in: &'a str) -> Option<&'a str> {
    match subject {
        RbacSubject::Account { namespace, .. } => Some(if namespace.is_empty() { bound_in } else { namespace }),
        RbacSubject::User(name) => name.strip_prefix(ACCOUNT)?.split_once(':').map(|(namespace, _)| namespace),
        RbacSubject::Group(name) => name.strip_prefix(ACCOUNTS_OF),
    }
}

/// The names by which a tenant comes.
pub struct Crew<'a> {
    namespaces: BTreeSet<&'a str>,
    people: BTreeSet<&'a RbacSubject>,
}

impl<'a> Crew<'a> {
    /// Of a tenant's namespaces.
    pub fn of(namespaces: &[(&'a Name, &'a NamespaceFacts)]) -> Self {
        let bound = namespaces.iter().flat_map(|(_, facts)| facts.bindings.values()).flat_map(|binding| binding.subjects.iter());
        let is_person = |subject: &&RbacSubject| match subject {
            // what is the cluster's own is nobody's person
            RbacSubject::User(name) | RbacSubject::Group(name) => !name.starts_with("system:"),
            RbacSubject::Account { .. } => false,
        };
        Self { namespaces: namespaces.iter().map(|(name, _)| (*name).as_ref()).collect(), people: bound.filter(is_person).collect() }
    }

    /// Whether a subject of a binding in that namespace (empty for a cluster-wide one) is of the tenant.
    pub fn has(&self, subject: &RbacSubject, bound_in: &str) -> bool {
        match subject {
            RbacSubject::Account { namespace, .. } => self.namespaces.contains(if namespace.is_empty() { bound_in } else { namespace }),
            RbacSubject::User(name) => {
                let account = name.strip_prefix(ACCOUNT).and_then(|rest| rest.split_once(':'));
                name.as_ref() == ANONYMOUS
                    || account.is_some_and(|(namespace, _)| self.namespaces.contains(namespace))
                    || self.people.contains(subject)
            }
            RbacSubject::Group(name) => {
                EVERYBODY.contains(&name.as_ref())
                    || name.strip_prefix(ACCOUNTS_OF).is_some_and(|namespace| self.namespaces.contains(namespace))
                    || self.people.contains(subject)
            }
        }
    }
}

fn writes(rules: &[RoleRule], served: &[&'static KindInfo], cluster_wide: bool) -> Vec<Allowed<Kind>> {
    let mut found = Vec::new();
    // what is in no namespace, no RoleBinding gives
    for info in served.iter().filter(|info| cluster_wide || info.namespaced) {
        for verb in WRITES {
            let groups = [Some(info.group), info.other_group];
            let scopes = groups.into_iter().flatten().filter_map(|group| scope(rules, verb, group, info.plural));
            if let Some(scope) = scopes.reduce(Scope::or) {
                found.push(Allowed { what: info.kind, verb, scope });
            }
        }
    }
    found
}

fn lifts(rules: &[RoleRule], cluster_wide: bool) -> Vec<Allowed<&'static str>> {
    let mut found = Vec::new();
    for verb in LIFTS {
        let (group, resources) = if verb == "impersonate" { ("", &PERSONS[..]) } else { (GROUP, &ROLES[..]) };
        // users and groups have no namespace; the ServiceAccounts of the tenant's namespaces are the tenant itself
        let resources = if verb == "impersonate" && !cluster_wide { &[] } else { resources };
        let allowed = |resource: &&'static str| Some(Allowed { what: *resource, verb, scope: scope(rules, verb, group, resource)? });
        found.extend(resources.iter().filter_map(allowed));
    }
    found
}

/// To which objects of a resource rules allow a verb; none where to none. The same as asking the API server's resolver for each name:
/// a rule allows when it has the verb, the group and the resource, or `*` instead, and has no names or the name asked for, which is the
/// empty text where a request names nothing (`create`, `deletecollection`). O(rules).
pub fn scope(rules: &[RoleRule], verb: &str, group: &str, resource: &str) -> Option<Scope> {
    let has = |list: &[Name], wanted: &str| list.iter().any(|item| matches!(item.as_ref(), "*") || item.as_ref() == wanted);
    let part = resource.split_once('/').map(|(_, part)| part);
    // `*/token` is the subresource of anything
    let of_anything = |item: &Name| part.is_some_and(|part| item.strip_prefix("*/") == Some(part));
    let on = |rule: &RoleRule| has(&rule.resources, resource) || rule.resources.iter().any(of_anything);
    let fits = |rule: &&RoleRule| has(&rule.verbs, verb) && has(&rule.groups, group) && on(rule);
    let nameless = matches!(verb, "create" | "deletecollection");
    let of = |rule: &RoleRule| match rule.names.as_ref() {
        [] => Some(Scope::All),
        names if nameless => names.iter().any(|name| name.is_empty()).then_some(Scope::All),
        names => Some(Scope::Named(names.iter().cloned().collect())),
    };
    rules.iter().filter(fits).filter_map(of).reduce(Scope::or)
}

impl Scope {
    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Named(mut a), Self::Named(b)) => {
                a.extend(b);
                Self::Named(a)
            }
            _ => Self::All,
        }
    }
}

/// What is allowed, as one says it: verbs that go together with what they go on. Not cleaned.
pub fn words<T: Ord + Copy>(allowed: &[Allowed<T>], named: impl Fn(T) -> &'static str) -> String {
    let mut together: BTreeMap<(T, &Scope), Vec<&str>> = BTreeMap::new();
    for one in allowed {
        together.entry((one.what, &one.scope)).or_default().push(one.verb);
    }
    let mut same: BTreeMap<(Vec<&str>, &Scope), Vec<&str>> = BTreeMap::new();
    for ((what, scope), verbs) in together {
        same.entry((verbs, scope)).or_default().push(named(what));
    }
    let said = same.into_iter().map(|((verbs, scope), kinds)| {
        let of = match scope {
            Scope::All => String::new(),
            Scope::Named(names) => format!(" named {}", super::view::list(names)),
        };
        format!("{} {}{of}", verbs.join(", "), kinds.join(", "))
    });
    said.collect::<Vec<_>>().join("; ")
}
