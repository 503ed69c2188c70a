//! What a set of Vault policies allows: the contract of `spec/vault.md` 4, and the same for people.

use serde_json::{Value, json};

use crate::model::text::clean;
use crate::vaultacl::acl::{Acl, Decision, Merged, Request};
use crate::vaultacl::capability::Capability;

/// The answer as the contract has it.
pub fn json(acl: &Acl, request: &Request<'_>, decision: &Decision<'_>) -> Value {
    json!({
        "allowed": decision.allowed,
        "root_privs": decision.root_privs,
        "capabilities": acl.capabilities(request.path),
        "granting": granting(acl, request, decision),
        "rule": decision.rule.map(|rule| rule.pattern.as_str()),
        "kind": decision.rule.map(|rule| rule.kind.word()),
    })
}

/// An error as the contract has it.
pub fn error(what: &str) -> Value {
    json!({"error": what})
}

/// The policies whose blocks of the winning rule grant what is asked, in their order.
fn granting<'d>(acl: &Acl, request: &Request<'_>, decision: &Decision<'d>) -> Vec<&'d str> {
    if acl.is_root() {
        return vec!["root"];
    }
    let Some(rule) = decision.rule.filter(|_| decision.allowed) else { return Vec::new() };
    let needed = request.operation.needs();
    let grants = rule.from.iter().filter(|origin| needed.is_some_and(|needed| origin.capabilities.has(needed)));
    let mut names: Vec<&str> = Vec::new();
    for origin in grants {
        if !names.contains(&&*origin.policy) {
            names.push(&origin.policy);
        }
    }
    names
}

/// The answer for people: the verdict, the rule that wins, the blocks that it is made of, and blocks that do not count.
pub fn table(acl: &Acl, request: &Request<'_>, decision: &Decision<'_>) -> String {
    let mut lines = vec![format!("{} by the rules of {}", verdict(request, decision), acl.dialect().word())];
    match decision.rule {
        Some(rule) => {
            lines.push(format!("rule          {}", rule_words(rule)));
            for origin in &rule.from {
                let words = words(origin.capabilities.iter());
                lines.push(format!("  from        {} line {}: {words}", clean(&origin.policy), origin.line));
            }
        }
        None if acl.is_root() => lines.push("rule          none: the root policy allows everything".to_owned()),
        None => lines.push("rule          none".to_owned()),
    }
    if decision.root_privs {
        lines.push("sudo          yes".to_owned());
    }
    lines.push(format!("capabilities  {}", acl.capabilities(request.path).join(", ")));
    for dropped in acl.dropped() {
        let origin = &dropped.origin;
        lines.push(format!(
            "left out      {} line {}, {}: {}",
            clean(&origin.policy),
            origin.line,
            clean(&origin.written),
            clean(&dropped.why)
        ));
    }
    lines.join("\n") + "\n"
}

/// The answer in one line.
pub fn line(acl: &Acl, request: &Request<'_>, decision: &Decision<'_>) -> String {
    let by = match decision.rule {
        Some(rule) => {
            let from: Vec<String> = rule.from.iter().map(|origin| format!("{} line {}", clean(&origin.policy), origin.line)).collect();
            format!("{} from {}", rule_words(rule), from.join(", "))
        }
        None if acl.is_root() => "the root policy".to_owned(),
        None => "no rule".to_owned(),
    };
    format!("{}: {by}\n", verdict(request, decision))
}

fn verdict(request: &Request<'_>, decision: &Decision<'_>) -> String {
    let asked = format!("{} {}", request.operation.word(), clean(request.path));
    match decision.why {
        _ if decision.allowed => format!("ALLOWED  {asked}"),
        Some(why) => format!("DENIED   {asked}, {},", why.words()),
        None => format!("DENIED   {asked}"),
    }
}

fn rule_words(rule: &Merged) -> String {
    let limited = if rule.limited { ", under conditions" } else { "" };
    format!("{} ({}: {}{limited})", clean(&rule.pattern), rule.kind.word(), words(rule.capabilities.iter()))
}

fn words(capabilities: impl Iterator<Item = Capability>) -> String {
    let words: Vec<&str> = capabilities.map(Capability::word).collect();
    if words.is_empty() { "nothing".to_owned() } else { words.join(", ") }
}
