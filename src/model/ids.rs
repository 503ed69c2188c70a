//! Names and references. Names are shared (`Arc<str>`), because the same few thousand occur in a hundred thousand facts.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::kind::Kind;

/// A name as the cluster gave it. Hostile text: pass it through [`super::text::clean`] before it is shown.
pub type Name = Arc<str>;

/// A tenant's name: what the tenant rule in force made of a namespace.
pub type TenantId = Arc<str>;

/// The uid of an API object. Kubernetes writes them as UUIDs; anything else is folded to 128 bits, so that a strange server can't break us.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Uid(pub u128);

impl Uid {
    /// Reads a UUID, or folds any other text. O(length).
    pub fn parse(text: &str) -> Self {
        let mut digits = 0_u32;
        let mut value = 0_u128;
        for c in text.chars() {
            match c.to_digit(16) {
                Some(d) if digits < 32 => {
                    value = (value << 4) | u128::from(d);
                    digits += 1;
                }
                None if c == '-' => {}
                _ => return Self(fold(text)),
            }
        }
        if digits == 32 { Self(value) } else { Self(fold(text)) }
    }
}

/// FNV-1a over 128 bits: stable across runs and machines, which a receipt's fingerprint needs and the standard hasher does not promise.
pub fn fold(text: &str) -> u128 {
    fold_bytes(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d, text.as_bytes())
}

/// Continues an FNV-1a hash.
pub fn fold_bytes(seed: u128, bytes: &[u8]) -> u128 {
    bytes.iter().fold(seed, |hash, byte| (hash ^ u128::from(*byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b))
}

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let v = self.0;
        write!(
            f,
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            (v >> 96) as u32,
            (v >> 80) as u16,
            (v >> 64) as u16,
            (v >> 48) as u16,
            v & 0xffff_ffff_ffff
        )
    }
}

impl fmt::Debug for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Uid {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Uid {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d).map(|text| Self::parse(&text))
    }
}

/// Which object: kind, namespace (empty for cluster-scoped kinds) and name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ObjectRef {
    /// The kind, in the API's spelling.
    pub kind: Kind,
    /// The namespace; empty for a cluster-scoped object.
    pub namespace: Name,
    /// The name.
    pub name: Name,
}

impl ObjectRef {
    /// A reference from parts.
    pub fn new(kind: Kind, namespace: impl Into<Name>, name: impl Into<Name>) -> Self {
        Self { kind, namespace: namespace.into(), name: name.into() }
    }
}

impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.namespace.is_empty() {
            write!(f, "{} {}", self.kind, self.name)
        } else {
            write!(f, "{} {}/{}", self.kind, self.namespace, self.name)
        }
    }
}
