//! What a tenant reaches in Vault, in words: whose other paths and by which line, how its own are covered, and the chain that leads there.

pub mod ask;
mod chain;
mod names;

pub use names::{described, many, tenants};

use super::vault::names::pattern;
use crate::app::doc::{Doc, Span, span};
use crate::app::role::Role;
use crate::app::state::State;
use crate::app::vault::{self, HARMS, STANCES, Stance};
use crate::app::words;
use crate::model::event::Authority;
use crate::model::time::age;
use crate::posture::assessment::Refusal;
use crate::vaultacl::kv::Harm;
use crate::vaultacl::reach::{Crossing, Grant, Root, RootFrom, TenantReach};

/// Crossings, grants and doubts that are told of each; the rest is counted.
const TOLD: usize = 12;

/// Whose rules apply and how we know, for the line above the list.
pub fn rules(state: &State) -> Vec<Span> {
    let picture = &state.view.assessment.secrets;
    if picture.by_tenant.is_empty() {
        return Vec::new();
    }
    let (used, own) = vault::dialects(state);
    let say = state.sayer();
    let from = if picture.dialect_from.is_empty() { "the server does not tell".into() } else { say.say(&picture.dialect_from) };
    let mut line = vec![span("   rules of ", Role::Muted), span(used.word(), Role::Strong), span(format!(" ({from})"), Role::Muted)];
    if let Some(own) = own {
        line.push(span(format!("  OVERRIDDEN: the server is {}", own.word()), Role::NoteWarn));
    }
    let oldest = state.view.snapshot.vault.item_age;
    if oldest > 0 {
        // read in turns: nothing may look newer than it is
        line.push(span(format!("  read within {oldest} s"), Role::Muted));
    }
    line
}

/// The tenant in one line.
pub fn one_line(state: &State) -> Vec<Span> {
    let Some(tenant) = vault::selected(state) else { return Vec::new() };
    let Some(reach) = vault::reach(state, tenant) else { return Vec::new() };
    let stance = vault::stance(state, tenant);
    let mut line = vec![
        span(format!("{} ", stance.sign(state.symbols())), role(state, stance.role())),
        span(format!("{} ", state.sayer().say(tenant)), Role::Strong),
    ];
    let said = match (stance, reach.crossings.first(), reach.escalations.first(), reach.doubts.iter().find(|doubt| doubt.may_add)) {
        (Stance::Escalates, _, Some(grant), _) => format!("may {} {}: {}", grant.operation.word(), path(state, grant), by(state, grant)),
        (_, Some(crossing), ..) => {
            format!(
                "{}: {} {}: {}",
                crossing.action.words,
                crossing.grant.operation.word(),
                path(state, &crossing.grant),
                by(state, &crossing.grant)
            )
        }
        (Stance::Unsure, _, _, Some(doubt)) => state.sayer().say(&doubt.words).into_owned(),
        _ => stance.words().to_owned(),
    };
    line.push(span(said, Role::Text));
    line
}

/// A role, or none of its own while nothing may be concluded.
fn role(state: &State, role: Role) -> Role {
    if vault::blind(state).is_some() { Role::Muted } else { role }
}

fn path(state: &State, grant: &Grant) -> String {
    state.sayer().say(&grant.path).into_owned()
}

/// The policy and line of a grant.
fn by(state: &State, grant: &Grant) -> String {
    format!("policy {} line {}", state.sayer().say(&grant.origin.policy), grant.origin.line)
}

/// Everything about a tenant, one below the other.
pub fn detail(state: &State, tenant: &str, width: usize) -> Doc {
    let mut doc = reached(state, tenant, width);
    doc.blank();
    doc.lines.extend(chain::chain(state, tenant, width).lines);
    doc
}

/// The two texts of a wide pane: what is reached, and the chain that leads there.
pub fn beside(state: &State, width: u16) -> [(u16, Doc); 2] {
    let left = width / 2;
    let right = width.saturating_sub(left + 4);
    let of = |build: fn(&State, &str, usize) -> Doc, columns: u16| {
        vault::selected(state).map(|tenant| build(state, tenant, usize::from(columns))).unwrap_or_default()
    };
    [(left, of(reached, left)), (right, of(chain::chain, right))]
}

/// What a tenant reaches of others', what of its own, and what can't be said.
fn reached(state: &State, tenant: &str, width: usize) -> Doc {
    let mut doc = Doc::new(width);
    if let Some((why, since)) = vault::blind(state) {
        let since = since.map(|at| format!(", since {}", age(state.now.since(at)))).unwrap_or_default();
        let text = format!("nothing may be concluded{since}: {}. What follows was seen last.", state.sayer().say(&why));
        doc.hang(vec![span(format!("{} ", state.symbols().stale), Role::Stale)], &text, Role::Stale);
    }
    let Some(reach) = vault::reach(state, tenant) else {
        doc.para("Not seen yet.", Role::Muted);
        return doc;
    };
    let stance = vault::stance(state, tenant);
    doc.hang(vec![span(format!("{} ", stance.sign(state.symbols())), role(state, stance.role()))], stance.words(), Role::Strong);
    crossings(state, reach, &mut doc);
    grants(state, reach, "gives itself more by", &reach.escalations, Role::Breached, &mut doc);
    doubts(state, reach, &mut doc);
    refusals(state, tenant, &mut doc);
    own(state, reach, &mut doc);
    let lists = [
        ("lists above its own by", &reach.ancestors, Role::SevMedium),
        ("writes on its own by", &reach.writes, Role::SevLow),
        ("rules wider than its own", &reach.beyond, Role::SevMedium),
    ];
    for (title, list, role) in lists {
        grants(state, reach, title, list, role, &mut doc);
    }
    doc
}

/// Others' paths, worst first, each with its proof.
fn crossings(state: &State, reach: &TenantReach, doc: &mut Doc) {
    if reach.crossings.is_empty() {
        return;
    }
    doc.head("others' paths within reach");
    for crossing in reach.crossings.iter().take(TOLD) {
        one_crossing(state, reach, crossing, doc);
    }
    many(reach.crossings.len(), TOLD, "rules", doc);
}

/// The role and the stance of a harm.
const fn harm(harm: Harm) -> Stance {
    match harm {
        Harm::Value => Stance::Value,
        Harm::Tamper => Stance::Tamper,
        Harm::Structure => Stance::Structure,
    }
}

fn one_crossing(state: &State, reach: &TenantReach, crossing: &Crossing, doc: &mut Doc) {
    let of = harm(crossing.harm);
    let sign = span(format!("{} ", of.sign(state.symbols())), role(state, of.role()));
    let conditions = if crossing.grant.conditions { ", under conditions" } else { "" };
    let whose = tenants(state, crossing.partners.iter(), crossing.partners.len());
    let count = crossing.partners.len();
    let plural = if count == 1 { "" } else { "s" };
    let first = vec![sign, span(format!("{} ", crossing.harm.word()), role(state, of.role()))];
    doc.hang(first, &format!("{}{conditions}, of {count} tenant{plural}: {whose}", crossing.action.words), Role::Strong);
    proof(state, reach, &crossing.grant, doc);
}

/// A witness, and the rule and the login that let it pass.
fn proof(state: &State, reach: &TenantReach, grant: &Grant, doc: &mut Doc) {
    const LABEL: usize = 6;
    let say = state.sayer();
    let mut pair = |label: &str, text: &str, role: Role| {
        doc.hang(vec![span(format!("  {label:LABEL$} "), Role::Label)], text, role);
    };
    pair("proof", &format!("{} {}", grant.operation.word(), say.say(&grant.path)), Role::Accent);
    pair("rule", &pattern(state, &grant.pattern, &grant.origin), Role::Text);
    pair("by", &format!("{}: {}", by(state, grant), described(grant.origin.capabilities)), Role::Text);
    if let Some(login) = reach.logins.get(grant.login) {
        pair("as", &names::login(state, login), Role::Muted);
    }
}

/// Rules of one kind of interest.
fn grants(state: &State, reach: &TenantReach, title: &str, list: &[Grant], of: Role, doc: &mut Doc) {
    if list.is_empty() {
        return;
    }
    doc.head(title);
    for grant in list.iter().take(TOLD) {
        let conditions = if grant.conditions { " (under conditions)" } else { "" };
        let text = format!("{} {}{conditions}", grant.operation.word(), pattern(state, &grant.pattern, &grant.origin));
        doc.hang(vec![span(format!("{} ", state.symbols().bullet), role(state, of))], &text, Role::Text);
        let login = reach.logins.get(grant.login).map(|login| format!(", by role {}", state.sayer().say(&login.role))).unwrap_or_default();
        doc.hang(vec![span("  ", Role::Text)], &format!("{}{login}", by(state, grant)), Role::Muted);
    }
    many(list.len(), TOLD, "rules", doc);
}

/// What Vault, a role's binding or a store's conditions refused to it lately: the wall at work, or one that is too tight.
fn refusals(state: &State, tenant: &str, doc: &mut Doc) {
    let lately: Vec<&Refusal> = refused(state, tenant).collect();
    if lately.is_empty() {
        return;
    }
    doc.head("refused to it lately");
    for refusal in lately.iter().take(TOLD) {
        let say = state.sayer();
        let text = format!(
            "{} by {}: {}: {}",
            words::ago(state.now.since(refusal.last)),
            words::authority(refusal.authority),
            say.say(&refusal.about),
            say.say(&refusal.message)
        );
        doc.hang(vec![span(format!("{} ", state.symbols().denied), Role::Accent)], &text, Role::Text);
    }
    many(lately.len(), TOLD, "refusals", doc);
}

/// Refusals of the secret wall to a tenant.
pub fn refused<'a>(state: &'a State, tenant: &str) -> impl Iterator<Item = &'a Refusal> {
    let all = state.assessed(tenant).map(|assessed| assessed.refusals.as_slice()).unwrap_or_default();
    all.iter().filter(|refusal| matches!(refusal.authority, Authority::VaultAcl | Authority::VaultRoleBinding | Authority::StoreCondition))
}

/// The tenant's own paths and whether it can read them.
fn own(state: &State, reach: &TenantReach, doc: &mut Doc) {
    doc.head("its own paths");
    let (_, own_role, words) = vault::cover(&reach.own);
    doc.hang(vec![span(format!("{} ", state.symbols().bullet), role(state, own_role))], words, Role::Text);
    for root in reach.roots.iter().take(TOLD) {
        let (place, from) = place(state, root);
        if place.chars().count() * 2 > doc.width {
            doc.hang(vec![span("  ", Role::Text)], &place, Role::Accent);
            doc.hang(vec![span("    ", Role::Text)], &from, Role::Muted);
        } else {
            doc.hang(vec![span("  ", Role::Text), span(format!("{place} "), Role::Accent)], &from, Role::Muted);
        }
    }
    many(reach.roots.len(), TOLD, "places", doc);
}

/// A root, and how it is known.
fn place(state: &State, root: &Root) -> (String, String) {
    let say = state.sayer();
    let from = match &root.from {
        RootFrom::Configured => "by the configuration".to_owned(),
        RootFrom::Consumer(object) => format!("asked for by {}", say.say(object)),
        RootFrom::Policy(policy) => format!("opened by policy {} alone", say.say(policy)),
        RootFrom::Named => "by its name".to_owned(),
    };
    (say.say(&format!("{}/{}", root.mount, root.path)).into_owned(), format!("version {}, {from}", root.version))
}

/// What can't be said.
fn doubts(state: &State, reach: &TenantReach, doc: &mut Doc) {
    if reach.doubts.is_empty() {
        return;
    }
    doc.head("what can't be said");
    for doubt in reach.doubts.iter().take(TOLD) {
        let (sign, of) = if doubt.may_add { ("?", Role::Unknown) } else { (state.symbols().bullet, Role::Muted) };
        doc.hang(vec![span(format!("{sign} "), of)], &state.sayer().say(&doubt.words), Role::Text);
    }
    many(reach.doubts.len(), TOLD, "doubts", doc);
}

/// The signs with how many tenants stand so, in shorter words where they do not fit.
pub fn legend(state: &State, width: usize) -> Vec<Span> {
    let columns = |line: &[Span]| line.iter().map(|s| s.text.chars().count()).sum::<usize>();
    let line = legend_in(state, 3, Stance::word);
    if columns(&line) <= width { line } else { legend_in(state, 2, Stance::short) }
}

fn legend_in(state: &State, gap: usize, word: impl Fn(Stance) -> &'static str) -> Vec<Span> {
    let mut line = Vec::new();
    let counts = state.walls.tally.stances();
    for (stance, count) in STANCES.into_iter().zip(counts).filter(|(_, count)| **count > 0) {
        line.push(span(stance.sign(state.symbols()), role(state, stance.role())));
        line.push(span(format!(" {count} {}{:gap$}", word(stance), ""), Role::Muted));
    }
    line
}

/// Signs and columns with their meanings.
pub fn signs(state: &State, width: usize) -> Doc {
    let mut doc = Doc::new(width);
    for stance in STANCES {
        let first = vec![span(stance.sign(state.symbols()), stance.role()), span(format!("  {:16}", stance.word()), Role::Strong)];
        doc.hang(first, stance.words(), Role::Text);
    }
    doc.blank();
    let harms = HARMS.map(|(harm, titles)| (titles[1], format!("tenants whose {} it reaches", meaning(harm))));
    let columns = [
        ("ROLES", "roles that admit it".to_owned()),
        ("LOGINS", "logins: with ServiceAccounts that exist / if it may create some".to_owned()),
        ("OWN", "what it can read of its own: whole, exact (not below), below (not the path itself), nothing".to_owned()),
    ];
    let rest = [("ESC", "rules by which it gives itself more".to_owned()), ("?", "things that can't be said".to_owned())];
    for (title, words) in columns.into_iter().chain(harms).chain(rest) {
        doc.hang(vec![span(format!("{title:7}"), Role::Label)], &words, Role::Text);
    }
    doc
}

const fn meaning(harm: Harm) -> &'static str {
    match harm {
        Harm::Value => "values",
        Harm::Tamper => "secrets' integrity",
        Harm::Structure => "names or metadata",
    }
}

/// What is said of the whole, above the signs: policies that are not as they should be.
pub fn policies(state: &State, width: usize) -> Doc {
    let mut doc = Doc::new(width);
    let bad = &state.view.assessment.secrets.bad_policies;
    if bad.is_empty() {
        return doc;
    }
    doc.head("policies that are not as they should be");
    for (name, what) in bad.iter().take(TOLD) {
        let (of, text) = chain::bad(state, what);
        doc.hang(vec![span(format!("{} ", state.sayer().say(name)), of)], &text, Role::Text);
    }
    many(bad.len(), TOLD, "policies", &mut doc);
    if let Some(at) = state.view.assessment.secrets.next_expiry {
        doc.para(&format!("A block or policy expires at {}.", words::clock(at, state.now)), Role::NoteWarn);
    }
    doc
}
