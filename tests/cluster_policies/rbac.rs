//! Roles and bindings: reduced to what bears on the network wall, marked where they can't be read.

use partywall::model::changes::Fact;
use partywall::model::kind::Kind;
use partywall::model::rbac::{BindingFact, RbacSubject, RoleFact, RoleRule};
use serde_json::{Value, json};

use super::projection::fact;

fn role(kind: Kind, object: Value) -> RoleFact {
    match fact(kind, &object) {
        Some(Fact::Role(role)) => role,
        other => panic!("{other:?}"),
    }
}

fn rules(list: Value) -> RoleFact {
    role(Kind::Role, json!({"metadata": {"name": "r", "namespace": "n", "resourceVersion": "7"}, "rules": list}))
}

fn binding(kind: Kind, of: Value, subjects: Value) -> BindingFact {
    match fact(kind, &json!({"metadata": {"name": "b", "namespace": "n"}, "roleRef": of, "subjects": subjects})) {
        Some(Fact::Binding(binding)) => binding,
        other => panic!("{other:?}"),
    }
}

fn rule(verbs: &[&str], groups: &[&str], resources: &[&str], names: &[&str]) -> RoleRule {
    let list = |texts: &[&str]| texts.iter().map(|text| (*text).into()).collect();
    RoleRule { verbs: list(verbs), groups: list(groups), resources: list(resources), names: list(names) }
}

#[test]
fn of_a_role_stays_what_bears_on_the_network_wall() {
    let given = rules(json!([
        {"verbs": ["get", "list", "watch"], "apiGroups": ["*"], "resources": ["*"]},
        {"verbs": ["get", "create", "patch"], "apiGroups": ["apps", "networking.k8s.io"], "resources": ["deployments", "networkpolicies", "networkpolicies/status"], "resourceNames": ["x"]},
        {"verbs": ["*"], "apiGroups": ["apps"], "resources": ["*"]},
        {"verbs": ["*"], "apiGroups": [""], "resources": ["pods"]},
        {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]},
        {"verbs": ["impersonate"], "apiGroups": [""], "resources": ["users", "secrets"]},
        {"verbs": ["bind"], "apiGroups": ["rbac.authorization.k8s.io"], "resources": ["clusterroles"]},
        {"verbs": ["delete"], "apiGroups": ["projectcalico.org"], "resources": ["globalnetworkpolicies"]},
        {"verbs": ["get"], "nonResourceURLs": ["*"]},
    ]));
    let kept = [
        // whoever reads everything reads Secrets
        rule(&["get", "list", "watch"], &["*"], &["*"], &[]),
        rule(&["create", "patch"], &["networking.k8s.io"], &["networkpolicies"], &["x"]),
        rule(&["*"], &["*"], &["*"], &[]),
        rule(&["impersonate"], &[""], &["users"], &[]),
        rule(&["bind"], &["rbac.authorization.k8s.io"], &["clusterroles"], &[]),
        rule(&["delete"], &["projectcalico.org"], &["globalnetworkpolicies"], &[]),
    ];
    assert_eq!(given.rules.as_ref(), kept);
    assert!(!given.unreadable && !given.aggregated);
    // its version moves with these rules and nothing else
    let pods = |verb: &str| rules(json!([{"verbs": [verb], "apiGroups": [""], "resources": ["pods"]}]));
    assert_eq!(pods("get").meta.version, pods("delete").meta.version);
    assert_ne!(given.meta.version, pods("get").meta.version);
}

#[test]
fn of_a_role_stays_what_bears_on_the_secret_wall() {
    let given = rules(json!([
        {"verbs": ["get", "list", "watch"], "apiGroups": [""], "resources": ["pods", "secrets", "configmaps", "secrets/status"]},
        {"verbs": ["get", "watch", "update"], "apiGroups": ["", "apps"], "resources": ["pods", "secrets", "serviceaccounts"]},
        {"verbs": ["create", "get"], "apiGroups": [""], "resources": ["serviceaccounts/token", "pods/exec"], "resourceNames": ["app"]},
        {"verbs": ["create"], "apiGroups": ["*"], "resources": ["*/token"]},
        {"verbs": ["get", "list", "create"], "apiGroups": ["external-secrets.io"], "resources": ["secretstores", "externalsecrets", "externalsecrets/status"]},
        {"verbs": ["patch"], "apiGroups": ["generators.external-secrets.io", "secrets.hashicorp.com"], "resources": ["vaultdynamicsecrets"]},
        {"verbs": ["get"], "apiGroups": ["external-secrets.io"], "resources": ["*"]},
        {"verbs": ["get", "list"], "apiGroups": ["external-secrets.io"], "resources": ["externalsecrets"]},
        {"verbs": ["bind", "get"], "apiGroups": ["*"], "resources": ["secrets"]},
        {"verbs": ["escalate"], "apiGroups": ["*"], "resources": ["secrets"]},
    ]));
    let kept = [
        rule(&["get", "list", "watch"], &[""], &["secrets"], &[]),
        rule(&["get", "watch", "update"], &[""], &["secrets", "serviceaccounts"], &[]),
        rule(&["create"], &[""], &["serviceaccounts/token"], &["app"]),
        rule(&["create"], &["*"], &["serviceaccounts/token"], &[]),
        rule(&["create"], &["external-secrets.io"], &["secretstores", "externalsecrets"], &[]),
        rule(&["patch"], &["generators.external-secrets.io", "secrets.hashicorp.com"], &["vaultdynamicsecrets"], &[]),
        rule(&["get"], &["external-secrets.io"], &["*"], &[]),
        rule(&["get"], &["*"], &["secrets"], &[]),
    ];
    assert_eq!(given.rules.as_ref(), kept);
}

#[test]
fn an_aggregated_role_says_so() {
    let aggregated = json!({"metadata": {"name": "edit"}, "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]},
        "rules": [{"verbs": ["create"], "apiGroups": ["networking.k8s.io"], "resources": ["networkpolicies"]}]});
    let read = role(Kind::ClusterRole, aggregated);
    assert!(read.aggregated && read.rules.len() == 1 && read.kind == Kind::ClusterRole);
    assert!(!role(Kind::ClusterRole, json!({"metadata": {"name": "plain"}, "rules": null})).aggregated);
}

#[test]
fn a_binding_says_whom_it_serves() {
    let of = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "edit"});
    let subjects = json!([
        {"kind": "ServiceAccount", "name": "app", "namespace": "n"},
        {"kind": "ServiceAccount", "name": "default"},
        {"kind": "User", "name": "alice", "apiGroup": "rbac.authorization.k8s.io"},
        {"kind": "Group", "name": "team"},
        {"kind": "Robot", "name": "r2"},
    ]);
    let read = binding(Kind::RoleBinding, of.clone(), subjects);
    let account = |namespace: &str, name: &str| RbacSubject::Account { namespace: namespace.into(), name: name.into() };
    let served = [account("n", "app"), account("", "default"), RbacSubject::User("alice".into()), RbacSubject::Group("team".into())];
    assert_eq!((read.subjects.as_ref(), read.role_kind, read.role.as_ref()), (&served[..], Some(Kind::ClusterRole), "edit"));
    assert!(!read.unreadable);
    let nobody = binding(Kind::ClusterRoleBinding, json!({"kind": "Other", "name": "edit"}), json!(null));
    assert_eq!((nobody.role_kind, nobody.subjects.len(), nobody.unreadable), (None, 0, false));
    assert_ne!(read.meta.version, binding(Kind::RoleBinding, of, json!([])).meta.version);
}

#[test]
fn a_wrong_type_at_any_place_is_marked() {
    let good = json!({"verbs": ["create"], "apiGroups": ["networking.k8s.io"], "resources": ["networkpolicies"], "resourceNames": ["x"]});
    for odd in [json!(7), json!({"a": 1}), json!("text"), json!([7]), json!([[]])] {
        for field in ["verbs", "apiGroups", "resources", "resourceNames"] {
            let mut spoiled = good.clone();
            spoiled[field] = odd.clone();
            assert!(rules(json!([spoiled])).unreadable, "{field}: {odd}");
        }
        assert!(rules(odd.clone()).unreadable, "{odd}");
        let of = json!({"kind": "Role", "name": "r"});
        assert!(binding(Kind::RoleBinding, odd.clone(), json!([])).unreadable || odd == json!({"a": 1}), "{odd}");
        assert!(binding(Kind::RoleBinding, of, odd.clone()).unreadable, "{odd}");
    }
    for field in ["kind", "name", "namespace"] {
        let mut subject = json!({"kind": "ServiceAccount", "name": "a", "namespace": "n"});
        subject[field] = json!(["odd"]);
        assert!(binding(Kind::RoleBinding, json!({"kind": "Role", "name": "r"}), json!([subject])).unreadable, "{field}");
    }
}
