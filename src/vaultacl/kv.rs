//! What one can do to a secret, and with which request (`spec/vault.md` 1.9).

use super::capability::Operation;

/// How bad it is when another tenant can do it. The order is that of badness, worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Harm {
    /// Reads the value.
    Value,
    /// Changes or destroys it.
    Tamper,
    /// Learns names or metadata.
    Structure,
}

impl Harm {
    /// As a word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Value => "value",
            Self::Tamper => "tamper",
            Self::Structure => "structure",
        }
    }
}

/// One thing that can be done to a secret on a key-value mount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Action {
    /// In words: `read the value`.
    pub words: &'static str,
    /// The part of the path between mount and secret, with its slash: `data/`; empty for version 1.
    pub below: &'static str,
    /// The request.
    pub operation: Operation,
    /// How bad.
    pub harm: Harm,
}

const fn action(words: &'static str, below: &'static str, operation: Operation, harm: Harm) -> Action {
    Action { words, below, operation, harm }
}

/// Version 2 of the engine, worst first.
pub const VERSION_2: [Action; 17] = [
    action("read the value", "data/", Operation::Read, Harm::Value),
    action("overwrite the value", "data/", Operation::Update, Harm::Tamper),
    action("write a value", "data/", Operation::Create, Harm::Tamper),
    action("patch the value", "data/", Operation::Patch, Harm::Tamper),
    action("delete the newest version", "data/", Operation::Delete, Harm::Tamper),
    action("delete versions", "delete/", Operation::Update, Harm::Tamper),
    action("undelete versions", "undelete/", Operation::Update, Harm::Tamper),
    action("destroy versions", "destroy/", Operation::Update, Harm::Tamper),
    action("delete it with all versions", "metadata/", Operation::Delete, Harm::Tamper),
    action("write its metadata", "metadata/", Operation::Update, Harm::Tamper),
    action("create its metadata", "metadata/", Operation::Create, Harm::Tamper),
    action("patch its metadata", "metadata/", Operation::Patch, Harm::Tamper),
    action("read its metadata", "metadata/", Operation::Read, Harm::Structure),
    action("read the names of its keys", "subkeys/", Operation::Read, Harm::Structure),
    action("list names", "metadata/", Operation::List, Harm::Structure),
    action("list names, recursively", "metadata/", Operation::Scan, Harm::Structure),
    action("list names with metadata", "detailed-metadata/", Operation::List, Harm::Structure),
];

/// Version 1 of the engine, worst first.
pub const VERSION_1: [Action; 6] = [
    action("read the value", "", Operation::Read, Harm::Value),
    action("overwrite the value", "", Operation::Update, Harm::Tamper),
    action("write a value", "", Operation::Create, Harm::Tamper),
    action("delete it", "", Operation::Delete, Harm::Tamper),
    action("list names", "", Operation::List, Harm::Structure),
    action("list names, recursively", "", Operation::Scan, Harm::Structure),
];

/// The actions of a version of the engine.
pub const fn actions(version: u8) -> &'static [Action] {
    if version == 1 { &VERSION_1 } else { &VERSION_2 }
}
