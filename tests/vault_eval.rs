//! `partywall vault-eval` keeps its contract (`spec/vault.md` 4).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::format_collect,
    reason = "tests say what they expect by panicking"
)]

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

const ACME: &str =
    "# acme\n\npath \"secret/data/acme/*\" { capabilities = [\"read\"] }\npath \"secret/data/acme/locked\" { policy = \"deny\" }\n";

fn run(root: &Path, args: &[&str], input: &[u8]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_partywall"));
    command.arg("vault-eval").args(args).current_dir(root).env("HOME", root).env("KUBECONFIG", "/nonexistent");
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("PARTYWALL_") || name.starts_with("VAULT_")) {
        command.env_remove(name);
    }
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(root.path().join(name), text).unwrap();
    }
    root
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// One case over files: the exit code and the answer.
fn ask(files: &[(&str, &str)], args: &[&str]) -> (i32, Value) {
    let root = folder(files);
    let mut all: Vec<&str> = files.iter().flat_map(|(name, _)| ["--policy", *name]).collect();
    all.extend(args);
    all.extend(["--format", "json"]);
    let output = run(root.path(), &all, b"");
    let answer = text(&output.stdout);
    assert_eq!(answer.lines().count(), 1, "{answer}{}", text(&output.stderr));
    (output.status.code().unwrap(), serde_json::from_str(&answer).unwrap())
}

/// Cases in, answers out.
fn batch(cases: &[Value]) -> Vec<Value> {
    let input: String = cases.iter().map(|case| format!("{case}\n")).collect();
    let output = run(Path::new("/"), &["--cases", "-", "--format", "json"], input.as_bytes());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn allowed(policies: &[&str], operation: &str, path: &str, dialect: &str) -> bool {
    let answers = batch(&[json!({"policies": policies, "path": path, "operation": operation, "dialect": dialect})]);
    answers[0]["allowed"].as_bool().unwrap_or_else(|| panic!("{answers:?}"))
}

#[test]
fn the_answer_has_the_contract_s_shape() {
    let (code, answer) = ask(&[("acme.hcl", ACME)], &["--path", "secret/data/acme/db", "--operation", "read"]);
    let expected = json!({"allowed": true, "root_privs": false, "capabilities": ["read"], "granting": ["acme"], "rule": "secret/data/acme/*",
        "kind": "prefix"});
    assert_eq!((code, answer), (0, expected));
    let (code, answer) = ask(&[("acme.hcl", ACME)], &["--path", "secret/data/acme/locked", "--operation", "read"]);
    let expected = json!({"allowed": false, "root_privs": false, "capabilities": ["deny"], "granting": [], "rule": "secret/data/acme/locked",
        "kind": "exact"});
    assert_eq!((code, answer), (0, expected), "exit 0 for either verdict");
    let (code, answer) = ask(&[("acme.hcl", ACME)], &["--path", "sys/auth", "--operation", "read"]);
    let expected = json!({"allowed": false, "root_privs": false, "capabilities": ["deny"], "granting": [], "rule": null, "kind": null});
    assert_eq!((code, answer), (0, expected));
    let (code, answer) = ask(&[], &["--policy-name", "root", "--path", "x", "--operation", "delete"]);
    let expected = json!({"allowed": true, "root_privs": true, "capabilities": ["root"], "granting": ["root"], "rule": null, "kind": null});
    assert_eq!((code, answer), (0, expected));
}

#[test]
fn what_a_server_refuses_is_an_error() {
    let wrong = "\n\npath \"a\" { capabilites = [\"read\"] }";
    let asked = ["--path", "a", "--operation", "read"];
    assert_eq!(ask(&[("p.hcl", wrong)], &asked), (2, json!({"error": "line 3: invalid key \"capabilites\""})));
    let (code, answer) = ask(&[("good.hcl", ACME), ("p.hcl", wrong)], &asked);
    assert_eq!((code, answer), (2, json!({"error": "policy p: line 3: invalid key \"capabilites\""})));
    let (code, answer) = ask(&[("p.hcl", ACME)], &["--policy-name", "root", "--path", "a", "--operation", "read"]);
    assert_eq!((code, answer), (2, json!({"error": "other policies beside root"})));
    let scan = "path \"a\" { capabilities = [\"scan\", \"recover\"] }";
    assert_eq!(ask(&[("p.hcl", scan)], &asked).0, 0, "any takes the words of all servers");
    for dialect in ["vault-2.0", "openbao-2.6"] {
        assert_eq!(ask(&[("p.hcl", scan)], &["--path", "a", "--operation", "read", "--dialect", dialect]).0, 2, "{dialect}");
    }
    let root = folder(&[("p.hcl", wrong)]);
    let table = run(root.path(), &["--policy", "p.hcl", "--path", "a", "--operation", "read"], b"");
    assert_eq!((table.status.code(), text(&table.stdout)), (Some(2), String::new()));
    assert!(text(&table.stderr).contains("line 3: invalid key"), "{}", text(&table.stderr));
    for usage in
        [&["--path", "a", "--operation", "read"][..], &["--policy", "p.hcl", "--path", "a", "--operation", "fly"], &["--policy", "p.hcl"]]
    {
        assert_eq!(run(root.path(), usage, b"").status.code(), Some(2), "{usage:?}");
    }
    assert_eq!(run(root.path(), &["--policy", "none.hcl", "--path", "a", "--operation", "read"], b"").status.code(), Some(2));
}

#[test]
fn a_file_called_root_is_not_the_root_policy() {
    let (code, answer) = ask(&[("root.hcl", ACME)], &["--path", "sys/raw", "--operation", "read"]);
    assert_eq!((code, &answer["allowed"]), (0, &json!(false)), "{answer}");
}

#[test]
fn parameters_and_wrapping_count() {
    let policy = "path \"a\" { capabilities = [\"read\"] allowed_parameters = { version = [1, \"2\"] } max_wrapping_ttl = \"60s\" }";
    let read = |more: &[&str]| {
        let mut args = vec!["--path", "a", "--operation", "read"];
        args.extend(more);
        ask(&[("p.hcl", policy)], &args).1["allowed"].clone()
    };
    assert_eq!(read(&[]), json!(false), "not wrapped at all");
    assert_eq!(read(&["--wrap-ttl", "60"]), json!(true));
    assert_eq!(read(&["--wrap-ttl", "61"]), json!(false));
    assert_eq!(read(&["--wrap-ttl", "60", "--data", "{\"version\": \"2\"}"]), json!(true));
    assert_eq!(read(&["--wrap-ttl", "60", "--data", "{\"version\": \"3\"}"]), json!(false));
    assert_eq!(read(&["--wrap-ttl", "60", "--data", "{\"other\": 1}"]), json!(false));
}

#[test]
fn a_deny_met_before_a_grant_of_the_same_path_decides() {
    let (deny, grant) = ("path \"a/*\" { capabilities = [\"deny\"] }", "path \"a/*\" { capabilities = [\"read\"] }");
    for policies in [&[deny, grant][..], &[grant, deny], &[&format!("{deny}\n{grant}")], &[&format!("{grant}\n{deny}")]] {
        for dialect in ["any", "vault-1.13", "vault-1.21", "vault-2.0", "openbao-2.5", "openbao-2.6"] {
            assert!(!allowed(policies, "read", "a/x", dialect), "{policies:?} {dialect}");
        }
    }
}

#[test]
fn a_deny_listed_beside_other_capabilities_leaves_none() {
    for words in ["\"deny\", \"read\"", "\"read\", \"deny\"", "\"read\", \"deny\", \"sudo\""] {
        let policy = format!("path \"a\" {{ capabilities = [{words}] }}");
        let answers = batch(&[json!({"policies": [policy], "path": "a", "operation": "read"})]);
        let expected =
            json!({"allowed": false, "root_privs": false, "capabilities": ["deny"], "granting": [], "rule": "a", "kind": "exact"});
        assert_eq!(answers, [expected], "{words}");
    }
}

#[test]
fn a_list_finds_an_exact_rule_without_its_slash() {
    let bare = "path \"kv/metadata/a\" { capabilities = [\"list\"] }";
    let slash = "path \"kv/metadata/a/\" { capabilities = [\"list\"] }";
    for dialect in ["any", "vault-1.13", "vault-1.15", "vault-1.21", "vault-2.0", "openbao-2.5", "openbao-2.6"] {
        for path in ["kv/metadata/a", "kv/metadata/a/"] {
            assert!(allowed(&[bare], "list", path, dialect), "{path} {dialect}");
            assert!(allowed(&[slash], "list", path, dialect), "{path} {dialect}");
        }
        let denied = "path \"kv/metadata/a/\" { capabilities = [\"deny\"] }";
        assert!(!allowed(&[bare, denied], "list", "kv/metadata/a", dialect), "the form with the slash comes first: {dialect}");
        assert!(!allowed(&[slash], "read", "kv/metadata/a", dialect), "{dialect}");
    }
}

#[test]
fn the_published_bypass_shows_in_its_dialects_only() {
    let policy = "path \"kv/metadata/*\" { capabilities = [\"list\"] }\npath \"kv/metadata/private/*\" { capabilities = [\"deny\"] }";
    let open: Vec<&str> = ["vault-1.13", "vault-1.15", "vault-1.21", "vault-2.0", "openbao-2.5", "openbao-2.6"]
        .into_iter()
        .filter(|dialect| allowed(&[policy], "list", "kv/metadata/private", dialect))
        .collect();
    assert_eq!(open, ["vault-1.15", "vault-1.21", "openbao-2.5"]);
}

#[test]
fn cases_are_answered_in_order_and_errors_are_answers() {
    let good = json!({"policies": [ACME], "path": "secret/data/acme/db", "operation": "read", "wrap_ttl": 5, "data": {"version": "3"}});
    let input = format!(
        "{good}\nnot json\n\n{}\n{}\n{}\n{}\n{}",
        json!({"policies": ["path {"], "path": "a", "operation": "read"}),
        json!({"policies": ["<root>"], "path": "a", "operation": "sudo"}),
        json!({"policies": ["<root>"], "path": "a", "operation": "delete"}),
        json!({"policies": ["<root>", ACME], "path": "a", "operation": "read"}),
        json!({"policies": [], "path": "a", "operation": "help", "dialect": "vault-9"}),
    );
    let output = run(Path::new("/"), &["--cases", "-", "--format", "json"], input.as_bytes());
    assert_eq!(output.status.code(), Some(0));
    let answers: Vec<Value> = text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let errors: Vec<bool> = answers.iter().map(|answer| answer.get("error").is_some()).collect();
    assert_eq!(errors, [false, true, true, true, false, true, true], "{answers:#?}");
    assert_eq!(answers[0]["granting"], json!(["policy-1"]));
    assert_eq!(answers[4]["capabilities"], json!(["root"]));
    let table = run(Path::new("/"), &["--cases", "-"], input.as_bytes());
    let lines = text(&table.stdout);
    let begins: Vec<&str> = lines.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(begins, ["ALLOWED", "ERROR", "ERROR", "ERROR", "ALLOWED", "ERROR", "ERROR"], "{lines}");
    assert!(lines.starts_with("ALLOWED  read secret/data/acme/db: secret/data/acme/* (prefix: read) from policy-1 line 3\n"), "{lines}");
}

#[test]
fn who_asks_one_by_one_gets_the_answer_before_the_next_question() {
    use std::io::{BufRead as _, BufReader};
    let mut child = Command::new(env!("CARGO_BIN_EXE_partywall"))
        .args(["vault-eval", "--cases", "-", "--format", "json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut answers = BufReader::new(child.stdout.take().unwrap()).lines();
    for _ in 0..3 {
        writeln!(stdin, "{}", json!({"policies": [ACME], "path": "x", "operation": "read"})).unwrap();
        assert!(answers.next().unwrap().unwrap().contains("\"allowed\":false"));
    }
    drop(stdin);
    assert!(answers.next().is_none());
    assert!(child.wait().unwrap().success());
}

#[test]
fn the_table_says_which_rule_of_which_policy_wins() {
    let root = folder(&[
        ("acme.hcl", ACME),
        (
            "more.hcl",
            "path \"secret/data/acme/*\" { capabilities = [\"sudo\"] pagination_limit = 5 }\npath \"{{identity.entity.id}}/x\" { policy = \"deny\" }",
        ),
    ]);
    let args = ["--policy", "acme.hcl", "--policy", "more.hcl", "--path", "secret/data/acme/db", "--operation", "read"];
    let output = run(root.path(), &args, b"");
    let table = text(&output.stdout);
    let expected = "ALLOWED  read secret/data/acme/db by the rules of any
rule          secret/data/acme/* (prefix: read, sudo, under conditions)
  from        acme line 3: read
  from        more line 1: sudo
sudo          yes
capabilities  read, sudo
";
    assert!(table.starts_with(expected), "{table}");
    assert!(table.contains("left out      more line 2, {{identity.entity.id}}/x: "), "{table}");
    let output = run(root.path(), &["--policy", "acme.hcl", "--path", "a\u{1b}[31m", "--operation", "read"], b"");
    assert!(!text(&output.stdout).contains('\u{1b}'));
    assert!(text(&output.stdout).starts_with("DENIED   read a"), "{}", text(&output.stdout));
}

#[test]
fn hostile_input_is_answered() {
    let deep = format!("path \"a\" {{ comment = {}", "[".repeat(100_000));
    let large = format!("# {}\npath \"a\" {{ policy = \"read\" }}", "x".repeat(900_000));
    let larger = " ".repeat(1 << 20) + ACME;
    let escape = "path \"a\u{1b}[2J\\x1b[31m\" { bogus\u{1b} = 1 }";
    let answers = batch(&[
        json!({"policies": [deep], "path": "a", "operation": "read"}),
        json!({"policies": [large], "path": "a", "operation": "read"}),
        json!({"policies": [larger], "path": "a", "operation": "read"}),
        json!({"policies": [escape], "path": "a", "operation": "read"}),
        json!({"policies": vec!["path \"a\" { policy = \"read\" }"; 2000], "path": "a", "operation": "list"}),
    ]);
    assert!(answers[0]["error"].as_str().unwrap().contains("nested more than 64 deep"));
    assert_eq!(answers[1]["allowed"], json!(true));
    assert_eq!(answers[2], json!({"error": "larger than 1 MiB, which partywall does not read"}));
    assert!(!answers[3]["error"].as_str().unwrap().contains('\u{1b}'), "{}", answers[3]);
    assert_eq!(answers[4]["granting"].as_array().unwrap().len(), 2000);
    let output = run(Path::new("/"), &["--cases", "-", "--format", "json"], b"\xff\xfe\n{\"policies\": [\"\xff\"]}\n{}\n");
    assert_eq!((output.status.code(), text(&output.stdout).lines().count()), (Some(0), 3));
}
