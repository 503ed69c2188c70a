//! What the policies say of a request before it is sent, held against what came of it (`spec/vault.md` 2.5, 8).

use serde_json::{Map, Value};

use crate::model::event::Authority;
use crate::receipt::{Outcome, Receipt, Step};
use crate::vaultacl::acl::{Acl, Request};
use crate::vaultacl::capability::Operation;

/// What the step is called that holds the answers against the policies.
pub const COMPARED: &str = "Vault: the answers held against the policies";

/// The query of a request as the server's parameters.
pub fn query_data(query: &[(&str, &str)]) -> Map<String, Value> {
    query.iter().map(|(key, value)| ((*key).to_owned(), Value::String((*value).to_owned()))).collect()
}

/// Whether the policies allow a request; none where they don't tell: somebody else has to agree first, the server can't build the ACL, or a
/// block that may be about the path rests on what we don't know. One decision, and O(blocks that don't count).
pub fn predict(acl: &Acl, operation: Operation, path: &str, data: Option<&Map<String, Value>>) -> Option<bool> {
    if acl.broken().is_some() || acl.dropped().iter().any(|dropped| dropped.may_touch(path)) {
        return None;
    }
    let decision = acl.decide(&Request { data: data.filter(|data| !data.is_empty()), ..Request::new(operation, path) });
    let limits = decision.rule.and_then(|rule| rule.limits.as_deref());
    let conditional = limits.is_some_and(|limits| limits.control_group || !limits.mfa.is_empty());
    (!(decision.allowed && conditional)).then_some(decision.allowed)
}

/// The comparison as it grows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    agreed: usize,
    open: usize,
    disputes: Vec<String>,
}

impl Compared {
    /// Adds an answer. `what` holds no path. What failed says nothing.
    pub fn add(&mut self, what: &str, predicted: Option<bool>, came: Outcome) {
        let came = match came {
            Outcome::Answered => true,
            Outcome::Refused { by: Authority::VaultAcl } => false,
            Outcome::Refused { .. } | Outcome::Failed => return,
        };
        match predicted {
            None => self.open += 1,
            Some(predicted) if predicted == came => self.agreed += 1,
            Some(predicted) => {
                let word = |allowed| if allowed { "allow" } else { "refuse" };
                let server = if came { "the server allowed it" } else { "the server refused it" };
                self.disputes.push(format!("{what}: the policies {} it, {server}", word(predicted)));
            }
        }
    }

    /// Adds the server's own list of capabilities. As [`Compared::add`].
    pub fn add_words(&mut self, what: &str, predicted: &[&str], came: &[String]) {
        if predicted.len() == came.len() && predicted.iter().zip(came).all(|(a, b)| a == b) {
            self.agreed += 1;
        } else {
            self.disputes.push(format!("{what}: the policies say {}, the server says {}", predicted.join(", "), came.join(", ")));
        }
    }

    /// Whether nothing was compared.
    pub const fn is_empty(&self) -> bool {
        self.agreed + self.open == 0 && self.disputes.is_empty()
    }

    /// What is written down: what came of it, and in words.
    pub fn told(&self, dialect: &str) -> (Outcome, String) {
        let open = if self.open == 0 { String::new() } else { format!(", {} not to be told beforehand", self.open) };
        if self.disputes.is_empty() {
            return (Outcome::Answered, format!("{} as the policies say by the rules of {dialect}{open}", self.agreed));
        }
        let said = format!("DISPUTED by the rules of {dialect}: {}; {} as they say{open}", self.disputes.join("; "), self.agreed);
        (Outcome::Failed, said)
    }
}

/// What of a receipt's answers the policies say otherwise, in words: the dialect is wrong, something beside the ACL decides, or what we know is old.
pub fn disputed(receipt: &Receipt) -> Option<&str> {
    let differs = |step: &&Step| step.what == COMPARED && step.outcome == Outcome::Failed;
    receipt.steps.iter().find(differs).map(|step| step.said.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_clear_answers_count() {
        let acl = Outcome::Refused { by: Authority::VaultAcl };
        let unknown = Outcome::Refused { by: Authority::Unknown };
        let mut compared = Compared::default();
        for (predicted, came) in
            [(Some(true), Outcome::Answered), (Some(false), acl), (Some(true), Outcome::Failed), (Some(true), unknown), (None, acl)]
        {
            compared.add("x", predicted, came);
        }
        let (outcome, said) = compared.told("openbao-2.6");
        assert_eq!(
            (outcome, said.as_str()),
            (Outcome::Answered, "2 as the policies say by the rules of openbao-2.6, 1 not to be told beforehand")
        );
        compared.add("acme: read path #1", Some(false), Outcome::Answered);
        compared.add_words("path #2", &["deny"], &["read".to_owned()]);
        compared.add_words("path #3", &["list", "read"], &["list".to_owned(), "read".to_owned()]);
        let (outcome, said) = compared.told("openbao-2.6");
        assert_eq!(outcome, Outcome::Failed);
        assert!(said.starts_with("DISPUTED"), "{said}");
        assert!(said.contains("acme: read path #1: the policies refuse it, the server allowed it"), "{said}");
        assert!(said.contains("path #2: the policies say deny, the server says read; 3 as they say"), "{said}");
    }
}
