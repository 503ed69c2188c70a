//! The chain of a tenant: role and mount, ServiceAccounts, policies and where each comes from, rules with their lines.

use std::collections::BTreeMap;

use super::names::{described, many, pattern};
use crate::app::doc::{Doc, span};
use crate::app::role::Role;
use crate::app::state::State;
use crate::app::vault;
use crate::model::ids::Name;
use crate::vaultacl::acl::Merged;
use crate::vaultacl::reach::{BadPolicy, Login, PolicyFrom, Who};

/// Roles, ServiceAccounts of one, rules of a policy that are told; the rest is counted.
const ROLES: usize = 16;
const ACCOUNTS: usize = 6;
const RULES: usize = 24;

/// Where every token may do harmless things to itself: told as a count, for they fill `default` and say nothing about a wall.
const SELF: [&str; 6] = ["auth/token/", "sys/", "identity/", "cubbyhole/", "cubbyhole", "sys"];

/// Whether a rule of a policy is one of those.
fn harmless(policy: &str, pattern: &str) -> bool {
    policy == "default" && SELF.iter().any(|prefix| pattern.starts_with(prefix))
}

/// Logins of one role that end up with the same policies and the same rules.
struct Group<'a> {
    first: &'a Login,
    who: Vec<&'a Who>,
}

/// The chain of a tenant.
pub fn chain(state: &State, tenant: &str, width: usize) -> Doc {
    let mut doc = Doc::new(width);
    let Some(reach) = vault::reach(state, tenant) else { return doc };
    doc.head("how it logs in");
    if reach.logins.is_empty() {
        doc.para("No role of any Kubernetes auth mount that we can see admits one of its ServiceAccounts.", Role::Text);
        return doc;
    }
    let mut groups: Vec<Group<'_>> = Vec::new();
    for login in &reach.logins {
        let alike = |group: &&mut Group<'_>| {
            let first = group.first;
            first.mount == login.mount && first.role == login.role && first.policies == login.policies && rules_alike(first, login)
        };
        match groups.iter_mut().find(alike) {
            Some(group) => group.who.push(&login.who),
            None => groups.push(Group { first: login, who: vec![&login.who] }),
        }
    }
    for group in groups.iter().take(ROLES) {
        one_role(state, group, &mut doc);
    }
    many(groups.len(), ROLES, "roles", &mut doc);
    doc
}

/// Whether two logins are decided by the same rules. Mostly they share them.
fn rules_alike(a: &Login, b: &Login) -> bool {
    std::sync::Arc::ptr_eq(&a.acl, &b.acl) || a.acl == b.acl
}

fn one_role(state: &State, group: &Group<'_>, doc: &mut Doc) {
    let say = state.sayer();
    let login = group.first;
    doc.blank();
    let title = vec![
        span(say.say(&login.role).into_owned(), Role::Title),
        span(" @ ", Role::Muted),
        span(format!("{} ", say.say(&login.mount)), Role::Strong),
    ];
    doc.hang(
        title,
        if login.own_role { "its own role" } else { "not its own role" },
        if login.own_role { Role::Muted } else { Role::NoteWarn },
    );
    for who in group.who.iter().take(ACCOUNTS) {
        let sign = if who.exists() { state.symbols().live } else { state.symbols().down };
        let role = if who.exists() { Role::Text } else { Role::Muted };
        doc.hang(vec![span(format!("  {sign} "), role)], &super::names::who(state, who), role);
    }
    many(group.who.len(), ACCOUNTS, "ServiceAccounts", doc);
    if login.acl.is_root() {
        doc.hang(vec![span("  ", Role::Text)], "root: everything is allowed", Role::Breached);
    }
    if let Some(why) = login.acl.broken() {
        let text = format!("the server can't build an ACL of these: every request fails: {}", say.say(why));
        doc.hang(vec![span(format!("  {} ", state.symbols().no), Role::SevHigh)], &text, Role::Text);
    }
    for (policy, from) in by_name(&login.policies) {
        one_policy(state, login, policy, &from, doc);
    }
    let lost: Vec<_> = login.acl.dropped().iter().filter(|d| d.is_deny() || !harmless(&d.origin.policy, &d.origin.written)).collect();
    for dropped in lost.iter().take(RULES) {
        let origin = &dropped.origin;
        let (sign, role) = match (dropped.is_deny(), dropped.open) {
            (true, _) => (state.symbols().over, Role::SevHigh),
            (false, true) => ("?", Role::Unknown),
            (false, false) => (state.symbols().denied, Role::Muted),
        };
        let what = if dropped.is_deny() { "a deny that does not count" } else { "does not count" };
        let text =
            format!("{what}: {} line {}, {}: {}", say.say(&origin.policy), origin.line, say.say(&origin.written), say.say(&dropped.why));
        doc.hang(vec![span(format!("  {sign} "), role)], &text, Role::Text);
    }
    many(lost.len(), RULES, "blocks that do not count", doc);
}

/// Each policy once, with everything it comes from.
fn by_name(policies: &[(Name, PolicyFrom)]) -> Vec<(&Name, Vec<&PolicyFrom>)> {
    let mut out: Vec<(&Name, Vec<&PolicyFrom>)> = Vec::new();
    for (name, from) in policies {
        match out.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => known.push(from),
            None => out.push((name, vec![from])),
        }
    }
    out
}

fn comes_from(state: &State, from: &PolicyFrom) -> String {
    let say = state.sayer();
    match from {
        PolicyFrom::Role => "from the role".to_owned(),
        PolicyFrom::Default => "every token has it".to_owned(),
        PolicyFrom::Entity(name) => format!("from entity {}", say.say(name)),
        PolicyFrom::Group(name) => format!("from group {}", say.say(name)),
    }
}

/// What is wrong with a policy.
pub(super) fn bad(state: &State, what: &BadPolicy) -> (Role, String) {
    let say = state.sayer();
    match what {
        BadPolicy::Missing => (Role::SevMedium, "does not exist: the server skips it, so there is less than meant".to_owned()),
        BadPolicy::Unseen(why) => (Role::Unknown, format!("we can't read it: {}", say.say(why))),
        BadPolicy::Refused(refused) => (
            Role::SevHigh,
            format!("the server refuses it, and with it every request of its tokens: line {}: {}", refused.line, say.say(&refused.what)),
        ),
    }
}

fn one_policy(state: &State, login: &Login, policy: &Name, from: &[&PolicyFrom], doc: &mut Doc) {
    let say = state.sayer();
    let from: Vec<String> = from.iter().map(|from| comes_from(state, from)).collect();
    doc.hang(vec![span(format!("  {} ", say.say(policy)), Role::Accent)], &from.join(", "), Role::Muted);
    if let Some(what) = state.view.assessment.secrets.bad_policies.get(policy) {
        let (role, text) = bad(state, what);
        return doc.hang(vec![span(format!("    {} ", state.symbols().no), role)], &text, Role::Text);
    }
    // by line, as one reads the policy
    let mut rules: BTreeMap<(u32, &str), (&Merged, usize)> = BTreeMap::new();
    let mut own = 0_usize;
    for rule in login.acl.rules() {
        for (i, origin) in rule.from.iter().enumerate().filter(|(_, origin)| origin.policy == *policy) {
            if harmless(policy, &rule.pattern) {
                own += 1;
            } else {
                rules.insert((origin.line, &rule.pattern), (rule, i));
            }
        }
    }
    let columns = rules.keys().next_back().map_or(1, |(line, _)| line.to_string().len());
    for ((line, _), (rule, i)) in rules.iter().take(RULES) {
        let Some(origin) = rule.from.get(*i) else { continue };
        let limits = if rule.limited { ", under conditions" } else { "" };
        let text = format!("{}: {}{limits}", pattern(state, &rule.pattern, origin), described(origin.capabilities));
        doc.hang(vec![span(format!("    {line:>columns$} "), Role::Label)], &text, Role::Text);
    }
    many(rules.len(), RULES, "rules", doc);
    own += login.acl.dropped().iter().filter(|d| d.origin.policy == *policy && !d.is_deny() && harmless(policy, &d.origin.written)).count();
    if own > 0 {
        doc.hang(vec![span("    ", Role::Text)], &format!("{own} rules on the token itself and who holds it"), Role::Muted);
    } else if rules.is_empty() {
        doc.hang(vec![span("    ", Role::Text)], "no rule that counts", Role::Muted);
    }
}
