//! The parts of a chain in words: tenants, rules, logins.

use crate::app::doc::Doc;
use crate::app::role::Role;
use crate::app::state::State;
use crate::model::ids::TenantId;
use crate::vaultacl::acl::Origin;
use crate::vaultacl::capability::{Capabilities, Capability};
use crate::vaultacl::policy::PatternKind;
use crate::vaultacl::reach::{Login, Who};

/// Tenants that are named in one sentence; the rest is counted.
const NAMED: usize = 6;

/// Tenants, the first few by name.
pub fn tenants<'a>(state: &State, all: impl Iterator<Item = &'a TenantId>, count: usize) -> String {
    let say = state.sayer();
    let named: Vec<_> = all.take(NAMED).map(|tenant| say.say(tenant).into_owned()).collect();
    let more = if count > named.len() { format!(" and {} more", count - named.len()) } else { String::new() };
    format!("{}{more}", named.join(", "))
}

/// How many more there are than are told.
pub fn many(all: usize, told: usize, what: &str, doc: &mut Doc) {
    if all > told {
        doc.para(&format!("and {} more {what}", all - told), Role::Muted);
    }
}

/// Capabilities in words; a set that allows nothing says so.
pub fn described(capabilities: Capabilities) -> String {
    if capabilities.is_empty() {
        return "nothing".to_owned();
    }
    capabilities.iter().map(Capability::word).collect::<Vec<_>>().join(" ")
}

/// A pattern with its kind, and as it was written where templates were filled in.
pub fn pattern(state: &State, pattern: &str, origin: &Origin) -> String {
    let say = state.sayer();
    let kind = PatternKind::of(pattern).word();
    let written = if origin.written.contains("{{") { format!(", written {}", say.say(&origin.written)) } else { String::new() };
    format!("{kind} {}{written}", say.say(pattern))
}

/// As whom.
pub fn who(state: &State, who: &Who) -> String {
    let say = state.sayer();
    match who {
        Who::Account { namespace, name } => format!("ServiceAccount {}/{}", say.say(namespace), say.say(name)),
        Who::Maker { namespace, name } if name.as_ref() == "*" => {
            format!("any ServiceAccount that could be made in {}", say.say(namespace))
        }
        Who::Maker { namespace, name } => format!("a ServiceAccount that could be made: {}/{}", say.say(namespace), say.say(name)),
    }
}

/// A way to log in, in one sentence.
pub fn login(state: &State, login: &Login) -> String {
    let say = state.sayer();
    let foreign = if login.own_role { "" } else { ", not its own role" };
    format!("{} by role {} of {}{foreign}", who(state, &login.who), say.say(&login.role), say.say(&login.mount))
}
