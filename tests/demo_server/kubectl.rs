//! kubectl, as people use it.

use std::process::Command;

use serde_json::json;

use super::{fleet, policy};

#[tokio::test(flavor = "multi_thread")]
async fn kubectl_feels_at_home() {
    if Command::new("kubectl").arg("version").arg("--client").output().is_err() {
        println!("skipped: kubectl is not installed");
        return;
    }
    let demo = fleet().await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), demo.kubeconfig_yaml()).unwrap();
    let home = tempfile::tempdir().unwrap();
    let kubectl = |args: &str, input: &str| {
        use std::io::Write as _;
        let mut command = Command::new("kubectl");
        command.args(args.split_whitespace()).env("KUBECONFIG", file.path()).env("HOME", home.path()).env("NO_PROXY", "127.0.0.1");
        command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
    };
    let deny = policy(&["Ingress", "Egress"]).to_string();
    let big = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "noisy-neighbor"}, "spec": {"containers": [{"name": "c", "image": "x", "resources": {"limits": {"memory": "4Gi"}}}]}}).to_string();
    for (args, input, expected) in [
        ("get ns web-tenant-acme", "", "web-tenant-acme   Active"),
        ("get pods,quota,netpol -n web-tenant-acme", "", "requests.memory: 448Mi/1Gi"),
        (
            "apply -n web-tenant-acme --dry-run=server -f -",
            &big,
            "Error from server (Forbidden): error when creating \"STDIN\": pods \"noisy-neighbor\" is forbidden: maximum memory usage per Container is 1Gi, but limit is 4Gi",
        ),
        (
            "apply -n web-tenant-initech --dry-run=server --server-side -f -",
            &deny,
            "networkpolicy.networking.k8s.io/default-deny serverside-applied (server dry run)",
        ),
        ("apply -n web-tenant-initech -f -", &deny, "networkpolicy.networking.k8s.io/default-deny created"),
        ("delete netpol default-deny -n web-tenant-initech", "", "networkpolicy.networking.k8s.io \"default-deny\" deleted"),
        ("get all -n web-tenant-acme", "", "deployment.apps/whoami"),
        ("auth can-i delete pods", "", "yes"),
        ("auth whoami", "", "demo-admin"),
        ("create token n8n-acme -n web-tenant-acme --audience vault", "", "eyJ"),
        ("exec -n web-tenant-acme deploy/n8n -- id", "", "uid=1000(node) gid=1000(node) groups=1000(node)"),
        (
            "exec -n web-tenant-acme deploy/n8n -- timeout 1 nc -w 3 whoami.web-tenant-globex 80",
            "",
            "command terminated with exit code 143",
        ),
        ("--context partywall-demo-nslister get pods -n web-tenant-acme", "", "User \"demo-nslister\" cannot list resource \"pods\""),
    ] {
        let (args, input) = (args.to_owned(), input.to_owned());
        let said = tokio::task::block_in_place(|| kubectl(&args, &input));
        assert!(said.contains(expected), "kubectl {args}\n{said}");
    }
}
