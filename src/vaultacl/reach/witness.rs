//! Finitely many paths that stand for all (`spec/vault.md` 8.1). Which rules match a path changes only where a rule begins or ends; words that begin like
//! no literal of any rule, at every depth at which a rule ends, meet the fewest rules there. So if a rule wins anywhere at or below a place, it wins
//! at one of these.

use std::collections::BTreeSet;

use super::super::acl::Acl;
use super::super::policy::PatternKind;
use super::pattern::Tail;

/// Depths beyond that of a rule that are tried at most, where rules end at one depth after the other.
const DEEPEST: usize = 64;

/// A word that begins like no literal of any rule. O(length of the rules).
pub(super) fn fresh(acl: &Acl) -> String {
    let mut seen = [false; 128];
    let mut wide = BTreeSet::new();
    for c in acl.rules().iter().flat_map(|rule| rule.pattern.chars()) {
        match seen.get_mut(c as usize) {
            Some(place) => *place = true,
            None => _ = wide.insert(c),
        }
    }
    let plain = "~=@!,;:".chars().chain('A'..='Z').chain('0'..='9').chain('a'..='z');
    let free = plain.filter(|c| seen.get(*c as usize) == Some(&false)).chain(('\u{4e00}'..).filter(|c| !wide.contains(c))).next();
    format!("{}any", free.unwrap_or('~'))
}

/// The depths below a place at which a closed segment rule ends: only there can words that no rule names meet more than elsewhere.
pub(super) fn depths<'a>(rest: impl Iterator<Item = (PatternKind, &'a str)>) -> BTreeSet<usize> {
    rest.filter(|(kind, text)| *kind == PatternKind::Segment && !text.ends_with('*')).map(|(_, text)| slashes(text)).collect()
}

fn slashes(text: &str) -> usize {
    text.bytes().filter(|byte| *byte == b'/').count()
}

/// Paths behind a place that stand for all that a rule covers there, nearest first; whether some were left out, because rules end at more depths
/// than are tried. O(depths × length).
pub(super) fn witnesses(kind: PatternKind, rest: Option<&str>, fresh: &str, ends: &BTreeSet<usize>) -> (Vec<String>, bool) {
    let Some(rest) = rest else {
        let mut found = vec![String::new(), "/".to_owned()];
        let more = extend(format!("/{fresh}"), fresh, ends, &mut found);
        return (found, more);
    };
    let (body, open) = match (kind, rest.strip_suffix('*')) {
        (PatternKind::Exact, _) => return (vec![rest.to_owned()], false),
        (_, Some(body)) => (body, true),
        (_, None) => (rest, false),
    };
    let mut parts: Vec<&str> = body.split('/').collect();
    if kind == PatternKind::Segment {
        let last = parts.len() - 1;
        for part in parts.iter_mut().take(if open { last } else { last + 1 }) {
            if *part == "+" {
                *part = fresh;
            }
        }
    }
    let filled = parts.join("/");
    let mut found = vec![filled.clone()];
    if open {
        let more = extend(filled + fresh, fresh, ends, &mut found);
        return (found, more);
    }
    // `+` matches an empty part too: the path with a slash at its end
    if body.ends_with("/+") {
        parts.pop();
        found.push(format!("{}/", parts.join("/")));
    }
    (found, false)
}

/// A path and deeper ones, each with and without a slash at its end, until one lies where no rule ends.
fn extend(mut path: String, fresh: &str, ends: &BTreeSet<usize>, found: &mut Vec<String>) -> bool {
    let first = slashes(&path);
    for depth in first..=first + DEEPEST {
        found.push(path.clone());
        found.push(format!("{path}/"));
        if !ends.contains(&depth) && !ends.contains(&(depth + 1)) {
            return false;
        }
        path = format!("{path}/{fresh}");
    }
    true
}

/// The text behind a place; none for a rule that covers it all.
pub(super) fn rest(pattern: &str, tail: Tail) -> Option<&str> {
    match tail {
        Tail::All => None,
        Tail::At(at) => pattern.get(at as usize..),
    }
}
