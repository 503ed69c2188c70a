//! The policy reader against real servers: what they accept and refuse.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests say what they expect by panicking"
)]

#[path = "common/devvault.rs"]
mod devvault;

use devvault::DevServer;
use serde_json::json;

#[test]
fn a_server_of_ones_own_answers() {
    let Some(server) = DevServer::openbao() else { return };
    let policy = json!({"policy": "path \"secret/data/a\" { capabilities = [\"read\"] }"});
    assert_eq!(server.request("PUT", "sys/policies/acl/a", Some(&policy)).0, 204);
    let (status, token) = server.request("POST", "auth/token/create", Some(&json!({"policies": ["a"]})));
    assert_eq!(status, 200, "{token}");
    let token = token.pointer("/auth/client_token").unwrap().as_str().unwrap();
    let (status, answer) = server.request_as(token, "POST", "sys/capabilities-self", Some(&json!({"paths": ["secret/data/a"]})));
    assert_eq!((status, answer.pointer("/data/secret~1data~1a")), (200, Some(&json!(["read"]))), "{answer}");
    assert_eq!(server.request_as("", "GET", "secret/data/a", None).0, 403);
}
