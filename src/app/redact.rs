//! Names for a shared screen: tenants and namespaces become stable aliases, wherever they occur in a text.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use crate::model::ids::Name;
use crate::model::text::{LONGEST, clean};

/// Aliases given so far. A name keeps its alias for the whole session.
#[derive(Clone, Debug, Default)]
pub struct Aliases {
    of: HashMap<Name, String>,
    tenants: usize,
}

impl Aliases {
    /// Gives aliases to names that have none yet, tenants in sorted order. O(new names).
    pub fn learn(&mut self, tenants: &BTreeMap<Name, Vec<Name>>) {
        for (tenant, namespaces) in tenants {
            let alias = if let Some(alias) = self.of.get(tenant) {
                alias.clone()
            } else {
                self.tenants += 1;
                let alias = format!("tenant-{:02}", self.tenants);
                self.of.insert(tenant.clone(), alias.clone());
                alias
            };
            for (i, namespace) in namespaces.iter().enumerate() {
                self.of.entry(namespace.clone()).or_insert_with(|| format!("ns-{}{}", alias.trim_start_matches("tenant-"), nth(i)));
            }
        }
    }

    /// A cleaned text with every known name replaced. Names are found between characters that are neither letters nor digits, longest
    /// first. O(length × words).
    pub fn apply(&self, text: &str) -> String {
        let edges = edges(text);
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        while at < text.len() {
            let rest = text.get(at..).unwrap_or("");
            if edges.binary_search(&at).is_ok() {
                let found = edges.iter().rev().take_while(|end| **end > at).find_map(|end| Some((*end, self.of.get(text.get(at..*end)?)?)));
                if let Some((end, alias)) = found {
                    out.push_str(alias);
                    at = end;
                    continue;
                }
            }
            let Some(c) = rest.chars().next() else { break };
            out.push(c);
            at += c.len_utf8();
        }
        out
    }
}

fn nth(i: usize) -> String {
    if i == 0 { String::new() } else { format!(".{}", i + 1) }
}

/// Byte positions where a word may begin or end.
fn edges(text: &str) -> Vec<usize> {
    let mut edges = vec![0];
    let mut word = false;
    for (at, c) in text.char_indices() {
        let is = c.is_alphanumeric();
        if is != word && at > 0 {
            edges.push(at);
        }
        word = is;
    }
    edges.push(text.len());
    edges
}

/// How foreign text is made fit to show: cleaned always, redacted when asked.
#[derive(Clone, Copy, Debug)]
pub struct Say<'a> {
    /// The aliases, while redacting.
    pub aliases: Option<&'a Aliases>,
}

impl Say<'_> {
    /// A text fit to show. Plain short ASCII is passed on without a copy.
    pub fn say<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let plain = text.len() <= LONGEST && text.bytes().all(|b| (0x20..0x7f).contains(&b));
        let cleaned = if plain { Cow::Borrowed(text) } else { Cow::Owned(clean(text)) };
        match self.aliases {
            None => cleaned,
            Some(aliases) => Cow::Owned(aliases.apply(&cleaned)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aliases() -> Aliases {
        let mut aliases = Aliases::default();
        aliases
            .learn(&[("acme".into(), vec!["web-tenant-acme".into(), "acme-db".into()]), ("globex".into(), vec!["globex".into()])].into());
        aliases
    }

    #[test]
    fn names_are_replaced_inside_texts_and_hosts() {
        let text = aliases().apply("acme: GET http://whoami.web-tenant-acme.svc from n8n-acme to globex, not acmeister");
        assert_eq!(text, "tenant-01: GET http://whoami.ns-01.svc from n8n-tenant-01 to tenant-02, not acmeister");
    }

    #[test]
    fn aliases_stay_when_tenants_come() {
        let mut aliases = aliases();
        aliases.learn(&[("aaa".into(), vec![]), ("acme".into(), vec![])].into());
        assert_eq!(aliases.apply("acme aaa"), "tenant-01 tenant-03");
    }

    #[test]
    fn foreign_text_is_cleaned_before_it_is_shown() {
        assert_eq!(Say { aliases: None }.say("a\u{1b}[2J"), "a\u{fffd}[2J");
        assert!(matches!(Say { aliases: None }.say("plain"), Cow::Borrowed(_)));
    }
}
