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

/// A filter of the matrix: words hold for both of its sides; behind `from:` for rows only, behind `to:` for columns only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Axes {
    /// For rows.
    pub from: Filter,
    /// For columns of tenants.
    pub to: Filter,
    /// For columns of fixed targets: only what stands behind `to:`.
    pub targets: Filter,
}

impl Axes {
    /// Reads a filter. Every text is one.
    pub fn parse(text: &str) -> Self {
        let (mut from, mut to, mut targets) = (String::new(), String::new(), String::new());
        for word in text.split_whitespace() {
            let (minus, bare) = word.strip_prefix('-').map_or(("", word), |rest| ("-", rest));
            let add = |list: &mut String, word: &str| {
                list.push_str(minus);
                list.push_str(word);
                list.push(' ');
            };
            if let Some(rest) = bare.strip_prefix("from:") {
                add(&mut from, rest);
            } else if let Some(rest) = bare.strip_prefix("to:") {
                add(&mut to, rest);
                add(&mut targets, rest);
            } else {
                add(&mut from, bare);
                add(&mut to, bare);
            }
        }
        Self { from: Filter::parse(&from), to: Filter::parse(&to), targets: Filter::parse(&targets) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn from_and_to_filter_one_side_each() {
        let axes = Axes::parse("n8n from:acme -to:globex to:-x from: -");
        assert!(axes.from.passes("acme n8n") && !axes.from.passes("globex n8n") && !axes.from.passes("acme"));
        assert!(axes.to.passes("acme n8n") && !axes.to.passes("globex n8n") && !axes.to.passes("n8n x"));
        assert!(axes.targets.passes("internet") && !Axes::parse("to:vault").targets.passes("internet"));
        assert!(Axes::parse("acme").targets.is_empty());
    }

    #[test]
    fn words_are_anded_and_minus_excludes() {
        let filter = Filter::parse(" N8N  breached -acme ");
        assert!(filter.passes("globex n8n breached"));
        assert!(!filter.passes("acme n8n breached"));
        assert!(!filter.passes("globex n8n holds"));
        assert!(Filter::parse(" - ").is_empty());
    }
}
