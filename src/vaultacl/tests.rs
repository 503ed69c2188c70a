use super::capability::Capability;
use super::dialect::{DIALECTS, Dialect};
use super::policy::Limits;
use super::*;
use proptest::prelude::*;
use serde_json::json;

const BAO: Dialect = Dialect::OpenBao26;

fn rules(text: &str) -> Vec<(String, String)> {
    rules_in(text, Dialect::Any)
}

fn rules_in(text: &str, dialect: Dialect) -> Vec<(String, String)> {
    let policy = read(text, dialect).unwrap_or_else(|why| panic!("{text}: {why}"));
    let words = |capabilities: capability::Capabilities| capabilities.iter().map(Capability::word).collect::<Vec<_>>().join(" ");
    policy.rules.into_iter().map(|rule| (rule.pattern, words(rule.capabilities))).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(pattern, words)| ((*pattern).to_owned(), (*words).to_owned())).collect()
}

fn one(body: &str, dialect: Dialect) -> policy::Rule {
    let text = format!("path \"a\" {{ {body} }}");
    read(&text, dialect).unwrap_or_else(|why| panic!("{text}: {why}")).rules.remove(0)
}

fn limits(body: &str) -> Limits {
    *one(&format!("capabilities = [\"read\", \"list\"] {body}"), Dialect::Any).limits.unwrap_or_default()
}

#[test]
fn the_forms_of_hcl_1() {
    let text = r#"
# Vault policy: tenant-acme can read its own secrets, nothing else.
path "secret/data/web-tenant-acme"     { capabilities = ["read"] }
path "/secret/metadata/web-tenant-acme" { capabilities = ["read", "list",] } // trailing comma, leading slash
/* a block
   comment */ path "a\x2fb" { policy = "read" capabilities = ["update"] } path "c" { "capabilities" = [ "deny", "read" ] }
name = "x"
"path" d
{
  capabilities
    = ["read"],
  allowed_parameters = { "version" = [] "*" = ["a", 1, true] }
  control_group = { factor "f" { identity { group_names = ["m"] approvals = 1 } } }
},
path "${x}%{y}" { } path { capabilities = ["list"] } path "e" "second label" { policy = "sudo" }
path = { policy = "write" }
path "//f" { capabilities = [,, "read",, ] } path "/{{x}}" { }"#;
    assert_eq!(
        rules(text),
        pairs(&[
            ("secret/data/web-tenant-acme", "read"),
            ("secret/metadata/web-tenant-acme", "read list"),
            ("a/b", "read update list"),
            ("c", "deny"),
            ("d", "read"),
            ("${x}%{y}", ""),
            ("path", "list"),
            ("e", "create read update delete list sudo"),
            ("path", "create read update delete list"),
            ("/f", "read"),
            ("/{{x}}", ""),
        ])
    );
    let lines: Vec<u32> = read(text, Dialect::Any).unwrap().rules.iter().map(|rule| rule.line).collect();
    assert_eq!(lines, [3, 4, 6, 6, 8, 15, 15, 15, 16, 17, 17]);
    assert_eq!(rules(""), []);
    assert_eq!(rules("path \"a\" { }\r\n# \r\npath \"b\" {\r\n}"), pairs(&[("a", ""), ("b", "")]));
    assert_eq!(rules("name = "), [], "the server drops an attribute that ends with the text");
}

#[test]
fn json_as_the_servers_read_it() {
    let repeated =
        r#" {"path": {"a/*": {"capabilities": ["read"]}, "/a/*": {"capabilities": ["deny"]}}, "path": {"b": {"policy": "read"}}}"#;
    assert_eq!(rules(repeated), pairs(&[("a/*", "read"), ("a/*", "deny"), ("b", "read list")]));
    let lists = r#"{"path": [{"a": {"capabilities": ["read"]}}, {"b": {"policy": "deny"}}]}"#;
    assert_eq!(rules(lists), pairs(&[("a", "read"), ("b", "deny")]));
    assert!(read(r#"{"path": {"b": [{"policy": "deny"}]}}"#, Dialect::Any).is_err(), "a list is no block");
    assert_eq!(rules(r#"{"path": {}}"#), pairs(&[("path", "")]));
    let twice = r#"{"path": {"a": {"capabilities": ["read"], "capabilities": ["list"]}}}"#;
    assert_eq!(rules_in(twice, Dialect::Vault121), pairs(&[("a", "read list")]), "what is given twice is only refused in HCL");
    // a block of nothing but objects is taken for patterns: the parameters are gone
    assert_eq!(rules(r#"{"path": {"a": {"allowed_parameters": {"x": {}}}}}"#), pairs(&[("a", "")]));
    for lax in [
        r#"{"path": {"a": {"capabilities": ["read"]}}} and more"#,
        r#"{"path": {"a": {"capabilities": ["read"]}"#,
        r#"{"path": {"a": {"capabilities": ["read",], "policy" }, }, }"#,
        r#"{"path": {"a": {"capabilities": [["read", true]]}}}"#,
        "{\"path\": {\"a\": {\"capabilities\": [\"re\\u0061d\"]}}}",
    ] {
        assert_eq!(rules(lax), pairs(&[("a", "read")]), "{lax}");
    }
    let lines: Vec<u32> =
        read("{\"path\":\n{\"a\": {\"policy\": \"read\"},\n\n\"b\": {}}}", BAO).unwrap().rules.iter().map(|rule| rule.line).collect();
    assert_eq!(lines, [1, 1], "the line of the key `path`");
}

#[test]
fn what_is_refused_and_on_which_line() {
    let deep = format!("path \"a\" {{ comment = {}1", "[".repeat(100_000));
    let deeper = "a {".repeat(100_000);
    let json = "{\"a\":".repeat(100_000);
    for (text, line, what) in [
        ("\n\npath \"a\" { capabilites = [\"read\"] }", 3, "invalid key \"capabilites\""),
        ("path \"a\" {\n\n capabilities = [\"root\"] }", 3, "invalid capability \"root\""),
        ("path \"a\" { capabilities = [\"Read\"] }", 1, "invalid capability"),
        ("path \"a\" { capabilities = <<EOF\n", 1, "heredoc not terminated"),
        ("path \"a${x\" { }\npath \"b\" { }", 1, "not terminated"),
        ("\npath \"a+*\" { }", 2, "+*"),
        ("path \"a/{{x\" { }", 1, "unbalanced"),
        ("path \"a/}}x{{\" { }", 1, "unbalanced"),
        ("path \"a\" { policy = read }", 1, "expected a value, got a word"),
        ("path \"a\" { policy = \"admin\" }", 1, "invalid policy \"admin\""),
        ("path \"a\" { policy = true }", 1, "policy: expected a text"),
        ("path \"a\" { capabilities = [\"read\" \"list\"] }", 1, "comma"),
        ("path \"a\" { capabilities = \"read\" }", 1, "capabilities: expected a list"),
        ("path \"a\" { capabilities = [\n1.5] }", 1, "capabilities: expected a text"),
        ("path \"a\" {", 1, "not closed"),
        ("path \"a\" { capabilities = ", 1, "not closed"),
        ("path \"a\"", 1, "expected start of object"),
        ("path \"a\" = { }", 1, "several keys"),
        ("path = \"a\"", 1, "in braces"),
        ("path \"a\" { expiration = \"soon\" }", 1, "expiration"),
        ("path \"a\" { min_wrapping_ttl = \"soon\" }", 1, "min_wrapping_ttl"),
        ("path \"a\" { min_wrapping_ttl = 10\nmax_wrapping_ttl = \"5s\" }", 2, "cannot be less"),
        ("path \"a\" { list_scan_response_keys_filter_path = \"{{ .path }}{{ .key }}\" }", 1, "list capability"),
        ("path \"a\" { allowed_parameters = { a = 1 } }", 1, "allowed_parameters: expected a list"),
        ("path \"\\400\" { }", 1, "can't be read"),
        ("path \"\\q\" { }", 1, "escape"),
        ("path \"a\" { x = 018 }", 1, "octal"),
        ("path \"a\" { x = 0x }", 1, "hexadecimal"),
        ("server \"a\" { }", 1, "invalid key \"server\""),
        ("Path \"a\" { }", 1, "invalid key \"Path\""),
        ("\u{feff}path \"a\" { }", 1, "illegal character"),
        ("path \"a\u{0}\" { }", 1, "illegal character"),
        ("path \"a\" { } \n ; ", 2, "illegal character"),
        ("\n/* ", 2, "comment not terminated"),
        ("{\"path\": {\"a\": {\"capabilities\": \"read\"}}}", 1, "expected a list"),
        ("{\n\"paths\": {}}", 2, "invalid key \"paths\""),
        ("{\"path\": {\"a\\/b\": {}}}", 1, "escape"),
        ("{\"path\": {\"a\": {}, \"b\": 1}}", 1, "invalid key"),
        (&deep, 1, "nested more than 64 deep"),
        (&deeper, 1, "nested more than 64 deep"),
        (&json, 1, "nested more than 64 deep"),
    ] {
        let shown: String = text.chars().take(60).collect();
        let error = read(text, Dialect::Any).expect_err(&shown);
        assert_eq!(error.line, line, "{shown}: {error}");
        assert!(error.what.contains(what), "{shown}: {error}");
    }
    assert_eq!(read("\n\npath \"a\" { capabilites = [] }", BAO).unwrap_err().to_string(), "line 3: invalid key \"capabilites\"");
}

#[test]
fn a_large_policy_is_read_and_a_larger_one_refused() {
    let block = "path \"secret/data/{{identity.entity.id}}/x\" { capabilities = [\"read\"] } # why\n";
    let mut text = block.repeat((1 << 20) / block.len());
    text.push_str(&" ".repeat((1 << 20) - text.len()));
    assert_eq!(read(&text, BAO).unwrap().rules.len(), (1 << 20) / block.len());
    text.push(' ');
    assert_eq!(read(&text, BAO).unwrap_err().line, 0);
    for (unit, around) in [("a \"b\" { } ", "c"), ("c = [1] ", "c"), ("[],", "l"), ("comment = 1 ", "b"), ("<<A\n", "b"), ("${", "s")] {
        let inner = unit.repeat(100_000.min(900_000 / unit.len()));
        let text = match around {
            "c" => format!("path \"a\" {{ allowed_parameters = {{ {inner} }} }}"),
            "l" => format!("path \"a\" {{ comment = [{inner}] }}"),
            "s" => format!("path \"{inner}"),
            _ => format!("path \"a\" {{ {inner} }}"),
        };
        // however it ends, it ends soon
        drop(read(&text, BAO));
    }
}

#[test]
fn words_and_keys_by_dialect() {
    for (body, known) in [
        ("capabilities = [\"scan\"]", "any openbao-2.5 openbao-2.6"),
        ("capabilities = [\"subscribe\"]", "any vault-1.15 vault-1.21 vault-2.0"),
        ("capabilities = [\"recover\"]", "any vault-1.21 vault-2.0"),
        ("capabilities = [\"patch\", \"deny\", \"bogus\"]", "any vault-1.13 vault-1.15 vault-1.21 vault-2.0 openbao-2.5 openbao-2.6"),
        ("capabilities = [\"bogus\", \"deny\"]", ""),
        ("subscribe_event_types = [\"*\"]", "any vault-1.15 vault-1.21 vault-2.0"),
        ("pagination_limit = 5", "any openbao-2.5 openbao-2.6"),
        ("expiration = \"2030-01-01T00:00:00Z\"", "any openbao-2.5 openbao-2.6"),
        ("policy = \"read\" policy = \"deny\"", "any vault-1.13 vault-1.15 openbao-2.5 openbao-2.6"),
        ("policy = \"read\" \"policy\" = \"deny\"", "any vault-1.13 vault-1.15 vault-1.21 vault-2.0 openbao-2.5 openbao-2.6"),
        ("comment = { a = 1 a = 2 }", "any vault-1.13 vault-1.15 openbao-2.5 openbao-2.6"),
        ("control_group = { }", ""),
        (
            "control_group = { factor \"f\" { identity { group_ids = [\"m\"] approvals = 1 } } }",
            "any vault-1.13 vault-1.15 vault-1.21 vault-2.0",
        ),
        (
            "control_group { factor \"f\" { controlled_capabilities = [\"read\"] identity { group_names = [\"m\"] approvals = 1 } } }",
            "any openbao-2.5 openbao-2.6",
        ),
        ("policy = \"deny\" control_group = { }", "any vault-1.13 vault-1.15 vault-1.21 vault-2.0"),
    ] {
        let text = format!("path \"a\" {{ {body} }}");
        let found: Vec<&str> = DIALECTS.into_iter().filter(|dialect| read(&text, *dialect).is_ok()).map(Dialect::word).collect();
        assert_eq!(found.join(" "), known, "{body}");
    }
}

#[test]
fn limits_are_read_with_their_kinds() {
    let found = limits(
        r#"allowed_parameters = { "Version" = [] , "*" = ["a", 1, 1.5, true, [2], { k = "v" }] }
        denied_parameters = { x = [0x10] } required_parameters = ["A"] mfa_methods = ["m"]
        min_wrapping_ttl = "1500ms" max_wrapping_ttl = "1h30m" pagination_limit = 010
        list_scan_response_keys_filter_path = "{{ .path }}{{ .key }}" control_group = { ttl = 5 factor "f" { identity { group_ids = ["m"] approvals = 1 } } }"#,
    );
    let allowed = found.allowed.unwrap();
    assert_eq!(allowed["version"], Vec::<serde_json::Value>::new());
    assert_eq!(json!(allowed["*"]), json!(["a", 1, 1.5, true, [2], {"k": "v"}]));
    assert_eq!(json!(found.denied), json!({"x": [16]}));
    assert_eq!((found.required, found.mfa), (vec!["A".to_owned()], vec!["m".to_owned()]));
    assert_eq!((found.min_wrap, found.max_wrap, found.pagination, found.control_group), (2, 5400, 8, true));
    assert_eq!(found.keys_filter.as_deref(), Some("{{ .path }}{{ .key }}"));
    // joined and overwritten
    let twice =
        limits("allowed_parameters = { a = [1] } allowed_parameters = { a = [2] b = [] } max_wrapping_ttl = 5 max_wrapping_ttl = \"7\"");
    assert_eq!((json!(twice.allowed), twice.max_wrap), (json!({"a": [1, 2], "b": []}), 7));
    assert!(read("path \"a\" { max_wrapping_ttl = 5 max_wrapping_ttl = \"7s\" }", BAO).is_err(), "the first was a number");
    assert_eq!(limits("allowed_parameters = { }"), Limits::default());
    assert_eq!(limits("min_wrapping_ttl = \"-5s\""), Limits::default());
    assert_eq!(limits("max_wrapping_ttl = \"10ms\"").max_wrap, 1);
    assert_eq!(one("policy = \"deny\" allowed_parameters = { a = [] } max_wrapping_ttl = \"x\"", BAO).limits, None, "not even read");
    for (text, expected) in [("2d", 172_800), ("1.5h", 5400), (".5m", 30), ("0", 0), ("+3s", 3), ("1us1s", 1), ("", 0)] {
        assert_eq!(limits(&format!("max_wrapping_ttl = \"{text}\"")).max_wrap, expected, "{text}");
    }
    for wrong in ["1", "1x", "s", ".s", "1s1", "300000000d", "9223372036854775807h"].into_iter().skip(1) {
        assert!(read(&format!("path \"a\" {{ max_wrapping_ttl = \"{wrong}\" }}"), BAO).is_err(), "{wrong}");
    }
}

#[test]
fn expirations_are_points_in_time() {
    let at = |text: &str| {
        read(&format!("path \"a\" {{ expiration = {text} }}"), BAO).ok().map(|policy| policy.rules[0].expires.map(|time| time.0))
    };
    assert_eq!(at("\"1970-01-02T00:00:00Z\""), Some(Some(86_400_000)));
    assert_eq!(at("\"2026-11-21T18:00:00.25+01:00\""), Some(Some(1_795_280_400_250)));
    assert_eq!(at("\"2024-02-29T1:00:00,5Z\""), Some(Some(1_709_168_400_500)));
    assert_eq!(at("\"1969-12-31T23:59:59Z\""), Some(Some(-1000)));
    assert_eq!(at("1700000000"), Some(Some(1_700_000_000_000)));
    assert_eq!(at("\"\""), Some(None));
    for wrong in ["\"2023-02-29T00:00:00Z\"", "\"2026-11-21\"", "\"2026-11-21t00:00:00z\"", "\"24h\"", "1.5", "true"] {
        assert_eq!(at(wrong), None, "{wrong}");
    }
}

#[test]
fn texts_and_heredocs() {
    let text = "path <<A\nb\nA\n { }";
    assert!(read(text, BAO).is_err(), "a heredoc is no label");
    let pattern = |literal: &str| read(&format!("path {literal} {{ }}"), BAO).ok().map(|policy| policy.rules[0].pattern.clone());
    assert_eq!(pattern(r#""a\057\x62\u00e9\U0001F600\\\"""#).as_deref(), Some("a/bé😀\\\""));
    assert_eq!(pattern("\"${\"\n\\x41\"}\"").as_deref(), Some("${\"\n\\x41\"}"), "nothing is an escape inside of ${{ }}");
    assert_eq!(pattern("a.b-c_é1").as_deref(), Some("a.b-c_é1"));
    assert_eq!(pattern("\"\\xc3\\xa9\\xff\"").as_deref(), Some("é\u{fffd}"));
    let policy = |literal: &str| read(&format!("path \"a\" {{ policy = {literal} }}"), BAO).map_err(|why| why.what);
    let refused = |literal: &str| policy(literal).unwrap_err();
    assert!(policy("<<-X\n   X\n").is_ok(), "empty");
    assert!(refused("<<X\nread\nX\n").contains("invalid policy \"read\\n\""));
    assert!(refused("<<X\nread\n  X\n").contains("\"read\\n  \""), "cut by length");
    assert!(refused("<<-X\n  a\n   b\n  X\n").contains("\"a\\n b\\n\""));
    assert!(refused("<<-X\n a\n  X\n").contains("\" a\\n\""));
    assert!(refused("<<-X\na\nX\n").contains("not terminated"), "the dash counts in the length");
    assert!(refused("<< X\na\n").contains("anchor"));
}

/// Pieces that policies are made of, whole and broken.
const PIECES: [&str; 48] = [
    "path",
    "name",
    "\"a/b\"",
    "\"secret/data/{{identity.entity.id}}/*\"",
    "\"+/x\"",
    "\"\\x2f\\057\"",
    "\"${a}\"",
    "{",
    "}",
    "[",
    "]",
    "=",
    ",",
    "capabilities",
    "policy",
    "comment",
    "\"read\"",
    "\"deny\"",
    "\"write\"",
    "allowed_parameters",
    "min_wrapping_ttl",
    "expiration",
    "control_group",
    "factor",
    "identity",
    "approvals",
    "group_ids",
    "1",
    "0x1f",
    "017",
    "1e5",
    "1.5",
    "-3",
    "true",
    "<<E\nx\nE\n",
    "<<-E\n x\n E\n",
    "# c\n",
    "// c\n",
    "/* c */",
    "\n",
    "\r\n",
    "\"",
    "\\",
    ":",
    "\"path\":",
    "null",
    "é",
    "\u{feff}",
];

fn near() -> impl Strategy<Value = String> {
    prop::collection::vec((prop::sample::select(&PIECES[..]), any::<bool>()), 0..40)
        .prop_map(|pieces| pieces.into_iter().flat_map(|(piece, apart)| [piece, if apart { " " } else { "" }]).collect())
}

fn sound(text: &str) -> Result<(), TestCaseError> {
    let lines = u32::try_from(text.matches('\n').count()).unwrap() + 1;
    for dialect in DIALECTS {
        match read(text, dialect) {
            Ok(policy) => {
                for rule in policy.rules {
                    prop_assert!((1..=lines).contains(&rule.line), "line {} of {lines}", rule.line);
                    prop_assert!(!rule.capabilities.has(Capability::Deny) || rule.capabilities.iter().count() == 1);
                    prop_assert!(!rule.pattern.contains("+*"));
                }
            }
            Err(why) => {
                prop_assert!(why.line <= lines, "{why}");
                prop_assert!(!why.what.chars().any(char::is_control), "{why}");
            }
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn no_text_breaks_the_reader(text in "\\PC*") {
        sound(&text)?;
    }

    #[test]
    fn no_bytes_break_the_reader(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        sound(&String::from_utf8_lossy(&bytes))?;
    }

    #[test]
    fn no_near_policy_breaks_the_reader(text in near()) {
        sound(&text)?;
        sound(&format!("path \"a\" {{ {text} }}"))?;
        sound(&format!("{{\"path\": {{\"a\": {{ {text} }} }} }}"))?;
    }

    #[test]
    fn what_any_dialect_reads_any_reads_alike(text in near()) {
        let text = format!("path \"a\" {{ {text} }}");
        for dialect in [Dialect::Vault113, Dialect::OpenBao26] {
            if let Ok(policy) = read(&text, dialect)
                && !text.contains("control_group")
            {
                prop_assert_eq!(Ok(policy), read(&text, Dialect::Any));
            }
        }
    }

    #[test]
    fn a_comment_changes_nothing(text in near(), comment in "[ a-z]{0,5}") {
        let dialect = Dialect::OpenBao26;
        if let Ok(policy) = read(&text, dialect) {
            let lines: usize = 1;
            let with = read(&format!("#{comment}\n{text}"), dialect);
            let moved = policy.rules.iter().map(|rule| rule.line as usize + lines).collect::<Vec<_>>();
            if !text.trim_start().starts_with('{') {
                prop_assert_eq!(with.unwrap().rules.iter().map(|rule| rule.line as usize).collect::<Vec<_>>(), moved);
            }
        }
    }
}

#[test]
fn bounds_of_our_own_are_no_refusal_of_the_server() {
    let large = format!("# {}", "x".repeat(1 << 20));
    let deep = format!("path \"a\" {{ comment = {}1{} }}", "[".repeat(100), "]".repeat(100));
    for text in [large.as_str(), &deep] {
        assert!(read(text, BAO).unwrap_err().is_ours());
    }
    for text in ["path \"a\" { \"which partywall does not read\" = 1 }", "path \"a\" { capabilities = [\"x\"] }", "path \"a\" {"] {
        assert!(!read(text, BAO).unwrap_err().is_ours(), "{text}");
    }
}
