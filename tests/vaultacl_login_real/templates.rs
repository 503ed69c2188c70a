//! Templates on what a real login puts into the alias, for both kinds of alias name.

use std::collections::BTreeMap;

use partywall::model::ids::Name;
use partywall::model::time::Time;
use partywall::model::vault::{AliasFact, EntityFact, PolicyFlags};
use partywall::vaultacl::acl::{Acl, Granted};
use partywall::vaultacl::binding;
use partywall::vaultacl::dialect::Dialect;
use serde_json::{Value, json};

use crate::cluster::{Account, Cluster, ok};
use crate::devvault::DevServer;
use crate::roles;

fn names(map: &Value) -> BTreeMap<Name, Name> {
    serde_json::from_value(map.clone()).unwrap_or_default()
}

/// The entity as the identity store tells it.
fn entity(server: &DevServer, id: &str) -> EntityFact {
    let answer = ok(server, "GET", &format!("identity/entity/id/{id}"), None);
    let data = &answer["data"];
    let alias = |alias: &Value| AliasFact {
        name: alias["name"].as_str().unwrap().into(),
        accessor: alias["mount_accessor"].as_str().unwrap().into(),
        metadata: names(&alias["metadata"]),
        custom: names(&alias["custom_metadata"]),
    };
    EntityFact {
        name: data["name"].as_str().unwrap().into(),
        metadata: names(&data["metadata"]),
        aliases: data["aliases"].as_array().unwrap().iter().map(alias).collect(),
        ..EntityFact::default()
    }
}

/// A policy on what the alias holds, and the paths to ask about.
fn policy(accessor: &str) -> String {
    let alias = |what: &str| format!("{{{{identity.entity.aliases.{accessor}.{what}}}}}");
    let rows = [
        (format!("kv/data/{}/*", alias("metadata.service_account_namespace")), "\"read\", \"list\""),
        (format!("kv/data/{}*", alias("metadata.service_account_namespace")), "\"update\""),
        (format!("kv/data/{}/{}", alias("metadata.service_account_namespace"), alias("metadata.service_account_name")), "\"delete\""),
        (format!("kv/uid/{}", alias("metadata.service_account_uid")), "\"read\""),
        (format!("kv/secret/{}/*", alias("metadata.service_account_secret_name")), "\"read\""),
        (format!("kv/gone/{}/*", alias("metadata.annotation")), "\"read\""),
        (format!("kv/gone/{}", alias("custom_metadata.k")), "\"read\""),
        ("kv/dead/{{identity.entity.aliases.auth_kubernetes_00000000.name}}".to_owned(), "\"read\""),
        ("kv/entity/{{identity.entity.id}}/{{identity.entity.name}}".to_owned(), "\"read\""),
        (format!("kv/+/{}/x", alias("metadata.service_account_name")), "\"deny\""),
    ];
    let blocks: Vec<String> = rows.iter().map(|(pattern, words)| format!("path \"{pattern}\" {{ capabilities = [{words}] }}")).collect();
    blocks.join("\n")
}

fn paths(account: &Account, entity: &str, name: &str) -> Vec<String> {
    let mut all: Vec<String> = ["kv/secret//x", "kv/secret/x", "kv/gone//x", "kv/gone/", "kv/dead/", "kv/data/"].map(str::to_owned).into();
    for place in [account.namespace.as_str(), &format!("{}b", account.namespace), "elsewhere"] {
        let below = ["", "/", "/db", "-corp/db", "/app", "/app-2", "/db/x"];
        all.extend(below.iter().map(|end| format!("kv/data/{place}{end}")));
    }
    all.extend(
        ["app", "app-2", "db"].iter().flat_map(|name| [format!("kv/any/{name}/x"), format!("kv/name/{}/{name}", account.namespace)]),
    );
    all.extend([format!("kv/uid/{}", account.uid), format!("kv/name/{}", account.uid), format!("kv/entity/{entity}/{name}")]);
    all
}

pub fn compare(server: &DevServer, cluster: &Cluster<'_>, dialect: Dialect) {
    let (mut asked, mut granted, mut differences) = (0, 0, Vec::new());
    for (mount, source) in [("by-uid", "serviceaccount_uid"), ("by-name", "serviceaccount_name")] {
        let mounts = ok(server, "GET", "sys/auth", None);
        let accessor = mounts["data"][format!("{mount}/")]["accessor"].as_str().unwrap().to_owned();
        let named = format!("path \"kv/name/{{{{identity.entity.aliases.{accessor}.name}}}}\" {{ capabilities = [\"read\"] }}\n");
        // the second is of no use on OpenBao where the name holds a slash, unless it says so
        for (role, text, slashes) in [
            (format!("{mount}-metadata"), policy(&accessor), false),
            (format!("{mount}-name"), named.clone() + &policy(&accessor), false),
            (format!("{mount}-slashes"), named + &policy(&accessor), true),
        ] {
            let mut body = json!({"policy": text});
            if slashes && dialect.is_openbao() {
                body["allow_slashes_in_identity_templates"] = json!(true);
            }
            ok(server, "POST", &format!("sys/policies/acl/{role}"), Some(&body));
            let written = json!({"bound_service_account_names": "*", "bound_service_account_namespaces": cluster.namespace("*"),
                "alias_name_source": source, "token_policies": [role], "token_no_default_policy": true, "audience": ""});
            ok(server, "POST", &format!("auth/{mount}/role/{role}"), Some(&written));
            let fact = roles::read(&ok(server, "GET", &format!("auth/{mount}/role/{role}"), None));
            let flags = PolicyFlags { slashes: slashes && dialect.is_openbao(), ..PolicyFlags::default() };
            let read = partywall::vaultacl::read(&text, dialect).unwrap();
            let name = Name::from(role.as_str());
            for account in &cluster.accounts {
                let body = json!({"role": role, "jwt": account.jwt});
                let (status, login) = server.request_as("", "POST", &format!("auth/{mount}/login"), Some(&body));
                assert_eq!(status, 200, "{login}");
                let id = Name::from(login["auth"]["entity_id"].as_str().unwrap());
                let entity = entity(server, &id);
                let alias = binding::alias(&fact, &account.namespace, account.name, Some(&account.uid), false);
                assert!(
                    entity.aliases.iter().any(|known| known.name == alias.name && *known.accessor == *accessor),
                    "{alias:?} {entity:?}"
                );
                let who = binding::identity(&Name::from(accessor.as_str()), alias, Some((&id, &entity)), &BTreeMap::new(), true);
                let acl = Acl::new(&[Granted { name: &name, policy: &read, flags, namespace: "" }], &who, dialect, Time(1_795_000_000_000));
                let paths = paths(account, &id, &entity.name);
                let question = json!({"token": login["auth"]["client_token"], "paths": paths});
                let (status, answer) = server.request("POST", "sys/capabilities", Some(&question));
                let broken = status != 200 && answer.to_string().contains("error parsing templated policy");
                assert!(status == 200 || broken, "{status} {answer}");
                assert_eq!(broken, dialect.is_openbao() && role == "by-name-name", "a slash in a value: {role} {answer}");
                for path in &paths {
                    let said: Vec<&str> = match answer["data"][path].as_array() {
                        Some(words) => words.iter().map(|word| word.as_str().unwrap()).collect(),
                        None => vec!["deny"],
                    };
                    (asked, granted) = (asked + 1, granted + usize::from(said != ["deny"]));
                    let mine = acl.capabilities(path);
                    if mine != said {
                        differences.push(format!("{role} {}/{} {path}: server {said:?}, we {mine:?}", account.namespace, account.name));
                    }
                }
            }
        }
    }
    eprintln!("{}: {asked} capabilities of real logins, {granted} not deny, {} differences", dialect.word(), differences.len());
    assert!(granted > asked / 10, "{granted} of {asked}");
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
