//! The commands as scripts meet them: exit codes, messages, and that bad input loses nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests say what they expect by panicking")]

use std::process::{Command, Output};

fn run(args: &[&str], env: &[(&str, &str)]) -> (Output, tempfile::TempDir) {
    let state = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_partywall"));
    command.args(args).env("PARTYWALL_STATE_DIR", state.path());
    for name in ["KUBECONFIG", "VAULT_ADDR", "VAULT_TOKEN"] {
        command.env_remove(name);
    }
    command.env("KUBECONFIG", "/nonexistent/kubeconfig").env("HOME", state.path()).envs(env.iter().copied());
    (command.output().unwrap(), state)
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn an_unknown_command_is_usage() {
    assert_eq!(run(&["frobnicate"], &[]).0.status.code(), Some(2));
}

#[test]
fn a_missing_kubeconfig_is_could_not_look_and_names_the_file() {
    let (out, _state) = run(&["status", "--timeout", "3"], &[]);
    assert_eq!(out.status.code(), Some(3), "{}", err(&out));
    assert!(err(&out).contains("/nonexistent/kubeconfig"), "{}", err(&out));
}

#[test]
fn a_vault_address_with_a_path_is_refused_with_the_reason() {
    let (out, _state) = run(&["status"], &[("VAULT_ADDR", "https://vault.example/vault")]);
    assert_eq!(out.status.code(), Some(3));
    assert!(err(&out).contains("path"), "{}", err(&out));
}

#[test]
fn a_token_with_a_line_break_is_refused_without_being_shown() {
    let (out, _state) = run(&["status"], &[("VAULT_ADDR", "http://127.0.0.1:1"), ("VAULT_TOKEN", "hvs.first\nhvs.second")]);
    assert_eq!(out.status.code(), Some(3));
    assert!(err(&out).contains("line break") && !err(&out).contains("hvs."), "{}", err(&out));
}

#[test]
fn without_a_terminal_the_dashboard_says_what_to_use_instead() {
    let (out, _state) = run(&[], &[]);
    assert_eq!(out.status.code(), Some(2));
    assert!(err(&out).contains("status"), "{}", err(&out));
}

#[test]
fn observe_chosen_forbids_probes() {
    let (out, _state) = run(&["--mode", "observe", "probe"], &[]);
    assert_eq!(out.status.code(), Some(2));
    assert!(err(&out).contains("observe"), "{}", err(&out));
}

#[test]
fn applying_a_fix_needs_fix_mode() {
    let (out, _state) = run(&["fix", "NET-01", "--tenant", "acme", "--apply"], &[]);
    assert_eq!(out.status.code(), Some(2));
    assert!(err(&out).contains("--mode fix"), "{}", err(&out));
}

#[test]
fn an_empty_ledger_lists_nothing_and_verifies() {
    assert_eq!(run(&["receipts", "list"], &[]).0.status.code(), Some(0));
    assert_eq!(run(&["receipts", "verify"], &[]).0.status.code(), Some(0));
}

#[test]
fn a_wrong_configuration_file_is_usage_and_says_where() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.toml");
    std::fs::write(&path, "mode = 'write'\n").unwrap();
    let (out, _state) = run(&["status"], &[("PARTYWALL_CONFIG", path.to_str().unwrap())]);
    assert_eq!(out.status.code(), Some(2));
    assert!(err(&out).contains("c.toml") && err(&out).contains("mode"), "{}", err(&out));
}

#[test]
fn manifests_that_are_not_there_are_could_not_look() {
    for command in ["reach", "check"] {
        let (out, _state) = run(&[command, "-f", "/nonexistent/manifests"], &[]);
        assert_eq!(out.status.code(), Some(3), "{}", err(&out));
        assert!(err(&out).contains("/nonexistent/manifests") && out.stdout.is_empty(), "{}", err(&out));
    }
}

#[test]
fn help_says_the_exit_codes_of_reading_manifests() {
    for (command, said) in [("reach", "nothing could be read"), ("check", "a document could not be read")] {
        let (out, _state) = run(&[command, "--help"], &[]);
        let help = String::from_utf8_lossy(&out.stdout).split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(help.contains("Exit codes") && help.contains(said) && help.contains("--file"), "{help}");
    }
}

#[test]
fn completions_and_the_manual_page_are_printed() {
    let (out, _state) = run(&["completions", "bash"], &[]);
    let script = String::from_utf8_lossy(&out.stdout).into_owned();
    assert!(script.contains("partywall") && script.contains("np-guard") && script.contains("sarif"));
    let (out, _state) = run(&["man"], &[]);
    assert!(String::from_utf8_lossy(&out.stdout).contains(".TH"));
}
