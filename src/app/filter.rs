//! The text filter: words, all of which must occur; a word that begins with `-` must not.

/// A parsed filter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    wanted: Vec<String>,
    unwanted: Vec<String>,
}

impl Filter {
    /// Reads a filter. Every text is one.
    pub fn parse(text: &str) -> Self {
        let mut filter = Self::default();
        for word in text.split_whitespace() {
            let word = word.to_lowercase();
            match word.strip_prefix('-') {
                Some("") => {}
                Some(rest) => filter.unwanted.push(rest.to_owned()),
                None => filter.wanted.push(word),
            }
        }
        filter
    }

    /// Whether everything passes.
    pub fn is_empty(&self) -> bool {
        self.wanted.is_empty() && self.unwanted.is_empty()
    }

    /// Whether a text in lower case passes. O(words × length).
    pub fn passes(&self, lower: &str) -> bool {
        self.wanted.iter().all(|word| lower.contains(word.as_str())) && !self.unwanted.iter().any(|word| lower.contains(word.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_anded_and_minus_excludes() {
        let filter = Filter::parse(" N8N  breached -acme ");
        assert!(filter.passes("globex n8n breached"));
        assert!(!filter.passes("acme n8n breached"));
        assert!(!filter.passes("globex n8n holds"));
        assert!(Filter::parse(" - ").is_empty());
    }
}
