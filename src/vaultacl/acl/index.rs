//! Which rules match a path: prefixes in a sorted list with links to their own prefixes, rules with `+` by the text before it.

use super::Merged;
use crate::vaultacl::policy::PatternKind;

/// How a rule with a wildcard ranks among those that match; the greatest wins. The order is the servers': the first wildcard as late as
/// possible, not open-ended, few `+`, long, late in the alphabet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    first_wildcard: usize,
    closed: bool,
    few: std::cmp::Reverse<usize>,
    length: usize,
}

/// A rule that matches, comparable with others that match the same path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Winner<'a> {
    rank: Rank,
    text: &'a str,
    /// Which.
    pub rule: usize,
}

/// Finds rules with wildcards. Holds positions in the list of rules that it was made of.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Index {
    prefixes: Chain,
    segments: Chain,
    /// Rules with `+` by the text before it, the best first.
    by_head: Vec<Vec<Segment>>,
}

#[derive(Clone, Debug, PartialEq)]
struct Segment {
    rank: Rank,
    rule: usize,
    parts: usize,
}

/// Texts in order, each with the longest other that it begins with.
#[derive(Clone, Debug, Default, PartialEq)]
struct Chain {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq)]
struct Entry {
    text: Box<str>,
    parent: Option<usize>,
    /// For prefixes the rule.
    rule: usize,
}

impl Index {
    /// Of rules. O(length of all patterns × log rules).
    pub fn of(rules: &[Merged]) -> Self {
        let of_kind = |kind: PatternKind| rules.iter().enumerate().filter(move |(_, rule)| rule.kind == kind);
        let prefixes = of_kind(PatternKind::Prefix).map(|(at, rule)| (stem(&rule.pattern), at)).collect();
        let mut segments: Vec<(&str, Segment)> = of_kind(PatternKind::Segment).map(|(at, rule)| segment(&rule.pattern, at)).collect();
        let text = |segment: &Segment| rules.get(segment.rule).map(|rule| stem(&rule.pattern));
        segments.sort_by(|(a, x), (b, y)| a.cmp(b).then_with(|| (y.rank, text(y)).cmp(&(x.rank, text(x)))));
        let mut heads: Vec<(&str, usize)> = Vec::new();
        let mut by_head: Vec<Vec<Segment>> = Vec::new();
        for (head, segment) in segments {
            if heads.last().is_none_or(|(last, _)| *last != head) {
                heads.push((head, by_head.len()));
                by_head.push(Vec::new());
            }
            if let Some(list) = by_head.last_mut() {
                list.push(segment);
            }
        }
        Self { prefixes: Chain::of(prefixes), segments: Chain::of(heads), by_head }
    }

    /// The best rule with a wildcard for a path.
    pub fn best<'a>(&self, rules: &'a [Merged], path: &str) -> Option<Winner<'a>> {
        let mut best = self.prefix(rules, path);
        self.matching(rules, path, |list, parts| {
            let found = list.iter().find(|segment| matches(rules, segment, parts)).and_then(|segment| winner(rules, segment));
            best = best.max(found);
        });
        best
    }

    /// Adds all candidates for a path: the longest prefix, and every rule with `+` that matches.
    pub fn all<'a>(&self, rules: &'a [Merged], path: &str, into: &mut Vec<Winner<'a>>) {
        into.extend(self.prefix(rules, path));
        self.matching(rules, path, |list, parts| {
            into.extend(list.iter().filter(|segment| matches(rules, segment, parts)).filter_map(|segment| winner(rules, segment)));
        });
    }

    fn prefix<'a>(&self, rules: &'a [Merged], path: &str) -> Option<Winner<'a>> {
        let entry = self.prefixes.longest(path)?;
        let text = stem(&rules.get(entry.rule)?.pattern);
        let rank = Rank { first_wildcard: text.len(), closed: false, few: std::cmp::Reverse(0), length: text.len() };
        Some(Winner { rank, text, rule: entry.rule })
    }

    fn matching(&self, _rules: &[Merged], path: &str, mut each: impl FnMut(&[Segment], &[&str])) {
        let Some(mut entry) = self.segments.longest(path) else { return };
        let parts: Vec<&str> = path.split('/').collect();
        loop {
            if let Some(list) = self.by_head.get(entry.rule) {
                each(list, &parts);
            }
            let Some(parent) = entry.parent.and_then(|at| self.segments.entries.get(at)) else { return };
            entry = parent;
        }
    }
}

impl Chain {
    fn of(mut texts: Vec<(&str, usize)>) -> Self {
        texts.sort_unstable();
        let mut entries: Vec<Entry> = Vec::with_capacity(texts.len());
        let mut open: Vec<usize> = Vec::new();
        for (text, rule) in texts {
            let begins = |at: &usize| entries.get(*at).is_some_and(|entry| text.starts_with(&*entry.text));
            while open.last().is_some_and(|at| !begins(at)) {
                open.pop();
            }
            let parent = open.last().copied();
            open.push(entries.len());
            entries.push(Entry { text: text.into(), parent, rule });
        }
        Self { entries }
    }

    /// The longest text that a path begins with. Everything between such a text and the path, in order, begins with it too: so it is the
    /// greatest that is not above the path, or one that that one begins with. O(length × log texts + nested texts).
    fn longest(&self, path: &str) -> Option<&Entry> {
        let above = self.entries.partition_point(|entry| &*entry.text <= path);
        let mut entry = self.entries.get(above.checked_sub(1)?)?;
        let common = entry.text.bytes().zip(path.bytes()).take_while(|(a, b)| a == b).count();
        while entry.text.len() > common {
            entry = self.entries.get(entry.parent?)?;
        }
        Some(entry)
    }
}

/// A pattern without the `*` at its end.
fn stem(pattern: &str) -> &str {
    pattern.strip_suffix('*').unwrap_or(pattern)
}

fn segment(pattern: &str, rule: usize) -> (&str, Segment) {
    let text = stem(pattern);
    let closed = text.len() == pattern.len();
    let (mut head, mut plus, mut parts, mut at) = (text.len(), 0, 0, 0);
    for part in text.split('/') {
        if part == "+" {
            plus += 1;
            head = head.min(at);
        }
        parts += 1;
        at += part.len() + 1;
    }
    let first_wildcard = pattern.find('+').unwrap_or(pattern.len());
    let rank = Rank { first_wildcard, closed, few: std::cmp::Reverse(plus), length: text.len() };
    (text.get(..head).unwrap_or(text), Segment { rank, rule, parts })
}

fn winner<'a>(rules: &'a [Merged], segment: &Segment) -> Option<Winner<'a>> {
    Some(Winner { rank: segment.rank, text: stem(&rules.get(segment.rule)?.pattern), rule: segment.rule })
}

/// Whether a rule with `+` matches the parts of a path. O(parts until they differ).
fn matches(rules: &[Merged], segment: &Segment, parts: &[&str]) -> bool {
    let closed = segment.rank.closed;
    if parts.len() < segment.parts || (closed && parts.len() != segment.parts) {
        return false;
    }
    let Some(rule) = rules.get(segment.rule) else { return false };
    stem(&rule.pattern).split('/').zip(parts).enumerate().all(|(at, (wanted, part))| {
        let last = at + 1 == segment.parts;
        wanted == "+" || wanted == *part || (!closed && last && part.starts_with(wanted))
    })
}
