//! `partywall reach` and `check` over manifests, as scripts and other tools meet them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests say what they expect by panicking"
)]

#[path = "reach/check.rs"]
mod check;
#[path = "reach/contract.rs"]
mod contract;
#[path = "reach/explain.rs"]
mod explain;
#[path = "reach/malformed.rs"]
mod malformed;

use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = root.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    root
}

/// Runs the program there, with nothing of this machine's settings.
fn partywall(root: &Path, args: &[&str]) -> Output {
    let state = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_partywall"));
    command.args(args).current_dir(root).stdin(Stdio::null());
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("PARTYWALL_") || name.starts_with("VAULT_")) {
        command.env_remove(name);
    }
    command.env("HOME", state.path()).env("XDG_CONFIG_HOME", state.path()).env("PARTYWALL_STATE_DIR", state.path());
    command.env("KUBECONFIG", "/nonexistent/kubeconfig");
    command.output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The report over a folder.
fn reach(root: &Path, args: &[&str]) -> Value {
    let mut all = vec!["reach", "-f", ".", "--format", "json"];
    all.extend(args);
    let output = partywall(root, &all);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// `src -> dst ports` of every connection that these words are in.
fn lines(report: &Value, words: &[&str]) -> Vec<String> {
    let one = |c: &Value| format!("{} -> {} {}", peer(&c["src"]), peer(&c["dst"]), c["ports"]);
    let all = report["connections"].as_array().unwrap().iter().map(one);
    all.filter(|line| words.iter().all(|word| line.contains(word))).collect()
}

fn peer(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value["ips"].as_array().unwrap().iter().map(|ip| ip.as_str().unwrap()).collect::<Vec<_>>().join(","), str::to_owned)
}

/// A pod.
fn pod(namespace: &str, name: &str, app: &str, ip: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, namespace: {namespace}, labels: {{app: {app}}}}}\nspec:\n  containers:\n  - {{name: c, ports: [{{name: http, containerPort: 8080}}]}}\nstatus: {{phase: Running, podIP: {ip}}}\n---\n"
    )
}

/// A policy with this `spec` in flow style.
fn policy(namespace: &str, name: &str, spec: &str) -> String {
    format!(
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: {name}, namespace: {namespace}}}\nspec: {spec}\n---\n"
    )
}
