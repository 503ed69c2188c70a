//! The end of a ledger before something is appended: the last line's digest, and a line cut off by a crash put aside.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use super::line::{self, Parsed};
use super::{GENESIS, LONGEST_LINE};
use crate::model::time::Time;

/// The digest that the next line has to name. A last line that was cut off is copied to `<ledger>.damaged-<time>` and taken out, so that the
/// next line begins on its own; one that is whole but for its break gets it.
pub(super) fn last_digest(file: &mut File, path: &Path, at: Time) -> io::Result<String> {
    let size = file.seek(SeekFrom::End(0))?;
    let reach = (LONGEST_LINE as u64 + 1).saturating_mul(2).min(size);
    file.seek(SeekFrom::End(-i64::try_from(reach).unwrap_or(0)))?;
    let mut end = Vec::new();
    file.take(reach).read_to_end(&mut end)?;
    let (whole, rest) = match end.iter().rposition(|byte| *byte == b'\n') {
        Some(at) => end.split_at_checked(at + 1).unwrap_or((&end, &[])),
        None => (&[][..], end.as_slice()),
    };
    if whole.is_empty() && size > reach {
        // megabytes without a break are no line of ours: they stay where they are, and the chain shows the gap
        file.write_all(b"\n")?;
        return Ok(GENESIS.to_owned());
    }
    if !rest.is_empty() {
        if let Parsed::Good { hash, .. } = line::parse(rest) {
            file.write_all(b"\n")?;
            return Ok(hash);
        }
        put_aside(rest, path, at)?;
        file.set_len(size - rest.len() as u64)?;
    }
    let Some(body) = whole.strip_suffix(b"\n") else { return Ok(GENESIS.to_owned()) };
    let last = body.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    Ok(match line::parse(last) {
        Parsed::Good { hash, .. } | Parsed::Foreign { hash, .. } => hash,
        Parsed::Damaged { digest, .. } => digest,
    })
}

/// Nothing is lost: what is taken out is on disk elsewhere first, under a name that is not yet taken.
fn put_aside(rest: &[u8], path: &Path, at: Time) -> io::Result<()> {
    let stamp: String = at.to_string().chars().filter(char::is_ascii_alphanumeric).collect();
    for attempt in 0..100_u32 {
        let mut name = path.as_os_str().to_owned();
        name.push(if attempt == 0 { format!(".damaged-{stamp}") } else { format!(".damaged-{stamp}-{attempt}") });
        match OpenOptions::new().write(true).create_new(true).open(&name) {
            Ok(mut aside) => {
                aside.write_all(rest)?;
                return aside.sync_all();
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other("too many damaged tails beside the ledger"))
}
