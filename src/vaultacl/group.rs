//! Control groups: what each line of servers demands of them. Vault reads many things and demands little; `OpenBao`'s (seen in 2.7.2) names
//! every key it does not know.

use super::block::{check_keys, ttl};
use super::decode::{Decoder, Got, Node, Shape};
use super::dialect::Dialect;
use super::policy::Refused;
use super::tree::{Item, Val};

static VAULT: [(&str, Shape); 1] =
    [("control_group", Shape::Fields(&[("ttl", Shape::Any), ("factor", Shape::Map(&Shape::Fields(&FACTOR)))]))];
static FACTOR: [(&str, Shape); 3] =
    [("name", Shape::Text), ("identity", Shape::Fields(&IDENTITY)), ("controlled_capabilities", Shape::List(&Shape::Text))];
static IDENTITY: [(&str, Shape); 3] =
    [("group_ids", Shape::List(&Shape::Text)), ("group_names", Shape::List(&Shape::Text)), ("approvals", Shape::Int)];

static TTL: [(&str, Shape); 1] = [("ttl", Shape::Any)];
static FACTOR_BAO: [(&str, Shape); 2] =
    [("controlled_capabilities", Shape::List(&Shape::Text)), ("identity", Shape::Fields(&IDENTITY_BAO))];
static IDENTITY_BAO: [(&str, Shape); 2] = [("group_names", Shape::List(&Shape::Text)), ("approvals", Shape::Int)];

/// Operations that `OpenBao` lets a factor control.
const CONTROLLED: [&str; 14] = [
    "create",
    "read",
    "update",
    "patch",
    "delete",
    "list",
    "scan",
    "help",
    "alias-lookahead",
    "resolve-role",
    "revoke",
    "renew",
    "rollback",
    "header",
];

/// The control groups of a block, decoded.
#[derive(Debug)]
pub(super) struct Group {
    vault: Result<Got, Refused>,
    /// `OpenBao` would take them, or is not asked.
    bao: bool,
}

/// The control groups of a block; none where there are none. A deny does not hide what is wrong here.
pub(super) fn decode(items: &[Item<'_>], dialect: Dialect) -> Result<Option<Group>, Refused> {
    let groups = || items.iter().filter(|item| first(item).eq_ignore_ascii_case("control_group"));
    let Some(line) = groups().next().map(Item::line) else { return Ok(None) };
    let bao = if dialect.is_vault() { Ok(()) } else { groups().try_for_each(bao) };
    let vault = Decoder::new(line).decode(&Shape::Fields(&VAULT), &Node::items(items), None, false);
    match (dialect.is_openbao(), bao) {
        (_, Ok(())) if !dialect.is_vault() => Ok(Some(Group { vault, bao: true })),
        (true, Err(refused)) => Err(refused),
        _ => Ok(Some(Group { vault: Ok(vault?), bao: false })),
    }
}

fn first<'i>(item: &'i Item<'_>) -> &'i str {
    item.keys.first().and_then(|key| key.value.as_deref()).unwrap_or_default()
}

fn object<'n, 'a>(item: &'n Item<'a>) -> Result<&'n [Item<'a>], Refused> {
    if let Val::Object(items) = &item.val { Ok(items) } else { Err(Refused::at(item.line(), "control_group: expected a block in braces")) }
}

fn fields(got: Option<Got>) -> std::vec::IntoIter<Option<Got>> {
    if let Some(Got::Fields(fields)) = got { fields.into_iter() } else { Vec::new().into_iter() }
}

fn listed(got: Option<Got>) -> Vec<Got> {
    if let Some(Got::List(list)) = got { list } else { Vec::new() }
}

fn bao(group: &Item<'_>) -> Result<(), Refused> {
    let items = object(group)?;
    let line = group.line();
    check_keys(items, |key| matches!(key, "ttl" | "factor"))?;
    let decoded = Decoder::new(line).decode(&Shape::Fields(&TTL), &Node::items(items), None, false)?;
    ttl(fields(Some(decoded)).next().flatten(), line, "control_group: ttl")?;
    let mut factors = items.iter().filter(|item| first(item) == "factor").peekable();
    if factors.peek().is_none() {
        return Err(Refused::at(line, "control_group: requires at least one factor"));
    }
    factors.try_for_each(factor_bao)
}

fn factor_bao(factor: &Item<'_>) -> Result<(), Refused> {
    let line = factor.line();
    let fail = |what: &str| Err(Refused::at(line, &format!("control_group factor: {what}")));
    if factor.keys.len() < 2 {
        return fail("requires a name");
    }
    let items = object(factor)?;
    check_keys(items, |key| matches!(key, "controlled_capabilities" | "identity"))?;
    let decoded = Decoder::new(line).decode(&Shape::Fields(&FACTOR_BAO), &Node::items(items), None, false)?;
    let mut parts = fields(Some(decoded));
    let controlled = listed(parts.next().flatten());
    let mut identity = fields(parts.next().flatten());
    if controlled.is_empty() {
        return fail("missing controlled capabilities");
    }
    if !controlled.iter().all(|got| matches!(got, Got::Text(word) if CONTROLLED.contains(&word.as_str()))) {
        return fail("an operation that is none");
    }
    if listed(identity.next().flatten()).is_empty() {
        return fail("missing approving groups");
    }
    if !matches!(identity.next().flatten(), Some(Got::Int(1..))) {
        return fail("missing required approvals");
    }
    Ok(())
}

impl Group {
    /// What Vault demands beyond the kinds of values, where no deny hides it. `words`: the block's capabilities.
    pub fn check(self, words: &[String], line: u32) -> Result<(), Refused> {
        if self.bao {
            return Ok(());
        }
        let mut group = fields(fields(Some(self.vault?)).next().flatten());
        let fail = |what: &str| Err(Refused::at(line, what));
        ttl(group.next().flatten(), line, "control_group: ttl")?;
        let Some(Got::Map(factors)) = group.next().flatten().filter(|factors| !matches!(factors, Got::Map(map) if map.is_empty())) else {
            return fail("no control group factors provided");
        };
        for factor in factors.into_values() {
            let mut factor = fields(Some(factor)).skip(1);
            let Some(identity @ Got::Fields(_)) = factor.next().flatten() else { return fail("no control_group factor provided") };
            let mut identity = fields(Some(identity));
            let groups = listed(identity.next().flatten()).len().saturating_add(listed(identity.next().flatten()).len());
            if groups == 0 || !matches!(identity.next().flatten(), Some(Got::Int(1..))) {
                return fail("must provide more than one identity group and approvals > 0");
            }
            let held = |got: &Got| matches!(got, Got::Text(word) if words.contains(word));
            if !listed(factor.next().flatten()).iter().all(held) {
                return fail("control group factor capabilities must be a subset of the policy's capabilities");
            }
        }
        Ok(())
    }
}

/// The template of `OpenBao`'s `list_scan_response_keys_filter_path`: it must use the key. Functions and conditions in it are the server's to
/// judge.
pub(super) fn keys_filter(filter: &str) -> Result<(), &'static str> {
    let mut named = false;
    for action in filter.split("{{").skip(1) {
        let Some((inside, _)) = action.split_once("}}") else { return Err("a brace that is not closed") };
        let inside = inside.strip_prefix('-').unwrap_or(inside);
        let inside = inside.strip_suffix('-').unwrap_or(inside).trim();
        match inside.strip_prefix('.') {
            None if inside.is_empty() => return Err("an empty action"),
            Some("" | "key") => named = true,
            Some(field) if field.starts_with("key.") || field.starts_with("path.") => return Err("a field of what has none"),
            Some(field) if field.chars().all(|c| c.is_alphanumeric() || c == '_') => {}
            _ => named |= inside.contains(".key") || inside.contains("random"),
        }
    }
    if named { Ok(()) } else { Err("does not use the key") }
}
