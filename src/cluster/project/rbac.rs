//! Roles and bindings, reduced to what bears on the network wall.

use super::meta::{Version, Writer, meta, name};
use crate::cluster::wire::lean::{Field, Many, Str};
use crate::cluster::wire::rbac::{BindingWire, RefWire, RoleWire, RuleWire};
use crate::model::changes::Fact;
use crate::model::ids::Name;
use crate::model::intern::Interner;
use crate::model::kind::Kind;
use crate::model::rbac::{BindingFact, LIFTS, RbacSubject, RoleFact, RoleRule, WRITES, matters, matters_group};

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

/// What of a rule bears on the network wall; none where nothing does.
fn rule(wire: RuleWire<'_>, unreadable: &mut bool, interner: &mut Interner) -> Option<RoleRule> {
    let mut list = |field: Field<Many<Str<'_>>>, keep: fn(&str) -> bool| texts(field, unreadable, keep, interner);
    let verbs = list(wire.verbs, |verb| verb == "*" || WRITES.contains(&verb) || LIFTS.contains(&verb));
    let groups = list(wire.api_groups, matters_group);
    let resources = list(wire.resources, matters);
    let names = list(wire.resource_names, |_| true);
    let any = !verbs.is_empty() && !groups.is_empty() && !resources.is_empty();
    any.then_some(RoleRule { verbs, groups, resources, names })
}

fn texts(field: Field<Many<Str<'_>>>, unreadable: &mut bool, keep: fn(&str) -> bool, interner: &mut Interner) -> Box<[Name]> {
    *unreadable |= field.is_odd();
    let mut kept = Vec::new();
    for item in field.get().unwrap_or_default().0 {
        match item {
            Field::Is(text) if keep(&text.0) => kept.push(name(&text.0, interner)),
            Field::Is(_) | Field::Absent => {}
            Field::Odd => *unreadable = true,
        }
    }
    kept.into_boxed_slice()
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
