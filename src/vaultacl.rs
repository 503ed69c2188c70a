//! Vault's and OpenBao's ACL: policies read as the servers read them, what they decide together, and what every tenant can reach by them.

pub mod acl;
pub mod binding;
pub mod capability;
pub mod dialect;
pub mod hcl;
pub mod json;
pub mod kv;
pub mod own;
pub mod policy;
pub mod reach;
pub mod rule;
pub mod template;

pub use own::{Login, OwnPath, PathKind, own_paths};
pub use rule::{Capability, PathRule, Unreadable};

/// Policies larger than this are not read.
const LARGEST: usize = 1 << 20;

/// The rules of a policy, in the order written. JSON where the first character is a brace, else HCL 1 in its common form; anything that is not
/// understood, heredocs and interpolation among it, is [`Unreadable`]. O(length).
pub fn policy_paths(text: &str) -> Result<Vec<PathRule>, Unreadable> {
    if text.len() > LARGEST {
        return Err(Unreadable::new(0, "a policy larger than 1 MiB"));
    }
    if text.trim_start().starts_with('{') { json::read(text) } else { hcl::read(text) }
}

/// A policy as a server of this dialect reads it, or why it would refuse it. O(length).
pub fn read(text: &str, _dialect: dialect::Dialect) -> Result<policy::Policy, policy::Refused> {
    let refused = |e: Unreadable| policy::Refused { line: u32::try_from(e.line).unwrap_or(u32::MAX), what: e.what };
    let rules = policy_paths(text).map_err(refused)?;
    let rule = |rule: PathRule| policy::Rule {
        pattern: rule.pattern,
        line: 0,
        capabilities: rule.capabilities.iter().filter_map(|c| capability::CAPABILITIES.get(*c as usize)).map(|(_, c)| *c).collect(),
        limits: rule.limited.then(Box::default),
        expires: None,
    };
    Ok(policy::Policy { rules: rules.into_iter().map(rule).collect() })
}

#[cfg(test)]
mod tests;
