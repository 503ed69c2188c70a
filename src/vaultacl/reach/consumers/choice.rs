//! Which namespaces a choice of namespaces admits, as External Secrets reads it.

use regex::Regex;

use crate::model::consumer::NamespaceChoice;
use crate::model::labels::LabelSet;

/// Regular expressions longer than this, or larger when compiled, are not tried.
const LONGEST: usize = 4_096;
const LARGEST: usize = 1 << 20;

/// Whether any of the choices admits a namespace; none where labels that are unseen, an unknown operator or an unreadable expression decide.
/// No choice at all admits nobody here: that an empty list admits everybody is for the caller to say. O(choices).
pub fn chosen(choices: &[NamespaceChoice], namespace: &str, labels: Option<&LabelSet>) -> Option<bool> {
    let mut unknown = false;
    for choice in choices {
        if choice.names.iter().any(|name| name.as_ref() == namespace) {
            return Some(true);
        }
        for selector in &choice.selectors {
            match labels.and_then(|labels| selector.matches(labels)) {
                Some(true) => return Some(true),
                Some(false) => {}
                None => unknown = true,
            }
        }
        for pattern in &choice.patterns {
            match matches(pattern, namespace) {
                Some(true) => return Some(true),
                Some(false) => {}
                None => unknown = true,
            }
        }
    }
    if unknown { None } else { Some(false) }
}

/// Unanchored, as the controller does it.
fn matches(pattern: &str, namespace: &str) -> Option<bool> {
    if pattern.len() > LONGEST {
        return None;
    }
    let pattern = regex::RegexBuilder::new(pattern).size_limit(LARGEST).build();
    pattern.ok().map(|pattern: Regex| pattern.is_match(namespace))
}
