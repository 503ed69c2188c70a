//! The operator policy line by line, on real servers: what is seen with all of it, and what each missing line costs.

use partywall::model::source::SourceState;
use partywall::model::vault::{Flavour, Part, VaultFacts};
use partywall::vault::client::Client;
use partywall::vault::operator::{self, LINES, Need, Wanted};
use partywall::vault::rights::{self, Right};
use partywall::vault::validate_token;
use serde_json::{Value, json};

use super::devvault::DevServer;
use super::{LONG, Watched, options};

/// A mount at a path of two parts beside the usual one.
const MOUNTS: [&str; 2] = ["kubernetes", "prod/k8s"];

/// A certificate of nobody, so that the servers take the settings of a mount.
const CA: &str = "-----BEGIN CERTIFICATE-----\n\
    MIIBdDCCARugAwIBAgIUMmmZ/mWkux7TMNa+lkdI3qAfTJcwCgYIKoZIzj0EAwIw\n\
    DzENMAsGA1UEAwwEdGVzdDAgFw0yNjExMjExODMxNTZaGA8yMTI2MTAyODE4MzE1\n\
    NlowDzENMAsGA1UEAwwEdGVzdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABNeY\n\
    zKVrOtVIlfWyecPLmmjiSdO3w2bQx1/8ww34nYQB0UpsAxkzD07ttBKbaYQNNdua\n\
    1V2skKteuB5mJPBKwNKjUzBRMB0GA1UdDgQWBBS7DJzp8SQQUBhAYSnZKBjyo0I5\n\
    qDAfBgNVHSMEGDAWgBS7DJzp8SQQUBhAYSnZKBjyo0I5qDAPBgNVHRMBAf8EBTAD\n\
    AQH/MAoGCCqGSM49BAMCA0cAMEQCIEyt7lOmF1Y0L/bogClCFKbuCg+r1UJZo1ab\n\
    pVQeupVaAiBpH2draJt3f7LglssKVyxPiegTnF+cha3lZTRnhJ2W+w==\n\
    -----END CERTIFICATE-----";

/// One of everything that is polled.
fn furnish(server: &DevServer) {
    let post = |path: &str, body: Value| {
        let (code, answer) = server.request("POST", path, Some(&body));
        assert!(code < 300, "{path}: {code} {answer}");
        answer
    };
    for mount in MOUNTS {
        post(&format!("sys/auth/{mount}"), json!({"type": "kubernetes"}));
        let config = json!({"kubernetes_host": "https://127.0.0.1:1", "kubernetes_ca_cert": CA, "token_reviewer_jwt": "CANARY-jwt",
            "disable_local_ca_jwt": true});
        post(&format!("auth/{mount}/config"), config);
        let role = json!({"bound_service_account_names": "app", "bound_service_account_namespaces": "acme", "token_policies": "Tenant,other",
            "token_ttl": 600, "token_max_ttl": 1200, "token_num_uses": 3, "audience": "vault", "alias_name_source": "serviceaccount_name"});
        post(&format!("auth/{mount}/role/acme"), role);
    }
    post("sys/policies/acl/tenant", json!({"policy": "path \"secret/data/acme\" { capabilities = [\"read\"] }"}));
    let (_, mounts) = server.request("GET", "sys/auth", None);
    let accessor = |mount: &str| mounts["data"][format!("{mount}/")]["accessor"].as_str().unwrap().to_owned();
    let entity = post("identity/entity", json!({"name": "acme", "policies": ["Extra"], "metadata": {"team": "a"}}));
    let alias = json!({"name": "acme/app", "canonical_id": entity["data"]["id"], "mount_accessor": accessor("kubernetes")});
    post("identity/entity-alias", alias);
    let elsewhere = post("identity/entity", json!({"name": "somebody"}));
    let alias = json!({"name": "x", "canonical_id": elsewhere["data"]["id"], "mount_accessor": accessor("token")});
    post("identity/entity-alias", alias);
    post("identity/group", json!({"name": "team", "policies": ["Wide"], "member_entity_ids": [entity["data"]["id"]]}));
}

/// A token with the operator policy without some of its lines.
fn token(server: &DevServer, without: &[&str], with_default: bool) -> String {
    let lines: Vec<String> = operator::wanted(MOUNTS).iter().filter(|line| !without.contains(&line.line.path)).map(Wanted::hcl).collect();
    let (code, answer) = server.request("POST", "sys/policies/acl/words-operator", Some(&json!({"policy": lines.join("\n")})));
    assert!(code < 300, "{answer}");
    let asked = json!({"policies": ["words-operator"], "no_default_policy": !with_default, "ttl": "1h"});
    let (_, made) = server.request("POST", "auth/token/create", Some(&asked));
    made["auth"]["client_token"].as_str().unwrap().to_owned()
}

/// The states of all parts, by name.
fn states(facts: &VaultFacts) -> Vec<(String, SourceState)> {
    let mut all = vec![
        ("token".to_owned(), facts.token.clone()),
        ("auth mounts".to_owned(), facts.auth_mounts.state.clone()),
        ("secret mounts".to_owned(), facts.secret_mounts.state.clone()),
        ("config".to_owned(), facts.kubernetes_config.state.clone()),
        ("policies".to_owned(), facts.policies.state.clone()),
        ("entities".to_owned(), facts.entities.state.clone()),
        ("groups".to_owned(), facts.groups.state.clone()),
        ("namespaces".to_owned(), facts.namespaces.state.clone()),
    ];
    all.extend(facts.kubernetes.iter().map(|(mount, part)| (format!("roles of {mount}"), part.state.clone())));
    all
}

/// The first facts after everything was asked for once.
async fn read(server: &DevServer, token: &str) -> VaultFacts {
    let connecting = |facts: &VaultFacts| states(facts).iter().any(|(_, state)| *state == SourceState::Connecting);
    Watched::start(options(&server.addr(), token)).until("one reading", LONG, |facts| !connecting(facts)).await.0
}

fn names<V>(part: &Part<partywall::model::ids::Name, V>) -> Vec<&str> {
    part.items.keys().map(AsRef::as_ref).collect()
}

async fn with_all_lines(server: &DevServer, flavour: Flavour) {
    let facts = read(server, &token(server, &[], false)).await;
    let absent = ("namespaces".to_owned(), SourceState::Absent);
    for (part, state) in states(&facts) {
        let may_be_absent = flavour == Flavour::Vault && (part.clone(), state.clone()) == absent;
        assert!(state == SourceState::Live || may_be_absent, "{part}: {state}");
    }
    assert_eq!(facts.server.flavour, flavour);
    assert_eq!(facts.kubernetes.keys().map(AsRef::as_ref).collect::<Vec<_>>(), MOUNTS);
    let role = &facts.kubernetes["prod/k8s"].items["acme"];
    assert_eq!(role.policies.iter().map(AsRef::as_ref).collect::<Vec<_>>(), ["tenant", "other"], "looked up in lower case");
    assert_eq!((role.ttl, role.max_ttl, role.uses, role.alias_by_name), (600, 1200, 3, true));
    let config = &facts.kubernetes_config.items["kubernetes"];
    assert!(config.has_ca && config.reviewer_set && config.disable_local_ca_jwt && config.disable_iss_validation, "{config:?}");
    assert_eq!(config.host.as_ref(), "https://127.0.0.1:1");
    assert_eq!((facts.entities.items.len(), facts.entities_elsewhere), (1, 1), "who logs in elsewhere is counted, not read");
    let (id, entity) = facts.entities.items.iter().next().unwrap();
    assert_eq!((entity.name.as_ref(), entity.metadata["team"].as_ref()), ("acme", "a"));
    assert_eq!(entity.policies.iter().map(AsRef::as_ref).collect::<Vec<_>>(), ["extra"]);
    assert_eq!(
        (entity.aliases[0].name.as_ref(), &entity.aliases[0].accessor),
        ("acme/app", &facts.auth_mounts.items["kubernetes"].accessor)
    );
    let group = facts.groups.items.values().next().unwrap();
    assert_eq!((group.name.as_ref(), group.policies[0].as_ref(), &group.entities[0]), ("team", "wide", id));
    assert_eq!(entity.groups[0], *facts.groups.items.keys().next().unwrap());
    assert_eq!(names(&facts.policies), ["default", "tenant", "words-operator"]);
    let shown = format!("{facts:?}");
    assert!(!shown.contains("CANARY"), "a credential of the mount is in the facts");
}

/// Lines taken away, the part that is then dark, and the line its state names. What one line grants another may grant too: a list stays
/// allowed by the line of its items.
const MISSING: [(&[&str], &str, &str); 12] = [
    (&["auth/token/lookup-self"], "token", "auth/token/lookup-self"),
    (&["sys/mounts"], "secret mounts", "sys/mounts"),
    (&["auth/{mount}/config"], "config", "auth/kubernetes/config"),
    (&["auth/{mount}/role", "auth/{mount}/role/*"], "roles of prod/k8s", "auth/prod/k8s/role"),
    (&["auth/{mount}/role/*"], "roles of kubernetes", "auth/kubernetes/role/*"),
    (&["sys/policies/acl", "sys/policies/acl/*", "sys/policies/detailed/acl"], "policies", "sys/policies/acl"),
    (&["sys/policies/acl/*", "sys/policies/detailed/acl"], "policies", "sys/policies/acl/*"),
    (&["identity/entity/id", "identity/entity/id/*"], "entities", "identity/entity/id"),
    (&["identity/entity/id/*"], "entities", "identity/entity/id/*"),
    (&["identity/group/id", "identity/group/id/*"], "groups", "identity/group/id"),
    (&["identity/group/id/*"], "groups", "identity/group/id/*"),
    (&["sys/namespaces"], "namespaces", "sys/namespaces"),
];

async fn with_lines_missing(server: &DevServer) {
    for (without, part, line) in MISSING {
        let facts = read(server, &token(server, without, false)).await;
        let dark = part.split(" of ").next().unwrap();
        for (name, state) in states(&facts) {
            let expected = name.starts_with(dark);
            assert_eq!(matches!(state, SourceState::Denied { .. }), expected, "without {without:?}: {name} is {state}");
            if name == part {
                assert!(state.to_string().contains(&format!("our policy lacks: path \"{line}\" {{")), "without {without:?}: {state}");
            }
        }
    }
    let facts = read(server, &token(server, &["sys/policies/detailed/acl", "sys/policies/acl"], false)).await;
    assert_eq!((facts.policies.state.clone(), facts.policies.items.len()), (SourceState::Live, 3), "one by one, listed by the wider line");
    let facts = read(server, &token(server, &["sys/auth"], false)).await;
    for (name, state) in states(&facts) {
        let hangs_on_it = matches!(name.as_str(), "auth mounts" | "config" | "entities");
        assert_eq!(state.to_string().contains("path \"sys/auth\""), hangs_on_it, "{name}: {state}");
    }
}

/// The doctor's question, with a token that may ask and with one that may not.
async fn rights_are_told(server: &DevServer) {
    for with_default in [true, false] {
        for gone in LINES.iter().map(|line| line.path).filter(|path| !path.starts_with("auth/token/")) {
            let token = token(server, &[gone], with_default);
            let client = Client::new(&options(&server.addr(), &token)).unwrap().unwrap().with_token(validate_token(&token, "t").unwrap());
            // a list stays allowed by the line of its items
            let covered = LINES.iter().any(|line| line.path == format!("{gone}/*"));
            for (wanted, right) in rights::ask(&client, operator::wanted(MOUNTS)).await {
                let no_such_path = wanted.line.need == Need::OpenBao && right == Right::Granted;
                let expected = match () {
                    () if wanted.line.path == gone && !covered => Right::Missing,
                    () if with_default || !matches!(wanted.path.as_str(), "auth/token/renew-self" | "auth/token/revoke-self") => {
                        Right::Granted
                    }
                    () => continue,
                };
                assert!(right == expected || no_such_path, "{gone} gone, default {with_default}: {} is {right:?}", wanted.path);
            }
        }
    }
}

#[tokio::test]
async fn a_real_openbao_shows_what_the_operator_policy_grants() {
    let Some(server) = DevServer::openbao() else { return };
    furnish(&server);
    with_all_lines(&server, Flavour::OpenBao).await;
    with_lines_missing(&server).await;
    rights_are_told(&server).await;
    // what OpenBao says beside a policy
    let body = json!({"policy": "path \"a\" { capabilities = [\"read\"] }", "ttl": "1h", "allow_wildcards_in_identity_templates": true});
    server.request("POST", "sys/policies/acl/flagged", Some(&body));
    server.request("POST", "sys/namespaces/team", Some(&json!({})));
    for without in [&[][..], &["sys/policies/detailed/acl"]] {
        let facts = read(&server, &token(&server, without, false)).await;
        let flags = facts.policies.items["flagged"].flags;
        let left = flags.expires.unwrap().since(partywall::vault::now());
        assert!(flags.wildcards && !flags.slashes && (3_500_000..=3_600_000).contains(&left), "{flags:?}, ends in {left} ms");
        assert_eq!(names(&facts.namespaces), ["team"]);
    }
}

#[tokio::test]
async fn a_real_vault_shows_what_the_operator_policy_grants() {
    let Some(server) = DevServer::vault() else { return };
    furnish(&server);
    with_all_lines(&server, Flavour::Vault).await;
    with_lines_missing(&server).await;
    rights_are_told(&server).await;
}
