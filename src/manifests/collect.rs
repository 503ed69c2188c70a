//! Folds documents into a snapshot.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

use super::faults::faults;
use super::head::Head;
use super::normal::Trouble;
use super::object::{self, Object, Read};
use super::split::{Document, documents};
use crate::model::changes::Change;
use crate::model::ids::Name;
use crate::model::intern::Interner;
use crate::model::kind::{Kind, WATCHED};
use crate::model::rbac;
use crate::model::snapshot::Snapshot;
use crate::model::source::SourceState;
use crate::model::store::Store;
use crate::model::text::clean;
use crate::model::vault::VaultFacts;

/// Problems that are told one by one; a folder of templates must not flood the terminal.
const TOLD: usize = 1_000;

/// Where an object stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// The file, as it was named or found. Not cleaned.
    pub file: Arc<str>,
    /// Number of the document in it, from 1.
    pub document: usize,
    /// The line the document begins on, from 1.
    pub line: usize,
}

/// How much a problem costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// A document or a file was left out.
    Lost,
    /// The object counts, but a part of it can't be read.
    Doubtful,
    /// It is only worth saying.
    Note,
}

/// Something that could not be read as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// How much it costs.
    pub weight: Weight,
    /// Where; none for a path that can't be read at all (it is then in `what`).
    pub at: Option<Origin>,
    /// The line in the file, where it is known better than by the document's begin.
    pub line: Option<u64>,
    /// The object, as far as its name is known. Cleaned.
    pub object: Option<String>,
    /// What is wrong. Cleaned.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(at) = &self.at {
            write!(f, "{}: document {} (line {})", clean(&at.file), at.document, self.line.unwrap_or(at.line as u64))?;
            f.write_str(": ")?;
        }
        if let Some(object) = &self.object {
            write!(f, "{object}: ")?;
        }
        f.write_str(&self.what)
    }
}

/// What was read.
#[derive(Debug)]
pub struct Reading {
    /// The facts.
    pub snapshot: Arc<Snapshot>,
    /// What could not be read as it stands, in the order met.
    pub problems: Vec<Problem>,
    /// Problems beyond those that are told.
    pub untold: usize,
    /// Where each object stands, by kind, namespace and name as the object says them.
    pub origins: HashMap<(String, Name, Name), Origin>,
    /// Objects that became facts.
    pub objects: usize,
    /// Objects of kinds that are not read, by kind.
    pub passed: BTreeMap<String, usize>,
    /// Files looked into.
    pub files: usize,
}

impl Reading {
    /// Whether a document or a file had to be left out.
    pub fn lost(&self) -> bool {
        self.untold > 0 || self.problems.iter().any(|problem| problem.weight == Weight::Lost)
    }

    /// One line about how much was read.
    pub fn summary(&self) -> String {
        let passed: usize = self.passed.values().sum();
        let plural = |n: usize| if n == 1 { "" } else { "s" };
        let mut said = format!("{} object{} in {} file{}", self.objects, plural(self.objects), self.files, plural(self.files));
        if passed > 0 {
            let mut kinds: Vec<(&str, usize)> = self.passed.iter().map(|(kind, n)| (kind.as_str(), *n)).collect();
            kinds.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
            let named: Vec<String> = kinds.iter().take(5).map(|(kind, n)| format!("{} {n}", clean(kind))).collect();
            let more = if kinds.len() > named.len() { ", …" } else { "" };
            said.push_str(&format_args!("; {passed} of kinds that are not read ({}{more})", named.join(", ")).to_string());
        }
        said
    }
}

/// Takes documents and makes facts of them.
#[derive(Debug, Default)]
pub struct Collector {
    interner: Interner,
    store: Store,
    origins: HashMap<(String, Name, Name), Origin>,
    problems: Vec<Problem>,
    untold: usize,
    objects: usize,
    passed: BTreeMap<String, usize>,
    files: usize,
    /// Any role or binding was read.
    grants: bool,
    /// Whether there is any Secret of a type that is read.
    secrets: bool,
    /// Namespaces that objects name, and whether they are there themselves.
    namespaces: BTreeMap<Name, bool>,
}

impl Collector {
    /// Takes a whole file. O(length).
    pub fn file(&mut self, name: &str, bytes: &[u8]) {
        let Some(text) = self.open(name, bytes) else { return };
        let (documents, trouble) = documents(text, is_json(name));
        let file: Arc<str> = name.into();
        for document in &documents {
            self.document(&file, document, document.read());
        }
        self.tail(&file, documents.len(), trouble);
    }

    /// Counts a file and yields its text; none where it is no text.
    pub fn open<'b>(&mut self, name: &str, bytes: &'b [u8]) -> Option<&'b str> {
        self.files += 1;
        match std::str::from_utf8(bytes) {
            Ok(text) => Some(text),
            Err(_not_utf8) => {
                self.path(&format!("{name}: no UTF-8 text"));
                None
            }
        }
    }

    /// Counts a file that was read as a whole, and not by documents.
    pub const fn counted(&mut self) {
        self.objects += 1;
    }

    /// Counts a file of a kind that is not read.
    pub fn passed(&mut self, kind: &str) {
        *self.passed.entry(kind.to_owned()).or_default() += 1;
    }

    /// Something about a whole file, or about all of them.
    pub fn remark(&mut self, file: Option<&Arc<str>>, weight: Weight, what: &str) {
        let at = file.map(|file| Origin { file: file.clone(), document: 1, line: 1 });
        self.problem(Problem { weight, at, line: None, object: None, what: clean(what) });
    }

    /// What the files tell of Vault.
    pub fn vault(&mut self, facts: VaultFacts) {
        self.store.apply(Change::Vault(Box::new(facts)));
    }

    /// Takes one document of a file, read already.
    pub fn document(&mut self, file: &Arc<str>, document: &Document<'_>, read: Result<Vec<u8>, Trouble>) {
        let origin = Origin { file: file.clone(), document: document.number, line: document.line };
        match read {
            Ok(json) if json == b"null" => {}
            Ok(json) => {
                let mut interner = std::mem::take(&mut self.interner);
                object::objects(&json, &mut interner, &mut |object| self.object(&origin, object));
                self.interner = interner;
            }
            Err(trouble) => self.trouble(&origin, document.text, &trouble),
        }
    }

    /// What is wrong behind the last document of a file.
    pub fn tail(&mut self, file: &Arc<str>, documents: usize, trouble: Option<(usize, Trouble)>) {
        if let Some((line, trouble)) = trouble {
            self.trouble(&Origin { file: file.clone(), document: documents + 1, line }, "", &trouble);
        }
    }

    /// A path that can't be read: says so.
    pub fn path(&mut self, what: &str) {
        self.problem(Problem { weight: Weight::Lost, at: None, line: None, object: None, what: clean(what) });
    }

    fn trouble(&mut self, origin: &Origin, text: &str, trouble: &Trouble) {
        let line = trouble.line.map(|line| line + (origin.line as u64).saturating_sub(1));
        let object = Head::of(&trouble.before).completed(text).words();
        self.problem(Problem { weight: Weight::Lost, at: Some(origin.clone()), line, object, what: clean(&trouble.what) });
    }

    fn problem(&mut self, problem: Problem) {
        if self.problems.len() < TOLD {
            self.problems.push(problem);
        } else {
            self.untold += 1;
        }
    }

    fn object(&mut self, origin: &Origin, Object { head, read, strange }: Object) {
        let words = head.words();
        let mut told = |weight, what: &str| {
            self.problem(Problem { weight, at: Some(origin.clone()), line: None, object: words.clone(), what: clean(what) });
        };
        let fact = match read {
            Read::Fact(fact) => fact,
            Read::Bad(why) => return told(Weight::Lost, &format!("left out: {why}")),
            Read::Passed(kind) => {
                *self.passed.entry(kind).or_default() += 1;
                return;
            }
        };
        for fault in faults(&fact).iter().chain(&strange) {
            told(Weight::Doubtful, fault);
        }
        let (namespace, name) = (fact.meta().namespace.clone(), fact.meta().name.clone());
        // a pod made from a template has a name of its own making
        let key = (head.kind, namespace.clone(), Name::from(head.name.as_str()));
        if let Some(before) = self.origins.insert(key, origin.clone()) {
            let what = format!("stands already in {}, document {}; this later one counts", before.file, before.document);
            self.problem(Problem { weight: Weight::Note, at: Some(origin.clone()), line: None, object: words, what: clean(&what) });
        }
        if fact.kind() == Kind::Namespace {
            self.namespaces.insert(name, true);
        } else if !namespace.is_empty() {
            self.namespaces.entry(namespace).or_insert(false);
        }
        self.secrets |= fact.kind().info().is_some_and(|info| info.metadata_of_type.is_some());
        self.grants |= fact.kind().info().is_some_and(|info| info.group == rbac::GROUP);
        self.objects += 1;
        self.store.apply(Change::Put(fact));
    }

    /// Everything that was read. Every kind that files can hold counts as seen; Events do not: files do not
    /// tell what happens. Nor do roles and bindings, and Secrets, where there is none.
    pub fn finish(mut self) -> Reading {
        let missing: BTreeSet<Name> = self.namespaces.iter().filter(|(_, there)| !**there).map(|(name, _)| name.clone()).collect();
        for name in missing {
            if let Some(fact) = object::missing_namespace(&name, &mut self.interner) {
                self.store.apply(Change::Put(Box::new(fact)));
            }
        }
        for info in &WATCHED {
            // files without any role or binding don't say who may do what; and Secrets are seldom kept in files
            let told = match info.group {
                rbac::GROUP => self.grants,
                _ if info.metadata_of_type.is_some() => self.secrets,
                _ => info.kind != Kind::Event,
            };
            let state = if told { SourceState::Live } else { SourceState::Off };
            self.store.apply(Change::State(info.kind, state));
        }
        let (snapshot, _) = self.store.publish();
        Reading {
            snapshot,
            problems: self.problems,
            untold: self.untold,
            origins: self.origins,
            objects: self.objects,
            passed: self.passed,
            files: self.files,
        }
    }
}

/// Whether a file's name says that it is JSON.
pub fn is_json(name: &str) -> bool {
    name.len() > 5 && name.get(name.len() - 5..).is_some_and(|end| end.eq_ignore_ascii_case(".json"))
}
