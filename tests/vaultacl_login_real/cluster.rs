//! Namespaces and ServiceAccounts on the test bed's API server, with a token each, and Vault's way to it.

use partywall::model::ids::Name;
use partywall::model::labels::LabelSet;
use partywall::vaultacl::dialect::Dialect;
use serde_json::{Value, json};

use crate::devvault::DevServer;
use crate::testbed::{Identity, Session, text};

/// A ServiceAccount.
pub struct Account {
    pub namespace: String,
    pub name: &'static str,
    pub uid: String,
    pub labels: LabelSet,
    pub jwt: String,
}

pub struct Cluster<'a> {
    bed: &'a Session,
    prefix: String,
    host: String,
    reviewer: String,
    pub accounts: Vec<Account>,
}

const ACCOUNTS: [&str; 3] = ["app", "app-2", "db"];
/// End of the namespace's name, and its labels.
const NAMESPACES: [(&str, &[(&str, &str)]); 3] =
    [("a", &[("team", "red"), ("env", "prod")]), ("ab", &[("team", "red")]), ("b", &[("team", "blue"), ("env", "prod")])];

impl<'a> Cluster<'a> {
    /// Makes them; those of the two servers have names of their own, for the tests may run at the same time.
    pub fn of(bed: &'a Session, dialect: Dialect) -> Self {
        let prefix = if dialect.is_vault() { "login-v-" } else { "login-o-" }.to_owned();
        let host = bed.kubectl_ok(&["config", "view", "--minify", "-o", "jsonpath={.clusters[0].cluster.server}"]);
        let mut cluster = Self { bed, prefix, host, reviewer: String::new(), accounts: Vec::new() };
        let applied = bed.kubectl_as(Identity::Admin, &["apply", "-f", "-"], &cluster.objects());
        assert!(applied.status.success(), "{}", text(&applied));
        let home = cluster.namespace("a");
        cluster.reviewer = cluster.token(&home, "reviewer");
        for (end, labels) in NAMESPACES {
            let namespace = cluster.namespace(end);
            // the API server puts this label on every namespace
            let named = (Name::from("kubernetes.io/metadata.name"), Name::from(namespace.as_str()));
            let labels = labels.iter().map(|(key, value)| (Name::from(*key), Name::from(*value)));
            let labels = LabelSet::new(labels.chain([named]));
            for name in ACCOUNTS {
                let uid = bed.kubectl_ok(&["-n", &namespace, "get", "serviceaccount", name, "-o", "jsonpath={.metadata.uid}"]);
                let jwt = cluster.token(&namespace, name);
                cluster.accounts.push(Account { namespace: namespace.clone(), name, uid, labels: labels.clone(), jwt });
            }
        }
        cluster
    }

    pub fn namespace(&self, end: &str) -> String {
        format!("{}{end}", self.prefix)
    }

    fn token(&self, namespace: &str, name: &str) -> String {
        self.bed.kubectl_ok(&["-n", namespace, "create", "token", name, "--duration=1h"]).trim().to_owned()
    }

    fn objects(&self) -> String {
        let mut items = Vec::new();
        let account = |namespace: &str, name: &str| json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"namespace": namespace, "name": name}});
        for (end, labels) in NAMESPACES {
            let namespace = self.namespace(end);
            let labels: Value =
                labels.iter().map(|(key, value)| ((*key).to_owned(), json!(value))).collect::<serde_json::Map<_, _>>().into();
            items.push(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": labels}}));
            items.extend(ACCOUNTS.iter().map(|name| account(&namespace, name)));
        }
        let home = self.namespace("a");
        items.push(account(&home, "reviewer"));
        let name = format!("{}reviewer", self.prefix);
        let rules = json!([
            {"apiGroups": ["authentication.k8s.io"], "resources": ["tokenreviews"], "verbs": ["create"]},
            {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get"]},
        ]);
        items
            .push(json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": name}, "rules": rules}));
        items.push(json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
            "subjects": [{"kind": "ServiceAccount", "namespace": home, "name": "reviewer"}],
        }));
        json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string()
    }

    /// Makes a Kubernetes auth mount that asks this API server.
    pub fn auth(&self, server: &DevServer, mount: &str) {
        let ca = std::fs::read_to_string(self.bed.dir().join("cluster-ca.crt")).unwrap();
        let config = json!({
            "kubernetes_host": self.host, "kubernetes_ca_cert": ca, "token_reviewer_jwt": self.reviewer, "disable_local_ca_jwt": true,
        });
        ok(server, "POST", &format!("sys/auth/{mount}"), Some(&json!({"type": "kubernetes"})));
        ok(server, "POST", &format!("auth/{mount}/config"), Some(&config));
    }
}

impl Drop for Cluster<'_> {
    fn drop(&mut self) {
        self.bed.kubectl_as(Identity::Admin, &["delete", "--ignore-not-found", "--wait=false", "-f", "-"], &self.objects());
    }
}

/// Asks with the root token and wants it done.
pub fn ok(server: &DevServer, method: &str, path: &str, body: Option<&Value>) -> Value {
    let (status, answer) = server.request(method, path, body);
    assert!((200..300).contains(&status), "{method} {path}: {status} {answer}");
    answer
}
