//! The evaluator of roles and bindings against one that asks, as the API server does, for one person, verb and object at a time.

use std::collections::BTreeSet;
use std::sync::Arc;

use partywall::model::changes::Fact;
use partywall::model::ids::Name;
use partywall::model::kind::Kind;
use partywall::model::rbac::{BindingFact, GUARDED, RbacSubject, RoleFact, RoleRule, WRITES};
use partywall::model::snapshot::{NamespaceFacts, Snapshot};
use partywall::posture::net::POLICIES;
use partywall::posture::rbac::{Scope, granted};
use partywall::posture::sight::Source;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use crate::facts::*;

const OURS: [&str; 2] = ["a", "b"];
const NAMESPACES: [&str; 3] = ["a", "b", "c"];
/// Names asked for; none is what a request without a name says.
const NAMES: [&str; 3] = ["", "x", "y"];

struct Person {
    name: String,
    groups: Vec<String>,
}

/// `rbac.authorization.k8s.io` as its authoriser walks it: every binding, every subject, every rule.
fn authorised(snapshot: &Snapshot, who: &Person, (verb, group, resource): (&str, &str, &str), namespace: &str, name: &str) -> bool {
    let applies = |subject: &RbacSubject, bound_in: &str| match subject {
        RbacSubject::User(user) => who.name == **user,
        RbacSubject::Group(group) => who.groups.iter().any(|own| **own == **group),
        RbacSubject::Account { namespace, name } => {
            let namespace = if namespace.is_empty() { bound_in } else { namespace };
            !namespace.is_empty() && who.name == format!("system:serviceaccount:{namespace}:{name}")
        }
    };
    let any = |list: &[Name], wanted: &str| list.iter().any(|item| &**item == "*" || &**item == wanted);
    let rule_allows = |rule: &RoleRule| {
        any(&rule.verbs, verb)
            && any(&rule.groups, group)
            && any(&rule.resources, resource)
            && (rule.names.is_empty() || rule.names.iter().any(|one| &**one == name))
    };
    let allows = |binding: &BindingFact, here: Option<&NamespaceFacts>| {
        let role = match (binding.role_kind, here) {
            (Some(Kind::ClusterRole), _) => snapshot.cluster.roles.get(&binding.role),
            (Some(Kind::Role), Some(here)) => here.roles.get(&binding.role),
            _ => None,
        };
        binding.subjects.iter().any(|subject| applies(subject, &binding.meta.namespace))
            && role.is_some_and(|role| role.rules.iter().any(rule_allows))
    };
    let here = snapshot.namespace(namespace).map(Arc::as_ref);
    snapshot.cluster.bindings.values().any(|binding| allows(binding, None))
        || here.is_some_and(|here| here.bindings.values().any(|binding| allows(binding, Some(here))))
}

/// Everybody who comes as the tenant of `a` and `b`.
fn crew(snapshot: &Snapshot) -> Vec<Person> {
    let account = |(namespace, name): (&str, &str)| Person {
        name: format!("system:serviceaccount:{namespace}:{name}"),
        groups: vec!["system:serviceaccounts".into(), format!("system:serviceaccounts:{namespace}"), "system:authenticated".into()],
    };
    let mut all: Vec<Person> = OURS.iter().flat_map(|ns| ["default", "app"].map(|name| (*ns, name))).map(account).collect();
    all.push(Person { name: "system:anonymous".into(), groups: vec!["system:unauthenticated".into()] });
    let bound = OURS.iter().filter_map(|ns| snapshot.namespace(ns)).flat_map(|facts| facts.bindings.values());
    for subject in bound.flat_map(|binding| binding.subjects.iter()) {
        match subject {
            RbacSubject::User(name) if !name.starts_with("system:") => all.push(Person { name: name.to_string(), groups: Vec::new() }),
            RbacSubject::Group(name) if !name.starts_with("system:") => {
                all.push(Person { name: "somebody".into(), groups: vec![name.to_string()] });
            }
            _ => {}
        }
    }
    all
}

/// What is allowed, one by one: kind, verb, name (empty: without one).
type All = BTreeSet<(Kind, &'static str, &'static str)>;

fn by_asking(snapshot: &Snapshot) -> All {
    let crew = crew(snapshot);
    let mut all = All::new();
    for info in GUARDED.iter().map(|kind| kind.info().unwrap()) {
        let namespaces: &[&str] = if info.namespaced { &OURS } else { &[""] };
        for verb in WRITES {
            for name in NAMES {
                if matches!(verb, "create" | "deletecollection") != name.is_empty() {
                    continue;
                }
                let asked =
                    |who: &Person, namespace: &str, group: &str| authorised(snapshot, who, (verb, group, info.plural), namespace, name);
                let groups = || [Some(info.group), info.other_group].into_iter().flatten();
                if crew.iter().any(|who| namespaces.iter().any(|ns| groups().any(|group| asked(who, ns, group)))) {
                    all.insert((info.kind, verb, name));
                }
            }
        }
    }
    all
}

fn by_evaluator(snapshot: &Snapshot) -> All {
    let names: Vec<Name> = OURS.iter().map(|name| Name::from(*name)).collect();
    let namespaces: Vec<_> = names.iter().filter_map(|name| Some((name, snapshot.namespace(name)?.as_ref()))).collect();
    let found = granted(snapshot, &namespaces);
    assert!(found.doubts.is_empty());
    let mut all = All::new();
    for allowed in found.grants.iter().flat_map(|grant| &grant.writes) {
        let nameless = matches!(allowed.verb, "create" | "deletecollection");
        let has = |name: &&str| match &allowed.scope {
            Scope::All => true,
            Scope::Named(names) => names.contains(*name),
        };
        all.extend(NAMES.into_iter().filter(|name| name.is_empty() == nameless).filter(has).map(|name| (allowed.what, allowed.verb, name)));
    }
    all
}

fn names(of: &'static [&'static str], most: usize) -> impl Strategy<Value = Box<[Name]>> {
    subsequence(of, 0..=most).prop_map(|list| list.into_iter().map(Name::from).collect())
}

fn rule() -> impl Strategy<Value = RoleRule> {
    const VERBS: &[&str] = &["get", "create", "update", "patch", "delete", "deletecollection", "*", "escalate"];
    const GROUPS: &[&str] = &["", "networking.k8s.io", "cilium.io", "policy.networking.k8s.io", "projectcalico.org", "crd.antrea.io", "*"];
    const RESOURCES: &[&str] = &[
        "networkpolicies",
        "ciliumnetworkpolicies",
        "adminnetworkpolicies",
        "globalnetworkpolicies",
        "pods",
        "*",
        "networkpolicies/status",
    ];
    (names(VERBS, 3), names(GROUPS, 3), names(RESOURCES, 3), names(&["x", "y", "z", ""], 2))
        .prop_map(|(verbs, groups, resources, names)| RoleRule { verbs, groups, resources, names })
}

fn subject() -> impl Strategy<Value = RbacSubject> {
    prop_oneof![
        (select(vec!["", "a", "b", "c"]), select(vec!["default", "app"]))
            .prop_map(|(namespace, name)| RbacSubject::Account { namespace: namespace.into(), name: name.into() }),
        select(vec![
            "alice",
            "system:anonymous",
            "system:serviceaccount:a:app",
            "system:serviceaccount:c:app",
            "system:serviceaccount:b",
            "root"
        ])
        .prop_map(|name| RbacSubject::User(name.into())),
        select(vec![
            "team",
            "system:authenticated",
            "system:unauthenticated",
            "system:serviceaccounts",
            "system:serviceaccounts:a",
            "system:serviceaccounts:c",
            "system:masters"
        ])
        .prop_map(|name| RbacSubject::Group(name.into())),
    ]
}

fn facts() -> impl Strategy<Value = Vec<Fact>> {
    let place = || select(vec!["", "a", "b", "c"]);
    let role = (place(), select(vec!["r", "s"]), prop::collection::vec(rule(), 0..3)).prop_map(|(namespace, name, rules)| {
        let kind = if namespace.is_empty() { Kind::ClusterRole } else { Kind::Role };
        Fact::Role(RoleFact { meta: meta(namespace, name), kind, rules: rules.into(), aggregated: false, unreadable: false })
    });
    let of = select(vec![Some(Kind::Role), Some(Kind::ClusterRole), Some(Kind::ClusterRole), None]);
    let binding = (place(), select(vec!["m", "n", "o"]), of, select(vec!["r", "s", "t"]), prop::collection::vec(subject(), 0..3)).prop_map(
        |(namespace, name, role_kind, role, subjects)| {
            let kind = if namespace.is_empty() { Kind::ClusterRoleBinding } else { Kind::RoleBinding };
            let (meta, role) = (meta(namespace, name), role.into());
            Fact::Binding(BindingFact { meta, kind, role_kind, role, subjects: subjects.into(), unreadable: false })
        },
    );
    (prop::collection::vec(role, 0..6), prop::collection::vec(binding, 0..6))
        .prop_map(|(roles, bindings)| roles.into_iter().chain(bindings).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]
    #[test]
    fn what_is_granted_is_what_asking_for_everybody_and_everything_finds(facts in facts()) {
        let mut store = empty_store();
        for fact in NAMESPACES.iter().map(|name| namespace(name)).chain(facts) {
            store.apply(put(fact));
        }
        let (snapshot, _) = store.publish();
        prop_assert_eq!(by_evaluator(&snapshot), by_asking(&snapshot));
    }
}

#[test]
fn every_kind_that_decides_is_guarded() {
    assert_eq!(GUARDED.map(Source::Objects), POLICIES);
}
