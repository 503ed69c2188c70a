//! What a rule may allow, and what a request asks for.

use std::fmt;

/// What a rule may allow. The order is the one in which servers list them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Capability {
    /// Refuses, whatever else is listed.
    Deny,
    /// `create`.
    Create,
    /// `read`.
    Read,
    /// `update`.
    Update,
    /// `delete`.
    Delete,
    /// `list`.
    List,
    /// `sudo`.
    Sudo,
    /// `patch`.
    Patch,
    /// `subscribe`, Vault only.
    Subscribe,
    /// `recover`, Vault only.
    Recover,
    /// `scan`, OpenBao only.
    Scan,
}

/// Every capability by its word.
pub const CAPABILITIES: [(&str, Capability); 11] = [
    ("deny", Capability::Deny),
    ("create", Capability::Create),
    ("read", Capability::Read),
    ("update", Capability::Update),
    ("delete", Capability::Delete),
    ("list", Capability::List),
    ("sudo", Capability::Sudo),
    ("patch", Capability::Patch),
    ("subscribe", Capability::Subscribe),
    ("recover", Capability::Recover),
    ("scan", Capability::Scan),
];

impl Capability {
    /// As policies spell it.
    pub fn word(self) -> &'static str {
        CAPABILITIES.iter().find(|(_, capability)| *capability == self).map_or("", |(word, _)| word)
    }
}

/// A set of capabilities.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Capabilities(u16);

impl Capabilities {
    /// None at all.
    pub const NONE: Self = Self(0);

    /// One.
    pub const fn of(capability: Capability) -> Self {
        Self(1 << capability as u16)
    }

    /// Whether it is in the set.
    pub const fn has(self, capability: Capability) -> bool {
        self.0 & (1 << capability as u16) != 0
    }

    /// Adds one.
    pub const fn insert(&mut self, capability: Capability) {
        self.0 |= 1 << capability as u16;
    }

    /// Both sets.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether nothing is allowed: no capability, or a deny.
    pub const fn denies(self) -> bool {
        self.0 == 0 || self.has(Capability::Deny)
    }

    /// Whether the set is empty.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Its members in order.
    pub fn iter(self) -> impl Iterator<Item = Capability> {
        CAPABILITIES.into_iter().map(|(_, capability)| capability).filter(move |capability| self.has(*capability))
    }
}

impl FromIterator<Capability> for Capabilities {
    fn from_iter<I: IntoIterator<Item = Capability>>(all: I) -> Self {
        all.into_iter().fold(Self::NONE, |set, capability| set.or(Self::of(capability)))
    }
}

impl fmt::Debug for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(Capability::word)).finish()
    }
}

/// What a request does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// GET.
    Read,
    /// LIST, or GET with `list=true`.
    List,
    /// PUT or POST of something that exists; renewals and revocations too.
    Update,
    /// PUT or POST of something that does not exist.
    Create,
    /// DELETE.
    Delete,
    /// PATCH.
    Patch,
    /// SCAN, OpenBao only.
    Scan,
    /// Recovery from a snapshot, Vault only.
    Recover,
    /// GET with `help=1`: always allowed.
    Help,
}

/// Every operation by its word.
pub const OPERATIONS: [(&str, Operation); 9] = [
    ("read", Operation::Read),
    ("list", Operation::List),
    ("update", Operation::Update),
    ("create", Operation::Create),
    ("delete", Operation::Delete),
    ("patch", Operation::Patch),
    ("scan", Operation::Scan),
    ("recover", Operation::Recover),
    ("help", Operation::Help),
];

impl Operation {
    /// As one writes it.
    pub fn word(self) -> &'static str {
        OPERATIONS.iter().find(|(_, operation)| *operation == self).map_or("", |(word, _)| word)
    }

    /// The capability that it asks for; HELP asks for none.
    pub const fn needs(self) -> Option<Capability> {
        Some(match self {
            Self::Read => Capability::Read,
            Self::List => Capability::List,
            Self::Update => Capability::Update,
            Self::Create => Capability::Create,
            Self::Delete => Capability::Delete,
            Self::Patch => Capability::Patch,
            Self::Scan => Capability::Scan,
            Self::Recover => Capability::Recover,
            Self::Help => return None,
        })
    }

    /// From the word.
    pub fn parse(word: &str) -> Option<Self> {
        OPERATIONS.iter().find(|(name, _)| *name == word).map(|(_, operation)| *operation)
    }
}
