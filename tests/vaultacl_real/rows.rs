//! The rows that the tables of `vaultacl` were written from, asked of the server again: policy, path, what `sys/capabilities` says.

use partywall::model::ids::Name;
use partywall::model::vault::PolicyFlags;
use partywall::vaultacl::acl::{Acl, Granted};
use partywall::vaultacl::dialect::Dialect;
use partywall::vaultacl::template::Identity;
use serde_json::json;

use crate::devvault::DevServer;
use crate::made::NOW;
use crate::stage::ok;

/// Texts in the ways that people write them, and paths to ask about.
const ROWS: &[(&str, &[&str])] = &[
    // the three rules that upstream's own tests leave open (`spec/vault.md` 4)
    ("path \"a\" { capabilities = [\"deny\"] }\npath \"a\" { capabilities = [\"read\"] }", &["a", "a/"]),
    ("path \"a\" { capabilities = [\"read\", \"deny\", \"update\"] }", &["a", "a/"]),
    ("path \"a\" { capabilities = [\"list\"] }\npath \"a/*\" { capabilities = [\"deny\"] }", &["a", "a/", "a/b"]),
    ("path \"a/\" { capabilities = [\"list\"] }\npath \"a\" { capabilities = [\"deny\"] }", &["a", "a/", "a//"]),
    // 1.1
    ("path { capabilities = [\"read\"] }", &["path", "path/", "a"]),
    ("path \"a\" \"b\" { capabilities = [\"read\"] }", &["a", "b"]),
    ("path \"a\" { policy = \"read\" capabilities = [\"update\"] }", &["a"]),
    ("path \"a\" { policy = \"deny\" capabilities = [\"update\"] }", &["a"]),
    ("path \"\" { capabilities = [\"read\"] }", &["a", "/"]),
    ("path \"/\" { capabilities = [\"read\"] }", &["a", "/"]),
    ("path \"//a\" { capabilities = [\"read\"] }", &["a", "/a", "//a"]),
    ("name = \"x\" path \"a\" { comment = \"c\" capabilities = [\"read\"] }", &["a"]),
    ("path \"a\" { capabilities = [\"read\"] } path \"b\" { capabilities = [\"list\"] }", &["a", "b"]),
    ("\"path\" \"a\" { \"capabilities\" = [\"read\"], }", &["a"]),
    ("path \"a\\x2fb\" { capabilities = [\"read\"] }", &["a/b", "a"]),
    ("path \"a\\057b\" { capabilities = [\"read\"] }", &["a/b"]),
    ("# c\n// c\n/* c */ path \"a\"\n{\ncapabilities = [\n\"read\",\n] }", &["a"]),
    ("{\"path\": {\"a\": {\"capabilities\": [\"read\"]}, \"a\": {\"capabilities\": [\"list\"]}}}", &["a"]),
    ("{\"path\": [{\"a\": {\"capabilities\": [\"read\"]}}, {\"b\": {\"capabilities\": [\"list\"]}}]}", &["a", "b"]),
    ("  {\"path\": {\"a\": {\"policy\": \"write\"}}}", &["a"]),
    ("path \"a/*\" { capabilities = [\"read\"] }\r\npath \"a/b\" { capabilities = [] }\r\n", &["a/b", "a/c"]),
    ("# nothing", &["a"]),
    // 1.2, 1.3
    ("path \"*\" { capabilities = [\"read\"] }\npath \"+/*\" { capabilities = [\"update\"] }", &["a", "a/b", "/"]),
    ("path \"foo/a*\" { capabilities = [\"read\"] }\npath \"foo/+\" { capabilities = [\"update\"] }", &["foo/ab", "foo/b", "foo/"]),
    ("path \"foo/+\" { capabilities = [\"read\"] }\npath \"foo/*\" { capabilities = [\"update\"] }", &["foo/ab", "foo/", "foo/a/b"]),
    ("path \"a/+x\" { capabilities = [\"read\"] }\npath \"a/x+\" { capabilities = [\"list\"] }", &["a/+x", "a/bx", "a/x+"]),
    ("path \"+/b/+/d\" { capabilities = [\"read\"] }\npath \"+/+/c/d\" { capabilities = [\"deny\"] }", &["a/b/c/d"]),
    ("path \"a**\" { capabilities = [\"read\"] }\npath \"+/*/b\" { capabilities = [\"list\"] }", &["ab", "a*b", "x/y/b", "x/*/b"]),
    ("path \"a/+/*\" { capabilities = [\"read\"] }", &["a/b", "a/b/", "a//", "a/b/c/d"]),
    // 1.4, as sys/capabilities sees it
    ("path \"k/m/*\" { capabilities = [\"list\"] }\npath \"k/m/p/*\" { capabilities = [\"deny\"] }", &["k/m/p", "k/m/p/", "k/m/p/x"]),
    (
        "path \"auth/+/role\" { capabilities = [\"list\"] }\npath \"auth/+/role/*\" { capabilities = [\"read\"] }",
        &["auth/k/role", "auth/k/role/"],
    ),
];

pub fn compare(server: &DevServer, dialect: Dialect) {
    for (at, (text, paths)) in ROWS.iter().enumerate() {
        let name = Name::from(format!("row-{at}"));
        ok(server, "", "PUT", &format!("sys/policies/acl/{name}"), &json!({"policy": text}));
        let made = ok(server, "", "POST", "auth/token/create", &json!({"policies": [name], "no_default_policy": true}));
        let answer = ok(server, "", "POST", "sys/capabilities", &json!({"token": made["auth"]["client_token"], "paths": paths}));
        let policy = partywall::vaultacl::read(text, dialect).unwrap_or_else(|why| panic!("the server takes it: {why}\n{text}"));
        let granted = Granted { name: &name, policy: &policy, flags: PolicyFlags::default(), namespace: "" };
        let acl = Acl::new(&[granted], &Identity::default(), dialect, NOW);
        for path in *paths {
            assert_eq!(json!(acl.capabilities(path)), answer["data"][path], "{path} of {text}");
        }
    }
}
