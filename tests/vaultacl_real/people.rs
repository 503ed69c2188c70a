//! Entities, aliases and groups in the server's identity store, and who a token of theirs is.

use std::collections::BTreeMap;
use std::sync::Arc;

use partywall::model::ids::Name;
use partywall::vaultacl::template::{AliasValues, EntityValues, GroupValues, Identity};
use serde_json::{Value, json};

use crate::devvault::DevServer;

/// One who may log in.
#[derive(Clone, Debug)]
pub struct Person {
    /// What `entity_alias` takes.
    pub alias: String,
    pub who: Identity,
}

/// Everyone, and what templates may ask about them.
#[derive(Debug, Default)]
pub struct People {
    pub all: Vec<Person>,
    pub templates: Vec<String>,
    /// Words that their templates may become.
    pub values: Vec<String>,
}

const ROLE: &str = "anyone";

fn names(map: &Value) -> BTreeMap<Name, Name> {
    map.as_object().into_iter().flatten().map(|(key, value)| (Name::from(key.as_str()), Name::from(value.as_str().unwrap()))).collect()
}

fn ok(server: &DevServer, method: &str, path: &str, body: &Value) -> Value {
    let (status, answer) = server.request(method, path, Some(body));
    assert!(status < 300, "{method} {path}: {status} {answer}");
    answer
}

/// Name, metadata, alias, metadata of the alias.
fn cast() -> Vec<(&'static str, Value, &'static str, Value)> {
    vec![
        ("alice", json!({"team": "a", "empty": ""}), "al", json!({"k": "a"})),
        ("b", json!({"team": "a/b"}), "b/c", json!({"k": "x/y"})),
        ("ab", json!({"team": "a*"}), "ab", json!({"k": "*"})),
        ("a+b", json!({"team": "+"}), "x+", json!({"k": "+"})),
        ("zoe", json!({"team": "*"}), "z*", Value::Null),
        ("ÄÖ", json!({"team": "ä"}), "ü", json!({"k": "ä"})),
    ]
}

impl People {
    /// Writes them to the server.
    pub fn settle(server: &DevServer) -> Self {
        ok(server, "POST", &format!("auth/token/roles/{ROLE}"), &json!({"allowed_entity_aliases": "*", "allowed_policies_glob": "*"}));
        let accessor = ok_get(server, "sys/auth")["data"]["token/"]["accessor"].as_str().unwrap().to_owned();
        let mut people = Self::default();
        let mut ids = Vec::new();
        for (name, metadata, alias, custom) in cast() {
            let made = ok(server, "POST", "identity/entity", &json!({"name": name, "metadata": metadata}));
            let id = made["data"]["id"].as_str().unwrap().to_owned();
            let mut body = json!({"name": alias, "canonical_id": id, "mount_accessor": accessor});
            if !custom.is_null() {
                body["custom_metadata"] = custom.clone();
            }
            let made = ok(server, "POST", "identity/entity-alias", &body);
            let values = AliasValues {
                id: Name::from(made["data"]["id"].as_str().unwrap()),
                name: alias.into(),
                metadata: BTreeMap::new(),
                custom: names(&custom),
                ..AliasValues::default()
            };
            let entity = EntityValues { id: Name::from(id.as_str()), name: name.into(), metadata: names(&metadata) };
            let who = Identity {
                entity: Some(entity),
                aliases: BTreeMap::from([(Name::from(accessor.as_str()), values)]),
                groups: BTreeMap::new(),
            };
            people.all.push(Person { alias: alias.to_owned(), who });
            ids.push(id);
        }
        people.join(server, "ga", &json!({"x": "a", "empty": ""}), &ids[..3], &[0, 1, 2]);
        people.join(server, "gb", &json!({"x": "+"}), &ids[2..5], &[2, 3, 4]);
        let group = people.all[0].who.groups.keys().next().unwrap().to_string();
        people.templates = templates(&accessor, &group);
        people.values = ["alice", "a", "b", "ab", "a/b", "ga", "al"].into_iter().map(str::to_owned).collect();
        people.values.push(ids[0].clone());
        people.values.push(group);
        people
    }

    fn join(&mut self, server: &DevServer, name: &str, metadata: &Value, ids: &[String], members: &[usize]) {
        let made = ok(server, "POST", "identity/group", &json!({"name": name, "metadata": metadata, "member_entity_ids": ids}));
        let id = Name::from(made["data"]["id"].as_str().unwrap());
        let values = GroupValues { name: name.into(), metadata: names(metadata) };
        for member in members {
            self.all[*member].who.groups.insert(id.clone(), values.clone());
        }
    }

    /// Where tokens of persons are made.
    pub fn login() -> String {
        format!("auth/token/create/{ROLE}")
    }
}

fn ok_get(server: &DevServer, path: &str) -> Value {
    let (status, answer) = server.request("GET", path, None);
    assert_eq!(status, 200, "{path}");
    answer
}

fn templates(accessor: &str, group: &str) -> Vec<String> {
    let asked = [
        "identity.entity.id".to_owned(),
        "identity.entity.name".to_owned(),
        " identity.entity.name ".to_owned(),
        "identity.entity.metadata.team".to_owned(),
        "identity.entity.metadata.team".to_owned(),
        "identity.entity.metadata.empty".to_owned(),
        "identity.entity.metadata.none".to_owned(),
        "identity.entity.metadata.dotted.key".to_owned(),
        "identity.entity.metadata".to_owned(),
        "identity.entity".to_owned(),
        format!("identity.entity.aliases.{accessor}.name"),
        format!("identity.entity.aliases.{accessor}.id"),
        format!("identity.entity.aliases.{accessor}.metadata.k"),
        format!("identity.entity.aliases.{accessor}.custom_metadata.k"),
        "identity.entity.aliases.auth_nobody_1.name".to_owned(),
        "identity.groups.names.ga.id".to_owned(),
        "identity.groups.names.ga.name".to_owned(),
        "identity.groups.names.ga.metadata.x".to_owned(),
        "identity.groups.names.ga.metadata.empty".to_owned(),
        "identity.groups.names.gb.metadata.x".to_owned(),
        format!("identity.groups.ids.{group}.name"),
        format!("identity.groups.ids.{group}.id"),
        format!("identity.groups.ids.{group}.metadata.x"),
        "identity.groups.names.nobody.name".to_owned(),
        "identity.foo".to_owned(),
        "foo".to_owned(),
        String::new(),
    ];
    asked.iter().map(|asked| format!("{{{{{asked}}}}}")).collect()
}

/// A name that is nobody's.
pub fn nobody() -> Arc<Identity> {
    Arc::new(Identity::default())
}
