//! Proves the test bed itself: what other tests take for granted about it is tried here once, word for word.
#![allow(missing_docs, clippy::missing_docs_in_private_items)]

#[path = "common/testbed.rs"]
mod testbed;

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testbed::{Identity, Need, Session, Testbed, text};

const TENANTS: [&str; 2] = ["acme", "globex"];

/// A pod with memory requests and limits of `memory`, or with none.
fn pod(name: &str, memory: Option<&str>) -> Value {
    let resources =
        memory.map_or_else(|| json!({}), |m| json!({"requests": {"cpu": "50m", "memory": m}, "limits": {"cpu": "100m", "memory": m}}));
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
        "spec": {"containers": [{"name": name, "image": "localhost/busybox:1", "resources": resources}]},
    })
}

/// What `kubectl apply --dry-run=server` says of an object.
fn dry_run(bed: &Session, namespace: &str, object: &Value) -> (bool, String) {
    let output = bed.kubectl_as(Identity::Admin, &["-n", namespace, "apply", "--dry-run=server", "-f", "-"], &object.to_string());
    (output.status.success(), text(&output))
}

/// The `Status` the API server answers to a create with `dryRun=All`.
fn dry_run_status(bed: &Session, namespace: &str, object: &Value) -> String {
    let url = format!("/api/v1/namespaces/{namespace}/pods?dryRun=All");
    text(&bed.kubectl_as(Identity::Admin, &["create", "--raw", &url, "-f", "-"], &object.to_string()))
}

fn wait_until(seconds: u64, what: &str, mut done: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(seconds);
    while !done() {
        assert!(Instant::now() < end, "not within {seconds} s: {what}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// A namespace of this test alone, deleted afterwards.
struct Scratch<'a>(&'a Session, String);

impl<'a> Scratch<'a> {
    fn new(bed: &'a Session, name: &str, objects: &Value) -> Self {
        let name = format!("{name}-{}", std::process::id());
        bed.kubectl_ok(&["create", "namespace", &name]);
        let scratch = Self(bed, name);
        wait_until(20, "default service account", || bed.kubectl(&["-n", &scratch.1, "get", "serviceaccount", "default"]).status.success());
        let made = bed.kubectl_as(Identity::Admin, &["-n", &scratch.1, "apply", "-f", "-"], &objects.to_string());
        assert!(made.status.success(), "{}", text(&made));
        scratch
    }
}

impl Drop for Scratch<'_> {
    fn drop(&mut self) {
        self.0.kubectl(&["delete", "namespace", &self.1, "--wait=false"]);
    }
}

fn quota() -> Value {
    json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "quota"}, "spec": {"hard": {
        "requests.cpu": "1", "requests.memory": "1Gi", "limits.cpu": "2", "limits.memory": "2Gi", "pods": "10"}}})
}

#[test]
fn limit_range_refuses_in_the_documented_words() {
    let Some(bed) = Testbed::shared(Need::Servers) else { return };
    for tenant in TENANTS {
        let (accepted, said) = dry_run(&bed, &format!("web-tenant-{tenant}"), &pod("big", Some("4Gi")));
        assert!(!accepted);
        assert_eq!(
            said,
            "Error from server (Forbidden): error when creating \"STDIN\": pods \"big\" is forbidden: \
             maximum memory usage per Container is 1Gi, but limit is 4Gi"
        );
        assert_eq!(
            dry_run(&bed, &format!("web-tenant-{tenant}"), &pod("small", Some("64Mi"))),
            (true, "pod/small created (server dry run)".into())
        );
    }
    assert_eq!(
        dry_run_status(&bed, "web-tenant-acme", &pod("big", Some("4Gi"))),
        "Error from server (Forbidden): pods \"big\" is forbidden: maximum memory usage per Container is 1Gi, but limit is 4Gi"
    );
}

#[test]
fn quota_refuses_in_the_documented_words() {
    let Some(bed) = Testbed::shared(Need::Servers) else { return };
    let scratch = Scratch::new(&bed, "smoke-quota", &quota());
    wait_until(20, "the quota is counted", || {
        !bed.kubectl_ok(&["-n", &scratch.1, "get", "resourcequota", "quota", "-o", "jsonpath={.status.hard.pods}"]).is_empty()
    });
    let (accepted, said) = dry_run(&bed, &scratch.1, &pod("big", Some("4Gi")));
    assert!(!accepted);
    assert_eq!(
        said,
        "Error from server (Forbidden): error when creating \"STDIN\": pods \"big\" is forbidden: exceeded quota: quota, \
         requested: limits.memory=4Gi,requests.memory=4Gi, used: limits.memory=0,requests.memory=0, \
         limited: limits.memory=2Gi,requests.memory=1Gi"
    );
    assert_eq!(
        dry_run_status(&bed, &scratch.1, &pod("nores", None)),
        "Error from server (Forbidden): pods \"nores\" is forbidden: failed quota: quota: must specify limits.cpu for: nores; \
         limits.memory for: nores; requests.cpu for: nores; requests.memory for: nores"
    );
    let (accepted, _) = dry_run(&bed, &scratch.1, &pod("small", Some("64Mi")));
    assert!(accepted);
    assert_eq!(bed.kubectl_ok(&["-n", &scratch.1, "get", "resourcequota", "quota", "-o", "jsonpath={.status.used.pods}"]), "0");
}

#[test]
fn a_replica_set_beyond_the_quota_leaves_the_documented_event() {
    let Some(bed) = Testbed::shared(Need::Servers) else { return };
    let mut quota = quota();
    quota["spec"]["hard"] = json!({"pods": "1"});
    let scratch = Scratch::new(&bed, "smoke-event", &quota);
    let mut template = pod("web", Some("16Mi"));
    // nobody runs them
    template["spec"]["schedulerName"] = json!("nobody");
    let set = json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "web"}, "spec": {
        "replicas": 2, "selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": template["spec"]}}});
    assert!(bed.kubectl_as(Identity::Admin, &["-n", &scratch.1, "apply", "-f", "-"], &set.to_string()).status.success());
    let mut events = String::new();
    wait_until(30, "a FailedCreate event", || {
        events = bed.kubectl_ok(&[
            "-n",
            &scratch.1,
            "get",
            "events",
            "--field-selector=reason=FailedCreate",
            "-o",
            "jsonpath={.items[*].message}",
        ]);
        events.contains("exceeded quota: quota, requested: pods=1, used: pods=1, limited: pods=1")
    });
    assert!(events.starts_with("Error creating: pods \"web-"), "{events}");
}

#[test]
fn pod_security_refuses_in_the_documented_words() {
    let Some(bed) = Testbed::shared(Need::Servers) else { return };
    let mut object = pod("priv", Some("64Mi"));
    object["spec"]["containers"][0]["securityContext"] = json!({"privileged": true});
    assert_eq!(
        dry_run_status(&bed, "web-tenant-acme", &object),
        "Error from server (Forbidden): pods \"priv\" is forbidden: violates PodSecurity \"baseline:latest\": \
         privileged (container \"priv\" must not set securityContext.privileged=true)"
    );
}

fn login(bed: &Session, tenant: &str, role: &str) -> (u16, Value) {
    let account = format!("n8n-{tenant}");
    let jwt = bed.kubectl_ok(&["-n", &format!("web-tenant-{tenant}"), "create", "token", &account, "--audience=vault", "--duration=10m"]);
    bed.vault("POST", "auth/kubernetes/login", "", Some(&json!({"role": role, "jwt": jwt.trim()})))
}

#[test]
fn vault_lets_a_tenant_read_its_own_path_only() {
    let Some(bed) = Testbed::shared(Need::Servers) else { return };
    for (tenant, other) in [("acme", "globex"), ("globex", "acme")] {
        let (status, answer) = login(&bed, tenant, &format!("tenant-{tenant}"));
        assert_eq!(status, 200, "{answer}");
        assert_eq!(answer["auth"]["metadata"]["service_account_name"], format!("n8n-{tenant}"));
        assert_eq!(answer["auth"]["lease_duration"], 3600);
        let token = answer["auth"]["client_token"].as_str().expect("a token");
        let (status, own) = bed.vault("GET", &format!("secret/data/web-tenant-{tenant}"), token, None);
        assert_eq!((status, own["data"]["data"]["api_key"].as_str()), (200, Some(bed.canary(tenant))));
        let (status, refused) = bed.vault("GET", &format!("secret/data/web-tenant-{other}"), token, None);
        assert_eq!((status, refused), (403, json!({"errors": ["1 error occurred:\n\t* permission denied\n\n"]})));
        let (status, refused) = login(&bed, tenant, &format!("tenant-{other}"));
        assert_eq!((status, &refused["errors"]), (403, &json!(["service account name not authorized"])), "{refused}");
    }
}

#[test]
fn the_operator_token_reads_roles_and_policies_but_no_secret() {
    let Some(bed) = Testbed::shared(Need::Servers) else { return };
    let token = bed.vault_operator_token();
    let (status, role) = bed.vault("GET", "auth/kubernetes/role/tenant-acme", token, None);
    assert_eq!((status, &role["data"]["audience"], &role["data"]["token_ttl"]), (200, &json!("vault"), &json!(3600)));
    let (status, policy) = bed.vault("GET", "sys/policies/acl/tenant-acme", token, None);
    assert_eq!(status, 200);
    assert!(policy["data"]["policy"].as_str().is_some_and(|text| text.contains("secret/data/web-tenant-acme\"")), "{policy}");
    assert_eq!(bed.vault("LIST", "auth/kubernetes/role", token, None).1["data"]["keys"], json!(["tenant-acme", "tenant-globex"]));
    for path in ["secret/data/web-tenant-acme", "secret/metadata/web-tenant-acme"] {
        assert_eq!(bed.vault("GET", path, token, None).0, 403, "{path}");
    }
    assert_eq!(bed.vault("PUT", "sys/seal", token, None).0, 403);
}

#[test]
fn every_identity_can_do_what_its_name_says_and_no_more() {
    let Some(bed) = Testbed::shared(Need::Servers) else { return };
    let may = |who, arguments: &[&str]| {
        let mut all = vec!["auth".to_owned(), "can-i".to_owned()];
        // kubectl takes what follows a slash for a name
        all.extend(
            arguments
                .iter()
                .map(|a| a.replace("pods/", "pods --subresource=").replace("serviceaccounts/", "serviceaccounts --subresource=")),
        );
        let all: Vec<&str> = all.iter().flat_map(|a| a.split(' ')).collect();
        bed.kubectl_as(who, &all, "").stdout.starts_with(b"yes")
    };
    let (acme, system) = (["-n", "web-tenant-acme"], ["-n", "kube-system"]);
    let everybody = [Identity::Viewer, Identity::NsLister, Identity::Prober, Identity::Fixer];
    for (verb, resource, place, allowed) in [
        ("list", "namespaces", &[][..], &everybody[..]),
        ("list", "pods", &["-A"], &[Identity::Viewer, Identity::Prober, Identity::Fixer]),
        ("watch", "networkpolicies.networking.k8s.io", &["-A"], &[Identity::Viewer, Identity::Prober, Identity::Fixer]),
        ("list", "endpointslices.discovery.k8s.io", &["-A"], &[Identity::Viewer, Identity::Prober, Identity::Fixer]),
        ("list", "secrets", &["-A"], &[]),
        ("get", "secrets", &acme, &[]),
        ("create", "pods", &acme, &[Identity::Prober, Identity::Fixer]),
        ("create", "pods", &system, &[]),
        ("create", "pods/exec", &acme, &[Identity::Prober, Identity::Fixer]),
        ("create", "serviceaccounts/token", &acme, &[Identity::Prober, Identity::Fixer]),
        ("create", "serviceaccounts/token", &system, &[]),
        ("patch", "networkpolicies.networking.k8s.io", &acme, &[Identity::Fixer]),
        ("create", "limitranges", &acme, &[Identity::Fixer]),
        ("patch", "limitranges", &system, &[]),
    ] {
        for who in everybody {
            let arguments: Vec<&str> = [verb, resource].iter().chain(place).copied().collect();
            assert_eq!(may(who, &arguments), allowed.contains(&who), "{who:?} {arguments:?}");
        }
    }
    let listed = text(&bed.kubectl_as(Identity::NsLister, &["get", "pods", "-n", "web-tenant-acme"], ""));
    assert!(
        listed.starts_with("Error from server (Forbidden): pods is forbidden: User \"system:serviceaccount:partywall-operators:nslister\""),
        "{listed}"
    );
}

/// Asks a tenant's web page from inside a tenant's pod: what came back, or nothing after three seconds.
fn ask(bed: &Session, from: &str, to: &str) -> String {
    let script = format!("timeout 3 wget -qO- http://whoami.web-tenant-{to}.svc.cluster.local/");
    let output = bed.kubectl(&["-n", &format!("web-tenant-{from}"), "exec", "deploy/whoami", "--", "sh", "-c", &script]);
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn packets_stay_inside_a_tenant_and_names_resolve() {
    let Some(bed) = Testbed::shared(Need::Node) else { return };
    for (tenant, other) in [("acme", "globex"), ("globex", "acme")] {
        assert!(ask(&bed, tenant, tenant).contains(&format!("\ntenant: {tenant}\n")));
        let begun = Instant::now();
        assert_eq!(ask(&bed, tenant, other), "");
        assert!(begun.elapsed() > Duration::from_secs(3), "refused packets are dropped in silence");
        for to in TENANTS {
            let name = format!("whoami.web-tenant-{to}.svc.cluster.local");
            let found = bed.kubectl_ok(&["-n", &format!("web-tenant-{tenant}"), "exec", "deploy/whoami", "--", "nslookup", &name]);
            assert!(found.contains(&format!("Name:\t{name}\nAddress: 10.96.")), "{found}");
        }
    }
}

#[test]
fn the_walls_fall_with_the_enforcer_and_stand_again_with_it() {
    let Some(bed) = Testbed::alone(Need::OwnNode) else { return };
    assert_eq!(ask(&bed, "globex", "acme"), "");
    bed.command_ok("enforce-stop", &[]);
    assert!(ask(&bed, "globex", "acme").contains("tenant: acme"), "without the enforcer nothing stops a packet");
    bed.command_ok("enforce-start", &[]);
    assert_eq!(ask(&bed, "globex", "acme"), "");
    // a policy's end opens the wall at once, and `restore` closes it
    bed.kubectl_ok(&["-n", "web-tenant-acme", "delete", "networkpolicy", "--all"]);
    bed.kubectl_ok(&["-n", "web-tenant-globex", "delete", "networkpolicy", "--all"]);
    wait_until(5, "the crossing is open", || ask(&bed, "globex", "acme").contains("tenant: acme"));
    bed.command_ok("restore", &[]);
    wait_until(10, "the crossing is closed", || ask(&bed, "globex", "acme").is_empty());
}

#[test]
fn servers_go_away_and_come_back() {
    let Some(bed) = Testbed::alone(Need::OwnServers) else { return };
    bed.command_ok("seal", &[]);
    let (status, sealed) = bed.vault("GET", "auth/kubernetes/role/tenant-acme", bed.vault_operator_token(), None);
    assert_eq!((status, sealed), (503, json!({"errors": ["Vault is sealed"]})));
    bed.command_ok("unseal", &[]);
    assert_eq!(bed.vault("GET", "auth/kubernetes/role/tenant-acme", bed.vault_operator_token(), None).0, 200);
    let port = bed.kubectl_ok(&["config", "view", "--minify", "-o", "jsonpath={.clusters[0].cluster.server}"]);
    bed.command_ok("restart-apiserver", &[]);
    assert_eq!(bed.kubectl_ok(&["get", "--raw", "/readyz"]), "ok");
    assert_eq!(bed.kubectl_ok(&["config", "view", "--minify", "-o", "jsonpath={.clusters[0].cluster.server}"]), port);
}
