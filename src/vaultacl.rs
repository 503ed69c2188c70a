//! Vault's and OpenBao's ACL: policies read as the servers read them, what they decide together, and what every tenant can reach by them.

pub mod acl;
pub mod binding;
mod block;
pub mod capability;
mod decode;
pub mod dialect;
mod flatten;
mod group;
mod hcl;
mod json;
pub mod kv;
mod lexer;
mod literal;
pub mod policy;
pub mod reach;
mod span;
pub mod template;
mod tree;

use std::borrow::Cow;

use dialect::Dialect;
use policy::{Policy, Refused};

/// Policies larger than this are not read.
const LARGEST: usize = 1 << 20;

/// A policy as a server of this dialect reads it, or why it would refuse it: JSON where the first character that is no blank is a brace,
/// else HCL 1 (`spec/vault.md` 1.1, 3). What is larger than 1 MiB or nested more than 64 deep is refused too, in words that say so. Whether a
/// block has expired is not looked at. O(length).
///
/// # Errors
/// The first thing that the server would refuse, with its line.
pub fn read(text: &str, dialect: Dialect) -> Result<Policy, Refused> {
    if text.len() > LARGEST {
        return Err(Refused::at(0, &format!("larger than 1 MiB, {}", policy::NOT_READ)));
    }
    if text.trim_start().starts_with('{') {
        return block::policy(&json::parse(text)?, dialect);
    }
    let text = if text.contains("\r\n") { Cow::Owned(text.replace("\r\n", "\n")) } else { Cow::Borrowed(text) };
    let once = matches!(dialect, Dialect::Vault121 | Dialect::Vault20);
    block::policy(&hcl::parse(&text, once)?, dialect)
}

#[cfg(test)]
mod tests;
