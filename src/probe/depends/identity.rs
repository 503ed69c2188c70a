//! What a login rests on beside its role: the auth mount, and the entity and groups it is of.

use std::collections::BTreeSet;

use crate::model::ids::{Name, ObjectRef, Uid, fold};
use crate::model::kind::Kind;
use crate::model::snapshot::{NamespaceFacts, Snapshot};
use crate::model::source::Sight;
use crate::model::vault::VaultFacts;
use crate::posture::vaultroles::Roles;
use crate::receipt::Dependency;
use crate::vaultacl::binding::groups_of;

/// Whether the identity store is seen. Where it is not, it is left out on both sides, as secret mounts are.
pub(super) fn seen(snapshot: &Snapshot) -> bool {
    [&snapshot.vault.entities.state, &snapshot.vault.groups.state].iter().all(|state| state.sight() == Sight::Clear)
}

/// An auth mount by its accessor and configuration: one made again has other accounts, and the configuration says who vouches for tokens.
pub(super) fn of_mount(facts: &VaultFacts, mount: &Name) -> Option<Dependency> {
    let accessor = facts.auth_mounts.items.get(mount).map(|mount| mount.accessor.as_ref())?;
    let config = facts.kubernetes_config.items.get(mount);
    let version = fold(&format!("{accessor}\n{config:?}")) as u64;
    Some(Dependency { object: ObjectRef::new(Kind::VaultMount, "auth", mount.clone()), uid: Uid::default(), version })
}

/// The entities that have a say in logins of these namespaces' ServiceAccounts, and their groups; the policies that they name are added.
/// O(ServiceAccounts × mounts × log entities, and groups of those found).
pub(super) fn of_logins(
    facts: &VaultFacts,
    roles: &Roles<'_>,
    mounts: &BTreeSet<&Name>,
    namespaces: &[(&Name, &NamespaceFacts)],
    list: &mut Vec<Dependency>,
    policies: &mut Vec<Name>,
) {
    let accessors: Vec<&Name> =
        mounts.iter().filter_map(|mount| facts.auth_mounts.items.get(*mount)).map(|mount| &mount.accessor).collect();
    let mut found = BTreeSet::new();
    for (namespace, space) in namespaces {
        for (name, account) in &space.service_accounts {
            let aliases = [account.meta.uid.to_string(), format!("{namespace}/{name}")];
            let of = |accessor: &Name| aliases.iter().filter_map(|alias| roles.entity(accessor, alias)).collect::<Vec<_>>();
            found.extend(accessors.iter().flat_map(|accessor| of(accessor)).map(|(id, _)| id));
        }
    }
    let about = |id: &Name, what: &str, version: String| Dependency {
        object: ObjectRef::new(Kind::VaultIdentity, what, id.clone()),
        uid: Uid::default(),
        version: fold(&version) as u64,
    };
    for id in found {
        let Some(entity) = facts.entities.items.get(id) else { continue };
        let said = (&entity.name, &entity.policies, &entity.metadata, entity.disabled, &entity.groups);
        list.push(about(id, "entity", format!("{said:?}")));
        policies.extend(entity.policies.iter().map(|name| Name::from(name.to_lowercase())));
        for (group, fact) in groups_of(facts, id, entity) {
            list.push(about(group, "group", format!("{:?}", (&fact.name, &fact.policies, &fact.metadata, &fact.parents))));
            policies.extend(fact.policies.iter().map(|name| Name::from(name.to_lowercase())));
        }
    }
}
