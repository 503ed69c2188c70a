//! What the simulated authoriser goes by, as one table: the roles and bindings that are served are made of it, so that both say the same.

use serde_json::{Value, json};

use super::auth::{Rule, User};

/// The API group of roles and bindings.
pub(crate) const GROUP: &str = "rbac.authorization.k8s.io";

/// Whom a binding serves.
#[derive(Clone, Copy)]
pub(crate) enum To {
    User(&'static str),
    Group(&'static str),
    /// Namespace and name.
    Account(&'static str, &'static str),
}

/// A role and the binding of the same name that gives it.
pub(crate) struct Given {
    pub(crate) name: &'static str,
    /// Empty for a ClusterRole bound cluster-wide.
    pub(crate) namespace: &'static str,
    pub(crate) to: To,
    pub(crate) rules: &'static [Rule],
}

const READ: &[&str] = &["get", "list", "watch"];
const ANY: &[&str] = &["*"];
const VIEWED: Rule = Rule { verbs: READ, groups: ANY, resources: ANY };
const AUTHORIZATION: &[&str] = &["authorization.k8s.io"];

/// Everything that anybody may do here.
pub(crate) static GIVEN: [Given; 7] = [
    Given {
        name: "cluster-admin",
        namespace: "",
        to: To::Group("system:masters"),
        rules: &[Rule { verbs: ANY, groups: ANY, resources: ANY }],
    },
    Given {
        name: "system:basic-user",
        namespace: "",
        to: To::Group("system:authenticated"),
        rules: &[
            Rule { verbs: &["create"], groups: AUTHORIZATION, resources: &["selfsubjectaccessreviews", "selfsubjectrulesreviews"] },
            Rule { verbs: &["create"], groups: &["authentication.k8s.io"], resources: &["selfsubjectreviews"] },
        ],
    },
    Given { name: "demo-viewer", namespace: "", to: To::User("demo-viewer"), rules: &[VIEWED] },
    Given {
        name: "demo-prober",
        namespace: "",
        to: To::User("demo-prober"),
        rules: &[
            VIEWED,
            Rule { verbs: &["create"], groups: &[""], resources: &["pods", "pods/exec", "serviceaccounts/token"] },
            Rule { verbs: &["get"], groups: &[""], resources: &["pods/exec"] },
        ],
    },
    Given {
        name: "demo-nslister",
        namespace: "",
        to: To::User("demo-nslister"),
        rules: &[Rule { verbs: READ, groups: &[""], resources: &["namespaces"] }],
    },
    // the operator of the secret stores
    Given {
        name: "external-secrets",
        namespace: "",
        to: To::Account("external-secrets", "external-secrets"),
        rules: &[
            Rule { verbs: ANY, groups: &["external-secrets.io"], resources: ANY },
            Rule { verbs: &["create"], groups: &[""], resources: &["serviceaccounts/token"] },
        ],
    },
    // a tenant whose application was given its own wall to keep
    Given {
        name: "n8n-self-service",
        namespace: "web-tenant-umbrella",
        to: To::Account("web-tenant-umbrella", "default"),
        rules: &[Rule {
            verbs: &["get", "list", "create", "update", "patch", "delete"],
            groups: &["networking.k8s.io"],
            resources: &["ingresses", "networkpolicies"],
        }],
    },
];

impl Given {
    /// Whether it is a user's, for requests in a namespace (empty for none).
    pub(crate) fn serves(&self, user: &User, namespace: &str) -> bool {
        let here = self.namespace.is_empty() || self.namespace == namespace;
        here && match self.to {
            To::User(name) => user.name == name,
            To::Group(name) => user.groups.iter().any(|group| group == name),
            To::Account(of, name) => {
                user.name.strip_prefix("system:serviceaccount:").and_then(|rest| rest.split_once(':')) == Some((of, name))
            }
        }
    }

    /// `ClusterRoleBinding "NAME" of ClusterRole "NAME" to User "NAME"`, as an access review gives its reason.
    pub(crate) fn reason(&self) -> String {
        let (binding, role) = self.kinds();
        let place = if self.namespace.is_empty() { self.name.to_owned() } else { format!("{}/{}", self.name, self.namespace) };
        let to = match self.to {
            To::User(name) => format!("User \"{name}\""),
            To::Group(name) => format!("Group \"{name}\""),
            To::Account(namespace, name) => format!("ServiceAccount \"{name}/{namespace}\""),
        };
        format!("{binding} \"{place}\" of {role} \"{}\" to {to}", self.name)
    }

    const fn kinds(&self) -> (&'static str, &'static str) {
        if self.namespace.is_empty() { ("ClusterRoleBinding", "ClusterRole") } else { ("RoleBinding", "Role") }
    }

    /// The role and the binding as objects.
    pub(crate) fn objects(&self) -> [Value; 2] {
        let (binding, role) = self.kinds();
        let metadata = || {
            if self.namespace.is_empty() { json!({"name": self.name}) } else { json!({"name": self.name, "namespace": self.namespace}) }
        };
        let rules: Vec<Value> =
            self.rules.iter().map(|r| json!({"verbs": r.verbs, "apiGroups": r.groups, "resources": r.resources})).collect();
        let subject = match self.to {
            To::User(name) => json!({"kind": "User", "apiGroup": GROUP, "name": name}),
            To::Group(name) => json!({"kind": "Group", "apiGroup": GROUP, "name": name}),
            To::Account(namespace, name) => json!({"kind": "ServiceAccount", "name": name, "namespace": namespace}),
        };
        let of = json!({"apiGroup": GROUP, "kind": role, "name": self.name});
        [
            json!({"kind": role, "metadata": metadata(), "rules": rules}),
            json!({"kind": binding, "metadata": metadata(), "roleRef": of, "subjects": [subject]}),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::super::auth::{Ask, account, allowed};
    use super::*;
    use crate::cluster::project;
    use crate::model::changes::Change;
    use crate::model::ids::Name;
    use crate::model::intern::Interner;
    use crate::model::kind::WATCHED;
    use crate::model::rbac::WRITES;
    use crate::model::store::Store;
    use crate::posture::rbac::granted;

    #[test]
    fn what_is_served_says_what_the_authoriser_does() {
        let mut store = Store::default();
        for object in GIVEN.iter().flat_map(Given::objects) {
            let kind = WATCHED.iter().map(|info| info.kind).find(|kind| object["kind"] == kind.as_str()).unwrap();
            let fact = project::fact(kind, object.to_string().as_bytes(), &mut Interner::default()).unwrap();
            store.apply(Change::Put(Box::new(fact)));
        }
        let snapshot = store.publish().0;
        for (namespace, writes) in [("web-tenant-umbrella", 4), ("web-tenant-acme", 0)] {
            let (name, nothing) = (Name::from(namespace), crate::model::snapshot::NamespaceFacts::default());
            let facts = snapshot.namespace(namespace).map_or(&nothing, AsRef::as_ref);
            let found = granted(&snapshot, &[(&name, facts)]);
            let by_facts = |verb: &str| found.grants.iter().flat_map(|grant| &grant.writes).any(|allowed| allowed.verb == verb);
            let user = account(namespace, "default", "");
            let ask = |verb| Ask { verb, group: "networking.k8s.io", resource: "networkpolicies", namespace, ..Ask::default() };
            for verb in WRITES {
                assert_eq!(allowed(&user, &ask(verb)), by_facts(verb), "{namespace} {verb}");
            }
            assert_eq!(WRITES.iter().filter(|verb| by_facts(verb)).count(), writes);
            assert!(!allowed(&user, &Ask { namespace: "web-tenant-globex", ..ask("create") }), "not in another namespace");
        }
    }
}
