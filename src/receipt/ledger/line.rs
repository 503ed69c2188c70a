//! One line of the ledger: `{"v":1,"receipt":{...},"prev":"...","hash":"..."}`. The hash is taken over the text as it stands in the line, so
//! that no two ways of writing the same JSON can be mistaken for each other.

use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use sha2::{Digest as _, Sha256};

use crate::model::text::clean_to;
use crate::model::time::Time;
use crate::receipt::{Receipt, ReceiptId};

/// The version this program writes and understands.
const VERSION: u64 = 1;

/// What a line records.
pub(super) enum Entry {
    Receipt(Box<Receipt>),
    Lapse { receipt: ReceiptId, why: String, at: Time },
}

/// A line as read.
pub(super) enum Parsed {
    /// Understood.
    Good { entry: Entry, prev: String, hash: String, computed: String },
    /// Whole, but of a version or kind that this program does not know.
    Foreign { what: String, prev: String, hash: String, computed: String },
    /// Not a line of a ledger. The digest of its bytes stands in for its hash in the chain.
    Damaged { what: String, digest: String },
}

#[derive(Serialize, Deserialize)]
struct Lapse {
    receipt: ReceiptId,
    why: String,
    at: Time,
}

#[derive(Serialize, Deserialize)]
struct Envelope<'a> {
    v: u64,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    receipt: Option<&'a RawValue>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    lapse: Option<&'a RawValue>,
    prev: String,
    hash: String,
}

/// A running SHA-256.
#[derive(Default)]
pub(super) struct Digest(Sha256);

impl Digest {
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub fn hex(self) -> String {
        self.0
            .finalize()
            .iter()
            .flat_map(|byte| [byte >> 4, byte & 15])
            .filter_map(|nibble| char::from_digit(u32::from(nibble), 16))
            .collect()
    }
}

fn hash_of(version: u64, prev: &str, kind: &str, text: &str) -> String {
    let mut digest = Digest::default();
    for part in [version.to_string().as_str(), "\n", prev, "\n", kind, "\n", text] {
        digest.update(part.as_bytes());
    }
    digest.hex()
}

/// The line for an entry, its break included.
pub(super) fn render(entry: &Entry, prev: &str) -> Result<String, serde_json::Error> {
    let (kind, raw) = match entry {
        Entry::Receipt(receipt) => ("receipt", to_raw_value(receipt)?),
        Entry::Lapse { receipt, why, at } => ("lapse", to_raw_value(&Lapse { receipt: receipt.clone(), why: why.clone(), at: *at })?),
    };
    let hash = hash_of(VERSION, prev, kind, raw.get());
    let is = |wanted| (kind == wanted).then_some(raw.as_ref());
    let envelope = Envelope { v: VERSION, receipt: is("receipt"), lapse: is("lapse"), prev: prev.to_owned(), hash };
    let mut text = serde_json::to_string(&envelope)?;
    text.push('\n');
    Ok(text)
}

/// Reads a line without its break.
pub(super) fn parse(line: &[u8]) -> Parsed {
    let damaged = |what: &str| {
        let mut digest = Digest::default();
        digest.update(line);
        Parsed::Damaged { what: clean_to(what, 160), digest: digest.hex() }
    };
    let Ok(text) = std::str::from_utf8(line) else { return damaged("not text") };
    let envelope: Envelope<'_> = match serde_json::from_str(text) {
        Ok(envelope) => envelope,
        Err(error) => return damaged(&format!("not a line of a ledger: {error}")),
    };
    let Envelope { v, receipt, lapse, prev, hash } = envelope;
    let (kind, raw) = match (receipt, lapse) {
        (Some(raw), None) => ("receipt", raw.get()),
        (None, Some(raw)) => ("lapse", raw.get()),
        _ if v != VERSION => ("", ""),
        _ => return damaged("records neither a receipt nor a lapse"),
    };
    if v != VERSION {
        // another version may hash otherwise: only its place in the chain is checked
        return Parsed::Foreign { what: format!("version {v} is unknown here; skipped"), computed: hash.clone(), prev, hash };
    }
    let computed = hash_of(v, &prev, kind, raw);
    let entry = match kind {
        "receipt" => serde_json::from_str(raw).map(|receipt| Entry::Receipt(Box::new(receipt))),
        _ => serde_json::from_str(raw).map(|Lapse { receipt, why, at }| Entry::Lapse { receipt, why, at }),
    };
    match entry {
        Ok(entry) => Parsed::Good { entry, prev, hash, computed },
        Err(error) => {
            Parsed::Foreign { what: clean_to(&format!("a {kind} that is not understood; skipped: {error}"), 160), prev, hash, computed }
        }
    }
}
