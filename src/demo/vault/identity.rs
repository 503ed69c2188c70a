//! Who logged in: entities, their aliases and groups.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::acl::Operation;
use super::state::Vault;
use super::{Ask, Failure, Outcome, absent, failure, texts, unsupported_operation, unsupported_path};
use crate::demo::json::{Json, object};

/// Somebody, however they log in.
#[derive(Clone, Debug, Default)]
pub(crate) struct Entity {
    pub(crate) name: String,
    pub(crate) policies: Vec<String>,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) disabled: bool,
    pub(crate) aliases: Vec<Alias>,
}

/// One way in which somebody logs in.
#[derive(Clone, Debug, Default)]
pub(crate) struct Alias {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) accessor: String,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) custom: BTreeMap<String, String>,
}

/// Several.
#[derive(Clone, Debug, Default)]
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) policies: Vec<String>,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) entities: Vec<String>,
    pub(crate) groups: Vec<String>,
    pub(crate) external: bool,
}

/// Everybody, by id.
#[derive(Clone, Debug, Default)]
pub(crate) struct Identities {
    pub(crate) entities: BTreeMap<String, Entity>,
    pub(crate) groups: BTreeMap<String, Group>,
}

impl Identities {
    /// The entity with this alias.
    pub(crate) fn by_alias(&self, accessor: &str, name: &str) -> Option<&String> {
        let mine = |entity: &Entity| entity.aliases.iter().any(|alias| alias.accessor == accessor && alias.name == name);
        self.entities.iter().find(|(_, entity)| mine(entity)).map(|(id, _)| id)
    }

    /// The groups of an entity: those it is a member of, and with them those these are members of.
    pub(crate) fn groups_of(&self, entity: &str) -> (BTreeSet<String>, BTreeSet<String>) {
        let with = |member: &dyn Fn(&Group) -> bool| self.groups.iter().filter(|(_, g)| member(g)).map(|(id, _)| id.clone()).collect();
        let direct: BTreeSet<String> = with(&|group| group.entities.iter().any(|id| id == entity));
        let mut inherited = BTreeSet::new();
        let mut ahead: Vec<String> = direct.iter().cloned().collect();
        while let Some(id) = ahead.pop() {
            let above: BTreeSet<String> = with(&|group| group.groups.contains(&id));
            ahead.extend(above.into_iter().filter(|id| !direct.contains(id) && inherited.insert(id.clone())));
        }
        (direct, inherited)
    }

    /// The policies that come with being somebody.
    pub(crate) fn policies(&self, entity: &str) -> BTreeSet<String> {
        let Some(known) = self.entities.get(entity) else { return BTreeSet::new() };
        let (direct, inherited) = self.groups_of(entity);
        let groups = direct.iter().chain(&inherited).filter_map(|id| self.groups.get(id));
        known.policies.iter().chain(groups.flat_map(|group| &group.policies)).cloned().collect()
    }

    fn parents(&self, group: &str) -> Vec<&String> {
        self.groups.iter().filter(|(_, parent)| parent.groups.iter().any(|id| id == group)).map(|(id, _)| id).collect()
    }
}

/// Everything below `identity/`.
pub(crate) fn answer(vault: &mut Vault, rest: &str, ask: &Ask<'_>) -> Result<Outcome, Failure> {
    let known = &vault.identities;
    match (rest, ask.operation) {
        ("entity/id", Operation::List) => listed(known.entities.iter().map(|(id, entity)| (id, entity_row(entity)))),
        ("entity-alias/id", Operation::List) => listed(aliases(vault).map(|(entity, alias)| {
            let mut row = alias_json(entity, alias);
            row.cut("id");
            (&alias.id, row)
        })),
        ("group/id", Operation::List) => listed(known.groups.iter().map(|(id, group)| (id, group_row(known, id, group)))),
        ("lookup/entity", Operation::Update) => lookup(vault, &ask.body),
        ("entity", Operation::Update) => Ok(write_entity(vault, &ask.body)),
        ("entity-alias", Operation::Update) => write_alias(vault, &ask.body),
        ("group", Operation::Update) => Ok(write_group(vault, &ask.body)),
        ("entity/id" | "entity-alias/id" | "group/id" | "lookup/entity" | "entity" | "group", _) => Err(unsupported_operation()),
        (_, Operation::Read) => one(vault, rest),
        _ => Err(unsupported_path()),
    }
}

/// One thing by its id or name.
fn one(vault: &Vault, rest: &str) -> Result<Outcome, Failure> {
    let known = &vault.identities;
    let data = match rest.split_once("/id/").or_else(|| rest.split_once("/name/")) {
        Some(("entity", key)) => known.entities.iter().find(|(id, e)| *id == key || e.name == key).map(|(id, e)| entity_json(known, id, e)),
        Some(("group", key)) => known.groups.iter().find(|(id, g)| *id == key || g.name == key).map(|(id, g)| group_json(known, id, g)),
        Some(("entity-alias", key)) => aliases(vault).find(|(_, alias)| alias.id == key).map(|(id, alias)| {
            let mut value = alias_json(id, alias);
            value.put("namespace_id", "root");
            value
        }),
        _ => return Err(unsupported_path()),
    };
    data.map(Outcome::Data).ok_or_else(absent)
}

fn aliases(vault: &Vault) -> impl Iterator<Item = (&String, &Alias)> {
    vault.identities.entities.iter().flat_map(|(id, entity)| entity.aliases.iter().map(move |alias| (id, alias)))
}

fn listed<'a>(rows: impl Iterator<Item = (&'a String, Value)>) -> Result<Outcome, Failure> {
    let (mut keys, mut info) = (Vec::new(), json!({}));
    for (id, row) in rows {
        keys.push(id.clone());
        object(&mut info).insert(id.clone(), row);
    }
    if keys.is_empty() { Err(absent()) } else { Ok(Outcome::Data(json!({"key_info": info, "keys": keys}))) }
}

fn lookup(vault: &Vault, body: &Value) -> Result<Outcome, Failure> {
    let known = &vault.identities;
    let (id, name) = (body.text("id"), body.text("name"));
    let (alias, accessor) = (body.text("alias_name"), body.text("alias_mount_accessor"));
    let found = match (id, name, alias, accessor) {
        ("", "", "", _) | ("", "", _, "") => return Err(failure(400, "query parameter not supplied")),
        ("", "", alias, accessor) => known.by_alias(accessor, alias),
        ("", name, _, _) => known.entities.iter().find(|(_, entity)| entity.name == name).map(|(id, _)| id),
        (id, _, _, _) => known.entities.get_key_value(id).map(|(id, _)| id),
    };
    let entity = found.and_then(|id| known.entities.get_key_value(id));
    Ok(entity.map_or(Outcome::Nothing, |(id, entity)| Outcome::Data(entity_json(known, id, entity))))
}

fn map(body: &Value, field: &str) -> Option<BTreeMap<String, String>> {
    let object = body.at(field).as_object()?;
    Some(object.iter().filter_map(|(k, v)| Some((k.clone(), v.as_str()?.to_owned()))).collect())
}

fn lower(body: &Value, field: &str) -> Option<Vec<String>> {
    texts(body, field).map(|list| list.into_iter().map(|name| name.to_lowercase()).collect())
}

fn write_entity(vault: &mut Vault, body: &Value) -> Outcome {
    let name = body.text("name").to_owned();
    let fresh = vault.uuid();
    let known = vault.identities.entities.iter().find(|(_, entity)| entity.name == name).map(|(id, _)| id.clone());
    let id = known.unwrap_or(fresh);
    let entity = vault.identities.entities.entry(id.clone()).or_default();
    entity.name = if name.is_empty() { format!("entity_{id}") } else { name };
    entity.policies = lower(body, "policies").unwrap_or_default();
    entity.metadata = map(body, "metadata").unwrap_or_default();
    entity.disabled = body.truth("disabled");
    Outcome::Data(json!({"aliases": null, "id": id, "name": entity.name}))
}

fn write_alias(vault: &mut Vault, body: &Value) -> Result<Outcome, Failure> {
    let (entity, id) = (body.text("canonical_id").to_owned(), vault.uuid());
    let alias = Alias {
        id: id.clone(),
        name: body.text("name").to_owned(),
        accessor: body.text("mount_accessor").to_owned(),
        metadata: BTreeMap::new(),
        custom: map(body, "custom_metadata").unwrap_or_default(),
    };
    let Some(known) = vault.identities.entities.get_mut(&entity) else { return Err(failure(400, "invalid canonical ID")) };
    known.aliases.push(alias);
    Ok(Outcome::Data(json!({"canonical_id": entity, "id": id})))
}

fn write_group(vault: &mut Vault, body: &Value) -> Outcome {
    let (name, fresh) = (body.text("name").to_owned(), vault.uuid());
    let known = vault.identities.groups.iter().find(|(_, group)| group.name == name).map(|(id, _)| id.clone());
    let id = known.unwrap_or(fresh);
    let group = vault.identities.groups.entry(id.clone()).or_default();
    group.name = if name.is_empty() { format!("group_{id}") } else { name };
    group.policies = lower(body, "policies").unwrap_or_default();
    group.metadata = map(body, "metadata").unwrap_or_default();
    group.entities = texts(body, "member_entity_ids").unwrap_or_default();
    group.groups = texts(body, "member_group_ids").unwrap_or_default();
    group.external = body.text("type") == "external";
    Outcome::Data(json!({"id": id, "name": group.name}))
}

/// A map as the server writes it: nothing for an empty one.
fn written(map: &BTreeMap<String, String>) -> Value {
    if map.is_empty() { Value::Null } else { json!(map) }
}

/// The same for a list.
fn listing<T: serde::Serialize>(list: &[T]) -> Value {
    if list.is_empty() { Value::Null } else { json!(list) }
}

fn alias_json(entity: &str, alias: &Alias) -> Value {
    let (metadata, custom) = (written(&alias.metadata), written(&alias.custom));
    json!({
        "canonical_id": entity, "custom_metadata": custom, "id": alias.id, "local": false, "metadata": metadata,
        "mount_accessor": alias.accessor, "mount_path": "auth/kubernetes/", "mount_type": "kubernetes", "name": alias.name,
    })
}

fn entity_row(entity: &Entity) -> Value {
    let mut row = json!({"name": entity.name});
    if !entity.aliases.is_empty() {
        let brief = |alias: &Alias| {
            json!({
                "id": alias.id, "mount_accessor": alias.accessor, "mount_path": "auth/kubernetes/", "mount_type": "kubernetes",
                "name": alias.name,
            })
        };
        row.put("aliases", entity.aliases.iter().map(brief).collect::<Vec<_>>());
    }
    row
}

fn entity_json(known: &Identities, id: &str, entity: &Entity) -> Value {
    let (direct, inherited) = known.groups_of(id);
    let all: Vec<&String> = direct.iter().chain(&inherited).collect();
    json!({
        "aliases": entity.aliases.iter().map(|alias| alias_json(id, alias)).collect::<Vec<_>>(), "direct_group_ids": direct,
        "disabled": entity.disabled, "group_ids": all, "id": id, "inherited_group_ids": inherited, "merged_entity_ids": null,
        "metadata": written(&entity.metadata), "name": entity.name, "namespace_id": "root", "policies": entity.policies,
    })
}

fn group_row(known: &Identities, id: &str, group: &Group) -> Value {
    json!({"name": group.name, "num_member_entities": group.entities.len(), "num_parent_groups": known.parents(id).len()})
}

fn group_json(known: &Identities, id: &str, group: &Group) -> Value {
    json!({
        "alias": {}, "id": id, "member_entity_ids": listing(&group.entities), "member_group_ids": listing(&group.groups),
        "metadata": written(&group.metadata), "modify_index": 1, "name": group.name, "namespace_id": "root",
        "parent_group_ids": listing(&known.parents(id)), "policies": group.policies, "type": if group.external { "external" } else { "internal" },
    })
}
