//! `partywall check -f`: the same findings over manifests, in every form.

use serde_json::Value;

use super::{err, folder, out, partywall, pod, policy};

fn world() -> tempfile::TempDir {
    folder(&[
        (
            "shop.yaml",
            &[
                "apiVersion: v1\nkind: Namespace\nmetadata: {name: tenant-shop}\n---\n".to_owned(),
                pod("tenant-shop", "web", "web", "10.0.0.1"),
            ]
            .concat(),
        ),
        ("rest.yaml", &policy("tenant-shop", "dns-only", "{podSelector: {matchLabels: {app: nobody}}}")),
    ])
}

#[test]
fn a_tenant_without_walls_is_found_in_files() {
    let root = world();
    let output = partywall(root.path(), &["check", "-f", ".", "-o", "json"]);
    assert_eq!(output.status.code(), Some(1), "{}", err(&output));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let tenant = &report["tenants"][0];
    assert_eq!((tenant["tenant"].as_str(), tenant["walls"]["NET"].as_str()), (Some("shop"), Some("BREACHED")), "{report:#}");
    let unseen: Vec<&str> = report["unknowns"].as_array().unwrap().iter().map(|u| u["source"].as_str().unwrap()).collect();
    assert_eq!(
        unseen,
        ["ClusterRole", "ClusterRoleBinding", "Event", "Role", "RoleBinding", "Secret", "Secret.tls", "vault"],
        "what files can't show is unknown, and nothing else"
    );
    assert_eq!(tenant["walls"]["SEC"], "UNKNOWN");
}

#[test]
fn exit_codes_tell_findings_from_documents_that_could_not_be_read() {
    let root = world();
    let code = |args: &[&str]| partywall(root.path(), &[&["check", "-f", "."], args].concat()).status.code();
    assert_eq!(code(&[]), Some(1));
    assert_eq!(code(&["--fail-on", "never"]), Some(0), "Vault and Events are not asked of files");
    assert_eq!(code(&["--tenant", "nobody"]), Some(2));
    std::fs::write(root.path().join("broken.yaml"), "a: [\n").unwrap();
    assert_eq!(code(&["--fail-on", "never"]), Some(3), "what could not be read is not fine");
    assert_eq!(partywall(root.path(), &["check", "-f", "broken.yaml"]).status.code(), Some(3));
}

#[test]
fn sarif_names_rule_object_file_and_line() {
    let root = world();
    let output = partywall(root.path(), &["check", "-f", ".", "-o", "sarif"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((report["version"].as_str(), report["runs"].as_array().map(Vec::len)), (Some("2.1.0"), Some(1)));
    let results = report["runs"][0]["results"].as_array().unwrap();
    let first = results.iter().find(|result| result["ruleId"] == "NET-01").expect("the open egress");
    assert_eq!(first["level"], "error");
    let location = &first["locations"][0];
    assert_eq!(location["logicalLocations"][0]["kind"], "resource");
    assert_eq!(location["physicalLocation"]["artifactLocation"]["uri"], "shop.yaml", "{first:#}");
    assert!(location["physicalLocation"]["region"]["startLine"].as_u64().unwrap() >= 1);
}

#[test]
fn junit_and_markdown_carry_the_same_findings() {
    let root = world();
    let xml = out(&partywall(root.path(), &["check", "-f", ".", "-o", "junit"]));
    assert!(xml.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"partywall check\" "), "{xml}");
    assert!(xml.contains("<testsuite name=\"shop\" ") && xml.contains("<failure type=\"critical\"") && xml.contains("NET-01"), "{xml}");
    let text = out(&partywall(root.path(), &["check", "-f", ".", "-o", "markdown"]));
    assert!(text.starts_with("# partywall check\n") && text.contains("| NET-01 | critical | BREACHED |"), "{text}");
    let table = out(&partywall(root.path(), &["check", "-f", "."]));
    assert!(table.contains("NET-01") && table.contains("could not look at vault: manifests do not show it"), "{table}");
}
