//! Who may write policies: our answer against the API server's own, for made-up roles and bindings.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests say what they expect by panicking"
)]

#[path = "common/testbed.rs"]
mod testbed;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use partywall::cluster::project;
use partywall::model::changes::Change;
use partywall::model::ids::Name;
use partywall::model::intern::Interner;
use partywall::model::kind::Kind;
use partywall::model::rbac::{GUARDED, RbacSubject, WRITES};
use partywall::model::snapshot::Snapshot;
use partywall::model::store::Store;
use partywall::posture::rbac::{Scope, granted};
use serde_json::{Value, json};
use testbed::{Identity, Need, Session, Testbed, text};

const OURS: &str = "rbac-proof-a";
const OTHER: &str = "rbac-proof-b";
const SEEDS: [u64; 3] = [1, 2, 3];
const NAMES: [&str; 2] = ["x", "y"];
const ACCOUNTS: [&str; 2] = ["default", "app"];

struct Maker(fastrand::Rng);

impl Maker {
    fn some(&mut self, of: &[&str], most: usize) -> Vec<String> {
        let many = self.0.usize(1..=most);
        (0..many).map(|_| of[self.0.usize(..of.len())].to_owned()).collect()
    }

    fn rules(&mut self) -> Vec<Value> {
        let many = self.0.usize(1..=3);
        let rule = |me: &mut Self| {
            let verbs = ["get", "create", "update", "patch", "delete", "deletecollection", "*"];
            let groups = ["networking.k8s.io", "cilium.io", "policy.networking.k8s.io", "", "apps", "*"];
            let resources =
                ["networkpolicies", "ciliumnetworkpolicies", "adminnetworkpolicies", "networkpolicies/status", "pods", "*", "*/status"];
            let mut rule = json!({"verbs": me.some(&verbs, 3), "apiGroups": me.some(&groups, 3), "resources": me.some(&resources, 3)});
            if me.0.u32(..2) == 0 {
                rule["resourceNames"] = json!(me.some(&["x", "z", "x", ""], 2));
            }
            rule
        };
        (0..many).map(|_| rule(self)).collect()
    }

    /// Nobody but ours and the neighbour's: other tests look at this cluster too.
    fn subject(&mut self, cluster_wide: bool) -> Value {
        let account = |name: &str, namespace: &str| json!({"kind": "ServiceAccount", "name": name, "namespace": namespace});
        let mut among = vec![
            account("app", OURS),
            account("default", OURS),
            account("app", OTHER),
            json!({"kind": "User", "name": format!("system:serviceaccount:{OURS}:app")}),
            json!({"kind": "Group", "name": format!("system:serviceaccounts:{OURS}")}),
            json!({"kind": "Group", "name": format!("system:serviceaccounts:{OTHER}")}),
        ];
        if !cluster_wide {
            among.push(json!({"kind": "ServiceAccount", "name": "app"}));
            among.push(json!({"kind": "Group", "name": "system:authenticated"}));
            among.push(json!({"kind": "Group", "name": "system:serviceaccounts"}));
        }
        among.swap_remove(self.0.usize(..among.len()))
    }
}

/// Roles and bindings in our namespace, the neighbour's and cluster-wide.
fn made(seed: u64) -> Vec<Value> {
    let mut make = Maker(fastrand::Rng::with_seed(seed));
    let mut all: Vec<Value> = Vec::new();
    let object = |kind: &str, namespace: &str, name: String| {
        let metadata = if namespace.is_empty() { json!({"name": name}) } else { json!({"name": name, "namespace": namespace}) };
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": metadata})
    };
    for namespace in [OURS, OTHER, ""] {
        let (role, binding) = if namespace.is_empty() { ("ClusterRole", "ClusterRoleBinding") } else { ("Role", "RoleBinding") };
        for n in 0..4 {
            let mut role = object(role, namespace, format!("rbac-proof-{n}"));
            role["rules"] = json!(make.rules());
            all.push(role);
        }
        for n in 0..6 {
            let mut binding = object(binding, namespace, format!("rbac-proof-{n}"));
            // the last role is nowhere
            let of = format!("rbac-proof-{}", make.0.usize(..5));
            let kind = if namespace.is_empty() || make.0.bool() { "ClusterRole" } else { "Role" };
            binding["roleRef"] = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": of});
            binding["subjects"] = json!([make.subject(namespace.is_empty())]);
            all.push(binding);
        }
    }
    all
}

/// The roles and bindings as our viewer reads them.
fn read(bed: &Session) -> Snapshot {
    let mut store = Store::default();
    let all = [vec!["roles,rolebindings", "-n", OURS], vec!["roles,rolebindings", "-n", OTHER], vec!["clusterroles,clusterrolebindings"]];
    for what in all {
        let output = bed.kubectl_as(Identity::Viewer, &[&["get", "-o", "json"], what.as_slice()].concat(), "");
        assert!(output.status.success(), "{}", text(&output));
        let list: Value = serde_json::from_slice(&output.stdout).unwrap();
        for object in list["items"].as_array().unwrap() {
            let kinds = [Kind::Role, Kind::RoleBinding, Kind::ClusterRole, Kind::ClusterRoleBinding];
            let kind = kinds.into_iter().find(|kind| object["kind"] == kind.as_str()).unwrap();
            let fact = project::fact(kind, object.to_string().as_bytes(), &mut Interner::default()).unwrap();
            store.apply(Change::Put(Box::new(fact)));
        }
    }
    Snapshot::clone(&store.publish().0)
}

/// One question: account, kind, verb and name.
type Asked = (&'static str, Kind, &'static str, &'static str);

fn questions() -> Vec<Asked> {
    let kinds = [Kind::NetworkPolicy, Kind::CiliumNetworkPolicy, Kind::AdminNetworkPolicy];
    assert!(kinds.iter().all(|kind| GUARDED.contains(kind)));
    let mut all = Vec::new();
    for account in ACCOUNTS {
        for kind in kinds {
            for verb in WRITES {
                let nameless = matches!(verb, "create" | "deletecollection");
                all.extend(if nameless { &[""][..] } else { &NAMES }.iter().map(|name| (account, kind, verb, *name)));
            }
        }
    }
    all
}

fn by_us(snapshot: &Snapshot) -> BTreeSet<Asked> {
    let ours = Name::from(OURS);
    let facts = snapshot.namespace(OURS).unwrap();
    let found = granted(snapshot, &[(&ours, facts)]);
    assert!(found.doubts.is_empty(), "{:?}", found.doubts);
    let serves = |subject: &RbacSubject, bound_in: &str, account: &str| match subject {
        RbacSubject::Account { namespace, name } => {
            **name == *account && (**namespace == *OURS || namespace.is_empty() && bound_in == OURS)
        }
        RbacSubject::User(name) => **name == format!("system:serviceaccount:{OURS}:{account}"),
        RbacSubject::Group(name) => {
            ["system:authenticated", "system:serviceaccounts", "system:serviceaccounts:rbac-proof-a"].contains(&name.as_ref())
        }
    };
    let is_allowed = |(account, kind, verb, name): &Asked| {
        found.grants.iter().filter(|grant| serves(grant.subject, &grant.binding.meta.namespace, account)).any(|grant| {
            grant.writes.iter().any(|allowed| {
                let named = match &allowed.scope {
                    Scope::All => true,
                    Scope::Named(names) => names.contains(*name),
                };
                allowed.what == *kind && allowed.verb == *verb && named
            })
        })
    };
    questions().into_iter().filter(is_allowed).collect()
}

fn by_the_server(bed: &Session) -> BTreeSet<Asked> {
    let review = |(account, kind, verb, name): &Asked| {
        let info = kind.info().unwrap();
        json!({
            "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
            "spec": {
                "user": format!("system:serviceaccount:{OURS}:{account}"),
                "groups": ["system:serviceaccounts", format!("system:serviceaccounts:{OURS}"), "system:authenticated"],
                "resourceAttributes": {"verb": verb, "group": info.group, "resource": info.plural, "name": name,
                    "namespace": if info.namespaced { OURS } else { "" }},
            },
        })
    };
    let all = questions();
    let list = json!({"apiVersion": "v1", "kind": "List", "items": all.iter().map(review).collect::<Vec<_>>()});
    let arguments = ["create", "-o", "jsonpath={.status.allowed}{\"\\n\"}", "-f", "-"];
    let output = bed.kubectl_as(Identity::Admin, &arguments, &list.to_string());
    assert!(output.status.success(), "{}", text(&output));
    let said = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<bool> = said.lines().map(|line| line == "true").collect();
    assert_eq!(answers.len(), all.len(), "{said}");
    all.into_iter().zip(answers).filter(|(_, allowed)| *allowed).map(|(asked, _)| asked).collect()
}

/// Tries one set of roles and bindings; how many questions were answered with yes.
fn tried(bed: &Session, seed: u64) -> usize {
    let made = made(seed);
    let applied = bed.kubectl_as(Identity::Admin, &["apply", "-f", "-"], &list(&made));
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        assert!(applied.status.success(), "{}", text(&applied));
        let ours = by_us(&read(bed));
        // the authoriser follows the objects with a delay
        let end = Instant::now() + Duration::from_secs(15);
        loop {
            let theirs = by_the_server(bed);
            if theirs == ours {
                return ours.len();
            }
            assert!(Instant::now() < end, "{seed}: only we: {:#?}\nonly the server: {:#?}", &ours - &theirs, &theirs - &ours);
            std::thread::sleep(Duration::from_millis(300));
        }
    }));
    bed.kubectl_as(Identity::Admin, &["delete", "--ignore-not-found", "-f", "-"], &list(&made));
    outcome.unwrap_or_else(|failed| std::panic::resume_unwind(failed))
}

fn list(items: &[Value]) -> String {
    json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string()
}

#[test]
fn what_we_say_is_what_the_api_server_says() {
    let Some(bed) = Testbed::shared(Need::Servers) else { return };
    let namespaces = list(&[OURS, OTHER].map(|name| json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})));
    let applied = bed.kubectl_as(Identity::Admin, &["apply", "-f", "-"], &namespaces);
    assert!(applied.status.success(), "{}", text(&applied));
    let allowed: Vec<usize> = SEEDS.into_iter().map(|seed| tried(&bed, seed)).collect();
    bed.kubectl_as(Identity::Admin, &["delete", "--ignore-not-found", "--timeout=60s", "-f", "-"], &namespaces);
    let (all, yes) = (SEEDS.len() * questions().len(), allowed.iter().sum::<usize>());
    assert!(yes > all / 10 && yes < all * 9 / 10, "the seeds make some things allowed and some not: {allowed:?} of {all}");
}

#[test]
fn no_tenant_of_the_bed_may_write_policies() {
    let Some(bed) = Testbed::shared(Need::Servers) else { return };
    for tenant in ["acme", "globex"] {
        for account in ["default".to_owned(), format!("n8n-{tenant}")] {
            let user = format!("--as=system:serviceaccount:web-tenant-{tenant}:{account}");
            let place = format!("web-tenant-{tenant}");
            for verb in WRITES {
                let said = bed.kubectl_as(Identity::Admin, &["auth", "can-i", verb, "networkpolicies", "-n", &place, &user], "");
                assert_eq!(text(&said).trim(), "no", "{user} {verb}");
            }
        }
    }
}
