//! Findings: a check's result for one subject, with evidence.

use super::catalogue::CheckInfo;
use super::verdict::Verdict;
use crate::model::ids::{Name, ObjectRef};
use crate::model::text::clean;

/// A check's result for one subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The check.
    pub check: &'static CheckInfo,
    /// A sub-reason: a stable word such as `future-pods`.
    pub reason: Option<&'static str>,
    /// The verdict for this subject.
    pub verdict: Verdict,
    /// What it is about.
    pub subject: Subject,
    /// One sentence. Names in it are already cleaned.
    pub message: String,
    /// What it rests on.
    pub evidence: Vec<Evidence>,
    /// The fix offered, by its stable id.
    pub fix: Option<&'static str>,
}

/// What a finding is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subject {
    /// Kind as the API spells it, or `Tenant`.
    pub kind: &'static str,
    /// Namespace; empty where there is none.
    pub namespace: Name,
    /// Name.
    pub name: Name,
    /// A container of it.
    pub container: Option<Name>,
}

/// One thing a finding rests on: an object, one of its fields and the value found there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The object.
    pub object: ObjectRef,
    /// Field path in the API's spelling.
    pub field: String,
    /// The value, cleaned; `absent` where there is none.
    pub value: String,
}

impl Subject {
    /// An object as the subject.
    pub fn object(object: &ObjectRef) -> Self {
        Self { kind: object.kind.as_str(), namespace: object.namespace.clone(), name: object.name.clone(), container: None }
    }
}

impl Evidence {
    /// Evidence from parts; field and value are cleaned.
    pub fn new(object: ObjectRef, field: impl AsRef<str>, value: &str) -> Self {
        Self { object, field: clean(field.as_ref()), value: clean(value) }
    }
}
