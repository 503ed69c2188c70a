//! A strict reader of Vault's ACL policies, and what a tenant's policies call its own. What is not understood is refused, never guessed.

pub mod hcl;
pub mod json;
pub mod own;
pub mod rule;

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

#[cfg(test)]
mod tests;
