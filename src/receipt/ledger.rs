//! The ledger: receipts and their lapses as JSON lines, each chained to the one before it. Appending takes a lock on the file, so that two
//! programs may write at once; reading tolerates what a crash or a hand left behind, and says so.

mod line;
mod tail;

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use line::{Entry, Parsed};

use super::book::Book;
use super::{Receipt, ReceiptId};
use crate::model::ids::Name;
use crate::model::text::clean_to;
use crate::model::time::Time;

/// No line is longer than this, in bytes, its end included. Longer receipts are not written, longer lines not read.
pub const LONGEST_LINE: usize = 1 << 20;
/// What the chain starts from.
const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// What is said of a line that is not what was written.
const CHANGED: &str = "changed after it was written: its digest does not match";

/// A ledger file.
#[derive(Clone, Debug)]
pub struct Ledger {
    path: PathBuf,
}

/// What a ledger held.
#[derive(Debug, Default)]
pub struct Loaded {
    /// The receipts and lapses that could be read.
    pub book: Book,
    /// What was wrong, by line.
    pub problems: Vec<Problem>,
}

/// Something wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Line, from 1.
    pub line: usize,
    /// What, in words, cleaned.
    pub what: String,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

/// Why the ledger could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The file system refused.
    #[error("ledger {path}: {source}")]
    Io {
        /// Which file, cleaned.
        path: String,
        /// What it said.
        source: io::Error,
    },
    /// A receipt too large to be one line.
    #[error("receipt {0} is larger than 1 MiB and was not written to the ledger")]
    TooLong(String),
}

/// A new receipt id: `R-`, ten characters of the time in milliseconds, four at random; sorts by time.
pub fn new_id(at: Time) -> ReceiptId {
    const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let value = (u128::from(u64::try_from(at.0).unwrap_or(0)) << 20) | u128::from(fastrand::u32(..1 << 20));
    let digits = (0..14_u32).rev().filter_map(|place| DIGITS.get(((value >> (place * 5)) & 31) as usize).map(|d| char::from(*d)));
    format!("R-{}", digits.collect::<String>()).into()
}

impl Ledger {
    /// The ledger at a path; neither the file nor its folder need exist.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads everything. A missing file is an empty ledger. O(size).
    pub fn load(&self) -> Result<Loaded, LedgerError> {
        let mut loaded = Loaded::default();
        self.walk(|number, parsed| match parsed {
            // a lapse that was tampered with still only takes away
            Parsed::Good { entry: Entry::Receipt(_), hash, computed, .. } if hash != computed => {
                loaded.problems.push(Problem { line: number, what: format!("{CHANGED}; the receipt does not count") });
            }
            Parsed::Good { entry: Entry::Receipt(receipt), .. } => loaded.book.add(Arc::new(*receipt)),
            Parsed::Good { entry: Entry::Lapse { receipt, why, .. }, .. } => loaded.book.lapse(receipt, why),
            Parsed::Foreign { what, .. } | Parsed::Damaged { what, .. } => loaded.problems.push(Problem { line: number, what }),
        })?;
        Ok(loaded)
    }

    /// Checks the chain: every line's own digest, and that it names the line before it. An empty list is a whole ledger. O(size).
    pub fn verify(&self) -> Result<Vec<Problem>, LedgerError> {
        let mut problems = Vec::new();
        let mut expected = GENESIS.to_owned();
        self.walk(|number, parsed| {
            let mut report = |what: String| problems.push(Problem { line: number, what });
            match parsed {
                Parsed::Good { prev, hash, computed, .. } | Parsed::Foreign { prev, hash, computed, what: _ } => {
                    if hash != computed {
                        report(CHANGED.to_owned());
                    }
                    if prev != expected {
                        report("the line before it is not the one it was written after".to_owned());
                    }
                    expected = hash;
                }
                Parsed::Damaged { what, digest } => {
                    report(what);
                    expected = digest;
                }
            }
        })?;
        Ok(problems)
    }

    /// Writes a receipt at the end.
    pub fn append(&self, receipt: &Receipt) -> Result<(), LedgerError> {
        self.write(&Entry::Receipt(Box::new(receipt.clone())), &receipt.id, receipt.created)
    }

    /// Records that a receipt stopped counting.
    pub fn append_lapse(&self, receipt: &ReceiptId, why: &str, at: Time) -> Result<(), LedgerError> {
        self.write(&Entry::Lapse { receipt: receipt.clone(), why: clean_to(why, 256), at }, receipt, at)
    }

    fn write(&self, entry: &Entry, id: &Name, at: Time) -> Result<(), LedgerError> {
        let failed = |source| self.failed(source);
        if let Some(folder) = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        let mut file = self.open().map_err(failed)?;
        // held until the file is closed; two programs that append wait for each other and each sees the other's line
        file.lock().map_err(failed)?;
        let prev = tail::last_digest(&mut file, &self.path, at).map_err(failed)?;
        let text = line::render(entry, &prev).map_err(|error| failed(io::Error::other(error)))?;
        if text.len() > LONGEST_LINE {
            return Err(LedgerError::TooLong(clean_to(id, 64)));
        }
        file.write_all(text.as_bytes()).map_err(failed)?;
        file.flush().map_err(failed)?;
        file.sync_data().map_err(failed)
    }

    /// Readable by its owner only: it names objects of the cluster.
    fn open(&self) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(&self.path)
    }

    fn failed(&self, source: io::Error) -> LedgerError {
        LedgerError::Io { path: clean_to(&self.path.display().to_string(), 200), source }
    }

    /// Goes through the lines.
    fn walk(&self, mut each: impl FnMut(usize, Parsed)) -> Result<(), LedgerError> {
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(self.failed(error)),
        };
        let mut reader = BufReader::with_capacity(64 * 1024, file);
        let mut number = 0;
        while let Some(parsed) = next_line(&mut reader).map_err(|error| self.failed(error))? {
            number += 1;
            each(number, parsed);
        }
        Ok(())
    }
}

/// The next line; of one that is too long only its digest is taken.
fn next_line(reader: &mut impl BufRead) -> io::Result<Option<Parsed>> {
    let mut line = Vec::new();
    let mut digest = line::Digest::default();
    let mut length = 0_usize;
    loop {
        let chunk = reader.fill_buf()?;
        if chunk.is_empty() {
            return Ok((length > 0).then(|| match line::parse(&line) {
                // whole but for its line break: the next append mends that
                good @ Parsed::Good { .. } => good,
                _ => Parsed::Damaged { what: format!("cut off after {length} bytes"), digest: digest.hex() },
            }));
        }
        let end = chunk.iter().position(|byte| *byte == b'\n');
        let (part, used) = end.map_or((chunk, chunk.len()), |at| (chunk.get(..at).unwrap_or_default(), at + 1));
        digest.update(part);
        length += part.len();
        if length <= LONGEST_LINE {
            line.extend_from_slice(part);
        }
        reader.consume(used);
        if end.is_some() {
            let long = length > LONGEST_LINE;
            return Ok(Some(if long {
                Parsed::Damaged { what: format!("{length} bytes long, not read"), digest: digest.hex() }
            } else {
                line::parse(&line)
            }));
        }
    }
}
