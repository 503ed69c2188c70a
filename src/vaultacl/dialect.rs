//! Whose rules apply: the servers differ in what a policy may say and in how a LIST is decided (`spec/vault.md` 1.1, 1.4, 1.6, 1.7).

use crate::model::vault::{Flavour, VaultServer};

/// The rules of a line of servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Dialect {
    /// Vault up to 1.12, and 1.13 to 1.15 before the patches of November 2023.
    Vault113,
    /// Vault 1.13 to 1.15 with those patches, to 1.18.
    Vault115,
    /// Vault 1.19 to 1.21. The late patches of their Enterprise editions decide a LIST as 2.0 does: here they may be told to allow more of it.
    Vault121,
    /// Vault 2.0 and later; what differs before 2.0.4 is taken as of 2.0.4.
    Vault20,
    /// OpenBao 2.0 to 2.5.
    OpenBao25,
    /// OpenBao 2.6 and later.
    OpenBao26,
    /// What every server accepts, decided as the strictest reader would: for policies of which the server is not known.
    #[default]
    Any,
}

/// Every dialect.
pub const DIALECTS: [Dialect; 7] =
    [Dialect::Any, Dialect::Vault113, Dialect::Vault115, Dialect::Vault121, Dialect::Vault20, Dialect::OpenBao25, Dialect::OpenBao26];

/// How a LIST without an exact rule is decided (`spec/vault.md` 1.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ListRule {
    /// The winner for the path with the slash.
    Full,
    /// The winner without the slash; only if no rule matches at all, with it.
    TrimmedFull,
    /// Both forms are pooled; a deny that outranks every rule that grants decides, else the best that grants, else the best of all.
    Resolve,
    /// The winner with the slash; only if none matches, without it.
    FullTrimmed,
}

impl Dialect {
    /// As given to `--dialect`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Vault113 => "vault-1.13",
            Self::Vault115 => "vault-1.15",
            Self::Vault121 => "vault-1.21",
            Self::Vault20 => "vault-2.0",
            Self::OpenBao25 => "openbao-2.5",
            Self::OpenBao26 => "openbao-2.6",
        }
    }

    /// From the word.
    pub fn parse(word: &str) -> Option<Self> {
        DIALECTS.into_iter().find(|dialect| dialect.word() == word)
    }

    /// How a LIST is decided.
    pub const fn list_rule(self) -> ListRule {
        match self {
            Self::Vault113 => ListRule::Full,
            Self::Vault115 | Self::Vault121 | Self::OpenBao25 => ListRule::TrimmedFull,
            Self::Vault20 => ListRule::Resolve,
            Self::OpenBao26 | Self::Any => ListRule::FullTrimmed,
        }
    }

    /// Whether it is one of HashiCorp's.
    pub const fn is_vault(self) -> bool {
        matches!(self, Self::Vault113 | Self::Vault115 | Self::Vault121 | Self::Vault20)
    }

    /// Whether it is one of OpenBao's.
    pub const fn is_openbao(self) -> bool {
        matches!(self, Self::OpenBao25 | Self::OpenBao26)
    }

    /// The dialect of a server by what it tells of itself; none where it tells too little.
    pub fn of(server: &VaultServer) -> Option<Self> {
        let mut numbers = server.version.split(['.', '-', '+']).map(|part| part.parse::<u32>().ok());
        let (major, minor) = (numbers.next()??, numbers.next()??);
        let patch = numbers.next().flatten().unwrap_or(0);
        match (server.flavour, major, minor) {
            (Flavour::OpenBao, 0..=1, _) | (Flavour::OpenBao, 2, 0..=5) => Some(Self::OpenBao25),
            (Flavour::OpenBao, _, _) => Some(Self::OpenBao26),
            (Flavour::Vault, 0, _) | (Flavour::Vault, 1, 0..=12) => Some(Self::Vault113),
            (Flavour::Vault, 1, 13) => Some(if patch < 10 { Self::Vault113 } else { Self::Vault115 }),
            (Flavour::Vault, 1, 14) => Some(if patch < 6 { Self::Vault113 } else { Self::Vault115 }),
            (Flavour::Vault, 1, 15) => Some(if patch < 2 { Self::Vault113 } else { Self::Vault115 }),
            (Flavour::Vault, 1, 16..=18) => Some(Self::Vault115),
            (Flavour::Vault, 1, _) => Some(Self::Vault121),
            (Flavour::Vault, _, _) => Some(Self::Vault20),
            (Flavour::Unknown, _, _) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_and_their_dialects() {
        use Flavour::{OpenBao, Unknown, Vault};
        for (flavour, version, expected) in [
            (OpenBao, "2.0.0-alpha20240329", Some(Dialect::OpenBao25)),
            (OpenBao, "2.5.3", Some(Dialect::OpenBao25)),
            (OpenBao, "2.6.0", Some(Dialect::OpenBao26)),
            (OpenBao, "2.7.2", Some(Dialect::OpenBao26)),
            (OpenBao, "3.0.0", Some(Dialect::OpenBao26)),
            (Vault, "0.11.6", Some(Dialect::Vault113)),
            (Vault, "1.12.11", Some(Dialect::Vault113)),
            (Vault, "1.13.9", Some(Dialect::Vault113)),
            (Vault, "1.13.10", Some(Dialect::Vault115)),
            (Vault, "1.14.5+ent", Some(Dialect::Vault113)),
            (Vault, "1.14.6", Some(Dialect::Vault115)),
            (Vault, "1.15.1", Some(Dialect::Vault113)),
            (Vault, "1.15.2+ent.hsm", Some(Dialect::Vault115)),
            (Vault, "1.18.5", Some(Dialect::Vault115)),
            (Vault, "1.19.0", Some(Dialect::Vault121)),
            (Vault, "1.21.0", Some(Dialect::Vault121)),
            (Vault, "2.0.0-rc1", Some(Dialect::Vault20)),
            (Vault, "", None),
            (Vault, "one.two", None),
            (Unknown, "2.6.0", None),
        ] {
            let server = VaultServer { flavour, version: version.into(), ..VaultServer::default() };
            assert_eq!(Dialect::of(&server), expected, "{flavour:?} {version}");
        }
        assert!(DIALECTS.into_iter().all(|dialect| Dialect::parse(dialect.word()) == Some(dialect)));
    }
}
