//! Labels and label selectors, with the API server's meaning (`apimachinery/pkg/labels`).

use std::collections::BTreeMap;
use std::sync::Arc;

use super::ids::Name;

/// Sorted key/value pairs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct LabelSet(Box<[(Name, Name)]>);

/// A label set shared by all objects that carry the same labels.
pub type Labels = Arc<LabelSet>;

impl LabelSet {
    /// From pairs in any order; of two equal keys the later wins. O(n log n).
    pub fn new(pairs: impl IntoIterator<Item = (Name, Name)>) -> Self {
        Self(pairs.into_iter().collect::<BTreeMap<_, _>>().into_iter().collect())
    }

    /// The value of a key. O(log n).
    pub fn get(&self, key: &str) -> Option<&Name> {
        let at = self.0.binary_search_by(|(k, _)| k.as_ref().cmp(key)).ok()?;
        self.0.get(at).map(|(_, value)| value)
    }

    /// All pairs, by key.
    pub fn iter(&self) -> impl Iterator<Item = &(Name, Name)> {
        self.0.iter()
    }

    /// Whether there is no label.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// One requirement of a selector.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Requirement {
    /// Label key.
    pub key: Name,
    /// What is required of it.
    pub is: Is,
}

/// What a requirement asks of a key. The API server refuses empty value lists for the first two; read from a file, they match as
/// apimachinery would: `In` nothing, `NotIn` everything.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Is {
    /// Present with one of these values.
    In(Box<[Name]>),
    /// Absent, or present with another value.
    NotIn(Box<[Name]>),
    /// Present.
    Exists,
    /// Absent.
    DoesNotExist,
    /// An operator this program does not know: neither match nor mismatch may be claimed.
    Unknown(Name),
}

/// A label selector: all requirements must be met; none means everything. `matchLabels` are written as `In` with one value.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct LabelSelector {
    /// The requirements, ANDed.
    pub requirements: Box<[Requirement]>,
}

impl Requirement {
    /// Whether labels meet this; none when the operator is unknown. O(log n + values).
    pub fn matches(&self, labels: &LabelSet) -> Option<bool> {
        let value = labels.get(&self.key);
        Some(match &self.is {
            Is::In(values) => value.is_some_and(|v| values.contains(v)),
            Is::NotIn(values) => value.is_none_or(|v| !values.contains(v)),
            Is::Exists => value.is_some(),
            Is::DoesNotExist => value.is_none(),
            Is::Unknown(_) => return None,
        })
    }
}

impl LabelSelector {
    /// Whether labels are selected; none when an unknown operator decides. A definite mismatch wins over an unknown.
    /// O(requirements × log labels).
    pub fn matches(&self, labels: &LabelSet) -> Option<bool> {
        let mut unknown = false;
        for requirement in &self.requirements {
            match requirement.matches(labels) {
                Some(true) => {}
                Some(false) => return Some(false),
                None => unknown = true,
            }
        }
        if unknown { None } else { Some(true) }
    }

    /// Whether the selector has no requirement and so selects everything.
    pub fn is_everything(&self) -> bool {
        self.requirements.is_empty()
    }
}
