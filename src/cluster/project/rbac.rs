//! Roles and bindings, reduced to what bears on the network wall and the secret wall.

use super::meta::{Version, Writer, meta, name};
use crate::cluster::wire::lean::{Field, Many, Str};
use crate::cluster::wire::rbac::{BindingWire, RefWire, RoleWire, RuleWire};
use crate::model::changes::Fact;
use crate::model::ids::Name;
use crate::model::intern::Interner;
use crate::model::kind::Kind;
use crate::model::rbac::{BindingFact, RbacSubject, RoleFact, RoleRule, TOKENS, concerns, concerns_group};

/// The fact of a Role or ClusterRole. Its version moves only with the rules that are kept.
pub(super) fn role(kind: Kind, wire: RoleWire<'_>, interner: &mut Interner) -> Option<Fact> {
    let metadata = wire.metadata.get()?;
    let mut unreadable = wire.rules.is_odd();
    let mut rules = Vec::new();
    for field in wire.rules.get().unwrap_or_default().0 {
        match field {
            Field::Is(wire) => rules.extend(rule(wire, &mut unreadable, interner)),
            Field::Odd => unreadable = true,
            Field::Absent => {}
        }
    }
    let aggregated = !wire.aggregation_rule.is_absent();
    let digest = format!("{rules:?}\n{aggregated}\n{unreadable}");
    Some(Fact::Role(RoleFact {
        meta: meta(&metadata, Version::Digest(&digest), Writer::Kept, interner)?,
        kind,
        rules: rules.into(),
        aggregated,
        unreadable,
    }))
}

/// What of a rule bears on a wall; none where nothing does.
fn rule(wire: RuleWire<'_>, unreadable: &mut bool, interner: &mut Interner) -> Option<RoleRule> {
    let mut list = |field: Field<Many<Str<'_>>>| texts(field, unreadable, interner);
    let (verbs, groups) = (list(wire.verbs), list(wire.api_groups));
    let (resources, names) = (list(wire.resources), list(wire.resource_names));
    // any resource's tokens: only ServiceAccounts have some
    let resources: Vec<Name> = resources.into_iter().map(|one| if &*one == "*/token" { TOKENS.into() } else { one }).collect();
    let kept_verbs: Box<[Name]> = verbs.iter().filter(|verb| resources.iter().any(|resource| concerns(verb, resource))).cloned().collect();
    let kept: Box<[Name]> = resources.iter().filter(|resource| verbs.iter().any(|verb| concerns(verb, resource))).cloned().collect();
    let groups: Box<[Name]> = groups.into_iter().filter(|group| concerns_group(group)).collect();
    let any = !kept_verbs.is_empty() && !groups.is_empty();
    any.then(|| RoleRule { verbs: kept_verbs, groups, resources: kept, names: names.into_boxed_slice() })
}

fn texts(field: Field<Many<Str<'_>>>, unreadable: &mut bool, interner: &mut Interner) -> Vec<Name> {
    *unreadable |= field.is_odd();
    let items = field.get().unwrap_or_default().0;
    *unreadable |= items.iter().any(Field::is_odd);
    items.into_iter().filter_map(Field::get).map(|text| name(&text.0, interner)).collect()
}

/// The fact of a RoleBinding or ClusterRoleBinding.
pub(super) fn binding(kind: Kind, wire: BindingWire<'_>, interner: &mut Interner) -> Option<Fact> {
    let metadata = wire.metadata.get()?;
    let mut unreadable = wire.role_ref.is_odd() || wire.subjects.is_odd();
    let of = wire.role_ref.get().unwrap_or_default();
    unreadable |= of.kind.is_odd() || of.name.is_odd();
    let role_kind = [Kind::Role, Kind::ClusterRole].into_iter().find(|kind| kind.as_str() == of.kind.text());
    let mut subjects = Vec::new();
    for field in wire.subjects.get().unwrap_or_default().0 {
        match field {
            Field::Is(wire) => subjects.extend(subject(&wire, &mut unreadable, interner)),
            Field::Odd => unreadable = true,
            Field::Absent => {}
        }
    }
    let role = name(of.name.text(), interner);
    let digest = format!("{role_kind:?}\n{role}\n{subjects:?}\n{unreadable}");
    Some(Fact::Binding(BindingFact {
        meta: meta(&metadata, Version::Digest(&digest), Writer::Kept, interner)?,
        kind,
        role_kind,
        role,
        subjects: subjects.into(),
        unreadable,
    }))
}

/// A subject; none of a kind that the API server does not know: it is nobody there.
fn subject(wire: &RefWire<'_>, unreadable: &mut bool, interner: &mut Interner) -> Option<RbacSubject> {
    *unreadable |= wire.kind.is_odd() || wire.name.is_odd() || wire.namespace.is_odd();
    let own = name(wire.name.text(), interner);
    Some(match wire.kind.text() {
        "ServiceAccount" => RbacSubject::Account { namespace: name(wire.namespace.text(), interner), name: own },
        "User" => RbacSubject::User(own),
        "Group" => RbacSubject::Group(own),
        _ => return None,
    })
}
