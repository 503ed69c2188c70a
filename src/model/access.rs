//! What we may do: the answers to self access reviews, which decide what a probe or a fix may be offered.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::ids::Name;

/// One question of a SelfSubjectAccessReview.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Question {
    /// Verb.
    pub verb: Name,
    /// API group; empty for core.
    pub group: Name,
    /// Resource in the plural.
    pub resource: Name,
    /// Subresource; empty for none.
    pub subresource: Name,
    /// Namespace; empty for all.
    pub namespace: Name,
    /// The one object; empty for all.
    #[serde(default)]
    pub name: Name,
}

impl Question {
    /// A question about a resource in all namespaces.
    pub fn new(verb: &str, group: &str, resource: &str) -> Self {
        Self {
            verb: verb.into(),
            group: group.into(),
            resource: resource.into(),
            subresource: "".into(),
            namespace: "".into(),
            name: "".into(),
        }
    }

    /// The same about a subresource.
    #[must_use]
    pub fn subresource(mut self, subresource: &str) -> Self {
        self.subresource = subresource.into();
        self
    }

    /// The same within a namespace.
    #[must_use]
    pub fn within(mut self, namespace: &str) -> Self {
        self.namespace = namespace.into();
        self
    }

    /// The same about one object.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        self.name = name.into();
        self
    }
}

impl std::fmt::Display for Question {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.verb, self.resource)?;
        if !self.subresource.is_empty() {
            write!(f, "/{}", self.subresource)?;
        }
        if !self.group.is_empty() {
            write!(f, ".{}", self.group)?;
        }
        if !self.name.is_empty() {
            write!(f, " {}", self.name)?;
        }
        if self.namespace.is_empty() { f.write_str(" in all namespaces") } else { write!(f, " in {}", self.namespace) }
    }
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Allowed.
    Yes,
    /// Not allowed, with the server's reason if it gave one.
    No(Name),
    /// The review itself failed: why.
    Unknown(Name),
}

/// All answers so far.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Access {
    /// The name the server knows us by, from SelfSubjectReview. Hostile text.
    pub user: Option<Name>,
    /// By question.
    pub answers: BTreeMap<Question, Answer>,
}
