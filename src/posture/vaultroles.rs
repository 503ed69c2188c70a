//! Which Vault roles admit whom: the binding of the Kubernetes auth method.

use std::collections::BTreeMap;

use crate::model::ids::{Name, ObjectRef};
use crate::model::labels::LabelSet;
use crate::model::vault::{EntityFact, VaultFacts, VaultRole, role_ref};
use crate::vaultacl::binding::Binding;
pub use crate::vaultacl::binding::glob;

/// A role and where it is.
#[derive(Clone, Copy, Debug)]
pub struct RoleAt<'a> {
    /// Auth mount.
    pub mount: &'a Name,
    /// Role.
    pub name: &'a Name,
    /// What it says.
    pub role: &'a VaultRole,
}

impl RoleAt<'_> {
    /// As a reference.
    pub fn object(&self) -> ObjectRef {
        role_ref(self.mount, self.name)
    }
}

/// All roles, indexed by the namespaces they name.
#[derive(Debug, Default)]
pub struct Roles<'a> {
    /// Roles that name the namespace literally.
    literal: BTreeMap<&'a str, Vec<RoleAt<'a>>>,
    /// Roles that use a pattern or a selector.
    wild: Vec<(RoleAt<'a>, Binding<'a>)>,
    /// Roles that are listed but can't be read: mount, name, why.
    pub unreadable: Vec<(&'a Name, &'a Name, &'a Name)>,
    /// How many roles there are.
    pub count: usize,
    /// Entities that have a say in what a login may do, by accessor and name of their aliases.
    entities: BTreeMap<(&'a str, &'a str), (&'a Name, &'a EntityFact)>,
}

impl<'a> Roles<'a> {
    /// Indexes the roles of every Kubernetes auth mount, and the entities that bear on logins. O(roles × log roles + entities).
    pub fn of(vault: &'a VaultFacts) -> Self {
        let mut index = Self::default();
        for (mount, part) in &vault.kubernetes {
            index.unreadable.extend(part.unreadable.iter().map(|(name, why)| (mount, name, why)));
            for (name, role) in part.items.iter() {
                index.count += 1;
                let at = RoleAt { mount, name, role };
                let binding = Binding::of(role);
                if binding.is_literal() {
                    for namespace in &role.namespaces {
                        index.literal.entry(namespace.as_ref()).or_default().push(at);
                    }
                } else {
                    index.wild.push((at, binding));
                }
            }
        }
        for (id, entity) in vault.entities.items.iter().filter(|(_, entity)| has_a_say(entity)) {
            index.entities.extend(entity.aliases.iter().map(|alias| ((alias.accessor.as_ref(), alias.name.as_ref()), (id, entity))));
        }
        index
    }

    /// The entity with a say that an alias is of. O(log entities).
    pub fn entity(&self, accessor: &str, alias: &str) -> Option<(&'a Name, &'a EntityFact)> {
        self.entities.get(&(accessor, alias)).copied()
    }

    /// Roles that admit some ServiceAccount of these namespaces, by mount and name. A selector that can't be read, or that is asked about a
    /// namespace whose labels are unseen, counts as admitting. O(namespaces × wild roles).
    pub fn admitting<'b>(&self, namespaces: impl Iterator<Item = (&'b Name, Option<&'b LabelSet>)>) -> Vec<RoleAt<'a>> {
        let mut found: BTreeMap<(&Name, &Name), RoleAt<'a>> = BTreeMap::new();
        for (namespace, labels) in namespaces {
            let literal = self.literal.get(namespace.as_ref()).into_iter().flatten();
            let wild = self.wild.iter().filter(|(_, binding)| binding.admits_namespace(namespace, labels) != Some(false));
            for at in literal.chain(wild.map(|(at, _)| at)) {
                found.insert((at.mount, at.name), *at);
            }
        }
        found.into_values().collect()
    }

    /// A role by mount and name.
    pub fn find(vault: &'a VaultFacts, mount: &str, name: &str) -> Option<RoleAt<'a>> {
        let (mount, part) = vault.kubernetes.get_key_value(mount)?;
        let (name, role) = part.items.get_key_value(name)?;
        Some(RoleAt { mount, name, role })
    }

    /// Namespaces that roles name literally.
    pub fn named_namespaces(&self) -> impl Iterator<Item = (&'a str, &RoleAt<'a>)> {
        self.literal.iter().flat_map(|(namespace, roles)| roles.iter().map(|at| (*namespace, at)))
    }
}

/// Whether anything of an entity bears on what its logins may do. One that a login has just made has nothing.
fn has_a_say(entity: &EntityFact) -> bool {
    entity.disabled || !entity.policies.is_empty() || !entity.groups.is_empty() || !entity.metadata.is_empty()
}
