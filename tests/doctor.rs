//! The doctor at the simulated fleet: what it says of the Vault policy, and the policy alone.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests say what they expect by panicking"
)]

use std::process::Output;

use partywall::demo::{self, DemoHandle, DemoOptions};
use partywall::vault::operator;
use serde_json::Value;

/// Runs the doctor at a demo with a token.
async fn doctor(demo: &DemoHandle, token: &str, args: &[&str]) -> Output {
    let state = tempfile::tempdir().unwrap();
    let kubeconfig = state.path().join("kubeconfig");
    std::fs::write(&kubeconfig, demo.kubeconfig_yaml()).unwrap();
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_partywall"));
    command.arg("doctor").args(args).env("PARTYWALL_STATE_DIR", state.path()).env("HOME", state.path());
    command.env("KUBECONFIG", kubeconfig).env("VAULT_ADDR", demo.vault_url()).env("VAULT_TOKEN", token);
    command.output().await.unwrap()
}

/// The lines about one area as (what, state, good).
fn lines(output: &Output, area: &str) -> Vec<(String, String, bool)> {
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |line: &Value, field: &str| line[field].as_str().unwrap().to_owned();
    let all = told["lines"].as_array().unwrap().iter().filter(|line| line["area"] == area);
    all.map(|line| (text(line, "what"), text(line, "state"), line["good"].as_bool().unwrap())).collect()
}

#[tokio::test]
async fn an_operator_has_every_line_and_the_doctor_is_content() {
    let demo = demo::start(DemoOptions::default()).await.unwrap();
    let out = doctor(&demo, demo.vault_token(), &["-o", "json"]).await;
    let policy = lines(&out, "vault policy");
    assert_eq!(policy.len(), operator::LINES.len());
    assert!(policy.iter().all(|(_, state, good)| *good && state == "granted"), "{policy:#?}");
    assert!(lines(&out, "vault").iter().all(|(_, _, good)| *good), "{:#?}", lines(&out, "vault"));
    assert_eq!(out.status.code(), Some(0), "{}", String::from_utf8_lossy(&out.stderr));
    let metadata: Vec<_> = lines(&out, "kubernetes").into_iter().filter(|(what, _, _)| what.contains("(metadata)")).collect();
    assert!(metadata.len() == 2 && metadata.iter().all(|(_, state, good)| *good && state.contains("--secret-metadata")), "{metadata:#?}");
}

#[tokio::test]
async fn a_missing_line_is_named_with_its_cost_and_the_policy_to_install_follows() {
    let demo = demo::start(DemoOptions::default()).await.unwrap();
    let less: Vec<String> = operator::wanted(["kubernetes"])
        .iter()
        .filter(|wanted| !matches!(wanted.line.path, "identity/group/id" | "identity/group/id/*" | "sys/capabilities-accessor"))
        .map(operator::Wanted::hcl)
        .collect();
    demo.mutate().vault_policy("operator", Some(&less.join("\n")));
    let out = doctor(&demo, demo.vault_token(), &["-o", "json"]).await;
    let missing: Vec<_> = lines(&out, "vault policy").into_iter().filter(|(_, state, _)| state.starts_with("missing")).collect();
    let expected = [
        ("path \"identity/group/id\" { capabilities = [\"list\"] }", false),
        ("path \"identity/group/id/*\" { capabilities = [\"read\", \"list\"] }", false),
        ("path \"sys/capabilities-accessor\" { capabilities = [\"update\"] }", true),
    ];
    let found: Vec<(&str, bool)> = missing.iter().map(|(what, _, good)| (what.as_str(), *good)).collect();
    assert_eq!(found, expected);
    let groups = lines(&out, "vault").into_iter().find(|(what, _, _)| what == "groups").unwrap();
    assert!(!groups.2 && groups.1.contains("our policy lacks: path \"identity/group/id\""), "{groups:?}");
    assert_eq!(out.status.code(), Some(3));
    let table = doctor(&demo, demo.vault_token(), &[]).await;
    let text = String::from_utf8(table.stdout).unwrap();
    assert!(text.contains("SEC-06 is only as far as seen") && text.contains("vault policy write partywall -"), "{text}");
    assert!(text.ends_with(&operator::policy(["kubernetes"])), "the policy comes last");
}

#[tokio::test]
async fn the_policy_alone_can_be_piped_even_by_who_may_see_nothing() {
    let demo = demo::start(DemoOptions::default()).await.unwrap();
    let out = doctor(&demo, demo.vault_token(), &["--vault-policy"]).await;
    assert_eq!(String::from_utf8(out.stdout).unwrap(), operator::policy(["kubernetes"]));
    assert_eq!(out.status.code(), Some(0));
    let stranger = doctor(&demo, "s.CANARY", &["--vault-policy"]).await;
    let text = String::from_utf8(stranger.stdout).unwrap();
    assert!(text.starts_with("# the auth mounts could not be read") && text.contains("path \"auth/kubernetes/role/*\""), "{text}");
    assert!(!text.contains("CANARY") && !String::from_utf8_lossy(&stranger.stderr).contains("CANARY"));
}
