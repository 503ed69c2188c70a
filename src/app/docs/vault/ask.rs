//! The answer about a path: which rule decides for one tenant, and who of all can reach it, by policy.

use std::collections::BTreeMap;

use unicode_width::UnicodeWidthChar;

use super::names::{described, many, pattern, tenants, who};
use crate::app::doc::{Doc, Span, span};
use crate::app::role::Role;
use crate::app::state::{Answer, AskDialog, State};
use crate::app::vault::answer::{ByRole, Everyone, Holder, Outcome, operations, owners};
use crate::app::vault::{self};
use crate::model::ids::TenantId;
use crate::vaultacl::capability::Operation;
use crate::vaultacl::reach::Ruling;

/// Roles, ServiceAccounts, rules, doors that are told; the rest is counted.
const TOLD: usize = 16;
/// Columns of the labels.
const LABEL: usize = 7;

/// The dialog's text.
pub fn dialog(state: &State, dialog: &AskDialog, width: usize) -> Doc {
    let mut doc = Doc::new(width);
    let mut first = vec![span(format!("{:LABEL$} ", "path"), Role::Label)];
    if dialog.typing {
        first.extend(field(state, dialog, width.saturating_sub(LABEL + 2)));
        doc.line(first);
    } else {
        doc.hang(first, &state.sayer().say(dialog.input.value()), Role::Match);
    }
    if let Some(why) = dialog.refused {
        doc.hang(vec![span(format!("{:LABEL$} ", ""), Role::Text)], why, Role::NoteWarn);
    }
    let Some(asked) = &dialog.asked else {
        doc.blank();
        doc.para("As requests have it (secret/data/x, /v1/secret/data/x), or as the command line takes it (secret/x).", Role::Muted);
        doc.para("Enter asks which rule decides there, and who can reach it. Esc leaves.", Role::Muted);
        return doc;
    };
    doc.pair("read", LABEL, &state.sayer().say(&asked.how), Role::Muted);
    let owners = owners(&state.view.assessment.secrets, asked);
    let whose = if owners.is_empty() { "nobody's that we know of".to_owned() } else { tenants(state, owners.iter(), owners.len()) };
    doc.pair("whose", LABEL, &whose, Role::Strong);
    if let Some((why, _)) = vault::blind(state) {
        doc.pair("", LABEL, &format!("Nothing may be concluded: {}", state.sayer().say(&why)), Role::Stale);
    }
    match &dialog.answer {
        Answer::None => {}
        Answer::One(by_role) => one(state, dialog, by_role, &owners, &mut doc),
        Answer::Everyone(everyone) => all(state, dialog, everyone, &owners, &mut doc),
    }
    doc
}

/// The field with its cursor; of a long path, the part around it.
fn field(state: &State, dialog: &AskDialog, room: usize) -> Vec<Span> {
    if state.settings.redact {
        return crate::app::doc::field(&state.sayer(), &dialog.input);
    }
    let say = state.sayer();
    let columns = |c: char| c.width().unwrap_or(0).max(1);
    let chars: Vec<char> = dialog.input.value().chars().collect();
    let cursor = dialog.input.cursor().min(chars.len());
    // as much before the cursor as fits beside the cell under it
    let mut from = cursor;
    let mut used = 2;
    while from > 0 {
        let wide = chars.get(from - 1).copied().map_or(1, columns);
        if used + wide > room.max(3) {
            break;
        }
        used += wide;
        from -= 1;
    }
    let text = |range: std::ops::Range<usize>| chars.get(range).unwrap_or_default().iter().collect::<String>();
    let under = chars.get(cursor).map_or_else(|| "_".to_owned(), ToString::to_string);
    let mut out = Vec::new();
    if from > 0 {
        out.push(span("…", Role::Muted));
    }
    out.push(span(say.say(&text(from..cursor)).into_owned(), Role::Match));
    out.push(span(say.say(&under).into_owned(), Role::Cursor));
    out.push(span(say.say(&text((cursor + 1).min(chars.len())..chars.len())).into_owned(), Role::Match));
    out
}

/// One tenant: each role, each operation.
fn one(state: &State, dialog: &AskDialog, by_role: &[ByRole], owners: &[TenantId], doc: &mut Doc) {
    let say = state.sayer();
    let Some(reach) = vault::reach(state, &dialog.tenant) else {
        doc.blank();
        return doc.para("This tenant is gone.", Role::Muted);
    };
    if by_role.is_empty() {
        doc.blank();
        doc.para(&format!("{} has no way to log in: nothing is allowed.", say.say(&dialog.tenant)), Role::Text);
    }
    let own = owners.contains(&dialog.tenant);
    for answered in by_role.iter().take(TOLD) {
        doc.blank();
        doc.line(vec![
            span(say.say(&answered.role).into_owned(), Role::Title),
            span(" @ ", Role::Muted),
            span(say.say(&answered.mount).into_owned(), Role::Strong),
        ]);
        for account in answered.who.iter().take(4) {
            let sign = if account.exists() { state.symbols().live } else { state.symbols().down };
            doc.hang(vec![span(format!("  {sign} "), Role::Muted)], &who(state, account), Role::Muted);
        }
        many(answered.who.len(), 4, "ServiceAccounts", doc);
        for (operations, outcome) in &answered.decided {
            decided(state, operations, outcome, own, doc);
        }
    }
    many(by_role.len(), TOLD, "roles", doc);
    let open: Vec<_> = reach.doubts.iter().filter(|doubt| doubt.may_add).collect();
    if let Some(doubt) = open.first() {
        doc.blank();
        let more = if open.len() > 1 { format!(" (and {} more)", open.len() - 1) } else { String::new() };
        doc.hang(vec![span("? ", Role::Unknown)], &format!("as far as seen: {}{more}", say.say(&doubt.words)), Role::Text);
    }
}

/// Operations that are decided alike, and by what.
fn decided(state: &State, operations: &[Operation], outcome: &Outcome, own: bool, doc: &mut Doc) {
    let words: Vec<&str> = operations.iter().map(|operation| operation.word()).collect();
    let (sign, role, said) = if outcome.allowed {
        let role = if own { Role::Text } else { Role::Breached };
        (state.symbols().yes, role, if outcome.conditions { "ALLOWED under conditions" } else { "ALLOWED" })
    } else {
        (state.symbols().denied, Role::Muted, outcome.refusal())
    };
    doc.hang(vec![span(format!("  {sign} "), role), span(format!("{}  ", words.join(" ")), Role::Strong)], said, role);
    if let Some(rule) = &outcome.rule {
        ruling(state, rule, "      ", doc);
    } else if outcome.allowed {
        doc.hang(vec![span("      ", Role::Text)], "root: no rule is looked at", Role::Breached);
    }
}

/// The rule that wins, and the blocks it was made of.
fn ruling(state: &State, rule: &Ruling, indent: &str, doc: &mut Doc) {
    let say = state.sayer();
    let Some(first) = rule.from.first() else { return };
    doc.hang(vec![span(format!("{indent}wins: "), Role::Label)], &pattern(state, &rule.pattern, first), Role::Accent);
    for origin in rule.from.iter().take(TOLD) {
        let text = format!("policy {} line {}: {}", say.say(&origin.policy), origin.line, described(origin.capabilities));
        doc.hang(vec![span(format!("{indent}      "), Role::Text)], &text, Role::Text);
    }
    many(rule.from.len(), TOLD, "blocks", doc);
}

/// All tenants: who can, by which block of which policy, and why the others can't.
fn all(state: &State, dialog: &AskDialog, everyone: &Everyone, owners: &[TenantId], doc: &mut Doc) {
    let say = state.sayer();
    let known = operations(state.view.assessment.secrets.dialect);
    let mut line = vec![span(format!("{:LABEL$} ", "may"), Role::Label)];
    for (i, operation) in known.enumerate() {
        let here = i == dialog.operation;
        line.push(span(
            if here { format!("[{}] ", operation.word()) } else { format!("{} ", operation.word()) },
            if here { Role::Accent } else { Role::Muted },
        ));
    }
    doc.line(line);
    doc.blank();
    let (count, all) = (everyone.allowed.len(), state.view.assessment.secrets.by_tenant.len());
    let others = everyone.allowed.keys().filter(|tenant| !owners.contains(tenant)).count();
    let role = if others > 0 { Role::Breached } else { Role::Strong };
    let besides = match (owners.is_empty(), others) {
        _ if count == 0 => String::new(),
        (true, _) => String::new(),
        (false, 0) => ": nobody but whose it is".to_owned(),
        (false, n) => format!(": {n} of them not its owner"),
    };
    doc.para(&format!("{count} of {all} tenants{besides}"), role);
    for door in everyone.doors.iter().take(TOLD) {
        doc.blank();
        let title = format!("policy {} line {}: {}", say.say(&door.origin.policy), door.origin.line, described(door.origin.capabilities));
        doc.hang(vec![span(format!("{} ", state.symbols().running), Role::Accent)], &title, Role::Title);
        doc.hang(vec![span("  ", Role::Text)], &pattern(state, &door.pattern, &door.origin), Role::Accent);
        let plural = if door.tenants.len() == 1 { "" } else { "s" };
        doc.hang(
            vec![span(format!("  {} tenant{plural}: ", door.tenants.len()), Role::Label)],
            &holders(state, &door.tenants, owners),
            Role::Text,
        );
    }
    many(everyone.doors.len(), TOLD, "blocks", doc);
    doc.head("refused");
    for (why, refused) in &everyone.refused {
        doc.hang(
            vec![span(format!("{} {} ", state.symbols().denied, refused.len()), Role::Muted)],
            &format!("{why}: {}", tenants(state, refused.iter(), refused.len())),
            Role::Text,
        );
    }
    if everyone.outside > 0 {
        doc.hang(vec![span(format!("{} {} ", state.symbols().bullet, everyone.outside), Role::Muted)], "no role admits them", Role::Text);
    }
    if !everyone.unsure.is_empty() {
        let text =
            format!("as far as seen; what may add to it can't be read: {}", tenants(state, everyone.unsure.iter(), everyone.unsure.len()));
        doc.hang(vec![span(format!("? {} ", everyone.unsure.len()), Role::Unknown)], &text, Role::Text);
    }
}

/// Tenants with how they come there: the owner, only by a ServiceAccount still to be made, under conditions.
fn holders(state: &State, of: &BTreeMap<TenantId, Holder>, owners: &[TenantId]) -> String {
    let say = state.sayer();
    // strangers first: they are why one asks
    let (own, foreign): (Vec<_>, Vec<_>) = of.iter().partition(|(tenant, _)| owners.contains(tenant));
    let named = foreign.iter().chain(own.iter()).take(TOLD).map(|(tenant, holder)| {
        let notes = [
            (owners.contains(tenant), "the owner"),
            (!holder.exists, "could make a ServiceAccount for it"),
            (!holder.plainly, "under conditions"),
        ];
        let notes: Vec<&str> = notes.into_iter().filter(|(on, _)| *on).map(|(_, note)| note).collect();
        let name = say.say(tenant);
        if notes.is_empty() { name.into_owned() } else { format!("{name} ({})", notes.join(", ")) }
    });
    let named: Vec<String> = named.collect();
    let more = if of.len() > named.len() { format!(" and {} more", of.len() - named.len()) } else { String::new() };
    format!("{}{more}", named.join(", "))
}
