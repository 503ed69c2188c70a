//! What OpenBao has beside a policy's text: its end, and the switches of its templates.

use std::time::Duration;

use partywall::model::ids::Name;
use partywall::model::time::Time;
use partywall::model::vault::PolicyFlags;
use partywall::vaultacl::acl::{Acl, Granted};
use partywall::vaultacl::dialect::Dialect;
use partywall::vaultacl::template::Identity;
use serde_json::json;

use crate::devvault::DevServer;
use crate::stage::ok;

const TEXT: &str = "path \"k/*\" { capabilities = [\"read\"] }";

/// A policy that ends within two seconds takes its grants with it.
pub fn compare(server: &DevServer, dialect: Dialect) {
    ok(server, "", "PUT", "sys/policies/acl/short", &json!({"policy": TEXT, "ttl": "2s"}));
    ok(server, "", "PUT", "sys/policies/acl/wall", &json!({"policy": "path \"k/a\" { capabilities = [\"deny\"] }", "ttl": "2s"}));
    let made = ok(server, "", "POST", "auth/token/create", &json!({"policies": ["short", "wall"], "no_default_policy": true}));
    let token = made["auth"]["client_token"].as_str().unwrap();
    let ends = |name: &str| {
        let (_, answer) = server.request("GET", &format!("sys/policies/acl/{name}"), None);
        (
            Name::from(name),
            answer["data"]["policy"].as_str().unwrap().to_owned(),
            Time::parse(answer["data"]["expiration"].as_str().unwrap()),
        )
    };
    let stored = ["short", "wall"].map(ends);
    let compare = |now: Time| {
        let read: Vec<_> = stored.iter().map(|(_, text, _)| partywall::vaultacl::read(text, dialect).unwrap()).collect();
        let granted: Vec<Granted<'_>> = stored
            .iter()
            .zip(&read)
            .map(|((name, _, expires), policy)| Granted {
                name,
                policy,
                flags: PolicyFlags { expires: *expires, ..PolicyFlags::default() },
                namespace: "",
            })
            .collect();
        let acl = Acl::new(&granted, &Identity::default(), dialect, now);
        let answer = ok(server, "", "POST", "sys/capabilities", &json!({"token": token, "paths": ["k/a", "k/b"]}));
        for path in ["k/a", "k/b"] {
            assert_eq!(json!(acl.capabilities(path)), answer["data"][path], "{path} at {now}");
        }
        answer["data"]["k/b"].clone()
    };
    let end = stored[0].2.unwrap();
    assert_eq!(compare(end.plus(-1_000)), json!(["read"]));
    std::thread::sleep(Duration::from_millis(2_500));
    assert_eq!(compare(end.plus(1_000)), json!(["deny"]));
}
