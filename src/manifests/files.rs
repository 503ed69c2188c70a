//! Files and folders to documents. The only part that reads.

pub mod dump;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use self::dump::{Dump, Offer};
use super::collect::{Collector, Reading, Weight, is_json};
use super::normal::{LARGEST_FILE, Trouble};
use super::split::{Document, documents};

/// What stands for standard input among the paths.
pub const STDIN: &str = "-";

/// File names that are looked into in a folder.
const EXTENSIONS: [&str; 4] = ["yaml", "yml", "json", "hcl"];

/// Folders inside of folders.
const DEEPEST_FOLDER: usize = 64;

/// Files of one run: a bigger tree is a mistake (the root of a disk).
const MOST_FILES: usize = 100_000;

/// Readers at once: beyond a few the disk is the limit.
const MOST_READERS: usize = 4;

/// Documents below this number are read without a second thread.
const WORTH_A_THREAD: usize = 64;

/// Reads files and folders, in order: of two objects of one name the later counts. A folder's files are read by name, folders inside it
/// recursively; hidden ones are passed over. O(bytes).
pub fn read(paths: &[PathBuf]) -> Reading {
    let (mut collector, mut dump) = (Collector::default(), Dump::default());
    let mut walk = Walk::default();
    for path in paths {
        walk.named(path);
    }
    for problem in walk.problems {
        collector.path(&problem);
    }
    for path in walk.files {
        one(&mut collector, &mut dump, &path);
    }
    if let Some((facts, notes)) = dump.finish() {
        collector.vault(facts);
        for note in notes {
            collector.remark(None, Weight::Note, &note);
        }
    }
    collector.finish()
}

fn one(collector: &mut Collector, dump: &mut Dump, path: &Path) {
    let name = path.display().to_string();
    let bytes = match bytes(path) {
        Ok(bytes) => bytes,
        Err(error) => return collector.path(&format!("{name}: {error}")),
    };
    let Some(text) = collector.open(&name, &bytes) else { return };
    let file: Arc<str> = name.as_str().into();
    if of_vault(collector, dump, &file, text) {
        return;
    }
    let (documents, trouble) = documents(text, is_json(&name));
    for (document, read) in documents.iter().zip(read_all(&documents)) {
        collector.document(&file, document, read);
    }
    collector.tail(&file, documents.len(), trouble);
}

/// Takes a file of a Vault dump; false where it is none.
fn of_vault(collector: &mut Collector, dump: &mut Dump, file: &Arc<str>, text: &str) -> bool {
    let (weight, what) = match dump.offer(file, text) {
        Offer::Other => return false,
        Offer::Passed(what) => {
            collector.passed(what);
            return true;
        }
        Offer::Bad(why) => (Weight::Lost, Some(format!("left out: {why}"))),
        Offer::Taken => (Weight::Note, None),
        Offer::Noted(what) => (Weight::Note, Some(what)),
        Offer::Doubtful(what) => (Weight::Doubtful, Some(what)),
    };
    if weight != Weight::Lost {
        collector.counted();
    }
    if let Some(what) = what {
        collector.remark(Some(file), weight, &what);
    }
    true
}

fn bytes(path: &Path) -> std::io::Result<Vec<u8>> {
    let limit = LARGEST_FILE as u64;
    let mut bytes = Vec::new();
    if path == Path::new(STDIN) {
        std::io::stdin().lock().take(limit + 1).read_to_end(&mut bytes)?;
    } else {
        File::open(path)?.take(limit + 1).read_to_end(&mut bytes)?;
    }
    if bytes.len() > LARGEST_FILE {
        return Err(std::io::Error::other(format!("longer than {} MiB", LARGEST_FILE >> 20)));
    }
    Ok(bytes)
}

/// Reads documents on several threads; results in the order of the documents.
fn read_all(documents: &[Document<'_>]) -> Vec<Result<Vec<u8>, Trouble>> {
    let readers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(MOST_READERS);
    if documents.len() < WORTH_A_THREAD || readers < 2 {
        return documents.iter().map(Document::read).collect();
    }
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(document) = documents.get(at) else { return done };
            done.push((at, document.read()));
        }
    };
    let failed = || Err(Trouble { what: "its reader failed".to_owned(), line: None, before: Vec::new() });
    let mut all: Vec<Result<Vec<u8>, Trouble>> = documents.iter().map(|_| failed()).collect();
    let done = std::thread::scope(|scope| {
        let others: Vec<_> = (1..readers).map(|_| scope.spawn(work)).collect();
        let mut done = work();
        done.extend(others.into_iter().filter_map(|reader| reader.join().ok()).flatten());
        done
    });
    for (at, read) in done {
        if let Some(slot) = all.get_mut(at) {
            *slot = read;
        }
    }
    all
}

/// Finds files.
#[derive(Default)]
struct Walk {
    files: Vec<PathBuf>,
    problems: Vec<String>,
    /// What was found already, by its real path: links must not lead in circles, nor to the same file twice.
    seen: BTreeSet<PathBuf>,
    /// More were found than are read.
    full: bool,
}

impl Walk {
    /// A path that somebody named: read whatever it is called.
    fn named(&mut self, path: &Path) {
        if path == Path::new(STDIN) {
            self.files.push(path.to_owned());
            return;
        }
        match std::fs::metadata(path) {
            Ok(meta) if meta.is_dir() => self.folder(path, 0),
            Ok(_) if self.is_new(path) => self.files.push(path.to_owned()),
            Ok(_) => {}
            Err(error) => self.problems.push(format!("{}: {error}", path.display())),
        }
    }

    fn is_new(&mut self, path: &Path) -> bool {
        // what has no real path (a pipe of a shell) is always new
        std::fs::canonicalize(path).map_or(true, |real| self.seen.insert(real))
    }

    fn folder(&mut self, folder: &Path, depth: usize) {
        if !self.is_new(folder) {
            return;
        }
        if depth > DEEPEST_FOLDER {
            self.problems.push(format!("{}: more than {DEEPEST_FOLDER} folders deep", folder.display()));
            return;
        }
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => {
                self.problems.push(format!("{}: {error}", folder.display()));
                return;
            }
        };
        let mut paths: Vec<PathBuf> = entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths {
            self.found(&path, depth);
        }
    }

    fn found(&mut self, path: &Path, depth: usize) {
        let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if hidden {
            return;
        }
        let known = path.extension().is_some_and(|e| EXTENSIONS.iter().any(|known| e.eq_ignore_ascii_case(known)));
        match std::fs::metadata(path) {
            Ok(meta) if meta.is_dir() => self.folder(path, depth + 1),
            // a pipe or a device in a folder would be waited for
            Ok(meta) if known && meta.is_file() && self.is_new(path) => {
                if self.files.len() < MOST_FILES {
                    self.files.push(path.to_owned());
                } else if !std::mem::replace(&mut self.full, true) {
                    self.problems.push(format!("{}: more than {MOST_FILES} files; the rest is not read", path.display()));
                }
            }
            Ok(_) => {}
            Err(error) if known => self.problems.push(format!("{}: {error}", path.display())),
            Err(_broken_link) => {}
        }
    }
}
